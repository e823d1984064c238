//! The removal of repeated code: code that the generator writes out for each type is replaced by a name of the runtime. The
//! behavior does not change. This step runs last, on complete code.

mod aliases;
pub(crate) mod builders;
mod calls;
mod merge;
mod names;
mod values;

use std::collections::HashSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit_mut::{self, VisitMut};
use syn::{Ident, Item, ItemImpl, ItemMod, Path, Type, parse_quote};

pub(crate) use values::IN_MACRO;

/// Replaces types that only wrap another one by aliases of it, and texts with limits by aliases of the runtime's type. Merges
/// equal types. `named` are the types that the document names.
pub(crate) fn merge(file: &mut syn::File, named: &HashSet<String>) {
    if let Some(types) = module(&mut file.items, "types") {
        aliases::replace_wrappers(types);
    }
    aliases::inline(file, named);
    // The argument and response types of a call keep the call's name, even if they equal other types.
    let mut named = named.clone();
    named.extend(types_of_calls(file));
    merge::merge_equal_types(file, &named);
}

/// Returns the types that calls name.
fn types_of_calls(file: &mut syn::File) -> HashSet<String> {
    struct TypeNames(HashSet<String>);
    impl VisitMut for TypeNames {
        fn visit_path_mut(&mut self, path: &mut Path) {
            visit_mut::visit_path_mut(self, path);
            let mut segments = path.segments.iter().map(|segment| segment.ident.to_string());
            if let (Some("types"), Some(name), None) = (segments.next().as_deref(), segments.next(), segments.next()) {
                self.0.insert(name);
            }
        }
    }
    let mut named = TypeNames(HashSet::new());
    for item in module(&mut file.items, "builder").into_iter().flatten() {
        named.visit_item_mut(item);
    }
    named.0
}

/// Shortens enums, builders and calls, and the paths of all code.
pub(crate) fn shorten(file: &mut syn::File) {
    if let Some(types) = module(&mut file.items, "types") {
        values::to_macros(types);
        builders::write_macros(types);
        for item in types.iter_mut() {
            ConversionErrors.visit_item_mut(item);
        }
        types.retain(|item| !matches!(item, Item::Mod(module) if module.ident == "error"));
    }
    if let Some(calls) = module(&mut file.items, "builder") {
        calls::shorten_all(calls);
    }
    names::shorten_paths(file);
}

/// The modules of types.
const MODULES: [&str; 2] = ["types", "values"];

/// Returns the items of a module.
fn module<'a>(items: &'a mut [Item], name: &str) -> Option<&'a mut Vec<Item>> {
    items.iter_mut().find_map(|item| match item {
        Item::Mod(ItemMod { ident, content: Some((_, items)), .. }) if ident == name => Some(items),
        _ => None,
    })
}

/// Returns the type of this module that a block belongs to.
fn own_type(block: &ItemImpl) -> Option<String> {
    match &*block.self_ty {
        Type::Path(path) => path.path.get_ident().map(ToString::to_string),
        _ => None,
    }
}

/// Returns the trait that a block implements, without the path: `TryFrom<&str>`. Returns `None` for an inherent impl.
fn implemented(block: &ItemImpl) -> Option<String> {
    let (path, _) = block.trait_.as_ref()?;
    let last = path.segments.last()?;
    Some(if last.arguments.is_none() { last.ident.to_string() } else { text(last) })
}

/// Returns the module of types that a path leads into, seen from nested modules. It is called for every path, so it copies
/// nothing.
fn leads_into(path: &Path, within: &[String]) -> Option<&'static str> {
    let mut before = path.segments.iter().rev().skip(1).map(|segment| &segment.ident);
    let (last, other) = (before.next(), before.next());
    let is = |ident: Option<&Ident>, name: &str| ident.is_some_and(|ident| ident == name);
    let in_builders = within == ["types", "builder"];
    if last.is_none() && !in_builders {
        return MODULES.into_iter().find(|module| within == [*module]);
    }
    if is(last, "values") {
        return Some("values");
    }
    let is_whole = last.is_none() || is(last, "super") && other.is_none();
    let leads = is(last, "types")
        || is(last, "builder") && (is(other, "types") || other.is_none() && within == ["types"])
        || is_whole && in_builders;
    leads.then_some("types")
}

/// Returns tokens as a text without spaces.
fn text(tokens: &impl quote::ToTokens) -> String {
    tokens.to_token_stream().to_string().replace(' ', "")
}

/// Returns the same text with literals unchanged: two types may differ only in a space of a pattern.
fn exact(tokens: &impl quote::ToTokens) -> String {
    fn write(tokens: TokenStream, written: &mut String) {
        for tree in tokens {
            let TokenTree::Group(group) = &tree else {
                written.push_str(&tree.to_string());
                continue;
            };
            let (open, close) = match group.delimiter() {
                Delimiter::Parenthesis => ("(", ")"),
                Delimiter::Brace => ("{", "}"),
                Delimiter::Bracket => ("[", "]"),
                Delimiter::None => ("", ""),
            };
            written.push_str(open);
            write(group.stream(), written);
            written.push_str(close);
        }
    }
    let mut written = String::new();
    write(tokens.to_token_stream(), &mut written);
    written
}

/// A visitor that replaces the error type of conversions by the runtime's.
struct ConversionErrors;

impl VisitMut for ConversionErrors {
    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let names = ["ConversionError", "error"];
        let is_error =
            path.segments.iter().rev().zip(names).filter(|(segment, name)| segment.ident == name).count() == 2;
        if is_error && (path.leading_colon.is_some() || path.segments.len() > 2) {
            *path = parse_quote!(::keyfit::codegen::ConversionError);
        }
    }
}
