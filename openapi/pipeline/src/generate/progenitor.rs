//! One run of the generator.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};
use std::thread;

use progenitor_impl::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TypeImpl};
use schemars08::schema::{InstanceType, SchemaObject, StringValidation};
use serde_json::Value;

use super::code::Code;
use super::types::Replacement;
use super::{forms, leniency};
use crate::normalize::PATH_GUARD;

/// The generator recurses into schemas, with large frames.
const STACK: usize = 64 << 20;

/// Its code; `None` where it refuses or panics. Its words are for its own developers and are dropped.
pub(crate) fn run(document: &Value, replacements: &[Replacement]) -> Option<Code> {
    /// The panic hook belongs to the whole process.
    static HOOK: Mutex<()> = Mutex::new(());
    let _guard = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    let previous = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    // Tokens cannot leave their thread; their text can.
    let code = thread::scope(|scope| {
        let generator = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || {
            panic::catch_unwind(AssertUnwindSafe(|| {
                let document: openapiv3::OpenAPI = serde_json::from_value(document.clone()).ok()?;
                let tokens = Generator::new(&settings(replacements)).generate_tokens(&document).ok()?;
                Some(Code::of(tokens))
            }))
        });
        generator.ok()?.join().ok()?.ok().flatten()
    });
    panic::set_hook(previous);
    code
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
