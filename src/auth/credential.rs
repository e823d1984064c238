//! What a client authenticates with: a token, or something that keeps one good.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use futures_core::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};

use super::cache::{Cache, Refresh};
use super::environment;
use super::held::Held;
use super::token::{Token, check};
use super::{AccessToken, Carrier, Opens, SecretSource, TokenKind, TokenSource};
use crate::error::Error;

/// What a client of one kind authenticates with. A fixed [`Token`] turns into one; [`from_source`](Self::from_source)
/// and [`from_secret`](Self::from_secret) make one that fetches its token, keeps it good, and finds a rotated one
/// without a failed request. Cloning shares the token: give one credential to all clients that use it.
///
/// ```
/// use keyfit::auth::{Credential, SecretSource};
/// use keyfit::scopien::kind::Key;
///
/// # fn example(source: impl SecretSource) -> Result<(), keyfit::Error> {
/// // Read when it is first needed, every five minutes after that, and whenever the server answers 401.
/// let credential: Credential<Key> = Credential::from_secret(source);
/// let client = keyfit::scopien::Client::new(credential)?;
/// # Ok(())
/// # }
/// ```
pub struct Credential<K> {
    keeper: Keeper,
    /// The kind, for who has lost the type.
    name: Arc<str>,
    carrier: Carrier,
    kind: PhantomData<fn() -> K>,
}

#[derive(Clone, Debug)]
enum Keeper {
    Fixed(Held),
    Cached(Cache),
    /// Nothing, for APIs that take no credential.
    Nothing,
    /// A fixed token that its place cannot hold; said when it is first used.
    Unusable,
}

impl<K: TokenKind> Credential<K> {
    /// A credential whose tokens come from a grant or a signer.
    pub fn from_source(source: impl TokenSource) -> Self {
        Self::refreshed(source, Refresh::default())
    }

    /// As [`from_source`](Self::from_source), with times of your own.
    pub fn refreshed(source: impl TokenSource, refresh: Refresh) -> Self {
        Self::cached(K::NAME, Arc::new(source), refresh, K::CARRIER)
    }

    /// A credential that is a secret kept elsewhere: in a file, a variable, a secret store.
    pub fn from_secret(source: impl SecretSource) -> Self {
        Self::from_secret_refreshed(source, Refresh::default())
    }

    /// As [`from_secret`](Self::from_secret), with times of your own.
    pub fn from_secret_refreshed(source: impl SecretSource, refresh: Refresh) -> Self {
        Self::refreshed(Plain { source: Box::new(source), kind: K::NAME, carrier: K::CARRIER }, refresh)
    }

    /// Fetches the token now, so that a credential that cannot be had is found at the start and not at the first call.
    ///
    /// # Errors
    /// What the source says.
    pub async fn ready(&self) -> Result<(), Error> {
        self.token().await.map(drop)
    }
}

impl Credential<()> {
    /// No credential, for an API or an operation that takes none.
    pub fn none() -> Self {
        Self { keeper: Keeper::Nothing, name: "".into(), carrier: Carrier::Bearer, kind: PhantomData }
    }

    /// The token in the first variable that is set. Kinds are given by name, variable and carrier.
    pub(crate) fn from_first_variable(kinds: &[(&str, &str, Carrier)]) -> Result<Self, Error> {
        for (name, variable, carrier) in kinds {
            if let Some(text) = environment::optional(variable)?.map(SecretString::from) {
                check(&format!("the token in the environment variable {variable}"), *carrier, text.expose_secret())?;
                return Ok(Self::of_text(name, text, *carrier));
            }
        }
        let variables: Vec<&str> = kinds.iter().map(|(_, variable, _)| *variable).collect();
        Err(Error::credential(match variables[..] {
            [variable] => environment::missing(variable),
            _ => format!("no credential: set one of the environment variables {}", variables.join(", ")),
        }))
    }

    /// A fixed token of a kind that is known by its name alone.
    pub(crate) fn fixed(kind: &str, carrier: Carrier, secret: SecretString) -> Result<Self, Error> {
        check(&format!("the {kind} token"), carrier, secret.expose_secret())?;
        Ok(Self::of_text(kind, secret, carrier))
    }
}

impl<K> Credential<K> {
    /// A credential whose tokens come from a source.
    pub(crate) fn cached(kind: &str, source: Arc<dyn TokenSource>, refresh: Refresh, carrier: Carrier) -> Self {
        let keeper = Keeper::Cached(Cache::new(source, refresh, carrier));
        Self { keeper, name: kind.into(), carrier, kind: PhantomData }
    }

    /// Of a text that was checked.
    fn of_text(kind: &str, secret: SecretString, carrier: Carrier) -> Self {
        let keeper = Held::new(AccessToken::new(secret), carrier, 0).map_or(Keeper::Unusable, Keeper::Fixed);
        Self { keeper, name: kind.into(), carrier, kind: PhantomData }
    }

