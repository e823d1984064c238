//! The signatures of webhook deliveries, from the contract: a function for each webhook.

use std::collections::{BTreeMap, HashSet};

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Item, parse_quote};

use super::docs;
use super::emit::optional;
use crate::contract::{Contract, Signature, WebhookTerms};
use crate::name;

/// Returns the module with the functions; `None` if the contract describes no signatures.
pub(crate) fn module(contract: &Contract) -> Option<Item> {
    let signed = signed(&contract.webhooks);
    if signed.is_empty() {
        return None;
    }
    let mut taken = HashSet::new();
    let functions = signed.into_iter().map(|(webhook, signature)| {
        let function = format_ident!("{}", name::unique(&name::of_argument(webhook), &mut taken));
        let docs = docs::lines(&format!("Returns the signature scheme of `{webhook}` deliveries."));
        let scheme = scheme(signature);
        quote! {
            #(#docs)*
            pub fn #function() -> ::keyfit::webhook::SignatureScheme {
                #scheme
            }
        }
    });
    Some(parse_quote! {
        /// The signature schemes of the server's deliveries, for `keyfit::webhook::Verifier::new`.
        pub mod webhooks {
            #(#functions)*
        }
    })
}

fn signed(webhooks: &BTreeMap<String, WebhookTerms>) -> Vec<(&String, &Signature)> {
    webhooks.iter().filter_map(|(name, terms)| Some((name, terms.signature.as_ref()?))).collect()
}

fn scheme(signature: &Signature) -> TokenStream {
    let Signature { header, secret_prefix, .. } = signature;
    // The variants have the names of the runtime.
    let (algorithm, encoding) = (variant(signature.algorithm), variant(signature.encoding));
    let signs = variant(signature.signs);
    let secret = signature.secret_encoding.map_or_else(|| format_ident!("Text"), variant);
    let tolerance = signature.tolerance_seconds;
    let setters = [
        optional("prefix", signature.prefix.as_ref()),
        Some(quote!(.signs(::keyfit::webhook::Signed::#signs))),
        optional("signed_prefix", signature.signed_prefix.as_ref()),
        optional("separator", signature.separator.as_ref()),
        optional("timestamp_header", signature.timestamp_header.as_ref()),
        optional("timestamp_prefix", signature.timestamp_prefix.as_ref()),
        optional("id_header", signature.id_header.as_ref()),
        tolerance.map(|seconds| quote!(.tolerance(::std::time::Duration::from_secs(#seconds)))),
        Some(quote!(.secret(::keyfit::webhook::SecretEncoding::#secret, #secret_prefix))),
    ];
    let setters = setters.into_iter().flatten();
    quote! {
        ::keyfit::webhook::SignatureScheme::new(
            #header,
            ::keyfit::webhook::SignatureAlgorithm::#algorithm,
            ::keyfit::webhook::SignatureEncoding::#encoding,
        )
        #(#setters)*
    }
}

fn variant(value: impl std::fmt::Debug) -> Ident {
    format_ident!("{value:?}")
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;

    use super::*;
    use crate::Text;

    fn code(contract: &str) -> Option<String> {
        let contract = Contract::read(&Text::new("contract.toml", contract)).expect("a contract");
        module(&contract).map(|item| item.into_token_stream().to_string().replace(' ', ""))
    }

    #[test]
    fn each_webhook_with_a_signature_has_a_function_of_its_own() {
        let code = code(
            r#"
[webhooks."item.sold".signature]
header = "X-Signature"
algorithm = "hmac-sha256"
encoding = "hex"
prefix = "sha256="
signs = "timestamp-body"
timestamp-header = "X-Time"
tolerance-seconds = 60
[webhooks.item-sold.signature]
header = "X-Signature"
algorithm = "ed25519"
encoding = "base64"
signs = "body"
secret-encoding = "base64"
secret-prefix = "whpk_"
[webhooks.silent]
registered-by = "x"
"#,
        )
        .expect("a module");
        for part in [
            "pubfnitem_sold()",
            "pubfnitem_sold2()",
            "SignatureAlgorithm::HmacSha256",
            ".prefix(\"sha256=\")",
            "Signed::TimestampBody",
            "from_secs(60u64)",
            "SignatureAlgorithm::Ed25519",
            "SecretEncoding::Base64,\"whpk_\"",
        ] {
            assert!(code.contains(part), "{part}: {code}");
        }
        assert!(!code.contains("silent"), "{code}");
    }

    #[test]
    fn a_contract_without_signatures_has_no_module() {
        assert_eq!(code("[webhooks.silent]\nregistered-by = \"x\"\n"), None);
        assert_eq!(code("name = \"parcels\"\n"), None);
    }
}
