//! The part of a profile about one API.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use super::find::FILE;
use super::place::At;
use super::read::{ApiTable, ProfileTable, Settings};
use super::reader::near;
use super::service;
use super::setting::{Kind, SETTINGS, Value};
use super::source::{Given, Login, Source, Text, certificates};
use crate::auth::{Carrier, Credential, CredentialKind, Refresh, SecretSource, TokenSource, environment};
use crate::client::Config;
use crate::error::Error;

/// A profile that is asked for an API.
pub(super) struct Lookup<'a> {
    pub(super) profile: &'a str,
    pub(super) path: Option<&'a Path>,
    pub(super) table: Option<&'a ProfileTable>,
}

/// The part of a [`Profile`](crate::Profile) about one API, with the settings of the profile.
#[derive(Clone)]
pub struct ApiProfile {
    /// Where a credential would be written.
    wanted_at: String,
    /// The APIs that the profile names.
    others: Vec<String>,
    settings: Settings,
    /// The part about this API alone.
    table: Option<ApiTable>,
    api: String,
}

/// A credential that a profile names. Nothing of it was read.
pub struct ProfileCredential {
    kind: CredentialKind,
    given: At<Given>,
}

impl Lookup<'_> {
    pub(super) fn api(&self, name: &str) -> Result<ApiProfile, Error> {
        let apis = self.table.map(|table| &table.apis);
        let table = apis.and_then(|apis| apis.get(name));
        let slip = apis.into_iter().flatten().find(|(known, _)| table.is_none() && is_slip(known, name));
        if let Some((known, at)) = slip {
            let problem = format!("the profile has settings for the API `{known}`, and none for `{name}`");
            return Err(at
                .place
                .fault(problem, format!("write [profile.{}.api.{name}] if you mean that one", self.profile)));
        }
        let mut settings = self.table.map(|table| table.settings.clone()).unwrap_or_default();
        settings.extend(table.into_iter().flat_map(|table| table.settings.clone()));
        let file = self.path.map_or_else(|| FILE.to_owned(), |path| path.display().to_string());
        Ok(ApiProfile {
            wanted_at: format!("[profile.{}.api.{name}] of {file}", self.profile),
            others: apis.into_iter().flatten().map(|(known, _)| known.clone()).collect(),
            settings,
            table: table.cloned(),
            api: name.to_owned(),
        })
    }
}

/// Returns whether a name is a misspelling of another: one or two letters are wrong, missing or extra. Names that differ only in
/// digits are two names.
fn is_slip(one: &str, other: &str) -> bool {
    let letters = |name: &str| name.replace(|letter: char| letter.is_ascii_digit(), "");
    let bound = if one.len().min(other.len()) > 4 { 2 } else { 1 };
    strsim::osa_distance(one, other) <= bound && letters(one) != letters(other)
}

impl ApiProfile {
    /// A configuration with all of it: settings, base URL, servers, certificates. Files of certificates are read here, once.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read or does not hold what it should, with file and line.
    pub fn config(&self) -> Result<Config, Error> {
        let mut config = Config::default();
        for setting in &SETTINGS {
            if let Some(At { value, .. }) = self.settings.get(setting.key) {
                config = put(config, &setting.kind, value);
            }
        }
        let config = self.with_certificates(config)?;
        let config = match self.base_url() {
            Some(url) => config.base_url(url),
            None => config,
        };
        Ok(self.servers().iter().fold(config, |config, (documented, url)| config.server(documented, url)))
    }

    /// The base URL, where the profile has one.
    pub fn base_url(&self) -> Option<&str> {
        self.table.as_ref()?.base_url.as_ref().map(|url| url.value.as_str())
    }

    /// The URLs in place of documented servers, by those.
    pub fn servers(&self) -> &[(String, String)] {
        self.table.as_ref().map_or(&[], |table| &table.servers)
    }

