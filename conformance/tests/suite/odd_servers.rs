//! Servers that do not behave, and users who mistype: what is said, and what is neither said nor done.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::cli::{PETS, code, stdout};
use crate::common::identity;

const TOKENS: &str = concat!(
    identity!("keeper", "key", "valid", "KEEPER_KEY", "scopes = [\"pets.read\", \"pets.write\"]"),
    identity!("visitor", "key", "valid", "VISITOR_KEY", "scopes = []\nids = { id = \"felix\" }"),
    "[ids]\nid = \"rex\"\n",
);
const KEEPER: &str = "fixture-key-keeper/with+odd=letters"; // not-a-secret
const VISITOR: &str = "fixture-key-visitor"; // not-a-secret

/// A server that answers each request by a function, which writes what it likes.
fn server(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or_default();
            answer(&String::from_utf8_lossy(&request[..length]), &mut stream);
        }
    });
    format!("http://{address}/api")
}

/// Writes an answer with these headers, and closes the connection.
fn write(stream: &mut TcpStream, status: &str, headers: &str, body: &str) {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n");
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

fn has_key(request: &str) -> bool {
    request.to_lowercase().contains("authorization: bearer fixture-key")
}

/// A server that keeps to the document, and refuses without a key as it is told.
fn pets(refusal: &'static str, headers: &'static str) -> String {
    server(move |request, stream| {
        let is_one = request.starts_with("GET /api/pets/");
        match has_key(request) {
            false => write(stream, refusal, headers, "{\"title\": \"No\"}"),
            true if is_one && !request.starts_with("GET /api/pets/rex ") => {
                write(stream, "404 Not Found", PROBLEM, "{\"title\": \"No\"}");
            }
            true if is_one => write(stream, "200 OK", LIMITS, "{\"id\": \"rex\", \"name\": \"Rex\"}"),
            true => write(stream, "200 OK", LIMITS, "[{\"id\": \"rex\", \"name\": \"Rex\"}]"),
        }
    })
}

const PROBLEM: &str = "content-type: application/problem+json\r\n";
const LIMITS: &str =
    "content-type: application/json\r\nratelimit-limit: 500\r\nratelimit-remaining: 400\r\nratelimit-reset: 9\r\n";

fn check(name: &str, base_url: &str, tokens: &str, more: &[&str]) -> (i32, String, Value) {
    check_with(name, base_url, tokens, KEEPER, more)
}

/// Exit code, everything that is printed, and the report.
fn check_with(name: &str, base_url: &str, tokens: &str, key: &str, more: &[&str]) -> (i32, String, Value) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("odd").join(name);
    fs::create_dir_all(&folder).expect("a folder");
    let (file, report) = (folder.join("tokens.toml"), folder.join("report.json"));
    fs::write(&file, tokens).expect("a file");
    let _ = fs::remove_file(&report);
    let output: Output = Command::new(env!("CARGO_BIN_EXE_keyfit"))
        .args(["check", "--api-dir", PETS, "--base-url", base_url, "--tokens"])
        .arg(&file)
        .arg("--report")
        .arg(format!("json={}", report.display()))
        .args(more)
        .envs([("KEEPER_KEY", key), ("VISITOR_KEY", VISITOR)])
        .output()
        .expect("the binary runs");
    let printed = stdout(&output) + &String::from_utf8_lossy(&output.stderr);
    let json = fs::read_to_string(report).unwrap_or_default();
    for secret in ["letters", VISITOR, "hunter2"] {
        assert!(!printed.contains(secret) && !json.contains(secret), "{name}: {printed}{json}");
    }
    (code(&output), printed, serde_json::from_str(&json).unwrap_or_default())
}

/// The verdicts of cases with this beginning.
fn verdicts<'a>(report: &'a Value, id: &'a str) -> Vec<&'a str> {
    let cases = report["apis"][0]["cases"].as_array().into_iter().flatten();
    let of_rule = cases.filter(|case| case["id"].as_str().is_some_and(|known| known.starts_with(id)));
    of_rule.filter_map(|case| case["verdict"].as_str()).collect()
}

