//! The method `poll` beside `send`, for calls that start long-running work.

use syn::{ImplItemFn, parse_quote};

/// The additional methods of such a call's builder.
pub(crate) const METHODS: [&str; 2] = ["into_request", "poll"];

/// Creates the method that waits for the work.
pub(crate) fn method(index: usize) -> ImplItemFn {
    parse_quote! {
        /// Returns the call as one that starts work and is polled for the result: see `keyfit::Poll`. A response other than 202 is the result
        /// itself.
        pub fn poll(self) -> ::keyfit::Poll {
            let (client, request) = self.into_request();
            ::keyfit::codegen::poll(&client.inner, &client.client, request, &super::API.operations[#index])
        }
    }
}
