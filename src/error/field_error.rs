//! The fields that an error body names as at fault, in whatever form it lists them.

use serde_json::Value;

/// A field at fault.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FieldError {
    /// The field: a name or a JSON pointer, as the server writes it. `None` where it names none.
    pub field: Option<String>,
    /// The index of the item in the batch that was sent, where the server names one.
    pub position: Option<usize>,
    /// The server's words.
    pub message: String,
}

/// Reads `{field: [message]}`, lists of `{field or pointer, message or detail}`, and lists of texts.
pub(crate) fn read(details: &Value) -> Vec<FieldError> {
    match details {
        Value::Array(items) => items.iter().flat_map(item).collect(),
        Value::Object(_) if named(details).is_some() => item(details),
        Value::Object(fields) => fields.iter().flat_map(|(field, messages)| of_field(Some(field), messages)).collect(),
        _ => Vec::new(),
    }
}

/// One entry of a list.
fn item(item: &Value) -> Vec<FieldError> {
    let position = ["position", "index"].into_iter().find_map(|key| item[key].as_u64()?.try_into().ok());
    let errors = match (named(item), item) {
        (Some(field), _) => of_field(Some(field), words(item, &["message", "detail", "error", "reason"])),
        (None, Value::Object(members)) => match members.get("errors").filter(|errors| errors.is_object()) {
            Some(errors) => read(errors),
            None => of_field(None, words(item, &["message", "detail", "error"])),
        },
        (None, _) => of_field(None, item),
    };
    errors.into_iter().map(|error| FieldError { position, ..error }).collect()
}

/// The name under which an entry has its field.
fn named(item: &Value) -> Option<&str> {
    ["field", "pointer", "path", "property"].into_iter().find_map(|key| item.get(key)?.as_str())
}

/// Returns the value of an entry under the first of these names that it has; the whole entry if it has none.
fn words<'a>(item: &'a Value, names: &[&str]) -> &'a Value {
    names.iter().map(|name| &item[*name]).find(|words| !words.is_null()).unwrap_or(item)
}

fn of_field(field: Option<&str>, messages: &Value) -> Vec<FieldError> {
    let made = |message: &Value| FieldError {
        field: field.map(str::to_owned),
        position: None,
        message: message.as_str().map_or_else(|| message.to_string(), str::to_owned),
    };
    match messages {
        Value::Array(messages) => messages.iter().map(made).collect(),
        message => vec![made(message)],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(details: &Value) -> Vec<(Option<String>, Option<usize>, String)> {
        read(details).into_iter().map(|error| (error.field, error.position, error.message)).collect()
    }

    #[test]
    fn every_form_gives_field_and_words() {
        let expected = vec![(Some("to".to_owned()), None, "is no number".to_owned())];
        for details in [
            json!({"to": ["is no number"]}),
            json!({"to": "is no number"}),
            json!([{"field": "to", "message": "is no number"}]),
            json!([{"pointer": "to", "detail": "is no number"}]),
            json!({"field": "to", "message": "is no number"}),
        ] {
            assert_eq!(told(&details), expected, "{details}");
        }
    }

    #[test]
    fn the_position_of_an_item_goes_with_each_of_its_faults() {
        let details = json!([{"position": 3, "errors": {"to": ["a", "b"]}}]);
        let field = Some("to".to_owned());
        assert_eq!(told(&details), [(field.clone(), Some(3), "a".to_owned()), (field, Some(3), "b".to_owned())]);
    }

    #[test]
    fn texts_alone_are_words_without_a_field() {
        assert_eq!(told(&json!(["a", 1])), [(None, None, "a".to_owned()), (None, None, "1".to_owned())]);
        assert_eq!(told(&json!("a sentence")), []);
    }
}
