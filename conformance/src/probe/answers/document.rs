//! Compares an answer with its document: the status, the headers, and the body.
//!
//! The level of a finding depends on how exactly the document describes the answer. Under `default` or a class such as `4XX`, a document
//! describes the API's own refusals, and servers and proxies in front of the API send refusals of another form.

use keyfit_openapi::framing;
use keyfit_openapi::schema::{self, Direction, ValueCheck};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use super::{AnswerContext, AnswerFlaw};
use crate::contract::Level;
use crate::document::body::{essence, is_json};
use crate::document::item_stream;
use crate::document::responses::{DocumentedResponse, covers, is_unverified, names_success};
use crate::probe::Reply;

/// Refusals that HTTP defines for any request: documents of APIs often omit them.
const OF_ANY_REQUEST: [u16; 16] = [400, 401, 403, 404, 405, 406, 408, 411, 413, 414, 415, 417, 421, 422, 429, 431];
/// Refusals that a component in front of the API sends as well: a proxy, a router, a parser.
const OF_PROXIES: [u16; 10] = [400, 404, 405, 408, 411, 413, 414, 415, 429, 431];
/// The media types of those refusals.
const PLAIN_TEXTS: [&str; 2] = ["text/html", "text/plain"];

/// The settings for the comparison of an answer with its document.
#[derive(Clone, Copy)]
struct DocumentComparison {
    /// True if parts that a transcription only infers are not compared.
    spares_unverified: bool,
    judges_formats: bool,
}

impl DocumentComparison {
    fn of_formats(self) -> Self {
        Self { judges_formats: true, ..self }
    }

    /// Returns whether this part of the document is compared.
    fn asks_for(self, part: &Value) -> bool {
        !(self.spares_unverified && is_unverified(part))
    }

    fn by(self) -> ValueCheck {
        match (self.judges_formats, self.spares_unverified) {
            (false, false) => schema::mismatch,
            (false, true) => schema::mismatch_of_known,
            (true, false) => schema::misformat,
            (true, true) => schema::misformat_of_known,
        }
    }
}

/// An answer to a documented call.
pub(super) struct DocumentedAnswer<'a> {
    pub(super) seen: &'a AnswerContext<'a>,
}

impl<'a> DocumentedAnswer<'a> {
    pub(super) fn status(&self) -> Option<AnswerFlaw> {
        let AnswerContext { operation, reply, .. } = self.seen;
        let is_judged = (200..400).contains(&reply.status) && reply.status != 304;
        // A document that names no success status leaves the status open.
        if !is_judged || !names_success(operation) || operation.documents(reply.status) {
            return None;
        }
        let named: Vec<&str> = operation.responses.keys().map(String::as_str).collect();
        let finding = format!("the status is {}, and the document has {}", reply.status, named.join(", "));
        let is_left_open = operation.responses.contains_key("default");
        Some(AnswerFlaw { finding, at_most: if is_left_open { Level::Should } else { Level::Must } })
    }

    pub(super) fn refusal(&self) -> Option<AnswerFlaw> {
        let AnswerContext { operation, reply, .. } = self.seen;
        let is_judged = (400..500).contains(&reply.status) && !OF_ANY_REQUEST.contains(&reply.status);
        let is_named = operation.documents(reply.status) || operation.responses.contains_key("default");
        let finding = || format!("the status is {}, of which the document says nothing", reply.status);
        (is_judged && !is_named).then(|| AnswerFlaw::new(finding()))
    }

    pub(super) fn media_type(&self) -> Option<AnswerFlaw> {
        let reply = self.seen.reply;
        let documented = self.documented()?;
        let content = documented.content()?;
        // A missing `Content-Type` has a rule of its own.
        let named = reply.headers.get(CONTENT_TYPE)?.to_str().unwrap_or_default();
        if reply.body.is_empty() || content.keys().any(|range| covers(range, named)) {
            return None;
        }
        let known: Vec<&str> = content.keys().map(String::as_str).collect();
        let finding = format!(
            "the media type of a {} is `{}`, and the document has `{}`",
            reply.status,
            essence(named),
            known.join("`, `")
        );
        Some(self.binding(&documented, finding))
    }

