//! The state of a comparison: its findings with the operations they concern, and the shared schemas that are not compared yet.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::mem;
use std::rc::Rc;

use super::Document;
use super::finding::{Finding, OperationRef};
use super::node::{Node, Revision};
use super::rules::{Direction, Rule, SchemaRules, surface as surf};
use super::rust_item::RustItem;
use super::schema_set::SchemaSet;
use super::types::Types;
use super::unchanged::Unchanged;

/// The maximum number of steps of a comparison, so that no document can keep it busy. One step reads one schema, or one of its
/// members.
const MAX_STEPS: usize = 4_000_000;

pub(super) struct Comparison<'a> {
    operations: Vec<OperationRef>,
    found: Vec<Change>,
    owner: Owner,
    status: Option<String>,
    pairs: HashMap<PairKey, usize>,
    /// The owners that led to each pair.
    reached_from: Vec<Vec<Owner>>,
    pending: VecDeque<PendingPair<'a>>,
    types: Rc<Types<'a>>,
    pub(super) unchanged: Unchanged<'a>,
    steps: usize,
}

/// The identity of a pair of schemas: the direction, the effect on a client without a type for them, and the pointers of both.
type PairKey = (Direction, Option<&'static str>, String, String);

struct Change {
    rule: &'static Rule,
    revision: Revision,
    at: String,
    detail: String,
    rust: String,
    owner: Owner,
    status: Option<String>,
}

/// The owner of a change: operations, or a pair of schemas that several operations may share.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Owner {
    Operations(Vec<usize>),
    Pair(usize),
}

/// A pair of schemas that is not compared yet.
pub(super) struct PendingPair<'a> {
    number: usize,
    pub(super) rules: &'static SchemaRules,
    pub(super) old: SchemaSet<'a>,
    pub(super) new: SchemaSet<'a>,
    pub(super) rust_item: RustItem<'a>,
}

impl<'a> Comparison<'a> {
    /// Creates a comparison. `new` is the document that a client would be generated from.
    pub(super) fn new(old: &'a Document, new: &'a Document) -> Self {
        Self {
            operations: Vec::new(),
            found: Vec::new(),
            owner: Owner::Operations(Vec::new()),
            status: None,
            pairs: HashMap::new(),
            reached_from: Vec::new(),
            pending: VecDeque::new(),
            types: Rc::new(Types::of(new.root(Revision::New).value)),
            unchanged: Unchanged::of(old, new),
            steps: MAX_STEPS,
        }
    }

