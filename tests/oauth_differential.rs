//! Our OAuth against the `oauth2` crate: the same challenges, the same authorization URLs, the same reading of answers.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use futures_core::future::BoxFuture;
use httpmock::prelude::*;
use keyfit::auth::TokenSource as _;
use keyfit::auth::oauth::{
    AuthorizationRequest, ClientCredentials, MemoryPendingAuthorizations, PendingAuthorizations as _, TokenEndpoint,
    TokenSet, Verifier, handle_callback,
};
use keyfit::{Clock, Error};
use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _,
};

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

#[test]
fn challenges_are_the_same_for_random_verifiers() {
    for _ in 0..200 {
        let ours = Verifier::random().expect("random numbers");
        let theirs = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(ours.expose().to_owned()));
        assert_eq!(ours.challenge(), theirs.as_str());
        assert_eq!(theirs.method().as_str(), "S256");
        // And theirs is a verifier to us.
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        assert_eq!(Verifier::new(verifier.secret().clone()).expect("a verifier").challenge(), challenge.as_str());
    }
}

#[tokio::test]
async fn authorization_urls_have_the_same_parameters() {
    for (endpoint, client, redirect, scopes) in [
        ("https://auth.example.com/authorize", "client", "https://app.example.com/callback", vec!["read"]),
        ("https://auth.example.com/authorize?tenant=a%20b", "my client+&", "https://app.example.com/?x=1&y=é", vec![]),
        ("http://127.0.0.1:8080/a", "c", "com.example.app:/callback", vec!["read", "contacts:read", "offline_access"]),
    ] {
        let request = AuthorizationRequest::new(endpoint, client, redirect).expect("a request");
        let request = request.scopes(scopes.clone()).parameter("prompt", "consent");
        let pending = MemoryPendingAuthorizations::new();
        let ours = request.begin("s", &pending).await.expect("a URL");
        let state = ours.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
        let kept = pending.take("s", &state).await.expect("a store").expect("kept");
        let theirs = BasicClient::new(ClientId::new(client.to_owned()))
            .set_auth_uri(AuthUrl::new(endpoint.to_owned()).expect("a URL"))
            .set_redirect_uri(RedirectUrl::new(redirect.to_owned()).expect("a URL"));
        let verifier = PkceCodeVerifier::new(kept.verifier().expose().to_owned());
        let (theirs, _) = theirs
            .authorize_url(|| CsrfToken::new(state))
            .add_scopes(scopes.into_iter().map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_extra_param("prompt", "consent")
            .url();
        let ours_pairs: BTreeSet<_> = ours.query_pairs().into_owned().collect();
        let theirs_pairs: BTreeSet<_> = theirs.query_pairs().into_owned().collect();
        assert_eq!(ours_pairs, theirs_pairs);
        assert_eq!((ours.host_str(), ours.path()), (theirs.host_str(), theirs.path()));
    }
}

/// What both readers can say about an answer.
#[derive(Debug, PartialEq)]
struct Read {
    access: String,
    refresh: Option<String>,
    expires_in: Option<u64>,
    scopes: Vec<String>,
}

#[tokio::test]
async fn answers_are_read_alike() {
    // `true`: both read it. `false`: both refuse it.
    for (body, is_good) in [
        (r#"{"access_token":"a","token_type":"Bearer"}"#, true),
        (r#"{"access_token":"a","token_type":"bearer","expires_in":3600,"refresh_token":"r","scope":"x y:z"}"#, true),
        (r#"{"access_token":"a","token_type":"BEARER","expires_in":null,"refresh_token":null,"scope":null}"#, true),
        (r#"{"access_token":"a","token_type":"Bearer","expires_in":9,"unknown":{"deep":[1,null]}}"#, true),
        (r#"{"token_type":"Bearer","access_token":"\u0061"}"#, true),
        (r#"{"access_token":7,"token_type":"Bearer"}"#, false),
        (r#"{"access_token":null,"token_type":"Bearer"}"#, false),
        (r#"{"access_token":"a","token_type":"Bearer","refresh_token":7}"#, false),
        (r#"{"token_type":"Bearer"}"#, false),
        (r#"{"access_token":"a","token_type":"Bearer""#, false),
        (r#"{"error":"invalid_grant"}"#, false),
        ("[]", false),
        ("", false),
    ] {
        let (ours, theirs) = (ours(body).await, theirs(body));
        assert_eq!(ours, theirs, "{body}");
        assert_eq!(ours.is_some(), is_good, "{body}");
    }
}

#[tokio::test]
async fn where_the_readers_differ_is_known() {
    // Kinder: `token_type` may be missing, seconds may be quoted or nonsense, scopes may be a list.
    for body in [
        r#"{"access_token":"a"}"#,
        r#"{"access_token":"a","token_type":"Bearer","expires_in":"3600"}"#,
        r#"{"access_token":"a","token_type":"Bearer","expires_in":-1}"#,
        r#"{"access_token":"a","token_type":"Bearer","expires_in":"soon"}"#,
        r#"{"access_token":"a","token_type":"Bearer","scope":["x"]}"#,
    ] {
        assert_eq!((ours(body).await.is_some(), theirs(body).is_some()), (true, false), "{body}");
    }
    // A life of no seconds, which no server can mean, is an unknown one.
    let body = r#"{"access_token":"a","token_type":"Bearer","expires_in":0}"#;
    let life = |read: Option<Read>| read.map(|read| read.expires_in);
    assert_eq!((life(ours(body).await), life(theirs(body))), (Some(None), Some(Some(0))));
    // Stricter: what cannot be sent as a bearer token is refused.
    for body in [
        r#"{"access_token":"","token_type":"Bearer"}"#,
        r#"{"access_token":"a\nb","token_type":"Bearer"}"#,
        r#"{"access_token":"a","token_type":"mac"}"#,
    ] {
        assert_eq!((ours(body).await.is_some(), theirs(body).is_some()), (false, true), "{body}");
    }
}

fn theirs(body: &str) -> Option<Read> {
    let read: BasicTokenResponse = serde_json::from_str(body).ok()?;
    Some(Read {
        access: read.access_token().secret().clone(),
        refresh: read.refresh_token().map(|token| token.secret().clone()),
        expires_in: read.expires_in().map(|time| time.as_secs()),
        scopes: read.scopes().into_iter().flatten().map(|scope| scope.to_string()).collect(),
    })
}

async fn ours(body: &str) -> Option<Read> {
    let server = MockServer::start_async().await;
    server
        .mock_async(|when, then| {
            when.method(POST);
            then.status(200).body(body);
        })
        .await;
    let endpoint = TokenEndpoint::builder(server.url("/token"), "c").clock(Stopped).build().expect("an endpoint");
    let by_credentials = ClientCredentials::new(endpoint.clone()).fetch().await;
    let set = exchange(&endpoint).await.ok();
    assert_eq!(by_credentials.is_ok(), set.is_some(), "{body}");
    let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    set.map(|set| Read {
        access: set.access().expose().to_owned(),
        refresh: set.refresh_token().map(str::to_owned),
        expires_in: set.expires_at().map(since),
        scopes: set.scopes().to_vec(),
    })
}

async fn exchange(endpoint: &TokenEndpoint) -> Result<TokenSet, Error> {
    let pending = MemoryPendingAuthorizations::new();
    let request = AuthorizationRequest::new("https://auth.example.com/", "c", "https://app.example.com/callback")?;
    let url = request.begin("s", &pending).await?;
    let state = url.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
    endpoint.exchange(handle_callback(&format!("code=c&state={state}"), "s", &pending).await?).await
}
