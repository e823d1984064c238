//! Webhook deliveries: a call passes the URL of a receiver to the server, and the deliveries to it are judged. All rules about one webhook
//! of an operation judge the same deliveries, so that the calls are sent once.

mod judge;
mod receiver;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use keyfit::webhook::Verifier;
use keyfit_openapi::{Api, Operation};
use reqwest::Url;
use reqwest::header::HeaderName;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use self::judge::{Deliveries, DocumentedWebhook};
use self::receiver::{Delivery, DeliverySlot};
pub use self::receiver::{Receiver, ReceiverAddress};
use super::case_run::{CaseRun, SentRequest, requests};
use super::request::{Draft, DraftBuilder};
use super::{TargetServer, is_loopback};
use crate::contract::{Contract, DeliveryCheck, Level, Probe, Rule};
use crate::credential::identity::CredentialNeed;
use crate::credential::secret::Secret;
use crate::document::body;
use crate::judgement::missing::Missing;
use crate::judgement::verdict::{BrokenAspect, Exchange, Outcome};
use crate::text::pointer::put;
use crate::webhook::{CallContext, Hook, MessagePart, hooks, member};

/// The time in seconds within which a delivery has to arrive if the contract has no limit.
const DEFAULT_DEADLINE: u64 = 5;
/// The time in which a live server may repeat a delivery that was accepted.
const REPEAT_WINDOW: Duration = Duration::from_secs(2);
/// The same for the mock, which repeats at once.
const MOCK_REPEAT_WINDOW: Duration = Duration::from_millis(100);

/// The receiver of a target, and the deliveries to it.
#[derive(Default)]
pub(super) struct Webhooks {
    receiver: OnceCell<Result<Receiver, Missing>>,
    observed: Mutex<HashMap<Key, Arc<OnceCell<ObservedDeliveries>>>>,
}

/// The index of the operation that passes the URL, the name of the webhook, and whether the first delivery is refused.
type Key = (usize, String, bool);

/// The calls for a webhook, and their results.
struct ObservedDeliveries {
    slot: Arc<DeliverySlot>,
    /// True if the receiver refuses the first delivery as if it were unavailable.
    refuses: bool,
    /// The instant from which deliveries belong to these calls.
    since: Instant,
    /// The reason why the deliveries cannot be judged.
    stop: Option<Missing>,
    /// The URL to which the deliveries have to be sent; `None` if the calls do not determine it.
    url: Option<Url>,
    /// The calls.
    exchanges: Vec<Exchange>,
    /// The secrets that the deliveries must not contain.
    secrets: Vec<Secret>,
}

impl ObservedDeliveries {
    /// Marks the instant from which deliveries belong to these calls.
    fn begin(&mut self) {
        self.since = Instant::now();
        if self.refuses {
            self.slot.refuse();
        }
    }
}

impl Webhooks {
    /// Sets the receiver that the user configured.
    pub(super) fn with(receiver: Receiver) -> Self {
        Self { receiver: OnceCell::new_with(Some(Ok(receiver))), ..Self::default() }
    }

    /// Returns the receiver: the user's, or one on the local machine for a server on the local machine.
    async fn receiver(&self, server: &Url) -> Result<&Receiver, Missing> {
        let here = || async {
            if is_loopback(server) {
                return Receiver::here().await.map_err(Missing::new);
            }
            let what = "the server is elsewhere, and delivers to nobody here";
            let value = "HOST:PORT, or URL=HOST:PORT where it reaches this machine by that URL";
            Err(Missing::new(what).pass_value("--receiver", value))
        };
        self.receiver.get_or_init(here).await.as_ref().map_err(Missing::clone)
    }

    fn cell(&self, key: Key) -> Arc<OnceCell<ObservedDeliveries>> {
        let mut observed = self.observed.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(observed.entry(key).or_default())
    }
}

