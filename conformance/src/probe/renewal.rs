//! Tokens that expire during a run: a call whose token is refused is sent again with a new token.
//!
//! A refused call was not executed, so it may be repeated. Whether the token has expired is tested with a call that was served with the
//! same token before.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::header::COOKIE;

use super::case_run::SentRequest;
use super::live::{LiveServer, RunPhase};
use super::request::Draft;
use super::{Reply, TargetServer, Url};
use crate::credential::fetched_tokens::{Companion, FetchedToken};
use crate::credential::identity::Identity;
use crate::credential::secret::Secret;

/// The known state of fetched tokens.
#[derive(Debug, Default)]
pub(super) struct TokenRenewals(Mutex<RenewalState>);

#[derive(Debug, Default)]
struct RenewalState {
    /// A safe call for each token with which it was served.
    served: HashMap<Secret, Draft>,
    /// Literal tokens of the tokens file that expired, each with the evidence.
    stale: HashMap<Secret, String>,
    /// New tokens that were not served yet. They are not replaced: otherwise each call to a server that refuses all tokens would cause a
    /// login.
    unproven: HashSet<Secret>,
}

impl TokenRenewals {
    fn known(&self) -> MutexGuard<'_, RenewalState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the reason why a token of the request is not sent any more.
    pub(super) fn stale(&self, draft: &Draft) -> Option<String> {
        let known = self.known();
        draft.held.iter().find_map(|secret| known.stale.get(secret).cloned())
    }

    /// Forgets an expired token. The new one counts as unproven.
    fn replace(&self, secret: &Secret, fresh: &Secret) {
        let mut known = self.known();
        known.served.remove(secret);
        if !known.served.contains_key(fresh) {
            known.unproven.insert(fresh.clone());
        }
    }

    /// Records a safe call that was served with this token.
    fn learn(&self, live: &LiveServer, sent: &SentRequest, secret: &Secret) {
        if sent.answer().is_some_and(Reply::is_success) && live.is_repeatable(&sent.draft) {
            let mut known = self.known();
            known.unproven.remove(secret);
            let served = known.served.entry(secret.clone()).or_insert_with(|| sent.draft.clone());
            // The resource of an id may be removed before the call is repeated.
            if sent.draft.ids.is_empty() && !served.ids.is_empty() {
                served.clone_from(&sent.draft);
            }
        }
    }
}

impl TargetServer {
    /// Fetches new tokens in place of those that are about to expire.
    pub(super) async fn renew_tokens(&self) {
        for token in self.identities.fetched() {
            // If that fails, the cases that need the token report it.
            let _ = token.ensure_fresh().await;
        }
    }

    /// Returns the reason why a token of an identity has expired and cannot be replaced.
    pub(super) async fn expiry_reason(&self, identity: &Identity) -> Option<String> {
        let tokens = self.identities.fetched().iter();
        for token in tokens.filter(|token| identity.secrets().any(|secret| token.is_or_was(secret))) {
            if let Err(why) = token.ensure_fresh().await {
                return Some(format!("the token ran out, and {why}"));
            }
        }
        None
    }

    /// Returns the request with the current tokens in place of former ones.
    pub(super) fn with_current_tokens(&self, draft: &Draft) -> Draft {
        let mut draft = draft.clone();
        for token in self.identities.fetched() {
            let Some(current) = token.current() else { continue };
            for former in token.previous_tokens() {
                draft = draft.with_token(&former, &current);
            }
        }
        draft
    }

    /// Returns the result of a call, or of the same call with a new token if the server refuses the old one.
    pub(super) async fn with_renewed_token(
        &self,
        live: &LiveServer,
        mut sent: SentRequest,
        phase: RunPhase,
    ) -> SentRequest {
        // A new token may have expired as well.
        for _ in 0..2 {
            let Some((token, secret)) = self.fetched_of(&sent.draft) else {
                return self.unless_expired(live, sent, phase).await;
            };
            live.token_renewals.learn(live, &sent, &secret);
            let Some(refused) = refusal(&sent) else { break };
            let is_current = token.current().as_ref() == Some(&secret);
            if is_current && !self.is_stale(live, &secret, refused, phase).await {
                break;
            }
            let fresh = match token.replace(&secret).await {
                Ok(fresh) if fresh == secret => break,
                Ok(fresh) => fresh,
                Err(why) => {
                    live.add_requests(sent.requests);
                    return SentRequest::unsent(&sent.draft, &format!("the token ran out, and {why}"));
                }
            };
            live.token_renewals.replace(&secret, &fresh);
            if !live.wait_for_slot(phase).await {
                break;
            }
            let again = self.exchange_with_health(live, &sent.draft.with_token(&secret, &fresh), phase).await;
            live.token_renewals.learn(live, &again, &fresh);
            sent = SentRequest { requests: sent.requests + again.requests, ..again };
        }
        sent
    }

