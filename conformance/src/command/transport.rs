//! The arguments for the connection to a live server.

use std::path::PathBuf;
use std::{fmt, fs, path::Path};

use clap::Args;
use keyfit::Config;
use keyfit::auth::ClientCertificate;
use keyfit::auth::source::ExposeSecret as _;
use keyfit_conformance::UserError;
use keyfit_conformance::credential::profile::{ResolvedProfile, profile_error};
use keyfit_conformance::credential::secret::{MASK, Redactor, Secret};
use keyfit_conformance::probe::{Http, TransportSettings, is_loopback};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Shorter values are versions and switches: masked everywhere, they would take a report apart.
const SHORTEST_SECRET: usize = 8;
/// Parts of header names whose values are secrets, however short.
const SECRET_HEADER_WORDS: [&str; 15] = [
    "auth",
    "code",
    "cookie",
    "credential",
    "csrf",
    "jwt",
    "key",
    "otp",
    "pass",
    "pin",
    "pwd",
    "secret",
    "session",
    "sig",
    "token",
];

/// The certificates of a connection.
#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct CertificateArgs {
    /// Trust the certificate authorities in this file too: PEM.
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// Show the server the client certificate in this file: PEM, with its private key unless --client-key names that.
    #[arg(long, value_name = "FILE")]
    client_cert: Option<PathBuf>,
    /// The private key of the client certificate, where it is in a file of its own: PEM, not encrypted.
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
}

/// How a live server is reached.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct TransportArgs {
    #[command(flatten)]
    certificates: CertificateArgs,
    /// Accept any certificate of the live server, whoever issued it; the report says so.
    #[arg(long)]
    pub(super) insecure: bool,
    /// Send this header with every request, as `NAME: VALUE`; may be given more than once. Reports mask the value.
    #[arg(long, value_name = "HEADER", value_parser = header)]
    header: Vec<Header>,
    /// Send tokens over plain http to other machines: everyone on the way can read them.
    #[arg(long)]
    allow_plain_http: bool,
}

/// Returns whether a document is named by its URL.
pub(super) fn is_url(file: &str) -> bool {
    file.starts_with("https://") || file.starts_with("http://")
}

/// A header of the user's.
#[derive(Clone)]
pub(super) struct Header(pub(super) HeaderName, pub(super) HeaderValue);

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {MASK}", self.0)
    }
}

/// Says nothing about the value: it may be a secret.
pub(super) fn header(text: &str) -> Result<Header, String> {
    let (name, value) = text.split_once(':').ok_or("write it as `NAME: VALUE`")?;
    let name: HeaderName = name.trim().parse().map_err(|_| "the name of a header has letters, digits and hyphens")?;
    let mut value: HeaderValue = value.trim().parse().map_err(|_| "the value holds a character that no header can")?;
    value.set_sensitive(true);
    Ok(Header(name, value))
}

/// Returns the secrets in a header of the user: its value, and each part that a server may repeat alone.
pub(super) fn secrets<'v>(name: &HeaderName, value: &'v HeaderValue) -> Vec<&'v str> {
    let Ok(text) = value.to_str() else { return Vec::new() };
    let is_of_secrets = SECRET_HEADER_WORDS.iter().any(|part| name.as_str().contains(part));
    let parts = text.split([' ', ';', ',']).flat_map(|part| [Some(part), part.split_once('=').map(|(_, value)| value)]);
    let is_whole = |part: &str| part == text;
    let all = [text].into_iter().chain(parts.flatten().filter(|part| !is_whole(part)));
    // A part of few characters is the name of a scheme, or an attribute.
    all.filter(|part| part.len() >= SHORTEST_SECRET || (is_of_secrets && is_whole(part) && !part.is_empty())).collect()
}

impl CertificateArgs {
    /// Adds the certificates to the settings of a client.
    pub(super) fn apply(&self, config: Config) -> Result<Config, UserError> {
        let config = match &self.cacert {
            Some(path) => config.root_certificates(read(path)?).map_err(|_| {
                UserError::new("--cacert: the file holds no certificate in PEM")
                    .at(path.display())
                    .help("correct the option")
            })?,
            None => config,
        };
        Ok(match self.client()? {
            Some((certificate, _)) => config.client_certificate(certificate),
            None => config,
        })
    }

    /// Returns whether a client certificate is named.
    pub(super) fn has_client(&self) -> bool {
        self.client_cert.is_some()
    }

