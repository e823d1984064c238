//! What opens an API: the security schemes of its document, and what the user says where the document is silent.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use keyfit_openapi::{Api, Carrier, Failure, Needed, Operation, SourcePlace, carrier_of, did_you_mean, unsendable};
use serde_json::{Map, Value, json};

/// What a user says of the credentials of a document.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    /// How credentials are sent of which the document does not say it.
    pub credentials: Vec<Choice>,
    /// Operations of which the document does not say what they take are taken to need what the others do.
    pub assume_secured: bool,
}

/// How a credential is sent: `bearer`, `basic`, `scheme:Bot`, `header:X-Api-Key`, `query:key` or `cookie:sid`; with the name of a
/// scheme before it, `login=basic`, where the document has that.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Choice {
    /// The scheme of the document that it is about.
    pub kind: Option<String>,
    /// Where it is sent.
    pub carrier: Carrier,
}

/// A security scheme whose credential can be sent.
#[derive(Clone, Debug)]
pub(super) struct Scheme {
    pub(super) kind: String,
    /// Where it is sent.
    pub(super) carrier: Carrier,
    /// Whether the document says that its tokens are JWTs.
    pub(super) is_jwt: bool,
}

/// What opens an API.
#[derive(Debug, Default)]
pub(super) struct Login {
    pub(super) schemes: Vec<Scheme>,
    /// What an overlay adds to the root of the document, for it to say this.
    pub(super) root: Map<String, Value>,
    pub(super) notes: Vec<String>,
}

impl Scheme {
    /// Whether clients are driven with it: it stands in a header.
    pub(super) fn is_of_clients(&self) -> bool {
        !matches!(self.carrier, Carrier::Query(_) | Carrier::ClientCertificate)
    }
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The names of schemes have no colon.
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
        if carrier.odd_name().is_some() || kind == Some("") {
            return Err(
                "the name is not one under which a credential can be sent: use letters, digits and hyphens".to_owned()
            );
        }
        Ok(Self { kind: kind.map(str::to_owned), carrier })
    }
}

impl fmt::Display for Choice {
    /// As it is written on the command line.
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
    /// Returns an error if the document names a scheme that it does not declare, or one of a type that nobody knows, and no
    /// choice says how that is sent; and if a choice is about no scheme of the document.
    pub(super) fn read(api: &Api, path: &str, choices: &Choices) -> Result<Self, Failure> {
        let mut login = Self::default();
        let empty = Map::new();
        let declared = api.document.pointer("/components/securitySchemes").and_then(Value::as_object).unwrap_or(&empty);
        let asked: BTreeSet<&String> = api.operations.iter().flat_map(|operation| operation.needed.kinds()).collect();
        let chosen = Self::chosen(path, choices, declared, &asked)?;
        let of = |kind: &str| chosen.iter().find(|(known, _)| known == kind).map(|(_, carrier)| carrier.clone());
        for (kind, scheme) in declared {
            login.declared(api, kind, api.resolve(scheme), of(kind))?;
        }
        for (kind, carrier) in &chosen {
            if !declared.contains_key(kind) {
                login.schemes.push(Scheme { kind: kind.clone(), carrier: carrier.clone(), is_jwt: false });
                login.add_scheme(kind, carrier);
            }
        }
        if let Some(kind) = asked.into_iter().find(|kind| !declared.contains_key(*kind) && of(kind).is_none()) {
            let place = place_of(api, kind);
            return Err(Failure {
                place,
                problem: format!("`security` names the scheme `{kind}`, which the document does not declare"),
                help: format!(
                    "describe it under components.securitySchemes, or say how it is sent: --credential {kind}=bearer, or basic, \
                     scheme:NAME, header:NAME, query:NAME, cookie:NAME"
                ),
            });
        }
        login.secure(api, choices, declared.is_empty());
        Ok(login)
    }

