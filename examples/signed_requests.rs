//! Requests that are signed: an HMAC over method, path with query, date and body, beside the API's own key.
//!
//! `SCOPIEN_API_KEY=... SIGNING_SECRET=... cargo run --example signed_requests`; `SCOPIEN_BASE_URL` leads it elsewhere.

use std::error::Error;
use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac as _};
use keyfit::Config;
use keyfit::auth::SecretSource as _;
use keyfit::auth::source::{BoxFuture, EnvSource, ExposeSecret as _, SecretString};
use keyfit::hook::{AfterAttempt, Hook, HookError, RequestSigner, Signable};
use keyfit::scopien::{Client, Key};
use sha2::{Digest as _, Sha256};

/// Signs by a secret that the server has too.
struct HmacSigner {
    secret: SecretString,
}

impl RequestSigner for HmacSigner {
    fn sign<'a>(&'a self, request: &'a mut Signable) -> BoxFuture<'a, Result<(), HookError>> {
        Box::pin(async move {
            let date = httpdate::fmt_http_date(request.now());
            let body = request.body().ok_or("an upload cannot be signed")?;
            let target = match request.query() {
                Some(query) => format!("{}?{query}", request.path()),
                None => request.path().to_owned(),
            };
            let digest = BASE64_STANDARD.encode(Sha256::digest(body));
            let text = format!("{}\n{target}\n{date}\n{digest}", request.method());
            let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret().as_bytes())?;
            mac.update(text.as_bytes());
            let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
            request.insert_header("date", &date)?;
            request.insert_header("x-signature", &signature)
        })
    }
}

impl fmt::Debug for HmacSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacSigner")
    }
}

/// Says how each attempt ended.
#[derive(Debug)]
struct Log;

impl Hook for Log {
    fn after(&self, attempt: &AfterAttempt) {
        let status = attempt.status().map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        println!("attempt {} of {}: {status}", attempt.number(), attempt.operation().id);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let secret = EnvSource::new("SIGNING_SECRET").read().await?;
    let config = Config::default().base_url_from_env("SCOPIEN_BASE_URL")?.signer(HmacSigner { secret }).hook(Log);
    let client = Client::with_config(Key::from_env()?, config)?;
    println!("the key may {:?}", client.auth_test().send().await?.scopes);
    Ok(())
}
