//! Servers that take a refresh token again for a while.

use keyfit::auth::OAuthFlow;

use super::answers::{HANGS_UP, answering, http};
use super::*;

const GRACE: Duration = Duration::from_secs(30);

fn client(url: &str, clock: &TestClock) -> TokenEndpoint {
    let endpoint = TokenEndpoint::builder(url, "c").clock(clock.clone()).refresh_grace_period(GRACE);
    endpoint.build().expect("an endpoint")
}

fn rotated() -> String {
    http("200 OK", "", r#"{"access_token":"a2","refresh_token":"r2","expires_in":3600}"#)
}

async fn refused(session: &RefreshingSession) -> ErrorKind {
    session.fetch().await.expect_err("no tokens").kind()
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_again_within_the_grace_period() {
    for is_of_document in [false, true] {
        let clock = TestClock::default();
        let (url, count) = answering(&[HANGS_UP, &http("504 Gateway Timeout", "", ""), &rotated()]);
        let endpoint = if is_of_document {
            let flow = OAuthFlow::new().with_token_url(url.leak()).with_refresh_grace(GRACE);
            flow.token_endpoint("c").expect("a URL").clock(clock.clone()).build().expect("an endpoint")
        } else {
            client(&url, &clock)
        };
        let (session, store) = session(endpoint, tokens("a1", 0)).await;
        assert_eq!(fetch(&session).await, "a2");
        assert_eq!((count.load(Ordering::SeqCst), stored(&store).await.1.as_deref()), (3, Some("r2")));
    }
}

#[tokio::test]
async fn another_process_goes_on_within_the_grace_period_and_sends_nothing_after_it() {
    for (passed, sent) in [(0, true), (28, true), (29, false), (30, false), (4000, false)] {
        let clock = TestClock::default();
        let (url, count) = answering(&[HANGS_UP, HANGS_UP, HANGS_UP, &rotated()]);
        let (session, store) = session(client(&url, &clock), tokens("a1", 0)).await;
        assert_eq!(refused(&session).await, ErrorKind::Credential, "it may yet be mended");
        assert_eq!((count.load(Ordering::SeqCst), stored(&store).await.1), (3, None), "no column holds it");
        clock.advance(passed);
        let next = RefreshingSession::load(client(&url, &clock), store.clone()).await.expect("a session");
        if sent {
            assert_eq!(fetch(&next).await, "a2", "{passed}");
            assert_eq!(stored(&store).await.1.as_deref(), Some("r2"));
            assert_eq!(fetch(&session).await, "a2", "the first one takes what the second has saved");
        } else {
            assert_eq!(refused(&next).await, ErrorKind::ReauthorizationRequired, "{passed}");
            assert_eq!(refused(&session).await, ErrorKind::ReauthorizationRequired, "{passed}");
        }
        assert_eq!(count.load(Ordering::SeqCst), if sent { 4 } else { 3 }, "{passed}");
    }
}

#[tokio::test]
async fn a_replay_does_not_begin_the_grace_period_anew() {
    let clock = TestClock::default();
    let (url, count) = answering(&[HANGS_UP]);
    let (session, _) = session(client(&url, &clock), tokens("a1", 0)).await;
    for (passed, requests, kind) in
        [(0, 3, ErrorKind::Credential), (20, 6, ErrorKind::Credential), (20, 6, ErrorKind::ReauthorizationRequired)]
    {
        clock.advance(passed);
        assert_eq!((refused(&session).await, count.load(Ordering::SeqCst)), (kind, requests));
    }
}

#[tokio::test]
async fn a_refusal_of_a_replay_leaves_no_refresh_token_to_send() {
    let clock = TestClock::default();
    let refusal = http("400 Bad Request", "Content-Type: application/json\r\n", r#"{"error":"invalid_grant"}"#);
    let busy = http("503 Service Unavailable", "Retry-After: 90\r\n", "");
    let (url, count) = answering(&[HANGS_UP, &busy, &refusal]);
    let (session, store) = session(client(&url, &clock), tokens("a1", 0)).await;
    assert_eq!(refused(&session).await, ErrorKind::Credential, "busy");
    assert_eq!(stored(&store).await.1, None, "the first request may have redeemed it");
    let next = RefreshingSession::load(client(&url, &clock), store.clone()).await.expect("a session");
    for session in [&session, &session, &next] {
        assert_eq!(refused(session).await, ErrorKind::ReauthorizationRequired);
        assert_eq!((count.load(Ordering::SeqCst), stored(&store).await.1), (3, None));
    }
}

#[tokio::test]
async fn a_process_that_knows_of_no_grace_period_sends_nothing_again() {
    let clock = TestClock::default();
    let (url, count) = answering(&[HANGS_UP]);
    let (session, store) = session(client(&url, &clock), tokens("a1", 0)).await;
    assert_eq!(refused(&session).await, ErrorKind::Credential);
    let strict = TokenEndpoint::builder(&url, "c").clock(clock.clone()).build().expect("an endpoint");
    let strict = RefreshingSession::load(strict, store).await.expect("a session");
    assert_eq!(refused(&strict).await, ErrorKind::ReauthorizationRequired);
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_clock_that_was_set_back_ends_the_grace_period() {
    let clock = TestClock::default();
    clock.advance(100);
    let (url, count) = answering(&[HANGS_UP]);
    let (session, store) = session(client(&url, &clock), tokens("a1", 0)).await;
    assert_eq!(refused(&session).await, ErrorKind::Credential);
    let earlier = TestClock::default();
    let earlier = RefreshingSession::load(client(&url, &earlier), store).await.expect("a session");
    let asked = earlier.replace(&AccessToken::new("a1")).await.expect_err("nobody knows how old it is");
    assert_eq!((asked.kind(), count.load(Ordering::SeqCst)), (ErrorKind::ReauthorizationRequired, 3));
}
