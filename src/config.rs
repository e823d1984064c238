//! What a client can be told beside its credential: base URL, times, retries, user agent.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, Url};

use crate::auth::Fingerprint;
use crate::observer::Observer;
use crate::{Clock, Environment, Error, RetryPolicy, SystemClock};

/// The longest body of a success that is read by default, in bytes.
pub(crate) const RESPONSE_LIMIT: usize = 64 << 20;

/// Settings of a client. The defaults are the documented base URL, 10 s to connect, 30 s for an attempt, 60 s for a whole
/// call, answers of up to 64 MiB, and the default [`RetryPolicy`].
#[derive(Clone)]
pub struct Config {
    base_url: Option<String>,
    connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) deadline: Duration,
    pub(crate) response_limit: usize,
    pub(crate) retry: RetryPolicy,
    pub(crate) waits_for_rate_limits: bool,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) clock: Arc<dyn Clock>,
    user_agent: Option<String>,
    environment: Option<Environment>,
    any_environment: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            base_url: None,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            deadline: Duration::from_secs(60),
            response_limit: RESPONSE_LIMIT,
            retry: RetryPolicy::default(),
            waits_for_rate_limits: true,
            observer: None,
            clock: Arc::new(SystemClock),
            user_agent: None,
            environment: None,
            any_environment: false,
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

    /// How long connecting may take. Default: 10 s.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one attempt may take, from connecting to the last byte of the answer. Default: 30 s. When it runs out the
    /// request may have been executed: see [`Error::may_have_been_sent`].
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long a call may take, with all its attempts and waits. Default: 60 s. A wait that would leave less
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

    /// How often and when failed calls are tried again.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sends calls even where the server has said that none is left in this window. By default they wait for the next one,
    /// so that no 429 is provoked; clones of a client share what is known.
    #[must_use]
    pub fn ignore_rate_limits(mut self) -> Self {
        self.waits_for_rate_limits = false;
        self
    }

    /// Who is told of each attempt.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
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
        self.user_agent = Some(agent.into());
        self
    }

    /// The environment that the client is for: an API key of another one is refused before anything is sent. Default:
    /// none, and nothing is checked.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// Lets a key of another environment through, with a warning in the log for each that is checked. For the rare look
    /// at production from a developer's machine.
    #[must_use]
    pub fn allow_key_of_another_environment(mut self) -> Self {
        self.any_environment = true;
        self
    }

    /// Whether a credential may be used in the environment of this configuration, and in no other of this process.
    pub(crate) fn check_environment(&self, secret: &str) -> Result<(), Error> {
        let Some(environment) = &self.environment else { return Ok(()) };
        let key = Fingerprint::of(secret);
        let checked = environment.check(secret).and_then(|()| environment.claim(key));
        match checked {
            Err(error) if self.any_environment => {
                tracing::warn!(target: "keyfit::auth", %key, %environment, "allowed against the rule: {error}");
                Ok(())
            }
            checked => checked,
        }
    }

    /// The base URL in force, checked.
    pub(crate) fn checked_base_url(&self, documented: &str) -> Result<Url, Error> {
        checked_base(self.base_url.as_deref().unwrap_or(documented), "the base URL")
    }

    /// The HTTP client. It follows no redirect: a redirect to another origin would carry the credential there, and one
    /// after a POST would send a GET or a second POST.
    pub(crate) fn http(&self, base: &Url) -> Result<reqwest::Client, Error> {
        let own = concat!("keyfit/", env!("CARGO_PKG_VERSION"));
        let agent = self.user_agent.as_ref().map_or_else(|| own.to_owned(), |agent| format!("{agent} {own}"));
        let builder = reqwest::Client::builder()
            .user_agent(agent)
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
            // The attempt loop alone sends anything again.
            .retry(reqwest::retry::never());
        // A proxy of the environment would take plain http, and the credential in it, off this machine.
        let builder = if is_loopback(base) { builder.no_proxy() } else { builder };
        without_needless_roots(builder, base)
            .build()
            .map_err(|error| Error::configuration_from("the HTTP client cannot be set up".to_owned(), error))
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A URL that is refused later may hold a password.
        let url = self.base_url.as_deref().map(Url::parse);
        let origin =
            url.map(|url| url.map_or_else(|_| "(no URL)".to_owned(), |url| url.origin().ascii_serialization()));
        f.debug_struct("Config")
            .field("base_url", &origin)
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .field("deadline", &self.deadline)
            .field("response_limit", &self.response_limit)
            .field("retry", &self.retry)
            .field("waits_for_rate_limits", &self.waits_for_rate_limits)
            .field("observer", &self.observer)
            .field("clock", &self.clock)
            .field("user_agent", &self.user_agent)
            .field("environment", &self.environment)
            .field("any_environment", &self.any_environment)
            .finish()
    }
}

