//! Optional bodies. The generator requires the body of every call that has one; here its builder holds an `Option`, and
//! `None` sends no body.

use quote::ToTokens as _;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprMethodCall, Ident, ImplItem, Item, ItemImpl, ItemMod, Stmt, parse_quote};

/// The field, the setter and the variable of a body.
const BODY: &str = "body";

/// Rewrites the builders for which `may_lack_body` returns true.
pub(crate) fn rewrite(builders: &mut ItemMod, may_lack_body: impl Fn(&ItemImpl) -> bool) {
    let Some((_, items)) = &mut builders.content else { return };
    let mut found: Vec<Ident> = Vec::new();
    for item in items.iter_mut() {
        if let Item::Impl(block) = item
            && block.trait_.is_none()
            && may_lack_body(block)
        {
            rewrite_methods(block);
            found.extend(name_of(block));
        }
    }
    for item in items {
        if let Item::Struct(builder) = item
            && found.contains(&builder.ident)
        {
            for field in builder.fields.iter_mut().filter(|field| field.ident.as_ref().is_some_and(|name| name == BODY))
            {
                if let Some(kind) = super::adapt::type_argument(&field.ty) {
                    field.ty = parse_quote!(Result<::std::option::Option<#kind>, String>);
                }
            }
        }
    }
}

fn name_of(block: &ItemImpl) -> Option<Ident> {
    match &*block.self_ty {
        syn::Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.clone()),
        _ => None,
    }
}

fn rewrite_methods(block: &mut ItemImpl) {
    for item in &mut block.items {
        let ImplItem::Fn(function) = item else { continue };
        match function.sig.ident.to_string().as_str() {
            "new" => InitialBodyRewriter(parse_quote!(Ok(None))).visit_block_mut(&mut function.block),
            BODY => SetterRewriter.visit_block_mut(&mut function.block),
            "body_map" => {
                function.block = parse_quote!({
                    self.body = self.body.map(|body| Some(f(body.unwrap_or_default())));
                    self
                });
            }
            "send" => SendRewriter.visit_block_mut(&mut function.block),
            _ => {}
        }
    }
}

/// A visitor that replaces the initial body of a builder.
pub(super) struct InitialBodyRewriter(pub(super) Expr);

impl VisitMut for InitialBodyRewriter {
    fn visit_field_value_mut(&mut self, field: &mut syn::FieldValue) {
        if matches!(&field.member, syn::Member::Named(name) if name == BODY) {
            field.expr = self.0.clone();
        }
    }
}

/// A visitor that rewrites `value.try_into().map_err(..)` in the setter.
struct SetterRewriter;

impl VisitMut for SetterRewriter {
    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        if call.method == "map_err" {
            let value = &call.receiver;
            call.receiver = parse_quote!(#value.map(Some));
        } else {
            visit_mut::visit_expr_method_call_mut(self, call);
        }
    }
}

/// A visitor that rewrites the code that makes a body from its builder, and the code that writes it.
struct SendRewriter;

impl VisitMut for SendRewriter {
    fn visit_stmt_mut(&mut self, statement: &mut Stmt) {
        if let Stmt::Local(local) = statement
            && matches!(&local.pat, syn::Pat::Ident(name) if name.ident == BODY)
            && let Some(init) = &mut local.init
        {
            return BuilderCallRewriter.visit_expr_mut(&mut init.expr);
        }
        visit_mut::visit_stmt_mut(self, statement);
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match write_calls(expr) {
            Some(written) => *expr = written,
            None => visit_mut::visit_expr_mut(self, expr),
        }
    }
}

/// A visitor that rewrites `.and_then(|v| ..)` of the body's builder.
struct BuilderCallRewriter;

impl VisitMut for BuilderCallRewriter {
    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        if call.method == "and_then" {
            let make = &call.args;
            call.args = parse_quote!(|body| body.map(#make).transpose());
        }
        visit_mut::visit_expr_method_call_mut(self, call);
    }
}

/// Returns the calls that write a body, for the case that there is one. A form writes nothing for an absent value.
fn write_calls(expr: &Expr) -> Option<Expr> {
    let call = method_call(expr, "json").or_else(|| method_call(expr, BODY))?;
    if call.args.first()?.to_token_stream().to_string().trim_start_matches("& ") != BODY {
        return None;
    }
    let before = &call.receiver;
    if call.method == "json" {
        return Some(parse_quote!(#before.with_body(body, |request, body| request.json(&body))));
    }
    // The header for its media type precedes it.
    let header = method_call(before, "header")?;
    let (before, media_type) = (&header.receiver, &header.args);
    Some(parse_quote!(#before.with_body(body, |request, body| request.header(#media_type).body(body))))
}

fn method_call<'a>(expr: &'a Expr, name: &str) -> Option<&'a ExprMethodCall> {
    match expr {
        Expr::MethodCall(call) if call.method == name => Some(call),
        _ => None,
    }
}
