//! OAuth 2.0 against a certified OpenID provider of somebody else. Needs node, and `npm ci` in `tests/peers/oidc`;
//! without them the tests say so and pass.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use futures_core::future::BoxFuture;
use keyfit::Error;
use keyfit::auth::oauth::{
    AuthorizationCode, AuthorizationRequest, CallbackError, ClientCredentials, MemoryPendingAuthorizations,
    MemoryStore, PendingAuthorization, PendingAuthorizations as _, RefreshingSession, TokenEndpoint, TokenError,
    TokenErrorCode, TokenSet, TokenStore as _, Verifier, handle_callback,
};
use keyfit::auth::{AccessToken, SecretSource, TokenSource as _};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Url, redirect};
use secrecy::SecretString;

const REDIRECT: &str = "https://app.example.com/callback";
const SCOPES: [&str; 3] = ["openid", "read", "offline_access"];

/// A running provider, stopped when dropped.
struct Provider {
    url: String,
    child: Child,
    /// The provider ends when this closes, even if the test is killed.
    _stdin: ChildStdin,
}

impl Provider {
    /// `None`, with a message, where it cannot run.
    fn start(arguments: &[&str]) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/oidc");
        if !folder.join("node_modules").exists() {
            eprintln!("skipped: run `npm ci` in tests/peers/oidc");
            return None;
        }
        let mut command = Command::new("node");
        command.arg("server.mjs").args(arguments).current_dir(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let Ok(mut child) = command.spawn() else {
            eprintln!("skipped: there is no node");
            return None;
        };
        let stdin = child.stdin.take().expect("a pipe");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let url = lines.map_while(Result::ok).find(|line| line.starts_with("http://127.0.0.1:"));
        Some(Self { url: url.expect("the provider says its URL"), child, _stdin: stdin })
    }

    fn endpoint(&self, client: &str) -> TokenEndpoint {
        let builder = TokenEndpoint::builder(format!("{}/token", self.url), client);
        let builder = match client {
            "my:client" => builder.secret_in_header(ClientSecret),
            "post" => builder.secret_in_body(ClientSecret),
            _ => builder,
        };
        builder.build().expect("an endpoint")
    }

    /// Begins an authorization, and follows the provider's redirects as a browser would.
    async fn visit(&self, client: &str, hint: &str, pending: &MemoryPendingAuthorizations) -> String {
        let request = AuthorizationRequest::new(&format!("{}/auth", self.url), client, REDIRECT).expect("a request");
        let request = request.scopes(SCOPES).parameter("prompt", "consent").parameter("login_hint", hint);
        // The provider names itself in codes and refusals (RFC 9207).
        let request = request.issuer(&self.url);
        let mut url = request.begin("s", pending).await.expect("a URL");
        let browser =
            reqwest::Client::builder().redirect(redirect::Policy::none()).no_proxy().build().expect("a client");
        let mut cookies = BTreeMap::new();
        for _ in 0..10 {
            let header = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
            let answer = browser.get(url.clone()).header(COOKIE, header).send().await.expect("an answer");
            for cookie in answer.headers().get_all(SET_COOKIE) {
                let cookie = cookie.to_str().expect("text").split(';').next().unwrap_or_default();
                let (name, value) = cookie.split_once('=').expect("a cookie");
                cookies.insert(name.to_owned(), value.to_owned());
            }
            let Some(location) = answer.headers().get(LOCATION) else {
                panic!("{} {}", answer.status(), answer.text().await.unwrap_or_default());
            };
            url = url.join(location.to_str().expect("text")).expect("a URL");
            if url.as_str().starts_with(REDIRECT) {
                return url.into();
            }
        }
        panic!("the provider does not come to an end")
    }

    async fn code(&self, client: &str) -> AuthorizationCode {
        let pending = MemoryPendingAuthorizations::new();
        let callback = self.visit(client, "", &pending).await;
        handle_callback(&callback, "s", &pending).await.expect("a code")
    }

    async fn tokens(&self, client: &str) -> TokenSet {
        self.endpoint(client).exchange(self.code(client).await).await.expect("tokens")
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Debug)]
struct ClientSecret;

impl SecretSource for ClientSecret {
    fn read(&self) -> BoxFuture<'_, Result<SecretString, Error>> {
        Box::pin(async { Ok(format!("{:x<40}", "p%s+w &=:").into()) })
    }
}

fn code_of(error: &Error) -> Option<&TokenErrorCode> {
    error.source().and_then(|source| source.downcast_ref::<TokenError>()).and_then(TokenError::code)
}

/// A session whose access token is worn out, so that the next fetch refreshes.
async fn worn_out(provider: &Provider, tokens: &TokenSet) -> (RefreshingSession, MemoryStore) {
    let old = TokenSet::new(AccessToken::new("worn-out").expiring_at(std::time::SystemTime::UNIX_EPOCH));
    let old = old.refresh(tokens.refresh_token().expect("a refresh token")).granting(tokens.scopes());
    let store = MemoryStore::new();
    let session = RefreshingSession::start(provider.endpoint("my:client"), old, store.clone()).await;
    (session.expect("a session"), store)
}