/// A client of a loopback host over plain http never speaks TLS; reading the system's certificates for it is most of
/// what making it would cost.
fn without_needless_roots(builder: ClientBuilder, base: &Url) -> ClientBuilder {
    #[cfg(feature = "rustls")]
    if base.scheme() == "http" {
        return builder.tls_certs_only([]);
    }
    let _ = base;
    builder
}

/// A URL below which requests go: as [`checked_url`], and without a query. A slash at its end is left out.
pub(crate) fn checked_base(text: &str, name: &str) -> Result<Url, Error> {
    let url = checked_url(text.trim_end_matches('/'), name)?;
    if url.query().is_some() {
        return Err(Error::configuration(format!("{name} has a query: give scheme, host and path only")));
    }
    Ok(url)
}

/// A URL that a credential or a user may be sent to. `name` is what the messages call it; the URL itself is not shown.
pub(crate) fn checked_url(text: &str, name: &str) -> Result<Url, Error> {
    let url = Url::parse(text).map_err(|error| {
        Error::configuration(format!("{name} cannot be read ({error}): give a whole URL, https and host included"))
    })?;
    check_place(&url, name)?;
    if url.fragment().is_some() {
        return Err(Error::configuration(format!("{name} has a fragment, the part from `#` on: leave it out")));
    }
    Ok(url)
}

/// Whether a credential may be sent there: by https, or by plain http to a loopback host, and without a password in the
/// URL. `name` is what the messages call the URL.
pub(crate) fn check_place(url: &Url, name: &str) -> Result<(), Error> {
    // The URL itself is not shown: it may hold the very password that it is refused for.
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::configuration(format!(
            "{name} holds a user name or password: give the credential to the client"
        )));
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        "http" => Err(Error::configuration(format!(
            "{name} {} is plain http, which would show the credential to everyone on the way: use https",
            url.origin().ascii_serialization()
        ))),
        scheme => Err(Error::configuration(format!("{name} has the scheme {scheme}: use https"))),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_logs::logs_of;

    const DOCUMENTED: &str = "https://api.example.com/v1";

    fn check(url: &str) -> Result<String, String> {
        let checked = Config::default().base_url(url).checked_base_url(DOCUMENTED);
        checked.map(|url| url.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn https_and_loopback_are_accepted() {
        for url in [
            "https://api.example.com/v1/",
            "http://127.0.0.1:8080",
            "http://127.9.9.9",
            "http://[::1]:1",
            "http://localhost:3000/x",
        ] {
            assert!(check(url).is_ok(), "{url}");
        }
        assert!(Config::default().checked_base_url(DOCUMENTED).is_ok());
    }

    #[test]
    fn an_environment_is_checked_where_one_is_given() {
        let sandbox = Config::default().environment(Environment::Sandbox);
        assert!(Config::default().check_environment("sk_live_a").is_ok());
        assert!(sandbox.check_environment("sk_live_a").is_err());
        assert!(sandbox.check_environment("sk_test_a").is_ok());
        assert!(sandbox.check_environment("rk_of_two_configs").is_ok());
        let live = Config::default().environment(Environment::Live);
        assert!(live.check_environment("rk_of_two_configs").is_err());
    }

    #[test]
    fn a_key_of_another_environment_is_let_through_when_told() {
        let config = Config::default().environment(Environment::Sandbox).allow_key_of_another_environment();
        for _ in 0..2 {
            let logs = logs_of(|| assert!(config.check_environment("sk_live_let-through").is_ok()));
            let warning = logs.lines().find(|line| line.contains("allowed against the rule")).expect("a warning");
            assert!(warning.contains("WARN") && warning.contains("use a test key"), "{warning}");
            assert!(!logs.contains("let-through"), "{logs}");
        }
        assert_eq!(logs_of(|| assert!(config.check_environment("sk_test_b").is_ok())), "");
    }

    #[test]
    fn what_would_show_or_misplace_the_credential_is_refused() {
        for url in [
            "http://api.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "ftp://api.example.com",
            "https://user:hunter2@api.example.com",
            "https://api.example.com/?key=hunter2",
            "https://api.example.com/#hunter2",
            "api.example.com",
        ] {
            let message = check(url).expect_err(url);
            let shown = format!("{message} {:?}", Config::default().base_url(url));
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
