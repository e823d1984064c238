//! Names that schemas give themselves: `$anchor`, `$dynamicAnchor` and `$id` of JSON Schema 2020-12. References by such a name are
//! replaced by JSON pointers, because later steps support only these.

use std::collections::HashMap;

use serde_json::{Value, json};
use url::Url;

use crate::repair::Repairs;
use crate::{pointer, walk};

/// The rule of the repairs that record a replaced reference.
const RULE: &str = "anchor";

/// The names of the schemas of a document.
#[derive(Default)]
struct SchemaNames {
    /// The pointers of schemas by their absolute `$id`.
    resources: HashMap<String, String>,
    /// The pointers of schemas by the URI of the enclosing resource with their anchor.
    anchors: HashMap<String, String>,
    /// The pointers of schemas by their dynamic anchor.
    dynamic: HashMap<String, Vec<String>>,
}

/// A reference by URI, anchor or pointer.
struct AnchorReference {
    /// The pointer of the reference.
    at: String,
    is_dynamic: bool,
    target: String,
    /// The URI of the enclosing schema with an `$id`, and the pointer of that schema; both are empty if there is none.
    base: String,
    resource: String,
}

/// Replaces references by such names by references to pointers. A dangling reference is kept, and so is a dynamic one whose target
/// depends on where it is used, because several schemas have the anchor.
pub(crate) fn resolve_anchors(document: &mut Value, repairs: &mut Repairs) {
    if !has_anchors(document) {
        return;
    }
    let (mut names, mut links) = (SchemaNames::default(), Vec::new());
    collect(document, "", ("", ""), false, &mut names, &mut links);
    for link in links {
        let Some(target) = names.target_pointer(document, &link) else { continue };
        let Some((schema, key)) = link.at.rsplit_once('/') else { continue };
        let Some(schema) = document.pointer_mut(schema).and_then(Value::as_object_mut) else { continue };
        let reference = format!("#{target}");
        repairs.note(RULE, &link.at, format!("`{}` is read as `{reference}`", link.target));
        schema.shift_remove(key);
        schema.insert("$ref".to_owned(), json!(reference));
    }
}

/// Returns whether a document has a key for such a name, or a `$dynamicRef`. Most documents have none, and are not searched in
/// detail.
fn has_anchors(node: &Value) -> bool {
    let is_name = |key: &str| matches!(key, "$anchor" | "$dynamicAnchor" | "$dynamicRef" | "$id");
    match node {
        Value::Object(object) => object.iter().any(|(key, inner)| is_name(key) || has_anchors(inner)),
        Value::Array(items) => items.iter().any(has_anchors),
        _ => false,
    }
}

impl SchemaNames {
    /// Returns the pointer of a reference's target; `None` if the reference is dangling or a valid pointer already.
    fn target_pointer(&self, document: &Value, link: &AnchorReference) -> Option<String> {
        let AnchorReference { is_dynamic, target, base, resource, .. } = link;
        let (file, fragment) = target.split_once('#').unwrap_or((target, ""));
        if *is_dynamic && file.is_empty() && self.dynamic.get(fragment).is_some_and(|places| places.len() > 1) {
            return None;
        }
        let whole = if file.is_empty() { base.clone() } else { resolved(base, file) };
        let root = if file.is_empty() { Some(resource) } else { self.resources.get(&whole) };
        let place = match fragment.starts_with('/') || fragment.is_empty() {
            // A valid pointer is kept: authors use pointers within a schema that has an `$id` as well.
            true if !is_dynamic && file.is_empty() && document.pointer(fragment).is_some() => return None,
            true => format!("{}{fragment}", root?),
            false => self.anchors.get(&format!("{whole}#{fragment}"))?.clone(),
        };
        document.pointer(&place).is_some().then_some(place)
    }
}

