//! An API as data: what the runtime knows of it, all of it from the API's document, overlay and contract.

use super::operation::Operation;

/// An API: its calls, and how it says what every API says in its own way. A generated client has it as `API`; one that is read
/// at run time can be made with the same setters, from texts that are leaked.
///
/// Where an API does not describe its errors, the usual forms are read: problem details (RFC 9457), the members `error`,
/// `message` and `errors`, and the headers `Retry-After`, `RateLimit-*` and `X-RateLimit-*`.
///
/// ```
/// use keyfit::operation::Retry;
/// use keyfit::{Api, Operation};
///
/// static API: Api = Api::new("parcels")
///     .with_base_urls(&["https://api.example.com/v1"])
///     .with_operations(&[Operation::new("get-parcel", "get_parcel", "GET", "/parcels/{id}").with_retry(Retry::Safe)]);
///
/// assert_eq!(API.operation("get-parcel").map(|operation| operation.path), Some("/parcels/{id}"));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Api {
    /// The name of its folder: `parcels`.
    pub name: &'static str,
    /// The documented base URLs, the one that clients use first.
    pub base_urls: &'static [&'static str],
    /// Its calls, in the document's order.
    pub operations: &'static [Operation],
    /// The envelopes of its error bodies. An operation names its own, see [`Operation::errors`].
    pub errors: &'static [ErrorEnvelope],
    /// Where it tells its rate limit.
    pub rate_limit: RateLimitNames,
    /// The schemes of its operations' [`security`](Operation::security) that a client certificate satisfies.
    pub client_certificates: &'static [&'static str],
    /// The prefixes of its secrets. Any text with one of them is masked in errors, whatever its origin.
    pub secret_prefixes: &'static [&'static str],
}

/// Where the error bodies of an API hold what: JSON pointers, the first that leads to something counts.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ErrorEnvelope {
    /// The name by which operations call it.
    pub name: &'static str,
    /// The machine-readable code.
    pub code: &'static [&'static str],
    /// The words for people.
    pub message: &'static [&'static str],
    /// The members with further details, faults of fields included.
    pub details: &'static [&'static str],
    /// The server's name for the request.
    pub request_id: &'static [&'static str],
}

/// The headers in which an API tells its rate limit, and the place in the body of a 429.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RateLimitNames {
    /// The header with the requests that a window allows.
    pub limit: Option<&'static str>,
    /// The header with the requests that are left.
    pub remaining: Option<&'static str>,
    /// The header with the end of the window, in seconds since 1970 or from now.
    pub reset: Option<&'static str>,
    /// Where the body holds the seconds to wait, as a JSON pointer.
    pub retry_after: Option<&'static str>,
}

/// An API of which nothing is known.
pub(crate) static UNKNOWN: Api = Api::new("");

impl Api {
    /// An API of which no more than its name is known.
    pub const fn new(name: &'static str) -> Self {
        let rate_limit = RateLimitNames::new();
        let (base_urls, operations, errors, client_certificates) = (&[], &[], &[], &[]);
        Self { name, base_urls, operations, errors, rate_limit, client_certificates, secret_prefixes: &[] }
    }

    /// The same, with its [base URLs](Self::base_urls).
    #[must_use]
    pub const fn with_base_urls(self, base_urls: &'static [&'static str]) -> Self {
        Self { base_urls, ..self }
    }

    /// The same, with its [calls](Self::operations).
    #[must_use]
    pub const fn with_operations(self, operations: &'static [Operation]) -> Self {
        Self { operations, ..self }
    }

    /// The same, with the [envelopes of its errors](Self::errors).
    #[must_use]
    pub const fn with_errors(self, errors: &'static [ErrorEnvelope]) -> Self {
        Self { errors, ..self }
    }

    /// The same, with the [names in which it tells its rate limit](Self::rate_limit).
    #[must_use]
    pub const fn with_rate_limit(self, rate_limit: RateLimitNames) -> Self {
        Self { rate_limit, ..self }
    }

    /// The same, with the [schemes that a client certificate satisfies](Self::client_certificates).
    #[must_use]
    pub const fn with_client_certificates(self, client_certificates: &'static [&'static str]) -> Self {
        Self { client_certificates, ..self }
    }

    /// The same, with the [beginnings of its secrets](Self::secret_prefixes).
    #[must_use]
    pub const fn with_secret_prefixes(self, secret_prefixes: &'static [&'static str]) -> Self {
        Self { secret_prefixes, ..self }
    }

    /// The base URL that clients use where nothing else is configured; empty where none is documented.
    pub const fn base_url(&self) -> &'static str {
        match self.base_urls {
            [first, ..] => first,
            [] => "",
        }
    }

    /// The operation of this id.
    pub fn operation(&self, id: &str) -> Option<&'static Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// The envelope of an operation's errors. A request that no document describes has that of the API, if there is one only.
    pub(crate) fn envelope(&self, operation: &Operation) -> Option<&'static ErrorEnvelope> {
        let named = self.errors.iter().find(|envelope| envelope.name == operation.errors);
        match self.errors {
            [only] if operation.errors.is_empty() => Some(only),
            _ => named,
        }
    }
}

impl ErrorEnvelope {
    /// An envelope of which no more than its name is known.
    pub const fn new(name: &'static str) -> Self {
        Self { name, code: &[], message: &[], details: &[], request_id: &[] }
    }

    /// The same, with the places of the [code](Self::code).
    #[must_use]
    pub const fn with_code(self, code: &'static [&'static str]) -> Self {
        Self { code, ..self }
    }

    /// The same, with the places of the [message](Self::message).
    #[must_use]
    pub const fn with_message(self, message: &'static [&'static str]) -> Self {
        Self { message, ..self }
    }

    /// The same, with the places of the [details](Self::details).
    #[must_use]
    pub const fn with_details(self, details: &'static [&'static str]) -> Self {
        Self { details, ..self }
    }

    /// The same, with the places of the [request's name](Self::request_id).
    #[must_use]
    pub const fn with_request_id(self, request_id: &'static [&'static str]) -> Self {
        Self { request_id, ..self }
    }
}

impl RateLimitNames {
    /// No names but those of standards and habits.
    pub const fn new() -> Self {
        Self { limit: None, remaining: None, reset: None, retry_after: None }
    }

    /// The same, with the header of the [limit](Self::limit).
    #[must_use]
    pub const fn with_limit(self, header: &'static str) -> Self {
        Self { limit: Some(header), ..self }
    }

    /// The same, with the header of what is [left](Self::remaining).
    #[must_use]
    pub const fn with_remaining(self, header: &'static str) -> Self {
        Self { remaining: Some(header), ..self }
    }

    /// The same, with the header of the window's [end](Self::reset).
    #[must_use]
    pub const fn with_reset(self, header: &'static str) -> Self {
        Self { reset: Some(header), ..self }
    }

    /// The same, with the place of the [seconds to wait](Self::retry_after).
    #[must_use]
    pub const fn with_retry_after(self, pointer: &'static str) -> Self {
        Self { retry_after: Some(pointer), ..self }
    }
}

impl Default for RateLimitNames {
    fn default() -> Self {
        Self::new()
    }
}
