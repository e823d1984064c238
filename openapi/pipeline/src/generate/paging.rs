//! The methods `items` and `pages` beside `send`, for paged calls.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::quote;
use syn::visit_mut::{self, VisitMut};
use syn::{Fields, Ident, ImplItem, ImplItemFn, Item, ItemImpl, Lit, Meta, ReturnType, Type, parse_quote};

use super::adapt::type_argument;
use crate::pagination::{NextPage, PageArgument, Pagination};
use crate::{Operation, pointer};

/// The additional methods of a paged call's builder.
pub(crate) const METHODS: [&str; 3] = ["into_request", "items", "pages"];

/// The types of responses, by their names.
pub(crate) struct AnswerTypes<'a>(HashMap<String, &'a Item>);

impl<'a> AnswerTypes<'a> {
    /// Collects the types among items.
    pub(crate) fn of(items: &'a [Item]) -> Self {
        let named = items.iter().filter_map(|item| match item {
            Item::Struct(known) => Some((known.ident.to_string(), item)),
            Item::Type(known) => Some((known.ident.to_string(), item)),
            Item::Enum(known) => Some((known.ident.to_string(), item)),
            _ => None,
        });
        Self(named.collect())
    }

    /// Returns the type of a response's items, as the builders name it; a JSON value if the place has no list of a type.
    pub(super) fn item(&self, answer: &Type, at: &str) -> Type {
        let found = self.walk(answer, &pointer::names(at).collect::<Vec<_>>(), MAX_DEPTH);
        let Some(mut item) = found else { return parse_quote!(::serde_json::Value) };
        PathQualifier(self).visit_type_mut(&mut item);
        item
    }

