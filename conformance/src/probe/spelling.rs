//! Other spellings of a path, without a credential: an access check that compares the text of a path may pass another text for the same
//! resource.
//!
//! A success is a finding only against three controls: the call with its credential is answered in the same shape, the original path is
//! refused, and the same spelling of a path that does not exist is not answered so. A spelling that a URL cannot contain, such as `/./`,
//! is not sent.

use std::collections::BTreeMap;

use keyfit_openapi::{Api, Operation};
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::case_run::{CaseRun, SentRequest};
use super::flow::Stop;
use super::request::Draft;
use super::{Reply, TargetServer};
use crate::contract::Probe;
use crate::document::body::essence;
use crate::document::segment;
use crate::document::unknown_id::UNKNOWN_ID;

/// The highest depth to which two answers are compared.
const MAX_DEPTH: usize = 16;

/// A path segment in its URL form.
#[derive(Clone, Debug)]
struct Segment {
    text: String,
    /// True if it has no parameter: an id in another case would be another id.
    is_literal: bool,
}

/// The name of a spelling, and the function that returns it; `None` if it changes nothing.
type Spelling = (&'static str, fn(&[Segment]) -> Option<String>);

const SPELLINGS: [Spelling; 6] = [
    ("with a slash at its end", |path| Some(joined(path) + "/").filter(|text| !text.ends_with("//"))),
    ("with two slashes before it", |path| Some(format!("/{}", joined(path)))),
    ("with a letter percent-encoded", encoded),
    ("in the other letter case", in_other_case),
    ("with a parameter behind a semicolon", |path| with_end(path, ";x")),
    ("with `.json` at its end", |path| with_end(path, ".json")),
];

/// The controls, which are requested once when a spelling is served.
struct ControlAnswers {
    /// The answer to the call with its credential.
    own: Reply,
    asked: Vec<SentRequest>,
}

impl TargetServer {
    /// Requests the path in each spelling without a credential, until one is served.
    pub(super) async fn send_other_spellings(&self, case_run: &mut CaseRun<'_>) -> Result<(), Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let plain = case_run.maker(self).draft(case_run.probe, operation, &case_run.identity).map_err(Stop::Missing)?;
        let base = self.servers.of(operation).map_err(Stop::Missing)?.path().trim_end_matches('/').to_owned();
        let path = segments(operation, plain.url.path().strip_prefix(&*base).unwrap_or_default());
        let lost = nonexistent_path(&path);
        let mut controls: Option<ControlAnswers> = None;
        let mut innocent = Vec::new();
        for (name, spelled) in SPELLINGS {
            let Some(text) = spelled(&path).filter(|text| !is_of_another(&case_run.catalogue.api, operation, text))
            else {
                continue;
            };
            let Some(draft) = with_path(&plain, &base, &text) else { continue };
            let sent = self.send(&draft).await;
            let Some(reply) = sent.answer().filter(|reply| reply.is_success()).cloned() else {
                case_run.sent.push(sent);
                continue;
            };
            if controls.is_none() {
                controls = Some(self.controls(case_run, operation, &plain).await?);
            }
            let is_own = controls.as_ref().is_some_and(|controls| is_alike(&controls.own, &reply));
            let elsewhere = spelled(&lost).filter(|_| is_own).and_then(|text| with_path(&plain, &base, &text));
            let mut is_anything = false;
            if let Some(elsewhere) = elsewhere {
                let elsewhere = self.send(&elsewhere).await;
                is_anything = elsewhere.answer().is_none_or(|other| other.is_success() && is_alike(other, &reply));
                innocent.push(elsewhere);
            }
            if is_own && !is_anything {
                case_run.found = Some(format!("the path {name} is served without a credential"));
                innocent.extend(controls.into_iter().flat_map(|controls| controls.asked));
                case_run.sent.splice(0..0, innocent);
                case_run.sent.push(sent);
                return Ok(());
            }
            innocent.push(sent);
        }
        innocent.extend(controls.into_iter().flat_map(|controls| controls.asked));
        let is_refused = !case_run.sent.is_empty();
        case_run.sent.splice(0..0, innocent);
        if is_refused {
            return Ok(());
        }
        Err(Stop::missing("no other spelling of its path is refused, and none shows what is protected"))
    }

    /// Sends the valid call, and the original path without a credential.
    async fn controls(
        &self,
        case_run: &mut CaseRun<'_>,
        operation: &Operation,
        plain: &Draft,
    ) -> Result<ControlAnswers, Stop> {
        let own = case_run.maker(self).draft(&Probe::Valid, operation, &case_run.identity).map_err(Stop::Missing)?;
        let own = self.send(&own).await;
        let bare = self.send(plain).await;
        let (own_reply, bare_reply) = (own.answer().cloned(), bare.answer().cloned());
        let asked = vec![own, bare];
        let why = match (own_reply, bare_reply) {
            (Some(own), Some(bare)) if own.is_success() && !bare.is_success() => {
                return Ok(ControlAnswers { own, asked });
            }
            (Some(own), _) if own.is_success() => "the path as it is written is served without a credential as well",
            _ => "a valid call is not served: nothing shows what is protected",
        };
        case_run.sent.extend(asked);
        Err(Stop::missing(why))
    }
}

/// Returns the segments of the path of a call, including empty ones such as after a trailing slash.
fn segments(operation: &Operation, path: &str) -> Vec<Segment> {
    let templates = operation.path.split('/').skip(1);
    let texts = path.split('/').skip(1);
    let all = templates.zip(texts);
    all.map(|(template, text)| Segment { text: text.to_owned(), is_literal: !template.contains('{') }).collect()
}

/// Returns the path with the last segment without a parameter replaced: a path that does not exist.
fn nonexistent_path(path: &[Segment]) -> Vec<Segment> {
    let mut path = path.to_vec();
    let last = path.iter().rposition(|segment| segment.is_literal && !segment.text.is_empty());
    match last.or(path.len().checked_sub(1)) {
        Some(last) => UNKNOWN_ID.clone_into(&mut path[last].text),
        None => path.push(Segment { text: UNKNOWN_ID.to_owned(), is_literal: true }),
    }
    path
}

fn joined(path: &[Segment]) -> String {
    path.iter().flat_map(|segment| ["/", &segment.text]).collect()
}

/// Adds a suffix to the last segment.
fn with_end(path: &[Segment], end: &str) -> Option<String> {
    let text = joined(path);
    path.last().filter(|last| !last.text.is_empty() && !last.text.ends_with(end)).map(|_| text + end)
}

/// Percent-encodes the first letter of the first segment without a parameter.
fn encoded(path: &[Segment]) -> Option<String> {
    changed(path, |text| {
        let at = text.find(|letter: char| letter.is_ascii_alphabetic()).filter(|_| !text.contains('%'))?;
        Some(format!("{}%{:02X}{}", &text[..at], text.as_bytes()[at], &text[at + 1..]))
    })
}

/// Converts segments without parameters to upper case, or to lower case if they are in upper case.
fn in_other_case(path: &[Segment]) -> Option<String> {
    let is_lower =
        path.iter().any(|one| one.is_literal && one.text.contains(|letter: char| letter.is_ascii_lowercase()));
    let turned = |text: &str| if is_lower { text.to_ascii_uppercase() } else { text.to_ascii_lowercase() };
    let mut path = path.to_vec();
    let before = joined(&path);
    for segment in path.iter_mut().filter(|segment| segment.is_literal && !segment.text.contains('%')) {
        segment.text = turned(&segment.text);
    }
    Some(joined(&path)).filter(|after| *after != before)
}

/// Applies a change to the first segment without a parameter for which it is possible.
fn changed(path: &[Segment], change: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut path = path.to_vec();
    let (place, text) = path
        .iter()
        .enumerate()
        .filter(|(_, segment)| segment.is_literal)
        .find_map(|(place, segment)| Some((place, change(&segment.text)?)))?;
    path[place].text = text;
    Some(joined(&path))
}

/// Returns whether the document has this path for an operation that needs no credential.
fn is_of_another(api: &Api, operation: &Operation, path: &str) -> bool {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned();
    // Some routers ignore case.
    let lower = decoded.to_lowercase();
    let fits = |template: &str, path: &str| {
        let (templates, texts): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
        let is_one = |(template, text): (&&str, &&str)| segment::read(template, text, &mut BTreeMap::new());
        templates.len() == texts.len() && templates.iter().zip(&texts).all(is_one)
    };
    api.operations.iter().any(|other| {
        let is_open = other.path != operation.path && other.method == operation.method && other.security.is_optional();
        let is_its_path =
            || [path, &decoded].iter().any(|text| fits(&other.path, text)) || fits(&other.path.to_lowercase(), &lower);
        is_open && is_its_path()
    })
}

/// Returns the request for a path, or `None` if a URL would normalize it. The document does not describe it as a call.
fn with_path(plain: &Draft, base: &str, path: &str) -> Option<Draft> {
    let mut url: Url = plain.url.clone();
    let path = format!("{base}{path}");
    url.set_path(&path);
    (url.path() == path).then(|| Draft { url, operation: None, ..plain.clone() })
}

/// Returns whether two answers have the same content except for changed values: JSON with the same members, or else the same bytes.
fn is_alike(one: &Reply, other: &Reply) -> bool {
    let kind = |reply: &Reply| reply.headers.contains_key(CONTENT_TYPE).then(|| essence(reply.media_type()));
    let read = |reply: &Reply| serde_json::from_slice::<Value>(&reply.body).ok();
    let is_same = match (read(one), read(other)) {
        (Some(one), Some(other)) => has_same_shape(&one, &other, 0),
        _ => one.body == other.body,
    };
    kind(one) == kind(other) && is_same
}

fn has_same_shape(one: &Value, other: &Value, depth: usize) -> bool {
    match (one, other) {
        _ if depth > MAX_DEPTH => true,
        (Value::Object(one), Value::Object(other)) => {
            let is_same = |(name, one): (&String, &Value)| {
                other.get(name).is_some_and(|other| has_same_shape(one, other, depth + 1))
            };
            one.len() == other.len() && one.iter().all(is_same)
        }
        (Value::Array(one), Value::Array(other)) => match (one.first(), other.first()) {
            (Some(one), Some(other)) => has_same_shape(one, other, depth + 1),
            _ => true,
        },
        // A nested member may be null by chance.
        (Value::Null, _) | (_, Value::Null) => depth > 0,
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

#[cfg(test)]
mod tests {
    use keyfit_openapi::{Source, Text};
    use reqwest::header::{HeaderMap, HeaderValue};
    use serde_json::json;

    use super::*;

    fn api() -> Api {
        let get = |security: Value| json!({ "get": { "security": security, "responses": { "200": { "description": "Ok." } } } });
        let document = json!({
            "openapi": "3.1.0",
            "info": { "title": "a", "version": "1" },
            "security": [{ "key": [] }],
            "paths": {
                "/users/me": get(json!([{ "key": [] }])),
                "/users/{name}": get(json!([])),
                "/books/": get(json!([{ "key": [] }])),
                "/books/{id}/pages": get(json!([{ "key": [] }])),
                "/": get(json!([{ "key": [] }])),
            },
            "components": { "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } } },
        });
        let document = Text::new("a.json", document.to_string());
        Api::read(&Source { name: "a".to_owned(), document, overlay: None, contract: None }).expect("a document")
    }

    /// Returns the spellings that are sent for a path of an operation.
    fn spelled(api: &Api, template: &str, path: &str) -> Vec<String> {
        let operation = api.operations.iter().find(|one| one.path == template).expect("an operation");
        let all = segments(operation, path);
        let texts = SPELLINGS.iter().filter_map(|(_, spelled)| spelled(&all));
        texts.filter(|text| !is_of_another(api, operation, text)).collect()
    }

    #[test]
    fn each_spelling_is_another_text_for_the_same_place() {
        let api = api();
        assert_eq!(
            spelled(&api, "/books/{id}/pages", "/books/b%20A/pages"),
            [
                "/books/b%20A/pages/",
                "//books/b%20A/pages",
                "/%62ooks/b%20A/pages",
                "/BOOKS/b%20A/PAGES",
                "/books/b%20A/pages;x",
                "/books/b%20A/pages.json",
            ]
        );
        assert_eq!(spelled(&api, "/books/", "/books/"), ["//books/", "/%62ooks/", "/BOOKS/"]);
        assert_eq!(spelled(&api, "/", "/"), ["//"], "of nothing there is one other spelling");
    }

    #[test]
    fn what_the_document_has_for_everybody_is_no_other_spelling() {
        assert_eq!(spelled(&api(), "/users/me", "/users/me"), ["/users/me/", "//users/me"]);
    }

    #[test]
    fn a_path_that_leads_nowhere_differs_in_what_is_no_parameter() {
        let api = api();
        let of = |template: &str, path: &str| {
            let operation = api.operations.iter().find(|one| one.path == template).expect("an operation");
            joined(&nonexistent_path(&segments(operation, path)))
        };
        assert_eq!(of("/books/{id}/pages", "/books/1/pages"), format!("/books/1/{UNKNOWN_ID}"));
        assert_eq!(of("/books/", "/books/"), format!("/{UNKNOWN_ID}/"));
        assert_eq!(of("/", "/"), format!("/{UNKNOWN_ID}"));
    }

    #[test]
    fn answers_are_alike_by_their_shape() {
        let reply = |media_type: &'static str, body: &str| {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media_type))]);
            Reply { status: 200, headers, body: body.as_bytes().to_vec() }
        };
        let json = |body: &str| reply("application/json", body);
        for (one, other, alike) in [
            (json("{\"items\":[{\"id\":1}],\"next\":null}"), json("{\"next\":\"a\",\"items\":[{\"id\":2},{}]}"), true),
            (json("{\"items\":[]}"), json("{\"error\":\"no\"}"), false),
            (json("{\"items\":[]}"), json("{\"items\":[],\"error\":\"no\"}"), false),
            (json("{\"id\":1}"), json("{\"id\":\"1\"}"), false),
            (json("null"), json("{\"id\":1}"), false),
            (json("{}"), reply("text/html", "{}"), false),
            (reply("text/html", "<p>1"), reply("text/html; charset=utf-8", "<p>1"), true),
            (reply("text/html", "<p>1"), reply("text/html", "<p>2"), false),
        ] {
            assert_eq!(is_alike(&one, &other), alike, "{one:?} {other:?}");
        }
    }
}
