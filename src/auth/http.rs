//! The HTTP client that sends credentials, and the URLs that they may be sent to: APIs, token endpoints and secret stores.

use std::time::Duration;

use http::header::HeaderValue;
use url::Url;

#[cfg(feature = "rustls-no-provider")]
use super::certificate::ClientCertificate;
use crate::error::Error;
#[cfg(target_family = "wasm")]
use crate::http_client::Fetch;
#[cfg(feature = "rustls-no-provider")]
use crate::http_client::{Authority, Trust};
#[cfg(feature = "reqwest")]
use crate::http_client::{BuiltIn, Setup};
use crate::http_client::{Own, Sender};

/// The settings of an HTTP client. It follows no redirect: a redirect to another origin would carry the credential there, and
/// one after a POST would send a GET or a second POST.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    pub(crate) connect_timeout: Duration,
    /// The time from connecting to the last byte of the response.
    pub(crate) timeout: Duration,
    /// The application's name, which precedes that of Keyfit.
    pub(crate) user_agent: Option<String>,
    /// True if a connection serves several requests. A connection that the server closes at the moment of its reuse looks
    /// like a lost response.
    #[cfg_attr(not(feature = "reqwest"), expect(dead_code, reason = "a client of the user's own decides that itself"))]
    pub(crate) keeps_connections: bool,
    /// A custom client that replaces the built-in one.
    pub(crate) own: Option<Own>,
    /// The certificate for a server that asks for one.
    #[cfg(feature = "rustls-no-provider")]
    pub(crate) client_certificate: Option<ClientCertificate>,
    /// The certificate authorities beside those of the system.
    #[cfg(feature = "rustls-no-provider")]
    pub(crate) authorities: Vec<Authority>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            user_agent: None,
            keeps_connections: true,
            own: None,
            #[cfg(feature = "rustls-no-provider")]
            client_certificate: None,
            #[cfg(feature = "rustls-no-provider")]
            authorities: Vec::new(),
        }
    }
}

impl Http {
    /// Makes the sender for the hosts of these URLs.
    ///
    /// # Errors
    /// Returns an error if a certificate cannot be used or no host would receive it, the name of the application is not a valid header
    /// value, the TLS backend cannot be initialized, or there is no client at all.
    pub(crate) fn sender(&self, places: &[&Url]) -> Result<Sender, Error> {
        let keyfit = concat!("keyfit/", env!("CARGO_PKG_VERSION"));
        let agent = self.user_agent.as_ref().map_or_else(|| keyfit.to_owned(), |agent| format!("{agent} {keyfit}"));
        let Some(own) = &self.own else { return self.built_in(&agent, places) };
        if self.sets_certificates() {
            let text = "certificates are set beside a client of your own, which would not know of them: set them there";
            return Err(Error::configuration(text.to_owned()));
        }
        Ok(Sender::Own(own.clone(), name_of(&agent)?))
    }

    /// Makes the built-in client.
    #[cfg(feature = "reqwest")]
    fn built_in(&self, agent: &str, places: &[&Url]) -> Result<Sender, Error> {
        let setup = Setup {
            agent,
            connect_timeout: self.connect_timeout,
            timeout: self.timeout,
            keeps_connections: self.keeps_connections,
            // A proxy from the environment would carry plain http, and the credential in it, off this machine.
            uses_proxy: !places.iter().any(|place| is_loopback(place)),
            // A client of loopback hosts over plain http never speaks TLS; reading the system's certificates for it is most of
            // what making it would cost.
            #[cfg(feature = "rustls-no-provider")]
            trust: if places.iter().all(|place| place.scheme() == "http") {
                Trust::Nobody
            } else {
                Trust::SystemAnd(&self.authorities)
            },
            #[cfg(feature = "rustls-no-provider")]
            identity: self.client_certificate.as_ref().map(ClientCertificate::identity).transpose()?,
        };
        BuiltIn::new(setup).map(Sender::BuiltIn).map_err(|error| {
            let hint = if self.has_client_certificate() {
                " with this client certificate: does the key belong to it?"
            } else {
                ""
            };
            Error::configuration_from(format!("the HTTP client cannot be set up{hint}: {error}"), error)
        })
    }

    /// Makes a client of JavaScript's `fetch`.
    #[cfg(target_family = "wasm")]
    #[expect(clippy::unused_self, reason = "what can be set is set by the browser")]
    fn built_in(&self, agent: &str, _: &[&Url]) -> Result<Sender, Error> {
        Ok(Sender::Own(Own::new(Fetch), name_of(agent)?))
    }

    /// Returns an error: no client is built in.
    #[cfg(not(any(feature = "reqwest", target_family = "wasm")))]
    #[expect(clippy::unused_self, reason = "with reqwest there is one")]
    fn built_in(&self, _: &str, _: &[&Url]) -> Result<Sender, Error> {
        let text = "no HTTP client is built in without the feature `reqwest` of keyfit: turn it on, or give a client of your own to \
                    `http_client`";
        Err(Error::configuration(text.to_owned()))
    }
}

#[cfg(feature = "rustls-no-provider")]
impl Http {
    /// Returns whether a server that asks for a client certificate gets one.
    pub(crate) fn has_client_certificate(&self) -> bool {
        self.client_certificate.is_some()
    }

    fn sets_certificates(&self) -> bool {
        self.has_client_certificate() || !self.authorities.is_empty()
    }
}

#[cfg(not(feature = "rustls-no-provider"))]
#[expect(clippy::unused_self, reason = "with TLS there are certificates")]
impl Http {
    pub(crate) fn has_client_certificate(&self) -> bool {
        false
    }

    fn sets_certificates(&self) -> bool {
        false
    }
}

/// Returns the user agent as a header value, for a custom client.
fn name_of(agent: &str) -> Result<HeaderValue, Error> {
    let name = HeaderValue::from_str(agent);
    name.map_err(|_| Error::configuration("the user agent cannot stand in a header".to_owned()))
}

/// Parses a base URL: as [`checked_url`], and without a query. A slash at its end is removed.
pub(crate) fn checked_base(text: &str, name: &str) -> Result<Url, Error> {
    let url = checked_url(text.trim_end_matches('/'), name)?;
    if url.query().is_some() {
        return Err(Error::configuration(format!("{name} has a query: give scheme, host and path only")));
    }
    Ok(url)
}

/// Parses a URL that a credential or a user may be sent to. `name` is its name in the messages; the URL itself is not shown.
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

/// Checks whether a credential may be sent to a URL: by https, or by plain http to a loopback host, and without a password in
/// the URL. `name` is its name in the messages.
pub(crate) fn check_place(url: &Url, name: &str) -> Result<(), Error> {
    // The URL itself is not shown: it may contain the password for which it is refused.
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

pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str) -> Result<String, String> {
        checked_base(url, "the base URL").map(|url| url.to_string()).map_err(|error| error.to_string())
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
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
