//! Requirement sets: the versions of the rules of `keyfit init`. A contract that names a set is checked with all of its rules that apply to
//! the document, even if the contract does not contain them; newer rules are run and reported, but never fail.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use keyfit_openapi::{Api, Error, Source, Text};

use super::document::Facts;
use super::login::{Login, Scheme};
use super::silent::Silent;
use super::{Choices, contract, quoted, rules};
use crate::catalogue::{Catalogue, Reach};
use crate::contract::{Bearing, Contract, Rule};

/// A set: its name, and the rules that were added with it, one per line, as `auth.no-token`. `NAME` is a placeholder for a name of the
/// document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Set {
    name: &'static str,
    rules: &'static str,
}

/// All sets, the newest last. The list of a released set never changes: new rules belong to a new set.
const SETS: [Set; 1] = [Set { name: "2026-12", rules: include_str!("sets/2026-12.txt") }];

/// Returns the set that a new contract names.
pub(super) fn newest() -> &'static str {
    SETS[SETS.len() - 1].name
}

impl Set {
    /// Returns the length of the literal text in the set's entry for a rule, if there is one.
    fn fit(self, name: &str) -> Option<usize> {
        let fit = |known: &str| match known.split_once("NAME") {
            None => (known == name).then_some(known.len()),
            Some((before, behind)) => {
                let is_such =
                    name.len() > before.len() + behind.len() && name.starts_with(before) && name.ends_with(behind);
                is_such.then_some(before.len() + behind.len())
            }
        };
        self.rules.lines().filter_map(fit).max()
    }
}

/// Returns the index of the set that introduced a rule; `None` if no set contains it.
fn since(sets: &[Set], name: &str) -> Option<usize> {
    let fits = sets.iter().enumerate().filter_map(|(place, set)| Some((set.fit(name)?, place)));
    // A name takes precedence over a pattern, and the first set over later ones.
    fits.max_by_key(|(fit, place)| (*fit, sets.len() - place)).map(|(_, place)| place)
}

impl Catalogue {
    /// Reads document, overlay, and contract of an API and expands the rules: those of the contract, and those of its set of requirements, if
    /// it names one.
    ///
    /// # Errors
    /// Returns an error if one of the three files cannot be used, if there is no contract, if a rule or pattern applies to nothing, or if the
    /// set is unknown.
    pub fn read(source: &Source) -> Result<Self, Error> {
        let Some(text) = &source.contract else {
            return Err(Error::of_file(
                &source.document.path,
                "the API has no contract",
                "put a `contract.toml` next to the document; openapi/contract.schema.json describes its format",
            ));
        };
        held_to(Api::read(source)?, text, &SETS)
    }
}

/// Returns the catalogue of a contract, with the rules of the set that it names.
fn held_to(mut api: Api, text: &Text, sets: &[Set]) -> Result<Catalogue, Error> {
    let own = Contract::parse(text)?;
    let Some(named) = own.requirements.clone() else {
        // A run keeps the API in memory until its end.
        api.drop_source();
        return Catalogue::of(&Arc::new(api), text);
    };
    let Some(set) = sets.iter().position(|set| set.name == named.as_str()) else {
        let known: Vec<&str> = sets.iter().map(|set| set.name).collect();
        let problem = format!("`{named}` is not a set of requirements");
        return Err(Contract::failure_at(text, &named, problem, format!("the sets are: {}", known.join(", "))));
    };
    let (silent, proposed) = proposed(&mut api, &own, &text.path)?;
    api.drop_source();
    let api = Arc::new(api);
    let reach = Reach::of(&api);
    let with = |rules: &str| -> Result<(Contract, Text), Error> {
        let text = Text::new(text.path.clone(), format!("{}\n{}{rules}", text.text, silent.tables));
        let mut contract = Contract::parse(&text)?;
        silent.fill(&mut contract);
        Ok((contract, text))
    };
    let alone: String = proposed.iter().map(|(_, rule)| rules::alone(rule)).collect();
    let (tried, whole) = with(&alone)?;
    let has_cases = Catalogue::with_cases(&reach, (&tried, &whole), own.rules.len());
    let levels: HashMap<&str, Bearing> =
        (0..tried.rules.len()).map(|place| (tried.rules[place].id.as_str(), tried.bearing(place))).collect();
    let said = said(&tried.rules[..own.rules.len()], &tried.rules[own.rules.len()..]);
    let kept = proposed.into_iter().zip(has_cases).filter(|((id, _), has_cases)| *has_cases && !said.contains_key(id));
    let kept = kept.map(|((id, rule), _)| {
        let by_own = |rule: String, (id, own): (&String, &String)| rule.replace(&quoted(id), &quoted(own));
        (id, said.iter().fold(rule, by_own))
    });
    let kept: Vec<(String, String)> = kept.collect();
    let mut newer = Vec::new();
    let mut taken = String::new();
    for (id, rule) in &kept {
        if since(sets, name_of(id)).is_none_or(|since| since > set) {
            newer.push(id.as_str());
        }
        let is_there = |presumed: &str| {
            kept.iter().any(|(id, _)| id == presumed) || own.rules.iter().any(|rule| rule.id == presumed)
        };
        taken.push_str(&rules::presuming(rule, &|presumed| {
            is_there(presumed)
                && levels.get(presumed).zip(levels.get(id.as_str())).is_some_and(|(other, own)| other.may_bear(*own))
        }));
    }
    // A correction of the document may leave a rule of a set without operations, until the next correction.
    let may_be_idle = |id: &str| since(sets, name_of(id)).is_some();
    let (contract, whole) = with(&taken)?;
    let mut catalogue = Catalogue::within(&api, &reach, (contract, &whole), &may_be_idle)?;
    catalogue.take_up(own.rules.len(), named_at(text), &named, &newer);
    Ok(catalogue)
}

