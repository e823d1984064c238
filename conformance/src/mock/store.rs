//! Resources that callers create: they are stored by path, and can be read, changed, listed, and removed. The resources of the document's
//! examples exist as well, and never change.

use std::collections::{BTreeMap, HashMap};

use hyper::body::Bytes;
use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, Operation, ParameterLocation};
use serde_json::{Map, Value, json};
use url::Url;

use super::call::{ParsedBody, Refusal};
use super::core::{Core, ServedRequest};
use super::mutant::Mutant;
use super::success;
use crate::contract::Probe;
use crate::document::body::plain;
use crate::document::chain::Chain;
use crate::document::segment;
use crate::document::unknown_id;
use crate::probe::{id_member, is_password, last_parameter};
use crate::text::pointer::{join, put};

/// The highest number of stored resources. Beyond it, all are forgotten: a mock may run for days.
const MAX_RESOURCES: usize = 20_000;
/// The highest number of resources in a list.
const MAX_LISTED: usize = 20;

/// The created resources, by tenant and path.
#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    resources: BTreeMap<(usize, String), Resource>,
    /// The tenants of created resources, by path parameter and id.
    owners: HashMap<(String, String), usize>,
    /// The number of changes of the resource at a path.
    changes: HashMap<(usize, String), u64>,
    made: usize,
}

impl Store {
    /// Returns the tenant that created the resource with this id.
    pub(super) fn owner(&self, parameter: &str, id: &str) -> Option<usize> {
        if self.owners.is_empty() {
            return None;
        }
        self.owners.get(&(parameter.to_owned(), id.to_owned())).copied()
    }

    /// Records the tenant that created the resource with this id.
    pub(super) fn own(&mut self, parameter: &str, id: String, tenant: usize) {
        if self.owners.len() >= MAX_RESOURCES {
            self.owners.clear();
        }
        self.owners.insert((parameter.to_owned(), id), tenant);
    }

    /// Counts a change of a tenant's resource at a path.
    pub(super) fn change(&mut self, tenant: usize, path: String) {
        if self.changes.len() >= MAX_RESOURCES {
            self.changes.clear();
        }
        *self.changes.entry((tenant, path)).or_default() += 1;
    }

    /// Returns the number of changes of a tenant's resource at a path.
    pub(super) fn changes(&self, tenant: usize, path: &str) -> u64 {
        self.changes.get(&(tenant, path.to_owned())).copied().unwrap_or_default()
    }
}

#[derive(Clone, Debug)]
struct Resource {
    members: Map<String, Value>,
    /// The path of its list.
    list: String,
    is_gone: bool,
}

/// A success about a created resource.
pub(super) struct ResourceAnswer {
    pub(super) body: Option<Bytes>,
    /// The location of the created resource.
    pub(super) location: Option<String>,
}

impl Core {
    /// Applies an operation to the created resources, and writes the result into the documented body.
    pub(super) fn apply_to_store(
        &self,
        index: usize,
        served: &ServedRequest<'_>,
        status: u16,
        body: Option<Bytes>,
    ) -> Result<ResourceAnswer, Refusal> {
        let as_it_is = |body| Ok(ResourceAnswer { body, location: None });
        let Some(chain) = self.chains.with(index).filter(|chain| chain.creates.is_some()) else {
            return as_it_is(body);
        };
        let schema = success::schema(served.operation, status);
        let example = || body.as_ref().and_then(|body| serde_json::from_slice::<Value>(body).ok());
        if chain.creates == Some(index) {
            let created =
                schema.zip(example()).and_then(|(schema, example)| self.create(chain, served, schema, &example));
            return created.map_or_else(|| as_it_is(body), Ok);
        }
        if chain.lists == Some(index) {
            let listed = schema.zip(example()).and_then(|(schema, example)| self.with_created(served, schema, example));
            return as_it_is(listed.or(body));
        }
        let key = (served.token.tenant, path_of(served));
        let Some(mut resource) = self.state().store.resources.get(&key).cloned() else { return as_it_is(body) };
        if resource.is_gone {
            let parameter = last_parameter(&served.operation.path).unwrap_or_default();
            let status = self.status(&Probe::UnknownId(parameter.to_owned()), served.operation, 404);
            return Err(Refusal::new(status, "Not found"));
        }
        match served.operation.method.as_str() {
            "DELETE" => resource.is_gone = !self.has(Mutant::KeepsRemoved),
            "PUT" | "PATCH" => self.change(chain, served, &mut resource),
            _ if self.has(Mutant::ReadsAnother) => return as_it_is(body),
            _ => {}
        }
        let shown = schema.zip(example()).map(|(schema, example)| self.represent(chain, schema, example, &resource));
        if !(self.has(Mutant::LosesChanges) && matches!(served.operation.method.as_str(), "PUT" | "PATCH")) {
            self.state().store.resources.insert(key, resource);
        }
        as_it_is(shown.map(|shown| shown.to_string().into()).or(body))
    }

