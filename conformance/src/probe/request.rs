//! What a probe sends: a valid request made from the document, bent in one place.

use std::borrow::Cow;
use std::collections::BTreeMap;

use keyfit_openapi::{Api, Operation, Place};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName};
use serde_json::{Map, Value, json};

use super::jwt;
use super::live::{Effect, Keep, Live, harmless};
use crate::body::{self, plain};
use crate::catalogue::{required_field, start_and_limit, undeclared_method, wrong_top_level};
use crate::contract::{Batch, Carrier, Contract, Probe};
use crate::identity::{Identities, Identity, Missing};
use crate::pointer::put;
use crate::secret::Secret;
use crate::segment;

/// A request before it is sent.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) method: String,
    pub(super) url: Url,
    /// The value of the header with the credential.
    pub(super) authorization: Option<String>,
    /// The name of that header.
    pub(super) carrier: HeaderName,
    pub(super) body: Option<Vec<u8>>,
    /// The media type of the body.
    pub(super) media_type: Cow<'static, str>,
    /// What is asked for.
    pub(super) accept: Cow<'static, str>,
    /// The items of a batch, each with whether it is a good one.
    pub(super) items: Vec<(Value, bool)>,
    /// The id of the operation; none where it is no call of the API.
    pub(super) operation: Option<String>,
    /// The parameters of its path.
    pub(super) ids: BTreeMap<String, String>,
    /// A member that the document demands, and that no live server is sent.
    pub(super) lacks: Option<String>,
}

impl Draft {
    /// The credential in its header, without the scheme; an empty one where there is none.
    pub(super) fn presented(&self) -> Secret {
        let header = self.authorization.as_deref().unwrap_or_default();
        Secret::new(header.split_once(' ').map_or(header, |(_, token)| token).trim())
    }
}

/// What calls send and ask for.
pub(super) const JSON: &str = "application/json";
/// What no document of ours takes.
const TEXT: &str = "text/plain";
/// What token requests send.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";
/// An id that no server gave out.
pub(super) const NOBODY: &str = "keyfit-no-such-id";

/// Arguments in place of an operation's own, and a member that is left out of their body though it is required.
type Harmless = (Option<Map<String, Value>>, Option<String>);

/// What a draft is made from.
pub(super) struct Maker<'a> {
    pub(super) api: &'a Api,
    pub(super) contract: &'a Contract,
    pub(super) base_url: &'a Url,
    pub(super) identities: &'a dyn Identities,
    /// A valid request.
    pub(super) arguments: &'a Map<String, Value>,
    /// Where the credential is sent.
    pub(super) carrier: &'a Carrier,
    /// The live server that the request is for, if it is one.
    pub(super) live: Option<&'a Live>,
}

