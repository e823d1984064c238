//! The request before a login: a page that sets cookies and contains a value, with which a server recognizes its own pages (XSRF, CSRF).

use std::collections::BTreeMap;

use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::Value;

use super::login::{Login, checked_pointer, in_body, set_by};
use crate::credential::secret::{Redactor, Secret};
use crate::probe::{Http, Reply};

/// Shorter values are not masked: they may be words, and masking them would make reports unreadable.
pub(super) const MIN_SECRET_CHARS: usize = 8;

/// The request before a login, in a tokens file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PreLoginEntry {
    /// The path below the base URL; that of the login if neither `path` nor `url` is set.
    pub(super) path: Option<String>,
    pub(super) url: Option<String>,
    pub(super) take: Option<ValueSource>,
    pub(super) send_as: Option<ValueTarget>,
}

/// The companions of the token in each call: a cookie, and a header with the value of the cookie or with the value from before the login.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CompanionEntry {
    pub(super) cookie: Option<String>,
    pub(super) header: Option<String>,
    /// Further cookies that are required with it, but grant no access.
    #[serde(default)]
    pub(super) cookies: Vec<String>,
}

/// The place of the value in the answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ValueSource {
    /// The cookie with this name.
    Cookie(String),
    /// The form field, `<input name=... value=...>`, with this name.
    Field(String),
    /// The `<meta name=... content=...>` with this name.
    Meta(String),
    /// The JSON pointer of a member.
    Body(String),
    /// The header with this name.
    Header(String),
}

/// The place of the value in the login.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ValueTarget {
    /// The field with this name in its form.
    Form(String),
    /// The member at this JSON pointer in its body.
    Json(String),
    /// The header with this name.
    Header(String),
    /// The query parameter with this name.
    Query(String),
}

/// The request before a login, ready to be sent.
#[derive(Clone)]
pub(super) struct PreLogin {
    pub(super) http: Http,
    pub(super) url: Url,
    pub(super) take: Option<ValueSource>,
    pub(super) redactor: Redactor,
}

/// The result of the request.
#[derive(Default)]
pub(super) struct PreLoginResult {
    pub(super) cookies: BTreeMap<String, String>,
    pub(super) value: Option<String>,
}

impl PreLoginEntry {
    /// Returns the flaw of the entry, independent of other entries.
    pub(super) fn flaw(&self, with: Option<&CompanionEntry>) -> Option<String> {
        let name = |name: &String| name.parse::<HeaderName>().err().map(|_| "no request has such a header".to_owned());
        let pointer = |pointer: &String| checked_pointer(pointer).err();
        let taken = self.take.as_ref().and_then(|take| match take {
            ValueSource::Body(at) => pointer(at),
            ValueSource::Header(header) => name(header),
            ValueSource::Cookie(_) | ValueSource::Field(_) | ValueSource::Meta(_) => None,
        });
        let sent = self.send_as.as_ref().and_then(|sent| match sent {
            ValueTarget::Json(at) => pointer(at),
            ValueTarget::Header(header) => name(header),
            ValueTarget::Form(_) | ValueTarget::Query(_) => None,
        });
        let is_shown = with.is_some_and(|with| with.header.is_some() && with.cookie.is_none());
        let unused = match (&self.take, &self.send_as) {
            (Some(_), None) if !is_shown => Some("what it takes is sent nowhere: add `send-as`".to_owned()),
            (None, Some(_)) => Some("it sends what it does not take: add `take`".to_owned()),
            _ => None,
        };
        taken.or(sent).or(unused)
    }
}

impl CompanionEntry {
    /// Returns the flaw of the entry, independent of other entries.
    pub(super) fn flaw(&self, before: Option<&PreLoginEntry>) -> Option<&'static str> {
        let is_taken = before.is_some_and(|before| before.take.is_some());
        match (&self.cookie, &self.header) {
            (None, None) if self.cookies.is_empty() => Some("`with` says nothing: name a `cookie`, a `header` or both"),
            (None, Some(_)) if !is_taken => {
                Some("the header in `with` has no value: name the `cookie` that it repeats, or `take` one before")
            }
            (_, Some(header)) if header.parse::<HeaderName>().is_err() => {
                Some("`with` names a header that no request has")
            }
            _ => None,
        }
    }
}

