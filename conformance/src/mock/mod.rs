//! A stateful mock of any API with a document and a contract. It implements tokens, scopes, tenants, batches, and rate limit windows, and
//! refuses requests as the contract says. It can have a defect that a check has to find.

mod active_requests;
mod admit;
mod answer;
mod authorization;
mod balance;
mod call;
mod conditional;
mod core;
mod deliver;
mod foreign_reference;
mod grants;
mod http_service;
mod idempotency;
mod keys;
mod mutant;
mod one_way;
pub(crate) mod outcome;
mod pages;
mod parameters;
mod registered_client;
mod relaxed_document;
mod router;
mod server;
mod state;
mod store;
mod success;
mod token;
mod tool;
mod validate;
mod window;
mod work;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use keyfit_openapi::Api;

pub use mutant::Mutant;
pub use tool::{
    AdminHost, ControlledMock, Fault, FaultRule, IssuedToken, MockError, MockOptions, OAuthClient, RecordedRequest,
    Scopes, TokenRequest, TokenSelector, shipped,
};
pub use work::WorkPlan;

use self::core::Core;
use self::deliver::Deliverer;
use self::http_service::HttpService;
use self::registered_client::RegisteredClient;
use self::server::{Listener, Server};
use crate::contract::{AuthorizationServer, Carrier, Contract, Credential, Endpoint};
use crate::credential::carrier;
use crate::credential::identity::{Client, ClientKind, ClientNeed, CredentialNeed, Identities, Identity, Signer};
use crate::credential::secret::{Redactor, Secret};
use crate::judgement::missing::Missing;
use crate::probe::http_client;

/// A running mock. It stops when it is dropped.
pub struct Mock {
    base_url: String,
    token_issuer: TokenIssuer,
    _server: Server,
}

/// Issues tokens that a mock accepts.
#[derive(Clone)]
pub struct TokenIssuer {
    core: Arc<Core>,
    redactor: Redactor,
    /// Scheme and host of the authorization server.
    origin: String,
}

impl Mock {
    /// Starts a mock on a free port of the loopback interface. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Returns an error if the socket cannot be opened.
    pub async fn start(
        api: Arc<Api>,
        contract: Arc<Contract>,
        mutant: Option<Mutant>,
        redactor: Redactor,
    ) -> io::Result<Self> {
        let base_path = base_path(&api.base_url).to_owned();
        let is_due = deliver::is_due(&api, &contract);
        let mut core = Core::new(api, contract, mutant);
        if is_due {
            core = core.delivering(Deliverer::new(http_client(false).map_err(io::Error::other)?));
        }
        let core = Arc::new(core);
        let http_service = HttpService { core: Arc::clone(&core), base_path: base_path.as_str().into(), admin: None };
        let listener = Listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let server = Server::start(listener, http_service);
        let origin = format!("http://{}", server.address());
        Ok(Self {
            base_url: format!("{origin}{base_path}"),
            token_issuer: TokenIssuer { core, redactor, origin },
            _server: server,
        })
    }

    /// Returns its base URL, with the path of the documented one.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the source of tokens for it.
    pub fn token_issuer(&self) -> &TokenIssuer {
        &self.token_issuer
    }
}

impl Identities for TokenIssuer {
    fn find(&self, need: &CredentialNeed) -> Result<Identity, Missing> {
        if self.core.contract.credential(&need.kind).is_some_and(Credential::is_certificate) {
            return Err(Missing::new("the mock speaks plain HTTP, over which no client certificate is shown"));
        }
        let identity = self.core.state().issue(&self.core.contract, need);
        for held in &identity.credentials {
            let carrier = self.core.contract.credential(&held.kind).map_or(&Carrier::Header, Credential::carrier);
            for secret in carrier::secrets(carrier, held.secret.reveal()) {
                self.redactor.learn(&Secret::new(secret));
            }
        }
        Ok(identity)
    }

    fn foreign_id(&self, _: &str, parameter: &str) -> Result<String, Missing> {
        Ok(self.core.state().foreign_id(parameter))
    }

    fn fellows(&self, identity: &Identity, _: &str) -> Vec<Identity> {
        let [held] = identity.credentials.as_slice() else { return Vec::new() };
        let kind = self.core.contract.credential(&held.kind);
        kind.and_then(|kind| self.find(&CredentialNeed { alone: true, ..CredentialNeed::of_valid(kind) }).ok())
            .into_iter()
            .collect()
    }

    fn endpoint(&self, endpoint: &Endpoint, _: &AuthorizationServer) -> Result<String, Missing> {
        Ok(endpoint.below(&self.origin))
    }

    fn client(&self, need: &ClientNeed) -> Result<Client, Missing> {
        let registered_client = RegisteredClient::of(need.kind);
        let secret = registered_client.secret.map(Secret::new);
        if let Some(secret) = &secret {
            self.redactor.learn(secret);
        }
        if let Some((_, password)) = &registered_client.user {
            self.redactor.learn(password);
        }
        Ok(Client {
            id: registered_client.id.to_owned(),
            secret,
            authentication: None,
            redirect_uri: registered_client.redirect_uri.to_owned(),
            user: registered_client.user,
            revocation_url: None,
        })
    }

    fn webhook_secret(&self, name: &str) -> Result<Secret, Missing> {
        let signature = self.core.contract.webhooks.get(name).and_then(|terms| terms.signature.as_ref());
        let signature = signature.ok_or_else(|| Missing::new(format!("the webhook `{name}` is not signed")))?;
        let secret = deliver::secret(signature);
        self.redactor.learn(&secret);
        Ok(secret)
    }

    fn signer(&self) -> Result<Signer, Missing> {
        let registered_client = RegisteredClient::of(ClientKind::Keeping);
        let secret = Secret::new(registered_client.secret.unwrap_or_default());
        self.redactor.learn(&secret);
        Ok(Signer { issuer: registered_client.id.to_owned(), subject: "user_keyfit".to_owned(), secret })
    }
}

/// Returns the path of a URL.
fn base_path(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |scheme| scheme + 3);
    url[after_scheme..].find('/').map_or("", |slash| &url[after_scheme + slash..])
}
