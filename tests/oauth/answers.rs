//! What token endpoints answer besides tokens: busy, broken, in words of their own.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use super::*;

/// An endpoint that gives these answers in turn, as they stand, the last one for good, and counts. An empty one hangs up.
pub(super) fn answering(answers: &[&str]) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/token", listener.local_addr().expect("an address"));
    let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
    let count = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut request = Vec::new();
            let mut part = [0; 4096];
            // Every request here ends with the id of the client.
            while !request.ends_with(b"client_id=c") {
                let read = stream.read(&mut part).expect("a request");
                assert!(read > 0, "the request is whole");
                request.extend_from_slice(&part[..read]);
            }
            let turn = usize::try_from(counter.fetch_add(1, Ordering::SeqCst)).expect("few");
            let answer = &answers[turn.min(answers.len() - 1)];
            // The other side may be gone.
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (url, count)
}

pub(super) fn http(status: &str, head: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{head}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

fn client(url: &str, clock: &TestClock) -> TokenEndpoint {
    TokenEndpoint::builder(url, "c").clock(clock.clone()).build().expect("an endpoint")
}

pub(super) const HANGS_UP: &str = "";

#[tokio::test]
async fn a_busy_endpoint_is_asked_again_whatever_the_grant() {
    let tokens_ = http("200 OK", "", r#"{"access_token":"a2","refresh_token":"r2","expires_in":3600}"#);
    for status in ["429 Too Many Requests", "500 Oops", "502 Bad Gateway", "503 Service Unavailable"] {
        let busy = http(status, "Retry-After: 7\r\n", "");
        let clock = TestClock::default();
        let (url, count) = answering(&[&busy, &busy, &tokens_]);
        let (session, store) = session(client(&url, &clock), tokens("a1", 0)).await;
        assert_eq!(fetch(&session).await, "a2", "{status}");
        assert_eq!(stored(&store).await.1.as_deref(), Some("r2"));
        assert_eq!(count.load(Ordering::SeqCst), 3);
        let asked_to_wait = status.starts_with("429") || status.starts_with("503");
        assert_eq!(clock.now() >= at(14), asked_to_wait, "{status}: the endpoint's own wait is kept");
        let (url, count) = answering(&[&busy, &tokens_]);
        assert_eq!(fetch(&ClientCredentials::new(client(&url, &clock))).await, "a2");
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn a_wait_that_is_longer_than_the_request_may_take_is_handed_on() {
    let (url, count) = answering(&[&http("429 Too Many Requests", "Retry-After: 90\r\n", "")]);
    let (session, store) = session(client(&url, &TestClock::default()), tokens("a1", 0)).await;
    let error = session.fetch().await.expect_err("busy");
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Credential, Some(Duration::from_secs(90))));
    assert_eq!(token_error(&error).retry_after(), Some(Duration::from_secs(90)));
    assert!(error.to_string().contains(url.trim_end_matches("/token")), "the endpoint is named: {error}");
    assert_eq!(stored(&store).await.1.as_deref(), Some("r1"), "it was not redeemed");
    // A credential rests for so long, and says so.
    let clock = TestClock::default();
    let credential: Credential<keyfit::scopien::kind::Key> =
        Credential::refreshed(session, Refresh::default().clock(clock.clone()));
    for (passed, requests) in [(0, 2), (89, 2), (2, 3)] {
        clock.advance(passed);
        let error = credential.ready().await.expect_err("busy");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(90)));
        assert_eq!(count.load(Ordering::SeqCst), requests);
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_costs_a_refresh_token_that_may_be_replaced_and_no_other() {
    let tokens_ = http("200 OK", "", r#"{"access_token":"a2","expires_in":60}"#);
    let timeout = http("504 Gateway Timeout", "", "");
    let half = http("200 OK", "", r#"{"access_token":"a2","refr"#);
    for lost in [HANGS_UP, &half, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"access", &timeout] {
        let clock = TestClock::default();
        let (url, count) = answering(&[lost, &tokens_]);
        let (session, store) = session(client(&url, &clock), tokens("a1", 0)).await;
        for _ in 0..2 {
            let error = session.fetch().await.expect_err("nobody knows");
            assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired, "{error}");
        }
        assert_eq!((count.load(Ordering::SeqCst), stored(&store).await.1), (1, None));

        // It has been seen that the server leaves it in force.
        let (url, count) = answering(&[&tokens_, lost, &tokens_]);
        let (session, store) = session_of(client(&url, &clock)).await;
        assert_eq!([fetch(&session).await, fetch(&session).await], ["a2", "a2"]);
        assert_eq!((count.load(Ordering::SeqCst), stored(&store).await.1.as_deref()), (3, Some("r1")));

        // It has been said.
        let (url, count) = answering(&[lost, &tokens_]);
        let endpoint = TokenEndpoint::builder(&url, "c").clock(clock.clone()).reusable_refresh_tokens();
        let (session, _) = session_of(endpoint.build().expect("an endpoint")).await;
        assert_eq!((fetch(&session).await.as_str(), count.load(Ordering::SeqCst)), ("a2", 2));

        let (url, _) = answering(&[lost, &tokens_]);
        assert_eq!(fetch(&ClientCredentials::new(client(&url, &clock))).await, "a2", "another token harms nobody");
    }
}

async fn session_of(endpoint: TokenEndpoint) -> (RefreshingSession, MemoryStore) {
    session(endpoint, tokens("a1", 0)).await
}

const JSON: &str = "Content-Type: application/json\r\n";
const AS_FORM: &str = "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n";

#[tokio::test]
async fn a_refresh_token_that_is_refused_in_the_servers_own_words_asks_for_consent() {
    for (status, head, body) in [
        ("400 Bad Request", JSON, r#"{"error":"invalid_grant"}"#),
        ("400 Bad Request", JSON, r#"{"error":"invalid_refresh_token"}"#),
        ("200 OK", JSON, r#"{"error":"bad_refresh_token","error_description":"incorrect or expired"}"#),
        ("200 OK", JSON, r#"{"ok":false,"error":"token_revoked"}"#),
        ("200 OK", AS_FORM, "error=invalid_grant&error_description=revoked"),
        ("401 Unauthorized", JSON, r#"{"errors":[{"errorType":"invalid_grant","message":"invalid"}],"success":false}"#),
        ("403 Forbidden", JSON, r#"{"message":"the session was ended"}"#),
    ] {
        let (url, _) = answering(&[&http(status, head, body)]);
        let (session, store) = session_of(client(&url, &TestClock::default())).await;
        let error = session.fetch().await.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired, "{body}: {error}");
        assert_eq!(stored(&store).await.1.as_deref(), Some("r1"), "nothing stored is lost by a refusal");
    }
}

#[tokio::test]
async fn what_another_process_has_saved_is_taken_whatever_the_refusal_is_called() {
    let server = MockServer::start_async().await;
    let refusal = server
        .mock_async(|when, then| {
            when.method(POST);
            then.status(200).delay(Duration::from_millis(200)).json_body(json!({"error": "bad_refresh_token"}));
        })
        .await;
    let (session, store) = session_of(endpoint(&server, &TestClock::default())).await;
    let (token, ()) = tokio::join!(fetch(&session), async {
        while refusal.calls_async().await == 0 {
            tokio::task::yield_now().await;
        }
        store.save(&tokens("theirs", 3600).refresh("r2")).await.expect("saved");
    });
    assert_eq!(token, "theirs");
    assert_eq!(stored(&store).await.1.as_deref(), Some("r2"));
}

#[tokio::test]
async fn a_refusal_of_anything_but_the_token_keeps_the_session() {
    for (status, body) in [
        ("401 Unauthorized", r#"{"error":"invalid_client"}"#),
        ("400 Bad Request", r#"{"error":"unauthorized_client"}"#),
        ("400 Bad Request", r#"{"error":"invalid_scope"}"#),
        ("404 Not Found", "<html>"),
        ("403 Forbidden", "<html>blocked</html>"),
        ("302 Found", ""),
    ] {
        let (url, count) = answering(&[&http(status, "", body)]);
        let (session, store) = session_of(client(&url, &TestClock::default())).await;
        let error = session.fetch().await.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Credential, "{body}: {error}");
        assert_eq!(stored(&store).await.1.as_deref(), Some("r1"));
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn tokens_may_come_as_a_form_and_without_a_life() {
    let clock = TestClock::default();
    let (url, _) =
        answering(&[&http("200 OK", AS_FORM, "access_token=a%2B2&token_type=bearer&expires_in=0&scope=x+y")]);
    let (session, store) = session_of(client(&url, &clock)).await;
    assert_eq!(fetch(&session).await, "a+2");
    let set = store.load().await.expect("a store").expect("tokens");
    assert_eq!((set.expires_at(), set.scopes()), (None, ["x".to_owned(), "y".to_owned()].as_slice()));
    clock.advance(1_000_000);
    assert_eq!(fetch(&session).await, "a+2", "a life of no seconds is an unknown one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_callers_over_an_expired_token_are_one_refresh() {
    let (url, count) =
        answering(&[&http("200 OK", JSON, r#"{"access_token":"a2","refresh_token":"r2","expires_in":3600}"#)]);
    let (session, _) = session_of(client(&url, &TestClock::default())).await;
    let refresh = Refresh::default().clock(TestClock::default());
    let credential: Credential<keyfit::scopien::kind::Key> = Credential::refreshed(session, refresh);
    let callers: Vec<_> = (0..10_000)
        .map(|_| {
            let credential = credential.clone();
            tokio::spawn(async move { credential.ready().await })
        })
        .collect();
    for caller in callers {
        caller.await.expect("no panic").expect("a token");
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
}
