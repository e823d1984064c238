//! Checks whether a refused call that costs money is charged for: the balance is read before and after.
//!
//! No other case runs meanwhile, since a served call may be charged for. A finding is confirmed: first all refusals are sent together,
//! and then each one twice by itself.

use keyfit_openapi::Operation;

use super::TargetServer;
use super::case_run::CaseRun;
use super::flow::Stop;
use super::live::{Effect, last_parameter};
use super::reply::Reply;
use super::request::{Draft, DraftBuilder};
use crate::catalogue::applies;
use crate::contract::{Level, Probe};
use crate::credential::identity::{CredentialNeed, Identity};
use crate::document::balance::{Amount, Balance};

/// The operation that reads a balance, with its request.
struct BalanceReading {
    balance: Balance,
    reading: Draft,
}

impl TargetServer {
    /// Sends calls that the server has to refuse, and reads the balance before and after.
    pub(super) async fn refuse_spending(&self, case_run: &mut CaseRun<'_>) -> Result<(), Stop> {
        let account = self.account(case_run)?;
        let refusals = self.refusals(case_run);
        let first = self.balance(case_run, &account).await?;
        let mut before = self.balance(case_run, &account).await?;
        if first != before {
            return Err(Stop::missing(format!("the balance moves by itself: it is {before}, and was {first}")));
        }
        let mut refused = Vec::new();
        for (flaw, draft) in refusals {
            let reply = self.step(&draft, &mut case_run.sent).await?;
            if is_refusal(&reply) {
                refused.push((flaw, draft));
            } else {
                // A call that is served has a rule of its own, and may cost money.
                before = self.balance(case_run, &account).await?;
            }
        }
        if refused.is_empty() {
            return Err(Stop::missing("no call of it was refused"));
        }
        if self.balance(case_run, &account).await?.is_less_than(before) {
            for (flaw, draft) in &refused {
                self.refuse_twice(case_run, &account, (flaw, draft)).await?;
            }
            return Err(Stop::missing("the balance fell, and by no refused call alone"));
        }
        // The report shows the refusal, since the rule is about it.
        let last = case_run.sent.iter().rposition(|sent| sent.answer().is_some_and(is_refusal));
        if let Some(last) = last {
            let refusal = case_run.sent.remove(last);
            case_run.sent.push(refusal);
        }
        Ok(())
    }

    /// Sends a call that the server has to refuse, and once more if the balance is lower afterwards.
    async fn refuse_twice(
        &self,
        case_run: &mut CaseRun<'_>,
        account: &BalanceReading,
        (flaw, draft): (&str, &Draft),
    ) -> Result<(), Stop> {
        let mut before = self.balance(case_run, account).await?;
        for is_last in [false, true] {
            let reply = self.step(draft, &mut case_run.sent).await?;
            let after = self.balance(case_run, account).await?;
            if !is_refusal(&reply) || !after.is_less_than(before) {
                break;
            }
            if is_last {
                case_run.at_most = binding(reply.status);
                let finding = format!("the balance went from {before} to {after} by a call that was refused");
                return Err(Stop::Found(format!("{finding} with {}: {flaw}", reply.status)));
            }
            before = after;
        }
        Ok(())
    }

    /// Returns the request that reads the balance, with the credential of the case if the operation accepts it.
    fn account(&self, case_run: &CaseRun<'_>) -> Result<BalanceReading, Stop> {
        let catalogue = case_run.catalogue;
        let none = || Stop::missing("no call answers a balance: name one under [balance] in the contract");
        let balance = catalogue.balance().ok_or_else(none)?.clone();
        let reads = &catalogue.api.operations[balance.reads];
        let is_held = |kind: &str| case_run.identity.credentials.iter().any(|held| held.kind == kind);
        let needs = CredentialNeed::of(&Probe::Valid, &catalogue.contract, reads, false).unwrap_or_default();
        let is_opened =
            needs.len() == case_run.identity.credentials.len() && needs.iter().all(|need| is_held(&need.kind));
        let caller = if is_opened {
            case_run.identity.clone().at(&reads.path)
        } else {
            self.caller_for(&needs, reads).map_err(Stop::Missing)?
        };
        let (_, arguments) = catalogue.operation_named(&reads.id).ok_or_else(none)?;
        let maker = DraftBuilder { arguments, ..case_run.maker(self) };
        Ok(BalanceReading { reading: maker.draft(&Probe::Valid, reads, &caller).map_err(Stop::Missing)?, balance })
    }

