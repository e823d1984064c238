//! What a server may do to an attempt, and what of it a call may report.

use std::time::Duration;

use keyfit::ErrorKind;
use proptest::prelude::*;

/// What befalls one attempt.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Nobody listens.
    Refused,
    /// The connection ends before a byte of the request is read.
    ResetUnread,
    CloseUnread,
    /// It ends after the request was read.
    ResetRead,
    CloseRead,
    /// No answer comes.
    Stalled,
    /// What comes is no HTTP.
    Garbage,
    /// The head of an answer breaks off.
    HalfHead,
    Reply(Reply),
}

#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) hint: Hint,
    pub(crate) body: Body,
}

/// How long the server asks to wait, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hint {
    None,
    Garbled,
    RetryAfter(u64),
    Reset(u64),
    InBody(u64),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Body {
    Fits,
    Empty,
    HalfClosed,
    HalfReset,
    HalfStalled,
    /// Byte by byte.
    Dripped,
    /// More bytes than `Content-Length` says.
    Longer,
    NotUtf8,
    NotJson,
    /// What fits, packed, which the client did not ask for. Unpacking it could fill the memory.
    Gzip,
}

/// Every body that an answer may have.
pub(crate) const BODIES: [Body; 10] = [
    Body::Fits,
    Body::Empty,
    Body::HalfClosed,
    Body::HalfReset,
    Body::HalfStalled,
    Body::Dripped,
    Body::Longer,
    Body::NotUtf8,
    Body::NotJson,
    Body::Gzip,
];

impl Fault {
    pub(crate) fn status(status: u16) -> Self {
        Self::Reply(Reply { status, hint: Hint::None, body: Body::Fits })
    }

    /// Whether the client has to lose patience.
    pub(crate) fn stalls(&self) -> bool {
        matches!(self, Self::Stalled | Self::Reply(Reply { body: Body::HalfStalled, .. }))
    }

    /// What a call may report that ended here; `None` where it may also succeed.
    pub(crate) fn kinds(&self) -> (bool, &'static [ErrorKind]) {
        match self {
            Self::Refused => (false, &[ErrorKind::Connect]),
            Self::ResetUnread
            | Self::CloseUnread
            | Self::ResetRead
            | Self::CloseRead
            | Self::Garbage
            | Self::HalfHead => (false, &[ErrorKind::Transport]),
            Self::Stalled => (false, &[ErrorKind::Timeout]),
            Self::Reply(reply) => reply.kinds(),
        }
    }
}

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

impl Reply {
    /// The wait that a client learns of from the answer.
    pub(crate) fn asked(&self) -> Option<Duration> {
        match self.hint {
            // No clock has such an instant, and nobody waits for so long.
            Hint::Reset(u64::MAX) | Hint::RetryAfter(u64::MAX) => None,
            Hint::RetryAfter(seconds) | Hint::Reset(seconds) => Some(seconds),
            Hint::InBody(seconds) if matches!(self.body, Body::Fits | Body::Dripped) => Some(seconds),
            Hint::None | Hint::Garbled | Hint::InBody(_) => None,
        }
        .filter(|_| matches!(self.status, 429 | 503) || self.is_limited_403())
        // No wait is passed on that is longer than a year.
        .map(|seconds| Duration::from_secs(seconds).min(YEAR))
    }

    /// Whether it is a 403 that says in its headers when to come again, at a time that somebody means: a limit.
    fn is_limited_403(&self) -> bool {
        let is_named = match self.hint {
            Hint::RetryAfter(seconds) => seconds > 0 && seconds < u64::MAX,
            Hint::Reset(seconds) => seconds < u64::MAX,
            Hint::None | Hint::Garbled | Hint::InBody(_) => false,
        };
        self.status == 403 && is_named
    }

    fn kinds(&self) -> (bool, &'static [ErrorKind]) {
        match (self.status, self.body) {
            (200..300, Body::Fits | Body::Dripped) => (true, &[]),
            (200..300, Body::Empty) => (true, &[ErrorKind::Decode]),
            (200..300, Body::HalfStalled) => (false, &[ErrorKind::Cut, ErrorKind::Timeout]),
            (200..300, Body::HalfClosed | Body::HalfReset) => (false, &[ErrorKind::Cut]),
            (200..300, _) => (false, &[ErrorKind::Decode]),
            (304, _) => (false, &[ErrorKind::NotModified]),
            (300..400, _) => (false, &[ErrorKind::Redirect]),
            (400, _) => (false, &[ErrorKind::BadRequest]),
            (401, _) => (false, &[ErrorKind::Unauthorized]),
            (402, _) => (false, &[ErrorKind::PaymentRequired]),
            (403, _) if self.is_limited_403() => (false, &[ErrorKind::RateLimited]),
            (403, _) => (false, &[ErrorKind::Forbidden]),
            (404, _) => (false, &[ErrorKind::NotFound]),
            (409, _) => (false, &[ErrorKind::Conflict]),
            (412, _) => (false, &[ErrorKind::PreconditionFailed]),
            (413, _) => (false, &[ErrorKind::PayloadTooLarge]),
            (422, _) => (false, &[ErrorKind::Unprocessable]),
            (429, _) => (false, &[ErrorKind::RateLimited]),
            (400..500, _) => (false, &[ErrorKind::Client]),
            _ => (false, &[ErrorKind::Server]),
        }
    }

