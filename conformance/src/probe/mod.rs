//! The server side: raw HTTP to a base URL, one bent request a case, and a judgement of the answer.

mod challenge;
mod flow;
mod grant;
mod headers;
mod internals;
mod judge;
mod jwt;
mod keys;
mod oauth;
mod outcome;
mod pace;
mod reply;
mod request;
mod trial;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Url};

use self::flow::Stop;
use self::keys::KeyFlow;
use self::oauth::Flow;
use self::pace::Pace;
use self::reply::Reply;
use self::request::{Draft, NOBODY};
use self::trial::{Sent, Trial, requests};
use crate::catalogue::{Case, Catalogue};
use crate::contract::{Carrier, Contract, Credential, JwtProbe, KeyManagement, Probe, Rate};
use crate::identity::{Identities, Identity, Missing, Need};
use crate::run::Halt;
use crate::secret::{Redactor, Secret};
use crate::verdict::Outcome;

/// Calls after which a limit is taken for out of reach: a probe shall not load a live server.
const MOST_CALLS: usize = 50;
/// Clocks of client and server tick at different times.
const GRACE: Duration = Duration::from_millis(50);
/// The longest body that is read: nothing that is judged is longer, and a server that does not end must not fill the memory.
const LONGEST_BODY: usize = 8 * 1024 * 1024;
/// How long an answer may take before the check is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that is checked.
pub struct Target {
    base_url: Url,
    identities: Arc<dyn Identities>,
    redactor: Redactor,
    http: reqwest::Client,
    /// Of a live server.
    pace: Option<Pace>,
}

impl Target {
    /// A server under a base URL, called as these identities over the client of [`http_client`].
    pub fn new(http: reqwest::Client, base_url: Url, identities: Arc<dyn Identities>, redactor: Redactor) -> Self {
        Self { base_url, identities, redactor, http, pace: None }
    }

    /// The same, kept within the rate limits that the contract describes: for a live server. Nothing waits for a window
    /// once the run is ended.
    #[must_use]
    pub fn paced(mut self, contract: &Contract, halt: Halt) -> Self {
        self.pace = Some(Pace::new(contract.rate_limit.clone(), halt));
        self
    }

    /// Whether there is a server at all, whatever it answers.
    ///
    /// # Errors
    /// Why it cannot be reached.
    pub async fn reach(&self) -> Result<(), String> {
        let root = self.http.get(self.base_url.clone());
        receive(root).await.map(drop)
    }

    /// Runs one server-side case.
    pub async fn check(&self, catalogue: &Catalogue, case: &Case) -> Outcome {
        let rule = catalogue.rule(case);
        let (Some(probe), Some(expect)) = (&rule.probe, &rule.expect) else {
            return Outcome::error("the rule is not one for servers");
        };
        if *probe == Probe::Any {
            return Outcome::skip("no answer of the operation was seen");
        }
        let operation = catalogue.operation(case);
        let alone = expect.rate == Some(Rate::CostsOne);
        let counts = alone || matches!(probe, Probe::Exhausted | Probe::Recovered);
        let _turn = match &self.pace {
            Some(pace) => Some(pace.turn(counts).await),
            // At a mock each case has a window of its own.
            None => None,
        };
        let Some(need) = Need::of(probe, &catalogue.contract, operation, alone) else {
            return Outcome::skip("no kind of token of the contract fits the operation");
        };
        let carrier = catalogue.contract.credential(&need.kind).map_or(&Carrier::Header, Credential::carrier);
        let identity = match self.identities.find(&need) {
            Ok(identity) => identity,
            // What is presented is granted or signed; of an identity only the ids are used.
            Err(_) if matches!(probe, Probe::Oauth(_) | Probe::Jwt(_)) => {
                Identity { name: String::new(), secret: Secret::new(""), ids: self.identities.ids() }
            }
            Err(Missing(datum)) => return Outcome::skip(datum),
        };
        let presented = identity.secret.clone();
        let trial = Trial {
            catalogue,
            case,
            probe,
            expect,
            identity,
            carrier,
            is_paced: self.pace.is_some(),
            redactor: &self.redactor,
            base_path: self.base_url.path(),
            sent: Vec::new(),
            presented,
        };
        match &catalogue.contract.key_management {
            Some(keys) if keys.concern(probe, operation) => self.run_with_keys(keys, trial).await,
            _ => self.run(trial).await,
        }
    }

