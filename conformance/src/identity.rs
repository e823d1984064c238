//! Who a probe calls as: what it needs of a credential, and where credentials come from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use keyfit_openapi::Operation;
use serde::{Deserialize, Serialize};

use crate::contract::{
    AuthorizationServer, Carrier, ClientAuthentication, Contract, Credential, Endpoint, GrantType, KeyManagement,
    KeyProbe, Probe,
};
use crate::fetched::FetchedToken;
use crate::ids::Ids;
use crate::missing::Missing;
use crate::secret::Secret;

/// Who calls: the credentials, and the ids that they reach.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// The name under which reports speak of it.
    pub name: String,
    /// What it calls with: nothing, one credential, or several where an operation needs them at once.
    pub credentials: Vec<Held>,
    /// Path parameters with values that exist for this identity.
    pub ids: BTreeMap<String, String>,
    /// The same as the user has them, from which those of one path are taken by [`Identity::at`].
    pub known: Ids,
    /// Whether its credentials may be shown to whoever sees URLs.
    pub is_expendable: bool,
}

/// A credential that somebody holds.
#[derive(Clone, Debug)]
pub struct Held {
    /// The kind of token.
    pub kind: String,
    /// The token.
    pub secret: Secret,
}

/// What a probe needs of a credential.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Need {
    /// The kind of token.
    pub kind: String,
    /// The state that it is in.
    pub state: State,
    /// What it may do.
    pub rights: Rights,
    /// Nobody else may use it meanwhile: the probe counts calls.
    pub alone: bool,
}

/// The state of a credential.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// In use.
    #[default]
    Valid,
    /// Valid once.
    Revoked,
    /// Valid until its time was over.
    Expired,
    /// In use, with a rate window of a few calls.
    Limited,
    /// In use, of an account without funds.
    Broke,
    /// In use, in the test environment.
    Test,
    /// In use, at another audience than this API.
    OtherAudience,
}

/// A client of the authorization server, registered with a redirect URI.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// Its secret; public clients have none.
    pub secret: Option<Secret>,
    /// The one way in which it authenticates; `None` where it knows every way of the contract.
    pub authentication: Option<ClientAuthentication>,
    /// Where codes are sent.
    pub redirect_uri: String,
    /// A user and his password, for the grant of that name.
    pub user: Option<(String, Secret)>,
    /// Where its tokens are revoked, where that is not said by the contract or is another place.
    pub revocation_url: Option<Endpoint>,
}

/// Who signs JWTs.
#[derive(Clone, Debug)]
pub struct Signer {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// What it signs with.
    pub secret: Secret,
}

/// What a probe needs of a client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientNeed {
    /// What it is.
    pub kind: ClientKind,
    /// The grants that it uses.
    pub grants: BTreeSet<GrantType>,
    /// How it has to authenticate, where that matters.
    pub authentication: Option<ClientAuthentication>,
    /// The scopes that it asks for.
    pub scopes: BTreeSet<String>,
}

/// What a client is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ClientKind {
    /// It has a secret.
    Confidential,
    /// It has a secret, and is another one than the one before.
    Other,
    /// It has a secret, and its refresh tokens stay.
    Keeping,
    /// It has a secret, and its refresh tokens rotate.
    Rotating,
    /// It has no secret.
    Public,
}

/// What a credential may do.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Rights {
    /// Everything.
    All,
    /// Everything but these scopes.
    Without(BTreeSet<String>),
    /// These scopes.
    Only(BTreeSet<String>),
    /// These actions on one resource.
    OnlyResource {
        /// The resource.
        resource: String,
        /// What may be done with it.
        actions: BTreeSet<String>,
    },
    /// Every action on every resource but this one.
    OtherResources {
        /// The resource that is left out; `None` where the operation belongs to no resource.
        resource: Option<String>,
    },
}

/// An identity as the user describes it.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// The kind of its token.
    pub kind: String,
    /// The state that it is in.
    pub state: State,
    /// Its scopes; every one where there are none.
    pub scopes: Option<BTreeSet<String>>,
    /// Whether it has actions by resource in place of scopes.
    pub has_resources: bool,
    /// Its token.
    pub secret: Secret,
}

/// Where credentials come from: minted by the mock, or given by the user for a live server.
pub trait Identities: Send + Sync {
    /// A credential that meets the need.
    ///
    /// # Errors
    /// Returns an error if there is none, with what would have to be given.
    fn find(&self, need: &Need) -> Result<Identity, Missing>;

    /// Of those that meet the need, the one that may do least, where there are several: what it is let in to does the least damage.
    fn least(&self, need: &Need) -> Option<Identity> {
        let _ = need;
        None
    }

    /// Every identity that the user describes; none where they are minted.
    fn known(&self) -> Vec<Known> {
        Vec::new()
    }

    /// Whether somebody with a valid token of a kind may do what these scopes allow.
    fn holds(&self, kind: &str, scopes: &[String]) -> bool {
        let _ = (kind, scopes);
        true
    }

    /// The id of somebody else for a parameter of a path.
    ///
    /// # Errors
    /// Returns an error if there is none, with what would have to be given.
    fn foreign_id(&self, path: &str, parameter: &str) -> Result<String, Missing>;

    /// Those of a kind whose ids of a path parameter are not the same, each as it calls that path: one for each id.
    fn owners(&self, kind: &str, path: &str, parameter: &str) -> Vec<Identity> {
        let _ = (kind, path, parameter);
        Vec::new()
    }

    /// Others with a valid token of the kind that an identity has, each as it calls a path.
    fn fellows(&self, identity: &Identity, path: &str) -> Vec<Identity> {
        let _ = (identity, path);
        Vec::new()
    }

