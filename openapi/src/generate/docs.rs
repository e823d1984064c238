//! What the methods' documentation says beyond the generator's: who may call, what it costs, whether it is repeated.

use std::collections::HashMap;

use quote::ToTokens as _;
use syn::{Attribute, Expr, ImplItem, ImplItemFn, Item, Lit, Meta, parse_quote};

use crate::Operation;
use crate::operation::Retry;
use crate::repair::Repairs;

/// Completes the documentation of the client's methods.
pub(crate) fn complete(file: &mut syn::File, operations: &[&Operation], repairs: &Repairs) {
    let known: HashMap<&str, &Operation> =
        operations.iter().map(|operation| (operation.function.as_str(), *operation)).collect();
    for item in &mut file.items {
        let Item::Impl(block) = item else { continue };
        if block.trait_.is_some() || block.self_ty.to_token_stream().to_string() != "Client" {
            continue;
        }
        for item in &mut block.items {
            let ImplItem::Fn(method) = item else { continue };
            if let Some(operation) = known.get(method.sig.ident.to_string().as_str()) {
                examples_as_text(method);
                let facts = facts(operation, repairs);
                method.attrs.push(parse_quote!(#[doc = #facts]));
            }
        }
    }
}

/// The generator's examples name variables that do not exist: shown, but not listed as tests.
fn examples_as_text(method: &mut ImplItemFn) {
    for attribute in &mut method.attrs {
        if let Some(text) = doc_text(attribute) {
            let text = text.replace("```ignore", "```text");
            *attribute = parse_quote!(#[doc = #text]);
        }
    }
}

fn doc_text(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn facts(operation: &Operation, repairs: &Repairs) -> String {
    let mut lines = vec![String::new(), String::new()];
    if !operation.credentials.is_empty() {
        lines.push(format!("- Token: {}.", quoted(&operation.credentials, " or ")));
    }
    if !operation.scopes.is_empty() {
        let doubt = if operation.scopes_unverified.is_some() { " (inferred)" } else { "" };
        lines.push(format!("- Scopes: {}{doubt}.", quoted(&operation.scopes, ", ")));
    }
    let repeat = match operation.retry {
        Retry::Safe => "it changes nothing, so it may be repeated".to_owned(),
        Retry::Idempotent => "sending it twice has the effect of once".to_owned(),
        Retry::Keyed => format!("a repeat is harmless, by `{}`", operation.retry_key.as_deref().unwrap_or_default()),
        Retry::Never => "never: a second request could have a second effect".to_owned(),
    };
    lines.push(format!("- Repeat: {repeat}."));
    if operation.spends {
        lines.push("- It costs money.".to_owned());
    }
    if let Some(reason) = &operation.unverified {
        lines.push(format!("- Not verified: {reason}."));
    }
    let at = operation.pointer();
    let inside = |pointer: &str| pointer.strip_prefix(&at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    for repair in repairs.iter().filter(|repair| repair.narrowed && inside(&repair.pointer)) {
        lines.push(format!("- Narrower than the document: {}.", repair.note));
    }
    lines.join("\n")
}

fn quoted(names: &[String], separator: &str) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(separator)
}