    /// Returns the names of the types of schemas.
    pub(super) fn types(&self) -> Rc<Types<'a>> {
        Rc::clone(&self.types)
    }

    /// Adds an operation, and returns its number.
    pub(super) fn add_operation(&mut self, operation: OperationRef) -> usize {
        self.operations.push(operation);
        self.operations.len() - 1
    }

    /// Sets the operations that the following reports concern.
    pub(super) fn set_operations(&mut self, operations: &[usize]) {
        self.owner = Owner::Operations(operations.to_vec());
        self.status = None;
    }

    /// Sets the status of the response that the following reports concern.
    pub(super) fn set_status(&mut self, status: Option<&str>) {
        self.status = status.map(str::to_owned);
    }

    /// Reports a change at a node: the new node, or the old one if it was removed.
    pub(super) fn report(
        &mut self,
        rule: &'static Rule,
        node: &Node<'_>,
        detail: impl Into<String>,
        rust: impl Into<String>,
    ) {
        self.found.push(Change {
            rule,
            revision: node.revision,
            at: node.at.clone(),
            detail: detail.into(),
            rust: rust.into(),
            owner: self.owner.clone(),
            status: self.status.clone(),
        });
    }

    /// Takes steps from the budget, and returns whether some are left. Reports once that the budget is exhausted.
    pub(super) fn spend(&mut self, count: usize, node: &Node<'_>) -> bool {
        if self.steps == 0 {
            return false;
        }
        self.steps = self.steps.saturating_sub(count);
        if self.steps == 0 {
            let detail = "the documents are too entangled: from here on nothing was compared";
            self.report(&surf::NOT_COMPARED, node, detail, "unknown");
        }
        self.steps > 0
    }

    /// Records two schemas that are compared later, once for everything that refers to both.
    pub(super) fn compare_later(
        &mut self,
        rules: &'static SchemaRules,
        old: SchemaSet<'a>,
        new: SchemaSet<'a>,
        rust_item: RustItem<'a>,
    ) {
        let count = self.pairs.len();
        let key = (rules.direction, rust_item.untyped, old.key(), new.key());
        let pair = *self.pairs.entry(key).or_insert(count);
        if pair == count {
            self.reached_from.push(Vec::new());
            self.pending.push_back(PendingPair { number: pair, rules, old, new, rust_item });
        }
        if self.reached_from[pair].last() != Some(&self.owner) {
            self.reached_from[pair].push(self.owner.clone());
        }
    }

    /// Removes and returns the next pair of schemas, which the following reports concern.
    pub(super) fn next_pair(&mut self) -> Option<PendingPair<'a>> {
        let pending = self.pending.pop_front()?;
        self.status = None;
        self.owner = Owner::Pair(pending.number);
        Some(pending)
    }

    /// Returns all findings, the most severe first.
    pub(super) fn findings(mut self, old: &Document, new: &Document) -> Vec<Finding> {
        let mut known: HashMap<(&str, Revision, String, String), usize> = HashMap::new();
        let mut concerned: Vec<BTreeSet<usize>> = Vec::new();
        let mut findings: Vec<Finding> = Vec::new();
        let mut owners: HashMap<usize, BTreeSet<usize>> = HashMap::new();
        for found in mem::take(&mut self.found) {
            let key = (found.rule.id, found.revision, found.at.clone(), found.detail.clone());
            let index = *known.entry(key).or_insert(findings.len());
            if index == findings.len() {
                let document = if found.revision == Revision::Old { old } else { new };
                concerned.push(BTreeSet::new());
                findings.push(Finding {
                    rule: found.rule,
                    detail: found.detail,
                    revision: found.revision,
                    place: document.location(&found.at),
                    nearest: new.location(&found.at),
                    operations: Vec::new(),
                    statuses: Vec::new(),
                    rust: found.rust.clone(),
                });
            } else if is_no_change(&findings[index].rust) && !is_no_change(&found.rust) {
                // A part can lack a type in one place and have one in another.
                findings[index].rust = found.rust;
            }
            match found.owner {
                Owner::Operations(operations) => concerned[index].extend(operations),
                Owner::Pair(pair) => {
                    concerned[index].extend(owners.entry(pair).or_insert_with(|| self.operations_of(pair)).iter());
                }
            }
            findings[index].statuses.extend(found.status);
        }
        for (finding, concerned) in findings.iter_mut().zip(concerned) {
            finding.operations = concerned.into_iter().map(|number| self.operations[number].clone()).collect();
            finding.statuses.sort();
            finding.statuses.dedup();
        }
        // The sort is stable: equally severe findings stay in the order of the documents.
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.rule.level));
        findings
    }

    /// Returns the operations that lead to a pair of schemas.
    fn operations_of(&self, pair: usize) -> BTreeSet<usize> {
        let mut seen = BTreeSet::from([pair]);
        let mut open = vec![pair];
        let mut operations = BTreeSet::new();
        while let Some(pair) = open.pop() {
            for owner in &self.reached_from[pair] {
                match owner {
                    Owner::Operations(numbers) => operations.extend(numbers),
                    Owner::Pair(from) if seen.insert(*from) => open.push(*from),
                    Owner::Pair(_) => {}
                }
            }
        }
        operations
    }
}

fn is_no_change(rust: &str) -> bool {
    rust.starts_with("no change")
}
