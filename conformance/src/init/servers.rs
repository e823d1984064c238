//! The inputs that a document leaves to the user: the destination of calls, and required values for them.

use std::collections::BTreeMap;

use keyfit_openapi::{Api, ParameterLocation};

use super::document::all_of;

/// Returns notes about the servers of a document and about headers that calls require. If the document comes from a URL, its host is the
/// default server.
pub(super) fn notes(api: &Api, document: &str) -> Vec<String> {
    let mut notes = Vec::new();
    if !api.names_server() && !document.contains("://") {
        notes.push("the document names no server: pass --base-url to `keyfit check`".to_owned());
    }
    if api.base_urls.len() > 1 {
        let urls: Vec<&str> = api.base_urls.iter().map(|known| known.url.as_str()).collect();
        notes.push(format!("the document names {} servers: pass one to --base-url: {}", urls.len(), shown(&urls)));
    }
    for server in api.servers.iter().map(|known| known.url.as_str()) {
        let there = api.operations.iter().filter(|operation| operation.server.as_deref() == Some(server));
        let there: Vec<&str> = there.map(|operation| operation.id.as_str()).collect();
        let Some(operations) = all_of(&there) else { continue };
        notes.push(format!(
            "{operations}: at another server, `{server}`. The check of a live server leaves that out unless --server \
             '{server}=URL' says where it is"
        ));
    }
    let mut headers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for operation in &api.operations {
        for parameter in operation.parameters.iter().filter(|parameter| parameter.location == ParameterLocation::Header)
        {
            if parameter.required {
                headers.entry(&parameter.name).or_default().push(&operation.id);
            }
        }
    }
    for (name, operations) in headers {
        let Some(operations) = all_of(&operations) else { continue };
        notes.push(format!(
            "{operations}: the header `{name}` is required. Its example is sent; another value can stand under [headers] of the tokens file"
        ));
    }
    notes
}

/// Returns the first of the URLs.
fn shown(urls: &[&str]) -> String {
    const SHOWN: usize = 5;
    let more = urls.len().saturating_sub(SHOWN);
    let shown = urls.iter().take(SHOWN).map(|url| format!("`{url}`")).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}
