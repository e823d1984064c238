//! Tokens that are fetched before a run and renewed during it.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use keyfit::auth::{AccessToken, TokenSource};
use keyfit::{Clock as _, SystemClock};
use keyfit_openapi::Carrier;
use reqwest::header::{HeaderName, REFERER};
use tokio::sync::Mutex as Turn;

use crate::credential::carrier;
use crate::credential::secret::{Redactor, Secret};

/// The time before its expiry at which a token is replaced; at most a quarter of its lifetime.
const RENEWAL_LEEWAY: Duration = Duration::from_secs(60);

/// A value that is sent beside a token, by which a server recognizes its own pages: the XSRF cookie or header.
#[derive(Clone, Debug)]
pub enum Companion {
    /// A cookie.
    Cookie(String, Secret),
    /// A header.
    Header(HeaderName, Secret),
}

/// The companions from the last fetch. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Companions(Arc<Mutex<Vec<Companion>>>);

impl Companion {
    /// Returns its value.
    pub(crate) fn value(&self) -> &str {
        let (Self::Cookie(_, value) | Self::Header(_, value)) = self;
        value.reveal()
    }

    /// Returns whether it is not secret: the `Referer` header.
    pub(crate) fn is_public(&self) -> bool {
        matches!(self, Self::Header(name, _) if *name == REFERER)
    }
}

impl Companions {
    /// Replaces the companions by those of another token.
    pub(crate) fn set(&self, companions: Vec<Companion>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = companions;
    }

    fn get(&self) -> Vec<Companion> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The token of an identity, with the source that fetches it.
pub struct FetchedToken {
    identity: String,
    /// The request that fetches it, in the notation of reports: `POST https://shop.example/login`.
    request: String,
    carrier: Carrier,
    source: Box<dyn TokenSource>,
    redactor: Redactor,
    companions: Companions,
    /// The number of requests of one fetch.
    steps: usize,
    state: Mutex<State>,
    /// Limits it to one fetch at a time.
    turn: Turn<()>,
}

#[derive(Default)]
struct State {
    current: Option<Secret>,
    /// The time at which it is replaced, and the time at which it expires.
    times: Option<(SystemTime, SystemTime)>,
    /// All values that the token has had.
    known: HashSet<Secret>,
    fetches: usize,
    /// The reason why the last fetch failed. It is not repeated: repeated logins could lock the account.
    failed: Option<String>,
}

impl FetchedToken {
    /// Creates a token that is not fetched yet. `request` names the request that fetches it, without its query.
    pub fn new(
        identity: &str,
        request: String,
        carrier: Carrier,
        source: impl TokenSource,
        redactor: &Redactor,
    ) -> Self {
        Self {
            identity: identity.to_owned(),
            request,
            carrier,
            source: Box::new(source),
            redactor: redactor.clone(),
            companions: Companions::default(),
            steps: 1,
            state: Mutex::default(),
            turn: Turn::default(),
        }
    }

    /// Sets the companions, and the number of requests of a fetch.
    #[must_use]
    pub fn with(mut self, companions: Companions, steps: usize) -> Self {
        (self.companions, self.steps) = (companions, steps);
        self
    }

    /// Returns the companions of the token.
    pub fn companions(&self) -> Vec<Companion> {
        self.companions.get()
    }

    /// Returns the current token; `None` before the first fetch.
    pub fn current(&self) -> Option<Secret> {
        self.state().current.clone()
    }

    /// Returns whether a text is this token, or was it during the run.
    pub fn is_or_was(&self, secret: &Secret) -> bool {
        self.state().known.contains(secret)
    }

    /// Returns the former values of the token.
    pub fn previous_tokens(&self) -> Vec<Secret> {
        let state = self.state();
        state.known.iter().filter(|secret| state.current.as_ref() != Some(secret)).cloned().collect()
    }

    /// Returns the request that fetches it, the number of fetches, and the total number of their requests.
    pub fn requests(&self) -> (&str, usize, usize) {
        let fetches = self.state().fetches;
        (&self.request, fetches, fetches * self.steps)
    }

    /// Fetches the token if there is none, or a new one if it is about to expire.
    ///
    /// # Errors
    /// Returns an error if there is no valid token. The error contains no secret.
    pub async fn ensure_fresh(&self) -> Result<(), String> {
        let _turn = self.turn.lock().await;
        let now = SystemClock.now();
        let (is_near, is_over) = {
            let state = self.state();
            let is_after = |time: fn(&(SystemTime, SystemTime)) -> SystemTime| {
                state.current.is_none() || state.times.as_ref().is_some_and(|times| time(times) <= now)
            };
            (is_after(|times| times.0), is_after(|times| times.1))
        };
        if !is_near {
            return Ok(());
        }
        match self.fetch(now).await {
            Err(why) if is_over => Err(why),
            _ => Ok(()),
        }
    }

