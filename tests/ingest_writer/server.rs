//! A server that keeps what it is sent and misbehaves by a script.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use keyfit::instasent::ingest::{Client, DatasourceToken};
use keyfit::{Clock as _, Config, RetryPolicy, SystemClock};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What a server does with one request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Stores what is fit and says so, by list or by position.
    Store { by_list: bool },
    /// As [`STORE`], after a while.
    StoreAfter(Duration),
    /// Stores everything and says so of some.
    Forget { every: usize, by_list: bool },
    /// Answers with this status and stores nothing.
    Status(u16),
    /// Answers with 429, stores nothing, and asks to be left alone for so many seconds.
    Limited(u64),
    /// Stores everything and answers with this.
    StoreThen(u16, &'static str),
    /// Closes the connection without a word, having stored the batch or not.
    Cut { stores: bool },
    /// Refuses the batch with this status as long as a poisoned item is in it.
    RefusePoison(u16),
}

pub(crate) const STORE: Act = Act::Store { by_list: false };

#[derive(Default)]
pub(crate) struct Log {
    /// Each item that was stored, in order.
    pub(crate) stored: Vec<Value>,
    /// The targets and item counts of the requests.
    pub(crate) requests: Vec<(String, usize)>,
    busy: HashMap<String, usize>,
    /// Whether two requests at a time held items of one user.
    pub(crate) overlapped: bool,
}

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    log: Arc<Mutex<Log>>,
}

impl Server {
    /// Acts in order of the requests; afterwards by the last one.
    pub(crate) async fn start(script: Vec<Act>, last: Act) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let log = Arc::new(Mutex::new(Log::default()));
        let server = Self { url, log: Arc::clone(&log) };
        let script = Arc::new(Mutex::new(script.into_iter()));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, script, last) = (Arc::clone(&log), Arc::clone(&script), last.clone());
                let service = service_fn(move |request| {
                    let act = script.lock().expect("no panic").next().unwrap_or_else(|| last.clone());
                    handle(request, act, Arc::clone(&log))
                });
                // A connection that is cut is an error here, as it should be.
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        server
    }

    pub(crate) fn log<T>(&self, look: impl FnOnce(&Log) -> T) -> T {
        look(&self.log.lock().expect("no panic"))
    }

    /// A client that waits hardly at all before it tries again.
    pub(crate) fn client(&self, attempts: u32) -> Client {
        let policy = RetryPolicy::default()
            .attempts(attempts)
            .first_wait(Duration::from_millis(1))
            .longest_wait(Duration::from_millis(2))
            .budget(1_000_000);
        let token = DatasourceToken::new("fixture-token-0001").expect("a token"); // not-a-secret
        Client::with_config(token, Config::default().base_url(&self.url).retry(policy)).expect("a client")
    }
}

struct Cut;

async fn handle(
    request: Request<Incoming>,
    act: Act,
    log: Arc<Mutex<Log>>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let target = request.uri().to_string();
    let body = request.into_body().collect().await.map_err(std::io::Error::other)?.to_bytes();
    let items: Vec<Value> = serde_json::from_slice(&body).expect("a JSON array");
    let users: Vec<String> = items.iter().filter_map(|item| item["_user_id"].as_str().map(str::to_owned)).collect();
    {
        let mut log = log.lock().expect("no panic");
        log.requests.push((target, items.len()));
        log.overlapped |= users.iter().any(|user| log.busy.get(user).is_some_and(|count| *count > 0));
        for user in &users {
            *log.busy.entry(user.clone()).or_default() += 1;
        }
    }
    // Time for another request to overlap with this one.
    match act {
        Act::StoreAfter(time) => SystemClock.sleep(time).await,
        _ => tokio::task::yield_now().await,
    }
    let answer = respond(&act, &items, &log);
    let mut log = log.lock().expect("no panic");
    for user in &users {
        *log.busy.get_mut(user).expect("counted above") -= 1;
    }
    answer.map_err(|Cut| std::io::Error::other("cut by the script"))
}

fn respond(act: &Act, items: &[Value], log: &Mutex<Log>) -> Result<Response<Full<Bytes>>, Cut> {
    let store = |items: &mut dyn Iterator<Item = &Value>| log.lock().expect("no panic").stored.extend(items.cloned());
    let is_bad = |item: &Value| item["bad"] == true;
    Ok(match act {
        Act::Store { by_list } => {
            store(&mut items.iter().filter(|item| !is_bad(item)));
            let is_accepted: Vec<Option<bool>> = items.iter().map(|item| Some(!is_bad(item))).collect();
            outcome(items, &is_accepted, *by_list)
        }
        Act::Forget { every, by_list } => {
            store(&mut items.iter());
            let said = (0..items.len()).map(|index| (index % every != 0).then_some(true)).collect::<Vec<_>>();
            outcome(items, &said, *by_list)
        }
        Act::Status(status) => answer(*status, String::new()),
        Act::Limited(seconds) => {
            let mut limited = answer(429, String::new());
            limited.headers_mut().insert("retry-after", seconds.to_string().parse().expect("a number"));
            limited
        }
        Act::StoreThen(status, body) => {
            store(&mut items.iter());
            answer(*status, (*body).to_owned())
        }
        Act::Cut { stores } => {
            if *stores {
                store(&mut items.iter());
            }
            return Err(Cut);
        }
        Act::RefusePoison(status) if items.iter().any(|item| item["poison"] == true) => {
            answer(*status, r#"{"message":"poison"}"#.to_owned())
        }
        Act::RefusePoison(_) | Act::StoreAfter(_) => return respond(&STORE, items, log),
    })
}

/// What was said of each item: accepted, rejected or nothing.
fn outcome(items: &[Value], said: &[Option<bool>], by_list: bool) -> Response<Full<Bytes>> {
    let count = |wanted| said.iter().filter(|said| **said == Some(wanted)).count();
    let (accepted, rejected) = (count(true), count(false));
    let status = if accepted == 0 && rejected > 0 { 422 } else { 202 };
    let places = items.iter().zip(said).enumerate();
    let body = if by_list {
        let pick = |wanted| {
            let picked = places.clone().filter(move |(_, (_, said))| **said == Some(wanted));
            picked
                .map(|(position, (item, _))| json!({"position": position, "item": item, "error": "is bad"}))
                .collect::<Vec<_>>()
        };
        json!({"entitiesSuccess": accepted, "entitiesFailures": rejected, "accepted": pick(true), "errors": pick(false)})
    } else {
        let element = |(_, (item, said)): (usize, (&Value, &Option<bool>))| match said {
            Some(true) => Some(json!({"status": "success", "_user_id": item["_user_id"]})),
            Some(false) => {
                Some(json!({"status": "error", "_user_id": item["_user_id"], "errors": {"bad": ["is bad"]}}))
            }
            None => None,
        };
        json!({"entity": {"successful": accepted, "failed": rejected, "items": places.filter_map(element).collect::<Vec<_>>()}})
    };
    answer(status, body.to_string())
}

fn answer(status: u16, body: String) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::new(body.into())).expect("a response")
}
