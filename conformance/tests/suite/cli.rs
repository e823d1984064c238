//! The command line as it is used: exit codes, reports, and what it says of input that it cannot use.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::without_names;

pub(crate) const PETS: &str = "tests/fixtures/apis/pets";

pub(crate) fn keyfit(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keyfit")).args(arguments).output().expect("the binary runs")
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().expect("it was not killed")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What it says on stderr, with the changing part of the folder's name taken out.
pub(crate) fn complaint(output: &Output) -> String {
    assert_eq!(code(output), 2, "{}{}", stdout(output), String::from_utf8_lossy(&output.stderr));
    without_names(&String::from_utf8_lossy(&output.stderr).replace(env!("CARGO_TARGET_TMPDIR"), "<tmp>"))
}

/// A copy of the pets folder with its contract changed.
fn pets_with(name: &str, change: impl Fn(String) -> String) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).join("pets");
    fs::create_dir_all(&folder).expect("a folder");
    for file in ["openapi.yaml", "overlay.yaml"] {
        fs::copy(format!("{PETS}/{file}"), folder.join(file)).expect("the fixture is there");
    }
    let contract = fs::read_to_string(format!("{PETS}/contract.toml")).expect("the contract is there");
    fs::write(folder.join("contract.toml"), change(contract)).expect("the contract can be written");
    folder
}

fn refused(name: &str, from: &str, to: &str) -> String {
    let folder = pets_with(name, |contract| {
        assert!(contract.contains(from), "the fixture holds {from}");
        contract.replacen(from, to, 1)
    });
    complaint(&keyfit(&["check", "--api-dir", &folder.display().to_string()]))
}

#[test]
fn rules_that_are_kept_exit_with_0() {
    let output = keyfit(&["check", "--api", "ingest", "--case", "ingest/*/*/stream-get"]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
}

#[test]
fn a_broken_must_rule_exits_with_1_and_shows_the_exchange_without_the_token() {
    let output = keyfit(&[
        "check",
        "--api",
        "scopien",
        "--mutant",
        "ignores-scopes",
        "--case",
        "scopien/scope/lacking/accounts-create",
    ]);
    assert_eq!(code(&output), 1);
    let text = stdout(&output);
    assert!(!text.contains("sk_live_"), "{text}");
    insta::with_settings!({ filters => vec![
        (r"127\.0\.0\.1:\d+", "<host>"),
        (r"x-ratelimit-reset: \d+", "x-ratelimit-reset: <time>"),
        (r"date: .*", "date: <time>"),
        (r"in \d+\.\d+ s", "in <time>"),
    ]}, { insta::assert_snapshot!(text) });
}

#[test]
fn a_broken_should_rule_warns_and_exits_with_0() {
    let output = keyfit(&["check", "--api", "scopien", "--mutant", "omits-allow", "--case", "scopien/method/**"]);
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).contains("should scopien.method.allow: "), "{}", stdout(&output));
}

#[test]
fn reports_on_tokens_show_none_of_them() {
    for mutant in ["names-faults-freely", "omits-lifetime", "loses-state", "explains-jwts", "accepts-code-twice"] {
        let check = ["check", "--api", "guide", "--mutant", mutant, "--report", "json=-"];
        let output = keyfit(&check);
        // The text has one exchange a finding, the other form all of them.
        let text = stdout(&output) + &String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("guide.oauth.") || text.contains("guide.jwt."), "{text}");
        assert!(text.contains("[redacted]"), "{text}");
        // Every secret of the mock has 32 hexadecimal digits, and JWTs begin with the same three letters.
        let is_secret = |word: &str| word.len() >= 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let words = text.split(|character: char| !character.is_ascii_alphanumeric());
        assert_eq!(words.clone().find(|word| is_secret(word) || word.starts_with("eyJ")), None, "{mutant}: {text}");
    }
}

#[test]
fn an_api_of_ones_own_is_checked_without_recompiling() {
    let output = keyfit(&["check", "--api-dir", PETS]);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), String::from_utf8_lossy(&output.stderr));
    let output = keyfit(&["check", "--api-dir", PETS, "--mutant", "accepts-no-token"]);
    assert_eq!(code(&output), 1, "{}", stdout(&output));
}

#[test]
fn cases_are_listed() {
    let output = keyfit(&["check", "--api-dir", PETS, "--list", "--case", "pets/auth/**"]);
    insta::assert_snapshot!(stdout(&output));
}

