//! `conformance run`: which APIs, which cases, against what, and where the report goes.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::{Args, ValueEnum};
use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::drive::{Keyfit, Stage};
use keyfit_conformance::identity::Identities;
use keyfit_conformance::mock::{Mock, Mutant};
use keyfit_conformance::probe::{Target, http_client};
use keyfit_conformance::report::{ApiReport, Report, json, text};
use keyfit_conformance::run::{Plan, run as run_cases};
use keyfit_conformance::secret::Redactor;
use keyfit_conformance::template::templates;
use keyfit_conformance::tokens::Tokens;
use keyfit_openapi::{Source, Text};
use tokio::task::JoinSet;

use super::client;

/// What is checked, against what, and where the report goes.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct Options {
    /// Check this API only, by the name of its folder or contract; may be given more than once.
    #[arg(long, value_name = "NAME")]
    api: Vec<String>,
    /// Check the API in this folder: a document, `contract.toml` and where needed `overlay.yaml`. It has no
    /// generated client, whose cases are skipped.
    #[arg(long, value_name = "DIR", conflicts_with = "api")]
    api_dir: Option<PathBuf>,
    /// Run the cases with this id; `*` stands for a segment, `**` for any; may be given more than once.
    #[arg(long, value_name = "GLOB")]
    case: Vec<String>,
    /// Run one end only.
    #[arg(long, value_name = "END")]
    side: Option<End>,
    /// List the cases and run none.
    #[arg(long)]
    list: bool,
    /// Write the report as JSON into this file as well.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Check the live server under this URL in place of the mock. One API only.
    #[arg(long, value_name = "URL", requires = "tokens")]
    base_url: Option<reqwest::Url>,
    /// The credentials for the live server: a TOML file that names environment variables.
    #[arg(long, value_name = "FILE", requires = "base_url")]
    tokens: Option<PathBuf>,
    /// The root of the live authorization server, below which the paths of the contract are; the host of the base URL
    /// where left out.
    #[arg(long, value_name = "URL", requires = "base_url")]
    authorization_server: Option<reqwest::Url>,
    /// Send calls that change something at the live server.
    #[arg(long)]
    allow_writes: bool,
    /// Send calls that cost money at the live server.
    #[arg(long)]
    allow_spend: bool,
    /// Give the mock a defect, to see a check fail.
    #[arg(long, value_name = "NAME", conflicts_with = "base_url", hide_possible_values = true)]
    mutant: Option<Mutant>,
    #[command(flatten)]
    client: client::Options,
}

/// One end of a contract.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum End {
    Server,
    Client,
}