    /// Returns a replacement for a token that the server refused: the current one if it differs, or else a new one.
    ///
    /// # Errors
    /// Returns an error if [`ensure_fresh`](Self::ensure_fresh) would.
    pub async fn replace(&self, refused: &Secret) -> Result<Secret, String> {
        let _turn = self.turn.lock().await;
        match self.current().filter(|current| current != refused) {
            Some(current) => Ok(current),
            None => self.fetch(SystemClock.now()).await,
        }
    }

    async fn fetch(&self, now: SystemTime) -> Result<Secret, String> {
        if let Some(why) = &self.state().failed {
            return Err(why.clone());
        }
        let fetched = self.source.fetch().await;
        let fetched = fetched.map_err(|error| error.to_string()).and_then(|token| self.checked(&token));
        let mut state = self.state();
        state.fetches += 1;
        match fetched {
            Ok((secret, expires_at)) => {
                state.times = expires_at.map(|time| {
                    let life = time.duration_since(now).unwrap_or_default();
                    (now + life.saturating_sub(RENEWAL_LEEWAY.min(life / 4)), time)
                });
                state.known.insert(secret.clone());
                state.current = Some(secret.clone());
                Ok(secret)
            }
            Err(why) => {
                let why = format!("no token was had for `{}`: {}", self.identity, self.redactor.mask(&why));
                Err(state.failed.insert(why).clone())
            }
        }
    }

    fn checked(&self, token: &AccessToken) -> Result<(Secret, Option<SystemTime>), String> {
        let secret = Secret::new(token.expose());
        for part in carrier::secrets(&self.carrier, secret.reveal()) {
            self.redactor.learn(&Secret::new(part));
        }
        let text = secret.reveal();
        let empty = || text.is_empty().then(|| "it is empty".to_owned());
        let flaw = carrier::flaw_of_header(&self.carrier, text).or_else(|| carrier::flaw(&self.carrier, text));
        match empty().or(flaw) {
            Some(flaw) => Err(format!("what was fetched cannot be sent: {flaw}")),
            None => Ok((secret, token.expires_at())),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for FetchedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchedToken")
            .field("identity", &self.identity)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_core::future::BoxFuture;
    use keyfit::Error;

    use super::*;

    /// Returns numbered tokens with this lifetime, and an error after the last one.
    #[derive(Debug)]
    struct Numbered {
        life: Option<Duration>,
        last: usize,
        asked: Arc<AtomicUsize>,
    }

    impl TokenSource for Numbered {
        fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
            let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            Box::pin(async move {
                if number > self.last {
                    return Err(Error::credential("fixture-token-1 was the last")); // not-a-secret
                }
                let token = AccessToken::new(format!("fixture-token-{number}"));
                Ok(token.expiring_at(self.life.map(|life| SystemClock.now() + life)))
            })
        }
    }

    fn token(life: Option<Duration>, last: usize) -> (FetchedToken, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let source = Numbered { life, last, asked: Arc::clone(&asked) };
        let request = "POST http://shop.example/login".to_owned();
        (FetchedToken::new("mia", request, Carrier::Header, source, &Redactor::default()), asked)
    }

    fn text(token: &FetchedToken) -> String {
        token.current().expect("it was fetched").reveal().to_owned()
    }

    #[tokio::test]
    async fn a_token_is_fetched_once_until_its_time_is_near() {
        let (lasting, asked) = token(Some(Duration::from_secs(3600)), 9);
        let (endless, _) = token(None, 9);
        for _ in 0..3 {
            lasting.ensure_fresh().await.expect("a token");
            endless.ensure_fresh().await.expect("a token");
        }
        assert_eq!((asked.load(Ordering::SeqCst), endless.requests().1), (1, 1));
        let (brief, _) = token(Some(Duration::ZERO), 9);
        for number in 1..3 {
            brief.ensure_fresh().await.expect("a token");
            assert_eq!(text(&brief), format!("fixture-token-{number}"));
        }
    }

    #[tokio::test]
    async fn a_refused_token_is_replaced_once_for_all_who_had_it() {
        let (token, asked) = token(None, 9);
        token.ensure_fresh().await.expect("a token");
        let first = token.current().expect("it was fetched");
        let (one, other) = tokio::join!(token.replace(&first), token.replace(&first));
        assert_eq!((one.clone(), asked.load(Ordering::SeqCst)), (other, 2));
        assert!(token.is_or_was(&first) && token.is_or_was(&one.expect("another")));
    }

    #[tokio::test]
    async fn a_fetch_that_failed_is_not_repeated_and_says_no_secret() {
        let (token, asked) = token(None, 1);
        token.ensure_fresh().await.expect("a token");
        let first = token.current().expect("it was fetched");
        for _ in 0..3 {
            let why = token.replace(&first).await.expect_err("it was the last");
            assert_eq!(why, "no token was had for `mia`: [redacted] was the last");
        }
        assert_eq!((asked.load(Ordering::SeqCst), text(&token)), (2, "fixture-token-1".to_owned()));
        assert!(!format!("{token:?}").contains("fixture-token"), "{token:?}");
    }
}
