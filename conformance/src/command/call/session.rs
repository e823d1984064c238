//! The client of a call: its base URL, its credentials, its limits.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use keyfit::auth::source::{BoxFuture, EnvSource, ExposeSecret as _, FileSource, SecretString};
use keyfit::auth::{AccessToken, Credential, Refresh, SecretSource as _, TokenSource};
use keyfit::dispatch::Access;
use keyfit::{Config, DynamicCall, DynamicClient, Error};
use keyfit_conformance::UserError;
use keyfit_conformance::call::{Arguments, Callee, Chosen, Wanted, in_clear, refuse_in_clear};
use keyfit_conformance::probe::{is_loopback, known_servers};
use keyfit_conformance::profile::{self, Told};
use keyfit_conformance::secret::{Redactor, Secret};
use keyfit_conformance::server::{server_in_place, server_url};
use keyfit_openapi::{Operation, read_to_limit};
use reqwest::Url;

use super::failure::refused;
use super::trace::Attempts;
use crate::command::budget;
use crate::command::transport::{Certificates, Header, header, secrets};
use crate::command::variable;
use crate::console;

/// The base URL of any API, on this machine.
const ANY_BASE_URL: &str = "KEYFIT_BASE_URL";

/// Tokens of a profile, which are masked before they are sent.
#[derive(Debug)]
struct Learning {
    source: Arc<dyn TokenSource>,
    redactors: [Redactor; 2],
}

impl TokenSource for Learning {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(async {
            let token = self.source.fetch().await?;
            let parts = token.expose().split_once(':').map(|(_, password)| password).filter(|part| !part.is_empty());
            for secret in parts.into_iter().chain([token.expose()]) {
                self.redactors.iter().for_each(|redactor| redactor.learn(&Secret::new(secret)));
            }
            Ok(token)
        })
    }
}

/// How the call is made.
#[derive(Args, Debug)]
#[group(skip)]
pub(in crate::command) struct Options {
    /// The profile of keyfit.toml with settings, base URL and credentials; that of `KEYFIT_PROFILE` or `default` where left out.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Another base URL than the documented one: a staging host, a mock.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The URL in place of a server that operations have for themselves (--describe); may be given more than once.
    #[arg(long, value_name = "DOCUMENTED=URL", value_parser = server_in_place)]
    server: Vec<(String, Url)>,
    /// The token: @FILE, or - for the standard input. Without it, the token is in the variable of its kind (--describe).
    #[arg(long, value_name = "@FILE", allow_hyphen_values = true)]
    token: Option<String>,
    /// The kind of token, where the operation takes several.
    #[arg(long = "as", value_name = "KIND")]
    kind: Option<String>,
    /// Send this header too, as `NAME: VALUE`; may be given more than once. What is shown masks the value.
    #[arg(long, value_name = "HEADER", value_parser = header)]
    header: Vec<Header>,
    #[command(flatten)]
    certificates: Certificates,
    /// How often a request is sent at most. A call that could have a second effect is only repeated if it was not executed.
    /// 4 where neither this nor the profile says it.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    attempts: Option<u32>,
    /// Seconds that one attempt may take; 30 where neither this nor the profile says it.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: Option<u64>,
    /// Seconds that the call may take with all its attempts and waits; each page of a list is a call. 60 where neither this nor the
    /// profile says it.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    deadline: Option<u64>,
    /// Share the rate limit with all who name this Valkey or Redis: `redis://HOST:PORT/DATABASE`, `rediss://` for TLS, or @FILE with such a
    /// URL, which may hold a login.
    #[arg(long, value_name = "URL")]
    budget: Option<String>,
    /// The longest answer that is taken into memory, in MiB; 64 where neither this nor the profile says it.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u16).range(1..))]
    response_limit: Option<u16>,
}

/// A client, and what it must not show.
pub(in crate::command) struct Session {
    pub(in crate::command) client: DynamicClient,
    /// What the call is made with.
    pub(in crate::command) credentials: Vec<Chosen>,
    /// Headers of the user's.
    headers: Vec<(String, SecretString)>,
    /// Masks the credentials: an answer may repeat them.
    pub(in crate::command) credentials_redactor: Redactor,
    /// Masks the arguments that are secrets too, in what is shown of the call.
    pub(in crate::command) private: Redactor,
}

/// The purpose of a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::command) enum Purpose {
    /// Calls are sent.
    Send,
    /// The call is shown and not sent.
    DryRun,
    /// Items are put into a queue, and other processes send them: no credential is needed.
    Queue,
}

