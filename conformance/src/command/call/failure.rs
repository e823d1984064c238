//! The message and the exit code of a failed call.

use keyfit::redact::plain;
use keyfit::{Error, ErrorKind};
use keyfit_conformance::UserError;
use keyfit_conformance::call::Callee;
use keyfit_conformance::call::json::{JsonStyle, format_json};
use keyfit_openapi::{Operation, Retry};
use reqwest::StatusCode;

use super::output::{BodyKind, Output};
use super::session::Session;
use crate::terminal::console;
use crate::terminal::exit::ExitStatus;

/// The exit code for an answer that cannot be used.
const UNUSABLE_ANSWER: u8 = 10;

/// The exit code of a call that failed with an answer, or on the way; `None` where nothing was sent because of what was given.
fn code(kind: ErrorKind) -> Option<u8> {
    Some(match kind {
        ErrorKind::Credential | ErrorKind::Configuration | ErrorKind::InvalidRequest | ErrorKind::Refused => {
            return None;
        }
        ErrorKind::Unauthorized | ErrorKind::Forbidden => 3,
        ErrorKind::NotFound => 4,
        ErrorKind::RateLimited => 6,
        ErrorKind::Server => 7,
        ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Transport => 8,
        ErrorKind::PartialFailure => 9,
        ErrorKind::BadRequest
        | ErrorKind::PaymentRequired
        | ErrorKind::Conflict
        | ErrorKind::PreconditionFailed
        | ErrorKind::PayloadTooLarge
        | ErrorKind::Unprocessable
        | ErrorKind::Client => 5,
        // Redirects, answers that do not fit or are cut off, and what there is no name for.
        _ => UNUSABLE_ANSWER,
    })
}

/// Returns the error for a call that could not be made.
pub(in crate::command) fn call_error(error: &Error) -> UserError {
    UserError::new(error.to_string()).help("nothing was sent")
}

/// Reports the failure of a call. The body of a success is kept even if it is flawed, since the call was executed.
pub(super) fn report_failure(
    error: &Error,
    callee: &Callee,
    operation: &Operation,
    session: &Session,
    mut output: Output,
) -> Result<ExitStatus, UserError> {
    let Some(code) = code(error.kind()) else { return Err(call_error(error)) };
    let mut lines = vec![format!("error: {error}")];
    lines.extend(cause(error).map(|cause| format!("cause: {cause}")));
    lines.extend(error.request_id().map(|id| format!("request: {id}")));
    lines.extend(help(error, callee, operation, session).map(|help| format!("help: {help}")));
    console::print_message(&session.private.mask(&lines.join("\n")));
    let body = error.body();
    if let Some(status) = error.status().filter(StatusCode::is_success) {
        let kind = error.headers().map_or(BodyKind::Other, |headers| BodyKind::of(headers, status.as_u16(), operation));
        output.write_body(body, kind, session)?;
        output.persist()?;
    } else if !body.trim_ascii().is_empty() {
        let text = String::from_utf8_lossy(body);
        let style = JsonStyle { is_pretty: true, redactor: Some(&session.private), hides_secrets: false };
        console::print_message(&format_json(&text, style).unwrap_or_else(|| session.private.mask(&text)));
    }
    Ok(ExitStatus::Failed(code))
}

/// Tells that a success is not what the document or the server says it is; the body was printed.
pub(super) fn not_json(operation: &Operation) -> ExitStatus {
    console::print_message(&format!(
        "error: {}: the answer should be JSON, and is not\nhelp: the call was executed; look at what came, with --verbose at its headers",
        operation.id
    ));
    ExitStatus::Failed(UNUSABLE_ANSWER)
}

/// Returns the cause of a network failure: an untrusted certificate, an unknown host, a closed port.
fn cause(error: &Error) -> Option<String> {
    let mut source = std::error::Error::source(error).filter(|_| error.is_network())?;
    while let Some(inner) = source.source() {
        source = inner;
    }
    Some(plain(&source.to_string()))
}

fn help(error: &Error, callee: &Callee, operation: &Operation, session: &Session) -> Option<String> {
    let variables: Vec<&str> = session.credentials.iter().filter_map(|chosen| chosen.variable.as_deref()).collect();
    match error.kind() {
        ErrorKind::Unauthorized => Some(match variables[..] {
            [] if session.credentials.is_empty() => {
                format!(
                    "the call was made without a credential; keyfit call {} {} --describe says which it takes",
                    callee.api.name, operation.id
                )
            }
            [] if session.credentials.iter().any(|chosen| chosen.is_of_profile) => {
                "look whether what the profile names is of this API and this server".to_owned()
            }
            [] => "look whether the token is of this API and this server".to_owned(),
            _ => format!("look whether the token in {} is of this API and this server", variables.join(" and ")),
        }),
        ErrorKind::Forbidden if !operation.scopes.is_empty() => {
            Some(format!("the token needs the scopes: {}", operation.scopes.join(", ")))
        }
        ErrorKind::RateLimited => {
            let wait = error.retry_after().map(|wait| format!("wait {} s", wait.as_secs() + 1));
            Some(wait.unwrap_or_else(|| "wait, or send less often".to_owned()))
        }
        ErrorKind::Cut if !error.is_body_whole() => {
            Some("the call was executed; a longer answer needs a higher --response-limit".to_owned())
        }
        _ if error.is_network() && error.may_have_been_sent() && !matches!(operation.retry, Retry::Safe) => {
            Some("the server may have executed the call: look it up before you repeat it".to_owned())
        }
        ErrorKind::Connect => {
            let client = &session.client;
            let place = client.operation(&operation.id).and_then(|row| client.base_url_of(row).ok());
            Some(format!("is this the server? {}", place.unwrap_or(client.base_url())))
        }
        _ => None,
    }
}
