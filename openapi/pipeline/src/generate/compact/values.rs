//! Enums of texts or integers in the form of the runtime's macros: one variant with its value for each line.

use std::collections::HashMap;

use quote::format_ident;
use syn::{Fields, Item, ItemEnum, Lit, LitStr, Variant, parse_quote};

use super::{implemented, own_type};

/// The attribute of an item that is printed as the argument of the runtime's macro with the given name.
pub(crate) const IN_MACRO: &str = "in_macro";

/// The traits that `texts!` implements.
const IMPLEMENTED: [&str; 6] = [
    "Display",
    "FromStr",
    "TryFrom<&str>",
    "TryFrom<::std::string::String>",
    "ArgumentType",
    "TryFrom<&::std::string::String>",
];

/// Shortens the enums of texts of a module.
pub(super) fn to_macros(items: &mut Vec<Item>) {
    let mut blocks: HashMap<String, usize> = HashMap::new();
    for item in items.iter() {
        if let Item::Impl(block) = item
            && let Some(name) = own_type(block)
            && implemented(block).is_some_and(|implemented| implemented == "FromStr" || implemented == "Display")
        {
            *blocks.entry(name).or_default() += 1;
        }
    }
    let mut done = std::collections::HashSet::new();
    for item in items.iter_mut() {
        if let Item::Enum(item) = item
            && blocks.get(&item.ident.to_string()) == Some(&2)
            && let Some(short) = with_values(item)
        {
            done.insert(item.ident.to_string());
            *item = short;
        }
    }
    items.retain(|item| {
        let Item::Impl(block) = item else { return true };
        let is_done = own_type(block).is_some_and(|name| done.contains(&name));
        !is_done || !implemented(block).is_some_and(|implemented| IMPLEMENTED.contains(&implemented.as_str()))
    });
}

/// Returns the enum with the values of its variants; `None` if it has other attributes.
fn with_values(item: &ItemEnum) -> Option<ItemEnum> {
    let mut docs = Vec::new();
    for attribute in &item.attrs {
        let path = attribute.path();
        if path.is_ident("doc") {
            docs.push(attribute.clone());
        } else if path.is_ident("serde") && !super::text(attribute).starts_with("#[serde(crate=")
            || !path.is_ident("serde") && !path.is_ident("derive")
        {
            return None;
        }
    }
    let variants: Vec<Variant> = item.variants.iter().map(with_value).collect::<Option<_>>()?;
    let (name, macro_name) = (&item.ident, format_ident!("texts"));
    let attribute = format_ident!("{IN_MACRO}");
    Some(parse_quote! {
        #(#docs)*
        #[#attribute(#macro_name)]
        pub enum #name { #(#variants,)* }
    })
}

fn with_value(variant: &Variant) -> Option<Variant> {
    if !matches!(variant.fields, Fields::Unit) {
        return None;
    }
    let (mut docs, mut value) = (Vec::new(), variant.ident.to_string());
    for attribute in &variant.attrs {
        if attribute.path().is_ident("doc") {
            docs.push(attribute.clone());
        } else {
            let renamed: Lit = {
                let mut renamed = None;
                attribute
                    .parse_nested_meta(|meta| {
                        let literal: Lit = meta.value()?.parse()?;
                        renamed = meta.path.is_ident("rename").then_some(literal);
                        Ok(())
                    })
                    .ok()?;
                renamed?
            };
            let Lit::Str(text) = renamed else { return None };
            value = text.value();
        }
    }
    let (name, value) = (&variant.ident, LitStr::new(&value, variant.ident.span()));
    Some(parse_quote!(#(#docs)* #name = #value))
}
