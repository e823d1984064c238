//! OAuth 2.0 against a certified OpenID provider of somebody else. Needs node, and `npm ci` in `tests/peers/oidc`;
//! without them the tests say so and pass.

#[path = "peers/process.rs"]
mod process;

use std::collections::BTreeMap;
use std::error::Error as _;
use std::ops::Deref;
use std::path::Path;
use std::process::Command;

use futures_core::future::BoxFuture;
use keyfit::Error;
use keyfit::auth::oauth::{
    AuthorizationCode, AuthorizationRequest, AuthorizationServer, CallbackError, ClientCredentials,
    MemoryPendingAuthorizations, MemoryStore, PendingAuthorization, PendingAuthorizations as _, RefreshingSession,
    TokenEndpoint, TokenError, TokenErrorCode, TokenSet, TokenStore as _, Verifier, handle_callback,
};
use keyfit::auth::source::MemorySource;
use keyfit::auth::{AccessToken, JwtAlgorithm, JwtKey, SecretSource, TokenSource as _};
use process::Peer;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Url, redirect};
use secrecy::SecretString;

const REDIRECT: &str = "https://app.example.com/callback";
const SCOPES: [&str; 3] = ["openid", "read", "offline_access"];

struct Provider(Peer);

impl Deref for Provider {
    type Target = Peer;

    fn deref(&self) -> &Peer {
        &self.0
    }
}

impl Provider {
    /// `None`, with a message, where it cannot run.
    fn start(arguments: &[&str]) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/oidc");
        if !folder.join("node_modules").exists() {
            eprintln!("skipped: run `npm ci` in tests/peers/oidc");
            return None;
        }
        let peer = Peer::start(Command::new("node").arg("server.mjs").args(arguments).current_dir(folder));
        if peer.is_none() {
            eprintln!("skipped: there is no node");
        }
        peer.map(Self)
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
        let url = self.request(client, hint).begin("s", pending).await.expect("a URL");
        Browser::default().follow(url).await.expect("the provider sends the user back")
    }

    fn request(&self, client: &str, hint: &str) -> AuthorizationRequest {
        let request = AuthorizationRequest::new(&format!("{}/auth", self.url), client, REDIRECT).expect("a request");
        // The provider names itself in codes and refusals (RFC 9207).
        request.scopes(SCOPES).parameter("prompt", "consent").parameter("login_hint", hint).issuer(&self.url)
    }

    async fn server(&self) -> AuthorizationServer {
        AuthorizationServer::discover(&self.url).await.expect("it describes itself")
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

/// A browser with cookies.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<String, String>,
    /// The page where it is.
    page: String,
    at: Option<Url>,
}

impl Browser {
    /// Follows redirects: to the application, whose URL is returned, or to a page.
    async fn follow(&mut self, url: Url) -> Option<String> {
        self.go(reqwest::Method::GET, url, String::new()).await
    }

    /// Sends the form of the page back, with more fields.
    async fn submit(&mut self, fields: &str) -> Option<String> {
        let value = |name: &str| {
            let (_, rest) = self.page.split_once(&format!("name=\"{name}\" value=\""))?;
            Some(format!("{name}={}&", rest.split('"').next()?))
        };
        let hidden: String = ["xsrf", "user_code"].into_iter().filter_map(value).collect();
        let (_, action) = self.page.split_once("action=\"").expect("a form");
        let url = Url::parse(action.split('"').next().expect("a URL")).expect("a URL");
        self.go(reqwest::Method::POST, url, format!("{hidden}{fields}")).await
    }

