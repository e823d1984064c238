//! Contract checks in ordinary tests: for a client, a server, or the mock.

mod findings;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use keyfit::dispatch::{Access, Dispatch};
use keyfit::{Config, Error};
use keyfit_openapi::Source;
use reqwest::Url;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

pub use self::findings::Findings;
use crate::UserError;
use crate::apis;
use crate::baseline::Baseline;
use crate::catalogue::{Catalogue, Side};
use crate::credential::secret::Redactor;
use crate::drive::{ClientHarness, Connect, Keyfit};
use crate::file;
use crate::judgement::verdict::shell_word;
use crate::probe::{Http, LivePolicy, ReceiverAddress, TransportSettings, http_client, is_loopback};
use crate::report::Report;
use crate::run::{self, Plan};
use crate::server::{self, Credentials, LiveServer, server_url};

/// Creates a check of an API in a test. `api` is its folder, or its document with a `contract.toml` beside it, relative to the crate,
/// where cargo runs tests; or the name of an API that ships, such as `scopien`.
///
/// Both [`client`](Check::client) and [`server`](Check::server) are checked, if they are set. Otherwise the mock of the API is checked,
/// which shows that contract and document match.
///
/// ```no_run
/// # use keyfit::scopien as parcels;
/// #[test]
/// fn the_client_keeps_its_contract() {
///     keyfit_conformance::check("api/parcels").client(parcels::connect).assert();
/// }
/// ```
pub fn check(api: impl Into<PathBuf>) -> Check {
    Check {
        api: api.into(),
        client: None,
        server: None,
        servers: Vec::new(),
        receiver: None,
        allow_writes: false,
        allow_spend: false,
        only: Vec::new(),
        skip: Vec::new(),
        baseline: None,
    }
}

/// A check that can be run.
#[must_use = "nothing is checked before `assert` or `run`"]
pub struct Check {
    api: PathBuf,
    client: Option<Arc<dyn Connect>>,
    /// The base URL, and the tokens file.
    server: Option<(String, PathBuf)>,
    /// The URLs that replace documented servers.
    servers: Vec<(String, String)>,
    /// The receiver of webhook deliveries.
    receiver: Option<ReceiverAddress>,
    allow_writes: bool,
    allow_spend: bool,
    only: Vec<String>,
    skip: Vec<String>,
    baseline: Option<PathBuf>,
}

impl Check {
    /// Checks the client that `connect` of generated code creates, with a server that is scripted for each case.
    ///
    /// Generated code has `connect` in the unit tests of its crate. It is available in `tests/` if the code was generated with
    /// `.dispatch(Dispatch::Always)`, or by `keyfit generate --dispatch always`.
    pub fn client(
        mut self,
        connect: impl Fn(Config, Access) -> Result<Box<dyn Dispatch>, Error> + Send + Sync + 'static,
    ) -> Self {
        self.client = Some(Arc::new(Keyfit::new(connect)));
        self
    }

    /// Checks the live server at this URL with the tokens of this file, as `keyfit check --base-url --tokens` does.
    pub fn server(mut self, base_url: impl Into<String>, tokens: impl Into<PathBuf>) -> Self {
        self.server = Some((base_url.into(), tokens.into()));
        self
    }

    /// Sets the URL for the operations with this documented server of their own, as `--server` does. They are skipped without it, unless the
    /// URL of the live server is on the local machine.
    pub fn server_in_place(mut self, documented: impl Into<String>, url: impl Into<String>) -> Self {
        self.servers.push((documented.into(), url.into()));
        self
    }

    /// Sets the address for webhooks and callbacks of the live server, `HOST:PORT` or `URL=HOST:PORT`, as `--receiver` does. A server on the
    /// local machine does not need it.
    ///
    /// # Panics
    /// If the text is neither.
    #[track_caller]
    pub fn receiver(mut self, at: &str) -> Self {
        self.receiver = Some(at.parse().unwrap_or_else(|problem| panic!("{at}: {problem}")));
        self
    }

    /// Allows calls that change something at the live server.
    pub fn allow_writes(mut self) -> Self {
        self.allow_writes = true;
        self
    }

    /// Allows calls that cost money at the live server.
    pub fn allow_spend(mut self) -> Self {
        self.allow_spend = true;
        self
    }

