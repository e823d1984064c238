//! A check that cannot fail is a defect: every rule of every contract has a mutant of the mock, or a defect of a client,
//! that it catches, and without one everything passes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use clap::ValueEnum as _;
use keyfit_conformance::catalogue::{Case, Catalogue, Side};
use keyfit_conformance::contract::{Drive, Probe, Rule};
use keyfit_conformance::drive::{Defect, Keyfit, Naive};
use keyfit_conformance::mock::Mutant;

use crate::common::{
    against_client, against_clients, against_mock, broken, http, is_added, side, with_fixtures, with_gates,
    with_templates,
};

/// It breaks nearly everything, and so proves nothing about a single rule.
const BLUNT: Mutant = Mutant::RefusesEveryone;

#[tokio::test(flavor = "multi_thread")]
async fn the_mock_passes_everything() {
    let http = http();
    for catalogue in with_fixtures() {
        let catalogue = side(catalogue, Side::Server);
        let outcomes = against_mock(&catalogue, None, &http).await;
        assert_eq!(named(&broken(&catalogue, &outcomes)), "", "{}", catalogue.contract.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clients_of_keyfit_pass_everything() {
    for catalogue in with_templates() {
        let catalogue = side(catalogue, Side::Client);
        let outcomes = against_client(&catalogue, Arc::new(Keyfit::shipped(&catalogue.api.name))).await;
        assert_eq!(named(&broken(&catalogue, &outcomes)), "", "{}", catalogue.contract.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_was_told_in_one_case_does_not_hold_up_the_next() {
    for catalogue in with_templates() {
        let catalogue = side(catalogue, Side::Client);
        let keyfit = Arc::new(Keyfit::shipped(&catalogue.api.name));
        let outcomes = against_clients(&catalogue, keyfit, 1).await;
        assert_eq!(named(&broken(&catalogue, &outcomes)), "", "{}", catalogue.contract.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_server_rule_catches_a_mutant_of_the_mock() {
    let http = http();
    let mut harmless: BTreeSet<String> = Mutant::all().iter().map(|mutant| mutant.name()).collect();
    let mut unsettled = Vec::new();
    let mut shown: BTreeSet<String> = BTreeSet::new();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for catalogue in with_fixtures() {
        let catalogue = sample(side(catalogue, Side::Server));
        let mut caught: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let has_server = catalogue
            .contract
            .rules
            .iter()
            .any(|rule| matches!(rule.probe, Some(Probe::Oauth(_) | Probe::Jwt(_) | Probe::Tampered(_))));
        let has_keys = catalogue.contract.key_management.is_some();
        let delivers = catalogue.contract.rules.iter().any(|rule| rule.probe == Some(Probe::Delivery));
        let fits = |mutant: &&Mutant| {
            **mutant != BLUNT
                && (has_server || !mutant.is_of_authorization_server())
                && (has_keys || !mutant.is_of_key_management())
                && (delivers || !mutant.is_of_webhooks())
        };
        for mutant in Mutant::all().iter().filter(fits) {
            let tried = without_waiting(&catalogue, *mutant);
            let outcomes = against_mock(&tried, Some(*mutant), &http).await;
            for (case, _) in broken(&tried, &outcomes) {
                caught.entry(catalogue.rule(case).id.clone()).or_default().insert(mutant.name());
            }
        }
        let left = settle(&catalogue, Side::Server, &caught);
        unsettled.extend(left.into_iter().filter(|_| !is_added(&catalogue)));
        for (place, rule) in catalogue.contract.rules.iter().enumerate() {
            if caught.contains_key(&rule.id) {
                shown.insert(nameless(rule));
            } else if catalogue.is_taken_up(place)
                && catalogue.cases.iter().any(|case| catalogue.rule(case).id == rule.id)
            {
                taken.insert(nameless(rule));
            }
        }
        harmless.retain(|mutant| !caught.values().any(|mutants| mutants.contains(mutant)));
    }
    assert_eq!(unsettled, [""; 0]);
    let unshown: Vec<&String> = taken.difference(&shown).collect();
    assert!(unshown.is_empty(), "rules of a set that catch nothing in any API: {unshown:?}");
    assert_eq!(harmless, BTreeSet::from([BLUNT.name()]), "mutants that no rule catches are no defects");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_client_rule_catches_a_defect_of_a_client() {
    let mut harmless: BTreeSet<Defect> = Defect::value_variants().iter().copied().collect();
    let mut unsettled = Vec::new();
    for catalogue in with_gates() {
        let catalogue = sample(side(catalogue, Side::Client));
        let (calls, authorizes) = (
            catalogue.needs_client(),
            catalogue.cases.iter().any(|case| matches!(catalogue.rule(case).drive, Some(Drive::Authorization(_)))),
        );
        let fits = |defect: &&Defect| if defect.is_of_authorization() { authorizes } else { calls };
        let mut caught: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for defect in [None].into_iter().chain(Defect::value_variants().iter().filter(fits).map(|defect| Some(*defect)))
        {
            let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
            let outcomes = against_client(&catalogue, Arc::new(Naive { api, contract, defect })).await;
            let broken = broken(&catalogue, &outcomes);
            assert!(defect.is_some() || broken.is_empty(), "without a defect: {}", named(&broken));
            if let Some(defect) = defect.filter(|_| !broken.is_empty()) {
                harmless.remove(&defect);
            }
            for (case, _) in broken {
                let name = defect.map(|defect| format!("{defect:?}")).unwrap_or_default();
                caught.entry(catalogue.rule(case).id.clone()).or_default().insert(name);
            }
        }
        let left = settle(&catalogue, Side::Client, &caught);
        unsettled.extend(left.into_iter().filter(|_| !is_added(&catalogue)));
    }
    assert_eq!(unsettled, [""; 0]);
    assert_eq!(harmless, BTreeSet::new(), "defects that no rule catches are no defects");
}

/// Cases that wait for the end of a window, or for deliveries, run only with the mutants that are theirs: a second each is long here.
fn without_waiting(catalogue: &Arc<Catalogue>, mutant: Mutant) -> Arc<Catalogue> {
    let waits_for_another = |case: &Case| match &catalogue.rule(case).probe {
        Some(Probe::Recovered) => mutant != Mutant::NeverRecovers,
        Some(Probe::Delivery | Probe::RefusedDelivery) => !mutant.is_of_webhooks(),
        _ => false,
    };
    let mut tried = Catalogue::clone(catalogue);
    tried.cases.retain(|case| !waits_for_another(case));
    Arc::new(tried)
}

/// What is wrong with what the rules of a contract caught: a rule that caught nothing, a defect that several rules caught. Which rule
/// caught what is kept under review. Those that came with a set beside them may find the same once more, by another level.
fn settle(catalogue: &Catalogue, side: Side, caught: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut table = String::new();
    let mut unsettled = Vec::new();
    let mut by_defect: BTreeMap<&String, BTreeSet<String>> = BTreeMap::new();
    let rules = catalogue.contract.rules.iter().enumerate().filter(|(place, _)| !catalogue.is_taken_up(*place));
    for (_, rule) in rules.filter(|(_, rule)| rule.drive.is_some() == (side == Side::Client)) {
        let Some(defects) = caught.get(&rule.id) else {
            let _ = writeln!(table, "{}: nothing", rule.id);
            unsettled.push(format!("{} catches nothing, so nothing shows that its check can fail", rule.id));
            continue;
        };
        let names: Vec<&str> = defects.iter().map(String::as_str).collect();
        let _ = writeln!(table, "{}: {}", rule.id, names.join(" "));
        for defect in defects {
            by_defect.entry(defect).or_default().insert(kind(rule));
        }
    }
    let several = by_defect.into_iter().filter(|(_, kinds)| kinds.len() > 1);
    unsettled.extend(several.map(|(defect, kinds)| format!("{defect} is caught by each of {kinds:?}")));
    insta::assert_snapshot!(format!("{}-{side:?}", catalogue.contract.name), table);
    unsettled
}

/// The id of a rule. Rules that say the same of each path parameter, of each kind of token, or of the body of each status,
/// are of one kind.
fn kind(rule: &Rule) -> String {
    let family = rule.family().map(|family| family.to_string()).unwrap_or_default();
    if rule.id.contains(".error.body-") {
        return "error.body".to_owned();
    }
    match &rule.probe {
        Some(Probe::Foreign(_)) if rule.expect.as_ref().is_some_and(|expect| expect.same_as.is_some()) => {
            format!("{family}.hidden")
        }
        Some(Probe::Foreign(_)) => format!("{family}.foreign"),
        Some(probe @ (Probe::ForeignQuery(_) | Probe::ForeignMember(_) | Probe::ForeignListed(_))) => {
            format!("{family}.{:?}", std::mem::discriminant(probe))
        }
        Some(Probe::UnknownId(_)) => format!("{family}.unknown-id"),
        Some(Probe::Alternative(_)) => format!("{family}.alternative"),
        Some(Probe::Without(_)) => format!("{family}.without"),
        Some(Probe::WithUnknown(_)) => format!("{family}.with-unknown"),
        Some(Probe::OtherKind(_)) => format!("{family}.other-kind"),
        Some(Probe::KindLackingScope(_)) => format!("{family}.kind-lacking-scope"),
        _ => rule.id.clone(),
    }
}

/// The same without the name of its API.
fn nameless(rule: &Rule) -> String {
    let kind = kind(rule);
    let api = rule.id.split('.').next().unwrap_or_default();
    kind.strip_prefix(&format!("{api}.")).unwrap_or(&kind).to_owned()
}

/// The first and the last case of each rule: a defect shows at any operation, but not all are alike. Cases before an
/// authorization server are few, and each is another one. Cases about any answer send nothing, and judge those to the others.
fn sample(catalogue: Arc<Catalogue>) -> Arc<Catalogue> {
    let mut catalogue = Arc::unwrap_or_clone(catalogue);
    let mut kept: BTreeSet<String> = BTreeSet::new();
    let mut of_rule: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for case in &catalogue.cases {
        if judges_others(catalogue.rule(case)) {
            continue;
        }
        if matches!(catalogue.rule(case).drive, Some(Drive::Authorization(_))) {
            kept.insert(case.id.clone());
        }
        of_rule.entry(catalogue.rule(case).id.clone()).or_default().push(case.id.clone());
    }
    // And where a client sends several credentials, or none.
    let is_special = |case: &&Case| {
        let needed = &catalogue.operation(case).security;
        catalogue.rule(case).drive.is_some() && needed.sets().iter().all(|set| set.len() > 1)
    };
    let mut special = BTreeSet::new();
    for case in catalogue.cases.iter().filter(is_special) {
        let takes = catalogue.operation(case).security.sets().len();
        if special.insert((catalogue.rule(case).id.clone(), takes)) {
            kept.insert(case.id.clone());
        }
    }
    let ends = |ids: &Vec<String>| [ids[0].clone(), ids[ids.len() - 1].clone()];
    kept.extend(of_rule.values().flat_map(ends));
    add_presumed(&catalogue, &mut kept);
    let sent_to: BTreeSet<String> = catalogue
        .cases
        .iter()
        .filter(|case| kept.contains(&case.id))
        .map(|case| catalogue.operation(case).id.clone())
        .collect();
    let is_standing =
        |case: &&Case| judges_others(catalogue.rule(case)) && sent_to.contains(&catalogue.operation(case).id);
    let standing: Vec<&Case> = catalogue.cases.iter().filter(is_standing).collect();
    let is_presumed = |case: &&Case| {
        let (rule, here) = (&catalogue.rule(case).id, &catalogue.operation(case).id);
        let presumes =
            |judge: &&Case| catalogue.operation(judge).id == *here && catalogue.rule(judge).presumes.contains(rule);
        standing.iter().any(presumes)
    };
    let presumed = catalogue.cases.iter().filter(is_presumed);
    kept.extend(standing.iter().copied().chain(presumed).map(|case| case.id.clone()));
    add_presumed(&catalogue, &mut kept);
    catalogue.cases.retain(|case| kept.contains(&case.id));
    Arc::new(catalogue)
}

/// Adds, at the same operations, what these cases build upon, and what judges the same answer.
fn add_presumed(catalogue: &Catalogue, kept: &mut BTreeSet<String>) {
    let mut known = 0;
    while known < kept.len() {
        known = kept.len();
        let presumed = |case: &Case| {
            let (rule, here) = (catalogue.rule(case), &catalogue.operation(case).id);
            let builds_upon =
                |other: &Rule| rule.presumes.contains(&other.id) || (rule.probe.is_some() && rule.probe == other.probe);
            let fits = |other: &&Case| catalogue.operation(other).id == *here && builds_upon(catalogue.rule(other));
            catalogue.cases.iter().filter(fits).map(|other| other.id.clone()).collect::<Vec<_>>()
        };
        let of_kept = catalogue.cases.iter().filter(|case| kept.contains(&case.id));
        let more: Vec<String> = of_kept.flat_map(presumed).collect();
        kept.extend(more);
    }
}

fn judges_others(rule: &Rule) -> bool {
    rule.probe == Some(Probe::Any)
}

fn named(broken: &[(&keyfit_conformance::catalogue::Case, &str)]) -> String {
    broken.iter().fold(String::new(), |text, (case, reason)| format!("{text}{}: {reason}\n", case.id))
}
