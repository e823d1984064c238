//! A service of 44 operations that records what every call changes, and whose that was. Its document does not know all of
//! what it does, and it has defects that let through what it should refuse.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What is wrong with the service.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Defects {
    /// It executes calls whoever makes them.
    pub(crate) serves_anybody: bool,
    /// It executes methods of HTTP that the document does not declare.
    pub(crate) executes_undeclared: bool,
    /// It serves everybody the data of everybody, and finds what is asked for wherever it is.
    pub(crate) ignores_tenants: bool,
}

/// Whose a thing is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// It was there before the run, and is needed.
    Kept,
    /// It was there before the run, and was given up.
    GivenUp,
    /// The run made it.
    Run,
}

/// A call that changed something.
#[derive(Clone, Debug)]
pub(crate) struct Mutation {
    pub(crate) call: String,
    pub(crate) of: Origin,
}

#[derive(Debug, Default)]
struct State {
    things: BTreeMap<String, Origin>,
    mutations: Vec<Mutation>,
    requests: usize,
    made: usize,
}

/// The running service.
#[derive(Clone)]
pub(crate) struct Service {
    defects: Defects,
    state: Arc<Mutex<State>>,
}

/// The operations: method, path, id, the status of its success.
pub(crate) const OPERATIONS: [(&str, &str, &str, u16); 44] = [
    ("GET", "/tenants", "tenant-list", 200),
    ("POST", "/tenants", "tenant-create", 201),
    ("GET", "/tenants/{tenant}", "tenant-get", 200),
    ("PUT", "/tenants/{tenant}", "tenant-replace", 200),
    ("PATCH", "/tenants/{tenant}", "tenant-update", 200),
    ("DELETE", "/tenants/{tenant}", "tenant-delete", 204),
    ("GET", "/tenants/{tenant}/users", "user-list", 200),
    ("POST", "/tenants/{tenant}/users", "user-create", 200),
    ("GET", "/tenants/{tenant}/users/{user}", "user-get", 200),
    ("PUT", "/tenants/{tenant}/users/{user}", "user-replace", 200),
    ("PATCH", "/tenants/{tenant}/users/{user}", "user-update", 200),
    ("DELETE", "/tenants/{tenant}/users/{user}", "user-delete", 204),
    ("GET", "/tenants/{tenant}/accounts", "account-list", 200),
    ("POST", "/tenants/{tenant}/accounts", "account-create", 201),
    ("GET", "/tenants/{tenant}/accounts/{account}", "account-get", 200),
    ("PATCH", "/tenants/{tenant}/accounts/{account}", "account-update", 200),
    ("DELETE", "/tenants/{tenant}/accounts/{account}", "account-delete", 204),
    ("GET", "/tenants/{tenant}/users/{user}/roles", "role-list", 200),
    ("POST", "/tenants/{tenant}/users/{user}/roles", "role-add", 201),
    ("DELETE", "/tenants/{tenant}/users/{user}/roles", "role-remove", 204),
    ("POST", "/tenants/{tenant}/users/{user}/reset-password", "user-password", 200),
    ("POST", "/tenants/{tenant}/users/{user}/impersonate", "user-act-as", 200),
    ("POST", "/tenants/{tenant}/users/{user}/note", "user-note", 200),
    ("POST", "/tenants/{tenant}/accounts/{account}/transfer", "account-transfer", 200),
    ("POST", "/tenants/{tenant}/accounts/{account}/close", "account-end", 200),
    ("GET", "/settings", "settings-get", 200),
    ("PUT", "/settings", "settings-replace", 200),
    ("PATCH", "/settings", "settings-update", 200),
    ("POST", "/shutdown", "hub-end", 202),
    ("POST", "/restart", "hub-again", 202),
    ("POST", "/logout", "session-end", 204),
    ("GET", "/logout", "session-leave", 200),
    ("DELETE", "/sessions", "session-clear", 204),
    ("POST", "/cache/purge", "cache-clear", 204),
    ("POST", "/index", "index-build", 202),
    ("GET", "/me", "me-get", 200),
    ("PATCH", "/me", "me-update", 200),
    ("DELETE", "/me", "me-delete", 204),
    ("POST", "/tenants/{tenant}/invitations", "invitation-send", 201),
    ("PUT", "/tenants/{tenant}/flags/{flag}", "flag-set", 201),
    ("GET", "/tenants/{tenant}/contacts", "contact-list", 200),
    ("POST", "/tenants/{tenant}/contacts", "contact-save", 200),
    ("GET", "/tenants/{tenant}/contacts/{contact}", "contact-get", 200),
    ("DELETE", "/tenants/{tenant}/contacts/{contact}", "contact-delete", 204),
];

/// What is there before a run. Ids are numbers of their tenant, so that the same one means another thing elsewhere.
const THINGS: [&str; 14] = [
    "/tenants/1",
    "/tenants/1/users/1",
    "/tenants/1/users/2",
    "/tenants/1/accounts/1",
    "/tenants/1/flags/1",
    "/tenants/1/contacts/1",
    "/tenants/1/contacts/2",
    "/tenants/1/contacts/3",
    "/tenants/2",
    "/tenants/2/users/1",
    "/tenants/2/users/2",
    "/tenants/2/users/3",
    "/tenants/2/accounts/1",
    "/tenants/2/accounts/2",
];

