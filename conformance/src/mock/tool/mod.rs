//! The mock as a tool: with an admin, for manual experiments with a client and for tests in Rust.

pub(super) mod admin;
mod controlled;
mod error;
pub(super) mod faults;

pub use admin::{AdminHost, IssuedToken, Request, Scopes, TokenRequest, Which};
pub use controlled::{Controlled, OAuthClient, Options, shipped};
pub use error::MockError;
pub use faults::{Fault, FaultRule};