/// Collects names and references. `around` is the URI and the pointer of the schema with an `$id` that a node is in.
fn collect(
    node: &Value,
    at: &str,
    around: (&str, &str),
    keys_are_names: bool,
    names: &mut SchemaNames,
    links: &mut Vec<AnchorReference>,
) {
    match node {
        Value::Object(object) => {
            let text = |key: &str| object.get(key).and_then(Value::as_str).filter(|_| !keys_are_names);
            let own = text("$id").map(|id| resolved(around.0, id.trim_end_matches('#')));
            let around = own.as_deref().map_or(around, |own| (own, at));
            if let Some(own) = &own {
                names.resources.insert(own.clone(), at.to_owned());
            }
            for key in ["$anchor", "$dynamicAnchor"] {
                let Some(anchor) = text(key) else { continue };
                names.anchors.insert(format!("{}#{anchor}", around.0), at.to_owned());
                if key == "$dynamicAnchor" {
                    names.dynamic.entry(anchor.to_owned()).or_default().push(at.to_owned());
                }
            }
            for key in ["$ref", "$dynamicRef"] {
                let Some(target) = text(key) else { continue };
                let (base, resource) = (around.0.to_owned(), around.1.to_owned());
                let is_dynamic = key == "$dynamicRef";
                links.push(AnchorReference {
                    at: pointer::join(at, key),
                    is_dynamic,
                    target: target.to_owned(),
                    base,
                    resource,
                });
            }
            for (key, inner) in object {
                let is_data = matches!(key.as_str(), "example" | "examples" | "default" | "enum" | "const")
                    || walk::is_extension(key);
                if keys_are_names || !is_data {
                    let names_follow = at == "/components" || MAPS_OF_NAMES.contains(&key.as_str());
                    collect(inner, &pointer::join(at, key), around, names_follow && !keys_are_names, names, links);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &format!("{at}/{index}"), around, false, names, links);
            }
        }
        _ => {}
    }
}

/// The keywords whose keys are names that the document's author chose.
const MAPS_OF_NAMES: [&str; 6] =
    ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "headers"];

/// Returns a URI reference resolved against the URI of the enclosing resource. A text that is not a URI reference is returned
/// unchanged.
fn resolved(base: &str, reference: &str) -> String {
    let whole = Url::parse(base).and_then(|base| base.join(reference)).or_else(|_| Url::parse(reference));
    whole.map_or_else(|_| reference.to_owned(), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the schemas with resolved references, and the number of repairs.
    fn settled(schemas: &Value) -> (Value, usize) {
        let mut document = json!({ "openapi": "3.1.0", "paths": {}, "components": { "schemas": schemas } });
        let mut repairs = Repairs::default();
        resolve_anchors(&mut document, &mut repairs);
        (document["components"]["schemas"].take(), repairs.iter().count())
    }

    fn reference(place: &str) -> Value {
        json!({ "$ref": format!("#/components/schemas/{place}") })
    }

    #[test]
    fn anchors_and_ids_are_places() {
        let ids = |id: &str, more: Value| json!({ "$id": id, "type": "object", "properties": more });
        let (schemas, notes) = settled(&json!({
            "Tag": { "$anchor": "tag", "type": "string" },
            "Pet": ids("https://a.example/v1/pet", json!({
                "tag": { "$anchor": "own" }, "own": { "$ref": "#own" }, "by_place": { "$ref": "#/properties/tag" },
                "plain": { "$ref": "#/components/schemas/Tag" }, "none": { "$ref": "#tag" },
                "owner": { "$ref": "owner" }, "whole": { "$ref": "/v1/owner#name" }, "inner": { "$ref": "owner#/properties/name" },
                // A member of this name is none.
                "$anchor": { "$ref": "#/components/schemas/Tag" },
            })),
            "Owner": ids("https://a.example/v1/owner", json!({ "name": { "$anchor": "name" } })),
            "Other": { "properties": { "tag": { "$ref": "#tag" }, "pet": { "$ref": "https://a.example/v1/pet" } } },
            "Node": { "$dynamicAnchor": "node", "properties": { "child": { "$dynamicRef": "#node" } } },
        }));
        let of_pet = &schemas["Pet"]["properties"];
        assert_eq!(of_pet["own"], reference("Pet/properties/tag"));
        assert_eq!(of_pet["by_place"], reference("Pet/properties/tag"));
        assert_eq!(of_pet["plain"], reference("Tag"));
        assert_eq!(of_pet["none"], json!({ "$ref": "#tag" }), "it is another resource's");
        assert_eq!(of_pet["owner"], reference("Owner"));
        assert_eq!(of_pet["whole"], reference("Owner/properties/name"));
        assert_eq!(of_pet["inner"], reference("Owner/properties/name"));
        assert_eq!(schemas["Other"]["properties"], json!({ "tag": reference("Tag"), "pet": reference("Pet") }));
        assert_eq!(schemas["Node"]["properties"]["child"], reference("Node"));
        assert_eq!(notes, 8);
    }

    #[test]
    fn a_dynamic_reference_that_depends_on_where_it_is_used_stays() {
        let node = json!({ "$dynamicAnchor": "node", "properties": { "child": { "$dynamicRef": "#node" } } });
        let (schemas, notes) =
            settled(&json!({ "Node": node, "Strict": { "$dynamicAnchor": "node", "allOf": [reference("Node")] } }));
        assert_eq!(schemas["Node"], node);
        assert_eq!(notes, 0);
    }
}
