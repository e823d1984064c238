//! `keyfit check`: which APIs, which cases, against what, and where the report goes.

use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use keyfit_conformance::UserError;
use keyfit_conformance::baseline::{Baseline, BaselineUpdate};
use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::credential::secret::Redactor;
use keyfit_conformance::judgement::verdict::Verdict;
use keyfit_conformance::probe::http_client;
use keyfit_conformance::report::Report;
use keyfit_conformance::run::{CaseCallback, Halt, check as check_cases};
use keyfit_openapi::{Text, plain};
use tokio::task::JoinSet;

use super::apis::ApiArgs;
use super::subject::SubjectArgs;
use super::{file, reports, runtime};
use crate::terminal::console;
use crate::terminal::exit::ExitStatus;
use crate::terminal::interrupt::Interrupts;

pub(super) const EXAMPLES: &str = "\
Examples:
  keyfit check                                  both ends of every API that ships, servers as a mock in this process
  keyfit check --api ingest --case 'ingest/auth/**' --list
  keyfit check --api-dir shop                   an API of your own, against a mock of its document
  keyfit check --api-dir shop --base-url https://staging.example.com/v1 --tokens shop/tokens.toml
  keyfit check --report html=report.html --report junit=report.xml";

/// What is checked, against what, and where the report goes.
#[derive(Args, Debug)]
#[group(id = "run-options")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    apis: ApiArgs,
    /// Run the cases with this id; `*` stands for a segment, `**` for any; may be given more than once.
    #[arg(long, value_name = "GLOB")]
    case: Vec<String>,
    /// Leave the cases with this id out, by the same patterns; may be given more than once.
    #[arg(long, value_name = "GLOB")]
    skip: Vec<String>,
    /// Run one end only; with a base URL that of servers where left out.
    #[arg(long, value_name = "END")]
    side: Option<SideFilter>,
    /// List the cases and run none.
    #[arg(long)]
    list: bool,
    /// The failures that are known: a TOML file. They fail nothing; what is new does, and an entry that became stale.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Bring the baseline up to date: what fails is added, what does not fail any more is taken out, reasons stay.
    #[arg(long, requires = "baseline")]
    write_baseline: bool,
    /// Exit with 1 where a rule of this level is broken: `must`, or `should` as well.
    #[arg(long, value_name = "LEVEL", default_value = "must")]
    fail_on: FailLevel,
    /// End the run with the first broken `must` rule.
    #[arg(long)]
    fail_fast: bool,
    /// Cases at a time; 16 against the mock, 1 against a live server where left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    parallel: Option<u16>,
    /// Run the cases in another order, which this number makes.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    #[command(flatten, next_help_heading = "Reports")]
    reports: reports::ReportArgs,
    #[command(flatten)]
    subject: SubjectArgs,
}

/// From which level on a broken rule fails the run.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum FailLevel {
    Must,
    Should,
}

/// One end of a contract.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum SideFilter {
    Server,
    Client,
}

/// Runs the cases and prints the report.
pub(crate) fn run(args: &CheckArgs) -> Result<ExitStatus, UserError> {
    let catalogues = catalogues(args)?;
    if args.list {
        let cases = catalogues.iter().flat_map(|catalogue| &catalogue.cases);
        let list = cases.map(|case| format!("{} ({})", plain(&case.id), case.level));
        return console::print_lines(list).map(|()| ExitStatus::Success);
    }
    let mut known = baseline(args)?;
    let reports = args.reports.ready()?;
    let Some(report) = runtime()?.block_on(check(args, catalogues, &mut known))? else {
        return Ok(ExitStatus::Interrupted);
    };
    let report = reports.write(report, |previous, now| args.narrow(previous, now))?;
    if let (true, Some(path)) = (args.write_baseline, &args.baseline) {
        write_baseline(path, &known.updated(args.is_whole() && !report.interrupted)?)?;
    }
    let has_died = report.apis.iter().filter_map(|api| api.live.as_ref()).any(|live| live.died.is_some());
    if has_died {
        eprintln!(
            "error: the server died\nhelp: the report names the last request before that; the cases after it were not run"
        );
    }
    Ok(match report.totals {
        totals if totals.fail > 0 || !report.stale.is_empty() => ExitStatus::Findings,
        totals if totals.warn > 0 && args.fail_on == FailLevel::Should => ExitStatus::Findings,
        totals if totals.error > 0 || has_died => ExitStatus::Incomplete,
        // Cases that were not run have not passed.
        _ if report.interrupted => ExitStatus::Interrupted,
        totals if totals.skip == totals.all() => {
            eprintln!("error: no case was checked\nhelp: the report says what each of them lacks");
            ExitStatus::Incomplete
        }
        _ => ExitStatus::Success,
    })
}

/// Reads the known failures; there are none if the file is to be written and does not exist yet.
fn baseline(args: &CheckArgs) -> Result<Baseline, UserError> {
    match &args.baseline {
        None => Ok(Baseline::default()),
        Some(path) if args.write_baseline && !path.exists() => {
            Ok(Baseline::read(&Text::new(path.display().to_string(), ""))?)
        }
        Some(path) => {
            let help = "name the file that `--write-baseline` wrote, or add that option to begin it";
            Ok(Baseline::read(&file::read_or(path, "baseline", help)?)?)
        }
    }
}

fn write_baseline(path: &Path, updated: &BaselineUpdate) -> Result<(), UserError> {
    let BaselineUpdate { text, added, removed } = updated;
    fs::write(path, text).map_err(|error| {
        UserError::new(format!("the baseline cannot be written: {error}"))
            .at(path.display())
            .help("check that its folder exists and that you may write there")
    })?;
    eprintln!("baseline: {} entries added, {} ids taken out: {}", added, removed, path.display());
    Ok(())
}

