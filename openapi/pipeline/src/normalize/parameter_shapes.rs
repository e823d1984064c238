//! Parameters of every shape, reduced to forms that a request can carry: plain values and lists in the query, plain values
//! elsewhere. Other values are given by the caller as text. Parameters that cannot be sent at all are recorded.

use serde_json::{Map, Value, json};

use super::Unsupported;
use super::parameters::remove_operation;
use crate::repair::Repairs;
use crate::{ListStyle, pointer, walk};

/// The maximum nesting depth of the members of a `deepObject`.
const MAX_DEPTH: usize = 4;

/// The extension key of a parameter that holds the style of its values.
pub(crate) const STYLE: &str = "x-keyfit-style";

/// The maximum number of members of an object in the query.
const MAX_MEMBERS: usize = 200;

/// Rewrites the parameters of every operation. Sets operations aside that require a parameter which cannot be sent.
pub(crate) fn rewrite(document: &mut Value, repairs: &mut Repairs) -> Vec<Unsupported> {
    let mut unsupported = Vec::new();
    for at in walk::operation_pointers(document) {
        let list = pointer::join(&at, "parameters");
        let Some(parameters) = document.pointer(&list).and_then(Value::as_array).cloned() else { continue };
        let mut shaper = ParameterRewriter { document, at: &at, repairs, missing: None };
        let mut settled: Vec<Value> = Vec::new();
        let mut cookies = Vec::new();
        for parameter in parameters {
            match parameter["in"].as_str() {
                Some("cookie") => cookies.push(parameter),
                Some("query") => settled.extend(shaper.query(parameter)),
                Some("header") if !is_header_name(&parameter) => {
                    shaper.record_unsendable(&parameter, "has a name that HTTP does not allow");
                }
                Some("path" | "header") => settled.push(shaper.simple(parameter)),
                place => shaper.record_unsendable(&parameter, &format!("is sent in `{}`", place.unwrap_or("nowhere"))),
            }
        }
        if let Some(reason) = shaper.missing {
            unsupported.push(remove_operation(document, &at, reason, repairs));
            continue;
        }
        if !cookies.is_empty() {
            settled.push(cookie_header(&cookies, &at, repairs));
        }
        if let Some(place) = document.pointer_mut(&list) {
            *place = Value::Array(settled);
        }
    }
    unsupported
}

/// Merges all cookies into one header.
fn cookie_header(cookies: &[Value], at: &str, repairs: &mut Repairs) -> Value {
    let names: Vec<&str> = cookies.iter().filter_map(|cookie| cookie["name"].as_str()).collect();
    let form = names.iter().map(|name| format!("{name}=...")).collect::<Vec<_>>().join("; ");
    repairs.narrow("cookie", at, format!("cookies are given as one text, `Cookie`: `{form}`"));
    let required = cookies.iter().any(|cookie| cookie["required"] == true);
    json!({
        "name": "Cookie", "in": "header", "required": required,
        "description": format!("The cookies as one text: `{form}`."),
        "schema": { "type": "string" },
    })
}

struct ParameterRewriter<'a> {
    document: &'a Value,
    at: &'a str,
    repairs: &'a mut Repairs,
    /// The reason why the operation cannot be called.
    missing: Option<String>,
}

