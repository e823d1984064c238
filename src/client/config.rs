//! The settings of a client beside its credential: base URL, times, retries, user agent.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::RetryPolicy;
use super::hook::{Hook, RequestSigner};
use super::observer::Observer;
use crate::auth::http::{Http, checked_base};
use crate::auth::{TokenCheck, environment};
use crate::budget::Budget;
use crate::error::{Clock, Error, SystemClock};
#[cfg(feature = "rustls-no-provider")]
use crate::http_client::Authority;
use crate::http_client::{HttpClient, Own};

/// The longest body of a success that is read by default, in bytes.
pub(crate) const RESPONSE_LIMIT: usize = 64 << 20;

/// The longest item of a stream by default, in bytes.
const ITEM_LIMIT: usize = 16 << 20;

/// Settings of a client. The defaults are the documented base URL, 10 s to connect, 30 s for an attempt, 60 s for a whole
/// call, answers of up to 64 MiB, and the default [`RetryPolicy`].
#[derive(Clone)]
pub struct Config {
    base_url: Option<String>,
    /// The URLs in place of documented servers, by those.
    servers: Vec<(String, String)>,
    pub(crate) http: Http,
    pub(crate) deadline: Duration,
    pub(crate) response_limit: usize,
    pub(crate) idle_timeout: Duration,
    pub(crate) item_limit: usize,
    pub(crate) retry: RetryPolicy,
    pub(crate) retries: HashMap<String, RetryPolicy>,
    pub(crate) waits_for_rate_limits: bool,
    pub(crate) budget: Option<Arc<dyn Budget>>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) hooks: Vec<Arc<dyn Hook>>,
    pub(crate) signers: Vec<Arc<dyn RequestSigner>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) token_check: Option<Arc<dyn TokenCheck>>,
    pub(crate) allows_query_keys: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            base_url: None,
            servers: Vec::new(),
            http: Http::default(),
            deadline: Duration::from_secs(60),
            response_limit: RESPONSE_LIMIT,
            idle_timeout: Duration::from_secs(300),
            item_limit: ITEM_LIMIT,
            retry: RetryPolicy::default(),
            retries: HashMap::new(),
            waits_for_rate_limits: true,
            budget: None,
            observer: None,
            hooks: Vec::new(),
            signers: Vec::new(),
            clock: Arc::new(SystemClock),
            token_check: None,
            allows_query_keys: false,
        }
    }
}

impl Config {
    /// Another base URL than the documented one: a mock, a proxy, a staging host. It must be https; plain http is for
    /// loopback hosts only, because the credential goes with every request.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Where the operations go that the document gives a server of their own ([`Operation::server`](crate::Operation::server)),
    /// in place of that server: `Config::default().server("https://upload.example.com/v1", "https://upload.test.example.com/v1")`.
    /// Generated clients have the documented ones as constants in `servers`. The other URL must be https; plain http is for
    /// loopback hosts only.
    ///
    /// Without it, they are sent to the documented server as long as the base URL is the documented one too, and below the base
    /// URL where that is a loopback host: a mock stands in for all of an API. With any other [base URL](Self::base_url) they fail
    /// before anything is sent, so that no token of a test reaches production.
    #[must_use]
    pub fn server(mut self, documented: impl Into<String>, url: impl Into<String>) -> Self {
        let documented = documented.into().trim_end_matches('/').to_owned();
        self.servers.retain(|(known, _)| *known != documented);
        self.servers.push((documented, url.into()));
        self
    }

    /// The [base URL](Self::base_url) from an environment variable, where it is set: `PARCELS_BASE_URL`.
    ///
    /// # Errors
    /// Returns an error if the variable is set to what is no text. Its value is looked at when a client is made.
    pub fn base_url_from_env(self, variable: &str) -> Result<Self, Error> {
        // A variable that is set to nothing is how many tools write one that is not set.
        match environment::optional(variable)?.filter(|url| !url.is_empty()) {
            Some(url) => Ok(self.base_url(url)),
            None => Ok(self),
        }
    }

    /// Sends a key in the query of URLs, for an API that takes it nowhere else
    /// ([`Carrier::Query`](crate::auth::Carrier::Query)). URLs are logged by proxies and servers on their way, the key with
    /// them (RFC 6750, section 5.3); in errors, logs and reports of this side it is not shown. Default: such a credential is
    /// refused when the client is made.
    #[must_use]
    pub fn allow_query_keys(mut self) -> Self {
        self.allows_query_keys = true;
        self
    }

