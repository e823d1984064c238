//! The server under test: the mock of an API, or a live one.

use std::path::Path;
use std::sync::Arc;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName};

use crate::UserError;
use crate::catalogue::Catalogue;
use crate::credential::carrier::RequestPlace;
use crate::credential::profile::CredentialSource;
use crate::credential::secret::Redactor;
use crate::file;
use crate::mock::{Mock, Mutant};
use crate::probe::{Http, LivePolicy, Receiver, ReceiverAddress, Servers, TargetServer};
use crate::run::Plan;
use crate::tokens::{AllowedServers, Environment, TokenServer, Tokens, recognized};

/// A live server, and the permitted requests to it.
pub struct LiveServer<'a> {
    /// The URL below which the paths of the document are.
    pub base_url: &'a Url,
    /// The URLs that replace servers of single operations, with the documented ones.
    pub servers: &'a [(String, Url)],
    /// Its callers.
    pub credentials: Credentials<'a>,
    /// The authorization servers that may be called besides the host of the base URL: the first is the root of the endpoints whose paths the
    /// contract has.
    pub authorization_servers: &'a [Url],
    /// True if changing calls are sent.
    pub allow_writes: bool,
    /// Further permissions, and the rate.
    pub policy: LivePolicy,
    /// The address at which the server reaches the receiver of its deliveries; by default on this machine for a local server.
    pub receiver: Option<&'a ReceiverAddress>,
}

/// The callers of a live server.
pub enum Credentials<'a> {
    /// Those of a tokens file, which names the place of each secret.
    File {
        /// The file.
        tokens: &'a Path,
        /// The file of variables for it; by default `.env` beside it.
        env_file: Option<&'a Path>,
        /// Those of a profile, for kinds that the file does not have.
        held: Vec<CredentialSource>,
    },
    /// Those of a profile and the environment.
    Profile(Vec<CredentialSource>),
}

/// Starts the mock of an API as the server under test. The mock stops when it is dropped.
///
/// # Errors
/// Returns an error if the mock cannot be started.
pub async fn mock(
    catalogue: &Catalogue,
    mutant: Option<Mutant>,
    http: &reqwest::Client,
    redactor: &Redactor,
) -> Result<(TargetServer, Mock), UserError> {
    let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
    let mock = Mock::start(api, contract, mutant, redactor.clone()).await;
    let mock = mock.map_err(|error| UserError::new(format!("the mock cannot be started: {error}")))?;
    let base_url = mock.base_url().parse();
    let base_url = base_url.map_err(|error| UserError::new(format!("the mock has no URL: {error}")))?;
    let target = TargetServer::new(http.clone(), base_url, Arc::new(mock.token_issuer().clone()), redactor.clone());
    Ok((target, mock))
}

impl LiveServer<'_> {
    /// Reads the tokens, checks that the server answers, and makes it the target of a plan. `http` creates the HTTP clients, and gets the names
    /// of the headers with tokens; `note` gets messages about the tokens for the user. Returns `false` if the run was ended before the server
    /// answered.
    ///
    /// # Errors
    /// Returns an error if the tokens cannot be used, or the server cannot be reached.
    pub async fn connect(
        self,
        plan: &mut Plan,
        catalogue: &Catalogue,
        http: impl FnOnce(&[HeaderName]) -> Result<Http, UserError>,
        note: impl Fn(&str),
        redactor: &Redactor,
    ) -> Result<bool, UserError> {
        let Self { base_url, servers, credentials: held, authorization_servers, allow_writes, policy, receiver } = self;
        let servers = Servers::new(base_url.clone()).with(&catalogue.api, servers)?;
        if let Some(unknown) = policy.allow.iter().find(|pattern| !catalogue.names_operation(pattern)) {
            return Err(UserError::new(format!("there is no operation `{unknown}` to allow"))
                .help("the report names them, and so do the cases of --list"));
        }
        let kinds = catalogue.contract.credentials.iter();
        let carriers = kinds.filter_map(|credential| RequestPlace::of(credential.carrier()).header());
        // Token requests use this header, whatever the calls use.
        let credentials: Vec<HeaderName> = carriers.chain([AUTHORIZATION]).collect();
        let http = http(&credentials)?;
        let way = TokenServer { base_url, roots: AllowedServers::new(base_url, authorization_servers), http: &http };
        let (api, contract) = (&catalogue.api, &catalogue.contract);
        let tokens = match held {
            Credentials::Profile(held) => Tokens::none(api, contract, way).with(held, redactor).await?,
            Credentials::File { tokens, env_file, held } => {
                let text = file::read(tokens, "tokens file")?;
                let environment = Environment::for_tokens_file(tokens, env_file)?;
                if let Some(unread) = env_file.filter(|_| recognized(&text).is_some()) {
                    let file = unread.display();
                    note(&format!("{file} is not read: a file of the Web Fuzzing Commons names no variables"));
                }
                Tokens::read(&text, api, contract, way, &environment, redactor).await?.with(held, redactor).await?
            }
        };
        tokens.notes().iter().for_each(|text| note(text));
        let tokens = Arc::new(tokens);
        let allow_spend = policy.allow_spend;
        let target =
            TargetServer::new(http, base_url.clone(), Arc::clone(&tokens) as _, redactor.clone()).with_servers(servers);
        let mut target = target.live(catalogue, plan.halt.clone(), policy);
        if let Some(at) = receiver {
            target = target.delivering_to(Receiver::at(at).await.map_err(UserError::new)?);
        }
        let reached = tokio::select! {
            reached = target.reach() => reached,
            () = plan.halt.halted() => return Ok(false),
        };
        reached.map_err(|reason| {
            UserError::new(format!("the server cannot be reached: {reason}"))
                .at(base_url)
                .help("check the URL, and that the server runs")
        })?;
        tokio::select! {
            fetched = tokens.fetch() => fetched?,
            () = plan.halt.halted() => return Ok(false),
        }
        plan.target = Some(Arc::new(target));
        plan.is_read_only = !allow_writes;
        plan.allow_spend = allow_spend;
        plan.workers = 1;
        Ok(true)
    }
}

/// Parses a replacement of a documented server: `DOCUMENTED=URL`.
///
/// # Errors
/// Returns an error if the text does not contain two URLs. The message is for the user.
pub fn server_in_place(text: &str) -> Result<(String, Url), String> {
    let at = text.find("=http").ok_or("write it as DOCUMENTED=URL, both of them whole")?;
    let documented = text[..at].trim_end_matches('/').to_owned();
    Ok((documented, server_url(&text[at + 1..])?))
}

/// Parses the URL of a server. It must not contain a secret, since reports show it and URLs are logged.
///
/// # Errors
/// Returns an error if the text is not such a URL. The message is for the user.
pub fn server_url(text: &str) -> Result<Url, String> {
    let begins = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    if !begins("https://") && !begins("http://") {
        return Err("begin it with https:// or http://".to_owned());
    }
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a user or a password: credentials belong into the tokens file".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it ends with its path: leave `?` and `#` out".to_owned());
    }
    Ok(url)
}
