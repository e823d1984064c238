use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::UNIX_EPOCH;

use futures_core::future::BoxFuture;

use super::*;

/// A clock that stands until it is moved.
#[derive(Clone, Debug)]
struct Hands(Arc<Mutex<SystemTime>>);

impl Hands {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(UNIX_EPOCH + Duration::from_secs(1_000_000))))
    }

    fn move_on(&self, seconds: u64) {
        *self.0.lock().expect("no one panics") += Duration::from_secs(seconds);
    }

    fn move_back(&self, seconds: u64) {
        *self.0.lock().expect("no one panics") -= Duration::from_secs(seconds);
    }
}

impl Clock for Hands {
    fn now(&self) -> SystemTime {
        *self.0.lock().expect("no one panics")
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Hands out `token-1`, `token-2`, ..., each good for `life`; fails while told to; slow by `delay`.
#[derive(Clone, Debug)]
struct Issuer(Arc<Desk>);

#[derive(Debug)]
struct Desk {
    clock: Hands,
    life: Option<u64>,
    delay: Duration,
    issued: AtomicUsize,
    asked: AtomicUsize,
    is_broken: std::sync::atomic::AtomicBool,
    panics: std::sync::atomic::AtomicBool,
    repeats: std::sync::atomic::AtomicBool,
}

impl Issuer {
    fn new(clock: &Hands, life: Option<u64>) -> Self {
        Self(Arc::new(Desk {
            clock: clock.clone(),
            life,
            delay: Duration::from_millis(20),
            issued: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
            is_broken: false.into(),
            panics: false.into(),
            repeats: false.into(),
        }))
    }

    fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }
}

impl TokenSource for Issuer {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(async {
            self.0.asked.fetch_add(1, Ordering::SeqCst);
            assert!(!self.0.panics.load(Ordering::SeqCst), "told to");
            self.0.clock.sleep(self.0.delay).await;
            tokio::time::timeout(self.0.delay, std::future::pending::<()>()).await.ok();
            if self.0.is_broken.load(Ordering::SeqCst) {
                return Err(Error::credential("the issuer is closed"));
            }
            if !self.0.repeats.load(Ordering::SeqCst) {
                self.0.issued.fetch_add(1, Ordering::SeqCst);
            }
            let token = AccessToken::new(format!("token-{}", self.0.issued.load(Ordering::SeqCst)));
            Ok(token.expiring_at(self.0.life.map(|life| self.0.clock.now() + Duration::from_secs(life))))
        })
    }
}

fn cache(clock: &Hands, issuer: &Issuer) -> Cache {
    Cache::new(Arc::new(issuer.clone()), Refresh::default().clock(clock.clone()), Carrier::Bearer)
}

async fn text(cache: &Cache) -> String {
    cache.token().await.expect("a token").token().expose().to_owned()
}

