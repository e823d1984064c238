//! Credentials for a live server, from a file that names the places of secrets and contains none.

mod before;
mod clients;
mod environment;
mod fetch;
mod grant;
mod login;
mod profile;
mod roots;
mod source;
mod webhooks;
mod wfc;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use keyfit_openapi::{Api, Error, Operation, ParameterLocation, SourceLocation, Text};
use reqwest::header::HeaderValue;
use serde::Deserialize;

use self::clients::{ClientEntry, Clients, Reader, SignerEntry};
pub use self::environment::{Environment, env_file};
pub use self::fetch::Way;
use self::fetch::{Fetches, Fetching};
use self::login::LoginEntry;
pub use self::roots::Roots;
use self::source::{NAMED, Place as SecretPlace};
use self::webhooks::WebhookSecrets;
pub use self::wfc::{Carried, carry_over, recognized};
use crate::carrier;
use crate::contract::{AuthorizationServer, Carrier, Contract, Credential, Endpoint};
use crate::fetched::FetchedToken;
use crate::identity::{self, Client, ClientNeed, Held, Identities, Identity, Need, Rights, Signer, State};
use crate::ids::{self, Ids};
use crate::missing::Missing;
use crate::secret::{Redactor, Secret, without_quotes};

/// The user's tokens for a live server.
#[derive(Debug)]
pub struct Tokens {
    identities: Vec<Known>,
    ids: Ids,
    foreign: Ids,
    /// All ids that calls may change and remove.
    given_up: Ids<Vec<String>>,
    /// The expendable ids that remain.
    expendable: Mutex<Ids<Vec<String>>>,
    headers: BTreeMap<String, String>,
    /// The kinds of tokens, with the scopes that include others.
    kinds: BTreeMap<String, Credential>,
    /// All scopes that operations require.
    scopes: BTreeSet<String>,
    clients: Clients,
    webhook_secrets: WebhookSecrets,
    /// The fetched tokens, each with the place of its identity in the file.
    fetched: Vec<FetchedToken>,
    places: Vec<SourceLocation>,
    roots: Roots,
    notes: Vec<String>,
}

/// The structure of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "identity")]
    identities: Vec<Entry>,
    /// Path parameters with existing ids.
    #[serde(default)]
    ids: Ids,
    /// Path parameters with ids of another user.
    #[serde(default)]
    foreign: Ids,
    /// Path parameters with existing ids that calls may remove, each once.
    #[serde(default)]
    expendable: Ids<Vec<String>>,
    /// Documented headers with their values.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The clients of the authorization server.
    #[serde(default, rename = "client")]
    clients: Vec<ClientEntry>,
    /// The signers of JWTs.
    #[serde(default, rename = "signer")]
    signers: Vec<SignerEntry>,
    /// The secrets that sign deliveries, by the names of webhooks and callbacks.
    #[serde(default, rename = "webhook-secrets")]
    webhook_secrets: BTreeMap<String, SecretPlace>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    kind: String,
    state: EntryState,
    /// The place of the token: one of these three is set.
    secret: Option<SecretPlace>,
    /// The client to which it is granted, by name.
    client: Option<String>,
    /// The login request that returns it.
    login: Option<LoginEntry>,
    /// The scopes; all scopes by default.
    scopes: Option<BTreeSet<String>>,
    /// Actions by resource, instead of scopes.
    resources: Option<BTreeMap<String, BTreeSet<String>>>,
    /// The ids that it can access, if they differ from those of the file.
    #[serde(default)]
    ids: Ids,
    /// True if its secret may be sent in URLs, which are logged.
    #[serde(default)]
    expendable: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum EntryState {
    Valid,
    Revoked,
    Expired,
    Limited,
    Broke,
    Test,
    OtherAudience,
}

#[derive(Debug)]
struct Known {
    kind: String,
    state: State,
    scopes: Option<BTreeSet<String>>,
    resources: Option<BTreeMap<String, BTreeSet<String>>>,
    /// The index of its token in `fetched`.
    fetched: Option<usize>,
    identity: Identity,
}

