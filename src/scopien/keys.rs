//! The keys of the Scopien API.

use chrono::{DateTime, Utc};
use futures_core::future::BoxFuture;
use serde_json::Value;

use super::{Client, Key, types};
use crate::auth::rotation::{KeyManager, NewKey};
use crate::client::Config;
use crate::error::{Error, Timestamp, clock};

/// Manages Scopien API keys, with a key that has the scope `admin`.
///
/// A minted key gets name, scopes, rate limit and expiry of the old one, as the list of keys shows them, and the
/// environment, test or live, of the managing key. When the managing key is the old key itself, the last step takes it
/// away: this manager is of no use afterwards.
///
/// ```no_run
/// use keyfit::auth::rotation::Rotation;
/// use keyfit::scopien::{Key, Keys};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = Keys::new(Key::from_env()?)?;
/// let minted = Rotation::new(keys.clone(), "key_abc123").mint().await?;
/// # minted.abort().await?;
/// // A key that leaked is revoked at once, without a successor:
/// keys.revoke_now("key_def456").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Keys {
    client: Client,
    config: Config,
    expiry: Expiry,
}

/// When a minted key ends.
#[derive(Clone, Copy, Debug)]
enum Expiry {
    AsBefore,
    At(Option<DateTime<Utc>>),
}

impl Keys {
    /// Manages keys with this one.
    ///
    /// # Errors
    /// Returns an error if the HTTP client cannot be set up.
    pub fn new(key: Key) -> Result<Self, Error> {
        Self::with_config(key, Config::default())
    }

    /// As [`new`](Self::new), with settings, which also count for the check of the new key.
    ///
    /// # Errors
    /// Returns an error if the settings cannot be used.
    pub fn with_config(key: Key, config: Config) -> Result<Self, Error> {
        let client = Client::with_config(key, config.clone())?;
        Ok(Self { client, config, expiry: Expiry::AsBefore })
    }

    /// When minted keys end; `None` is never. Default: when the old key ends.
    #[must_use]
    pub fn expiring_at(mut self, time: impl Into<Option<DateTime<Utc>>>) -> Self {
        self.expiry = Expiry::At(time.into());
        self
    }

    /// Revokes a key at once, because it leaked.
    ///
    /// # Errors
    /// Returns an error if the key is not revoked, or, if the error [may have been sent](Error::may_have_been_sent), may not be. A key that
    /// does not exist is an error too: a mistyped id must not look like a success.
    pub async fn revoke_now(&self, id: &str) -> Result<(), Error> {
        self.client.api_keys_delete().key_id(id).send().await.map(drop)
    }

    /// The request for a key like the old one.
    async fn successor(&self, old: &str) -> Result<types::ApiKeyCreate, Error> {
        let listed = self.client.api_keys_list().send().await?.into_inner();
        let key = listed.into_iter().find(|key| key.id == old);
        let key = key.ok_or_else(|| Error::credential(format!("the list of keys has no key {old}")))?;
        let unknown = |what: &str| Error::credential(format!("the list of keys shows no {what} of the key {old}"));
        let granted = key.scopes.as_ref().ok_or_else(|| unknown("scopes"))?;
        Ok(types::ApiKeyCreate {
            name: key.name.clone().ok_or_else(|| unknown("name"))?,
            scopes: requested(granted, old)?,
            rate_limit: key.rate_limit,
            expires_at: match self.expiry {
                Expiry::At(time) => time,
                Expiry::AsBefore => expiry(&key, old)?,
            },
        })
    }
}

impl KeyManager for Keys {
    fn mint<'a>(&'a self, old: &'a str) -> BoxFuture<'a, Result<NewKey, Error>> {
        Box::pin(async move {
            let request = self.successor(old).await?;
            let body = types::ApiKeyCreate::builder()
                .name(request.name)
                .scopes(request.scopes)
                .maybe_rate_limit(request.rate_limit)
                .maybe_expires_at(request.expires_at);
            let minted = self.client.api_keys_create().body(body).send().await?.into_inner();
            Ok(NewKey { id: minted.id, secret: minted.key })
        })
    }

    /// Asks the server who the new key is, with the new key.
    fn verify<'a>(&'a self, key: &'a NewKey) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let client = Client::with_config(Key::new(key.secret.expose())?, self.config.clone())?;
            let seen = client.auth_test().send().await?.into_inner();
            if !seen.authenticated {
                return Err(Error::credential(format!("the server does not accept the new key {}", key.id)));
            }
            if seen.key_id != key.id {
                return Err(Error::credential(format!(
                    "the server takes the new key {} for another one, {}",
                    key.id, seen.key_id
                )));
            }
            Ok(())
        })
    }

    fn revoke<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.revoke_now(id))
    }
}

/// Scopes as the server shows them, as scopes to ask for. One that the document does not know is not dropped silently: the
/// new key would lack it.
fn requested(granted: &types::GrantedScopes, old: &str) -> Result<types::RequestedScopes, Error> {
    serde_json::to_value(granted).and_then(serde_json::from_value).map_err(|_| {
        Error::credential(format!(
            "the key {old} has a scope that this client does not know: mint its successor by hand"
        ))
    })
}

/// The expiry that the list shows for a key. The document does not name the member there; without it a key never ends.
fn expiry(key: &types::ApiKey, old: &str) -> Result<Option<DateTime<Utc>>, Error> {
    let shown: Timestamp = match key.extra.get("expiresAt") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.parse().unwrap_or_else(|never| match never {}),
        Some(other) => other.to_string().parse().unwrap_or_else(|never| match never {}),
    };
    match shown.to_utc() {
        Some(time) if time > DateTime::<Utc>::from(clock::now()) => Ok(Some(time)),
        Some(time) => Err(Error::credential(format!(
            "the key {old} ended at {time}: say when its successor ends with `expiring_at`"
        ))),
        None => Err(Error::credential(format!(
            "the expiry of the key {old} cannot be read: say when its successor ends with `expiring_at`"
        ))),
    }
}
