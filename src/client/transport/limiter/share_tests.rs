use std::sync::mpsc::{Receiver, Sender, channel};

use futures_core::future::BoxFuture;

use super::reports::Reports;
use super::*;
use crate::budget::{Budget, BudgetError, Granted, Report, Reservation, Reserved};
use crate::error::{Clock as _, SystemClock};

const SECOND: Duration = Duration::from_secs(1);

/// Gives the answers in their order, then none, and hands on what was asked with the time.
#[derive(Debug)]
struct Canned {
    answers: Mutex<Vec<Reserved>>,
    asked: Sender<(Duration, Reservation)>,
}

impl Budget for Canned {
    fn reserve<'a>(&'a self, _: &'a str, asked: Reservation) -> BoxFuture<'a, Result<Reserved, BudgetError>> {
        let is_answered = asked.wanted > 0;
        self.asked.send((SystemClock.monotonic(), asked)).expect("the test listens");
        let mut answers = lock(&self.answers);
        let answer = if is_answered && !answers.is_empty() { answers.remove(0) } else { Reserved::Noted };
        Box::pin(std::future::ready(Ok(answer)))
    }
}

fn granted(calls: u64, valid_for: Duration) -> Reserved {
    Reserved::Granted(Granted { calls, epoch: 1, reset: Some(1000), valid_for, limit: Some(100), holders: 2 })
}

/// A bucket of a budget that answers so, and what it is asked.
fn bucket(answers: &[Reserved]) -> (Bucket, Receiver<(Duration, Reservation)>) {
    let (asked, seen) = channel();
    let budget = Arc::new(Canned { answers: Mutex::new(answers.to_vec()), asked });
    let shared = Shared { budget, clock: Arc::new(SystemClock), api: "api".to_owned() };
    let key = Key { class: "push", place: None };
    (Limiter::new(true, Some(shared)).bucket(key, Duration::ZERO), seen)
}

async fn take(bucket: &Bucket) -> Permit {
    match bucket.share().expect("a share").take().await {
        Taken::Call(epoch) => bucket.taken(epoch),
        other => panic!("{other:?}"),
    }
}

fn answer(permit: Permit) {
    let rate = RateLimit { limit: Some(100), remaining: Some(50), reset: Some(1000) };
    permit.learn(rate, Some(10 * SECOND), SystemClock.monotonic());
    drop(permit);
}

fn answered(asked: &Receiver<(Duration, Reservation)>) -> u64 {
    asked.try_iter().map(|(_, asked)| asked.report.answered).sum()
}

#[tokio::test(start_paused = true)]
async fn a_slice_that_ends_before_an_older_one_is_given_back_in_its_time() {
    let (bucket, asked) = bucket(&[granted(9, SECOND), granted(5, SECOND / 10)]);
    let began = SystemClock.monotonic();
    // The seventh leaves too little, so that the second slice is asked for.
    for _ in 0..8 {
        answer(take(&bucket).await);
        SystemClock.sleep(Duration::from_millis(1)).await;
    }
    SystemClock.sleep(2 * SECOND).await;
    let back = asked.try_iter().filter(|(_, asked)| asked.report.unused > 0);
    let back: Vec<_> =
        back.map(|(at, asked)| (at.saturating_sub(began).as_millis() / 200, asked.report.unused)).collect();
    assert_eq!(back.iter().map(|(_, unused)| unused).sum::<u64>(), 6, "{back:?}");
    assert!(back.iter().all(|(fifths, _)| *fifths <= 5), "{back:?}");
}

#[tokio::test(start_paused = true)]
async fn the_outcome_of_calls_is_told_before_a_window_is_waited_for() {
    let (bucket, asked) = bucket(&[granted(1, SECOND), Reserved::Wait(60 * SECOND)]);
    let permit = take(&bucket).await;
    let waits = bucket.share().expect("a share").take().await;
    assert!(matches!(waits, Taken::Wait(wait) if wait >= 60 * SECOND), "{waits:?}");
    assert_eq!(answered(&asked), 0);
    answer(permit);
    SystemClock.sleep(Duration::from_millis(1)).await;
    assert_eq!(answered(&asked), 1);
}

#[tokio::test(start_paused = true)]
async fn the_outcome_of_a_single_call_is_told_within_its_slice_and_no_other_is_asked_for() {
    let (bucket, asked) = bucket(&[granted(1, SECOND), granted(9, SECOND)]);
    answer(take(&bucket).await);
    SystemClock.sleep(2 * SECOND).await;
    let asked: Vec<_> = asked.try_iter().map(|(_, asked)| (asked.wanted, asked.report.answered)).collect();
    assert_eq!(asked, [(1, 0), (0, 1)]);
    // One that takes longer than the slice is told of when it ends.
    let (bucket, asked) = self::bucket(&[granted(1, SECOND)]);
    let permit = take(&bucket).await;
    SystemClock.sleep(2 * SECOND).await;
    answer(permit);
    SystemClock.sleep(Duration::from_millis(1)).await;
    assert_eq!(answered(&asked), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_outside_of_a_runtime_is_told_of_later() {
    let (bucket, asked) = bucket(&[granted(1, SECOND), granted(1, SECOND)]);
    let permit = take(&bucket).await;
    SystemClock.sleep(2 * SECOND).await;
    std::thread::spawn(|| answer(permit)).join().expect("no panic");
    assert_eq!(answered(&asked), 0);
    answer(take(&bucket).await);
    assert_eq!(answered(&asked), 1);
}

#[test]
fn a_report_that_was_kept_for_a_while_does_not_lengthen_the_window() {
    let rate = RateLimit { limit: Some(100), remaining: Some(50), reset: Some(1000) };
    let seen = |reports: &mut Reports, at| reports.take(at).pop().and_then(|report: Report| report.seen);
    let mut reports = Reports::default();
    reports.answered(Some(0), Some((rate, Some(10 * SECOND))), SECOND);
    assert_eq!(seen(&mut reports, 4 * SECOND).map(|seen| seen.resets_in), Some(7 * SECOND));
    reports.answered(Some(0), Some((rate, Some(10 * SECOND))), SECOND);
    assert_eq!(seen(&mut reports, 11 * SECOND), None, "that window is over");
}
