//! The facts in a bare document that a contract needs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use keyfit_openapi::{
    Api, BatchGuess, Carrier, Operation, ParameterLocation, SecurityRequirement, Unsupported, vendor_scopes,
};
use serde_json::Value;

use super::authorization::{Authorization, logins};
use super::login::Scheme;
use super::scopes::Demand;
use super::webhook::Delivered;
use crate::balance::Balance;
use crate::catalogue::twins;
use crate::reference::{Referring, is_plain, references, singular};

/// Parts of the names of path parameters whose ids belong to an owner.
const TENANTS: [&str; 14] = [
    "account",
    "tenant",
    "organization",
    "organisation",
    "org",
    "project",
    "workspace",
    "team",
    "company",
    "customer",
    "merchant",
    "shop",
    "store",
    "user",
];

/// The highest number of kinds of tokens that an operation has. A document in which each call accepts any of a thousand kinds would list
/// all of them for each call.
const MOST_KINDS: usize = 20;

/// The highest number of parameters of one path that have rules: each has its own cases, which send the whole path.
const MOST_IDS: usize = 50;

/// The facts of a document.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) title: String,
    pub(super) schemes: Vec<Scheme>,
    /// The kinds of token and scopes of each operation, with its place.
    pub(super) operations: Vec<Access>,
    /// Path parameters that look like tenants, and the other ones.
    pub(super) tenants: BTreeSet<String>,
    pub(super) ids: BTreeSet<String>,
    /// An existing id of each path parameter for which the document has an example.
    pub(super) examples: BTreeMap<String, String>,
    /// The kinds whose tokens have scopes.
    pub(super) scoped: BTreeSet<String>,
    pub(super) error: Option<ErrorBody>,
    pub(super) limits: Option<Limits>,
    /// The operations that appear to take many items.
    pub(super) batches: Vec<(String, BatchGuess)>,
    pub(super) authorization: Option<Authorization>,
    /// The operations that are endpoints of a login.
    pub(super) logins: Vec<String>,
    /// The webhooks and callbacks.
    pub(super) delivered: Delivered,
    /// For each path parameter, the templates that end with it, by the preceding segment.
    pub(super) places: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// The scopes that include others, as far as alternatives of operations show it.
    pub(super) includes: BTreeMap<String, BTreeSet<String>>,
    /// True if the document has a member for requests alone, or a password.
    pub(super) is_one_way: bool,
    /// The path parameters that other parts of requests or answers refer to, with the kind of reference.
    pub(super) named: BTreeSet<(String, Referring)>,
    pub(super) notes: Vec<String>,
    /// The requirements of each of `operations`.
    pub(super) demands: Vec<Demand>,
    /// The operations with more kinds of tokens, and with more path parameters, than the limits.
    of_many_kinds: Vec<String>,
    of_many_ids: Vec<String>,
    /// The operations that cost money, as their 402 shows.
    spending: Vec<String>,
    /// The operations without a sendable credential, and those that the document declares open.
    closed: Vec<String>,
    public: Vec<String>,
    optional: Vec<String>,
}

/// The access to an operation.
#[derive(Debug)]
pub(super) struct Access {
    /// The index of the operation in the document.
    pub(super) place: usize,
    pub(super) method: String,
    /// Its key in `paths`.
    pub(super) path: String,
    /// The alternatives that can be sent.
    pub(super) sets: Vec<Vec<String>>,
    /// True if a call without a credential is served.
    pub(super) is_open: bool,
    pub(super) scopes: Vec<String>,
    pub(super) spends: bool,
    /// Its apparent pagination as a hint, with the reason for the guess.
    pub(super) pages: Option<(String, String)>,
    /// The same for the outcome of its items.
    pub(super) partial: Option<(String, String)>,
}

/// The form of errors.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct ErrorBody {
    pub(super) media_type: String,
    /// The JSON pointers of required text members, and a flag that is true if a member is the status.
    pub(super) texts: Vec<String>,
    pub(super) has_status: bool,
}

/// The form of a rate limit.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Limits {
    /// The headers with the limit, the remaining calls, and the end of the window.
    pub(super) headers: Option<[String; 3]>,
    /// True if a 429 has `Retry-After`.
    pub(super) retry_after: bool,
}

impl Access {
    /// Returns the kinds that it accepts; a kind in several alternatives occurs several times.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &String> {
        self.sets.iter().flatten()
    }
}

