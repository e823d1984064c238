//! The equality of values, and of schemas without their annotations.

use serde_json::Value;

use super::validation::Validation;
use crate::walk;

/// Returns whether two values are equal. Numbers are compared by value, not by notation.
pub(super) fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| is_same(one, other)))
        }
        _ => one == other,
    }
}

/// The keywords that inform readers and do not constrain values.
const ANNOTATIONS: [&str; 7] = ["default", "deprecated", "description", "example", "examples", "externalDocs", "title"];

/// The maximum depth of a comparison of two schemas.
const MAX_DEPTH: usize = 16;

/// Returns the schemas without duplicates: no value can fit only one of two equal schemas.
pub(super) fn distinct<'a>(validation: &Validation<'_>, schemas: Vec<&'a Value>) -> Vec<&'a Value> {
    let mut distinct: Vec<&Value> = Vec::new();
    for schema in schemas {
        if !distinct.iter().any(|known| is_equal_schema(validation, known, schema, 0)) {
            distinct.push(schema);
        }
    }
    distinct
}

/// Returns whether two schemas are equal, annotations left out.
fn is_equal_schema(validation: &Validation<'_>, one: &Value, other: &Value, depth: usize) -> bool {
    if !validation.spend(1) || depth > MAX_DEPTH {
        return false;
    }
    let (one, other) = (walk::resolve(validation.document, one), walk::resolve(validation.document, other));
    if std::ptr::eq(one, other) {
        return true;
    }
    let same = |one: &Value, other: &Value| is_equal_schema(validation, one, other, depth + 1);
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let says = |key: &&String| !ANNOTATIONS.contains(&key.as_str()) && !key.starts_with("x-");
            one.keys().filter(says).count() == other.keys().filter(says).count()
                && one.iter().filter(|(key, _)| says(key)).all(|(key, one)| match (one, other.get(key)) {
                    // Names that the author of the document chose, not keywords.
                    (Value::Object(one), Some(Value::Object(other))) if key == "properties" => {
                        one.len() == other.len()
                            && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| same(one, other)))
                    }
                    (one, other) => other.is_some_and(|other| same(one, other)),
                })
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        _ => one == other,
    }
}
