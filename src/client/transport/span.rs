//! Tracing: a span for each request, with the names of OpenTelemetry's conventions for HTTP clients.

use tracing::Span;
use tracing::field::Empty;

use super::exchange::{Answer, Failed};
use crate::error::Operation;
use crate::http_client::Request;

/// The span of one attempt. The path is shown as its template: arguments may be phone numbers.
pub(crate) fn of(operation: &Operation, request: &Request, attempt: u32) -> Span {
    let span = tracing::debug_span!(
        target: "keyfit::http",
        "request",
        otel.name = Empty,
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = operation.method,
        http.request.resend_count = Empty,
        http.response.status_code = Empty,
        url.template = operation.path,
        server.address = request.url().host_str(),
        server.port = request.url().port_or_known_default(),
        error.r#type = Empty,
    );
    if !span.is_disabled() {
        span.record("otel.name", format_args!("{} {}", operation.method, operation.path));
        if attempt > 1 {
            span.record("http.request.resend_count", attempt - 1);
        }
    }
    span
}

/// How it ended.
pub(crate) fn record(span: &Span, result: &Result<Answer, Failed>) {
    if span.is_disabled() {
        return;
    }
    match result {
        Ok(answer) => {
            span.record("http.response.status_code", answer.status.as_u16());
        }
        Err(Failed { error, .. }) => {
            span.record("otel.status_code", "ERROR");
            if let Some(status) = error.status() {
                span.record("http.response.status_code", status.as_u16());
            }
            span.record("error.type", error.kind().as_str());
        }
    }
}
