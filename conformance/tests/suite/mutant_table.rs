//! The published table of defects and of the rules that find them, made from the reviewed snapshots of `mutants.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use clap::ValueEnum;
use keyfit_conformance::drive::Defect;
use keyfit_conformance::mock::Mutant;

use crate::common::made;

#[test]
fn every_defect_is_published_with_the_rules_that_find_it() {
    let mut text = String::from(
        "# Defects and the rules that find them\n\nA check that cannot fail is worth nothing. Each defect below is given to \
         the mock, or to the naive client, and the first and the last case of each rule are run, with those that it presumes: the \
         rules named are those that fail, of any API, and `tests/suite/mutants.rs` fails where they are others. Every rule finds \
         at least one defect, every defect is found, of each contract by one rule alone, and without a defect nothing fails. Rules that a \
         contract has by the set of requirements that it names are not listed: each finds a defect of one of these APIs too.\n\n\
         Rules that say the same of each path parameter, of each kind of token, or of the body of each status count as one \
         here. Where several rules are named otherwise, each is of another API.\n\nMade from the snapshots of that test; set `KEYFIT_WRITE_SCHEMAS` \
         to make it anew.\n",
    );
    section(&mut text, "Of a server", "Server", |mutant: Mutant| mutant.name());
    section(&mut text, "Of a client", "Client", |defect: Defect| format!("{defect:?}"));
    made("MUTANTS.md", &text);
}

fn section<D: ValueEnum>(text: &mut String, title: &str, side: &str, name: impl Fn(D) -> String) {
    let found = found(side);
    let rules: BTreeSet<&String> = found.values().flatten().collect();
    let _ = write!(
        text,
        "\n## {title}\n\n{} defects, {} rules.\n\n| defect | what it does | found by |\n|---|---|---|\n",
        found.len(),
        rules.len()
    );
    for defect in D::value_variants() {
        let about = defect.to_possible_value().and_then(|value| value.get_help().map(ToString::to_string));
        let name = name(defect.clone());
        // What breaks everything shows nothing of a single rule.
        let Some(rules) = found.get(&name) else { continue };
        let rules: Vec<String> = rules.iter().map(|rule| format!("`{rule}`")).collect();
        let _ = writeln!(text, "| `{name}` | {} | {} |", about.unwrap_or_default(), rules.join(" "));
    }
}

/// Each defect with the rules that found it, without the names of the APIs.
fn found(side: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in fs::read_dir("tests/suite/snapshots").expect("snapshots are there") {
        let path = entry.expect("an entry").path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !(file.starts_with("suite__mutants__") && file.ends_with(&format!("-{side}.snap"))) {
            continue;
        }
        let snapshot = fs::read_to_string(&path).expect("a snapshot can be read");
        for line in snapshot.splitn(3, "---\n").last().unwrap_or_default().lines() {
            let (rule, defects) = line.split_once(": ").unwrap_or_else(|| panic!("{file}: {line}"));
            let (_, rule) = rule.split_once('.').unwrap_or_else(|| panic!("{file}: {rule}"));
            for defect in defects.split(' ') {
                found.entry(defect.to_owned()).or_default().insert(rule.to_owned());
            }
        }
    }
    found
}