impl Facts {
    /// Returns the alternatives of operations with several, each once, in the order of the document.
    pub(super) fn alternatives(&self) -> Vec<&[String]> {
        let mut known: Vec<&[String]> = Vec::new();
        for set in self.operations.iter().filter(|access| access.sets.len() > 1).flat_map(|access| &access.sets) {
            if known.len() < MOST_KINDS && !known.contains(&set.as_slice()) {
                known.push(set);
            }
        }
        known
    }

    /// Returns the kinds that are required together with others.
    pub(super) fn joined(&self) -> BTreeSet<&String> {
        let sets = self.operations.iter().flat_map(|access| &access.sets).filter(|set| set.len() > 1);
        sets.flatten().collect()
    }

    /// Returns the kinds whose tokens are at the same place as those of another kind.
    pub(super) fn alike(&self) -> BTreeSet<&String> {
        let clashes = |scheme: &&Scheme| {
            let others = self.schemes.iter().filter(|other| other.kind != scheme.kind);
            others.into_iter().any(|other| other.carrier == scheme.carrier)
        };
        self.schemes.iter().filter(clashes).map(|scheme| &scheme.kind).collect()
    }

    pub(super) fn read(api: &Api, schemes: Vec<Scheme>) -> Self {
        let mut facts = Self { title: api.title.clone(), schemes, ..Self::default() };
        let carriers: HashMap<String, Carrier> =
            facts.schemes.iter().map(|scheme| (scheme.kind.clone(), scheme.carrier.clone())).collect();
        for (place, operation) in api.operations.iter().enumerate() {
            facts.operation(api, (place, operation), &carriers);
        }
        facts.is_one_way = is_one_way(&api.document);
        facts.find_tenants();
        facts.settle_scopes();
        facts.ids = facts.ids.difference(&facts.tenants).cloned().collect();
        facts.delivered = Delivered::read(api);
        facts.named = references(api)
            .into_iter()
            .map(|reference| (reference.parameter.to_owned(), reference.referring))
            .collect();
        facts.logins = logins(api).into_iter().map(str::to_owned).collect();
        facts.notes.extend(all_of(&facts.logins).map(|operations| {
            format!(
                "{operations}: a login, which succeeds for nothing that is made up: rules about successes leave it out"
            )
        }));
        facts.notes.extend(left_out(api));
        facts.notes.extend(all_of(&facts.of_many_kinds).map(|operations| {
            format!("{operations}: of more than {MOST_KINDS} kinds of token the first {MOST_KINDS} are kept")
        }));
        facts.notes.extend(all_of(&facts.of_many_ids).map(|operations| {
            format!("{operations}: of more than {MOST_IDS} path parameters the first {MOST_IDS} have rules about ids")
        }));
        facts.notes.extend(all_of(&facts.closed).map(|operations| {
            format!("{operations}: none of the credentials that it takes can be sent: it is not checked")
        }));
        facts.notes.extend(all_of(&facts.public).map(|operations| {
            format!("{operations}: public, as the document says: calls are to be served without a credential")
        }));
        facts.notes.extend(all_of(&facts.optional).map(|operations| {
            format!("{operations}: with a credential or without, as the document says: rules about bad credentials are left out")
        }));
        let is_unread = || Balance::guess(api, &|name| facts.tenants.contains(name)).is_none();
        let spending = all_of(&facts.spending).filter(|_| is_unread());
        facts.notes.extend(spending.map(|operations| {
            format!("{operations}: costs money, as the 402 says, and no GET answers a balance: that refusals cost nothing is checked once [balance] in the contract names one")
        }));
        let mut takers: HashMap<&String, usize> = HashMap::new();
        for kind in facts.operations.iter().flat_map(Access::kinds) {
            *takers.entry(kind).or_default() += 1;
        }
        let is_used = |scheme: &Scheme| takers.contains_key(&scheme.kind);
        let (mut used, left_out): (Vec<Scheme>, Vec<Scheme>) =
            std::mem::take(&mut facts.schemes).into_iter().partition(is_used);
        used.sort_by_cached_key(|scheme| (!scheme.is_of_clients(), Reverse(takers[&scheme.kind])));
        facts.schemes = used;
        facts.authorization = Authorization::read(api, &facts.schemes, &mut facts.notes);
        facts.notes.extend(
            left_out.iter().map(|scheme| format!("no operation asks for the scheme `{}`: it is left out", scheme.kind)),
        );
        facts.error = api.operations.iter().find_map(|operation| error(api, operation));
        facts.limits = limits(api);
        let left_out = match &facts.limits {
            None => Some("rules about limits are left out"),
            Some(limits) => {
                limits.headers.is_none().then_some("of limits, a 429 with `Retry-After` is all that is checked")
            }
        };
        facts.notes.extend(left_out.map(|what| format!("no response documents rate-limit headers: {what}")));
        if facts.operations.iter().all(|access| access.scopes.is_empty()) {
            facts.notes.push("no operation names a scope: rules about scopes are left out".to_owned());
        }
        if facts.tenants.is_empty() {
            facts.notes.push("no path parameter looks like a tenant: rules about foreign data are left out".to_owned());
        }
        facts
    }

