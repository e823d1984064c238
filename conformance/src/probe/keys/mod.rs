//! The requests of a probe with an API key that is created for it: its rights, its metadata, and its end.

mod request;
mod revocation;

use std::collections::BTreeSet;

use keyfit_openapi::Operation;
use serde_json::{Value, json};

use super::flow::Stop;
use super::reply::Reply;
use super::{SentRequest, TargetServer};
use crate::catalogue::Catalogue;
use crate::clock;
use crate::contract::{Contract, KeyCheck, KeyManagement, KeyProbe, Probe};
use crate::credential::identity::Identity;
use crate::credential::secret::Secret;

/// The lifetime of a key in seconds, in case it cannot be revoked.
const KEY_LIFETIME: u64 = 3600;
/// The name of a scope and of a resource that do not exist.
const UNKNOWN_SCOPE: &str = "keyfit-no-such-scope";

/// The state of one probe.
pub(super) struct KeyFlow<'a> {
    target: &'a TargetServer,
    catalogue: &'a Catalogue,
    keys: &'a KeyManagement,
    /// The operation of the case.
    operation: &'a Operation,
    /// The identity that manages keys.
    admin: Identity,
    pub(super) sent: Vec<SentRequest>,
    /// The key that was created last.
    pub(super) created_key: Option<CreatedKey>,
}

/// An API key that was created.
#[derive(Clone)]
pub(super) struct CreatedKey {
    pub(super) id: String,
    pub(super) secret: Secret,
    /// The scopes of the request that created it.
    pub(super) scopes: Value,
}

/// The properties of a key to create.
struct KeySpec {
    scopes: Value,
    limit: Option<u64>,
    end: u64,
}

impl<'a> KeyFlow<'a> {
    pub(super) fn new(
        target: &'a TargetServer,
        catalogue: &'a Catalogue,
        keys: &'a KeyManagement,
        operation: &'a Operation,
        admin: Identity,
    ) -> Self {
        Self { target, catalogue, keys, operation, admin, sent: Vec::new(), created_key: None }
    }

    /// Sends the requests of a probe. Does not revoke the key: see [`revoke_all`](Self::revoke_all).
    pub(super) async fn run(&mut self, probe: KeyProbe) -> Result<(), Stop> {
        let (needed, others) = (self.needed(), self.others());
        let spec = match probe {
            KeyProbe::CallByResource | KeyProbe::IntrospectByResource => KeySpec::of(self.by_resource(&needed)),
            KeyProbe::CallOutsideScope | KeyProbe::CallAfterWidening => KeySpec::of(json!(others)),
            KeyProbe::CallAfterNarrowing => KeySpec::of(json!(needed.union(&others).collect::<Vec<_>>())),
            KeyProbe::CallOverLimit => KeySpec { limit: Some(1), ..KeySpec::of(json!(needed)) },
            KeyProbe::CallAfterEnd => {
                KeySpec { end: clock::epoch_seconds() - KEY_LIFETIME, ..KeySpec::of(json!(needed)) }
            }
            KeyProbe::UnknownScope => KeySpec::of(json!([UNKNOWN_SCOPE])),
            KeyProbe::UnknownResource => KeySpec::of(json!({ UNKNOWN_SCOPE: needed })),
            _ => KeySpec::of(json!(needed)),
        };
        let reply = self.ask(&spec).await?;
        match probe {
            KeyProbe::UnknownScope | KeyProbe::UnknownResource => return Ok(()),
            KeyProbe::CallAfterEnd if (400..500).contains(&reply.status) => {
                return Err(Stop::missing("the server mints no key whose end is past"));
            }
            _ => {}
        }
        let key = self.created_key(&spec, &reply)?;
        match probe {
            KeyProbe::Introspect | KeyProbe::IntrospectByResource => self.introspect(&key).await,
            KeyProbe::List => self.list().await,
            KeyProbe::Update => self.update(&key, spec.scopes).await.map(drop),
            KeyProbe::CallOverLimit => {
                self.served(&key).await?;
                self.call(&key).await.map(drop)
            }
            KeyProbe::CallAfterNarrowing => {
                self.served(&key).await?;
                self.replace(&key, json!(others)).await?;
                self.call(&key).await.map(drop)
            }
            KeyProbe::CallAfterWidening => {
                let before = self.call(&key).await?;
                if before.is_success() {
                    return Err(Stop::Broken("the key was served before it had the scope".to_owned()));
                }
                self.replace(&key, json!(needed)).await?;
                self.call(&key).await.map(drop)
            }
            KeyProbe::CallAfterRevocation => {
                self.served(&key).await?;
                self.revoked(&key).await?;
                self.call(&key).await.map(drop)
            }
            KeyProbe::RevokeAtOnce => self.revoke_at_once(&key).await,
            KeyProbe::RevokeAgain => {
                self.revoked(&key).await?;
                self.revoke(&key).await.map(drop)
            }
            KeyProbe::MintInTest => Ok(()),
            _ => self.call(&key).await.map(drop),
        }
    }

