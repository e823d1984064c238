//! The request of a probe: a valid request from the document with one flaw.

use std::borrow::Cow;
use std::collections::BTreeMap;

use keyfit_openapi::idempotency::{KeyLocation, key_location};
use keyfit_openapi::{Api, Operation, Parameter, ParameterLocation};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderName};
use serde_json::{Map, Value, json};

use super::Servers;
use super::idempotency::new_key;
use super::jwt;
use super::live::{BodyExceptions, Effect, LiveServer, safe_body};
use super::transport::CertificateChoice;
use crate::catalogue::{required_field, start_and_limit, undeclared_methods, wrong_top_level};
use crate::contract::{Batch, Carrier, Contract, Credential, Probe, Tampering};
use crate::credential::carrier::{self, RequestPlace, other_place};
use crate::credential::identity::{Identities, Identity, IdentityCredential, other_alternative};
use crate::credential::secret::Secret;
use crate::document::body;
use crate::document::parameter;
use crate::document::segment;
use crate::document::unknown_id::{self, UNKNOWN_ID};
use crate::judgement::missing::Missing;
use crate::text::pointer::put;

/// A request before it is sent.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) method: String,
    pub(super) url: Url,
    /// The headers that the document requires.
    pub(super) headers: Vec<(HeaderName, String)>,
    /// The headers with the credentials.
    pub(super) credentials: Vec<(HeaderName, String)>,
    /// The client certificate of its connection.
    pub(super) certificate: CertificateChoice,
    /// The secret parts of the credentials, in headers and in the query.
    pub(super) secrets: Vec<Secret>,
    /// The credentials that are sent unchanged: a 401 means that the server does not accept them.
    pub(super) held: Vec<Secret>,
    pub(super) body: Option<Vec<u8>>,
    /// The media type of the body.
    pub(super) media_type: Cow<'static, str>,
    /// The `Accept` header.
    pub(super) accept: Cow<'static, str>,
    /// The secrets of the caller, even if the request does not contain them.
    pub(super) callers: Vec<Secret>,
    /// The items of a batch, each with a flag that is true for a valid one.
    pub(super) items: Vec<(Value, bool)>,
    /// The id of the operation; `None` if the request does not call the API.
    pub(super) operation: Option<String>,
    /// The parameters of its path.
    pub(super) ids: BTreeMap<String, String>,
    /// A required member that must not be sent to a live server.
    pub(super) lacks: Option<String>,
}

impl Draft {
    /// Creates a request without credentials that does not call the API.
    pub(super) fn outside(method: &str, url: Url) -> Self {
        Self {
            method: method.to_owned(),
            url,
            headers: Vec::new(),
            credentials: Vec::new(),
            certificate: CertificateChoice::Usual,
            secrets: Vec::new(),
            held: Vec::new(),
            callers: Vec::new(),
            body: None,
            media_type: JSON.into(),
            accept: JSON.into(),
            items: Vec::new(),
            operation: None,
            ids: BTreeMap::new(),
            lacks: None,
        }
    }

    /// Returns the request with this credential in place of those in its headers.
    pub(super) fn with(mut self, carrier: &Carrier, credential: &str) -> Self {
        self.credentials.clear();
        self.held.clear();
        self.secrets = carrier::secrets(carrier, credential).into_iter().map(Secret::new).collect();
        let value = carrier::credential_value(carrier, credential);
        match RequestPlace::of(carrier) {
            RequestPlace::Header(name) => self.credentials.push((name, value)),
            RequestPlace::Cookie(name) => self.credentials.push((COOKIE, format!("{name}={value}"))),
            RequestPlace::Query(name) => {
                let others: Vec<(String, String)> =
                    self.url.query_pairs().into_owned().filter(|(known, _)| *known != name).collect();
                self.url.query_pairs_mut().clear().extend_pairs(others).append_pair(&name, &value);
            }
            RequestPlace::Connection => self.certificate = CertificateChoice::This(Secret::new(credential)),
        }
        self
    }
}

