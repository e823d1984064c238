//! The effect of a call on a live server, as far as the document describes it: it creates a resource, changes one, or ends a session, a
//! process or all data.

use keyfit_openapi::{Api, Operation, Retry, is_same_template};
use serde_json::Value;

use crate::contract::Contract;
use crate::text::words::words;

/// The effect of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in super::super) enum Effect<'o> {
    /// No change.
    Nothing,
    /// Creates a resource with an id that the server assigns.
    Creates,
    /// Creates a resource with the id that the caller writes into this path parameter.
    CreatesAt(&'o str),
    /// Changes or removes the resource that this path parameter names, which is the last one.
    Changes(&'o str),
    /// Changes a resource that all callers share, or all resources of a list.
    ChangesShared,
}

/// Verbs for calls that end a process or a session, impersonate a user, or delete all data. Plural forms are nouns and do not count.
const ENDING_VERBS: [&str; 68] = [
    "shutdown",
    "restart",
    "reboot",
    "poweroff",
    "halt",
    "stop",
    "kill",
    "terminate",
    "abort",
    "quit",
    "exit",
    "crash",
    "panic",
    "suspend",
    "hibernate",
    "failover",
    "rollback",
    "redeploy",
    "upgrade",
    "downgrade",
    "uninstall",
    "maintenance",
    "drain",
    "evict",
    "logout",
    "signout",
    "logoff",
    "signoff",
    "disconnect",
    "revoke",
    "invalidate",
    "expire",
    "rotate",
    "impersonate",
    "impersonation",
    "masquerade",
    "sudo",
    "assume",
    "lock",
    "ban",
    "block",
    "disable",
    "deactivate",
    "unregister",
    "deregister",
    "close",
    "reset",
    "purge",
    "wipe",
    "flush",
    "truncate",
    "clear",
    "erase",
    "drop",
    "destroy",
    "nuke",
    "empty",
    "cleanup",
    "prune",
    "vacuum",
    "gc",
    "format",
    "restore",
    "reinitialize",
    "reinstall",
    "overwrite",
    "obliterate",
    "annihilate",
];
/// Such verbs of two words.
const ENDING_VERB_PAIRS: [(&str, &str); 13] = [
    ("shut", "down"),
    ("shuts", "down"),
    ("power", "off"),
    ("log", "out"),
    ("logs", "out"),
    ("sign", "out"),
    ("signs", "out"),
    ("log", "off"),
    ("sign", "off"),
    ("end", "session"),
    ("switch", "user"),
    ("delete", "all"),
    ("remove", "all"),
];
/// Verbs of GET requests that have such an effect, although a GET should have none.
const ENDING_GET_VERBS: [&str; 24] = [
    "shutdown",
    "restart",
    "reboot",
    "poweroff",
    "kill",
    "terminate",
    "quit",
    "exit",
    "logout",
    "signout",
    "logoff",
    "signoff",
    "impersonate",
    "reset",
    "purge",
    "wipe",
    "flush",
    "destroy",
    "erase",
    "truncate",
    "delete",
    "remove",
    "revoke",
    "endsession",
];
/// Names of lists that contain rights: an addition changes the user or the resource that the list belongs to.
const RIGHTS: [&str; 16] = [
    "role",
    "roles",
    "permission",
    "permissions",
    "privilege",
    "privileges",
    "grant",
    "grants",
    "right",
    "rights",
    "admin",
    "admins",
    "owner",
    "owners",
    "acl",
    "scopes",
];

/// Returns the effect of a call.
pub(in super::super) fn effect<'o>(api: &Api, contract: &Contract, operation: &'o Operation) -> Effect<'o> {
    // For other methods, only an overlay can state that they are safe.
    if operation.retry == Retry::Safe || matches!(operation.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE") {
        return Effect::Nothing;
    }
    let is_posted = operation.method == "POST";
    let is_minting = contract.key_management.as_ref().is_some_and(|keys| keys.mint == operation.id);
    let adds_items = contract.batch_of(operation).is_some_and(|batch| !batch.unverified);
    if is_posted && (is_minting || adds_items) {
        return Effect::Creates;
    }
    let documents_creation = operation.responses.contains_key("201");
    match last_parameter(&operation.path) {
        Some(parameter) if operation.path.ends_with('}') => match operation.method.as_str() {
            "POST" | "PUT" if documents_creation => Effect::CreatesAt(parameter),
            _ => Effect::Changes(parameter),
        },
        parameter if is_posted && is_collection(api, operation, documents_creation, parameter.is_some()) => {
            Effect::Creates
        }
        Some(parameter) => Effect::Changes(parameter),
        None => Effect::ChangesShared,
    }
}

