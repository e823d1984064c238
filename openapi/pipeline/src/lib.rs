//! The document pipeline of keyfit: loads an OpenAPI document, applies its overlay, repairs and lints it, builds the
//! operation table, and generates a typed client with [progenitor](https://docs.rs/progenitor).
//!
//! A build script calls [`build::client`]; the contract check calls [`Api::read`]. Both see the same operations.
//!
//! ```no_run
//! let source = keyfit_openapi::Source::from_dir("apis/pets".as_ref())?;
//! let api = keyfit_openapi::Api::read(&source)?;
//! for operation in &api.operations {
//!     println!("{} {} {}", operation.id, operation.method, operation.path);
//! }
//! # Ok::<(), keyfit_openapi::Error>(())
//! ```

mod anchors;
mod api;
mod batching;
mod body_members;
pub mod build;
mod contract;
pub mod diff;
mod error;
pub mod example;
mod explain;
mod file;
mod files;
mod flow;
mod form;
mod format;
mod generate;
mod glob;
mod hint_error;
mod hints;
pub mod idempotency;
mod lint;
mod load;
mod media;
mod media_type;
mod moves;
mod name;
mod normalize;
mod operation;
mod operation_table;
mod overlay;
mod overlay_target;
mod pagination;
mod parse;
mod partial;
mod path_key;
mod pattern;
mod pattern_cost;
mod plain;
mod pointer;
mod positions;
mod remarks;
mod repair;
pub mod schema;
mod schemes;
mod security;
mod select;
mod source;
mod streams;
mod suggestions;
mod template;
mod vendor_scopes;
mod versions;
pub mod violation;
mod walk;
mod webhook;
mod yaml;

pub use api::Api;
pub use batching::{Batching, one_or_several};
pub use contract::{Carrier, ErrorEnvelope, Facts, RateLimitNames};
pub use error::{Error, SourceLocation};
pub use explain::{Change, Step};
pub use file::{MAX_FILE_SIZE, read_file, read_text, read_to_limit};
pub use files::without_secrets;
pub use form::FormMember;
pub use generate::{
    AcceptedToken, Dispatch, GenerateOptions, Generated, accepted_tokens, base_url_variable, generate, generate_with,
};
pub use glob::matches_pattern;
pub use media::BodyFormat;
pub use media_type::{Framing, essence, framing};
pub use name::{is_identifier, module as module_name};
pub use normalize::Unsupported;
pub use normalize::base_urls::BaseUrl;
pub use operation::{Body, ListStyle, Operation, Parameter, ParameterLocation, ResponseShape, Retry};
pub use pagination::{NextPage, PageArgument, Pagination, PaginationGuess};
pub use partial::{BatchGuess, Partial};
pub use plain::plain;
pub use repair::{Repair, Repairs};
pub use schemes::{Flow, FlowKind, SchemeProblem, SecurityScheme, UndeclaredScheme};
pub use security::SecurityRequirement;
pub use source::{Source, Text};
pub use streams::{StreamedBody, StreamedResponse};
pub use suggestions::{did_you_mean, similar_names};
pub use template::{is_same as is_same_template, without_parameter_names};
pub use vendor_scopes::vendor_scopes;
pub use webhook::Webhook;