impl Options {
    /// Whether the token comes from the standard input.
    pub(in crate::command) fn takes_input(&self) -> bool {
        self.token.as_deref().is_some_and(|token| token.strip_prefix('@').unwrap_or(token) == "-")
    }

    /// The settings with the limits that are given.
    fn limits(&self, config: Config) -> Config {
        let config = self.timeout.map(Duration::from_secs).into_iter().fold(config, Config::timeout);
        let config = self.deadline.map(Duration::from_secs).into_iter().fold(config, Config::deadline);
        let limit = self.response_limit.map(|limit| usize::from(limit) << 20);
        let config = limit.into_iter().fold(config, Config::response_limit);
        self.attempts.iter().fold(config, |config, most| config.with_retry(|retry| retry.attempts(*most)))
    }
}

impl Session {
    /// Makes the client. Nothing is sent.
    pub(in crate::command) async fn open(
        session: &Options,
        verbose: bool,
        purpose: Purpose,
        callee: &Callee,
        operation: &Operation,
        arguments: &Arguments,
    ) -> Result<Self, UserError> {
        let dry_run = purpose != Purpose::Send;
        let told = Told::read(session.profile.as_deref(), &callee.api, &callee.openers)?;
        if let (Some(told), true) = (&told, verbose) {
            console::complain(&format!("* {}", told.name));
        }
        let config = session.limits(match &told {
            Some(told) => told.api.config().map_err(|error| profile::refused(&error))?,
            None => Config::default(),
        });
        let config = if verbose { config.observer(Attempts) } else { config };
        known_servers(&callee.api, &session.server)?;
        let config = session
            .server
            .iter()
            .fold(config, |config, (documented, url)| config.server(documented.as_str(), url.as_str()));
        if let Some(told) = &told {
            told.servers()?;
        }
        let config = match base_url(session, callee, operation, told.as_ref())? {
            Some(url) => config.base_url(url),
            None => config,
        };
        let config = session.certificates.put_into(config)?;
        let config = match &session.budget {
            Some(url) if !dry_run => budget::put_into(config, url).await?,
            _ => config,
        };
        let (credentials_redactor, private) = (Redactor::default(), Redactor::default());
        arguments.secrets().for_each(|secret| private.learn(&Secret::new(secret)));
        let named: Vec<&str> =
            told.iter().flat_map(|told| &told.credentials).map(|credential| credential.kind().name).collect();
        let wanted = Wanted {
            kind: session.kind.as_deref(),
            has_token: session.token.is_some(),
            has_certificate: session.certificates.has_client()
                || told.iter().any(|told| told.api.settings().any(|key| key == "client-certificate")),
            profile: &named,
        };
        let credentials = match Chosen::of(callee, operation, wanted, is_set) {
            Ok(credentials) => credentials,
            // What would be sent is shown all the same.
            Err(error) if dry_run => {
                if purpose == Purpose::DryRun {
                    console::complain(&format!("note: as it is, nothing would be sent\n{error}"));
                }
                Chosen::of(callee, operation, wanted, |_| true).unwrap_or_default()
            }
            Err(error) => return Err(error),
        };
        let mut held = Vec::new();
        let mut credential = Credential::none();
        for chosen in &credentials {
            if chosen.is_of_profile {
                let of = told.as_ref().map(|told| told.credential(&chosen.kind)).transpose()?.flatten();
                // A command is not started, and no token asked for, where nothing is sent.
                if let Some(of) = of.filter(|_| !dry_run) {
                    let source = of.source().map_err(|error| profile::refused(&error))?;
                    let redactors = [credentials_redactor.clone(), private.clone()];
                    let access = Access::Source(Arc::new(Learning { source, redactors }), Refresh::default());
                    let one = access.credential(of.kind().name, chosen.carrier);
                    credential = credential.and(&one.map_err(|error| refused(&error))?);
                }
                continue;
            }
            let secret = if dry_run { known(chosen).await } else { Some(token(session, callee, chosen).await?) };
            let Some(secret) = secret else { continue };
            for redactor in [&credentials_redactor, &private] {
                redactor.learn(&Secret::new(secret.expose_secret()));
            }
            held.push((chosen, secret));
        }
        let mut headers = Vec::new();
        for Header(name, value) in &session.header {
            refuse_in_clear(callee, operation, &[format!("header:{name}=")])?;
            for secret in secrets(name, value) {
                private.learn(&Secret::new(secret));
            }
            headers.push((name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned().into()));
        }
        for (chosen, secret) in held.into_iter().filter(|_| !dry_run) {
            let one = Access::Token(secret).credential(&chosen.kind, chosen.carrier);
            credential = credential.and(&one.map_err(|error| refused(&error))?);
        }
        let client = DynamicClient::new(callee.table, credential, config).map_err(|error| refused(&error))?;
        let place = client.operation(&operation.id).map_or(Ok(""), |row| client.base_url_of(row));
        if let (Err(_), Some(server)) = (place, &operation.server) {
            let why = if server.starts_with("https://") {
                format!("the base URL {} is that of another environment", client.base_url())
            } else {
                "plain http would show the credential to everyone on the way".to_owned()
            };
            return Err(UserError::new(format!("`{}` has a server of its own, `{server}`: {why}", operation.id))
                .help(format!("say where it is sent: --server '{server}=URL'")));
        }
        Ok(Self { client, credentials, headers, credentials_redactor, private })
    }

