//! A Scopien that keeps keys, and the programs that use one, with a trap at each step of a rotation.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use keyfit::scopien::{Key, Keys};
use keyfit::{Clock as _, Config, Error, SystemClock};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The key that manages the others.
const ADMIN: &str = "fixture-key-admin";

/// A step, as the server sees it.
pub(crate) const ACTS: [&str; 5] = ["mint", "distribute", "verify", "switch", "revoke"];

/// When the process is killed that does a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Phase {
    /// Before it is done.
    Asked,
    /// It is done, and there is no answer.
    Done,
    /// So many milliseconds after the answer, around the time in which it is recorded.
    Answered(u64),
}

pub(crate) type Act = Box<dyn Fn() + Send + Sync>;

/// The server. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The keys by id and secret.
    keys: Vec<(String, String)>,
    /// Whatever was done, in its order.
    log: Vec<String>,
    trap: Option<(&'static str, Phase, Act)>,
    /// Steps that fail, and with which status.
    failing: Vec<(&'static str, u16)>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let keys = vec![("key_admin".to_owned(), ADMIN.to_owned()), ("key_old".to_owned(), "old-secret".to_owned())];
        let server = Self { url, state: Arc::new(Mutex::new(State { keys, ..State::default() })) };
        let answering = server.clone();
        let router = Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap| {
            let answering = answering.clone();
            async move { answering.answer(&method, uri.path(), &headers) }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    /// The manager of its keys.
    pub(crate) fn manager(url: &str) -> Keys {
        Keys::with_config(Key::new(ADMIN).expect("a key"), Config::default().base_url(url)).expect("a manager")
    }

    /// A step of the programs that use the key.
    pub(crate) async fn deploy(url: String, act: &'static str) -> Result<(), Error> {
        let answer = reqwest::Client::new().post(format!("{url}/{act}")).send().await;
        let answer = answer.map_err(|error| Error::credential_from(act, error))?;
        if answer.status().is_success() { Ok(()) } else { Err(Error::credential(format!("{act} failed"))) }
    }

    pub(crate) fn set_trap(&self, act: &'static str, phase: Phase, trap: Act) {
        self.state().trap = Some((act, phase, trap));
    }

    pub(crate) fn fail(&self, act: &'static str, status: u16) {
        self.state().failing.push((act, status));
    }

    pub(crate) fn mend(&self) {
        self.state().failing.clear();
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.state().log.clone()
    }

    /// The keys that are valid, but for the one that manages them.
    pub(crate) fn valid(&self) -> Vec<String> {
        self.state().keys.iter().map(|(id, _)| id.clone()).filter(|id| id != "key_admin").collect()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }

    fn reach(&self, act: &str, here: Phase) -> bool {
        let trap = self.state().trap.take_if(|(at, phase, _)| *at == act && *phase == here);
        trap.map(|(_, _, kill)| kill()).is_some()
    }

    fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Response {
        let act = match (method.as_str(), path) {
            ("POST", "/api-keys") => "mint",
            ("POST", "/distribute") => "distribute",
            ("GET", "/auth/test") => "verify",
            ("POST", "/switch") => "switch",
            ("DELETE", _) => "revoke",
            ("GET", "/api-keys") => {
                let scopes = json!({"accounts": ["read"]});
                let old =
                    json!({"id": "key_old", "name": "billing", "scopes": scopes, "createdAt": "2026-01-01T00:00:00Z"});
                return json_answer(StatusCode::OK, &json!({"data": [{"id": "key_admin"}, old]}));
            }
            _ => return StatusCode::NOT_FOUND.into_response(),
        };
        let failing = self.state().failing.iter().find(|(failing, _)| *failing == act).map(|(_, status)| *status);
        if self.reach(act, Phase::Asked) {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        if let Some(status) = failing {
            return StatusCode::from_u16(status).expect("a status").into_response();
        }
        let secret = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let answer = self.state().act(act, path, secret.unwrap_or_default());
        self.reach(act, Phase::Done);
        let later = self.state().trap.as_ref().and_then(|(at, phase, _)| (*at == act).then_some(*phase));
        if let Some(Phase::Answered(milliseconds)) = later {
            let server = self.clone();
            tokio::spawn(async move {
                SystemClock.sleep(Duration::from_millis(milliseconds)).await;
                server.reach(act, Phase::Answered(milliseconds));
            });
        }
        answer
    }
}

impl State {
    fn act(&mut self, act: &str, path: &str, secret: &str) -> Response {
        match act {
            "mint" => {
                let made = self.log.iter().filter(|line| *line == "mint").count() + 1;
                let (id, secret) = (format!("key_{made}"), format!("fixture-key-{made}"));
                self.keys.push((id.clone(), secret.clone()));
                self.log.push(act.to_owned());
                json_answer(StatusCode::CREATED, &json!({"id": id, "key": secret}))
            }
            "verify" => {
                let Some((id, _)) = self.keys.iter().find(|(_, known)| known == secret) else {
                    return StatusCode::UNAUTHORIZED.into_response();
                };
                self.log.push(act.to_owned());
                json_answer(StatusCode::OK, &json!({"authenticated": true, "keyId": id}))
            }
            "revoke" => {
                let id = path.rsplit('/').next().unwrap_or_default();
                self.log.push(format!("revoke {id}"));
                let before = self.keys.len();
                self.keys.retain(|(known, _)| known != id);
                let is_gone = self.keys.len() == before;
                if is_gone { StatusCode::NOT_FOUND } else { StatusCode::NO_CONTENT }.into_response()
            }
            _ => {
                self.log.push(act.to_owned());
                StatusCode::OK.into_response()
            }
        }
    }
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    (status, [("content-type", "application/json")], body.to_string()).into_response()
}
