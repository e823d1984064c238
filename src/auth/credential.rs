//! The credential of a client: a fixed token, a token that is refreshed, or several of these.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use futures_core::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};

use super::cache::Refresh;
use super::environment;
use super::kind_credential::KindCredential;
use super::token::{Token, check};
use super::{AccessToken, Carrier, Opens, SecretSource, TokenKind, TokenSource};
use crate::error::Error;

/// The credential of a client, of one kind. A fixed [`Token`] converts into one; [`from_source`](Self::from_source)
/// and [`from_secret`](Self::from_secret) make one that fetches its token, refreshes it, and finds a rotated one
/// without a failed request. Clones share the token: give one credential to all clients that use it. A client that takes
/// several is described at [`IntoCredential`].
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
    /// Exactly one if `K` is a kind. If it is an API, or `()`, any number of them, in the order in which they were given.
    parts: Arc<[KindCredential]>,
    kind: PhantomData<fn() -> K>,
}

impl<K: TokenKind> Credential<K> {
    /// Makes a credential whose tokens come from a grant or a signer.
    pub fn from_source(source: impl TokenSource) -> Self {
        Self::refreshed(source, Refresh::default())
    }

    /// Like [`from_source`](Self::from_source), with other refresh times.
    pub fn refreshed(source: impl TokenSource, refresh: Refresh) -> Self {
        Self::of(KindCredential::cached(K::NAME, Arc::new(source), refresh, K::CARRIER))
    }

    /// Makes a credential from a secret that is kept elsewhere: in a file, an environment variable, a secret store.
    pub fn from_secret(source: impl SecretSource) -> Self {
        Self::from_secret_refreshed(source, Refresh::default())
    }

    /// Like [`from_secret`](Self::from_secret), with other refresh times.
    pub fn from_secret_refreshed(source: impl SecretSource, refresh: Refresh) -> Self {
        Self::refreshed(Plain { source: Box::new(source), kind: K::NAME, carrier: K::CARRIER }, refresh)
    }

    /// Fetches the token now, so that a program finds a missing credential at its start and not at the first call.
    ///
    /// # Errors
    /// Returns an error if the source does.
    pub async fn ready(&self) -> Result<(), Error> {
        for part in &*self.parts {
            part.token().await?;
        }
        Ok(())
    }
}

/// For an API that is described at run time, which has no kinds as types.
impl Credential<()> {
    /// No credential, for an API or an operation that takes none.
    pub fn none() -> Self {
        Self { parts: Arc::default(), kind: PhantomData }
    }

    /// Returns this credential and another one together, for a client that holds both.
    #[must_use]
    pub fn and<L>(&self, other: &Credential<L>) -> Self {
        Self { parts: self.parts.iter().chain(&*other.parts).cloned().collect(), kind: PhantomData }
    }

    /// Reads the tokens from the variables that are set, at least one. Kinds are given by name, variable and carrier.
    pub(crate) fn from_variables(kinds: &[(&str, &str, Carrier)]) -> Result<Self, Error> {
        let mut parts = Vec::new();
        for (name, variable, carrier) in kinds {
            if let Some(text) = environment::optional(variable)?.map(SecretString::from) {
                check(&format!("the token in the environment variable {variable}"), *carrier, text.expose_secret())?;
                parts.push(KindCredential::of_text(name, text, *carrier));
            }
        }
        if !parts.is_empty() {
            return Ok(Self { parts: parts.into(), kind: PhantomData });
        }
        let variables: Vec<&str> = kinds.iter().map(|(_, variable, _)| *variable).collect();
        Err(Error::credential(match variables[..] {
            [variable] => environment::missing(variable),
            _ => format!("no credential: set one of the environment variables {}", variables.join(", ")),
        }))
    }

    /// Makes a fixed token of a kind that is known only by its name.
    pub(crate) fn fixed(kind: &str, carrier: Carrier, secret: SecretString) -> Result<Self, Error> {
        check(&format!("the {kind} token"), carrier, secret.expose_secret())?;
        Ok(Self::of(KindCredential::of_text(kind, secret, carrier)))
    }

    /// Makes a source of a secret that is the token itself, of a kind that is known as data. It is checked as a token of that kind.
    #[cfg(feature = "profile")]
    pub(crate) fn plain(kind: super::CredentialKind, source: Arc<dyn SecretSource>) -> Arc<dyn TokenSource> {
        Arc::new(Plain { source: Box::new(source), kind: kind.name, carrier: kind.carrier })
    }

    /// Tokens of such a kind that come from a source.
    pub(crate) fn cached(kind: &str, source: Arc<dyn TokenSource>, refresh: Refresh, carrier: Carrier) -> Self {
        Self::of(KindCredential::cached(kind, source, refresh, carrier))
    }
}

impl<K> Credential<K> {
    fn of(part: KindCredential) -> Self {
        Self { parts: Arc::new([part]), kind: PhantomData }
    }

    /// Each credential, in the order in which they were given.
    pub(crate) fn into_parts(self) -> Arc<[KindCredential]> {
        self.parts
    }

    fn of_kind<L>(self) -> Credential<L> {
        Credential { parts: self.parts, kind: PhantomData }
    }

    /// Those of several credentials.
    fn joined(several: &[&[KindCredential]]) -> Self {
        Self { parts: several.concat().into(), kind: PhantomData }
    }
}