#[test]
fn input_that_cannot_be_used_exits_with_2_and_says_what_to_do() {
    insta::assert_snapshot!("unknown-api", complaint(&keyfit(&["check", "--api", "ingestion"])));
    insta::assert_snapshot!("no-case", complaint(&keyfit(&["check", "--api", "ingest", "--case", "ingest/nothing/*"])));
    insta::assert_snapshot!("no-folder", complaint(&keyfit(&["check", "--api-dir", "tests/fixtures/nowhere"])));
    insta::assert_snapshot!("no-toml", refused("no-toml", "[sources]", "[sources"));
    insta::assert_snapshot!("unknown-key", refused("unknown-key", "requirement =", "requirements ="));
    insta::assert_snapshot!("unknown-probe", refused("unknown-probe", "\"lacking-scope\"", "\"lacking-scopes\""));
    insta::assert_snapshot!("uncited", refused("uncited", "page = \"rfc9110\"", "page = \"rfc9111\""));
    insta::assert_snapshot!("twice", refused("twice", "pets.auth.no-token", "pets.auth.accepted"));
    insta::assert_snapshot!("unknown-family", refused("unknown-family", "pets.auth.no-token", "pets.login.no-token"));
    insta::assert_snapshot!(
        "no-status",
        refused("no-status", "{ status = [401], body = \"profile\" }", "{ body = \"profile\" }")
    );
    let server = r#"[authorization-server]
authorization-url = "/authorize"
token-url = "/token"
token-body = "json"
client-authentication = ["body"]
lifetime-seconds = 60
rotation = "off"
grant-types = ["client_credentials"]
issues = "ticket"
scopes = []
source = { page = "page", section = "Keys" }

[rate-limit]"#;
    insta::assert_snapshot!("unknown-kind", refused("unknown-kind", "[rate-limit]", server));
    let keys = r#"[key-management]
kind = "key"
mint = "pets-create"
list = "pets-list"
update = "pets-rename"
revoke = "pets-get"
introspect = "pets-get"
id-parameter = "id"
members = { id = "/id", key = "/key", scopes = "/scopes", list = "/data", own-id = "/id", own-scopes = "/scopes" }
source = { page = "page", section = "Keys" }

[rate-limit]"#;
    insta::assert_snapshot!("unknown-operation", refused("unknown-operation", "[rate-limit]", keys));
    let keys = keys.replace("pets-rename", "pets-get").replace("id-parameter = \"id\"", "id-parameter = \"key\"");
    insta::assert_snapshot!("unknown-parameter", refused("unknown-parameter", "[rate-limit]", &keys));
    let keys = keys.replace("own-id = \"/id\"", "own-id = \"id\"");
    insta::assert_snapshot!("no-pointer", refused("no-pointer", "[rate-limit]", &keys));
    let unnamed = "reset-header = \"RateLimit-Reset\"\n";
    insta::assert_snapshot!("unnamed-headers", refused("unnamed-headers", unnamed, ""));
    let stale = "probe = \"valid\"\noperations = [\"pets-delete\"]";
    insta::assert_snapshot!("stale-pattern", refused("stale-pattern", "probe = \"valid\"", stale));
    insta::assert_snapshot!(
        "no-case-of-rule",
        refused("no-case-of-rule", "{ unknown-id = \"id\" }", "{ unknown-id = \"pet\" }")
    );
}

#[test]
fn all_that_does_not_fit_the_document_is_said_at_once() {
    let folder = pets_with("several", |contract| {
        contract.replacen("{ unknown-id = \"id\" }", "{ unknown-id = \"pet\" }", 1)
            + "\n[[rule]]\nid = \"pets.auth.later\"\nrequirement = \"x\"\nlevel = \"must\"\nsource = { page = \"page\" }\nprobe = \"no-token\"\nexpect = { status = [401] }\noperations = [\"gone\", \"pets-*\", \"also-gone\"]\n"
    });
    insta::assert_snapshot!(complaint(&keyfit(&["check", "--api-dir", &folder.display().to_string()])));
}

