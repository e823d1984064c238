//! Logins behind a page that is asked for first, and calls that show more than the token (XSRF, CSRF).

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use crate::live_server::{Log, api, reply, requests, serve_whole};
use crate::logins::check;

const PASSWORD: &str = "fixture-secret-of-mia"; // not-a-secret
const MIA: [(&str, &str); 1] = [("MIA_PASSWORD", PASSWORD)];

const DOCUMENT: &str = "openapi: 3.0.3
info: { title: Notes, version: '1' }
servers: [{ url: https://notes.example }]
security: [{ login: [] }]
paths:
  /notes:
    get:
      operationId: note-list
      responses:
        '200': { description: Notes., content: { application/json: { schema: { type: array, items: { type: object } } } } }
        '401': { description: No. }
    post:
      operationId: note-create
      requestBody: { content: { application/json: { schema: { type: object } } } }
      responses:
        '201': { description: A note. }
        '401': { description: No. }
        '403': { description: No. }
components:
  securitySchemes: { login: { type: apiKey, in: cookie, name: sid } }
";

const LOGIN: &str = "[[identity]]\nname = \"mia\"\nkind = \"login\"\nstate = \"valid\"\n[identity.login]\npath = \"/login\"\n\
                     form = { user = \"mia\", password = { env = \"MIA_PASSWORD\" } }\ntoken = { cookie = \"sid\" }\n\
                     with = { cookie = \"xsrf\", header = \"X-Xsrf\", cookies = [\"seat\"] }\n";

/// The page before the login: a cookie, and its value in a form, a tag, a header or JSON.
const PAGE: &str = "<meta name=xsrf content=fixture-token-page><form><input type='hidden' name=\"_xsrf\" value=\"fixture-token-page\"></form>";

/// A server that takes a login and every change with the cookie and the value of the page alone. A login gives another cookie, and
/// a session serves `calls` calls.
fn notes(calls: usize) -> (String, Log) {
    let sessions: Mutex<Vec<usize>> = Mutex::default();
    serve_whole(move |first, headers, body, _| {
        let mut sessions = sessions.lock().expect("no panic");
        let cookie = headers.lines().find_map(|line| line.strip_prefix("cookie: ")).unwrap_or_default();
        let cookie = |name: &str| cookie.split("; ").find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        if first.starts_with("GET /page ") {
            let head = "200 OK\r\nset-cookie: xsrf=fixture-token-page; Path=/\r\nx-xsrf: fixture-token-page";
            return Some(reply(head, PAGE));
        }
        if first.starts_with("GET /data ") {
            let head = "200 OK\r\nset-cookie: xsrf=fixture-token-page; Path=/";
            return Some(reply(head, "{\"data\": {\"xsrf\": \"fixture-token-page\"}}"));
        }
        if first.starts_with("GET /moved ") {
            return Some(reply("302 Found\r\nlocation: /page", ""));
        }
        if first.starts_with("POST /login") {
            let sent = body.contains("xsrf=fixture-token-page")
                || body.contains("\"xsrf\":\"fixture-token-page\"")
                || first.contains("?_xsrf=fixture-token-page ")
                || headers.contains("x-xsrf: fixture-token-page");
            let is_let_in = sent && cookie("xsrf") == Some("fixture-token-page") && body.contains(PASSWORD);
            if !is_let_in {
                return Some(reply("403 Forbidden", "{}"));
            }
            sessions.push(calls);
            let number = sessions.len();
            let cookies = format!(
                "set-cookie: sid=fixture-token-{number}\r\nset-cookie: seat=s-{number}\r\nset-cookie: xsrf=fixture-token-of-{number}"
            );
            return Some(reply(&format!("302 Found\r\nlocation: /\r\n{cookies}"), ""));
        }
        let number = cookie("sid").and_then(|sid| sid.strip_prefix("fixture-token-")?.parse::<usize>().ok());
        let left = number.and_then(|number| sessions.get_mut(number.checked_sub(1)?)).filter(|left| **left > 0);
        let Some(left) = left else { return Some(reply("401 Unauthorized", "")) };
        *left -= 1;
        let own = format!("fixture-token-of-{}", number.unwrap_or_default());
        let seat = number.map(|number| format!("s-{number}"));
        let is_own = cookie("seat") == seat.as_deref()
            && cookie("xsrf") == Some(&own)
            && headers.contains(&format!("x-xsrf: {own}"));
        Some(match first.split(' ').next() {
            Some("POST") if !is_own => reply("403 Forbidden", ""),
            Some("POST") => reply("201 Created", ""),
            Some("HEAD") => reply("200 OK", ""),
            _ => reply("200 OK", "[]"),
        })
    })
}

fn folder(name: &str, tokens: &str) -> PathBuf {
    let folder = api(&format!("xsrf-{name}"), DOCUMENT);
    fs::write(folder.join("tokens.toml"), tokens).expect("a file");
    folder
}

const ACCEPTED: [&str; 3] = ["--allow-writes", "--case", "hub/auth/*/*"];

#[test]
fn a_value_of_a_page_goes_with_the_login_and_with_every_change() {
    for (name, before) in [
        ("field", "path = \"/page\", take = { field = \"_xsrf\" }, send-as = { form = \"_xsrf\" }"),
        ("meta", "path = \"/page\", take = { meta = \"xsrf\" }, send-as = { header = \"X-Xsrf\" }"),
        ("cookie", "path = \"/page\", take = { cookie = \"xsrf\" }, send-as = { query = \"_xsrf\" }"),
        ("header", "path = \"/page\", take = { header = \"X-Xsrf\" }, send-as = { form = \"_xsrf\" }"),
        ("body", "path = \"/data\", take = { body = \"/data/xsrf\" }, send-as = { form = \"_xsrf\" }"),
        ("json", "path = \"/data\", take = { body = \"/data/xsrf\" }, send-as = { json = \"/xsrf\" }"),
    ] {
        let login = if name == "json" { LOGIN.replace("form =", "json =") } else { LOGIN.to_owned() };
        let folder = folder(name, &format!("{login}before = {{ {before} }}\n"));
        let (url, log) = notes(1000);
        let (code, said) = check(&folder, &url, &MIA, &ACCEPTED);
        assert_eq!(code, Some(0), "{name}: {said}");
        let first: Vec<String> = requests(&log).into_iter().map(|(first, _)| first).collect();
        let logins = first.iter().filter(|first| first.starts_with("POST /login")).count();
        assert!(logins == 1 && first.iter().any(|first| first.starts_with("POST /notes ")), "{name}: {first:?}");
    }
}

#[test]
fn a_session_that_runs_out_is_opened_anew_with_its_own_cookie() {
    let before = "before = { path = \"/page\", take = { field = \"_xsrf\" }, send-as = { form = \"_xsrf\" } }\n";
    let folder = folder("runs-out", &format!("{LOGIN}{before}"));
    let (url, log) = notes(3);
    let (code, said) = check(&folder, &url, &MIA, &ACCEPTED);
    let pages = requests(&log).iter().filter(|(first, _)| first.starts_with("GET /page ")).count();
    assert!(code == Some(0) && pages > 1, "{pages}: {said}");
}

#[test]
fn what_is_wrong_with_the_page_before_a_login_is_said_with_its_place() {
    let good = "before = { path = \"/page\", take = { field = \"_xsrf\" }, send-as = { form = \"_xsrf\" } }\n";
    let (url, _) = notes(1000);
    for (name, from, to, told) in [
        ("none", good, "", "/login is answered 403"),
        ("missing", "/page", "/nothing", "which comes before the login, is answered 401: is its path right?"),
        ("moved", "/page", "/moved", "has no field `_xsrf` in a form; it leads on to another page: name that one"),
        ("field", "field = \"_xsrf\"", "field = \"csrf\"", "has no field `csrf` in a form"),
        ("meta", "field = \"_xsrf\"", "meta = \"csrf\"", "has no <meta> of the name `csrf`"),
        ("cookie", "field = \"_xsrf\"", "cookie = \"csrf\"", "sets no cookie `csrf`"),
        ("pointer", "field = \"_xsrf\"", "body = \"xsrf\"", "a JSON pointer begins with a slash"),
        ("unsent", ", send-as = { form = \"_xsrf\" }", "", "what it takes is sent nowhere: add `send-as`"),
        ("untaken", "take = { field = \"_xsrf\" }, ", "", "it sends what it does not take: add `take`"),
        ("json", "form = \"_xsrf\"", "json = \"/xsrf\"", "to go into JSON, and the body of the login is none"),
        ("elsewhere", "path = \"/page\"", "url = \"https://login.example/\"", "is at another host"),
        (
            "outside",
            "path = \"/page\"",
            "path = \"https://login.example/\"",
            "the `path` of the `before` of its login does not stay",
        ),
        (
            "with",
            "with = { cookie = \"xsrf\", header = \"X-Xsrf\", cookies = [\"seat\"] }",
            "with = {}",
            "`with` says nothing",
        ),
        ("with-cookie", "with = { cookie = \"xsrf\"", "with = { cookie = \"csrf\"", "sets a cookie `csrf`"),
    ] {
        let tokens = format!("{LOGIN}{good}");
        assert!(tokens.contains(from), "{from}");
        let folder = folder(&format!("bad-{name}"), &tokens.replacen(from, to, 1));
        let (code, said) = check(&folder, &url, &MIA, &ACCEPTED);
        assert!(code == Some(2) && said.contains(told) && said.contains("tokens.toml:"), "{name}: {said}");
    }
}
