//! Setters with convenient argument types: a text as `&str`, a number as an integer literal, an object by its builder.
//! `keyfit::codegen::IntoArgument` defines the accepted values; for types of the API, [`argument_rules`](super::argument_rules) does.

use std::collections::{HashMap, HashSet};

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use syn::{
    Attribute, Expr, FnArg, GenericArgument, Ident, ImplItem, ImplItemFn, Item, ItemImpl, PathArguments, Stmt, Type,
    TypeParamBound, WherePredicate, parse_quote,
};

use super::docs;

/// The requirement for a value.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Requirement {
    /// A request without a value is refused.
    Required,
    /// The field is `None` without a value.
    Optional,
    /// The field is an `Option`, and `None` is sent as null.
    Nullable,
    /// The field has the document's default without a value.
    Default,
    /// The field is a `Patch`.
    Patch,
}

impl Requirement {
    /// Returns its keyword in the runtime's macros.
    pub(super) fn keyword(self) -> Ident {
        format_ident!(
            "{}",
            match self {
                Self::Required => "required",
                Self::Optional => "optional",
                Self::Nullable => "nullable",
                Self::Default => "default",
                Self::Patch => "patch",
            }
        )
    }
}

struct SetterSpec {
    name: Ident,
    /// The type of a value: the inner type if the field is an `Option`.
    kind: Type,
    requirement: Requirement,
    /// The conversion of the value to the field: `.map(From::from)`.
    then: TokenStream,
    /// The documentation, and the other attributes.
    attributes: Vec<Attribute>,
}

/// Returns the `T` of a setter `fn name<V>(mut self, value: V) where V: TryInto<T>`.
pub(crate) fn type_of(function: &ImplItemFn) -> Option<Type> {
    let is_value =
        |input: &FnArg| matches!(input, FnArg::Typed(typed) if typed.pat.to_token_stream().to_string() == "value");
    if !function.sig.inputs.iter().any(is_value) {
        return None;
    }
    let given = &function.sig.generics.type_params().next()?.ident;
    function.sig.generics.where_clause.as_ref()?.predicates.iter().find_map(|predicate| match predicate {
        WherePredicate::Type(bound) if matches!(&bound.bounded_ty, Type::Path(path) if path.path.is_ident(given)) => {
            bound.bounds.iter().find_map(|bound| match bound {
                TypeParamBound::Trait(bound) => arguments(bound.path.segments.last()?).next().cloned(),
                _ => None,
            })
        }
        _ => None,
    })
}

/// Rewrites the setters of a call's builder. `describe` returns the document's description of an argument.
pub(crate) fn of_call(block: &mut ItemImpl, describe: impl Fn(&Ident) -> Option<String>) {
    rewrite(block, |function, kind| {
        let body = function.block.to_token_stream().to_string();
        let requirement = if body.contains("map (Some)") { Requirement::Optional } else { Requirement::Required };
        let then = if body.contains("map (From :: from)") {
            quote!(.map(From::from))
        } else if body.contains("map (| v | v . into ())") {
            quote!(.map(Into::into))
        } else {
            TokenStream::new()
        };
        let name = function.sig.ident.clone();
        let attributes = describe(&name).map(|text| docs::lines(&text)).unwrap_or_default();
        SetterSpec { name, kind, requirement, then, attributes }
    });
}

/// Rewrites the setters of type builders. `described` holds the documentation of members, by type and field.
pub(crate) fn of_types(
    items: &mut [Item],
    described: &HashMap<(String, String), Vec<Attribute>>,
    patches: &HashSet<(String, String)>,
) {
    let defaults: HashMap<String, HashSet<String>> = items.iter().filter_map(with_default).collect();
    for item in items {
        let Item::Impl(block) = item else { continue };
        let Type::Path(path) = &*block.self_ty else { continue };
        let Some(builder) = path.path.get_ident().map(Ident::to_string).filter(|_| block.trait_.is_none()) else {
            continue;
        };
        rewrite(block, |function, field| {
            let name = function.sig.ident.clone();
            let has_default = defaults.get(&builder).is_some_and(|fields| fields.contains(&name.to_string()));
            let is_patch = patches.contains(&(builder.clone(), name.to_string()));
            let (kind, requirement) = match (option(&field), has_default) {
                (Some(inner), _) if is_patch => (inner.clone(), Requirement::Patch),
                (Some(inner), true) => (inner.clone(), Requirement::Optional),
                (Some(inner), false) => (inner.clone(), Requirement::Nullable),
                (None, true) => (field, Requirement::Default),
                (None, false) => (field, Requirement::Required),
            };
            let attributes = described.get(&(builder.clone(), name.to_string())).cloned().unwrap_or_default();
            SetterSpec { name, kind, requirement, then: TokenStream::new(), attributes }
        });
    }
}

