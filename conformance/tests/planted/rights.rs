//! A service of orders with defects of rights: who reaches what is another's, which scopes include others, and members that go one
//! way. Written by hand, as its neighbour is.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::service::{Log, listen};

/// Something that is wrong with the service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Defect {
    OrdersAreEverybodys,
    OrdersOfAllAreListed,
    ShopInQueryIsNotJudged,
    ShopInBodyIsNotJudged,
    ShopOfInvoiceIsNotJudged,
    ListOfShopsIsNotJudged,
    OrdersCanBeMoved,
    WritersCannotRead,
    StatusIsTakenOfNewOrders,
    CentsCanBeChanged,
    PinIsServed,
    ChangeResetsOthers,
    NewOrdersAreNotListed,
    OrderIsAnother,
    CursorsOfOthersAreTaken,
    NextPageIsElsewhere,
}

impl Defect {
    pub(crate) const ALL: [Self; 16] = [
        Self::OrdersAreEverybodys,
        Self::OrdersOfAllAreListed,
        Self::ShopInQueryIsNotJudged,
        Self::ShopInBodyIsNotJudged,
        Self::ShopOfInvoiceIsNotJudged,
        Self::ListOfShopsIsNotJudged,
        Self::OrdersCanBeMoved,
        Self::WritersCannotRead,
        Self::StatusIsTakenOfNewOrders,
        Self::CentsCanBeChanged,
        Self::PinIsServed,
        Self::ChangeResetsOthers,
        Self::NewOrdersAreNotListed,
        Self::OrderIsAnother,
        Self::CursorsOfOthersAreTaken,
        Self::NextPageIsElsewhere,
    ];
}

/// Who holds a key: its name, the shop, and the scopes.
const KEYS: [(&str, &str, &[&str]); 5] = [
    ("OWNER", "shop-1", &["orders:read", "orders:write"]),
    ("NEIGHBOUR", "shop-2", &["orders:read", "orders:write"]),
    ("READER", "shop-1", &["orders:read"]),
    ("WRITER", "shop-1", &["orders:write"]),
    ("NOBODY", "shop-1", &[]),
];

/// The variables with the keys.
pub(crate) fn environment() -> Vec<(String, String)> {
    KEYS.iter().map(|(name, ..)| (format!("RIGHTS_{name}"), key(name))).collect()
}

/// The tokens file.
pub(crate) fn tokens_file() -> String {
    let identity = |(name, shop, scopes): &(&str, &str, &[&str])| {
        let scopes = if scopes.len() == 2 { String::new() } else { format!("scopes = {scopes:?}\n") };
        let ids = if *shop == "shop-2" { "ids = { shop = \"shop-2\", order = \"order-2\" }\n" } else { "" };
        format!(
            "[[identity]]\nname = \"{name}\"\nkind = \"key\"\nstate = \"valid\"\nsecret = {{ env = \"RIGHTS_{name}\" }}\nexpendable = true\n{scopes}{ids}\n"
        )
    };
    let ids = "[ids]\nshop = \"shop-1\"\norder = \"order-1\"\n\n[foreign]\nshop = \"shop-2\"\n";
    KEYS.iter().map(identity).collect::<String>() + ids
}

fn key(name: &str) -> String {
    format!("rk_fixture-key-{}", name.to_lowercase()) // not-a-secret
}

struct Shops {
    defect: Option<Defect>,
    orders: Mutex<BTreeMap<String, Value>>,
    /// How many orders were added.
    added: AtomicUsize,
}

/// Starts the service. It ends with the runtime.
pub(crate) async fn serve(defect: Option<Defect>) -> (SocketAddr, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let order = |number: u8| {
        let id = format!("order-{number}");
        (
            id.clone(),
            json!({ "id": id, "status": "open", "cents": 500, "shopId": format!("shop-{number}"), "note": "Tea" }),
        )
    };
    let shops = Arc::new(Shops { defect, orders: Mutex::new([order(1), order(2)].into()), added: AtomicUsize::new(0) });
    let log = listen(listener, move |request| {
        let shops = Arc::clone(&shops);
        async move { shops.respond(request).await }
    });
    (address, log)
}

