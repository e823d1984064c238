//! What a generated client carries beside its HTTP client, and how it sends a request: the checks before it leaves, the
//! attempt loop, and what becomes of its answer.

mod answer;
mod attempt;
mod classify;
mod exchange;
pub(crate) mod items;
mod limiter;
mod look;
mod opening;
mod outgoing;
mod places;
mod repeat;
mod retry_budget;
mod scope;
mod servers;
mod shared;
mod span;
pub(crate) mod stop;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, HeaderValue};
use url::Url;

pub use exchange::Answer;
pub use outgoing::Outgoing;

use attempt::Call;
use opening::Keys;
use servers::Servers;
use shared::Shared;

use crate::auth::{Carrier, Credential};
use crate::client::idempotency::add_key;
use crate::client::{CallOptions, Config, Requests, RetryPolicy};
use crate::error::{Api, Error, Operation};
use crate::http_client::{Request, SendError};

/// What all clones of a client share, and the options of this one's calls.
#[derive(Clone)]
pub struct Transport {
    shared: Arc<Shared>,
    options: Arc<CallOptions>,
}

impl Transport {
    /// Checks the configuration and builds the HTTP client. Nothing is sent.
    ///
    /// # Errors
    /// Returns an error if the base URL may not be used, a credential may not be sent, two are of one kind, or the TLS backend
    /// cannot be initialized.
    pub fn connect<K>(credential: Credential<K>, config: Config, api: &'static Api) -> Result<(Requests, Self), Error> {
        let servers = Servers::new(api, &config)?;
        let credentials = credential.into_parts();
        for credential in &*credentials {
            if let (Carrier::Query(parameter), false) = (credential.carrier(), config.allows_query_keys) {
                return Err(Error::configuration(format!(
                    "the API takes the key in the parameter `{parameter}` of the URL, and URLs are logged on their way: \
                     `Config::allow_query_keys` sends it there all the same"
                )));
            }
            // A fixed token that must not be sent is said at once, one that is fetched when it comes.
            if let (Some(held), Some(check)) = (credential.fixed(), &config.token_check) {
                check.check_token(held.token())?;
            }
        }
        if let Some(unknown) = config.retries.keys().find(|id| api.operation(id).is_none()) {
            return Err(Error::configuration(format!(
                "a retry policy is for an operation that there is not: `{unknown}`"
            )));
        }
        let keys = Keys::new(api, &credentials, config.http.has_client_certificate())?;
        let sender = config.http.sender(&servers.places())?;
        let shared = Shared::new(api, servers, keys, config, sender);
        Ok((Requests, Self { shared: Arc::new(shared), options: Arc::default() }))
    }

    /// The same transport, with options for its calls.
    #[must_use]
    pub fn with_options(&self, options: CallOptions) -> Self {
        Self { options: Arc::new(options), ..self.clone() }
    }

    /// The same transport, whose options are changed.
    #[must_use]
    pub(crate) fn changed(&self, change: impl FnOnce(CallOptions) -> CallOptions) -> Self {
        self.with_options(change(CallOptions::clone(&self.options)))
    }

    /// How the calls of an operation are tried again.
    pub(crate) fn policy(&self, operation: &Operation) -> &RetryPolicy {
        let config = self.config();
        self.options.retry.as_ref().or_else(|| config.retries.get(operation.id)).unwrap_or(&config.retry)
    }

    /// Whether the caller says that its calls may be executed twice.
    pub(crate) fn is_idempotent(&self) -> bool {
        self.options.idempotent
    }

    /// The settings of the client.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// The base URL, without a slash at its end. Operations with a server of their own have another one.
    pub fn base_url(&self) -> &str {
        self.shared.servers.base().base_url()
    }

    /// The URL below which the path of an operation lies, without a slash at its end.
    ///
    /// # Errors
    /// Returns an error if the operation has a server of its own that the configuration does not lead to.
    pub fn base_url_of(&self, operation: &Operation) -> Result<&str, Error> {
        Ok(self.shared.servers.of(operation)?.base_url())
    }

    /// Refuses an operation that takes what the client does not hold.
    pub(crate) fn opens(&self, operation: &Operation) -> Result<(), Error> {
        self.shared.keys.choose(operation).map(drop)
    }

    /// Adds the headers that every request has.
    pub(crate) fn prepare_raw(&self, request: &mut Request) {
        let headers = request.headers_mut();
        // An operation without a JSON answer would ask for `*/*`, and its errors would come as HTML.
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        for (name, value) in &self.options.headers {
            headers.append(name, value.clone());
        }
        for (name, value) in &self.options.conditions {
            headers.entry(name).or_insert_with(|| value.clone());
        }
    }

