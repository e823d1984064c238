//! The items beside the generator's code: the constructors, the API as data, the hooks that route every call through the
//! runtime, and the open enums of responses.

use std::collections::HashSet;

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use syn::punctuated::Punctuated;
use syn::{Expr, Item, ItemMod, ItemStatic, Token, parse_quote};

use super::adapt::Call;
use super::batches;
use super::distinguished::DistinguishedUnion;
use super::docs;
use super::enums::{self, Enum};
use super::kinds::Kinds;
use super::paging;
use super::streams;
use super::union_types;
use crate::contract::Facts;
use crate::operation::Retry;
use crate::{Api, BaseUrl, Operation, Partial, SecurityRequirement};

/// Returns the items.
pub(crate) fn items(
    api: &Api,
    operations: &[&Operation],
    calls: &[Call],
    values: Item,
    kinds: &Kinds,
    facts: &Facts,
) -> Vec<Item> {
    let mut items = vec![
        parse_quote!(
            const _: () = ::keyfit::codegen::supports::<3>();
        ),
        constructors(kinds),
        parse_quote! {
            impl Client {
                /// Returns the same client with options for its calls. Both share everything else.
                #[must_use]
                pub fn with_options(&self, options: ::keyfit::CallOptions) -> Self {
                    let transport = self.inner.with_options(options);
                    Self::new_with_client(&self.baseurl, self.client.clone(), transport)
                }

                /// Creates a request to a path below the base URL that is not in the document, such as `/reports/weekly`.
                pub fn request(&self, method: ::reqwest::Method, path: &str) -> ::keyfit::RawRequest<'_> {
                    ::keyfit::RawRequest::new(&self.inner, &self.client, method, path)
                }
            }
        },
        self::api(api, operations, calls, kinds, facts),
        values,
    ];
    let about = " The base URLs that the document names, for `keyfit::Config::base_url`.";
    if api.base_urls.len() > 1 {
        items.push(urls("base_urls", about, Some(&api.base_url), &api.base_urls));
    }
    let about = " The servers that operations have for themselves, for `keyfit::Config::server`.";
    if !api.servers.is_empty() {
        items.push(urls("servers", about, None, &api.servers));
    }
    items
}

