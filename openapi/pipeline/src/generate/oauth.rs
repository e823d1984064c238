//! The OAuth flows of a document: their endpoints, and the scopes that the client's operations need.

use std::collections::HashSet;

use heck::ToSnakeCase as _;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Item, parse_quote};

use super::docs;
use crate::repair::Repairs;
use crate::schemes::{FlowKind, SecurityScheme};
use crate::{Api, name, pointer};

/// A security scheme with tokens from an authorization server.
pub(crate) struct Scheme {
    /// Its name in the document.
    name: String,
    /// The name of its kind's type.
    marker: String,
    flows: Vec<Flow>,
}

/// A flow that a client supports and the document describes well enough.
struct Flow {
    kind: FlowType,
    /// The setters of its URLs.
    urls: Vec<(&'static str, String)>,
    scopes: Vec<String>,
    /// The number of seconds during which a used refresh token is still accepted.
    refresh_grace: Option<u64>,
}

/// The type of a flow.
#[derive(Clone, Copy, Eq, PartialEq)]
enum FlowType {
    /// A service that acts for itself.
    ClientCredentials,
    /// A user who consents in a browser.
    AuthorizationCode,
    /// Any flow that the server's metadata describes.
    Discovery,
}

/// The path of the metadata after an issuer identifier.
const WELL_KNOWN: [&str; 2] = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

/// Reads the flows of the schemes that are kinds of token here, given the names and marker types of the kinds.
pub(crate) fn schemes<'k>(
    api: &Api,
    known: &[SecurityScheme],
    kinds: impl Iterator<Item = (&'k String, &'k String)>,
    repairs: &mut Repairs,
) -> Vec<Scheme> {
    let mut schemes = Vec::new();
    for (kind, marker) in kinds {
        let Some(scheme) = known.iter().find(|scheme| scheme.name == *kind) else { continue };
        let flows = flows(api, scheme, repairs);
        if !flows.is_empty() {
            schemes.push(Scheme { name: kind.clone(), marker: marker.clone(), flows });
        }
    }
    schemes
}

fn flows(api: &Api, scheme: &SecurityScheme, repairs: &mut Repairs) -> Vec<Flow> {
    let asked = api.asked_scopes(&scheme.name);
    let at = |kind: FlowKind| pointer::join(&pointer::join(&scheme.pointer, "flows"), kind.name());
    // Defects of flows that no client supports are not reported.
    let others = FlowKind::ALL.into_iter().filter(|kind| FlowType::of(*kind).is_none());
    let others: Vec<String> = others.map(|kind| format!("{}/", at(kind))).collect();
    let missed = scheme.defects.iter().filter(|defect| !others.iter().any(|other| defect.pointer.starts_with(other)));
    let mut left_out: Vec<(String, String)> =
        missed.map(|defect| (defect.pointer.clone(), defect.problem.clone())).collect();
    // A client needs an absolute URL.
    let mut is_whole = |url: &str, at: String| {
        let is_whole = !url.starts_with('/');
        if !is_whole {
            left_out.push((at, format!("`{url}` stands at no server that the document names")));
        }
        is_whole
    };
    let mut flows = Vec::new();
    // Flows in the document have precedence over discovery.
    if scheme.flows.is_empty()
        && let Some(url) = &scheme.discovery_url
        && is_whole(url, pointer::join(&scheme.pointer, "openIdConnectUrl"))
    {
        let issuer = WELL_KNOWN.iter().find_map(|known| url.strip_suffix(known)).unwrap_or(url).to_owned();
        let scopes = asked.iter().cloned().collect();
        flows.push(Flow {
            kind: FlowType::Discovery,
            urls: vec![("with_issuer", issuer)],
            scopes,
            refresh_grace: None,
        });
    }
    for flow in &scheme.flows {
        let Some(kind) = FlowType::of(flow.kind) else { continue };
        let urls = [
            ("with_token_url", &flow.token_url),
            ("with_authorization_url", &flow.authorization_url),
            ("with_refresh_url", &flow.refresh_url),
        ];
        let urls: Vec<(&str, String)> = urls
            .into_iter()
            .filter_map(|(setter, url)| Some((setter, url.clone()?)))
            .filter(|(setter, _)| kind.has_url(setter))
            .collect();
        if urls.iter().all(|(_, url)| is_whole(url, at(flow.kind))) {
            // If a flow lists its scopes, it has no others.
            let is_there = |scope: &&String| flow.scopes.is_empty() || flow.scopes.contains(scope);
            let scopes = asked.iter().filter(is_there).cloned().collect();
            flows.push(Flow { kind, urls, scopes, refresh_grace: flow.refresh_grace });
        }
    }
    for (at, problem) in left_out {
        repairs.narrow("oauth-flow", &at, format!("the flow is left out of the client: {problem}"));
    }
    flows
}

/// Returns the flows of each scheme, and a function for each scheme with a flow of a service.
pub(crate) fn items(schemes: &[Scheme]) -> Vec<Item> {
    let modules = modules(schemes);
    schemes.iter().zip(&modules).flat_map(|(scheme, module)| scheme.items(module)).collect()
}

