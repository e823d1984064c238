//! The methods of a call's builder that build and send the request.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ImplItemFn, Stmt, Token, Type, parse_quote};

use super::type_argument;
use crate::generate::client_document::CallSettings;
use crate::generate::{batches, docs, forms, polling, streams};
use crate::{Api, Operation};

/// Keeps the generator's `send` up to the request, which our runtime sends. A paged call builds requests in several methods.
pub(super) fn wrap_send(
    api: &Api,
    function: &ImplItemFn,
    index: usize,
    settings: &CallSettings,
    operation: &Operation,
    item: Option<&Type>,
) -> Option<Vec<ImplItemFn>> {
    let streaming = operation.streaming.as_ref();
    let beside = streaming.filter(|streaming| !streaming.is_only);
    let only = streaming.filter(|streaming| streaming.is_only);
    let is_shared = operation.pagination.is_some() || beside.is_some() || operation.polls;
    let attributes = &function.attrs;
    let streams = is_stream(&function.sig.output);
    let mut value = match answer_type(&function.sig.output)? {
        _ if streams => parse_quote!(::keyfit::ByteStream),
        value => only.map_or(value.clone(), |only| streams::kind(&only.body, &value)),
    };
    if settings.is_optional {
        value = parse_quote!(::std::option::Option<#value>);
    }
    let mut statements = function.block.stmts.clone();
    // The remaining statements pass the request to the generator's runtime.
    let rest = statements.split_off(statements.iter().position(|statement| info(statement).is_some())?);
    let rest: TokenStream = rest.iter().map(quote::ToTokens::to_token_stream).collect();
    let decoded = if streams {
        quote!(Ok(answer.stream()))
    } else if contains(&rest, "ResponseValue :: empty") {
        quote!(Ok(answer.empty()))
    } else {
        quote!(answer.decode())
    };
    // The variable has another name if an argument has this one.
    let Some(Stmt::Local(syn::Local { pat: syn::Pat::Ident(request), .. })) = statements.last() else { return None };
    let request = &request.ident;
    let mut build: syn::Block = parse_quote!({ #(#statements)* Ok(#request) });
    let parts = settings.form.as_ref().and_then(|form| forms::write(&mut build, form));
    let (request_type, last): (Type, Expr) = match parts {
        Some(parts) => {
            (parse_quote!(::keyfit::codegen::Outgoing), parse_quote!(::keyfit::codegen::multipart(#request, #parts)))
        }
        None => (parse_quote!(::reqwest::Request), parse_quote!(Ok(#request))),
    };
    build.stmts.pop();
    build.stmts.push(Stmt::Expr(last, None));
    let base_url = operation
        .server
        .as_ref()
        .map(|_| -> Expr { parse_quote!(client.inner.base_url_of(&super::API.operations[#index])?) });
    SendBody { settings, base_url, streams }.visit_block_mut(&mut build);
    let writer = item.map(|item| batches::method(item, build.clone(), index, api.has_secrets()));
    let build = quote!(move || -> ::std::result::Result<#request_type, Error> #build);
    // A secret is written into requests only.
    let build = if api.has_secrets() { quote!(move || ::keyfit::codegen::with_secrets(#build)) } else { build };
    let begun: TokenStream = quote! {
        let client = self.client;
        let build = #build;
    };
    let (prepared, request) = if is_shared {
        (quote!(let (client, request) = self.into_request();), quote!(request))
    } else {
        (begun.clone(), quote!(build()))
    };
    let answered = only.map_or_else(
        || {
            quote! {
                let answer = client.inner.send(&client.client, #request, &super::API.operations[#index]).await?;
                #decoded
            }
        },
        |only| streams::read(only, &request, index),
    );
    let about = only.map(|only| docs::lines(&format!("\n{}", streams::doc(only, operation.body.is_some()))));
    let about = about.into_iter().flatten();
    let send = parse_quote! {
        #(#attributes)*
        #(#about)*
        ///
        /// # Errors
        /// Returns a `keyfit::Error` if the request cannot be sent, or the response is not a success.
        pub async fn send(self) -> ::std::result::Result<::keyfit::Response<#value>, ::keyfit::Error> {
            #prepared
            #answered
        }
    };
    let stream = match beside {
        Some(beside) => {
            let item = streams::item_beside(&function.sig.output)?;
            Some(streams::method(beside, &item, index, operation.body.is_some()))
        }
        None => None,
    };
    let into_request = is_shared.then(|| -> ImplItemFn {
        parse_quote! {
            fn into_request(self) -> (&'a super::Client, ::std::result::Result<#request_type, Error>) {
                #begun
                (client, build())
            }
        }
    });
    let poll = operation.polls.then(|| polling::method(index));
    Some(into_request.into_iter().chain([send]).chain(stream).chain(poll).chain(writer).collect())
}

/// Returns the struct expression of `let info = OperationInfo { .. };`.
pub(super) fn info(statement: &Stmt) -> Option<&syn::ExprStruct> {
    let Stmt::Local(syn::Local { init: Some(init), .. }) = statement else { return None };
    match &*init.expr {
        Expr::Struct(value) if value.path.is_ident("OperationInfo") => Some(value),
        _ => None,
    }
}

/// Returns the `T` of `Result<ResponseValue<T>, ..>`.
fn answer_type(output: &syn::ReturnType) -> Option<Type> {
    let syn::ReturnType::Type(_, output) = output else { return None };
    type_argument(&type_argument(output)?)
}

struct SendBody<'a> {
    settings: &'a CallSettings,
    /// The base URL of the operation, if it is not the client's.
    base_url: Option<Expr>,
    /// True if the response is bytes, for which the generator sends no `Accept` header.
    streams: bool,
}

impl VisitMut for SendBody<'_> {
    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        // Headers of the map replace those that the body sets.
        let own = self.settings.content_type.as_ref().map(|media_type| (quote!(CONTENT_TYPE), media_type));
        let asked = self.settings.accept.as_ref().filter(|_| self.streams).map(|accept| (quote!(ACCEPT), accept));
        let headers = own.into_iter().chain(asked).map(|(name, value)| -> Stmt {
            let append = quote! {
                header_map.append(
                    ::reqwest::header::#name,
                    ::reqwest::header::HeaderValue::from_static(#value),
                );
            };
            let is_of_body = name.to_string() == "CONTENT_TYPE";
            if is_of_body && self.settings.may_lack_body {
                parse_quote!(if body.is_some() { #append })
            } else {
                parse_quote!(#append)
            }
        });
        if let Some(at) = block.stmts.iter().position(is_api_version_header) {
            block.stmts.splice(at..=at, headers);
        }
        visit_mut::visit_block_mut(self, block);
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut syn::ExprMethodCall) {
        visit_mut::visit_expr_method_call_mut(self, call);
        // reqwest has no methods with these names.
        let method = match call.method.to_string().as_str() {
            "options" => quote!(OPTIONS),
            "trace" => quote!(TRACE),
            _ => return,
        };
        call.method = format_ident!("request");
        call.args.insert(0, parse_quote!(::reqwest::Method::#method));
    }

    fn visit_macro_mut(&mut self, call: &mut syn::Macro) {
        // `format!("{}/path", client.baseurl)`
        let Ok(mut arguments) = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) else { return };
        let is_base = |argument: &Expr| matches!(argument, Expr::Field(field) if field.member == parse_quote!(baseurl));
        if !arguments.iter().any(is_base) {
            return;
        }
        for argument in &mut arguments {
            match (&mut *argument, &self.base_url) {
                // The fragment, which only distinguishes paths, is not sent.
                (Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }), _) => {
                    let whole = text.value();
                    let sent = whole.split_once('#').map_or(&*whole, |(sent, _)| sent);
                    *text = syn::LitStr::new(sent, text.span());
                }
                (field, Some(base_url)) if is_base(field) => *argument = base_url.clone(),
                _ => {}
            }
        }
        call.tokens = arguments.into_token_stream();
    }

    fn visit_lit_str_mut(&mut self, literal: &mut syn::LitStr) {
        let text = literal.value();
        let alias = self.settings.aliases.iter().find(|known| known.alias == text);
        let accept = self.settings.accept.as_ref().filter(|_| text == "application/json");
        if let Some(text) = alias.map(|known| &known.wire).or(accept) {
            *literal = syn::LitStr::new(text, literal.span());
        }
    }
}

fn is_api_version_header(statement: &Stmt) -> bool {
    matches!(statement, Stmt::Expr(Expr::MethodCall(call), _) if call.method == "append" && contains(&call.to_token_stream(), "from_static (\"api-version\")"))
}

/// Returns whether a call returns raw bytes. A schema may have the name of the bytes type.
pub(super) fn is_stream(output: &syn::ReturnType) -> bool {
    let output = output.to_token_stream().to_string();
    output.contains("ByteStream") && !output.contains("types :: ByteStream")
}

fn contains(tokens: &TokenStream, literal: &str) -> bool {
    quote!(#tokens).to_string().contains(literal)
}
