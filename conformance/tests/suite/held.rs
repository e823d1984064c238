//! The contract in an ordinary test: what is checked, what a failure says, and that no runtime is in the way.

use std::panic::catch_unwind;
use std::path::Path;
use std::{fs, thread};

use keyfit::auth::Carrier;
use keyfit::codegen::{Transport, no_credential, reqwest};
use keyfit::dispatch::{Access, Answer, Call, Dispatch};
use keyfit::{Config, Error, RawRequest, RetryPolicy, scopien};
use keyfit_conformance::judgement::verdict::Verdict;
use keyfit_conformance::{Findings, check};
use serde_json::{Map, Value};

use super::common::Recorder;

const SCOPIEN: &str = "../openapi/apis/scopien";
const PETS: &str = "tests/fixtures/apis/pets";

/// A client that was written in an afternoon: it has the paths of the API, and no token.
struct Naive {
    http: reqwest::Client,
    transport: Transport,
}

impl Dispatch for Naive {
    fn call<'a>(&'a self, operation: &'a str, _: &'a Map<String, Value>) -> Call<'a> {
        Box::pin(async move {
            let known = scopien::API.operation(operation).expect("it is one of the API");
            let method = known.method.parse().expect("a method");
            let answer = RawRequest::new(&self.transport, &self.http, method, known.path).send().await?;
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            Ok(Answer { status, headers, value: serde_json::from_slice(&answer.into_inner()).unwrap_or_default() })
        })
    }
}

fn naive(config: Config, _: Access) -> Result<Box<dyn Dispatch>, Error> {
    let (http, transport) = Transport::connect(no_credential(), config, &scopien::API)?;
    Ok(Box::new(Naive { http, transport }))
}

/// What a check that panics says.
fn panicked(failing: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = catch_unwind(failing).expect_err("it panics");
    panic.downcast::<String>().map_or_else(|_| "no text".to_owned(), |text| *text)
}

fn refused(result: Result<Findings, keyfit_conformance::UserError>) -> String {
    result.expect_err("it is refused").to_string()
}

#[test]
fn a_client_that_keeps_its_contract_passes() {
    let findings = check(SCOPIEN).client(scopien::connect).run().expect("it can be checked");
    findings.assert();
    let cases = &findings.report.apis[0].cases;
    assert!(cases.iter().all(|case| case.id.starts_with("scopien/client/")), "the client alone is checked");
    assert!(cases.iter().filter(|case| case.verdict == Verdict::Pass).count() > 50, "{findings}");
    // The document names the same API, and so does the name of one that ships.
    for api in [&format!("{SCOPIEN}/published.yaml"), "scopien"] {
        let same = check(api).client(scopien::connect).run().expect("it can be checked");
        assert_eq!(same.to_string(), findings.to_string(), "{api}");
    }
}

#[test]
fn a_client_without_a_token_fails_and_is_told_where() {
    let check = || check(SCOPIEN).client(naive).only("scopien/client/request/auth-test");
    let said = panicked(|| check().assert());
    insta::assert_snapshot!(said);
    assert!(!said.contains('\u{1b}'));
    // Of the whole contract the same rule is broken, and the text is the same each time.
    let whole = || keyfit_conformance::check(SCOPIEN).client(naive).run().expect("it can be checked");
    let (first, second) = (whole(), whole());
    assert!(!first.passed() && first.to_string().contains("must scopien.client.request: "), "{first}");
    assert_eq!(first.to_string(), second.to_string());
}

/// The client, changed by whoever connects it: of each change the contract has a rule, which finds it.
#[test]
fn no_way_to_break_the_contract_passes() {
    type Broken = fn(Config, Access) -> Result<Box<dyn Dispatch>, Error>;
    fn with(config: Config, access: Access, carrier: Carrier) -> Result<Box<dyn Dispatch>, Error> {
        let (http, transport) = Transport::connect(access.credential("key", carrier)?, config, &scopien::API)?;
        Ok(Box::new(Naive { http, transport }))
    }
    let broken: [(Broken, &str); 6] = [
        // No key; a key in another header; one under another scheme.
        (naive, "request"),
        (|config, access| with(config, access, Carrier::Header("X-Api-Key")), "request"),
        (|config, access| with(config, access, Carrier::Scheme("Key")), "request"),
        // A key of somebody else's, which never changes.
        (|config, _| scopien::connect(config, Access::Token("sk_not-a-secret".to_owned().into())), "request"),
        (|config, _| scopien::connect(config, Access::Token("sk_not-a-secret".to_owned().into())), "rotated-token"),
        // What may be sent again is not.
        (|config, access| scopien::connect(config.retry(RetryPolicy::never()), access), "repeated-call"),
    ];
    for (connect, rule) in broken {
        let findings = check(SCOPIEN).client(connect).only(format!("scopien/client/{rule}/**")).run();
        let findings = findings.expect("it can be checked");
        let text = findings.to_string();
        assert!(!findings.passed() && text.contains(&format!("must scopien.client.{rule}: ")), "{rule}: {text}");
    }
}

