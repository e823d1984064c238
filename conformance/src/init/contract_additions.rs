//! The facts of a document that the overlay and the contract of an earlier `keyfit init` lack: a corrected overlay does not require another
//! `init`. They are read as `init` reads them; existing statements of the two take precedence.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use keyfit_openapi::Api;

use super::contract;
use super::document::Facts;
use crate::contract::{Batch, Contract, Probe};

impl Facts {
    /// Sets the properties of each operation that the overlay does not mention: scopes, cost, pagination, and the places of batch outcomes.
    pub(super) fn complete(&self, api: &mut Api) {
        for access in &self.operations {
            let silent = |key: &str| api.hint(&api.operations[access.place], key).is_none();
            let (of_scopes, of_money) = (silent("scopes"), silent("spends"));
            let operation = &mut api.operations[access.place];
            if of_scopes {
                operation.scopes.clone_from(&access.scopes);
            }
            operation.spends |= of_money && access.spends;
        }
        let pages: HashMap<String, _> =
            api.guesses.iter().map(|(id, guess)| (id.clone(), guess.pagination.clone())).collect();
        let batches: HashMap<&String, _> = self.batches.iter().map(|(id, guess)| (id, &guess.partial)).collect();
        for operation in &mut api.operations {
            // If the overlay mentions a property, there is no guess.
            if let Some(found) = pages.get(&operation.id) {
                operation.pagination = Some(found.clone());
            }
            if let Some(partial) = batches.get(&operation.id).filter(|_| operation.partial.is_empty()) {
                operation.partial = vec![(*partial).clone()];
            }
        }
    }
}

/// The additions to a contract.
#[derive(Debug)]
pub(super) struct ContractAdditions {
    /// Whole tables, as text.
    pub(super) tables: String,
    batches: Vec<Batch>,
    /// The kinds whose tokens have scopes, and the scopes that include others.
    scoped: BTreeSet<String>,
    includes: BTreeMap<String, BTreeSet<String>>,
    /// The number of its own rules.
    rules: usize,
    has_limits: bool,
}

impl ContractAdditions {
    /// Returns the facts that a parsed contract lacks.
    pub(super) fn of(api: &Api, own: &Contract, facts: &Facts) -> Self {
        let mut tables = String::new();
        if let Some(authorization) = facts.authorization.as_ref().filter(|_| own.authorization_server.is_none()) {
            tables.push_str(&authorization.section());
        }
        if own.rate_limit.is_none() {
            tables.push_str(&contract::rate_limit(facts));
        }
        let is_said = |id: &str| api.operation(id).is_some_and(|operation| own.batch_of(operation).is_some());
        let batches = facts.batches.iter().filter(|(id, _)| !is_said(id));
        Self {
            tables,
            batches: batches.map(|(id, guess)| contract::batch_of(id, guess)).collect(),
            scoped: facts.scoped.clone(),
            includes: facts.includes.clone(),
            rules: own.rules.len(),
            has_limits: own.rate_limit.is_some(),
        }
    }

    /// Adds them to the contract, whose text already has the tables and the rules of its set.
    pub(super) fn fill(&self, contract: &mut Contract) {
        contract.batches.extend(self.batches.iter().cloned());
        if let Some(limits) = contract.rate_limit.as_mut().filter(|_| !self.has_limits) {
            limits.is_of_document = true;
        }
        let tenants = contract.rules[self.rules..].iter().filter_map(|rule| match &rule.probe {
            Some(Probe::Foreign(name)) => Some(name.clone()),
            _ => None,
        });
        let tenants: BTreeSet<String> = tenants.collect();
        for credential in &mut contract.credentials {
            if credential.scoped.is_none() && self.scoped.contains(&credential.kind) {
                credential.scoped = Some(true);
                credential.includes.clone_from(&self.includes);
            }
            let is_bound = |name: &&String| credential.binds.contains(name);
            let new: Vec<String> = tenants.iter().filter(|name| !is_bound(name)).cloned().collect();
            credential.binds.extend(new);
        }
    }
}

#[cfg(test)]
mod tests {
    use keyfit_openapi::{Source, Text};

    use super::super::{CredentialChoices, scaffold};
    use crate::catalogue::{Catalogue, Side};

