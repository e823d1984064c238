//! Clients in other languages, driven by adapters: a good one passes, and whatever a bad adapter does is told and over.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::credential::secret::Redactor;
use keyfit_conformance::drive::adapter::{DEFAULT_TIMEOUT, json_schema};
use keyfit_conformance::drive::{Adapter, ClientHarness};
use keyfit_conformance::judgement::verdict::{Outcome, Verdict};
use keyfit_conformance::run::{Plan, run};
use serde_json::json;

use crate::common::{committed, side, with_templates};

#[test]
fn the_committed_schema_of_the_adapter_protocol_is_that_of_the_types() {
    committed("adapters/protocol.schema.json", &json_schema());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correct_client_in_another_language_keeps_every_rule() {
    if !has_python() {
        return;
    }
    for api in ["transactional", "legacy"] {
        let catalogue = cases(api, "**");
        let outcomes = driven(&catalogue, example()).await.expect("it connects");
        assert!(outcomes.len() > 150, "{}", outcomes.len());
        for (case, outcome) in catalogue.cases.iter().zip(&outcomes) {
            assert_eq!(outcome.verdict, Verdict::Pass, "{}: {:?}", case.id, outcome.reason);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_does_not_have_is_skipped_with_its_reason() {
    if !has_python() {
        return;
    }
    let outcomes = driven(&cases("ingest", "ingest/client/success/*"), example()).await.expect("it connects");
    assert!(!outcomes.is_empty());
    for outcome in outcomes {
        assert_eq!(outcome.verdict, Verdict::Skip);
        assert!(reason(&outcome).contains("the example knows the SMS endpoints only"), "{outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_what_the_client_has_no_place_for_is_skipped_or_fails_but_does_not_pass() {
    if !has_python() {
        return;
    }
    // A library without `clientId`: the adapter takes it out of the body and says so.
    let leaves_out = "
body = request['arguments']['body']
body.pop('clientId', None)
answer = adapter.on_call(request)
answer['left_out'] = ['body/clientId']";
    let pattern = "transactional/client/*/sms-create";
    let catalogue = cases("transactional", pattern);
    let outcomes = driven(&catalogue, bent(leaves_out)).await.expect("it connects");
    let of = |rule: &str| {
        let place = catalogue.cases.iter().position(|case| case.id.contains(rule)).expect("it is there");
        &outcomes[place]
    };
    assert_eq!(of("/request/").verdict, Verdict::Skip);
    assert!(reason(of("/request/")).contains("`body/clientId`"), "{:?}", of("/request/"));
    assert_eq!(of("/success/").verdict, Verdict::Pass);
    // The same client, which drops a member more than it says.
    let drops = leaves_out.replace("body.pop('clientId', None)", "body.pop('clientId', None); del body['text']");
    let outcomes = driven(&cases("transactional", "transactional/client/request/sms-create"), bent(&drops)).await;
    assert_eq!(outcomes.expect("it connects")[0].verdict, Verdict::Fail);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_tells_nothing_breaks_the_rules_that_ask() {
    if !has_python() {
        return;
    }
    let flattens = "
answer = adapter.on_call(request)
if 'failure' in answer['outcome']:
    answer['outcome']['failure'] = {'texts': ['no']}";
    let catalogue = cases("transactional", "transactional/client/**/sms-get/*");
    let outcomes = driven(&catalogue, bent(flattens)).await.expect("it connects");
    let verdict = |rule: &str| {
        let place = catalogue.cases.iter().position(|case| case.id.contains(rule)).expect("it is there");
        outcomes[place].verdict
    };
    assert_eq!(verdict("client/error/"), Verdict::Fail);
    assert_eq!(verdict("client/hostile-body/"), Verdict::Skip, "it builds upon the other");
    assert_eq!(verdict("client/dot-segment/"), Verdict::Pass);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adapter_that_cannot_be_started_or_refuses_is_told_before_any_case() {
    let missing = adapter(&["keyfit-no-such-program"]);
    let complaint = driven(&cases("transactional", "**"), missing).await.expect_err("there is none");
    assert!(complaint.contains("`keyfit-no-such-program`: it cannot be started"), "{complaint}");
    let complaint = driven(&cases("transactional", "**"), adapter(&[])).await.expect_err("there is none");
    assert!(complaint.contains("it has no program to start"), "{complaint}");
    let refuses = script(r#"read line; echo '{"error": "library 0.1 is not installed"}'; read line"#);
    let complaint = driven(&cases("transactional", "**"), refuses).await.expect_err("it refuses");
    assert!(complaint.ends_with("it says: library 0.1 is not installed"), "{complaint}");
}

/// Each of them connects, and then does something to the first call.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_an_adapter_does_there_is_an_error_that_names_it_with_its_last_words() {
    let hostile = [
        ("echo 'listening on port 80'", "is no answer"),
        ("echo '{\"id\": 99, \"outcome\": {\"success\": {}}}'", "it is to the call 99, not 1"),
        ("echo '{\"id\": 1, \"outcome\": {\"failure\": {\"texts\": []}}}'", "`texts` is empty"),
        ("echo; read line", "is no answer"),
        ("printf '\\377\\n'", "is no answer"),
        ("exit 3", "it ended (exit status: 3)"),
        ("kill -9 $$", "it ended (signal: 9"),
        ("exec >&-; read line", "it ended (exit status: 1)"),
        ("exec head -c 17000000 /dev/zero", "a line of more than 16 MiB"),
        ("exec cat /dev/zero", "a line of more than 16 MiB"),
        ("printf '{\"id\": 1, '", "EOF while parsing"),
        ("exec >&- <&- sleep 600", "it closed its standard output"),
    ];
    for (does, complaint) in hostile {
        let outcome = after_connecting(does, DEFAULT_TIMEOUT).await;
        assert_eq!(outcome.verdict, Verdict::Error, "{does}");
        let reason = reason(&outcome);
        assert!(reason.starts_with("the adapter `sh -c "), "{does}: {reason}");
        assert!(reason.contains(complaint), "{does}: {reason}");
        assert!(reason.contains("my last words"), "{does}: {reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adapter_that_hangs_is_not_waited_for() {
    for does in ["exec sleep 600", "while read line; do :; done", "while :; do echo waiting >&2; read line; done"] {
        let outcome = after_connecting(does, Duration::from_millis(300)).await;
        assert_eq!(outcome.verdict, Verdict::Error, "{does}");
        assert!(reason(&outcome).contains("it did not answer within 0.3 s"), "{does}: {outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adapter_that_fails_again_and_again_is_given_up() {
    let dies = script(r#"read line; echo '{"ok": true}'; read line; exit 1"#);
    let outcomes = driven(&cases("transactional", "transactional/client/error/**"), dies).await.expect("it connects");
    assert!(outcomes.iter().all(|outcome| outcome.verdict == Verdict::Error), "{outcomes:?}");
    let given_up = outcomes.iter().filter(|outcome| reason(outcome).contains("it is not started again")).count();
    assert!(given_up > 0 && given_up < outcomes.len(), "{given_up} of {}", outcomes.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_in_no_argument_and_in_no_message_of_ours() {
    // It repeats its request, token and all, on both outputs.
    let repeats = script(r#"read line; echo "$line" >&2; echo "$line""#);
    let complaint = driven(&cases("transactional", "**"), repeats).await.expect_err("that is no answer");
    assert!(complaint.contains("[redacted]"), "{complaint}");
    assert!(!complaint.contains("canary"), "{complaint}");
    let looks = script(r#"read line; printf '{"error": "%s"}\n' "$0 $* $(env | grep -c canary)"; read line"#);
    let complaint = driven(&cases("transactional", "**"), looks).await.expect_err("it refuses");
    assert!(complaint.ends_with("it says: sh  0"), "{complaint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_are_skipped_for_adapters() {
    let outcomes = driven(&cases("guide", "**"), adapter(&["true"])).await.expect("no client is connected");
    assert!(!outcomes.is_empty());
    assert!(outcomes.iter().all(|outcome| outcome.verdict == Verdict::Skip), "{outcomes:?}");
}

#[test]
fn the_command_line_drives_a_client() {
    if !has_python() {
        return;
    }
    let with = |case: &str| {
        let client = ["--client", "python3", "--client-arg", "adapters/example.py"];
        keyfit(&[&["check", "--api", "transactional", "--case", case][..], &client].concat())
    };
    let output = with("transactional/client/request/**");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("10 cases: 10 passed"), "{}", text(&output));
    // Server-side cases are no matter of a client's.
    let output = with("transactional/auth/**");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    let output = keyfit(&["check", "--client", "keyfit-no-such-program"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("`keyfit-no-such-program`: it cannot be started"), "{}", text(&output));
}

#[test]
fn a_client_that_is_not_as_expected_exits_with_1_and_so_does_a_stale_entry() {
    let (report, folder) = compared(
        &[("pets.client.request", "fail"), ("pets.client.success", "pass"), ("pets.client.redirect", "skip")],
        r#"
        [rules]
        "client.success" = { result = "fails", because = "It is slow." }
        "client.redirect" = { result = "unsupported" }
        "client.error" = { result = "passes" }
        "#,
    );
    let output = keyfit(&["compare", &report, "--expected", &folder]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    insta::assert_snapshot!(text(&output));
}

#[test]
fn a_client_that_is_as_expected_exits_with_0() {
    let expected = r#"rules."client.request" = { result = "fails", because = "It sends another path." }"#;
    let (report, folder) = compared(&[("pets.client.request", "fail"), ("shop.client.request", "pass")], expected);
    let output = keyfit(&["compare", &report, "--expected", &folder]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    // Without an expectation everything is expected to pass.
    let output = keyfit(&["compare", &report, "--expected", "adapters"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let output = keyfit(&["compare", &report]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[test]
fn an_expectation_without_a_reason_and_an_error_of_the_check_are_never_as_expected() {
    let (report, folder) =
        compared(&[("pets.client.request", "fail")], r#"rules."client.request" = { result = "fails" }"#);
    let output = keyfit(&["compare", &report, "--expected", &folder]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("has its reason in `because`"), "{}", text(&output));
    let (report, folder) =
        compared(&[("pets.client.request", "error")], r#"rules."client.request" = { result = "error" }"#);
    let output = keyfit(&["compare", &report, "--expected", &folder]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    let output = keyfit(&["compare", &report, "--expected", "adapters"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
}

/// Without Node and Python `adapters/run` compares nothing: a rule that was renamed shows here.
#[test]
fn expectations_name_every_client_rule_of_their_apis_and_no_other() {
    let rules: BTreeSet<String> = ["legacy", "transactional"]
        .iter()
        .flat_map(|api| {
            let catalogue = cases(api, "**");
            let ids = catalogue.cases.iter().map(|case| catalogue.rule(case).id.clone());
            ids.map(|id| id.split_once('.').expect("api and rule").1.to_owned()).collect::<Vec<_>>()
        })
        .collect();
    for name in ["instasent-python", "instasent-node"] {
        let text = fs::read_to_string(format!("adapters/{name}/expected.toml")).expect("it is committed");
        let table: toml::Table = text.parse().expect("TOML");
        let named: BTreeSet<String> = table["rules"].as_table().expect("a table").keys().cloned().collect();
        assert_eq!(named, rules, "{name}");
    }
}

/// A report with these rules and verdicts, and the folder that holds what is expected of it.
fn compared(cases: &[(&str, &str)], expected: &str) -> (String, String) {
    // Each test has a thread of its own, and with it a name.
    let thread = std::thread::current();
    let name = thread.name().unwrap_or_default().replace("::", "-");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(folder.join("shop")).expect("a folder");
    fs::write(folder.join("shop/expected.toml"), expected).expect("it can be written");
    let cases: Vec<_> = cases.iter().map(|(rule, verdict)| json!({ "rule": rule, "verdict": verdict })).collect();
    let report = folder.join("shop.json");
    fs::write(&report, json!({ "apis": [{ "cases": cases }] }).to_string()).expect("it can be written");
    (report.display().to_string(), folder.display().to_string())
}

fn keyfit(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keyfit")).args(arguments).output().expect("the binary runs")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What comes of the only case of an adapter that answers `connect`, says something and then does this.
async fn after_connecting(does: &str, time_limit: Duration) -> Outcome {
    let connects =
        r#"read line; echo '{"ok": true}'; read line; echo '{"ok": true}'; read line; echo my last words >&2"#;
    let hostile = Adapter { time_limit, ..script(&format!("{connects}; {does}")) };
    let catalogue = cases("transactional", "transactional/client/request/sms-get");
    driven(&catalogue, hostile).await.expect("it connects").remove(0)
}

fn reason(outcome: &Outcome) -> &str {
    outcome.reason.as_deref().unwrap_or_default()
}

/// The client-side cases of an API that fit a pattern.
fn cases(api: &str, pattern: &str) -> Arc<Catalogue> {
    let catalogue = with_templates().into_iter().find(|catalogue| catalogue.contract.name == api);
    let mut catalogue = catalogue.expect("it ships");
    catalogue.select(&[pattern.to_owned()], &[]);
    side(catalogue, Side::Client)
}

async fn driven(catalogue: &Arc<Catalogue>, mut adapter: Adapter) -> Result<Vec<Outcome>, String> {
    adapter.api.clone_from(&catalogue.contract.name);
    let redactor = adapter.redactor.clone();
    let stage = ClientHarness::start(catalogue, Arc::new(adapter), &redactor).await?;
    Ok(run(catalogue, &Plan { stage: Some(Arc::new(stage)), ..Plan::default() }).await)
}

fn adapter(command: &[&str]) -> Adapter {
    Adapter {
        command: command.iter().map(|&part| part.to_owned()).collect(),
        api: String::new(),
        time_limit: DEFAULT_TIMEOUT,
        redactor: Redactor::default(),
    }
}

/// A few lines of shell as an adapter.
fn script(lines: &str) -> Adapter {
    adapter(&["sh", "-c", lines])
}

fn example() -> Adapter {
    adapter(&["python3", "adapters/example.py"])
}

/// The example with other answers to calls: `adapter` and `request` are there, `answer` is given.
fn bent(call: &str) -> Adapter {
    let program = format!(
        "
import json, sys
sys.path.insert(0, 'adapters')
sys.dont_write_bytecode = True
import example
adapter = example.Adapter()
for line in sys.stdin:
    request = json.loads(line)
    if request['request'] != 'call':
        answer = adapter.answer(request)
    else:
{}
    print(json.dumps(answer), flush=True)
",
        call.replace('\n', "\n        ")
    );
    adapter(&["python3", "-c", &program])
}

fn has_python() -> bool {
    let is_there = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_there {
        println!("skipped: there is no python3");
    }
    is_there
}
