//! Tokens that are fetched over TLS: by logins and from token endpoints alike, at the server itself, at a host that the user names, and at
//! any other one.

use std::fs;
use std::path::Path;

use crate::live_server::{api, path};
use crate::logins::{DOCUMENT, check};
use crate::tls::{self, Authority};

const SECRET: [(&str, &str); 1] = [("MIA_SECRET", "fixture-secret-of-mia")];

const IDENTITY: &str = "[[identity]]\nname = \"mia\"\nkind = \"login\"\nstate = \"valid\"\n";

/// Grants a token and serves it, over connections that show a certificate.
fn answer(_: bool, request: &str) -> &'static str {
    let is_served = request.lines().any(|line| line == "authorization: Bearer fixture-token-tls");
    match request.split(' ').nth(1) {
        Some("/token" | "/login") => {
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 65\r\nconnection: close\r\n\r\n\
             {\"access_token\":\"fixture-token-tls\",\"token_type\":\"Bearer\"}       "
        }
        _ if is_served => {
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]"
        }
        _ => "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    }
}

/// The two ways to a token, at the host of this URL.
fn ways(url: &str) -> [(&'static str, String); 2] {
    let login = format!(
        "{IDENTITY}[identity.login]\nurl = \"{url}/login\"\njson = {{ password = {{ env = \"MIA_SECRET\" }} }}\n\
         token = {{ body = \"/access_token\" }}\n"
    );
    let client = format!(
        "{IDENTITY}client = \"courier\"\n[[client]]\nname = \"courier\"\nid = \"courier\"\nsecret = {{ env = \"MIA_SECRET\" }}\n\
         grants = [\"client_credentials\"]\ntoken-url = \"{url}/token\"\n"
    );
    [("login", login), ("client", client)]
}

fn folder(name: &str, tokens: &str) -> std::path::PathBuf {
    let folder = api(&format!("token-tls-{name}"), &DOCUMENT.replace("SCHEME", "{ type: http, scheme: bearer }"));
    fs::write(folder.join("tokens.toml"), tokens).expect("a file");
    folder
}

fn ends(folder: &Path, url: &str, more: &[&str]) -> (Option<i32>, String) {
    check(folder, url, &SECRET, &[&["--case", "hub/auth/accepted/*"], more].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_fetched_over_the_same_connections_as_calls_are_sent() {
    let authority = Authority::new("hub");
    let (url, _) = tls::server(&authority, true, answer).await;
    let (elsewhere, _) = tls::server(&authority, true, answer).await;
    let client = authority.issue("mia", &[]);
    for (place, at) in [("here", &url), ("elsewhere", &elsewhere)] {
        for (name, tokens) in ways(at) {
            let folder = folder(&format!("{place}-{name}"), &tokens);
            let file = |name: &str, text: &str| {
                fs::write(folder.join(name), text).expect("a file");
                folder.join(name)
            };
            let ca = file("ca.pem", &authority.pem());
            let both = file("both.pem", &[client.key_pem(), client.certificate_pem()].concat());
            let (trusting, any) = (["--cacert", path(&ca)], ["--insecure"]);
            let certificate = ["--client-cert", path(&both)];
            // Another host is shown no certificate of the user's, unless he names it.
            let named = ["--authorization-server", at.as_str()];
            for (options, is_let_in) in [
                ([&trusting[..], &certificate[..], &[]].concat(), place == "here"),
                ([&any[..], &certificate[..], &[]].concat(), place == "here"),
                ([&trusting[..], &certificate[..], &named[..]].concat(), true),
                ([&any[..], &certificate[..], &named[..]].concat(), true),
            ] {
                let (code, said) = ends(&folder, &url, &options);
                assert_eq!(code, Some(if is_let_in { 0 } else { 2 }), "{place} {name} {options:?}: {said}");
                assert!(is_let_in || said.contains("no token was had for `mia`"), "{place} {name}: {said}");
            }
        }
    }
}
