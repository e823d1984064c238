//! No secret of a call is shown, whatever the server repeats.

use std::fs;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Answer, Server, TOKEN, command, folder, told, with_input};

/// An answer that repeats the token wherever a server can.
fn echo(status: u16, media_type: &'static str) -> Answer {
    let encoded = STANDARD.encode(format!("user:{TOKEN}"));
    let body = format!(
        r#"{{"message":"no such key: {TOKEN}","{TOKEN}":["{encoded}"],"code":"{TOKEN}","request_id":"{TOKEN}"}}"#
    );
    let mut answer = Answer::of(status, media_type, body);
    answer.headers = vec![
        ("x-request-id", TOKEN.to_owned()),
        ("set-cookie", format!("session={TOKEN}")),
        ("x-echo", encoded),
        ("location", format!("https://elsewhere.example/?key={TOKEN}")),
    ];
    answer
}

fn reveals(text: &str) -> bool {
    let encoded = STANDARD.encode(format!("user:{TOKEN}"));
    text.contains(TOKEN) || text.contains(&encoded[8..encoded.len() - 4]) || text.contains("fixture-swordfish")
}

#[test]
fn a_server_that_repeats_the_token_does_not_have_it_shown() {
    for status in [200, 201, 302, 400, 401, 403, 404, 429, 500] {
        let server = Server::start(echo(status, "application/json"));
        for more in [&["--verbose"][..], &[], &["--dry-run"], &["--describe"]] {
            let api = folder().display().to_string();
            let call =
                [&[api.as_str(), "createParcel", "weight=1", "password=fixture-swordfish", "--attempts", "1"], more]; // not-a-secret
            let (_, printed, complaint) =
                told(&command(Some(&server), &call.concat()).output().expect("the binary runs"));
            assert!(!reveals(&printed) && !reveals(&complaint), "{status} {more:?}: {printed}{complaint}");
        }
    }
}

#[test]
fn an_error_that_is_not_json_is_masked_too() {
    let server = Server::start(echo(500, "text/html"));
    let api = folder().display().to_string();
    let call = [api.as_str(), "getParcel", "id=1", "--attempts", "1", "-v"];
    let (code, _, complaint) = told(&command(Some(&server), &call).output().expect("the binary runs"));
    assert!(code == 7 && !reveals(&complaint), "{complaint}");
}

#[test]
fn a_secret_among_the_arguments_is_shown_nowhere() {
    let server = Server::start(Answer::json(400, r#"{"message":"fixture-swordfish is too short"}"#)); // not-a-secret
    let api = folder().display().to_string();
    for arguments in [
        &["listParcels", "password=fixture-swordfish"][..], // not-a-secret
        &["listParcels", "password=fixture-swordfish", "--dry-run"], // not-a-secret
        &["makeToken", "grant=a", "password=fixture-swordfish"], // not-a-secret
        &["makeToken", "grant=a", "password=fixture-swordfish", "--dry-run"], // not-a-secret
        &["makeToken", "--body", "grant=a&password=fixture-swordfish", "--dry-run"], // not-a-secret
    ] {
        let call = [&[api.as_str()], arguments, &["-v"]].concat();
        let (_, printed, complaint) = told(&command(Some(&server), &call).output().expect("the binary runs"));
        assert!(!reveals(&printed) && !reveals(&complaint), "{arguments:?}: {printed}{complaint}");
    }
}

#[test]
fn a_token_on_the_command_line_is_refused_and_not_repeated() {
    let server = Server::start(Answer::json(200, "{}"));
    let api = folder().display().to_string();
    let authorization = format!("Authorization=Bearer {TOKEN}");
    let header = format!("X-Tenant={TOKEN}");
    for arguments in [
        &["getParcel", "id=1", "--token", TOKEN][..],
        &["getParcel", "id=1", "--token", "swordfish"],
        &["getParcel", "id=1", &authorization],
        &["getParcel", "id=1", &header],
        &["getParcel", "id=1", TOKEN],
        &["getParcel", "id=1", "--base-url", &format!("https://user:{TOKEN}@host.example")],
        &["getParcel", "id=1", "--as", TOKEN],
        &[TOKEN],
    ] {
        let call = [&[api.as_str()], arguments].concat();
        let (code, printed, complaint) = told(&command(Some(&server), &call).output().expect("the binary runs"));
        assert_eq!((code, printed.as_str()), (2, ""), "{arguments:?}");
        assert!(!reveals(&complaint) && !complaint.contains("swordfish"), "{arguments:?}: {complaint}");
        assert_eq!(server.take(), Vec::<String>::new());
    }
    let clear =
        command(Some(&server), &[&api, "getParcel", "id=1", "--token", TOKEN]).output().expect("the binary runs");
    insta::assert_snapshot!(told(&clear).2, @r"
    error: --token is given the token itself, and the command line is no place for one: every process of the machine and the history of the shell see it
    help: set PARCELS_KEY or PARCELS_TENANT, or name a file that holds the token: --token @FILE, or - for the standard input
    ");
}

#[test]
fn a_token_that_cannot_be_had_or_sent_is_not_repeated() {
    let server = Server::start(Answer::json(200, "{}"));
    let folder = folder();
    let api = folder.display().to_string();
    let file = folder.join("token");
    fs::write(&file, format!("Bearer {TOKEN}")).expect("a file");
    let named = format!("@{}", file.display());
    let call = [api.as_str(), "getParcel", "id=1", "--token", &named];
    let (code, _, complaint) = told(&command(Some(&server), &call).output().expect("the binary runs"));
    assert!(code == 2 && !reveals(&complaint) && complaint.contains("`Bearer `"), "{complaint}");
    for input in [format!("a {TOKEN}"), format!("{TOKEN}\n{TOKEN}"), String::new()] {
        let call = command(Some(&server), &[&api, "getParcel", "id=1", "--token", "-"]);
        let (code, _, complaint) = told(&with_input(call, input.as_bytes()));
        assert!(code == 2 && !reveals(&complaint), "{complaint}");
    }
    let mut both = command(Some(&server), &[&api, "createParcel", "--body", "-", "--token", "-"]);
    let (code, _, complaint) = told(&both.stdin(Stdio::null()).output().expect("the binary runs"));
    assert!(code == 2 && complaint.contains("cannot be both the body and the token"), "{complaint}");
    assert_eq!(server.take(), Vec::<String>::new());
}
