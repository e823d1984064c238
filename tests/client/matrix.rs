//! Every scheme alone, among alternatives, with another one, and where a call may do without, through a generated client that holds
//! every one, every two, and all of them. Each request is compared with what the document allows, and searched for every other
//! secret.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use httpmock::prelude::*;
use keyfit::auth::ClientCertificate;
use keyfit::dispatch::Dispatch as _;
use keyfit::{Config, ErrorKind};
use keyfit_openapi::{Api, Needed, Options, Source, Text, generate_with};
use serde_json::Map;

use crate::locks;
use crate::opening::{Seen, recording};
use crate::tls::{Authority, Issued};

/// A scheme: its name, a credential for it, and what stands in a request that carries it.
struct Scheme {
    name: &'static str,
    secret: &'static str,
    sent: (&'static str, &'static str),
}

const fn scheme(name: &'static str, secret: &'static str, sent: (&'static str, &'static str)) -> Scheme {
    Scheme { name, secret, sent }
}

/// What a client certificate satisfies, which no request carries.
const MACHINE: &str = "machine";

const SCHEMES: [Scheme; 7] = [
    scheme("bearer", "fixture-token-bearer", ("authorization", "Bearer fixture-token-bearer")), // not-a-secret
    scheme("login", "ada:fixture-secret-b", ("authorization", "Basic YWRhOmZpeHR1cmUtc2VjcmV0LWI=")), // not-a-secret
    scheme("bot", "fixture-token-bot", ("authorization", "Bot fixture-token-bot")),             // not-a-secret
    scheme("header-key", "fixture-key-header", ("x-key", "fixture-key-header")),                // not-a-secret
    scheme("cookie-key", "fixture-key-cookie", ("cookie", "sid=fixture-key-cookie")),           // not-a-secret
    scheme("query-key", "fixture-key-query", ("query", "key=fixture-key-query")),               // not-a-secret
    scheme("service", "fixture-token-service", ("authorization", "Bearer fixture-token-service")), // not-a-secret
];

fn source() -> Source {
    let document = Text::new("openapi.yaml", include_str!("locks/openapi.yaml"));
    Source { name: "locks".to_owned(), document, overlay: None, contract: None }
}

/// A client that holds the credentials of these schemes.
fn client(base_url: &str, held: &BTreeSet<&str>) -> locks::Client {
    let text = |name: &str| SCHEMES.iter().find(|scheme| scheme.name == name && held.contains(name)).map(|s| s.secret);
    macro_rules! token {
        ($kind:ident, $name:literal) => {
            text($name).map(|text| locks::$kind::new(text).expect("a token"))
        };
    }
    let tokens = (
        (token!(BearerToken, "bearer"), token!(LoginToken, "login"), token!(BotToken, "bot")),
        (token!(HeaderKey, "header-key"), token!(CookieKey, "cookie-key"), token!(QueryKey, "query-key")),
        token!(ServiceToken, "service"),
    );
    let config = Config::default().base_url(base_url).allow_query_keys();
    let config = if held.contains(MACHINE) { config.client_certificate(certificate()) } else { config };
    locks::Client::with_config(tokens, config).expect("a client")
}

/// A client certificate of an authority that nobody asks.
fn certificate() -> ClientCertificate {
    static ISSUED: LazyLock<Issued> = LazyLock::new(|| Authority::new("nobody").issue("client", &[]));
    ClientCertificate::new(&ISSUED.certificate_pem(), ISSUED.key_pem()).expect("a certificate")
}

/// What the document allows a client with these schemes: the alternatives that it holds, of which the largest are right, and of these
/// the first.
fn allowed(needed: &Needed, held: &BTreeSet<&str>) -> Option<Vec<(&'static str, &'static str)>> {
    let Needed::OneOf { sets, is_optional } = needed else { panic!("the document says it of all") };
    let parts = |set: &[String]| -> Option<Vec<(&'static str, &'static str)>> {
        let is_held = set.iter().all(|name| held.contains(name.as_str()));
        let parts: Vec<_> = SCHEMES.iter().filter(|s| set.iter().any(|name| name == s.name)).map(|s| s.sent).collect();
        let places: BTreeSet<&str> = parts.iter().map(|(place, _)| *place).collect();
        (is_held && places.len() == parts.len()).then_some(parts)
    };
    let mut open: Vec<&Vec<String>> = sets.iter().filter(|set| parts(set).is_some()).collect();
    open.sort_by_key(|set| usize::MAX - set.len());
    open.first().and_then(|set| parts(set)).or(is_optional.then(Vec::new))
}

/// Nothing, each scheme, every two, and all.
fn holdings() -> Vec<BTreeSet<&'static str>> {
    let names: Vec<&str> = SCHEMES.iter().map(|scheme| scheme.name).chain([MACHINE]).collect();
    let pairs = names.iter().flat_map(|one| names.iter().map(move |two| BTreeSet::from([*one, *two])));
    let mut all: BTreeSet<BTreeSet<&str>> = pairs.collect();
    all.extend([BTreeSet::new(), names.iter().copied().collect()]);
    all.into_iter().collect()
}

fn taken(seen: &Seen) -> Option<Vec<(String, String)>> {
    let mut seen = seen.lock().expect("no panic");
    assert!(seen.len() <= 1, "no call is sent twice: {seen:?}");
    seen.pop()
}

