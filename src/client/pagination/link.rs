//! The URL of the next page: of the header `Link` (RFC 8288), or of a member of the body.

use http::header::{HeaderMap, LINK};
use serde_json::Value;
use url::Url;

/// The URL with `rel="next"` in the headers `Link` of an answer. `base` is where it was asked for.
///
/// # Errors
/// Returns an error if it is not a URL.
#[doc(hidden)]
pub fn next_link(headers: &HeaderMap, base: &Url) -> Result<Option<String>, String> {
    for header in headers.get_all(LINK) {
        let Ok(text) = header.to_str() else { continue };
        if let Some(target) = next_of(text) {
            let url = joined(base, target);
            return url.map(Some).ok_or_else(|| "the header `Link` names a next page that is not a URL".to_owned());
        }
    }
    Ok(None)
}

/// The URL that a member of the body holds.
///
/// # Errors
/// Returns an error if it is not a URL.
pub(super) fn of_body(value: Option<&Value>, base: &Url, at: &str) -> Result<Option<String>, String> {
    let target = match value {
        None | Some(Value::Null | Value::Bool(false)) => return Ok(None),
        Some(Value::String(text)) if text.is_empty() => return Ok(None),
        Some(Value::String(text)) => joined(base, text),
        Some(_) => None,
    };
    target.map(Some).ok_or_else(|| format!("the next page, at `{at}`, is not a URL"))
}

/// A target as an absolute URL without a fragment.
fn joined(base: &Url, target: &str) -> Option<String> {
    let mut url = base.join(target).ok()?;
    url.set_fragment(None);
    Some(url.into())
}

/// The target of the first link with this relation in one header.
fn next_of(mut text: &str) -> Option<&str> {
    loop {
        let (_, rest) = text.split_once('<')?;
        let (target, rest) = rest.split_once('>')?;
        let (parameters, rest) = parameters(rest);
        // Of several `rel` the first counts; a link with an anchor is one of another resource.
        let rel = parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case("rel"));
        let is_next =
            rel.is_some_and(|(_, value)| value.split_whitespace().any(|rel| rel.eq_ignore_ascii_case("next")));
        if is_next && !parameters.iter().any(|(name, _)| name.eq_ignore_ascii_case("anchor")) {
            return Some(target);
        }
        text = rest;
    }
}

/// The parameters of one link, and what follows it. A quoted value may hold commas and semicolons.
fn parameters(mut text: &str) -> (Vec<(&str, String)>, &str) {
    let mut found = Vec::new();
    loop {
        text = text.trim_start();
        let Some(rest) = text.strip_prefix(';') else { return (found, text) };
        let end = rest.find(['=', ';', ',']).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let Some(rest) = rest.strip_prefix('=') else {
            text = rest;
            continue;
        };
        let rest = rest.trim_start();
        let (value, rest) = if let Some(rest) = rest.strip_prefix('"') {
            quoted(rest)
        } else {
            let (value, rest) = rest.split_at(rest.find([';', ',']).unwrap_or(rest.len()));
            (value.trim_end().to_owned(), rest)
        };
        found.push((name.trim(), value));
        text = rest;
    }
}

/// A value behind its first quote, and what follows its last one.
fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
            _ => value.push(letter),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;
    use serde_json::json;

    use super::*;

    fn found(headers: &[&'static str]) -> Result<Option<String>, String> {
        let headers = headers.iter().map(|text| (LINK, HeaderValue::from_static(text))).collect();
        next_link(&headers, &Url::parse("https://api.example/v1/things?page=1").expect("a URL"))
    }

    #[test]
    fn the_next_link_is_found_however_the_header_is_written() {
        let second = || Ok(Some("https://api.example/v1/things?page=2".to_owned()));
        for headers in [
            &["<https://api.example/v1/things?page=2>; rel=\"next\""][..],
            &["<?page=2>;rel=next"],
            &["</v1/things?page=2#top>; rel=\"last next\"; title=\"a, b; c\""],
            &["<?page=9>; rel=\"last\", <?page=2>; REL=\"Next\""],
            &["<?page=9>; rel=last; title=\"<x>; rel=next, \\\"\", <?page=2>; rel=next"],
            &["<?page=0>; rel=prev", "<?page=2>; rel=next"],
            &["<?page=2>; crossorigin; rel=next"],
            &["<?page=7>; rel=next; anchor=\"/other\", <?page=2>; rel=next"],
        ] {
            assert_eq!(found(headers), second(), "{headers:?}");
        }
    }

    #[test]
    fn a_member_of_the_body_may_hold_the_url() {
        let base = Url::parse("https://api.example/v1/things?page=1").expect("a URL");
        let found = |value: Value| of_body(Some(&value), &base, "/next");
        let second = || Ok(Some("https://api.example/v1/things?page=2".to_owned()));
        for told in ["https://api.example/v1/things?page=2#top", "/v1/things?page=2", "?page=2"] {
            assert_eq!(found(json!(told)), second(), "{told}");
        }
        for end in [json!(null), json!(""), json!(false)] {
            assert_eq!(found(end), Ok(None));
        }
        assert_eq!(of_body(None, &base, "/next"), Ok(None));
        for broken in [json!(2), json!("https://[")] {
            assert_eq!(found(broken).expect_err("not a URL"), "the next page, at `/next`, is not a URL");
        }
    }

    #[test]
    fn what_is_no_next_link_ends_the_list() {
        for headers in [
            &[][..],
            &["<?page=2>; rel=\"nextish\""],
            &["<?page=2>"],
            &["<?page=2>; rel=prev; rel=next"],
            &["?page=2; rel=next"],
            &["<?page=2; rel=next"],
            &[",;<>;;,"],
        ] {
            assert_eq!(found(headers), Ok(None), "{headers:?}");
        }
        assert!(found(&["<https://[>; rel=next"]).is_err());
    }
}
