//! The state of the mock: issued tokens, the data of tenants, existing ids, and calls by window.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use keyfit_openapi::{Api, ParameterLocation, example};

use super::grants::Grants;
use super::idempotency::KeyedAnswer;
use super::store::Store;
use super::token::{Grant, Token, signed_token, token_text};
use super::window::Window;
use super::work::WorkItems;
use crate::clock;
use crate::contract::{Carrier, Contract, Credential, Probe};
use crate::credential::carrier;
use crate::credential::identity::{CredentialNeed, Identity, IdentityCredential, Rights, State as TokenState};
use crate::credential::secret::{Redactor, Secret};
use crate::document::body::plain;
use crate::tokens::ids::Ids;

/// The calls per window of a limited token: one call is served, so that the next one is refused.
pub(super) const SMALL_WINDOW: u64 = 1;
/// The length of its windows in a check, which tests their end: the shortest that whole seconds can express.
pub(super) const SHORT_WINDOW: u64 = 1;

/// The mutable state of a mock.
#[derive(Clone)]
pub(super) struct State {
    tokens: HashMap<String, Token>,
    /// Masks all tokens that were issued.
    redactor: Redactor,
    /// The number of tokens that were issued: a number is never reused.
    issued_count: u64,
    issued: HashMap<CredentialNeed, Identity>,
    /// For each tenant, the path parameters that tokens are bound to, with their values.
    tenants: Vec<BTreeMap<String, String>>,
    /// The existing ids, by path parameter.
    known: HashMap<String, BTreeSet<String>>,
    windows: HashMap<String, Window>,
    scopes: BTreeSet<String>,
    resources: BTreeSet<String>,
    /// The path parameter that holds ids of keys, and their kind, if the API manages keys.
    key_parameter: Option<(String, String)>,
    /// The text of a key of another tenant.
    foreign_key: Option<String>,
    /// The members of the last body, if a defect stores all of them.
    pub(super) stored: serde_json::Map<String, serde_json::Value>,
    /// The grants of the authorization server.
    pub(super) grants: Grants,
    /// The number of times that a defect reported a limit.
    reported_limits: u64,
    /// The charges of each tenant.
    charged: HashMap<usize, i64>,
    /// Answers by idempotency key.
    pub(super) keyed: HashMap<String, KeyedAnswer>,
    /// The resources that callers created.
    pub(super) store: Store,
    /// The accepted work.
    pub(super) work_items: WorkItems,
}

impl State {
    /// Creates a state in which the ids of the document's examples exist.
    pub(super) fn new(api: &Api, contract: &Contract) -> Self {
        let mut known: HashMap<String, BTreeSet<String>> = HashMap::new();
        for operation in &api.operations {
            let arguments = example::parameters(api, operation);
            for parameter in
                operation.parameters.iter().filter(|parameter| parameter.location == ParameterLocation::Path)
            {
                if let Some(value) = arguments.get(&parameter.name) {
                    known.entry(parameter.name.clone()).or_default().insert(plain(value));
                }
            }
        }
        let bound: BTreeSet<&String> = contract.credentials.iter().flat_map(|credential| &credential.binds).collect();
        // The first tenant has the ids of the document's examples.
        let first = bound.iter().map(|name| {
            let id = known.get(*name).and_then(|ids| ids.first().cloned());
            ((*name).clone(), id.unwrap_or_else(|| format!("{name}-0")))
        });
        Self {
            tokens: HashMap::new(),
            redactor: Redactor::default(),
            issued_count: 0,
            issued: HashMap::new(),
            tenants: vec![first.collect()],
            windows: HashMap::new(),
            grants: Grants::default(),
            reported_limits: 0,
            charged: HashMap::new(),
            keyed: HashMap::new(),
            store: Store::default(),
            work_items: WorkItems::default(),
            stored: serde_json::Map::new(),
            scopes: api.operations.iter().flat_map(|operation| operation.scopes.iter().cloned()).collect(),
            resources: contract
                .credentials
                .iter()
                .flat_map(|credential| credential.resources.iter().cloned())
                .collect(),
            key_parameter: contract.key_management.as_ref().map(|keys| (keys.id_parameter.clone(), keys.kind.clone())),
            foreign_key: None,
            known,
        }
    }

