//! What a generated client carries beside its HTTP client: the credential and the place where it may be sent.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{Request, Response, StatusCode};

use super::scope::Scope;
use super::{Failure, Withheld};
use crate::auth::{Credential, Held};
use crate::{Config, Error, Operation, clock};

/// The credential of a client and the origin that it belongs to. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Transport(Arc<Inner>);

struct Inner {
    scope: Scope,
    credential: Credential<()>,
    config: Config,
    /// The token that the environment was last checked for, by its place in the row; none at first.
    checked: AtomicU64,
}

impl Transport {
    /// Checks the configuration and builds the HTTP client. Nothing is sent.
    pub(crate) fn connect<K>(
        credential: Credential<K>,
        config: Config,
        documented: &str,
    ) -> Result<(reqwest::Client, Self), Error> {
        let base = config.checked_base_url(documented)?;
        let credential = credential.of_any_kind();
        // A fixed token that is out of place is said at once, one that is fetched when it comes.
        if let Some(held) = credential.fixed() {
            config.check_environment(held.token().expose())?;
        }
        let http = config.clone().into_http(&base)?;
        let checked = AtomicU64::new(u64::MAX);
        Ok((http, Self(Arc::new(Inner { scope: Scope::new(base), credential, config, checked }))))
    }

    /// The base URL, without a slash at its end.
    pub(crate) fn base_url(&self) -> &str {
        self.0.scope.base_url()
    }

    /// Checks where a request would go.
    pub(crate) fn prepare(&self, request: &mut Request, operation: &Operation) -> Result<(), String> {
        self.0.scope.check(request.url(), operation)?;
        // An operation without a JSON answer would ask for `*/*`, and its errors would come as HTML.
        request.headers_mut().entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        Ok(())
    }

    /// Adds the credential and sends. A 401 was not executed: where another token can be had, the request is sent once
    /// more with it. An answer that is no success comes back with its [`Failure`] attached.
    pub(crate) async fn execute(
        &self,
        http: &reqwest::Client,
        mut request: Request,
        operation: &str,
    ) -> reqwest::Result<Response> {
        let credential = &self.0.credential;
        let held = match credential.token().await.and_then(|held| self.in_place(held)) {
            Ok(held) => held,
            Err(error) => return Ok(Withheld::response(error)),
        };
        // The body is shared, not copied; one that cannot be shared is sent once.
        let again = if credential.may_change() { request.try_clone() } else { None };
        request.headers_mut().insert(AUTHORIZATION, held.authorization());
        let refused = match send(http, request, &held, operation).await? {
            Ok(response) => return Ok(response),
            Err(failure) => failure,
        };
        if refused.status == StatusCode::UNAUTHORIZED
            && let Some(mut again) = again
            && let Some(other) = credential.instead_of(&held).await
            && let Ok(other) = self.in_place(other)
        {
            again.headers_mut().insert(AUTHORIZATION, other.authorization());
            return Ok(send(http, again, &other, operation).await?.unwrap_or_else(|mut failure| {
                // The server has seen both tokens.
                failure.problem = failure.problem.masked(held.token().expose());
                failure.into_response()
            }));
        }
        Ok(refused.into_response())
    }
}

impl Transport {
    /// The token, if it may be used in this environment. Each new one is looked at once.
    fn in_place(&self, held: Held) -> Result<Held, Error> {
        if self.0.checked.load(Ordering::Relaxed) != held.generation() {
            self.0.config.check_environment(held.token().expose())?;
            self.0.checked.store(held.generation(), Ordering::Relaxed);
        }
        Ok(held)
    }
}

/// Sends a request, once.
#[expect(clippy::disallowed_methods, reason = "this is the one place that sends")]
async fn send(
    http: &reqwest::Client,
    request: Request,
    held: &Held,
    operation: &str,
) -> reqwest::Result<Result<Response, Failure>> {
    let mut response = http.execute(request).await?;
    if response.status().is_success() {
        // A success that does not fit becomes an error, which must not show what the server echoes.
        response.extensions_mut().insert(held.clone());
        return Ok(Ok(response));
    }
    let failure = Failure::of_status(response, held.token().expose()).await;
    if matches!(failure.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        report(&failure, held, operation);
    }
    Ok(Err(failure))
}

/// One event for each 401 and 403: what a security log wants to know, and nothing that opens a door.
fn report(failure: &Failure, held: &Held, operation: &str) {
    tracing::warn!(
        target: "keyfit::auth",
        time = %httpdate::fmt_http_date(clock::now()),
        operation,
        status = failure.status.as_u16(),
        code = failure.problem.code.as_deref(),
        request_id = failure.problem.request_id.as_deref(),
        key = %held.token().fingerprint(),
        "the server refused the credential"
    );
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}
