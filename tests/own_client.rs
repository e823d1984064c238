//! Everything that speaks HTTP goes through a client of the user's own, where there is one. These tests run without the feature
//! `reqwest` as well, where there is no other.

// The client of `tests/forms`.
#[path = "forms/client.rs"]
mod forms;

use std::sync::{Arc, Mutex};

use keyfit::http_client::{Body, HttpClient, SendError, Sending, http};
use keyfit::{CallOptions, Config, FilePart};
use serde_json::json;

/// A request as a server has it: method, URL, headers, body.
type Seen = (String, String, http::HeaderMap, String);

type Answer = Result<http::Response<Body>, SendError>;

type Answers = dyn Fn(&str, usize) -> Answer + Send + Sync;

/// Answers each request by its path and its number, and keeps what it was asked.
#[derive(Clone)]
struct Canned {
    answers: Arc<Answers>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Canned {
    fn new(answers: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self { answers: Arc::new(answers), seen: Arc::default() }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }
}

impl std::fmt::Debug for Canned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Canned")
    }
}

impl HttpClient for Canned {
    fn send(&self, request: http::Request<Body>) -> Sending<'_> {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.whole().await.map_err(SendError::new)?;
            let body = String::from_utf8_lossy(&body).into_owned();
            let seen = (head.method.to_string(), head.uri.to_string(), head.headers, body);
            let number = {
                let mut all = self.seen.lock().expect("no panic");
                all.push(seen);
                all.len()
            };
            (self.answers)(head.uri.path(), number)
        })
    }
}

fn json(value: &serde_json::Value) -> Answer {
    let answer = http::Response::builder().header("content-type", "application/json").body(value.to_string().into());
    answer.map_err(SendError::new)
}

fn client(own: &Canned) -> forms::Client {
    let config = Config::default().base_url("https://forms.example/v1").http_client(own.clone());
    forms::Client::with_config(forms::Token::new("fixture-token-0001").expect("a token"), config).expect("a client") // not-a-secret
}

#[tokio::test]
async fn a_form_in_parts_is_written_and_its_length_is_known() {
    let own = Canned::new(|_, _| json(&json!({"id": "a1"})));
    let note = forms::types::AddNoteBody::builder().text("Gruß").voice(FilePart::bytes("beep").file_name("a\"b.ogg"));
    client(&own).add_note().body(note).send().await.expect("it is stored");
    let [(method, _, headers, body)] = &own.seen()[..] else { panic!("one request") };
    let kind = headers["content-type"].to_str().expect("a text");
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").expect(kind);
    let expected = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nGruß\r\n--{boundary}\r\n\
         Content-Disposition: form-data; name=\"voice\"; filename=\"a%22b.ogg\"\r\nContent-Type: audio/ogg\r\n\r\n\
         beep\r\n--{boundary}--\r\n"
    );
    assert_eq!((method.as_str(), body), ("POST", &expected));
    assert_eq!(headers["content-length"], expected.len().to_string());
    assert!(headers["user-agent"].to_str().is_ok_and(|agent| agent.starts_with("keyfit/")));
}

#[tokio::test]
async fn a_request_without_a_connection_is_sent_again_and_its_query_is_a_form() {
    let own = Canned::new(|_, number| match number {
        1 => Err(SendError::connect("the cable is cut")),
        _ => Ok(http::Response::new("[1,2]".into())),
    });
    let client = client(&own).with_options(CallOptions::default().header("x-desk", "7").expect("a header"));
    let call = client.request(http::Method::GET, "/re ports").query("a b", "ü&c").query("d", "");
    assert_eq!(call.send().await.expect("the second attempt").into_inner(), "[1,2]");
    let seen = own.seen();
    assert_eq!(seen.len(), 2);
    for (method, url, headers, _) in &seen {
        assert_eq!((method.as_str(), url.as_str()), ("GET", "https://forms.example/v1/re%20ports?a+b=%C3%BC%26c&d="));
        assert_eq!(
            (&headers["x-desk"], &headers["accept"]),
            (&"7".parse().unwrap(), &"application/json".parse().unwrap())
        );
    }
    let gone = Canned::new(|_, _| Err(SendError::new("the cable is cut")));
    let error = self::client(&gone).request(http::Method::POST, "/a").json(&[1]).send().await.expect_err("it is gone");
    assert!(error.may_have_been_sent() && gone.seen().len() == 1, "{error}");
    assert!(error.to_string().contains("forms.example failed before the answer came: the cable is cut"), "{error}");
}

