//! Looks at the status of work, at a place that a server named.

use std::time::Duration;

use http::Method;
use http::header::{HeaderMap, RETRY_AFTER};
use url::Url;

use super::attempt::Call;
use super::exchange::Answer;
use super::outgoing::Outgoing;
use super::scope::Scope;
use super::{Transport, Unsent};
use crate::auth::http::{check_place, checked_base};
use crate::client::CallOptions;
use crate::error::operation::Retry;
use crate::error::when::When;
use crate::error::{Error, Operation};
use crate::http_client::Request;

/// A look at another origin, which carries nothing.
static ELSEWHERE: Operation = Operation::undocumented("GET", Retry::Safe).with_security(&[]);

impl Transport {
    /// The time of the client's clock from which waits are counted.
    pub(crate) fn now(&self) -> Duration {
        self.shared.config.clock.monotonic()
    }

    /// How long an answer asks to wait by `Retry-After`.
    pub(crate) fn asked_wait(&self, headers: &HeaderMap) -> Option<Duration> {
        When::read(headers.get(RETRY_AFTER)?.to_str().ok()?)?.wait(self.shared.config.clock.now())
    }

    /// An origin that requests may go to.
    ///
    /// # Errors
    /// Returns an error if it is not a URL, or is neither https nor a loopback host.
    pub(crate) fn checked_origin(text: &str) -> Result<Url, Error> {
        checked_base(text, "the other origin")
    }

    /// As [`send`](Self::send); the body of a success is read whole, whatever the operation is.
    pub(crate) async fn send_whole(
        &self,
        request: Result<Outgoing, Unsent>,
        operation: &'static Operation,
    ) -> Result<Answer, Error> {
        self.run(request, operation, false).await
    }

    /// Asks for the status of work, or its result: at the origin of its operation as the operation is called, at another one that is
    /// allowed without a credential.
    ///
    /// # Errors
    /// Returns an error if the place is at another origin, and as [`send`](Self::send) does.
    pub(crate) async fn look(
        &self,
        place: Url,
        operation: &'static Operation,
        elsewhere: &[Url],
    ) -> Result<Answer, Error> {
        let home = self.shared.servers.of(operation)?;
        let is_home = home.has_origin(&place);
        if !is_home && !elsewhere.iter().any(|known| known.origin() == place.origin()) {
            return Err(Error::refused(format!(
                "refused: the status is at {}, and the credential is not sent beyond {}; `Poll::also_at` looks there without it",
                place.origin().ascii_serialization(),
                home.base().origin().ascii_serialization(),
            )));
        }
        // Of a place of the server's choice nothing is sent as a password.
        check_place(&place, "the place of the status").map_err(|error| Error::refused(error.to_string()))?;
        let documented = is_home.then(|| self.documented(home, &place, operation)).flatten();
        let row = if is_home { documented.unwrap_or(operation) } else { &ELSEWHERE };
        // A look does no harm, whatever started the work.
        let mut options = CallOptions::clone(&self.options).idempotent();
        options.conditions.clear();
        if !is_home {
            options.headers.clear();
        }
        let transport = self.with_options(options);
        let mut request = Request::new(Method::GET, place);
        transport.prepare_raw(&mut request);
        let call: Call<'_> = transport.call(row, false);
        call.run(request.into()).await
    }

    /// The operation that reads what is at a place.
    fn documented(&self, home: &Scope, place: &Url, started: &Operation) -> Option<&'static Operation> {
        let mut operations = self.shared.api.operations.iter();
        let is_at = |one: &Operation| self.shared.routes.with(one, |route| home.check(place, one, route).is_ok());
        operations.find(|one| one.method == "GET" && one.server == started.server && is_at(one))
    }
}
