//! The record of a run at a live server: each call that changed something, and the resources that it created and has to remove.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use keyfit_openapi::{Api, Operation};
use percent_encoding::percent_decode_str;
use reqwest::Url;
use reqwest::header::{HeaderName, LOCATION};
use serde_json::Value;

use super::super::reply::Reply;
use super::super::request::Draft;
use super::effect::{Effect, item_of};
use crate::credential::secret::Redactor;
use crate::document::body::scalar;
use crate::document::segment;

/// The record, shared by all cases of a run.
#[derive(Debug, Default)]
pub(in super::super) struct Ledger(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    created: Vec<CreatedResource>,
    /// Messages about resources that were created and cannot be identified.
    unidentified: Vec<String>,
    /// Resources that may have existed before the run: the path of their list, the resource, and the message about it.
    unproven: Vec<(String, CreatedResource, String)>,
    calls: Vec<(String, String)>,
    /// The contents of lists before the run added to them, by the path of the list; `None` if it cannot be read.
    before: HashMap<String, Option<ListSnapshot>>,
    /// Lists to which a resource could not be added.
    unextendable: HashSet<String>,
    /// The number of generated ids, and the ids.
    ids: usize,
    generated_ids: HashSet<String>,
    /// The number of requests that belong to no case.
    requests: usize,
}

/// A list before the run added to it.
#[derive(Debug)]
struct ListSnapshot {
    text: String,
    /// The request that reads it.
    reading: Draft,
    /// True if a longer answer to the same request has shown that the text is the whole list.
    is_whole: bool,
    /// Ids that the run removed from the list.
    removed: HashSet<String>,
}

/// A resource that the run created.
#[derive(Clone, Debug)]
pub(in super::super) struct CreatedResource {
    /// The template of its path.
    pub(in super::super) item: String,
    /// The parameters of that path.
    pub(in super::super) ids: BTreeMap<String, String>,
    /// The name of the parameter that holds its own id.
    pub(in super::super) parameter: String,
    /// The credentials of the request that created it.
    pub(in super::super) credentials: Vec<(HeaderName, String)>,
    /// The call that created it.
    pub(in super::super) by: String,
    is_gone: bool,
    /// True if a case has taken it for removal.
    is_taken: bool,
    /// True if cases use it that must not remove it.
    is_shared: bool,
}

impl Ledger {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a call that may have changed something, with its result.
    pub(in super::super) fn note(&self, draft: &Draft, reply: Result<&Reply, &str>) {
        let what = match reply {
            Ok(reply) if reply.status < 400 => format!("answered {}", reply.status),
            Ok(reply) if reply.status >= 500 && reply.status != 501 => {
                format!("answered {}: it may have changed something", reply.status)
            }
            Ok(_) => return,
            Err(_) => "not answered: it may have changed something".to_owned(),
        };
        let mut url = draft.url.clone();
        url.set_query(None);
        self.entries().calls.push((format!("{} {url}", draft.method), what));
    }

    /// Returns each recorded call, its result, and the number of such calls.
    pub(in super::super) fn calls(&self) -> Vec<(String, String, usize)> {
        let mut counted: Vec<(String, String, usize)> = Vec::new();
        for (call, what) in &self.entries().calls {
            match counted.iter_mut().find(|(known, outcome, _)| known == call && outcome == what) {
                Some((.., count)) => *count += 1,
                None => counted.push((call.clone(), what.clone(), 1)),
            }
        }
        counted
    }

    /// Returns whether the list at a path has been recorded.
    pub(in super::super) fn knows_list(&self, path: &str) -> bool {
        self.entries().before.contains_key(path)
    }

    /// Records the content of a list before the run adds to it; `None` if it cannot be read.
    pub(in super::super) fn keep_list(&self, reading: &Draft, text: Option<String>) {
        let listing =
            text.map(|text| ListSnapshot { text, reading: reading.clone(), is_whole: false, removed: HashSet::new() });
        self.entries().before.entry(reading.url.path().to_owned()).or_insert(listing);
    }

    /// Returns the request that reads the list to which a call adds, if only the list can show whether the call added something: an
    /// answer other than 201 may contain a resource that existed before.
    pub(in super::super) fn evidence_for(&self, draft: &Draft, reply: &Reply) -> Option<Draft> {
        if !reply.is_success() || reply.status == 201 {
            return None;
        }
        Some(self.entries().before.get(draft.url.path())?.as_ref()?.reading.clone())
    }

