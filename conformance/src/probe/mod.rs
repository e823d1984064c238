//! The server side: raw HTTP requests to a base URL, one flawed request per case, and a judgement of the answer.

mod answers;
mod at_once;
mod case_run;
mod chain;
mod challenge;
mod charge;
mod conditions;
mod cross_origin;
mod flow;
mod foreign;
mod grant;
mod headers;
mod idempotency;
mod invalid;
mod judge;
mod jwt;
mod keys;
mod limit_windows;
mod live;
mod oauth;
mod one_way;
mod outage;
mod outcome;
mod pages;
mod receive;
mod renewal;
mod reply;
mod request;
mod seen_limit;
mod servers;
mod spelling;
mod transport;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use keyfit_openapi::{Operation, Retry};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Url};

pub(crate) use self::answers::is_password;
use self::flow::Stop;
use self::keys::KeyFlow;
pub use self::live::{CleanupReport, LivePolicy};
use self::live::{LiveServer, RunPhase};
pub(crate) use self::live::{id_member, ids_listed, item_among, last_parameter, lists_rights, parent_of};
use self::oauth::OAuthFlow;
pub(crate) use self::outage::DIED_BEFORE;
pub(crate) use self::pages::{can_be_walked, hands_out_urls, takes_any_cursor};

use self::case_run::{CaseRun, SentRequest, requests};
use self::receive::{NoReply, receive};
pub(crate) use self::reply::Reply;
use self::request::{Draft, is_of_both_cases};
pub use self::servers::{Servers, known as known_servers};
use self::transport::CertificateChoice;
pub use self::transport::{Http, TransportSettings, http_client, is_loopback};
use self::webhook::Webhooks;
pub use self::webhook::{Receiver, ReceiverAddress};
use crate::catalogue::{Case, Catalogue};
use crate::contract::{Contract, JwtProbe, KeyManagement, Level, Probe, Rate, RateLimit};
use crate::credential::identity::{ConfiguredIdentity, CredentialNeed, Identities, Identity, Rights, State};
use crate::credential::secret::Redactor;
use crate::judgement::missing::Missing;
use crate::judgement::verdict::{NO_CREDENTIAL, Outcome, UNKNOWN_CREDENTIAL};
use crate::run::Halt;

/// The number of calls after which a rate limit counts as unreachable: a probe must not load a live server.
const MOST_CALLS: usize = 50;
/// The tolerance for the difference between the clocks of client and server.
const CLOCK_TOLERANCE: Duration = Duration::from_millis(50);
/// The pauses in milliseconds between requests to a server that accepts connections and breaks them, as it may do while it shuts down.
const PAUSES_MS: [u64; 5] = [50, 100, 200, 400, 800];

/// A server under test.
pub struct TargetServer {
    servers: Servers,
    identities: Arc<dyn Identities>,
    redactor: Redactor,
    http: Http,
    /// The state of a live server; `None` for a mock.
    live: Option<LiveServer>,
    rate_limit: Option<RateLimit>,
    /// The client certificate for the reachability check.
    certificate: CertificateChoice,
    /// The deliveries of its webhooks.
    webhooks: Webhooks,
}

impl TargetServer {
    /// Creates a target for the server at a base URL, called with these identities.
    pub fn new(http: impl Into<Http>, base_url: Url, identities: Arc<dyn Identities>, redactor: Redactor) -> Self {
        let servers = Servers::new(base_url);
        Self {
            servers,
            identities,
            redactor,
            http: http.into(),
            live: None,
            rate_limit: None,
            certificate: CertificateChoice::Usual,
            webhooks: Webhooks::default(),
        }
    }

    /// Sets several servers in place of the one base URL.
    #[must_use]
    pub fn with_servers(mut self, servers: Servers) -> Self {
        self.servers = servers;
        self
    }

    /// Sets the receiver for webhook deliveries.
    #[must_use]
    pub fn delivering_to(mut self, receiver: Receiver) -> Self {
        self.webhooks = Webhooks::with(receiver);
        self
    }