    /// Adds the tenants that the preceding segment identifies, wherever they occur: `/projects/{id}/items`.
    fn find_tenants(&mut self) {
        let is_tenant = |segment: &String| TENANTS.iter().any(|word| singular(&segment.to_lowercase()) == *word);
        let has_more = |name: &String| {
            let marked = format!("{{{name}}}/");
            self.operations.iter().any(|access| access.path.contains(&marked))
        };
        let plain = self.places.iter().filter(|(name, _)| is_plain(name));
        let found = plain.filter(|(name, places)| places.keys().all(is_tenant) && has_more(name));
        let found: Vec<String> = found.map(|(name, _)| name.clone()).collect();
        self.tenants.extend(found);
    }

    /// Returns the templates in which a name has different meanings; empty if it has only one.
    pub(super) fn meanings(&self, name: &str) -> Vec<&String> {
        let several = self.places.get(name).filter(|places| is_plain(name) && places.len() > 1);
        several.into_iter().flatten().flat_map(|(_, templates)| templates).collect()
    }

    /// Returns whether a path parameter identifies users.
    pub(super) fn is_of_persons(&self, name: &str) -> bool {
        let is_one = |word: &str| word.to_lowercase().contains("user");
        is_one(name)
            || self.places.get(name).is_some_and(|places| is_plain(name) && places.keys().any(|place| is_one(place)))
    }

    /// Returns the scheme of clients: the one that most operations accept, of those in a header. The first scheme is one if there is any.
    pub(super) fn client(&self) -> Option<&Scheme> {
        self.schemes.first().filter(|scheme| scheme.is_of_clients())
    }

    /// Returns the alternatives of an operation that can be sent: each of its kinds can, and no two have the same place.
    fn sets(&mut self, operation: &Operation, carriers: &HashMap<String, Carrier>) -> Vec<Vec<String>> {
        let mut sets: Vec<Vec<String>> = Vec::new();
        let mut count = 0;
        for set in operation.security.sets() {
            let Some(places) = set.iter().map(|kind| carriers.get(kind)).collect::<Option<Vec<_>>>() else { continue };
            let clashes =
                |(place, carrier): (usize, &&Carrier)| places[..place].iter().any(|other| other.clashes(carrier));
            if places.iter().enumerate().any(clashes) || sets.contains(set) {
                continue;
            }
            count += set.len();
            if count > MOST_KINDS {
                self.of_many_kinds.push(operation.id.clone());
                break;
            }
            sets.push(set.clone());
        }
        let is_open = operation.security.is_optional();
        match (is_open, operation.security.sets().is_empty()) {
            (false, _) if sets.is_empty() => self.closed.push(operation.id.clone()),
            (false, _) => {}
            (true, false) => self.optional.push(operation.id.clone()),
            // Operations without a declaration are reported elsewhere.
            (true, true) if *operation.security == SecurityRequirement::Any => {}
            (true, true) => self.public.push(operation.id.clone()),
        }
        sets
    }

