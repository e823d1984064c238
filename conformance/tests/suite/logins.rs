//! Tokens that the check fetches: by logins and client credentials, before a run and when one runs out during it.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::live_server::{Log, api, keyfit_with, path, reply, requests, serve_whole, text};

const PASSWORD: &str = "fixture-secret-of-mia"; // not-a-secret

/// Notes behind a bearer token or a cookie, both of which a login gives.
pub(crate) const DOCUMENT: &str = "openapi: 3.0.3
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
  /tags:
    get:
      operationId: tag-list
      responses:
        '200': { description: Tags., content: { application/json: { schema: { type: array, items: { type: object } } } } }
        '401': { description: No. }
components:
  securitySchemes: { login: SCHEME }
";

const BEARER: &str = "{ type: http, scheme: bearer }";
const COOKIE: &str = "{ type: apiKey, in: cookie, name: sid }";

const IDENTITY: &str = "[[identity]]\nname = \"mia\"\nkind = \"login\"\nstate = \"valid\"\n";
const JSON_LOGIN: &str = "[identity.login]\npath = \"/login\"\n\
                          json = { user = \"mia\", password = { env = \"MIA_PASSWORD\" } }\ntoken = { body = \"/data/token\" }\n";

/// Hands out numbered tokens, which it serves `calls` times each.
fn notes(calls: usize, broken: &'static str) -> (String, Log) {
    refusing("401 Unauthorized", calls, broken)
}

/// The same, with this status for a token that it does not serve any more.
fn refusing(refusal: &'static str, calls: usize, broken: &'static str) -> (String, Log) {
    let issued: Arc<Mutex<Vec<usize>>> = Arc::default();
    serve_whole(move |first, headers, body, _| {
        let mut issued = issued.lock().expect("no panic");
        if first.starts_with("POST /login ") {
            let is_mia = body.contains(PASSWORD) && (body.contains("\"mia\"") || body.contains("user=mia"));
            if !is_mia {
                return Some(reply("403 Forbidden", "{}"));
            }
            issued.push(calls);
            let token = format!("fixture-token-{}", issued.len());
            let body = format!("{{\"data\":{{\"token\":\"{token}\"}},\"good\":3600}}");
            let cookie = format!("200 OK\r\nset-cookie: sid={token}; Path=/; HttpOnly\r\nx-auth-token: Bearer {token}");
            return Some(reply(&cookie, &body));
        }
        let number = |begin: &str| headers.lines().find_map(|line| line.strip_prefix(begin)?.parse::<usize>().ok());
        let shown = number("authorization: bearer fixture-token-").or(number("cookie: sid=fixture-token-"));
        let left = shown.and_then(|number| issued.get_mut(number.checked_sub(1)?)).filter(|left| **left > 0);
        let is_served = left.map(|left| *left -= 1).is_some() && (broken.is_empty() || !first.contains(broken));
        let body = if first.starts_with("HEAD") { "" } else { "[]" };
        // Who was never let in is told so.
        let refusal = if shown.is_some() { refusal } else { "401 Unauthorized" };
        Some(if is_served { reply("200 OK", body) } else { reply(refusal, "") })
    })
}

fn folder(name: &str, scheme: &str, tokens: &str) -> std::path::PathBuf {
    let folder = api(&format!("logins-{name}"), &DOCUMENT.replace("SCHEME", scheme));
    fs::write(folder.join("tokens.toml"), tokens).expect("a file");
    folder
}

pub(crate) fn check(folder: &Path, url: &str, environment: &[(&str, &str)], more: &[&str]) -> (Option<i32>, String) {
    let (api, tokens) = (folder.join("api"), folder.join("tokens.toml"));
    let arguments = ["check", "--api-dir", path(&api), "--base-url", url, "--tokens", path(&tokens)];
    let output = keyfit_with(&[&arguments[..], more].concat(), environment);
    let said = text(&output);
    let secrets = environment.iter().map(|(_, secret)| *secret).chain(["fixture-token-", "fixture-secret-"]);
    for secret in secrets {
        assert!(!said.contains(secret), "a secret is printed: {said}");
    }
    (output.status.code(), said)
}

