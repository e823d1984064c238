//! Members of patch requests: an absent member is left unchanged, and null clears it. Their type is `Patch`, which
//! distinguishes both from a value, and not `Option`, which has only one such state.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use heck::ToPascalCase as _;
use serde_json::{Map, Value, json};
use syn::{Item, Meta, parse_quote};

use super::adapt::type_argument;
use super::schema_record::describe;
use super::walker::{Side, for_each_schema};
use super::{docs, names, sharing};
use crate::media_type::{essence, is_json};
use crate::{Api, name, pointer, walk};

/// The end of such a member's documentation: the generator passes on descriptions only.
const DOC: &str = "An absent member is left unchanged; null clears it.";

/// The maximum depth to which nested objects are followed.
const MAX_DEPTH: usize = 8;

/// The use of a schema.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum BodyUse {
    /// A merge patch (RFC 7396), where null removes.
    Merge,
    /// Another body of PATCH.
    Change,
    Other,
}

/// Marks members of schemas that requests use. In bodies of PATCH and in merge patches these are the optional nullable ones.
/// In schemas that only merge patches use, these are all optional ones, since null removes a member whatever its schema
/// states. `requests` are the names of the schemas that requests use. Members with a type of their own get a name, which is
/// added to `requests`.
pub(crate) fn annotate(document: &mut Value, api: &Api, requests: &mut BTreeSet<String>) {
    let (bodies, uses) = uses(document, api);
    let mut taken = sharing::type_names(document);
    let mut hoisted = Map::new();
    for_each_schema(document, |document, site, schema| {
        let uses = match &site.component {
            Some(name) => uses.get(name).filter(|_| site.side(requests) == Side::Request),
            None => bodies.get(&site.pointer),
        };
        let patched = uses.map_or(Patched::None, |uses| Patched::of_uses(uses.iter()));
        if patched != Patched::None {
            let is_all = patched == Patched::All;
            let mut marker = PatchMarker { document, taken: &mut taken, hoisted: &mut hoisted, is_all };
            marker.mark(schema, &site.name(document), 0);
        }
    });
    requests.extend(hoisted.keys().cloned());
    if hoisted.is_empty() {
        return;
    }
    let schemas = &mut document["components"]["schemas"];
    if !schemas.is_object() {
        *schemas = json!({});
    }
    schemas.as_object_mut().into_iter().for_each(|schemas| schemas.extend(std::mem::take(&mut hoisted)));
}

type BodyUses = BTreeMap<String, BTreeSet<BodyUse>>;

/// Returns the uses of inline bodies, by pointer, and of components, by name.
fn uses(document: &Value, api: &Api) -> (BodyUses, BodyUses) {
    let (mut bodies, mut components) = (BodyUses::new(), BodyUses::new());
    for operation in &api.operations {
        let media_type = operation.body.as_ref().map(|body| body.media_type.as_str());
        let body = media_type.map_or(BodyUse::Other, |media_type| BodyUse::of(&operation.method, media_type));
        let at = format!("{}/requestBody/content", operation.pointer());
        for (at, media) in walk::members(document, &at) {
            bodies.entry(pointer::join(&at, "schema")).or_default().insert(body);
            record_uses(document, &media["schema"], body, 0, &mut components);
        }
    }
    (bodies, components)
}

/// The optional members of a request body whose type is `Patch`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Patched {
    All,
    Nullable,
    None,
}

impl Patched {
    /// Returns the members for the body of one call.
    pub(crate) fn in_body(method: &str, media_type: &str) -> Self {
        Self::of_uses([BodyUse::of(method, media_type)].iter())
    }

    fn of_uses<'a>(mut uses: impl Iterator<Item = &'a BodyUse> + Clone) -> Self {
        match uses.clone().all(|known| *known == BodyUse::Other) {
            true => Self::None,
            false if uses.all(|known| *known == BodyUse::Merge) => Self::All,
            false => Self::Nullable,
        }
    }
}

/// Returns the members for each component of bodies, in a document as published.
pub(crate) fn patched(document: &Value) -> BTreeMap<String, Patched> {
    let mut components = BodyUses::new();
    for (at, call) in walk::operations(document) {
        let (method, _) = walk::method_and_path(&at);
        let content = walk::resolve(document, &call["requestBody"])["content"].as_object();
        for (media_type, media) in content.into_iter().flatten() {
            record_uses(document, &media["schema"], BodyUse::of(&method, media_type), 0, &mut components);
        }
    }
    components.into_iter().map(|(name, uses)| (name, Patched::of_uses(uses.iter()))).collect()
}

impl BodyUse {
    fn of(method: &str, media_type: &str) -> Self {
        match essence(media_type).as_str() {
            "application/merge-patch+json" => Self::Merge,
            // A form has no null.
            kind if method.eq_ignore_ascii_case("PATCH") && is_json(kind) => Self::Change,
            _ => Self::Other,
        }
    }
}