    /// Shows this certificate to a server that asks for one (mutual TLS). An operation that takes the scheme `mutualTLS` is called
    /// with it; beside that the server alone decides: it asks while a connection is opened, before it knows the operation, and
    /// sees the certificate and never the key. Over plain http to a loopback host nothing is shown.
    #[cfg(feature = "rustls-no-provider")]
    #[must_use]
    pub fn client_certificate(mut self, certificate: crate::auth::ClientCertificate) -> Self {
        self.http.client_certificate = Some(certificate);
        self
    }

    /// Trusts the certificate authorities in this text too, in PEM, beside those of the system: the one of a company or of a test
    /// environment. Each call adds to those before. Default: those of the system alone.
    ///
    /// # Errors
    /// Returns an error if the text holds no certificate.
    #[cfg(feature = "rustls-no-provider")]
    pub fn root_certificates(mut self, pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        let read = Authority::all_in(pem.as_ref());
        let read =
            read.ok_or_else(|| Error::configuration("the root certificates hold no certificate in PEM".to_owned()))?;
        self.http.authorities.extend(read);
        Ok(self)
    }

    /// Sets the timeout for connecting. Default: 10 s.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.http.connect_timeout = timeout;
        self
    }

    /// Sets the timeout of one attempt, from connecting to the last byte of the answer, or to its head if the body
    /// is handed on as a stream. Default: 30 s. When it runs out the
    /// request may have been executed: see [`Error::may_have_been_sent`].
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.http.timeout = timeout;
        self
    }

    /// Sets the deadline of a call, with all its attempts and waits, up to the last byte of the answer, or to its head if
    /// the body is handed on as a stream. Default: 60 s. A wait that would leave less
    /// than a second of it is not begun: the call fails at once, and [`Error::retry_after`] has the wait.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The longest body of a success that is read into memory, in bytes. Default: 64 MiB. Of a longer one what came up to
    /// the limit is kept with status and headers in an error of kind [`Cut`](crate::ErrorKind::Cut), and the connection
    /// is closed; the call was executed and is not repeated. The bytes that come count, not those that `Content-Length`
    /// promises; nothing is unpacked.
    ///
    /// A typed answer may take many times its length in memory: a list of millions of empty objects is short. A body that is
    /// handed on as a stream has no limit. Of an answer that is no success 1 MiB is kept.
    #[must_use]
    pub fn response_limit(mut self, bytes: usize) -> Self {
        self.response_limit = bytes;
        self
    }

    /// Sets the longest silence of a streamed body. Default: 300 s. Any byte counts, such as a comment that a
    /// server sends to keep the connection open. What is silent for longer ends with an error of kind
    /// [`Timeout`](crate::ErrorKind::Timeout).
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// The longest event or JSON text of a stream that is read into memory, in bytes. Default: 16 MiB. A longer one ends the
    /// stream with an error of kind [`Cut`](crate::ErrorKind::Cut).
    #[must_use]
    pub fn item_limit(mut self, bytes: usize) -> Self {
        self.item_limit = bytes;
        self
    }

    /// Sets the retry policy of failed calls.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Changes the policy by which failed calls are tried again, and keeps the rest of it: `config.with_retry(|retry| retry.attempts(2))`.
    #[must_use]
    pub fn with_retry(self, change: impl FnOnce(RetryPolicy) -> RetryPolicy) -> Self {
        let policy = change(self.retry.clone());
        self.retry(policy)
    }

    /// Sets the retry policy of one operation, by its id: `"sms-list"`. The budget is that of the client. An id that the
    /// API does not have is refused when the client is made.
    #[must_use]
    pub fn retry_operation(mut self, id: impl Into<String>, policy: RetryPolicy) -> Self {
        self.retries.insert(id.into(), policy);
        self
    }

    /// Sends calls even where the server has said that none is left in this window. By default they wait for the next one,
    /// so that no 429 is provoked; clones of a client share what is known.
    #[must_use]
    pub fn ignore_rate_limits(mut self) -> Self {
        self.waits_for_rate_limits = false;
        self
    }

    /// A rate budget that this client shares with others, in one process or on many machines: see [`budget`](crate::budget). Default: it
    /// keeps within the limits by itself.
    #[must_use]
    pub fn budget(mut self, budget: impl Budget) -> Self {
        self.budget = Some(Arc::new(budget));
        self
    }

    /// A client of your own that sends the requests: with a proxy, a pool, roots or layers of its own, or one that answers from memory in
    /// tests. See [`http_client`](crate::http_client). Without the feature `reqwest` there is no other.
    /// [`connect_timeout`](Self::connect_timeout) and certificates are its own business;
    /// the [`timeout`](Self::timeout) of an attempt stays in force.
    #[must_use]
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http.own = Some(Own::new(client));
        self
    }

    /// Sets the observer of each attempt; for several observers, a pair. `metrics::OpenTelemetry` (feature `opentelemetry`) is one.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Is called before and after each attempt: adds headers, sees requests and answers with secrets masked. Each call adds to those
    /// before. See [`hook`](crate::hook).
    #[must_use]
    pub fn hook(mut self, hook: impl Hook) -> Self {
        self.hooks.push(Arc::new(hook));
        self
    }

    /// Signs each attempt, as the last thing before it is sent. Each call adds to those before. See [`hook`](crate::hook).
    #[must_use]
    pub fn signer(mut self, signer: impl RequestSigner) -> Self {
        self.signers.push(Arc::new(signer));
        self
    }

    /// Another clock, for tests: waits, deadlines and resets go by it. The timeout of an attempt stays with the machine's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The name and version of your application, put in front of ours in `User-Agent`.
    #[must_use]
    pub fn user_agent(mut self, agent: impl Into<String>) -> Self {
        self.http.user_agent = Some(agent.into());
        self
    }

    /// Looks at each token before it is first sent. Default: nobody does.
    #[must_use]
    pub fn token_check(mut self, check: impl TokenCheck) -> Self {
        self.token_check = Some(Arc::new(check));
        self
    }

    /// The base URL in force, checked.
    pub(crate) fn checked_base_url(&self, documented: &str) -> Result<Url, Error> {
        checked_base(self.base_url.as_deref().unwrap_or(documented), "the base URL")
    }

    /// The documented servers for which there is another URL.
    pub(crate) fn servers(&self) -> impl Iterator<Item = &str> {
        self.servers.iter().map(|(documented, _)| documented.as_str())
    }

    /// The URL in place of a documented server, checked; `None` where there is none.
    pub(crate) fn checked_server(&self, documented: &str) -> Result<Option<Url>, Error> {
        let given = self.servers.iter().find(|(known, _)| known == documented);
        given.map(|(_, url)| checked_base(url, &format!("the URL in place of `{documented}`"))).transpose()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A URL that is refused later may hold a password.
        let origin = |url: &str| {
            Url::parse(url).map_or_else(|_| "(no URL)".to_owned(), |url| url.origin().ascii_serialization())
        };
        let servers: Vec<String> = self.servers.iter().map(|(_, url)| origin(url)).collect();
        f.debug_struct("Config")
            .field("base_url", &self.base_url.as_deref().map(origin))
            .field("servers", &servers)
            .field("http", &self.http)
            .field("deadline", &self.deadline)
            .field("response_limit", &self.response_limit)
            .field("idle_timeout", &self.idle_timeout)
            .field("item_limit", &self.item_limit)
            .field("retry", &self.retry)
            .field("retries", &self.retries)
            .field("waits_for_rate_limits", &self.waits_for_rate_limits)
            .field("budget", &self.budget)
            .field("observer", &self.observer)
            .field("hooks", &self.hooks)
            .field("signers", &self.signers)
            .field("clock", &self.clock)
            .field("token_check", &self.token_check)
            .field("allows_query_keys", &self.allows_query_keys)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTED: &str = "https://api.example.com/v1";

    fn check(url: &str) -> Result<String, String> {
        let checked = Config::default().base_url(url).checked_base_url(DOCUMENTED);
        checked.map(|url| url.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn another_base_url_takes_the_place_of_the_documented_one() {
        assert_eq!(check("http://[::1]:1/x/").as_deref(), Ok("http://[::1]:1/x"));
        assert!(Config::default().checked_base_url(DOCUMENTED).is_ok());
    }

    #[cfg(feature = "rustls-no-provider")]
    #[test]
    fn a_text_without_a_certificate_is_not_taken_for_one() {
        for pem in ["", "hunter2", "-----BEGIN CERTIFICATE-----\n"] {
            let error = Config::default().root_certificates(pem).expect_err(pem);
            assert!(error.to_string().contains("hold no certificate in PEM") && !error.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn a_base_url_that_is_refused_later_does_not_print() {
        for url in ["https://user:hunter2@api.example.com", "https://api.example.com/?key=hunter2"] {
            let shown = format!("{:?} {:?}", check(url).expect_err(url), Config::default().base_url(url));
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
