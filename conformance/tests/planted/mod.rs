//! A service of eleven operations with a switch for each of its defects. It is written by hand and shares no code with
//! the mock, so that what is found in it is not found for being alike.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Something that is wrong with the service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Defect {
    RevokedKeyWorks,
    ExpiredKeyWorks,
    AnyKeyWorks,
    ExportIsOpen,
    DeleteNeedsNoScope,
    LackingScopeIs401,
    ForeignShopIsServed,
    ForeignOrderIsServed,
    ForeignShopIs403,
    RefundIsFree,
    NoFundsIs403,
    RefusedRefundIsCharged,
    RemainingStands,
    LimitIsNotKept,
    RetryAfterIsWrong,
    OutcomeMiscounts,
    OutcomeMisplaces,
    KeyIsEchoed,
    NoChallenge,
    BodyBeforeKey,
    BrokenJsonIs500,
    CreatedIs200,
    ExportIsPlainText,
    MediaTypeProblemIsBare,
    LocationIsMissing,
    HashIsServed,
    QueryIsShown,
    ExpiredKeyGetsNoChallenge,
    AccountIsCached,
    NegativeLimitIs500,
    PriceHasNoBounds,
    AnyKindIsTaken,
    LongNameIs500,
    OriginIsEchoed,
    OrdersCanBeDeleted,
    LimitRaces,
    PagesOverlap,
    PagesLoseOne,
    KeyIsForgotten,
    KeyTakesAnyBody,
    DeleteLies,
    CreateIsNotStored,
    CreateLosesPrice,
    ReplaceIsLost,
    LocationIsWrong,
    SlashOpensPath,
    KeyIgnoresCase,
    TraceIsEchoed,
    InstantIsText,
}

impl Defect {
    pub(crate) const ALL: [Self; 49] = [
        Self::RevokedKeyWorks,
        Self::ExpiredKeyWorks,
        Self::AnyKeyWorks,
        Self::ExportIsOpen,
        Self::DeleteNeedsNoScope,
        Self::LackingScopeIs401,
        Self::ForeignShopIsServed,
        Self::ForeignOrderIsServed,
        Self::ForeignShopIs403,
        Self::RefundIsFree,
        Self::NoFundsIs403,
        Self::RefusedRefundIsCharged,
        Self::RemainingStands,
        Self::LimitIsNotKept,
        Self::RetryAfterIsWrong,
        Self::OutcomeMiscounts,
        Self::OutcomeMisplaces,
        Self::KeyIsEchoed,
        Self::NoChallenge,
        Self::BodyBeforeKey,
        Self::BrokenJsonIs500,
        Self::CreatedIs200,
        Self::ExportIsPlainText,
        Self::MediaTypeProblemIsBare,
        Self::LocationIsMissing,
        Self::HashIsServed,
        Self::QueryIsShown,
        Self::ExpiredKeyGetsNoChallenge,
        Self::AccountIsCached,
        Self::NegativeLimitIs500,
        Self::PriceHasNoBounds,
        Self::AnyKindIsTaken,
        Self::LongNameIs500,
        Self::OriginIsEchoed,
        Self::OrdersCanBeDeleted,
        Self::LimitRaces,
        Self::PagesOverlap,
        Self::PagesLoseOne,
        Self::KeyIsForgotten,
        Self::KeyTakesAnyBody,
        Self::DeleteLies,
        Self::CreateIsNotStored,
        Self::CreateLosesPrice,
        Self::ReplaceIsLost,
        Self::LocationIsWrong,
        Self::SlashOpensPath,
        Self::KeyIgnoresCase,
        Self::TraceIsEchoed,
        Self::InstantIsText,
    ];
}

/// The keys of the service: the variable that the tokens file names for each, and what is behind it. The keys are made up
/// from the names.
const KEYS: [(&str, State, &[&str]); 11] = [
    ("OWNER", State::Valid, &["*"]),
    ("REVOKED", State::Revoked, &["*"]),
    ("EXPIRED", State::Expired, &["*"]),
    ("LIMITED", State::Limited, &["*"]),
    ("BROKE", State::Broke, &["*"]),
    ("READER", State::Valid, &["products:read", "orders:read"]),
    ("SUPPORT", State::Valid, &["orders:read"]),
    ("CATALOGUE", State::Valid, &["products:read"]),
    ("EDITOR", State::Valid, &["products:write"]),
    ("CASHIER", State::Valid, &["orders:refund"]),
    ("IMPORTER", State::Valid, &["customers:write"]),
];