/// Neither turned off nor given: what a program without `reqwest` has forgotten.
#[cfg(not(feature = "reqwest"))]
#[tokio::test]
async fn where_no_client_is_given_and_none_is_built_in_nothing_is_made_and_the_error_says_what_to_do() {
    let refused = |error: keyfit::Error| {
        assert_eq!(error.kind(), keyfit::ErrorKind::Configuration);
        assert!(error.to_string().contains("`reqwest`") && error.to_string().contains("`http_client`"), "{error}");
    };
    let key = || forms::Token::new("fixture-token-0001").expect("a token"); // not-a-secret
    refused(forms::Client::with_config(key(), Config::default()).expect_err("no client"));
    #[cfg(feature = "oauth")]
    {
        use keyfit::auth::oauth::{AuthorizationServer, TokenEndpoint};
        refused(TokenEndpoint::builder("https://auth.example/token", "c").build().expect_err("no client"));
        refused(AuthorizationServer::discover("https://auth.example").await.expect_err("no client"));
    }
    #[cfg(feature = "vault")]
    {
        use keyfit::auth::SecretSource as _;
        use keyfit::auth::source::{MemorySource, Vault};
        let vault = Vault::new("https://vault.example", MemorySource::new("fixture-token-0002")).expect("a store"); // not-a-secret
        refused(vault.secret("kv", "a", "b").expect("a secret").read().await.expect_err("no client"));
    }
}

#[cfg(feature = "oauth")]
#[tokio::test]
async fn authorization_servers_are_asked_by_it_from_discovery_to_revocation() {
    use keyfit::auth::TokenSource as _;
    use keyfit::auth::oauth::{AuthorizationServer, ClientCredentials, TokenSet};
    use keyfit::auth::source::MemorySource;

    let own = Canned::new(|path, _| match path {
        "/.well-known/oauth-authorization-server" => json(&json!({
            "issuer": "https://auth.example",
            "token_endpoint": "https://auth.example/token",
            "revocation_endpoint": "https://auth.example/revoke",
            "introspection_endpoint": "https://auth.example/introspect",
        })),
        "/token" => json(&json!({"access_token": "fixture-token-0003", "token_type": "bearer", "expires_in": 60})), // not-a-secret
        "/introspect" => json(&json!({"active": true})),
        _ => Ok(http::Response::new(Body::empty())),
    });
    let server = AuthorizationServer::discover_by(own.clone(), "https://auth.example").await.expect("it is described");
    let endpoint = server.token_endpoint("c").expect("it has one").http_client(own.clone());
    let endpoint = endpoint.secret_in_header(MemorySource::new("fixture-secret-0001")).build().expect("an endpoint"); // not-a-secret
    let token = ClientCredentials::new(endpoint.clone()).fetch().await.expect("a token");
    endpoint.introspect("fixture-token-0003").await.expect("it is known"); // not-a-secret
    endpoint.revoke(&TokenSet::new(token)).await.expect("it is revoked");
    let asked: Vec<String> = own.seen().into_iter().map(|(method, url, ..)| format!("{method} {url}")).collect();
    let expected =
        ["GET https://auth.example/.well-known/oauth-authorization-server", "POST https://auth.example/token"];
    assert_eq!(asked[..2], expected);
    assert_eq!(asked[2..], ["POST https://auth.example/introspect", "POST https://auth.example/revoke"]);
}

#[cfg(all(feature = "vault", feature = "aws"))]
#[tokio::test]
async fn secret_stores_are_asked_by_it() {
    use keyfit::auth::SecretSource as _;
    use keyfit::auth::source::aws::{Credentials, SecretsManager};
    use keyfit::auth::source::{ExposeSecret as _, MemorySource, Vault};

    let own = Canned::new(|path, _| match path {
        "/" => json(&json!({"SecretString": "fixture-secret-0003"})), // not-a-secret
        _ => json(&json!({"data": {"data": {"key": "fixture-secret-0002"}}})), // not-a-secret
    });
    let vault = Vault::new("https://vault.example", MemorySource::new("fixture-token-0004")).expect("a store"); // not-a-secret
    let source = vault.http_client(own.clone()).secret("kv", "a", "key").expect("a secret");
    assert_eq!(source.read().await.expect("it is read").expose_secret(), "fixture-secret-0002"); // not-a-secret
    let key = Credentials::new("fixture-key-0001", "fixture-secret-0004"); // not-a-secret
    let manager = SecretsManager::new("eu-west-1", key).expect("a store").http_client(own.clone());
    let source = manager.secret("a");
    assert_eq!(source.read().await.expect("it is read").expose_secret(), "fixture-secret-0003"); // not-a-secret
    let elsewhere = manager.endpoint("https://aws.example").expect("an address").secret("a");
    elsewhere.read().await.expect("it is asked there by the same client");
    let [(method, url, headers, _), _, (_, other, ..)] = &own.seen()[..] else { panic!("three requests") };
    assert_eq!((method.as_str(), url.as_str()), ("GET", "https://vault.example/v1/kv/data/a"));
    assert!(headers["x-vault-token"].is_sensitive() && other == "https://aws.example/");
}
