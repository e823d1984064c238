//! Services that keep their document, each in a manner of its own: none of them breaks a rule that binds.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::live_server::{TOKEN, TOKENS, api, check, serve};

const DOCUMENT: &str = "openapi: 3.0.3
info: { title: Hub, version: '1' }
servers: [{ url: https://hub.example }]
security: [{ login: [] }]
paths:
  /users:
    get:
      operationId: users
      parameters: [{ name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 50 } }]
      responses:
        '200': { description: Users., content: { application/json: { schema: { type: array, items: { type: object } } } } }
        default: { $ref: '#/components/responses/Problem' }
  /users/{user}:
    parameters: [{ name: user, in: path, required: true, schema: { type: string } }]
    get: { operationId: user, responses: { '200': { description: A user. }, default: { $ref: '#/components/responses/Problem' } } }
    put: { operationId: rename, responses: { '204': { description: Renamed. }, default: { $ref: '#/components/responses/Problem' } } }
    delete: { operationId: remove, responses: { '204': { description: Gone. }, default: { $ref: '#/components/responses/Problem' } } }
components:
  securitySchemes: { login: { type: http, scheme: bearer } }
  responses: { Problem: { description: No., content: { application/problem+json: { schema: { type: object } } } } }
";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    /// As most do it.
    Plain,
    /// More than fifty is fifty, and less than one is one.
    Clamps,
    /// Every seventh reading is put off for a second.
    PutsOff,
    /// A change needs `If-Match`.
    AsksForCondition,
    /// What is not there is gone.
    RemovesNothingGladly,
    /// A path has no other methods, not even HEAD.
    KnowsNoOtherMethod,
    /// A credential without a token is a bad request (RFC 6750, 3.1).
    CallsItMalformed,
    /// What is malformed is told in HTML by whatever stands before the service.
    RefusesInHtml,
    /// Who is not known hears of nothing, not even of methods.
    AsksWhoFirst,
}

const MANNERS: [Manner; 9] = [
    Manner::Plain,
    Manner::Clamps,
    Manner::PutsOff,
    Manner::AsksForCondition,
    Manner::RemovesNothingGladly,
    Manner::KnowsNoOtherMethod,
    Manner::CallsItMalformed,
    Manner::RefusesInHtml,
    Manner::AsksWhoFirst,
];

#[test]
fn no_manner_of_a_correct_service_is_a_broken_rule() {
    let folder = api("manners", DOCUMENT);
    fs::write(folder.join("tokens.toml"), format!("{TOKENS}[ids]\nuser = \"ada\"\n[expendable]\nuser = [\"bob\", \"eve\", \"joe\", \"kim\", \"lea\", \"mia\"]\n"))
        .expect("a file");
    for manner in MANNERS {
        let count = AtomicUsize::new(0);
        let (url, _) = serve(move |first, headers, _| Some(answer(manner, first, headers, &count)));
        let (code, said) = check(&folder, &url, &["--allow-writes"]);
        assert_eq!(code, Some(0), "{manner:?}: {said}");
        let is_told = matches!(manner, Manner::Clamps | Manner::KnowsNoOtherMethod);
        assert_eq!(said.contains("WARN"), is_told, "{manner:?}: {said}");
        assert_eq!(said.contains("If-Match"), manner == Manner::AsksForCondition, "{manner:?}: {said}");
    }
}

fn answer(manner: Manner, first: &str, headers: &str, count: &AtomicUsize) -> String {
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let reads = matches!(method, "GET" | "HEAD");
    let credential = headers.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or_default();
    let is_known = credential == format!("bearer {TOKEN}");
    let item = path.strip_prefix("/users/");
    if manner == Manner::PutsOff && reads && count.fetch_add(1, Ordering::Relaxed) % 7 == 6 {
        return refusal(manner, method, "503 Service Unavailable", "retry-after: 1\r\n");
    }
    if credential.trim() == "bearer" && manner == Manner::CallsItMalformed {
        return refusal(manner, method, "400 Bad Request", "");
    }
    if manner == Manner::AsksWhoFirst && !is_known {
        return refusal(manner, method, "401 Unauthorized", "");
    }
    if item.is_none() && path != "/users" {
        return refusal(manner, method, "404 Not Found", "");
    }
    let methods = if item.is_some() { "GET, HEAD, PUT, DELETE" } else { "GET, HEAD" };
    let has_method = methods.split(", ").any(|known| known == method);
    if manner == Manner::KnowsNoOtherMethod && (!has_method || method == "HEAD") {
        return refusal(manner, method, "404 Not Found", "");
    }
    if !has_method {
        return refusal(manner, method, "405 Method Not Allowed", &format!("allow: {methods}\r\n"));
    }
    if !is_known {
        return refusal(manner, method, "401 Unauthorized", "");
    }
    if manner == Manner::AsksForCondition && !reads && !headers.contains("if-match: ") {
        return refusal(manner, method, "428 Precondition Required", "");
    }
    if method == "DELETE" && manner == Manner::RemovesNothingGladly {
        return reply(method, "204 No Content", "", "");
    }
    if item.is_some_and(|user| !["ada", "bob", "eve", "joe", "kim", "lea", "mia"].contains(&user)) {
        return refusal(manner, method, "404 Not Found", "");
    }
    let limit = query.split('&').find_map(|pair| pair.strip_prefix("limit="));
    let is_in_bounds =
        |limit: &str| limit.parse().is_ok_and(|limit: i64| (1..=50).contains(&limit) || manner == Manner::Clamps);
    if limit.is_some_and(|limit| !is_in_bounds(limit)) {
        return refusal(manner, method, "422 Unprocessable Content", "");
    }
    if reads {
        let body = if item.is_some() { "{}" } else { "[]" };
        return reply(method, "200 OK", "content-type: application/json\r\n", body);
    }
    reply(method, "204 No Content", "", "")
}

fn refusal(manner: Manner, method: &str, status: &str, headers: &str) -> String {
    let challenge = if status.starts_with("401") { "www-authenticate: Bearer realm=\"hub\"\r\n" } else { "" };
    let is_html = manner == Manner::RefusesInHtml && (status.starts_with("400") || status.starts_with("404"));
    let (media_type, body) = if is_html { ("text/html", "<p>No.") } else { ("application/problem+json", "{}") };
    reply(method, status, &format!("content-type: {media_type}\r\n{challenge}{headers}"), body)
}

fn reply(method: &str, status: &str, headers: &str, body: &str) -> String {
    let length = if status.starts_with("204") { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    let body = if method == "HEAD" { "" } else { body };
    format!("HTTP/1.1 {status}\r\n{headers}{length}\r\n{body}")
}
