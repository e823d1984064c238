//! The overlay of a new folder.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::document::{Facts, OperationSecurity};
use super::quoted;

/// Returns an overlay with the scopes of each operation. The accepted kinds of token are in the `security` of the document, or in an addition
/// to its root.
pub(super) fn text(facts: &Facts, root: &Map<String, Value>) -> String {
    let mut text = head(&facts.title, root);
    for access in &facts.operations {
        let hints = hints(access, facts.client().is_some());
        if hints.is_empty() && access.pages.is_none() && access.partial.is_none() {
            continue;
        }
        // Escaped for single quotes in JSONPath.
        let path = access.path.replace('\\', "\\\\").replace('\'', "\\'");
        let target = quoted(&format!("$.paths['{path}'].{}", access.method));
        let mut action = |description: &str, hints: &str| {
            let _ = write!(
                text,
                "  - target: {target}\n    description: {description}\n    update: {{ x-keyfit: {{ {hints} }} }}\n"
            );
        };
        if !hints.is_empty() {
            action("As its security requirement and its answers say.", &hints.join(", "));
        }
        if let Some((hint, why)) = &access.pages {
            action(&quoted(&format!("It comes in pages, as it looks: {why}.")), hint);
        }
        if let Some((hint, why)) = &access.partial {
            action(&quoted(&format!("It tells the outcome of each item, as it looks: {why}.")), hint);
        }
    }
    text
}

/// Returns the part about the document as a whole.
pub(super) fn head(title: &str, root: &Map<String, Value>) -> String {
    let mut text = format!(
        "overlay: 1.0.0\ninfo:\n  title: {}\n  version: 1.0.0\nactions:\n",
        quoted(&format!("What the contract check needs to know of {title}"))
    );
    text.push_str("  - target: $\n    description: The shape of errors.\n    update: { x-keyfit: { errors: api } }\n");
    if !root.is_empty() {
        let addition = Value::Object(root.clone()).to_string().replace('\u{7f}', "\\u007f");
        let _ = write!(
            text,
            "  - target: $\n    description: How calls log in, as whoever ran `keyfit init` said.\n    update: {addition}\n"
        );
    }
    text
}

fn hints(access: &OperationSecurity, has_client: bool) -> Vec<String> {
    let mut hints = Vec::new();
    if !access.scopes.is_empty() {
        hints.push(format!("scopes: {}", list(&access.scopes)));
    }
    if access.spends {
        hints.push("spends: true".to_owned());
    }
    if has_client {
        hints.push(format!("retry: {}", retry(access)));
    }
    hints
}

/// Returns the retry class of an operation by its method, for calls with an unknown outcome.
fn retry(access: &OperationSecurity) -> &'static str {
    match access.method.as_str() {
        "get" | "head" | "options" => "safe",
        "put" | "delete" if !access.spends => "idempotent",
        _ => "never",
    }
}

fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}
