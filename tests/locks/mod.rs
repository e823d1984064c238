//! An API in which each scheme stands alone, as one of two alternatives, with another one at once, and where a call may do without:
//! its document, the client that is generated from it, and what the document allows. Clients, check and mock are held to this.

mod client;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use keyfit::auth::ClientCertificate;
use keyfit::dispatch::Dispatch as _;
use keyfit::{Config, ErrorKind};
use keyfit_openapi::{Api, SecurityRequirement, Source, Text};
use serde_json::Map;

pub(crate) use self::client::*;
use crate::tls::{Authority, Issued};

/// A scheme: its name, the place in a request, and what stands there before the credential.
pub(crate) struct Scheme {
    pub(crate) name: &'static str,
    pub(crate) place: &'static str,
    pub(crate) before: &'static str,
}

/// What a client certificate satisfies, which no request carries.
pub(crate) const MACHINE: &str = "machine";

pub(crate) const SCHEMES: [Scheme; 7] = [
    scheme("bearer", "authorization", "Bearer "),
    scheme("login", "authorization", "Basic "),
    scheme("bot", "authorization", "Bot "),
    scheme("header-key", "x-key", ""),
    scheme("cookie-key", "cookie", "sid="),
    scheme("query-key", "query", "key="),
    scheme("service", "authorization", "Bearer "),
];

const fn scheme(name: &'static str, place: &'static str, before: &'static str) -> Scheme {
    Scheme { name, place, before }
}

/// What stands in a request, place by place: the headers that not every request has, and the query.
pub(crate) type Parts = Vec<(String, String)>;

/// The credential of each scheme.
pub(crate) type Secrets = BTreeMap<&'static str, String>;

/// What a client was seen to do.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) requests: usize,
    pub(crate) refused: usize,
    pub(crate) searched: usize,
}

impl Scheme {
    /// A credential as it travels.
    pub(crate) fn encoded(&self, secret: &str) -> String {
        if self.before == "Basic " { BASE64_STANDARD.encode(secret) } else { secret.to_owned() }
    }

    /// What stands in a request that carries a credential.
    pub(crate) fn sent(&self, secret: &str) -> (String, String) {
        (self.place.to_owned(), format!("{}{}", self.before, self.encoded(secret)))
    }

    /// What no text may hold of a credential: the whole, as it travels, and the password alone.
    pub(crate) fn secrets(&self, secret: &str) -> Vec<String> {
        let password = secret.split_once(':').map(|(_, password)| password.to_owned());
        [Some(secret.to_owned()), Some(self.encoded(secret)), password].into_iter().flatten().collect()
    }
}

pub(crate) fn source() -> Source {
    let document = Text::new("openapi.yaml", include_str!("openapi.yaml"));
    Source { name: "locks".to_owned(), document, overlay: None, contract: None }
}

/// The parts of a request without their order, each place once.
pub(crate) fn sorted(mut parts: Parts) -> Parts {
    parts.sort();
    parts
}

/// What the document allows a client with these schemes: the alternatives that it holds, of which the largest are right, and of these
/// the first.
fn allowed(needed: &SecurityRequirement, held: &BTreeSet<&str>) -> Option<Vec<&'static Scheme>> {
    let SecurityRequirement::OneOf { sets, is_optional } = needed else { panic!("the document says it of all") };
    let carried = |set: &[String]| -> Option<Vec<&'static Scheme>> {
        let is_held = set.iter().all(|name| held.contains(name.as_str()));
        let schemes: Vec<_> = SCHEMES.iter().filter(|scheme| set.iter().any(|name| name == scheme.name)).collect();
        let places: BTreeSet<&str> = schemes.iter().map(|scheme| scheme.place).collect();
        (is_held && places.len() == schemes.len()).then_some(schemes)
    };
    let mut open: Vec<&Vec<String>> = sets.iter().filter(|set| carried(set).is_some()).collect();
    open.sort_by_key(|set| usize::MAX - set.len());
    open.first().and_then(|set| carried(set)).or(is_optional.then(Vec::new))
}

