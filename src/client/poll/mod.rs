//! Work that takes longer than a call: the server accepts it with 202 and names where its status is (RFC 9110, section 15.3.3), which is
//! asked for until the work is over.

mod status;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{HeaderMap, LOCATION};
use url::Url;

use self::status::{Standing, standing};
use super::transport::{Answer, Outgoing, Transport, Unsent};
use crate::client::Response;
use crate::error::{Error, Operation, jitter};

/// Where a status may be named, the surest first: headers that name nothing else, and then the one of RFC 9110.
const MONITORS: [&str; 3] = ["operation-location", "azure-asyncoperation", "location"];
/// The default deadline of one [`Poll::done`].
const DEADLINE: Duration = Duration::from_secs(600);
/// The wait before the second look, where the server names none. It doubles from one look to the next.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The upper limit of the growing waits.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// No server is asked more often, whatever it says.
const LEAST_WAIT: Duration = Duration::from_millis(200);
/// The maximum number of redirects from a status to its result.
const MOST_REDIRECTS: u32 = 5;

/// A call that starts work, and the looks at its status until it is over; made by `poll` of a call that documents a 202 with the place
/// of its status, in `Operation-Location`, `Azure-AsyncOperation` or `Location`.
///
/// ```no_run
/// # async fn example(client: keyfit::DynamicClient) -> Result<(), keyfit::Error> {
/// let call = client.call("start-export")?.body("application/json", r#"{"since":"2026-01-01"}"#);
/// let mut export = call.poll();
/// let done = export.done().await?;
/// println!("{}", done.decode::<serde_json::Value>().expect("JSON")["rows"]);
/// # Ok(())
/// # }
/// ```
///
/// The work is over with the first answer that is neither a 202 nor says in `status` or `state` that it goes on (`running`, `queued`,
/// `in progress` and the like). A redirect leads to the result. Where the server named a `Location` beside another header, the result of
/// work that succeeded is asked for there.
///
/// Looks are spaced as `Retry-After` says, or by 1 s, 2 s and so on up to 30 s, shortened by chance. Each is a call of its own, with
/// attempts, limits and timeout of the client.
///
/// The credential is sent to the origin of the call's own server alone. See [`also_at`](Self::also_at) for others.
#[must_use = "nothing is sent before `done`"]
pub struct Poll {
    transport: Transport,
    operation: &'static Operation,
    state: State,
    /// Other origins at which statuses and results may be.
    elsewhere: Vec<Url>,
    deadline: Duration,
    until: Option<Box<IsOver>>,
}

/// Says by an answer whether the work is over.
type IsOver = dyn Fn(&Response<Bytes>) -> bool + Send + Sync;

/// The progress of the work.
enum State {
    /// It is not sent, or could not be built.
    Call(Result<Outgoing, Unsent>),
    /// It was sent, and nobody waited for the answer.
    Unknown,
    /// It is at work.
    Begun(Work),
    /// It was handed on, or refused.
    Over,
}

/// Work that goes on.
#[derive(Clone)]
struct Work {
    status: Url,
    /// Where the result is, where that is another place.
    result: Option<Url>,
    /// When the next look is due, by the client's clock.
    due: Duration,
    /// The number of status requests so far.
    looks: u32,
}

impl Poll {
    pub(crate) fn new(
        transport: &Transport,
        call: Result<impl Into<Outgoing>, Unsent>,
        operation: &'static Operation,
    ) -> Self {
        Self {
            transport: transport.clone(),
            operation,
            state: State::Call(call.map(Into::into)),
            elsewhere: Vec::new(),
            deadline: DEADLINE,
            until: None,
        }
    }

    /// Sets the deadline of one [`done`](Self::done), waits included. Default: 10 minutes. The deadline of calls applies to each status
    /// request alone.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Says by which answer the work is over, in place of the words in `status` and `state`. A 202 is never it.
    pub fn until(mut self, is_over: impl Fn(&Response<Bytes>) -> bool + Send + Sync + 'static) -> Self {
        self.until = Some(Box::new(is_over));
        self
    }

