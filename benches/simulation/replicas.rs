//! Replicas that call, each a real client, and what became of their calls.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyfit::scopien::{Client, Key};
use keyfit::{Clock as _, Config};
use tokio::task::JoinSet;

use super::world::{Life, Server, Store, ToServer, ToStore, Virtual, now, random};

/// How replicas call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Load {
    /// From so many callers each, without a pause.
    Full(u64),
    /// The first one from so many callers without a pause; the others take a fifth of the limit, a call at a time.
    OneBusy(u64),
    /// All of a sudden so many calls at once, now and then; in all this part of the limit.
    Bursts(u32, f64),
}

/// Replicas, by their number.
pub(crate) struct Replicas {
    all: Vec<(Life, JoinSet<()>)>,
    pub(crate) calls: Arc<Mutex<Calls>>,
}

/// The calls that were answered.
#[derive(Debug)]
pub(crate) struct Calls {
    /// How often, by the replica.
    pub(crate) of: Vec<u64>,
    /// How long each took.
    pub(crate) times: Vec<Duration>,
    pub(crate) failed: u64,
    /// Whether they count.
    pub(crate) count: bool,
}

impl Calls {
    fn note(&mut self, replica: usize, time: Duration, is_answered: bool) {
        if self.count {
            self.of[replica] += u64::from(is_answered);
            self.failed += u64::from(!is_answered);
            self.times.push(time);
        }
    }
}

/// One replica, for its callers.
#[derive(Clone)]
struct Caller {
    client: Client,
    number: usize,
    calls: Arc<Mutex<Calls>>,
}

impl Caller {
    async fn call(&self) {
        let began = now();
        let answer = self.client.accounts_list().send().await;
        self.calls.lock().expect("no panic").note(self.number, now().saturating_sub(began), answer.is_ok());
    }
}

impl Replicas {
    /// Starts so many, within a second. `rate` is what the limit allows in a second, `away` how much farther from the store the last
    /// tenth of them are.
    pub(crate) fn start(
        number: u32,
        load: Load,
        rate: f64,
        server: &Arc<Server>,
        store: &Arc<Store>,
        away: Duration,
    ) -> Self {
        let of = vec![0; number as usize];
        let calls = Arc::new(Mutex::new(Calls { of, times: Vec::new(), failed: 0, count: false }));
        let start = |replica: u32| {
            let life = Life::default();
            let away = if replica * 10 >= number * 9 { away } else { Duration::ZERO };
            let to_server = ToServer { server: Arc::clone(server), life: life.clone() };
            let to_store = ToStore { store: Arc::clone(store), life: life.clone(), away };
            let config = Config::default()
                .base_url("https://api.example")
                .clock(Virtual)
                .deadline(Duration::from_secs(24 * 3600))
                .http_client(to_server)
                .budget(to_store);
            let client = Client::with_config(Key::new("any").expect("a key"), config).expect("a client");
            let caller = Caller { client, number: replica as usize, calls: Arc::clone(&calls) };
            (life, begin(caller, load, replica == 0, f64::from(number), rate))
        };
        Self { all: (0..number).map(start).collect(), calls }
    }

    /// Ends the first so many at once.
    pub(crate) fn kill(&mut self, number: usize) {
        for (life, mut callers) in self.all.drain(..number) {
            life.end();
            callers.abort_all();
        }
    }
}

/// The callers of a replica.
fn begin(caller: Caller, load: Load, is_first: bool, number: f64, rate: f64) -> JoinSet<()> {
    let mut callers = JoinSet::new();
    match load {
        Load::Full(each) => without_pause(&mut callers, &caller, each),
        Load::OneBusy(number) if is_first => without_pause(&mut callers, &caller, number),
        Load::OneBusy(_) => {
            let pause = (number - 1.0) / (rate * 0.2);
            callers.spawn(async move {
                loop {
                    pause_about(pause).await;
                    caller.call().await;
                }
            });
        }
        Load::Bursts(size, part) => {
            let pause = number * f64::from(size) / (rate * part);
            callers.spawn(async move {
                let mut calling = JoinSet::new();
                loop {
                    pause_about(pause).await;
                    for _ in 0..size {
                        let caller = caller.clone();
                        calling.spawn(async move { caller.call().await });
                    }
                    while calling.try_join_next().is_some() {}
                }
            });
        }
    }
    callers
}

fn without_pause(callers: &mut JoinSet<()>, caller: &Caller, number: u64) {
    for _ in 0..number {
        let caller = caller.clone();
        callers.spawn(async move {
            Virtual.sleep(Duration::from_millis(random(0..1000).into())).await;
            loop {
                caller.call().await;
            }
        });
    }
}

/// Waits for as long as it takes until a thing comes that has no memory, so many seconds in the mean.
async fn pause_about(seconds: f64) {
    let chance = f64::from(random(1..u32::MAX)) / f64::from(u32::MAX);
    Virtual.sleep(Duration::from_secs_f64(-seconds * chance.ln())).await;
}
