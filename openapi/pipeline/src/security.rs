//! Which kinds of token an operation takes.

use serde_json::Value;

use crate::{Api, Operation};

/// The credentials that an operation takes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Needed {
    /// Whatever opens the API: nothing is said of this operation.
    Any,
    /// One of these kinds, by their names.
    OneOf(Vec<String>),
    /// One of these kinds, or none at all.
    Optional(Vec<String>),
}

impl Api {
    /// What an operation takes, by the overlay's `credentials`, and by the document's `security` where that is silent.
    pub fn needed(&self, operation: &Operation) -> Needed {
        if !operation.credentials.is_empty() {
            return Needed::OneOf(operation.credentials.clone());
        }
        let node = self.document.pointer(&operation.pointer());
        let security = node.and_then(|node| node.get("security")).or_else(|| self.document.get("security"));
        let Some(alternatives) = security.and_then(Value::as_array) else { return Needed::Any };
        let schemes: Vec<_> = alternatives.iter().filter_map(Value::as_object).collect();
        let mut names = Vec::new();
        for name in schemes.iter().flat_map(|schemes| schemes.keys()) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let is_optional = schemes.iter().all(|schemes| schemes.is_empty()) || schemes.iter().any(|one| one.is_empty());
        if is_optional { Needed::Optional(names) } else { Needed::OneOf(names) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Source, Text};

    #[test]
    fn an_operation_takes_what_it_says_before_what_the_document_says() {
        let operation = |security: &str| format!(r#"{{"get": {{"responses": {{}}{security}}}}}"#);
        let document = format!(
            r##"{{"openapi": "3.0.3", "info": {{"title": "a", "version": "1"}}, "servers": [{{"url": "https://a.example"}}],
                "security": [{{"key": []}}], "paths": {{"/a": {}, "/b": {}, "/c": {}, "/d": {}}},
                "components": {{"securitySchemes": {{"key": {{"type": "http", "scheme": "bearer"}}}}}}}}"##,
            operation(""),
            operation(r#", "security": []"#),
            operation(r#", "security": [{}, {"key": []}]"#),
            operation(r#", "security": [{"other": []}, {"key": [], "other": []}]"#),
        );
        let document = Text::new("a.json", document);
        let api = Api::read(&Source { name: "a".to_owned(), document, overlay: None, contract: None }).expect("an API");
        let needed: Vec<Needed> = api.operations.iter().map(|operation| api.needed(operation)).collect();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let expected = [
            Needed::OneOf(names(&["key"])),
            Needed::Optional(names(&[])),
            Needed::Optional(names(&["key"])),
            Needed::OneOf(names(&["other", "key"])),
        ];
        assert_eq!(needed, expected);
    }
}
