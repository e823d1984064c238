//! The mock against a bare hyper server and against an httpmock closure with the same answer, over the same client: requests a second,
//! the median of one request, and the time to start. It shows whether the mock's state costs anything. Then a million tokens and
//! 10,000 connections at once, which another process opens: memory of the mock, and how long requests take.

#[path = "../../benches/history/mod.rs"]
mod history;

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::Full;
use httpmock::{HttpMockResponse, MockServer};
use hyper::Response;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use keyfit_conformance::apis;
use keyfit_conformance::catalogue::Catalogue;
use keyfit_conformance::credential::identity::{CredentialNeed, Identities as _, Rights, State};
use keyfit_conformance::credential::secret::Redactor;
use keyfit_conformance::mock::Mock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const CONNECTIONS: usize = 16;
const REQUESTS: usize = 20_000;
const ROUNDS: usize = 5;
const TOKENS: usize = 1_000_000;
/// Connections at once. Client and mock are two processes, since each has a file handle for each.
const CROWD: usize = 10_000;
/// The argument of the process that opens them, before its URL and its token.
const CLIENT: &str = "--crowd";
const PATH: &str = "/project/proj_xxx/datasource/ds_xxx/stream/contacts/user-1001";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [CLIENT, url, token] = *arguments.iter().map(String::as_str).collect::<Vec<_>>() {
        let times = crowd(url, token, CROWD, 1).await?;
        println!(
            "p50 {:.0?}, p99 {:.0?}, the last {:.0?}",
            times[times.len() / 2],
            times[times.len() * 99 / 100],
            times[times.len() - 1]
        );
        return Ok(());
    }
    let source = apis::find_shipped("instasent-ingest").ok_or("it ships")?;
    let catalogue = Catalogue::read(&source)?;
    let started = Instant::now();
    let (api, mut contract) = (Arc::clone(&catalogue.api), (*catalogue.contract).clone());
    // The bench shall not run into the limit.
    contract.rate_limit.iter_mut().for_each(|rules| rules.limit = u64::MAX);
    let mock = Mock::start(api, Arc::new(contract), None, Redactor::default()).await?;
    let start = started.elapsed();
    let need = CredentialNeed { kind: "datasource".to_owned(), state: State::Valid, rights: Rights::All, alone: false };
    let identity = mock.token_issuer().find(&need).map_err(|missing| missing.to_string())?;
    let token = identity.secrets().next().ok_or("the API asks for no token")?.reveal().to_owned();

    let url = format!("{}{PATH}", mock.base_url());
    let answer =
        reqwest::Client::builder().no_proxy().build()?.get(&url).bearer_auth(&token).send().await?.bytes().await?;
    let started = Instant::now();
    let scripted = MockServer::start_async().await;
    let body = answer.to_vec();
    let closure = move |_: &_| HttpMockResponse::builder().status(200).body(body.clone()).build();
    scripted
        .mock_async(|when, then| {
            when.any_request();
            then.respond_with(closure);
        })
        .await;
    let scripted_start = started.elapsed();

    let bare = bare(answer).await?;
    println!("{:22}{:>12}{:>12}{:>12}", "", "requests/s", "p50", "start");
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let ours = measure("mock", &url, &token, start).await?;
        let hyper = measure("bare hyper", &format!("{bare}{PATH}"), &token, Duration::ZERO).await?;
        let other =
            measure("httpmock closure", &format!("{}{PATH}", scripted.base_url()), &token, scripted_start).await?;
        ratios.push([hyper / ours, other / ours]);
    }
    let [hyper, closure] = [0, 1].map(|of| ratios.iter().map(|pair: &[f64; 2]| pair[of]).collect::<Vec<_>>());
    history::figure("mock", "time of a request, of that of bare hyper (aim: 1.15)", &hyper);
    history::figure("mock", "time of a request, of that of an httpmock closure", &closure);
    let before = peak_megabytes();
    // Each of another tenant: for the same need there is the same token otherwise.
    let need = CredentialNeed { alone: true, ..need };
    for _ in 0..TOKENS {
        mock.token_issuer().find(&need).map_err(|missing| missing.to_string())?;
    }
    let times = crowd(&url, &token, 1, 2_000).await?;
    println!(
        "{TOKENS} tokens: {:.0} MB more, p99 of one request {:.2?}",
        peak_megabytes() - before,
        times[times.len() * 99 / 100]
    );
    let before = peak_megabytes();
    let client = tokio::process::Command::new(std::env::current_exe()?).args([CLIENT, &url, &token]).output().await?;
    let said = String::from_utf8_lossy(&client.stdout);
    println!("{CROWD} connections at once: {:.0} MB more, {}", peak_megabytes() - before, said.trim());
    if !client.status.success() {
        return Err(String::from_utf8_lossy(&client.stderr).into_owned().into());
    }
    Ok(())
}