const MIA: [(&str, &str); 1] = [("MIA_PASSWORD", PASSWORD)];
const ACCEPTED: [&str; 2] = ["--case", "hub/auth/accepted/*"];

fn logins(log: &Log) -> usize {
    requests(log).iter().filter(|(first, _)| first.starts_with("POST /login ")).count()
}

#[test]
fn a_login_gives_the_token_wherever_it_stands() {
    let form = JSON_LOGIN.replace("json =", "form =");
    for (name, scheme, login) in [
        ("body", BEARER, JSON_LOGIN.to_owned()),
        ("form", BEARER, form.clone()),
        ("header", BEARER, JSON_LOGIN.replace("body = \"/data/token\"", "header = \"X-Auth-Token\"")),
        ("cookie", COOKIE, form.replace("body = \"/data/token\"", "cookie = \"sid\"")),
        ("lasting", BEARER, format!("{JSON_LOGIN}expires-in = \"/good\"\n")),
    ] {
        let folder = folder(name, scheme, &format!("{IDENTITY}{login}"));
        let (url, log) = notes(1000, "");
        let (code, said) = check(&folder, &url, &MIA, &ACCEPTED);
        assert_eq!((code, logins(&log)), (Some(0), 1), "{name}: {said}");
        assert!(said.contains("2 cases: 2 passed") && said.contains("login: to fetch a token"), "{name}: {said}");
    }
}

#[test]
fn a_token_that_runs_out_is_fetched_again_and_no_finding() {
    let folder = folder("runs-out", BEARER, &format!("{IDENTITY}{JSON_LOGIN}"));
    let (url, _) = notes(1000, "");
    let judged = |said: &str| {
        let line = said.lines().rfind(|line| line.contains(" cases: ")).expect("a summary");
        line.split("; ").next().expect("verdicts").to_owned()
    };
    let (_, lasting) = check(&folder, &url, &MIA, &[]);
    for (refusal, calls) in
        [("401 Unauthorized", 1), ("401 Unauthorized", 3), ("403 Forbidden", 1), ("403 Forbidden", 3)]
    {
        let (url, log) = refusing(refusal, calls, "");
        let (_, said) = check(&folder, &url, &MIA, &[]);
        assert!(logins(&log) > 1, "{said}");
        assert_eq!(judged(&said), judged(&lasting), "{said}");
    }
}

/// As a call shows the token, in lower case.
const GIVEN: &str = "authorization: bearer fixture-token-given";

#[test]
fn a_token_of_the_file_that_runs_out_is_a_fault_of_this_end_and_breaks_no_rule() {
    let folder = folder("given", BEARER, &format!("{IDENTITY}secret = {{ env = \"MIA_TOKEN\" }}\n"));
    for (refusal, calls) in [("401 Unauthorized", 1), ("403 Forbidden", 1), ("403 Forbidden", 7)] {
        let left = Mutex::new(calls);
        let (url, log) = serve_whole(move |first, headers, _, _| {
            let mut left = left.lock().expect("no panic");
            let is_mia = headers.lines().any(|line| line == GIVEN);
            let body = if first.starts_with("HEAD") { "" } else { "[]" };
            Some(match is_mia {
                true if *left > 0 => {
                    *left -= 1;
                    reply("200 OK", body)
                }
                true => reply(refusal, ""),
                false => reply("401 Unauthorized", ""),
            })
        });
        let (code, said) = check(&folder, &url, &[("MIA_TOKEN", "fixture-token-given")], &["--case", "hub/auth/*/*"]);
        assert_eq!(code, Some(2), "{refusal}: {said}");
        assert!(said.contains("the token of `mia` ran out during the run: GET /"), "{said}");
        assert!(!said.contains(" failed"), "{said}");
        let refused = requests(&log).iter().filter(|(_, headers)| headers.lines().any(|line| line == GIVEN)).count();
        assert!(refused <= calls + 4, "it is not sent again once that is known: {refused}");
    }
}

#[test]
fn an_operation_that_refuses_a_good_token_is_found_and_nobody_logs_in_again() {
    let folder = folder("refuses", BEARER, &format!("{IDENTITY}{JSON_LOGIN}"));
    let (url, log) = notes(1000, "/tags");
    let (code, said) = check(&folder, &url, &MIA, &ACCEPTED);
    assert_eq!((code, logins(&log)), (Some(1), 1), "{said}");
    assert!(said.contains("1 failed, 1 passed") || said.contains("1 passed, 1 failed"), "{said}");
}

