//! JWTs that the client signs itself (RFC 7515, RFC 7519).

mod key;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_core::future::BoxFuture;
use serde::Serialize;

use key::Signer;

use super::{AccessToken, TokenSource};
use crate::error::{Clock, Error, SystemClock};

pub use key::{JwtAlgorithm, JwtKey};

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

/// Signs JWTs with the claims `iss`, `sub`, `aud`, `iat` and `exp`, and no others, by a shared secret or a private key
/// ([`JwtKey`]). Each fetch is a new token: give it to [`Credential::from_source`](super::Credential::from_source), which
/// keeps a token until it is about to expire.
///
/// Times are whole seconds since 1970. `iat` is half a minute ago ([`backdated`](Self::backdated)): servers refuse a token
/// from the future, and clocks differ. `exp` is `iat` and the lifetime, an hour where [`lifetime`](Self::lifetime) does not
/// say less. A fetch fails where the key cannot be read or does not fit its algorithm, and where the clock stands before
/// 1970. A server refuses with 401 and does not say which claim it minds: compare [`JwtParties`] with what is registered, and
/// the clocks. Source: the generic authentication guide, whose secret is that of the OAuth client.
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
    key: JwtKey,
    lifetime: Duration,
    backdated: Duration,
    clock: Arc<dyn Clock>,
}

/// The usual difference between the clocks of two machines.
const LEEWAY: Duration = Duration::from_secs(30);
const LONGEST_LIFETIME: Duration = Duration::from_secs(3600);

impl JwtSigner {
    /// Tokens of one hour. A source of a secret is a key for HS256.
    ///
    /// # Errors
    /// Returns an error if the issuer, the subject or the audience is blank: an unset variable, most likely.
    pub fn new(parties: JwtParties, key: impl Into<JwtKey>) -> Result<Self, Error> {
        let JwtParties { issuer, subject, audience } = &parties;
        for (claim, text) in [("issuer", issuer), ("subject", subject), ("audience", audience)] {
            if text.trim().is_empty() {
                return Err(Error::credential(format!("the {claim} of the JWT is blank: set it")));
            }
        }
        let clock = Arc::new(SystemClock);
        Ok(Self { parties, key: key.into(), lifetime: LONGEST_LIFETIME, backdated: LEEWAY, clock })
    }

    /// Sets the lifetime of each token, in whole seconds, from the time to which it is [backdated](Self::backdated): by half of
    /// its lifetime at most.
    ///
    /// # Errors
    /// Returns an error if it is less than a second, has a part of a second, or is more than the hour that servers accept.
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

    /// Sets the time by which `iat` is backdated, and `exp` with it, in whole seconds. Default: 30 s. If a clock is further ahead of the
    /// server's than that, the server refuses its tokens as issued in the future.
    ///
    /// Parts of a second are dropped, and more than half of the lifetime is half of it.
    #[must_use]
    pub fn backdated(mut self, leeway: Duration) -> Self {
        self.backdated = leeway;
        self
    }

    /// Replaces the clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    fn sign(&self, key: &Signer) -> Result<AccessToken, Error> {
        // Read once: two readings can lie on both sides of a second, and the token would live a second too long.
        let now = seconds(self.clock.now())?;
        // A short token is dated back by less than its life.
        let back = self.backdated.min(self.lifetime / 2).as_secs();
        let issued = now.saturating_sub(back);
        let expires = issued.saturating_add(self.lifetime.as_secs());
        let JwtParties { issuer, subject, audience } = &self.parties;
        let claims = Claims { iss: issuer, sub: subject, aud: audience, iat: issued, exp: expires };
        let token = signed(key, &claims)?;
        // A time that no clock reaches is no expiry.
        Ok(AccessToken::new(token).expiring_at(UNIX_EPOCH.checked_add(Duration::from_secs(expires))))
    }
}

impl TokenSource for JwtSigner {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(async { self.sign(&self.key.read().await?) })
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

/// A client assertion (RFC 7523, section 3): a JWT from the client about itself, for the token endpoint, and valid
/// once.
#[cfg(feature = "oauth")]
pub(super) struct ClientAssertion<'a> {
    pub(super) client_id: &'a str,
    pub(super) audience: &'a str,
    pub(super) now: SystemTime,
}

#[cfg(feature = "oauth")]
impl ClientAssertion<'_> {
    /// The lifetime of an assertion, in seconds: for the way to the server, and for clocks that differ.
    const LIFE: u64 = 60;

    pub(super) async fn sign(&self, key: &JwtKey) -> Result<secrecy::SecretString, Error> {
        #[derive(Serialize)]
        struct Once<'a> {
            #[serde(flatten)]
            claims: Claims<'a>,
            jti: &'a str,
        }
        let key = key.read().await?;
        let now = seconds(self.now)?;
        let (iss, aud) = (self.client_id, self.audience);
        let claims = Claims {
            iss,
            sub: iss,
            aud,
            iat: now.saturating_sub(LEEWAY.as_secs()),
            exp: now.saturating_add(Self::LIFE),
        };
        let jti = super::oauth::random_text()?;
        signed(&key, &Once { claims, jti: secrecy::ExposeSecret::expose_secret(&jti) }).map(Into::into)
    }
}

/// A time as claims have it.
fn seconds(time: SystemTime) -> Result<u64, Error> {
    let since = time.duration_since(UNIX_EPOCH).map_err(|_| {
        Error::credential("the clock of this machine is before 1970, no JWT can be signed: set the clock")
    });
    since.map(|since| since.as_secs())
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

/// A JWS in its compact form.
fn signed(key: &Signer, claims: &impl Serialize) -> Result<String, Error> {
    let header = Header { alg: key.algorithm.as_str(), typ: "JWT", kid: key.id.as_deref() };
    let (header, claims) = serde_json::to_vec(&header)
        .and_then(|header| Ok((header, serde_json::to_vec(claims)?)))
        .map_err(|error| Error::credential_from("the claims of the JWT cannot be written", error))?;
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = key.signature(&input)?;
    Ok(format!("{input}.{signature}"))
}

#[cfg(test)]
mod tests;