    pub(super) fn body(&self) -> Option<AnswerFlaw> {
        let documented = self.documented()?;
        let content = documented.content()?;
        self.found(&documented, |judge| self.misfit(&documented, content, self.seen.reply.media_type(), judge))
    }

    /// Returns the first flaw in the form of an answer that has to match the document: in its body or, for a body that is not JSON, in its
    /// media type. JSON under another media type is read as JSON: the media type has a rule of its own.
    pub(super) fn form(&self) -> Option<AnswerFlaw> {
        let documented = self.documented()?;
        let content = documented.content()?;
        let named = self.seen.reply.media_type();
        let is_known = content.keys().any(|range| covers(range, named));
        let meant = content.keys().find(|range| is_whole_json(range)).filter(|_| !is_known);
        let named = meant.map_or(named, String::as_str);
        let found = self.found(&documented, |judge| self.misfit(&documented, content, named, judge));
        found.or_else(|| self.media_type().filter(|_| meant.is_none()))
    }

    pub(super) fn headers(&self) -> Option<AnswerFlaw> {
        let documented = self.documented()?;
        self.found(&documented, |judge| {
            let is_missing = |(name, header): &(&str, &Value)| {
                header["required"] == true && !self.seen.reply.headers.contains_key(*name) && judge.asks_for(header)
            };
            let missing = documented.headers().find(is_missing);
            let missing = missing.map(|(name, _)| format!("the header `{name}` is missing"));
            missing.or_else(|| self.header(&documented, judge))
        })
    }

    /// Returns the first value that violates its documented `format`, if the answer is valid otherwise.
    pub(super) fn formats(&self) -> Option<AnswerFlaw> {
        let documented = self.documented()?;
        let found = self.found(&documented, |judge| {
            let in_body = || {
                let named = self.seen.reply.media_type();
                let content = documented.content().filter(|_| !self.seen.reply.body.is_empty())?;
                // The formats come first, since few answers violate one.
                let found = self.mismatch(&documented, content, named, judge.of_formats())?;
                self.mismatch(&documented, content, named, judge).is_none().then_some(found)
            };
            in_body().or_else(|| self.header(&documented, judge.of_formats()))
        })?;
        Some(AnswerFlaw { at_most: found.at_most.min(Level::Should), ..found })
    }

    /// Returns the first flaw of an answer. If only inferred parts of a transcription are violated, its level is `Observe`.
    fn found(
        &self,
        documented: &DocumentedResponse<'_>,
        misfit: impl Fn(DocumentComparison) -> Option<String>,
    ) -> Option<AnswerFlaw> {
        let judge = DocumentComparison { spares_unverified: self.seen.is_transcribed, judges_formats: false };
        if let Some(finding) = misfit(judge) {
            return Some(self.binding(documented, finding));
        }
        let inferred =
            misfit(DocumentComparison { spares_unverified: false, ..judge }).filter(|_| judge.spares_unverified)?;
        Some(AnswerFlaw { finding: inferred, at_most: Level::Observe })
    }

