//! One run of the generator.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};
use std::thread;

use proc_macro2::TokenStream;
use progenitor_impl::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TypeImpl};
use schemars08::schema::{InstanceType, SchemaObject, StringValidation};
use serde::Deserialize as _;
use serde_json::Value;

use super::code::Code;
use super::types::Replacement;
use super::{forms, leniency};
use crate::normalize::PATH_GUARD;

/// The generator recurses into schemas, with large frames.
const STACK: usize = 64 << 20;

/// Runs all that asks the generator and reads its code in one thread, with a stack that it does not exhaust. `None` where the
/// system has no thread.
///
/// One for all of it, because what a thread has freed is used again by itself before by any other: the generator's tokens and what is
/// parsed of them are each as large as all the rest.
pub(crate) fn on_its_stack<T: Send>(run: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run).ok()?;
        Some(thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic)))
    })
}

/// Its code; `None` where it refuses or panics.
pub(crate) fn run(document: &Value, replacements: &[Replacement]) -> Option<Code> {
    tokens(document, replacements).map(Code::of)
}

/// Whether it makes code of a document.
pub(crate) fn accepts(document: &Value, replacements: &[Replacement]) -> bool {
    tokens(document, replacements).is_some()
}

/// Its words are for its own developers and are dropped.
fn tokens(document: &Value, replacements: &[Replacement]) -> Option<TokenStream> {
    /// The panic hook belongs to the whole process.
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
        .with_conversion(answer_instant(), "::keyfit::Timestamp", [TypeImpl::Display, TypeImpl::FromStr].into_iter())
        .with_conversion(file(), "::keyfit::FilePart", std::iter::empty())
        .with_conversion(secret(), "::keyfit::auth::Secret", std::iter::empty())
        .with_conversion(path_argument(), "::keyfit::PathArgument", [TypeImpl::Display, TypeImpl::FromStr].into_iter());
    for replacement in replacements {
        settings.with_replacement(&replacement.schema, &replacement.path, std::iter::empty());
    }
    settings
}

/// The schema that [`leniency`] gives to instants in answers.
fn answer_instant() -> SchemaObject {
    text(leniency::ANSWER_INSTANT)
}

/// A credential in an answer.
fn secret() -> SchemaObject {
    text(leniency::SECRET)
}

/// A file in a form.
fn file() -> SchemaObject {
    text(forms::FILE)
}

fn text(format: &str) -> SchemaObject {
    SchemaObject {
        instance_type: Some(InstanceType::String.into()),
        format: Some(format.to_owned()),
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
