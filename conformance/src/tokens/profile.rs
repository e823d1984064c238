//! Credentials for a live server without a tokens file: each counts as valid and with all rights.

use std::collections::BTreeMap;
use std::sync::Mutex;

use keyfit_openapi::{Api, SourceLocation};

use super::clients::Clients;
use super::webhooks::WebhookSecrets;
use super::{IdentityEntry, TokenServer, Tokens};
use crate::UserError;
use crate::contract::{Carrier, Contract, Credential};
use crate::credential::carrier;
use crate::credential::fetched_tokens::FetchedToken;
use crate::credential::identity::{Identity, IdentityCredential, State};
use crate::credential::profile::{CredentialSource, profile_error};
use crate::credential::secret::{Redactor, Secret};
use crate::tokens::ids::Ids;

impl Tokens {
    /// Creates tokens without any identity.
    pub fn none(api: &Api, contract: &Contract, way: TokenServer<'_>) -> Self {
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
    pub async fn with(
        mut self,
        credential_sources: Vec<CredentialSource>,
        redactor: &Redactor,
    ) -> Result<Self, UserError> {
        for CredentialSource { kind, name, source, token_request } in credential_sources {
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
                let token = source.fetch().await.map_err(|error| profile_error(&error))?;
                if let Some(flaw) = carrier::flaw(carrier, token.expose()) {
                    return Err(UserError::new(format!("the secret of `{name}` cannot be sent: {flaw}"))
                        .help("correct what is named"));
                }
                for part in carrier::secrets(carrier, token.expose()) {
                    redactor.learn(&Secret::new(part));
                }
                (Secret::new(token.expose()), None)
            };
            self.identities.push(IdentityEntry {
                kind: kind.clone(),
                state: State::Valid,
                scopes: None,
                resources: None,
                fetched,
                identity: Identity {
                    name,
                    credentials: vec![IdentityCredential { kind, secret }],
                    ids: BTreeMap::new(),
                    known: self.ids.clone(),
                    is_expendable: false,
                },
            });
        }
        Ok(self)
    }
}
