//! `keyfit spec lint` and `keyfit spec explain` as they are used.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const PETS: &str = "\
openapi: 3.0.3
info: {title: Pets, version: 1.0.0}
servers: [{url: https://api.example.com/}]
paths:
  /pets/{id}:
    get:
      method: GET
      responses: {'200': {description: The pet}}
    post:
      operationId: pets-mark
      parameters: [{name: mark, in: cookie, schema: {type: string}}]
      responses: {'204': {description: Done}}
    delete:
      operationId: pets-drop
      servers: [{url: https://other.example.com}]
      responses: {'204': {description: Done}}
";

fn lint(name: &str, text: &str) -> (i32, String) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("spec-lint");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name), text).expect("the file can be written");
    let output = spec(&folder, &["lint", name]);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().expect("it was not killed"), String::from_utf8_lossy(&text).into_owned())
}

fn spec(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    command.current_dir(folder).arg("spec").args(arguments).output().expect("the binary runs")
}

#[test]
fn a_document_that_is_very_large_is_linted_without_the_generator_and_says_so() {
    let large = |length| PETS.replace("{title: Pets,", &format!("{{title: Pets, description: {},", "x".repeat(length)));
    let (code, text) = lint("large.yaml", &large(4 << 20));
    assert_eq!(code, 0);
    assert!(text.contains("not looked at: what the client generator cannot express"), "{text}");
    assert!(text.contains("repaired stray-key"), "{text}");
    let (_, text) = lint("not-so-large.yaml", &large(4 << 10));
    assert!(!text.contains("not looked at"), "{text}");
}

#[test]
fn what_is_repaired_is_named_with_its_line() {
    let (code, text) = lint("repaired.yaml", PETS);
    assert_eq!(code, 0, "{text}");
    insta::assert_snapshot!("spec-lint-repaired", text);
}

#[test]
fn what_is_refused_exits_with_1_and_what_cannot_be_read_with_2() {
    let circle = format!("{PETS}components: {{schemas: {{Pet: {{allOf: [{{$ref: '#/components/schemas/Pet'}}]}}}}}}\n");
    let (code, text) = lint("refused.yaml", &circle);
    assert_eq!(code, 1, "{text}");
    insta::assert_snapshot!("spec-lint-refused", text);
    let (code, text) = lint("unreadable.yaml", &PETS.replace("'200':", "'200': ["));
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("--> unreadable.yaml:"), "{text}");
}

#[test]
fn every_api_that_ships_is_explained_and_an_action_shows_what_it_changes() {
    for name in ["instasent-legacy", "transactional", "product", "ingest", "scopien", "guide"] {
        let output = spec(Path::new("."), &["explain", name]);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("overlay $"), "{name}: {text}");
        if name == "scopien" {
            // What only the generator is given has two sides as well.
            let change = "  #/components/schemas/ErrorDetail/properties/code/enum\n    - [\"unauthorized\",";
            assert!(text.contains(change), "{text}");
        }
        if name == "transactional" {
            let change = "overlay $.servers[0]\n  --> openapi/apis/instasent-transactional/overlay.yaml:14:5\n";
            assert!(text.contains(change), "{text}");
            let sides = "    - \"https://api.instasent.com\"\n    + \"https://api.instasent.com/transactional/v1\"\n";
            assert!(text.contains(sides), "{text}");
        }
    }
    let output = spec(Path::new("."), &["explain", "transactional", "--document"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["servers"][0]["url"], "https://api.instasent.com/transactional/v1");
    let output = spec(Path::new("."), &["explain", "pets"]);
    assert_eq!(output.status.code(), Some(2));
}
