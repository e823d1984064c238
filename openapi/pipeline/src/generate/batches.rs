//! The method `writer` beside `send`, for calls that take many items.

use proc_macro2::TokenStream;
use quote::quote;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, FieldPat, ImplItem, ImplItemFn, ItemImpl, Pat, Stmt, Token, Type, parse_quote};

use super::paging::AnswerTypes;
use super::setters;
use crate::Operation;
use crate::batching::Batching;

/// The additional method of such a call's builder.
pub(crate) const METHODS: [&str; 1] = ["writer"];

/// Returns the type of the items, if the call takes many.
pub(crate) fn item(block: &ItemImpl, operation: &Operation, types: &AnswerTypes<'_>) -> Option<Type> {
    let batching = operation.batching.as_ref()?;
    let body = block.items.iter().find_map(|item| match item {
        ImplItem::Fn(setter) if setter.sig.ident == "body" => setters::type_of(setter),
        _ => None,
    })?;
    Some(types.item(&body, &batching.items_at))
}

/// Creates the method that makes a writer. `build` is the code that builds the request with its body.
pub(crate) fn method(item: &Type, mut build: Block, index: usize, has_secrets: bool) -> ImplItemFn {
    BodyRemover.visit_block_mut(&mut build);
    let build = quote!(move || -> ::std::result::Result<::reqwest::Request, Error> #build);
    let build = if has_secrets { quote!(::keyfit::codegen::with_secrets(#build)) } else { quote!((#build)()) };
    parse_quote! {
        /// Returns a writer of any number of items, in batches, with the parameters of this call: see `keyfit::batch_writer`. The
        /// writer makes the bodies; members of a body beside its items are given to the writer.
        pub fn writer(self) -> ::keyfit::batch_writer::Builder<#item> {
            let client = self.client;
            let call = #build;
            ::keyfit::codegen::writer(&client.inner, &client.client, call, &super::API.operations[#index])
        }
    }
}

/// A visitor that removes the body from the code that builds a request.
struct BodyRemover;

impl VisitMut for BodyRemover {
    fn visit_block_mut(&mut self, block: &mut Block) {
        block.stmts.retain(|statement| !matches!(statement, Stmt::Local(local) if is_body(&local.pat)));
        visit_mut::visit_block_mut(self, block);
    }

    /// Ignores the body in `let Self { client, body } = self;`.
    fn visit_field_pat_mut(&mut self, field: &mut FieldPat) {
        if is_body(&field.pat) {
            field.colon_token = Some(<Token![:]>::default());
            *field.pat = parse_quote!(_);
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        while let Expr::MethodCall(call) = expr
            && (call.method == "json" || call.method == "with_body")
        {
            *expr = (*call.receiver).clone();
        }
        visit_mut::visit_expr_mut(self, expr);
    }
}

fn is_body(pattern: &Pat) -> bool {
    match pattern {
        Pat::Ident(name) => name.ident == "body",
        Pat::Type(typed) => is_body(&typed.pat),
        _ => false,
    }
}

/// Returns the setter for the row in the operation table.
pub(crate) fn setter(batching: &Batching) -> TokenStream {
    let Batching { items_at, maximum, maximum_bytes, id_field } = batching;
    let maximum = maximum.map(|most| quote!(.with_maximum(#most)));
    let bytes = maximum_bytes.map(|most| quote!(.with_maximum_bytes(#most)));
    let id = id_field.as_ref().map(|name| quote!(.with_id_field(#name)));
    quote!(.with_batching(::keyfit::operation::Batching::new(#items_at) #maximum #bytes #id))
}
