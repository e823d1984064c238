//! `keyfit spec diff` as it is used: exit codes, formats, revisions of git, the ignore file, and cases.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use keyfit_conformance::spec_diff::json_schema;
use serde_json::Value;

use crate::common::committed;

const OLD: &str = "\
openapi: 3.0.3
info: {title: Pets, version: 1.0.0}
security: [{login: [read]}]
paths:
  /pets:
    get:
      operationId: pets-list
      responses:
        '200': {description: The pets, content: {application/json: {schema: {$ref: '#/components/schemas/Pets'}}}}
        '404': {description: None}
    post:
      operationId: pets-create
      responses:
        '201': {description: 'The pet | as it is'}
components:
  schemas:
    Pets: {type: object, required: [list], properties: {list: {type: array, items: {type: string}}}}
  securitySchemes:
    login: {type: http, scheme: bearer}
";

/// The same, with a scope more, a refusal less, and a member that can be missing.
fn new() -> String {
    OLD.replace("{login: [read]}", "{login: [read, write]}")
        .replace("        '404': {description: None}\n", "")
        .replace("required: [list], ", "")
}

/// A folder of its own with both documents, and what is run in it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("spec-diff").join(name);
        // What an earlier run left there, if one was.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        let folder = Self(folder);
        folder.write("old.yaml", OLD);
        folder.write("new.yaml", &new());
        folder
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).expect("the file can be written");
    }

    fn diff(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
        command.current_dir(&self.0).args(["spec", "diff"]).args(arguments).output().expect("the binary runs")
    }

    fn git(&self, arguments: &[&str]) {
        let identity = ["-c", "user.name=Pet", "-c", "user.email=pet@example.com", "-c", "commit.gpgsign=false"];
        let output =
            Command::new("git").current_dir(&self.0).args(identity).args(arguments).output().expect("git runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it was not killed")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn complaint(output: &Output) -> String {
    assert_eq!(code(output), 2, "{}", stdout(output));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_is_as_grave_as_the_threshold_exits_with_1() {
    let folder = Folder::new("threshold");
    folder.write(
        "deprecated.yaml",
        &OLD.replace("operationId: pets-list", "operationId: pets-list\n      deprecated: true"),
    );
    assert_eq!(code(&folder.diff(&["old.yaml", "old.yaml", "--fail-on", "warning"])), 0);
    assert_eq!(code(&folder.diff(&["old.yaml", "deprecated.yaml"])), 0);
    assert_eq!(code(&folder.diff(&["old.yaml", "deprecated.yaml", "--fail-on", "warning"])), 1);
    assert_eq!(code(&folder.diff(&["old.yaml", "new.yaml"])), 1);
}

#[test]
fn what_could_not_be_compared_does_not_pass_unless_it_is_accepted() {
    let folder = Folder::new("not-compared");
    let elsewhere = OLD.replace("'#/components/schemas/Pets'", "'https://pets.example/pets.yaml#/Pets'");
    assert_ne!(elsewhere, OLD);
    folder.write("elsewhere.yaml", &elsewhere);
    let output = folder.diff(&["old.yaml", "elsewhere.yaml"]);
    assert_eq!(code(&output), 1);
    assert!(stdout(&output).contains("breaking not-compared GET /pets"), "{}", stdout(&output));
    folder.write("policy.toml", "[[ignore]]\nrule = \"not-compared\"\nreason = \"compared by hand\"\n");
    assert_eq!(code(&folder.diff(&["old.yaml", "elsewhere.yaml", "--policy", "policy.toml"])), 0);
}

#[test]
fn each_format_is_the_reviewed_one() {
    let folder = Folder::new("formats");
    for format in ["text", "markdown", "json", "sarif", "github"] {
        let output = folder.diff(&["old.yaml", "new.yaml", "--format", format]);
        assert_eq!(code(&output), 1);
        insta::assert_snapshot!(format!("spec-diff-{format}"), stdout(&output));
    }
}

/// A document of a stranger is compared where CI reads along.
#[test]
fn no_line_of_a_report_is_begun_by_the_document() {
    let folder = Folder::new("commands");
    let strange = OLD
        .replace("operationId: pets-list", "operationId: \"pets-list\\n::add-mask::x\"")
        .replace("'404'", "\"4\\n::stop-commands::y\"");
    assert_ne!(strange, OLD);
    folder.write("strange.yaml", &strange);
    for format in ["text", "markdown", "github"] {
        for pair in [["old.yaml", "strange.yaml"], ["strange.yaml", "old.yaml"]] {
            let text = stdout(&folder.diff(&[pair[0], pair[1], "--format", format]));
            assert!(text.contains("add-mask"), "{format}: {text}");
            let begun = text.lines().find(|line| line.starts_with("::add") || line.starts_with("::stop"));
            assert_eq!(begun, None, "{format}: {text}");
        }
    }
}

#[test]
fn the_report_is_written_into_a_file() {
    let folder = Folder::new("output");
    let output = folder.diff(&["old.yaml", "new.yaml", "--format", "sarif", "--output", "report.sarif"]);
    assert_eq!((code(&output), stdout(&output).as_str()), (1, ""));
    let report: Value =
        serde_json::from_str(&fs::read_to_string(folder.0.join("report.sarif")).expect("written")).expect("JSON");
    assert_eq!(report["version"], "2.1.0");
    let results = report["runs"][0]["results"].as_array().expect("a list");
    let rules = report["runs"][0]["tool"]["driver"]["rules"].as_array().expect("a list");
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("a number")).expect("small");
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
}

#[test]
fn the_committed_schema_of_the_report_is_that_of_the_types() {
    committed("spec-diff.schema.json", &json_schema());
}

#[test]
fn a_revision_of_git_is_compared_with_the_file_of_today() {
    let folder = Folder::new("git");
    folder.git(&["init", "-q"]);
    folder.write("api.yaml", OLD);
    folder.git(&["add", "api.yaml"]);
    folder.git(&["commit", "-qm", "first"]);
    folder.write("api.yaml", &new());
    let output = folder.diff(&["HEAD:api.yaml", "api.yaml"]);
    assert_eq!(code(&output), 1, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout(&output).contains("HEAD:api.yaml:10:9"), "{}", stdout(&output));
    assert_eq!(code(&folder.diff(&["HEAD:./api.yaml", "HEAD:api.yaml"])), 0);
    let refused = |name: &str| complaint(&folder.diff(&[name, "api.yaml"]));
    let text = ["nowhere:api.yaml", "HEAD:nothing.yaml", "--output=x:api.yaml", ":api.yaml", "HEAD:"].map(|name| {
        if name.starts_with('-') { complaint(&folder.diff(&["--", name, "api.yaml"])) } else { refused(name) }
    });
    // How git says it depends on its version.
    insta::with_settings!({ filters => vec![(r"no such file: .*", "no such file: <reason>")] }, {
        insta::assert_snapshot!("spec-diff-bad-revisions", text.join("\n"));
    });
}

#[test]
fn a_revision_in_several_files_has_all_of_them_from_that_revision() {
    let folder = Folder::new("git-files");
    fs::create_dir_all(folder.0.join("api/parts")).expect("a folder");
    folder.git(&["init", "-q"]);
    folder.write("api/openapi.yaml", &OLD.replace("'#/components/schemas/Pets'", "'parts/pets.yaml#/Pets'"));
    folder.write("api/parts/pets.yaml", "Pets: {type: array, items: {type: string}}\n");
    folder.git(&["add", "api"]);
    folder.git(&["commit", "-qm", "first"]);
    assert_eq!(code(&folder.diff(&["HEAD:api/openapi.yaml", "api/openapi.yaml"])), 0);
    folder.write("api/parts/pets.yaml", "Pets: {type: array, items: {type: integer}}\n");
    let output = folder.diff(&["HEAD:api/openapi.yaml", "api/openapi.yaml"]);
    assert_eq!(code(&output), 1, "{}", String::from_utf8_lossy(&output.stderr));
    let said = stdout(&output);
    assert!(said.contains("--> api/parts/pets.yaml:1:"), "{said}");
    let back = ["api/openapi.yaml", "HEAD:api/openapi.yaml"];
    for (format, place) in [
        ("text", "--> HEAD:api/parts/pets.yaml:1:"),
        ("markdown", "new HEAD:api/parts/pets.yaml, line 1"),
        ("github", "file=api/parts/pets.yaml,line=1"),
        ("sarif", "\"uri\":\"api/parts/pets.yaml\""),
        ("json", "\"file\":\"HEAD:api/parts/pets.yaml\""),
    ] {
        let said = stdout(&folder.diff(&[&back[..], &["--format", format]].concat()));
        assert!(said.contains(place), "{format}: {said}");
    }
    folder.git(&["rm", "-q", "--cached", "api/parts/pets.yaml"]);
    folder.git(&["commit", "-qm", "lost"]);
    let said = complaint(&folder.diff(&["HEAD:api/openapi.yaml", "api/openapi.yaml"]));
    assert!(said.contains("a file that cannot be read: HEAD:api/parts/pets.yaml"), "{said}");
}

#[test]
fn input_that_cannot_be_used_exits_with_2_and_says_what_to_do() {
    let folder = Folder::new("unreadable");
    folder.write("swagger.yaml", "swagger: '1.2'\n");
    folder.write("broken.yaml", "openapi: [3\n");
    folder.write("unknown.toml", "[[ignore]]\nrule = \"security-scope-add\"\nreason = \"agreed\"\n");
    folder.write("unreasoned.toml", "[[ignore]]\nrule = \"security-scope-added\"\n");
    folder.write("blank.toml", "[[ignore]]\nrule = \"security-scope-added\"\nreason = \" \"\n");
    folder
        .write("misspelt.toml", "[[ignore]]\nrule = \"security-scope-added\"\nreason = \"agreed\"\npath = \"/pets\"\n");
    let mut text = String::new();
    for arguments in [
        &["nowhere.yaml", "new.yaml"][..],
        &["swagger.yaml", "new.yaml"],
        &["old.yaml", "broken.yaml"],
        &["old.yaml", "new.yaml", "--api", "pets"],
        &["old.yaml", "new.yaml", "--policy", "nowhere.toml"],
        &["old.yaml", "new.yaml", "--policy", "unknown.toml"],
        &["old.yaml", "new.yaml", "--policy", "unreasoned.toml"],
        &["old.yaml", "new.yaml", "--policy", "blank.toml"],
        &["old.yaml", "new.yaml", "--policy", "misspelt.toml"],
        &["old.yaml", "new.yaml", "--output", "nowhere/report.txt"],
    ] {
        text = format!("{text}$ spec diff {}\n{}\n", arguments.join(" "), complaint(&folder.diff(arguments)));
    }
    insta::assert_snapshot!("spec-diff-unreadable", text);
}

#[test]
fn accepted_changes_do_not_count_and_are_listed_with_their_reasons() {
    let folder = Folder::new("ignored");
    let global = "[[ignore]]\nrule = \"global-security-scope-added\"\nreason = \"announced in May\"\n";
    let member = "[[ignore]]\nrule = \"response-property-became-optional\"\noperation = \"GET /pets\"\n\
                  pointer = \"/components/schemas/Pets/**\"\nreason = \"nobody reads it\"\n";
    folder.write("policy.toml", &format!("{global}{member}"));
    let output = folder.diff(&["old.yaml", "new.yaml", "--policy", "policy.toml", "--format", "json"]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    let report: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(report["totals"]["ignored"], 2);
    assert_eq!(report["ignored"][0]["reason"], "announced in May");
    // The other operation is still concerned.
    folder.write("policy.toml", &format!("{member}{}", global.replace("reason", "operation = \"*-list\"\nreason")));
    let output = folder.diff(&["old.yaml", "new.yaml", "--policy", "policy.toml", "--format", "json"]);
    assert_eq!(code(&output), 1, "{}", stdout(&output));
    let report: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(report["findings"][0]["operations"].as_array().map(Vec::len), Some(1));
    assert_eq!(report["operations"][0]["id"], "pets-create");
}

#[test]
fn a_stale_entry_of_the_policy_file_exits_with_1_and_is_named() {
    let folder = Folder::new("stale");
    folder.write(
        "policy.toml",
        "# before\n[[ignore]]\nrule = \"server-removed\"\noperation = \"pets-*\"\nreason = \"moved\"\n",
    );
    for format in ["text", "markdown", "github", "sarif"] {
        let output = folder.diff(&["old.yaml", "old.yaml", "--policy", "policy.toml", "--format", format]);
        assert_eq!(code(&output), 1, "{format}");
        let text = stdout(&output);
        assert!(text.contains("policy.toml:3: `server-removed`, operation `pets-*`"), "{format}: {text}");
    }
}

#[test]
fn a_rule_is_as_grave_as_the_policy_says() {
    let folder = Folder::new("levels");
    let deprecated = OLD.replace("operationId: pets-list", "operationId: pets-list\n      deprecated: true");
    folder.write("deprecated.yaml", &deprecated);
    let diff = |level: &str| {
        folder.write("policy.toml", &format!("[levels]\noperation-deprecated = \"{level}\"\n"));
        folder.diff(&["old.yaml", "deprecated.yaml", "--policy", "policy.toml"])
    };
    for (level, exit) in [("breaking", 1), ("warning", 0), ("info", 0)] {
        let output = diff(level);
        assert_eq!(code(&output), exit, "{level}");
        assert!(stdout(&output).contains(&format!("\n{level} operation-deprecated GET /pets")), "{}", stdout(&output));
    }
    let said = complaint(&diff("grave"));
    assert!(said.contains("there is no level `grave`\n  --> policy.toml:2:24"), "{said}");
    folder.write("policy.toml", "[levels]\noperation-depreciated = \"info\"\n");
    let said = complaint(&folder.diff(&["old.yaml", "deprecated.yaml", "--policy", "policy.toml"]));
    assert!(said.contains("there is no rule called `operation-depreciated`\n  --> policy.toml:2:1"), "{said}");
    assert!(said.contains("did you mean `operation-deprecated`?"), "{said}");
}

/// 120 operations that go for one reason are one finding, and no form of the report is longer than it has to be.
#[test]
fn what_is_the_same_everywhere_is_said_once() {
    let folder = Folder::new("grouped");
    let document = |count: usize, status: &str| {
        let operation = |number: usize| {
            format!(
                "  /things-{number}/{{id}}: {{get: {{operationId: get-{number}, parameters: [{{name: id, in: path, required: true, schema: {{type: string}}}}], responses: {{'200': {{description: ok}}, '{status}': {{description: no}}}}}}}}"
            )
        };
        format!("openapi: 3.0.3\npaths:\n{}\n", (0..count).map(operation).collect::<Vec<_>>().join("\n"))
    };
    folder.write("many.yaml", &document(240, "404"));
    folder.write("few.yaml", &document(120, "410"));
    for format in ["text", "markdown", "json", "sarif", "github"] {
        let output = folder.diff(&["many.yaml", "few.yaml", "--format", format]);
        assert_eq!(code(&output), 1, "{format}");
        let text = stdout(&output);
        assert!(text.len() < 200_000, "{format}: {} bytes", text.len());
        assert!(text.lines().count() < 1000, "{format}");
        if format == "text" {
            assert!(text.contains("breaking operation-removed GET /things-120/{id} and 119 more"), "{text}");
            assert!(text.ends_with("1 breaking, 2 warnings, 0 info, 0 ignored, in 360 places\n"), "{text}");
        }
        if format == "json" {
            let report: Value = serde_json::from_str(&text).expect("JSON");
            let removed = &report["findings"][0];
            let parts = removed["parts"].as_array().expect("a list");
            assert_eq!((parts.len(), &parts[119]["rust"]), (120, &"the method `get_239` is gone".into()));
            let operations = removed["operations"].as_array().expect("a list");
            let last = operations.last().and_then(Value::as_u64).and_then(|place| usize::try_from(place).ok());
            assert_eq!(report["operations"][last.expect("a place")]["path"], "/things-239/{id}");
        }
    }
}

#[test]
fn the_cases_that_a_change_touches_are_listed() {
    let folder = Folder::new("apis/scopien");
    let published = fs::read_to_string("../openapi/apis/scopien/published.yaml").expect("it ships");
    folder.write("published.yaml", &published.replacen("        '404':", "        '410':", 1));
    folder.write("before.yaml", &published);
    let file = folder.0.join("published.yaml").display().to_string();
    let listed = |arguments: &[&str]| -> Value {
        let output = folder.diff(&[arguments, &["--format", "json"]].concat());
        serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    };
    let by_path = listed(&["before.yaml", &file]);
    assert_eq!(by_path["api"], "scopien");
    let by_name = listed(&["before.yaml", "published.yaml", "--api", "scopien"]);
    assert_eq!(by_path["findings"], by_name["findings"]);
    assert_eq!(listed(&["before.yaml", "published.yaml"])["api"], Value::Null);
    // Every JSON is YAML.
    fs::rename(folder.0.join("published.yaml"), folder.0.join("published.json")).expect("it is there");
    let twin = folder.0.join("published.json").display().to_string();
    assert_eq!(listed(&["before.yaml", &twin])["findings"], by_name["findings"]);
    assert_eq!(listed(&["before.yaml", "published.json"])["api"], Value::Null);
    let went = by_name["findings"].as_array().expect("a list").iter().find(|it| it["rule"] == "error-status-removed");
    let cases: Vec<&str> =
        went.expect("it went")["cases"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    insta::assert_snapshot!("spec-diff-cases", cases.join("\n"));
}
