//! YAML or JSON text to a JSON value that remembers the line of every node.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use saphyr::{MarkedYaml, ScalarStyle, ScanError, YamlData, YamlLoader};
use saphyr_parser::{Event, Marker, Parser, SpannedEventReceiver as _};
use serde_json::{Map, Number, Value};

use crate::failure::Place;
use crate::file::LARGEST_FILE;
use crate::lines::{Below, Lines};
use crate::overlay::Applied;
use crate::pointer;
use crate::{Failure, Text};

/// How deep a document may nest.
pub(crate) const DEEPEST: usize = 128;

/// How many keys, values, lists and maps a document may have: each takes some hundred bytes.
const MOST_NODES: usize = 800_000;

const ONE_OF_TWO: &str = "remove or rename one of the two";

/// A document as it was read, and where each of its nodes stands.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    /// The document.
    pub(crate) value: Value,
    /// The file's path.
    path: String,
    lines: Lines,
    /// The overlay that changed the document since.
    pub(crate) overlay: Option<Box<Applied>>,
}

impl Located {
    /// Reads YAML 1.2 (of which JSON is a part). A plain scalar keeps its text unless JSON itself would read it as
    /// null, boolean or number: `NO` and `08001` stay strings.
    ///
    /// # Errors
    /// Text that is no YAML, a duplicate key, several documents in one file, and numbers too large for JSON.
    pub(crate) fn read(source: &Text) -> Result<Self, Failure> {
        let plain;
        let parsed = match parse(&source.text) {
            Err(_) if source.text.contains("\\u") => {
                plain = without_surrogates(&source.text);
                parse(&plain)
            }
            parsed => parsed,
        };
        let nodes = parsed.map_err(|error| malformed(source, &error))?;
        let [root] = nodes.as_slice() else {
            return Err(Failure::of_file(
                &source.path,
                format!("the file holds {} YAML documents", nodes.len()),
                "keep exactly one document in the file",
            ));
        };
        let (value, below) = Reader { path: &source.path, names: HashSet::new() }.value(root)?;
        Ok(Self { value, path: source.path.clone(), lines: Lines::new(root.span.start, below), overlay: None })
    }

    /// The place of a node, or of its nearest ancestor that stands in the file or was put in by an overlay's action.
    pub(crate) fn place(&self, node: &str) -> Place {
        // Replayed only now: places are asked for when something fails.
        self.nearest(node, |overlay, node| overlay.place(&self.value, node))
    }

    /// The document as it was read, and what it became with each of the overlay's actions.
    pub(crate) fn states(&self) -> Vec<Value> {
        match &self.overlay {
            Some(overlay) => overlay.states(&self.value),
            None => vec![self.value.clone()],
        }
    }

    /// The same place, where the states are known already.
    pub(crate) fn place_in(&self, states: &[Value], node: &str) -> Place {
        self.nearest(node, |overlay, node| overlay.place_in(states, node))
    }

    fn nearest(&self, node: &str, put_in: impl Fn(&Applied, &str) -> Option<Place>) -> Place {
        let mut known = node;
        loop {
            if let Some(place) = self.overlay.as_ref().and_then(|overlay| put_in(overlay, known)) {
                return Place { pointer: node.to_owned(), ..place };
            }
            if let Some((line, column)) = self.lines.get(known) {
                return Place { path: self.path.clone(), line, column, pointer: node.to_owned() };
            }
            known = match known.rsplit_once('/') {
                Some((parent, _)) => parent,
                None => return Place { path: self.path.clone(), pointer: node.to_owned(), ..Place::default() },
            };
        }
    }

    /// A failure at a node.
    pub(crate) fn failure(&self, node: &str, problem: impl Into<String>, help: impl Into<String>) -> Failure {
        Failure { place: self.place(node), problem: problem.into(), help: help.into() }
    }
}

