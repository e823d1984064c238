//! The OAuth flows of a document: where tokens are had, and the scopes that the client's operations need.

use std::collections::{BTreeSet, HashSet};

use heck::ToSnakeCase as _;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;
use syn::{Item, parse_quote};

use super::docs;
use crate::repair::Repairs;
use crate::{Api, name, pointer, walk};

/// A security scheme whose tokens an authorization server gives.
pub(crate) struct Scheme {
    /// Its name in the document.
    name: String,
    /// The type of its kind.
    marker: String,
    flows: Vec<Flow>,
}

/// A flow that a client can go through by what the document says of it.
struct Flow {
    way: Way,
    /// The setters of its URLs.
    urls: Vec<(&'static str, String)>,
    scopes: Vec<String>,
}

/// What a flow is for.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Way {
    /// A service that acts for itself.
    ClientCredentials,
    /// A user who consents in a browser.
    AuthorizationCode,
    /// Whatever the server says of itself.
    Discovery,
}

/// The URLs of the flows that clients know: the member of the document, and the setter.
const CLIENT_CREDENTIALS: [(&str, &str); 1] = [("tokenUrl", "with_token_url")];
const AUTHORIZATION_CODE: [(&str, &str); 3] = [
    ("tokenUrl", "with_token_url"),
    ("authorizationUrl", "with_authorization_url"),
    ("refreshUrl", "with_refresh_url"),
];
/// What stands behind an issuer identifier.
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// Reads the flows of the schemes that are kinds of token here, by their names and markers.
pub(crate) fn schemes<'k>(
    api: &Api,
    kinds: impl Iterator<Item = (&'k String, &'k String)>,
    repairs: &mut Repairs,
) -> Vec<Scheme> {
    let known = walk::members(&api.document, "/components/securitySchemes");
    let mut schemes = Vec::new();
    for (kind, marker) in kinds {
        let Some((at, scheme)) = known.iter().find(|(at, _)| pointer::name(at) == **kind) else { continue };
        let flows = flows(api, at, walk::resolve(&api.document, scheme), repairs);
        if !flows.is_empty() {
            schemes.push(Scheme { name: kind.clone(), marker: marker.clone(), flows });
        }
    }
    schemes
}

fn flows(api: &Api, at: &str, scheme: &Value, repairs: &mut Repairs) -> Vec<Flow> {
    let is = |kind: &str| scheme["type"].as_str().is_some_and(|text| text.eq_ignore_ascii_case(kind));
    let asked = asked_scopes(api, &pointer::name(at));
    if is("openIdConnect") {
        let place = pointer::join(at, "openIdConnectUrl");
        let Some(url) = url(api, &place, &scheme["openIdConnectUrl"], repairs) else { return Vec::new() };
        let issuer = url.strip_suffix(WELL_KNOWN).unwrap_or(&url).to_owned();
        return vec![Flow { way: Way::Discovery, urls: vec![("with_issuer", issuer)], scopes: asked }];
    }
    if !is("oauth2") {
        return Vec::new();
    }
    let mut flows = Vec::new();
    for (member, way, urls) in [
        ("clientCredentials", Way::ClientCredentials, &CLIENT_CREDENTIALS[..]),
        ("authorizationCode", Way::AuthorizationCode, &AUTHORIZATION_CODE),
    ] {
        let Some(flow) = scheme["flows"].get(member).filter(|flow| flow.is_object()) else { continue };
        let place = pointer::join(&pointer::join(at, "flows"), member);
        let mut found = Vec::new();
        for (member, setter) in urls {
            // What is not needed is left out, and what is refused is told.
            if *member == "refreshUrl" && flow.get(*member).is_none() {
                continue;
            }
            if let Some(url) = url(api, &pointer::join(&place, member), &flow[*member], repairs) {
                found.push((*setter, url));
            }
        }
        let has = |setter: &str| found.iter().any(|(known, _)| *known == setter);
        if has("with_token_url") && (way == Way::ClientCredentials || has("with_authorization_url")) {
            // A flow that lists its scopes has no others.
            let listed = flow["scopes"].as_object().filter(|listed| !listed.is_empty());
            let is_there = |scope: &&String| listed.is_none_or(|listed| listed.contains_key(*scope));
            flows.push(Flow { way, urls: found, scopes: asked.iter().filter(is_there).cloned().collect() });
        }
    }
    flows
}

