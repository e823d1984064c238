//! The arguments that select the subject of the check: a client, the mock, or a live server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgGroup, Args};
use keyfit_conformance::UserError;
use keyfit_conformance::apis;
use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::credential::profile::{self, ResolvedProfile};
use keyfit_conformance::credential::secret::Redactor;
use keyfit_conformance::drive::{ClientHarness, Keyfit};
use keyfit_conformance::mock::{Mock, Mutant};
use keyfit_conformance::probe::{LivePolicy, ReceiverAddress, is_loopback};
use keyfit_conformance::run::{Halt, Plan};
use keyfit_conformance::server::{self, Credentials, LiveServer, server_in_place, server_url};
use keyfit_openapi::{AcceptedToken, Carrier, base_url_variable};
use reqwest::Url;
use reqwest::header::HeaderName;

use super::client;
use super::transport::TransportArgs;
use crate::terminal::console;

/// What is held to the contract: keyfit's client and the mock, unless another is named.
#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct SubjectArgs {
    #[command(flatten, next_help_heading = "A live server")]
    pub(super) live: LiveServerArgs,
    #[command(flatten, next_help_heading = "Another client")]
    pub(super) client: client::ClientArgs,
    /// Give the mock a defect, to see a check fail; MUTANTS.md lists them.
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "live-server",
        hide_possible_values = true,
        help_heading = "The mock"
    )]
    mutant: Option<Mutant>,
}

/// The settings of a profile that the check uses too.
const SUPPORTED_SETTINGS: [&str; 2] = ["root-certificates", "client-certificate"];

/// A live server, in place of the mock.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("live-server").args(["base_url", "profile"]).multiple(true))]
pub(super) struct LiveServerArgs {
    /// Check the live server under this URL in place of the mock. One API only.
    #[arg(long, value_name = "URL", value_parser = server_url)]
    pub(super) base_url: Option<Url>,
    /// Check the live server of this profile of keyfit.toml in place of the mock: its base URL, its credentials where there is no
    /// tokens file, its certificates.
    #[arg(long, value_name = "NAME")]
    pub(super) profile: Option<String>,
    /// The URL in place of a server that operations have for themselves; they are left out without it, unless the base URL is on this
    /// machine. May be given more than once.
    #[arg(long, value_name = "DOCUMENTED=URL", requires = "live-server", value_parser = server_in_place)]
    pub(super) server: Vec<(String, Url)>,
    /// The credentials for the live server: a TOML file that says where each secret is. Of a kind of which it has none,
    /// and without it, they are those of the profile and of the variables that clients read.
    #[arg(long, value_name = "FILE", requires = "live-server")]
    pub(super) tokens: Option<PathBuf>,
    /// Variables that the tokens file names, where the environment has none of the name: `NAME=VALUE` a line; `.env` beside the tokens
    /// file where left out.
    #[arg(long, value_name = "FILE", requires = "tokens")]
    pub(super) env_file: Option<PathBuf>,
    /// The root of the live authorization server, below which the paths of the contract are; the host of the base URL
    /// where left out. Endpoints that the contract places at another host are asked only where that is named; may be given
    /// more than once.
    #[arg(long, value_name = "URL", requires = "live-server", value_parser = server_url)]
    pub(super) authorization_server: Vec<Url>,
    /// Send calls that change something at the live server.
    #[arg(long)]
    pub(super) allow_writes: bool,
    /// Send calls that cost money at the live server.
    #[arg(long)]
    pub(super) allow_spend: bool,
    /// Send the calls of this operation though it looks as if it ended or wiped something, or changed what is there to
    /// stay; `*` stands for any part of the id; may be given more than once.
    #[arg(long, value_name = "OPERATION", requires = "live-server")]
    pub(super) allow: Vec<String>,
    /// Send tokens in URLs, which are logged on the way: API keys that belong into the query, and the cases that ask
    /// whether the server takes a token there.
    #[arg(long)]
    pub(super) query_tokens: bool,
    /// The most requests in a second.
    #[arg(long, value_name = "N", value_parser = rate)]
    pub(super) rate: Option<f64>,
    /// Where the server delivers webhooks and callbacks to: the check listens at HOST:PORT. Write URL=HOST:PORT where the server
    /// reaches it by another URL. A server of this machine needs none.
    #[arg(long, value_name = "HOST:PORT", requires = "live-server")]
    pub(super) receiver: Option<ReceiverAddress>,
    #[command(flatten)]
    pub(super) transport: TransportArgs,
}