    /// Makes the target a live server: requests respect the rate limits of the contract and the user's policy. Once the run is halted,
    /// no request waits for a window.
    #[must_use]
    pub fn live(mut self, catalogue: &Catalogue, halt: Halt, policy: LivePolicy) -> Self {
        self.rate_limit.clone_from(&catalogue.contract.rate_limit);
        let certificates = catalogue.contract.credentials.iter().filter(|kind| kind.is_certificate());
        let identity = certificates.map(CredentialNeed::of_valid).find_map(|need| self.identities.find(&need).ok());
        self.certificate = identity
            .and_then(|identity| identity.secrets().next().cloned())
            .map_or(CertificateChoice::Usual, CertificateChoice::This);
        self.live = Some(LiveServer::new(catalogue, halt, policy));
        self
    }

    /// Checks whether the server answers at all, with any status.
    ///
    /// # Errors
    /// Returns an error if the server cannot be reached.
    pub async fn reach(&self) -> Result<(), String> {
        if let Some(live) = &self.live {
            live.wait_for_slot(RunPhase::AtTheEnd).await;
        }
        self.answers().await.map_err(|failure| failure.reason)
    }

    /// Sends the request at once.
    async fn answers(&self) -> Result<(), NoReply> {
        let http = self.http.showing(&self.certificate).map_err(NoReply::unsent)?;
        receive::head(http.request(Method::GET, self.servers.base().clone())).await.map(drop)
    }

    /// Runs one server-side case.
    pub async fn check(&self, catalogue: &Catalogue, case: &Case) -> Outcome {
        let Some(live) = &self.live else { return self.checked(catalogue, case).await };
        live.server_health.begin(&case.id);
        let outcome = self.checked(catalogue, case).await;
        live.server_health.finish();
        outcome
    }

    async fn checked(&self, catalogue: &Catalogue, case: &Case) -> Outcome {
        let rule = catalogue.rule(case);
        let (Some(probe), Some(expect)) = (&rule.probe, &rule.expect) else {
            return Outcome::error("the rule is not one for servers");
        };
        if *probe == Probe::Any {
            return Outcome::skip("no answer of the operation was seen");
        }
        let operation = catalogue.operation(case);
        let alone = expect.rate == Some(Rate::CostsOne) || *probe == Probe::RefusedSpending;
        // Concurrent calls of other cases could cause deliveries as well.
        let counts = alone
            || probe.is_of_webhooks()
            || matches!(
                probe,
                Probe::Exhausted | Probe::AtOnce | Probe::SeenLimit | Probe::Recovered | Probe::Pages | Probe::Chain(_)
            );
        if let Some(missing) = self.live.as_ref().and_then(|live| live.refusal(catalogue, case)) {
            return Outcome::skip(missing);
        }
        let _turn = match &self.live {
            Some(live) => Some(live.limit_windows.permit(counts).await),
            // At a mock, each case has its own window.
            None => None,
        };
        if let Some(question) = self.open_question(probe, catalogue, operation) {
            return Outcome::skip(question);
        }
        let probe = if probe.is_of_webhooks() { webhook::call(&catalogue.contract, operation) } else { probe };
        let Some(needs) = CredentialNeed::of(probe, &catalogue.contract, operation, alone) else {
            return Outcome::skip("no kind of token of the contract fits the operation");
        };
        self.renew_tokens().await;
        let identity = match self.caller_for(&needs, operation) {
            Ok(identity) => identity,
            // The probe creates or signs its own credentials; only the ids of the identity are used.
            Err(_) if matches!(probe, Probe::Oauth(_) | Probe::Jwt(_)) => {
                Identity::without_credential(self.identities.ids(&operation.path))
            }
            Err(missing) => return Outcome::skip(missing),
        };
        if let Some(why) = self.expiry_reason(&identity).await {
            return Outcome::error(why);
        }
        if let Some(kind) = self.other_kind_at(probe, &identity, operation) {
            let name = &identity.name;
            return Outcome::skip(format!(
                "the token of `{name}` is one of the kind `{kind}` as well, which opens the call"
            ));
        }
        let presented = identity.secrets().cloned().collect();
        let case_run = CaseRun {
            catalogue,
            case,
            probe,
            expect,
            identity,
            live: self.live.as_ref(),
            extra: &self.http.extra,
            undecided: None,
            redactor: &self.redactor,
            base_path: self.servers.base().path(),
            sent: Vec::new(),
            found: None,
            at_most: Level::Must,
            presented,
            sent_flaws: Vec::new(),
        };
        match &catalogue.contract.key_management {
            _ if expect.delivery.is_some() => self.check_delivery(case_run).await,
            Some(keys) if keys.concern(probe, operation) => self.run_with_keys(keys, case_run).await,
            _ => self.run(case_run).await,
        }
    }

