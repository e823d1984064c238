//! A live server, played by the mock: credentials come from a tokens file, and what was not given is skipped by name.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use keyfit_conformance::identity::{Identities as _, Need, Rights, State};
use keyfit_conformance::mock::Mock;
use keyfit_conformance::secret::Redactor;

use crate::common::catalogues;

const TOKENS: &str = r#"
[[identity]]
name = "shop"
kind = "datasource"
state = "valid"
secret = { env = "SHOP_TOKEN" }

[[identity]]
name = "old shop"
kind = "datasource"
state = "revoked"
secret = { env = "OLD_TOKEN" }

[[identity]]
name = "reports"
kind = "product"
state = "valid"
secret = { env = "REPORTS_TOKEN" }
scopes = ["PROJECT_AUDIENCE_READ"]

[ids]
project = "proj_xxx"
datasource = "ds_xxx"

[foreign]
project = "proj_of_somebody_else"
"#;

struct Live {
    mock: Mock,
    tokens: [(&'static str, String); 3],
    file: String,
}

impl Live {
    async fn start(name: &str, tokens: &str) -> Self {
        let catalogue =
            catalogues().into_iter().find(|catalogue| catalogue.contract.name == "ingest").expect("embedded");
        let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
        let mock = Mock::start(api, contract, None, Redactor::default()).await.expect("a loopback socket");
        let mint = |kind: &str, state, rights| {
            let need = Need { kind: kind.to_owned(), state, rights, alone: false };
            mock.mint().find(&need).expect("the mock issues everything").secret.reveal().to_owned()
        };
        let reports = Rights::Without(["PROJECT_DATASOURCE_WRITE".to_owned()].into());
        let tokens_in_use = [
            ("SHOP_TOKEN", mint("datasource", State::Valid, Rights::All)),
            ("OLD_TOKEN", mint("datasource", State::Revoked, Rights::All)),
            ("REPORTS_TOKEN", mint("product", State::Valid, reports)),
        ];
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&file, tokens).expect("the file can be written");
        Self { mock, tokens: tokens_in_use, file: file.display().to_string() }
    }

    async fn check(&self, more: &[&str], variables: usize) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_conformance"));
        command.args([
            "--api",
            "ingest",
            "--side",
            "server",
            "--base-url",
            self.mock.base_url(),
            "--tokens",
            &self.file,
        ]);
        command.args(more).envs(self.tokens.iter().take(variables).cloned());
        // The mock lives in this runtime, which must not wait for the child.
        let output: Output =
            tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("the binary runs");
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        for (_, token) in &self.tokens {
            assert!(!text.contains(token), "a token is printed");
        }
        (output.status.code().expect("it was not killed"), text.replace(env!("CARGO_TARGET_TMPDIR"), "<tmp>"))
    }
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
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_is_not_set_is_named() {
    let live = Live::start("tokens-unset.toml", TOKENS).await;
    let (code, text) = live.check(&[], 1).await;
    assert_eq!(code, 2);
    insta::assert_snapshot!(text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_the_file_is_refused() {
    let literal = TOKENS.replace("{ env = \"SHOP_TOKEN\" }", "\"a secret in a file\"");
    let live = Live::start("tokens-literal.toml", &literal).await;
    let (code, text) = live.check(&[], 3).await;
    assert_eq!(code, 2);
    insta::assert_snapshot!(text);
}
