use std::sync::Mutex;

use proptest::prelude::*;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};

use super::*;
use crate::error::ErrorKind;

/// An answer whose page is all there is to it.
#[derive(Deserialize, Serialize)]
struct Answer {
    items: Vec<usize>,
    next: Option<String>,
    start: Option<u64>,
    limit: Option<u64>,
}

impl Listing for Answer {
    type Item = usize;

    fn into_page(self) -> Page<usize> {
        let Self { items, next, start, limit } = self;
        Page { items, next, start, limit, total: None }
    }
}

/// A server that fails where its script says so, and counts what it is asked.
#[derive(Default)]
struct Server {
    fails: Mutex<Vec<bool>>,
    asked: Mutex<u64>,
}

impl Server {
    fn answer(&self, answer: Answer) -> Result<Response<Answer>, Error> {
        *self.asked.lock().expect("no panic") += 1;
        match self.fails.lock().expect("no panic").pop() {
            Some(true) => Err(Error::credential("a failing page")),
            _ => Ok(Response::new(answer, StatusCode::OK, HeaderMap::new(), 1)),
        }
    }

    fn asked(&self) -> u64 {
        *self.asked.lock().expect("no panic")
    }
}

/// Pages of these sizes, of the numbers from zero.
fn scroll<'a>(server: &'a Server, sizes: &'a [usize]) -> Items<'a, usize> {
    by_cursor(move |cursor: Option<String>| async move {
        let number: usize = cursor.map_or(0, |cursor| cursor.parse().expect("a cursor of ours"));
        let first: usize = sizes.iter().take(number).sum();
        let items = (first..first + sizes.get(number).copied().unwrap_or(0)).collect();
        let next = (number + 1 < sizes.len()).then(|| (number + 1).to_string());
        server.answer(Answer { items, next, start: None, limit: None })
    })
}

/// A list of so many numbers, of which a server gives at most `cap` at once.
fn by_offset(server: &Server, count: u64, cap: u64) -> Items<'_, usize> {
    by_start(move |start, limit| async move {
        let limit = limit.min(cap);
        server.answer(Answer {
            items: (start..count).take(to_usize(limit)).map(to_usize).collect(),
            next: None,
            start: Some(start),
            limit: Some(limit),
        })
    })
}

/// The same by page numbers, without a word of the cap. `clamps`: whether there is a last page behind the last.
fn by_number(server: &Server, count: u64, cap: u64, clamps: bool) -> Items<'_, usize> {
    by_page(move |page, size| async move {
        let size = size.min(cap);
        let last = count.div_ceil(size).max(1);
        let page = if clamps { page.min(last) } else { page };
        let items = ((page - 1) * size..count).take(to_usize(size)).map(to_usize).collect();
        server.answer(Answer { items, next: None, start: None, limit: None })
    })
}

fn to_usize(number: u64) -> usize {
    number.try_into().expect("small numbers")
}

