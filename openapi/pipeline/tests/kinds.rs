//! Which tokens a generated client takes, by its contract or by the security schemes of its document.

use keyfit_openapi::{Failure, Generated, Source, Text, generate};

const DOCUMENT: &str = "openapi: 3.1.0
info: {title: Parcels, version: '1'}
servers: [{url: https://parcels.example}]
paths:
  /parcels:
    get: {operationId: list, responses: {'204': {description: none}}}
";

fn generated(document: &str, overlay: Option<&str>, contract: Option<&str>) -> Result<Generated, Failure> {
    generate(&Source {
        name: "parcels".to_owned(),
        document: Text::new("parcels.yaml", document),
        overlay: overlay.map(|text| Text::new("overlay.yaml", text)),
        contract: contract.map(|text| Text::new("contract.toml", text)),
    })
}

/// The tokens as a review sees them.
fn tokens(client: &Generated) -> String {
    let (_, rest) = client.surface.split_once("tokens\n").expect("the surface names tokens");
    rest.split_once("types\n").map_or(rest, |(tokens, _)| tokens).to_owned()
}

/// The tokens of a document with this end.
fn of_document(end: &str) -> String {
    let client = generated(&format!("{DOCUMENT}{end}"), None, None);
    tokens(&client.unwrap_or_else(|failure| panic!("{failure}")))
}

/// The tokens of a contract, with these hints for all operations.
fn of_contract(credentials: &str, contract: &str) -> String {
    let overlay = format!(
        "overlay: 1.0.0\ninfo: {{title: o, version: '1'}}\nactions:\n  - {{target: $, update: {{x-keyfit: {{credentials: [{credentials}]}}}}}}\n"
    );
    let client = generated(DOCUMENT, Some(&overlay), Some(contract));
    tokens(&client.unwrap_or_else(|failure| panic!("{failure}")))
}

#[test]
fn a_document_that_says_nothing_gives_one_bearer_token() {
    assert_eq!(of_document(""), "  Token: token from PARCELS_TOKEN as bearer token\n");
}

#[test]
fn no_two_kinds_are_read_from_one_variable() {
    let schemes = "security: [{apiKey: []}, {api_key: []}, {base-url: []}]
components:
  securitySchemes:
    apiKey: {type: apiKey, in: header, name: X-Api-Key}
    api_key: {type: http, scheme: bearer}
    base-url: {type: http, scheme: bearer}
";
    assert_eq!(
        of_document(schemes),
        "  ApiKey: apiKey from PARCELS_API_KEY in X-Api-Key
  ApiKey2: api_key from PARCELS_API_KEY_2 as bearer token
  BaseUrlToken: base-url from PARCELS_BASE_URL_2 as bearer token
"
    );
    // What the contract names stays, whichever comes first.
    let contract = "[[credential]]\nkind = \"one\"\n[[credential]]\nkind = \"two\"\nvariable = \"PARCELS_ONE\"\n";
    assert_eq!(
        of_contract("one, two", contract),
        "  OneToken: one from PARCELS_ONE_2 as bearer token\n  TwoToken: two from PARCELS_ONE as bearer token\n"
    );
}

#[test]
fn every_base_url_of_a_document_has_a_name() {
    let servers = "servers: [{url: https://parcels.example, description: Live}, {url: https://test.example, description: 'Test, [x](javascript:1)'}]";
    let document = DOCUMENT.replace("servers: [{url: https://parcels.example}]", servers);
    let code = generated(&document, None, None).expect("a client").code;
    for expected in [
        ".with_base_urls(&[\"https://parcels.example\", \"https://test.example\"])",
        "pub const LIVE: &str = \"https://parcels.example\";",
        "/// The default. Live",
    ] {
        assert!(code.contains(expected), "{expected}");
    }
    let one = generated(DOCUMENT, None, None).expect("a client").code;
    assert!(!one.contains("pub mod base_urls"));
}

#[test]
fn schemes_of_a_document_are_kinds_as_far_as_one_credential_carries_them() {
    let schemes = "security: [{api_key: []}, {oauth: [read]}, {basic: []}, {cookie: []}]
components:
  securitySchemes:
    api_key: {type: apiKey, in: header, name: X-Api-Key}
    oauth: {type: oauth2, flows: {}}
    basic: {type: http, scheme: basic}
    cookie: {type: apiKey, in: cookie, name: sid}
    unused: {type: http, scheme: bearer}
";
    assert_eq!(
        of_document(schemes),
        "  ApiKey: api_key from PARCELS_API_KEY in X-Api-Key\n  OauthToken: oauth from PARCELS_OAUTH as bearer token\n"
    );
}

#[test]
fn schemes_that_no_requirement_names_count_where_there_is_no_requirement() {
    let schemes = "components: {securitySchemes: {login: {type: http, scheme: bearer}}}\n";
    assert_eq!(of_document(schemes), "  LoginToken: login from PARCELS_LOGIN as bearer token\n");
}

#[test]
fn an_api_without_security_takes_no_credential() {
    let client = generated(&format!("{DOCUMENT}security: []\n"), None, None).expect("a client");
    assert_eq!(tokens(&client), "  the client takes no credential\n");
    assert!(client.code.contains("pub fn new() -> "), "{}", client.code);
}

#[test]
fn what_cannot_be_sent_is_told() {
    let schemes = "security: [{basic: []}]\ncomponents: {securitySchemes: {basic: {type: http, scheme: basic}}}\n";
    let client = generated(&format!("{DOCUMENT}{schemes}"), None, None).expect("a client");
    assert_eq!(tokens(&client), "  the client takes no credential\n");
    let told = client.repairs.iter().find(|repair| repair.rule == "credential").expect("it is told");
    assert!(told.narrowed && told.note.contains("`basic`"), "{}", told.note);
    assert_eq!(told.pointer, "/components/securitySchemes/basic");
}

#[test]
fn the_contract_says_more_than_the_document() {
    let contract = "[[credential]]
kind = \"live-key\"
prefix = \"pk_live_\"
test-prefix = \"pk_test_\"
variable = \"PARCELS\"
carriers = [{ query = \"key\" }, { named-header = \"X-Key\" }]
[[credential]]
kind = \"session\"
";
    let both =
        "  LiveKey: live-key from PARCELS in X-Key\n  SessionToken: session from PARCELS_SESSION as bearer token\n";
    assert_eq!(of_contract("live-key, session", contract), both);
    // A kind that opens nothing is there for a rule.
    assert_eq!(of_contract("live-key", contract), "  LiveKey: live-key from PARCELS in X-Key\n");
    // Where no operation says what it takes, all kinds open the API.
    let client = generated(DOCUMENT, None, Some(contract)).expect("a client");
    assert_eq!(tokens(&client), both);
    assert!(client.code.contains("&[\"pk_live_\", \"pk_test_\"]"), "{}", client.code);
}

#[test]
fn a_key_in_authorization_has_the_scheme_that_the_contract_says() {
    let schemes = "components: {securitySchemes: {key: {type: apiKey, in: header, name: Authorization}}}\n";
    let client = generated(&format!("{DOCUMENT}{schemes}"), None, None).expect("a client");
    assert_eq!(tokens(&client), "  Key: key from PARCELS_KEY as bearer token\n");
    assert!(client.repairs.iter().any(|repair| repair.rule == "credential" && repair.note.contains("{ scheme = ")));
    let contract = "[[credential]]\nkind = \"key\"\ncarriers = [{ scheme = \"Bot\" }]\n";
    let client = generated(&format!("{DOCUMENT}{schemes}"), None, Some(contract)).expect("a client");
    assert_eq!(tokens(&client), "  Key: key from PARCELS_KEY with the scheme Bot\n");
    assert!(client.code.contains("Carrier::Scheme(\"Bot\")"), "{}", client.code);
}

#[test]
fn a_kind_of_another_api_has_no_type_here() {
    let contract = "[[credential]]\nkind = \"shared\"\nof = \"carriers\"\n";
    assert_eq!(of_contract("shared", contract), "  of another API, such as shared\n");
    assert_eq!(of_contract("a", "credential = []\n"), "  the client takes no credential\n");
}

#[test]
fn kinds_whose_names_meet_in_rust_are_told_apart() {
    let contract =
        "[[credential]]\nkind = \"api key\"\n[[credential]]\nkind = \"api-key\"\n[[credential]]\nkind = \"client\"\n";
    assert_eq!(
        of_contract("api key, api-key, client", contract),
        "  ApiKey: api key from PARCELS_API_KEY as bearer token
  ApiKey2: api-key from PARCELS_API_KEY_2 as bearer token
  ClientToken: client from PARCELS_CLIENT as bearer token
"
    );
}

#[test]
fn a_contract_that_cannot_be_read_is_a_failure_with_its_place() {
    let failure = generated(DOCUMENT, None, Some("[[credential]]\nkind = 3\n")).expect_err("a number");
    assert_eq!(failure.place.to_string(), "contract.toml:2:8");
}
