//! The forms of the report: what each looks like, that none of them shows a secret, and what the command line says of
//! files that it cannot use.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyfit::redact::plain_lines;
use keyfit_conformance::catalogue::Side;
use keyfit_conformance::contract::{Family, Level};
use keyfit_conformance::judgement::verdict::{Exchange, Verdict};
use keyfit_conformance::report::{
    Access, ApiReport, CallReport, CaseReport, Cell, Changes, Counts, Disagreement, Due, Finding, FindingCounts,
    Format, LiveReport, OperationAccess, OperationReport, PolicyReport, ReadingReport, Report, json_schema, read, text,
};
use keyfit_openapi::Text;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::cli::{PETS, code, complaint, keyfit, stdout};

/// A text that is markup, a command or the end of one in each of the forms.
const HOSTILE: &str = "got <script>alert('1')</script> & `a` | *b* ]]> %0A\n::error::, @all \u{1b}[31m\"";

/// A small report in which every verdict stands.
fn report() -> Report {
    let cases = vec![
        case("auth/accepted", Level::Must, Verdict::Pass, "pets-get", ""),
        case("auth/no-token", Level::Must, Verdict::Fail, "pets-get", "the status is 200, not 401"),
        case("auth/no-token", Level::Must, Verdict::Fail, "pets-list", HOSTILE),
        case("method/allow", Level::Should, Verdict::Warn, "pets-list", "the header `allow` is missing"),
        CaseReport {
            known: Some("until May".to_owned()),
            ..case("method/head", Level::Must, Verdict::Known, "pets-list", "the status is 405")
        },
        case("error/shape", Level::Observe, Verdict::Info, "pets-list", "there is no body"),
        case("rate/spent", Level::Must, Verdict::Skip, "pets-list", "no token with a small window was given"),
        case("rate/headers", Level::Must, Verdict::Error, "pets-list", "no answer came: connection refused"),
    ];
    let one = |count: fn(&mut Counts) -> &mut usize| {
        let mut counts = Counts::default();
        *count(&mut counts) = 1;
        counts
    };
    let families = [
        (Family::Auth, Counts { pass: 1, fail: 2, ..Counts::default() }),
        (Family::Method, Counts { known: 1, warn: 1, ..Counts::default() }),
        (Family::Error, one(|counts| &mut counts.info)),
        (Family::Rate, Counts { skip: 1, error: 1, ..Counts::default() }),
    ];
    Report {
        format: Report::FORMAT,
        version: "0.0.0".to_owned(),
        started: "2025-06-01T12:00:00Z".to_owned(),
        apis: vec![ApiReport {
            api: "pets".to_owned(),
            server: "https://pets.example/v1".to_owned(),
            contract: "apis/my pets/contract.toml".to_owned(),
            families: families.into(),
            readings: vec![Disagreement {
                about: "names".to_owned(),
                readings: vec![
                    ReadingReport { says: "The guide: names may be <empty>.".to_owned(), answers: 2 },
                    ReadingReport { says: "The reference: they may not.".to_owned(), answers: 0 },
                ],
                ruling: "The guide.".to_owned(),
            }],
            access: Some(access()),
            policy: PolicyReport::default(),
            questions: Vec::new(),
            live: None,
            findings: vec![
                finding(
                    "open/pets",
                    Verdict::Fail,
                    &format!("anybody is served, {HOSTILE}"),
                    "auth/no-token/pets-get",
                    2,
                ),
                finding(
                    "unjudged/x",
                    Verdict::Error,
                    "no answer came: connection refused",
                    "rate/headers/pets-list",
                    1,
                ),
                finding("answer/allow", Verdict::Warn, "the header `allow` is missing", "method/allow/pets-list", 1),
                finding("status/405", Verdict::Known, "405 is answered where 200 is due", "method/head/pets-list", 1),
            ],
            cases,
        }],
        totals: Counts { pass: 1, fail: 2, known: 1, warn: 1, info: 1, skip: 1, error: 1 },
        interrupted: false,
        baseline: Some("baseline.toml".to_owned()),
        stale: vec![
            "baseline.toml:7: `pets/auth/*/*`: what it names does not fail any more: delete the entry".to_owned(),
        ],
        requests: 7,
        seconds: 0.25,
        changes: None,
    }
}

