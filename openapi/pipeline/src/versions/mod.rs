//! The versions of OpenAPI: a document of any version is converted to 3.0 or 3.1, which later steps support.

mod openapi_32;
mod swagger;

use serde_json::Value;

use crate::load::LocatedDocument;
use crate::moves::Moves;
use crate::normalize::{Unsupported, remove_operation};
use crate::repair::Repairs;
use crate::{Error, walk};

/// An operation that the document's version can describe, but that no request can be made for.
pub(crate) struct UnsendableCall {
    /// The JSON pointer of the operation.
    at: String,
    reason: String,
}

/// The supported versions, for messages.
const SUPPORTED: &str = "Swagger 2.0 or of OpenAPI 3.0, 3.1 or 3.2";

/// The version that a document declares.
#[derive(Clone, Copy)]
enum Version {
    Swagger,
    /// 3.0 or 3.1.
    Read,
    /// 3.2.
    Newer,
}

/// Converts a document to OpenAPI 3.0 or 3.1. Afterwards `located` finds the places of its nodes by their new pointers.
///
/// # Errors
/// Returns an error if the document declares an unsupported version, two versions, or none.
pub(crate) fn convert_document(
    located: &mut LocatedDocument,
    document: &mut Value,
    repairs: &mut Repairs,
) -> Result<Vec<UnsendableCall>, Error> {
    let version = version(located, document)?;
    let (moves, set_aside) = convert(version, document, repairs);
    located.moves = moves;
    Ok(set_aside)
}

/// Converts a document whose version was checked before.
pub(crate) fn converted(mut document: Value) -> Value {
    if let Ok(version) = version_of(&document) {
        convert(version, &mut document, &mut Repairs::default());
    }
    document
}

/// Removes the operations that were set aside.
pub(crate) fn remove(set_aside: Vec<UnsendableCall>, document: &mut Value, repairs: &mut Repairs) -> Vec<Unsupported> {
    set_aside
        .into_iter()
        .map(|UnsendableCall { at, reason }| remove_operation(document, &at, reason, repairs))
        .collect()
}

fn convert(version: Version, document: &mut Value, repairs: &mut Repairs) -> (Moves, Vec<UnsendableCall>) {
    match version {
        Version::Swagger => swagger::convert(document, repairs),
        Version::Newer => openapi_32::convert(document, repairs),
        Version::Read => (Moves::default(), Vec::new()),
    }
}

fn version(located: &LocatedDocument, document: &Value) -> Result<Version, Error> {
    version_of(document).map_err(|(at, problem, help)| located.error_at(at, problem, help))
}

/// Returns the version, or the node at fault, the problem and its remedy.
fn version_of(document: &Value) -> Result<Version, (&'static str, String, String)> {
    if !document.is_object() {
        let help = "an OpenAPI document starts with `openapi: 3.0.3`, or another version".to_owned();
        return Err(("", "the document is not an object".to_owned(), help));
    }
    match (document.get("swagger"), document.get("openapi")) {
        (Some(swagger), Some(openapi)) => {
            let problem = format!(
                "the document is of two versions, Swagger {} and OpenAPI {}",
                scalar_text(swagger),
                scalar_text(openapi)
            );
            Err((
                "/swagger",
                problem,
                "remove one of the keys `swagger` and `openapi`, by hand or by overlay".to_owned(),
            ))
        }
        (Some(swagger), None) => match scalar_text(swagger).as_str() {
            "2.0" | "2" => Ok(Version::Swagger),
            other => Err(unsupported("/swagger", &format!("Swagger {other}"))),
        },
        (None, Some(openapi)) => {
            let text = scalar_text(openapi);
            let is =
                |known: &str| text.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            match () {
                () if is("3.0") || is("3.1") => Ok(Version::Read),
                () if is("3.2") => Ok(Version::Newer),
                () => Err(unsupported("/openapi", &format!("OpenAPI {text}"))),
            }
        }
        (None, None) => {
            let help = "add `openapi: 3.0.3`, or check that this is the document".to_owned();
            Err(("", "the key `openapi` is missing".to_owned(), help))
        }
    }
}

fn unsupported(at: &'static str, version: &str) -> (&'static str, String, String) {
    (at, format!("{version} is not supported"), format!("use a document of {SUPPORTED}, or convert it"))
}

/// Returns a scalar as its author wrote it.
fn scalar_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns whether a key of a path item is a method, in any case.
fn is_method(key: &str) -> bool {
    walk::METHODS.iter().any(|method| key.eq_ignore_ascii_case(method))
}