impl PreLogin {
    /// Requests the page. Errors contain no value.
    pub(super) async fn ask(&self) -> Result<PreLoginResult, String> {
        let named = Login::request_line(&Method::GET, &self.url);
        let request = self.http.request(Method::GET, self.url.clone()).header(ACCEPT, "*/*");
        let reply = self.http.exchange(request).await.map_err(|why| format!("{named} is not answered: {why}"))?;
        if reply.status >= 400 {
            return Err(format!(
                "{named}, which comes before the login, is answered {}: is its path right?",
                reply.status
            ));
        }
        let cookies = cookies(&reply.headers);
        let value = match &self.take {
            None => None,
            Some(take) => Some(value_in(&reply, &cookies, take).map_err(|why| {
                let hint = if (300..400).contains(&reply.status) {
                    "; it leads on to another page: name that one"
                } else {
                    ""
                };
                format!("{named}, which comes before the login, is answered {}, and {why}{hint}", reply.status)
            })?),
        };
        for secret in cookies.values().chain(&value) {
            learn(&self.redactor, secret);
        }
        Ok(PreLoginResult { cookies, value })
    }
}

/// Registers a value for redaction.
pub(super) fn learn(redactor: &Redactor, value: &str) {
    if value.len() >= MIN_SECRET_CHARS {
        redactor.learn(&Secret::new(value));
    }
}

/// Returns the cookies that an answer sets.
pub(super) fn cookies(headers: &HeaderMap) -> BTreeMap<String, String> {
    let set = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let named = set.filter_map(|cookie| Some((cookie.split_once('=')?.0.trim(), cookie)));
    named.filter_map(|(name, cookie)| Some((name.to_owned(), set_by(cookie, name)?.0))).collect()
}

/// Returns the header value with which a browser's script repeats a cookie.
pub(super) fn repeated(cookie: &str) -> String {
    percent_encoding::percent_decode_str(cookie).decode_utf8_lossy().into_owned()
}

fn value_in(reply: &Reply, cookies: &BTreeMap<String, String>, take: &ValueSource) -> Result<String, String> {
    let page = || String::from_utf8_lossy(&reply.body);
    let value = match take {
        ValueSource::Body(pointer) => return in_body(reply, pointer),
        ValueSource::Cookie(name) => {
            cookies.get(name).map(|value| repeated(value)).ok_or(format!("sets no cookie `{name}`"))
        }
        ValueSource::Field(name) => {
            of_tag(&page(), "input", name, "value").ok_or(format!("has no field `{name}` in a form"))
        }
        ValueSource::Meta(name) => {
            of_tag(&page(), "meta", name, "content").ok_or(format!("has no <meta> of the name `{name}`"))
        }
        ValueSource::Header(name) => {
            let value = reply.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            value.ok_or(format!("has no header `{name}`"))
        }
    }?;
    if value.is_empty() { Err("the value that is to be taken is empty".to_owned()) } else { Ok(value) }
}

/// Adds a value to a login request.
pub(super) fn add(
    value: &str,
    to: &ValueTarget,
    url: &mut Url,
    headers: &mut HeaderMap,
    body: &mut Option<(&'static str, Vec<u8>)>,
) -> Result<(), String> {
    match to {
        ValueTarget::Header(name) => {
            let name: HeaderName = name.parse().map_err(|_| "no request has such a header".to_owned())?;
            let mut value =
                HeaderValue::from_str(value).map_err(|_| format!("what was taken fits into no `{name}`"))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        ValueTarget::Query(name) => drop(url.query_pairs_mut().append_pair(name, value)),
        ValueTarget::Form(name) => {
            let (media_type, bytes) = body.get_or_insert_with(|| ("application/x-www-form-urlencoded", Vec::new()));
            if *media_type != "application/x-www-form-urlencoded" {
                return Err("what was taken is to go into a form, and the body of the login is none".to_owned());
            }
            let mut form = String::from_utf8_lossy(bytes).into_owned();
            if !form.is_empty() {
                form.push('&');
            }
            form.push_str(&url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish());
            *bytes = form.into_bytes();
        }
        ValueTarget::Json(pointer) => {
            let (media_type, bytes) = body.get_or_insert_with(|| ("application/json", b"{}".to_vec()));
            let read = serde_json::from_slice::<Value>(bytes).ok().filter(|_| *media_type == "application/json");
            let mut json = read.ok_or("what was taken is to go into JSON, and the body of the login is none")?;
            crate::text::pointer::put(&mut json, pointer, value.into());
            *bytes = json.to_string().into_bytes();
        }
    }
    Ok(())
}

/// Returns an attribute of the first tag of this kind with this `name`.
fn of_tag(page: &str, tag: &str, name: &str, wanted: &str) -> Option<String> {
    page.match_indices('<').find_map(|(at, _)| {
        let rest = &page[at + 1..];
        let begins = rest.get(..tag.len())?.eq_ignore_ascii_case(tag);
        let rest = begins.then(|| &rest[tag.len()..]).filter(|rest| rest.starts_with([' ', '\t', '\r', '\n', '/']))?;
        let attributes = attributes(rest);
        let of = |wanted: &str| attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        of(wanted).filter(|_| of("name").as_deref() == Some(name))
    })
}

/// Returns the attributes of a tag, from the end of its name.
fn attributes(mut rest: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(|one: char| one.is_ascii_whitespace() || one == '/');
        let end =
            rest.find(|one: char| one.is_ascii_whitespace() || matches!(one, '=' | '>' | '/')).unwrap_or(rest.len());
        if end == 0 {
            return found;
        }
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let Some(value) = rest.strip_prefix('=').map(str::trim_start) else {
            found.push((name, String::new()));
            continue;
        };
        let quote = value.chars().next().filter(|one| matches!(one, '"' | '\''));
        let (text, behind) = match quote {
            Some(quote) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            None => {
                value.split_at(value.find(|one: char| one.is_ascii_whitespace() || one == '>').unwrap_or(value.len()))
            }
        };
        found.push((name, unescaped(text)));
        rest = behind;
    }
}

/// Replaces HTML character references in the text of an attribute.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        plain.push_str(before);
        let known = behind.split_once(';').and_then(|(name, after)| Some((referred(name)?, after)));
        let (character, after) = known.unwrap_or(('&', behind));
        plain.push(character);
        rest = after;
    }
    plain + rest
}

