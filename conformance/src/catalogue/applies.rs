//! The operations, and their variants, to which a probe or a drive applies.

use keyfit_openapi::idempotency::key_location;
use keyfit_openapi::schema::names_format;
use keyfit_openapi::{
    Api, BodyFormat, NextPage, Operation, PageArgument, ParameterLocation, Partial, ResponseShape, Retry,
    SecurityRequirement,
};

use super::{required_field, success_headers, undeclared_methods, wrong_top_level};
use crate::carrier::{Spot, other_place};
use crate::conditional::is_read_by_tag;
use crate::contract::{
    AuthorizationDrive, AuthorizationServer, Body, Carrier, Contract, Credential, Drive, KeyManagement, KeyProbe,
    OauthProbe, Probe, Promise, Rule,
};
use crate::documented::names_success;
use crate::identity::Need;
use crate::one_way::read_only;
use crate::probe::{can_be_walked, hands_out_urls, takes_any_cursor};

/// Returns whether a probe applies to an operation.
pub(crate) fn applies(probe: &Probe, api: &Api, contract: &Contract, operation: &Operation) -> bool {
    let is_open = operation.security.is_optional();
    match probe {
        // The calls of other probes are judged, if there are any.
        Probe::Any if is_open && contract.ruling(&Probe::Anonymous, operation).is_some() => return true,
        Probe::Anonymous => return is_open,
        // A check for each webhook determines if the operation takes its URL.
        Probe::Delivery | Probe::RefusedDelivery => {
            return is_open || contract.alternatives(operation).next().is_some();
        }
        // No credential that can be sent gives access, or the caller needs none.
        _ if contract.alternatives(operation).next().is_none() => return false,
        probe if is_open && probe.needs_demand() => return false,
        probe if !fits_certificates(probe, contract, operation) => return false,
        probe if is_opened_by_others(probe, contract, operation) => return false,
        _ => {}
    }
    let has = |name: &str, place: ParameterLocation| {
        operation.parameters.iter().any(|known| known.name == name && known.location == place)
    };
    let body = operation.body.as_ref().map(|body| api.resolve(&body.schema));
    let writing = operation.body.as_ref().map(|body| body.format(api));
    let kinds = || contract.kinds_of(operation);
    let is_one = |kind: &String| kinds().any(|credential| credential.kind == *kind);
    match probe {
        Probe::LackingScope | Probe::OnlyItsScope | Probe::NoScopes => {
            !operation.scopes.is_empty() && kinds().any(Credential::is_scoped)
        }
        Probe::IncludingScope => {
            !operation.scopes.is_empty()
                && kinds().any(|kind| kind.is_scoped() && kind.including(&operation.scopes).is_some())
        }
        Probe::OnlyItsResource => operation.resource.is_some() && kinds().any(Credential::grants_resources),
        Probe::OtherResources => !operation.scopes.is_empty() && kinds().any(Credential::grants_resources),
        probe if probe.is_about_scheme() => kinds().any(|kind| kind.carrier().scheme().is_some()),
        Probe::OtherKind(kind) => {
            contract.credential(kind).is_some() && !operation.security.kinds().any(|one| one == kind)
        }
        Probe::Alternative(_)
        | Probe::WrongPassword
        | Probe::Tampered(_)
        | Probe::OtherAudience
        | Probe::ChangedToken
        | Probe::OtherCaseToken
        | Probe::Without(_)
        | Probe::WithUnknown(_)
        | Probe::OtherAlternative
        | Probe::OtherPlace => has_such_alternative(probe, contract, operation),
        Probe::QueryToken(_) => !kinds().any(|kind| matches!(kind.carrier(), Carrier::Query(_))),
        Probe::TestToken => kinds().next().is_some_and(|kind| kind.test_prefix.is_some()),
        Probe::KindLackingScope(kind) | Probe::KindOnlyItsScope(kind) => {
            !operation.scopes.is_empty() && is_one(kind) && contract.credential(kind).is_some_and(Credential::is_scoped)
        }
        Probe::Foreign(name) | Probe::UnknownId(name) => has(name, ParameterLocation::Path),
        Probe::BrokenBodyWithoutToken | Probe::BrokenJson => writing == Some(BodyFormat::Json),
        Probe::WrongTopLevel => {
            writing == Some(BodyFormat::Json) && body.is_some_and(|schema| wrong_top_level(api, schema).is_some())
        }
        // The probe sends text.
        Probe::OtherMediaType => {
            writing.is_some_and(|writing| writing != BodyFormat::Text)
                && operation.body.as_ref().is_some_and(|body| !body.media_type.contains('*'))
        }
        Probe::Oversize(_) => body.is_some(),
        Probe::MissingField => {
            matches!(writing, Some(BodyFormat::Json | BodyFormat::Form | BodyFormat::Multipart))
                && body.is_some_and(|schema| required_field(api, schema).is_some())
        }
        Probe::StartWithoutLimit => start_and_limit(operation).is_some(),
        Probe::NotModified | Probe::Modified => operation.retry == Retry::Safe && is_read_by_tag(operation),
        Probe::RepeatedKey => key_location(api, operation).is_some(),
        Probe::ReusedKey => key_location(api, operation).is_some() && writing == Some(BodyFormat::Json),
        Probe::BrokenCursor | Probe::ForeignCursor if !takes_any_cursor(operation) => false,
        Probe::BrokenCursor => true,
        Probe::ForeignCursor | Probe::Pages => can_be_walked(api, operation),
        Probe::NextPage => hands_out_urls(operation),
        Probe::NoFunds | Probe::RefusedSpending => operation.spends && (*probe == Probe::NoFunds || !is_open),
        Probe::ReadOnlyMembers => !read_only(api, operation).is_empty(),
        Probe::UndeclaredMethod
        | Probe::CrossOrigin
        | Probe::OtherSpelling
        | Probe::Trace
        | Probe::Head
        | Probe::HeadWithoutToken => is_of_path(probe, api, operation),
        probe if probe.is_about_items() => {
            let needs_maximum = matches!(probe, Probe::OverMaximum | Probe::FullBatch);
            let batch = contract.batch_of(operation).filter(|batch| batch.maximum.is_some() || !needs_maximum);
            batch.zip(body).is_some_and(|(batch, schema)| batch.items(api, schema).is_some())
        }
        Probe::Exhausted | Probe::Recovered | Probe::SeenLimit | Probe::AtOnce => {
            is_of_limits(probe, api, contract, operation)
        }
        Probe::Oauth(probe) => contract.authorization_server.as_ref().is_some_and(|server| {
            probe.applies(server)
                && stands_for_authorization(api, server, operation)
                && has_scopes_for(*probe, server, contract, operation)
        }),
        Probe::Key(probe) => {
            contract.key_management.as_ref().is_some_and(|keys| applies_to_keys(*probe, keys, api, contract, operation))
        }
        Probe::Jwt(_) => {
            let jwt = contract.authorization_server.as_ref().and_then(|server| server.jwt.as_ref());
            jwt.is_some_and(|jwt| is_one(&jwt.kind))
        }
        _ => true,
    }
}

