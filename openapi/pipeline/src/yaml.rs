//! A JSON document from the events of a YAML parser, without a YAML tree in between: such a tree takes more memory than all
//! the rest.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};
use serde::de::IgnoredAny;
use serde_json::{Map, Number, Value};

use crate::error::SourceLocation;
use crate::file::MAX_FILE_SIZE;
use crate::positions::{Children, Positions};
use crate::{Error, pointer};

/// The maximum nesting depth of a document.
pub(crate) const MAX_DEPTH: usize = 128;

/// The maximum number of keys, values, lists and maps of a document: each takes some hundred bytes.
pub(crate) const MAX_NODES: usize = 800_000;

/// The maximum number of nodes that aliases repeat. A few nested aliases can expand to any number of nodes.
const MAX_REPEATED: usize = 100_000;

/// The maximum total length of the JSON pointers of all nodes, in bytes: a walk through the document writes each of them, and
/// a long key is part of the pointers of all nodes below it.
const MAX_POINTERS: u64 = 512 * 1024 * 1024;

const DUPLICATE_HELP: &str = "remove or rename one of the two";

/// Reads the one document of a text, and the positions of its nodes.
pub(crate) fn read(path: &str, text: &str) -> Result<(Value, Positions), Error> {
    let mut reader = Reader { path, ..Reader::default() };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| reader.malformed(*error.marker(), error.info()))?;
        reader.handle(event, span.start)?;
    }
    match reader.roots.len() {
        1 => Ok(reader.roots.remove(0)),
        count => Err(Error::of_file(
            path,
            format!("the file holds {count} YAML documents"),
            "keep exactly one document in the file",
        )),
    }
}

/// The state of the reader.
#[derive(Default)]
struct Reader<'a> {
    path: &'a str,
    roots: Vec<(Value, Positions)>,
    /// The lists and maps that are not closed, the outermost first.
    open: Vec<OpenNode>,
    /// The nodes that aliases may refer to.
    anchors: HashMap<usize, Anchored>,
    /// The keys so far: most documents have few distinct keys, and repeat them often.
    names: HashSet<Arc<str>>,
    nodes: usize,
    /// The size of the nodes that are kept for aliases, and of the nodes that aliases have repeated.
    kept: Extent,
    repeated: Extent,
}

/// A list or map that is not closed.
struct OpenNode {
    start: Marker,
    anchor: usize,
    /// The size of its content.
    extent: Extent,
    values: Vec<Value>,
    positions: Vec<Positions>,
    /// The keys of a map; the last key may not have its value yet.
    keys: Option<Vec<(Arc<str>, Marker)>>,
    /// The indexes of its merge keys.
    merges: Vec<usize>,
}

/// The size of a part of a document. The text counts as well: a node may be a long text.
#[derive(Clone, Copy, Default)]
struct Extent {
    nodes: usize,
    text: u64,
    /// The total length of the JSON pointers of its nodes, relative to itself.
    pointers: u64,
}

/// A node that an alias may refer to.
#[derive(Clone)]
enum Anchored {
    /// A scalar, used as a key or a value.
    Scalar(String, ScalarStyle),
    Node(Value, Children, Extent),
}

impl Extent {
    fn of_text(text: &str) -> Self {
        Self { nodes: 1, text: text.len() as u64, pointers: 0 }
    }

    fn add(&mut self, other: Self) {
        self.nodes = self.nodes.saturating_add(other.nodes);
        self.text = self.text.saturating_add(other.text);
        self.pointers = self.pointers.saturating_add(other.pointers);
    }

    /// Returns the size of the same part below a pointer step of this many bytes.
    fn below(self, step: usize) -> Self {
        let steps = (self.nodes as u64).saturating_mul(step as u64 + 1);
        Self { pointers: self.pointers.saturating_add(steps), ..self }
    }
}

impl OpenNode {
    /// Returns true if the next node is a key.
    fn wants_key(&self) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.len() == self.values.len())
    }
}

