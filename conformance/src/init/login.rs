//! The credentials of an API: the security schemes of its document, and the user's choices if the document has none.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use keyfit_openapi::{Api, Carrier, Error, Operation, SecurityRequirement, SecurityScheme, did_you_mean};
use serde_json::{Map, Value, json};

use super::authorization::posted_below;

/// The user's choices for the credentials of a document.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    /// The places of credentials that the document does not describe.
    pub credentials: Vec<Choice>,
    /// True if operations without a declaration are assumed to require the same as the others.
    pub assume_secured: bool,
    /// Scopes that include others.
    pub includes: Vec<Inclusion>,
}

/// A scope that includes others: `admin=read,write`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Inclusion {
    /// The scope.
    pub scope: String,
    /// The included scopes.
    pub included: BTreeSet<String>,
}

impl FromStr for Inclusion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scope, included) = text.split_once('=').unwrap_or((text, ""));
        let included: BTreeSet<String> = included.split(',').map(|one| one.trim().to_owned()).collect();
        if scope.is_empty() || included.contains("") {
            return Err("write SCOPE=SCOPE,SCOPE".to_owned());
        }
        Ok(Self { scope: scope.to_owned(), included })
    }
}

/// The place of a credential: `bearer`, `basic`, `scheme:Bot`, `header:X-Api-Key`, `query:key` or `cookie:sid`; with the name of a documented
/// scheme before it, `login=basic`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Choice {
    /// The scheme of the document that it applies to.
    pub kind: Option<String>,
    /// The place in a request.
    pub carrier: Carrier,
}

/// A security scheme whose credential can be sent.
#[derive(Clone, Debug)]
pub(super) struct Scheme {
    pub(super) kind: String,
    /// The place in a request.
    pub(super) carrier: Carrier,
    /// True if the document declares its tokens as JWTs.
    pub(super) is_jwt: bool,
}

/// The credentials of an API.
#[derive(Debug, Default)]
pub(super) struct Login {
    pub(super) schemes: Vec<Scheme>,
    /// The additions of an overlay to the root of the document that declare them.
    pub(super) root: Map<String, Value>,
    pub(super) notes: Vec<String>,
}

impl Scheme {
    /// Returns whether clients use it: it is in a header.
    pub(super) fn is_of_clients(&self) -> bool {
        !matches!(self.carrier, Carrier::Query(_) | Carrier::ClientCertificate)
    }
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The names of schemes contain no colon.
        let named = text.split_once('=').filter(|(kind, _)| !kind.contains(':'));
        let (kind, place) = named.map_or((None, text), |(kind, place)| (Some(kind), place));
        let (place, name) = place.split_once(':').map_or((place, None), |(place, name)| (place, Some(name.to_owned())));
        let carrier = match (place, name) {
            ("bearer", None) => Carrier::Header,
            ("basic", None) => Carrier::Basic,
            ("scheme", Some(name)) if name.eq_ignore_ascii_case("bearer") => Carrier::Header,
            ("scheme", Some(name)) if name.eq_ignore_ascii_case("basic") => Carrier::Basic,
            ("scheme", Some(name)) => Carrier::Scheme(name),
            ("header", Some(name)) if name.eq_ignore_ascii_case("authorization") => {
                return Err(
                    "a token in `Authorization` stands behind a scheme: write `scheme:NAME`, or `bearer`".to_owned()
                );
            }
            ("header", Some(name)) => Carrier::NamedHeader(name),
            ("query", Some(name)) => Carrier::Query(name),
            ("cookie", Some(name)) => Carrier::Cookie(name),
            _ => {
                return Err("write bearer, basic, scheme:NAME, header:NAME, query:NAME or cookie:NAME".to_owned());
            }
        };
        if carrier.invalid_name().is_some() || kind == Some("") {
            return Err(
                "the name is not one under which a credential can be sent: use letters, digits and hyphens".to_owned()
            );
        }
        Ok(Self { kind: kind.map(str::to_owned), carrier })
    }
}

impl fmt::Display for Choice {
    /// Writes it in the notation of the command line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kind) = &self.kind {
            write!(f, "{kind}=")?;
        }
        match &self.carrier {
            Carrier::Header => f.write_str("bearer"),
            Carrier::Basic => f.write_str("basic"),
            Carrier::Scheme(name) => write!(f, "scheme:{name}"),
            Carrier::NamedHeader(name) => write!(f, "header:{name}"),
            Carrier::Query(name) => write!(f, "query:{name}"),
            Carrier::Cookie(name) => write!(f, "cookie:{name}"),
            Carrier::ClientCertificate => f.write_str("client-certificate"),
        }
    }
}

