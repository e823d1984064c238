//! Logins of sessions: a declared request, and the place of the token in its answer.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use futures_core::future::BoxFuture;
use keyfit::auth::{AccessToken, TokenSource};
use keyfit::{Clock as _, Error, SystemClock};
use keyfit_openapi::Carrier;
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, REFERER, SET_COOKIE};
use reqwest::{Method, RequestBuilder, Url};
use serde::Deserialize;
use serde_json::Value;

use super::pre_login::{self, CompanionEntry, PreLogin, PreLoginEntry, PreLoginResult, ValueTarget};
use crate::credential::fetched_tokens::{Companion, Companions};
use crate::credential::jws::Jws;
use crate::credential::secret::{Redactor, Secret, is_word};
use crate::probe::{Http, Reply};
use crate::text::pointer;

/// A login in a tokens file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct LoginEntry {
    /// The method; POST by default.
    pub(super) method: Option<String>,
    /// The path below the base URL.
    pub(super) path: Option<String>,
    /// The URL, in place of the path, if the login is elsewhere.
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, toml::Value>,
    /// A JSON body.
    pub(super) json: Option<toml::Value>,
    /// A form body.
    pub(super) form: Option<BTreeMap<String, toml::Value>>,
    /// A literal body.
    pub(super) text: Option<toml::Value>,
    /// The request for a page before the login.
    pub(super) before: Option<PreLoginEntry>,
    /// The companions of the token in calls.
    pub(super) with: Option<CompanionEntry>,
    /// The place of the token in the answer.
    pub(super) token: TokenPlace,
    /// The JSON pointer to the lifetime of the token in seconds.
    pub(super) expires_in: Option<String>,
}

/// The place of a token in an answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "TokenPlaceEntry")]
pub(super) enum TokenPlace {
    /// The JSON pointer to a member; an empty one is the whole body, which may be a plain text.
    Body(String),
    /// The cookie with this name.
    Cookie(String),
    /// The header with this name.
    Header(HeaderName),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenPlaceEntry {
    body: Option<String>,
    cookie: Option<String>,
    header: Option<String>,
}

impl TryFrom<TokenPlaceEntry> for TokenPlace {
    type Error = String;

    fn try_from(places: TokenPlaceEntry) -> Result<Self, String> {
        match places {
            TokenPlaceEntry { body: Some(pointer), cookie: None, header: None } => {
                checked_pointer(&pointer).map(|()| Self::Body(pointer))
            }
            TokenPlaceEntry { body: None, cookie: Some(name), header: None } => Ok(Self::Cookie(name)),
            TokenPlaceEntry { body: None, cookie: None, header: Some(name) } => name
                .parse()
                .map(Self::Header)
                .map_err(|_| "the name of a header has letters, digits and hyphens".to_owned()),
            _ => Err("a token stands in one place: name its `body`, `cookie` or `header`".to_owned()),
        }
    }
}

/// Returns an error for an invalid JSON pointer (RFC 6901).
pub(super) fn checked_pointer(pointer: &str) -> Result<(), String> {
    if pointer.is_empty() || pointer.starts_with('/') {
        return Ok(());
    }
    Err("a JSON pointer begins with a slash, as in /data/token".to_owned())
}

/// A login that can be sent.
pub(super) struct Login {
    pub(super) http: Http,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    /// The body with its media type.
    pub(super) body: Option<(&'static str, Vec<u8>)>,
    pub(super) token: TokenPlace,
    pub(super) expires_in: Option<String>,
    /// The place of the token in calls.
    pub(super) carrier: Carrier,
    /// The request before it.
    pub(super) before: Option<PreLogin>,
    /// The place of the value from that request.
    pub(super) send_as: Option<ValueTarget>,
    pub(super) with: Option<CompanionEntry>,
    /// The companions of the token, once it has been fetched.
    pub(super) companions: Companions,
    pub(super) redactor: Redactor,
}

impl Login {
    /// Returns the request in the notation of reports.
    pub(super) fn request_line(method: &Method, url: &Url) -> String {
        let mut url = url.clone();
        url.set_query(None);
        format!("{method} {url}")
    }