    /// A call of the operation, with all that it is made with.
    pub(in crate::command) fn call(&self, operation: &Operation) -> Result<DynamicCall<'_>, Error> {
        let call = self.client.call(&operation.id)?;
        Ok(self.headers.iter().fold(call, |call, (name, secret)| call.header(name, secret.expose_secret())))
    }

    /// Whether the answers of the operation are handed on as they come.
    pub(in crate::command) fn streams(&self, operation: &Operation) -> bool {
        self.client.operation(&operation.id).is_some_and(|row| row.streams)
    }
}

/// The base URL, where it is another than the documented one.
fn base_url(
    options: &Options,
    callee: &Callee,
    operation: &Operation,
    told: Option<&Told>,
) -> Result<Option<String>, UserError> {
    let variable_of_api = &callee.base_url_variable;
    if let Some(text) = &options.base_url {
        let url = server_url(text).map_err(|problem| UserError::new(format!("--base-url is not usable: {problem}")));
        return Ok(Some(url?.to_string()));
    }
    if let Some(text) = variable(variable_of_api)? {
        let url =
            server_url(&text).map_err(|problem| UserError::new(format!("{variable_of_api} is not usable: {problem}")));
        return Ok(Some(url?.to_string()));
    }
    if let Some(text) = variable(ANY_BASE_URL)? {
        let url =
            server_url(&text).map_err(|problem| UserError::new(format!("{ANY_BASE_URL} is not usable: {problem}")))?;
        if !is_loopback(&url) {
            return Err(UserError::new(format!(
                "{ANY_BASE_URL} names another machine: it holds for every API, and the token of one would go to the host of another"
            ))
            .help(format!("set {variable_of_api}, or give --base-url")));
        }
        return Ok(Some(url.to_string()));
    }
    if let Some(url) = told.map(Told::base_url).transpose()?.flatten() {
        return Ok(Some(url.to_owned()));
    }
    if !callee.api.names_server() && operation.server.is_none() {
        return Err(UserError::new("the document does not name the server")
            .help(format!("set {variable_of_api}, or give --base-url")));
    }
    Ok(None)
}

/// The token of a kind.
async fn token(options: &Options, callee: &Callee, chosen: &Chosen) -> Result<SecretString, UserError> {
    if let Some(variable) = &chosen.variable {
        return EnvSource::new(variable).read().await.map_err(|error| refused(&error));
    }
    match options.token.as_deref() {
        Some("-" | "@-") => {
            let bytes = read_to_limit(std::io::stdin()).map_err(|error| {
                UserError::new(format!("the token cannot be read from the standard input: {error}"))
            })?;
            let text = String::from_utf8(bytes)
                .map_err(|_| UserError::new("the token of the standard input is not a text"))?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned().into())
        }
        Some(text) => match text.strip_prefix('@') {
            Some(path) => FileSource::new(path).read().await.map_err(|error| refused(&error)),
            None => Err(in_clear(callee, "--token is given the token itself")),
        },
        // A kind whose variable another API's contract has to say.
        None => Err(UserError::new(format!("there is no token of the kind `{}`", chosen.kind))
            .help("name a file that holds one: --token @FILE")),
    }
}

/// The token of a kind as far as it is in the environment, for the mask of what is shown.
async fn known(chosen: &Chosen) -> Option<SecretString> {
    EnvSource::new(chosen.variable.as_ref()?).read().await.ok()
}

fn is_set(name: &str) -> bool {
    variable(name).is_ok_and(|value| value.is_some())
}
