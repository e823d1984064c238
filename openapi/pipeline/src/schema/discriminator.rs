//! Discriminators: the member that names the alternative of a union, and its values.

use serde_json::Value;

/// Returns the member that identifies the alternative of a value.
pub(crate) fn discriminator(schema: &Value) -> Option<&str> {
    schema["discriminator"]["propertyName"].as_str()
}

/// Returns the discriminator value of an alternative: its key in the mapping, or the name of its schema.
pub(crate) fn tag_of<'a>(schema: &'a Value, variant: &'a Value) -> Option<&'a str> {
    let reference = variant.get("$ref").and_then(Value::as_str)?;
    let name = reference.rsplit('/').next()?;
    let mapping = schema["discriminator"]["mapping"].as_object();
    let mapped = mapping.into_iter().flatten().find(|(_, target)| leads_to(target, reference, name));
    Some(mapped.map_or(name, |(key, _)| key.as_str()))
}

/// Returns whether a discriminator value selects this alternative.
pub(super) fn is_named_by(schema: &Value, variant: &Value, told: &str) -> bool {
    let Some(reference) = variant.get("$ref").and_then(Value::as_str) else { return false };
    let name = reference.rsplit('/').next().unwrap_or_default();
    match schema["discriminator"]["mapping"].get(told) {
        Some(target) => leads_to(target, reference, name),
        None => told == name,
    }
}

/// Returns whether an entry of a mapping names a schema, by reference or by name.
fn leads_to(target: &Value, reference: &str, name: &str) -> bool {
    target.as_str().is_some_and(|target| target == reference || target == name)
}
