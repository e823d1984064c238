//! The scheme `mutualTLS`, before servers that ask for client certificates: with one they serve, and without it they refuse the
//! connection, or the call; one that does not is found.

use std::fs;
use std::path::Path;

use crate::cli::keyfit;
use crate::matrix;
use crate::tls::{self, Answer, Authority};

const SERVED: &str = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
const REFUSED: &str = "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic realm=\"locks\"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A user and a password, and the same as they travel.
const LOGIN: &str = "ada:fixture-secret-login"; // not-a-secret
const SENT: &str = "authorization: Basic YWRhOmZpeHR1cmUtc2VjcmV0LWxvZ2lu"; // not-a-secret

/// What a server answers that looks at the user, where the operation takes one.
fn by_login(request: &str) -> &'static str {
    let is_login = request.lines().any(|line| line == SENT);
    if !request.contains("-and-login") || is_login { SERVED } else { REFUSED }
}

/// Checks the operations that take a certificate alone, and with a login, and returns the exit code and what was said.
async fn checked(is_demanded: bool, answer: Answer, more: &[&str]) -> (Option<i32>, String) {
    let folder = matrix::folder();
    let authority = Authority::new("locks");
    let machine = authority.issue("machine-7", &[]);
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let (both, login) =
        (file("both.pem", &[machine.certificate_pem(), machine.key_pem()].concat()), file("login", LOGIN));
    let identity = |kind: &str, path: &str| {
        format!(
            "[[identity]]\nname = \"{kind}\"\nkind = \"{kind}\"\nstate = \"valid\"\nsecret = {{ file = {path:?} }}\n"
        )
    };
    let tokens = file("tokens.toml", &[identity("machine", &both), identity("login", &login)].concat());
    let (url, seen) = tls::server(&authority, is_demanded, answer).await;
    let json = folder.join("report.json").display().to_string();
    let (folder, authority) = (folder.display().to_string(), file("ca.pem", &authority.pem()));
    let mut arguments =
        vec!["check", "--side", "server", "--api-dir", &folder, "--base-url", &url, "--tokens", &tokens];
    let json_report = format!("json={json}");
    arguments.extend(["--cacert", &authority, "--report", &json_report]);
    for rule in ["accepted", "no-certificate", "no-token", "wrong-password", "unknown-token"] {
        for operation in ["machine-alone", "machine-and-login"] {
            if operation == "machine-and-login" || ["accepted", "no-certificate"].contains(&rule) {
                arguments.extend(["--case", Box::leak(format!("locks/auth/{rule}/{operation}").into_boxed_str())]);
            }
        }
    }
    let more: Vec<String> = more.iter().map(|one| one.replace("BOTH", &both)).collect();
    arguments.extend(more.iter().map(String::as_str));
    let output = tokio::task::block_in_place(|| keyfit(&arguments));
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    let report = fs::read_to_string(Path::new(&json)).unwrap_or_default();
    let key = machine.key_pem();
    let mut secrets = key.lines().filter(|line| !line.starts_with('-')).chain([LOGIN, "fixture-secret-login"]);
    assert!(secrets.all(|secret| !text.contains(secret) && !report.contains(secret)), "{text}");
    let seen = seen.lock().expect("no panic");
    let bare = seen.iter().filter(|(certificate, _)| certificate.is_none()).count();
    assert!(seen.iter().all(|(shown, _)| shown.as_ref().is_none_or(|shown| *shown == machine.certificate)));
    assert_eq!(bare > 0, !is_demanded, "{seen:?}");
    (output.status.code(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_wants_a_certificate_is_served_one_and_refuses_whoever_has_none() {
    let by_answer: Answer = |has_certificate, request| if has_certificate { by_login(request) } else { FORBIDDEN };
    for (is_demanded, answer) in [(true, (|_, request| by_login(request)) as Answer), (false, by_answer)] {
        let (code, text) = checked(is_demanded, answer, &[]).await;
        assert!(code == Some(0) && text.contains("6 cases: 6 passed"), "{is_demanded}: {text}");
    }
    // One that is named for every connection is not shown where none shall be.
    let (code, text) = checked(false, by_answer, &["--client-cert", "BOTH"]).await;
    assert!(code == Some(0) && text.contains("6 cases: 6 passed"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_serves_whoever_has_no_certificate_is_found() {
    for more in [&[][..], &["--client-cert", "BOTH"]] {
        let (code, text) = checked(false, |_, request| by_login(request), more).await;
        assert!(
            code == Some(1) && text.contains("must locks.auth.no-certificate: ") && text.contains("(2 cases)"),
            "{text}"
        );
        assert!(text.contains("4 passed"), "{text}");
    }
}
