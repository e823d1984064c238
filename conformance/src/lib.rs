//! The contract check of keyfit. Each API has one `contract.toml`; the catalogue expands its rules by the operations of the API's document
//! into cases. Server-side cases send raw HTTP to a mock or a live server and judge the answer. Client-side cases connect the generated
//! client to a scripted server and judge its requests and reports. The crate also contains the other functions of the command `keyfit`:
//! mocks, reports, generated files, and [calls](call) without a generated client.

pub mod apis;
pub mod baseline;
pub mod call;
pub mod catalogue;
mod cause;
mod check;
mod clock;
pub mod contract;
pub mod credential;
mod document;
pub mod drive;
pub mod file;
pub mod generate;
pub mod init;
pub mod judgement;
pub mod mock;
pub mod origin;
pub mod probe;
pub mod report;
pub mod run;
pub mod server;
pub mod spec_diff;
mod text;
pub mod tokens;
mod user_error;
mod webhook;

pub use check::{Check, Findings, check};
pub use user_error::UserError;
