use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, TestRunner};

use super::super::reservation::{Report, Seen};
use super::super::window::SharedWindow;
use super::*;

/// A store on 127.0.0.1 that ends with its value; `None`, with a word, where there is none.
struct Store(Child, u16);

impl Store {
    fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let started = ["valkey-server", "redis-server"].into_iter().find_map(|program| {
            let mut command = Command::new(program);
            command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
            command.stdout(Stdio::null()).spawn().ok()
        });
        if started.is_none() {
            println!("skipped: neither valkey-server nor redis-server is installed");
        }
        Some(Self(started?, port))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The script, with the time as its last argument.
fn on_a_given_clock() -> Script {
    const CLOCK: &str = "redis.call('TIME')";
    let script = include_str!("reserve.lua");
    assert_eq!(script.matches(CLOCK).count(), 1);
    Script::new(&script.replace(CLOCK, "{ 0, tonumber(ARGV[13]) * 1000 }"))
}

/// Milliseconds that pass, and what is asked then. Epochs are given as how far back they are.
type Step = (u64, u64, u64, u64, Report);

fn step() -> impl Strategy<Value = Step> {
    let passes = prop_oneof![4 => 0..30_u64, 2 => 0..3000_u64, 1 => 0..70_000_u64];
    let seen = (prop::option::of(0..60_u64), 0..60_u64, 0..4_u64, prop_oneof![9 => 0..5000_u64, 1 => Just(u64::MAX)]);
    let seen = seen.prop_map(|(limit, remaining, reset, resets_in)| Seen {
        limit,
        remaining,
        reset,
        resets_in: Duration::from_millis(resets_in),
    });
    let refused = prop::option::weighted(0.05, (0..4000_u64).prop_map(Duration::from_millis));
    let report = (0..9_u64, 0..3_u64, 0..9_u64, prop::option::weighted(0.4, seen), refused, prop::bool::weighted(0.05));
    let report = report.prop_map(|(answered, counted_later, unused, seen, refused, is_unlimited)| Report {
        epoch: 0,
        answered,
        counted_later,
        unused,
        seen,
        refused,
        is_unlimited,
    });
    (passes, 0..4_u64, prop_oneof![1 => Just(0), 3 => 1..40_u64], 0..3_u64, report)
}

#[test]
fn the_script_and_the_machine_have_the_same_rules() {
    let Some(store) = Store::start() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let url = format!("redis://127.0.0.1:{}", store.1);
    let connection = runtime.block_on(async {
        let client = redis::Client::open(url).expect("a URL");
        loop {
            if let Ok(connection) = client.get_multiplexed_async_connection().await {
                return connection;
            }
            tokio::task::yield_now().await;
        }
    });
    let script = on_a_given_clock();
    let runs = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Runs { cases: 200, failure_persistence: None, ..Runs::default() });
    let result = runner.run(&prop::collection::vec(step(), 1..80), |steps| {
        runs.set(runs.get() + 1);
        let run = runs.get();
        let (mut window, mut now, mut epoch) = (SharedWindow::default(), 1000, 0_u64);
        for (passes, holder, wanted, back, report) in steps {
            now += passes;
            let report = Report {
                epoch: epoch.saturating_sub(back),
                seen: report.seen.map(|seen| Seen { reset: seen.reset + now / 2000, ..seen }),
                ..report
            };
            let asked = Reservation { holder, wanted, report };
            let mut invocation = script.prepare_invoke();
            for key in ["window", "clients", "short", "turns"] {
                invocation.key(format!("{key} {run}"));
            }
            arguments(&mut invocation, &asked);
            invocation.arg(now);
            let answer: Vec<i64> = runtime.block_on(invocation.invoke_async(&mut connection.clone())).expect("it runs");
            let expected = window.reserve(now, &asked);
            prop_assert_eq!(reserved(&answer), Some(expected), "{:?} at {}", asked, now);
            if let Reserved::Granted(granted) = expected {
                epoch = granted.epoch;
            }
        }
        Ok(())
    });
    result.expect("both say the same");
}
