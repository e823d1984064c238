//! The transport of requests to a server: certificates, proxy, and additional headers.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, TRANSFER_ENCODING};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Identity, Method, RequestBuilder, Url};

use super::{Reply, receive};
use crate::credential::secret::Secret;
use crate::user_error::with_causes;

/// The time limit for an answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The user's settings for the connection to a live server.
#[derive(Clone, Debug, Default)]
pub struct TransportSettings {
    /// Certificate authorities besides the system's, as PEM.
    pub authorities: Option<Vec<u8>>,
    /// A client certificate with its private key, as PEM.
    pub client_certificate: Option<Secret>,
    /// True if any certificate of the server is accepted.
    pub accept_any_certificate: bool,
    /// Headers of every request. Their values may be secrets.
    pub headers: HeaderMap,
}

/// The client certificate that a connection shows.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) enum CertificateChoice {
    /// The one that the user named for all connections, if any.
    #[default]
    Usual,
    /// No certificate, even if the user named one.
    Nothing,
    /// This one, with its private key in PEM.
    This(Secret),
}

/// The HTTP clients of the probes. They follow no redirect: a redirect is an answer to be judged, and following it would send the token.
#[derive(Clone, Debug)]
pub struct Http {
    /// The client for the local machine, without a proxy.
    here: Client,
    /// The client for other hosts, through the proxy of the environment.
    elsewhere: Client,
    /// The headers of each request.
    pub(super) extra: HeaderMap,
    /// The settings of the clients; `None` for clients that only use plain HTTP.
    settings: Option<Arc<TransportSettings>>,
    /// Clients with other client certificates.
    others: Arc<Mutex<HashMap<CertificateChoice, Http>>>,
}

impl Http {
    /// Creates the clients for a live server.
    ///
    /// # Errors
    /// Returns an error, which names the option, if a certificate cannot be read or the TLS backend cannot be initialized.
    pub fn new(settings: &TransportSettings) -> Result<Self, String> {
        let headers = &settings.headers;
        // These headers determine the framing and the host of a message: the sent message would differ from the judged one.
        let reserved = [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING];
        if let Some(name) = reserved.iter().find(|name| headers.contains_key(*name)) {
            return Err(format!("--header: `{name}` is set by HTTP itself"));
        }
        let mut builders = [bare().no_proxy(), bare()];
        if let Some(pem) = &settings.authorities {
            let read = Certificate::from_pem_bundle(pem).ok().filter(|read| !read.is_empty());
            let certificates = read.ok_or("--cacert: the file holds no certificate in PEM")?;
            builders = builders.map(|builder| builder.tls_certs_merge(certificates.clone()));
        }
        if let Some(pem) = &settings.client_certificate {
            let identity = Identity::from_pem(pem.reveal().as_bytes());
            let identity =
                identity.map_err(|_| "--client-cert: the file needs a certificate and its private key, both in PEM")?;
            builders = builders.map(|builder| builder.identity(identity.clone()));
        }
        if settings.accept_any_certificate {
            builders = builders.map(|builder| builder.tls_danger_accept_invalid_certs(true));
        }
        let [here, elsewhere] = builders.map(|builder| builder.default_headers(headers.clone()).build());
        // For example, a certificate of version 1, which TLS does not accept.
        let setup_error = |error: reqwest::Error| format!("the HTTP client cannot be set up: {}", with_causes(&error));
        Ok(Self {
            here: here.map_err(setup_error)?,
            elsewhere: elsewhere.map_err(setup_error)?,
            extra: headers.clone(),
            settings: Some(Arc::new(settings.clone())),
            others: Arc::default(),
        })
    }

