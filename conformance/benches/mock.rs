//! The mock against a bare hyper server and against an httpmock closure, over the same client: requests a second, the
//! median of one request, and the time to start. It shows whether the mock's state costs anything.

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
use keyfit_conformance::identity::{Identities as _, Need, Rights, State};
use keyfit_conformance::mock::Mock;
use keyfit_conformance::secret::Redactor;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const CONNECTIONS: usize = 16;
const REQUESTS: usize = 20_000;
const PATH: &str = "/project/proj_xxx/datasource/ds_xxx/stream/contacts/user-1001";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let source = apis::named("instasent-ingest").ok_or("it ships")?;
    let catalogue = Catalogue::read(&source)?;
    let started = Instant::now();
    let (api, mut contract) = (Arc::clone(&catalogue.api), (*catalogue.contract).clone());
    // The bench shall not run into the limit.
    contract.rate_limit.iter_mut().for_each(|rules| rules.limit = u64::MAX);
    let mock = Mock::start(api, Arc::new(contract), None, Redactor::default()).await?;
    let start = started.elapsed();
    let need = Need { kind: "datasource".to_owned(), state: State::Valid, rights: Rights::All, alone: false };
    let identity = mock.mint().find(&need).map_err(|missing| missing.to_string())?;
    let token = identity.secrets().next().ok_or("the API asks for no token")?.reveal().to_owned();

    let started = Instant::now();
    let scripted = MockServer::start_async().await;
    let closure = |_: &_| HttpMockResponse::builder().status(200).body("{}").build();
    scripted
        .mock_async(|when, then| {
            when.any_request();
            then.respond_with(closure);
        })
        .await;
    let scripted_start = started.elapsed();

    let bare = bare().await?;
    println!("{:22}{:>12}{:>12}{:>12}", "", "requests/s", "p50", "start");
    let ours = measure("mock", &format!("{}{PATH}", mock.base_url()), &token, start).await?;
    let hyper = measure("bare hyper", &format!("{bare}{PATH}"), &token, Duration::ZERO).await?;
    let other = measure("httpmock closure", &format!("{}{PATH}", scripted.base_url()), &token, scripted_start).await?;
    println!("mock / bare hyper: {:.2}, mock / httpmock closure: {:.2}", ours / hyper, ours / other);
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

/// A server that answers `{}` to everything.
async fn bare() -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let service = service_fn(|_| async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("{}")))) });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Ok(format!("http://{address}"))
}