    /// The keys of the settings that it has: `timeout`, `retry.attempts`.
    pub fn settings(&self) -> impl Iterator<Item = &'static str> {
        self.settings.keys().copied()
    }

    /// The credentials that it names, each with its kind; `kinds` are those that open the API. Nothing is read.
    ///
    /// # Errors
    /// Returns an error if a credential is not of one of these kinds, or is of several and does not say which, with file and line.
    pub fn credentials(&self, kinds: &[CredentialKind]) -> Result<Vec<ProfileCredential>, Error> {
        let Some(table) = &self.table else { return Ok(Vec::new()) };
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
        let mut found = Vec::new();
        if let Some(given) = &table.credential {
            let [kind] = kinds else {
                let (problem, help) = match &names[..] {
                    [] => (format!("the API `{}` takes no credential", self.api), "leave it out".to_owned()),
                    _ => (
                        format!("the API `{}` takes several kinds of credential", self.api),
                        format!(
                            "name the kind: `credentials = {{ {} = .. }}`; there are {}",
                            names[0],
                            names.join(", ")
                        ),
                    ),
                };
                return Err(given.place.fault(problem, help));
            };
            found.push(ProfileCredential { kind: *kind, given: given.clone() });
        }
        for (name, given) in &table.credentials {
            let Some(kind) = kinds.iter().find(|kind| kind.name == name) else {
                let problem = format!("the API `{}` takes no credential `{name}`", self.api);
                let help = match near(name, &names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if names.is_empty() => "it takes none".to_owned(),
                    None => format!("it takes {}", names.join(", ")),
                };
                return Err(given.place.fault(problem, help));
            };
            found.push(ProfileCredential { kind: *kind, given: given.clone() });
        }
        Ok(found)
    }

    /// All credentials of these kinds that can be had: each from its variable where that is set, else from where the profile names
    /// it.
    ///
    /// # Errors
    /// Returns an error if [`credentials`](Self::credentials) or [`ProfileCredential::source`] would, or if there is none at all where
    /// the API takes one.
    pub fn credential(&self, kinds: &[CredentialKind]) -> Result<Credential<()>, Error> {
        let named = self.credentials(kinds)?;
        let mut all = Credential::none();
        let mut is_any = kinds.is_empty() || self.settings.contains_key("client-certificate");
        for kind in kinds {
            let one = match (set(kind)?, named.iter().find(|named| named.kind.name == kind.name)) {
                (Some(variable), _) => Credential::from_variables(&[(kind.name, variable, kind.carrier)])?,
                (None, Some(named)) => Credential::cached(kind.name, named.source()?, Refresh::default(), kind.carrier),
                (None, None) => continue,
            };
            (all, is_any) = (all.and(&one), true);
        }
        if is_any { Ok(all) } else { Err(self.without(kinds)) }
    }

    /// The error of an API for which there is no credential.
    fn without(&self, kinds: &[CredentialKind]) -> Error {
        let variables: Vec<&str> = kinds.iter().filter_map(|kind| kind.variable).collect();
        let example = match kinds {
            [_] => "credential = { env = \"VARIABLE\" }".to_owned(),
            [first, ..] => format!("credentials = {{ {} = {{ env = \"VARIABLE\" }} }}", first.name),
            [] => String::new(),
        };
        let others = if self.table.is_none() && !self.others.is_empty() {
            format!("; the profile has the APIs {}", self.others.join(", "))
        } else {
            String::new()
        };
        let set = if variables.is_empty() { String::new() } else { format!(", or set {}", variables.join(" or ")) };
        Error::credential(format!(
            "there is no credential for the API `{}`: write `{example}` below {}{set}{others}",
            self.api, self.wanted_at
        ))
    }

    /// The certificate authorities to trust beside the system's, in PEM.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read, with file and line.
    pub fn root_certificates(&self) -> Result<Option<String>, Error> {
        let Some(At { place, value: Value::RootCertificates(paths) }) = self.settings.get("root-certificates") else {
            return Ok(None);
        };
        let read = |path: &PathBuf| certificates(path, place).map(|text| text.expose_secret().to_owned());
        Ok(Some(paths.iter().map(read).collect::<Result<Vec<_>, _>>()?.join("\n")))
    }

    /// The client certificate and its key, in PEM.
    ///
    /// # Errors
    /// Returns an error if one of them cannot be read, with file and line.
    pub fn client_certificate(&self) -> Result<Option<SecretString>, Error> {
        let Some(At { place, value: Value::ClientCertificate { file, key } }) = self.settings.get("client-certificate")
        else {
            return Ok(None);
        };
        let certificate = certificates(file, place)?;
        let key = key.as_ref().map(|key| key.read(place)).transpose()?;
        let key = key.as_ref().map_or("", |key| key.expose_secret());
        Ok(Some([certificate.expose_secret(), "\n", key].concat().into()))
    }

    #[cfg(feature = "rustls-no-provider")]
    fn with_certificates(&self, config: Config) -> Result<Config, Error> {
        let told = |key: &str, error: &Error| match self.settings.get(key) {
            Some(At { place, .. }) => place.fault(error, format!("correct `{key}`")),
            None => Error::configuration(error.to_string()),
        };
        let config = match self.root_certificates()? {
            Some(pem) => config.root_certificates(pem).map_err(|error| told("root-certificates", &error))?,
            None => config,
        };
        Ok(match self.client_certificate()? {
            Some(both) => {
                let certificate = crate::auth::ClientCertificate::from_pem(both);
                config.client_certificate(certificate.map_err(|error| told("client-certificate", &error))?)
            }
            None => config,
        })
    }

    #[cfg(not(feature = "rustls-no-provider"))]
    fn with_certificates(&self, config: Config) -> Result<Config, Error> {
        match ["root-certificates", "client-certificate"].iter().find_map(|key| self.settings.get(key)) {
            Some(At { place, .. }) => {
                Err(place.fault("this build of keyfit has no TLS", "turn on its feature `rustls` in Cargo.toml"))
            }
            None => Ok(config),
        }
    }
}