    /// Records the resource that a call created or removed. `after` is the current content of the list to which the call adds. `is_kept`
    /// returns whether the run must not touch a resource with this id.
    pub(in super::super) fn learn(
        &self,
        api: &Api,
        (operation, effect): (&Operation, Effect<'_>),
        draft: &Draft,
        (reply, after): (&Reply, Option<&str>),
        is_kept: impl Fn(&str, &str, &str) -> bool,
        redactor: &Redactor,
    ) {
        if !reply.is_success() {
            return;
        }
        let by = format!("{} {}", draft.method, draft.url.path());
        let created = |item: &str, parameter: &str, id: String| {
            let mut ids = draft.ids.clone();
            ids.retain(|name, _| item.contains(&format!("{{{name}}}")));
            ids.insert(parameter.to_owned(), id);
            CreatedResource {
                item: item.to_owned(),
                ids,
                parameter: parameter.to_owned(),
                credentials: draft.credentials.clone(),
                by: by.clone(),
                is_gone: false,
                is_taken: false,
                is_shared: false,
            }
        };
        let mut entries = self.entries();
        match effect {
            Effect::Creates => {
                let Some(item) = item_of(api, &operation.path) else {
                    entries.unidentified.push(format!("{by} made something for which the document has no path"));
                    return;
                };
                let parameter = super::effect::last_parameter(item).unwrap_or_default();
                let found = reported_ids(reply, parameter, draft.url.path());
                if found.is_empty() {
                    entries.unidentified.push(format!("{by} made something, and its answer does not tell the id"));
                }
                let list = draft.url.path();
                let mut listing = entries.before.get_mut(list).and_then(Option::as_mut);
                let now = after.and_then(|after| listed(after, parameter)).unwrap_or_default();
                if let Some(listing) = &mut listing {
                    listing.compare(parameter, &now);
                }
                let before = listing.map(|listing| listing.text.clone()).unwrap_or_default();
                for id in found {
                    // The server determines the next request: it must not redirect it to another path, or put a token into a URL.
                    if !segment::is_one(&id) || redactor.mask(&id) != id {
                        entries
                            .unidentified
                            .push(format!("{by} made something, and its answer holds no id that can be sent"));
                        continue;
                    }
                    // Servers may reuse ids of removed resources.
                    let is_same = |one: &CreatedResource| one.item == item && one.ids.get(parameter) == Some(&id);
                    let is_known = entries.created.iter().any(|one| is_same(one) && !one.is_gone);
                    if is_known || contains_id(&before, &id) || is_kept(item, parameter, &id) {
                        continue;
                    }
                    let message =
                        format!("{by} answered {} with `{id}`, which may have been there before", reply.status);
                    // A server may answer with an existing resource, and 200 is no evidence of a new one.
                    if reply.status == 201 {
                        entries.created.push(created(item, parameter, id));
                    } else if now.contains(&id) {
                        entries.unproven.push((list.to_owned(), created(item, parameter, id), message));
                    } else {
                        entries.unidentified.push(message);
                    }
                }
                entries.prove(list);
            }
            Effect::CreatesAt(parameter) | Effect::Changes(parameter) => {
                let Some(id) = draft.ids.get(parameter).filter(|_| operation.path.ends_with('}')) else { return };
                let same = |one: &&mut CreatedResource| one.item == operation.path && one.ids == draft.ids;
                if operation.method == "DELETE" {
                    entries.created.iter_mut().filter(same).for_each(|one| one.is_gone = true);
                    let list = draft.url.path().rsplit_once('/').map(|(list, _)| list);
                    let listing = list.and_then(|list| entries.before.get_mut(list)).and_then(Option::as_mut);
                    if let Some(listing) = listing {
                        listing.removed.insert(id.clone());
                    }
                } else if (entries.generated_ids.contains(id)
                    || (reply.status == 201 && !is_kept(&operation.path, parameter, id)))
                    && entries.created.iter_mut().all(|one| one.is_gone || !same(&one))
                {
                    let one = created(&operation.path, parameter, id.clone());
                    entries.created.push(one);
                }
            }
            Effect::Nothing | Effect::ChangesShared => {}
        }
    }

    /// Returns a created resource of a template that still exists. A resource for removal is returned only once.
    pub(in super::super) fn take_resource(&self, item: &str, is_removed: bool) -> Option<BTreeMap<String, String>> {
        let mut entries = self.entries();
        let is_free = |one: &&mut CreatedResource| {
            let is_for_others = one.is_taken || (is_removed && one.is_shared);
            one.item == item && !one.is_gone && !is_for_others
        };
        let one = entries.created.iter_mut().find(is_free)?;
        if is_removed {
            one.is_taken = true;
        } else {
            one.is_shared = true;
        }
        Some(one.ids.clone())
    }

    /// Returns the newest resource of a template that the run created and that still exists.
    pub(in super::super) fn newest(&self, item: &str) -> Option<BTreeMap<String, String>> {
        let entries = self.entries();
        entries.created.iter().rfind(|one| one.item == item && !one.is_gone).map(|one| one.ids.clone())
    }

    /// Returns whether the run created the resource that a parameter names.
    pub(in super::super) fn has_created(&self, parameter: &str, id: &str) -> bool {
        self.entries()
            .created
            .iter()
            .any(|one| one.parameter == parameter && one.ids.get(parameter).is_some_and(|own| own == id))
    }

    /// Returns whether the run created the resource that all parameters of a path name together.
    pub(in super::super) fn owns(&self, item: &str, ids: &BTreeMap<String, String>) -> bool {
        self.entries().created.iter().any(|one| one.item == item && one.ids == *ids && !one.is_gone)
    }

    /// Returns whether an attempt to add to a list has failed.
    pub(in super::super) fn is_unextendable(&self, list: &str) -> bool {
        self.entries().unextendable.contains(list)
    }

    pub(in super::super) fn mark_unextendable(&self, list: &str) {
        self.entries().unextendable.insert(list.to_owned());
    }

    /// Returns the remaining resources, the newest first: a nested resource is newer than its parent.
    pub(in super::super) fn remaining(&self) -> Vec<CreatedResource> {
        self.entries().created.iter().rev().filter(|one| !one.is_gone).cloned().collect()
    }

    /// Returns an id that does not exist, generated from an increasing number.
    pub(in super::super) fn new_id(&self, make: impl Fn(usize) -> String) -> String {
        let mut entries = self.entries();
        entries.ids += 1;
        let id = make(entries.ids);
        entries.generated_ids.insert(id.clone());
        id
    }

    pub(in super::super) fn add_requests(&self, count: usize) {
        self.entries().requests += count;
    }

    pub(in super::super) fn requests(&self) -> usize {
        self.entries().requests
    }

    /// Returns the messages about resources that were created and cannot be identified.
    pub(in super::super) fn unidentified(&self) -> Vec<String> {
        let entries = self.entries();
        let unproven = entries.unproven.iter().map(|(.., message)| message.clone());
        let mut unidentified: Vec<String> = entries.unidentified.iter().cloned().chain(unproven).collect();
        unidentified.sort();
        unidentified.dedup();
        unidentified
    }
}

/// Returns the ids of the resources that an answer reports as created, from its members or from `Location`.
pub(in super::super) fn reported_ids(reply: &Reply, parameter: &str, list: &str) -> Vec<String> {
    let in_header = reply.headers.get(LOCATION).and_then(|value| value.to_str().ok()).and_then(|location| {
        // The base is arbitrary, since only the path is compared.
        let base = Url::parse("http://here/").ok()?;
        let path = base.join(location).ok()?.path().to_owned();
        let (parent, id) = path.rsplit_once('/')?;
        let id = percent_decode_str(id).decode_utf8_lossy().into_owned();
        (parent.ends_with(list.trim_end_matches('/')) && !id.is_empty()).then_some(id)
    });
    if let Some(id) = in_header {
        return vec![id];
    }
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    if let Value::Array(items) = &body {
        return items.iter().filter_map(|item| id_in(item, parameter)).collect();
    }
    let wrapped = || body.as_object()?.values().find_map(|member| id_in(member, parameter));
    id_in(&body, parameter).or_else(wrapped).into_iter().collect()
}

/// Returns the member of a resource that holds the value of a path parameter: a member with its name, or an id.
pub(crate) fn id_member<'a>(value: &'a Value, parameter: &str) -> Option<&'a str> {
    let plain = |name: &str| crate::text::words::words(name).concat();
    let members = value.as_object()?;
    let wanted = plain(parameter);
    let named = |wanted: &str| members.keys().find(|name| plain(name) == wanted);
    named(&wanted).or_else(|| named(&format!("{wanted}id"))).or_else(|| named("id")).map(String::as_str)
}