    async fn log_in(&self) -> Result<AccessToken, String> {
        let named = Self::request_line(&self.method, &self.url);
        let (request, mut brought) = self.request().await?;
        let reply = self.http.exchange(request).await;
        let reply = reply.map_err(|why| format!("{named} is not answered: {why}"))?;
        // A login form usually redirects to a page, and sets the cookie in that answer.
        let is_led_on = (300..400).contains(&reply.status) && !matches!(self.token, TokenPlace::Body(_));
        if !reply.is_success() && !is_led_on {
            let hint = if matches!(reply.status, 400 | 401 | 403 | 404 | 422) {
                ": are path, user and password right?"
            } else {
                ""
            };
            return Err(format!("{named} is answered {}{hint}", reply.status));
        }
        let (token, life) =
            self.token_in(&reply).map_err(|why| format!("{named} is answered {}, and {why}", reply.status))?;
        let life = match &self.expires_in {
            Some(pointer) => Some(seconds(&reply, pointer).map_err(|why| format!("in the answer of {named} {why}"))?),
            None => life.or_else(|| life_of_jwt(&token)),
        };
        let expires_at = life.map(|life| SystemClock.now() + life);
        brought.cookies.extend(pre_login::cookies(&reply.headers));
        self.companions
            .set(self.companions(&brought).map_err(|why| format!("{named} is answered {}, and {why}", reply.status))?);
        Ok(AccessToken::new(token).expiring_at(expires_at))
    }

    /// Returns the request, and the result of the one before it.
    async fn request(&self) -> Result<(RequestBuilder, PreLoginResult), String> {
        let (mut url, mut headers, mut body) = (self.url.clone(), self.headers.clone(), self.body.clone());
        let mut brought = PreLoginResult::default();
        if let Some(before) = &self.before {
            brought = before.ask().await?;
            if let (Some(value), Some(to)) = (&brought.value, &self.send_as) {
                pre_login::add(value, to, &mut url, &mut headers, &mut body)?;
            }
            let own = headers.get(COOKIE).and_then(|own| own.to_str().ok()).map(str::to_owned);
            let pairs = brought.cookies.iter().map(|(name, value)| format!("{name}={value}"));
            let cookie = own.into_iter().chain(pairs).collect::<Vec<_>>().join("; ");
            if let Some(mut cookie) = HeaderValue::from_str(&cookie).ok().filter(|cookie| !cookie.is_empty()) {
                cookie.set_sensitive(true);
                headers.insert(COOKIE, cookie);
            }
            // Servers that check the origin of forms compare it over HTTPS.
            if let Some(page) = HeaderValue::from_str(before.url.as_str()).ok().filter(|_| before.url.query().is_none())
            {
                headers.entry(REFERER).or_insert(page);
            }
        }
        let mut request = self.http.request(self.method.clone(), url).header(ACCEPT, "*/*");
        if let Some((media_type, body)) = body {
            if !headers.contains_key(CONTENT_TYPE) {
                request = request.header(CONTENT_TYPE, media_type);
            }
            request = request.body(body);
        }
        Ok((request.headers(headers), brought))
    }

    /// Returns the companions of the token.
    fn companions(&self, brought: &PreLoginResult) -> Result<Vec<Companion>, String> {
        let Some(CompanionEntry { cookie, header, cookies }) = &self.with else { return Ok(Vec::new()) };
        let mut companions = Vec::new();
        let mut value = brought.value.clone();
        for name in cookie.iter().chain(cookies) {
            let set = brought.cookies.get(name);
            let set = set.ok_or_else(|| format!("neither it nor what comes before it sets a cookie `{name}`"))?;
            if cookie.as_ref() == Some(name) {
                value = Some(pre_login::repeated(set));
            }
            companions.push(Companion::Cookie(name.clone(), Secret::new(set)));
        }
        if let (Some(name), Some(value)) = (header.as_ref().and_then(|name| name.parse().ok()), &value) {
            companions.push(Companion::Header(name, Secret::new(value)));
            companions
                .push(Companion::Header(REFERER, Secret::new(format!("{}/", self.url.origin().ascii_serialization()))));
        }
        companions.iter().filter(|one| !one.is_public()).for_each(|one| pre_login::learn(&self.redactor, one.value()));
        Ok(companions)
    }

