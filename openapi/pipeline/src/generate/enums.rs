//! Enums of texts and integers, which become types of ours: open in responses, and closed in requests if the document names
//! the values. The names are those of `x-enum-varnames` and `x-enumNames`, and the titles of alternatives that are constants.

use std::collections::{BTreeSet, HashSet};

use heck::ToPascalCase as _;
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use serde_json::{Map, Value, json};

use super::compact::IN_MACRO;
use super::walker::{Side, for_each_schema};
use super::{docs, names, sharing};
use crate::{name, walk};

/// The key that holds names and descriptions of the values until they are read.
pub(crate) const NAMES: &str = "x-keyfit-names";

/// The keywords of an alternative that is a constant.
const CONSTANT_KEYWORDS: [&str; 7] = ["const", "deprecated", "description", "enum", "example", "title", "type"];

/// An enum.
#[derive(Clone, Debug)]
pub(crate) struct Enum {
    /// The component.
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) values: Vec<EnumValue>,
    /// True if other values are kept unchanged.
    pub(crate) is_open: bool,
}

/// A value of an enum.
#[derive(Clone, Debug)]
pub(crate) struct EnumValue {
    /// A text or an integer.
    value: Value,
    name: Option<String>,
    description: Option<String>,
}

/// Converts alternatives that are constants to enums, and records the names of values. It runs while schemas still have the
/// document's keywords.
pub(crate) fn annotate(document: &mut Value) {
    for_each_schema(document, |_, _, schema| {
        walk::schemas(schema, &mut |schema| {
            let Some(object) = schema.as_object_mut() else { return };
            object.shift_remove(NAMES);
            let names = constants(object).or_else(|| names_by_vendor(object));
            object.extend(names.map(|names| (NAMES.to_owned(), names)));
        });
    });
}

/// Returns the names of values from the vendor keys of other generators, if there is one for each value.
fn names_by_vendor(object: &Map<String, Value>) -> Option<Value> {
    let values = object.get("enum")?.as_array()?;
    let names = texts_of_each(object, &NAME_KEYS)?;
    let descriptions = texts_of_each(object, &["x-enum-descriptions"]);
    let one = |index: usize| json!({ "name": names[index], "description": descriptions.map(|texts| &texts[index]) });
    Some((0..values.len()).map(one).collect())
}

/// The vendor keys of other generators under which a schema names its values.
pub(crate) const NAME_KEYS: [&str; 2] = ["x-enum-varnames", "x-enumNames"];

/// Returns the texts under the first of the keys that has one for each value of the enum.
pub(crate) fn texts_of_each<'a>(object: &'a Map<String, Value>, keys: &[&str]) -> Option<&'a Vec<Value>> {
    let values = object.get("enum")?.as_array()?;
    let list = |key: &&str| object.get(*key)?.as_array();
    keys.iter().filter_map(list).find(|texts| texts.len() == values.len() && texts.iter().all(Value::is_string))
}

/// Converts alternatives of which each is one value to an enum, and returns the names from their titles.
fn constants(object: &mut Map<String, Value>) -> Option<Value> {
    let key = ["oneOf", "anyOf"].into_iter().find(|key| object.contains_key(*key))?;
    if ["allOf", "enum", "properties", "const", "$ref"].iter().any(|key| object.contains_key(*key)) {
        return None;
    }
    let mut values = Vec::new();
    let mut names = Vec::new();
    let mut has_null = false;
    for part in object[key].as_array()? {
        let part = part.as_object()?;
        if part.get("type").is_some_and(|kind| kind == "null") && part.len() == 1 {
            has_null = true;
            continue;
        }
        if part.keys().any(|key| !CONSTANT_KEYWORDS.contains(&key.as_str()) && !key.starts_with("x-")) {
            return None;
        }
        let listed = part.get("enum").and_then(Value::as_array).map(Vec::as_slice);
        let ((Some(value), None) | (None, Some([value]))) = (part.get("const"), listed) else { return None };
        values.push(value.clone());
        names.push(json!({ "name": part.get("title"), "description": part.get("description") }));
    }
    let kind = kind(&values)?;
    object.shift_remove(key);
    object.entry("type").or_insert_with(|| json!(kind));
    if has_null {
        object.insert("nullable".to_owned(), json!(true));
    }
    object.insert("enum".to_owned(), Value::Array(values));
    Some(Value::Array(names))
}

/// Returns the common type of all values.
fn kind(values: &[Value]) -> Option<&'static str> {
    match values {
        [] => None,
        values if values.iter().all(Value::is_string) => Some("string"),
        values if values.iter().all(Value::is_i64) => Some("integer"),
        _ => None,
    }
}

/// Returns the values of an enum of texts, or of integers with names. A null among them is ignored: `nullable` covers it. The
/// names are removed from the schema.
pub(crate) fn take_values(object: &mut Map<String, Value>) -> Option<Vec<EnumValue>> {
    let names = object.shift_remove(NAMES);
    let values = object.get("enum")?.as_array()?;
    let names = names.as_ref().and_then(Value::as_array).filter(|names| names.len() == values.len());
    let text = |index: usize, key: &str| names.and_then(|names| names[index][key].as_str().map(str::to_owned));
    let known: Vec<EnumValue> = values
        .iter()
        .enumerate()
        .filter(|(_, value)| !value.is_null())
        .map(|(index, value)| EnumValue {
            value: value.clone(),
            name: text(index, "name"),
            description: text(index, "description"),
        })
        .collect();
    let values: Vec<Value> = known.iter().map(|known| known.value.clone()).collect();
    match kind(&values)? {
        "string" => Some(known),
        _ => is_named(&known).then_some(known),
    }
}

