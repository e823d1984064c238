//! The conversion of Swagger 2.0 to OpenAPI 3.0. Every loss is recorded. Constructs that 2.0 does not allow are read if they
//! have only one meaning.
//!
//! The rest of the pipeline sees a 3.0 document. [`Moves`] maps each of its parts to the original position.

mod bodies;
mod operations;
mod parameters;
mod responses;
mod schemas;
mod security;
mod servers;

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{Moves, UnsendableCall};
use crate::moves::redirected;
use crate::repair::Repairs;
use crate::{pointer, walk};

/// The keys that have another name or form in 3.0.
const CONVERTED: [&str; 12] = [
    "swagger",
    "host",
    "basePath",
    "schemes",
    "consumes",
    "produces",
    "definitions",
    "parameters",
    "responses",
    "securityDefinitions",
    "components",
    "paths",
];

/// Converts a document in place.
pub(super) fn convert(document: &mut Value, repairs: &mut Repairs) -> (Moves, Vec<UnsendableCall>) {
    let written = document.take();
    let mut converter = Converter::new(&written, repairs);
    let mut whole = converter.document();
    let Converter { moves, set_aside, .. } = converter;
    redirect_references(&written, &mut whole, &moves);
    *document = whole;
    (moves, set_aside)
}

struct Converter<'a> {
    /// The 2.0 document.
    written: &'a Value,
    consumes: Vec<String>,
    produces: Vec<String>,
    moves: Moves,
    repairs: &'a mut Repairs,
    set_aside: Vec<UnsendableCall>,
}

impl<'a> Converter<'a> {
    fn new(written: &'a Value, repairs: &'a mut Repairs) -> Self {
        Self {
            written,
            consumes: texts(written.get("consumes")),
            produces: texts(written.get("produces")),
            moves: Moves::default(),
            repairs,
            set_aside: Vec::new(),
        }
    }

    fn document(&mut self) -> Value {
        let mut converted = Map::new();
        converted.insert("openapi".to_owned(), json!("3.0.3"));
        self.moves.add("/openapi", "/swagger");
        let own = self.written.as_object().into_iter().flatten();
        converted.extend(
            own.filter(|(key, _)| !CONVERTED.contains(&key.as_str())).map(|(key, value)| (key.clone(), value.clone())),
        );
        self.servers(&mut converted);
        let components = self.components();
        if let Some(paths) = self.written.get("paths") {
            converted.insert("paths".to_owned(), self.paths(paths));
        }
        if !components.is_empty() {
            converted.insert("components".to_owned(), Value::Object(components));
        }
        Value::Object(converted)
    }

    /// Returns the named components. Content under `components`, a key of 3.0, is kept as well.
    fn components(&mut self) -> Map<String, Value> {
        let foreign = self.written.get("components").and_then(Value::as_object).cloned();
        if foreign.is_some() {
            self.repairs.note(
                "mixed-versions",
                "/components",
                "a key of OpenAPI 3.0 in a document of 2.0: read as there",
            );
        }
        let mut components = foreign.unwrap_or_default();
        for (then, now) in [
            ("definitions", "schemas"),
            ("parameters", "parameters"),
            ("responses", "responses"),
            ("securityDefinitions", "securitySchemes"),
        ] {
            let Some(parts) = self.written.get(then) else { continue };
            let (from, to) = (pointer::join("", then), pointer::join("/components", now));
            let Some(parts) = parts.as_object() else {
                self.repairs.narrow("odd-keyword", &from, format!("`{then}` is not an object and was dropped"));
                continue;
            };
            self.moves.add(&to, &from);
            let mut named = Map::new();
            for (name, part) in parts {
                let (at, origin) = (pointer::join(&to, name), pointer::join(&from, name));
                let part = match then {
                    "definitions" => Some(schemas::converted(part)),
                    "parameters" => self.shared_parameter(part, &at, &origin),
                    "responses" => Some(self.response(part, &at, &origin, None)),
                    _ => Some(self.scheme(part, &at)),
                };
                named.extend(part.map(|part| (name.clone(), part)));
            }
            if then == "definitions" {
                schemas::map_discriminators(&mut named);
            }
            let all = components.entry(now).or_insert_with(|| json!({}));
            match all.as_object_mut() {
                Some(all) => all.extend(named),
                None => *all = Value::Object(named),
            }
        }
        components
    }

    /// Returns a node, or the node that its references refer to, with its original pointer.
    fn resolved(&self, node: &'a Value, origin: &str) -> (&'a Value, String) {
        let (mut node, mut origin) = (node, origin.to_owned());
        // Bounded, because a reference may lead back to itself.
        for _ in 0..16 {
            let target = node.get("$ref").and_then(Value::as_str).and_then(pointer::of_reference);
            let Some((target, next)) = target.and_then(|at| Some((at, self.written.pointer(at)?))) else { break };
            (node, origin) = (next, target.to_owned());
        }
        (node, origin)
    }
}

/// Updates references to the new positions of their targets. A dangling reference is kept unchanged: a later step reports it.
fn redirect_references(written: &Value, converted: &mut Value, moves: &Moves) {
    let mut found: Vec<(String, String)> = Vec::new();
    walk::references(converted, &mut |at, target| found.push((at.to_owned(), target.to_owned())));
    let to: HashMap<&str, &str> = moves.reversed();
    for (at, reference) in found {
        let Some(target) = pointer::of_reference(&reference) else { continue };
        let now = redirected(target, &to);
        let is_there = written.pointer(target).is_some() || target.contains('%');
        if now != target
            && is_there
            && let Some(place) = converted.pointer_mut(&at)
        {
            *place = json!(format!("#{now}"));
        }
    }
}

/// Returns the texts of a list.
fn texts(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Copies the members that have the same name in both versions.
fn copied(from: &Map<String, Value>, is_kept: impl Fn(&str) -> bool) -> Map<String, Value> {
    from.iter().filter(|(key, _)| is_kept(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}