    /// Head and body. `success`: a body that fits the call.
    pub(crate) fn render(&self, success: &str, now: u64, is_kept_alive: bool) -> (String, Vec<u8>) {
        let hint = match self.hint {
            Hint::None | Hint::InBody(_) => String::new(),
            Hint::Garbled => "retry-after: soon\r\nx-ratelimit-reset: -1\r\n".to_owned(),
            Hint::RetryAfter(seconds) => format!("retry-after: {seconds}\r\n"),
            Hint::Reset(seconds) => {
                format!(
                    "x-ratelimit-limit: 10\r\nx-ratelimit-remaining: 0\r\nx-ratelimit-reset: {}\r\n",
                    now.saturating_add(seconds)
                )
            }
        };
        let fits = match self.hint {
            _ if (200..300).contains(&self.status) => success.to_owned(),
            Hint::InBody(seconds) => {
                format!(r#"{{"error":{{"code":"slow_down","message":"","retryAfter":{seconds}}}}}"#)
            }
            _ => r#"{"message":"no"}"#.to_owned(),
        };
        let body: Vec<u8> = match self.body {
            Body::Empty => Vec::new(),
            Body::NotUtf8 => b"{\"entity\":{\"id\":\"\xff\xfe\"}}".to_vec(),
            Body::NotJson => b"<html>Bad gateway</html>".to_vec(),
            Body::Gzip => GZIP.to_vec(),
            _ => fits.into_bytes(),
        };
        let length = if let Body::Longer = self.body { body.len() - 1 } else { body.len() };
        let encoding = if let Body::Gzip = self.body { "content-encoding: gzip\r\n" } else { "" };
        let location = if (300..400).contains(&self.status) { "location: /elsewhere\r\n" } else { "" };
        let connection = if is_kept_alive { "keep-alive" } else { "close" };
        let status = self.status;
        let head = format!(
            "HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\nconnection: {connection}\r\n\
             content-length: {length}\r\n{hint}{encoding}{location}\r\n"
        );
        (head, body)
    }
}

/// `{"entity":{"id":"1"},"entities":[]}`: a client that unpacked it would take it for a success.
const GZIP: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 74, 205, 43, 201, 44, 169, 84, 178, 170, 86, 202, 76, 81, 178, 82, 50,
    84, 170, 213, 129, 136, 101, 166, 22, 43, 89, 69, 199, 214, 2, 0, 3, 86, 13, 6, 35, 0, 0, 0,
];

fn hint() -> impl Strategy<Value = Hint> {
    let seconds = prop_oneof![4 => 0_u64..4, 1 => prop::sample::select(vec![3600, u64::MAX])];
    prop_oneof![
        3 => Just(Hint::None),
        1 => Just(Hint::Garbled),
        3 => (0_u8..3, seconds).prop_map(|(place, seconds)| match place {
            0 => Hint::RetryAfter(seconds),
            1 => Hint::Reset(seconds),
            _ => Hint::InBody(seconds),
        }),
    ]
}

fn reply() -> impl Strategy<Value = Fault> {
    let status = prop_oneof![
        3 => prop::sample::select(vec![200_u16, 201, 202]),
        4 => Just(429_u16),
        4 => prop::sample::select(vec![500_u16, 502, 503, 504, 529, 408, 425]),
        1 => prop::sample::select(vec![301_u16, 307, 400, 401, 402, 403, 404, 409, 413, 422, 501]),
    ];
    let rare = prop::sample::select(BODIES.to_vec());
    let body = prop_oneof![4 => Just(Body::Fits), 1 => rare];
    (status, hint(), body).prop_map(|(status, hint, body)| Fault::Reply(Reply { status, hint, body }))
}

/// Scripts of up to eight steps.
pub(crate) fn scripts() -> impl Strategy<Value = Vec<Fault>> {
    let broken = prop::sample::select(vec![
        Fault::Refused,
        Fault::ResetUnread,
        Fault::CloseUnread,
        Fault::ResetRead,
        Fault::CloseRead,
        Fault::Garbage,
        Fault::HalfHead,
    ]);
    prop::collection::vec(prop_oneof![12 => reply(), 12 => broken, 1 => Just(Fault::Stalled)], 1..8)
}
