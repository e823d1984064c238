//! The tests of the contract check, in one binary: linking takes longer than running.

mod adapters;
mod carriers;
mod cli;
mod common;
mod contracts;
mod coverage;
mod harm;
mod keys;
mod live;
mod live_server;
mod mock_requests;
mod mock_tool;
mod mutant_table;
mod mutants;
mod odd_servers;
mod planted;
mod reports;
mod shapes;
mod snapshots;
mod spec;
mod spec_diff;
mod spec_refresh;

#[path = "../planted/mod.rs"]
mod service;
