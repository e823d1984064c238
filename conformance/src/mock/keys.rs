//! API keys that are managed through the API: created, listed, changed, revoked, and described, with effect on the next call.

use std::collections::BTreeMap;

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::call::{ParsedBody, Refusal};
use super::core::{Core, ServedRequest};
use super::mutant::Mutant;
use super::token::{Grant, Token};
use crate::clock;
use crate::contract::{KeyManagement, Probe};
use crate::credential::identity::State as TokenState;
use crate::text::pointer::{put, take};

impl Core {
    /// Executes a key management operation, and writes the result into the documented body. Other operations are unchanged.
    pub(super) fn manage(
        &self,
        keys: &KeyManagement,
        served: &ServedRequest<'_>,
        body: Option<Bytes>,
    ) -> Result<Option<Bytes>, Refusal> {
        let id = &served.operation.id;
        if !keys.operations().iter().any(|(_, known)| known == id) {
            return Ok(body);
        }
        let mut shown: Value = body.and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_else(|| json!({}));
        if *id == keys.revoke {
            self.revoke_key(keys, served);
            return Ok(None);
        }
        if *id == keys.mint {
            self.create_key(keys, served, &mut shown)?;
        } else if *id == keys.list {
            put(&mut shown, &keys.members.list, Value::Array(self.list(keys)));
        } else if *id == keys.update {
            self.update(keys, served, &mut shown);
        } else {
            self.introspect(keys, served, &mut shown);
        }
        Ok(Some(shown.to_string().into()))
    }

    /// Creates a key in the environment of the key that requests it.
    fn create_key(&self, keys: &KeyManagement, served: &ServedRequest<'_>, shown: &mut Value) -> Result<(), Refusal> {
        let (members, operation) = (&keys.members, served.operation);
        let ParsedBody::Body(sent) = &served.sent else { return Ok(()) };
        let sent_at = |pointer: &Option<String>| pointer.as_deref().and_then(|pointer| sent.pointer(pointer));
        let end = sent_at(&members.end).filter(|end| !end.is_null());
        let expires = end.and_then(Value::as_str).and_then(clock::read_timestamp);
        if end.is_some() && expires.is_none() {
            let status = self.status(&Probe::MissingField, operation, 400);
            return Err(Refusal::new(status, "The end is no timestamp"));
        }
        let scopes = sent.pointer(&members.scopes).cloned().unwrap_or_else(|| json!([]));
        let of_test = served.token.state == TokenState::Test;
        let limit = sent_at(&members.limit).and_then(Value::as_u64).filter(|_| !self.has(Mutant::IgnoresOwnLimits));
        let ceiling = self.contract.rate_limit.as_ref().map(|rules| rules.limit);
        // Members of the request that the answer also has are returned as they were sent.
        for (name, value) in sent.as_object().into_iter().flatten() {
            if let Some(member) = shown.get_mut(name) {
                *member = value.clone();
            }
        }
        put(shown, &members.scopes, scopes.clone());
        let token = Token {
            state: if of_test { TokenState::Test } else { TokenState::Valid },
            tenant: served.token.tenant,
            limit: limit.map(|limit| ceiling.map_or(limit, |ceiling| limit.min(ceiling))),
            expires,
            shown: Some(Value::Null),
            ..Token::new(&keys.kind, self.grant_of(&scopes))
        };
        let is_test_prefix = of_test != self.has(Mutant::MintsElsewhere);
        let mut state = self.state();
        let (text, id) = state.admit(self.contract.credential(&keys.kind), is_test_prefix, token);
        put(shown, &members.id, json!(id));
        if let Some((_, token)) = state.key(&id) {
            let mut kept = shown.clone();
            take(&mut kept, &members.key);
            token.shown = Some(kept);
        }
        put(shown, &members.key, json!(text));
        Ok(())
    }

    fn grant_of(&self, scopes: &Value) -> Grant {
        match Grant::read(scopes) {
            _ if self.has(Mutant::MintsForEverything) => Grant::All,
            Grant::Resources(_) if self.has(Mutant::MintsForLists) => Grant::Resources(BTreeMap::new()),
            grant => grant,
        }
    }

