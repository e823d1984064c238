//! What a call through a typed client costs over raw reqwest with the same request and the same types, with one caller and
//! with many at once, and what reqwest costs over bare hyper: `cargo bench --bench call`. Each call goes through the whole attempt
//! loop: rate limiter, credential, span, observer, retry budget. Rounds of both are interleaved; the figures are medians of the rounds'
//! ratios.

#[path = "sides/mod.rs"]
mod sides;

use std::fs;
use std::time::Instant;

use sides::{Bare, Call, Ours, Raw};

const ROUNDS: usize = 41;
const CALLS: u32 = 300;
/// Of answers of 1 MB.
const LARGE_CALLS: u32 = 10;
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
        println!("{:<28}{:>12}{:>12}{:>14}", "", "wall ratio", "CPU ratio", "other us/call");
        for call in Call::ALL {
            let calls = if matches!(call, Call::Get | Call::Post) { CALLS } else { LARGE_CALLS };
            let base = call.serve();
            let (ours, raw, hyper) = (Ours::of(&base), Raw::of(&base), Bare::of(&base));
            let (mut to_raw, mut raw_to_hyper) = (Vec::new(), Vec::new());
            for round in 0..ROUNDS {
                to_raw.push(pair(round, calls, async || ours.call(call).await, async || raw.call(call).await).await);
                raw_to_hyper
                    .push(pair(round, calls, async || raw.call(call).await, async || hyper.call(call).await).await);
            }
            print(&format!("{} / reqwest", call.name()), calls, &to_raw);
            print("  reqwest / hyper", calls, &raw_to_hyper);
        }
        get_by_many().await;
    });
}

async fn get_by_many() {
    let base = Call::Get.serve();
    let (ours, raw) = (Ours::of(&base), Raw::of(&base));
    let ours = || {
        let ours = ours.clone();
        async move {
            for _ in 0..CALLS_EACH {
                ours.call(Call::Get).await;
            }
        }
    };
    let raw = || {
        let raw = raw.clone();
        async move {
            for _ in 0..CALLS_EACH {
                raw.call(Call::Get).await;
            }
        }
    };
    let mut pairs = Vec::new();
    for round in 0..ROUNDS {
        pairs.push(pair(round, 1, async || all(ours).await, async || all(raw).await).await);
    }
    print("get by 64 callers / reqwest", CALLERS * CALLS_EACH, &pairs);
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
async fn pair(round: usize, calls: u32, one: impl AsyncFn(), other: impl AsyncFn()) -> (Cost, Cost) {
    if round.is_multiple_of(2) {
        let one = measure(calls, &one).await;
        (one, measure(calls, &other).await)
    } else {
        let other = measure(calls, &other).await;
        (measure(calls, &one).await, other)
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
    let wall = median(pairs.iter().map(|(one, other)| one.wall / other.wall).collect());
    let cpu = median(pairs.iter().map(|(one, other)| one.cpu / other.cpu).collect());
    let other = median(pairs.iter().map(|(_, other)| other.wall).collect()) / f64::from(calls) * 1e6;
    println!("{name:<28}{wall:>12.3}{cpu:>12.3}{other:>14.1}");
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
