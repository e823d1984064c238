//! A first contract for a bare document: the document's security, errors, and rate limits, and the rules of the RFCs, which apply whether
//! it mentions them or not.

mod authorization;
mod contract;
mod document;
mod fetching;
mod login;
mod overlay;
mod rules;
mod scopes;
mod servers;
mod sets;
mod silent;
mod tokens;
mod webhook;

use std::sync::Arc;

use keyfit_openapi::{Api, Error, Source, Text, accepted_tokens};
use serde_json::{Map, Value};

use self::document::Facts;
use self::login::Login;
pub use self::login::{Choice, Choices, Inclusion};
use crate::catalogue::{Catalogue, Reach};
use crate::contract::{Carrier, Contract};
use crate::quoting::quoted;

/// The files of a new API folder.
#[derive(Clone, Debug)]
pub struct Scaffold {
    /// `overlay.yaml`: the scopes of each operation, in the form that the check reads.
    pub overlay: String,
    /// `contract.toml`.
    pub contract: String,
    /// A tokens file to be completed.
    pub tokens: String,
    /// The kind of token that clients send, with its place; `None` if all keys are in the query.
    pub client: Option<(String, Carrier)>,
    /// The entries that the tokens file has room for, each with the number of cases that it would enable.
    pub questions: Vec<String>,
    /// The number of resulting cases.
    pub cases: usize,
    /// The path of the base URL if the document names no server; `None` if it names one.
    pub base_path: Option<String>,
    /// Parts of the document that the check cannot express, and missing parts that the contract needs.
    pub notes: Vec<String>,
}

/// Generates overlay, contract, and tokens file for a document. `name` is the name of the API in lower case, without dots. `choices` are the
/// user's choices for its credentials. The contract also has rules for clients, unless all keys are in the query, where clients send them
/// only on request.
///
/// # Errors
/// Returns an error if the document cannot be used, or if no operation accepts a credential that can be sent.
pub fn scaffold(name: &str, document: &Text, choices: &Choices) -> Result<Scaffold, Error> {
    let mut source = Source { name: name.to_owned(), document: document.clone(), overlay: None, contract: None };
    let mut api = Api::read(&source)?;
    let mut notes: Vec<String> = api.ignored_hints().into_iter().collect();
    if let (true, Some(note)) = (api.operations.is_empty(), document::left_out(&api).first()) {
        let problem = format!("no operation of the document can be called: {note}");
        return Err(Error::of_file(&document.path, problem, "correct the document: there is nothing to check"));
    }
    let login = Login::read(&api, &document.path, choices)?;
    notes.extend(login.notes);
    if !login.root.is_empty() {
        // The requirements of its operations are replaced.
        source.overlay = Some(Text::new("overlay.yaml", overlay::head(&api.title, &login.root)));
        api = Api::read(&source)?;
    }
    let mut facts = Facts::read(&api, login.schemes);
    facts.include(&choices.includes);
    notes.extend(std::mem::take(&mut facts.notes));
    if facts.schemes.is_empty() {
        return Err(nothing_to_check(&document.path, &api, &notes));
    }
    notes.extend(servers::notes(&api, &document.path));
    let overlay = overlay::text(&facts, &login.root);
    // The API is read again, and may be large.
    drop(api);
    source.overlay = Some(Text::new("overlay.yaml", overlay.clone()));
    // The catalogue determines which rules apply to this API.
    let head = contract::head(name, &document.path, &facts);
    let contract = |rules: &str| Text::new("contract.toml", format!("{head}{rules}"));
    let api = Arc::new(Api::read(&source)?);
    let rules = rules::of(name, &facts);
    let reach = Reach::of(&api);
    let alone: String = rules.iter().map(|rule| rules::alone(rule)).collect();
    let tried = contract(&alone);
    let mut has_cases = Catalogue::with_cases(&reach, (&Contract::parse(&tried)?, &tried), 0).into_iter();
    let (rules, left_out): (Vec<String>, Vec<String>) =
        rules.into_iter().partition(|_| has_cases.next().unwrap_or_default());
    let of_webhooks = format!("id = \"{name}.webhook.");
    let left_out: Vec<String> = left_out.into_iter().filter(|rule| rule.contains(&of_webhooks)).collect();
    let kept = rules::joined(&rules);
    let openers = accepted_tokens(&api, Some(&contract(&kept)))?;
    let catalogue = Catalogue::of(&api, &contract(&kept))?;
    Ok(Scaffold {
        tokens: tokens::text(&facts, &catalogue, &openers),
        questions: tokens::questions(&catalogue),
        client: facts.client().map(|scheme| (scheme.kind.clone(), scheme.carrier.clone())),
        cases: catalogue.cases.len(),
        base_path: (!api.names_server()).then(|| base_path(&api.base_url).to_owned()),
        overlay,
        contract: format!("{head}{kept}{}", facts.delivered.questions(&left_out)),
        notes,
    })
}

