//! Servers whose process ends by a call.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread::JoinHandle;

use serde_json::Value;

use crate::live_server::{TOKEN, api, by_token, check, in_lower_case, path};

const DOCUMENT: &str = "openapi: 3.0.3
info: { title: Hub, version: '1' }
servers: [{ url: https://hub.example }]
security: [{ login: [] }]
paths:
  /users:
    get:
      operationId: user-list
      parameters: [{ name: limit, in: query, schema: { type: integer, minimum: 1 } }]
      responses:
        '200': { description: Users., content: { application/json: { schema: { type: array, items: { type: object } } } } }
        '400': { description: No. }
        '401': { description: No. }
    post:
      operationId: user-create
      requestBody: { content: { application/json: { schema: { type: object } } } }
      responses:
        '201': { description: A user. }
        '401': { description: No. }
components:
  securitySchemes: { login: { type: http, scheme: bearer } }
";

/// How a process ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// Before it answers.
    Silent,
    /// Once it has answered: nothing listens any more when the answer is read.
    Answered,
    /// Before it answers, and slowly: for a while it takes connections and breaks them.
    Slow,
}

/// A server that ends, as a process does, by the first call with the token whose first line begins so.
fn ending(by: &'static str, end: End) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = std::thread::spawn(move || {
        loop {
            let (stream, _) = listener.accept().expect("a connection");
            let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
            let mut head = String::new();
            while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
            let headers = head.lines().map(in_lower_case).collect::<Vec<_>>().join("\n");
            let length = headers.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            let _ = reader.read_exact(&mut vec![0; length.unwrap_or(0)]);
            let is_last = head.starts_with(by) && head.contains(TOKEN);
            if is_last && end != End::Answered {
                drop((reader, stream));
                // As many as come while it ends.
                for _ in 0..if end == End::Slow { 3 } else { 0 } {
                    drop(listener.accept());
                }
                return;
            }
            let first = head.lines().next().unwrap_or_default();
            let answer = by_token(first, headers.trim_end()).replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
            if is_last {
                drop(listener);
                let _ = (&stream).write_all(answer.as_bytes());
                return;
            }
            let _ = (&stream).write_all(answer.as_bytes());
        }
    });
    (url, server)
}

/// Exit code, what is printed, and the report.
fn run(folder: &Path, url: &str, more: &[&str]) -> (Option<i32>, String, Value) {
    let report = folder.join("report.json");
    let argument = format!("json={}", path(&report));
    let (code, said) = check(folder, url, &[&["--allow-writes", "--report", &argument][..], more].concat());
    let report = fs::read(&report).expect("a report");
    (code, said, serde_json::from_slice(&report).expect("JSON"))
}

/// The ids of cases that ended so.
fn ended(report: &Value, verdict: &str) -> Vec<String> {
    let cases = report.pointer("/apis/0/cases").and_then(Value::as_array).expect("cases").iter();
    let ended = cases.filter(|case| case["verdict"] == verdict);
    ended.map(|case| case["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn the_call_that_ended_the_server_is_one_finding_and_nothing_is_sent_after_it() {
    for (name, by, end, operation, told) in [
        ("post", "POST /users ", End::Silent, "user-create", "POST /users ends the server: it gets no answer"),
        (
            "post-answered",
            "POST /users ",
            End::Answered,
            "user-create",
            "POST /users ends the server: it is answered 200",
        ),
        ("post-slow", "POST /users ", End::Slow, "user-create", "POST /users ends the server: it gets no answer"),
        // What only reads is sent again where no answer comes, and meets nobody then.
        ("get", "GET /users ", End::Silent, "user-list", "GET /users ends the server: it gets no answer"),
        ("get-answered", "GET /users ", End::Answered, "user-list", "GET /users ends the server: it is answered 200"),
        // One of several requests of a case.
        ("bent", "GET /users?limit=", End::Silent, "user-list", "GET /users ends the server: it gets no answer"),
    ] {
        let folder = api(&format!("ended-{name}"), DOCUMENT);
        let (url, server) = ending(by, end);
        let (code, said, report) = run(&folder, &url, &["--case", &format!("hub/*/*/{operation}")]);
        server.join().expect("no panic");
        assert_eq!(code, Some(1), "{name}: {said}");
        let [failed] = &ended(&report, "fail")[..] else { panic!("{name}: {said}") };
        assert!(failed.ends_with(&format!("/{operation}")), "{name}: {failed}");
        assert_eq!(ended(&report, "error"), [""; 0], "{name}: {said}");
        let findings = report.pointer("/apis/0/findings").and_then(Value::as_array).expect("findings");
        let title = findings[0]["title"].as_str().expect("a title");
        assert!(findings.len() == 1 && title.starts_with(told), "{name}: {findings:?}");
        assert!(said.contains("error: the server died") && said.contains("$ curl -i -X "), "{name}: {said}");
        assert!(said.contains("the server died before it"), "{name}: {said}");
    }
}

#[test]
fn a_call_that_is_known_to_end_the_server_leaves_the_rest_without_a_verdict() {
    let folder = api("ended-known", DOCUMENT);
    let baseline = folder.join("baseline.toml");
    let known = "[[known]]\nkind = \"ended\"\nreason = \"mended in March\"\ncases = [\"hub/*/*/user-create\"]\n";
    fs::write(&baseline, known).expect("a file");
    let (url, server) = ending("POST /users ", End::Silent);
    let (code, said, report) = run(&folder, &url, &["--baseline", path(&baseline)]);
    server.join().expect("no panic");
    assert_eq!((code, ended(&report, "known").len()), (Some(2), 1), "{said}");
    assert!(said.contains("mended in March") && said.contains("error: the server died"), "{said}");
}

#[test]
fn where_several_cases_are_on_their_way_no_call_is_named_as_the_one() {
    let folder = api("ended-parallel", DOCUMENT);
    let (url, server) = ending("POST /users ", End::Silent);
    let (code, said, report) = run(&folder, &url, &["--parallel", "8"]);
    server.join().expect("no panic");
    assert_eq!((code, ended(&report, "fail").len()), (Some(2), 0), "{said}");
    assert!(said.contains("THE SERVER DIED") && said.contains("POST "), "{said}");
}
