//! Identities with fetched tokens: the conversion of their entries into requests.

use std::collections::BTreeSet;

use futures_core::future::BoxFuture;
use keyfit_openapi::{Error, SourceLocation, Text};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::{Map, Value};

use super::before::{Before, SHORTEST_SECRET};
use super::clients::Clients;
use super::environment::Environment;
use super::failure;
use super::grant::{Asked, Granted};
use super::login::{Login, LoginEntry, checked_pointer};
use super::roots::Roots;
use super::source::{NAMED, Place};
use crate::contract::{Carrier, Contract, GrantType};
use crate::fetched::{Companions, FetchedToken};
use crate::missing::Missing;
use crate::probe::{Http, is_loopback};
use crate::secret::{Redactor, Secret, ends_as_secret, without_quotes};

/// The server that tokens are fetched from, and the connection to it.
pub struct Way<'a> {
    /// The URL below which the paths of logins are.
    pub base_url: &'a Url,
    /// The permitted authorization servers.
    pub roots: Roots,
    /// The HTTP clients for the server.
    pub http: &'a Http,
}

/// The context for reading the identities of a file.
pub(super) struct Fetching<'a> {
    pub(super) text: &'a Text,
    pub(super) contract: &'a Contract,
    pub(super) redactor: &'a Redactor,
    pub(super) way: &'a Way<'a>,
    pub(super) clients: &'a Clients,
    pub(super) environment: &'a Environment,
}

/// An identity whose token is fetched.
pub(super) struct Fetches<'a> {
    pub(super) name: &'a str,
    pub(super) carrier: &'a Carrier,
    pub(super) scopes: Option<&'a BTreeSet<String>>,
}

