//! The tokens file of a new folder: a valid token, and placeholders for further entries that would enable more cases.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use keyfit_openapi::{AcceptedToken, ParameterLocation};

use super::document::Facts;
use super::fetching::Entry;
use super::quoted;
use crate::catalogue::{Catalogue, Side};
use crate::contract::{AuthorizationServer, Carrier, Credential, GrantType, Probe};
use crate::identity::{Need, Rights, State};
use crate::missing::{Answer, Missing};

/// The number of entries that are listed at the end of `keyfit init`; the others are counted.
const ASKED: usize = 12;

/// Returns a file in which only the valid token is not commented out. It names the variable that clients read.
pub(super) fn text(facts: &Facts, catalogue: &Catalogue, openers: &[AcceptedToken]) -> String {
    let mut text =
        "# Credentials for the contract check. Secrets are named by environment variables, and never written here; those that are not set\n\
                    # are read from a file `.env` beside this one, which belongs into no repository.\n\
                    # Whatever is left out skips the cases that need it, and the run says which.\n"
            .to_owned();
    text.push_str(&fetched(catalogue));
    for need in needs(catalogue) {
        let is_first = need.state == State::Valid && need.rights == Rights::All;
        let mark = if is_first { "" } else { "# " };
        let state = match need.state {
            State::Valid => "valid",
            State::Revoked => "revoked",
            State::Expired => "expired",
            State::Limited => "limited",
            State::Broke => "broke",
            State::Test => "test",
            State::OtherAudience => "other-audience",
        };
        let variable = variable(&catalogue.contract.name, &need, openers);
        let credential = catalogue.contract.credential(&need.kind);
        // A certificate and its key in PEM have many lines.
        let place = if credential.is_some_and(Credential::is_certificate) {
            format!("file = {}", quoted(&format!("{}.pem", variable.to_lowercase().replace('_', "-"))))
        } else {
            format!("env = \"{variable}\"")
        };
        let _ = write!(
            text,
            "\n{mark}[[identity]]\n{mark}name = {}\n{mark}kind = {}\n{mark}state = \"{state}\"\n{mark}secret = {{ {place} }}\n",
            quoted(&need.to_string()),
            quoted(&need.kind)
        );
        if let Rights::Only(scopes) = &need.rights {
            let scopes: Vec<String> = scopes.iter().map(|scope| quoted(scope)).collect();
            let _ = writeln!(text, "{mark}scopes = [{}]", scopes.join(", "));
        }
    }
    if let Some(server) = &catalogue.contract.authorization_server {
        text.push_str(&client(server, &variable_of(&catalogue.contract.name, "client secret")));
    }
    text.push_str("\n# Path parameters with ids that exist.\n[ids]\n");
    let (several, one): (Vec<&String>, Vec<&String>) =
        facts.tenants.iter().chain(&facts.ids).partition(|name| !facts.meanings(name).is_empty());
    for name in one {
        let mark = if facts.examples.contains_key(name) { "" } else { "# " };
        let example = facts.examples.get(name).map_or("an-id-that-exists", String::as_str);
        let _ = writeln!(text, "{mark}{} = {}", quoted(name), quoted(example));
    }
    let places = several.into_iter().flat_map(|name| facts.meanings(name).into_iter().map(move |place| (place, name)));
    for (place, name) in places {
        let _ = writeln!(text, "# [ids.{}]\n# {} = \"an-id-that-exists\"", quoted(place), quoted(name));
    }
    text.push_str("\n# Path parameters with ids that exist and belong to somebody else.\n[foreign]\n");
    for name in facts.tenants.iter().chain(&facts.ids) {
        let _ = writeln!(text, "# {} = \"an-id-of-somebody-else\"", quoted(name));
    }
    text
}

/// Returns the example of a token that the check fetches itself.
fn fetched(catalogue: &Catalogue) -> String {
    let contract = &catalogue.contract;
    let is_fetched =
        |credential: &&Credential| !matches!(credential.carrier(), Carrier::Basic | Carrier::ClientCertificate);
    let Some(credential) = contract.credentials.iter().find(is_fetched) else { return String::new() };
    let password = variable_of(&contract.name, "password");
    let known = Entry::of(&catalogue.api, &password);
    let as_what = if known.is_some() { "as the document has it" } else { "as here" };
    let token = match credential.carrier() {
        Carrier::Cookie(name) => format!("token = {{ cookie = {} }}", quoted(name)),
        _ => "token = { body = \"/access_token\" }".to_owned(),
    };
    let usual = || {
        let sent = format!("json = {{ username = \"somebody\", password = {{ env = \"{password}\" }} }}");
        ["path = \"/login\"".to_owned(), sent, token]
    };
    let lines: String = known.map_or_else(usual, |entry| entry.lines()).map(|line| format!("#   {line}\n")).concat();
    let server = contract.authorization_server.as_ref();
    let is_granted = server.is_some_and(|server| server.grants(GrantType::ClientCredentials));
    let client = if is_granted { "# A [[client]] of below is granted one by `client = \"NAME\"`.\n" } else { "" };
    format!(
        "# In place of `secret` the check can fetch a token, and fetches it again when it runs out: by a login, {as_what}.\n{client}\
         #   [identity.login]\n{lines}"
    )
}

