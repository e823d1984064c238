//! The argument types of the API's own types: an `ArgumentType` for each type of requests.

use std::collections::{HashMap, HashSet};

use quote::{ToTokens as _, format_ident, quote};
use syn::{Fields, Item, ItemStruct, Type, Visibility, parse_quote};

use super::setters::has_rule;

/// The conversion of values to an argument of a type.
enum Conversion {
    /// By `TryInto`: from the type, its builder, or the alternatives of a union.
    Converted,
    /// From a text.
    Parsed,
    /// From values that another type accepts, by that type's rule.
    Wrapped(Box<Type>, &'static str),
}

/// Returns the items for these types, which are placed beside them.
pub(crate) fn of_types(items: &[Item], kept: &HashSet<String>) -> Vec<Item> {
    let types = TypeTraits::of(items);
    let mut found = Vec::new();
    for item in items {
        let name = match item {
            Item::Struct(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            _ => continue,
        };
        if !kept.contains(&name.to_string()) {
            continue;
        }
        let rule = match types.rule(item) {
            Conversion::Converted => quote!(Converted),
            Conversion::Parsed => quote!(Parsed),
            Conversion::Wrapped(inner, rule) => {
                let rule = format_ident!("{rule}");
                // The inner type's rule does not accept the type itself. The rule is named, because the compiler does not
                // resolve it in another crate when it compares implementations.
                found.push(parse_quote! {
                    impl ::keyfit::codegen::IntoArgumentBy<#inner, ::keyfit::codegen::rule::#rule> for #name {
                        fn into_argument_by(self) -> ::std::result::Result<#inner, ::std::string::String> {
                            Ok(self.0)
                        }
                    }
                });
                quote!(Wrapped<#inner>)
            }
        };
        found.push(parse_quote! {
            impl ::keyfit::codegen::ArgumentType for #name {
                type Rule = ::keyfit::codegen::rule::#rule;
            }
        });
        let holds_text = matches!(item, Item::Enum(_)) && !types.implements(name, "TryFrom<&str>");
        if holds_text && let Some(variant) = text_variant(item) {
            found.push(parse_quote! {
                impl ::std::convert::From<&str> for #name {
                    fn from(value: &str) -> Self {
                        Self::#variant(value.to_owned())
                    }
                }
            });
            found.push(parse_quote! {
                impl ::std::convert::From<::std::string::String> for #name {
                    fn from(value: ::std::string::String) -> Self {
                        Self::#variant(value)
                    }
                }
            });
        }
    }
    found
}

/// The types of a module, with the traits that they implement.
struct TypeTraits<'a> {
    structs: HashMap<String, &'a Item>,
    traits: HashSet<(String, String)>,
}

impl<'a> TypeTraits<'a> {
    fn of(items: &'a [Item]) -> Self {
        let mut types = Self { structs: HashMap::new(), traits: HashSet::new() };
        for item in items {
            match item {
                Item::Struct(own) => drop(types.structs.insert(own.ident.to_string(), item)),
                Item::Enum(own) => drop(types.structs.insert(own.ident.to_string(), item)),
                Item::Impl(block) => {
                    if let Some((implemented, _)) = &block.trait_
                        && let Some(last) = implemented.segments.last()
                    {
                        let name = block.self_ty.to_token_stream().to_string();
                        types.traits.insert((name, last.to_token_stream().to_string().replace(' ', "")));
                    }
                }
                _ => {}
            }
        }
        types
    }

    fn implements(&self, name: &syn::Ident, implemented: &str) -> bool {
        self.traits.contains(&(name.to_string(), implemented.to_owned()))
    }

    fn rule(&self, item: &Item) -> Conversion {
        match item {
            Item::Enum(item) => {
                let is_plain = item.variants.iter().all(|variant| matches!(variant.fields, Fields::Unit));
                if is_plain && self.implements(&item.ident, "FromStr") {
                    Conversion::Parsed
                } else {
                    Conversion::Converted
                }
            }
            Item::Struct(item) => self.rule_of_struct(item),
            _ => Conversion::Converted,
        }
    }

    fn rule_of_struct(&self, item: &ItemStruct) -> Conversion {
        let Fields::Unnamed(fields) = &item.fields else { return Conversion::Converted };
        let Some(field) = fields.unnamed.first().filter(|_| fields.unnamed.len() == 1) else {
            return Conversion::Converted;
        };
        // A type with limits is made from texts, one without limits from any value of the inner type.
        let is_limited = matches!(field.vis, Visibility::Inherited);
        if is_limited && self.implements(&item.ident, "FromStr") {
            return Conversion::Parsed;
        }
        match self.named_rule(&field.ty) {
            Some(rule) => Conversion::Wrapped(Box::new(field.ty.clone()), rule),
            None => Conversion::Converted,
        }
    }

    /// Returns the rule of a type inside another one; `None` if the outer one is made by `TryInto` too.
    fn named_rule(&self, kind: &Type) -> Option<&'static str> {
        let Type::Path(path) = kind else { return None };
        if !has_rule(kind) {
            return None;
        }
        if let Some(own) = path.path.get_ident().and_then(|name| self.structs.get(&name.to_string())) {
            return matches!(self.rule(own), Conversion::Parsed).then_some("Parsed");
        }
        Some(match path.path.segments.last()?.ident.to_string().as_str() {
            "String" => "Text",
            "DateTime" | "NaiveDate" | "IpAddr" | "Ipv4Addr" | "Ipv6Addr" => "Parsed",
            "PathArgument" => "Segment",
            "Vec" | "Batch" => "List",
            "HashMap" | "Map" => "Map",
            "Option" => "Optional",
            "bool" | "Value" | "Secret" | "Body" => return None,
            _ => "Number",
        })
    }
}

/// Returns the variant that holds any text.
fn text_variant(item: &Item) -> Option<&syn::Ident> {
    let Item::Enum(item) = item else { return None };
    let is_text = |fields: &Fields| match fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
            fields.unnamed[0].ty.to_token_stream().to_string().ends_with("string :: String")
        }
        _ => false,
    };
    let mut found = item.variants.iter().filter(|variant| is_text(&variant.fields));
    found.next().filter(|_| found.next().is_none()).map(|variant| &variant.ident)
}
