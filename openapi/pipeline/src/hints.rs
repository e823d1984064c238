//! `x-keyfit` in a published document: it is ignored. Which calls may be repeated, what they need and what they cost is for
//! whoever calls to say, in an overlay; a server's document could otherwise have a DELETE taken for a call that only reads.

use serde_json::Value;

use crate::pointer;
use crate::repair::Repairs;

/// The key under which an overlay says what OpenAPI has no word for.
const KEY: &str = "x-keyfit";

/// The rule under which repairs name it.
pub(crate) const RULE: &str = "published-hints";

/// Takes every `x-keyfit` out of a document as published, and notes each.
pub(crate) fn ignore(document: &mut Value, repairs: &mut Repairs) {
    visit(document, "", false, repairs);
}

/// Where keys are names that the author chose, one of them may be called `x-keyfit` and says nothing to us.
fn visit(node: &mut Value, at: &str, keys_are_names: bool, repairs: &mut Repairs) {
    match node {
        Value::Object(members) => {
            if !keys_are_names && members.remove(KEY).is_some() {
                let ignored = "ignored: what the server's own document says under `x-keyfit` does not count; write it into overlay.yaml";
                repairs.note(RULE, &pointer::join(at, KEY), ignored);
            }
            for (key, member) in members {
                let names_follow = !keys_are_names && matches!(key.as_str(), "properties" | "headers");
                visit(member, &pointer::join(at, key), names_follow, repairs);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                visit(item, &format!("{at}/{index}"), false, repairs);
            }
        }
        _ => {}
    }
}