#[test]
fn a_token_that_is_refused_everywhere_is_fetched_once_more_and_a_fault_of_this_end() {
    let folder = folder("everywhere", BEARER, &format!("{IDENTITY}{JSON_LOGIN}"));
    let (url, log) = notes(0, "");
    let (code, said) = check(&folder, &url, &MIA, &ACCEPTED);
    assert_eq!((code, logins(&log)), (Some(2), 2), "{said}");
    assert!(said.contains("the identity `mia` is refused everywhere with 401"), "{said}");
}

#[test]
fn a_login_that_fails_during_the_run_is_no_finding_and_not_tried_again() {
    let folder = folder("fails-later", BEARER, &format!("{IDENTITY}{JSON_LOGIN}"));
    let used: Arc<Mutex<HashSet<&str>>> = Arc::default();
    let (url, log) = serve_whole(move |first, headers, _, _| {
        let mut used = used.lock().expect("no panic");
        if first.starts_with("POST /login ") {
            let is_first = used.insert("login");
            let token = "{\"data\":{\"token\":\"fixture-token-1\"}}";
            return Some(if is_first { reply("200 OK", token) } else { reply("429 Too Many Requests", "") });
        }
        let is_served = headers.contains("fixture-token-1") && used.insert("call");
        Some(if is_served { reply("200 OK", "[]") } else { reply("401 Unauthorized", "") })
    });
    let (code, said) = check(&folder, &url, &MIA, &ACCEPTED);
    assert_eq!((code, logins(&log)), (Some(2), 2), "{said}");
    assert!(said.contains("the token ran out, and no token was had for `mia`: POST"), "{said}");
    assert!(said.contains("is answered 429 ") && said.contains("1 passed, 1 not judged"), "{said}");
}

#[test]
fn what_cannot_be_fetched_is_said_with_its_place_and_nothing_is_checked() {
    let (url, _) = notes(1000, "");
    for (name, from, to, told) in [
        ("path", "\"/login\"", "\"https://elsewhere.example/login\"", "does not stay below the base URL"),
        ("fragment", "\"/login\"", "\"/login#now\"", "does not stay below the base URL"),
        ("url", "path = \"/login\"", "url = \"http://login.example/\"", "not one that a password may be sent to"),
        ("nowhere", "path = \"/login\"\n", "", "its login has no place"),
        ("literal", "{ env = \"MIA_PASSWORD\" }", "\"fixture-secret-literal\"", "`password` of its login is a secret"),
        ("unset", "MIA_PASSWORD", "NO_PASSWORD", "the environment variable NO_PASSWORD is not set"),
        ("field", "path =", "paht =", "unknown field `paht`"),
        (
            "place",
            "body = \"/data/token\"",
            "body = \"/token\"",
            "nothing stands at `/token` of its body, which has: /data",
        ),
        ("no-cookie", "body = \"/data/token\"", "cookie = \"session\"", "sets no cookie `session`"),
        ("pointer", "\"/data/token\"", "\"data.token\"", "a JSON pointer begins with a slash"),
        (
            "two-places",
            "body = \"/data/token\"",
            "body = \"\", cookie = \"sid\"",
            "a token stands in one place: name its `body`, `cookie` or `header`",
        ),
        ("method", "path =", "method = \"BREW\"\npath =", "no request has such a method"),
        ("refused", "user = \"mia\"", "user = \"eve\"", "login is answered 403"),
        ("lifetime", "token =", "expires-in = \"/nothing\"\ntoken =", "no number of seconds stands at `/nothing`"),
        ("two-bodies", "token =", "form = {}\ntoken =", "its login has several bodies"),
    ] {
        let tokens = format!("{IDENTITY}{JSON_LOGIN}");
        assert!(tokens.contains(from), "{from}");
        let folder = folder(&format!("bad-{name}"), BEARER, &tokens.replacen(from, to, 1));
        let (code, said) = check(&folder, &url, &MIA, &ACCEPTED);
        assert_eq!(code, Some(2), "{name}: {said}");
        assert!(said.contains(told) && said.contains("tokens.toml:") && said.contains("help: "), "{name}: {said}");
    }
    for (name, more, told) in [
        ("both", "secret = { env = \"MIA_PASSWORD\" }\n", "comes from is not one thing"),
        ("revoked", "", "would be a new one"),
    ] {
        let tokens = format!("{IDENTITY}{more}{JSON_LOGIN}");
        let tokens = if name == "revoked" { tokens.replace("\"valid\"", "\"revoked\"") } else { tokens };
        let (code, said) = check(&folder(&format!("bad-{name}"), BEARER, &tokens), &url, &MIA, &ACCEPTED);
        assert!(code == Some(2) && said.contains(told), "{said}");
    }
}