fn referred(name: &str) -> Option<char> {
    let number = name.strip_prefix('#');
    let hex = number.and_then(|number| number.strip_prefix(['x', 'X']));
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => match (hex, number) {
            (Some(hex), _) => char::from_u32(u32::from_str_radix(hex, 16).ok()?),
            (None, number) => char::from_u32(number?.parse().ok()?),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_in_a_tag_however_it_is_written() {
        let page = "<!doctype html><META content='a b' NAME=\"other\"><meta name=csrf-token content=\"x/&amp;&#43;&#x3D;&nothing;\">\
                    <inputs name=_xsrf value=no><input type=hidden\n name='_xsrf'\tvalue=2|ab/>c disabled><input name=empty>";
        for (tag, name, wanted, value) in [
            ("meta", "csrf-token", "content", Some("x/&+=&nothing;")),
            ("meta", "other", "content", Some("a b")),
            ("input", "_xsrf", "value", Some("2|ab/")),
            ("input", "empty", "value", None),
            ("input", "csrf", "value", None),
        ] {
            assert_eq!(of_tag(page, tag, name, wanted).as_deref(), value, "{name}");
        }
        for broken in ["<", "<input", "<input name", "<input name=\"x", "<input name=x value='é", "<inpué"] {
            assert_eq!(of_tag(broken, "input", "y", "value"), None, "{broken}");
        }
    }

    #[test]
    fn a_value_goes_where_it_is_to_go() {
        let url = || Url::parse("https://hub.example/login").expect("a URL");
        let form = || Some(("application/x-www-form-urlencoded", b"user=mia".to_vec()));
        let json = || Some(("application/json", b"{}".to_vec()));
        let added = |to: ValueTarget, mut body: Option<(&'static str, Vec<u8>)>| {
            let (mut url, mut headers) = (url(), HeaderMap::new());
            add("a&b", &to, &mut url, &mut headers, &mut body)?;
            let body = body.map(|(_, bytes)| String::from_utf8(bytes).expect("UTF-8")).unwrap_or_default();
            let header = headers.get("x-xsrf").map(|value| value.to_str().expect("a text").to_owned());
            Ok::<_, String>((url.query().unwrap_or_default().to_owned(), header.unwrap_or_default(), body))
        };
        let expected =
            |query: &str, header: &str, body: &str| Ok((query.to_owned(), header.to_owned(), body.to_owned()));
        assert_eq!(added(ValueTarget::Form("_x".into()), form()), expected("", "", "user=mia&_x=a%26b"));
        assert_eq!(added(ValueTarget::Form("_x".into()), None), expected("", "", "_x=a%26b"));
        assert_eq!(added(ValueTarget::Json("/_x".into()), json()), expected("", "", "{\"_x\":\"a&b\"}"));
        assert_eq!(added(ValueTarget::Query("_x".into()), None), expected("_x=a%26b", "", ""));
        assert_eq!(added(ValueTarget::Header("X-Xsrf".into()), None), expected("", "a&b", ""));
        assert!(
            added(ValueTarget::Form("_x".into()), json()).is_err()
                && added(ValueTarget::Json("/x".into()), form()).is_err()
        );
    }
}
