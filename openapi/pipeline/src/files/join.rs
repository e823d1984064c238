//! The join of several files into one document. A referenced part becomes a named component if there is a section for it, and
//! is included once; other parts are copied to the place of each reference. Every node keeps its file and line.

use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::{Map, Value, json};

use super::kinds::{NodeKind, is_reference};
use super::{Target, location, own_address, pointer_inside, refused_reference, target, without_secrets};
use crate::error::SourceLocation;
use crate::positions::{Children, Positions};
use crate::yaml::MAX_DEPTH;
use crate::{Error, pointer};

/// The maximum number of nodes of the joined document: parts without a name are copied for each reference.
const MAX_NODES: usize = crate::yaml::MAX_NODES;

/// A file as read. The first of a list is the document.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) value: Value,
    pub(crate) positions: Positions,
}

/// A part of a file that has a name in the joined document.
struct NamedPart {
    section: &'static str,
    name: String,
    kind: NodeKind,
    file: usize,
    pointer: String,
}

struct Joiner<'a> {
    files: &'a [File],
    by_path: HashMap<String, usize>,
    is_swagger: bool,
    /// The pointers in the joined document of parts that have a name there.
    homes: HashMap<(usize, String), String>,
    taken: HashSet<String>,
    open: VecDeque<NamedPart>,
    /// The parts that are currently being copied in place.
    way: Vec<(usize, String)>,
    nodes: usize,
}

/// Joins the files. The first is the document.
pub(crate) fn join(files: &[File]) -> Result<(Value, Positions), Error> {
    let Some(document) = files.first() else { return Ok((Value::Null, Positions::default())) };
    let mut join = Joiner {
        files,
        by_path: locations(files),
        is_swagger: document.value.get("swagger").is_some(),
        homes: HashMap::new(),
        taken: HashSet::new(),
        open: VecDeque::new(),
        way: Vec::new(),
        nodes: 0,
    };
    join.named(&document.value);
    let (mut value, mut positions) = join.node(0, "", &document.value, NodeKind::Other, 0)?;
    while let Some(NamedPart { section, name, kind, file, pointer }) = join.open.pop_front() {
        let node = files[file].value.pointer(&pointer).unwrap_or(&Value::Null);
        let part = join.node(file, &pointer, node, kind, 0)?;
        insert_part(&mut value, &mut positions, section, &name, part);
    }
    Ok((value, positions))
}

/// Returns the numbers of the files by their paths, and by their own addresses (`$self`).
fn locations(files: &[File]) -> HashMap<String, usize> {
    let own =
        files.iter().enumerate().filter_map(|(number, file)| Some((own_address(&file.value)?.to_owned(), number)));
    own.chain(files.iter().enumerate().map(|(number, file)| (location(&file.path), number))).collect()
}

/// Adds a named part to its section.
fn insert_part(
    value: &mut Value,
    positions: &mut Positions,
    section: &str,
    name: &str,
    (part, place): (Value, Positions),
) {
    let (mut node, mut at) = (value, positions);
    for key in pointer::names(section) {
        let Some(object) = node.as_object_mut() else { return };
        let line = at.without_children();
        node = object.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
        at = at.member(&key, || line);
    }
    if let Some(object) = node.as_object_mut() {
        object.insert(name.to_owned(), part);
        *at.member(name, Positions::default) = place;
    }
}

