//! OAuth 2.0 (RFC 6749): users who give access, and services that act for themselves.

mod answer;
mod authorization;
mod callback;
mod client_authentication;
mod client_credentials;
mod encode;
mod file_store;
mod pending;
mod pkce;
mod random;
mod refresh;
mod store;
#[cfg(test)]
mod test_clock;
mod token_endpoint;
mod token_error;
mod token_set;

pub use authorization::AuthorizationRequest;
pub use callback::{AuthorizationCode, CallbackError, handle_callback};
pub use client_credentials::ClientCredentials;
pub use file_store::FileStore;
pub use pending::{MemoryPendingAuthorizations, PendingAuthorization, PendingAuthorizations};
pub use pkce::Verifier;
pub use refresh::RefreshingSession;
pub use store::{MemoryStore, TokenStore};
pub use token_endpoint::{BodyEncoding, TokenEndpoint, TokenEndpointBuilder};
pub use token_error::{TokenError, TokenErrorCode};
pub use token_set::TokenSet;