/// Returns the possible entries, each with the number of cases that it would enable: the valid token first, then those with the most cases.
pub(super) fn questions(catalogue: &Catalogue) -> Vec<String> {
    let mut counts: BTreeMap<Answer, usize> = BTreeMap::new();
    for case in catalogue.cases.iter().filter(|case| case.side == Side::Server) {
        let Some(probe) = &catalogue.rule(case).probe else { continue };
        let operation = catalogue.operation(case);
        let needs = Need::of(probe, &catalogue.contract, operation, false).unwrap_or_default();
        let in_path = operation.parameters.iter().filter(|parameter| parameter.location == ParameterLocation::Path);
        let identities = needs.iter().map(|need| Missing::identity(need, need.entry()));
        let ids = in_path.map(|parameter| Missing::id(&parameter.name));
        let foreign = match probe {
            Probe::Foreign(name) => Some(Missing::foreign_id(name)),
            _ => None,
        };
        let answers: BTreeSet<Answer> =
            identities.chain(ids).chain(foreign).flat_map(|missing| missing.answers).collect();
        for answer in answers {
            *counts.entry(answer).or_default() += 1;
        }
    }
    let mut answers: Vec<(Answer, usize)> = counts.into_iter().collect();
    answers.sort_by_key(|(_, count)| Reverse(*count));
    let more = answers.len().saturating_sub(ASKED);
    let line = |(answer, count): (Answer, usize)| match count {
        1 => format!("1 case: {answer}"),
        _ => format!("{count} cases: {answer}"),
    };
    let mut told: Vec<String> = answers.into_iter().take(ASKED).map(line).collect();
    told.extend((more > 0).then(|| format!("and {more} more, which `keyfit check` names where they are missing")));
    told
}

/// Returns a commented-out client of the authorization server: the user decides which clients may be used.
fn client(server: &AuthorizationServer, variable: &str) -> String {
    if server.grant_types.is_empty() {
        return String::new();
    }
    let grants: Vec<String> = server.grant_types.iter().map(|grant| quoted(grant.word())).collect();
    let has = |grant: GrantType| server.grants(grant);
    let redirect = "# redirect-uri = \"https://client.example/callback\" # the one that is registered; users have to be led back at once\n";
    let redirect = if has(GrantType::AuthorizationCode) || has(GrantType::Implicit) { redirect } else { "" };
    let user = "# user = { name = \"somebody\", password = { env = \"A_PASSWORD\" } }\n";
    let user = if has(GrantType::Password) { user } else { "" };
    format!(
        "\n# A client of the authorization server, with the grants that it may use. Token requests are sent with --allow-writes alone.\n\
         # [[client]]\n# name = \"client\"\n# id = \"an-id-that-is-registered\"\n# secret = {{ env = \"{variable}\" }}\n{redirect}{user}# grants = [{}]\n",
        grants.join(", ")
    )
}

/// Returns the needs of the cases, each once. Needs for a token without a scope are omitted: a token with another scope meets them.
fn needs(catalogue: &Catalogue) -> Vec<Need> {
    let mut seen = BTreeSet::new();
    let mut needs = Vec::new();
    for case in catalogue.cases.iter().filter(|case| case.side == Side::Server) {
        let Some(probe) = &catalogue.rule(case).probe else { continue };
        let of_case = Need::of(probe, &catalogue.contract, catalogue.operation(case), false).into_iter().flatten();
        let is_new = |need: &Need| !matches!(need.rights, Rights::Without(_)) && seen.insert(need.to_string());
        needs.extend(of_case.filter(is_new));
    }
    needs
}

/// Returns a variable such as `PARCELS_KEY_ONLY_ORDERS_READ`, in the characters of variable names; it begins with the variable of the kind.
fn variable(api: &str, need: &Need, openers: &[AcceptedToken]) -> String {
    let of_kind = openers.iter().find(|opener| opener.name == need.kind).and_then(|opener| opener.variable.clone());
    let whole = need.to_string();
    let (begin, rest) = match (of_kind, whole.strip_prefix(&need.kind)) {
        (Some(variable), Some(rest)) => (variable, rest),
        _ => (api.to_owned(), whole.as_str()),
    };
    variable_of(&begin, rest)
}

/// Returns a variable that is named after these texts, in the characters of variable names.
fn variable_of(begin: &str, rest: &str) -> String {
    let plain = format!("{begin} {rest}").to_uppercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    let parts: Vec<&str> = plain.split('_').filter(|part| !part.is_empty()).collect();
    parts.join("_")
}
