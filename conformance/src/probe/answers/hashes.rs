//! Checks whether an answer contains the hash of a password.

use std::sync::LazyLock;

use keyfit_openapi::Api;
use regex::Regex;
use serde_json::Value;

use super::document::DocumentedAnswer;
use super::{AnswerContext, AnswerFlaw};
use crate::credential::secret::Secret;
use crate::text::pointer::join;

/// The text forms of the hashes, by password hashing function.
static FORMS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let forms = [
        ("bcrypt", r"\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}"),
        ("Argon2", r"\$argon2(?:id|i|d)\$(?:v=\d+\$)?m=\d+,[^\s\x22]+"),
        (
            "scrypt",
            r"\$scrypt\$[^\s\x22]{20,}|\$7\$[./A-Za-z0-9]{11,}\$[./A-Za-z0-9]{43}|scrypt:\d+:\d+:\d+\$[^\s\x22]{20,}",
        ),
        ("PBKDF2", r"\$?pbkdf2[-_:]sha\d+[$:]\d+\$[^\s\x22]{20,}"),
        (
            "crypt",
            r"\$(?:1|5|6|apr1|y|gy)\$(?:rounds=\d+\$|[./A-Za-z0-9]{1,5}\$)?[./A-Za-z0-9]{1,32}\$[./A-Za-z0-9]{22,86}",
        ),
        ("salted SHA", r"\{S(?:SHA|SHA256|SHA384|SHA512)\}[A-Za-z0-9+/]{32,}={0,2}"),
    ];
    forms.into_iter().filter_map(|(name, form)| Some((name, Regex::new(form).ok()?))).collect()
});

/// Parts of the names of members that hold a password in any form.
const OF_PASSWORDS: [&str; 3] = ["passw", "pwd", "passphrase"];

/// Returns whether the name of a member denotes a password.
pub(crate) fn is_password(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    OF_PASSWORDS.iter().any(|word| name.contains(word))
}

/// Returns a finding if an answer contains the hash of a password.
pub(super) fn finding(seen: &AnswerContext<'_>) -> Option<AnswerFlaw> {
    let headers = seen.reply.headers.iter().filter_map(|(name, value)| Some((name, value.to_str().ok()?)));
    let mut in_headers = headers.filter_map(|(name, value)| Some((format!("the header `{name}`"), hash(value)?)));
    let (place, form) = in_headers.next().or_else(|| in_body(seen))?;
    // A report shows the whole answer, so all hashes in it are redacted.
    let headers = seen.reply.headers.values().filter_map(|value| value.to_str().ok());
    let body = String::from_utf8_lossy(&seen.reply.body);
    for text in headers.chain([&*body]) {
        let hashes = FORMS.iter().flat_map(|(_, form)| form.find_iter(text));
        hashes.for_each(|hash| seen.redactor.learn(&Secret::new(hash.as_str())));
    }
    Some(AnswerFlaw::new(format!("{place} holds the hash of a password ({form})")))
}

fn in_body(seen: &AnswerContext<'_>) -> Option<(String, &'static str)> {
    let body = String::from_utf8_lossy(&seen.reply.body);
    let found = hash(&body)?;
    let Some(value) = seen.value() else { return Some(("the body".to_owned(), found)) };
    let schema = DocumentedAnswer { seen }.schema();
    HashSearch { api: seen.api }.find(value, schema, "")
}

/// Returns the name of the function that produced a hash in this text.
fn hash(text: &str) -> Option<&'static str> {
    // Each form contains one of these, and few texts do.
    let mut forms = FORMS.iter().filter(|_| text.contains('$') || text.contains("{S"));
    forms.find(|(_, form)| form.is_match(text)).map(|(name, _)| *name)
}

struct HashSearch<'a> {
    api: &'a Api,
}

impl HashSearch<'_> {
    /// Returns the first text of a value that contains a hash and is not documented as a member of its own.
    fn find(&self, value: &Value, schema: Option<&Value>, at: &str) -> Option<(String, &'static str)> {
        match value {
            Value::String(text) => Some((format!("the member `{at}` of the body"), hash(text)?)),
            Value::Array(items) => {
                let each = schema.and_then(|schema| self.api.entries(schema));
                items.iter().enumerate().find_map(|(index, item)| self.find(item, each, &format!("{at}/{index}")))
            }
            Value::Object(members) => members.iter().find_map(|(name, member)| {
                let pointer = join("", name);
                let schema = schema.and_then(|schema| self.api.member(schema, &pointer));
                if member.is_string() && schema.is_some_and(|schema| is_for_hashes(name, schema)) {
                    return None;
                }
                self.find(member, schema, &format!("{at}{pointer}"))
            }),
            _ => None,
        }
    }
}

/// Returns whether a documented member may hold a hash: any described member of an answer may, except one whose name denotes a password
/// but not its hash.
fn is_for_hashes(name: &str, schema: &Value) -> bool {
    let is_described = schema.as_object().is_some_and(|words| !words.is_empty());
    let is_password = is_password(name) && !name.to_ascii_lowercase().contains("hash");
    is_described && schema["writeOnly"] != true && !is_password
}
