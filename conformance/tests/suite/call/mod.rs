//! `keyfit call`, as it is used: what it sends, what it prints, and what it keeps to itself.

mod certificates;
mod equivalence;
mod errors;
mod profiles;
mod requests;
mod secrecy;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::{fs, str};

use httpmock::{HttpMockRequest, HttpMockResponse, MockServer};

/// A document with every place and every form of an argument, beside which nothing stands.
const PARCELS: &str = include_str!("parcels.yaml");
/// The token in the variable of its kind.
const TOKEN: &str = "fixture-token-4d2c-0001"; // not-a-secret

/// What a server answers.
#[derive(Clone)]
struct Answer {
    status: u16,
    media_type: &'static str,
    body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
}

/// A server that answers everything in one way and keeps the requests as they came.
struct Server {
    server: MockServer,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Answer {
    fn json(status: u16, body: &str) -> Self {
        Self::of(status, "application/json", body)
    }

    fn of(status: u16, media_type: &'static str, body: impl AsRef<[u8]>) -> Self {
        Self { status, media_type, body: body.as_ref().to_vec(), headers: Vec::new() }
    }
}

impl Server {
    fn start(answer: Answer) -> Self {
        Self::answering(move |_| answer.clone())
    }

    /// `answer` is given the number of the request, from 0.
    fn answering(answer: impl Fn(usize) -> Answer + Send + Sync + 'static) -> Self {
        let server = MockServer::start();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let respond = move |request: &HttpMockRequest| {
            let mut kept = kept.lock().expect("no panic");
            let Answer { status, media_type, body, headers } = answer(kept.len());
            kept.push(written(request));
            let mut response = HttpMockResponse::builder().status(status).body(body);
            if !media_type.is_empty() {
                response = response.header("content-type", media_type);
            }
            headers.into_iter().fold(response, |response, (name, value)| response.header(name, value)).build()
        };
        server.mock(|when, then| {
            when.any_request();
            then.respond_with(respond);
        });
        Self { server, requests }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().expect("no panic"))
    }

    /// The only request since the last look.
    fn one(&self) -> String {
        let requests = self.take();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.into_iter().next().expect("just counted")
    }
}

/// Method, path with query, headers in the order of their names, and body.
fn written(request: &HttpMockRequest) -> String {
    let uri = request.uri();
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let left_out = ["host", "user-agent", "content-length", "accept-encoding"];
    let mut headers: Vec<String> = request
        .headers_vec()
        .iter()
        .filter(|(name, _)| !left_out.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    headers.sort();
    let body = str::from_utf8(request.body_ref()).map_or_else(|_| format!("{:?}", request.body_ref()), str::to_owned);
    [&[format!("{} {target}", request.method_str())], headers.as_slice(), &[body]]
        .concat()
        .join("\n")
        .trim_end()
        .to_owned()
}

/// A folder of its own with the document alone, called `parcels`.
fn folder() -> PathBuf {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("call-{number}")).join("parcels");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("openapi.yaml"), PARCELS).expect("a document");
    folder
}

/// The command, without a variable of this machine.
fn command(server: Option<&Server>, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    command
        .arg("call")
        .args(arguments)
        .env_clear()
        .env("PARCELS_KEY", TOKEN)
        .env("PARCELS_TENANT", "fixture-tenant-77-0002"); // not-a-secret
    if let Some(server) = server {
        command.env("KEYFIT_BASE_URL", server.server.base_url());
    }
    command
}

/// Runs the command with this standard input.
fn with_input(mut command: Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    child.stdin.take().expect("it is piped").write_all(input).expect("it is read");
    child.wait_with_output().expect("it ends")
}

/// Calls an operation of the document.
fn call(server: &Server, arguments: &[&str]) -> Output {
    let folder = folder().display().to_string();
    command(Some(server), &[&[folder.as_str()], arguments].concat()).output().expect("the binary runs")
}

/// Exit code, standard output and standard error.
fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("it was not killed"), text(&output.stdout), text(&output.stderr))
}