/// Returns the documentation of the members of these types, by type and field.
pub(crate) fn described(items: &[Item], kept: &HashSet<String>) -> HashMap<(String, String), Vec<Attribute>> {
    let structs = items.iter().filter_map(|item| match item {
        Item::Struct(item) if kept.contains(&item.ident.to_string()) => Some(item),
        _ => None,
    });
    let fields = structs.flat_map(|item| item.fields.iter().map(move |field| (item.ident.to_string(), field)));
    let described = fields.filter_map(|(kind, field)| {
        let docs = field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
        Some(((kind, field.ident.as_ref()?.to_string()), docs.cloned().collect()))
    });
    described.collect()
}

/// Returns the name of the builder that this item implements `Default` for, with the fields that need no value.
fn with_default(item: &Item) -> Option<(String, HashSet<String>)> {
    let Item::Impl(block) = item else { return None };
    let Type::Path(path) = &*block.self_ty else { return None };
    let (implemented, _) = block.trait_.as_ref()?;
    if implemented.segments.last()?.ident != "Default" {
        return None;
    }
    let ImplItem::Fn(default) = block.items.first()? else { return None };
    let Some(Stmt::Expr(Expr::Struct(value), _)) = default.block.stmts.first() else { return None };
    let is_error = |expr: &Expr| matches!(expr, Expr::Call(call) if call.func.to_token_stream().to_string() == "Err");
    let fields = value.fields.iter().filter(|field| !is_error(&field.expr)).map(|field| field.member.to_token_stream());
    Some((path.path.get_ident()?.to_string(), fields.map(|name| name.to_string()).collect()))
}

fn rewrite(block: &mut ItemImpl, describe: impl Fn(&ImplItemFn, Type) -> SetterSpec) {
    let taken: HashSet<String> = block
        .items
        .iter()
        .filter_map(|item| match item {
            ImplItem::Fn(function) => Some(function.sig.ident.to_string()),
            _ => None,
        })
        .collect();
    let items = std::mem::take(&mut block.items);
    for item in items {
        let setter = match &item {
            ImplItem::Fn(function) => type_of(function).map(|kind| describe(function, kind)),
            _ => None,
        };
        match setter {
            Some(setter) => {
                let twin = (setter.requirement != Requirement::Required
                    && !taken.contains(&optional_name(&setter.name).to_string()))
                .then(|| setter.optional_setter());
                let null = (setter.requirement == Requirement::Patch
                    && !taken.contains(&null_setter_name(&setter.name).to_string()))
                .then(|| setter.null_setter());
                block.items.push(ImplItem::Fn(setter.value_setter()));
                block.items.extend(twin.map(ImplItem::Fn));
                block.items.extend(null.map(ImplItem::Fn));
            }
            None => block.items.push(item),
        }
    }
}

/// Returns the setters of a member, the first of which takes a value.
pub(super) fn setters_of(name: &Ident, kind: &Type, requirement: Requirement) -> Vec<ImplItemFn> {
    let setter = SetterSpec {
        name: name.clone(),
        kind: kind.clone(),
        requirement,
        then: TokenStream::new(),
        attributes: Vec::new(),
    };
    let twin = (requirement != Requirement::Required).then(|| setter.optional_setter());
    let null = (requirement == Requirement::Patch).then(|| setter.null_setter());
    std::iter::once(setter.value_setter()).chain(twin).chain(null).collect()
}

pub(super) fn optional_name(name: &Ident) -> Ident {
    prefixed("maybe", name)
}

pub(super) fn null_setter_name(name: &Ident) -> Ident {
    prefixed("null", name)
}

/// Returns the name of an additional setter.
fn prefixed(prefix: &str, name: &Ident) -> Ident {
    format_ident!("{prefix}_{}", name.to_string().trim_start_matches('_'))
}

