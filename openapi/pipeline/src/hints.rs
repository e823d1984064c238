//! The key `x-keyfit`. In a published document it is ignored: the caller decides in an overlay which calls may be retried,
//! what they need and what they cost. A server's document could otherwise declare a DELETE as a read. In an overlay, the
//! hints of schemas are read here.

use serde::Deserialize;
use serde_json::Value;

use crate::load::LocatedDocument;
use crate::repair::Repairs;
use crate::{Error, pointer, walk};

/// The extension key under which an overlay gives hints that OpenAPI has no keyword for.
const KEY: &str = "x-keyfit";

/// The rule of the repairs that record an ignored hint.
pub(crate) const RULE: &str = "published-hints";

/// The hints of an overlay for a schema of the components.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct SchemaHints {
    /// The member that holds a list. The schema is read as this list, with or without the member.
    pub(crate) list: Option<String>,
    /// The Rust type that replaces the schema: `::money::Amount`.
    #[serde(rename = "type")]
    pub(crate) rust_type: Option<String>,
}

impl SchemaHints {
    /// Returns the hints of a schema that [`check_schemas`] has accepted.
    pub(crate) fn of(schema: &Value) -> Self {
        schema.get(KEY).and_then(|keys| Self::deserialize(keys).ok()).unwrap_or_default()
    }

    /// Returns the problem of the hints and its remedy.
    fn problem(keys: &Value) -> Option<(String, &'static str)> {
        let hints = match Self::deserialize(keys) {
            Ok(hints) => hints,
            Err(error) => return Some((error.to_string(), "see the table of keys in openapi/README.md")),
        };
        let rust_type = hints.rust_type?;
        if hints.list.is_some() {
            return Some(("`list` and `type` both say what stands for it".to_owned(), "keep one of them"));
        }
        let starts = rust_type.starts_with("::") || rust_type.starts_with("crate::");
        let is_path = matches!(syn::parse_str(&rust_type), Ok(syn::Type::Path(kind)) if kind.qself.is_none());
        if starts && is_path {
            return None;
        }
        let problem = format!("type: `{rust_type}` is not the full path of a type");
        Some((
            problem,
            "begin it with `::` and the name of a crate, or with `crate::`: generated code stands in a module of its own",
        ))
    }
}

/// Returns an error for hints of a schema that are not valid.
pub(crate) fn check_schemas(located: &LocatedDocument, document: &Value) -> Result<(), Error> {
    for (at, schema) in walk::members(document, "/components/schemas") {
        if let Some((problem, help)) = schema.get(KEY).and_then(SchemaHints::problem) {
            return Err(located.error_at(&pointer::join(&at, KEY), format!("{KEY}: {problem}"), help));
        }
    }
    Ok(())
}

/// Removes every `x-keyfit` from a document as published, and records each.
pub(crate) fn remove_from_published(document: &mut Value, repairs: &mut Repairs) {
    visit(document, "", false, repairs);
}

/// Visits a node. Where keys are names that the author chose (`properties`, `headers`), `x-keyfit` is such a name and not a
/// hint.
fn visit(node: &mut Value, at: &str, keys_are_names: bool, repairs: &mut Repairs) {
    match node {
        Value::Object(members) => {
            if !keys_are_names && members.remove(KEY).is_some() {
                let ignored = "ignored: what the server's own document says under `x-keyfit` does not count; write it into overlay.yaml";
                repairs.note(RULE, &pointer::join(at, KEY), ignored);
            }
            for (key, member) in members {
                let names_follow = !keys_are_names && matches!(key.as_str(), "properties" | "headers");
                visit(member, &pointer::join(at, key), names_follow, repairs);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                visit(item, &format!("{at}/{index}"), false, repairs);
            }
        }
        _ => {}
    }
}