/// Returns the module of response types whose values the document lists only in part.
pub(crate) fn values(enums: &[Enum], tagged: &[DistinguishedUnion]) -> Item {
    let mut module: ItemMod = parse_quote! {
        /// The enums of values that the document names. Enums of responses keep other values unchanged.
        pub mod values {}
    };
    let items = &mut module.content.get_or_insert_default().1;
    // One at a time: there may be thousands, and their tokens are several times as large as their syntax trees.
    for written in enums.iter().map(enums::item).chain(tagged.iter().map(union_types::item)) {
        let file: syn::File = parse_quote!(#written);
        items.extend(file.items);
    }
    Item::Mod(module)
}

/// Returns a module of named URLs.
fn urls(module: &str, about: &str, default: Option<&String>, urls: &[BaseUrl]) -> Item {
    let constants = urls.iter().map(|known| {
        let (name, url) = (format_ident!("{}", known.name), &known.url);
        let is_default = (Some(url) == default).then_some("The default.");
        let said = [is_default, Some(known.description.as_str()).filter(|text| !text.is_empty())];
        let said: Vec<&str> = said.into_iter().flatten().collect();
        let said = if said.is_empty() { format!("`{url}`") } else { said.join(" ") };
        let docs = docs::lines(&said);
        quote!(#(#docs)* pub const #name: &str = #url;)
    });
    let module = format_ident!("{module}");
    parse_quote! {
        #[doc = #about]
        pub mod #module {
            #(#constants)*
        }
    }
}

/// Returns the constructors of clients: with a credential if the API takes one.
fn constructors(kinds: &Kinds) -> Item {
    let without = (kinds.first.is_some() && kinds.works_without_credential).then(|| {
        quote! {
            /// Creates a client without a credential, for the operations that need none; their documentation says so. Other
            /// operations fail before anything is sent.
            ///
            /// # Errors
            /// Returns an error if `with_config` does.
            pub fn without_credential(config: ::keyfit::Config) -> ::std::result::Result<Self, ::keyfit::Error> {
                Self::over(::keyfit::codegen::no_credential(), config)
            }
        }
    });
    let (parameter, argument, credential) = if kinds.first.is_some() {
        (
            quote!(credential: impl ::keyfit::auth::IntoCredential<Api>,),
            quote!(credential,),
            quote!(credential.into_credential()),
        )
    } else {
        (quote!(), quote!(), quote!(::keyfit::codegen::no_credential()))
    };
    parse_quote! {
        impl Client {
            /// Creates a client for the documented host, the base URL of [`API`].
            ///
            /// # Errors
            /// Returns an error if the TLS backend cannot be initialized.
            pub fn new(#parameter) -> ::std::result::Result<Self, ::keyfit::Error> {
                Self::with_config(#argument ::keyfit::Config::default())
            }

            /// Creates a client with a configuration: another base URL, timeouts, user agent.
            ///
            /// # Errors
            /// Returns an error if the base URL is not https (plain http is for loopback hosts only) or holds credentials,
            /// a query or a fragment.
            pub fn with_config(
                #parameter
                config: ::keyfit::Config,
            ) -> ::std::result::Result<Self, ::keyfit::Error> {
                Self::over(#credential, config)
            }

            #without

            fn over<K>(
                credential: ::keyfit::auth::Credential<K>,
                config: ::keyfit::Config,
            ) -> ::std::result::Result<Self, ::keyfit::Error> {
                let (http, transport) = ::keyfit::codegen::Transport::connect(credential, config, &API)?;
                let base_url = transport.base_url().to_owned();
                Ok(Self::new_with_client(&base_url, http, transport))
            }
        }
    }
}

/// Returns the API as data.
fn api(api: &Api, operations: &[&Operation], calls: &[Call], kinds: &Kinds, facts: &Facts) -> Item {
    let streams = |call: &&Call| call.streams || streams::is_sent(call.streaming.as_ref());
    let streaming: HashSet<&str> = calls.iter().filter(streams).map(|call| call.id.as_str()).collect();
    let rows = operations.iter().map(|operation| operation_row(operation, streaming.contains(operation.id.as_str())));
    let errors = facts.errors.iter().map(|envelope| {
        let name = &envelope.name;
        let setters = [
            list("with_code", &envelope.code),
            list("with_message", &envelope.message),
            list("with_details", &envelope.details),
            list("with_request_id", &envelope.request_id),
        ];
        quote!(::keyfit::ErrorEnvelope::new(#name) #(#setters)*)
    });
    let errors: Vec<_> = errors.collect();
    let errors = (!errors.is_empty()).then(|| quote!(.with_errors(&[#(#errors),*])));
    let names = &facts.rate_limit;
    let names: Vec<_> = [
        optional("with_limit", names.limit.as_ref()),
        optional("with_remaining", names.remaining.as_ref()),
        optional("with_reset", names.reset.as_ref()),
        optional("with_retry_after", names.retry_after.as_ref()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let rate_limit = (!names.is_empty()).then(|| quote!(.with_rate_limit(::keyfit::RateLimitNames::new() #(#names)*)));
    let prefixes = list("with_secret_prefixes", &facts.secret_prefixes);
    let certificates = list("with_client_certificates", &kinds.certificates);
    let name = &api.name;
    // Clients use the first one by default.
    let others = api.base_urls.iter().map(|other| &other.url).filter(|url| **url != api.base_url);
    let base_urls = std::iter::once(&api.base_url).chain(others);
    let mut table: ItemStatic = parse_quote! {
        /// The description of the API: its base URL, its operations in the document's order, and the form of its errors and limits.
        pub static API: ::keyfit::Api = ::keyfit::Api::new(#name)
            .with_base_urls(&[#(#base_urls),*])
            .with_operations(&[])
            #errors #rate_limit #certificates #prefixes;
    };
    if let Some(all) = operations_of(&mut table.expr) {
        // One at a time, as for values.
        all.extend(rows.map(|row| -> Expr { parse_quote!(#row) }));
    }
    Item::Static(table)
}

/// Returns the list argument of `with_operations` in a chain of calls.
fn operations_of(expr: &mut Expr) -> Option<&mut Punctuated<Expr, Token![,]>> {
    let Expr::MethodCall(call) = expr else { return None };
    if call.method != "with_operations" {
        return operations_of(&mut call.receiver);
    }
    match call.args.first_mut() {
        Some(Expr::Reference(reference)) => match &mut *reference.expr {
            Expr::Array(list) => Some(&mut list.elems),
            _ => None,
        },
        _ => None,
    }
}

fn operation_row(operation: &Operation, streams: bool) -> TokenStream {
    let Operation { id, function, method, path, rate_limit, errors, .. } = operation;
    let retry = match operation.retry {
        Retry::Safe => Some(quote!(Safe)),
        Retry::Idempotent => Some(quote!(Idempotent)),
        Retry::Keyed => Some(quote!(Keyed)),
        Retry::Never => None,
    };
    let success: Vec<_> = operation.success_statuses().into_iter().map(Literal::u16_unsuffixed).collect();
    let query: Vec<TokenStream> = operation.query.iter().map(|(name, value)| quote!((#name, #value))).collect();
    let partial: Vec<TokenStream> = operation.partial.iter().map(item_results).collect();
    let setters = [
        optional("with_server", operation.server.as_ref()),
        list("with_query", &query),
        list("with_credentials", &operation.credentials),
        security(&operation.security),
        list("with_scopes", &operation.scopes),
        optional("with_resource", operation.resource.as_ref()),
        list("with_success", &success),
        retry.map(|retry| quote!(.with_retry(::keyfit::operation::Retry::#retry))),
        optional("with_retry_key", operation.retry_key.as_ref()),
        optional("with_idempotency_key", operation.idempotency_key.as_ref()),
        optional("with_rate_limit", Some(rate_limit).filter(|class| *class != id)),
        list("with_rate_limit_by", &operation.rate_limit_by),
        operation.pagination.as_ref().map(paging::setter),
        list("with_partial", &partial),
        operation.batching.as_ref().map(batches::setter),
        operation.polls.then(|| quote!(.polling())),
        operation.spends.then(|| quote!(.spending())),
        streams.then(|| quote!(.streaming())),
        optional("with_errors", Some(errors).filter(|name| !name.is_empty())),
        optional("with_unverified", operation.unverified.as_ref()),
    ];
    let setters = setters.into_iter().flatten();
    quote!(::keyfit::Operation::new(#id, #function, #method, #path) #(#setters)*)
}

/// Returns the description of item results in a success.
fn item_results(partial: &Partial) -> TokenStream {
    let accepted_as = partial.accepted_texts();
    let setters = [
        optional("with_received", partial.received.as_ref()),
        optional("with_accepted", partial.accepted.as_ref()),
        optional("with_rejected", partial.rejected.as_ref()),
        optional("with_accepted_items", partial.accepted_items.as_ref()),
        optional("with_rejected_items", partial.rejected_items.as_ref()),
        optional("with_outcomes", partial.outcomes.as_ref()),
        partial.outcome.as_ref().map(|at| quote!(.with_outcome(#at, &[#(#accepted_as),*]))),
        optional("with_reason", partial.reason.as_ref()),
        partial.position.as_ref().map(|at| {
            let first = partial.first;
            quote!(.with_position(#at, #first))
        }),
        optional("with_item", partial.item.as_ref()),
    ];
    let setters = setters.into_iter().flatten();
    quote!(::keyfit::operation::Partial::new() #(#setters)*)
}

/// Returns the setter for the accepted credentials of an operation, if it has its own.
fn security(needed: &SecurityRequirement) -> Option<TokenStream> {
    let SecurityRequirement::OneOf { sets, is_optional } = needed else { return None };
    let sets = sets.iter().map(|set| quote!(&[#(#set),*]));
    let none = is_optional.then(|| quote!(&[]));
    let alternatives = sets.chain(none);
    Some(quote!(.with_security(&[#(#alternatives),*])))
}

/// Returns a setter for a list, if the list is not empty.
fn list<T: quote::ToTokens>(setter: &str, values: &[T]) -> Option<TokenStream> {
    let setter = format_ident!("{setter}");
    (!values.is_empty()).then(|| quote!(.#setter(&[#(#values),*])))
}

/// Returns a setter for a text, if there is one.
pub(super) fn optional(setter: &str, value: Option<&String>) -> Option<TokenStream> {
    let setter = format_ident!("{setter}");
    value.map(|value| quote!(.#setter(#value)))
}

/// Wraps the whole file in one module with its exports, so that including code stays one line. The lints of hand-written code
/// do not apply to generated code.
pub(crate) fn module(file: syn::File) -> Vec<Item> {
    let mut module: ItemMod = parse_quote! {
        #[allow(
            missing_docs,
            unreachable_pub,
            unused_comparisons,
            unused_mut,
            dead_code,
            unused_imports,
            clippy::all,
            clippy::pedantic,
            clippy::allow_attributes,
            clippy::allow_attributes_without_reason
        )]
        #[rustfmt::skip]
        mod generated {}
    };
    // Moved and not quoted: the tokens of the whole file would need more memory than the file itself.
    module.content.get_or_insert_default().1 = file.items;
    let exported = parse_quote! {
        #[rustfmt::skip]
        #[allow(
            unreachable_pub,
            unused_imports,
            clippy::allow_attributes,
            clippy::allow_attributes_without_reason
        )]
        pub use generated::*;
    };
    vec![Item::Mod(module), exported]
}
