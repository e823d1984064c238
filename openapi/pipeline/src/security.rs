//! Which kinds of token an operation takes.

use serde_json::Value;

use crate::{Api, Operation};

/// The credentials that an operation takes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Needed {
    /// Whatever opens the API: nothing is said of this operation.
    Any,
    /// One of these sets of kinds, by their names; of a set all at once.
    OneOf {
        /// The sets, in the order of the document.
        sets: Vec<Vec<String>>,
        /// Whether a call without any of them is answered too.
        is_optional: bool,
    },
}

impl Needed {
    /// Every kind that is named, as often as it is.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        let sets = match self {
            Self::Any => &[][..],
            Self::OneOf { sets, .. } => sets,
        };
        sets.iter().flatten()
    }
}

impl Api {
    /// What an operation takes, by the overlay's `credentials`, and by the document's `security` where that is silent.
    pub fn needed(&self, operation: &Operation) -> Needed {
        let own = self.document.pointer(&operation.pointer()).and_then(|node| node.get("security")).and_then(sets);
        let is_optional = |sets: &[Vec<String>]| sets.is_empty() || sets.iter().any(Vec::is_empty);
        if !operation.credentials.is_empty() {
            // The overlay's word for all operations does not take back what the document says of this one.
            let is_optional = own.as_deref().is_some_and(is_optional);
            let sets = operation.credentials.iter().map(|kind| vec![kind.clone()]).collect();
            return Needed::OneOf { sets, is_optional };
        }
        let Some(mut sets) = own.or_else(|| self.document.get("security").and_then(sets)) else { return Needed::Any };
        let is_optional = is_optional(&sets);
        sets.retain(|set| !set.is_empty());
        Needed::OneOf { sets, is_optional }
    }
}

/// The alternatives of a security requirement.
fn sets(security: &Value) -> Option<Vec<Vec<String>>> {
    let alternatives = security.as_array()?.iter().filter_map(Value::as_object);
    Some(alternatives.map(|schemes| schemes.keys().cloned().collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Source, Text};

    #[test]
    fn an_overlay_that_names_kinds_for_all_leaves_optional_what_the_document_says_is() {
        let document = r#"{"openapi": "3.0.3", "info": {"title": "a", "version": "1"}, "servers": [{"url": "https://a.example"}],
            "paths": {"/a": {"get": {"responses": {}}}, "/b": {"get": {"responses": {}, "security": [{}, {"key": []}]}}}}"#;
        let overlay = "overlay: 1.0.0\ninfo: {title: a, version: 1.0.0}\nactions:\n  - target: $\n    update: {x-keyfit: {credentials: [key]}}\n";
        let (document, overlay) = (Text::new("a.json", document), Some(Text::new("overlay.yaml", overlay)));
        let api = Api::read(&Source { name: "a".to_owned(), document, overlay, contract: None }).expect("an API");
        let optional = api.operations.iter().map(|operation| match api.needed(operation) {
            Needed::OneOf { sets, is_optional } => (sets, is_optional),
            Needed::Any => panic!("the overlay says it"),
        });
        let key = || vec![vec!["key".to_owned()]];
        assert_eq!(optional.collect::<Vec<_>>(), [(key(), false), (key(), true)]);
    }

    #[test]
    fn an_operation_takes_what_it_says_before_what_the_document_says() {
        let operation = |security: &str| format!(r#"{{"get": {{"responses": {{}}{security}}}}}"#);
        let document = format!(
            r#"{{"openapi": "3.0.3", "info": {{"title": "a", "version": "1"}}, "servers": [{{"url": "https://a.example"}}],
                "security": [{{"key": []}}], "paths": {{"/a": {}, "/b": {}, "/c": {}, "/d": {}}},
                "components": {{"securitySchemes": {{"key": {{"type": "http", "scheme": "bearer"}}}}}}}}"#,
            operation(""),
            operation(r#", "security": []"#),
            operation(r#", "security": [{}, {"key": []}]"#),
            operation(r#", "security": [{"other": []}, {"key": [], "other": []}]"#),
        );
        let document = Text::new("a.json", document);
        let api = Api::read(&Source { name: "a".to_owned(), document, overlay: None, contract: None }).expect("an API");
        let needed: Vec<Needed> = api.operations.iter().map(|operation| api.needed(operation)).collect();
        let one_of = |sets: &[&[&str]], is_optional| Needed::OneOf {
            sets: sets.iter().map(|set| set.iter().map(|name| (*name).to_owned()).collect()).collect(),
            is_optional,
        };
        let expected = [
            one_of(&[&["key"]], false),
            one_of(&[], true),
            one_of(&[&["key"]], true),
            one_of(&[&["other"], &["key", "other"]], false),
        ];
        assert_eq!(needed, expected);
    }
}