/// Until a fetch in the background is done.
async fn settled(cache: &Cache) {
    let fetch = cache.0.state().fetch.clone();
    if let Some(fetch) = fetch {
        let _ = wait(fetch).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_callers_share_one_fetch() {
    let clock = Hands::new();
    let issuer = Issuer::new(&clock, Some(3600));
    let cache = cache(&clock, &issuer);
    for round in 1..=2 {
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..10_000 {
            let cache = cache.clone();
            callers.spawn(async move { text(&cache).await });
        }
        while let Some(got) = callers.join_next().await {
            assert_eq!(got.expect("no panic"), format!("token-{round}"));
        }
        assert_eq!(issuer.asked(), round);
        clock.move_on(3600);
    }
}

#[tokio::test]
async fn a_token_is_replaced_ahead_of_its_expiry_without_waiting() {
    let clock = Hands::new();
    let issuer = Issuer::new(&clock, Some(3600));
    let cache = cache(&clock, &issuer);
    assert_eq!(text(&cache).await, "token-1");
    clock.move_on(3539);
    assert_eq!(text(&cache).await, "token-1");
    assert_eq!(issuer.asked(), 1, "61 s before expiry it is left alone");
    clock.move_on(1);
    assert_eq!(text(&cache).await, "token-1", "the caller does not wait");
    settled(&cache).await;
    assert_eq!(text(&cache).await, "token-2");
}

#[tokio::test]
async fn the_leeway_of_a_short_token_is_a_quarter_of_its_life() {
    let clock = Hands::new();
    let issuer = Issuer::new(&clock, Some(40));
    let cache = cache(&clock, &issuer);
    text(&cache).await;
    clock.move_on(29);
    text(&cache).await;
    assert_eq!(issuer.asked(), 1);
    clock.move_on(1);
    text(&cache).await;
    settled(&cache).await;
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_failed_fetch_displaces_nothing_and_rests() {
    let clock = Hands::new();
    let issuer = Issuer::new(&clock, Some(3600));
    let cache = cache(&clock, &issuer);
    text(&cache).await;
    issuer.0.is_broken.store(true, Ordering::SeqCst);
    clock.move_on(3550);
    for _ in 0..5 {
        assert_eq!(text(&cache).await, "token-1");
        settled(&cache).await;
    }
    assert_eq!(issuer.asked(), 2, "one attempt, then rest");
    clock.move_on(60);
    let error = cache.token().await.expect_err("it has expired");
    assert!(error.to_string().contains("the issuer is closed"), "{error}");
    assert!(!error.may_have_been_sent());
    // Not poisoned: it works again as soon as the source does and the rest is over.
    issuer.0.is_broken.store(false, Ordering::SeqCst);
    clock.move_on(64);
    assert_eq!(text(&cache).await, "token-2");
}

#[tokio::test]
async fn a_caller_that_gives_up_harms_nobody() {
    let clock = Hands::new();
    let issuer = Issuer::new(&clock, Some(3600));
    let cache = cache(&clock, &issuer);
    let impatient = tokio::time::timeout(Duration::from_millis(1), cache.token()).await;
    assert!(impatient.is_err());
    assert_eq!(text(&cache).await, "token-1");
    assert_eq!(issuer.asked(), 1, "the fetch went on without its caller");
}

#[tokio::test]
async fn a_source_that_panics_is_an_error_and_no_end() {
    let clock = Hands::new();
    let issuer = Issuer::new(&clock, Some(3600));
    let cache = cache(&clock, &issuer);
    issuer.0.panics.store(true, Ordering::SeqCst);
    assert!(cache.token().await.expect_err("it panicked").to_string().contains("broke off"));
    issuer.0.panics.store(false, Ordering::SeqCst);
    assert_eq!(text(&cache).await, "token-1");
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_for_all_callers() {
    let clock = Hands::new();
    let issuer = Issuer::new(&clock, None);
    let cache = cache(&clock, &issuer);
    let refused = cache.token().await.expect("a token");
    let (one, two) = tokio::join!(cache.instead_of(&refused), cache.instead_of(&refused));
    assert_eq!(one.expect("a newer one").token().expose(), "token-2");
    assert_eq!(two.expect("the same").token().expose(), "token-2");
    let late = cache.instead_of(&refused).await.expect("the newer one at hand");
    assert_eq!(late.token().expose(), "token-2");
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn the_token_before_is_tried_while_they_overlap() {
    let clock = Hands::new();
    let issuer = Issuer::new(&clock, None);
    let cache = cache(&clock, &issuer);
    let first = cache.token().await.expect("a token");
    clock.move_on(300);
    text(&cache).await;
    settled(&cache).await;
    issuer.0.repeats.store(true, Ordering::SeqCst);
    let second = cache.token().await.expect("the store has a new one");
    assert_eq!(second.token().expose(), "token-2");
    let instead = cache.instead_of(&second).await.expect("the server does not know it yet");
    assert_eq!(instead.token().expose(), first.token().expose());
    assert!(cache.instead_of(&first).await.is_some_and(|held| held.token().expose() == "token-2"));
    clock.move_on(601);
    assert!(cache.instead_of(&second).await.is_none(), "the overlap is over");
}

#[tokio::test]
async fn a_source_that_repeats_a_refused_token_is_not_pestered() {
    let clock = Hands::new();
    let issuer = Issuer::new(&clock, None);
    let cache = cache(&clock, &issuer);
    let held = cache.token().await.expect("a token");
    issuer.0.repeats.store(true, Ordering::SeqCst);
    for _ in 0..10 {
        assert!(cache.instead_of(&held).await.is_none());
    }
    assert_eq!(issuer.asked(), 2);
    clock.move_on(1);
    assert!(cache.instead_of(&held).await.is_none());
    assert_eq!(issuer.asked(), 3);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_stop_the_fetches() {
    let clock = Hands::new();
    let issuer = Issuer::new(&clock, None);
    let cache = cache(&clock, &issuer);
    // A machine that boots in the wrong year: its certificates do not count, the first fetch fails.
    issuer.0.is_broken.store(true, Ordering::SeqCst);
    clock.move_on(31_536_000);
    cache.token().await.expect_err("it is closed");
    issuer.0.is_broken.store(false, Ordering::SeqCst);
    clock.move_back(31_536_000);
    assert_eq!(text(&cache).await, "token-1", "the rest does not last a year");
    clock.move_on(10);
    clock.move_back(20);
    assert_eq!(text(&cache).await, "token-1");
    settled(&cache).await;
    assert_eq!(text(&cache).await, "token-2", "nor does the time until the next look");
}

#[tokio::test]
async fn spans_without_end_are_no_panic() {
    let clock = Hands::new();
    let issuer = Issuer::new(&clock, None);
    let forever = Refresh::default().clock(clock.clone()).recheck(Duration::MAX).overlap(Duration::MAX);
    let cache = Cache::new(
        Arc::new(issuer.clone()),
        forever.leeway(Duration::MAX).refusal_floor(Duration::MAX),
        Carrier::Bearer,
    );
    let first = cache.token().await.expect("a token");
    let second = cache.instead_of(&first).await.expect("another");
    let third = cache.instead_of(&second).await.expect("the one before");
    assert_eq!(third.token().expose(), first.token().expose());
}

/// Hands out one token until it is told that it was refused.
#[derive(Debug)]
struct Steady(AtomicUsize);

impl TokenSource for Steady {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(async { Ok(AccessToken::new(format!("token-{}", self.0.load(Ordering::SeqCst)))) })
    }

    fn replace<'a>(&'a self, refused: &'a AccessToken) -> BoxFuture<'a, Result<AccessToken, Error>> {
        assert_eq!(refused.expose(), format!("token-{}", self.0.fetch_add(1, Ordering::SeqCst)));
        self.fetch()
    }
}

#[tokio::test]
async fn a_source_learns_which_token_was_refused() {
    let clock = Hands::new();
    let cache = Cache::new(
        Arc::new(Arc::new(Steady(AtomicUsize::new(1)))),
        Refresh::default().clock(clock.clone()),
        Carrier::Bearer,
    );
    assert_eq!(text(&cache).await, "token-1");
    clock.move_on(300);
    assert_eq!(text(&cache).await, "token-1");
    settled(&cache).await;
    let held = cache.token().await.expect("a token");
    assert_eq!(held.token().expose(), "token-1", "another look is no refusal");
    assert_eq!(cache.instead_of(&held).await.expect("another").token().expose(), "token-2");
}
