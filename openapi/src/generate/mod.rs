//! From a read API to Rust: the client document, progenitor, and what is added to its code.

mod adapt;
mod answers;
mod dispatch;
mod docs;
mod emit;
mod leniency;
mod prune;
mod requests;
mod split;
mod surface;
mod types;

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};

use proc_macro2::TokenStream;
use progenitor_impl::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TypeImpl};
use schemars08::schema::{InstanceType, SchemaObject, StringValidation};
use serde_json::{Map, Value};

use crate::normalize::{PATH_GUARD, Unsupported};
use crate::repair::Repairs;
use crate::{Api, Failure, Source, pointer, walk};
use types::Replacement;

/// The generated client of one API.
#[derive(Clone, Debug)]
pub struct Generated {
    /// Rust source: one private module `generated`, to be included where `super::Credential` is the credential's type.
    pub code: String,
    /// The public surface as text, for review: operations with their arguments and answers, and types with fields.
    pub surface: String,
    /// Operations that have no method, with the reason.
    pub unsupported: Vec<Unsupported>,
    /// Everything that was changed on the way, in the document and in what the generator was given.
    pub repairs: Repairs,
}

/// Reads an API and generates its client. `module` is the absolute path of the module that includes the code, such
/// as `crate::api::scopien`; the code expects keyfit's `crate::runtime`, `crate::batch`, `crate::Timestamp`,
/// `crate::Config` and `crate::Error` around it.
///
/// # Errors
/// What [`Api::read`] refuses, and schemas that cannot be expressed in Rust.
pub fn generate(source: &Source, module: &str) -> Result<Generated, Failure> {
    let module = &format!("{module}::generated");
    let api = Api::read(source)?;
    let mut repairs = api.repairs.clone();
    let mut client = answers::client_document(&api, &mut repairs);
    let requests = split::split_shared(&mut client.document, &mut repairs);
    requests::mend(&mut client.document, &requests, &mut repairs);
    let open_enums = leniency::relax(&mut client.document, &requests, &mut repairs);
    let replacements = types::replacements(&api, &client.document, module, &open_enums, &mut repairs);
    let (tokens, set_aside) = run(&api, &client.document, &replacements, &mut repairs)?;
    let operations: Vec<_> = api
        .operations
        .iter()
        .filter(|operation| !set_aside.iter().any(|gone| gone.operation == label(operation)))
        .collect();
    let mut file = syn::parse2(tokens).map_err(|_| inexpressible(&api, ""))?;
    let calls = adapt::adapt(&mut file, &operations, &client.optional_answers);
    // A call that was not adapted would go out past our error type and our decoder.
    if let Some(lost) = operations.iter().find(|operation| !calls.iter().any(|call| call.id == operation.id)) {
        return Err(api.located.failure(
            &lost.pointer(),
            format!("the operationId `{}` cannot be a method's name", lost.id),
            "give the operation another operationId by overlay: a word that is no Rust keyword and starts with a letter",
        ));
    }
    prune::answer_builders(&mut file, &calls);
    docs::complete(&mut file, &operations);
    let surface = surface::describe(&file, &operations);
    file.items.extend(emit::items(&api.base_url, &operations, &calls, &open_enums));
    file.items.push(dispatch::item(&calls));
    let mut unsupported = api.unsupported.clone();
    unsupported.extend(set_aside);
    Ok(Generated { code: prettyplease::unparse(&emit::module(file)), surface, unsupported, repairs })
}

/// Runs progenitor. Where it gives up on the whole document, the operations that it cannot express are set aside.
fn run(
    api: &Api,
    document: &Value,
    replacements: &[Replacement],
    repairs: &mut Repairs,
) -> Result<(TokenStream, Vec<Unsupported>), Failure> {
    if let Some(tokens) = attempt(document, replacements) {
        return Ok((tokens, Vec::new()));
    }
    let mut without_operations = document.clone();
    without_operations["paths"] = Value::Object(Map::new());
    if attempt(&without_operations, replacements).is_none() {
        return Err(culprit(api, &without_operations, replacements));
    }
    let mut rest = document.clone();
    let mut set_aside = Vec::new();
    for operation in &api.operations {
        if attempt(&only(document, operation), replacements).is_none() {
            remove(&mut rest, operation);
            let reason = "the client generator cannot express it".to_owned();
            repairs.note("set-aside", &operation.pointer(), format!("no client method: {reason}"));
            set_aside.push(Unsupported { operation: label(operation), reason });
        }
    }
    match attempt(&rest, replacements) {
        Some(tokens) => Ok((tokens, set_aside)),
        None => Err(inexpressible(api, "/paths")),
    }
}