    /// Returns a token that meets the need. The same need gets the same token, unless it is to be used alone.
    pub(super) fn issue(&mut self, contract: &Contract, need: &CredentialNeed) -> Identity {
        if !need.alone
            && let Some(identity) = self.issued.get(need)
        {
            return identity.clone();
        }
        let tenant = if need.alone { self.new_tenant() } else { 0 };
        let credential = contract.credential(&need.kind);
        let is_limited = need.state == TokenState::Limited;
        let token = Token {
            state: need.state,
            tenant,
            limit: is_limited.then_some(SMALL_WINDOW),
            window: is_limited.then_some(SHORT_WINDOW),
            ..Token::new(&need.kind, self.grant(contract, need))
        };
        let text = self.admit(credential, need.state == TokenState::Test, token).0;
        let identity = Identity {
            name: need.to_string(),
            credentials: vec![IdentityCredential { kind: need.kind.clone(), secret: Secret::new(text) }],
            ids: self.tenants[tenant].clone(),
            known: Ids::default(),
            is_expendable: true,
        };
        if !need.alone {
            self.issued.insert(need.clone(), identity.clone());
        }
        identity
    }

    /// Returns an id of a tenant other than the first.
    pub(super) fn foreign_id(&mut self, parameter: &str) -> String {
        if self.is_of_keys(parameter) {
            return self.foreign_key();
        }
        let stranger = self.tenants.iter().skip(1).find_map(|ids| ids.get(parameter).cloned());
        stranger.unwrap_or_else(|| {
            let tenant = self.new_tenant();
            // Ids that tokens are not bound to have no tenant: a nonexistent one is used instead.
            self.tenants[tenant].get(parameter).cloned().unwrap_or_else(|| format!("other-{parameter}"))
        })
    }

    /// Returns the id of a key of a tenant other than the first.
    fn foreign_key(&mut self) -> String {
        let known = self.foreign_key.as_ref().and_then(|text| self.tokens.get(text));
        if let Some(known) = known.filter(|token| token.state == TokenState::Valid) {
            return known.id.clone();
        }
        let tenant = self.new_tenant();
        let kind = self.key_parameter.as_ref().map_or("", |(_, kind)| kind);
        let (text, id) = self.admit(None, false, Token { tenant, ..Token::new(kind, Grant::All) });
        self.foreign_key = Some(text);
        id
    }

    /// Gives a token a text of its kind and an id. With `is_test`, the text has the prefix of the test environment.
    pub(super) fn admit(
        &mut self,
        credential: Option<&Credential>,
        is_test: bool,
        mut token: Token,
    ) -> (String, String) {
        let number = self.issued_count;
        self.issued_count += 1;
        let prefix = credential.map_or("", |credential| credential.prefix_in(is_test));
        let carrier = credential.map_or(&Carrier::Header, Credential::carrier);
        let user = if *carrier == Carrier::Basic { format!("user-{number}:") } else { String::new() };
        let text = match credential {
            Some(credential) if credential.jwt => signed_token(number, token.state),
            _ => format!("{user}{prefix}{}", token_text(number)),
        };
        let id = format!("key-{number}");
        token.number = number;
        token.id.clone_from(&id);
        for secret in carrier::secrets(carrier, &text) {
            self.redactor.learn(&Secret::new(secret));
        }
        self.tokens.insert(text.clone(), token);
        (text, id)
    }

    /// Returns the active tokens of a kind with their texts, the oldest first, except those of other tenants.
    pub(super) fn keys(&self, kind: &str) -> Vec<(&String, &Token)> {
        let is_key = |(text, token): &(&String, &Token)| {
            let is_own = token.kind == kind && self.foreign_key.as_ref() != Some(text);
            is_own && !token.id.is_empty() && token.state != TokenState::Revoked
        };
        let mut keys: Vec<_> = self.tokens.iter().filter(is_key).collect();
        keys.sort_by_key(|(_, token)| token.number);
        keys
    }

    /// Returns a token with its text by its id, whether it is revoked or not.
    pub(super) fn key(&mut self, id: &str) -> Option<(&String, &mut Token)> {
        self.tokens.iter_mut().find(|(_, token)| token.id == id)
    }

    /// Returns whether a path parameter holds ids of keys.
    pub(super) fn is_of_keys(&self, parameter: &str) -> bool {
        self.key_parameter.as_ref().is_some_and(|(name, _)| name == parameter)
    }

