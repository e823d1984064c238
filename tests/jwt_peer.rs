//! Signed tokens as other libraries read them: PyJWT, run by the interpreter in `KEYFIT_PYTHON` (default `python3`), and jose, which
//! needs node and `npm ci` in `tests/peers/oidc`. Without them the tests say so and pass.

use std::env;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
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

/// Argument: an algorithm. Prints a fresh key in every form that other tools write, and its public key, as JSON.
const MAKE_BY_JOSE: &str = r"
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose';
const { privateKey, publicKey } = await generateKeyPair(process.argv[1], { extractable: true });
const forms = [await exportPKCS8(privateKey), JSON.stringify(await exportJWK(privateKey))];
console.log(JSON.stringify({ forms, public: JSON.stringify(await exportJWK(publicKey)) }));
";

/// Arguments: token, public key or secret as a JWK, algorithm, and what stands in the header.
const VERIFY_BY_JOSE: &str = r"
import { deepStrictEqual } from 'node:assert';
import { importJWK, jwtVerify } from 'jose';
const [token, key, algorithm, header] = process.argv.slice(1);
const verified = await jwtVerify(token, await importJWK(JSON.parse(key), algorithm), {
  algorithms: [algorithm], audience: 'TEST_API', issuer: 'client_1', requiredClaims: ['iss', 'sub', 'aud', 'iat', 'exp'],
});
deepStrictEqual(verified.protectedHeader, JSON.parse(header));
";

/// `None`, with a message, where it cannot run.
fn node(script: &str, arguments: &[&str]) -> Option<Output> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/oidc");
    if !folder.join("node_modules/jose").exists() {
        println!("skipped: run `npm ci` in tests/peers/oidc");
        return None;
    }
    let mut command = Command::new("node");
    command.args(["--input-type=module", "--eval", script, "--"]).args(arguments).current_dir(folder);
    let output = command.output().ok();
    if output.is_none() {
        println!("skipped: there is no node");
    }
    output
}

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

#[tokio::test]
async fn a_second_library_accepts_our_tokens_and_refuses_changed_ones() {
    let mut verified = 0;
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    for algorithm in [JwtAlgorithm::Hs256, JwtAlgorithm::Rs256, JwtAlgorithm::Es256, JwtAlgorithm::EdDsa] {
        let name = algorithm.as_str();
        let (forms, public): (Vec<String>, String) = if algorithm == JwtAlgorithm::Hs256 {
            let jwk = serde_json::json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode(SECRET)});
            (vec![SECRET.to_owned()], jwk.to_string())
        } else {
            let Some(made) = node(MAKE_BY_JOSE, &[name]) else { return };
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
            (made["forms"].as_array().expect("forms").iter().map(text).collect(), text(&made["public"]))
        };
        for form in forms {
            let token = token_by("user_\u{e9}\"1", JwtKey::new(algorithm, MemorySource::new(form)).id("k1")).await;
            let header = format!(r#"{{"alg":"{name}","typ":"JWT","kid":"k1"}}"#);
            let verify = |token: &str| node(VERIFY_BY_JOSE, &[token, &public, name, &header]);
            let Some(output) = verify(&token) else { return };
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            // One character of the claims is another one.
            let (head, rest) = token.split_once('.').expect("three parts");
            let changed = format!("{head}.{}{}", if rest.starts_with('e') { "f" } else { "e" }, &rest[1..]);
            assert!(!verify(&changed).expect("it ran a moment ago").status.success(), "{name}: a changed token");
            verified += 1;
        }
    }
    assert_eq!(verified, 7);
}
