//! What a case found, and what was exchanged on the way.

use std::fmt::{self, Write as _};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Level, Standing};
use crate::missing::Missing;
use crate::secret::Redactor;

/// How a case ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The rule is kept.
    Pass,
    /// A `must` rule is broken.
    Fail,
    /// A rule is broken, and that is known: it stands in the baseline.
    Known,
    /// A `should` rule is broken.
    Warn,
    /// An `observe` rule is not met; nothing follows from it.
    Info,
    /// The rule was not reached: something was not given or not allowed, or what it builds upon is broken.
    Skip,
    /// The check itself failed.
    Error,
}

/// In what a rule is broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The status of the answer.
    Status,
    /// Something else about it.
    Content,
    /// What it holds and may not: nothing else explains that.
    Leak,
    /// What comes before the answer that would be judged.
    Step,
    /// The call ended the server.
    Ended,
}

/// What came of a case.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// Why, where it did not pass.
    pub reason: Option<String>,
    /// Of a rule that was not reached: what would let it be judged, where somebody can give that.
    pub missing: Option<Missing>,
    /// The status of the answer that was judged.
    pub status: Option<u16>,
    /// In what the rule is broken, where it is.
    pub fault: Option<Fault>,
    /// The rule that is broken instead, for which this one is not reached.
    pub follows: Option<String>,
    /// Of a known failure, why it stays; empty where the baseline gives no reason.
    pub known: Option<String>,
    /// What its answers show that a rule about every answer looks at.
    pub observations: Vec<Observation>,
    /// Of such a rule: the place of the case that is broken by the same answer, where there is no other.
    pub(crate) explained_by: Option<usize>,
    /// The name of the identity that called, at a live server.
    pub identity: Option<String>,
    /// Who called the operation as it is to be called, with the status of each answer, at a live server.
    pub(crate) calls: Vec<(String, u16)>,
    /// Requests that were sent.
    pub requests: usize,
    /// How long it took.
    pub took: Duration,
    /// What was exchanged, kept where it did not pass.
    pub exchanges: Vec<Exchange>,
    /// The readings of contradictions that the answer shows: the places of both in the contract.
    pub readings: Vec<(usize, usize)>,
}

/// What is wrong with an answer, whatever it answers.
#[derive(Clone, Debug)]
pub struct Observation {
    /// What was looked at.
    pub about: Standing,
    /// What is wrong.
    pub finding: String,
    /// How binding that can be at most.
    pub at_most: Level,
    /// The place of the operation that answered.
    pub(crate) operation: usize,
    /// Where it was found.
    pub exchange: Exchange,
}

/// One request and its answer.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
pub struct Exchange {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers that were set.
    pub headers: Vec<(String, String)>,
    /// The body, cut off where it is long.
    pub body: String,
    /// The status, `None` where no answer came.
    pub status: Option<u16>,
    /// The headers of the answer.
    pub answer_headers: Vec<(String, String)>,
    /// The body of the answer, cut off where it is long; without an answer, why there is none.
    pub answer_body: String,
}

/// Who calls without an identity.
pub(crate) const NO_CREDENTIAL: &str = "no credential";
/// The same with a credential that was never issued.
pub(crate) const UNKNOWN_CREDENTIAL: &str = "unknown credential";

/// The longest text of a body in a report.
const LONGEST: usize = 600;

impl Verdict {
    /// The verdict on a broken rule.
    pub fn broken(level: Level) -> Self {
        match level {
            Level::Must => Self::Fail,
            Level::Should => Self::Warn,
            Level::Observe => Self::Info,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Skip => "skip",
            Self::Known => "known",
            Self::Error => "error",
        })
    }
}

impl Outcome {
    /// The rule is kept.
    pub fn pass() -> Self {
        Self {
            verdict: Verdict::Pass,
            reason: None,
            missing: None,
            status: None,
            fault: None,
            follows: None,
            known: None,
            observations: Vec::new(),
            explained_by: None,
            identity: None,
            calls: Vec::new(),
            requests: 0,
            took: Duration::ZERO,
            exchanges: Vec::new(),
            readings: Vec::new(),
        }
    }

    /// The rule is broken.
    pub fn broken(level: Level, reason: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::broken(level),
            reason: Some(reason.into()),
            fault: Some(Fault::Content),
            ..Self::pass()
        }
    }

    /// The rule is broken in this.
    #[must_use]
    pub fn by(self, fault: Fault) -> Self {
        Self { fault: Some(fault), ..self }
    }

    /// The rule was not reached.
    pub fn skip(missing: impl Into<Missing>) -> Self {
        let missing = missing.into();
        let reason = Some(missing.to_string());
        let missing = Some(missing).filter(|missing| !missing.answers.is_empty());
        Self { verdict: Verdict::Skip, reason, missing, ..Self::pass() }
    }

    /// The check itself failed.
    pub fn error(reason: impl Into<String>) -> Self {
        Self { verdict: Verdict::Error, reason: Some(reason.into()), ..Self::pass() }
    }
}

impl Outcome {
    /// Whether the rule is broken, at any level.
    pub(crate) fn is_broken(&self) -> bool {
        matches!(self.verdict, Verdict::Fail | Verdict::Warn | Verdict::Info)
    }
}

impl Exchange {
    /// The same with every secret masked.
    #[must_use]
    pub fn masked(&self, redactor: &Redactor) -> Self {
        let all = |headers: &[(String, String)]| {
            headers.iter().map(|(name, value)| (redactor.mask(name), redactor.mask(value))).collect()
        };
        Self {
            method: redactor.mask(&self.method),
            url: redactor.mask(&self.url),
            headers: all(&self.headers),
            body: redactor.mask(&self.body),
            status: self.status,
            answer_headers: all(&self.answer_headers),
            answer_body: redactor.mask(&self.answer_body),
        }
    }

    /// A command that sends the request again. Masked secrets have to be filled in.
    pub fn curl(&self) -> String {
        // It would wait for the body of a HEAD.
        let how = if self.method == "HEAD" { "-I".to_owned() } else { format!("-i -X {}", self.method) };
        let mut line = format!("curl {how} {}", quoted(&self.url));
        for (name, value) in &self.headers {
            let _ = write!(line, " -H {}", quoted(&format!("{name}: {value}")));
        }
        if !self.body.is_empty() {
            let _ = write!(line, " -d {}", quoted(&self.body));
        }
        line
    }
}

/// The beginning of a text that may be long. Mask it first: part of a secret is not known again.
pub(crate) fn cut(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LONGEST).collect();
    format!("{kept}... ({} bytes)", text.len())
}

/// A text as one word of a shell, in quotes only where it needs them.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_');
    if !text.is_empty() && text.bytes().all(is_plain) { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