/// Returns the last parameter of a path.
pub(crate) fn last_parameter(path: &str) -> Option<&str> {
    let (_, suffix) = path.rsplit_once('{')?;
    suffix.split_once('}').map(|(name, _)| name)
}

/// Returns the template of the resource that the last parameter names: `/users/{user}` of `/users/{user}/avatar`.
pub(in super::super) fn item_template(path: &str) -> &str {
    path.rfind('}').map_or(path, |end| &path[..=end])
}

/// Returns whether a POST to the path adds to a list: its items have a path, a GET reads the list, or the document has a 201.
fn is_collection(api: &Api, operation: &Operation, documents_creation: bool, is_below_an_id: bool) -> bool {
    if is_below_an_id && lists_rights(&operation.path) {
        return false;
    }
    let last = operation.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let has_item = item_of(api, &operation.path).is_some();
    let is_listed =
        api.operations.iter().any(|other| is_same_template(&other.path, &operation.path) && is_list(api, other));
    has_item || is_listed || (documents_creation && (!is_below_an_id || last.ends_with('s')))
}

/// Returns whether a list contains rights.
pub(crate) fn lists_rights(list: &str) -> bool {
    let name = list.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    words(name).iter().any(|word| RIGHTS.contains(&word.as_str()))
}

/// Returns the template of the items of a list: below the list, or below another one of the same name that needs no further ids, such as
/// `/items/{item}` of `/projects/{project}/items`, or `/item/{item}` of `/items`.
pub(in super::super) fn item_of<'a>(api: &'a Api, list: &str) -> Option<&'a str> {
    item_among(&api.operations.iter().map(|other| other.path.as_str()), list)
}

/// Returns the template of the items of a list, among these paths.
pub(crate) fn item_among<'a>(paths: &(impl Iterator<Item = &'a str> + Clone), list: &str) -> Option<&'a str> {
    let list = list.trim_end_matches('/');
    let own = paths.clone().find(|path| path.starts_with(list) && parent_of(path) == Some(list));
    let is_elsewhere = |path: &&str| {
        let parent = parent_of(path).filter(|parent| has_list_name(parent, list));
        parent.is_some_and(|parent| parent.split('/').all(|part| !part.starts_with('{') || list.contains(part)))
    };
    own.or_else(|| paths.clone().find(is_elsewhere))
}

/// Returns whether a path ends with the name of a list, in the same form or in the singular.
fn has_list_name(path: &str, list: &str) -> bool {
    let [name, list] = [path, list].map(|path| path.rsplit('/').next().unwrap_or_default());
    name == list || list.strip_suffix('s') == Some(name)
}

/// Returns whether a path may be the list of a template's resources. A quick test that excludes most other paths.
pub(in super::super) fn may_list(path: &str, template: &str) -> bool {
    let has_parameter = |path: &str| path.rsplit('/').next().is_some_and(|name| name.contains('{'));
    // The names of parameters may differ.
    let may = |parent| has_parameter(parent) || has_list_name(parent, path.trim_end_matches('/'));
    parent_of(template).is_some_and(may)
}

/// Returns the parent of a path that ends with a parameter: `/users` of `/users/{user}`.
pub(crate) fn parent_of(path: &str) -> Option<&str> {
    let path = path.strip_suffix('}')?;
    let (at, _) = path.rmatch_indices('/').find(|(at, _)| path[at + 1..].starts_with('{'))?;
    Some(&path[..at])
}

fn is_list(api: &Api, operation: &Operation) -> bool {
    let success = operation.responses.iter().find(|(status, _)| status.starts_with('2'));
    let schema = success.and_then(|(_, shape)| shape.schema.as_ref()).map(|schema| api.resolve(schema));
    let is_array = |schema: &Value| api.kind(schema) == Some("array");
    operation.method == "GET"
        && schema.is_some_and(|schema| {
            let members = schema["properties"].as_object();
            is_array(schema) || members.is_some_and(|members| members.values().any(is_array))
        })
}

