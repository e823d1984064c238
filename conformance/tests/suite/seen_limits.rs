//! Rate limits of which no document speaks, before live servers whose answers tell of one.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::live_server::{READING, api, by_token, check, reply, serve};

/// What a check says of a server whose answers have these headers, in which `LEFT` falls by so much with each of them.
fn said(name: &str, headers: &'static str, falls: i64) -> (Option<i32>, String) {
    let left = AtomicI64::new(90);
    let (url, _) = serve(move |first, sent, _| {
        let served = by_token(first, sent);
        let left = left.fetch_sub(falls, Ordering::SeqCst).to_string();
        let status = format!("200 OK\r\n{}", headers.replace("LEFT", &left));
        Some(if served.contains(" 200 ") { reply(status.trim(), "[]") } else { served })
    });
    let rules = [
        "--fail-on",
        "should",
        "--case",
        "hub/rate/*/*",
        "--case",
        "hub/answer/limits/*",
        "--case",
        "hub/auth/accepted/*",
    ];
    check(&api(name, READING), &url, &rules)
}

#[test]
fn a_limit_that_is_only_seen_in_answers_is_held_to_what_it_says() {
    let usual = "X-RateLimit-Limit: 100\r\nX-RateLimit-Remaining: LEFT\r\nX-RateLimit-Reset: 3600";
    let field = "RateLimit-Policy: \"hour\";q=100;w=3600\r\nRateLimit: \"hour\";r=LEFT;t=3000";
    for (name, headers) in [("usual", usual), ("field", field)] {
        let (code, told) = said(&format!("limit-{name}"), headers, 1);
        assert!(code == Some(0) && told.contains("3 cases: 3 passed"), "{told}");
        let (code, told) = said(&format!("limit-{name}-stands"), headers, 0);
        assert!(code == Some(1) && told.contains("90 calls are left after each of 3 calls"), "{told}");
    }
    let (code, told) =
        said("limit-beyond", "X-Rate-Limit-Limit: 10\r\nX-Rate-Limit-Remaining: LEFT\r\nX-Rate-Limit-Reset: 3600", 1);
    assert!(code == Some(1) && told.contains("of 10 calls are left"), "{told}");
}

#[test]
fn what_does_not_show_a_window_is_not_judged() {
    let (code, said_of_silence) = said("limit-silent", "X-Other: 1", 0);
    assert!(code == Some(0) && said_of_silence.contains("3 cases: 3 passed"), "{said_of_silence}");
    for (name, headers, told) in [
        ("bucket", "X-RateLimit-Limit: 100\r\nX-RateLimit-Remaining: LEFT\r\nX-RateLimit-Reset: 1", "into one window"),
        ("endless", "X-RateLimit-Limit: 100\r\nX-RateLimit-Remaining: LEFT", "into one window"),
        (
            "cached",
            "Age: 5\r\nX-RateLimit-Limit: 100\r\nX-RateLimit-Remaining: LEFT\r\nX-RateLimit-Reset: 3600",
            "into one window",
        ),
    ] {
        let (code, said) = said(&format!("limit-{name}"), headers, 0);
        assert!(code == Some(0) && said.contains(told), "{name}: {said}");
    }
}
