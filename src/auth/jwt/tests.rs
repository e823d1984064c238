//! Signed tokens against the RFC's vector, and what a signer refuses.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use serde_json::{Value, json};

use super::*;
use crate::auth::source::MemorySource;
use crate::error::ErrorKind;

const SECRET: &str = "a-secret-of-thirty-two-bytes-0001";

/// A second passes with each reading.
#[derive(Clone, Debug, Default)]
struct Ticking(Arc<AtomicU64>);

impl Clock for Ticking {
    fn now(&self) -> SystemTime {
        let reading = self.0.fetch_add(1, Ordering::SeqCst);
        UNIX_EPOCH + Duration::new(1_700_000_000 + reading, 999_999_999)
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

fn parties() -> JwtParties {
    JwtParties { issuer: "client_1".to_owned(), subject: "user_1".to_owned(), audience: "TEST_API".to_owned() }
}

fn signer(secret: &'static str) -> JwtSigner {
    JwtSigner::new(parties(), MemorySource::new(secret)).expect("a signer").clock(Ticking::default())
}

fn part(token: &AccessToken, index: usize) -> Value {
    let part = token.expose().split('.').nth(index).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

/// RFC 7515, appendix A.1.
#[tokio::test]
async fn the_vector_of_the_rfc_gives_its_signature() {
    let header = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
    let claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let key = URL_SAFE_NO_PAD.decode(key).expect("base64url");
    let signature = key::Signer::of_secret(&key).expect("64 bytes").signature(&format!("{header}.{claims}"));
    assert_eq!(signature.expect("signed"), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

#[tokio::test]
async fn a_token_holds_the_five_claims_and_no_others() {
    let token = signer(SECRET).fetch().await.expect("a token");
    assert_eq!(part(&token, 0), json!({"alg": "HS256", "typ": "JWT"}));
    assert_eq!(
        part(&token, 1),
        json!({"iss": "client_1", "sub": "user_1", "aud": "TEST_API", "iat": 1_699_999_970, "exp": 1_700_003_570})
    );
    assert_eq!(token.expires_at(), Some(UNIX_EPOCH + Duration::from_secs(1_700_003_570)));
}

#[tokio::test]
async fn the_clock_is_read_once() {
    let clock = Ticking::default();
    let signer = signer(SECRET).clock(clock.clone());
    let token = signer.fetch().await.expect("a token");
    assert_eq!(clock.0.load(Ordering::SeqCst), 1);
    let claims = part(&token, 1);
    assert_eq!(claims["exp"].as_u64().zip(claims["iat"].as_u64()).map(|(exp, iat)| exp - iat), Some(3600));
}

#[tokio::test]
async fn a_lifetime_is_of_whole_seconds_up_to_an_hour() {
    for refused in [Duration::ZERO, Duration::from_millis(1500), Duration::from_secs(3601), Duration::MAX] {
        let error = signer(SECRET).lifetime(refused).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Credential, "{refused:?}");
    }
    let short = signer(SECRET).lifetime(Duration::from_secs(1)).expect("a second").fetch().await.expect("a token");
    assert_eq!(part(&short, 1)["exp"], 1_700_000_001, "half of a second back is none");
    assert!(signer(SECRET).lifetime(LONGEST_LIFETIME).is_ok());
}

#[tokio::test]
async fn a_token_is_dated_back_by_as_much_as_was_said_and_by_half_of_its_life_at_most() {
    for (life, leeway, issued) in [(3600, 0, 1_700_000_000), (3600, 60, 1_699_999_940), (20, 60, 1_699_999_990)] {
        let signer = signer(SECRET).lifetime(Duration::from_secs(life)).expect("a life");
        let token = signer.backdated(Duration::from_secs(leeway)).fetch().await.expect("a token");
        assert_eq!(
            (part(&token, 1)["iat"].as_u64(), part(&token, 1)["exp"].as_u64()),
            (Some(issued), Some(issued + life))
        );
    }
}

/// The text of a key as a part of PKCS#8, in PEM.
fn pem(der: &[u8]) -> String {
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
}

/// A fresh key in PEM and as a JWK, and what verifies its signatures.
fn fresh(algorithm: JwtAlgorithm) -> (String, String, UnparsedPublicKey<Vec<u8>>) {
    let jwk = |members: Value| {
        let mut jwk = json!({"alg": algorithm.as_str(), "kid": "of-the-jwk", "use": "sig"});
        jwk.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
        jwk.to_string()
    };
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    if algorithm == JwtAlgorithm::EdDsa {
        let pair = Ed25519KeyPair::generate().expect("a key");
        let public = pair.public_key().as_ref().to_vec();
        let seed = pair.seed().expect("a seed").as_be_bytes().expect("bytes");
        let jwk = jwk(json!({"kty": "OKP", "crv": "Ed25519", "x": text(&public), "d": text(seed.as_ref())}));
        let pem = pem(pair.to_pkcs8().expect("PKCS#8").as_ref());
        return (pem, jwk, UnparsedPublicKey::new(&ED25519, public));
    }
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
    let public = pair.public_key().as_ref().to_vec();
    let private: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().expect("bytes");
    let (x, y) = public[1..].split_at(32);
    let jwk = jwk(json!({"kty": "EC", "crv": "P-256", "x": text(x), "y": text(y), "d": text(private.as_ref())}));
    let pem = pem(pair.to_pkcs8v1().expect("PKCS#8").as_ref());
    (pem, jwk, UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public))
}

async fn token_of(algorithm: JwtAlgorithm, text: String) -> Result<AccessToken, Error> {
    JwtSigner::new(parties(), JwtKey::new(algorithm, MemorySource::new(text))).expect("a signer").fetch().await
}

#[tokio::test]
async fn a_private_key_signs_what_its_public_key_verifies_from_pem_and_from_a_jwk() {
    for algorithm in [JwtAlgorithm::Es256, JwtAlgorithm::EdDsa] {
        let (pem, jwk, public) = fresh(algorithm);
        for (text, id) in [(pem, Value::Null), (jwk, json!("of-the-jwk"))] {
            let token = token_of(algorithm, text).await.expect("a token");
            assert_eq!((&part(&token, 0)["alg"], &part(&token, 0)["kid"]), (&json!(algorithm.as_str()), &id));
            let (input, signature) = token.expose().rsplit_once('.').expect("three parts");
            let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
            public.verify(input.as_bytes(), &signature).expect("verified");
            public.verify(format!("{input}x").as_bytes(), &signature).expect_err("another text");
        }
    }
}

#[tokio::test]
async fn the_id_that_is_named_goes_before_that_of_the_jwk() {
    let (_, jwk, _) = fresh(JwtAlgorithm::EdDsa);
    let key = JwtKey::new(JwtAlgorithm::EdDsa, MemorySource::new(jwk)).id("mine");
    let token = JwtSigner::new(parties(), key).expect("a signer").fetch().await.expect("a token");
    assert_eq!(part(&token, 0)["kid"], "mine");
}

#[tokio::test]
async fn a_key_that_does_not_fit_is_refused_by_its_fault_and_not_shown() {
    let (pem, jwk, _) = fresh(JwtAlgorithm::EdDsa);
    let marked = |text: &str| text.replace('}', r#","note":"do-not-print-me"}"#);
    for (algorithm, text, fault) in [
        (JwtAlgorithm::Rs256, pem.clone(), "is of another kind, or damaged: RS256 needs an RSA private key"),
        (
            JwtAlgorithm::Es256,
            pem.clone(),
            "is of another kind, or damaged: ES256 needs a private key on the curve P-256",
        ),
        (JwtAlgorithm::Es256, marked(&jwk), "is a JWK for another algorithm"),
        (JwtAlgorithm::EdDsa, marked(&jwk).replace("\"d\"", "\"other\""), "is a JWK without `d`"),
        (JwtAlgorithm::EdDsa, marked(&jwk).replace("Ed25519", "X25519"), "is a JWK of another kind"),
        (JwtAlgorithm::EdDsa, "{\"d\": do-not-print-me".to_owned(), "is JSON, and no JWK"),
        (JwtAlgorithm::EdDsa, "do-not-print-me".to_owned(), "is neither PEM nor a JWK"),
        (JwtAlgorithm::EdDsa, pem.replace("PRIVATE", "ENCRYPTED PRIVATE"), "is encrypted"),
        (JwtAlgorithm::EdDsa, pem.replace("PRIVATE", "PUBLIC"), "is a public one"),
        (JwtAlgorithm::EdDsa, pem.replace("-----\nM", "-----\n!"), "is damaged"),
    ] {
        let error = token_of(algorithm, text).await.expect_err(fault);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(fault), "{fault}: {shown}");
        assert!(!shown.contains("do-not-print"), "{shown}");
    }
}

#[tokio::test]
async fn a_short_secret_is_refused_without_being_shown() {
    let error = signer("thirty-one-bytes-are-too-short-").fetch().await.expect_err("31 bytes");
    assert_eq!(error.kind(), ErrorKind::Credential);
    let message = error.to_string();
    assert!(message.contains("31 bytes") && message.contains("32 or more") && !message.contains("thirty"), "{message}");
    assert!(signer("thirty-two-bytes-are-long-enough").fetch().await.is_ok());
}

#[test]
fn a_blank_party_is_refused_and_named() {
    for (claim, parties) in [
        ("issuer", JwtParties { issuer: " ".to_owned(), ..parties() }),
        ("subject", JwtParties { subject: String::new(), ..parties() }),
        ("audience", JwtParties { audience: "\t".to_owned(), ..parties() }),
    ] {
        let error = JwtSigner::new(parties, MemorySource::new(SECRET)).expect_err(claim).to_string();
        assert!(error.contains(claim), "{error}");
    }
}

#[tokio::test]
async fn an_earlier_clock_than_1970_is_refused() {
    #[derive(Debug)]
    struct Before;
    impl Clock for Before {
        fn now(&self) -> SystemTime {
            UNIX_EPOCH - Duration::from_secs(1)
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(async {})
        }
    }
    let error = signer(SECRET).clock(Before).fetch().await.expect_err("no time");
    assert!(error.to_string().contains("clock"), "{error}");
}