/// All items, with a fresh stream after each error and after each `interruption` items. The cursor goes through JSON.
fn collect<'a>(make: impl Fn() -> Items<'a, usize>, interruptions: &[usize]) -> Result<Vec<usize>, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut interruptions = interruptions.iter().copied();
    let mut collected = Vec::new();
    let mut items = make();
    runtime.block_on(async {
        let mut left = interruptions.next();
        loop {
            let is_interrupted = left == Some(0);
            if !is_interrupted {
                left = left.map(|left| left - 1);
                match items.next().await {
                    None => return Ok(collected),
                    Some(Ok(item)) => {
                        collected.push(item);
                        continue;
                    }
                    Some(Err(error)) if error.kind() == ErrorKind::Unexpected => return Err(error),
                    Some(Err(_)) => assert!(items.next().await.is_none(), "an error is the end of a stream"),
                }
            }
            if is_interrupted {
                left = interruptions.next();
            }
            let Some(cursor) = items.cursor() else { return Ok(collected) };
            let kept = serde_json::to_string(&cursor).expect("JSON");
            items = make().resume(serde_json::from_str(&kept).expect("a cursor"))?;
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_scroll_gives_each_item_once_and_in_order(
        sizes in prop::collection::vec(0_usize..7, 0..30)
            .prop_filter("an endless list", |sizes| !sizes.windows(10).any(|window| window.iter().all(|size| *size == 0))),
        fails in prop::collection::vec(any::<bool>(), 0..20),
        interruptions in prop::collection::vec(0_usize..20, 0..10),
    ) {
        let failures = fails.iter().filter(|fails| **fails).count() as u64;
        let server = Server { fails: Mutex::new(fails), ..Server::default() };
        let collected = collect(|| scroll(&server, &sizes), &interruptions).expect("a list with an end");
        prop_assert_eq!(collected, (0..sizes.iter().sum()).collect::<Vec<_>>());
        // A page is read once, but for those in whose middle the walk was interrupted.
        let pages = sizes.len().max(1) as u64;
        prop_assert!(server.asked() <= pages + failures + interruptions.len() as u64);
    }

    #[test]
    fn a_list_by_offset_gives_each_item_once_and_in_order(
        count in 0_u64..60,
        size in 0_u64..12,
        cap in 1_u64..12,
        fails in prop::collection::vec(any::<bool>(), 0..20),
        interruptions in prop::collection::vec(0_usize..20, 0..10),
    ) {
        let failures = fails.iter().filter(|fails| **fails).count() as u64;
        let server = Server { fails: Mutex::new(fails), ..Server::default() };
        let collected = collect(|| by_offset(&server, count, cap).page_size(size), &interruptions);
        prop_assert_eq!(collected.expect("a list with an end"), (0..to_usize(count)).collect::<Vec<_>>());
        let pages = count / size.max(1).min(cap) + 1;
        prop_assert!(server.asked() <= pages + failures + interruptions.len() as u64);
    }

    #[test]
    fn a_list_by_page_gives_each_item_once_and_in_order(
        count in 0_u64..60,
        size in 1_u64..12,
        cap in 1_u64..12,
        clamps in any::<bool>(),
        fails in prop::collection::vec(any::<bool>(), 0..20),
        interruptions in prop::collection::vec(0_usize..20, 0..10),
    ) {
        let server = Server { fails: Mutex::new(fails), ..Server::default() };
        let collected = collect(|| by_number(&server, count, cap, clamps).page_size(size), &interruptions);
        match collected {
            Ok(collected) => prop_assert_eq!(collected, (0..to_usize(count)).collect::<Vec<_>>()),
            // A single full page that comes again is that of a server that knows no pages.
            Err(error) => prop_assert!(clamps && count == size && size <= cap, "{}", error),
        }
    }
}

#[tokio::test]
async fn nothing_is_asked_before_it_is_needed_and_a_page_at_hand_is_read_out_first() {
    let server = Server::default();
    let mut items = scroll(&server, &[2, 2]);
    assert_eq!((server.asked(), items.cursor()), (0, Some(Cursor { place: Place::After(None), taken: 0 })));
    for (item, asked) in [(0, 1), (1, 1), (2, 2), (3, 2)] {
        assert_eq!(items.next().await.and_then(Result::ok), Some(item));
        assert_eq!(server.asked(), asked);
    }
    assert_eq!(items.cursor(), None);
    assert!(items.next().await.is_none() && items.next().await.is_none());
    assert_eq!(server.asked(), 2);
}

#[tokio::test]
async fn a_circle_is_an_error_after_the_items_of_its_last_page() {
    let server = Server::default();
    let mut items = by_cursor(|_| async {
        let items = vec![to_usize(server.asked())];
        server.answer(Answer { items, next: Some("same".to_owned()), start: None, limit: None })
    });
    assert_eq!(items.next().await.and_then(Result::ok), Some(0));
    assert_eq!(items.next().await.and_then(Result::ok), Some(1));
    let error = items.next().await.expect("an error").expect_err("a circle");
    assert_eq!(error.kind(), ErrorKind::Unexpected);
    assert!(error.to_string().contains("goes in a circle"), "{error}");
    assert!(items.next().await.is_none());
    // The cursor that cannot be trusted is not the one to go on from.
    assert_eq!(items.cursor(), Some(Cursor { place: Place::After(Some("same".to_owned())), taken: 1 }));
    assert_eq!(server.asked(), 2);
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused_and_not_shown() {
    let server = Server::default();
    let cursor = Cursor { place: Place::After(Some("do-not-print".to_owned())), taken: 0 };
    assert!(!format!("{cursor:?}").contains("do-not-print"));
    let error = by_offset(&server, 1, 1).resume(cursor).expect_err("a cursor of a scroll");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(!format!("{error} {error:?}").contains("do-not-print"), "{error}");
}
