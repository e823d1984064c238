//! A replica takes the place of the store.

use std::process::Child;
use std::time::Duration;

use keyfit::budget::{Budget as _, Reservation, ValkeyBudget};
use keyfit::{Clock as _, SystemClock};

use super::cluster::Cluster;
use super::faults::assert_bounded;
use super::processes::{LIMIT, end, start};
use super::proxy::Proxy;
use super::server::Limited;
use super::store::Store;
use super::{call, client};

/// Runs a command, which is answered with `OK`.
async fn run(store: &Store, words: &[&str]) {
    let mut connection = store.connection().await.expect("it answers");
    redis::cmd(words[0]).arg(&words[1..]).exec_async(&mut connection).await.expect("it is done");
}

/// Waits until a word stands in what a store says of its replication.
async fn says(store: &Store, word: &str) {
    let mut connection = store.connection().await.expect("it answers");
    loop {
        let text: String = redis::cmd("INFO").arg("replication").query_async(&mut connection).await.expect("words");
        if text.contains(word) {
            return;
        }
        SystemClock.sleep(Duration::from_millis(20)).await;
    }
}

/// A store, and a replica that has all of it.
async fn pair() -> Option<(Store, Store)> {
    let store = Store::start(&[]).await?;
    // Without the wait for more replicas to come.
    run(&store, &["CONFIG", "SET", "repl-diskless-sync-delay", "0"]).await;
    let replica = Store::start(&["--replicaof", "127.0.0.1", &store.port().to_string()]).await?;
    says(&replica, "master_link_status:up").await;
    Some((store, replica))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_takes_over_is_found_whether_the_old_store_is_lost_or_has_become_a_replica() {
    for is_lost in [true, false] {
        let Some((mut store, replica)) = pair().await else { return };
        let name = Proxy::start(store.port()).await;
        let url = format!("redis://127.0.0.1:{}", name.port());
        let server = Limited::start(LIMIT, 2).await;
        let children: Vec<Child> = (0..4).map(|_| start(&server, &url, Duration::from_secs(13), &[])).collect();
        SystemClock.sleep(Duration::from_secs(5)).await;
        // The order of an operator: promote, then let the name lead there. Who was connected stays so where the old one lives.
        if is_lost {
            store.kill();
        }
        run(&replica, &["REPLICAOF", "NO", "ONE"]).await;
        name.aim(replica.port());
        if !is_lost {
            run(&store, &["REPLICAOF", "127.0.0.1", &replica.port().to_string()]).await;
        }
        SystemClock.sleep(Duration::from_secs(3)).await;
        let before = replica.scripts().await;
        for child in children {
            assert!(end(child).await > 0);
        }
        assert_bounded(&server, 2);
        assert!(replica.scripts().await > before, "they ask the new one");
    }
}

#[tokio::test]
async fn a_replica_says_that_it_takes_no_writes() {
    let Some((_store, replica)) = pair().await else { return };
    let error = ValkeyBudget::connect(&replica.url(), "account").await.expect_err("it is a replica");
    assert!(error.to_string().contains("it is a replica, which takes no writes: name the primary"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_a_cluster_that_is_lost_is_followed_by_its_replica() {
    let Some(mut cluster) = Cluster::start(1).await else { return };
    let server = Limited::start(LIMIT, 2).await;
    let urls = cluster.urls();
    let budget = ValkeyBudget::connect_cluster(urls.iter().map(String::as_str), "account").await.expect("a cluster");
    let calling = tokio::spawn(call(client(&server.url, budget.clone()), 8, Duration::from_secs(15)));
    SystemClock.sleep(Duration::from_secs(3)).await;
    cluster.lose_the_one_that_is_asked().await;
    assert!(calling.await.expect("no panic") > 0);
    let windows = server.windows();
    println!("{:?}", windows.iter().map(|window| (window.served, window.refused)).collect::<Vec<_>>());
    assert!(server.refused() <= 16, "{windows:?}");
    cluster.is_ready().await;
    let asked = Reservation { holder: 7, wanted: 0, ..Reservation::default() };
    for bucket in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let mut times = 1;
        while let Err(error) = budget.reserve(bucket, asked.clone()).await {
            println!("{bucket}: {error:?}");
            times += 1;
            assert!(times <= 3, "each part of the keys has a primary again, and {bucket} is not found");
        }
    }
}
