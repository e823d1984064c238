//! Contradictions between the sources of a contract, and the answers that show which source a server follows.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// A place where the sources disagree.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contradiction {
    /// What it is about: `batch-outcome`.
    pub id: String,
    /// The readings, each with where it is found.
    pub readings: Vec<Reading>,
    /// The reading that the rules follow, and why.
    pub ruling: String,
}

/// One reading of a contradiction.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reading {
    /// What the source says, and which one it is.
    pub says: String,
    /// How a server shows that it follows this reading; left out where no answer can.
    pub shown_by: Option<Sign>,
}

/// What the answer to a case has where the server follows a reading. All that is given must hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sign {
    /// The id of the rule whose cases show it.
    pub rule: String,
    /// The answer has one of these statuses.
    #[serde(default)]
    pub status: Vec<u16>,
    /// The body has a member at this JSON pointer.
    pub member: Option<String>,
    /// The base URL that was checked has this path, without a slash at its end.
    pub base_path: Option<String>,
}

impl Sign {
    /// Returns whether an answer shows this reading. `base_path` is that of the base URL.
    pub fn fits(&self, rule: &str, base_path: &str, status: u16, body: &[u8]) -> bool {
        let has =
            |pointer: &String| serde_json::from_slice::<Value>(body).is_ok_and(|body| body.pointer(pointer).is_some());
        self.rule == rule
            && (self.status.is_empty() || self.status.contains(&status))
            && self.member.as_ref().is_none_or(has)
            && self.base_path.as_ref().is_none_or(|path| path == base_path.trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_a_sign_names_must_hold() {
        let sign = Sign {
            rule: "ingest.batch.mixed".to_owned(),
            status: vec![202],
            member: Some("/entity/items".to_owned()),
            base_path: Some("/v1".to_owned()),
        };
        let body = br#"{"entity":{"items":[]}}"#;
        assert!(sign.fits("ingest.batch.mixed", "/v1/", 202, body));
        assert!(!sign.fits("ingest.batch.full", "/v1/", 202, body));
        assert!(!sign.fits("ingest.batch.mixed", "/", 202, body));
        assert!(!sign.fits("ingest.batch.mixed", "/v1/", 200, body));
        assert!(!sign.fits("ingest.batch.mixed", "/v1/", 202, b"{}"));
        assert!(!sign.fits("ingest.batch.mixed", "/v1/", 202, b"<html>"));
    }
}
