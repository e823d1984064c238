//! Broken cases form a table of rules by operations. A few rows and columns that cover all of them are the causes: a rule that is broken
//! everywhere is one, and so is an operation that breaks each rule.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::CommonFactor;
use crate::catalogue::Catalogue;

/// Returns rows and columns that cover the cases, greedily by the number of uncovered cases; a rule comes before an operation. Each case
/// is in exactly one of them.
pub(super) fn cover(catalogue: &Catalogue, cases: &[usize]) -> Vec<(CommonFactor, Vec<usize>)> {
    let mut lines: HashMap<Line, Vec<usize>> = HashMap::new();
    for place in cases {
        for line in lines_of(catalogue, *place) {
            lines.entry(line).or_default().push(*place);
        }
    }
    let mut left: HashMap<Line, usize> = lines.iter().map(|(line, cases)| (*line, cases.len())).collect();
    let mut covered = HashSet::new();
    let mut covers = Vec::new();
    let rank = |(line, count): &(&Line, &usize)| (**count, Reverse(**line));
    while let Some((line, _)) = left.iter().filter(|(_, count)| **count > 0).max_by_key(rank) {
        let line = *line;
        let of_line: Vec<usize> = lines[&line].iter().copied().filter(|place| covered.insert(*place)).collect();
        for other in of_line.iter().flat_map(|place| lines_of(catalogue, *place)) {
            left.entry(other).and_modify(|count| *count -= 1);
        }
        covers.push((line.shared(), of_line));
    }
    covers
}

#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Line {
    Rule(usize),
    Operation(usize),
}

impl Line {
    fn shared(self) -> CommonFactor {
        match self {
            Self::Rule(rule) => CommonFactor::Rule(rule),
            Self::Operation(operation) => CommonFactor::Operations(vec![operation]),
        }
    }
}

fn lines_of(catalogue: &Catalogue, place: usize) -> [Line; 2] {
    let case = &catalogue.cases[place];
    [Line::Rule(case.rule), Line::Operation(case.operation)]
}
