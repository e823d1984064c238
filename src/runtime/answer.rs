//! Decodes a success. Unlike the generator's own decoder it loses nothing of an answer that does not fit.

use std::any::Any;

use bytes::Bytes;
use progenitor_client::{Error as ClientError, ResponseValue};
use reqwest::Response;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::{Failure, Fault, Problem};
use crate::Operation;
use crate::batch::BatchOutcome;
use crate::operation::Partial;

/// Reads the body as the operation's answer. An empty body is read as `null`.
pub(crate) async fn decode<T: DeserializeOwned + 'static>(
    response: Response,
    operation: &'static Operation,
) -> Result<ResponseValue<T>, ClientError<()>> {
    let status = response.status();
    let headers = response.headers().clone();
    let failure = |fault, body, headers| {
        Failure { fault, status, headers, body, problem: Problem::default() }.into_client_error()
    };
    let body = match response.bytes().await {
        Ok(body) => body,
        Err(error) => return Err(failure(Fault::Cut(error.without_url().into()), Bytes::new(), headers)),
    };
    let text: &[u8] = if body.is_empty() { b"null" } else { &body };
    let value: T = match serde_json::from_slice(text) {
        Ok(value) => value,
        Err(_) => return Err(failure(Fault::Decode(misfit::<T>(text)), body, headers)),
    };
    match operation.partial.and_then(|partial| failed_items(partial, &value, text)) {
        Some(report) => Err(failure(Fault::Partial(report), body, headers)),
        None => Ok(ResponseValue::new(value, status, headers)),
    }
}

/// Where the body does not fit, and why. Values are left out: an answer may echo a token.
fn misfit<T: DeserializeOwned>(body: &[u8]) -> String {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Ok(_) => "trailing characters after the JSON value".to_owned(),
        Err(error) => {
            let reason = error.inner().to_string();
            format!("at `{}`: {}", error.path(), without_values(&reason))
        }
    }
}

/// serde's message without what it quotes from the body.
fn without_values(reason: &str) -> String {
    match (reason.find('"'), reason.rfind('"')) {
        (Some(start), Some(end)) if start < end => format!("{}\"…\"{}", &reason[..start], &reason[end + 1..]),
        _ => reason.to_owned(),
    }
}

/// What a success says of items that failed; `None` where none did.
fn failed_items<T: Any>(partial: Partial, value: &T, body: &[u8]) -> Option<String> {
    match partial {
        Partial::Items => {
            let value: &dyn Any = value;
            let outcome = value
                .downcast_ref::<BatchOutcome>()
                .or_else(|| value.downcast_ref::<Option<BatchOutcome>>().and_then(Option::as_ref))?;
            (!outcome.is_complete()).then(|| outcome.to_string())
        }
        Partial::Lists => {
            #[derive(Deserialize)]
            struct Lists {
                #[serde(default)]
                entities: Option<Vec<IgnoredAny>>,
                #[serde(default)]
                errors: Option<Vec<IgnoredAny>>,
            }
            let lists: Lists = serde_json::from_slice(body).ok()?;
            let rejected = lists.errors.map_or(0, |errors| errors.len());
            let accepted = lists.entities.map_or(0, |entities| entities.len());
            (rejected > 0).then(|| format!("{accepted} accepted, {rejected} rejected"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misfit_names_the_place_and_not_the_value() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only decoding is tested")]
        struct Answer {
            entity: Vec<u8>,
        }
        let reason = misfit::<Answer>(br#"{"entity":[1,"hunter2"]}"#);
        assert!(reason.contains("entity[1]"), "{reason}");
        assert!(!reason.contains("hunter2"), "{reason}");
    }
}