/// The credentials that a client of an API accepts: a [`Token`] or a [`Credential`] of a kind that [`Opens`] it, or several.
///
/// A program that holds several credentials gives them all: a pair or a triple of tokens and credentials, and pairs of pairs
/// where there are more; an `Option` where it may lack one. Each call then carries the credentials of one alternative of its
/// operation and nothing else:
///
/// 1. Of the alternatives that the client holds whole, the one with the most schemes; among equals, the first of the document.
/// 2. None, if the operation may be called without credentials and the client does not hold any alternative of it whole.
/// 3. The credential that was given first, for an operation whose security is not described; none for a public operation.
///
/// If none of these applies, the call fails before anything is sent, with the names of the kinds that would open it. A client certificate
/// ([`Config::client_certificate`](crate::Config::client_certificate)) counts as a scheme that is held.
///
/// ```
/// # #[cfg(feature = "instasent-ingest")]
/// # fn example() -> Result<(), keyfit::Error> {
/// use keyfit::instasent::ingest::{Client, DatasourceToken};
/// use keyfit::instasent::product::ProductToken;
///
/// let tokens = (DatasourceToken::new("the-token")?, Some(ProductToken::new("another")?));
/// let client = Client::new(tokens)?;
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a credential for `{A}`",
    label = "a token or a credential of a kind is needed here",
    note = "name the kind of a text first: `Token::new(text)?`, with the token's type in the module of the client; a secret that is kept elsewhere is a `Credential::from_secret(source)`"
)]
pub trait IntoCredential<A> {
    /// Returns the credential, typed for the API.
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

impl<A, C: IntoCredential<A>> IntoCredential<A> for Option<C> {
    fn into_credential(self) -> Credential<A> {
        self.map_or_else(|| Credential::joined(&[]), C::into_credential)
    }
}

impl<A, C: IntoCredential<A>, D: IntoCredential<A>> IntoCredential<A> for (C, D) {
    fn into_credential(self) -> Credential<A> {
        Credential::joined(&[&self.0.into_credential().parts, &self.1.into_credential().parts])
    }
}

impl<A, C: IntoCredential<A>, D: IntoCredential<A>, E: IntoCredential<A>> IntoCredential<A> for (C, D, E) {
    fn into_credential(self) -> Credential<A> {
        (self.0, (self.1, self.2)).into_credential()
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
        Self { parts: Arc::clone(&self.parts), kind: PhantomData }
    }
}

impl<K> fmt::Debug for Credential<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Credential").field(&self.parts).finish()
    }
}

impl<K: TokenKind> From<Token<K>> for Credential<K> {
    fn from(token: Token<K>) -> Self {
        // A token's text was checked when it was made.
        Self::of(KindCredential::of_text(K::NAME, token.into_secret(), K::CARRIER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the texts of fixed tokens.
    fn texts(credential: &Credential<()>) -> Vec<&str> {
        credential.parts.iter().filter_map(KindCredential::fixed).map(|held| held.token().expose()).collect()
    }

    #[test]
    fn every_variable_that_is_set_counts_and_no_value_is_shown() {
        let bearer = |variable| ("parcels", variable, Carrier::Bearer);
        let (unset, other) = (bearer("KEYFIT_TEST_NO_SUCH_VARIABLE"), bearer("KEYFIT_TEST_NO_OTHER_VARIABLE"));
        // Cargo sets both for every test.
        let (name, version) = (bearer("CARGO_PKG_NAME"), bearer("CARGO_PKG_VERSION"));
        let found = Credential::from_variables(&[unset, name, version]).expect("they are set");
        assert_eq!(texts(&found), [env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")]);
        let refused = Credential::from_variables(&[name, bearer("CARGO_PKG_DESCRIPTION")]);
        let message = refused.expect_err("it holds spaces").to_string();
        assert!(message.contains("CARGO_PKG_DESCRIPTION"), "{message}");
        assert!(!message.contains(env!("CARGO_PKG_DESCRIPTION")), "{message}");
        let none = |kinds: &[_]| Credential::from_variables(kinds).expect_err("nothing is set").to_string();
        assert!(none(&[unset]).ends_with("KEYFIT_TEST_NO_SUCH_VARIABLE is not set: set it and start again"));
        assert!(
            none(&[unset, other]).contains("set one of the environment variables KEYFIT_TEST_NO_SUCH_VARIABLE, KEYFIT")
        );
    }

    #[test]
    fn several_credentials_keep_their_order_and_one_may_be_lacking() {
        enum Any {}
        impl TokenKind for Any {
            const NAME: &'static str = "any";
            const VARIABLE: &'static str = "KEYFIT_TEST_NO_SUCH_VARIABLE";
        }
        impl Opens<()> for Any {}
        let token = |text: &str| Token::<Any>::new(text).expect("a token");
        let pair: Credential<()> = (token("a"), Credential::from(token("b"))).into_credential();
        let triple: Credential<()> = (token("a"), None::<Token<Any>>, (Some(token("b")), token("c"))).into_credential();
        assert_eq!((texts(&pair), texts(&triple)), (vec!["a", "b"], vec!["a", "b", "c"]));
        assert_eq!(texts(&pair.and(&triple)).len(), 5);
        assert!(!format!("{pair:?}").contains("\"a\""));
    }
}
