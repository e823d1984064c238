//! YAML or JSON text to a JSON value that remembers the line of every node.

use std::collections::HashMap;

use saphyr::{MarkedYaml, ScalarStyle, ScanError, YamlData, YamlLoader};
use saphyr_parser::{Event, Marker, Parser, SpannedEventReceiver as _};
use serde_json::{Map, Number, Value};

use crate::failure::Place;
use crate::overlay::Applied;
use crate::pointer;
use crate::{Failure, Text};

/// How deep a document may nest.
const DEEPEST: usize = 128;

/// A document as it was read, and where each of its nodes stands.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    /// The document.
    pub(crate) value: Value,
    /// The file's path.
    path: String,
    lines: HashMap<String, (usize, usize)>,
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
        let nodes = parsed.map_err(|error| Failure {
            place: place(&source.path, *error.marker(), String::new()),
            problem: format!("the file is not well-formed: {}", error.info()),
            help: "mend the YAML or JSON at this line".to_owned(),
        })?;
        let [root] = nodes.as_slice() else {
            return Err(Failure::of_file(
                &source.path,
                format!("the file holds {} YAML documents", nodes.len()),
                "keep exactly one document in the file",
            ));
        };
        let mut reader = Reader { path: &source.path, lines: HashMap::new() };
        let value = reader.value(root, String::new())?;
        Ok(Self { value, path: source.path.clone(), lines: reader.lines, overlay: None })
    }

    /// The place of a node, or of its nearest ancestor that stands in the file or was put in by an overlay's action.
    pub(crate) fn place(&self, node: &str) -> Place {
        // Replayed only now: places are asked for when something fails.
        let states = if self.overlay.is_some() { self.states() } else { Vec::new() };
        self.place_in(&states, node)
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
        let mut known = node;
        loop {
            if let Some(place) = self.overlay.as_ref().and_then(|overlay| overlay.place(states, known)) {
                return Place { pointer: node.to_owned(), ..place };
            }
            if let Some((line, column)) = self.lines.get(known) {
                return Place { path: self.path.clone(), line: *line, column: *column, pointer: node.to_owned() };
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

fn parse(text: &str) -> Result<Vec<MarkedYaml<'_>>, ScanError> {
    let mut loader = YamlLoader::default();
    loader.early_parse(false);
    let mut depth = 0_usize;
    for event in Parser::new_from_str(text) {
        let (event, span) = event?;
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

fn place(path: &str, marker: Marker, node: String) -> Place {
    Place { path: path.to_owned(), line: marker.line(), column: marker.col() + 1, pointer: node }
}

struct Reader<'a> {
    path: &'a str,
    lines: HashMap<String, (usize, usize)>,
}

impl Reader<'_> {
    fn value(&mut self, node: &MarkedYaml<'_>, at: String) -> Result<Value, Failure> {
        let start = node.span.start;
        self.lines.entry(at.clone()).or_insert((start.line(), start.col() + 1));
        match &node.data {
            YamlData::Representation(text, style, _) => {
                if *style == ScalarStyle::Plain {
                    self.plain(text, start, at)
                } else {
                    Ok(text.as_ref().into())
                }
            }
            YamlData::Sequence(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| self.value(item, format!("{at}/{index}")))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::Array),
            YamlData::Mapping(entries) => {
                let mut object = Map::with_capacity(entries.len());
                for (key, item) in entries {
                    let Some(name) = text_of(key) else {
                        return Err(self.failure(
                            key.span.start,
                            at,
                            "a key is not a string",
                            "write a plain string as key",
                        ));
                    };
                    if name == "<<" && is_plain(key) {
                        return Err(self.failure(
                            key.span.start,
                            at,
                            "the merge key `<<` is not supported",
                            "write the merged keys out: YAML 1.2 has no merge key",
                        ));
                    }
                    let below = pointer::join(&at, name);
                    // The key's line, not the value's: a block value starts a line later.
                    let mark = key.span.start;
                    self.lines.insert(below.clone(), (mark.line(), mark.col() + 1));
                    let item = self.value(item, below.clone())?;
                    if object.insert(name.to_owned(), item).is_some() {
                        return Err(self.failure(
                            mark,
                            below,
                            format!("the key `{name}` stands twice in one mapping"),
                            "remove or rename one of the two",
                        ));
                    }
                }
                Ok(Value::Object(object))
            }
            YamlData::Tagged(_, inner) => self.value(inner, at),
            YamlData::Value(_) | YamlData::Alias(_) | YamlData::BadValue => Err(self.failure(
                start,
                at,
                "the value cannot be read",
                "write a plain YAML scalar, sequence or mapping",
            )),
        }
    }

    fn plain(&self, text: &str, mark: Marker, at: String) -> Result<Value, Failure> {
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
            Err(error) if error.to_string().contains("out of range") => Err(self.failure(
                mark,
                at,
                format!("the number {text} is out of range"),
                "quote it to make it a string",
            )),
            Err(_) => Ok(text.into()),
        }
    }

    fn failure(&self, mark: Marker, at: String, problem: impl Into<String>, help: &str) -> Failure {
        Failure { place: place(self.path, mark, at), problem: problem.into(), help: help.to_owned() }
    }
}

fn is_plain(node: &MarkedYaml<'_>) -> bool {
    matches!(node.data, YamlData::Representation(_, ScalarStyle::Plain, _))
}

fn text_of<'a>(node: &'a MarkedYaml<'_>) -> Option<&'a str> {
    match &node.data {
        YamlData::Representation(text, ..) => Some(text),
        _ => None,
    }
}
