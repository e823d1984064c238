//! Builders in the form of the runtime's macros: one member for each line. A builder whose code differs from the macro's
//! expansion remains unchanged.

use std::collections::{HashMap, HashSet};

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use syn::{
    Expr, ExprStruct, FieldValue, Fields, Ident, ImplItem, ImplItemFn, Item, ItemStruct, Stmt, Type, parse_quote,
};

use super::{IN_MACRO, implemented, module, own_type, text};
use crate::generate::adapt::{adapt_types, type_argument};
use crate::generate::setters::{Requirement, has_rule, null_setter_name, optional_name, setters_of};

/// The attribute of a member until the macro is written: its keyword, and the names of its other setters.
const MEMBER: &str = "member";

/// Returns the types whose `builder()` returns their builders.
pub(crate) fn types_with_builder(types: &[Item]) -> HashSet<String> {
    types.iter().filter_map(builder_function_type).collect()
}

/// Returns the type whose `builder()` this is.
fn builder_function_type(item: &Item) -> Option<String> {
    let Item::Impl(block) = item else { return None };
    let [ImplItem::Fn(function)] = block.items.as_slice() else { return None };
    let is_builder = block.trait_.is_none() && function.sig.ident == "builder";
    own_type(block).filter(|_| is_builder && text(&function.block) == "{Default::default()}")
}