/// Returns the error for a document whose operations accept no credential that can be sent.
fn nothing_to_check(path: &str, api: &Api, notes: &[String]) -> Error {
    let declares =
        api.document.pointer("/components/securitySchemes").is_some_and(|schemes| schemes != &Value::from(Map::new()));
    // Notes about other topics do not explain it.
    let why = notes.iter().find(|note| note.contains("scheme `") || note.contains("no `security`"));
    let say = "say how calls log in: --credential bearer, basic, scheme:NAME, header:NAME, query:NAME or cookie:NAME";
    let client = "a client alone needs no folder: `keyfit generate FILE --out src/api.rs`";
    match why {
        Some(note) if note.contains("cannot be sent") => Error::of_file(
            path,
            format!("the document names no credential that the check can send: {note}"),
            format!(
                "if the API takes another one as well, describe it under components.securitySchemes and name it under `security`. Otherwise {client}"
            ),
        ),
        Some(note) => Error::of_file(
            path,
            format!("no call of the document needs a credential: {note}"),
            format!(
                "the check is about who may call what, so that init has nothing to write. If the calls do need one, name it under \
                 `security`, or pass --assume-secured; otherwise {client}"
            ),
        ),
        None if declares => Error::of_file(
            path,
            "no call of the document needs a credential",
            format!("name one under `security`, of the document or of the calls that need it; otherwise {client}"),
        ),
        None => Error::of_file(
            path,
            "the document names no credential: every call of the API is open to anybody",
            format!("if the calls do need one, {say}; otherwise {client}"),
        ),
    }
}

