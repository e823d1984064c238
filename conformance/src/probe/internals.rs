//! Whether an answer shows the inside of a server: stack traces, and paths of its files. Each mark is one that a runtime
//! prints and no API says.

use super::reply::Reply;

/// What runtimes and frameworks print of an error that nobody caught.
const MARKS: [&str; 14] = [
    "Traceback (most recent call last)",
    "panicked at ",
    "goroutine 1 [",
    "Exception in thread",
    "\n\tat ",
    "\\n\\tat ",
    "    at Object.",
    "node_modules/",
    "/site-packages/",
    "Stack trace:",
    "System.NullReferenceException",
    "ORA-0",
    "SQLSTATE[",
    "syntax error at or near",
];
/// How paths of files begin that no URL of an API does.
const PATHS: [&str; 6] = ["/usr/lib/", "/usr/src/", "/var/www/", "/home/", "/app/src/", "C:\\\\"];

/// What an answer shows that it should not.
pub(super) fn finding(reply: &Reply) -> Option<String> {
    let body = String::from_utf8_lossy(&reply.body);
    let shown = MARKS.iter().chain(&PATHS).find(|mark| body.contains(**mark))?;
    Some(format!("the body shows the inside of the server: it holds `{}`", shown.trim().escape_debug()))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    fn shown(body: &str) -> bool {
        finding(&Reply { status: 500, headers: HeaderMap::new(), body: body.as_bytes().to_vec() }).is_some()
    }

    #[test]
    fn what_a_runtime_prints_is_found_and_what_an_api_says_is_not() {
        assert!(shown("Traceback (most recent call last):\n  File \"x.py\""));
        assert!(shown(r#"{"error":"java.lang.NullPointerException\n\tat com.example.Main"}"#));
        assert!(shown("thread 'main' panicked at src/main.rs:1"));
        assert!(!shown(r#"{"error":"not found","path":"/v1/usr/home"}"#));
        assert!(!shown(""));
    }
}
