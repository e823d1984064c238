//! The calls that a server makes: `webhooks` of the document, and `callbacks` of its operations.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::{pointer, walk};

/// A server-to-client call that a document describes. No client method is generated for it.
#[derive(Clone, Debug, Serialize)]
pub struct Webhook {
    /// Its name in the document.
    pub name: String,
    /// The target of a callback: a URL with OpenAPI's runtime expressions, `{$request.body#/url}/paid`. `None` for a webhook,
    /// whose target no document states.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The HTTP method in upper case.
    pub method: String,
    /// The JSON schema of its payload by media type, possibly a `$ref` into the document; `None` if the document has no
    /// schema.
    pub bodies: BTreeMap<String, Option<Value>>,
    /// True if it always has a payload.
    pub requires_body: bool,
    /// The headers that it always has, as the document writes them.
    pub headers: Vec<String>,
    /// The reason why it is not verified, if it is inferred.
    pub unverified: Option<String>,
}

/// The headers that OpenAPI does not allow as parameters: other parts of a document define them.
const ELSEWHERE: [&str; 3] = ["accept", "authorization", "content-type"];

/// Returns the webhooks, of `webhooks` and `x-webhooks`.
pub(crate) fn webhooks(document: &Value) -> Vec<Webhook> {
    let roots = ["/webhooks", "/x-webhooks"].into_iter();
    let named = roots.flat_map(|root| walk::members(document, root));
    named.flat_map(|(at, item)| calls(document, &pointer::name(&at), None, item)).collect()
}

/// Returns the callbacks of an operation, in its order.
pub(crate) fn callbacks(document: &Value, operation: &Value) -> Vec<Webhook> {
    let named = operation.get("callbacks").and_then(Value::as_object).into_iter().flatten();
    let by_url = named.flat_map(|(name, callback)| {
        let urls = walk::resolve(document, callback).as_object().into_iter().flatten();
        urls.filter(|(url, _)| !url.starts_with("x-")).map(move |(url, item)| (name, url, item))
    });
    by_url.flat_map(|(name, url, item)| calls(document, name, Some(url), item)).collect()
}

/// Returns the calls of a path item.
fn calls(document: &Value, name: &str, url: Option<&str>, item: &Value) -> Vec<Webhook> {
    let item = walk::resolve(document, item);
    let methods = item.as_object().into_iter().flatten().filter(|(method, _)| walk::METHODS.contains(&method.as_str()));
    let text = |node: &Value| node.get("x-unverified").and_then(Value::as_str).map(str::to_owned);
    let call = |(method, call): (&String, &Value)| {
        let body = walk::resolve(document, &call["requestBody"]);
        let content = body.get("content").and_then(Value::as_object).into_iter().flatten();
        Webhook {
            name: name.to_owned(),
            url: url.map(str::to_owned),
            method: method.to_uppercase(),
            bodies: content.map(|(media_type, media)| (media_type.clone(), media.get("schema").cloned())).collect(),
            requires_body: body.get("required") == Some(&Value::Bool(true)),
            headers: headers(document, item, call),
            unverified: text(call).or_else(|| text(item)),
        }
    };
    methods.map(call).collect()
}

/// Returns the headers that the operation or its path item requires; the operation overrides the path item.
fn headers(document: &Value, item: &Value, call: &Value) -> Vec<String> {
    let mut found: BTreeMap<String, (String, bool)> = BTreeMap::new();
    let lists = [item, call].map(|node| node.get("parameters").and_then(Value::as_array));
    for parameter in lists.into_iter().flatten().flatten() {
        let parameter = walk::resolve(document, parameter);
        let Some(name) = parameter["name"].as_str().filter(|_| parameter["in"] == "header") else { continue };
        found.insert(name.to_lowercase(), (name.to_owned(), parameter["required"] == true));
    }
    let is_due = |(name, (_, required)): &(String, (String, bool))| *required && !ELSEWHERE.contains(&name.as_str());
    found.into_iter().filter(is_due).map(|(_, (name, _))| name).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn callbacks_are_read_with_their_references_and_what_a_path_item_says_for_all() {
        let document = json!({
            "components": {
                "callbacks": { "Paid": { "{$request.body#/url}/paid": { "$ref": "#/components/pathItems/Paid" }, "x-note": {} } },
                "pathItems": { "Paid": {
                    "parameters": [
                        { "in": "header", "name": "X-Id", "required": true },
                        { "in": "header", "name": "X-Signature", "required": true },
                        { "in": "header", "name": "Content-Type", "required": true },
                    ],
                    "post": {
                        "parameters": [{ "in": "header", "name": "x-id" }, { "in": "query", "name": "q", "required": true }],
                        "requestBody": { "$ref": "#/components/requestBodies/Paid" },
                    },
                } },
                "requestBodies": { "Paid": { "required": true, "content": { "application/json": { "schema": { "type": "object" } }, "text/plain": {} } } },
            },
        });
        let operation = json!({ "callbacks": { "paid": { "$ref": "#/components/callbacks/Paid" }, "odd": 7 } });
        let found = callbacks(&document, &operation);
        let [paid] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((paid.name.as_str(), paid.url.as_deref()), ("paid", Some("{$request.body#/url}/paid")));
        assert_eq!((paid.method.as_str(), paid.requires_body), ("POST", true));
        assert_eq!(paid.headers, ["X-Signature"]);
        let bodies = [("application/json", Some(json!({ "type": "object" }))), ("text/plain", None)];
        assert_eq!(paid.bodies, bodies.map(|(name, schema)| (name.to_owned(), schema)).into());
    }
}