impl CheckArgs {
    /// Returns whether all cases are run: of both sides, or of a live server those of the server side.
    fn is_whole(&self) -> bool {
        let is_one_end = self.side.is_some() || self.subject.client.is_given();
        !is_one_end && self.apis.api.is_empty() && self.case.is_empty() && self.skip.is_empty()
    }

    /// Removes the cases from an earlier report that this run did not select.
    fn narrow(&self, previous: &mut Report, now: &Report) {
        if !self.apis.api.is_empty() || self.apis.api_dir.is_some() {
            previous.apis.retain(|earlier| now.apis.iter().any(|api| api.api == earlier.api));
        }
        previous.select(&self.case, &self.skip);
        for api in &mut previous.apis {
            api.cases.retain(|case| self.end().is_none_or(|end| end.is_of(case.side)));
        }
    }

    /// Returns the side that is checked: that of the named server or client.
    fn end(&self) -> Option<SideFilter> {
        let of_client = self.subject.client.is_given().then_some(SideFilter::Client);
        self.side.or(of_client).or(self.subject.live.is_given().then_some(SideFilter::Server))
    }
}

impl SideFilter {
    fn is_of(self, side: Side) -> bool {
        (side == Side::Server) == matches!(self, Self::Server)
    }
}

fn catalogues(args: &CheckArgs) -> Result<Vec<Arc<Catalogue>>, UserError> {
    let mut catalogues = args.apis.catalogues()?;
    for catalogue in &mut catalogues {
        catalogue.select(&args.case, &args.skip);
        if let Some(end) = args.end() {
            catalogue.cases.retain(|case| end.is_of(case.side));
        }
    }
    if args.subject.live.is_given() && catalogues.len() != 1 {
        return Err(UserError::new("a live server belongs to one API").help("name it with --api or --api-dir"));
    }
    catalogues.retain(|catalogue| !catalogue.cases.is_empty());
    if catalogues.is_empty() {
        return Err(
            UserError::new("no case fits").help("--list shows the ids; `*` stays within a segment, `**` does not")
        );
    }
    Ok(catalogues.into_iter().map(Arc::new).collect())
}

async fn check(
    args: &CheckArgs,
    catalogues: Vec<Arc<Catalogue>>,
    known: &mut Baseline,
) -> Result<Option<Report>, UserError> {
    let started = Instant::now();
    let halt = Halt::default();
    let was_interrupted = Arc::new(AtomicBool::new(false));
    let interrupts = Interrupts::new();
    let interrupts = interrupts.map_err(|error| UserError::new(format!("signals cannot be waited for: {error}")))?;
    let listening = tokio::spawn(halt_on_interrupt(interrupts, halt.clone(), Arc::clone(&was_interrupted)));
    let bar = progress(&catalogues);
    let redactor = Redactor::default();
    // Of the mocks: a live server has its own.
    let http =
        http_client(false).map_err(|error| UserError::new(format!("the HTTP client cannot be set up: {error}")))?;
    let is_ours = args.apis.api_dir.is_none();
    let mut running = JoinSet::new();
    for (place, catalogue) in catalogues.into_iter().enumerate() {
        let plan = args.subject.plan(&catalogue, is_ours, &http, &redactor, &halt).await?;
        let Some((mut plan, server, mock)) = plan else {
            eprintln!("the run was interrupted before the server answered: nothing was checked");
            return Ok(None);
        };
        plan.is_fail_fast = args.fail_fast;
        plan.seed = args.seed;
        plan.workers = args.parallel.map_or(plan.workers, usize::from);
        plan.watch = bar.clone().map(watch);
        running.spawn(async move {
            let checked = check_cases(catalogue, &plan, server).await;
            drop(mock);
            (place, checked)
        });
    }
    let mut done = Vec::new();
    while let Some(checked) = running.join_next().await {
        done.push(checked.map_err(|error| UserError::new(format!("a check broke off: {error}")))?);
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    done.sort_by_key(|(place, ..)| *place);
    let mut requests = 0;
    let mut apis = Vec::new();
    for (_, mut checked) in done {
        checked.mark_known(known, args.write_baseline, &redactor);
        let notes = args.subject.live.is_given().then(|| args.subject.live.notes());
        let (report, sent) = checked.report(notes, &redactor);
        requests += sent;
        apis.push(report);
    }
    let mut report = Report::new(apis, requests, started.elapsed());
    report.baseline = args.baseline.is_some().then(|| known.path().to_owned());
    if !args.write_baseline {
        report.stale = known.stale(args.is_whole() && !halt.is_halted());
    }
    report.interrupted = was_interrupted.load(Ordering::SeqCst);
    if report.interrupted {
        eprintln!("the run was interrupted: the report is of the cases before that");
    }
    listening.abort();
    Ok(Some(report))
}

/// Handles interrupts: the first one lets the current requests end and reports on them, the second one ends the program.
async fn halt_on_interrupt(mut interrupts: Interrupts, halt: Halt, was_interrupted: Arc<AtomicBool>) {
    interrupts.next().await;
    // Before the halt: the run may end at once.
    was_interrupted.store(true, Ordering::SeqCst);
    halt.halt();
    eprintln!("interrupted: the requests under way are waited for");
    interrupts.exit_with_next();
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

fn watch(bar: ProgressBar) -> CaseCallback {
    let broken = AtomicUsize::new(0);
    Arc::new(move |_, outcome| {
        if outcome.verdict == Verdict::Fail {
            bar.set_message(format!("{} broken, ", broken.fetch_add(1, Ordering::Relaxed) + 1));
        }
        bar.inc(1);
    })
}