    /// Restricts the check to cases with matching ids; `*` matches a segment, `**` anything. May be called more than once.
    pub fn only(mut self, pattern: impl Into<String>) -> Self {
        self.only.push(pattern.into());
        self
    }

    /// Skips cases with matching ids. May be called more than once.
    pub fn skip(mut self, pattern: impl Into<String>) -> Self {
        self.skip.push(pattern.into());
        self
    }

    /// Sets the file of known failures, as `--baseline` does. A stale entry is a failure.
    pub fn baseline(mut self, file: impl Into<PathBuf>) -> Self {
        self.baseline = Some(file.into());
        self
    }

    /// Runs the cases and returns the findings. Blocks the caller, with or without a runtime.
    ///
    /// # Errors
    /// Returns an error if a file cannot be used, if no case matches, if the client or the server cannot be reached, or if the server is on
    /// the local machine and the caller is a runtime thread: the server may be one of its tasks.
    pub fn run(self) -> Result<Findings, UserError> {
        if let Some(url) = self.server_url()?.filter(|url| is_loopback(url) && Handle::try_current().is_ok()) {
            return Err(UserError::new("the runtime of the test would wait for the check, and not serve what it asks")
                .at(url)
                .help("write `.run_async().await`, and then `.assert()` for what it returns"));
        }
        // A runtime cannot be started on a thread that already has one.
        let finished = thread::scope(|scope| scope.spawn(|| self.run_blocking()).join());
        finished.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Runs the cases as [`run`](Self::run) does, for an async test that continues meanwhile, for example with the server.
    ///
    /// # Errors
    /// Returns an error if [`run`](Self::run) would, except for its last reason.
    pub async fn run_async(self) -> Result<Findings, UserError> {
        let (done, finished) = oneshot::channel();
        // If the test gave up, the receiver no longer exists.
        thread::spawn(|| drop(done.send(self.run_blocking())));
        finished.await.unwrap_or_else(|_| Err(UserError::new("the check broke off")))
    }

    /// Runs the cases, and panics with the report unless the contract is kept.
    ///
    /// # Panics
    /// If a `must` rule is broken, a known failure is stale, a case could not be judged, none was run, or
    /// [`run`](Self::run) returns an error.
    #[track_caller]
    pub fn assert(self) {
        match self.run() {
            Ok(findings) => findings.assert(),
            Err(error) => panic!("{error}"),
        }
    }

    /// Runs the check on a new runtime.
    fn run_blocking(self) -> Result<Findings, UserError> {
        let runtime = Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| UserError::new(format!("the runtime cannot be started: {error}")))?;
        runtime.block_on(self.checked())
    }

    async fn checked(self) -> Result<Findings, UserError> {
        let started = Instant::now();
        let (source, named_by) = self.source()?;
        let mut catalogue = Catalogue::read(&source)?;
        self.select(&mut catalogue)?;
        let mut known = match &self.baseline {
            Some(path) => Baseline::read(&file::read(path, "baseline")?)?,
            None => Baseline::default(),
        };
        let catalogue = Arc::new(catalogue);
        let redactor = Redactor::default();
        let mut plan = Plan::default();
        if let Some(client) = &self.client {
            let stage = ClientHarness::start(&catalogue, Arc::clone(client), &redactor).await;
            let undrivable = |reason: String| UserError::new("the client cannot be driven").help(reason);
            plan.stage = Some(Arc::new(stage.map_err(undrivable)?));
        }
        let mut notes = None;
        let mut mock = None;
        let server = match (&self.server, self.server_url()?) {
            (Some((_, tokens)), Some(url)) => {
                notes = Some(Vec::new());
                self.reach(&url, tokens, &mut plan, &catalogue, &redactor).await?;
                url.to_string()
            }
            _ if self.client.is_some() => "none".to_owned(),
            _ => {
                let http = http_client(false)
                    .map_err(|error| UserError::new(format!("the HTTP client cannot be set up: {error}")))?;
                let (target, serving) = server::mock(&catalogue, None, &http, &redactor).await?;
                plan.target = Some(Arc::new(target));
                mock = Some(serving);
                "mock".to_owned()
            }
        };
        let mut checked = run::check(catalogue, &plan, server).await;
        drop(mock);
        checked.mark_known(&mut known, false, &redactor);
        let (report, requests) = checked.report(notes, &redactor);
        let mut report = Report::new(vec![report], requests, started.elapsed());
        // Without all cases, missing failures are not stale; one side alone is only a part.
        report.stale = known.stale(false);
        report.baseline = self.baseline.is_some().then(|| known.path().to_owned());
        Ok(Findings::new(report, named_by))
    }

