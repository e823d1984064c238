//! Signed tokens against the RFC's vector, and what a signer refuses.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use serde_json::{Value, json};

use super::*;
use crate::error::ErrorKind;

const SECRET: &str = "a-secret-of-thirty-two-bytes-0001";

#[derive(Debug)]
struct Fixed(&'static str);

impl SecretSource for Fixed {
    fn read(&self) -> BoxFuture<'_, Result<SecretString, Error>> {
        Box::pin(async { Ok(self.0.into()) })
    }
}

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
    JwtSigner::new(parties(), Fixed(secret)).expect("a signer").clock(Ticking::default())
}

fn part(token: &AccessToken, index: usize) -> Value {
    let part = token.expose().split('.').nth(index).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

/// RFC 7515, appendix A.1.
#[test]
fn the_vector_of_the_rfc_gives_its_signature() {
    let header = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
    let claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let key = URL_SAFE_NO_PAD.decode(key).expect("base64url");
    assert_eq!(signature(&key, &format!("{header}.{claims}")), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

#[tokio::test]
async fn a_token_holds_the_five_claims_and_no_others() {
    let token = signer(SECRET).fetch().await.expect("a token");
    assert_eq!(part(&token, 0), json!({"alg": "HS256", "typ": "JWT"}));
    assert_eq!(
        part(&token, 1),
        json!({"iss": "client_1", "sub": "user_1", "aud": "TEST_API", "iat": 1_700_000_000, "exp": 1_700_003_600})
    );
    assert_eq!(token.expires_at(), Some(UNIX_EPOCH + Duration::from_secs(1_700_003_600)));
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
    assert_eq!(part(&short, 1)["exp"], 1_700_000_001);
    assert!(signer(SECRET).lifetime(LONGEST_LIFETIME).is_ok());
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
        let error = JwtSigner::new(parties, Fixed(SECRET)).expect_err(claim).to_string();
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
