use super::state::{NEWS, SPREAD};
use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn key() -> Key {
    Key { class: "push", place: None }
}

fn bucket() -> Bucket {
    Limiter::new(true, None).bucket(key(), Duration::ZERO)
}

fn rate(limit: u64, remaining: u64, reset: u64) -> RateLimit {
    RateLimit { limit: Some(limit), remaining: Some(remaining), reset: Some(reset) }
}

/// Sends calls until the limiter holds one back, each answered at once by a server that counts down from `limit`.
fn spend(bucket: &Bucket, limit: u64, reset: u64, until_reset: Duration, now: Duration) -> u64 {
    let mut sent = 0;
    while let Ok(permit) = bucket.admit(now) {
        sent += 1;
        assert!(sent <= limit, "the server would have answered 429");
        permit.learn(rate(limit, limit - sent, reset), Some(until_reset), now);
    }
    sent
}

#[test]
fn a_window_is_spent_to_its_last_call_and_then_waited_for() {
    let bucket = bucket();
    assert_eq!(spend(&bucket, 10, 100, 5 * SECOND, SECOND), 10);
    let wait = bucket.admit(2 * SECOND).expect_err("nothing is left");
    assert!((4 * SECOND..=4 * SECOND + SPREAD).contains(&wait), "{wait:?}");
    // The next window, too.
    assert_eq!(spend(&bucket, 10, 105, 5 * SECOND, 6 * SECOND), 10);
}

#[test]
fn calls_on_their_way_are_counted_before_they_are_answered() {
    let bucket = bucket();
    let first = bucket.admit(SECOND).expect("nothing is known yet");
    first.learn(rate(4, 3, 100), Some(5 * SECOND), SECOND);
    drop(first);
    let on_their_way: Vec<Permit> = (0..3).map(|_| bucket.admit(SECOND).expect("three are left")).collect();
    assert!(bucket.admit(SECOND).is_err());
    // The answers come in any order: the one with the most left comes last.
    for (permit, left) in on_their_way.iter().zip([0, 1, 2]) {
        permit.learn(rate(4, left, 100), Some(5 * SECOND), SECOND);
    }
    assert!(bucket.admit(SECOND).is_err());
}

#[test]
fn what_is_on_its_way_at_the_first_answer_is_taken_off() {
    let bucket = bucket();
    let early: Vec<Permit> = (0..5).map(|_| bucket.admit(SECOND).expect("nothing is known yet")).collect();
    early[0].learn(rate(10, 9, 100), Some(5 * SECOND), SECOND);
    let more = (0..100).take_while(|_| bucket.admit(SECOND).is_ok()).count();
    assert_eq!(more, 5);
}

#[test]
fn a_new_window_counts_what_is_still_on_its_way() {
    let bucket = bucket();
    let slow = bucket.admit(SECOND).expect("nothing is known yet");
    slow.learn(rate(3, 0, 100), Some(SECOND), SECOND);
    let now = 3 * SECOND;
    let others: Vec<_> = (0..2).map(|_| bucket.admit(now).expect("a new window")).collect();
    // One may be counted late: the third has to wait for news of it.
    assert_eq!(bucket.admit(now).map(drop), Err(NEWS));
    others[0].learn(rate(3, 2, 103), Some(3 * SECOND), now);
    drop(slow);
    assert!(bucket.admit(now).expect_err("nothing is left") >= 3 * SECOND);
}

#[test]
fn a_call_that_never_left_costs_nothing() {
    let bucket = bucket();
    let first = bucket.admit(SECOND).expect("nothing is known yet");
    first.learn(rate(2, 1, 100), Some(5 * SECOND), SECOND);
    for _ in 0..10 {
        bucket.admit(SECOND).expect("one is left").give_back();
    }
    drop(bucket.admit(SECOND).expect("one is left"));
    // A call that was given up may have been counted.
    assert!(bucket.admit(SECOND).is_err());
}

#[test]
fn a_refusal_holds_everybody_back() {
    let bucket = bucket();
    bucket.admit(SECOND).expect("nothing is known yet").exhausted(30 * SECOND, SECOND);
    assert!(bucket.admit(30 * SECOND).is_err());
    assert!(bucket.admit(32 * SECOND).is_ok());
}

#[test]
fn nonsense_silences_nobody() {
    let far = Duration::from_secs(1_893_452_400_000);
    for (limit, remaining, wait) in
        [(0, 0, Some(SECOND)), (10, 0, Some(far)), (10, 0, None), (10, 0, Some(Duration::ZERO))]
    {
        let bucket = bucket();
        let permit = bucket.admit(SECOND).expect("nothing is known yet");
        permit.learn(rate(limit, remaining, 100), wait, SECOND);
        permit.exhausted(wait.unwrap_or_default().max(far), SECOND);
        drop(permit);
        assert!(bucket.admit(3 * SECOND).is_ok(), "{limit} {remaining} {wait:?}");
    }
}

#[test]
fn another_bucket_is_not_touched_and_old_ones_are_forgotten() {
    let limiter = Limiter::new(true, None);
    for number in 0..5000 {
        let key = Key { class: "push", place: Some(number.to_string().into()) };
        let permit = limiter.bucket(key, SECOND).admit(SECOND).expect("a bucket of its own");
        permit.learn(rate(10, 9, 100), Some(SECOND), SECOND);
    }
    assert!(lock(&limiter.buckets).len() > MOST_BUCKETS, "windows that are open are kept");
    let later = Key { class: "later", place: None };
    let kept = limiter.bucket(later.clone(), 3 * SECOND);
    assert_eq!(lock(&limiter.buckets).len(), 1);
    assert!(Arc::ptr_eq(&kept.known, &limiter.bucket(later, 3 * SECOND).known), "a clone knows what the client knows");
}

#[test]
fn a_limiter_that_does_not_wait_lets_everything_through() {
    let bucket = Limiter::new(false, None).bucket(key(), Duration::ZERO);
    bucket.admit(SECOND).expect("nothing is known yet").exhausted(30 * SECOND, SECOND);
    assert!(bucket.admit(SECOND).is_ok());
}
