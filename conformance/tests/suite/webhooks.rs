//! What a server delivers by itself: a small server with a switch for each of its defects, which shares no code with the mock.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::contract::{Level, Probe};
use keyfit_conformance::init::{CredentialChoices, scaffold};
use keyfit_conformance::mock::Mutant;
use keyfit_openapi::{Source, Text};
use serde_json::{Value, json};
use sha2::{Sha256, Sha512};
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::common::{against_mock, broken, http, identity, side};

const HOOKS: &str = "tests/fixtures/apis/hooks";
const KEY: &str = "fixture-key-hooks"; // not-a-secret
const SECRET: &str = "fixture-secret-hooks"; // not-a-secret

/// Something that is wrong with what the server delivers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Defect {
    Silent,
    ByPut,
    AtTheBareUrl,
    AsText,
    OfAnotherShape,
    WithoutHeader,
    SignedBadly,
    SignedForAnotherBody,
    SignedYesterday,
    WithTheKey,
    WithTheSecret,
    Twice,
    NeverAgain,
}

impl Defect {
    /// Each, with the rule that finds it.
    const ALL: [(Self, &'static str); 13] = [
        (Self::Silent, "delivered"),
        (Self::ByPut, "request-line"),
        (Self::AtTheBareUrl, "request-line"),
        (Self::AsText, "media-type"),
        (Self::OfAnotherShape, "body"),
        (Self::WithoutHeader, "headers"),
        (Self::SignedBadly, "signed"),
        (Self::SignedForAnotherBody, "signed"),
        (Self::SignedYesterday, "recent"),
        (Self::WithTheKey, "no-credential"),
        (Self::WithTheSecret, "no-credential"),
        (Self::Twice, "once"),
        (Self::NeverAgain, "repeated"),
    ];
}

/// A server of the API of orders and subscriptions.
struct Hub {
    defect: Option<Defect>,
    made: AtomicUsize,
    /// Subscriptions by their ids.
    subscriptions: Mutex<Vec<(String, String)>>,
    log: Mutex<Vec<String>>,
}

/// A request: method, path, headers in lower case, body.
struct Asked {
    method: String,
    path: String,
    headers: String,
    body: Value,
}

impl Hub {
    fn start(defect: Option<Defect>) -> (String, Arc<Self>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let hub = Arc::new(Self {
            defect,
            made: AtomicUsize::new(0),
            subscriptions: Mutex::default(),
            log: Mutex::default(),
        });
        let serving = Arc::clone(&hub);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let hub = Arc::clone(&serving);
                thread::spawn(move || hub.connection(stream));
            }
        });
        (format!("http://{address}/v1"), hub)
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    fn connection(self: &Arc<Self>, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
        while let Some(asked) = Asked::read(&mut reader) {
            let (status, body) = self.answer(&asked);
            let (kind, body) = match body {
                Value::Null => ("", String::new()),
                body if status < 400 => ("content-type: application/json\r\n", body.to_string()),
                body => ("content-type: application/problem+json\r\n", body.to_string()),
            };
            let answer = format!("HTTP/1.1 {status} X\r\n{kind}content-length: {}\r\n\r\n{body}", body.len());
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(self: &Arc<Self>, asked: &Asked) -> (u16, Value) {
        self.log.lock().expect("no panic").push(format!("{} {}", asked.method, asked.path));
        if !asked.headers.contains(&format!("authorization: bearer {KEY}")) {
            return (401, json!({ "title": "Unauthorized" }));
        }
        let id = |letter: &str| format!("{letter}-{}", self.made.fetch_add(1, Ordering::SeqCst));
        let path: Vec<&str> = asked.path.trim_start_matches("/v1/").split('/').collect();
        match (asked.method.as_str(), path.as_slice()) {
            ("POST", ["orders"]) => match (asked.body["callback"].as_str(), asked.body["item"].as_str()) {
                (Some(url), Some(item)) => {
                    let order = json!({ "id": id("o"), "item": item });
                    let paid = format!("{url}/paid?order={}", order["id"].as_str().unwrap_or_default());
                    let url = if self.has(Defect::AtTheBareUrl) { url.to_owned() } else { paid };
                    self.deliver(url, order.clone(), false);
                    (201, order)
                }
                _ => (400, json!({ "title": "Bad request" })),
            },
            ("POST", ["subscriptions"]) => match asked.body["url"].as_str() {
                Some(url) => {
                    let id = id("s");
                    // An event that is not documented: who registers is greeted, at once or at some time.
                    let greeting = Self::greet(url.to_owned());
                    if self.defect.is_some() {
                        greeting.join().expect("it was sent");
                    }
                    let is_wanted = asked.body["active"] == true && asked.body["events"] == json!(["item.sold"]);
                    let wanted = if is_wanted { url.to_owned() } else { String::new() };
                    self.subscriptions.lock().expect("no panic").push((id.clone(), wanted));
                    (201, json!({ "id": id }))
                }
                None => (400, json!({ "title": "Bad request" })),
            },
            ("POST", ["subscriptions", id, "test"]) => {
                let known = self.subscriptions.lock().expect("no panic");
                let Some((_, url)) = known.iter().find(|(known, _)| known == id).cloned() else {
                    return (404, json!({ "title": "Not found" }));
                };
                self.deliver(url, json!({ "item": "lamp", "pieces": 2 }), true);
                (202, Value::Null)
            }
            ("DELETE", ["subscriptions", id]) => {
                self.subscriptions.lock().expect("no panic").retain(|(known, _)| known != id);
                (204, Value::Null)
            }
            ("DELETE", ["orders", _]) => (204, Value::Null),
            _ => (404, json!({ "title": "Not found" })),
        }
    }

    fn greet(url: String) -> thread::JoinHandle<u16> {
        thread::spawn(move || send("POST", &url, "", "hello"))
    }

    /// Delivers in a thread of its own, as servers do, and once more where it is refused.
    fn deliver(self: &Arc<Self>, url: String, body: Value, is_standard: bool) {
        if self.has(Defect::Silent) || url.is_empty() {
            return;
        }
        let hub = Arc::clone(self);
        thread::spawn(move || {
            let body = if hub.has(Defect::OfAnotherShape) { json!({ "sold": true }) } else { body };
            let body = body.to_string();
            let method = if hub.has(Defect::ByPut) { "PUT" } else { "POST" };
            let headers = hub.headers(&body, is_standard);
            let status = send(method, &url, &headers, &body);
            let is_due = (status >= 500 && !hub.has(Defect::NeverAgain)) || hub.has(Defect::Twice);
            if is_due {
                send(method, &url, &headers, &body);
            }
        });
    }

    #[expect(clippy::disallowed_methods, reason = "a server of its own reads its own clock")]
    fn headers(&self, body: &str, is_standard: bool) -> String {
        let kind = if self.has(Defect::AsText) { "text/plain" } else { "application/json; charset=utf-8" };
        let mut headers = format!("Content-Type: {kind}\r\n");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let time = if self.has(Defect::SignedYesterday) { now - 86_400 } else { now };
        let signed = if self.has(Defect::SignedForAnotherBody) { "{}" } else { body };
        let key = if self.has(Defect::SignedBadly) { "another" } else { SECRET };
        let id = format!("msg_{}", self.made.fetch_add(1, Ordering::SeqCst));
        if is_standard {
            let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any length");
            mac.update(format!("{id}.{time}.{signed}").as_bytes());
            let signature = STANDARD.encode(mac.finalize().into_bytes());
            let _ = write!(
                headers,
                "webhook-id: {id}\r\nwebhook-timestamp: {time}\r\nwebhook-signature: v1,AAAA v1,{signature}\r\n"
            );
        } else {
            let mut mac = Hmac::<Sha512>::new_from_slice(key.as_bytes()).expect("any length");
            mac.update(format!("{time}.{signed}").as_bytes());
            let hex = format!("{:x}", mac.finalize().into_bytes());
            let _ = write!(headers, "X-Signature: t={time},v1={hex}\r\n");
            if !self.has(Defect::WithoutHeader) {
                headers += "X-Delivery: 1\r\n";
            }
        }
        match self.defect {
            Some(Defect::WithTheKey) => {
                let _ = write!(headers, "X-Caller: {}\r\n", STANDARD.encode(format!("key:{KEY}")));
            }
            Some(Defect::WithTheSecret) => {
                let _ = write!(headers, "X-Secret: {SECRET}\r\n");
            }
            _ => {}
        }
        headers
    }
}

impl Asked {
    fn read(reader: &mut impl BufRead) -> Option<Self> {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return None;
            }
            if line.trim().is_empty() {
                break;
            }
            head.push(line.trim().to_owned());
        }
        let mut first = head.first()?.split(' ');
        let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
        let headers = head[1..].join("\n");
        let lower = headers.to_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let headers = headers.replace("Authorization: Bearer", "authorization: bearer");
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Some(Self { method, path, headers: headers.replace("authorization: Bearer", "authorization: bearer"), body })
    }
}

