//! `GetSecretValue` of AWS Secrets Manager.

use std::sync::Arc;

use futures_core::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::{Map, Value};

use super::credentials::Credentials;
use super::signature::{self, Scope, Unsigned};
use crate::auth::environment;
use crate::auth::source::remote::{Answer, Remote};
use crate::auth::source::{SecretSource, StoreFailure, json_field};
use crate::error::{Clock, Error, SystemClock};
use crate::http_client::HttpClient;

const TARGET: &str = "secretsmanager.GetSecretValue";
/// The name of the address in errors.
const NAME: &str = "the endpoint of AWS Secrets Manager";
const JSON: &str = "application/x-amz-json-1.1";

/// AWS Secrets Manager in one region.
///
/// ```
/// use keyfit::auth::source::aws::{Credentials, SecretsManager};
///
/// # fn main() -> Result<(), keyfit::Error> {
/// let store = SecretsManager::new("eu-west-1", Credentials::from_env())?;
/// let source = store.secret("product/api").field("api_key");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SecretsManager {
    remote: Remote,
    region: String,
    credentials: Credentials,
    clock: Arc<dyn Clock>,
}

impl SecretsManager {
    /// The service in a region, such as `eu-west-1`. Nothing is sent. A read may take 10 s to connect and 30 s in all.
    ///
    /// # Errors
    /// Returns an error if the text is not a valid name of a region.
    pub fn new(region: &str, credentials: Credentials) -> Result<Self, Error> {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if region.is_empty() || !region.chars().all(is_name) {
            return Err(Error::configuration(format!("AWS: `{region}` is no region: give one such as eu-west-1")));
        }
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let endpoint = format!("https://secretsmanager.{region}.{domain}");
        let remote = Remote::new(NAME, &endpoint)?;
        Ok(Self { remote, region: region.to_owned(), credentials, clock: Arc::new(SystemClock) })
    }

    /// Region and access key from the environment: `AWS_REGION` or `AWS_DEFAULT_REGION`, and
    /// [`Credentials::from_env`].
    ///
    /// # Errors
    /// Returns an error if the region is missing or [`new`](Self::new) refuses it. A key that is not set is found at the first read.
    pub fn from_env() -> Result<Self, Error> {
        let region = match environment::optional("AWS_REGION")? {
            None => environment::optional("AWS_DEFAULT_REGION")?,
            region => region,
        };
        let region = region.ok_or_else(|| {
            Error::configuration("the environment variable AWS_REGION is not set: set it to the region".to_owned())
        })?;
        Self::new(&region, Credentials::from_env())
    }

    /// Another address than the region's own: an endpoint of a private network, a mock. It must be https; plain http
    /// is for loopback hosts only, because the answer holds the secret.
    ///
    /// # Errors
    /// Returns an error if the address is not a valid URL or would expose the secret in transit.
    pub fn endpoint(mut self, url: &str) -> Result<Self, Error> {
        self.remote = self.remote.at(NAME, url)?;
        Ok(self)
    }

    /// A client of your own that asks it, as that of [`Config::http_client`](crate::Config::http_client).
    #[must_use]
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.remote = self.remote.by(client);
        self
    }

    /// The clock whose time is signed, for tests. AWS refuses a request that is more than five minutes off.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// A secret by its name or ARN: the whole text of its current version.
    pub fn secret(&self, id: impl Into<String>) -> SecretsManagerSource {
        SecretsManagerSource { store: self.clone(), id: id.into(), stage: "AWSCURRENT".to_owned(), field: None }
    }
}

/// A secret in AWS Secrets Manager, made by [`SecretsManager::secret`]. Each read asks the service.
#[derive(Clone, Debug)]
pub struct SecretsManagerSource {
    store: SecretsManager,
    id: String,
    stage: String,
    field: Option<String>,
}

