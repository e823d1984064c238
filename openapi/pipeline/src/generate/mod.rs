//! The generation of Rust code from an API as read: the client document, progenitor, and the additions to its code.

mod adapt;
mod alternatives;
mod ambiguous;
mod argument_rules;
mod batches;
mod bisect;
mod bodies;
mod carrier_path;
mod client_document;
mod code;
mod compact;
mod comparable;
mod composition_limits;
mod contradictions;
mod curl;
mod defaults;
mod dialect;
mod dispatch;
mod distinguished;
mod docs;
mod emit;
mod enums;
mod errors;
mod forms;
mod item_bodies;
mod json_schema;
mod kinds;
mod lists;
mod markdown;
mod names;
mod nullable;
mod oauth;
mod optional_body;
mod paging;
mod passes;
mod patch;
mod paths;
mod polling;
mod print;
mod progenitor;
mod proposal;
mod prune;
mod read_only;
mod replacements;
mod request_schemas;
mod response_schemas;
mod schema_record;
mod setters;
mod sharing;
mod streams;
mod surface;
mod union_types;
mod walker;
mod webhooks;

pub(crate) use comparable::convert_for_comparison;
pub(crate) use enums::{NAME_KEYS, ident as variant, texts_of_each};
pub use kinds::{AcceptedToken, accepted_tokens, base_url_variable};
pub(crate) use patch::{Patched, patched};

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use self::passes::Draft;
use crate::contract::Contract;
use crate::normalize::Unsupported;
use crate::repair::Repairs;
use crate::{Api, Error, Source, name, pointer, walk};

/// The generated client of one API.
#[derive(Clone, Debug)]
pub struct Generated {
    /// Rust source that any module can include: a private module `generated` with its exports.
    pub code: String,
    /// The number of operations with a method.
    pub operations: usize,
    /// The public surface as text, for review: operations with their arguments and responses, and types with fields.
    pub surface: String,
    /// The operations without a method, with the reason.
    pub unsupported: Vec<Unsupported>,
    /// The document that the generator was given.
    pub document: Value,
    /// Every change on the way, to the document and to the generator's input.
    pub repairs: Repairs,
}

/// The options of generated code.
#[derive(Clone, Debug, Default)]
pub struct GenerateOptions {
    /// The builds in which operations can be called by their ids.
    pub dispatch: Dispatch,
    /// The operations of the client, by selectors as in [`Api::read_only`]. Empty for all operations.
    pub only: Vec<String>,
    /// True if there is a type for each schema of the document's components, including schemas that no call needs: error
    /// bodies, bodies of webhooks and callbacks, and schemas without references to them.
    pub all_types: bool,
}

/// The builds in which generated code has `connect`. It makes a client whose operations are called by their ids with JSON
/// arguments, for the contract check.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Dispatch {
    /// In the tests of the crate that holds the client, under `#[cfg(test)]`: other builds do not compile it.
    #[default]
    InTests,
    /// In every build, for checks that another crate runs.
    Always,
    /// In no build.
    Never,
}

/// Reads an API and generates its client. The code names the crate `keyfit` and nothing else, and can be included in any
/// module.
///
/// # Errors
/// Returns an error if [`Api::read`] does, or if the Rust names of two items are the same although they were changed.
pub fn generate(source: &Source) -> Result<Generated, Error> {
    generate_with(source, &GenerateOptions::default())
}

/// Generates a client as [`generate`] does, with options.
///
/// # Errors
/// Returns an error if [`generate`] does.
pub fn generate_with(source: &Source, options: &GenerateOptions) -> Result<Generated, Error> {
    let generated = progenitor::with_large_stack(|| client(source, options));
    generated.unwrap_or_else(|| {
        let help = "end other programs, or raise the limit of threads";
        Err(Error::of_file(&source.document.path, "there is no thread in which a client could be generated", help))
    })
}

