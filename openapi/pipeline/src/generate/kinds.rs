//! The kinds of token that an API accepts: those of its contract, or of the document's security schemes. A kind is a type
//! without values. A client accepts tokens of the kinds of its API only.

mod constructors;
mod names;

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;
use syn::{Item, parse_quote};

use self::names::{BASE_URL, KindNames};
use super::carrier_path::path;
use super::oauth;
use crate::contract::{Carrier, Contract, Credential};
use crate::repair::Repairs;
use crate::schemes::{SecurityScheme, place_in_request};
use crate::{Api, Error, SecurityRequirement, Text, walk};

/// The kinds of token that an API accepts.
pub(crate) struct Kinds {
    /// The kinds that belong to this API.
    own: Vec<Kind>,
    /// The kinds that belong to another API.
    foreign: Vec<AcceptedToken>,
    /// The name and carrier of the credential of a client that is connected without a type; it may be a kind of another API.
    /// `None` if the API takes no credential.
    pub(crate) first: Option<(String, Carrier)>,
    /// The schemes of the document that a client certificate satisfies.
    pub(crate) certificates: Vec<String>,
    /// The OAuth flows of the document, by which tokens are obtained.
    oauth: Vec<oauth::Scheme>,
    /// True if a client without a credential can call some operation.
    pub(crate) works_without_credential: bool,
    /// The environment variable with a base URL that replaces the documented one.
    base_url: String,
}

/// A kind of token.
struct Kind {
    name: String,
    /// The name of its type without values.
    marker: String,
    /// The name of the token type.
    token: String,
    variable: String,
    carrier: Carrier,
    prefixes: Vec<String>,
}

/// A kind of token that an API accepts, for callers without a generated client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AcceptedToken {
    /// The name of the kind, as operations and contracts use it.
    pub name: String,
    /// The name of the API whose contract defines it, if it is another one.
    pub of: Option<String>,
    /// The environment variable that holds one; `None` if the other API defines it.
    pub variable: Option<String>,
    /// The place where it is sent; never the query.
    pub carrier: Carrier,
}

/// Returns the kinds of token that an API accepts: its own in the order of its contract or of the document's security
/// schemes, then those of other APIs, and the schemes that a client certificate satisfies.
///
/// # Errors
/// Returns an error if the contract is not valid.
pub fn accepted_tokens(api: &Api, contract: Option<&Text>) -> Result<Vec<AcceptedToken>, Error> {
    let contract = contract.map_or_else(|| Ok(Contract::default()), Contract::read)?;
    let kinds = of_api(api, &contract, &mut Repairs::default());
    let foreign = kinds.foreign.into_iter();
    let own = kinds.own.into_iter().map(|Kind { name, variable, carrier, .. }| AcceptedToken {
        name,
        of: None,
        variable: Some(variable),
        carrier,
    });
    let certificate = |name| AcceptedToken { name, of: None, variable: None, carrier: Carrier::ClientCertificate };
    let certificates = kinds.certificates.into_iter().map(certificate);
    let all = own.chain(foreign).chain(certificates);
    Ok(all.filter(|opener| !matches!(opener.carrier, Carrier::Query(_))).collect())
}

/// Returns the environment variable with a base URL that replaces the documented one: `PARCELS_BASE_URL`.
pub fn base_url_variable(api: &Api) -> String {
    KindNames::new(api).variable(BASE_URL)
}