/// In the form of bcrypt; of no password.
const HASH: &str = "$2b$12$fixturefixturefixturefixturefixturefixturefixturefixt"; // not-a-secret

/// The products of the shop that are there from the beginning, besides those that a case may remove.
const PRODUCTS: [&str; 5] = ["product-1", "product-3", "product-4", "product-5", "product-6"];

/// Calls in a window of a limited key, and of any other.
const FEW: u64 = 2;
const MANY: u64 = 100_000;

/// How long a service that counts too late takes to do so.
const TURN: Duration = Duration::from_millis(15);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Valid,
    Revoked,
    Expired,
    Limited,
    Broke,
}

/// The variables with the keys.
pub(crate) fn environment() -> Vec<(String, String)> {
    KEYS.iter().map(|(name, ..)| (format!("SHOP_{name}"), key(name))).collect()
}

/// The tokens file.
pub(crate) fn tokens_file() -> String {
    let identities = KEYS.iter().map(|(name, state, scopes)| {
        let state = format!("{state:?}").to_lowercase();
        let scopes = if *scopes == ["*"] { String::new() } else { format!("scopes = {scopes:?}\n") };
        format!(
            "[[identity]]\nname = \"{name}\"\nkind = \"key\"\nstate = \"{state}\"\nsecret = {{ env = \"SHOP_{name}\" }}\nexpendable = true\n{scopes}\n"
        )
    });
    let ids = "[ids]\nshop = \"shop-1\"\nproduct = \"product-1\"\norder = \"order-1\"\n\n[foreign]\nshop = \"shop-2\"\norder = \"order-2\"\n\n[expendable]\nproduct = [\"spare-1\", \"spare-2\", \"spare-3\", \"spare-4\", \"spare-5\", \"spare-6\", \"spare-7\", \"spare-8\"]\nshop = [\"shop-2\"]\norder = [\"order-1\", \"order-3\", \"order-2\"]\n";
    identities.collect::<String>() + ids
}

fn key(name: &str) -> String {
    format!("sk_fixture-key-{}", name.to_lowercase()) // not-a-secret
}

/// Counts the requests that a service was sent.
pub(crate) type Log = Arc<AtomicUsize>;

/// The requests so far.
pub(crate) fn requests(log: &Log) -> usize {
    log.load(Ordering::Relaxed)
}

/// Starts the service. It ends with the runtime.
pub(crate) async fn serve(defect: Option<Defect>) -> (SocketAddr, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let shop = Arc::new(Shop {
        defect,
        windows: Mutex::default(),
        products: Mutex::new(products()),
        waiting: AtomicUsize::new(0),
        keyed: Mutex::default(),
        balance: Mutex::new(1_000_000),
    });
    let log = listen(listener, move |request| {
        let shop = Arc::clone(&shop);
        async move { shop.respond(request).await }
    });
    (address, log)
}

