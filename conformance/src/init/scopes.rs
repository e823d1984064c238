//! Scopes that include others. A document only shows this by alternatives: if operations accept a token with one scope or the other, and
//! none requires the first without accepting the second, the second includes the first.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::document::{Facts, all_of};
use super::login::ScopeInclusion;

/// The scopes that an operation needs: all scopes of one of these sets.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct ScopeRequirement(Vec<BTreeSet<String>>);

impl ScopeRequirement {
    /// Reads the alternatives of one kind of token with different scopes, or else all named scopes.
    pub(super) fn read<'v>(security: impl Iterator<Item = &'v Map<String, Value>>, all: &[String]) -> Self {
        let mut by_kind: BTreeMap<&String, Vec<BTreeSet<String>>> = BTreeMap::new();
        for (kind, scopes) in security.filter(|set| set.len() == 1).flatten() {
            let scopes: BTreeSet<String> =
                scopes.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
            let known = by_kind.entry(kind).or_default();
            if !scopes.is_empty() && !known.contains(&scopes) {
                known.push(scopes);
            }
        }
        let mut several = by_kind.into_values().filter(|sets| sets.len() > 1);
        match (several.next(), several.next()) {
            (Some(sets), None) => Self(sets),
            _ => Self(vec![all.iter().cloned().collect()]),
        }
    }

    fn takes_alone(&self, scope: &String) -> bool {
        self.0.iter().any(|set| set.len() == 1 && set.contains(scope))
    }

    fn names(&self, scope: &String) -> bool {
        self.0.iter().any(|set| set.contains(scope))
    }
}

impl Facts {
    /// Reduces alternatives with different scopes to the one that the others include. If no alternative is included by all others, a rule
    /// cannot name the needed scope.
    pub(super) fn reduce_scope_alternatives(&mut self) {
        let mut open = Vec::new();
        let chosen = |demand: &ScopeRequirement| demand.0.len() > 1;
        for (place, demand) in self.demands.iter().enumerate().filter(|(_, demand)| chosen(demand)) {
            let alone: Vec<&String> = demand.0.iter().filter(|set| set.len() == 1).flatten().collect();
            let includes = |wide: &String, narrow: &String| {
                wide == narrow || self.demands.iter().all(|other| !other.names(narrow) || other.takes_alone(wide))
            };
            let is_least =
                |narrow: &&&String| alone.len() == demand.0.len() && alone.iter().all(|wide| includes(wide, narrow));
            let access = &mut self.operations[place];
            if let Some(narrow) = alone.iter().find(is_least) {
                access.scopes = vec![(*narrow).clone()];
                for wide in alone.iter().filter(|wide| *wide != narrow) {
                    self.includes.entry((*wide).clone()).or_default().insert((*narrow).clone());
                }
            } else {
                access.scopes.clear();
                open.push(format!("{} {}", access.method.to_uppercase(), access.path));
            }
        }
        self.notes.extend(all_of(&open).map(|operations| {
            format!(
                "{operations}: one of several scopes will do, and none includes another wherever it is asked for: rules about scopes are left out there"
            )
        }));
    }

    /// Adds the user's inclusions.
    pub(super) fn include(&mut self, inclusions: &[ScopeInclusion]) {
        for ScopeInclusion { scope, included } in inclusions {
            self.includes.entry(scope.clone()).or_default().extend(included.iter().cloned());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use keyfit_openapi::Text;

    use crate::contract::Contract;
    use crate::init::{CredentialChoices, scaffold};

    /// Returns the scopes of each operation in the overlay, and the inclusions in the contract.
    fn made(security: &[&str], choices: &CredentialChoices) -> (Vec<String>, Vec<String>) {
        let mut paths = String::new();
        for (number, security) in security.iter().enumerate() {
            let _ = writeln!(
                paths,
                "  /a{number}:\n    get: {{security: {security}, responses: {{'200': {{description: d}}}}}}"
            );
        }
        let text = format!(
            "openapi: 3.0.3\ninfo: {{title: A, version: '1'}}\nservers: [{{url: 'https://a.example'}}]\npaths:\n{paths}components: {{securitySchemes: {{login: {{type: http, scheme: bearer}}, key: {{type: apiKey, in: header, name: X-Key}}}}}}\n"
        );
        let made = scaffold("a", &Text::new("a.yaml", text), choices).unwrap_or_else(|failure| panic!("{failure}"));
        let scopes = made.overlay.lines().filter_map(|line| line.split_once("scopes: ")?.1.split_once(']'));
        let scopes = scopes.map(|(scopes, _)| scopes.trim_start_matches('[').to_owned()).collect();
        let contract = Contract::read(&Text::new("contract.toml", made.contract.as_str())).expect("it can be read");
        let includes = contract.credentials.iter().flat_map(|kind| &kind.includes);
        (scopes, includes.map(|(wide, narrow)| format!("{wide}: {narrow:?}")).collect())
    }

    #[test]
    fn a_scope_that_is_taken_wherever_another_one_is_includes_that() {
        let read = "[{login: [read]}, {login: [admin]}]";
        let (scopes, includes) = made(&[read, read, "[{login: [admin]}]"], &CredentialChoices::default());
        assert_eq!(scopes, ["\"read\"", "\"read\"", "\"admin\""]);
        assert_eq!(includes, ["admin: {\"read\"}"]);
    }

    #[test]
    fn where_it_is_not_taken_everywhere_nothing_is_known() {
        let (scopes, includes) = made(
            &["[{login: [read]}, {login: [admin]}]", "[{login: [read]}]", "[{login: [admin]}]"],
            &CredentialChoices::default(),
        );
        assert_eq!(scopes, ["\"read\"", "\"admin\""], "the first has no rule about scopes");
        assert_eq!(includes, [""; 0]);
        let (scopes, includes) =
            made(&["[{login: [read, more]}]", "[{login: [read]}, {key: []}]"], &CredentialChoices::default());
        assert_eq!(
            (scopes.len(), includes.len()),
            (2, 0),
            "what is needed at once, or of another kind, is no alternative"
        );
    }

    #[test]
    fn what_the_user_says_is_added() {
        let includes = vec!["admin=read,write".parse().expect("an inclusion")];
        let (_, includes) = made(
            &["[{login: [read]}]", "[{login: [write]}]"],
            &CredentialChoices { includes, ..CredentialChoices::default() },
        );
        assert_eq!(includes, ["admin: {\"read\", \"write\"}"]);
        for wrong in ["admin", "=read", "admin=", "admin=read,,write"] {
            assert!(wrong.parse::<super::ScopeInclusion>().is_err(), "{wrong}");
        }
    }
}