impl SetterSpec {
    fn value_setter(&self) -> ImplItemFn {
        let Self { name, requirement, then, attributes, .. } = self;
        let ArgumentConversion { kind, given, accept, boxed } = self.value();
        let label = name.to_string();
        let is_option = matches!(requirement, Requirement::Optional | Requirement::Nullable);
        let some = match requirement {
            Requirement::Patch => quote!(.map(::keyfit::Patch::Value)),
            _ if is_option => quote!(.map(Some)),
            _ => quote!(),
        };
        let value = if is_option && boxed.is_empty() && then.is_empty() && has_rule(kind) {
            quote!(::keyfit::codegen::accept_some(#label, value))
        } else {
            quote!(#accept(#label, value)#boxed #then #some)
        };
        parse_quote! {
            #(#attributes)*
            pub fn #name(mut self, value: #given) -> Self {
                self.#name = #value;
                self
            }
        }
    }

    /// Returns the setter for a value that may be absent.
    fn optional_setter(&self) -> ImplItemFn {
        let Self { name, requirement, then, .. } = self;
        let ArgumentConversion { kind, given, boxed, .. } = self.value();
        let (label, twin) = (name.to_string(), optional_name(name));
        let absent = if *requirement == Requirement::Nullable { "is sent as null" } else { "leaves it out" };
        let doc = format!(" `{name}` with a value that may be absent: `None` {absent}.");
        let value = quote!(::std::option::Option<#given>);
        if matches!(requirement, Requirement::Default | Requirement::Patch)
            || !boxed.is_empty()
            || !then.is_empty()
            || !has_rule(kind)
        {
            let absent = match requirement {
                Requirement::Default | Requirement::Required => quote!(self),
                Requirement::Optional | Requirement::Nullable => quote!(Self { #name: Ok(None), ..self }),
                Requirement::Patch => quote!(Self { #name: Ok(::keyfit::Patch::Absent), ..self }),
            };
            return parse_quote! {
                #[doc = #doc]
                pub fn #twin(self, value: #value) -> Self {
                    match value { Some(value) => self.#name(value), None => #absent }
                }
            };
        }
        parse_quote! {
            #[doc = #doc]
            pub fn #twin(mut self, value: #value) -> Self {
                self.#name = ::keyfit::codegen::accept_maybe(#label, value);
                self
            }
        }
    }

    /// Returns the setter that clears a member.
    fn null_setter(&self) -> ImplItemFn {
        let (name, null) = (&self.name, null_setter_name(&self.name));
        let doc = format!(" `{name}` as null, which empties it.");
        parse_quote! {
            #[doc = #doc]
            pub fn #null(self) -> Self {
                Self { #name: Ok(::keyfit::Patch::Null), ..self }
            }
        }
    }

    fn value(&self) -> ArgumentConversion<'_> {
        let (kind, boxed) = match generic(&self.kind, "Box") {
            Some(inner) => (inner, quote!(.map(::std::boxed::Box::new))),
            None => (&self.kind, TokenStream::new()),
        };
        if has_rule(kind) {
            let given = quote!(impl ::keyfit::codegen::IntoArgument<#kind>);
            ArgumentConversion { kind, given, accept: quote!(::keyfit::codegen::accept::<#kind>), boxed }
        } else {
            let given = quote!(impl ::std::convert::TryInto<#kind, Error: ::std::fmt::Display>);
            ArgumentConversion { kind, given, accept: quote!(::keyfit::codegen::accept_converted::<#kind>), boxed }
        }
    }
}

/// The conversion of a setter's argument.
struct ArgumentConversion<'a> {
    kind: &'a Type,
    /// The type of its parameter.
    given: TokenStream,
    /// The function that converts the argument to `kind`.
    accept: TokenStream,
    /// The code that boxes the value, if the field is a box.
    boxed: TokenStream,
}

/// Types of the standard library and of crates for which `keyfit::codegen` has a rule.
const TYPES_WITH_RULE: [&str; 40] = [
    "bool",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "isize",
    "u8",
    "u16",
    "u32",
    "u64",
    "usize",
    "NonZeroI8",
    "NonZeroI16",
    "NonZeroI32",
    "NonZeroI64",
    "NonZeroIsize",
    "NonZeroU8",
    "NonZeroU16",
    "NonZeroU32",
    "NonZeroU64",
    "NonZeroUsize",
    "String",
    "DateTime",
    "NaiveDate",
    "IpAddr",
    "Ipv4Addr",
    "Ipv6Addr",
    "Value",
    "PathArgument",
    "Secret",
    "Body",
    "FilePart",
    "Vec",
    "Option",
    "HashMap",
    "Batch",
    "Text",
    "AnyText",
];

/// Returns whether `keyfit::codegen` has a rule for the type: not for tuples, arrays, or boxed values.
pub(super) fn has_rule(kind: &Type) -> bool {
    let Type::Path(path) = kind else { return false };
    let (Some(first), Some(last)) = (path.path.segments.first(), path.path.segments.last()) else { return false };
    let is_ruled = TYPES_WITH_RULE.contains(&last.ident.to_string().as_str()) || is_object(kind);
    // A type of the API may have any name; response types are in another module.
    let is_foreign =
        path.path.leading_colon.is_some() && first.ident != "generated_root" || path.path.segments.len() == 1;
    let is_own = path
        .path
        .segments
        .iter()
        .any(|segment| segment.ident == "types" || segment.ident == "super" || segment.ident == "values")
        || path.path.segments.len() == 1 && !is_ruled;
    // Only instants in UTC have a rule.
    let is_instant =
        last.ident == "DateTime" && arguments(last).all(|zone| zone.to_token_stream().to_string().ends_with("Utc"));
    (is_own || is_foreign && is_ruled) && (is_instant || arguments(last).all(has_rule))
}

/// Returns whether a type is `serde_json::Map<String, ArgumentConversion>`.
fn is_object(kind: &Type) -> bool {
    generic(kind, "Map").is_some()
}

/// Returns the `T` of an `Option<T>`.
fn option(kind: &Type) -> Option<&Type> {
    generic(kind, "Option")
}

/// Returns the first argument of a generic type with this name.
fn generic<'a>(kind: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = kind else { return None };
    arguments(path.path.segments.last().filter(|segment| segment.ident == name)?).next()
}

/// Returns the types in `<..>`.
fn arguments(segment: &syn::PathSegment) -> impl Iterator<Item = &Type> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Type(kind) => Some(kind),
        _ => None,
    })
}
