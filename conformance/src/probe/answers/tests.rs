//! Tests of the comparison of answers with a document, for each way in which an answer can be right.

use std::cell::OnceCell;

use keyfit_openapi::{Api, Operation, Source, Text};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName};

use super::*;
use crate::contract::Level::{Must, Observe, Should};

const DOCUMENT: &str = "
openapi: 3.0.3
info: { title: Notes, version: '1' }
servers: [{ url: https://notes.example }]
security: [{ key: [] }]
paths:
  /exact:
    get:
      operationId: exact
      responses:
        '200':
          description: A note.
          headers:
            X-Total: { required: true, schema: { type: integer } }
            X-Kind: { schema: { type: string, enum: [a, '1'] } }
            X-Since: { schema: { type: string, format: date } }
            X-Parts: { schema: { type: array, items: { type: integer } } }
            Content-Type: { required: true, schema: { type: integer } }
          content:
            application/json; charset=utf-8: { schema: { $ref: '#/components/schemas/Note' } }
            text/csv: { schema: { type: string } }
        '204': { description: Nothing. }
        '401': { $ref: '#/components/responses/Problem' }
        '404': { $ref: '#/components/responses/Problem' }
        '500': { $ref: '#/components/responses/Problem' }
  /open:
    get:
      operationId: open
      security: []
      responses:
        2xx: { description: Anything., content: { '*/*': {} } }
        4XX: { $ref: '#/components/responses/Problem' }
  /left:
    get:
      operationId: left
      responses:
        '200': { description: Nothing is said of a body. }
        default: { $ref: '#/components/responses/Problem' }
  /items:
    get:
      operationId: items
      responses:
        '200': { description: Notes., content: { application/x-ndjson: { schema: { $ref: '#/components/schemas/Note' } } } }
  /partial:
    get:
      operationId: partial
      responses:
        default: { description: Whatever it is., content: { application/json: { schema: { $ref: '#/components/schemas/Note' } } } }
components:
  securitySchemes: { key: { type: http, scheme: bearer } }
  responses:
    Problem: { description: A problem., content: { application/problem+json: { schema: { $ref: '#/components/schemas/Problem' } } } }
  schemas:
    Note:
      type: object
      required: [text, secret]
      properties:
        text: { type: string }
        at: { type: string, format: date-time }
        by: { type: object, properties: { id: { type: string, format: uuid }, site: { type: string, format: of-our-own } } }
        secret: { type: string, writeOnly: true }
        storedHash: { type: string }
        password: { type: string }
    Problem: { type: object, required: [title, errors], properties: { title: { type: string }, type: { type: string, format: uri }, errors: { type: array } } }
";

fn api() -> Api {
    let document = Text::new("openapi.yaml", DOCUMENT);
    Api::read(&Source { name: "notes".to_owned(), document, overlay: None, contract: None }).expect("a document")
}

/// Parses an answer from one text: the status, the headers, and the body after an empty line.
fn reply(text: &str) -> Reply {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.parse().ok()).expect("a status");
    let pair = |line: &str| {
        let (name, value) = line.split_once(": ").expect("a header");
        (name.parse::<HeaderName>().expect("a name"), value.parse().expect("a value"))
    };
    let headers: HeaderMap = lines.map(pair).collect();
    Reply { status, headers, body: body.as_bytes().to_vec() }
}

struct TestCall<'a> {
    api: &'a Api,
    operation: &'a Operation,
    draft: Draft,
    redactor: Redactor,
}

impl<'a> TestCall<'a> {
    fn of(api: &'a Api, id: &str) -> Self {
        let operation = api.operation(id).expect("an operation");
        let url = format!("https://notes.example{}", operation.path).parse().expect("a URL");
        let mut draft = Draft::outside(&operation.method, url);
        draft.operation = Some(id.to_owned());
        draft.credentials.push((AUTHORIZATION, "Bearer x".to_owned()));
        Self { api, operation, draft, redactor: Redactor::default() }
    }

    fn finds(&self, about: GeneralRule, answer: &str) -> Option<(String, Level)> {
        self.seen(&reply(answer)).finding(about).map(|found| (found.finding, found.at_most))
    }

    fn seen<'s>(&'s self, reply: &'s Reply) -> AnswerContext<'s> {
        AnswerContext {
            api: self.api,
            is_transcribed: false,
            operation: self.operation,
            draft: &self.draft,
            reply,
            secrets: &[],
            redactor: &self.redactor,
            value: OnceCell::new(),
        }
    }
}

