//! Requests to an authorization server: client authentication, the encoding of the parameters, and retries where they are
//! harmless. The caller interprets the response.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::ExposeSecret as _;
use secrecy::zeroize::Zeroizing;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::client_authentication::ClientAuthentication;
use super::encode::Parameters;
use super::outcome::{Failed, Grant};
use super::{TokenError, encode};
use crate::error::body::{self, End};
use crate::error::redact::Redactor;
use crate::error::{Clock, Error};
use crate::http_client::{Request, Sender};

/// The largest response that is read, in bytes.
const BODY_LIMIT: usize = 1 << 20;
const FORM: &str = "application/x-www-form-urlencoded";

/// The encoding of the parameters of a token request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum BodyEncoding {
    /// As a form, which RFC 6749 asks for.
    #[default]
    Form,
    /// As a JSON object, which some servers document.
    Json,
}

/// A client of an authorization server.
pub(super) struct Wire {
    pub(super) client_id: String,
    pub(super) authentication: ClientAuthentication,
    pub(super) encoding: BodyEncoding,
    /// Whom an assertion of the client is for: the token endpoint.
    pub(super) audience: Url,
    /// For all attempts together.
    pub(super) timeout: Duration,
    pub(super) sender: Sender,
    pub(super) clock: Arc<dyn Clock>,
}

/// A success.
pub(super) struct Success {
    endpoint: String,
    status: StatusCode,
    headers: HeaderMap,
    pub(super) text: Zeroizing<Vec<u8>>,
    pub(super) received: SystemTime,
    secrets: Redactor,
}

impl Wire {
    /// Sends a request, and sends it again within the time that it may take where the endpoint is busy or cannot be reached
    /// and the grant bears it. `secrets` are masked in what the server says.
    pub(super) async fn ask<T>(
        &self,
        url: &Url,
        grant: Grant,
        parameters: Parameters<'_>,
        secrets: &[&str],
        read: impl Fn(Success) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        Error::check_runtime().map_err(Failed::unsent)?;
        let began = self.clock.monotonic();
        let timeout = grant.limit(self.timeout);
        let left = || timeout.saturating_sub(self.clock.monotonic().saturating_sub(began));
        let mut attempts = 0;
        loop {
            // Made anew each time: a secret may have been rotated meanwhile.
            let prepared = self.prepare(url, parameters.clone(), secrets).await;
            let (mut request, secrets) = prepared.map_err(Failed::unsent)?;
            request.set_timeout(left());
            let failed = match self.send(request, secrets).await.and_then(&read) {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            attempts += 1;
            let Some(wait) = failed.wait(grant, attempts, left()) else { return Err(failed) };
            self.clock.sleep(wait).await;
        }
    }

    /// The request, and what has to be masked in its answer.
    async fn prepare(
        &self,
        url: &Url,
        mut pairs: Parameters<'_>,
        secrets: &[&str],
    ) -> Result<(Request, Redactor), Error> {
        let proof = self.authentication.proof(&self.client_id, &self.audience, self.clock.now()).await?;
        let proof = proof.as_ref().map(secrecy::SecretString::expose_secret);
        let mut request = Request::new(http::Method::POST, url.clone());
        let authorization = self.authentication.apply(&self.client_id, proof.unwrap_or_default(), &mut pairs)?;
        let basic = authorization.as_ref().and_then(|value| value.to_str().ok()?.split_once(' '));
        let basic = basic.map(|(_, pair)| pair.to_owned());
        let (kind, body) = match self.encoding {
            BodyEncoding::Form => (FORM, encode::form(pairs)),
            BodyEncoding::Json => ("application/json", json(pairs)?),
        };
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        *request.body_mut() = Some(body.into());
        Ok((request, Redactor::of_client(secrets.iter().copied().chain(proof).chain(basic.as_deref()))))
    }

    async fn send(&self, request: Request, secrets: Redactor) -> Result<Success, Failed> {
        let endpoint = request.url().origin().ascii_serialization();
        let asked = self.sender.send(request).await;
        let (head, mut body) = asked.map_err(|error| Failed::unanswered(&endpoint, error))?.into_parts();
        let received = self.clock.now();
        let (status, headers) = (head.status, head.headers);
        let body = body::read(&mut body, BODY_LIMIT).await;
        let text = Zeroizing::new(as_json(&headers, &body.bytes).into_owned());
        let success = Success { endpoint, status, headers, text, received, secrets };
        match body.end {
            _ if !status.is_success() => Err(success.refused(success.refusal())),
            End::Whole => Ok(success),
            End::Limit => Err(success.unfit("the answer is longer than 1 MiB", true)),
            End::Broken(error) => Err(Failed::unanswered(&success.endpoint, error)),
        }
    }
}

impl Success {
    /// A success that cannot be used, or says in one that there is an error, as some servers do.
    pub(super) fn unfit(&self, reason: &str, is_cut: bool) -> Failed {
        let refusal = self.refusal();
        if refusal.code().is_some() {
            return self.refused(refusal);
        }
        let Self { endpoint, status, headers, secrets, .. } = self;
        Failed::unfit(TokenError::misfit(endpoint, *status, headers, reason, secrets), is_cut)
    }

    /// Returns the response as a token error.
    fn refusal(&self) -> TokenError {
        let Self { endpoint, status, headers, text, received, secrets } = self;
        TokenError::read(endpoint, *status, headers, text, Some(*received), secrets)
    }

    fn refused(&self, refusal: TokenError) -> Failed {
        Failed::refused(refusal, self.text.trim_ascii_start().starts_with(b"{"))
    }

    /// The answer as a type.
    pub(super) fn json<T: DeserializeOwned>(self) -> Result<T, Failed> {
        serde_json::from_slice(&self.text).map_err(|_| self.unfit("the answer is not what it should be", false))
    }
}

/// The parameters as an object, in which each name has one value.
fn json(pairs: Parameters<'_>) -> Result<String, Error> {
    let mut object = serde_json::Map::new();
    for (name, value) in pairs {
        if object.insert(name.to_owned(), Value::from(value)).is_some() {
            return Err(Error::configuration(format!(
                "the parameter `{name}` of a token request is there twice, which JSON cannot say: give it once"
            )));
        }
    }
    Ok(Value::Object(object).to_string())
}

/// An answer as JSON: some servers write a form.
fn as_json<'a>(headers: &HeaderMap, body: &'a [u8]) -> Cow<'a, [u8]> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_form = kind.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(FORM));
    match std::str::from_utf8(body) {
        Ok(text) if is_form => {
            let members = encode::pairs(text).into_iter().map(|(name, value)| (name, Value::from(value)));
            Cow::Owned(Value::Object(members.collect()).to_string().into_bytes())
        }
        _ => Cow::Borrowed(body),
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("client_id", &self.client_id)
            .field("authentication", &self.authentication)
            .field("encoding", &self.encoding)
            .finish_non_exhaustive()
    }
}
