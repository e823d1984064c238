//! Changes to the generator's code that no setting of its own offers. Each is small and mechanical:
//!
//! - `send` returns our one response and our one error;
//! - the generator's code builds the request, and our runtime sends it and decodes the answer;
//! - a path follows the base URL of its operation, and has no fragment;
//! - constructors that would bypass credentials and origin checks are closed;
//! - no `api-version` header, no required `extra` members in type builders;
//! - setters take convenient types: see [`setters`].

mod send;
mod types;

use std::collections::HashMap;

use serde_json::Value;
use syn::{
    Expr, GenericArgument, Ident, ImplItem, ImplItemFn, Item, ItemImpl, ItemMod, PathArguments, Type, parse_quote,
};

use self::send::{info, is_stream, wrap_send};
pub(crate) use self::types::adapt_types;
use super::client_document::CallSettings;
use super::paging::{self, AnswerTypes};
use super::{batches, defaults, item_bodies, lists, optional_body, setters};
use crate::media::BodyFormat;
use crate::streams::StreamedResponse;
use crate::{Api, Operation, ParameterLocation, name, walk};

/// The builder of an operation, as generated.
#[derive(Clone)]
pub(crate) struct Call {
    /// The operation's id on the wire.
    pub(crate) id: String,
    /// The method on the client.
    pub(crate) function: Ident,
    /// True if the response is a stream of bytes, which no JSON value can hold.
    pub(crate) streams: bool,
    /// The streamed response of the operation, if there is one.
    pub(crate) streaming: Option<StreamedResponse>,
    /// The setters: name on the wire (`body` for the body), method, and type.
    pub(crate) arguments: Vec<Argument>,
}

/// A setter of a builder.
#[derive(Clone)]
pub(crate) struct Argument {
    pub(crate) name: String,
    pub(crate) setter: Ident,
    pub(crate) kind: Type,
    /// The role of the argument in the request.
    pub(crate) role: Role,
}

/// The role of an argument in the request.
#[derive(Clone)]
pub(crate) enum Role {
    /// A typed value.
    Typed,
    /// A body that the caller serializes.
    Written,
    /// The media type of such a body, with the one that the document names.
    MediaType(String),
}

/// Adapts the file in place and describes the builders for [`dispatch`](super::dispatch).
pub(crate) fn adapt(
    api: &Api,
    file: &mut syn::File,
    operations: &[&Operation],
    settings: &HashMap<String, CallSettings>,
) -> Vec<Call> {
    let known: HashMap<&str, (usize, &Operation)> = operations
        .iter()
        .enumerate()
        .map(|(index, operation)| (operation.function.as_str(), (index, *operation)))
        .collect();
    let mut calls: Vec<(usize, Call)> = Vec::new();
    // The types are needed while the builders change.
    let types = types_of(file).map(std::mem::take).unwrap_or_default();
    let known_types = AnswerTypes::of(&types);
    // The prelude only holds the client, which our facade exports. The client's impls for the generator's own runtime are not
    // needed.
    file.items.retain(|item| match item {
        Item::Mod(module) => module.ident != "prelude",
        Item::Impl(block) => block.trait_.is_none() || !is_named(&block.self_ty, "Client"),
        Item::Const(_) | Item::Use(_) => false,
        _ => true,
    });
    for item in &mut file.items {
        match item {
            Item::Impl(block) if is_named(&block.self_ty, "Client") && block.trait_.is_none() => {
                close_constructors(block);
            }
            Item::Mod(module) if module.ident == "builder" => {
                import(module);
                item_bodies::rewrite(module, |block| {
                    reported_operation(block).and_then(|function| settings.get(&function)?.items).is_some()
                });
                optional_body::rewrite(module, |block| {
                    let settings = reported_operation(block).and_then(|function| settings.get(&function));
                    settings.is_some_and(|known| known.may_lack_body)
                });
                let blocks = module.content.iter_mut().flat_map(|(_, items)| items).filter_map(|item| match item {
                    Item::Impl(block) if block.trait_.is_none() => Some(block),
                    _ => None,
                });
                for block in blocks {
                    let known = reported_operation(block).and_then(|function| known.get(function.as_str()));
                    calls.extend(known.and_then(|(index, operation)| {
                        let call = adapt_builder(api, block, operation, *index, settings, &known_types)?;
                        paging::add(block, operation, *index, &known_types);
                        Some((*index, call))
                    }));
                }
            }
            _ => {}
        }
    }
    if let Some(place) = types_of(file) {
        *place = types;
        adapt_types(place);
    }
    calls.sort_by_key(|(index, _)| *index);
    calls.into_iter().map(|(_, call)| call).collect()
}

