//! A connection to the server of a queue.

use std::error::Error as StdError;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerAddr};
use secrecy::ExposeSecret as _;

use super::address::{Address, Login};
use super::failure::refused;
use crate::error::Error;
use crate::runtime;

/// How long a connection may take to be made, and the server to answer at most.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// The first version that keeps metadata of streams.
const OLDEST: (i64, i64, i64) = (2, 10, 0);
/// Messages that wait for their acknowledgement at most.
const UNCONFIRMED: usize = 20_000;

#[derive(Clone)]
pub(super) struct Connection {
    pub(super) context: Context,
    pub(super) client: Client,
    /// How often the connection was lost: what was on its way then may be lost with it.
    breaks: Arc<AtomicU64>,
}

impl Connection {
    /// `timeout`: how long the server may take to answer.
    pub(super) async fn open(address: &Address, timeout: Duration) -> Result<Self, Error> {
        Error::check_runtime()?;
        let breaks = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&breaks);
        let mut options = ConnectOptions::new()
            .name("keyfit")
            .connection_timeout(TIMEOUT)
            .request_timeout(Some(timeout))
            .require_tls(address.is_tls)
            .reconnect_delay_callback(|attempts| Duration::from_millis(100 * attempts.clamp(1, 20) as u64))
            .event_callback(move |event| {
                if let Event::Disconnected = event {
                    counted.fetch_add(1, Ordering::AcqRel);
                    tracing::warn!(target: "keyfit::batch_writer", "the connection to the queue is lost");
                }
                std::future::ready(())
            });
        options = match (&address.credentials, &address.login) {
            (Some(path), _) => options.credentials_file(path).await.map_err(|error| {
                Error::configuration(format!(
                    "the credentials of the queue cannot be read: {}: {}",
                    path.display(),
                    error.kind()
                ))
            })?,
            (None, Login::None) => options,
            (None, Login::Token(token)) => options.token(token.expose_secret().to_owned()),
            (None, Login::User(user, password)) => {
                options.user_and_password(user.clone(), password.expose_secret().to_owned())
            }
        };
        if let Some(path) = &address.authority {
            check_authority(path).await?;
            options = options.add_root_certificates(path.clone());
        }
        let scheme = if address.is_tls { "tls" } else { "nats" };
        let server: ServerAddr = format!("{scheme}://{}:{}", address.host, address.port)
            .parse()
            .map_err(|_| Error::configuration(format!("the queue {address} names no server")))?;
        let made = runtime::timeout(TIMEOUT, options.connect(server)).await;
        let client = match made {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => return Err(refused(address, &reason(&error, address))),
            Err(_) => {
                return Err(refused(
                    address,
                    "it does not answer within 5 s: is it running, and can it be reached from here?",
                ));
            }
        };
        let (major, minor, patch) = OLDEST;
        if !client.is_server_compatible(major, minor, patch) {
            let version = client.server_info().version;
            return Err(refused(address, &format!("it is version {version} of NATS: 2.10 or later is needed")));
        }
        let context = ContextBuilder::new()
            .timeout(timeout)
            .ack_timeout(timeout)
            .max_ack_inflight(UNCONFIRMED)
            .backpressure_on_inflight(true)
            .build(client.clone());
        if let Err(error) = context.query_account().await {
            let why = format!("it has no JetStream for this login, start it with `-js` ({error})");
            return Err(refused(address, &why));
        }
        Ok(Self { context, client, breaks })
    }

    pub(super) fn breaks(&self) -> u64 {
        self.breaks.load(Ordering::Acquire)
    }
}

/// Checks that a file has certificates. The connection would blame TLS.
async fn check_authority(path: &Path) -> Result<(), Error> {
    let why = match tokio::fs::read_to_string(path).await {
        Ok(text) if text.contains("-----BEGIN CERTIFICATE-----") => return Ok(()),
        Ok(_) => "it holds no certificate in PEM".to_owned(),
        Err(error) => error.kind().to_string(),
    };
    Err(Error::configuration(format!("the certificates of the queue cannot be read: {}: {why}", path.display())))
}

/// The reason of a failed connection, and a remedy.
fn reason(error: &ConnectError, address: &Address) -> String {
    let words = match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            if matches!((&address.login, &address.credentials), (Login::None, None)) {
                "it wants a login: `USER:PASSWORD@` or `TOKEN@` before the host, or a file of credentials"
            } else {
                "it refuses the login"
            }
        }
        ConnectErrorKind::Dns => "its host has no address",
        ConnectErrorKind::TimedOut => "it does not answer in time: is it running, and can it be reached from here?",
        ConnectErrorKind::Tls => "TLS to it fails: does it speak TLS, and is its certificate trusted?",
        _ => {
            return match handshake_error(error) {
                Some(error) => format!("TLS to it fails, is its certificate trusted? {error}"),
                None => "it cannot be reached: is it running there, and does it speak NATS?".to_owned(),
            };
        }
    };
    words.to_owned()
}

/// The error of rustls behind an error of a connection, which calls it one of input and output.
fn handshake_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a io::Error> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(found) =
            cause.downcast_ref::<io::Error>().filter(|cause| cause.kind() == io::ErrorKind::InvalidData)
        {
            return Some(found);
        }
        source = cause.source();
    }
    None
}
