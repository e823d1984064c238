//! The services, with what a tool is told of each.

use std::net::SocketAddr;
use std::pin::Pin;

use crate::{rights_service, service};
use service::Log;

/// A service that starts: its address, and what counts its requests.
pub(crate) type Starting = Pin<Box<dyn Future<Output = (SocketAddr, Log)>>>;

/// A service, and what belongs to it.
pub(crate) struct Service {
    pub(crate) name: &'static str,
    /// The folder of its API, with the contract that was written for it.
    pub(crate) folder: &'static str,
    pub(crate) defects: Vec<String>,
    /// Starts it with the defect of that number, or with none.
    pub(crate) start: fn(Option<usize>) -> Starting,
    /// The variables with its keys, each with the same beginning.
    pub(crate) environment: fn() -> Vec<(String, String)>,
    pub(crate) tokens_file: fn() -> String,
    /// Keys that are of no use.
    pub(crate) dead: &'static [&'static str],
    /// Keys of users who own what the other does not.
    pub(crate) peers: &'static [&'static str],
    /// Cases that wait for a window of the limit to end.
    pub(crate) waits: &'static [&'static str],
    /// The suite that was written by hand.
    pub(crate) hurl: &'static str,
}

pub(crate) fn all() -> [Service; 2] {
    [
        Service {
            name: "shop",
            folder: "tests/fixtures/apis/shop",
            defects: service::Defect::ALL.iter().map(ToString::to_string).collect(),
            start: |defect| Box::pin(service::serve(defect.map(|number| service::Defect::ALL[number]))),
            environment: service::environment,
            tokens_file: service::tokens_file,
            dead: &["SHOP_REVOKED", "SHOP_EXPIRED"],
            peers: &[],
            waits: &["shop/rate/exhausted/*", "shop/rate/recovered/*"],
            hurl: "benches/planted/shop.hurl",
        },
        Service {
            name: "rights",
            folder: "tests/fixtures/apis/rights",
            defects: rights_service::Defect::ALL.iter().map(|defect| format!("{defect:?}")).collect(),
            start: |defect| Box::pin(rights_service::serve(defect.map(|number| rights_service::Defect::ALL[number]))),
            environment: rights_service::environment,
            tokens_file: rights_service::tokens_file,
            dead: &[],
            peers: &["RIGHTS_OWNER", "RIGHTS_NEIGHBOUR"],
            waits: &[],
            hurl: "benches/planted/rights.hurl",
        },
    ]
}
