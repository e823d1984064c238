//! The typed clients against a scripted server.

mod attempts;
mod bulk_sms;
mod cassette;
mod census;
mod error_bodies;
mod flows;
mod granted_scopes;
mod hostile;
mod http_client;
mod leaks;
mod limits;
mod matrix;
mod mutual_tls;
mod opening;
mod pagination;
mod rotation;
mod safety;
mod support;

#[path = "../encodings/mod.rs"]
mod encodings;
#[path = "../locks/mod.rs"]
mod locks;
#[path = "../tls/mod.rs"]
mod tls;
