//! Which tokens a generated client takes, by its contract or by the security schemes of its document.

use keyfit_openapi::{Error, Generated, Source, Text, generate};

const DOCUMENT: &str = "openapi: 3.1.0
info: {title: Parcels, version: '1'}
servers: [{url: https://parcels.example}]
paths:
  /parcels:
    get: {operationId: list, responses: {'204': {description: none}}}
";

fn generated(document: &str, overlay: Option<&str>, contract: Option<&str>) -> Result<Generated, Error> {
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
fn schemes_of_a_document_are_kinds() {
    let schemes = "security: [{api_key: []}, {oauth: [read]}, {basic: []}, {cookie: []}, {other: []}, {query: []}]
components:
  securitySchemes:
    api_key: {type: apiKey, in: header, name: X-Api-Key}
    oauth: {type: oauth2, flows: {}}
    basic: {type: http, scheme: basic}
    cookie: {type: apiKey, in: cookie, name: sid}
    other: {type: http, scheme: Bot}
    query: {type: apiKey, in: query, name: key}
    unused: {type: http, scheme: bearer}
";
    assert_eq!(
        of_document(schemes),
        "  ApiKey: api_key from PARCELS_API_KEY in X-Api-Key
  OauthToken: oauth from PARCELS_OAUTH as bearer token
  BasicToken: basic from PARCELS_BASIC as user and password
  CookieToken: cookie from PARCELS_COOKIE in the cookie sid
  OtherToken: other from PARCELS_OTHER with the scheme Bot
  QueryToken: query from PARCELS_QUERY in the query as key
"
    );
}

#[test]
fn the_alternatives_of_each_call_stand_in_its_row_and_in_its_docs() {
    let operation = |id: &str, security: &str| {
        format!("  /{id}:\n    get: {{operationId: {id}, {security}responses: {{'204': {{description: none}}}}}}\n")
    };
    let paths = [
        operation("inherits", ""),
        operation("public", "security: [], "),
        operation("optional", "security: [{}, {key: []}], "),
        operation("several", "security: [{login: []}, {key: [], login: []}], "),
    ];
    let end = "security: [{key: []}]
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    login: {type: http, scheme: basic}
";
    let client = generated(&format!("{DOCUMENT}{}{end}", paths.concat()), None, None).expect("a client");
    // As rustfmt would have it or not.
    let code: String = client.code.split_whitespace().collect();
    for (id, row, told) in [
        ("inherits", "&[&[\"key\"]]", "- Token: `key`."),
        ("public", "&[&[]]", "- Token: none, and none is sent."),
        ("optional", "&[&[\"key\"],&[]]", "- Token: `key`, else none."),
        ("several", "&[&[\"login\"],&[\"key\",\"login\"]]", "- Token: `key` with `login`, else `login`."),
    ] {
        let (_, rest) = code.split_once(&format!("Operation::new(\"{id}\",")).expect(id);
        let row_of = rest.split_once(".with_security(").and_then(|(_, rest)| rest.split_once(')')).map(|(row, _)| row);
        assert_eq!(row_of.map(|row| row.replace(",]", "]")), Some(row.to_owned()), "{id}");
        assert!(client.code.contains(told), "{told}");
    }
    let silent = generated(DOCUMENT, None, None).expect("a client").code;
    assert!(!silent.contains("with_security"), "nothing is said, and whatever a client holds is sent");
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
fn a_client_certificate_is_a_scheme_of_the_api_and_no_token() {
    let schemes = "security: [{machine: []}, {machine: [], key: []}]
components:
  securitySchemes:
    machine: {type: mutualTLS}
    key: {type: http, scheme: bearer}
";
    let client = generated(&format!("{DOCUMENT}{schemes}"), None, None).expect("a client");
    assert_eq!(tokens(&client), "  Key: key from PARCELS_KEY as bearer token\n  machine by a client certificate\n");
    for expected in [".with_client_certificates(&[\"machine\"])", "pub fn without_credential(", "else `machine`."] {
        assert!(client.code.contains(expected), "{expected}");
    }
    assert!(client.repairs.iter().all(|repair| repair.rule != "credential"), "nothing is lost");
    let alone = "security: [{machine: []}]\ncomponents: {securitySchemes: {machine: {type: mutualTLS}}}\n";
    assert_eq!(of_document(alone), "  machine by a client certificate\n");
}

#[test]
fn a_client_without_a_credential_is_offered_where_it_has_something_to_call() {
    let schemes = "components: {securitySchemes: {key: {type: http, scheme: bearer}}}\n";
    let paths = |security: &str| {
        format!(
            "  /b:\n    get: {{operationId: b, security: {security}, responses: {{'204': {{description: none}}}}}}\n"
        )
    };
    for (end, is_offered) in [
        (String::new(), true),
        (schemes.to_owned(), true),
        (format!("security: [{{key: []}}]\n{schemes}"), false),
        (format!("{}security: [{{key: []}}]\n{schemes}", paths("[]")), true),
        (format!("{}security: [{{key: []}}]\n{schemes}", paths("[{key: []}, {}]")), true),
    ] {
        let client = generated(&format!("{DOCUMENT}{end}"), None, None).expect("a client");
        assert_eq!(client.code.contains("pub fn without_credential("), is_offered, "{end}");
    }
}

#[test]
fn two_schemes_that_a_request_cannot_carry_at_once_are_told() {
    let schemes = "security: [{key: [], login: []}]
components: {securitySchemes: {key: {type: http, scheme: bearer}, login: {type: http, scheme: basic}}}
";
    let client = generated(&format!("{DOCUMENT}{schemes}"), None, None).expect("a client");
    let told = client.repairs.iter().find(|repair| repair.rule == "credential").expect("it is told");
    assert_eq!(told.pointer, "/paths/~1parcels/get");
    assert_eq!(told.note, "no client can call it: it takes `key` with `login`, which a request cannot carry");
    assert!(client.code.contains("Narrower than the document: no client can call it"), "{}", client.code);
    // One that no client sends, beside one that opens another call.
    let closed =
        "  /b:\n    get: {operationId: b, security: [{digest: []}], responses: {'204': {description: none}}}\n";
    let schemes = "security: [{key: []}]
components: {securitySchemes: {key: {type: http, scheme: bearer}, digest: {type: http, scheme: digest}}}
";
    let client = generated(&format!("{DOCUMENT}{closed}{schemes}"), None, None).expect("a client");
    assert!(client.repairs.iter().any(|repair| repair.pointer == "/paths/~1b/get" && repair.note.contains("`digest`")));
    // A contract may call its kind otherwise.
    let contract = "[[credential]]\nkind = \"account\"\n";
    let client = generated(&format!("{DOCUMENT}{schemes}"), None, Some(contract)).expect("a client");
    assert!(client.repairs.iter().all(|repair| repair.rule != "credential"), "any kind opens it");
}

#[test]
fn the_flows_of_a_document_become_functions_and_constants() {
    let flows = |flows: &str| {
        format!(
            "security: [{{login: [read, lost]}}]\ncomponents: {{securitySchemes: {{login: {{type: oauth2, flows: {flows}}}}}}}\n"
        )
    };
    let service = "{clientCredentials: {tokenUrl: 'https://login.example/token', scopes: {read: See, other: Never}}}";
    let client = generated(&format!("{DOCUMENT}{}", flows(service)), None, None).expect("a client");
    for expected in [
        "pub fn oauth(",
        ".with_token_url(\"https://login.example/token\")",
        // What the operations ask for, of what the flow has.
        ".with_scopes(&[\"read\"])",
    ] {
        assert!(client.code.contains(expected), "{expected}\n{}", client.code);
    }
    let user =
        "{authorizationCode: {authorizationUrl: /consent, tokenUrl: '/token', refreshUrl: '/again', scopes: {}}}";
    let client = generated(&format!("{DOCUMENT}{}", flows(user)), None, None).expect("a client");
    assert!(!client.code.contains("pub fn oauth("), "a user consents");
    for expected in [
        "pub const AUTHORIZATION_CODE: ::keyfit::auth::OAuthFlow",
        ".with_authorization_url(\"https://parcels.example/consent\")",
        ".with_refresh_url(\"https://parcels.example/again\")",
        ".with_scopes(&[\"lost\", \"read\"])",
    ] {
        assert!(client.code.contains(expected), "{expected}\n{}", client.code);
    }
    let discovered = "security: [{web: [openid]}]\ncomponents: {securitySchemes: {web: {type: openIdConnect, openIdConnectUrl: 'https://id.example/t/.well-known/openid-configuration'}}}\n";
    let client = generated(&format!("{DOCUMENT}{discovered}"), None, None).expect("a client");
    assert!(client.code.contains(".with_issuer(\"https://id.example/t\")"), "{}", client.code);
    assert!(client.code.contains("pub async fn oauth("), "{}", client.code);
}

#[test]
fn an_overlay_says_for_how_long_a_flow_takes_a_refresh_token_again() {
    let flow = "security: [{login: []}]\ncomponents: {securitySchemes: {login: {type: oauth2, flows: {authorizationCode: \
                {authorizationUrl: /consent, tokenUrl: /token}}}}}\n";
    let said = |hints: &str| {
        let at = "$.components.securitySchemes.login.flows.authorizationCode";
        let overlay = format!(
            "overlay: 1.0.0\ninfo: {{title: o, version: '1'}}\nactions:\n  - {{target: {at}, update: {{x-keyfit: {hints}}}}}\n"
        );
        generated(&format!("{DOCUMENT}{flow}"), Some(&overlay), None).expect("a client")
    };
    let client = said("{refresh-grace: 30}");
    assert!(client.code.contains(".with_refresh_grace(::std::time::Duration::from_secs(30"), "{}", client.code);
    for hints in ["{refresh-grace: 0}", "{refresh-grace: soon}", "{grace: 30}", "30"] {
        let client = said(hints);
        assert!(!client.code.contains("AUTHORIZATION_CODE"), "{hints}");
        let told = client.repairs.iter().find(|repair| repair.rule == "oauth-flow").expect("it is told");
        assert!(told.pointer.ends_with("/flows/authorizationCode/x-keyfit"), "{}", told.pointer);
        assert!(told.note.contains("a whole number of seconds"), "{}", told.note);
    }
    // A document says nothing of it: only who has looked does.
    let published = flow.replace("tokenUrl: /token", "tokenUrl: /token, x-keyfit: {refresh-grace: 30}");
    let client = generated(&format!("{DOCUMENT}{published}"), None, None).expect("a client");
    assert!(!client.code.contains("with_refresh_grace"), "{}", client.code);
}

#[test]
fn a_flow_whose_url_may_not_be_used_is_told_and_left_out() {
    for (flow, at, told) in [
        ("clientCredentials: {tokenUrl: 'http://login.example/token'}", "clientCredentials/tokenUrl", "is plain http"),
        (
            "clientCredentials: {tokenUrl: 'http://127.0.0.1.example/token'}",
            "clientCredentials/tokenUrl",
            "is plain http",
        ),
        ("clientCredentials: {scopes: {}}", "clientCredentials/tokenUrl", "names no URL"),
        ("clientCredentials: {tokenUrl: 'login.example/token'}", "clientCredentials/tokenUrl", "is not a whole URL"),
        (
            "authorizationCode: {tokenUrl: 'https://login.example/token', authorizationUrl: 'http://login.example/'}",
            "authorizationCode/authorizationUrl",
            "is plain http",
        ),
    ] {
        let end = format!(
            "security: [{{login: []}}]\ncomponents: {{securitySchemes: {{login: {{type: oauth2, flows: {{{flow}}}}}}}}}\n"
        );
        let client = generated(&format!("{DOCUMENT}{end}"), None, None).expect("a client");
        assert!(!client.code.contains("OAuthFlow"), "{flow}");
        let repair = client.repairs.iter().find(|repair| repair.rule == "oauth-flow").expect(flow);
        assert_eq!(repair.pointer, format!("/components/securitySchemes/login/flows/{at}"));
        assert!(repair.narrowed && repair.note.contains(told), "{}", repair.note);
    }
    for url in ["http://127.0.0.1:8080/token", "http://[::1]/token", "http://localhost/token"] {
        let end = format!(
            "security: [{{login: []}}]\ncomponents: {{securitySchemes: {{login: {{type: oauth2, flows: {{clientCredentials: {{tokenUrl: '{url}'}}}}}}}}}}\n"
        );
        assert!(generated(&format!("{DOCUMENT}{end}"), None, None).expect("a client").code.contains(url), "{url}");
    }
}

#[test]
fn what_cannot_be_sent_is_told() {
    let schemes = "security: [{digest: []}]\ncomponents: {securitySchemes: {digest: {type: http, scheme: Digest}}}\n";
    let client = generated(&format!("{DOCUMENT}{schemes}"), None, None).expect("a client");
    assert_eq!(tokens(&client), "  the client takes no credential\n");
    let told = client.repairs.iter().find(|repair| repair.rule == "credential").expect("it is told");
    assert!(told.narrowed && told.note.contains("answers a challenge"), "{}", told.note);
    assert_eq!(told.pointer, "/components/securitySchemes/digest");
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
    assert_eq!(failure.location.to_string(), "contract.toml:2:8");
}
