//! The rules of a new contract: those of the RFCs for all APIs, and those for the parts of its document. They are data: `rules/*.toml`, with
//! the placeholders `API` and `NAME` for the names of the API and of a path parameter.

use std::collections::HashSet;

use super::authorization::Authorization;
use super::document::Facts;
use super::quoted;
use crate::contract::Carrier;
use crate::document::reference::ReferenceKind;

const ANY: &str = include_str!("rules/any.toml");
const INPUTS: &str = include_str!("rules/inputs.toml");
const JWT: &str = include_str!("rules/jwt.toml");
const OPEN: &str = include_str!("rules/open.toml");
const BASIC: &str = include_str!("rules/basic.toml");
const CERTIFICATE: &str = include_str!("rules/certificate.toml");
const ALTERNATIVE: &str = include_str!("rules/alternative.toml");
const SEVERAL: &str = include_str!("rules/several.toml");
const ALIKE: &str = include_str!("rules/alike.toml");
const HEADER: &str = include_str!("rules/header.toml");
const NO_QUERY: &str = include_str!("rules/no-query.toml");
const ANSWERS: &str = include_str!("rules/answers.toml");
const ONE_WAY: &str = include_str!("rules/one-way.toml");
const TENANT: &str = include_str!("rules/tenant.toml");
const QUERY: &str = include_str!("rules/query.toml");
const MEMBER: &str = include_str!("rules/member.toml");
const LISTED: &str = include_str!("rules/listed.toml");
const ID: &str = include_str!("rules/id.toml");
const LIMITED: &str = include_str!("rules/limited.toml");
const OAUTH: &str = include_str!("rules/oauth.toml");
const REFRESH: &str = include_str!("rules/refresh.toml");
const WEBHOOK: &str = include_str!("rules/webhook.toml");
const PAGES: &str = include_str!("rules/pages.toml");
const REPEAT: &str = include_str!("rules/repeat.toml");
const CHAIN: &str = include_str!("rules/chain.toml");
const BATCH: &str = include_str!("rules/batch.toml");
const CLIENT: &str = include_str!("rules/client.toml");

/// The unchanged files.
#[cfg(test)]
pub(super) fn every() -> [&'static str; 27] {
    [
        ANY,
        INPUTS,
        JWT,
        OPEN,
        BASIC,
        CERTIFICATE,
        ALTERNATIVE,
        SEVERAL,
        ALIKE,
        HEADER,
        NO_QUERY,
        ANSWERS,
        TENANT,
        ID,
        LIMITED,
        OAUTH,
        REFRESH,
        ONE_WAY,
        QUERY,
        MEMBER,
        LISTED,
        WEBHOOK,
        PAGES,
        REPEAT,
        CHAIN,
        BATCH,
        CLIENT,
    ]
}

