//! The path of every call of every API: the transport with its attempt loop, the settings of a client and of a call, and the
//! response. It knows an API only by its operation table.

pub mod batch;
pub mod batch_writer;
mod brackets;
mod byte_stream;
mod call_options;
#[cfg(all(any(test, feature = "testing"), not(target_family = "wasm")))]
mod cassette;
mod config;
mod connect;
pub(crate) mod dispatch;
mod dynamic;
pub(crate) mod form;
pub mod hook;
mod idempotency;
mod list;
pub(crate) mod list_style;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod made;
#[cfg(feature = "opentelemetry")]
pub mod metrics;
pub mod observer;
pub mod pagination;
mod patch;
pub(crate) mod path_argument;
mod poll;
pub(crate) mod query;
mod raw;
mod request_builder;
mod response;
mod retry;
#[cfg(not(target_family = "wasm"))]
mod save;
pub(crate) mod stream;
pub(crate) mod transport;
pub(crate) mod upload;
#[cfg(not(target_family = "wasm"))]
mod upload_file;

pub use byte_stream::ByteStream;
pub use call_options::CallOptions;
#[cfg(all(any(test, feature = "testing"), not(target_family = "wasm")))]
pub use cassette::Cassette;
pub use config::Config;
pub use connect::Connect;
pub use dynamic::{DynamicCall, DynamicClient};
pub use form::FilePart;
pub use idempotency::new_idempotency_key;
pub use list::List;
pub use list_style::ListStyle;
pub use patch::Patch;
pub use path_argument::{InvalidPathArgument, PathArgument};
pub use poll::Poll;
pub use raw::RawRequest;
pub use request_builder::{RequestBuilder, Requests};
pub use response::Response;
pub use retry::RetryPolicy;
pub use stream::{Event, EventStream, JsonLines};
pub use transport::stop::Stop;
pub use upload::Upload;