    /// The kinds that the user describes, each with its carrier.
    fn chosen(
        path: &str,
        choices: &Choices,
        declared: &Map<String, Value>,
        asked: &BTreeSet<&String>,
    ) -> Result<Vec<(String, Carrier)>, Failure> {
        let mut chosen: Vec<(String, Carrier)> = Vec::new();
        let names: BTreeSet<&str> =
            declared.keys().map(String::as_str).chain(asked.iter().map(|kind| kind.as_str())).collect();
        let listed = names.iter().copied().collect::<Vec<_>>().join(", ");
        for choice in &choices.credentials {
            let refuse = |problem: String, help: String| Err(Failure::of_file(path, problem, help));
            let kind = match &choice.kind {
                Some(kind) if names.is_empty() || names.contains(kind.as_str()) => kind.clone(),
                Some(kind) => {
                    let problem = format!("the document has no security scheme `{kind}`");
                    return refuse(problem, did_you_mean(kind, names, &format!("it has {listed}")));
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

    fn declared(&mut self, api: &Api, kind: &str, scheme: &Value, chosen: Option<Carrier>) -> Result<(), Failure> {
        let is = |key: &str, value: &str| scheme[key].as_str().is_some_and(|text| text.eq_ignore_ascii_case(value));
        let is_jwt = is("bearerFormat", "JWT");
        if let Some(carrier) = chosen {
            self.schemes.push(Scheme { kind: kind.to_owned(), carrier, is_jwt });
            return Ok(());
        }
        let types = ["http", "apiKey", "oauth2", "openIdConnect", "mutualTLS"];
        if !types.iter().any(|known| is("type", known)) {
            let told =
                scheme["type"].as_str().map_or_else(|| "no type".to_owned(), |text| format!("the type `{text}`"));
            let at = format!("/components/securitySchemes/{}", escaped(kind));
            return Err(Failure {
                place: api.place(&at),
                problem: format!("the security scheme `{kind}` has {told}, which is none of OpenAPI's"),
                help: format!(
                    "use one of {}, or say how it is sent: --credential {kind}=bearer, or basic, scheme:NAME, header:NAME, \
                     query:NAME, cookie:NAME",
                    types.join(", ")
                ),
            });
        }
        let Some(carrier) = carrier_of(scheme) else {
            self.notes.push(format!("the scheme `{kind}` cannot be sent: {}", unsendable(scheme)));
            return Ok(());
        };
        if is("type", "apiKey") && carrier == Carrier::Header {
            self.notes.push(format!(
                "the key `{kind}` stands in `Authorization`, and the document does not say behind which scheme: `Bearer` is \
                 assumed; for another one pass --credential {kind}=scheme:NAME"
            ));
        }
        self.schemes.push(Scheme { kind: kind.to_owned(), carrier, is_jwt });
        Ok(())
    }

    /// Says of a new scheme in the words of OpenAPI where it is sent.
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

    /// Says what the operations take of which the document says nothing: with a choice or by assumption what the others take,
    /// and otherwise nothing, which is told.
    fn secure(&mut self, api: &Api, choices: &Choices, is_undeclared: bool) {
        let silent: Vec<&Operation> =
            api.operations.iter().filter(|operation| *operation.needed == Needed::Any).collect();
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

    /// What most operations of the document need, without scopes; each scheme alone where none says it.
    fn usual(&self, api: &Api) -> Value {
        let mut counted: Vec<(&[Vec<String>], usize)> = Vec::new();
        for operation in api.operations.iter().filter(|operation| !operation.needed.is_optional()) {
            let sets = operation.needed.sets();
            match counted.iter_mut().find(|(known, _)| *known == sets) {
                Some((_, count)) => *count += 1,
                None => counted.push((sets, 1)),
            }
        }
        // Of several that are as usual, the first.
        let usual = counted.iter().rev().max_by_key(|(_, count)| *count).map(|(sets, _)| sets.to_vec());
        let each = || self.schemes.iter().map(|scheme| vec![scheme.kind.clone()]).collect::<Vec<_>>();
        let none = |kind: &String| (kind.clone(), json!([]));
        usual.unwrap_or_else(each).iter().map(|set| set.iter().map(none).collect::<Value>()).collect()
    }
}

/// What a credential is called of which the document has no name.
fn name_of(carrier: &Carrier) -> &'static str {
    match carrier {
        Carrier::Header | Carrier::Scheme(_) => "token",
        Carrier::Basic => "login",
        Carrier::NamedHeader(_) | Carrier::Query(_) | Carrier::Cookie(_) => "key",
        Carrier::ClientCertificate => "certificate",
    }
}

/// A requirement in words: `a` with `b`, or `c`.
fn told(security: &Value) -> String {
    let sets = security.as_array().into_iter().flatten().filter_map(Value::as_object);
    let set = |set: &Map<String, Value>| set.keys().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(" with ");
    sets.map(set).collect::<Vec<_>>().join(", or ")
}

fn ids(operations: &[&Operation]) -> Vec<String> {
    operations.iter().map(|operation| operation.id.clone()).collect()
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Where a requirement names a scheme.
fn place_of(api: &Api, kind: &str) -> SourcePlace {
    let names = |node: &Value| {
        let alternatives = node.get("security").and_then(Value::as_array).into_iter().flatten();
        alternatives.filter_map(Value::as_object).any(|set| set.contains_key(kind))
    };
    let at = api.operations.iter().find_map(|operation| {
        let at = format!("/paths/{}/{}", escaped(&operation.key), operation.method.to_lowercase());
        api.document.pointer(&at).filter(|node| names(node)).map(|_| format!("{at}/security"))
    });
    api.place(&at.unwrap_or_else(|| "/security".to_owned()))
}