const PROMISES: [Promise; 12] = [
    Promise::DocumentedStatus,
    Promise::DocumentedRefusal,
    Promise::DocumentedMediaType,
    Promise::DocumentedBody,
    Promise::DocumentedHeaders,
    Promise::DocumentedFormats,
    Promise::NoServerError,
    Promise::Challenge,
    Promise::Allow,
    Promise::ContentType,
    Promise::Private,
    Promise::ProblemStatus,
];

#[test]
fn what_is_right_is_not_found_fault_with() {
    let api = api();
    for (id, answers) in [
        (
            "exact",
            &[
                "200\nx-total: 3\ncontent-type: Application/JSON\n\n{\"text\":\"a\"}",
                "200\nX-Total: -1\nx-kind: 1\nx-parts: 1,b\ncontent-type: text/csv; header=present\n\na,b",
                "200\nx-total: 3\nx-since: 2026-01-22\ncontent-type: application/json\n\n{\"text\":\"\",\"at\":\"2026-01-22T10:00:00Z\",\"by\":{\"site\":\"a\"}}",
                "204",
                "304",
                "401\nwww-authenticate: Bearer\ncontent-type: application/problem+json\n\n{\"title\":\"a\",\"errors\":[]}",
                // HTTP defines these well enough, and components in front of an API send them.
                "403\ncontent-type: text/html\n\n<html>",
                "405\nallow: GET\ncontent-type: text/plain\n\nno",
                "413",
                "415\ncontent-type: application/json\n\n{}",
                "429\ncontent-type: text/html\n\n<html>",
                "431",
                "501",
                "503\ncontent-type: text/html\n\n<html>",
            ][..],
        ),
        (
            "open",
            &[
                "200\ncontent-type: image/png\ncache-control: public\n\nPNG",
                "206",
                "200\ncontent-type: application/json\n\n[1]",
            ],
        ),
        (
            "left",
            &[
                "200\ncontent-type: text/html\n\n<html>",
                "200\ncache-control: public, max-age=60\nvary: Accept, Authorization",
                "200\ncache-control: private, max-age=60",
                "200\ncache-control: max-age=60",
                "200\ncache-control: public, no-cache",
                "418\ncontent-type: application/problem+json; charset=utf-8\n\n{\"title\":\"a\",\"errors\":[1]}",
            ],
        ),
        (
            "items",
            &[
                "200\ncontent-type: application/x-ndjson",
                "200\ncontent-type: application/x-ndjson\n\n{\"text\":\"a\"}\n",
            ],
        ),
        (
            "partial",
            &[
                "200\ncontent-type: application/json\n\n{\"text\":\"a\"}",
                "201\ncontent-type: application/json\n\n{\"text\":\"a\"}",
            ],
        ),
    ] {
        for (answer, promise) in answers.iter().flat_map(|answer| PROMISES.map(|promise| (answer, promise))) {
            let found = TestCall::of(&api, id).finds(GeneralRule::Keeps(promise), answer);
            assert_eq!(found, None, "{id}, {promise:?}: {answer}");
        }
    }
}

