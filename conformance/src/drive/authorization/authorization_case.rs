//! A running case: the client under test, the scripted answers of the servers, and the requests that they received.

use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

use super::super::scripted_server::{ReceivedRequest, ScriptedAnswer, ScriptedServer};
use super::super::subject::Connect;
use super::wire::Parameters;
use super::{CALL, GrantFlow, HolderError, Registration, TestClock, TokenHolder};
use crate::contract::{AuthorizationServer, ClientAuthentication, Endpoint};
use crate::credential::basic;
use crate::credential::secret::{Redactor, Secret};

/// The lifetime of scripted tokens, in seconds.
pub(super) const LIFETIME: u64 = 3600;
/// The browser of the user who logs in.
pub(super) const BROWSER: &str = "browser-1";
/// The number of calls within which a client that refreshes its token in the background has to use the new one.
const CALLS_UNTIL_NEW: usize = 50;
/// The path of the API, below that of the worker.
const API: &str = "/api";

/// A running case.
pub(in super::super) struct AuthorizationCase<'a> {
    pub(in super::super) connect: &'a dyn Connect,
    pub(in super::super) server: &'a AuthorizationServer,
    pub(in super::super) scripted_server: &'a ScriptedServer,
    pub(in super::super) worker: usize,
    pub(in super::super) variant: Option<&'a str>,
    pub(in super::super) redactor: &'a Redactor,
    /// Texts that the client must not print.
    pub(in super::super) secrets: Mutex<Vec<String>>,
}

