//! The operation table as the runtime reads it: one row for each call of an API, written by the document pipeline.

pub use super::batching::Batching;
pub use super::pagination::{NextPage, PageArgument, Pagination};
pub use super::partial::{ItemCounts, Partial};

/// The description of an operation, known before it is called.
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
    /// The pairs of the query that every request has, because the path is documented with them: `/responses?beta=true`.
    pub query: &'static [(&'static str, &'static str)],
    /// The server that answers it, where the document gives it one of its own: `https://upload.example.com/v1`, without a slash at
    /// its end. `None` where it is that of the API. See [`Config::server`](crate::Config::server).
    pub server: Option<&'static str>,
    /// The kinds of token that may call it, as the API's contract names them.
    pub credentials: &'static [&'static str],
    /// The alternatives that open it: of each, the names of the credentials that are needed together; an empty one is a call
    /// without any. `None` where nothing is said, so that whatever a client holds is sent.
    pub security: Option<&'static [&'static [&'static str]]>,
    /// The scopes that a token with scopes needs, all of them.
    pub scopes: &'static [&'static str],
    /// The resource name that granular permissions use.
    pub resource: Option<&'static str>,
    /// The documented statuses of success. Any other 2xx counts as success too.
    pub success: &'static [u16],
    /// The permission to repeat a request.
    pub retry: Retry,
    /// With [`Retry::Keyed`]: the field of each body item that makes a repeat harmless.
    pub retry_key: Option<&'static str>,
    /// The header under which the server recognizes a call that is sent again. The client makes a key for each call, where the caller
    /// gives none, and may then repeat the call whatever [`retry`](Self::retry) says.
    pub idempotency_key: Option<&'static str>,
    /// The rate-limit class: operations of one class share a budget.
    pub rate_limit: &'static str,
    /// The path parameters that tell whose budget it is: each of their values has one of its own.
    pub rate_limit_by: &'static [&'static str],
    /// The pagination of its results.
    pub pagination: Option<Pagination>,
    /// The ways in which a success reports failed items. Empty if a success is always complete.
    pub partial: &'static [Partial],
    /// The batching of many items in one call, if it has one: see [`batch_writer`](crate::batch_writer).
    pub batching: Option<Batching>,
    /// True if it may answer with 202 and the location of a status, which is [polled](crate::Poll) until the work is over.
    pub polls: bool,
    /// True if a call costs money.
    pub spends: bool,
    /// True if the answer is handed on as a stream of bytes.
    pub streams: bool,
    /// The envelope of the API's error bodies.
    pub errors: &'static str,
    /// The reason why the whole operation is not verified, if it is inferred rather than documented.
    pub unverified: Option<&'static str>,
}

impl Operation {
    /// A call of which no more is known than where it goes. It is sent once, and shares its budget with all others of its API.
    pub const fn new(id: &'static str, function: &'static str, method: &'static str, path: &'static str) -> Self {
        Self {
            id,
            function,
            method,
            path,
            query: &[],
            server: None,
            credentials: &[],
            security: None,
            scopes: &[],
            resource: None,
            success: &[],
            retry: Retry::Never,
            retry_key: None,
            idempotency_key: None,
            rate_limit: id,
            rate_limit_by: &[],
            pagination: None,
            partial: &[],
            batching: None,
            polls: false,
            spends: false,
            streams: false,
            errors: "",
            unverified: None,
        }
    }

    /// The same, with the pairs that are in every [query](Self::query).
    #[must_use]
    pub const fn with_query(self, query: &'static [(&'static str, &'static str)]) -> Self {
        Self { query, ..self }
    }

    /// The same, with a [server](Self::server) of its own.
    #[must_use]
    pub const fn with_server(self, server: &'static str) -> Self {
        Self { server: Some(server), ..self }
    }

    /// The same, with the kinds of token that may [call it](Self::credentials).
    #[must_use]
    pub const fn with_credentials(self, credentials: &'static [&'static str]) -> Self {
        Self { credentials, ..self }
    }

    /// The same, with the [alternatives that open it](Self::security).
    #[must_use]
    pub const fn with_security(self, security: &'static [&'static [&'static str]]) -> Self {
        Self { security: Some(security), ..self }
    }

    /// The same, with the [scopes](Self::scopes) that it needs.
    #[must_use]
    pub const fn with_scopes(self, scopes: &'static [&'static str]) -> Self {
        Self { scopes, ..self }
    }

    /// The same, with its [resource](Self::resource).
    #[must_use]
    pub const fn with_resource(self, resource: &'static str) -> Self {
        Self { resource: Some(resource), ..self }
    }

    /// The same, with its documented statuses of [success](Self::success).
    #[must_use]
    pub const fn with_success(self, success: &'static [u16]) -> Self {
        Self { success, ..self }
    }

    /// The same, with whether it may be [repeated](Self::retry).
    #[must_use]
    pub const fn with_retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// The same, with the [key](Self::retry_key) that makes a repeat harmless.
    #[must_use]
    pub const fn with_retry_key(self, retry_key: &'static str) -> Self {
        Self { retry_key: Some(retry_key), ..self }
    }

    /// The same, with the header of its [idempotency key](Self::idempotency_key).
    #[must_use]
    pub const fn with_idempotency_key(self, header: &'static str) -> Self {
        Self { idempotency_key: Some(header), ..self }
    }

    /// The same, with its [class of rate limit](Self::rate_limit).
    #[must_use]
    pub const fn with_rate_limit(self, rate_limit: &'static str) -> Self {
        Self { rate_limit, ..self }
    }

    /// The same, with the parameters that tell [whose budget](Self::rate_limit_by) it takes.
    #[must_use]
    pub const fn with_rate_limit_by(self, rate_limit_by: &'static [&'static str]) -> Self {
        Self { rate_limit_by, ..self }
    }

    /// The same, with how it [pages](Self::pagination).
    #[must_use]
    pub const fn with_pagination(self, pagination: Pagination) -> Self {
        Self { pagination: Some(pagination), ..self }
    }

    /// The same, with how it tells of [items that failed](Self::partial).
    #[must_use]
    pub const fn with_partial(self, partial: &'static [Partial]) -> Self {
        Self { partial, ..self }
    }

    /// The same, with how it takes [many items](Self::batching).
    #[must_use]
    pub const fn with_batching(self, batching: Batching) -> Self {
        Self { batching: Some(batching), ..self }
    }

    /// The same, which starts work that is [waited for](Self::polls).
    #[must_use]
    pub const fn polling(self) -> Self {
        Self { polls: true, ..self }
    }

    /// The same, which [costs money](Self::spends).
    #[must_use]
    pub const fn spending(self) -> Self {
        Self { spends: true, ..self }
    }

    /// The same, whose answer is a [stream](Self::streams).
    #[must_use]
    pub const fn streaming(self) -> Self {
        Self { streams: true, ..self }
    }

    /// The same, with the name of the [envelope of its errors](Self::errors).
    #[must_use]
    pub const fn with_errors(self, errors: &'static str) -> Self {
        Self { errors, ..self }
    }

    /// The same, with why it is [not verified](Self::unverified).
    #[must_use]
    pub const fn with_unverified(self, unverified: &'static str) -> Self {
        Self { unverified: Some(unverified), ..self }
    }

    /// The row of a request that no document describes.
    pub(crate) const fn undocumented(method: &'static str, retry: Retry) -> Self {
        Self::new("raw", "request", method, "(raw)").with_retry(retry).with_rate_limit("raw")
    }
}

/// The permission to send a request again when its outcome is unknown.
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
