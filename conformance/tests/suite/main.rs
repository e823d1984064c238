//! The tests of the contract check, in one binary: linking takes longer than running.

mod cli;
mod common;
mod contracts;
mod coverage;
mod keys;
mod live;
mod mock_tool;
mod mutants;
mod snapshots;
