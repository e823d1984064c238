//! Tokens that run out during a run: a call that is refused for its token is sent again with another one.
//!
//! A refusal is repeated because nothing was done. Whether the token is at fault, or the operation, a call tells that was served with
//! the same token before.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::header::COOKIE;

use super::live::{Live, When};
use super::request::Draft;
use super::trial::Sent;
use super::{Reply, Target, Url};
use crate::fetched::{Companion, FetchedToken};
use crate::identity::Identity;
use crate::secret::Secret;

/// What is known of fetched tokens.
#[derive(Debug, Default)]
pub(super) struct Renewals(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// A call that only reads, by the token with which it was served.
    served: HashMap<Secret, Draft>,
    /// Tokens that the file names as they are and that ran out, each with why that is known.
    stale: HashMap<Secret, String>,
    /// Tokens in the place of refused ones that were not served yet: they are not replaced, or a server that refuses everybody
    /// would be logged in to with each call.
    unproven: HashSet<Secret>,
}

impl Renewals {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why a token is not sent any more.
    pub(super) fn stale(&self, draft: &Draft) -> Option<String> {
        let known = self.known();
        draft.held.iter().find_map(|secret| known.stale.get(secret).cloned())
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
            let served = known.served.entry(secret.clone()).or_insert_with(|| sent.draft.clone());
            // What an id names may be gone when it is asked for again.
            if sent.draft.ids.is_empty() && !served.ids.is_empty() {
                served.clone_from(&sent.draft);
            }
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
            let Some((token, secret)) = self.fetched_of(&sent.draft) else {
                return self.unless_stale(live, sent, when).await;
            };
            live.renewals.learn(live, &sent, &secret);
            let Some(refused) = refusal(&sent) else { break };
            let is_current = token.current().as_ref() == Some(&secret);
            if is_current && !self.is_stale(live, &secret, refused, when).await {
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

    /// What came of a call with a token that is not fetched. Where it ran out meanwhile, no rule is broken by that.
    async fn unless_stale(&self, live: &Live, sent: Sent, when: When) -> Sent {
        let [secret] = &sent.draft.held[..] else { return sent };
        live.renewals.learn(live, &sent, secret);
        let Some(refused) = refusal(&sent) else { return sent };
        let known = self.identities.known();
        let Some(known) = known.iter().find(|known| known.secret == *secret) else { return sent };
        let served =
            live.renewals.known().served.get(secret).map(|served| format!("{} {}", served.method, served.url.path()));
        let Some(served) = served else { return sent };
        if !self.is_stale(live, secret, refused, when).await {
            return sent;
        }
        let why = format!(
            "the token of `{}` ran out during the run: {served} was served with it, and is refused now",
            known.name
        );
        live.renewals.known().stale.insert(secret.clone(), why.clone());
        live.add_requests(sent.requests);
        Sent::unsent(&sent.draft, &why)
    }

    /// Whether a token that was refused with this status is refused where it was served before as well. A 403 alone may be about
    /// anything: it needs that call.
    async fn is_stale(&self, live: &Live, secret: &Secret, refused: u16, when: When) -> bool {
        let served = {
            let known = live.renewals.known();
            match known.served.get(secret) {
                Some(served) => served.clone(),
                None => return refused == 401 && !known.unproven.contains(secret),
            }
        };
        if !live.slot(when).await {
            return false;
        }
        let sent = self.exchange(&served).await;
        live.add_requests(sent.requests);
        // A server may say 403 of an id that is gone.
        refusal(&sent).is_some_and(|status| status == 401 || served.ids.is_empty())
    }

    /// The request with what a login gives for calls beside the token, such as the cookie and the header of XSRF. Whatever is wrong with a
    /// request, they are right.
    pub(super) fn accompanied(&self, draft: &Draft) -> Draft {
        let is_of = |token: &&FetchedToken| draft.callers.iter().any(|secret| token.was(secret));
        let companions = self.identities.fetched().iter().filter(is_of).flat_map(FetchedToken::companions);
        let mut draft = draft.clone();
        companions.for_each(|companion| draft.show(&companion));
        draft
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
    /// Shows something beside the token, in the place of what stood there.
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

/// The status of an answer that refuses who calls: 401, or 403, as some servers say it of a token that ran out.
fn refusal(sent: &Sent) -> Option<u16> {
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
