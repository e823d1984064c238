//! Short names: those of the prelude unless the module defines the same name, and `rt` for the runtime's support of generated
//! code.

use std::collections::HashSet;
use std::fmt::Write as _;

use proc_macro2::{Group, Literal, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote};
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Fields, Item, ItemMod, LitStr, Meta, Path, Token, parse_quote};

use super::IN_MACRO;

/// The names that are in scope everywhere, by their full paths.
const PRELUDE: [(&str, &str); 7] = [
    ("::std::boxed::Box", "Box"),
    ("::std::convert::From", "From"),
    ("::std::default::Default", "Default"),
    ("::std::option::Option", "Option"),
    ("::std::result::Result", "Result"),
    ("::std::string::String", "String"),
    ("::std::vec::Vec", "Vec"),
];

/// The path of the runtime in generated code.
const RUNTIME: &str = "::keyfit::codegen";

/// The maximum length of a line of attributes.
const MAX_LINE: usize = 80;

/// Shortens the paths of a file whose items are in one module.
pub(super) fn shorten_paths(file: &mut syn::File) {
    let mut names = PathShortener { own: defined_names(&file.items) };
    file.items.iter_mut().for_each(|item| names.visit_item_mut(item));
    import(&mut file.items);
}

/// Returns the names that a module defines.
fn defined_names(items: &[Item]) -> HashSet<String> {
    let name = |item: &Item| match item {
        Item::Struct(item) => Some(item.ident.to_string()),
        Item::Enum(item) => Some(item.ident.to_string()),
        Item::Type(item) => Some(item.ident.to_string()),
        Item::Static(item) => Some(item.ident.to_string()),
        Item::Macro(item) => item.mac.tokens.clone().into_iter().find_map(|token| match token {
            TokenTree::Ident(name) => Some(name.to_string()),
            _ => None,
        }),
        _ => None,
    };
    items.iter().filter_map(name).collect()
}

fn import(items: &mut Vec<Item>) {
    let is_named = items.iter().any(|item| match item {
        Item::Mod(_) => false,
        Item::Enum(item) if item.attrs.iter().any(|attribute| attribute.path().is_ident(IN_MACRO)) => true,
        item => names_runtime(item.to_token_stream()),
    });
    if is_named {
        items.insert(
            0,
            parse_quote!(
                use ::keyfit::codegen as rt;
            ),
        );
    }
}

/// Returns whether `rt` occurs in a path or in the text of an attribute.
fn names_runtime(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "rt",
        TokenTree::Group(group) => names_runtime(group.stream()),
        TokenTree::Literal(text) => text.to_string().starts_with("\"rt::"),
        TokenTree::Punct(_) => false,
    })
}

struct PathShortener {
    /// The names that the current module defines.
    own: HashSet<String>,
}

impl PathShortener {
    /// Returns the short form of a path, without the segments after it.
    fn short_path(&self, whole: &str) -> Option<&'static str> {
        if whole == RUNTIME {
            return Some("rt");
        }
        let (_, short) = PRELUDE.iter().find(|(path, _)| *path == whole)?;
        (!self.own.contains(*short)).then_some(*short)
    }

    fn path(&self, path: &mut Path) {
        if path.leading_colon.is_none() {
            return;
        }
        for count in [2, 3] {
            let mut first = String::new();
            for segment in path.segments.iter().take(count) {
                // Writing to a text cannot fail.
                let _ = write!(first, "::{}", segment.ident);
            }
            let Some(short) = self.short_path(&first) else { continue };
            path.leading_colon = None;
            let segments = std::mem::take(&mut path.segments);
            let mut rest = segments.into_iter().skip(count - 1);
            let last = rest.next().map(|mut last| {
                last.ident = format_ident!("{short}");
                last
            });
            path.segments = last.into_iter().chain(rest).collect();
            return;
        }
    }

    /// Shortens paths in tokens that are not a Rust construct of their own.
    fn tokens(&self, tokens: TokenStream) -> TokenStream {
        let mut rest: Vec<TokenTree> = tokens.into_iter().collect();
        let mut found = Vec::new();
        while !rest.is_empty() {
            let taken = [6, 9].into_iter().find_map(|count| {
                let text: String = rest.get(..count)?.iter().map(ToString::to_string).collect();
                Some((count, self.short_path(&text)?))
            });
            if let Some((count, short)) = taken {
                rest.drain(..count);
                found.push(format_ident!("{short}").into());
                continue;
            }
            found.push(match rest.remove(0) {
                TokenTree::Group(group) => Group::new(group.delimiter(), self.tokens(group.stream())).into(),
                other => other,
            });
        }
        found.into_iter().collect()
    }

    /// Shortens paths in the texts of serde's attributes.
    fn quoted(&self, tokens: TokenStream) -> TokenStream {
        let shorter = |token: TokenTree| match token {
            TokenTree::Group(group) => Group::new(group.delimiter(), self.quoted(group.stream())).into(),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let text = text.trim_matches('"');
                let known = std::iter::once((RUNTIME, "rt")).chain(PRELUDE).find_map(|(path, _)| {
                    let rest = text.strip_prefix(path)?;
                    rest.starts_with("::")
                        .then(|| self.short_path(path).map(|short| format!("{short}{rest}")))
                        .flatten()
                });
                known.map_or_else(|| literal.into(), |text| Literal::string(&text).into())
            }
            token => token,
        };
        tokens.into_iter().map(shorter).collect()
    }
}

