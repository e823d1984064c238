//! Conditional requests and long work at the mock, by a generated client as a user's tests would have them.

use std::path::Path;
use std::time::Duration;

use keyfit::testing::TestClock;
use keyfit::{CallOptions, Config, ErrorKind};
use keyfit_conformance::catalogue::Side;
use keyfit_conformance::mock::{ControlledMock, Mock, Mutant, WorkPlan};
use keyfit_openapi::Source;

use crate::common::{against_mock, broken, http, side};
use crate::press::types::{Job, NewOrder, Sheets};
use crate::press::{Client, Key};

async fn mock() -> ControlledMock {
    Mock::of_dir("../tests/calls").await.expect("a mock")
}

fn client(mock: &ControlledMock) -> Client {
    let token = mock.token("key").expect("a token");
    let config = Config::default().base_url(mock.base_url()).clock(TestClock::running());
    Client::with_config(Key::new(token.secret.reveal()).expect("a key"), config).expect("a client")
}

fn order(copies: u64) -> NewOrder {
    let copies = std::num::NonZeroU64::new(copies).expect("some");
    NewOrder::builder().title("Poster").copies(copies).try_into().expect("an order")
}

#[tokio::test]
async fn a_read_under_its_tag_is_not_modified_until_something_changes() {
    let mock = mock().await;
    let client = client(&mock);
    let made = client.create_order().body(order(1)).send().await.expect("it is made");
    let id = made.id.clone();
    let read = client.get_order().id(&id).send().await.expect("it is there");
    let tag = read.etag().expect("a tag").to_owned();
    let known = |tag: &str| CallOptions::default().if_none_match(tag).expect("a tag");
    let again = client.with_options(known(&tag)).get_order().id(&id).send().await.expect_err("it is the same");
    assert_eq!(again.kind(), ErrorKind::NotModified);
    assert!(again.body().is_empty());
    client.replace_order().id(&id).body(order(2)).send().await.expect("it is replaced");
    let now = client.with_options(known(&tag)).get_order().id(&id).send().await.expect("it is another one");
    assert_ne!(now.etag().map(str::to_owned), Some(tag));
}

#[tokio::test]
async fn a_change_under_an_old_tag_is_refused_and_not_made() {
    let mock = mock().await;
    let client = client(&mock);
    let id = client.create_order().body(order(1)).send().await.expect("it is made").id.clone();
    let tag = client.get_order().id(&id).send().await.expect("it is there").etag().expect("a tag").to_owned();
    let only = CallOptions::default().if_match(&tag).expect("a tag");
    let first = client.with_options(only.clone()).replace_order().id(&id).body(order(2)).send().await;
    let new = first.expect("nobody came first").etag().map(str::to_owned);
    let late = client.with_options(only).replace_order().id(&id).body(order(3)).send().await.expect_err("too late");
    assert_eq!(late.kind(), ErrorKind::PreconditionFailed);
    let now = client.get_order().id(&id).send().await.expect("it is there");
    assert_eq!((now.copies, now.etag().map(str::to_owned)), (2, new));
}

#[tokio::test]
async fn work_is_over_after_as_many_looks_as_a_test_says() {
    let mock = mock().await;
    let client = client(&mock);
    mock.plan_work(WorkPlan { looks: 2, fails: false });
    let mut print = client.start_print().body(Job::builder().order("o-1")).poll();
    let done = print.done().await.expect("it is printed");
    assert!(done.decode::<Sheets>().is_ok(), "the result is where the location says");
    let asked: Vec<String> =
        mock.requests().iter().map(|request| format!("{} {:?}", request.method, request.status)).collect();
    assert_eq!(asked, ["POST Some(202)", "GET Some(200)", "GET Some(200)", "GET Some(200)", "GET Some(200)"]);
    mock.plan_work(WorkPlan { looks: 0, fails: true });
    let failed = client.start_print().body(Job::builder().order("o-1")).poll().done().await.expect_err("it failed");
    assert_eq!(failed.kind(), ErrorKind::OperationFailed);
    // The status is a documented operation, of which the client has a call.
    mock.plan_work(WorkPlan { looks: 1, fails: false });
    let mut begun = client.start_print().body(Job::builder().order("o-1")).poll().deadline(Duration::ZERO);
    assert_eq!(begun.done().await.expect_err("there is no time").kind(), ErrorKind::Timeout);
    let location = begun.location().expect("it is at work").to_owned();
    let id = location.rsplit('/').nth(1).expect("an id");
    let words: Vec<String> = [
        client.get_print_status().id(id).send().await.expect("a status").status.clone(),
        client.get_print_status().id(id).send().await.expect("a status").status.clone(),
    ]
    .into();
    assert_eq!(words, ["running", "succeeded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_stale_changes_is_found_and_one_that_does_not_is_not() {
    let source = Source::from_dir(Path::new("tests/fixtures/apis/records")).expect("the folder is there");
    let catalogue = side(keyfit_conformance::catalogue::Catalogue::read(&source).expect("it is read"), Side::Server);
    let http = http();
    for (mutant, rules) in [
        (None, vec![]),
        (Some(Mutant::IgnoresIfMatch), vec!["records.chain.stale-change"]),
        (Some(Mutant::ChangesOnRefusal), vec!["records.chain.stale-change"]),
        (Some(Mutant::FailsOnConditions), vec!["records.repeat.not-modified"]),
        (Some(Mutant::NeverModified), vec!["records.repeat.modified"]),
    ] {
        let outcomes = against_mock(&catalogue, mutant, &http).await;
        let mut found: Vec<&str> =
            broken(&catalogue, &outcomes).iter().map(|(case, _)| catalogue.rule(case).id.as_str()).collect();
        found.dedup();
        assert_eq!(found, rules, "{mutant:?}");
    }
}