    /// Looks at another origin too, such as `https://status.example.com`, where the server names it. No credential is sent there, nor a
    /// header of [`CallOptions`](crate::CallOptions).
    ///
    /// # Errors
    /// Returns an error if the text is not a URL, or is neither https nor a loopback host.
    pub fn also_at(mut self, origin: &str) -> Result<Self, Error> {
        self.elsewhere.push(Transport::checked_origin(origin)?);
        Ok(self)
    }

    /// Goes on with work that was started before: `status` is what [`location`](Self::location) was. The call itself is not sent, and its
    /// arguments may be lacking. Where the start named the place of the result beside that of the status, the value of `done` is the status.
    ///
    /// # Errors
    /// Returns an error if the text is not a URL.
    pub fn resume(mut self, status: &str) -> Result<Self, Error> {
        let unfit = |_| Error::invalid_request("the place of a status is not a whole URL".to_owned());
        let status = Url::parse(status).map_err(unfit)?;
        self.state = State::Begun(Work { status, result: None, due: Duration::ZERO, looks: 0 });
        Ok(self)
    }

    /// Where the status of the work is; `None` before it was started, and when it is over. It may hold a one-time credential.
    pub fn location(&self) -> Option<&str> {
        match &self.state {
            State::Begun(work) => Some(work.status.as_str()),
            State::Call(_) | State::Unknown | State::Over => None,
        }
    }

    /// Starts the work, where it is not yet, and waits until it is over. The value is the body of the last answer, which
    /// [`decode`](Response::decode) reads: that of the call itself, where the server had nothing to wait for.
    ///
    /// Nothing is lost where this is dropped while it waits or looks, or ends with an error after the work was started: call it
    /// again. What is dropped before the call was answered is not sent a second time.
    ///
    /// # Errors
    /// Returns an error if the call fails, a look at the status fails, the work failed (kind
    /// [`OperationFailed`](crate::ErrorKind::OperationFailed)), it is not over before the deadline (kind [`Timeout`](crate::ErrorKind::Timeout)), or the
    /// server names an origin to which the client does not go (kind [`Refused`](crate::ErrorKind::Refused)).
    pub async fn done(&mut self) -> Result<Response<Bytes>, Error> {
        self.run().await.map_err(|error| error.of_operation(self.operation))
    }

    async fn run(&mut self) -> Result<Response<Bytes>, Error> {
        let end = self.transport.now().saturating_add(self.deadline);
        if let State::Call(_) = self.state
            && let Some(answer) = self.start().await?
        {
            return Ok(answer.raw());
        }
        loop {
            let State::Begun(work) = &self.state else { return Err(self.nothing_to_wait_for()) };
            let mut work = work.clone();
            let wait = work.due.saturating_sub(self.transport.now());
            if self.transport.now().saturating_add(wait) > end || !self.transport.rest(wait).await {
                return Err(Error::unfinished(self.deadline));
            }
            let (answer, is_result) = self.look(work.status.clone()).await?;
            work.looks += 1;
            work.due = self.due(&answer.headers, work.looks);
            if let Some(status) = monitor(&answer, &work.status).filter(|_| answer.status == StatusCode::ACCEPTED) {
                work.status = status;
            }
            let result = work.result.clone();
            let standing = if is_result { Standing::Over } else { self.standing(&answer) };
            match (standing, result) {
                (Standing::AtWork, _) => self.state = State::Begun(work),
                (Standing::Failed(said), _) => {
                    self.state = State::Over;
                    return Err(answer.failed_work(said));
                }
                (Standing::Over, Some(result)) => {
                    // Another look would find it over as well, and come here again.
                    let (answer, _) = self.look(result).await?;
                    self.state = State::Over;
                    return Ok(answer.raw());
                }
                (Standing::Over, None) => {
                    self.state = State::Over;
                    return Ok(answer.raw());
                }
            }
        }
    }