impl Tokens {
    /// Returns all identities that meet a need.
    fn fitting(&self, need: &Need) -> impl Iterator<Item = &Known> {
        self.identities.iter().filter(move |known| {
            let is_such = known.kind == need.kind && known.state == need.state;
            is_such && known.has(&need.rights, self.kinds.get(&need.kind), &self.scopes)
        })
    }

    /// Reads a tokens file, or an authentication file of the Web Fuzzing Commons, and the secrets that it names. Does not send anything:
    /// [`fetch`](Self::fetch) fetches tokens.
    ///
    /// # Errors
    /// Returns an error if the text has neither format, if a key or kind is unknown, or if a secret is not available.
    pub async fn read(
        text: &Text,
        api: &Api,
        contract: &Contract,
        way: Way<'_>,
        environment: &Environment,
        redactor: &Redactor,
    ) -> Result<Self, Error> {
        let Some(value) = recognized(text) else {
            return Self::read_own(text, api, contract, way, environment, redactor).await;
        };
        let Carried { text: own, variables, notes } = carry_over(text, &value, contract)?;
        let environment = Environment::alone(variables);
        let own = Text::new(text.path.clone(), own);
        let mut tokens = Self::read_own(&own, api, contract, way, &environment, redactor).await.map_err(|told| {
            // The lines of the generated text belong to no file.
            let place = SourceLocation { path: text.path.clone(), ..SourceLocation::default() };
            Error { location: place, ..told }
        })?;
        for place in &mut tokens.places {
            *place = SourceLocation { path: text.path.clone(), ..SourceLocation::default() };
        }
        tokens.notes.splice(0..0, notes);
        Ok(tokens)
    }

    async fn read_own(
        text: &Text,
        api: &Api,
        contract: &Contract,
        way: Way<'_>,
        environment: &Environment,
        redactor: &Redactor,
    ) -> Result<Self, Error> {
        let file: File = toml::from_str(&text.text).map_err(|error| {
            let place = crate::contract::place(text, error.span().map(|span| span.start));
            // A quoted part may be a misplaced secret.
            let message = error.message();
            let told = if message.trim_end() == NAMED { message.to_owned() } else { without_quotes(message) };
            failure(place, told.trim_end().replace('\n', "; "), "see `Checking a live server` in conformance/README.md")
        })?;
        let at = |quoted: &str| crate::contract::place(text, text.text.find(&format!("\"{quoted}\"")));
        names_parameters(&file, api, text)?;
        names_headers(&file, api, text)?;
        let kinds: BTreeMap<String, Credential> =
            contract.credentials.iter().map(|known| (known.kind.clone(), known.clone())).collect();
        let includes_others = |scope: &String| {
            kinds.values().any(|kind| kind.superset.as_ref() == Some(scope) || kind.includes.contains_key(scope))
        };
        let scopes: BTreeSet<String> = api.operations.iter().flat_map(|operation| &operation.scopes).cloned().collect();
        let resources: BTreeSet<&str> =
            api.operations.iter().filter_map(|operation| operation.resource.as_deref()).collect();
        let reader = Reader { text, contract, redactor, environment };
        let clients = reader.read(file.clients, &file.signers).await?;
        let fetching = Fetching { text, contract, redactor, way: &way, clients: &clients, environment };
        let (mut fetched, mut places) = (Vec::new(), Vec::new());
        let mut notes = Vec::new();
        let mut identities = Vec::new();
        for entry in file.identities {
            if contract.credential(&entry.kind).is_none() {
                let known: Vec<&str> = contract.credentials.iter().map(|known| known.kind.as_str()).collect();
                let help = format!("use one of: {}", known.join(", "));
                return Err(failure(
                    at(&entry.kind),
                    without_quotes(&format!("`{}` is no kind of token of the contract", entry.kind)),
                    help,
                ));
            }
            let carrier = contract.credential(&entry.kind).map_or(&Carrier::Header, Credential::carrier);
            let (secret, token) = held(&fetching, &entry, carrier).await?;
            let fetched = token.map(|(token, note)| {
                notes.extend(note);
                fetched.push(token);
                places.push(fetching.place(&entry.name));
                fetched.len() - 1
            });
            let unknown =
                entry.scopes.iter().flatten().filter(|scope| !scopes.contains(*scope) && !includes_others(scope));
            notes.extend(unknown.map(|scope| format!("no operation needs the scope `{scope}` of `{}`", entry.name)));
            let unlisted = entry
                .resources
                .iter()
                .flatten()
                .map(|(name, _)| name)
                .filter(|name| !resources.contains(name.as_str()));
            notes.extend(
                unlisted.map(|name| format!("no operation is listed under the resource `{name}` of `{}`", entry.name)),
            );
            identities.push(Known {
                kind: entry.kind.clone(),
                state: entry.state.into(),
                scopes: entry.scopes,
                resources: entry.resources,
                fetched,
                identity: Identity {
                    name: entry.name,
                    credentials: vec![Held { kind: entry.kind.clone(), secret }],
                    ids: BTreeMap::new(),
                    known: entry.ids.or(&file.ids),
                    is_expendable: entry.expendable,
                },
            });
        }
        let webhook_secrets = WebhookSecrets::read(file.webhook_secrets, &reader).await?;
        let given_up = file.expendable.clone();
        let expendable = Mutex::new(file.expendable);
        Ok(Self {
            identities,
            ids: file.ids,
            foreign: file.foreign,
            given_up,
            expendable,
            headers: file.headers,
            kinds,
            scopes,
            clients,
            webhook_secrets,
            fetched,
            places,
            roots: way.roots,
            notes,
        })
    }