    /// Returns the kind under which the other credential of the probe is valid for the operation, according to the tokens file.
    fn other_kind_at(&self, probe: &Probe, identity: &Identity, operation: &Operation) -> Option<String> {
        let Probe::OtherKind(_) = probe else { return None };
        let opens = |known: &ConfiguredIdentity| {
            known.state == State::Valid
                && operation.security.accepts_alone(&known.kind)
                && identity.secrets().any(|secret| secret.reveal() == known.secret.reveal())
        };
        self.identities.known().into_iter().find(opens).map(|known| known.kind)
    }

    /// Returns an identity that meets these needs for an operation; an anonymous one if there are none.
    fn caller_for(&self, needs: &[CredentialNeed], operation: &Operation) -> Result<Identity, Missing> {
        if needs.is_empty() {
            return Ok(Identity::without_credential(self.identities.ids(&operation.path)));
        }
        let all: Vec<Identity> = needs.iter().map(|need| self.identities.find(need)).collect::<Result<_, _>>()?;
        Ok(Identity::joined(all).at(&operation.path))
    }

    async fn run(&self, mut case_run: CaseRun<'_>) -> Outcome {
        self.find_ids(&mut case_run).await;
        let subject = match self.select_resource(&mut case_run).await {
            Ok(subject) => subject,
            Err(missing) => return Outcome::skip(missing),
        };
        let stop = self.send_all(&mut case_run).await.err();
        let is_gone = case_run.sent.iter().filter_map(SentRequest::answer).any(Reply::is_success);
        let removes = case_run.catalogue.operation(case_run.case).method == "DELETE";
        let gone =
            case_run.sent.last().and_then(|sent| sent.draft.ids.get_key_value(subject?)).filter(|_| is_gone && removes);
        if let Some((parameter, id)) = gone {
            self.identities.expended(&case_run.catalogue.operation(case_run.case).path, parameter, id);
        }
        let calls = self.calls(&case_run);
        Outcome { calls, ..case_run.end(stop, None) }
    }

    /// Returns the identities that called the operation with a valid request, except for the rights of the credential, and the statuses.
    fn calls(&self, case_run: &CaseRun<'_>) -> Vec<(String, u16)> {
        let is_whole = matches!(
            case_run.probe,
            Probe::Valid
                | Probe::Anonymous
                | Probe::NoToken
                | Probe::UnknownToken
                | Probe::RevokedToken
                | Probe::ExpiredToken
                | Probe::LackingScope
                | Probe::OnlyItsScope
                | Probe::IncludingScope
                | Probe::NoScopes
                | Probe::OtherKind(_)
        );
        if self.live.is_none() || !is_whole || case_run.undecided.is_some() {
            return Vec::new();
        }
        let known = self.identities.known();
        let name = |sent: &SentRequest| match sent.draft.secrets.first() {
            None => Some(NO_CREDENTIAL.to_owned()),
            Some(_) if *case_run.probe == Probe::UnknownToken => Some(UNKNOWN_CREDENTIAL.to_owned()),
            // Several credentials together do not identify one identity.
            Some(secret) if sent.draft.secrets.len() == 1 => {
                known.iter().find(|one| one.secret.reveal() == secret.reveal()).map(|one| one.name.clone())
            }
            Some(_) => None,
        };
        let answered = case_run.sent.iter().filter_map(|sent| Some((name(sent)?, sent.answer()?.status)));
        answered.filter(|(_, status)| *status != 429).collect()
    }

    /// Returns all identities that the user describes.
    pub(crate) fn known(&self) -> Vec<ConfiguredIdentity> {
        self.identities.known()
    }

    /// Returns the question that the user has to answer first if no identity has the scopes of an operation: without one, a refusal of
    /// other identities shows nothing.
    fn open_question(&self, probe: &Probe, catalogue: &Catalogue, operation: &Operation) -> Option<Missing> {
        if self.live.is_none() || !probe.is_about_scopes() || operation.scopes.is_empty() {
            return None;
        }
        let kinds = || catalogue.contract.kinds_of(operation);
        let first = kinds().find(|kind| kind.is_scoped())?;
        // A call that is served with another kind is a sufficient control.
        let is_held = kinds().any(|kind| {
            let scopes = if kind.is_scoped() { &operation.scopes[..] } else { &[] };
            !kind.resources.is_empty() || self.identities.holds(&kind.kind, scopes)
        });
        let scopes = operation.scopes.join("`, `");
        (!is_held).then(|| {
            let need = CredentialNeed {
                rights: Rights::Only(operation.scopes.iter().cloned().collect()),
                ..CredentialNeed::of_valid(first)
            };
            Missing::new(format!("which identity has `{scopes}`? The tokens file names none"))
                .add("[[identity]]", need.entry())
        })
    }