/// Returns the path of an absolute URL, without a trailing slash.
fn base_path(url: &str) -> &str {
    let host = url.find("://").map_or(0, |scheme| scheme + "://".len());
    url[host..].find('/').map_or("", |path| &url[host + path..]).trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: &str = include_str!("../../tests/fixtures/bare/openapi.yaml");

    #[test]
    fn a_bare_document_becomes_a_contract_that_can_be_read() {
        let made = scaffold("parcels", &Text::new("openapi.yaml", BARE), &Choices::default()).expect("a contract");
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

    fn rules(made: &Scaffold) -> Vec<String> {
        let contract = Contract::read(&Text::new("contract.toml", made.contract.as_str())).expect("it can be read");
        contract.rules.into_iter().map(|rule| rule.id).collect()
    }

    #[test]
    fn a_login_that_is_optional_and_one_of_two_credentials_have_rules_of_their_own() {
        let of = |security: &str| {
            let text = BARE.replacen("security: [{ oauth: [parcels.read] }]", security, 1);
            scaffold("parcels", &Text::new("openapi.yaml", text), &Choices::default()).expect("a contract")
        };
        let optional = of("security: [{ oauth: [parcels.read] }, {}]");
        let note = "with a credential or without, as the document says: rules about bad credentials are left out";
        assert!(optional.notes.iter().any(|said| said.ends_with(note)), "{:?}", optional.notes);
        assert!(rules(&optional).contains(&"parcels.auth.anonymous".to_owned()));
        let both = of("security: [{ oauth: [parcels.read], legacy: [] }]");
        let has = |rule: &str| rules(&both).contains(&format!("parcels.auth.{rule}"));
        assert!(["without-oauth", "without-legacy", "unknown-legacy"].into_iter().all(has), "{:?}", rules(&both));
    }

    /// Returns an API with two operations: `a`, and `b` with this security.
    fn open(security: &str, schemes: &str, root: &str) -> Text {
        let text = format!(
            "openapi: 3.0.3\ninfo: {{title: Open, version: '1'}}\nservers: [{{url: https://open.example}}]\npaths:\n  /a:\n    get: {{operationId: a, responses: {{'200': {{description: ok}}}}}}\n  /b:\n    get: {{operationId: b, {security}responses: {{'200': {{description: ok}}}}}}\n{root}{schemes}"
        );
        Text::new("open.yaml", text)
    }

    fn choices(texts: &[&str], assume_secured: bool) -> Choices {
        let credentials = texts.iter().map(|text| text.parse().expect(text)).collect();
        Choices { credentials, assume_secured, ..Choices::default() }
    }

    #[test]
    fn a_document_that_declares_no_scheme_is_told_one() {
        let refusal = scaffold("open", &open("", "", ""), &Choices::default()).expect_err("no credential").to_string();
        assert!(
            refusal.contains("names no credential: every call") && refusal.contains("--credential bearer"),
            "{refusal}"
        );
        for (text, kind, carrier) in [
            ("bearer", "token", "\"header\""),
            ("basic", "login", "\"basic\""),
            ("scheme:Bot", "token", "{ scheme = \"Bot\" }"),
            ("header:X-Key", "key", "{ named-header = \"X-Key\" }"),
            ("query:key", "key", "{ query = \"key\" }"),
            ("cookie:sid", "key", "{ cookie = \"sid\" }"),
            ("mine=cookie:sid", "mine", "{ cookie = \"sid\" }"),
        ] {
            let made = scaffold("open", &open("security: [], ", "", ""), &choices(&[text], false)).expect(text);
            assert!(made.contract.contains(&format!("kind = \"{kind}\"")), "{text}: {}", made.contract);
            assert!(made.contract.contains(&format!("carriers = [{carrier}]")), "{text}: {}", made.contract);
            assert!(made.overlay.contains(&format!("\"security\":[{{\"{kind}\":[]}}]")), "{text}: {}", made.overlay);
            let told = format!("`a`: taken to need `{kind}`, which the document does not say");
            assert!(made.notes.contains(&told), "{:?}", made.notes);
            let public = "`b`: public, as the document says: calls are to be served without a credential";
            assert!(made.notes.iter().any(|note| note == public), "{:?}", made.notes);
        }
    }

    const LOGIN: &str = "components: {securitySchemes: {login: {type: http, scheme: basic}}}\n";

    #[test]
    fn operations_of_which_a_document_says_nothing_are_named_and_secured_on_demand() {
        let document = open("security: [{login: []}], ", LOGIN, "");
        let made = scaffold("open", &document, &Choices::default()).expect("a contract");
        let told = "1 operation has no `security`, and the document names none for all: whoever calls is served without a credential, as OpenAPI has it: `a`; if they need one, pass --assume-secured";
        assert!(made.notes.iter().any(|note| note == told), "{:?}", made.notes);
        assert!(!made.overlay.contains("\"security\""), "{}", made.overlay);
        let made = scaffold("open", &document, &choices(&[], true)).expect("a contract");
        assert!(made.overlay.contains("\"security\":[{\"login\":[]}]"), "{}", made.overlay);
        assert!(made.notes.iter().all(|note| !note.contains("pass --assume-secured")), "{:?}", made.notes);
        // If no operation declares a requirement, the user has to choose.
        let refusal =
            scaffold("open", &open("", LOGIN, ""), &Choices::default()).expect_err("all are open").to_string();
        assert!(
            refusal.contains("no call of the document needs a credential") && refusal.contains("--assume-secured"),
            "{refusal}"
        );
        assert!(scaffold("open", &open("", LOGIN, ""), &choices(&[], true)).is_ok());
    }

    #[test]
    fn what_nobody_can_send_is_refused_with_its_place_unless_it_is_described() {
        let refused = |security: &str, schemes: &str| {
            scaffold("open", &open(security, schemes, ""), &Choices::default()).expect_err(schemes).to_string()
        };
        let stray = refused("security: [{login: []}, {stray: []}], ", LOGIN);
        assert!(stray.contains("`security` names the scheme `stray`, which the document does not declare"), "{stray}");
        assert!(stray.contains("open.yaml:8") && stray.contains("--credential stray=bearer"), "{stray}");
        let odd = "components:\n  securitySchemes:\n    login: {type: password}\n";
        let odd_type = refused("security: [{login: []}], ", odd);
        assert!(odd_type.contains("has the type `password`, which is none of OpenAPI's"), "{odd_type}");
        assert!(odd_type.contains("open.yaml:11") && odd_type.contains("--credential login=bearer"), "{odd_type}");
        let told = scaffold("open", &open("security: [{login: []}], ", odd, ""), &choices(&["login=basic"], false));
        assert!(told.expect("it is described").contract.contains("carriers = [\"basic\"]"));
        let digest = "components: {securitySchemes: {login: {type: http, scheme: digest}}}\n";
        let digest = refused("security: [{login: []}], ", digest);
        assert!(digest.contains("the scheme `login` cannot be sent: the HTTP scheme `digest` answers"), "{digest}");
        let none = scaffold("open", &open("security: [{login: []}], ", LOGIN, ""), &choices(&["lgoin=bearer"], false));
        let none = none.expect_err("no such scheme").to_string();
        assert!(none.contains("no security scheme `lgoin`") && none.contains("did you mean `login`?"), "{none}");
    }

    #[test]
    fn a_client_certificate_has_rules_and_a_place_in_the_tokens_file() {
        let machine = "components: {securitySchemes: {machine: {type: mutualTLS}}}\n";
        let made = scaffold("open", &open("security: [{machine: []}], ", machine, ""), &Choices::default());
        let made = made.expect("a contract");
        assert!(made.contract.contains("carriers = [\"client-certificate\"]"), "{}", made.contract);
        assert!(made.contract.contains("probe = \"no-certificate\""), "{}", made.contract);
        assert!(!made.contract.contains("probe = \"no-token\"") && made.client.is_none(), "{}", made.contract);
        assert!(made.tokens.contains("secret = { file = \"open-machine.pem\" }"), "{}", made.tokens);
    }

    #[test]
    fn a_key_in_authorization_is_told_its_scheme() {
        let bot = "components: {securitySchemes: {login: {type: apiKey, in: header, name: Authorization}}}\n";
        let document = open("security: [{login: []}], ", bot, "");
        let made = scaffold("open", &document, &Choices::default()).expect("a contract");
        assert!(
            made.notes.iter().any(|note| note.ends_with("pass --credential login=scheme:NAME")),
            "{:?}",
            made.notes
        );
        // A single scheme needs no name.
        for text in ["login=scheme:Bot", "scheme:Bot"] {
            let made = scaffold("open", &document, &choices(&[text], false)).expect("a contract");
            assert!(made.contract.contains("carriers = [{ scheme = \"Bot\" }]"), "{}", made.contract);
            assert!(made.notes.iter().all(|note| !note.contains("stands in `Authorization`")), "{:?}", made.notes);
        }
    }

    #[test]
    fn a_choice_that_cannot_be_sent_is_refused() {
        for (text, told) in [
            ("", "write bearer, basic"),
            ("token", "write bearer, basic"),
            ("header", "write bearer, basic"),
            ("bearer:X", "write bearer, basic"),
            ("header:X Key", "use letters, digits and hyphens"),
            ("cookie:", "use letters, digits and hyphens"),
            ("header:Authorization", "write `scheme:NAME`, or `bearer`"),
            ("=bearer", "use letters, digits and hyphens"),
        ] {
            let error = text.parse::<Choice>().expect_err(text);
            assert!(error.contains(told), "{text}: {error}");
        }
        for text in ["bearer", "a=basic", "scheme:Bot", "header:X-Key", "a=query:key", "cookie:sid"] {
            assert_eq!(text.parse::<Choice>().expect(text).to_string(), text);
        }
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
        let made = scaffold("many", &Text::new("many.yaml", text), &Choices::default()).expect("a contract");
        let contract = Contract::read(&Text::new("contract.toml", made.contract.as_str())).expect("it can be read");
        let is_about_ids =
            |rule: &&crate::contract::Rule| matches!(rule.probe, Some(crate::contract::Probe::UnknownId(_)));
        assert_eq!(contract.rules.iter().filter(is_about_ids).count(), 50);
        assert_eq!(contract.credentials.len(), 20);
        for note in [
            "`deep` and `a`: of more than 20 kinds of token the first 20 are kept",
            "`deep`: of more than 50 path parameters the first 50 have rules about ids",
        ] {
            assert!(made.notes.iter().any(|said| said == note), "{:?}", made.notes);
        }
    }

    #[test]
    fn operations_with_a_server_of_their_own_are_named_with_what_the_check_needs() {
        let document = "openapi: 3.0.3\ninfo: {title: Files, version: '1'}\nservers: [{url: https://files.example}]\nsecurity: [{key: []}]\npaths:\n  /files:\n    get: {operationId: list, responses: {'200': {description: ok}}}\n    post: {operationId: upload, servers: [{url: https://upload.example/v1}], responses: {'200': {description: ok}}}\ncomponents: {securitySchemes: {key: {type: http, scheme: bearer}}}\n";
        let made = scaffold("files", &Text::new("files.yaml", document), &Choices::default()).expect("a contract");
        let note = made.notes.iter().find(|note| note.contains("`https://upload.example/v1`")).expect("a note");
        assert!(note.starts_with("`upload`: ") && note.contains("--server 'https://upload.example/v1=URL'"), "{note}");
        assert!(made.overlay.contains("$.paths['/files'].post"), "{}", made.overlay);
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
        let made = scaffold(
            "long",
            &Text::new("long.yaml", text(serde_json::json!({ &long: get, "/a": get }))),
            &Choices::default(),
        );
        let made = made.expect("a contract");
        let is_told = |note: &&String| {
            note.starts_with("`GET /{p0}/{p1}") && note.contains("…`: left out, because the path is longer")
        };
        assert_eq!(made.notes.iter().filter(is_told).count(), 1, "{:?}", made.notes);
        assert!(made.overlay.contains("$.paths['/a'].get") && !made.overlay.contains("p0"), "{}", made.overlay);
        let alone =
            scaffold("long", &Text::new("long.yaml", text(serde_json::json!({ &long: get }))), &Choices::default());
        let refusal = alone.expect_err("there is nothing to check").to_string();
        assert!(refusal.contains("no operation of the document can be called: `GET /{p0}"), "{refusal}");
        // The longest path that is not left out, with characters that have to be escaped.
        let quotes = format!("/{}", "'".repeat(7999));
        let made =
            scaffold("long", &Text::new("long.yaml", text(serde_json::json!({ quotes: get }))), &Choices::default())
                .expect("a contract");
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
        let made =
            scaffold("odd", &Text::new("odd.json", document.to_string()), &Choices::default()).expect("a contract");
        let contract = Contract::read(&Text::new("contract.toml", made.contract.as_str())).expect("it can be read");
        let is_about_it = |rule: &crate::contract::Rule| matches!(&rule.probe, Some(crate::contract::Probe::UnknownId(name)) if name == "id\"'");
        assert!(contract.rules.iter().any(is_about_it), "{}", made.contract);
    }

    #[test]
    fn a_429_that_says_how_long_to_wait_is_a_limit() {
        // A 429 with `Retry-After` is the only description of its limits.
        let slow = BARE.replace("RateLimit-", "Other-");
        let made = scaffold("parcels", &Text::new("openapi.yaml", slow), &Choices::default()).expect("a contract");
        let contract = Contract::read(&Text::new("contract.toml", made.contract.as_str())).expect("it can be read");
        assert!(contract.rate_limit.is_some_and(|rules| !rules.names_its_headers() && rules.retry_after));
        let has = |rule: &str| contract.rules.iter().any(|known| known.id == format!("parcels.{rule}"));
        for rule in ["rate.exhausted", "client.rate-limited", "client.limit-waited"] {
            assert!(has(rule), "{rule}: {}", made.contract);
        }
        assert!(!has("rate.headers") && !has("client.reset-in-the-past"), "no header says what is left");
    }
}
