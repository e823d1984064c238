//! A budget in Valkey or Redis.

mod connection;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_core::future::BoxFuture;
use redis::cluster::ClusterClientBuilder;
use redis::{AsyncConnectionConfig, ErrorKind, RedisError, Script, ScriptInvocation, ServerErrorKind};

use super::reservation::{Granted, Reservation, Reserved};
use super::{Budget, BudgetError};
use crate::error::Error;
use crate::runtime;
use connection::{Connection, Store};

/// The timeout of a request to the store, and of a connection. Clients give up a little later.
const TIMEOUT: Duration = Duration::from_millis(900);
/// The timeout of the first connection.
const FIRST: Duration = Duration::from_secs(5);
const LONGEST_NAMESPACE: usize = 100;

/// A budget in Valkey, or in Redis from version 5 on, for clients on many machines. Cloning shares the connection.
///
/// One script takes in and answers each reservation, by the clock of the store alone. Four keys a bucket,
/// `{NAMESPACE:BUCKET}:window`, `:clients`, `:short` and `:turns`, go by themselves an hour after the last use; they hold numbers,
/// and the name of a bucket holds the API, the origin of its base URL, and what the path says of whose limit it is as a fingerprint
/// (SHA-256, 16 bytes). The user needs `+eval +evalsha +script|load +time +hgetall +hset +del +pexpire +zadd +zcard +zcount +zrem
/// +zremrangebyscore +zscore` on the keys `{NAMESPACE:*`.
///
/// Where the store loses its data, windows begin anew from the next answers. Replicas that take over are a moment behind: a
/// window may be overspent then by what was granted last.
#[derive(Clone)]
pub struct ValkeyBudget {
    connection: Arc<Connection>,
    namespace: Arc<str>,
    script: Arc<Script>,
}

impl ValkeyBudget {
    /// Connects to a server, by `redis://HOST:PORT/DATABASE`, with `USER:PASSWORD@` in front of the host where there is a login;
    /// `rediss://` for TLS, `redis+unix:///PATH` for a socket. Clients whose calls count together have one namespace: such as one
    /// for each account, 1 to 100 letters, digits, `-`, `_`, `.` and `:`.
    ///
    /// # Errors
    /// Returns an error if the URL or the namespace is none, the server cannot be reached within 5 s, refuses the login or the
    /// commands, is older than version 5, or holds something else in the namespace. No error holds the URL's login.
    pub async fn connect(url: &str, namespace: &str) -> Result<Self, Error> {
        let namespace = checked(namespace)?;
        let client = redis::Client::open(url).map_err(|error| refused("its URL is refused", &error))?;
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(TIMEOUT)).set_response_timeout(Some(TIMEOUT));
        Self::tried(Store::One(client, config), namespace).await
    }

    /// Connects to a cluster by some of its nodes, whose URLs are as those of [`connect`](Self::connect).
    ///
    /// # Errors
    /// Returns an error if [`connect`](Self::connect) would.
    pub async fn connect_cluster<'a>(urls: impl IntoIterator<Item = &'a str>, namespace: &str) -> Result<Self, Error> {
        let namespace = checked(namespace)?;
        let nodes: Result<Vec<_>, _> = urls.into_iter().map(redis::IntoConnectionInfo::into_connection_info).collect();
        let nodes = nodes.map_err(|error| refused("a URL is refused", &error))?;
        let builder = ClusterClientBuilder::new(nodes).retries(1).connection_timeout(TIMEOUT).response_timeout(TIMEOUT);
        let client = builder.build().map_err(|error| refused("the URLs of the cluster are refused", &error))?;
        Self::tried(Store::Cluster(client), namespace).await
    }

    /// Asks once, so that what is wrong is said at once.
    async fn tried(store: Store, namespace: Arc<str>) -> Result<Self, Error> {
        let script = Arc::new(Script::new(include_str!("reserve.lua")));
        let budget = Self { connection: Arc::new(Connection::new(store)), namespace, script };
        within(budget.ask("connect", &Reservation::default())).await?;
        Ok(budget)
    }

    async fn ask(&self, bucket: &str, asked: &Reservation) -> Result<Vec<i64>, RedisError> {
        let mut invocation = self.script.prepare_invoke();
        let bucket = format!("{{{}:{bucket}}}", self.namespace);
        for key in ["window", "clients", "short", "turns"] {
            invocation.key(format!("{bucket}:{key}"));
        }
        arguments(&mut invocation, asked);
        self.connection.run(&invocation).await
    }
}

