//! Lists as parameters, serialized by their styles. The generator repeats a list in a query, and uses `Display` for values in
//! a path or a header, which lists do not implement.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprMethodCall, Local, Macro, Token, parse_quote};

use crate::{ListStyle, Operation, ParameterLocation, name};

/// Rewrites the `send` of an operation. `renamed` has the names that the generator was given in place of those on the wire.
pub(crate) fn rewrite(send: &mut Block, operation: &Operation, renamed: &[super::names::Alias]) {
    let styled = operation.parameters.iter().filter_map(|parameter| {
        let known = renamed.iter().find(|known| known.wire == parameter.name);
        let given = known.map_or(&parameter.name, |known| &known.alias);
        Some((
            given.clone(),
            StyledParameter { wire: parameter.name.clone(), place: parameter.location, style: parameter.style? },
        ))
    });
    let styled: HashMap<String, StyledParameter> = styled.collect();
    if !styled.is_empty() {
        ListRewriter { styled }.visit_block_mut(send);
    }
}

/// A parameter with a style.
struct StyledParameter {
    wire: String,
    place: ParameterLocation,
    style: ListStyle,
}

/// The parameters by the names that the generator was given.
struct ListRewriter {
    styled: HashMap<String, StyledParameter>,
}

impl ListRewriter {
    fn of_variable(&self, variable: &str) -> Option<&StyledParameter> {
        let is_called = |given: &str| name::of_argument(given) == variable;
        self.styled.iter().find(|(given, _)| is_called(given)).map(|(_, styled)| styled)
    }

    /// Removes the lists from the call chain that builds the request.
    fn take_lists(&self, expr: &mut Expr, found: &mut Vec<TokenStream>) {
        let Expr::MethodCall(call) = expr else { return };
        self.take_lists(&mut call.receiver, found);
        let Some((given, value)) = query_param(call) else { return };
        let Some(StyledParameter { wire, style, .. }) =
            self.styled.get(&given).filter(|known| known.place == ParameterLocation::Query)
        else {
            return;
        };
        let style = path(*style);
        found.push(quote!(::keyfit::codegen::query_list(#wire, #value, #style)?));
        *expr = (*call.receiver).clone();
    }
}

impl VisitMut for ListRewriter {
    /// Moves the lists out of `let request = client.client.get(url) .. .build()?;`.
    fn visit_local_mut(&mut self, local: &mut Local) {
        visit_mut::visit_local_mut(self, local);
        let Some(init) = &mut local.init else { return };
        let Expr::Try(built) = &mut *init.expr else { return };
        let Expr::MethodCall(last) = &mut *built.expr else { return };
        if last.method != "build" {
            return;
        }
        let mut found = Vec::new();
        self.take_lists(&mut last.receiver, &mut found);
        if !found.is_empty() {
            let built = &init.expr;
            init.expr = parse_quote!(::keyfit::codegen::with_lists(#built, [#(#found),*]));
        }
    }

    /// Rewrites `format!("{}/parcels/{}", client.baseurl, encode_path(&ids.to_string()))`, whose arguments are tokens.
    fn visit_macro_mut(&mut self, called: &mut Macro) {
        if !called.path.is_ident("format") {
            return;
        }
        let Ok(mut arguments) = called.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) else { return };
        arguments.iter_mut().for_each(|argument| self.visit_expr_mut(argument));
        called.tokens = arguments.into_token_stream();
    }

    /// Rewrites `encode_path(&ids.to_string())`.
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        let Expr::Call(call) = &*expr else { return };
        let Some(argument) = call.args.first().filter(|_| is_named(&call.func, "encode_path")) else { return };
        let Expr::Reference(text) = argument else { return };
        let Expr::MethodCall(text) = &*text.expr else { return };
        let value = &text.receiver;
        let variable = value.to_token_stream().to_string();
        if let Some(StyledParameter { wire, style, .. }) =
            self.of_variable(&variable).filter(|known| known.place == ParameterLocation::Path)
        {
            let style = path(*style);
            *expr = parse_quote!(::keyfit::codegen::path_list(#wire, &#value, #style)?);
        }
    }

    /// Rewrites `header_map.append("X-Ids", value.to_string().try_into()?)`.
    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        visit_mut::visit_expr_method_call_mut(self, call);
        let Some(given) = call.args.first().filter(|_| call.method == "append").and_then(text) else { return };
        let Some(StyledParameter { wire, style, .. }) =
            self.styled.get(&given).filter(|known| known.place == ParameterLocation::Header)
        else {
            return;
        };
        let style = path(*style);
        if let Some(Expr::Try(converted)) = call.args.last_mut()
            && let Expr::MethodCall(converted) = &mut *converted.expr
            && let Expr::MethodCall(written) = &*converted.receiver
        {
            let value = &written.receiver;
            converted.receiver = parse_quote!(::keyfit::codegen::header_list(#wire, &#value, #style)?);
        }
    }
}

/// Returns name and value of `.query(&QueryParam::new("ids", &ids))`.
fn query_param(call: &ExprMethodCall) -> Option<(String, Expr)> {
    let Expr::Reference(reference) = call.args.first().filter(|_| call.method == "query")? else { return None };
    let Expr::Call(new) = &*reference.expr else { return None };
    if !matches!(&*new.func, Expr::Path(path) if path.path.segments.iter().any(|segment| segment.ident == "QueryParam"))
    {
        return None;
    }
    let given = text(new.args.first()?)?;
    Some((given, new.args.get(1)?.clone()))
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

fn is_named(expr: &Expr, name: &str) -> bool {
    matches!(expr, Expr::Path(path) if path.path.segments.last().is_some_and(|segment| segment.ident == name))
}

fn path(style: ListStyle) -> TokenStream {
    let variant = format_ident!("{style:?}");
    quote!(::keyfit::codegen::ListStyle::#variant)
}
