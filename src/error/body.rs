//! Reads the body of an answer, as far as it comes.

use std::future::poll_fn;

use bytes::{Bytes, BytesMut};
use http_body::Body as _;

use crate::http_client::{self, SendError};

/// A body, and why it may not be all of it.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    pub(crate) end: End,
}

/// The end of reading a body.
#[derive(Debug)]
pub(crate) enum End {
    /// With its last byte.
    Whole,
    /// At the limit; more would have come.
    Limit,
    /// With the connection.
    Broken(SendError),
}

/// As much is reserved by what a server says of the length, and no more: it may say anything.
const RESERVED: u64 = 1 << 20;

/// Reads up to `limit` bytes. A body that comes in one piece, as most do, is not copied.
pub(crate) async fn read(from: &mut http_client::Body, limit: usize) -> Body {
    let declared = from.size_hint().exact().unwrap_or_default();
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    let end = loop {
        let mut chunk = match poll_fn(|context| from.poll_chunk(context)).await {
            Some(Ok(chunk)) => chunk,
            None => break End::Whole,
            Some(Err(error)) => break End::Broken(error),
        };
        let room = limit - first.len().max(joined.len());
        let is_over = chunk.len() > room;
        chunk.truncate(room);
        if first.is_empty() && joined.is_empty() {
            first = chunk;
        } else {
            if joined.is_empty() {
                joined.reserve(usize::try_from(declared.min(RESERVED)).unwrap_or_default().min(limit));
                joined.extend_from_slice(&std::mem::take(&mut first));
            }
            joined.extend_from_slice(&chunk);
        }
        if is_over {
            break End::Limit;
        }
    };
    Body { bytes: if joined.is_empty() { first } else { joined.freeze() }, end }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_text(text: &'static str, limit: usize) -> Body {
        read(&mut text.into(), limit).await
    }

    #[tokio::test]
    async fn a_body_up_to_the_limit_is_whole_and_a_longer_one_is_not() {
        for limit in [4, 5] {
            let body = read_text("four", limit).await;
            assert_eq!(body.bytes, "four");
            assert!(matches!(body.end, End::Whole), "{body:?}");
        }
        let body = read_text("four", 3).await;
        assert_eq!(body.bytes, "fou");
        assert!(matches!(body.end, End::Limit), "{body:?}");
        assert!(matches!(read_text("", 0).await.end, End::Whole));
    }
}
