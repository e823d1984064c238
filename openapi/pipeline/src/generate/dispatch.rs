//! Calls of operations by their ids, with JSON arguments, for tests, probes and adapters that handle operations as data.

use quote::quote;
use syn::{Arm, Expr, Item, ItemFn, Stmt, parse_quote};

use super::adapt::{Argument, Call, Role};
use super::carrier_path;
use super::kinds::Kinds;
use super::streams;

/// Returns the item `connect` and the items behind it.
pub(crate) fn items(calls: &[Call], kinds: &Kinds, in_tests: bool) -> Vec<Item> {
    let condition = in_tests.then(|| quote!(#[cfg(test)]));
    let function = function(calls);
    let of_kind = |(name, carrier): &(String, _)| {
        let carrier = carrier_path::path(carrier);
        quote!(access.credential(#name, #carrier)?)
    };
    let credential = kinds.first.as_ref().map_or_else(|| quote!(::keyfit::codegen::no_credential()), of_kind);
    vec![
        parse_quote!(#condition #function),
        parse_quote! {
            #condition
            impl ::keyfit::dispatch::Dispatch for Client {
                fn call<'a>(
                    &'a self,
                    operation: &'a str,
                    arguments: &'a ::serde_json::Map<::std::string::String, ::serde_json::Value>,
                ) -> ::keyfit::dispatch::Call<'a> {
                    ::std::boxed::Box::pin(dispatch(self, operation, arguments))
                }
            }
        },
        parse_quote! {
            /// Creates a client whose operations are called by their ids, for the contract check.
            ///
            /// # Errors
            /// Returns an error if the typed constructors do for this token or configuration.
            #condition
            #[allow(unused_variables)]
            pub fn connect(
                config: ::keyfit::Config,
                access: ::keyfit::dispatch::Access,
            ) -> ::std::result::Result<::std::boxed::Box<dyn ::keyfit::dispatch::Dispatch>, ::keyfit::Error> {
                Ok(::std::boxed::Box::new(Client::over(#credential, config)?))
            }
        },
    ]
}

fn function(calls: &[Call]) -> Item {
    // One at a time: the tokens of all of them are several times as large as their syntax trees.
    let arms = calls.iter().map(|call| -> Arm {
        let id = &call.id;
        let function = &call.function;
        let setters = call.arguments.iter().map(setter);
        let gathered = call.streaming.as_ref().map(streams::collected);
        let answer = if streams::is_sent(call.streaming.as_ref()) {
            quote!()
        } else if call.streams {
            quote!(::keyfit::dispatch::Answer::from_stream(call.send().await?).await)
        } else {
            quote!(::keyfit::dispatch::Answer::from_response(call.send().await?))
        };
        parse_quote! {
            #id => {
                #[allow(unused_mut)]
                let mut call = client.#function();
                #(#setters)*
                #gathered
                #answer
            }
        }
    });
    let mut function: ItemFn = parse_quote! {
        /// Calls an operation through its typed builder.
        #[allow(unused_variables)]
        async fn dispatch(
            client: &Client,
            operation: &str,
            arguments: &::serde_json::Map<::std::string::String, ::serde_json::Value>,
        ) -> ::std::result::Result<::keyfit::dispatch::Answer, ::keyfit::Error> {
            match operation {
                _ => Err(::keyfit::codegen::unknown_operation(operation)),
            }
        }
    };
    if let Some(Stmt::Expr(Expr::Match(known), _)) = function.block.stmts.last_mut() {
        known.arms.splice(0..0, arms);
    }
    Item::Fn(function)
}

fn setter(argument: &Argument) -> proc_macro2::TokenStream {
    let Argument { name, setter, kind, role } = argument;
    let read = match role {
        Role::Typed => quote!(::keyfit::codegen::argument::<#kind>(#name, value)?),
        Role::Written => quote!(::keyfit::codegen::written(value)),
        Role::MediaType(documented) => {
            return quote! {
                if arguments.contains_key("body") {
                    call = call.#setter(arguments.get(#name).and_then(|value| value.as_str()).unwrap_or(#documented));
                }
            };
        }
    };
    quote! {
        if let Some(value) = arguments.get(#name) {
            call = call.#setter(#read);
        }
    }
}