/// JSON writes what is beyond the 16 bits of `\u` as two escapes, which are none in YAML.
fn without_surrogates(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        whole.push_str(&rest[..at]);
        rest = &rest[at..];
        let pair =
            [rest.get(..6), rest.get(6..12)].map(|escape| u16::from_str_radix(escape?.strip_prefix("\\u")?, 16).ok());
        let letter = match pair {
            [Some(high), Some(low)] => char::decode_utf16([high, low]).next().and_then(Result::ok),
            _ => None,
        };
        // Two escapes of one letter each are decoded by YAML itself; a backslash may escape another.
        let (length, letter) = match letter.filter(|letter| u32::from(*letter) > 0xFFFF) {
            Some(letter) => (12, Some(letter)),
            None => (rest.chars().take(2).map(char::len_utf8).sum(), None),
        };
        match letter {
            Some(letter) => whole.push(letter),
            None => whole.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    whole.push_str(rest);
    whole
}

fn malformed(source: &Text, error: &ScanError) -> Failure {
    let is_twice = error.info().contains("duplicated key");
    let (problem, help) = match key_at(&source.text, error.marker()).filter(|_| is_twice) {
        Some(key) => (twice(key), ONE_OF_TWO),
        None => (format!("the file is not well-formed: {}", error.info()), "mend the YAML or JSON at this line"),
    };
    Failure { place: place(&source.path, *error.marker()), problem, help: help.to_owned() }
}

/// The key that begins at a mark, as it is written.
fn key_at<'a>(text: &'a str, mark: &Marker) -> Option<&'a str> {
    let line = text.lines().nth(mark.line().checked_sub(1)?)?;
    let (start, first) = line.char_indices().nth(mark.col())?;
    let rest = &line[start..];
    match first {
        '"' | '\'' => rest[1..].split_once(first).map(|(key, _)| key),
        _ => rest.split_once(':').map(|(key, _)| key.trim_end()),
    }
}

fn twice(key: &str) -> String {
    format!("the key `{key}` stands twice in one mapping")
}

/// Refuses a text with too many nodes before one is kept. Each takes two letters at least.
fn count(text: &str) -> Result<(), ScanError> {
    if text.len() <= 2 * MOST_NODES {
        return Ok(());
    }
    let (mut nodes, mut depth) = (0_usize, 0_usize);
    for event in Parser::new_from_str(text) {
        let (event, span) = event?;
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth -= 1,
            _ => {}
        }
        if depth > DEEPEST {
            // Said by whoever reads it.
            return Ok(());
        }
        nodes += usize::from(matches!(event, Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..)));
        if nodes > MOST_NODES {
            return Err(ScanError::new_str(span.start, "it has more than 800000 keys, values, lists and maps"));
        }
    }
    Ok(())
}

fn parse(text: &str) -> Result<Vec<MarkedYaml<'_>>, ScanError> {
    count(text)?;
    let mut loader = YamlLoader::default();
    loader.early_parse(false);
    let mut depth = 0_usize;
    let mut expansion = Expansion::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event?;
        if expansion.count(&event) > LARGEST_FILE {
            return Err(ScanError::new_str(span.start, "its aliases repeat too much text"));
        }
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth -= 1,
            _ => {}
        }
        // Everything that walks through a document is recursive.
        if depth > DEEPEST {
            return Err(ScanError::new_str(span.start, "it is nested too deep"));
        }
        loader.on_event(event, span);
    }
    match loader.error() {
        Some(error) => Err(error.clone()),
        None => Ok(loader.into_documents()),
    }
}

/// How much text a document has once its aliases are what they stand for. The loader has a limit for their nodes, and a node
/// may be a long text.
#[derive(Default)]
struct Expansion {
    /// The text that is repeated.
    repeated: u64,
    /// The text of each anchor.
    anchors: HashMap<usize, u64>,
    /// The anchors of the nodes that are open, and their text so far.
    open: Vec<(usize, u64)>,
}

impl Expansion {
    /// Counts what an event adds; returns what is repeated so far.
    fn count(&mut self, event: &Event<'_>) -> u64 {
        match event {
            Event::Scalar(text, _, anchor, _) => self.add(*anchor, text.len() as u64),
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => self.open.push((*anchor, 0)),
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((anchor, text)) = self.open.pop() {
                    self.add(anchor, text);
                }
            }
            Event::Alias(anchor) => {
                let text = self.anchors.get(anchor).copied().unwrap_or_default();
                self.repeated = self.repeated.saturating_add(text);
                self.add(0, text);
            }
            _ => {}
        }
        self.repeated
    }

    /// The text of a node, which is a part of the node around it.
    fn add(&mut self, anchor: usize, text: u64) {
        // Zero is no anchor.
        if anchor > 0 {
            self.anchors.insert(anchor, text);
        }
        if let Some((_, around)) = self.open.last_mut() {
            *around = around.saturating_add(text);
        }
    }
}

