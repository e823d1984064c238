//! The identities of probes: the credential that a probe needs, and the source of credentials.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use keyfit_openapi::Operation;
use serde::{Deserialize, Serialize};

use crate::contract::{
    AuthorizationServer, Carrier, ClientAuthentication, Contract, Credential, Endpoint, GrantType, KeyManagement,
    KeyProbe, Probe,
};
use crate::credential::fetched_tokens::FetchedToken;
use crate::credential::secret::Secret;
use crate::judgement::missing::Missing;
use crate::tokens::ids::Ids;

/// A caller: its credentials, and the ids that it can access.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// Its name in reports.
    pub name: String,
    /// Its credentials: none, one, or several if an operation needs them together.
    pub credentials: Vec<IdentityCredential>,
    /// Path parameters with values that exist for this identity.
    pub ids: BTreeMap<String, String>,
    /// The ids as the user configured them, from which [`Identity::at`] selects those of a path.
    pub known: Ids,
    /// True if its credentials may be sent in URLs.
    pub is_expendable: bool,
}

/// A credential with its kind.
#[derive(Clone, Debug)]
pub struct IdentityCredential {
    /// The kind of token.
    pub kind: String,
    /// The token.
    pub secret: Secret,
}

/// The credential that a probe needs.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CredentialNeed {
    /// The kind of token.
    pub kind: String,
    /// The state of the credential.
    pub state: State,
    /// The rights of the credential.
    pub rights: Rights,
    /// True if no other case may use it concurrently: the probe counts calls.
    pub alone: bool,
}

/// The state of a credential.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Valid.
    #[default]
    Valid,
    /// Revoked.
    Revoked,
    /// Expired.
    Expired,
    /// Valid, with a rate limit window of a few calls.
    Limited,
    /// Valid, for an account without funds.
    Broke,
    /// Valid in the test environment.
    Test,
    /// Valid for another audience than this API.
    OtherAudience,
}

/// A client of the authorization server, registered with a redirect URI.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// Its secret; public clients have none.
    pub secret: Option<Secret>,
    /// Its only authentication method; `None` if it supports all methods of the contract.
    pub authentication: Option<ClientAuthentication>,
    /// Its redirect URI.
    pub redirect_uri: String,
    /// The name and the password of a user, for the password grant.
    pub user: Option<(String, Secret)>,
    /// The revocation endpoint for its tokens, if it differs from that of the contract.
    pub revocation_url: Option<Endpoint>,
}

/// A signer of JWTs.
#[derive(Clone, Debug)]
pub struct Signer {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// The secret that signs.
    pub secret: Secret,
}

/// The client that a probe needs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientNeed {
    /// The kind of the client.
    pub kind: ClientKind,
    /// The grants that the probe uses.
    pub grants: BTreeSet<GrantType>,
    /// The required authentication method, if it matters.
    pub authentication: Option<ClientAuthentication>,
    /// The scopes that the probe requests.
    pub scopes: BTreeSet<String>,
}

/// The kind of a client.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ClientKind {
    /// A client with a secret.
    Confidential,
    /// A client with a secret, other than the previous one.
    Other,
    /// A client with a secret, whose refresh tokens do not rotate.
    Keeping,
    /// A client with a secret, whose refresh tokens rotate.
    Rotating,
    /// A client without a secret.
    Public,
}

/// The rights of a credential.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Rights {
    /// All rights.
    All,
    /// All rights except these scopes.
    Without(BTreeSet<String>),
    /// These scopes.
    Only(BTreeSet<String>),
    /// These actions on one resource.
    OnlyResource {
        /// The resource.
        resource: String,
        /// The actions on it.
        actions: BTreeSet<String>,
    },
    /// Every action on every other resource.
    OtherResources {
        /// The excluded resource; `None` if the operation has no resource.
        resource: Option<String>,
    },
}

