//! Every requirement is checked by a rule or a test that exists, or says why not; the committed table is made from that.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use serde::Deserialize;

use crate::common::{made, with_templates};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirements {
    requirement: Vec<Requirement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirement {
    id: String,
    says: String,
    source: String,
    #[serde(default)]
    rules: Vec<String>,
    #[serde(default)]
    tests: Vec<String>,
    reason: Option<String>,
}

#[test]
fn every_requirement_is_checked_or_says_why_not() {
    let text = fs::read_to_string("requirements.toml").expect("it is committed");
    let Requirements { requirement } = toml::from_str(&text).expect("it is well-formed");
    let catalogues = with_templates();
    let rules: BTreeSet<&str> =
        catalogues.iter().flat_map(|catalogue| catalogue.contract.rules.iter().map(|rule| rule.id.as_str())).collect();
    let mut table = String::from(
        "# Requirements and what checks them\n\nMade from `requirements.toml` by `tests/suite/coverage.rs`; set \
         `KEYFIT_WRITE_SCHEMAS` to make it anew.\n\n| id | requirement | source | rules | tests |\n|---|---|---|---|---|\n",
    );
    for requirement in requirement {
        let Requirement { id, says, source, reason, .. } = &requirement;
        let is_checked = !(requirement.rules.is_empty() && requirement.tests.is_empty());
        assert!(is_checked != reason.is_some(), "{id}: either something checks it, or a reason says why not");
        for pattern in &requirement.rules {
            assert!(rules.iter().any(|rule| fits(pattern, rule)), "{id}: no rule is called `{pattern}`");
        }
        for test in &requirement.tests {
            has_test(id, test);
        }
        let checks = |list: &[String]| list.iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join("<br>");
        let last = reason.clone().map_or_else(|| checks(&requirement.tests), |reason| format!("none: {reason}"));
        let _ = writeln!(table, "| {id} | {says} | {source} | {} | {last} |", checks(&requirement.rules));
    }
    made("COVERAGE.md", &table);
}

/// `file: function`
fn has_test(of: &str, test: &str) {
    let (file, name) = test.split_once(": ").expect("file and function");
    let code = fs::read_to_string(format!("../{file}")).unwrap_or_else(|error| panic!("{of}: {file}: {error}"));
    assert!(code.contains(&format!("fn {name}(")), "{of}: {file} has no test `{name}`");
}

#[test]
fn every_feature_is_shown_by_what_is_there_or_says_why_it_is_not() {
    let page = fs::read_to_string("../docs/features.md").expect("it is committed");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 47, "{} rows", rows.len());
    for row in rows {
        let [expected, here, shown] = row.trim_matches('|').split(" | ").collect::<Vec<_>>()[..] else {
            panic!("not three columns: {row}");
        };
        let shown = shown.trim();
        assert!(
            shown.is_empty() == here.starts_with("no: "),
            "{expected}: either something shows it, or it is not here"
        );
        for evidence in shown.split("<br>").filter(|evidence| !evidence.is_empty()) {
            let linked = evidence.split_once("](").and_then(|(_, link)| link.strip_suffix(')'));
            let file = match (linked, evidence.trim_matches('`')) {
                (Some(page), _) => format!("../docs/{page}"),
                (None, test) if test.contains(": ") => {
                    has_test(expected, test);
                    continue;
                }
                (None, file) => format!("../{file}"),
            };
            assert!(fs::exists(&file).is_ok_and(|is| is), "{expected}: {file}");
        }
    }
}

/// A star stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => {
            text.strip_prefix(start).is_some_and(|rest| (0..=rest.len()).any(|at| fits(end, &rest[at..])))
        }
    }
}
