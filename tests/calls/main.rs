//! What a call is told and what it tells beside its value: idempotency keys, conditions, bodies of errors by status, and work that takes
//! long, by the client that is generated from `openapi.yaml`.
//!
//! `keyfit generate tests/calls --name press --out tests/calls/client.rs` writes the client; the `keyfit.lock` that it leaves is not
//! kept.

mod client;
mod conditions;
mod errors;
mod idempotency;
mod polling;
mod server;

use std::time::{Duration, UNIX_EPOCH};

use keyfit::Config;
use keyfit::testing::TestClock;

use client::{Client, Key};
use server::Server;

/// A configuration in which no wait takes time.
fn config(server: &Server) -> Config {
    let clock = TestClock::at(UNIX_EPOCH + Duration::from_secs(1_900_000_000));
    Config::default().base_url(server.url()).clock(clock)
}

fn key() -> Key {
    Key::new("fixture-token-0001").expect("a key") // not-a-secret
}

fn client(server: &Server) -> Client {
    Client::with_config(key(), config(server)).expect("a client")
}