impl SecretsManagerSource {
    /// Takes the secret as a JSON object and reads one field of it, which is how the AWS console stores pairs.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>) -> Self {
        self.field = Some(name.into());
        self
    }

    /// The version by its staging label: `AWSCURRENT`, the default, or `AWSPREVIOUS`, the one before the rotation.
    #[must_use]
    pub fn stage(mut self, label: impl Into<String>) -> Self {
        self.stage = label.into();
        self
    }

    fn place(&self) -> String {
        format!("AWS Secrets Manager, secret {}", self.id)
    }

    /// Signs the request and sends it.
    async fn ask(&self, place: &str) -> Result<Answer, Error> {
        let SecretsManager { remote, region, credentials, clock } = &self.store;
        let key = credentials.resolve().await?;
        let session_token = key.session_token.as_ref();
        let body = serde_json::to_vec(&Question { secret_id: &self.id, version_stage: &self.stage })
            .map_err(|error| Error::credential_from(format!("{place}: the request cannot be written"), error))?;
        let date = signature::amz_date(clock.now());
        let host = match (remote.base.host_str().unwrap_or_default(), remote.base.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        let mut headers = vec![("content-type", JSON), ("host", host.as_str()), ("x-amz-date", date.as_str())];
        if let Some(token) = session_token {
            headers.push(("x-amz-security-token", token.expose_secret()));
        }
        headers.push(("x-amz-target", TARGET));
        let unsigned = Unsigned { method: "POST", path: remote.base.path(), query: "", headers: &headers, body: &body };
        let scope = Scope { region, service: "secretsmanager", date: &date };
        let authorization = signature::authorization(&key, &scope, &unsigned)?;

        let mut request = remote.request(Method::POST, remote.base.clone());
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        headers.insert("x-amz-date", sendable(&date, place)?);
        headers.insert("x-amz-target", HeaderValue::from_static(TARGET));
        headers.insert(AUTHORIZATION, sensitive(&authorization, place)?);
        if let Some(token) = session_token {
            headers.insert("x-amz-security-token", sensitive(token.expose_secret(), place)?);
        }
        *request.body_mut() = Some(body.into());
        remote.send(request, place).await
    }

    fn pick(&self, answer: &Answer, place: &str) -> Result<SecretString, Error> {
        let unreadable = |flaw: &str| StoreFailure::Unreadable.error(format!("{place}: {flaw}"));
        let mut fields: Map<String, Value> =
            serde_json::from_slice(&answer.body).map_err(|_| unreadable("the answer is no JSON object"))?;
        let text = match fields.remove("SecretString") {
            Some(Value::String(text)) => SecretString::from(text),
            _ if fields.contains_key("SecretBinary") => {
                return Err(unreadable("the secret is binary and has no text: store it as a string"));
            }
            _ => return Err(unreadable("the answer has no `SecretString`")),
        };
        match &self.field {
            Some(field) => json_field::pick(&mut json_field::object(text.expose_secret(), place)?, field, place),
            None if text.expose_secret().trim().is_empty() => Err(Error::credential(format!("{place} is empty"))),
            None => Ok(text),
        }
    }
}

impl SecretSource for SecretsManagerSource {
    fn read(&self) -> BoxFuture<'_, Result<SecretString, Error>> {
        Box::pin(async {
            let place = self.place();
            let answer = self.ask(&place).await?;
            if answer.status == StatusCode::OK { self.pick(&answer, &place) } else { Err(failure(&answer, &place)) }
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Question<'a> {
    secret_id: &'a str,
    version_stage: &'a str,
}

/// The codes that callers can do something about. AWS's own words are left out, for they may quote the request; so is a
/// code that is not known here.
const CODES: &[(&str, StoreFailure, &str)] = &[
    ("ResourceNotFoundException", StoreFailure::NotFound, "there is no such secret or version in this region"),
    ("InvalidRequestException", StoreFailure::NotFound, "the secret is marked for deletion or has no value"),
    ("AccessDeniedException", StoreFailure::Forbidden, "no policy allows secretsmanager:GetSecretValue on it"),
    ("DecryptionFailure", StoreFailure::Forbidden, "its KMS key may not be used to decrypt it"),
    ("UnrecognizedClientException", StoreFailure::Forbidden, "the access key is unknown"),
    ("InvalidClientTokenId", StoreFailure::Forbidden, "the access key is unknown"),
    ("InvalidSignatureException", StoreFailure::Forbidden, "the secret access key is wrong, or this clock is off"),
    ("SignatureDoesNotMatch", StoreFailure::Forbidden, "the secret access key is wrong, or this clock is off"),
    ("ExpiredTokenException", StoreFailure::Forbidden, "the temporary access key has expired"),
    ("ThrottlingException", StoreFailure::RateLimited, "too many requests"),
    ("InvalidParameterException", StoreFailure::Refused, "the id or the stage is malformed"),
];

fn failure(answer: &Answer, place: &str) -> Error {
    let status = answer.status;
    let body: Map<String, Value> = serde_json::from_slice(&answer.body).unwrap_or_default();
    // `ResourceNotFoundException`, or with a namespace and a `#` in front.
    let code = body.get("__type").and_then(Value::as_str).and_then(|code| code.rsplit('#').next()).unwrap_or_default();
    if let Some((code, failure, why)) = CODES.iter().find(|(known, ..)| *known == code) {
        return failure.error(format!("{place}: {status} ({code}): {why}"));
    }
    match status.as_u16() {
        401 | 403 => StoreFailure::Forbidden.error(format!("{place}: {status}: AWS refuses the access key")),
        404 => StoreFailure::Unreadable.error(format!("{place}: {status}: the endpoint is not Secrets Manager's")),
        429 => StoreFailure::RateLimited.error(format!("{place}: {status}: too many requests")),
        500.. => StoreFailure::Unavailable.error(format!("{place}: {status}: AWS failed")),
        _ => StoreFailure::Refused.error(format!("{place}: {status}: AWS refused the request")),
    }
}

fn sensitive(text: &str, place: &str) -> Result<HeaderValue, Error> {
    let mut value = sendable(text, place)?;
    value.set_sensitive(true);
    Ok(value)
}

fn sendable(text: &str, place: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(text)
        .map_err(|_| Error::credential(format!("{place}: the access key cannot be sent in a header")))
}
