//! One credential of a client, whose kind is known only by its name.

use std::sync::Arc;

use secrecy::SecretString;

use super::cache::{Cache, Refresh};
use super::held::Held;
use super::{AccessToken, Carrier, TokenSource};
use crate::error::Error;

/// A credential of one kind: the kind's name, its carrier, and the supply of its tokens. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct KindCredential {
    name: Arc<str>,
    carrier: Carrier,
    supply: Supply,
}

/// The supply of tokens.
#[derive(Clone, Debug)]
enum Supply {
    Fixed(Held),
    Cached(Cache),
    /// A fixed token that its carrier cannot encode; the first use reports it.
    Unusable,
}

impl KindCredential {
    /// Makes a credential from a text that was already checked.
    pub(super) fn of_text(kind: &str, secret: SecretString, carrier: Carrier) -> Self {
        let supply = Held::new(AccessToken::new(secret), carrier, 0).map_or(Supply::Unusable, Supply::Fixed);
        Self { name: kind.into(), carrier, supply }
    }

    /// Makes a credential from a source of tokens.
    pub(super) fn cached(kind: &str, source: Arc<dyn TokenSource>, refresh: Refresh, carrier: Carrier) -> Self {
        Self { name: kind.into(), carrier, supply: Supply::Cached(Cache::new(source, refresh, carrier)) }
    }

    /// Returns the name of its kind.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns its place in requests.
    pub(crate) fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// Returns the token to send.
    pub(crate) async fn token(&self) -> Result<Held, Error> {
        match &self.supply {
            Supply::Fixed(held) => Ok(held.clone()),
            Supply::Cached(cache) => cache.token().await,
            Supply::Unusable => Err(Error::credential("the token cannot be sent where its kind is carried")),
        }
    }

    /// Returns the token if it is a fixed one.
    pub(crate) fn fixed(&self) -> Option<&Held> {
        match &self.supply {
            Supply::Fixed(held) => Some(held),
            Supply::Cached(_) | Supply::Unusable => None,
        }
    }

    /// Returns a token other than the refused one, if there is one.
    pub(crate) async fn instead_of(&self, refused: &Held) -> Option<Held> {
        match &self.supply {
            Supply::Cached(cache) => cache.instead_of(refused).await,
            Supply::Fixed(_) | Supply::Unusable => None,
        }
    }
}
