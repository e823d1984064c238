//! How a client says who it is (RFC 6749, section 2.3.1).

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::HeaderValue;

use super::encode::{Parameters, form_text};
use crate::auth::SecretSource;
use crate::error::Error;

#[derive(Clone)]
pub(super) enum ClientAuthentication {
    /// By its id alone.
    Public,
    /// With the secret among the parameters.
    Body(Arc<dyn SecretSource>),
    /// With the secret in the header.
    Basic(Arc<dyn SecretSource>),
}

impl ClientAuthentication {
    pub(super) fn source(&self) -> Option<&dyn SecretSource> {
        match self {
            Self::Public => None,
            Self::Body(source) | Self::Basic(source) => Some(&**source),
        }
    }

    /// Adds what the parameters need, and returns the header where one is needed.
    pub(super) fn apply<'a>(
        &self,
        client_id: &'a str,
        secret: &'a str,
        parameters: &mut Parameters<'a>,
    ) -> Result<Option<HeaderValue>, Error> {
        match self {
            Self::Public => parameters.push(("client_id", client_id)),
            Self::Body(_) => parameters.extend([("client_id", client_id), ("client_secret", secret)]),
            // Not in the body as well: a request uses one method only.
            Self::Basic(_) => return basic(client_id, secret).map(Some),
        }
        Ok(None)
    }
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
        assert_eq!(String::from_utf8_lossy(&decoded), "my%3Aclient:p%25s+w%2B%C3%A9");
        assert_eq!(format!("{header:?}"), "Sensitive");
    }
}