fn id_in(value: &Value, parameter: &str) -> Option<String> {
    scalar(value.get(id_member(value, parameter)?)?)
}

impl Entries {
    /// Counts new entries of a list as created by the run if the list is known to be complete.
    fn prove(&mut self, list: &str) {
        let is_whole = self.before.get(list).and_then(Option::as_ref).is_some_and(|listing| listing.is_whole);
        if is_whole {
            let proven = self.unproven.extract_if(.., |(of, ..)| of == list);
            self.created.extend(proven.map(|(_, created, _)| created));
        }
    }
}

impl ListSnapshot {
    /// Learns from a later answer to the same request. If it is longer and contains the old entries, the list was complete: a page limit
    /// had not cut it off.
    fn compare(&mut self, parameter: &str, now: &HashSet<String>) {
        let Some(before) = listed(&self.text, parameter) else { return };
        self.is_whole |= shows_whole(&before, &self.removed, now);
    }
}

fn shows_whole(before: &HashSet<String>, removed: &HashSet<String>, now: &HashSet<String>) -> bool {
    now.len() > before.len() && before.difference(removed).all(|id| now.contains(id))
}

/// Returns the ids of a list: of an array, or of the longest array that is a member of the answer or of one of its members. Returns
/// `None` if there is no list, or one of its items has no id.
pub(crate) fn listed(text: &str, parameter: &str) -> Option<HashSet<String>> {
    items(text)?.iter().map(|item| id_in(item, parameter)).collect()
}