    /// Runs a case with an API key as its subject, if the operation is about keys. Each key is revoked at the end of the case.
    async fn run_with_keys(&self, keys: &KeyManagement, mut case_run: CaseRun<'_>) -> Outcome {
        let operation = case_run.catalogue.operation(case_run.case);
        let spared = self.live.as_ref().map(|live| self.refuse_foreign_change(live, case_run.probe, operation));
        if let Some(Err(missing)) = spared {
            return Outcome::skip(missing);
        }
        let admin = match case_run.probe {
            Probe::Key(_) => case_run.identity.clone(),
            _ => match self.identities.find(&CredentialNeed::of_admin(keys)) {
                Err(missing) if keys.has_subject(&operation.id) => return Outcome::skip(missing),
                // Then a key that is created by mistake is revoked by the identity that created it.
                Err(_) => case_run.identity.clone(),
                Ok(admin) => admin.at(&operation.path),
            },
        };
        let mut flow = KeyFlow::new(self, case_run.catalogue, keys, operation, admin);
        let stop = match case_run.probe {
            Probe::Key(probe) => flow.run(*probe).await,
            Probe::UnknownId(_) => self.send_all(&mut case_run).await,
            _ if keys.has_subject(&operation.id) => match flow.subject().await {
                Ok(id) => {
                    case_run.identity.ids.insert(keys.id_parameter.clone(), id);
                    self.send_all(&mut case_run).await
                }
                Err(stop) => Err(stop),
            },
            _ => self.send_all(&mut case_run).await,
        };
        let left = flow.revoke_all(&case_run.sent).await;
        let is_judged = matches!(case_run.probe, Probe::Key(_));
        let before = if is_judged || stop.is_err() {
            case_run.sent = flow.sent;
            0
        } else {
            requests(&flow.sent)
        };
        let created_key = flow.created_key.filter(|_| is_judged);
        if let Some(key) = &created_key {
            case_run.presented = vec![key.secret.clone()];
        }
        let mut outcome = left.report(case_run.end(stop.err(), created_key.as_ref()));
        outcome.requests += before;
        outcome
    }

