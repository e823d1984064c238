//! Servers: clients send requests to the document's first server, or to an operation's own server.

use serde_json::Value;

use super::Unsupported;
use super::parameters::{remove_operation, template_names};
use crate::load::LocatedDocument;
use crate::repair::Repairs;
use crate::{Error, pointer, walk};

/// A host that cannot exist (RFC 2606), used if a document names no host.
const NO_HOST: &str = "https://server.invalid";

/// Returns the first server's URL without a trailing slash. The generator joins it with a path as text: a slash would give
/// `//sms`.
pub(crate) fn base_url(located: &LocatedDocument, document: &Value, repairs: &mut Repairs) -> Result<String, Error> {
    let at = "/servers/0/url";
    let server = &document["servers"][0];
    let Some(template) = server["url"].as_str() else {
        let note = "the document names no server: the client has to be given its base URL";
        repairs.narrow("no-server", "/servers", note);
        return Ok(NO_HOST.to_owned());
    };
    let url = whole_url(server).map_err(|variable| {
        located.error_at(
            at,
            format!("the server variable `{variable}` has no default"),
            format!("add `variables` with a default for `{variable}`, or give the whole URL, by overlay"),
        )
    })?;
    let is_absolute = url.starts_with("https://") || url.starts_with("http://");
    if !is_absolute && (url.contains(':') || url.starts_with("//")) {
        return Err(located.error_at(
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

/// Returns whether the document names the base URL.
pub(crate) fn is_named(base_url: &str) -> bool {
    !base_url.starts_with(NO_HOST)
}

/// Removes operations whose own server has no usable URL, and records the server of each other operation that has its own.
pub(crate) fn set_aside(document: &mut Value, base_url: &str, repairs: &mut Repairs) -> Vec<Unsupported> {
    let mut unsupported = Vec::new();
    for at in walk::operation_pointers(document) {
        match of_operation(document, &at, base_url) {
            Ok(None) => {}
            Ok(Some(url)) => {
                let (method, path) = walk::method_and_path(&at);
                let note = format!("{} {path} has a server of its own and is sent there: {url}", method.to_uppercase());
                repairs.note("own-server", &at, note);
            }
            Err(reason) => unsupported.push(remove_operation(document, &at, reason, repairs)),
        }
    }
    unsupported
}

/// Returns the URL of the server that an operation or its path item declares; `None` if the API's server is used.
///
/// # Errors
/// Returns an error if no request can be sent to any of its servers, with the reason.
pub(crate) fn of_operation(document: &Value, at: &str, base_url: &str) -> Result<Option<String>, String> {
    let urls: Vec<Result<String, String>> =
        own_servers(document, at).iter().map(|server| own_url(server, base_url)).collect();
    let is_of_api = urls.iter().flatten().any(|url| url == base_url);
    let mut usable = urls.iter().flatten();
    // https is preferred: clients send credentials by https only.
    let secure = usable.clone().find(|url| url.starts_with("https://"));
    match (secure.or_else(|| usable.next()), urls.first()) {
        _ if is_of_api => Ok(None),
        (Some(url), _) => Ok(Some(url.clone())),
        (None, Some(Err(reason))) => Err(reason.clone()),
        (None, _) => Ok(None),
    }
}

/// Returns the servers of an operation, or else those of its path item.
pub(super) fn own_servers<'a>(document: &'a Value, at: &str) -> &'a [Value] {
    let item = at.rsplit_once('/').map_or("", |(item, _)| item);
    let listed = |node: &str| document.pointer(&pointer::join(node, "servers"))?.as_array().map(Vec::as_slice);
    [at, item].into_iter().filter_map(listed).find(|servers| !servers.is_empty()).unwrap_or_default()
}

/// Returns the absolute URL of an operation's server. A URL without a host is relative to the API's host.
pub(super) fn own_url(server: &Value, base_url: &str) -> Result<String, String> {
    let help = "give the whole https URL, by overlay";
    let url = whole_url(server)
        .map_err(|variable| format!("its server has the variable `{variable}` without a default: {help}"))?;
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(url);
    }
    if url.contains(':') || url.starts_with("//") {
        return Err(format!("its server `{url}` is neither http nor https: {help}"));
    }
    let host = base_url.find("://").map_or(0, |scheme| scheme + 3);
    let host = base_url[host..].find('/').map_or(base_url, |path| &base_url[..host + path]);
    let slash = if url.is_empty() || url.starts_with('/') { "" } else { "/" };
    Ok(format!("{host}{slash}{url}"))
}

/// Returns the server's URL with the default values of its variables, or an error with the name of a variable without a
/// default.
fn whole_url(server: &Value) -> Result<String, String> {
    whole_url_with(server, &|_| None)
}

/// Returns the same URL with the chosen values in place of defaults.
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