    /// A document that only describes a token.
    const PLAIN: &str = r"
openapi: 3.0.3
info: { title: Plain, version: '1' }
servers: [{ url: https://plain.example }]
security: [{ token: [] }]
paths:
  /things:
    get: { operationId: list, responses: { '200': { description: Things. } } }
    post:
      operationId: push
      requestBody:
        required: true
        content: { application/json: { schema: { type: array, maxItems: 9, items: { $ref: '#/components/schemas/Thing' } } } }
      responses: { '200': { description: Taken. } }
components:
  securitySchemes: { token: { type: http, scheme: bearer } }
  schemas:
    Thing: { type: object, required: [size], properties: { id: { type: string }, size: { type: integer } } }
";

    /// Returns the catalogue of the folder that `init` generates for the plain document, with these corrections of the overlay.
    fn corrected(corrections: &str, change: impl Fn(String) -> String) -> Catalogue {
        let document = Text::new("openapi.yaml", PLAIN);
        let made = scaffold("plain", &document, &CredentialChoices::default()).expect("a contract");
        let overlay = Some(Text::new("overlay.yaml", format!("{}{corrections}", made.overlay)));
        let contract = Some(Text::new("contract.toml", change(made.contract)));
        let source = Source { name: "plain".to_owned(), document, overlay, contract };
        Catalogue::read(&source).unwrap_or_else(|failure| panic!("{failure}"))
    }

    fn has(catalogue: &Catalogue, rule: &str, operation: &str) -> bool {
        catalogue.cases.iter().any(|case| {
            let id = catalogue.rule(case).id.strip_prefix("plain.").unwrap_or_default();
            id == rule && catalogue.operation(case).id == operation && case.side == Side::Server
        })
    }

    fn update(target: &str, update: &str) -> String {
        format!("  - target: $.{target}\n    update: {update}\n")
    }

    /// Returns an overlay action that adds an answer with these members to an operation on the things.
    fn answering(method: &str, members: &str) -> String {
        let schema = format!("{{ type: object, properties: {{ {members} }} }}");
        let content = format!("{{ application/json: {{ schema: {schema} }} }}");
        update(&format!("paths['/things'].{method}.responses['200']"), &format!("{{ content: {content} }}"))
    }

    const COUNTS: &str = "accepted: { type: integer }, failed: { type: integer }, errors: { type: array, items: { type: object, properties: { index: { type: integer } } } }";
    const FLOWS: &str = "{ components: { securitySchemes: { token: { type: oauth2, flows: { clientCredentials: { tokenUrl: https://plain.example/token, scopes: { read: Read. } } } } } } }";
    const LIMITS: &str = "{ X-RateLimit-Limit: { schema: { type: integer } }, X-RateLimit-Remaining: { schema: { type: integer } }, X-RateLimit-Reset: { schema: { type: integer } } }";

    #[test]
    fn a_corrected_overlay_brings_rules_of_every_kind_without_another_init() {
        let get = "paths['/things'].get";
        let pages = "{ parameters: [{ name: page, in: query, schema: { type: integer, minimum: 1 } }, { name: per_page, in: query, schema: { type: integer } }] }";
        let listed =
            "total_pages: { type: integer }, items: { type: array, items: { $ref: '#/components/schemas/Thing' } }";
        let key = "{ parameters: [{ name: Idempotency-Key, in: header, schema: { type: string } }] }";
        let partial = "{ x-keyfit: { partial: { accepted: /accepted, rejected: /failed, rejected-items: /errors, position: /index } } }";
        let response = "accepted: { type: integer }, failed: { type: integer }, errors: { type: array, items: { type: object, properties: { index: { type: integer }, why: { type: string } } } }";
        let shop = "{ '/shops/{shop}/things': { get: { operationId: of_shop, parameters: [{ name: shop, in: path, required: true, schema: { type: string } }], responses: { '200': { description: Things. } } } } }";
        for (corrections, rule, operation) in [
            (answering("post", COUNTS), "batch.mixed", "push"),
            (answering("post", COUNTS), "batch.over-maximum", "push"),
            (answering("post", response) + &update("paths['/things'].post", partial), "batch.mixed", "push"),
            (update("paths['/things'].post", key), "repeat.same-key", "push"),
            (update(get, pages) + &answering("get", listed), "page.walk", "list"),
            (update(get, "{ security: [{ token: [read] }] }"), "scope.lacking", "list"),
            (update(get, "{ x-required-scopes: [read] }"), "scope.lacking", "list"),
            (update(get, "{ x-keyfit: { scopes: [read] } }"), "scope.lacking", "list"),
            (update(get, "{ security: [] }"), "auth.anonymous", "list"),
            (
                update("paths['/things'].get.responses['200']", &format!("{{ headers: {LIMITS} }}")),
                "rate.headers",
                "list",
            ),
            (update("", FLOWS).replace("$.\n", "$\n"), "oauth.unsupported-grant-type", "list"),
            (update("paths", shop), "tenant.foreign-shop", "of_shop"),
        ] {
            assert!(!has(&corrected("", |contract| contract), rule, operation), "{rule} is there before");
            let catalogue = corrected(&corrections, |contract| contract);
            let held: Vec<&str> = catalogue.contract.rules.iter().map(|rule| rule.id.as_str()).collect();
            assert!(has(&catalogue, rule, operation), "{rule} has no case at {operation}: {held:?}\n{corrections}");
        }
    }

    #[test]
    fn what_overlay_and_contract_say_counts_against_what_the_document_looks_like() {
        let none = update("paths['/things'].post", "{ x-keyfit: { partial: [] } }");
        assert!(!has(&corrected(&(answering("post", COUNTS) + &none), |contract| contract), "batch.mixed", "push"));
        let scoped = update("paths['/things'].get", "{ security: [{ token: [read] }] }");
        let unscoped = |contract: String| contract.replacen("\nbinds = []", "\nbinds = []\nscoped = false", 1);
        assert!(!has(&corrected(&scoped, unscoped), "scope.lacking", "list"));
        let one = "\n[batch]\noperations = [\"pu*\"]\nspoil = \"size\"\nsource = { page = \"document\" }\n";
        let batches = corrected(&answering("post", COUNTS), |contract| contract + one).contract.batches.clone();
        assert_eq!(batches.len(), 1, "{batches:?}");
        assert!(batches[0].maximum.is_none(), "it is that of the contract");
        let without = |contract: String| contract.replace("requirements = \"2026-12\"\n", "");
        assert!(corrected(&answering("post", COUNTS), without).contract.batches.is_empty());
    }
}