/// Returns the items of the types module.
fn types_of(file: &mut syn::File) -> Option<&mut Vec<Item>> {
    file.items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == "types" => module.content.as_mut().map(|(_, items)| items),
        _ => None,
    })
}

/// Adds the imports from our runtime that the builders need.
fn import(module: &mut ItemMod) {
    let Some((_, items)) = &mut module.content else { return };
    items.retain(|item| !matches!(item, Item::Use(_)));
    items.insert(
        0,
        parse_quote! {
            #[allow(unused_imports)]
            use ::keyfit::codegen::{Error, RequestBuilderExt, encode_path};
        },
    );
    items.insert(
        0,
        parse_quote!(
            use super::types;
        ),
    );
}

/// Removes `new`, which builds its own HTTP client, and restricts `new_with_client` to our facade.
fn close_constructors(block: &mut ItemImpl) {
    block.items.retain(|item| !matches!(item, ImplItem::Fn(function) if function.sig.ident == "new"));
    for item in &mut block.items {
        if let ImplItem::Fn(function) = item
            && function.sig.ident == "new_with_client"
        {
            function.vis = parse_quote!(pub(crate));
        }
    }
}

fn adapt_builder(
    api: &Api,
    block: &mut ItemImpl,
    operation: &Operation,
    index: usize,
    settings: &HashMap<String, CallSettings>,
    types: &AnswerTypes<'_>,
) -> Option<Call> {
    let batched = batches::item(block, operation, types);
    let settings = settings.get(&operation.function)?;
    let wires = wire_names(operation, settings);
    let mut arguments = Vec::new();
    let mut send = Vec::new();
    for item in &mut block.items {
        let ImplItem::Fn(function) = item else { continue };
        if function.sig.ident == "send" {
            lists::rewrite(&mut function.block, operation, &settings.aliases);
            send = wrap_send(api, function, index, settings, operation, batched.as_ref())?;
        } else if let Some(kind) = setters::type_of(function) {
            let argument = argument(api, operation, &wires, function, kind);
            let has_items = argument.name == "body" && settings.items.is_some();
            arguments.push(if has_items { item_bodies::argument(argument) } else { argument });
        } else if function.sig.ident == "new" {
            function.vis = parse_quote!(pub(crate));
        }
    }
    // The generator renames a function whose name is not valid in Rust.
    let function = syn::parse_str(&operation.function).ok()?;
    let streams = send.iter().any(|send| is_stream(&send.sig.output));
    block.items.retain(|item| !matches!(item, ImplItem::Fn(function) if function.sig.ident == "send"));
    setters::of_call(block, |setter| described(api, operation, &arguments, setter));
    if let Some(framing) = settings.items {
        item_bodies::setters(block, framing, &arguments);
    }
    block.items.extend(send.into_iter().map(ImplItem::Fn));
    let streaming = operation.streaming.clone();
    Some(Call { id: operation.id.clone(), function, streams, streaming, arguments })
}

/// The documentation of the argument for an idempotency key.
const IDEMPOTENCY_KEY_DOC: &str = "If it is left out, the client makes a key for each call and keeps it for all attempts. An empty text is not a key.";

