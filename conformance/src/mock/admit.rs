//! Authenticates and authorizes the caller: the token, its kind, its scopes, its tenant, its funds. In this order.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use hyper::header::WWW_AUTHENTICATE;
use keyfit_openapi::Operation;

use super::call::{Call, Refusal};
use super::core::Core;
use super::mutant::Mutant;
use super::token::{Grant, Token};
use super::validate::TRACE;
use crate::clock;
use crate::contract::{Carrier, Challenge, Credential, Family, Probe};
use crate::credential::carrier;
use crate::credential::identity::{CredentialNeed, Rights, State as TokenState};
use crate::credential::jws::Jws;

/// A credential of a request, at a place that a kind of the operation uses.
struct PresentedCredential<'a> {
    carrier: &'a Carrier,
    text: Cow<'a, str>,
}

/// The reason why a place holds no valid credential: the probe that sends such a request, and the message.
struct InvalidCredential(Probe, &'static str);

impl Core {
    /// Returns the tokens of a request; none if it has no token and the operation requires none.
    pub(super) fn admit(&self, call: &Call, operation: &Operation) -> Result<Vec<Token>, Refusal> {
        let is_open = operation.security.is_optional() && !self.has(Mutant::RefusesAnonymous);
        if is_open && operation.security.sets().is_empty() {
            return Ok(Vec::new());
        }
        let found = self.presented_credentials(call, operation);
        let found = found.map_err(|InvalidCredential(probe, problem)| self.unauthorized(operation, &probe, problem))?;
        if found.is_empty() {
            let takes_token = self.takes_token(operation);
            let is_waived = self.has(Mutant::AcceptsNoToken)
                || (call.method == "HEAD" && self.has(Mutant::AcceptsHeadWithoutToken))
                || (call.has_doubled_slash && self.has(Mutant::OpensDoubledSlashes));
            let is_waived = if takes_token { is_waived } else { self.has(Mutant::AcceptsNoCertificate) };
            let probe = if takes_token { Probe::NoToken } else { Probe::NoCertificate };
            return match (is_open, is_waived) {
                (true, _) => Ok(Vec::new()),
                (false, true) => Ok(self.full_access_tokens(operation)),
                (false, false) => Err(self.unauthorized(operation, &probe, "Unauthorized")),
            };
        }
        let (mut tokens, mut refusal) = (Vec::new(), None);
        for found in &found {
            match self.token(found, operation) {
                Ok(known) => tokens.extend(known),
                Err(why) => drop(refusal.get_or_insert(why)),
            }
        }
        // If a request has several tokens, the first kind of the alternative is the caller, whatever the order of the headers.
        let place = |token: &Token| operation.security.kinds().position(|kind| *kind == token.kind);
        tokens.sort_by_key(|token| place(token).unwrap_or(usize::MAX));
        match refusal {
            Some(_) if self.has(Mutant::JudgesOneOfSeveral) && self.others_were_never_issued(&found, &tokens) => {
                Ok(self.full_access_tokens(operation))
            }
            Some(refusal) => Err(refusal),
            None => Ok(tokens),
        }
    }

    /// Returns whether the first alternative has a credential besides a client certificate.
    fn takes_token(&self, operation: &Operation) -> bool {
        let first = self.contract.alternatives(operation).next();
        first.is_none_or(|set| set.iter().any(|kind| !kind.is_certificate()))
    }

    /// Returns the token of a credential. If a defect accepts an invalid one, returns the tokens of a caller who may do everything.
    fn token(&self, found: &PresentedCredential<'_>, operation: &Operation) -> Result<Vec<Token>, Refusal> {
        let text = &*found.text;
        if text.is_empty() && self.has(Mutant::AcceptsEmptyToken) {
            return Ok(self.full_access_tokens(operation));
        }
        let Some(token) = self.known(found, operation)? else {
            // An issued token at a wrong place is handled elsewhere, and so is a JWT, which is not looked up.
            let is_strange = self.state().token(text).is_none() && Jws::read(text).is_none();
            let waives = (self.has(Mutant::AcceptsUnknownToken) && !text.is_empty())
                || self.accepts_forged(found, operation)
                || (self.has(Mutant::IgnoresPasswords) && self.knows_user(found))
                || (self.has(Mutant::IgnoresTokenCase) && is_strange && self.state().knows_in_any_case(text))
                || (self.has(Mutant::ComparesBeginnings)
                    && is_strange
                    && self.state().knows_prefix(compared_prefix(text)));
            if waives {
                return Ok(self.full_access_tokens(operation));
            }
            let refusal = self.unauthorized(operation, &Probe::UnknownToken, "Unauthorized");
            return Err(if self.has(Mutant::EchoesToken) { refusal.saying(text) } else { refusal });
        };
        let is_revoked = token.state == TokenState::Revoked && !self.has(Mutant::AcceptsRevokedToken);
        let is_expired = token.state == TokenState::Expired && !self.has(Mutant::AcceptsExpiredToken);
        let is_of_test = token.state == TokenState::Test && self.refuses_tests(operation);
        let is_of_another = token.state == TokenState::OtherAudience && !self.has(Mutant::IgnoresAudience);
        let is_over = token.expires.is_some_and(|expires| expires <= clock::epoch_seconds());
        let is_over = is_over && !(token.shown.is_some() && self.has(Mutant::IgnoresEnds));
        let is_minted = token.shown.is_some() && self.has(Mutant::RefusesMintedKeys);
        let is_refused = is_revoked || is_expired || is_of_test || is_of_another || is_over || is_minted;
        if is_refused || self.has(Mutant::RefusesEveryone) {
            return Err(self.unauthorized(operation, &Probe::RevokedToken, "Unauthorized"));
        }
        Ok(vec![token])
    }

    /// Returns the issued or signed token with this text, if this is its place.
    fn known(&self, found: &PresentedCredential<'_>, operation: &Operation) -> Result<Option<Token>, Refusal> {
        let issued = self.state().token(&found.text);
        if let Some(token) = issued {
            let carriers = self.contract.credential(&token.kind).map_or(&[][..], |credential| &credential.carriers);
            let is_its_place = carriers.is_empty() || carriers.contains(found.carrier);
            return Ok(Some(token).filter(|_| is_its_place || self.has(Mutant::MixesPlaces)));
        }
        match self.jwt(&found.text).filter(|_| *found.carrier == Carrier::Header) {
            None => Ok(None),
            Some(Ok(token)) => Ok(Some(token)),
            Some(Err(problem)) => {
                let refusal = self.unauthorized(operation, &Probe::UnknownToken, "Unauthorized");
                Err(if self.has(Mutant::ExplainsJwts) { refusal.saying(problem) } else { refusal })
            }
        }
    }

    /// Returns whether at least one credential is valid, and all invalid ones were never issued.
    fn others_were_never_issued(&self, found: &[PresentedCredential<'_>], good: &[Token]) -> bool {
        let state = self.state();
        let never_issued = found.iter().filter(|found| state.token(&found.text).is_none()).count();
        !good.is_empty() && good.len() + never_issued == found.len()
    }

    /// Returns whether a defect accepts a JWT that was never issued.
    fn accepts_forged(&self, found: &PresentedCredential<'_>, operation: &Operation) -> bool {
        let mut kinds = self.contract.kinds_of(operation);
        let is_jwt = kinds.any(|kind| kind.jwt && kind.carriers.contains(found.carrier));
        let Some(jws) = Jws::read(&found.text).filter(|_| is_jwt) else { return false };
        if jws.header["alg"] == "none" {
            return self.has(Mutant::AcceptsAlgorithmNone);
        }
        if jws.signature.is_empty() {
            return self.has(Mutant::AcceptsMissingSignature);
        }
        if jws.header.get("jwk").is_some() {
            return self.has(Mutant::TrustsNamedKeys);
        }
        let signature = found.text.rsplit('.').next().unwrap_or_default();
        let is_seen = self.state().knows_signature(signature);
        self.has(if is_seen { Mutant::TrustsSeenSignatures } else { Mutant::IgnoresSignature })
    }

    fn knows_user(&self, found: &PresentedCredential<'_>) -> bool {
        let user = found.text.split_once(':').filter(|_| *found.carrier == Carrier::Basic);
        user.is_some_and(|(user, _)| self.state().knows_prefix(&format!("{user}:")))
    }

    /// Returns whether the test environment is separate, so that its tokens are refused here.
    pub(super) fn refuses_tests(&self, operation: &Operation) -> bool {
        let rule = self.contract.ruling(&Probe::TestToken, operation);
        let is_refused = rule.is_some_and(|rule| rule.expect.as_ref().is_some_and(|expect| !expect.success));
        is_refused != self.has(Mutant::TurnsTestTokens)
    }

    /// Checks whether these tokens may call an operation with these path parameters.
    pub(super) fn authorise(
        &self,
        tokens: &[Token],
        operation: &Operation,
        path: &BTreeMap<String, String>,
    ) -> Result<(), Refusal> {
        let callers = self.callers(tokens, operation)?;
        let of = |token: &&Token| self.contract.credential(&token.kind);
        for (token, credential) in callers.iter().filter_map(|token| Some((token, of(token)?))) {
            self.scopes(token, credential, operation)?;
        }
        let Some((token, credential)) = callers.first().and_then(|token| Some((*token, of(token)?))) else {
            return Ok(());
        };
        self.tenant(token, credential, operation, path)?;
        let is_broke = operation.spends && token.state == TokenState::Broke && !self.has(Mutant::IgnoresFunds);
        if is_broke {
            return Err(Refusal::new(self.status(&Probe::NoFunds, operation, 402), "Insufficient funds"));
        }
        Ok(())
    }

    /// Returns the tokens of the alternative that they satisfy, in its order.
    fn callers<'t>(&self, tokens: &'t [Token], operation: &Operation) -> Result<Vec<&'t Token>, Refusal> {
        let sets = operation.security.sets();
        let Some(first) = tokens.first().filter(|_| !sets.is_empty()) else { return Ok(Vec::new()) };
        let of = |kind: &String| tokens.iter().find(|token| token.kind == *kind);
        let is_certificate = |kind: &String| self.contract.credential(kind).is_some_and(Credential::is_certificate);
        // With this defect, the server does not check certificates.
        let is_demanded = |kind: &&String| !(self.has(Mutant::AcceptsNoCertificate) && is_certificate(kind));
        let is_refused = |set: &&Vec<String>| {
            let probe = || Probe::Alternative(Vec::clone(set));
            self.has(Mutant::RefusesOtherAlternatives) && self.contract.ruling(&probe(), operation).is_some()
        };
        let taken = sets.iter().take(1).chain(sets.iter().skip(1).filter(|set| !is_refused(set)));
        if let Some(callers) =
            taken.into_iter().find_map(|set| set.iter().filter(is_demanded).map(of).collect::<Option<Vec<&Token>>>())
        {
            return Ok(callers);
        }
        let begun = sets.iter().find(|set| set.len() > 1 && set.iter().any(|kind| of(kind).is_some()));
        if let Some(missing) = begun.and_then(|set| set.iter().find(|kind| of(kind).is_none())) {
            let (is_shown, waiver) = (is_certificate(missing), Mutant::AcceptsOneOfSeveral);
            let probe = if is_shown { Probe::NoCertificate } else { Probe::Without(missing.clone()) };
            let is_waived = !is_shown && self.has(waiver);
            return if is_waived { Ok(vec![first]) } else { Err(self.unauthorized(operation, &probe, "Unauthorized")) };
        }
        self.other_kind(first, operation).map(|()| vec![first])
    }

    /// Returns the credentials at the places that the operation's kinds use.
    fn presented_credentials<'a>(
        &'a self,
        call: &'a Call,
        operation: &'a Operation,
    ) -> Result<Vec<PresentedCredential<'a>>, InvalidCredential> {
        let mut carriers: Vec<&Carrier> = Vec::new();
        for carrier in self.contract.kinds_of(operation).flat_map(|credential| &credential.carriers) {
            if *carrier != Carrier::ClientCertificate && !carriers.contains(&carrier) {
                carriers.push(carrier);
            }
        }
        let (schemes, others): (Vec<&Carrier>, Vec<&Carrier>) =
            carriers.iter().partition(|carrier| carrier.scheme().is_some());
        let mut found: Vec<PresentedCredential<'_>> =
            self.in_authorization_header(call, &schemes)?.into_iter().collect();
        let is_first = |carrier: &Carrier| self.contract.kinds_of(operation).any(|kind| kind.carrier() == carrier);
        for carrier in others {
            let is_turned = self.has(Mutant::TurnsQueryTokens) && !is_first(carrier);
            let text = carrier::credential_in(carrier, &call.headers, |name| call.query(name));
            if let Some(text) = text.filter(|_| !(is_turned && matches!(carrier, Carrier::Query(_)))) {
                found.push(PresentedCredential { carrier, text: self.single(text)? });
            }
        }
        let is_undocumented = !carriers.iter().any(|carrier| matches!(carrier, Carrier::Query(_)));
        if let (true, true, Some(carrier)) = (found.is_empty(), is_undocumented, carriers.first()) {
            let in_query = call.query("access_token").filter(|_| self.has(Mutant::TurnsQueryTokens));
            let anywhere = || self.found_anywhere(call).filter(|_| self.has(Mutant::ReadsAnyPlace));
            let text = in_query.map(Cow::Borrowed).or_else(anywhere);
            found.extend(text.map(|text| PresentedCredential { carrier, text }));
        }
        Ok(found)
    }

    /// Returns the credential in the `Authorization` header for one of these carriers.
    fn in_authorization_header<'a>(
        &self,
        call: &'a Call,
        carriers: &[&'a Carrier],
    ) -> Result<Option<PresentedCredential<'a>>, InvalidCredential> {
        let (Some(first), Some(header)) = (carriers.first(), call.headers.get("authorization")) else {
            return Ok(None);
        };
        let malformed = || InvalidCredential(Probe::MalformedToken, "The token is malformed");
        let header = header.to_str().map_err(|_| malformed())?;
        let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
        let is_it = |carrier: &&&Carrier| {
            let known = carrier.scheme().unwrap_or_default();
            if self.has(Mutant::RefusesLowerCaseScheme) { scheme == known } else { scheme.eq_ignore_ascii_case(known) }
        };
        let (carrier, text) = match (carriers.iter().find(is_it), rest.trim()) {
            (Some(carrier), text) => (*carrier, text),
            // A single word: the token itself, if it is one.
            (None, "") if self.has(Mutant::AcceptsBareToken) => (*first, scheme),
            (None, "") => return Err(InvalidCredential(Probe::BareToken, "The scheme is missing")),
            (None, text) if self.has(Mutant::AcceptsAnyScheme) => (*first, text),
            (None, _) => return Err(InvalidCredential(Probe::WrongScheme, "The scheme is another one")),
        };
        let text = self.single(text.into())?;
        let text = match text {
            Cow::Borrowed(text) => carrier::decoded(carrier, text),
            Cow::Owned(text) => carrier::decoded(carrier, &text).map(|text| text.into_owned().into()),
        };
        text.map(|text| Some(PresentedCredential { carrier, text })).ok_or_else(malformed)
    }

    /// Returns the credential at a place for a single one.
    fn single<'a>(&self, text: Cow<'a, str>) -> Result<Cow<'a, str>, InvalidCredential> {
        let Some(end) = text.find(' ') else { return Ok(text) };
        if !self.has(Mutant::AcceptsTwoTokens) {
            return Err(InvalidCredential(Probe::MalformedToken, "The token is malformed"));
        }
        Ok(text[..end].to_owned().into())
    }

    /// Returns an issued token in any header or cookie.
    fn found_anywhere<'a>(&self, call: &'a Call) -> Option<Cow<'a, str>> {
        let texts = call.headers.values().filter_map(|value| value.to_str().ok());
        let words = texts.flat_map(|text| text.split([' ', '=', ';']));
        let state = self.state();
        words.into_iter().find(|word| state.token(word).is_some()).map(Cow::Borrowed)
    }

    /// Checks a token whose kind is in none of the alternatives.
    fn other_kind(&self, token: &Token, operation: &Operation) -> Result<(), Refusal> {
        let probe = Probe::OtherKind(token.kind.clone());
        let is_accepted = self
            .contract
            .ruling(&probe, operation)
            .is_some_and(|rule| rule.expect.as_ref().is_some_and(|expect| expect.success));
        let defect = if is_accepted { Mutant::RefusesOtherKinds } else { Mutant::AcceptsOtherKinds };
        if is_accepted != self.has(defect) {
            return Ok(());
        }
        Err(match self.status(&probe, operation, 403) {
            401 => self.unauthorized(operation, &probe, "Not found"),
            status => Refusal::new(status, "Not found"),
        })
    }

    fn scopes(&self, token: &Token, credential: &Credential, operation: &Operation) -> Result<(), Refusal> {
        let first = self.contract.kinds_of(operation).find(|credential| credential.is_scoped());
        let is_other = first.is_none_or(|first| first.kind != token.kind);
        let is_waived = self.has(Mutant::IgnoresScopes) || (is_other && self.has(Mutant::IgnoresScopesOfOtherKinds));
        if !credential.is_scoped() || is_waived {
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
            Grant::Flat(held) => {
                let is_blind = self.has(Mutant::IgnoresIncludedScopes);
                let scopes = if is_blind { held.clone() } else { credential.effective_scopes(held) };
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
            let is_own = match state.owner(parameter, id) {
                Some(tenant) => tenant == token.tenant,
                // A nonexistent key is handled later.
                None => state.is_of_keys(parameter) || state.has(token.tenant, parameter, id),
            };
            if is_own {
                continue;
            }
            let is_taken = state.is_taken(parameter, id);
            drop(state);
            if !is_taken && self.is_resource(parameter, operation) {
                continue;
            }
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

    /// Returns whether the contract treats a nonexistent id of this parameter as a missing resource, and not as a foreign tenant.
    pub(super) fn is_resource(&self, parameter: &str, operation: &Operation) -> bool {
        let ruling = self.contract.ruling(&Probe::UnknownId(parameter.to_owned()), operation);
        ruling.is_some_and(|rule| rule.family() == Some(Family::Error))
    }

    /// Returns the tokens of a caller who may do everything: a defect that accepts any token uses them.
    fn full_access_tokens(&self, operation: &Operation) -> Vec<Token> {
        let set = self.contract.alternatives(operation).next().unwrap_or_default();
        let mut state = self.state();
        let tokens = set.into_iter().filter_map(|credential| {
            let kind = credential.kind.clone();
            let need = CredentialNeed { kind, state: TokenState::Valid, rights: Rights::All, alone: false };
            let identity = state.issue(&self.contract, &need);
            identity.secrets().next().and_then(|secret| state.token(secret.reveal()))
        });
        tokens.collect()
    }

    /// Returns the refusal of a token, with its challenge.
    pub(super) fn unauthorized(&self, operation: &Operation, probe: &Probe, message: &str) -> Refusal {
        let message = if self.has(Mutant::TracesRefusals) { TRACE } else { message };
        let refusal = Refusal::new(self.status(probe, operation, 401), message);
        let is_old = *probe == Probe::RevokedToken && self.has(Mutant::OmitsChallengeOfOldTokens);
        if is_old || self.has(Mutant::OmitsChallenge) {
            return refusal;
        }
        // RFC 6750, section 3: without a token there is a challenge and no error code.
        let says_error = match probe {
            Probe::NoToken => self.has(Mutant::ErrsOnMissingToken),
            _ => !self.has(Mutant::OmitsChallengeError),
        };
        let scheme = self.contract.kinds_of(operation).find_map(|credential| credential.carrier().scheme());
        let scheme = scheme.unwrap_or("Bearer");
        let mut challenge = format!("{scheme} realm=\"{}\"", self.contract.name);
        if says_error && scheme == "Bearer" {
            challenge.push_str(", error=\"invalid_token\"");
        }
        if self.has(Mutant::DoublesChallenge) {
            challenge.push_str(", realm=\"another\"");
        }
        if self.has(Mutant::BaresChallenge) {
            challenge.truncate(scheme.len());
        }
        refusal.with_header(WWW_AUTHENTICATE, &challenge)
    }
}

/// Returns the part of a token that an incomplete comparison uses.
fn compared_prefix(text: &str) -> &str {
    text.get(..text.len() * 2 / 3).unwrap_or_default()
}