/// The document, without a word of what the service does besides. It claims that what ends things only reads.
pub(crate) fn document() -> String {
    let mut paths: BTreeMap<&str, String> = BTreeMap::new();
    for (method, path, id, status) in OPERATIONS {
        let path = paths.entry(path).or_default();
        let scope = if method == "GET" { "read" } else { "write" };
        let _ = write!(
            path,
            "    {}:\n      operationId: {id}\n      x-keyfit: {{ retry: safe }}\n      security: [{{ login: [{scope}] }}]\n",
            method.to_lowercase()
        );
        if ["POST", "PUT", "PATCH"].contains(&method) {
            path.push_str("      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } }\n");
        }
        let schema = if id.ends_with("-list") {
            "{ type: array, items: { $ref: '#/components/schemas/Thing' } }"
        } else {
            "{ $ref: '#/components/schemas/Thing' }"
        };
        let content = if status == 204 {
            String::new()
        } else {
            format!(", content: {{ application/json: {{ schema: {schema} }} }}")
        };
        let _ = writeln!(path, "      responses:\n        '{status}': {{ description: Done.{content} }}");
        for refusal in [401, 403, 404] {
            let _ = writeln!(path, "        '{refusal}': {{ $ref: '#/components/responses/Problem' }}");
        }
    }
    let mut text = "openapi: 3.0.3\ninfo: { title: Tenants, version: '1' }\nservers: [{ url: https://tenants.example/v1 }]\npaths:\n".to_owned();
    for (path, operations) in paths {
        let _ = writeln!(text, "  {path}:");
        let parameters = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters: Vec<String> = parameters
            .map(|name| format!("{{ name: {name}, in: path, required: true, schema: {{ type: string }} }}"))
            .collect();
        if !parameters.is_empty() {
            let _ = writeln!(text, "    parameters: [{}]", parameters.join(", "));
        }
        text.push_str(&operations);
    }
    text.push_str(
        "components:\n  securitySchemes:\n    login:\n      type: oauth2\n      flows: { clientCredentials: { tokenUrl: https://tenants.example/token, scopes: { read: r, write: w } } }\n  responses:\n    Problem: { description: No., content: { application/problem+json: { schema: { $ref: '#/components/schemas/Problem' } } } }\n  schemas:\n    Problem: { type: object, required: [title, status], properties: { title: { type: string }, status: { type: integer } } }\n    Thing:\n      type: object\n      required: [name]\n      properties:\n        id: { type: string }\n        name: { type: string, example: Tea }\n        role: { type: string, example: admin }\n        ownerId: { type: string, example: '2' }\n        password: { type: string, format: password, example: swordfish }\n        isAdmin: { type: boolean, example: true }\n",
    );
    text
}

