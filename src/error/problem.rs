//! Reads an error body: by the envelope of its API, and else by the standards and habits that many APIs keep to. Nothing in
//! here can fail: a body that is not JSON says nothing.

use http::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;

use super::api::{Api, ErrorEnvelope};
use super::redact::Redactor;
use super::when::seconds;

/// The content of an error body.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Problem {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) details: Option<Value>,
    pub(crate) request_id: Option<String>,
    /// Seconds to wait, from the body.
    pub(crate) retry_after: Option<u64>,
}

impl Problem {
    /// Reads a body of an API: what its envelope names, and what that leaves open in the usual way.
    pub(crate) fn of(api: &Api, envelope: Option<&ErrorEnvelope>, headers: &HeaderMap, body: &[u8]) -> Self {
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        let usual = Self::usual(headers, &value);
        let at =
            |places: &[&str]| places.iter().find_map(|place| value.pointer(place).filter(|found| !found.is_null()));
        let text_at = |places: &[&str]| at(places).and_then(text);
        let envelope = envelope.copied().unwrap_or(ErrorEnvelope::new(""));
        Self {
            code: text_at(envelope.code).or(usual.code),
            message: text_at(envelope.message).or(usual.message),
            details: at(envelope.details).cloned().or(usual.details),
            request_id: text_at(envelope.request_id).or(usual.request_id),
            retry_after: api
                .rate_limit
                .retry_after
                .and_then(|place| seconds(value.pointer(place)?))
                .or(usual.retry_after),
        }
    }

    /// Reads a body of an API of which nothing is known.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Self {
        Self::usual(headers, &serde_json::from_slice(body).unwrap_or_default())
    }

    /// `error` is an object with everything in it, or the code; else the body is a problem of RFC 9457, or holds a message.
    fn usual(headers: &HeaderMap, value: &Value) -> Self {
        let mut problem = match &value["error"] {
            Value::Object(_) => Self::nested(&value["error"]),
            Value::String(code) => Self::flat(code, value),
            _ if is_problem(headers) => Self::rfc_9457(value),
            _ => Self::message_only(value),
        };
        let mut waits =
            [&value["error"], value].into_iter().flat_map(|part| [&part["retryAfter"], &part["retry_after"]]);
        problem.retry_after = waits.find_map(seconds);
        if problem.request_id.is_none() {
            problem.request_id = request_id(headers).map(str::to_owned);
        }
        problem
    }

    /// Without the secrets.
    pub(crate) fn masked(mut self, secrets: &Redactor) -> Self {
        for text in [&mut self.code, &mut self.message, &mut self.request_id].into_iter().flatten() {
            *text = secrets.mask(text).into_owned();
        }
        self.details = self.details.map(|details| secrets.mask_json(details));
        self
    }

    /// `{error: {code, message, details}}`
    fn nested(error: &Value) -> Self {
        Self {
            code: text(&error["code"]),
            message: text(&error["message"]),
            details: Some(&error["details"]).filter(|details| !details.is_null()).cloned(),
            request_id: text(&error["request_id"]).or_else(|| text(&error["requestId"])),
            ..Self::default()
        }
    }

    /// `{error, message, request_id}`, and OAuth's `{error, error_description}`
    fn flat(code: &str, value: &Value) -> Self {
        Self {
            code: Some(code.to_owned()),
            message: text(&value["message"]).or_else(|| text(&value["error_description"])),
            details: Some(&value["details"]).filter(|details| !details.is_null()).cloned(),
            request_id: text(&value["request_id"]),
            ..Self::default()
        }
    }

    /// `{type, title, status, detail, instance}` of RFC 9457, of which each member may be missing or of another type.
    fn rfc_9457(value: &Value) -> Self {
        let details = ["errors", "invalid-params", "violations"].into_iter().map(|name| &value[name]);
        Self {
            code: text(&value["type"]).filter(|kind| kind != "about:blank"),
            message: text(&value["detail"]).or_else(|| text(&value["title"])),
            details: details.into_iter().find(|details| !details.is_null()).cloned(),
            ..Self::default()
        }
    }

    /// `{message}`, under another name where a problem came without its media type, and where even that is missing a list
    /// of `errors`
    fn message_only(value: &Value) -> Self {
        let details = Some(&value["errors"]).filter(|errors| !errors.is_null()).cloned();
        let joined = value["errors"].as_array().map(|errors| {
            errors.iter().map(|error| text(error).unwrap_or_else(|| error.to_string())).collect::<Vec<_>>().join("; ")
        });
        Self {
            message: ["message", "detail", "title"]
                .into_iter()
                .find_map(|name| text(&value[name]))
                .or(joined)
                .or_else(|| text(value)),
            details,
            request_id: text(&value["request_id"]),
            ..Self::default()
        }
    }
}

/// The server's name for a request, where a header has it.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-request-id")?.to_str().ok()
}

