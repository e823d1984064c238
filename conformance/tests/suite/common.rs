//! What the tests share: an API's catalogue, and a run of its cases against mock or client.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use httpmock::{HttpMockRequest, HttpMockResponse, MockServer};
use keyfit_conformance::apis;
use keyfit_conformance::catalogue::{Case, Catalogue, Side};
use keyfit_conformance::credential::secret::Redactor;
use keyfit_conformance::drive::{ClientHarness, Connect};
use keyfit_conformance::judgement::verdict::Outcome;
use keyfit_conformance::mock::{Mock, Mutant};
use keyfit_conformance::probe::{TargetServer, http_client};
use keyfit_conformance::run::{Plan, run};
use keyfit_openapi::Source;

/// The APIs that ship.
const SHIPPED: [&str; 5] =
    ["instasent-ingest", "instasent-legacy", "instasent-product", "instasent-transactional", "scopien"];

/// An identity of a tokens file: name, kind, state, the variable that holds its secret, and what else is said of it.
macro_rules! identity {
    ($name:literal, $kind:literal, $state:literal, $variable:literal $(, $more:literal)?) => {
        concat!(
            "[[identity]]\nname = \"", $name, "\"\nkind = \"", $kind, "\"\nstate = \"", $state,
            "\"\nsecret = { env = \"", $variable, "\" }\n", $($more, "\n",)? "\n"
        )
    };
}
pub(crate) use identity;

/// Compares a schema with the committed one.
pub(crate) fn committed(path: &str, schema: &schemars::Schema) {
    made(path, &format!("{}\n", serde_json::to_string_pretty(schema).expect("a schema is JSON")));
}

