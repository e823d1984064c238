//! Reads a token endpoint's success (RFC 6749, section 5.1).

use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;

use super::TokenSet;
use crate::auth::{AccessToken, Secret};

/// The members that count. Others are ignored, as the RFC asks.
#[derive(Deserialize)]
struct Answer {
    access_token: Option<Secret>,
    token_type: Option<Value>,
    expires_in: Option<Value>,
    refresh_token: Option<Secret>,
    scope: Option<Value>,
}

/// A success that cannot be used.
#[derive(Debug)]
pub(super) struct Unfit {
    /// The defect. It contains nothing of the body.
    pub(super) reason: &'static str,
    /// True if it is the beginning of an answer that was cut off.
    pub(super) is_cut: bool,
    /// The refresh token in it, which may be the only one that is still good.
    pub(super) refresh: Option<SecretString>,
}

/// The tokens of a body that came at `received`. Where the server does not say how long the access token is good, it is for
/// the `assumed` time, or nobody knows.
pub(super) fn read(body: &[u8], received: SystemTime, assumed: Option<Duration>) -> Result<TokenSet, Unfit> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data => Unfit { reason: "a member of the answer has the wrong type", is_cut: false, refresh: None },
        class => Unfit {
            reason: "the answer is neither JSON nor a form",
            is_cut: class == Category::Eof && !body.is_empty(),
            refresh: None,
        },
    })?;
    let refresh = answer.refresh_token.map(|token| SecretString::from(token.expose()));
    let refresh = refresh.filter(|token| !token.expose_secret().is_empty());
    let token = match usable(answer.access_token, answer.token_type.as_ref()) {
        Ok(token) => token,
        Err(reason) => return Err(Unfit { reason, is_cut: false, refresh }),
    };
    let life = answer.expires_in.filter(|value| !value.is_null()).and_then(|value| {
        // A token that is good for no time is of no use, so no server means that by 0: it says that the token does not
        // expire, or that it does not know.
        let seconds = seconds(&value)?;
        (seconds > 0).then(|| Duration::from_secs(seconds))
    });
    // A time that no clock reaches is no expiry.
    let expires_at = life.or(assumed).and_then(|life| received.checked_add(life));
    let set = TokenSet::new(AccessToken::new(token.expose()).expiring_at(expires_at));
    let set = set.granting(scopes(answer.scope.as_ref()));
    Ok(match refresh {
        Some(refresh) => set.refresh(refresh),
        None => set,
    })
}

/// The access token, where there is one that can be sent as a bearer token.
fn usable(token: Option<Secret>, kind: Option<&Value>) -> Result<Secret, &'static str> {
    let token = token.filter(|token| !token.expose().is_empty()).ok_or("the answer has no `access_token`")?;
    if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("the `access_token` cannot be sent in a header");
    }
    match kind {
        None | Some(Value::Null) => Ok(token),
        Some(Value::String(kind)) if kind.trim().eq_ignore_ascii_case("bearer") => Ok(token),
        Some(_) => Err("the `token_type` is not Bearer"),
    }
}

/// A number, or a number in quotes, as some servers write it. Fractions are dropped. What is none is no reason to refuse the
/// answer: the refresh token in it may be the only one that is still good.
fn seconds(value: &Value) -> Option<u64> {
    let read = match value {
        Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok().or_else(|| whole(text.trim().parse().ok()?)),
        _ => None,
    };
    if read.is_none() {
        tracing::warn!(target: "keyfit::auth", "`expires_in` of a token answer is no number of seconds");
    }
    read
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked, the fraction is not wanted"
)]
fn whole(number: f64) -> Option<u64> {
    (0.0..1e18).contains(&number).then_some(number as u64)
}

