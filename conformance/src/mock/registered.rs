//! The clients that are registered: one of each kind.

use super::token::token_text;
use crate::identity::ClientKind;
use crate::secret::Secret;

/// The name of the one user.
const USER: &str = "user";

/// Seeds of secrets, far from those of tokens.
const SEED: u64 = 1 << 40;

/// A registered client.
#[derive(Clone, Debug)]
pub(super) struct Registered {
    pub(super) kind: ClientKind,
    pub(super) id: &'static str,
    /// 32 bytes; public clients have none.
    pub(super) secret: Option<String>,
    pub(super) redirect_uri: &'static str,
    /// A user who told it his password; of public clients none did.
    pub(super) user: Option<(String, Secret)>,
}

impl Registered {
    /// The client of a kind.
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

    /// The client of an id.
    pub(super) fn named(id: &str) -> Option<Self> {
        [ClientKind::Keeping, ClientKind::Rotating, ClientKind::Public]
            .into_iter()
            .map(Self::of)
            .find(|client| client.id == id)
    }

    /// Whether these are its user and his password.
    pub(super) fn knows(&self, name: &str, password: &str) -> bool {
        self.user.as_ref().is_some_and(|(known, secret)| known == name && secret.reveal() == password)
    }

    /// Whether this is its secret; a client without one has to send none. Takes the same time for every wrong secret of
    /// the right length.
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
