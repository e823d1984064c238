//! The login call of an API, if its document shows one that returns a token for a name and a password: the tokens file begins with it, for
//! users without a token.

use std::collections::BTreeSet;

use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, BodyFormat, Operation};
use serde_json::Value;

use super::authorization::logins;
use crate::pointer;
use crate::quoting::{key, quoted};

/// The last path segments of login operations, in letters only.
const PATHS: [&str; 9] = ["login", "signin", "token", "tokens", "session", "sessions", "auth", "authenticate", "jwt"];
/// The names of members that contain a token, in letters only; the likeliest first.
const TOKENS: [&str; 7] = ["accesstoken", "token", "authtoken", "jwt", "idtoken", "sessiontoken", "apitoken"];
/// The highest number of members of a login.
const MOST_MEMBERS: usize = 8;

/// A login call.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Entry {
    path: String,
    /// `form` or `json`.
    writing: &'static str,
    /// The required members, each with a value in TOML.
    members: Vec<(String, String)>,
    /// The JSON pointer of the token in its answer.
    token: String,
}

impl Entry {
    /// Returns the first call of a document that takes a password and returns a token: one of a flow, or one with such a name.
    pub(super) fn of(api: &Api, variable: &str) -> Option<Self> {
        let logins = logins(api);
        let named = |operation: &&Operation| logins.contains(operation.id.as_str());
        let by_flow =
            api.operations.iter().filter(named).find_map(|operation| Self::read(api, operation, true, variable));
        let called = |operation: &&Operation| {
            let last = operation.path.rsplit('/').find(|segment| !segment.is_empty()).unwrap_or_default();
            PATHS.contains(&letters(last).as_str()) && operation.security.is_optional()
        };
        let by_name =
            || api.operations.iter().filter(called).find_map(|operation| Self::read(api, operation, false, variable));
        by_flow.or_else(by_name)
    }

    fn read(api: &Api, operation: &Operation, is_flow: bool, variable: &str) -> Option<Self> {
        let body = operation.body.as_ref().filter(|_| operation.method == "POST" && !operation.path.contains('{'))?;
        let writing = match body.format(api) {
            BodyFormat::Json => "json",
            BodyFormat::Form => "form",
            _ => return None,
        };
        let schema = api.resolve(&body.schema);
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut members = Vec::new();
        let mut has_password = false;
        for (name, member) in schema.get("properties")?.as_object()? {
            let member = api.resolve(member);
            let is_password = letters(name).contains("password") || member["format"] == "password";
            let is_sent = schema::is_sent(api, Direction::Request, schema, name);
            // An optional secret, such as that of a client, is omitted.
            let is_needed = required.contains(&name.as_str()) || (is_password && required.is_empty());
            if !is_sent || !is_needed {
                continue;
            }
            let value = if is_password {
                has_password = true;
                format!("{{ env = \"{variable}\" }}")
            } else {
                quoted(&value_of(name, member))
            };
            members.push((name.clone(), value));
        }
        let scopes: BTreeSet<&str> =
            api.operations.iter().flat_map(|operation| &operation.scopes).map(String::as_str).collect();
        if is_flow && !scopes.is_empty() && schema["properties"].get("scope").is_some() {
            members.push(("scope".to_owned(), quoted(&Vec::from_iter(scopes).join(" "))));
        }
        let token = token(api, operation).or_else(|| is_flow.then(|| "/access_token".to_owned()))?;
        (has_password && members.len() <= MOST_MEMBERS).then(|| Self {
            path: operation.path.clone(),
            writing,
            members,
            token,
        })
    }

    /// Returns the lines of a tokens file.
    pub(super) fn lines(&self) -> [String; 3] {
        let members: Vec<String> =
            self.members.iter().map(|(name, value)| format!("{} = {value}", key(name))).collect();
        [
            format!("path = {}", quoted(&self.path)),
            format!("{} = {{ {} }}", self.writing, members.join(", ")),
            format!("token = {{ body = {} }}", quoted(&self.token)),
        ]
    }
}

/// Returns the pointer to the token in the answer of a success.
fn token(api: &Api, operation: &Operation) -> Option<String> {
    let mut successes = operation.responses.iter().filter(|(status, _)| status.starts_with('2'));
    let answer = successes.find_map(|(_, shape)| shape.schema.as_ref().filter(|_| shape.is_json()))?;
    let members = api.resolve(answer).get("properties")?.as_object()?;
    let named = |known: &&str| members.keys().find(|name| letters(name) == **known);
    TOKENS.iter().find_map(named).map(|name| pointer::join("", name))
}

