//! The explanation of a rule: the requirement, its source, its reason, its check, and its operations.

use std::fmt::Write as _;

use schemars::{JsonSchema, schema_for};
use serde::Serialize;
use serde_json::Value;

use crate::catalogue::Catalogue;
use crate::contract::{ChainProbe, Family, OauthProbe, Probe, Rule};
use crate::text::glob;

/// The number of cases that are named; the others are counted.
const MAX_NAMED_CASES: usize = 6;

/// Returns a text for each rule whose id matches the pattern.
pub fn rules(catalogue: &Catalogue, pattern: &str) -> Vec<String> {
    // Patterns use slashes, and ids of rules use dots.
    let pattern = pattern.replace('.', "/");
    let fitting = catalogue.contract.rules.iter().filter(|rule| glob::matches(&pattern, &rule.id.replace('.', "/")));
    fitting.map(|rule| text(catalogue, rule)).collect()
}

fn text(catalogue: &Catalogue, rule: &Rule) -> String {
    let page = catalogue.contract.sources.get(&rule.source.page);
    let section = rule.source.section.as_ref().map_or_else(String::new, |section| format!(", {section}"));
    let (title, url) = page.map_or(("", ""), |page| (&page.title, &page.url));
    let mut text = format!("{} ({})\n  requires  {}\n", rule.id, rule.level, rule.requirement);
    if let Some(change) = catalogue.contract.levels.iter().find(|change| change.names(&rule.id)) {
        let _ = writeln!(text, "  level     {} here: {}", change.level, change.reason);
    }
    let _ = writeln!(text, "  source    {title}{section} <{url}>");
    let _ = writeln!(text, "  why       {}", effect(rule));
    let _ = writeln!(text, "  {}", check_description(rule));
    if !rule.presumes.is_empty() {
        let _ = writeln!(text, "  presumes  {}", rule.presumes.join(", "));
    }
    let cases: Vec<&str> =
        catalogue.cases.iter().filter(|case| catalogue.rule(case).id == rule.id).map(|case| case.id.as_str()).collect();
    let _ = writeln!(text, "  cases     {}", cases.len());
    for case in cases.iter().take(MAX_NAMED_CASES) {
        let _ = writeln!(text, "    {case}");
    }
    if cases.len() > MAX_NAMED_CASES {
        let _ = writeln!(text, "    and {} more: see `keyfit check --list`", cases.len() - MAX_NAMED_CASES);
    }
    text
}

/// Returns the description of its check, from the schema of the contract.
fn check_description(rule: &Rule) -> String {
    match (&rule.probe, &rule.drive) {
        (Some(probe), _) => format!("sends     {}", described(probe)),
        (None, Some(drive)) => format!("plays     {}", described(drive)),
        (None, None) => "checks    nothing".to_owned(),
    }
}

/// Returns the description of a variant in the schema of its type, and of the inner one if it has one.
fn described<T: JsonSchema + Serialize>(variant: &T) -> String {
    let root = serde_json::to_value(schema_for!(T)).unwrap_or_default();
    let value = serde_json::to_value(variant).unwrap_or_default();
    let mut descriptions = Vec::new();
    describe(&root, &root, &value, &mut descriptions);
    descriptions.join(" ")
}

fn describe(root: &Value, schema: &Value, value: &Value, descriptions: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let target = root.pointer(name.trim_start_matches('#')).unwrap_or(&Value::Null);
        return describe(root, target, value, descriptions);
    }
    let variants = schema["oneOf"].as_array().into_iter().flatten();
    for variant in variants {
        let description = variant["description"].as_str().unwrap_or_default();
        let inner = value.as_object().and_then(|object| object.iter().next());
        match inner {
            None if variant["const"] == *value => descriptions.push(description.to_owned()),
            Some((name, inner)) if variant["properties"].get(name).is_some() => {
                let before = descriptions.len();
                describe(root, &variant["properties"][name], inner, descriptions);
                if descriptions.len() == before {
                    descriptions.push(format!("{description} ({inner})"));
                }
            }
            _ => {}
        }
    }
}

/// Returns the effect of a broken rule.
fn effect(rule: &Rule) -> &'static str {
    rule.probe.as_ref().and_then(why_of_probe).unwrap_or_else(|| why_of_family(rule.family()))
}

