//! Sessions: refresh, storage, several processes.

use super::*;

async fn refreshing(server: &MockServer, old: &str, access: &str, new: &str) {
    server
        .mock_async(|when, then| {
            when.method(POST).form_urlencoded_tuple("refresh_token", old);
            then.status(200).json_body(json!({"access_token": access, "refresh_token": new, "expires_in": 3600}));
        })
        .await;
}

async fn refusing<'a>(server: &'a MockServer, old: &str) -> httpmock::Mock<'a> {
    server
        .mock_async(|when, then| {
            when.method(POST).form_urlencoded_tuple("refresh_token", old);
            then.status(400)
                .delay(Duration::from_millis(200))
                .json_body(json!({"error": "invalid_grant", "error_description": "used"}));
        })
        .await
}

#[tokio::test]
async fn a_token_that_comes_back_is_refreshed_and_a_stored_one_is_used_first() {
    let server = MockServer::start_async().await;
    refreshing(&server, "r1", "a2", "r2").await;
    let (session, _) = session(endpoint(&server, &TestClock::default()), tokens("a1", 3600)).await;
    assert_eq!(fetch(&session).await, "a1");
    // As after a 401.
    assert_eq!(fetch(&session).await, "a2");
}

#[tokio::test]
async fn an_invalid_grant_says_to_consent_again_and_keeps_the_stored_set() {
    let server = MockServer::start_async().await;
    refusing(&server, "r1").await;
    let (session, store) = session(endpoint(&server, &TestClock::default()), tokens("a1", 0)).await;
    let error = session.fetch().await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired);
    assert!(error.to_string().contains("consent again"), "{error}");
    assert_eq!(token_error(&error).code(), Some(&TokenErrorCode::InvalidGrant));
    assert_eq!(stored(&store).await, ("a1".to_owned(), Some("r1".to_owned())));
}

#[tokio::test]
async fn what_another_process_rotated_is_taken_instead_of_refreshing() {
    let server = MockServer::start_async().await;
    let refusal = refusing(&server, "r1").await;
    let (session, store) = session(endpoint(&server, &TestClock::default()), tokens("a1", 0)).await;
    store.save(&tokens("theirs", 3600).refresh("r7")).await.expect("saved");
    assert_eq!(fetch(&session).await, "theirs");
    refreshing(&server, "r7", "a8", "r8").await;
    assert_eq!(fetch(&session).await, "a8");
    refusal.assert_calls_async(0).await;
}

#[tokio::test]
async fn what_another_process_rotates_during_a_refused_refresh_is_taken_too() {
    let server = MockServer::start_async().await;
    let refusal = refusing(&server, "r1").await;
    let (session, store) = session(endpoint(&server, &TestClock::default()), tokens("a1", 0)).await;
    let (token, ()) = tokio::join!(fetch(&session), async {
        while refusal.calls_async().await == 0 {
            tokio::task::yield_now().await;
        }
        store.save(&tokens("theirs", 3600).refresh("r7")).await.expect("saved");
    });
    assert_eq!(token, "theirs");
    assert_eq!(stored(&store).await.1.as_deref(), Some("r7"));
}

#[tokio::test]
async fn a_store_that_cannot_be_written_to_begins_no_refresh() {
    let server = MockServer::start_async().await;
    let refusal = refusing(&server, "r1").await;
    let store = FailingStore::after(1);
    let started =
        RefreshingSession::start(endpoint(&server, &TestClock::default()), tokens("a1", 0), store.clone()).await;
    let error = started.expect("a session").fetch().await.expect_err("the disk is full");
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Credential, "the disk is full".to_owned()));
    refusal.assert_calls_async(0).await;
    assert_eq!(stored(&store).await.1.as_deref(), Some("r1"));
}

#[tokio::test]
async fn a_set_that_cannot_be_saved_is_used_and_saved_later_and_nobody_finds_the_old_one() {
    let server = MockServer::start_async().await;
    refreshing(&server, "r1", "a2", "r2").await;
    refreshing(&server, "r2", "a3", "r3").await;
    // The first set and the mark that its refresh token is out.
    let store = FailingStore::after(2);
    let endpoint = endpoint(&server, &TestClock::default());
    let session = RefreshingSession::start(endpoint, tokens("a1", 0), store.clone()).await.expect("a session");
    assert_eq!(fetch(&session).await, "a2");
    assert!(!session.is_saved().await);
    assert_eq!(stored(&store).await, ("a1".to_owned(), None), "r1 is spent");
    assert!(tokio::time::timeout(Duration::from_millis(20), store.lock()).await.is_err(), "nobody else refreshes");
    assert_eq!(fetch(&session).await, "a3", "with r2");
    assert!(!session.is_saved().await);
    store.mend();
    let lock = store.lock().await.expect("free once all is saved");
    assert_eq!(stored(&store).await, ("a3".to_owned(), Some("r3".to_owned())));
    assert!(session.is_saved().await);
    drop(lock);
}