/// Requests in a second.
fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate >= 0.001);
    rate.ok_or_else(|| "write a number such as 5 or 0.5".to_owned())
}

impl LiveServerArgs {
    /// Returns whether a live server is checked.
    pub(super) fn is_given(&self) -> bool {
        self.base_url.is_some() || self.profile.is_some()
    }

    /// Returns the profile for the API: the one that the user names, or without a tokens file that of the environment.
    fn resolved_profile(
        &self,
        catalogue: &Catalogue,
        openers: &[AcceptedToken],
    ) -> Result<Option<ResolvedProfile>, UserError> {
        if self.profile.is_none() && self.tokens.is_some() {
            return Ok(None);
        }
        let profile = ResolvedProfile::read(self.profile.as_deref(), &catalogue.api, openers)?;
        let unused = profile.iter().flat_map(|profile| profile.api.settings());
        let unused: Vec<String> =
            unused.filter(|key| !SUPPORTED_SETTINGS.contains(key)).map(|key| format!("`{key}`")).collect();
        if let (Some(profile), false) = (&profile, unused.is_empty()) {
            let note = "the check has times, limits and attempts of its own";
            console::print_message(&format!(
                "note: {} of the {} count for calls alone: {note}",
                unused.join(", "),
                profile.name
            ));
        }
        Ok(profile)
    }

    /// Returns the base URL from the option, or else from the variable of the API, or else from the profile.
    fn url(&self, catalogue: &Catalogue, profile: Option<&ResolvedProfile>) -> Result<Url, UserError> {
        if let Some(url) = &self.base_url {
            return Ok(url.clone());
        }
        let variable = base_url_variable(&catalogue.api);
        let of_variable = super::variable(&variable)?.map(|url| (url, variable));
        let of_profile = profile
            .map(ResolvedProfile::base_url)
            .transpose()?
            .flatten()
            .map(|url| (url.to_owned(), "base-url".to_owned()));
        let Some((url, name)) = of_variable.or(of_profile) else {
            let what = profile.map_or("the profile", |profile| &profile.name);
            return Err(UserError::new(format!("the {what} has no base URL for the API `{}`", catalogue.api.name))
                .help("give it a `base-url`, or pass --base-url"));
        };
        server_url(&url).map_err(|problem| UserError::new(format!("{name} is not usable: {problem}")))
    }

    /// Returns the notes of a report about the connection to the server.
    pub(super) fn notes(&self) -> Vec<String> {
        let note = "the certificates of the server were not verified (--insecure): anybody may have answered";
        let others = self.server.iter().map(|(_, url)| url);
        let is_open = self.base_url.iter().chain(others).any(|url| url.scheme() == "http" && !is_loopback(url));
        let open = "tokens were sent over plain http (--allow-plain-http): everyone on the way could read them";
        let insecure = self.transport.insecure.then_some(note);
        insecure.into_iter().chain(is_open.then_some(open)).map(str::to_owned).collect()
    }
}

