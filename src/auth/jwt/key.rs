//! Keys that sign: a shared secret, or a private key in PEM or as a JWK (RFC 7517).

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::{self, PemObject as _};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::auth::{Secret, SecretSource};
use crate::error::Error;

/// HS256 wants a key at least as long as its digest (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;

/// The signature algorithm of a JWT (RFC 7518, RFC 8037).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum JwtAlgorithm {
    /// HMAC with SHA-256, by a secret of 32 bytes or more that the server has too.
    Hs256,
    /// RSA (PKCS #1 v1.5) with SHA-256, by a private key of 2048 bits or more.
    Rs256,
    /// ECDSA on the curve P-256 with SHA-256.
    Es256,
    /// `EdDSA` on the curve Ed25519.
    EdDsa,
}

impl JwtAlgorithm {
    /// The name in the header of a JWT.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Returns the kind of key that it needs.
    fn key(self) -> &'static str {
        match self {
            Self::Hs256 => "a secret",
            Self::Rs256 => "an RSA private key of 2048 bits or more",
            Self::Es256 => "a private key on the curve P-256",
            Self::EdDsa => "a private key on the curve Ed25519",
        }
    }
}

/// A key that signs JWTs, and where it is kept. It is read for each signature, so that a rotated one is found. A
/// [`SecretSource`] alone is a key for HS256.
///
/// For HS256 the text is the secret itself. For the others it is a PEM file (`PRIVATE KEY`, and `RSA PRIVATE KEY` or
/// `EC PRIVATE KEY`; not an encrypted one), or a JWK with its private members, whose `kid` is used where
/// [`id`](Self::id) names none.
///
/// ```
/// use keyfit::auth::source::FileSource;
/// use keyfit::auth::{JwtAlgorithm, JwtKey};
///
/// let key = JwtKey::new(JwtAlgorithm::Es256, FileSource::new("/run/secrets/signing-key.pem")).id("2026-11");
/// assert!(format!("{key:?}").contains("Es256"));
/// ```
#[derive(Clone, Debug)]
pub struct JwtKey {
    pub(super) algorithm: JwtAlgorithm,
    pub(super) source: Arc<dyn SecretSource>,
    id: Option<String>,
}

impl JwtKey {
    /// A key for this algorithm.
    pub fn new(algorithm: JwtAlgorithm, source: impl SecretSource) -> Self {
        Self { algorithm, source: Arc::new(source), id: None }
    }

    /// The name of the key, which the header of each JWT has as `kid`, so that a server finds the public key.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The key as it is now.
    ///
    /// # Errors
    /// Returns an error if it cannot be read or is not a valid key for the algorithm.
    pub(super) async fn read(&self) -> Result<Signer, Error> {
        let text = self.source.read().await?;
        let (pair, id) = pair(self.algorithm, &text)?;
        Ok(Signer { pair, algorithm: self.algorithm, id: self.id.clone().or(id) })
    }
}

impl<S: SecretSource> From<S> for JwtKey {
    fn from(secret: S) -> Self {
        Self::new(JwtAlgorithm::Hs256, secret)
    }
}

/// A key in the hand.
pub(super) struct Signer {
    pair: Pair,
    pub(super) algorithm: JwtAlgorithm,
    pub(super) id: Option<String>,
}

enum Pair {
    Secret(Box<hmac::Key>),
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Signer {
    #[cfg(test)]
    pub(super) fn of_secret(key: &[u8]) -> Result<Self, Error> {
        Ok(Self { pair: hmac_key(key)?, algorithm: JwtAlgorithm::Hs256, id: None })
    }

    /// The signature of a signing input, as the third part of a JWS.
    pub(super) fn signature(&self, input: &str) -> Result<String, Error> {
        let input = input.as_bytes();
        let refused = |_| Error::credential("the JWT cannot be signed by its key");
        Ok(URL_SAFE_NO_PAD.encode(match &self.pair {
            Pair::Secret(key) => hmac::sign(key, input).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input, &mut signature).map_err(refused)?;
                signature
            }
            Pair::Ec(pair) => pair.sign(&SystemRandom::new(), input).map_err(refused)?.as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(input).as_ref().to_vec(),
        }))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("algorithm", &self.algorithm).field("id", &self.id).finish_non_exhaustive()
    }
}

/// The key in a text, and its name where the text has one.
fn pair(algorithm: JwtAlgorithm, text: &SecretString) -> Result<(Pair, Option<String>), Error> {
    let text = text.expose_secret();
    if algorithm == JwtAlgorithm::Hs256 {
        return hmac_key(text.as_bytes()).map(|pair| (pair, None));
    }
    if text.trim_start().starts_with('{') {
        return of_jwk(algorithm, text);
    }
    of_pem(algorithm, text).map(|pair| (pair, None))
}

fn hmac_key(key: &[u8]) -> Result<Pair, Error> {
    if key.len() < SHORTEST_SECRET {
        return Err(Error::credential(format!(
            "the secret that signs the JWT has {} bytes: HS256 needs {SHORTEST_SECRET} or more",
            key.len()
        )));
    }
    Ok(Pair::Secret(Box::new(hmac::Key::new(hmac::HMAC_SHA256, key))))
}

