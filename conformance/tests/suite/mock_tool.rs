//! The mock as a tool: the command, its admin, programmed faults, and the entry for Rust tests.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use keyfit_conformance::credential::identity::State;
use keyfit_conformance::credential::secret::Redactor;
use keyfit_conformance::mock::{ControlledMock, Fault, FaultRule, Mock, Scopes, TokenRequest, TokenSelector};
use keyfit_openapi::{ParameterLocation, example};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{catalogues, is_added, without_names};

const INGEST: &str = "instasent-ingest";

/// The command, running. It is killed when it is dropped.
struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    said: Value,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_keyfit"))
            .args(["mock", "--port", "0", "--json"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let mut out = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        out.read_line(&mut line).expect("it says something");
        Self { child, out, said: serde_json::from_str(&line).expect("one line of JSON") }
    }

    fn text(&self, pointer: &str) -> String {
        self.said.pointer(pointer).and_then(Value::as_str).expect("a text").to_owned()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn refused(arguments: &[&str]) -> String {
    let output: Output =
        Command::new(env!("CARGO_BIN_EXE_keyfit")).arg("mock").args(arguments).output().expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
    without_names(&said)
}

/// The path of an operation below a base URL, with ids that exist.
fn stream(mock: &ControlledMock, rest: &str) -> String {
    let ids = mock.ids();
    format!("{}/project/{}/datasource/{}/stream{rest}", mock.base_url(), ids["project"], ids["datasource"])
}

async fn call(method: Method, url: &str, token: &str, body: Option<Value>) -> Result<(u16, Value), reqwest::Error> {
    let request = reqwest::Client::new().request(method, url).bearer_auth(token);
    let answer = match body {
        Some(body) => request.header("content-type", "application/json").body(body.to_string()),
        None => request,
    };
    let answer = answer.send().await?;
    let status = answer.status().as_u16();
    let text = answer.text().await?;
    Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
}

/// A request to the admin, which wants no token.
async fn admin(mock: &ControlledMock, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    call(method, &format!("{}{path}", mock.admin_url()), "", body).await.expect("an answer")
}

async fn get(mock: &ControlledMock, token: &str) -> u16 {
    call(Method::GET, &stream(mock, ""), token, None).await.expect("an answer").0
}

#[tokio::test]
async fn the_command_says_in_one_line_where_it_is_and_ends_with_0_after_the_requests_in_flight() {
    let mut mock = Running::start(&["--api", "ingest"]);
    let base_url = mock.text("/base_url");
    let (project, datasource) = (mock.text("/ids/project"), mock.text("/ids/datasource"));
    let url = format!("{base_url}/project/{project}/datasource/{datasource}/stream");
    let token = mock.text("/tokens/0/token");
    assert_eq!(mock.text("/tokens/0/name"), "datasource");
    assert_eq!(call(Method::GET, &url, &token, None).await.expect("an answer").0, 200);

    let faults = format!("{}faults", mock.text("/admin_url"));
    let slow = json!({ "fault": "slow", "delay_ms": 500 });
    assert_eq!(call(Method::POST, &faults, "", Some(slow)).await.expect("an answer").0, 201);
    let in_flight = tokio::spawn(async move { call(Method::GET, &url, &token, None).await });
    let journal = format!("{}requests", mock.text("/admin_url"));
    loop {
        let (_, seen) = call(Method::GET, &journal, "", None).await.expect("an answer");
        if seen["total"] == 2 {
            break;
        }
        tokio::task::yield_now().await;
    }
    mock.signal("TERM");
    assert_eq!(in_flight.await.expect("no panic").expect("an answer").0, 200);
    assert_eq!(mock.child.wait().expect("it ends").code(), Some(0));
    let mut rest = String::new();
    mock.out.read_to_string(&mut rest).expect("text");
    assert_eq!(rest, "");
}

#[test]
fn the_command_serves_a_folder_and_ends_on_ctrl_c() {
    let mut mock = Running::start(&["--api-dir", "tests/fixtures/apis/pets"]);
    assert_eq!(mock.text("/api"), "pets");
    mock.signal("INT");
    assert_eq!(mock.child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn the_command_prints_a_table_for_people() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_keyfit"))
        .args(["mock", "--api", "guide", "--port", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs");
    let out = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut text = String::new();
    for line in out.lines().map(|line| line.expect("text")) {
        text.push_str(&line);
        text.push('\n');
        if line == "Ctrl-C stops it." {
            break;
        }
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    insta::with_settings!({ filters => vec![
        (r"127\.0\.0\.1:\d+", "<host>"),
        (r"[0-9a-z]{32}", "<secret>"),
    ]}, { insta::assert_snapshot!(text) });
}

#[test]
fn input_that_cannot_be_used_ends_the_command_with_2() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port().to_string();
    let said = refused(&["--api", "ingest", "--port", &port]).replace(&port, "<port>");
    insta::with_settings!({ filters => vec![(r"\(os error \d+\)", "(os error)")] }, {
        insta::assert_snapshot!("mock-port-in-use", said);
    });
    insta::assert_snapshot!("mock-unknown-api", refused(&["--api", "ingestion"]));
    insta::assert_snapshot!("mock-remote", refused(&["--api", "ingest", "--host", "0.0.0.0"]));
    assert!(refused(&[]).contains("--api <NAME>"));
    assert!(refused(&["--api", "ingest", "--port", "70000"]).contains("70000"));
}

#[tokio::test]
async fn the_tokens_of_the_start_do_what_they_say() {
    let mock = Mock::of(INGEST).await.expect("a mock");
    let text = |name: &str| mock.token(name).expect("it is there").secret.reveal().to_owned();
    assert_eq!(get(&mock, &text("datasource")).await, 200);
    assert_eq!(get(&mock, &text("product")).await, 200);
    assert_eq!(get(&mock, &text("datasource-revoked")).await, 401);
    let limited = mock.token("datasource-limited").expect("it is there");
    let (project, datasource) = (&limited.ids["project"], &limited.ids["datasource"]);
    let url = format!("{}/project/{project}/datasource/{datasource}/stream", mock.base_url());
    for status in [200, 429] {
        assert_eq!(call(Method::GET, &url, limited.secret.reveal(), None).await.expect("an answer").0, status);
    }
    let error = mock.token("datasources").expect_err("no such token").to_string();
    assert!(error.contains("datasource-limited"), "{error}");

    let mock = Mock::of("scopien").await.expect("a mock");
    let text = |name: &str| mock.token(name).expect("it is there").secret.reveal().to_owned();
    let accounts = format!("{}/accounts", mock.base_url());
    let read = call(Method::GET, &accounts, &text("key-read-only"), None).await.expect("an answer").0;
    let body = json!({ "name": "Ada" });
    let written = call(Method::POST, &accounts, &text("key-read-only"), Some(body.clone())).await.expect("an answer").0;
    assert_eq!((read, written), (200, 403));
    let written = call(Method::POST, &accounts, &text("key"), Some(body)).await.expect("an answer").0;
    assert!((200..300).contains(&written), "{written}");

    let mock = Mock::of("transactional").await.expect("a mock");
    let token = mock.token("api-sms-broke").expect("it is there");
    let sms = json!({ "from": "Keyfit", "to": "+34600000000", "text": "Hello" });
    let url = format!("{}/sms", mock.base_url());
    assert_eq!(call(Method::POST, &url, token.secret.reveal(), Some(sms)).await.expect("an answer").0, 402);
}

#[tokio::test]
async fn the_mock_of_the_check_has_no_admin() {
    let catalogue = catalogues().into_iter().find(|catalogue| catalogue.api.name == INGEST).expect("it ships");
    let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
    let mock = Mock::start(api, contract, None, Redactor::default()).await.expect("a socket");
    let origin = mock.base_url().trim_end_matches("/v1").to_owned();
    for path in ["/_keyfit/", "/_keyfit/requests"] {
        let answer = reqwest::get(format!("{origin}{path}")).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn each_fault_meets_as_many_requests_as_it_says() {
    let mock = Mock::of(INGEST).await.expect("a mock");
    let token = mock.token("datasource").expect("it is there");
    let token = token.secret.reveal();
    let once = |fault| FaultRule::new(fault).path("**/stream");
    for fault in [
        Fault::Unauthorized,
        Fault::RateLimited(Duration::from_secs(30)),
        Fault::NoFunds,
        Fault::ServerError { status: 502, executed: false },
    ] {
        mock.fault(once(fault)).expect("there is room");
    }
    for status in [401, 429, 402, 502, 200] {
        assert_eq!(get(&mock, token).await, status);
    }
    mock.fault(once(Fault::Slow(Duration::from_millis(1)))).expect("there is room");
    assert_eq!(get(&mock, token).await, 200);

    for executed in [false, true] {
        mock.fault(once(Fault::Cut { executed })).expect("there is room");
        call(Method::GET, &stream(&mock, ""), token, None).await.expect_err("no answer");
    }
    let tail: Vec<_> = mock.requests().into_iter().skip(5).map(|one| (one.status, one.fault, one.executed)).collect();
    let cut = |executed| (None, Some("cut"), executed);
    assert_eq!(tail, [(Some(200), Some("slow"), true), cut(false), cut(true)]);
    assert_eq!(get(&mock, token).await, 200);
}

#[tokio::test]
async fn a_rate_limit_on_demand_has_the_window_that_was_asked_for() {
    let mock = Mock::of(INGEST).await.expect("a mock");
    mock.fault(FaultRule::new(Fault::RateLimited(Duration::from_secs(3000)))).expect("there is room");
    let token = mock.token("datasource").expect("it is there");
    let answer = reqwest::Client::new().get(stream(&mock, "")).bearer_auth(token.secret.reveal()).send().await;
    let answer = answer.expect("an answer");
    let header = |name: &str| answer.headers()[name].to_str().expect("text").parse::<u64>().expect("a number");
    assert_eq!((answer.status().as_u16(), header("x-ratelimit-remaining")), (429, 0));
    let start = keyfit::testing::TestClock::running().seconds();
    assert!((start + 2900..start + 3001).contains(&header("x-ratelimit-reset")));
}

#[tokio::test]
async fn a_partial_fault_waits_for_a_batch_and_rejects_the_items_that_it_names() {
    let mock = Mock::of(INGEST).await.expect("a mock");
    let token = mock.token("datasource").expect("it is there");
    let token = token.secret.reveal();
    mock.fault(FaultRule::new(Fault::Partial([1, 7].into()))).expect("there is room");
    assert_eq!(get(&mock, token).await, 200);
    let items = json!([{ "_user_id": "a" }, { "_user_id": "b" }, { "_user_id": "c" }]);
    let push = call(Method::POST, &stream(&mock, "/contacts"), token, Some(items)).await;
    let (status, body) = push.expect("an answer");
    assert_eq!((status, &body["entity"]["failed"]), (202, &json!(1)), "{body}");
    assert_eq!(body["entity"]["items"][1]["status"], "error");

    let mock = Mock::of("scopien").await.expect("a mock");
    let error = mock.fault(FaultRule::new(Fault::Partial([0].into()))).expect_err("no batches").to_string();
    assert!(error.contains("no batches"), "{error}");
}

#[tokio::test]
async fn a_fault_meets_the_authorization_server_too() {
    let mock = Mock::of("guide").await.expect("a mock");
    mock.fault(FaultRule::new(Fault::ServerError { status: 500, executed: false }).path("/**/token")).expect("room");
    let server = mock.authorization_server().expect("it has one").to_owned();
    let client = mock.clients().into_iter().next().expect("it has clients");
    let catalogue = crate::common::with_templates();
    let guide = catalogue.iter().find(|catalogue| catalogue.api.name == "guide").expect("it ships");
    let server_facts = guide.contract.authorization_server.as_ref().expect("it has one");
    let path = server_facts.token_url.as_ref().expect("it has one").path();
    let secret = client.secret.expect("a secret");
    let form = [("grant_type", "client_credentials"), ("client_id", &client.id), ("client_secret", secret.reveal())];
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let mut statuses = Vec::new();
    for _ in 0..2 {
        let request = reqwest::Client::new().post(format!("{server}{path}"));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form.clone());
        statuses.push(request.send().await.expect("an answer").status().as_u16());
    }
    assert_eq!(statuses, [500, 200]);
}

#[tokio::test]
async fn tokens_are_minted_listed_and_revoked() {
    let mock = Mock::of("instasent-product").await.expect("a mock");
    let scope = "PROJECT_AUDIENCE_READ";
    let wanted = json!({ "kind": "product", "scopes": [scope], "ids": { "project": "proj_mine" } });
    let (status, minted) = admin(&mock, "POST", "tokens", Some(wanted)).await;
    assert_eq!((status, &minted["ids"]["project"]), (201, &json!("proj_mine")), "{minted}");
    let token = minted["token"].as_str().expect("a text").to_owned();
    let fingerprint = minted["fingerprint"].as_str().expect("a text").to_owned();

    let (_, listed) = admin(&mock, "GET", "tokens", None).await;
    assert!(!listed.to_string().contains(&token));
    let entry = listed["tokens"].as_array().expect("a list").last().cloned().expect("it is there");
    assert_eq!((&entry["fingerprint"], &entry["scopes"]), (&minted["fingerprint"], &json!([scope])));

    let (status, refusal) = admin(&mock, "DELETE", &format!("tokens/{token}"), None).await;
    assert_eq!(status, 400);
    assert!(!refusal.to_string().contains(&token));
    assert_eq!(admin(&mock, "DELETE", &format!("tokens/{fingerprint}"), None).await.0, 200);
    assert_eq!(admin(&mock, "DELETE", "tokens", Some(json!({ "token": token }))).await.0, 200);
    assert_eq!(admin(&mock, "DELETE", "tokens", Some(json!({ "name": "product" }))).await.0, 200);
    assert_eq!(admin(&mock, "DELETE", "tokens/0123456789abcdef", None).await.0, 404);
    let (_, listed) = admin(&mock, "GET", "/tokens", None).await;
    let revoked = listed["tokens"].as_array().expect("a list").iter().filter(|token| token["state"] == "revoked");
    // The one of the start that is revoked anyway among them.
    assert_eq!(revoked.count(), 3);
}

#[tokio::test]
async fn a_token_that_expires_or_is_limited_is_refused_when_it_is_over() {
    let mock = Mock::of(INGEST).await.expect("a mock");
    let request = TokenRequest { expires_in_seconds: Some(0), ..TokenRequest::of("datasource") };
    let over = mock.issue_token(request).expect("it is minted");
    assert_eq!(get(&mock, over.secret.reveal()).await, 401);

    let token = mock.token("datasource").expect("it is there");
    mock.set_remaining(TokenSelector::Name("datasource"), 1).expect("it has windows");
    for status in [200, 429] {
        assert_eq!(get(&mock, token.secret.reveal()).await, status);
    }
    mock.revoke(TokenSelector::Token(token.secret.reveal())).expect("it was issued");
    assert_eq!(get(&mock, token.secret.reveal()).await, 401);

    mock.reset();
    assert_eq!(get(&mock, token.secret.reveal()).await, 200);
    assert_eq!(get(&mock, over.secret.reveal()).await, 401);
    let next = mock.issue_token(TokenRequest::of("datasource")).expect("it is minted");
    assert_ne!(next.secret, over.secret);
}

#[tokio::test]
async fn what_the_contract_does_not_have_is_refused_with_what_there_is() {
    let mock = Mock::of("scopien").await.expect("a mock");
    let refused = [
        TokenRequest::default(),
        TokenRequest::of("product"),
        TokenRequest { scopes: Some(Scopes::Flat(["fly".to_owned()].into())), ..TokenRequest::of("key") },
        TokenRequest {
            scopes: Some(Scopes::Resources([("planes".to_owned(), ["read".to_owned()].into())].into())),
            ..TokenRequest::of("key")
        },
        TokenRequest { ids: [("project".to_owned(), "1".to_owned())].into(), ..TokenRequest::of("key") },
        TokenRequest { calls_per_window: Some(0), ..TokenRequest::of("key") },
    ];
    let said: Vec<String> =
        refused.into_iter().map(|request| mock.issue_token(request).expect_err("it is refused").to_string()).collect();
    insta::assert_snapshot!("mock-refused-tokens", said.join("\n\n"));
    let test = mock.issue_token(TokenRequest { state: State::Test, ..TokenRequest::of("key") }).expect("it is minted");
    assert!(test.secret.reveal().starts_with("sk_test_"));
    assert!(!format!("{test:?}").contains(test.secret.reveal()));
}

#[tokio::test]
async fn bodies_and_paths_that_the_admin_cannot_use_are_refused_in_json() {
    let mock = Mock::of(INGEST).await.expect("a mock");
    let mut said = Vec::new();
    for (method, path, body) in [
        ("GET", "nothing", None),
        ("PUT", "faults", None),
        ("POST", "faults", Some(json!({ "fault": "flood" }))),
        ("POST", "faults", Some(json!({ "fault": "slow", "status": 500 }))),
        ("POST", "faults", Some(json!({ "fault": "slow", "delay_ms": 60_001 }))),
        ("POST", "faults", Some(json!({ "fault": "server-error", "status": 404 }))),
        ("POST", "faults", Some(json!({ "fault": "cut", "times": 0 }))),
        ("POST", "faults", Some(json!({ "fault": "rate-limited", "window_seconds": 0 }))),
        ("POST", "faults", Some(json!({ "fault": "partial", "reject": [] }))),
        ("POST", "tokens", Some(json!({ "kind": 7 }))),
        ("POST", "tokens", Some(json!({ "kinds": "datasource" }))),
        ("POST", "limits", Some(json!({ "remaining": 1 }))),
        ("POST", "limits", Some(json!({ "name": "datasource", "remaining": 1_000_000 }))),
        ("POST", "limits", Some(json!({ "name": "datasource", "operation": "sms-create" }))),
        ("POST", "limits", Some(json!({ "name": "datasource", "window_seconds": 0 }))),
        ("GET", "requests?since=4", None),
        ("GET", "requests?after=four", None),
    ] {
        let (status, answer) = admin(&mock, method, path, body.clone()).await;
        let body = body.map(|body| format!(" {body}")).unwrap_or_default();
        assert!(answer["error"]["help"].is_string(), "{method} {path}: {answer}");
        said.push(format!(
            "{method} {path}{body}\n{status}: {}\n{}",
            answer["error"]["message"].as_str().unwrap_or_default(),
            answer["error"]["help"].as_str().unwrap_or_default()
        ));
    }
    insta::assert_snapshot!("mock-admin-refusals", said.join("\n\n"));
    let broken =
        asked(&format!("{}tokens", mock.admin_url()), &[("content-type", "application/json")], Some("{")).await;
    assert_eq!(broken.0, 400);
    assert!(mock.requests().is_empty(), "the admin is no part of the journal");
}

#[tokio::test]
async fn faults_are_listed_as_they_were_programmed_and_removed() {
    let mock = Mock::of(INGEST).await.expect("a mock");
    let faults = json!([
        { "fault": "unauthorized", "path": "**", "times": 1 },
        { "fault": "rate-limited", "method": "POST", "path": "/v1/**", "times": 2, "window_seconds": 5 },
        { "fault": "no-funds", "path": "**", "times": 1 },
        { "fault": "partial", "path": "**", "times": 1, "reject": [0, 2] },
        { "fault": "server-error", "path": "**", "times": 1, "status": 500, "executed": true },
        { "fault": "slow", "path": "**", "times": 1, "delay_ms": 20 },
        { "fault": "cut", "path": "**", "times": 1, "executed": false },
    ]);
    for fault in faults.as_array().expect("a list") {
        assert_eq!(admin(&mock, "POST", "faults", Some(fault.clone())).await, (201, fault.clone()));
    }
    assert_eq!(admin(&mock, "GET", "faults", None).await, (200, json!({ "faults": faults })));
    assert_eq!(admin(&mock, "DELETE", "faults", None).await, (200, json!({ "removed": 7 })));
    let (_, overview) = admin(&mock, "GET", "", None).await;
    insta::assert_json_snapshot!("mock-overview", overview);
}

#[tokio::test]
async fn the_journal_names_tokens_by_fingerprint_alone() {
    let mock = Mock::of(INGEST).await.expect("a mock");
    let token = mock.token("datasource").expect("it is there");
    let text = token.secret.reveal();
    assert_eq!(get(&mock, text).await, 200);
    let url = format!("{}/project/{text}?access_token={text}", mock.base_url());
    let _ = call(Method::GET, &url, "fixture-token-unknown", None).await; // not-a-secret
    let (_, journal) = admin(&mock, "GET", "requests", None).await;
    let shown = journal.to_string();
    assert!(!shown.contains(text) && !shown.contains("fixture-token"), "it holds a token"); // not-a-secret
    let (first, second) = (&journal["requests"][0], &journal["requests"][1]);
    assert_eq!((&first["token"], &first["kind"]), (&json!(token.fingerprint()), &json!("datasource")));
    assert_eq!((&first["operation"], &first["status"]), (&json!("stream-get"), &json!(200)));
    assert_eq!((&second["kind"], &second["operation"]), (&Value::Null, &Value::Null));
    assert!(second["path"].as_str().is_some_and(|path| path.ends_with("[redacted]")), "{second}");
    let (_, later) = admin(&mock, "GET", "requests?after=1", None).await;
    assert_eq!((&later["total"], later["requests"].as_array().map(Vec::len)), (&json!(2), Some(1)));
    assert_eq!(admin(&mock, "POST", "reset", None).await.0, 200);
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn every_get_answers_head_with_the_same_headers_and_no_body() {
    let http = reqwest::Client::new();
    for catalogue in catalogues().into_iter().filter(|catalogue| !is_added(catalogue)) {
        let mock = Mock::of(&catalogue.api.name).await.expect("a mock");
        let api = &catalogue.api;
        for operation in api.operations.iter().filter(|operation| operation.method == "GET") {
            let arguments = example::arguments(api, operation);
            let mut url = format!("{}{}", mock.base_url(), operation.path);
            for parameter in
                operation.parameters.iter().filter(|parameter| parameter.location == ParameterLocation::Path)
            {
                let value = arguments.get(&parameter.name).expect("an example");
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                url = url.replace(&format!("{{{}}}", parameter.name), &text);
            }
            let kind = operation.credentials.first().expect("a kind");
            let token = mock.token(kind).expect("it is there");
            let mut seen = Vec::new();
            for method in [Method::GET, Method::HEAD] {
                let answer = http.request(method, &url).bearer_auth(token.secret.reveal()).send().await;
                let answer = answer.expect("an answer");
                let names: Vec<String> = answer.headers().keys().map(ToString::to_string).collect();
                let length = answer.headers().get("content-length").cloned();
                seen.push((answer.status(), names, length, answer.bytes().await.expect("a body").len()));
            }
            let (head, get) = (seen.pop().expect("two"), seen.pop().expect("two"));
            assert_eq!((&head.0, &head.1, &head.2), (&get.0, &get.1, &get.2), "{}", operation.id);
            assert_eq!((get.0.as_u16(), head.3), (200, 0), "{}", operation.id);
        }
    }
}

/// A GET or POST of the admin with these headers: the status and the answer.
async fn asked(url: &str, headers: &[(&str, &str)], body: Option<&'static str>) -> (u16, Value) {
    let client = reqwest::Client::new();
    let request = body.map_or_else(|| client.get(url), |body| client.post(url).body(body));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), serde_json::from_str(&answer.text().await.expect("a text")).unwrap_or(Value::Null))
}

#[tokio::test]
async fn the_admin_is_for_programs_of_this_machine_and_the_api_for_everybody() {
    let mock = Mock::of(INGEST).await.expect("it ships");
    let url = |path: &str| format!("{}{path}", mock.admin_url());
    let json = ("content-type", "application/json");
    let fault = r#"{"fault":"unauthorized"}"#;
    let foreign = ("host", "rebound.example");
    let page = ("origin", "https://page.example");
    let form = ("content-type", "text/plain");
    for (headers, path, body, status) in [
        (&[foreign][..], "requests", None, 403),
        (&[foreign, json], "faults", Some(fault), 403),
        (&[page], "tokens", None, 403),
        (&[page, json], "reset", Some("{}"), 403),
        (&[("sec-fetch-site", "cross-site")], "requests", None, 403),
        (&[form], "faults", Some(fault), 415),
        (&[], "faults", Some(fault), 415),
        (&[json], "faults", Some(fault), 201),
        (&[], "reset", Some(""), 200),
    ] {
        let (said, answer) = asked(&url(path), headers, body).await;
        assert_eq!(said, status, "{headers:?} {path}: {answer}");
        if status >= 400 {
            assert!(answer["error"]["help"].is_string(), "{answer}");
            assert!(answer["tokens"].is_null() && answer["requests"].is_null(), "{answer}");
        }
    }
    let (status, answer) = asked(&url("faults"), &[json], Some(Box::leak(" ".repeat(300_000).into_boxed_str()))).await;
    assert_eq!((status, answer["error"]["message"].as_str()), (413, Some("the body is longer than 262144 bytes")));
    // A container calls the API by its name, and a page may be a client of it.
    let token = mock.token("datasource").expect("a token");
    let bearer = format!("Bearer {}", token.secret.reveal());
    let headers = [foreign, page, ("sec-fetch-site", "cross-site"), ("authorization", &*bearer)];
    assert_eq!(asked(&stream(&mock, ""), &headers, None).await.0, 200);
}

#[tokio::test]
async fn the_command_lets_the_admin_be_called_by_a_name_that_is_given() {
    let mock = Running::start(&["--api", "ingest", "--admin-host", "mock", "--admin-host", "outside.example:9000"]);
    let url = mock.text("/admin_url");
    let port = url.rsplit(':').next().and_then(|rest| rest.split('/').next()).expect("a port").to_owned();
    for (host, status) in [
        (format!("mock:{port}"), 200),
        ("outside.example:9000".to_owned(), 200),
        (format!("localhost:{port}"), 200),
        ("mock:9000".to_owned(), 403),
        (format!("other:{port}"), 403),
    ] {
        assert_eq!(asked(&url, &[("host", &host)], None).await.0, status, "{host}");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_keyfit"))
        .args(["mock", "--api", "ingest", "--admin-host", "http://mock"])
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not a host"), "{output:?}");
}
