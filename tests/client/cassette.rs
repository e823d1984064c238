//! Exchanges that are recorded by a server and played back without it.

use std::fs;
use std::path::Path;

use keyfit::scopien::{Client, Key};
use keyfit::testing::Cassette;
use keyfit::{Config, ErrorKind, RetryPolicy};

use crate::support::{Scripted, TOKEN};

fn client(cassette: Cassette, base_url: &str) -> Client {
    let config = Config::default().base_url(base_url).retry(RetryPolicy::never()).http_client(cassette);
    Client::with_config(Key::new(TOKEN).expect("a key"), config).expect("a client")
}

fn own() -> reqwest::Client {
    let own = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    own.build().expect("a client")
}

/// A list that grows, and a thing that is not there.
async fn calls(client: &Client) -> [String; 4] {
    let first = client.accounts_list().send().await.expect("a list").len();
    let second = client.request(reqwest::Method::POST, "/notes").json(&["a"]).send().await.expect("a note");
    let third = client.accounts_list().send().await;
    let missing = client.request(reqwest::Method::GET, "/notes/7").send().await.expect_err("it is not there");
    [first.to_string(), format!("{second:?}"), format!("{:?}", third.map(|list| list.len())), missing.to_string()]
}

#[tokio::test]
async fn what_was_recorded_is_played_back_in_order_and_holds_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cassettes/notes.jsonl");
    let echo = format!(r#"{{"note":7,"seen":"Bearer {TOKEN}","session_token":"fixture-secret-0009"}}"#);
    let echo: &'static str = Box::leak(echo.into_boxed_str());
    let cookie = ("set-cookie", "session=fixture-secret-0008; Path=/".to_owned());
    let server = Scripted::sequence(vec![
        (200, vec![("x-request-id", "req_1".to_owned())], "[]"),
        (201, vec![cookie], echo),
        (500, Vec::new(), r#"{"message":"try fixture-secret-0009 again"}"#),
        (404, Vec::new(), r#"{"message":"no note"}"#),
    ])
    .await;
    let url = server.url();
    let said = calls(&client(Cassette::open(&path, own()).expect("a file"), &url)).await;
    assert_eq!(server.received().len(), 4);
    drop(server);

    let text = fs::read_to_string(&path).expect("a file");
    assert_eq!(text.lines().count(), 4, "{text}");
    for secret in [TOKEN, "fixture-secret-0008", "fixture-secret-0009"] {
        assert!(!text.contains(secret), "{text}");
    }
    // Another key, and nobody who listens.
    let cassette = Cassette::open(&path, own()).expect("it is played");
    assert_eq!(cassette.left(), 4);
    let played = calls(&client(cassette, &url)).await;
    assert_eq!(played[0], said[0]);
    assert_eq!(played[3], said[3]);
    assert!(played[2].contains("500") && said[2].contains("500"), "{played:?}");
}

#[tokio::test]
async fn what_was_not_recorded_is_an_error_that_names_it_and_a_recording_is_not_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("one.jsonl");
    let server = Scripted::json(200, "[]").await;
    let recorder = client(Cassette::record(&path, own()).expect("a file"), &server.url());
    recorder.accounts_list().send().await.expect("a list");
    assert_eq!(Cassette::record(&path, own()).expect_err("it is there").kind(), ErrorKind::File);

    let player = client(Cassette::replay(&path).expect("a recording"), &server.url());
    player.accounts_list().send().await.expect("a list");
    let error = player.accounts_list().send().await.expect_err("it was asked for once");
    assert!(error.to_string().contains("one.jsonl has no exchange left for GET"), "{error}");
    assert!(!error.may_have_been_sent());
    assert_eq!(server.received().len(), 1);

    fs::write(&path, "{\"method\":\"GET\"}\n").expect("a file");
    let error = Cassette::replay(&path).expect_err("half a line");
    assert!(error.to_string().contains("line 1, is no exchange"), "{error}");
    assert_eq!(Cassette::replay(Path::new("none")).expect_err("no file").kind(), ErrorKind::File);
}
