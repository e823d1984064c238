//! Sessions in PostgreSQL, for programs on many machines.

mod encryption;
mod lease;
mod schema;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use futures_core::future::BoxFuture;

use super::random::random_text;
use super::{StoreLock, TokenSet, TokenStore};
use crate::error::{Clock, Error, SystemClock};

pub use encryption::EncryptionKeys;
use lease::Lease;
use secrecy::ExposeSecret as _;

/// How long a refresh that died keeps others waiting. A lease is renewed as long as its holder lives.
const LEASE: Duration = Duration::from_secs(60);
/// How long a session waits for a refresh elsewhere, beyond a lease.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a lease is tried.
const TRIED_EVERY: Duration = Duration::from_millis(50);

/// Sessions in PostgreSQL (12 or later), for programs on any number of machines. Cloning shares the pool.
///
/// The tokens of each session are one row of the table `keyfit_session`, encrypted with [`EncryptionKeys`] under the session's
/// name. [`migrate`](Self::migrate) makes the table; [`connect`](Self::connect) says where it is missing.
///
/// ```no_run
/// use keyfit::auth::oauth::{EncryptionKeys, PostgresSessions, RefreshingSession, TokenEndpoint};
/// use keyfit::auth::source::EnvSource;
///
/// # async fn example(endpoint: TokenEndpoint, pool: deadpool_postgres::Pool) -> Result<(), keyfit::Error> {
/// let keys = EncryptionKeys::from_source(EnvSource::new("SESSION_KEY")).await?;
/// PostgresSessions::migrate(&pool).await?;
/// let sessions = PostgresSessions::connect(pool, keys).await?;
/// let session = RefreshingSession::load(endpoint, sessions.session("alice")).await?;
/// # drop(session);
/// # Ok(())
/// # }
/// ```
///
/// One process refreshes a session at a time: it holds a [lease](Self::lease) in the row and renews it while it lives. A save takes the
/// place of exactly the set that was read before; where another process has written since, it changes nothing and is an error. A
/// lease is not given back after a save that failed, since it may have been written: it ends by itself.
///
/// # A kill in the middle of a refresh
/// See [`TokenStore`](TokenStore#a-kill-in-the-middle-of-a-refresh): the row holds a set without refresh token from before the
/// token is sent.
#[derive(Clone)]
pub struct PostgresSessions {
    pool: Pool,
    keys: Arc<EncryptionKeys>,
    lease: Duration,
    clock: Arc<dyn Clock>,
}

/// The row of one session.
#[derive(Clone)]
pub struct PostgresStore(Arc<Row>);

pub(super) struct Row {
    sessions: PostgresSessions,
    name: String,
    /// This store, in leases.
    holder: String,
    /// The version that was read or written last; 0 where there is none.
    version: AtomicI64,
    /// Whether a save has failed, so that nobody knows what the row holds.
    has_failed: AtomicBool,
}

impl PostgresSessions {
    /// Makes the table, or brings that of an older version up to date. Processes that start at once wait for each other.
    ///
    /// # Errors
    /// Returns an error if the database cannot be reached or refuses it, or the table is of a newer version.
    pub async fn migrate(pool: &Pool) -> Result<(), Error> {
        schema::migrate(&mut connection(pool).await?).await
    }

    /// Looks at the table. Nothing is written.
    ///
    /// # Errors
    /// Returns an error if the database cannot be reached or refuses the login, or the table is missing, of a newer version, or somebody
    /// else's.
    pub async fn connect(pool: Pool, keys: EncryptionKeys) -> Result<Self, Error> {
        schema::check(&connection(&pool).await?).await?;
        Ok(Self { pool, keys: Arc::new(keys), lease: LEASE, clock: Arc::new(SystemClock) })
    }