/// Returns the effect for a probe, if it is more specific than that of its family.
fn why_of_probe(probe: &Probe) -> Option<&'static str> {
    Some(match probe {
        Probe::RevokedToken => "a leaked token that cannot be turned off stays a leak",
        Probe::QueryToken(_) => "URLs stand in logs, histories and Referer headers, and so does a token in one",
        Probe::LowerCaseScheme => "clients that write the scheme in lower case are right, and would be locked out",
        Probe::BrokenBodyWithoutToken => {
            "who is let in is decided before what is sent is read: otherwise strangers learn how bodies are judged, for free"
        }
        Probe::OtherCaseToken => {
            "tokens that differ by the case of a letter are one: each letter is worth half of what it seems to be"
        }
        Probe::OtherSpelling => "a guard that knows one spelling of a path lets everybody in by another",
        Probe::Trace => {
            "what a server repeats, a script in a page can read: also the cookies and headers that are kept from it"
        }
        Probe::NoFunds => "a call that is not paid for must not be executed, and clients must know not to repeat it",
        Probe::RefusedSpending => "who is refused pays for nothing, and a client that tries again pays each time",
        Probe::Pages => "who reads a list page by page would do things twice, or never",
        Probe::BrokenCursor => "a client that holds a cursor that is gone would begin anew without a word, or for ever",
        Probe::ForeignCursor => {
            "who finds a cursor in a log or a link reads on in the list of somebody else (OWASP API1)"
        }
        Probe::NextPage => {
            "a client that follows the link sends its credential to another host, or stops in the middle of the list"
        }
        Probe::RepeatedKey => {
            "a client that got no answer sends the call again under its key, and must not order twice"
        }
        Probe::NotModified => {
            "who asks whether something has changed gets an error, and reads the whole of it each time"
        }
        Probe::Modified => {
            "who asks whether something has changed is told that it has not, and goes on with what is outdated"
        }
        Probe::Chain(ChainProbe::StaleChange) => {
            "of two who change the same thing at a time one overwrites what the other did, and neither is told"
        }
        Probe::ReusedKey => "a key that is used by mistake would hide one of two orders",
        Probe::AtOnce => "who sends many calls at the same instant is who the limit is for",
        Probe::Oauth(OauthProbe::CallAfterRevocation | OauthProbe::Revoke | OauthProbe::RevokeAgain) => {
            "who loses a token gives it up, and believes that nobody can use it any more"
        }
        Probe::Oauth(OauthProbe::RevokeWithoutSecret) => "whoever finds a token in a log could lock its owner out",
        Probe::SeenLimit => "clients that go by what is left never slow down, and run into the limit all the same",
        Probe::Exhausted => {
            "a limit that never refuses protects nobody, and one that does not say when it ends is hammered on"
        }
        Probe::ReadOnlyMembers => {
            "whoever sends one more member sets what only the server may: a price, a state, an owner (OWASP API3)"
        }
        Probe::IncludingScope => "a token with a scope that includes the one that is needed is refused, though it may",
        Probe::UnknownId(_) => "an id that is missing and one that is hidden have to look alike, or ids can be guessed",
        Probe::CrossOrigin => "any web page that a user visits could read the answers with the user's cookies",
        Probe::Head | Probe::HeadWithoutToken => "a HEAD that differs from its GET misleads caches and monitors",
        _ => return None,
    })
}

fn why_of_family(family: Option<Family>) -> &'static str {
    match family {
        Some(Family::Auth) => {
            "a request with a bad credential that is let through opens the API; one that is refused in other words than 401 \
             keeps clients from renewing their token"
        }
        Some(Family::Scope) => "a read-only token that writes is no read-only token (OWASP API5)",
        Some(Family::Tenant) => "somebody else's data is one changed id away (OWASP API1)",
        Some(Family::Error) => {
            "clients choose by status and code whether to repeat, to ask the user or to give up; an error they cannot \
             read is lost, and a 5xx for a mistake of theirs is repeated in vain"
        }
        Some(Family::Input) => {
            "what is taken though it should not be is stored, and comes back to everybody who reads it; what makes a server \
             fail is repeated by clients, and is where attackers begin to look"
        }
        Some(Family::Method) => "a method that nobody documented is one that nobody guards",
        Some(Family::Batch) => "an item whose outcome is missing or miscounted is lost or sent twice",
        Some(Family::Page) => "who reads a list page by page has to see each item, and each once",
        Some(Family::Repeat) => "a call whose answer was lost is sent again, and must not be executed twice for it",
        Some(Family::Chain) => {
            "what was answered with success was not done: whoever relies upon the answer loses data, or believes it gone"
        }
        Some(Family::Rate) => "clients that cannot see what is left run into the limit, all at the same time",
        Some(Family::Answer) => {
            "clients are generated from the document and read answers by it: what it does not say of them arrives as an error, \
             whatever the server has done"
        }
        Some(Family::Oauth) => "who can trick the authorization server has every token that it grants",
        Some(Family::Jwt) => "a forged or outdated JWT that is accepted is a key for everybody",
        Some(Family::Keys) => "who manages keys badly gives away more than they have, or cannot take it back",
        Some(Family::Webhook) => {
            "who receives has nothing but the delivery to go by: one that is lost, doubled, forged or not as documented is acted upon \
             by somebody who cannot ask"
        }
        Some(Family::Client) => {
            "a client that loses an answer, repeats a call or shows its token costs its users money, data or the account"
        }
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_told_in_the_words_of_the_format() {
        assert_eq!(described(&Probe::NoToken), "No credential.");
        let descriptions = described(&Probe::QueryToken("key".to_owned()));
        assert_eq!(descriptions, "A valid token in this query parameter, and no header. (\"key\")");
        assert!(!described(&Probe::Oauth(OauthProbe::Authorize)).is_empty());
    }
}