impl Fetching<'_> {
    /// Returns the place of an identity in the file.
    pub(super) fn place(&self, name: &str) -> SourceLocation {
        crate::contract::place(self.text, self.text.text.find(&format!("\"{name}\"")))
    }

    fn refuse(&self, of: &Fetches<'_>, problem: impl AsRef<str>, help: &str) -> Error {
        let problem = format!("the token of `{}` cannot be fetched: {}", of.name, problem.as_ref());
        failure(self.place(of.name), problem, help)
    }

    /// Returns a token that is granted to a client, with a note for the user.
    pub(super) fn granted(&self, of: &Fetches<'_>, client: &str) -> Result<(FetchedToken, Option<String>), Error> {
        self.check_carrier(of)?;
        let Some(known) = self.clients.named(client) else {
            let problem = without_quotes(&format!("the file names no client `{client}`"));
            return Err(self.refuse(of, problem, "add [[client]] with this name, or correct it"));
        };
        if !known.grants(GrantType::ClientCredentials) {
            let help = "add \"client_credentials\" to its grants, or name another client";
            return Err(self.refuse(of, "the client does not use client_credentials", help));
        }
        let server = self.contract.authorization_server.as_ref();
        let documented = || {
            let known = server.and_then(|server| Some((server.token_url.as_ref()?, server)));
            known.map(|(endpoint, server)| self.way.roots.url(endpoint, server))
        };
        let url = match known.token_url() {
            Some(url) => Ok(url.to_owned()),
            None => documented().unwrap_or_else(|| Err(Missing::new("where tokens are had is not known"))),
        };
        let help = "or name the endpoint: add `token-url` to the client";
        let url = url.map_err(|missing| self.refuse(of, missing.to_string(), help))?;
        let every = || {
            let offline = server.and_then(|server| server.offline_scope.as_ref());
            let all = server.into_iter().flat_map(|server| &server.scopes);
            all.filter(|scope| offline != Some(scope)).cloned().collect()
        };
        let scopes = of.scopes.or(known.scopes()).cloned().unwrap_or_else(every);
        let is_limited = of.scopes.is_some();
        if is_limited && scopes.is_empty() {
            let problem = "what a server grants where no scope is asked for is not known";
            return Err(self.refuse(of, problem, "name a `secret` for the token without scopes"));
        }
        let asked = Asked {
            url: &url,
            server,
            client: known.client(),
            scopes,
            is_limited,
            audience: known.audience(),
            resource: known.resource(),
        };
        let endpoint: Url =
            url.parse().map_err(|_| self.refuse(of, "the endpoint has no URL", "correct `token-url`"))?;
        let client = self.http(of, &endpoint)?.client_for(&endpoint).clone();
        let source = Granted::new(asked, client).map_err(|why| self.refuse(of, why, "correct the client"))?;
        let request = Login::named(&Method::POST, &endpoint);
        let token = FetchedToken::new(of.name, request, of.carrier.clone(), source, self.redactor);
        Ok((token, self.elsewhere(of, &endpoint)))
    }

    /// Returns a token from a login, with a note for the user.
    pub(super) async fn logged_in(
        &self,
        of: &Fetches<'_>,
        entry: &LoginEntry,
    ) -> Result<(FetchedToken, Option<String>), Error> {
        self.check_carrier(of)?;
        let url = self.login_url(of, "its login", entry.path.as_deref(), entry.url.as_deref())?;
        let before = self.before(of, entry, &url)?;
        let method = entry.method.as_deref().unwrap_or("POST");
        let method = match method {
            "GET" | "POST" | "PUT" | "PATCH" | "DELETE" => {
                Method::from_bytes(method.as_bytes()).unwrap_or(Method::POST)
            }
            _ => return Err(self.refuse(of, "no request has such a method", "write GET, POST, PUT, PATCH or DELETE")),
        };
        if let Some(Err(why)) = entry.expires_in.as_deref().map(checked_pointer) {
            return Err(self.refuse(of, why, "correct `expires-in`"));
        }
        let note = self.elsewhere(of, &url);
        let http = self.http(of, &url)?;
        let before = before.map(|before| Before { http: http.clone(), redactor: self.redactor.clone(), ..before });
        let (companions, steps) = (Companions::default(), 1 + usize::from(before.is_some()));
        let request = Login::named(&method, &url);
        let login = Login {
            http,
            method,
            url,
            headers: self.headers(of, entry).await?,
            body: self.body(of, entry).await?,
            token: entry.token.clone(),
            expires_in: entry.expires_in.clone(),
            carrier: of.carrier.clone(),
            before,
            send_as: entry.before.as_ref().and_then(|before| before.send_as.clone()),
            with: entry.with.clone(),
            companions: companions.clone(),
            redactor: self.redactor.clone(),
        };
        let token = FetchedToken::new(of.name, request, of.carrier.clone(), login, self.redactor);
        Ok((token.with(companions, steps), note))
    }

    fn check_carrier(&self, of: &Fetches<'_>) -> Result<(), Error> {
        if matches!(of.carrier, Carrier::Basic | Carrier::ClientCertificate) {
            let problem = "a password or a certificate is not something that a server hands out";
            return Err(self.refuse(of, problem, "name its `secret`"));
        }
        Ok(())
    }

    /// Returns the request before a login: at the same host, since its cookies are sent with the login.
    fn before(&self, of: &Fetches<'_>, entry: &LoginEntry, login: &Url) -> Result<Option<Before>, Error> {
        let flaw = entry.with.as_ref().and_then(|with| with.flaw(entry.before.as_ref()));
        if let Some(why) = flaw {
            return Err(self.refuse(of, why, "correct `with`"));
        }
        let Some(before) = &entry.before else { return Ok(None) };
        if let Some(why) = before.flaw(entry.with.as_ref()) {
            return Err(self.refuse(of, format!("in the `before` of its login {why}"), "correct `before`"));
        }
        let url = match (&before.path, &before.url) {
            (None, None) => login.clone(),
            (path, url) => self.login_url(of, "the `before` of its login", path.as_deref(), url.as_deref())?,
        };
        if url.origin() != login.origin() {
            let problem = "what comes before its login is at another host, and its cookies would go to the login";
            return Err(self.refuse(of, problem, "give both at one host"));
        }
        let (http, redactor) = (self.way.http.clone(), self.redactor.clone());
        Ok(Some(Before { http, url, take: before.take.clone(), redactor }))
    }

    /// Returns the HTTP clients for a token request: those of the server under test, if the user named the host.
    fn http(&self, of: &Fetches<'_>, url: &Url) -> Result<Http, Error> {
        if url.origin() == self.way.base_url.origin() || self.way.roots.names(url) {
            return Ok(self.way.http.clone());
        }
        self.way.http.for_another_host().map_err(|why| self.refuse(of, why, "correct the options"))
    }

    /// Returns the URL of a login, or of the request before it; `what` names it in errors.
    fn login_url(&self, of: &Fetches<'_>, what: &str, path: Option<&str>, url: Option<&str>) -> Result<Url, Error> {
        let base = self.way.base_url;
        match (path, url) {
            (Some(path), None) => {
                let root = base.path().trim_end_matches('/');
                let url = format!("{}{root}{path}", base.origin().ascii_serialization()).parse::<Url>();
                let is_below = |url: &Url| {
                    let below = url.path().strip_prefix(root).is_some_and(|rest| rest.starts_with('/'));
                    below && url.origin() == base.origin() && url.fragment().is_none()
                };
                url.ok().filter(|url| path.starts_with('/') && is_below(url)).ok_or_else(|| {
                    let help = "begin it with `/`; a login that is elsewhere has a `url`";
                    self.refuse(of, format!("the `path` of {what} does not stay below the base URL"), help)
                })
            }
            (None, Some(text)) => {
                let url = text.parse::<Url>().ok().filter(|url| {
                    let is_closed = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
                    is_closed && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
                });
                url.ok_or_else(|| {
                    let help =
                        "begin it with https:// (http:// for this machine), and leave user, password and `#` out";
                    self.refuse(of, format!("the `url` of {what} is not one that a password may be sent to"), help)
                })
            }
            _ => Err(self.refuse(
                of,
                format!("{what} has no place"),
                "give it a `path` below the base URL, or else a `url`",
            )),
        }
    }

    /// Returns a note for the user if the request is for another server than the one under test.
    fn elsewhere(&self, of: &Fetches<'_>, url: &Url) -> Option<String> {
        let origin = url.origin();
        let is_other = origin != self.way.base_url.origin();
        is_other.then(|| {
            format!(
                "the token of `{}` is fetched from {}, another server than the one that is checked",
                of.name,
                origin.ascii_serialization()
            )
        })
    }

    async fn headers(&self, of: &Fetches<'_>, entry: &LoginEntry) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        for (name, value) in &entry.headers {
            let help = "correct `headers`";
            let header = name.parse::<HeaderName>();
            let header = header.map_err(|_| self.refuse(of, "its login has a header that no request has", help))?;
            let value = match self.value(of, name, value).await? {
                Value::String(text) => text,
                other => other.to_string(),
            };
            let mut value = HeaderValue::from_str(&value)
                .map_err(|_| self.refuse(of, format!("the value of `{header}` fits into no header"), help))?;
            value.set_sensitive(true);
            headers.insert(header, value);
        }
        Ok(headers)
    }

    async fn body(&self, of: &Fetches<'_>, entry: &LoginEntry) -> Result<Option<(&'static str, Vec<u8>)>, Error> {
        match (&entry.json, &entry.form, &entry.text) {
            (None, None, None) => Ok(None),
            (Some(json), None, None) => {
                let body = self.value(of, "", json).await?;
                Ok(Some(("application/json", body.to_string().into_bytes())))
            }
            (None, Some(members), None) => {
                let mut pairs = url::form_urlencoded::Serializer::new(String::new());
                for (name, value) in members {
                    match self.value(of, name, value).await? {
                        Value::String(text) => pairs.append_pair(name, &text),
                        other => pairs.append_pair(name, &other.to_string()),
                    };
                }
                Ok(Some(("application/x-www-form-urlencoded", pairs.finish().into_bytes())))
            }
            (None, None, Some(text)) => match self.value(of, "", text).await? {
                Value::String(text) => Ok(Some(("text/plain", text.into_bytes()))),
                _ => Err(self.refuse(of, "the `text` of its login is none", "write a text, or where it is")),
            },
            _ => Err(self.refuse(of, "its login has several bodies", "keep one of `json`, `form` and `text`")),
        }
    }

    /// Returns a value of a login with its secrets resolved. `name` is the name of the value.
    fn value<'v>(
        &'v self,
        of: &'v Fetches<'_>,
        name: &'v str,
        value: &'v toml::Value,
    ) -> BoxFuture<'v, Result<Value, Error>> {
        Box::pin(async move {
            if let Some(place) = Place::of(value) {
                return self.secret(of, name, &place).await.map(Value::String);
            }
            Ok(match value {
                toml::Value::String(_) if ends_as_secret(name) => {
                    let problem = without_quotes(&format!("`{name}` of its login is a secret"));
                    return Err(self.refuse(of, problem, NAMED));
                }
                toml::Value::String(text) => Value::String(text.clone()),
                toml::Value::Integer(number) => (*number).into(),
                toml::Value::Float(number) => (*number).into(),
                toml::Value::Boolean(truth) => (*truth).into(),
                toml::Value::Datetime(time) => Value::String(time.to_string()),
                toml::Value::Array(items) => {
                    let mut values = Vec::new();
                    for item in items {
                        values.push(self.value(of, name, item).await?);
                    }
                    Value::Array(values)
                }
                toml::Value::Table(members) => {
                    let mut values = Map::new();
                    for (name, member) in members {
                        values.insert(name.clone(), self.value(of, name, member).await?);
                    }
                    Value::Object(values)
                }
            })
        })
    }

    async fn secret(&self, of: &Fetches<'_>, name: &str, place: &Place) -> Result<String, Error> {
        let found = place.read(&Carrier::ClientCertificate, self.environment).await.map_err(|error| {
            let problem = format!("the login of `{}` lacks a value: {error}", of.name);
            let at = crate::contract::place(self.text, self.text.text.find(&format!("\"{}\"", place.quoted())));
            failure(at, problem, place.how())
        })?;
        let text = found.reveal();
        if text.len() >= SHORTEST_SECRET || ends_as_secret(name) {
            self.redactor.learn(&found);
            // In its JSON form in the body, with and without escapes.
            self.redactor.learn(&Secret::new(Value::from(text).to_string().trim_matches('"')));
        }
        Ok(text.to_owned())
    }
}