    fn operation(&mut self, api: &Api, (place, operation): (usize, &Operation), carriers: &HashMap<String, Carrier>) {
        let at =
            api.document.get("paths").and_then(|paths| paths.get(&operation.key)?.get(operation.method.to_lowercase()));
        let Some(node) = at else { return };
        let sets = self.sets(operation, carriers);
        let security = node.get("security").or_else(|| api.document.get("security")).and_then(Value::as_array);
        let security = || security.into_iter().flatten().filter_map(Value::as_object);
        let wanted = security().flatten();
        let known = |kind: &String| sets.iter().flatten().any(|one| one == kind);
        let mut scopes: Vec<String> = Vec::new();
        for (kind, wanted) in wanted.filter(|(kind, _)| known(kind)) {
            let wanted = texts(wanted);
            if !wanted.is_empty() {
                self.scoped.insert(kind.clone());
            }
            scopes.extend(wanted);
        }
        if scopes.is_empty() {
            scopes.extend(vendor_scopes(node).into_iter().chain(operation.scopes.iter().cloned()));
            // It is unknown to which kind the scopes belong.
            self.scoped.extend(sets.iter().flatten().filter(|_| !scopes.is_empty()).cloned());
        }
        scopes.sort();
        scopes.dedup();
        self.demands.push(Demand::read(security(), &scopes));
        let mut in_path = operation.parameters.iter().filter(|parameter| parameter.location == ParameterLocation::Path);
        for parameter in in_path.by_ref().take(MOST_IDS) {
            let (name, lower) = (&parameter.name, parameter.name.to_lowercase());
            let is_tenant = TENANTS
                .iter()
                .any(|word| lower == *word || lower.trim_end_matches("id").trim_end_matches('_') == *word);
            // A user parameter is a tenant only if there are paths below it.
            let is_tenant = is_tenant && !operation.path.ends_with(&format!("{{{name}}}"));
            if is_tenant {
                self.tenants.insert(name.clone())
            } else {
                self.ids.insert(name.clone())
            };
            if let Some((before, template)) = place_of(&operation.path, name) {
                let places = self.places.entry(name.clone()).or_default();
                places.entry(before.to_owned()).or_default().insert(template.to_owned());
            }
            let example = parameter.schema.get("example").and_then(Value::as_str);
            if let Some(example) = example.or_else(|| example_of(node, name)) {
                self.examples.insert(name.clone(), example.to_owned());
            }
        }
        if in_path.next().is_some() {
            self.of_many_ids.push(operation.id.clone());
        }
        let batch = BatchGuess::read(api, operation);
        let takes_many = |schema: &Value| api.kind(schema) == Some("array");
        let is_list = operation.body.as_ref().is_some_and(|body| takes_many(&body.schema));
        if operation.method == "POST" && is_list && batch.is_none() {
            let (method, path) = (&operation.method, &operation.path);
            self.notes.push(format!(
                "{method} {path} takes a list: what becomes of its items is checked once the overlay says under `partial` where the answer tells of them"
            ));
        }
        let partial = batch.as_ref().map(|batch| (batch.partial.hint(), batch.why.clone()));
        self.batches.extend(batch.map(|batch| (operation.id.clone(), batch)));
        let spends = operation.responses.contains_key("402");
        self.spending.extend(spends.then(|| operation.id.clone()));
        let (method, path) = (operation.method.to_lowercase(), operation.key.clone());
        let guess = api.guesses.iter().find(|(id, _)| *id == operation.id);
        let pages = guess.map(|(_, guess)| (guess.pagination.hint(), guess.why.clone()));
        let is_open = operation.security.is_optional();
        self.operations.push(Access { place, method, path, sets, is_open, scopes, spends, pages, partial });
    }
}

/// Returns notes about the operations without cases: unsupported ones, and those that another one shadows.
pub(super) fn left_out(api: &Api) -> Vec<String> {
    let mut set_aside: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Unsupported { operation, reason, .. } in &api.unsupported {
        set_aside.entry(reason).or_default().push(operation);
    }
    let of_reason =
        |(reason, operations): (&str, Vec<&str>)| Some(format!("{}: left out, because {reason}", all_of(&operations)?));
    let mut notes: Vec<String> = set_aside.into_iter().filter_map(of_reason).collect();
    let ids = api.operations.iter().map(|operation| operation.id.as_str());
    let twins: Vec<&str> = ids.zip(twins(&api.operations)).filter_map(|(id, twin)| twin.map(|_| id)).collect();
    notes.extend(all_of(&twins).map(|operations| {
        format!("{operations}: an operation before has the same method and path, but for the names of parameters, and is checked in its place")
    }));
    notes
}

