//! The server side: raw HTTP to a base URL, one bent request a case, and a judgement of the answer.

mod challenge;
mod grant;
mod judge;
mod jwt;
mod oauth;
mod outcome;
mod request;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Url};

use self::judge::{Judge, Reply};
use self::oauth::{Flow, Stop};
use self::request::{Draft, JSON, Maker};
use crate::catalogue::{Case, Catalogue};
use crate::contract::{Expect, Probe, Rate};
use crate::identity::{Identities, Identity, Missing, Need};
use crate::secret::{Redactor, Secret};
use crate::verdict::{Exchange, Outcome, cut};

/// Calls after which a limit is taken for out of reach: a probe shall not load a live server.
const MOST_CALLS: usize = 50;
/// How long an answer may take before the check is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that is checked.
pub struct Target {
    base_url: Url,
    identities: Arc<dyn Identities>,
    redactor: Redactor,
    http: reqwest::Client,
}

/// What was sent and what came back.
struct Sent {
    draft: Draft,
    /// The answer, or why there is none.
    reply: Result<Reply, String>,
}

impl Target {
    /// A server under a base URL, called as these identities over the client of [`http_client`].
    pub fn new(http: reqwest::Client, base_url: Url, identities: Arc<dyn Identities>, redactor: Redactor) -> Self {
        Self { base_url, identities, redactor, http }
    }

    /// Runs one server-side case.
    pub async fn check(&self, catalogue: &Catalogue, case: &Case) -> Outcome {
        let rule = catalogue.rule(case);
        let (Some(probe), Some(expect)) = (&rule.probe, &rule.expect) else {
            return Outcome::error("the rule is not one for servers");
        };
        let operation = catalogue.operation(case);
        let alone = expect.rate == Some(Rate::CostsOne);
        let Some(need) = Need::of(probe, &catalogue.contract, operation, alone) else {
            return Outcome::skip("no kind of token of the contract fits the operation");
        };
        let identity = match self.identities.find(&need) {
            Ok(identity) => identity,
            // What is presented is granted or signed; of an identity only the ids are used.
            Err(_) if matches!(probe, Probe::Oauth(_) | Probe::Jwt(_)) => {
                Identity { name: String::new(), secret: Secret::new(""), ids: self.identities.ids() }
            }
            Err(Missing(datum)) => return Outcome::skip(datum),
        };
        match self.run(catalogue, case, probe, expect, &identity).await {
            Ok(outcome) => outcome,
            Err(Missing(datum)) => Outcome::skip(datum),
        }
    }

    async fn run(
        &self,
        catalogue: &Catalogue,
        case: &Case,
        probe: &Probe,
        expect: &Expect,
        identity: &Identity,
    ) -> Result<Outcome, Missing> {
        let operation = catalogue.operation(case);
        let maker = Maker {
            api: &catalogue.api,
            contract: &catalogue.contract,
            base_url: &self.base_url,
            identities: &*self.identities,
            arguments: catalogue.arguments(case),
        };
        let judge = Judge { api: &catalogue.api, contract: &catalogue.contract, operation, expect };
        if let (Probe::Oauth(probe), Some(server)) = (probe, &catalogue.contract.authorization_server) {
            let mut flow = Flow { target: self, server, maker: &maker, operation, identity, sent: Vec::new() };
            let stop = flow.run(*probe).await.err();
            return Self::end(case, &judge, flow.sent, stop, identity);
        }
        let draft = maker.draft(probe, operation, identity)?;
        let mut sent: Vec<Sent> = Vec::new();
        let is_compared = expect.rate == Some(Rate::CostsOne) || expect.same_as.is_some();
        if is_compared {
            let other = expect.same_as.as_ref().unwrap_or(&Probe::Valid);
            sent.push(self.send(&maker.draft(other, operation, identity)?).await);
        }
        sent.push(self.send(&draft).await);
        if *probe == Probe::Exhausted {
            self.exhaust(&draft, &mut sent).await;
        }
        // What was presented, without the scheme.
        let presented = match (probe, &draft.authorization) {
            (Probe::UnknownToken | Probe::Jwt(_), Some(header)) => Secret::new(header.replacen("Bearer ", "", 1)),
            _ => identity.secret.clone(),
        };
        self.redactor.learn(&presented);
        Ok(Self::conclude(case, &judge, &draft, sent, presented.reveal()))
    }

