//! What the check takes where there is much to check: `cargo bench -p keyfit-conformance --bench scale`. Cases planned for 1,000
//! operations; the time to the first request; requests a second in one connection, against the same requests sent again as fast as one
//! connection takes them, by the same server, which answers `{}` to all; and how long Chromium takes to open and filter the page of a
//! report of 50,000 cases, against a page without any.

#[path = "../../benches/history/mod.rs"]
mod history;
#[path = "support/process.rs"]
mod process;

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use process::{Figures, finish};

/// Things of the large API, each with four operations.
const THINGS: usize = 250;
/// Those of one that makes 50,000 cases.
const MORE_THINGS: usize = 350;
const ROUNDS: usize = 5;

fn main() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scale-bench");
    let _ = fs::remove_dir_all(&folder);
    for (name, things) in [("small", 1), ("large", THINGS), ("wide", MORE_THINGS)] {
        fs::create_dir_all(folder.join(name)).expect("a folder");
        fs::write(folder.join(name).join("openapi.yaml"), document(things)).expect("a file");
        let mut init = keyfit(&folder);
        let made = finish(init.args([
            "init",
            &format!("{name}/openapi.yaml"),
            "--name",
            name,
            "--dir",
            &format!("{name}/api"),
        ]));
        assert_eq!(made.code, Some(0), "{}", made.said);
    }
    let tokens = "[[identity]]\nname = \"all\"\nkind = \"key\"\nstate = \"valid\"\nsecret = { env = \"KEY\" }\n";
    fs::write(folder.join("tokens.toml"), tokens).expect("a file");
    plan(&folder);
    let starts: Vec<f64> = (0..ROUNDS).map(|_| millis(live(&folder, "small").start)).collect();
    history::figure("scale", "start to first request, ms (aim: 30)", &starts);
    rate(&folder);
    page(&folder);
}

/// The cases of the large API as a list.
fn plan(folder: &Path) {
    let runs: Vec<Figures> = (0..ROUNDS)
        .map(|_| finish(keyfit(folder).args(["check", "--api-dir", "large/api", "--side", "server", "--list"])))
        .collect();
    println!("{} cases of {} operations planned and listed", runs[0].said.lines().count(), 4 * THINGS);
    let figure =
        |name, of: fn(&Figures) -> f64| history::figure("scale", name, &runs.iter().map(of).collect::<Vec<_>>());
    figure("plan of 1,000 operations, ms (aim: 200)", |run| millis(run.wall));
    figure("plan of 1,000 operations, MB (aim: 100)", |run| run.megabytes);
}

fn rate(folder: &Path) {
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let run = live(folder, "large");
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let per_second = |time: Duration| run.requests.len() as f64 / time.as_secs_f64();
        let again = replayed(run.server, &run.requests);
        ratios.push(again.as_secs_f64() / run.whole.as_secs_f64());
        println!(
            "{} requests: {:.0} a second from start to end, {:.0} from the first on; sent again {:.0}",
            run.requests.len(),
            per_second(run.whole),
            per_second(run.whole.saturating_sub(run.start)),
            per_second(again)
        );
    }
    history::figure(
        "scale",
        "requests a second, of the same requests sent again in one connection (aim: 0.6)",
        &ratios,
    );
}

/// Requests, and when they came.
type Log = Vec<(Instant, Vec<u8>)>;

/// A run against a server of its own.
struct Live {
    server: SocketAddr,
    requests: Vec<Vec<u8>>,
    /// To the first request.
    start: Duration,
    whole: Duration,
}

fn live(folder: &Path, api: &str) -> Live {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let server = listener.local_addr().expect("an address");
    let seen: Arc<Mutex<Log>> = Arc::default();
    let log = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let log = Arc::clone(&log);
            thread::spawn(move || serve(stream, &log));
        }
    });
    let began = Instant::now();
    let url = format!("http://{server}/v1");
    let api = format!("{api}/api");
    let run = finish(
        keyfit(folder)
            .args(["check", "--api-dir", &api, "--side", "server", "--tokens", "tokens.toml", "--base-url", &url])
            .env("KEY", "fixture-token-bench"), // not-a-secret
    );
    let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    let first = seen.first().unwrap_or_else(|| panic!("no request: {}", run.said)).0;
    let requests = seen.into_iter().map(|(_, request)| request).collect();
    Live { server, requests, start: first - began, whole: run.wall }
}

