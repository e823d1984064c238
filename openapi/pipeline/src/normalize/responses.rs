//! Responses as HTTP allows them, whatever the document describes.

use serde_json::Value;

use crate::repair::Repairs;
use crate::{pointer, walk};

/// The statuses whose responses have no body (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5).
const BODILESS: [&str; 3] = ["204", "205", "304"];

/// Drops the bodies of responses that cannot have one.
pub(crate) fn without_bodies(document: &mut Value, repairs: &mut Repairs) {
    for at in walk::operation_pointers(document) {
        for status in BODILESS {
            let place = pointer::join(&pointer::join(&at, "responses"), status);
            let Some(response) = document.pointer(&place) else { continue };
            let mut response = walk::resolve(document, response).clone();
            let content = response.as_object_mut().and_then(|response| response.shift_remove("content"));
            if content.is_some_and(|content| content.as_object().is_some_and(|content| !content.is_empty()))
                && let Some(written) = document.pointer_mut(&place)
            {
                *written = response;
                repairs.note(
                    "bodiless-answer",
                    &place,
                    format!("an answer with {status} has no body: its content was dropped"),
                );
            }
        }
    }
}
