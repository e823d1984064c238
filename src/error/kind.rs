//! The kinds of failure that callers tell apart.

use http::StatusCode;

/// The kind of failure.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The credential is missing or no token; nothing was sent.
    Credential,
    /// The user's session has ended, and nobody but the user can renew it: send the user to consent again. Nothing was sent.
    ReauthorizationRequired,
    /// The client's settings cannot be used; nothing was sent.
    Configuration,
    /// An argument is missing or out of its limits; nothing was sent.
    InvalidRequest,
    /// The request would have left the client's origin or the operation's path, or a hook stopped it; nothing was sent.
    Refused,
    /// The server could not be reached; nothing was sent.
    Connect,
    /// Time ran out.
    Timeout,
    /// The connection failed before the answer came.
    Transport,
    /// 304: what was asked for under a condition is as it was, see [`CallOptions::if_none_match`](crate::CallOptions::if_none_match).
    NotModified,
    /// The server redirects elsewhere (another 3xx); redirects are not followed.
    Redirect,
    /// 400: the request is malformed.
    BadRequest,
    /// 401: the credential is missing, unknown, expired or revoked.
    Unauthorized,
    /// 402: there are no funds. Never worth a retry before a top-up.
    PaymentRequired,
    /// 403: the credential lacks a scope.
    Forbidden,
    /// 404: there is no such thing, or the credential may not see it.
    NotFound,
    /// 409: the thing is in another state.
    Conflict,
    /// 412: a condition of the call does not hold, see [`CallOptions::if_match`](crate::CallOptions::if_match); not executed.
    PreconditionFailed,
    /// 413: the body is too large.
    PayloadTooLarge,
    /// 422: the content is not acceptable; for a batch, every item of it.
    Unprocessable,
    /// 429, or a 403 that says when to come again: too many requests; not executed.
    RateLimited,
    /// Another 4xx.
    Client,
    /// 5xx: the server failed.
    Server,
    /// A success of which some items failed.
    PartialFailure,
    /// Work that takes long was started, and failed: its status says so. See [`Poll`](crate::Poll).
    OperationFailed,
    /// A success whose body does not fit the document.
    Decode,
    /// A success whose body ended early, or is longer than the limit of the call. What came is kept.
    Cut,
    /// A file on this machine could not be read or written.
    File,
    /// An answer of no known class, or a list whose pages go in a circle.
    Unexpected,
}

impl ErrorKind {
    /// The name in snake_case, for metrics and spans: `rate_limited`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::ReauthorizationRequired => "reauthorization_required",
            Self::Configuration => "configuration",
            Self::InvalidRequest => "invalid_request",
            Self::Refused => "refused",
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Transport => "transport",
            Self::NotModified => "not_modified",
            Self::Redirect => "redirect",
            Self::BadRequest => "bad_request",
            Self::Unauthorized => "unauthorized",
            Self::PaymentRequired => "payment_required",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::PreconditionFailed => "precondition_failed",
            Self::PayloadTooLarge => "payload_too_large",
            Self::Unprocessable => "unprocessable",
            Self::RateLimited => "rate_limited",
            Self::Client => "client",
            Self::Server => "server",
            Self::PartialFailure => "partial_failure",
            Self::OperationFailed => "operation_failed",
            Self::Decode => "decode",
            Self::Cut => "cut",
            Self::File => "file",
            Self::Unexpected => "unexpected",
        }
    }

    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            304 => Self::NotModified,
            400 => Self::BadRequest,
            401 => Self::Unauthorized,
            402 => Self::PaymentRequired,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            409 => Self::Conflict,
            412 => Self::PreconditionFailed,
            413 => Self::PayloadTooLarge,
            422 => Self::Unprocessable,
            429 => Self::RateLimited,
            _ if status.is_redirection() => Self::Redirect,
            _ if status.is_client_error() => Self::Client,
            _ if status.is_server_error() => Self::Server,
            _ => Self::Unexpected,
        }
    }
}
