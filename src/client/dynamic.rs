//! A client of an API that is described at run time: its operations are called by their ids, with arguments as texts.

use std::fmt;

use bytes::Bytes;
use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::batch_writer::Builder;
use super::call_options::checked_header;
use super::list_style::{ListStyle, add_query};
use super::pagination::{Pager, Pages};
use super::path_argument::{PathArgument, encode};
use super::query::pairs;
use super::transport::{Answer, Transport, Unsent};
use crate::auth::{Credential, with_secrets};
use crate::client::{ByteStream, CallOptions, Config, Poll, Requests, Response};
use crate::error::{Api, Error, Operation};
use crate::http_client::{Request, SendError};

/// A client of an [`Api`] that a program reads or makes up while it runs. Its calls pass through what those of generated
/// clients do: attempts, rate limits, masking, the limit of answers, and the check of where a request goes. What is not
/// checked is what types would: the arguments.
///
/// ```no_run
/// use keyfit::auth::Carrier;
/// use keyfit::dispatch::Access;
/// use keyfit::operation::Retry;
/// use keyfit::{Api, Config, DynamicClient, Operation};
///
/// # async fn example(token: String) -> Result<(), keyfit::Error> {
/// static API: Api = Api::new("parcels")
///     .with_base_urls(&["https://api.example.com/v1"])
///     .with_operations(&[Operation::new("get-parcel", "get_parcel", "GET", "/parcels/{id}").with_retry(Retry::Safe)]);
/// let credential = Access::Token(token.into()).credential("key", Carrier::Header("X-Api-Key"))?;
/// let client = DynamicClient::new(&API, credential, Config::default())?;
/// let parcel = client.call("get-parcel")?.path("id", "p-1").send_as::<serde_json::Value>().await?;
/// println!("{}", parcel["weight"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct DynamicClient {
    api: &'static Api,
    transport: Transport,
}

/// A call of a [`DynamicClient`], not sent yet. A refused argument is told when it is sent.
#[must_use = "nothing is sent before `send`"]
pub struct DynamicCall<'a> {
    client: &'a DynamicClient,
    operation: &'static Operation,
    /// Percent-encoded.
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
    /// Lists of the query, percent-encoded.
    lists: Vec<String>,
    headers: HeaderMap,
    accept: Option<String>,
    body: Option<(String, Bytes)>,
    /// The reason why an argument cannot be sent, the first of them.
    refused: Option<String>,
}

impl DynamicClient {
    /// A client of this API. Nothing is sent.
    ///
    /// An API that is made at run time lives as long as the program: make it once, with `Box::leak`.
    ///
    /// # Errors
    /// Returns an error if the base URL may not be used, or the TLS backend cannot be initialized.
    pub fn new<K>(api: &'static Api, credential: Credential<K>, config: Config) -> Result<Self, Error> {
        let (_, transport) = Transport::connect(credential, config, api)?;
        Ok(Self { api, transport })
    }

    /// The same client, with options for its calls. Both share everything else.
    #[must_use]
    pub fn with_options(&self, options: CallOptions) -> Self {
        Self { transport: self.transport.with_options(options), ..self.clone() }
    }

    /// The base URL in force, without a slash at its end.
    pub fn base_url(&self) -> &str {
        self.transport.base_url()
    }

    /// The URL that the path of an operation follows: the base URL, or that of a server of its own, without a slash at its end.
    ///
    /// # Errors
    /// Returns an error if the operation has a server of its own that the configuration does not lead to.
    pub fn base_url_of(&self, operation: &Operation) -> Result<&str, Error> {
        self.transport.base_url_of(operation)
    }

    /// The operation of this id.
    pub fn operation(&self, id: &str) -> Option<&'static Operation> {
        self.api.operations.iter().find(|known| known.id == id)
    }

    /// Checks whether the client holds the credentials for the operation with this id. Nothing is sent.
    ///
    /// # Errors
    /// Returns an error if the API has no such operation, or the client does not hold what it takes.
    pub fn opens(&self, operation: &str) -> Result<(), Error> {
        let known = self.operation(operation).ok_or_else(|| Error::unknown_operation(operation))?;
        self.transport.opens(known).map_err(|error| error.of_operation(known))
    }

    /// A call of the operation with this id.
    ///
    /// # Errors
    /// Returns an error if the API has no such operation.
    pub fn call(&self, operation: &str) -> Result<DynamicCall<'_>, Error> {
        Ok(DynamicCall {
            client: self,
            operation: self.operation(operation).ok_or_else(|| Error::unknown_operation(operation))?,
            path: Vec::new(),
            query: Vec::new(),
            lists: Vec::new(),
            headers: HeaderMap::new(),
            accept: None,
            body: None,
            refused: None,
        })
    }
}

