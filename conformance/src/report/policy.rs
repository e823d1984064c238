//! The contract's policy: the levels that it changes, and the set of requirements that it names. None of it is hidden.

use std::collections::BTreeMap;

use keyfit_openapi::plain;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cases_of;
use crate::catalogue::{Case, Catalogue};
use crate::contract::{ChangedLevel, Level};
use crate::verdict::{Outcome, Verdict};

/// The number of rules that are named in a line; the others are counted.
const NAMED: usize = 6;

/// What a contract says of its rules as a whole.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct PolicyReport {
    /// The levels that it changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LevelReport>,
    /// The set of requirements that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirements: Option<SetReport>,
    /// Kinds of credential that the document asks for and the contract does not describe, with the ids of the operations that nothing
    /// else opens: no rule about credentials is about them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub undescribed: BTreeMap<String, Vec<String>>,
}

/// Another level for some rules.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct LevelReport {
    /// The ids of the rules, each with the level that it has without that.
    pub rules: BTreeMap<String, Level>,
    /// How binding they are.
    pub level: ChangedLevel,
    /// Why.
    pub reason: String,
    /// How many cases they have, or would have.
    pub cases: usize,
}

/// What a set of requirements adds to a contract.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct SetReport {
    /// Its name.
    pub name: String,
    /// The rules of the set that the contract does not hold itself, and is held to.
    pub taken_up: Vec<String>,
    /// Rules that came later: they fail nothing.
    pub newer: Vec<String>,
    /// Rules of the contract that apply to no operation of the document as it is.
    pub idle: Vec<String>,
    /// Those of the newer rules that would fail the run.
    pub would_fail: Vec<String>,
}

impl PolicyReport {
    /// Returns the policy of a catalogue's contract.
    pub(super) fn of(catalogue: &Catalogue, outcomes: &[Outcome]) -> Self {
        let mut undescribed: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for operation in &catalogue.api.operations {
            let is_closed =
                !operation.security.is_optional() && catalogue.contract.alternatives(operation).next().is_none();
            let unknown = |kind: &&String| catalogue.contract.credential(kind).is_none();
            for kind in operation.security.kinds().filter(unknown).filter(|_| is_closed) {
                let known = undescribed.entry(plain(kind)).or_default();
                if known.last() != Some(&operation.id) {
                    known.push(plain(&operation.id));
                }
            }
        }
        Self { levels: levels(catalogue), requirements: requirements(catalogue, outcomes), undescribed }
    }

    /// Returns whether there is nothing to report.
    pub(super) fn is_empty(&self) -> bool {
        self.levels.is_empty() && self.requirements.is_none() && self.undescribed.is_empty()
    }

    /// Returns the lists with their titles, for humans.
    pub(super) fn lists(&self) -> Vec<(String, Vec<String>)> {
        let mut lists = Vec::new();
        let levels: Vec<String> = self.levels.iter().map(LevelReport::told).collect();
        lists.push(("levels that the contract changes".to_owned(), levels));
        if let Some(SetReport { name, taken_up, newer, idle, would_fail }) = &self.requirements {
            let title = format!("rules of the requirements {name} that do not stand in the contract, and hold");
            lists.push((plain(&title), named(taken_up).into_iter().collect()));
            let title = "rules of the contract that apply to no operation now".to_owned();
            lists.push((title, named(idle).into_iter().collect()));
            let title = format!("new since {name}: {}, told and followed by nothing", rules_of(newer.len()));
            let fail =
                named(would_fail).map_or_else(|| "none would fail".to_owned(), |rules| format!("would fail: {rules}"));
            lists.push((plain(&title), named(newer).into_iter().chain([fail]).filter(|_| !newer.is_empty()).collect()));
        }
        let undescribed = self.undescribed.iter().map(|(kind, operations)| {
            let of = named(operations).unwrap_or_default();
            plain(&format!("`{kind}`: add [[credential]] with kind = \"{kind}\" to the contract, for {of}"))
        });
        lists.push(("credentials that the contract does not describe".to_owned(), undescribed.collect()));
        lists.retain(|(_, lines)| !lines.is_empty());
        lists
    }
}

impl LevelReport {
    fn told(&self) -> String {
        let Self { rules, level, reason, cases } = self;
        let mut from: Vec<String> = rules.values().map(Level::to_string).collect();
        from.sort();
        from.dedup();
        let ids: Vec<String> = rules.keys().cloned().collect();
        let (from, ids) = (from.join(" or "), named(&ids).unwrap_or_default());
        plain(&format!("{from} -> {level}: {ids} ({}): {reason}", cases_of(*cases)))
    }
}

fn levels(catalogue: &Catalogue) -> Vec<LevelReport> {
    let contract = &catalogue.contract;
    let mut reports: Vec<LevelReport> = contract
        .levels
        .iter()
        .map(|change| LevelReport {
            rules: BTreeMap::new(),
            level: change.level,
            reason: plain(&change.reason),
            cases: 0,
        })
        .collect();
    for (place, rule) in contract.rules.iter().enumerate() {
        let Some(change) = contract.change(place) else { continue };
        let Some(at) = contract.levels.iter().position(|known| std::ptr::eq(known, change)) else { continue };
        let off = catalogue.off.iter().find(|(off, _)| *off == place).map(|(_, cases)| *cases);
        reports[at].rules.insert(plain(&rule.id), rule.level);
        reports[at].cases += off.unwrap_or_else(|| catalogue.places(place, None).len());
    }
    reports
}

fn requirements(catalogue: &Catalogue, outcomes: &[Outcome]) -> Option<SetReport> {
    let taken = &catalogue.taken;
    let id = |rule: &usize| plain(&catalogue.contract.rules[*rule].id);
    let is_broken = |rule: &&usize| {
        let is_must = catalogue.contract.level(**rule) == Some(Level::Must);
        let fails = |(_, outcome): (&Case, &Outcome)| outcome.verdict == Verdict::Info;
        let places = catalogue.places(**rule, None);
        is_must && places.map(|place| (&catalogue.cases[place], &outcomes[place])).any(fails)
    };
    (!taken.set.is_empty()).then(|| SetReport {
        name: plain(&taken.set),
        taken_up: taken.held.iter().map(id).collect(),
        newer: taken.newer.iter().map(id).collect(),
        idle: taken.idle.iter().map(id).collect(),
        would_fail: taken.newer.iter().filter(is_broken).map(id).collect(),
    })
}

/// Returns `1 rule`, `2 rules`.
fn rules_of(count: usize) -> String {
    if count == 1 { "1 rule".to_owned() } else { format!("{count} rules") }
}

/// Returns the first names and the number of the others; `None` if there are no names.
fn named(names: &[String]) -> Option<String> {
    let first = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!names.is_empty()).then(|| first + &more)
}
