//! The interface to the generator, progenitor.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};
use std::thread;

use proc_macro2::TokenStream;
use progenitor_impl::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TypeImpl};
use schemars08::schema::{InstanceType, SchemaObject, StringValidation};
use serde::Deserialize as _;
use serde_json::Value;

use super::code::GeneratedTokens;
use super::replacements::Replacement;
use super::{forms, response_schemas};
use crate::normalize::PATH_GUARD;

/// The stack size of the generator's thread: it recurses into schemas, with large frames.
const STACK_SIZE: usize = 64 << 20;

/// Runs all code that calls the generator or reads its output in one thread with a sufficient stack. Returns `None` if the
/// system cannot create a thread.
///
/// There is one thread for all of it, because an allocator reuses freed memory first in the thread that freed it. The
/// generator's tokens and their syntax tree are each as large as all other data.
pub(crate) fn with_large_stack<T: Send>(run: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_SIZE).spawn_scoped(scope, run).ok()?;
        Some(thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic)))
    })
}

/// Returns the generated code; `None` if the generator fails or panics.
pub(crate) fn run(document: &Value, replacements: &[Replacement]) -> Option<GeneratedTokens> {
    tokens(document, replacements).map(GeneratedTokens::of)
}

/// Returns whether the generator accepts a document.
pub(crate) fn accepts(document: &Value, replacements: &[Replacement]) -> bool {
    tokens(document, replacements).is_some()
}

/// Returns the generated tokens. The generator's messages are for its own developers and are dropped.
fn tokens(document: &Value, replacements: &[Replacement]) -> Option<TokenStream> {
    /// The panic hook is global to the process.
    static HOOK: Mutex<()> = Mutex::new(());
    let _guard = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    let previous = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let made = panic::catch_unwind(AssertUnwindSafe(|| {
        let document = openapiv3::OpenAPI::deserialize(document).ok()?;
        Generator::new(&settings(replacements)).generate_tokens(&document).ok()
    }));
    panic::set_hook(previous);
    made.ok().flatten()
}

fn settings(replacements: &[Replacement]) -> GenerationSettings {
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_hooks(HooksMode::Expected)
        .with_inner_type("::keyfit::codegen::Transport".parse().expect("a path is a token stream"))
        .with_conversion(response_instant(), "::keyfit::Timestamp", [TypeImpl::Display, TypeImpl::FromStr].into_iter())
        .with_conversion(file(), "::keyfit::FilePart", std::iter::empty())
        .with_conversion(secret(), "::keyfit::auth::Secret", std::iter::empty())
        .with_conversion(path_argument(), "::keyfit::PathArgument", [TypeImpl::Display, TypeImpl::FromStr].into_iter());
    for replacement in replacements {
        settings.with_replacement(&replacement.schema, &replacement.path, std::iter::empty());
    }
    settings
}

/// Returns the schema that [`response_schemas`] gives to instants in responses.
fn response_instant() -> SchemaObject {
    text(response_schemas::RESPONSE_INSTANT)
}

/// Returns the schema of a credential in a response.
fn secret() -> SchemaObject {
    text(response_schemas::SECRET)
}

/// Returns the schema of a file in a form.
fn file() -> SchemaObject {
    text(forms::FILE_FORMAT)
}

fn text(format: &str) -> SchemaObject {
    SchemaObject {
        instance_type: Some(InstanceType::String.into()),
        format: Some(format.to_owned()),
        ..SchemaObject::default()
    }
}

/// Returns the schema of a string in a path that only the guard limits.
fn path_argument() -> SchemaObject {
    let guard = StringValidation { pattern: Some(PATH_GUARD.to_owned()), ..StringValidation::default() };
    SchemaObject {
        instance_type: Some(InstanceType::String.into()),
        string: Some(Box::new(guard)),
        ..SchemaObject::default()
    }
}
