//! The public surface of a generated client as text, so that a review shows the effect of a changed document.

use std::collections::HashMap;
use std::fmt::Write as _;

use quote::ToTokens as _;
use syn::{Fields, ImplItem, Item, ReturnType, Type, Visibility};

use super::errors::ErrorTypes;
use super::kinds::Kinds;
use crate::Operation;

/// Describes operations with their requests and responses, then tokens, then types with their fields.
pub(crate) fn describe(
    operations: &[&Operation],
    kinds: &Kinds,
    errors: &ErrorTypes,
    builders: &Builders,
    types: &str,
) -> String {
    let mut text = String::from("operations\n");
    for operation in operations {
        let Operation { id, method, key, scopes, credentials, retry, .. } = operation;
        let _ = writeln!(text, "  {id}: {method} {key}");
        if let Some(server) = &operation.server {
            let _ = writeln!(text, "    at {server}");
        }
        let _ = writeln!(text, "    credentials {} scopes {} retry {retry:?}", list(credentials), list(scopes));
        if let Some((arguments, answer)) =
            builders.get(&heck::ToPascalCase::to_pascal_case(operation.function.as_str()))
        {
            let _ = writeln!(text, "    ({arguments}) -> {answer}");
        }
        if let Some(errors) = errors.get(&operation.function) {
            let each = errors.iter().map(|(kind, statuses)| format!("{kind} by {}", statuses.join(" ")));
            let _ = writeln!(text, "    errors {}", each.collect::<Vec<_>>().join(", "));
        }
        if let Some(pagination) = &operation.pagination {
            let at = if pagination.items.is_empty() { "the answer" } else { &pagination.items };
            let _ = writeln!(text, "    pages by {}, items in {at}", pagination.next.word());
        }
    }
    text.push_str("tokens\n");
    text.push_str(&kinds.describe());
    text.push_str("types\n");
    text.push_str(types);
    text
}

/// Describes types with their fields.
pub(crate) fn types(items: &[Item]) -> String {
    let mut text = String::new();
    for item in items {
        match item {
            Item::Struct(item) => {
                let _ = writeln!(text, "  {}{}", item.ident, fields(&item.fields));
            }
            Item::Enum(item) => {
                let variants: Vec<String> = item
                    .variants
                    .iter()
                    .map(|variant| format!("{}{}", variant.ident, fields(&variant.fields)))
                    .collect();
                let _ = writeln!(text, "  {} = {}", item.ident, variants.join(" | "));
            }
            Item::Type(item) => {
                let _ = writeln!(text, "  {} = {}", item.ident, short_type(&item.ty));
            }
            _ => {}
        }
    }
    text
}

/// The arguments and the response of each builder, by its name.
pub(crate) type Builders = HashMap<String, (String, String)>;

/// Collects the builders of their module.
pub(crate) fn builders(items: &[Item]) -> Builders {
    let mut found = Builders::new();
    for item in items {
        match item {
            Item::Struct(item) => {
                let names = item.fields.iter().filter_map(|field| {
                    let ident = field.ident.as_ref()?;
                    let kind = short_type(&field.ty).replace("Result<", "").replace(", String>", "");
                    (ident != "client").then(|| format!("{ident}: {kind}"))
                });
                found.entry(item.ident.to_string()).or_default().0 = names.collect::<Vec<_>>().join(", ");
            }
            Item::Impl(block) => {
                let stream = block.items.iter().find_map(|item| answer(item, "stream"));
                let stream = stream.map(|stream| format!(", or by `stream` {stream}")).unwrap_or_default();
                let answer = block.items.iter().find_map(|item| answer(item, "send")).map(|answer| answer + &stream);
                if let (Type::Path(path), Some(answer)) = (&*block.self_ty, answer)
                    && let Some(name) = path.path.segments.last()
                {
                    found.entry(name.ident.to_string()).or_default().1 = answer;
                }
            }
            _ => {}
        }
    }
    found
}

/// Returns the result type of a public method with this name.
fn answer(item: &ImplItem, method: &str) -> Option<String> {
    match item {
        ImplItem::Fn(send) if send.sig.ident == method && matches!(send.vis, Visibility::Public(_)) => {
            match &send.sig.output {
                ReturnType::Type(_, output) => Some(short_type(output)),
                ReturnType::Default => None,
            }
        }
        _ => None,
    }
}

fn fields(fields: &Fields) -> String {
    let all: Vec<String> = fields
        .iter()
        .map(|field| match &field.ident {
            Some(name) => format!("{name}: {}", short_type(&field.ty)),
            None => short_type(&field.ty),
        })
        .collect();
    match fields {
        Fields::Unit => String::new(),
        Fields::Unnamed(_) => format!("({})", all.join(", ")),
        Fields::Named(_) => format!(" {{ {} }}", all.join(", ")),
    }
}

/// Returns a type without the standard library's paths.
fn short_type(kind: &Type) -> String {
    let mut text = kind.to_token_stream().to_string().replace(' ', "");
    for prefix in [
        "::keyfit::codegen::",
        "::std::option::",
        "::std::result::",
        "::std::string::",
        "::std::vec::",
        "serde_json::",
        "::std::collections::",
    ] {
        text = text.replace(prefix, "");
    }
    let text = text.replace("::keyfit::", "keyfit::").replace("super::", "");
    text.replace(',', ", ")
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "-".to_owned() } else { names.join("+") }
}