impl Maker<'_> {
    /// The request that a probe sends to an operation.
    pub(super) fn draft(&self, probe: &Probe, operation: &Operation, identity: &Identity) -> Result<Draft, Missing> {
        let (kept, lacks) = self.harmless(probe, operation)?;
        let arguments = kept.as_ref().unwrap_or(self.arguments);
        let mut path: BTreeMap<String, String> = BTreeMap::new();
        for parameter in operation.parameters.iter().filter(|parameter| parameter.place == Place::Path) {
            let example = || arguments.get(&parameter.name).map(plain).unwrap_or_default();
            let value = match (probe, identity.ids.get(&parameter.name)) {
                (Probe::Foreign(name), _) if *name == parameter.name => self.identities.foreign_id(name)?,
                (Probe::UnknownId(name), _) if *name == parameter.name => NOBODY.to_owned(),
                (_, Some(known)) => known.clone(),
                // One of a list is no id that somebody would have to know.
                _ if self.api.resolve(&parameter.schema).get("enum").is_some() => example(),
                _ => self.identities.path_value(&parameter.name, example())?,
            };
            path.insert(parameter.name.clone(), value);
        }
        if let Some((name, _)) = path.iter().find(|(_, value)| !segment::is_one(value)) {
            return Err(Missing(format!("the value of `{name}` would lead to another path")));
        }
        let mut url = self.url(operation, &path);
        self.add_query(&mut url, probe, operation, identity)?;
        let items = self.items(probe, operation, arguments.get("body"));
        let body = arguments.get("body").and_then(|body| self.body(probe, operation, body, &items));
        Ok(Draft {
            method: self.method(probe, operation).to_owned(),
            url,
            authorization: self.authorization(probe, operation, identity)?,
            carrier: self.header(),
            body,
            media_type: match &operation.body {
                _ if *probe == Probe::OtherMediaType => TEXT.into(),
                Some(body) => body.sent_as().to_owned().into(),
                None => JSON.into(),
            },
            accept: body::asked_for(operation).to_owned().into(),
            items,
            operation: Some(operation.id.clone()),
            ids: path,
            lacks,
        })
    }

    /// The arguments as a live server may be sent them, and the member that they lack for it.
    fn harmless(&self, probe: &Probe, operation: &Operation) -> Result<Harmless, Missing> {
        // Keys are minted for the probes that change them.
        let is_of_keys = self.contract.key_management.as_ref().is_some_and(|keys| keys.names(&operation.id));
        let Some(live) = self.live.filter(|live| !is_of_keys && !live.allows(operation)) else {
            return Ok((None, None));
        };
        let (Some(schema), Some(body)) = (&operation.body, self.arguments.get("body")) else { return Ok((None, None)) };
        let effect = live.effect(operation);
        if effect == Effect::Nothing {
            return Ok((None, None));
        }
        let path = operation.parameters.iter().filter(|parameter| parameter.place == Place::Path);
        let parameters: Vec<&str> = path.map(|parameter| parameter.name.as_str()).collect();
        let keep = Keep {
            parameters: &parameters,
            required: matches!(effect, Effect::Creates | Effect::CreatesAt(_)) && operation.method == "POST",
            member: self.contract.batch_of(operation).map(|batch| batch.id_field.as_str()),
        };
        let found = harmless(self.api, &schema.schema, body, keep);
        if let (Probe::Valid, Some(member)) = (probe, &found.lacks) {
            let Operation { id, .. } = operation;
            return Err(Missing(format!("its body needs `{member}`, which the check does not set: pass --allow {id}")));
        }
        let mut arguments = self.arguments.clone();
        arguments.insert("body".to_owned(), found.body);
        Ok((Some(arguments), found.lacks))
    }

    fn method<'o>(&self, probe: &Probe, operation: &'o Operation) -> &'o str {
        match probe {
            Probe::UndeclaredMethod => undeclared_method(self.api, operation).unwrap_or(&operation.method),
            Probe::Head | Probe::HeadWithoutToken => "HEAD",
            _ => &operation.method,
        }
    }

    fn url(&self, operation: &Operation, path: &BTreeMap<String, String>) -> Url {
        let mut url = self.base_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty();
            for segment in operation.path.split('/').filter(|segment| !segment.is_empty()) {
                segments.push(&segment::filled(segment, |name| path.get(name).cloned()));
            }
            if operation.path.ends_with('/') {
                segments.push("");
            }
        }
        url
    }

    /// Only what is required: an optional parameter could change what a live server does.
    fn add_query(
        &self,
        url: &mut Url,
        probe: &Probe,
        operation: &Operation,
        identity: &Identity,
    ) -> Result<(), Missing> {
        let secret = || match self.live {
            // URLs are logged on the way.
            Some(live)
                if !live.policy.query_tokens && !identity.is_expendable && !identity.secret.reveal().is_empty() =>
            {
                Err(Missing(format!(
                    "a token would stand in a URL: pass --query-tokens, or mark `{}` with `expendable = true`",
                    identity.name
                )))
            }
            _ => Ok(identity.secret.reveal().to_owned()),
        };
        let mut pairs: Vec<(String, String)> = operation
            .parameters
            .iter()
            .filter(|parameter| parameter.place == Place::Query && parameter.required)
            .filter_map(|parameter| Some(body::pairs(&parameter.name, self.arguments.get(&parameter.name)?)))
            .flatten()
            .collect();
        match probe {
            Probe::QueryToken(name) => pairs.push((name.clone(), secret()?)),
            Probe::StartWithoutLimit => {
                pairs.extend(start_and_limit(operation).map(|(start, _)| (start.to_owned(), "0".to_owned())));
            }
            _ => {}
        }
        if let Carrier::Query(name) = self.carrier {
            match self.bare(probe, operation, identity) {
                Some(token) if token == identity.secret.reveal() => pairs.push((name.clone(), secret()?)),
                token => pairs.extend(token.map(|token| (name.clone(), token))),
            }
        }
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        Ok(())
    }

    fn authorization(
        &self,
        probe: &Probe,
        operation: &Operation,
        identity: &Identity,
    ) -> Result<Option<String>, Missing> {
        match self.carrier {
            Carrier::Header => {}
            Carrier::NamedHeader(_) => return Ok(self.bare(probe, operation, identity)),
            Carrier::Scheme(scheme) => {
                return Ok(self.bare(probe, operation, identity).map(|token| format!("{scheme} {token}")));
            }
            Carrier::Query(_) => return Ok(None),
        }
        let token = identity.secret.reveal();
        Ok(match probe {
            Probe::NoToken | Probe::QueryToken(_) | Probe::BrokenBodyWithoutToken | Probe::HeadWithoutToken => None,
            Probe::EmptyToken => Some("Bearer ".to_owned()),
            Probe::WrongScheme => Some(format!("Basic {token}")),
            Probe::BareToken => Some(token.to_owned()),
            Probe::LowerCaseScheme => Some(format!("bearer {token}")),
            Probe::MalformedToken => Some(format!("Bearer {token} {token}")),
            Probe::UnknownToken => Some(format!("Bearer {}", self.unknown_token(operation))),
            Probe::Jwt(probe) => {
                let rules = self.contract.authorization_server.as_ref().and_then(|server| server.jwt.as_ref());
                let rules = rules.ok_or_else(|| Missing("the contract says nothing of JWTs".to_owned()))?;
                Some(format!("Bearer {}", jwt::jwt(*probe, &self.identities.signer()?, rules)))
            }
            _ => Some(format!("Bearer {token}")),
        })
    }

    /// What stands where no scheme does.
    fn bare(&self, probe: &Probe, operation: &Operation, identity: &Identity) -> Option<String> {
        match probe {
            Probe::NoToken | Probe::QueryToken(_) | Probe::BrokenBodyWithoutToken | Probe::HeadWithoutToken => None,
            Probe::UnknownToken => Some(self.unknown_token(operation)),
            _ => Some(identity.secret.reveal().to_owned()),
        }
    }

    /// The header for credentials.
    fn header(&self) -> HeaderName {
        match self.carrier {
            Carrier::NamedHeader(name) => name.parse().unwrap_or(AUTHORIZATION),
            Carrier::Header | Carrier::Scheme(_) | Carrier::Query(_) => AUTHORIZATION,
        }
    }

    /// A token that looks like the API's and was never issued.
    fn unknown_token(&self, operation: &Operation) -> String {
        let kind = operation.credentials.first().and_then(|kind| self.contract.credential(kind));
        format!("{}neverissuedneverissuedneverissued", kind.map_or("", |kind| kind.prefix.as_str()))
    }

    fn items(&self, probe: &Probe, operation: &Operation, body: Option<&Value>) -> Vec<(Value, bool)> {
        let Some(batch) = self.contract.batch_of(operation) else { return Vec::new() };
        let model = body.and_then(|body| body.pointer(&batch.items_at)?.get(0));
        let Some(model) = model else { return Vec::new() };
        let good = |count: usize| (0..count).map(|number| (item(model, batch, number), true)).collect();
        match probe {
            Probe::FullBatch => good(batch.maximum),
            Probe::OverMaximum => good(batch.maximum + 1),
            Probe::MixedBatch => (0..5).map(|number| sorted_out(model, batch, number, number % 2 == 0)).collect(),
            Probe::RejectedBatch => (0..3).map(|number| sorted_out(model, batch, number, false)).collect(),
            _ => Vec::new(),
        }
    }

    /// The body with these items in place of its own.
    fn with_items(&self, operation: &Operation, body: &Value, items: Value) -> Value {
        let mut body = body.clone();
        let at = self.contract.batch_of(operation).map_or("", |batch| &batch.items_at);
        put(&mut body, at, items);
        body
    }

    fn body(&self, probe: &Probe, operation: &Operation, body: &Value, items: &[(Value, bool)]) -> Option<Vec<u8>> {
        let schema = operation.body.as_ref().map(|body| &body.schema);
        let written = match probe {
            Probe::UndeclaredMethod | Probe::Head | Probe::HeadWithoutToken => return None,
            Probe::BrokenJson | Probe::BrokenBodyWithoutToken => return Some(b"{\"cut\": [1, 2".to_vec()),
            Probe::Oversize(bytes) => return Some(vec![b' '; *bytes]),
            Probe::WrongTopLevel => schema.and_then(|schema| wrong_top_level(self.api, schema))?,
            Probe::EmptyBatch => self.with_items(operation, body, json!([])),
            Probe::MissingField => without(body, schema.and_then(|schema| required_field(self.api, schema))?),
            _ if items.is_empty() => body.clone(),
            _ => self.with_items(operation, body, items.iter().map(|(item, _)| item.clone()).collect()),
        };
        Some(match &operation.body {
            Some(body) => body::written(self.api, body, &written),
            None => written.to_string().into_bytes(),
        })
    }
}

fn sorted_out(model: &Value, batch: &Batch, number: usize, is_good: bool) -> (Value, bool) {
    let item = item(model, batch, number);
    if is_good { (item, true) } else { (without(&item, &batch.spoil), false) }
}

/// The example item under an id of its own.
fn item(model: &Value, batch: &Batch, number: usize) -> Value {
    let mut item = model.clone();
    item[&batch.id_field] = json!(format!("keyfit-{number}"));
    item
}

fn without(object: &Value, field: &str) -> Value {
    let mut object = object.clone();
    if let Some(members) = object.as_object_mut() {
        members.remove(field);
    }
    object
}