/// Who may call what: what is as is due, what is not, and what was not sent.
fn access() -> Access {
    let cell = |due, statuses: &[u16], finding| Cell {
        due,
        statuses: statuses.to_vec(),
        unsent: statuses.is_empty().then(|| "no case sends it".to_owned()),
        is_against: finding,
        finding: finding.then_some(1),
    };
    let cells = vec![
        cell(Due::Allowed, &[200], false),
        cell(Due::Refused, &[], false),
        cell(Due::Refused, &[200, 401], true),
        cell(Due::Unknown, &[404], false),
    ];
    let callers = ["main", HOSTILE, "no credential", "unknown credential"].map(str::to_owned).to_vec();
    Access { callers, operations: vec![OperationAccess { operation: "pets-get".to_owned(), cells }] }
}

fn finding(id: &str, verdict: Verdict, title: &str, example: &str, cases: usize) -> Finding {
    Finding {
        id: id.to_owned(),
        verdict,
        level: if verdict == Verdict::Warn { Level::Should } else { Level::Must },
        title: title.to_owned(),
        why: "anybody who knows the address is served".to_owned(),
        change: "demand the credential before anything else".to_owned(),
        example: format!("pets/{example}"),
        counts: FindingCounts { cases, rules: 1, operations: cases },
    }
}

fn case(rule: &str, level: Level, verdict: Verdict, operation: &str, reason: &str) -> CaseReport {
    let family = match rule.split('/').next() {
        Some("auth") => Family::Auth,
        Some("method") => Family::Method,
        Some("error") => Family::Error,
        _ => Family::Rate,
    };
    let path = if operation == "pets-get" { "/pets/{id}" } else { "/pets" };
    CaseReport {
        id: format!("pets/{rule}/{operation}"),
        rule: format!("pets/{rule}").replace('/', ".").into(),
        line: 12,
        family,
        operation: OperationReport { id: operation.to_owned(), method: "GET".to_owned(), path: path.to_owned() }.into(),
        identity: (rule == "auth/no-token").then(|| "nobody".to_owned()),
        side: Side::Server,
        level,
        verdict,
        requirement: format!("What `{rule}` requires.").into(),
        source: "Pets, Keys".into(),
        url: "https://pets.example/docs#keys".into(),
        seconds: 0.01,
        reason: (verdict != Verdict::Pass).then(|| reason.to_owned()),
        missing: None,
        follows: None,
        known: None,
        finding: match rule {
            "auth/no-token" => Some(1),
            "rate/headers" => Some(2),
            "method/allow" => Some(3),
            "method/head" => Some(4),
            _ => None,
        },
        exchanges: if verdict == Verdict::Fail { vec![exchange(path)] } else { Vec::new() },
    }
}

fn exchange(path: &str) -> Exchange {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Exchange {
        method: "GET".to_owned(),
        url: format!("https://pets.example/v1{path}"),
        headers: vec![header("Accept", "application/json"), header("Authorization", "Bearer [redacted]")],
        body: String::new(),
        status: Some(200),
        answer_headers: vec![header("vary", "accept"), header("vary", "origin")],
        answer_body: "{\"name\":\"```</script>\"}".to_owned(),
    }
}

/// The run before: one case was good, one was broken, one was not there, and one has gone.
fn previous() -> Report {
    let mut previous = report();
    "2025-05-01T12:00:00Z".clone_into(&mut previous.started);
    let cases = &mut previous.apis[0].cases;
    cases[0].verdict = Verdict::Fail;
    cases[1].verdict = Verdict::Pass;
    "pets/rate/forgotten/pets-list".clone_into(&mut cases[7].id);
    previous
}

fn compared() -> Report {
    let mut report = report();
    report.changes = Some(Changes::between(&previous(), &report));
    report
}

#[test]
fn each_form_is_the_reviewed_one() {
    insta::assert_snapshot!("text", text(&compared()));
    for format in Format::ALL.into_iter().filter(|format| *format != Format::Html) {
        insta::assert_snapshot!(format.to_string(), format.render(&compared()));
    }
    // Style and script are reviewed as files.
    insta::with_settings!({ filters => vec![
        (r"(?s)<style>.*?</style>", "<style>..</style>"),
        (r"(?s)<script>.*?</script>", "<script>..</script>"),
        (r"'sha256-[A-Za-z0-9+/]+='", "<hash>"),
    ]}, {
        insta::assert_snapshot!("html", Format::Html.render(&compared()));
    });
}

#[test]
fn the_json_is_read_again_and_fits_its_schema() {
    let written = Format::Json.render(&compared());
    let again = read(&Text::new("report.json", written.as_str())).expect("it was just written");
    assert_eq!(Format::Json.render(&again), written);
    // A member that the schema does not know would be one that nobody described.
    let schema = json_schema();
    let case = schema.pointer("/$defs/CaseReport").expect("cases are described");
    let value: Value = serde_json::from_str(&written).expect("JSON");
    let members = value["apis"][0]["cases"][1].as_object().expect("an object");
    assert_eq!(members.keys().find(|member| case["properties"].get(member.as_str()).is_none()), None);
}

