//! Writes the parts of a body (RFC 7578, section 4).

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::HeaderMap;
use http_body::Frame;
use mime_guess::Mime;

use crate::http_client::{Body, SendError};

/// A part, on its way.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) media_type: Option<Mime>,
    pub(super) file_name: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    /// The length of the body in bytes, where it is known.
    pub(super) length: Option<u64>,
}

/// Parts one after the other, with a boundary of chance between them.
#[derive(Debug)]
pub(super) struct Parts {
    boundary: String,
    bodies: VecDeque<Body>,
    /// The length of all of them in bytes, where it is known.
    length: Option<u64>,
}

impl Parts {
    /// None yet.
    ///
    /// # Errors
    /// Returns an error if the system has no random numbers.
    pub(super) fn new() -> Result<Self, String> {
        let chance = || getrandom::u64().map_err(|error| format!("the system has no random numbers: {error}"));
        let boundary = format!("{:016x}-{:016x}-{:016x}-{:016x}", chance()?, chance()?, chance()?, chance()?);
        Ok(Self { boundary, bodies: VecDeque::new(), length: Some(0) })
    }

    pub(super) fn boundary(&self) -> &str {
        &self.boundary
    }

    /// Adds a part. Its name holds nothing that ends a text in quotes, or a line.
    pub(super) fn add(&mut self, name: &str, part: Part) {
        let between = if self.bodies.is_empty() { "" } else { "\r\n" };
        let file_name = part.file_name.map(|name| format!("; filename=\"{}\"", name.replace('\\', "\\\\")));
        let media_type = part.media_type.map(|media_type| format!("\r\nContent-Type: {media_type}"));
        let mut head = format!(
            "{between}--{}\r\nContent-Disposition: form-data; name=\"{name}\"{}{}",
            self.boundary,
            file_name.unwrap_or_default(),
            media_type.unwrap_or_default()
        )
        .into_bytes();
        for (name, value) in &part.headers {
            for piece in [b"\r\n", name.as_str().as_bytes(), b": ", value.as_bytes()] {
                head.extend_from_slice(piece);
            }
        }
        head.extend_from_slice(b"\r\n\r\n");
        self.length = self.length.zip(part.length).map(|(before, length)| before + head.len() as u64 + length);
        self.bodies.extend([head.into(), part.body]);
    }

    /// The body of all of them, and its length in bytes where that is known.
    pub(super) fn finish(mut self) -> (Body, Option<u64>) {
        if self.bodies.is_empty() {
            return (Body::empty(), Some(0));
        }
        let end = format!("\r\n--{}--\r\n", self.boundary);
        let length = self.length.map(|length| length + end.len() as u64);
        self.bodies.push_back(end.into());
        (Body::new(Joined(self.bodies)), length)
    }
}

/// Bodies, one after the other.
struct Joined(VecDeque<Body>);

impl http_body::Body for Joined {
    type Data = Bytes;
    type Error = SendError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SendError>>> {
        while let Some(first) = self.0.front_mut() {
            if let Some(chunk) = ready!(first.poll_chunk(context)) {
                return Poll::Ready(Some(chunk.map(Frame::data)));
            }
            self.0.pop_front();
        }
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &'static str, media_type: Option<&str>) -> Part {
        Part {
            media_type: media_type.map(|text| text.parse().expect("a media type")),
            file_name: None,
            headers: HeaderMap::new(),
            body: text.into(),
            length: Some(text.len() as u64),
        }
    }

    async fn written(parts: Parts) -> (String, Option<u64>) {
        let (body, length) = parts.finish();
        let bytes = body.whole().await.expect("all of it is there");
        (String::from_utf8(bytes.into()).expect("a text"), length)
    }

    #[tokio::test]
    async fn parts_are_written_as_the_standard_has_them_and_their_length_is_known() {
        let mut parts = Parts::new().expect("a boundary");
        let boundary = parts.boundary().to_owned();
        assert_eq!(boundary.split('-').map(str::len).collect::<Vec<_>>(), [16; 4]);
        parts.add("name", part("Ada", None));
        let mut file = part("a,b\n", Some("text/csv"));
        file.file_name = Some("c:\\a.csv".to_owned());
        file.headers.insert("x-kind", "list".parse().expect("a value"));
        parts.add("file", file);
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAda\r\n--{boundary}\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"c:\\\\a.csv\"\r\nContent-Type: text/csv\r\n\
             x-kind: list\r\n\r\na,b\n\r\n--{boundary}--\r\n"
        );
        let length = expected.len() as u64;
        assert_eq!(written(parts).await, (expected, Some(length)));
    }

    #[tokio::test]
    async fn no_part_is_no_body_and_one_of_no_known_length_makes_that_of_all_unknown() {
        assert_eq!(written(Parts::new().expect("a boundary")).await, (String::new(), Some(0)));
        let mut parts = Parts::new().expect("a boundary");
        parts.add("a", Part { length: None, ..part("x", None) });
        parts.add("b", part("y", None));
        assert_eq!(written(parts).await.1, None);
    }
}
