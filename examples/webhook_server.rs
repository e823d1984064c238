//! A receiver of signed webhooks: `WEBHOOK_SECRET=... cargo run --example webhook_server --features axum -- 8080`, then
//!
//! ```sh
//! body='{"id": "evt_1"}'
//! signature=$(printf %s "$body" | openssl dgst -sha256 -hmac "$WEBHOOK_SECRET" -hex | sed 's/.*= *//')
//! curl -i -H "X-Signature: sha256=$signature" -d "$body" http://127.0.0.1:8080/hook
//! ```
//!
//! It verifies the bytes as they came, works on each event once, and answers what it did before with success.

use std::env;
use std::error::Error;
use std::net::Ipv4Addr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use keyfit::auth::SecretSource as _;
use keyfit::auth::source::EnvSource;
use keyfit::webhook::{Duplicate, SeenIds, SignatureScheme, Verifier};
use tokio::net::TcpListener;

#[derive(Clone)]
struct Receiver {
    verifier: Verifier,
    seen: SeenIds,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = env::args().nth(1).map_or(Ok(8080), |port| port.parse())?;
    let secret = EnvSource::new("WEBHOOK_SECRET").read().await?;
    let scheme = SignatureScheme::hmac_sha256("X-Signature").prefix("sha256=");
    let receiver = Receiver {
        verifier: Verifier::new(scheme, secret)?,
        // As long as the sender repeats a delivery that was not answered.
        seen: SeenIds::new(100_000, Duration::from_secs(3 * 24 * 60 * 60)),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("posts to http://{}/hook are verified", listener.local_addr()?);
    axum::serve(listener, Router::new().route("/hook", post(receive)).with_state(receiver)).await?;
    Ok(())
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    if let Err(error) = receiver.verifier.verify(&headers, &body) {
        return (StatusCode::UNAUTHORIZED, format!("{error}\n"));
    }
    let event: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some(id) = event["id"].as_str() else { return (StatusCode::BAD_REQUEST, "the event has no id\n".to_owned()) };
    match receiver.seen.claim(id) {
        Ok(claim) => {
            println!("working on {id}");
            claim.done(); // Left out where the work fails: the event comes again then.
            (StatusCode::NO_CONTENT, String::new())
        }
        Err(Duplicate::Done) => (StatusCode::NO_CONTENT, String::new()),
        Err(duplicate) => (StatusCode::CONFLICT, format!("{duplicate}\n")),
    }
}
