//! The tests of the contract check, in one binary: linking takes longer than running.

mod common;
mod contracts;
mod mutants;
mod snapshots;
