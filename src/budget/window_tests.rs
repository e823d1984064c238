use std::time::Duration;

use super::reservation::{Granted, Report, Reservation, Reserved, Seen};
use super::window::{SharedWindow, times};

const RESET: u64 = 1000;

fn seen(remaining: u64, reset: u64, milliseconds: u64) -> Seen {
    Seen { limit: Some(100), remaining, reset, resets_in: Duration::from_millis(milliseconds) }
}

fn ask(window: &mut SharedWindow, now: u64, holder: u64, wanted: u64, report: Report) -> Reserved {
    window.reserve(now, &Reservation { holder, wanted, report })
}

fn granted(reserved: Reserved) -> Granted {
    match reserved {
        Reserved::Granted(granted) => granted,
        other => panic!("{other:?}"),
    }
}

fn wait(milliseconds: u64) -> Reserved {
    Reserved::Wait(Duration::from_millis(milliseconds))
}

/// A window of 100 calls of which one is spent, until 10 s.
fn open() -> SharedWindow {
    let mut window = SharedWindow::default();
    let first = granted(ask(&mut window, 0, 1, 50, Report::default()));
    assert_eq!((first.calls, first.reset), (1, None), "one goes ahead");
    assert_eq!(ask(&mut window, 1, 2, 50, Report::default()), wait(times::NEWS), "and the others wait for it");
    let report = Report { epoch: first.epoch, answered: 1, seen: Some(seen(99, RESET, 9990)), ..Report::default() };
    assert_eq!(ask(&mut window, 10, 1, 0, report), Reserved::Noted);
    window
}

/// Takes all that there is, in slices.
fn spend(window: &mut SharedWindow, now: u64, holders: &[u64]) -> (u64, u64) {
    let (mut calls, mut slices) = (0, 0);
    for holder in holders.iter().cycle() {
        match ask(window, now, *holder, 1000, Report::default()) {
            Reserved::Granted(granted) => calls += granted.calls,
            _ => return (calls, slices),
        }
        slices += 1;
    }
    unreachable!("the holders are a circle")
}

#[test]
fn a_window_is_spent_to_its_last_call_in_few_slices() {
    let mut window = open();
    let (calls, slices) = spend(&mut window, 20, &[1, 2, 3, 4]);
    assert_eq!(calls, 99);
    assert!(slices < 40, "{slices}");
    assert_eq!(ask(&mut window, 30, 1, 1, Report::default()), wait(9970));
}

#[test]
fn what_is_not_used_goes_back_and_what_was_answered_does_not() {
    let mut window = open();
    let slice = granted(ask(&mut window, 20, 1, 40, Report::default()));
    let report = Report { epoch: slice.epoch, answered: 4, unused: slice.calls - 4, ..Report::default() };
    ask(&mut window, 30, 1, 0, report);
    assert_eq!(spend(&mut window, 40, &[1, 2]).0, 95);
}

#[test]
fn the_next_window_has_room_for_what_may_still_be_on_its_way() {
    let mut window = open();
    let (calls, _) = spend(&mut window, 20, &[1]);
    let report = Report { answered: calls - 3, ..Report::default() };
    ask(&mut window, 9000, 1, 0, report);
    assert_eq!(spend(&mut window, 10_000, &[1]).0, 97);
    // Two of the three were counted in the window before after all.
    ask(&mut window, 10_001, 1, 0, Report { answered: 2, ..Report::default() });
    assert_eq!(spend(&mut window, 10_002, &[1]).0, 2);
}

#[test]
fn the_least_that_anybody_was_told_counts() {
    let mut window = open();
    ask(&mut window, 20, 1, 0, Report { seen: Some(seen(7, RESET, 9000)), ..Report::default() });
    ask(&mut window, 21, 2, 0, Report { seen: Some(seen(40, RESET, 9000)), ..Report::default() });
    assert_eq!(spend(&mut window, 22, &[1, 2]).0, 7);
}

