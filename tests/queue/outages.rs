//! The server of the queue is lost, held or full; the API refuses.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::stream::Config;
use keyfit::batch_writer::Reason;
use keyfit::batch_writer::jetstream::{Address, Filler, Worker};
use keyfit::{Clock as _, SystemClock};
use rustix::process::Signal;
use serde_json::Value;

use super::api::Remembering;
use super::nats::Nats;
use super::workers::{Running, end, end_anyhow, start};
use super::{assert_whole, fill, item, writer};

#[derive(Clone, Copy, Debug)]
enum Outage {
    /// It is killed, and started anew after so long.
    Killed(Duration),
    /// It is held for so long.
    Held(Duration),
}

async fn is_whole_after(outages: &[Outage], operation: &str) {
    let Some(mut nats) = Nats::start("").await else { return };
    let api = Remembering::start(Duration::from_millis(30)).await;
    let count = 4000;
    fill(&nats.queue(), operation, 0..count, 200).await;
    let workers: Vec<Running> = (0..2).map(|_| start(&nats, &api, operation)).collect();
    for outage in outages {
        SystemClock.sleep(Duration::from_millis(700)).await;
        match *outage {
            Outage::Killed(time) => {
                nats.kill();
                SystemClock.sleep(time).await;
                nats.restart().await;
            }
            Outage::Held(time) => {
                nats.signal(Signal::STOP);
                SystemClock.sleep(time).await;
                nats.signal(Signal::CONT);
            }
        }
        println!("{outage:?}: {} left", nats.left().await);
    }
    for worker in workers {
        end(worker).await;
    }
    let kinds = assert_whole(&nats, &api, operation, count).await;
    println!("{kinds:?}, {} received", api.received().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_come_back_when_the_queue_does() {
    let outages = [Outage::Killed(Duration::from_millis(100)), Outage::Killed(Duration::from_secs(4))];
    is_whole_after(&outages, "push").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_wait_for_a_queue_that_is_held() {
    is_whole_after(&[Outage::Held(Duration::from_millis(900)), Outage::Held(Duration::from_secs(4))], "upsert").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_says_how_far_it_came_and_is_filled_on() {
    let Some(nats) = Nats::start("").await else { return };
    let address = Address::parse(&nats.queue()).expect("an address");
    let open = async || {
        let writer = writer("push", "http://127.0.0.1:1");
        Filler::open(address.clone(), &writer, Some(4), Some(20_000)).await.expect("a queue")
    };
    let mut filler = open().await;
    let put = async |filler: &mut Filler, number: u64| {
        filler.put(number, &format!("item-{number}"), item("push", number, 9).to_string().as_bytes()).await
    };
    let mut failure = None;
    for number in 0..1000 {
        if let Err(error) = put(&mut filler, number).await {
            failure = Some(error.to_string());
            break;
        }
    }
    let failure = failure.expect("it is full");
    assert!(failure.contains("the queue is full") && failure.contains("go on"), "{failure}");
    // What is confirmed by now is known, and the rest is not.
    drop(filler.flush().await);
    let confirmed = filler.confirmed().expect("some");
    assert!(filler.filled().added > confirmed && confirmed > 50, "{confirmed} of {:?}", filler.filled());
    let api = Remembering::start(Duration::from_millis(2)).await;
    let mut next = confirmed + 1;
    while next < 1000 {
        end(start(&nats, &api, "push")).await;
        let mut filler = open().await;
        for number in next..1000 {
            if put(&mut filler, number).await.is_err() {
                break;
            }
        }
        drop(filler.flush().await);
        next = filler.confirmed().map_or(next, |confirmed| confirmed + 1);
    }
    end(start(&nats, &api, "push")).await;
    let mut received: Vec<u64> = api.received().into_iter().map(|(_, number)| number).collect();
    received.sort_unstable();
    assert_eq!(received, (0..1000).collect::<Vec<_>>(), "all of them, once each");
}

#[tokio::test(flavor = "multi_thread")]
async fn items_stay_in_the_queue_when_the_api_refuses_the_worker() {
    let Some(nats) = Nats::start("").await else { return };
    let api = Remembering::start(Duration::from_millis(2)).await;
    fill(&nats.queue(), "push", 0..200, 20).await;
    api.close(true);
    let address = Address::parse(&nats.queue()).expect("an address");
    let worker = Worker::new(address, writer("push", &api.url)).lease(Duration::from_secs(2));
    let error = worker.run(std::future::pending(), |_| {}).await.expect_err("it is refused");
    assert!(error.to_string().contains("401"), "{error}");
    assert_eq!((nats.left().await, nats.outcomes().await.len()), (200, 0));
    api.close(false);
    end(start(&nats, &api, "push")).await;
    let kinds = assert_whole(&nats, &api, "push", 200).await;
    assert_eq!(kinds, [("accepted".to_owned(), 200)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_told_to_stop_leaves_the_rest_to_others() {
    let Some(nats) = Nats::start("").await else { return };
    let api = Remembering::start(Duration::from_millis(20)).await;
    fill(&nats.queue(), "push", 0..2000, 100).await;
    let address = Address::parse(&nats.queue()).expect("an address");
    let worker = Worker::new(address, writer("push", &api.url)).lease(Duration::from_secs(30));
    let drained = worker.run(SystemClock.sleep(Duration::from_millis(600)), |_| {}).await.expect("no error");
    let left = nats.left().await;
    assert!(drained.accepted > 0 && left > 0 && drained.accepted + left == 2000, "{drained:?}, {left} left");
    // Its partitions are free at once, whatever its lease.
    let began = std::time::Instant::now();
    end(start(&nats, &api, "push")).await;
    assert!(began.elapsed() < Duration::from_secs(25), "nobody waits for the lease");
    let kinds = assert_whole(&nats, &api, "push", 2000).await;
    assert_eq!(kinds, [("accepted".to_owned(), 2000)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_stops_where_outcomes_have_no_room_and_nothing_is_lost() {
    let Some(nats) = Nats::start("").await else { return };
    let api = Remembering::start(Duration::from_millis(5)).await;
    fill(&nats.queue(), "upsert", 0..400, 20).await;
    let context = nats.context().await;
    let room = async |most: i64| {
        let stream = context.get_stream("parcels-outcomes").await.expect("outcomes");
        let config = Config { max_messages: most, ..stream.cached_info().config.clone() };
        context.update_stream(config).await.expect("changed");
    };
    room(100).await;
    let address = Address::parse(&nats.queue()).expect("an address");
    let worker = Worker::new(address, writer("upsert", &api.url)).lease(Duration::from_secs(2));
    let error = worker.run(std::future::pending(), |_| {}).await.expect_err("there is no room").to_string();
    assert!(error.contains("its stream is full") && error.contains("raise its limit"), "{error}");
    assert_eq!((nats.left().await, nats.outcomes().await.len()), (300, 100), "what has no outcome is in the queue");
    room(-1).await;
    end(start(&nats, &api, "upsert")).await;
    let kinds = assert_whole(&nats, &api, "upsert", 400).await;
    assert_eq!(kinds, [("accepted".to_owned(), 400)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_removed_and_made_anew_ends_its_workers_and_nothing_is_sent_twice() {
    let Some(nats) = Nats::start("").await else { return };
    let api = Remembering::start(Duration::from_millis(20)).await;
    fill(&nats.queue(), "push", 0..2000, 100).await;
    let worker = start(&nats, &api, "push");
    while api.received().len() < 200 {
        SystemClock.sleep(Duration::from_millis(5)).await;
    }
    nats.context().await.delete_stream("parcels").await.expect("removed");
    fill(&nats.queue(), "push", 10_000..10_300, 30).await;
    let (is_success, said) = end_anyhow(worker).await;
    assert!(!is_success && said.contains("made anew"), "{said}");
    end(start(&nats, &api, "push")).await;
    let received: Vec<u64> = api.received().into_iter().map(|(_, number)| number).collect();
    let different: BTreeSet<u64> = received.iter().copied().collect();
    assert_eq!(received.len(), different.len(), "nothing is sent twice");
    assert!((10_000..10_300).all(|number| different.contains(&number)), "the items of the new queue are sent");
    assert_eq!(nats.left().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfit_item_is_a_dead_letter_and_is_not_sent() {
    let Some(nats) = Nats::start("").await else { return };
    let api = Remembering::start(Duration::from_millis(2)).await;
    fill(&nats.queue(), "push", 0..10, 5).await;
    let address = Address::parse(&nats.queue()).expect("an address");
    // Whoever filled the queue did not check its items.
    let is_odd = |item: &[u8]| serde_json::from_slice::<Value>(item).is_ok_and(|item| item["n"].as_u64() == Some(7));
    let check = move |item: &[u8]| if is_odd(item) { vec![Reason::of_field("n", "is seven")] } else { Vec::new() };
    let worker = Worker::new(address, writer("push", &api.url).check(check));
    let drained = worker.run(std::future::pending(), |_| {}).await.expect("an empty queue");
    assert_eq!((drained.accepted, drained.rejected, drained.unknown), (9, 1, 0));
    assert!(api.received().iter().all(|(_, number)| *number != 7), "it was not sent");
    assert_eq!(nats.outcomes().await.values().filter(|told| told[0] == "rejected").count(), 1);
}
