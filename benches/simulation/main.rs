//! A rate budget for up to a thousand replicas, in virtual time: real clients with the rules of `MemoryBudget`, in one process whose
//! clock goes on only where there is nothing to do. Simulated are the server, the store's time, and the ways to both.
//!
//! `cargo bench --bench simulation`, or `cargo bench --bench simulation -- NAME` for the rows whose name holds that.

mod replicas;
mod world;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyfit::Clock as _;

use replicas::{Load, Replicas};
use world::{Counting, Server, Store, Virtual, Window, now};

/// One row of the table.
#[derive(Clone, Debug)]
struct Scenario {
    name: String,
    replicas: u32,
    /// So many calls in so many seconds.
    limit: u64,
    seconds: u64,
    counting: Counting,
    load: Load,
    /// How much farther from the store the last tenth are.
    away: Duration,
    event: Event,
    /// Windows that are measured, after the first.
    windows: u64,
}

/// The event in the middle of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    None,
    /// Every tenth replica dies.
    Deaths,
    /// The store answers nothing for so long.
    StoreLost(Duration),
}

/// The outcome of a run.
struct Outcome {
    served: u64,
    refused: u64,
    failed: u64,
    questions: u64,
    /// Of the second that had the most.
    most_questions: u64,
    longest_turn: Duration,
    /// How long calls took, the shortest first.
    times: Vec<Duration>,
    /// Calls by replicas of the same kind, the fewest first.
    calls: Vec<u64>,
}

impl Scenario {
    fn new(replicas: u32, limit: u64, seconds: u64) -> Self {
        Self {
            name: "full".into(),
            replicas,
            limit,
            seconds,
            counting: Counting::Fixed,
            load: Load::Full(enough(limit, seconds, replicas).max(4)),
            away: Duration::ZERO,
            event: Event::None,
            windows: 240_u64.checked_div(seconds).unwrap_or_default().clamp(4, 60),
        }
    }

    fn label(&self) -> String {
        format!("{}/{}/{}", self.name, self.replicas, self.limit)
    }

    fn rate(&self) -> f64 {
        float(self.limit) / float(self.seconds)
    }

    async fn run(&self) -> Outcome {
        let server = Arc::new(Server::new(self.limit, self.seconds, self.counting));
        let store = Arc::new(Store::new());
        until_next(self.seconds).await;
        let began = now();
        let mut replicas = Replicas::start(self.replicas, self.load, self.rate(), &server, &store, self.away);
        let time = |number: u64| Duration::from_secs(number * self.seconds);
        let (from, until) = (began + time(1), began + time(1 + self.windows));
        if let Event::StoreLost(lost) = self.event {
            let at = from + time(self.windows) / 3;
            store.lose(at, at + lost);
        }
        sleep_until(from).await;
        replicas.calls.lock().expect("no panic").count = true;
        if self.event == Event::Deaths {
            sleep_until(from + time(self.windows) / 3 + Duration::from_millis(337)).await;
            replicas.kill(self.replicas as usize / 10);
        }
        sleep_until(until).await;
        let is_measured = |second: u64| (from.as_secs()..until.as_secs()).contains(&second);
        let windows = server.windows().into_iter().filter(|(number, _)| is_measured(number * self.seconds));
        let add = |(served, refused), (_, window): (u64, Window)| (served + window.served, refused + window.refused);
        let (done, refused) = windows.fold((0, 0), add);
        let questions: Vec<u64> =
            store.seconds().into_iter().filter(|(second, _)| is_measured(*second)).map(|(_, number)| number).collect();
        let calls = replicas.calls.lock().expect("no panic");
        let mut times = calls.times.clone();
        times.sort();
        let dead = if self.event == Event::Deaths { self.replicas as usize / 10 } else { 0 };
        let is_odd = usize::from(matches!(self.load, Load::OneBusy(_)));
        let mut of = calls.of[dead.max(is_odd)..].to_vec();
        of.sort_unstable();
        Outcome {
            served: done,
            refused,
            failed: calls.failed,
            questions: questions.iter().sum(),
            most_questions: questions.into_iter().max().unwrap_or_default(),
            longest_turn: store.longest(),
            times,
            calls: of,
        }
    }

