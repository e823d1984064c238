//! The authorization server of a new contract, from the flows of the document.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use keyfit_openapi::{Api, Flow, FlowKind, SecurityScheme};

use super::login::Scheme;
use super::quoted;
use crate::contract::{Carrier, Endpoint, GrantType};
use crate::pointer::join;

/// The scope that requests refresh tokens (OpenID Connect Core 1.0, section 11).
const OFFLINE: &str = "offline_access";

/// The document's description of an authorization server.
#[derive(Debug)]
pub(super) struct Authorization {
    /// The kind of token that it issues.
    issues: String,
    /// Its endpoints, by their names in a contract.
    endpoints: BTreeMap<&'static str, Endpoint>,
    grants: BTreeSet<GrantType>,
    scopes: BTreeSet<String>,
}

impl Authorization {
    /// Returns the authorization server of the first scheme with usable flows; schemes are ordered by the number of their operations. Adds notes
    /// about the others. Returns `None` if no scheme has any.
    pub(super) fn read(api: &Api, schemes: &[Scheme], notes: &mut Vec<String>) -> Option<Self> {
        let described = api.security_schemes();
        let named = |scheme: &Scheme| described.iter().find(|described| described.name == scheme.kind);
        let fitting = schemes.iter().filter(|scheme| scheme.carrier == Carrier::Header).filter_map(named);
        let mut found: Option<Self> = None;
        for scheme in fitting.filter(|scheme| !scheme.flows.is_empty() || scheme.discovery_url.is_some()) {
            match &found {
                None => found = Self::of(api, scheme, notes),
                Some(first) => notes.push(format!(
                    "a contract has one authorization server, that of `{}`: what the scheme `{}` says of its own is left out",
                    first.issues, scheme.name
                )),
            }
        }
        let endpoints = found.iter().flat_map(|found| found.endpoints.values());
        let elsewhere: BTreeSet<&str> = endpoints.filter_map(Endpoint::origin).collect();
        notes.extend(elsewhere.into_iter().map(|origin| {
            format!(
                "the authorization server is at {origin}: a live one is asked only with --authorization-server {origin}"
            )
        }));
        found
    }

    fn of(api: &Api, scheme: &SecurityScheme, notes: &mut Vec<String>) -> Option<Self> {
        let discovery = scheme.discovery_url.as_deref().map(|url| ("discovery-url", endpoint(api, url)));
        let mut read = Self {
            issues: scheme.name.clone(),
            endpoints: discovery.into_iter().collect(),
            grants: BTreeSet::new(),
            scopes: api.asked_scopes(&scheme.name),
        };
        let mut flows: Vec<&Flow> = scheme.flows.iter().collect();
        flows.sort_by_key(|flow| FlowKind::ALL.iter().position(|kind| *kind == flow.kind));
        for flow in flows {
            if let Err(why) = read.add(api, flow) {
                let place = api.location(&format!("{}/flows/{}", scheme.pointer, flow.kind.name()));
                notes.push(format!("{place}: the flow `{}` is left out of the contract: {why}", flow.kind.name()));
            }
        }
        (!read.endpoints.is_empty()).then_some(read)
    }

    /// Adds a flow if it has the same endpoints as the previous ones.
    fn add(&mut self, api: &Api, flow: &Flow) -> Result<(), String> {
        let grant = match flow.kind {
            FlowKind::ClientCredentials => GrantType::ClientCredentials,
            FlowKind::AuthorizationCode => GrantType::AuthorizationCode,
            FlowKind::DeviceAuthorization => GrantType::DeviceCode,
            FlowKind::Password => GrantType::Password,
            FlowKind::Implicit => GrantType::Implicit,
        };
        // A client requests its own token again, and the implicit grant has no refresh tokens.
        let lasts = !matches!(grant, GrantType::ClientCredentials | GrantType::Implicit);
        let refreshes = lasts && (flow.refresh_url.is_some() || flow.scopes.iter().any(|scope| scope == OFFLINE));
        let refresh_url = flow.refresh_url.as_ref().filter(|url| refreshes && Some(*url) != flow.token_url.as_ref());
        let urls = [
            ("authorization-url", flow.authorization_url.as_ref(), "GET"),
            ("token-url", flow.token_url.as_ref(), "POST"),
            ("refresh-url", refresh_url, "POST"),
            ("device-authorization-url", flow.device_authorization_url.as_ref(), "POST"),
        ];
        let mut found = Vec::new();
        for (name, url, method) in urls {
            let Some(endpoint) = url.map(|url| endpoint(api, url)) else { continue };
            if self.endpoints.get(name).is_some_and(|known| *known != endpoint) {
                return Err(format!("another one goes by another URL than `{endpoint}`"));
            }
            if let Some(operation) = operation_at(api, &endpoint, method) {
                return Err(format!(
                    "`{endpoint}` is the operation `{operation}` of the document, and checked as such"
                ));
            }
            found.push((name, endpoint));
        }
        self.endpoints.extend(found);
        self.scopes.extend(flow.scopes.iter().cloned());
        self.grants.extend([grant].into_iter().chain(refreshes.then_some(GrantType::RefreshToken)));
        Ok(())
    }

