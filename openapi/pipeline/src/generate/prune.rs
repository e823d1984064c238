//! Removes unneeded type builders: callers build requests, the decoder builds responses. The builders are more than half of
//! the generator's code, and all of it would be compiled.

use std::collections::{HashMap, HashSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Attribute, Field, ImplItem, Item, ItemMod, Type};

use super::adapt::{Call, adapt_types};
use super::code::UnparsedItems;
use super::compact::builders;
use super::{argument_rules, docs, patch, setters};

/// Moves the builders of request types into their module, which is empty. Returns `None` if one is not valid Rust.
pub(crate) fn request_builders(file: &mut syn::File, builders: &UnparsedItems, calls: &[Call]) -> Option<()> {
    let Some(types) = file.items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == "types" => Some(module),
        _ => None,
    }) else {
        return Some(());
    };
    let kept = request_types(types, calls);
    let Some((_, items)) = &mut types.content else { return Some(()) };
    let patches = patch::apply(items);
    let described = setters::described(items, &kept);
    let mut builders = kept_builders(items, builders, &kept, &patches, &described)?;
    for item in items.iter_mut() {
        match item {
            Item::Mod(module) if module.ident == "builder" => {
                module.content.get_or_insert_default().1 = std::mem::take(&mut builders);
            }
            Item::Impl(block)
                if block.trait_.is_none() && name_of(&block.self_ty).is_some_and(|name| !kept.contains(&name)) =>
            {
                block.items.retain(|item| !matches!(item, ImplItem::Fn(function) if function.sig.ident == "builder"));
            }
            _ => {}
        }
    }
    items.retain(|item| !matches!(item, Item::Impl(block) if block.trait_.is_none() && block.items.is_empty()));
    items.extend(argument_rules::of_types(items, &kept));
    Some(())
}

/// Returns the builders of the kept types. A builder that the runtime's macro can generate is reduced to its members
/// immediately: its code is several times as large, and every pass would walk through it. Others are adapted like all types.
fn kept_builders(
    types: &[Item],
    builders: &UnparsedItems,
    kept: &HashSet<String>,
    patches: &HashSet<(String, String)>,
    described: &HashMap<(String, String), Vec<Attribute>>,
) -> Option<Vec<Item>> {
    let led = builders::types_with_builder(types);
    let mut items = Vec::new();
    for texts in builders.of_types(|name| kept.contains(name)) {
        if let Some(members) = builders::builder_members(&texts, &led, patches) {
            items.push(Item::Struct(members));
            continue;
        }
        let mut own = texts.iter().map(|text| syn::parse_str(text).ok()).collect::<Option<Vec<Item>>>()?;
        adapt_types(&mut own);
        own.iter_mut().for_each(docs::sanitize);
        patch::of_builders(&mut own, patches);
        setters::of_types(&mut own, described, patches);
        items.extend(own);
    }
    Some(items)
}

/// Returns the types of the arguments, and all types inside them.
fn request_types(types: &ItemMod, calls: &[Call]) -> HashSet<String> {
    let mut inside: HashMap<String, &Item> = HashMap::new();
    for item in types.content.iter().flat_map(|(_, items)| items) {
        match item {
            Item::Struct(own) => drop(inside.insert(own.ident.to_string(), item)),
            Item::Enum(own) => drop(inside.insert(own.ident.to_string(), item)),
            _ => {}
        }
    }
    let mut open: Vec<String> = calls
        .iter()
        .flat_map(|call| &call.arguments)
        .flat_map(|argument| identifiers(argument.kind.to_token_stream()))
        .collect();
    let mut kept = HashSet::new();
    while let Some(name) = open.pop() {
        if let Some(item) = inside.get(&name)
            && kept.insert(name)
        {
            open.extend(fields(item).flat_map(|field| identifiers(field.ty.to_token_stream())));
        }
    }
    kept
}

/// Returns the fields of a type, of all variants for an enum.
fn fields(item: &Item) -> impl Iterator<Item = &Field> {
    let (own, variants) = match item {
        Item::Struct(item) => (Some(&item.fields), None),
        Item::Enum(item) => (None, Some(&item.variants)),
        _ => (None, None),
    };
    own.into_iter().chain(variants.into_iter().flatten().map(|variant| &variant.fields)).flatten()
}

fn name_of(kind: &Type) -> Option<String> {
    match kind {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

fn identifiers(tokens: TokenStream) -> Vec<String> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(word) => vec![word.to_string()],
            TokenTree::Group(group) => identifiers(group.stream()),
            _ => Vec::new(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use quote::format_ident;

    use super::super::adapt::{Argument, Role};
    use super::*;

    #[test]
    fn a_type_is_not_needed_because_a_variant_or_a_field_is_called_like_it() {
        let types: ItemMod = syn::parse_quote! {
            mod types {
                pub enum Asked { Known(Inner), Other { Name: ::std::vec::Vec<Listed> } }
                pub struct Inner { pub told: ::std::option::Option<Deep> }
                pub struct Deep(pub u8);
                pub struct Listed;
                pub struct Known { pub asked: Asked }
                pub struct Name;
            }
        };
        let argument = Argument {
            name: "body".to_owned(),
            setter: format_ident!("body"),
            kind: syn::parse_quote!(types::Asked),
            role: Role::Typed,
        };
        let call = Call {
            id: "ask".to_owned(),
            function: format_ident!("ask"),
            streams: false,
            streaming: None,
            arguments: vec![argument],
        };
        let needed = ["Asked", "Inner", "Deep", "Listed"].map(str::to_owned);
        assert_eq!(request_types(&types, &[call]), HashSet::from(needed));
    }
}
