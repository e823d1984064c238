//! Ids before a live server: by path, of the type that a parameter takes, another one for each case, and from lists; and what
//! else a new user's tokens file says of requests.

use std::fs;

use crate::live_server::{TOKENS, api, by_token, check, reply, requests, serve};

/// Users and teams by `{name}`, orders by number, a switch that PUT makes, and a page that needs a header.
const DOCUMENT: &str = "openapi: 3.0.3
info: { title: Hub, version: '1' }
servers: [{ url: https://hub.example }]
security: [{ login: [] }]
paths:
  /users/{name}:
    parameters: [{ name: name, in: path, required: true, schema: { type: string } }]
    get: { operationId: user, responses: { '200': { description: A user. } } }
  /teams/{name}:
    parameters: [{ name: name, in: path, required: true, schema: { type: string } }]
    get: { operationId: team, responses: { '200': { description: A team. } } }
  /orders:
    get:
      operationId: orders
      responses: { '200': { description: Orders., content: { application/json: { schema: { type: array, items: { type: object, properties: { id: { type: integer } } } } } } } }
  /orders/{order}:
    parameters: [{ name: order, in: path, required: true, schema: { type: integer } }]
    get: { operationId: order, responses: { '200': { description: An order. } } }
  /switches/{switch}:
    parameters: [{ name: switch, in: path, required: true, schema: { type: string } }]
    put: { operationId: switch, responses: { '201': { description: It is there. } } }
  /pages:
    get:
      operationId: pages
      parameters: [{ name: X-Space, in: header, required: true, schema: { type: string }, example: s_1 }]
      responses: { '200': { description: Pages. } }
components:
  securitySchemes: { login: { type: http, scheme: bearer } }
";

fn paths(log: &crate::live_server::Log, begin: &str) -> Vec<String> {
    let path = |(first, _): (String, String)| first.split(' ').nth(1).map(str::to_owned);
    requests(log).into_iter().filter_map(path).filter(|path| path.starts_with(begin)).collect()
}

#[test]
fn a_name_means_one_thing_below_one_path_and_another_below_another() {
    let folder = api("ids-by-path", DOCUMENT);
    let begun = fs::read_to_string(folder.join("api/tokens.toml")).expect("init wrote it");
    for table in ["# [ids.\"/users/{name}\"]", "# [ids.\"/teams/{name}\"]"] {
        assert!(begun.contains(table), "a new user is told: {begun}");
    }
    let ids = "[ids]\nname = \"mia\"\n[ids.\"/teams/{name}\"]\nname = \"reds\"\n[foreign.\"/teams/{name}\"]\nname = \"blues\"\n";
    fs::write(folder.join("tokens.toml"), format!("{TOKENS}{ids}")).expect("a file");
    let (url, log) = serve(|first, headers, _| Some(by_token(first, headers)));
    check(&folder, &url, &[]);
    let (users, teams) = (paths(&log, "/users/"), paths(&log, "/teams/"));
    assert!(users.contains(&"/users/mia".to_owned()) && !users.contains(&"/users/blues".to_owned()), "{users:?}");
    assert!(teams.contains(&"/teams/reds".to_owned()) && teams.contains(&"/teams/blues".to_owned()), "{teams:?}");
    assert!(!teams.contains(&"/teams/mia".to_owned()), "{teams:?}");
}

#[test]
fn a_table_of_ids_is_about_paths_and_parameters_that_there_are() {
    let folder = api("ids-wrong", DOCUMENT);
    for (ids, problem) in [
        ("[ids.\"/groups/{name}\"]\nname = \"a\"\n", "no path begins with "),
        ("[ids.\"/teams/{name}\"]\norder = \"a\"\n", "no path below "),
        ("[expendable]\nnone = [\"a\"]\n", "no path has a parameter "),
        ("[headers]\nX-Other = \"a\"\n", "no operation describes a header "),
        ("[headers]\nX-Space = \"a\\nb\"\n", " fits into no header"),
    ] {
        fs::write(folder.join("tokens.toml"), format!("{TOKENS}{ids}")).expect("a file");
        let (code, said) = check(&folder, "http://127.0.0.1:9", &[]);
        assert!(code == Some(2) && said.contains(problem) && said.contains("tokens.toml:"), "{problem}: {said}");
    }
}

#[test]
fn an_id_that_is_not_named_is_taken_from_a_list() {
    let folder = api("ids-listed", DOCUMENT);
    let foreign = "[foreign]\norder = \"17\"\n";
    fs::write(folder.join("tokens.toml"), format!("{TOKENS}{foreign}")).expect("a file");
    let (url, log) = serve(|first, headers, _| {
        let is_list = first.starts_with("GET /orders ") && by_token(first, headers).contains(" 200 ");
        let list = "[{\"id\": 17}, {\"id\": \"../users\"}, {\"id\": 18}, {\"id\": 19}]";
        Some(if is_list { reply("200 OK", list) } else { by_token(first, headers) })
    });
    let (_, said) = check(&folder, &url, &[]);
    let orders = paths(&log, "/orders/");
    assert!(orders.contains(&"/orders/18".to_owned()), "the first that may be asked for: {orders:?}");
    assert!(!orders.iter().any(|path| path.ends_with("/19") || path.contains("..")), "{orders:?}");
    assert!(!said.contains("no id `order`"), "{said}");
    assert!(said.contains("no id `name`"), "nothing lists users: {said}");
}

#[test]
fn an_id_is_looked_for_on_the_next_pages_where_the_first_has_none_that_may_be_taken() {
    let listed = "items: { type: object, properties: { id: { type: integer } } }";
    let paged = format!(
        "type: object, required: [orders], properties: {{ orders: {{ type: array, {listed} }}, next_cursor: {{ type: string }} }}"
    );
    let document = DOCUMENT.replace(&format!("type: array, {listed}"), &paged).replace(
        "operationId: orders\n",
        "operationId: orders\n      parameters: [{ name: cursor, in: query, schema: { type: string } }]\n",
    );
    for (last, is_found) in [(4, true), (40, false)] {
        let folder = api(&format!("ids-paged-{last}"), &document);
        fs::write(folder.join("tokens.toml"), format!("{TOKENS}[foreign]\norder = \"17\"\n")).expect("a file");
        let (url, log) = serve(move |first, headers, _| {
            let target = first.split(' ').nth(1).unwrap_or_default();
            let Some(query) = target.strip_prefix("/orders").filter(|rest| !rest.starts_with('/')) else {
                return Some(by_token(first, headers));
            };
            let page: usize = query.rsplit('=').next().and_then(|page| page.parse().ok()).unwrap_or(0);
            let id = if page == last { 18 } else { 17 };
            let list = format!("{{\"orders\": [{{\"id\": {id}}}], \"next_cursor\": \"{}\"}}", page + 1);
            let served = by_token(first, headers);
            Some(if served.contains(" 200 ") { reply("200 OK", &list) } else { served })
        });
        let (_, said) = check(&folder, &url, &["--case", "hub/auth/accepted/order"]);
        assert_eq!(paths(&log, "/orders/"), vec!["/orders/18".to_owned(); usize::from(is_found)], "{said}");
        assert_eq!(paths(&log, "/orders?").len(), 4, "five pages at most, of which the first has no cursor: {said}");
        assert_eq!(said.contains("no id `order`"), !is_found, "{said}");
    }
}

#[test]
fn an_id_that_nobody_has_is_of_the_type_of_its_parameter_and_another_one_each_time() {
    let folder = api("ids-nobody", DOCUMENT);
    fs::write(folder.join("tokens.toml"), format!("{TOKENS}[ids]\norder = \"18\"\nname = \"mia\"\n")).expect("a file");
    let (url, log) = serve(|first, headers, _| Some(by_token(first, headers)));
    let (_, said) = check(&folder, &url, &["--allow-writes"]);
    let is_number = |path: &String| path.rsplit('/').next().is_some_and(|id| id.parse::<u32>().is_ok() && id != "18");
    let mut unknown: Vec<String> = paths(&log, "/orders/").into_iter().filter(is_number).collect();
    assert!(unknown.iter().all(|path| path.starts_with("/orders/1987000")), "{unknown:?}");
    let count = unknown.len();
    unknown.sort();
    unknown.dedup();
    assert!(count > 0 && unknown.len() == count, "{unknown:?}");
    assert!(said.contains("PUT /switches/{switch} makes the `switch` that it names, as its 201 says"), "{said}");
}

#[test]
fn a_required_header_is_the_documents_or_the_users() {
    for (more, value) in [("", "x-space: s_1"), ("[headers]\nx-space = \"s_mine\"\n", "x-space: s_mine")] {
        let folder = api("headers", DOCUMENT);
        fs::write(folder.join("tokens.toml"), format!("{TOKENS}{more}")).expect("a file");
        let (url, log) = serve(|first, headers, _| Some(by_token(first, headers)));
        check(&folder, &url, &["--case", "hub/auth/accepted/pages"]);
        let sent = requests(&log);
        assert!(
            sent.iter().any(|(first, headers)| first.starts_with("GET /pages ") && headers.contains(value)),
            "{sent:?}"
        );
    }
}

/// What tells somebody else's id from one that nobody has is more than that the answer repeats it.
#[test]
fn an_answer_may_repeat_the_id_that_was_asked_for() {
    let document = DOCUMENT.replace("/users/{name}:\n", "/projects/{name}/notes:\n");
    let folder = api("ids-echoed", &document);
    let ids = "[ids.\"/projects/{name}\"]\nname = \"own\"\n[foreign.\"/projects/{name}\"]\nname = \"theirs\"\n";
    fs::write(folder.join("tokens.toml"), format!("{TOKENS}{ids}")).expect("a file");
    let hidden = ["--case", "hub/tenant/*/user"];
    for (told, is_hidden) in [("there is no", true), ("you may not see", false)] {
        let (url, _) = serve(move |first, headers, _| {
            let served = by_token(first, headers);
            let id = first.split('/').nth(2).unwrap_or_default();
            let refusal = if id == "theirs" { told } else { "there is no" };
            Some(if served.contains(" 200 ") && id != "own" {
                reply("404 Not Found", &format!("{{\"error\": \"{refusal} {id}\"}}"))
            } else {
                served
            })
        });
        let (_, said) = check(&folder, &url, &hidden);
        assert_eq!(!said.contains("the body differs"), is_hidden, "{said}");
    }
}

#[test]
fn a_login_that_the_document_has_is_not_expected_to_succeed() {
    let document = DOCUMENT.replace(
        "{ type: http, scheme: bearer }",
        "{ type: oauth2, flows: { password: { tokenUrl: 'https://hub.example/session', scopes: {} } } }",
    );
    let session = "  /session:
    post:
      operationId: log-in
      requestBody: { required: true, content: { application/x-www-form-urlencoded: { schema: { type: object, required: [username], properties: { username: { type: string } } } } } }
      responses: { '200': { description: A token. } }
components:
";
    let folder = api("login", &document.replace("components:\n", session));
    let contract = fs::read_to_string(folder.join("api/contract.toml")).expect("init wrote it");
    assert!(contract.contains("except = [\"log-in\"]\nexpect = { success = true"), "{contract}");
}

#[test]
fn a_body_that_is_made_up_may_name_what_is_not_there_and_an_example_may_not() {
    let member = |example: &str| {
        format!(
            "    post:
      operationId: team-add
      requestBody: {{ required: true, content: {{ application/json: {{ schema: {{ type: object, required: [user], properties: {{ user: {{ type: string{example} }} }} }} }} }} }}
      responses: {{ '201': {{ description: Added. }} }}
"
        )
    };
    let place = "  /orders:\n";
    for (example, is_judged) in [("", false), (", example: mia", true)] {
        let document = DOCUMENT.replace(place, &format!("  /members:\n{}{place}", member(example)));
        let folder = api("ids-made-up", &document);
        let (url, _) = serve(|first, headers, _| {
            let served = by_token(first, headers);
            Some(if first.starts_with("POST /members") && served.contains(" 200 ") {
                reply("422 Unprocessable Content", "{}")
            } else {
                served
            })
        });
        let (code, said) = check(&folder, &url, &["--allow-writes", "--case", "hub/auth/accepted/team-add"]);
        assert_eq!(said.contains("values of its body are made up"), !is_judged, "{said}");
        assert_eq!(code, Some(if is_judged { 1 } else { 2 }), "{said}");
    }
}
