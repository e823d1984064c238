//! The reading of a contradiction that a server follows, if its answers show it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ApiReport, Report};
use crate::contract::{Contract, Contradiction};
use crate::judgement::verdict::Outcome;

/// A place where the documents disagree, and what the answers of a server show of it.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct Disagreement {
    /// What it is about.
    pub about: String,
    /// The readings of the documents.
    pub readings: Vec<ReadingReport>,
    /// The reading that the rules follow, and why.
    pub ruling: String,
}

/// One reading, and how many answers follow it.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct ReadingReport {
    /// What the source says, and which one it is.
    pub says: String,
    /// Answers that show it.
    pub answers: usize,
}

/// Returns the readings that the outcomes show. Contradictions without any evidence are omitted.
pub(super) fn of(contract: &Contract, outcomes: &[Outcome]) -> Vec<Disagreement> {
    let all: Vec<(usize, usize)> = outcomes.iter().flat_map(|outcome| outcome.readings.iter().copied()).collect();
    let disagreement = |(place, contradiction): (usize, &Contradiction)| {
        let readings = contradiction.readings.iter().enumerate().map(|(number, reading)| ReadingReport {
            says: reading.says.clone(),
            answers: all.iter().filter(|shown| **shown == (place, number)).count(),
        });
        Disagreement {
            about: contradiction.id.clone(),
            readings: readings.collect(),
            ruling: contradiction.ruling.clone(),
        }
    };
    let disagreements = contract.contradictions.iter().enumerate().map(disagreement);
    disagreements.filter(|one| one.readings.iter().any(|reading| reading.answers > 0)).collect()
}

/// A reading that a server follows, as text.
pub(super) struct FollowedReading<'a> {
    /// The API, and the subject of the contradiction.
    pub(super) about: String,
    pub(super) says: &'a str,
    /// The number of answers that show it.
    pub(super) answers: String,
}

impl Report {
    /// Returns the readings that live servers follow; the mock follows the ruling.
    pub(super) fn followed(&self) -> Vec<FollowedReading<'_>> {
        self.apis.iter().filter(|api| api.server != "mock").flat_map(followed).collect()
    }
}

fn followed(api: &ApiReport) -> impl Iterator<Item = FollowedReading<'_>> {
    let all = api
        .readings
        .iter()
        .flat_map(|disagreement| disagreement.readings.iter().map(move |reading| (&disagreement.about, reading)));
    all.filter(|(_, reading)| reading.answers > 0).map(|(about, reading)| FollowedReading {
        about: format!("{}, {about}", api.api),
        says: &reading.says,
        answers: answers_of(reading.answers),
    })
}

fn answers_of(count: usize) -> String {
    if count == 1 { "1 answer".to_owned() } else { format!("{count} answers") }
}