    fn walk(&self, kind: &Type, names: &[String], depth: usize) -> Option<Type> {
        let depth = depth.checked_sub(1)?;
        let Type::Path(path) = kind else { return None };
        let last = &path.path.segments.last()?.ident;
        match (last.to_string().as_str(), names) {
            ("Option" | "Box", _) => return self.walk(&type_argument(kind)?, names, depth),
            ("Vec" | "List" | "Batch", []) => return type_argument(kind),
            _ => {}
        }
        match self.0.get(&last.to_string())? {
            Item::Type(alias) => self.walk(&alias.ty, names, depth),
            Item::Struct(known) => match (&known.fields, names) {
                (Fields::Unnamed(fields), _) if fields.unnamed.len() == 1 => {
                    self.walk(&fields.unnamed.first()?.ty, names, depth)
                }
                (Fields::Named(fields), [name, rest @ ..]) => {
                    let field = fields.named.iter().find(|field| wire_name(field).as_deref() == Some(name))?;
                    self.walk(&field.ty, rest, depth)
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// The maximum number of types on the path to a list.
const MAX_DEPTH: usize = 24;

/// Returns the name of a field on the wire.
fn wire_name(field: &syn::Field) -> Option<String> {
    let mut renamed = None;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        // Arguments other than a name are ignored.
        let _ = attribute.parse_nested_meta(|meta| {
            let value = match meta.value() {
                Ok(value) => Some(value.parse::<Lit>()?),
                Err(_) => None,
            };
            if let (true, Some(Lit::Str(name))) = (meta.path.is_ident("rename"), value) {
                renamed = Some(name.value());
            }
            Ok(())
        });
        if let Meta::List(list) = &attribute.meta
            && list.tokens.to_string() == "flatten"
        {
            return None;
        }
    }
    renamed.or_else(|| field.ident.as_ref().map(|ident| ident.to_string().trim_start_matches("r#").to_owned()))
}

/// Qualifies names of the types module for use in another module.
struct PathQualifier<'a>(&'a AnswerTypes<'a>);

impl VisitMut for PathQualifier<'_> {
    fn visit_type_path_mut(&mut self, kind: &mut syn::TypePath) {
        visit_mut::visit_type_path_mut(self, kind);
        if let Some(name) = kind.path.get_ident()
            && self.0.0.contains_key(&name.to_string())
        {
            kind.path = parse_quote!(types::#name);
        }
    }
}

/// Adds the methods to the builder of a call, which has `into_request`.
pub(crate) fn add(block: &mut ItemImpl, operation: &Operation, index: usize, types: &AnswerTypes<'_>) {
    let Some(pagination) = &operation.pagination else { return };
    let Some(answer) = block.items.iter().find_map(answer) else { return };
    let item = types.item(&answer, &pagination.items);
    let begins = start_doc(pagination);
    let method = |name: &str, docs: [&str; 2], kind: TokenStream| -> ImplItemFn {
        let name = Ident::new(name, proc_macro2::Span::call_site());
        let [first, rest] = docs;
        parse_quote! {
            #[doc = #first]
            #[doc = ""]
            #[doc = #rest]
            pub fn #name(self) -> #kind {
                let (client, request) = self.into_request();
                ::keyfit::codegen::#name(&client.inner, &client.client, request, &super::API.operations[#index])
            }
        }
    };
    let items = method(
        "items",
        [
            " Returns the items of all pages, as a stream.",
            &format!(" {begins} See `keyfit::pagination::Items` for page sizes, and for resuming after an error."),
        ],
        quote!(::keyfit::pagination::Items<#item>),
    );
    let pages = method(
        "pages",
        [" Returns the responses of all pages, as a stream.", &format!(" {begins} See `keyfit::pagination::Pages`.")],
        quote!(::keyfit::pagination::Pages<#answer>),
    );
    block.items.extend([items, pages].map(ImplItem::Fn));
}

/// Returns the documentation of the start of the list.
fn start_doc(pagination: &Pagination) -> String {
    match pagination.next.argument() {
        None => "The list begins with the first page.".to_owned(),
        Some(PageArgument::Query(name)) => format!("The list begins where the argument `{name}` says."),
        Some(PageArgument::Body(at)) => {
            format!("The list begins where the body's `{}` says.", at.trim_start_matches('/').replace('/', "."))
        }
    }
}

/// Returns the type of `send`'s result.
fn answer(item: &ImplItem) -> Option<Type> {
    match item {
        ImplItem::Fn(send) if send.sig.ident == "send" => match &send.sig.output {
            ReturnType::Type(_, output) => type_argument(&type_argument(output)?),
            ReturnType::Default => None,
        },
        _ => None,
    }
}

/// Returns the setter for the row in the operation table.
pub(crate) fn setter(pagination: &Pagination) -> TokenStream {
    let Pagination { items, .. } = pagination;
    let next = match &pagination.next {
        NextPage::Cursor { at, argument } => {
            let argument = self::argument(argument);
            quote!(Cursor { at: #at, argument: #argument })
        }
        NextPage::LastItem { at, argument } => {
            let argument = self::argument(argument);
            quote!(LastItem { at: #at, argument: #argument })
        }
        NextPage::Page { argument, first } => {
            let argument = self::argument(argument);
            quote!(Page { argument: #argument, first: #first })
        }
        NextPage::Start { argument } => {
            let argument = self::argument(argument);
            quote!(Start { argument: #argument })
        }
        NextPage::Link => quote!(Link),
        NextPage::Url { at } => quote!(Url { at: #at }),
        NextPage::Header { name, argument } => {
            let argument = self::argument(argument);
            quote!(Header { name: #name, argument: #argument })
        }
    };
    let list = if pagination.items_required { quote!(with_items) } else { quote!(with_optional_items) };
    let limit = pagination.limit.as_ref().map(|limit| {
        let limit = argument(limit);
        quote!(.with_limit(#limit))
    });
    let size = pagination.page_size.map(|size| quote!(.with_page_size(#size)));
    let largest = pagination.largest_page.map(|largest| quote!(.with_largest_page(#largest)));
    let kept = pagination.kept_limit.as_ref().map(|at| quote!(.with_kept_limit(#at)));
    let start = pagination.start.as_ref().map(|at| quote!(.with_start(#at)));
    let total = pagination.total.as_ref().map(|at| quote!(.with_total(#at)));
    let more = pagination.more.as_ref().map(|at| quote!(.with_more(#at)));
    quote! {
        .with_pagination(
            ::keyfit::operation::Pagination::new(::keyfit::operation::NextPage::#next)
                .#list(#items) #limit #size #largest #kept #start #total #more
        )
    }
}

fn argument(argument: &PageArgument) -> TokenStream {
    match argument {
        PageArgument::Query(name) => quote!(::keyfit::operation::PageArgument::Query(#name)),
        PageArgument::Body(at) => quote!(::keyfit::operation::PageArgument::Body(#at)),
    }
}
