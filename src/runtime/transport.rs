//! What a generated client carries beside its HTTP client, and how it sends a request.

use std::fmt;
use std::sync::Arc;

use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::{Request, Response, Url};

use super::Carried;
use super::attempt::Call;
use super::scope::Scope;
use super::shared::Shared;
use crate::auth::Credential;
use crate::{CallOptions, Config, Error, Operation};

/// What all clones of a client share, and the options of this one's calls.
#[derive(Clone)]
pub(crate) struct Transport {
    shared: Arc<Shared>,
    options: Arc<CallOptions>,
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
        let http = config.http(&base)?;
        let shared = Shared::new(Scope::new(base), credential, config);
        Ok((http, Self { shared: Arc::new(shared), options: Arc::default() }))
    }

    /// The same transport, with options for its calls.
    #[must_use]
    pub(crate) fn with_options(&self, options: CallOptions) -> Self {
        Self { shared: Arc::clone(&self.shared), options: Arc::new(options) }
    }

    /// The settings of the client.
    #[cfg(feature = "instasent-ingest")]
    pub(crate) fn config(&self) -> &Config {
        &self.shared.config
    }

    /// The base URL, without a slash at its end.
    pub(crate) fn base_url(&self) -> &str {
        self.shared.scope.base_url()
    }

    /// Checks where the request of an operation would go.
    pub(crate) fn prepare(
        &self,
        request: &mut Request,
        table: &'static [Operation],
        function: &str,
    ) -> Result<(), String> {
        self.shared.scope.check(request.url(), row(table, function)?)?;
        self.prepare_raw(request);
        Ok(())
    }

    /// Adds the headers that every request has.
    pub(crate) fn prepare_raw(&self, request: &mut Request) {
        let headers = request.headers_mut();
        // An operation without a JSON answer would ask for `*/*`, and its errors would come as HTML.
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        for (name, value) in &self.options.headers {
            headers.append(name, value.clone());
        }
    }

    /// The URL of a path below the base URL, for requests that no document describes.
    pub(crate) fn url(&self, path: &str) -> Result<Url, Error> {
        self.shared.scope.url(path)
    }

    /// Sends the request of an operation, as often as that and the policy allow.
    pub(crate) async fn execute(
        &self,
        http: &reqwest::Client,
        request: Request,
        table: &'static [Operation],
        function: &str,
    ) -> Response {
        match row(table, function) {
            Ok(operation) => self.execute_raw(http, request, operation).await,
            Err(text) => Carried::response(Error::invalid_request(text)),
        }
    }

    /// Sends a request, as often as what is known of it allows.
    pub(crate) async fn execute_raw(
        &self,
        http: &reqwest::Client,
        request: Request,
        operation: &'static Operation,
    ) -> Response {
        Call { shared: &self.shared, options: &self.options, http, operation }.run(request).await
    }
}

/// The row of an operation, by the name of its method.
fn row(table: &'static [Operation], function: &str) -> Result<&'static Operation, String> {
    let row = table.iter().find(|operation| operation.function == function);
    row.ok_or_else(|| format!("{function} is not in the operation table"))
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}
