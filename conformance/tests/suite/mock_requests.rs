//! What the mock makes of parameters, cursors and ids, as the documents have them.

use std::sync::Arc;

use keyfit::instasent::{legacy, product};
use keyfit::pagination::Items;
use keyfit_conformance::contract::Contract;
use keyfit_conformance::mock::{ControlledMock, Mock, MockOptions};
use keyfit_openapi::{Api, Source, Text};
use reqwest::Method;
use serde_json::{Value, json};

/// A request with the token that may do everything.
async fn ask(mock: &ControlledMock, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let token = mock.tokens()[0].secret.reveal();
    let mut request = reqwest::Client::new().request(method, format!("{}{path}", mock.base_url())).bearer_auth(token);
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), serde_json::from_slice(&answer.bytes().await.expect("a body")).unwrap_or_default())
}

async fn get(mock: &ControlledMock, path: &str) -> (u16, Value) {
    ask(mock, Method::GET, path, None).await
}

#[tokio::test]
async fn a_query_that_does_not_fit_the_document_is_refused_and_the_parameter_named() {
    let mock = Mock::of("product").await.expect("a mock");
    let list = "/project/proj_xxx/segment?_start=0";
    for (query, says) in [
        ("&_limit=ten", "_limit is a string where integer is asked for"),
        ("&_limit=101", "_limit is out of range at 101"),
        ("&_limit=5&_limit=6", "_limit is given more than once"),
    ] {
        let (status, body) = get(&mock, &format!("{list}{query}")).await;
        assert_eq!((status, body["message"].as_str()), (400, Some(says)), "{query}");
    }
    // What the document does not name is nobody's business.
    assert_eq!(get(&mock, &format!("{list}&_limit=5&colour=red&colour=blue")).await.0, 200);
}

