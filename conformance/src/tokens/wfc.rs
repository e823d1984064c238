//! Authentication files of the Web Fuzzing Commons, converted to tokens files: <https://github.com/WebFuzzing/Commons>.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use keyfit_openapi::{Error, Text};
use reqwest::header::{AUTHORIZATION, COOKIE};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::failure;
use super::source::Place;
use crate::contract::{Carrier, Contract};
use crate::secret::{Secret, without_quotes};

const LOGIN: &str = "loginEndpointAuth";
const PAYLOADS: [&str; 2] = ["payloadRaw", "payloadUserPwd"];

/// A converted file, with the secrets that it contained.
#[derive(Debug, Default)]
pub struct Carried {
    /// A tokens file, which names the variables.
    pub text: String,
    /// The secrets by the variables that the text names.
    pub variables: BTreeMap<String, Secret>,
    /// The parts that a tokens file cannot express, each with its JSON pointer.
    pub notes: Vec<String>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(default, rename = "fixedHeaders")]
    fixed_headers: Vec<Header>,
    #[serde(rename = "loginEndpointAuth")]
    login: Option<Login>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Login {
    endpoint: Option<String>,
    #[serde(rename = "externalEndpointURL")]
    external_endpoint_url: Option<String>,
    verb: Option<String>,
    content_type: Option<String>,
    payload_raw: Option<String>,
    payload_user_pwd: Option<UserPwd>,
    #[serde(default)]
    headers: Vec<Header>,
    token: Option<Token>,
    #[serde(default)]
    expect_cookies: bool,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserPwd {
    username: String,
    password: String,
    username_field: String,
    password_field: String,
}

/// Includes the members of earlier versions.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    extract_from: Option<String>,
    extract_selector: Option<String>,
    send_in: Option<String>,
    send_name: Option<String>,
    send_template: Option<String>,
    extract_from_field: Option<String>,
    extract_from_header: Option<String>,
    http_header_name: Option<String>,
    #[serde(default)]
    header_prefix: String,
    #[serde(default)]
    header_postfix: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// The state of a conversion.
struct Writer<'a> {
    contract: &'a Contract,
    carried: Carried,
    names: BTreeSet<String>,
}

/// Returns the content of such a file if a text is one: YAML, JSON, or TOML with a list `auth`.
pub fn recognized(text: &Text) -> Option<Value> {
    let value = match toml::from_str::<Value>(&text.text) {
        Ok(value) => value,
        Err(_) => text.value().ok()?,
    };
    value.get("auth").is_some_and(Value::is_array).then_some(value)
}

/// Converts such a file to a tokens file, if the contract has kinds of tokens for it.
///
/// # Errors
/// Returns an error if an entry does not match the format, or no entry has a credential of the API.
pub fn carry_over(text: &Text, value: &Value, contract: &Contract) -> Result<Carried, Error> {
    let refuse = |problem: String, help: &str| {
        let place = keyfit_openapi::SourceLocation { path: text.path.clone(), ..Default::default() };
        failure(place, problem, help)
    };
    let mut writer = Writer { contract, carried: Carried::default(), names: BTreeSet::new() };
    let template = value.get("authTemplate").cloned().unwrap_or_default();
    for (place, entry) in value["auth"].as_array().into_iter().flatten().enumerate() {
        let at = format!("/auth/{place}");
        let mut template = template.clone();
        if needs_no_login(entry, &template) {
            template.as_object_mut().and_then(|members| members.remove(LOGIN));
            let why = "it has no payload, and the entry has fixed headers";
            writer.carried.notes.push(format!("{at} does not log in as /authTemplate/{LOGIN} says: {why}"));
        }
        let entry: Entry = serde_json::from_value(merged(entry.clone(), &template)).map_err(|error| {
            refuse(
                format!("{at} cannot be read: {}", without_quotes(&error.to_string())),
                "correct it by the schema of the format",
            )
        })?;
        writer.entry(&at, &entry);
    }
    for name in value.as_object().into_iter().flat_map(Map::keys) {
        if !matches!(name.as_str(), "auth" | "authTemplate" | "schemaVersion") {
            writer.left_out(&format!("/{name}"), "it says nothing of who calls");
        }
    }
    if writer.carried.text.is_empty() {
        let why = writer.carried.notes.join("; ");
        return Err(refuse(
            format!("nothing of the file opens the API: {why}"),
            "correct the file, or the kinds of token of the contract",
        ));
    }
    Ok(writer.carried)
}

