//! The state of a comparison: findings, whose they are, and which shared schemas are still to be compared.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::mem;
use std::rc::Rc;

use super::Document;
use super::finding::{Finding, OperationRef};
use super::joint::Joint;
use super::node::{Node, Revision};
use super::rules::{Direction, Rule, SchemaRules, surface as surf};
use super::schema;
use super::spot::Spot;
use super::types::Types;
use super::unchanged::Unchanged;

/// How many schemas are compared at most, so that no document can keep a comparison busy: each step looks at one schema,
/// or at one of its members.
const STEPS: usize = 4_000_000;

pub(super) struct Comparison<'a> {
    operations: Vec<OperationRef>,
    found: Vec<Found>,
    owner: Owner,
    status: Option<String>,
    pairs: HashMap<Key, usize>,
    /// For each pair the owners that led to it.
    reached_from: Vec<Vec<Owner>>,
    open: VecDeque<Open<'a>>,
    types: Rc<Types<'a>>,
    pub(super) unchanged: Unchanged<'a>,
    steps: usize,
}

/// What tells a pair of schemas from others: which way they go, what is said where they have no type, and where they stand.
type Key = (Direction, Option<&'static str>, String, String);

struct Found {
    rule: &'static Rule,
    revision: Revision,
    at: String,
    detail: String,
    rust: String,
    owner: Owner,
    status: Option<String>,
}

/// Whose a finding is: of operations, or of a pair of schemas that several operations may share.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Owner {
    Operations(Vec<usize>),
    Pair(usize),
}

/// A pair of schemas that is still to be compared.
struct Open<'a> {
    pair: usize,
    rules: &'static SchemaRules,
    old: Joint<'a>,
    new: Joint<'a>,
    spot: Spot<'a>,
}

impl<'a> Comparison<'a> {
    /// `new` is the document that a client would be made of.
    pub(super) fn new(old: &'a Document, new: &'a Document) -> Self {
        Self {
            operations: Vec::new(),
            found: Vec::new(),
            owner: Owner::Operations(Vec::new()),
            status: None,
            pairs: HashMap::new(),
            reached_from: Vec::new(),
            open: VecDeque::new(),
            types: Rc::new(Types::of(new.root(Revision::New).value)),
            unchanged: Unchanged::of(old, new),
            steps: STEPS,
        }
    }

    /// What the types of schemas are called.
    pub(super) fn types(&self) -> Rc<Types<'a>> {
        Rc::clone(&self.types)
    }

    /// Makes an operation known, and returns its number.
    pub(super) fn operation(&mut self, operation: OperationRef) -> usize {
        self.operations.push(operation);
        self.operations.len() - 1
    }

    /// What is reported from now on concerns these operations.
    pub(super) fn concerns(&mut self, operations: &[usize]) {
        self.owner = Owner::Operations(operations.to_vec());
        self.status = None;
    }

    /// What is reported from now on concerns the answer of this status.
    pub(super) fn answers(&mut self, status: Option<&str>) {
        self.status = status.map(str::to_owned);
    }

    /// Reports a change at a node: the old one where it went.
    pub(super) fn report(
        &mut self,
        rule: &'static Rule,
        node: &Node<'_>,
        detail: impl Into<String>,
        rust: impl Into<String>,
    ) {
        self.found.push(Found {
            rule,
            revision: node.revision,
            at: node.at.clone(),
            detail: detail.into(),
            rust: rust.into(),
            owner: self.owner.clone(),
            status: self.status.clone(),
        });
    }

    /// Whether there is time left for so many steps; where it runs out, that is a finding.
    pub(super) fn step(&mut self, count: usize, node: &Node<'_>) -> bool {
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

    /// Compares two schemas later, once for all that refer to both.
    pub(super) fn link(&mut self, rules: &'static SchemaRules, old: Joint<'a>, new: Joint<'a>, spot: Spot<'a>) {
        let count = self.pairs.len();
        let key = (rules.direction, spot.untyped, old.key(), new.key());
        let pair = *self.pairs.entry(key).or_insert(count);
        if pair == count {
            self.reached_from.push(Vec::new());
            self.open.push_back(Open { pair, rules, old, new, spot });
        }
        if self.reached_from[pair].last() != Some(&self.owner) {
            self.reached_from[pair].push(self.owner.clone());
        }
    }

    /// Compares what is still open, and returns everything that was found, the gravest first.
    pub(super) fn finish(mut self, old: &Document, new: &Document) -> Vec<Finding> {
        self.status = None;
        while let Some(Open { pair, rules, old, new, spot }) = self.open.pop_front() {
            self.owner = Owner::Pair(pair);
            schema::compare_resolved(&mut self, rules, &old, &new, &spot);
        }
        self.collect(old, new)
    }

    fn collect(mut self, old: &Document, new: &Document) -> Vec<Finding> {
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
                    place: document.place(&found.at),
                    nearest: new.place(&found.at),
                    operations: Vec::new(),
                    statuses: Vec::new(),
                    rust: found.rust.clone(),
                });
            } else if is_nothing(&findings[index].rust) && !is_nothing(&found.rust) {
                // The same part can be without a type in one place and have one in another.
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
        // Stable, so that what is equally grave stays in the order of the documents.
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.rule.level));
        findings
    }

    /// The operations from which a pair of schemas is reached.
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

fn is_nothing(rust: &str) -> bool {
    rust.starts_with("no change")
}
