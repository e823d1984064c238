//! The outcome of a token request without tokens: whether it may be sent again, and whether the code or the refresh token in it
//! may have been redeemed.

use std::time::Duration;

use http::StatusCode;
use secrecy::SecretString;

use super::{TokenError, TokenErrorCode};
use crate::error::{Error, jitter};
use crate::http_client::{Fault, SendError};

/// The maximum number of requests to an endpoint.
const ATTEMPTS: u32 = 3;
/// The first wait, where the endpoint asks for none; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Codes by which a server says that it failed, and not that anything is wrong with the request: RFC 6749, section 4.1.2.1,
/// and RFC 8628, section 3.5.
const PASSING: [&str; 3] = ["server_error", "temporarily_unavailable", "slow_down"];

/// The safety of sending a grant twice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Grant {
    /// It gives another token and changes nothing else: client credentials, an assertion, a refresh token that its server
    /// leaves in force.
    Repeatable,
    /// Its code or refresh token is valid once, or may be replaced.
    Once,
    /// It was sent before, and is sent for so long and no longer: a refresh token in its grace period.
    Within(Duration),
}

impl Grant {
    /// Returns the timeout of a request, at most the given one.
    pub(super) fn limit(self, timeout: Duration) -> Duration {
        match self {
            Self::Within(left) => timeout.min(left),
            Self::Repeatable | Self::Once => timeout,
        }
    }
}

/// The state of the code or token that the request redeems.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// It was not redeemed.
    Intact,
    /// The server does not take it.
    Refused,
    /// It may have been redeemed: the answer was lost, or cannot be used.
    Unknown,
}

/// A token request without tokens.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: Error,
    pub(super) standing: Standing,
    /// True if the failure may be temporary.
    is_passing: bool,
    /// The refresh token of an answer of which nothing else can be used.
    pub(super) rotated: Option<SecretString>,
}

impl Failed {
    /// Before anything was sent.
    pub(super) fn unsent(error: Error) -> Self {
        Self { error, standing: Standing::Intact, is_passing: false, rotated: None }
    }

    /// Without a whole answer.
    pub(super) fn unanswered(endpoint: &str, error: SendError) -> Self {
        let (standing, what) = if matches!(error.fault(), Fault::Connect | Fault::Unfit) {
            (Standing::Intact, "could not be asked")
        } else {
            (Standing::Unknown, "gave no whole answer")
        };
        let is_passing = !matches!(error.fault(), Fault::Unfit | Fault::Redirect);
        let error = Error::credential_from(format!("the authorization server {endpoint} {what}"), error.into_source());
        Self { error, standing, is_passing, rotated: None }
    }

    /// An answer that is no success, or says in one that there is an error. A whole answer is believed: one that holds no tokens
    /// has redeemed nothing. A gateway that gave up waiting (504) knows nothing of it.
    pub(super) fn refused(refusal: TokenError, is_an_object: bool) -> Self {
        let status = refusal.status();
        let standing = match refusal.code() {
            _ if status == StatusCode::GATEWAY_TIMEOUT => Standing::Unknown,
            _ if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => Standing::Intact,
            Some(code) if is_of_the_request(code) => Standing::Intact,
            Some(_) => Standing::Refused,
            None if is_an_object && is_a_refusal(status) => Standing::Refused,
            None => Standing::Intact,
        };
        let is_passing = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        Self { error: refusal.into(), standing, is_passing, rotated: None }
    }

    /// A success that cannot be used, and whether it was cut off.
    pub(super) fn unfit(refusal: TokenError, is_cut: bool) -> Self {
        let standing = if is_cut { Standing::Unknown } else { Standing::Intact };
        Self { error: refusal.into(), standing, is_passing: is_cut, rotated: None }
    }

    /// The same, with the refresh token that was in it.
    pub(super) fn with_rotated(self, rotated: Option<SecretString>) -> Self {
        Self { rotated, ..self }
    }

    /// Returns the time to wait before the same request is sent again; `None` if it is not, after so many attempts and with so
    /// much time left.
    pub(super) fn wait(&self, grant: Grant, attempts: u32, left: Duration) -> Option<Duration> {
        let is_harmless = grant == Grant::Repeatable || self.standing == Standing::Intact;
        if !self.is_passing || !is_harmless || attempts >= ATTEMPTS {
            return None;
        }
        let own = FIRST_WAIT.saturating_mul(1 << attempts.saturating_sub(1));
        let wait = self.error.retry_after().unwrap_or_else(|| jitter::equal_jitter(own));
        (wait < left).then_some(wait)
    }
}

/// Returns whether a code is about the client, the form of the request, or the server, so that the code or token to be redeemed
/// is unchanged.
fn is_of_the_request(code: &TokenErrorCode) -> bool {
    match code {
        TokenErrorCode::InvalidGrant => false,
        TokenErrorCode::Other(code) => PASSING.contains(&code.as_str()),
        _ => true,
    }
}

/// The statuses by which servers refuse a code or a refresh token, some of them without a code that the RFC knows.
fn is_a_refusal(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

#[cfg(test)]
mod tests {
    use http::header::HeaderMap;

    use super::*;
    use crate::error::redact::Redactor;

    fn refused(status: u16, body: &str) -> Failed {
        let status = StatusCode::from_u16(status).expect("a status");
        let secrets = Redactor::of_client::<&str>([]);
        let error =
            TokenError::read("https://a.example.com", status, &HeaderMap::new(), body.as_bytes(), None, &secrets);
        Failed::refused(error, body.starts_with('{'))
    }

    #[test]
    fn what_a_refusal_leaves_of_the_refresh_token() {
        for (status, body, standing) in [
            (400, r#"{"error":"invalid_grant"}"#, Standing::Refused),
            (200, r#"{"error":"bad_refresh_token"}"#, Standing::Refused),
            (401, r#"{"errors":[{"errorType":"invalid_grant"}]}"#, Standing::Refused),
            (403, r#"{"message":"no"}"#, Standing::Refused),
            (401, r#"{"error":"invalid_client"}"#, Standing::Intact),
            (400, r#"{"error":"invalid_scope"}"#, Standing::Intact),
            (400, r#"{"error":"temporarily_unavailable"}"#, Standing::Intact),
            (404, "<html>", Standing::Intact),
            (403, "<html>", Standing::Intact),
            (302, "", Standing::Intact),
            (429, "{}", Standing::Intact),
            (500, r#"{"error":"x"}"#, Standing::Intact),
            (502, "", Standing::Intact),
            (503, "", Standing::Intact),
            (504, "", Standing::Unknown),
        ] {
            assert_eq!(refused(status, body).standing, standing, "{status} {body}");
        }
    }

    #[test]
    fn what_time_may_mend_is_asked_again_where_that_is_harmless() {
        let left = Duration::from_secs(30);
        for (status, once, repeatable) in
            [(429, true, true), (502, true, true), (503, true, true), (504, false, true), (400, false, false)]
        {
            let failed = refused(status, "");
            assert_eq!(failed.wait(Grant::Once, 1, left).is_some(), once, "{status}");
            assert_eq!(failed.wait(Grant::Repeatable, 1, left).is_some(), repeatable, "{status}");
            assert_eq!(failed.wait(Grant::Repeatable, 3, left), None, "three attempts are enough");
            assert_eq!(failed.wait(Grant::Repeatable, 1, Duration::ZERO), None, "there is no time left");
        }
    }
}