    /// Returns the token from an answer, and the lifetime of its cookie.
    fn token_in(&self, reply: &Reply) -> Result<(String, Option<Duration>), String> {
        match &self.token {
            TokenPlace::Body(pointer) => in_body(reply, pointer).map(|token| (token, None)),
            TokenPlace::Cookie(name) => {
                let cookies = reply.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
                let found = cookies.filter_map(|cookie| set_by(cookie, name)).next_back();
                found.ok_or_else(|| format!("sets no cookie `{name}`: are user and password right?"))
            }
            TokenPlace::Header(name) => {
                let value = reply.headers.get(name).and_then(|value| value.to_str().ok());
                let value = value.ok_or_else(|| format!("has no header `{name}`"))?;
                Ok((without_scheme(&self.carrier, value).to_owned(), None))
            }
        }
    }
}

/// Returns the value of a cookie that a header sets, and its lifetime.
pub(super) fn set_by(cookie: &str, name: &str) -> Option<(String, Option<Duration>)> {
    let mut parts = cookie.split(';');
    let (known, value) = parts.next()?.split_once('=')?;
    // A cookie with an empty value is being removed.
    let is_it = known.trim() == name && !value.trim().is_empty();
    let life =
        parts.filter_map(|part| part.trim().split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case("max-age"));
    let life = life.and_then(|(_, seconds)| seconds.trim().parse().ok()).map(Duration::from_secs);
    is_it.then(|| (value.trim().trim_matches('"').to_owned(), life))
}

pub(super) fn in_body(reply: &Reply, pointer: &str) -> Result<String, String> {
    let Ok(body) = serde_json::from_slice::<Value>(&reply.body) else {
        let text = std::str::from_utf8(&reply.body).map(str::trim).unwrap_or_default();
        return match pointer {
            "" => Ok(text.to_owned()),
            _ => Err("its body is not JSON: where does the token stand?".to_owned()),
        };
    };
    match body.pointer(pointer) {
        Some(Value::String(token)) => Ok(token.clone()),
        Some(Value::Number(token)) => Ok(token.to_string()),
        Some(_) => Err(format!("what stands at `{pointer}` is not a text")),
        None => {
            let members = body.as_object().into_iter().flat_map(|members| members.keys());
            let members: Vec<String> =
                members.filter(|name| is_word(name)).map(|name| pointer::join("", name)).collect();
            let has = if members.is_empty() { "no members".to_owned() } else { members.join(", ") };
            Err(format!("nothing stands at `{pointer}` of its body, which has: {has}"))
        }
    }
}

fn seconds(reply: &Reply, pointer: &str) -> Result<Duration, String> {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let found = body.pointer(pointer);
    let number = found.and_then(|value| value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()));
    let life = number.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    life.ok_or_else(|| format!("no number of seconds stands at `{pointer}`: correct `expires-in`, or leave it out"))
}

/// Returns the credential without its scheme, which some servers prepend.
fn without_scheme<'v>(carrier: &Carrier, value: &'v str) -> &'v str {
    let value = value.trim();
    let split = value
        .split_once(' ')
        .filter(|(first, _)| carrier.scheme().is_some_and(|scheme| first.eq_ignore_ascii_case(scheme)));
    split.map_or(value, |(_, token)| token.trim())
}

/// Returns the lifetime of a JWT by its own claims, so that it does not depend on the local clock.
fn life_of_jwt(token: &str) -> Option<Duration> {
    let claims = Jws::read(token)?.claims;
    let time = |name: &str| claims.get(name).and_then(Value::as_f64);
    Duration::try_from_secs_f64(time("exp")? - time("iat")?).ok()
}

impl TokenSource for Login {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(async { self.log_in().await.map_err(Error::credential) })
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("request", &Self::request_line(&self.method, &self.url)).finish_non_exhaustive()
    }
}