    /// The name of its kind; `None` where there is no credential.
    pub(crate) fn name(&self) -> Option<&str> {
        (!matches!(self.keeper, Keeper::Nothing)).then_some(&*self.name)
    }

    /// Where requests carry it.
    pub(crate) fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// The token to send.
    pub(crate) async fn token(&self) -> Result<Held, Error> {
        match &self.keeper {
            Keeper::Fixed(held) => Ok(held.clone()),
            Keeper::Cached(cache) => cache.token().await,
            Keeper::Nothing => Ok(Held::nothing()),
            Keeper::Unusable => Err(Error::credential("the token cannot be sent where its kind is carried")),
        }
    }

    /// The token, where it is a fixed one.
    pub(crate) fn held(&self) -> Option<&Held> {
        match &self.keeper {
            Keeper::Fixed(held) => Some(held),
            Keeper::Cached(_) | Keeper::Nothing | Keeper::Unusable => None,
        }
    }

    /// Another token than the one that was refused, where one can be had.
    pub(crate) async fn instead_of(&self, refused: &Held) -> Option<Held> {
        match &self.keeper {
            Keeper::Cached(cache) => cache.instead_of(refused).await,
            Keeper::Fixed(_) | Keeper::Nothing | Keeper::Unusable => None,
        }
    }

    /// For a transport, which serves clients of any kind.
    pub(crate) fn of_any_kind(self) -> Credential<()> {
        self.of_kind()
    }

    fn of_kind<L>(self) -> Credential<L> {
        let Self { keeper, name, carrier, .. } = self;
        Credential { keeper, name, carrier, kind: PhantomData }
    }
}

/// What a client of an API is made with: a [`Token`] or a [`Credential`] of a kind that [`Opens`] it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a credential for `{A}`",
    label = "a token or a credential of a kind is needed here",
    note = "name the kind of a text first: `Token::new(text)?`, with the token's type in the module of the client; a secret that is kept elsewhere is a `Credential::from_secret(source)`"
)]
pub trait IntoCredential<A> {
    /// The credential, known to open the API.
    fn into_credential(self) -> Credential<A>;
}

impl<A, K: Opens<A>> IntoCredential<A> for Token<K> {
    fn into_credential(self) -> Credential<A> {
        Credential::<K>::from(self).of_kind()
    }
}

impl<A, K: Opens<A>> IntoCredential<A> for Credential<K> {
    fn into_credential(self) -> Credential<A> {
        self.of_kind()
    }
}

/// A secret that is the token itself, checked as a token of its kind.
struct Plain {
    source: Box<dyn SecretSource>,
    kind: &'static str,
    carrier: Carrier,
}

impl TokenSource for Plain {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(async {
            let secret = self.source.read().await?;
            let what = format!("the {} token of {:?}", self.kind, self.source);
            check(&what, self.carrier, secret.expose_secret())?;
            Ok(AccessToken::new(secret))
        })
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl<K> Clone for Credential<K> {
    fn clone(&self) -> Self {
        let Self { keeper, name, carrier, .. } = self;
        Self { keeper: keeper.clone(), name: Arc::clone(name), carrier: *carrier, kind: PhantomData }
    }
}

impl<K> fmt::Debug for Credential<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Credential").field(&self.keeper).finish()
    }
}

impl<K: TokenKind> From<Token<K>> for Credential<K> {
    fn from(token: Token<K>) -> Self {
        // A token's text was checked when it was made.
        Self::of_text(K::NAME, token.into_secret(), K::CARRIER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_counts_and_no_value_is_shown() {
        let bearer = |variable| ("parcels", variable, Carrier::Bearer);
        let (unset, other) = (bearer("KEYFIT_TEST_NO_SUCH_VARIABLE"), bearer("KEYFIT_TEST_NO_OTHER_VARIABLE"));
        // Cargo sets both for every test.
        let found = Credential::from_first_variable(&[unset, bearer("CARGO_PKG_NAME")]).expect("it is set");
        assert_eq!(found.held().map(|held| held.token().expose()), Some(env!("CARGO_PKG_NAME")));
        let refused = Credential::from_first_variable(&[bearer("CARGO_PKG_DESCRIPTION"), bearer("CARGO_PKG_NAME")]);
        let message = refused.expect_err("it holds spaces").to_string();
        assert!(message.contains("CARGO_PKG_DESCRIPTION"), "{message}");
        assert!(!message.contains(env!("CARGO_PKG_DESCRIPTION")), "{message}");
        let none = |kinds: &[_]| Credential::from_first_variable(kinds).expect_err("nothing is set").to_string();
        assert!(none(&[unset]).ends_with("KEYFIT_TEST_NO_SUCH_VARIABLE is not set: set it and start again"));
        assert!(
            none(&[unset, other]).contains("set one of the environment variables KEYFIT_TEST_NO_SUCH_VARIABLE, KEYFIT")
        );
    }
}