    /// Creates a key as the subject of a case and returns its id.
    pub(super) async fn subject(&mut self) -> Result<String, Stop> {
        let spec = KeySpec::of(json!(self.needed()));
        let reply = self.ask(&spec).await?;
        self.created_key(&spec, &reply).map(|key| key.id)
    }

    /// Sends a call that has to be served as a control for the calls that follow.
    async fn served(&mut self, key: &CreatedKey) -> Result<(), Stop> {
        let reply = self.call(key).await?;
        reply.or_stop("a key that may make the call was not served")
    }

    async fn replace(&mut self, key: &CreatedKey, scopes: Value) -> Result<(), Stop> {
        let reply = self.update(key, scopes).await?;
        reply.or_stop("the scopes of a key could not be replaced")
    }

    async fn revoked(&mut self, key: &CreatedKey) -> Result<(), Stop> {
        let reply = self.revoke(key).await?;
        reply.or_stop("a key could not be revoked")
    }

    /// Returns the scopes of the operation or, if it has none, those of another one.
    fn needed(&self) -> BTreeSet<String> {
        let takes_some = |operation: &&Operation| operation.scopes.iter().any(|scope| self.is_plain(scope));
        let operation = [self.operation].into_iter().chain(&self.catalogue.api.operations).find(takes_some);
        operation.map(|operation| operation.scopes.iter().cloned().collect()).unwrap_or_default()
    }

    /// Returns all scopes that do not cover the call.
    fn others(&self) -> BTreeSet<String> {
        let needed = self.needed();
        let scopes = self.catalogue.api.operations.iter().flat_map(|operation| &operation.scopes);
        scopes.filter(|scope| self.is_plain(scope) && !needed.contains(*scope)).cloned().collect()
    }

    /// Returns scopes for the resource of the call alone.
    fn by_resource(&self, actions: &BTreeSet<String>) -> Value {
        let resource = self.operation.resource.clone();
        let credential = self.catalogue.contract.credential(&self.keys.kind);
        let resource = resource.or_else(|| credential?.resources.first().cloned()).unwrap_or_default();
        json!({ resource: actions })
    }

    /// Returns whether a scope is not the one that includes all others.
    fn is_plain(&self, scope: &String) -> bool {
        let credential = self.catalogue.contract.credential(&self.keys.kind);
        credential.is_none_or(|credential| credential.superset.as_ref() != Some(scope))
    }
}

impl KeySpec {
    fn of(scopes: Value) -> Self {
        Self { scopes, limit: None, end: clock::epoch_seconds() + KEY_LIFETIME }
    }
}

impl Reply {
    fn or_stop(&self, problem: &str) -> Result<(), Stop> {
        if self.is_success() {
            return Ok(());
        }
        Err(Stop::Broken(format!("{problem}: the status is {}", self.status)))
    }
}

/// Returns the flaw of an answer about the key that was created.
pub(super) fn finding(check: KeyCheck, contract: &Contract, key: &CreatedKey, reply: &Reply) -> Option<String> {
    let keys = contract.key_management.as_ref()?;
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    match check {
        KeyCheck::Scopes => {
            let found = body.pointer(&keys.members.own_scopes).unwrap_or(&Value::Null);
            let is_same = sorted(found) == sorted(&key.scopes);
            (!is_same).then(|| format!("the scopes are {found}, and were sent as {}", key.scopes))
        }
        KeyCheck::Listed => {
            (!holds(&body, &key.id)).then(|| "the key that was just minted is not in the list".to_owned())
        }
        KeyCheck::OfTest => {
            let prefix = contract.credential(&keys.kind)?.test_prefix.as_ref()?;
            let is_of_test = key.secret.reveal().starts_with(prefix);
            (!is_of_test).then(|| format!("the key that a test key minted does not begin with `{prefix}`"))
        }
    }
}

/// Returns a value with its lists sorted.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut texts: Vec<String> = items.iter().map(Value::to_string).collect();
            texts.sort();
            texts.dedup();
            json!(texts)
        }
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), sorted(member))).collect(),
        other => other.clone(),
    }
}

/// Returns whether a value contains this text anywhere.
fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::String(found) => found == text,
        Value::Array(items) => items.iter().any(|item| holds(item, text)),
        Value::Object(members) => members.values().any(|member| holds(member, text)),
        _ => false,
    }
}