impl VisitMut for PathShortener {
    fn visit_item_mod_mut(&mut self, module: &mut ItemMod) {
        let Some((_, items)) = &mut module.content else { return };
        let outer = std::mem::replace(&mut self.own, defined_names(items));
        for item in items.iter_mut() {
            self.visit_item_mut(item);
        }
        import(items);
        self.own = outer;
    }

    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        self.path(path);
    }

    fn visit_type_path_mut(&mut self, kind: &mut syn::TypePath) {
        let before = kind.path.segments.len();
        visit_mut::visit_type_path_mut(self, kind);
        shorten_qself(&mut kind.qself, before - kind.path.segments.len());
    }

    fn visit_expr_path_mut(&mut self, expression: &mut syn::ExprPath) {
        let before = expression.path.segments.len();
        visit_mut::visit_expr_path_mut(self, expression);
        shorten_qself(&mut expression.qself, before - expression.path.segments.len());
    }

    fn visit_item_struct_mut(&mut self, item: &mut syn::ItemStruct) {
        visit_mut::visit_item_struct_mut(self, item);
        remove_redundant_docs(&mut item.attrs, &item.ident);
        one_line(&mut item.attrs);
        if let Fields::Named(fields) = &mut item.fields {
            use_rename_rule(&mut item.attrs, fields);
        }
    }

    fn visit_item_type_mut(&mut self, item: &mut syn::ItemType) {
        visit_mut::visit_item_type_mut(self, item);
        remove_redundant_docs(&mut item.attrs, &item.ident);
    }

    fn visit_item_enum_mut(&mut self, item: &mut syn::ItemEnum) {
        visit_mut::visit_item_enum_mut(self, item);
        remove_redundant_docs(&mut item.attrs, &item.ident);
        one_line(&mut item.attrs);
    }

    fn visit_attribute_mut(&mut self, attribute: &mut Attribute) {
        let Meta::List(list) = &mut attribute.meta else { return };
        if list.path.is_ident("derive") {
            list.tokens = self.tokens(std::mem::take(&mut list.tokens));
        } else if list.path.is_ident("serde") {
            list.tokens = self.quoted(std::mem::take(&mut list.tokens));
        }
    }

    fn visit_macro_mut(&mut self, call: &mut syn::Macro) {
        visit_mut::visit_macro_mut(self, call);
        call.tokens = self.tokens(std::mem::take(&mut call.tokens));
    }
}

/// Updates the number of segments that name the trait in `<T as a::b::Trait>::Item`.
fn shorten_qself(qself: &mut Option<syn::QSelf>, by: usize) {
    if let Some(qself) = qself.as_mut().filter(|qself| qself.position > 0) {
        qself.position -= by;
    }
}

/// Removes documentation that only repeats the name of its item.
fn remove_redundant_docs(attributes: &mut Vec<Attribute>, name: &syn::Ident) {
    let is_name = |attribute: &&Attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => {
            let said = pair.value.to_token_stream().to_string();
            said.trim_matches('"').trim().strip_prefix('`').and_then(|said| said.strip_suffix('`'))
                == Some(&name.to_string())
        }
        _ => false,
    };
    let docs = attributes.iter().filter(|attribute| attribute.path().is_ident("doc"));
    if docs.clone().count() == 1 && docs.clone().all(|attribute| is_name(&attribute)) {
        attributes.retain(|attribute| !attribute.path().is_ident("doc"));
    }
}

