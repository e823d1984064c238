//! A mock with an admin: for manual experiments with a client, and for tests in Rust.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use keyfit_openapi::{Api, Error, Source};

use super::admin::{AdminHost, AdminState, IssuedToken, ROOT, RecordedRequest, TokenRequest, TokenSelector};
use super::error::MockError;
use super::faults::FaultRule;
use crate::apis;
use crate::catalogue::Catalogue;
use crate::contract::Contract;
use crate::contract::GrantType;
use crate::credential::identity::ClientKind;
use crate::credential::secret::Secret;
use crate::mock::core::Core;
use crate::mock::http_service::HttpService;
use crate::mock::registered_client::RegisteredClient;
use crate::mock::server::{Listener, Server};
use crate::mock::{Mock, Mutant, WorkPlan, base_path};

/// The address and the defect of a mock.
#[derive(Clone, Debug)]
pub struct MockOptions {
    /// The address to listen on. Default: a free port of 127.0.0.1.
    pub address: SocketAddr,
    /// The defect. Default: none.
    pub mutant: Option<Mutant>,
    /// Additional host names of the admin, besides those of the local machine. Default: none.
    pub admin_hosts: Vec<AdminHost>,
}

/// A client of the mock's authorization server. Its `Debug` output does not contain its secret.
#[derive(Clone, Debug)]
pub struct OAuthClient {
    /// Its `client_id`.
    pub id: String,
    /// Its secret; a public client has none.
    pub secret: Option<Secret>,
    /// The redirect URI.
    pub redirect_uri: String,
    /// The name and the password of a user, if the server supports the password grant.
    pub user: Option<(String, Secret)>,
    /// A description of the client.
    pub what: String,
}

/// A mock of an API that can be controlled at run time. It stops at once when it is dropped; [`stop`](Self::stop) waits for active
/// requests.
///
/// ```
/// use std::time::Duration;
///
/// use keyfit::instasent::ingest::{Client, DatasourceToken};
/// use keyfit::testing::TestClock;
/// use keyfit_conformance::mock::{Fault, FaultRule, Mock};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mock = Mock::of("instasent-ingest").await?;
/// mock.fault(FaultRule::new(Fault::RateLimited(Duration::from_secs(10))))?;
///
/// let token = mock.token("datasource")?;
/// let clock = TestClock::running(); // ten seconds pass at once
/// let config = keyfit::Config::default().base_url(mock.base_url()).clock(clock.clone());
/// let client = Client::with_config(DatasourceToken::new(token.secret.reveal())?, config)?;
/// client.stream_get().project(&token.ids["project"]).datasource(&token.ids["datasource"]).send().await?;
///
/// let statuses: Vec<_> = mock.requests().iter().map(|request| request.status).collect();
/// assert_eq!(statuses, [Some(429), Some(200)]);
/// assert!(clock.waited() >= Duration::from_secs(9));
/// # Ok(())
/// # }
/// ```
pub struct ControlledMock {
    origin: String,
    base_url: String,
    admin: Arc<AdminState>,
    core: Arc<Core>,
    server: Server,
}

impl Default for MockOptions {
    fn default() -> Self {
        Self { address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), mutant: None, admin_hosts: Vec::new() }
    }
}

impl Mock {
    /// Starts a mock with an admin, of an API that ships with this crate, on a free port of 127.0.0.1: `instasent-legacy`,
    /// `instasent-transactional`, `instasent-product`, `instasent-ingest`, `scopien` or `guide`; the last part of the name is sufficient. Must
    /// be called within a tokio runtime.
    ///
    /// # Errors
    /// Returns an error if no such API ships, or the socket cannot be opened.
    pub async fn of(name: &str) -> Result<ControlledMock, MockError> {
        begin(&shipped(name)?).await
    }

    /// Starts a mock with an admin, of the API in a folder: a document, `contract.toml`, and optionally `overlay.yaml`, as `keyfit init`
    /// writes them. It listens on a free port of 127.0.0.1. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Returns an error if a file of the folder cannot be used, or the socket cannot be opened.
    pub async fn of_dir(folder: impl AsRef<Path>) -> Result<ControlledMock, MockError> {
        begin(&Source::from_dir(folder.as_ref()).map_err(unreadable)?).await
    }
}

async fn begin(source: &Source) -> Result<ControlledMock, MockError> {
    let catalogue = Catalogue::read(source).map_err(unreadable)?;
    let started = ControlledMock::start(catalogue.api, catalogue.contract, MockOptions::default()).await;
    started.map_err(|error| MockError::value(format!("no socket can be opened: {error}"), "free a port of 127.0.0.1"))
}

fn unreadable(failure: Error) -> MockError {
    MockError::value(format!("{}: {}", failure.location, failure.problem), failure.help)
}

/// Returns an API that ships with this crate, by its name or the last part of it.
///
/// # Errors
/// Returns an error if no API has this name.
pub fn shipped(name: &str) -> Result<Source, MockError> {
    let mut sources = apis::all();
    let fits = |source: &Source| source.name == name || source.name.rsplit('-').next() == Some(name);
    match sources.iter().position(fits) {
        Some(place) => Ok(sources.swap_remove(place)),
        None => Err(MockError::none_of("API", name, sources.iter().map(|source| source.name.as_str()))),
    }
}