/// Returns a value for a member: the only valid one, or a placeholder.
fn value_of(name: &str, schema: &Value) -> String {
    let only = schema.get("const").or_else(|| schema["enum"].as_array().filter(|all| all.len() == 1)?.first());
    match only.and_then(Value::as_str) {
        Some(only) => only.to_owned(),
        None if name == "grant_type" => "password".to_owned(),
        None if schema["format"] == "email" || letters(name).contains("email") => "somebody@example.com".to_owned(),
        None => "somebody".to_owned(),
    }
}

/// Returns the letters of a name, in lower case.
fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use keyfit_openapi::{Source, Text};
    use serde_json::{Value, json};

    use super::*;

    fn entry(path: &str, media_type: &str, body: &Value, answer: &Value, flow: Option<&str>) -> Option<Vec<String>> {
        let content = |media_type: &str, schema: &Value| json!({ media_type: { "schema": schema } });
        let flows = flow.map(|url| json!({ "password": { "tokenUrl": url, "scopes": { "read": "Read." } } }));
        let scheme = match flows {
            Some(flows) => json!({ "type": "oauth2", "flows": flows }),
            None => json!({ "type": "http", "scheme": "bearer" }),
        };
        let document = json!({
            "openapi": "3.1.0", "info": { "title": "Doors", "version": "1" },
            "paths": {
                path: { "post": {
                    "operationId": "enter",
                    "requestBody": { "required": true, "content": content(media_type, body) },
                    "responses": { "200": { "description": "In.", "content": content("application/json", answer) } },
                } },
                "/rooms": { "get": { "operationId": "rooms", "security": [{ "token": ["read"] }], "responses": { "200": { "description": "ok" } } } },
            },
            "components": { "securitySchemes": { "token": scheme } },
        });
        let document = Text::new("doors.json", document.to_string());
        let overlay = "overlay: 1.0.0\ninfo: {title: Doors, version: '1'}\nactions:\n  - target: $.paths['/rooms'].get\n    update: { x-keyfit: { scopes: [read] } }\n";
        let overlay = Some(Text::new("overlay.yaml", overlay));
        let source = Source { name: "doors".to_owned(), document, overlay, contract: None };
        let api = Api::read(&source).expect("it is read");
        Entry::of(&api, "DOORS_PASSWORD").map(|entry| entry.lines().to_vec())
    }

    fn object(names: &[&str]) -> Value {
        let members: serde_json::Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect();
        json!({ "type": "object", "required": names, "properties": members })
    }

    #[test]
    fn a_call_that_takes_a_password_and_gives_a_token_is_shown_with_its_members() {
        let found =
            entry("/v1/sign-in", "application/json", &object(&["email", "password"]), &object(&["accessToken"]), None);
        let expected = [
            "path = \"/v1/sign-in\"",
            "json = { email = \"somebody@example.com\", password = { env = \"DOORS_PASSWORD\" } }",
            "token = { body = \"/accessToken\" }",
        ];
        assert_eq!(found.expect("it logs in"), expected);
        let mut body = object(&["username", "password"]);
        body["properties"]["scope"] = json!({ "type": "string" });
        body["properties"]["client_secret"] = json!({ "type": "string" });
        let form = "application/x-www-form-urlencoded";
        // A path below the base URL, as some frameworks write it in a flow.
        let found = entry("/enter", form, &body, &json!({}), Some("enter")).expect("the flow names it");
        assert_eq!(
            found[1],
            "form = { username = \"somebody\", password = { env = \"DOORS_PASSWORD\" }, scope = \"read\" }"
        );
        assert_eq!(found[2], "token = { body = \"/access_token\" }");
    }

    #[test]
    fn what_registers_somebody_or_gives_no_token_is_no_login() {
        let body = object(&["email", "password"]);
        assert!(entry("/register", "application/json", &body, &object(&["accessToken"]), None).is_none());
        assert!(entry("/login", "application/json", &body, &object(&["message"]), None).is_none());
        assert!(entry("/login", "application/json", &object(&["code"]), &object(&["token"]), None).is_none());
    }
}