/// Status and body, or why there is none.
type Answer = Result<(u16, Value), (u16, &'static str)>;

impl Shops {
    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let header =
            |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let path = parts.uri.path().trim_start_matches("/v1/").to_owned();
        let segments: Vec<&str> = path.split('/').collect();
        let query: Vec<(String, String)> =
            url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let methods = match segments.as_slice() {
            ["shops", _, "till"] | ["entries" | "bills"] => "GET",
            ["orders"] => "GET, POST",
            ["orders", _] => "GET, PATCH, DELETE",
            _ => "",
        };
        // A client of HTTP reads the head of the answer alone.
        let method = if parts.method == Method::HEAD { Method::GET } else { parts.method };
        let is_known = methods.split(", ").any(|known| known == method.as_str());
        let response = Response::builder();
        if !methods.is_empty() && !is_known {
            let response =
                response.status(405).header("allow", methods).header("content-type", "application/problem+json");
            return response.body(Full::from(json!({ "title": "No such method" }).to_string())).expect("a response");
        }
        let is_json = header("content-type").starts_with("application/json");
        let body = is_json.then_some(&body[..]);
        let origin = format!("http://{}", header("host"));
        let answer = self.answer(&method, &segments, (&query, &origin), &header("authorization"), body);
        let (status, body, media_type) = match answer {
            Ok((status, body)) => (status, body, "application/json"),
            Err((status, title)) => (status, json!({ "title": title }), "application/problem+json"),
        };
        let response = response.status(status).header("cache-control", "no-store");
        let response =
            if status == 401 { response.header("www-authenticate", "Bearer realm=\"rights\"") } else { response };
        if status == 204 {
            return response.body(Full::default()).expect("a response");
        }
        response.header("content-type", media_type).body(Full::from(body.to_string())).expect("a response")
    }

    fn answer(
        &self,
        method: &Method,
        segments: &[&str],
        (query, origin): (&[(String, String)], &str),
        authorization: &str,
        body: Option<&[u8]>,
    ) -> Answer {
        let sent = authorization.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let known = sent.and_then(|(_, sent)| KEYS.iter().find(|(name, ..)| key(name) == sent));
        let Some((_, own, scopes)) = known else { return Err((401, "A key is needed")) };
        let reads = method == Method::GET;
        let is_let_in = scopes.contains(&"orders:write") || (reads && scopes.contains(&"orders:read"));
        let is_shut_out = reads && self.has(Defect::WritersCannotRead) && !scopes.contains(&"orders:read");
        if !is_let_in || is_shut_out {
            return Err((403, "The key lacks a scope"));
        }
        match (method, segments) {
            (_, ["shops", shop, "till"]) if shop == own => Ok((200, json!({ "id": shop }))),
            (_, ["entries"]) => self.entries(own, query),
            (_, ["bills"]) => self.bills(own, query, origin),
            (&Method::GET, ["orders"]) => Ok((200, self.list(own, query))),
            (&Method::POST, ["orders"]) => self.add(own, &read(body)?),
            (_, ["orders", id]) => self.one(method, own, id, body),
            _ => Err((404, "There is nothing here")),
        }
    }

    fn list(&self, own: &str, query: &[(String, String)]) -> Value {
        let asked = query.iter().find(|(name, _)| name == "shop_id").map_or(own, |(_, shop)| shop.as_str());
        let is_waived = asked == "shop-2" && self.has(Defect::ShopInQueryIsNotJudged);
        if asked != own && !is_waived {
            return json!([]);
        }
        let orders = self.orders.lock().expect("no panic");
        let is_hidden = |order: &Value| self.has(Defect::NewOrdersAreNotListed) && is_new(&order["id"]);
        let is_shown =
            |order: &&Value| (order["shopId"] == asked || self.has(Defect::OrdersOfAllAreListed)) && !is_hidden(order);
        orders.values().filter(is_shown).cloned().map(|order| self.shown(order)).collect()
    }

    /// A list that goes on behind a cursor, which is that of a shop.
    fn entries(&self, own: &str, query: &[(String, String)]) -> Answer {
        let asked = query.iter().find(|(name, _)| name == "cursor").map(|(_, cursor)| cursor.as_str());
        let cursor = match asked {
            None => Some((own, 0)),
            Some(cursor) => cursor.split_once('.').and_then(|(shop, start)| Some((shop, start.parse().ok()?))),
        };
        let is_taken = |shop: &str| shop == own || (shop == "shop-2" && self.has(Defect::CursorsOfOthersAreTaken));
        let Some((shop, start)) = cursor.filter(|(shop, _)| is_taken(shop)) else {
            return Err((400, "There is no such cursor"));
        };
        let (items, next) = page("entry", shop, start, query)?;
        Ok((200, json!({ "items": items, "next_cursor": next.map(|start| format!("{shop}.{start}")) })))
    }

    /// A list that goes on at a URL.
    fn bills(&self, own: &str, query: &[(String, String)], origin: &str) -> Answer {
        let start = query.iter().find(|(name, _)| name == "after").map_or(Ok(0), |(_, start)| start.parse());
        let start = start.map_err(|_| (400, "There is no such page"))?;
        let (items, next) = page("bill", own, start, query)?;
        let origin = if self.has(Defect::NextPageIsElsewhere) { "https://bills.example" } else { origin };
        Ok((200, json!({ "items": items, "next": next.map(|start| format!("{origin}/v1/bills?after={start}")) })))
    }

    fn add(&self, own: &str, sent: &Value) -> Answer {
        let shop = sent.get("shopId").map_or(own, |shop| shop.as_str().unwrap_or_default()).to_owned();
        if shop != own && !(shop == "shop-2" && self.has(Defect::ShopInBodyIsNotJudged)) {
            return Err((422, "There is no such shop"));
        }
        if !sent["note"].is_string() {
            return Err((422, "An order has a note"));
        }
        self.judge_shops(own, sent)?;
        let mut orders = self.orders.lock().expect("no panic");
        let id = format!("order-{}", self.added.fetch_add(1, Ordering::Relaxed) + 100);
        let mut order = json!({ "id": id, "status": "open", "cents": 500, "shopId": shop });
        self.set(&mut order, sent, (Defect::StatusIsTakenOfNewOrders, "status"))?;
        orders.insert(id, order.clone());
        Ok((201, self.shown(order)))
    }

    fn one(&self, method: &Method, own: &str, id: &str, body: Option<&[u8]>) -> Answer {
        let mut orders = self.orders.lock().expect("no panic");
        let is_served = |order: &&mut Value| {
            order["shopId"] == own || (self.has(Defect::OrdersAreEverybodys) && method == Method::GET)
        };
        let Some(order) = orders.get_mut(id).filter(is_served) else { return Err((404, "There is no such order")) };
        if method == Method::DELETE {
            orders.remove(id);
            return Ok((204, Value::Null));
        }
        if method == Method::PATCH {
            let sent = read(body)?;
            if !sent["note"].is_string() {
                return Err((422, "An order has a note"));
            }
            self.judge_shops(own, &sent)?;
            if self.has(Defect::ChangeResetsOthers) {
                order.as_object_mut().map(|members| members.remove("remark"));
            }
            self.set(order, &sent, (Defect::CentsCanBeChanged, "cents"))?;
            if let Some(shop) = sent.get("shopId").filter(|_| self.has(Defect::OrdersCanBeMoved)) {
                order["shopId"] = shop.clone();
            }
        }
        let mut shown = self.shown(order.clone());
        if method == Method::GET && self.has(Defect::OrderIsAnother) && is_new(&shown["id"]) {
            shown["id"] = json!("order-1");
        }
        Ok((200, shown))
    }

    /// Refuses the shops of others, wherever an order names shops besides its own.
    fn judge_shops(&self, own: &str, sent: &Value) -> Result<(), (u16, &'static str)> {
        let is_own = |shop: &Value, defect| shop == own || (shop == "shop-2" && self.has(defect));
        let is_invoice = |invoice: &Value| {
            let shop = invoice.get("shop");
            let id = shop.and_then(|shop| shop.get("id"));
            invoice.is_object()
                && shop.is_none_or(Value::is_object)
                && id.is_none_or(|shop| is_own(shop, Defect::ShopOfInvoiceIsNotJudged))
        };
        let are_shops = |shops: &Value| {
            let is_one = |shop| is_own(shop, Defect::ListOfShopsIsNotJudged);
            shops.as_array().is_some_and(|shops| shops.iter().all(is_one))
        };
        let is_good = sent.get("invoice").is_none_or(is_invoice) && sent.get("shopIds").is_none_or(are_shops);
        if is_good { Ok(()) } else { Err((422, "There is no such shop")) }
    }

    /// Sets what may be set, and with the defect that member as well.
    fn set(&self, order: &mut Value, sent: &Value, (defect, own): (Defect, &str)) -> Result<(), (u16, &'static str)> {
        if let Some(value) = sent.get(own).filter(|_| self.has(defect)) {
            order[own] = value.clone();
        }
        for name in ["invoice", "shopIds"] {
            if let Some(value) = sent.get(name) {
                order[name] = value.clone();
            }
        }
        for name in ["note", "remark", "pin"] {
            match sent.get(name) {
                Some(value) if !value.is_string() => return Err((422, "It is a text")),
                Some(value) => order[name] = value.clone(),
                None => {}
            }
        }
        Ok(())
    }

    /// As it is served.
    fn shown(&self, mut order: Value) -> Value {
        if !self.has(Defect::PinIsServed) {
            order.as_object_mut().map(|members| members.remove("pin"));
        }
        order
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }
}

