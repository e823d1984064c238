//! Calls that are waited for, outside of a runtime and within one.

use httpmock::MockServer;
use keyfit::Config;
use keyfit::blocking::{each, wait};
use keyfit::operation::{NextPage, PageArgument, Pagination};
use keyfit::scopien::{Client, Key};

fn client(server: &MockServer) -> Client {
    let config = Config::default().base_url(server.base_url());
    Client::with_config(Key::new("fixture-token-0001").expect("a key"), config).expect("a client")
}

fn list_and_pages() {
    let server = MockServer::start();
    server.mock(|when, then| {
        when.path("/accounts");
        then.status(200).body("[]");
    });
    let page = |after: Option<&str>, body: &str| {
        server.mock(|when, then| {
            let when = when.path("/reports");
            let _ = match after {
                Some(after) => when.query_param("after", after),
                None => when.query_param_missing("after"),
            };
            then.status(200).body(body);
        });
    };
    page(None, r#"{"data":[1,2],"next":"b"}"#);
    page(Some("b"), r#"{"data":[3]}"#);
    let client = client(&server);
    assert!(wait(client.accounts_list().send()).expect("a list").is_empty());
    let next = NextPage::Cursor { at: "/next", argument: PageArgument::Query("after") };
    let reports = client.request(reqwest::Method::GET, "/reports");
    let reports = reports.items::<u8>(Pagination::new(next).with_items("/data"));
    assert_eq!(each(reports).map(|report| report.expect("a report")).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn outside_of_a_runtime() {
    list_and_pages();
}

#[tokio::test(flavor = "multi_thread")]
async fn within_a_runtime_of_several_threads() {
    list_and_pages();
}

#[test]
fn within_a_runtime_of_one_thread() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let server = MockServer::start();
    server.mock(|when, then| {
        when.path("/accounts");
        then.status(200).body("[]");
    });
    let client = client(&server);
    runtime.block_on(async { assert!(wait(client.accounts_list().send()).expect("a list").is_empty()) });
}

#[test]
fn many_threads_share_the_runtime() {
    let server = MockServer::start();
    let mock = server.mock(|when, then| {
        when.path("/accounts");
        then.status(200).body("[]");
    });
    let client = client(&server);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| wait(client.accounts_list().send()).expect("a list"));
        }
    });
    mock.assert_calls(16);
}
