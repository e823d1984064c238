//! The kinds of nodes of a document, as far as references can occur in them.

use serde_json::Value;

use crate::pointer;

/// The kind of a node.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum NodeKind {
    Other,
    /// Values of the API, which contain no references.
    Data,
    Schema,
    Schemas,
    Discriminator,
    /// Values of a discriminator, each with the name of a schema or a reference.
    Mapping,
    Parameter,
    Parameters,
    Response,
    Responses,
    Header,
    Headers,
    Body,
    Bodies,
    Example,
    Examples,
    Link,
    Links,
    Callback,
    Callbacks,
}

impl NodeKind {
    /// Returns the kind of the node under a key.
    pub(super) fn below(self, key: &str) -> Self {
        match self {
            Self::Data => Self::Data,
            _ if self.element() != self => self.element(),
            _ if key.starts_with("x-") => Self::Data,
            Self::Schema => match key {
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" | "allOf"
                | "anyOf" | "oneOf" | "prefixItems" => Self::Schemas,
                "example" | "examples" | "default" | "enum" | "const" | "required" => Self::Data,
                "discriminator" => Self::Discriminator,
                _ => Self::Schema,
            },
            Self::Discriminator if key == "mapping" => Self::Mapping,
            Self::Discriminator | Self::Mapping => Self::Data,
            _ => match key {
                "schema" | "itemSchema" => Self::Schema,
                "schemas" | "definitions" => Self::Schemas,
                "parameters" => Self::Parameters,
                "responses" => Self::Responses,
                "requestBody" => Self::Body,
                "requestBodies" => Self::Bodies,
                "headers" => Self::Headers,
                "examples" => Self::Examples,
                "links" => Self::Links,
                "callbacks" => Self::Callbacks,
                "example" | "value" | "scopes" | "security" => Self::Data,
                _ => Self::Other,
            },
        }
    }

    /// Returns the kind of the entries of a list or map; the kind itself if it is not one.
    pub(super) fn element(self) -> Self {
        match self {
            Self::Schemas => Self::Schema,
            Self::Parameters => Self::Parameter,
            Self::Responses => Self::Response,
            Self::Headers => Self::Header,
            Self::Bodies => Self::Body,
            Self::Examples => Self::Example,
            Self::Links => Self::Link,
            Self::Callbacks => Self::Callback,
            other => other,
        }
    }

    /// Returns the section for named parts of the kind.
    pub(super) fn section(self, is_swagger: bool) -> Option<&'static str> {
        match (self, is_swagger) {
            (Self::Schema, true) => Some("/definitions"),
            (Self::Parameter, true) => Some("/parameters"),
            (Self::Response, true) => Some("/responses"),
            (Self::Schema, false) => Some("/components/schemas"),
            (Self::Parameter, false) => Some("/components/parameters"),
            (Self::Response, false) => Some("/components/responses"),
            (Self::Header, false) => Some("/components/headers"),
            (Self::Body, false) => Some("/components/requestBodies"),
            (Self::Example, false) => Some("/components/examples"),
            (Self::Link, false) => Some("/components/links"),
            (Self::Callback, false) => Some("/components/callbacks"),
            _ => None,
        }
    }
}

/// The file name extensions of documents.
pub(super) const ENDINGS: [&str; 3] = [".yaml", ".yml", ".json"];

/// Returns whether a value of a mapping is a reference: the name of a schema may contain a dot as well.
pub(super) fn is_reference(text: &str) -> bool {
    text.contains(['/', '#']) || ENDINGS.iter().any(|end| text.ends_with(end))
}

/// Calls `found` with the pointer, target and kind of every `$ref` of a node and of every reference of a mapping.
pub(super) fn references(node: &Value, kind: NodeKind, at: &str, found: &mut dyn FnMut(String, &str, NodeKind)) {
    if kind == NodeKind::Data {
        return;
    }
    if let Some(target) = node.get("$ref").and_then(Value::as_str) {
        found(pointer::join(at, "$ref"), target, kind);
    }
    match node {
        Value::Object(object) if kind == NodeKind::Mapping => {
            let texts = object.iter().filter_map(|(key, target)| Some((key, target.as_str()?)));
            let targets = texts.filter(|(_, target)| is_reference(target));
            targets.for_each(|(key, target)| found(pointer::join(at, key), target, NodeKind::Mapping));
        }
        Value::Object(object) => {
            object.iter().for_each(|(key, inner)| references(inner, kind.below(key), &pointer::join(at, key), found));
        }
        Value::Array(list) => {
            let entries = list.iter().enumerate();
            entries.for_each(|(index, inner)| references(inner, kind.element(), &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}
