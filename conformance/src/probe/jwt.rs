//! JWTs as a client signs them with its secret: a good one, bent in one place.

use serde_json::{Value, json};

use crate::clock;
use crate::contract::{JwtProbe, JwtRules};
use crate::identity::Signer;
use crate::jws;

/// The JWT that a probe sends.
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