#[tokio::test]
async fn a_mark_that_was_saved_without_an_answer_costs_no_session() {
    let server = MockServer::start_async().await;
    refreshing(&server, "r1", "a2", "r2").await;
    let store = FailingStore::after(1).losing_an_answer();
    let endpoint = endpoint(&server, &TestClock::default());
    let session = RefreshingSession::start(endpoint, tokens("a1", 0), store.clone()).await.expect("a session");
    session.fetch().await.expect_err("nobody knows what the store holds");
    assert_eq!(stored(&store).await, ("a1".to_owned(), None), "the mark");
    store.mend();
    drop(store.lock().await.expect("free once all is saved"));
    assert_eq!(stored(&store).await.1.as_deref(), Some("r1"), "it was not sent");
    assert_eq!(fetch(&session).await, "a2");
}

#[tokio::test]
async fn a_set_that_cannot_be_saved_gives_way_to_that_of_another_process() {
    let server = MockServer::start_async().await;
    let refusal = refusing(&server, "r1").await;
    let store = FailingStore::after(1).losing_an_answer();
    let endpoint = endpoint(&server, &TestClock::default());
    let session = RefreshingSession::start(endpoint, tokens("a1", 0), store.clone()).await.expect("a session");
    session.fetch().await.expect_err("the disk is full");
    assert!(!session.is_saved().await);
    // One that took this one for dead.
    let theirs = TokenSet::new(AccessToken::new("theirs")).refresh("r7");
    store.store.save(&theirs).await.expect("saved");
    drop(store.lock().await.expect("free once it is let go"));
    assert!(session.is_saved().await);
    assert_eq!(fetch(&session).await, "theirs");
    refusal.assert_calls_async(0).await;
}