/// An identity as the user describes it.
#[derive(Clone, Debug)]
pub struct ConfiguredIdentity {
    /// Its name.
    pub name: String,
    /// The kind of its token.
    pub kind: String,
    /// The state of its token.
    pub state: State,
    /// Its scopes; all scopes if `None`.
    pub scopes: Option<BTreeSet<String>>,
    /// True if it has actions by resource instead of scopes.
    pub has_resources: bool,
    /// Its token.
    pub secret: Secret,
}

/// The source of credentials: the mock, or the user for a live server.
pub trait Identities: Send + Sync {
    /// Returns a credential that meets the need.
    ///
    /// # Errors
    /// Returns an error if there is none. It describes the missing input.
    fn find(&self, need: &CredentialNeed) -> Result<Identity, Missing>;

    /// Returns the credential with the fewest rights of several that meet the need: unintended access does the least damage with it.
    fn least(&self, need: &CredentialNeed) -> Option<Identity> {
        let _ = need;
        None
    }

    /// Returns all identities that the user describes; empty for the mock.
    fn known(&self) -> Vec<ConfiguredIdentity> {
        Vec::new()
    }

    /// Returns whether an identity has a valid token of a kind with these scopes.
    fn holds(&self, kind: &str, scopes: &[String]) -> bool {
        let _ = (kind, scopes);
        true
    }

    /// Returns the id of another user for a parameter of a path.
    ///
    /// # Errors
    /// Returns an error if there is none. It describes the missing input.
    fn foreign_id(&self, path: &str, parameter: &str) -> Result<String, Missing>;

    /// Returns identities of a kind with different ids for a path parameter, prepared for that path: one for each id.
    fn owners(&self, kind: &str, path: &str, parameter: &str) -> Vec<Identity> {
        let _ = (kind, path, parameter);
        Vec::new()
    }

    /// Returns other identities with a valid token of the same kind as this one, prepared for a path.
    fn fellows(&self, identity: &Identity, path: &str) -> Vec<Identity> {
        let _ = (identity, path);
        Vec::new()
    }

    /// Returns the value of a path parameter without an id in any identity. `example` is that of the document.
    ///
    /// # Errors
    /// Returns an error if only the user can know the value. It describes the missing input.
    fn path_value(&self, parameter: &str, example: String) -> Result<String, Missing> {
        let _ = parameter;
        Ok(example)
    }

    /// Returns an id for a path parameter that a call may change. With `is_removed`, the id is returned only once.
    ///
    /// # Errors
    /// Returns an error if there is none. It describes the missing input.
    fn expendable(&self, path: &str, parameter: &str, is_removed: bool) -> Result<String, Missing> {
        let _ = (path, is_removed);
        Err(Missing::new(format!("no expendable `{parameter}` was given")))
    }

    /// Returns whether the id of a path parameter is expendable: calls may change and remove it.
    fn is_expendable(&self, path: &str, parameter: &str, id: &str) -> bool {
        let _ = (path, parameter, id);
        false
    }

    /// Returns whether the id of a path parameter must not be removed.
    fn keeps(&self, path: &str, parameter: &str, id: &str) -> bool {
        let _ = (path, parameter, id);
        false
    }

    /// Records that an id was removed, although the call should have been refused.
    fn expended(&self, path: &str, parameter: &str, id: &str) {
        let _ = (path, parameter, id);
    }

    /// Returns existing path parameters for calls with another credential, which was granted or signed.
    fn ids(&self, path: &str) -> BTreeMap<String, String> {
        let _ = path;
        BTreeMap::new()
    }

    /// Returns the user's value for a documented header, if there is one.
    fn header(&self, name: &str) -> Option<String> {
        let _ = name;
        None
    }

    /// Returns a client of the authorization server. For authorization codes, its users consent without interaction.
    ///
    /// # Errors
    /// Returns an error if there is none. It describes the missing input.
    fn client(&self, need: &ClientNeed) -> Result<Client, Missing> {
        Err(Missing::new(format!("no OAuth client was given {need}")))
    }

