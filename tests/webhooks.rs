//! Deliveries as senders sign them, by codes that they and the RFCs publish, and what is not believed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keyfit::http_client::http::{HeaderMap, HeaderValue};
use keyfit::webhook::{
    SecretEncoding, SetupError, SignatureAlgorithm, SignatureEncoding, SignatureScheme, Signed, Signer, Verifier,
    VerifyError,
};

/// The secret, id, time and body of the Standard Webhooks libraries' own tests.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"; // not-a-secret
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const SECONDS: u64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))).collect()
}

/// A delivery in the form of the specification.
fn standard(id: &str, seconds: u64, signature: &str) -> HeaderMap {
    let seconds = seconds.to_string();
    headers(&[("webhook-id", id), ("webhook-timestamp", &seconds), ("webhook-signature", signature)])
}

fn verifier() -> Verifier {
    Verifier::standard(SECRET).expect("a secret")
}

#[test]
fn the_published_delivery_of_the_standard_webhooks_specification_is_believed() {
    let delivery = verifier().verify_at(&standard(ID, SECONDS, SIGNED), BODY, at(SECONDS + 7)).expect("it is signed");
    assert_eq!((delivery.id.as_deref(), delivery.signed_at, delivery.secret), (Some(ID), Some(at(SECONDS)), 0));
    // The secret without its prefix, as some senders show it.
    let bare = Verifier::new(SignatureScheme::standard(), SECRET.trim_start_matches("whsec_")).expect("a secret");
    assert!(bare.verify_at(&standard(ID, SECONDS, SIGNED), BODY, at(SECONDS)).is_ok());
}

#[test]
fn one_right_signature_among_others_is_enough_in_one_header_and_in_several() {
    let others = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
    let one = standard(ID, SECONDS, &format!("{others} v2,{others} v1a,AAAA {SIGNED} {others}"));
    assert!(verifier().verify_at(&one, BODY, at(SECONDS)).is_ok());
    let mut two = standard(ID, SECONDS, others);
    two.append("webhook-signature", SIGNED.parse().expect("a value"));
    assert!(verifier().verify_at(&two, BODY, at(SECONDS)).is_ok());
    let many = standard(ID, SECONDS, &format!("{} {SIGNED}", vec![others; 32].join(" ")));
    let error = verifier().verify_at(&many, BODY, at(SECONDS)).expect_err("only so many are looked at");
    assert!(matches!(error, VerifyError::Mismatch { .. }), "{error}");
}

#[test]
fn while_secrets_are_exchanged_both_are_good_and_the_one_that_signed_is_told() {
    let new = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"; // not-a-secret
    let both = Verifier::standard(new).and_then(|one| one.and_secret(SECRET)).expect("two secrets");
    let delivery = both.verify_at(&standard(ID, SECONDS, SIGNED), BODY, at(SECONDS)).expect("by the old one");
    assert_eq!(delivery.secret, 1);
    let signed = Signer::standard(new).and_then(|signer| signer.sign(ID, at(SECONDS), BODY)).expect("headers");
    assert_eq!(both.verify_at(&signed, BODY, at(SECONDS)).map(|delivery| delivery.secret), Ok(0));
    assert!(verifier().verify_at(&signed, BODY, at(SECONDS)).is_err());
}