/// Returns whether a probe about counted calls applies to an operation.
fn is_of_limits(probe: &Probe, api: &Api, contract: &Contract, operation: &Operation) -> bool {
    match probe {
        Probe::Exhausted => contract.rate_limit.is_some(),
        // These probes wait for a window's end, or fill one: once is sufficient.
        Probe::Recovered => contract.rate_limit.is_some() && is_the_first_reading(api, contract, operation),
        // A described limit is counted by other probes.
        Probe::SeenLimit => !contract.describes_limits() && is_the_first_reading(api, contract, operation),
        _ => fills_a_window(api, contract, operation),
    }
}

/// Returns whether a probe about a path, or about its undeclared methods, applies to this operation of the path.
fn is_of_path(probe: &Probe, api: &Api, operation: &Operation) -> bool {
    let methods = api.methods(&operation.path);
    let has = |name: &str| methods.iter().any(|method| method == name);
    let is_first = methods.first() == Some(&operation.method);
    let is_reading = operation.method == "GET" && operation.retry == Retry::Safe;
    match probe {
        Probe::UndeclaredMethod => is_first && undeclared_methods(api, operation).next().is_some(),
        // Sharing with other origins is a property of the path, whatever the method.
        Probe::CrossOrigin => is_first,
        Probe::OtherSpelling => is_reading,
        // A server that executes any method would do so for this one as well.
        Probe::Trace => is_reading && methods.iter().all(|method| ["GET", "HEAD", "OPTIONS"].contains(&&**method)),
        // A documented HEAD is judged like any call.
        _ => operation.method == "GET" && !has("HEAD"),
    }
}

