//! What a call through a typed client costs over raw reqwest with the same request and the same types, with one caller and
//! with many at once: `cargo bench --bench call`. Each call goes through the whole attempt loop: rate limiter, credential,
//! span, observer, retry budget. Rounds of both are interleaved; the figures are medians of the rounds' ratios.

#[path = "sides/mod.rs"]
mod sides;

use std::fs;
use std::time::Instant;

use sides::{CONTACT, Ours, Theirs, outcome, serve};

const ROUNDS: usize = 41;
const CALLS: u32 = 300;
/// Callers at once, and how many calls each of them makes in a round.
const CALLERS: u32 = 64;
const CALLS_EACH: u32 = 20;

/// Seconds on the wall and on the CPU.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        println!("{:<28}{:>12}{:>12}{:>14}", "", "wall ratio", "CPU ratio", "raw us/call");
        get().await;
        post().await;
        get_by_many().await;
    });
}

async fn get() {
    let base = serve(CONTACT);
    let (ours, theirs) = (Ours::of(&base), Theirs::of(&base));
    let mut pairs = Vec::new();
    for round in 0..ROUNDS {
        pairs.push(pair(round, CALLS, async || ours.get().await, async || theirs.get().await).await);
    }
    print("GET one contact", CALLS, &pairs);
}

async fn post() {
    let base = serve(&outcome());
    let (ours, theirs) = (Ours::of(&base), Theirs::of(&base));
    let mut pairs = Vec::new();
    for round in 0..ROUNDS {
        pairs.push(pair(round, CALLS, async || ours.post().await, async || theirs.post().await).await);
    }
    print("POST 100 contacts", CALLS, &pairs);
}

async fn get_by_many() {
    let base = serve(CONTACT);
    let (ours, theirs) = (Ours::of(&base), Theirs::of(&base));
    let ours = || {
        let ours = ours.clone();
        async move {
            for _ in 0..CALLS_EACH {
                ours.get().await;
            }
        }
    };
    let theirs = || {
        let theirs = theirs.clone();
        async move {
            for _ in 0..CALLS_EACH {
                theirs.get().await;
            }
        }
    };
    let mut pairs = Vec::new();
    for round in 0..ROUNDS {
        pairs.push(pair(round, 1, async || all(ours).await, async || all(theirs).await).await);
    }
    print("GET by 64 callers", CALLERS * CALLS_EACH, &pairs);
}

/// All callers at once.
async fn all<F: Future<Output = ()> + Send + 'static>(caller: impl Fn() -> F) {
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(caller());
    }
    while let Some(ended) = callers.join_next().await {
        ended.expect("no panic");
    }
}

/// One round of each, the first of them in turns.
async fn pair(round: usize, calls: u32, ours: impl AsyncFn(), theirs: impl AsyncFn()) -> (Cost, Cost) {
    if round.is_multiple_of(2) {
        let ours = measure(calls, &ours).await;
        (ours, measure(calls, &theirs).await)
    } else {
        let theirs = measure(calls, &theirs).await;
        (measure(calls, &ours).await, theirs)
    }
}

async fn measure(calls: u32, call: &impl AsyncFn()) -> Cost {
    let (wall, cpu) = (Instant::now(), cpu_seconds());
    for _ in 0..calls {
        call().await;
    }
    Cost { wall: wall.elapsed().as_secs_f64(), cpu: cpu_seconds() - cpu }
}

fn print(name: &str, calls: u32, pairs: &[(Cost, Cost)]) {
    let wall = median(pairs.iter().map(|(ours, theirs)| ours.wall / theirs.wall).collect());
    let cpu = median(pairs.iter().map(|(ours, theirs)| ours.cpu / theirs.cpu).collect());
    let raw = median(pairs.iter().map(|(_, theirs)| theirs.wall).collect()) / f64::from(calls) * 1e6;
    println!("{name:<28}{wall:>12.3}{cpu:>12.3}{raw:>14.1}");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// CPU seconds of this thread, as Linux counts them.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts a thread's time on the CPU");
    let nanoseconds: f64 = stat.split_whitespace().next().and_then(|field| field.parse().ok()).expect("a number");
    nanoseconds / 1e9
}
