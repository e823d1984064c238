//! The generator without the pipeline, in the style in which the pipeline runs it.

use std::panic::{self, AssertUnwindSafe};

use progenitor_impl::{GenerationSettings, Generator, InterfaceStyle};

use super::corpus::Document;
use super::yaml;

/// Documents for which the generator takes all memory or stack there is: nothing can catch that.
const ENDLESS: [&str; 5] = ["all-of-product", "bomb-all-of", "bomb-one-of", "recursive-all-of", "reference-circle"];

/// Its code, or how it failed.
pub(crate) fn generate(document: &Document) -> Result<String, String> {
    if ENDLESS.contains(&document.name.as_str()) {
        return Err("it does not end".to_owned());
    }
    let value = yaml::read(&document.text).ok_or("error: no YAML")?;
    let document: openapiv3::OpenAPI =
        serde_json::from_value(value).map_err(|error| format!("error: {}", first_line(&error.to_string())))?;
    let previous = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(AssertUnwindSafe(|| {
        let mut settings = GenerationSettings::new();
        settings.with_interface(InterfaceStyle::Builder);
        Generator::new(&settings).generate_tokens(&document).map(|tokens| tokens.to_string())
    }));
    panic::set_hook(previous);
    match result {
        Ok(Ok(code)) => Ok(code),
        Ok(Err(error)) => Err(format!("error: {}", first_line(&error.to_string()))),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
            Err(format!("panic: {}", first_line(&text)))
        }
    }
}

/// `ok`, or how it failed.
pub(crate) fn outcome(document: &Document) -> String {
    generate(document).map_or_else(|failure| failure, |_| "ok".to_owned())
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(90).collect()
}
