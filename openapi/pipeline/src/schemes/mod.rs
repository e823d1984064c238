//! The security schemes of a document: the places of their credentials, the flows by which tokens are obtained, and their
//! defects. All code that needs schemes uses this module.

mod carrier;
mod flows;
mod url;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::contract::{Carrier, is_header};
use crate::repair::Repairs;
use crate::{Api, pointer, walk};

pub(crate) use self::carrier::place_in_request;
pub use self::flows::{Flow, FlowKind};

/// The pointer of the schemes.
const AT: &str = "/components/securitySchemes";
/// The types of schemes.
const TYPES: [&str; 5] = ["http", "apiKey", "oauth2", "openIdConnect", "mutualTLS"];

/// A security scheme of a document.
#[derive(Clone, Debug, Default)]
pub struct SecurityScheme {
    /// Its name, as in `security` requirements.
    pub name: String,
    /// Its JSON pointer.
    pub pointer: String,
    /// The place of its credential; `None` if no request can carry it, or the document does not state the place.
    pub carrier: Option<Carrier>,
    /// True if it is a key. A key in `Authorization` has no scheme in front of it.
    pub is_key: bool,
    /// True if its tokens are JWTs, as the document states.
    pub is_jwt: bool,
    /// The flows by which its tokens are obtained, if their URLs can be used.
    pub flows: Vec<Flow>,
    /// The URL of its authorization server's metadata, by OpenID Connect or RFC 8414: absolute, or a path from the root of
    /// the API's host if the document names no server.
    pub discovery_url: Option<String>,
    /// The defects of its description.
    pub defects: Vec<SchemeProblem>,
    /// The reason why no request can carry its credential, if none can.
    unsendable: Option<String>,
}

/// A defect of a security scheme.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SchemeProblem {
    /// The JSON pointer of the node.
    pub pointer: String,
    /// A description of the problem.
    pub problem: String,
    /// The remedy.
    pub help: String,
    /// True if a required part of the scheme is missing or not valid. Otherwise the part is well formed but must not be used:
    /// a plain http URL.
    pub is_malformed: bool,
}

/// A requirement of a scheme that the document does not describe.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UndeclaredScheme {
    /// The name of the scheme.
    pub name: String,
    /// The JSON pointer of the requirement.
    pub pointer: String,
}

impl Api {
    /// Returns the security schemes that the document describes, in its order.
    pub fn security_schemes(&self) -> Vec<SecurityScheme> {
        schemes(&self.document, &self.base_url)
    }

    /// Returns every requirement of a scheme that is not described.
    pub fn undeclared_schemes(&self) -> Vec<UndeclaredScheme> {
        undeclared(&self.document)
    }

    /// Returns the scopes that operations require of a scheme.
    pub fn asked_scopes(&self, scheme: &str) -> BTreeSet<String> {
        let root = self.document.get("security");
        let requirements = self.operations.iter().filter_map(|operation| {
            let node = self.document.pointer(&operation.pointer())?;
            node.get("security").or(root)?.as_array()
        });
        let lists = requirements.flatten().filter_map(|alternative| alternative.get(scheme)?.as_array()).flatten();
        lists.filter_map(Value::as_str).filter(|scope| flows::is_scope(scope)).map(str::to_owned).collect()
    }
}

/// Records the defects of the schemes, and the schemes that are not described.
pub(crate) fn note(document: &Value, base_url: &str, repairs: &mut Repairs) {
    for UndeclaredScheme { name, pointer } in undeclared(document) {
        let note = format!("the scheme `{name}` is not described: how its credential is sent is not known");
        repairs.note("unknown-scheme", &pointer, note);
    }
    for defect in schemes(document, base_url).into_iter().flat_map(|scheme| scheme.defects) {
        repairs.note("odd-scheme", &defect.pointer, format!("{}: {}", defect.problem, defect.help));
    }
}

fn schemes(document: &Value, base_url: &str) -> Vec<SecurityScheme> {
    let described = walk::members(document, AT);
    described.into_iter().map(|(at, scheme)| read(at, walk::resolve(document, scheme), base_url)).collect()
}

fn undeclared(document: &Value) -> Vec<UndeclaredScheme> {
    let described = document.pointer(AT).and_then(Value::as_object);
    let is_described = |name: &str| described.is_some_and(|schemes| schemes.contains_key(name));
    let mut holders = vec![(String::new(), document)];
    holders.extend(walk::operations(document));
    let mut found = Vec::new();
    for (at, holder) in holders {
        let alternatives = holder.get("security").and_then(Value::as_array).into_iter().flatten();
        for (index, alternative) in alternatives.enumerate() {
            let names = alternative.as_object().into_iter().flatten().map(|(name, _)| name);
            found.extend(
                names
                    .filter(|name| !is_described(name))
                    .map(|name| UndeclaredScheme { name: name.clone(), pointer: format!("{at}/security/{index}") }),
            );
        }
    }
    found
}