impl ControlledMock {
    /// Starts a mock of any API. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Returns an error if the socket cannot be opened.
    pub async fn start(api: Arc<Api>, contract: Arc<Contract>, options: MockOptions) -> io::Result<Self> {
        let base_path = base_path(&api.base_url).to_owned();
        let core = Arc::new(Core::new(api, contract, options.mutant));
        let listener = Listener::bind(options.address).await?;
        let admin = Arc::new(AdminState::new(Arc::clone(&core), listener.address(), options.admin_hosts));
        let http_service = HttpService {
            core: Arc::clone(&core),
            base_path: base_path.as_str().into(),
            admin: Some(Arc::clone(&admin)),
        };
        let server = Server::start(listener, http_service);
        let origin = format!("http://{}", server.address());
        Ok(Self { base_url: format!("{origin}{base_path}"), origin, admin, core, server })
    }

    /// Returns its base URL, with the path of the documented one.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the URL of its admin.
    pub fn admin_url(&self) -> String {
        format!("{}{ROOT}/", self.origin)
    }

    /// Returns the root of its authorization server, if the contract has one.
    pub fn authorization_server(&self) -> Option<&str> {
        self.core.contract.authorization_server.as_ref().map(|_| self.origin.as_str())
    }

    /// Returns the clients of its authorization server; empty if there is no such server.
    pub fn clients(&self) -> Vec<OAuthClient> {
        let kinds = [ClientKind::Keeping, ClientKind::Rotating, ClientKind::Public];
        let server = self.core.contract.authorization_server.as_ref();
        let kinds = kinds.into_iter().filter(|_| server.is_some());
        let takes_passwords = server.is_some_and(|server| server.grants(GrantType::Password));
        let client = |kind| {
            let RegisteredClient { id, secret, redirect_uri, kind, user } = RegisteredClient::of(kind);
            OAuthClient {
                id: id.to_owned(),
                secret: secret.map(Secret::new),
                redirect_uri: redirect_uri.to_owned(),
                user: user.filter(|_| takes_passwords),
                what: kind.to_string(),
            }
        };
        kinds.map(client).collect()
    }

    /// Returns the tokens that exist from the start: one of each kind. For kinds that operations accept, also those that the contract has of
    /// `<kind>-read-only`, `<kind>-limited`, `<kind>-broke`, `<kind>-revoked` and `<kind>-test`.
    pub fn tokens(&self) -> &[IssuedToken] {
        self.admin.ready()
    }

    /// Returns the token with this name. The name of a kind is the token of that kind with all rights.
    ///
    /// # Errors
    /// Returns an error if no token has this name.
    pub fn token(&self, name: &str) -> Result<IssuedToken, MockError> {
        let found = self.tokens().iter().find(|token| token.name == name);
        let known = || self.tokens().iter().map(|token| token.name.as_str());
        found.cloned().ok_or_else(|| MockError::none_of("token", name, known()))
    }

    /// Issues a token.
    ///
    /// # Errors
    /// Returns an error if the contract does not have the kind, a scope, or an id of the request.
    pub fn issue_token(&self, request: TokenRequest) -> Result<IssuedToken, MockError> {
        self.admin.issue_token(request)
    }

    /// Revokes a token, with effect on the next request.
    ///
    /// # Errors
    /// Returns an error if the token was never issued.
    pub fn revoke(&self, which: TokenSelector<'_>) -> Result<(), MockError> {
        self.admin.revoke_selected(which).map(drop)
    }

    /// Sets the number of remaining calls of a token, in new rate limit windows.
    ///
    /// # Errors
    /// Returns an error if the token was never issued, if `remaining` exceeds its limit, or if the API has no rate limits.
    pub fn set_remaining(&self, which: TokenSelector<'_>, remaining: u64) -> Result<(), MockError> {
        self.admin.set_remaining(which, remaining, None, None).map(drop)
    }

    /// Programs a fault for the next matching requests.
    ///
    /// # Errors
    /// Returns an error if a number is out of range, if the fault is for batches and the API has none, or if 1000 faults are already pending.
    pub fn fault(&self, rule: FaultRule) -> Result<(), MockError> {
        self.admin.program(rule)
    }

    /// Sets the behavior of work that is accepted from now on, by operations whose document has a 202 with the location of a status.
    ///
    /// ```
    /// # use keyfit_conformance::mock::{ControlledMock, WorkPlan};
    /// # fn example(mock: &ControlledMock) {
    /// mock.plan_work(WorkPlan { looks: 3, fails: false });
    /// # }
    /// ```
    pub fn plan_work(&self, plan: WorkPlan) {
        self.core.state().work_items.plan = plan;
    }

    /// Returns the last thousand requests to the API and the authorization server, the oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.admin.requests()
    }

    /// Resets the mock to the tokens of the start, in their original state.
    pub fn reset(&self) {
        self.admin.reset();
    }

    /// Returns the path parameters that tokens are bound to, with the ids of the document's examples.
    pub fn ids(&self) -> BTreeMap<String, String> {
        self.core.state().ids(0).clone()
    }

    /// Accepts no more connections, waits for active requests, and ends; at the latest after a little more than a minute.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}
