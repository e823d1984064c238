//! `/_keyfit/tokens`: issues, lists, and revokes tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use keyfit::auth::Fingerprint;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::AdminState;
use crate::clock;
use crate::contract::Credential;
use crate::credential::identity::State as TokenState;
use crate::credential::secret::Secret;
use crate::mock::core::Core;
use crate::mock::state::SMALL_WINDOW;
use crate::mock::token::{Grant, Token};
use crate::mock::tool::error::MockError;

/// A request for a token.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenRequest {
    /// A kind of the contract; optional if there is only one.
    pub kind: Option<String>,
    /// Its state.
    pub state: TokenState,
    /// Its scopes; all rights by default. Kinds without scopes take none.
    pub scopes: Option<Scopes>,
    /// The path parameters that the kind is bound to, with the ids that it can access. Default: those of the document's examples, and new
    /// ones for a limited token.
    pub ids: BTreeMap<String, String>,
    /// Calls per window, if fewer than the contract's; 1 for a limited token.
    pub calls_per_window: Option<u64>,
    /// Its lifetime; unlimited by default.
    pub expires_in_seconds: Option<u64>,
}

/// The scopes of a token.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Scopes {
    /// A list of scopes.
    Flat(BTreeSet<String>),
    /// The actions for each resource.
    Resources(BTreeMap<String, BTreeSet<String>>),
}

/// An issued token. Its `Debug` output does not contain its text.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// Its name; tokens that were issued later have none.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The state in which it was issued.
    pub state: TokenState,
    /// Its scopes; `None` for all rights.
    pub scopes: Option<Scopes>,
    /// The path parameters that it is bound to, with the ids that it can access.
    pub ids: BTreeMap<String, String>,
    /// A description of its rights; empty for tokens that were issued later.
    pub may: String,
    /// The text of the token.
    pub secret: Secret,
}

/// The way to select an issued token.
#[derive(Clone, Copy)]
pub enum TokenSelector<'a> {
    /// By its name.
    Name(&'a str),
    /// By its fingerprint.
    Fingerprint(&'a str),
    /// By its text.
    Token(&'a str),
}

/// A body that selects a token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SelectorBody {
    name: Option<String>,
    fingerprint: Option<String>,
    token: Option<String>,
}

impl TokenRequest {
    /// Requests a valid token of a kind with all rights.
    pub fn of(kind: impl Into<String>) -> Self {
        Self { kind: Some(kind.into()), ..Self::default() }
    }
}

impl IssuedToken {
    /// Returns its fingerprint.
    pub fn fingerprint(&self) -> String {
        Fingerprint::of(self.secret.reveal()).to_string()
    }

    /// Returns the JSON for an answer, including the text of the token.
    pub(in super::super) fn json(&self) -> Value {
        let mut shown = json!({
            "kind": self.kind,
            "state": self.state,
            "token": self.secret.reveal(),
            "fingerprint": self.fingerprint(),
            "scopes": self.scopes,
            "ids": self.ids,
        });
        if !self.name.is_empty() {
            shown["name"] = json!(self.name);
            shown["may"] = json!(self.may);
        }
        shown
    }
}

impl<'a> TokenSelector<'a> {
    pub(super) fn one_of(
        name: Option<&'a str>,
        fingerprint: Option<&'a str>,
        token: Option<&'a str>,
    ) -> Result<Self, MockError> {
        match (name, fingerprint, token) {
            (Some(name), None, None) => Ok(Self::Name(name)),
            (None, Some(fingerprint), None) => Ok(Self::Fingerprint(fingerprint)),
            (None, None, Some(token)) => Ok(Self::Token(token)),
            _ => Err(MockError::value(
                "the body does not say which token is meant",
                "give one of name, fingerprint and token",
            )),
        }
    }
}

impl fmt::Debug for TokenSelector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.debug_tuple("Name").field(name).finish(),
            Self::Fingerprint(fingerprint) => f.debug_tuple("Fingerprint").field(fingerprint).finish(),
            Self::Token(token) => f.debug_tuple("Token").field(&Fingerprint::of(token)).finish(),
        }
    }
}

