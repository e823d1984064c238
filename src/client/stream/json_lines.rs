//! A stream of JSON texts.

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use http::StatusCode;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::lines::{Ends, Lines};
use super::opened::{self, Opened};
use crate::client::Response;
use crate::error::Error;

/// The JSON texts of an answer, in the server's order, as they come: lines of `application/x-ndjson` and its kin, or texts behind
/// record separators of `application/json-seq` (RFC 7464). It ends with the answer, with the text that the document says ends it,
/// and after an error, which says at which text it happened ([`Error::item`]).
///
/// Neither [`Config::timeout`](crate::Config::timeout) nor the deadline of the call ends it, which are over when the answer
/// begins; what does is silence, after [`Config::idle_timeout`](crate::Config::idle_timeout), empty lines counted as sounds. A
/// text is up to [`Config::item_limit`](crate::Config::item_limit) bytes long.
pub struct JsonLines<T> {
    lines: Lines,
    texts: Texts<T>,
}

/// What is made of the texts.
struct Texts<T> {
    opened: Opened,
    ends: Ends,
    is_over: bool,
    decode: fn(&str) -> Result<T, String>,
}

impl<T: DeserializeOwned> JsonLines<T> {
    pub(super) fn over(mut opened: Opened) -> Response<Self> {
        let came = opened.media_type();
        let media_type = came.as_deref().unwrap_or(opened.streamed.media_type);
        let ends = if media_type.ends_with("json-seq") { Ends::Separator } else { Ends::Newline };
        opened.word = if ends == Ends::Newline { "line" } else { "text" };
        let is_over = opened.status == StatusCode::NO_CONTENT;
        let response = opened.response(());
        response
            .map(|()| Self { lines: Lines::new(ends), texts: Texts { opened, ends, is_over, decode: opened::json } })
    }
}

impl<T> JsonLines<T> {
    /// The next item.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<T> Texts<T> {
    /// What comes of a text; `None` where there is nothing in it, or it ends the stream.
    fn read(&mut self, text: &str) -> Option<Result<T, Error>> {
        let is_whole = self.ends == Ends::Newline || text.is_empty() || is_finished(text);
        let text = text.trim_ascii();
        if self.opened.is_end(text) {
            self.is_over = true;
            return None;
        }
        if text.is_empty() {
            return None;
        }
        if !is_whole {
            return Some(Err(self.opened.unfinished()));
        }
        self.opened.count();
        let data = || Bytes::copy_from_slice(text.as_bytes());
        Some((self.decode)(text).map_err(|reason| self.opened.misfit(reason, data())))
    }

    /// Waits for more of the text at hand. It comes to something where that is too long, or nothing more comes.
    fn more(&mut self, lines: &mut Lines, context: &mut Context<'_>) -> Poll<Option<Result<T, Error>>> {
        if lines.rest().len() > self.opened.item_limit {
            return Poll::Ready(Some(Err(self.opened.too_long())));
        }
        Poll::Ready(match ready!(Pin::new(&mut self.opened.body).poll_next(context)) {
            Some(Ok(chunk)) => {
                lines.feed(&chunk);
                None
            }
            Some(Err(error)) => Some(Err(self.opened.broken(error))),
            None => self.last(lines.rest()),
        })
    }

    /// What is left when the answer is over.
    fn last(&mut self, rest: &[u8]) -> Option<Result<T, Error>> {
        self.is_over = true;
        let rest = as_text(rest);
        let is_cut = |error: serde_json::Error| error.is_eof();
        if !rest.trim_ascii().is_empty() && serde_json::from_str::<IgnoredAny>(&rest).is_err_and(is_cut) {
            return Some(Err(self.opened.unfinished()));
        }
        let has_ended = self.opened.is_end(rest.trim_ascii());
        let unfinished = !has_ended && self.opened.streamed.end.is_some();
        self.read(&rest).or_else(|| unfinished.then(|| Err(self.opened.unfinished())))
    }
}

/// Bytes as a text; what is no UTF-8 is replaced.
fn as_text(bytes: &[u8]) -> Cow<'_, str> {
    // Most are UTF-8, which the look for what is none takes longer to find out.
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Whether a text of a sequence cannot be the beginning of another: a number, `true`, `false` and `null` need white space behind
/// them (RFC 7464, section 2.4).
fn is_finished(text: &str) -> bool {
    let begins = text.trim_ascii_start().bytes().next();
    matches!(begins, None | Some(b'{' | b'[' | b'"')) || text.ends_with(|last: char| last.is_ascii_whitespace())
}

impl<T> Unpin for JsonLines<T> {}

impl<T> Stream for JsonLines<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { lines, texts } = &mut *self;
        while !texts.is_over {
            let limit = texts.opened.item_limit;
            let read = match lines.next() {
                Some(line) if line.len() > limit => Some(Err(texts.opened.too_long())),
                Some(line) => texts.read(&as_text(line)),
                None => ready!(texts.more(lines, context)),
            };
            if let Some(read) = read {
                texts.is_over |= read.is_err();
                return Poll::Ready(Some(read));
            }
        }
        Poll::Ready(None)
    }
}

impl<T> fmt::Debug for JsonLines<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JsonLines")
    }
}
