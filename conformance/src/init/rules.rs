//! The rules of a new contract: those that follow from the RFCs for any API, and those for what its document shows. They
//! are data: `rules/*.toml`, with `API` and `NAME` for the names of the API and of a path parameter.

use super::document::Facts;

const ANY: &str = include_str!("rules/any.toml");
const HEADER: &str = include_str!("rules/header.toml");
const NO_QUERY: &str = include_str!("rules/no-query.toml");
const ERROR: &str = include_str!("rules/error.toml");
const TENANT: &str = include_str!("rules/tenant.toml");
const ID: &str = include_str!("rules/id.toml");

/// Every rule that may mean something, as text; those that apply to no operation are taken out by who reads them.
pub(super) fn of(api: &str, facts: &Facts) -> Vec<String> {
    let in_query = facts.schemes.iter().filter(|scheme| scheme.query.is_some()).count();
    let shared = [
        (ANY, true),
        (HEADER, in_query < facts.schemes.len()),
        (NO_QUERY, in_query == 0),
        (ERROR, facts.error.is_some()),
    ];
    let shared = shared.into_iter().filter(|(_, applies)| *applies).map(|(rules, _)| (rules, String::new()));
    let of_tenants = facts.tenants.iter().map(|name| (TENANT, name.clone()));
    let of_ids = facts.ids.iter().map(|name| (ID, name.clone()));
    let mut rules: Vec<String> =
        shared.chain(of_tenants).chain(of_ids).flat_map(|(rules, name)| of_file(rules, api, &name)).collect();
    // By family, as contracts are read.
    rules.sort_by_key(|rule| FAMILIES.iter().position(|family| rule.contains(&format!("id = \"{api}.{family}."))));
    rules
}

/// The families in the order of a contract.
const FAMILIES: [&str; 6] = ["auth", "scope", "tenant", "error", "method", "rate"];

fn of_file(rules: &str, api: &str, name: &str) -> Vec<String> {
    let texts = rules.split("[[rule]]\n").skip(1);
    texts
        .map(|rule| {
            format!("\n[[rule]]\n{}\n", rule.trim_end().replace("API.", &format!("{api}.")).replace("NAME", name))
        })
        .collect()
}
