//! A token that is fetched before a run and kept good during it.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use keyfit::auth::{AccessToken, TokenSource};
use keyfit::{Clock as _, SystemClock};
use keyfit_openapi::Carrier;
use reqwest::header::{HeaderName, REFERER};
use tokio::sync::Mutex as Turn;

use crate::carrier;
use crate::secret::{Redactor, Secret};

/// How long before its expiry a token is replaced; never more than a quarter of its life.
const LEEWAY: Duration = Duration::from_secs(60);

/// What calls show beside a token, by which a server knows its own pages again: the cookie and the header of XSRF.
#[derive(Clone, Debug)]
pub enum Companion {
    /// A cookie.
    Cookie(String, Secret),
    /// A header.
    Header(HeaderName, Secret),
}

/// What calls show beside a token, as the last fetch found it. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Companions(Arc<Mutex<Vec<Companion>>>);

impl Companion {
    /// Its value.
    pub(crate) fn value(&self) -> &str {
        let (Self::Cookie(_, value) | Self::Header(_, value)) = self;
        value.reveal()
    }

    /// Whether anybody may read it: where a call comes from.
    pub(crate) fn is_public(&self) -> bool {
        matches!(self, Self::Header(name, _) if *name == REFERER)
    }
}

impl Companions {
    /// Keeps those of another token.
    pub(crate) fn set(&self, companions: Vec<Companion>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = companions;
    }

    fn get(&self) -> Vec<Companion> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A token of one identity with the source that it is fetched from.
pub struct FetchedToken {
    identity: String,
    /// The request that fetches it, as reports name it: `POST https://shop.example/login`.
    request: String,
    carrier: Carrier,
    source: Box<dyn TokenSource>,
    redactor: Redactor,
    companions: Companions,
    /// Requests of one fetch.
    steps: usize,
    state: Mutex<State>,
    /// One fetch at a time.
    turn: Turn<()>,
}

#[derive(Default)]
struct State {
    current: Option<Secret>,
    /// When it is to be replaced, and when it is refused.
    times: Option<(SystemTime, SystemTime)>,
    /// All that it ever was.
    known: HashSet<Secret>,
    fetches: usize,
    /// Why the last fetch failed. There is none after that: a login that is tried again and again locks its account.
    failed: Option<String>,
}

impl FetchedToken {
    /// A token that nothing was fetched of yet. `request` names the request that fetches it, without its query.
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

    /// The same with what calls show beside it, and with how many requests a fetch takes.
    #[must_use]
    pub fn with(mut self, companions: Companions, steps: usize) -> Self {
        (self.companions, self.steps) = (companions, steps);
        self
    }

    /// What calls show beside it.
    pub fn companions(&self) -> Vec<Companion> {
        self.companions.get()
    }

    /// The token of now; `None` before the first fetch.
    pub fn current(&self) -> Option<Secret> {
        self.state().current.clone()
    }

    /// Whether a text is this token, or was it during the run.
    pub fn was(&self, secret: &Secret) -> bool {
        self.state().known.contains(secret)
    }

    /// What it was before.
    pub fn former(&self) -> Vec<Secret> {
        let state = self.state();
        state.known.iter().filter(|secret| state.current.as_ref() != Some(secret)).cloned().collect()
    }

    /// The request that fetches it, how often it was sent, and how many requests that took.
    pub fn requests(&self) -> (&str, usize, usize) {
        let fetches = self.state().fetches;
        (&self.request, fetches, fetches * self.steps)
    }

    /// Fetches the token, or another one where its time is nearly over.
    ///
    /// # Errors
    /// Returns an error, which holds no secret, if there is no token that is still good.
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

    /// Another token than one that the server refused: the one of now where that is another, or else one that is fetched.
    ///
    /// # Errors
    /// As [`ensure_fresh`](Self::ensure_fresh).
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
                    (now + life.saturating_sub(LEEWAY.min(life / 4)), time)
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

    /// Hands out numbered tokens that are good for so long, and nothing more after the last one.
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
        assert!(token.was(&first) && token.was(&one.expect("another")));
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