    /// Fetches the tokens that are not literal in the file.
    ///
    /// # Errors
    /// Returns an error, with the place of the identity, if a token is not available.
    pub async fn fetch(&self) -> Result<(), Error> {
        for (token, place) in self.fetched.iter().zip(&self.places) {
            let help = "correct what the tokens file says of it, or name its `secret`";
            token.ensure_fresh().await.map_err(|why| failure(place.clone(), why, help))?;
        }
        Ok(())
    }
}

impl Tokens {
    /// Returns the identity with the current token.
    fn identity_of(&self, known: &Known) -> Identity {
        let mut identity = known.identity.clone();
        let current = known.fetched.and_then(|place| self.fetched.get(place)?.current());
        if let (Some(current), Some(held)) = (current, identity.credentials.first_mut()) {
            held.secret = current;
        }
        identity
    }

    /// Returns notes about likely mistakes.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// Returns the secret of an identity, or an empty one with the fetched token in its place and a note about it.
async fn held(
    fetching: &Fetching<'_>,
    entry: &Entry,
    carrier: &Carrier,
) -> Result<(Secret, Option<(FetchedToken, Option<String>)>), Error> {
    let of = Fetches { name: &entry.name, carrier, scopes: entry.scopes.as_ref() };
    let token = match (&entry.secret, &entry.client, &entry.login) {
        (Some(place), None, None) => {
            return Ok((given(fetching, &entry.name, place, carrier).await?, None));
        }
        (None, Some(client), None) => fetching.granted(&of, client)?,
        (None, None, Some(login)) => fetching.logged_in(&of, login).await?,
        _ => {
            let problem = format!("where the token of `{}` comes from is not one thing", entry.name);
            let help = "give it a `secret`, the name of a `client`, or an [identity.login]";
            return Err(failure(fetching.place(&entry.name), problem, help));
        }
    };
    if matches!(entry.state, EntryState::Revoked | EntryState::Expired) {
        let problem = format!("the token of `{}` would be a new one, which is in force", entry.name);
        return Err(failure(fetching.place(&entry.name), problem, "name its `secret`"));
    }
    Ok((Secret::new(""), Some(token)))
}

/// Reads a secret that the file names.
async fn given(fetching: &Fetching<'_>, name: &str, place: &SecretPlace, carrier: &Carrier) -> Result<Secret, Error> {
    let Fetching { text, environment, redactor, .. } = fetching;
    let at = || crate::contract::place(text, text.text.find(&format!("\"{}\"", place.quoted())));
    let secret = place.read(carrier, environment).await.map_err(|error| {
        failure(
            at(),
            format!("the identity `{name}` has no secret: {error}"),
            format!("{}; or remove the identity", place.how()),
        )
    })?;
    for part in carrier::secrets(carrier, secret.reveal()) {
        redactor.learn(&Secret::new(part));
    }
    match carrier::flaw(carrier, secret.reveal()) {
        Some(flaw) => {
            let problem = format!("the secret of `{name}` cannot be sent: {flaw}");
            Err(failure(at(), problem, "correct what the file names"))
        }
        None => Ok(secret),
    }
}

/// Returns an error for an undocumented header: the file's headers are only sent if documented, and an option adds others to each request.
fn names_headers(file: &File, api: &Api, text: &Text) -> Result<(), Error> {
    let parameters = api.operations.iter().flat_map(|operation| &operation.parameters);
    let known: BTreeSet<&str> =
        parameters.filter(|one| one.location == ParameterLocation::Header).map(|one| one.name.as_str()).collect();
    let is_known = |name: &String| known.iter().any(|known| known.eq_ignore_ascii_case(name));
    let place = |name: &str| crate::contract::place(text, text.text.find(name));
    for (name, value) in &file.headers {
        if !is_known(name) {
            let help = "pass --header 'NAME: VALUE' to send another one with every request";
            return Err(failure(
                place(name),
                without_quotes(&format!("no operation describes a header `{name}`")),
                help,
            ));
        }
        if HeaderValue::from_str(value).is_err() {
            let help = "write visible characters in one line";
            return Err(failure(
                place(name),
                without_quotes(&format!("the value of `{name}` fits into no header")),
                help,
            ));
        }
    }
    Ok(())
}

/// Returns an error for ids of parameters that do not exist.
fn names_parameters(file: &File, api: &Api, text: &Text) -> Result<(), Error> {
    let lists = file.identities.iter().map(|entry| &entry.ids).chain([&file.ids, &file.foreign]);
    let (names, templates): (Vec<_>, Vec<_>) = lists.map(|ids| (ids.names(), ids.templates())).unzip();
    let names = names.into_iter().flatten().chain(file.expendable.names());
    let mut templates = templates.into_iter().flatten().chain(file.expendable.templates());
    let refuse = |quoted: &str, problem: &str, help: String| {
        let place = crate::contract::place(text, text.text.find(quoted));
        Err(failure(place, without_quotes(problem), help))
    };
    let begins = |operation: &&Operation, template: &str| ids::begins(&operation.path, template);
    if let Some(unknown) = templates.find(|template| !api.operations.iter().any(|one| begins(&one, template))) {
        let help = "write a path of the document, or what some begin with".to_owned();
        return refuse(unknown, &format!("no path begins with `{unknown}`"), help);
    }
    for (template, name) in names {
        let there =
            api.operations.iter().filter(|operation| template.is_none_or(|template| begins(operation, template)));
        let parameters =
            there.flat_map(|operation| &operation.parameters).filter(|one| one.location == ParameterLocation::Path);
        let known: BTreeSet<&str> = parameters.map(|one| one.name.as_str()).collect();
        if !known.contains(name) {
            let known: Vec<&str> = known.into_iter().collect();
            let (which, help) = match template {
                None => ("no path has".to_owned(), format!("the paths have: {}", known.join(", "))),
                Some(template) => {
                    (format!("no path below `{template}` has"), format!("they have: {}", known.join(", ")))
                }
            };
            return refuse(name, &format!("{which} a parameter `{name}`"), help);
        }
    }
    Ok(())
}

impl Identities for Tokens {
    fn find(&self, need: &Need) -> Result<Identity, Missing> {
        // Of several without a scope, an identity with other scopes is better evidence than one without any.
        let found = self.fitting(need).min_by_key(|known| known.scopes.as_ref().is_some_and(BTreeSet::is_empty));
        match found {
            Some(known) => Ok(self.identity_of(known)),
            None => Err(Missing::identity(need, need.entry())),
        }
    }

