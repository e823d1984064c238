//! Sessions as they are stored, and the errors of a database that is not as it should be.

use keyfit::Error;
use keyfit::auth::AccessToken;
use keyfit::auth::oauth::{EncryptionKeys, PostgresSessions, TokenSet, TokenStore as _};

use super::database::Database;
use super::{Fixed, KEY, OTHER_KEY, keys, pool, sessions};

fn tokens(access: &str, refresh: &str) -> TokenSet {
    TokenSet::new(AccessToken::new(access)).refresh(refresh)
}

fn refresh_token(read: Result<Option<TokenSet>, Error>) -> Option<String> {
    read.expect("it is read")?.refresh_token().map(str::to_owned)
}

async fn run(database: &Database, sql: &str) {
    pool(&database.url()).get().await.expect("a connection").batch_execute(sql).await.expect("it runs");
}

#[tokio::test]
async fn what_is_saved_is_read_and_stands_nowhere_in_the_clear() {
    let Some(database) = Database::start().await else { return };
    let sessions = sessions(&database.url()).await;
    let alice = sessions.session("alice");
    assert!(alice.load().await.expect("it is read").is_none());
    alice.save(&tokens("fixture-token-0001", "fixture-token-0002")).await.expect("saved");
    assert_eq!(refresh_token(sessions.session("alice").load().await).as_deref(), Some("fixture-token-0002"));
    assert!(sessions.session("bob").load().await.expect("it is read").is_none());
    let row = pool(&database.url()).get().await.expect("a connection");
    let row = row.query_one("SELECT tokens FROM keyfit_session", &[]).await.expect("a row");
    let sealed: Vec<u8> = row.get(0);
    assert!(!String::from_utf8_lossy(&sealed).contains("fixture-token"));
    assert!(!format!("{sessions:?} {alice:?}").contains("fixture"), "{sessions:?} {alice:?}");

    // Another session's row is not taken for this one's, and one that was changed is none.
    run(&database, "INSERT INTO keyfit_session SELECT 'bob', version, tokens FROM keyfit_session").await;
    let error = sessions.session("bob").load().await.expect_err("it is alice's");
    assert!(error.to_string().contains("were changed, or are those of another session"), "{error}");
    run(&database, "UPDATE keyfit_session SET tokens = substring(tokens FROM 1 FOR 9)").await;
    let error = alice.load().await.expect_err("it is cut off");
    assert!(error.to_string().contains("are cut off"), "{error}");
}

#[tokio::test]
async fn a_key_is_replaced_without_losing_a_session() {
    let Some(database) = Database::start().await else { return };
    let before = sessions(&database.url()).await;
    before.session("alice").save(&tokens("a", "r1")).await.expect("saved");
    let other = PostgresSessions::connect(pool(&database.url()), keys(OTHER_KEY).await).await.expect("a database");
    let error = other.session("alice").load().await.expect_err("another key");
    assert!(error.to_string().contains("a key that is not here"), "{error}");
    let both = keys(OTHER_KEY).await.with_older(Fixed(KEY)).await.expect("two keys");
    let both = PostgresSessions::connect(pool(&database.url()), both).await.expect("a database");
    let alice = both.session("alice");
    let read = alice.load().await.expect("it is read").expect("tokens");
    alice.save(&read).await.expect("saved");
    assert_eq!(refresh_token(other.session("alice").load().await).as_deref(), Some("r1"));
    for wrong in ["", "hunter2", "aHVudGVyMg=="] {
        let error = EncryptionKeys::from_source(Fixed(wrong)).await.expect_err("no key");
        assert!(error.to_string().contains("32 bytes in base64") && !error.to_string().contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_set_that_another_process_has_written_is_not_overwritten() {
    let Some(database) = Database::start().await else { return };
    let sessions = sessions(&database.url()).await;
    let (one, other) = (sessions.session("alice"), sessions.session("alice"));
    one.save(&tokens("a", "r1")).await.expect("saved");
    let _ = other.load().await.expect("it is read");
    other.save(&tokens("b", "r2")).await.expect("saved");
    let error = one.save(&tokens("c", "r3")).await.expect_err("it is older");
    assert!(error.to_string().contains("another process has written newer ones"), "{error}");
    assert_eq!(refresh_token(one.load().await).as_deref(), Some("r2"));
}

#[tokio::test]
async fn a_database_that_is_not_ready_says_what_to_do_and_is_left_as_it_is() {
    let Some(database) = Database::start().await else { return };
    let connect = async |url: String| {
        let error = PostgresSessions::connect(pool(&url), keys(KEY).await).await.expect_err("it is not ready");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        error.to_string()
    };
    let text = connect(database.url()).await;
    assert!(text.contains("no table `keyfit_session`") && text.contains("migrate"), "{text}");
    let text = connect(database.url().replace("keyfit@", "nobody:hunter2@")).await;
    assert!(text.contains("nobody"), "{text}");
    let text = connect("postgres://keyfit@127.0.0.1:1/postgres".to_owned()).await;
    assert!(text.contains("cannot be used"), "{text}");

    PostgresSessions::migrate(&pool(&database.url())).await.expect("a table");
    PostgresSessions::migrate(&pool(&database.url())).await.expect("once more changes nothing");
    run(&database, "COMMENT ON TABLE keyfit_session IS 'keyfit sessions, version 7'").await;
    let text = connect(database.url()).await;
    assert!(text.contains("of version 7, which a newer keyfit has made"), "{text}");
    let error = PostgresSessions::migrate(&pool(&database.url())).await.expect_err("it is newer");
    assert!(error.to_string().contains("of version 7"), "{error}");

    run(&database, "DROP TABLE keyfit_session; CREATE TABLE keyfit_session (precious text); INSERT INTO keyfit_session VALUES ('x')").await;
    let text = connect(database.url()).await;
    assert!(text.contains("not of keyfit"), "{text}");
    PostgresSessions::migrate(&pool(&database.url())).await.expect_err("it is somebody else's");
    let kept = pool(&database.url()).get().await.expect("a connection");
    let kept = kept.query_one("SELECT precious FROM keyfit_session", &[]).await.expect("a row");
    assert_eq!(kept.get::<_, String>(0), "x");

    run(&database, "DROP TABLE keyfit_session; CREATE ROLE reader LOGIN").await;
    PostgresSessions::migrate(&pool(&database.url())).await.expect("a table");
    let reader = PostgresSessions::connect(pool(&database.url().replace("keyfit@", "reader@")), keys(KEY).await);
    let error = reader.await.expect("it looks").session("alice").load().await.expect_err("it may not read");
    assert!(error.to_string().contains("needs SELECT, INSERT and UPDATE"), "{error}");
}
