//! Sessions as they are stored, and the errors of a database that is not as it should be.

use std::error::Error as StdError;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use keyfit::auth::AccessToken;
use keyfit::auth::oauth::{Overtaken, TokenSet, TokenStore as _};
use keyfit::auth::store::{EncryptionKeys, SharedStore};
use keyfit::{Clock as _, Error, SystemClock};

use super::database::Database;
use super::tokens::Off;
use super::{Fixed, KEY, OTHER_KEY, Place, keys, opened, pool, run};

fn tokens(access: &str, refresh: &str) -> TokenSet {
    TokenSet::new(AccessToken::new(access)).refresh(refresh)
}

fn refresh_token(read: Result<Option<TokenSet>, Error>) -> Option<String> {
    read.expect("it is read")?.refresh_token().map(str::to_owned)
}

#[tokio::test]
async fn what_is_saved_is_read_and_stands_nowhere_in_the_clear() {
    for place in Place::all().await {
        let (at, store) = (place.at(), place.store().await);
        let alice = store.session("alice");
        assert!(alice.load().await.expect("it is read").is_none());
        alice.save(&tokens("fixture-token-0001", "fixture-token-0002")).await.expect("saved");
        assert_eq!(refresh_token(store.session("alice").load().await).as_deref(), Some("fixture-token-0002"));
        assert!(store.session("bob").load().await.expect("it is read").is_none());
        assert!(!format!("{store:?} {alice:?}").contains("fixture"), "{store:?} {alice:?}");
        match &place {
            Place::Postgres(_) => {
                let row = pool(&at).get().await.expect("a connection");
                let row = row.query_one("SELECT sealed FROM keyfit_record WHERE kind = 'session'", &[]).await;
                let sealed: Vec<u8> = row.expect("a row").get(0);
                assert!(!String::from_utf8_lossy(&sealed).contains("fixture-token"));
            }
            Place::Sqlite(folder) => {
                for entry in std::fs::read_dir(folder.path()).expect("a folder").flatten() {
                    let held = std::fs::read(entry.path()).expect("a file");
                    assert!(!String::from_utf8_lossy(&held).contains("fixture-token"), "{entry:?}");
                    let mode = entry.metadata().expect("a file").permissions().mode();
                    assert_eq!(mode & 0o777, 0o600, "{entry:?}");
                }
            }
        }

        // Another session's content is not taken for this one's, and one that was changed is none.
        let stolen = "INSERT INTO keyfit_record (kind, name, version, sealed, saved_at) \
                      SELECT kind, 'bob', version, sealed, saved_at FROM keyfit_record WHERE kind = 'session'";
        run(&at, stolen).await;
        let error = store.session("bob").load().await.expect_err("it is alice's");
        assert!(error.to_string().contains("holds the content of another record"), "{error}");
        run(&at, "UPDATE keyfit_record SET sealed = substr(sealed, 1, 9)").await;
        let error = alice.load().await.expect_err("it is cut off");
        assert!(error.to_string().contains("is cut off"), "{error}");
    }
}

