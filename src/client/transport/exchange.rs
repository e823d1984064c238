//! One request and its answer, read whole.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::StatusCode;
use http::header::HeaderMap;

use super::classify::Outcome;
use crate::auth::Carried;
use crate::client::ByteStream;
use crate::error::body::{self, End};
use crate::error::failure::{Failure, Fault};
use crate::error::{Error, Operation};
use crate::http_client::{self, Request, SendError, Sender};

/// An attempt that did not succeed, and what that says of the request.
pub(crate) struct Failed {
    pub(crate) error: Error,
    pub(crate) outcome: Outcome,
}

/// A success before it is decoded.
#[derive(Debug)]
pub struct Answer {
    pub(crate) operation: &'static Operation,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// What it was sent with, which a server may echo.
    pub(crate) carried: Carried,
    /// How many requests the call took.
    pub(crate) attempts: u32,
}

/// The body of a success.
#[derive(Debug)]
pub(crate) enum Body {
    Whole(Bytes),
    /// Not read yet: it is handed on as it comes.
    Open(ByteStream),
}

/// How the body of a success is read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading {
    /// Whole, up to so many bytes.
    Whole(usize),
    /// By the caller, who waits so long for more of it.
    Open(Duration),
}

/// Sends a request, once.
pub(crate) async fn exchange(
    sender: &Sender,
    request: Request,
    carried: &Carried,
    operation: &'static Operation,
    attempts: u32,
    reading: Reading,
    now: impl Fn() -> SystemTime,
) -> Result<Answer, Failed> {
    let response = sender.send(request).await.map_err(broken)?;
    let failed = |failure| Error::answered(failure, Some(now()), &carried.redactor());
    if !response.status().is_success() {
        let failure = Failure::of_status(response, carried.api(), operation).await;
        let outcome =
            if failure.is_limit() { Outcome::Limited(failure.status) } else { Outcome::Status(failure.status) };
        return Err(Failed { error: failed(failure), outcome });
    }
    let (head, mut body) = response.into_parts();
    let (status, headers) = (head.status, head.headers);
    let body = match reading {
        Reading::Open(idle_timeout) => Body::Open(ByteStream::of(body, idle_timeout)),
        Reading::Whole(limit) => {
            // A declared length is not believed: what comes is counted, and what a caller paid for is kept up to the limit.
            let body = body::read(&mut body, limit).await;
            let cut = match body.end {
                End::Whole => None,
                End::Limit => Some((Fault::TooLong(limit), Outcome::Status(status))),
                End::Broken(error) => Some((Fault::Cut(error.into_source().into()), Outcome::Unknown)),
            };
            if let Some((fault, outcome)) = cut {
                let failure = Failure::of_success(fault, carried.api(), status, headers, body.bytes);
                return Err(Failed { error: failed(failure), outcome });
            }
            Body::Whole(body.bytes)
        }
    };
    Ok(Answer { operation, status, headers, body, carried: carried.clone(), attempts })
}

fn broken(error: SendError) -> Failed {
    let outcome = match error.fault() {
        // Connecting is over before the first byte of a request leaves.
        http_client::Fault::Connect => Outcome::Unsent,
        http_client::Fault::Unfit => Outcome::Unfit,
        // Which one it is makes no difference.
        http_client::Fault::Redirect => Outcome::Status(StatusCode::FOUND),
        http_client::Fault::Timeout | http_client::Fault::Broken => Outcome::Unknown,
    };
    Failed { error: Error::transport(error), outcome }
}

#[cfg(all(test, feature = "reqwest"))]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::auth::{Carrier, Credential};
    use crate::error::api::UNKNOWN;
    use crate::error::operation::Retry;

    static READ: Operation = Operation::undocumented("GET", Retry::Safe);

    /// More than any limit of these calls.
    const LENGTH: usize = 3 << 20;

    /// The answer to one request, of so many bytes.
    async fn answered(reading: Reading) -> Result<Answer, Failed> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let _ = stream.read(&mut [0; 4096]).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {LENGTH}\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&vec![b'x'; LENGTH]).await;
        });
        let http = crate::auth::http::Http::default().sender(&[&url.parse().expect("a URL")]).expect("a client");
        let request = Request::new(http::Method::GET, url.parse().expect("a URL"));
        let token = Credential::fixed("test", Carrier::Bearer, "fixture-token-0001".into()).expect("a token"); // not-a-secret
        let held = token.into_parts()[0].fixed().expect("a fixed token").clone();
        exchange(&http, request, &Carried::new(&UNKNOWN, [held]), &READ, 1, reading, || SystemTime::UNIX_EPOCH).await
    }

    #[tokio::test]
    async fn a_stream_has_no_limit_and_the_same_in_memory_is_cut() {
        let failed = answered(Reading::Whole(5)).await.expect_err("it is longer");
        assert_eq!(failed.error.body().as_ref(), b"xxxxx");
        // An answer came, so that nothing is sent again, whatever the operation is.
        assert_eq!(failed.outcome, Outcome::Status(http::StatusCode::OK));
        let answer = answered(Reading::Open(Duration::MAX)).await.ok().expect("a stream");
        let mut stream = answer.stream().into_inner();
        let mut length = 0;
        while let Some(chunk) = stream.next().await {
            length += chunk.expect("a chunk").len();
        }
        assert_eq!(length, LENGTH);
    }
}