impl TargetServer {
    /// Runs a case about deliveries. The probe of the trial is the one with which the URL is passed.
    pub(super) async fn check_delivery(&self, mut case_run: CaseRun<'_>) -> Outcome {
        let (catalogue, case) = (case_run.catalogue, case_run.case);
        let operation = catalogue.operation(case);
        let all = hooks(&catalogue.api, &catalogue.contract, operation);
        let hook = all.iter().find(|hook| case.variant.as_deref() == Some(hook.name));
        let (Some(hook), Some(check)) = (hook, case_run.expect.delivery) else {
            return Outcome::error("the rule is about no webhook of the operation");
        };
        let receiver = match self.webhooks.receiver(self.servers.base()).await {
            Ok(receiver) => receiver,
            Err(missing) => return Outcome::skip(missing),
        };
        let refuses = check.is_of_refused();
        let cell = self.webhooks.cell((case.operation, hook.name.to_owned(), refuses));
        let observed = cell.get_or_init(|| self.observe(&mut case_run, hook, receiver.slot(), refuses)).await;
        let mut outcome = self.judged_delivery(&case_run, hook, check, observed, receiver).await;
        outcome.requests = requests(&case_run.sent);
        outcome.observations = case_run.observations();
        outcome.identity = Some(case_run.identity.name).filter(|_| self.live.is_some());
        outcome
    }

    /// Makes the calls, and waits for a delivery that matches the document.
    async fn observe(
        &self,
        case_run: &mut CaseRun<'_>,
        hook: &Hook<'_>,
        slot: Arc<DeliverySlot>,
        refuses: bool,
    ) -> ObservedDeliveries {
        let mut observed = ObservedDeliveries {
            slot,
            refuses,
            since: Instant::now(),
            stop: None,
            url: None,
            exchanges: Vec::new(),
            secrets: Vec::new(),
        };
        match self.trigger_delivery(case_run, hook, &mut observed).await {
            Ok(()) => {
                let within = Duration::from_secs(hook.terms.map_or(DEFAULT_DEADLINE, |terms| terms.within_seconds));
                let documented = DocumentedWebhook { api: &case_run.catalogue.api, hook, url: observed.url.as_ref() };
                let since = observed.since;
                let is_there =
                    |received: &[Delivery]| received.iter().any(|one| one.at >= since && documented.fits(one));
                if self.wait_for(&observed.slot, is_there, Instant::now() + within).await.is_none() {
                    observed.stop = Some("the run was ended during it".into());
                }
            }
            Err(missing) => observed.stop = Some(missing),
        }
        observed.exchanges = case_run.exchanges(case_run.sent.iter());
        let sent = case_run.sent.iter().flat_map(|sent| &sent.draft.secrets);
        observed.secrets = sent.chain(case_run.identity.secrets()).cloned().collect();
        observed
    }

    /// Returns whether the deliveries fit before an instant; `None` if the run ends before that.
    async fn wait_for(&self, slot: &DeliverySlot, fits: impl Fn(&[Delivery]) -> bool, until: Instant) -> Option<bool> {
        let over = async {
            if let Some(live) = &self.live {
                return live.limit_windows.waits_until(until).await;
            }
            tokio::time::sleep_until(until).await;
            true
        };
        tokio::select! {
            biased;
            () = slot.holds(fits) => Some(true),
            went_on = over => went_on.then_some(false),
        }
    }

    /// Passes the URL, and causes the server to deliver.
    async fn trigger_delivery(
        &self,
        case_run: &mut CaseRun<'_>,
        hook: &Hook<'_>,
        observed: &mut ObservedDeliveries,
    ) -> Result<(), Missing> {
        let operation = case_run.catalogue.operation(case_run.case);
        self.find_ids(case_run).await;
        self.select_resource(case_run).await?;
        let mut draft = case_run.maker(self).draft(case_run.probe, operation, &case_run.identity)?;
        add_callback_url(&case_run.catalogue.api, operation, hook, &observed.slot.url, &mut draft)?;
        // Deliveries before the triggering call are about another event, such as the registration. At a mock, other cases make that call at
        // the same time.
        let is_separate = hook.trigger(operation).is_some() && self.live.is_some();
        if !is_separate {
            observed.begin();
        }
        let sent = self.send(&draft).await;
        let called = CallbackContext { sent: &sent, operation };
        observed.url = match &hook.url {
            Some(url) => url.of(&called).and_then(|url| url.parse().ok()),
            None => Some(observed.slot.url.clone()),
        };
        let refusal = served(&sent, "the call that hands over the URL");
        case_run.sent.push(sent);
        refusal?;
        if let Some(trigger) = hook.trigger(operation) {
            let draft = self.trigger(case_run, trigger).await?;
            if is_separate {
                observed.begin();
            }
            let sent = self.send(&draft).await;
            let refusal = served(&sent, "the call that makes the server deliver");
            case_run.sent.push(sent);
            refusal?;
        }
        Ok(())
    }