fn place(path: &str, marker: Marker) -> Place {
    Place { path: path.to_owned(), line: marker.line(), column: marker.col() + 1, pointer: String::new() }
}

struct Reader<'a> {
    path: &'a str,
    /// The keys that there were: most documents have few, and use them often.
    names: HashSet<Arc<str>>,
}

impl Reader<'_> {
    /// A node as a value, and where what is below it stands.
    fn value(&mut self, node: &MarkedYaml<'_>) -> Result<(Value, Below), Failure> {
        let start = node.span.start;
        match &node.data {
            YamlData::Representation(text, style, _) => {
                let is_plain = *style == ScalarStyle::Plain;
                let value = if is_plain { self.plain(text, start)? } else { text.as_ref().into() };
                Ok((value, Below::Nothing))
            }
            YamlData::Sequence(items) => {
                let (mut values, mut lines) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
                for (index, item) in items.iter().enumerate() {
                    let (value, below) = self.value(item).map_err(|failure| under(&index.to_string(), failure))?;
                    values.push(value);
                    lines.push(Lines::new(item.span.start, below));
                }
                Ok((Value::Array(values), Below::Items(lines)))
            }
            YamlData::Mapping(entries) => {
                let (mut object, mut lines) = (Map::with_capacity(entries.len()), Vec::with_capacity(entries.len()));
                for (key, item) in entries {
                    // The key's line, not the value's: a block value starts a line later.
                    let mark = key.span.start;
                    let name = self.key(key)?;
                    let (value, below) = self.value(item).map_err(|failure| under(name, failure))?;
                    if object.insert(name.to_owned(), value).is_some() {
                        return Err(under(name, self.failure(mark, twice(name), ONE_OF_TWO)));
                    }
                    lines.push((self.shared(name), Lines::new(mark, below)));
                }
                lines.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
                Ok((Value::Object(object), Below::Members(lines)))
            }
            YamlData::Tagged(_, inner) => self.value(inner),
            YamlData::Value(_) | YamlData::Alias(_) | YamlData::BadValue => {
                let help = "write a plain YAML scalar, sequence or mapping";
                Err(self.failure(start, "the value cannot be read", help))
            }
        }
    }

    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.names.insert(Arc::clone(&name));
        name
    }

    fn key<'n>(&self, key: &'n MarkedYaml<'_>) -> Result<&'n str, Failure> {
        let mark = key.span.start;
        match &key.data {
            YamlData::Representation(name, ScalarStyle::Plain, _) if name == "<<" => {
                let help = "write the merged keys out: YAML 1.2 has no merge key";
                Err(self.failure(mark, "the merge key `<<` is not supported", help))
            }
            YamlData::Representation(name, ..) => Ok(name),
            _ => Err(self.failure(mark, "a key is not a string", "write a plain string as key")),
        }
    }

    fn plain(&self, text: &str, mark: Marker) -> Result<Value, Failure> {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
            "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
            "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
            _ => {}
        }
        if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return Ok(text.into());
        }
        match serde_json::from_str::<Number>(text) {
            Ok(number) => Ok(Value::Number(number)),
            // JSON's grammar says number, but f64 cannot hold it.
            Err(error) if error.to_string().contains("out of range") => {
                Err(self.failure(mark, format!("the number {text} is out of range"), "quote it to make it a string"))
            }
            Err(_) => Ok(text.into()),
        }
    }

    fn failure(&self, mark: Marker, problem: impl Into<String>, help: &str) -> Failure {
        Failure { place: place(self.path, mark), problem: problem.into(), help: help.to_owned() }
    }
}

/// A failure of what is below a node, seen from that node.
fn under(step: &str, mut failure: Failure) -> Failure {
    failure.place.pointer.insert_str(0, &pointer::join("", step));
    failure
}
