//! What the generator writes out for each type, said once: the runtime has it, and the code names it. Everything here keeps
//! what the code does; it runs last, on code that is complete.

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

/// Types that only wrap another one become aliases of it, and texts with limits aliases of the runtime's; types that are written
/// twice become one. `named` are the types that the document names.
pub(crate) fn merge(file: &mut syn::File, named: &HashSet<String>) {
    if let Some(types) = module(&mut file.items, "types") {
        aliases::settle(types);
    }
    aliases::inline(file, named);
    // What calls take and answer with is called after the call, whatever else it equals.
    let mut named = named.clone();
    named.extend(of_calls(file));
    merge::settle(file, &named);
}

/// The types that calls name.
fn of_calls(file: &mut syn::File) -> HashSet<String> {
    struct Named(HashSet<String>);
    impl VisitMut for Named {
        fn visit_path_mut(&mut self, path: &mut Path) {
            visit_mut::visit_path_mut(self, path);
            let mut segments = path.segments.iter().map(|segment| segment.ident.to_string());
            if let (Some("types"), Some(name), None) = (segments.next().as_deref(), segments.next(), segments.next()) {
                self.0.insert(name);
            }
        }
    }
    let mut named = Named(HashSet::new());
    for item in module(&mut file.items, "builder").into_iter().flatten() {
        named.visit_item_mut(item);
    }
    named.0
}

/// Enums, builders and calls are shortened, and the paths of everything.
pub(crate) fn settle(file: &mut syn::File) {
    if let Some(types) = module(&mut file.items, "types") {
        values::settle(types);
        builders::settle(types);
        for item in types.iter_mut() {
            Errors.visit_item_mut(item);
        }
        types.retain(|item| !matches!(item, Item::Mod(module) if module.ident == "error"));
    }
    if let Some(calls) = module(&mut file.items, "builder") {
        calls::settle(calls);
    }
    names::settle(file);
}

/// The modules of types.
const MODULES: [&str; 2] = ["types", "values"];

/// What stands in a module.
fn module<'a>(items: &'a mut [Item], name: &str) -> Option<&'a mut Vec<Item>> {
    items.iter_mut().find_map(|item| match item {
        Item::Mod(ItemMod { ident, content: Some((_, items)), .. }) if ident == name => Some(items),
        _ => None,
    })
}

/// The type of this module that a block is of.
fn own_type(block: &ItemImpl) -> Option<String> {
    match &*block.self_ty {
        Type::Path(path) => path.path.get_ident().map(ToString::to_string),
        _ => None,
    }
}

/// What a block implements, without what leads to the trait: `TryFrom<&str>`. `None` for what it has of its own.
fn implemented(block: &ItemImpl) -> Option<String> {
    let (path, _) = block.trait_.as_ref()?;
    let last = path.segments.last()?;
    Some(if last.arguments.is_none() { last.ident.to_string() } else { text(last) })
}

/// The module of types that a path leads into from within modules, where it does. It is asked of every path, so nothing is copied.
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

/// Tokens as a text without spaces.
fn text(tokens: &impl quote::ToTokens) -> String {
    tokens.to_token_stream().to_string().replace(' ', "")
}

/// The same with what stands in literals as it is: two types may differ in a space of a pattern alone.
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

/// The error of conversions is the runtime's.
struct Errors;

impl VisitMut for Errors {
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