/// Answers every request, until the runtime ends, and counts them.
pub(crate) fn listen<F, A>(listener: TcpListener, answer: F) -> Log
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let log = Log::default();
    let counted = Arc::clone(&log);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let (answer, counted) = (answer.clone(), Arc::clone(&counted));
            let service = service_fn(move |request| {
                counted.fetch_add(1, Ordering::Relaxed);
                let answer = answer(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    log
}

struct Shop {
    defect: Option<Defect>,
    /// By key: calls, and when the window ends.
    windows: Mutex<HashMap<String, (u64, u64)>>,
    /// Products by id, each as it is served, and the number of those that were created.
    products: Mutex<(BTreeMap<String, Value>, usize)>,
    /// Calls of a limited key that are on their way.
    waiting: AtomicUsize,
    /// Products by idempotency key: the body that created one, and its id.
    keyed: Mutex<HashMap<String, (Value, String)>>,
    /// What the shop has left for refunds.
    balance: Mutex<i64>,
}

/// An answer on its way.
struct Answer {
    status: u16,
    body: Option<Value>,
    headers: Vec<(&'static str, String)>,
}

/// A call of somebody who is known.
struct Caller {
    name: &'static str,
    state: State,
    scopes: &'static [&'static str],
}

/// The operation that a path and a method name: what is needed, and on which ids.
struct Route<'a> {
    name: &'static str,
    scope: &'static str,
    shop: Option<&'a str>,
    product: Option<&'a str>,
    order: Option<&'a str>,
    takes_body: bool,
    query: &'a str,
    /// The idempotency key.
    key: Option<&'a str>,
}

impl Shop {
    #[expect(clippy::disallowed_methods, reason = "a server of its own, which takes its time")]
    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let query = parts.uri.query().unwrap_or_default();
        let races =
            self.has(Defect::LimitRaces) && header("authorization").is_some_and(|sent| sent.ends_with(&key("LIMITED")));
        if races {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(TURN).await;
        }
        let answer = self.answer(
            &parts.method,
            (parts.uri.path(), query, header("idempotency-key").as_deref()),
            header("authorization").as_deref(),
            header("content-type").as_deref(),
            &body,
        );
        if races {
            tokio::time::sleep(TURN).await;
            self.waiting.fetch_sub(1, Ordering::SeqCst);
        }
        let mut response = Response::builder().status(answer.status);
        if let Some(origin) = header("origin").filter(|_| self.has(Defect::OriginIsEchoed)) {
            response = response.header("access-control-allow-origin", origin);
            response = response.header("access-control-allow-credentials", "true");
        }
        for (name, value) in &answer.headers {
            response = response.header(*name, value);
        }
        let body = answer.body.map(|body| body.to_string()).unwrap_or_default();
        let is_named = answer.headers.iter().any(|(name, _)| *name == "content-type");
        if answer.status >= 400 {
            response = response.header("content-type", "application/problem+json");
        } else if !body.is_empty() && !is_named {
            response = response.header("content-type", "application/json");
        }
        response.body(Full::from(body)).expect("a response")
    }

    fn answer(
        &self,
        method: &Method,
        (path, query, key): (&str, &str, Option<&str>),
        authorization: Option<&str>,
        media_type: Option<&str>,
        body: &[u8],
    ) -> Answer {
        let is_with_slash = path.ends_with('/') && self.has(Defect::SlashOpensPath);
        let path = if is_with_slash { path.trim_end_matches('/') } else { path };
        if let (&Method::TRACE, Some(sent), true) = (method, authorization, self.has(Defect::TraceIsEchoed)) {
            return ok(200, json!({ "authorization": sent }));
        }
        let segments: Vec<&str> = path.trim_start_matches("/v1").split('/').skip(1).collect();
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let Some((allowed, route)) = route(method, &segments) else { return problem(404, "There is nothing here") };
        let Some(mut route) = route.or_else(|| self.undeclared(method, &segments)) else {
            return problem(405, "The path has other methods").with("allow", allowed.to_owned());
        };
        (route.query, route.key) = (query, key);
        if self.has(Defect::BodyBeforeKey)
            && let Err(answer) = self.read(&route, media_type, body)
        {
            return answer;
        }
        let is_open = is_with_slash || (route.name == "export" && self.has(Defect::ExportIsOpen));
        let caller = match self.caller(authorization) {
            Ok(caller) => caller,
            Err(_) if is_open => Caller { name: "OWNER", state: State::Valid, scopes: &["*"] },
            Err(answer) => return answer,
        };
        let (limits, is_over) = self.count(&caller);
        let mut answer = if is_over {
            let wait = limits.2 - epoch() + if self.has(Defect::RetryAfterIsWrong) { 3600 } else { 0 };
            problem(429, "Too many calls").with("retry-after", wait.to_string())
        } else {
            self.serve(&caller, &route, media_type, body).unwrap_or_else(|answer| answer)
        };
        answer = answer.with("x-ratelimit-limit", limits.0.to_string());
        answer = answer.with("x-ratelimit-remaining", limits.1.to_string());
        answer.with("x-ratelimit-reset", limits.2.to_string())
    }

    fn caller(&self, authorization: Option<&str>) -> Result<Caller, Answer> {
        let refuse = |title: &str| {
            let answer = problem(401, title);
            let challenge = "Bearer realm=\"shop\"".to_owned();
            Err(if self.has(Defect::NoChallenge) { answer } else { answer.with("www-authenticate", challenge) })
        };
        let Some((scheme, sent)) = authorization.and_then(|header| header.split_once(' ')) else {
            return refuse("A key is needed");
        };
        if !scheme.eq_ignore_ascii_case("bearer") {
            return refuse("The scheme is Bearer");
        }
        let is_key = |key: &str| key == sent || (self.has(Defect::KeyIgnoresCase) && key.eq_ignore_ascii_case(sent));
        let Some((name, state, scopes)) = KEYS.iter().find(|(name, ..)| is_key(&key(name))) else {
            if self.has(Defect::AnyKeyWorks) {
                return Ok(Caller { name: "OWNER", state: State::Valid, scopes: &["*"] });
            }
            let echo = if self.has(Defect::KeyIsEchoed) { sent } else { "" };
            return refuse(&format!("The key {echo} is not known"));
        };
        match state {
            State::Revoked if !self.has(Defect::RevokedKeyWorks) => refuse("The key was revoked"),
            State::Expired if !self.has(Defect::ExpiredKeyWorks) => {
                let mut answer = refuse("The key has expired");
                if let (Err(answer), true) = (&mut answer, self.has(Defect::ExpiredKeyGetsNoChallenge)) {
                    answer.headers.retain(|(name, _)| *name != "www-authenticate");
                }
                answer
            }
            _ => Ok(Caller { name, state: *state, scopes }),
        }
    }

    /// Limit, what is left and the end of the window, and whether the call is one too many.
    fn count(&self, caller: &Caller) -> ((u64, u64, u64), bool) {
        let (limit, length) = if caller.state == State::Limited { (FEW, 1) } else { (MANY, 60) };
        let now = epoch();
        let mut windows = self.windows.lock().expect("no panic");
        let window = windows.entry(caller.name.to_owned()).or_insert((0, now + length));
        if window.1 <= now {
            *window = (0, now + length);
        }
        window.0 += 1;
        let left = if self.has(Defect::RemainingStands) { limit - 1 } else { limit.saturating_sub(window.0) };
        // What was read before the others were counted.
        let is_late = self.waiting.load(Ordering::SeqCst) > 1;
        ((limit, left, window.1), window.0 > limit && !self.has(Defect::LimitIsNotKept) && !is_late)
    }

    fn serve(
        &self,
        caller: &Caller,
        route: &Route<'_>,
        media_type: Option<&str>,
        body: &[u8],
    ) -> Result<Answer, Answer> {
        let is_free =
            route.scope.is_empty() || (route.name == "product-delete" && self.has(Defect::DeleteNeedsNoScope));
        if !is_free && !caller.scopes.contains(&"*") && !caller.scopes.contains(&route.scope) {
            let status = if self.has(Defect::LackingScopeIs401) { 401 } else { 403 };
            return Err(problem(status, "The key lacks a scope"));
        }
        self.own(route)?;
        match route.name {
            "product-list" => drop(self.listing(route.query)?),
            "export" => exported_year(route.query)?,
            _ => {}
        }
        let sent = self.read(route, media_type, body)?;
        Ok(match route.name {
            "me" => self.account(),
            "product-list" => {
                let (offset, limit) = self.listing(route.query)?;
                // Where a page begins, if not with the item behind the last one.
                let shift = match offset {
                    0 => 0,
                    _ if self.has(Defect::PagesOverlap) => -1,
                    _ => isize::from(self.has(Defect::PagesLoseOne)),
                };
                let products = &self.products.lock().expect("no panic").0;
                let listed = products.iter().filter(|(id, _)| !id.starts_with("spare-"));
                let page = listed.skip(offset.saturating_add_signed(shift)).take(limit).map(|(_, product)| product);
                ok(200, json!({ "products": page.collect::<Vec<_>>() }))
            }
            "product-get" => {
                let products = &self.products.lock().expect("no panic").0;
                ok(200, route.product.and_then(|id| products.get(id)).cloned().unwrap_or_default())
            }
            "product-replace" => {
                let replaced = product(route.product.unwrap_or_default(), &sent);
                if !self.has(Defect::ReplaceIsLost) {
                    let id = route.product.unwrap_or_default().to_owned();
                    self.products.lock().expect("no panic").0.insert(id, replaced.clone());
                }
                ok(200, replaced)
            }
            "product-create" => {
                let status = if self.has(Defect::CreatedIs200) { 200 } else { 201 };
                let id = self.created(route.key, &sent)?;
                let answer = ok(status, product(&id, &sent));
                let list = if self.has(Defect::LocationIsWrong) { "product" } else { "products" };
                let place = format!("/v1/shops/shop-1/{list}/{id}");
                if self.has(Defect::LocationIsMissing) { answer } else { answer.with("location", place) }
            }
            "product-delete" => {
                if !self.has(Defect::DeleteLies) {
                    self.products.lock().expect("no panic").0.remove(route.product.unwrap_or_default());
                }
                Answer { status: 204, body: None, headers: Vec::new() }
            }
            "export" if self.has(Defect::ExportIsPlainText) => {
                ok(200, json!({ "orders": [{ "id": "order-1" }] })).with("content-type", "text/plain".to_owned())
            }
            "order-list" | "export" => ok(200, json!({ "orders": [{ "id": "order-1" }] })),
            "order-delete" => Answer { status: 204, body: None, headers: Vec::new() },
            "order-get" => ok(200, json!({ "id": "order-1" })),
            "order-refund" if caller.state == State::Broke && !self.has(Defect::RefundIsFree) => {
                problem(if self.has(Defect::NoFundsIs403) { 403 } else { 402 }, "There are no funds")
            }
            "order-refund" => {
                self.pay();
                ok(200, json!({ "id": "order-1", "refunded": true }))
            }
            _ => self.pushed(&sent),
        })
    }

    /// Who asks, and what is left for refunds.
    fn account(&self) -> Answer {
        let mut account = json!({ "shop": "shop-1", "balance": *self.balance.lock().expect("no panic") });
        match self.defect {
            Some(Defect::HashIsServed) => account["hash"] = json!(HASH),
            Some(Defect::InstantIsText) => account["since"] = json!("2026"),
            _ => account["since"] = json!("2026-01-22T10:00:00Z"),
        }
        let answer = ok(200, account);
        let is_cached = self.has(Defect::AccountIsCached);
        if is_cached { answer.with("cache-control", "public, max-age=300".to_owned()) } else { answer }
    }

    /// Takes the fee of a refund.
    fn pay(&self) {
        *self.balance.lock().expect("no panic") -= 30;
    }

    /// Whether the ids are those of the caller. What is somebody else's does not exist.
    fn own(&self, route: &Route<'_>) -> Result<(), Answer> {
        if route.shop.is_some_and(|shop| shop != "shop-1") {
            let exists = route.shop == Some("shop-2");
            if !(exists && self.has(Defect::ForeignShopIsServed)) {
                let status = if exists && self.has(Defect::ForeignShopIs403) { 403 } else { 404 };
                return Err(problem(status, "There is no such shop"));
            }
        }
        let is_served = route.order == Some("order-2") && self.has(Defect::ForeignOrderIsServed);
        if route.order.is_some_and(|order| !["order-1", "order-3"].contains(&order)) && !is_served {
            return Err(problem(404, "There is no such order"));
        }
        let is_there = |product: &str| self.products.lock().expect("no panic").0.contains_key(product);
        if route.product.is_some_and(|product| !is_there(product)) {
            return Err(problem(404, "There is no such product"));
        }
        Ok(())
    }

    fn read(&self, route: &Route<'_>, media_type: Option<&str>, body: &[u8]) -> Result<Value, Answer> {
        if !route.takes_body {
            return Ok(Value::Null);
        }
        if !media_type.is_some_and(|media_type| media_type.starts_with("application/json")) {
            let is_bare = self.has(Defect::MediaTypeProblemIsBare);
            return Err(if is_bare { ok(415, json!({ "error": "JSON" })) } else { problem(415, "The body is JSON") });
        }
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            if self.has(Defect::BrokenJsonIs500) {
                return Err(problem(500, "Traceback (most recent call last): json.decoder.JSONDecodeError"));
            }
            return Err(problem(400, "The body is not JSON"));
        };
        let lacks = |name: &str| value.get(name).is_none();
        match route.name {
            "product-create" if lacks("name") && self.has(Defect::QueryIsShown) => {
                Err(problem(422, "INSERT INTO products (id, name) VALUES ($1, $2): name is null"))
            }
            "product-create" | "product-replace" if lacks("name") => Err(problem(422, "A product has a name")),
            "product-create" | "product-replace" => self.product(&value).map(|()| value),
            "order-refund" if value["cents"].as_i64().is_none_or(|cents| cents < 1) => {
                if self.has(Defect::RefusedRefundIsCharged) {
                    self.pay();
                }
                Err(problem(422, "A refund has an amount"))
            }
            "customer-push" if value["customers"].as_array().is_none_or(|items| items.len() > 20) => {
                Err(problem(422, "At most 20 customers"))
            }
            _ => Ok(value),
        }
    }

    /// The id of the product that a call creates. One that comes again under its key has created it already.
    fn created(&self, key: Option<&str>, sent: &Value) -> Result<String, Answer> {
        let Some(key) = key else { return Ok(self.new_product(sent)) };
        let mut keyed = self.keyed.lock().expect("no panic");
        let (body, id) = keyed.entry(key.to_owned()).or_insert_with(|| (sent.clone(), self.new_product(sent)));
        if body != sent && !self.has(Defect::KeyTakesAnyBody) {
            return Err(problem(422, "The key was used for another product"));
        }
        let answered = id.clone();
        if self.has(Defect::KeyIsForgotten) {
            *id = self.new_product(sent);
        }
        Ok(answered)
    }

    /// Keeps a product under an id of its own.
    fn new_product(&self, sent: &Value) -> String {
        let mut products = self.products.lock().expect("no panic");
        products.1 += 1;
        let id = format!("product-{}", 100 + products.1);
        let mut kept = product(&id, sent);
        if self.has(Defect::CreateLosesPrice) {
            kept.as_object_mut().map(|members| members.remove("price"));
        }
        if !self.has(Defect::CreateIsNotStored) {
            products.0.insert(id.clone(), kept);
        }
        id
    }

    /// How a list is asked for: how many items are skipped, and how many are wanted.
    fn listing(&self, query: &str) -> Result<(usize, usize), Answer> {
        let (mut offset, mut size) = (0, 20);
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let limit = value.parse::<i64>();
            if name == "limit" && self.has(Defect::NegativeLimitIs500) && limit.as_ref().is_ok_and(|limit| *limit < 0) {
                return Err(problem(500, "LIMIT must not be negative"));
            }
            let is_wrong = match name {
                "limit" => !limit.as_ref().is_ok_and(|limit| (1..=100).contains(limit)),
                "offset" => !limit.as_ref().is_ok_and(|offset| *offset >= 0),
                "sort" => !["name", "id"].contains(&value),
                _ => false,
            };
            if is_wrong {
                return Err(problem(422, "A list is asked for with a limit of 1 to 100, by name or id"));
            }
            let number = limit.ok().and_then(|number| usize::try_from(number).ok());
            match name {
                "limit" => size = number.unwrap_or(size),
                "offset" => offset = number.unwrap_or(offset),
                _ => {}
            }
        }
        Ok((offset, size))
    }

    /// Whether a product is one.
    fn product(&self, sent: &Value) -> Result<(), Answer> {
        let known = ["name", "price", "kind", "code", "tags", "maker"];
        let is_code = |code: &str| {
            let (letters, digits) = code.split_once('-').unwrap_or_default();
            let is_word = letters.len() == 3 && letters.bytes().all(|byte| byte.is_ascii_uppercase());
            is_word && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        let given = |name: &str| sent.get(name);
        let length = sent["name"].as_str().map(|name| name.chars().count());
        if self.has(Defect::LongNameIs500) && length.is_some_and(|length| length > 40) {
            return Err(problem(500, "The name does not fit into its column"));
        }
        let is_priced = |price: &Value| {
            price.as_i64().is_some_and(|price| self.has(Defect::PriceHasNoBounds) || (0..=1_000_000).contains(&price))
        };
        let is_kind = |kind: &Value| {
            kind.as_str().is_some_and(|kind| self.has(Defect::AnyKindIsTaken) || ["drink", "food"].contains(&kind))
        };
        let are_tags = |tags: &Value| {
            let tags = tags.as_array().map_or(&[Value::Null][..], Vec::as_slice);
            let words: HashSet<&str> = tags.iter().filter_map(Value::as_str).collect();
            tags.len() <= 3 && words.len() == tags.len()
        };
        let is_maker = |maker: &Value| maker["name"].is_string() && maker.get("founded").is_none_or(Value::is_i64);
        let is_one = length.is_some_and(|length| (2..=40).contains(&length))
            && given("price").is_none_or(is_priced)
            && given("kind").is_none_or(is_kind)
            && given("code").is_none_or(|code| code.as_str().is_some_and(is_code))
            && given("tags").is_none_or(are_tags)
            && given("maker").is_none_or(is_maker)
            && sent.as_object().is_some_and(|members| members.keys().all(|name| known.contains(&name.as_str())));
        if is_one { Ok(()) } else { Err(problem(422, "This is no product")) }
    }

    /// A method that nobody documented.
    fn undeclared<'a>(&self, method: &Method, segments: &[&'a str]) -> Option<Route<'a>> {
        let ["shops", shop, "orders", order] = segments else { return None };
        (method == Method::DELETE && self.has(Defect::OrdersCanBeDeleted)).then_some(Route {
            name: "order-delete",
            scope: "orders:refund",
            shop: Some(*shop),
            product: None,
            order: Some(*order),
            takes_body: false,
            query: "",
            key: None,
        })
    }

    fn pushed(&self, sent: &Value) -> Answer {
        let items = sent["customers"].as_array().map(Vec::as_slice).unwrap_or_default();
        let shift = usize::from(self.has(Defect::OutcomeMisplaces));
        let bad = items.iter().enumerate().filter(|(_, item)| item.get("email").is_none());
        let errors: Vec<Value> =
            bad.map(|(index, _)| json!({ "index": index + shift, "reason": "A customer has an address" })).collect();
        let accepted = items.len() - errors.len() + usize::from(self.has(Defect::OutcomeMiscounts));
        let rejected = errors.len();
        ok(202, json!({ "received": items.len(), "accepted": accepted, "rejected": rejected, "errors": errors }))
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }
}

