//! Consent on another device (RFC 8628): for a program on a machine without a browser.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use super::outcome::Grant;
use super::{TokenEndpoint, TokenError, TokenErrorCode, TokenSet};
use crate::auth::Secret;
use crate::error::Error;

/// Between two questions where the server names no time (RFC 8628, section 3.5).
const INTERVAL: Duration = Duration::from_secs(5);
/// The time that `slow_down` adds to the polling interval.
const SLOWER: Duration = Duration::from_secs(5);
/// The longest life of a code that is believed.
const LONGEST_LIFE: Duration = Duration::from_secs(86_400);

/// The data with which a user gives consent on another device: show [`verification_uri`](Self::verification_uri) and
/// [`user_code`](Self::user_code), then [`wait`](Self::wait).
///
/// ```no_run
/// # async fn example(endpoint: keyfit::auth::oauth::TokenEndpoint) -> Result<(), keyfit::Error> {
/// // `endpoint` was built with `device_authorization_endpoint`, or found by `AuthorizationServer::discover`.
/// let device = endpoint.authorize_device(["read", "offline_access"]).await?;
/// println!("open {} and enter {}", device.verification_uri(), device.user_code());
/// let tokens = device.wait().await?;
/// # drop(tokens);
/// # Ok(())
/// # }
/// ```
pub struct DeviceAuthorization {
    endpoint: TokenEndpoint,
    answer: Answer,
    expires_at: SystemTime,
    scopes: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    device_code: Secret,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: u64,
    interval: Option<u64>,
}

impl TokenEndpoint {
    /// Asks for a code with which a user consents on another device.
    ///
    /// # Errors
    /// Returns an error if there is no
    /// [device authorization endpoint](super::TokenEndpointBuilder::device_authorization_endpoint), or if it refuses: with a
    /// [`TokenError`] as the source.
    pub async fn authorize_device<S: Into<String>>(
        &self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<DeviceAuthorization, Error> {
        let url = self.further("device_authorization_endpoint", self.urls().device_authorization.as_ref())?;
        let scopes: Vec<String> = scopes.into_iter().map(Into::into).collect();
        let scope = scopes.join(" ");
        let mut parameters = Vec::new();
        if !scope.is_empty() {
            parameters.push(("scope", scope.as_str()));
        }
        let asked = self.wire().ask(url, Grant::Repeatable, parameters, &[], |success| {
            let received = success.received;
            success.json::<Answer>().map(|answer| (answer, received))
        });
        let (answer, received) = asked.await.map_err(|failed| failed.error)?;
        let life = Duration::from_secs(answer.expires_in).min(LONGEST_LIFE);
        let expires_at = received.checked_add(life).unwrap_or(received);
        Ok(DeviceAuthorization { endpoint: self.clone(), answer, expires_at, scopes })
    }
}

impl DeviceAuthorization {
    /// Where the user goes, on any device.
    pub fn verification_uri(&self) -> &str {
        &self.answer.verification_uri
    }

    /// Returns the code that the user enters there.
    pub fn user_code(&self) -> &str {
        &self.answer.user_code
    }

    /// Where the user goes with the code in the address, as for a QR code; where the server has one.
    pub fn verification_uri_complete(&self) -> Option<&str> {
        self.answer.verification_uri_complete.as_deref()
    }

    /// Until when the user has time.
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// Waits until the user has consented. Asks as often as the server allows, five seconds apart where it says nothing.
    ///
    /// # Errors
    /// Returns an error if the user refuses (`access_denied`) or lets the time pass, of kind
    /// [`ReauthorizationRequired`](crate::ErrorKind::ReauthorizationRequired), or if the server refuses otherwise.
    pub async fn wait(self) -> Result<TokenSet, Error> {
        let clock = self.endpoint.clock();
        let mut interval = self.answer.interval.map_or(INTERVAL, Duration::from_secs).max(Duration::from_secs(1));
        loop {
            if clock.now() >= self.expires_at {
                return Err(Error::reauthorization_required("the user did not consent in time: begin anew"));
            }
            clock.sleep(interval).await;
            let error = match self.ask().await {
                Ok(tokens) if tokens.scopes().is_empty() => return Ok(tokens.granting(self.scopes)),
                Ok(tokens) => return Ok(tokens),
                Err(error) => error,
            };
            match TokenError::of(&error).and_then(TokenError::code).map(TokenErrorCode::as_str) {
                Some("authorization_pending") => {}
                Some("slow_down") => interval = interval.saturating_add(SLOWER),
                Some("access_denied" | "expired_token") => {
                    let message = format!("the user did not consent: {error}");
                    return Err(Error::reauthorization_required(message).because_of(error));
                }
                _ => return Err(error),
            }
        }
    }

    async fn ask(&self) -> Result<TokenSet, Error> {
        let code = self.answer.device_code.expose();
        let parameters = vec![("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", code)];
        // A code that is asked for twice is at worst one that was used: then the user consents anew.
        let asked = self.endpoint.request(Grant::Repeatable, parameters, &[code]).await;
        asked.map_err(|failed| failed.error)
    }
}

impl fmt::Debug for DeviceAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceAuthorization")
            .field("verification_uri", &self.answer.verification_uri)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