/// A token endpoint that takes one client by HTTP Basic and grants `granted`, or what is asked for.
fn endpoint(granted: &'static str) -> (String, Log) {
    serve_whole(move |first, headers, body, _| {
        if first.starts_with("POST /token ") {
            // courier:fixture-secret-courier
            let is_known = headers.contains("authorization: basic y291cmllcjpmaxh0dxjllxnly3jldc1jb3vyawvy");
            let asked = body.split('&').find_map(|pair| pair.strip_prefix("scope=")).unwrap_or_default();
            let scope =
                if granted.is_empty() { asked.replace("%3A", ":").replace('+', " ") } else { granted.to_owned() };
            if !is_known || !body.contains("grant_type=client_credentials") {
                return Some(reply("401 Unauthorized", "{\"error\":\"invalid_client\"}"));
            }
            let answer = format!(
                "{{\"access_token\":\"fixture-token-1\",\"token_type\":\"Bearer\",\"expires_in\":3600,\"scope\":\"{scope}\"}}"
            );
            return Some(reply("200 OK", &answer));
        }
        let is_served = headers.contains("bearer fixture-token-1");
        Some(if is_served { reply("200 OK", "[]") } else { reply("401 Unauthorized", "") })
    })
}

#[test]
fn a_client_is_granted_the_token_of_an_identity() {
    let flow = "{ type: oauth2, flows: { clientCredentials: { tokenUrl: /token, scopes: { 'notes:read': Read. } } } }";
    let document = DOCUMENT.replace("security: [{ login: [] }]", "security: [{ login: ['notes:read'] }]");
    let tokens = "[[identity]]\nname = \"all\"\nkind = \"login\"\nstate = \"valid\"\nclient = \"courier\"\n\
                  [[client]]\nname = \"courier\"\nid = \"courier\"\nsecret = { env = \"COURIER\" }\n\
                  grants = [\"client_credentials\"]\nauthentication = \"basic\"\n";
    let courier = [("COURIER", "fixture-secret-courier")];
    let elsewhere = tokens.replace("authentication", "token-url = \"TOKENS\"\nauthentication");
    let limited = tokens.replace("client = \"courier\"", "scopes = [\"notes:read\"]\nclient = \"courier\"");
    for (name, scheme, tokens, granted, told) in [
        ("granted", flow, tokens.to_owned(), "", "2 cases: 2 passed"),
        ("limited", flow, limited.clone(), "", "2 cases: 2 passed"),
        ("token-url", BEARER, elsewhere.replace("authentication = \"basic\"\n", ""), "", "2 cases: 2 passed"),
        ("others", flow, limited, "notes:read notes:write", "were asked for and `notes:read notes:write` are granted"),
        ("fewer", flow, tokens.to_owned(), "profile", "`notes:read` were asked for and `profile` are granted"),
        (
            "unknown",
            flow,
            tokens.replace("client = \"courier\"", "client = \"curier\""),
            "",
            "names no client `curier`",
        ),
        ("refused", flow, tokens.replace("id = \"courier\"", "id = \"nobody\""), "", "no token was had for `all`"),
        (
            "none",
            flow,
            tokens.replace("client = \"courier\"", "scopes = []\nclient = \"courier\""),
            "",
            "no scope is asked for",
        ),
        ("nowhere", BEARER, tokens.to_owned(), "", "add `token-url`"),
    ] {
        let (url, log) = endpoint(granted);
        let folder = api(&format!("grants-{name}"), &document.replace("SCHEME", scheme));
        fs::write(folder.join("tokens.toml"), tokens.replace("TOKENS", &format!("{url}/token"))).expect("a file");
        let (code, said) = check(&folder, &url, &courier, &ACCEPTED);
        let is_granted = told.ends_with("passed");
        assert_eq!(code, Some(if is_granted { 0 } else { 2 }), "{name}: {said}");
        assert!(said.contains(told), "{name}: {said}");
        let asked = requests(&log).iter().filter(|(first, _)| first.starts_with("POST /token ")).count();
        assert!(!is_granted || asked == 1, "{name}: {asked}");
    }
}

