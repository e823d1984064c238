//! What is sent again, when, and how often.

use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use keyfit::instasent::transactional::ApiSmsToken;
use keyfit::observer::{Attempt, Next, Observer};
use keyfit::scopien::Key;
use keyfit::testing::TestClock;
use keyfit::{CallOptions, Clock as _, Config, Error, ErrorKind, RetryPolicy, instasent, scopien};

use crate::support::{Answer, Scripted, TOKEN, clock, start};

const SMS: &str = r#"{"entity":{"id":"sms_1"}}"#;

fn config(server: &Scripted, clock: &TestClock) -> Config {
    Config::default().base_url(server.url()).clock(clock.clone())
}

fn transactional(config: Config) -> instasent::transactional::Client {
    let token = ApiSmsToken::new(TOKEN).expect("a token");
    instasent::transactional::Client::with_config(token, config).expect("a client")
}

fn scopien(config: Config) -> scopien::Client {
    scopien::Client::with_config(Key::new(TOKEN).expect("a key"), config).expect("a client")
}

async fn create(client: &instasent::transactional::Client) -> Result<(), Error> {
    let body = instasent::transactional::types::SmsItem::builder().from("Keyfit").to("+34600000000").text("Hello");
    client.sms_create().body(body).send().await.map(drop)
}

fn plain(status: u16) -> Answer {
    (status, Vec::new(), "")
}

fn seconds(waits: &[Duration]) -> Vec<f64> {
    waits.iter().map(Duration::as_secs_f64).collect()
}

#[tokio::test]
async fn a_create_is_sent_once_whatever_the_answer_unless_that_says_that_it_was_not_executed() {
    for status in [200, 202, 301, 400, 401, 402, 403, 404, 408, 409, 413, 422, 500, 502, 503, 504] {
        let server = Scripted::start(status, &[("retry-after", "0")], "").await;
        let _ = create(&transactional(server.config())).await;
        assert_eq!(server.received().len(), 1, "{status}");
    }
    let server = Scripted::sequence(vec![plain(429), (201, Vec::new(), SMS)]).await;
    create(&transactional(server.config())).await.expect("the second one is executed");
    assert_eq!(server.received().len(), 2);
    assert_eq!(server.received()[0].body, server.received()[1].body);
}

