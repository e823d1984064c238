//! The outcome of a case, and its exchanges.

use std::fmt::{self, Write as _};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{GeneralRule, Level};
use crate::credential::secret::Redactor;
use crate::judgement::missing::Missing;

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

/// The aspect in which a rule is broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BrokenAspect {
    /// The status of the answer.
    Status,
    /// Another part of the answer.
    Content,
    /// The answer contains a secret. No other rule explains that.
    Leak,
    /// A step before the answer that would be judged.
    Step,
    /// The call ended the server.
    Ended,
}

/// The outcome of a case.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its verdict.
    pub verdict: Verdict,
    /// The reason, if it did not pass.
    pub reason: Option<String>,
    /// The missing input for a rule that was not reached, if the user can provide it.
    pub missing: Option<Missing>,
    /// The status of the answer that was judged.
    pub status: Option<u16>,
    /// The aspect in which the rule is broken, if it is.
    pub fault: Option<BrokenAspect>,
    /// The rule that is broken instead, because of which this one is not reached.
    pub follows: Option<String>,
    /// The reason why a known failure remains; empty if the baseline has none.
    pub known: Option<String>,
    /// The violations of standing rules by its answers.
    pub observations: Vec<Observation>,
    /// For a standing rule: the index of the case that the same answer breaks, if no other answer shows the finding.
    pub(crate) explained_by: Option<usize>,
    /// The name of the identity that called, at a live server.
    pub identity: Option<String>,
    /// The callers that sent a valid request to the operation of a live server, with the status of each answer.
    pub(crate) calls: Vec<(String, u16)>,
    /// The number of requests.
    pub requests: usize,
    /// The duration.
    pub took: Duration,
    /// The exchanges, kept if it did not pass.
    pub exchanges: Vec<Exchange>,
    /// The readings of contradictions that the answer shows: the indexes of both in the contract.
    pub readings: Vec<(usize, usize)>,
}

/// A violation of a standing rule by an answer.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The standing rule.
    pub about: GeneralRule,
    /// The flaw.
    pub finding: String,
    /// The highest level that the finding may have.
    pub at_most: Level,
    /// The index of the operation that answered.
    pub(crate) operation: usize,
    /// The exchange with the answer.
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

/// The caller without an identity.
pub(crate) const NO_CREDENTIAL: &str = "no credential";
/// The caller with a credential that was never issued.
pub(crate) const UNKNOWN_CREDENTIAL: &str = "unknown credential";

/// The longest text of a body in a report.
const MAX_BODY_CHARS: usize = 600;

impl Verdict {
    /// Returns the verdict on a broken rule of this level.
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
            fault: Some(BrokenAspect::Content),
            ..Self::pass()
        }
    }

    /// Sets the aspect in which the rule is broken.
    #[must_use]
    pub fn by(self, fault: BrokenAspect) -> Self {
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
    /// Returns whether the rule is broken, at any level.
    pub(crate) fn is_broken(&self) -> bool {
        matches!(self.verdict, Verdict::Fail | Verdict::Warn | Verdict::Info)
    }
}

impl Exchange {
    /// Returns the exchange with all secrets masked.
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

    /// Returns a command that repeats the request. Masked secrets have to be filled in.
    pub fn curl(&self) -> String {
        // With `-X HEAD`, curl would wait for the body.
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

/// Returns the beginning of a text that may be long. Mask it first: a part of a secret would not be recognized.
pub(crate) fn cut(text: &str) -> String {
    if text.len() <= MAX_BODY_CHARS {
        return text.to_owned();
    }
    let kept: String = text.chars().take(MAX_BODY_CHARS).collect();
    format!("{kept}... ({} bytes)", text.len())
}

/// Returns a text as one word for a shell, in quotes only if necessary.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_');
    if !text.is_empty() && text.bytes().all(is_plain) { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