#[test]
fn a_level_that_the_contract_changes_counts_and_is_said_with_its_reason() {
    let level = |level: &str, rules: &str| {
        format!("\n[[level]]\nrules = [\"{rules}\"]\nlevel = \"{level}\"\nreason = \"the gateway answers\"\n")
    };
    for (changed, ends, told) in [
        ("must", 1, "must -> must: pets.auth.no-token"),
        ("should", 0, "must -> should: pets.auth.no-token"),
        ("observe", 0, "must -> observe: pets.auth.no-token"),
        ("off", 0, "must -> off: pets.auth.no-token"),
    ] {
        let folder =
            pets_with(&format!("level-{changed}"), |contract| contract + &level(changed, "pets.auth.no-token"));
        let folder = folder.display().to_string();
        let check = [
            "check",
            "--api-dir",
            &folder,
            "--mutant",
            "accepts-no-token",
            "--case",
            "pets/auth/no-token/**",
            "--case",
            "pets/scope/**",
        ];
        let output = keyfit(&check);
        assert_eq!(code(&output), ends, "{changed}: {}", stdout(&output));
        assert!(
            stdout(&output).contains(told) && stdout(&output).contains("): the gateway answers"),
            "{}",
            stdout(&output)
        );
    }
    let refused = |name: &str, text: String| {
        let folder = pets_with(name, |contract| contract + &text);
        complaint(&keyfit(&["check", "--api-dir", &folder.display().to_string()]))
    };
    assert!(
        refused("level-of-none", level("off", "pets.auth.gone")).contains("`pets.auth.gone` fits the id of no rule")
    );
    let twice = level("off", "pets.auth.no-token") + &level("should", "pets.auth.*");
    assert!(refused("level-twice", twice).contains("`pets.auth.no-token` is given a level twice"));
    let silent = level("off", "pets.auth.no-token").replace("the gateway answers", " ");
    assert!(refused("level-silent", silent).contains("without a reason"));
}

#[test]
fn an_api_without_a_contract_is_refused() {
    let folder = pets_with("no-contract", |contract| contract);
    fs::remove_file(folder.join("contract.toml")).expect("it was just written");
    insta::assert_snapshot!(complaint(&keyfit(&["check", "--api-dir", &folder.display().to_string()])));
}

const LACKING: &str = "scopien/scope/lacking/*";

/// A baseline for the mock that ignores scopes.
fn known(name: &str, case: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.toml"));
    fs::write(&path, format!("[[known]]\ncases = [\"{case}\"]\nreason = \"until the next release\"\n"))
        .expect("a file");
    path.display().to_string()
}

#[test]
fn a_known_failure_fails_nothing_and_a_stale_entry_does() {
    let known_ones = known("known", LACKING);
    let arguments = ["check", "--api", "scopien", "--case", LACKING, "--baseline", &known_ones];
    let output = keyfit(&[&arguments[..], &["--mutant", "ignores-scopes"]].concat());
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    assert!(stdout(&output).contains("): until the next release\n"), "{}", stdout(&output));
    let output = keyfit(&arguments);
    assert_eq!(code(&output), 1, "{}", stdout(&output));
    assert!(stdout(&output).contains("known.toml:2: `scopien/scope/lacking/*`: what it names does not fail any more"));
    let output = keyfit(&["check", "--api-dir", PETS, "--baseline", &known("gone", "pets/no/such/case")]);
    assert_eq!(code(&output), 1, "{}", stdout(&output));
    assert!(stdout(&output).contains("it names no case"));
}

#[test]
fn a_baseline_is_begun_and_brought_up_to_date_without_losing_reasons() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("written-baseline.toml");
    let _ = fs::remove_file(&path);
    let file = path.display().to_string();
    let run = |more: &[&str]| {
        keyfit(&[&["check", "--api-dir", PETS, "--side", "server", "--baseline", &file], more].concat())
    };
    let read = || fs::read_to_string(&path).expect("it was written");
    // One that is not there is begun, and not taken for an empty one.
    assert!(complaint(&run(&[])).contains("add that option to begin it"));
    assert!(complaint(&keyfit(&["check", "--api-dir", PETS, "--write-baseline"])).contains("--baseline"));
    let output = run(&["--mutant", "accepts-no-token", "--write-baseline"]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    let begun = read();
    assert!(begun.contains("[[known]]\nkind = \"served\"\nreason = \"\"\ncases = [\n  \"pets/"), "{begun}");
    assert_eq!(code(&run(&["--mutant", "accepts-no-token"])), 0);
    // A reason of the user's stays, and so does what was not run.
    fs::write(&path, begun.replace("reason = \"\"", "reason = \"the gateway\" # ours")).expect("written");
    let output = run(&["--mutant", "accepts-no-token"]);
    assert!(stdout(&output).contains("): the gateway\n"), "{}", stdout(&output));
    let scopes = ["--mutant", "ignores-scopes", "--case", "pets/scope/**"];
    let output = run(&scopes);
    assert_eq!(code(&output), 1, "what is new fails: {}", stdout(&output));
    assert_eq!(code(&run(&[&scopes[..], &["--write-baseline"]].concat())), 0);
    assert!(read().contains("reason = \"the gateway\" # ours") && read().contains("\"pets/scope/"), "{}", read());
    assert_eq!(code(&run(&scopes)), 0);
    // What does not fail any more is stale until it is written again.
    let output = run(&["--mutant", "ignores-scopes"]);
    assert_eq!(code(&output), 1, "{}", stdout(&output));
    assert!(stdout(&output).contains("does not fail as `served` any more: delete"), "{}", stdout(&output));
    assert_eq!(code(&run(&["--mutant", "ignores-scopes", "--write-baseline"])), 0);
    assert!(!read().contains("the gateway"), "{}", read());
    // What was not run stays.
    let known = read();
    assert_eq!(code(&run(&["--case", "pets/auth/no-token/*", "--write-baseline"])), 0);
    assert_eq!(read(), known);
}