/// Returns the parts and the rules, with their ids, that `keyfit init` would write today and the contract lacks. Sets the properties of the
/// operations that the overlay does not mention.
fn proposed(api: &mut Api, own: &Contract, path: &str) -> Result<(Silent, Vec<(String, String)>), Error> {
    let known = own.credentials.iter().map(|credential| Scheme {
        kind: credential.kind.clone(),
        carrier: credential.carrier().clone(),
        is_jwt: credential.jwt,
    });
    let mut schemes: Vec<Scheme> = known.collect();
    let is_new = api
        .operations
        .iter()
        .flat_map(|operation| operation.security.kinds())
        .any(|kind| own.credential(kind).is_none());
    if is_new {
        let described = Login::read(api, path, &Choices::default())?.schemes;
        schemes.extend(described.into_iter().filter(|scheme| own.credential(&scheme.kind).is_none()));
    }
    let facts = Facts::read(api, schemes);
    facts.complete(api);
    let mut silent = Silent::of(api, own, &facts);
    let new_kinds = facts.schemes.iter().filter(|scheme| own.credential(&scheme.kind).is_none());
    silent.tables.extend(new_kinds.map(|scheme| contract::credential(scheme, &facts)));
    for (page, title, url) in contract::sources(path, &facts) {
        if !own.sources.contains_key(page) {
            let _ = write!(silent.tables, "\n[sources.{page}]\ntitle = {}\nurl = {}\n", quoted(&title), quoted(&url));
        }
    }
    let known: HashSet<&str> = own.rules.iter().map(|rule| rule.id.as_str()).collect();
    let rules = rules::of(&own.name, &facts).into_iter().map(|rule| (rules::id(&rule).to_owned(), rule));
    Ok((silent, rules.filter(|(id, _)| !known.contains(id.as_str())).collect()))
}

/// Returns the proposed rules that a contract has under other ids, with those ids: the same probe with at least the same expectations.
fn said(own: &[Rule], proposed: &[Rule]) -> HashMap<String, String> {
    let says = |own: &&Rule, rule: &Rule| {
        let expects = own.expect.as_ref().zip(rule.expect.as_ref());
        own.probe.is_some() && own.probe == rule.probe && expects.is_some_and(|(own, asked)| own.looks_at_all_of(asked))
    };
    let found = proposed.iter().filter_map(|rule| Some((rule, own.iter().find(|own| says(own, rule))?)));
    found.map(|(rule, own)| (rule.id.clone(), own.id.clone())).collect()
}

/// Returns the id of a rule without the name of its API.
fn name_of(id: &str) -> &str {
    id.split_once('.').map_or(id, |(_, name)| name)
}

