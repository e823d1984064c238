//! Calls whose answers come an item at a time: `send` where there is no other answer, `stream` beside it where there is one.

use std::fmt::Write as _;

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::{Value, json};
use syn::{ImplItemFn, Type, parse_quote};

use super::docs;
use crate::pointer;
use crate::repair::Repairs;
use crate::streams::{Framing, Streamed, Streaming};

/// The answer under which the generator is given the items that come beside another body: the one place where it has a second type.
pub(crate) const BESIDE: &str = "4XX";

/// The methods that the builder of a call has beside those of every call, where it answers with items and with a whole.
pub(crate) const METHODS: [&str; 2] = ["into_request", "stream"];

/// The answer for the generator, whose type is that of an item.
pub(crate) fn response(streaming: &Streaming) -> Value {
    let schema = &streaming.body.schema;
    json!({ "description": "items", "content": { "application/json": { "schema": schema } } })
}

/// Says what was made of the document's words.
pub(crate) fn note(at: &str, streaming: &Streaming, repairs: &mut Repairs) {
    let Streaming { body, is_only, .. } = streaming;
    let method = if *is_only { "send" } else { "stream" };
    let of_what = match (body.framing, &body.event) {
        (Framing::Events, Some(_)) => "its schema is read as that of an event, by its `data`",
        (Framing::Events, None) => "its schema is read as that of the data of an event",
        (Framing::Lines | Framing::Sequence, _) => "its schema is read as that of an item, or of the list of them",
    };
    let note = format!("`{method}` returns a stream of {}; {of_what}", body.media_type);
    repairs.note("stream", &pointer::join(at, "responses"), note);
}

/// The type of the stream of items of a type.
pub(crate) fn kind(body: &Streamed, item: &Type) -> Type {
    match body.framing {
        Framing::Events => parse_quote!(::keyfit::EventStream<#item>),
        Framing::Lines | Framing::Sequence => parse_quote!(::keyfit::JsonLines<#item>),
    }
}

/// Sends a request whose answer is a stream.
pub(crate) fn read(streaming: &Streaming, request: &TokenStream, index: usize) -> TokenStream {
    let Streaming { body, end, switch, .. } = streaming;
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

/// The method beside `send`.
pub(crate) fn method(streaming: &Streaming, item: &Type, index: usize, takes_body: bool) -> ImplItemFn {
    let kind = kind(&streaming.body, item);
    let read = read(streaming, &quote!(request), index);
    let docs = docs::lines(&about(streaming, takes_body));
    parse_quote! {
        #(#docs)*
        ///
        /// # Errors
        /// Returns a `keyfit::Error` if the request cannot be sent, is not answered by a success, or by another kind of answer.
        pub async fn stream(self) -> ::std::result::Result<::keyfit::Response<#kind>, ::keyfit::Error> {
            let (client, request) = self.into_request();
            #read
        }
    }
}

/// What callers are to know of the stream.
pub(crate) fn about(streaming: &Streaming, takes_body: bool) -> String {
    let Streaming { body, is_only, end, switch } = streaming;
    let word = if body.framing == Framing::Events { "event" } else { "item" };
    let mut about = format!("The answer comes an {word} at a time, as `{}`, which is asked for.", body.media_type);
    if let Some(switch) = switch {
        let _ = write!(about, " The member `{switch}` of the body is set to `true`.");
    } else if takes_body && !is_only {
        about += " Where a member of the body asks for it as well, set that too: the document does not say which one does, and an \
                  overlay can (`x-keyfit`, `stream`, `switch`).";
    }
    if let Some(end) = end {
        let _ = write!(about, " It ends with the {word} `{end}`, which is not handed on.");
    }
    about
}

/// The second type of the generator's `Result`: that of an item beside a whole answer.
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

/// Reads an answer of a call by its id: as the items that came.
pub(crate) fn gathered(streaming: &Streaming) -> TokenStream {
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

/// Whether `send` is the method of the stream.
pub(crate) fn is_sent(streaming: Option<&Streaming>) -> bool {
    streaming.is_some_and(|streaming| streaming.is_only)
}
