//! The mock as a tool: with an admin, for manual experiments with a client and for tests in Rust.

pub(super) mod admin;
mod controlled;
mod error;
pub(super) mod faults;

pub use admin::{AdminHost, IssuedToken, RecordedRequest, Scopes, TokenRequest, TokenSelector};
pub use controlled::{ControlledMock, MockOptions, OAuthClient, shipped};
pub use error::MockError;
pub use faults::{Fault, FaultRule};
