//! The typed clients against a scripted server.

mod attempts;
mod bulk_sms;
mod census;
mod error_bodies;
mod flows;
mod granted_scopes;
mod hostile;
mod leaks;
mod limits;
mod locks;
mod matrix;
mod mutual_tls;
mod opening;
mod pagination;
mod rotation;
mod safety;
mod support;

#[path = "../encodings/mod.rs"]
mod encodings;
#[path = "../tls/mod.rs"]
mod tls;
