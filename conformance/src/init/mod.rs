//! A first contract for a bare document: what the document says of security, errors and rate limits, and the rules that
//! the RFCs add whether it says so or not.

mod contract;
mod document;
mod overlay;
mod rules;
mod tokens;

use std::sync::Arc;

use keyfit_openapi::{Api, Failure, Source, Text, openers};

use self::document::Facts;
use crate::catalogue::{Catalogue, Reach};
use crate::contract::Carrier;

/// The files of a new API folder.
#[derive(Clone, Debug)]
pub struct Scaffold {
    /// `overlay.yaml`: kinds of token and scopes of each operation, where the check looks for them.
    pub overlay: String,
    /// `contract.toml`.
    pub contract: String,
    /// A tokens file to fill in.
    pub tokens: String,
    /// The kind of token that clients send, and where; none where every key belongs into the query.
    pub client: Option<(String, Carrier)>,
    /// The cases that follow.
    pub cases: usize,
    /// What the document says and the check has no word for, or does not say and the contract needs.
    pub notes: Vec<String>,
}

/// Writes overlay, contract and tokens file for a document. `name` is the name of the API: lower case, without dots. Clients are
/// held to the contract too, unless every key belongs into the query, where no client puts one.
///
/// # Errors
/// A document that cannot be used, or that names no credential which the check can send.
pub fn scaffold(name: &str, document: &Text) -> Result<Scaffold, Failure> {
    let mut source = Source { name: name.to_owned(), document: document.clone(), overlay: None, contract: None };
    let api = Api::read(&source)?;
    let mut facts = Facts::read(&api);
    facts.notes.extend(api.ignored_hints());
    if let (true, Some(note)) = (api.operations.is_empty(), document::left_out(&api).first()) {
        let problem = format!("no operation of the document can be called: {note}");
        return Err(Failure::of_file(&document.path, problem, "correct the document: there is nothing to check"));
    }
    if facts.schemes.is_empty() {
        // Notes on other matters do not say why.
        let why = facts.notes.iter().find(|note| note.contains("scheme `"));
        let (problem, help) = match why {
            Some(note) if note.contains("no operation asks") => (
                format!("no call of the document needs a credential: {note}"),
                "the check is about who may call what, so that init has nothing to write; a client alone needs no \
                 folder: `keyfit generate FILE --out src/api.rs`. Otherwise name a scheme under `security`, of \
                 the document or of the calls that need it; one beside `{}` is needed by nobody",
            ),
            Some(note) => (
                format!("the document names no credential that the check can send: {note}"),
                "the check logs in with http bearer, oauth2, openIdConnect, or apiKey in a header or the query: \
                 if the API takes one of these as well, describe it under components.securitySchemes, and name it \
                 under `security`. A client alone can send HTTP Basic, other HTTP schemes and cookies too, and \
                 needs no folder: `keyfit generate FILE --out src/api.rs`",
            ),
            None => (
                "the document names no credential: every call of the API is open to anybody".to_owned(),
                "the check is about who may call what, so that init has nothing to write; a client alone needs no \
                 folder: `keyfit generate FILE --out src/api.rs`. If its calls do need a credential, describe it \
                 under components.securitySchemes, and name it under `security`",
            ),
        };
        return Err(Failure::of_file(&document.path, problem, help));
    }
    let overlay = overlay::text(&facts);
    // It is read again, and may be large.
    drop(api);
    source.overlay = Some(Text::new("overlay.yaml", overlay.clone()));
    // Which rules mean something for this API is known to whoever expands them.
    let head = contract::head(name, &document.path, &facts);
    let contract = |rules: &str| Text::new("contract.toml", format!("{head}{rules}"));
    let api = Arc::new(Api::read(&source)?);
    let mut rules = rules::of(name, &facts);
    let reach = Reach::of(&api);
    let alone: String = rules.iter().map(|rule| rules::alone(rule)).collect();
    let mut has_cases = Catalogue::with_cases(&reach, &contract(&alone))?.into_iter();
    rules.retain(|_| has_cases.next().unwrap_or_default());
    let kept = rules::joined(&rules);
    let openers = openers(&api, Some(&contract(&kept)))?;
    let catalogue = Catalogue::of(api, &contract(&kept))?;
    Ok(Scaffold {
        tokens: tokens::text(&facts, &catalogue, &openers),
        client: facts.client().map(|scheme| (scheme.kind.clone(), scheme.carrier.clone())),
        cases: catalogue.cases.len(),
        overlay,
        contract: format!("{head}{kept}"),
        notes: facts.notes,
    })
}

