//! No form of a report holds a secret, however the server wrote it, nor a character that commands a terminal, whoever wrote
//! that; and what is written is for its owner alone.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyfit::redact::plain_lines;
use keyfit_conformance::catalogue::Catalogue;
use keyfit_conformance::credential::secret::{MASK, Redactor, Secret};
use keyfit_conformance::judgement::verdict::{Exchange, Outcome};
use keyfit_conformance::mock::Mock;
use keyfit_conformance::report::{ApiReport, Format, Report, text};
use keyfit_openapi::Source;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::cli::{PETS, code, keyfit};
use crate::encodings::{ENCODINGS, Written, leak, written};
use crate::random::secrets;

/// How many random secrets, and of how many encodings of each one is tried.
const SECRETS: usize = 4;
const SHARE: usize = 5;

fn pets() -> Catalogue {
    Catalogue::read(&Source::from_dir(PETS.as_ref()).expect("the folder is there")).expect("it is a contract")
}

/// A report in which a server wrote this in every place that it can reach, one case each.
fn report(catalogue: &Catalogue, all: &[Written], redactor: &Redactor) -> Report {
    let outcome = |case: usize| {
        let level = catalogue.cases[case].level;
        let Some(written) = all.get(case) else { return Outcome::pass() };
        let said = format!("the server says {}, which is wrong", written.text);
        let mut outcome = Outcome::broken(level, said.clone());
        let header = |name: &str| vec![(name.to_owned(), said.clone()), (said.clone(), "1".to_owned())];
        outcome.identity = Some(said.clone());
        outcome.exchanges = vec![Exchange {
            method: "GET".to_owned(),
            url: format!("https://pets.example/{}?again={}", written.text, written.text),
            headers: header("Authorization"),
            body: said.clone(),
            status: Some(500),
            answer_headers: header("location"),
            answer_body: said,
        }];
        outcome
    };
    let outcomes = (0..catalogue.cases.len()).map(outcome).collect();
    let api = ApiReport::new(catalogue, "https://pets.example", outcomes, redactor);
    Report::new(vec![api], 1, std::time::Duration::ZERO)
}

/// Every form, and every text of the report as it is before a form is made.
pub(crate) fn forms(report: &Report) -> Vec<(String, String)> {
    let mut forms: Vec<(String, String)> =
        Format::ALL.into_iter().map(|format| (format.to_string(), format.render(report))).collect();
    forms.push(("text".to_owned(), text(report)));
    let mut texts = String::new();
    strings(&serde_json::to_value(report).expect("JSON"), &mut texts);
    forms.push(("model".to_owned(), texts));
    forms
}

fn strings(value: &Value, texts: &mut String) {
    match value {
        Value::String(text) => {
            let _ = writeln!(texts, "{text}");
        }
        Value::Array(items) => items.iter().for_each(|item| strings(item, texts)),
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            let _ = writeln!(texts, "{name}");
            strings(member, texts);
        }),
        _ => {}
    }
}

#[test]
fn no_form_of_a_report_holds_a_secret_in_any_encoding() {
    let (catalogue, mut runner) = (pets(), TestRunner::deterministic());
    let (mut cases, mut hits) = (0, Vec::new());
    for turn in 0..SECRETS {
        let secret = secrets().new_tree(&mut runner).expect("a secret").current();
        let redactor = Redactor::default();
        redactor.learn(&Secret::new(secret.as_str()));
        let some: Vec<Written> = written(&secret).into_iter().skip(turn).step_by(SHARE).collect();
        for all in some.chunks(catalogue.cases.len()) {
            for (form, shown) in forms(&report(&catalogue, all, &redactor)) {
                assert!(form == "badge" || shown.contains("redacted"), "{form} shows nothing of what was said");
                cases += all.len();
                let found = all.iter().filter_map(|written| Some((written, leak(&shown, written, 0)?)));
                hits.extend(found.map(|(written, part)| format!("{secret:?}, {}, {form}: {part:?}", written.name)));
            }
        }
    }
    println!("secrets: {cases} cases, {} hits", hits.len());
    assert!(hits.is_empty(), "{} of {cases}:\n{}", hits.len(), hits[..hits.len().min(10)].join("\n"));
}

/// What no text may hold as it is: control characters of both kinds, marks of direction, characters that are not seen.
const HIDDEN: &str = "\u{1b}[2J\u{7}\r\u{9b}31m\u{202e}\u{2066}\u{200b}\u{200f}\u{61c}\u{feff}\u{2028}\u{2029}";

fn hidden_in(text: &str) -> Option<char> {
    HIDDEN.chars().filter(|character| !"[2J31m".contains(*character)).find(|character| text.contains(*character))
}

