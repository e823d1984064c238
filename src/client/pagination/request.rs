//! Writes into a request which page it is for.

use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Map, Value};
use url::Url;

use super::page::{decoded, of_query};
use crate::error::json::names;
use crate::error::operation::PageArgument;
use crate::http_client::Request;

/// Returns the argument that a request has already.
pub(super) fn argument(request: &Request, argument: PageArgument) -> Option<String> {
    match argument {
        PageArgument::Query(name) => of_query(request.url().query()?, name),
        PageArgument::Body(at) => match body(request)?.pointer(at)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        },
    }
    .filter(|text| !text.is_empty())
}

/// Writes a value in place of what a request says.
///
/// # Errors
/// Returns an error if the request has a body that has no members.
pub(super) fn set(request: &mut Request, argument: PageArgument, value: &Value) -> Result<(), String> {
    match argument {
        PageArgument::Query(name) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            set_query(request.url_mut(), name, &text);
            Ok(())
        }
        PageArgument::Body(at) => {
            set_member(request, at, value).map_err(|()| format!("the body has no member `{at}` to ask for a page"))
        }
    }
}

/// Sets a member of the body, which is JSON. The others stay.
///
/// # Errors
/// Returns an error if the request has a body that has no members, or is no JSON.
pub(crate) fn set_member(request: &mut Request, at: &str, value: &Value) -> Result<(), ()> {
    let mut body = match request.body() {
        None => Value::Object(Map::new()),
        Some(_) => body(request).ok_or(())?,
    };
    put(&mut body, at, value.clone()).ok_or(())?;
    request.headers_mut().entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    *request.body_mut() = Some(body.to_string().into());
    Ok(())
}

fn body(request: &Request) -> Option<Value> {
    serde_json::from_slice(request.body()?.as_bytes()?).ok()
}

/// The other parameters stay as they are written.
fn set_query(url: &mut Url, name: &str, value: &str) {
    let is_other = |pair: &&str| !pair.is_empty() && decoded(pair.split('=').next().unwrap_or_default()) != name;
    let others: Vec<&str> = url.query().unwrap_or_default().split('&').filter(is_other).collect();
    let others = others.join("&");
    url.set_query(Some(&others).filter(|others| !others.is_empty()).map(String::as_str));
    url.query_pairs_mut().append_pair(name, value);
}

/// Sets a member, and makes the objects around it.
fn put(body: &mut Value, at: &str, value: Value) -> Option<()> {
    if !at.starts_with('/') {
        return None;
    }
    let mut node = body;
    for name in names(at) {
        if node.is_null() {
            *node = Value::Object(Map::new());
        }
        node = node.as_object_mut()?.entry(name).or_insert(Value::Null);
    }
    *node = value;
    Some(())
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::json;

    use super::*;

    fn request(url: &str) -> Request {
        Request::new(Method::GET, Url::parse(url).expect("a URL"))
    }

    #[test]
    fn a_parameter_is_replaced_and_the_others_stay_as_they_are_written() {
        let mut request = request("https://api.example/a?x=a%20b&page%5Bcursor%5D=1&y&page[cursor]=2");
        let cursor = PageArgument::Query("page[cursor]");
        assert_eq!(argument(&request, cursor).as_deref(), Some("1"));
        set(&mut request, cursor, &json!("a&b=c d")).expect("a parameter");
        assert_eq!(request.url().query(), Some("x=a%20b&y&page%5Bcursor%5D=a%26b%3Dc+d"));
        assert_eq!(argument(&request, cursor).as_deref(), Some("a&b=c d"));
        let mut bare = self::request("https://api.example/a");
        set(&mut bare, PageArgument::Query("page"), &json!(2)).expect("a parameter");
        assert_eq!(bare.url().as_str(), "https://api.example/a?page=2");
        assert_eq!(argument(&self::request("https://api.example/a?page="), PageArgument::Query("page")), None);
    }

    #[test]
    fn a_member_of_the_body_is_replaced_and_the_others_stay() {
        let mut request = request("https://api.example/a");
        let cursor = PageArgument::Body("/page/next~1cursor");
        set(&mut request, cursor, &json!("a")).expect("a body of its own");
        assert_eq!(argument(&request, cursor).as_deref(), Some("a"));
        *request.body_mut() = Some(r#"{"page":{"size":2},"root":[1]}"#.into());
        set(&mut request, cursor, &json!("b")).expect("a member");
        let body = body(&request).expect("JSON");
        assert_eq!(body, json!({"page": {"size": 2, "next/cursor": "b"}, "root": [1]}));
        *request.body_mut() = Some("[1]".into());
        assert!(set(&mut request, cursor, &json!("b")).is_err());
    }
}