/// Returns whether the headers of an entry alone identify the caller. The login of the template is then for other entries: it has no user
/// who could log in.
fn needs_no_login(entry: &Value, template: &Value) -> bool {
    let is_given = |value: &Value, name: &str| value.get(name).is_some_and(|member| !member.is_null());
    let has_headers = entry["fixedHeaders"].as_array().is_some_and(|headers| !headers.is_empty());
    let login = template.get(LOGIN).filter(|login| !login.is_null());
    let is_nobodys = |login: &Value| !PAYLOADS.iter().any(|name| is_given(login, name));
    has_headers && !is_given(entry, LOGIN) && login.is_some_and(is_nobodys)
}

/// Returns a value with its missing members from a template.
fn merged(value: Value, template: &Value) -> Value {
    match (value, template) {
        (Value::Object(mut members), Value::Object(others)) => {
            for (name, other) in others {
                let own = members.remove(name).unwrap_or_default();
                members.insert(name.clone(), merged(own, other));
            }
            Value::Object(members)
        }
        (Value::Null, template) => template.clone(),
        (value, _) => value,
    }
}

impl Writer<'_> {
    fn left_out(&mut self, at: &str, why: &str) {
        self.carried.notes.push(format!("{at} is left out: {why}"));
    }

    fn entry(&mut self, at: &str, entry: &Entry) {
        for (name, value) in &entry.rest {
            if *value != Value::Bool(false) && !value.is_null() {
                self.left_out(&format!("{at}/{name}"), "a tokens file has no word for it");
            }
        }
        for (place, header) in entry.fixed_headers.iter().enumerate() {
            self.fixed(&format!("{at}/fixedHeaders/{place}"), &entry.name, header);
        }
        if let Some(login) = &entry.login {
            self.login(&format!("{at}/{LOGIN}"), &entry.name, login);
        }
    }

    /// Converts a constant header that identifies the caller.
    fn fixed(&mut self, at: &str, name: &str, header: &Header) {
        let value = header.value.trim();
        let is_named = |known: &str| header.name.eq_ignore_ascii_case(known);
        let found = self.contract.credentials.iter().find_map(|credential| {
            let secret = match credential.carrier() {
                Carrier::NamedHeader(known) if is_named(known) => Some(value.to_owned()),
                Carrier::Cookie(known) if is_named(COOKIE.as_str()) => {
                    crate::carrier::in_cookies(value, known).map(str::to_owned)
                }
                carrier if is_named(AUTHORIZATION.as_str()) => {
                    let (scheme, rest) = value.split_once(' ')?;
                    let is_it = carrier.scheme().is_some_and(|known| known.eq_ignore_ascii_case(scheme));
                    is_it.then(|| crate::carrier::decoded(carrier, rest.trim()).map(std::borrow::Cow::into_owned))?
                }
                _ => None,
            }?;
            Some((credential.kind.clone(), secret))
        });
        match found {
            Some((kind, secret)) => {
                let place = self.secret(name, &kind, &secret);
                self.identity(name, &kind, &format!("secret = {place}\n"));
            }
            None => self.left_out(at, "no kind of token of the contract is sent so; a header that says nothing of who calls is sent by --header"),
        }
    }

    fn login(&mut self, at: &str, name: &str, login: &Login) {
        for member in login.rest.keys() {
            self.left_out(&format!("{at}/{member}"), "it is not known");
        }
        let mut text = String::from("\n[identity.login]\n");
        let _ = match (&login.endpoint, &login.external_endpoint_url) {
            (Some(path), None) => writeln!(text, "path = {}", quoted(&format!("/{}", path.trim_start_matches('/')))),
            (None, Some(url)) => writeln!(text, "url = {}", quoted(url)),
            _ => return self.left_out(at, "it names no endpoint, or two"),
        };
        let _ = writeln!(text, "method = {}", quoted(login.verb.as_deref().unwrap_or("POST")));
        let mut headers = Vec::new();
        for header in &login.headers {
            headers.push(format!("{} = {}", quoted(&header.name), self.secret(name, &header.name, &header.value)));
        }
        let body = self.body(at, name, login, &mut headers);
        if !headers.is_empty() {
            let _ = writeln!(text, "headers = {{ {} }}", headers.join(", "));
        }
        text.push_str(&body);
        let places = self.places(at, login);
        if places.is_empty() {
            return;
        }
        for (kind, place) in places {
            self.identity(name, &kind, &format!("{text}token = {place}\n"));
        }
    }

    /// Returns the body of a login.
    fn body(&mut self, at: &str, name: &str, login: &Login, headers: &mut Vec<String>) -> String {
        let media_type = login.content_type.as_deref().unwrap_or("application/json");
        let is = |part: &str| media_type.to_ascii_lowercase().contains(part);
        let raw = match (&login.payload_user_pwd, &login.payload_raw) {
            (Some(UserPwd { username, password, username_field, password_field }), raw) => {
                if raw.is_some() {
                    self.left_out(&format!("{at}/payloadRaw"), "payloadUserPwd stands beside it");
                }
                let place = self.secret(name, password_field, password);
                let members =
                    format!("{} = {}, {} = {place}", quoted(username_field), quoted(username), quoted(password_field));
                return format!("{} = {{ {members} }}\n", if is("form") { "form" } else { "json" });
            }
            (None, Some(raw)) => raw,
            (None, None) => return String::new(),
        };
        if is("json")
            && let Ok(value @ Value::Object(_)) = serde_json::from_str::<Value>(raw)
            && is_plain(&value)
        {
            return format!("json = {}\n", self.inline(name, "", &value));
        }
        if is("x-www-form-urlencoded") {
            let pairs: Vec<(String, String)> = url::form_urlencoded::parse(raw.as_bytes()).into_owned().collect();
            let names: BTreeSet<&String> = pairs.iter().map(|(name, _)| name).collect();
            if names.len() == pairs.len() {
                let members = pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
                return format!("form = {}\n", self.inline(name, "", &Value::Object(members)));
            }
        }
        headers.push(format!("Content-Type = {}", quoted(media_type)));
        format!("text = {}\n", self.secret(name, "body", raw))
    }

    /// Returns the place of the token in the answer, for each kind of token that it is.
    fn places(&mut self, at: &str, login: &Login) -> Vec<(String, String)> {
        if let Some(token) = &login.token {
            let at = format!("{at}/token");
            for member in token.rest.keys() {
                self.left_out(&format!("{at}/{member}"), "it is not known");
            }
            let selector = token.extract_selector.clone();
            let place = match (token.extract_from.as_deref(), selector) {
                (Some("body"), Some(pointer)) => format!("{{ body = {} }}", quoted(&pointer)),
                (Some("header"), Some(name)) => format!("{{ header = {} }}", quoted(&name)),
                _ => match (&token.extract_from_field, &token.extract_from_header) {
                    (Some(pointer), None) => format!("{{ body = {} }}", quoted(pointer)),
                    (None, Some(name)) => format!("{{ header = {} }}", quoted(name)),
                    _ => {
                        self.left_out(&at, "where the token stands in the answer is not said");
                        return Vec::new();
                    }
                },
            };
            let name = token.send_name.as_ref().or(token.http_header_name.as_ref());
            let template = token.send_template.clone();
            let template =
                template.unwrap_or_else(|| format!("{}{{token}}{}", token.header_prefix, token.header_postfix));
            let is_query = token.send_in.as_deref() == Some("query");
            let kind = name.and_then(|name| self.kind_sent(name, &template, is_query));
            match kind {
                Some(kind) => return vec![(kind, place)],
                None => self.left_out(&at, "no kind of token of the contract is sent so"),
            }
        }
        if !login.expect_cookies {
            return Vec::new();
        }
        let cookies = self.contract.credentials.iter().filter_map(|credential| match credential.carrier() {
            Carrier::Cookie(name) => Some((credential.kind.clone(), format!("{{ cookie = {} }}", quoted(name)))),
            _ => None,
        });
        let cookies: Vec<_> = cookies.collect();
        if cookies.is_empty() {
            self.left_out(at, "the contract has no kind of token that is a cookie: `init --credential cookie:NAME`");
        }
        cookies
    }

    /// Returns the kind of token that calls send in this way.
    fn kind_sent(&self, name: &str, template: &str, is_query: bool) -> Option<String> {
        let sent = |carrier: &Carrier| match carrier {
            Carrier::Query(known) => is_query && known == name && template == "{token}",
            Carrier::NamedHeader(known) => !is_query && known.eq_ignore_ascii_case(name) && template == "{token}",
            Carrier::Header | Carrier::Scheme(_) => {
                let scheme = template.strip_suffix("{token}").map(str::trim);
                let is_scheme =
                    scheme.zip(carrier.scheme()).is_some_and(|(one, other)| one.eq_ignore_ascii_case(other));
                !is_query && name.eq_ignore_ascii_case(AUTHORIZATION.as_str()) && is_scheme
            }
            Carrier::Basic | Carrier::Cookie(_) | Carrier::ClientCertificate => false,
        };
        self.contract.credentials.iter().find(|one| sent(one.carrier())).map(|one| one.kind.clone())
    }

    fn identity(&mut self, name: &str, kind: &str, rest: &str) {
        let mut own = name.to_owned();
        if self.names.contains(&own) {
            own = format!("{name}, {kind}");
        }
        let is_second = self
            .names
            .iter()
            .any(|known| self.carried.text.contains(&format!("name = {}\nkind = {}\n", quoted(known), quoted(kind))));
        if is_second {
            let why = "it is one more of its kind: say with `scopes` what it may do less, or it is not called as";
            self.carried.notes.push(format!("`{own}`: {why}"));
        }
        let _ = writeln!(
            self.carried.text,
            "[[identity]]\nname = {}\nkind = {}\nstate = \"valid\"\n{rest}",
            quoted(&own),
            quoted(kind)
        );
        self.names.insert(own);
    }

    /// Stores a secret under a variable, and returns its place for a tokens file.
    fn secret(&mut self, name: &str, what: &str, secret: &str) -> String {
        let plain = format!("{} {name} {what}", self.contract.name);
        let plain = plain.to_uppercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
        let parts: Vec<&str> = plain.split('_').filter(|part| !part.is_empty()).collect();
        let begin = parts.join("_");
        let begin = if begin.starts_with(|one: char| one.is_ascii_digit()) { format!("A_{begin}") } else { begin };
        let mut variable = begin.clone();
        let mut number = 1;
        while self.carried.variables.get(&variable).is_some_and(|known| known.reveal() != secret) {
            number += 1;
            variable = format!("{begin}_{number}");
        }
        self.carried.variables.insert(variable.clone(), Secret::new(secret));
        format!("{{ env = {} }}", quoted(&variable))
    }

    /// Returns a JSON value as TOML in one line, with its secrets replaced by their places.
    fn inline(&mut self, entry: &str, name: &str, value: &Value) -> String {
        match value {
            Value::String(text) if is_open(name) => quoted(text),
            // Any other member may be a password.
            Value::String(text) => self.secret(entry, name, text),
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.inline(entry, name, item)).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Object(members) => {
                let members = members.iter();
                let members: Vec<String> = members
                    .map(|(name, value)| format!("{} = {}", quoted(name), self.inline(entry, name, value)))
                    .collect();
                format!("{{ {} }}", members.join(", "))
            }
            other => other.to_string(),
        }
    }
}