/// Returns the line of a contract that names its set.
fn named_at(text: &Text) -> usize {
    let line = (1..).zip(text.text.lines()).find(|(_, line)| line.trim_start().starts_with("requirements"));
    line.map_or(1, |(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::super::scaffold;
    use super::*;
    use crate::contract::{ChangedLevel, Level};

    const BARE: &str = include_str!("../../tests/fixtures/bare/openapi.yaml");

    /// Returns the rules of `keyfit init`, without the name of the API.
    fn templates() -> Vec<String> {
        let ids = rules::every().into_iter().flat_map(str::lines).filter_map(|line| line.strip_prefix("id = \"API."));
        ids.map(|id| id.trim_end_matches('"').to_owned()).collect()
    }

    #[test]
    fn every_rule_is_of_a_set_and_every_name_of_a_set_is_a_rule() {
        let templates = templates();
        let listed: Vec<&str> = SETS.iter().flat_map(|set| set.rules.lines()).collect();
        let new: Vec<&String> = templates.iter().filter(|rule| !listed.contains(&rule.as_str())).collect();
        assert!(new.is_empty(), "rules without a set: add them to the newest of src/init/sets, or a new one: {new:?}");
        let gone: Vec<&&str> = listed.iter().filter(|rule| !templates.iter().any(|known| known == *rule)).collect();
        assert!(gone.is_empty(), "a set names what is not a rule: {gone:?}");
        assert!(SETS.windows(2).all(|sets| sets[0].name < sets[1].name), "the newest stands last");
        let mut sorted = listed.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), listed.len(), "a rule came once");
    }

    #[test]
    fn a_rule_belongs_to_the_set_that_names_it_best() {
        let sets = [
            Set { name: "a", rules: "auth.unknown-NAME\nauth.no-token" },
            Set { name: "b", rules: "auth.unknown-token" },
        ];
        let of = |name| since(&sets, name).map(|place| sets[place].name);
        assert_eq!(of("auth.no-token"), Some("a"));
        assert_eq!(of("auth.unknown-key"), Some("a"));
        assert_eq!(of("auth.unknown-token"), Some("b"));
        assert_eq!(of("auth.mine"), None);
    }

    /// Returns the folder that `init` generates for a document, with a changed overlay and contract.
    fn made(document: &str, overlay: &str, change: impl Fn(String) -> String) -> Source {
        let document = Text::new("openapi.yaml", document);
        let made = scaffold("parcels", &document, &Choices::default()).expect("a contract");
        Source {
            name: "parcels".to_owned(),
            document,
            overlay: Some(Text::new("overlay.yaml", format!("{}{overlay}", made.overlay))),
            contract: Some(Text::new("contract.toml", change(made.contract))),
        }
    }

    fn held(source: &Source, sets: &[Set]) -> Result<Catalogue, Error> {
        held_to(Api::read(source).expect("it can be read"), source.contract.as_ref().expect("there is one"), sets)
    }

    fn ids(catalogue: &Catalogue, places: &[usize]) -> Vec<String> {
        places.iter().map(|place| catalogue.contract.rules[*place].id.clone()).collect()
    }

    #[test]
    fn a_new_contract_holds_all_rules_of_its_set_already() {
        let catalogue = Catalogue::read(&made(BARE, "", |contract| contract)).expect("it is read");
        assert_eq!(catalogue.taken.set, newest());
        assert_eq!(ids(&catalogue, &catalogue.taken.held), [""; 0]);
        assert_eq!(ids(&catalogue, &catalogue.taken.newer), [""; 0]);
    }

    /// Two operations, one of them without security.
    const OPEN: &str = "openapi: 3.0.3\ninfo: {title: Open, version: '1'}\nservers: [{url: https://open.example}]\npaths:\n  /a:\n    get: {operationId: a, security: [{key: []}], responses: {'200': {description: ok}}}\n  /shops/{shop}:\n    get: {operationId: b, parameters: [{name: shop, in: path, required: true, schema: {type: string}}], responses: {'200': {description: ok}}}\ncomponents: {securitySchemes: {key: {type: apiKey, in: header, name: X-Key}, login: {type: http, scheme: bearer}}}\n";

    #[test]
    fn what_an_overlay_secures_has_its_rules_without_another_init() {
        let before = Catalogue::read(&made(OPEN, "", |contract| contract)).expect("it is read");
        let rules = |catalogue: &Catalogue| -> Vec<String> {
            let of = catalogue
                .cases
                .iter()
                .filter(|case| catalogue.operation(case).id == "b" && case.side == crate::catalogue::Side::Server);
            of.map(|case| catalogue.rule(case).id.clone()).collect()
        };
        assert!(!rules(&before).contains(&"parcels.auth.no-token".to_owned()), "{:?}", rules(&before));
        for (scheme, also) in [("key", "parcels.tenant.foreign-shop"), ("login", "parcels.auth.bare-token")] {
            let overlay = format!(
                "  - target: $.paths['/shops/{{shop}}'].get\n    update: {{ security: [{{ {scheme}: [] }}] }}\n"
            );
            let after = Catalogue::read(&made(OPEN, &overlay, |contract| contract)).expect("it is read");
            let found = rules(&after);
            for rule in ["parcels.auth.no-token", also] {
                assert!(found.contains(&rule.to_owned()), "{scheme}: {rule} is not in {found:?}");
            }
            assert!(after.contract.credential(scheme).is_some());
            let line = after
                .cases
                .iter()
                .filter(|case| after.taken.held.contains(&case.rule))
                .map(|case| after.line(case))
                .max();
            let text = made(OPEN, "", |contract| contract).contract.expect("there is one").text;
            assert!(
                line.is_none_or(|line| text.lines().nth(line - 1).is_some_and(|line| line.starts_with("requirements")))
            );
        }
    }

    #[test]
    fn a_rule_that_is_deleted_comes_back_and_one_that_is_switched_off_stays_off() {
        let without = |contract: String| {
            let rules = contract.split("\n[[rule]]\n").filter(|rule| !rule.contains("id = \"parcels.auth.challenge\""));
            let kept = rules.collect::<Vec<_>>().join("\n[[rule]]\n");
            kept.lines().filter(|line| !line.starts_with("presumes")).flat_map(|line| [line, "\n"]).collect::<String>()
        };
        let catalogue = Catalogue::read(&made(BARE, "", without)).expect("it is read");
        assert_eq!(ids(&catalogue, &catalogue.taken.held), ["parcels.auth.challenge"]);
        let off = |contract: String| {
            format!(
                "{}\n[[level]]\nrules = [\"parcels.auth.challenge\"]\nlevel = \"off\"\nreason = \"the gateway\"\n",
                without(contract)
            )
        };
        let catalogue = Catalogue::read(&made(BARE, "", off)).expect("it is read");
        assert!(catalogue.cases.iter().all(|case| catalogue.rule(case).id != "parcels.auth.challenge"));
        assert_eq!(catalogue.contract.levels[0].level, ChangedLevel::Off);
        assert!(catalogue.off.iter().any(|(_, cases)| *cases > 0));
    }

    #[test]
    fn what_a_contract_says_under_an_id_of_its_own_is_not_said_twice() {
        let named = |id: &'static str, name: &'static str| {
            move |contract: String| contract.replace(&format!("\"parcels.{id}\""), &format!("\"parcels.{name}\""))
        };
        let catalogue = Catalogue::read(&made(BARE, "", named("auth.no-token", "auth.without"))).expect("it is read");
        assert_eq!(ids(&catalogue, &catalogue.taken.held), [""; 0]);
        // A rule that checks less does not replace it.
        let less = |contract: String| {
            let contract = named("auth.challenge", "auth.less")(contract);
            contract
                .replace("expect = { status = [401], headers = [\"WWW-Authenticate\"] }", "expect = { status = [401] }")
        };
        let catalogue = Catalogue::read(&made(BARE, "", less)).expect("it is read");
        assert_eq!(ids(&catalogue, &catalogue.taken.held), ["parcels.auth.challenge"]);
    }

    #[test]
    fn what_came_after_the_set_is_observed_and_what_came_with_it_binds() {
        let first: String =
            SETS[0].rules.lines().filter(|rule| *rule != "auth.challenge").flat_map(|rule| [rule, "\n"]).collect();
        let later = Set { name: "2027-06", rules: "auth.challenge" };
        let sets = [Set { rules: Box::leak(first.into_boxed_str()), ..SETS[0] }, later];
        let without = |named: &'static str| {
            move |contract: String| {
                let rules =
                    contract.split("\n[[rule]]\n").filter(|rule| !rule.contains("id = \"parcels.auth.challenge\""));
                let kept = rules.collect::<Vec<_>>().join("\n[[rule]]\n");
                let kept: String =
                    kept.lines().filter(|line| !line.starts_with("presumes")).flat_map(|line| [line, "\n"]).collect();
                kept.replace("requirements = \"2026-12\"", &format!("requirements = \"{named}\""))
            }
        };
        for (named, newer, level) in
            [("2026-12", vec!["parcels.auth.challenge"], Level::Observe), ("2027-06", vec![], Level::Must)]
        {
            let catalogue = held(&made(BARE, "", without(named)), &sets).expect("it is read");
            assert_eq!(ids(&catalogue, &catalogue.taken.newer), newer);
            let cases = catalogue.cases.iter().filter(|case| catalogue.rule(case).id == "parcels.auth.challenge");
            let levels: Vec<Level> = cases.map(|case| case.level).collect();
            assert!(!levels.is_empty() && levels.iter().all(|known| *known == level), "{named}: {levels:?}");
        }
        let unknown = held(&made(BARE, "", without("2026-11")), &sets).expect_err("nobody knows it").to_string();
        assert!(
            unknown.contains("`2026-11` is not a set of requirements") && unknown.contains("2026-12, 2027-06"),
            "{unknown}"
        );
    }
}