    /// Returns the URL of an endpoint of the authorization server.
    ///
    /// # Errors
    /// Returns an error if the endpoint must not be called. It describes the missing input.
    fn endpoint(&self, endpoint: &Endpoint, server: &AuthorizationServer) -> Result<String, Missing> {
        let _ = server;
        Err(Missing::new(format!("where the authorization server is was not given, which has `{}`", endpoint.path())))
    }

    /// Returns the secret that signs the deliveries of a webhook.
    ///
    /// # Errors
    /// Returns an error if there is none. It describes the missing input.
    fn webhook_secret(&self, name: &str) -> Result<Secret, Missing> {
        Err(Missing::new(format!("no secret of the webhook `{name}` was given")))
    }

    /// Returns the signer of JWTs.
    ///
    /// # Errors
    /// Returns an error if there is none. It describes the missing input.
    fn signer(&self) -> Result<Signer, Missing> {
        Err(Missing::new("no signer of JWTs was given"))
    }

    /// Returns the tokens that are fetched and renewed.
    fn fetched(&self) -> &[FetchedToken] {
        &[]
    }
}

impl Identity {
    /// Creates an identity without a credential that can access these ids.
    pub fn without_credential(ids: BTreeMap<String, String>) -> Self {
        Self { ids, is_expendable: true, ..Self::default() }
    }

    /// Prepares the identity for a path: adds the known ids of its parameters.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        self.ids.extend(self.known.at(path));
        self
    }

    /// Combines identities into one with all of their credentials. Ids of earlier ones take precedence.
    pub fn joined(identities: Vec<Self>) -> Self {
        let mut all = Self { is_expendable: true, ..Self::default() };
        let names: Vec<&str> = identities.iter().map(|one| one.name.as_str()).collect();
        all.name = names.join(" and ");
        for identity in identities {
            all.credentials.extend(identity.credentials);
            all.is_expendable &= identity.is_expendable;
            for (name, id) in identity.ids {
                all.ids.entry(name).or_insert(id);
            }
            all.known = all.known.or(&identity.known);
        }
        all
    }

    /// Returns its credentials.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.credentials.iter().map(|held| &held.secret)
    }
}

impl CredentialNeed {
    /// Returns the credentials that a probe needs for an operation: those of one of its alternatives; empty if it sends none. Probes that omit
    /// credentials need valid ones as well, for the ids that these can access.
    pub fn of(probe: &Probe, contract: &Contract, operation: &Operation, alone: bool) -> Option<Vec<Self>> {
        if *probe == Probe::Anonymous {
            return Some(Vec::new());
        }
        let scopes = || operation.scopes.iter().cloned().collect::<BTreeSet<_>>();
        let (state, rights) = match probe {
            Probe::RevokedToken => (State::Revoked, Rights::All),
            Probe::ExpiredToken => (State::Expired, Rights::All),
            Probe::Exhausted | Probe::AtOnce | Probe::Recovered => (State::Limited, Rights::All),
            Probe::NoFunds => (State::Broke, Rights::All),
            Probe::OtherAudience => (State::OtherAudience, Rights::All),
            Probe::TestToken | Probe::Key(KeyProbe::MintInTest) => (State::Test, Rights::All),
            Probe::LackingScope | Probe::KindLackingScope(_) => (State::Valid, Rights::Without(scopes())),
            Probe::OnlyItsScope | Probe::KindOnlyItsScope(_) => (State::Valid, Rights::Only(scopes())),
            Probe::IncludingScope => {
                let mut kinds = contract.kinds_of(operation).filter(|credential| credential.is_scoped());
                let scope = kinds.find_map(|credential| credential.including(&operation.scopes))?;
                (State::Valid, Rights::Only(BTreeSet::from([scope.clone()])))
            }
            Probe::NoScopes => (State::Valid, Rights::Only(BTreeSet::new())),
            Probe::OnlyItsResource => {
                let resource = operation.resource.clone()?;
                (State::Valid, Rights::OnlyResource { resource, actions: scopes() })
            }
            Probe::OtherResources => (State::Valid, Rights::OtherResources { resource: operation.resource.clone() }),
            _ => (State::Valid, Rights::All),
        };
        let set = match probe {
            Probe::Key(_) => vec![contract.credential(&contract.key_management.as_ref()?.kind)?],
            Probe::OtherKind(kind) => vec![contract.credential(kind)?],
            _ => alternative(probe, contract, operation)?,
        };
        let is_shown = |credential: &&Credential| *probe != Probe::NoCertificate || !credential.is_certificate();
        let set: Vec<&Credential> = set.into_iter().filter(is_shown).collect();
        // The probe is about one of several credentials, and the others are valid.
        let subject = match probe {
            Probe::KindLackingScope(kind) | Probe::KindOnlyItsScope(kind) => {
                set.iter().position(|credential| credential.kind == *kind)
            }
            _ if rights != Rights::All => set.iter().position(|credential| credential.is_scoped()),
            _ => set.iter().position(|credential| !credential.is_certificate()),
        };
        let of = |(place, credential): (usize, &Credential)| {
            let kind = credential.kind.clone();
            if place == subject.unwrap_or(0) {
                let alone = alone || state == State::Limited;
                return Self { kind, state, rights: rights.clone(), alone };
            }
            Self { kind, state: State::Valid, rights: Rights::All, alone: false }
        };
        Some(set.into_iter().enumerate().map(of).collect())
    }