    /// Returns the result of a call with a token that is not fetched. If the token has expired, the refusal does not break a rule.
    async fn unless_expired(&self, live: &LiveServer, sent: SentRequest, phase: RunPhase) -> SentRequest {
        let [secret] = &sent.draft.held[..] else { return sent };
        live.token_renewals.learn(live, &sent, secret);
        let Some(refused) = refusal(&sent) else { return sent };
        let known = self.identities.known();
        let Some(known) = known.iter().find(|known| known.secret == *secret) else { return sent };
        let served = live
            .token_renewals
            .known()
            .served
            .get(secret)
            .map(|served| format!("{} {}", served.method, served.url.path()));
        let Some(served) = served else { return sent };
        if !self.is_stale(live, secret, refused, phase).await {
            return sent;
        }
        let why = format!(
            "the token of `{}` ran out during the run: {served} was served with it, and is refused now",
            known.name
        );
        live.token_renewals.known().stale.insert(secret.clone(), why.clone());
        live.add_requests(sent.requests);
        SentRequest::unsent(&sent.draft, &why)
    }

    /// Returns whether a token that was refused with this status is now also refused for a call that was served before. A 403 may have other
    /// reasons, so it is always tested with that call.
    async fn is_stale(&self, live: &LiveServer, secret: &Secret, refused: u16, phase: RunPhase) -> bool {
        let served = {
            let known = live.token_renewals.known();
            match known.served.get(secret) {
                Some(served) => served.clone(),
                None => return refused == 401 && !known.unproven.contains(secret),
            }
        };
        if !live.wait_for_slot(phase).await {
            return false;
        }
        let sent = self.exchange(&served).await;
        live.add_requests(sent.requests);
        // A server may answer 403 for a removed id.
        refusal(&sent).is_some_and(|status| status == 401 || served.ids.is_empty())
    }

    /// Returns the request with the companions of a fetched token, such as the XSRF cookie and header. They are valid whatever the flaw of
    /// the request is.
    pub(super) fn with_companions(&self, draft: &Draft) -> Draft {
        let is_of = |token: &&FetchedToken| draft.callers.iter().any(|secret| token.is_or_was(secret));
        let companions = self.identities.fetched().iter().filter(is_of).flat_map(FetchedToken::companions);
        let mut draft = draft.clone();
        companions.for_each(|companion| draft.show(&companion));
        draft
    }

    /// Returns the fetched token that a request sends unchanged.
    fn fetched_of(&self, draft: &Draft) -> Option<(&FetchedToken, Secret)> {
        let tokens = self.identities.fetched().iter();
        let mut shown =
            tokens.filter_map(|token| Some((token, draft.held.iter().find(|held| token.is_or_was(held))?.clone())));
        shown.next()
    }
}

impl Draft {
    /// Sets a companion of the token, in place of a former one.
    fn show(&mut self, companion: &Companion) {
        match companion {
            Companion::Header(name, value) => {
                self.credentials.retain(|(known, _)| known != name);
                self.credentials.push((name.clone(), value.reveal().to_owned()));
            }
            Companion::Cookie(name, value) => {
                let pair = format!("{name}={}", value.reveal());
                let place = self.credentials.iter().position(|(known, _)| *known == COOKIE);
                let cookies = place.map(|place| self.credentials.remove(place).1).unwrap_or_default();
                let others =
                    cookies.split("; ").filter(|known| known.split_once('=').is_some_and(|(known, _)| known != name));
                let cookies: Vec<&str> = others.chain([pair.as_str()]).collect();
                self.credentials.push((COOKIE, cookies.join("; ")));
            }
        }
    }

    /// Returns the same request with another token in each place of this one.
    fn with_token(&self, shown: &Secret, other: &Secret) -> Self {
        let (from, to) = (shown.reveal(), other.reveal());
        let mut draft = self.clone();
        for (_, value) in &mut draft.credentials {
            *value = value.replace(from, to);
        }
        for secret in draft.secrets.iter_mut().chain(&mut draft.held).filter(|secret| *secret == shown) {
            *secret = other.clone();
        }
        if draft.url.query_pairs().any(|(_, value)| value == from) {
            draft.url = with_query(&draft.url, from, to);
        }
        draft
    }
}

/// Returns the status of an answer that refuses the caller: 401, or 403, which some servers send for an expired token.
fn refusal(sent: &SentRequest) -> Option<u16> {
    sent.answer().map(|reply| reply.status).filter(|status| matches!(status, 401 | 403))
}

fn with_query(url: &Url, from: &str, to: &str) -> Url {
    let changed = |value: String| if value == from { to.to_owned() } else { value };
    let pairs: Vec<(String, String)> =
        url.query_pairs().into_owned().map(|(name, value)| (name, changed(value))).collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(pairs);
    url
}
