//! The base URLs that a document names, so that a client can be configured with another than the first, and the servers that
//! operations declare for themselves.

use std::collections::HashSet;

use heck::ToShoutySnakeCase as _;
use serde_json::Value;

use super::parameters::template_names;
use super::servers::{own_servers, own_url, whole_url_with};
use crate::Operation;

/// A base URL that a document names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BaseUrl {
    /// The name that distinguishes it from the others, as a constant: `SANDBOX`.
    pub name: String,
    /// The URL, without a trailing slash.
    pub url: String,
    /// The document's description of it.
    pub description: String,
}

/// The maximum number of URLs that are kept: server variables may have many values.
const MAX_URLS: usize = 32;
/// The maximum number of words of a description that is used as a name.
const MAX_NAME_WORDS: usize = 3;

/// Returns all base URLs, in the document's order: each server with the default values of its variables, then with each other
/// value that one of them may have. URLs without a host are left out, and so is plain http, to which clients would not send a
/// credential.
pub(crate) fn of(document: &Value) -> Vec<BaseUrl> {
    let servers = document["servers"].as_array().map_or(&[][..], Vec::as_slice);
    let mut names = HashSet::new();
    let mut urls: Vec<BaseUrl> = Vec::new();
    for (index, server) in servers.iter().enumerate() {
        let own = own_name(server).unwrap_or_else(|| format!("SERVER_{}", index + 1));
        let description = server["description"].as_str().unwrap_or_default();
        let mut add = |name: String, url: Result<String, String>| {
            let Ok(url) = url else { return };
            if !url.starts_with("https://") || urls.len() == MAX_URLS || urls.iter().any(|known| known.url == url) {
                return;
            }
            let name = unique(&name, &mut names);
            urls.push(BaseUrl { name, url, description: description.to_owned() });
        };
        add(own.clone(), whole_url_with(server, &|_| None));
        for variable in template_names(server["url"].as_str().unwrap_or_default()) {
            let values = server["variables"][&variable]["enum"].as_array();
            for value in values.into_iter().flatten().filter_map(Value::as_str).take(MAX_URLS) {
                let chosen = |name: &str| (name == variable).then(|| value.to_owned());
                let label = format!("{variable} {value}");
                let label = if servers.len() > 1 { format!("{own} {label}") } else { label };
                add(constant(&label).unwrap_or_else(|| own.clone()), whole_url_with(server, &chosen));
            }
        }
    }
    urls
}

/// Returns the servers that operations declare for themselves, without that of the API and without duplicates.
pub(crate) fn of_operations(document: &Value, operations: &[Operation], base_url: &str) -> Vec<BaseUrl> {
    let mut names = HashSet::new();
    let mut known: Vec<BaseUrl> = Vec::new();
    for operation in operations {
        let Some(url) = &operation.server else { continue };
        if known.iter().any(|one| one.url == *url) {
            continue;
        }
        let at = operation.pointer();
        let node = own_servers(document, &at).iter().find(|server| own_url(server, base_url).as_ref() == Ok(url));
        let (_, address) = url.split_once("://").unwrap_or(("", url));
        let host = address.split(['/', ':']).next().unwrap_or_default();
        let name = node.and_then(own_name).or_else(|| constant(host)).unwrap_or_else(|| "SERVER".to_owned());
        let description = node.and_then(|node| node["description"].as_str()).unwrap_or_default();
        known.push(BaseUrl { name: unique(&name, &mut names), url: url.clone(), description: description.to_owned() });
    }
    known
}

/// Returns the document's name for a server: its `name`, or a description of a few words.
fn own_name(server: &Value) -> Option<String> {
    let short = |text: &&str| text.split_whitespace().count() <= MAX_NAME_WORDS;
    let said = [server["name"].as_str(), server["description"].as_str().filter(short)];
    said.into_iter().flatten().find_map(constant)
}

/// Returns a text as the name of a constant; `None` if it has no letters or digits for one.
fn constant(text: &str) -> Option<String> {
    let plain: String = text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { ' ' }).collect();
    let name = plain.to_shouty_snake_case();
    match name.chars().next() {
        None => None,
        Some(first) if first.is_ascii_digit() => Some(format!("SERVER_{name}")),
        Some(_) => Some(name),
    }
}

fn unique(wanted: &str, taken: &mut HashSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{wanted}_{number}"));
    let mut free = std::iter::once(wanted.to_owned()).chain(numbered).filter(|name| !taken.contains(name));
    let name = free.next().unwrap_or_default();
    taken.insert(name.clone());
    name
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(servers: &Value) -> Vec<(String, String)> {
        of(&json!({ "servers": servers })).into_iter().map(|known| (known.name, known.url)).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, url)| ((*name).to_owned(), (*url).to_owned())).collect()
    }

    #[test]
    fn each_server_has_a_name_of_its_own_and_the_first_stays_the_first() {
        let found = named(&json!([
            { "url": "https://api.example/v1/", "description": "Production" },
            { "url": "https://sandbox.example/v1", "description": "Sandbox" },
            { "url": "https://old.example", "description": "Where calls went before the year in which that was changed" },
            { "url": "https://other.example", "description": "Sandbox" },
            { "url": "https://sandbox.example/v1/", "description": "Again" },
            { "url": "https://three.example", "description": "3rd" },
        ]));
        let expected = [
            ("PRODUCTION", "https://api.example/v1"),
            ("SANDBOX", "https://sandbox.example/v1"),
            ("SERVER_3", "https://old.example"),
            ("SANDBOX_2", "https://other.example"),
            ("SERVER_3RD", "https://three.example"),
        ];
        assert_eq!(found, pairs(&expected));
    }

    #[test]
    fn each_value_of_a_variable_is_a_choice() {
        let variables = json!({
            "region": { "default": "eu", "enum": ["eu", "us", "ap-south"] },
            "version": { "default": "v2" },
        });
        let found = named(&json!([{ "url": "https://{region}.api.example/{version}", "variables": variables }]));
        let expected = [
            ("SERVER_1", "https://eu.api.example/v2"),
            ("REGION_US", "https://us.api.example/v2"),
            ("REGION_AP_SOUTH", "https://ap-south.api.example/v2"),
        ];
        assert_eq!(found, pairs(&expected));
    }

    #[test]
    fn no_choice_leads_where_no_credential_is_sent() {
        let found = named(&json!([
            { "url": "https://api.example" },
            { "url": "http://plain.example" },
            { "url": "/v1" },
            { "url": "https://{tenant}.example", "variables": {} },
        ]));
        assert_eq!(found, pairs(&[("SERVER_1", "https://api.example")]));
    }
}