    /// Returns the schema of the body: the first one, if there are several.
    pub(super) fn schema(&self) -> Option<&'a Value> {
        self.documented()?.content()?.values().find_map(|media| media.get("schema"))
    }

    /// Returns the first header that does not match its description.
    fn header(&self, documented: &DocumentedResponse<'_>, judge: DocumentComparison) -> Option<String> {
        documented.headers().filter(|(_, header)| judge.asks_for(header)).find_map(|(name, header)| {
            let mut values = self.seen.reply.headers.get_all(name).iter();
            let misfit = values.find_map(|value| self.misread(header.get("schema")?, value.to_str().ok()?, judge))?;
            Some(format!("the header `{name}` {misfit}"))
        })
    }

    /// Returns the reason why the text of a header does not match its schema. Lists and objects are not parsed.
    fn misread(&self, schema: &Value, text: &str, judge: DocumentComparison) -> Option<String> {
        let api = self.seen.api;
        if matches!(api.kind(schema), None | Some("array" | "object" | "null")) {
            return None;
        }
        let text = Value::from(text.trim());
        let read = text.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let read = read.filter(|value| value.is_number() || value.is_boolean());
        let misfit = |value: &Value| judge.by()(api, Direction::Answer, schema, value);
        let problem = misfit(read.as_ref().unwrap_or(&text))?.problem;
        misfit(&text).map(|_| problem)
    }

    /// Returns the reason why a body does not match the documented media types, or why an empty body is not allowed.
    fn misfit(
        &self,
        documented: &DocumentedResponse<'_>,
        content: &Map<String, Value>,
        named: &str,
        judge: DocumentComparison,
    ) -> Option<String> {
        let reply = self.seen.reply;
        if !reply.body.is_empty() {
            return self.mismatch(documented, content, named, judge);
        }
        // A stream without items and an empty text are both an empty body.
        let demands = |(range, media): (&String, &Value)| {
            let has_schema = media["schema"].as_object().is_some_and(|schema| !schema.is_empty());
            is_whole_json(range) && has_schema && judge.asks_for(media)
        };
        let is_missing = self.may_have_body() && content.iter().all(demands);
        is_missing.then(|| format!("the body of a {} is empty", reply.status))
    }

    /// Returns the reason why a body does not match the schemas of its possible media types: it has to match one of them.
    fn mismatch(
        &self,
        documented: &DocumentedResponse<'_>,
        content: &Map<String, Value>,
        named: &str,
        judge: DocumentComparison,
    ) -> Option<String> {
        let AnswerContext { api, operation, reply, .. } = self.seen;
        let streamed = operation.responses.get(&documented.status()).and_then(|shape| shape.streamed.as_ref());
        if let Some(streamed) = streamed.filter(|streamed| framing(named) == Some(streamed.framing)) {
            return item_stream::mismatch((api, judge.by()), operation.streaming.as_ref(), streamed, &reply.body);
        }
        if !is_whole_json(named) {
            return None;
        }
        let mut candidates =
            content.iter().filter(|(range, _)| covers(range, named)).map(|(_, media)| media).peekable();
        candidates.peek()?;
        let Some(value) = self.seen.value() else {
            return Some(format!("the body of a {} is said to be `{}` and is not JSON", reply.status, essence(named)));
        };
        let mut first = None;
        for media in candidates {
            let schema = media.get("schema").filter(|_| judge.asks_for(media))?;
            let mismatch = judge.by()(api, Direction::Answer, schema, value)?;
            first.get_or_insert(mismatch);
        }
        Some(format!("the body of a {} does not fit the document: {}", reply.status, first?))
    }

    fn documented(&self) -> Option<DocumentedResponse<'a>> {
        let AnswerContext { api, operation, reply, .. } = self.seen;
        DocumentedResponse::find(api, operation, reply.status)
    }

    fn may_have_body(&self) -> bool {
        self.seen.operation.method != "HEAD" && !matches!(self.seen.reply.status, 204 | 205 | 304)
    }

    /// Returns the finding with the level that the document's description of this answer allows.
    fn binding(&self, documented: &DocumentedResponse<'_>, finding: String) -> AnswerFlaw {
        let status = self.seen.reply.status;
        let is_inferred = self.seen.is_transcribed && documented.is_unverified();
        let is_of_front = (OF_PROXIES.contains(&status) && is_plain(self.seen.reply)) || status >= 500;
        let at_most = match (documented.is_exact(), is_of_front) {
            _ if is_inferred => Level::Observe,
            _ if status < 400 => Level::Must,
            (true, false) => Level::Must,
            (false, true) => Level::Observe,
            _ => Level::Should,
        };
        AnswerFlaw { finding, at_most }
    }
}

/// Returns whether an answer has a media type that components in front of an API use for refusals.
pub(super) fn is_plain(reply: &Reply) -> bool {
    PLAIN_TEXTS.contains(&essence(reply.media_type()).as_str())
}

/// Returns whether a body of this media type is a single JSON value.
fn is_whole_json(media_type: &str) -> bool {
    is_json(media_type) && framing(media_type).is_none()
}