#[test]
fn id_time_and_body_are_signed_and_nothing_of_them_can_be_changed() {
    let good = standard(ID, SECONDS, SIGNED);
    let mismatch = VerifyError::Mismatch { header: "webhook-signature".to_owned() };
    for (headers, body) in [
        (&standard("msg_2", SECONDS, SIGNED), BODY),
        (&standard(ID, SECONDS + 1, SIGNED), BODY),
        (&good, br#"{"test":2432232314}"#.as_slice()),
        (&good, b""),
    ] {
        assert_eq!(verifier().verify_at(headers, body, at(SECONDS)), Err(mismatch.clone()));
    }
}

#[test]
fn an_id_that_would_move_the_end_of_a_signed_part_is_refused() {
    // What is signed for `a`, 100 and `5.x` reads as `a.100`, 5 and `x` as well.
    let signer = Signer::standard(SECRET).expect("a secret");
    let sent = signer.sign("a", at(100), b"5.x").expect("headers");
    let moved = standard("a.100", 5, sent["webhook-signature"].to_str().expect("a text"));
    let error = verifier().verify_at(&moved, b"x", at(5)).expect_err("it is another delivery");
    assert_eq!(error.to_string(), "the id in `webhook-id` holds `.`, which stands between the signed parts");
    assert!(matches!(signer.sign("a.100", at(5), b"x"), Err(SetupError::Id { .. })));
}

#[test]
fn a_delivery_is_believed_for_the_tolerance_and_no_longer() {
    let good = standard(ID, SECONDS, SIGNED);
    for (arrived, error) in [
        (SECONDS, None),
        (SECONDS + 300, None),
        (SECONDS - 300, None),
        (SECONDS + 301, Some(VerifyError::TooOld { seconds: 301, tolerance: 300 })),
        (SECONDS - 301, Some(VerifyError::TooNew { seconds: 301, tolerance: 300 })),
    ] {
        assert_eq!(verifier().verify_at(&good, BODY, at(arrived)).err(), error, "{arrived}");
    }
    // Long ago by this machine's clock.
    assert!(matches!(verifier().verify(&good, BODY), Err(VerifyError::TooOld { .. })));
    let patient = Verifier::new(SignatureScheme::standard().tolerance(Duration::from_secs(3600)), SECRET);
    assert!(patient.expect("a secret").verify_at(&good, BODY, at(SECONDS + 3600)).is_ok());
    assert_eq!(verifier().verify_signature(&good, BODY), Ok(0), "the signature alone has no time");
}

#[test]
fn what_is_missing_or_malformed_is_named() {
    let good = standard(ID, SECONDS, SIGNED);
    let without = |name: &str| {
        let mut headers = good.clone();
        headers.remove(name);
        headers
    };
    let with = |name: &'static str, value: &[u8]| {
        let mut headers = good.clone();
        headers.insert(name, HeaderValue::from_bytes(value).expect("a value"));
        headers
    };
    for (headers, message) in [
        (without("webhook-signature"), "the header `webhook-signature` is missing"),
        (without("webhook-id"), "the header `webhook-id` is missing"),
        (without("webhook-timestamp"), "the header `webhook-timestamp` is missing"),
        (with("webhook-id", b"\xe9"), "the header `webhook-id` is not text"),
        (with("webhook-signature", b""), "no part of `webhook-signature` begins with `v1,`"),
        (with("webhook-signature", b"v1a,AAAA"), "no part of `webhook-signature` begins with `v1,`"),
        (with("webhook-signature", b"v1,***"), "the signature in `webhook-signature` is not Base64"),
        (with("webhook-signature", b"v1,"), "the signature in `webhook-signature` is not the one of what came"),
    ] {
        let error = verifier().verify_at(&headers, BODY, at(SECONDS)).expect_err(message);
        assert_eq!(error.to_string(), message);
    }
    let signed = Signer::standard(SECRET).expect("a secret");
    assert!(signed.sign("a\nb", at(SECONDS), BODY).is_err());
}

#[test]
fn the_asymmetric_scheme_is_verified_by_the_public_key_alone() {
    let signer = Signer::standard("whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=").expect("a key"); // not-a-secret
    let public = signer.public_key().expect("a public key");
    assert!(public.starts_with("whpk_"), "{public}");
    let sent = signer.sign(ID, at(SECONDS), BODY).expect("headers");
    // What the specification's library for Go expects of this key.
    let expected = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==";
    assert_eq!(sent["webhook-signature"], expected);
    let verifier = Verifier::standard(public).expect("a key");
    assert!(verifier.verify_at(&sent, BODY, at(SECONDS)).is_ok());
    assert!(verifier.verify_at(&sent, b"{}", at(SECONDS)).is_err());
    assert!(verifier.verify_at(&standard(ID, SECONDS, SIGNED), BODY, at(SECONDS)).is_err(), "another scheme");
}

#[test]
fn a_signature_of_ed25519_in_hexadecimal_is_that_of_rfc_8032() {
    // Section 7.1, test 2: the message is one byte.
    let public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    let scheme = SignatureScheme::new("X-Signature-Ed25519", SignatureAlgorithm::Ed25519, SignatureEncoding::Hex)
        .secret(SecretEncoding::Hex, "");
    let verifier = Verifier::new(scheme.clone(), public).expect("a key");
    let came = headers(&[("x-signature-ed25519", signature)]);
    assert!(verifier.verify(&came, [0x72]).is_ok());
    assert!(verifier.verify(&came, [0x73]).is_err());
    assert_eq!(
        Verifier::new(scheme, "3d40").expect_err("too short").to_string(),
        "the public key of Ed25519 has 32 bytes, and this one has 2"
    );
}