impl Service {
    /// Starts the service. It ends with the runtime.
    pub(crate) async fn start(defects: Defects, given_up: &[&str]) -> (SocketAddr, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let origin = |path: &str| if given_up.contains(&path) { Origin::GivenUp } else { Origin::Kept };
        let things = THINGS.iter().map(|path| ((*path).to_owned(), origin(path))).collect();
        let service = Self { defects, state: Arc::new(Mutex::new(State { things, ..State::default() })) };
        let shared = service.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                let service = service_fn(move |request| {
                    let shared = shared.clone();
                    async move { Ok::<_, Infallible>(shared.respond(request).await) }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        (address, service)
    }

    /// Every call that changed something.
    pub(crate) fn mutations(&self) -> Vec<Mutation> {
        self.state.lock().expect("no panic").mutations.clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.lock().expect("no panic").requests
    }

    /// What the run made and left.
    pub(crate) fn left(&self) -> Vec<String> {
        let state = self.state.lock().expect("no panic");
        state.things.iter().filter(|(_, origin)| **origin == Origin::Run).map(|(path, _)| path.clone()).collect()
    }

    /// Whether everything that was there is there.
    pub(crate) fn has_everything(&self, but: &[&str]) -> bool {
        let state = self.state.lock().expect("no panic");
        THINGS.iter().all(|path| but.contains(path) || state.things.contains_key(*path))
    }

    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let token = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
        let token =
            token.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let token = token.map(|(_, token)| token.trim().to_owned());
        let path = parts.uri.path().trim_start_matches("/v1").to_owned();
        let (status, value) = self.answer(parts.method.as_str(), &path, token.as_deref(), &body);
        let media_type = if status >= 400 { "application/problem+json" } else { "application/json" };
        let mut response = Response::builder().status(status).header("content-type", media_type);
        if status == 401 {
            response = response.header("www-authenticate", "Bearer realm=\"tenants\"");
        }
        if status == 405 {
            response = response.header("allow", "GET");
        }
        let text = if status == 204 { String::new() } else { value.to_string() };
        response.body(Full::from(text)).expect("a response")
    }

    fn answer(&self, method: &str, path: &str, token: Option<&str>, body: &[u8]) -> (u16, Value) {
        let problem = |status: u16| (status, json!({ "title": "No", "status": status }));
        let mut state = self.state.lock().expect("no panic");
        state.requests += 1;
        let method = if method == "HEAD" { "GET" } else { method };
        let on_path: Vec<_> = OPERATIONS.iter().filter(|(_, template, ..)| fits(template, path)).collect();
        let Some((_, template, ..)) = on_path.first() else { return problem(404) };
        let declared = on_path.iter().find(|(known, ..)| *known == method);
        let is_real = ["POST", "PUT", "PATCH", "DELETE"].contains(&method);
        // The back office removes things by a method that was never published.
        let is_hidden = method == "DELETE" || (is_real && self.defects.executes_undeclared);
        if declared.is_none() && !is_hidden {
            return problem(405);
        }
        let is_known = matches!(token, Some("owner-token" | "reader-token" | "writer-token")); // not-a-secret
        if !is_known && !self.defects.serves_anybody {
            return problem(401);
        }
        let lacks = if method == "GET" { "writer-token" } else { "reader-token" }; // not-a-secret
        if token == Some(lacks) && !self.defects.serves_anybody {
            return problem(403);
        }
        let is_foreign = path.split('/').nth(2).is_some_and(|id| path.starts_with("/tenants/") && id == "2");
        if is_foreign && !self.defects.ignores_tenants {
            return problem(404);
        }
        let success = declared.map_or(200, |(.., status)| *status);
        let Some((place, is_list)) = self.place(&state, template, path, method) else { return problem(404) };
        if method == "GET" {
            if template.ends_with("logout") {
                state.change(format!("GET {path}"), &place);
            }
            let list = || {
                let below = format!("{path}/");
                let own = state
                    .things
                    .keys()
                    .filter(|thing| thing.starts_with(&below) && !thing[below.len()..].contains('/'));
                // Contacts come page by page.
                let page = if template.ends_with("contacts") { 2 } else { usize::MAX };
                own.take(page).map(|thing| thing_at(thing)).collect::<Vec<_>>()
            };
            return (success, if is_list && template.ends_with('s') { json!(list()) } else { thing_at(&place) });
        }
        if ["POST", "PUT", "PATCH"].contains(&method) && declared.is_some() {
            let Ok(value) = serde_json::from_slice::<Value>(body) else { return problem(400) };
            if value["name"].as_str().is_none() {
                return problem(422);
            }
        }
        // Who is known already is answered with, and stands on the second page of the list.
        if method == "POST" && template.ends_with("contacts") {
            return (success, thing_at("/tenants/1/contacts/3"));
        }
        let call = format!("{method} {path}");
        let is_below_something = place.is_empty() || state.things.contains_key(&place);
        let adds = method == "POST" && is_list && !template.ends_with("roles") && is_below_something;
        if adds || (method == "PUT" && !state.things.contains_key(&place)) {
            state.made += 1;
            let made = if adds { format!("{path}/{}", 100 + state.made) } else { place };
            state.things.insert(made.clone(), Origin::Run);
            state.mutations.push(Mutation { call, of: Origin::Run });
            return (success, thing_at(&made));
        }
        state.change(call, &place);
        if method == "DELETE" && !template.ends_with("roles") {
            let below = format!("{place}/");
            state.things.retain(|thing, _| *thing != place && !thing.starts_with(&below));
        }
        (success, thing_at(&place))
    }

    /// The thing that a call is about, and whether it is about the list below that. What is there once for all is the root.
    fn place(&self, state: &State, template: &str, path: &str, method: &str) -> Option<(String, bool)> {
        let depth = template.rfind('}').map(|end| template[..end].matches('/').count());
        let Some(depth) = depth else {
            return Some((String::new(), template == "/tenants"));
        };
        let segments: Vec<&str> = path.split('/').collect();
        let place = segments[..=depth].join("/");
        let is_list = template.ends_with('s') && !template.ends_with('}');
        if state.things.contains_key(&place) || (method == "PUT" && template.contains("{flag}")) {
            return Some((place, is_list));
        }
        // By the id alone, whosever it is.
        let kind_and_id = format!("/{}/{}", segments[depth - 1], segments[depth]);
        let elsewhere = state.things.keys().find(|thing| thing.ends_with(&kind_and_id) && self.defects.ignores_tenants);
        elsewhere.map(|thing| (thing.clone(), is_list))
    }
}

impl State {
    fn change(&mut self, call: String, place: &str) {
        let of = self.things.get(place).copied().unwrap_or(Origin::Kept);
        self.mutations.push(Mutation { call, of });
    }
}

fn thing_at(path: &str) -> Value {
    json!({ "id": path.rsplit('/').next(), "name": "Tea" })
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(&path)
            .all(|(wanted, found)| wanted.starts_with('{') && !found.is_empty() || wanted == found)
}
