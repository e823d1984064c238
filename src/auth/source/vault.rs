//! Secrets in HashiCorp Vault, or OpenBao, in a key-value engine of version 2.

use std::sync::Arc;

use futures_core::future::BoxFuture;
use http::header::HeaderValue;
use http::{Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use url::Url;

use super::remote::{Answer, Remote};
use super::{EnvSource, SecretSource, StoreFailure, json_field};
use crate::auth::environment;
use crate::error::Error;
use crate::http_client::HttpClient;

/// A Vault server and the token that opens it.
///
/// ```
/// use keyfit::auth::source::{FileSource, Vault};
///
/// # fn main() -> Result<(), keyfit::Error> {
/// // The token that a Vault agent keeps fresh; it is read again for each request.
/// let vault = Vault::new("https://vault.example.com:8200", FileSource::new("/run/vault/token"))?;
/// let source = vault.namespace("billing")?.secret("secret", "product", "api_key")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Vault {
    remote: Remote,
    token: Arc<dyn SecretSource>,
    namespace: Option<HeaderValue>,
}

impl Vault {
    /// A server by its address, https or a loopback host, and where its token comes from. Nothing is sent. A read may
    /// take 10 s to connect and 30 s in all.
    ///
    /// # Errors
    /// Returns an error if the address is not a valid URL or would expose the token in transit.
    pub fn new(address: &str, token: impl SecretSource) -> Result<Self, Error> {
        let remote = Remote::new("the address of Vault", address)?;
        Ok(Self { remote, token: Arc::new(token), namespace: None })
    }

    /// A server from `VAULT_ADDR`, `VAULT_TOKEN` and, where it is set, `VAULT_NAMESPACE`.
    ///
    /// # Errors
    /// Returns an error if the address is missing or [`new`](Self::new) refuses it. A token that is not set is found at the first read.
    pub fn from_env() -> Result<Self, Error> {
        let address = environment::optional("VAULT_ADDR")?.ok_or_else(|| {
            Error::configuration("the environment variable VAULT_ADDR is not set: set it to Vault's address".to_owned())
        })?;
        let vault = Self::new(&address, EnvSource::new("VAULT_TOKEN"))?;
        match environment::optional("VAULT_NAMESPACE")? {
            Some(namespace) => vault.namespace(&namespace),
            None => Ok(vault),
        }
    }

    /// A client of your own that asks it, as that of [`Config::http_client`](crate::Config::http_client).
    #[must_use]
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.remote = self.remote.by(client);
        self
    }

    /// The namespace of Vault Enterprise in which secrets are looked up.
    ///
    /// # Errors
    /// Returns an error if the name is not a valid header value.
    pub fn namespace(mut self, namespace: &str) -> Result<Self, Error> {
        let value = HeaderValue::from_str(namespace)
            .map_err(|_| Error::configuration("Vault: the namespace cannot be sent in a header".to_owned()))?;
        self.namespace = Some(value);
        Ok(self)
    }

    /// One field of one secret: `secret("secret", "product", "api_key")` is what
    /// `vault kv get -mount=secret -field=api_key product` prints. The path has no `data` in it.
    ///
    /// # Errors
    /// Returns an error if the mount or the path is empty, has an empty, `.` or `..` part, or a control character.
    pub fn secret(&self, mount: &str, path: &str, field: impl Into<String>) -> Result<VaultSource, Error> {
        let mut url = self.remote.base.clone();
        let parts = ["v1"].into_iter().chain(mount.split('/')).chain(["data"]).chain(path.split('/'));
        extend(&mut url, parts).ok_or_else(|| {
            Error::configuration(format!(
                "Vault: the mount {mount:?} or the path {path:?} has an empty, `.` or `..` part, or a control character"
            ))
        })?;
        let place = format!("Vault, secret {mount}/{path}");
        Ok(VaultSource { vault: self.clone(), url, place, field: field.into() })
    }
}

/// One field of a secret in Vault, made by [`Vault::secret`]. Each read asks the server for the newest version.
#[derive(Clone, Debug)]
pub struct VaultSource {
    vault: Vault,
    url: Url,
    place: String,
    field: String,
}