    fn least(&self, need: &Need) -> Option<Identity> {
        let scopes = |known: &&Known| known.scopes.as_ref().map_or(usize::MAX, BTreeSet::len);
        self.fitting(need).min_by_key(scopes).map(|known| self.identity_of(known))
    }

    fn known(&self) -> Vec<identity::Known> {
        let known = |one: &Known| {
            let identity = self.identity_of(one);
            let secret = identity.secrets().next()?.clone();
            Some(identity::Known {
                name: identity.name,
                kind: one.kind.clone(),
                state: one.state,
                scopes: one.scopes.clone(),
                has_resources: one.resources.is_some(),
                secret,
            })
        };
        self.identities.iter().filter_map(known).collect()
    }

    fn holds(&self, kind: &str, scopes: &[String]) -> bool {
        let described = self.kinds.get(kind);
        let has_all = |held: &BTreeSet<String>| match described {
            Some(kind) => kind.grants(held, scopes),
            None => scopes.iter().all(|scope| held.contains(scope)),
        };
        let valid = self.identities.iter().filter(|known| known.kind == kind && known.state == State::Valid);
        valid.into_iter().any(|known| known.scopes.as_ref().is_none_or(has_all))
    }

    fn foreign_id(&self, path: &str, parameter: &str) -> Result<String, Missing> {
        match self.foreign.get(path, parameter) {
            Some(id) if self.ids.get(path, parameter) != Some(id) => Ok(id.clone()),
            _ => Err(Missing::foreign_id(parameter)),
        }
    }