    /// Calls until the window is used up; only first and last call are kept.
    async fn exhaust(&self, draft: &Draft, sent: &mut Vec<Sent>) {
        for _ in 1..MOST_CALLS {
            let is_refused = sent.last().and_then(Sent::answer).is_none_or(|reply| reply.status == 429);
            if is_refused {
                return;
            }
            sent.push(self.send(draft).await);
        }
    }

    /// Judges the last request of a flow, or says why it did not come to it.
    fn end(
        case: &Case,
        judge: &Judge<'_>,
        sent: Vec<Sent>,
        stop: Option<Stop>,
        identity: &Identity,
    ) -> Result<Outcome, Missing> {
        let finding = match stop {
            Some(Stop::Missing(missing)) => return Err(missing),
            Some(Stop::Broken(finding)) => finding,
            None => {
                let Some(draft) = sent.last().map(|last| last.draft.clone()) else {
                    return Ok(Outcome::error("nothing was sent"));
                };
                return Ok(Self::conclude(case, judge, &draft, sent, identity.secret.reveal()));
            }
        };
        let mut outcome = Outcome::broken(case.level, finding);
        outcome.requests = sent.len();
        outcome.exchanges = sent.into_iter().map(Sent::into_exchange).collect();
        Ok(outcome)
    }

    fn conclude(case: &Case, judge: &Judge<'_>, draft: &Draft, mut sent: Vec<Sent>, token: &str) -> Outcome {
        let requests = sent.len();
        let mut outcome = match sent.as_slice() {
            [before @ .., Sent { reply: Ok(reply), .. }] => {
                let before = before.first().and_then(Sent::answer);
                let finding = judge.finding(draft, reply, before, token);
                let mut outcome = match finding.or_else(|| judge.differs(before, reply)) {
                    None => Outcome::pass(),
                    Some(finding) => Outcome::broken(case.level, finding),
                };
                outcome.status = Some(reply.status);
                outcome
            }
            [.., Sent { reply: Err(reason), .. }] => Outcome::error(format!("no answer came: {reason}")),
            [] => Outcome::error("nothing was sent"),
        };
        outcome.requests = requests;
        if outcome.reason.is_some() {
            let last = sent.pop();
            outcome.exchanges = sent.into_iter().take(1).chain(last).map(Sent::into_exchange).collect();
        }
        outcome
    }

    async fn send(&self, draft: &Draft) -> Sent {
        let method = Method::from_bytes(draft.method.as_bytes()).unwrap_or_default();
        let mut request = self.http.request(method, draft.url.clone()).header(ACCEPT, JSON);
        if let Some((_, token)) = draft.authorization.as_deref().and_then(|header| header.split_once(' ')) {
            self.redactor.learn(&Secret::new(token.trim()));
        }
        if let Some(Ok(mut value)) = draft.authorization.as_deref().map(HeaderValue::from_str) {
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(body) = &draft.body {
            request = request.header(CONTENT_TYPE, draft.media_type).body(body.clone());
        }
        Sent { draft: draft.clone(), reply: receive(request).await.map_err(|error| chain(&error.without_url())) }
    }
}

impl Sent {
    fn answer(&self) -> Option<&Reply> {
        self.reply.as_ref().ok()
    }

    fn into_exchange(self) -> Exchange {
        let Draft { method, url, authorization, body, media_type, .. } = self.draft;
        let mut headers = vec![("Accept".to_owned(), JSON.to_owned())];
        headers.extend(authorization.map(|authorization| ("Authorization".to_owned(), authorization)));
        headers.extend(body.as_ref().map(|_| ("Content-Type".to_owned(), media_type.to_owned())));
        let body = cut(&String::from_utf8_lossy(&body.unwrap_or_default()));
        let mut exchange = Exchange { method, url: url.to_string(), headers, body, ..Exchange::default() };
        match self.reply {
            Ok(reply) => {
                exchange.status = Some(reply.status);
                exchange.answer_body = cut(&String::from_utf8_lossy(&reply.body));
                let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
                exchange.answer_headers =
                    reply.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
            }
            Err(reason) => exchange.answer_body = reason,
        }
        exchange
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

async fn receive(request: reqwest::RequestBuilder) -> Result<Reply, reqwest::Error> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let body = response.bytes().await?.to_vec();
    Ok(Reply { status, headers, body })
}

/// An error with its causes: reqwest's own text says only that sending failed.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect::<Vec<_>>().join(": ")
}