impl ParameterRewriter<'_> {
    /// Rewrites a parameter of the path or a header: one value, or a list in one value.
    fn simple(&mut self, parameter: Value) -> Value {
        let Some(schema) = self.schema(&parameter) else { return self.as_json(parameter) };
        let is_in_path = parameter["in"] == "path";
        let explode = parameter["explode"] == true;
        let style = match parameter["style"].as_str() {
            Some("label") if is_in_path && explode => ListStyle::LabelExploded,
            Some("label") if is_in_path => ListStyle::Label,
            Some("matrix") if is_in_path && explode => ListStyle::MatrixExploded,
            Some("matrix") if is_in_path => ListStyle::Matrix,
            style => delimited(style.unwrap_or_default()),
        };
        match walk::kind(&schema) {
            Some("array") => self.list(parameter, schema, Some(style)),
            Some("object") => self.as_text(parameter, "as names and values with commas between them"),
            _ => {
                let is_plain = style == ListStyle::Commas;
                let mut parameter = self.non_null(without_style(parameter), schema);
                if !is_plain {
                    parameter[STYLE] = json!(style);
                }
                parameter
            }
        }
    }

    /// Removes `nullable`: a value in a path, a header or a list there cannot be null.
    fn non_null(&mut self, mut parameter: Value, mut schema: Value) -> Value {
        if schema.get("nullable") == Some(&json!(true)) {
            self.repairs.note("nullable-parameter", self.at, format!("{} cannot be null there", label(&parameter)));
            if let Some(object) = schema.as_object_mut() {
                object.shift_remove("nullable");
            }
            parameter["schema"] = schema;
        }
        parameter
    }

    fn query(&mut self, parameter: Value) -> Vec<Value> {
        let Some(schema) = self.schema(&parameter) else { return vec![self.as_json(parameter)] };
        let style = parameter["style"].as_str().unwrap_or("form").to_owned();
        let style = style.as_str();
        let explode = parameter["explode"].as_bool().unwrap_or(style == "form");
        let kind = walk::kind(&schema);
        match (kind, style) {
            (Some("array"), "deepObject") => vec![self.list(parameter, schema, Some(ListStyle::Brackets))],
            (Some("array"), _) => {
                let joined = (!explode).then(|| delimited(style));
                vec![self.list(parameter, schema, joined)]
            }
            (Some("object"), "form") if !explode => {
                vec![self.as_text(parameter, "as names and values with commas between them")]
            }
            (Some("object"), "form" | "deepObject") => self.members(&parameter, &schema, style == "deepObject"),
            (Some("object"), _) => vec![self.as_text(parameter, &format!("in the style {style}"))],
            (None, _) => vec![self.union(without_style(parameter), schema)],
            _ => vec![without_style(parameter)],
        }
    }

    /// Rewrites a list; its items must be plain values.
    fn list(&mut self, parameter: Value, schema: Value, style: Option<ListStyle>) -> Value {
        let items = walk::resolve(self.document, &schema["items"]);
        let are_plain = !matches!(walk::kind(items), Some("object" | "array"));
        let mut parameter = without_style(parameter);
        if !are_plain && style != Some(ListStyle::Brackets) {
            let note = format!("the values of {} are no plain ones: each is given as text", label(&parameter));
            self.repairs.narrow("text-parameter", self.at, note);
            parameter["schema"] = json!({ "type": "array", "items": { "type": "string" } });
        } else if parameter["in"] != "query" {
            parameter = self.non_null(parameter, schema);
        }
        if let Some(style) = style {
            parameter[STYLE] = json!(style);
        }
        parameter
    }

    /// Drops the objects from a union in the query: an object would be sent without the parameter's name.
    fn union(&mut self, mut parameter: Value, mut schema: Value) -> Value {
        let key = ["oneOf", "anyOf"].into_iter().find(|key| schema[*key].is_array());
        let Some(variants) = key.and_then(|key| schema[key].as_array_mut()) else { return parameter };
        let count = variants.len();
        let document = self.document;
        variants.retain(|variant| walk::kind(walk::resolve(document, variant)) != Some("object"));
        if variants.len() == count {
            return parameter;
        }
        if variants.is_empty() {
            return self.as_text(parameter, "as the server reads it");
        }
        let note = format!("of {} the values that are objects cannot be given", label(&parameter));
        self.repairs.narrow("lost-parameter", self.at, note);
        parameter["schema"] = schema;
        parameter
    }

    /// Replaces an object by one parameter for each member, and one of its own name for members that the document does not
    /// name.
    fn members(&mut self, parameter: &Value, schema: &Value, is_deep: bool) -> Vec<Value> {
        let name = parameter["name"].as_str().unwrap_or_default();
        let mut found = Vec::new();
        let prefix = is_deep.then_some(name);
        self.flatten(schema, prefix, parameter["required"] == true, 0, &mut found);
        if found.len() > MAX_MEMBERS {
            self.record_unsendable(parameter, &format!("has more than {MAX_MEMBERS} members"));
            return Vec::new();
        }
        let is_named = |name: &str, found: &[Value]| found.iter().any(|member| member["name"] == name);
        if let Some(values) = self.open_members(schema)
            && !is_named(name, &found)
        {
            let is_required = parameter["required"] == true && found.is_empty();
            let mut rest = object(name, &values, is_required, is_deep);
            if let Some(text) = parameter.get("description").filter(|text| text.is_string()) {
                rest["description"] = text.clone();
            }
            found.push(rest);
        }
        if found.is_empty() {
            self.record_unsendable(parameter, "has no members that could be given");
            return found;
        }
        let named: Vec<&str> = found.iter().filter_map(|member| member["name"].as_str()).collect();
        if named != [name] {
            let note = format!("{} is given by its members: `{}`", label(parameter), named.join("`, `"));
            self.repairs.note("object-parameter", self.at, note);
        }
        found
    }

    /// Returns the schema of the members that the document does not name; `None` if it allows no such members.
    fn open_members(&self, schema: &Value) -> Option<Value> {
        let has_own = walk::composed(self.document, schema)
            .iter()
            .any(|part| part.get("properties").and_then(Value::as_object).is_some_and(|own| !own.is_empty()));
        match schema.get("additionalProperties") {
            Some(Value::Bool(false)) => None,
            Some(values) if values.is_object() => Some(values.clone()),
            Some(Value::Bool(true)) => Some(json!({})),
            // A schema without named members allows members of any name.
            _ => (!has_own).then(|| json!({})),
        }
    }

    fn flatten(&self, schema: &Value, prefix: Option<&str>, is_required: bool, depth: usize, found: &mut Vec<Value>) {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        // A schema that refers to itself several times expands without end.
        if found.len() > MAX_MEMBERS {
            return;
        }
        let parts = schema["allOf"].as_array().into_iter().flatten();
        for part in parts.filter(|_| depth < MAX_DEPTH) {
            self.flatten(walk::resolve(self.document, part), prefix, is_required, depth + 1, found);
        }
        for (key, member) in schema["properties"].as_object().into_iter().flatten() {
            let member = walk::resolve(self.document, member);
            let name = prefix.map_or_else(|| key.clone(), |prefix| format!("{prefix}[{key}]"));
            let is_required = is_required && required.iter().any(|name| name == key);
            let is_object = walk::kind(member) == Some("object");
            if is_object && depth < MAX_DEPTH {
                let before = found.len();
                self.flatten(member, Some(&name), is_required, depth + 1, found);
                if let Some(values) = self.open_members(member) {
                    found.push(object(&name, &values, is_required && found.len() == before, true));
                }
            } else if is_object {
                found.push(object(&name, &json!({}), is_required, true));
            } else {
                let mut schema = member.clone();
                if !matches!(walk::kind(member), Some("string" | "integer" | "number" | "boolean" | "array")) {
                    schema = json!({ "type": "string" });
                }
                let mut parameter = json!({ "name": name, "in": "query", "required": is_required, "schema": schema });
                if let Some(text) = member.get("description").filter(|text| text.is_string()) {
                    parameter["description"] = text.clone();
                }
                if prefix.is_some() && walk::kind(member) == Some("array") {
                    parameter[STYLE] = json!(ListStyle::Brackets);
                }
                found.push(parameter);
            }
        }
    }

    /// Returns the schema; `None` if the parameter has a media type instead, or no schema.
    fn schema(&self, parameter: &Value) -> Option<Value> {
        let schema = parameter.get("schema").filter(|_| parameter.get("content").is_none())?;
        Some(walk::resolve(self.document, schema).clone())
    }

    /// Rewrites a parameter whose value is a document of its own, such as JSON.
    fn as_json(&mut self, parameter: Value) -> Value {
        let media_type = parameter["content"].as_object().and_then(|content| content.keys().next()).cloned();
        if let Some(media_type) = media_type {
            return self.as_text(parameter, &format!("as {media_type}"));
        }
        self.repairs.note("missing-schema", self.at, format!("{} has no schema: a text", label(&parameter)));
        let mut parameter = without_style(parameter);
        parameter["schema"] = json!({ "type": "string" });
        parameter
    }

    /// Records a parameter that no request can carry.
    fn record_unsendable(&mut self, parameter: &Value, why: &str) {
        let note = format!("{} {why}", label(parameter));
        if parameter["required"] == true {
            self.missing = Some(note);
        } else {
            self.repairs.narrow("lost-parameter", self.at, format!("{note}, and cannot be given"));
        }
    }

    fn as_text(&mut self, parameter: Value, written: &str) -> Value {
        let note = format!("{} is given as text, {written}", label(&parameter));
        self.repairs.narrow("text-parameter", self.at, note);
        let mut parameter = without_style(parameter);
        let own = parameter["description"].as_str().unwrap_or_default();
        parameter["description"] = json!(format!("{own}\n\nWritten {written}.").trim());
        parameter["schema"] = json!({ "type": "string" });
        parameter
    }
}

