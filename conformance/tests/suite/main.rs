//! The tests of the contract check, in one binary: linking takes longer than running.

mod adapters;
mod call;
mod calls;
mod carriers;
mod cases;
mod charges;
mod cli;
mod common;
mod conditions;
mod contracts;
mod coverage;
mod directions;
mod ended;
mod flows;
mod forms;
mod gates;
mod generate;
mod harm;
mod held;
mod hostile;
mod items;
mod keys;
mod live;
mod live_hostile;
mod live_ids;
mod live_server;
mod logins;
mod manners;
mod matrix;
mod mock_requests;
mod mock_tool;
mod mutant_table;
mod mutants;
mod mutual_tls;
mod odd_servers;
mod overloads;
mod planted;
mod planted_rights;
mod profiles;
mod relay;
mod reports;
mod revocation;
mod secrets;
mod seen_limits;
mod shapes;
mod snapshots;
mod spec;
mod spec_bundle;
mod spec_diff;
mod spec_refresh;
mod streams;
mod token_tls;
mod webhooks;
mod wild;
mod xsrf;

#[path = "../../../tests/streams/client.rs"]
mod depot;
#[path = "../../../tests/encodings/mod.rs"]
mod encodings;
#[path = "../../../tests/forms/client.rs"]
mod forms_client;
#[path = "../../../tests/locks/mod.rs"]
mod locks;
#[path = "../../../tests/calls/client.rs"]
mod press;
#[path = "../../../tests/encodings/random.rs"]
mod random;
#[path = "../planted/rights.rs"]
mod rights_service;
#[path = "../planted/mod.rs"]
mod service;
#[path = "../../../tests/tls/mod.rs"]
mod tls;