#[tokio::test]
async fn a_read_is_tried_again_where_that_may_help_and_only_there() {
    for status in [408, 425, 429, 500, 502, 503, 504, 529] {
        let server =
            Scripted::sequence(vec![plain(status), plain(status), (200, Vec::new(), r#"{"entities":[]}"#)]).await;
        let answer = transactional(server.config()).sms_list().send().await.expect("the third one");
        assert_eq!((answer.attempts(), server.received().len()), (3, 3), "{status}");
    }
    for status in [301, 400, 401, 402, 403, 404, 409, 413, 415, 422, 501, 505] {
        let server = Scripted::sequence(vec![plain(status)]).await;
        let error = transactional(server.config()).sms_list().send().await.expect_err("a refusal");
        assert_eq!((error.attempts(), server.received().len()), (1, 1), "{status}");
    }
}

#[tokio::test]
async fn attempts_end_at_their_cap_with_the_last_answer() {
    for (policy, sent) in
        [(RetryPolicy::default(), 4), (RetryPolicy::never(), 1), (RetryPolicy::default().attempts(10), 10)]
    {
        let clock = clock();
        let server = Scripted::start(429, &[], "").await;
        // Nine waits of chance may be longer than the deadline of one call.
        let config = config(&server, &clock).retry(policy).deadline(Duration::from_secs(600));
        let error = scopien(config).accounts_list().send().await.expect_err("limited");
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, sent));
        assert_eq!((server.received().len(), clock.waits().len()), (sent as usize, sent as usize - 1));
    }
}

#[tokio::test]
async fn the_wait_is_the_one_that_the_server_asks_for_in_whatever_unit() {
    let end = start() + 2;
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(end));
    let exhausted = |reset: String| {
        let header = |name, value: &str| (name, value.to_owned());
        vec![header("x-ratelimit-limit", "10"), header("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset)]
    };
    let after = |wait: &str| ("retry-after", wait.to_owned());
    let told: [Answer; 10] = [
        (429, vec![after("9")], r#"{"error":{"code":"rate_limit_exceeded","message":"","retryAfter":2}}"#),
        (429, vec![after("2"), ("x-ratelimit-reset", "9999999999".to_owned())], ""),
        (429, vec![after(&date)], ""),
        (429, vec![after("1.503")], ""),
        (429, exhausted(end.to_string()), ""),
        (429, exhausted(format!("{end}.25")), r#"{"message":"slow down","retry_after":1.75}"#),
        (429, exhausted(format!("{end}000")), ""),
        (429, exhausted("2".to_owned()), ""),
        (403, exhausted(end.to_string()), ""),
        (403, vec![after("2"), ("x-ratelimit-remaining", "4890".to_owned())], ""),
    ];
    for answer in told {
        let clock = clock();
        let server = Scripted::sequence(vec![answer.clone(), (200, Vec::new(), "[]")]).await;
        scopien(config(&server, &clock)).accounts_list().send().await.expect("the second one");
        let waited: f64 = seconds(&clock.waits()).iter().sum();
        assert!((2.0..4.0).contains(&waited), "{answer:?}: {waited}");
        assert_eq!(server.received().len(), 2);
    }
}

#[tokio::test]
async fn a_403_that_names_a_wait_beyond_the_deadline_is_a_limit_and_any_other_is_none() {
    let left = |left: &str| ("x-ratelimit-remaining", left.to_owned());
    let reset = ("x-ratelimit-reset", (start() + 3000).to_string());
    for (headers, kind, has_wait) in [
        (vec![left("0"), reset.clone()], ErrorKind::RateLimited, true),
        (vec![("retry-after", "299.997".to_owned())], ErrorKind::RateLimited, true),
        (vec![left("4890"), reset], ErrorKind::Forbidden, false),
    ] {
        let clock = clock();
        let server = Scripted::sequence(vec![(403, headers.clone(), "")]).await;
        let error = scopien(config(&server, &clock)).accounts_list().send().await.expect_err("a refusal");
        assert_eq!((error.kind(), error.retry_after().is_some()), (kind, has_wait), "{headers:?}");
        assert_eq!((server.received().len(), clock.waits().len()), (1, 0), "{headers:?}");
    }
}

#[tokio::test]
async fn a_policy_is_that_of_the_call_or_of_its_operation_or_of_the_client() {
    let patient = RetryPolicy::default().attempts(3).also_after(reqwest::StatusCode::CONFLICT);
    let hasty = RetryPolicy::default().attempts(2);
    for (by_operation, by_call, status, sent) in [
        (None, None, 503, 4),
        (Some(&hasty), None, 503, 2),
        (Some(&hasty), Some(&patient), 503, 3),
        (None, Some(&patient), 409, 3),
        (None, None, 409, 1),
    ] {
        let server = Scripted::start(status, &[], "").await;
        let config = server.config();
        let config =
            by_operation.map_or(config.clone(), |policy| config.retry_operation("accounts-list", policy.clone()));
        let options = by_call.map_or_else(CallOptions::default, |policy| CallOptions::default().retry(policy.clone()));
        scopien(config).with_options(options).accounts_list().send().await.expect_err("a refusal");
        assert_eq!(server.received().len(), sent, "{status}");
    }
    let config = Config::default().retry_operation("account-list", hasty);
    let error = scopien::Client::with_config(Key::new(TOKEN).expect("a key"), config).expect_err("no such operation");
    assert!(error.to_string().contains("`account-list`"), "{error}");
}

#[tokio::test]
async fn a_503_is_given_the_time_that_it_asks_for() {
    let clock = clock();
    let answers = vec![(503, vec![("retry-after", "7".to_owned())], ""), (200, Vec::new(), "[]")];
    let server = Scripted::sequence(answers).await;
    scopien(config(&server, &clock)).accounts_list().send().await.expect("the second one");
    assert!((7.0..8.0).contains(&seconds(&clock.waits())[0]), "{:?}", clock.waits());
}

#[tokio::test]
async fn a_reset_in_the_past_is_no_reason_for_a_tight_loop() {
    let clock = clock();
    let past = vec![("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", (start() - 100).to_string())];
    let server = Scripted::sequence(vec![(429, past, "")]).await;
    scopien(config(&server, &clock)).accounts_list().send().await.expect_err("limited");
    let waits = seconds(&clock.waits());
    assert!(waits.iter().zip([0.1, 0.2, 0.4]).all(|(wait, least)| *wait >= least), "{waits:?}");
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_not_begun() {
    let clock = clock();
    let server = Scripted::start(429, &[("retry-after", "3600")], "").await;
    let client = scopien(config(&server, &clock));
    let error = client.accounts_list().send().await.expect_err("limited");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!((clock.waits().len(), server.received().len()), (0, 1));
    // The next call is not even sent: the window is known to be used up.
    let error = client.accounts_list().send().await.expect_err("limited");
    assert_eq!((error.kind(), error.status(), error.attempts()), (ErrorKind::RateLimited, None, 0));
    assert!(!error.may_have_been_sent());
    assert!(error.retry_after().is_some_and(|wait| wait > Duration::from_secs(3590)));
    assert_eq!((clock.waits().len(), server.received().len()), (0, 1));
}

#[tokio::test]
async fn what_is_left_is_spent_and_then_the_window_is_waited_for() {
    let clock = clock();
    let rate = |left: u64, reset: u64| {
        vec![
            ("x-ratelimit-limit", "2".to_owned()),
            ("x-ratelimit-remaining", left.to_string()),
            ("x-ratelimit-reset", (start() + reset).to_string()),
        ]
    };
    let answers = vec![(200, rate(1, 20), "[]"), (200, rate(0, 20), "[]"), (200, rate(1, 40), "[]")];
    let server = Scripted::sequence(answers).await;
    let client = scopien(config(&server, &clock));
    for waits in [0, 0, 1] {
        let answer = client.accounts_list().send().await.expect("an answer");
        assert_eq!((clock.waits().len(), answer.attempts()), (waits, 1));
    }
    assert!((20.0..21.0).contains(&seconds(&clock.waits())[0]), "{:?}", clock.waits());
    // A clone knows what the client knows; another clock decides nothing here.
    let reading = client.clone().accounts_list().send().await.expect("an answer").rate_limit();
    assert_eq!(reading.and_then(|rate| rate.remaining), Some(1));
}

#[tokio::test]
async fn an_outage_is_not_multiplied() {
    let clock = clock();
    let server = Scripted::sequence(vec![plain(503)]).await;
    let client = scopien(config(&server, &clock).retry(RetryPolicy::default().budget(5)));
    for _ in 0..10 {
        client.accounts_list().send().await.expect_err("an outage");
    }
    assert_eq!(server.received().len(), 10 + 5);
}

#[tokio::test]
async fn a_call_has_options_of_its_own() {
    let server = Scripted::sequence(vec![plain(503)]).await;
    let client = transactional(server.config());
    let options = CallOptions::default().attempts(2).idempotent().header("x-trace", "abc").expect("a header");
    let error = create(&client.with_options(options)).await.expect_err("an outage");
    assert_eq!((error.attempts(), error.may_have_been_sent()), (2, true));
    let received = server.received();
    assert_eq!(received.iter().map(|request| request.header("x-trace")).collect::<Vec<_>>(), [Some("abc"); 2]);
    // The client itself is as it was.
    assert_eq!(create(&client).await.expect_err("an outage").attempts(), 1);
    assert_eq!(server.received().len(), 3);
    assert_eq!(server.received()[2].header("x-trace"), None);
    let none = CallOptions::default().deadline(Duration::ZERO);
    let error = create(&client.with_options(none)).await.expect_err("no time");
    assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::Timeout, false));
    assert_eq!(server.received().len(), 3);
}

#[tokio::test]
async fn a_path_that_the_document_lacks_can_be_called() {
    let server =
        Scripted::sequence(vec![plain(500), (200, vec![("x-request-id", "req_1".to_owned())], r#"{"a":1}"#)]).await;
    let client = scopien(server.config());
    let get = client.request(reqwest::Method::GET, "/reports/weekly").query("week", "47 & 48");
    let answer = get.send().await.expect("an answer");
    assert_eq!(answer.decode::<serde_json::Value>().expect("JSON"), serde_json::json!({"a": 1}));
    assert_eq!((answer.attempts(), answer.request_id()), (2, Some("req_1")));
    let sent = server.received();
    assert_eq!(sent[1].target, "/reports/weekly?week=47+%26+48");
    assert!(sent[1].header("authorization").is_some_and(|value| value.ends_with(TOKEN)));

    let server = Scripted::sequence(vec![plain(500)]).await;
    let client = scopien(server.config());
    let error = client.request(reqwest::Method::POST, "/reports").json(&["a"]).send().await.expect_err("an outage");
    assert!(error.to_string().starts_with("POST /reports: 50"), "{error}");
    assert_eq!((error.status().map(|status| status.as_u16()), error.attempts()), (Some(500), 1));
    for path in ["reports", "/../admin", "/a?token=x"] {
        let error = client.request(reqwest::Method::GET, path).send().await.expect_err(path);
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    }
    assert_eq!(server.received().len(), 1);
}

type SeenAttempt = (u32, Option<u16>, Option<ErrorKind>, bool);

#[derive(Clone, Debug, Default)]
struct Seen(Arc<Mutex<Vec<SeenAttempt>>>);

impl Observer for Seen {
    fn attempt(&self, attempt: &Attempt<'_>) {
        let status = attempt.status.map(|status| status.as_u16());
        let waits = matches!(attempt.next, Next::Wait(_));
        self.0.lock().expect("no test panics here").push((attempt.number, status, attempt.error, waits));
    }
}

#[tokio::test]
async fn an_observer_sees_each_attempt() {
    let seen = Seen::default();
    let server = Scripted::sequence(vec![plain(503), (200, Vec::new(), "[]")]).await;
    scopien(server.config().observer(seen.clone())).accounts_list().send().await.expect("an answer");
    let seen = seen.0.lock().expect("no test panics here").clone();
    assert_eq!(seen, [(1, Some(503), Some(ErrorKind::Server), true), (2, Some(200), None, false)]);
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_tried_again_and_nothing_was_sent() {
    let clock = clock();
    let client = transactional(Config::default().base_url("http://127.0.0.1:9").clock(clock.clone()));
    let error = create(&client).await.expect_err("nobody listens");
    assert_eq!((error.kind(), error.attempts(), error.may_have_been_sent()), (ErrorKind::Connect, 4, false));
    assert_eq!(clock.waits().len(), 3);
    assert_eq!(error.to_string(), "sms-create: could not reach 127.0.0.1:9: connection refused");
    let chain = format!("{error:#}");
    assert!(chain.starts_with(&error.to_string()) && chain.matches(": ").count() > 3, "{chain}");
    assert!(!chain.contains('\n') && !chain.contains("http://"), "{chain}");
}

#[tokio::test]
async fn a_storm_of_callers_waits_for_windows_and_loses_no_call() {
    const ALLOWED: u64 = 30;
    // In real time, a second a window: a clock that answers waits at once would never let an answer come in between.
    let spent = Mutex::new((0, 0));
    let server = Scripted::answering(move |_| {
        let now = keyfit::SystemClock.now().duration_since(UNIX_EPOCH).expect("it is later than 1970").as_secs();
        let mut spent = spent.lock().expect("no panic");
        if spent.0 != now {
            *spent = (now, 0);
        }
        let is_served = spent.1 < ALLOWED;
        spent.1 += u64::from(is_served);
        let answer = httpmock::HttpMockResponse::builder()
            .status(if is_served { 200 } else { 429 })
            .header("x-ratelimit-limit", ALLOWED.to_string())
            .header("x-ratelimit-remaining", (ALLOWED - spent.1).to_string())
            .header("x-ratelimit-reset", (now + 1).to_string());
        answer.body(r#"{"entities":[]}"#).build()
    })
    .await;
    let client = transactional(Config::default().base_url(server.url()));
    let call = || {
        let client = client.clone();
        tokio::spawn(async move { client.sms_list().send().await.map(drop) })
    };
    let callers: Vec<_> = (0..100).map(|_| call()).collect();
    for caller in callers {
        caller.await.expect("no panic").expect("every call is served in the end");
    }
    // What is on its way before the first answer may be refused, and nothing beyond it.
    let refused = server.received().len() - 100;
    assert!(refused <= 100, "{refused}");
}