impl Budget for ValkeyBudget {
    fn reserve<'a>(&'a self, bucket: &'a str, asked: Reservation) -> BoxFuture<'a, Result<Reserved, BudgetError>> {
        Box::pin(async move {
            let answer = self.ask(bucket, &asked).await;
            let answer = answer.map_err(|error| BudgetError::from_source(reason(&error), error))?;
            reserved(&answer).ok_or_else(|| BudgetError::new("its answer is none of this version of the script"))
        })
    }
}

impl fmt::Debug for ValkeyBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValkeyBudget").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

/// The arguments of the script; empty where there is nothing to say.
fn arguments(invocation: &mut ScriptInvocation<'_>, asked: &Reservation) {
    let report = &asked.report;
    let seen = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
    invocation
        .arg(format!("{:016x}", asked.holder))
        .arg(asked.wanted)
        .arg(report.epoch)
        .arg(report.answered)
        .arg(report.counted_later)
        .arg(report.unused)
        .arg(report.refused.map_or(0, milliseconds))
        .arg(u8::from(report.is_unlimited))
        .arg(seen(report.seen.and_then(|seen| seen.limit)))
        .arg(seen(report.seen.map(|seen| seen.remaining)))
        .arg(seen(report.seen.map(|seen| seen.reset)))
        .arg(seen(report.seen.map(|seen| milliseconds(seen.resets_in))));
}

/// Numbers of Lua are whole up to 2^53.
fn milliseconds(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX).min(1 << 53)
}

/// The answer of the script; `None` where it is another script.
fn reserved(answer: &[i64]) -> Option<Reserved> {
    let number = |value: i64| u64::try_from(value).ok();
    match *answer {
        [0, wait] => Some(Reserved::Wait(Duration::from_millis(number(wait)?))),
        [1, calls, epoch, reset, valid_for, limit, holders] => Some(Reserved::Granted(Granted {
            calls: number(calls)?,
            epoch: number(epoch)?,
            reset: number(reset),
            valid_for: Duration::from_millis(number(valid_for)?),
            limit: number(limit),
            holders: number(holders)?,
        })),
        [2] => Some(Reserved::Noted),
        _ => None,
    }
}

fn checked(namespace: &str) -> Result<Arc<str>, Error> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if namespace.is_empty() || namespace.len() > LONGEST_NAMESPACE || !namespace.chars().all(is_plain) {
        return Err(Error::configuration(format!(
            "the namespace of a budget has 1 to {LONGEST_NAMESPACE} letters, digits, `-`, `_`, `.` and `:`, and `{}` has not",
            namespace.escape_debug()
        )));
    }
    Ok(namespace.into())
}

async fn within<T>(made: impl Future<Output = Result<T, RedisError>>) -> Result<T, Error> {
    match runtime::timeout(FIRST, made).await {
        Ok(made) => made.map_err(|error| refused(reason(&error), &error)),
        Err(_) => Err(Error::configuration(format!(
            "the store of the rate budget does not answer within {} s: is it running, and can it be reached from here?",
            FIRST.as_secs()
        ))),
    }
}

fn refused(why: &str, error: &RedisError) -> Error {
    Error::configuration(format!("the store of the rate budget cannot be used: {why} ({error})"))
}

/// The cause of an error, and the way out.
fn reason(error: &RedisError) -> &'static str {
    match error.kind() {
        ErrorKind::AuthenticationFailed => "it refuses the login of the URL",
        ErrorKind::InvalidClientConfig => "its URL is refused: it is `redis://HOST:PORT`, or `rediss://` for TLS",
        ErrorKind::Io => "it cannot be reached",
        ErrorKind::ClusterConnectionNotFound => "no node of the cluster can be reached",
        ErrorKind::Server(ServerErrorKind::NoPerm) => {
            "its user may not run the script or use the keys of the namespace"
        }
        ErrorKind::Server(ServerErrorKind::ReadOnly) => "it is a replica, which takes no writes: name the primary",
        ErrorKind::Server(_) | ErrorKind::Extension => match error.code() {
            Some("FORMAT") => "another version of the budget, or something else, keeps its data under this namespace",
            Some("WRONGTYPE") => "something else keeps its data under this namespace: take another",
            Some("NOAUTH") => "it wants a login in the URL",
            Some("WRONGPASS") => "it refuses the login of the URL",
            // A server answers so to a long command before any login.
            _ if error.detail().is_some_and(|detail| detail.contains("unauthenticated")) => {
                "it wants a login in the URL"
            }
            Some("OOM") => "its memory is full",
            _ => "it refuses the script",
        },
        _ => "it does not answer as a server of Valkey or Redis does",
    }
}

#[cfg(test)]
mod tests;
