//! The changes between two versions of an OpenAPI document, with the party that each breaks and the reason. Changes of
//! credentials, scopes and errors count as much as changes of requests and responses.
//!
//! Documents are compared by meaning: `$ref`s are followed, `allOf` is merged, order and descriptions do not count.
//! The rules are a table, [`rules::all`]; each finding names its rule.
//!
//! ```
//! use keyfit_openapi::{Text, diff};
//!
//! let document = |security: &str| {
//!     let text = format!("openapi: 3.0.3\npaths: {{/pets: {{get: {{security: {security}, responses: {{}}}}}}}}");
//!     diff::Document::read(&Text::new("pets.yaml", text))
//! };
//! let findings = diff::diff(&document("[]")?, &document("[{login: [read]}]")?);
//! assert_eq!(findings[0].rule.id, "security-login-required");
//! assert_eq!(findings[0].rule.level, diff::Level::Breaking);
//! # Ok::<(), keyfit_openapi::Error>(())
//! ```

mod bodies;
mod bounds;
mod comparison;
mod discriminators;
mod document;
mod encodings;
pub mod example;
mod finding;
mod flat_schema;
mod hints;
mod members;
mod node;
pub mod oasdiff;
mod operation;
mod operations;
mod parameters;
mod requirements;
mod responses;
pub mod rules;
mod rust_item;
mod schema;
mod schema_set;
mod schemes;
mod security;
mod servers;
mod similarity;
mod tuples;
mod types;
mod unchanged;
mod values;
mod variants;

pub use document::Document;
pub use finding::{Finding, OperationRef};
pub use node::Revision;
pub use rules::{Group, Level, Party, Rule};

use self::comparison::Comparison;

/// Returns all changes, the most severe first, and equally severe ones in the order of the documents.
///
/// It never fails. Parts of a document that are not valid OpenAPI count as absent. A reference that changed and cannot be
/// followed is a finding, and so is a document that is too entangled to be compared as a whole.
pub fn diff(old: &Document, new: &Document) -> Vec<Finding> {
    let mut comparison = Comparison::new(old, new);
    let pairs = operations::compare(&mut comparison, old, new);
    schemes::compare(&mut comparison, &pairs, old, new);
    security::compare(&mut comparison, &pairs, old, new);
    servers::compare(&mut comparison, &pairs, old, new);
    while let Some(pair) = comparison.next_pair() {
        schema::compare_resolved(&mut comparison, pair.rules, &pair.old, &pair.new, &pair.rust_item);
    }
    comparison.findings(old, new)
}
