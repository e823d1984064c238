//! Servers: a client speaks to one, the document's first.

use serde_json::Value;

use super::Unsupported;
use super::parameters::{remove_operation, template_names};
use crate::load::Located;
use crate::repair::Repairs;
use crate::{Failure, pointer, walk};

/// A host that cannot exist (RFC 2606), in the place of one that a document does not name.
const NO_HOST: &str = "https://server.invalid";

/// The first server's URL. The generator joins it and a path as text: a slash at its end would give `//sms`.
pub(crate) fn base_url(located: &Located, document: &Value, repairs: &mut Repairs) -> Result<String, Failure> {
    let at = "/servers/0/url";
    let server = &document["servers"][0];
    let Some(template) = server["url"].as_str() else {
        let note = "the document names no server: the client has to be given its base URL";
        repairs.narrow("no-server", "/servers", note);
        return Ok(NO_HOST.to_owned());
    };
    let url = whole_url(server).map_err(|variable| {
        located.failure(
            at,
            format!("the server variable `{variable}` has no default"),
            format!("add `variables` with a default for `{variable}`, or give the whole URL, by overlay"),
        )
    })?;
    let is_absolute = url.starts_with("https://") || url.starts_with("http://");
    if !is_absolute && (url.contains(':') || url.starts_with("//")) {
        return Err(located.failure(
            at,
            format!("the server URL `{url}` is neither http nor https"),
            "give the whole https URL, by overlay",
        ));
    }
    if template.ends_with('/') {
        repairs.note("server-url", at, "the slash at the end was dropped: paths start with one");
    }
    if !template_names(template).is_empty() {
        repairs.note("server-variables", at, format!("with the defaults of its variables: {url}"));
    }
    if !is_absolute {
        let note = format!("the server URL `{url}` names no host: the client has to be given its base URL");
        repairs.narrow("no-server", at, note);
        let slash = if url.is_empty() || url.starts_with('/') { "" } else { "/" };
        return Ok(format!("{NO_HOST}{slash}{url}"));
    }
    Ok(url)
}

/// Whether a base URL is one that the document names.
pub(crate) fn is_named(base_url: &str) -> bool {
    !base_url.starts_with(NO_HOST)
}

/// Removes operations that another server answers: the credential must not go there unasked, and the base URL would
/// be the wrong one.
pub(crate) fn set_aside(document: &mut Value, base_url: &str, repairs: &mut Repairs) -> Vec<Unsupported> {
    let mut unsupported = Vec::new();
    for at in walk::operation_pointers(document) {
        let item = at.rsplit_once('/').map_or("", |(item, _)| item);
        let servers = [at.as_str(), item].into_iter().find_map(|node| {
            let servers = document.pointer(&pointer::join(node, "servers"))?.as_array()?;
            (!servers.is_empty()).then_some(servers)
        });
        let Some(servers) = servers else { continue };
        if !servers.iter().any(|server| whole_url(server).is_ok_and(|url| url == base_url)) {
            let other = servers[0]["url"].as_str().unwrap_or("another one").to_owned();
            let reason = format!("it has a server of its own, {other}");
            unsupported.push(remove_operation(document, &at, reason, repairs));
        }
    }
    unsupported
}

/// The server's URL with the defaults of its variables, or the variable that has none.
fn whole_url(server: &Value) -> Result<String, String> {
    whole_url_with(server, &|_| None)
}

/// The same with other values of variables, where they are chosen.
pub(super) fn whole_url_with(server: &Value, chosen: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut url = server["url"].as_str().unwrap_or_default().trim().to_owned();
    for name in template_names(&url) {
        let value = match (chosen(&name), &server["variables"][&name]["default"]) {
            (Some(value), _) => value,
            (None, Value::String(text)) => text.clone(),
            (None, Value::Number(number)) => number.to_string(),
            _ => return Err(name),
        };
        url = url.replace(&format!("{{{name}}}"), &value);
    }
    Ok(url.trim_end_matches('/').to_owned())
}
