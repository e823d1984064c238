//! Builders as the runtime's macros take them: a member in a line. One whose code is not what the macro writes stays as it is.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use syn::{
    Expr, ExprStruct, FieldValue, Fields, Ident, ImplItem, ImplItemFn, Item, ItemStruct, Stmt, Type, parse_quote,
};

use super::{implemented, module, own_type, text};
use crate::generate::adapt::type_argument;
use crate::generate::setters::{Need, has_rule, written};

/// Shortens the builders of types.
pub(super) fn settle(types: &mut Vec<Item>) {
    let led: Vec<String> = types.iter().filter_map(leads).collect();
    let Some(items) = module(types, "builder") else { return };
    let done = shorten(items, &led);
    types.retain(|item| !of_macro(item).is_some_and(|name| done.contains(&name)));
}

/// The type whose `builder()` this is.
fn leads(item: &Item) -> Option<String> {
    let Item::Impl(block) = item else { return None };
    let [ImplItem::Fn(function)] = block.items.as_slice() else { return None };
    let is_builder = block.trait_.is_none() && function.sig.ident == "builder";
    own_type(block).filter(|_| is_builder && text(&function.block) == "{Default::default()}")
}

/// The type of what the macro writes beside a builder.
fn of_macro(item: &Item) -> Option<String> {
    let Item::Impl(block) = item else { return None };
    let is_rule = implemented(block).as_deref() == Some("ArgumentType");
    leads(item).or_else(|| own_type(block).filter(|_| is_rule))
}

