//! The revocation of each API key that a case created, whatever its outcome.

use serde_json::Value;

use super::super::SentRequest;
use super::super::reply::Reply;
use super::super::request::Draft;
use super::KeyFlow;
use crate::credential::secret::Secret;
use crate::judgement::verdict::{Outcome, Verdict};

/// API keys that could not be revoked.
pub(in super::super) struct UnrevokedKeys {
    requests: usize,
    keys: Vec<String>,
}

impl KeyFlow<'_> {
    /// Revokes each key that these requests and those of the flow created.
    pub(in super::super) async fn revoke_all(&mut self, others: &[SentRequest]) -> UnrevokedKeys {
        let sent: Vec<&SentRequest> = self.sent.iter().chain(others).collect();
        sent.iter().filter_map(|sent| sent.answer()).for_each(|reply| self.learn(reply));
        let gone: Vec<String> = sent.iter().filter(|sent| self.is_revocation(sent)).map(|sent| path(sent)).collect();
        let created_key: Vec<_> = sent
            .into_iter()
            .filter(|sent| self.is_minting(sent))
            .map(|sent| (self.id_in(sent), sent.draft.credentials.clone()))
            .collect();
        let mut left = UnrevokedKeys { requests: 0, keys: Vec::new() };
        for (id, minter) in created_key {
            let Some(id) = id else {
                left.keys.push("a key whose id the answer does not tell".to_owned());
                continue;
            };
            let Ok(draft) = self.draft(&self.keys.revoke, Some(&id)) else { continue };
            if gone.iter().any(|path| path == draft.url.path()) {
                continue;
            }
            // The identity that created a key may not be served again: its rate limit may be exhausted.
            let by_minter = Draft { credentials: minter, ..draft.clone() };
            let mut is_gone = false;
            for draft in [by_minter, draft] {
                let sent = self.target.send(&draft).await;
                left.requests += sent.requests;
                let status = sent.reply.map_or(0, |reply| reply.status);
                is_gone = matches!(status, 200..300 | 404 | 410);
                if is_gone {
                    break;
                }
            }
            if !is_gone {
                left.keys.push(format!("the key `{id}`"));
            }
        }
        left
    }

    /// Redacts keys in reports. Lists of keys should not contain secrets, but they are redacted as well.
    fn learn(&self, reply: &Reply) {
        let members = &self.keys.members;
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let listed = body.pointer(&members.list).and_then(Value::as_array).into_iter().flatten();
        for key in listed.chain([&body]).filter_map(|one| one.pointer(&members.key)?.as_str()) {
            self.target.redactor.learn(&Secret::new(key));
        }
    }

    fn is_minting(&self, sent: &SentRequest) -> bool {
        let model = self.draft(&self.keys.mint, None);
        let is_mint = |model: Draft| sent.draft.method == model.method && sent.draft.url.path() == model.url.path();
        sent.answer().is_some_and(Reply::is_success) && model.is_ok_and(is_mint)
    }

    fn is_revocation(&self, sent: &SentRequest) -> bool {
        let method = self.catalogue.operation_named(&self.keys.revoke).map(|(operation, _)| operation.method.as_str());
        let is_success = sent.answer().is_some_and(Reply::is_success);
        is_success && method == Some(sent.draft.method.as_str())
    }

    fn id_in(&self, sent: &SentRequest) -> Option<String> {
        let body: Value = serde_json::from_slice(&sent.answer()?.body).ok()?;
        body.pointer(&self.keys.members.id)?.as_str().map(str::to_owned)
    }
}

impl UnrevokedKeys {
    /// Returns the outcome of a case, with the keys that it left behind.
    pub(in super::super) fn report(self, mut outcome: Outcome) -> Outcome {
        outcome.requests += self.requests;
        if self.keys.is_empty() {
            return outcome;
        }
        let left = format!("{} could not be revoked: revoke it by hand", self.keys.join(" and "));
        outcome.verdict = Verdict::Error;
        outcome.reason = Some(outcome.reason.map_or_else(|| left.clone(), |reason| format!("{reason}; {left}")));
        outcome
    }
}

fn path(sent: &SentRequest) -> String {
    sent.draft.url.path().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Outcome, UnrevokedKeys, Verdict};
    use crate::contract::Level;

    #[test]
    fn a_key_that_is_left_behind_is_an_error_of_the_check() {
        let left = || UnrevokedKeys { requests: 2, keys: vec!["the key `key-1`".to_owned()] };
        let outcome = left().report(Outcome::pass());
        assert_eq!((outcome.verdict, outcome.requests), (Verdict::Error, 2));
        assert_eq!(outcome.reason.as_deref(), Some("the key `key-1` could not be revoked: revoke it by hand"));
        let broken = left().report(Outcome::broken(Level::Must, "the status is 200, not 401"));
        let reason = "the status is 200, not 401; the key `key-1` could not be revoked: revoke it by hand";
        assert_eq!((broken.verdict, broken.reason.as_deref()), (Verdict::Error, Some(reason)));
    }
}
