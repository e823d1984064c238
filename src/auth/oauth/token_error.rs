//! The error of a token endpoint.

use std::fmt;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use http::header::HeaderMap;
use serde_json::Value;

use crate::error::problem::Problem;
use crate::error::redact::{OneLine, Redactor};
use crate::error::{Error, RateLimitNames, rate_limit};

/// The reason why the token endpoint returned no token. [`of`](Self::of) finds it behind an [`Error`](crate::Error), be it that of the
/// grant or that of a call that had no token to send:
///
/// ```
/// use keyfit::auth::oauth::{TokenError, TokenErrorCode};
///
/// fn is_of_another_client(error: &keyfit::Error) -> bool {
///     TokenError::of(error).and_then(TokenError::code) == Some(&TokenErrorCode::UnauthorizedClient)
/// }
/// # assert!(!is_of_another_client(&keyfit::Error::credential("no")));
/// ```
///
/// [`ErrorKind::ReauthorizationRequired`](crate::ErrorKind::ReauthorizationRequired) as the kind of the error reports that the user must
/// consent again, whatever code the server uses.
///
/// Neither `Display` nor `Debug` shows a secret, even one that the server repeats.
///
/// # Troubleshooting
/// - [`InvalidGrant`](TokenErrorCode::InvalidGrant): the code or refresh token is used, expired or revoked, the
///   redirect URI is another, or the verifier is wrong. Send the user to consent again.
/// - [`InvalidClient`](TokenErrorCode::InvalidClient): id or secret are wrong, or the server wants the secret
///   elsewhere: see [`TokenEndpoint`](super::TokenEndpoint).
/// - No code: something else than a token endpoint answered, or one that is down. See [`status`](Self::status).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenError {
    /// Scheme, host and port.
    endpoint: String,
    code: Option<TokenErrorCode>,
    description: Option<String>,
    status: StatusCode,
    request_id: Option<String>,
    retry_after: Option<Duration>,
}

impl TokenError {
    /// The refusal behind an error, if a token endpoint's answer is what failed.
    pub fn of(error: &crate::error::Error) -> Option<&Self> {
        error.find_source()
    }

    /// Reads an answer without a token, whatever its body is. `received` is when it came.
    pub(super) fn read(
        endpoint: &str,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        received: Option<SystemTime>,
        secrets: &Redactor,
    ) -> Self {
        let mut problem = Problem::read(headers, body);
        problem.code = problem.code.or_else(|| first_of_several(body));
        let problem = problem.masked(secrets);
        let waiting_helps = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        let retry_after = received
            .filter(|_| waiting_helps)
            .and_then(|now| rate_limit::retry_after(problem.retry_after, headers, &RateLimitNames::new(), now));
        Self {
            endpoint: endpoint.to_owned(),
            code: problem.code.map(TokenErrorCode::from),
            description: problem.message,
            status,
            request_id: problem.request_id,
            retry_after,
        }
    }

    /// A success that does not hold what it should.
    pub(super) fn misfit(
        endpoint: &str,
        status: StatusCode,
        headers: &HeaderMap,
        reason: &str,
        secrets: &Redactor,
    ) -> Self {
        let empty = Self::read(endpoint, status, headers, &[], None, secrets);
        Self { description: Some(reason.to_owned()), ..empty }
    }

    /// The code of RFC 6749, section 5.2. `None` where the body has none: a proxy's page, an empty body, a success
    /// without a token.
    pub fn code(&self) -> Option<&TokenErrorCode> {
        self.code.as_ref()
    }

    /// The server's words, or what is wrong with its answer.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The scheme and the host of the endpoint.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the time that the endpoint asks to wait, for 429 and 503.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The server's name for the request, to quote to its support.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the authorization server {} answered {}", self.endpoint, self.status)?;
        if let Some(code) = &self.code {
            write!(f, " ({})", OneLine::of_server(code.as_str()))?;
        }
        self.description.iter().try_for_each(|text| write!(f, ": {}", OneLine::of_server(text)))
    }
}

impl std::error::Error for TokenError {}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        let wait = error.retry_after;
        Self::credential_from(error.to_string(), error).waiting(wait)
    }
}

/// The code of the first of several `errors`, which some servers list.
fn first_of_several(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let first = value["errors"].get(0)?;
    let code = ["errorType", "error", "code"].into_iter().find_map(|name| first[name].as_str());
    code.or_else(|| first.as_str()).map(str::to_owned)
}

/// The codes of RFC 6749, section 5.2, and any other.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TokenErrorCode {
    /// `invalid_request`: a parameter is missing, repeated or malformed.
    InvalidRequest,
    /// `invalid_client`: the client is unknown, or did not prove who it is.
    InvalidClient,
    /// `invalid_grant`: the code or refresh token is wrong, used, expired, revoked, or of another client.
    InvalidGrant,
    /// `unauthorized_client`: the client may not use this grant.
    UnauthorizedClient,
    /// `unsupported_grant_type`: the server does not know this grant.
    UnsupportedGrantType,
    /// `invalid_scope`: a scope is unknown, or more than may be granted.
    InvalidScope,
    /// A code of the server's own.
    Other(String),
}

impl TokenErrorCode {
    /// The code as it was sent.
    pub fn as_str(&self) -> &str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::Other(code) => code,
        }
    }
}

impl From<String> for TokenErrorCode {
    fn from(code: String) -> Self {
        match code.as_str() {
            "invalid_request" => Self::InvalidRequest,
            "invalid_client" => Self::InvalidClient,
            "invalid_grant" => Self::InvalidGrant,
            "unauthorized_client" => Self::UnauthorizedClient,
            "unsupported_grant_type" => Self::UnsupportedGrantType,
            "invalid_scope" => Self::InvalidScope,
            _ => Self::Other(code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> TokenError {
        let (status, secrets) = (StatusCode::BAD_REQUEST, Redactor::of_client(["hunter2"]));
        TokenError::read("https://a.example.com", status, &HeaderMap::new(), body.as_bytes(), None, &secrets)
    }

    #[test]
    fn six_codes_and_an_unknown_one_keep_their_names() {
        for code in [
            "invalid_request",
            "invalid_client",
            "invalid_grant",
            "unauthorized_client",
            "unsupported_grant_type",
            "invalid_scope",
            "slow_down",
        ] {
            let error = read(&format!(r#"{{"error":"{code}"}}"#));
            let found = error.code().expect(code);
            assert_eq!(found.as_str(), code);
            assert_eq!(matches!(found, TokenErrorCode::Other(_)), code == "slow_down");
        }
    }

    #[test]
    fn a_body_without_a_code_still_says_its_status() {
        for body in ["", "<html>", "[]", "{"] {
            assert_eq!(
                read(body).to_string(),
                "the authorization server https://a.example.com answered 400 Bad Request",
                "{body}"
            );
        }
    }

    #[test]
    fn a_secret_that_the_server_repeats_is_masked() {
        let error = read(r#"{"error":"hunter2","error_description":"hunter2 is\nused","request_id":"hunter2"}"#);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(!error.to_string().contains('\n'));
    }
}