/// Determines the kinds that the API accepts.
pub(crate) fn of_api(api: &Api, contract: &Contract, repairs: &mut Repairs) -> Kinds {
    let schemes = api.security_schemes();
    let mut kinds = match &contract.credentials {
        Some(credentials) => of_contract(api, credentials, repairs),
        None => of_document(api, &schemes, repairs),
    };
    for scheme in schemes.iter().filter(|scheme| scheme.is_certificate()) {
        if !kinds.certificates.contains(&scheme.name) {
            kinds.certificates.push(scheme.name.clone());
        }
    }
    kinds.oauth = oauth::schemes(api, &schemes, kinds.own.iter().map(|kind| (&kind.name, &kind.marker)), repairs);
    // A contract may use other names than the document's schemes; then operations that take a single credential accept each
    // of its kinds.
    let names: HashSet<&String> = api.operations.iter().flat_map(|operation| operation.security.kinds()).collect();
    let mut known = kinds.own.iter().map(|kind| &kind.name).chain(kinds.foreign.iter().map(|kind| &kind.name));
    let has_other = known.any(|name| !names.contains(name));
    for operation in &api.operations {
        let SecurityRequirement::OneOf { sets, is_optional } = &*operation.security else {
            kinds.works_without_credential = true;
            continue;
        };
        kinds.works_without_credential |= *is_optional || sets.iter().any(|set| kinds.are_certificates(set));
        let can_send = |set: &Vec<String>| (has_other && set.len() == 1) || kinds.can_send(set);
        if !is_optional && !sets.iter().any(can_send) {
            let sets: Vec<String> = sets.iter().map(|set| format!("`{}`", set.join("` with `"))).collect();
            let note = format!("no client can call it: it takes {}, which a request cannot carry", sets.join(" or "));
            repairs.narrow("credential", &operation.pointer(), note);
        }
    }
    kinds
}

fn of_contract(api: &Api, credentials: &[Credential], repairs: &mut Repairs) -> Kinds {
    // A contract may name kinds that only its rules use. If no operation states its credentials, the API accepts all of them.
    let is_silent = api.operations.iter().all(|operation| operation.credentials.is_empty());
    let opens =
        |kind: &String| is_silent || api.operations.iter().any(|operation| operation.credentials.contains(kind));
    let mut names = KindNames::new(api);
    // Variables of the contract are reserved for its kinds.
    names
        .variables
        .extend(credentials.iter().filter_map(|credential| Some(credential.variable.as_ref()?.get_ref().clone())));
    let mut kinds = names.no_kinds();
    for credential in credentials.iter().filter(|credential| opens(credential.kind.get_ref())) {
        let kind = credential.kind.get_ref();
        let carrier = credential.carrier();
        if *carrier == Carrier::ClientCertificate {
            kinds.certificates.push(kind.clone());
            continue;
        }
        if matches!(carrier, Carrier::Query(_)) {
            in_query(repairs, "/components/securitySchemes", kind);
        }
        kinds.first.get_or_insert_with(|| (kind.clone(), carrier.clone()));
        let variable = credential.variable.as_ref().map(|variable| variable.get_ref().clone());
        if let Some(of) = credential.of.clone() {
            kinds.foreign.push(AcceptedToken { name: kind.clone(), of: Some(of), variable, carrier: carrier.clone() });
        } else {
            let prefixes = credential.prefixes().chain(&credential.other_prefixes).cloned().collect();
            kinds.own.push(names.kind(kind, carrier.clone(), variable, prefixes));
        }
    }
    kinds
}

fn of_document(api: &Api, schemes: &[SecurityScheme], repairs: &mut Repairs) -> Kinds {
    let root = api.document.get("security");
    let operations = walk::operations(&api.document);
    let mut requirements = operations.iter().filter_map(|(_, node)| node.get("security").or(root)).peekable();
    let says_nothing = requirements.peek().is_none();
    if says_nothing && schemes.is_empty() {
        return KindNames::new(api).only_unnamed();
    }
    let alternatives = requirements.flat_map(|security| security.as_array().into_iter().flatten());
    let asked: HashSet<&String> =
        alternatives.filter_map(Value::as_object).flat_map(|schemes| schemes.keys()).collect();
    let mut names = KindNames::new(api);
    let mut kinds = names.no_kinds();
    for scheme in schemes {
        let SecurityScheme { name: scheme_name, pointer: at, .. } = scheme;
        if scheme.is_certificate() || (!says_nothing && !asked.contains(scheme_name)) {
            continue;
        }
        let Some(carrier) = scheme.carrier.clone() else {
            let note = format!("clients cannot send the credential `{scheme_name}`: {}", scheme.why_unsendable());
            repairs.narrow("credential", at, note);
            continue;
        };
        if scheme.is_key && carrier == Carrier::Header {
            let note = format!(
                "the key `{scheme_name}` goes into `Authorization` as `Bearer <key>`; where the API wants another scheme, \
                 contract.toml says so: `carriers = [{{ scheme = \"...\" }}]`"
            );
            repairs.narrow("credential", at, note);
        }
        if matches!(carrier, Carrier::Query(_)) {
            in_query(repairs, at, scheme_name);
        }
        kinds.first.get_or_insert_with(|| (scheme_name.clone(), carrier.clone()));
        kinds.own.push(names.kind(scheme_name, carrier, None, Vec::new()));
    }
    kinds
}