#[test]
fn while_others_spend_too_nothing_is_granted_that_may_be_spent() {
    let mut window = open();
    let slice = granted(ask(&mut window, 20, 1, 30, Report::default()));
    // Somebody who does not ask here has spent 60.
    ask(&mut window, 30, 2, 0, Report { seen: Some(seen(40, RESET, 9000)), ..Report::default() });
    let other = granted(ask(&mut window, 31, 2, 100, Report::default()));
    assert!(other.calls <= 40 - slice.calls, "{other:?}");
    let (rest, _) = spend(&mut window, 32, &[1, 2]);
    assert_eq!(slice.calls + other.calls + rest, 40);
    assert_eq!(
        ask(&mut window, 33, 1, 1, Report::default()),
        wait(2 * times::NEWS),
        "what was answered may be counted twice"
    );
    let report = Report { epoch: slice.epoch, answered: 40, seen: Some(seen(0, RESET, 8000)), ..Report::default() };
    ask(&mut window, 40, 1, 0, report);
    assert_eq!(ask(&mut window, 41, 1, 1, Report::default()), wait(9959));
}

#[test]
fn a_refusal_that_was_long_on_its_way_silences_nobody() {
    let mut window = open();
    let late = Report { epoch: 0, refused: Some(Duration::from_secs(30)), ..Report::default() };
    ask(&mut window, 10_000, 2, 0, Report::default());
    ask(&mut window, 10_001, 2, 0, late);
    assert_eq!(spend(&mut window, 10_002, &[1]).0, 100);
}

#[test]
fn after_a_refusal_nobody_has_any_and_nothing_comes_back() {
    let mut window = open();
    let slice = granted(ask(&mut window, 20, 1, 40, Report::default()));
    let refused = Report { epoch: slice.epoch, refused: Some(Duration::from_secs(30)), ..Report::default() };
    ask(&mut window, 30, 2, 0, refused);
    ask(&mut window, 40, 1, 0, Report { epoch: slice.epoch, unused: slice.calls, ..Report::default() });
    assert_eq!(ask(&mut window, 50, 3, 1, Report::default()), wait(29_980));
}

#[test]
fn late_answers_of_a_window_that_is_over_say_nothing() {
    let mut window = open();
    ask(&mut window, 10_000, 1, 0, Report::default());
    ask(&mut window, 10_001, 1, 0, Report { seen: Some(seen(0, RESET, 900)), ..Report::default() });
    assert_eq!(spend(&mut window, 10_002, &[1]).0, 100);
}

#[test]
fn a_window_that_the_server_began_earlier_is_taken_over() {
    let mut window = open();
    let slice = granted(ask(&mut window, 20, 1, 10, Report::default()));
    let report = Report { epoch: slice.epoch, seen: Some(seen(90, RESET + 10, 10_000)), ..Report::default() };
    ask(&mut window, 9500, 2, 0, report);
    assert_eq!(spend(&mut window, 9501, &[1]).0, 90 - slice.calls, "the slice may be sent in the new window");
    ask(&mut window, 9600, 1, 0, Report { epoch: slice.epoch, unused: 3, ..Report::default() });
    assert_eq!(spend(&mut window, 9700, &[1]).0, 3);
}

#[test]
fn who_dies_with_a_slice_costs_it_and_no_more() {
    let mut window = open();
    let lost = granted(ask(&mut window, 20, 1, 40, Report::default())).calls;
    for (at, left) in [(21, 99 - lost), (10_000, 100 - lost), (20_000, 100)] {
        assert_eq!(spend(&mut window, at, &[2]).0, left);
        // All are answered, and name the window.
        let report = Report {
            epoch: at / 10_000,
            answered: left,
            seen: Some(seen(0, RESET + at / 10_000, 9000)),
            ..Report::default()
        };
        ask(&mut window, at + 10, 2, 0, report);
    }
}

#[test]
fn a_scout_that_does_not_come_back_is_followed_by_another() {
    let mut window = SharedWindow::default();
    granted(ask(&mut window, 0, 1, 1, Report::default()));
    assert_eq!(ask(&mut window, times::SCOUT - 1, 2, 1, Report::default()), wait(times::NEWS));
    assert_eq!(granted(ask(&mut window, times::SCOUT, 2, 1, Report::default())).calls, 1);
    // One that was not sent after all is no scout any more.
    ask(&mut window, times::SCOUT + 1, 2, 0, Report { unused: 1, ..Report::default() });
    assert_eq!(granted(ask(&mut window, times::SCOUT + 2, 3, 1, Report::default())).calls, 1);
}

#[test]
fn a_server_without_a_word_on_limits_is_called_without_any() {
    let mut window = SharedWindow::default();
    granted(ask(&mut window, 0, 1, 1, Report::default()));
    ask(&mut window, 1, 1, 0, Report { answered: 1, is_unlimited: true, ..Report::default() });
    assert!(granted(ask(&mut window, 2, 2, 64, Report::default())).calls >= 64);
    // Until it says one.
    ask(&mut window, 3, 2, 0, Report { refused: Some(Duration::from_secs(2)), ..Report::default() });
    assert_eq!(ask(&mut window, 4, 1, 1, Report::default()), wait(1999));
}

