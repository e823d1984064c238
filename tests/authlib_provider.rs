//! OAuth 2.0 against an authorization server of Authlib. Needs an interpreter that has it, in `KEYFIT_PYTHON` (default `python3`);
//! without one the tests say so and pass.

#[path = "peers/process.rs"]
mod process;

use std::env;
use std::error::Error as _;
use std::ops::Deref;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use keyfit::auth::oauth::{
    AuthorizationCode, AuthorizationServer, CallbackError, ClientCredentials, JwtBearer, MemoryPendingAuthorizations,
    MemoryStore, RefreshingSession, TokenEndpoint, TokenError, TokenErrorCode, TokenSet, handle_callback,
};
use keyfit::auth::source::MemorySource;
use keyfit::auth::{AccessToken, JwtAlgorithm, JwtKey, JwtParties, JwtSigner, TokenSource as _};
use keyfit::{Error, ErrorKind};
use process::Peer;
use reqwest::header::LOCATION;
use reqwest::{Url, redirect};

const REDIRECT: &str = "https://app.example.com/callback";
const SCOPES: [&str; 2] = ["read", "offline_access"];

struct Provider(Peer);

impl Deref for Provider {
    type Target = Peer;

    fn deref(&self) -> &Peer {
        &self.0
    }
}

impl Provider {
    /// `None`, with a message, where it cannot run.
    #[expect(clippy::disallowed_methods, reason = "a test's own command line")]
    fn start() -> Option<Self> {
        let interpreter = env::var("KEYFIT_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let has_it = Command::new(&interpreter).args(["-c", "import authlib, flask"]).stderr(Stdio::null()).status();
        if !has_it.is_ok_and(|status| status.success()) {
            eprintln!("skipped: Authlib is not installed (set KEYFIT_PYTHON to an interpreter that has it)");
            return None;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/authlib/server.py");
        Peer::start(Command::new(interpreter).arg(script)).map(Self)
    }

    async fn server(&self) -> AuthorizationServer {
        AuthorizationServer::discover(&self.url).await.expect("it describes itself")
    }

    async fn endpoint(&self, client: &str) -> TokenEndpoint {
        let secret = MemorySource::new(format!("{:x<40}", "p%s+w &=:"));
        let builder = self.server().await.token_endpoint(client).expect("it names one");
        let builder = match client {
            "my:client" => builder.secret_in_header(secret),
            "post" => builder.secret_in_body(secret),
            "signing" => builder.assertion(self.signing_key()),
            _ => builder,
        };
        builder.build().expect("an endpoint")
    }

    fn signing_key(&self) -> JwtKey {
        JwtKey::new(JwtAlgorithm::Es256, MemorySource::new(self.key.clone()))
    }

    /// Where the server sends a user back to.
    async fn visit(&self, client: &str, hint: &str, pending: &MemoryPendingAuthorizations) -> String {
        let request = self.server().await.authorization(client, REDIRECT).expect("a request");
        let url = request.scopes(SCOPES).parameter("login_hint", hint).begin("s", pending).await.expect("a URL");
        let browser =
            reqwest::Client::builder().redirect(redirect::Policy::none()).no_proxy().build().expect("a client");
        let answer = browser.get(url).send().await.expect("an answer");
        let location = answer.headers().get(LOCATION).expect("the user is sent back");
        location.to_str().expect("text").to_owned()
    }

    async fn code(&self, client: &str) -> AuthorizationCode {
        let pending = MemoryPendingAuthorizations::new();
        let callback = self.visit(client, "", &pending).await;
        handle_callback(&callback, "s", &pending).await.expect("a code")
    }

    async fn tokens(&self, client: &str) -> TokenSet {
        self.endpoint(client).await.exchange(self.code(client).await).await.expect("tokens")
    }

    /// A session whose access token is worn out, so that the next fetch refreshes.
    async fn worn_out(&self, tokens: &TokenSet) -> RefreshingSession {
        let old = TokenSet::new(AccessToken::new("worn-out").expiring_at(SystemTime::UNIX_EPOCH));
        let old = old.refresh(tokens.refresh_token().expect("a refresh token"));
        let session = RefreshingSession::start(self.endpoint("my:client").await, old, MemoryStore::new()).await;
        session.expect("a session")
    }
}

fn code_of(error: &Error) -> Option<&TokenErrorCode> {
    error.source().and_then(|source| source.downcast_ref::<TokenError>()).and_then(TokenError::code)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_becomes_tokens_for_every_way_to_authenticate() {
    let Some(provider) = Provider::start() else { return };
    for client in ["my:client", "post", "public"] {
        let tokens = provider.tokens(client).await;
        assert!(tokens.refresh_token().is_some() && tokens.expires_at().is_some(), "{client}");
        assert!(tokens.scopes().iter().any(|scope| scope == "read"), "{client} {:?}", tokens.scopes());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_refuses_is_a_refusal_and_a_code_is_good_once() {
    let Some(provider) = Provider::start() else { return };
    let pending = MemoryPendingAuthorizations::new();
    let callback = provider.visit("public", "refuses", &pending).await;
    let error = handle_callback(&callback, "s", &pending).await.expect_err("refused");
    assert!(matches!(&error, CallbackError::Refused { code, .. } if code == "access_denied"), "{error:?}");
    let endpoint = provider.endpoint("public").await;
    let callback = provider.visit("public", "", &pending).await;
    let url = Url::parse(&callback).expect("a URL");
    assert!(url.query_pairs().any(|(name, value)| name == "iss" && value == provider.url), "it names itself");
    let code = handle_callback(&callback, "s", &pending).await.expect("a code");
    endpoint.exchange(code).await.expect("tokens");
    let replayed = handle_callback(&callback, "s", &pending).await.expect_err("the state is used up");
    assert!(!format!("{replayed:?}").contains("code="), "{replayed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn client_credentials_give_a_token_by_secret_and_by_signature() {
    let Some(provider) = Provider::start() else { return };
    for client in ["my:client", "post", "signing"] {
        let grant = ClientCredentials::new(provider.endpoint(client).await).with_scopes(["read"]);
        for _ in 0..2 {
            // Each assertion is good once, so that each request needs one of its own.
            let token = grant.fetch().await.expect(client);
            assert!(token.expires_at().is_some(), "{client}");
        }
    }
    let wrong = provider.server().await.token_endpoint("my:client").expect("there");
    let wrong = wrong.secret_in_header(MemorySource::new("fixture-secret-wrong")).build().expect("an endpoint");
    let error = ClientCredentials::new(wrong).fetch().await.expect_err("a wrong secret");
    assert_eq!(code_of(&error), Some(&TokenErrorCode::InvalidClient), "{error}");
    assert!(!format!("{error} {error:?}").contains("fixture-secret"), "{error:?}");
    let other = provider.server().await.token_endpoint("signing").expect("there");
    let other = other.assertion(provider.signing_key().id("another")).build().expect("an endpoint");
    // This server has one key and does not look at `kid`; a signature by it is what counts.
    ClientCredentials::new(other).fetch().await.expect("a token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_rotated_and_one_that_comes_twice_ends_the_session() {
    let Some(provider) = Provider::start() else { return };
    let tokens = provider.tokens("my:client").await;
    let session = provider.worn_out(&tokens).await;
    let first = session.fetch().await.expect("a token");
    assert_ne!(first.expose(), "worn-out");
    let thief = provider.worn_out(&tokens).await;
    let error = thief.fetch().await.expect_err("used");
    assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired, "{error}");
    assert_eq!(code_of(&error), Some(&TokenErrorCode::InvalidGrant), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_consents_on_another_device() {
    let Some(provider) = Provider::start() else { return };
    let device = provider.endpoint("public").await.authorize_device(SCOPES).await.expect("a code");
    assert!(device.verification_uri_complete().is_some_and(|url| url.contains(device.user_code())));
    // The first answer is `authorization_pending`.
    let tokens = device.wait().await.expect("tokens");
    assert!(tokens.scopes().iter().any(|scope| scope == "read"), "{:?}", tokens.scopes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_assertion_is_a_grant() {
    let Some(provider) = Provider::start() else { return };
    let grant = |subject: &str| {
        let parties = JwtParties {
            issuer: "signing".to_owned(),
            subject: subject.to_owned(),
            audience: format!("{}/token", provider.url),
        };
        JwtSigner::new(parties, provider.signing_key()).expect("a signer")
    };
    let endpoint = provider.endpoint("public").await;
    JwtBearer::new(endpoint.clone(), grant("alice")).scopes(["read"]).fetch().await.expect("a token");
    let error = JwtBearer::new(endpoint, grant("mallory")).fetch().await.expect_err("nobody of that name");
    assert_eq!(code_of(&error), Some(&TokenErrorCode::InvalidGrant), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_session_is_asked_about_and_has_ended() {
    let Some(provider) = Provider::start() else { return };
    let endpoint = provider.endpoint("my:client").await;
    let tokens = provider.tokens("my:client").await;
    let state = endpoint.introspect(tokens.access().expose()).await.expect("an answer");
    assert!(state.is_active && state.scopes.iter().any(|scope| scope == "read"), "{state:?}");
    assert_eq!((state.client_id.as_deref(), state.subject.as_deref()), (Some("my:client"), Some("alice")));
    endpoint.revoke(&tokens).await.expect("revoked");
    let error = provider.worn_out(&tokens).await.fetch().await.expect_err("it has ended");
    assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired, "{error}");
}
