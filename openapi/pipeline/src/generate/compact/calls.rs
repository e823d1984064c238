//! The builders of calls: their members in the form of the runtime's macro, and the code that builds the request without
//! redundant parts.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Block, Expr, ExprMethodCall, Ident, ImplItem, ImplItemFn, Item, ItemImpl, ItemStruct, Local, Pat, Path,
    Stmt, Token, Type, parse_quote,
};

use super::{builders, own_type, text};

/// Shortens the calls of a module.
pub(super) fn shorten_all(items: &mut [Item]) {
    for item in items.iter_mut() {
        if let Item::Use(imported) = item
            && text(&imported.tree) == "super::types"
        {
            *imported = parse_quote!(
                use super::{API, types};
            );
        } else if let Item::Use(imported) = item
            && text(&imported.tree).ends_with("encode_path}")
        {
            *imported = parse_quote!(
                use ::keyfit::codegen::{Error, PathSegment, RequestBuilderExt, encode_path};
            );
        }
    }
    let mut structs: HashMap<String, usize> = HashMap::new();
    for at in 0..items.len() {
        match &mut items[at] {
            Item::Struct(item) => drop(structs.insert(item.ident.to_string(), at)),
            Item::Impl(block) => {
                shorten(block);
                let name = name_of(block);
                let Some(index) = name.and_then(|name| structs.get(&name).copied()) else { continue };
                let (before, rest) = items.split_at_mut(at);
                let (Item::Struct(item), Item::Impl(block)) = (&before[index], &mut rest[0]) else { continue };
                if let Some(short) = to_macro(item, block) {
                    items[index] = short;
                }
            }
            _ => {}
        }
    }
}

/// Returns the name of `impl<'a> Name<'a>`.
fn name_of(block: &ItemImpl) -> Option<String> {
    let Type::Path(path) = &*block.self_ty else { return own_type(block) };
    block.trait_.is_none().then(|| path.path.segments.last().map(|segment| segment.ident.to_string())).flatten()
}