/// Creates a query parameter for members of any name, with values of this schema.
fn object(name: &str, values: &Value, is_required: bool, is_deep: bool) -> Value {
    let schema = json!({ "type": "object", "additionalProperties": values });
    let mut parameter = json!({ "name": name, "in": "query", "required": is_required, "schema": schema });
    if is_deep {
        parameter[STYLE] = json!(ListStyle::Brackets);
    }
    parameter
}

/// Returns whether a parameter's name is a valid header name (RFC 9110, section 5.6.2).
fn is_header_name(parameter: &Value) -> bool {
    let name = parameter["name"].as_str().unwrap_or_default();
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn label(parameter: &Value) -> String {
    format!("the parameter `{}`", parameter["name"].as_str().unwrap_or("?"))
}

/// Returns the style that separates the values of a list: by the query styles, which an overlay may name anywhere, and by
/// commas for all other styles.
pub(crate) fn delimited(style: &str) -> ListStyle {
    match style {
        "spaceDelimited" => ListStyle::Spaces,
        "pipeDelimited" => ListStyle::Pipes,
        "tabDelimited" => ListStyle::Tabs,
        _ => ListStyle::Commas,
    }
}

fn without_style(parameter: Value) -> Value {
    let Value::Object(mut object) = parameter else { return Value::Object(Map::new()) };
    for key in ["style", "explode", "content", "allowReserved", STYLE] {
        object.shift_remove(key);
    }
    Value::Object(object)
}