async fn refresh_token(store: &MemoryStore) -> String {
    let set = store.load().await.expect("a store").expect("tokens");
    set.refresh_token().expect("a refresh token").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_becomes_tokens_for_every_way_to_authenticate() {
    let Some(provider) = Provider::start(&[]) else { return };
    for client in ["my:client", "post", "public"] {
        let tokens = provider.tokens(client).await;
        assert!(tokens.refresh_token().is_some(), "{client}");
        assert!(tokens.expires_at().is_some(), "{client}");
        assert!(tokens.scopes().iter().any(|scope| scope == "read"), "{client} {:?}", tokens.scopes());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_refuses_is_a_refusal() {
    let Some(provider) = Provider::start(&[]) else { return };
    let pending = MemoryPendingAuthorizations::new();
    let callback = provider.visit("public", "refuses", &pending).await;
    let error = handle_callback(&callback, "s", &pending).await.expect_err("refused");
    assert!(matches!(&error, CallbackError::Refused { code, .. } if code == "access_denied"), "{error:?}");
    assert_eq!(error.to_string(), "the authorization was refused (access_denied): the user said no");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_from_another_server_is_refused() {
    let Some(provider) = Provider::start(&[]) else { return };
    let pending = MemoryPendingAuthorizations::new();
    let callback = provider.visit("public", "", &pending).await;
    let (before, _) = callback.split_once("&iss=").expect("the provider names itself");
    let error = handle_callback(before, "s", &pending).await.expect_err("nobody named");
    assert!(matches!(error, CallbackError::Issuer), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_verifier_is_an_invalid_grant() {
    let Some(provider) = Provider::start(&[]) else { return };
    let pending = MemoryPendingAuthorizations::new();
    let callback = provider.visit("public", "", &pending).await;
    let url = Url::parse(&callback).expect("a URL");
    let state = url.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
    pending.take("s", &state).await.expect("a store").expect("kept");
    let verifier = Verifier::random().expect("random numbers");
    let swapped = PendingAuthorization::new(state, verifier, REDIRECT, Vec::new(), Some(provider.url.clone()));
    pending.put("s", swapped).await.expect("kept");
    let code = handle_callback(&callback, "s", &pending).await.expect("a code");
    let error = provider.endpoint("public").exchange(code).await.expect_err("a wrong verifier");
    assert_eq!(code_of(&error), Some(&TokenErrorCode::InvalidGrant), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn client_credentials_give_a_token_for_the_scopes_asked_for() {
    let Some(provider) = Provider::start(&[]) else { return };
    for client in ["my:client", "post"] {
        let grant = ClientCredentials::new(provider.endpoint(client));
        let token = grant.with_scopes(["read", "write"]).fetch().await.expect("a token");
        assert!(token.expires_at().is_some());
        let error = grant.with_scopes(["admin"]).fetch().await.expect_err("not for this client");
        assert_eq!(code_of(&error), Some(&TokenErrorCode::InvalidScope), "{error}");
    }
    let public = ClientCredentials::new(provider.endpoint("public")).fetch().await.expect_err("not for public clients");
    // `unauthorized_client` by the RFC; this provider says it in another word.
    assert_eq!(code_of(&public), Some(&TokenErrorCode::InvalidRequest), "{public}");
    let unknown = ClientCredentials::new(provider.endpoint("unknown")).fetch().await.expect_err("unknown");
    assert_eq!(code_of(&unknown), Some(&TokenErrorCode::InvalidClient), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_rotation_a_refresh_token_is_good_again() {
    let Some(provider) = Provider::start(&[]) else { return };
    let tokens = provider.tokens("my:client").await;
    let (session, store) = worn_out(&provider, &tokens).await;
    let first = session.fetch().await.expect("a token");
    let second = session.fetch().await.expect("a token");
    assert_ne!(first.expose(), second.expose());
    assert_eq!(refresh_token(&store).await, tokens.refresh_token().expect("a refresh token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_rotation_a_used_refresh_token_ends_the_session() {
    let Some(provider) = Provider::start(&["--rotate"]) else { return };
    let tokens = provider.tokens("my:client").await;
    let (session, store) = worn_out(&provider, &tokens).await;
    session.fetch().await.expect("a token");
    let rotated = refresh_token(&store).await;
    assert_ne!(rotated, tokens.refresh_token().expect("a refresh token"));
    session.fetch().await.expect("a token, by the rotated one");
    // A thief, or a copy of this program with a store of its own, comes with the first one.
    let (thief, _) = worn_out(&provider, &tokens).await;
    let error = thief.fetch().await.expect_err("used");
    assert_eq!(code_of(&error), Some(&TokenErrorCode::InvalidGrant), "{error}");
    assert!(error.to_string().contains("consent again"), "{error}");
    // The provider then ends the whole session, and says so to its owner too.
    let error = session.fetch().await.expect_err("ended");
    assert_eq!(code_of(&error), Some(&TokenErrorCode::InvalidGrant), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_rotation_concurrent_callers_do_not_end_the_session() {
    let Some(provider) = Provider::start(&["--rotate"]) else { return };
    let (session, _) = worn_out(&provider, &provider.tokens("my:client").await).await;
    let callers: Vec<_> = (0..10)
        .map(|_| {
            let session = session.clone();
            tokio::spawn(async move { session.fetch().await })
        })
        .collect();
    for caller in callers {
        caller.await.expect("no panic").expect("a token");
    }
    session.fetch().await.expect("the session goes on");
}
