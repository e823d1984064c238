//! Tokens that run out during a run: a call that is refused for its token is sent again with another one.
//!
//! A refusal is repeated because nothing was done. Whether the token is at fault, or the operation, a call tells that was served with
//! the same token before.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::live::{Live, When};
use super::request::Draft;
use super::trial::Sent;
use super::{Reply, Target, Url};
use crate::fetched::FetchedToken;
use crate::identity::Identity;
use crate::secret::Secret;

/// What is known of fetched tokens.
#[derive(Debug, Default)]
pub(super) struct Renewals(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// A call that only reads, by the token with which it was served.
    served: HashMap<Secret, Draft>,
    /// Tokens in the place of refused ones that were not served yet: they are not replaced, or a server that refuses everybody
    /// would be logged in to with each call.
    unproven: HashSet<Secret>,
}

impl Renewals {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets a token that ran out; the one in its place has to prove itself.
    fn replace(&self, secret: &Secret, fresh: &Secret) {
        let mut known = self.known();
        known.served.remove(secret);
        if !known.served.contains_key(fresh) {
            known.unproven.insert(fresh.clone());
        }
    }

    /// Keeps a call that only reads and was served with this token.
    fn learn(&self, live: &Live, sent: &Sent, secret: &Secret) {
        if sent.answer().is_some_and(Reply::is_success) && live.is_repeatable(&sent.draft) {
            let mut known = self.known();
            known.unproven.remove(secret);
            known.served.entry(secret.clone()).or_insert_with(|| sent.draft.clone());
        }
    }
}

impl Target {
    /// Has the tokens fetched anew whose time is nearly over.
    pub(super) async fn renew_tokens(&self) {
        for token in self.identities.fetched() {
            // Where that fails, the cases that need the token say so.
            let _ = token.ensure_fresh().await;
        }
    }

    /// Why somebody's token is no good any more, where another one cannot be had.
    pub(super) async fn ran_out(&self, identity: &Identity) -> Option<String> {
        let tokens = self.identities.fetched().iter();
        for token in tokens.filter(|token| identity.secrets().any(|secret| token.was(secret))) {
            if let Err(why) = token.ensure_fresh().await {
                return Some(format!("the token ran out, and {why}"));
            }
        }
        None
    }

    /// The request with the tokens of now in place of former ones.
    pub(super) fn with_current_tokens(&self, draft: &Draft) -> Draft {
        let mut draft = draft.clone();
        for token in self.identities.fetched() {
            let Some(current) = token.current() else { continue };
            for former in token.former() {
                draft = draft.with_token(&former, &current);
            }
        }
        draft
    }

    /// What came of a call, or of the same call with another token where the server refuses the one that it had.
    pub(super) async fn renewed(&self, live: &Live, mut sent: Sent, when: When) -> Sent {
        // A token that was replaced since may have run out as well.
        for _ in 0..2 {
            let Some((token, secret)) = self.fetched_of(&sent.draft) else { break };
            live.renewals.learn(live, &sent, &secret);
            let is_refused = sent.answer().is_some_and(|reply| reply.status == 401);
            let is_current = token.current().as_ref() == Some(&secret);
            if !is_refused || (is_current && !self.is_stale(live, &secret, when).await) {
                break;
            }
            let fresh = match token.replace(&secret).await {
                Ok(fresh) if fresh == secret => break,
                Ok(fresh) => fresh,
                Err(why) => {
                    live.add_requests(sent.requests);
                    return Sent::unsent(&sent.draft, &format!("the token ran out, and {why}"));
                }
            };
            live.renewals.replace(&secret, &fresh);
            if !live.slot(when).await {
                break;
            }
            let again = self.exchange_alive(live, &sent.draft.with_token(&secret, &fresh), when).await;
            live.renewals.learn(live, &again, &fresh);
            sent = Sent { requests: sent.requests + again.requests, ..again };
        }
        sent
    }

    /// Whether a token that was refused is refused where it was served before as well.
    async fn is_stale(&self, live: &Live, secret: &Secret, when: When) -> bool {
        let served = {
            let known = live.renewals.known();
            match known.served.get(secret) {
                Some(served) => served.clone(),
                None => return !known.unproven.contains(secret),
            }
        };
        if !live.slot(when).await {
            return false;
        }
        let sent = self.exchange(&served).await;
        live.add_requests(sent.requests);
        sent.answer().is_some_and(|reply| reply.status == 401)
    }

    /// The fetched token that a request shows in good order.
    fn fetched_of(&self, draft: &Draft) -> Option<(&FetchedToken, Secret)> {
        let tokens = self.identities.fetched().iter();
        let mut shown =
            tokens.filter_map(|token| Some((token, draft.held.iter().find(|held| token.was(held))?.clone())));
        shown.next()
    }
}

impl Draft {
    /// The same request with another token wherever it shows this one.
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

fn with_query(url: &Url, from: &str, to: &str) -> Url {
    let changed = |value: String| if value == from { to.to_owned() } else { value };
    let pairs: Vec<(String, String)> =
        url.query_pairs().into_owned().map(|(name, value)| (name, changed(value))).collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(pairs);
    url
}