/// Records a key that clients send only if the configuration allows it.
fn in_query(repairs: &mut Repairs, at: &str, kind: &str) {
    let note = format!(
        "the key `{kind}` goes into the URL, which is logged on its way: clients send it only with `Config::allow_query_keys`"
    );
    repairs.narrow("credential", at, note);
}

impl Kinds {
    /// Returns the carrier of a kind, by its name; `None` if no request can carry it.
    pub(crate) fn carrier(&self, name: &str) -> Option<&Carrier> {
        let own = self.own.iter().find(|kind| kind.name == name).map(|kind| &kind.carrier);
        let certificate = || self.certificates.iter().any(|known| known == name).then_some(&Carrier::ClientCertificate);
        own.or_else(|| self.foreign.iter().find(|kind| kind.name == name).map(|kind| &kind.carrier))
            .or_else(certificate)
    }

    fn are_certificates(&self, set: &[String]) -> bool {
        set.iter().all(|scheme| self.certificates.contains(scheme))
    }

    /// Returns whether one request can carry all of these kinds.
    fn can_send(&self, set: &[String]) -> bool {
        let own = self.own.iter().map(|kind| (&kind.name, &kind.carrier));
        let foreign = self.foreign.iter().map(|kind| (&kind.name, &kind.carrier));
        let carried: Vec<(&String, &Carrier)> = own.chain(foreign).filter(|(name, _)| set.contains(name)).collect();
        let is_known =
            |scheme: &String| carried.iter().any(|(name, _)| *name == scheme) || self.certificates.contains(scheme);
        let mut places: Vec<String> = carried.iter().map(|(_, carrier)| place_in_request(carrier)).collect();
        places.sort();
        let is_apart = places.windows(2).all(|pair| pair[0] != pair[1]);
        set.iter().all(is_known) && is_apart
    }

    /// Returns the marker type of the API, the kinds, and their token types.
    pub(crate) fn items(&self) -> Vec<Item> {
        let mut items: Vec<Item> = vec![parse_quote! {
            /// This API as a type, for bounds on the tokens that it accepts: `keyfit::auth::Opens`.
            #[derive(Debug)]
            pub enum Api {}
        }];
        items.extend(self.environment_constructor());
        items.extend(self.profile_constructor());
        if self.own.is_empty() {
            return items;
        }
        let markers = self.own.iter().map(Kind::marker);
        items.push(parse_quote! {
            /// The kinds of token that belong to this API. They are types without values.
            pub mod kind {
                #(#markers)*
            }
        });
        for kind in &self.own {
            let (marker, token) = (format_ident!("{}", kind.marker), format_ident!("{}", kind.token));
            let sent = match &kind.carrier {
                Carrier::NamedHeader(name) => format!("in the header `{name}`"),
                Carrier::Scheme(scheme) => format!("as `Authorization: {scheme} <token>`"),
                Carrier::Basic => "as user and password by HTTP Basic: `user:password`".to_owned(),
                Carrier::Cookie(name) => format!("in the cookie `{name}`"),
                Carrier::Query(name) => {
                    format!("in the parameter `{name}` of the query, with `keyfit::Config::allow_query_keys`")
                }
                Carrier::Header => "as `Authorization: Bearer <token>`".to_owned(),
                Carrier::ClientCertificate => "by the connection".to_owned(),
            };
            let variable = &kind.variable;
            let doc =
                format!(" The credential `{}` of this API, from the variable `{variable}`; sent {sent}.", kind.name);
            items.push(parse_quote! {
                #[doc = #doc]
                pub type #token = ::keyfit::auth::Token<kind::#marker>;
            });
            items.push(parse_quote!(
                impl ::keyfit::auth::Opens<Api> for kind::#marker {}
            ));
            if kind.carrier == Carrier::Basic {
                items.push(parse_quote!(
                    impl ::keyfit::auth::BasicKind for kind::#marker {}
                ));
            }
        }
        items.extend(oauth::items(&self.oauth));
        items
    }
}