    /// At a live server, gives a call that removes something an id for that alone: others need the known ones. Returns
    /// the parameter; an empty one where nothing is removed.
    fn expend<'t>(&self, trial: &mut Trial<'t>) -> Result<&'t str, Missing> {
        let operation = trial.catalogue.operation(trial.case);
        let mut segments = operation.path.rsplit('/').filter(|_| operation.method == "DELETE" && self.pace.is_some());
        let subject = segments.find_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
        let Some(subject) = subject else { return Ok("") };
        let id = match trial.probe {
            // Calls for what is not there count as well.
            Probe::Exhausted => NOBODY.to_owned(),
            _ if trial.expect.rate == Some(Rate::CostsOne) => {
                return Err(Missing("a call that removes something is not repeated".to_owned()));
            }
            probe if trial.expect.success || *probe == Probe::Valid => self.identities.expendable(subject, true)?,
            // A server that does not refuse it removes one that nobody needs.
            _ => match self.identities.expendable(subject, false) {
                Ok(id) => id,
                Err(_) => return Ok(subject),
            },
        };
        trial.identity.ids.insert(subject.to_owned(), id);
        Ok(subject)
    }

    async fn run(&self, mut trial: Trial<'_>) -> Outcome {
        let subject = match self.expend(&mut trial) {
            Ok(subject) => subject,
            Err(Missing(datum)) => return Outcome::skip(datum),
        };
        let stop = self.send_all(&mut trial).await.err();
        let is_gone = trial.sent.iter().filter_map(Sent::answer).any(Reply::is_success);
        if let Some(id) = trial.identity.ids.get(subject).filter(|_| is_gone) {
            self.identities.expended(subject, id);
        }
        trial.end(stop, None)
    }

    /// The same with a key to try it on, where the operation is about one. No key outlives the case.
    async fn run_with_keys(&self, keys: &KeyManagement, mut trial: Trial<'_>) -> Outcome {
        let operation = trial.catalogue.operation(trial.case);
        let admin = match trial.probe {
            Probe::Key(_) => trial.identity.clone(),
            _ => match self.identities.find(&Need::of_admin(keys)) {
                Err(Missing(datum)) if keys.has_subject(&operation.id) => return Outcome::skip(datum),
                // Then a key that is minted all the same is revoked by who minted it.
                Err(_) => trial.identity.clone(),
                Ok(admin) => admin,
            },
        };
        let mut flow = KeyFlow::new(self, trial.catalogue, keys, operation, admin);
        let stop = match trial.probe {
            Probe::Key(probe) => flow.run(*probe).await,
            Probe::UnknownId(_) => self.send_all(&mut trial).await,
            _ if keys.has_subject(&operation.id) => match flow.subject().await {
                Ok(id) => {
                    trial.identity.ids.insert(keys.id_parameter.clone(), id);
                    self.send_all(&mut trial).await
                }
                Err(stop) => Err(stop),
            },
            _ => self.send_all(&mut trial).await,
        };
        let left = flow.tidy(&trial.sent).await;
        let is_judged = matches!(trial.probe, Probe::Key(_));
        let before = if is_judged || stop.is_err() {
            trial.sent = flow.sent;
            0
        } else {
            requests(&flow.sent)
        };
        let minted = flow.minted.filter(|_| is_judged);
        if let Some(key) = &minted {
            trial.presented = key.secret.clone();
        }
        let mut outcome = left.told(trial.end(stop.err(), minted.as_ref()));
        outcome.requests += before;
        outcome
    }

    /// The requests of a case, but for those with keys of their own.
    async fn send_all(&self, trial: &mut Trial<'_>) -> Result<(), Stop> {
        let (catalogue, probe, identity) = (trial.catalogue, trial.probe, &trial.identity);
        let operation = catalogue.operation(trial.case);
        let maker = trial.maker(self);
        if let (Probe::Oauth(probe), Some(server)) = (probe, &catalogue.contract.authorization_server) {
            let mut flow = Flow { target: self, server, maker: &maker, operation, identity, sent: Vec::new() };
            let done = flow.run(*probe).await;
            trial.sent = flow.sent;
            return done;
        }
        let draft = maker.draft(probe, operation, identity).map_err(Stop::Missing)?;
        if let Some(other) = trial.expect.compared_with() {
            let other = maker.draft(other, operation, identity).map_err(Stop::Missing)?;
            trial.sent.push(self.send(&other).await);
        }
        if *probe == Probe::Jwt(JwtProbe::ChangedClaims) {
            // A server may remember the signature.
            let good = maker.draft(&Probe::Jwt(JwtProbe::Good), operation, identity).map_err(Stop::Missing)?;
            trial.sent.push(self.send(&good).await);
        }
        // A window that is used up already is what the probe is about.
        let is_of_limit = *probe == Probe::Exhausted;
        let sent = if is_of_limit { self.send_at_once(&draft).await } else { self.send(&draft).await };
        trial.sent.push(sent);
        if trial.expect.rate == Some(Rate::CostsOne) && trial.is_in_a_new_window() {
            // The two calls fell into two windows: the last one is compared with another.
            trial.sent.push(self.send(&draft).await);
            let first = trial.sent.remove(0);
            trial.sent[0].requests += first.requests;
        }
        if matches!(probe, Probe::Exhausted | Probe::Recovered) {
            self.exhaust(&draft, &mut trial.sent).await;
        }
        if *probe == Probe::Recovered {
            self.outwait(&draft, &catalogue.contract, &mut trial.sent).await?;
        }
        if matches!(probe, Probe::UnknownToken | Probe::Jwt(_)) && draft.authorization.is_some() {
            trial.presented = draft.presented();
        }
        self.redactor.learn(&trial.presented);
        Ok(())
    }

    /// Calls until the window is used up; only first and last call are kept.
    async fn exhaust(&self, draft: &Draft, sent: &mut Vec<Sent>) {
        for _ in 1..MOST_CALLS {
            let is_refused = sent.last().and_then(Sent::answer).is_none_or(|reply| reply.status == 429);
            if is_refused {
                return;
            }
            sent.push(self.send_at_once(draft).await);
        }
    }

    /// Waits for the end of a window that is used up, and calls again.
    async fn outwait(&self, draft: &Draft, contract: &Contract, sent: &mut Vec<Sent>) -> Result<(), Stop> {
        let refused = sent.last().and_then(Sent::answer).filter(|reply| reply.status == 429);
        let missing = |text: String| Stop::Missing(Missing(text));
        let refused = refused.ok_or_else(|| missing(format!("no call of {MOST_CALLS} was refused with 429")))?;
        let wait = pace::wait(contract.rate_limit.as_ref(), refused);
        if wait > pace::LONGEST {
            return Err(missing(format!("the window ends in {} s only, which is not waited for", wait.as_secs())));
        }
        let end = tokio::time::Instant::now() + wait + GRACE;
        match &self.pace {
            Some(pace) if !pace.waits_until(end).await => {
                return Err(missing("the run was ended during it".to_owned()));
            }
            Some(_) => {}
            None => tokio::time::sleep_until(end).await,
        }
        sent.push(self.send_at_once(draft).await);
        Ok(())
    }

    /// Sends a request, within the limits of a live server.
    async fn send(&self, draft: &Draft) -> Sent {
        let Some(pace) = &self.pace else { return self.send_at_once(draft).await };
        if !pace.ready(draft).await {
            return Sent { draft: draft.clone(), requests: 0, reply: Err("the run was ended".to_owned()) };
        }
        let sent = self.send_at_once(draft).await;
        // What a 429 answers was not executed.
        if !sent.answer().is_some_and(|reply| pace.learn(draft, reply)) {
            return sent;
        }
        if !pace.ready(draft).await {
            return Sent { reply: Err("the run was ended".to_owned()), ..sent };
        }
        let again = self.send_at_once(draft).await;
        Sent { requests: sent.requests + again.requests, ..again }
    }

    async fn send_at_once(&self, draft: &Draft) -> Sent {
        let method = Method::from_bytes(draft.method.as_bytes()).unwrap_or_default();
        let mut request = self.http.request(method, draft.url.clone()).header(ACCEPT, &*draft.accept);
        self.redactor.learn(&draft.presented());
        match draft.authorization.as_deref().map(HeaderValue::from_str) {
            Some(Ok(mut value)) => {
                value.set_sensitive(true);
                request = request.header(draft.carrier.clone(), value);
            }
            // Without it somebody else would call.
            Some(Err(_)) => {
                let reply = Err("nothing was sent: the credential fits into no header".to_owned());
                return Sent { draft: draft.clone(), requests: 0, reply };
            }
            None => {}
        }
        if let Some(body) = &draft.body {
            request = request.header(CONTENT_TYPE, &*draft.media_type).body(body.clone());
        }
        let reply = receive(request).await;
        Sent { draft: draft.clone(), requests: 1, reply }
    }
}

/// The HTTP client of the probes. One serves any number of targets.
///
/// # Errors
/// A TLS back end that cannot be set up.
pub fn http_client(speaks_tls: bool) -> Result<reqwest::Client, reqwest::Error> {
    // A redirect is an answer to be judged, not to be followed with the token.
    let builder = reqwest::Client::builder().redirect(Policy::none()).no_proxy().timeout(PATIENCE);
    // Reading the system's certificates takes longer than many cases do, and the mock speaks plain HTTP.
    let builder = if speaks_tls { builder } else { builder.tls_certs_only([]) };
    builder.build()
}

/// The whole answer, or why there is none.
async fn receive(request: reqwest::RequestBuilder) -> Result<Reply, String> {
    let told = |error: reqwest::Error| chain(&error.without_url());
    let mut response = request.send().await.map_err(told)?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(told)? {
        if body.len() + chunk.len() > LONGEST_BODY {
            return Err(format!("the body of the {status} is longer than {LONGEST_BODY} bytes: the rest was not read"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, headers, body })
}

/// An error with its causes: reqwest's own text says only that sending failed.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect::<Vec<_>>().join(": ")
}