/// Returns whether each value has a name of its own.
fn is_named(known: &[EnumValue]) -> bool {
    let mut seen = HashSet::from(["Other".to_owned()]);
    known.iter().all(|known| known.name.as_deref().is_some_and(|name| seen.insert(ident(name))))
}

/// Gives the enums of requests with named values types of ours. `requests` are the schemas that requests use.
pub(crate) fn extract(document: &mut Value, requests: &BTreeSet<String>) -> Vec<Enum> {
    let mut extractor = Extractor { taken: sharing::type_names(document), found: Vec::new(), hoisted: Map::new() };
    for_each_schema(document, |document, site, schema| {
        if site.side(requests) == Side::Response {
            return;
        }
        match &site.component {
            // A reference to it could not allow null.
            Some(_) if may_be_null(schema) => {}
            Some(name) => match Extractor::closed(schema, name) {
                Some(found) => extractor.found.push(found),
                None => extractor.members(schema, name),
            },
            None => {
                let parameter = site.pointer.strip_suffix("/schema").filter(|at| at.contains("/parameters/"));
                let name = parameter.and_then(|at| document.pointer(at)?["name"].as_str()).unwrap_or("Body");
                extractor.inner(schema, &format!("{}{}", site.operation_name(document), name.to_pascal_case()));
            }
        }
    });
    sharing::add(document, extractor.hoisted);
    extractor.found
}

fn may_be_null(schema: &Value) -> bool {
    schema["nullable"] == true || schema["enum"].as_array().is_some_and(|values| values.contains(&Value::Null))
}

struct Extractor {
    /// The Rust names of schemas that are in use.
    taken: HashSet<String>,
    found: Vec<Enum>,
    hoisted: Map<String, Value>,
}

impl Extractor {
    fn closed(schema: &mut Value, name: &str) -> Option<Enum> {
        let object = schema.as_object_mut()?;
        let values = take_values(object).filter(|values| is_named(values))?;
        let description = object.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
        // The generator need not check what the type ensures.
        object.shift_remove("enum");
        Some(Enum { name: name.to_owned(), description, values, is_open: false })
    }

    fn inner(&mut self, schema: &mut Value, name: &str) {
        let is_nullable = may_be_null(schema);
        let Some(found) = Self::closed(schema, name) else { return self.members(schema, name) };
        if is_nullable {
            schema["nullable"] = json!(true);
        }
        let name = name::unique(name, &mut self.taken);
        let whole = names::hoist(schema, &name);
        self.hoisted.insert(name.clone(), whole);
        self.found.push(Enum { name, ..found });
    }

    fn members(&mut self, schema: &mut Value, name: &str) {
        names::for_each_inner(schema, name, &mut |inner, name| self.inner(inner, name));
    }
}

/// Returns the Rust name of a named value, or of a value without a name.
pub(crate) fn ident(text: &str) -> String {
    let plain = text.to_pascal_case();
    if name::is_identifier(&plain) { plain } else { name::of_type(&format!("Value {text}")) }
}

/// Returns a word in lower case, without punctuation.
fn letters(word: &str) -> String {
    word.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Returns the definition of the type.
pub(crate) fn item(known: &Enum) -> TokenStream {
    let is_named = is_named(&known.values);
    let mut taken = HashSet::from(["Other".to_owned()]);
    let mut idents = Vec::new();
    let mut values: Vec<&EnumValue> = Vec::new();
    for value in &known.values {
        let text = value.value.as_str().unwrap_or_default();
        let variant = ident(value.name.as_deref().filter(|_| is_named).unwrap_or(text));
        // Of values that differ in case or punctuation only, the later ones are left to `Other`, which keeps them.
        if taken.insert(variant.clone()) {
            idents.push(format_ident!("{variant}"));
            values.push(value);
        }
    }
    let docs = values.iter().zip(&idents).map(|(known, ident)| {
        let written = known.value.as_str().map_or_else(|| known.value.to_string(), str::to_owned);
        let lines = match &known.description {
            Some(text) => docs::lines(&format!("`{written}`: {text}")),
            // The variant's name is documentation enough.
            None if letters(&written) == letters(&ident.to_string()) => Vec::new(),
            None => docs::lines(&format!("`{written}`")),
        };
        quote!(#(#lines)*)
    });
    let name = format_ident!("{}", name::of_type(&known.name));
    let description = if known.description.is_empty() { format!("`{name}`") } else { known.description.clone() };
    let description = docs::lines(&description);
    let literals = values.iter().map(|known| match known.value.as_i64() {
        Some(number) => Literal::i64_unsuffixed(number),
        None => Literal::string(known.value.as_str().unwrap_or_default()),
    });
    let is_text = values.iter().all(|known| known.value.is_string());
    let written_by = match (known.is_open, is_text) {
        (true, true) => quote!(open_texts),
        (true, false) => quote!(open_numbers),
        (false, true) => quote!(texts),
        (false, false) => quote!(numbers),
    };
    let attribute = format_ident!("{IN_MACRO}");
    quote! {
        #(#description)*
        #[#attribute(#written_by)]
        pub enum #name { #(#docs #idents = #literals,)* }
    }
}