/// A text as a TOML and YAML string: both take JSON's, but for one letter.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contract;

    const BARE: &str = include_str!("../../tests/fixtures/bare/openapi.yaml");

    #[test]
    fn a_bare_document_becomes_a_contract_that_can_be_read() {
        let made = scaffold("parcels", &Text::new("openapi.yaml", BARE)).expect("a contract");
        let contract = Contract::read(&Text::new("contract.toml", made.contract.as_str())).expect("it can be read");
        let rules: Vec<&str> = contract.rules.iter().map(|rule| rule.id.as_str()).collect();
        for expected in ["parcels.auth.no-token", "parcels.scope.lacking", "parcels.tenant.foreign-accountId"] {
            assert!(rules.contains(&expected), "{expected} is not in {rules:?}");
        }
        assert!(made.cases > 50, "{}", made.cases);
        insta::assert_snapshot!(
            "parcels",
            format!("{}\n{}\n{}\n{:#?}", made.overlay, made.contract, made.tokens, made.notes)
        );
    }

    #[test]
    fn a_login_that_is_optional_asks_nothing_and_one_of_two_credentials_is_noted() {
        let of = |security: &str| {
            let text = BARE.replacen("security: [{ oauth: [parcels.read] }]", security, 1);
            scaffold("parcels", &Text::new("openapi.yaml", text)).expect("a contract")
        };
        let optional = of("security: [{ oauth: [parcels.read] }, {}]");
        assert!(optional.overlay.contains("parcels'].get\"\n    description: As its security requirement and its answers say.\n    update: { x-keyfit: { credentials: [], retry: safe } }"), "{}", optional.overlay);
        let both = of("security: [{ oauth: [parcels.read], legacy: [] }]");
        let note = "GET /accounts/{accountId}/parcels wants several credentials at once: one alone is sent";
        assert!(both.notes.iter().any(|said| said == note), "{:?}", both.notes);
    }

    #[test]
    fn of_what_one_operation_has_thousands_the_first_are_kept_and_that_is_noted() {
        let get = |id: &str| serde_json::json!({ "get": { "operationId": id, "responses": { "200": { "description": "ok" } } } });
        let name = |index: usize| format!("login{index}");
        let scheme = serde_json::json!({ "type": "http", "scheme": "bearer" });
        let schemes: serde_json::Map<_, _> = (0..300).map(|index| (name(index), scheme.clone())).collect();
        let path = (0..300).fold(String::new(), |path, index| format!("{path}/{{id{index}}}"));
        let text = serde_json::json!({
            "openapi": "3.0.3",
            "info": { "title": "Many", "version": "1" },
            "servers": [{ "url": "https://many.example" }],
            "security": (0..300).map(|index| serde_json::json!({ name(index): [] })).collect::<Vec<_>>(),
            "paths": { path: get("deep"), "/a": get("a") },
            "components": { "securitySchemes": schemes },
        });
        let text = text.to_string();
        let made = scaffold("many", &Text::new("many.yaml", text)).expect("a contract");
        let contract = Contract::read(&Text::new("contract.toml", made.contract.as_str())).expect("it can be read");
        let is_about_ids =
            |rule: &&crate::contract::Rule| matches!(rule.probe, Some(crate::contract::Probe::UnknownId(_)));
        assert_eq!(contract.rules.iter().filter(is_about_ids).count(), 50);
        assert_eq!(contract.credentials.len(), 20);
        for note in [
            "`deep` and 1 more: of more than 20 kinds of token the first 20 are kept",
            "`deep`: of more than 50 path parameters the first 50 have rules about ids",
        ] {
            assert!(made.notes.iter().any(|said| said == note), "{:?}", made.notes);
        }
    }

    #[test]
    fn an_operation_that_no_request_can_be_made_for_is_left_out_with_a_note() {
        let long: String = (0..2000).flat_map(|index| ["/{p".to_owned(), index.to_string(), "}".to_owned()]).collect();
        let text = |paths: serde_json::Value| {
            serde_json::json!({
                "openapi": "3.0.3",
                "info": { "title": "Long", "version": "1" },
                "servers": [{ "url": "https://long.example" }],
                "security": [{ "login": [] }],
                "paths": paths,
                "components": { "securitySchemes": { "login": { "type": "http", "scheme": "bearer" } } },
            })
            .to_string()
        };
        let get = serde_json::json!({ "get": { "responses": { "200": { "description": "ok" } } } });
        let made = scaffold("long", &Text::new("long.yaml", text(serde_json::json!({ &long: get, "/a": get }))));
        let made = made.expect("a contract");
        let is_told = |note: &&String| {
            note.starts_with("`GET /{p0}/{p1}") && note.contains("…`: left out, because the path is longer")
        };
        assert_eq!(made.notes.iter().filter(is_told).count(), 1, "{:?}", made.notes);
        assert!(made.overlay.contains("$.paths['/a'].get") && !made.overlay.contains("p0"), "{}", made.overlay);
        let alone = scaffold("long", &Text::new("long.yaml", text(serde_json::json!({ &long: get }))));
        let refusal = alone.expect_err("there is nothing to check").to_string();
        assert!(refusal.contains("no operation of the document can be called: `GET /{p0}"), "{refusal}");
        // The longest path that is not left out, with a letter that wants an escape each.
        let quotes = format!("/{}", "'".repeat(7999));
        let made =
            scaffold("long", &Text::new("long.yaml", text(serde_json::json!({ quotes: get })))).expect("a contract");
        assert!(
            made.cases > 0 && made.notes.iter().all(|note| !note.contains("left out, because")),
            "{:?}",
            made.notes
        );
    }

    #[test]
    fn what_a_document_calls_a_parameter_stays_within_its_quotes() {
        let document = serde_json::json!({
            "openapi": "3.0.3",
            "info": { "title": "Odd\u{7}\n[sources]", "version": "1" },
            "servers": [{ "url": "https://odd.example" }],
            "security": [{ "log\u{7f}in": [] }],
            "paths": { "/things/{id\"'}": { "get": { "responses": { "200": { "description": "ok" } } } } },
            "components": { "securitySchemes": { "log\u{7f}in": { "type": "http", "scheme": "bearer" } } },
        });
        let made = scaffold("odd", &Text::new("odd.json", document.to_string())).expect("a contract");
        let contract = Contract::read(&Text::new("contract.toml", made.contract.as_str())).expect("it can be read");
        let is_about_it = |rule: &crate::contract::Rule| matches!(&rule.probe, Some(crate::contract::Probe::UnknownId(name)) if name == "id\"'");
        assert!(contract.rules.iter().any(is_about_it), "{}", made.contract);
    }

    #[test]
    fn a_document_without_credentials_is_refused() {
        let text = "openapi: 3.0.3\ninfo: {title: Open, version: '1'}\nservers: [{url: https://open.example}]\npaths:\n  /a:\n    get: {operationId: a, responses: {'200': {description: ok}}}\n";
        let refusal =
            |text: &str| scaffold("open", &Text::new("open.yaml", text)).expect_err("no credential").to_string();
        let open = refusal(text);
        assert!(open.contains("names no credential: every call") && open.contains("keyfit generate"), "{open}");
        let optional = refusal(&format!(
            "{text}security: [{{}}, {{login: []}}]\ncomponents: {{securitySchemes: {{login: {{type: http, scheme: bearer}}}}}}\n"
        ));
        assert!(optional.contains("no call of the document needs a credential"), "{optional}");
        for (scheme, name) in [("http, scheme: basic", "HTTP Basic"), ("apiKey, in: cookie, name: sid", "a cookie")] {
            let said = refusal(&format!("{text}components: {{securitySchemes: {{login: {{type: {scheme}}}}}}}\n"));
            assert!(said.contains(&format!("`login`, {name}, is none that the check can send")), "{said}");
            assert!(said.contains("logs in with http bearer"), "{said}");
        }
    }

    #[test]
    fn a_429_that_says_how_long_to_wait_is_a_limit() {
        // A 429 with `Retry-After` is all that is left of its limits.
        let slow = BARE.replace("RateLimit-", "Other-");
        let made = scaffold("parcels", &Text::new("openapi.yaml", slow)).expect("a contract");
        let contract = Contract::read(&Text::new("contract.toml", made.contract.as_str())).expect("it can be read");
        assert!(contract.rate_limit.is_some_and(|rules| !rules.names_its_headers() && rules.retry_after));
        let has = |rule: &str| contract.rules.iter().any(|known| known.id == format!("parcels.{rule}"));
        for rule in ["rate.exhausted", "client.rate-limited", "client.limit-waited"] {
            assert!(has(rule), "{rule}: {}", made.contract);
        }
        assert!(!has("rate.headers") && !has("client.reset-in-the-past"), "no header says what is left");
    }
}