/// Returns whether this is the first safe operation that requires a credential.
fn is_the_first_reading(api: &Api, contract: &Contract, operation: &Operation) -> bool {
    asked_readings(api, contract).next().is_some_and(|first| first.id == operation.id)
}

/// Returns whether this is the operation at which a window is filled: the first that reports the remaining calls, or else the first.
fn fills_a_window(api: &Api, contract: &Contract, operation: &Operation) -> bool {
    contract.rate_limit.as_ref().filter(|rules| rules.names_its_headers()).is_some_and(|rules| {
        let header = rules.remaining_header.to_lowercase();
        let telling = |other: &&Operation| success_headers(other).any(|own| own == header);
        let first = asked_readings(api, contract).find(telling).or_else(|| asked_readings(api, contract).next());
        first.is_some_and(|first| first.id == operation.id)
    })
}

/// Returns the safe operations that require a credential.
fn asked_readings<'a>(api: &'a Api, contract: &'a Contract) -> impl Iterator<Item = &'a Operation> {
    api.operations.iter().filter(|other| other.retry == Retry::Safe && contract.asks(other))
}

/// Returns whether the credential that a probe spoils is not needed, because the others are a separate alternative.
fn is_opened_by_others(probe: &Probe, contract: &Contract, operation: &Operation) -> bool {
    let sets = operation.security.sets();
    let has_several = sets.len() > 1 && sets.iter().any(|set| set.len() > 1);
    let Some(needs) = Need::of(probe, contract, operation, false).filter(|_| has_several) else { return false };
    let (plain, spoiled): (Vec<&Need>, Vec<&Need>) = needs.iter().partition(|need| need.is_plain());
    let is_plain = |kind: &String| plain.iter().any(|need| need.kind == *kind);
    !spoiled.is_empty() && sets.iter().any(|set| set.iter().all(is_plain))
}

/// Returns whether a probe applies to an operation that requires a client certificate, alone or with tokens: a certificate cannot be
/// modified, and without one the server need not check anything else.
fn fits_certificates(probe: &Probe, contract: &Contract, operation: &Operation) -> bool {
    let first = contract.alternatives(operation).next().unwrap_or_default();
    let (certificates, tokens): (Vec<&Credential>, Vec<&Credential>) =
        first.into_iter().partition(|kind| kind.is_certificate());
    let is_one = |kind: &String| contract.credential(kind).is_some_and(Credential::is_certificate);
    match probe {
        Probe::NoCertificate => !certificates.is_empty(),
        Probe::OtherKind(kind) => certificates.is_empty() && !is_one(kind),
        Probe::Without(kind) | Probe::WithUnknown(kind) => !is_one(kind),
        Probe::Foreign(_) | Probe::ForeignQuery(_) | Probe::ForeignMember(_) | Probe::ForeignListed(_) => true,
        probe => !tokens.is_empty() || !probe.needs_demand(),
    }
}

/// Returns whether an operation has an alternative for a probe about its credentials.
fn has_such_alternative(probe: &Probe, contract: &Contract, operation: &Operation) -> bool {
    let first = || contract.alternatives(operation).next();
    let Some(needs) = Need::of(probe, contract, operation, false) else { return false };
    match probe {
        Probe::Alternative(_) => contract.alternatives(operation).nth(1).is_some(),
        // Changes of a JWT have rules of their own. Some servers accept a password with inverted case on purpose (Caps Lock).
        Probe::OtherCaseToken => {
            operation.retry == Retry::Safe
                && first().is_some_and(|set| set.iter().all(|one| !one.jwt && *one.carrier() != Carrier::Basic))
        }
        Probe::ChangedToken => first().is_some_and(|set| set.iter().all(|one| !one.jwt)),
        // If the other credentials are sufficient, none is missing.
        Probe::Without(kind) | Probe::WithUnknown(kind) => {
            let left: Vec<&String> = needs.iter().map(|need| &need.kind).filter(|other| *other != kind).collect();
            !operation.security.sets().iter().any(|set| set.iter().all(|kind| left.contains(&kind)))
        }
        // The other place may belong to another alternative.
        Probe::OtherPlace => first().is_some_and(|set| {
            set.iter().filter(|credential| !credential.is_certificate()).all(|credential| {
                let other = other_place(credential.carrier());
                let mut carriers = contract.kinds_of(operation).flat_map(|kind| &kind.carriers);
                !carriers.any(|carrier| Spot::of(carrier) == other)
            })
        }),
        _ => true,
    }
}

