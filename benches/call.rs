//! What a call through a typed client costs over raw reqwest with the same request and the same types, with one caller and
//! with many at once: `cargo bench --bench call`. Each call goes through the whole attempt loop: rate limiter, credential,
//! span, observer, retry budget. The raw side does what its users have to do as well: it makes the URL from the ids and has
//! a timeout. Rounds of both are interleaved; the figures are medians of the rounds' ratios.

use std::fs;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use keyfit::batch::Batch;
use keyfit::instasent::batch::BatchOutcome;
use keyfit::instasent::ingest::{Client, DatasourceToken, types};

const ROUNDS: usize = 41;
const CALLS: u32 = 300;
/// Callers at once, and how many calls each of them makes in a round.
const CALLERS: u32 = 64;
const CALLS_EACH: u32 = 20;
const TOKEN: &str = "bench-token";
const CONTACT: &str = r#"{"contact":{"id":"1","contactId":"2","contactData":{"_email":"ada@example.com","_phone_mobile":"+34600000000"},"deleted":false}}"#;

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
    let client = client(&base);
    let raw = raw_client();
    let mut pairs = Vec::new();
    for round in 0..ROUNDS {
        let ours = async || {
            let call = client.stream_contact_get().project("p").datasource("d").user_id("u");
            drop(call.send().await.expect("an answer"));
        };
        let theirs = async || {
            let request =
                raw.get(contact_url(&base, "p", "d", "u")).bearer_auth(TOKEN).header("accept", "application/json");
            let answer = request.send().await.expect("an answer");
            drop(answer.json::<types::StreamContactAnswer>().await.expect("a contact"));
        };
        pairs.push(pair(round, CALLS, ours, theirs).await);
    }
    print("GET one contact", CALLS, &pairs);
}

async fn post() {
    let items = vec![r#"{"status":"success","_user_id":"user-1"}"#; 100].join(",");
    let base = serve(&format!(r#"{{"entity":{{"successful":100,"failed":0,"items":[{items}]}}}}"#));
    let client = client(&base);
    let raw = raw_client();
    let contacts: Vec<types::Contact> = (0..100)
        .map(|number| {
            let contact = types::Contact::builder().user_id(format!("user-{number}")).email("ada@example.com");
            contact.phone_mobile("+34600000000").try_into().expect("a contact")
        })
        .collect();
    // The caller keeps its batch; neither side copies it.
    let batch: Batch<types::Contact, 100> = contacts.try_into().expect("100 contacts");
    let mut pairs = Vec::new();
    for round in 0..ROUNDS {
        let ours = async || {
            let call = client.stream_contacts_push().project("p").datasource("d").body(&batch);
            drop(call.send().await.expect("an answer"));
        };
        let theirs = async || {
            let url = format!("{base}/project/{}/datasource/{}/stream/contacts", black_box("p"), black_box("d"));
            let request = raw.post(url).bearer_auth(TOKEN).header("accept", "application/json").json(&batch);
            let answer = request.send().await.expect("an answer");
            drop(answer.json::<BatchOutcome>().await.expect("an outcome"));
        };
        pairs.push(pair(round, CALLS, ours, theirs).await);
    }
    print("POST 100 contacts", CALLS, &pairs);
}

async fn get_by_many() {
    let base = serve(CONTACT);
    let client = client(&base);
    let raw = raw_client();
    let ours = || {
        let client = client.clone();
        async move {
            for _ in 0..CALLS_EACH {
                let call = client.stream_contact_get().project("p").datasource("d").user_id("u");
                drop(call.send().await.expect("an answer"));
            }
        }
    };
    let theirs = || {
        let (raw, base) = (raw.clone(), base.clone());
        async move {
            for _ in 0..CALLS_EACH {
                let request =
                    raw.get(contact_url(&base, "p", "d", "u")).bearer_auth(TOKEN).header("accept", "application/json");
                let answer = request.send().await.expect("an answer");
                drop(answer.json::<types::StreamContactAnswer>().await.expect("a contact"));
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

fn raw_client() -> reqwest::Client {
    reqwest::Client::builder().timeout(Duration::from_secs(30)).build().expect("a client")
}

fn contact_url(base: &str, project: &str, datasource: &str, user: &str) -> String {
    format!("{base}/project/{project}/datasource/{datasource}/stream/contacts/{user}")
}

fn client(base: &str) -> Client {
    let token = DatasourceToken::new(TOKEN).expect("a token");
    Client::with_config(token, keyfit::Config::default().base_url(base)).expect("a client")
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

/// A bare server: one answer to everything, on a thread a connection.
fn serve(body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = answer.clone();
            std::thread::spawn(move || talk(stream.expect("a connection"), answer.as_bytes()));
        }
    });
    base
}

fn talk(mut stream: TcpStream, answer: &[u8]) {
    stream.set_nodelay(true).expect("a socket");
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
        }
        reader.read_exact(&mut vec![0; length]).expect("a body");
        if stream.write_all(answer).is_err() {
            return;
        }
    }
}
