//! Profiles for the commands: the settings of `keyfit.toml` for an API that is read at run time.

use std::sync::Arc;

use keyfit::auth::source::{BoxFuture, EnvSource};
use keyfit::auth::{AccessToken, CredentialKind, OAuthFlow, SecretSource as _, TokenSource};
use keyfit::{ApiProfile, Error, Profile, ProfileCredential};
use keyfit_openapi::{AcceptedToken, Api, Carrier, FlowKind, SecurityScheme};
use reqwest::Url;

use crate::UserError;
use crate::carrier::of_client;
use crate::contract::{Contract, Credential};
use crate::probe::is_loopback;

/// The part of a profile about one API.
#[derive(Debug)]
pub struct Told {
    /// Its settings.
    pub api: ApiProfile,
    /// Its credentials, each with its kind.
    pub credentials: Vec<ProfileCredential>,
    /// The profile and its file, for messages.
    pub name: String,
    /// True if the user named the profile or the file.
    is_chosen: bool,
    documented: String,
}

impl Told {
    /// Reads the profile with this name, or that of the environment; `None` if there is none. `openers` are the credentials of the API.
    ///
    /// # Errors
    /// Returns an error if the file cannot be used, or there is no such profile.
    pub fn read(name: Option<&str>, api: &Api, openers: &[AcceptedToken]) -> Result<Option<Self>, UserError> {
        let Some(profile) = Profile::find(name).map_err(|error| refused(&error))? else { return Ok(None) };
        let told = profile.api(&api.name).map_err(|error| refused(&error))?;
        let credentials = told.credentials(&kinds(api, openers)).map_err(|error| refused(&error))?;
        let file = profile.path().map(|path| path.display().to_string()).unwrap_or_default();
        Ok(Some(Self {
            api: told,
            credentials,
            name: format!("profile `{}` of {file}", profile.name()),
            is_chosen: profile.is_chosen(),
            documented: api.base_url.clone(),
        }))
    }

    /// Returns the credential of a kind.
    ///
    /// # Errors
    /// Returns an error if the credential starts a command, or sends a secret to another host, because of a file that the user did not name.
    pub fn credential(&self, kind: &str) -> Result<Option<&ProfileCredential>, UserError> {
        let found = self.credentials.iter().find(|credential| credential.kind().name == kind);
        match found {
            Some(credential) if credential.is_of_command() && !self.is_chosen => {
                Err(self.unchosen("starts a command for a secret"))
            }
            Some(credential) if credential.token_request().is_some_and(|url| self.asks_away(credential, url)) => {
                Err(self.unchosen("sends the secret of a client to another host than the document"))
            }
            found => Ok(found),
        }
    }

    /// Returns the base URL.
    ///
    /// # Errors
    /// Returns an error if it leads to another host because of a file that the user did not name.
    pub fn base_url(&self) -> Result<Option<&str>, UserError> {
        let url = self.api.base_url();
        if url.is_some_and(|url| self.leads_away(url)) {
            return Err(self.unchosen("leads to another host than the document"));
        }
        Ok(url)
    }

    /// Returns the URLs that replace documented servers.
    ///
    /// # Errors
    /// Returns an error if [`base_url`](Self::base_url) would for one of them.
    pub fn servers(&self) -> Result<&[(String, String)], UserError> {
        let servers = self.api.servers();
        if servers.iter().any(|(_, url)| self.leads_away(url)) {
            return Err(self.unchosen("leads to another host than the document"));
        }
        Ok(servers)
    }

    /// Returns whether a URL leads to another host. The file may come from the author of the current folder, whom the user may not trust.
    fn leads_away(&self, url: &str) -> bool {
        let Ok(url) = Url::parse(url) else { return true };
        let is_documented = Url::parse(&self.documented).is_ok_and(|documented| documented.origin() == url.origin());
        !self.is_chosen && !is_loopback(&url) && !is_documented
    }

    /// Returns whether a token is requested at an undocumented URL.
    fn asks_away(&self, credential: &ProfileCredential, url: &str) -> bool {
        let flow = credential.kind().flow;
        let is_documented = flow.is_some_and(|flow| flow.token_url == Some(url) || flow.issuer == Some(url));
        !is_documented && self.leads_away(url)
    }

    fn unchosen(&self, what: &str) -> UserError {
        let name = self.name.trim_start_matches("profile ");
        UserError::new(format!("{name} {what}, and was found rather than named: whoever wrote this folder may have written it"))
            .help("look at the file; if you mean it, name the profile, by --profile or KEYFIT_PROFILE, or the file in KEYFIT_CONFIG")
    }
}

/// A credential without a tokens file, with its kind.
pub struct Holding {
    /// The kind, by its name in the contract.
    pub kind: String,
    /// Its source, for messages.
    pub name: String,
    /// The source of the credential.
    pub source: Arc<dyn TokenSource>,
    /// The URL of the token request; `None` if the credential is the secret itself.
    pub token_request: Option<String>,
}