#[test]
fn junit_is_read_as_xml_with_every_case_in_it() {
    let xml = Format::Junit.render(&report());
    let junit = quick_junit::Report::deserialize_from_str(&xml).expect("well-formed");
    assert_eq!((junit.tests, junit.failures, junit.errors), (8, 2, 1));
    let suite = &junit.test_suites[0];
    assert_eq!((suite.name.as_str(), suite.skipped, suite.test_cases.len()), ("pets", 1, 8));
    let hostile = &suite.test_cases[2];
    assert_eq!(hostile.classname.as_ref().map(quick_junit::XmlString::as_str), Some("pets.auth.no-token"));
    let quick_junit::TestCaseStatus::NonSuccess { message: Some(message), .. } = &hostile.status else {
        panic!("{hostile:?}");
    };
    assert!(message.as_str().starts_with("got <script>alert('1')</script> & `a`"), "{message:?}");
}

#[test]
fn sarif_has_what_its_consumers_ask_for() {
    let sarif: Value = serde_json::from_str(&Format::Sarif.render(&report())).expect("JSON");
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("a list");
    assert!(run["tool"]["driver"]["name"].is_string());
    let results = run["results"].as_array().expect("a list");
    assert_eq!(results.len(), 4, "two findings, known, observed");
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small")];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["helpUri"].as_str().is_some_and(|url| url.starts_with("https://")));
        assert!(rule["shortDescription"]["text"].is_string());
        assert!(result["message"]["text"].is_string());
        let location = &result["locations"][0];
        let place = &location["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "apis/my%20pets/contract.toml");
        assert!(place["region"]["startLine"].as_u64() >= Some(1));
        assert!(location["logicalLocations"][0]["fullyQualifiedName"].is_string());
    }
    let fingerprints: Vec<&Value> = results.iter().map(|result| &result["partialFingerprints"]).collect();
    assert_eq!(fingerprints[0]["findingId/v1"], "open/pets");
    assert_eq!(fingerprints[2]["findingId/v1"], "status/405");
    assert_eq!(results[2]["suppressions"][0]["justification"], "until May");
    let states: Vec<&Value> = results.iter().map(|result| &result["baselineState"]).collect();
    assert_eq!(states, [&json!("new"), &json!("new"), &json!("unchanged"), &Value::Null]);
    assert_ne!(fingerprints[0]["primaryLocationLineHash"], fingerprints[1]["primaryLocationLineHash"]);
    let levels: Vec<&Value> = results.iter().map(|result| &result["level"]).collect();
    assert_eq!(levels, ["error", "warning", "error", "note"]);
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn no_form_holds_a_control_character_of_an_answer() {
    for format in Format::ALL {
        let rendered = format.render(&compared());
        assert_eq!(rendered.chars().find(|character| character.is_control() && *character != '\n'), None, "{format}");
        assert_eq!(rendered.lines().find(|line| line.starts_with("::error::")), None, "{format}");
    }
    let text = text(&compared());
    assert_eq!(text.chars().find(|character| character.is_control() && *character != '\n'), None, "{text}");
    assert_eq!(text.lines().find(|line| line.trim_start().starts_with("::error::")), None, "{text}");
}

/// The two scripts are the data and the page's own; a third would be one that a server wrote.
#[test]
fn nothing_of_a_report_is_markup_in_the_page() {
    let page = Format::Html.render(&compared());
    assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (2, 2));
    let (_, data) = page.split_once("<script type=\"application/json\" id=\"data\">").expect("the data");
    let (data, _) = data.split_once("</script>").expect("its end");
    assert!(!data.contains('<'), "{data}");
    let data: Value = serde_json::from_str(data).expect("JSON");
    let case = &data["apis"][0]["cases"][2];
    assert_eq!((&case["reason"], &case["rule"]), (&Value::from(plain_lines(HOSTILE)), &Value::from(1)));
    assert_eq!(data["apis"][0]["rules"][1]["id"], "pets.auth.no-token");
    assert_eq!(data["changes"]["pets/auth/no-token/pets-get"], "worse");
}

