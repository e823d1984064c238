//! JWTs that the client signs itself, with a secret that it shares with the server.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_core::future::BoxFuture;
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use sha2::Sha256;

use super::{AccessToken, SecretSource, TokenSource};
use crate::error::{Clock, Error, SystemClock};

/// Whom a JWT is from, about and for.
#[derive(Clone, Debug)]
pub struct JwtParties {
    /// `iss`: the client id.
    pub issuer: String,
    /// `sub`: the user or service that acts.
    pub subject: String,
    /// `aud`: the API that shall accept it.
    pub audience: String,
}

/// Signs JWTs by HS256 (RFC 7515, RFC 7519) with the claims `iss`, `sub`, `aud`, `iat` and `exp`, and no others. Each
/// fetch is a new token: give it to [`Credential::from_source`](super::Credential::from_source), which keeps a token
/// until it is about to expire. The secret is read for each signature, so a rotated one is found.
///
/// Times are whole seconds since 1970; `exp` is `iat` and the lifetime, an hour where [`lifetime`](Self::lifetime) does
/// not say less. A fetch fails where the secret cannot be read or is shorter than 32 bytes (RFC 7518, section 3.2), and
/// where the clock stands before 1970. A server refuses with 401 and does not say which claim it minds: compare
/// [`JwtParties`] with what is registered, and the clocks. Source: the generic authentication guide, whose secret is that
/// of the OAuth client.
///
/// ```
/// use keyfit::auth::source::EnvSource;
/// use keyfit::auth::{Credential, JwtParties, JwtSigner};
/// use keyfit::scopien::kind;
///
/// # fn main() -> Result<(), keyfit::Error> {
/// let secret = EnvSource::new("MY_CLIENT_SECRET");
/// let parties = JwtParties {
///     issuer: "client_123".to_owned(),
///     subject: "service_billing".to_owned(),
///     audience: "SCOPIEN_API".to_owned(),
/// };
/// let credential: Credential<kind::Key> = Credential::from_source(JwtSigner::new(parties, secret)?);
/// # let _ = credential;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct JwtSigner {
    parties: JwtParties,
    secret: Arc<dyn SecretSource>,
    lifetime: Duration,
    clock: Arc<dyn Clock>,
}

/// HS256 wants a key at least as long as its digest (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;
const LONGEST_LIFETIME: Duration = Duration::from_secs(3600);

impl JwtSigner {
    /// Tokens of one hour.
    ///
    /// # Errors
    /// A blank issuer, subject or audience: an unset variable, most likely.
    pub fn new(parties: JwtParties, secret: impl SecretSource) -> Result<Self, Error> {
        let JwtParties { issuer, subject, audience } = &parties;
        for (claim, text) in [("issuer", issuer), ("subject", subject), ("audience", audience)] {
            if text.trim().is_empty() {
                return Err(Error::credential(format!("the {claim} of the JWT is blank: set it")));
            }
        }
        Ok(Self { parties, secret: Arc::new(secret), lifetime: LONGEST_LIFETIME, clock: Arc::new(SystemClock) })
    }

    /// How long each token is good, in whole seconds.
    ///
    /// # Errors
    /// Less than a second, a part of a second, and more than the hour that servers accept.
    pub fn lifetime(mut self, lifetime: Duration) -> Result<Self, Error> {
        if lifetime.is_zero() || lifetime > LONGEST_LIFETIME || lifetime.subsec_nanos() != 0 {
            return Err(Error::credential(format!(
                "a JWT cannot be good for {lifetime:?}: give whole seconds, from 1 to {}",
                LONGEST_LIFETIME.as_secs()
            )));
        }
        self.lifetime = lifetime;
        Ok(self)
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    fn sign(&self, secret: &SecretString) -> Result<AccessToken, Error> {
        let key = secret.expose_secret().as_bytes();
        if key.len() < SHORTEST_SECRET {
            return Err(Error::credential(format!(
                "the secret that signs the JWT has {} bytes: HS256 needs {SHORTEST_SECRET} or more",
                key.len()
            )));
        }
        // Read once: two readings can lie on both sides of a second, and the token would live a second too long.
        let now = self.clock.now().duration_since(UNIX_EPOCH).map_err(|_| {
            Error::credential("the clock of this machine is before 1970, no JWT can be signed: set the clock")
        })?;
        let issued = now.as_secs();
        let expires = issued.saturating_add(self.lifetime.as_secs());
        let JwtParties { issuer, subject, audience } = &self.parties;
        let claims = Claims { iss: issuer, sub: subject, aud: audience, iat: issued, exp: expires };
        let claims = serde_json::to_vec(&claims)
            .map_err(|error| Error::credential_from("the claims of the JWT cannot be written", error))?;
        let input =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#), URL_SAFE_NO_PAD.encode(claims));
        let token = format!("{input}.{}", signature(key, &input));
        // A time that no clock reaches is no expiry.
        Ok(AccessToken::new(token).expiring_at(UNIX_EPOCH.checked_add(Duration::from_secs(expires))))
    }
}

impl TokenSource for JwtSigner {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(async { self.sign(&self.secret.read().await?) })
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
}

/// The HMAC SHA-256 of a signing input, as the third part of a JWS.
fn signature(key: &[u8], input: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(input.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
#[path = "jwt_tests.rs"]
mod tests;