/// Returns the word because of which a call is only sent if the user allows the operation by its id.
pub(in super::super) fn ending(contract: &Contract, operation: &Operation) -> Option<String> {
    let keys = contract.key_management.as_ref();
    let is_of_keys = keys.is_some_and(|keys| keys.names(&operation.id));
    // A DELETE of one resource by its id; the permitted ids are checked separately.
    let removes_one = operation.method == "DELETE" && operation.path.ends_with('}');
    if is_of_keys || removes_one {
        return None;
    }
    let suffix = operation.path.rsplit_once('}').map_or(operation.path.as_str(), |(_, suffix)| suffix);
    let static_segments: Vec<&str> =
        operation.path.split('/').filter(|part| !part.is_empty() && !part.contains('{')).collect();
    let last = static_segments.last().copied().unwrap_or_default();
    if matches!(operation.method.as_str(), "GET" | "HEAD" | "OPTIONS") {
        return ending_by_get(operation, &static_segments);
    }
    // An overlay states that it only reads.
    if operation.retry == Retry::Safe {
        return None;
    }
    let places = if suffix.trim_matches('/').is_empty() { last } else { suffix };
    let summary: Vec<String> = words(&operation.summary).into_iter().take(2).collect();
    let verbs = summary.iter().map(|word| word.strip_suffix('s').unwrap_or(word).to_owned());
    let groups = [words(places), words(&operation.id), summary.clone(), verbs.collect()];
    groups.iter().find_map(|words| {
        let one = words.iter().find(|word| ENDING_VERBS.contains(&word.as_str())).cloned();
        one.or_else(|| {
            let two = words.windows(2).find(|pair| ENDING_VERB_PAIRS.contains(&(pair[0].as_str(), pair[1].as_str())));
            two.map(|pair| pair.join(" "))
        })
    })
}

/// Returns whether a GET with this name usually does more than read.
pub(crate) fn ends_by_get(word: &str) -> bool {
    ENDING_GET_VERBS.contains(&word)
}

/// Returns such a word of a GET: the last segment of the path, or the verb of the operation id or of the summary.
fn ending_by_get(operation: &Operation, segments: &[&str]) -> Option<String> {
    let is_ending = |word: &String| ends_by_get(word);
    let parts: Vec<String> = segments.iter().map(|segment| words(segment).concat()).collect();
    // `/session/end`
    let pairs = parts.windows(2).map(|pair| format!("{}{}", pair[1], pair[0]));
    let verbs = [&operation.id, &operation.summary].into_iter().flat_map(|name| {
        let words = words(name);
        let first = words.first().cloned().unwrap_or_default();
        let verb = first.strip_suffix('s').unwrap_or(&first).to_owned();
        let two = words.get(1).map(|second| format!("{verb}{second}"));
        [Some(first), Some(verb), two]
    });
    // A segment after such a word makes it a noun, as in `/shutdown/history`, except for `all`.
    let is_about_all = parts.last().is_some_and(|last| last == "all");
    let last = parts.iter().rev().skip(usize::from(is_about_all)).take(1).cloned();
    last.chain(pairs).chain(verbs.flatten()).find(is_ending)
}

#[cfg(test)]
mod tests {
    use keyfit_openapi::{Source, Text};

    use super::*;

    fn api(paths: &str, overlay: Option<&str>) -> Api {
        let text = format!(
            "openapi: 3.0.3\ninfo: {{title: A, version: '1'}}\nservers: [{{url: 'https://a.example'}}]\npaths:\n{paths}"
        );
        let overlay = overlay.map(|actions| {
            Text::new("overlay.yaml", format!("overlay: 1.0.0\ninfo: {{title: O, version: '1'}}\nactions:\n{actions}"))
        });
        let source = Source { name: "a".to_owned(), document: Text::new("a.yaml", text), overlay, contract: None };
        Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"))
    }

    fn contract() -> Contract {
        toml::from_str("name = \"a\"\nsources = {}\ncredential = []\nerrors = {}\nrule = []").expect("a contract")
    }

    fn call(method: &str, path: &str, status: &str) -> String {
        let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters: Vec<String> =
            names.map(|name| format!("{{name: {name}, in: path, required: true, schema: {{type: string}}}}")).collect();
        let schema =
            if method == "get" { ", content: {application/json: {schema: {type: array, items: {}}}}" } else { "" };
        format!(
            "  {path}:\n    {method}: {{operationId: call, parameters: [{}], responses: {{'{status}': {{description: d{schema}}}}}}}\n",
            parameters.join(", ")
        )
    }

    fn effect_of(method: &str, path: &str, status: &str, others: &str) -> String {
        let api = api(&format!("{others}{}", call(method, path, status)), None);
        let operation = api.operations.iter().find(|operation| operation.path == path).expect("the call");
        format!("{:?}", effect(&api, &contract(), operation))
    }