/// Sends a request by hand; the status of its answer, 0 where none comes.
fn send(method: &str, url: &str, headers: &str, body: &str) -> u16 {
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap_or((url, ""));
    let Ok(mut stream) = TcpStream::connect(host) else { return 0 };
    let length = body.len();
    let request = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    );
    let mut answer = String::new();
    let is_sent = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_string(&mut answer));
    is_sent.ok().and_then(|_| answer.get(9..12)?.parse().ok()).unwrap_or(0)
}

fn tokens() -> String {
    let identity = identity!("main", "key", "valid", "HOOKS_KEY");
    format!(
        "{identity}[webhook-secrets]\norder-paid = {{ env = \"ORDER_SECRET\" }}\n\"item.sold\" = {{ env = \"SALE_SECRET\" }}\n"
    )
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("webhooks");
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// The report of a check of the hub, the hub, and what was said.
async fn checked(defect: Option<Defect>, name: &str, more: &[&str]) -> (Value, Arc<Hub>, String) {
    let (url, hub) = Hub::start(defect);
    let (tokens_at, report) = (folder().join(format!("{name}.toml")), folder().join(format!("{name}.json")));
    fs::write(&tokens_at, tokens()).expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_keyfit"))
        .args(["check", "--side", "server", "--api-dir", HOOKS, "--base-url", &url])
        .arg("--tokens")
        .arg(&tokens_at)
        .arg("--report")
        .arg(format!("json={}", report.display()))
        .args(more)
        .env("HOOKS_KEY", KEY)
        .env("ORDER_SECRET", SECRET)
        .env("SALE_SECRET", format!("whsec_{}", STANDARD.encode(SECRET)))
        .output()
        .await
        .expect("the binary runs");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let text = fs::read_to_string(&report).unwrap_or_else(|_| panic!("{name}: {said}"));
    assert!(!text.contains(SECRET) && !said.contains(SECRET) && !text.contains(KEY), "{name}: a secret is shown");
    (serde_json::from_str(&text).expect("JSON"), hub, said)
}

fn verdicts(report: &Value, verdict: &str) -> BTreeSet<String> {
    let cases = report["apis"][0]["cases"].as_array().expect("cases");
    let such = cases.iter().filter(|case| case["verdict"] == verdict);
    such.map(|case| case["rule"].as_str().unwrap_or_default().trim_start_matches("hooks.webhook.").to_owned()).collect()
}

const NAMED: [&str; 3] = ["--allow-writes", "--receiver", "127.0.0.1:0"];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_delivers_as_it_says_passes_and_keeps_nothing_of_the_run() {
    let (report, hub, said) = checked(None, "control", &NAMED).await;
    let cases = report["apis"][0]["cases"].as_array().expect("cases");
    let not_passed: Vec<&Value> =
        cases.iter().filter(|case| case["family"] == "webhook" && case["verdict"] != "pass").collect();
    assert_eq!(not_passed, [&Value::Null; 0], "{said}");
    assert!(cases.iter().any(|case| case["id"] == "hooks/webhook/signed/subscription-create/item.sold"), "{said}");
    assert!(hub.subscriptions.lock().expect("no panic").is_empty(), "what was registered is removed");
    let log = hub.log.lock().expect("no panic").clone();
    let calls = |call: &str| log.iter().filter(|known| *known == call).count();
    // Once for the rule about valid calls, once for each of two ways to answer, and once for something to be called or removed.
    assert_eq!((calls("POST /v1/orders"), calls("POST /v1/subscriptions")), (3, 4), "{log:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_defect_of_a_server_is_found_by_its_rule_alone() {
    let mut found = JoinSet::new();
    for (defect, rule) in Defect::ALL {
        found.spawn(async move {
            let (report, ..) = checked(Some(defect), &format!("{defect:?}"), &NAMED).await;
            let mut broken = verdicts(&report, "fail");
            broken.extend(verdicts(&report, "warn"));
            assert_eq!(broken, BTreeSet::from([rule.to_owned()]), "{defect:?}");
        });
    }
    found.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_without_leave_and_nothing_is_held_against_a_server_that_may_not_reach_the_receiver() {
    let (report, hub, _) = checked(None, "read-only", &[]).await;
    assert!(verdicts(&report, "pass").is_empty());
    assert_eq!(hub.made.load(Ordering::SeqCst), 0, "nothing was made");
    let (report, _, said) = checked(Some(Defect::Silent), "unnamed", &["--allow-writes"]).await;
    // The greeting of who registers shows that the receiver is reached; for the one before it, nothing does.
    assert!(verdicts(&report, "fail").is_subset(&BTreeSet::from(["delivered".to_owned()])), "{said}");
    assert_eq!(verdicts(&report, "info"), BTreeSet::from(["delivered".to_owned()]), "{said}");
    assert!(said.contains("name a receiver that it does with --receiver"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_defect_of_the_mock_is_found_by_one_rule() {
    let contract = fs::read_to_string(Path::new(HOOKS).join("contract.toml")).expect("it is there");
    mock_is_judged(&contract).await;
    // The same where receivers have a public key.
    let standard = "algorithm = \"hmac-sha256\"\nencoding = \"base64\"\nprefix = \"v1,\"";
    assert!(contract.contains(standard) && contract.contains("\"whsec_\""));
    let asymmetric = contract.replace(standard, "algorithm = \"ed25519\"\nencoding = \"base64\"\nprefix = \"v1a,\"");
    mock_is_judged(&asymmetric.replace("\"whsec_\"", "\"whpk_\"")).await;
}

async fn mock_is_judged(contract: &str) {
    let mut catalogue = read(contract).unwrap_or_else(|problem| panic!("{problem}"));
    catalogue.select(&["hooks/webhook/**".to_owned()], &[]);
    let catalogue = side(catalogue, Side::Server);
    let http = http();
    let outcomes = against_mock(&catalogue, None, &http).await;
    assert!(broken(&catalogue, &outcomes).is_empty(), "{:?}", broken(&catalogue, &outcomes));
    let mut found: BTreeSet<String> = BTreeSet::new();
    for mutant in Mutant::all().iter().filter(|mutant| mutant.is_of_webhooks()) {
        let outcomes = against_mock(&catalogue, Some(*mutant), &http).await;
        let broken = broken(&catalogue, &outcomes);
        let rules: BTreeSet<&str> = broken.iter().map(|(case, _)| catalogue.rule(case).id.as_str()).collect();
        assert_eq!(rules.len(), 1, "{}: {broken:?}", mutant.name());
        found.extend(rules.into_iter().map(str::to_owned));
    }
    let all = catalogue.contract.rules.iter().filter(|rule| rule.probe.as_ref().is_some_and(Probe::is_of_webhooks));
    assert_eq!(found, all.map(|rule| rule.id.clone()).collect());
}

fn read(contract: &str) -> Result<Catalogue, String> {
    let mut source = Source::from_dir(Path::new(HOOKS)).expect("the fixture is there");
    source.contract = Some(Text::new("contract.toml", contract));
    Catalogue::read(&source).map_err(|failure| failure.to_string())
}

#[test]
fn what_a_contract_says_wrongly_of_webhooks_is_refused_at_its_place() {
    let contract = fs::read_to_string(Path::new(HOOKS).join("contract.toml")).expect("it is there");
    for (right, wrong, place, told) in [
        ("webhooks.\"item.sold\"", "webhooks.\"item.solt\"", ":39", "did you mean `item.sold`?"),
        ("\"subscription-create\"", "\"subscription-make\"", ":40", "`subscription-create`"),
        ("triggered-by = \"order-create\"", "triggered-by = \"order-creat\"", ":25", "did you mean `order-create`"),
        ("url-at = \"/url\"", "url-at = \"/uri\"", ":41", "no member `/uri`"),
        ("url-at = \"/url\"", "url-at = \"url\"", ":41", "no JSON pointer"),
        ("url-at = \"/url\"\n", "", ":40", "add `url-at`"),
        ("registered-by = \"subscription-create\"\nurl-at = \"/url\"\n", "", ":39", "`registered-by`"),
        (
            "triggered-by = \"order-create\"\n",
            "registered-by = \"order-create\"\nurl-at = \"/callback\"\n",
            ":25",
            "leave `registered-by`",
        ),
        ("id-header = \"webhook-id\"\n", "", ":49", "`id-header`"),
        ("timestamp-header = \"X-Signature\"\n", "", ":31", "`timestamp-header`"),
        ("header = \"X-Signature\"\n", "header = \"X Signature\"\n", ":31", "not the name of a header"),
        ("delivery = \"repeated\"", "delivery = \"once\"", "", "only `repeated` is judged"),
        ("probe = \"refused-delivery\"", "probe = \"delivery\"", "", "write `probe = \"refused-delivery\"`"),
        ("{ delivery = \"arrives\" }", "{ success = true }", "", "`expect` says nothing of them"),
        ("{ delivery = \"arrives\" }", "{ delivery = \"arrives\", status = [200] }", "", "nothing of answers"),
        (
            "probe = \"valid\"\nexpect = { success = true, body = \"schema\" }",
            "probe = \"valid\"\nexpect = { delivery = \"once\" }",
            "",
            "write `probe = \"delivery\"`",
        ),
    ] {
        assert!(contract.contains(right), "{right}");
        let problem = read(&contract.replace(right, wrong)).map(drop).expect_err(wrong);
        assert!(problem.contains(told) && problem.contains(&format!("contract.toml{place}")), "{wrong}: {problem}");
    }
}

#[test]
fn a_delivery_that_nobody_promises_at_once_is_only_reported() {
    let contract = fs::read_to_string(Path::new(HOOKS).join("contract.toml")).expect("it is there");
    let levels = |text: &str| {
        let catalogue = read(text).unwrap_or_else(|problem| panic!("{problem}"));
        let of_rule = catalogue.cases.iter().filter(|case| catalogue.rule(case).id == "hooks.webhook.delivered");
        of_rule.map(|case| (case.variant.clone().unwrap_or_default(), case.level, case.writes)).collect::<Vec<_>>()
    };
    let named = |paid| vec![("order-paid".to_owned(), paid, true), ("item.sold".to_owned(), Level::Must, true)];
    assert_eq!(levels(&contract), named(Level::Must));
    assert_eq!(levels(&contract.replacen("triggered-by = \"order-create\"\n", "", 1)), named(Level::Observe));
}

#[test]
fn a_new_contract_has_the_rules_of_callbacks_and_asks_about_the_rest() {
    let document = fs::read_to_string(Path::new(HOOKS).join("openapi.yaml")).expect("it is there");
    let made = scaffold("hooks", &Text::new("openapi.yaml", document.as_str()), &CredentialChoices::default())
        .unwrap_or_else(|failure| panic!("{failure}"));
    let (rules, asked): (Vec<&str>, Vec<&str>) = made.contract.lines().partition(|line| !line.starts_with('#'));
    let has =
        |lines: &[&str], rule: &str| lines.iter().any(|line| line.ends_with(&format!("id = \"hooks.webhook.{rule}\"")));
    for rule in ["delivered", "request-line", "media-type", "body", "headers", "no-credential", "once"] {
        assert!(has(&rules, rule), "{rule}: {}", made.contract);
    }
    for rule in ["signed", "recent", "repeated"] {
        assert!(has(&asked, rule) && !has(&rules, rule), "{rule}: {}", made.contract);
    }
    // What is asked can be answered by taking the marks out.
    let at = made.contract.find("# What does the server send by itself?").expect("it is asked");
    let (before, questions) = made.contract.split_at(at);
    let answered: String = questions
        .lines()
        .skip(1)
        .map(|line| {
            let line = line.strip_prefix("# ").or(line.strip_prefix('#')).unwrap_or(line);
            let is_of_callback = line == "source = { page = \"document\", section = \"callbacks\" }";
            let line = line.replace("triggered-by = \"OPERATION\"", "triggered-by = \"subscription-test\"");
            if is_of_callback { format!("{line}\nrepeated-within-seconds = 9\n") } else { format!("{line}\n") }
        })
        .collect();
    let answered = answered.replace("signs = \"body\"", "signs = \"timestamp-body\"\ntimestamp-header = \"X-Time\"");
    let source = Source {
        name: "hooks".to_owned(),
        document: Text::new("openapi.yaml", document),
        overlay: Some(Text::new("overlay.yaml", made.overlay)),
        contract: Some(Text::new("contract.toml", format!("{before}{answered}"))),
    };
    let catalogue = Catalogue::read(&source).unwrap_or_else(|failure| panic!("{failure}\n{before}{answered}"));
    let ids: BTreeSet<&str> = catalogue.cases.iter().map(|case| case.id.as_str()).collect();
    for id in ["hooks/webhook/signed/subscription-create/item.sold", "hooks/webhook/repeated/order-create/order-paid"] {
        assert!(ids.contains(id), "{id}");
    }
}