/// Returns whether the value with this name is not secret: the user, or the way to log in.
fn is_open(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).map(|one| one.to_ascii_lowercase()).collect();
    ["user", "username", "login", "email", "name", "granttype", "clientid", "scope", "audience"]
        .contains(&name.as_str())
}

/// Returns whether a tokens file can contain a value: it has no null and no number, and no part of it would be read as the place of a secret.
fn is_plain(value: &Value) -> bool {
    match value {
        // A number may be a secret, and a variable contains text.
        Value::Null | Value::Number(_) => false,
        Value::Array(items) => items.iter().all(is_plain),
        Value::Object(members) => {
            let is_place = toml::Value::try_from(value).is_ok_and(|value| Place::of(&value).is_some());
            !is_place && members.values().all(is_plain)
        }
        Value::Bool(_) | Value::String(_) => true,
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_login_of_nobody_is_none_of_an_entry_with_headers() {
        let headers = json!([{ "name": "Authorization", "value": "Bearer fixture-token-1" }]);
        let (nobodys, with_payload) = (json!({ "endpoint": "/login" }), json!({ "payloadRaw": "user=mia" }));
        for (entry, login, expected) in [
            (json!({ "fixedHeaders": headers }), &nobodys, true),
            (json!({ "fixedHeaders": headers, LOGIN: null }), &nobodys, true),
            (json!({ "fixedHeaders": headers }), &with_payload, false),
            (json!({ "fixedHeaders": headers, LOGIN: with_payload }), &nobodys, false),
            (json!({ "fixedHeaders": [] }), &nobodys, false),
            (json!({ "name": "mia" }), &nobodys, false),
            (json!({ "fixedHeaders": headers }), &Value::Null, false),
            (json!("mia"), &nobodys, false),
        ] {
            assert_eq!(needs_no_login(&entry, &json!({ LOGIN: login })), expected, "{entry} {login}");
        }
        assert!(!needs_no_login(&json!({ "fixedHeaders": headers }), &Value::Null));
    }
}
