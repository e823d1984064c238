//! Requests that no document describes, over the same credential, limits and attempt loop.

use std::fmt;

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;

use crate::auth::with_secrets;
use crate::client::pagination::{Items, Pager};
use crate::client::transport::{Answer, Transport, Unsent};
use crate::client::{Requests, Response};
use crate::error::json::decode_body;
use crate::error::operation::{Pagination, Retry};
use crate::error::{Error, Operation};
use crate::http_client::Request;

/// A request to a path that the document lacks, below the base URL of its client; made by the client's `request`.
///
/// It is repeated by its method: GET, HEAD and OPTIONS are safe, PUT and DELETE idempotent (RFC 9110, 9.2), anything else is
/// sent once, unless [`CallOptions::idempotent`](crate::CallOptions::idempotent) says otherwise.
pub struct RawRequest<'a> {
    transport: &'a Transport,
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Result<Vec<u8>, serde_json::Error>>,
}

impl<'a> RawRequest<'a> {
    #[doc(hidden)]
    pub fn new(transport: &'a Transport, _: &'a Requests, method: Method, path: &str) -> Self {
        Self { transport, method, path: path.to_owned(), query: Vec::new(), body: None }
    }

    /// Adds a parameter to the query. Never a token: URLs are logged.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Sends this value as JSON.
    #[must_use]
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        self.body = Some(with_secrets(|| serde_json::to_vec(body)));
        self
    }

    /// Sends the request. The value is the body as it came.
    ///
    /// # Errors
    /// Returns an error if the path does not begin with a slash, or holds a query, a backslash or a dot segment, even percent-encoded
    /// or cut at `;`; if the body cannot be written as JSON; if the answer is not a success; or if no answer comes.
    pub async fn send(self) -> Result<Response<Bytes>, Error> {
        let (transport, operation) = (self.transport, operation(&self.method));
        let (method, path) = (self.method.clone(), self.path.clone());
        let send = async {
            let mut request = self.build()?;
            transport.prepare_raw(&mut request);
            transport.send_raw(request, operation).await.map(Answer::raw)
        };
        send.await.map_err(|error| error.of_request(operation, &method, &path))
    }

    /// The items of a list that comes in pages as the description says, each as a type of yours:
    ///
    /// ```no_run
    /// use keyfit::operation::{NextPage, PageArgument, Pagination};
    /// use keyfit::http_client::http::Method;
    ///
    /// # async fn example(client: keyfit::scopien::Client) -> Result<(), keyfit::Error> {
    /// let next = NextPage::Cursor { at: "/paging/next", argument: PageArgument::Query("after") };
    /// let reports = client.request(Method::GET, "/reports");
    /// let mut reports = reports.items::<serde_json::Value>(Pagination::new(next).with_items("/data"));
    /// while let Some(report) = reports.next().await {
    ///     println!("{}", report?["id"]);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn items<T>(self, pagination: Pagination) -> Items<T> {
        let (transport, operation) = (self.transport, operation(&self.method));
        let call = self.build().map_err(Unsent::from);
        Items::over(Pager::new(transport, call, operation, pagination).without_path())
    }

    fn build(self) -> Result<Request, Error> {
        let mut request = Request::new(self.method, self.transport.url(&self.path)?);
        if !self.query.is_empty() {
            request.add_pairs(&self.query);
        }
        if let Some(body) = self.body {
            let body =
                body.map_err(|error| Error::invalid_request(format!("the body cannot be written as JSON: {error}")))?;
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.into());
        }
        Ok(request)
    }
}

impl fmt::Debug for RawRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values of the path, the query and the body may be secrets or personal.
        let names: Vec<&str> = self.query.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("RawRequest")
            .field("transport", &self.transport)
            .field("method", &self.method)
            .field("query", &names)
            .finish_non_exhaustive()
    }
}

impl Response<Bytes> {
    /// The body as a type of yours.
    ///
    /// # Errors
    /// Returns an error if the body does not fit the type. It names no value of the body.
    pub fn decode<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        decode_body(self)
    }
}

/// Returns an operation for the method, as a table would describe it.
fn operation(method: &Method) -> &'static Operation {
    static GET: Operation = Operation::undocumented("GET", Retry::Safe);
    static HEAD: Operation = Operation::undocumented("HEAD", Retry::Safe);
    static OPTIONS: Operation = Operation::undocumented("OPTIONS", Retry::Safe);
    static PUT: Operation = Operation::undocumented("PUT", Retry::Idempotent);
    static DELETE: Operation = Operation::undocumented("DELETE", Retry::Idempotent);
    static POST: Operation = Operation::undocumented("POST", Retry::Never);
    static PATCH: Operation = Operation::undocumented("PATCH", Retry::Never);
    static OTHER: Operation = Operation::undocumented("OTHER", Retry::Never);
    match *method {
        Method::GET => &GET,
        Method::HEAD => &HEAD,
        Method::OPTIONS => &OPTIONS,
        Method::PUT => &PUT,
        Method::DELETE => &DELETE,
        Method::POST => &POST,
        Method::PATCH => &PATCH,
        _ => &OTHER,
    }
}
