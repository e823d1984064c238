//! One credential of a client, whose kind is known by its name alone.

use std::sync::Arc;

use secrecy::SecretString;

use super::cache::{Cache, Refresh};
use super::held::Held;
use super::{AccessToken, Carrier, TokenSource};
use crate::error::Error;

/// A credential of one kind: the kind's name, where requests carry it, and where its tokens come from. Cloning shares them.
#[derive(Clone, Debug)]
pub(crate) struct KindCredential {
    name: Arc<str>,
    carrier: Carrier,
    supply: Supply,
}

/// Where tokens come from.
#[derive(Clone, Debug)]
enum Supply {
    Fixed(Held),
    Cached(Cache),
    /// A fixed token that its place cannot hold; said when it is first used.
    Unusable,
}

impl KindCredential {
    /// Of a text that was checked.
    pub(super) fn of_text(kind: &str, secret: SecretString, carrier: Carrier) -> Self {
        let supply = Held::new(AccessToken::new(secret), carrier, 0).map_or(Supply::Unusable, Supply::Fixed);
        Self { name: kind.into(), carrier, supply }
    }

    /// Of tokens that come from a source.
    pub(super) fn cached(kind: &str, source: Arc<dyn TokenSource>, refresh: Refresh, carrier: Carrier) -> Self {
        Self { name: kind.into(), carrier, supply: Supply::Cached(Cache::new(source, refresh, carrier)) }
    }

    /// The name of its kind.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where requests carry it.
    pub(crate) fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// The token to send.
    pub(crate) async fn token(&self) -> Result<Held, Error> {
        match &self.supply {
            Supply::Fixed(held) => Ok(held.clone()),
            Supply::Cached(cache) => cache.token().await,
            Supply::Unusable => Err(Error::credential("the token cannot be sent where its kind is carried")),
        }
    }

    /// The token, where it is a fixed one.
    pub(crate) fn fixed(&self) -> Option<&Held> {
        match &self.supply {
            Supply::Fixed(held) => Some(held),
            Supply::Cached(_) | Supply::Unusable => None,
        }
    }

    /// Another token than the one that was refused, where one can be had.
    pub(crate) async fn instead_of(&self, refused: &Held) -> Option<Held> {
        match &self.supply {
            Supply::Cached(cache) => cache.instead_of(refused).await,
            Supply::Fixed(_) | Supply::Unusable => None,
        }
    }
}
