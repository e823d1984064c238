//! The committed schemas are those of the types, and the catalogue is the reviewed one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::contract::{Contract, Level};
use keyfit_conformance::mock::Mutant;
use keyfit_conformance::report::json_schema;
use keyfit_openapi::{Source, Text};
use schemars::schema_for;

use crate::common::{against_mock, broken, committed, http, side, sources, with_templates, without};

#[test]
fn the_committed_schema_of_contracts_is_that_of_the_types() {
    committed("../openapi/contract.schema.json", &schema_for!(Contract));
}

#[test]
fn the_committed_schema_of_reports_is_that_of_the_types() {
    committed("report.schema.json", &json_schema());
}

#[test]
fn every_contract_names_its_schema_in_the_first_line() {
    for source in sources() {
        let text = source.contract.expect("every embedded API has a contract").text;
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("#:schema ../"), "{}", source.name);
        assert!(first.ends_with("/contract.schema.json"), "{}", source.name);
    }
}

/// A case that disappears from here has been lost or renamed; ids are never reused.
#[test]
fn the_catalogue_is_the_reviewed_one() {
    let mut table = String::new();
    for catalogue in with_templates() {
        let mut rules: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for case in &catalogue.cases {
            let counts = rules.entry(&catalogue.rule(case).id).or_default();
            counts.0 += 1;
            counts.1 += usize::from(case.level == Level::Observe);
        }
        let _ = writeln!(table, "{}: {} rules, {} cases", catalogue.contract.name, rules.len(), catalogue.cases.len());
        for rule in &catalogue.contract.rules {
            let Some((cases, observed)) = rules.get(rule.id.as_str()).copied() else {
                let _ = writeln!(table, "  {} off", rule.id);
                continue;
            };
            let note = if observed > 0 && rule.level != Level::Observe {
                format!(", {observed} observed")
            } else {
                String::new()
            };
            let _ = writeln!(table, "  {} {}: {cases}{note}", rule.id, rule.level);
        }
    }
    insta::assert_snapshot!(table);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_cursor_is_judged_by_a_contract_that_walks_no_pages() {
    let mut source = Source::from_dir(Path::new("tests/fixtures/apis/series")).expect("the folder is there");
    let text = source.contract.take().expect("it has a contract");
    let alone = text.text.replace("presumes = [\"series.page.walk\"]\n", "");
    source.contract = Some(Text::new(text.path, without(&alone, &["page.walk"])));
    let catalogue = side(Catalogue::read(&source).expect("it is read"), Side::Server);
    assert!(catalogue.contract.rules.iter().all(|rule| rule.id != "series.page.walk"));
    for (mutant, rules) in [(None, vec![]), (Some(Mutant::TakesForeignCursors), vec!["series.page.foreign-cursor"])] {
        let outcomes = against_mock(&catalogue, mutant, &http()).await;
        let broken = broken(&catalogue, &outcomes);
        let found: Vec<&str> = broken.iter().map(|(case, _)| catalogue.rule(case).id.as_str()).collect();
        assert_eq!(found, rules, "{mutant:?}");
    }
}

#[test]
fn every_source_is_cited_and_every_contradiction_has_two_readings() {
    for catalogue in with_templates() {
        let contract = &catalogue.contract;
        let source = sources().into_iter().find(|source| source.name == catalogue.api.name).expect("it ships");
        let text = source.contract.expect("it has a contract").text;
        // A set brings sources of its own.
        for name in contract.sources.keys().filter(|name| text.contains(&format!("\n{name} = {{ title"))) {
            assert!(text.contains(&format!("page = \"{name}\"")), "{}: `{name}` is cited nowhere", contract.name);
        }
        for contradiction in &contract.contradictions {
            assert_eq!(contradiction.readings.len(), 2, "{} {}", contract.name, contradiction.id);
        }
    }
}
