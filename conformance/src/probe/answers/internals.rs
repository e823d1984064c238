//! Checks whether an answer reveals internals of a server: stack traces, database queries, and file paths. Each pattern matches a text
//! that a runtime, a framework, or a database prints, and that an API does not send.

use std::sync::LazyLock;

use regex::Regex;

/// The patterns, each with a description of the internals that it reveals.
static MARKS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let marks = [
        (
            "a stack trace of Python",
            r#"Traceback \(most recent call last\)|File \\?"[^"\n]+\.py\\?", line \d|/site-packages/"#,
        ),
        (
            "a stack trace of JavaScript",
            r"(?:\n|\\n) +at [^\n]*?[\w/.-]+\.[cm]?[jt]s:\d+:\d+|node_modules/|node:internal/|    at Object\.",
        ),
        (
            "a stack trace of Java",
            r"(?:\n|\\n)(?:\t|\\t)at |\.(?:java|kt|scala):\d+\)|Exception in thread|\b(?:javax?|jakarta|kotlin|org\.springframework|org\.hibernate|com\.fasterxml)\.[\w.$]*(?:Exception|Error)\b",
        ),
        (
            "a stack trace of .NET",
            r"\bat [\w.<>`+]+\([^)\n]*\) in [^\n]+:line \d|\b(?:System|Microsoft)\.[\w.]*Exception\b",
        ),
        (
            "a stack trace of PHP",
            r"\.php(?:\(\d+\)|:\d+| on line \d)|PHP (?:Fatal error|Parse error|Warning|Notice)\b|Stack trace:|/vendor/[\w./-]+\.php",
        ),
        (
            "a stack trace of Ruby",
            r"\.rb:\d+:in |/gems/[\w.-]+/|\bAction(?:Controller|View|Dispatch)::\w|\bActiveRecord::\w",
        ),
        (
            "a stack trace of Go",
            r"goroutine \d+ \[|\.go:\d+ \+0x|panic: runtime error|runtime error: (?:index|invalid|nil|slice|integer)",
        ),
        ("a stack trace of Rust", r"panicked at |stack backtrace:"),
        (
            "the text of a query",
            r#"\bSELECT\s[^\n]{1,400}?\sFROM\s+["`\[\w]|\bINSERT INTO\s+\S+\s*\(|\bUPDATE\s+\S+\s+SET\s+\S+\s*=|\bDELETE FROM\s+["`\[\w]|\bselect \w+\.\w+[^\n]{0,400}? from \w"#,
        ),
        (
            "an error of a database",
            r#"SQLSTATE\[|\bORA-\d{5}|syntax error at or near|You have an error in your SQL syntax|near \\?"[^"\n]*": syntax error|\bSQLITE_[A-Z]+|\bsqlite3\.\w+Error|\bPG::\w+|\bpsycopg2?\.|violates (?:unique|foreign key|not-null|check) constraint|\bE11000 duplicate key|Duplicate entry '[^'\n]*' for key|no such (?:table|column): |relation \\?"[^"\n]+" does not exist|Unclosed quotation mark after|Sequelize\w*Error|PrismaClient\w+Error|QueryFailedError"#,
        ),
        (
            "a path of the server's files",
            r#"/usr/(?:lib|src|local)/|/var/(?:www|lib|task)/|/home/[\w.-]+/|/app/src/|\b[A-Z]:\\\\?(?:inetpub|Users|Program Files|Windows|src|app)\b|(?:^|[\s"'(])/(?:[\w.@+-]+/){2,}[\w.@+-]+\.(?:py|rb|php|js|ts|go|java|cs|rs|exs?|pl)\b"#,
        ),
    ];
    marks.into_iter().filter_map(|(shown, mark)| Some((shown, Regex::new(mark).ok()?))).collect()
});

/// Attributes in HTML that reference other resources: their paths are URLs and not files.
static LINKS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)\s(?:src|href|action|poster|data-[\w-]+)\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>]+)"#).ok()
});