/// One run of the generator; `None` where it refuses or panics. Its words are for its own developers and are dropped.
fn attempt(document: &Value, replacements: &[Replacement]) -> Option<TokenStream> {
    /// The panic hook belongs to the whole process.
    static HOOK: Mutex<()> = Mutex::new(());
    let _guard = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    let previous = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(AssertUnwindSafe(|| {
        let document: openapiv3::OpenAPI = serde_json::from_value(document.clone()).ok()?;
        Generator::new(&settings(replacements)).generate_tokens(&document).ok()
    }));
    panic::set_hook(previous);
    result.ok().flatten()
}

fn settings(replacements: &[Replacement]) -> GenerationSettings {
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_hooks(HooksMode::Expected)
        .with_inner_type("crate::runtime::Transport".parse().expect("a path is a token stream"))
        .with_conversion(answer_instant(), "crate::Timestamp", [TypeImpl::Display, TypeImpl::FromStr].into_iter())
        .with_conversion(secret(), "crate::auth::Secret", std::iter::empty())
        .with_conversion(path_argument(), "crate::PathArgument", [TypeImpl::Display, TypeImpl::FromStr].into_iter());
    for replacement in replacements {
        settings.with_replacement(&replacement.schema, &replacement.path, std::iter::empty());
    }
    settings
}

/// The schema that [`leniency`] gives to instants in answers.
fn answer_instant() -> SchemaObject {
    SchemaObject {
        instance_type: Some(InstanceType::String.into()),
        format: Some(leniency::ANSWER_INSTANT.to_owned()),
        ..SchemaObject::default()
    }
}

/// A credential in an answer.
fn secret() -> SchemaObject {
    SchemaObject {
        instance_type: Some(InstanceType::String.into()),
        format: Some(leniency::SECRET.to_owned()),
        ..SchemaObject::default()
    }
}

/// A string in a path that nothing but the guard limits.
fn path_argument() -> SchemaObject {
    let guard = StringValidation { pattern: Some(PATH_GUARD.to_owned()), ..StringValidation::default() };
    SchemaObject {
        instance_type: Some(InstanceType::String.into()),
        string: Some(Box::new(guard)),
        ..SchemaObject::default()
    }
}

/// The schema that the generator cannot express, found by trying each on its own.
fn culprit(api: &Api, document: &Value, replacements: &[Replacement]) -> Failure {
    for (at, schema) in walk::members(document, "/components/schemas") {
        let mut alone = document.clone();
        let mut schema = schema.clone();
        // References are cut: what they lead to is tried by itself.
        walk::schemas(&mut schema, &mut |inner| {
            if inner.get("$ref").is_some() {
                *inner = Value::Object(Map::new());
            }
        });
        alone["components"]["schemas"] = serde_json::json!({ pointer::name(&at): schema });
        if attempt(&alone, replacements).is_none() {
            return inexpressible(api, &at);
        }
    }
    inexpressible(api, "/components/schemas")
}

fn inexpressible(api: &Api, at: &str) -> Failure {
    let what = if at.starts_with("/components") {
        format!("the schema `{}`", pointer::name(at))
    } else {
        "the document".to_owned()
    };
    api.located.failure(at, format!("{what} cannot be expressed in Rust"), "simplify it by overlay: `not`, enum values that differ only in case or punctuation, and properties that give one Rust name are the usual causes")
}

fn only(document: &Value, operation: &crate::Operation) -> Value {
    let mut alone = document.clone();
    let method = operation.method.to_lowercase();
    let call = document["paths"][&operation.path][&method].clone();
    alone["paths"] = serde_json::json!({ operation.path.clone(): { method: call } });
    alone
}

fn remove(document: &mut Value, operation: &crate::Operation) {
    let item = document["paths"].get_mut(&operation.path);
    if let Some(item) = item.and_then(Value::as_object_mut) {
        item.shift_remove(&operation.method.to_lowercase());
    }
}

fn label(operation: &crate::Operation) -> String {
    format!("{} {}", operation.method, operation.path)
}