    /// The value of a path parameter that no identity names, where the document has this one for it.
    ///
    /// # Errors
    /// What would have to be given, where only who runs the server knows.
    fn path_value(&self, parameter: &str, example: String) -> Result<String, Missing> {
        let _ = parameter;
        Ok(example)
    }

    /// An id for a path parameter that a call may remove. To one that removes it, it is handed out once.
    ///
    /// # Errors
    /// Returns an error if there is none, with what would have to be given.
    fn expendable(&self, path: &str, parameter: &str, is_removed: bool) -> Result<String, Missing> {
        let _ = (path, is_removed);
        Err(Missing::new(format!("no expendable `{parameter}` was given")))
    }

    /// Whether the id of a path parameter was given up: calls may change it and remove it.
    fn is_expendable(&self, path: &str, parameter: &str, id: &str) -> bool {
        let _ = (path, parameter, id);
        false
    }

    /// Whether the id of a path parameter is there to stay.
    fn keeps(&self, path: &str, parameter: &str, id: &str) -> bool {
        let _ = (path, parameter, id);
        false
    }

    /// Told of an id that is gone, though the call was to be refused.
    fn expended(&self, path: &str, parameter: &str, id: &str) {
        let _ = (path, parameter, id);
    }

    /// Path parameters that exist, for calls whose credential is none of these: it was granted, or signed.
    fn ids(&self, path: &str) -> BTreeMap<String, String> {
        let _ = path;
        BTreeMap::new()
    }

    /// The value of a header that the document describes, where the user has one.
    fn header(&self, name: &str) -> Option<String> {
        let _ = name;
        None
    }

    /// A client of the authorization server. For codes it is one for which users consent at once.
    ///
    /// # Errors
    /// Returns an error if there is none, with what would have to be given.
    fn client(&self, need: &ClientNeed) -> Result<Client, Missing> {
        Err(Missing::new(format!("no OAuth client was given {need}")))
    }

    /// The URL of an endpoint of the authorization server.
    ///
    /// # Errors
    /// What would have to be given for it to be asked.
    fn endpoint(&self, endpoint: &Endpoint, server: &AuthorizationServer) -> Result<String, Missing> {
        let _ = server;
        Err(Missing::new(format!("where the authorization server is was not given, which has `{}`", endpoint.path())))
    }

    /// The secret by which the deliveries of a webhook are signed.
    ///
    /// # Errors
    /// Returns an error if there is none, with what would have to be given.
    fn webhook_secret(&self, name: &str) -> Result<Secret, Missing> {
        Err(Missing::new(format!("no secret of the webhook `{name}` was given")))
    }

    /// Who signs JWTs.
    ///
    /// # Errors
    /// Returns an error if there is none, with what would have to be given.
    fn signer(&self) -> Result<Signer, Missing> {
        Err(Missing::new("no signer of JWTs was given"))
    }

    /// The tokens that are fetched, and fetched anew when they run out.
    fn fetched(&self) -> &[FetchedToken] {
        &[]
    }
}

impl Identity {
    /// Somebody without a credential, who reaches these ids.
    pub fn nobody(ids: BTreeMap<String, String>) -> Self {
        Self { ids, is_expendable: true, ..Self::default() }
    }

    /// The same before one path: with the ids that are known of its parameters.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        self.ids.extend(self.known.at(path));
        self
    }

    /// Who holds the credentials of all of these. The first of them is asked for an id first.
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

    /// The credentials themselves.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.credentials.iter().map(|held| &held.secret)
    }
}

impl Need {
    /// What a probe needs to call an operation: the credentials of one of its alternatives, none where it sends none. Probes
    /// that leave them out are given valid ones all the same: they are sent to the ids that those reach.
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
        // Of several credentials one is what the probe is about, and the others are in order.
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

    /// What an entry of the tokens file would say that meets it: `kind = "key", state = "valid", scopes = ["read"]`.
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

    /// Whether it is a valid credential that may do everything.
    pub(crate) fn is_plain(&self) -> bool {
        self.state == State::Valid && self.rights == Rights::All
    }

    /// Who may manage keys.
    pub(crate) fn of_admin(keys: &KeyManagement) -> Self {
        Self { kind: keys.kind.clone(), state: State::Valid, rights: Rights::All, alone: false }
    }

    /// A valid credential of a kind, which may do everything.
    pub(crate) fn of_valid(credential: &Credential) -> Self {
        Self { kind: credential.kind.clone(), state: State::Valid, rights: Rights::All, alone: false }
    }
}

impl State {
    /// The word for it in a tokens file.
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

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

impl fmt::Display for Need {
    /// The name of the identity in reports: `product, without PROJECT_DIRECT_WRITE`.
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
    /// `with a secret, for client_credentials, with the scopes read write`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |names: Vec<&str>| names.join(" ");
        self.kind.fmt(f)?;
        match self.authentication {
            Some(ClientAuthentication::Body) => f.write_str(", in the body")?,
            Some(ClientAuthentication::Basic) => f.write_str(", by HTTP Basic")?,
            None => {}
        }
        // A public client is asked for what it must not get.
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

/// The alternative of an operation with which a probe calls: the first one that it can be about.
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

/// The kind that stands for the first alternative of an operation alone, and the first one that does so for another, elsewhere
/// in the request.
pub(crate) fn other_alternative<'a>(
    contract: &'a Contract,
    operation: &'a Operation,
) -> Option<(&'a Credential, &'a Credential)> {
    let alone = contract.alternatives(operation).filter(|set| set.len() == 1).filter_map(|set| set.first().copied());
    let mut alone = alone.filter(|kind| !kind.is_certificate());
    let first = alone.next()?;
    alone.find(|other| !other.carrier().clashes(first.carrier())).map(|other| (first, other))
}
