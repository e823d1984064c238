//! `readOnly` and `writeOnly` members, and defects about them.

use hyper::body::Bytes;
use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Operation, example};
use serde_json::Value;

use super::call::ParsedBody;
use super::core::Core;
use super::mutant::Mutant;
use super::success;

impl Core {
    /// Returns a success with the members that a defect adds, and stores the sent ones for the next answer.
    pub(super) fn with_one_way(&self, operation: &Operation, status: u16, sent: &ParsedBody, body: Bytes) -> Bytes {
        let (shows, keeps) = (self.has(Mutant::ShowsWriteOnly), self.has(Mutant::StoresReadOnly));
        let schema = success::schema(operation, status).filter(|_| shows || keeps);
        let Some((schema, Ok(Value::Object(mut members)))) =
            schema.map(|schema| (schema, serde_json::from_slice(&body)))
        else {
            return body;
        };
        // The identifier of a resource does not change.
        let is_read_only = |name: &str| name != "id" && !schema::is_sent(&self.api, Direction::Request, schema, name);
        if keeps {
            let mut state = self.state();
            // Calls that set no such member may come in between.
            if let ParsedBody::Body(Value::Object(sent)) = sent
                && sent.keys().any(|name| is_read_only(name))
            {
                state.stored.clone_from(sent);
            }
            members.extend(state.stored.clone().into_iter().filter(|(name, _)| is_read_only(name)));
        }
        if shows {
            let known = self.api.resolve(schema).get("properties").and_then(Value::as_object).into_iter().flatten();
            let hidden = known.filter(|(name, _)| !schema::is_sent(&self.api, Direction::Answer, schema, name));
            members.extend(
                hidden.map(|(name, member)| (name.clone(), example::value(&self.api, Direction::Request, member))),
            );
        }
        Bytes::from(Value::Object(members).to_string())
    }
}