    async fn balance(&self, case_run: &mut CaseRun<'_>, account: &BalanceReading) -> Result<Amount, Stop> {
        let reply = self.step(&account.reading, &mut case_run.sent).await?;
        let Draft { method, url, .. } = &account.reading;
        if !reply.is_success() {
            return Err(Stop::missing(format!(
                "{method} {} does not answer the balance: {}",
                url.path(),
                reply.status
            )));
        }
        let at = &account.balance.at;
        let read = account.balance.read(&reply.body);
        read.ok_or_else(|| Stop::missing(format!("{method} {} has no amount at `{at}`", url.path())))
    }

    /// Returns calls that the server has to refuse, each with a description of its flaw, if there is an identity to send them.
    fn refusals(&self, case_run: &CaseRun<'_>) -> Vec<(&'static str, Draft)> {
        let (api, contract) = (&case_run.catalogue.api, &case_run.catalogue.contract);
        let operation = case_run.catalogue.operation(case_run.case);
        let makes_it =
            |name: &str| self.live.as_ref().is_some_and(|live| live.effect(operation) == Effect::CreatesAt(name));
        let id = last_parameter(&operation.path).filter(|name| !makes_it(name));
        let bad: Vec<(&str, Probe)> = [
            ("a body that breaks off", Probe::BrokenJson),
            ("a required member is missing", Probe::MissingField),
            ("a list for an object, or the other way round", Probe::WrongTopLevel),
            ("the token lacks the scope", Probe::LackingScope),
            ("the token has expired", Probe::ExpiredToken),
            ("the token was revoked", Probe::RevokedToken),
            ("the token was never issued", Probe::UnknownToken),
            ("no token", Probe::NoToken),
        ]
        .into_iter()
        .chain(id.map(|name| ("an id that nobody has", Probe::UnknownId(name.to_owned()))))
        .collect();
        let meant = bad.into_iter().filter(|(_, probe)| applies(probe, api, contract, operation));
        let draft = |(flaw, probe): (&'static str, Probe)| {
            let caller = match probe {
                Probe::LackingScope | Probe::ExpiredToken | Probe::RevokedToken => {
                    self.other(case_run, &probe, operation)?
                }
                _ => case_run.identity.clone(),
            };
            let caller = Identity { ids: case_run.identity.ids.clone(), ..caller };
            Some((flaw, case_run.maker(self).draft(&probe, operation, &caller).ok()?))
        };
        meant.filter_map(draft).collect()
    }

    /// Returns the identity that calls instead of the main one: the one with the fewest rights, if there are several.
    fn other(&self, case_run: &CaseRun<'_>, probe: &Probe, operation: &Operation) -> Option<Identity> {
        let needs = CredentialNeed::of(probe, &case_run.catalogue.contract, operation, false)?;
        match needs.as_slice() {
            [need] => self.identities.least(need).or_else(|| self.identities.find(need).ok()),
            several => self.caller_for(several, operation).ok(),
        }
    }
}

/// Returns whether a call was refused because of its flaw.
fn is_refusal(reply: &Reply) -> bool {
    (400..500).contains(&reply.status) && reply.status != 429
}

/// Returns the level of the rule for a refusal with this status. A call that is unauthorized or malformed was not executed. A 404 or
/// another refusal may need a lookup that costs money.
fn binding(status: u16) -> Level {
    match status {
        400 | 401 | 403 | 413 | 415 | 422 => Level::Must,
        _ => Level::Should,
    }
}
