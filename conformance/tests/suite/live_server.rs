//! What a live server is sent, and what is not sent to it: played by servers that answer by hand.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use keyfit_conformance::catalogue::Catalogue;
use keyfit_conformance::credential::secret::Redactor;
use keyfit_conformance::mock::Mock;
use keyfit_conformance::probe::{LivePolicy, TargetServer, http_client};
use keyfit_conformance::run::Halt;
use keyfit_openapi::Source;

use crate::common::identity;

pub(crate) const TOKEN: &str = "fixture-token-live-server"; // not-a-secret

const DOCUMENT: &str = "openapi: 3.0.3
info: { title: Hub, version: '1' }
servers: [{ url: https://hub.example }]
security: [{ login: [] }]
paths:
  /users:
    get:
      operationId: user-list
      responses:
        '200': { description: Users., content: { application/json: { schema: { type: array, items: { type: object } } } } }
        '401': { description: No. }
    post:
      operationId: user-search
      x-keyfit: { retry: safe }
      requestBody: { content: { application/json: { schema: { type: object } } } }
      responses:
        '200': { description: Users., content: { application/json: { schema: { type: array, items: { type: object } } } } }
        '401': { description: No. }
components:
  securitySchemes: { login: { type: http, scheme: bearer } }
";

/// One call that only reads, behind a bearer token.
pub(crate) const READING: &str = "openapi: 3.0.3
info: { title: Hub, version: '1' }
servers: [{ url: https://hub.example }]
security: [{ login: [] }]
paths:
  /users:
    get:
      operationId: users
      responses: { '200': { description: Users. }, '401': { description: No. } }
components:
  securitySchemes: { login: { type: http, scheme: bearer } }
";

pub(crate) const TOKENS: &str = concat!(identity!("shop", "login", "valid", "SHOP"),);

/// A request as it came: its first line and its headers, in lower case.
pub(crate) type Log = Arc<Mutex<Vec<(String, String)>>>;

/// Answers each request by this, in a thread of its own a connection. One that answers nothing closes the connection.
pub(crate) fn serve(answer: impl Fn(&str, &str, usize) -> Option<String> + Send + Sync + 'static) -> (String, Log) {
    serve_whole(move |first, headers, _, served| answer(first, headers, served))
}

/// First line, headers in lower case, body, and how many requests the connection served before.
type Answer = dyn Fn(&str, &str, &str, usize) -> Option<String> + Send + Sync;

/// The same by the whole request.
pub(crate) fn serve_whole(
    answer: impl Fn(&str, &str, &str, usize) -> Option<String> + Send + Sync + 'static,
) -> (String, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let log = Log::default();
    let (kept, answer) = (Arc::clone(&log), Arc::new(answer));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
            std::thread::spawn(move || connection(stream, &kept, &*answer));
        }
    });
    (format!("http://{address}"), log)
}

/// A header in lower case, but for a token of the other case: that is another one.
pub(crate) fn in_lower_case(line: &str) -> String {
    let (before, token) = line.split_at(line.find("FIXTURE-").unwrap_or(line.len()));
    before.to_lowercase() + token
}

fn connection(stream: TcpStream, log: &Log, answer: &Answer) {
    let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
    let mut stream = stream;
    let mut served = 0;
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line.trim().is_empty() {
                break;
            }
            head.push(line.trim().to_owned());
        }
        let headers = head[1..].iter().map(|line| in_lower_case(line)).collect::<Vec<_>>().join("\n");
        let length = headers.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        let _ = reader.read_exact(&mut body);
        log.lock().expect("no panic").push((head[0].clone(), headers.clone()));
        let body = String::from_utf8_lossy(&body);
        let Some(answer) = answer(&head[0], &headers, &body, served) else { return };
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
        served += 1;
    }
}

