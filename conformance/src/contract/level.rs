//! Level changes: a contract may change the levels of its rules, with a reason for each.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Contract, Level, Rule};
use crate::text::glob;

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

/// The level of a rule itself, and the level after the contract's change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RuleLevels {
    own: Level,
    changed: Level,
}

impl RuleLevels {
    /// Returns whether another rule may presume this one: its level is at least as high, either before or after the changes.
    pub(crate) fn may_be_presumed_by(self, other: Self) -> bool {
        self.own >= other.own || self.changed >= other.changed
    }
}

impl ChangedLevel {
    /// Returns the level; `None` if the rule is disabled.
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
    /// Returns whether one of its patterns matches the id of a rule.
    pub(crate) fn names(&self, rule: &str) -> bool {
        self.rules.iter().any(|pattern| fits(pattern, rule))
    }
}

/// Returns whether a pattern matches the id of a rule. Patterns use slashes, and ids of rules use dots.
pub(super) fn fits(pattern: &str, rule: &str) -> bool {
    glob::matches(&pattern.replace('.', "/"), &rule.replace('.', "/"))
}

impl Contract {
    /// Determines the index of the level change for each rule.
    pub(super) fn find_changes(&mut self) {
        let change = |rule: &Rule| self.levels.iter().position(|change| change.names(&rule.id));
        self.changes = self.rules.iter().map(change).collect();
    }

    /// Returns the level change of a rule, by the index of the rule.
    pub(crate) fn change(&self, rule: usize) -> Option<&LevelChange> {
        self.changes.get(rule).copied().flatten().map(|change| &self.levels[change])
    }

    /// Returns the levels of a rule for those that presume it, by its index.
    pub(crate) fn bearing(&self, rule: usize) -> RuleLevels {
        let own = self.rules[rule].level;
        RuleLevels { own, changed: self.level(rule).unwrap_or(own) }
    }

    /// Returns the level of a rule, by its index; `None` if it is disabled.
    pub(crate) fn level(&self, rule: usize) -> Option<Level> {
        self.change(rule).map_or(Some(self.rules[rule].level), |change| change.level.level())
    }
}