#[test]
fn a_login_elsewhere_is_said_and_shown_no_header_of_the_user() {
    let (there, log) = notes(1000, "");
    let (url, _) = serve_whole(|_, headers, _, _| {
        let is_served = headers.contains("bearer fixture-token-1");
        Some(if is_served { reply("200 OK", "[]") } else { reply("401 Unauthorized", "") })
    });
    let login = JSON_LOGIN.replace("path = \"/login\"", &format!("url = \"{there}/login\""));
    let folder = folder("elsewhere", BEARER, &format!("{IDENTITY}{login}"));
    let (code, said) = check(&folder, &url, &MIA, &[&ACCEPTED[..], &["--header", "X-Workspace: w-1"]].concat());
    assert_eq!((code, logins(&log)), (Some(0), 1), "{said}");
    assert!(said.contains(&format!("note: the token of `mia` is fetched from {there}, another server")), "{said}");
    assert!(!requests(&log)[0].1.contains("x-workspace"), "{:?}", requests(&log));
}

#[test]
fn variables_are_read_from_a_file_where_the_environment_has_none() {
    let folder = folder("variables", BEARER, &format!("{IDENTITY}{JSON_LOGIN}"));
    let (url, _) = notes(1000, "");
    let file = folder.join(".env");
    fs::write(&file, format!("# Of mia.\nMIA_PASSWORD='{PASSWORD}'\n")).expect("a file");
    let (code, said) = check(&folder, &url, &[], &ACCEPTED);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = check(&folder, &url, &[("MIA_PASSWORD", "fixture-secret-of-noah")], &ACCEPTED);
    assert!(code == Some(2) && said.contains("is answered 403"), "the environment comes first: {said}");
    let elsewhere = folder.join("staging.env");
    fs::rename(&file, &elsewhere).expect("it can be moved");
    let (code, said) = check(&folder, &url, &[], &[&ACCEPTED[..], &["--env-file", path(&elsewhere)]].concat());
    assert_eq!(code, Some(0), "{said}");
    fs::write(&file, "MIA_PASSWORD: fixture-secret-of-mia\n").expect("a file");
    let (code, said) = check(&folder, &url, &[], &ACCEPTED);
    assert!(code == Some(2) && said.contains("the line is not `NAME=VALUE`") && said.contains(".env:1"), "{said}");
}

const WFC: &str = "schemaVersion: 0.2.0
auth:
  - name: mia
    loginEndpointAuth:
      payloadUserPwd: { username: mia, password: fixture-secret-of-mia, usernameField: user, passwordField: password }
  - name: raw
    requireMockHandling: true
    loginEndpointAuth:
      payloadRaw: '{\"user\": \"mia\", \"password\": \"fixture-secret-of-mia\", \"more\": null}'
  - name: fixed
    fixedHeaders:
      - { name: authorization, value: Bearer fixture-token-1 }
      - { name: X-Workspace, value: w-1 }
authTemplate:
  loginEndpointAuth:
    endpoint: /login
    verb: POST
    contentType: application/json
    token: TOKEN
configs: { maxTime: 5m }
";

