//! Security schemes of 2.0.

use serde_json::{Map, Value, json};

use super::{Converter, copied};

/// The flows of OAuth 2.0 by their names in 2.0 and in 3.0.
const FLOWS: [(&str, &str); 4] = [
    ("implicit", "implicit"),
    ("password", "password"),
    ("application", "clientCredentials"),
    ("accessCode", "authorizationCode"),
];

impl Converter<'_> {
    /// Converts a scheme. A scheme in the notation of 3.0, which has schemes that 2.0 lacks, is kept unchanged.
    pub(super) fn scheme(&mut self, scheme: &Value, at: &str) -> Value {
        let Some(own) = scheme.as_object() else { return scheme.clone() };
        match own.get("type").and_then(Value::as_str) {
            Some("basic") => {
                let mut http = copied(own, |key| key != "type");
                http.insert("type".to_owned(), json!("http"));
                http.insert("scheme".to_owned(), json!("basic"));
                Value::Object(http)
            }
            Some("oauth2") if !own.contains_key("flows") => self.oauth2(own, at),
            _ => scheme.clone(),
        }
    }

    fn oauth2(&mut self, own: &Map<String, Value>, at: &str) -> Value {
        let is_of_flow = |key: &str| matches!(key, "authorizationUrl" | "tokenUrl" | "refreshUrl" | "scopes");
        let mut scheme = copied(own, |key| key != "flow" && !is_of_flow(key));
        let mut flow = copied(own, is_of_flow);
        flow.entry("scopes").or_insert_with(|| json!({}));
        let written = own.get("flow").and_then(Value::as_str).unwrap_or_default();
        let mut flows = Map::new();
        if let Some((_, name)) = FLOWS.iter().find(|(known, now)| written == *known || written == *now) {
            flows.insert((*name).to_owned(), Value::Object(flow));
            self.moves.add(format!("{at}/flows"), format!("{}/flow", self.moves.origin(at)));
            self.moves.add(format!("{at}/flows/{name}"), self.moves.origin(at));
        } else {
            let known: Vec<&str> = FLOWS.iter().map(|(known, _)| *known).collect();
            let note = format!(
                "the OAuth flow `{written}` is not one of {}: how tokens are obtained is not known",
                known.join(", ")
            );
            self.repairs.narrow("unknown-flow", at, note);
        }
        scheme.insert("flows".to_owned(), Value::Object(flows));
        Value::Object(scheme)
    }
}