    /// Returns whether it supports refresh tokens.
    pub(super) fn refreshes(&self) -> bool {
        self.grants.contains(&GrantType::RefreshToken)
    }

    /// Returns the section of the contract.
    pub(super) fn section(&self) -> String {
        let mut text = "\n# Where tokens are had, as the document says it. Endpoints of another host are asked only where a run names that host.\n\
                        [authorization-server]\n"
            .to_owned();
        for (name, endpoint) in &self.endpoints {
            let _ = writeln!(text, "{name} = {}", quoted(&endpoint.to_string()));
        }
        let grants: Vec<String> = self.grants.iter().map(|grant| quoted(grant.word())).collect();
        let scopes: Vec<String> = self.scopes.iter().map(|scope| quoted(scope)).collect();
        let _ = write!(
            text,
            "grant-types = [{}]\nissues = {}\nscopes = [{}]\n",
            grants.join(", "),
            quoted(&self.issues),
            scopes.join(", ")
        );
        if self.scopes.contains(OFFLINE) {
            let _ = writeln!(text, "offline-scope = {}", quoted(OFFLINE));
        }
        text.push_str(
            "# What no document of OpenAPI says: written as RFC 6749 has it, or as the mock does it. Rules that build on it only observe,\n# but for HTTP Basic, which RFC 6749 demands.\n\
             token-body = \"form\"\nclient-authentication = [\"basic\", \"body\"]\nlifetime-seconds = 3600\nrotation = \"by-client\"\n\
             source = { page = \"document\", section = \"securitySchemes\" }\n",
        );
        text
    }
}

/// Returns the operations of the document that are endpoints of its flows: they require the data of a login, which cannot be generated,
/// and no token.
pub(super) fn logins(api: &Api) -> BTreeSet<&str> {
    let schemes = api.security_schemes();
    let urls = schemes.iter().flat_map(|scheme| &scheme.flows).flat_map(|flow| {
        let posted = [&flow.token_url, &flow.refresh_url, &flow.device_authorization_url].map(|url| (url, "POST"));
        posted.into_iter().chain([(&flow.authorization_url, "GET")])
    });
    let there = urls.filter_map(|(url, method)| operation_at(api, &endpoint(api, url.as_deref()?), method));
    there.chain(posted_below(api).into_iter().map(|(_, operation)| operation)).collect()
}

/// Returns the operations that a flow names by a path without a host or a leading slash, as some frameworks write it
/// (`tokenUrl: token`), each with its JSON pointer. Such a flow alone does not permit sending a secret there.
pub(super) fn posted_below(api: &Api) -> Vec<(String, &str)> {
    let posts = api.operations.iter().filter(|operation| operation.method == "POST");
    let posts: HashMap<&str, &str> = posts.map(|operation| (operation.path.as_str(), operation.id.as_str())).collect();
    let schemes = api.document["components"]["securitySchemes"].as_object().into_iter().flatten();
    let mut found = Vec::new();
    for (name, scheme) in schemes {
        for (kind, flow) in scheme["flows"].as_object().into_iter().flatten() {
            for member in ["tokenUrl", "refreshUrl"] {
                let text = flow[member].as_str().unwrap_or_default();
                let path = text.trim_start_matches("./");
                let is_below = !path.is_empty() && !path.starts_with('/') && !path.contains(':');
                if let Some(operation) = posts.get(format!("/{path}").as_str()).filter(|_| is_below) {
                    let schemes = "/components/securitySchemes";
                    let at = [name, "flows", kind, member].iter().fold(schemes.to_owned(), |at, name| join(&at, name));
                    found.push((at, *operation));
                }
            }
        }
    }
    found
}

/// Returns an endpoint in the notation of a contract: a path if it is at the API's host, or the host is unknown.
fn endpoint(api: &Api, url: &str) -> Endpoint {
    let whole = Endpoint::new(url);
    let base = Endpoint::new(&*api.base_url);
    let is_here = whole.origin().zip(base.origin()).is_some_and(|(one, other)| one.eq_ignore_ascii_case(other));
    if is_here { Endpoint::new(whole.below("")) } else { whole }
}

/// Returns the operation of the document at an endpoint.
fn operation_at<'a>(api: &'a Api, endpoint: &Endpoint, method: &str) -> Option<&'a str> {
    if endpoint.origin().is_some() {
        return None;
    }
    let base = Endpoint::new(&*api.base_url);
    let path = endpoint.path().strip_prefix(base.path().trim_end_matches('/'))?;
    let is_there = |(known, of): (&str, &str)| known == path && of == method;
    api.operations
        .iter()
        .find(|operation| is_there((&operation.path, &operation.method)))
        .map(|operation| &*operation.id)
}
