//! The carriers of credentials in generated Rust code.

use proc_macro2::TokenStream;
use quote::quote;

use crate::contract::Carrier;

/// Returns the carrier as a type of the runtime.
pub(crate) fn path(carrier: &Carrier) -> TokenStream {
    match carrier {
        Carrier::NamedHeader(name) => quote!(::keyfit::auth::Carrier::Header(#name)),
        Carrier::Scheme(scheme) => quote!(::keyfit::auth::Carrier::Scheme(#scheme)),
        Carrier::Basic => quote!(::keyfit::auth::Carrier::Basic),
        Carrier::Cookie(name) => quote!(::keyfit::auth::Carrier::Cookie(#name)),
        Carrier::Query(name) => quote!(::keyfit::auth::Carrier::Query(#name)),
        // A certificate is a setting of clients and not a kind of token.
        Carrier::Header | Carrier::ClientCertificate => quote!(::keyfit::auth::Carrier::Bearer),
    }
}
