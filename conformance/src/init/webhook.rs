//! The questions of a new contract about deliveries of the server: documents do not describe the registration of webhooks, nor the signatures
//! of deliveries.

use std::fmt::Write as _;

use keyfit_openapi::{Api, Operation};
use serde_json::Value;

use super::quoted;
use crate::text::pointer;
use crate::webhook::Expression;

/// The webhooks of a document, and the callbacks whose URL a caller determines.
#[derive(Debug, Default)]
pub(super) struct DeliveryFacts {
    webhooks: Vec<String>,
    /// By name, with the operation that declares it.
    callbacks: Vec<(String, String)>,
    /// The likely registration of a URL: the operation, and the place in its body.
    registration: Option<(String, String)>,
}

/// The highest number of deliveries with separate questions.
const MAX_DELIVERIES: usize = 3;
/// Words in paths at which URLs are registered.
const REGISTRATION_WORDS: [&str; 6] = ["callback", "endpoint", "hook", "notification", "subscription", "webhook"];
/// Words in the names of members that contain such URLs.
const URL_WORDS: [&str; 5] = ["callback", "endpoint", "target", "uri", "url"];

/// The sources of rules about deliveries.
pub(super) const SOURCES: &[(&str, &str, &str)] = &[
    ("openapi", "OpenAPI Specification 3.1", "https://spec.openapis.org/oas/v3.1.1.html"),
    (
        "webhooks",
        "Standard Webhooks",
        "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
    ),
];

impl DeliveryFacts {
    pub(super) fn read(api: &Api) -> Self {
        let mut found = Self::default();
        for webhook in &api.webhooks {
            if !found.webhooks.contains(&webhook.name) {
                found.webhooks.push(webhook.name.clone());
            }
        }
        for operation in &api.operations {
            for callback in &operation.callbacks {
                let expression = callback.url.as_deref().and_then(Expression::read);
                let is_known = found.callbacks.iter().any(|(name, _)| *name == callback.name);
                if !is_known && expression.is_some_and(|one| one.given_by().is_some()) {
                    found.callbacks.push((callback.name.clone(), operation.id.clone()));
                }
            }
        }
        found.registration = api.operations.iter().find_map(|operation| registers(api, operation));
        found
    }

    pub(super) fn is_empty(&self) -> bool {
        self.webhooks.is_empty() && self.callbacks.is_empty()
    }

    /// Returns the questions as a comment: the terms of each delivery, and the rules that would apply with them.
    pub(super) fn questions(&self, left_out: &[String]) -> String {
        if self.is_empty() {
            return String::new();
        }
        let mut text = String::from(
            "\n# What does the server send by itself? Take out the `#` before what holds, and correct it.\n#\n",
        );
        let (operation, at) = self.registration.clone().unwrap_or(("OPERATION".to_owned(), "/url".to_owned()));
        for name in self.webhooks.iter().take(MAX_DELIVERIES) {
            let _ = write!(
                text,
                "# [webhooks.{name}]\n\
                 # # The operation by which a URL is registered, and where its body has it.\n\
                 # registered-by = {operation}\n\
                 # url-at = {at}\n\
                 # # Which events are wanted, where it has to be said.\n\
                 # # with = {{ \"/events\" = [{name}] }}\n\
                 # # The operation whose success makes the server deliver.\n\
                 # triggered-by = \"OPERATION\"\n\
                 # source = {{ page = \"document\", section = \"webhooks\" }}\n#\n",
                name = quoted(name),
                operation = quoted(&operation),
                at = quoted(&at),
            );
        }
        for (name, operation) in self.callbacks.iter().take(MAX_DELIVERIES) {
            let _ = write!(
                text,
                "# [webhooks.{name}]\n\
                 # # Where each success of it brings a delivery within seconds.\n\
                 # triggered-by = {operation}\n\
                 # source = {{ page = \"document\", section = \"callbacks\" }}\n#\n",
                name = quoted(name),
                operation = quoted(operation),
            );
        }
        let first = self.webhooks.first().or(self.callbacks.first().map(|(name, _)| name));
        let _ = write!(
            text,
            "# # How is it signed? The secret belongs into the tokens file: [webhook-secrets] {name} = {{ env = \"VARIABLE\" }}\n\
             # [webhooks.{name}.signature]\n\
             # header = \"X-Signature\"\n\
             # algorithm = \"hmac-sha256\"\n\
             # encoding = \"hex\"\n\
             # prefix = \"sha256=\"\n\
             # signs = \"body\"\n",
            name = quoted(first.map_or("", String::as_str)),
        );
        for line in left_out.iter().flat_map(|rule| rule.trim_end().lines()) {
            let _ = writeln!(text, "{}", format!("# {line}").trim_end());
        }
        text
    }
}

/// Returns the member in the body of an operation with a URL that it registers.
fn registers(api: &Api, operation: &Operation) -> Option<(String, String)> {
    let path = operation.path.to_lowercase();
    let is_registry = operation.method == "POST" && REGISTRATION_WORDS.iter().any(|word| path.contains(word));
    let body = operation.body.as_ref().filter(|_| is_registry)?;
    let members = api.resolve(&body.schema)["properties"].as_object()?;
    let is_url = |(name, schema): &(&String, &Value)| {
        let name = name.to_lowercase();
        api.kind(schema) == Some("string") && URL_WORDS.iter().any(|word| name.contains(word))
    };
    let (name, _) = members.iter().find(is_url)?;
    Some((operation.id.clone(), pointer::join("", name)))
}
