//! Who is calling, and may they: the token, the kind, the scopes, the tenant, the funds. In this order.

use std::collections::{BTreeMap, BTreeSet};

use hyper::header::WWW_AUTHENTICATE;
use keyfit_openapi::Operation;

use super::call::{Call, Refusal};
use super::core::Core;
use super::mutant::Mutant;
use super::token::{Grant, Token};
use super::validate::TRACE;
use crate::clock;
use crate::contract::{Carrier, Challenge, Credential, Probe};
use crate::identity::{Need, Rights, State as TokenState};

/// How a token was presented.
enum Presented<'a> {
    Nothing,
    Token(&'a str),
    /// Not as it should be: which probe sends that, and what is wrong.
    Malformed(Probe, &'static str),
}

impl Core {
    /// The token of a request.
    pub(super) fn admit(&self, call: &Call, operation: &Operation) -> Result<Token, Refusal> {
        let text = match self.presented(call, operation) {
            Presented::Token(text) => text,
            Presented::Nothing if self.has(Mutant::AcceptsNoToken) => return self.anybody(operation),
            Presented::Nothing if call.method == "HEAD" && self.has(Mutant::AcceptsHeadWithoutToken) => {
                return self.anybody(operation);
            }
            Presented::Nothing => return Err(self.unauthorized(operation, &Probe::NoToken, "Unauthorized")),
            Presented::Malformed(probe, problem) => return Err(self.unauthorized(operation, &probe, problem)),
        };
        if text.is_empty() && self.has(Mutant::AcceptsEmptyToken) {
            return self.anybody(operation);
        }
        // Not within the match: its arms take the lock again.
        let known = self.state().token(text);
        let known = match known.is_none().then(|| self.jwt(text)).flatten() {
            Some(Ok(token)) => Some(token),
            Some(Err(problem)) => {
                let refusal = self.unauthorized(operation, &Probe::UnknownToken, "Unauthorized");
                return Err(if self.has(Mutant::ExplainsJwts) { refusal.saying(problem) } else { refusal });
            }
            None => known,
        };
        let token = match known {
            Some(token) => token,
            None if self.has(Mutant::AcceptsUnknownToken) && !text.is_empty() => return self.anybody(operation),
            None => {
                let refusal = self.unauthorized(operation, &Probe::UnknownToken, "Unauthorized");
                return Err(if self.has(Mutant::EchoesToken) { refusal.saying(text) } else { refusal });
            }
        };
        let is_revoked = token.state == TokenState::Revoked && !self.has(Mutant::AcceptsRevokedToken);
        let is_expired = token.state == TokenState::Expired && !self.has(Mutant::AcceptsExpiredToken);
        let is_of_test = token.state == TokenState::Test && self.refuses_tests(operation);
        let is_over = token.expires.is_some_and(|expires| expires <= clock::epoch_seconds());
        let is_over = is_over && !(token.shown.is_some() && self.has(Mutant::IgnoresEnds));
        let is_minted = token.shown.is_some() && self.has(Mutant::RefusesMintedKeys);
        let is_refused = is_revoked || is_expired || is_of_test || is_over || is_minted;
        if is_refused || self.has(Mutant::RefusesEveryone) {
            return Err(self.unauthorized(operation, &Probe::RevokedToken, "Unauthorized"));
        }
        Ok(token)
    }

    /// Whether the test environment has a place of its own, so that its tokens are refused here.
    pub(super) fn refuses_tests(&self, operation: &Operation) -> bool {
        let rule = self.contract.ruling(&Probe::TestToken, operation);
        let is_refused = rule.is_some_and(|rule| rule.expect.as_ref().is_some_and(|expect| !expect.success));
        is_refused != self.has(Mutant::TurnsTestTokens)
    }

    /// Whether a token may call an operation with these path parameters.
    pub(super) fn authorise(
        &self,
        token: &Token,
        operation: &Operation,
        path: &BTreeMap<String, String>,
    ) -> Result<(), Refusal> {
        self.kind(token, operation)?;
        let Some(credential) = self.contract.credential(&token.kind) else { return Ok(()) };
        self.scopes(token, credential, operation)?;
        self.tenant(token, credential, operation, path)?;
        let is_broke = operation.spends && token.state == TokenState::Broke && !self.has(Mutant::IgnoresFunds);
        if is_broke {
            return Err(Refusal::new(self.status(&Probe::NoFunds, operation, 402), "Insufficient funds"));
        }
        Ok(())
    }

    fn presented<'a>(&self, call: &'a Call, operation: &Operation) -> Presented<'a> {
        if let Some(key) = self.in_named_header(call, operation) {
            return Presented::Token(key);
        }
        let Some(header) = call.headers.get("authorization") else {
            return self.in_query(call, operation).map_or(Presented::Nothing, Presented::Token);
        };
        let Ok(header) = header.to_str() else {
            return Presented::Malformed(Probe::MalformedToken, "The token is malformed");
        };
        let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
        let is_bearer = if self.has(Mutant::RefusesLowerCaseScheme) {
            scheme == "Bearer"
        } else {
            scheme.eq_ignore_ascii_case("Bearer")
        };
        let token = rest.trim();
        if !is_bearer && token.is_empty() {
            // One word alone: the token itself, if anything.
            let accepted = self.has(Mutant::AcceptsBareToken);
            let missing = Presented::Malformed(Probe::BareToken, "The scheme is missing");
            return if accepted { Presented::Token(scheme) } else { missing };
        }
        if !is_bearer && !self.has(Mutant::AcceptsAnyScheme) {
            return Presented::Malformed(Probe::WrongScheme, "The scheme is not Bearer");
        }
        match token.split_once(' ') {
            None => Presented::Token(token),
            Some((first, _)) if self.has(Mutant::AcceptsTwoTokens) => Presented::Token(first),
            Some(_) => Presented::Malformed(Probe::MalformedToken, "The token is malformed"),
        }
    }

    fn in_named_header<'a>(&self, call: &'a Call, operation: &Operation) -> Option<&'a str> {
        let kinds = operation.credentials.iter().filter_map(|kind| self.contract.credential(kind));
        kinds.flat_map(|credential| &credential.carriers).find_map(|carrier| match carrier {
            Carrier::NamedHeader(name) => call.headers.get(name)?.to_str().ok(),
            Carrier::Scheme(_) => carrier.behind_scheme(call.headers.get("authorization")?.to_str().ok()?),
            Carrier::Header | Carrier::Query(_) => None,
        })
    }

    fn in_query<'a>(&self, call: &'a Call, operation: &Operation) -> Option<&'a str> {
        let kinds = operation.credentials.iter().filter_map(|kind| self.contract.credential(kind));
        let mut documented = kinds.flat_map(|credential| &credential.carriers).filter_map(|carrier| match carrier {
            Carrier::Query(name) => Some(name.as_str()),
            Carrier::Header | Carrier::Scheme(_) | Carrier::NamedHeader(_) => None,
        });
        match (documented.next(), self.has(Mutant::TurnsQueryTokens)) {
            (Some(name), false) => call.query(name),
            (None, true) => call.query("access_token"),
            _ => None,
        }
    }

    fn kind(&self, token: &Token, operation: &Operation) -> Result<(), Refusal> {
        if operation.credentials.contains(&token.kind) {
            return Ok(());
        }
        let probe = Probe::OtherKind(token.kind.clone());
        let is_accepted = self
            .contract
            .ruling(&probe, operation)
            .is_some_and(|rule| rule.expect.as_ref().is_some_and(|expect| expect.success));
        let defect = if is_accepted { Mutant::RefusesOtherKinds } else { Mutant::AcceptsOtherKinds };
        if is_accepted != self.has(defect) {
            return Ok(());
        }
        Err(Refusal::new(self.status(&probe, operation, 403), "Not found"))
    }

    fn scopes(&self, token: &Token, credential: &Credential, operation: &Operation) -> Result<(), Refusal> {
        let is_scoped = |kind: &&String| self.contract.credential(kind).is_some_and(|credential| credential.scoped);
        let is_other = operation.credentials.iter().find(is_scoped) != Some(&token.kind);
        let is_waived = self.has(Mutant::IgnoresScopes) || (is_other && self.has(Mutant::IgnoresScopesOfOtherKinds));
        if !credential.scoped || is_waived {
            return Ok(());
        }
        let mut needed: BTreeSet<String> = operation.scopes.iter().cloned().collect();
        let demands = is_other && self.has(Mutant::DemandsAnotherScopeOfOtherKinds);
        if demands || self.has(Mutant::DemandsAnotherScope) {
            needed.insert("another".to_owned());
        }
        let superset = credential.superset.as_deref();
        let is_allowed = match &token.grant {
            Grant::All => true,
            Grant::Flat(scopes) if scopes.is_empty() && self.has(Mutant::TakesNoScopesForAll) => true,
            Grant::Flat(scopes) => {
                let resource = operation.resource.as_ref().filter(|_| credential.resource_scopes);
                let resource = resource.filter(|_| !self.has(Mutant::RefusesResourceGrants));
                let at_resource =
                    |scope: &String| resource.is_some_and(|resource| scopes.contains(&format!("{resource}:{scope}")));
                superset.is_some_and(|superset| scopes.contains(superset))
                    || needed.iter().all(|scope| scopes.contains(scope) || at_resource(scope))
            }
            Grant::Resources(_) if self.has(Mutant::RefusesResourceGrants) => false,
            Grant::Resources(map) if self.has(Mutant::SpreadsResourceGrants) => {
                map.values().any(|actions| needed.is_subset(actions))
            }
            Grant::Resources(map) => {
                let actions = operation.resource.as_ref().and_then(|resource| map.get(resource));
                needed.is_empty() || actions.is_some_and(|actions| needed.is_subset(actions))
            }
        };
        if is_allowed {
            return Ok(());
        }
        let status = self.status(&Probe::LackingScope, operation, 403);
        let refusal = Refusal::new(status, format!("Missing scope {}", operation.scopes.join(" ")));
        if !self.contract.asks_for(Challenge::InsufficientScope, operation) || self.has(Mutant::OmitsScopeChallenge) {
            return Err(refusal);
        }
        // RFC 6750, section 3.1.
        let (realm, scopes) = (&self.contract.name, operation.scopes.join(" "));
        let challenge = format!("Bearer realm=\"{realm}\", error=\"insufficient_scope\", scope=\"{scopes}\"");
        Err(refusal.with_header(WWW_AUTHENTICATE, &challenge))
    }

    fn tenant(
        &self,
        token: &Token,
        credential: &Credential,
        operation: &Operation,
        path: &BTreeMap<String, String>,
    ) -> Result<(), Refusal> {
        for parameter in &credential.binds {
            let Some(id) = path.get(parameter) else { continue };
            let state = self.state();
            if state.bound_id(token.tenant, parameter) == Some(id) {
                continue;
            }
            let is_taken = state.is_taken(parameter, id);
            if self.has(if is_taken { Mutant::IgnoresTenant } else { Mutant::InventsTenants }) {
                continue;
            }
            let others = format!("The {parameter} belongs to somebody else");
            if is_taken && self.has(Mutant::RevealsTenant) {
                return Err(Refusal::new(403, others));
            }
            let status = self.status(&Probe::Foreign(parameter.clone()), operation, 404);
            let tells = is_taken && self.has(Mutant::TellsTenantsApart);
            return Err(Refusal::new(status, if tells { &others } else { "Not found" }));
        }
        Ok(())
    }

    /// The token of somebody who may do everything: what a defect that waives the token calls as.
    fn anybody(&self, operation: &Operation) -> Result<Token, Refusal> {
        let kind = operation.credentials.first().cloned().unwrap_or_default();
        let need = Need { kind, state: TokenState::Valid, rights: Rights::All, alone: false };
        let identity = self.state().issue(&self.contract, &need);
        let token = self.state().token(identity.secret.reveal());
        token.ok_or_else(|| self.unauthorized(operation, &Probe::NoToken, "Unauthorized"))
    }

    /// A refusal of a token, with its challenge.
    pub(super) fn unauthorized(&self, operation: &Operation, probe: &Probe, message: &str) -> Refusal {
        let message = if self.has(Mutant::TracesRefusals) { TRACE } else { message };
        let refusal = Refusal::new(self.status(probe, operation, 401), message);
        if self.has(Mutant::OmitsChallenge) {
            return refusal;
        }
        // RFC 6750, section 3: without a token there is a challenge and no error code.
        let says_error = match probe {
            Probe::NoToken => self.has(Mutant::ErrsOnMissingToken),
            _ => !self.has(Mutant::OmitsChallengeError),
        };
        let mut challenge = format!("Bearer realm=\"{}\"", self.contract.name);
        if says_error {
            challenge.push_str(", error=\"invalid_token\"");
        }
        if self.has(Mutant::DoublesChallenge) {
            challenge.push_str(", realm=\"another\"");
        }
        if self.has(Mutant::BaresChallenge) {
            challenge.truncate("Bearer".len());
        }
        refusal.with_header(WWW_AUTHENTICATE, &challenge)
    }
}