async fn measure(name: &str, url: &str, token: &str, start: Duration) -> Result<f64, Box<dyn Error>> {
    let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(CONNECTIONS).build()?;
    let one = http.get(url).bearer_auth(token).send().await?;
    if one.status() != 200 {
        return Err(format!("{name} answers {}", one.status()).into());
    }
    one.bytes().await?;
    let mut single: Vec<Duration> = Vec::new();
    for _ in 0..2_000 {
        let started = Instant::now();
        http.get(url).bearer_auth(token).send().await?.bytes().await?;
        single.push(started.elapsed());
    }
    single.sort_unstable();
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (http, url, token) = (http.clone(), url.to_owned(), token.to_owned());
        workers.spawn(async move {
            for _ in 0..REQUESTS / CONNECTIONS {
                http.get(&url).bearer_auth(&token).send().await?.bytes().await?;
            }
            Ok::<(), reqwest::Error>(())
        });
    }
    while let Some(done) = workers.join_next().await {
        done??;
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let rate = REQUESTS as f64 / started.elapsed().as_secs_f64();
    println!("{name:22}{rate:>12.0}{:>12?}{start:>12?}", single[single.len() / 2]);
    Ok(rate)
}

/// How long requests take by so many connections at once, each of which makes so many and ends; the shortest first.
async fn crowd(url: &str, token: &str, connections: usize, each: usize) -> Result<Vec<Duration>, Box<dyn Error>> {
    let address = url.strip_prefix("http://").and_then(|rest| rest.split('/').next()).ok_or("a URL")?.to_owned();
    let path = url.split_once(&address).ok_or("a URL")?.1;
    let request =
        |end: &str| format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n{end}\r\n");
    let (request, last): (Arc<str>, Arc<str>) = (request("").into(), request("connection: close\r\n").into());
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        let (address, request, last) = (address.clone(), Arc::clone(&request), Arc::clone(&last));
        workers.spawn(async move {
            let mut times = Vec::with_capacity(each);
            let mut began = Instant::now();
            let mut stream = TcpStream::connect(&*address).await?;
            stream.set_nodelay(true)?;
            let mut answer = vec![0; 16 * 1024];
            for number in 1..=each {
                let text = if number == each { &last } else { &request };
                stream.write_all(text.as_bytes()).await?;
                if stream.read(&mut answer).await? == 0 || !answer.starts_with(b"HTTP/1.1 200 ") {
                    return Err(std::io::Error::other("no success"));
                }
                times.push(began.elapsed());
                began = Instant::now();
            }
            Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = workers.join_next().await {
        times.extend(done??);
    }
    times.sort_unstable();
    Ok(times)
}

/// Of this process so far, where Linux tells it.
fn peak_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    line.map_or(0.0, |kilobytes: f64| kilobytes / 1024.0)
}

/// A server that answers this to everything.
async fn bare(body: Bytes) -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let body = body.clone();
            let service = service_fn(move |_| {
                let answer = Response::new(Full::new(body.clone()));
                async move { Ok::<_, Infallible>(answer) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Ok(format!("http://{address}"))
}