#[test]
fn the_mock_is_checked_where_nothing_else_is_named() {
    let findings = check(PETS).run().expect("it can be checked");
    findings.assert();
    assert_eq!(findings.report.apis[0].server, "mock");
    check("scopien").only("**.auth.**").only("scopien/auth/**").skip("**/auth-test").assert();
}

#[test]
fn a_client_may_lack_operations_that_it_was_not_generated_with() {
    struct Few(Box<dyn Dispatch>);
    impl Dispatch for Few {
        fn call<'a>(&'a self, operation: &'a str, arguments: &'a Map<String, Value>) -> Call<'a> {
            if operation == "auth-test" {
                return self.0.call(operation, arguments);
            }
            Box::pin(async move { Err(keyfit::codegen::unknown_operation(operation)) })
        }
    }
    let connect = |config, access| Ok(Box::new(Few(scopien::connect(config, access)?)) as Box<dyn Dispatch>);
    let findings = check(SCOPIEN).client(connect).only("scopien/client/success/**").run().expect("it can be checked");
    findings.assert();
    for case in &findings.report.apis[0].cases {
        let is_there = case.operation.id == "auth-test";
        assert_eq!(case.verdict == Verdict::Skip, !is_there, "{}: {:?}", case.id, case.reason);
    }
    // Where none is left, nothing was held to anything.
    let none = check(SCOPIEN).client(connect).only("scopien/client/success/**").skip("**/auth-test");
    assert!(!none.run().expect("it can be checked").passed());
}

#[test]
fn a_known_failure_fails_nothing_and_a_stale_one_does() {
    let list = Path::new(env!("CARGO_TARGET_TMPDIR")).join("held-baseline.toml");
    let entry = "[[known]]\ncases = [\"scopien/client/request/auth-test\"]\nreason = \"the token comes next week\"\n";
    fs::write(&list, entry).expect("written");
    let check = || check(SCOPIEN).only("scopien/client/request/auth-test").baseline(&list);
    check().client(naive).assert();
    let stale = panicked(|| check().client(scopien::connect).assert());
    assert!(stale.contains("STALE") && stale.contains("does not fail any more: delete the entry"), "{stale}");
}

#[test]
fn what_cannot_be_checked_says_so() {
    let client = |api: &str| refused(check(api).client(scopien::connect).run());
    insta::assert_snapshot!(
        [
            client(PETS),
            client("tests/fixtures/bare"),
            client("../openapi/apis"),
            client("api/parcels"),
            refused(check(SCOPIEN).client(scopien::connect).only("scopien/auth/**").run()),
            refused(check(SCOPIEN).baseline("no-list.toml").run()),
            refused(check(SCOPIEN).server("example.com", "tokens.toml").run()),
            refused(check(SCOPIEN).server("http://example.com", "tokens.toml").run()),
            refused(check(SCOPIEN).server("https://example.com", "no-tokens.toml").run()),
        ]
        .join("\n\n")
    );
    let unknown = client("parcels");
    assert!(unknown.contains("no API called `parcels`") && unknown.contains("relative to the crate"), "{unknown}");
}

#[tokio::test]
async fn a_runtime_is_not_in_the_way() {
    check(PETS).assert();
    check(SCOPIEN).client(scopien::connect).only("scopien/client/success/**").assert();
    let findings = check(PETS).run_async().await.expect("it can be checked");
    findings.assert();
}

#[tokio::test]
async fn a_server_of_the_same_test_is_checked_while_the_test_goes_on() {
    let server = Recorder::start().await;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (tokens, key) = (folder.join("held-tokens.toml"), folder.join("held-key"));
    fs::write(&key, "pk_not-a-secret").expect("written");
    let identity = "[[identity]]\nname = \"keeper\"\nkind = \"key\"\nstate = \"valid\"\n";
    fs::write(&tokens, format!("{identity}secret = {{ file = {key:?} }}\n")).expect("written");
    let check = || check(PETS).server(server.base_url(), &tokens).only("pets/auth/no-token/**");
    // A test that waits for the check could not serve: it is told, and does not hang.
    assert!(refused(check().run()).contains("run_async().await"));
    let findings = check().run_async().await.expect("it can be checked");
    assert!(!findings.passed(), "it serves whoever calls");
    let text = findings.to_string();
    assert!(text.contains("must pets.auth.no-token: "), "{text}");
    assert!(text.contains("again: keyfit check --api-dir tests/fixtures/apis/pets --case "), "{text}");
    assert!(!text.contains(&server.base_url()), "{text}");
    // Without a runtime nobody has to be waited for.
    let found = thread::scope(|scope| scope.spawn(|| check().run()).join()).expect("no panic");
    assert_eq!(found.expect("it can be checked").to_string(), text);
}
