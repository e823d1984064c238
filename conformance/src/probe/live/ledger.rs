//! What a run did at a live server: every call that changed something, and what it made there and has to remove.

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
use crate::body::scalar;
use crate::secret::Redactor;
use crate::segment;

/// Shared by all cases of a run.
#[derive(Debug, Default)]
pub(in super::super) struct Ledger(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    made: Vec<Made>,
    /// What was made and cannot be named.
    untold: Vec<String>,
    /// What an answer names and nothing shows to be the run's, with the path of its list and what is said of it.
    unproven: Vec<(String, Made, String)>,
    calls: Vec<(String, String)>,
    /// What lists held before the run added to them, by the path of the list; `None` where it cannot be read.
    before: HashMap<String, Option<Listing>>,
    /// Lists to which nothing could be added for a case.
    barren: HashSet<String>,
    /// How many ids were made up, and those.
    ids: usize,
    made_up: HashSet<String>,
    /// Requests that belong to no case.
    requests: usize,
}

/// A list before the run added to it.
#[derive(Debug)]
struct Listing {
    text: String,
    /// The request that reads it.
    reading: Draft,
    /// Whether the text is all of it, which a longer answer to the same request shows.
    is_whole: bool,
    /// Ids that the run removed from it.
    removed: HashSet<String>,
}

/// Something that the run made.
#[derive(Clone, Debug)]
pub(in super::super) struct Made {
    /// The template of its path.
    pub(in super::super) item: String,
    /// The parameters of that path.
    pub(in super::super) ids: BTreeMap<String, String>,
    /// The parameter with its own id.
    pub(in super::super) parameter: String,
    /// What made it had these credentials.
    pub(in super::super) credentials: Vec<(HeaderName, String)>,
    /// The call that made it.
    pub(in super::super) by: String,
    is_gone: bool,
    /// A call is to remove it.
    is_lent: bool,
    /// Calls are to be refused at it: none may remove it meanwhile.
    is_shared: bool,
}

impl Ledger {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call that may change something, with what came of it.
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

    /// Every such call, how it was answered, and how often.
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

    /// What the list at a path held, once that is known.
    pub(in super::super) fn knows_list(&self, path: &str) -> bool {
        self.entries().before.contains_key(path)
    }

    /// Keeps what a list held before anything was added to it; `None` where it cannot be read.
    pub(in super::super) fn keep_list(&self, reading: &Draft, text: Option<String>) {
        let listing =
            text.map(|text| Listing { text, reading: reading.clone(), is_whole: false, removed: HashSet::new() });
        self.entries().before.entry(reading.url.path().to_owned()).or_insert(listing);
    }

    /// The request that reads the list to which a call adds, where only the list can show whether something was added: an
    /// answer other than 201 may hold what was there before.
    pub(in super::super) fn evidence_for(&self, draft: &Draft, reply: &Reply) -> Option<Draft> {
        if !reply.is_success() || reply.status == 201 {
            return None;
        }
        Some(self.entries().before.get(draft.url.path())?.as_ref()?.reading.clone())
    }