impl SecretSource for VaultSource {
    fn read(&self) -> BoxFuture<'_, Result<SecretString, Error>> {
        Box::pin(async {
            let Vault { remote, token, namespace } = &self.vault;
            let token = token.read().await?;
            let mut token = HeaderValue::from_str(token.expose_secret()).map_err(|_| {
                Error::credential(format!("{}: Vault's own token cannot be sent in a header", self.place))
            })?;
            token.set_sensitive(true);
            let mut request = remote.request(Method::GET, self.url.clone());
            let headers = request.headers_mut();
            headers.insert("x-vault-token", token);
            // A Vault agent can be told to refuse requests without it, as those of a browser that was tricked.
            headers.insert("x-vault-request", HeaderValue::from_static("true"));
            if let Some(namespace) = namespace {
                headers.insert("x-vault-namespace", namespace.clone());
            }
            let answer = remote.send(request, &self.place).await?;
            match answer.status {
                StatusCode::OK => self.pick(&answer),
                status => Err(self.failure(status, &answer)),
            }
        })
    }
}

impl VaultSource {
    /// Unwraps the two levels: the outer `data` is Vault's, the inner one the engine's.
    fn pick(&self, answer: &Answer) -> Result<SecretString, Error> {
        let place = &self.place;
        let unreadable = |flaw: &str| StoreFailure::Unreadable.error(format!("{place}: {flaw}"));
        let mut outer = data(&answer.body).ok_or_else(|| unreadable("the answer is not Vault's: it has no `data`"))?;
        match outer.remove("data") {
            Some(Value::Object(mut fields)) => json_field::pick(&mut fields, &self.field, place),
            // A version 1 engine has the fields here. One of them may be called `data`, and is then no object.
            _ => Err(unreadable(
                "the answer has one level of `data` where version 2 of the key-value engine has two: the mount seems \
                 to be of version 1: enable versioning on it, or move the secret to a version 2 mount",
            )),
        }
    }

    fn failure(&self, status: StatusCode, answer: &Answer) -> Error {
        let (failure, why) = match status.as_u16() {
            403 => (StoreFailure::Forbidden, "the token is unknown or expired, or no policy of it allows to read this"),
            // A deleted version is answered with its metadata.
            404 if data(&answer.body).is_some_and(|data| data.contains_key("metadata")) => {
                (StoreFailure::NotFound, "the newest version of the secret is deleted")
            }
            404 => (StoreFailure::NotFound, "there is no such secret, or no such mount"),
            429 | 472 | 473 => (StoreFailure::RateLimited, "too many requests, or a standby node"),
            503 => (StoreFailure::Sealed, "Vault is sealed or in maintenance: an operator has to unseal it"),
            500.. => (StoreFailure::Unavailable, "Vault failed"),
            _ => (StoreFailure::Refused, "Vault refused the request"),
        };
        // Vault's own words are left out: a server that echoes the request would put the token into them.
        failure.error(format!("{}: {status}: {why}", self.place))
    }
}

/// The outer `data` of an answer.
fn data(body: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice::<Map<String, Value>>(body).ok()?.remove("data")? {
        Value::Object(data) => Some(data),
        _ => None,
    }
}

fn extend<'a>(url: &mut Url, mut parts: impl Iterator<Item = &'a str>) -> Option<()> {
    let mut segments = url.path_segments_mut().ok()?;
    segments.pop_if_empty();
    parts.try_for_each(|part| {
        // The URL library drops tabs and line breaks, so that dots around one would be dots again.
        let is_plain = !matches!(part, "" | "." | "..") && !part.contains(char::is_control);
        segments.push(is_plain.then_some(part)?);
        Some(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::source::MemorySource;

    fn url(address: &str, mount: &str, path: &str) -> Result<String, String> {
        let vault = Vault::new(address, MemorySource::new("token")).map_err(|error| error.to_string())?;
        vault.secret(mount, path, "key").map(|source| source.url.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_secret_has_its_engines_address() {
        for (address, mount, path, expected) in [
            ("https://v.example", "secret", "product", "https://v.example/v1/secret/data/product"),
            ("https://v.example/", "team/kv", "a/b c", "https://v.example/v1/team/kv/data/a/b%20c"),
            ("https://v.example/vault/", "kv", "a?b#c", "https://v.example/vault/v1/kv/data/a%3Fb%23c"),
        ] {
            assert_eq!(url(address, mount, path).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn an_address_or_a_path_that_leads_elsewhere_is_refused() {
        for (mount, path) in [("", "a"), ("kv", ""), ("kv", "../sys"), ("kv/..", "a"), ("kv", "a//b"), ("kv", "./a")] {
            assert!(url("https://v.example", mount, path).is_err(), "{mount} {path}");
        }
        for path in [".\t./sys", ".\n.", "a\r", "\t"] {
            let shown = url("https://v.example", "kv", path).expect_err(path);
            assert!(!shown.contains(char::is_control), "{shown}");
        }
        let plain = url("http://v.example", "kv", "a").unwrap_err();
        assert!(plain.starts_with("the address of Vault ") && plain.contains("use https"), "{plain}");
    }
}