impl AdminState {
    /// Issues a token.
    pub(in super::super) fn issue_token(&self, wanted: TokenRequest) -> Result<IssuedToken, MockError> {
        issue(&self.core, wanted)
    }

    /// Returns the text of a token, and its fingerprint.
    pub(super) fn find(&self, which: TokenSelector<'_>) -> Result<(String, String), MockError> {
        let state = self.core.state();
        let texts = state.tokens().into_iter().map(|(text, _)| text);
        let found = match which {
            TokenSelector::Token(token) => texts.into_iter().find(|text| *text == token),
            TokenSelector::Fingerprint(fingerprint) => {
                texts.into_iter().find(|text| Fingerprint::of(text).to_string() == fingerprint)
            }
            TokenSelector::Name(name) => {
                let named = self.ready.iter().find(|token| token.name == name).map(|token| token.secret.reveal());
                texts.into_iter().find(|text| Some(text.as_str()) == named)
            }
        };
        let text = found.cloned().ok_or_else(unknown_token)?;
        let fingerprint = Fingerprint::of(&text).to_string();
        Ok((text, fingerprint))
    }

    /// Revokes the token that a body selects.
    pub(super) fn revoke(&self, named: SelectorBody) -> Result<Value, MockError> {
        let SelectorBody { name, fingerprint, token } = named;
        self.revoke_selected(TokenSelector::one_of(name.as_deref(), fingerprint.as_deref(), token.as_deref())?)
    }

    /// Revokes the token whose fingerprint is the last segment of a path.
    pub(super) fn revoke_in_path(&self, path: &str) -> Result<Value, MockError> {
        let fingerprint = path.rsplit('/').next().unwrap_or_default();
        if self.find(TokenSelector::Token(fingerprint)).is_ok() {
            // Revoking it anyway would encourage users to write tokens into URLs, which are logged.
            let help = "give its fingerprint, or send the token in the body of DELETE /_keyfit/tokens";
            let error = MockError::value("a token does not belong into a URL", help);
            return Err(MockError { status: 400, ..error });
        }
        self.revoke_selected(TokenSelector::Fingerprint(fingerprint))
    }

    /// Revokes a token.
    pub(in super::super) fn revoke_selected(&self, which: TokenSelector<'_>) -> Result<Value, MockError> {
        let (text, fingerprint) = self.find(which)?;
        self.core.state().revoke(&text);
        Ok(json!({ "revoked": fingerprint }))
    }

    /// Returns all tokens, without their texts.
    pub(super) fn listed(&self) -> Value {
        let state = self.core.state();
        let entry = |(text, token): (&String, &Token)| {
            let named = self.ready.iter().find(|ready| ready.secret.reveal() == text);
            json!({
                "name": named.map(|ready| &ready.name),
                "kind": token.kind,
                "state": token.state,
                "fingerprint": Fingerprint::of(text).to_string(),
                "scopes": scopes(&token.grant),
                "ids": state.ids(token.tenant),
            })
        };
        json!({ "tokens": state.tokens().into_iter().map(entry).collect::<Vec<_>>() })
    }
}

/// Returns the error for a token that does not exist.
pub(super) fn unknown_token() -> MockError {
    MockError::unknown("there is no such token", "GET /_keyfit/tokens lists those that were issued")
}

