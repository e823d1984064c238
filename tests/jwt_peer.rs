//! Signed tokens as another library reads them: PyJWT, run by the interpreter in `KEYFIT_PYTHON` (default `python3`).
//! Without PyJWT the test says so and passes.

use std::env;
use std::process::{Command, Output};

use futures_core::future::BoxFuture;
use keyfit::Error;
use keyfit::auth::{JwtParties, JwtSigner, SecretSource, TokenSource as _};
use secrecy::SecretString;

const SECRET: &str = "fixture-secret-of-more-than-32-bytes";

/// Arguments: token, secret, audience. Prints the claims, sorted.
const VERIFY: &str = r#"
import json, jwt, sys
token, secret, audience = sys.argv[1:]
claims = jwt.decode(token, secret, algorithms=["HS256"], audience=audience, issuer="client_1",
                    options={"require": ["iss", "sub", "aud", "iat", "exp"]})
assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
assert all(type(claims[name]) is int for name in ("iat", "exp"))
assert claims["exp"] - claims["iat"] == 3600
print(sorted(claims), claims["sub"])
"#;

#[derive(Debug)]
struct Fixture;

impl SecretSource for Fixture {
    fn read(&self) -> BoxFuture<'_, Result<SecretString, Error>> {
        Box::pin(async { Ok(SECRET.into()) })
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's own command line")]
fn python(arguments: &[&str]) -> Option<Output> {
    let interpreter = env::var("KEYFIT_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    Command::new(interpreter).arg("-c").args(arguments).output().ok()
}

async fn token_of(subject: &str) -> String {
    let parties =
        JwtParties { issuer: "client_1".to_owned(), subject: subject.to_owned(), audience: "TEST_API".to_owned() };
    let token = JwtSigner::new(parties, Fixture).expect("a signer").fetch().await.expect("a token");
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
