//! The function that calls an operation by its id with JSON arguments, for tests, probes and adapters that know
//! operations as data.

use quote::quote;
use syn::{Item, parse_quote};

use super::adapt::{Argument, Call};

/// `pub(crate) async fn dispatch(client, operation, arguments)`, behind the feature of that name.
pub(crate) fn item(calls: &[Call]) -> Item {
    let arms = calls.iter().filter(|call| !call.streams).map(|call| {
        let id = &call.id;
        let function = &call.function;
        let setters = call.arguments.iter().map(setter);
        quote! {
            #id => {
                #[allow(unused_mut)]
                let mut call = client.#function();
                #(#setters)*
                crate::dispatch::Answer::from_response(call.send().await?)
            }
        }
    });
    parse_quote! {
        /// Calls an operation through its typed builder.
        #[cfg(feature = "dispatch")]
        pub(crate) async fn dispatch(
            client: &Client,
            operation: &str,
            arguments: &::serde_json::Map<::std::string::String, ::serde_json::Value>,
        ) -> ::std::result::Result<crate::dispatch::Answer, crate::Error> {
            match operation {
                #(#arms)*
                _ => Err(crate::Error::unknown_operation(operation)),
            }
        }
    }
}

fn setter(argument: &Argument) -> proc_macro2::TokenStream {
    let Argument { name, setter, kind } = argument;
    quote! {
        if let Some(value) = arguments.get(#name) {
            call = call.#setter(crate::dispatch::argument::<#kind>(#name, value)?);
        }
    }
}
