//! A row of the operation table as generated code writes it.

use crate::error::Operation;
use crate::error::operation::{Pagination, Partial, Retry};

/// The fields of an [`Operation`], which explains them.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are those of `Operation`")]
pub struct Row {
    pub id: &'static str,
    pub function: &'static str,
    pub method: &'static str,
    pub path: &'static str,
    pub credentials: &'static [&'static str],
    pub scopes: &'static [&'static str],
    pub resource: Option<&'static str>,
    pub success: &'static [u16],
    pub retry: Retry,
    pub retry_key: Option<&'static str>,
    pub rate_limit: &'static str,
    pub rate_limit_by: &'static [&'static str],
    pub pagination: Option<Pagination>,
    pub partial: Option<Partial>,
    pub spends: bool,
    pub streams: bool,
    pub errors: &'static str,
    pub unverified: Option<&'static str>,
}

impl Row {
    /// The operation.
    pub const fn operation(self) -> Operation {
        let Self { id, function, method, path, credentials, scopes, resource, success, retry, retry_key, .. } = self;
        let Self { rate_limit, rate_limit_by, pagination, partial, spends, streams, errors, unverified, .. } = self;
        Operation {
            id,
            function,
            method,
            path,
            credentials,
            scopes,
            resource,
            success,
            retry,
            retry_key,
            rate_limit,
            rate_limit_by,
            pagination,
            partial,
            spends,
            streams,
            errors,
            unverified,
        }
    }
}