impl Reader<'_> {
    fn handle(&mut self, event: Event<'_>, start: Marker) -> Result<(), Error> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                self.count(start)?;
                if anchor > 0 {
                    self.keep_anchored(anchor, Anchored::Scalar(text.to_string(), style), start)?;
                }
                self.scalar(&text, style, start)
            }
            Event::SequenceStart(anchor, _) => self.open(anchor, None, start),
            Event::MappingStart(anchor, _) => self.open(anchor, Some(Vec::new()), start),
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, start),
            Event::DocumentStart(_) | Event::DocumentEnd | Event::StreamStart | Event::StreamEnd | Event::Nothing => {
                Ok(())
            }
        }
    }

    fn count(&mut self, at: Marker) -> Result<(), Error> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(self.malformed(at, &format!("it has more than {MAX_NODES} keys, values, lists and maps")));
        }
        Ok(())
    }

    fn open(&mut self, anchor: usize, keys: Option<Vec<(Arc<str>, Marker)>>, start: Marker) -> Result<(), Error> {
        self.count(start)?;
        if self.open.last().is_some_and(OpenNode::wants_key) {
            return Err(self.error_at(start, "a key is not a string", "write a plain string as key"));
        }
        // All code that walks through a document is recursive.
        if self.open.len() >= MAX_DEPTH {
            return Err(self.malformed(start, "it is nested too deep"));
        }
        let (values, positions) = (Vec::new(), Vec::new());
        let extent = Extent::of_text("");
        self.open.push(OpenNode { start, anchor, extent, values, positions, keys, merges: Vec::new() });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let OpenNode { start, anchor, extent, mut values, mut positions, keys, merges } = open;
        let (value, below) = match keys {
            None => {
                values.shrink_to_fit();
                positions.shrink_to_fit();
                (Value::Array(values), Children::Items(positions))
            }
            Some(keys) => {
                let (mut object, mut members) = (Map::with_capacity(keys.len()), Vec::with_capacity(keys.len()));
                let mut merged = Vec::new();
                for (at, (((name, mark), value), positions)) in keys.into_iter().zip(values).zip(positions).enumerate()
                {
                    if merges.contains(&at) {
                        merged.push((mark, value, positions));
                        continue;
                    }
                    if object.insert(name.to_string(), value).is_some() {
                        let mut error = self.error_at(mark, duplicate_key(&name), DUPLICATE_HELP);
                        error.location.pointer = pointer::join(&error.location.pointer, &name);
                        return Err(error);
                    }
                    members.push((name, positions));
                }
                for (mark, value, positions) in merged {
                    self.merge(&mut object, &mut members, (&value, &positions), mark)?;
                }
                members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
                (Value::Object(object), Children::Members(members))
            }
        };
        if anchor > 0 {
            self.keep_anchored(anchor, Anchored::Node(value.clone(), below.clone(), extent), start)?;
        }
        self.add_node(value, below, extent, start)
    }

    /// Adds the members of a map, or of each map of a list, that the object does not have yet.
    fn merge(
        &mut self,
        object: &mut Map<String, Value>,
        members: &mut Vec<(Arc<str>, Positions)>,
        (value, positions): (&Value, &Positions),
        at: Marker,
    ) -> Result<(), Error> {
        let sources: Vec<(&Value, &Positions)> = match value {
            Value::Array(maps) => maps.iter().zip(positions.items()).collect(),
            map => vec![(map, positions)],
        };
        for (map, positions) in sources {
            let Value::Object(map) = map else {
                let help = "give it the alias of a map, or a list of them";
                return Err(self.error_at(at, "the merge key `<<` has something else than maps", help));
            };
            for (name, value) in map {
                if let (false, Some(positions)) = (object.contains_key(name), positions.child(name)) {
                    object.insert(name.clone(), value.clone());
                    members.push((self.shared_name(name), positions.clone()));
                }
            }
        }
        Ok(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, start: Marker) -> Result<(), Error> {
        let is_plain = style == ScalarStyle::Plain;
        if self.open.last().is_some_and(OpenNode::wants_key) {
            let name = self.shared_name(text);
            if let Some(OpenNode { keys: Some(keys), extent, merges, .. }) = self.open.last_mut() {
                // Merge keys are YAML 1.1; all common tools support them.
                if is_plain && text == "<<" {
                    merges.push(keys.len());
                }
                extent.add(Extent { nodes: 0, ..Extent::of_text(&name) });
                keys.push((name, start));
            }
            return Ok(());
        }
        let value = if is_plain { self.plain_scalar(text, start)? } else { text.into() };
        self.add_node(value, Children::Nothing, Extent::of_text(text), start)
    }

    fn alias(&mut self, anchor: usize, start: Marker) -> Result<(), Error> {
        match self.anchors.get(&anchor).cloned() {
            Some(Anchored::Scalar(text, style)) => {
                self.repeat(Extent::of_text(&text), start)?;
                self.scalar(&text, style, start)
            }
            Some(Anchored::Node(..)) if self.open.last().is_some_and(OpenNode::wants_key) => {
                Err(self.error_at(start, "a key is not a string", "write a plain string as key"))
            }
            Some(Anchored::Node(value, below, extent)) => {
                self.repeat(extent, start)?;
                self.add_node(value, below, extent, start)
            }
            // A node that is still open cannot contain itself.
            None => {
                Err(self.error_at(start, "the value cannot be read", "write a plain YAML scalar, sequence or mapping"))
            }
        }
    }

    /// Counts the nodes that an alias repeats.
    fn repeat(&mut self, extent: Extent, at: Marker) -> Result<(), Error> {
        self.repeated.add(extent);
        match self.repeated {
            Extent { nodes, .. } if nodes > MAX_REPEATED => {
                Err(self.malformed(at, "its aliases repeat too many nodes"))
            }
            Extent { text, .. } if text > MAX_FILE_SIZE => Err(self.malformed(at, "its aliases repeat too much text")),
            _ => Ok(()),
        }
    }

    /// Keeps a node for aliases. A node below nested anchors is kept once for each anchor.
    fn keep_anchored(&mut self, anchor: usize, anchored: Anchored, at: Marker) -> Result<(), Error> {
        self.kept.add(match &anchored {
            Anchored::Scalar(text, _) => Extent::of_text(text),
            Anchored::Node(_, _, extent) => *extent,
        });
        if self.kept.nodes > MAX_NODES || self.kept.text > MAX_FILE_SIZE {
            return Err(self.malformed(at, "too much of it stands below anchors"));
        }
        self.anchors.insert(anchor, anchored);
        Ok(())
    }

    /// Adds a node to the innermost list or map.
    fn add_node(&mut self, value: Value, below: Children, extent: Extent, start: Marker) -> Result<(), Error> {
        /// The assumed number of digits of a list index.
        const PLACE: usize = 6;
        let Some(open) = self.open.last_mut() else {
            self.roots.push((value, Positions::new(start, below)));
            return Ok(());
        };
        // The key's line and not the value's: a block value starts a line later.
        let key = open.keys.as_ref().and_then(|keys| keys.last());
        let (mark, step) = key.map_or((start, PLACE), |(name, mark)| (*mark, name.len()));
        open.extent.add(extent.below(step));
        if open.extent.pointers > MAX_POINTERS {
            return Err(self.malformed(mark, "its keys are too long for how much stands below them"));
        }
        open.positions.push(Positions::new(mark, below));
        open.values.push(value);
        Ok(())
    }

    fn shared_name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.names.insert(Arc::clone(&name));
        name
    }

    /// Converts a plain scalar. It remains a text unless JSON itself reads it as null, boolean or number.
    fn plain_scalar(&self, text: &str, start: Marker) -> Result<Value, Error> {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
            "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
            "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
            _ => {}
        }
        if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return Ok(text.into());
        }
        // `IgnoredAny` checks the grammar only: the grammar has numbers that an f64 cannot hold.
        match (serde_json::from_str::<IgnoredAny>(text), serde_json::from_str::<Number>(text)) {
            (_, Ok(number)) => Ok(Value::Number(number)),
            (Ok(_), Err(_)) => {
                Err(self.error_at(start, format!("the number {text} is out of range"), "quote it to make it a string"))
            }
            (Err(_), Err(_)) => Ok(text.into()),
        }
    }

    fn malformed(&self, at: Marker, problem: &str) -> Error {
        let problem = format!("the file is not well-formed: {problem}");
        let error = self.error_at(at, problem, "mend the YAML or JSON at this line");
        Error { location: SourceLocation { pointer: String::new(), ..error.location }, ..error }
    }

    /// Creates a failure at the position of the next node.
    fn error_at(&self, at: Marker, problem: impl Into<String>, help: &str) -> Error {
        let step = |open: &OpenNode| match &open.keys {
            Some(keys) if keys.len() > open.values.len() => keys.last().map(|(name, _)| name.to_string()),
            // A key, or the value of a map entry that is complete.
            Some(_) => None,
            None => Some(open.values.len().to_string()),
        };
        let pointer =
            self.open.iter().filter_map(step).fold(String::new(), |pointer, step| pointer::join(&pointer, &step));
        let place = SourceLocation { path: self.path.to_owned(), line: at.line(), column: at.col() + 1, pointer };
        Error { location: place, problem: problem.into(), help: help.to_owned() }
    }
}

fn duplicate_key(key: &str) -> String {
    format!("the key `{key}` stands twice in one mapping")
}