fn unfit(algorithm: JwtAlgorithm, why: &str) -> Error {
    Error::credential(format!(
        "the key that signs the JWT {why}: {} needs {}, in PEM or as a JWK",
        algorithm.as_str(),
        algorithm.key()
    ))
}

fn of_pem(algorithm: JwtAlgorithm, text: &str) -> Result<Pair, Error> {
    let unfit = |why| unfit(algorithm, why);
    let der = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|error| match error {
        _ if text.contains("ENCRYPTED PRIVATE KEY") => {
            unfit("is encrypted, and there is nobody to ask for its password")
        }
        _ if text.contains("PUBLIC KEY") => unfit("is a public one"),
        pem::Error::NoItemsFound => unfit("is neither PEM nor a JWK"),
        _ => unfit("is damaged"),
    })?;
    let other = |_| unfit("is of another kind, or damaged");
    match (algorithm, &der) {
        (JwtAlgorithm::Rs256, PrivateKeyDer::Pkcs8(der)) => {
            RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map(Pair::Rsa).map_err(other)
        }
        (JwtAlgorithm::Rs256, PrivateKeyDer::Pkcs1(der)) => {
            RsaKeyPair::from_der(der.secret_pkcs1_der()).map(Pair::Rsa).map_err(other)
        }
        (JwtAlgorithm::Es256, PrivateKeyDer::Pkcs8(_) | PrivateKeyDer::Sec1(_)) => {
            EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_der())
                .map(Pair::Ec)
                .map_err(other)
        }
        (JwtAlgorithm::EdDsa, PrivateKeyDer::Pkcs8(der)) => {
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der()).map(Pair::Ed).map_err(other)
        }
        _ => Err(unfit("is of another kind")),
    }
}

/// A private key of RFC 7517 and RFC 7518, section 6. Members that are not ours are ignored.
#[derive(Deserialize)]
struct Jwk {
    kid: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    d: Option<Secret>,
    x: Option<Secret>,
    y: Option<Secret>,
    n: Option<Secret>,
    e: Option<Secret>,
    p: Option<Secret>,
    q: Option<Secret>,
    dp: Option<Secret>,
    dq: Option<Secret>,
    qi: Option<Secret>,
}

fn of_jwk(algorithm: JwtAlgorithm, text: &str) -> Result<(Pair, Option<String>), Error> {
    let unfit = |why: &str| unfit(algorithm, why);
    let jwk: Jwk = serde_json::from_str(text).map_err(|_| unfit("is JSON, and no JWK"))?;
    if jwk.alg.as_deref().is_some_and(|name| name != algorithm.as_str()) {
        return Err(unfit("is a JWK for another algorithm"));
    }
    let member = |name: &str, value: &Option<Secret>| -> Result<Zeroizing<Vec<u8>>, Error> {
        let text = value.as_ref().ok_or_else(|| unfit(&format!("is a JWK without `{name}`")))?;
        let bytes = URL_SAFE_NO_PAD.decode(text.expose());
        bytes.map(Zeroizing::new).map_err(|_| unfit(&format!("is a JWK whose `{name}` is not base64url")))
    };
    let is_curve = |name: &str| jwk.crv.as_deref() == Some(name);
    let other = |_| unfit("is a JWK of another kind, or damaged");
    let pair = match algorithm {
        JwtAlgorithm::Rs256 => {
            let (n, e) = (member("n", &jwk.n)?, member("e", &jwk.e)?);
            let components = KeyPairComponents {
                public_key: PublicKeyComponents { n: &**n, e: &**e },
                d: &**member("d", &jwk.d)?,
                p: &**member("p", &jwk.p)?,
                q: &**member("q", &jwk.q)?,
                dP: &**member("dp", &jwk.dp)?,
                dQ: &**member("dq", &jwk.dq)?,
                qInv: &**member("qi", &jwk.qi)?,
            };
            Pair::Rsa(RsaKeyPair::from_components(&components).map_err(other)?)
        }
        JwtAlgorithm::Es256 if is_curve("P-256") => {
            let (x, y) = (member("x", &jwk.x)?, member("y", &jwk.y)?);
            // A point as SEC 1 writes it, uncompressed.
            let point = [&[4], x.as_slice(), y.as_slice()].concat();
            let curve = &ECDSA_P256_SHA256_FIXED_SIGNING;
            let d = member("d", &jwk.d)?;
            Pair::Ec(EcdsaKeyPair::from_private_key_and_public_key(curve, &d, &point).map_err(other)?)
        }
        JwtAlgorithm::EdDsa if is_curve("Ed25519") => {
            let (d, x) = (member("d", &jwk.d)?, member("x", &jwk.x)?);
            Pair::Ed(Ed25519KeyPair::from_seed_and_public_key(&d, &x).map_err(other)?)
        }
        _ => return Err(unfit("is a JWK of another kind")),
    };
    Ok((pair, jwk.kid))
}
