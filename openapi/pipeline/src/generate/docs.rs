//! The documentation of methods beyond the generator's: accepted credentials, cost, retries. It also makes sure that rustdoc
//! does not run any text of a document.

use std::collections::HashMap;

use proc_macro2::Span;
use quote::ToTokens as _;
use serde_json::Value;
use syn::visit_mut::VisitMut;
use syn::{AttrStyle, Attribute, Block, Expr, ExprLit, Ident, ImplItem, Item, Lit, LitStr, Meta, MetaNameValue, token};

use super::curl;
use super::errors::ErrorTypes;
use super::kinds::Kinds;
use super::markdown::sanitized;
use crate::operation::Retry;
use crate::repair::{Repair, Repairs};
use crate::{Api, Operation, SecurityRequirement};

/// Completes the documentation of the client's methods. Arguments are documented at their setters.
pub(crate) fn complete(
    api: &Api,
    file: &mut syn::File,
    operations: &[&Operation],
    kinds: &Kinds,
    repairs: &Repairs,
    errors: &ErrorTypes,
) {
    let known: HashMap<&str, &Operation> =
        operations.iter().map(|operation| (operation.function.as_str(), *operation)).collect();
    let mut narrowed: HashMap<&str, Vec<&Repair>> = HashMap::new();
    for repair in repairs.iter().filter(|repair| repair.narrowed) {
        narrowed.entry(call_at(&repair.pointer)).or_default().push(repair);
    }
    for item in &mut file.items {
        let Item::Impl(block) = item else { continue };
        if block.trait_.is_some() || block.self_ty.to_token_stream().to_string() != "Client" {
            continue;
        }
        for item in &mut block.items {
            let ImplItem::Fn(method) = item else { continue };
            if let Some(operation) = known.get(method.sig.ident.to_string().as_str()) {
                without_request(&mut method.attrs);
                let curl = curl::command(api, operation, kinds).map(|line| lines(&format!("`{line}`\n\n")));
                method.attrs.extend(curl.into_iter().flatten());
                let narrowed = narrowed.get(operation.pointer().as_str()).map_or(&[][..], Vec::as_slice);
                let errors = errors.get(&operation.function).map_or(&[][..], Vec::as_slice);
                method.attrs.extend(lines(&call_facts(api, operation, narrowed, errors)));
            }
        }
    }
}

/// Makes all documentation of an item harmless: rustdoc reads its attributes as one text, and runs code blocks and resolves
/// links in it.
pub(crate) fn sanitize(item: &mut Item) {
    Sanitizer.visit_item_mut(item);
}

/// Returns a harmless text as an attribute; empty for an empty text. The [last step](split_lines) gives each line its own
/// attribute, and not earlier: thousands of attributes would take more memory than all other code.
pub(crate) fn lines(text: &str) -> Vec<Attribute> {
    attribute_of(&sanitized(text))
}

fn attribute_of(text: &str) -> Vec<Attribute> {
    let lines: Vec<String> = text.lines().map(|line| format!(" {}", line.trim_end())).collect();
    (!lines.is_empty()).then(|| doc_attribute(AttrStyle::Outer, &lines.join("\n"))).into_iter().collect()
}

fn doc_attribute(style: AttrStyle, text: &str) -> Attribute {
    let value = Expr::Lit(ExprLit { attrs: Vec::new(), lit: Lit::Str(LitStr::new(text, Span::call_site())) });
    let path = Ident::new("doc", Span::call_site()).into();
    let meta = Meta::NameValue(MetaNameValue { path, eq_token: token::Eq::default(), value });
    Attribute { pound_token: token::Pound::default(), style, bracket_token: token::Bracket::default(), meta }
}

/// Removes the generator's text about the request and the arguments after it, which are documented elsewhere.
fn without_request(attributes: &mut Vec<Attribute>) {
    let texts: Vec<String> = attributes.iter().filter_map(doc_text).collect();
    let text = texts.join("\n");
    let said: Vec<&str> = text.lines().collect();
    let Some(sends) = said.iter().rposition(|line| line.trim_start().starts_with("Sends a `")) else { return };
    attributes.retain(|attribute| doc_text(attribute).is_none());
    if sends > 0 {
        attributes.push(doc_attribute(AttrStyle::Outer, &said[..sends].join("\n")));
    }
}

