//! Types that wrap another one. A wrapper without limits has no more information than its name, which an alias has as well.
//! Texts with limits become one runtime type, distinguished by the limits.

use std::collections::{BTreeMap, HashMap, HashSet};

use quote::{format_ident, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Expr, Fields, GenericArgument, ImplItem, Item, ItemImpl, ItemStruct, Lit, PathArguments, Stmt, Type, Visibility,
    parse_quote,
};

use super::{implemented, leads_into, module, own_type, text};
use crate::generate::setters::has_rule;

/// The traits that the generator implements for a wrapper. A wrapper with other traits remains a type.
const IMPLEMENTED: [&str; 9] =
    ["Deref", "DerefMut", "From", "FromStr", "TryFrom", "Display", "Deserialize", "ArgumentType", "IntoArgumentBy"];

/// Replaces the wrappers of a module.
pub(super) fn replace_wrappers(items: &mut Vec<Item>) {
    let mut patterns = PatternTypes::default();
    let mut found: HashMap<String, Type> = HashMap::new();
    let blocks = ImplBlocks::of(items);
    for item in items.iter() {
        let Item::Struct(item) = item else { continue };
        let Some((inner, visibility)) = wrapped(item) else { continue };
        let name = item.ident.to_string();
        if !blocks.is_plain(&name) {
            continue;
        }
        let alias = match visibility {
            Visibility::Public(_) => has_rule(inner).then(|| inner.clone()),
            _ if text(inner).ends_with("string::String") => {
                blocks.limits(&name).map(|limits| patterns.alias(&name, limits))
            }
            _ => None,
        };
        found.extend(alias.map(|alias| (name, alias)));
    }
    found = without_cycles(found);
    if found.is_empty() {
        return;
    }
    let own: HashSet<String> = items
        .iter()
        .filter_map(|item| match item {
            Item::Struct(item) => Some(item.ident.to_string()),
            Item::Enum(item) => Some(item.ident.to_string()),
            _ => None,
        })
        .collect();
    items.retain(|item| !matches!(item, Item::Impl(block) if is_of(block, &found, &own)));
    for item in items.iter_mut() {
        if let Item::Struct(own) = item
            && let Some(alias) = found.get(&own.ident.to_string())
        {
            let (name, docs) = (&own.ident, own.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")));
            *item = parse_quote!(#(#docs)* pub type #name = #alias;);
        }
    }
    remove_ambiguous_conversions(items, &found);
    items.extend(patterns.module(&found));
}

/// Replaces an alias by its type if only the generator gave the name, which has no information then.
pub(super) fn inline(file: &mut syn::File, named: &HashSet<String>) {
    let Some(types) = module(&mut file.items, "types") else { return };
    let mut plain = HashMap::new();
    types.retain(|item| {
        let Item::Type(alias) = item else { return true };
        let is_plain = !named.contains(&alias.ident.to_string()) && is_self_contained(&alias.ty);
        if is_plain {
            plain.insert(alias.ident.to_string(), (*alias.ty).clone());
        }
        !is_plain
    });
    let mut inline = AliasInliner { plain, within: Vec::new() };
    file.items.iter_mut().for_each(|item| inline.visit_item_mut(item));
}

/// Returns whether a type has the same name everywhere, and values of it can be made without its name.
fn is_self_contained(kind: &Type) -> bool {
    let Type::Path(path) = kind else { return false };
    if path.path.segments.last().is_some_and(|segment| segment.ident == "Text") {
        return false;
    }
    let is_everywhere =
        path.path.leading_colon.is_some() || path.path.get_ident().is_some_and(|name| is_primitive(&name.to_string()));
    let arguments = path.path.segments.iter().all(|segment| match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().all(|argument| match argument {
            GenericArgument::Type(kind) => is_self_contained(kind),
            _ => true,
        }),
        _ => true,
    });
    is_everywhere && arguments
}

fn is_primitive(name: &str) -> bool {
    ["bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"].contains(&name)
}

struct AliasInliner {
    plain: HashMap<String, Type>,
    /// The enclosing modules.
    within: Vec<String>,
}

impl VisitMut for AliasInliner {
    fn visit_item_mod_mut(&mut self, module: &mut syn::ItemMod) {
        self.within.push(module.ident.to_string());
        visit_mut::visit_item_mod_mut(self, module);
        self.within.pop();
    }

    fn visit_type_mut(&mut self, kind: &mut Type) {
        visit_mut::visit_type_mut(self, kind);
        if let Type::Path(path) = kind
            && leads_into(&path.path, &self.within) == Some("types")
            && let Some(last) = path.path.segments.last()
            && let Some(plain) = self.plain.get(&last.ident.to_string())
        {
            *kind = plain.clone();
        }
    }
}

/// Returns the type in a wrapper, and its visibility.
fn wrapped(item: &ItemStruct) -> Option<(&Type, &Visibility)> {
    let Fields::Unnamed(fields) = &item.fields else { return None };
    let field = fields.unnamed.first().filter(|_| fields.unnamed.len() == 1)?;
    let is_known = |attribute: &&syn::Attribute| {
        let path = attribute.path();
        path.is_ident("doc") || path.is_ident("derive") || path.is_ident("serde")
    };
    (field.attrs.is_empty() && item.attrs.iter().all(|attribute| is_known(&attribute)))
        .then_some((&field.ty, &field.vis))
}

/// The impl blocks of each type.
struct ImplBlocks<'a>(HashMap<String, Vec<&'a ItemImpl>>);

