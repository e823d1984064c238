//! Client authentication at the token endpoint (RFC 6749, section 2.3.1; RFC 7523, section 2.2).

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::encode::{Parameters, form_text};
use crate::auth::SecretSource;
#[cfg(feature = "jwt")]
use crate::auth::{JwtKey, jwt::ClientAssertion};
use crate::error::Error;

#[derive(Clone)]
pub(super) enum ClientAuthentication {
    /// By its id alone.
    Public,
    /// With the secret among the parameters.
    Body(Arc<dyn SecretSource>),
    /// With the secret in the header.
    Basic(Arc<dyn SecretSource>),
    /// With a JWT that it signs: `private_key_jwt`, and with a shared secret `client_secret_jwt`.
    #[cfg(feature = "jwt")]
    Assertion(JwtKey),
}

impl ClientAuthentication {
    /// The secret to send, or the JWT that proves it.
    pub(super) async fn proof(
        &self,
        client_id: &str,
        audience: &Url,
        now: SystemTime,
    ) -> Result<Option<SecretString>, Error> {
        #[cfg(not(feature = "jwt"))]
        let _ = (audience, now);
        let secret = match self {
            Self::Public => return Ok(None),
            Self::Body(source) | Self::Basic(source) => source.read().await?,
            #[cfg(feature = "jwt")]
            Self::Assertion(key) => ClientAssertion { client_id, audience: audience.as_str(), now }.sign(key).await?,
        };
        match flaw(secret.expose_secret()) {
            Some(flaw) => Err(Error::credential(format!("the secret of the OAuth client {client_id} {flaw}"))),
            None => Ok(Some(secret)),
        }
    }

    /// Adds what the parameters need, and returns the header where one is needed.
    pub(super) fn apply<'a>(
        &self,
        client_id: &'a str,
        proof: &'a str,
        parameters: &mut Parameters<'a>,
    ) -> Result<Option<HeaderValue>, Error> {
        // A request that is pushed has it already.
        let id =
            [("client_id", client_id)].into_iter().filter(|_| parameters.iter().all(|(name, _)| *name != "client_id"));
        let id: Vec<_> = id.collect();
        match self {
            Self::Public => parameters.extend(id),
            Self::Body(_) => parameters.extend(id.into_iter().chain([("client_secret", proof)])),
            // Not in the body as well: a request uses one method only.
            Self::Basic(_) => return basic(client_id, proof).map(Some),
            #[cfg(feature = "jwt")]
            Self::Assertion(_) => parameters.extend(id.into_iter().chain([
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", proof),
            ])),
        }
        Ok(None)
    }
}

/// Refuses the id of a client that no server can have given.
pub(super) fn checked_id(client_id: &str) -> Result<(), Error> {
    match flaw(client_id) {
        Some(flaw) => Err(Error::configuration(format!("the id of the OAuth client {flaw}"))),
        None => Ok(()),
    }
}

/// Returns the defect of an id or a secret (RFC 6749, appendices A.1 and A.2), as the end of a sentence. A line break is usually one that was
/// copied along.
fn flaw(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("is empty");
    }
    text.chars().any(char::is_control).then_some("holds a line break or another control character: copy it again")
}

/// Both halves are form-encoded first, so that a colon in the id does not move the border.
fn basic(client_id: &str, secret: &str) -> Result<HeaderValue, Error> {
    let pair = format!("{}:{}", form_text(client_id), form_text(secret));
    let mut value = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(pair)))
        .map_err(|_| Error::credential("the client secret cannot be sent in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for ClientAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("Public"),
            Self::Body(source) => f.debug_tuple("Body").field(source).finish(),
            Self::Basic(source) => f.debug_tuple("Basic").field(source).finish(),
            #[cfg(feature = "jwt")]
            Self::Assertion(key) => f.debug_tuple("Assertion").field(key).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_and_secret_are_form_encoded_before_base64() {
        let header = basic("my:client", "p%s w+é").expect("a header");
        let decoded = BASE64_STANDARD.decode(&header.as_bytes()["Basic ".len()..]).expect("base64");
        assert_eq!(String::from_utf8_lossy(&decoded), "my%3Aclient:p%25s%20w%2B%C3%A9");
        assert_eq!(format!("{header:?}"), "Sensitive");
    }
}