#[test]
fn schemes_that_vendors_publish_are_expressed_and_their_own_examples_believed() {
    // GitHub: the example of its page on validating deliveries.
    let github = SignatureScheme::hmac_sha256("X-Hub-Signature-256").prefix("sha256=");
    let verifier = Verifier::new(github, "It's a Secret to Everybody").expect("a secret"); // not-a-secret
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert!(verifier.verify(&headers(&[("x-hub-signature-256", signature)]), "Hello, World!").is_ok());

    // Slack: the example of its page on verifying requests.
    let slack = SignatureScheme::hmac_sha256("X-Slack-Signature")
        .prefix("v0=")
        .signs(Signed::TimestampBody)
        .signed_prefix("v0:")
        .separator(":")
        .timestamp_header("X-Slack-Request-Timestamp");
    let verifier = Verifier::new(slack, "8f742231b10e8888abcd99yyyzzz85a5").expect("a secret"); // not-a-secret
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let came = headers(&[
        ("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
        ("x-slack-request-timestamp", "1531420618"),
    ]);
    assert!(verifier.verify_at(&came, body, at(1_531_420_618)).is_ok());
}

#[test]
fn a_time_may_stand_among_the_signatures() {
    let scheme = SignatureScheme::hmac_sha256("Stripe-Signature")
        .prefix("v1=")
        .signs(Signed::TimestampBody)
        .timestamp_header("Stripe-Signature")
        .timestamp_prefix("t=");
    let signer = Signer::new(scheme.clone(), "fixture-secret-0001").expect("a secret"); // not-a-secret
    let mut came = signer.sign("", at(1000), BODY).expect("headers");
    let verifier = Verifier::new(scheme, "fixture-secret-0001").expect("a secret"); // not-a-secret
    let written = came["stripe-signature"].to_str().expect("a text").to_owned();
    came.insert("stripe-signature", written.replace("t=1000,", "t=1000,v1=00,").parse().expect("a value"));
    assert_eq!(verifier.verify_at(&came, BODY, at(1299)).map(|delivery| delivery.signed_at), Ok(Some(at(1000))));
    came.insert("stripe-signature", written.replace("t=1000,", "t=1001,").parse().expect("a value"));
    assert!(matches!(verifier.verify_at(&came, BODY, at(1000)), Err(VerifyError::Mismatch { .. })));
    came.insert("stripe-signature", written.replace("t=1000,", "").parse().expect("a value"));
    let error = verifier.verify_at(&came, BODY, at(1000)).expect_err("no time");
    assert_eq!(error.to_string(), "no part of `Stripe-Signature` begins with `t=`");
}

#[test]
fn the_published_codes_are_recognised_in_each_encoding() {
    // RFC 2202, section 3, and RFC 4231, section 4.3: the key is four letters long.
    let body = b"what do ya want for nothing?";
    for (algorithm, hex) in [
        (SignatureAlgorithm::HmacSha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (SignatureAlgorithm::HmacSha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            SignatureAlgorithm::HmacSha512,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ),
    ] {
        let verifier = |encoding, key: &str| {
            Verifier::new(SignatureScheme::new("x-sig", algorithm, encoding).prefix("v="), key).expect("a key")
        };
        let signer = |encoding| {
            let signer = Signer::new(SignatureScheme::new("x-sig", algorithm, encoding).prefix("v="), "Jefe");
            signer.and_then(|signer| signer.sign("", at(0), body)).expect("headers")
        };
        assert_eq!(signer(SignatureEncoding::Hex)["x-sig"], format!("v={hex}"));
        let base64 = signer(SignatureEncoding::Base64);
        for (encoding, came) in [
            (SignatureEncoding::Hex, headers(&[("x-sig", &format!("v={hex}"))])),
            (SignatureEncoding::Hex, headers(&[("x-sig", &format!("v={}", hex.to_uppercase()))])),
            (SignatureEncoding::Base64, base64),
        ] {
            assert!(verifier(encoding, "Jefe").verify(&came, body).is_ok(), "{algorithm:?} {encoding:?}");
            assert!(verifier(encoding, "Jefa").verify(&came, body).is_err(), "{algorithm:?} {encoding:?}");
            assert!(verifier(encoding, "Jefe").verify(&came, b"another").is_err(), "{algorithm:?} {encoding:?}");
        }
    }
}

#[test]
fn what_cannot_be_a_verifier_is_refused_in_words_and_no_secret_is_shown() {
    let of = |scheme: SignatureScheme, secret: &str| Verifier::new(scheme, secret).expect_err("not a verifier");
    for (error, message) in [
        (of(SignatureScheme::hmac_sha256("X Sig"), "k"), "`X Sig` is not the name of a header"),
        (of(SignatureScheme::hmac_sha256("X-Sig"), ""), "the secret is empty"),
        (of(SignatureScheme::standard(), "whsec_"), "the secret is empty"),
        (of(SignatureScheme::standard(), "whsec_hunter2!"), "the secret is not Base64"), // not-a-secret
        (
            of(SignatureScheme::hmac_sha256("X-Sig").signs(Signed::TimestampBody), "k"),
            "a signature of the time needs `timestamp-header`",
        ),
        (
            of(SignatureScheme::hmac_sha256("X").signs(Signed::IdTimestampBody).timestamp_header("T"), "k"),
            "a signature of the id needs `id-header`",
        ),
        (
            of(SignatureScheme::new("X", SignatureAlgorithm::Ed25519, SignatureEncoding::Hex), "k"),
            "a public key needs `secret-encoding`",
        ),
    ] {
        assert_eq!(error.to_string(), message);
    }
    let verifier = Verifier::new(SignatureScheme::hmac_sha256("X-Sig"), "hunter2-secret").expect("a secret"); // not-a-secret
    let signer = Signer::new(SignatureScheme::hmac_sha256("X-Sig"), "hunter2-secret").expect("a secret"); // not-a-secret
    let error = verifier.verify(&headers(&[("x-sig", "00")]), BODY).expect_err("not signed");
    let right = signer.sign("", at(0), BODY).expect("headers");
    let right = right["x-sig"].to_str().expect("a text");
    for shown in [format!("{verifier:?}"), format!("{signer:?}"), format!("{error} {error:?}")] {
        assert!(!shown.contains("hunter2") && !shown.contains(right), "{shown}");
    }
}