    /// Sends the requests of a case, except those of key probes.
    async fn send_all(&self, case_run: &mut CaseRun<'_>) -> Result<(), Stop> {
        let (catalogue, probe) = (case_run.catalogue, case_run.probe);
        let operation = catalogue.operation(case_run.case);
        match probe {
            Probe::UndeclaredMethod => return self.ask_for_undeclared(case_run).await,
            Probe::Invalid(flaw) => return self.send_bent(case_run, *flaw).await,
            Probe::OtherSpelling => return self.send_other_spellings(case_run).await,
            Probe::CrossOrigin => return self.send_cross_origin(case_run).await,
            Probe::Chain(link) => return self.follow_chain(case_run, *link).await,
            Probe::SeenLimit => return self.watch_limit(case_run).await,
            Probe::AtOnce => return self.fill_window(case_run).await,
            Probe::Pages => return self.walk_pages(case_run).await,
            Probe::RepeatedKey | Probe::ReusedKey => return self.repeat_under_a_key(case_run).await,
            Probe::NotModified | Probe::Modified => return self.read_under_a_tag(case_run).await,
            Probe::BrokenCursor => return self.send_broken_cursor(case_run).await,
            Probe::ForeignCursor => return self.send_foreign_cursor(case_run).await,
            Probe::NextPage => return self.send_next_page(case_run).await,
            Probe::RefusedSpending => return self.refuse_spending(case_run).await,
            Probe::ReadOnlyMembers => return self.send_read_only(case_run).await,
            Probe::ForeignQuery(name) => return self.send_foreign_query(case_run, name).await,
            Probe::ForeignMember(name) => return self.send_foreign_member(case_run, name).await,
            Probe::ForeignListed(name) => return self.send_listed(case_run, name).await,
            Probe::Foreign(name) if operation.retry == Retry::Safe && case_run.expect.compared_with().is_none() => {
                return self.send_foreign(case_run, name).await;
            }
            _ => {}
        }
        if *probe == Probe::LackingScope && self.is_served_with_fewest_rights(case_run).await? {
            return Ok(());
        }
        if *probe == Probe::OtherCaseToken && !case_run.identity.secrets().any(is_of_both_cases) {
            // If all letters are of one case, case-insensitive tokens are possible.
            case_run.at_most = Level::Should;
        }
        let (maker, identity) = (case_run.maker(self), &case_run.identity);
        if let (Probe::Oauth(probe), Some(server)) = (probe, &catalogue.contract.authorization_server) {
            let at_most = case_run.at_most;
            let mut flow =
                OAuthFlow { target: self, server, maker: &maker, operation, identity, sent: Vec::new(), at_most };
            let done = flow.run(*probe).await;
            (case_run.sent, case_run.at_most) = (flow.sent, flow.at_most);
            return done;
        }
        let draft = maker.draft(probe, operation, identity).map_err(Stop::Missing)?;
        if let Some(other) = case_run.expect.compared_with() {
            let other = maker.draft(other, operation, identity).map_err(Stop::Missing)?;
            case_run.sent.push(self.send(&other).await);
        }
        if *probe == Probe::Jwt(JwtProbe::ChangedClaims) {
            // A server may cache the signature.
            let good = maker.draft(&Probe::Jwt(JwtProbe::Good), operation, identity).map_err(Stop::Missing)?;
            case_run.sent.push(self.send(&good).await);
        }
        // A window that is already exhausted is the subject of the probe, so nothing waits for it.
        let is_of_limit = *probe == Probe::Exhausted;
        let sent = if is_of_limit { self.send_at_once(&draft).await } else { self.send(&draft).await };
        case_run.sent.push(sent);
        if case_run.expect.rate == Some(Rate::CostsOne) && case_run.is_in_a_new_window() {
            // The two calls belong to different windows: the last one is compared with another call.
            case_run.sent.push(self.send(&draft).await);
            let first = case_run.sent.remove(0);
            case_run.sent[0].requests += first.requests;
        }
        if matches!(probe, Probe::Exhausted | Probe::Recovered) {
            self.exhaust(&draft, &mut case_run.sent).await;
        }
        if *probe == Probe::Recovered {
            self.call_after_window(&draft, &catalogue.contract, &mut case_run.sent).await?;
        }
        if !draft.secrets.is_empty() {
            case_run.presented.clone_from(&draft.secrets);
        }
        case_run.presented.iter().for_each(|secret| self.redactor.learn(secret));
        Ok(())
    }

    /// Sends a changing call with the token that lacks its scope and has the fewest rights, before other tokens. Returns whether it is
    /// served: a finding then shows the least rights that suffice.
    async fn is_served_with_fewest_rights(&self, case_run: &mut CaseRun<'_>) -> Result<bool, Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let needs =
            CredentialNeed::of(case_run.probe, &case_run.catalogue.contract, operation, false).unwrap_or_default();
        let is_lacking = |need: &&CredentialNeed| matches!(need.rights, Rights::Without(_));
        let least = needs.iter().find(is_lacking).and_then(|need| self.identities.least(need));
        let Some(mut least) = least.filter(|least| {
            operation.retry != Retry::Safe
                && case_run.expect.compared_with().is_none()
                && needs.len() == 1
                && least.name != case_run.identity.name
        }) else {
            return Ok(false);
        };
        // It has the same target as the case.
        least.ids.clone_from(&case_run.identity.ids);
        let draft = case_run.maker(self).draft(case_run.probe, operation, &least).map_err(Stop::Missing)?;
        case_run.sent.push(self.send(&draft).await);
        let is_let_in = case_run.sent.iter().filter_map(SentRequest::answer).any(Reply::is_success);
        if is_let_in {
            case_run.identity = least;
            case_run.presented = draft.secrets;
        }
        Ok(is_let_in)
    }

    /// Calls until the window is exhausted. The first and the last call are kept.
    async fn exhaust(&self, draft: &Draft, sent: &mut Vec<SentRequest>) {
        for _ in 1..MOST_CALLS {
            let is_refused = sent.last().and_then(SentRequest::answer).is_none_or(|reply| reply.status == 429);
            if is_refused {
                return;
            }
            sent.push(self.send_at_once(draft).await);
        }
    }