#[test]
fn a_url_that_holds_a_secret_or_is_none_is_refused() {
    for (url, said) in [
        ("http://user:hunter2@127.0.0.1:9/api", "credentials belong into the tokens file"),
        ("http://127.0.0.1:9/api?key=hunter2", "it ends with its path"),
        ("127.0.0.1:9/api", "begin it with https:// or http://"),
        ("localhost:9/api", "begin it with https:// or http://"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_keyfit"))
            .args(["check", "--api-dir", PETS, "--tokens", "tokens.toml", "--base-url", url])
            .output()
            .expect("the binary runs");
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(code(&output) == 2 && printed.contains(said), "{url}: {printed}");
    }
}

#[test]
fn a_key_that_no_header_can_hold_is_not_left_out() {
    let url = pets("401 Unauthorized", PROBLEM);
    let (code, printed, _) = check_with("two-lines", &url, TOKENS, "letters\nletters", &[]);
    assert!(code == 2 && printed.contains("`keeper` has no secret: it holds a line break"), "{printed}");
    let (code, printed, _) = check_with("with-scheme", &url, TOKENS, "Bearer letters", &[]);
    assert!(code == 2 && printed.contains("it begins with `Bearer `"), "{printed}");
    let (code, printed, _) =
        check_with("end-of-line", &url, TOKENS, &format!("{KEEPER}\n"), &["--case", "**/accepted/*"]);
    assert_eq!(code, 0, "{printed}");
}

#[test]
fn who_called_is_named_with_ids_of_its_own() {
    let url = pets("401 Unauthorized", PROBLEM);
    let (code, printed, report) = check("named", &url, TOKENS, &[]);
    // Everybody may read everything there.
    assert_eq!(code, 1, "{printed}");
    assert!(printed.contains("called by key, without pets.read (`visitor`)"), "{printed}");
    assert_eq!(verdicts(&report, "pets/auth/accepted/pets-get"), ["pass"], "keeper has every scope that there is");
    assert_eq!(verdicts(&report, "pets/scope/lacking/pets-list"), ["fail"], "visitor has none");
    let of_visitor = printed.contains("GET ") && printed.contains("/pets/felix");
    assert!(of_visitor, "{printed}");
}

#[test]
fn a_limit_that_nobody_knows_is_no_broken_rule() {
    let url = pets("429 Too Many Requests", "retry-after: 300\r\n");
    let (code, printed, report) = check("guard", &url, TOKENS, &["--case", "pets/auth/no-token/*"]);
    assert_eq!(code, 2, "{printed}");
    assert!(printed.contains("the server answers 429"), "{printed}");
    let found = verdicts(&report, "pets/auth/no-token");
    assert!(!found.is_empty() && found.iter().all(|verdict| ["error", "skip"].contains(verdict)), "{found:?}");
}

#[test]
fn a_body_without_end_is_not_read_to_the_end() {
    let url = server(|request, stream| {
        if request.starts_with("GET /api HTTP") {
            return write(stream, "404 Not Found", "", "");
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n");
        let block = vec![b' '; 1 << 16];
        while stream.write_all(&block).is_ok() {}
    });
    let (code, printed, report) = check("endless", &url, TOKENS, &["--case", "pets/auth/accepted/pets-list"]);
    assert_eq!(code, 2, "{printed}");
    assert_eq!(verdicts(&report, "pets/auth/accepted"), ["error"]);
    assert!(printed.contains("is longer than"), "{printed}");
}

#[test]
fn a_key_is_masked_however_it_is_repeated() {
    let url = server(|_, stream| {
        let echoes = "{\"title\": \"fixture-key-keeper\\/with+odd=letters fixture-key-keeper%2Fwith%2Bodd%3Dletters\"}";
        write(stream, "500 Internal Server Error", PROBLEM, &format!("{}{echoes}", " ".repeat(580)));
    });
    let (code, printed, _) = check("echo", &url, TOKENS, &["--case", "pets/auth/accepted/*"]);
    assert_eq!(code, 1, "{printed}");
    assert!(printed.contains("[redacted]"), "{printed}");
}

#[test]
fn a_missed_should_fails_where_it_is_asked_for() {
    let url = pets("401 Unauthorized", PROBLEM);
    let contract = fs::read_to_string(format!("{PETS}/contract.toml")).expect("the fixture is there");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("odd/should");
    fs::create_dir_all(&folder).expect("a folder");
    for file in ["openapi.yaml", "overlay.yaml"] {
        fs::copy(format!("{PETS}/{file}"), folder.join(file)).expect("the fixture is there");
    }
    let (head, rules) = contract.split_once("[[rule]]").expect("rules");
    let lacking = rules.split("[[rule]]").find(|rule| rule.contains("pets.scope.lacking")).expect("the rule");
    let should = format!("{head}[[rule]]{}", lacking.replace("\"must\"", "\"should\""));
    fs::write(folder.join("contract.toml"), should).expect("a file");
    let api = folder.to_str().expect("UTF-8");
    let tokens = folder.join("tokens.toml");
    fs::write(&tokens, TOKENS).expect("a file");
    for (more, expected) in [(&[][..], 0), (&["--fail-on", "should"][..], 1)] {
        let output = Command::new(env!("CARGO_BIN_EXE_keyfit"))
            .args(["check", "--api-dir", api, "--base-url", &url, "--tokens"])
            .arg(&tokens)
            .args(more)
            .envs([("KEEPER_KEY", KEEPER), ("VISITOR_KEY", VISITOR)])
            .output()
            .expect("the binary runs");
        assert_eq!(code(&output), expected, "{}", stdout(&output));
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let command = format!("{} check --list | head -n 1", env!("CARGO_BIN_EXE_keyfit"));
    let output = Command::new("sh").args(["-c", &command]).output().expect("a shell");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Checks a server, and sends the command a signal once the server was asked.
#[cfg(unix)]
fn interrupted(url: &str, options: &[&str], signal: &str, was_asked: impl FnOnce()) -> std::process::Output {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tokens.toml");
    fs::write(&file, TOKENS).expect("a file");
    let child = Command::new(env!("CARGO_BIN_EXE_keyfit"))
        .args(["check", "--api-dir", PETS, "--base-url", url])
        .args(options)
        .arg("--tokens")
        .arg(&file)
        .envs([("KEEPER_KEY", KEEPER), ("VISITOR_KEY", VISITOR)])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    was_asked();
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(sent.expect("kill is there").success());
    child.wait_with_output().expect("it ends")
}

/// The wait is for a minute: a test that takes as long has failed.
#[cfg(unix)]
#[test]
fn a_run_that_waits_for_a_window_is_interrupted_at_once() {
    for signal in ["-INT", "-TERM"] {
        let (asked, was_asked) = std::sync::mpsc::channel();
        let url = server(move |request, stream| {
            if has_key(request) {
                let _ = asked.send(());
            }
            write(stream, "429 Too Many Requests", "retry-after: 60\r\n", "");
        });
        let output = interrupted(&url, &[], signal, || was_asked.recv().expect("a request with a key"));
        let printed = stdout(&output) + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(code(&output), 130, "{signal}: {printed}");
        assert!(printed.contains("the run was ended") && printed.contains("skipped"), "{signal}: {printed}");
    }
}

/// The look whether the server is there takes its turn as every request does: at this rate the next one is 1,000 s away.
#[cfg(unix)]
#[test]
fn the_first_look_at_the_server_counts_for_the_rate() {
    let (asked, was_asked) = std::sync::mpsc::channel();
    let url = server(move |_, stream| {
        let _ = asked.send(());
        write(stream, "404 Not Found", PROBLEM, "{\"title\": \"No\"}");
    });
    let output = interrupted(&url, &["--rate", "0.001"], "-INT", || was_asked.recv().expect("a look"));
    assert_eq!(code(&output), 130, "{}", stdout(&output));
    assert!(was_asked.try_recv().is_err(), "nothing else was sent: {}", stdout(&output));
}

#[test]
fn a_base_url_without_its_path_is_noted() {
    let url = server(|_, stream| write(stream, "404 Not Found", PROBLEM, "{\"title\": \"No\"}"));
    let (code, printed, _) = check("elsewhere", &url, TOKENS, &[]);
    assert_eq!(code, 1, "{printed}");
    assert!(printed.contains("does the base URL lack a path"), "{printed}");
}

#[test]
fn a_token_that_is_of_two_kinds_is_no_token_of_another_kind() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("odd/two-kinds");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let get = |id: &str, kind: &str| {
        format!("{{get: {{operationId: {id}, security: [{{{kind}: []}}], responses: {{'200': {{description: ok}}}}}}}}")
    };
    let document = format!(
        "openapi: 3.0.3\ninfo: {{title: Kinds, version: '1'}}\npaths:\n  /a: {}\n  /b: {}\ncomponents: {{securitySchemes: {{one: {{type: http, scheme: bearer}}, other: {{type: http, scheme: bearer}}}}}}\n",
        get("a", "one"),
        get("b", "other")
    );
    fs::write(folder.join("kinds.yaml"), document).expect("a file");
    let tokens = concat!(
        identity!("one", "one", "valid", "KEEPER_KEY", ""),
        identity!("other", "other", "valid", "KEEPER_KEY", "")
    );
    fs::write(folder.join("kinds.toml"), tokens).expect("a file");
    let keyfit = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
        stdout(&command.current_dir(&folder).args(arguments).env("KEEPER_KEY", KEEPER).output().expect("it runs"))
    };
    let made = keyfit(&["init", "kinds.yaml", "--dir", "api"]);
    assert!(made.contains("--base-url URL "), "{made}");
    let url = server(|request, stream| {
        let (status, headers) =
            if has_key(request) { ("200 OK", "") } else { ("401 Unauthorized", "www-authenticate: Bearer\r\n") };
        write(stream, status, headers, "");
    });
    let told = keyfit(&["check", "--api-dir", "api", "--base-url", &url, "--tokens", "kinds.toml"]);
    assert!(told.contains("the token of `one` is one of the kind `other` as well, which opens the call"), "{told}");
    assert!(!told.contains("where another kind is needed"), "{told}");
}