/// The scopes that the operations of the client ask of a scheme.
fn asked_scopes(api: &Api, scheme: &str) -> Vec<String> {
    let root = api.document.get("security");
    let requirements = api.operations.iter().filter_map(|operation| {
        let node = api.document.pointer(&operation.pointer())?;
        node.get("security").or(root)?.as_array()
    });
    let lists = requirements.flatten().filter_map(|alternative| alternative.get(scheme)?.as_array()).flatten();
    // RFC 6749, section 3.3: a scope has no spaces.
    let scopes = lists.filter_map(Value::as_str).filter(|scope| scope.bytes().all(|byte| byte.is_ascii_graphic()));
    scopes.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

/// A URL that tokens and secrets may be sent to. One below the server is completed.
fn url(api: &Api, at: &str, value: &Value, repairs: &mut Repairs) -> Option<String> {
    let text = value.as_str().unwrap_or_default().trim();
    let whole = if text.starts_with('/') && !text.starts_with("//") && api.names_server() {
        let (scheme, rest) = api.base_url.split_once("://")?;
        format!("{scheme}://{}{text}", rest.split('/').next().unwrap_or_default())
    } else {
        text.to_owned()
    };
    let problem = match whole.split_once("://") {
        _ if text.is_empty() => "names no URL",
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => return Some(whole),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") && is_loopback(rest) => return Some(whole),
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") => {
            "is plain http, which shows secrets to everyone on the way: name the https URL by overlay"
        }
        _ => "is not a whole URL: name the https URL by overlay",
    };
    let note = format!("the flow is left out of the client: `{}` {problem}", pointer::name(at));
    repairs.narrow("oauth-flow", at, note);
    None
}

/// Whether a URL without its scheme leads to this machine.
fn is_loopback(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The flows of each scheme, and a function where a service can act for itself.
pub(crate) fn items(schemes: &[Scheme]) -> Vec<Item> {
    let mut taken = HashSet::new();
    let name_of = |scheme: &Scheme| match schemes {
        [_] => "oauth".to_owned(),
        _ => format!("oauth_{}", plain(&scheme.name)),
    };
    schemes.iter().flat_map(|scheme| scheme.items(&name::fresh(&name_of(scheme), &mut taken))).collect()
}

/// A name as the end of one in Rust.
fn plain(name: &str) -> String {
    name.to_snake_case().chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

impl Scheme {
    fn items(&self, module: &str) -> Vec<Item> {
        let (module, marker) = (format_ident!("{module}"), format_ident!("{}", self.marker));
        let flows = self.flows.iter().map(Flow::constant);
        let function = self.flows.iter().find_map(|flow| {
            let (name, at) = (flow.way.constant(), &flow.urls.first()?.1);
            let scopes = flow.scopes.join(" ");
            let scopes = if scopes.is_empty() { "those that the server gives by itself".to_owned() } else { scopes };
            let told = docs::lines(&format!(
                "The credential of a service that acts for itself, by the scheme `{}`: client credentials at {at}, scopes: {scopes}.",
                self.name
            ));
            let (asynchronous, call) = match flow.way {
                Way::ClientCredentials => {
                    (quote!(), quote!(client_credentials(&#module::#name, client_id, secret)))
                }
                Way::Discovery => {
                    (quote!(async), quote!(discovered_client_credentials(&#module::#name, client_id, secret).await))
                }
                Way::AuthorizationCode => return None,
            };
            Some(parse_quote! {
                #(#told)*
                ///
                /// # Errors
                /// Returns an error if the id is empty, or a URL may not be used.
                pub #asynchronous fn #module(
                    client_id: impl ::std::convert::Into<::std::string::String>,
                    secret: impl ::keyfit::auth::SecretSource,
                ) -> ::std::result::Result<::keyfit::auth::Credential<kind::#marker>, ::keyfit::Error> {
                    ::keyfit::codegen::#call
                }
            })
        });
        let told = docs::lines(&format!("The flows of the scheme `{}`, as the document describes them.", self.name));
        let module = parse_quote! {
            #(#told)*
            pub mod #module {
                #(#flows)*
            }
        };
        function.into_iter().chain([module]).collect()
    }

    /// The flows, a line each, for review.
    pub(crate) fn describe(&self) -> String {
        let line = |flow: &Flow| {
            let urls: Vec<&str> = flow.urls.iter().map(|(_, url)| url.as_str()).collect();
            let scopes = if flow.scopes.is_empty() { "-".to_owned() } else { flow.scopes.join("+") };
            format!("  {} {} at {} scopes {scopes}\n", self.name, flow.way.constant(), urls.join(", "))
        };
        self.flows.iter().map(line).collect()
    }
}

impl Flow {
    fn constant(&self) -> TokenStream {
        let (name, scopes) = (self.way.constant(), &self.scopes);
        let urls = self.urls.iter().map(|(setter, url)| {
            let setter = format_ident!("{setter}");
            quote!(.#setter(#url))
        });
        let scopes = (!scopes.is_empty()).then(|| quote!(.with_scopes(&[#(#scopes),*])));
        let told = docs::lines(self.way.told());
        quote! {
            #(#told)*
            pub const #name: ::keyfit::auth::OAuthFlow = ::keyfit::auth::OAuthFlow::new() #(#urls)* #scopes;
        }
    }
}

impl Way {
    /// The name of its constant.
    fn constant(self) -> proc_macro2::Ident {
        format_ident!(
            "{}",
            match self {
                Self::ClientCredentials => "CLIENT_CREDENTIALS",
                Self::AuthorizationCode => "AUTHORIZATION_CODE",
                Self::Discovery => "DISCOVERY",
            }
        )
    }

    fn told(self) -> &'static str {
        match self {
            Self::ClientCredentials => "A service that acts for itself.",
            Self::AuthorizationCode => "A user who consents in a browser: authorization code with PKCE.",
            Self::Discovery => "A server that describes itself.",
        }
    }
}