#[test]
fn what_is_wrong_is_found_and_binds_as_plainly_as_the_document_speaks() {
    let api = api();
    let problem = "content-type: application/problem+json\n\n{\"title\":\"a\"}";
    for (id, promise, answer, says, level) in [
        ("exact", Promise::DocumentedStatus, "201", "the status is 201", Must),
        ("exact", Promise::DocumentedStatus, "302\nlocation: /", "the status is 302", Must),
        ("left", Promise::DocumentedStatus, "202", "the status is 202", Should),
        ("exact", Promise::DocumentedRefusal, "409", "the status is 409", Must),
        ("exact", Promise::DocumentedMediaType, "200\ncontent-type: text/html\n\n<html>", "`text/html`", Must),
        ("exact", Promise::DocumentedMediaType, "401\ncontent-type: text/html\n\n<html>", "`text/html`", Must),
        ("exact", Promise::DocumentedMediaType, "404\ncontent-type: text/html\n\n<html>", "`text/html`", Should),
        (
            "open",
            Promise::DocumentedMediaType,
            "401\ncontent-type: application/json\n\n{}",
            "`application/json`",
            Should,
        ),
        ("open", Promise::DocumentedMediaType, "404\ncontent-type: text/plain\n\nno", "`text/plain`", Observe),
        ("left", Promise::DocumentedMediaType, "502\ncontent-type: text/html\n\n<html>", "`text/html`", Observe),
        ("exact", Promise::DocumentedBody, "200\ncontent-type: application/json\n\n{}", "/text is missing", Must),
        ("exact", Promise::DocumentedBody, "200\ncontent-type: application/json\n\n{\"te", "is not JSON", Must),
        ("exact", Promise::DocumentedBody, "404", "the body of a 404 is empty", Must),
        ("exact", Promise::DocumentedBody, &format!("404\n{problem}"), "/errors is missing", Must),
        ("exact", Promise::DocumentedBody, &format!("500\n{problem}"), "/errors is missing", Should),
        ("open", Promise::DocumentedBody, &format!("404\n{problem}"), "/errors is missing", Should),
        ("left", Promise::DocumentedBody, &format!("500\n{problem}"), "/errors is missing", Observe),
        (
            "exact",
            Promise::DocumentedBody,
            "404\ncontent-type: application/problem+json\n\n{\"title\":\"a\",\"errors\":{}}",
            "/errors is an object",
            Must,
        ),
        ("partial", Promise::DocumentedBody, "200\ncontent-type: application/json\n\n[]", "is an array", Must),
        ("exact", Promise::DocumentedHeaders, "200", "the header `X-Total` is missing", Must),
        ("exact", Promise::DocumentedHeaders, "200\nx-total: three", "the header `X-Total` is a string", Must),
        ("exact", Promise::DocumentedHeaders, "200\nx-total: 1\nx-kind: b", "the header `X-Kind` is none", Must),
        (
            "exact",
            Promise::DocumentedFormats,
            "200\ncontent-type: application/json\n\n{\"text\":\"a\",\"at\":\"2026-01-22T10:00:00Z\",\"by\":{\"id\":\"of-nobody\"}}",
            "/by/id is no `uuid`",
            Should,
        ),
        (
            "exact",
            Promise::DocumentedFormats,
            "404\ncontent-type: application/problem+json\n\n{\"title\":\"a\",\"errors\":[],\"type\":\"none\"}",
            "the body of a 404 does not fit the document: /type is no `uri`",
            Should,
        ),
        ("exact", Promise::DocumentedFormats, "200\nx-since: yesterday", "the header `X-Since` is no `date`", Should),
        (
            "items",
            Promise::DocumentedFormats,
            "200\ncontent-type: application/x-ndjson\n\n{\"text\":\"a\"}\n{\"text\":\"a\",\"at\":\"now\"}\n",
            "item 2: /at is no `date-time`",
            Should,
        ),
        ("exact", Promise::Allow, "405\ncontent-type: text/html\n\nno", "`Allow`", Should),
        ("left", Promise::NoServerError, "500", "the status is 500", Must),
        ("exact", Promise::Challenge, "401", "`WWW-Authenticate`", Must),
        ("exact", Promise::Allow, "405", "`Allow`", Must),
        ("left", Promise::ContentType, "200\n\nno", "a body of 2 bytes has no `Content-Type`", Must),
        ("left", Promise::Private, "200\ncache-control: public", "`authorization`", Must),
        (
            "left",
            Promise::ProblemStatus,
            "404\ncontent-type: application/problem+json; charset=utf-8\n\n{\"status\":500}",
            "its status is 500, and the answer has 404",
            Must,
        ),
        (
            "left",
            Promise::Private,
            "200\ncache-control: max-age=0\ncache-control: s-maxage=9\nvary: accept",
            "s-maxage=9",
            Must,
        ),
    ] {
        let found = TestCall::of(&api, id).finds(GeneralRule::Keeps(promise), answer);
        let is_it = found.as_ref().is_some_and(|(finding, at_most)| finding.contains(says) && *at_most == level);
        assert!(is_it, "{id}, {promise:?}: {answer}: {found:?}");
    }
}

#[test]
fn of_what_does_not_fit_at_all_no_format_is_judged() {
    let api = api();
    for answer in [
        "200\ncontent-type: application/json\n\n{\"at\":\"now\"}",
        "200\ncontent-type: application/json\n\n{\"text\":\"a\",\"at\":7}",
        "200\ncontent-type: application/json\n\nnow",
        "200\ncontent-type: text/html\n\n{\"text\":\"a\",\"at\":\"now\"}",
        "200",
    ] {
        assert_eq!(
            TestCall::of(&api, "exact").finds(GeneralRule::Keeps(Promise::DocumentedFormats), answer),
            None,
            "{answer}"
        );
    }
}