    fn owners(&self, kind: &str, path: &str, parameter: &str) -> Vec<Identity> {
        let mut of_kind: Vec<&Known> =
            self.identities.iter().filter(|known| known.kind == kind && known.state == State::Valid).collect();
        // An identity with all rights can only be refused because of the id.
        of_kind.sort_by_key(|known| known.scopes.is_some() || known.resources.is_some());
        let mut owners: Vec<Identity> = Vec::new();
        for identity in of_kind.into_iter().map(|known| known.identity.clone().at(path)) {
            let id = identity.ids.get(parameter);
            if id.is_some() && owners.iter().all(|known| known.ids.get(parameter) != id) {
                owners.push(identity);
            }
        }
        owners
    }

    fn fellows(&self, identity: &Identity, path: &str) -> Vec<Identity> {
        let [held] = identity.credentials.as_slice() else { return Vec::new() };
        let is_other = |known: &&Known| {
            let mut secrets = known.identity.secrets();
            known.kind == held.kind
                && known.state == State::Valid
                && secrets.all(|secret| secret.reveal() != held.secret.reveal())
        };
        self.identities.iter().filter(is_other).map(|known| self.identity_of(known).at(path)).collect()
    }

    fn path_value(&self, parameter: &str, _: String) -> Result<String, Missing> {
        Err(Missing::id(parameter))
    }

    fn expendable(&self, path: &str, parameter: &str, is_removed: bool) -> Result<String, Missing> {
        let mut left = self.expendable.lock().unwrap_or_else(PoisonError::into_inner);
        // An id of another user is not suitable for a call that has to be served.
        let is_own = |id: &&String| self.foreign.get(path, parameter) != Some(*id);
        let next = left.get_mut(path, parameter).and_then(|ids| {
            // A kept id is the one that is removed last.
            let next = if is_removed { ids.iter().find(is_own) } else { ids.iter().rfind(is_own) }.cloned();
            ids.retain(|id| !is_removed || next.as_ref() != Some(id));
            next
        });
        next.ok_or_else(|| Missing::expendable(parameter))
    }

