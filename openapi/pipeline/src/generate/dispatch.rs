//! The function that calls an operation by its id with JSON arguments, for tests, probes and adapters that know
//! operations as data.

use quote::quote;
use syn::{Item, parse_quote};

use super::adapt::{Argument, Call, Role};

/// `pub(crate) async fn dispatch(client, operation, arguments)`, where it is asked for.
pub(crate) fn item(calls: &[Call]) -> Item {
    let arms = calls.iter().map(|call| {
        let id = &call.id;
        let function = &call.function;
        let setters = call.arguments.iter().map(setter);
        let answer = if call.streams {
            quote!(::keyfit::dispatch::Answer::from_stream(call.send().await?).await)
        } else {
            quote!(::keyfit::dispatch::Answer::from_response(call.send().await?))
        };
        quote! {
            #id => {
                #[allow(unused_mut)]
                let mut call = client.#function();
                #(#setters)*
                #answer
            }
        }
    });
    parse_quote! {
        /// Calls an operation through its typed builder.
        #[allow(unused_variables)]
        pub(crate) async fn dispatch(
            client: &Client,
            operation: &str,
            arguments: &::serde_json::Map<::std::string::String, ::serde_json::Value>,
        ) -> ::std::result::Result<::keyfit::dispatch::Answer, ::keyfit::Error> {
            match operation {
                #(#arms)*
                _ => Err(::keyfit::codegen::unknown_operation(operation)),
            }
        }
    }
}

fn setter(argument: &Argument) -> proc_macro2::TokenStream {
    let Argument { name, setter, kind, role } = argument;
    let read = match role {
        Role::Typed => quote!(::keyfit::codegen::argument::<#kind>(#name, value)?),
        Role::Written => quote!(::keyfit::codegen::written(value)),
        Role::MediaType(documented) => {
            return quote! {
                call = call.#setter(arguments.get(#name).and_then(|value| value.as_str()).unwrap_or(#documented));
            };
        }
    };
    quote! {
        if let Some(value) = arguments.get(#name) {
            call = call.#setter(#read);
        }
    }
}