    /// Revokes a token.
    pub(super) fn revoke(&mut self, text: &str) {
        if let Some(token) = self.tokens.get_mut(text) {
            token.state = TokenState::Revoked;
        }
    }

    /// Returns all issued tokens with their texts, the oldest first.
    pub(super) fn tokens(&self) -> Vec<(&String, &Token)> {
        let mut tokens: Vec<_> = self.tokens.iter().collect();
        tokens.sort_by_key(|(_, token)| token.number);
        tokens
    }

    /// Replaces the state by another one. The tokens of the former one are not accepted again.
    pub(super) fn replace(&mut self, other: Self) {
        let issued_count = self.issued_count;
        *self = other;
        self.issued_count = self.issued_count.max(issued_count);
    }

    /// Returns the scopes that operations require.
    pub(super) fn scopes(&self) -> &BTreeSet<String> {
        &self.scopes
    }

    /// Returns the ids of a tenant.
    pub(super) fn ids(&self, tenant: usize) -> &BTreeMap<String, String> {
        &self.tenants[tenant]
    }

    /// Returns a tenant with these ids: an existing one, unless its windows must not be shared.
    pub(super) fn tenant(&mut self, ids: BTreeMap<String, String>, alone: bool) -> usize {
        let known = self.tenants.iter().position(|tenant| !alone && *tenant == ids);
        known.unwrap_or_else(|| {
            self.tenants.push(ids);
            self.tenants.len() - 1
        })
    }

    pub(super) fn token(&self, text: &str) -> Option<Token> {
        self.tokens.get(text).cloned()
    }

    /// Returns whether an issued token ends with this signature.
    pub(super) fn knows_signature(&self, signature: &str) -> bool {
        !signature.is_empty() && self.tokens.keys().any(|known| known.rsplit('.').next() == Some(signature))
    }

    /// Returns whether an active token begins with this text.
    pub(super) fn knows_prefix(&self, text: &str) -> bool {
        let fits = |(known, token): (&String, &Token)| known.starts_with(text) && token.state == TokenState::Valid;
        !text.is_empty() && self.tokens.iter().any(fits)
    }

    /// Returns whether an active token equals this text except for case.
    pub(super) fn knows_in_any_case(&self, text: &str) -> bool {
        let fits =
            |(known, token): (&String, &Token)| known.eq_ignore_ascii_case(text) && token.state == TokenState::Valid;
        self.tokens.iter().any(fits)
    }

    /// Returns the redactor that masks all issued tokens.
    pub(super) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Returns whether a tenant has this value for a path parameter that tokens are bound to. The first tenant has all ids of the document's
    /// examples, in which one name may denote several things.
    pub(super) fn has(&self, tenant: usize, parameter: &str, id: &str) -> bool {
        let is_example = || self.known.get(parameter).is_some_and(|ids| ids.contains(id));
        self.bound_id(tenant, parameter) == Some(id) || (tenant == 0 && is_example())
    }

    /// Returns a tenant's value for a path parameter that tokens are bound to.
    pub(super) fn bound_id(&self, tenant: usize, parameter: &str) -> Option<&str> {
        self.tenants.get(tenant)?.get(parameter).map(String::as_str)
    }

    /// Returns whether tokens are bound to a path parameter.
    pub(super) fn is_bound(&self, parameter: &str) -> bool {
        self.tenants[0].contains_key(parameter)
    }

    /// Returns the tenant that owns this id: a resource that a call created, or the key of another tenant. All other keys belong to one
    /// account, although they have separate windows.
    pub(super) fn owner(&self, parameter: &str, id: &str) -> Option<usize> {
        if self.is_of_keys(parameter) {
            let foreign = self.foreign_key.as_ref().and_then(|text| self.tokens.get(text));
            return foreign.filter(|token| token.id == id).map(|token| token.tenant);
        }
        self.store.owner(parameter, id)
    }

    /// Returns whether a tenant has this value for a path parameter.
    pub(super) fn is_taken(&self, parameter: &str, id: &str) -> bool {
        self.owner(parameter, id).is_some() || (0..self.tenants.len()).any(|tenant| self.has(tenant, parameter, id))
    }