/// Answers `{}` to all requests of a connection, and keeps them.
fn serve(mut stream: TcpStream, log: &Mutex<Log>) {
    let _ = stream.set_nodelay(true);
    let (mut buffer, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        while let Some(length) = complete(&buffer) {
            let request: Vec<u8> = buffer.drain(..length).collect();
            let body = if request.starts_with(b"HEAD ") { "" } else { "{}" };
            log.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), request));
            let answer =
                format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{body}");
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(count) => buffer.extend_from_slice(&chunk[..count]),
        }
    }
}

/// The length of the first request in a buffer, if it is there whole.
fn complete(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
    let body = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
    Some(head + 4 + body).filter(|length| *length <= buffer.len())
}

/// The time of the same requests, each when the one before it is answered.
fn replayed(server: SocketAddr, requests: &[Vec<u8>]) -> Duration {
    let mut stream = TcpStream::connect(server).expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    let mut answer = [0; 1024];
    let began = Instant::now();
    for request in requests {
        stream.write_all(request).expect("it is taken");
        // An answer of some hundred bytes comes at once.
        assert!(stream.read(&mut answer).expect("an answer") > 0, "the server closes the connection");
    }
    began.elapsed()
}

/// The page of a report, opened and filtered in Chromium.
fn page(folder: &Path) {
    let Some(browser) = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success()))
    else {
        println!("page: skipped, there is no Chromium");
        return;
    };
    let mut check = keyfit(folder);
    check.args(["check", "--api-dir", "wide/api", "--side", "server", "--report", "html=page.html"]);
    let said = finish(&mut check).said;
    let cases = said.lines().find_map(|line| line.split_once(" cases")?.0.parse::<usize>().ok()).unwrap_or_default();
    fs::write(folder.join("none.html"), "<!doctype html><title>None</title>").expect("a file");
    let open = |page: &str| {
        let url = format!("file://{}", folder.join(page).display());
        let mut command = Command::new(browser);
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
        ]);
        command.arg(format!("--user-data-dir={}", folder.join("profile").display())).args(["--dump-dom", &url]);
        finish(&mut command).wall
    };
    println!("page of {cases} cases, without what an empty page takes (aim: 1,000 ms)");
    for (name, url) in [("opened", "page.html"), ("opened and filtered", "page.html#verdict=skip&q=things1")] {
        let times: Vec<f64> = (0..ROUNDS).map(|_| millis(open(url).saturating_sub(open("none.html")))).collect();
        history::figure("scale", &format!("page {name}, ms"), &times);
    }
}

fn keyfit(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    command.current_dir(folder);
    command
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// An API with as many lists of things, each of which can be read, added to and removed from.
fn document(things: usize) -> String {
    let mut text = String::from(
        "openapi: 3.0.3\ninfo: {title: Things, version: '1'}\nservers: [{url: 'https://things.example.com/v1'}]\n\
         security: [{key: []}]\npaths:\n",
    );
    for number in 0..things {
        let body = format!("content: {{application/json: {{schema: {{$ref: '#/components/schemas/Thing{number}'}}}}}}");
        let _ = write!(
            text,
            "  /things{number}:\n    get: {{operationId: list{number}, responses: {{'200': {{description: all, content: {{application/json: \
             {{schema: {{type: array, items: {{$ref: '#/components/schemas/Thing{number}'}}}}}}}}}}, '401': {{description: no}}}}}}\n    \
             post: {{operationId: add{number}, requestBody: {{required: true, {body}}}, responses: {{'201': {{description: made, {body}}}, \
             '401': {{description: no}}}}}}\n  /things{number}/{{id}}:\n    parameters: [{{name: id, in: path, required: true, schema: {{type: \
             string, maxLength: 40}}}}]\n    get: {{operationId: get{number}, responses: {{'200': {{description: one, {body}}}, '401': \
             {{description: no}}, '404': {{description: none}}}}}}\n    delete: {{operationId: remove{number}, responses: {{'204': \
             {{description: gone}}, '401': {{description: no}}, '404': {{description: none}}}}}}\n"
        );
    }
    text.push_str("components:\n  securitySchemes: {key: {type: http, scheme: bearer}}\n  schemas:\n");
    for number in 0..things {
        let _ = writeln!(
            text,
            "    Thing{number}: {{type: object, required: [id, name], properties: {{id: {{type: string}}, name: {{type: string, \
             minLength: 1, maxLength: 200}}, kind: {{type: string, enum: [small, large]}}}}}}"
        );
    }
    text
}
