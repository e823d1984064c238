//! `conformance run`: which APIs, which cases, against what, and where the report goes.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use keyfit_conformance::apis;
use keyfit_conformance::catalogue::{Case, Catalogue, Side};
use keyfit_conformance::contract::Probe;
use keyfit_conformance::explain;
use keyfit_conformance::known::KnownFailures;
use keyfit_conformance::probe::{Aftermath, http_client};
use keyfit_conformance::report::{ApiReport, LiveReport, Report};
use keyfit_conformance::run::{Halt, Watch, run as run_cases};
use keyfit_conformance::secret::Redactor;
use keyfit_conformance::verdict::{Outcome, Verdict};
use keyfit_openapi::{Source, plain};
use tokio::task::JoinSet;

use super::subject::Subject;
use super::{file, reports};

/// What shells say of a program that an interrupt ended.
const INTERRUPTED: u8 = 130;

/// What is checked, against what, and where the report goes.
#[derive(Args, Debug)]
#[group(id = "run-options")]
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
    /// Leave the cases with this id out, by the same patterns; may be given more than once.
    #[arg(long, value_name = "GLOB")]
    skip: Vec<String>,
    /// Run one end only; with a base URL that of servers where left out.
    #[arg(long, value_name = "END")]
    side: Option<End>,
    /// List the cases and run none.
    #[arg(long)]
    list: bool,
    /// Say of the rule with this id, or of those that fit the pattern, what is required, why, and how it is checked.
    #[arg(long, value_name = "RULE", conflicts_with = "list")]
    explain: Option<String>,
    /// Failures that are known, with reasons: a TOML file. They fail nothing, and an entry that became stale does.
    #[arg(long, value_name = "FILE")]
    known_failing: Option<PathBuf>,
    /// Exit with 1 where a rule of this level is broken: `must`, or `should` as well.
    #[arg(long, value_name = "LEVEL", default_value = "must")]
    fail_on: Threshold,
    /// End the run with the first broken `must` rule.
    #[arg(long)]
    fail_fast: bool,
    /// Cases at a time; 16 against the mock, 1 against a live server where left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    parallel: Option<u16>,
    /// Run the cases in another order, which this number makes.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    #[command(flatten)]
    reports: reports::Options,
    #[command(flatten)]
    subject: Subject,
}

/// From which level on a broken rule fails the run.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Threshold {
    Must,
    Should,
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
        let cases = catalogues.iter().flat_map(|catalogue| &catalogue.cases);
        let list = cases.map(|case| format!("{} ({})", plain(&case.id), case.level));
        return file::print_lines(list).map(|()| ExitCode::SUCCESS);
    }
    if let Some(pattern) = &options.explain {
        return explain(pattern, &catalogues);
    }
    let mut known = match &options.known_failing {
        Some(path) => {
            KnownFailures::read(&file::read(path, "list of known failures")?).map_err(|failure| failure.to_string())?
        }
        None => KnownFailures::default(),
    };
    let reports = options.reports.ready()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("error: the runtime cannot be started: {error}"))?;
    let report = runtime.block_on(check(options, catalogues, &mut known))?;
    let report = reports.write(report, |previous, now| options.narrow(previous, now))?;
    if report.apis.iter().filter_map(|api| api.live.as_ref()).any(|live| live.died.is_some()) {
        eprintln!("error: the server died\nhelp: the report names the last request before that");
        return Ok(ExitCode::from(2));
    }
    Ok(match report.totals {
        totals if totals.fail > 0 || !report.stale.is_empty() => ExitCode::from(1),
        totals if totals.warn > 0 && options.fail_on == Threshold::Should => ExitCode::from(1),
        totals if totals.error > 0 => ExitCode::from(2),
        // What was not run has not passed.
        _ if report.interrupted => ExitCode::from(INTERRUPTED),
        totals if totals.skip == totals.all() => {
            eprintln!("error: no case was checked\nhelp: the report says what each of them lacks");
            ExitCode::from(2)
        }
        _ => ExitCode::SUCCESS,
    })
}

impl Options {
    /// Takes out of an earlier report what was not asked for this time.
    fn narrow(&self, previous: &mut Report, now: &Report) {
        if !self.api.is_empty() || self.api_dir.is_some() {
            previous.apis.retain(|earlier| now.apis.iter().any(|api| api.api == earlier.api));
        }
        previous.select(&self.case, &self.skip);
        for api in &mut previous.apis {
            api.cases.retain(|case| self.end().is_none_or(|end| end.is_of(case.side)));
        }
    }

    /// The end that is checked: who names a server or a client asks about that one.
    fn end(&self) -> Option<End> {
        let of_client = self.subject.client.is_given().then_some(End::Client);
        self.side.or(of_client).or(self.subject.live.base_url.as_ref().map(|_| End::Server))
    }
}

impl End {
    fn is_of(self, side: Side) -> bool {
        (side == Side::Server) == matches!(self, Self::Server)
    }
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
        if let Some(note) = catalogue.api.ignored_hints() {
            file::complain(&format!("note: {note}\n  --> {}", source.document.path));
        }
        catalogue.select(&options.case, &options.skip);
        if let Some(end) = options.end() {
            catalogue.cases.retain(|case| end.is_of(case.side));
        }
        catalogues.push(catalogue);
    }
    if options.subject.live.base_url.is_some() && catalogues.len() != 1 {
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
    let sources = apis::all();
    // Contracts are named by the last part of the folder's name.
    let fits =
        |name: &String| sources.iter().any(|source| source.name == *name || source.name.ends_with(&format!("-{name}")));
    if let Some(unknown) = options.api.iter().find(|name| !fits(name)) {
        let known: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
        return Err(format!("error: there is no API called `{unknown}`\nhelp: the APIs are {}", known.join(", ")));
    }
    Ok(sources)
}