    /// Returns whether an id exists; true for parameters whose ids are not tracked.
    pub(super) fn knows(&self, parameter: &str, id: &str) -> bool {
        if self.is_of_keys(parameter) {
            return self.tokens.values().any(|token| token.id == id && token.state != TokenState::Revoked);
        }
        self.known.get(parameter).is_none_or(|ids| ids.contains(id))
    }

    /// Records a new id, if the ids of the parameter are tracked.
    pub(super) fn know(&mut self, parameter: &str, id: &str) {
        if let Some(known) = self.known.get_mut(parameter) {
            known.insert(id.to_owned());
        }
    }

    /// Counts calls in a window and returns the window.
    pub(super) fn count(&mut self, bucket: String, limit: u64, seconds: u64, calls: u64) -> Window {
        let now = clock::epoch_seconds();
        let fresh = Window { limit, used: 0, reset: now + seconds };
        let window = self.windows.entry(bucket).or_insert(fresh);
        if window.reset <= now {
            *window = fresh;
        }
        window.used = window.used.saturating_add(calls);
        *window
    }

    /// Replaces a window.
    pub(super) fn put_window(&mut self, bucket: String, window: Window) {
        self.windows.insert(bucket, window);
    }

    /// Returns a number that decreases with each call, far above any limit.
    pub(super) fn undocumented_remaining(&mut self) -> u64 {
        self.reported_limits += 1;
        1_000_000 - self.reported_limits.min(1_000_000)
    }

    /// Charges a tenant for a call.
    pub(super) fn charge(&mut self, tenant: usize) {
        *self.charged.entry(tenant).or_default() += 1;
    }

    /// Returns the charges of a tenant.
    pub(super) fn charged(&self, tenant: usize) -> i64 {
        self.charged.get(&tenant).copied().unwrap_or_default()
    }

    /// Creates a new tenant.
    pub(super) fn new_tenant(&mut self) -> usize {
        let number = self.tenants.len();
        let ids = self.tenants[0].iter().map(|(name, id)| (name.clone(), other_id(name, id, number))).collect();
        self.tenants.push(ids);
        number
    }

    fn grant(&self, contract: &Contract, need: &CredentialNeed) -> Grant {
        let credential = contract.credential(&need.kind);
        let is_one = |scope: &&String| credential.is_none_or(|kind| kind.superset.as_ref() != Some(scope));
        let actions = || self.scopes.iter().filter(is_one).cloned();
        match &need.rights {
            // If one scope includes all others, a caller who may do everything has that scope.
            Rights::All => match credential.and_then(|kind| kind.superset.clone()) {
                Some(superset) => Grant::Flat(BTreeSet::from([superset])),
                None => Grant::All,
            },
            Rights::Only(scopes) => Grant::Flat(scopes.clone()),
            Rights::Without(scopes) => {
                let reach = |scope: &String| match credential {
                    Some(credential) => credential.effective_scopes(&BTreeSet::from([scope.clone()])),
                    None => BTreeSet::from([scope.clone()]),
                };
                let mut others: BTreeSet<String> = actions().filter(|scope| reach(scope).is_disjoint(scopes)).collect();
                if others.is_empty() {
                    // A token without scopes is a different test.
                    others.insert("unrelated".to_owned());
                }
                Grant::Flat(others)
            }
            Rights::OnlyResource { resource, actions } => {
                Grant::Resources(BTreeMap::from([(resource.clone(), actions.clone())]))
            }
            Rights::OtherResources { resource } => {
                let others = self.resources.iter().filter(|other| Some(*other) != resource.as_ref());
                Grant::Resources(others.map(|other| (other.clone(), actions().collect())).collect())
            }
        }
    }
}

/// Returns whether the mock tracks the ids of a parameter: an `unknown-id` or `foreign` rule of the contract names it.
pub(super) fn keeps_ids(contract: &Contract, parameter: &str, operation: &keyfit_openapi::Operation) -> bool {
    [Probe::UnknownId(parameter.to_owned()), Probe::Foreign(parameter.to_owned())]
        .iter()
        .any(|probe| contract.ruling(probe, operation).is_some())
}

/// Returns the id of another tenant, from that of the first: a number if that is a number.
fn other_id(name: &str, first: &str, number: usize) -> String {
    let as_number = first.parse::<u32>().ok().and_then(|first| first.checked_add(u32::try_from(number).ok()?));
    as_number.map_or_else(|| format!("other-{name}-{number}"), |other| other.to_string())
}