/// Returns the first id of such a list that may be used; a list of texts is a list of ids.
pub(super) fn first_listed(text: &str, parameter: &str, may_be_taken: impl Fn(&str) -> bool) -> Option<String> {
    let id = |item: &Value| id_in(item, parameter).or_else(|| item.as_str().map(str::to_owned));
    items(text)?.iter().filter_map(id).find(|id| may_be_taken(id))
}

/// Returns the entries of such a list.
pub(in super::super) fn items(text: &str) -> Option<Vec<Value>> {
    let value: Value = serde_json::from_str(text).ok()?;
    let members =
        |value: &Value| value.as_object().into_iter().flat_map(|members| members.values().cloned()).collect::<Vec<_>>();
    let inner = members(&value);
    let innermost = inner.iter().flat_map(members);
    let arrays = [value].into_iter().chain(inner.iter().cloned()).chain(innermost);
    arrays.filter_map(|value| value.as_array().cloned()).max_by_key(Vec::len)
}

/// Returns whether a text contains an id as a whole word.
fn contains_id(text: &str, id: &str) -> bool {
    let is_word =
        |character: Option<char>| character.is_some_and(|one| one.is_alphanumeric() || one == '_' || one == '-');
    text.match_indices(id)
        .any(|(at, _)| !is_word(text[..at].chars().next_back()) && !is_word(text[at + id.len()..].chars().next()))
}

#[cfg(test)]
mod tests {
    use super::listed;

    fn list(ids: &[&str]) -> serde_json::Value {
        ids.iter().map(|id| serde_json::json!({ "id": id })).collect()
    }

    #[test]
    fn the_ids_of_a_list_are_read_wherever_it_stands_and_all_or_none() {
        let of = |value: serde_json::Value| {
            let ids = listed(&value.to_string(), "user");
            ids.map(|ids| ids.into_iter().collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>())
        };
        let both = Some(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(of(list(&["a", "b"])), both);
        assert_eq!(of(serde_json::json!({ "meta": { "pages": [] }, "data": { "users": list(&["a", "b"]) } })), both);
        assert_eq!(of(serde_json::json!([{ "id": "a" }, { "name": "b" }])), None, "nobody can tell");
        assert_eq!(listed("no list", "user"), None);
    }

    #[test]
    fn only_a_longer_answer_that_lost_nothing_shows_that_a_list_was_whole() {
        let is_whole = |before: &[&str], removed: &[&str], now: &[&str]| {
            super::shows_whole(
                &listed(&list(before).to_string(), "user").expect("ids"),
                &removed.iter().map(|id| (*id).to_owned()).collect(),
                &listed(&list(now).to_string(), "user").expect("ids"),
            )
        };
        assert!(is_whole(&[], &[], &["n"]) && is_whole(&["a", "b"], &[], &["n", "a", "b"]));
        assert!(is_whole(&["a", "b"], &["b"], &["a", "n", "m"]), "the run removed it");
        for (before, removed, now, why) in [
            (&["a", "b"][..], &[][..], &["a", "b"][..], "there may be a later page"),
            (&["a", "b"], &[], &["n", "a"], "a page of a fixed length, which begins with what was changed last"),
            (&["a", "b"], &["b"], &["a", "c"], "what stood on the next page has come up"),
            (&["a"], &[], &["b", "n"], "another page"),
        ] {
            assert!(!is_whole(before, removed, now), "{why}");
        }
    }
}
