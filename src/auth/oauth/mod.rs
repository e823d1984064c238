//! OAuth 2.0 (RFC 6749): users who give access, and services that act for themselves.
//!
//! Each flow gives a [`TokenSource`](super::TokenSource) for [`Credential`](super::Credential), which keeps its token
//! valid: one fetch for all callers, ahead of expiry, and once more after a 401.
//!
//! | Who acts | Flow | Source of tokens |
//! |---|---|---|
//! | a user, through your web application | code with PKCE and a client secret | [`RefreshingSession`] |
//! | a user, through an app or a command line | code with PKCE, no secret | [`RefreshingSession`] |
//! | a user, through a machine without a browser | device code | [`DeviceAuthorization`], then [`RefreshingSession`] |
//! | your service itself | client credentials | [`ClientCredentials`] |
//! | your service itself, by a key | a signed assertion | [`JwtBearer`] |
//! | your service, for a user who called it | token exchange | [`TokenExchange`] |
//!
//! [`AuthorizationServer::discover`] finds the endpoints of a server that describes itself; an [`OAuthFlow`](super::OAuthFlow) has those that the document
//! of an API names.
//!
//! # A service
//! ```
//! use keyfit::auth::oauth::{ClientCredentials, TokenEndpoint};
//! use keyfit::auth::source::EnvSource;
//! use keyfit::auth::Credential;
//! use keyfit::scopien::kind;
//!
//! # fn main() -> Result<(), keyfit::Error> {
//! let endpoint = TokenEndpoint::builder("https://auth.example.com/oauth/token", "my-client")
//!     .secret_in_body(EnvSource::new("MY_CLIENT_SECRET"))
//!     .build()?;
//! let grant = ClientCredentials::new(endpoint).with_scopes(["read"]);
//! let client = keyfit::scopien::Client::new(Credential::<kind::Key>::from_source(grant))?;
//! # let _ = client;
//! # Ok(())
//! # }
//! ```
//!
//! # A user
//! Three steps, with the browser between the first and the second:
//!
//! ```
//! use keyfit::auth::oauth::{
//!     AuthorizationRequest, FileStore, MemoryPendingAuthorizations, RefreshingSession, TokenEndpoint, handle_callback,
//! };
//! use keyfit::auth::Credential;
//! use keyfit::scopien::kind;
//!
//! /// `GET /login`: where to redirect the browser.
//! async fn login(
//!     request: &AuthorizationRequest,
//!     pending: &MemoryPendingAuthorizations,
//!     session_cookie: &str,
//! ) -> Result<String, keyfit::Error> {
//!     Ok(request.begin(session_cookie, pending).await?.into())
//! }
//!
//! /// `GET /callback`: a credential for the user's clients.
//! async fn callback(
//!     endpoint: TokenEndpoint,
//!     pending: &MemoryPendingAuthorizations,
//!     session_cookie: &str,
//!     request_uri: &str,
//! ) -> Result<Credential<kind::Key>, keyfit::Error> {
//!     // On a failure answer with `CallbackError::status` and `CallbackError::answer`.
//!     let code = handle_callback(request_uri, session_cookie, pending).await?;
//!     let tokens = endpoint.exchange(code).await?;
//!     let store = FileStore::new("/var/lib/my-app/alice.json");
//!     Ok(Credential::from_source(RefreshingSession::start(endpoint, tokens, store).await?))
//! }
//! ```
//!
//! # Promises
//! - `state` and PKCE with S256 always; `state` is random, kept before the redirect, bound to the browser's session,
//!   compared in constant time, good once and for ten minutes.
//! - Status and members of an answer are checked before anything is stored; a refusal leaves the stored tokens.
//! - A refresh token that the server leaves out is kept; one that it rotates is saved before the new access token is
//!   handed out. One that may have been redeemed is never sent again, by no process, whenever one is killed.
//! - Expiry is a time, not a number of seconds; one refresh at a time, across processes that share a [`FileStore`], or a
//!   record of `auth::store`.
//! - Every refusal is a [`TokenError`], whatever the body was; secrets are neither printed nor put into a URL.
//!
//! The cost of a kill in the middle of a refresh is described in
//! [`TokenStore`](TokenStore#a-kill-in-the-middle-of-a-refresh).
//!
//! # Settings that servers differ in
//! - Secret in the body ([`secret_in_body`](TokenEndpointBuilder::secret_in_body)), in the header
//!   ([`secret_in_header`](TokenEndpointBuilder::secret_in_header)), a signed assertion
//!   (`assertion`, feature `jwt`), or none.
//! - Parameters that are pushed ([`push`](AuthorizationRequest::push)) and not shown to the browser. Resource indicators
//!   (RFC 8707) are [`resource`](AuthorizationRequest::resource), [`with_resource`](ClientCredentials::with_resource) and
//!   [`TokenExchange::resource`].
//! - A form or JSON ([`BodyEncoding`]).
//! - Whether it names itself when it sends a user back ([`issuer`](AuthorizationRequest::issuer), RFC 9207), and how long a
//!   token is good ([`assumed_lifetime`](TokenEndpointBuilder::assumed_lifetime)).
//! - A refresh token comes with the scope `offline_access`, with `prompt=consent` besides
//!   ([`parameter`](AuthorizationRequest::parameter)), or always.
//!
//! # Limits and failures
//! A token request takes 10 s to connect and 30 s in all, its answer 1 MiB
//! ([`timeout`](TokenEndpointBuilder::timeout) changes that). An endpoint that is busy or cannot be reached is asked again
//! within that time: [`TokenEndpoint`] says when. A [`Credential`](super::Credential) asks again with the next call, after a
//! rest of 1 s that doubles up to 64 s, or for as long as the endpoint asks to wait, up to an hour. With
//! [`ReauthorizationRequired`](crate::ErrorKind::ReauthorizationRequired) the user must consent again, anything else may
//! pass; [`TokenError::of`] finds the server's answer behind any error. A returning user
//! who is not logged in is a [`CallbackError`], with the status and the text to answer him. Sources: RFC 6749, 7636 and
//! 9207, and the generic authentication guide.

mod answer;
mod authorization;
mod callback;
mod client_authentication;
mod client_credentials;
mod device;
mod encode;
#[cfg(not(target_family = "wasm"))]
mod file_store;
mod flow;
mod outcome;
mod pending;
mod pkce;
mod random;
mod refresh;
mod server;
mod store;
mod token_endpoint;
mod token_error;
mod token_exchange;
mod token_set;
mod token_state;
mod wire;

#[cfg(any(feature = "jwt", feature = "postgres", feature = "sqlite"))]
pub(super) use random::random_text;

pub use authorization::AuthorizationRequest;
pub use callback::{AuthorizationCode, CallbackError, handle_callback};
pub use client_credentials::ClientCredentials;
pub use device::DeviceAuthorization;
#[cfg(not(target_family = "wasm"))]
pub use file_store::FileStore;
pub use pending::{MemoryPendingAuthorizations, PendingAuthorization, PendingAuthorizations};
pub use pkce::Verifier;
pub use refresh::RefreshingSession;
pub use server::AuthorizationServer;
pub use store::{MemoryStore, Overtaken, StoreLock, TokenStore};
pub use token_endpoint::{TokenEndpoint, TokenEndpointBuilder};
pub use token_error::{TokenError, TokenErrorCode};
pub use token_exchange::{JwtBearer, TokenExchange};
pub use token_set::TokenSet;
pub use token_state::Introspection;
pub use wire::BodyEncoding;