/// Records the use of all components that an object consists of. Items of a list are not visited: a list is replaced as a
/// whole.
fn record_uses(document: &Value, schema: &Value, known: BodyUse, depth: usize, found: &mut BodyUses) {
    if depth > MAX_DEPTH {
        return;
    }
    if let Some(name) = walk::schema_name(schema).map(pointer::name)
        && !found.entry(name).or_default().insert(known)
    {
        return;
    }
    let own = walk::resolve(document, schema);
    let members = own.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(_, member)| member);
    let parts = ["allOf", "anyOf", "oneOf"].iter().filter_map(|key| own.get(*key)?.as_array()).flatten();
    for inner in members.chain(parts) {
        record_uses(document, inner, known, depth + 1, found);
    }
    for inner in ["items", "additionalProperties"].iter().filter_map(|key| own.get(*key)) {
        record_uses(document, inner, BodyUse::Other, depth + 1, found);
    }
}

struct PatchMarker<'a> {
    document: &'a Value,
    /// The Rust names of schemas that are in use.
    taken: &'a mut HashSet<String>,
    /// Schemas from inside others: otherwise a member and its type would share one description.
    hoisted: &'a mut Map<String, Value>,
    /// True if all optional members are marked.
    is_all: bool,
}

impl PatchMarker<'_> {
    fn mark(&mut self, schema: &mut Value, name: &str, depth: usize) {
        let Some(object) = schema.as_object_mut().filter(|_| depth <= MAX_DEPTH) else { return };
        let listed = object.get("required").and_then(Value::as_array).into_iter().flatten();
        let required: HashSet<String> = listed.filter_map(Value::as_str).map(str::to_owned).collect();
        for (key, member) in object.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
            let inner = format!("{name}{}", key.to_pascal_case());
            self.mark(member, &inner, depth + 1);
            let may_be_null = self.is_all || walk::resolve(self.document, member).get("nullable") == Some(&json!(true));
            if required.contains(key) || !may_be_null || member.get("readOnly") == Some(&json!(true)) {
                continue;
            }
            if ["properties", "enum"].iter().any(|key| member.get(key).is_some()) {
                let inner = name::unique(&inner, self.taken);
                let whole = names::hoist(member, &inner);
                self.hoisted.insert(inner, whole);
            }
            if member.get("$ref").is_some() {
                *member = json!({ "allOf": [member.take()] });
            }
            if let Some(member) = member.as_object_mut() {
                describe(member, DOC);
            }
        }
        for key in ["allOf", "anyOf", "oneOf"] {
            for part in object.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
                self.mark(part, name, depth + 1);
            }
        }
    }
}

/// Gives marked fields the type `Patch`. Returns them, by type and field.
pub(crate) fn apply(types: &mut [Item]) -> HashSet<(String, String)> {
    let mut found = HashSet::new();
    for item in types {
        let Item::Struct(item) = item else { continue };
        for field in &mut item.fields {
            let is_marked = field.attrs.iter().filter_map(docs::doc_text).any(|text| text.contains(DOC));
            let kind = type_argument(&field.ty).filter(|_| is_marked && is_option(&field.ty));
            let (Some(kind), Some(name)) = (kind, &field.ident) else { continue };
            found.insert((item.ident.to_string(), name.to_string()));
            field.ty = parse_quote!(::keyfit::Patch<#kind>);
            for attribute in field.attrs.iter_mut().filter(|attribute| attribute.path().is_ident("serde")) {
                let Meta::List(list) = &attribute.meta else { continue };
                let own =
                    list.tokens.to_string().replace("::std::option::Option::is_none", "::keyfit::Patch::is_absent");
                let own: proc_macro2::TokenStream = own.parse().unwrap_or_default();
                *attribute = parse_quote!(#[serde(default, #own)]);
            }
        }
    }
    found
}

/// Gives the fields of builders the type `Patch`.
pub(crate) fn of_builders(builders: &mut [Item], patches: &HashSet<(String, String)>) {
    for item in builders {
        let Item::Struct(item) = item else { continue };
        for field in &mut item.fields {
            let Some(name) = &field.ident else { continue };
            let is_patch = patches.contains(&(item.ident.to_string(), name.to_string()));
            if let Some(kind) = type_argument(&field.ty).and_then(|option| type_argument(&option)).filter(|_| is_patch)
            {
                field.ty = parse_quote!(::std::result::Result<::keyfit::Patch<#kind>, ::std::string::String>);
            }
        }
    }
}

fn is_option(kind: &syn::Type) -> bool {
    matches!(kind, syn::Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option"))
}