pub(crate) fn reply(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nwww-authenticate: Bearer realm=\"hub\"\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Who has the token is served, nobody else.
pub(crate) fn by_token(first: &str, headers: &str) -> String {
    let body = if first.starts_with("HEAD") { "" } else { "[]" };
    if headers.contains(&format!("authorization: bearer {TOKEN}\n")) || headers.ends_with(&format!("bearer {TOKEN}")) {
        reply("200 OK", body)
    } else {
        reply("401 Unauthorized", "")
    }
}

/// A folder with the API as `init` begins it.
pub(crate) fn api(name: &str, document: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live-server").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("hub.yaml"), document).expect("a file");
    fs::write(folder.join("tokens.toml"), TOKENS).expect("a file");
    let made = keyfit(&["init", path(&folder.join("hub.yaml")), "--name", "hub", "--dir", path(&folder.join("api"))]);
    assert!(made.status.success(), "{}", text(&made));
    folder
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn keyfit(arguments: &[&str]) -> Output {
    keyfit_with(arguments, &[])
}

pub(crate) fn keyfit_with(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    // A proxy that nobody runs: this machine is reached without it.
    let proxies = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"]
        .map(|name| (name, "http://127.0.0.1:9"));
    command.args(arguments).env("SHOP", TOKEN).env_remove("NO_PROXY").env_remove("no_proxy").envs(proxies);
    command.envs(environment.iter().copied());
    command.output().expect("the binary runs")
}

pub(crate) fn check(folder: &Path, url: &str, more: &[&str]) -> (Option<i32>, String) {
    let (api, tokens) = (folder.join("api"), folder.join("tokens.toml"));
    let arguments = ["check", "--api-dir", path(&api), "--base-url", url, "--tokens", path(&tokens)];
    let output = keyfit(&[&arguments[..], more].concat());
    let said = text(&output);
    assert!(!said.contains(TOKEN), "a token is printed: {said}");
    (output.status.code(), said)
}

pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub(crate) fn requests(log: &Log) -> Vec<(String, String)> {
    log.lock().expect("no panic").clone()
}

#[test]
fn a_document_does_not_make_a_post_read_only_and_an_overlay_does() {
    let folder = api("read-only", DOCUMENT);
    let (url, log) = serve(|first, headers, _| Some(by_token(first, headers)));
    let (_, said) = check(&folder, &url, &[]);
    assert!(said.contains("`x-keyfit` of a published document is ignored"), "{said}");
    let sent = requests(&log);
    let is_reading =
        |first: &str| ["GET ", "HEAD ", "OPTIONS ", "TRACE "].iter().any(|method| first.starts_with(method));
    assert!(sent.len() > 5 && sent.iter().all(|(first, _)| is_reading(first)), "{sent:?}");

    let overlay = folder.join("api/overlay.yaml");
    let text = fs::read_to_string(&overlay).expect("init wrote it");
    let ours = "  - target: $.paths['/users'].post\n    description: It looks for users.\n    update: { x-keyfit: { retry: safe } }\n";
    fs::write(&overlay, format!("{text}{ours}")).expect("a file");
    // Of calls that must not be repeated none is left, and with them the rule about them.
    let contract = fs::read_to_string(folder.join("api/contract.toml")).expect("init wrote it");
    let rules = contract.split("\n[[rule]]\n").filter(|rule| !rule.contains("single-request"));
    fs::write(folder.join("api/contract.toml"), rules.collect::<Vec<_>>().join("\n[[rule]]\n")).expect("a file");
    let (_, said) = check(&folder, &url, &["--case", "hub/auth/accepted/*"]);
    assert!(said.contains("2 cases: 2 passed"), "{said}");
    assert!(
        requests(&log)[sent.len()..].iter().any(|(first, _)| first.starts_with("POST ")),
        "the user says that it only reads"
    );
}

#[test]
fn what_costs_money_by_the_overlay_is_not_even_read_on_the_way() {
    let document = DOCUMENT
        .replace("user-search\n      x-keyfit: { retry: safe }", "user-create")
        .replace("components:", "  /users/{user}:\n    delete:\n      operationId: user-delete\n      parameters: [{ name: user, in: path, required: true, schema: { type: string } }]\n      responses: { '204': { description: Gone. }, '401': { description: No. } }\ncomponents:");
    let folder = api("spends", &document);
    let overlay = folder.join("api/overlay.yaml");
    let text = fs::read_to_string(&overlay).expect("init wrote it");
    let spends = "  - target: $.paths['/users'].get\n    description: It is paid for.\n    update: { x-keyfit: { spends: true } }\n";
    fs::write(&overlay, format!("{text}{spends}")).expect("a file");
    let (url, log) = serve(|first, headers, _| Some(by_token(first, headers)));
    for (more, expected) in [(&[][..], false), (&["--allow-spend"][..], true)] {
        let before = requests(&log).len();
        check(&folder, &url, &[&["--allow-writes"], more].concat());
        let sent = requests(&log)[before..].to_vec();
        assert!(sent.iter().any(|(first, _)| first.starts_with("POST /users ")), "{sent:?}");
        assert_eq!(sent.iter().any(|(first, _)| first.starts_with("GET /users ")), expected, "{sent:?}");
    }
}

/// Each turn but the first is a quarter of an hour away: what does not wait for its own is seen at the server.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_tried_anew_waits_for_its_turn_under_a_rate() {
    let folder = api("turns", DOCUMENT);
    let source = Source::from_dir(&folder.join("api")).expect("the folder is there");
    let mut catalogue = Catalogue::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
    catalogue.select(&["hub/auth/accepted/user-list".to_owned()], &[]);
    let catalogue = Arc::new(catalogue);
    for (rate, expected) in [(Some(0.001), 1), (None, 3)] {
        let halt = Halt::default();
        let ends_the_run = halt.clone();
        // It closes the connection in place of an answer, and nobody waits for a turn after that.
        let (url, log) = serve(move |_, _, _| {
            ends_the_run.halt();
            None
        });
        let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
        let mock = Mock::start(api, contract, None, Redactor::default()).await.expect("a loopback socket");
        let http = http_client(false).expect("a client");
        let target = TargetServer::new(
            http,
            url.parse().expect("a URL"),
            Arc::new(mock.token_issuer().clone()),
            Redactor::default(),
        );
        let target = target.live(&catalogue, halt, LivePolicy { rate, ..LivePolicy::default() });
        target.check(&catalogue, &catalogue.cases[0]).await;
        assert_eq!(requests(&log).len(), expected, "{rate:?}");
    }
}

#[test]
fn a_connection_that_was_closed_is_tried_anew_for_what_only_reads() {
    let folder = api("closed", DOCUMENT);
    // Each connection serves one request and swallows the next.
    let (url, _) = serve(|first, headers, served| (served == 0).then(|| by_token(first, headers)));
    let (code, said) =
        check(&folder, &url, &["--case", "hub/auth/accepted/user-list", "--case", "hub/auth/no-token/user-list"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("2 cases: 2 passed"), "{said}");

    let (url, log) = serve(|first, headers, _| (!first.starts_with("POST")).then(|| by_token(first, headers)));
    let (code, said) =
        check(&folder, &url, &["--allow-writes", "--allow", "user-search", "--case", "hub/auth/accepted/user-search"]);
    assert_eq!(code, Some(2), "{said}");
    let posts = requests(&log).iter().filter(|(first, _)| first.starts_with("POST")).count();
    assert_eq!(posts, 1, "it may have been executed");
    assert!(said.contains("not answered: it may have changed something"), "{said}");
}

#[test]
fn headers_of_the_users_go_with_every_request_and_into_no_report() {
    let folder = api("header", DOCUMENT);
    let (url, log) =
        serve(|first, headers, _| Some(by_token(first, headers).replace("401 Unauthorized", "404 Not Found")));
    let secret = "fixture-value-of-a-header"; // not-a-secret
    let header = format!("X-Workspace: {secret}");
    let (code, said) = check(
        &folder,
        &url,
        &["--header", &header, "--header", "X-Version: 2", "--case", "hub/auth/no-token/user-list"],
    );
    assert_eq!(code, Some(1), "{said}");
    assert!(
        !said.contains(secret) && said.contains("X-Workspace: [redacted]") && said.contains("X-Version: [redacted]"),
        "{said}"
    );
    let sent = requests(&log);
    let has_both =
        |headers: &str| headers.contains(&format!("x-workspace: {secret}")) && headers.contains("x-version: 2");
    assert!(sent.len() == 2 && sent.iter().all(|(_, headers)| has_both(headers)), "{sent:?}");

    for (header, complaint) in [
        ("authorization: Bearer x", "--header would override `authorization`"),
        ("Content-Length: 3", "`content-length` is set by HTTP itself"),
        ("no colon", "write it as `NAME: VALUE`"),
    ] {
        let (code, said) = check(&folder, &url, &["--header", header]);
        assert!(code == Some(2) && said.contains(complaint), "{said}");
    }
    assert_eq!(requests(&log).len(), 2, "nothing was sent");
}

#[test]
fn no_token_is_sent_to_the_server_of_an_operation_unless_the_user_names_it() {
    let own = "    post:\n      operationId: user-search\n      servers: [{ url: https://search.hub.example }]\n";
    let folder = api("servers", &DOCUMENT.replace("    post:\n      operationId: user-search\n", own));
    let (url, log) = serve(|first, headers, _| Some(by_token(first, headers)));
    let (search, log_of_search) = serve(|first, headers, _| Some(by_token(first, headers)));
    // This machine under an address that is not known to be of it.
    let elsewhere = url.replace("127.0.0.1", "0.0.0.0");
    let there = format!("https://search.hub.example={search}");
    let cases = ["--allow-plain-http", "--case", "hub/auth/accepted/*", "--allow-writes", "--allow", "user-search"];
    let checked = |url: &str, more: &[&str]| {
        let (api, tokens) = (folder.join("api"), folder.join("tokens.toml"));
        let arguments = ["check", "--api-dir", path(&api), "--base-url", url, "--tokens", path(&tokens)];
        let direct = [("NO_PROXY", "0.0.0.0"), ("no_proxy", "0.0.0.0")];
        let output = keyfit_with(&[&arguments[..], &cases, more].concat(), &direct);
        (output.status.code(), text(&output))
    };
    let posts = |log: &Log| requests(log).iter().filter(|(first, _)| first.starts_with("POST")).count();

    let (code, said) = checked(&elsewhere, &[]);
    assert_eq!((code, posts(&log), requests(&log_of_search).len()), (Some(0), 0, 0), "{said}");
    assert!(said.contains("pass --server 'https://search.hub.example=URL'"), "{said}");
    let (code, said) = checked(&elsewhere, &["--server", &there]);
    assert_eq!((code, posts(&log), posts(&log_of_search)), (Some(0), 0, 1), "{said}");
    let (code, said) = checked(&url, &[]);
    assert_eq!((code, posts(&log), posts(&log_of_search)), (Some(0), 1, 1), "{said}");
    let (code, said) = checked(&url, &["--server", &format!("https://hub.example={search}")]);
    assert!(code == Some(2) && said.contains("the document has `https://search.hub.example`"), "{said}");
}

#[test]
fn tokens_go_over_plain_http_to_this_machine_alone() {
    let folder = api("plain", DOCUMENT);
    for more in [
        &["--base-url", "http://hub.example"][..],
        &["--base-url", "https://hub.example", "--authorization-server", "http://login.example"],
    ] {
        let (api, tokens) = (folder.join("api"), folder.join("tokens.toml"));
        let output = keyfit(&[&["check", "--api-dir", path(&api), "--tokens", path(&tokens)], more].concat());
        let said = text(&output);
        assert!(output.status.code() == Some(2) && said.contains("tokens would be sent over plain http"), "{said}");
    }
    // The proxy that is named is not there: it is asked for another machine, and not for this one.
    let (code, said) = check(&folder, "http://hub.example", &["--allow-plain-http"]);
    assert!(code == Some(2) && said.contains("the server cannot be reached") && said.contains("refused"), "{said}");
    let (url, _) = serve(|first, headers, _| Some(by_token(first, headers)));
    let (code, said) = check(&folder, &url, &["--insecure", "--rate", "1000", "--case", "hub/auth/accepted/user-list"]);
    assert!(code == Some(0) && said.contains("were not verified (--insecure)"), "{said}");
}

#[test]
fn a_token_stands_in_a_url_only_where_that_is_allowed() {
    let folder = api("query", DOCUMENT);
    let (url, log) = serve(|first, headers, _| Some(by_token(first, headers)));
    let case = ["--case", "hub/auth/query-token/user-list"];
    let (_, said) = check(&folder, &url, &case);
    assert!(said.contains("pass --query-tokens") && said.contains("(a token would stand in a URL)"), "{said}");
    assert!(requests(&log).iter().all(|(first, _)| !first.contains(TOKEN)));
    let (code, said) = check(&folder, &url, &[&case[..], &["--query-tokens"]].concat());
    assert!(code == Some(0) && said.contains("1 passed"), "{said}");
    assert!(requests(&log).iter().any(|(first, _)| first.contains(TOKEN)));
    fs::write(folder.join("tokens.toml"), format!("{TOKENS}expendable = true\n")).expect("a file");
    let (_, said) = check(&folder, &url, &case);
    assert!(said.contains("1 passed"), "{said}");
}

#[test]
fn init_fetches_a_document_with_the_same_options() {
    let (url, log) = serve(|first, _, _| {
        let found = reply("200 OK", DOCUMENT);
        Some(if first.contains("/hub.yaml") { found } else { reply("302 Found\r\nlocation: /hub.yaml", "") })
    });
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live-server/fetched");
    let _ = fs::remove_dir_all(&folder);
    let spec = format!("{url}/hub.yaml");
    let made = keyfit(&["init", &spec, "--dir", path(&folder), "--header", "X-Version: 2"]);
    assert!(made.status.success(), "{}", text(&made));
    assert_eq!(fs::read_to_string(folder.join("openapi.yaml")).expect("it is written"), DOCUMENT);
    assert!(requests(&log)[0].1.contains("x-version: 2"));
    let moved = keyfit(&["init", &format!("{url}/elsewhere"), "--dir", path(&folder.join("b"))]);
    assert!(moved.status.code() == Some(2) && text(&moved).contains("the server answers 302"), "{}", text(&moved));
    let plain = keyfit(&["init", "http://hub.example/openapi.json"]);
    assert!(plain.status.code() == Some(2) && text(&plain).contains("plain http"), "{}", text(&plain));
}
