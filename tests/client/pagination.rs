//! Paged lists: which requests are sent, and that each item comes once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_core::Stream;
use httpmock::HttpMockResponse;
use keyfit::instasent::legacy::LegacyToken;
use keyfit::instasent::product::ProductToken;
use keyfit::instasent::transactional::ApiSmsToken;
use keyfit::instasent::{legacy, product, transactional};
use keyfit::operation::{NextPage, Operation, Pagination};
use keyfit::pagination::{Cursor, Items};
use keyfit::{Config, Error, ErrorKind};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::support::{Received, Scripted, TOKEN};

fn product(config: Config) -> product::Client {
    product::Client::with_config(ProductToken::new(TOKEN).expect("a token"), config).expect("a client")
}

fn json_answer(status: u16, body: &Value) -> HttpMockResponse {
    HttpMockResponse::builder().status(status).body(body.to_string()).build()
}

/// A scroll over pages of contacts named by numbers, the page behind `failing` of which fails while told so.
async fn scroll_server(sizes: &'static [usize], failing: &'static str, fails: Arc<AtomicBool>) -> Scripted {
    Scripted::answering(move |request| {
        let body: Value = serde_json::from_str(&request.body).expect("JSON");
        let number = body["cursor"].as_str().map_or(0, |cursor| cursor.parse().expect("a cursor of ours"));
        if fails.load(Ordering::SeqCst) && body["cursor"] == failing {
            return json_answer(500, &json!({}));
        }
        let first: usize = sizes[..number].iter().sum();
        let contacts: Vec<Value> =
            (first..first + sizes[number]).map(|number| json!({"id": number.to_string()})).collect();
        let next = (number + 1 < sizes.len()).then(|| (number + 1).to_string());
        json_answer(200, &json!({"entities": contacts, "metadata": {"cursor": next, "limit": 100, "totalHits": 7}}))
    })
    .await
}

fn cursors(server: &Scripted) -> Vec<Value> {
    let body = |request: &Received| serde_json::from_str::<Value>(&request.body).expect("JSON")["cursor"].clone();
    server.received().iter().map(body).collect()
}