fn explain(pattern: &str, catalogues: &[Arc<Catalogue>]) -> Result<ExitCode, String> {
    let texts: Vec<String> = catalogues.iter().flat_map(|catalogue| explain::rules(catalogue, pattern)).collect();
    if texts.is_empty() {
        return Err(format!(
            "error: there is no rule `{pattern}`\nhelp: a rule is called as in `ingest.auth.no-token`; reports name them; `*` fits any one part, and `**` anything"
        ));
    }
    file::print(&texts.join("\n")).map(|()| ExitCode::SUCCESS)
}

async fn check(
    options: &Options,
    catalogues: Vec<Arc<Catalogue>>,
    known: &mut KnownFailures,
) -> Result<Report, String> {
    let started = Instant::now();
    let halt = Halt::default();
    let was_interrupted = Arc::new(AtomicBool::new(false));
    let listening = tokio::spawn(halt_on_interrupt(halt.clone(), Arc::clone(&was_interrupted)));
    let bar = progress(&catalogues);
    let redactor = Redactor::default();
    // Of the mocks: a live server has its own.
    let http = http_client(false).map_err(|error| format!("error: the HTTP client cannot be set up: {error}"))?;
    let is_ours = options.api_dir.is_none();
    let mut running = JoinSet::new();
    for (place, catalogue) in catalogues.into_iter().enumerate() {
        let (mut plan, server, mock) = options.subject.plan(&catalogue, is_ours, &http, &redactor, &halt).await?;
        plan.is_fail_fast = options.fail_fast;
        plan.seed = options.seed;
        plan.workers = options.parallel.map_or(plan.workers, usize::from);
        plan.watch = bar.clone().map(watch);
        running.spawn(async move {
            let outcomes = run_cases(&catalogue, &plan).await;
            let aftermath = match &plan.target {
                Some(target) => target.finish(&catalogue).await,
                None => Aftermath::default(),
            };
            drop(mock);
            (place, catalogue, server, outcomes, aftermath)
        });
    }
    let mut done = Vec::new();
    while let Some(checked) = running.join_next().await {
        done.push(checked.map_err(|error| format!("error: a check broke off: {error}"))?);
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    done.sort_by_key(|(place, ..)| *place);
    let mut requests = 0;
    let mut apis = Vec::new();
    for (_, catalogue, server, mut outcomes, aftermath) in done {
        requests += aftermath.requests;
        for (case, outcome) in catalogue.cases.iter().zip(&mut outcomes) {
            requests += outcome.requests;
            known.settle(&case.id, outcome);
        }
        if is_elsewhere(&catalogue, &outcomes) && options.subject.live.base_url.is_some() {
            eprintln!("note: every valid call is answered 404: does the base URL lack a path, such as /v1?");
        }
        let mut report = ApiReport::new(&catalogue, &server, outcomes, &redactor);
        if options.subject.live.base_url.is_some() {
            report.live = Some(LiveReport::new(aftermath, options.subject.live.notes(), &redactor));
        }
        apis.push(report);
    }
    let mut report = Report::new(apis, requests, started.elapsed());
    // The server's end is all that there is to a live server.
    let is_one_end = options.side.is_some() || options.subject.client.is_given();
    let is_partial = is_one_end || !(options.api.is_empty() && options.case.is_empty() && options.skip.is_empty());
    report.stale = known.stale(!is_partial && !halt.is_halted());
    report.interrupted = was_interrupted.load(Ordering::SeqCst);
    if report.interrupted {
        eprintln!("the run was interrupted: the report is of the cases before that");
    }
    listening.abort();
    Ok(report)
}

/// Whether no valid call leads anywhere.
fn is_elsewhere(catalogue: &Catalogue, outcomes: &[Outcome]) -> bool {
    let valid = |case: &Case| catalogue.rule(case).probe == Some(Probe::Valid);
    let mut valid =
        catalogue.cases.iter().zip(outcomes).filter(|(case, outcome)| valid(case) && outcome.status.is_some());
    let first = valid.next();
    first.into_iter().chain(valid).all(|(_, outcome)| outcome.status == Some(404)) && first.is_some()
}

/// The first interrupt lets the requests on their way end and reports on them, the second one ends the program.
async fn halt_on_interrupt(halt: Halt, was_interrupted: Arc<AtomicBool>) {
    if interrupted().await.is_ok() {
        // Before the halt: the run may end at once.
        was_interrupted.store(true, Ordering::SeqCst);
        halt.halt();
        eprintln!("interrupted: the requests under way are waited for");
        tokio::spawn(async {
            if interrupted().await.is_ok() {
                std::process::exit(INTERRUPTED.into());
            }
        });
    }
}

/// Ctrl-C, or what CI systems send.
async fn interrupted() -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            ended = tokio::signal::ctrl_c() => ended,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// A progress bar on a terminal, and nothing elsewhere.
fn progress(catalogues: &[Arc<Catalogue>]) -> Option<ProgressBar> {
    let cases: usize = catalogues.iter().map(|catalogue| catalogue.cases.len()).sum();
    if !std::io::stderr().is_terminal() {
        return None;
    }
    let bar = ProgressBar::new(cases as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} cases, {msg}{eta} left") {
        bar.set_style(style);
    }
    Some(bar)
}

fn watch(bar: ProgressBar) -> Watch {
    let broken = AtomicUsize::new(0);
    Arc::new(move |_, outcome| {
        if outcome.verdict == Verdict::Fail {
            bar.set_message(format!("{} broken, ", broken.fetch_add(1, Ordering::Relaxed) + 1));
        }
        bar.inc(1);
    })
}
