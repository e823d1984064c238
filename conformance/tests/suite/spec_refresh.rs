//! `spec refresh` and `spec check` in a folder of their own, with a server that answers well, badly and not at all.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use keyfit_openapi::{Source, generate};

const PETS: &str = "tests/fixtures/apis/pets";
/// The reviewed surface of its client.
const SURFACE: &str = "pipeline/tests/snapshots/embedded__surface-pets.snap";

/// A folder with one API, whose document is published at this URL.
fn folder(name: &str, url: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refresh").join(name);
    let _ = fs::remove_dir_all(&folder);
    let api = folder.join("apis/pets");
    fs::create_dir_all(&api).expect("a folder");
    fs::copy(format!("{PETS}/openapi.yaml"), api.join("published.yaml")).expect("the document is there");
    fs::copy(format!("{PETS}/overlay.yaml"), api.join("overlay.yaml")).expect("the overlay is there");
    fs::copy(format!("{PETS}/contract.toml"), api.join("contract.toml")).expect("the contract is there");
    let sha256 = keyfit_conformance::origin::digest(&document());
    let text = format!(
        "# kept\n[[document]]\napi = \"pets\"\nfile = \"apis/pets/published.yaml\"\nurl = \"{url}\"\nprovenance = \"transcribed\"\nsha256 = \"{sha256}\"\n"
    );
    fs::write(folder.join("sources.toml"), text).expect("a file");
    let source = Source::from_dir(&api).expect("an API");
    let surface = generate(&source).expect("a client").surface;
    fs::create_dir_all(folder.join("pipeline/tests/snapshots")).expect("a folder");
    fs::write(folder.join(SURFACE), format!("---\nsource: a test\n---\n{surface}")).expect("a file");
    folder
}

fn document() -> String {
    fs::read_to_string(format!("{PETS}/openapi.yaml")).expect("the document is there")
}

fn spec(command: &str, folder: &Path, more: &[&str]) -> Output {
    let mut run = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    run.args(["spec", command, "--dir"]).arg(folder).args(more).output().expect("the binary runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A server that gives every request the next of these answers, byte by byte as they stand, and keeps what it was asked.
fn server(answers: Vec<String>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/openapi.yaml", listener.local_addr().expect("an address"));
    let asked = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut request = [0; 4096];
            let length = stream.read(&mut request).expect("a request");
            asked.push(String::from_utf8_lossy(&request[..length]).into_owned());
            let _ = stream.write_all(answer.as_bytes());
        }
        asked
    });
    (url, asked)
}

fn ok(headers: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}", body.len())
}

