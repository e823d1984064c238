//! `keyfit batch`, as its users run it.

#[path = "../../../tests/batch_writer/server.rs"]
#[expect(dead_code, reason = "the writer's own tests use all of it")]
mod server;

#[cfg(feature = "nats")]
mod interrupts;
#[path = "../../../tests/queue/nats.rs"]
#[cfg(feature = "nats")]
#[expect(dead_code, reason = "the queue's own tests use all of it")]
mod nats;
mod queue;
#[cfg(feature = "nats")]
mod secured;
#[cfg(all(feature = "nats", feature = "valkey"))]
mod shared;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use server::{Received, Reply, Server, answer};
use tempfile::TempDir;

const TOKEN: &str = "fixture-token-0001"; // not-a-secret

const DOCUMENT: &str = r"
openapi: 3.0.3
info: { title: Parcels, version: '1' }
servers: [{ url: https://parcels.example }]
security: [{ key: [] }]
paths:
  /shops/{shop}/parcels:
    post:
      operationId: push
      parameters: [{ name: shop, in: path, required: true, schema: { type: string } }]
      requestBody: &body
        required: true
        content: { application/json: { schema: { $ref: '#/components/schemas/Parcels' } } }
      responses: &answers
        '202': { description: The outcome of each., content: { application/json: { schema: { $ref: '#/components/schemas/Outcomes' } } } }
  /parcels:
    put:
      operationId: upsert
      requestBody: *body
      responses: *answers
  /parcels/{id}:
    get:
      operationId: get
      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
      responses: { '204': { description: It is there. } }
components:
  securitySchemes: { key: { type: apiKey, in: header, name: X-Key } }
  schemas:
    Parcels:
      type: object
      required: [note, parcels]
      properties:
        note: { type: string }
        parcels: { type: array, maxItems: 50, items: { $ref: '#/components/schemas/Parcel' } }
    Parcel:
      type: object
      required: [ref, grams]
      properties: { ref: { type: string }, grams: { type: integer }, insured: { type: boolean }, tags: { type: array, items: { type: string } } }
    Outcomes:
      type: object
      properties: { results: { type: array, items: { type: object, properties: { ref: { type: string }, state: { type: string }, problem: { type: string } } } } }
";

const OVERLAY: &str = r"
overlay: 1.0.0
info: { title: Parcels, version: '1' }
actions:
  - target: $.paths.*['post','put']
    description: A success may hold parcels that were refused.
    update: { x-keyfit: { partial: { outcomes: /results, outcome: /state, accepted-as: [stored], reason: /problem, item: '' } } }
  - target: $.paths['/parcels'].put
    description: A parcel is known by its reference.
    update: { x-keyfit: { retry: keyed, retry-key: ref } }
";

const CONTRACT: &str = r#"
name = "parcels"
[sources]
page = { title = "Parcels", url = "https://parcels.example/docs" }
[[credential]]
kind = "key"
variable = "PARCELS_KEY"
carriers = [{ named-header = "X-Key" }]
source = { page = "page" }
[batch]
items-at = "/parcels"
maximum = 10
id-field = "ref"
spoil = "grams"
source = { page = "page" }
"#;

/// A folder with the API, and a file of items.
fn folder(name: &str, rows: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let api = dir.path().join("parcels");
    fs::create_dir(&api).expect("a folder");
    for (file, text) in [("published.yaml", DOCUMENT), ("overlay.yaml", OVERLAY), ("contract.toml", CONTRACT)] {
        fs::write(api.join(file), text).expect("a file");
    }
    let path = dir.path().join(name);
    fs::write(&path, rows).expect("a file");
    (dir, path)
}

fn command(server: &Server, dir: &TempDir, operation: &str, file: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    command.env("PARCELS_KEY", TOKEN).arg("batch").arg(dir.path().join("parcels")).arg(operation).arg(file);
    command.args(["--base-url", &server.url, "note=spring"]).args(more);
    if operation == "push" {
        command.arg("shop=a/b");
    }
    command
}

/// Runs it to its end; exit code, what it printed and what it said.
async fn run(mut command: Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    let (printed, said) = (text(stdout), text(stderr));
    assert!(!said.contains(TOKEN) && !printed.contains(TOKEN), "{said}");
    (status.code().expect("a code"), printed, said)
}

fn items(request: &Received) -> Vec<Value> {
    request.body["parcels"].as_array().expect("a list").clone()
}

fn stored(items: &[Value]) -> Value {
    let told = |item: &Value| match item["grams"].as_u64() {
        Some(0) => json!({ "ref": item["ref"], "state": "refused", "problem": "weighs nothing" }),
        _ => json!({ "ref": item["ref"], "state": "stored" }),
    };
    json!({ "results": items.iter().map(told).collect::<Vec<_>>() })
}

async fn storing() -> Server {
    Server::start(|request| Reply::Answer(answer(202, &stored(&items(request))))).await
}

fn sent(server: &Server) -> Vec<Value> {
    server.received().iter().flat_map(items).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("a file");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn rows(count: u64) -> String {
    let row = |number: u64| format!("{{\"ref\":\"p{number}\",\"grams\":{}}}\n", number + 1);
    (0..count).map(row).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_of_a_file_are_sent_in_batches_with_what_stands_beside_them() {
    let (server, (dir, file)) = (storing().await, folder("parcels.ndjson", rows(25)));
    let (code, printed, said) = run(command(&server, &dir, "push", &file, &["--json"])).await;
    assert_eq!((code, said.as_str()), (0, "25 accepted, 0 rejected\n"));
    let summary: Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(summary, json!({ "accepted": 25, "rejected": 0, "unknown": 0, "unsent": 0, "skipped": 0 }));
    let received = server.received();
    assert_eq!(received.iter().map(|request| items(request).len()).max(), Some(10));
    assert!(
        received.iter().all(|request| request.body["note"] == "spring" && request.target == "/shops/a%2Fb/parcels")
    );
    assert!(received.iter().all(|request| request.headers["x-key"] == TOKEN));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_items_are_told_with_their_lines_and_kept_as_dead_letters() {
    let text_of = "{\"ref\":\"a\",\"grams\":1}\nno json\n{\"ref\":\"b\"}\n\n{\"ref\":\"c\",\"grams\":0}\n{\"ref\":\"d\",\"grams\":\"2\"}\n";
    let (server, (dir, file)) = (storing().await, folder("parcels.jsonl", text_of));
    let rest = dir.path().join("rest.ndjson");
    fs::write(&rest, "{\"mine\":1}\n").expect("a file");
    let (code, _, said) = run(command(&server, &dir, "push", &file, &["--dead-letters", text(&rest)])).await;
    assert_eq!(code, 1, "{said}");
    for words in ["line 2: is no JSON object", "line 3: ", "line 5: weighs nothing", "line 6: grams"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.ends_with("1 accepted, 4 rejected\n"), "{said}");
    let kept = lines(&rest);
    assert_eq!((kept.len(), &kept[0]), (5, &json!({ "mine": 1 })), "what was there stays");
    let by_item: BTreeMap<u64, &Value> =
        kept[1..].iter().map(|line| (line["item"].as_u64().expect("a number"), line)).collect();
    assert_eq!(by_item.keys().copied().collect::<Vec<_>>(), [2, 3, 5, 6]);
    assert_eq!(by_item[&2]["value"], "no json");
    assert_eq!(by_item[&5]["value"], json!({ "ref": "c", "grams": 0 }));
    assert_eq!(sent(&server).len(), 2, "what the document does not allow is not sent");
    let (code, _, said) = run(command(&server, &dir, "push", &file, &["--unchecked"])).await;
    assert!(code == 1 && said.ends_with("3 accepted, 2 rejected\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cells_of_csv_are_read_by_the_document() {
    let rows = "ref;grams;insured;tags\na;5;true;\"[\"\"x\"\",\"\"y\"\"]\"\nb;;false;x\nc;five;;\n";
    let (server, (dir, file)) = (storing().await, folder("parcels.csv", rows));
    let (code, _, said) = run(command(&server, &dir, "push", &file, &[])).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("line 4: grams: ") && said.contains("line 3: "), "{said}");
    assert_eq!(sent(&server), [json!({ "ref": "a", "grams": 5, "insured": true, "tags": ["x", "y"] })]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_checks_all_items_and_sends_none() {
    let (server, (dir, file)) = (storing().await, folder("parcels.ndjson", rows(3) + "{\"ref\":7,\"grams\":1}\n"));
    let (code, printed, said) = run(command(&server, &dir, "push", &file, &["--dry-run", "--json"])).await;
    assert_eq!((code, printed.trim()), (1, r#"{"fit":3,"unfit":1}"#), "{said}");
    assert!(said.contains("line 4: ") && said.ends_with("3 fit to be sent, 1 not; nothing was sent\n"), "{said}");
    assert!(server.received().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_used_ends_with_2_and_sends_nothing() {
    let (server, (dir, file)) = (storing().await, folder("parcels.ndjson", rows(3)));
    let folder_of = dir.path().join("folder");
    fs::create_dir(&folder_of).expect("a folder");
    for (operation, more, words) in [
        ("get", &[][..], "nothing says how `get` takes many items"),
        ("pull", &[], "has no operation"),
        ("push", &["parcels=[]"], "`parcels` is where the items go"),
        ("push", &["colour=red"], "takes no `colour`"),
        ("push", &["--key", "ref"], "not a JSON pointer"),
        ("push", &["--dead-letters", text(&folder_of)], "--dead-letters cannot be written"),
        ("push", &["--dead-letters", text(&file)], "are the same file"),
        ("push", &["--max-in-flight", "0"], "--max-in-flight"),
        ("push", &["--dry-run", "--checkpoint", "x"], "cannot be used with"),
    ] {
        let (code, _, said) = run(command(&server, &dir, operation, &file, more)).await;
        assert!(code == 2 && said.contains(words), "{words}: {code} {said}");
    }
    let mut nothing_beside = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    nothing_beside.env("PARCELS_KEY", TOKEN).arg("batch").arg(dir.path().join("parcels")).arg("upsert").arg(&file);
    let (code, _, said) = run(nothing_beside).await;
    assert!(code == 2 && said.contains("needs note"), "{said}");
    assert!(server.received().is_empty());
    assert_eq!(fs::read_to_string(&file).expect("a file"), rows(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_file_is_no_error_and_sends_nothing() {
    let (server, (dir, file)) = (storing().await, folder("parcels.ndjson", ""));
    let (code, _, said) = run(command(&server, &dir, "push", &file, &[])).await;
    assert_eq!((code, said.as_str(), server.received().len()), (0, "0 accepted, 0 rejected\n", 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn standard_input_is_sent_as_it_comes() {
    let (server, (dir, _)) = (storing().await, folder("parcels.ndjson", ""));
    let mut command = command(&server, &dir, "upsert", Path::new("-"), &["--format", "ndjson"]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut input = child.stdin.take().expect("piped");
    std::io::Write::write_all(&mut input, rows(3).as_bytes()).expect("written");
    drop(input);
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.expect("no panic").expect("it ends");
    assert_eq!((output.status.code(), sent(&server).len()), (Some(0), 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checkpoint_of_another_file_operation_or_call_is_refused() {
    let (server, (dir, file)) = (storing().await, folder("parcels.ndjson", rows(25)));
    let state = dir.path().join("state.json");
    let more = ["--checkpoint", text(&state)];
    assert_eq!(run(command(&server, &dir, "push", &file, &more)).await.0, 0);
    let requests = server.received().len();
    let (code, _, said) = run(command(&server, &dir, "push", &file, &more)).await;
    assert_eq!((code, said.as_str()), (0, "25 accepted, 0 rejected (25 of them in an earlier run)\n"));
    let before = fs::read(&state).expect("a checkpoint");
    let (code, _, said) = run(command(&server, &dir, "upsert", &file, &more)).await;
    assert!(code == 2 && said.contains("the checkpoint of another import: its"), "{said}");
    let (code, _, said) =
        run(command(&server, &dir, "push", &file, &[more[0], more[1], "--body", "{\"note\":\"x\"}"])).await;
    assert_eq!(code, 2, "{said}");
    fs::write(&file, rows(26).replace("p1\"", "q1\"")).expect("a file");
    let (code, _, said) = run(command(&server, &dir, "push", &file, &more)).await;
    assert!(code == 2 && said.contains("the checkpoint of another file"), "{said}");
    assert_eq!((server.received().len(), fs::read(&state).expect("a checkpoint")), (requests, before));
}

/// Kills the command in the middle, runs it again, and gives how often each item was stored.
async fn killed(operation: &str) -> (BTreeMap<String, usize>, i32, String, Vec<Value>) {
    const ROWS: u64 = 3000;
    let kept: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let store = Arc::clone(&kept);
    let server = Server::start(move |request| {
        let items = items(request);
        let mut kept = store.lock().expect("no panic");
        for item in &items {
            *kept.entry(item["ref"].as_str().expect("text").to_owned()).or_default() += 1;
        }
        Reply::Answer(answer(202, &stored(&items)))
    })
    .await;
    let (dir, file) = folder("parcels.ndjson", rows(ROWS));
    let (state, rest) = (dir.path().join("state.json"), dir.path().join("rest.ndjson"));
    let more = ["--checkpoint", text(&state), "--dead-letters", text(&rest)];
    let mut first = command(&server, &dir, operation, &file, &more).stderr(Stdio::null()).spawn().expect("it runs");
    while server.received().len() < 30 {
        assert!(first.try_wait().expect("a child").is_none(), "it ended before it was killed");
        tokio::task::yield_now().await;
    }
    first.kill().expect("a child");
    first.wait().expect("a child");
    let (code, _, said) = run(command(&server, &dir, operation, &file, &more)).await;
    let kept = kept.lock().expect("no panic").clone();
    (kept, code, said, lines(&rest))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_killed_loses_no_item_with_a_key() {
    let (kept, code, said, rest) = killed("upsert").await;
    assert_eq!((code, kept.len(), rest.len()), (0, 3000, 0), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_killed_doubles_no_item_without_one_and_tells_which_are_open() {
    let (kept, code, said, rest) = killed("push").await;
    assert!(kept.values().all(|times| *times == 1), "{said}");
    // Those that were on their way may have been stored, and are left to the user.
    let open: Vec<&str> = rest.iter().map(|line| line["value"]["ref"].as_str().expect("text")).collect();
    assert!(rest.iter().all(|line| line["outcome"] == "unknown" && line["may_have_been_sent"] == true), "{rest:?}");
    assert!((0..3000).all(|number| kept.contains_key(&format!("p{number}")) || open.contains(&&*format!("p{number}"))));
    assert_eq!(code, if open.is_empty() { 0 } else { 2 }, "{said}");
}
