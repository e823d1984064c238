//! Sessions in PostgreSQL, for programs on many machines.

mod encryption;
mod lease;
mod patience;
mod row;
mod schema;

use std::fmt;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use futures_core::future::BoxFuture;
use secrecy::ExposeSecret as _;

use super::random::random_text;
use super::{StoreLock, TokenSet, TokenStore};
use crate::error::{Clock, Error, SystemClock};

pub use encryption::EncryptionKeys;
use lease::Lease;
use row::{Row, Settings};

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
pub struct PostgresSessions(Settings);

/// The row of one session.
#[derive(Clone)]
pub struct PostgresStore(Arc<Row>);

impl PostgresSessions {
    /// Makes the table, or brings that of an older version up to date. Processes that start at once wait for each other.
    ///
    /// # Errors
    /// Returns an error if the database cannot be reached or refuses it, or the table is of a newer version.
    pub async fn migrate(pool: &Pool) -> Result<(), Error> {
        schema::migrate(&mut connected(pool).await?).await
    }

    /// Looks at the table. Nothing is written.
    ///
    /// # Errors
    /// Returns an error if the database cannot be reached or refuses the login, or the table is missing, of a newer version, or somebody
    /// else's.
    pub async fn connect(pool: Pool, keys: EncryptionKeys) -> Result<Self, Error> {
        let looked = connected(&pool).await?;
        patience::within(schema::check(&looked)).await.map_err(Error::credential)??;
        drop(looked);
        Ok(Self(Settings { pool, keys: Arc::new(keys), lease: LEASE, clock: Arc::new(SystemClock) }))
    }

    /// How long a process that died in the middle of a refresh keeps the others waiting. It has to be longer than a stall of a process
    /// that lives, which renews its lease three times as often. Default: 60 s; at least 1 s.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.0.lease = lease.max(Duration::from_secs(1));
        self
    }

    /// The clock that waits for leases, for tests. Leases end by the clock of the database alone.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.0.clock = Arc::new(clock);
        self
    }

    /// The store of a session, by a name of yours: that of a user or of an account.
    pub fn session(&self, name: impl Into<String>) -> PostgresStore {
        let holder = random_text().map(|text| text.expose_secret().to_owned()).unwrap_or_default();
        PostgresStore(Arc::new(Row {
            settings: self.0.clone(),
            name: name.into(),
            holder,
            version: AtomicI64::new(0),
            unsure: Mutex::default(),
        }))
    }
}

/// A connection, for whoever looks at the table.
async fn connected(pool: &Pool) -> Result<Object, Error> {
    patience::connection(pool).await.map_err(Error::credential)
}

impl TokenStore for PostgresStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, Error>> {
        Box::pin(self.0.load())
    }

    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.0.save(tokens))
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock, Error>> {
        Box::pin(self.locked())
    }
}

impl PostgresStore {
    /// A lease, once no other store has one.
    async fn locked(&self) -> Result<StoreLock, Error> {
        let row = &self.0;
        let mut waited = Duration::ZERO;
        loop {
            if let Some(lease) = Lease::take(row).await? {
                return Ok(StoreLock::new(lease));
            }
            let patience = row.settings.lease + PATIENCE;
            if waited >= patience {
                return Err(Error::credential(format!(
                    "another process refreshes the session `{}` for more than {} s: look for one that hangs",
                    row.name,
                    patience.as_secs()
                )));
            }
            row.settings.clock.sleep(TRIED_EVERY).await;
            waited += TRIED_EVERY;
        }
    }
}

impl fmt::Debug for PostgresSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSessions").field("keys", &self.0.keys).finish_non_exhaustive()
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("name", &self.0.name).finish_non_exhaustive()
    }
}