#[tokio::test]
async fn a_path_that_names_what_cannot_be_leads_nowhere() {
    let mock = Mock::of("product").await.expect("a mock");
    let messages = "/project/proj_xxx/channel/sms/sms";
    assert_eq!(get(&mock, &format!("{messages}/automation/auto_xxx/0")).await.0, 200);
    for path in ["automation/auto_xxx/-1", "automation/auto_xxx/first", "direct/a%5Cb", "send/%2E%2E"] {
        assert_eq!(get(&mock, &format!("{messages}/{path}")).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn a_refusal_has_the_status_that_the_operation_documents() {
    let mock = Mock::of("product").await.expect("a mock");
    // The contract allows 422 and 400; a scroll documents the latter alone.
    let direct = "channel/sms/sms/direct/default/aBcDeFgHiJkLmNoPqRsTuVwXyZ01-001";
    for (path, documented) in [(direct, 422), ("audience/scroll", 400)] {
        let (status, _) =
            ask(&mock, Method::POST, &format!("/project/proj_xxx/{path}"), Some(json!({ "limit": "ten" }))).await;
        assert_eq!(status, documented, "{path}");
    }
}

#[tokio::test]
async fn a_scroll_ends_with_its_second_page() {
    let mock = Mock::of("product").await.expect("a mock");
    let path = "/project/proj_xxx/audience/scroll";
    let (_, first) = ask(&mock, Method::POST, path, Some(json!({}))).await;
    let cursor = first["metadata"]["cursor"].as_str().expect("a cursor");
    let (status, second) = ask(&mock, Method::POST, path, Some(json!({ "cursor": cursor }))).await;
    assert_eq!((status, &second["metadata"]["cursor"]), (200, &Value::Null));
    assert_eq!(first["entities"].as_array().map(Vec::len), Some(2));
    assert_eq!(second["entities"].as_array().map(Vec::len), Some(1));
    let ids = [&first["entities"][0]["id"], &first["entities"][1]["id"], &second["entities"][0]["id"]];
    assert!(ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2], "{ids:?}");
}

#[tokio::test]
async fn a_client_walks_the_lists_of_the_mocks_to_their_end() {
    let mock = Mock::of("product").await.expect("a mock");
    let config = keyfit::Config::default().base_url(mock.base_url());
    let token = product::ProductToken::new(mock.tokens()[0].secret.reveal()).expect("a token");
    let client = product::Client::with_config(token, config).expect("a client");
    assert_eq!(count(client.audience_scroll().project("proj_xxx").items()).await, 3, "by cursor");
    assert_eq!(count(client.segment_list().project("proj_xxx").items()).await, 3, "by start");
    assert_eq!(count(client.segment_list().project("proj_xxx").items().page_size(1)).await, 1, "of one item a page");
    let mock = Mock::of("legacy").await.expect("a mock");
    let config = keyfit::Config::default().base_url(mock.base_url());
    let token = legacy::LegacyToken::new(mock.tokens()[0].secret.reveal()).expect("a token");
    let client = legacy::Client::with_config(token, config).expect("a client");
    assert_eq!(count(client.sms_list().items()).await, 3, "by page");
}

async fn count<T: serde::de::DeserializeOwned>(mut items: Items<T>) -> usize {
    let mut count = 0;
    while let Some(item) = items.next().await {
        item.unwrap_or_else(|error| panic!("{error}"));
        count += 1;
    }
    count
}

#[tokio::test]
async fn every_form_of_pages_has_two_and_an_end() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/codegen/parcels");
    let source = Source::from_dir(folder.as_ref()).expect("a folder");
    let text = source.contract.as_ref().expect("a contract");
    // Clients need no rules, and the check does.
    let text = Text::new(text.path.clone(), format!("rule = []\n{}", text.text));
    let contract = Contract::read(&text).unwrap_or_else(|failure| panic!("{failure}"));
    let api = Arc::new(Api::read(&source).expect("a document"));
    let mock =
        ControlledMock::start(Arc::clone(&api), Arc::new(contract), MockOptions::default()).await.expect("a mock");
    let http = reqwest::Client::new();
    // With what the first page leads to the second, and that to what is behind it.
    for (path, second, third) in [
        ("/moves", "after", None),
        ("/stamps", "page[cursor]", None),
        ("/desks", "page=1", Some("page=2")),
        ("/shelves", "skip=2", Some("skip=3")),
        ("/scans", "after", None),
        ("/events", "page=2", None),
        ("/notes", "page_token", None),
    ] {
        // The window of the contract is a small one.
        mock.reset();
        let ask = async |query: &str| {
            let request = http.get(format!("{}{path}?{query}", mock.base_url()));
            let answer =
                request.header("x-parcels-key", mock.tokens()[0].secret.reveal()).send().await.expect("an answer");
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let body: Value = serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
            assert_eq!(status, 200, "{path}?{query}: {body}");
            let items =
                ["/moves", "/data", "/shelves", "/notes", ""].into_iter().find_map(|at| body.pointer(at)?.as_array());
            let cursor = ["/paging/next/after", "/links/next"].into_iter().find_map(|at| body.pointer(at)?.as_str());
            let leads = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let next = cursor.map(str::to_owned).or(leads("link")).or(leads("x-next-page"));
            (items.expect("a list").len(), next)
        };
        let (first, next) = ask("").await;
        assert_eq!(first, 2, "{path}");
        assert_eq!(next.is_some(), ["/moves", "/stamps", "/events", "/notes"].contains(&path), "{path}: {next:?}");
        let query = if second.contains('=') { second.to_owned() } else { format!("{second}=2") };
        let (last, next) = ask(&query).await;
        assert_eq!((last, next), (1, None), "{path}");
        if let Some(query) = third {
            assert_eq!(ask(query).await.0, 0, "{path}");
        }
    }
}

#[tokio::test]
async fn an_id_that_is_none_is_not_repeated_as_one() {
    let mock = Mock::of("ingest").await.expect("a mock");
    let path = "/project/proj_xxx/datasource/ds_xxx/stream/contacts";
    let (status, outcome) = ask(&mock, Method::POST, path, Some(json!([{ "_user_id": {} }]))).await;
    let item = &outcome["entity"]["items"][0];
    assert_eq!((status, item.get("_user_id")), (422, None));
    assert_eq!(item["errors"]["_user_id"], json!(["is an object where string is asked for"]));
}

#[tokio::test]
async fn a_limited_token_has_the_window_of_the_contract() {
    let mock = Mock::of("ingest").await.expect("a mock");
    let mut resets = Vec::new();
    for name in ["datasource", "datasource-limited"] {
        let token = mock.token(name).expect("it is there");
        let (project, datasource) = (&token.ids["project"], &token.ids["datasource"]);
        let url = format!("{}/project/{project}/datasource/{datasource}/stream", mock.base_url());
        let answer =
            reqwest::Client::new().get(url).bearer_auth(token.secret.reveal()).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let reset = answer.headers()["x-ratelimit-reset"].to_str().expect("text");
        resets.push(reset.parse::<u64>().expect("seconds since the epoch"));
    }
    assert!(resets[1] >= resets[0], "{resets:?}");
}
