//! Bodies that are sequences of items. The generator gets one item as the body; here its builder takes many, and serializes
//! them as they are sent.

use quote::{ToTokens as _, format_ident, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Ident, ImplItem, ImplItemFn, Item, ItemImpl, ItemMod, Stmt, parse_quote};

use super::adapt::{Argument, type_argument};
use super::optional_body::InitialBodyRewriter;
use crate::media_type::Framing;

/// The field, the setter and the variable of a body.
const BODY: &str = "body";

/// The name of the setter for many items.
const ITEMS: &str = "body_items";

/// Rewrites fields and requests of the builders for which `has_items` returns true.
pub(crate) fn rewrite(builders: &mut ItemMod, has_items: impl Fn(&ItemImpl) -> bool) {
    let Some((_, items)) = &mut builders.content else { return };
    let mut found: Vec<String> = Vec::new();
    for item in items.iter_mut() {
        if let Item::Impl(block) = item
            && block.trait_.is_none()
            && has_items(block)
        {
            block.items.iter_mut().for_each(method);
            found.push(
                block.self_ty.to_token_stream().to_string().split('<').next().unwrap_or_default().trim().to_owned(),
            );
        }
    }
    for item in items {
        if let Item::Struct(builder) = item
            && found.iter().any(|name| builder.ident == name.as_str())
        {
            let bodies =
                builder.fields.iter_mut().filter(|field| field.ident.as_ref().is_some_and(|name| name == BODY));
            bodies.for_each(|field| field.ty = parse_quote!(Result<::keyfit::Upload, String>));
            // A body that is sent once cannot be cloned.
            builder.attrs.retain(|attribute| !attribute.path().is_ident("derive"));
            builder.attrs.push(parse_quote!(#[derive(Debug)]));
        }
    }
}

fn method(item: &mut ImplItem) {
    let ImplItem::Fn(function) = item else { return };
    match function.sig.ident.to_string().as_str() {
        "new" => {
            let none = parse_quote!(Err("body_items was not called".to_string()));
            InitialBodyRewriter(none).visit_block_mut(&mut function.block);
        }
        "send" => SendRewriter.visit_block_mut(&mut function.block),
        _ => {}
    }
}

/// A visitor that replaces the code that makes a body from its builder, and the code that writes it as JSON.
struct SendRewriter;

impl VisitMut for SendRewriter {
    fn visit_stmt_mut(&mut self, statement: &mut Stmt) {
        if let Stmt::Local(local) = statement
            && matches!(&local.pat, syn::Pat::Ident(name) if name.ident == BODY)
            && let Some(init) = &mut local.init
        {
            init.expr = parse_quote!(body.map_err(Error::InvalidRequest)?);
            return;
        }
        visit_mut::visit_stmt_mut(self, statement);
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut syn::ExprMethodCall) {
        visit_mut::visit_expr_method_call_mut(self, call);
        if call.method == "json" && call.args.to_token_stream().to_string().trim_start_matches("& ") == BODY {
            call.method = format_ident!("body");
            call.args = std::iter::once::<Expr>(parse_quote!(body)).collect();
        }
    }
}

/// Returns the argument for many items.
pub(crate) fn argument(argument: Argument) -> Argument {
    let kind = &argument.kind;
    let kind = parse_quote!(::std::vec::Vec<#kind>);
    Argument { setter: Ident::new(ITEMS, argument.setter.span()), kind, ..argument }
}

/// Replaces the setter for one item by the setters for many.
pub(crate) fn setters(block: &mut ItemImpl, framing: Framing, arguments: &[Argument]) {
    let body = arguments.iter().find(|argument| argument.setter == ITEMS);
    let Some(kind) = body.and_then(|body| type_argument(&body.kind)) else { return };
    let framing = match framing {
        Framing::Sequence => quote!(::keyfit::codegen::Framing::Sequence),
        Framing::Events | Framing::Lines => quote!(::keyfit::codegen::Framing::Lines),
    };
    let items: ImplItemFn = parse_quote! {
        /// Sets the items of the body, each made when it is sent. The request is sent once.
        pub fn body_items<I>(mut self, items: I) -> Self
        where
            I: ::std::iter::IntoIterator<Item = #kind>,
            I::IntoIter: Send + 'static,
        {
            self.body = Ok(::keyfit::Upload::json_items(#framing, items));
            self
        }
    };
    let stream: ImplItemFn = parse_quote! {
        /// Sets the items of the body from a stream, each sent when it comes. The request is sent once.
        pub fn body_stream<S>(mut self, items: S) -> Self
        where
            S: ::keyfit::codegen::Stream<Item = #kind> + Send + 'static,
        {
            self.body = Ok(::keyfit::Upload::json_stream(#framing, items));
            self
        }
    };
    let of_one = |item: &ImplItem| match item {
        ImplItem::Fn(function) => ["body", "body_map", "maybe_body"].iter().any(|name| function.sig.ident == name),
        _ => false,
    };
    let at = block.items.iter().position(of_one).unwrap_or(block.items.len());
    block.items.retain(|item| !of_one(item));
    let mut rest = block.items.split_off(at.min(block.items.len()));
    block.items.extend([items, stream].map(ImplItem::Fn));
    block.items.append(&mut rest);
}