/// Splits the documentation of an item into one attribute for each line. The printer would write a text of several lines as a
/// block comment, from which the compiler removes stars and indentation: the text would change.
pub(crate) fn split_lines(item: &mut Item) {
    LineSplitter.visit_item_mut(item);
}

struct LineSplitter;

impl VisitMut for LineSplitter {
    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        let is_long = |attribute: &Attribute| doc_text(attribute).is_some_and(|text| text.contains('\n'));
        if attributes.iter().any(is_long) {
            let split = std::mem::take(attributes).into_iter().flat_map(|attribute| match doc_text(&attribute) {
                Some(text) => text.split('\n').map(|line| doc_attribute(attribute.style, line)).collect(),
                None => vec![attribute],
            });
            *attributes = split.collect();
        }
    }

    fn visit_block_mut(&mut self, _: &mut Block) {
        // Bodies have no documentation.
    }
}

struct Sanitizer;

impl VisitMut for Sanitizer {
    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        sanitize_attributes(attributes);
    }

    fn visit_block_mut(&mut self, _: &mut Block) {
        // Bodies are the generator's own code.
    }
}

fn sanitize_attributes(attributes: &mut Vec<Attribute>) {
    let Some(first) = attributes.iter().position(|attribute| doc_text(attribute).is_some()) else { return };
    let style = attributes[first].style;
    let texts: Vec<String> = attributes.iter().filter_map(doc_text).collect();
    let text = texts.join("\n");
    let lines = if names_its_method(&text) { attribute_of(&text) } else { lines(&text) };
    attributes.retain(|attribute| doc_text(attribute).is_none());
    attributes.splice(first..first, lines.into_iter().map(|line| Attribute { style, ..line }));
}

/// Returns whether a text is the generator's own sentence about a builder, whose link is valid.
fn names_its_method(text: &str) -> bool {
    let name = text.strip_prefix("Builder for [`").and_then(|rest| rest.split_once('`')).map(|(name, _)| name);
    name.is_some_and(|name| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'))
            && text == format!("Builder for [`{name}`]\n\n[`{name}`]: super::{name}")
    })
}