impl Login {
    /// Reads the schemes of a document.
    ///
    /// # Errors
    /// Returns an error if the document names a scheme that it does not declare, or one of an unknown type, and no choice describes it, or
    /// if a choice is not about a scheme of the document.
    pub(super) fn read(api: &Api, path: &str, choices: &Choices) -> Result<Self, Error> {
        let mut login = Self::default();
        let described = api.security_schemes();
        let declared: BTreeSet<&str> = described.iter().map(|scheme| scheme.name.as_str()).collect();
        let asked: BTreeSet<&str> =
            api.operations.iter().flat_map(|operation| operation.security.kinds()).map(String::as_str).collect();
        let chosen = Self::chosen(path, choices, &declared.union(&asked).copied().collect())?;
        let of = |kind: &str| chosen.iter().find(|(known, _)| known == kind).map(|(_, carrier)| carrier.clone());
        let posted = posted_below(api);
        for scheme in &described {
            let is_asked = asked.is_empty() || asked.contains(scheme.name.as_str());
            login.declared(api, scheme, is_asked, of(&scheme.name), &posted)?;
        }
        for (kind, carrier) in &chosen {
            if !declared.contains(kind.as_str()) {
                login.schemes.push(Scheme { kind: kind.clone(), carrier: carrier.clone(), is_jwt: false });
                login.add_scheme(kind, carrier);
            }
        }
        let is_missing = |name: &str| asked.contains(name) && of(name).is_none();
        if let Some(missing) = api.undeclared_schemes().into_iter().find(|missing| is_missing(&missing.name)) {
            let kind = missing.name;
            return Err(Error {
                location: api.location(&missing.pointer),
                problem: format!("`security` names the scheme `{kind}`, which the document does not declare"),
                help: format!("describe it under components.securitySchemes, or {}", how(&kind)),
            });
        }
        login.secure(api, choices, declared.is_empty());
        Ok(login)
    }

    /// Returns the kinds that the user describes, with their carriers.
    fn chosen(path: &str, choices: &Choices, names: &BTreeSet<&str>) -> Result<Vec<(String, Carrier)>, Error> {
        let mut chosen: Vec<(String, Carrier)> = Vec::new();
        let listed = names.iter().copied().collect::<Vec<_>>().join(", ");
        for choice in &choices.credentials {
            let refuse = |problem: String, help: String| Err(Error::of_file(path, problem, help));
            let kind = match &choice.kind {
                Some(kind) if names.is_empty() || names.contains(kind.as_str()) => kind.clone(),
                Some(kind) => {
                    let problem = format!("the document has no security scheme `{kind}`");
                    return refuse(problem, did_you_mean(kind, names.iter().copied(), &format!("it has {listed}")));
                }
                None if names.is_empty() => name_of(&choice.carrier).to_owned(),
                None if names.len() == 1 => listed.clone(),
                None => {
                    let problem =
                        "the document names several security schemes, and --credential says of none which it is";
                    let first = names.first().copied().unwrap_or_default();
                    let help = format!("name the one: --credential {first}={choice}; it has {listed}");
                    return refuse(problem.to_owned(), help);
                }
            };
            if chosen.iter().any(|(known, _)| *known == kind) {
                let problem = format!("--credential says twice how `{kind}` is sent");
                return refuse(problem, "leave one of the two out, or name the scheme of each: KIND=...".to_owned());
            }
            chosen.push((kind, choice.carrier.clone()));
        }
        Ok(chosen)
    }

    fn declared(
        &mut self,
        api: &Api,
        scheme: &SecurityScheme,
        is_asked: bool,
        chosen: Option<Carrier>,
        posted: &[(String, &str)],
    ) -> Result<(), Error> {
        let SecurityScheme { name: kind, is_jwt, .. } = scheme;
        if let Some(carrier) = chosen {
            self.schemes.push(Scheme { kind: kind.clone(), carrier, is_jwt: *is_jwt });
            return Ok(());
        }
        for defect in scheme.defects.iter().filter(|_| is_asked) {
            let place = api.location(&defect.pointer);
            if let Some((_, operation)) = posted.iter().find(|(at, _)| *at == defect.pointer) {
                self.notes
                    .push(format!("tokens of `{kind}` are had by the operation `{operation}`: tokens.toml shows how"));
                continue;
            }
            if defect.is_malformed {
                let (problem, help) = (defect.problem.clone(), format!("{}, or {}", defect.help, how(kind)));
                return Err(Error { location: place, problem, help });
            }
            self.notes.push(format!("{place}: {}: {}", defect.problem, defect.help));
        }
        let Some(carrier) = scheme.carrier.clone() else {
            self.notes.push(format!("the scheme `{kind}` cannot be sent: {}", scheme.why_unsendable()));
            return Ok(());
        };
        if scheme.is_key && carrier == Carrier::Header {
            self.notes.push(format!(
                "the key `{kind}` stands in `Authorization`, and the document does not say behind which scheme: `Bearer` is \
                 assumed; for another one pass --credential {kind}=scheme:NAME"
            ));
        }
        self.schemes.push(Scheme { kind: kind.clone(), carrier, is_jwt: *is_jwt });
        Ok(())
    }

