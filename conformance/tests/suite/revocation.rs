//! Tokens that are given up (RFC 7009), before authorization servers that answer by hand and say themselves where.

use std::collections::HashSet;
use std::fs;
use std::sync::Mutex;

use crate::live_server::{READING, api, keyfit_with, path, reply, serve_whole, text};

const FLOW: &str = "{ type: oauth2, flows: { clientCredentials: { tokenUrl: /token, scopes: {} } } }";

const TOKENS: &str = "[[identity]]\nname = \"all\"\nkind = \"login\"\nstate = \"valid\"\nclient = \"courier\"\n\
                      [[client]]\nname = \"courier\"\nid = \"courier\"\nsecret = { env = \"COURIER\" }\n\
                      grants = [\"client_credentials\"]\nauthentication = \"basic\"\n";

/// What is wrong with the server.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Habit {
    Right,
    /// Its endpoint is at another host.
    IsElsewhere,
    /// It says nothing of itself.
    IsSilent,
    /// The same, and the tokens file says where its endpoint is.
    IsNamed,
    /// It revokes no tokens of this type.
    RevokesNoSuch,
    /// It serves tokens that were revoked.
    ServesRevoked,
    /// The same with tokens that are JWTs by their form.
    ServesRevokedJwts,
    /// It asks nobody for a secret.
    AsksNobody,
    /// It has one token for each client.
    GrantsTheSame,
}

/// What the check says of such a server.
fn said(habit: Habit) -> (Option<i32>, String) {
    let (issued, revoked): (Mutex<usize>, Mutex<HashSet<String>>) = <_>::default();
    let (url, _) = serve_whole(move |first, headers, body, _| {
        // courier:fixture-secret-courier
        let is_known = headers.contains("authorization: basic y291cmllcjpmaxh0dxjllxnly3jldc1jb3vyawvy");
        if first.starts_with("GET /.well-known/oauth-authorization-server ") {
            let host = headers.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
            let told = match habit {
                Habit::IsSilent | Habit::IsNamed => return Some(reply("404 Not Found", "{}")),
                Habit::IsElsewhere => "https://elsewhere.example/revoke".to_owned(),
                _ => format!("http://{host}/revoke"),
            };
            return Some(reply("200 OK", &format!("{{\"revocation_endpoint\": \"{told}\"}}")));
        }
        if first.starts_with("POST /token ") {
            let mut issued = issued.lock().expect("no panic");
            *issued += usize::from(habit != Habit::GrantsTheSame);
            let token = if habit == Habit::ServesRevokedJwts {
                format!("a.fixture-token-{issued}.b")
            } else {
                format!("fixture-token-{issued}")
            };
            let granted =
                format!("{{\"access_token\": \"{token}\", \"token_type\": \"Bearer\", \"expires_in\": 3600}}");
            return Some(if is_known {
                reply("200 OK", &granted)
            } else {
                reply("401 Unauthorized", "{\"error\": \"invalid_client\"}")
            });
        }
        let mut revoked = revoked.lock().expect("no panic");
        if first.starts_with("POST /revoke ") {
            if !is_known && habit != Habit::AsksNobody {
                return Some(reply("401 Unauthorized", "{\"error\": \"invalid_client\"}"));
            }
            if habit == Habit::RevokesNoSuch {
                return Some(reply("400 Bad Request", "{\"error\": \"unsupported_token_type\"}"));
            }
            let given_up = body.split('&').find_map(|pair| pair.strip_prefix("token=")).unwrap_or_default();
            revoked.insert(given_up.to_owned());
            return Some(reply("200 OK", ""));
        }
        let token = headers.lines().find_map(|line| line.strip_prefix("authorization: bearer ")).unwrap_or_default();
        let serves_all = matches!(habit, Habit::ServesRevoked | Habit::ServesRevokedJwts);
        let is_good = token.contains("fixture-token-") && (serves_all || !revoked.contains(token));
        Some(if is_good { reply("200 OK", "[]") } else { reply("401 Unauthorized", "{}") })
    });
    let document = READING.replace("{ type: http, scheme: bearer }", FLOW);
    let folder = api(&format!("revocation-{habit:?}"), &document);
    let named = if habit == Habit::IsNamed { "revocation-url = \"/revoke\"\n" } else { "" };
    fs::write(folder.join("tokens.toml"), format!("{TOKENS}{named}")).expect("a file");
    let (api, tokens) = (folder.join("api"), folder.join("tokens.toml"));
    let check = ["check", "--api-dir", path(&api), "--base-url", &url, "--tokens", path(&tokens), "--allow-writes"];
    let cases = ["--case", "hub/oauth/revo*/*", "--case", "hub/auth/accepted/*"];
    let output = keyfit_with(&[&check[..], &cases].concat(), &[("COURIER", "fixture-secret-courier")]);
    let said = text(&output);
    assert!(
        !said.contains("fixture-secret-courier") && !said.contains("fixture-token-"),
        "a secret is printed: {said}"
    );
    (output.status.code(), said)
}

#[test]
fn a_token_is_given_up_where_the_server_says_of_itself() {
    for habit in [Habit::Right, Habit::IsNamed] {
        let (code, told) = said(habit);
        assert!(code == Some(0) && told.contains("6 cases: 6 passed"), "{habit:?}: {told}");
    }
}

#[test]
fn what_a_server_does_not_do_or_is_not_asked_for_breaks_no_rule() {
    for (habit, why) in [
        (Habit::IsElsewhere, "pass --authorization-server https://elsewhere.example (the authorization server is at"),
        (Habit::IsSilent, "nothing says where tokens are revoked"),
        (Habit::RevokesNoSuch, "does not revoke tokens of this type"),
        (Habit::GrantsTheSame, "the token that an identity of the tokens file calls with"),
    ] {
        let (code, told) = said(habit);
        assert!(code != Some(1) && told.contains(why), "{habit:?}: {told}");
    }
}

#[test]
fn a_token_that_is_served_after_its_revocation_is_found_and_a_jwt_warns() {
    let (code, told) = said(Habit::ServesRevoked);
    assert!(code == Some(1) && told.contains("hub/oauth/revoked-call/users"), "{told}");
    let (code, told) = said(Habit::ServesRevokedJwts);
    assert!(code == Some(0) && told.contains("hub/oauth/revoked-call/users"), "{told}");
    let (code, told) = said(Habit::AsksNobody);
    assert!(code == Some(1) && told.contains("hub/oauth/revoke-without-secret/users"), "{told}");
}
