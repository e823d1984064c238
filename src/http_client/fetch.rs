//! The client that is built in on WebAssembly: the `fetch` of browsers, of their workers, and of Node.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::Frame;
use js_sys::{Array, Function, Reflect, Uint8Array};
use tokio::sync::{mpsc, oneshot};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, ReadableStream, ReadableStreamDefaultReader, Request, RequestCache, RequestCredentials,
    RequestInit, RequestRedirect, Response, ResponseType,
};

use super::{Body, HttpClient, SendError, Sending};
use crate::runtime::{spawn_local, unless};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Answer = Result<http::Response<Body>, SendError>;
type Chunk = Result<Bytes, BoxError>;

/// The global `fetch`. It follows no redirect, takes no cookie along and asks no cache. The body of a request is held in memory before
/// it is sent; that of an answer comes in chunks. What is dropped is aborted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fetch;

impl HttpClient for Fetch {
    fn send(&self, request: http::Request<Body>) -> Sending<'_> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.whole().await.map_err(SendError::unfit)?;
            let (answer, answered) = oneshot::channel();
            spawn_local(exchange(http::Request::from_parts(parts, body), answer));
            answered.await.unwrap_or_else(|error| Err(SendError::new(error)))
        })
    }
}

/// Sends a request and hands on what comes of it, for as long as somebody waits for it.
async fn exchange(request: http::Request<Bytes>, mut answer: oneshot::Sender<Answer>) {
    let abort = match Abort::new() {
        Ok(abort) => abort,
        Err(error) => return drop(answer.send(Err(SendError::unfit(words(&error, &request))))),
    };
    let Some(response) = unless(answer.closed(), head(&request, &abort)).await else { return };
    let (head, body) = match response.and_then(|response| Ok((head_of(&response)?, response.body()))) {
        Ok(parts) => parts,
        Err(error) => return drop(answer.send(Err(error))),
    };
    // One chunk is held; the next one is read when it is taken.
    let (chunks, come) = mpsc::channel(1);
    if answer.send(Ok(head.map(|()| Body::new(Chunks(come))))).is_ok()
        && let Some(body) = body
    {
        let read = read(&body, &chunks, &request);
        let _ = unless(chunks.closed(), read).await;
    }
}

/// Aborts a request when it goes: one that is over stays as it is.
struct Abort(AbortController);

impl Abort {
    fn new() -> Result<Self, JsValue> {
        AbortController::new().map(Self)
    }
}

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The answer to a request, whose body is still on its way.
async fn head(request: &http::Request<Bytes>, abort: &Abort) -> Result<Response, SendError> {
    let prepared = prepared(request, abort)?;
    let lost = |error: JsValue| SendError::new(words(&error, request));
    let global = js_sys::global();
    let fetch = Reflect::get(&global, &"fetch".into()).ok().and_then(|fetch| fetch.dyn_into::<Function>().ok());
    let fetch = fetch.ok_or_else(|| SendError::unfit("this JavaScript has no `fetch`"))?;
    let promise = fetch.call1(&global, &prepared).map_err(lost)?;
    let response = JsFuture::from(js_sys::Promise::resolve(&promise)).await.map_err(lost)?;
    let response: Response = response.dyn_into().map_err(|_| SendError::new("`fetch` gave no answer"))?;
    if response.type_() == ResponseType::Opaqueredirect {
        return Err(SendError::redirect("it is not followed, and a browser does not tell where it leads"));
    }
    Ok(response)
}

/// The request as `fetch` takes it.
fn prepared(request: &http::Request<Bytes>, abort: &Abort) -> Result<Request, SendError> {
    let headers = Headers::new().map_err(|error| SendError::unfit(words(&error, request)))?;
    let is_browser = is_browser();
    for (name, value) in request.headers() {
        if is_browser && *name == COOKIE {
            return Err(SendError::unfit(
                "a browser lets no program send the header `cookie`: no credential can go there",
            ));
        }
        // The length is that of the body below. A browser has a name of its own, and would first ask the server about another.
        if *name == CONTENT_LENGTH || is_browser && *name == USER_AGENT {
            continue;
        }
        // Headers are bytes, which JavaScript has as the characters of the same numbers.
        let value: String = value.as_bytes().iter().copied().map(char::from).collect();
        let added = headers.append(name.as_str(), &value);
        added.map_err(|_| SendError::unfit(format!("`fetch` does not take the header `{name}`")))?;
    }
    let init = RequestInit::new();
    init.set_method(request.method().as_str());
    init.set_headers_headers(&headers);
    init.set_redirect(RequestRedirect::Manual);
    init.set_credentials(RequestCredentials::Omit);
    init.set_cache(RequestCache::NoStore);
    init.set_referrer("");
    init.set_signal(Some(&abort.0.signal()));
    if !request.body().is_empty() {
        init.set_body_opt_u8_array(Some(&Uint8Array::from(&**request.body())));
    }
    let made = Request::new_with_str_and_init(&request.uri().to_string(), &init);
    made.map_err(|error| SendError::unfit(format!("`fetch` does not take it: {}", words(&error, request))))
}

/// Returns whether this is a page, or a worker of one.
fn is_browser() -> bool {
    let global = js_sys::global();
    ["document", "importScripts"].iter().any(|name| Reflect::has(&global, &(*name).into()).unwrap_or(false))
}

/// Status and headers of an answer.
fn head_of(response: &Response) -> Result<http::Response<()>, SendError> {
    let mut headers = HeaderMap::new();
    for entry in response.headers().entries() {
        let entry: Array = entry.map(JsCast::unchecked_into).unwrap_or_default();
        let (Some(name), Some(value)) = (entry.get(0).as_string(), entry.get(1).as_string()) else { continue };
        let value: Vec<u8> = value.chars().map(|character| u8::try_from(character).unwrap_or(b'?')).collect();
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    // It is unpacked already, and its length is another.
    if headers.remove(CONTENT_ENCODING).is_some() {
        headers.remove(CONTENT_LENGTH);
    }
    let mut head = http::Response::new(());
    *head.status_mut() = http::StatusCode::from_u16(response.status()).map_err(SendError::new)?;
    *head.headers_mut() = headers;
    Ok(head)
}

/// Reads a body to its end.
async fn read(body: &ReadableStream, chunks: &mpsc::Sender<Chunk>, request: &http::Request<Bytes>) {
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    loop {
        let chunk = match JsFuture::from(reader.read()).await {
            Ok(read) => match Reflect::get(&read, &"value".into()) {
                Ok(value) if !value.is_undefined() => Ok(Bytes::from(Uint8Array::new(&value).to_vec())),
                _ => return,
            },
            Err(error) => Err(words(&error, request).into()),
        };
        let is_over = chunk.is_err();
        if chunks.send(chunk).await.is_err() || is_over {
            return;
        }
    }
}

/// The chunks of a body as they come.
struct Chunks(mpsc::Receiver<Chunk>);

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.poll_recv(context).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}

/// The words of an error of JavaScript, with what Node knows to be behind it. The URL may hold phone numbers and addresses.
fn words(error: &JsValue, request: &http::Request<Bytes>) -> String {
    let member = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).ok();
    let message = |of: &JsValue| member(of, "message").and_then(|message| message.as_string());
    let said = message(error).unwrap_or_else(|| "`fetch` failed".to_owned());
    let cause = member(error, "cause").and_then(|cause| message(&cause)).filter(|cause| !cause.is_empty());
    let said = cause.map_or_else(|| said.clone(), |cause| format!("{said}: {cause}"));
    let target = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    if target == "/" { said } else { said.replace(target, "/…") }
}