/// Returns the text of a documentation attribute.
pub(crate) fn doc_text(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn call_facts(api: &Api, operation: &Operation, narrowed: &[&Repair], errors: &[(String, Vec<String>)]) -> String {
    let mut lines = Vec::new();
    if let SecurityRequirement::OneOf { sets, is_optional } = &*operation.security {
        // In the order in which a client chooses among them.
        let mut sets: Vec<&Vec<String>> = sets.iter().collect();
        sets.sort_by_key(|set| std::cmp::Reverse(set.len()));
        let mut alternatives: Vec<String> = sets.iter().map(|set| quoted(set, " with ")).collect();
        match (alternatives.is_empty(), is_optional) {
            (true, _) => alternatives.push("none, and none is sent".to_owned()),
            (false, true) => alternatives.push("none".to_owned()),
            (false, false) => {}
        }
        lines.push(format!("- Token: {}.", alternatives.join(", else ")));
    }
    let scopes = scopes(api, operation);
    if !scopes.is_empty() {
        let doubt = if operation.scopes_unverified.is_some() { " (inferred)" } else { "" };
        lines.push(format!("- Scopes: {}{doubt}.", quoted(&scopes, ", ")));
    }
    let refused = operation.responses.iter().filter(|(status, _)| !status.starts_with(['1', '2', '3']));
    let refused: Vec<String> = refused.map(|(status, answer)| error(status, &answer.description)).collect();
    if !refused.is_empty() {
        lines.push(format!("- Errors: {}.", refused.join(", ")));
    }
    if !errors.is_empty() {
        let each = errors.iter().map(|(kind, statuses)| format!("{} `types::{kind}`", quoted(statuses, ", ")));
        lines.push(format!("- Bodies of errors, for `Error::typed`: {}.", each.collect::<Vec<_>>().join("; ")));
    }
    let under = operation
        .idempotency_key
        .as_ref()
        .map(|header| format!("under its `{header}`, which the client makes once for each call that is given none"));
    let repeat = match operation.retry {
        Retry::Safe => "it changes nothing, so it may be repeated".to_owned(),
        Retry::Idempotent => "sending it twice has the effect of once".to_owned(),
        Retry::Keyed => format!("a repeat is harmless, by `{}`", operation.retry_key.as_deref().unwrap_or_default()),
        Retry::Never => under.unwrap_or_else(|| "never: a second request could have a second effect".to_owned()),
    };
    lines.push(format!("- Repeat: {repeat}."));
    if let Some(server) = &operation.server {
        lines.push(format!("- Server: `{server}`, see `keyfit::Config::server`."));
    }
    if operation.spends {
        lines.push("- It costs money.".to_owned());
    }
    if let Some(reason) = &operation.unverified {
        lines.push(format!("- Not verified: {reason}."));
    }
    for repair in narrowed {
        lines.push(format!("- Narrower than the document: {}.", repair.note));
    }
    let more = api.document.pointer(&operation.pointer()).and_then(|call| call["externalDocs"]["url"].as_str());
    if let Some(url) = more.filter(|url| is_address(url)) {
        lines.push(format!("- See <{url}>."));
    }
    lines.join("\n")
}

/// Returns the pointer of the operation that contains a node, such as `/paths/~1me/get`.
fn call_at(pointer: &str) -> &str {
    let end = pointer.match_indices('/').nth(3).map_or(pointer.len(), |(end, _)| end);
    &pointer[..end]
}

/// Returns the scopes that a call needs: those of the overlay, or else those of the document's security requirements.
fn scopes(api: &Api, operation: &Operation) -> Vec<String> {
    if !operation.scopes.is_empty() {
        return operation.scopes.clone();
    }
    let own = api.document.pointer(&operation.pointer()).and_then(|call| call.get("security"));
    let security = own.or_else(|| api.document.get("security")).and_then(Value::as_array);
    let alternatives = security.into_iter().flatten().filter_map(Value::as_object);
    let named = alternatives.flat_map(|schemes| schemes.values()).filter_map(Value::as_array).flatten();
    let mut scopes: Vec<String> = Vec::new();
    for scope in named.filter_map(Value::as_str) {
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    scopes
}

/// The maximum length of an error's description in a list, in bytes.
const MAX_DESCRIPTION: usize = 60;

/// Returns a status with its description, if that is short.
fn error(status: &str, description: &str) -> String {
    let said = description.trim().trim_end_matches('.');
    let is_short = !said.is_empty() && said.len() <= MAX_DESCRIPTION && !said.contains(['\n', '`', '[', '<', '*', '_']);
    if is_short { format!("`{status}` {said}") } else { format!("`{status}`") }
}

/// Returns whether a text can be a link without changes.
fn is_address(url: &str) -> bool {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    is_web && !url.contains(|letter: char| letter.is_whitespace() || letter.is_control() || "<>`".contains(letter))
}

fn quoted(names: &[String], separator: &str) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_attribute_until_it_is_printed_and_then_one_for_each_line() {
        let text = attribute_of("One.\n\n  Two.  \n");
        let mut item: Item = syn::parse_quote! {
            #(#text)*
            #[derive(Clone)]
            struct Documented;
        };
        let texts = |item: &Item| match item {
            Item::Struct(item) => item.attrs.iter().map(doc_text).collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(texts(&item), [said(" One.\n \n   Two."), None]);
        split_lines(&mut item);
        assert_eq!(texts(&item), [said(" One."), said(" "), said("   Two."), None]);
        assert!(attribute_of("").is_empty());
    }

    #[test]
    fn a_node_stands_in_its_operation() {
        for (pointer, call) in [
            ("/paths/~1me/get/parameters/0", "/paths/~1me/get"),
            ("/paths/~1me/get", "/paths/~1me/get"),
            ("/components/schemas/A", "/components/schemas/A"),
            ("", ""),
        ] {
            assert_eq!(call_at(pointer), call);
        }
    }
}