/// Shortens the builders of types that lead to theirs, and returns the types.
fn shorten(items: &mut Vec<Item>, led: &[String]) -> Vec<String> {
    let names: Vec<String> = items
        .iter()
        .filter_map(|item| match item {
            Item::Struct(item) => Some(item.ident.to_string()),
            _ => None,
        })
        .collect();
    let mut parts: HashMap<String, Vec<Item>> = HashMap::new();
    for item in std::mem::take(items) {
        let owner = match &item {
            Item::Struct(item) => Some(item.ident.to_string()),
            Item::Impl(block) => own_type(block).or_else(|| made(&implemented(block)?)),
            _ => None,
        };
        match owner.filter(|owner| names.contains(owner)) {
            Some(owner) => parts.entry(owner).or_default().push(item),
            None => items.push(item),
        }
    }
    let mut done = Vec::new();
    for name in names {
        let Some(own) = parts.remove(&name) else { continue };
        let ident = format_ident!("{name}");
        if let Some(members) = short(&own).filter(|_| led.contains(&name)) {
            items.push(parse_quote!(::keyfit::codegen::builder! { #ident { #(#members,)* } }));
            done.push(name);
        } else {
            items.extend(own);
            items.push(parse_quote! {
                impl ::keyfit::codegen::Built for super::#ident {
                    type Builder = #ident;
                }
            });
        }
    }
    done
}

/// The builder of `impl TryFrom<Builder> for super::Type`.
fn made(implemented: &str) -> Option<String> {
    Some(implemented.strip_prefix("TryFrom<")?.strip_suffix('>')?.to_owned())
}

/// The members of a builder; `None` where something of it is not what the macro writes.
fn short(items: &[Item]) -> Option<Vec<TokenStream>> {
    let item = items.iter().find_map(|item| match item {
        Item::Struct(item) => Some(item),
        _ => None,
    })?;
    let fields = fields(item)?;
    let (mut initial, mut functions) = (HashMap::new(), Vec::new());
    for item in items {
        let Item::Impl(block) = item else { continue };
        match implemented(block).as_deref() {
            None => functions.extend(self::functions(&block.items)?),
            Some("Default") => initial = values(&block.items)?,
            Some(of) => {
                let (is_made, is_taken) = (of.starts_with("TryFrom<"), of.starts_with("From<"));
                let wanted = |field: &Ident| {
                    if is_made { quote!(#field: value.#field?) } else { quote!(#field: Ok(value.#field)) }
                };
                let wanted: Vec<TokenStream> = fields.iter().map(|(field, _)| wanted(field)).collect();
                let wanted =
                    if is_made { quote!({ Ok(Self { #(#wanted),* }) }) } else { quote!({ Self { #(#wanted),* } }) };
                let [function] = &*self::functions(&block.items)? else { return None };
                if !(is_made || is_taken) || bare(&function.block) != bare(&wanted) {
                    return None;
                }
            }
        }
    }
    let members: Vec<TokenStream> = fields
        .iter()
        .map(|(field, kind)| member(field, kind, initial.get(&field.to_string())?, &mut functions))
        .collect::<Option<_>>()?;
    functions.is_empty().then_some(members)
}

/// As a text without spaces and trailing commas.
fn bare(tokens: &impl quote::ToTokens) -> String {
    text(tokens).replace(",}", "}").replace(",)", ")")
}

/// The fields of a builder, whose types are `Result<T, String>`.
pub(super) fn fields(item: &ItemStruct) -> Option<Vec<(Ident, Type)>> {
    let Fields::Named(fields) = &item.fields else { return None };
    let own = fields.named.iter().filter(|field| !matches!(field.ty, Type::Reference(_)));
    own.map(|field| {
        let is_result = bare(&field.ty).replace(",>", ">").ends_with("String>");
        Some((field.ident.clone()?, type_argument(&field.ty).filter(|_| is_result)?))
    })
    .collect()
}

/// The functions of a block that has nothing but types beside.
pub(super) fn functions(items: &[ImplItem]) -> Option<Vec<ImplItemFn>> {
    let own = items.iter().filter(|item| !matches!(item, ImplItem::Type(_)));
    own.map(|item| match item {
        ImplItem::Fn(function) => Some(function.clone()),
        _ => None,
    })
    .collect()
}

/// What the fields of `Self { .. }` begin with, in the first function.
pub(super) fn values(items: &[ImplItem]) -> Option<HashMap<String, Expr>> {
    let ImplItem::Fn(function) = items.first()? else { return None };
    let Some(Stmt::Expr(Expr::Struct(ExprStruct { fields, rest: None, .. }), _)) = function.block.stmts.first() else {
        return None;
    };
    Some(
        fields
            .iter()
            .map(|FieldValue { member, expr, .. }| (member.to_token_stream().to_string(), expr.clone()))
            .collect(),
    )
}

/// A member as the macro takes it, whose functions are taken out of these.
pub(super) fn member(
    field: &Ident,
    kind: &Type,
    initial: &Expr,
    functions: &mut Vec<ImplItemFn>,
) -> Option<TokenStream> {
    let initial = text(initial);
    let is_missing = initial.starts_with("Err(\"");
    if !is_missing
        && !matches!(initial.as_str(), "Ok(None)" | "Ok(Default::default())" | "Ok(::std::default::Default::default())")
    {
        return None;
    }
    let last = |kind: &Type| match kind {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default(),
        _ => String::new(),
    };
    let (need, word, kind) = match (last(kind).as_str(), is_missing) {
        ("Patch", false) => (Need::Patch, "patch", type_argument(kind)?),
        ("Option", false) => (Need::Optional, "optional", type_argument(kind)?),
        ("Option", true) => (Need::Nullable, "nullable", type_argument(kind)?),
        (_, true) => (Need::Required, "required", kind.clone()),
        (_, false) => (Need::Default, "default", kind.clone()),
    };
    let takes = if last(&kind) == "Box" { type_argument(&kind)? } else { kind.clone() };
    if !has_rule(&takes) && !matches!(takes, Type::Array(_) | Type::Tuple(_)) {
        return None;
    }
    let mut others = Vec::new();
    for (index, expected) in written(field, &kind, need).into_iter().enumerate() {
        let at = functions.iter().position(|function| function.sig.ident == expected.sig.ident);
        let Some(at) = at else {
            // The name of its twin is that of another member.
            if index == 0 || !matches!(need, Need::Optional) {
                return None;
            }
            continue;
        };
        if undocumented(&functions[at]) != undocumented(&expected) {
            if index == 1 && matches!(need, Need::Optional) {
                continue;
            }
            return None;
        }
        let found = functions.remove(at);
        if index > 0 {
            others.push(found.sig.ident);
        }
    }
    let word = format_ident!("{word}");
    Some(quote!(#word #field #(#others)*: #kind))
}

/// A function without what is said of it.
fn undocumented(function: &ImplItemFn) -> String {
    let mut function = function.clone();
    function.attrs.clear();
    bare(&function)
}