#[test]
fn a_document_that_has_changed_is_replaced_and_the_change_is_told() {
    let changed = document().replacen("        '401': { $ref: '#/components/responses/Problem' }\n", "", 1);
    let (url, asked) = server(vec![
        ok("etag: \"two\"\r\nlast-modified: Mon, 23 Nov 2026 08:00:00 GMT\r\n", &changed),
        "HTTP/1.1 304 Not Modified\r\nconnection: close\r\n\r\n".to_owned(),
    ]);
    let folder = folder("good", &url);
    assert_eq!(spec("check", &folder, &[]).status.code(), Some(0));
    let output = spec("refresh", &folder, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("pets: replaced\n"), "{}", stdout(&output));
    assert!(stdout(&output).contains("401"), "{}", stdout(&output));
    assert_eq!(fs::read_to_string(folder.join("apis/pets/published.yaml")).expect("a document"), changed);
    let sources = fs::read_to_string(folder.join("sources.toml")).expect("a file");
    assert!(sources.starts_with("# kept\n") && sources.contains("provenance = \"published\""), "{sources}");
    assert!(sources.contains("etag = '\"two\"'"), "{sources}");
    assert_eq!(stdout(&spec("refresh", &folder, &[])), "pets: unchanged\n");
    let asked = asked.join().expect("no panic");
    for header in ["if-none-match: \"two\"", "if-modified-since: Mon, 23 Nov 2026 08:00:00 GMT"] {
        assert!(asked[1].contains(header) && !asked[0].contains(header), "{asked:?}");
    }
    // What is edited by hand is noticed.
    fs::write(folder.join("apis/pets/published.yaml"), document()).expect("a file");
    let output = spec("check", &folder, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stdout(&output).contains("pets: the document is another one than sources.toml says"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn a_document_that_is_the_same_is_written_once_as_published_and_never_again() {
    let (url, asked) =
        server(vec![ok("", &document()), ok("etag: \"one\"\r\n", &document()), ok("etag: \"two\"\r\n", &document())]);
    let folder = folder("same", &url);
    let sources = || fs::read_to_string(folder.join("sources.toml")).expect("a file");
    let said = stdout(&spec("refresh", &folder, &[]));
    assert_eq!(said, "pets: unchanged, and written into sources.toml as published\n");
    // As if it had been fetched long ago.
    let long_ago = sources().lines().filter(|line| !line.starts_with("retrieved")).collect::<Vec<_>>().join("\n");
    fs::write(folder.join("sources.toml"), &long_ago).expect("a file");
    for _ in 0..2 {
        assert_eq!(stdout(&spec("refresh", &folder, &[])), "pets: unchanged\n");
        assert_eq!(sources(), long_ago, "nothing is written where nothing has changed");
    }
    assert!(asked.join().expect("no panic")[0].contains("accept-encoding: identity"));
}

#[test]
fn a_bad_answer_changes_nothing() {
    let bomb = format!(
        "openapi: 3.0.3\na0: &a0 [x, x]\n{}",
        (1..40).map(|n| format!("a{n}: &a{n} [*a{m}, *a{m}]\n", m = n - 1)).collect::<Vec<_>>().concat()
    );
    let cases = [
        (
            "truncated",
            "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\nconnection: close\r\n\r\nopenapi: 3.0.3\n".to_owned(),
        ),
        ("long", ok("", &format!("openapi: 3.0.3\n#{}\n", "x".repeat(2_000_000)))),
        ("web-page", ok("content-type: text/html; charset=utf-8\r\n", "<html></html>")),
        ("page-in-disguise", ok("content-type: application/yaml\r\n", "<html><body>Log in</body></html>")),
        (
            "elsewhere",
            "HTTP/1.1 302 Found\r\nlocation: http://localhost:9/openapi.yaml\r\nconnection: close\r\n\r\n".to_owned(),
        ),
        ("compressed", ok("content-encoding: gzip\r\n", "\u{1F}\u{8B}")),
        ("missing", "HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n".to_owned()),
        ("bomb", ok("", &bomb)),
        ("other-version", ok("", "swagger: '1.2'\ninfo: {title: Pets, version: '1'}\npaths: {}\n")),
        ("empty", ok("", "")),
        (
            "nothing-left",
            ok(
                "",
                "openapi: 3.0.3\ninfo: {title: Pets, version: '1'}\nservers: [{url: https://pets.example}]\npaths: {}\n",
            ),
        ),
    ];
    let mut said = String::new();
    for (name, answer) in cases {
        let (url, asked) = server(vec![answer]);
        let folder = folder(name, &url);
        let before = fs::read_to_string(folder.join("sources.toml")).expect("a file");
        let output = spec("refresh", &folder, &["--max-bytes", "1000000", "--timeout", "10"]);
        asked.join().expect("no panic");
        assert_eq!(output.status.code(), Some(2), "{name}: {}", stdout(&output));
        assert_eq!(fs::read_to_string(folder.join("sources.toml")).expect("a file"), before, "{name}");
        assert_eq!(fs::read_to_string(folder.join("apis/pets/published.yaml")).expect("a file"), document(), "{name}");
        let files: Vec<_> = fs::read_dir(folder.join("apis/pets")).expect("a folder").collect();
        assert_eq!(files.len(), 3, "{name}: nothing is left behind");
        let _ = writeln!(said, "{name}: {}", stderr(&output).replace(&url, "<url>"));
    }
    insta::assert_snapshot!(said);
}

#[test]
fn what_cannot_be_fetched_or_is_not_named_is_told() {
    let plain = folder("plain", "http://pets.example/openapi.yaml");
    assert!(stderr(&spec("refresh", &plain, &[])).contains("only https is fetched"));
    let secret = folder("secret", "https://ada:hunter2-do-not-print@pets.example/openapi.yaml?key=do-not-print");
    let said = stderr(&spec("refresh", &secret, &[]));
    assert!(said.contains("it names a user") && said.contains("--> https://pets.example/openapi.yaml\n"), "{said}");
    assert!(!said.contains("do-not-print"), "{said}");
    let misspelt = folder("misspelt", "docs.pets.example/openapi.yaml");
    let output = spec("refresh", &misspelt, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("`docs.pets.example/openapi.yaml` is no URL"), "{}", stderr(&output));
    let unpublished = folder("unpublished", "not published");
    assert_eq!(stdout(&spec("refresh", &unpublished, &[])), "pets: nothing is published: left as it is\n");
    assert!(stderr(&spec("refresh", &unpublished, &["--api", "cats"])).contains("names no API `cats`"));
    fs::create_dir_all(unpublished.join("apis/cats")).expect("a folder");
    assert!(stdout(&spec("check", &unpublished, &[])).contains("cats: sources.toml does not say"));
    fs::remove_file(unpublished.join(SURFACE)).expect("it was there");
    let output = spec("check", &unpublished, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("pets: there is no reviewed surface"), "{}", stdout(&output));
    let output = spec("check", Path::new("no-such-folder"), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("name the folder that holds sources.toml"), "{}", stderr(&output));
}