/// The media type of API calls, and the accepted one.
pub(super) const JSON: &str = "application/json";
/// A media type that the documents do not accept.
const TEXT: &str = "text/plain";
/// The media type of token requests.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// Arguments that replace an operation's own, and a required member that is omitted from their body.
type SafeArguments = (Option<Map<String, Value>>, Option<String>);

/// The context from which a draft is made.
pub(super) struct DraftBuilder<'a> {
    pub(super) api: &'a Api,
    pub(super) contract: &'a Contract,
    pub(super) servers: &'a Servers,
    pub(super) identities: &'a dyn Identities,
    /// The arguments of a valid request.
    pub(super) arguments: &'a Map<String, Value>,
    /// The live server that receives the request; `None` for a mock.
    pub(super) live: Option<&'a LiveServer>,
}

impl DraftBuilder<'_> {
    /// Returns the request that a probe sends to an operation.
    pub(super) fn draft(&self, probe: &Probe, operation: &Operation, identity: &Identity) -> Result<Draft, Missing> {
        let (kept, lacks) = self.safe_arguments(probe, operation)?;
        let arguments = kept.as_ref().unwrap_or(self.arguments);
        let mut path: BTreeMap<String, String> = BTreeMap::new();
        for parameter in operation.parameters.iter().filter(|parameter| parameter.location == ParameterLocation::Path) {
            let example =
                || arguments.get(&parameter.name).map(|value| parameter::text(parameter, value)).unwrap_or_default();
            let value = match (probe, identity.ids.get(&parameter.name)) {
                (Probe::Foreign(name), _) if *name == parameter.name => {
                    self.identities.foreign_id(&operation.path, name)?
                }
                (Probe::UnknownId(name), known) if *name == parameter.name => self.unused_id(parameter, known),
                (_, Some(known)) => known.clone(),
                // A value of an enumeration is not an id.
                _ if self.api.resolve(&parameter.schema).get("enum").is_some() => example(),
                _ => self.identities.path_value(&parameter.name, example())?,
            };
            path.insert(parameter.name.clone(), value);
        }
        if let Some((name, _)) = path.iter().find(|(_, value)| !segment::is_one(value)) {
            return Err(Missing::new(format!("the value of `{name}` would lead to another path")));
        }
        let placed = self.placed(probe, operation, identity)?;
        let mut url = self.url(operation, &path)?;
        self.add_query(&mut url, probe, operation, identity, &placed)?;
        let items = self.items(probe, operation, arguments.get("body"));
        let body = arguments.get("body").and_then(|body| self.body(probe, operation, body, &items));
        Ok(Draft {
            method: self.method(probe, operation).to_owned(),
            url,
            headers: self.headers(operation),
            credentials: in_headers(&placed),
            certificate: self.certificate(probe, identity),
            secrets: placed.iter().flat_map(|one| one.secrets.clone()).map(Secret::new).collect(),
            held: identity.secrets().filter(|_| probe.is_of_good_credential()).cloned().collect(),
            callers: identity.secrets().cloned().collect(),
            media_type: match &operation.body {
                _ if *probe == Probe::OtherMediaType => TEXT.into(),
                Some(documented) => {
                    body::media_type_of(self.api, documented, body.as_deref().unwrap_or_default()).into()
                }
                None => JSON.into(),
            },
            body,
            accept: body::asked_for(operation).to_owned().into(),
            items,
            operation: Some(operation.id.clone()),
            ids: path,
            lacks,
        })
    }

    /// Returns the arguments that may be sent to a live server, and the required member that they lack.
    fn safe_arguments(&self, probe: &Probe, operation: &Operation) -> Result<SafeArguments, Missing> {
        // Keys are created for the probes that change them.
        let is_of_keys = self.contract.key_management.as_ref().is_some_and(|keys| keys.names(&operation.id));
        let Some(live) = self.live.filter(|live| !is_of_keys && !live.allows(operation)) else {
            return Ok((None, None));
        };
        let (Some(schema), Some(body)) = (&operation.body, self.arguments.get("body")) else { return Ok((None, None)) };
        let effect = live.effect(operation);
        if effect == Effect::Nothing {
            return Ok((None, None));
        }
        let path = operation.parameters.iter().filter(|parameter| parameter.location == ParameterLocation::Path);
        let parameters: Vec<&str> = path.map(|parameter| parameter.name.as_str()).collect();
        let keep = BodyExceptions {
            parameters: &parameters,
            required: matches!(effect, Effect::Creates | Effect::CreatesAt(_)) && operation.method == "POST",
            member: self.contract.batch_of(operation).and_then(|batch| batch.id_field.as_deref()),
        };
        let found = safe_body(self.api, &schema.schema, body, keep);
        if let (Probe::Valid, Some(member)) = (probe, &found.lacks) {
            let Operation { id, .. } = operation;
            return Err(Missing::new(format!("its body needs `{member}`, which the check does not set")).allow(id));
        }
        let mut arguments = self.arguments.clone();
        arguments.insert("body".to_owned(), found.body);
        Ok((Some(arguments), found.lacks))
    }

    /// Returns an id that does not exist. At a live server each one is new, so that a case cannot create it for the next one.
    fn unused_id(&self, parameter: &Parameter, known: Option<&String>) -> String {
        let known = known.map(String::as_str);
        match self.live {
            Some(live) => live.unused_id(parameter, known),
            None => unknown_id::id(self.api, parameter, known, 0),
        }
    }

    fn method<'o>(&self, probe: &Probe, operation: &'o Operation) -> &'o str {
        match probe {
            Probe::UndeclaredMethod => undeclared_methods(self.api, operation).next().unwrap_or(&operation.method),
            Probe::Head | Probe::HeadWithoutToken => "HEAD",
            Probe::Trace => "TRACE",
            _ => &operation.method,
        }
    }

    fn url(&self, operation: &Operation, path: &BTreeMap<String, String>) -> Result<Url, Missing> {
        let mut url = self.servers.of(operation)?.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty();
            for segment in operation.path.split('/').filter(|segment| !segment.is_empty()) {
                segments.push(&segment::filled(segment, |name| path.get(name).cloned()));
            }
            if operation.path.ends_with('/') {
                segments.push("");
            }
        }
        Ok(url)
    }

    /// Returns the headers with a value from the user, and the required ones with the example of the document.
    fn headers(&self, operation: &Operation) -> Vec<(HeaderName, String)> {
        let header = |one: &Parameter| {
            let is_key = one.required && key_location(self.api, operation) == Some(KeyLocation::Header(&one.name));
            // A used key belongs to another call.
            let key = || is_key.then(new_key);
            let example = || Some(parameter::text(one, self.arguments.get(&one.name).filter(|_| one.required)?));
            // A valid change applies to any version.
            let any = || (one.required && one.name.eq_ignore_ascii_case("if-match")).then(|| "*".to_owned());
            let example = || key().or_else(any).or_else(example);
            Some((one.name.parse().ok()?, self.identities.header(&one.name).or_else(example)?))
        };
        let parameters = operation.parameters.iter().filter(|one| one.location == ParameterLocation::Header);
        parameters.filter_map(header).collect()
    }

    /// Adds the required query parameters. An optional one could change the effect at a live server.
    fn add_query(
        &self,
        url: &mut Url,
        probe: &Probe,
        operation: &Operation,
        identity: &Identity,
        placed: &[PlacedCredential],
    ) -> Result<(), Missing> {
        let mut pairs: Vec<(String, String)> = operation
            .parameters
            .iter()
            .filter(|parameter| parameter.location == ParameterLocation::Query && parameter.required)
            .filter_map(|parameter| Some(parameter::pairs(parameter, self.arguments.get(&parameter.name)?)))
            .flatten()
            .collect();
        pairs.splice(0..0, operation.query.iter().cloned());
        if let Some(KeyLocation::Query(name)) = key_location(self.api, operation) {
            pairs.iter_mut().filter(|(known, _)| known == name).for_each(|(_, key)| *key = new_key());
        }
        let mut keys: Vec<(String, String)> = Vec::new();
        for one in placed {
            if let RequestPlace::Query(name) = &one.place {
                keys.push((name.clone(), one.value.clone()));
            }
        }
        match probe {
            Probe::QueryToken(name) => {
                let token = identity.credentials.iter().find(|held| !self.is_certificate(held));
                keys.extend(token.map(|held| (name.clone(), held.secret.reveal().to_owned())));
            }
            Probe::StartWithoutLimit => {
                pairs.extend(start_and_limit(operation).map(|(start, _)| (start.to_owned(), "0".to_owned())));
            }
            _ => {}
        }
        // URLs are logged on their way.
        let is_kept = self.live.is_some_and(|live| !live.policy.query_tokens) && !identity.is_expendable;
        // A reader of such a log could derive the valid token.
        let is_near = matches!(probe, Probe::ChangedToken | Probe::OtherCaseToken);
        let is_own = |text: &String| {
            is_near || identity.secrets().any(|own| !own.reveal().is_empty() && text.contains(own.reveal()))
        };
        if is_kept && keys.iter().any(|(_, text)| is_own(text)) {
            let table = format!("[[identity]] `{}`", identity.name);
            return Err(Missing::new("a token would stand in a URL")
                .pass("--query-tokens")
                .add(&table, "expendable = true"));
        }
        pairs.extend(keys);
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        Ok(())
    }

    /// Returns the credentials of a request at their places, with the flaw of the probe.
    fn placed(
        &self,
        probe: &Probe,
        operation: &Operation,
        identity: &Identity,
    ) -> Result<Vec<PlacedCredential>, Missing> {
        if probe.is_without_token() {
            return Ok(Vec::new());
        }
        if let Probe::Jwt(probe) = probe {
            let rules = self.contract.authorization_server.as_ref().and_then(|server| server.jwt.as_ref());
            let rules = rules.ok_or_else(|| Missing::new("the contract says nothing of JWTs"))?;
            let text = jwt::jwt(*probe, &self.identities.signer()?, rules);
            return Ok(vec![PlacedCredential::new(&Carrier::Header, &text)]);
        }
        let mut placed = Vec::new();
        for held in &identity.credentials {
            let Some(credential) = self.contract.credential(&held.kind) else { continue };
            if credential.is_certificate() {
                continue;
            }
            let carrier = match probe {
                Probe::Without(kind) if *kind == held.kind => continue,
                Probe::OtherAlternative => {
                    other_alternative(self.contract, operation).map(|(first, _)| first.carrier())
                }
                _ => None,
            };
            let text = Self::text(probe, credential, held.secret.reveal())?;
            placed.push(PlacedCredential::new(carrier.unwrap_or(credential.carrier()), &text).bent(probe, &text));
        }
        Ok(placed)
    }

    fn is_certificate(&self, held: &IdentityCredential) -> bool {
        self.contract.credential(&held.kind).is_some_and(Credential::is_certificate)
    }

    /// Returns the client certificate for the connection.
    fn certificate(&self, probe: &Probe, identity: &Identity) -> CertificateChoice {
        let held = identity.credentials.iter().find(|held| self.is_certificate(held));
        match (probe, held) {
            (Probe::NoCertificate, _) => CertificateChoice::Nothing,
            (_, Some(held)) => CertificateChoice::This(held.secret.clone()),
            (_, None) => CertificateChoice::Usual,
        }
    }

    /// Returns the credential that a probe sends in place of a valid one.
    fn text<'t>(probe: &Probe, credential: &Credential, valid: &'t str) -> Result<Cow<'t, str>, Missing> {
        Ok(match probe {
            Probe::UnknownToken => unknown(credential).into(),
            Probe::WithUnknown(kind) if *kind == credential.kind => unknown(credential).into(),
            Probe::WrongPassword if *credential.carrier() == Carrier::Basic => {
                let (user, _) = valid.split_once(':').unwrap_or((valid, ""));
                format!("{user}:{UNKNOWN_ID}").into()
            }
            Probe::ChangedToken => changed(valid).into(),
            Probe::OtherCaseToken => in_other_case(valid)
                .ok_or_else(|| {
                    let kind = &credential.kind;
                    Missing::new(format!(
                        "the token of the kind `{kind}` has no letters but hexadecimal digits, whose case says nothing"
                    ))
                })?
                .into(),
            Probe::Tampered(how) => {
                let tampered = jwt::tampered(*how, valid);
                tampered
                    .ok_or_else(|| Missing::new(format!("the token of the kind `{}` is not a JWT", credential.kind)))?
                    .into()
            }
            _ => valid.into(),
        })
    }

    fn items(&self, probe: &Probe, operation: &Operation, body: Option<&Value>) -> Vec<(Value, bool)> {
        let Some(batch) = self.contract.batch_of(operation) else { return Vec::new() };
        let model = body.and_then(|body| body.pointer(&batch.items_at)?.get(0));
        let Some(model) = model else { return Vec::new() };
        let good = |count: usize| (0..count).map(|number| (item(model, batch, number), true)).collect();
        match probe {
            Probe::FullBatch => good(batch.maximum.unwrap_or_default()),
            Probe::OverMaximum => good(batch.maximum.map_or(0, |maximum| maximum + 1)),
            Probe::MixedBatch => (0..5).map(|number| sorted_out(model, batch, number, number % 2 == 0)).collect(),
            Probe::RejectedBatch => (0..3).map(|number| sorted_out(model, batch, number, false)).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns the body with these items in place of its own.
    fn with_items(&self, operation: &Operation, body: &Value, items: Value) -> Value {
        let mut body = body.clone();
        let at = self.contract.batch_of(operation).map_or("", |batch| &batch.items_at);
        put(&mut body, at, items);
        body
    }

    fn body(&self, probe: &Probe, operation: &Operation, body: &Value, items: &[(Value, bool)]) -> Option<Vec<u8>> {
        let schema = operation.body.as_ref().map(|body| &body.schema);
        let mut written = match probe {
            Probe::UndeclaredMethod | Probe::Head | Probe::HeadWithoutToken | Probe::Trace => return None,
            Probe::BrokenJson | Probe::BrokenBodyWithoutToken => return Some(b"{\"cut\": [1, 2".to_vec()),
            Probe::Oversize(bytes) => return Some(vec![b' '; *bytes]),
            Probe::WrongTopLevel => schema.and_then(|schema| wrong_top_level(self.api, schema))?,
            Probe::EmptyBatch => self.with_items(operation, body, json!([])),
            Probe::MissingField => without(body, schema.and_then(|schema| required_field(self.api, schema))?),
            _ if items.is_empty() => body.clone(),
            _ => self.with_items(operation, body, items.iter().map(|(item, _)| item.clone()).collect()),
        };
        if let Some(KeyLocation::Member(name)) = key_location(self.api, operation)
            && let Some(key) = written.get_mut(name)
        {
            // A used key belongs to another call.
            *key = json!(new_key());
        }
        Some(match &operation.body {
            Some(body) => body::encoded(self.api, body, &written),
            None => written.to_string().into_bytes(),
        })
    }
}

/// A credential at its place in a request.
struct PlacedCredential {
    carrier: Carrier,
    place: RequestPlace,
    value: String,
    secrets: Vec<String>,
}

impl PlacedCredential {
    /// Places a credential as valid calls do.
    fn new(carrier: &Carrier, text: &str) -> Self {
        let (place, value) = (RequestPlace::of(carrier), carrier::credential_value(carrier, text));
        Self { carrier: carrier.clone(), place, value, secrets: carrier::secrets(carrier, text) }
    }

    /// Adds the flaw of the probe to the place or the credential.
    fn bent(mut self, probe: &Probe, text: &str) -> Self {
        let encoded = carrier::encoded(&self.carrier, text);
        let scheme = self.carrier.scheme();
        let bent = match (probe, scheme) {
            (Probe::EmptyToken, scheme) => scheme.map_or_else(String::new, |scheme| format!("{scheme} ")),
            (Probe::MalformedToken, _) => format!("{} {encoded}", self.value),
            (Probe::WrongScheme, Some("Bearer")) => format!("Basic {encoded}"),
            (Probe::WrongScheme, Some(_)) => format!("Bearer {encoded}"),
            (Probe::BareToken, Some(_)) => encoded.into_owned(),
            (Probe::LowerCaseScheme, Some(scheme)) => format!("{} {encoded}", scheme.to_lowercase()),
            (Probe::OtherPlace, _) => {
                self.place = other_place(&self.carrier);
                let is_token = self.place == RequestPlace::Header(AUTHORIZATION);
                if is_token { format!("Bearer {text}") } else { text.to_owned() }
            }
            _ => return self,
        };
        Self { value: bent, ..self }
    }
}

/// Returns the headers of these credentials. All cookies are in one header.
fn in_headers(placed: &[PlacedCredential]) -> Vec<(HeaderName, String)> {
    let mut headers: Vec<(HeaderName, String)> = Vec::new();
    for one in placed {
        match &one.place {
            RequestPlace::Header(name) => headers.push((name.clone(), one.value.clone())),
            RequestPlace::Cookie(name) => {
                let pair = format!("{name}={}", one.value);
                match headers.iter_mut().find(|(known, _)| *known == COOKIE) {
                    Some((_, others)) => *others = format!("{others}; {pair}"),
                    None => headers.push((COOKIE, pair)),
                }
            }
            RequestPlace::Query(_) | RequestPlace::Connection => {}
        }
    }
    headers
}

/// Returns a credential in the form of its kind that was never issued.
fn unknown(credential: &Credential) -> String {
    let token = format!("{}neverissuedneverissuedneverissued", credential.prefix);
    if *credential.carrier() == Carrier::Basic { format!("neverissued:{token}") } else { token }
}

/// Returns the credential with a changed character at three quarters of its length, after any prefix. In a JWT the signature is changed:
/// changed claims may not be valid JSON, which even servers that do not check signatures refuse.
fn changed(valid: &str) -> String {
    if let Some(tampered) = jwt::tampered(Tampering::ChangedSignature, valid) {
        return tampered;
    }
    let mut letters: Vec<char> = valid.chars().collect();
    let place = letters.len() * 3 / 4;
    if let Some(letter) = letters.get_mut(place) {
        *letter = if *letter == 'a' { 'b' } else { 'a' };
    }
    letters.into_iter().collect()
}

/// Returns the token with the case of its letters swapped; `None` if it may be the same token in another notation, such as hexadecimal.
fn in_other_case(token: &str) -> Option<String> {
    let says_something = |letter: char| letter.is_ascii_alphabetic() && !letter.is_ascii_hexdigit();
    let turned = |letter: char| match letter {
        'a'..='z' => letter.to_ascii_uppercase(),
        letter => letter.to_ascii_lowercase(),
    };
    token.contains(says_something).then(|| token.chars().map(turned).collect())
}

/// Returns whether a token has letters of both cases, so that it cannot be case-insensitive.
pub(super) fn is_of_both_cases(token: &Secret) -> bool {
    let token = token.reveal();
    token.contains(|letter: char| letter.is_ascii_lowercase())
        && token.contains(|letter: char| letter.is_ascii_uppercase())
}

fn sorted_out(model: &Value, batch: &Batch, number: usize, is_good: bool) -> (Value, bool) {
    let item = item(model, batch, number);
    if is_good { (item, true) } else { (without(&item, &batch.spoil), false) }
}

/// Returns the example item with a new id.
fn item(model: &Value, batch: &Batch, number: usize) -> Value {
    let mut item = model.clone();
    if let (Some(field), Some(members)) = (&batch.id_field, item.as_object_mut()) {
        members.insert(field.clone(), json!(format!("keyfit-{number}")));
    }
    item
}

fn without(object: &Value, field: &str) -> Value {
    let mut object = object.clone();
    if let Some(members) = object.as_object_mut() {
        members.remove(field);
    }
    object
}