/// Runs the cases and prints the report.
pub(crate) fn run(options: &Options) -> Result<ExitCode, String> {
    let catalogues = catalogues(options)?;
    if options.list {
        for case in catalogues.iter().flat_map(|catalogue| &catalogue.cases) {
            println!("{} ({})", case.id, case.level);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("error: the runtime cannot be started: {error}"))?;
    let report = runtime.block_on(check(options, catalogues))?;
    if let Some(path) = &options.json {
        fs::write(path, json(&report))
            .map_err(|error| format!("error: the report cannot be written\n  --> {}\nhelp: {error}", path.display()))?;
    }
    print!("{}", text(&report));
    Ok(match report.totals {
        totals if totals.fail > 0 => ExitCode::from(1),
        totals if totals.error > 0 => ExitCode::from(2),
        _ => ExitCode::SUCCESS,
    })
}

fn catalogues(options: &Options) -> Result<Vec<Arc<Catalogue>>, String> {
    let mut catalogues = Vec::new();
    for source in sources(options)? {
        let mut catalogue = Catalogue::read(&source).map_err(|failure| failure.to_string())?;
        let is_named = options.api.is_empty()
            || options.api.iter().any(|name| *name == catalogue.api.name || *name == catalogue.contract.name);
        if !is_named {
            continue;
        }
        catalogue.select(&options.case);
        let implied = options.client.is_given().then_some(End::Client);
        if let Some(end) = options.side.or(implied) {
            catalogue.cases.retain(|case| (case.side == Side::Server) == matches!(end, End::Server));
        }
        catalogues.push(catalogue);
    }
    if options.base_url.is_some() && catalogues.len() != 1 {
        return Err("error: a base URL belongs to one API\nhelp: name it with --api or --api-dir".to_owned());
    }
    if catalogues.iter().all(|catalogue| catalogue.cases.is_empty()) {
        return Err(
            "error: no case fits\nhelp: --list shows the ids; `*` stays within a segment, `**` does not".to_owned()
        );
    }
    catalogues.retain(|catalogue| !catalogue.cases.is_empty());
    Ok(catalogues.into_iter().map(Arc::new).collect())
}

fn sources(options: &Options) -> Result<Vec<Source>, String> {
    if let Some(folder) = &options.api_dir {
        return Ok(vec![Source::from_dir(folder).map_err(|failure| failure.to_string())?]);
    }
    let sources: Vec<Source> = Source::embedded().into_iter().chain(templates()).collect();
    // Contracts are named by the last part of the folder's name.
    let fits =
        |name: &String| sources.iter().any(|source| source.name == *name || source.name.ends_with(&format!("-{name}")));
    if let Some(unknown) = options.api.iter().find(|name| !fits(name)) {
        let known: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
        return Err(format!("error: there is no API called `{unknown}`\nhelp: the APIs are {}", known.join(", ")));
    }
    Ok(sources)
}

async fn check(options: &Options, catalogues: Vec<Arc<Catalogue>>) -> Result<Report, String> {
    let started = Instant::now();
    let redactor = Redactor::default();
    let live = [&options.base_url, &options.authorization_server];
    let speaks_tls = live.into_iter().flatten().any(|url| url.scheme() == "https");
    let http = http_client(speaks_tls).map_err(|error| format!("error: the HTTP client cannot be set up: {error}"))?;
    let mut running = JoinSet::new();
    for (place, catalogue) in catalogues.into_iter().enumerate() {
        let (plan, server, mock) = plan(options, &catalogue, &http, &redactor).await?;
        let redactor = redactor.clone();
        running.spawn(async move {
            let outcomes = run_cases(&catalogue, &plan).await;
            drop(mock);
            let requests: usize = outcomes.iter().map(|outcome| outcome.requests).sum();
            (place, requests, ApiReport::new(&catalogue, server, outcomes, &redactor))
        });
    }
    let mut done = Vec::new();
    while let Some(checked) = running.join_next().await {
        done.push(checked.map_err(|error| format!("error: a check broke off: {error}"))?);
    }
    done.sort_by_key(|(place, ..)| *place);
    let requests = done.iter().map(|(_, requests, _)| requests).sum();
    let apis = done.into_iter().map(|(.., api)| api).collect();
    Ok(Report::new(apis, requests, started.elapsed()))
}

/// What an API is checked against. The mock is returned with it, since it stops when it is dropped.
async fn plan(
    options: &Options,
    catalogue: &Arc<Catalogue>,
    http: &reqwest::Client,
    redactor: &Redactor,
) -> Result<(Plan, String, Option<Mock>), String> {
    let target = |base_url, identities: Arc<dyn Identities>| {
        Arc::new(Target::new(http.clone(), base_url, identities, redactor.clone()))
    };
    let mut plan = Plan::default();
    if let Some(client) = options.client.connect(&catalogue.contract.name, redactor) {
        let stage = Stage::start(catalogue, client, redactor).await;
        plan.stage =
            Some(Arc::new(stage.map_err(|reason| format!("error: the client cannot be driven\nhelp: {reason}"))?));
        return Ok((plan, "none".to_owned(), None));
    }
    if catalogue.cases.iter().any(|case| case.side == Side::Client) {
        let is_ours = Source::named(&catalogue.api.name).is_some() && options.api_dir.is_none();
        if is_ours || !catalogue.needs_client() {
            let client = Arc::new(Keyfit { api: catalogue.api.name.clone() });
            plan.stage = Some(Arc::new(Stage::start(catalogue, client, redactor).await?));
        } else {
            "there is no generated client for an API from a folder".clone_into(&mut plan.no_stage);
        }
    }
    let (Some(base_url), Some(path)) = (&options.base_url, &options.tokens) else {
        let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
        let mock = Mock::start(api, contract, options.mutant, redactor.clone()).await;
        let mock = mock.map_err(|error| format!("error: the mock cannot be started: {error}"))?;
        let base_url = mock.base_url().parse().map_err(|error| format!("error: the mock has no URL: {error}"))?;
        plan.target = Some(target(base_url, Arc::new(mock.mint().clone())));
        return Ok((plan, "mock".to_owned(), Some(mock)));
    };
    let text = fs::read_to_string(path).map_err(|error| {
        format!("error: the tokens file cannot be read: {error}\n  --> {}\nhelp: check the path", path.display())
    })?;
    let text = Text::new(path.display().to_string(), text);
    let root = match &options.authorization_server {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => base_url.origin().ascii_serialization(),
    };
    let tokens = Tokens::read(&text, &catalogue.contract, &root, redactor).map_err(|failure| failure.to_string())?;
    plan.target = Some(target(base_url.clone(), Arc::new(tokens)));
    plan.is_read_only = !options.allow_writes;
    plan.is_thrifty = !options.allow_spend;
    plan.workers = 1;
    Ok((plan, base_url.to_string(), None))
}