    /// Adds a scheme in OpenAPI notation with this carrier.
    fn add_scheme(&mut self, kind: &str, carrier: &Carrier) {
        let key = |place: &str, name: &str| json!({ "type": "apiKey", "in": place, "name": name });
        let scheme = match carrier {
            Carrier::Header => json!({ "type": "http", "scheme": "bearer" }),
            Carrier::Basic => json!({ "type": "http", "scheme": "basic" }),
            Carrier::Scheme(name) => json!({ "type": "http", "scheme": name }),
            Carrier::NamedHeader(name) => key("header", name),
            Carrier::Query(name) => key("query", name),
            Carrier::Cookie(name) => key("cookie", name),
            Carrier::ClientCertificate => json!({ "type": "mutualTLS" }),
        };
        let components = self.root.entry("components").or_insert_with(|| json!({ "securitySchemes": {} }));
        components["securitySchemes"][kind] = scheme;
    }

    /// Adds the requirements of operations without a declaration: with a choice or by assumption those of the others, and otherwise none, with
    /// a note.
    fn secure(&mut self, api: &Api, choices: &Choices, is_undeclared: bool) {
        let silent: Vec<&Operation> =
            api.operations.iter().filter(|operation| *operation.security == SecurityRequirement::Any).collect();
        let Some(operations) = super::document::all_of(&ids(&silent)) else { return };
        if self.schemes.is_empty() {
            return;
        }
        let count = silent.len();
        if !is_undeclared && !choices.assume_secured {
            let verb = if count == 1 { "operation has" } else { "operations have" };
            self.notes.push(format!(
                "{count} {verb} no `security`, and the document names none for all: whoever calls is served without a \
                 credential, as OpenAPI has it: {operations}; if they need one, pass --assume-secured"
            ));
            return;
        }
        let security = self.usual(api);
        self.notes.push(format!("{operations}: taken to need {}, which the document does not say", told(&security)));
        self.root.insert("security".to_owned(), security);
    }

    /// Returns the requirements of most operations, without scopes; each scheme alone if no operation has any.
    fn usual(&self, api: &Api) -> Value {
        let mut counted: Vec<(&[Vec<String>], usize)> = Vec::new();
        for operation in api.operations.iter().filter(|operation| !operation.security.is_optional()) {
            let sets = operation.security.sets();
            match counted.iter_mut().find(|(known, _)| *known == sets) {
                Some((_, count)) => *count += 1,
                None => counted.push((sets, 1)),
            }
        }
        // The first one, if several are equal.
        let usual = counted.iter().rev().max_by_key(|(_, count)| *count).map(|(sets, _)| sets.to_vec());
        let each = || self.schemes.iter().map(|scheme| vec![scheme.kind.clone()]).collect::<Vec<_>>();
        let none = |kind: &String| (kind.clone(), json!([]));
        usual.unwrap_or_else(each).iter().map(|set| set.iter().map(none).collect::<Value>()).collect()
    }
}

/// Returns the name for a credential without a name in the document.
fn name_of(carrier: &Carrier) -> &'static str {
    match carrier {
        Carrier::Header | Carrier::Scheme(_) => "token",
        Carrier::Basic => "login",
        Carrier::NamedHeader(_) | Carrier::Query(_) | Carrier::Cookie(_) => "key",
        Carrier::ClientCertificate => "certificate",
    }
}

/// Returns a requirement as text: `a` with `b`, or `c`.
fn told(security: &Value) -> String {
    let sets = security.as_array().into_iter().flatten().filter_map(Value::as_object);
    let set = |set: &Map<String, Value>| set.keys().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(" with ");
    sets.map(set).collect::<Vec<_>>().join(", or ")
}

fn ids(operations: &[&Operation]) -> Vec<String> {
    operations.iter().map(|operation| operation.id.clone()).collect()
}

/// Returns the hint for a scheme without a usable description.
fn how(kind: &str) -> String {
    format!(
        "say how it is sent: --credential {kind}=bearer, or basic, scheme:NAME, header:NAME, query:NAME, cookie:NAME"
    )
}