fn client(source: &Source, options: &GenerateOptions) -> Result<Generated, Error> {
    let api = Api::read_only(source, &options.only)?;
    let contract = source.contract.as_ref().map_or_else(|| Ok(Contract::default()), Contract::read)?;
    let mut fixes = NameFixes::default();
    // Name collisions appear only in the generator's code, because the generator names inline schemas.
    for _ in 0..MAX_ATTEMPTS {
        let attempt = Attempt::run(&api, &fixes, options)?;
        let clashes = duplicate_names(&attempt.file);
        let Some(first) = clashes.first() else { return attempt.finish(&api, &contract, options) };
        if !fixes.add_for(&attempt.document, &clashes) {
            return Err(api.located.error_at(
                "/components/schemas",
                format!("two things would be called `{first}` in Rust"),
                "rename one of them by overlay",
            ));
        }
    }
    Err(inexpressible(&api))
}

/// The maximum number of attempts to resolve name collisions.
const MAX_ATTEMPTS: usize = 5;

/// The corrections of names from earlier attempts.
#[derive(Default)]
struct NameFixes {
    /// True if `title` must not name types.
    without_titles: bool,
    /// Schemas that need another name.
    renamed: Vec<(String, String)>,
}

impl NameFixes {
    /// Finds other names; returns `false` if none helps.
    fn add_for(&mut self, document: &Value, clashes: &[String]) -> bool {
        if !self.without_titles && dialect::drop_titles(&mut document.clone()) {
            self.without_titles = true;
            return true;
        }
        let mut taken: HashSet<String> = sharing::type_names(document);
        let known = walk::members(document, "/components/schemas");
        let count = self.renamed.len();
        for component in known.iter().map(|(at, _)| pointer::name(at)) {
            let kind = name::of_type(&component);
            if clashes.contains(&kind) && self.renamed.iter().all(|(_, new)| *new != component) {
                self.renamed.push((component, name::unique(&format!("{kind}Schema"), &mut taken)));
            }
        }
        self.renamed.len() > count
    }
}

/// One run from the document as read to the generator's code.
struct Attempt {
    document: Value,
    file: syn::File,
    /// The type builders.
    builders: code::UnparsedItems,
    calls: HashMap<String, client_document::CallSettings>,
    enums: Vec<enums::Enum>,
    unions: Vec<distinguished::DistinguishedUnion>,
    set_aside: Vec<Unsupported>,
    repairs: Repairs,
}

impl Attempt {
    fn run(api: &Api, fixes: &NameFixes, options: &GenerateOptions) -> Result<Self, Error> {
        let Draft { mut document, calls, unions, enums, mut repairs, .. } = Draft::prepare(api, options, fixes);
        let replacements = replacements::replacements(api, &document, &enums, &unions, &mut repairs);
        let mut set_aside = Vec::new();
        let run = |document: &Value| progenitor::run(document, &replacements::of_schemas(&replacements, document));
        let accepts = |part: &Value| progenitor::accepts(part, &replacements::of_schemas(&replacements, part));
        names::titles(&mut document);
        let code = run(&document).or_else(|| {
            let lost = bisect::narrow(&mut document, &accepts, &mut repairs);
            set_aside = lost.iter().filter_map(|at| drop_call(api, &mut document, at, &mut repairs)).collect();
            run(&document)
        });
        let (file, builders) = code.and_then(code::GeneratedTokens::parse).ok_or_else(|| inexpressible(api))?;
        Ok(Self { document, file, builders, calls, enums, unions, set_aside, repairs })
    }

