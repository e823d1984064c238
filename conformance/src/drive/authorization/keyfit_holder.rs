//! The credentials of keyfit as a token holder. Calls go through one of its clients: all clients send a credential in the same way.

use std::sync::{Arc, Mutex, PoisonError};

use futures_core::future::BoxFuture;
use keyfit::auth::oauth::{
    AuthorizationRequest, BodyEncoding, ClientCredentials, MemoryPendingAuthorizations, MemoryStore, RefreshingSession,
    TokenEndpoint, TokenStore as _, handle_callback,
};
use keyfit::auth::source::MemorySource;
use keyfit::auth::{JwtParties, JwtSigner, Refresh, TokenSource};
use keyfit::dispatch::{Access, Dispatch, connect};
use keyfit::{Config, Error};
use serde_json::Map;

use super::{CALL, GrantFlow, HolderError, Registration, TokenHolder, UserTokens};
use crate::contract::{ClientAuthentication, TokenBody};
use crate::credential::secret::Secret;

/// The API whose client makes the calls, and the operation with the path [`CALL`].
const API: (&str, &str) = ("scopien", "auth-test");
/// The highest number of concurrent logins.
const MAX_LOGINS: usize = 10;
/// The time limit for a login, in seconds.
const LOGIN_TIMEOUT: u64 = 600;

pub(in super::super) struct KeyfitHolder {
    registration: Registration,
    endpoint: TokenEndpoint,
    pending: MemoryPendingAuthorizations,
    store: MemoryStore,
    /// The client with the credential, once there is one.
    client: Mutex<Option<Connection>>,
}

#[derive(Clone)]
struct Connection {
    source: Arc<dyn TokenSource>,
    client: Arc<dyn Dispatch>,
}

impl KeyfitHolder {
    pub(in super::super) fn new(registration: &Registration) -> Result<Self, Error> {
        let holder = Self::with_store(registration, MemoryStore::new())?;
        let secret = || MemorySource::new(registration.secret.as_ref().map_or("", Secret::reveal));
        match &registration.flow {
            // The credential exists once the user has consented.
            GrantFlow::Code => {}
            GrantFlow::ClientCredentials => {
                let grant = ClientCredentials::new(holder.endpoint.clone());
                holder.connect(grant.with_scopes(registration.scopes.iter().cloned()))?;
            }
            GrantFlow::Jwt { subject, audience } => {
                let parties = JwtParties {
                    issuer: registration.id.clone(),
                    subject: subject.clone(),
                    audience: audience.clone(),
                };
                holder.connect(JwtSigner::new(parties, secret())?.clock(registration.clock.clone()))?;
            }
        }
        Ok(holder)
    }

    fn with_store(registration: &Registration, store: MemoryStore) -> Result<Self, Error> {
        let mut endpoint = TokenEndpoint::builder(&registration.token_url, &registration.id)
            .encoding(match registration.body {
                TokenBody::Form => BodyEncoding::Form,
                TokenBody::Json => BodyEncoding::Json,
            })
            .clock(registration.clock.clone());
        if let Some(secret) = &registration.secret {
            let source = MemorySource::new(secret.reveal());
            endpoint = match registration.authentication {
                ClientAuthentication::Body => endpoint.secret_in_body(source),
                ClientAuthentication::Basic => endpoint.secret_in_header(source),
            };
        }
        let lifetime = std::time::Duration::from_secs(LOGIN_TIMEOUT);
        Ok(Self {
            registration: registration.clone(),
            endpoint: endpoint.build()?,
            pending: MemoryPendingAuthorizations::with(lifetime, MAX_LOGINS, registration.clock.clone()),
            store,
            client: Mutex::default(),
        })
    }

    fn connect(&self, source: impl TokenSource) -> Result<(), Error> {
        let source: Arc<dyn TokenSource> = Arc::new(source);
        let refresh = Refresh::default().clock(self.registration.clock.clone());
        let client = connect(
            API.0,
            Config::default().base_url(&self.registration.api_url),
            Access::Source(Arc::clone(&source), refresh),
        )?;
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Connection { source, client: client.into() });
        Ok(())
    }

    fn connection(&self) -> Option<Connection> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn request(&self) -> Result<AuthorizationRequest, Error> {
        let Registration { authorize_url, id, redirect_uri, scopes, .. } = &self.registration;
        Ok(AuthorizationRequest::new(authorize_url, id, redirect_uri)?.scopes(scopes.iter().cloned()))
    }

    async fn begin(&self, session: &str) -> Result<String, Error> {
        Ok(self.request()?.begin(session, &self.pending).await?.into())
    }
}

impl TokenHolder for KeyfitHolder {
    fn log_in<'a>(&'a self, session: &'a str) -> BoxFuture<'a, Result<String, HolderError>> {
        Box::pin(async move { self.begin(session).await.map_err(|error| holder_error(None, &error)) })
    }

    fn callback<'a>(&'a self, session: &'a str, url: &'a str) -> BoxFuture<'a, Result<(), HolderError>> {
        Box::pin(async move {
            let code = handle_callback(url, session, &self.pending).await.map_err(|error| {
                let status = Some(error.status().as_u16());
                HolderError { status, texts: vec![error.to_string(), format!("{error:?}"), error.answer().to_owned()] }
            })?;
            let logged_in = async {
                let tokens = self.endpoint.exchange(code).await?;
                RefreshingSession::start(self.endpoint.clone(), tokens, self.store.clone()).await
            };
            let session = logged_in.await.map_err(|error| holder_error(Some(502), &error))?;
            self.connect(session).map_err(|error| holder_error(Some(500), &error))
        })
    }

    fn call(&self) -> BoxFuture<'_, Result<u16, HolderError>> {
        Box::pin(async {
            let Some(connection) = self.connection() else {
                return Err(HolderError { status: None, texts: vec![format!("nobody has logged in: no {CALL}")] });
            };
            match connection.client.call(API.1, &Map::new()).await {
                Ok(answer) => Ok(answer.status),
                Err(error) => Err(holder_error(error.status().map(|status| status.as_u16()), &error)),
            }
        })
    }

    fn stored(&self) -> BoxFuture<'_, Option<UserTokens>> {
        Box::pin(async {
            let tokens = self.store.load().await.ok().flatten()?;
            let refresh = tokens.refresh_token().map(str::to_owned);
            Some(UserTokens { access: tokens.access().expose().to_owned(), refresh })
        })
    }

    fn restart(&self) -> BoxFuture<'_, Result<Box<dyn TokenHolder>, HolderError>> {
        Box::pin(async {
            let restarted = async {
                let holder = Self::with_store(&self.registration, self.store.clone())?;
                holder.connect(RefreshingSession::load(holder.endpoint.clone(), holder.store.clone()).await?)?;
                Ok(holder)
            };
            let holder = restarted.await.map_err(|error: Error| holder_error(None, &error))?;
            Ok(Box::new(holder) as Box<dyn TokenHolder>)
        })
    }

    fn printed(&self) -> BoxFuture<'_, Vec<String>> {
        Box::pin(async {
            let Self { endpoint, pending, store, .. } = self;
            let source = self.connection().map(|connection| connection.source);
            let request = self.request().ok();
            vec![format!("{endpoint:?} {pending:?} {store:?} {request:?}"), format!("{source:?} {source:#?}")]
        })
    }
}

fn holder_error(status: Option<u16>, error: &Error) -> HolderError {
    HolderError { status, texts: vec![error.to_string(), format!("{error:?}"), format!("{error:#?}")] }
}