/// Compares a file that tests make with the committed one. Writes it anew where `KEYFIT_WRITE_SCHEMAS` is set.
#[expect(clippy::disallowed_methods, reason = "a switch of these tests alone")]
pub(crate) fn made(path: &str, text: &str) {
    if std::env::var_os("KEYFIT_WRITE_SCHEMAS").is_some() {
        fs::write(path, text).expect("the file can be written");
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(found == text, "{path} is out of date: run with KEYFIT_WRITE_SCHEMAS=1 and commit it");
}

/// The catalogue of every API that ships.
pub(crate) fn catalogues() -> Vec<Catalogue> {
    read(&apis::shipped())
}

/// Whether an API was added to this checkout: what is true of those that ship need not
/// be true of any API, whose snapshots show what its rules find.
pub(crate) fn is_added(catalogue: &Catalogue) -> bool {
    let is_here = apis::find_shipped(&catalogue.api.name).is_some();
    is_here && !SHIPPED.contains(&catalogue.api.name.as_str())
}

/// The same, and those of the templates, which have no client.
pub(crate) fn with_templates() -> Vec<Catalogue> {
    read(&sources())
}

/// The same as [`with_templates`], and four APIs that are nobody's: in one several credentials are needed at once, one answers item
/// by item, one has members of one direction and answers that are one of several, and one takes idempotency keys.
pub(crate) fn with_gates() -> Vec<Catalogue> {
    let mut sources = sources();
    sources.push(crate::gates::source());
    sources.push(crate::streams::source());
    sources.push(crate::directions::source());
    sources.push(crate::calls::source());
    read(&sources)
}

/// The same, and six APIs that are nobody's, with the rules that none of the others has.
pub(crate) fn with_fixtures() -> Vec<Catalogue> {
    let fixture = |name: &str| Source::from_dir(&Path::new("tests/fixtures/apis").join(name)).expect(name);
    let mut sources = sources();
    sources.extend(["answers", "hooks", "records", "rights", "series", "shop"].map(fixture));
    sources.push(crate::gates::source());
    sources.push(crate::flows::source());
    read(&sources)
}

/// Every API and every template that ships.
pub(crate) fn sources() -> Vec<Source> {
    apis::all()
}

/// A contract without these rules, each by what follows the name of the API in its id, nor a set that would bring them back.
pub(crate) fn without(contract: &str, rules: &[&str]) -> String {
    let is_left_out = |rule: &&str| rules.iter().any(|left_out| rule.contains(&format!(".{left_out}\"")));
    let kept: String = contract.split_inclusive("\n[[rule]]").filter(|rule| !is_left_out(rule)).collect();
    kept.split_inclusive('\n').filter(|line| !line.starts_with("requirements = ")).collect()
}

/// Whether a complaint names all APIs, and the complaint without the names: they are not the same in each checkout.
pub(crate) fn without_names(said: &str) -> String {
    let lists = ["help: the APIs are ", "help: the names are: "];
    let line = |line: &str| {
        let Some((list, names)) = lists.iter().find_map(|list| Some((list, line.strip_prefix(list)?))) else {
            return format!("{line}\n");
        };
        let told: BTreeSet<&str> = names.split(", ").collect();
        let known = sources();
        assert_eq!(told, known.iter().map(|source| source.name.as_str()).collect(), "{said}");
        format!("{list}<all of them>\n")
    };
    said.lines().map(line).collect()
}

fn read(sources: &[Source]) -> Vec<Catalogue> {
    sources.iter().map(|source| Catalogue::read(source).unwrap_or_else(|failure| panic!("{failure}"))).collect()
}

/// The same with the cases of one side.
pub(crate) fn side(mut catalogue: Catalogue, side: Side) -> Arc<Catalogue> {
    catalogue.cases.retain(|case| case.side == side);
    Arc::new(catalogue)
}

/// Runs server-side cases against the mock.
pub(crate) async fn against_mock(
    catalogue: &Arc<Catalogue>,
    mutant: Option<Mutant>,
    http: &reqwest::Client,
) -> Vec<Outcome> {
    let redactor = Redactor::default();
    let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
    let mock = Mock::start(api, contract, mutant, redactor.clone()).await.expect("a loopback socket");
    let base_url = mock.base_url().parse().expect("a URL");
    let target = TargetServer::new(http.clone(), base_url, Arc::new(mock.token_issuer().clone()), redactor);
    run(catalogue, &Plan { target: Some(Arc::new(target)), ..Plan::default() }).await
}

/// Runs client-side cases against a client.
pub(crate) async fn against_client(catalogue: &Arc<Catalogue>, client: Arc<dyn Connect>) -> Vec<Outcome> {
    let workers = Plan::default().workers;
    against_clients(catalogue, client, workers).await
}

/// The same, with so many clients at a time.
pub(crate) async fn against_clients(
    catalogue: &Arc<Catalogue>,
    client: Arc<dyn Connect>,
    workers: usize,
) -> Vec<Outcome> {
    let stage = ClientHarness::start(catalogue, client, &Redactor::default()).await.expect("a client");
    run(catalogue, &Plan { stage: Some(Arc::new(stage)), workers, ..Plan::default() }).await
}

/// The HTTP client of probes.
pub(crate) fn http() -> reqwest::Client {
    http_client(false).expect("no TLS is needed")
}

/// Why the mock leaves a case out, whatever it is given.
pub(crate) const UNSEEN: &str = "the mock speaks plain HTTP, over which no client certificate is shown";
const UNOWNED: &str = "the mock tells apart whose the tenants of the contract are, and no other ids";

/// What a document may have no place for, so that the answers of its mock have none.
const UNTOLD: [&str; 5] = [
    "its answer has no `Location`",
    "it is answered 200, not 201",
    "the list has pages, and what was made is on none of the first ones",
    "answer does not tell what was made",
    "no member of its body is plain text or a number that is read as well",
];

/// The cases that did not pass, with why; not those that are not reached for it, nor those that no mock can show.
pub(crate) fn broken<'a>(catalogue: &'a Catalogue, outcomes: &'a [Outcome]) -> Vec<(&'a Case, &'a str)> {
    let cases = catalogue.cases.iter().zip(outcomes).filter(|(_, outcome)| outcome.follows.is_none());
    let cases = cases.filter(|(_, outcome)| {
        let reason = outcome.reason.as_deref().unwrap_or_default();
        !matches!(reason, UNSEEN | UNOWNED) && !UNTOLD.iter().any(|untold| reason.ends_with(untold))
    });
    cases.filter_map(|(case, outcome)| Some((case, outcome.reason.as_deref()?))).collect()
}

/// A server that answers everything in one way and keeps the requests as text.
pub(crate) struct Recorder {
    server: MockServer,
    answer: Arc<Mutex<(u16, String)>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    pub(crate) async fn start() -> Self {
        let server = MockServer::start_async().await;
        let answer = Arc::new(Mutex::new((200, "{}".to_owned())));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answers, kept) = (Arc::clone(&answer), Arc::clone(&requests));
        let respond = move |request: &HttpMockRequest| {
            kept.lock().expect("no panic").push(written(request));
            let (status, body) = answers.lock().expect("no panic").clone();
            HttpMockResponse::builder().status(status).header("content-type", "application/json").body(body).build()
        };
        server
            .mock_async(|when, then| {
                when.any_request();
                then.respond_with(respond);
            })
            .await;
        Self { server, answer, requests }
    }

    pub(crate) fn base_url(&self) -> String {
        self.server.base_url()
    }

    pub(crate) fn set(&self, status: u16, body: String) {
        *self.answer.lock().expect("no panic") = (status, body);
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().expect("no panic"))
    }
}

/// Method, path with query, headers in their order and body; the host, whose port changes, left out.
fn written(request: &HttpMockRequest) -> String {
    let uri = request.uri();
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let mut text = format!("{} {target}\n", request.method_str());
    for (name, value) in request.headers_vec().iter().filter(|(name, _)| name != "host") {
        let _ = writeln!(text, "    {name}: {value}");
    }
    let body = request.body_string();
    if !body.is_empty() {
        let _ = writeln!(text, "    {body}");
    }
    text
}