    /// Creates a resource with a new id. Returns `None` if the answer contains no id.
    fn create(
        &self,
        chain: &Chain,
        served: &ServedRequest<'_>,
        schema: &Value,
        example: &Value,
    ) -> Option<ResourceAnswer> {
        let ParsedBody::Body(sent) = &served.sent else { return None };
        let reader = &self.api.operations[chain.reads];
        let parameter = last_parameter(&reader.path)?;
        let at = place_of_id(example, parameter)?;
        let number = {
            let mut state = self.state();
            state.store.made += 1;
            state.store.made
        };
        let id = self.new_id(reader, parameter, (schema, example, &at), number)?;
        self.state().know(parameter, &plain(&id));
        let (whole, name) = at.rsplit_once('/')?;
        let mut members = self.settable_members(chain, sent);
        members.insert(name.to_owned(), id.clone());
        let resource = Resource { members, list: path_of(served), is_gone: false };
        let shown = self.represent_at(chain, schema, example.clone(), (whole, &resource.members));
        let ids: BTreeMap<String, String> =
            served.path.clone().into_iter().chain([(parameter.to_owned(), plain(&id))]).collect();
        let path = fill_path(&reader.path, &ids);
        let kept = self.as_stored(schema, resource);
        let mut state = self.state();
        if state.store.resources.len() >= MAX_RESOURCES {
            state.store.resources.clear();
        }
        state.store.own(parameter, plain(&id), served.token.tenant);
        state.store.resources.insert((served.token.tenant, path.clone()), kept);
        let lost = if self.has(Mutant::MisplacesLocation) { "-lost" } else { "" };
        let location = url_path(&self.api.base_url, &format!("{path}{lost}"));
        Some(ResourceAnswer { body: Some(shown.to_string().into()), location })
    }

    /// Returns the resource that is stored: without its optional members if the mock has that defect.
    fn as_stored(&self, schema: &Value, mut resource: Resource) -> Resource {
        if self.has(Mutant::LosesMembers) {
            let required = |name: &str| {
                self.api.resolve(schema)["required"]
                    .as_array()
                    .is_some_and(|names| names.iter().any(|known| known == name))
            };
            resource.members.retain(|name, _| required(name) || name == "id");
        }
        resource
    }

    fn change(&self, chain: &Chain, served: &ServedRequest<'_>, resource: &mut Resource) {
        let ParsedBody::Body(sent) = &served.sent else { return };
        let sent = self.settable_members(chain, sent);
        if served.operation.method == "PUT" || self.has(Mutant::ResetsOthers) {
            let made = |name: &String| !self.may_be_set(chain, name);
            resource.members.retain(|name, _| made(name));
        }
        resource.members.extend(sent);
    }

