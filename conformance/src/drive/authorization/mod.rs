//! The authorization side of a client: it gets, stores, and refreshes tokens, tested with a scripted authorization server and a test clock.

mod authorization_case;
mod callback;
mod expiry;
mod jwt;
mod keyfit_holder;
mod naive_holder;
mod naive_tokens;
mod refresh;
mod request;
mod wire;

use std::time::Duration;

use futures_core::future::BoxFuture;
use reqwest::Url;

pub(super) use authorization_case::AuthorizationCase;
pub use keyfit::testing::TestClock;
pub(super) use keyfit_holder::KeyfitHolder;
pub(super) use naive_holder::NaiveHolder;

use crate::contract::{AuthorizationDrive, ClientAuthentication, TokenBody};
use crate::credential::secret::Secret;

/// The path of the call that clients make, below the URL of the API.
pub(super) const CALL: &str = "/auth/test";

/// A client as it is registered at an authorization server, with the endpoints of the server.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Its `client_id`, which contains characters that have to be encoded.
    pub id: String,
    /// Its secret; public clients have none.
    pub secret: Option<Secret>,
    /// The authentication method at the token endpoint.
    pub authentication: ClientAuthentication,
    /// The encoding of token requests.
    pub body: TokenBody,
    /// The authorization endpoint.
    pub authorize_url: String,
    /// The token endpoint.
    pub token_url: String,
    /// The redirect URI.
    pub redirect_uri: String,
    /// The scopes to request.
    pub scopes: Vec<String>,
    /// The URL of the API that accepts the tokens.
    pub api_url: String,
    /// The way in which it gets tokens.
    pub flow: GrantFlow,
    /// The clock.
    pub clock: TestClock,
}

impl Registration {
    /// Advances the clock.
    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// The way in which a client gets tokens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum GrantFlow {
    /// With the consent of a user.
    Code,
    /// With the client credentials grant.
    ClientCredentials,
    /// With JWTs that the client signs with its secret.
    Jwt {
        /// `sub`.
        subject: String,
        /// `aud`.
        audience: String,
    },
}

/// A client that holds tokens.
pub trait TokenHolder: Send + Sync {
    /// Returns the URL to which the browser of this session is redirected for a login.
    fn log_in<'a>(&'a self, session: &'a str) -> BoxFuture<'a, Result<String, HolderError>>;

    /// Handles the return of the browser to this URL: exchanges its code for tokens, and stores them.
    fn callback<'a>(&'a self, session: &'a str, url: &'a str) -> BoxFuture<'a, Result<(), HolderError>>;

    /// Sends `GET /auth/test` to the API with the current token, and returns the status of the answer.
    fn call(&self) -> BoxFuture<'_, Result<u16, HolderError>>;

    /// Returns the tokens that are stored for the user who logged in.
    fn stored(&self) -> BoxFuture<'_, Option<UserTokens>>;

    /// Returns the same client in a new process: it only has what it stored.
    fn restart(&self) -> BoxFuture<'_, Result<Box<dyn TokenHolder>, HolderError>>;

    /// Returns its printed form, and those of everything that it holds.
    fn printed(&self) -> BoxFuture<'_, Vec<String>>;
}

/// The tokens of a user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UserTokens {
    /// The access token.
    pub access: String,
    /// The refresh token, if there is one.
    pub refresh: Option<String>,
}

/// The failure of a client.
#[derive(Clone, Debug, Default)]
pub struct HolderError {
    /// The status for the browser, or that of the API's answer.
    pub status: Option<u16>,
    /// All texts that it prints.
    pub texts: Vec<String>,
}

impl Registration {
    /// Returns the URL to which a user returns.
    fn callback_url(&self, pairs: &[(&str, &str)]) -> Result<String, String> {
        let mut url = Url::parse(&self.redirect_uri).map_err(|error| format!("the redirect URI is none: {error}"))?;
        url.query_pairs_mut().extend_pairs(pairs);
        Ok(url.into())
    }
}

impl HolderError {
    fn text(&self) -> &str {
        self.texts.first().map_or("", String::as_str)
    }
}

impl AuthorizationCase<'_> {
    /// Runs a case. Returns an error if the client violates the rule.
    pub(super) async fn run(&self, drive: AuthorizationDrive) -> Result<(), String> {
        match drive {
            AuthorizationDrive::AuthorizationRequest => self.authorization_request().await,
            AuthorizationDrive::CallbackState => self.callback_state().await,
            AuthorizationDrive::CallbackError => self.callback_error().await,
            AuthorizationDrive::CallbackOnce => self.callback_once().await,
            AuthorizationDrive::Verifier => self.verifier().await,
            AuthorizationDrive::PublicClient => self.public_client().await,
            AuthorizationDrive::TokenRequest => self.token_request().await,
            AuthorizationDrive::ClientAuthentication => self.client_authentication().await,
            AuthorizationDrive::Scopes => self.scopes().await,
            AuthorizationDrive::FailedExchange => self.failed_exchange().await,
            AuthorizationDrive::FailedRefresh => self.failed_refresh().await,
            AuthorizationDrive::RefreshKept => self.refresh_kept().await,
            AuthorizationDrive::RefreshReplaced => self.refresh_replaced().await,
            AuthorizationDrive::WithoutRefresh => self.without_refresh().await,
            AuthorizationDrive::RefreshAhead => self.refresh_ahead().await,
            AuthorizationDrive::AbsoluteExpiry => self.absolute_expiry().await,
            AuthorizationDrive::OwnToken => self.own_token().await,
            AuthorizationDrive::OneTokenRequest => self.one_token_request().await,
            AuthorizationDrive::TokensHidden => self.tokens_hidden().await,
            AuthorizationDrive::JwtClaims => self.jwt_claims().await,
            AuthorizationDrive::JwtCached => self.jwt_cached().await,
            AuthorizationDrive::JwtSecret => self.jwt_secret().await,
        }
    }
}