#[test]
fn the_policy_of_the_page_lets_in_its_own_style_and_script_alone() {
    let page = Format::Html.render(&report());
    let (_, policy) = page.split_once("http-equiv=\"Content-Security-Policy\" content=\"").expect("a policy");
    let (policy, _) = policy.split_once('"').expect("its end");
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
    for (directive, start, end) in [("style-src", "<style>", "</style>"), ("script-src", "<script>", "</script>")] {
        let (_, text) = page.split_once(start).expect("it is there");
        let (text, _) = text.split_once(end).expect("its end");
        let hash = STANDARD.encode(Sha256::digest(text));
        assert!(policy.contains(&format!("{directive} 'sha256-{hash}'")), "{policy}");
    }
    for foreign in ["src=", "@import", "url(", "fetch("] {
        assert!(!page.contains(foreign), "the page loads something: {foreign}");
    }
}

#[test]
fn annotations_beyond_what_github_shows_are_named_in_the_log() {
    let mut report = report();
    report.stale.clear();
    let model = report.apis[0].cases[1].clone();
    report.apis[0].cases = vec![model.clone()];
    let found = |number| finding("x", Verdict::Fail, &format!("defect {number:02}"), "auth/no-token/pets-get", 1);
    report.apis[0].findings = (0..12).map(found).collect();
    let text = Format::Github.render(&report);
    assert_eq!(text.lines().filter(|line| line.starts_with("::error ")).count(), 10);
    assert!(
        text.ends_with(
            "2 more, of which GitHub would show none:\n  error defect 10: 1 case\n  error defect 11: 1 case\n"
        ),
        "{text}"
    );
}

#[test]
fn every_form_lists_the_calls_that_changed_something_and_what_is_left() {
    let mut report = report();
    report.apis[0].live = Some(LiveReport {
        calls: vec![
            CallReport {
                call: "POST https://pets.example/v1/pets".to_owned(),
                outcome: "answered 201".to_owned(),
                count: 3,
            },
            CallReport { call: format!("DELETE {HOSTILE}"), outcome: "not answered".to_owned(), count: 1 },
        ],
        left: vec!["`felix`, made by POST /v1/pets: DELETE is answered 405".to_owned()],
        ..LiveReport::default()
    });
    // A badge is a word and a colour.
    for format in Format::ALL.into_iter().filter(|format| *format != Format::Badge) {
        let rendered = format.render(&report).replace('\u{2060}', "");
        for told in ["POST https://pets.example/v1/pets", "answered 201", "felix", "DELETE is answered 405"] {
            assert!(rendered.contains(told), "{format} lacks {told}: {rendered}");
        }
        assert!(!rendered.contains('\u{1b}'), "{format}");
        assert!(!rendered.lines().any(|line| line.starts_with("::error::")), "{format}");
    }
}

/// Tokens of the mock are known by their looks: 32 hexadecimal digits, or the beginning of a JWT or of a key of Scopien.
#[test]
fn no_form_shows_a_secret() {
    for (api, mutant) in [("guide", "names-faults-freely"), ("guide", "omits-lifetime"), ("scopien", "ignores-scopes")]
    {
        let file = |format: Format| temporary(&format!("secrets-{api}-{mutant}.{format}"));
        let reports: Vec<String> =
            Format::ALL.into_iter().map(|format| format!("{format}={}", file(format).display())).collect();
        let mut arguments = vec!["check", "--api", api, "--mutant", mutant];
        arguments.extend(reports.iter().flat_map(|report| ["--report", report]));
        let output = keyfit(&arguments);
        assert!(matches!(code(&output), 0 | 1), "{}", stdout(&output));
        for format in Format::ALL {
            let text = fs::read_to_string(file(format)).expect("it was written");
            let is_secret = |word: &str| {
                (word.len() >= 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit())) || word.starts_with("eyJ")
            };
            let mut words = text.split(|character: char| !character.is_ascii_alphanumeric());
            assert_eq!(words.find(|word| is_secret(word)), None, "{mutant}: {format}");
            assert!(!text.contains("sk_live_"), "{mutant}: {format}");
            if matches!(format, Format::Json | Format::Junit | Format::Markdown | Format::Html) {
                assert!(text.contains("redacted"), "{mutant}: {format} shows no exchange");
            }
        }
    }
}