    /// Returns the members of a body that can be read later.
    fn settable_members(&self, chain: &Chain, sent: &Value) -> Map<String, Value> {
        let members = sent.as_object().into_iter().flatten();
        let taken = members.filter(|(name, _)| self.may_be_set(chain, name));
        taken.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Returns whether the creator of a resource sets a member.
    fn may_be_set(&self, chain: &Chain, name: &str) -> bool {
        let creates = chain.creates.and_then(|creates| self.api.operations[creates].body.as_ref());
        creates.is_some_and(|body| {
            self.api.member(&body.schema, &join("", name)).is_some()
                && schema::is_sent(&self.api, Direction::Request, &body.schema, name)
        })
    }

    /// Returns the example of an answer with the values of a resource.
    fn represent(&self, chain: &Chain, schema: &Value, example: Value, resource: &Resource) -> Value {
        let parameter = last_parameter(&self.api.operations[chain.reads].path).unwrap_or_default();
        let at = place_of_id(&example, parameter).unwrap_or_default();
        let whole = at.rsplit_once('/').map_or("", |(whole, _)| whole).to_owned();
        self.represent_at(chain, schema, example, (&whole, &resource.members))
    }

    fn represent_at(
        &self,
        chain: &Chain,
        schema: &Value,
        example: Value,
        (whole, members): (&str, &Map<String, Value>),
    ) -> Value {
        let fits = |value: &Value| schema::mismatch(&self.api, Direction::Answer, schema, value).is_none();
        let described = if whole.is_empty() { Some(schema) } else { self.api.member(schema, whole) };
        let mut shown = example;
        let known: Vec<String> = shown
            .pointer(whole)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect();
        // Members that were not sent are removed if they are optional.
        for name in known.iter().filter(|name| self.may_be_set(chain, name) && !members.contains_key(*name)) {
            let mut without = shown.clone();
            without.pointer_mut(whole).and_then(Value::as_object_mut).and_then(|members| members.remove(name));
            if fits(&without) {
                shown = without;
            }
        }
        for (name, value) in members {
            let at = join(whole, name);
            let Some(own) = self.api.member(schema, &at).filter(|own| own.is_object()) else { continue };
            if described.is_none_or(|described| !schema::is_sent(&self.api, Direction::Answer, described, name)) {
                continue;
            }
            let mut with = shown.clone();
            put(&mut with, &at, without_hidden(&self.api, own, value));
            if fits(&with) {
                shown = with;
            }
        }
        shown
    }

    /// Returns a single-page list with the created resources.
    fn with_created(&self, served: &ServedRequest<'_>, schema: &Value, mut body: Value) -> Option<Bytes> {
        if served.operation.pagination.is_some() || self.has(Mutant::HidesCreated) {
            return None;
        }
        let at = if body.is_array() {
            String::new()
        } else {
            body.as_object()?.iter().find(|(_, value)| value.is_array()).map(|(name, _)| join("", name))?
        };
        let entry = body.pointer(&at)?.get(0)?.clone();
        let path = path_of(served);
        let state = self.state();
        let own = |((tenant, _), resource): &(&(usize, String), &Resource)| {
            *tenant == served.token.tenant && resource.list == path && !resource.is_gone
        };
        let members: Vec<Map<String, Value>> = state
            .store
            .resources
            .iter()
            .rev()
            .filter(own)
            .take(MAX_LISTED)
            .map(|(_, resource)| resource.members.clone())
            .collect();
        drop(state);
        for resource in &members {
            let mut entry = entry.clone();
            entry.as_object_mut()?.iter_mut().for_each(|(name, value)| {
                resource.get(name).into_iter().for_each(|known| value.clone_from(known));
            });
            let mut with = body.clone();
            with.pointer_mut(&at)?.as_array_mut()?.push(entry);
            if schema::mismatch(&self.api, Direction::Answer, schema, &with).is_none() {
                body = with;
            }
        }
        Some(body.to_string().into())
    }

    /// Returns the id of a new resource, in the form of the example.
    fn new_id(
        &self,
        reader: &Operation,
        name: &str,
        (schema, example, at): (&Value, &Value, &str),
        number: usize,
    ) -> Option<Value> {
        let parameter =
            reader.parameters.iter().find(|one| one.location == ParameterLocation::Path && one.name == name)?;
        let known = example.pointer(at)?;
        let next = match known {
            Value::Number(known) => known.as_u64().map(|known| json!(known + number as u64)),
            Value::String(known) => Some(json!(format!("{known}-{number}"))),
            _ => None,
        };
        let made = unknown_id::id(&self.api, parameter, Some(&plain(known)), number);
        let made = if known.is_number() { made.parse::<u64>().ok().map(Value::from) } else { Some(json!(made)) };
        let misformat = |body: &Value| schema::misformat(&self.api, Direction::Answer, schema, body).is_some();
        // An example may violate its own format, whatever its id is.
        let is_formed = !misformat(example);
        let fits = |id: &Value| {
            let mut with = example.clone();
            put(&mut with, at, id.clone());
            schema::mismatch(&self.api, Direction::Answer, schema, &with).is_none()
                && schema::mismatch(&self.api, Direction::Request, &parameter.schema, id).is_none()
                && !(is_formed && misformat(&with))
        };
        [next, made].into_iter().flatten().find(fits)
    }
}

/// Removes `writeOnly` members and passwords from a value.
fn without_hidden(api: &Api, schema: &Value, value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let each = api.entries(schema);
            items.iter().map(|item| each.map_or_else(|| item.clone(), |each| without_hidden(api, each, item))).collect()
        }
        Value::Object(members) => {
            let is_visible = |name: &str| schema::is_sent(api, Direction::Answer, schema, name) && !is_password(name);
            let visible = members.iter().filter(|(name, _)| is_visible(name)).map(|(name, member)| {
                let own = api.member(schema, &join("", name));
                (name.clone(), own.map_or_else(|| member.clone(), |own| without_hidden(api, own, member)))
            });
            Value::Object(visible.collect())
        }
        plain => plain.clone(),
    }
}

/// Returns the pointer to the id in an answer: in the resource, or in the member that wraps it.
fn place_of_id(body: &Value, parameter: &str) -> Option<String> {
    let own = id_member(body, parameter).map(|name| join("", name));
    own.or_else(|| {
        let mut wrapped = body.as_object()?.iter();
        wrapped.find_map(|(outer, inner)| Some(join(&join("", outer), id_member(inner, parameter)?)))
    })
}

/// Returns the path of a request below the base path.
pub(super) fn path_of(served: &ServedRequest<'_>) -> String {
    served.call.segments.iter().flat_map(|segment| ["/", segment]).collect()
}

pub(super) fn fill_path(template: &str, ids: &BTreeMap<String, String>) -> String {
    let segments = template.split('/').filter(|segment| !segment.is_empty());
    segments.flat_map(|one| ["/".to_owned(), segment::filled(one, |name| ids.get(name).cloned())]).collect()
}

/// Returns the path of the URL for a path below the base URL.
pub(super) fn url_path(base: &str, path: &str) -> Option<String> {
    let mut url = Url::parse(base).ok()?;
    url.path_segments_mut().ok()?.pop_if_empty().extend(path.split('/').filter(|segment| !segment.is_empty()));
    Some(url.path().to_owned())
}