    /// How long a process that died in the middle of a refresh keeps the others waiting. It has to be longer than a stall of a process
    /// that lives, which renews its lease three times as often. Default: 60 s; at least 1 s.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_secs(1));
        self
    }

    /// The clock that waits for leases, for tests. Leases end by the clock of the database alone.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The store of a session, by a name of yours: that of a user or of an account.
    pub fn session(&self, name: impl Into<String>) -> PostgresStore {
        let holder = random_text().map(|text| text.expose_secret().to_owned()).unwrap_or_default();
        PostgresStore(Arc::new(Row {
            sessions: self.clone(),
            name: name.into(),
            holder,
            version: AtomicI64::new(0),
            has_failed: AtomicBool::new(false),
        }))
    }
}

impl Row {
    async fn connection(&self) -> Result<Object, Error> {
        connection(&self.sessions.pool).await
    }

    async fn load(&self) -> Result<Option<TokenSet>, Error> {
        let row = self
            .connection()
            .await?
            .query_opt("SELECT version, tokens FROM keyfit_session WHERE name = $1", &[&self.name])
            .await
            .map_err(|error| failed(&self.name, "read", &error))?;
        let Some(row) = row else { return Ok(None) };
        self.version.store(row.get(0), Ordering::Release);
        let Some(sealed) = row.get::<_, Option<Vec<u8>>>(1) else { return Ok(None) };
        let text = self.sessions.keys.open(&self.name, &sealed)?;
        TokenSet::from_json(&text).map(Some)
    }

    async fn save(&self, tokens: &TokenSet) -> Result<(), Error> {
        let sealed = self.sessions.keys.seal(&self.name, &tokens.to_json())?;
        let version = self.version.load(Ordering::Acquire);
        self.has_failed.store(true, Ordering::Release);
        let row = self
            .connection()
            .await?
            .query_opt(
                "INSERT INTO keyfit_session AS held (name, version, tokens) VALUES ($1, 1, $2) \
                 ON CONFLICT (name) DO UPDATE SET version = held.version + 1, tokens = $2 WHERE held.version = $3 \
                 RETURNING version",
                &[&self.name, &sealed, &version],
            )
            .await
            .map_err(|error| failed(&self.name, "written", &error))?;
        let Some(row) = row else {
            return Err(Error::credential(format!(
                "the tokens of the session `{}` were not written: another process has written newer ones",
                self.name
            )));
        };
        self.version.store(row.get(0), Ordering::Release);
        self.has_failed.store(false, Ordering::Release);
        Ok(())
    }

    async fn lock(self: &Arc<Self>) -> Result<StoreLock, Error> {
        let mut waited = Duration::ZERO;
        loop {
            if let Some(lease) = Lease::take(self).await? {
                return Ok(StoreLock::new(lease));
            }
            let patience = self.sessions.lease + PATIENCE;
            if waited >= patience {
                return Err(Error::credential(format!(
                    "another process refreshes the session `{}` for more than {} s: look for one that hangs",
                    self.name,
                    patience.as_secs()
                )));
            }
            self.sessions.clock.sleep(TRIED_EVERY).await;
            waited += TRIED_EVERY;
        }
    }
}

impl TokenStore for PostgresStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, Error>> {
        Box::pin(self.0.load())
    }

    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.0.save(tokens))
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock, Error>> {
        Box::pin(self.0.lock())
    }
}

async fn connection(pool: &Pool) -> Result<Object, Error> {
    pool.get().await.map_err(|error| {
        Error::credential(format!("the database with the sessions cannot be used: {}", schema::words(&error)))
    })
}

/// What could not be done with the row of a session. The error holds no value of it.
fn failed(name: &str, doing: &str, error: &tokio_postgres::Error) -> Error {
    Error::credential(format!("the tokens of the session `{name}` cannot be {doing}: {}", schema::words(error)))
}

impl fmt::Debug for PostgresSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSessions").field("keys", &self.keys).finish_non_exhaustive()
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("name", &self.0.name).finish_non_exhaustive()
    }
}
