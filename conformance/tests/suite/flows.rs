//! The flows of a document become the authorization server of its contract, and the mock beside it serves them.

use std::sync::Arc;

use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::contract::{Contract, GrantType};
use keyfit_conformance::init::{CredentialChoices, Scaffold, scaffold};
use keyfit_openapi::{Source, Text};
use serde_json::{Value, json};

use crate::common::{against_mock, broken, http, side, without};

/// An API with one scheme.
fn document(scheme: &Value) -> Text {
    let thing = json!({ "type": "object", "required": ["name"], "properties": { "name": { "type": "string" } } });
    let answers = json!({ "200": { "description": "ok", "content": { "application/json": { "schema": thing } } } });
    let get = |id: &str, scopes: &[&str]| json!({ "get": { "operationId": id, "security": [{ "login": scopes }], "responses": answers } });
    let document = json!({
        "openapi": "3.2.0",
        "info": { "title": "Flows", "version": "1" },
        "servers": [{ "url": "https://flows.example/v1" }],
        "paths": { "/things": get("things", &["read"]), "/others": get("others", &["write"]) },
        "components": { "securitySchemes": { "login": scheme } },
    });
    Text::new("flows.json", document.to_string())
}

/// A scheme with these flows, in their order, each with its URLs at the host of the API.
fn oauth(flows: &[&str]) -> Value {
    let flow = |name: &&str| {
        let mut flow = json!({ "scopes": { "read": "See", "write": "Change", "offline_access": "Stay" } });
        let urls: &[(&str, &str)] = match *name {
            "clientCredentials" | "password" => &[("tokenUrl", "/oauth/token")],
            "authorizationCode" => &[("tokenUrl", "/oauth/token"), ("authorizationUrl", "/oauth/consent")],
            "implicit" => &[("authorizationUrl", "/oauth/consent")],
            _ => &[("tokenUrl", "/oauth/token"), ("deviceAuthorizationUrl", "/oauth/device")],
        };
        for (member, url) in urls {
            flow[member] = json!(url);
        }
        ((*name).to_owned(), flow)
    };
    json!({ "type": "oauth2", "flows": flows.iter().map(flow).collect::<serde_json::Map<_, _>>() })
}

const ALL: [&str; 5] = ["implicit", "password", "clientCredentials", "authorizationCode", "deviceAuthorization"];

fn made(document: &Text) -> Scaffold {
    scaffold("flows", document, &CredentialChoices::default()).unwrap_or_else(|failure| panic!("{failure}"))
}

fn contract(made: &Scaffold) -> Contract {
    Contract::read(&Text::new("contract.toml", made.contract.as_str())).unwrap_or_else(|failure| panic!("{failure}"))
}

fn read(document: Text) -> Source {
    let made = made(&document);
    Source {
        name: "flows".to_owned(),
        document,
        overlay: Some(Text::new("overlay.yaml", made.overlay)),
        contract: Some(Text::new("contract.toml", made.contract)),
    }
}

/// An API with every flow, and a server that describes itself.
pub(crate) fn source() -> Source {
    let mut source = read(document(&oauth(&ALL)));
    // No scheme of OpenAPI 3.1 has both.
    let discovery = "[authorization-server]\ndiscovery-url = \"/id/.well-known/openid-configuration\"\n";
    let contract = source.contract.take().expect("it has one");
    let rules = made(&document(&described())).contract;
    let rule = rules.split("\n[[rule]]").find(|rule| rule.contains("flows.oauth.discovery")).expect("its rule");
    let text = contract.text.replacen("[authorization-server]\n", discovery, 1);
    // The document has no bodies of errors, in which something could be shown; what breaks the others breaks another rule before.
    let breakable_elsewhere =
        ["error.no-internals", "answer.status", "answer.server-error", "answer.body", "answer.problem-status"];
    let text = without(&text, &breakable_elsewhere);
    source.contract = Some(Text::new("contract.toml", format!("{text}\n[[rule]]{rule}")));
    source
}

fn described() -> Value {
    json!({ "type": "openIdConnect", "openIdConnectUrl": "/id/.well-known/openid-configuration" })
}

