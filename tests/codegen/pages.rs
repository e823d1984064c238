//! Calls that page, in every form that pages come in, against a server that has so many things.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use httpmock::prelude::*;
use httpmock::{HttpMockRequest, HttpMockResponse};
use keyfit::operation::{NextPage, PageArgument, Pagination};
use keyfit::pagination::{Cursor, Items};
use keyfit::{Config, Error, ErrorKind, RetryPolicy};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::form_2 as form;

const KEY: &str = "parc_test_0001"; // not-a-secret

/// The lists of the document, one for each form; `stamps` has its cursor in a URL.
const FORMS: [&str; 7] = ["moves", "stamps", "desks", "shelves", "scans", "events", "notes"];

/// What a server has and does.
#[derive(Clone, Debug, Default)]
struct Shop {
    count: u64,
    /// The most things that it gives at once.
    cap: u64,
    /// Whether it takes no notice of where a page is to begin.
    ignores: bool,
    /// The request that it answers with an error, from 0.
    fails: Option<usize>,
    /// Where links lead; to itself where it is empty.
    elsewhere: &'static str,
}

type Asked = Arc<Mutex<Vec<String>>>;

impl Shop {
    async fn open(self) -> (MockServer, form::Client, Asked) {
        let server = MockServer::start_async().await;
        let asked = Asked::default();
        let (record, url) = (Arc::clone(&asked), server.base_url());
        server
            .mock_async(|_when, then| {
                then.respond_with(move |request: &HttpMockRequest| {
                    let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
                    let mut asked = record.lock().expect("no panic");
                    asked.push(target.clone());
                    if self.fails == Some(asked.len() - 1) {
                        return HttpMockResponse::builder().status(500).body("{}").build();
                    }
                    self.answer(&url, &target)
                });
            })
            .await;
        let config = Config::default().base_url(server.base_url()).retry(RetryPolicy::never());
        let client = form::Client::with_config(form::Key::new(KEY).expect("a key"), config).expect("a client");
        (server, client, asked)
    }

    fn answer(&self, url: &str, target: &str) -> HttpMockResponse {
        let base = reqwest::Url::parse(url).expect("a URL");
        let asked = base.join(target).expect("a target");
        let query: HashMap<String, String> = asked.query_pairs().into_owned().collect();
        let number = |name: &str| query.get(name).and_then(|text| text.parse::<u64>().ok());
        let form = asked.path().trim_start_matches('/').to_owned();
        let size = ["limit", "per_page", "page[size]", "items"].into_iter().find_map(number).unwrap_or(10);
        let size = size.min(self.cap);
        let start = match form.as_str() {
            _ if self.ignores => 0,
            "moves" | "notes" => number("after").or(number("page_token")).unwrap_or(0),
            "stamps" => number("page[cursor]").unwrap_or(0),
            "desks" => number("page").unwrap_or(0) * size,
            "shelves" => number("skip").unwrap_or(0),
            "scans" => number("after").map_or(0, |last| last + 1),
            "events" => number("from").unwrap_or(0),
            other => panic!("{other}"),
        };
        let end = (start + size).min(self.count);
        let things: Vec<Value> = (start..end).map(|id| json!({ "id": id })).collect();
        let next = (end < self.count).then_some(end);
        let mut answer = HttpMockResponse::builder().status(200);
        let link = |query: &str| {
            format!("{}/{form}?{query}&limit={size}", if self.elsewhere.is_empty() { url } else { self.elsewhere })
        };
        let body = match form.as_str() {
            // A server that leaves out what is empty.
            "moves" if things.is_empty() => json!({}),
            "moves" => match next {
                Some(next) => json!({"moves": things, "paging": {"next": {"after": next.to_string()}}}),
                None => json!({"moves": things}),
            },
            "stamps" => {
                let next = next.map(|next| link(&format!("page%5Bcursor%5D={next}")));
                json!({"data": things, "links": {"next": next}})
            }
            "shelves" => json!({"shelves": things, "total": self.count, "limit": size}),
            "notes" => {
                answer = answer.header("x-next-page", next.map(|next| next.to_string()).unwrap_or_default());
                json!({ "notes": things })
            }
            _ => Value::from(things),
        };
        if let ("events", Some(next)) = (form.as_str(), next) {
            let links =
                format!("<{url}/events?from=0>; rel=\"first\", <{}>; rel=\"next\"", link(&format!("from={next}")));
            answer = answer.header("link", links);
        }
        answer.header("content-type", "application/json").body(body.to_string()).build()
    }
}