    fn list(&self, keys: &KeyManagement) -> Vec<Value> {
        if self.has(Mutant::ListsNothing) {
            return Vec::new();
        }
        let state = self.state();
        let entry = |(text, token): (&String, &Token)| {
            let mut entry = self.described(keys, token);
            if self.has(Mutant::ListsSecrets) {
                put(&mut entry, &keys.members.key, json!(text));
            }
            entry
        };
        state.keys(&keys.kind).into_iter().map(entry).collect()
    }

    /// Replaces the scopes of a key.
    fn update(&self, keys: &KeyManagement, served: &ServedRequest<'_>, shown: &mut Value) {
        let ParsedBody::Body(sent) = &served.sent else { return };
        let scopes = sent.pointer(&keys.members.scopes).cloned().unwrap_or_else(|| json!([]));
        let mut state = self.state();
        let Some((text, token)) = state.key(subject(keys, served)) else { return };
        token.grant = match (&token.grant, Grant::read(&scopes)) {
            (Grant::Flat(old), Grant::Flat(new)) if self.has(Mutant::OnlyWidens) => {
                Grant::Flat(old.union(&new).cloned().collect())
            }
            (Grant::Flat(old), Grant::Flat(new)) if self.has(Mutant::OnlyNarrows) => {
                Grant::Flat(old.intersection(&new).cloned().collect())
            }
            (_, new) => new,
        };
        let mut kept = self.described(keys, token);
        put(&mut kept, &keys.members.scopes, scopes);
        token.shown = Some(kept);
        *shown = self.described(keys, token);
        if self.has(Mutant::RepeatsSecret) {
            put(shown, &keys.members.key, json!(text));
        }
    }

    fn revoke_key(&self, keys: &KeyManagement, served: &ServedRequest<'_>) {
        let mut state = self.state();
        let Some((_, token)) = state.key(subject(keys, served)) else { return };
        if self.has(Mutant::RevokesNothing) {
            token.id.clear();
        } else {
            token.state = TokenState::Revoked;
        }
    }

    fn introspect(&self, keys: &KeyManagement, served: &ServedRequest<'_>, shown: &mut Value) {
        let members = &keys.members;
        let described = self.described(keys, served.token);
        let scopes = match described.pointer(&members.scopes).cloned().unwrap_or_default() {
            Value::Array(list) if self.has(Mutant::SpreadsScopes) => {
                json!({ "everything": list })
            }
            Value::Object(map) if self.has(Mutant::FlattensScopes) => {
                map.into_iter().flat_map(|(_, actions)| actions.as_array().cloned().unwrap_or_default()).collect()
            }
            scopes => scopes,
        };
        put(shown, &members.own_id, json!(served.token.id));
        put(shown, &members.own_scopes, scopes);
        let (Some(rules), Some(window)) = (&self.contract.rate_limit, served.window) else { return };
        let reset = window.reset_in(rules.reset) + if self.has(Mutant::ContradictsOwnReset) { 100 } else { 0 };
        let figures = [
            (&members.own_limit, window.limit),
            (&members.own_remaining, window.remaining()),
            (&members.own_reset, reset),
        ];
        for (pointer, figure) in figures {
            if let Some(pointer) = pointer {
                put(shown, pointer, json!(figure));
            }
        }
    }

    /// Returns the metadata of a key, without its text.
    fn described(&self, keys: &KeyManagement, token: &Token) -> Value {
        if let Some(shown) = token.shown.clone().filter(|shown| shown.pointer(&keys.members.scopes).is_some()) {
            return shown;
        }
        let superset = self.contract.credential(&keys.kind).and_then(|kind| kind.superset.clone());
        let every: Vec<String> = superset.into_iter().collect();
        let mut shown = json!({});
        put(&mut shown, &keys.members.id, json!(token.id));
        put(&mut shown, &keys.members.scopes, token.grant.to_scopes(&every));
        shown
    }
}

/// Returns the id of the key that a request is about.
fn subject<'a>(keys: &KeyManagement, served: &ServedRequest<'a>) -> &'a str {
    served.path.get(&keys.id_parameter).map_or("", String::as_str)
}