#[test]
fn a_file_of_the_web_fuzzing_commons_is_a_tokens_file() {
    let newer = "{ extractFrom: body, extractSelector: /data/token, sendIn: header, sendName: Authorization, sendTemplate: 'Bearer {token}' }";
    let older = "{ extractFromField: /data/token, httpHeaderName: Authorization, headerPrefix: 'Bearer ' }";
    let header = "{ extractFrom: header, extractSelector: X-Auth-Token, sendIn: header, sendName: authorization, sendTemplate: 'bearer {token}' }";
    for (name, token) in [("newer", newer), ("older", older), ("header", header)] {
        let folder = folder(&format!("wfc-{name}"), BEARER, &WFC.replace("TOKEN", token));
        let (url, log) = notes(1000, "");
        let (code, said) = check(&folder, &url, &[], &ACCEPTED);
        assert!(logins(&log) >= 2, "both log in: {said}");
        assert_eq!(code, Some(0), "{said}");
        for told in [
            "note: /configs is left out",
            "note: /auth/1/requireMockHandling is left out",
            "note: /auth/2/fixedHeaders/1 is left out: no kind of token",
            "note: /auth/2 does not log in as /authTemplate/loginEndpointAuth says: it has no payload",
            "note: `raw`: it is one more of its kind",
        ] {
            assert!(said.contains(told), "{told}: {said}");
        }
    }
    let (url, _) = notes(1000, "");
    let refused = WFC.replace("TOKEN", newer).replace("fixture-secret-of-mia", "fixture-secret-of-eve");
    let (code, said) = check(&folder("wfc-refused", BEARER, &refused), &url, &[], &ACCEPTED);
    assert!(code == Some(2) && said.contains("is answered 403") && said.contains("tokens.toml\n"), "{said}");
    let odd = WFC.replace("TOKEN", newer).replace("- name: mia", "- naem: mia");
    let (code, said) = check(&folder("wfc-odd", BEARER, &odd), &url, &[], &ACCEPTED);
    assert!(code == Some(2) && said.contains("/auth/0 cannot be read: missing field `name`"), "{said}");
}

#[test]
fn a_cookie_is_expected_in_json_and_toml_too() {
    let login = serde_json::json!({ "endpoint": "login", "verb": "POST", "expectCookies": true,
        "contentType": "application/x-www-form-urlencoded", "payloadRaw": format!("user=mia&password={PASSWORD}") });
    let json = serde_json::json!({ "auth": [{ "name": "mia", "loginEndpointAuth": login }] });
    for (name, text) in [("json", json.to_string()), ("toml", toml::to_string(&json).expect("TOML"))] {
        let (url, log) = notes(1000, "");
        let (code, said) = check(&folder(&format!("wfc-cookie-{name}"), COOKIE, &text), &url, &[], &ACCEPTED);
        assert_eq!((code, logins(&log)), (Some(0), 1), "{said}");
        let bearer = folder(&format!("wfc-no-cookie-{name}"), BEARER, &text);
        let (code, said) = check(&bearer, &url, &[], &ACCEPTED);
        assert!(code == Some(2) && said.contains("the contract has no kind of token that is a cookie"), "{said}");
    }
}

#[test]
fn init_writes_a_tokens_file_from_one_of_the_web_fuzzing_commons() {
    let folder = folder("wfc-init", BEARER, "");
    let token = "{ extractFrom: body, extractSelector: /data/token, sendIn: header, sendName: Authorization, sendTemplate: 'Bearer {token}' }";
    let wfc = folder.join("em.yaml");
    fs::write(&wfc, WFC.replace("TOKEN", token)).expect("a file");
    let (spec, made) = (folder.join("hub.yaml"), folder.join("made"));
    let arguments = ["init", path(&spec), "--name", "hub", "--dir", path(&made), "--wfc", path(&wfc)];
    let output = keyfit_with(&arguments, &[]);
    let said = text(&output);
    assert!(output.status.success() && said.contains("/configs is left out") && !said.contains("fixture-"), "{said}");
    assert!(said.contains("tokens.toml, .env;"), "{said}");
    let tokens = fs::read_to_string(made.join("tokens.toml")).expect("it is written");
    assert!(!tokens.contains("fixture-"), "{tokens}");
    insta::assert_snapshot!(tokens);
    let (url, log) = notes(1000, "");
    let tokens = made.join("tokens.toml");
    let arguments = ["check", "--api-dir", path(&made), "--base-url", &url, "--tokens", path(&tokens)];
    let output = keyfit_with(&[&arguments[..], &ACCEPTED].concat(), &[]);
    let said = text(&output);
    assert!(output.status.success() && logins(&log) == 2 && !said.contains("fixture-"), "{said}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let permissions = fs::metadata(made.join(".env")).expect("it is written").permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600);
    }
}