    /// Returns the text of a tokens file entry that meets it: `kind = "key", state = "valid", scopes = ["read"]`.
    pub(crate) fn entry(&self) -> String {
        let list = |names: &BTreeSet<String>| names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        let rights = match &self.rights {
            Rights::All => String::new(),
            Rights::Only(scopes) => format!(", scopes = [{}]", list(scopes)),
            Rights::Without(scopes) => format!(", and scopes without {}", list(scopes)),
            Rights::OnlyResource { resource, actions } => {
                format!(", resources = {{ {} = [{}] }}", quoted(resource), list(actions))
            }
            Rights::OtherResources { resource } => {
                let but = resource.as_ref().map(|resource| format!(" but {}", quoted(resource)));
                format!(", and resources{}", but.unwrap_or_default())
            }
        };
        format!("kind = {}, state = {}{rights}", quoted(&self.kind), quoted(self.state.name()))
    }

    /// Returns whether it is a valid credential with all rights.
    pub(crate) fn is_plain(&self) -> bool {
        self.state == State::Valid && self.rights == Rights::All
    }

    /// Returns the need for an identity that manages keys.
    pub(crate) fn of_admin(keys: &KeyManagement) -> Self {
        Self { kind: keys.kind.clone(), state: State::Valid, rights: Rights::All, alone: false }
    }

    /// Returns the need for a valid credential of a kind with all rights.
    pub(crate) fn of_valid(credential: &Credential) -> Self {
        Self { kind: credential.kind.clone(), state: State::Valid, rights: Rights::All, alone: false }
    }
}

impl State {
    /// Returns the name of the state in a tokens file.
    fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Limited => "limited",
            Self::Broke => "broke",
            Self::Test => "test",
            Self::OtherAudience => "other-audience",
        }
    }
}

/// Quotes a text for TOML.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