/// Some items, and where the next page begins.
type Page = (Vec<Value>, Option<usize>);

/// A page of the five things of a shop, and where the next one begins.
fn page(name: &str, shop: &str, start: usize, query: &[(String, String)]) -> Result<Page, (u16, &'static str)> {
    const ALL: usize = 5;
    let limit = query.iter().find(|(name, _)| name == "limit").map_or(Ok(2), |(_, limit)| limit.parse());
    let limit = limit.ok().filter(|limit| (1..=50).contains(limit)).ok_or((422, "The limit is 1 to 50"))?;
    let end = start.saturating_add(limit).min(ALL);
    let items = (start..end).map(|number| json!({ "id": format!("{name}-{number}-of-{shop}") })).collect();
    Ok((items, (end < ALL).then_some(end)))
}

/// Whether an order was added.
fn is_new(id: &Value) -> bool {
    id.as_str().is_some_and(|id| id.len() > "order-1".len())
}

fn read(body: Option<&[u8]>) -> Result<Value, (u16, &'static str)> {
    let body = body.ok_or((415, "The body is JSON"))?;
    let value: Value = serde_json::from_slice(body).map_err(|_| (400, "The body is not JSON"))?;
    if value.is_object() { Ok(value) } else { Err((422, "An order is an object")) }
}