/// Returns whether a violation of a rule is observable: an answer to HEAD has no body, and an undocumented property is not a promise.
pub(super) fn can_be_seen(rule: &Rule, api: &Api, operation: &Operation) -> bool {
    let Some(expect) = &rule.expect else { return true };
    let keeps = &expect.keeps;
    (keeps.is_empty() || keeps.iter().any(|promise| is_promised(*promise, api, operation)))
        && (operation.method != "HEAD" || matches!(expect.body, None | Some(Body::Schema)))
}

/// Returns whether an answer could break a promise.
fn is_promised(promise: Promise, api: &Api, operation: &Operation) -> bool {
    let responses = &operation.responses;
    match promise {
        Promise::DocumentedStatus => names_success(operation),
        Promise::DocumentedRefusal => {
            responses.keys().any(|status| status.starts_with('4')) && !responses.contains_key("default")
        }
        Promise::DocumentedMediaType => responses.values().any(|shape| shape.media_type.is_some()),
        Promise::DocumentedBody => responses.values().any(|shape| shape.schema.is_some() || shape.streamed.is_some()),
        Promise::DocumentedFormats => {
            let item = &api.document["paths"][&operation.key];
            names_format(api, &item[operation.method.to_lowercase()]["responses"])
        }
        Promise::DocumentedHeaders => responses.values().any(|shape| !shape.headers.is_empty()),
        Promise::Private => operation.method == "GET" && !operation.security.is_optional(),
        Promise::NoServerError
        | Promise::Challenge
        | Promise::Allow
        | Promise::ContentType
        | Promise::Limits
        | Promise::ProblemStatus => true,
    }
}

/// Returns whether this is the operation for the authorization server's cases, since the server itself has no operation: the first safe
/// one, preferably one that accepts its tokens, and one with scopes.
fn stands_for_authorization(api: &Api, server: &AuthorizationServer, operation: &Operation) -> bool {
    let takes =
        |other: &Operation| *other.security == SecurityRequirement::Any || other.security.accepts_alone(&server.issues);
    let reading = api.operations.iter().filter(|other| other.retry == Retry::Safe);
    let known = reading.filter(|other| takes(other) || !other.scopes.is_empty());
    // The first one, if several are equal.
    let first = known.min_by_key(|other| (!takes(other), other.scopes.is_empty()));
    first.is_some_and(|first| first.id == operation.id)
}

/// Returns whether the scopes that a probe needs exist.
fn has_scopes_for(probe: OauthProbe, server: &AuthorizationServer, contract: &Contract, operation: &Operation) -> bool {
    match probe {
        OauthProbe::CallOutsideScope if operation.scopes.is_empty() => false,
        OauthProbe::CallWithResourceScope => operation.resource.is_some(),
        probe if probe.asks_for_other_scope() => contract.scope_besides(server, operation).is_some(),
        _ => true,
    }
}

pub(super) fn authorization_variants(
    drive: AuthorizationDrive,
    api: &Api,
    contract: &Contract,
    operation: &Operation,
) -> Vec<Option<String>> {
    match &contract.authorization_server {
        Some(server) if stands_for_authorization(api, server, operation) => drive.variants(server),
        _ => Vec::new(),
    }
}

