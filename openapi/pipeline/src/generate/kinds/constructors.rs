//! The constructors of a client that read its settings from the environment or from a profile.

use quote::{format_ident, quote};
use syn::{Item, parse_quote};

use super::super::carrier_path::path;
use super::super::oauth;
use super::{Kind, Kinds};
use crate::contract::Carrier;

impl Kinds {
    /// Returns the constructor that reads all settings from the environment. There is none if the credential belongs to
    /// another API only, because its variable is not known here.
    pub(super) fn environment_constructor(&self) -> Option<Item> {
        if self.own.is_empty() && self.first.is_some() {
            return None;
        }
        let variable = &self.base_url;
        let markers = self.own.iter().map(|kind| format_ident!("{}", kind.marker));
        let variables: Vec<String> = self.own.iter().map(|kind| format!("`{}`", kind.variable)).collect();
        let (credential, from) = if variables.is_empty() {
            (quote!(::keyfit::codegen::no_credential()), "without a credential".to_owned())
        } else {
            let held =
                quote!(::keyfit::codegen::credential_from_env(&[#(::keyfit::codegen::kind::<kind::#markers>()),*])?);
            let from = match &variables[..] {
                [variable] => format!("with the credential in {variable}"),
                _ => format!("with the credentials in {}, of those that are set", variables.join(", ")),
            };
            (held, from)
        };
        let doc = format!(
            " Creates a client {from}. If `{variable}` is set, it is the base URL: a mock, a proxy, a staging host; \
             otherwise the base URL is that of [`API`]."
        );
        Some(parse_quote! {
            impl Client {
                #[doc = #doc]
                ///
                /// # Errors
                /// Returns an error if a required variable is not set or cannot be sent, or if `with_config` does. No message shows a
                /// value.
                pub fn from_env() -> ::std::result::Result<Self, ::keyfit::Error> {
                    let credential = #credential;
                    Self::over(credential, ::keyfit::Config::default().base_url_from_env(#variable)?)
                }
            }
        })
    }

    /// Returns the constructor that reads all settings from a file of profiles.
    pub(super) fn profile_constructor(&self) -> [Item; 2] {
        let own = self.own.iter().map(|kind| {
            let marker = format_ident!("{}", kind.marker);
            let flow = oauth::service_flow(&self.oauth, &kind.name).map(|flow| quote!(.with_flow(#flow)));
            quote!(::keyfit::codegen::CredentialKind::of::<kind::#marker>() #flow)
        });
        let foreign = self.foreign.iter().map(|opener| {
            let (name, carrier) = (&opener.name, path(&opener.carrier));
            let variable = opener.variable.as_ref().map(|variable| quote!(.with_variable(#variable)));
            quote!(::keyfit::codegen::CredentialKind::new(#name, #carrier) #variable)
        });
        let (all, variable) = (own.chain(foreign), &self.base_url);
        let connect = parse_quote! {
            impl ::keyfit::Connect for Client {
                const API: &'static ::keyfit::Api = &API;
                const KINDS: &'static [::keyfit::codegen::CredentialKind] = &[#(#all),*];
                const BASE_URL_VARIABLE: &'static str = #variable;
                fn connect(
                    credential: ::keyfit::auth::Credential<()>,
                    config: ::keyfit::Config,
                ) -> ::std::result::Result<Self, ::keyfit::Error> {
                    Self::over(credential, config)
                }
            }
        };
        let constructor = parse_quote! {
            impl Client {
                /// Creates a client with the settings of this API in the file `keyfit.toml`, from the profile that `KEYFIT_PROFILE` names,
                /// and with the variables of `from_env` (feature `profile` of `keyfit`). To change settings, use `keyfit::Profile`.
                ///
                /// # Errors
                /// Returns an error if the file, the profile or a credential cannot be used, with file and line, or if `with_config`
                /// does. No message shows a secret.
                pub fn from_profile() -> ::std::result::Result<Self, ::keyfit::Error> {
                    ::keyfit::codegen::from_profile()
                }
            }
        };
        [connect, constructor]
    }

    /// Returns the tokens, one for each line, for review.
    pub(crate) fn describe(&self) -> String {
        let line = |kind: &Kind| {
            let sent = match &kind.carrier {
                Carrier::NamedHeader(name) => format!("in {name}"),
                Carrier::Scheme(scheme) => format!("with the scheme {scheme}"),
                Carrier::Basic => "as user and password".to_owned(),
                Carrier::Cookie(name) => format!("in the cookie {name}"),
                Carrier::Query(name) => format!("in the query as {name}"),
                Carrier::Header => "as bearer token".to_owned(),
                Carrier::ClientCertificate => "by the connection".to_owned(),
            };
            format!("  {}: {} from {} {sent}\n", kind.token, kind.name, kind.variable)
        };
        let tokens = match &self.first {
            None if self.certificates.is_empty() => "  the client takes no credential\n".to_owned(),
            Some((first, _)) if self.own.is_empty() => format!("  of another API, such as {first}\n"),
            _ => self.own.iter().map(line).collect(),
        };
        let certificates = self.certificates.iter().map(|name| format!("  {name} by a client certificate\n"));
        let flows: String = self.oauth.iter().map(oauth::Scheme::describe).collect();
        tokens + &certificates.collect::<String>() + &flows
    }
}