impl DynamicCall<'_> {
    /// The value of a parameter in the path. It is percent-encoded; one that would lead to another path is refused.
    pub fn path(mut self, name: &str, value: &str) -> Self {
        match PathArgument::try_from(value) {
            Ok(_) => self.path.push((name.to_owned(), encode(value).into_owned())),
            Err(error) => self.refuse(format!("the argument `{name}` is refused: {error}")),
        }
        self
    }

    /// The value of a parameter in the query: a list is a pair for each item, an object a pair for each member, null none.
    pub fn query(mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Self {
        // As JSON text, because numbers keep their digits there.
        match serde_json::to_string(value).and_then(|text| pairs(name, &text)) {
            Ok(pairs) => self.query.extend(pairs),
            Err(error) => self.refuse(format!("the argument `{name}` is refused: {error}")),
        }
        self
    }

    /// A list in the path, as the style says. One that would lead to another path is refused.
    pub fn path_list(mut self, name: &str, value: &(impl Serialize + ?Sized), style: ListStyle) -> Self {
        match written(value).and_then(|json| style.in_path(name, &json)) {
            Ok(text) => self.path.push((name.to_owned(), text)),
            Err(why) => self.refuse(format!("the argument `{name}` is refused: {why}")),
        }
        self
    }

    /// A list in the query, as the style says; nothing where it is empty.
    pub fn query_list(mut self, name: &str, value: &(impl Serialize + ?Sized), style: ListStyle) -> Self {
        match written(value).and_then(|json| style.in_query(name, &json)) {
            Ok(text) => self.lists.extend(text),
            Err(why) => self.refuse(format!("the argument `{name}` is refused: {why}")),
        }
        self
    }

    /// A list in the headers, as the style says.
    pub fn header_list(mut self, name: &str, value: &(impl Serialize + ?Sized), style: ListStyle) -> Self {
        match written(value).and_then(|json| style.in_header(&json)) {
            Ok(text) => self.header(name, &text),
            Err(why) => {
                self.refuse(format!("the argument `{name}` is refused: {why}"));
                self
            }
        }
    }

    /// The value of a parameter in the headers.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match checked_header(name, value) {
            Ok((name, value)) => drop(self.headers.append(name, value)),
            Err(error) => self.refuse(error),
        }
        self
    }

    /// The media type that is asked for. Default: JSON.
    pub fn accept(mut self, media_type: &str) -> Self {
        self.accept = Some(media_type.to_owned());
        self
    }

    /// The body, and its media type.
    pub fn body(mut self, media_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = Some((media_type.to_owned(), body.into()));
        self
    }

    /// The request as it would be sent, without the credential.
    ///
    /// # Errors
    /// Returns an error if an argument is refused or a parameter of the path is missing.
    pub fn request(&self) -> Result<Request, Error> {
        let mut request = self.built()?;
        self.client.transport.prepare(&mut request, self.operation)?;
        Ok(request)
    }

    /// Sends the call. The value is the body as it came.
    ///
    /// # Errors
    /// Returns an error if the answer is not a success, which includes one that reports failed items, or if no answer
    /// comes.
    pub async fn send(self) -> Result<Response<Bytes>, Error> {
        self.answer().await?.checked()
    }

    /// Sends the call and decodes the answer, which is JSON. An empty body is read as `null`.
    ///
    /// # Errors
    /// Returns an error if [`send`](Self::send) would, or the body does not fit the type.
    pub async fn send_as<T: DeserializeOwned + 'static>(self) -> Result<Response<T>, Error> {
        self.answer().await?.decode()
    }

    /// Sends the call and hands the body on as it comes. It has no limit where the operation
    /// [streams](Operation::streams); where it does not, the body was read whole.
    ///
    /// # Errors
    /// Returns an error if [`send`](Self::send) would.
    pub async fn stream(self) -> Result<Response<ByteStream>, Error> {
        Ok(self.sent().await?.stream())
    }

    /// The answers of a list, page by page, from where the call's own arguments say. `None` where the operation does not
    /// [page](Operation::pagination).
    pub fn pages<T>(self) -> Option<Pages<T>> {
        let pagination = self.operation.pagination?;
        let call = self.built().map_err(Unsent::from);
        let Self { client, operation, .. } = self;
        Some(Pages::over(Pager::new(&client.transport, call, operation, pagination)))
    }

    /// The call as one that starts work, and is waited for. Where the answer is not a 202 it is the result itself.
    pub fn poll(self) -> Poll {
        let call = self.built().map_err(Unsent::from);
        Poll::new(&self.client.transport, call, self.operation)
    }

    /// The call as one of which there are many: see [`batch_writer`](crate::batch_writer). A [body](Self::body) is what each batch
    /// holds beside its items.
    pub fn writer(self) -> Builder<serde_json::Value> {
        let call = self.built().map_err(Unsent::from);
        let writer = Builder::new(&self.client.transport, call, self.operation);
        match &self.body {
            Some((_, body)) => match serde_json::from_slice::<serde_json::Value>(body) {
                Ok(body) => writer.body(&body),
                Err(error) => writer.refused(error.to_string()),
            },
            None => writer,
        }
    }

    async fn answer(self) -> Result<Answer, Error> {
        if self.operation.streams {
            let text = format!("the operation `{}` answers with a stream: take it with `stream`", self.operation.id);
            return Err(Error::invalid_request(text).of_operation(self.operation));
        }
        self.sent().await
    }

    async fn sent(self) -> Result<Answer, Error> {
        let request = self.built().map_err(Unsent::from);
        let Self { client, operation, .. } = self;
        client.transport.send(&Requests, request, operation).await
    }

    fn refuse(&mut self, why: String) {
        self.refused.get_or_insert(why);
    }

    fn built(&self) -> Result<Request, Error> {
        if let Some(refused) = &self.refused {
            return Err(Error::invalid_request(refused.clone()));
        }
        let method = Method::from_bytes(self.operation.method.as_bytes())
            .map_err(|_| Error::invalid_request(format!("`{}` is not a method", self.operation.method)))?;
        let url = format!("{}{}", self.client.transport.base_url_of(self.operation)?, self.filled()?);
        let url = Url::parse(&url).map_err(|error| Error::transport(SendError::unfit(error)))?;
        let mut request = Request::new(method, url);
        *request.headers_mut() = self.headers.clone();
        if !self.operation.query.is_empty() {
            request.add_pairs(self.operation.query);
        }
        if !self.query.is_empty() {
            request.add_pairs(&self.query);
        }
        let value = |name: &str, text: &str| {
            HeaderValue::try_from(text).map_err(|_| Error::invalid_request(format!("the {name} is not a media type")))
        };
        if let Some(accept) = &self.accept {
            request.headers_mut().append(ACCEPT, value("type that is asked for", accept)?);
        }
        if let Some((media_type, body)) = &self.body {
            request.headers_mut().append(CONTENT_TYPE, value("type of the body", media_type)?);
            *request.body_mut() = Some(body.clone().into());
        }
        self.lists.iter().for_each(|list| add_query(request.url_mut(), list));
        Ok(request)
    }

    /// The path, with its arguments.
    fn filled(&self) -> Result<String, Error> {
        let (mut filled, mut rest) = (String::new(), self.operation.path);
        while let Some((before, (name, after))) =
            rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        {
            let given = self.path.iter().find(|(known, _)| known == name);
            let (_, value) = given.ok_or_else(|| {
                Error::invalid_request(format!("the argument `{name}` is missing: it is in the path"))
            })?;
            filled.push_str(before);
            filled.push_str(value);
            rest = after;
        }
        Ok(filled + rest)
    }
}

/// As JSON text, because numbers keep their digits there.
fn written(value: &(impl Serialize + ?Sized)) -> Result<String, String> {
    with_secrets(|| serde_json::to_string(value)).map_err(|error| error.to_string())
}

impl fmt::Debug for DynamicClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamicClient")
            .field("api", &self.api.name)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DynamicCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values of the path, the query and the body may be secrets or personal.
        f.debug_struct("DynamicCall")
            .field("client", self.client)
            .field("operation", &self.operation.id)
            .finish_non_exhaustive()
    }
}
