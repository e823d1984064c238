//! The client certificate for mutual TLS, with its private key.

use std::fmt;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::Error;
use crate::http_client::Identity;

/// A client certificate with its private key, for servers that ask for one (mutual TLS, the scheme `mutualTLS` of a document).
/// Zeroised on drop, never printed.
///
/// ```no_run
/// use keyfit::Config;
/// use keyfit::auth::ClientCertificate;
/// use keyfit::scopien::{Client, Key};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let (chain, key) = (std::fs::read_to_string("client.pem")?, std::fs::read_to_string("client.key")?);
/// let config = Config::default().client_certificate(ClientCertificate::new(&chain, key)?);
/// let client = Client::with_config(Key::from_env()?, config)?;
/// # drop(client);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ClientCertificate(SecretString);

impl ClientCertificate {
    /// Takes a certificate, followed by those that lead to its authority, and its private key: both in PEM, the key as PKCS #8,
    /// PKCS #1 or SEC 1, and not encrypted.
    ///
    /// # Errors
    /// Returns an error if one of the two is missing or cannot be parsed. Whether they belong together is checked when a client is
    /// made.
    pub fn new(certificate: &str, key: impl Into<SecretString>) -> Result<Self, Error> {
        let key = key.into();
        let both = Zeroizing::new([certificate, "\n", key.expose_secret()].concat());
        Self::from_pem(both.as_str())
    }

    /// Takes both from one text, in any order.
    ///
    /// # Errors
    /// Returns an error if [`new`](Self::new) would.
    pub fn from_pem(text: impl Into<SecretString>) -> Result<Self, Error> {
        let certificate = Self(text.into());
        match flaw(certificate.0.expose_secret()) {
            Some(flaw) => Err(Error::configuration(format!("the client certificate {flaw}"))),
            None => certificate.identity().map(|_| certificate),
        }
    }

    /// Converts it to the type of the HTTP client.
    pub(super) fn identity(&self) -> Result<Identity, Error> {
        Identity::from_pem(self.0.expose_secret().as_bytes()).ok_or_else(|| {
            Error::configuration("the client certificate or its key is not valid PEM: copy both again".to_owned())
        })
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate(redacted)")
    }
}

/// Returns the defect of a text that must be a certificate and its key, as the end of a sentence.
fn flaw(pem: &str) -> Option<&'static str> {
    let begin = |label: &str| pem.matches(&format!("-----BEGIN {label}-----")).count();
    let keys = begin("PRIVATE KEY") + begin("RSA PRIVATE KEY") + begin("EC PRIVATE KEY");
    match (begin("CERTIFICATE"), keys) {
        (0, 0) => {
            Some("is not in PEM: `openssl pkcs12 -nodes` or `openssl x509` and `openssl pkey` convert other forms")
        }
        (0, _) => Some("is missing: there is a private key alone"),
        (_, 0) if pem.contains("ENCRYPTED") => Some("has an encrypted key: `openssl pkey` writes it without"),
        (_, 0) => Some("has no private key in PEM: give both, the certificate and its key"),
        (_, 1) => None,
        (_, _) => Some("has more than one private key: give the one that belongs to it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_certificate_is_refused_without_being_shown() {
        let block = |label: &str| format!("-----BEGIN {label}-----\nZG8tbm90LXByaW50\n-----END {label}-----\n");
        let (certificate, key) = (block("CERTIFICATE"), block("PRIVATE KEY"));
        for (certificate, key, told) in [
            (certificate.as_str(), "", "has no private key"),
            ("", key.as_str(), "is missing"),
            ("ZG8tbm90", "LXByaW50", "is not in PEM"),
            (&certificate, &block("ENCRYPTED PRIVATE KEY"), "encrypted"),
            (&certificate, &key.repeat(2), "more than one"),
            (&certificate, &key[..40], "is not valid PEM"),
        ] {
            let error = ClientCertificate::new(certificate, key).expect_err(told);
            assert!(error.to_string().contains(told), "{error}");
            assert!(!format!("{error} {error:?}").contains("ZG8tbm90"), "{error:?}");
        }
        let whole = ClientCertificate::from_pem(key + &certificate).expect("both");
        assert_eq!(format!("{whole:?}"), "ClientCertificate(redacted)");
    }
}
