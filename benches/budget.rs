//! The cost of a budget in a store: calls a second of eight processes that share one, against one process whose limiter is in memory,
//! with the same server on the same cores; then how much of a limit eight processes use, how often they ask, and how often a store can be
//! asked.
//!
//! `cargo bench --bench budget --features valkey` (needs `valkey-server` or `redis-server`).

#[path = "../tests/budget/server.rs"]
mod server;
#[expect(dead_code, reason = "tests stop it, too")]
#[path = "../tests/budget/store.rs"]
mod store;

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use keyfit::budget::{Budget as _, Report, Reservation, Seen, ValkeyBudget};
use keyfit::scopien::{Client, Key};
use keyfit::{Clock as _, Config, SystemClock};

use server::Limited;
use store::Store;

/// Callers in all, however many processes they are in.
const CALLERS: u64 = 64;
const TIME: Duration = Duration::from_secs(10);

/// Calls until the time is up, from so many callers, and prints how often.
async fn call(url: &str, store: Option<&str>, callers: u64) {
    let config = Config::default().base_url(url).deadline(Duration::from_secs(60));
    let config = match store {
        Some(store) => config.budget(ValkeyBudget::connect(store, "bench").await.expect("a budget")),
        None => config,
    };
    let client = Client::with_config(Key::new("any").expect("a key"), config).expect("a client");
    let until = SystemClock.monotonic() + TIME;
    let mut calling = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let client = client.clone();
        calling.spawn(async move {
            let mut done = 0_u64;
            while SystemClock.monotonic() < until {
                client.accounts_list().send().await.expect("an answer");
                done += 1;
            }
            done
        });
    }
    println!("{}", calling.join_all().await.into_iter().sum::<u64>());
}

fn start(url: &str, store: &str, callers: u64) -> Child {
    Command::new(std::env::current_exe().expect("this bench"))
        .args(["call", url, store, &callers.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("this bench runs")
}

/// Calls of so many processes in all.
async fn run(url: &str, store: &str, processes: u64) -> u64 {
    let children: Vec<Child> = (0..processes).map(|_| start(url, store, CALLERS / processes)).collect();
    let mut calls = 0;
    for child in children {
        let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.expect("no panic").expect("an end");
        calls += String::from_utf8_lossy(&output.stdout).trim().parse::<u64>().expect("a number");
    }
    calls
}

/// Questions that the store answers in a second, of a thousand clients that each take five calls.
async fn questions(store: &Store) -> u64 {
    let budget = ValkeyBudget::connect(&store.url(), "questions").await.expect("a budget");
    // Enough for all of them.
    let seen = Seen { limit: None, remaining: 1_000_000_000, reset: 1, resets_in: TIME * 10 };
    let report = Report { answered: 1, seen: Some(seen), ..Report::default() };
    budget.reserve("bucket", Reservation { report, ..Reservation::default() }).await.expect("it is noted");
    let until = SystemClock.monotonic() + TIME;
    let mut asking = tokio::task::JoinSet::new();
    for task in 0..CALLERS {
        let budget = budget.clone();
        asking.spawn(async move {
            let mut asked = 0;
            while SystemClock.monotonic() < until {
                // Each client has its turn.
                let holder = (task + asked * CALLERS) % 1000;
                let wanted = Reservation { holder, wanted: 5, ..Reservation::default() };
                budget.reserve("bucket", wanted).await.expect("an answer");
                asked += 1;
            }
            asked
        });
    }
    asking.join_all().await.into_iter().sum::<u64>() / TIME.as_secs()
}

fn ratio(one: u64, other: u64) -> f64 {
    let float = |number: u64| f64::from(u32::try_from(number).expect("below four billions"));
    float(one) / float(other)
}

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let [_, word, url, store, callers] = words.as_slice()
        && word == "call"
    {
        let store = Some(store.as_str()).filter(|store| !store.is_empty());
        return call(url, store, callers.parse().expect("a number")).await;
    }
    let Some(store) = Store::start(&[]).await else { return };
    let seconds = TIME.as_secs();

    // A limit that nobody reaches.
    let server = Limited::start(10_000_000, 10).await;
    let mut ratios = Vec::new();
    for _ in 0..3 {
        let alone = run(&server.url, "", 1).await;
        let asked = store.scripts().await;
        let shared = run(&server.url, &store.url(), 8).await;
        let asked = store.scripts().await - asked;
        ratios.push(ratio(shared, alone));
        println!(
            "no limit in reach: one process {} calls/s, eight with a budget {} calls/s, {:.4} questions a call",
            alone / seconds,
            shared / seconds,
            ratio(asked, shared)
        );
    }
    ratios.sort_by(f64::total_cmp);
    println!("ratio {:.2} ({:.2} to {:.2})", ratios[1], ratios[0], ratios[2]);

    // One that is reached in each window.
    let limit = 4000;
    let server = Limited::start(limit, 2).await;
    let store = Store::start(&[]).await.expect("the second as the first");
    let calls = run(&server.url, &store.url(), 8).await;
    let windows = server.windows();
    let whole = &windows[1..windows.len() - 2];
    let used: u64 = whole.iter().map(|window| window.served).sum();
    println!(
        "{limit} calls in 2 s: {:.1} % of the limit used in {} windows, {} refused of {calls}, {:.4} questions a call",
        100.0 * ratio(used, limit * whole.len() as u64),
        whole.len(),
        server.refused(),
        ratio(store.scripts().await, calls)
    );
    println!("the store answers {} questions a second of a thousand clients", questions(&store).await);
}