    /// Returns the API, and the arguments of the command that select it.
    fn source(&self) -> Result<(Source, String), UserError> {
        let path = &self.api;
        if path.is_dir() {
            return Ok((Source::from_dir(path)?, named_by(path)));
        }
        let name = path.to_string_lossy();
        let is_name = !name.contains(['/', '\\', '.']);
        if is_name && !path.exists() {
            let source = apis::find(&name).map_err(|error| {
                let known: Vec<String> = apis::all().into_iter().map(|source| source.name).collect();
                error.help(format!("name a folder, relative to the crate, or one of {}", known.join(", ")))
            })?;
            let named_by = format!("--api {}", source.name);
            return Ok((source, named_by));
        }
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok((Source::from_document(path)?, named_by(folder)))
    }

    /// Keeps the selected cases.
    fn select(&self, catalogue: &mut Catalogue) -> Result<(), UserError> {
        let (client, server) = (self.client.is_some(), self.server.is_some());
        let is_checked = |side: Side| match side {
            Side::Client => client,
            Side::Server => server || !client,
        };
        let has = |side: Side| catalogue.cases.iter().any(|case| case.side == side);
        for side in [Side::Client, Side::Server] {
            if is_checked(side) && !has(side) {
                let (end, how) = match side {
                    Side::Client => ("clients", "`drive`"),
                    Side::Server => ("servers", "`probe`"),
                };
                return Err(UserError::new(format!("the contract has no rule for {end}"))
                    .at(&catalogue.contract_path)
                    .help(format!("give it a [[rule]] with {how}; `keyfit init` writes a first set of them")));
            }
        }
        catalogue.cases.retain(|case| is_checked(case.side));
        catalogue.select(&self.only, &self.skip);
        if catalogue.cases.is_empty() {
            return Err(UserError::new("no case fits `only` and `skip`")
                .at(&catalogue.contract_path)
                .help("`keyfit check --list` shows the ids; `*` stays within a segment, `**` does not"));
        }
        Ok(())
    }

    fn server_url(&self) -> Result<Option<Url>, UserError> {
        let Some((url, _)) = &self.server else { return Ok(None) };
        let read = server_url(url).map_err(|problem| UserError::new("not the URL of a server").help(problem));
        read.map(Some)
    }

    async fn reach(
        &self,
        base_url: &Url,
        tokens: &Path,
        plan: &mut Plan,
        catalogue: &Catalogue,
        redactor: &Redactor,
    ) -> Result<(), UserError> {
        refuse_plain(base_url)?;
        let url_of = |text: &str| {
            let url = server_url(text).map_err(|problem| UserError::new("not the URL of a server").help(problem))?;
            refuse_plain(&url).map(|()| url)
        };
        let servers = self
            .servers
            .iter()
            .map(|(documented, url)| Ok((documented.trim_end_matches('/').to_owned(), url_of(url)?)));
        let servers: Vec<(String, Url)> = servers.collect::<Result<_, UserError>>()?;
        let policy = LivePolicy { allow: Vec::new(), allow_spend: self.allow_spend, query_tokens: false, rate: None };
        let live = LiveServer {
            base_url,
            servers: &servers,
            credentials: Credentials::File { tokens, env_file: None, held: Vec::new() },
            authorization_servers: &[],
            allow_writes: self.allow_writes,
            policy,
            receiver: self.receiver.as_ref(),
        };
        let http = |_: &[_]| {
            Http::new(&TransportSettings::default())
                .map_err(|problem| UserError::new(format!("the HTTP client cannot be set up: {problem}")))
        };
        live.connect(plan, catalogue, http, |note| eprintln!("note: {note}"), redactor).await.map(drop)
    }
}

/// Returns an error for a URL over which tokens would be sent in clear text.
fn refuse_plain(url: &Url) -> Result<(), UserError> {
    if url.scheme() == "https" || is_loopback(url) {
        return Ok(());
    }
    Err(UserError::new("tokens would be sent over plain http").at(url).help("use https"))
}

fn named_by(folder: &Path) -> String {
    format!("--api-dir {}", shell_word(&folder.to_string_lossy()))
}
