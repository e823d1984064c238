//! A live server, played by the mock: credentials come from a tokens file, and what was not given is skipped by name.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use keyfit::{Clock as _, SystemClock};
use keyfit_conformance::credential::identity::{
    ClientKind, ClientNeed, CredentialNeed, Identities as _, Rights, State,
};
use keyfit_conformance::credential::secret::Redactor;
use keyfit_conformance::mock::{Fault, FaultRule, Mock};

use crate::common::{identity, with_templates};

const TOKENS: &str = concat!(
    identity!("shop", "datasource", "valid", "SHOP_TOKEN"),
    identity!("old shop", "datasource", "revoked", "OLD_TOKEN"),
    identity!("reports", "product", "valid", "REPORTS_TOKEN", "scopes = [\"PROJECT_AUDIENCE_READ\"]"),
    "[ids]\nproject = \"proj_xxx\"\ndatasource = \"ds_xxx\"\nuserId = \"user-1001\"\neventType = \"ecommerce_order_create\"\n",
    "[foreign]\nproject = \"proj_of_somebody_else\"\n",
);

/// What the guide's server is checked with: no token of its API.
const CLIENTS: &str = r#"
[[client]]
name = "shop"
id = "client-keeping"
secret = { env = "SHOP_SECRET" }
redirect-uri = "https://client.example/callback"
grants = ["authorization_code", "refresh_token", "client_credentials"]
rotates = false

[[client]]
name = "warehouse"
id = "client-rotating"
secret = { env = "WAREHOUSE_SECRET" }
redirect-uri = "https://client.example/callback"
grants = ["authorization_code", "refresh_token", "client_credentials"]
rotates = true

[[client]]
name = "app"
id = "client-public"
redirect-uri = "https://client.example/callback"
grants = ["authorization_code"]

[[signer]]
name = "shop"
id = "client-keeping"
secret = { env = "SHOP_SECRET" }
subject = "user_1"

[ids]
id = "item_1"

[expendable]
id = ["item_1"]
"#;

struct Live {
    mock: Mock,
    api: &'static str,
    secrets: Vec<(&'static str, String)>,
    file: String,
}

impl Live {
    /// The mock of Ingest, and tokens for it.
    async fn start(name: &str, tokens: &str) -> Self {
        let mock = mock_of("ingest").await;
        let mint = |kind: &str, state, rights| {
            let need = CredentialNeed { kind: kind.to_owned(), state, rights, alone: false };
            mock.token_issuer().find(&need).expect("the mock issues everything").credentials[0]
                .secret
                .reveal()
                .to_owned()
        };
        let reports = Rights::Without(["PROJECT_DATASOURCE_WRITE".to_owned()].into());
        let secrets = vec![
            ("SHOP_TOKEN", mint("datasource", State::Valid, Rights::All)),
            ("OLD_TOKEN", mint("datasource", State::Revoked, Rights::All)),
            ("REPORTS_TOKEN", mint("product", State::Valid, reports)),
        ];
        Self { mock, api: "ingest", secrets, file: written(name, tokens) }
    }

    /// The mock of the guide, and clients of its authorization server.
    async fn start_guide(name: &str, tokens: &str) -> Self {
        let mock = mock_of("guide").await;
        let secret = |kind| {
            let need = ClientNeed { kind, grants: BTreeSet::new(), authentication: None, scopes: BTreeSet::new() };
            let client = mock.token_issuer().client(&need).expect("the mock has clients of each kind");
            client.secret.expect("it is no public one").reveal().to_owned()
        };
        let secrets =
            vec![("SHOP_SECRET", secret(ClientKind::Keeping)), ("WAREHOUSE_SECRET", secret(ClientKind::Rotating))];
        Self { mock, api: "guide", secrets, file: written(name, tokens) }
    }

    async fn check(&self, more: &[&str], variables: usize) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
        command.args([
            "check",
            "--api",
            self.api,
            "--side",
            "server",
            "--base-url",
            self.mock.base_url(),
            "--tokens",
            &self.file,
        ]);
        command.args(more).envs(self.secrets.iter().take(variables).cloned());
        // The mock lives in this runtime, which must not wait for the child.
        let output: Output =
            tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("the binary runs");
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        for (_, secret) in &self.secrets {
            assert!(!text.contains(secret), "a secret is printed");
        }
        let text = text.replace(env!("CARGO_TARGET_TMPDIR"), "<tmp>");
        (output.status.code().expect("it was not killed"), text)
    }
}

