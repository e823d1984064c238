//! The public surface of a generated client as text, so that a review sees what a changed document changes.

use std::fmt::Write as _;

use quote::ToTokens as _;
use syn::{Fields, ImplItem, Item, ReturnType, Type, Visibility};

use crate::Operation;

/// Operations with their requests and answers, then types with their fields.
pub(crate) fn describe(file: &syn::File, operations: &[&Operation]) -> String {
    let mut text = String::from("operations\n");
    for operation in operations {
        let Operation { id, method, path, scopes, credentials, retry, .. } = operation;
        let _ = writeln!(text, "  {id}: {method} {path}");
        let _ = writeln!(text, "    credentials {} scopes {} retry {retry:?}", list(credentials), list(scopes));
        if let Some((arguments, answer)) = builder(file, &operation.function) {
            let _ = writeln!(text, "    ({arguments}) -> {answer}");
        }
    }
    text.push_str("types\n");
    for item in module(file, "types") {
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
            _ => {}
        }
    }
    text
}

fn module<'a>(file: &'a syn::File, name: &str) -> &'a [Item] {
    file.items
        .iter()
        .find_map(|item| match item {
            Item::Mod(module) if module.ident == name => module.content.as_ref().map(|(_, items)| items.as_slice()),
            _ => None,
        })
        .unwrap_or_default()
}

fn builder(file: &syn::File, function: &str) -> Option<(String, String)> {
    let name = heck::ToPascalCase::to_pascal_case(function);
    let items = module(file, "builder");
    let arguments = items.iter().find_map(|item| match item {
        Item::Struct(item) if item.ident == name => {
            let names = item.fields.iter().filter_map(|field| {
                let ident = field.ident.as_ref()?;
                (ident != "client")
                    .then(|| format!("{ident}: {}", short(&field.ty).replace("Result<", "").replace(", String>", "")))
            });
            Some(names.collect::<Vec<_>>().join(", "))
        }
        _ => None,
    })?;
    let answer = items.iter().find_map(|item| match item {
        Item::Impl(block) if short(&block.self_ty).starts_with(&format!("{name}<")) => {
            block.items.iter().find_map(|item| match item {
                ImplItem::Fn(send) if send.sig.ident == "send" && matches!(send.vis, Visibility::Public(_)) => {
                    match &send.sig.output {
                        ReturnType::Type(_, output) => Some(short(output)),
                        ReturnType::Default => None,
                    }
                }
                _ => None,
            })
        }
        _ => None,
    })?;
    Some((arguments, answer))
}

fn fields(fields: &Fields) -> String {
    let all: Vec<String> = fields
        .iter()
        .map(|field| match &field.ident {
            Some(name) => format!("{name}: {}", short(&field.ty)),
            None => short(&field.ty),
        })
        .collect();
    match fields {
        Fields::Unit => String::new(),
        Fields::Unnamed(_) => format!("({})", all.join(", ")),
        Fields::Named(_) => format!(" {{ {} }}", all.join(", ")),
    }
}

/// A type without the standard library's paths.
fn short(kind: &Type) -> String {
    let mut text = kind.to_token_stream().to_string().replace(' ', "");
    for prefix in [
        "::std::option::",
        "::std::result::",
        "::std::string::",
        "::std::vec::",
        "::serde_json::",
        "::std::collections::",
    ] {
        text = text.replace(prefix, "");
    }
    text.replace(',', ", ")
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "-".to_owned() } else { names.join("+") }
}
