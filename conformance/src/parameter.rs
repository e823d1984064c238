//! Parameters of a request before percent-encoding: written for calls, and parsed by servers.

use keyfit_openapi::{ListStyle, Operation, Parameter, ParameterLocation};
use serde_json::{Map, Value};

use crate::body::plain;
use crate::form;

/// Returns the pairs of a query parameter: one for each value of a list, or as its style requires.
pub(crate) fn pairs(parameter: &Parameter, value: &Value) -> Vec<(String, String)> {
    if parameter.style == Some(ListStyle::Brackets) {
        let name = if value.is_array() || value.is_object() { parameter.name.clone() } else { name(parameter) };
        return form::in_brackets(&name, value);
    }
    let values = values_of(value);
    match parameter.style.map(|style| (style, style.separator())) {
        Some((_, Some(_))) if values.is_empty() => Vec::new(),
        Some((_, Some(_))) => vec![(parameter.name.clone(), text(parameter, value))],
        // The members of an object are parameters by their own names.
        _ if value.is_object() => {
            let members = value.as_object().into_iter().flatten().filter(|(_, member)| !member.is_null());
            members.map(|(name, member)| (name.clone(), plain(member))).collect()
        }
        _ => values.into_iter().map(|value| (name(parameter), value)).collect(),
    }
}

/// Returns the name of a parameter in the query.
pub(crate) fn name(parameter: &Parameter) -> String {
    match parameter.style {
        Some(ListStyle::Brackets) => format!("{}[]", parameter.name),
        _ => parameter.name.clone(),
    }
}

/// Returns the text of a path or header parameter.
pub(crate) fn text(parameter: &Parameter, value: &Value) -> String {
    let Some(style) = parameter.style else { return plain(value) };
    let values = values_of(value);
    let joined = |separator: char| values.join(&separator.to_string());
    match style {
        ListStyle::Label | ListStyle::LabelExploded => {
            format!(".{}", style.separator().map(joined).unwrap_or_default())
        }
        ListStyle::Matrix => format!(";{}={}", parameter.name, joined(',')),
        ListStyle::MatrixExploded => {
            values.iter().map(|value| format!(";{}={value}", parameter.name)).collect::<Vec<_>>().concat()
        }
        _ => joined(style.separator().unwrap_or(',')),
    }
}

/// Returns the value of a path parameter in its textual form.
pub(crate) fn in_path(operation: &Operation, arguments: &Map<String, Value>, name: &str) -> Option<String> {
    let is_it = |parameter: &&Parameter| parameter.location == ParameterLocation::Path && parameter.name == name;
    Some(text(operation.parameters.iter().find(is_it)?, arguments.get(name)?))
}

/// Parses the values in such a text; `None` if it does not have the notation of the style.
pub(crate) fn values(parameter: &Parameter, text: &str) -> Option<Vec<String>> {
    let split = |text: &str, separator: char| text.split(separator).map(str::to_owned).collect();
    let Some(style) = parameter.style else { return Some(vec![text.to_owned()]) };
    match style {
        ListStyle::Label => Some(split(text.strip_prefix('.')?, ',')),
        ListStyle::LabelExploded => Some(split(text.strip_prefix('.')?, '.')),
        ListStyle::Matrix => Some(split(text.strip_prefix(&format!(";{}=", parameter.name))?, ',')),
        ListStyle::MatrixExploded => {
            let named = format!("{}=", parameter.name);
            text.strip_prefix(';')?.split(';').map(|part| part.strip_prefix(&named).map(str::to_owned)).collect()
        }
        ListStyle::Brackets => Some(vec![text.to_owned()]),
        _ => Some(split(text, style.separator().unwrap_or(','))),
    }
}

/// Returns the style for the client.
pub(crate) fn style(style: ListStyle) -> keyfit::ListStyle {
    match style {
        ListStyle::Commas => keyfit::ListStyle::Commas,
        ListStyle::Spaces => keyfit::ListStyle::Spaces,
        ListStyle::Pipes => keyfit::ListStyle::Pipes,
        ListStyle::Tabs => keyfit::ListStyle::Tabs,
        ListStyle::Brackets => keyfit::ListStyle::Brackets,
        ListStyle::Label => keyfit::ListStyle::Label,
        ListStyle::LabelExploded => keyfit::ListStyle::LabelExploded,
        ListStyle::Matrix => keyfit::ListStyle::Matrix,
        ListStyle::MatrixExploded => keyfit::ListStyle::MatrixExploded,
    }
}

/// Returns the values of a list, or the single value; null is no value.
fn values_of(value: &Value) -> Vec<String> {
    let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    items.iter().filter(|item| !item.is_null()).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let styles = [
            (None, "a"),
            (Some(ListStyle::Commas), "a,b"),
            (Some(ListStyle::Spaces), "a b"),
            (Some(ListStyle::Pipes), "a|b"),
            (Some(ListStyle::Tabs), "a\tb"),
            (Some(ListStyle::Label), ".a,b"),
            (Some(ListStyle::LabelExploded), ".a.b"),
            (Some(ListStyle::Matrix), ";ids=a,b"),
            (Some(ListStyle::MatrixExploded), ";ids=a;ids=b"),
        ];
        for (style, written) in styles {
            let parameter = Parameter {
                name: "ids".to_owned(),
                location: ParameterLocation::Path,
                required: true,
                schema: json!({}),
                style,
            };
            let value = if style.is_none() { json!("a") } else { json!(["a", "b"]) };
            assert_eq!(text(&parameter, &value), written);
            assert_eq!(values(&parameter, written), Some(values_of(&value)), "{style:?}");
        }
        let query = |style| Parameter {
            name: "ids".to_owned(),
            location: ParameterLocation::Query,
            required: false,
            schema: json!({}),
            style,
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let value = json!([1, null, 2]);
        assert_eq!(pairs(&query(None), &value), [pair("ids", "1"), pair("ids", "2")]);
        assert_eq!(pairs(&query(Some(ListStyle::Commas)), &value), [pair("ids", "1,2")]);
        assert_eq!(pairs(&query(Some(ListStyle::Commas)), &json!([])), []);
        assert_eq!(pairs(&query(Some(ListStyle::Brackets)), &value), [pair("ids[]", "1"), pair("ids[]", "2")]);
        let value = json!({ "a": { "b": [1, 2] }, "c": "d", "e": null });
        let deep = [pair("ids[a][b][]", "1"), pair("ids[a][b][]", "2"), pair("ids[c]", "d")];
        assert_eq!(pairs(&query(Some(ListStyle::Brackets)), &value), deep);
        assert_eq!(pairs(&query(None), &json!({ "c": "d", "e": null })), [pair("c", "d")]);
    }
}
