//! The client of a call: its base URL, its credentials, its limits.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use keyfit::auth::source::{BoxFuture, EnvSource, ExposeSecret as _, FileSource, SecretString};
use keyfit::auth::{AccessToken, Credential, Refresh, SecretSource as _, TokenSource};
use keyfit::dispatch::Access;
use keyfit::{Config, DynamicCall, DynamicClient, Error};
use keyfit_conformance::UserError;
use keyfit_conformance::call::{Arguments, Callee, CredentialSelection, SelectedCredential, in_clear, refuse_in_clear};
use keyfit_conformance::credential::profile::{self, ResolvedProfile};
use keyfit_conformance::credential::secret::{Redactor, Secret};
use keyfit_conformance::probe::{is_loopback, known_servers};
use keyfit_conformance::server::{server_in_place, server_url};
use keyfit_openapi::{Operation, read_to_limit};
use reqwest::Url;

use super::failure::call_error;
use super::trace::AttemptLogger;
use crate::command::budget;
use crate::command::transport::{CertificateArgs, Header, header, secrets};
use crate::command::variable;
use crate::terminal::console;

/// The base URL of any API, on this machine.
const ANY_BASE_URL: &str = "KEYFIT_BASE_URL";

/// Tokens of a profile, which are masked before they are sent.
#[derive(Debug)]
struct MaskedTokenSource {
    source: Arc<dyn TokenSource>,
    redactors: [Redactor; 2],
}

impl TokenSource for MaskedTokenSource {
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
pub(in crate::command) struct SessionArgs {
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
    certificates: CertificateArgs,
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

/// A client with its credentials and redactors.
pub(in crate::command) struct Session {
    pub(in crate::command) client: DynamicClient,
    /// The credentials of the call.
    pub(in crate::command) credentials: Vec<SelectedCredential>,
    /// The headers that the user adds.
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

impl SessionArgs {
    /// Returns whether the token comes from the standard input.
    pub(in crate::command) fn takes_input(&self) -> bool {
        self.token.as_deref().is_some_and(|token| token.strip_prefix('@').unwrap_or(token) == "-")
    }

    /// Adds the given limits to the settings.
    fn limits(&self, config: Config) -> Config {
        let config = self.timeout.map(Duration::from_secs).into_iter().fold(config, Config::timeout);
        let config = self.deadline.map(Duration::from_secs).into_iter().fold(config, Config::deadline);
        let limit = self.response_limit.map(|limit| usize::from(limit) << 20);
        let config = limit.into_iter().fold(config, Config::response_limit);
        self.attempts.iter().fold(config, |config, most| config.with_retry(|retry| retry.attempts(*most)))
    }
}

impl Session {
    /// Creates the client. Sends nothing.
    pub(in crate::command) async fn open(
        session: &SessionArgs,
        verbose: bool,
        purpose: Purpose,
        callee: &Callee,
        operation: &Operation,
        arguments: &Arguments,
    ) -> Result<Self, UserError> {
        let dry_run = purpose != Purpose::Send;
        let profile = ResolvedProfile::read(session.profile.as_deref(), &callee.api, &callee.openers)?;
        if let (Some(profile), true) = (&profile, verbose) {
            console::print_message(&format!("* {}", profile.name));
        }
        let config = session.limits(match &profile {
            Some(profile) => profile.api.config().map_err(|error| profile::profile_error(&error))?,
            None => Config::default(),
        });
        let config = if verbose { config.observer(AttemptLogger) } else { config };
        known_servers(&callee.api, &session.server)?;
        let config = session
            .server
            .iter()
            .fold(config, |config, (documented, url)| config.server(documented.as_str(), url.as_str()));
        if let Some(profile) = &profile {
            profile.servers()?;
        }
        let config = match base_url(session, callee, operation, profile.as_ref())? {
            Some(url) => config.base_url(url),
            None => config,
        };
        let config = session.certificates.apply(config)?;
        let config = match &session.budget {
            Some(url) if !dry_run => budget::with_budget(config, url).await?,
            _ => config,
        };
        let (credentials_redactor, private) = (Redactor::default(), Redactor::default());
        arguments.secrets().for_each(|secret| private.learn(&Secret::new(secret)));
        let named: Vec<&str> =
            profile.iter().flat_map(|profile| &profile.credentials).map(|credential| credential.kind().name).collect();
        let wanted = CredentialSelection {
            kind: session.kind.as_deref(),
            has_token: session.token.is_some(),
            has_certificate: session.certificates.has_client()
                || profile.iter().any(|profile| profile.api.settings().any(|key| key == "client-certificate")),
            profile: &named,
        };
        let credentials = match SelectedCredential::of(callee, operation, wanted, is_set) {
            Ok(credentials) => credentials,
            // A dry run shows the request nevertheless.
            Err(error) if dry_run => {
                if purpose == Purpose::DryRun {
                    console::print_message(&format!("note: as it is, nothing would be sent\n{error}"));
                }
                SelectedCredential::of(callee, operation, wanted, |_| true).unwrap_or_default()
            }
            Err(error) => return Err(error),
        };
        let mut tokens = Vec::new();
        let mut credential = Credential::none();
        for chosen in &credentials {
            if chosen.is_of_profile {
                let of = profile.as_ref().map(|profile| profile.credential(&chosen.kind)).transpose()?.flatten();
                // A command is not started, and no token asked for, where nothing is sent.
                if let Some(of) = of.filter(|_| !dry_run) {
                    let source = of.source().map_err(|error| profile::profile_error(&error))?;
                    let redactors = [credentials_redactor.clone(), private.clone()];
                    let access = Access::Source(Arc::new(MaskedTokenSource { source, redactors }), Refresh::default());
                    let one = access.credential(of.kind().name, chosen.carrier);
                    credential = credential.and(&one.map_err(|error| call_error(&error))?);
                }
                continue;
            }
            let secret =
                if dry_run { token_in_environment(chosen).await } else { Some(token(session, callee, chosen).await?) };
            let Some(secret) = secret else { continue };
            for redactor in [&credentials_redactor, &private] {
                redactor.learn(&Secret::new(secret.expose_secret()));
            }
            tokens.push((chosen, secret));
        }
        let mut headers = Vec::new();
        for Header(name, value) in &session.header {
            refuse_in_clear(callee, operation, &[format!("header:{name}=")])?;
            for secret in secrets(name, value) {
                private.learn(&Secret::new(secret));
            }
            headers.push((name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned().into()));
        }
        for (chosen, secret) in tokens.into_iter().filter(|_| !dry_run) {
            let one = Access::Token(secret).credential(&chosen.kind, chosen.carrier);
            credential = credential.and(&one.map_err(|error| call_error(&error))?);
        }
        let client = DynamicClient::new(callee.table, credential, config).map_err(|error| call_error(&error))?;
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

    /// Returns a call of the operation with the headers of the user.
    pub(in crate::command) fn call(&self, operation: &Operation) -> Result<DynamicCall<'_>, Error> {
        let call = self.client.call(&operation.id)?;
        Ok(self.headers.iter().fold(call, |call, (name, secret)| call.header(name, secret.expose_secret())))
    }