#[tokio::test]
async fn each_request_is_one_that_the_document_allows() {
    let api = Api::read(&source()).expect("an API");
    let (server, seen): (MockServer, Seen) = recording(204).await;
    let (mut requests, mut refused, mut searched) = (0, 0, 0);
    for held in holdings() {
        let client = client(&server.base_url(), &held);
        for operation in &api.operations {
            let (id, needed) = (&operation.id, &*operation.needed);
            let answer = client.call(id, &Map::new()).await;
            let (request, expected) = (taken(&seen), allowed(needed, &held));
            let sorted = |mut parts: Vec<(String, String)>| {
                parts.sort();
                parts
            };
            let owned =
                |parts: Vec<(&str, &str)>| parts.into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
            assert_eq!(
                request.clone().map(sorted),
                expected.clone().map(|parts| sorted(owned(parts))),
                "{id} {held:?}"
            );
            if let Some(parts) = &expected {
                requests += 1;
                let text = format!("{request:?}");
                for other in SCHEMES.iter().filter(|scheme| !parts.contains(&scheme.sent)) {
                    assert!(
                        !text.contains(other.secret) && !text.contains(other.sent.1),
                        "{id} {held:?} {}",
                        other.name
                    );
                    searched += 2;
                }
            } else {
                refused += 1;
                let error = answer.expect_err("not opened");
                assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::Credential, false), "{id} {held:?}");
                let Needed::OneOf { sets, .. } = needed else { unreachable!("looked at above") };
                let text = error.to_string();
                assert!(sets.iter().flatten().all(|name| text.contains(&format!("`{name}`"))), "{text}");
                assert!(SCHEMES.iter().all(|scheme| !text.contains(scheme.secret)), "{text}");
            }
        }
    }
    println!("{requests} requests, {refused} refused before they were sent, {searched} secrets searched for, 0 found");
}

#[test]
fn the_client_is_what_the_generator_writes() {
    let generated = generate_with(&source(), &Options::default()).expect("a client");
    let lines = |text: &str| -> Vec<String> {
        // Without the head, which names the command.
        let code = text.lines().skip_while(|line| line.starts_with("//") || line.is_empty());
        code.map(str::to_owned).collect()
    };
    assert!(
        lines(&generated.code) == lines(include_str!("locks.rs")),
        "`keyfit generate tests/client/locks --out tests/client/locks.rs` writes it again"
    );
}

#[test]
fn an_operation_that_no_request_can_open_is_told_where_it_stands() {
    let generated = generate_with(&source(), &Options::default()).expect("a client");
    let told: Vec<&str> =
        generated.repairs.iter().filter(|repair| repair.rule == "credential").map(|r| &*r.pointer).collect();
    assert!(told.contains(&"/paths/~1login-and-bearer/get"), "{told:?}");
}

#[test]
fn a_client_with_two_credentials_of_one_kind_is_refused() {
    let key = |text: &str| locks::HeaderKey::new(text).expect("a key");
    let config = Config::default().base_url("http://127.0.0.1:9");
    let error =
        locks::Client::with_config((key("fixture-key-1"), key("fixture-key-2")), config).expect_err("which one?"); // not-a-secret
    assert_eq!(error.to_string(), "two credentials are of the kind `header-key`: give one of them");
}

#[tokio::test]
async fn a_client_without_a_credential_calls_what_may_be_called_without() {
    let (server, seen) = recording(204).await;
    let client = locks::Client::without_credential(Config::default().base_url(server.base_url())).expect("a client");
    client.public().send().await.expect("an answer");
    client.bearer_or_nothing().send().await.expect("an answer");
    assert_eq!(*seen.lock().expect("no panic"), [Vec::new(), Vec::new()]);
    let error = client.machine_alone().send().await.expect_err("not opened").to_string();
    assert_eq!(
        error,
        "machine-alone: it takes `machine`, a client certificate (`Config::client_certificate`), and this client holds no credential"
    );
}

#[tokio::test]
async fn a_credential_that_is_refused_is_replaced_and_the_other_one_stays() {
    use keyfit::auth::Credential;
    use keyfit::auth::source::MemorySource;

    let (server, seen) = recording(401).await;
    let source = MemorySource::new("fixture-token-old"); // not-a-secret
    let token: Credential<locks::kind::Bearer> = Credential::from_secret(source.clone());
    token.ready().await.expect("a token");
    source.set("fixture-token-new"); // not-a-secret
    let key = locks::HeaderKey::new("fixture-key-header").expect("a key"); // not-a-secret
    let client =
        locks::Client::with_config((token, key), Config::default().base_url(server.base_url())).expect("a client");
    let error = client.bearer_and_header_key().send().await.map(drop).expect_err("refused");
    let text = format!("{error} {error:?}");
    let seen: Vec<String> = seen.lock().expect("no panic").iter().map(|parts| format!("{parts:?}")).collect();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen[0].contains("fixture-token-old") && seen[1].contains("fixture-token-new"), "{seen:?}");
    assert!(seen.iter().all(|request| request.contains("fixture-key-header")), "{seen:?}");
    assert!(!text.contains("fixture-"), "{text}");
}
