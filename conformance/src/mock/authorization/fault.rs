//! Refusals of the two endpoints (RFC 6749, sections 4.1.2.1 and 5.2).

use serde_json::json;

use super::super::call::Answer;
use super::super::core::Core;
use super::super::mutant::Mutant;

/// The reason why no token is granted.
#[derive(Clone, Copy, Debug)]
pub(super) struct OAuthError {
    pub(super) code: &'static str,
    pub(super) description: &'static str,
}

impl OAuthError {
    pub(super) const fn new(code: &'static str, description: &'static str) -> Self {
        Self { code, description }
    }

    /// Returns the error for an invalid code or refresh token. It is the same for all reasons.
    pub(super) const fn grant() -> Self {
        Self::new("invalid_grant", "The grant is not valid")
    }

    pub(super) const fn request(description: &'static str) -> Self {
        Self::new("invalid_request", description)
    }
}

impl Core {
    /// Returns the refusal as an answer of the token endpoint. `by_basic` is true if the client authenticated with HTTP Basic.
    pub(super) fn fault(&self, fault: OAuthError, by_basic: bool) -> Answer {
        let is_unauthorized = fault.code == "invalid_client" && by_basic;
        let is_renamed = fault.code == "invalid_grant" && self.has(Mutant::NamesFaultsFreely);
        let code = if is_renamed { "failure" } else { fault.code };
        let body = json!({ "error": code, "error_description": fault.description });
        let mut answer = Answer::json(if is_unauthorized { 401 } else { 400 }, body.to_string());
        if is_unauthorized && !self.has(Mutant::OmitsBasicChallenge) {
            answer.header("www-authenticate", format!("Basic realm=\"{}\"", self.contract.name));
        }
        self.forbid_caching(&mut answer, Mutant::LetsRefusalsBeCached);
        answer
    }

    /// Forbids caches to store tokens and errors, unless the mock has this defect.
    pub(super) fn forbid_caching(&self, answer: &mut Answer, defect: Mutant) {
        if !self.has(defect) {
            answer.header("cache-control", "no-store");
            answer.header("pragma", "no-cache");
        }
    }
}
