//! The operation table as the runtime reads it: one row for each call of an API, written by the document pipeline.

/// What is known of an operation before it is called.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Operation {
    /// The operationId, in kebab-case where it is ours: `sms-create`.
    pub id: &'static str,
    /// The method on the client: `sms_create`.
    pub function: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path template below the base URL: `/sms/{id}`.
    pub path: &'static str,
    /// The kinds of token that may call it, as the API's contract names them.
    pub credentials: &'static [&'static str],
    /// The scopes that a token with scopes needs, all of them.
    pub scopes: &'static [&'static str],
    /// The resource name that granular permissions use.
    pub resource: Option<&'static str>,
    /// The documented statuses of success. Any other 2xx counts as success too.
    pub success: &'static [u16],
    /// Whether a request may be repeated.
    pub retry: Retry,
    /// With [`Retry::Keyed`]: the field of each body item that makes a repeat harmless.
    pub retry_key: Option<&'static str>,
    /// The rate-limit class: operations of one class share a budget.
    pub rate_limit: &'static str,
    /// The path parameters that tell whose budget it is: each of their values has one of its own.
    pub rate_limit_by: &'static [&'static str],
    /// How it pages through results.
    pub pagination: Option<Pagination>,
    /// How a 2xx answer reports items that failed.
    pub partial: Option<Partial>,
    /// Whether a call costs money.
    pub spends: bool,
    /// Whether the answer is handed on as a stream of bytes.
    pub streams: bool,
    /// The envelope of the API's error bodies.
    pub errors: &'static str,
    /// Why the whole operation is not verified, where it is inferred rather than documented.
    pub unverified: Option<&'static str>,
}

impl Operation {
    /// The row of a request that no document describes.
    pub(crate) const fn undocumented(method: &'static str, retry: Retry) -> Self {
        Self {
            id: "raw",
            function: "request",
            method,
            path: "(raw)",
            credentials: &[],
            scopes: &[],
            resource: None,
            success: &[],
            retry,
            retry_key: None,
            rate_limit: "raw",
            rate_limit_by: &[],
            pagination: None,
            partial: None,
            spends: false,
            streams: false,
            errors: "",
            unverified: None,
        }
    }
}

/// Whether a request may be sent again when its outcome is unknown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Retry {
    /// It changes nothing on the server.
    Safe,
    /// Sending it twice has the effect of sending it once.
    Idempotent,
    /// A key in the body makes the server ignore the second one.
    Keyed,
    /// A second request could have a second effect: a second SMS, a second key.
    Never,
}

/// How an operation pages through results.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Pagination {
    /// `page` and `per_page`.
    Page,
    /// `_start` and `_limit`, both or neither.
    StartLimit,
    /// An opaque cursor, null at the end.
    Cursor,
}

/// How a 2xx answer reports items that failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Partial {
    /// One outcome an item: [`BatchOutcome`](crate::batch::BatchOutcome).
    Items,
    /// Two lists, `entities` accepted and `errors` rejected.
    Lists,
}