/// Returns the first internals that a body reveals, except for the requested path and the links of HTML pages.
pub(super) fn finding(body: &[u8], path: &str) -> Option<String> {
    // Some servers escape slashes in JSON.
    let mut body = String::from_utf8_lossy(body).replace("\\/", "/");
    if path.len() > 1 {
        body = body.replace(path, "");
    }
    if let Some(links) = LINKS.as_ref().filter(|_| body.contains("</")) {
        body = links.replace_all(&body, " ").into_owned();
    }
    MARKS.iter().find_map(|(shown, mark)| {
        let found = mark.find(&body)?.as_str().trim();
        let found: String = found.chars().take(60).collect();
        Some(format!("the body shows {shown}: it holds `{}`", found.escape_debug()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark_in(body: &str) -> Option<&'static str> {
        let found = finding(body.as_bytes(), "/v1/home/keyfit/things")?;
        MARKS.iter().map(|(shown, _)| *shown).find(|shown| found.contains(shown))
    }

    #[test]
    fn every_mark_can_be_read() {
        assert_eq!(MARKS.len(), 11);
        assert!(LINKS.is_some());
    }

    #[test]
    fn what_frameworks_print_is_found() {
        for (of, body) in [
            ("Python", "Traceback (most recent call last):\n  File \"x.py\""),
            ("Python", r#"{"detail":"  File \"/code/api.py\", line 3, in read"}"#),
            ("JavaScript", "TypeError: x is not a function\n    at read (/srv/dist/api.js:10:15)"),
            (
                "JavaScript",
                r#"{"stack":"Error: no\n    at Layer.handle (/srv/node_modules/express/lib/router.js:95:5)"}"#,
            ),
            ("Java", r#"{"error":"java.lang.NullPointerException\n\tat com.example.Main"}"#),
            ("Java", r#"{"exception":"org.springframework.http.converter.HttpMessageNotReadableException"}"#),
            (".NET", "   at Shop.Api.Orders.Read(Int32 id) in /src/Orders.cs:line 12"),
            (".NET", r#"{"title":"System.InvalidOperationException: Sequence contains no elements"}"#),
            ("PHP", "<b>Warning</b>: Undefined index in /srv/index.php on line 12"),
            ("PHP", r#"{"exception":"E","file":"\/srv\/vendor\/laravel\/framework\/Router.php","line":43}"#),
            ("Ruby", "app/models/order.rb:12:in `read'"),
            ("Ruby", r#"{"exception":"ActiveRecord::StatementInvalid"}"#),
            ("Go", "goroutine 17 [running]:\nmain.read(0xc000)"),
            ("Go", "runtime error: index out of range [3]"),
            ("Rust", "thread 'main' panicked at src/main.rs:1"),
            ("query", r#"{"message":"failed: SELECT id, name FROM orders WHERE id = $1"}"#),
            ("query", "could not execute select o1_0.id,o1_0.name from orders o1_0"),
            ("database", r#"{"error":"duplicate key value violates unique constraint \"orders_pkey\""}"#),
            ("database", "sqlite3.OperationalError: no such table: orders"),
            ("files", "<html><a href='/'>Home</a><p>cannot open /srv/app/orders.py</p></html>"),
            ("files", r#"{"error":"cannot open /home/deploy/orders.json"}"#),
            ("files", r#"{"error":"cannot open C:\\inetpub\\wwwroot\\web.config"}"#),
        ] {
            let found = mark_in(body);
            assert!(found.is_some_and(|found| found.contains(of)), "{of}: {found:?}: {body}");
        }
    }

    #[test]
    fn what_an_api_says_is_not() {
        for body in [
            "",
            r#"{"error":"not found","path":"/v1/usr/home"}"#,
            r#"{"timestamp":1,"status":404,"error":"Not Found","path":"/v1/home/keyfit/things"}"#,
            r#"{"message":"Select a value from the list, or update it with the set of defaults."}"#,
            r#"{"type":"https://docs.example/errors/not-found.html","title":"No such file","detail":"src/main.py is not in the index"}"#,
            r#"{"error":"The exception to this rule is described at https://example.com/a/b/errors.php"}"#,
            r#"{"errors":[{"code":"E11000","field":"name"}]}"#,
            "<html><script src=\"/app/static/js/bundle.min.js\"></script><link href='/app/usr/lib/style.css'></html>",
        ] {
            assert_eq!(mark_in(body), None, "{body}");
        }
    }
}