    /// Learns what a call made or removed. `after` is the list that the call adds to, as it is now. `is_kept` says of which ids
    /// the run must keep its hands off.
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
        let made = |item: &str, parameter: &str, id: String| {
            let mut ids = draft.ids.clone();
            ids.retain(|name, _| item.contains(&format!("{{{name}}}")));
            ids.insert(parameter.to_owned(), id);
            Made {
                item: item.to_owned(),
                ids,
                parameter: parameter.to_owned(),
                credentials: draft.credentials.clone(),
                by: by.clone(),
                is_gone: false,
                is_lent: false,
                is_shared: false,
            }
        };
        let mut entries = self.entries();
        match effect {
            Effect::Creates => {
                let Some(item) = item_of(api, &operation.path) else {
                    entries.untold.push(format!("{by} made something for which the document has no path"));
                    return;
                };
                let parameter = super::effect::subject(item).unwrap_or_default();
                let found = told(reply, parameter, draft.url.path());
                if found.is_empty() {
                    entries.untold.push(format!("{by} made something, and its answer does not tell the id"));
                }
                let list = draft.url.path();
                let mut listing = entries.before.get_mut(list).and_then(Option::as_mut);
                let now = after.and_then(|after| listed(after, parameter)).unwrap_or_default();
                if let Some(listing) = &mut listing {
                    listing.compare(parameter, &now);
                }
                let before = listing.map(|listing| listing.text.clone()).unwrap_or_default();
                for id in found {
                    // The server says what is sent next, and where: neither to another path, nor a token in a URL.
                    if !segment::is_one(&id) || redactor.mask(&id) != id {
                        entries
                            .untold
                            .push(format!("{by} made something, and its answer holds no id that can be sent"));
                        continue;
                    }
                    // Ids of what is gone are given anew.
                    let is_same = |one: &Made| one.item == item && one.ids.get(parameter) == Some(&id);
                    let is_known = entries.made.iter().any(|one| is_same(one) && !one.is_gone);
                    if is_known || stands_in(&before, &id) || is_kept(item, parameter, &id) {
                        continue;
                    }
                    let told = format!("{by} answered {} with `{id}`, which may have been there before", reply.status);
                    // A server may answer with what it had, and 200 says no more than that.
                    if reply.status == 201 {
                        entries.made.push(made(item, parameter, id));
                    } else if now.contains(&id) {
                        entries.unproven.push((list.to_owned(), made(item, parameter, id), told));
                    } else {
                        entries.untold.push(told);
                    }
                }
                entries.prove(list);
            }
            Effect::CreatesAt(parameter) | Effect::Changes(parameter) => {
                let Some(id) = draft.ids.get(parameter).filter(|_| operation.path.ends_with('}')) else { return };
                let same = |one: &&mut Made| one.item == operation.path && one.ids == draft.ids;
                if operation.method == "DELETE" {
                    entries.made.iter_mut().filter(same).for_each(|one| one.is_gone = true);
                    let list = draft.url.path().rsplit_once('/').map(|(list, _)| list);
                    let listing = list.and_then(|list| entries.before.get_mut(list)).and_then(Option::as_mut);
                    if let Some(listing) = listing {
                        listing.removed.insert(id.clone());
                    }
                } else if (entries.made_up.contains(id)
                    || (reply.status == 201 && !is_kept(&operation.path, parameter, id)))
                    && entries.made.iter_mut().all(|one| one.is_gone || !same(&one))
                {
                    let one = made(&operation.path, parameter, id.clone());
                    entries.made.push(one);
                }
            }
            Effect::Nothing | Effect::ChangesShared => {}
        }
    }

    /// Something that was made and is there, of a template. One that a call is to remove is handed out once.
    pub(in super::super) fn lend(&self, item: &str, is_removed: bool) -> Option<BTreeMap<String, String>> {
        let mut entries = self.entries();
        let is_free = |one: &&mut Made| {
            let is_for_others = one.is_lent || (is_removed && one.is_shared);
            one.item == item && !one.is_gone && !is_for_others
        };
        let one = entries.made.iter_mut().find(is_free)?;
        if is_removed {
            one.is_lent = true;
        } else {
            one.is_shared = true;
        }
        Some(one.ids.clone())
    }

    /// What was made last of a template, and is there.
    pub(in super::super) fn newest(&self, item: &str) -> Option<BTreeMap<String, String>> {
        let entries = self.entries();
        entries.made.iter().rfind(|one| one.item == item && !one.is_gone).map(|one| one.ids.clone())
    }

    /// Whether the run made what a parameter names.
    pub(in super::super) fn made(&self, parameter: &str, id: &str) -> bool {
        self.entries()
            .made
            .iter()
            .any(|one| one.parameter == parameter && one.ids.get(parameter).is_some_and(|own| own == id))
    }

    /// Whether the run made what all parameters of a path name together, wherever that is.
    pub(in super::super) fn owns(&self, item: &str, ids: &BTreeMap<String, String>) -> bool {
        self.entries().made.iter().any(|one| one.item == item && one.ids == *ids && !one.is_gone)
    }

    /// Whether adding to a list is worth a try; only once it is not.
    pub(in super::super) fn is_barren(&self, list: &str) -> bool {
        self.entries().barren.contains(list)
    }

    pub(in super::super) fn give_up(&self, list: &str) {
        self.entries().barren.insert(list.to_owned());
    }

    /// What is there still, the last thing first: what stands below another thing was made after it.
    pub(in super::super) fn left(&self) -> Vec<Made> {
        self.entries().made.iter().rev().filter(|one| !one.is_gone).cloned().collect()
    }

    /// An id that nobody has, as it is made of a number that counts up.
    pub(in super::super) fn new_id(&self, make: impl Fn(usize) -> String) -> String {
        let mut entries = self.entries();
        entries.ids += 1;
        let id = make(entries.ids);
        entries.made_up.insert(id.clone());
        id
    }

    pub(in super::super) fn add_requests(&self, count: usize) {
        self.entries().requests += count;
    }

    pub(in super::super) fn requests(&self) -> usize {
        self.entries().requests
    }

    /// What was made and has no name.
    pub(in super::super) fn untold(&self) -> Vec<String> {
        let entries = self.entries();
        let unproven = entries.unproven.iter().map(|(.., told)| told.clone());
        let mut untold: Vec<String> = entries.untold.iter().cloned().chain(unproven).collect();
        untold.sort();
        untold.dedup();
        untold
    }
}

