//! Every scheme alone, among alternatives, with another one, and where a call may do without, through a generated client.

use keyfit::Config;
use keyfit_openapi::{GenerateOptions, generate_with};

use crate::leaks::{Written, logging};
use crate::locks::{self, SCHEMES, Secrets, source};
use crate::opening::recording;

fn secrets() -> Secrets {
    let secret = |name: &'static str| match name {
        "login" => "ada:fixture-secret-login".to_owned(), // not-a-secret
        _ => format!("fixture-token-{name}"),
    };
    SCHEMES.iter().map(|scheme| (scheme.name, secret(scheme.name))).collect()
}

#[tokio::test]
async fn each_request_is_one_that_the_document_allows() {
    let (server, seen) = recording(204).await;
    let (secrets, log) = (secrets(), Written::default());
    let _logging = logging(&log);
    let taken = || std::mem::take(&mut *seen.lock().expect("no panic"));
    let counts =
        locks::each_request_is_one_that_the_document_allows(&server.base_url(), &secrets, taken, |_, _| true).await;
    let logged = log.text();
    let mut all = SCHEMES.iter().flat_map(|scheme| scheme.secrets(&secrets[scheme.name]));
    assert!(all.all(|secret| !logged.contains(&secret)), "{logged}");
    println!("{counts:?}, 0 found, nor in {} bytes of log", logged.len());
}

#[test]
fn the_client_is_what_the_generator_writes() {
    let generated = generate_with(&source(), &GenerateOptions::default()).expect("a client");
    let lines = |text: &str| -> Vec<String> {
        // Without the head, which names the command.
        let code = text.lines().skip_while(|line| line.starts_with("//") || line.is_empty());
        code.map(str::to_owned).collect()
    };
    assert!(
        lines(&generated.code) == lines(include_str!("../locks/client.rs")),
        "`keyfit generate tests/locks --out tests/locks/client.rs` writes it again"
    );
}

#[test]
fn an_operation_that_no_request_can_open_is_told_where_it_stands() {
    let generated = generate_with(&source(), &GenerateOptions::default()).expect("a client");
    let told: Vec<&str> =
        generated.repairs.iter().filter(|repair| repair.rule == "credential").map(|r| &*r.pointer).collect();
    assert!(told.contains(&"/paths/~1login-and-bearer/get"), "{told:?}");
}

#[test]
fn a_client_with_two_credentials_of_one_kind_is_refused() {
    let key = |text: &str| locks::HeaderKey::new(text).expect("a key");
    let config = Config::default().base_url("http://127.0.0.1:9");
    let error =
        locks::Client::with_config((key("fixture-key-1"), key("fixture-key-2")), config).expect_err("which one?"); // not-a-secret
    assert_eq!(error.to_string(), "two credentials are of the kind `header-key`: give one of them");
}

#[tokio::test]
async fn a_client_without_a_credential_calls_what_may_be_called_without() {
    let (server, seen) = recording(204).await;
    let client = locks::Client::without_credential(Config::default().base_url(server.base_url())).expect("a client");
    client.public().send().await.expect("an answer");
    client.bearer_or_nothing().send().await.expect("an answer");
    assert_eq!(*seen.lock().expect("no panic"), [Vec::new(), Vec::new()]);
    let error = client.machine_alone().send().await.expect_err("not opened").to_string();
    assert_eq!(
        error,
        "machine-alone: it takes `machine`, a client certificate (`Config::client_certificate`), and this client holds no credential"
    );
}

#[tokio::test]
async fn a_credential_that_is_refused_is_replaced_and_the_other_one_stays() {
    use keyfit::auth::Credential;
    use keyfit::auth::source::MemorySource;

    let (server, seen) = recording(401).await;
    let source = MemorySource::new("fixture-token-old"); // not-a-secret
    let token: Credential<locks::kind::Bearer> = Credential::from_secret(source.clone());
    token.ready().await.expect("a token");
    source.set("fixture-token-new"); // not-a-secret
    let key = locks::HeaderKey::new("fixture-key-header").expect("a key"); // not-a-secret
    let client =
        locks::Client::with_config((token, key), Config::default().base_url(server.base_url())).expect("a client");
    let error = client.bearer_and_header_key().send().await.map(drop).expect_err("refused");
    let text = format!("{error} {error:?}");
    let seen: Vec<String> = seen.lock().expect("no panic").iter().map(|parts| format!("{parts:?}")).collect();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen[0].contains("fixture-token-old") && seen[1].contains("fixture-token-new"), "{seen:?}");
    assert!(seen.iter().all(|request| request.contains("fixture-key-header")), "{seen:?}");
    assert!(!text.contains("fixture-"), "{text}");
}