/// Returns the builder in the form of the macro; the block keeps the code that the macro does not generate.
fn to_macro(item: &ItemStruct, block: &mut ItemImpl) -> Option<Item> {
    let fields = builders::fields(item)?;
    let mut functions = builders::functions(&block.items)?;
    let new = functions.iter().position(|function| function.sig.ident == "new")?;
    let new = functions.remove(new);
    let initial = builders::values(&[ImplItem::Fn(new)])?;
    let docs: HashMap<String, Vec<Attribute>> =
        functions.iter().map(|function| (function.sig.ident.to_string(), function.attrs.clone())).collect();
    let mut members = Vec::new();
    for (field, kind) in &fields {
        let docs = docs.get(&field.to_string()).into_iter().flatten();
        let initial = initial.get(&field.to_string())?;
        let member = body_member(field, kind, initial, &mut functions)
            .or_else(|| builders::macro_member(field, kind, initial, &mut functions))?;
        members.push(quote!(#(#docs)* #member));
    }
    block.items = functions.into_iter().map(ImplItem::Fn).collect();
    let (name, docs) = (&item.ident, doc_line(&item.attrs));
    Some(parse_quote!(::keyfit::codegen::call! { #(#docs)* #name { #(#members,)* } }))
}

/// Returns the documentation of a builder, in one line.
fn doc_line(attributes: &[Attribute]) -> Vec<Attribute> {
    let docs = || attributes.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let written = docs().next().map(|first| first.meta.require_name_value().map(|pair| text(&pair.value)));
    let method = written.and_then(Result::ok).and_then(|said| {
        let method = said.trim_matches('"').trim().strip_prefix("Builderfor[`Client::")?.strip_suffix("`]")?.to_owned();
        Some(format!(" Builder for [`Client::{method}`](super::Client::{method})."))
    });
    method.map_or_else(|| docs().cloned().collect(), |said| vec![parse_quote!(#[doc = #said])])
}

/// Returns a body that is made by its builder, in the form of the macro.
fn body_member(field: &Ident, kind: &Type, initial: &Expr, functions: &mut Vec<ImplItemFn>) -> Option<TokenStream> {
    let written = text(kind);
    let name = written.strip_prefix("types::builder::")?;
    if text(initial) != "Ok(::std::default::Default::default())" {
        return None;
    }
    let own = format_ident!("{name}");
    let map = format_ident!("{field}_map");
    let (setter, mapper) = (
        functions.iter().position(|function| function.sig.ident == *field)?,
        functions.iter().position(|function| function.sig.ident == map)?,
    );
    let label = field.to_string();
    let wanted: Block = parse_quote!({
        self.#field = ::keyfit::codegen::accept::<types::#own>(#label, value).map(From::from);
        self
    });
    let changed: Block = parse_quote!({
        self.#field = self.#field.map(f);
        self
    });
    if text(&functions[setter].block) != text(&wanted) || text(&functions[mapper].block) != text(&changed) {
        return None;
    }
    functions.retain(|function| function.sig.ident != *field && function.sig.ident != map);
    Some(quote!(built #field #map: types::#own))
}

/// Shortens the code that builds and sends the request.
fn shorten(block: &mut ItemImpl) {
    for item in &mut block.items {
        if let ImplItem::Fn(function) = item {
            SendShortener.visit_block_mut(&mut function.block);
            if function.sig.ident == "send" {
                shorten_send_docs(&mut function.attrs);
            }
        }
    }
}

/// Shortens the documentation of `send` to one line.
fn shorten_send_docs(attributes: &mut Vec<Attribute>) {
    let first = attributes.iter().find_map(|attribute| match &attribute.meta.require_name_value().ok()?.value {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    });
    if let Some(sends) = first.filter(|said| said.starts_with(" Sends a `")) {
        let said = format!("{sends}. An error says that it was not sent, or not answered by a success.");
        attributes.retain(|attribute| !attribute.path().is_ident("doc"));
        attributes.push(parse_quote!(#[doc = #said]));
    }
}

struct SendShortener;

impl VisitMut for SendShortener {
    fn visit_block_mut(&mut self, block: &mut Block) {
        visit_mut::visit_block_mut(self, block);
        // A map of headers without headers.
        let is_map = |statement: &Stmt| matches!(statement, Stmt::Local(local) if text(&local.pat) == "mutheader_map");
        if let Some(at) = block.stmts.iter().position(is_map) {
            let rest: Vec<String> = block.stmts[at + 1..].iter().map(text).collect();
            let uses: usize = rest.iter().map(|statement| statement.matches("header_map").count()).sum();
            if uses == 1 && rest.iter().any(|statement| statement.contains(".headers(header_map)")) {
                block.stmts.remove(at);
                block.stmts.iter_mut().for_each(|statement| HeaderMapRemover.visit_stmt_mut(statement));
            }
        }
        inline_fields(block);
        // Simplifies `let answer = ..; answer.decode()`.
        if let [.., Stmt::Local(local), Stmt::Expr(last, None)] = block.stmts.as_slice()
            && text(&local.pat) == "answer"
            && text(last) == "answer.decode()"
            && let Some(init) = &local.init
        {
            let value = &init.expr;
            let whole: Expr = parse_quote!(#value.decode());
            block.stmts.truncate(block.stmts.len() - 2);
            block.stmts.push(Stmt::Expr(whole, None));
        }
        // Simplifies `let mut request = ..build()?; Ok(request)`.
        if let [.., Stmt::Local(local), Stmt::Expr(last, None)] = block.stmts.as_slice()
            && let Pat::Ident(request) = &local.pat
            && text(last) == format!("Ok({})", request.ident)
            && let Some(init) = &local.init
        {
            let value = &init.expr;
            let whole: Expr = parse_quote!(Ok(#value));
            block.stmts.truncate(block.stmts.len() - 2);
            block.stmts.push(Stmt::Expr(whole, None));
        }
    }

    fn visit_local_mut(&mut self, local: &mut Local) {
        visit_mut::visit_local_mut(self, local);
        local.attrs.retain(|attribute| text(attribute) != "#[allow(unused_mut)]");
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        if let Some(short) = checked_value(expr).or_else(|| fixed_header(expr)) {
            *expr = short;
        }
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        visit_mut::visit_expr_method_call_mut(self, call);
        let mut arguments = call.args.iter();
        let (Some(name), Some(value), None) = (arguments.next(), arguments.next(), arguments.next()) else { return };
        let (is_accept, is_type) =
            (text(name).ends_with("header::ACCEPT"), text(name).ends_with("header::CONTENT_TYPE"));
        if !is_accept && !is_type {
            return;
        }
        if call.method == "header"
            && is_accept
            && let Some(value) = static_text(value)
        {
            call.method = format_ident!("accept");
            call.args = parse_quote!(#value);
        }
    }

    /// Rewrites `format!("{}/parcels/{}", client.baseurl, encode_path(&id.to_string()),)`.
    fn visit_macro_mut(&mut self, called: &mut syn::Macro) {
        let parsed = called.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
        let Some(mut arguments) = parsed.ok().filter(|_| called.path.is_ident("format")) else { return };
        for argument in &mut arguments {
            let written = text(argument);
            let value = written.strip_prefix("encode_path(&").and_then(|rest| rest.strip_suffix(".to_string())"));
            if let Some(value) = value.and_then(|value| syn::parse_str::<Ident>(value).ok()) {
                *argument = parse_quote!(#value.segment());
            }
        }
        arguments.pop_punct();
        called.tokens = arguments.into_token_stream();
    }

    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let mut segments = path.segments.iter().map(|segment| &segment.ident);
        if path.segments.len() == 2 && segments.all(|segment| segment == "super" || segment == "API") {
            *path = parse_quote!(API);
        }
    }

    fn visit_expr_index_mut(&mut self, index: &mut syn::ExprIndex) {
        visit_mut::visit_expr_index_mut(self, index);
        if let Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(number), .. }) = &mut *index.index {
            *number = syn::LitInt::new(number.base10_digits(), number.span());
        }
    }
}

/// Rewrites `header_map.append(CONTENT_TYPE, HeaderValue::from_static(".."))`.
fn fixed_header(expr: &Expr) -> Option<Expr> {
    let Expr::MethodCall(call) = expr else { return None };
    if call.method != "append" || text(&call.receiver) != "header_map" {
        return None;
    }
    let (name, value) = (text(call.args.first()?), static_text(call.args.get(1)?)?);
    let name = match name.rsplit("::").next()? {
        "ACCEPT" => "accept",
        "CONTENT_TYPE" => "content-type",
        _ => return None,
    };
    Some(parse_quote!(::keyfit::codegen::set(&mut header_map, #name, #value)))
}

/// Inlines the fields into their checks: `let Self { client, id } = self; let id = id?;`.
fn inline_fields(block: &mut Block) {
    let Some(Stmt::Local(Local { pat: Pat::Struct(names), init: Some(init), .. })) = block.stmts.first() else {
        return;
    };
    if text(&names.path) != "Self" || text(&init.expr) != "self" || names.rest.is_some() {
        return;
    }
    let mut open: Vec<String> = names.fields.iter().map(|field| field.member.to_token_stream().to_string()).collect();
    let mut rest = block.stmts[1..].to_vec();
    for statement in &mut rest {
        if let Stmt::Local(Local { pat: Pat::Ident(name), init: Some(init), .. }) = statement
            && let Some(at) = open.iter().position(|known| name.ident == known)
            && let Some(field) = field_of(&mut init.expr, &name.ident)
        {
            let ident = &name.ident;
            *field = parse_quote!(self.#ident);
            open.remove(at);
        }
    }
    if open == ["client"] {
        block.stmts = rest;
    }
}

/// Returns the name in `name?`, or in `built::<T>(name)?`.
fn field_of<'a>(expr: &'a mut Expr, name: &Ident) -> Option<&'a mut Expr> {
    let Expr::Try(tried) = expr else { return None };
    let is_name = |expr: &Expr| matches!(expr, Expr::Path(path) if path.path.is_ident(name));
    if is_name(&tried.expr) {
        return Some(&mut tried.expr);
    }
    let Expr::Call(call) = &mut *tried.expr else { return None };
    let is_built = text(&call.func).starts_with("::keyfit::codegen::built::<");
    call.args.first_mut().filter(|field| is_built && is_name(field))
}

/// Returns the text of `HeaderValue::from_static("..")`.
fn static_text(value: &Expr) -> Option<&Expr> {
    let Expr::Call(call) = value else { return None };
    text(&call.func).ends_with("HeaderValue::from_static").then(|| call.args.first()).flatten()
}

/// Returns a checked argument or body, `value.map_err(Error::InvalidRequest)?`, without the conversion that `?` does by
/// itself.
fn checked_value(expr: &Expr) -> Option<Expr> {
    let Expr::Try(tried) = expr else { return None };
    let Expr::MethodCall(call) = &*tried.expr else { return None };
    if call.method != "map_err" || text(&call.args) != "Error::InvalidRequest" {
        return None;
    }
    let receiver = &*call.receiver;
    if let Expr::MethodCall(made) = receiver
        && made.method == "and_then"
        && let Some(kind) = text(&made.args).strip_prefix("|v|").and_then(built_type)
    {
        let (value, kind): (_, Type) = (&made.receiver, syn::parse_str(&kind).ok()?);
        return Some(parse_quote!(::keyfit::codegen::built::<#kind>(#value)?));
    }
    Some(parse_quote!(#receiver?))
}

/// Returns the type of `{types::Parcel::try_from(v).map_err(|e|e.to_string())}`.
fn built_type(body: &str) -> Option<String> {
    let body = body.trim_start_matches('{').trim_end_matches('}');
    Some(body.strip_suffix("::try_from(v).map_err(|e|e.to_string())")?.to_owned())
}

/// A visitor that removes `.headers(header_map)`.
struct HeaderMapRemover;

impl VisitMut for HeaderMapRemover {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        if let Expr::MethodCall(call) = expr
            && call.method == "headers"
            && text(&call.args) == "header_map"
        {
            *expr = (*call.receiver).clone();
        }
    }
}
