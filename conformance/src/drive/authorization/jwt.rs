//! JWTs that the client signs, as they arrive at the API.

use std::collections::BTreeSet;
use std::time::Duration;

use super::authorization_case::{AuthorizationCase, failure_message};
use super::{GrantFlow, Registration, TestClock};
use crate::contract::JwtRules;
use crate::credential::jws::Jws;
use crate::credential::secret::Secret;

const SUBJECT: &str = "user_keyfit";
/// The highest age of `iat`, in seconds.
const LEEWAY: u64 = 60;
const CLAIMS: [&str; 5] = ["aud", "exp", "iat", "iss", "sub"];
/// One byte less than HS256 requires (RFC 7518, section 3.2).
const SHORT_SECRET: &str = "fixture-secret-of-31-bytes-only"; // not-a-secret

impl AuthorizationCase<'_> {
    /// Checks the claims. The clock advances at each read, so that a second read is detected.
    pub(super) async fn jwt_claims(&self) -> Result<(), String> {
        let registration = Registration {
            clock: TestClock::default().ticking(Duration::from_secs(1)),
            ..self.registration(self.signing())
        };
        let holder = self.holder(&registration)?;
        let before = registration.clock.seconds();
        holder.call().await.map_err(|refusal| failure_message("a call", &refusal))?;
        let (rules, token) = (self.rules()?, self.presented_tokens().pop().unwrap_or_default());
        let jws = Jws::read(&token).ok_or("what is sent is no JWT")?;
        if jws.header["alg"] != "HS256" {
            return Err(format!("the algorithm is {}, not HS256", jws.header["alg"]));
        }
        let names: BTreeSet<&str> =
            jws.claims.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        if names != BTreeSet::from(CLAIMS) {
            return Err(format!("the claims are {names:?}, not {CLAIMS:?}"));
        }
        for (name, expected) in [("iss", &registration.id), ("sub", &SUBJECT.to_owned()), ("aud", &rules.audience)] {
            if jws.claims[name] != **expected {
                return Err(format!("`{name}` is {}, not `{expected}`", jws.claims[name]));
            }
        }
        let time = |name: &str| {
            let value = &jws.claims[name];
            value.as_u64().ok_or_else(|| format!("`{name}` is {value}, which is no whole number"))
        };
        let (issued, expires) = (time("iat")?, time("exp")?);
        // Clients may backdate for servers with slow clocks, but must not postdate.
        if !(before.saturating_sub(LEEWAY)..=registration.clock.seconds()).contains(&issued) {
            return Err(format!("`iat` is neither now nor up to {LEEWAY} s ago"));
        }
        let lifetime = expires.saturating_sub(issued);
        if lifetime != rules.maximum_lifetime_seconds {
            return Err(format!("the JWT is good for {lifetime} s, not for {} s", rules.maximum_lifetime_seconds));
        }
        let secret = registration.secret.as_ref().map_or("", |secret| secret.reveal());
        if jws.is_signed_by(secret.as_bytes()) { Ok(()) } else { Err("the signature is wrong".to_owned()) }
    }

    pub(super) async fn jwt_cached(&self) -> Result<(), String> {
        let registration = self.registration(self.signing());
        let holder = self.holder(&registration)?;
        let lifetime = self.rules()?.maximum_lifetime_seconds;
        holder.call().await.map_err(|refusal| failure_message("a call", &refusal))?;
        let first = self.presented_tokens().pop().unwrap_or_default();
        // A JWT that was signed a minute later would have another text.
        registration.pass(60);
        self.call_with(&*holder, &first).await?;
        registration.pass(lifetime.saturating_sub(90));
        let second = self.call_until_other_than(&*holder, &first).await?;
        let good_until = Jws::read(&second).and_then(|jws| jws.claims["exp"].as_u64()).unwrap_or_default();
        if good_until <= registration.clock.seconds() + 30 {
            return Err("the second JWT is no fresher than the first".to_owned());
        }
        self.call_with(&*holder, &second).await
    }

    pub(super) async fn jwt_secret(&self) -> Result<(), String> {
        self.add_secret(SHORT_SECRET);
        let secret = Some(Secret::new(SHORT_SECRET));
        let registration = Registration { secret, ..self.registration(self.signing()) };
        let holder = self.holder(&registration)?;
        let Err(refusal) = holder.call().await else {
            return Err("a JWT is signed with a secret of 31 bytes".to_owned());
        };
        if !self.presented_tokens().is_empty() {
            return Err("the API is called".to_owned());
        }
        self.check_no_secrets(&refusal.texts)
    }

    /// Returns the flow of a client that signs its tokens.
    pub(super) fn signing(&self) -> GrantFlow {
        let audience = self.rules().map(|rules| rules.audience.clone()).unwrap_or_default();
        GrantFlow::Jwt { subject: SUBJECT.to_owned(), audience }
    }

    fn rules(&self) -> Result<&JwtRules, String> {
        self.server.jwt.as_ref().ok_or_else(|| "the contract says nothing of JWTs".to_owned())
    }
}
