//! What a document says of how calls log in, read in one place: what is wrong is said where it stands.

use keyfit_openapi::{Api, FlowKind, SecurityScheme, Source, Text};

fn api(text: &str) -> Api {
    let document = Text::new("pets.yaml", text);
    Api::read(&Source { name: "pets".to_owned(), document, overlay: None, contract: None })
        .unwrap_or_else(|failure| panic!("{failure}\n{text}"))
}

/// An API with one scheme, each of whose members has a line of its own.
fn of_scheme(servers: &str, scheme: &str) -> String {
    let lines = format!("      {}\n", scheme.replace('\n', "\n      "));
    format!(
        "openapi: 3.2.0\ninfo: {{title: Pets, version: '1'}}\n{servers}\nsecurity: [{{login: []}}]\npaths:\n  /a:\n    get: {{responses: {{'200': {{description: ok}}}}}}\n\
         components:\n  securitySchemes:\n    login:\n{lines}"
    )
}

const SERVERS: &str = "servers: [{url: 'https://pets.example/v1'}]";

fn only(api: &Api) -> SecurityScheme {
    let mut schemes = api.security_schemes();
    assert_eq!(schemes.len(), 1);
    schemes.remove(0)
}

/// Line, whether it is malformed, and problem of each defect.
fn defects(text: &str) -> Vec<(usize, bool, String)> {
    let api = api(text);
    let of = only(&api).defects.into_iter();
    let found: Vec<(usize, bool, String)> =
        of.map(|defect| (api.location(&defect.pointer).line, defect.is_malformed, defect.problem)).collect();
    // What lint says, and where.
    let noted = api.repairs.iter().filter(|repair| repair.rule == "odd-scheme");
    assert_eq!(noted.map(|repair| api.location(&repair.pointer).line).collect::<Vec<_>>(), lines(&found));
    found
}

fn lines(found: &[(usize, bool, String)]) -> Vec<usize> {
    found.iter().map(|(line, ..)| *line).collect()
}

/// The line on which the scheme begins.
const FIRST: usize = 11;

#[test]
fn what_a_scheme_lacks_is_said_where_it_stands() {
    for (scheme, line, told) in [
        ("type: password", 0, "has the type `password`, which is none of OpenAPI's"),
        ("description: none", 0, "has no type, which is none of OpenAPI's"),
        ("type: http", 0, "no `scheme` of HTTP is named"),
        ("type: http\nscheme: 'be arer'", 1, "`be arer` is not the name of a scheme of HTTP"),
        ("type: http\nscheme: 7", 1, "no `scheme` of HTTP is named"),
        ("type: apiKey\nin: header", 0, "has no `name` under which it is sent"),
        ("type: apiKey\nin: header\nname: ''", 2, "has no `name` under which it is sent"),
        ("type: apiKey\nin: header\nname: \"X\\r\\nY\"", 2, "is not a name under which the key `login` can be sent"),
        ("type: apiKey\nname: X-Key", 0, "has no `in`"),
        ("type: apiKey\nname: X-Key\nin: body", 2, "is sent in `body`"),
        ("type: openIdConnect", 0, "`openIdConnectUrl` of the scheme names no URL"),
        ("type: openIdConnect\nopenIdConnectUrl: not a url", 1, "is not a whole URL"),
        ("type: openIdConnect\nopenIdConnectUrl: id.example/about", 1, "is not a whole URL"),
        ("type: openIdConnect\nopenIdConnectUrl: 'ftp://id.example/about'", 1, "is neither http nor https"),
        ("type: openIdConnect\nopenIdConnectUrl: 'https://'", 1, "is not a whole URL"),
    ] {
        let found = defects(&of_scheme(SERVERS, scheme));
        let [(at, is_malformed, problem)] = found.as_slice() else { panic!("{scheme}: {found:?}") };
        assert!(*is_malformed && problem.contains(told), "{scheme}: {problem}");
        // A member that is missing is looked for where the scheme begins.
        let expected = if line == 0 { [FIRST - 1, FIRST] } else { [FIRST + line; 2] };
        assert!(expected.contains(at), "{scheme}: {at}");
    }
}

#[test]
fn a_flow_needs_the_urls_of_its_kind() {
    let token = "tokenUrl: 'https://id.example/token'";
    let consent = "authorizationUrl: 'https://id.example/consent'";
    for (flow, members, lacking) in [
        ("clientCredentials", "", "tokenUrl"),
        ("password", "", "tokenUrl"),
        ("implicit", token, "authorizationUrl"),
        ("authorizationCode", token, "authorizationUrl"),
        ("authorizationCode", consent, "tokenUrl"),
        ("deviceAuthorization", token, "deviceAuthorizationUrl"),
    ] {
        let text = of_scheme(SERVERS, &format!("type: oauth2\nflows:\n  {flow}:\n    scopes: {{}}\n    {members}"));
        let found = defects(&text);
        let [(_, is_malformed, problem)] = found.as_slice() else { panic!("{flow}: {found:?}") };
        assert!(*is_malformed && problem.contains(&format!("`{lacking}` of the flow `{flow}`")), "{flow}: {problem}");
        assert!(only(&api(&text)).flows.is_empty(), "{flow}");
    }
    let old = |flow: &str, members: &str| {
        format!(
            "swagger: '2.0'\ninfo: {{title: Pets, version: '1'}}\nhost: pets.example\nsecurity: [{{login: []}}]\npaths:\n  /a:\n    get: {{responses: {{'200': {{description: ok}}}}}}\n\
             securityDefinitions:\n  login:\n    type: oauth2\n    flow: {flow}\n    {members}\n"
        )
    };
    for (flow, members, lacking) in [
        ("application", "scopes: {}", "tokenUrl"),
        ("accessCode", token, "authorizationUrl"),
        ("accessCode", consent, "tokenUrl"),
        ("implicit", "scopes: {}", "authorizationUrl"),
    ] {
        let found = defects(&old(flow, members));
        let [(line, true, problem)] = found.as_slice() else { panic!("{flow}: {found:?}") };
        assert!(problem.contains(&format!("`{lacking}` of the flow")) && (9..=12).contains(line), "{line}: {problem}");
    }
    for (flow, kind) in [("application", FlowKind::ClientCredentials), ("accessCode", FlowKind::AuthorizationCode)] {
        let text = old(flow, &format!("{token}\n    {consent}\n    scopes: {{read: See}}"));
        let read = only(&api(&text)).flows;
        assert_eq!(read.iter().map(|flow| flow.kind).collect::<Vec<_>>(), [kind]);
        assert_eq!(read[0].token_url.as_deref(), Some("https://id.example/token"));
        assert_eq!(read[0].scopes, ["read"]);
    }
}