/// The variable of a kind, where it is set; one that is set to nothing is not.
fn set(kind: &CredentialKind) -> Result<Option<&'static str>, Error> {
    let Some(variable) = kind.variable else { return Ok(None) };
    let value = environment::optional(variable)?.map(SecretString::from);
    Ok(value.filter(|value| !value.expose_secret().is_empty()).map(|_| variable))
}

fn put(config: Config, kind: &Kind, value: &Value) -> Config {
    match (kind, value) {
        (Kind::Duration(put), Value::Duration(value)) => put(config, *value),
        (Kind::Count(_, put), Value::Count(value)) => put(config, *value),
        (Kind::Bytes(put), Value::Bytes(value)) => put(config, *value),
        (Kind::Flag(put), Value::Flag(value)) => put(config, *value),
        (Kind::Text(put), Value::Text(value)) => put(config, value.clone()),
        (Kind::Statuses(put), Value::Statuses(statuses)) => {
            config.with_retry(|retry| statuses.iter().fold(retry, |retry, status| put(retry, *status)))
        }
        _ => config,
    }
}

impl ProfileCredential {
    /// The kind that it is of.
    pub fn kind(&self) -> CredentialKind {
        self.kind
    }

    /// Returns whether a command is started to read it.
    pub fn is_of_command(&self) -> bool {
        let is_command = |source: &Source| matches!(source, Source::Command(_));
        let is_named = |text: &Text| matches!(text, Text::Named(Source::Command(_)));
        match &self.given.value {
            Given::Secret(source) => is_command(source),
            Given::Login { user, password } => is_named(user) || password.as_ref().is_some_and(is_command),
            Given::Client(client) => is_named(&client.id) || is_command(&client.secret),
        }
    }

    /// Where a token is asked for, of a client of an authorization server: the endpoint, or the issuer that names it. `None` where
    /// the credential is the secret itself.
    pub fn token_request(&self) -> Option<&str> {
        let Given::Client(client) = &self.given.value else { return None };
        let documented = self.kind.flow.and_then(|flow| flow.token_url.or(flow.issuer));
        client.token_url.as_deref().or(documented)
    }

    /// The source that hands it out. The places that it names are looked at; a secret is read and a token asked for when one is needed.
    ///
    /// # Errors
    /// Returns an error if a variable is not set, a file cannot be read, a command cannot be started by this
    /// build, or the API takes this kind in another form.
    pub fn source(&self) -> Result<Arc<dyn TokenSource>, Error> {
        let At { place, value } = &self.given;
        let is_basic = self.kind.carrier == Carrier::Basic;
        match value {
            Given::Secret(source) => Ok(self.plain(source.ready(place)?)),
            Given::Login { user, password } if is_basic => {
                let password = password.as_ref().map(|password| password.ready(place)).transpose()?;
                Ok(self.plain(Arc::new(Login { user: user.ready(place)?, password })))
            }
            Given::Login { .. } => {
                let problem = format!("`{}` is a token, and this is a user with a password", self.kind.name);
                Err(place.fault(problem, "write where the token is: `{ env = \"VARIABLE\" }`"))
            }
            Given::Client(_) if is_basic => {
                let problem = format!("`{}` is a login, and this is a client that is given tokens", self.kind.name);
                Err(place.fault(problem, "write `{ user = \"NAME\", password = { env = \"VARIABLE\" } }`"))
            }
            Given::Client(client) => service::source(client, &self.kind, place),
        }
    }

    fn plain(&self, source: Arc<dyn SecretSource>) -> Arc<dyn TokenSource> {
        Credential::<()>::plain(self.kind, source)
    }
}

impl fmt::Debug for ApiProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A URL may hold what its owner does not want to see in a log.
        f.debug_struct("ApiProfile")
            .field("api", &self.api)
            .field("settings", &self.settings.keys())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ProfileCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileCredential").field("kind", &self.kind.name).field("given", &self.given.value).finish()
    }
}
