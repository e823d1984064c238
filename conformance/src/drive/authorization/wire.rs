//! Authorization URLs and token requests, parsed as a server does.

use std::collections::BTreeMap;

use reqwest::Url;
use serde_json::Value;

use super::super::scripted_server::ReceivedRequest;
use super::Registration;
use crate::contract::{ClientAuthentication, TokenBody};
use crate::credential::basic;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Parameters, each of which occurs once.
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Parses the parameters of a URL with this endpoint.
    pub(super) fn of_url(url: &str, endpoint: &str) -> Result<Self, String> {
        if url.split('?').next() != Some(endpoint) {
            return Err("the user is sent somewhere else than to the authorization endpoint".to_owned());
        }
        let url = Url::parse(url).map_err(|error| format!("the user is sent to no URL: {error}"))?;
        Self::without_duplicates(url.query_pairs().into_owned())
    }

    /// Parses the parameters of a token request, by its content type.
    pub(super) fn of_request(request: &ReceivedRequest) -> Result<Self, String> {
        if !request.query.is_empty() {
            return Err("the token request has parameters in its URL".to_owned());
        }
        if media_type(request) != JSON {
            return Self::without_duplicates(url::form_urlencoded::parse(&request.body).into_owned());
        }
        let value: Value =
            serde_json::from_slice(&request.body).map_err(|error| format!("the token request is no JSON: {error}"))?;
        let members = value.as_object().ok_or("the token request is no JSON object")?;
        let texts = members.iter().map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        let texts: Option<Vec<_>> = texts.collect();
        Self::without_duplicates(texts.ok_or("a member of the token request is no text")?)
    }

    fn without_duplicates(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, String> {
        let mut parameters = BTreeMap::new();
        for (name, value) in pairs {
            if parameters.contains_key(&name) {
                return Err(format!("`{name}` is sent more than once"));
            }
            parameters.insert(name, value);
        }
        Ok(Self(parameters))
    }

    /// Returns a parameter, which may be empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns a parameter, or an error if it is missing or empty.
    pub(super) fn required(&self, name: &str) -> Result<&str, String> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| format!("`{name}` is not sent"))
    }

    /// Returns an error if a parameter has another value.
    pub(super) fn expect(&self, name: &str, expected: &str) -> Result<(), String> {
        let sent = self.required(name)?;
        if sent == expected { Ok(()) } else { Err(format!("`{name}` is `{sent}`, not `{expected}`")) }
    }
}

/// Returns an error if a token request does not have the method and encoding of the contract.
pub(super) fn check_encoding(request: &ReceivedRequest, body: TokenBody) -> Result<(), String> {
    let expected = match body {
        TokenBody::Form => FORM,
        TokenBody::Json => JSON,
    };
    match (request.method.as_str(), media_type(request)) {
        ("POST", sent) if sent == expected => Ok(()),
        ("POST", sent) => Err(format!("the token request is sent as `{sent}`, not as `{expected}`")),
        (method, _) => Err(format!("the token request is a {method}")),
    }
}

fn media_type(request: &ReceivedRequest) -> &str {
    request.header("content-type").and_then(|kind| kind.split(';').next()).unwrap_or_default().trim()
}

/// Returns an error if a client does not authenticate with exactly the configured method.
pub(super) fn authenticated(
    request: &ReceivedRequest,
    parameters: &Parameters,
    registration: &Registration,
) -> Result<(), String> {
    let header = request.header("authorization");
    let Some(secret) = &registration.secret else {
        parameters.expect("client_id", &registration.id)?;
        return match (parameters.get("client_secret"), header) {
            (None, None) => Ok(()),
            _ => Err("a client without a secret sends one".to_owned()),
        };
    };
    match registration.authentication {
        ClientAuthentication::Body => {
            parameters.expect("client_id", &registration.id)?;
            if parameters.get("client_secret") != Some(secret.reveal()) {
                return Err("`client_secret` is not the secret".to_owned());
            }
            header.map_or(Ok(()), |_| Err("the client authenticates in the header as well".to_owned()))
        }
        ClientAuthentication::Basic => {
            if header.and_then(basic::pair) != Some((registration.id.clone(), secret.reveal().to_owned())) {
                return Err("the header holds no id and secret, form-encoded and joined by a colon".to_owned());
            }
            let in_body = parameters.get("client_secret");
            in_body.map_or(Ok(()), |_| Err("the client authenticates in the body as well".to_owned()))
        }
    }
}
