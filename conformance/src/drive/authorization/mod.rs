//! The authorization side of a client: how it comes by tokens, keeps and renews them, put before a scripted
//! authorization server and a clock of its own.

mod callback;
mod expiry;
mod jwt;
mod keyfit_holder;
mod naive_holder;
mod naive_tokens;
mod play;
mod refresh;
mod request;
mod wire;

use std::time::Duration;

use futures_core::future::BoxFuture;
use reqwest::Url;

pub use keyfit::testing::TestClock;
pub(super) use keyfit_holder::KeyfitHolder;
pub(super) use naive_holder::NaiveHolder;
pub(super) use play::Play;

use crate::contract::{AuthorizationDrive, ClientAuthentication, TokenBody};
use crate::secret::Secret;

/// The call that clients make, below the URL of the API.
pub(super) const CALL: &str = "/auth/test";

/// A client as an authorization server knows it, and where it finds the server.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Its `client_id`, which holds characters that have to be encoded.
    pub id: String,
    /// Its secret; public clients have none.
    pub secret: Option<Secret>,
    /// How it authenticates at the token endpoint.
    pub authentication: ClientAuthentication,
    /// How token requests are written.
    pub body: TokenBody,
    /// Where users are sent.
    pub authorize_url: String,
    /// Where tokens come from.
    pub token_url: String,
    /// Where users come back to.
    pub redirect_uri: String,
    /// The scopes to ask for.
    pub scopes: Vec<String>,
    /// What tokens are for.
    pub api_url: String,
    /// How it comes by tokens.
    pub flow: Flow,
    /// The time of day.
    pub clock: TestClock,
}

impl Registration {
    /// Lets seconds pass.
    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// How a client comes by tokens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Flow {
    /// A user consents.
    Code,
    /// The client asks for itself.
    ClientCredentials,
    /// The client signs JWTs with its secret.
    Jwt {
        /// `sub`.
        subject: String,
        /// `aud`.
        audience: String,
    },
}

/// A client that holds tokens.
pub trait TokenHolder: Send + Sync {
    /// Where the browser of this session is sent to log in.
    fn log_in<'a>(&'a self, session: &'a str) -> BoxFuture<'a, Result<String, Refusal>>;

    /// The browser comes back with this URL; its code is turned into tokens, which are stored.
    fn callback<'a>(&'a self, session: &'a str, url: &'a str) -> BoxFuture<'a, Result<(), Refusal>>;

    /// Sends `GET /auth/test` to the API with the token of now, and returns the status of the answer.
    fn call(&self) -> BoxFuture<'_, Result<u16, Refusal>>;

    /// What is stored for the user who logged in.
    fn stored(&self) -> BoxFuture<'_, Option<Stored>>;

    /// The same client in a new process: what it stored is all that it has.
    fn restart(&self) -> BoxFuture<'_, Result<Box<dyn TokenHolder>, Refusal>>;

    /// How it prints, and everything that it holds.
    fn printed(&self) -> BoxFuture<'_, Vec<String>>;
}

/// The tokens of a user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stored {
    /// The access token.
    pub access: String,
    /// The refresh token, where there is one.
    pub refresh: Option<String>,
}

/// What a client did not do.
#[derive(Clone, Debug, Default)]
pub struct Refusal {
    /// The status for the browser, or that of the API's answer.
    pub status: Option<u16>,
    /// Everything that it prints.
    pub texts: Vec<String>,
}

impl Registration {
    /// The URL with which a user comes back.
    fn coming_back(&self, pairs: &[(&str, &str)]) -> Result<String, String> {
        let mut url = Url::parse(&self.redirect_uri).map_err(|error| format!("the redirect URI is none: {error}"))?;
        url.query_pairs_mut().extend_pairs(pairs);
        Ok(url.into())
    }
}

impl Refusal {
    fn text(&self) -> &str {
        self.texts.first().map_or("", String::as_str)
    }
}

impl Play<'_> {
    /// Plays a case; what is wrong is the error.
    pub(super) async fn play(&self, drive: AuthorizationDrive) -> Result<(), String> {
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