/// Returns the variants of a client-side rule at an operation; empty if it does not apply.
pub(super) fn variants(drive: Drive, contract: &Contract, operation: &Operation) -> Vec<Option<String>> {
    let named = |names: &[&str]| names.iter().map(|name| Some((*name).to_owned())).collect();
    let once_if = |applies: bool| if applies { vec![None] } else { Vec::new() };
    let is_sent = !contract.sent_by_clients(operation).is_empty();
    // No credential that can be sent gives access.
    if !is_sent && !operation.security.is_optional() {
        return Vec::new();
    }
    match drive {
        Drive::RotatedToken | Drive::RefusedForGood => once_if(is_sent),
        Drive::ErrorSurvives => {
            let refusals = operation.responses.keys().filter(|status| status.starts_with(['4', '5']));
            refusals.map(|status| Some(status.to_lowercase())).collect()
        }
        Drive::HostileBody if operation.method == "HEAD" => named(&["empty"]),
        Drive::HostileBody => named(&["empty", "html", "cut-off"]),
        // The form of a limit is unknown, or unknown to the client's author, or its end is not reported.
        Drive::RateLimited | Drive::LimitWaited | Drive::ResetInThePast => {
            let rules = contract.rate_limit.as_ref().filter(|rules| !rules.is_of_document);
            let is_told = rules.is_some_and(|rules| drive != Drive::ResetInThePast || rules.names_its_headers());
            once_if(is_told && operation.responses.contains_key("429"))
        }
        Drive::TolerantAnswer => {
            let is_read = |shape: &ResponseShape| shape.is_json() && shape.schema.is_some();
            once_if(operation.responses.iter().any(|(status, shape)| status.starts_with('2') && is_read(shape)))
        }
        Drive::DotSegment => {
            let in_path = operation.parameters.iter().filter(|parameter| parameter.location == ParameterLocation::Path);
            in_path.map(|parameter| Some(parameter.name.clone())).collect()
        }
        Drive::SingleRequest => once_if(operation.retry == Retry::Never),
        Drive::RepeatedCall => {
            let is_conditional = operation.parameters.iter().any(|one| one.required && one.is_condition());
            once_if(match operation.retry {
                Retry::Never => false,
                Retry::Safe => true,
                Retry::Idempotent | Retry::Keyed => !is_conditional,
            })
        }
        Drive::PartialFailure if contract.batch_of(operation).is_none() => Vec::new(),
        Drive::PartialFailure => operation.partial.iter().map(Partial::name).map(Some).collect(),
        _ => vec![None],
    }
}

impl Credential {
    fn grants_resources(&self) -> bool {
        !self.resources.is_empty()
    }
}

/// Returns whether a probe of API keys has its case at this operation: keys have no operation of their own, so a call with a key uses
/// the first safe operation with a resource.
fn applies_to_keys(
    probe: KeyProbe,
    keys: &KeyManagement,
    api: &Api,
    contract: &Contract,
    operation: &Operation,
) -> bool {
    let reads = |other: &&Operation| {
        other.retry == Retry::Safe
            && other.resource.is_some()
            && !other.scopes.is_empty()
            && other.security.kinds().any(|kind| *kind == keys.kind)
    };
    let first = || api.operations.iter().find(reads).map(|first| first.id.as_str());
    let credential = contract.credential(&keys.kind);
    let fits = match probe {
        KeyProbe::CallByResource | KeyProbe::IntrospectByResource | KeyProbe::UnknownResource => {
            credential.is_some_and(Credential::grants_resources)
        }
        KeyProbe::CallOverLimit => keys.members.limit.is_some(),
        KeyProbe::CallAfterEnd => keys.members.end.is_some(),
        KeyProbe::MintInTest => credential.is_some_and(|kind| kind.test_prefix.is_some()),
        _ => true,
    };
    fits && probe.operation(keys).or_else(first) == Some(&operation.id)
}

/// Returns the query parameters of a list with offset pagination: the number of skipped items, and the page size.
pub(crate) fn start_and_limit(operation: &Operation) -> Option<(&str, &str)> {
    let pages = operation.pagination.as_ref()?;
    match (&pages.next, &pages.limit) {
        (NextPage::Start { argument: PageArgument::Query(start) }, Some(PageArgument::Query(limit))) => {
            Some((start, limit))
        }
        _ => None,
    }
}
