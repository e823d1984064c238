//! Lists of documents that nobody here wrote: clients with `items` and `pages`, as an overlay with the proposals has them, compile.

#[path = "support/compile.rs"]
mod compile;

use std::fmt::Write as _;
use std::path::Path;

use keyfit_openapi::{Api, GenerateOptions, Source, Text, generate_with};

#[test]
fn lists_of_documents_in_the_wild_compile() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/documents");
    let mut clients = Vec::new();
    for name in ["box.json", "discord.json", "hubspot-lists.json", "klaviyo-stable.json", "messagebird-sms.yaml"] {
        let Ok(text) = keyfit_openapi::read_text(&folder.join(name)) else {
            eprintln!("skipped: {name} is not there");
            continue;
        };
        let module = format!("wild_{}", name.split(['.', '-']).next().unwrap_or_default());
        let mut source =
            Source { name: module.clone(), document: Text::new(name, text), overlay: None, contract: None };
        let api = Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
        // Every kind of guess, and not all of Klaviyo.
        let step = api.guesses.len().div_ceil(12).max(1);
        let guesses: Vec<_> = api.guesses.iter().step_by(step).collect();
        let mut overlay = String::from("overlay: 1.0.0\ninfo: {title: Lists, version: '1'}\nactions:\n");
        for (id, guess) in &guesses {
            let operation = api.operation(id).expect("a guess is about an operation");
            let (path, method) = (&operation.path, operation.method.to_lowercase());
            let hint = guess.pagination.hint();
            let _ =
                writeln!(overlay, "  - target: $.paths['{path}'].{method}\n    update: {{ x-keyfit: {{ {hint} }} }}");
        }
        source.overlay = Some(Text::new("overlay.yaml", overlay));
        let only = guesses.iter().map(|(id, _)| id.clone()).collect();
        let generated = generate_with(&source, &GenerateOptions { only, ..GenerateOptions::default() });
        let code = generated.unwrap_or_else(|failure| panic!("{failure}")).code;
        assert_eq!(code.matches("pub fn items(").count(), guesses.len(), "{name}");
        assert_eq!(code.matches("pub fn pages(").count(), guesses.len(), "{name}");
        let values = code.matches("Items<::keyfit::codegen::serde_json::Value").count();
        eprintln!("{name}: {} lists, {values} of JSON values", guesses.len());
        clients.push((module, code));
    }
    if !clients.is_empty() {
        compile::check(&clients);
    }
}