#[test]
fn a_run_says_what_is_different_from_an_earlier_one() {
    let file = temporary("previous.json");
    let (json, previous) = (format!("json={}", file.display()), file.display().to_string());
    let broken = keyfit(&["check", "--api-dir", PETS, "--mutant", "accepts-no-token", "--report", &json]);
    assert_eq!(code(&broken), 1);
    let first = read(&Text::new("", fs::read_to_string(&file).expect("written"))).expect("a report");
    assert_eq!(first.totals.fail, 3);
    let case = first.apis[0].cases.iter().find(|case| case.id == "pets/auth/no-token/pets-get").expect("it is listed");
    assert_eq!((case.verdict, case.reason.as_deref()), (Verdict::Fail, Some("the status is 200, not 401")));
    assert_eq!((case.operation.path.as_str(), case.identity.as_deref()), ("/pets/{id}", Some("nobody")));
    assert_eq!(case.exchanges[0].method, "GET");
    let line = fs::read_to_string(&first.apis[0].contract).expect("the contract is there");
    assert!(line.lines().nth(case.line - 1).is_some_and(|line| line.contains("pets.auth.no-token")));

    let mended = stdout(&keyfit(&["check", "--api-dir", PETS, "--previous", &previous]));
    assert!(mended.contains("  0 worse\n  3 fixed\n    pets/auth/no-token/"), "{mended}");
    assert!(mended.contains("  0 new\n  0 gone\n"), "{mended}");
    // What was not asked for is not gone.
    let part = ["check", "--api-dir", PETS, "--case", "pets/auth/no-token/pets-get", "--previous", &previous];
    let part = stdout(&keyfit(&part));
    assert!(part.contains("  1 fixed\n") && part.contains("  0 gone\n"), "{part}");
    let other = ["check", "--api", "guide", "--case", "guide/auth/no-token/*", "--previous", &previous];
    let other = stdout(&keyfit(&other));
    assert!(other.contains("  4 new\n  0 gone\n"), "{other}");
    let (both, one) =
        (["check", "--api", "legacy", "--case", "legacy/*/*/sms-list"], ["--side", "server", "--previous", &previous]);
    assert_eq!(code(&keyfit(&[&both[..], &["--report", &json]].concat())), 0);
    let end = stdout(&keyfit(&[&both[..], &one].concat()));
    assert!(end.contains("  0 new\n  0 gone\n"), "{end}");
}

#[test]
fn a_report_on_the_standard_output_is_alone_there() {
    let output = keyfit(&["check", "--api-dir", PETS, "--report", "badge=-"]);
    let badge: Value = serde_json::from_str(&stdout(&output)).expect("JSON and nothing else");
    assert_eq!((&badge["schemaVersion"], &badge["color"]), (&Value::from(1), &Value::from("brightgreen")));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cases: "));
}

#[test]
fn what_cannot_be_written_or_compared_is_said_before_anything_runs() {
    let said = |arguments: &[&str]| complaint(&keyfit(&[&["check", "--api-dir", PETS], arguments].concat()));
    insta::assert_snapshot!("report-format", said(&["--report", "xml=report.xml"]));
    insta::assert_snapshot!("report-no-format", said(&["--report", "report.json"]));
    insta::assert_snapshot!("report-no-file", said(&["--report", "json="]));
    insta::assert_snapshot!("report-no-folder", said(&["--report", "json=tests/nowhere/report.json"]));
    insta::assert_snapshot!("report-folder", said(&["--report", "json=tests"]));
    insta::assert_snapshot!("report-twice", said(&["--report", "json=-", "--report", "html=-"]));
    insta::assert_snapshot!("previous-missing", said(&["--previous", "tests/nowhere.json"]));
    let earlier = |name: &str, text: &str| {
        let file = temporary(name);
        fs::write(&file, text).expect("the file can be written");
        said(&["--previous", &file.display().to_string()])
    };
    insta::assert_snapshot!("previous-no-json", earlier("no.json", "<html>\n"));
    insta::assert_snapshot!("previous-no-report", earlier("other.json", "{\"totals\": 3}"));
    insta::assert_snapshot!("previous-format", earlier("old.json", "{\"format\": 1, \"apis\": []}"));
    insta::assert_snapshot!("previous-cut-off", earlier("cut.json", "{\"format\": 2, \"apis\": ["));
    // A file that is tried is left as it was, and one that was not there is not left behind.
    let (kept, absent) = (temporary("kept.json"), temporary("absent.json"));
    fs::write(&kept, "kept").expect("the file can be written");
    let [to_kept, to_absent] = [&kept, &absent].map(|file| format!("json={}", file.display()));
    let to_html = to_absent.replace("json=", "html=");
    let _ = said(&["--report", &to_kept, "--report", &to_html, "--previous", "tests/nowhere.json"]);
    assert_eq!(fs::read_to_string(&kept).ok().as_deref(), Some("kept"));
    assert!(!absent.exists());
}

fn temporary(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