fn read(at: String, scheme: &Value, base_url: &str) -> SecurityScheme {
    let is = |key: &str, value: &str| scheme[key].as_str().is_some_and(|text| text.eq_ignore_ascii_case(value));
    let carrier = carrier::carrier(scheme);
    let mut read = SecurityScheme {
        name: pointer::name(&at),
        unsendable: carrier.is_none().then(|| carrier::unsendable(scheme)),
        carrier,
        is_key: is("type", "apiKey"),
        is_jwt: is("bearerFormat", "JWT"),
        pointer: at,
        ..SecurityScheme::default()
    };
    if is("type", "oauth2") {
        read.flows(&scheme["flows"], base_url);
        if let Some(described) = scheme.get("oauth2MetadataUrl") {
            let found = url::url(described, base_url);
            read.discovery_url = read.url(&read.pointer.clone(), "oauth2MetadataUrl", "the scheme", found);
        }
    } else if is("type", "openIdConnect") {
        let found = url::url(&scheme["openIdConnectUrl"], base_url);
        // The URL is the only content of such a scheme.
        let is_none = |problem: url::UrlProblem| problem.is_malformed || problem.told == url::NOT_ABSOLUTE.told;
        let found = found.map_err(|problem| url::UrlProblem { is_malformed: is_none(problem), ..problem });
        read.discovery_url = read.url(&read.pointer.clone(), "openIdConnectUrl", "the scheme", found);
    } else if is("type", "http") {
        read.of_http(&scheme["scheme"]);
    } else if read.is_key {
        read.of_key(&scheme["name"], &scheme["in"]);
    } else if !read.is_certificate() {
        let told = scheme["type"].as_str().map_or_else(|| "no type".to_owned(), |text| format!("the type `{text}`"));
        let problem = format!("the security scheme `{}` has {told}, which is none of OpenAPI's", read.name);
        read.malformed("type", problem, format!("use one of {}", TYPES.join(", ")));
    }
    read
}

impl SecurityScheme {
    /// Returns the reason why no request can carry its credential; empty if one can.
    pub fn why_unsendable(&self) -> &str {
        self.unsendable.as_deref().unwrap_or_default()
    }

    /// Returns whether it is a client certificate, which the connection presents and no request carries.
    pub fn is_certificate(&self) -> bool {
        self.carrier == Some(Carrier::ClientCertificate)
    }

    fn malformed(&mut self, member: &str, problem: String, help: impl Into<String>) {
        let pointer = pointer::join(&self.pointer, member);
        self.defects.push(SchemeProblem { pointer, problem, help: help.into(), is_malformed: true });
    }

    fn of_http(&mut self, scheme: &Value) {
        let problem = match scheme.as_str() {
            Some(scheme) if is_header(scheme) => return,
            Some(scheme) if !scheme.is_empty() => format!("`{scheme}` is not the name of a scheme of HTTP"),
            _ => "no `scheme` of HTTP is named".to_owned(),
        };
        let problem = format!("the security scheme `{}`: {problem}", self.name);
        self.malformed("scheme", problem, "name one, such as `bearer` or `basic`");
    }

    fn of_key(&mut self, name: &Value, place: &Value) {
        let place = place.as_str().unwrap_or_default().to_ascii_lowercase();
        if !["header", "query", "cookie"].contains(&place.as_str()) {
            let told = if place.is_empty() { "has no `in`".to_owned() } else { format!("is sent in `{place}`") };
            let problem = format!("the key `{}` {told}: where it stands in a request is not known", self.name);
            self.malformed("in", problem, "use one of header, query, cookie");
        }
        let problem = match name.as_str() {
            Some(name) if is_header(name) || (place == "query" && !name.is_empty()) => return,
            Some(name) if !name.is_empty() => {
                format!("`{name}` is not a name under which the key `{}` can be sent", self.name)
            }
            _ => format!("the key `{}` has no `name` under which it is sent", self.name),
        };
        self.malformed("name", problem, "use letters, digits and hyphens, such as X-Api-Key");
    }

    /// Returns the URL, or records a defect.
    fn url(&mut self, at: &str, member: &str, of: &str, found: Result<String, url::UrlProblem>) -> Option<String> {
        let problem = match found {
            Ok(url) => return Some(url),
            Err(problem) => problem,
        };
        self.defects.push(SchemeProblem {
            pointer: pointer::join(at, member),
            problem: format!("`{member}` of {of} {}", problem.told),
            help: "name the https URL, in the document or by overlay".to_owned(),
            is_malformed: problem.is_malformed,
        });
        None
    }
}