/// All ids of a list, with a fresh stream after each error and after each of these many items. The cursor goes through JSON.
async fn collect<T: serde::de::DeserializeOwned>(
    make: impl Fn() -> Items<T>,
    id: impl Fn(&T) -> i64,
    size: u64,
    interruptions: &[usize],
) -> Result<Vec<i64>, Error> {
    let mut interruptions = interruptions.iter().copied();
    let mut left = interruptions.next();
    let mut collected = Vec::new();
    let mut items = make().page_size(size);
    loop {
        if left == Some(0) {
            left = interruptions.next();
            let Some(cursor) = items.cursor() else { return Ok(collected) };
            let kept = serde_json::to_string(&cursor).expect("JSON");
            items = make().page_size(size).resume(serde_json::from_str(&kept).expect("a cursor"))?;
            continue;
        }
        left = left.map(|left| left - 1);
        match items.next().await {
            Some(Ok(item)) => collected.push(id(&item)),
            Some(Err(error)) if error.kind() == ErrorKind::Server => left = Some(0),
            Some(Err(error)) => return Err(error),
            None => return Ok(collected),
        }
    }
}

async fn ids(client: &form::Client, form: &str, size: u64, interruptions: &[usize]) -> Result<Vec<i64>, Error> {
    fn thing(thing: &form::types::Thing) -> i64 {
        thing.id
    }
    match form {
        "moves" => collect(|| client.list_moves().items(), thing, size, interruptions).await,
        "stamps" => collect(|| client.list_stamps().items(), thing, size, interruptions).await,
        "desks" => collect(|| client.list_desks().items(), thing, size, interruptions).await,
        "shelves" => collect(|| client.list_shelves().items(), |shelf| shelf.id, size, interruptions).await,
        "scans" => collect(|| client.list_scans().items(), thing, size, interruptions).await,
        "events" => collect(|| client.list_events().items(), thing, size, interruptions).await,
        "notes" => collect(|| client.list_notes().items(), thing, size, interruptions).await,
        other => panic!("{other}"),
    }
}