#[test]
fn the_form_of_a_success_is_judged_by_what_the_document_has_for_it() {
    let api = api();
    for (answer, says) in [
        ("200\ncontent-type: application/json\n\n{\"text\":\"a\"}", None),
        ("200\ncontent-type: text/csv\n\na,b", None),
        // The name of the media type has a rule of its own.
        ("200\ncontent-type: text/plain\n\n{\"text\":\"a\"}", None),
        ("200\n\n{\"text\":\"a\"}", None),
        ("200\ncontent-type: text/plain\n\n{}", Some("/text is missing")),
        ("200\ncontent-type: text/html\n\n<html>", Some("is not JSON")),
        ("200\ncontent-type: application/json\n\n[]", Some("is an array")),
        ("204", None),
    ] {
        let (asked, reply) = (TestCall::of(&api, "exact"), reply(answer));
        let found = asked.seen(&reply).form();
        assert_eq!(found.is_some(), says.is_some(), "{answer}: {found:?}");
        assert!(
            says.is_none_or(|says| found.as_ref().is_some_and(|found| found.contains(says))),
            "{answer}: {found:?}"
        );
    }
}

#[test]
fn of_a_method_that_it_does_not_know_a_document_says_nothing() {
    let api = api();
    let mut asked = TestCall::of(&api, "exact");
    asked.draft.method = "KEYFIT".to_owned();
    for promise in PROMISES {
        assert_eq!(
            asked.finds(GeneralRule::Keeps(promise), "299\ncontent-type: text/html\n\n<html>"),
            None,
            "{promise:?}"
        );
    }
    assert!(asked.finds(GeneralRule::Keeps(Promise::Allow), "405").is_some());
    asked.draft.operation = None;
    assert_eq!(asked.finds(GeneralRule::Keeps(Promise::Allow), "405"), None, "it is no call of the API");
}

#[test]
fn a_key_that_caches_know_nothing_of_is_not_spared_by_them() {
    let api = api();
    let mut asked = TestCall::of(&api, "left");
    asked.draft.credentials = vec![(HeaderName::from_static("x-key"), "x".to_owned())];
    let private = GeneralRule::Keeps(Promise::Private);
    assert!(asked.finds(private, "200\ncache-control: max-age=60").is_some());
    assert_eq!(asked.finds(private, "200\ncache-control: max-age=60\nvary: X-Key"), None);
    asked.draft.credentials.clear();
    assert_eq!(asked.finds(private, "200\ncache-control: public"), None, "nothing was shown");
}

#[test]
fn hashes_of_passwords_are_found_wherever_no_member_is_documented_for_them() {
    let api = api();
    let (a, b) = ("fixture".repeat(8), "fixture".repeat(13));
    let hashes = [
        ("bcrypt", format!("$2b$12${}", &a[..53])),
        ("Argon2", format!("$argon2id$v=19$m=65536,t=3,p=4${a}")),
        ("scrypt", format!("scrypt:32768:8:1$salt${a}")),
        ("PBKDF2", format!("pbkdf2_sha256$600000$salt${a}")),
        ("PBKDF2", format!("pbkdf2:sha256:600000$salt${a}")),
        ("crypt", format!("$6$rounds=5000$salt${}", &b[..86])),
        ("crypt", format!("$1$salt${}", &a[..22])),
        ("salted SHA", format!("{{SSHA}}{}", &a[..40])),
    ];
    let asked = TestCall::of(&api, "exact");
    let finds =
        |answer: String| asked.finds(GeneralRule::Hides(Hidden::PasswordHash), &answer).map(|(finding, _)| finding);
    for (name, hash) in &hashes {
        for member in ["hash", "password", "secret"] {
            let found =
                finds(format!("200\ncontent-type: application/json\n\n{{\"text\":\"a\",\"{member}\":\"{hash}\"}}"));
            let found = found.unwrap_or_else(|| panic!("{name} in {member}"));
            assert!(found.contains(name) && found.contains(&format!("`/{member}`")), "{name}: {found}");
            assert!(!found.contains(hash.as_str()), "it is not repeated: {found}");
        }
        assert!(finds(format!("404\ncontent-type: text/html\n\n<p>{hash}")).is_some());
        assert!(finds(format!("200\nx-user: {hash}")).is_some());
        let documented = format!("200\ncontent-type: application/json\n\n{{\"text\":\"a\",\"storedHash\":\"{hash}\"}}");
        assert_eq!(finds(documented), None, "{name}: the document has a member for it");
        assert!(!asked.redactor.mask(&format!("<{hash}>")).contains(hash.as_str()), "{name}: no report shows it");
    }
    for text in ["$2 a day", "pbkdf2_sha256 is used", "{SSHA} or {SHA}", "costs $5$ or $6$", "$ref"] {
        assert_eq!(finds(format!("200\ncontent-type: application/json\n\n{{\"text\":\"{text}\"}}")), None, "{text}");
    }
}
