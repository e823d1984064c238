//! The registered clients: one of each kind.

use super::token::token_text;
use crate::credential::identity::ClientKind;
use crate::credential::secret::Secret;

/// The name of the only user.
const USER: &str = "user";

/// The first seed of secrets, disjoint from those of tokens.
const SEED: u64 = 1 << 40;

/// A registered client.
#[derive(Clone, Debug)]
pub(super) struct RegisteredClient {
    pub(super) kind: ClientKind,
    pub(super) id: &'static str,
    /// The secret of 32 bytes; public clients have none.
    pub(super) secret: Option<String>,
    pub(super) redirect_uri: &'static str,
    /// A user whose password the client knows; public clients know none.
    pub(super) user: Option<(String, Secret)>,
}

impl RegisteredClient {
    /// Returns the client of a kind.
    pub(super) fn of(kind: ClientKind) -> Self {
        let (kind, id, number) = match kind {
            ClientKind::Confidential | ClientKind::Keeping => (ClientKind::Keeping, "client-keeping", 0),
            ClientKind::Other | ClientKind::Rotating => (ClientKind::Rotating, "client-rotating", 1),
            ClientKind::Public => (ClientKind::Public, "client-public", 2),
        };
        let secret = (kind != ClientKind::Public).then(|| token_text(SEED + number));
        let user = secret.is_some().then(|| (USER.to_owned(), Secret::new(token_text(SEED + 3))));
        Self { kind, id, secret, redirect_uri: "https://client.example/callback", user }
    }

    /// Returns the client with an id.
    pub(super) fn by_id(id: &str) -> Option<Self> {
        [ClientKind::Keeping, ClientKind::Rotating, ClientKind::Public]
            .into_iter()
            .map(Self::of)
            .find(|client| client.id == id)
    }

    /// Returns whether these are its user and the user's password.
    pub(super) fn knows(&self, name: &str, password: &str) -> bool {
        self.user.as_ref().is_some_and(|(known, secret)| known == name && secret.reveal() == password)
    }

    /// Returns whether this is its secret; a client without one has to send none. Takes the same time for each wrong secret of the right
    /// length.
    pub(super) fn is_proven_by(&self, secret: Option<&str>) -> bool {
        match (&self.secret, secret) {
            (None, None) => true,
            (Some(known), Some(sent)) => {
                let differences = known.bytes().zip(sent.bytes()).fold(0, |seen, (one, other)| seen | (one ^ other));
                known.len() == sent.len() && differences == 0
            }
            _ => false,
        }
    }
}