    /// Returns the call that causes the server to deliver.
    async fn trigger(&self, case_run: &CaseRun<'_>, id: &str) -> Result<Draft, Missing> {
        let catalogue = case_run.catalogue;
        let named = catalogue.operation_named(id);
        let (operation, arguments) = named.ok_or_else(|| Missing::new(format!("there is no operation `{id}`")))?;
        let probe = call(&catalogue.contract, operation);
        let needs = CredentialNeed::of(probe, &catalogue.contract, operation, false)
            .ok_or_else(|| Missing::new(format!("no kind of token of the contract fits `{id}`")))?;
        let mut identity = self.caller_for(&needs, operation)?;
        match &self.live {
            Some(live) => self.select_resource_for_setup(live, catalogue, operation, &mut identity).await?,
            None => identity.ids.extend(case_run.identity.ids.clone()),
        }
        DraftBuilder { arguments, ..case_run.maker(self) }.draft(probe, operation, &identity)
    }

    /// Judges the deliveries.
    async fn judged_delivery(
        &self,
        case_run: &CaseRun<'_>,
        hook: &Hook<'_>,
        check: DeliveryCheck,
        observed: &ObservedDeliveries,
        receiver: &Receiver,
    ) -> Outcome {
        let verifier = match self.ready(hook, check, observed).await {
            Ok(verifier) => verifier,
            Err(missing) => return Outcome::skip(missing),
        };
        let deliveries = Deliveries {
            documented: DocumentedWebhook { api: &case_run.catalogue.api, hook, url: observed.url.as_ref() },
            received: observed.slot.since(observed.since),
            since: observed.since,
            verifier: verifier.as_ref(),
            secrets: &observed.secrets,
            redactor: &self.redactor,
        };
        if deliveries.received.is_empty() && check != DeliveryCheck::Arrives {
            let arrives = |rule: &&Rule| {
                let check = rule.expect.as_ref().and_then(|expect| expect.delivery);
                check == Some(DeliveryCheck::Arrives) && rule.covers(&case_run.catalogue.operation(case_run.case).id)
            };
            let root = case_run.catalogue.contract.rules.iter().find(arrives);
            return Outcome { follows: root.map(|rule| rule.id.clone()), ..Outcome::skip("no delivery came") };
        }
        let Some(finding) = deliveries.finding(check) else { return Outcome::pass() };
        // A server in a container, for example, may not reach the loopback interface of this machine.
        let is_sure = check != DeliveryCheck::Arrives || self.live.is_none() || receiver.is_reachable();
        let mut outcome = if is_sure {
            Outcome::broken(case_run.case.level, finding)
        } else {
            let why = "name a receiver that it does with --receiver";
            let open = format!("{finding}; it is open whether the server reaches {}: {why}", receiver.url());
            Outcome::broken(Level::Observe, open)
        };
        outcome =
            outcome.by(if check == DeliveryCheck::NoCredential { BrokenAspect::Leak } else { BrokenAspect::Content });
        outcome.exchanges.clone_from(&observed.exchanges);
        outcome.exchanges.extend(deliveries.exchanges());
        outcome
    }

    /// Waits until a check can be judged. Returns the verifier if it is about signatures.
    async fn ready(
        &self,
        hook: &Hook<'_>,
        check: DeliveryCheck,
        observed: &ObservedDeliveries,
    ) -> Result<Option<Verifier>, Missing> {
        if let Some(missing) = &observed.stop {
            return Err(missing.clone());
        }
        let terms = hook.terms;
        let wait = match check {
            DeliveryCheck::Once if self.live.is_some() => REPEAT_WINDOW,
            DeliveryCheck::Once => MOCK_REPEAT_WINDOW,
            DeliveryCheck::Repeated => {
                Duration::from_secs(terms.and_then(|terms| terms.repeated_within_seconds).unwrap_or(DEFAULT_DEADLINE))
            }
            DeliveryCheck::Signed => {
                let Some(signature) = terms.and_then(|terms| terms.signature.as_ref()) else { return Ok(None) };
                let secret = self.identities.webhook_secret(hook.name)?;
                let verifier = Verifier::new(signature.clone(), secret.reveal());
                return verifier.map(Some).map_err(|error| Missing::new(error.to_string()));
            }
            _ => return Ok(None),
        };
        let since = observed.since;
        let Some(first) = observed.slot.since(since).first().map(|one| one.at) else { return Ok(None) };
        let is_twice = |received: &[Delivery]| judge::repeated(received, since, None).is_some();
        let went_on = self.wait_for(&observed.slot, is_twice, first + wait).await;
        went_on.map(|_| None).ok_or_else(|| Missing::new("the run was ended during it"))
    }
}