/// Issues the token of a request.
pub(super) fn issue(core: &Core, wanted: TokenRequest) -> Result<IssuedToken, MockError> {
    let kinds = || core.contract.credentials.iter().map(|credential| credential.kind.as_str());
    let credential = match (&wanted.kind, &core.contract.credentials[..]) {
        (Some(kind), _) => {
            core.contract.credential(kind).ok_or_else(|| MockError::none_of("kind of token", kind, kinds()))?
        }
        (None, [only]) => only,
        (None, _) => {
            let help = format!("the kinds are: {}", kinds().collect::<Vec<_>>().join(", "));
            return Err(MockError::value("`kind` is missing", help));
        }
    };
    let is_limited = wanted.state == TokenState::Limited || wanted.calls_per_window.is_some();
    if is_limited && core.contract.rate_limit.is_none() {
        return Err(MockError::value("the contract has no rate limit", "leave the limit out"));
    }
    if wanted.calls_per_window == Some(0) {
        return Err(MockError::value(
            "`calls_per_window` is 0",
            "give 1 or more; POST /_keyfit/limits drains a window",
        ));
    }
    let grant = grant(core, credential, wanted.scopes.as_ref())?;
    let mut state = core.state();
    if let Some(unbound) = wanted.ids.keys().find(|name| !credential.binds.contains(name)) {
        let bound = credential.binds.iter().map(String::as_str);
        return Err(MockError::none_of("id of this kind", unbound, bound));
    }
    // With the ids of another tenant, it would share a window that is not small.
    let tenant = match (wanted.ids.is_empty(), is_limited) {
        (true, true) => state.new_tenant(),
        (true, false) => 0,
        (false, alone) => {
            let mut ids = state.ids(0).clone();
            ids.extend(wanted.ids);
            state.tenant(ids, alone)
        }
    };
    let small = (wanted.state == TokenState::Limited).then_some(SMALL_WINDOW);
    let ceiling = core.contract.rate_limit.as_ref().map_or(u64::MAX, |rules| rules.limit);
    let token = Token {
        state: wanted.state,
        tenant,
        limit: wanted.calls_per_window.or(small).map(|limit| limit.min(ceiling)),
        expires: wanted.expires_in_seconds.map(|seconds| clock::epoch_seconds().saturating_add(seconds)),
        ..Token::new(&credential.kind, grant)
    };
    let (kind, scopes) = (token.kind.clone(), scopes(&token.grant));
    let (text, _) = state.admit(Some(credential), wanted.state == TokenState::Test, token);
    Ok(IssuedToken {
        name: String::new(),
        kind,
        state: wanted.state,
        scopes,
        ids: state.ids(tenant).clone(),
        may: String::new(),
        secret: Secret::new(text),
    })
}

fn grant(core: &Core, credential: &Credential, wanted: Option<&Scopes>) -> Result<Grant, MockError> {
    let Some(wanted) = wanted else {
        // If one scope includes all others, a caller who may do everything has that scope.
        let superset = credential.superset.clone();
        return Ok(superset.map_or(Grant::All, |superset| Grant::Flat(BTreeSet::from([superset]))));
    };
    if !credential.is_scoped() {
        return Err(MockError::value(format!("`{}` has no scopes", credential.kind), "leave `scopes` out"));
    }
    let state = core.state();
    let is_known = |scope: &&String| {
        let includes_others = credential.superset.as_ref() == Some(*scope) || credential.includes.contains_key(*scope);
        state.scopes().contains(*scope) || includes_others
    };
    // The scope alone, or for one resource.
    let is_at_resource = |scope: &&String| {
        let parts = scope.split_once(':').filter(|_| credential.resource_scopes);
        parts.is_some_and(|(_, scope)| state.scopes().contains(scope))
    };
    let names =
        || state.scopes().iter().chain(&credential.superset).chain(credential.includes.keys()).map(String::as_str);
    match wanted {
        Scopes::Flat(scopes) => match scopes.iter().find(|scope| !is_known(scope) && !is_at_resource(scope)) {
            Some(unknown) => Err(MockError::none_of("scope", unknown, names())),
            None => Ok(Grant::Flat(scopes.clone())),
        },
        Scopes::Resources(map) => {
            let resources = || credential.resources.iter().map(String::as_str);
            if let Some(unknown) = map.keys().find(|name| !credential.resources.contains(name)) {
                return Err(MockError::none_of("resource", unknown, resources()));
            }
            match map.values().flatten().find(|scope| !is_known(scope)) {
                Some(unknown) => Err(MockError::none_of("scope", unknown, names())),
                None => Ok(Grant::Resources(map.clone())),
            }
        }
    }
}

fn scopes(grant: &Grant) -> Option<Scopes> {
    match grant {
        Grant::All => None,
        Grant::Flat(scopes) => Some(Scopes::Flat(scopes.clone())),
        Grant::Resources(map) => Some(Scopes::Resources(map.clone())),
    }
}
