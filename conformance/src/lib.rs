//! The contract check of keyfit. Each API has one `contract.toml`; the catalogue expands its rules by the operations of the API's document
//! into cases. Server-side cases send raw HTTP to a mock or a live server and judge the answer. Client-side cases connect the generated
//! client to a scripted server and judge its requests and reports. The crate also contains the other functions of the command `keyfit`:
//! mocks, reports, generated files, and [calls](call) without a generated client.

pub mod apis;
mod balance;
pub mod baseline;
mod basic;
mod bent;
mod body;
pub mod call;
mod carrier;
pub mod catalogue;
mod cause;
mod chain;
mod check;
mod clock;
pub mod comparison;
mod conditional;
pub mod contract;
mod control;
mod documented;
pub mod drive;
pub mod explain;
pub mod fetched;
pub mod file;
mod form;
pub mod generate;
mod glob;
pub mod identity;
pub mod ids;
pub mod init;
mod items;
mod jws;
mod markdown;
pub mod missing;
pub mod mock;
mod nobody;
mod one_way;
pub mod origin;
mod parameter;
mod pointer;
mod presumption;
pub mod probe;
pub mod profile;
mod quoting;
mod reference;
pub mod report;
pub mod run;
pub mod secret;
mod segment;
pub mod server;
pub mod spec_diff;
mod standing;
pub mod tokens;
mod user_error;
pub mod verdict;
mod webhook;
mod words;

pub use check::{Check, Findings, check};
pub use user_error::UserError;