fn up_to(count: u64) -> Vec<i64> {
    (0..i64::try_from(count).expect("small")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn each_item_comes_once_and_in_order_in_every_form(
        count in 0_u64..40,
        size in 1_u64..13,
        cap in 1_u64..13,
        fails in prop::option::of(0_usize..5),
        interruptions in prop::collection::vec(0_usize..15, 0..4),
    ) {
        // A first page that is full and comes again is that of a server that knows no pages; and a server that promises pages of
        // up to 50 keeps to it.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            for form in FORMS {
                let cap = if form == "scans" { 50 } else { cap };
                let (_server, client, asked) = Shop { count, cap, fails, ..Shop::default() }.open().await;
                let collected = ids(&client, form, size, &interruptions).await;
                prop_assert_eq!(collected.map_err(|error| error.to_string()), Ok(up_to(count)), "{}", form);
                let pages = usize::try_from(count / size.min(cap)).expect("small") + 2;
                let asked = asked.lock().expect("no panic").len();
                prop_assert!(asked <= pages + interruptions.len() + 1, "{}: {} requests", form, asked);
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_server_that_ignores_the_place_is_an_error_that_names_the_operation() {
    for form in FORMS {
        let (_server, client, asked) = Shop { count: 30, cap: 10, ignores: true, ..Shop::default() }.open().await;
        let error = ids(&client, form, 10, &[]).await.expect_err(form);
        assert_eq!(error.kind(), ErrorKind::Unexpected, "{form}: {error}");
        assert_eq!(error.operation().map(|operation| operation.id), Some(format!("list-{form}").as_str()));
        assert!(error.to_string().contains(&format!("list-{form}")), "{error}");
        assert_eq!(asked.lock().expect("no panic").len(), 2, "{form}");
    }
}

#[tokio::test]
async fn a_link_to_another_host_is_not_followed_and_what_came_before_it_is_kept() {
    let other = MockServer::start_async().await;
    let trap = other
        .mock_async(|_when, then| {
            then.status(200).body("[]");
        })
        .await;
    let elsewhere: &'static str = Box::leak(other.base_url().into_boxed_str());
    let shop = Shop { count: 5, cap: 2, elsewhere, ..Shop::default() };
    let (_server, client, _) = shop.clone().open().await;
    let mut events = client.list_events().items();
    for id in [0, 1] {
        assert_eq!(events.next().await.expect("an item").expect("an event").id, id);
    }
    let error = events.next().await.expect("an error").expect_err("another host");
    assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::Refused, false), "{error}");
    assert!(events.next().await.is_none());
    // Of a URL in the body the cursor alone is taken.
    let (_server, client, _) = shop.open().await;
    assert_eq!(ids(&client, "stamps", 2, &[]).await.expect("a list"), up_to(5));
    trap.assert_calls_async(0).await;
}

#[tokio::test]
async fn items_that_came_are_given_before_the_error_and_the_cursor_goes_on() {
    let (_server, client, asked) = Shop { count: 6, cap: 2, fails: Some(1), ..Shop::default() }.open().await;
    let mut notes = client.list_notes().items().page_size(2);
    for id in [0, 1] {
        assert_eq!(notes.next().await.expect("an item").expect("a note").id, id);
    }
    assert_eq!(notes.next().await.expect("an error").expect_err("a page that fails").kind(), ErrorKind::Server);
    let cursor: Cursor = notes.cursor().expect("a place");
    assert_eq!(serde_json::to_string(&cursor).expect("JSON"), r#"{"place":{"after":"2"},"taken":0}"#);
    let mut notes = client.list_notes().items().page_size(2).resume(cursor.clone()).expect("a cursor of this list");
    assert_eq!(notes.next().await.expect("an item").expect("a note").id, 2);
    let expected = ["/notes?items=2", "/notes?page_token=2&items=2", "/notes?page_token=2&items=2"];
    assert_eq!(*asked.lock().expect("no panic"), expected);
    let error = client.list_desks().items().resume(cursor).expect_err("a cursor of another form");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn an_item_that_does_not_fit_comes_after_those_before_it_and_is_not_skipped() {
    let server = MockServer::start_async().await;
    server
        .mock_async(|_when, then| {
            then.status(200).body(r#"[{"id":1},{"id":"secret"},{"id":3}]"#);
        })
        .await;
    let config = Config::default().base_url(server.base_url());
    let client = form::Client::with_config(form::Key::new(KEY).expect("a key"), config).expect("a client");
    let mut desks = client.list_desks().items();
    assert_eq!(desks.next().await.expect("an item").expect("a desk").id, 1);
    let error = desks.next().await.expect("an error").expect_err("a text for a number");
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("item 1, `id`") && !error.to_string().contains("secret"), "{error}");
    assert!(desks.next().await.is_none());
    let mut desks = client.list_desks().items().resume(desks.cursor().expect("a place")).expect("a cursor");
    assert_eq!(desks.next().await.expect("an error").expect_err("the same item").kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn an_answer_without_its_list_is_an_error_unless_the_document_lets_it_be_left_out() {
    let server = MockServer::start_async().await;
    server
        .mock_async(|_when, then| {
            then.status(200).body(r#"{"error":"busy"}"#);
        })
        .await;
    let config = Config::default().base_url(server.base_url());
    let client = form::Client::with_config(form::Key::new(KEY).expect("a key"), config).expect("a client");
    assert!(client.list_moves().items().next().await.is_none());
    let error = client.list_notes().items().next().await.expect("an error").expect_err("no list");
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    assert!(error.to_string().contains("/notes"), "{error}");
}

#[tokio::test]
async fn pages_are_the_answers_and_begin_where_the_call_says() {
    let (_server, client, asked) = Shop { count: 7, cap: 10, ..Shop::default() }.open().await;
    let mut pages = client.list_shelves().skip(1).limit(3).pages();
    let mut lengths = Vec::new();
    while let Some(page) = pages.next().await {
        lengths.push(page.expect("a page").shelves.len());
    }
    assert_eq!((lengths, pages.total()), (vec![3, 3, 0], Some(7)));
    let expected = [1, 4, 7].map(|skip| format!("/shelves?skip={skip}&limit=3"));
    assert_eq!(*asked.lock().expect("no panic"), expected);
    // Sizes: the description's, and no more than the document allows.
    let _ = client.list_shelves().items().next().await;
    let _ = client.list_moves().items().page_size(999).next().await;
    let _ = client.list_moves().items().next().await;
    assert_eq!(asked.lock().expect("no panic")[3..], ["/shelves?skip=0&limit=20", "/moves?limit=50", "/moves"]);
    // An argument that is refused is the first and only item.
    let mut scans = client.list_scans().limit(0).items();
    assert_eq!(scans.next().await.expect("an error").expect_err("no size").kind(), ErrorKind::InvalidRequest);
    assert!(scans.next().await.is_none());
}

#[tokio::test]
async fn a_list_that_the_document_lacks_is_walked_by_a_description_of_ones_own() {
    let (_server, client, asked) = Shop { count: 5, cap: 2, ..Shop::default() }.open().await;
    let next = NextPage::Cursor { at: "/paging/next/after", argument: PageArgument::Query("after") };
    let pagination = Pagination::new(next).with_items("/moves").with_limit(PageArgument::Query("limit"));
    let call = client.request(reqwest::Method::GET, "/moves").query("state", "late");
    let mut moves: Items<Value> = call.items(pagination);
    let walked = tokio::spawn(async move {
        let mut ids = Vec::new();
        while let Some(item) = moves.next().await {
            ids.push(item.expect("a move")["id"].clone());
        }
        ids
    });
    assert_eq!(Value::from(walked.await.expect("no panic")), json!([0, 1, 2, 3, 4]));
    assert_eq!(asked.lock().expect("no panic")[2], "/moves?state=late&after=4");
}