impl<'a> ImplBlocks<'a> {
    fn of(items: &'a [Item]) -> Self {
        let mut found: HashMap<String, Vec<&ItemImpl>> = HashMap::new();
        for item in items {
            if let Item::Impl(block) = item
                && let Some(name) = own_type(block)
            {
                found.entry(name).or_default().push(block);
            }
        }
        Self(found)
    }

    fn of_type(&self, name: &str) -> impl Iterator<Item = &'a ItemImpl> {
        self.0.get(name).into_iter().flatten().copied()
    }

    /// Returns whether the alias would lack none of the implemented traits.
    fn is_plain(&self, name: &str) -> bool {
        self.of_type(name).all(|block| {
            let implemented = implemented(block).unwrap_or_default();
            let bare = implemented.split('<').next().unwrap_or_default();
            IMPLEMENTED.contains(&bare)
        })
    }

    /// Returns the limits of a text; `None` if it has another check.
    fn limits(&self, name: &str) -> Option<TextLimits> {
        let parse = self.of_type(name).find(|block| implemented(block).as_deref() == Some("FromStr"))?;
        let function = parse.items.iter().find_map(|item| match item {
            ImplItem::Fn(function) => Some(function),
            _ => None,
        })?;
        let mut limits = TextLimits::default();
        for statement in &function.block.stmts {
            limits.read_statement(statement)?;
        }
        Some(limits)
    }
}

#[derive(Default)]
struct TextLimits {
    least: Option<usize>,
    most: Option<usize>,
    /// The pattern, with the error message for a mismatch.
    pattern: Option<(String, String)>,
}

impl TextLimits {
    /// Reads a statement of the generator's `from_str`.
    fn read_statement(&mut self, statement: &Stmt) -> Option<()> {
        let written = text(statement);
        if let Some(count) = written.strip_prefix("ifvalue.chars().count()>") {
            self.most = Some(number(count)?);
        } else if let Some(count) = written.strip_prefix("ifvalue.chars().count()<") {
            self.least = Some(number(count)?);
        } else if let Stmt::Item(Item::Static(item)) = statement {
            self.pattern = Some((first_text(&item.expr)?, String::new()));
        } else if let (Some((_, said)), true) =
            (&mut self.pattern, written.starts_with("ifPATTERN.find(value).is_none()"))
        {
            let Stmt::Expr(Expr::If(condition), _) = statement else { return None };
            *said = condition.then_branch.stmts.iter().find_map(|statement| match statement {
                Stmt::Expr(expr, _) => first_text(expr),
                _ => None,
            })?;
        } else if written != "Ok(Self(value.to_string()))" {
            return None;
        }
        Some(())
    }
}

/// Reads the number in `13usize{return..`.
fn number(text: &str) -> Option<usize> {
    text.split_once("usize{")?.0.parse().ok()
}

/// Returns the first text in an expression.
fn first_text(expr: &Expr) -> Option<String> {
    struct FirstText(Option<String>);
    impl VisitMut for FirstText {
        fn visit_lit_mut(&mut self, literal: &mut Lit) {
            if let (None, Lit::Str(text)) = (&self.0, literal) {
                self.0 = Some(text.value());
            }
        }
    }
    let mut first = FirstText(None);
    first.visit_expr_mut(&mut expr.clone());
    first.0
}

/// The patterns of a module: one type for each, named after the first text that has it.
#[derive(Default)]
struct PatternTypes {
    names: BTreeMap<(String, String), String>,
    /// The pattern of each type.
    used: HashMap<String, (String, String)>,
}