/// Returns the first operations, and the number of the others.
pub(super) fn all_of(operations: &[impl AsRef<str>]) -> Option<String> {
    /// Few enough to be readable.
    const NAMED: usize = 3;
    /// A path may have thousands of characters.
    const LETTERS: usize = 100;
    let shown = |operation: &str| {
        let letters = operation.chars();
        let is_long = letters.clone().nth(LETTERS).is_some();
        let first: String = letters.take(LETTERS).chain(is_long.then_some('…')).collect();
        format!("`{first}`")
    };
    let named: Vec<String> = operations.iter().take(NAMED).map(|operation| shown(operation.as_ref())).collect();
    let (last, others) = named.split_last()?;
    Some(match (operations.len() - named.len(), others) {
        (0, []) => last.clone(),
        (0, others) => format!("{} and {last}", others.join(", ")),
        (more, _) => format!("{} and {more} more", named.join(", ")),
    })
}

fn is_one_way(node: &Value) -> bool {
    match node {
        Value::Object(members) => {
            let is_such = node["writeOnly"] == true || node["format"] == "password";
            is_such || members.values().any(is_one_way)
        }
        Value::Array(items) => items.iter().any(is_one_way),
        _ => false,
    }
}

/// Returns the segment before a parameter, and the path including the parameter.
fn place_of<'p>(path: &'p str, name: &str) -> Option<(&'p str, &'p str)> {
    let at = path.find(&format!("/{{{name}}}"))?;
    let end = at + name.len() + "/{}".len();
    let before = path[..at].rsplit('/').find(|segment| !segment.starts_with('{')).unwrap_or_default();
    (path[end..].is_empty() || path[end..].starts_with('/')).then_some((before, &path[..end]))
}

fn example_of<'a>(node: &'a Value, name: &str) -> Option<&'a str> {
    node["parameters"].as_array()?.iter().find(|parameter| parameter["name"] == name)?.get("example")?.as_str()
}

/// Returns the texts of a list, or of a space-separated text.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Returns the form of the first documented refusal.
fn error(api: &Api, operation: &Operation) -> Option<ErrorBody> {
    let is_refusal = |status: &str| status == "default" || status.starts_with('4');
    let (_, shape) = operation.responses.iter().find(|(status, shape)| is_refusal(status) && shape.schema.is_some())?;
    let schema = api.resolve(shape.schema.as_ref()?);
    let mut texts = Vec::new();
    let mut has_status = false;
    for (name, member) in required(api, schema) {
        match api.kind(member) {
            Some("string") => texts.push(format!("/{name}")),
            Some("integer") if name == "status" => has_status = true,
            // Many APIs wrap the error in one member.
            Some("object") => {
                let inner = required(api, member).into_iter().filter(|(_, member)| api.kind(member) == Some("string"));
                texts.extend(inner.map(|(inner, _)| format!("/{name}/{inner}")));
            }
            _ => {}
        }
    }
    if texts.is_empty() && !has_status {
        return None;
    }
    Some(ErrorBody { media_type: shape.media_type.clone()?, texts, has_status })
}

/// Returns the required members of an object, with their schemas.
fn required<'a>(api: &'a Api, schema: &'a Value) -> Vec<(&'a str, &'a Value)> {
    let names = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    names.map(|name| (name, api.resolve(&schema["properties"][name]))).collect()
}

fn limits(api: &Api) -> Option<Limits> {
    let shapes = || api.operations.iter().flat_map(|operation| &operation.responses);
    let headers: BTreeSet<&String> = shapes().flat_map(|(_, shape)| &shape.headers).collect();
    let ending = |word: &str| {
        let fits = |name: &str| {
            name.to_lowercase().replace('-', "").contains("ratelimit") && name.to_lowercase().ends_with(word)
        };
        // `X-Rate-Limit` is the limit only if there is no more specific header.
        let longest = headers.iter().filter(|name| fits(name)).max_by_key(|name| name.len());
        longest.map(|name| (*name).clone())
    };
    let named = |known: &str| headers.iter().find(|name| name.eq_ignore_ascii_case(known)).map(|name| (*name).clone());
    // The fields of the IETF's draft: one field has the remaining calls and the end of the window.
    let fields = || {
        let field = named("ratelimit")?;
        Some([named("ratelimit-policy").unwrap_or_else(|| field.clone()), field.clone(), field])
    };
    let retry_after = shapes().any(|(status, shape)| {
        status == "429" && shape.headers.iter().any(|name| name.eq_ignore_ascii_case("retry-after"))
    });
    let three = || Some([ending("-limit")?, ending("remaining")?, ending("reset")?]);
    let headers = three().or_else(fields);
    (headers.is_some() || retry_after).then_some(Limits { headers, retry_after })
}