/// Merges the derive attributes into one, and those of serde into another.
fn one_line(attributes: &mut Vec<Attribute>) {
    for name in ["derive", "serde"] {
        let is_named = |attribute: &Attribute| attribute.path().is_ident(name);
        let lists: Vec<TokenStream> = attributes
            .iter()
            .filter(|attribute| is_named(attribute))
            .filter_map(|attribute| match &attribute.meta {
                Meta::List(list) => Some(list.tokens.clone()),
                _ => None,
            })
            .collect();
        let whole = quote!(#(#lists),*);
        let Some(at) =
            attributes.iter().position(is_named).filter(|_| lists.len() > 1 && whole.to_string().len() <= MAX_LINE)
        else {
            continue;
        };
        let name = format_ident!("{name}");
        attributes.retain(|attribute| !is_named(attribute));
        attributes.insert(at, parse_quote!(#[#name(#whole)]));
    }
}

/// Replaces the renames of all fields by one rule, if they follow it.
fn use_rename_rule(attributes: &mut [Attribute], fields: &mut syn::FieldsNamed) {
    let names: Option<Vec<(String, Option<String>)>> = fields
        .named
        .iter()
        .map(|field| Some((field.ident.as_ref()?.to_string(), renamed(&field.attrs).ok()?)))
        .collect();
    let Some(names) = names else { return };
    let by_rule = names.iter().filter(|(field, renamed)| renamed.as_ref() == Some(&camel_case(field))).count();
    let fits =
        names.iter().all(|(field, renamed)| field.is_ascii() && (renamed.is_some() || camel_case(field) == *field));
    let Some(at) = attributes.iter().position(|attribute| attribute.path().is_ident("serde")) else { return };
    if by_rule < 2 || !fits {
        return;
    }
    for (field, (name, renamed)) in fields.named.iter_mut().zip(&names) {
        if renamed.as_ref() == Some(&camel_case(name)) {
            field.attrs.iter_mut().for_each(without_rename);
            field.attrs.retain(|attribute| !matches!(&attribute.meta, Meta::List(list) if list.path.is_ident("serde") && list.tokens.is_empty()));
        }
    }
    if let Meta::List(list) = &mut attributes[at].meta {
        let own = &list.tokens;
        list.tokens = quote!(#own, rename_all = "camelCase");
    }
}

/// Returns the name that serde gives a field by the rule `camelCase`.
fn camel_case(field: &str) -> String {
    let mut words = field.split('_');
    let mut name = String::new();
    let mut is_first = true;
    for word in words.by_ref() {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if !is_first => name.push(first.to_ascii_uppercase()),
            Some(first) => name.push(first),
            None => continue,
        }
        name.push_str(letters.as_str());
        is_first = false;
    }
    name
}

/// Returns the name that a field is renamed to.
fn renamed(attributes: &[Attribute]) -> syn::Result<Option<String>> {
    let mut found = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        for meta in attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)? {
            if let Meta::NameValue(pair) = meta
                && pair.path.is_ident("rename")
            {
                let text: LitStr = syn::parse2(pair.value.into_token_stream())?;
                found = Some(text.value());
            }
        }
    }
    Ok(found)
}

fn without_rename(attribute: &mut Attribute) {
    let Meta::List(list) = &mut attribute.meta else { return };
    if !list.path.is_ident("serde") {
        return;
    }
    if let Ok(all) = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) {
        let rest = all.into_iter().filter(|meta| !meta.path().is_ident("rename"));
        list.tokens = rest.collect::<Punctuated<Meta, Token![,]>>().into_token_stream();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(tokens: TokenStream) -> String {
        let mut file: syn::File = syn::parse2(tokens).expect("it is Rust");
        shorten_paths(&mut file);
        file.into_token_stream().to_string().replace(' ', "")
    }

    #[test]
    fn a_name_that_the_module_has_itself_is_not_the_preludes() {
        let code = settled(quote! {
            pub mod types {
                pub struct Option {}
                pub struct A { b: ::std::option::Option<::std::string::String> }
            }
            pub struct C { d: ::std::option::Option<::keyfit::codegen::chrono::DateTime<::keyfit::codegen::chrono::Utc>> }
        });
        assert!(code.contains("structA{b:::std::option::Option<String>}"), "{code}");
        assert!(code.contains("structC{d:Option<rt::chrono::DateTime<rt::chrono::Utc>>}"), "{code}");
        assert_eq!(code.matches("use::keyfit::codegenasrt;").count(), 1, "{code}");
    }

    #[test]
    fn fields_that_one_rule_renames_are_renamed_by_it() {
        let code = settled(quote! {
            #[derive(Clone)]
            #[derive(::keyfit::codegen::Deserialize)]
            #[serde(crate = "::keyfit::codegen::serde")]
            pub struct A {
                #[serde(rename = "firstName", skip_serializing_if = "::std::option::Option::is_none")]
                pub first_name: u8,
                #[serde(rename = "lastName")]
                pub last_name: u8,
                #[serde(rename = "type")]
                pub type_: u8,
                pub id: u8,
                #[serde(rename = "URL")]
                pub url: u8,
            }
        });
        assert!(
            code.contains("#[derive(Clone,rt::Deserialize)]#[serde(crate=\"rt::serde\",rename_all=\"camelCase\")]"),
            "{code}"
        );
        assert!(code.contains("#[serde(skip_serializing_if=\"Option::is_none\")]pubfirst_name"), "{code}");
        // The rule drops a trailing underscore as well.
        assert!(code.contains("publast_name:u8,pubtype_:u8,pubid:u8,#[serde(rename=\"URL\")]puburl:u8"), "{code}");
    }
}