impl Answer {
    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{self:?}"))
    }
}

/// A product as it is served.
fn product(id: &str, sent: &Value) -> Value {
    let mut product = json!({ "id": id, "name": sent["name"] });
    if let Some(price) = sent.get("price") {
        product["price"] = price.clone();
    }
    product
}

/// The products at the beginning.
fn products() -> (BTreeMap<String, Value>, usize) {
    let spare = (1..9).map(|number| format!("spare-{number}"));
    let ids = PRODUCTS.into_iter().map(str::to_owned).chain(spare);
    (ids.map(|id| (id.clone(), product(&id, &json!({ "name": "Tea" })))).collect(), 0)
}

fn ok(status: u16, body: Value) -> Answer {
    Answer { status, body: Some(body), headers: Vec::new() }
}

fn problem(status: u16, title: &str) -> Answer {
    ok(status, json!({ "title": title, "status": status }))
}

/// The methods of a path, and the operation of this one.
fn route<'a>(method: &Method, segments: &[&'a str]) -> Option<(&'static str, Option<Route<'a>>)> {
    let (allowed, operations): (_, &[(&Method, &'static str, &'static str)]) = match segments {
        ["me"] => ("GET", &[(&Method::GET, "me", "")]),
        ["shops", _, "products"] => (
            "GET, POST",
            &[(&Method::GET, "product-list", "products:read"), (&Method::POST, "product-create", "products:write")],
        ),
        ["shops", _, "products", _] => (
            "GET, PUT, DELETE",
            &[
                (&Method::GET, "product-get", "products:read"),
                (&Method::PUT, "product-replace", "products:write"),
                (&Method::DELETE, "product-delete", "products:write"),
            ],
        ),
        ["shops", _, "orders"] => ("GET", &[(&Method::GET, "order-list", "orders:read")]),
        ["shops", _, "orders", _] => ("GET", &[(&Method::GET, "order-get", "orders:read")]),
        ["shops", _, "orders", _, "refund"] => ("POST", &[(&Method::POST, "order-refund", "orders:refund")]),
        ["shops", _, "customers"] => ("POST", &[(&Method::POST, "customer-push", "customers:write")]),
        ["shops", _, "export"] => ("GET", &[(&Method::GET, "export", "orders:read")]),
        _ => return None,
    };
    let found = operations.iter().find(|(known, ..)| *known == method);
    let route = found.map(|(method, name, scope)| Route {
        name,
        scope,
        shop: segments.get(1).copied(),
        product: segments.get(3).copied().filter(|_| segments[2] == "products"),
        order: segments.get(3).copied().filter(|_| segments[2] == "orders"),
        takes_body: [&Method::POST, &Method::PUT].contains(method),
        query: "",
        key: None,
    });
    Some((allowed, route))
}

/// The year that an export is of is one of this century.
fn exported_year(query: &str) -> Result<(), Answer> {
    let year = query.split('&').find_map(|pair| pair.strip_prefix("year="));
    let is_one = year.and_then(|year| year.parse().ok()).is_some_and(|year: u16| (2000..=2100).contains(&year));
    if is_one { Ok(()) } else { Err(problem(422, "An export is of a year")) }
}

#[expect(clippy::disallowed_methods, reason = "a server of its own, with a clock of its own")]
fn epoch() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}