impl PatternTypes {
    fn alias(&mut self, name: &str, limits: TextLimits) -> Type {
        let pattern = limits.pattern.map(|pattern| {
            self.used.insert(name.to_owned(), pattern.clone());
            let known = self.names.entry(pattern).or_insert_with(|| name.to_owned());
            let known = format_ident!("{known}");
            quote!(patterns::#known)
        });
        let count = |count: usize| proc_macro2::Literal::usize_unsuffixed(count);
        let (least, most) = (limits.least.unwrap_or_default(), limits.most.map(count));
        let least = (least > 0 || most.is_some()).then(|| count(least));
        let pattern = pattern.or_else(|| least.is_some().then(|| quote!(::keyfit::codegen::AnyText)));
        let arguments =
            pattern.into_iter().chain(least.map(|count| quote!(#count))).chain(most.map(|count| quote!(#count)));
        parse_quote!(::keyfit::codegen::Text<#(#arguments),*>)
    }

    /// Returns the module of the used patterns.
    fn module(&self, found: &HashMap<String, Type>) -> Option<Item> {
        let used: HashSet<&(String, String)> =
            self.used.iter().filter(|(name, _)| found.contains_key(*name)).map(|(_, pattern)| pattern).collect();
        let items = self.names.iter().filter(|(pattern, _)| used.contains(pattern)).map(|((pattern, said), name)| {
            let name = format_ident!("{name}");
            let own = (*said != format!("doesn't match pattern \"{pattern}\""))
                .then(|| quote!(const REFUSAL: &'static str = #said;));
            quote! {
                pub enum #name {}
                impl ::keyfit::codegen::Pattern for #name {
                    const PATTERN: &'static str = #pattern;
                    #own
                }
            }
        });
        let items: Vec<_> = items.collect();
        (!items.is_empty()).then(|| {
            parse_quote!(
                /// Patterns of texts.
                pub mod patterns { #(#items)* }
            )
        })
    }
}

/// Removes aliases that refer to themselves, which are not valid types.
fn without_cycles(found: HashMap<String, Type>) -> HashMap<String, Type> {
    let leads_to_itself = |name: &str| {
        let (mut open, mut seen) = (vec![name.to_owned()], HashSet::new());
        while let Some(next) = open.pop() {
            for inner in found.get(&next).map(names).unwrap_or_default() {
                if inner == name {
                    return true;
                }
                if seen.insert(inner.clone()) {
                    open.push(inner);
                }
            }
        }
        false
    };
    let circular: HashSet<String> = found.keys().filter(|name| leads_to_itself(name)).cloned().collect();
    found.into_iter().filter(|(name, _)| !circular.contains(name)).collect()
}

/// Returns the names of this module's types in a type.
fn names(kind: &Type) -> Vec<String> {
    let Type::Path(path) = kind else { return Vec::new() };
    let own = path.path.get_ident().map(ToString::to_string);
    let arguments = path.path.segments.iter().flat_map(|segment| match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().collect(),
        _ => Vec::new(),
    });
    let inner = arguments.filter_map(|argument| match argument {
        GenericArgument::Type(kind) => Some(names(kind)),
        _ => None,
    });
    own.into_iter().chain(inner.flatten()).collect()
}

/// Returns whether a block belongs to a wrapper, or converts a wrapper to its inner type.
fn is_of(block: &ItemImpl, found: &HashMap<String, Type>, own: &HashSet<String>) -> bool {
    let name = own_type(block).filter(|name| own.contains(name));
    let is_from_alias = || {
        let implemented = implemented(block).unwrap_or_default();
        let source = implemented.strip_prefix("From<").and_then(|rest| rest.strip_suffix('>'));
        source.is_some_and(|source| found.contains_key(source))
    };
    let is_from_itself = |name: &str| {
        let implemented = implemented(block).unwrap_or_default();
        let source = implemented.strip_prefix("From<").and_then(|rest| rest.strip_suffix('>'));
        source.and_then(|source| found.get(source)).is_some_and(|alias| text(alias) == name)
    };
    name.map_or_else(is_from_alias, |name| found.contains_key(&name) || is_from_itself(&name))
}

/// Removes conversions to alternatives of a union that now have one type: the alternative must be named.
pub(super) fn remove_ambiguous_conversions(items: &mut Vec<Item>, found: &HashMap<String, Type>) {
    let source = |block: &ItemImpl| -> Option<(String, bool, String)> {
        let implemented = implemented(block)?;
        let written = implemented.strip_prefix("From<")?.strip_suffix('>')?.to_owned();
        let (mut whole, mut is_alias) = (written, false);
        while let Some(alias) = found.get(&whole) {
            (whole, is_alias) = (text(alias), true);
        }
        Some((own_type(block)?, is_alias, whole))
    };
    let mut counts: HashMap<(String, String), (usize, usize)> = HashMap::new();
    for item in items.iter() {
        if let Item::Impl(block) = item
            && let Some((name, is_alias, whole)) = source(block)
        {
            let count = counts.entry((name, whole)).or_default();
            if is_alias { count.0 += 1 } else { count.1 += 1 }
        }
    }
    items.retain(|item| {
        let Item::Impl(block) = item else { return true };
        let Some((name, is_alias, whole)) = source(block) else { return true };
        let (aliases, others) = counts.get(&(name, whole)).copied().unwrap_or_default();
        !is_alias || others == 0 && aliases == 1
    });
}

#[cfg(test)]
mod tests;