    /// Returns whether the answers of the operation are streamed.
    pub(in crate::command) fn streams(&self, operation: &Operation) -> bool {
        self.client.operation(&operation.id).is_some_and(|row| row.streams)
    }
}

/// Returns the base URL if it is not the documented one.
fn base_url(
    args: &SessionArgs,
    callee: &Callee,
    operation: &Operation,
    profile: Option<&ResolvedProfile>,
) -> Result<Option<String>, UserError> {
    let variable_of_api = &callee.base_url_variable;
    if let Some(text) = &args.base_url {
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
    if let Some(url) = profile.map(ResolvedProfile::base_url).transpose()?.flatten() {
        return Ok(Some(url.to_owned()));
    }
    if !callee.api.names_server() && operation.server.is_none() {
        return Err(UserError::new("the document does not name the server")
            .help(format!("set {variable_of_api}, or give --base-url")));
    }
    Ok(None)
}

/// Reads the token of a kind.
async fn token(args: &SessionArgs, callee: &Callee, chosen: &SelectedCredential) -> Result<SecretString, UserError> {
    if let Some(variable) = &chosen.variable {
        return EnvSource::new(variable).read().await.map_err(|error| call_error(&error));
    }
    match args.token.as_deref() {
        Some("-" | "@-") => {
            let bytes = read_to_limit(std::io::stdin()).map_err(|error| {
                UserError::new(format!("the token cannot be read from the standard input: {error}"))
            })?;
            let text = String::from_utf8(bytes)
                .map_err(|_| UserError::new("the token of the standard input is not a text"))?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned().into())
        }
        Some(text) => match text.strip_prefix('@') {
            Some(path) => FileSource::new(path).read().await.map_err(|error| call_error(&error)),
            None => Err(in_clear(callee, "--token is given the token itself")),
        },
        // A kind whose variable another API's contract has to say.
        None => Err(UserError::new(format!("there is no token of the kind `{}`", chosen.kind))
            .help("name a file that holds one: --token @FILE")),
    }
}

/// Returns the token of a kind if it is in the environment, so that it is masked in the output.
async fn token_in_environment(chosen: &SelectedCredential) -> Option<SecretString> {
    EnvSource::new(chosen.variable.as_ref()?).read().await.ok()
}

fn is_set(name: &str) -> bool {
    variable(name).is_ok_and(|value| value.is_some())
}