#[test]
fn cases_can_be_left_out() {
    let output = keyfit(&["check", "--list", "--api", "ingest", "--skip", "ingest/auth/**", "--skip", "**/stream-get"]);
    assert_eq!(code(&output), 0);
    let listed = stdout(&output);
    assert!(listed.contains("ingest/error/") && !listed.contains("ingest/auth/") && !listed.contains("/stream-get "));
}

#[test]
fn the_first_failure_ends_a_run_that_is_to_fail_fast() {
    let run = [
        "check",
        "--api",
        "scopien",
        "--side",
        "server",
        "--mutant",
        "refuses-everyone",
        "--parallel",
        "1",
        "--fail-fast",
    ];
    let output = keyfit(&run);
    assert_eq!(code(&output), 1);
    assert!(stdout(&output).contains("1 failed"), "{}", stdout(&output));
    assert!(stdout(&output).contains("the run was ended before it"));
}

#[test]
fn another_order_of_the_cases_gives_the_same_result() {
    for seed in ["1", "2"] {
        let output = keyfit(&["check", "--api-dir", PETS, "--seed", seed, "--parallel", "3"]);
        assert_eq!(code(&output), 0, "{}", stdout(&output));
    }
}

#[test]
fn a_rule_is_explained() {
    let output = keyfit(&["rule", "ingest.auth.revoked-token"]);
    assert_eq!(code(&output), 0);
    insta::assert_snapshot!(stdout(&output));
    assert!(complaint(&keyfit(&["rule", "ingest.auth.revoked"])).contains("there is no rule"));
    let all = stdout(&keyfit(&["rule", "**"]));
    assert!(!all.contains("sends     \n") && !all.contains("plays     \n") && !all.contains("why       \n"));
}

#[test]
fn a_server_that_cannot_be_reached_is_no_failure_of_its_own() {
    let tokens = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-tokens.toml");
    fs::write(&tokens, "").expect("a file");
    // A port that nobody listens at: it was given back.
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let url = format!("http://{free}/v1");
    let output = keyfit(&["check", "--api-dir", PETS, "--base-url", &url, "--tokens", &tokens.display().to_string()]);
    let complaint = complaint(&output);
    assert!(complaint.starts_with("error: the server cannot be reached: "), "{complaint}");
    assert!(complaint.ends_with("help: check the URL, and that the server runs\n"), "{complaint}");
}

#[test]
fn a_bare_document_becomes_a_folder_that_can_be_checked() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("init");
    let _ = fs::remove_dir_all(&folder);
    let out = folder.display().to_string();
    let init = ["init", "tests/fixtures/bare/openapi.yaml", "--name", "parcels", "--dir", &out];
    let output = keyfit(&init);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout(&output).contains("contract.toml, tokens.toml; "), "{}", stdout(&output));
    assert!(stdout(&output).contains(" cases: add [[identity]] with kind = "), "{}", stdout(&output));
    assert!(stdout(&output).contains("-of-somebody-else\"` under [foreign]"), "{}", stdout(&output));
    let output = keyfit(&["check", "--api-dir", &out]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    // Nothing is written over.
    assert!(complaint(&keyfit(&init)).contains("the file is there already"));
    assert!(complaint(&keyfit(&["init", "no-such-file.yaml"])).contains("the document cannot be read"));
    assert!(
        complaint(&keyfit(&["init", "Cargo.toml", "--name", "a/b"])).contains("`a/b` is not a valid name for an API")
    );
}