#[test]
fn a_window_that_nobody_names_is_forgotten() {
    let mut window = open();
    spend(&mut window, 20, &[1]);
    ask(&mut window, 10_000, 1, 0, Report { answered: 99, ..Report::default() });
    spend(&mut window, 10_001, &[1]);
    assert_eq!(ask(&mut window, 10_002, 1, 1, Report::default()), wait(times::NEWS));
    assert_eq!(granted(ask(&mut window, 10_000 + times::UNNAMED, 1, 9, Report::default())).calls, 1, "a scout");
}

#[test]
fn clients_that_call_now_and_then_do_not_cut_the_slices_of_a_busy_one() {
    let mut window = open();
    for holder in 2..50 {
        granted(ask(&mut window, 20, holder, 1, Report::default()));
    }
    let slices = [80, 80, 80, 1].map(|wanted| granted(ask(&mut window, 30, 1, wanted, Report::default())).calls);
    assert_eq!(slices, [25, 13, 6, 1], "half of what is left, which is 51");
}

#[test]
fn who_waits_for_a_window_has_an_equal_part_of_it() {
    let mut window = open();
    spend(&mut window, 20, &[1]);
    for holder in 1..=4 {
        assert_eq!(ask(&mut window, 9000, holder, 90, Report::default()), wait(1000));
    }
    ask(&mut window, 9001, 1, 0, Report { answered: 99, ..Report::default() });
    assert_eq!(granted(ask(&mut window, 10_000, 1, 90, Report::default())).calls, 25);
    // A second later one that has not come back is no longer waited for.
    let slices = [2, 3].map(|holder| granted(ask(&mut window, 11_001, holder, 90, Report::default())).calls);
    assert_eq!(slices, [37, 19]);
}

#[test]
fn where_more_wait_than_a_window_has_calls_each_has_a_turn() {
    let mut window = open();
    ask(&mut window, 10_000, 1, 0, Report { seen: Some(seen(0, RESET + 10, 9000)), ..Report::default() });
    let waits: Vec<Reserved> = (0..250).map(|holder| ask(&mut window, 10_000, holder, 4, Report::default())).collect();
    assert_eq!((waits[0], waits[99], waits[100], waits[249]), (wait(9000), wait(9000), wait(19_000), wait(29_000)));
    assert_eq!(ask(&mut window, 10_001, 0, 4, Report::default()), wait(8999), "who asks again keeps its turn");
    ask(&mut window, 10_002, 1, 0, Report { epoch: 1, answered: 1, ..Report::default() });
    // Who comes now waits for those whose turn it is, as does who had one; those of a later turn take nothing off their share.
    assert_eq!(ask(&mut window, 19_000, 300, 1, Report::default()), wait(times::TURNS));
    assert_eq!(granted(ask(&mut window, 19_000, 99, 9, Report::default())).calls, 1);
    assert_eq!(ask(&mut window, 19_001, 99, 9, Report::default()), wait(times::TURNS));
    // For a second.
    assert_eq!(granted(ask(&mut window, 20_000, 300, 9, Report::default())).calls, 9);
}

#[test]
fn a_slice_of_a_short_window_is_back_before_its_end() {
    let mut window = open();
    assert_eq!(granted(ask(&mut window, 20, 1, 1, Report::default())).valid_for, Duration::from_secs(1));
    ask(&mut window, 10_000, 1, 0, Report { seen: Some(seen(90, RESET + 2, 1900)), ..Report::default() });
    assert_eq!(granted(ask(&mut window, 10_010, 1, 1, Report::default())).valid_for, Duration::from_millis(500));
}

#[test]
fn nonsense_silences_nobody() {
    for (reset, milliseconds) in [(RESET, 0), (RESET, u64::MAX), (0, 0)] {
        let mut window = SharedWindow::default();
        granted(ask(&mut window, 0, 1, 1, Report::default()));
        let report = Report {
            answered: 1,
            seen: Some(seen(0, reset, milliseconds)),
            refused: Some(Duration::from_millis(u64::MAX)),
            ..Report::default()
        };
        ask(&mut window, 1, 1, 0, report);
        granted(ask(&mut window, 2, 2, 1, Report::default()));
    }
}