/// A token in an environment variable.
#[derive(Debug)]
struct Variable(EnvSource);

impl TokenSource for Variable {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(async { Ok(AccessToken::new(self.0.read().await?)) })
    }
}

/// Returns the credentials for the kinds of a contract: from their environment variables, or else from the profile.
///
/// # Errors
/// Returns an error if a credential is not available, or there is none.
pub fn holdings(told: Option<&Told>, openers: &[AcceptedToken]) -> Result<Vec<Holding>, UserError> {
    let mut held = Vec::new();
    for opener in openers {
        if opener.carrier == Carrier::ClientCertificate {
            continue;
        }
        let variable = opener.variable.as_deref().filter(|variable| is_set(variable));
        let named = told.map(|told| told.credential(&opener.name)).transpose()?.flatten();
        let (name, source, token_request) = match (variable, named) {
            (Some(variable), _) => {
                (variable.to_owned(), Arc::new(Variable(EnvSource::new(variable))) as Arc<dyn TokenSource>, None)
            }
            (None, Some(named)) => {
                let source = named.source().map_err(|error| refused(&error))?;
                (opener.name.clone(), source, named.token_request().map(str::to_owned))
            }
            (None, None) => continue,
        };
        held.push(Holding { kind: opener.name.clone(), name, source, token_request });
    }
    Ok(held)
}

/// Returns the openers of an API from its contract, with the variables that clients read.
pub fn openers(api: &Api, contract: &Contract) -> Vec<AcceptedToken> {
    let documented = keyfit_openapi::accepted_tokens(api, None).unwrap_or_default();
    let variable =
        |kind: &str| documented.iter().find(|opener| opener.name == kind).and_then(|one| one.variable.clone());
    let opener = |credential: &Credential| AcceptedToken {
        name: credential.kind.clone(),
        of: credential.of.clone(),
        variable: credential.variable.clone().or_else(|| variable(&credential.kind)),
        carrier: credential.carrier().clone(),
    };
    contract.credentials.iter().map(opener).collect()
}

#[expect(clippy::disallowed_methods, reason = "a command line reads the environment")]
fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

/// Returns the error for an invalid profile, with its place and a help text.
pub fn refused(error: &Error) -> UserError {
    UserError::new(error.to_string())
}

/// Leaks a text.
fn leaked(text: &str) -> &'static str {
    text.to_owned().leak()
}

/// Returns the kinds of tokens of an API in the form of clients. Their names are leaked; the program uses few.
fn kinds(api: &Api, openers: &[AcceptedToken]) -> Vec<CredentialKind> {
    let schemes = api.security_schemes();
    let named = |name: &str| schemes.iter().find(|scheme| scheme.name == name);
    let mut kinds = Vec::new();
    for opener in openers {
        let Some(carrier) = of_client(&opener.carrier) else { continue };
        let kind = CredentialKind::new(leaked(&opener.name), carrier);
        let kind = opener.variable.iter().fold(kind, |kind, variable| kind.with_variable(leaked(variable)));
        let flow = named(&opener.name).and_then(|scheme| flow(api, scheme));
        kinds.push(flow.into_iter().fold(kind, CredentialKind::with_flow));
    }
    // Commands do not send query keys, but the file may contain them.
    for scheme in &schemes {
        let key = scheme.carrier.as_ref().filter(|carrier| matches!(carrier, Carrier::Query(_)));
        let is_known = openers.iter().any(|opener| opener.name == scheme.name);
        if let Some(carrier) = key.filter(|_| !is_known).and_then(of_client) {
            kinds.push(CredentialKind::new(leaked(&scheme.name), carrier));
        }
    }
    kinds
}

/// Returns the flow with which a service gets tokens of a scheme.
fn flow(api: &Api, scheme: &SecurityScheme) -> Option<OAuthFlow> {
    const WELL_KNOWN: [&str; 2] = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];
    let is_whole = |url: &&String| !url.starts_with('/');
    let of_service = scheme.flows.iter().find(|flow| flow.kind == FlowKind::ClientCredentials);
    let token_url = of_service.and_then(|flow| flow.token_url.as_ref()).filter(is_whole);
    let known = of_service.map(|flow| flow.scopes.as_slice()).unwrap_or_default();
    let scopes = api.asked_scopes(&scheme.name).into_iter().filter(|scope| known.is_empty() || known.contains(scope));
    let scopes: Vec<&'static str> = scopes.map(|scope| leaked(&scope)).collect();
    let begun = OAuthFlow::new().with_scopes(scopes.leak());
    match (token_url, scheme.discovery_url.as_ref().filter(is_whole)) {
        (Some(url), _) => Some(begun.with_token_url(leaked(url))),
        (None, Some(url)) if scheme.flows.is_empty() => {
            let issuer = WELL_KNOWN.iter().find_map(|known| url.strip_suffix(known)).unwrap_or(url);
            Some(begun.with_issuer(leaked(issuer)))
        }
        _ => None,
    }
}
