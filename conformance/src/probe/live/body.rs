//! Request bodies without side effects on rights: members that hold identities or permissions are omitted, and switches stay off.

use keyfit_openapi::Api;
use serde_json::Value;

use crate::text::words::words;

/// Words in the names of members that are omitted.
const KEPT_OUT: [&str; 41] = [
    "access",
    "acl",
    "admin",
    "administrator",
    "administrators",
    "admins",
    "authorities",
    "authority",
    "claims",
    "credential",
    "credentials",
    "grant",
    "grants",
    "group",
    "groups",
    "owner",
    "owners",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "permission",
    "permissions",
    "policies",
    "policy",
    "privilege",
    "privileges",
    "pwd",
    "right",
    "rights",
    "role",
    "roles",
    "root",
    "scope",
    "scopes",
    "secret",
    "staff",
    "superuser",
    "token",
    "tokens",
];
/// Names of ids, whole or at the end: `tenantId` names an owner.
const IDS: [&str; 4] = ["id", "uuid", "guid", "pk"];

/// A body that may be sent to a live server.
#[derive(Debug)]
pub(in super::super) struct SafeBody {
    pub(in super::super) body: Value,
    /// A required member that was omitted, so that the body does not match the document.
    pub(in super::super) lacks: Option<String>,
}

/// The exceptions from the omissions.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct BodyExceptions<'a> {
    /// True if required members are kept: without them the server creates nothing.
    pub(in super::super) required: bool,
    /// The member with the id of an item in a batch.
    pub(in super::super) member: Option<&'a str>,
    /// The parameters of the path: a member with such a name would change the id of the resource.
    pub(in super::super) parameters: &'a [&'a str],
}

/// Returns the body without ids and rights, and with every switch off.
pub(in super::super) fn safe_body(api: &Api, schema: &Value, body: &Value, keep: BodyExceptions<'_>) -> SafeBody {
    let mut safe_body = SafeBody { body: body.clone(), lacks: None };
    let SafeBody { body, lacks } = &mut safe_body;
    visit(api, schema, body, keep, lacks);
    safe_body
}

fn visit(api: &Api, schema: &Value, value: &mut Value, keep: BodyExceptions<'_>, lacks: &mut Option<String>) {
    let schema = api.resolve(schema);
    match value {
        Value::Object(members) => {
            let required = |name: &str| {
                let own = [schema].into_iter().chain(schema["allOf"].as_array().into_iter().flatten());
                own.map(|part| api.resolve(part)).any(|part| {
                    part["required"].as_array().is_some_and(|names| names.iter().any(|known| known == name))
                })
            };
            members.retain(|name, _| {
                if !(is_kept_out(name) || is_parameter(name, keep.parameters)) || keep.member == Some(name) {
                    return true;
                }
                let is_required = required(name);
                if is_required && !keep.required {
                    lacks.get_or_insert_with(|| name.clone());
                }
                is_required && keep.required
            });
            for (name, member) in members {
                let own = [schema].into_iter().chain(schema["allOf"].as_array().into_iter().flatten());
                let below =
                    own.map(|part| &api.resolve(part)["properties"][name.as_str()]).find(|below| !below.is_null());
                visit(api, below.unwrap_or(&Value::Null), member, keep, lacks);
            }
        }
        Value::Array(items) => {
            for item in items {
                visit(api, &schema["items"], item, keep, lacks);
            }
        }
        Value::Bool(switch) => *switch = false,
        _ => {}
    }
}

fn is_parameter(name: &str, parameters: &[&str]) -> bool {
    let plain = words(name).concat();
    parameters.iter().any(|parameter| words(parameter).concat() == plain)
}

/// Returns whether a member holds an identity or a permission.
pub(in super::super) fn is_kept_out(name: &str) -> bool {
    let words = words(name);
    let is_id = words.last().is_some_and(|last| IDS.contains(&last.as_str()));
    is_id || words.iter().any(|word| KEPT_OUT.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use keyfit_openapi::{Source, Text};
    use serde_json::json;

    use super::*;

    const DOCUMENT: &str = "openapi: 3.0.3
info: {title: A, version: '1'}
servers: [{url: 'https://a.example'}]
paths: {}
components:
  schemas:
    User: {allOf: [{$ref: '#/components/schemas/Named'}, {type: object, required: [password]}]}
    Named: {type: object, properties: {name: {type: string}, profile: {type: object, required: [role]}}}
";

    #[test]
    fn who_somebody_is_and_what_they_may_do_is_left_out_and_switches_stay_off() {
        let source =
            Source { name: "a".to_owned(), document: Text::new("a.yaml", DOCUMENT), overlay: None, contract: None };
        let api = Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
        let schema = json!({ "$ref": "#/components/schemas/User" });
        let body = json!({
            "id": "1", "_id": "1", "name": "Ada", "isAdmin": true, "user_name": "ada", "ownerId": "2", "tenant_id": 3, "accessLevel": 9, "pwd": "x", "user_roles": ["admin"], "active": true,
            "password": "swordfish", "profile": { "role": "admin", "notify": true, "tags": [{ "permissions": [] }] },
        });
        let keep = |required| BodyExceptions { required, member: None, parameters: &["userName"] };
        let changed = safe_body(&api, &schema, &body, keep(false));
        let bare = json!({ "name": "Ada", "active": false, "profile": { "notify": false, "tags": [{}] } });
        assert_eq!((changed.body, changed.lacks.as_deref()), (bare, Some("password")));
        let made = safe_body(&api, &schema, &body, keep(true));
        let needed = json!({ "name": "Ada", "active": false, "password": "swordfish", "profile": { "role": "admin", "notify": false, "tags": [{}] } });
        assert_eq!((made.body, made.lacks), (needed, None));
        let batch = safe_body(
            &api,
            &json!({}),
            &json!([{ "id": "a", "role": "b" }]),
            BodyExceptions { required: true, member: Some("id"), parameters: &[] },
        );
        assert_eq!(batch.body, json!([{ "id": "a" }]));
    }
}
