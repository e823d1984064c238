//! YAML as another reader than the pipeline's reads it.

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value};

/// The value of a text, `None` where it is no YAML.
pub(crate) fn read(text: &str) -> Option<Value> {
    let nodes = Yaml::load_from_str(text).ok()?;
    Some(nodes.first().map_or(Value::Null, value))
}

fn value(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(Scalar::Boolean(flag)) => (*flag).into(),
        Yaml::Value(Scalar::Integer(number)) => (*number).into(),
        Yaml::Value(Scalar::FloatingPoint(number)) => Value::from(number.into_inner()),
        Yaml::Value(Scalar::String(text)) => text.as_ref().into(),
        Yaml::Sequence(items) => items.iter().map(value).collect(),
        Yaml::Mapping(entries) => {
            let entries = entries.iter().map(|(key, item)| {
                let key = value(key);
                (key.as_str().map_or_else(|| key.to_string(), str::to_owned), value(item))
            });
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Yaml::Tagged(_, inner) => value(inner),
        _ => Value::Null,
    }
}
