//! The tokens of one client under test: the content of its credential store, and their rotation.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::subject::{CredentialStore, StoredCredential};
use crate::contract::{Carrier, Contract, Credential};
use crate::credential::carrier;
use crate::credential::secret::{Redactor, Secret};

/// A credential store, with a generator for its tokens.
pub(super) struct TokenGenerator {
    pub(super) credential_store: CredentialStore,
    /// The form of the first credential.
    template: TokenTemplate,
    generated: AtomicUsize,
    redactor: Redactor,
}

/// The form of the tokens of one kind for one client.
struct TokenTemplate {
    prefix: String,
    carrier: Carrier,
    worker: usize,
    /// The index of the kind in the contract: two kinds never share a token.
    kind: usize,
}

impl TokenGenerator {
    /// Creates a store with a credential of each of these kinds: the first ones with which clients of the API are connected, or an
    /// alternative of an operation.
    pub(super) fn new(contract: &Contract, kinds: &[&Credential], worker: usize, redactor: &Redactor) -> Self {
        let template = |kind: Option<&Credential>| TokenTemplate {
            prefix: kind.map_or_else(String::new, |kind| kind.prefix.clone()),
            carrier: kind.map_or(Carrier::Header, |kind| kind.carrier().clone()),
            worker,
            kind: kind.and_then(|kind| contract.credentials.iter().position(|one| one.kind == kind.kind)).unwrap_or(0),
        };
        let credential = |kind: &&Credential| StoredCredential {
            kind: kind.kind.clone(),
            carrier: kind.carrier().clone(),
            secret: template(Some(kind)).token(0),
        };
        let credentials: Vec<StoredCredential> = kinds.iter().map(credential).collect();
        let first = template(kinds.first().copied());
        let usual: Vec<&str> = contract.client_credential().map(|kind| kind.kind.as_str()).into_iter().collect();
        let is_usual = kinds.iter().map(|kind| kind.kind.as_str()).eq(usual);
        let credential_store = CredentialStore::new(first.token(0), credentials, is_usual);
        let token_generator =
            Self { credential_store, template: first, generated: AtomicUsize::new(0), redactor: redactor.clone() };
        token_generator
            .credential_store
            .credentials()
            .iter()
            .for_each(|credential| token_generator.learn(&credential.carrier, &credential.secret));
        token_generator
    }

    /// Returns the token in the store.
    pub(super) fn current(&self) -> Secret {
        self.credential_store.current()
    }

    /// Puts a new token into the store, without a notification to the client.
    pub(super) fn rotate(&self) -> Secret {
        let number = self.generated.fetch_add(1, Ordering::Relaxed) + 1;
        let next = self.template.token(number);
        self.learn(&self.template.carrier, &next);
        self.credential_store.replace(next.clone());
        next
    }

    fn learn(&self, carrier: &Carrier, token: &Secret) {
        for secret in carrier::secrets(carrier, token.reveal()) {
            self.redactor.learn(&Secret::new(secret));
        }
    }
}

impl TokenTemplate {
    fn token(&self, number: usize) -> Secret {
        let Self { prefix, carrier, worker, kind } = self;
        let user = if *carrier == Carrier::Basic { "canary:" } else { "" };
        Secret::new(format!("{user}{prefix}canary{worker}canary{number:04}canary{kind}canary0"))
    }
}
