//! The reason why a request was not answered.

use std::error::Error as StdError;
use std::{fmt, io};

use url::Url;

/// The reason why a request was not answered: it decides whether the request may be sent again.
pub struct SendError {
    fault: Fault,
    /// The host that it went to.
    place: Option<String>,
    source: Box<dyn StdError + Send + Sync>,
}

/// The progress of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// It is not a valid request.
    Unfit,
    /// There was no connection.
    Connect,
    /// No answer came in time.
    Timeout,
    /// Bytes of it may have left.
    Broken,
    /// It was answered by a redirect, of which no more is known.
    Redirect,
}

impl SendError {
    /// A request that may have been sent, and whose answer was lost: one that has an effect is not sent again.
    pub fn new(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::of_fault(Fault::Broken, source)
    }

    /// A request of which no byte left, since there was no connection: it is sent again, whatever it is.
    pub fn connect(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::of_fault(Fault::Connect, source)
    }

    /// A request that was not answered in time. It may have been executed.
    pub fn timeout(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::of_fault(Fault::Timeout, source)
    }

    /// A request that was answered by a redirect, of which nothing can be shown, as browsers have it. It is not sent again.
    pub fn redirect(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::of_fault(Fault::Redirect, source)
    }

    /// The values make no request.
    pub(crate) fn unfit(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::of_fault(Fault::Unfit, source)
    }

    pub(super) fn of_fault(fault: Fault, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { fault, place: None, source: source.into() }
    }

    /// The error that another one is, or one of a request that may have been sent.
    pub(crate) fn of(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        error.into().downcast().map_or_else(Self::new, |error| *error)
    }

    /// The same of a request to this URL, whose host alone is kept.
    pub(crate) fn to(mut self, url: &Url) -> Self {
        self.place = self.place.or_else(|| place(url));
        self
    }

    pub(crate) fn fault(&self) -> Fault {
        self.fault
    }

    /// The host that the request went to, with its port where that is not the usual one.
    pub(crate) fn place(&self) -> &str {
        self.place.as_deref().unwrap_or("the server")
    }

    /// Returns the root cause.
    pub(crate) fn reason(&self) -> String {
        let mut last: &(dyn StdError + 'static) = &*self.source;
        while let Some(cause) = last.source() {
            last = cause;
        }
        let of_system = last.downcast_ref::<io::Error>().filter(|error| error.raw_os_error().is_some());
        match of_system.map(io::Error::kind) {
            // The system's number says nothing more.
            Some(kind) if kind != io::ErrorKind::Other => kind.to_string(),
            _ => last.to_string(),
        }
    }

    pub(crate) fn into_source(self) -> Box<dyn StdError + Send + Sync> {
        self.source
    }
}

fn place(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.reason())
    }
}

impl fmt::Debug for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").field("fault", &self.fault).field("source", &self.source).finish_non_exhaustive()
    }
}

impl StdError for SendError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}