/// Adds the URL of the receiver to the call, and other values that the contract requires.
fn add_callback_url(
    api: &Api,
    operation: &Operation,
    hook: &Hook<'_>,
    url: &Url,
    draft: &mut Draft,
) -> Result<(), Missing> {
    let mut members: Vec<(&str, Value)> = Vec::new();
    if let Some(terms) = hook.terms {
        members.extend(terms.with.iter().map(|(at, value)| (at.as_str(), value.clone())));
    }
    match &hook.given_by {
        MessagePart::Body(at) => members.push((at, json!(url.as_str()))),
        MessagePart::Query(name) => {
            let others: Vec<(String, String)> =
                draft.url.query_pairs().into_owned().filter(|(known, _)| known != name).collect();
            draft.url.query_pairs_mut().clear().extend_pairs(others).append_pair(name, url.as_str());
        }
        MessagePart::Header(name) => {
            let name: HeaderName =
                name.parse().map_err(|_| Missing::new(format!("`{name}`, which shall hold the URL, is no header")))?;
            draft.headers.retain(|(known, _)| *known != name);
            draft.headers.push((name, url.to_string()));
        }
        MessagePart::Path(name) => {
            return Err(Missing::new(format!("the URL cannot be handed over in the path, as `{name}`")));
        }
    }
    if members.is_empty() {
        return Ok(());
    }
    let no_body = || Missing::new(format!("`{}` takes no body that could hold the URL", operation.id));
    let documented = operation.body.as_ref().ok_or_else(no_body)?;
    let sent = draft.body.as_deref().and_then(|bytes| body::read(api, documented, &draft.media_type, bytes));
    let mut value = sent.unwrap_or_else(|| json!({}));
    for (at, member) in members {
        put(&mut value, at, member);
    }
    let bytes = body::encoded(api, documented, &value);
    draft.media_type = body::media_type_of(api, documented, &bytes).into();
    draft.body = Some(bytes);
    Ok(())
}

/// Returns an error if a call was not served: then no delivery is expected.
fn served(sent: &SentRequest, what: &str) -> Result<(), Missing> {
    let Draft { method, url, .. } = &sent.draft;
    let problem = match &sent.reply {
        Ok(reply) if reply.is_success() => return Ok(()),
        Ok(reply) => format!("is answered {}", reply.status),
        Err(reason) => format!("is not answered: {reason}"),
    };
    Err(Missing::new(format!("{what}, {method} {}, {problem}", url.path())))
}

/// Returns the probe of an operation that causes deliveries: without a credential if none can be sent.
pub(super) fn call(contract: &Contract, operation: &Operation) -> &'static Probe {
    if contract.alternatives(operation).next().is_some() { &Probe::Valid } else { &Probe::Anonymous }
}

/// A call, for the expressions of a callback.
struct CallbackContext<'a> {
    sent: &'a SentRequest,
    operation: &'a Operation,
}

impl CallContext for CallbackContext<'_> {
    fn url(&self) -> String {
        self.sent.draft.url.to_string()
    }

    fn method(&self) -> String {
        self.sent.draft.method.clone()
    }

    fn status(&self) -> Option<u16> {
        self.sent.answer().map(|reply| reply.status)
    }

    fn request(&self, part: &MessagePart) -> Option<String> {
        let draft = &self.sent.draft;
        match part {
            MessagePart::Body(at) => member(draft.body.as_deref()?, at),
            MessagePart::Query(name) => {
                draft.url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into())
            }
            MessagePart::Header(name) => {
                let mut headers = draft.headers.iter();
                headers.find(|(known, _)| known.as_str().eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
            }
            MessagePart::Path(name) => {
                self.operation.parameters.iter().find(|one| one.name == *name)?;
                draft.ids.get(name).cloned()
            }
        }
    }

    fn response(&self, part: &MessagePart) -> Option<String> {
        let reply = self.sent.answer()?;
        match part {
            MessagePart::Body(at) => member(&reply.body, at),
            MessagePart::Header(name) => reply.headers.get(name)?.to_str().ok().map(str::to_owned),
            MessagePart::Query(_) | MessagePart::Path(_) => None,
        }
    }
}