    fn is_expendable(&self, path: &str, parameter: &str, id: &str) -> bool {
        self.given_up.get(path, parameter).is_some_and(|ids| ids.iter().any(|known| known == id))
    }

    fn keeps(&self, path: &str, parameter: &str, id: &str) -> bool {
        let own = self.identities.iter().map(|known| &known.identity.known).chain([&self.ids, &self.foreign]);
        let mut ids = own.filter_map(|ids| ids.get(path, parameter));
        !self.is_expendable(path, parameter, id) && ids.any(|known| known == id)
    }

    fn expended(&self, path: &str, parameter: &str, id: &str) {
        let mut left = self.expendable.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ids) = left.get_mut(path, parameter) {
            ids.retain(|known| known != id);
        }
    }

    fn ids(&self, path: &str) -> BTreeMap<String, String> {
        self.ids.at(path)
    }

    fn header(&self, name: &str) -> Option<String> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    }

    fn client(&self, need: &ClientNeed) -> Result<Client, Missing> {
        self.clients.find(need)
    }

    fn endpoint(&self, endpoint: &Endpoint, server: &AuthorizationServer) -> Result<String, Missing> {
        self.roots.url(endpoint, server)
    }

    fn signer(&self) -> Result<Signer, Missing> {
        self.clients.signer()
    }

    fn webhook_secret(&self, name: &str) -> Result<Secret, Missing> {
        self.webhook_secrets.find(name)
    }

    fn fetched(&self) -> &[FetchedToken] {
        &self.fetched
    }
}

impl Known {
    /// Returns whether the identity has these rights. `kind` is the kind of its token; `every` are the scopes that operations require.
    fn has(&self, rights: &Rights, kind: Option<&Credential>, every: &BTreeSet<String>) -> bool {
        let superset = kind.and_then(|kind| kind.superset.as_ref());
        let reach = |scopes: &BTreeSet<String>| kind.map_or_else(|| scopes.clone(), |kind| kind.reach(scopes));
        let holds_all = |scopes: &BTreeSet<String>| {
            let is_whole = !every.is_empty() && every.is_subset(&reach(scopes));
            is_whole || superset.is_some_and(|superset| scopes.contains(superset))
        };
        match (rights, &self.scopes, &self.resources) {
            (Rights::All, None, None) => true,
            (Rights::All, Some(scopes), None) => holds_all(scopes),
            (Rights::Without(needed), Some(scopes), None) => !holds_all(scopes) && !needed.is_subset(&reach(scopes)),
            (Rights::Only(needed), Some(scopes), None) => scopes == needed,
            (Rights::OnlyResource { resource, actions }, None, Some(granted)) => {
                granted.len() == 1 && granted.get(resource) == Some(actions)
            }
            (Rights::OtherResources { resource }, None, Some(granted)) => {
                !granted.is_empty() && resource.as_ref().is_none_or(|resource| !granted.contains_key(resource))
            }
            _ => false,
        }
    }
}

impl From<EntryState> for State {
    fn from(state: EntryState) -> Self {
        match state {
            EntryState::Valid => Self::Valid,
            EntryState::Revoked => Self::Revoked,
            EntryState::Expired => Self::Expired,
            EntryState::Limited => Self::Limited,
            EntryState::Broke => Self::Broke,
            EntryState::Test => Self::Test,
            EntryState::OtherAudience => Self::OtherAudience,
        }
    }
}

fn failure(place: SourceLocation, problem: impl Into<String>, help: impl Into<String>) -> Error {
    Error { location: place, problem: problem.into(), help: help.into() }
}
