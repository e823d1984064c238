//! What has changed between two versions of an OpenAPI document, whom it breaks and why. Changes of logins, scopes and
//! errors count as much as those of requests and answers.
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
//! # Ok::<(), keyfit_openapi::Failure>(())
//! ```

mod alternatives;
mod bodies;
mod bounds;
mod comparison;
mod discriminators;
mod document;
mod encodings;
pub mod example;
mod finding;
mod flat;
mod hints;
mod joint;
mod likeness;
mod members;
mod node;
pub mod oasdiff;
mod operation;
mod operations;
mod parameters;
mod responses;
pub mod rules;
mod schema;
mod schemes;
mod security;
mod servers;
mod spot;
mod tuples;
mod types;
mod unchanged;
mod values;
mod variants;

pub use document::Document;
pub use finding::{Finding, OperationRef};
pub use node::Revision;
pub use rules::{Breaks, Group, Level, Rule};

use self::comparison::Comparison;

/// Everything that has changed, the gravest first, and what is equally grave in the order of the documents.
///
/// It never fails: parts of a document that are not as OpenAPI says count as absent, a reference that cannot be followed
/// is a finding where it changed, and so is a document that is too entangled to be compared whole.
pub fn diff(old: &Document, new: &Document) -> Vec<Finding> {
    let mut comparison = Comparison::new(old, new);
    let pairs = operations::compare(&mut comparison, old, new);
    schemes::compare(&mut comparison, &pairs, old, new);
    security::compare(&mut comparison, &pairs, old, new);
    servers::compare(&mut comparison, &pairs, old, new);
    comparison.finish(old, new)
}
