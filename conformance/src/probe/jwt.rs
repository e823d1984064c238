//! JWTs that a client signs with its secret: a valid one, and variants with one flaw each.

use serde_json::{Value, json};

use crate::clock;
use crate::contract::{JwtProbe, JwtRules, Tampering};
use crate::credential::identity::Signer;
use crate::credential::jws::{self, Jws};

/// Returns the JWT that a probe sends.
pub(super) fn jwt(probe: JwtProbe, signer: &Signer, rules: &JwtRules) -> String {
    let key = signer.secret.reveal().as_bytes();
    let header = header(probe);
    let claims = claims(probe, signer, rules);
    match probe {
        JwtProbe::AlgorithmNone => format!("{}.", jws::unsigned(&header, &claims)),
        JwtProbe::BadSignature => {
            let mut other = key.to_vec();
            other.reverse();
            jws::signed(&header, &claims, &other)
        }
        JwtProbe::ChangedClaims => {
            let good = jws::signed(&header, &claims, key);
            let mut changed = claims;
            changed["sub"] = json!("user_somebody-else");
            let signature = good.rsplit('.').next().unwrap_or_default();
            format!("{}.{signature}", jws::unsigned(&header, &changed))
        }
        _ => jws::signed(&header, &claims, key),
    }
}

/// Tampers with a valid JWT. Returns `None` if the text does not have the form of a JWT.
pub(super) fn tampered(how: Tampering, valid: &str) -> Option<String> {
    const KEY: &[u8] = b"keyfit-key-of-somebody-else";
    let jws = Jws::read(valid)?;
    let (input, signature) = valid.rsplit_once('.')?;
    let (mut header, mut claims) = (jws.header.clone(), jws.claims.clone());
    Some(match how {
        Tampering::ChangedClaim => {
            claims["sub"] = json!("keyfit-somebody-else");
            format!("{}.{signature}", jws::unsigned(&header, &claims))
        }
        Tampering::ChangedSignature => {
            let changed: Vec<u8> = jws.signature.iter().map(|byte| byte ^ 1).collect();
            jws::joined(input, &changed)
        }
        Tampering::NoSignature => format!("{input}."),
        Tampering::AlgorithmNone => {
            header["alg"] = json!("none");
            format!("{}.", jws::unsigned(&header, &claims))
        }
        Tampering::OtherKey => {
            header["alg"] = json!("HS256");
            header["jwk"] = jws::jwk(KEY);
            jws::signed(&header, &claims, KEY)
        }
    })
}

fn header(probe: JwtProbe) -> Value {
    match probe {
        JwtProbe::AlgorithmNone => json!({ "alg": "none", "typ": "JWT" }),
        JwtProbe::Rs256WithSecret => json!({ "alg": "RS256", "typ": "JWT" }),
        JwtProbe::AlgorithmInLowerCase => json!({ "alg": "hs256", "typ": "JWT" }),
        JwtProbe::UnknownCritical => json!({ "alg": "HS256", "typ": "JWT", "crit": ["keyfit"], "keyfit": true }),
        _ => json!({ "alg": "HS256", "typ": "JWT" }),
    }
}

fn claims(probe: JwtProbe, signer: &Signer, rules: &JwtRules) -> Value {
    let (now, longest) = (clock::epoch_seconds(), rules.maximum_lifetime_seconds);
    let (issued, lifetime) = match probe {
        JwtProbe::Expired => (now.saturating_sub(2 * longest), longest),
        JwtProbe::IssuedAhead => (now + longest, longest),
        JwtProbe::TooLong => (now, longest + 60),
        _ => (now, longest),
    };
    let mut claims = json!({
        "iss": signer.issuer,
        "sub": signer.subject,
        "aud": rules.audience,
        "iat": issued,
        "exp": issued + lifetime,
    });
    match probe {
        JwtProbe::UnknownIssuer => claims["iss"] = json!("keyfit-no-such-client"),
        JwtProbe::WrongAudience => claims["aud"] = json!("keyfit-no-such-audience"),
        JwtProbe::AudienceList => claims["aud"] = json!(["another", rules.audience]),
        _ => {}
    }
    let missing = match probe {
        JwtProbe::WithoutIss => "iss",
        JwtProbe::WithoutSub => "sub",
        JwtProbe::WithoutAud => "aud",
        JwtProbe::WithoutIat => "iat",
        JwtProbe::WithoutExp => "exp",
        _ => return claims,
    };
    if let Some(members) = claims.as_object_mut() {
        members.remove(missing);
    }
    claims
}
