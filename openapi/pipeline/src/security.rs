//! The kinds of token that an operation accepts.

use std::sync::Arc;

use serde_json::Value;

/// The credentials that an operation accepts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SecurityRequirement {
    /// Any credential of the API: the document does not restrict the operation.
    Any,
    /// One of these sets of kinds, by their names; all kinds of a set are needed together.
    OneOf {
        /// The sets, in the order of the document.
        sets: Vec<Vec<String>>,
        /// True if the server also answers a call without any of them.
        is_optional: bool,
    },
}

impl SecurityRequirement {
    /// Returns the alternatives, in the order of the document; empty if the operation names none.
    pub fn sets(&self) -> &[Vec<String>] {
        match self {
            Self::Any => &[],
            Self::OneOf { sets, .. } => sets,
        }
    }

    /// Returns whether the server answers a call without a credential.
    pub fn is_optional(&self) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf { is_optional, .. } => *is_optional,
        }
    }

    /// Returns the kinds of all alternatives. A kind in several alternatives is returned several times.
    pub fn kinds(&self) -> impl Iterator<Item = &String> {
        self.sets().iter().flatten()
    }

    /// Returns whether one of the alternatives is this kind alone.
    pub fn accepts_alone(&self, kind: &str) -> bool {
        self.sets().iter().any(|set| matches!(set.as_slice(), [name] if name == kind))
    }
}

/// The credentials that a document's operations accept.
pub(crate) struct Security<'a> {
    /// The overlay's kinds for all operations.
    credentials: Option<&'a Vec<String>>,
    /// The credentials of an operation without its own. The value is shared, because a document may name a thousand kinds.
    default: Arc<SecurityRequirement>,
}

impl<'a> Security<'a> {
    pub(crate) fn new(document: &Value, credentials: Option<&'a Vec<String>>) -> Self {
        let default = match (credentials, document.get("security").and_then(sets)) {
            (Some(kinds), _) if !kinds.is_empty() => any_of(kinds, false),
            (_, Some(sets)) => from_sets(sets),
            (_, None) => SecurityRequirement::Any,
        };
        Self { credentials, default: Arc::new(default) }
    }

    /// Returns the credentials that an operation accepts: by the overlay's hint for it, by its own `security`, or by the
    /// default.
    pub(crate) fn of(&self, node: &Value, credentials: Option<&Vec<String>>) -> Arc<SecurityRequirement> {
        let own = node.get("security").and_then(sets);
        let is_optional = own.as_deref().is_some_and(is_optional);
        match (credentials, own) {
            (Some(kinds), _) if !kinds.is_empty() => Arc::new(any_of(kinds, is_optional)),
            // If the document states that a credential is optional, `credentials: []` adds no information.
            (Some(_), Some(sets)) if is_optional => Arc::new(from_sets(sets)),
            (Some(_), _) => Arc::new(any_of(&[], true)),
            (None, None) => Arc::clone(&self.default),
            // The overlay's hint for all operations does not override a document that requires no credential for this one.
            (None, Some(sets)) => Arc::new(match self.credentials {
                Some(kinds) if !kinds.is_empty() && !sets.is_empty() => any_of(kinds, is_optional),
                _ => from_sets(sets),
            }),
        }
    }
}

/// Returns a need of any one of these kinds.
fn any_of(kinds: &[String], is_optional: bool) -> SecurityRequirement {
    SecurityRequirement::OneOf { sets: kinds.iter().map(|kind| vec![kind.clone()]).collect(), is_optional }
}

fn from_sets(mut sets: Vec<Vec<String>>) -> SecurityRequirement {
    let is_optional = is_optional(&sets);
    sets.retain(|set| !set.is_empty());
    SecurityRequirement::OneOf { sets, is_optional }
}

fn is_optional(sets: &[Vec<String>]) -> bool {
    sets.is_empty() || sets.iter().any(Vec::is_empty)
}

/// Returns the alternatives of a security requirement.
fn sets(security: &Value) -> Option<Vec<Vec<String>>> {
    let alternatives = security.as_array()?.iter().filter_map(Value::as_object);
    Some(alternatives.map(|schemes| schemes.keys().cloned().collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Api, Source, Text};

    fn sets_of(names: &[&[&str]]) -> Vec<Vec<String>> {
        names.iter().map(|set| set.iter().map(|name| (*name).to_owned()).collect()).collect()
    }

    fn needed(document: &str, overlay: Option<&str>) -> Vec<SecurityRequirement> {
        let (document, overlay) = (Text::new("a.json", document), overlay.map(|text| Text::new("overlay.yaml", text)));
        let api = Api::read(&Source { name: "a".to_owned(), document, overlay, contract: None }).expect("an API");
        api.operations.iter().map(|operation| SecurityRequirement::clone(&operation.security)).collect()
    }

    #[test]
    fn an_overlay_that_names_kinds_for_all_leaves_public_and_optional_what_the_document_says_is() {
        let document = r#"{"openapi": "3.0.3", "info": {"title": "a", "version": "1"}, "servers": [{"url": "https://a.example"}],
            "paths": {"/a": {"get": {"responses": {}}}, "/b": {"get": {"responses": {}, "security": [{}, {"key": []}]}},
            "/c": {"get": {"responses": {}, "security": []}}}}"#;
        let overlay = "overlay: 1.0.0\ninfo: {title: a, version: 1.0.0}\nactions:\n  - target: $\n    update: {x-keyfit: {credentials: [key]}}\n";
        let told: Vec<_> = needed(document, Some(overlay));
        let of = |sets: &[&[&str]], is_optional| SecurityRequirement::OneOf { sets: sets_of(sets), is_optional };
        assert_eq!(told, [of(&[&["key"]], false), of(&[&["key"]], true), of(&[], true)]);
        assert!(told[0].accepts_alone("key") && !told[2].accepts_alone("key"));
    }

    #[test]
    fn an_overlay_may_say_that_a_single_operation_is_public() {
        let document = r#"{"openapi": "3.0.3", "info": {"title": "a", "version": "1"}, "servers": [{"url": "https://a.example"}],
            "security": [{"key": []}],
            "paths": {"/a": {"get": {"responses": {}}}, "/b": {"get": {"responses": {}, "security": [{}, {"key": []}]}}}}"#;
        let overlay = "overlay: 1.0.0\ninfo: {title: a, version: 1.0.0}\nactions:\n  - target: $.paths.*.get\n    update: {x-keyfit: {credentials: []}}\n";
        let of = |sets: &[&[&str]]| SecurityRequirement::OneOf { sets: sets_of(sets), is_optional: true };
        assert_eq!(needed(document, Some(overlay)), [of(&[]), of(&[&["key"]])]);
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
        let of = |sets: &[&[&str]], is_optional| SecurityRequirement::OneOf { sets: sets_of(sets), is_optional };
        let expected =
            [of(&[&["key"]], false), of(&[], true), of(&[&["key"]], true), of(&[&["other"], &["key", "other"]], false)];
        assert_eq!(needed(&document, None), expected);
    }
}