    /// Waits for the end of an exhausted window, and calls again.
    async fn call_after_window(
        &self,
        draft: &Draft,
        contract: &Contract,
        sent: &mut Vec<SentRequest>,
    ) -> Result<(), Stop> {
        let refused = sent.last().and_then(SentRequest::answer).filter(|reply| reply.status == 429);
        let refused = refused.ok_or_else(|| Stop::missing(format!("no call of {MOST_CALLS} was refused with 429")))?;
        let wait = limit_windows::wait(contract.rate_limit.as_ref(), refused);
        if wait > limit_windows::MAX_WAIT {
            return Err(Stop::missing(format!(
                "the window ends in {} s only, which is not waited for",
                wait.as_secs()
            )));
        }
        let end = tokio::time::Instant::now() + wait + CLOCK_TOLERANCE;
        match &self.live {
            Some(live) if !live.limit_windows.waits_until(end).await => {
                return Err(Stop::missing("the run was ended during it"));
            }
            Some(_) => {}
            None => tokio::time::sleep_until(end).await,
        }
        sent.push(self.send_at_once(draft).await);
        Ok(())
    }

    /// Sends a request within the limits of a live server.
    async fn send(&self, draft: &Draft) -> SentRequest {
        let Some(live) = &self.live else { return self.send_at_once(draft).await };
        if !live.limit_windows.ready(draft).await {
            return SentRequest::unsent(draft, self.why_unsent());
        }
        let sent = self.send_at_once(draft).await;
        // A request that got a 429 was not executed; one that got a 503 may have been.
        let is_harmless = |reply: &Reply| reply.status == 429 || live.is_repeatable(draft);
        if !sent.answer().is_some_and(|reply| live.limit_windows.learn(draft, reply) && is_harmless(reply)) {
            return sent;
        }
        if !live.limit_windows.ready(draft).await {
            return SentRequest { reply: Err(self.why_unsent().to_owned()), ..sent };
        }
        let again = self.send_at_once(draft).await;
        SentRequest { requests: sent.requests + again.requests, ..again }
    }

    async fn send_at_once(&self, draft: &Draft) -> SentRequest {
        let Some(live) = &self.live else { return self.exchange(draft).await };
        if let Err(reason) = live.guard(draft, &*self.identities) {
            return SentRequest::unsent(draft, &reason);
        }
        if let Some(why) = live.token_renewals.stale(draft) {
            return SentRequest::unsent(draft, &why);
        }
        if self.has_stopped() || !live.wait_for_slot(RunPhase::Running).await {
            return SentRequest::unsent(draft, self.why_unsent());
        }
        let sent = self.exchange_with_health(live, draft, RunPhase::Running).await;
        self.with_renewed_token(live, sent, RunPhase::Running).await
    }

    /// Sends a request of the clean-up, even after the run is halted.
    async fn send_at_the_end(&self, draft: &Draft) -> SentRequest {
        let Some(live) = &self.live else { return self.exchange(draft).await };
        self.renew_tokens().await;
        let draft = &self.with_current_tokens(draft);
        if let Err(reason) = live.guard(draft, &*self.identities) {
            return SentRequest::unsent(draft, &reason);
        }
        live.wait_for_slot(RunPhase::AtTheEnd).await;
        let sent = self.exchange_with_health(live, draft, RunPhase::AtTheEnd).await;
        let sent = self.with_renewed_token(live, sent, RunPhase::AtTheEnd).await;
        let Some(reply) = sent.answer().filter(|reply| reply.status == 429) else { return sent };
        let wait = limit_windows::wait(self.rate_limit.as_ref(), reply);
        if wait > limit_windows::MAX_WAIT {
            return sent;
        }
        tokio::time::sleep_until(tokio::time::Instant::now() + wait.max(CLOCK_TOLERANCE)).await;
        live.wait_for_slot(RunPhase::AtTheEnd).await;
        let again = self.exchange_with_health(live, draft, RunPhase::AtTheEnd).await;
        SentRequest { requests: sent.requests + again.requests, ..again }
    }