    async fn go(&mut self, mut method: reqwest::Method, mut url: Url, mut body: String) -> Option<String> {
        let browser =
            reqwest::Client::builder().redirect(redirect::Policy::none()).no_proxy().build().expect("a client");
        for _ in 0..10 {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let request = browser.request(method, url.clone()).header(COOKIE, cookies.join("; "));
            let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
            let answer = request.send().await.expect("an answer");
            for cookie in answer.headers().get_all(SET_COOKIE) {
                let cookie = cookie.to_str().expect("text").split(';').next().unwrap_or_default();
                let (name, value) = cookie.split_once('=').expect("a cookie");
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let Some(location) = answer.headers().get(LOCATION) else {
                assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
                self.page = answer.text().await.expect("a page");
                self.at = Some(url);
                return None;
            };
            url = url.join(location.to_str().expect("text")).expect("a URL");
            if url.as_str().starts_with(REDIRECT) {
                return Some(url.into());
            }
            (method, body) = (reqwest::Method::GET, String::new());
        }
        panic!("the provider does not come to an end")
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

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_describes_itself_is_all_that_has_to_be_named() {
    let Some(provider) = Provider::start(&[]) else { return };
    let server = provider.server().await;
    assert_eq!(server.issuer, provider.url);
    let endpoint = server.token_endpoint("my:client").expect("there").secret_in_header(ClientSecret).build();
    ClientCredentials::new(endpoint.expect("an endpoint")).fetch().await.expect("a token");
    let request = server.authorization("my:client", REDIRECT).expect("a request");
    assert!(format!("{request:?}").contains(&provider.url), "it is held to naming itself: {request:?}");
    let other = provider.url.replace("127.0.0.1", "localhost");
    let error = AuthorizationServer::discover(&other).await.expect_err("another issuer");
    assert!(error.to_string().contains("names another issuer"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_signs_is_known_by_its_key() {
    let Some(provider) = Provider::start(&[]) else { return };
    let server = provider.server().await;
    let grant = |key: JwtKey| {
        let endpoint = server.token_endpoint("signing").expect("there").assertion(key).build();
        ClientCredentials::new(endpoint.expect("an endpoint")).with_scopes(["read"])
    };
    let key = JwtKey::new(JwtAlgorithm::Es256, MemorySource::new(provider.key.clone()));
    let signing = grant(key.clone());
    for _ in 0..2 {
        // Each assertion is good once, so that each request needs one of its own.
        signing.fetch().await.expect("a token");
    }
    let error = grant(key.id("another")).fetch().await.expect_err("no such key");
    assert_eq!(code_of(&error), Some(&TokenErrorCode::InvalidClient), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_are_pushed_are_not_shown_to_the_browser() {
    let Some(provider) = Provider::start(&[]) else { return };
    let server = provider.server().await;
    let endpoint = server.token_endpoint("my:client").expect("there").secret_in_header(ClientSecret).build();
    let endpoint = endpoint.expect("an endpoint");
    let pending = MemoryPendingAuthorizations::new();
    let url = provider.request("my:client", "alice").push(&endpoint, "s", &pending).await.expect("a URL");
    let names: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["client_id", "request_uri"]);
    let callback = Browser::default().follow(url).await.expect("the provider sends the user back");
    let code = handle_callback(&callback, "s", &pending).await.expect("a code");
    assert!(endpoint.exchange(code).await.expect("tokens").refresh_token().is_some());
    let error = provider.request("my:client", "").push(&provider.endpoint("my:client"), "s", &pending).await;
    assert!(error.expect_err("not named").to_string().contains("pushed_authorization_request_endpoint"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_consents_on_another_device() {
    let Some(provider) = Provider::start(&[]) else { return };
    let endpoint = provider.server().await.token_endpoint("public").expect("there").build().expect("an endpoint");
    let device = endpoint.authorize_device(SCOPES).await.expect("a code");
    let complete = device.verification_uri_complete().expect("an address with the code");
    assert!(complete.starts_with(device.verification_uri()) && complete.contains(device.user_code()));
    assert!(!format!("{device:?}").contains(device.user_code()));
    let mut browser = Browser::default();
    let complete = Url::parse(complete).expect("a URL");
    assert_eq!(browser.follow(complete).await, None, "a page");
    // The page with the code, the page that asks whether it is this device, and the interaction.
    for fields in ["", "confirm=yes"] {
        if browser.page.contains("<form") {
            browser.submit(fields).await;
        }
    }
    assert_eq!(browser.page, "connected");
    let tokens = device.wait().await.expect("tokens");
    assert!(tokens.refresh_token().is_some() && tokens.scopes().iter().any(|scope| scope == "read"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_session_is_asked_about_and_has_ended() {
    let Some(provider) = Provider::start(&[]) else { return };
    let server = provider.server().await;
    let endpoint = server.token_endpoint("my:client").expect("there").secret_in_header(ClientSecret).build();
    let endpoint = endpoint.expect("an endpoint");
    let tokens = provider.tokens("my:client").await;
    let access = tokens.access().expose();
    let state = endpoint.introspect(access).await.expect("an answer");
    assert!(state.is_active && state.scopes.iter().any(|scope| scope == "read"), "{state:?}");
    assert_eq!((state.client_id.as_deref(), state.subject.as_deref()), (Some("my:client"), Some("alice")));
    assert!(state.expires_at.is_some());
    endpoint.revoke(&tokens).await.expect("revoked");
    endpoint.revoke(&tokens).await.expect("as often as one likes");
    assert!(!endpoint.introspect(access).await.expect("an answer").is_active);
    let (session, _) = worn_out(&provider, &tokens).await;
    let error = session.fetch().await.expect_err("it has ended");
    assert_eq!(error.kind(), keyfit::ErrorKind::ReauthorizationRequired);
}
