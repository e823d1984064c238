//! JSON Web Signatures with HS256 (RFC 7515), and the challenges of PKCE (RFC 7636): the probes create them, and the mock verifies them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A parsed JWS in compact form. Its content is not trustworthy before [`is_signed_by`](Self::is_signed_by).
pub(crate) struct Jws<'a> {
    /// The header.
    pub(crate) header: Value,
    /// The payload.
    pub(crate) claims: Value,
    input: &'a str,
    /// The signature.
    pub(crate) signature: Vec<u8>,
}

impl<'a> Jws<'a> {
    /// Parses a text; `None` if it does not have three base64url parts, of which the first two are JSON objects.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let (input, signature) = text.rsplit_once('.')?;
        let (header, claims) = input.split_once('.')?;
        let object = |part: &str| {
            let value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
            value.is_object().then_some(value)
        };
        Some(Self {
            header: object(header)?,
            claims: object(claims)?,
            input,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// Returns whether the signature is the HS256 signature with this key. The comparison takes constant time.
    pub(crate) fn is_signed_by(&self, key: &[u8]) -> bool {
        mac(key, self.input).verify_slice(&self.signature).is_ok()
    }
}

/// Returns header and claims, signed with HS256 whatever the header says.
pub(crate) fn signed(header: &Value, claims: &Value, key: &[u8]) -> String {
    let input = unsigned(header, claims);
    let signature = URL_SAFE_NO_PAD.encode(mac(key, &input).finalize().into_bytes());
    format!("{input}.{signature}")
}

/// Returns the signing input with this signature.
pub(crate) fn joined(input: &str, signature: &[u8]) -> String {
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Returns a symmetric key as a JWK (RFC 7517): servers must not trust a key in the header.
pub(crate) fn jwk(key: &[u8]) -> Value {
    serde_json::json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(key) })
}

/// Returns header and claims without a signature and the dot before it.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// Returns the S256 challenge of a verifier.
pub(crate) fn s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

fn mac(key: &[u8], input: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length (RFC 2104, section 2)");
    mac.update(input.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::{Jws, s256, signed};

    /// Returns the example of RFC 7515, appendix A.1. It is assembled here, so that the source contains no JWT.
    fn published() -> (String, Vec<u8>) {
        let header = URL_SAFE_NO_PAD.encode("{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}");
        let claims = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
        let key = ["AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75", "aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"];
        let signature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let text = format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(claims));
        (text, URL_SAFE_NO_PAD.decode(key.concat()).expect("base64url"))
    }

    #[test]
    fn the_published_signature_is_recognised() {
        let (text, key) = published();
        let jws = Jws::read(&text).expect("a JWS");
        assert!(jws.is_signed_by(&key));
        assert!(!jws.is_signed_by(b"another key"));
        assert_eq!(jws.claims["iss"], "joe");
    }

    #[test]
    fn what_was_signed_is_recognised_until_it_is_changed() {
        let text = signed(&json!({ "alg": "HS256" }), &json!({ "iss": "one" }), b"key");
        assert!(Jws::read(&text).expect("a JWS").is_signed_by(b"key"));
        let changed = text.replacen('.', ".e30", 1);
        assert!(Jws::read(&changed).is_none_or(|jws| !jws.is_signed_by(b"key")));
    }

    #[test]
    fn the_published_challenge_is_made_of_the_published_verifier() {
        // RFC 7636, appendix B.
        assert_eq!(s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