fn is_problem(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("application/problem+json"))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::api::RateLimitNames;
    use super::*;

    fn read(body: &str) -> Problem {
        Problem::read(&HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn an_envelope_says_where_things_are_and_what_it_leaves_open_is_read_as_usual() {
        const ENVELOPE: ErrorEnvelope = ErrorEnvelope::new("parcels")
            .with_code(&["/fault/number", "/fault/id"])
            .with_message(&["/fault/text"])
            .with_details(&["/fault/parts"])
            .with_request_id(&["/trace"]);
        const API: Api = Api::new("parcels").with_rate_limit(RateLimitNames::new().with_retry_after("/fault/wait"));
        let of = |body: &Value| Problem::of(&API, Some(&ENVELOPE), &HeaderMap::new(), body.to_string().as_bytes());
        let own = of(
            &json!({"fault": {"id": "E7", "text": "too heavy", "parts": ["a"], "wait": 9}, "trace": "t1", "message": "x"}),
        );
        let expected = Problem {
            code: Some("E7".to_owned()),
            message: Some("too heavy".to_owned()),
            details: Some(json!(["a"])),
            request_id: Some("t1".to_owned()),
            retry_after: Some(9),
        };
        assert_eq!(own, expected);
        let usual = of(&json!({"error": "closed", "message": "come back", "fault": {"text": 7, "wait": "soon"}}));
        let expected =
            Problem { code: Some("closed".to_owned()), message: Some("come back".to_owned()), ..Problem::default() };
        assert_eq!(usual, expected);
    }

    #[test]
    fn three_envelopes_and_oauths_give_code_and_message() {
        let nested = read(r#"{"error":{"code":"rate_limit_exceeded","message":"slow down","details":"in 7 s"}}"#);
        assert_eq!(
            (nested.code.as_deref(), nested.message.as_deref()),
            (Some("rate_limit_exceeded"), Some("slow down"))
        );
        assert_eq!(nested.details, Some(json!("in 7 s")));
        let flat = read(r#"{"error":"forbidden","message":"no","request_id":"req_1"}"#);
        assert_eq!(
            (flat.code.as_deref(), flat.message.as_deref(), flat.request_id.as_deref()),
            (Some("forbidden"), Some("no"), Some("req_1"))
        );
        let oauth = read(r#"{"error":"invalid_grant","error_description":"used"}"#);
        assert_eq!((oauth.code.as_deref(), oauth.message.as_deref()), (Some("invalid_grant"), Some("used")));
        assert_eq!(
            read(r#"{"message":"Body should be an array"}"#).message.as_deref(),
            Some("Body should be an array")
        );
        assert_eq!(read(r#"{"errors":["a",{"b":1}]}"#).message.as_deref(), Some(r#"a; {"b":1}"#));
    }

    #[test]
    fn a_problem_of_rfc_9457_gives_its_words_and_never_its_status() {
        let headers: HeaderMap =
            [(CONTENT_TYPE, "application/problem+json; charset=utf-8".parse().expect("a value"))].into_iter().collect();
        let read = |body: Value| Problem::read(&headers, body.to_string().as_bytes());
        let whole = read(
            json!({"type": "https://example.com/funds", "title": "No funds", "detail": "0 left", "status": 200, "balance": 0}),
        );
        assert_eq!(
            (whole.code.as_deref(), whole.message.as_deref()),
            (Some("https://example.com/funds"), Some("0 left"))
        );
        for bare in [json!({"title": "No funds"}), json!({"type": "about:blank", "title": "No funds", "detail": 7})] {
            let bare = read(bare);
            assert_eq!((bare.code, bare.message.as_deref()), (None, Some("No funds")));
        }
    }

    #[test]
    fn a_problem_without_its_media_type_has_its_words_too() {
        assert_eq!(read(r#"{"detail":"no such parcel"}"#).message.as_deref(), Some("no such parcel"));
        assert_eq!(read(r#"{"title":"Not found","status":404}"#).message.as_deref(), Some("Not found"));
        assert_eq!(read(r#"{"message":"gone","detail":"long ago"}"#).message.as_deref(), Some("gone"));
    }

    #[test]
    fn a_body_that_says_nothing_is_no_failure() {
        for body in [
            "",
            "<html>502</html>",
            r#"{"error":{"code":"#,
            "[]",
            "null",
            "1",
            r#"{"error":null}"#,
            r#"{"error":{}}"#,
            "\u{0}",
        ] {
            let problem = read(body);
            assert_eq!((problem.code, problem.retry_after), (None, None), "{body}");
        }
    }

    #[test]
    fn the_seconds_to_wait_are_found_where_many_servers_write_them() {
        for body in [
            r#"{"error":{"code":"slow","retryAfter":7}}"#,
            r#"{"error":{"retry_after":7}}"#,
            r#"{"retryAfter":7}"#,
            r#"{"error":"slow","retry_after":7}"#,
            r#"{"message":"slow","retry_after":6.5}"#,
        ] {
            assert_eq!(read(body).retry_after, Some(7), "{body}");
        }
        assert_eq!(read(r#"{"error":{"retryAfter":"soon"},"retry_after":-1}"#).retry_after, None);
    }

    #[test]
    fn details_may_have_any_type() {
        for details in [json!("a"), json!(["a"]), json!({"a": 1})] {
            let body = json!({"error": {"code": "c", "details": details.clone()}}).to_string();
            assert_eq!(read(&body).details, Some(details));
        }
    }
}