async fn mock_of(name: &str) -> Mock {
    let catalogue = with_templates().into_iter().find(|catalogue| catalogue.contract.name == name).expect("it ships");
    let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
    Mock::start(api, contract, None, Redactor::default()).await.expect("a loopback socket")
}

fn written(name: &str, tokens: &str) -> String {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, tokens).expect("the file can be written");
    file.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_given_is_skipped_by_name_and_nothing_is_written() {
    let live = Live::start("tokens.toml", TOKENS).await;
    let (code, text) = live.check(&[], 3).await;
    assert_eq!(code, 0, "{text}");
    insta::with_settings!({ filters => vec![(r"in \d+\.\d+ s", "in <time>")] }, { insta::assert_snapshot!(text) });
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_are_sent_when_allowed() {
    let live = Live::start("tokens-writes.toml", TOKENS).await;
    let push = ["--allow-writes", "--case", "ingest/batch/mixed/*"];
    let (code, text) = live.check(&push, 3).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("2 cases: 2 passed; 2 requests"), "{text}");
    // Of the two outcomes that the documents name.
    assert!(text.contains("entity.items.\n    ingest, batch-outcome: 2 answers"), "{text}");
    assert!(!text.contains("entitiesSuccess"), "{text}");
}

/// Somebody's data may be behind an id that is made up.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_not_given_is_not_invented() {
    let without = TOKENS.replace("userId = \"user-1001\"\n", "");
    let live = Live::start("tokens-without-id.toml", &without).await;
    let (code, text) = live.check(&["--allow-writes", "--case", "ingest/auth/*/stream-contact-get"], 3).await;
    assert_eq!(code, 2, "nothing was checked: {text}");
    assert!(text.contains("the tokens file names no id `userId`") && text.contains("; 0 requests"), "{text}");

    let misspelt = TOKENS.replace("userId =", "userid =");
    let live = Live::start("tokens-misspelt-id.toml", &misspelt).await;
    let (code, text) = live.check(&[], 3).await;
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("no path has a parameter `userid`") && text.contains("userId"), "{text}");

    let unknown = TOKENS.replace("PROJECT_AUDIENCE_READ", "PROJECT_AUDIENCE_RAED");
    let live = Live::start("tokens-unknown-scope.toml", &unknown).await;
    let (code, text) = live.check(&["--case", "ingest/auth/accepted/*"], 3).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("note: no operation needs the scope `PROJECT_AUDIENCE_RAED` of `reports`"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_is_not_set_is_named() {
    let live = Live::start("tokens-unset.toml", TOKENS).await;
    let (code, text) = live.check(&[], 1).await;
    assert_eq!(code, 2);
    insta::assert_snapshot!(text);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn secrets_may_be_in_files_and_come_from_commands() {
    let mut live = Live::start("tokens-elsewhere.toml", TOKENS).await;
    let mut tokens = TOKENS.to_owned();
    for (number, (variable, secret)) in live.secrets.iter().enumerate() {
        let file = written(&format!("secret-{variable}"), &format!("{secret}\n"));
        let named = if number == 0 { format!("file = {file:?}") } else { format!("command = [\"cat\", {file:?}]") };
        tokens = tokens.replace(&format!("env = \"{variable}\""), &named);
    }
    live.file = written("tokens-elsewhere.toml", &tokens);
    let cases = ["--case", "ingest/auth/accepted/*", "--case", "ingest/auth/revoked-token/*"];
    let (code, text) = live.check(&cases, 0).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("10 passed, 6 skipped"), "{text}");

    live.file = written("tokens-nowhere.toml", &tokens.replace("\"cat\"", "\"false\""));
    let (code, text) = live.check(&cases, 0).await;
    assert_eq!(code, 2);
    assert!(text.contains("the identity `old shop` has no secret: the command false"), "{text}");
    assert!(text.contains("tokens-nowhere.toml:"), "the place is named: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_the_file_is_refused() {
    let literal = TOKENS.replace("{ env = \"SHOP_TOKEN\" }", "\"a secret in a file\"");
    let live = Live::start("tokens-literal.toml", &literal).await;
    let (code, text) = live.check(&[], 3).await;
    assert_eq!(code, 2);
    insta::assert_snapshot!(text);
}

/// Everything about grants and signatures, and nothing else: no token of the API is named.
#[tokio::test(flavor = "multi_thread")]
async fn named_clients_and_signers_run_the_cases_of_oauth_and_jwts() {
    let live = Live::start_guide("clients.toml", CLIENTS).await;
    let (code, text) = live.check(&["--allow-writes", "--case", "guide/oauth/**", "--case", "guide/jwt/**"], 2).await;
    assert_eq!(code, 0, "{text}");
    assert!(!text.contains("skipped"), "{text}");
    let server = live.mock.base_url().to_owned();
    let (code, text) =
        live.check(&["--allow-writes", "--case", "guide/oauth/token/*", "--authorization-server", &server], 2).await;
    assert_eq!((code, text.contains("1 passed")), (0, true), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_server_may_be_elsewhere() {
    let live = Live::start_guide("clients-elsewhere.toml", CLIENTS).await;
    let case = [
        "--allow-writes",
        "--case",
        "guide/oauth/client-credentials/*",
        "--authorization-server",
        "http://127.0.0.1:9",
    ];
    let (code, text) = live.check(&case, 2).await;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("http://127.0.0.1:9/oauth/token"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_was_not_given_is_named_with_what_it_would_be() {
    let only = r#"
[[client]]
name = "shop"
id = "client-keeping"
secret = { env = "SHOP_SECRET" }
grants = ["client_credentials"]
scopes = ["read"]
authentication = "body"
"#;
    let live = Live::start_guide("one-client.toml", only).await;
    let (code, text) = live.check(&["--allow-writes", "--case", "guide/oauth/**", "--case", "guide/jwt/**"], 1).await;
    assert_eq!(code, 0, "{text}");
    insta::with_settings!({ filters => vec![(r"in \d+\.\d+ s", "in <time>"), (r"127\.0\.0\.1:\d+", "<address>")] }, { insta::assert_snapshot!(text) });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_cannot_be_used_is_refused_with_what_to_do() {
    for (name, from, to) in [
        ("unset", "WAREHOUSE_SECRET", "NO_SECRET"),
        (
            "redirect",
            "redirect-uri = \"https://client.example/callback\"\ngrants = [\"authorization_code\"]",
            "grants = [\"authorization_code\"]",
        ),
        ("scope", "rotates = false", "scopes = [\"raed\"]"),
        ("grant", "\"authorization_code\", \"refresh_token\"", "\"passwords\""),
        ("grant-of-another-contract", "\"authorization_code\", \"refresh_token\"", "\"device_code\""),
        ("literal", "{ env = \"SHOP_SECRET\" }", "\"a secret in a file\""),
    ] {
        assert!(CLIENTS.contains(from), "{from}");
        let live = Live::start_guide(&format!("client-{name}.toml"), &CLIENTS.replacen(from, to, 1)).await;
        let (code, text) = live.check(&[], 2).await;
        assert_eq!(code, 2, "{text}");
        insta::assert_snapshot!(format!("client-{name}"), text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_interrupted_reports_and_has_not_passed() {
    let mock = Mock::of("instasent-ingest").await.expect("it ships");
    mock.fault(FaultRule::new(Fault::Slow(Duration::from_millis(200))).times(1000)).expect("a fault");
    let tokens = "[[identity]]\nname = \"shop\"\nkind = \"datasource\"\nstate = \"valid\"\nsecret = { env = \"SHOP_TOKEN\" }\n[ids]\nproject = \"proj_xxx\"\ndatasource = \"ds_xxx\"\n";
    let file = written("interrupted.toml", tokens);
    let [json, badge] = ["interrupted.json", "interrupted-badge.json"].map(|name| written(name, ""));
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    command
        .args(["check", "--api", "ingest", "--base-url", mock.base_url(), "--tokens", &file])
        .args(["--report", &format!("json={json}"), "--report", &format!("badge={badge}")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let secret = mock.token("datasource").expect("it is issued").secret.reveal().to_owned();
    let child = command.env("SHOP_TOKEN", secret).spawn().expect("the binary runs");
    while mock.requests().len() < 3 {
        SystemClock.sleep(Duration::from_millis(20)).await;
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("kill is there").success());
    let output =
        tokio::task::spawn_blocking(move || child.wait_with_output()).await.expect("no panic").expect("it ends");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(130), "{out}{err}");
    assert!(err.contains("the run was interrupted") && out.contains("the run was ended before it"), "{out}{err}");
    let report = fs::read_to_string(json).expect("it is written");
    assert!(report.contains("\"interrupted\": true"), "{report}");
    assert!(fs::read_to_string(badge).expect("it is written").contains("\"message\": \"interrupted\""));
}
