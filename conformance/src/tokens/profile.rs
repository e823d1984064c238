//! Credentials for a live server without a tokens file: each counts as valid and with all rights.

use std::collections::BTreeMap;
use std::sync::Mutex;

use keyfit_openapi::{Api, SourceLocation};

use super::clients::Clients;
use super::webhooks::WebhookSecrets;
use super::{Known, Tokens, Way};
use crate::UserError;
use crate::carrier;
use crate::contract::{Carrier, Contract, Credential};
use crate::fetched::FetchedToken;
use crate::identity::{Held, Identity, State};
use crate::ids::Ids;
use crate::profile::{Holding, refused};
use crate::secret::{Redactor, Secret};

impl Tokens {
    /// Creates tokens without any identity.
    pub fn none(api: &Api, contract: &Contract, way: Way<'_>) -> Self {
        let kinds = contract.credentials.iter().map(|known| (known.kind.clone(), known.clone())).collect();
        let scopes = api.operations.iter().flat_map(|operation| &operation.scopes).cloned().collect();
        Self {
            identities: Vec::new(),
            ids: Ids::default(),
            foreign: Ids::default(),
            given_up: Ids::default(),
            expendable: Mutex::new(Ids::default()),
            headers: BTreeMap::new(),
            kinds,
            scopes,
            clients: Clients::default(),
            webhook_secrets: WebhookSecrets::default(),
            fetched: Vec::new(),
            places: Vec::new(),
            roots: way.roots,
            notes: Vec::new(),
        }
    }

    /// Adds the credentials of a profile and the environment for kinds without an identity. Secrets are read now, tokens are requested by
    /// [`fetch`](Self::fetch).
    ///
    /// # Errors
    /// Returns an error if a secret is not available.
    pub async fn with(mut self, holdings: Vec<Holding>, redactor: &Redactor) -> Result<Self, UserError> {
        for Holding { kind, name, source, token_request } in holdings {
            if self.identities.iter().any(|known| known.kind == kind) {
                continue;
            }
            let carrier = self.kinds.get(&kind).map_or(&Carrier::Header, Credential::carrier);
            let (secret, fetched) = if let Some(request) = token_request {
                let request = format!("POST {request}");
                self.fetched.push(FetchedToken::new(&name, request, carrier.clone(), source, redactor));
                self.places.push(SourceLocation::default());
                (Secret::new(""), Some(self.fetched.len() - 1))
            } else {
                let token = source.fetch().await.map_err(|error| refused(&error))?;
                if let Some(flaw) = carrier::flaw(carrier, token.expose()) {
                    return Err(UserError::new(format!("the secret of `{name}` cannot be sent: {flaw}"))
                        .help("correct what is named"));
                }
                for part in carrier::secrets(carrier, token.expose()) {
                    redactor.learn(&Secret::new(part));
                }
                (Secret::new(token.expose()), None)
            };
            self.identities.push(Known {
                kind: kind.clone(),
                state: State::Valid,
                scopes: None,
                resources: None,
                fetched,
                identity: Identity {
                    name,
                    credentials: vec![Held { kind, secret }],
                    ids: BTreeMap::new(),
                    known: self.ids.clone(),
                    is_expendable: false,
                },
            });
        }
        Ok(self)
    }
}
