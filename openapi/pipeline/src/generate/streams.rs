//! Calls with streamed responses: `send` if there is no other response, otherwise `stream` beside it.

use std::fmt::Write as _;

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::{Value, json};
use syn::{ImplItemFn, Type, parse_quote};

use super::docs;
use crate::media_type::Framing;
use crate::pointer;
use crate::repair::Repairs;
use crate::streams::{StreamedBody, StreamedResponse};

/// The status under which the generator gets the items that exist beside another body: an error response is the only place
/// for a second type.
pub(crate) const ITEM_STATUS: &str = "4XX";

/// The additional methods of the builder of a call with both a streamed and a whole response.
pub(crate) const METHODS: [&str; 2] = ["into_request", "stream"];

/// Returns the response for the generator; its type is that of an item.
pub(crate) fn response(streaming: &StreamedResponse) -> Value {
    let schema = &streaming.body.schema;
    json!({ "description": "items", "content": { "application/json": { "schema": schema } } })
}

/// Records the interpretation of a streamed response.
pub(crate) fn note(at: &str, streaming: &StreamedResponse, repairs: &mut Repairs) {
    let StreamedResponse { body, is_only, .. } = streaming;
    let method = if *is_only { "send" } else { "stream" };
    let of_what = match (body.framing, &body.event) {
        (Framing::Events, Some(_)) => "its schema is read as that of an event, by its `data`",
        (Framing::Events, None) => "its schema is read as that of the data of an event",
        (Framing::Lines | Framing::Sequence, _) => "its schema is read as that of an item, or of the list of them",
    };
    let note = format!("`{method}` returns a stream of {}; {of_what}", body.media_type);
    repairs.note("stream", &pointer::join(at, "responses"), note);
}

/// Returns the type of a stream of items.
pub(crate) fn kind(body: &StreamedBody, item: &Type) -> Type {
    match body.framing {
        Framing::Events => parse_quote!(::keyfit::EventStream<#item>),
        Framing::Lines | Framing::Sequence => parse_quote!(::keyfit::JsonLines<#item>),
    }
}

/// Returns the code that sends a request with a streamed response.
pub(crate) fn read(streaming: &StreamedResponse, request: &TokenStream, index: usize) -> TokenStream {
    let StreamedResponse { body, end, switch, .. } = streaming;
    let media_type = &body.media_type;
    let end = end.as_ref().map(|end| quote!(.with_end(#end)));
    let switch = switch.as_ref().map(|switch| quote!(.with_switch(#switch)));
    let method = match body.framing {
        Framing::Events if body.is_text => quote!(text_events),
        Framing::Events => quote!(events),
        Framing::Lines | Framing::Sequence => quote!(json_lines),
    };
    quote! {
        ::keyfit::codegen::stream(
            &client.inner,
            &client.client,
            #request,
            &super::API.operations[#index],
            ::keyfit::codegen::Streamed::new(#media_type) #end #switch,
        )
        .#method()
        .await
    }
}

/// Creates the method beside `send`.
pub(crate) fn method(streaming: &StreamedResponse, item: &Type, index: usize, takes_body: bool) -> ImplItemFn {
    let kind = kind(&streaming.body, item);
    let read = read(streaming, &quote!(request), index);
    let docs = docs::lines(&doc(streaming, takes_body));
    parse_quote! {
        #(#docs)*
        ///
        /// # Errors
        /// Returns a `keyfit::Error` if the request cannot be sent, the response is not a success, or it has another media type.
        pub async fn stream(self) -> ::std::result::Result<::keyfit::Response<#kind>, ::keyfit::Error> {
            let (client, request) = self.into_request();
            #read
        }
    }
}

/// Returns the documentation of the stream.
pub(crate) fn doc(streaming: &StreamedResponse, takes_body: bool) -> String {
    let StreamedResponse { body, is_only, end, switch } = streaming;
    let word = if body.framing == Framing::Events { "event" } else { "item" };
    let mut about =
        format!("The response is received one {word} at a time, as `{}`, which is requested.", body.media_type);
    if let Some(switch) = switch {
        let _ = write!(about, " The member `{switch}` of the body is set to `true`.");
    } else if takes_body && !is_only {
        about += " If a member of the body requests it as well, set that too: the document does not name the member, and an \
                  overlay can (`x-keyfit`, `stream`, `switch`).";
    }
    if let Some(end) = end {
        let _ = write!(about, " It ends with the {word} `{end}`, which is not returned.");
    }
    about
}

/// Returns the type of an item beside a whole response: the second type of the generator's `Result`.
pub(crate) fn item_beside(output: &syn::ReturnType) -> Option<Type> {
    let syn::ReturnType::Type(_, output) = output else { return None };
    let Type::Path(path) = &**output else { return None };
    let syn::PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    let refused = arguments.args.iter().filter_map(|argument| match argument {
        syn::GenericArgument::Type(kind) => Some(kind),
        _ => None,
    });
    super::adapt::type_argument(refused.last()?)
}

/// Returns the code that reads the response of a call by id as a list of its items.
pub(crate) fn collected(streaming: &StreamedResponse) -> TokenStream {
    let gather = match streaming.body.framing {
        Framing::Events => quote!(from_events),
        Framing::Lines | Framing::Sequence => quote!(from_lines),
    };
    if streaming.is_only {
        return quote!(::keyfit::dispatch::Answer::#gather(call.send().await?).await);
    }
    let media_type = &streaming.body.media_type;
    quote! {
        if arguments.get("Accept").is_some_and(|accept| accept == #media_type) {
            return ::keyfit::dispatch::Answer::#gather(call.stream().await?).await;
        }
    }
}

/// Returns whether `send` is the method of the stream.
pub(crate) fn is_sent(streaming: Option<&StreamedResponse>) -> bool {
    streaming.is_some_and(|streaming| streaming.is_only)
}
