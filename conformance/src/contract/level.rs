//! Levels that a contract gives to rules beside what the rules themselves say, each with its reason.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Contract, Level, Rule};
use crate::glob;

/// Another level for some rules.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelChange {
    /// The rules, as patterns over their ids: `*` stands for a part of an id, `**` for any.
    pub rules: Vec<String>,
    /// How binding they are.
    pub level: ChangedLevel,
    /// Why. Every report says it.
    pub reason: String,
}

/// How binding a rule is that is given another level.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangedLevel {
    /// A breach fails the run.
    Must,
    /// A breach is a warning.
    Should,
    /// It is only reported.
    Observe,
    /// It is not checked.
    Off,
}

/// How binding a rule is by itself, and by what the contract makes of that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bearing {
    own: Level,
    changed: Level,
}

impl Bearing {
    /// Whether another rule may presume this one: it binds as much, as both were written or as they count.
    pub(crate) fn may_bear(self, other: Self) -> bool {
        self.own >= other.own || self.changed >= other.changed
    }
}

impl ChangedLevel {
    /// The level; none where the rule is not checked.
    pub fn level(self) -> Option<Level> {
        match self {
            Self::Must => Some(Level::Must),
            Self::Should => Some(Level::Should),
            Self::Observe => Some(Level::Observe),
            Self::Off => None,
        }
    }
}

impl fmt::Display for ChangedLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level() {
            Some(level) => level.fmt(f),
            None => f.pad("off"),
        }
    }
}

impl LevelChange {
    /// Whether one of its patterns fits the id of a rule.
    pub(crate) fn names(&self, rule: &str) -> bool {
        self.rules.iter().any(|pattern| fits(pattern, rule))
    }
}

/// Patterns are over slashes, ids of rules over dots.
pub(super) fn fits(pattern: &str, rule: &str) -> bool {
    glob::matches(&pattern.replace('.', "/"), &rule.replace('.', "/"))
}

impl Contract {
    /// The places of the changes of levels, by those of the rules.
    pub(super) fn find_changes(&mut self) {
        let change = |rule: &Rule| self.levels.iter().position(|change| change.names(&rule.id));
        self.changes = self.rules.iter().map(change).collect();
    }

    /// What gives a rule another level, both by their places.
    pub(crate) fn change(&self, rule: usize) -> Option<&LevelChange> {
        self.changes.get(rule).copied().flatten().map(|change| &self.levels[change])
    }

    /// How binding a rule is for those that presume it, by its place.
    pub(crate) fn bearing(&self, rule: usize) -> Bearing {
        let own = self.rules[rule].level;
        Bearing { own, changed: self.level(rule).unwrap_or(own) }
    }

    /// How binding a rule is, by its place; none where it is not checked.
    pub(crate) fn level(&self, rule: usize) -> Option<Level> {
        self.change(rule).map_or(Some(self.rules[rule].level), |change| change.level.level())
    }
}