#[test]
fn no_form_of_a_report_holds_a_character_that_commands_a_terminal() {
    let catalogue = pets();
    let mut report = report(&catalogue, &[], &Redactor::default());
    let api = &mut report.apis[0];
    for text in [&mut api.server, &mut api.contract] {
        text.push_str(HIDDEN);
    }
    for case in &mut api.cases {
        let operation = Arc::make_mut(&mut case.operation);
        for text in [&mut case.id, &mut operation.id, &mut operation.path] {
            text.push_str(HIDDEN);
        }
        for text in [&mut case.requirement, &mut case.source, &mut case.url] {
            *text = format!("{text}{HIDDEN}").into();
        }
        case.reason = Some(HIDDEN.to_owned());
        case.identity = Some(HIDDEN.to_owned());
        case.exchanges = vec![Exchange { answer_body: HIDDEN.to_owned(), ..Exchange::default() }];
        case.verdict = keyfit_conformance::judgement::verdict::Verdict::Fail;
    }
    report.stale.push(HIDDEN.to_owned());
    for (form, shown) in forms(&report).into_iter().filter(|(form, _)| form != "model") {
        assert_eq!(hidden_in(&shown), None, "{form}");
        assert!(form == "badge" || shown.contains("u{202e}"), "{form} does not show it as an escape");
    }
}

#[test]
fn nothing_that_is_said_of_a_document_commands_a_terminal() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hidden-in-a-document");
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).expect("a folder");
    let name = |text: &str| format!("{text}{HIDDEN}\nerror: it is not");
    let document = |more: &str| {
        let operation = json!({
            "operationId": name("pets"), "summary": name("Lists"), "tags": [name("tag")], "deprecated": name("no"),
            "parameters": [{"name": name("page"), "in": "query", "schema": {"type": "string", "enum": [name("a"), more]}}],
            "responses": {"200": {"description": name("Pets"), "content": {name("application/json"): {}}}, name("2"): {}},
            "security": [{name("scheme"): [name("scope")]}],
        });
        let paths = json!({ format!("/pets/{HIDDEN}"): { "get": operation, name("method"): {} } });
        json!({ "openapi": "3.0.3", "info": {"title": name("Pets"), "version": name("1")}, "paths": paths,
            "servers": [{"url": "https://pets.example"}], name("x"): 1 })
        .to_string()
    };
    let [old, new] = ["b", "c"].map(|more| {
        let file = folder.join(format!("{more}.json"));
        fs::write(&file, document(more)).expect("the file can be written");
        file.display().to_string()
    });
    let out = folder.join("made").display().to_string();
    let mut runs: Vec<Vec<&str>> = vec![
        vec!["spec", "lint", &new],
        vec!["init", "--name", "pets", &new, "--dir", &out],
        vec!["check", "--api-dir", &out, "--list"],
        vec!["check", "--api-dir", &out],
        vec!["rule", "**", "--api-dir", &out],
        vec!["rule", "--api-dir", &out],
    ];
    runs.extend(
        ["text", "markdown", "json", "sarif", "github"].map(|form| vec!["spec", "diff", &old, &new, "--format", form]),
    );
    for arguments in runs {
        let output = keyfit(&arguments);
        for said in [output.stdout, output.stderr] {
            let said = String::from_utf8(said).expect("a text");
            assert_eq!(hidden_in(&said), None, "{arguments:?}: {}", plain_lines(&said));
            let is_believed = said.lines().any(|line| line.starts_with("error: it is not"));
            assert!(!is_believed, "{arguments:?}: {}", plain_lines(&said));
        }
    }
}

#[test]
fn both_lists_of_hidden_characters_are_the_same() {
    for character in char::MIN..=char::MAX {
        let text = character.to_string();
        assert_eq!(keyfit::redact::plain(&text), keyfit_openapi::plain(&text), "{:x}", u32::from(character));
    }
}

#[tokio::test]
async fn the_journal_of_the_mock_holds_no_token_in_any_encoding() {
    let mock = Mock::of("instasent-ingest").await.expect("a mock");
    let token = mock.token("datasource").expect("it is there");
    let strange = "never-issued/token+1"; // not-a-secret
    for encoding in ENCODINGS {
        for secret in [token.secret.reveal(), strange] {
            let text: String = url::form_urlencoded::byte_serialize((encoding.encode)(secret).as_bytes()).collect();
            let url = format!("{}/project/{text}", mock.base_url());
            let _ = reqwest::Client::new().get(url).bearer_auth(secret).send().await.expect("an answer");
        }
    }
    let requests = mock.requests();
    assert_eq!(requests.len(), 2 * ENCODINGS.len());
    for request in requests {
        assert!(request.path.contains(MASK), "{request:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_report_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = |file: &PathBuf| fs::metadata(file).expect("it was written").permissions().mode() & 0o777;
    let [new, old] =
        ["private-new.json", "private-old.html"].map(|name| Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
    drop(fs::remove_file(&new));
    fs::write(&old, "an earlier report").expect("the file can be written");
    fs::set_permissions(&old, fs::Permissions::from_mode(0o644)).expect("it is ours");
    let [json, html] = [format!("json={}", new.display()), format!("html={}", old.display())];
    let case = "pets/auth/no-token/pets-get";
    let output = keyfit(&["check", "--api-dir", PETS, "--case", case, "--report", &json, "--report", &html]);
    assert_eq!(code(&output), 0);
    assert_eq!((mode(&new), mode(&old)), (0o600, 0o600));
    assert!(fs::read_to_string(&old).expect("a page").starts_with("<!"), "it is written anew");
}