impl Kind {
    fn marker(&self) -> TokenStream {
        let Self { name, variable, prefixes, .. } = self;
        let (marker, carrier) = (format_ident!("{}", self.marker), path(&self.carrier));
        let doc = format!(" The kind of `{}`.", self.token);
        let prefixes =
            (!prefixes.is_empty()).then(|| quote!(const PREFIXES: &'static [&'static str] = &[#(#prefixes),*];));
        quote! {
            #[doc = #doc]
            #[derive(Debug)]
            pub enum #marker {}
            impl ::keyfit::auth::TokenKind for #marker {
                const NAME: &'static str = #name;
                const VARIABLE: &'static str = #variable;
                const CARRIER: ::keyfit::auth::Carrier = #carrier;
                #prefixes
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::generate::kinds::names::variable_of;

    #[test]
    fn a_variable_is_written_as_a_person_would() {
        for (text, variable) in [
            ("notes OAuth2PasswordBearer", "NOTES_OAUTH2_PASSWORD_BEARER"),
            ("notes OAuth2AuthorizationCodeBearer", "NOTES_OAUTH2_AUTHORIZATION_CODE_BEARER"),
            ("notes oAuth2", "NOTES_OAUTH2"),
            ("notes oauth2", "NOTES_OAUTH2"),
            ("notes OAuth", "NOTES_OAUTH"),
            ("notes OAUTH2", "NOTES_OAUTH2"),
            ("notes OpenIdConnect", "NOTES_OPENID_CONNECT"),
            ("notes OpenIDConnect", "NOTES_OPENID_CONNECT"),
            ("notes openIdConnect", "NOTES_OPENID_CONNECT"),
            ("notes HTTPBearer", "NOTES_HTTP_BEARER"),
            ("notes HTTPBasic", "NOTES_HTTP_BASIC"),
            ("notes APIKeyHeader", "NOTES_API_KEY_HEADER"),
            ("notes ApiKeyAuth", "NOTES_API_KEY_AUTH"),
            ("notes apiKey", "NOTES_API_KEY"),
            ("notes api_key", "NOTES_API_KEY"),
            ("notes X-API-Key", "NOTES_X_API_KEY"),
            ("notes XApiKey", "NOTES_X_API_KEY"),
            ("notes JWTAuth", "NOTES_JWT_AUTH"),
            ("notes BearerAuth", "NOTES_BEARER_AUTH"),
            ("notes basicAuth", "NOTES_BASIC_AUTH"),
            ("notes Auth0", "NOTES_AUTH0"),
            ("notes AWS4Auth", "NOTES_AWS4_AUTH"),
            ("notes mTLS", "NOTES_M_TLS"),
            ("notes client secret", "NOTES_CLIENT_SECRET"),
            ("instasent-ingest datasource", "INSTASENT_INGEST_DATASOURCE"),
            ("7days key", "_7DAYS_KEY"),
            ("notes schl\u{fc}ssel", "NOTES_SCHL_SSEL"),
        ] {
            assert_eq!(variable_of(text), variable, "{text}");
        }
    }
}
