//! The outermost schemas of the client document: those of components and of calls. Every pass over schemas uses this traversal,
//! which gives the pointer, the side and the name of each.

use std::collections::BTreeSet;

use serde_json::Value;

use super::streams;
use crate::{name, pointer, walk};

/// The direction in which the values of a schema are sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    /// Clients send the values; of a component, they may receive them as well.
    Request,
    /// Clients only receive the values.
    Response,
}

/// The place of an outermost schema.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The JSON pointer in the client document.
    pub(crate) pointer: String,
    /// The name of the component; `None` for a schema of a call.
    pub(crate) component: Option<String>,
}

/// The parts of a call with schemas, each with the suffix of the names of its schemas.
const PARTS: [(&str, &str); 3] = [("/responses/", "Answer"), ("/requestBody/", "Body"), ("/parameters/", "Argument")];

impl Site {
    pub(crate) fn new(pointer: String) -> Self {
        let component = pointer.strip_prefix("/components/schemas/").map(pointer::name);
        Self { pointer, component }
    }

    /// Returns the side, given the names of the components that requests use.
    pub(crate) fn side(&self, requests: &BTreeSet<String>) -> Side {
        let is_request = match &self.component {
            Some(name) => requests.contains(name),
            None => !self.pointer.contains("/responses/"),
        };
        if is_request { Side::Request } else { Side::Response }
    }

    /// Returns the name: that of the component, or one made from the call and its part.
    pub(crate) fn name(&self, document: &Value) -> String {
        self.component.clone().unwrap_or_else(|| {
            let suffix = self.part().map_or("", |(_, suffix)| suffix);
            format!("{}{suffix}", self.operation_name(document))
        })
    }

    /// Returns the Rust name of the operation whose call has the schema; empty for a component.
    pub(crate) fn operation_name(&self, document: &Value) -> String {
        let call = self.part().and_then(|(call, _)| document.pointer(call));
        name::of_type(call.and_then(|call| call["operationId"].as_str()).unwrap_or_default())
    }

    /// Returns the pointer of the call, and the suffix for the part of the call that has the schema.
    fn part(&self) -> Option<(&str, &'static str)> {
        PARTS.iter().find_map(|(part, suffix)| Some((self.pointer.split_once(part)?.0, *suffix)))
    }
}

/// Returns the pointers of the outermost schemas: components, parameters, bodies and responses.
pub(crate) fn schema_pointers(document: &Value) -> Vec<String> {
    let mut found: Vec<String> = walk::members(document, "/components/schemas").into_iter().map(|(at, _)| at).collect();
    for (at, call) in walk::operations(document) {
        let count = call["parameters"].as_array().map_or(0, Vec::len);
        found.extend((0..count).map(|index| format!("{at}/parameters/{index}/schema")));
        for holder in ["requestBody", "responses/2XX", &format!("responses/{}", streams::ITEM_STATUS)] {
            let media = walk::members(document, &format!("{at}/{holder}/content"));
            let with_schema = media.into_iter().filter(|(_, media)| media.get("schema").is_some());
            found.extend(with_schema.map(|(at, _)| pointer::join(&at, "schema")));
        }
    }
    found
}

/// Returns the places of the outermost schemas.
pub(crate) fn sites(document: &Value) -> impl Iterator<Item = Site> + use<> {
    schema_pointers(document).into_iter().map(Site::new)
}

/// Calls `change` with each outermost schema, and with the document, which lacks the schema meanwhile.
pub(crate) fn for_each_schema(document: &mut Value, mut change: impl FnMut(&Value, &Site, &mut Value)) {
    for site in sites(document) {
        let Some(mut schema) = document.pointer_mut(&site.pointer).map(Value::take) else { continue };
        change(document, &site, &mut schema);
        if let Some(place) = document.pointer_mut(&site.pointer) {
            *place = schema;
        }
    }
}