    fn print(&self, outcome: &Outcome) {
        let time = float(self.windows * self.seconds);
        let percentile = |percent: usize| {
            let times = &outcome.times;
            times
                .get((times.len() * percent / 100).min(times.len().saturating_sub(1)))
                .map_or(0.0, Duration::as_secs_f64)
        };
        let mean = float(outcome.calls.iter().sum()) / float(outcome.calls.len().max(1) as u64);
        let part = |calls: Option<&u64>| float(calls.copied().unwrap_or_default()) / mean.max(f64::MIN_POSITIVE);
        let even = match self.load {
            Load::Full(each) => format!("{:.2}", float(u64::from(self.replicas) * each) / self.rate()),
            _ => String::new(),
        };
        println!(
            "| {} | {} | {} in {} s | {:.1} | {} | {:.2} | {:.0} | {} | {:.1} | {:.2} | {:.2} | {:.2} | {even} | {:.2}–{:.2} |{}",
            self.name,
            self.replicas,
            self.limit,
            self.seconds,
            100.0 * float(outcome.served) / (self.rate() * time),
            outcome.refused,
            float(outcome.questions) / float(outcome.served.max(1)),
            float(outcome.questions) / time,
            outcome.most_questions,
            outcome.longest_turn.as_secs_f64() * 1000.0,
            percentile(50),
            percentile(99),
            percentile(100),
            part(outcome.calls.first()),
            part(outcome.calls.last()),
            if outcome.failed > 0 { format!(" {} FAILED", outcome.failed) } else { String::new() },
        );
    }
}

/// The rows of the table.
fn scenarios() -> Vec<Scenario> {
    let limits = [(10_000, 60), (1000, 1), (100, 1)];
    let mut all = Vec::new();
    for replicas in [1, 10, 100, 1000] {
        all.extend(limits.map(|(limit, seconds)| Scenario::new(replicas, limit, seconds)));
    }
    for replicas in [10, 100, 1000] {
        for (limit, seconds) in limits {
            let plain = Scenario::new(replicas, limit, seconds);
            let named = |name: &str| Scenario { name: name.into(), ..plain.clone() };
            all.push(Scenario { load: Load::OneBusy(enough(limit, seconds, 1).max(8)), ..named("one busy") });
            all.push(Scenario { load: Load::Bursts(20, 0.8), ..named("bursts, 80 %") });
        }
    }
    for (replicas, limit, seconds) in [(100, 1000, 1), (1000, 1000, 1), (1000, 10_000, 60)] {
        let plain = Scenario::new(replicas, limit, seconds);
        let named = |name: &str| Scenario { name: name.into(), ..plain.clone() };
        all.push(Scenario { away: Duration::from_millis(40), ..named("a tenth far away") });
        all.push(Scenario { event: Event::Deaths, ..named("a tenth dies") });
        all.push(Scenario { event: Event::StoreLost(Duration::from_secs(5)), ..named("store lost for 5 s") });
        all.push(Scenario { counting: Counting::Sliding, ..named("sliding") });
    }
    all
}

/// Callers of a replica, so that all of them together are three times as many as are on their way where nobody waits.
fn enough(limit: u64, seconds: u64, replicas: u32) -> u64 {
    limit * 12 / (100 * seconds * u64::from(replicas))
}

fn float(number: u64) -> f64 {
    f64::from(u32::try_from(number).expect("below four billions"))
}

/// Waits until a window of the clock begins.
async fn until_next(seconds: u64) {
    let next = (now().as_secs() / seconds + 1) * seconds;
    sleep_until(Duration::from_secs(next)).await;
}

async fn sleep_until(time: Duration) {
    Virtual.sleep(time.saturating_sub(now())).await;
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    println!(
        "| load | replicas | limit | used, % | 429 | questions a call | a second | most in a second | longest turn, ms | \
         call p50, s | p99 | longest | even | calls of a replica, of the mean |"
    );
    println!("|{}", "---|".repeat(14));
    let is_wanted = |scenario: &Scenario| wanted.iter().all(|word| scenario.label().contains(word.as_str()));
    // Each has a thread of its own, and as many run as there are cores.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let left = Mutex::new(scenarios().into_iter().filter(is_wanted));
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let Some(scenario) = left.lock().expect("no panic").next() else { return };
                    let runtime =
                        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
                    let outcome = runtime.expect("a runtime").block_on(scenario.run());
                    scenario.print(&outcome);
                }
            });
        }
    });
}
