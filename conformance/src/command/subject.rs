//! What is held to the contract: a client, the mock, a live server.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use keyfit_conformance::UserError;
use keyfit_conformance::apis;
use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::contract::Carrier;
use keyfit_conformance::drive::{Keyfit, Stage};
use keyfit_conformance::mock::{Mock, Mutant};
use keyfit_conformance::probe::{Policy, Target, is_loopback};
use keyfit_conformance::run::{Halt, Plan};
use keyfit_conformance::secret::Redactor;
use keyfit_conformance::tokens::Tokens;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName};

use super::transport::Transport;
use super::{client, file};
use crate::console;

/// What is held to the contract: keyfit's client and the mock, unless another is named.
#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct Subject {
    #[command(flatten, next_help_heading = "A live server")]
    pub(super) live: Live,
    #[command(flatten, next_help_heading = "Another client")]
    pub(super) client: client::Options,
    /// Give the mock a defect, to see a check fail; MUTANTS.md lists them.
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "base_url",
        hide_possible_values = true,
        help_heading = "The mock"
    )]
    mutant: Option<Mutant>,
}

/// A live server, in place of the mock.
#[derive(Args, Debug)]
pub(super) struct Live {
    /// Check the live server under this URL in place of the mock. One API only.
    #[arg(long, value_name = "URL", requires = "tokens", value_parser = server_url)]
    pub(super) base_url: Option<Url>,
    /// The credentials for the live server: a TOML file that says where each secret is.
    #[arg(long, value_name = "FILE", requires = "base_url")]
    pub(super) tokens: Option<PathBuf>,
    /// The root of the live authorization server, below which the paths of the contract are; the host of the base URL
    /// where left out.
    #[arg(long, value_name = "URL", requires = "base_url", value_parser = server_url)]
    pub(super) authorization_server: Option<Url>,
    /// Send calls that change something at the live server.
    #[arg(long)]
    pub(super) allow_writes: bool,
    /// Send calls that cost money at the live server.
    #[arg(long)]
    pub(super) allow_spend: bool,
    /// Send the calls of this operation though it looks as if it ended or wiped something, or changed what is there to
    /// stay; `*` stands for any part of the id; may be given more than once.
    #[arg(long, value_name = "OPERATION", requires = "base_url")]
    pub(super) allow: Vec<String>,
    /// Send tokens in URLs, which are logged on the way: API keys that belong into the query, and the cases that ask
    /// whether the server takes a token there.
    #[arg(long)]
    pub(super) query_tokens: bool,
    /// The most requests in a second.
    #[arg(long, value_name = "N", value_parser = rate)]
    pub(super) rate: Option<f64>,
    #[command(flatten)]
    pub(super) transport: Transport,
}

/// Requests in a second.
fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate >= 0.001);
    rate.ok_or_else(|| "write a number such as 5 or 0.5".to_owned())
}

/// The URL of a server. Reports show it, and URLs are logged: it holds no secret.
pub(super) fn server_url(text: &str) -> Result<Url, String> {
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

impl Live {
    /// What a report has to say of the way to the server.
    pub(super) fn notes(&self) -> Vec<String> {
        let note = "the certificates of the server were not verified (--insecure): anybody may have answered";
        let is_open = self.base_url.as_ref().is_some_and(|url| url.scheme() == "http" && !is_loopback(url));
        let open = "tokens were sent over plain http (--allow-plain-http): everyone on the way could read them";
        let insecure = self.transport.insecure.then_some(note);
        insecure.into_iter().chain(is_open.then_some(open)).map(str::to_owned).collect()
    }
}

impl Subject {
    /// How the cases of an API are run; `is_ours` where it is not from a folder of the user. The mock is returned with it, since
    /// it stops when it is dropped. `None` where the run was ended before the server answered.
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
            let stage = Stage::start(catalogue, client, redactor).await;
            plan.stage = Some(Arc::new(stage.map_err(undrivable)?));
            return Ok(Some((plan, "none".to_owned(), None)));
        }
        if catalogue.cases.iter().any(|case| case.side == Side::Client) {
            let has_client = is_ours && apis::named(&catalogue.api.name).is_some();
            if has_client || !catalogue.needs_client() {
                let client = Arc::new(Keyfit { api: catalogue.api.name.clone() });
                plan.stage = Some(Arc::new(Stage::start(catalogue, client, redactor).await.map_err(undrivable)?));
            } else {
                "there is no generated client for an API from a folder".clone_into(&mut plan.no_stage);
            }
        }
        let (Some(base_url), Some(path)) = (&self.live.base_url, &self.live.tokens) else {
            let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
            let mock = Mock::start(api, contract, self.mutant, redactor.clone()).await;
            let mock = mock.map_err(|error| UserError::new(format!("the mock cannot be started: {error}")))?;
            let base_url = mock.base_url().parse();
            let base_url = base_url.map_err(|error| UserError::new(format!("the mock has no URL: {error}")))?;
            let target = Target::new(http.clone(), base_url, Arc::new(mock.mint().clone()), redactor.clone());
            plan.target = Some(Arc::new(target));
            return Ok(Some((plan, "mock".to_owned(), Some(mock))));
        };
        for url in [Some(base_url), self.live.authorization_server.as_ref()].into_iter().flatten() {
            self.live.transport.check(url)?;
        }
        if let Some(unknown) = self.live.allow.iter().find(|pattern| !catalogue.names_operation(pattern)) {
            return Err(UserError::new(format!("there is no operation `{unknown}` to allow"))
                .help("the report names them, and so do the cases of --list"));
        }
        let text = file::read(path, "tokens file")?;
        let root = match &self.live.authorization_server {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => base_url.origin().ascii_serialization(),
        };
        let tokens = Tokens::read(&text, &catalogue.api, &catalogue.contract, &root, redactor).await;
        let tokens = tokens?;
        for note in tokens.notes() {
            console::complain(&format!("note: {note}"));
        }
        let carriers = catalogue.contract.credentials.iter().map(|credential| match credential.carrier() {
            Carrier::NamedHeader(name) => name.parse().unwrap_or(AUTHORIZATION),
            Carrier::Header | Carrier::Scheme(_) | Carrier::Query(_) => AUTHORIZATION,
        });
        // Token requests have it, whatever calls have.
        let credentials: Vec<HeaderName> = carriers.chain([AUTHORIZATION]).collect();
        let http = self.live.transport.http(&credentials, redactor)?;
        let policy = Policy {
            allow: self.live.allow.clone(),
            allow_spend: self.live.allow_spend,
            query_tokens: self.live.query_tokens,
            rate: self.live.rate,
        };
        let target = Target::new(http, base_url.clone(), Arc::new(tokens), redactor.clone());
        let target = target.live(catalogue, halt.clone(), policy);
        let reached = tokio::select! {
            reached = target.reach() => reached,
            () = halt.halted() => return Ok(None),
        };
        reached.map_err(|reason| {
            UserError::new(format!("the server cannot be reached: {reason}"))
                .at(base_url)
                .help("check the URL, and that the server runs")
        })?;
        plan.target = Some(Arc::new(target));
        plan.is_read_only = !self.live.allow_writes;
        plan.is_thrifty = !self.live.allow_spend;
        plan.workers = 1;
        Ok(Some((plan, base_url.to_string(), None)))
    }
}

fn undrivable(reason: String) -> UserError {
    UserError::new("the client cannot be driven").help(reason)
}