/// What is broken at the mock, and the rules of the family that were asked.
async fn checked(source: &Source) -> (Vec<String>, Vec<String>) {
    let catalogue = Catalogue::read(source).unwrap_or_else(|failure| panic!("{failure}"));
    let catalogue: Arc<Catalogue> = side(catalogue, Side::Server);
    let outcomes = against_mock(&catalogue, None, &http()).await;
    let told = broken(&catalogue, &outcomes).iter().map(|(case, why)| format!("{}: {why}", case.id)).collect();
    let rules = catalogue.cases.iter().map(|case| catalogue.rule(case).id.clone());
    let mut rules: Vec<String> = rules.filter_map(|id| Some(id.strip_prefix("flows.oauth.")?.to_owned())).collect();
    rules.dedup();
    (told, rules)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flow_is_checked_and_the_mock_serves_it() {
    let (broken, rules) = checked(&source()).await;
    assert_eq!(broken, [""; 0]);
    insta::assert_snapshot!(rules.join("\n"));
    for (flow, grants, rule) in [
        ("clientCredentials", &[GrantType::ClientCredentials][..], "client-credentials"),
        ("authorizationCode", &[GrantType::AuthorizationCode, GrantType::RefreshToken], "code-reuse"),
        ("deviceAuthorization", &[GrantType::RefreshToken, GrantType::DeviceCode], "device-pending"),
        ("password", &[GrantType::RefreshToken, GrantType::Password], "unknown-user"),
        ("implicit", &[GrantType::Implicit], "implicit"),
    ] {
        let document = document(&oauth(&[flow]));
        let server = contract(&made(&document)).authorization_server.expect(flow);
        assert_eq!(server.grant_types, grants.iter().copied().collect(), "{flow}");
        assert_eq!(server.issues, "login");
        let (broken, rules) = checked(&read(document)).await;
        assert_eq!(broken, [""; 0], "{flow}");
        assert!(rules.contains(&rule.to_owned()), "{flow}: {rules:?}");
    }
    let (broken, rules) = checked(&read(document(&described()))).await;
    assert_eq!((broken, rules), (Vec::new(), vec!["discovery".to_owned()]));
}

#[test]
fn a_section_says_what_the_flows_say_and_marks_the_rest() {
    let made = made(&document(&oauth(&ALL)));
    let section = made.contract.split("[authorization-server]").nth(1).expect("it is there");
    insta::assert_snapshot!(section.split("\n[").next().unwrap_or_default());
    let client = made.tokens.split("\n# A client of").nth(1).expect("it is there");
    insta::assert_snapshot!("client", client.split("\n\n").next().unwrap_or_default());
}

#[test]
fn endpoints_of_another_host_are_whole_and_told() {
    let mut scheme = oauth(&["authorizationCode", "clientCredentials", "implicit"]);
    let flows = &mut scheme["flows"];
    flows["authorizationCode"]["authorizationUrl"] = json!("https://login.example/consent");
    flows["authorizationCode"]["tokenUrl"] = json!("https://id.example/token");
    flows["authorizationCode"]["refreshUrl"] = json!("https://id.example/again");
    flows["clientCredentials"]["tokenUrl"] = json!("https://id.example/token");
    flows["implicit"]["authorizationUrl"] = json!("https://other.example/consent");
    let made = made(&document(&scheme));
    let server = contract(&made).authorization_server.expect("it has one");
    let endpoints: Vec<(&str, String)> = server.endpoints().map(|(name, url)| (name, url.to_string())).collect();
    let expected = [
        ("authorization-url", "https://login.example/consent"),
        ("token-url", "https://id.example/token"),
        ("refresh-url", "https://id.example/again"),
    ];
    assert_eq!(endpoints, expected.map(|(name, url)| (name, url.to_owned())));
    assert!(!server.grants(GrantType::Implicit), "it goes by another endpoint");
    let has = |told: &str| made.notes.iter().any(|note| note.contains(told));
    for told in [
        "the flow `implicit` is left out of the contract: another one goes by another URL than `https://other.example/consent`",
        "the authorization server is at https://id.example: a live one is asked only with --authorization-server https://id.example",
    ] {
        assert!(has(told), "{told}: {:?}", made.notes);
    }
}

#[test]
fn an_endpoint_that_is_an_operation_of_the_document_is_checked_as_one() {
    let mut text: Value = serde_json::from_str(&document(&oauth(&["clientCredentials"])).text).expect("JSON");
    text["paths"]["/token"] = json!({ "post": { "operationId": "get-token", "security": [], "responses": { "200": { "description": "ok" } } } });
    text["components"]["securitySchemes"]["login"]["flows"]["clientCredentials"]["tokenUrl"] = json!("/v1/token");
    let made = made(&Text::new("flows.json", text.to_string()));
    assert!(contract(&made).authorization_server.is_none());
    let told = "`/v1/token` is the operation `get-token` of the document, and checked as such";
    assert!(made.notes.iter().any(|note| note.contains(told)), "{:?}", made.notes);
}

#[test]
fn what_a_document_says_badly_is_refused_with_its_place_unless_it_is_said() {
    let lacking =
        json!({ "type": "oauth2", "flows": { "authorizationCode": { "tokenUrl": "https://id.example/token" } } });
    for (scheme, told) in [
        (lacking, "`authorizationUrl` of the flow `authorizationCode` of `login` names no URL"),
        (json!({ "type": "openIdConnect" }), "`openIdConnectUrl` of the scheme names no URL"),
        (
            json!({ "type": "openIdConnect", "openIdConnectUrl": "nowhere" }),
            "`openIdConnectUrl` of the scheme is not a whole URL",
        ),
        (json!({ "type": "apiKey", "in": "header" }), "the key `login` has no `name`"),
        (json!({ "type": "http" }), "no `scheme` of HTTP is named"),
    ] {
        let document = document(&scheme);
        let refusal = scaffold("flows", &document, &CredentialChoices::default()).expect_err(told).to_string();
        assert!(refusal.contains(told) && refusal.contains("flows.json:1:"), "{refusal}");
        assert!(refusal.contains("--credential login=bearer"), "{refusal}");
        let choices = CredentialChoices {
            credentials: vec!["login=bearer".parse().expect("a choice")],
            ..CredentialChoices::default()
        };
        assert!(scaffold("flows", &document, &choices).is_ok(), "{told}");
    }
    // What is said well and may not be used costs its flow alone.
    let plain = json!({ "type": "oauth2", "flows": { "clientCredentials": { "tokenUrl": "http://id.example/token", "scopes": {} } } });
    let made = made(&document(&plain));
    assert!(contract(&made).authorization_server.is_none());
    assert!(
        made.notes.iter().any(|note| note.starts_with("flows.json:1:") && note.contains("is plain http")),
        "{:?}",
        made.notes
    );
}
