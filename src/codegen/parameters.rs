//! Lists as parameters of generated calls.

use serde::Serialize;

use crate::client::list_style::{ListStyle, add_query};
use crate::client::transport::Unsent;
use crate::http_client::Request;

/// A list as a segment of a path.
///
/// # Errors
/// Returns an error if the style cannot write the list, or it would lead to another path.
pub fn path_list(name: &str, value: &impl Serialize, style: ListStyle) -> Result<String, Unsent> {
    json(value).and_then(|json| style.in_path(name, &json)).map_err(|why| refused(name, &why))
}

/// A list as a header.
///
/// # Errors
/// Returns an error if the style cannot write the list.
pub fn header_list(name: &str, value: &impl Serialize, style: ListStyle) -> Result<String, Unsent> {
    json(value).and_then(|json| style.in_header(&json)).map_err(|why| refused(name, &why))
}

/// A list as a part of a query; `None` where there is nothing to send.
///
/// # Errors
/// Returns an error if the style cannot write the list.
pub fn query_list(name: &str, value: &impl Serialize, style: ListStyle) -> Result<Option<String>, Unsent> {
    json(value).and_then(|json| style.in_query(name, &json)).map_err(|why| refused(name, &why))
}

/// The request with these at the end of its query.
pub fn with_lists<const N: usize>(mut request: Request, lists: [Option<String>; N]) -> Request {
    lists.into_iter().flatten().for_each(|list| add_query(request.url_mut(), &list));
    request
}

/// As JSON text, because numbers keep their digits there.
fn json(value: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(value).map_err(|error| error.to_string())
}

fn refused(name: &str, why: &str) -> Unsent {
    Unsent::InvalidRequest(format!("the argument `{name}` is refused: {why}"))
}