impl Joiner<'_> {
    /// Registers the names of the document, also those that it gives to parts of other files.
    fn named(&mut self, document: &Value) {
        let kinds = [
            NodeKind::Schema,
            NodeKind::Parameter,
            NodeKind::Response,
            NodeKind::Header,
            NodeKind::Body,
            NodeKind::Example,
            NodeKind::Link,
            NodeKind::Callback,
        ];
        for section in kinds.into_iter().filter_map(|kind| kind.section(self.is_swagger)) {
            let Some(parts) = document.pointer(section).and_then(Value::as_object) else { continue };
            for (name, part) in parts {
                let at = pointer::join(section, name);
                self.taken.insert(at.clone());
                let Some(reference) = part.get("$ref").and_then(Value::as_str) else { continue };
                if let Target::File(path, pointer) = target(&self.files[0].path, reference)
                    && let Some(file) = self.by_path.get(&path).filter(|file| **file != 0)
                {
                    let pointer = pointer_inside(&self.files[*file].value, pointer).into_owned();
                    self.homes.entry((*file, pointer)).or_insert(at);
                }
            }
        }
    }

    fn node(
        &mut self,
        file: usize,
        at: &str,
        node: &Value,
        kind: NodeKind,
        depth: usize,
    ) -> Result<(Value, Positions), Error> {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            let problem = format!("the files make a document of more than {MAX_NODES} nodes or {MAX_DEPTH} levels");
            return Err(self.error_at(file, at, problem, "refer to parts of it by their names in `components`"));
        }
        if kind != NodeKind::Data
            && let Some(reference) = node.get("$ref").and_then(Value::as_str)
        {
            return self.reference(file, at, node, reference, kind, depth);
        }
        let (value, below) = match node {
            Value::Object(object) => {
                let (mut whole, mut members) = (Map::with_capacity(object.len()), Vec::with_capacity(object.len()));
                for (key, inner) in object {
                    if let Some(text) = inner.as_str().filter(|text| kind == NodeKind::Mapping && is_reference(text)) {
                        let place = self.place(file, &pointer::join(at, key), Children::Nothing);
                        whole.insert(key.clone(), json!(self.mapped(file, text)));
                        members.push((key.as_str().into(), place));
                        continue;
                    }
                    let (inner, place) = self.node(file, &pointer::join(at, key), inner, kind.below(key), depth + 1)?;
                    whole.insert(key.clone(), inner);
                    members.push((key.as_str().into(), place));
                }
                (Value::Object(whole), Children::members(members))
            }
            Value::Array(list) => {
                let (mut whole, mut items) = (Vec::with_capacity(list.len()), Vec::with_capacity(list.len()));
                for (index, inner) in list.iter().enumerate() {
                    let (inner, place) = self.node(file, &format!("{at}/{index}"), inner, kind.element(), depth + 1)?;
                    whole.push(inner);
                    items.push(place);
                }
                (Value::Array(whole), Children::Items(items))
            }
            scalar => (scalar.clone(), Children::Nothing),
        };
        Ok((value, self.place(file, at, below)))
    }

    /// Returns the reference of a mapping, to a part of the joined document. A dangling one is kept, since it may be a name.
    fn mapped(&mut self, file: usize, reference: &str) -> String {
        let (to, pointer) = match target(&self.files[file].path, reference) {
            Target::Here(pointer) => (file, pointer),
            Target::File(path, pointer) => match self.by_path.get(&path) {
                Some(to) => (*to, pointer),
                None => return reference.to_owned(),
            },
        };
        let pointer = pointer_inside(&self.files[to].value, pointer).into_owned();
        if to == 0 {
            return format!("#{pointer}");
        }
        if self.files[to].value.pointer(&pointer).is_none() {
            return reference.to_owned();
        }
        let key = (to, pointer);
        let home = self.homes.get(&key).cloned();
        format!("#{}", home.unwrap_or_else(|| self.name(key, NodeKind::Schema)))
    }

    fn reference(
        &mut self,
        file: usize,
        at: &str,
        node: &Value,
        reference: &str,
        kind: NodeKind,
        depth: usize,
    ) -> Result<(Value, Positions), Error> {
        let (to, pointer) = match target(&self.files[file].path, reference) {
            Target::Here(pointer) => (file, pointer),
            Target::File(path, pointer) => match self.by_path.get(&path) {
                Some(to) => (*to, pointer),
                None => return Err(self.elsewhere(file, at, reference)),
            },
        };
        if to == 0 {
            return Ok(self.leads_to(file, at, node, pointer));
        }
        let inside = &*pointer_inside(&self.files[to].value, pointer);
        let Some(found) = self.files[to].value.pointer(inside) else {
            let problem = format!("the reference `{}` leads nowhere", without_secrets(reference));
            return Err(self.error_at(
                file,
                &pointer::join(at, "$ref"),
                problem,
                "correct it, or add the part to the file",
            ));
        };
        let key = (to, inside.to_owned());
        let home = self.homes.get(&key);
        if home.is_some_and(|home| file != 0 || home != at) || home.is_none() && kind.section(self.is_swagger).is_some()
        {
            let home = match home {
                Some(home) => home.clone(),
                None => self.name(key, kind),
            };
            return Ok(self.leads_to(file, at, node, &home));
        }
        if self.way.contains(&key) {
            let problem = format!("the reference `{}` leads in a circle", without_secrets(reference));
            return Err(self.error_at(file, &pointer::join(at, "$ref"), problem, "write one of the parts out"));
        }
        self.way.push(key);
        let whole = self.node(to, inside, found, kind, depth + 1);
        self.way.pop();
        let (mut whole, mut positions) = whole?;
        // Members beside the reference override.
        for (key, own) in node.as_object().into_iter().flatten().filter(|(key, _)| *key != "$ref") {
            let (own, place) = self.node(file, &pointer::join(at, key), own, kind.below(key), depth + 1)?;
            if let Some(object) = whole.as_object_mut() {
                object.insert(key.clone(), own);
                *positions.member(key, Positions::default) = place;
            }
        }
        Ok((whole, positions))
    }

    /// Returns the node with a reference to a part of the joined document.
    fn leads_to(&self, file: usize, at: &str, node: &Value, to: &str) -> (Value, Positions) {
        let mut node = node.clone();
        node["$ref"] = json!(format!("#{to}"));
        let members = node
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| (key.as_str().into(), self.place(file, &pointer::join(at, key), Children::Nothing)));
        let below = Children::members(members.collect());
        (node, self.place(file, at, below))
    }

    /// Gives a part of a file a name: that of its last pointer step, or of its file.
    fn name(&mut self, (file, inside): (usize, String), kind: NodeKind) -> String {
        let section = kind.section(self.is_swagger).unwrap_or_default();
        let stem = std::path::Path::new(&self.files[file].path).file_stem().unwrap_or_default().to_string_lossy();
        let last = if inside.is_empty() { stem.into_owned() } else { pointer::name(&inside) };
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
        let plain: String = last.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
        let numbered = (2..).map(|number| format!("{plain}{number}"));
        let free = std::iter::once(plain.clone())
            .chain(numbered)
            .find(|name| !self.taken.contains(&pointer::join(section, name)));
        let name = free.unwrap_or(plain.clone());
        let home = pointer::join(section, &name);
        self.taken.insert(home.clone());
        self.homes.insert((file, inside.clone()), home.clone());
        self.open.push_back(NamedPart { section, name, kind, file, pointer: inside });
        home
    }

    fn place(&self, file: usize, at: &str, below: Children) -> Positions {
        self.files[file].positions.nearest(at).in_file(file, below)
    }

    fn elsewhere(&self, file: usize, at: &str, reference: &str) -> Error {
        let (problem, help) = refused_reference(&self.files[file].path, reference);
        self.error_at(file, &pointer::join(at, "$ref"), problem, help)
    }

    fn error_at(&self, file: usize, at: &str, problem: impl Into<String>, help: &str) -> Error {
        let File { path, positions, .. } = &self.files[file];
        let (line, column) = positions.nearest(at).line_and_column();
        let place = SourceLocation { path: without_secrets(path), line, column, pointer: at.to_owned() };
        Error { location: place, problem: problem.into(), help: help.to_owned() }
    }
}