/// The ids of what an answer says was made: in its members, or in `Location`.
pub(in super::super) fn told(reply: &Reply, parameter: &str, list: &str) -> Vec<String> {
    let in_header = reply.headers.get(LOCATION).and_then(|value| value.to_str().ok()).and_then(|location| {
        // Relative to the list or not: only the path counts.
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

/// The member of a thing that holds what a path parameter names it by: one of its name, or an id.
pub(crate) fn id_member<'a>(value: &'a Value, parameter: &str) -> Option<&'a str> {
    let plain = |name: &str| crate::words::words(name).concat();
    let members = value.as_object()?;
    let wanted = plain(parameter);
    let named = |wanted: &str| members.keys().find(|name| plain(name) == wanted);
    named(&wanted).or_else(|| named(&format!("{wanted}id"))).or_else(|| named("id")).map(String::as_str)
}

fn id_in(value: &Value, parameter: &str) -> Option<String> {
    scalar(value.get(id_member(value, parameter)?)?)
}

impl Entries {
    /// Counts as made what a list did not hold before and holds now, once it is known to have been shown whole.
    fn prove(&mut self, list: &str) {
        let is_whole = self.before.get(list).and_then(Option::as_ref).is_some_and(|listing| listing.is_whole);
        if is_whole {
            let proven = self.unproven.extract_if(.., |(of, ..)| of == list);
            self.made.extend(proven.map(|(_, made, _)| made));
        }
    }
}

impl Listing {
    /// Learns from a later answer to the same request. It is longer and holds what was there: the list was not cut off by the
    /// end of a page, behind which there could have been more.
    fn compare(&mut self, parameter: &str, now: &HashSet<String>) {
        let Some(before) = listed(&self.text, parameter) else { return };
        self.is_whole |= shows_whole(&before, &self.removed, now);
    }
}

fn shows_whole(before: &HashSet<String>, removed: &HashSet<String>, now: &HashSet<String>) -> bool {
    now.len() > before.len() && before.difference(removed).all(|id| now.contains(id))
}

/// The ids of a list: of an array, or of the longest array that is a member of the answer or of one of its members. `None`
/// where there is no list, or one of its items has no id.
pub(crate) fn listed(text: &str, parameter: &str) -> Option<HashSet<String>> {
    items(text)?.iter().map(|item| id_in(item, parameter)).collect()
}

/// The first id of such a list that may be taken; a list of texts is one of ids.
pub(super) fn first_listed(text: &str, parameter: &str, may_be_taken: impl Fn(&str) -> bool) -> Option<String> {
    let id = |item: &Value| id_in(item, parameter).or_else(|| item.as_str().map(str::to_owned));
    items(text)?.iter().filter_map(id).find(|id| may_be_taken(id))
}

/// The entries of such a list.
pub(in super::super) fn items(text: &str) -> Option<Vec<Value>> {
    let value: Value = serde_json::from_str(text).ok()?;
    let members =
        |value: &Value| value.as_object().into_iter().flat_map(|members| members.values().cloned()).collect::<Vec<_>>();
    let inner = members(&value);
    let innermost = inner.iter().flat_map(members);
    let arrays = [value].into_iter().chain(inner.iter().cloned()).chain(innermost);
    arrays.filter_map(|value| value.as_array().cloned()).max_by_key(Vec::len)
}

/// Whether an id stands in a text by itself, and not as a part of another word.
fn stands_in(text: &str, id: &str) -> bool {
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