/// Returns the names of the modules for the schemes' flows.
fn modules(schemes: &[Scheme]) -> Vec<String> {
    let mut taken = HashSet::new();
    let name_of = |scheme: &Scheme| match schemes {
        [_] => "oauth".to_owned(),
        _ => format!("oauth_{}", name_suffix(&scheme.name)),
    };
    schemes.iter().map(|scheme| name::unique(&name_of(scheme), &mut taken)).collect()
}

/// Returns the constant of the flow by which a service obtains tokens of a kind.
pub(crate) fn service_flow(schemes: &[Scheme], kind: &str) -> Option<TokenStream> {
    let (scheme, module) = schemes.iter().zip(modules(schemes)).find(|(scheme, _)| scheme.name == kind)?;
    let is_of_service = |flow: &&Flow| matches!(flow.kind, FlowType::ClientCredentials | FlowType::Discovery);
    let (module, name) = (format_ident!("{module}"), scheme.flows.iter().find(is_of_service)?.kind.constant());
    Some(quote!(#module::#name))
}

/// Returns a name as the end of a Rust name.
fn name_suffix(name: &str) -> String {
    name.to_snake_case().chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

impl Scheme {
    fn items(&self, module: &str) -> Vec<Item> {
        let (module, marker) = (format_ident!("{module}"), format_ident!("{}", self.marker));
        let flows = self.flows.iter().map(Flow::constant);
        let function = self.flows.iter().find_map(|flow| {
            let (name, at) = (flow.kind.constant(), &flow.urls.first()?.1);
            let scopes = flow.scopes.join(" ");
            let scopes = if scopes.is_empty() { "the server's default".to_owned() } else { scopes };
            let docs = docs::lines(&format!(
                "Returns the credential of a service that acts for itself, by the scheme `{}`: client credentials at {at}, scopes: {scopes}.",
                self.name
            ));
            let (asynchronous, call) = match flow.kind {
                FlowType::ClientCredentials => {
                    (quote!(), quote!(client_credentials(&#module::#name, client_id, secret)))
                }
                FlowType::Discovery => {
                    (quote!(async), quote!(discovered_client_credentials(&#module::#name, client_id, secret).await))
                }
                FlowType::AuthorizationCode => return None,
            };
            Some(parse_quote! {
                #(#docs)*
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
        let docs = docs::lines(&format!("The flows of the scheme `{}`, as the document describes them.", self.name));
        let module = parse_quote! {
            #(#docs)*
            pub mod #module {
                #(#flows)*
            }
        };
        function.into_iter().chain([module]).collect()
    }

    /// Returns the flows, one for each line, for review.
    pub(crate) fn describe(&self) -> String {
        let line = |flow: &Flow| {
            let urls: Vec<&str> = flow.urls.iter().map(|(_, url)| url.as_str()).collect();
            let scopes = if flow.scopes.is_empty() { "-".to_owned() } else { flow.scopes.join("+") };
            let grace = flow.refresh_grace.map(|seconds| format!(" refresh-grace {seconds} s")).unwrap_or_default();
            format!("  {} {} at {} scopes {scopes}{grace}\n", self.name, flow.kind.constant(), urls.join(", "))
        };
        self.flows.iter().map(line).collect()
    }
}

impl Flow {
    fn constant(&self) -> TokenStream {
        let (name, scopes) = (self.kind.constant(), &self.scopes);
        let urls = self.urls.iter().map(|(setter, url)| {
            let setter = format_ident!("{setter}");
            quote!(.#setter(#url))
        });
        let scopes = (!scopes.is_empty()).then(|| quote!(.with_scopes(&[#(#scopes),*])));
        let grace =
            self.refresh_grace.map(|seconds| quote!(.with_refresh_grace(::std::time::Duration::from_secs(#seconds))));
        let docs = docs::lines(self.kind.doc());
        quote! {
            #(#docs)*
            pub const #name: ::keyfit::auth::OAuthFlow = ::keyfit::auth::OAuthFlow::new() #(#urls)* #scopes #grace;
        }
    }
}

impl FlowType {
    /// Returns the type of a flow; `None` if clients do not support it.
    fn of(kind: FlowKind) -> Option<Self> {
        match kind {
            FlowKind::ClientCredentials => Some(Self::ClientCredentials),
            FlowKind::AuthorizationCode => Some(Self::AuthorizationCode),
            FlowKind::DeviceAuthorization | FlowKind::Password | FlowKind::Implicit => None,
        }
    }

    /// Returns whether it has a URL: client credentials have no refresh.
    fn has_url(self, setter: &str) -> bool {
        self != Self::ClientCredentials || setter == "with_token_url"
    }

    /// Returns the name of its constant.
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

    fn doc(self) -> &'static str {
        match self {
            Self::ClientCredentials => "A service that acts for itself.",
            Self::AuthorizationCode => "A user who consents in a browser: authorization code with PKCE.",
            Self::Discovery => "A server that describes itself.",
        }
    }
}
