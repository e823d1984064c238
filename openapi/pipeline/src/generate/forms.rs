//! Form bodies: files have a type of keyfit, and members are serialized as the document states.

use std::collections::{BTreeMap, HashMap, HashSet};

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::{Map, Value, json};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr};

use super::client_document::CallSettings;
use super::sharing;
use crate::form::{self, FileKind, FormMember};
use crate::repair::Repairs;
use crate::{name, pointer, walk};

/// The format of a file in a form.
pub(crate) const FILE_FORMAT: &str = "form-file";

/// The media type under which the generator gets every form.
pub(crate) const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// The serialization of a form.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    /// The media type of a multipart form.
    pub(crate) multipart: Option<String>,
    /// The members with another serialization than the default.
    pub(crate) members: Vec<FormMember>,
}

/// Gives the files in multipart forms a type of their own. `calls` are the settings of calls, by the names of their functions.
pub(crate) fn mark_files(document: &mut Value, calls: &HashMap<String, CallSettings>, repairs: &mut Repairs) {
    let is_multipart =
        |function: &str| calls.get(function).and_then(|call| call.form.as_ref()?.multipart.as_ref()).is_some();
    let mut forms =
        FileMarker { taken: sharing::type_names(document), made: BTreeMap::new(), added: Map::new(), document };
    let mut bodies = Vec::new();
    for (at, call) in walk::operations(forms.document) {
        let place = pointer::join(&format!("{at}/requestBody/content"), MEDIA_TYPE) + "/schema";
        let is_in_parts = call["operationId"].as_str().is_some_and(is_multipart);
        if let Some(schema) = forms.document.pointer(&place).filter(|_| is_in_parts) {
            bodies.push((place, schema.clone()));
        }
    }
    let bodies: Vec<(String, Value)> =
        bodies.into_iter().filter_map(|(at, schema)| Some((at, forms.with_files(&schema, 0)?))).collect();
    let FileMarker { made, added, document, .. } = forms;
    for (at, schema) in bodies {
        if let Some(place) = document.pointer_mut(&at) {
            *place = schema;
        }
    }
    let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else { return };
    schemas.extend(added);
    // A component that only forms use keeps its name.
    let used = sharing::reachable(document, &[&document["paths"]]);
    let mut renamed: HashMap<&str, String> = HashMap::new();
    for (name, copy) in &made {
        if used.contains(name) {
            let note = format!("a form with files needs a type of its own: `{copy}`");
            repairs.note("form-schema", &pointer::join("/components/schemas", name), note);
        } else if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
            let schema = schemas.shift_remove(copy).unwrap_or_default();
            schemas.insert(name.clone(), schema);
            renamed.insert(copy, name.clone());
        }
    }
    sharing::rename(document, &renamed);
}

struct FileMarker<'a> {
    document: &'a mut Value,
    taken: HashSet<String>,
    /// The components with a copy for files.
    made: BTreeMap<String, String>,
    added: Map<String, Value>,
}

/// The maximum depth of a composition; ends one that is a part of itself.
const MAX_DEPTH: usize = 8;

impl FileMarker<'_> {
    /// Returns a copy of a form's schema with the type of files; `None` if it has no files.
    fn with_files(&mut self, schema: &Value, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        if let Some(component) = walk::schema_name(schema).map(pointer::name) {
            if !self.made.contains_key(&component) {
                let whole = walk::resolve(self.document, schema).clone();
                let whole = self.with_files(&whole, depth + 1)?;
                let copy = name::unique(&format!("{component}Form"), &mut self.taken);
                self.added.insert(copy.clone(), whole);
                self.made.insert(component.clone(), copy);
            }
            return Some(json!({ "$ref": pointer::join("#/components/schemas", &self.made[&component]) }));
        }
        let mut copy = schema.clone();
        let mut is_changed = false;
        for member in
            copy.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(|all| all.values_mut())
        {
            is_changed |= self.mark(member);
        }
        if let Some(extra) = copy.get_mut("additionalProperties").filter(|extra| extra.is_object()) {
            is_changed |= self.mark(extra);
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            for part in copy.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(with_files) = self.with_files(part, depth + 1) {
                    *part = with_files;
                    is_changed = true;
                }
            }
        }
        is_changed.then_some(copy)
    }

    /// Gives a member that is a file the type of files; returns `false` if it is not a file.
    fn mark(&self, member: &mut Value) -> bool {
        let Some(files) = form::files(self.document, member) else { return false };
        let whole = walk::resolve(self.document, member);
        let mut marked = json!({ "type": "string", "format": FILE_FORMAT });
        if files == FileKind::Several {
            marked = json!({ "type": "array", "items": marked });
        }
        for key in ["description", "title"] {
            if let Some(text) = member.get(key).or_else(|| whole.get(key)).filter(|text| text.is_string()) {
                marked[key] = text.clone();
            }
        }
        *member = marked;
        true
    }
}

/// Serializes the body in the `send` of a call by its form. Returns the code that makes a request of a multipart body.
pub(super) fn write(send: &mut Block, form: &Form) -> Option<TokenStream> {
    let members: Vec<TokenStream> = form.members.iter().map(row).collect();
    let mut writer = FormWriter { form, members: &members, body: None };
    writer.visit_block_mut(send);
    let (media_type, body) = (form.multipart.as_ref()?, writer.body?);
    Some(quote!(#media_type, #body, &[#(#members),*]))
}

/// Returns a row for the table of a form's members.
fn row(member: &FormMember) -> TokenStream {
    let name = &member.name;
    let style = member.style.map(|style| {
        let style = format_ident!("{style:?}");
        quote!(.with_style(::keyfit::codegen::ListStyle::#style))
    });
    let spread = member.is_spread.then(|| quote!(.spread()));
    let media_type = member.media_type.as_ref().map(|media_type| quote!(.with_media_type(#media_type)));
    let reserved = member.allows_reserved.then(|| quote!(.with_reserved()));
    quote!(::keyfit::codegen::FormMember::new(#name) #style #spread #media_type #reserved)
}

struct FormWriter<'a> {
    form: &'a Form,
    members: &'a [TokenStream],
    /// The argument of the call that writes a form.
    body: Option<Expr>,
}

impl VisitMut for FormWriter<'_> {
    /// Rewrites `.form_urlencoded(&body)?`.
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        if let Expr::Try(tried) = &*expr
            && let Expr::MethodCall(call) = &*tried.expr
            && call.method == "form_urlencoded"
        {
            let (before, body, members) = (&call.receiver, &call.args[0], self.members);
            self.body = Some(body.clone());
            if self.form.multipart.is_some() {
                *expr = (**before).clone();
            } else if !members.is_empty() {
                *expr = syn::parse_quote!(#before.form_of(#body, &[#(#members),*])?);
            }
            return;
        }
        visit_mut::visit_expr_mut(self, expr);
    }
}