    /// Sends the call. Its answer, where there is nothing to wait for.
    async fn start(&mut self) -> Result<Option<Answer>, Error> {
        let State::Call(call) = std::mem::replace(&mut self.state, State::Unknown) else { return Ok(None) };
        let base = call.as_ref().ok().map(|call| call.request.url().clone());
        let sent = self.transport.send_whole(call, self.operation).await;
        self.state = State::Over;
        let answer = sent?;
        let Some(base) = base.filter(|_| answer.status == StatusCode::ACCEPTED) else { return Ok(Some(answer)) };
        let Some(status) = monitor(&answer, &base) else {
            return Err(answer.misfit("at its headers: a 202 does not say where its status is".to_owned()));
        };
        let result = located(&answer.headers, LOCATION.as_str(), &base).filter(|result| *result != status);
        let due = self.due(&answer.headers, 0);
        self.state = State::Begun(Work { status, result, due, looks: 0 });
        Ok(None)
    }

    /// The answer at a place, and whether a redirect led to it.
    async fn look(&self, mut place: Url) -> Result<(Answer, bool), Error> {
        for redirects in 0..=MOST_REDIRECTS {
            let error = match self.transport.look(place.clone(), self.operation, &self.elsewhere).await {
                Ok(answer) => return Ok((answer, redirects > 0)),
                Err(error) => error,
            };
            let is_redirect = matches!(error.status(), Some(StatusCode::SEE_OTHER | StatusCode::FOUND));
            let next = error.headers().and_then(|headers| located(headers, LOCATION.as_str(), &place));
            match next.filter(|_| is_redirect) {
                Some(next) if redirects < MOST_REDIRECTS => place = next,
                _ => return Err(error),
            }
        }
        Err(self.nothing_to_wait_for())
    }

    fn standing(&self, answer: &Answer) -> Standing {
        match &self.until {
            _ if answer.status == StatusCode::ACCEPTED => Standing::AtWork,
            Some(is_over) if is_over(&answer.copied()) => Standing::Over,
            Some(_) => Standing::AtWork,
            None => standing(answer.text()),
        }
    }

    /// When the next look is due, after so many.
    fn due(&self, headers: &HeaderMap, looks: u32) -> Duration {
        let doubled = FIRST_WAIT.saturating_mul(1 << looks.min(10)).min(LONGEST_WAIT);
        let wait = self.transport.asked_wait(headers).unwrap_or_else(|| jitter::equal_jitter(doubled));
        self.transport.now().saturating_add(wait.max(LEAST_WAIT))
    }

    fn nothing_to_wait_for(&self) -> Error {
        let text = match self.state {
            State::Unknown => {
                "the call was sent, and dropped before it was answered: the server may be at work, and nobody knows where its status is"
            }
            _ => "the work is over, or was refused: there is nothing to wait for",
        };
        Error::invalid_request(text.to_owned())
    }
}

/// Where an answer says that the status of its work is.
fn monitor(answer: &Answer, base: &Url) -> Option<Url> {
    MONITORS.iter().find_map(|name| located(&answer.headers, name, base))
}

/// The place that a header names.
fn located(headers: &HeaderMap, name: &str, base: &Url) -> Option<Url> {
    let mut url = base.join(headers.get(name)?.to_str().ok()?.trim()).ok()?;
    url.set_fragment(None);
    Some(url)
}

impl fmt::Debug for Poll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Call(_) => "not sent",
            State::Unknown => "sent, and not answered",
            // Its place may hold a one-time credential.
            State::Begun(_) => "at work",
            State::Over => "over",
        };
        let mut debug = f.debug_struct("Poll");
        debug.field("operation", &self.operation.id).field("state", &state).finish_non_exhaustive()
    }
}
