//! Access by operation and caller: each operation with each identity of the tokens file, without a credential, and with an unknown one. It
//! compares the observed statuses with the document and the contract.
//!
//! It is derived from the calls of the cases, which their rules judge. No extra calls are sent, so a cell may be empty: one call for each
//! would be many, and no rule would judge it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use keyfit::redact::plain_lines;
use keyfit_openapi::Operation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CaseReport;
use crate::catalogue::Catalogue;
use crate::contract::{Contract, Probe};
use crate::identity::{Known, State};
use crate::secret::Redactor;
use crate::verdict::{NO_CREDENTIAL, UNKNOWN_CREDENTIAL, Verdict};

/// Who may call what.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct Access {
    /// Who calls: the identities of the tokens file by name, `no credential` and `unknown credential`.
    pub callers: Vec<String>,
    /// Each operation that is checked, in the order of the document.
    pub operations: Vec<OperationAccess>,
}

/// Who may call an operation.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct OperationAccess {
    /// The id of the operation.
    pub operation: String,
    /// One for each caller, in their order.
    pub cells: Vec<Cell>,
}

/// One caller at one operation.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct Cell {
    /// What document and contract say.
    pub due: Due,
    /// The statuses of the answers to such calls; none where none was sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<u16>,
    /// Why none was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsent: Option<String>,
    /// Whether an answer is not what is due.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_against: bool,
    /// The finding that says so, by its place among those of the API, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<usize>,
}

/// What document and contract say of a call.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Due {
    /// It is to be served.
    Allowed,
    /// It is to be refused.
    Refused,
    /// They do not say.
    Unknown,
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        })
    }
}

impl Access {
    /// Derives the access from the cases of a catalogue: `called` has the callers and statuses of each case, `cases` the reports on them.
    pub(crate) fn new(
        catalogue: &Catalogue,
        called: &[Vec<(String, u16)>],
        known: &[Known],
        cases: &[CaseReport],
        redactor: &Redactor,
    ) -> Self {
        let mut seen: BTreeMap<(usize, &str), Seen> = BTreeMap::new();
        let mut unsent: BTreeMap<usize, &str> = BTreeMap::new();
        let mut checked = BTreeSet::new();
        for ((case, calls), told) in catalogue.cases.iter().zip(called).zip(cases) {
            checked.insert(case.operation);
            let is_broken = told.verdict == Verdict::Known || told.finding.is_some();
            for (caller, status) in calls {
                let cell = seen.entry((case.operation, caller)).or_default();
                cell.statuses.insert(*status);
                cell.broken.extend(is_broken.then_some((*status, told.finding)));
            }
            let is_valid = catalogue.rule(case).probe == Some(Probe::Valid);
            if let (true, Verdict::Skip, Some(why)) = (is_valid, told.verdict, &told.reason) {
                unsent.entry(case.operation).or_insert(why);
            }
        }
        let names = known.iter().map(|one| one.name.as_str()).chain([NO_CREDENTIAL, UNKNOWN_CREDENTIAL]);
        let names: Vec<&str> = names.collect();
        let row = |place: usize| {
            let operation = &catalogue.api.operations[place];
            let cell = |(column, name): (usize, &&str)| {
                let due = match known.get(column) {
                    Some(known) => due(known, &catalogue.contract, operation),
                    None => due_without(operation, *name == NO_CREDENTIAL),
                };
                let none = "no case sends it";
                let why = unsent.get(&place).copied().filter(|_| known.get(column).is_some()).unwrap_or(none);
                seen.get(&(place, *name)).map_or_else(|| Cell::empty(due, &redactor.mask(why)), |seen| seen.cell(due))
            };
            let cells = names.iter().enumerate().map(cell).collect();
            OperationAccess { operation: plain_lines(&operation.id), cells }
        };
        Self {
            operations: checked.into_iter().map(row).collect(),
            callers: names.iter().map(|name| redactor.mask(&plain_lines(name))).collect(),
        }
    }

    /// Returns the number of cells, the number of cells with an answer, and the number of cells with an unexpected answer.
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        let cells = || self.operations.iter().flat_map(|row| &row.cells);
        let seen = cells().filter(|cell| !cell.statuses.is_empty()).count();
        (cells().count(), seen, cells().filter(|cell| cell.is_against).count())
    }
}

/// The answers for a cell.
#[derive(Default)]
struct Seen {
    statuses: BTreeSet<u16>,
    /// The statuses that break a rule, each with its finding; `None` if the failure is known.
    broken: Vec<(u16, Option<usize>)>,
}

impl Seen {
    fn cell(&self, due: Due) -> Cell {
        let is_wrong = |status: &u16| match due {
            Due::Allowed => matches!(status, 401 | 403),
            Due::Refused => (200..300).contains(status),
            Due::Unknown => false,
        };
        let wrong: Vec<u16> = self.statuses.iter().copied().filter(is_wrong).collect();
        // Only statuses that break a rule count as unexpected.
        let broken = self.broken.iter().find(|(status, _)| wrong.contains(status));
        Cell {
            due,
            statuses: self.statuses.iter().copied().collect(),
            unsent: None,
            is_against: broken.is_some(),
            finding: broken.and_then(|(_, finding)| *finding),
        }
    }
}

impl Cell {
    fn empty(due: Due, why: &str) -> Self {
        Self { due, statuses: Vec::new(), unsent: Some(why.to_owned()), is_against: false, finding: None }
    }

    /// Returns the cell as a word: `200`, `403 !` if that is unexpected, `-` if no call was sent.
    pub(super) fn told(&self) -> String {
        let statuses: Vec<String> = self.statuses.iter().map(ToString::to_string).collect();
        match (statuses.is_empty(), self.is_against) {
            (true, _) => "-".to_owned(),
            (false, true) => format!("{} !", statuses.join(" ")),
            (false, false) => statuses.join(" "),
        }
    }
}

/// Returns the expectation for an identity.
fn due(known: &Known, contract: &Contract, operation: &Operation) -> Due {
    let is_open = operation.security.is_optional();
    if !operation.security.accepts_alone(&known.kind) {
        let is_joined = operation.security.kinds().any(|kind| *kind == known.kind);
        return if is_open || is_joined { Due::Unknown } else { Due::Refused };
    }
    match known.state {
        State::Valid => {}
        State::Revoked | State::Expired if !is_open => return Due::Refused,
        _ => return Due::Unknown,
    }
    let kind = contract.credential(&known.kind).filter(|kind| kind.is_scoped());
    let (Some(kind), false) = (kind, operation.scopes.is_empty()) else { return Due::Allowed };
    match (&known.scopes, known.has_resources) {
        (_, true) => Due::Unknown,
        (None, false) => Due::Allowed,
        (Some(scopes), false) => {
            if kind.grants(scopes, &operation.scopes) {
                Due::Allowed
            } else {
                Due::Refused
            }
        }
    }
}

/// Returns the expectation for a caller without a credential (`shows_none`), or with an unknown one.
fn due_without(operation: &Operation, shows_none: bool) -> Due {
    match operation.security.is_optional() {
        true if shows_none => Due::Allowed,
        true => Due::Unknown,
        false => Due::Refused,
    }
}