    /// Reads the client certificate, and the PEM text of it with its private key.
    fn client(&self) -> Result<Option<(ClientCertificate, Secret)>, UserError> {
        let Some(path) = &self.client_cert else { return Ok(None) };
        let mut both = pem(path, "--client-cert")?;
        if let Some(key) = &self.client_key {
            both = format!("{both}\n{}", pem(key, "--client-key")?);
        }
        match ClientCertificate::from_pem(both.clone()) {
            Ok(certificate) => Ok(Some((certificate, Secret::new(both)))),
            Err(error) => Err(UserError::new(format!("--client-cert: {error}"))
                .at(path.display())
                .help("name the files of both: --client-cert CERTIFICATE --client-key KEY")),
        }
    }
}

/// Reads a file in PEM.
fn pem(path: &Path, option: &str) -> Result<String, UserError> {
    String::from_utf8(read(path)?).map_err(|_| {
        UserError::new(format!("{option}: the file is not in PEM"))
            .at(path.display())
            .help("convert it: `openssl x509`, `openssl pkey`")
    })
}

impl TransportArgs {
    /// Creates the HTTP clients. `credentials` are the headers in which tokens are sent.
    pub(super) fn http(
        &self,
        credentials: &[HeaderName],
        redactor: &Redactor,
        profile: Option<&ResolvedProfile>,
    ) -> Result<Http, UserError> {
        let mut headers = HeaderMap::new();
        for Header(name, value) in &self.header {
            if credentials.contains(name) {
                return Err(UserError::new(format!("--header would override `{name}`, which says who calls"))
                    .help("name the credential in the tokens file"));
            }
            for secret in secrets(name, value) {
                redactor.learn(&Secret::new(secret));
            }
            headers.append(name.clone(), value.clone());
        }
        // The authorities of the profile are added to those of the options; its client certificate is used if no option names one.
        let of_profile = profile.map(|profile| profile.api.root_certificates()).transpose();
        let of_profile = of_profile.map_err(|error| profile_error(&error))?.flatten().map(String::into_bytes);
        let all: Vec<Vec<u8>> = self.authorities()?.into_iter().chain(of_profile).collect();
        let client_certificate = match (self.certificates.client()?, profile) {
            (Some((_, both)), _) => Some(both),
            (None, Some(profile)) => {
                let both = profile.api.client_certificate().map_err(|error| profile_error(&error))?;
                both.map(|both| Secret::new(both.expose_secret()))
            }
            (None, None) => None,
        };
        http_client(&TransportSettings {
            authorities: Some(all.join(&b'\n')).filter(|all| !all.is_empty()),
            client_certificate,
            accept_any_certificate: self.insecure,
            headers,
        })
    }

    /// Creates the HTTP clients for hosts that the user did not name: without credentials, and without additional trusted certificates.
    pub(super) fn anonymous(&self) -> Result<Http, UserError> {
        http_client(&TransportSettings { authorities: self.authorities()?, ..TransportSettings::default() })
    }

    /// Returns whether requests identify the caller: by a header or a client certificate.
    pub(super) fn says_who_calls(&self) -> bool {
        !self.header.is_empty() || self.certificates.has_client()
    }

    fn authorities(&self) -> Result<Option<Vec<u8>>, UserError> {
        self.certificates.cacert.as_deref().map(read).transpose()
    }

    /// Refuses a URL to which tokens would be sent unencrypted.
    pub(super) fn check(&self, url: &Url) -> Result<(), UserError> {
        if url.scheme() == "https" || is_loopback(url) || self.allow_plain_http {
            return Ok(());
        }
        Err(UserError::new("tokens would be sent over plain http")
            .at(url)
            .help("use https; --allow-plain-http sends them all the same"))
    }
}

fn http_client(settings: &TransportSettings) -> Result<Http, UserError> {
    Http::new(settings).map_err(|problem| UserError::new(problem).help("correct the option, or leave it out"))
}

fn read(path: &Path) -> Result<Vec<u8>, UserError> {
    fs::read(path).map_err(|error| {
        UserError::new(format!("the file cannot be read: {error}")).at(path.display()).help("check the path")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_header_tells_whether_a_short_value_is_a_secret() {
        for (written, expected) in [
            ("X-Version: 2", &[][..]),
            ("Accept-Language: en", &[]),
            ("X-Pin: 4711", &["4711"]),
            ("x-api-key: abc12", &["abc12"]),
            ("X-Workspace: workspace-1", &["workspace-1"]),
            ("Cookie: sid=abcdefgh1; a=b", &["sid=abcdefgh1; a=b", "sid=abcdefgh1", "abcdefgh1"]),
            ("Proxy-Authorization: Basic dXNlcjpwYXNz", &["Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"]),
        ] {
            let Header(name, value) = header(written).expect("a header");
            assert_eq!(secrets(&name, &value), expected, "{written}");
        }
    }
}