#[tokio::test]
async fn a_key_is_replaced_without_losing_a_session_and_a_wrong_one_is_refused_when_the_store_is_opened() {
    for place in Place::all().await {
        let at = place.at();
        place.store().await.session("alice").save(&tokens("a", "r1")).await.expect("saved");
        let error = opened(&at, keys(OTHER_KEY).await).await.expect_err("another key");
        assert!(error.to_string().contains("a key that is not here"), "{error}");
        let next = keys(KEY).await.with_older(Fixed(OTHER_KEY)).await.expect("two keys");
        opened(&at, next).await.expect("the first one is that of before");
        let both = keys(OTHER_KEY).await.with_older(Fixed(KEY)).await.expect("two keys");
        let both = opened(&at, both).await.expect("a store");
        let alice = both.session("alice");
        let read = alice.load().await.expect("it is read").expect("tokens");
        alice.save(&read).await.expect("saved");
        let other = opened(&at, keys(OTHER_KEY).await).await.expect("the new key is that of the store");
        assert_eq!(refresh_token(other.session("alice").load().await).as_deref(), Some("r1"));
        let error = opened(&at, keys(KEY).await).await.expect_err("the old key");
        assert!(error.to_string().contains("a key that is not here"), "{error}");
    }
    for wrong in ["", "hunter2", "aHVudGVyMg=="] {
        let error = EncryptionKeys::from_source(Fixed(wrong)).await.expect_err("no key");
        assert!(error.to_string().contains("32 bytes in base64") && !error.to_string().contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_set_that_another_process_has_written_is_not_overwritten() {
    for place in Place::all().await {
        let store = place.store().await;
        let (one, other) = (store.session("alice"), store.session("alice"));
        one.save(&tokens("a", "r1")).await.expect("saved");
        let _ = other.load().await.expect("it is read");
        other.save(&tokens("b", "r2")).await.expect("saved");
        let error = one.save(&tokens("c", "r3")).await.expect_err("it is older");
        assert!(error.to_string().contains("another process has gone on with it"), "{error}");
        assert_eq!(refresh_token(one.load().await).as_deref(), Some("r2"));
    }
}

#[tokio::test]
async fn whose_lease_is_anothers_by_now_writes_nothing_until_that_one_is_over() {
    for place in Place::all().await {
        let store = place.store().await;
        let (late, next) = (store.session("alice"), store.session("alice"));
        let held = late.lock().await.expect("a lease");
        late.save(&tokens("a", "r1")).await.expect("it has the lease");
        run(&place.at(), "UPDATE keyfit_record SET leased_until = saved_at WHERE kind = 'session'").await;
        late.save(&tokens("b", "r2")).await.expect("nobody else has come");
        let next_held = next.lock().await.expect("the first one has ended");
        // It knows the version, and not that the other one is at work.
        let _ = late.load().await.expect("it is read");
        let error = late.save(&tokens("c", "r3")).await.expect_err("another has the lease");
        assert!(error.source().is_none(), "it may go on where that one does nothing: {error:?}");
        next.save(&tokens("d", "r4")).await.expect("it has the lease");
        let error = late.save(&tokens("c", "r3")).await.expect_err("another has written");
        assert!(error.source().is_some_and(<dyn StdError>::is::<Overtaken>), "{error:?}");
        drop((held, next_held));
        assert_eq!(refresh_token(late.load().await).as_deref(), Some("r4"));
    }
}

#[tokio::test]
async fn the_expiry_of_a_set_is_moved_by_what_the_clock_of_its_writer_is_wrong() {
    for place in Place::all().await {
        let ahead = Off::by(3600);
        let set = TokenSet::new(AccessToken::new("a").expiring_at(ahead.now() + Duration::from_secs(600)));
        place.store().await.clock(ahead).session("alice").save(&set).await.expect("saved");
        let read = place.store().await.session("alice").load().await.expect("it is read").expect("tokens");
        let left = read.expires_at().expect("an end").duration_since(SystemClock.now()).expect("not yet");
        assert!(left <= Duration::from_secs(600) && left > Duration::from_secs(540), "{left:?}");
    }
}

#[tokio::test]
async fn a_database_that_is_not_ready_says_what_to_do_and_is_left_as_it_is() {
    let Some(database) = Database::start().await else { return };
    let connect = async |url: String| {
        let error = SharedStore::postgres(pool(&url), keys(KEY).await).await.expect_err("it is not ready");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        error.to_string()
    };
    let text = connect(database.url()).await;
    assert!(text.contains("no table `keyfit_record`") && text.contains("migrate"), "{text}");
    let text = connect(database.url().replace("keyfit@", "nobody:hunter2@")).await;
    assert!(text.contains("nobody"), "{text}");
    let text = connect("postgres://keyfit@127.0.0.1:1/postgres".to_owned()).await;
    assert!(text.contains("cannot be used"), "{text}");

    SharedStore::migrate_postgres(&pool(&database.url())).await.expect("a table");
    SharedStore::migrate_postgres(&pool(&database.url())).await.expect("once more changes nothing");
    run(&database.url(), "COMMENT ON TABLE keyfit_record IS 'keyfit records, version 7'").await;
    let text = connect(database.url()).await;
    assert!(text.contains("of version 7, which a newer keyfit has made"), "{text}");
    let error = SharedStore::migrate_postgres(&pool(&database.url())).await.expect_err("it is newer");
    assert!(error.to_string().contains("of version 7"), "{error}");

    run(
        &database.url(),
        "DROP TABLE keyfit_record; CREATE TABLE keyfit_record (precious text); INSERT INTO keyfit_record VALUES ('x')",
    )
    .await;
    let text = connect(database.url()).await;
    assert!(text.contains("not of keyfit"), "{text}");
    SharedStore::migrate_postgres(&pool(&database.url())).await.expect_err("it is somebody else's");
    let kept = pool(&database.url()).get().await.expect("a connection");
    let kept = kept.query_one("SELECT precious FROM keyfit_record", &[]).await.expect("a row");
    assert_eq!(kept.get::<_, String>(0), "x");

    run(&database.url(), "DROP TABLE keyfit_record; CREATE ROLE reader LOGIN").await;
    SharedStore::migrate_postgres(&pool(&database.url())).await.expect("a table");
    let reader = SharedStore::postgres(pool(&database.url().replace("keyfit@", "reader@")), keys(KEY).await);
    let error = reader.await.expect_err("it may not read");
    assert!(error.to_string().contains("needs SELECT, INSERT and UPDATE"), "{error}");
    run(&database.url(), "ALTER ROLE keyfit SET default_transaction_read_only = on").await;
    let text = connect(database.url()).await;
    assert!(text.contains("read-only"), "{text}");
}