impl SubjectArgs {
    /// Returns the plan for the cases of an API, the server in reports, and the mock, which stops when it is dropped. `is_ours` is true if the API
    /// is not from a folder of the user. Returns `None` if the run was ended before the server answered.
    pub(super) async fn plan(
        &self,
        catalogue: &Arc<Catalogue>,
        is_ours: bool,
        http: &reqwest::Client,
        redactor: &Redactor,
        halt: &Halt,
    ) -> Result<Option<(Plan, String, Option<Mock>)>, UserError> {
        let mut plan = Plan { halt: halt.clone(), ..Plan::default() };
        if let Some(client) = self.client.connect(&catalogue.contract.name, redactor) {
            let stage = ClientHarness::start(catalogue, client, redactor).await;
            plan.stage = Some(Arc::new(stage.map_err(adapter_error)?));
            return Ok(Some((plan, "none".to_owned(), None)));
        }
        if catalogue.cases.iter().any(|case| case.side == Side::Client) {
            let has_client = is_ours && apis::find_shipped(&catalogue.api.name).is_some();
            if has_client || !catalogue.needs_client() {
                let client = Arc::new(Keyfit::shipped(&catalogue.api.name));
                plan.stage =
                    Some(Arc::new(ClientHarness::start(catalogue, client, redactor).await.map_err(adapter_error)?));
            } else {
                plan.no_stage = no_client(&catalogue.contract_path);
            }
        }
        if !self.live.is_given() {
            let (target, mock) = server::mock(catalogue, self.mutant, http, redactor).await?;
            plan.target = Some(Arc::new(target));
            return Ok(Some((plan, "mock".to_owned(), Some(mock))));
        }
        let openers = profile::openers(&catalogue.api, &catalogue.contract);
        let profile = self.live.resolved_profile(catalogue, &openers)?;
        let base_url = &self.live.url(catalogue, profile.as_ref())?;
        let mut servers = self.live.server.clone();
        for (documented, url) in
            profile.iter().map(ResolvedProfile::servers).collect::<Result<Vec<_>, _>>()?.into_iter().flatten()
        {
            if !servers.iter().any(|(known, _)| known == documented.trim_end_matches('/')) {
                let url =
                    server_url(url).map_err(|problem| UserError::new(format!("`servers` is not usable: {problem}")));
                servers.push((documented.trim_end_matches('/').to_owned(), url?));
            }
        }
        let is_asked = self.live.profile.is_some() || self.live.tokens.is_none();
        let held = if is_asked { profile::credential_sources(profile.as_ref(), &openers)? } else { Vec::new() };
        let credentials = if let Some(tokens) = &self.live.tokens {
            Credentials::File { tokens, env_file: self.live.env_file.as_deref(), held }
        } else {
            let takes_tokens = openers.iter().any(|opener| opener.carrier != Carrier::ClientCertificate);
            if held.is_empty() && takes_tokens {
                return Err(no_credential(&openers, profile.as_ref()));
            }
            Credentials::Profile(held)
        };
        let others = servers.iter().map(|(_, url)| url).chain(&self.live.authorization_server);
        for url in std::iter::once(base_url).chain(others) {
            self.live.transport.check(url)?;
        }
        let live = LiveServer {
            base_url,
            servers: &servers,
            credentials,
            authorization_servers: &self.live.authorization_server,
            allow_writes: self.live.allow_writes,
            policy: LivePolicy {
                allow: self.live.allow.clone(),
                allow_spend: self.live.allow_spend,
                query_tokens: self.live.query_tokens,
                rate: self.live.rate,
            },
            receiver: self.live.receiver.as_ref(),
        };
        let http = |credentials: &[HeaderName]| self.live.transport.http(credentials, redactor, profile.as_ref());
        let note = |note: &str| console::print_message(&format!("note: {note}"));
        let is_reached = live.connect(&mut plan, catalogue, http, note, redactor).await?;
        Ok(is_reached.then(|| (plan, base_url.to_string(), None)))
    }
}

/// Returns the error for a live server without credentials.
fn no_credential(openers: &[AcceptedToken], profile: Option<&ResolvedProfile>) -> UserError {
    let variables: Vec<&str> = openers.iter().filter_map(|opener| opener.variable.as_deref()).collect();
    let set = if variables.is_empty() { String::new() } else { format!(", or set {}", variables.join(" or ")) };
    let place =
        profile.map_or_else(|| "a profile in keyfit.toml".to_owned(), |profile| format!("the {}", profile.name));
    UserError::new("there are no credentials for the live server")
        .help(format!("pass --tokens FILE, or name them in {place}{set}"))
}

fn adapter_error(reason: String) -> UserError {
    UserError::new("the client cannot be driven").help(reason)
}

/// Returns the help text if there is no client to check: a client is code in a crate of the user.
fn no_client(contract: &str) -> String {
    let folder = Path::new(contract).parent().unwrap_or(Path::new(".")).display();
    format!(
        "no client was given: in a test of the crate that has it write `keyfit_conformance::check(\"{folder}\").client(parcels::connect).assert()`, \
         with its module for `parcels`; or pass --client PROGRAM, or --side server"
    )
}
