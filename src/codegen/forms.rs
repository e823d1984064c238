//! Forms as bodies of generated calls.

use http::header::CONTENT_TYPE;
use serde::Serialize;

use crate::client::RequestBuilder;
use crate::client::form::{FormMember, Multipart, written};
use crate::client::transport::{Outgoing, Unsent};
use crate::http_client::Request;

/// The request with a body in parts; without one where the value is `None`.
///
/// # Errors
/// Returns an error if the value cannot be written in parts.
pub fn multipart(
    request: Request,
    media_type: &'static str,
    body: &impl Serialize,
    members: &[FormMember],
) -> Result<Outgoing, Unsent> {
    let form = Multipart::of(media_type, body, members).map_err(|why| refused(&why))?;
    Ok(Outgoing { request, form })
}

/// The request with a body that is a form in one text; without one where the value is `None`.
pub(super) fn urlencoded(
    request: RequestBuilder,
    body: &impl Serialize,
    members: &[FormMember],
) -> Result<RequestBuilder, Unsent> {
    Ok(match written(body, members).map_err(|why| refused(&why))? {
        Some(form) => request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form),
        None => request,
    })
}

fn refused(why: &str) -> Unsent {
    Unsent::InvalidRequest(format!("the argument `body` is refused: {why}"))
}
