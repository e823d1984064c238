//! A queue that cannot be used is said so at once, with the way out, and nothing of it is changed.

use std::time::Duration;

use async_nats::jetstream::stream::Config;
use keyfit::batch_writer::jetstream::{Address, Filler, Worker};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::nats::Nats;
use super::{fill, writer};

const USERS: &str = "authorization { users: [{ user: keyfit, password: \"fixture-secret-queue\" }] }"; // not-a-secret

/// Why a worker cannot begin.
async fn worker(queue: &str) -> String {
    let worker = Worker::new(Address::parse(queue).expect("an address"), writer("push", "http://127.0.0.1:1"));
    let error = worker.run(std::future::pending(), |_| {}).await.expect_err("it cannot be used");
    assert!(!format!("{error} {error:?}").contains("fixture-secret"), "{error}");
    error.to_string()
}

async fn filler(queue: &str) -> String {
    let address = Address::parse(queue).expect("an address");
    Filler::open(address, &writer("push", "http://127.0.0.1:1"), None, None)
        .await
        .expect_err("it cannot be used")
        .to_string()
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address").port();
    let said = worker(&format!("nats://ann:fixture-secret-9@127.0.0.1:{port}/parcels/import")).await; // not-a-secret
    assert!(
        said.contains(&format!("nats://127.0.0.1:{port}/parcels/import")) && said.contains("is it running"),
        "{said}"
    );
}

#[tokio::test]
async fn an_older_server_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let info = "INFO {\"server_id\":\"a\",\"server_name\":\"a\",\"version\":\"2.9.10\",\"host\":\"127.0.0.1\",\"port\":4222,\
                        \"max_payload\":1048576,\"proto\":1,\"headers\":true,\"jetstream\":true,\"go\":\"go1.19\",\"client_id\":1}\r\n";
            stream.write_all(info.as_bytes()).await.expect("sent");
            let mut heard = [0; 4096];
            while stream.read(&mut heard).await.is_ok_and(|bytes| bytes > 0) {
                if stream.write_all(b"PONG\r\n").await.is_err() {
                    break;
                }
            }
        }
    });
    let said = worker(&format!("nats://127.0.0.1:{port}/parcels/import")).await;
    assert!(said.contains("2.9.10") && said.contains("2.10 or later"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_missing_or_refused_is_told_apart() {
    let Some(port) = secured().await else { return };
    let (nats, port) = port;
    let said = worker(&format!("nats://127.0.0.1:{port}/parcels/import")).await;
    assert!(said.contains("it wants a login"), "{said}");
    let said = worker(&format!("nats://keyfit:fixture-secret-other@127.0.0.1:{port}/parcels/import")).await; // not-a-secret
    assert!(said.contains("it refuses the login"), "{said}");
    let said = worker(&format!("nats://keyfit:fixture-secret-queue@127.0.0.1:{port}/parcels/import")).await; // not-a-secret
    assert!(said.contains("there is no such stream"), "{said}");
    drop(nats);
}

async fn secured() -> Option<(Nats, String)> {
    let nats = Nats::start_for(USERS, "keyfit", "fixture-secret-queue").await?; // not-a-secret
    let port = nats.place().rsplit_once(':')?.1.to_owned();
    Some((nats, port))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_somebody_else_is_left_alone() {
    let Some(nats) = Nats::start("").await else { return };
    let context = nats.context().await;
    let theirs = Config { name: "parcels".to_owned(), subjects: vec!["orders.*".to_owned()], ..Config::default() };
    let before = context.create_stream(theirs).await.expect("a stream").cached_info().config.clone();
    for said in [worker(&nats.queue()).await, filler(&nats.queue()).await] {
        assert!(said.contains("none that keyfit made") && said.contains("nothing was changed"), "{said}");
    }
    let after = context.get_stream("parcels").await.expect("a stream").cached_info().config.clone();
    assert_eq!(before, after);
    assert!(context.get_stream("parcels-outcomes").await.is_err(), "nothing was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_without_a_stream_or_a_consumer_or_with_another_one_is_refused() {
    let Some(nats) = Nats::start("").await else { return };
    let said = worker(&nats.queue()).await;
    assert!(said.contains("there is no such stream") && said.contains("fill the queue first"), "{said}");
    fill(&nats.queue(), "push", 0..10, 2).await;
    let said = worker(&format!("nats://{}/parcels", nats.place())).await;
    assert!(said.contains("it names no consumer"), "{said}");
    let (address, writing) = (Address::parse(&nats.queue()).expect("an address"), writer("push", "http://127.0.0.1:1"));
    let again = Filler::open(address, &writing, Some(3), None);
    let said = again.await.expect_err("another number").to_string();
    assert!(said.contains("it has 16 partitions"), "{said}");
    // Another group of workers takes its items.
    let other = Worker::new(Address::parse(&nats.queue()).expect("an address"), writer("push", "http://127.0.0.1:1"));
    drop(other.run(keyfit::Clock::sleep(&keyfit::SystemClock, Duration::from_millis(500)), |_| {}).await);
    let said = worker(&format!("nats://{}/parcels/second", nats.place())).await;
    assert!(said.contains("the consumer `import-"), "{said}");
}
