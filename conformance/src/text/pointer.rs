//! Creation of JSON pointers (RFC 6901), and writing to them; serde_json reads them.

use serde_json::{Value, json};

/// Returns the pointer of a member.
pub(crate) fn join(parent: &str, name: &str) -> String {
    format!("{parent}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Returns the unescaped names in a pointer.
pub(crate) fn names(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~"))
}

/// Sets a member by its JSON pointer, and creates missing objects.
pub(crate) fn put(body: &mut Value, pointer: &str, value: Value) {
    let mut node = body;
    for name in names(pointer) {
        if !node.is_object() {
            *node = json!({});
        }
        node = &mut node[name];
    }
    *node = value;
}

/// Removes a member by its JSON pointer.
pub(crate) fn take(body: &mut Value, pointer: &str) {
    let Some((above, name)) = pointer.rsplit_once('/') else { return };
    if let Some(Value::Object(members)) = body.pointer_mut(above) {
        members.shift_remove(&name.replace("~1", "/").replace("~0", "~"));
    }
}
