//! The enums of responses for unions: each alternative with its type, and unknown values unchanged.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Type;

use super::distinguished::{Distinction, DistinguishedUnion, MemberNames};
use super::docs;
use super::paths::ROOT;
use crate::name;

/// Returns the definition of the type.
pub(crate) fn item(union: &DistinguishedUnion) -> TokenStream {
    let name = format_ident!("{}", name::of_type(&union.name));
    let idents: Vec<_> = idents(union).into_iter().map(|ident| format_ident!("{ident}")).collect();
    let types = union.variants.iter().map(|component| {
        let path = format!("{ROOT}::types::{}", name::of_type(component));
        syn::parse_str::<Type>(&path).expect("a path is a type")
    });
    let (said, variants, unknown, read) = match &union.distinction {
        Distinction::ByTag { tag, values } => (
            format!("One of several objects, by `{tag}`."),
            values.iter().map(|values| format!("`{tag}` is `{}`.", values.join("` or `"))).collect(),
            format!("Another value of `{tag}`, or none: as it came."),
            by_tag(tag, values, &idents),
        ),
        Distinction::ByMembers(members) => (
            "One of several objects, by their members.".to_owned(),
            members.iter().map(description_of).collect(),
            "None of them, or not told which: as it came.".to_owned(),
            by_members(members, &idents),
        ),
    };
    let variants: Vec<String> = variants;
    let docs = variants.iter().map(|said| {
        let lines = docs::lines(said);
        quote!(#(#lines)*)
    });
    let unknown = docs::lines(&unknown);
    let description = docs::lines(if union.description.is_empty() { &said } else { &union.description });
    quote! {
        #(#description)*
        #[derive(Clone, Debug, ::serde::Serialize)]
        #[serde(untagged)]
        #[non_exhaustive]
        pub enum #name {
            #(#docs #idents(::std::boxed::Box<#types>),)*
            #(#unknown)*
            Unknown(::serde_json::Value),
        }
        impl<'de> ::serde::Deserialize<'de> for #name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                let value = <::serde_json::Value as ::serde::Deserialize>::deserialize(deserializer)?;
                #read
            }
        }
    }
}

/// Returns the names of the variants: the component's name without the union's.
fn idents(union: &DistinguishedUnion) -> Vec<String> {
    let mut taken = HashSet::from(["Unknown".to_owned()]);
    let plain = |component: &String| {
        let kind = name::of_type(component);
        let own = name::of_type(&union.name);
        let short = [own.as_str(), own.strip_suffix("Answer").unwrap_or(&own)]
            .into_iter()
            .find_map(|own| kind.strip_prefix(own).filter(|rest| rest.starts_with(|first: char| first.is_uppercase())));
        let short = short.unwrap_or(&kind);
        short.strip_suffix("Answer").filter(|short| !short.is_empty()).unwrap_or(short).to_owned()
    };
    let wanted = match &union.distinction {
        Distinction::ByTag { values, .. } => values.iter().map(|values| name::of_type(&values[0])).collect(),
        Distinction::ByMembers(_) => union.variants.iter().map(plain).collect::<Vec<_>>(),
    };
    wanted.iter().map(|wanted| name::unique(wanted, &mut taken)).collect()
}

fn by_tag(tag: &str, values: &[Vec<String>], idents: &[syn::Ident]) -> TokenStream {
    quote! {
        let read = match value.get(#tag).and_then(::serde_json::Value::as_str) {
            #(Some(#(#values)|*) => ::serde_json::from_value(value).map(Self::#idents),)*
            _ => Ok(Self::Unknown(value)),
        };
        read.map_err(<D::Error as ::serde::de::Error>::custom)
    }
}

/// Returns the code that decodes by members. An object that resembles an alternative but does not fit it is not decoded as
/// that alternative.
fn by_members(members: &[MemberNames], idents: &[syn::Ident]) -> TokenStream {
    let rows = members.iter().map(|MemberNames { required, known }| {
        let (required, known) = (required.iter(), known.iter());
        quote!((&[#(#required),*], &[#(#known),*]))
    });
    let numbers = 0..members.len();
    quote! {
        let read = match ::keyfit::codegen::alternative(&value, &[#(#rows),*]) {
            #(Some(#numbers) => ::serde::Deserialize::deserialize(&value).map(Self::#idents).ok(),)*
            _ => None,
        };
        Ok(read.unwrap_or(Self::Unknown(value)))
    }
}

fn description_of(members: &MemberNames) -> String {
    let names: Vec<&str> = members.required.iter().map(String::as_str).collect();
    if names.is_empty() { "Requires no member.".to_owned() } else { format!("Has `{}`.", names.join("`, `")) }
}