/// Space-separated, or a list as some servers write it.
pub(super) fn scopes(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => text.split_ascii_whitespace().map(str::to_owned).collect(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn read_text(body: &str) -> Result<TokenSet, &'static str> {
        read(body.as_bytes(), at(1000), None).map_err(|unfit| unfit.reason)
    }

    #[test]
    fn a_whole_answer_is_read_and_unknown_members_are_ignored() {
        let body = r#"{"access_token":"a","token_type":"bEaReR","expires_in":3600,"refresh_token":"r",
            "scope":"read  contacts:read","id_token":{"x":[1]},"extra":null}"#;
        let set = read_text(body).expect("a set");
        assert_eq!((set.access().expose(), set.refresh_token()), ("a", Some("r")));
        assert_eq!(set.expires_at(), Some(at(4600)));
        assert_eq!(set.scopes(), ["read", "contacts:read"]);
    }

    #[test]
    fn expires_in_is_a_number_or_a_number_in_quotes_and_becomes_a_time() {
        for (text, expected) in [
            ("60", Some(at(1060))),
            ("\"60\"", Some(at(1060))),
            ("60.9", Some(at(1060))),
            ("\"60.9\"", Some(at(1060))),
            ("0", None),
            ("\"0\"", None),
            ("0.0", None),
            ("null", None),
            ("18446744073709551615", None),
        ] {
            let set = read_text(&format!(r#"{{"access_token":"a","expires_in":{text}}}"#)).expect(text);
            assert_eq!(set.expires_at(), expected, "{text}");
        }
    }

    #[test]
    fn an_expiry_that_cannot_be_read_does_not_cost_the_refresh_token() {
        for text in ["-1", "\"soon\"", "[]", "true", "\"-5\"", "1e30"] {
            let set = read_text(&format!(r#"{{"access_token":"a","refresh_token":"r","expires_in":{text}}}"#));
            let set = set.expect(text);
            assert_eq!((set.expires_at(), set.refresh_token()), (None, Some("r")), "{text}");
        }
    }

    #[test]
    fn an_assumed_lifetime_counts_where_the_server_says_nothing() {
        let read = |expires_in: &str| {
            let body = format!(r#"{{"access_token":"a","expires_in":{expires_in}}}"#);
            read(body.as_bytes(), at(1000), Some(Duration::from_secs(5))).expect(expires_in).expires_at()
        };
        assert_eq!(["null", "\"soon\"", "60"].map(read), [1005, 1005, 1060].map(|seconds| Some(at(seconds))));
        assert_eq!(
            super::read(br#"{"access_token":"a"}"#, at(1), Some(Duration::MAX)).expect("a set").expires_at(),
            None
        );
    }

    #[test]
    fn what_is_no_token_is_refused_without_being_shown() {
        for body in [
            "",
            "<html>do-not-print</html>",
            "[]",
            "null",
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":null,"token":"do-not-print"}"#,
            r#"{"access_token":["do-not-print"]}"#,
            r#"{"access_token":"do-not-print\r\nX-Other: 1"}"#,
            r#"{"access_token":"do not print"}"#,
            r#"{"access_token":"do-not-print","token_type":"mac"}"#,
            r#"{"access_token":"do-not-print","token_type":1}"#,
            r#"{"access_token":"do-not-print","#,
        ] {
            let reason = read_text(body).expect_err(body);
            assert!(!reason.contains("do-not-print"), "{reason}");
        }
    }

    #[test]
    fn the_refresh_token_of_an_answer_that_cannot_be_used_is_kept() {
        for body in [
            r#"{"refresh_token":"r2"}"#,
            r#"{"access_token":"","refresh_token":"r2"}"#,
            r#"{"access_token":"a","token_type":"mac","refresh_token":"r2"}"#,
        ] {
            let unfit = read(body.as_bytes(), at(0), None).expect_err(body);
            assert_eq!(unfit.refresh.as_ref().map(ExposeSecret::expose_secret), Some("r2"), "{body}");
        }
    }

    #[test]
    fn the_refresh_token_is_optional() {
        for body in [
            r#"{"access_token":"a"}"#,
            r#"{"access_token":"a","refresh_token":null}"#,
            r#"{"access_token":"a","refresh_token":""}"#,
        ] {
            assert_eq!(read_text(body).expect(body).refresh_token(), None);
        }
    }

    #[test]
    fn scopes_may_be_a_list() {
        assert_eq!(read_text(r#"{"access_token":"a","scope":["x","y"]}"#).expect("a set").scopes(), ["x", "y"]);
        assert!(read_text(r#"{"access_token":"a","scope":7}"#).expect("a set").scopes().is_empty());
    }
}
