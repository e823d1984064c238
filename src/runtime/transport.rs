//! What a generated client carries beside its HTTP client: the credential and the place where it may be sent.

use std::fmt;
use std::sync::Arc;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{Request, Response};
use secrecy::{ExposeSecret as _, SecretString};

use super::Failure;
use super::scope::Scope;
use crate::auth::Bearer;
use crate::{Config, Error, Operation};

/// The credential of a client and the origin that it belongs to. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Transport(Arc<Inner>);

struct Inner {
    scope: Scope,
    authorization: HeaderValue,
    secret: SecretString,
}

impl Transport {
    /// Checks the configuration and builds the HTTP client. Nothing is sent.
    pub(crate) fn connect(
        credential: impl Bearer,
        config: Config,
        documented: &str,
    ) -> Result<(reqwest::Client, Self), Error> {
        let base = config.checked_base_url(documented)?;
        let http = config.into_http(&base)?;
        let scope = Scope::new(base);
        let secret = credential.into_secret();
        let authorization = authorization(&secret)?;
        Ok((http, Self(Arc::new(Inner { scope, authorization, secret }))))
    }

    /// The base URL, without a slash at its end.
    pub(crate) fn base_url(&self) -> &str {
        self.0.scope.base_url()
    }

    /// Checks where a request would go, then adds the credential.
    pub(crate) fn prepare(&self, request: &mut Request, operation: &Operation) -> Result<(), String> {
        self.0.scope.check(request.url(), operation)?;
        let headers = request.headers_mut();
        // An operation without a JSON answer would ask for `*/*`, and its errors would come as HTML.
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        headers.insert(AUTHORIZATION, self.0.authorization.clone());
        Ok(())
    }

    /// Sends a request, once. An answer that is no success comes back with its [`Failure`] attached.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that sends")]
    pub(crate) async fn execute(&self, http: &reqwest::Client, request: Request) -> reqwest::Result<Response> {
        let response = http.execute(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Ok(Failure::of_status(response, self.0.secret.expose_secret()).await.into_response())
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}

/// `Bearer <token>`, marked sensitive so that no `Debug` shows it.
fn authorization(secret: &SecretString) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", secret.expose_secret()))
        .map_err(|_| Error::credential("the token cannot be sent in a header".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_does_not_print() {
        let header = authorization(&SecretString::from("do-not-print-me")).expect("a header");
        assert_eq!(format!("{header:?}"), "Sensitive");
    }
}
