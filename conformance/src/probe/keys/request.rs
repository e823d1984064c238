//! Single requests with API keys and about them.

use keyfit_openapi::Operation;
use serde_json::{Map, Value};

use super::super::flow::Stop;
use super::super::reply::Reply;
use super::super::request::{Draft, DraftBuilder};
use super::{CreatedKey, KeyFlow, KeySpec, Probe};
use crate::clock;
use crate::contract::{Carrier, Credential};
use crate::credential::identity::Identity;
use crate::credential::secret::Secret;
use crate::text::pointer::put;

impl KeyFlow<'_> {
    /// Sends the request that creates a key.
    pub(super) async fn ask(&mut self, spec: &KeySpec) -> Result<Reply, Stop> {
        let members = &self.keys.members;
        let mut draft = self.draft(&self.keys.mint, None)?;
        let body = draft.body.take().unwrap_or_default();
        let mut body: Value = serde_json::from_slice(&body).unwrap_or_default();
        put(&mut body, &members.scopes, spec.scopes.clone());
        let more = [
            (&members.name, Some(Value::from("keyfit-conformance"))),
            (&members.end, Some(Value::from(clock::timestamp(spec.end)))),
            (&members.limit, spec.limit.map(Value::from)),
        ];
        for (pointer, value) in more {
            if let (Some(pointer), Some(value)) = (pointer, value) {
                put(&mut body, pointer, value);
            }
        }
        draft.body = Some(body.to_string().into_bytes());
        self.send(&draft).await
    }

    /// Reads the created key from the answer.
    pub(super) fn created_key(&mut self, spec: &KeySpec, reply: &Reply) -> Result<CreatedKey, Stop> {
        if !reply.is_success() {
            return Err(Stop::Broken(format!("no key was minted: the status is {}", reply.status)));
        }
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let text = |pointer: &str| {
            let text = body.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
            text.ok_or_else(|| Stop::Broken(format!("a key was minted, and there is no `{pointer}` to go on with")))
        };
        let secret = Secret::new(text(&self.keys.members.key)?);
        let key = CreatedKey { id: text(&self.keys.members.id)?.to_owned(), secret, scopes: spec.scopes.clone() };
        self.created_key = Some(key.clone());
        Ok(key)
    }

    /// Sends the call of the case with a key.
    pub(super) async fn call(&mut self, key: &CreatedKey) -> Result<Reply, Stop> {
        let id = self.operation.id.clone();
        let draft = self.draft(&id, None)?.with(self.carrier(), key.secret.reveal());
        self.send(&draft).await
    }

    pub(super) async fn introspect(&mut self, key: &CreatedKey) -> Result<(), Stop> {
        let draft = self.draft(&self.keys.introspect, None)?.with(self.carrier(), key.secret.reveal());
        self.send(&draft).await.map(drop)
    }

    pub(super) async fn list(&mut self) -> Result<(), Stop> {
        let draft = self.draft(&self.keys.list, None)?;
        self.send(&draft).await.map(drop)
    }

    pub(super) async fn update(&mut self, key: &CreatedKey, scopes: Value) -> Result<Reply, Stop> {
        let mut draft = self.draft(&self.keys.update, Some(&key.id))?;
        let mut body = Value::Object(Map::new());
        put(&mut body, &self.keys.members.scopes, scopes);
        draft.body = Some(body.to_string().into_bytes());
        self.send(&draft).await
    }

    pub(super) async fn revoke(&mut self, key: &CreatedKey) -> Result<Reply, Stop> {
        let draft = self.draft(&self.keys.revoke, Some(&key.id))?;
        self.send(&draft).await
    }

    /// Revokes a key twice concurrently. The answer that is not a success is judged.
    pub(super) async fn revoke_at_once(&mut self, key: &CreatedKey) -> Result<(), Stop> {
        let draft = self.draft(&self.keys.revoke, Some(&key.id))?;
        let mut both = self.target.send_together(&[draft.clone(), draft]).await?;
        both.sort_by_key(|one| one.answer().map_or(u16::MAX, |reply| reply.status));
        self.sent.append(&mut both);
        Ok(())
    }

    /// Returns a valid request of the identity that manages keys, about the key with this id.
    pub(super) fn draft(&self, operation: &str, id: Option<&str>) -> Result<Draft, Stop> {
        let (operation, arguments) = self.operation_and_arguments(operation)?;
        let maker = DraftBuilder {
            api: &self.catalogue.api,
            contract: &self.catalogue.contract,
            servers: &self.target.servers,
            identities: &*self.target.identities,
            arguments,
            live: self.target.live.as_ref(),
        };
        let mut admin: Identity = self.admin.clone();
        admin.ids.extend(id.map(|id| (self.keys.id_parameter.clone(), id.to_owned())));
        maker.draft(&Probe::Valid, operation, &admin).map_err(Stop::Missing)
    }

    /// Returns the place of the key in a request.
    fn carrier(&self) -> &Carrier {
        self.catalogue.contract.credential(&self.keys.kind).map_or(&Carrier::Header, Credential::carrier)
    }

    pub(super) async fn send(&mut self, draft: &Draft) -> Result<Reply, Stop> {
        self.target.step(draft, &mut self.sent).await
    }

    fn operation_and_arguments(&self, operation: &str) -> Result<(&Operation, &Map<String, Value>), Stop> {
        let found = self.catalogue.operation_named(operation);
        found.ok_or_else(|| Stop::Broken(format!("the document has no operation `{operation}`")))
    }
}