    /// Sends one request to a server that may stop because of it.
    async fn exchange_with_health(&self, live: &LiveServer, draft: &Draft, phase: RunPhase) -> SentRequest {
        let mut sent = self.exchange(draft).await;
        live.record_health(&sent);
        // A kept connection may be closed at the moment of its next use.
        let is_sent_again =
            sent.reply.is_err() && (sent.is_unconnected || live.is_repeatable(draft)) && sent.requests > 0;
        if is_sent_again && live.wait_for_slot(phase).await {
            let again = self.exchange(draft).await;
            live.record_health(&again);
            sent = SentRequest { requests: sent.requests + again.requests, ..again };
        }
        let after = match &sent.reply {
            Ok(reply) => self.list_after(live, draft, reply, phase).await,
            Err(_) => None,
        };
        let reply = sent.reply.as_ref().map_err(String::as_str);
        live.learn(draft, reply, after.as_deref(), &*self.identities, &self.redactor);
        if let Err(reason) = &sent.reply
            && sent.requests > 0
        {
            let (asked, failure) = self.outage_reason(live, phase).await;
            sent.requests += asked;
            if let Some(failure) = failure {
                sent.reply = Err(live.end_run(reason, failure.is_refused));
            }
        }
        sent
    }

    /// Returns the number of requests, and the reason why the server has stopped answering; `None` if it answers. A stopping server may
    /// accept a connection and break it: requests are sent until it refuses one.
    async fn outage_reason(&self, live: &LiveServer, phase: RunPhase) -> (usize, Option<NoReply>) {
        let mut pauses = PAUSES_MS.into_iter();
        let mut asked = 0;
        while live.wait_for_slot(phase).await {
            asked += 1;
            let Err(failure) = self.answers().await else { return (asked, None) };
            match pauses.next() {
                Some(pause) if !failure.is_refused && !failure.is_late && !live.is_halted() => {
                    tokio::time::sleep_until(tokio::time::Instant::now() + Duration::from_millis(pause)).await;
                }
                _ => return (asked, Some(failure)),
            }
        }
        (asked, None)
    }

    /// Returns the list to which a call may have added something, if only the list can show whether it did.
    async fn list_after(&self, live: &LiveServer, draft: &Draft, reply: &Reply, phase: RunPhase) -> Option<String> {
        let reading = live.evidence_for(draft, reply)?;
        if !live.limit_windows.ready(&reading).await || !live.wait_for_slot(phase).await {
            return None;
        }
        let sent = self.exchange(&reading).await;
        live.add_requests(sent.requests);
        let reply = sent.answer()?;
        live.limit_windows.learn(&reading, reply);
        reply.is_success().then(|| String::from_utf8_lossy(&reply.body).into_owned())
    }

    /// Returns the reason why no more requests are sent.
    fn why_unsent(&self) -> &'static str {
        if self.has_stopped() { DIED_BEFORE } else { "the run was ended" }
    }

    /// Returns whether the server has stopped answering.
    pub(crate) fn has_stopped(&self) -> bool {
        self.live.as_ref().is_some_and(|live| live.server_health.outage().is_some())
    }

    async fn exchange(&self, draft: &Draft) -> SentRequest {
        let draft = &self.with_companions(draft);
        let method = Method::from_bytes(draft.method.as_bytes()).unwrap_or_default();
        let http = match self.http.showing(&draft.certificate) {
            Ok(http) => http,
            Err(reason) => return SentRequest::unsent(draft, &format!("nothing was sent: {reason}")),
        };
        let mut request = http.request(method, draft.url.clone()).header(ACCEPT, &*draft.accept);
        draft.secrets.iter().for_each(|secret| self.redactor.learn(secret));
        // The user's headers take precedence.
        let is_given = |name: &HeaderName| self.http.extra.contains_key(name);
        for (name, value) in draft.headers.iter().filter(|(name, _)| !is_given(name)) {
            request = request.header(name, value);
        }
        for (name, value) in &draft.credentials {
            let Ok(mut value) = HeaderValue::from_str(value) else {
                // Without the credential, the call would have another caller.
                return SentRequest::unsent(draft, "nothing was sent: the credential fits into no header");
            };
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        if let Some(body) = &draft.body {
            request = request.header(CONTENT_TYPE, &*draft.media_type).body(body.clone());
        }
        let reply = receive(request).await;
        let is_unconnected = reply.as_ref().is_err_and(|failure| failure.is_unconnected);
        let is_late = reply.as_ref().is_err_and(|failure| failure.is_late);
        let reply = reply.map_err(|failure| failure.reason);
        SentRequest { draft: draft.clone(), requests: 1, reply, is_unconnected, is_late }
    }
}