    /// The URL of a path below the base URL, for requests that no document describes.
    pub(crate) fn url(&self, path: &str) -> Result<Url, Error> {
        self.shared.servers.base().url(path)
    }

    /// Refuses a request that does not go where its operation is, and adds the headers that every request has, and its idempotency key.
    pub(crate) fn prepare(&self, request: &mut Request, operation: &Operation) -> Result<(), Error> {
        self.shared.servers.of(operation)?.check(request.url(), operation)?;
        self.prepare_raw(request);
        // Before the attempts, so that all of them have the same.
        add_key(request, operation)
    }

    /// Sends the request of an operation, as often as that and the policy allow.
    ///
    /// # Errors
    /// Returns an error if the request was not built, does not go where the operation is, or is not answered by a success.
    pub async fn send(
        &self,
        _: &Requests,
        request: Result<impl Into<Outgoing>, Unsent>,
        operation: &'static Operation,
    ) -> Result<Answer, Error> {
        self.run(request, operation, operation.streams).await
    }

    /// As [`send`](Self::send); the body of a success is handed on as it comes, whatever the operation is.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub(crate) async fn open(
        &self,
        request: Result<impl Into<Outgoing>, Unsent>,
        operation: &'static Operation,
    ) -> Result<Answer, Error> {
        self.run(request, operation, true).await
    }

    async fn run(
        &self,
        request: Result<impl Into<Outgoing>, Unsent>,
        operation: &'static Operation,
        opens: bool,
    ) -> Result<Answer, Error> {
        let run = async {
            let mut request: Outgoing = request.map_err(Unsent::into_error)?.into();
            self.prepare(&mut request.request, operation)?;
            self.call(operation, opens).run(request).await
        };
        run.await.map_err(|error| error.of_operation(operation))
    }

    /// Sends a request to wherever it goes below the base URL of its operation: where a server names the next page of a list.
    ///
    /// # Errors
    /// Returns an error if it goes elsewhere, and as [`send`](Self::send) does.
    pub(crate) async fn send_below_base(
        &self,
        mut request: Request,
        operation: &'static Operation,
    ) -> Result<Answer, Error> {
        let send = async {
            self.shared.servers.of(operation)?.check_link(request.url())?;
            self.prepare_raw(&mut request);
            self.send_raw(request, operation).await
        };
        send.await.map_err(|error| error.of_operation(operation))
    }

    /// Sends a request, as often as what is known of it allows.
    pub(crate) async fn send_raw(
        &self,
        request: impl Into<Outgoing>,
        operation: &'static Operation,
    ) -> Result<Answer, Error> {
        self.call(operation, operation.streams).run(request.into()).await
    }

    fn call<'a>(&'a self, operation: &'static Operation, opens: bool) -> Call<'a> {
        let (shared, options) = (&*self.shared, &*self.options);
        Call { shared, options, operation, opens, stop: options.stop.as_deref() }
    }

    /// The longest item of a stream, in bytes.
    pub(crate) fn item_limit(&self) -> usize {
        self.options.item_limit.unwrap_or(self.shared.config.item_limit)
    }

    /// How often in a row a broken stream is taken up again.
    pub(crate) fn reconnects(&self) -> u32 {
        self.options.reconnects
    }

    /// Waits. `false` where the call is stopped before that.
    pub(crate) async fn rest(&self, wait: Duration) -> bool {
        stop::unless_stopped(self.options.stop.as_deref(), self.shared.config.clock.sleep(wait)).await
    }
}

/// Why a generated call could not be built. The names are those that generated code has for it.
#[derive(Debug)]
pub struct Unsent(Error);

impl Unsent {
    /// An argument that was refused.
    #[expect(non_snake_case, reason = "generated code calls it by this name")]
    pub fn InvalidRequest(text: String) -> Self {
        Self(Error::invalid_request(text))
    }
}

impl Unsent {
    pub(crate) fn into_error(self) -> Error {
        self.0
    }
}

impl From<Error> for Unsent {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// An argument that was refused.
impl From<String> for Unsent {
    fn from(text: String) -> Self {
        Self::InvalidRequest(text)
    }
}

impl From<SendError> for Unsent {
    fn from(error: SendError) -> Self {
        Self(Error::transport(error))
    }
}

impl From<http::header::InvalidHeaderValue> for Unsent {
    fn from(error: http::header::InvalidHeaderValue) -> Self {
        Self(Error::invalid_request(format!("an argument that is a header is refused: {error}")))
    }
}

impl From<std::convert::Infallible> for Unsent {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}
