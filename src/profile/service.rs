//! Tokens of a service that acts for itself, by what a profile says of its client.

use std::sync::Arc;

use super::place::Place;
use super::source::Client;
use crate::auth::{CredentialKind, TokenSource};
use crate::error::Error;

/// The source of such tokens. Nothing is asked for yet.
#[cfg(feature = "oauth")]
pub(super) fn source(client: &Client, kind: &CredentialKind, place: &Place) -> Result<Arc<dyn TokenSource>, Error> {
    let flow = kind.flow.unwrap_or_default();
    if client.token_url.is_none() && flow.token_url.is_none() && flow.issuer.is_none() {
        let problem = format!("the document does not say where `{}` is had", kind.name);
        return Err(place.fault(problem, "add `token-url`"));
    }
    Ok(Arc::new(with_oauth::Service {
        flow,
        id: client.id.ready(place)?,
        secret: client.secret.ready(place)?,
        client: client.clone(),
        grant: tokio::sync::OnceCell::new(),
    }))
}

#[cfg(not(feature = "oauth"))]
pub(super) fn source(_: &Client, _: &CredentialKind, place: &Place) -> Result<Arc<dyn TokenSource>, Error> {
    Err(place.fault("this build of keyfit has no OAuth", "turn on its feature `oauth` in Cargo.toml"))
}

#[cfg(feature = "oauth")]
mod with_oauth {
    use std::sync::Arc;

    use futures_core::future::BoxFuture;
    use secrecy::ExposeSecret as _;
    use tokio::sync::OnceCell;

    use super::super::source::{Client, Known};
    use crate::auth::oauth::{ClientCredentials, TokenEndpoint};
    use crate::auth::{AccessToken, OAuthFlow, SecretSource, TokenSource};
    use crate::error::Error;

    /// A client whose id may have to be read, at a server that may have to be asked where its endpoint is.
    #[derive(Debug)]
    pub(super) struct Service {
        pub(super) flow: OAuthFlow,
        pub(super) id: Known,
        pub(super) secret: Arc<dyn SecretSource>,
        pub(super) client: Client,
        pub(super) grant: OnceCell<ClientCredentials>,
    }

    impl Service {
        async fn begin(&self) -> Result<ClientCredentials, Error> {
            let id = self.id.read().await?;
            let id = id.expose_secret();
            let endpoint = match (&self.client.token_url, self.flow.token_url) {
                (Some(url), _) => TokenEndpoint::builder(url, id),
                (None, Some(_)) => self.flow.token_endpoint(id)?,
                (None, None) => self.flow.discover().await?.token_endpoint(id)?,
            };
            let secret = Arc::clone(&self.secret);
            let endpoint = if self.client.is_in_body {
                endpoint.secret_in_body(secret)
            } else {
                endpoint.secret_in_header(secret)
            };
            let grant = ClientCredentials::new(endpoint.build()?);
            let grant = match &self.client.scopes {
                Some(scopes) => grant.with_scopes(scopes.iter().map(String::as_str)),
                None => grant.with_scopes(self.flow.scopes.iter().copied()),
            };
            Ok(self.client.audience.iter().fold(grant, |grant, audience| grant.with_audience(audience)))
        }
    }

    impl TokenSource for Service {
        fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
            Box::pin(async { self.grant.get_or_try_init(|| self.begin()).await?.fetch().await })
        }
    }
}
