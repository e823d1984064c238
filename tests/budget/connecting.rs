//! The fault of a store is said when a client connects, and nothing of somebody else's is changed.

use keyfit::ErrorKind;
use keyfit::budget::ValkeyBudget;

use super::store::Store;

const PASSWORD: &str = "fixture-secret-hunter2"; // not-a-secret

async fn error(url: &str, namespace: &str) -> String {
    let error = ValkeyBudget::connect(url, namespace).await.expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let text = format!("{error} {error:#} {error:?}");
    assert!(!text.contains(PASSWORD), "{text}");
    error.to_string()
}

#[tokio::test]
async fn a_url_or_a_namespace_that_is_none_is_refused() {
    for namespace in ["", "a b", "a{b}", "ä", &"a".repeat(101)] {
        assert!(error("redis://127.0.0.1:1", namespace).await.contains("the namespace of a budget has 1 to 100"));
    }
    for url in ["", "valkey", "http://127.0.0.1:1"] {
        assert!(error(url, "a").await.contains("its URL is refused"), "{url}");
    }
    let text = error(&format!("redis://user:{PASSWORD}@127.0.0.1:1"), "a").await;
    assert!(text.contains("it cannot be reached"), "{text}");
}

#[tokio::test]
async fn a_login_and_rights_that_are_refused_are_told_apart() {
    let Some(store) = Store::start(&["--requirepass", PASSWORD]).await else { return };
    let at = |login: &str| store.url().replace("redis://", &format!("redis://{login}"));
    for (login, told) in
        [("", "wants a login"), (":wrong@", "refuses the login"), ("nobody:wrong@", "refuses the login")]
    {
        let text = error(&at(login), "a").await;
        assert!(text.contains(told), "{text}");
    }
    let url = at(&format!(":{PASSWORD}@"));
    let budget = ValkeyBudget::connect(&url, "a").await.expect("a login that is right");
    assert!(!format!("{budget:?}").contains(PASSWORD));

    let mut connection =
        redis::Client::open(url.as_str()).expect("a URL").get_multiplexed_async_connection().await.expect("a login");
    let rights = "+eval +evalsha +script|load +time +hgetall +hset +del +pexpire +zadd +zcard +zcount +zrem +zremrangebyscore +zscore";
    let mut command = redis::cmd("ACL");
    command.arg("SETUSER").arg("keyfit").arg("on").arg(format!(">{PASSWORD}")).arg("~{mine:*");
    command.arg(rights.split(' ').collect::<Vec<_>>());
    command.exec_async(&mut connection).await.expect("a user");
    let own = at(&format!("keyfit:{PASSWORD}@"));
    ValkeyBudget::connect(&own, "mine").await.expect("the rights that are documented are enough");
    let text = error(&own, "others").await;
    assert!(text.contains("may not run the script or use the keys"), "{text}");
}

#[tokio::test]
async fn what_somebody_else_keeps_under_the_namespace_is_left_as_it_is() {
    let Some(store) = Store::start(&[]).await else { return };
    let mut connection = store.connection().await.expect("it answers");
    for (namespace, command) in
        [("text", "SET {text:connect}:window precious"), ("later", "HSET {later:connect}:window format 2 epoch 7")]
    {
        let mut words = command.split(' ');
        redis::cmd(words.next().expect("a command"))
            .arg(words.collect::<Vec<_>>())
            .exec_async(&mut connection)
            .await
            .expect("kept");
        let before: Vec<u8> = redis::cmd("DUMP")
            .arg(format!("{{{namespace}:connect}}:window"))
            .query_async(&mut connection)
            .await
            .expect("it is there");
        let text = error(&store.url(), namespace).await;
        assert!(text.contains("under this namespace"), "{text}");
        let after: Vec<u8> = redis::cmd("DUMP")
            .arg(format!("{{{namespace}:connect}}:window"))
            .query_async(&mut connection)
            .await
            .expect("it is there still");
        assert_eq!(before, after);
    }
}

#[tokio::test]
async fn a_full_store_is_told() {
    let Some(store) = Store::start(&["--maxmemory", "1", "--maxmemory-policy", "noeviction"]).await else { return };
    let text = error(&store.url(), "a").await;
    assert!(text.contains("its memory is full"), "{text}");
}
