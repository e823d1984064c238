//! Signed tokens as another library reads them: PyJWT, run by the interpreter in `KEYFIT_PYTHON` (default `python3`).
//! Without PyJWT the test says so and passes.

use std::env;
use std::process::{Command, Output};

use keyfit::auth::source::MemorySource;
use keyfit::auth::{JwtAlgorithm, JwtKey, JwtParties, JwtSigner, TokenSource as _};
use serde_json::Value;

const SECRET: &str = "fixture-secret-of-more-than-32-bytes";

/// Arguments: token, secret, audience. Prints the claims, sorted.
const VERIFY: &str = r#"
import jwt, sys, time
token, secret, audience = sys.argv[1:]
claims = jwt.decode(token, secret, algorithms=["HS256"], audience=audience, issuer="client_1",
                    options={"require": ["iss", "sub", "aud", "iat", "exp"]})
assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
assert all(type(claims[name]) is int for name in ("iat", "exp"))
assert claims["exp"] - claims["iat"] == 3600
assert claims["iat"] < time.time() - 20, "dated back"
print(sorted(claims), claims["sub"])
"#;

/// Argument: an algorithm. Prints a fresh key in every form that other tools write, and its public key, as JSON.
const MAKE: &str = r#"
import json, sys
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jwt.algorithms import get_default_algorithms
name = sys.argv[1]
key = {"RS256": lambda: rsa.generate_private_key(65537, 2048),
       "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
       "EdDSA": lambda: ed25519.Ed25519PrivateKey.generate()}[name]()
pem = lambda form: key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()
forms = [pem(PrivateFormat.PKCS8), get_default_algorithms()[name].to_jwk(key)]
if name != "EdDSA":
    forms.append(pem(PrivateFormat.TraditionalOpenSSL))
public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
print(json.dumps({"forms": forms, "public": public}))
"#;

/// Arguments: token, public key, algorithm.
const VERIFY_BY_PUBLIC_KEY: &str = r#"
import jwt, sys
token, public, name = sys.argv[1:]
jwt.decode(token, public, algorithms=[name], audience="TEST_API", issuer="client_1")
assert jwt.get_unverified_header(token) == {"alg": name, "typ": "JWT", "kid": "k1"}
"#;

#[expect(clippy::disallowed_methods, reason = "a test's own command line")]
fn python(arguments: &[&str]) -> Option<Output> {
    let interpreter = env::var("KEYFIT_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    Command::new(interpreter).arg("-c").args(arguments).output().ok()
}

async fn token_of(subject: &str) -> String {
    token_by(subject, MemorySource::new(SECRET)).await
}

async fn token_by(subject: &str, key: impl Into<JwtKey>) -> String {
    let parties =
        JwtParties { issuer: "client_1".to_owned(), subject: subject.to_owned(), audience: "TEST_API".to_owned() };
    let token = JwtSigner::new(parties, key).expect("a signer").fetch().await.expect("a token");
    token.expose().to_owned()
}

#[tokio::test]
async fn another_library_accepts_our_tokens_and_refuses_changed_ones() {
    if !python(&["import jwt"]).is_some_and(|output| output.status.success()) {
        println!("skipped: PyJWT is not installed (set KEYFIT_PYTHON to an interpreter that has it)");
        return;
    }
    let token = token_of("user_\u{e9}\"1").await;
    let verify = |token: &str, secret: &str, audience: &str| {
        let output = python(&[VERIFY, token, secret, audience]).expect("it ran a moment ago");
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    };

    let claims = verify(&token, SECRET, "TEST_API").expect("an accepted token");
    assert_eq!(String::from_utf8(claims).expect("text").trim(), "['aud', 'exp', 'iat', 'iss', 'sub'] user_\u{e9}\"1");

    let other_secret = SECRET.replace("fixture", "another");
    // The claims of one token under the signature of another.
    let (input, _) = token.rsplit_once('.').expect("three parts");
    let other = token_of("user_2").await;
    let (_, signature) = other.rsplit_once('.').expect("three parts");
    let changed = format!("{input}.{signature}");
    for (token, secret, audience, refusal) in [
        (token.as_str(), other_secret.as_str(), "TEST_API", "InvalidSignatureError"),
        (token.as_str(), SECRET, "ANOTHER_API", "InvalidAudienceError"),
        (changed.as_str(), SECRET, "TEST_API", "InvalidSignatureError"),
    ] {
        let error = verify(token, secret, audience).expect_err(refusal);
        assert!(error.contains(refusal), "{error}");
    }
}

#[tokio::test]
async fn another_library_accepts_what_its_own_keys_have_signed() {
    if !python(&["import cryptography, jwt"]).is_some_and(|output| output.status.success()) {
        println!("skipped: PyJWT or cryptography is not installed (set KEYFIT_PYTHON to an interpreter that has them)");
        return;
    }
    let (mut forms, mut other_public) = (0, String::new());
    for algorithm in [JwtAlgorithm::Rs256, JwtAlgorithm::Es256, JwtAlgorithm::EdDsa] {
        let name = algorithm.as_str();
        let made = python(&[MAKE, name]).expect("it ran a moment ago");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
        let public = made["public"].as_str().expect("a key").to_owned();
        for form in made["forms"].as_array().expect("forms") {
            let key = JwtKey::new(algorithm, MemorySource::new(form.as_str().expect("text"))).id("k1");
            let token = token_by("user_1", key).await;
            let verified =
                |public: &str| python(&[VERIFY_BY_PUBLIC_KEY, &token, public, name]).expect("it ran a moment ago");
            let output = verified(&public);
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            assert!(!verified(&other_public).status.success(), "{name}: by another key");
            forms += 1;
        }
        other_public = public;
    }
    assert_eq!(forms, 8);
}
