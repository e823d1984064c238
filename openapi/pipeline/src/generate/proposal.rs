//! Clients that are large enough to slow down compilation, and the selection of operations that is proposed for them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Generated;
use crate::walk;

/// The maximum number of operations without a proposal.
const MAX_OPERATIONS: usize = 2_000;
/// The maximum number of lines without a proposal.
const MAX_LINES: usize = 100_000;
/// The number of selectors in the example.
const EXAMPLE_SELECTORS: usize = 2;

impl Generated {
    /// Proposes a selection of operations, with an example of selectors that exist. Returns `None` for code that compiles in
    /// acceptable time: up to 2,000 operations and 100,000 lines.
    pub fn proposal(&self) -> Option<String> {
        let lines = self.code.lines().count();
        if self.operations <= MAX_OPERATIONS && lines <= MAX_LINES {
            return None;
        }
        let example: Vec<String> = selectors(&self.document).iter().map(|known| format!("--only {known}")).collect();
        let example = if example.is_empty() { String::new() } else { format!(", such as {}", example.join(" ")) };
        Some(format!(
            "{} operations in {lines} lines take the compiler long, and one crate is compiled by one core at first: take what you \
             call with --only{example}",
            self.operations
        ))
    }
}

/// Returns selectors of the largest groups of operations, quoted for a shell. Groups of all operations are left out.
fn selectors(document: &Value) -> Vec<String> {
    let operations = walk::operations(document);
    let (mut tags, mut paths): (BTreeMap<String, usize>, BTreeMap<String, usize>) = Default::default();
    for (at, operation) in &operations {
        for tag in operation["tags"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            *tags.entry(format!("tag:{tag}")).or_default() += 1;
        }
        let (_, path) = walk::method_and_path(at);
        let first = path.split('/').nth(1).filter(|first| !first.is_empty() && !first.contains(['*', '{']));
        if let Some(first) = first {
            *paths.entry(format!("/{first}/**")).or_default() += 1;
        }
    }
    let groups = if tags.is_empty() { paths } else { tags };
    let mut groups: Vec<(String, usize)> = groups.into_iter().filter(|(_, count)| *count < operations.len()).collect();
    groups.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let words = groups.into_iter().map(|(selector, _)| word(&selector));
    words.flatten().take(EXAMPLE_SELECTORS).collect()
}

/// Quotes a word for a shell; returns `None` if it cannot be shown as one.
fn word(text: &str) -> Option<String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-_./".contains(&byte));
    match text {
        _ if is_plain => Some(text.to_owned()),
        _ if text.contains(|letter: char| letter == '\'' || letter.is_control()) => None,
        _ => Some(format!("'{text}'")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn generated(operations: usize, lines: usize, document: Value) -> Generated {
        let code = "\n".repeat(lines);
        Generated {
            code,
            operations,
            surface: String::new(),
            unsupported: Vec::new(),
            document,
            repairs: crate::repair::Repairs::default(),
        }
    }

    #[test]
    fn only_what_is_large_gets_a_proposal() {
        assert_eq!(generated(2_000, 100_000, json!({})).proposal(), None);
        for (operations, lines) in [(2_001, 10), (10, 100_001)] {
            let said = generated(operations, lines, json!({})).proposal().expect("it is large");
            assert!(said.ends_with("take what you call with --only"), "{said}");
        }
    }

    #[test]
    fn the_example_has_selectors_of_the_document() {
        let call = |tags: Value| json!({ "operationId": "x", "tags": tags, "responses": {} });
        let paths = json!({
            "/a/x": { "get": call(json!(["Big one", "All"])), "post": call(json!(["Big one", "All"])) },
            "/b": { "get": call(json!(["small", "All"])) },
            "/{id}": { "get": call(json!(["All"])) },
        });
        assert_eq!(selectors(&json!({ "paths": paths })), ["'tag:Big one'", "tag:small"]);
        let mut bare = paths;
        let calls =
            bare.as_object_mut().into_iter().flatten().flat_map(|(_, item)| item.as_object_mut().into_iter().flatten());
        calls.for_each(|(_, call)| drop(call.as_object_mut().and_then(|call| call.remove("tags"))));
        assert_eq!(selectors(&json!({ "paths": bare })), ["'/a/**'", "'/b/**'"]);
    }
}