/// Returns the document's description of an argument.
fn described(api: &Api, operation: &Operation, arguments: &[Argument], setter: &Ident) -> Option<String> {
    let call = api.document.pointer(&operation.pointer())?;
    let argument = arguments.iter().find(|argument| argument.setter == *setter)?;
    let own = |described: &Value| described["description"].as_str().map(str::to_owned);
    match argument.role {
        Role::Typed if argument.name != "body" || operation.body.is_none() => {
            let parameters = call["parameters"].as_array()?;
            let parameter = parameters.iter().find(|parameter| parameter["name"] == argument.name.as_str())?;
            let default =
                walk::resolve(&api.document, &parameter["schema"]).as_object().and_then(defaults::doc_of_default);
            let is_made =
                parameter["in"] == "header" && operation.is_generated_key(&argument.name, ParameterLocation::Header);
            let made = is_made.then(|| IDEMPOTENCY_KEY_DOC.to_owned());
            let said: Vec<String> = own(parameter).into_iter().chain(default).chain(made).collect();
            (!said.is_empty()).then(|| said.join("\n\n"))
        }
        Role::Typed | Role::Written => own(call.get("requestBody")?),
        Role::MediaType(_) => Some("The media type of the body.".to_owned()),
    }
}

/// Returns the operation id that this block's `send` reports to the hooks.
fn reported_operation(block: &ItemImpl) -> Option<String> {
    let send = block.items.iter().find_map(|item| match item {
        ImplItem::Fn(function) if function.sig.ident == "send" => Some(function),
        _ => None,
    })?;
    let info = send.block.stmts.iter().find_map(info)?;
    info.fields.iter().find_map(|field| match (&field.member, &field.expr) {
        (syn::Member::Named(name), Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }))
            if name == "operation_id" =>
        {
            Some(text.value())
        }
        _ => None,
    })
}

/// Returns the first type argument of a generic type.
pub(super) fn type_argument(kind: &Type) -> Option<Type> {
    let Type::Path(path) = kind else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(kind) => Some(kind.clone()),
        _ => None,
    })
}

/// The name of a parameter on the wire, and true if it cannot be derived from the name of its argument.
type WireName<'a> = (&'a str, bool);

/// Returns the parameters of an operation by the names of their setters.
fn wire_names<'a>(operation: &'a Operation, settings: &'a CallSettings) -> HashMap<String, WireName<'a>> {
    let aliases = settings.aliases.iter().map(|known| (name::of_argument(&known.alias), (&*known.wire, true)));
    let parameters = operation.parameters.iter().map(|known| (name::of_argument(&known.name), (&*known.name, false)));
    let mut wires = HashMap::new();
    for (setter, wire) in aliases.chain(parameters) {
        wires.entry(setter).or_insert(wire);
    }
    wires
}

fn argument(
    api: &Api,
    operation: &Operation,
    wires: &HashMap<String, WireName<'_>>,
    function: &ImplItemFn,
    kind: Type,
) -> Argument {
    let setter = function.sig.ident.clone();
    let (name, role) = match (wires.get(&setter.to_string()), &operation.body) {
        (Some((wire, true)), _) => ((*wire).to_owned(), Role::Typed),
        (_, Some(body)) if setter == "body" => {
            let is_written = matches!(body.format(api), BodyFormat::Text | BodyFormat::Bytes);
            ("body".to_owned(), if is_written { Role::Written } else { Role::Typed })
        }
        (Some((wire, false)), _) => ((*wire).to_owned(), Role::Typed),
        // The remaining argument is the media type of an open body.
        (None, body) => {
            let documented = body.as_ref().map_or("", |body| body.default_media_type()).to_owned();
            ("Content-Type".to_owned(), Role::MediaType(documented))
        }
    };
    Argument { name, setter, kind, role }
}

fn is_named(kind: &Type, name: &str) -> bool {
    matches!(kind, Type::Path(path) if path.path.segments.last().is_some_and(|segment| segment.ident == name))
}