impl fmt::Display for CredentialNeed {
    /// Writes the name of the identity in reports: `product, without PROJECT_DIRECT_WRITE`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &BTreeSet<String>| names.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        f.write_str(&self.kind)?;
        match self.state {
            State::Valid => {}
            State::Revoked => f.write_str(", revoked")?,
            State::Expired => f.write_str(", expired")?,
            State::Limited => f.write_str(", with a small window")?,
            State::Broke => f.write_str(", without funds")?,
            State::Test => f.write_str(", of the test environment")?,
            State::OtherAudience => f.write_str(", for another audience")?,
        }
        match &self.rights {
            Rights::All => Ok(()),
            Rights::Without(scopes) => write!(f, ", without {}", list(scopes)),
            Rights::Only(scopes) if scopes.is_empty() => f.write_str(", without scopes"),
            Rights::Only(scopes) => write!(f, ", only {}", list(scopes)),
            Rights::OnlyResource { resource, actions } => write!(f, ", only {} of {resource}", list(actions)),
            Rights::OtherResources { resource: Some(resource) } => write!(f, ", everything but {resource}"),
            Rights::OtherResources { resource: None } => f.write_str(", every resource"),
        }
    }
}

impl fmt::Display for ClientNeed {
    /// Writes `with a secret, for client_credentials, with the scopes read write`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |names: Vec<&str>| names.join(" ");
        self.kind.fmt(f)?;
        match self.authentication {
            Some(ClientAuthentication::Body) => f.write_str(", in the body")?,
            Some(ClientAuthentication::Basic) => f.write_str(", by HTTP Basic")?,
            None => {}
        }
        // For a public client, the grants and scopes are those that it must not get.
        if self.kind == ClientKind::Public {
            return Ok(());
        }
        write!(f, ", for {}", join(self.grants.iter().map(|grant| grant.name()).collect()))?;
        if self.scopes.is_empty() {
            return Ok(());
        }
        write!(f, ", with the scopes {}", join(self.scopes.iter().map(String::as_str).collect()))
    }
}

impl fmt::Display for ClientKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Confidential => "with a secret",
            Self::Other => "besides, with a secret",
            Self::Keeping => "with a secret, and refresh tokens that stay",
            Self::Rotating => "with a secret, and refresh tokens that rotate",
            Self::Public => "without a secret",
        })
    }
}

/// Returns the alternative of an operation that a probe uses: the first one that suits it.
fn alternative<'a>(probe: &Probe, contract: &'a Contract, operation: &'a Operation) -> Option<Vec<&'a Credential>> {
    let mut all = contract.alternatives(operation);
    let has = |set: &[&Credential], kind: &String| set.iter().any(|credential| credential.kind == *kind);
    match probe {
        Probe::Alternative(kinds) => {
            all.find(|set| set.len() == kinds.len() && kinds.iter().all(|kind| has(set, kind)))
        }
        Probe::Without(kind) | Probe::WithUnknown(kind) => all.find(|set| set.len() > 1 && has(set, kind)),
        Probe::KindLackingScope(kind) | Probe::KindOnlyItsScope(kind) => all.find(|set| has(set, kind)),
        Probe::OtherAlternative => other_alternative(contract, operation).map(|(_, other)| vec![other]),
        Probe::Tampered(_) | Probe::OtherAudience => all.find(|set| set.len() == 1 && set[0].jwt),
        Probe::WrongPassword => all.find(|set| set.len() == 1 && *set[0].carrier() == Carrier::Basic),
        probe if probe.is_about_scheme() => all.find(|set| set.iter().any(|one| one.carrier().scheme().is_some())),
        probe if probe.is_about_scopes() => all.find(|set| set.iter().any(|credential| credential.is_scoped())),
        _ => all.next(),
    }
}

/// Returns the kind that alone is the first alternative of an operation, and the first other kind that alone is an alternative, at
/// another place in the request.
pub(crate) fn other_alternative<'a>(
    contract: &'a Contract,
    operation: &'a Operation,
) -> Option<(&'a Credential, &'a Credential)> {
    let alone = contract.alternatives(operation).filter(|set| set.len() == 1).filter_map(|set| set.first().copied());
    let mut alone = alone.filter(|kind| !kind.is_certificate());
    let first = alone.next()?;
    alone.find(|other| !other.carrier().clashes(first.carrier())).map(|other| (first, other))
}