    /// Returns the same clients with this client certificate. They are created once.
    ///
    /// # Errors
    /// Returns an error if the certificate cannot be used.
    pub(super) fn showing(&self, certificate: &CertificateChoice) -> Result<Self, String> {
        let Some(settings) = self.settings.as_ref().filter(|_| *certificate != CertificateChoice::Usual) else {
            return Ok(self.clone());
        };
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = others.get(certificate) {
            return Ok(made.clone());
        }
        let client_certificate = match certificate {
            CertificateChoice::This(both) => Some(both.clone()),
            CertificateChoice::Usual | CertificateChoice::Nothing => None,
        };
        let made = Self::new(&TransportSettings { client_certificate, ..TransportSettings::clone(settings) })?;
        others.insert(certificate.clone(), made.clone());
        Ok(made)
    }

    /// Returns the content of a URL.
    ///
    /// # Errors
    /// Returns an error, without the URL, if there is no connection, an answer other than 200, or a text that is too long.
    pub async fn fetch(&self, url: Url) -> Result<Vec<u8>, String> {
        let reply = receive(self.request(Method::GET, url)).await.map_err(|failure| failure.reason)?;
        if reply.status == 200 { Ok(reply.body) } else { Err(format!("the server answers {}", reply.status)) }
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// Returns an error, without the URL, if there is no connection or no whole answer.
    pub(crate) async fn exchange(&self, request: RequestBuilder) -> Result<Reply, String> {
        receive(request).await.map_err(|failure| failure.reason)
    }

    /// Creates clients for a host that is not under test: without client certificate and headers, and with the same authorities.
    ///
    /// # Errors
    /// Returns an error if [`new`](Self::new) does.
    pub(crate) fn for_another_host(&self) -> Result<Self, String> {
        let authorities = self.settings.as_ref().and_then(|settings| settings.authorities.clone());
        Self::new(&TransportSettings { authorities, ..TransportSettings::default() })
    }

    /// Returns the client for a URL.
    pub(crate) fn client_for(&self, url: &Url) -> &Client {
        if is_loopback(url) { &self.here } else { &self.elsewhere }
    }

    /// Begins a request.
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client_for(&url).request(method, url)
    }
}

impl From<Client> for Http {
    fn from(client: Client) -> Self {
        Self {
            here: client.clone(),
            elsewhere: client,
            extra: HeaderMap::new(),
            settings: None,
            others: Arc::default(),
        }
    }
}

fn bare() -> reqwest::ClientBuilder {
    Client::builder().redirect(Policy::none()).timeout(REQUEST_TIMEOUT)
}

/// Creates the HTTP client for servers on the local machine, such as the mock.
///
/// # Errors
/// Returns an error if the TLS backend cannot be initialized.
pub fn http_client(speaks_tls: bool) -> Result<Client, reqwest::Error> {
    let builder = bare().no_proxy();
    // Reading the system's certificates takes longer than many cases do, and the mock speaks plain HTTP.
    let builder = if speaks_tls { builder } else { builder.tls_certs_only([]) };
    builder.build()
}

/// Returns whether a URL is on the local machine.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_of_this_machine() {
        let is_here = |url: &str| is_loopback(&url.parse().expect("a URL"));
        for url in ["http://localhost:1", "http://127.0.0.1", "http://127.9.9.9/a", "http://[::1]:80/"] {
            assert!(is_here(url), "{url}");
        }
        for url in ["http://localhost.example", "http://10.0.0.1", "http://0.0.0.0", "https://127.0.0.1.example"] {
            assert!(!is_here(url), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_named_by_its_option() {
        let refusal = |settings: TransportSettings| Http::new(&settings).expect_err("it cannot be used");
        let garbage = || Some(b"no certificate".to_vec());
        assert!(
            refusal(TransportSettings { authorities: garbage(), ..TransportSettings::default() })
                .starts_with("--cacert: ")
        );
        let client_certificate = Some(Secret::new("no certificate"));
        assert!(
            refusal(TransportSettings { client_certificate, ..TransportSettings::default() })
                .starts_with("--client-cert: ")
        );
        let headers = [(HOST, "other.example".parse().expect("a value"))].into_iter().collect();
        assert!(refusal(TransportSettings { headers, ..TransportSettings::default() }).starts_with("--header: `host`"));
    }
}