    fn finish(mut self, api: &Api, contract: &Contract, options: &GenerateOptions) -> Result<Generated, Error> {
        let file = &mut self.file;
        // Before our own documentation is added, whose links are valid.
        file.items.iter_mut().for_each(docs::sanitize);
        let gone: HashSet<&str> = self.set_aside.iter().map(|gone| gone.operation.as_str()).collect();
        let operations = api.operations.iter().filter(|operation| !gone.contains(label(operation).as_str()));
        let operations: Vec<_> = operations.collect();
        let calls = adapt::adapt(api, file, &operations, &self.calls);
        // A call that was not adapted would bypass our error type and our decoder.
        let adapted: HashSet<&str> = calls.iter().map(|call| call.id.as_str()).collect();
        if let Some(lost) = operations.iter().find(|operation| !adapted.contains(operation.id.as_str())) {
            return Err(api.located.error_at(
                &lost.pointer(),
                format!("the operationId `{}` cannot be a method's name", lost.id),
                "give the operation another operationId by overlay: a word that starts with a letter",
            ));
        }
        prune::request_builders(file, &self.builders, &calls).ok_or_else(|| inexpressible(api))?;
        drop(self.builders);
        let kinds = kinds::of_api(api, contract, &mut self.repairs);
        let known = types_of(module(file, "types"));
        let errors = errors::types(&self.document, &known);
        docs::complete(api, file, &operations, &kinds, &self.repairs, &errors);
        file.items.extend(kinds.items());
        file.items.extend(emit::items(
            api,
            &operations,
            &calls,
            emit::values(&self.enums, &self.unions),
            &kinds,
            &contract.facts(),
        ));
        file.items.extend(webhooks::module(contract));
        if options.dispatch != Dispatch::Never {
            file.items.extend(dispatch::items(&calls, &kinds, options.dispatch == Dispatch::InTests));
        }
        paths::resolve(file);
        // From here on, each line of documentation is an attribute.
        file.items.iter_mut().for_each(docs::split_lines);
        let mut named = sharing::type_names(&api.document);
        named.extend(errors::names(&self.document));
        compact::merge(file, &named);
        let surface = surface::describe(
            &operations,
            &kinds,
            &errors,
            &surface::builders(module(file, "builder")),
            &surface::types(module(file, "types")),
        );
        let mut unsupported = api.unsupported.clone();
        unsupported.extend(self.set_aside);
        compact::shorten(&mut self.file);
        let code = print::text(emit::module(self.file));
        Ok(Generated {
            code,
            operations: operations.len(),
            surface,
            unsupported,
            document: self.document,
            repairs: self.repairs,
        })
    }
}

/// Removes a call that the generator cannot express from the client document.
fn drop_call(api: &Api, document: &mut Value, at: &str, repairs: &mut Repairs) -> Option<Unsupported> {
    let function = document.pointer(at)?["operationId"].as_str()?.to_owned();
    let (item, method) = at.rsplit_once('/')?;
    document.pointer_mut(item)?.as_object_mut()?.shift_remove(method);
    let operation = api.operations.iter().find(|operation| operation.function == function)?;
    let reason = "the client generator cannot express it".to_owned();
    repairs.note("set-aside", &operation.pointer(), format!("no client method: {reason}"));
    Some(Unsupported { operation: label(operation), id: Some(operation.id.clone()), reason })
}

/// Returns the names that occur twice where they must be unique: types, and members of a type.
fn duplicate_names(file: &syn::File) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for item in module(file, "types") {
        let Some(name) = type_name(item) else { continue };
        let fields = if let syn::Item::Struct(item) = item { Some(&item.fields) } else { None };
        let mut members = HashSet::new();
        let mut idents = fields.into_iter().flatten().filter_map(|field| field.ident.as_ref());
        if !seen.insert(name.to_string()) || idents.any(|ident| !members.insert(ident.to_string())) {
            found.push(name.to_string());
        }
    }
    found
}

/// Returns the names of the types in these items.
fn types_of(items: &[syn::Item]) -> HashSet<String> {
    items.iter().filter_map(type_name).map(syn::Ident::to_string).collect()
}

/// Returns the name of the type that an item defines.
fn type_name(item: &syn::Item) -> Option<&syn::Ident> {
    match item {
        syn::Item::Struct(item) => Some(&item.ident),
        syn::Item::Enum(item) => Some(&item.ident),
        syn::Item::Type(item) => Some(&item.ident),
        _ => None,
    }
}

/// Returns the items of a module.
fn module<'f>(file: &'f syn::File, name: &str) -> &'f [syn::Item] {
    let found = file.items.iter().find_map(|item| match item {
        syn::Item::Mod(module) if module.ident == name => module.content.as_ref(),
        _ => None,
    });
    found.map_or(&[], |(_, items)| items)
}

fn inexpressible(api: &Api) -> Error {
    api.located.error_at(
        "",
        "the document cannot be expressed in Rust",
        "simplify it by overlay: what the client generator refuses was narrowed, and more than that is odd",
    )
}

fn label(operation: &crate::Operation) -> String {
    format!("{} {}", operation.method, operation.key)
}