/// Nothing, each scheme, every two, and all.
fn holdings() -> Vec<BTreeSet<&'static str>> {
    let names: Vec<&str> = SCHEMES.iter().map(|scheme| scheme.name).chain([MACHINE]).collect();
    let pairs = names.iter().flat_map(|one| names.iter().map(move |two| BTreeSet::from([*one, *two])));
    let mut all: BTreeSet<BTreeSet<&str>> = pairs.collect();
    all.extend([BTreeSet::new(), names.iter().copied().collect()]);
    all.into_iter().collect()
}

/// A client that holds the credentials of these schemes.
fn holding(base_url: &str, held: &BTreeSet<&str>, secrets: &Secrets) -> Client {
    let text = |name: &str| secrets.get(name).filter(|_| held.contains(name)).cloned();
    macro_rules! token {
        ($kind:ident, $name:literal) => {
            text($name).map(|text| $kind::new(text).expect("a token"))
        };
    }
    let tokens = (
        (token!(BearerToken, "bearer"), token!(LoginToken, "login"), token!(BotToken, "bot")),
        (token!(HeaderKey, "header-key"), token!(CookieKey, "cookie-key"), token!(QueryKey, "query-key")),
        token!(ServiceToken, "service"),
    );
    let config = Config::default().base_url(base_url).allow_query_keys();
    let config = if held.contains(MACHINE) { config.client_certificate(certificate()) } else { config };
    Client::with_config(tokens, config).expect("a client")
}

/// A client certificate of an authority that nobody asks.
fn certificate() -> ClientCertificate {
    static ISSUED: LazyLock<Issued> = LazyLock::new(|| Authority::new("nobody").issue("client", &[]));
    ClientCertificate::new(&ISSUED.certificate_pem(), ISSUED.key_pem()).expect("a certificate")
}

/// Calls every operation by clients that hold nothing, each scheme, every two, and all of them. Each request is compared with what the
/// document allows, and searched for every other secret; what it does not allow is refused before it is sent. `taken` has the requests
/// since it was last asked; `opens` says of what an operation takes and what the request carries whether the server serves it.
pub(crate) async fn each_request_is_one_that_the_document_allows(
    base_url: &str,
    secrets: &Secrets,
    taken: impl Fn() -> Vec<Parts>,
    opens: impl Fn(&SecurityRequirement, &[&Scheme]) -> bool,
) -> Counts {
    let api = Api::read(&source()).expect("an API");
    let mut counts = Counts::default();
    let hides = |text: &str, other: &Scheme| {
        let all = other.secrets(&secrets[other.name]);
        assert!(all.iter().all(|secret| !text.contains(secret)), "{}: {text}", other.name);
        all.len()
    };
    for held in holdings() {
        let client = holding(base_url, &held, secrets);
        for operation in &api.operations {
            let (id, needed) = (&operation.id, &*operation.security);
            let answer = client.call(id, &Map::new()).await;
            let (mut requests, expected) = (taken(), allowed(needed, &held));
            let parts = |carried: &Vec<&Scheme>| carried.iter().map(|one| one.sent(&secrets[one.name])).collect();
            let expected_parts: Option<Parts> = expected.as_ref().map(parts);
            assert!(requests.len() <= 1, "no call is sent twice: {id} {held:?}");
            let request = requests.pop().map(sorted);
            assert_eq!(request, expected_parts.map(sorted), "{id} {held:?}");
            let Some(carried) = expected else {
                counts.refused += 1;
                let error = answer.expect_err("not opened");
                assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::Credential, false), "{id} {held:?}");
                let (text, debugged) = (error.to_string(), format!("{error:?}"));
                assert!(needed.kinds().all(|name| text.contains(&format!("`{name}`"))), "{text}");
                for scheme in &SCHEMES {
                    counts.searched += hides(&text, scheme) + hides(&debugged, scheme);
                }
                continue;
            };
            counts.requests += 1;
            let text = format!("{request:?}");
            let is_other = |scheme: &&Scheme| carried.iter().all(|one| one.name != scheme.name);
            for other in SCHEMES.iter().filter(is_other) {
                counts.searched += hides(&text, other);
            }
            assert_eq!(answer.is_ok(), opens(needed, &carried), "{id} {held:?}: {:?}", answer.map(drop));
        }
    }
    counts
}
