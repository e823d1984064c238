//! JWTs that clients sign with their secrets (RFC 7519, RFC 8725). All flaws of a JWT lead to the same refusal.

use serde_json::Value;

use super::super::core::Core;
use super::super::mutant::Mutant;
use super::super::registered_client::RegisteredClient;
use super::super::token::{Grant, Token};
use crate::clock;
use crate::contract::{AuthorizationServer, JwtRules};
use crate::credential::jws::Jws;

/// The tolerance for the difference between clocks, in seconds.
const LEEWAY: u64 = 5;
/// The required claims, each with the defect that does not require it.
const CLAIMS: [(&str, Mutant); 5] = [
    ("iss", Mutant::WaivesIss),
    ("sub", Mutant::WaivesSub),
    ("aud", Mutant::WaivesAud),
    ("iat", Mutant::WaivesIat),
    ("exp", Mutant::WaivesExp),
];

impl Core {
    /// Parses a bearer token as a JWT. Returns its token or its flaw; `None` if it does not have the form of a JWT.
    pub(in super::super) fn jwt(&self, text: &str) -> Option<Result<Token, &'static str>> {
        let server = self.contract.authorization_server.as_ref()?;
        let rules = server.jwt.as_ref()?;
        let jws = Jws::read(text)?;
        let judged = self.authentic(&jws).and_then(|()| self.claims(&jws.claims, rules));
        Some(judged.map(|()| bearer(rules, server)))
    }

    /// Verifies header and signature. Of the claims, only the issuer is read before that.
    fn authentic(&self, jws: &Jws<'_>) -> Result<(), &'static str> {
        if self.has(Mutant::RefusesJwts) {
            return Err("no JWT is taken");
        }
        let algorithm = jws.header["alg"].as_str().unwrap_or_default();
        if algorithm == "none" && self.has(Mutant::AcceptsAlgorithmNone) {
            return Ok(());
        }
        let is_known = algorithm == "HS256" || (algorithm == "hs256" && self.has(Mutant::IgnoresAlgorithmCase));
        if !is_known && !self.has(Mutant::AcceptsAnyAlgorithm) {
            return Err("the algorithm is not HS256");
        }
        // The mock knows no extensions, so any critical one is refused (RFC 7515, section 4.1.11).
        if jws.header.get("crit").is_some() && !self.has(Mutant::IgnoresCritical) {
            return Err("an extension is not known");
        }
        let Some(issuer) = jws.claims["iss"].as_str() else {
            return if self.has(Mutant::WaivesIss) { Ok(()) } else { Err("`iss` is missing") };
        };
        let Some(key) = RegisteredClient::by_id(issuer).and_then(|client| client.secret) else {
            return if self.has(Mutant::AcceptsUnknownIssuer) { Ok(()) } else { Err("the issuer is not known") };
        };
        if jws.is_signed_by(key.as_bytes()) {
            if self.has(Mutant::TrustsSeenSignatures) {
                self.state().grants.add_signature(&jws.signature);
            }
            return Ok(());
        }
        let is_trusted = self.has(Mutant::TrustsSeenSignatures) && self.state().grants.has_seen(&jws.signature);
        if is_trusted || self.has(Mutant::IgnoresSignature) {
            return Ok(());
        }
        Err("the signature is wrong")
    }

    fn claims(&self, claims: &Value, rules: &JwtRules) -> Result<(), &'static str> {
        if CLAIMS.iter().any(|(name, waiver)| claims.get(name).is_none() && !self.has(*waiver)) {
            return Err("a claim is missing");
        }
        let is_list_taken = !self.has(Mutant::RefusesAudienceLists);
        let names_us = match claims.get("aud") {
            Some(Value::String(audience)) => *audience == rules.audience,
            Some(Value::Array(audiences)) if is_list_taken => audiences.iter().any(|one| *one == rules.audience),
            Some(_) => false,
            None => true,
        };
        if !names_us && !self.has(Mutant::IgnoresAudience) {
            return Err("the audience is another one");
        }
        let now = clock::epoch_seconds();
        let number = |name: &str, absent: u64| match claims.get(name) {
            Some(value) => value.as_u64().ok_or("a time is not a whole number"),
            None => Ok(absent),
        };
        let (issued, expires) = (number("iat", now)?, number("exp", now + LEEWAY)?);
        if expires + LEEWAY <= now && !self.has(Mutant::AcceptsExpiredJwts) {
            return Err("it has expired");
        }
        if issued > now + LEEWAY && !self.has(Mutant::AcceptsJwtsOfTomorrow) {
            return Err("it was issued in the future");
        }
        let lifetime = expires.saturating_sub(issued);
        if lifetime > rules.maximum_lifetime_seconds && !self.has(Mutant::IgnoresLifetime) {
            return Err("it is good for too long");
        }
        Ok(())
    }
}

/// Returns the rights of a JWT: those for which the client was registered, since the guide has no claim for them.
fn bearer(rules: &JwtRules, server: &AuthorizationServer) -> Token {
    Token::new(&rules.kind, Grant::Flat(server.scopes.clone()))
}
