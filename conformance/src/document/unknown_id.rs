//! Ids that do not exist, in the type and form of a path parameter: a server that expects a number would refuse a word because of its
//! form, and not because the resource is missing.

use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, Parameter, example};
use serde_json::{Value, json};

/// A textual id that does not exist.
pub(crate) const UNKNOWN_ID: &str = "keyfit-no-such-id";
/// The first numeric id: near the end of the 32-bit range, where no server counts.
const FIRST_NUMBER: u64 = 1_987_000_000;
/// The shortest id that is taken for a hash or an object id, in characters.
const MIN_HEX_DIGITS: usize = 16;

/// Returns the `number`th nonexistent id for a parameter, in the form of `like`, an existing id, if one is known.
pub(crate) fn id(api: &Api, parameter: &Parameter, like: Option<&str>, number: usize) -> String {
    let schema = api.resolve(&parameter.schema);
    let text = || if number == 0 { UNKNOWN_ID.to_owned() } else { format!("{UNKNOWN_ID}-{number}") };
    let as_number = || (FIRST_NUMBER + number as u64).to_string();
    let uuid = || format!("6b657966-6974-4000-8000-{number:012x}");
    let hex = |length: usize| {
        let own = format!("{number:x}");
        "6b65796669740".chars().cycle().take(length.saturating_sub(own.len())).collect::<String>() + &own
    };
    let by_shape = like.and_then(|like| match shape(like) {
        Shape::Number => Some(as_number()),
        Shape::Uuid => Some(uuid()),
        Shape::Hex(length) => Some(hex(length)),
        Shape::Text => None,
    });
    let by_format = match schema.get("format").and_then(Value::as_str) {
        Some("uuid") => Some(uuid()),
        _ => None,
    };
    let is_number = matches!(api.kind(schema), Some("integer" | "number"));
    let most = schema.get("maximum").and_then(Value::as_u64).map(|most| most.saturating_sub(number as u64).to_string());
    let candidates = [by_format, by_shape]
        .into_iter()
        .flatten()
        .chain(if is_number { vec![as_number()] } else { vec![text()] })
        .chain(most.filter(|_| is_number))
        .chain([format!("kf{number}"), as_number(), uuid(), hex(24), hex(40)]);
    let fits = |candidate: &String| {
        let value =
            if is_number { candidate.parse::<u64>().map_or(Value::Null, Value::from) } else { json!(candidate) };
        like != Some(candidate) && schema::mismatch(api, Direction::Request, schema, &value).is_none()
    };
    candidates.into_iter().find(fits).or_else(|| made(api, schema, number).filter(fits)).unwrap_or_else(text)
}

/// Returns the example of the schema with the number at its end: the unchanged example may be an existing id.
fn made(api: &Api, schema: &Value, number: usize) -> Option<String> {
    let Value::String(made) = example::value(api, Direction::Request, schema) else { return None };
    let end = format!("{:x}", number + 1);
    let before = made.get(..made.len().checked_sub(end.len())?)?;
    Some(format!("{before}{end}")).filter(|other| *other != made)
}

/// The form of an id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Shape {
    Number,
    Uuid,
    Hex(usize),
    Text,
}

fn shape(id: &str) -> Shape {
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts: Vec<usize> = id.split('-').filter(|part| is_hex(part)).map(str::len).collect();
    if parts == [8, 4, 4, 4, 12] {
        Shape::Uuid
    } else if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) && id.len() < MIN_HEX_DIGITS {
        Shape::Number
    } else if is_hex(id) && id.len() >= MIN_HEX_DIGITS {
        Shape::Hex(id.len())
    } else {
        Shape::Text
    }
}

#[cfg(test)]
mod tests {
    use keyfit_openapi::{Source, Text};

    use super::*;

    fn of(schema: &str, like: Option<&str>, number: usize) -> String {
        let text = format!(
            "openapi: 3.0.3\ninfo: {{title: A, version: '1'}}\nservers: [{{url: 'https://a.example'}}]\npaths:\n  /a/{{id}}:\n    get: {{operationId: a, parameters: [{{name: id, in: path, required: true, schema: {schema}}}], responses: {{'200': {{description: d}}}}}}\n"
        );
        let source =
            Source { name: "a".to_owned(), document: Text::new("a.yaml", text), overlay: None, contract: None };
        let api = Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
        id(&api, &api.operations[0].parameters[0], like, number)
    }

    #[test]
    fn an_id_that_nobody_has_is_of_the_type_and_shape_of_those_that_exist() {
        for (schema, like, expected) in [
            ("{type: string}", None, "keyfit-no-such-id-2"),
            ("{type: string}", Some("mia"), "keyfit-no-such-id-2"),
            ("{type: integer}", None, "1987000002"),
            ("{type: integer, maximum: 5000}", None, "4998"),
            ("{type: string}", Some("17"), "1987000002"),
            ("{type: string, format: uuid}", None, "6b657966-6974-4000-8000-000000000002"),
            ("{type: string}", Some("0f8fad5b-d9cb-469f-a165-70867728950e"), "6b657966-6974-4000-8000-000000000002"),
            ("{type: string}", Some("507f1f77bcf86cd799439011"), ""),
            ("{type: string, maxLength: 8}", None, "kf2"),
            ("{type: string, pattern: '^[0-9]+$'}", None, "1987000002"),
            ("{type: string, pattern: '^[0-9a-f]{24}$'}", None, ""),
        ] {
            let made = of(schema, like, 2);
            if expected.is_empty() {
                assert!(made.len() == 24 && made.bytes().all(|byte| byte.is_ascii_hexdigit()), "{schema}: {made}");
            } else {
                assert_eq!(made, expected, "{schema} {like:?}");
            }
            assert_ne!(made, of(schema, like, 3), "{schema}: another one for each case");
        }
        let of_pattern = of("{type: string, pattern: '^cus_[a-z0-9]{6}$'}", None, 1);
        assert!(of_pattern.starts_with("cus_") && of_pattern.ends_with('2'), "{of_pattern}");
        assert_eq!(
            of("{type: string, enum: [a, b]}", Some("a"), 1),
            "keyfit-no-such-id-1",
            "one of a list is one that exists"
        );
        assert_eq!(of("{type: string}", None, 0), UNKNOWN_ID);
    }
}