#[tokio::test]
async fn a_refresh_that_was_cut_off_is_not_tried_again_by_anybody() {
    let server = MockServer::start_async().await;
    let refusal = refusing(&server, "r1").await;
    let (session, store) = session(endpoint(&server, &TestClock::default()), tokens("a1", 0)).await;
    // As a process leaves it that is killed while its refresh token is out.
    let cut = TokenSet::from_json(br#"{"access_token":"a1","refresh_token":null,"is_redeemed":true}"#).expect("a set");
    store.save(&cut).await.expect("saved");
    let another = RefreshingSession::load(endpoint(&server, &TestClock::default()), store.clone()).await;
    for session in [session, another.expect("a session")] {
        let refused = AccessToken::new("a1");
        let error = session.replace(&refused).await.expect_err("nobody knows");
        assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired, "{error}");
        assert!(error.to_string().contains("consent again"), "{error}");
        // A new consent, by whomever, is taken.
        store.save(&tokens("consented", 3600)).await.expect("saved");
        assert_eq!(session.replace(&refused).await.expect("a token").expose(), "consented");
        store.save(&cut).await.expect("saved");
    }
    refusal.assert_calls_async(0).await;
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_lose_the_rotated_token() {
    let server = MockServer::start_async().await;
    let mock = server
        .mock_async(|when, then| {
            when.method(POST).form_urlencoded_tuple("refresh_token", "r1");
            then.status(200)
                .delay(Duration::from_millis(200))
                .json_body(json!({"access_token": "a2", "refresh_token": "r2", "expires_in": 3600}));
        })
        .await;
    let (session, store) = session(endpoint(&server, &TestClock::default()), tokens("a1", 0)).await;
    assert!(tokio::time::timeout(Duration::from_millis(50), session.fetch()).await.is_err());
    assert_eq!(fetch(&session).await, "a2");
    assert_eq!(stored(&store).await, ("a2".to_owned(), Some("r2".to_owned())));
    mock.assert_calls_async(1).await;
}

/// A server that takes each refresh token once, and ends the session when one comes again.
async fn rotating(server: &MockServer) -> Arc<AtomicU64> {
    let turns = Arc::new(AtomicU64::new(1));
    let turn = Arc::clone(&turns);
    server
        .mock_async(|when, then| {
            when.method(POST).path("/oauth/token");
            then.respond_with(move |request: &httpmock::HttpMockRequest| {
                let body = String::from_utf8_lossy(request.body_ref()).into_owned();
                let turn = turn.fetch_add(1, Ordering::SeqCst);
                let answer = if body.contains(&format!("refresh_token=r{turn}&")) {
                    json!({"access_token": format!("a{}", turn + 1), "refresh_token": format!("r{}", turn + 1)})
                } else {
                    json!({"error": "invalid_grant"})
                };
                httpmock::HttpMockResponse::builder().status(200).body(answer.to_string()).build()
            });
        })
        .await;
    turns
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sessions_over_one_file_refresh_one_after_the_other() {
    let server = MockServer::start_async().await;
    let turns = rotating(&server).await;
    let folder = tempfile::tempdir().expect("a folder");
    let store = || FileStore::new(folder.path().join("tokens.json"));
    let endpoint = endpoint(&server, &TestClock::default());
    let one = RefreshingSession::start(endpoint.clone(), tokens("a1", 3600), store()).await.expect("a session");
    let two = RefreshingSession::load(endpoint, store()).await.expect("a session");
    for turn in 1..=10 {
        let refused = AccessToken::new(format!("a{turn}"));
        let (first, second) = tokio::join!(one.replace(&refused), two.replace(&refused));
        let next = format!("a{}", turn + 1);
        assert_eq!(first.expect("a token").expose(), next);
        assert_eq!(second.expect("a token").expose(), next);
    }
    assert_eq!(turns.load(Ordering::SeqCst), 11, "one refresh a turn");
    assert_eq!(stored(&store()).await, ("a11".to_owned(), Some("r11".to_owned())));
}

#[tokio::test]
async fn a_new_consent_waits_for_a_refresh_under_way_and_is_not_overwritten_by_it() {
    let server = MockServer::start_async().await;
    let mock = server
        .mock_async(|when, then| {
            when.method(POST);
            then.status(200)
                .delay(Duration::from_millis(200))
                .json_body(json!({"access_token": "a2", "refresh_token": "r2", "expires_in": 3600}));
        })
        .await;
    let endpoint = endpoint(&server, &TestClock::default());
    let (session, store) = session(endpoint.clone(), tokens("a1", 0)).await;
    let (refreshed, started) = tokio::join!(fetch(&session), async {
        while mock.calls_async().await == 0 {
            tokio::task::yield_now().await;
        }
        RefreshingSession::start(endpoint, tokens("consented", 3600), store.clone()).await
    });
    assert_eq!(refreshed, "a2");
    started.expect("a session");
    assert_eq!(stored(&store).await.0, "consented");
}

#[tokio::test]
async fn a_token_of_unknown_life_is_used_until_it_is_refused() {
    let server = MockServer::start_async().await;
    let turns = rotating(&server).await;
    let tokens = TokenSet::new(AccessToken::new("a1")).refresh("r1");
    let (session, _) = session(endpoint(&server, &TestClock::default()), tokens).await;
    for _ in 0..3 {
        assert_eq!(fetch(&session).await, "a1");
    }
    let refused = AccessToken::new("a1");
    for _ in 0..2 {
        assert_eq!(session.replace(&refused).await.expect("a token").expose(), "a2");
    }
    assert_eq!(fetch(&session).await, "a2");
    assert_eq!(turns.load(Ordering::SeqCst), 2, "one refresh");
}

#[tokio::test]
async fn an_assumed_lifetime_ends() {
    let server = MockServer::start_async().await;
    rotating(&server).await;
    let clock = TestClock::default();
    let endpoint = builder(&server).assumed_lifetime(Duration::from_secs(3600)).clock(clock.clone());
    let (session, store) = session(endpoint.build().expect("an endpoint"), tokens("a1", 0)).await;
    assert_eq!(fetch(&session).await, "a2");
    assert_eq!(store.load().await.expect("a store").expect("tokens").expires_at(), Some(at(3600)));
    clock.advance(3540);
    assert_eq!(fetch(&session).await, "a3");
}

#[tokio::test]
async fn a_refusal_is_found_behind_the_error_of_a_credential() {
    let server = MockServer::start_async().await;
    refusing(&server, "r1").await;
    let (session, _) = session(endpoint(&server, &TestClock::default()), tokens("a1", 0)).await;
    let credential: Credential<keyfit::scopien::kind::Key> = Credential::from_source(session);
    for _ in 0..2 {
        let error = credential.ready().await.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired, "of a call as of the session");
        assert_eq!(TokenError::of(&error).and_then(TokenError::code), Some(&TokenErrorCode::InvalidGrant));
    }
}

#[tokio::test]
async fn a_session_outlives_its_process_in_a_file() {
    let server = MockServer::start_async().await;
    refreshing(&server, "r1", "a2", "r2").await;
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::new(folder.path().join("tokens.json"));
    let clock = TestClock::default();
    let missing = RefreshingSession::load(endpoint(&server, &clock), store.clone()).await.expect_err("no file");
    assert!(missing.to_string().contains("consent first"), "{missing}");
    RefreshingSession::start(endpoint(&server, &clock), tokens("a1", 0), store.clone()).await.expect("a session");
    let session = RefreshingSession::load(endpoint(&server, &clock), store.clone()).await.expect("a session");
    assert_eq!(fetch(&session).await, "a2");
    assert_eq!(stored(&store).await, ("a2".to_owned(), Some("r2".to_owned())));
}