#[tokio::test]
async fn a_page_that_fails_is_gone_on_from_and_no_page_is_read_twice() {
    let fails = Arc::new(AtomicBool::new(true));
    let server = scroll_server(&[3, 0, 2, 2], "2", Arc::clone(&fails)).await;
    let client = product(server.config());
    let scroll = || {
        let filter = product::types::AudienceScrollFilter::builder().sort_asc(true);
        client.audience_scroll().project("p").body(filter).items()
    };
    let mut contacts = scroll();
    let mut ids = Vec::new();
    let error = loop {
        match contacts.next().await.expect("an item or an error") {
            Ok(contact) => ids.push(contact.id),
            Err(error) => break error,
        }
    };
    assert_eq!((error.kind(), error.attempts(), contacts.total()), (ErrorKind::Server, 4, Some(7)));
    assert!(contacts.next().await.is_none());
    let kept = serde_json::to_string(&contacts.cursor()).expect("JSON");
    assert_eq!(kept, r#"{"place":{"after":"2"},"taken":0}"#);

    fails.store(false, Ordering::SeqCst);
    let cursor: Cursor = serde_json::from_str(&kept).expect("a cursor");
    let mut contacts = scroll().resume(cursor).expect("a cursor of a scroll");
    while let Some(contact) = contacts.next().await {
        ids.push(contact.expect("a contact").id);
    }
    assert_eq!(ids, ["0", "1", "2", "3", "4", "5", "6"]);
    assert_eq!(contacts.cursor(), None);
    // Four attempts of the page that failed, and one of each other.
    assert_eq!(
        cursors(&server),
        [json!(null), json!("1"), json!("2"), json!("2"), json!("2"), json!("2"), json!("2"), json!("3")]
    );
    assert!(server.received().iter().all(|request| request.body.contains(r#""sortAsc":true"#)));
}

#[tokio::test]
async fn a_url_in_the_body_leads_on_within_the_base_url_alone() {
    let pages = |next: &'static str| {
        Scripted::answering(move |request| {
            let is_first = !request.target.contains('?');
            let (ids, next) = if is_first { ([1, 2], json!(next)) } else { ([3, 4], Value::Null) };
            json_answer(200, &json!({ "data": ids, "links": { "next": next } }))
        })
    };
    let listed = async |server: &Scripted| {
        let client = product(server.config());
        let pagination = Pagination::new(NextPage::Url { at: "/links/next" }).with_items("/data");
        let mut items = client.request(Method::GET, "/things").items::<u64>(pagination);
        let mut ids = Vec::new();
        while let Some(id) = items.next().await {
            ids.push(id.map_err(|error| (error.kind(), server.received().len()))?);
        }
        Ok(ids)
    };
    let server = pages("?page=2").await;
    assert_eq!(listed(&server).await, Ok(vec![1, 2, 3, 4]));
    let server = pages("https://elsewhere.example/v1/things?page=2").await;
    assert_eq!(listed(&server).await, Err((ErrorKind::Refused, 1)), "no credential is sent elsewhere");
}

#[tokio::test]
async fn a_scroll_begins_at_a_cursor_of_the_callers() {
    let server = scroll_server(&[3, 2, 2], "", Arc::default()).await;
    let client = product(server.config());
    let filter = product::types::AudienceScrollFilter::builder().cursor("1".to_owned());
    let mut contacts = client.audience_segment_scroll().project("p").segment_uid("s").body(filter).items();
    assert_eq!(contacts.next().await.expect("an item").expect("a contact").id, "3");
    assert_eq!(cursors(&server), ["1"]);
}

#[tokio::test]
async fn a_list_by_offset_asks_for_both_and_ends_with_a_short_page() {
    let server = Scripted::answering(|request| {
        let (_, query) = request.target.split_once('?').expect("a query");
        let number = |name: &str| {
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.parse::<usize>().ok()).expect("a number")
        };
        let (start, limit) = (number("_start="), number("_limit="));
        let segments: Vec<Value> = (start..5).take(limit).map(|number| json!({"uid": number.to_string()})).collect();
        json_answer(200, &json!({"entities": segments, "metadata": {"start": start, "limit": limit, "count": 5}}))
    })
    .await;
    let client = product(server.config());
    let mut segments = client.segment_list().project("p").sort("name").items().page_size(2);
    let mut count = 0;
    while let Some(segment) = segments.next().await {
        segment.expect("a segment");
        count += 1;
    }
    assert_eq!((count, segments.total()), (5, Some(5)));
    let targets: Vec<String> = server.received().into_iter().map(|request| request.target).collect();
    let expected = [0, 2, 4].map(|start| format!("/project/p/segment?_sort=name&_start={start}&_limit=2"));
    assert_eq!(targets, expected);
}

/// The first request of a list.
async fn first<T: DeserializeOwned + Send>(server: &Scripted, mut items: Items<T>) -> Result<(String, String), Error> {
    fn is_stream(_: &(impl Stream + Send + Unpin)) {}
    is_stream(&items);
    assert!(items.next().await.transpose()?.is_none());
    let request = server.received().pop().expect("a request");
    Ok((format!("{} {}", request.method, request.target), request.body))
}

#[tokio::test]
async fn every_paged_call_has_items() -> Result<(), Error> {
    let server = Scripted::json(200, r#"{"entities":[],"metadata":{}}"#).await;
    let product = product(server.config());
    let legacy = legacy::Client::with_config(LegacyToken::new(TOKEN)?, server.config())?;
    let sms = transactional::Client::with_config(ApiSmsToken::new(TOKEN)?, server.config())?;
    // In the order of the operation tables.
    let requests = [
        first(&server, product.datasource_list().project("p").items()).await?,
        first(&server, product.audience_scroll().project("p").items()).await?,
        first(&server, product.audience_segment_scroll().project("p").segment_uid("s").items()).await?,
        first(&server, product.event_scroll().project("p").items()).await?,
        first(&server, product.segment_list().project("p").items()).await?,
        first(&server, product.campaign_list().project("p").items()).await?,
        first(&server, product.automation_list().project("p").items()).await?,
        first(&server, product.sms_sender_list().project("p").items()).await?,
        first(&server, product.sms_list_by_audience().project("p").audience_id("a").items()).await?,
        first(&server, product.sms_list_by_send().project("p").send_id("s").items()).await?,
        first(&server, product.sms_list_by_campaign().project("p").campaign_id("c").option_idx(1_u64).items()).await?,
        first(&server, product.sms_list_by_automation().project("p").automation_id("a").message_idx(1_u64).items())
            .await?,
        first(&server, product.sms_list_direct().project("p").items()).await?,
        first(&server, product.sms_list_direct_by_term().project("p").utm_term("t").items()).await?,
        first(&server, legacy.sms_list().items()).await?,
        first(&server, legacy.lookup_list().items()).await?,
        first(&server, sms.sms_list().items()).await?,
        first(&server, sms.lookup_list().items()).await?,
    ];
    let tables: [&[Operation]; 3] = [product::API.operations, legacy::API.operations, transactional::API.operations];
    let operations: Vec<_> = tables.into_iter().flatten().filter(|operation| operation.pagination.is_some()).collect();
    assert_eq!(requests.len(), operations.len());
    for (operation, (line, body)) in operations.into_iter().zip(requests) {
        let begin = operation.path.split('{').next().unwrap_or_default();
        assert!(line.starts_with(&format!("{} {begin}", operation.method)), "{}: {line}", operation.id);
        let asked = match operation.pagination.map(|pagination| pagination.next) {
            Some(NextPage::Page { .. }) => line.ends_with("?page=1&per_page=50"),
            Some(NextPage::Start { .. }) => line.ends_with("?_start=0&_limit=50"),
            _ => !line.contains('?') && !body.contains("cursor"),
        };
        assert!(asked, "{}: {line} {body}", operation.id);
    }
    Ok(())
}