    #[test]
    fn what_a_call_changes_is_read_off_its_method_its_path_and_its_answers() {
        for (method, path, status, others, expected) in [
            ("get", "/a", "200", "", "Nothing"),
            ("post", "/users", "201", "", "Creates"),
            ("post", "/users", "200", &*call("delete", "/users/{user}", "204"), "Creates"),
            ("post", "/shops/{shop}/users", "200", &*call("get", "/shops/{shop}/users/{user}", "200"), "Creates"),
            ("post", "/users", "200", &*call("delete", "/user/{user}", "204"), "Creates"),
            ("post", "/shops/{shop}/users", "201", "", "Creates"),
            ("post", "/shops/{shop}/users", "200", &*call("delete", "/users/{user}", "204"), "Creates"),
            ("post", "/shops/{shop}/logo", "201", "", "Changes(\"shop\")"),
            (
                "post",
                "/users/{user}/roles",
                "201",
                &*call("delete", "/users/{user}/roles/{role}", "204"),
                "Changes(\"user\")",
            ),
            ("post", "/users/{user}/activate", "200", "", "Changes(\"user\")"),
            ("post", "/users/{name}", "201", "", "CreatesAt(\"name\")"),
            ("post", "/users/{name}", "200", "", "Changes(\"name\")"),
            ("put", "/flags/{flag}", "201", "", "CreatesAt(\"flag\")"),
            ("patch", "/shops/{shop}/users/{user}", "200", "", "Changes(\"user\")"),
            ("delete", "/shops/{shop}/users", "204", "", "Changes(\"shop\")"),
            ("delete", "/sessions", "204", "", "ChangesShared"),
            ("put", "/settings", "200", "", "ChangesShared"),
            ("post", "/index", "202", "", "ChangesShared"),
        ] {
            assert_eq!(effect_of(method, path, status, others), expected, "{method} {path}");
        }
    }

    #[test]
    fn only_an_overlay_says_that_a_post_reads() {
        let text = call("post", "/index", "200").replace("operationId", "x-keyfit: {retry: safe}, operationId");
        let of = |overlay| {
            let api = api(&text, overlay);
            effect(&api, &contract(), &api.operations[0]) == Effect::Nothing
        };
        assert!(!of(None));
        assert!(of(Some(
            "  - {target: \"$.paths['/index'].post\", description: d, update: {x-keyfit: {retry: safe}}}\n"
        )));
    }

    #[test]
    fn what_has_an_item_may_list_it() {
        let paths =
            ["/users", "/users/", "/user/{user}", "/users/{name}", "/a/{b}", "/a/{c}/{d}", "/a/x{c}/{d}", "/{a}", "/"];
        for list in paths {
            let item = item_among(&paths.into_iter(), list);
            assert!(item.is_none_or(|item| may_list(list, item)), "{list}: {item:?}");
        }
        assert!(may_list("/a/{other}", "/a/{c}/{d}"), "parameters have any name");
        assert!(!may_list("/shops", "/users/{user}"));
    }

    fn ending_of(method: &str, path: &str, id: &str, summary: &str) -> Option<String> {
        let text =
            call(method, path, "200").replace("operationId: call", &format!("operationId: {id}, summary: '{summary}'"));
        ending(&contract(), &api(&text, None).operations[0])
    }

    #[test]
    fn what_ends_a_session_a_process_or_all_data_is_known_by_its_words() {
        for (method, path, id, summary) in [
            ("post", "/shutdown", "a", ""),
            ("post", "/system/powerOff", "a", ""),
            ("post", "/users/{user}/impersonate", "a", ""),
            ("post", "/users/{user}/reset-password", "a", ""),
            ("post", "/api/v1/hub", "shutDownHub", ""),
            ("post", "/hub", "a", "Shuts down the hub"),
            ("post", "/hub", "a", "Restarts the hub"),
            ("post", "/session", "a", "Logs out"),
            ("post", "/purge/{zone}", "a", ""),
            ("delete", "/cache", "flushCache", ""),
            ("delete", "/logout", "a", ""),
            ("get", "/logout", "a", ""),
            ("get", "/admin/shut-down", "a", ""),
            ("get", "/logout/all", "a", ""),
            ("get", "/logout/{realm}", "a", ""),
            ("get", "/session/end", "a", ""),
            ("get", "/end_session", "a", ""),
            ("get", "/things/{thing}/delete", "a", ""),
            ("get", "/hub", "rebootHub", ""),
            ("get", "/hub", "a", "Shuts down the hub"),
            ("get", "/session", "a", "Logs out the user"),
        ] {
            assert!(ending_of(method, path, id, summary).is_some(), "{method} {path} {id} {summary}");
        }
        for (method, path, id, summary) in [
            ("post", "/users", "create-user", "Creates a user"),
            ("post", "/stops", "create-stop-point", "Adds a stop"),
            ("delete", "/keys/{key}", "revoke-key", "Revokes a key"),
            ("get", "/resets", "list-resets", "Lists resets"),
            ("get", "/deleted/{thing}", "getDeleted", "Returns what was deleted"),
            ("get", "/sessions/{session}/ends", "a", "Tells when a session ends"),
            ("get", "/shutdown/history", "a", ""),
            ("patch", "/blocks/{block}", "update-block-of-text", ""),
        ] {
            let is_named = id.contains("stop") || id.contains("block");
            assert_eq!(ending_of(method, path, id, summary).is_some(), is_named, "{method} {path} {id} {summary}");
        }
    }
}