/// Returns all rules that may apply, as texts; the reader removes those that apply to no operation.
pub(super) fn of(api: &str, facts: &Facts) -> Vec<String> {
    let has = |fits: fn(&Carrier) -> bool| facts.schemes.iter().any(|scheme| fits(&scheme.carrier));
    let shared = [
        (ANY, true),
        (INPUTS, true),
        (OPEN, facts.operations.iter().any(|access| access.is_open)),
        (HEADER, has(|carrier| carrier.scheme().is_some())),
        (CERTIFICATE, has(|carrier| *carrier == Carrier::ClientCertificate)),
        (BASIC, has(|carrier| *carrier == Carrier::Basic)),
        (JWT, facts.schemes.iter().any(|scheme| scheme.is_jwt)),
        (NO_QUERY, has(|carrier| !matches!(carrier, Carrier::Query(_)))),
        (ANSWERS, true),
        (PAGES, true),
        (REPEAT, true),
        (CHAIN, true),
        (BATCH, !facts.batches.is_empty()),
        (ONE_WAY, facts.is_one_way),
        (LIMITED, facts.limits.as_ref().is_some_and(|limits| limits.headers.is_none())),
        (OAUTH, facts.authorization.is_some()),
        (REFRESH, facts.authorization.as_ref().is_some_and(Authorization::refreshes)),
        (WEBHOOK, !facts.delivered.is_empty()),
        (CLIENT, facts.client().is_some()),
    ];
    let shared = shared.into_iter().filter(|(_, applies)| *applies).map(|(rules, _)| (rules, String::new()));
    let of_tenants = facts.tenants.iter().map(|name| (TENANT, name.clone()));
    let of_ids = facts.ids.iter().map(|name| (ID, name.clone()));
    let of_named = facts.named.iter().filter_map(|(name, kind)| {
        let rules = match kind {
            ReferenceKind::Query => QUERY,
            ReferenceKind::Member if !facts.tenants.contains(name) => return None,
            // A user who shares something or writes to another user names that user, and may be shown the id.
            ReferenceKind::Member | ReferenceKind::List if facts.is_of_persons(name) => return None,
            ReferenceKind::Member => MEMBER,
            ReferenceKind::List => LISTED,
        };
        Some((rules, name.clone()))
    });
    let of_several = facts.joined().into_iter().map(|kind| (SEVERAL, kind.clone()));
    let of_alike = facts.kinds_sharing_a_place().into_iter().map(|kind| (ALIKE, kind.clone()));
    let all = shared.chain(of_several).chain(of_alike).chain(of_tenants).chain(of_ids).chain(of_named);
    let mut rules: Vec<String> = all.flat_map(|(rules, name)| of_file(rules, api, &name)).collect();
    for set in facts.alternatives() {
        let kinds = set.iter().map(|kind| quoted(kind)).collect::<Vec<_>>().join(", ");
        rules.extend(of_file(ALTERNATIVE, api, &set.join("-")).into_iter().map(|rule| rule.replace("KINDS", &kinds)));
    }
    if !facts.logins.is_empty() {
        let logins: Vec<String> = facts.logins.iter().map(|login| quoted(login)).collect();
        let except = format!("\nexcept = [{}]\nexpect = {{ success = true", logins.join(", "));
        rules = rules.into_iter().map(|rule| rule.replace("\nexpect = { success = true", &except)).collect();
    }
    // By family, in the order of contracts.
    rules.sort_by_cached_key(|rule| {
        FAMILIES.iter().position(|family| rule.contains(&format!("id = \"{api}.{family}.")))
    });
    rules
}

/// Returns a rule without its dependencies.
pub(super) fn without_dependencies(rule: &str) -> String {
    rule.lines().filter(|line| !line.starts_with(PRESUMES)).flat_map(|line| [line, "\n"]).collect()
}

/// Returns the id of a rule.
pub(super) fn id(rule: &str) -> &str {
    let id = rule.lines().find_map(|line| line.strip_prefix("id = \""));
    id.and_then(|id| id.strip_suffix('"')).unwrap_or_default()
}

/// Returns a rule with only those of its dependencies that are kept.
pub(super) fn presuming(rule: &str, is_kept: &dyn Fn(&str) -> bool) -> String {
    let line = |line: &str| {
        let Some(presumed) = line.strip_prefix(PRESUMES) else { return format!("{line}\n") };
        let presumed = presumed.trim_end_matches(']').split(", ");
        let presumed: Vec<&str> = presumed.filter(|quoted| is_kept(quoted.trim_matches('"'))).collect();
        if presumed.is_empty() { String::new() } else { format!("{PRESUMES}{}]\n", presumed.join(", ")) }
    };
    rule.lines().map(line).collect()
}

/// Returns these rules as one text, with dependencies only between each other.
pub(super) fn joined(rules: &[String]) -> String {
    let ids: HashSet<&str> = rules.iter().map(|rule| id(rule)).collect();
    rules.iter().map(|rule| presuming(rule, &|id| ids.contains(id))).collect()
}

/// The beginning of the line with the dependencies of a rule.
const PRESUMES: &str = "presumes = [";

/// The families in the order of a contract.
const FAMILIES: [&str; 16] = [
    "auth", "jwt", "oauth", "scope", "tenant", "error", "input", "method", "batch", "page", "repeat", "chain", "rate",
    "answer", "webhook", "client",
];

fn of_file(rules: &str, api: &str, name: &str) -> Vec<String> {
    // The documented name of a parameter stays within its quotes.
    let name = quoted(name);
    let name = &name[1..name.len() - 1];
    let texts = rules.split("[[rule]]\n").skip(1);
    texts
        .map(|rule| {
            format!("\n[[rule]]\n{}\n", rule.trim_end().replace("API.", &format!("{api}.")).replace("NAME", name))
        })
        .collect()
}