/// Returns the builder of a type as a type with the members that its macro takes, so that later passes rename the types in
/// it. Returns `None` if some code differs from the macro's expansion. The items are the generator's: the type, its default,
/// the setters, and both conversions. `led` are the types whose `builder()` returns such builders, `patches` the members of
/// patch requests, by type and field.
pub(crate) fn builder_members(
    items: &[&str],
    led: &HashSet<String>,
    patches: &HashSet<(String, String)>,
) -> Option<ItemStruct> {
    let [item, default, others @ ..] = items else { return None };
    let mut item: ItemStruct = syn::parse_str(item).ok()?;
    let mut default = [syn::parse_str(default).ok()?];
    adapt_types(&mut default);
    let [Item::Impl(default)] = &default else { return None };
    let name = item.ident.to_string();
    let fields = fields(&item)?;
    let is_known = led.contains(&name)
        && implemented(default).as_deref() == Some("Default")
        && others.concat().replace(' ', "") == text(&generated(&item.ident, &fields));
    let initial = values(&default.items).filter(|_| is_known)?;
    let taken: HashSet<String> = fields.iter().map(|(field, _)| field.to_string()).collect();
    let Fields::Named(own) = &mut item.fields else { return None };
    for (member, (field, kind)) in own.named.iter_mut().zip(fields) {
        let is_patch = patches.contains(&(name.clone(), field.to_string()));
        let (need, kind) = requirement(&kind, initial.get(&field.to_string())?, is_patch)?;
        let mut names = vec![need.keyword()];
        if need != Requirement::Required {
            let twin = optional_name(&field);
            match taken.contains(&twin.to_string()) {
                false => names.push(twin),
                // The name is that of another member.
                true if need == Requirement::Optional => {}
                true => return None,
            }
        }
        if need == Requirement::Patch {
            names.push(Some(null_setter_name(&field)).filter(|null| !taken.contains(&null.to_string()))?);
        }
        let attribute = format_ident!("{MEMBER}");
        (member.attrs, member.ty) = (vec![parse_quote!(#[#attribute(#(#names)*)])], kind);
    }
    let (attribute, builder) = (format_ident!("{IN_MACRO}"), format_ident!("builder"));
    item.attrs = vec![parse_quote!(#[#attribute(#builder)])];
    Some(item)
}

/// Returns the generator's code of a builder, besides its fields and their defaults.
fn generated(name: &Ident, fields: &[(Ident, Type)]) -> TokenStream {
    let setters = fields.iter().map(|(field, kind)| {
        let said = format!("error converting supplied value for {field}: {{e}}");
        quote! {
            pub fn #field<T>(mut self, value: T) -> Self
            where T: ::std::convert::TryInto<#kind>, T::Error: ::std::fmt::Display,
            {
                self.#field = value.try_into().map_err(|e| format!(#said));
                self
            }
        }
    });
    let value = format_ident!("{}", if fields.is_empty() { "_value" } else { "value" });
    let fields: Vec<&Ident> = fields.iter().map(|(field, _)| field).collect();
    quote! {
        impl #name { #(#setters)* }
        impl ::std::convert::TryFrom<#name> for super::#name {
            type Error = super::error::ConversionError;
            fn try_from(#value: #name) -> ::std::result::Result<Self, super::error::ConversionError> {
                Ok(Self { #(#fields: #value.#fields?,)* })
            }
        }
        impl ::std::convert::From<super::#name> for #name {
            fn from(#value: super::#name) -> Self {
                Self { #(#fields: Ok(#value.#fields),)* }
            }
        }
    }
}

/// Replaces the builders of types by macros where possible, and marks the others as builders.
pub(super) fn write_macros(types: &mut Vec<Item>) {
    let Some(items) = module(types, "builder") else { return };
    let mut done = HashSet::new();
    // The code that follows the items of a builder that is written out.
    let mut built = None;
    for item in std::mem::take(items) {
        let Item::Struct(item) = item else {
            items.push(item);
            continue;
        };
        items.extend(built.take());
        let name = &item.ident;
        if let Some(written) = to_macro(&item) {
            done.insert(name.to_string());
            items.push(written);
            continue;
        }
        built = Some(parse_quote! {
            impl ::keyfit::codegen::Built for super::#name {
                type Builder = #name;
            }
        });
        items.push(Item::Struct(item));
    }
    items.extend(built);
    types.retain(|item| !type_of_macro(item).is_some_and(|name| done.contains(&name)));
}

/// Returns the macro of a builder that was reduced to its members.
fn to_macro(item: &ItemStruct) -> Option<Item> {
    let is_members = |attribute: &syn::Attribute| attribute.path().is_ident(IN_MACRO);
    if !item.attrs.iter().any(is_members) {
        return None;
    }
    let members = item.fields.iter().map(|member| {
        let names: TokenStream = member.attrs.first()?.parse_args().ok()?;
        let mut names = names.into_iter();
        let (word, others) = (names.next()?, names);
        let (field, kind) = (&member.ident, &member.ty);
        Some(quote!(#word #field #(#others)*: #kind))
    });
    let (name, members) = (&item.ident, members.collect::<Option<Vec<_>>>()?);
    Some(parse_quote!(::keyfit::codegen::builder! { #name { #(#members,)* } }))
}

/// Returns the type of an item that the macro generates beside a builder.
fn type_of_macro(item: &Item) -> Option<String> {
    let Item::Impl(block) = item else { return None };
    let is_rule = implemented(block).as_deref() == Some("ArgumentType");
    builder_function_type(item).or_else(|| own_type(block).filter(|_| is_rule))
}

/// Returns tokens as a text without spaces and trailing commas.
fn normalized(tokens: &impl quote::ToTokens) -> String {
    text(tokens).replace(",}", "}").replace(",)", ")")
}

/// Returns the fields of a builder, whose types are `Result<T, String>`.
pub(super) fn fields(item: &ItemStruct) -> Option<Vec<(Ident, Type)>> {
    let Fields::Named(fields) = &item.fields else { return None };
    let own = fields.named.iter().filter(|field| !matches!(field.ty, Type::Reference(_)));
    own.map(|field| {
        let is_result = normalized(&field.ty).replace(",>", ">").ends_with("String>");
        Some((field.ident.clone()?, type_argument(&field.ty).filter(|_| is_result)?))
    })
    .collect()
}

/// Returns the functions of a block; `None` if it has other items than functions and types.
pub(super) fn functions(items: &[ImplItem]) -> Option<Vec<ImplItemFn>> {
    let own = items.iter().filter(|item| !matches!(item, ImplItem::Type(_)));
    own.map(|item| match item {
        ImplItem::Fn(function) => Some(function.clone()),
        _ => None,
    })
    .collect()
}

/// Returns the initial values of the fields: those of `Self { .. }` in the first function.
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

/// Returns a member in the form of the macro, and removes its functions from `functions`.
pub(super) fn macro_member(
    field: &Ident,
    kind: &Type,
    initial: &Expr,
    functions: &mut Vec<ImplItemFn>,
) -> Option<TokenStream> {
    let (need, kind) = requirement(kind, initial, false)?;
    let mut others = Vec::new();
    for (index, expected) in setters_of(field, &kind, need).into_iter().enumerate() {
        let at = functions.iter().position(|function| function.sig.ident == expected.sig.ident);
        let Some(at) = at else {
            // The name of its other setter is that of another member.
            if index == 0 || !matches!(need, Requirement::Optional) {
                return None;
            }
            continue;
        };
        if undocumented(&functions[at]) != undocumented(&expected) {
            if index == 1 && matches!(need, Requirement::Optional) {
                continue;
            }
            return None;
        }
        let found = functions.remove(at);
        if index > 0 {
            others.push(found.sig.ident);
        }
    }
    let word = need.keyword();
    Some(quote!(#word #field #(#others)*: #kind))
}

/// Returns the requirement of a member with this type and initial value, and the type of its values; `None` if the macro has
/// no keyword for it. The type of a patch member is still an `Option`, or already a `Patch`.
fn requirement(kind: &Type, initial: &Expr, is_patch: bool) -> Option<(Requirement, Type)> {
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
    let (need, kind) = match (last(kind).as_str(), is_missing) {
        ("Patch", false) => (Requirement::Patch, type_argument(kind)?),
        ("Option", false) if is_patch => (Requirement::Patch, type_argument(kind)?),
        _ if is_patch => return None,
        ("Option", false) => (Requirement::Optional, type_argument(kind)?),
        ("Option", true) => (Requirement::Nullable, type_argument(kind)?),
        (_, true) => (Requirement::Required, kind.clone()),
        (_, false) => (Requirement::Default, kind.clone()),
    };
    let takes = if last(&kind) == "Box" { type_argument(&kind)? } else { kind.clone() };
    (has_rule(&takes) || matches!(takes, Type::Array(_) | Type::Tuple(_))).then_some((need, kind))
}

/// Returns a function without documentation.
fn undocumented(function: &ImplItemFn) -> String {
    let mut function = function.clone();
    function.attrs.clear();
    normalized(&function)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the generator's code of a builder with these fields, one text for each item.
    fn whole(fields: &TokenStream, initial: &TokenStream) -> Vec<String> {
        let item: ItemStruct = parse_quote!(pub struct A { #fields });
        let default = quote! {
            impl ::std::default::Default for A { fn default() -> Self { Self { #initial } } }
        };
        let others: syn::File =
            syn::parse2(generated(&item.ident, &super::fields(&item).expect("they are results"))).expect("it is Rust");
        let others = others.items.iter().map(|item| item.to_token_stream().to_string());
        [item.to_token_stream().to_string(), default.to_string()].into_iter().chain(others).collect()
    }

    /// Returns the macro for a builder.
    fn macro_of(items: &[String], patches: &[&str]) -> Option<String> {
        let texts: Vec<&str> = items.iter().map(String::as_str).collect();
        let patches = patches.iter().map(|field| ("A".to_owned(), (*field).to_owned())).collect();
        let members = builder_members(&texts, &HashSet::from(["A".to_owned()]), &patches)?;
        to_macro(&members).map(|item| text(&item))
    }

    fn result(kind: &TokenStream) -> TokenStream {
        quote!(::std::result::Result<#kind, ::std::string::String>)
    }

    #[test]
    fn a_builder_is_its_members_by_what_they_begin_with() {
        let (text, option) = (quote!(::std::string::String), quote!(::std::option::Option<super::B>));
        let (text, option) = (result(&text), result(&option));
        let missing = |field: &str| {
            let said = format!("no value supplied for {field}");
            quote!(Err(#said.to_string()))
        };
        let (id, extra, null) = (missing("id"), missing("extra"), missing("null"));
        let none = quote!(Ok(Default::default()));
        let fields = quote!(id: #text, extra: #text, name: #text, b: #option, null: #option, maybe_b: #option,);
        let initial = quote!(id: #id, extra: #extra, name: #none, b: #none, null: #null, maybe_b: #none,);
        let items = whole(&fields, &initial);
        let kind = "::std::string::String";
        assert_eq!(
            macro_of(&items, &[]),
            // The other setter of `b` has the name of another member; `extra` is optional.
            Some(format!(
                "::keyfit::codegen::builder!{{A{{requiredid:{kind},defaultextramaybe_extra:{kind},defaultnamemaybe_name:{kind},\
                 optionalb:super::B,nullablenullmaybe_null:super::B,optionalmaybe_bmaybe_maybe_b:super::B,}}}}"
            ))
        );
        let patched = macro_of(&items, &["maybe_b"]).expect("the macro has a word for it");
        assert!(patched.contains("patchmaybe_bmaybe_maybe_bnull_maybe_b:super::B"), "{patched}");
        // The macro always generates the setter whose name is that of another member.
        assert_eq!(macro_of(&items, &["b"]), None);
    }

    #[test]
    fn a_builder_that_does_something_else_stays_as_it_is() {
        let text = result(&quote!(::std::string::String));
        let default = whole(&quote!(id: #text,), &quote!(id: Ok(super::defaults::id()),));
        assert_eq!(macro_of(&default, &[]), None);
        let mut other = whole(&quote!(id: #text,), &quote!(id: Ok(Default::default()),));
        assert!(macro_of(&other, &[]).is_some());
        other[2] = other[2].replace("value . try_into ()", "value . into ()");
        assert_eq!(macro_of(&other, &[]), None);
        let ruleless = result(&quote!(::foreign::Odd));
        assert_eq!(macro_of(&whole(&quote!(id: #ruleless,), &quote!(id: Ok(Default::default()),)), &[]), None);
    }
}