impl AuthorizationCase<'_> {
    /// Returns the registration of a client, and clears the requests that the worker received.
    pub(super) fn registration(&self, flow: GrantFlow) -> Registration {
        self.scripted_server.set(self.worker, ScriptedAnswer::empty(404));
        self.answer_calls(api_answer());
        let url = |path: &str| self.scripted_server.base_url(self.worker, path);
        let id = "keyfit:client".to_owned();
        let secret = format!("fixture-secret-{} do-not-print: 100% of 32 bytes", self.worker); // not-a-secret
        self.add_secret(&secret);
        self.add_secret(&basic::header(&id, &secret));
        let scopes = self.server.scopes.iter().filter(|scope| Some(*scope) != self.server.offline_scope.as_ref());
        Registration {
            id,
            secret: Some(Secret::new(secret)),
            authentication: self.server.client_authentication.first().copied().unwrap_or(ClientAuthentication::Body),
            body: self.server.token_body,
            authorize_url: url(path(self.server.authorization_url.as_ref())),
            token_url: url(path(self.server.token_url.as_ref())),
            redirect_uri: "https://client.example/callback?of=keyfit".to_owned(),
            scopes: scopes.take(2).chain(&self.server.offline_scope).cloned().collect(),
            api_url: url(API),
            flow,
            clock: TestClock::default(),
        }
    }

    /// Creates the client under test.
    pub(super) fn holder(&self, registration: &Registration) -> Result<Box<dyn TokenHolder>, String> {
        self.connect.register(registration)
    }

    /// Returns a client whose user has logged in, with access token 1 and refresh token 1.
    pub(super) async fn logged_in(&self, registration: &Registration) -> Result<Box<dyn TokenHolder>, String> {
        let holder = self.holder(registration)?;
        self.answer_tokens([self.grant(1, Some(1))]);
        self.log_in(&*holder, registration).await?;
        Ok(holder)
    }

    /// Redirects the user to the authorization server and back.
    pub(super) async fn log_in(&self, holder: &dyn TokenHolder, registration: &Registration) -> Result<(), String> {
        let login = self.begin(holder, registration).await?;
        let url = registration.callback_url(&[("code", &self.code()), ("state", login.required("state")?)])?;
        holder.callback(BROWSER, &url).await.map_err(|refusal| failure_message("the callback", &refusal))
    }

    /// Begins a login, and returns the parameters of the redirect.
    pub(super) async fn begin(
        &self,
        holder: &dyn TokenHolder,
        registration: &Registration,
    ) -> Result<Parameters, String> {
        let url = holder.log_in(BROWSER).await.map_err(|refusal| failure_message("the login", &refusal))?;
        Parameters::of_url(&url, &registration.authorize_url)
    }

    /// Returns the authorization code for the callback.
    pub(super) fn code(&self) -> String {
        self.token("code", 1)
    }

    /// Returns the token with this name and number.
    pub(super) fn token(&self, name: &str, number: usize) -> String {
        let token = format!("fixture-token-{name}-{}-{number}-do-not-print", self.worker);
        self.add_secret(&token);
        token
    }

    pub(super) fn access(&self, number: usize) -> String {
        self.token("access", number)
    }

    pub(super) fn refresh(&self, number: usize) -> String {
        self.token("refresh", number)
    }

    /// Returns an answer of the token endpoint with the tokens of these numbers.
    pub(super) fn grant(&self, access: usize, refresh: Option<usize>) -> ScriptedAnswer {
        let mut answer = Map::new();
        answer.insert("access_token".to_owned(), self.access(access).into());
        answer.insert("token_type".to_owned(), "Bearer".into());
        answer.insert("expires_in".to_owned(), LIFETIME.into());
        if let Some(number) = refresh {
            answer.insert("refresh_token".to_owned(), self.refresh(number).into());
        }
        ScriptedAnswer::json(200, &Value::Object(answer))
    }

    /// Sets the answers of the token endpoint, request by request; the last one is repeated.
    pub(super) fn answer_tokens(&self, answers: impl IntoIterator<Item = ScriptedAnswer>) {
        self.scripted_server.set_path(self.worker, path(self.server.token_url.as_ref()), answers.into_iter().collect());
    }

    /// Sets the answer of the API.
    pub(super) fn answer_calls(&self, answer: ScriptedAnswer) {
        self.scripted_server.set_path(self.worker, &format!("{API}{CALL}"), vec![answer]);
    }

    /// Returns the requests that the token endpoint received.
    pub(super) fn token_requests(&self) -> Vec<ReceivedRequest> {
        let all = self.scripted_server.received(self.worker).into_iter();
        all.filter(|request| request.path == path(self.server.token_url.as_ref())).collect()
    }

    /// Returns a token request with its parameters.
    pub(super) fn nth_token_request(&self, number: usize) -> Result<(ReceivedRequest, Parameters), String> {
        let request = self.token_requests().into_iter().nth(number).ok_or("no token request was sent")?;
        let parameters = Parameters::of_request(&request)?;
        if let Some(verifier) = parameters.get("code_verifier") {
            self.add_secret(verifier);
        }
        Ok((request, parameters))
    }

    /// Returns an error if the token endpoint received another number of requests.
    pub(super) fn check_token_requests(&self, times: usize) -> Result<(), String> {
        let sent = self.token_requests().len();
        if sent == times { Ok(()) } else { Err(format!("{sent} token requests were sent, not {times}")) }
    }

    /// Returns the tokens with which the API was called, in order.
    pub(super) fn presented_tokens(&self) -> Vec<String> {
        let all = self.scripted_server.received(self.worker);
        let calls = all.iter().filter(|request| request.path.starts_with(API));
        let token = |request: &ReceivedRequest| {
            let token = request.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
            let token = token.unwrap_or_default().to_owned();
            self.redactor.learn(&Secret::new(token.clone()));
            token
        };
        calls.map(token).collect()
    }

    /// Calls the API. Returns an error if that fails or uses another token.
    pub(super) async fn call_with(&self, holder: &dyn TokenHolder, token: &str) -> Result<(), String> {
        holder.call().await.map_err(|refusal| failure_message("a call", &refusal))?;
        match self.presented_tokens().last() {
            Some(sent) if sent == token => Ok(()),
            Some(sent) => Err(format!("the call is made with the token `{sent}`, not `{token}`")),
            None => Err("the API was not called".to_owned()),
        }
    }

    /// Calls the API until it uses another token than this one, and returns the new token.
    pub(super) async fn call_until_other_than(&self, holder: &dyn TokenHolder, old: &str) -> Result<String, String> {
        for _ in 0..CALLS_UNTIL_NEW {
            holder.call().await.map_err(|refusal| failure_message("a call", &refusal))?;
            if let Some(new) = self.presented_tokens().pop().filter(|sent| sent != old) {
                return Ok(new);
            }
        }
        Err("the token is not replaced ahead of its expiry".to_owned())
    }

    /// Redacts a text in reports, and forbids the client to print it.
    pub(super) fn add_secret(&self, text: &str) {
        self.redactor.learn(&Secret::new(text));
        self.redactor.learn(&Secret::new(basic::encoded(text)));
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
    }

    /// Returns an error if one of the texts contains a secret.
    pub(super) fn check_no_secrets(&self, texts: &[String]) -> Result<(), String> {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let leaks = |text: &&String| secrets.iter().any(|secret| text.contains(secret.as_str()));
        texts.iter().find(leaks).map_or(Ok(()), |text| Err(format!("the client prints a secret: {text}")))
    }
}

/// Returns the answer of the API.
fn api_answer() -> ScriptedAnswer {
    let rate = json!({ "limit": 1000, "remaining": 999, "reset": 1_000_000 });
    ScriptedAnswer::json(
        200,
        &json!({ "authenticated": true, "keyId": "key_1", "scopes": ["read"], "rateLimit": rate }),
    )
}

/// Returns the error for a step that should have succeeded.
pub(super) fn failure_message(what: &str, refusal: &HolderError) -> String {
    format!("{what} failed: {}", refusal.text())
}

/// Returns the path of an endpoint; a contract names the endpoints that its grants need.
fn path(endpoint: Option<&Endpoint>) -> &str {
    endpoint.map_or("/", Endpoint::path)
}