#[test]
fn a_url_that_may_not_be_used_costs_its_flow_and_is_said() {
    let flow = |url: &str| {
        let members = "authorizationUrl: 'https://id.example/consent'\n    tokenUrl: 'https://id.example/token'";
        let members = members.replacen("tokenUrl: 'https://id.example/token'", &format!("tokenUrl: '{url}'"), 1);
        of_scheme(SERVERS, &format!("type: oauth2\nflows:\n  authorizationCode:\n    {members}"))
    };
    for (url, told) in [
        ("http://id.example/token", "is plain http"),
        ("HTTP://id.example/token", "is plain http"),
        ("http://127.0.0.1.example/token", "is plain http"),
        ("http://localhost.example/token", "is plain http"),
        ("https://who:hush@id.example/token", "holds a user"),
        ("https://id.example/{tenant}/token", "has a placeholder"),
        ("https://id.example/token#part", "has a fragment"),
        ("token", "is not a whole URL"),
    ] {
        let found = defects(&flow(url));
        let [(line, false, problem)] = found.as_slice() else { panic!("{url}: {found:?}") };
        assert!(problem.contains(told) && !problem.contains("hush"), "{url}: {problem}");
        assert_eq!(*line, FIRST + 4, "{url}");
        assert!(only(&api(&flow(url))).flows.is_empty(), "{url}");
    }
    for (url, whole) in [
        ("https://id.example/token?of=1", "https://id.example/token?of=1"),
        ("http://127.0.0.1:8080/token", "http://127.0.0.1:8080/token"),
        ("http://[::1]/token", "http://[::1]/token"),
        ("http://localhost/token", "http://localhost/token"),
        ("/token", "https://pets.example/token"),
    ] {
        assert_eq!(defects(&flow(url)), [], "{url}");
        assert_eq!(only(&api(&flow(url))).flows[0].token_url.as_deref(), Some(whole), "{url}");
    }
    // Where no server is named, the host is not known, and the path is.
    let nowhere = flow("/token").replace(SERVERS, "");
    assert_eq!(only(&api(&nowhere)).flows[0].token_url.as_deref(), Some("/token"));
}

#[test]
fn a_refresh_url_and_an_unknown_flow_cost_themselves() {
    let text = "type: oauth2\nflows:\n  clientCredentials:\n    tokenUrl: 'https://id.example/token'\n    refreshUrl: 'http://id.example/again'\n  accessCode: {}";
    let text = of_scheme(SERVERS, text);
    let found = defects(&text);
    assert_eq!(lines(&found), [FIRST + 4, FIRST + 5]);
    assert!(found.iter().all(|(_, is_malformed, _)| !is_malformed), "{found:?}");
    assert!(found[1].2.contains("`accessCode` is no flow that OpenAPI knows"), "{found:?}");
    let flows = only(&api(&text)).flows;
    assert!(flows.len() == 1 && flows[0].refresh_url.is_none(), "{flows:?}");
}

#[test]
fn a_server_may_describe_itself_beside_its_flows() {
    let text = "type: oauth2\noauth2MetadataUrl: https://id.example/.well-known/oauth-authorization-server\nflows:\n  deviceAuthorization:\n    tokenUrl: /token\n    deviceAuthorizationUrl: /device";
    let scheme = only(&api(&of_scheme(SERVERS, text)));
    assert_eq!(scheme.discovery_url.as_deref(), Some("https://id.example/.well-known/oauth-authorization-server"));
    assert_eq!(scheme.flows[0].device_authorization_url.as_deref(), Some("https://pets.example/device"));
    assert_eq!(scheme.defects, []);
}

#[test]
fn a_scheme_that_is_asked_for_and_not_described_is_found_each_time() {
    let text = of_scheme(SERVERS, "type: http\nscheme: bearer").replace("{login: []}", "{login: []}, {stray: []}");
    let api = api(&text);
    let found = api.undeclared_schemes();
    assert_eq!(
        found.iter().map(|missing| (&*missing.name, &*missing.pointer)).collect::<Vec<_>>(),
        [("stray", "/security/1")]
    );
    assert_eq!(api.location(&found[0].pointer).line, 4);
}
