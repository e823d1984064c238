//! Fetches a published document within limits of size and time, only from the named host.

use std::time::Duration;

use keyfit_openapi::Text;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED,
};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Response, StatusCode, Url};

use crate::user_error::with_causes;

/// The highest number of redirects.
const MAX_REDIRECTS: usize = 5;

/// The limits of a fetch.
#[derive(Clone, Copy, Debug)]
pub struct FetchLimits {
    /// The longest document, in bytes.
    pub bytes: usize,
    /// The time limit, from the first byte sent to the last one read.
    pub time: Duration,
}

/// The validators of a version in an answer, with which a server recognizes it (RFC 9110, section 8.8).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Validators {
    /// The entity tag.
    pub etag: Option<String>,
    /// The time of the last change, in the server's notation.
    pub last_modified: Option<String>,
}

/// The result of a fetch.
#[derive(Clone, Debug)]
pub enum FetchResult {
    /// The server reports that the document is unchanged.
    Unchanged,
    /// A new text.
    Text {
        /// The whole text.
        text: String,
        /// The validators of the text.
        validators: Validators,
    },
}

/// Fetches documents.
#[derive(Debug)]
pub struct Fetcher {
    http: reqwest::Client,
    limits: FetchLimits,
}

impl Fetcher {
    /// Creates a fetcher with these limits.
    ///
    /// # Errors
    /// Returns an error if the TLS backend cannot be initialized.
    pub fn new(limits: FetchLimits) -> Result<Self, String> {
        let http = reqwest::Client::builder().redirect(Policy::custom(follow)).timeout(limits.time);
        let http = http.build().map_err(|error| format!("the HTTP client cannot be set up: {error}"))?;
        Ok(Self { http, limits })
    }

    /// Fetches a document if it differs from the known version.
    ///
    /// # Errors
    /// Returns an error if the URL uses plain HTTP to another host than the local one, if the server redirects to another host or answers with
    /// another status, or if the answer is a web page, or a text that is too long, cut off, compressed, or not UTF-8.
    pub async fn fetch(&self, url: &str, known: &Validators) -> Result<FetchResult, String> {
        let url = fetchable(url)?;
        let mut request = self.http.get(url).header(ACCEPT, "application/yaml, application/json, text/plain;q=0.5");
        // The length of a compressed text is unknown before it is decompressed.
        request = request.header(ACCEPT_ENCODING, "identity");
        // A server that supports entity tags ignores the second header.
        for (header, known) in [(IF_NONE_MATCH, &known.etag), (IF_MODIFIED_SINCE, &known.last_modified)] {
            if let Some(Ok(known)) = known.as_deref().map(HeaderValue::from_str) {
                request = request.header(header, known);
            }
        }
        let response = request.send().await.map_err(|error| with_causes(&error.without_url()))?;
        match response.status() {
            StatusCode::NOT_MODIFIED => return Ok(FetchResult::Unchanged),
            StatusCode::OK => {}
            status => return Err(format!("the server answers {status}")),
        }
        let text_of = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        if text_of(CONTENT_TYPE).is_some_and(|media_type| media_type.trim_start().starts_with("text/html")) {
            return Err("the answer is a web page and no document".to_owned());
        }
        if let Some(encoding) = text_of(CONTENT_ENCODING).filter(|encoding| !encoding.eq_ignore_ascii_case("identity"))
        {
            return Err(format!("the answer is compressed (content-encoding: {encoding}), which was not asked for"));
        }
        let [etag, last_modified] = [ETAG, LAST_MODIFIED].map(|name| text_of(name).map(str::to_owned));
        let text = self.read(response).await?;
        Ok(FetchResult::Text { text, validators: Validators { etag, last_modified } })
    }

    async fn read(&self, mut response: Response) -> Result<String, String> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| with_causes(&error.without_url()))? {
            if bytes.len() + chunk.len() > self.limits.bytes {
                return Err(format!("the document is longer than {} bytes", self.limits.bytes));
            }
            bytes.extend_from_slice(&chunk);
        }
        Text::decode("", bytes).map(|decoded| decoded.text).map_err(|failure| failure.problem)
    }
}

/// Parses a URL from which documents may be fetched.
///
/// # Errors
/// Returns an error if the text is not a valid URL, or if it uses plain HTTP to another host than the local one or contains a user.
pub fn fetchable(url: &str) -> Result<Url, String> {
    let url = Url::parse(url).map_err(|error| format!("this is no URL: {error}"))?;
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
        return Err("only https is fetched, and http of this host".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it names a user: what is fetched is public, and sources.toml no place for secrets".to_owned());
    }
    Ok(url)
}

/// Follows redirects within the origin: another origin may have another owner.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let Some(first) = attempt.previous().first() else { return attempt.stop() };
    if attempt.url().origin() != first.origin() {
        let to = attempt.url().origin().ascii_serialization();
        return attempt.error(format!("it redirects to {to}, which is another host"));
    }
    if attempt.previous().len() > MAX_REDIRECTS {
        return attempt.error("it redirects in circles");
    }
    attempt.follow()
}
