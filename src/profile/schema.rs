//! The JSON Schema of the file, made from the table of settings that reads it.

use serde_json::{Map, Value, json};

use super::setting::{Kind, SETTINGS, Setting};

pub(super) fn schema() -> Value {
    let secret = json!({"$ref": "#/$defs/secret"});
    let text = json!({"anyOf": [{"type": "string"}, secret]});
    let mut api = settings();
    api.insert(
        "base-url".to_owned(),
        described("Another base URL than the documented one.", json!({"type": "string", "format": "uri"})),
    );
    let servers = json!({"type": "object", "additionalProperties": {"type": "string", "format": "uri"}});
    api.insert(
        "servers".to_owned(),
        described("URLs in place of the servers that operations have for themselves, by the documented ones.", servers),
    );
    api.insert(
        "credential".to_owned(),
        described("The credential of an API that takes one kind.", json!({"$ref": "#/$defs/credential"})),
    );
    let credentials = json!({"type": "object", "additionalProperties": {"$ref": "#/$defs/credential"}});
    api.insert("credentials".to_owned(), described("Credentials by the names of their kinds.", credentials));
    let mut profile = settings();
    let apis = json!({"type": "object", "additionalProperties": {"$ref": "#/$defs/api"}});
    profile.insert("api".to_owned(), described("What holds for one API, by its name.", apis));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "keyfit.toml",
        "description": "Settings and places of credentials, by profile.",
        "type": "object",
        "properties": {
            "profile": {"type": "object", "additionalProperties": {"$ref": "#/$defs/profile"}},
        },
        "additionalProperties": false,
        "$defs": {
            "profile": object(&profile),
            "api": object(&api),
            "secret": described("Where a secret is; it is never written here.", json!({"oneOf": [
                place("env", &json!({"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"})),
                place("file", &json!({"type": "string", "minLength": 1})),
                place("command", &json!({"type": "array", "items": {"type": "string"}, "minItems": 1})),
            ]})),
            "credential": {"anyOf": [
                secret,
                {
                    "type": "object",
                    "properties": {"user": text, "password": secret},
                    "required": ["user"],
                    "additionalProperties": false,
                },
                {
                    "type": "object",
                    "properties": {
                        "client-id": text,
                        "client-secret": secret,
                        "token-url": {"type": "string", "format": "uri"},
                        "scopes": {"type": "array", "items": {"type": "string"}},
                        "audience": {"type": "string"},
                        "secret-in": {"enum": ["header", "body"]},
                    },
                    "required": ["client-id", "client-secret"],
                    "additionalProperties": false,
                },
            ]},
        },
    })
}

/// The settings, those of a table below its name.
fn settings() -> Map<String, Value> {
    let mut all = Map::new();
    for setting in &SETTINGS {
        match setting.key.split_once('.') {
            None => drop(all.insert(setting.key.to_owned(), of(setting))),
            Some((table, key)) => {
                let below = all.entry(table).or_insert_with(|| object(&Map::new()));
                if let Some(members) = below["properties"].as_object_mut() {
                    members.insert(key.to_owned(), of(setting));
                }
            }
        }
    }
    all
}

fn of(setting: &Setting) -> Value {
    let schema = match &setting.kind {
        Kind::Duration(_) => json!({"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?(ms|s|m|h)$"}),
        Kind::Count(range, _) => json!({"type": "integer", "minimum": range.start(), "maximum": range.end()}),
        Kind::Bytes(_) => json!({"anyOf": [
            {"type": "integer", "minimum": 1},
            {"type": "string", "pattern": "^[0-9]+ ?([kMG]B|[KMG]iB|B)$"},
        ]}),
        Kind::Flag(_) => json!({"type": "boolean"}),
        Kind::Text(_) => json!({"type": "string", "minLength": 1}),
        Kind::Statuses(_) => json!({"type": "array", "items": {"type": "integer", "minimum": 100, "maximum": 599}}),
        Kind::RootCertificates => json!({"anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
        ]}),
        Kind::ClientCertificate => json!({"anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {"file": {"type": "string"}, "key": {"$ref": "#/$defs/secret"}},
                "required": ["file"],
                "additionalProperties": false,
            },
        ]}),
    };
    described(setting.doc, schema)
}

fn described(doc: &str, mut schema: Value) -> Value {
    schema["description"] = doc.into();
    schema
}

fn object(properties: &Map<String, Value>) -> Value {
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn place(name: &str, schema: &Value) -> Value {
    json!({"type": "object", "properties": {name: schema}, "required": [name], "additionalProperties": false})
}
