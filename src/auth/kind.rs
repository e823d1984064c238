//! Kinds of token, and the APIs that they open.

use super::Carrier;

/// A kind of token. Each API has its own, so that a client takes no other. The kinds of a generated client are generated with
/// it, in its module `kind`; a kind of yours is a type that no value needs to have.
///
/// ```
/// use keyfit::auth::{Carrier, Token, TokenKind};
///
/// /// The kind of [`ParcelsKey`].
/// pub enum Parcels {}
///
/// impl TokenKind for Parcels {
///     const NAME: &'static str = "parcels";
///     const VARIABLE: &'static str = "PARCELS_API_KEY";
///     const CARRIER: Carrier = Carrier::Header("X-Api-Key");
/// }
///
/// /// A key of the API, from `PARCELS_API_KEY`.
/// pub type ParcelsKey = Token<Parcels>;
/// ```
pub trait TokenKind {
    /// The kind's name in messages and contracts: `api-sms`.
    const NAME: &'static str;
    /// The environment variable that [`Token::from_env`](super::Token::from_env) reads.
    const VARIABLE: &'static str;
    /// Where requests carry it. `Authorization: Bearer <token>`, unless the kind says otherwise.
    const CARRIER: Carrier = Carrier::Bearer;
    /// The prefixes of tokens of this kind, if known. A token with another prefix is accepted too.
    const PREFIXES: &'static [&'static str] = &[];
}

/// A kind of HTTP Basic: a user and a password. Its [`CARRIER`](TokenKind::CARRIER) is [`Carrier::Basic`].
pub trait BasicKind: TokenKind {}

/// Declares that tokens of this kind open an API. `A` is the type `Api` in the module of the client.
///
/// Generated clients implement it for their own kinds. Implement it where a kind opens another API as well: for a kind or an
/// API of your crate.
///
/// ```
/// # #[cfg(feature = "instasent-ingest")]
/// # mod example {
/// use keyfit::auth::{Opens, TokenKind};
///
/// /// A token that our gateway takes in place of a data source's.
/// pub enum Gateway {}
///
/// impl TokenKind for Gateway {
///     const NAME: &'static str = "gateway";
///     const VARIABLE: &'static str = "GATEWAY_TOKEN";
/// }
///
/// impl Opens<keyfit::instasent::ingest::Api> for Gateway {}
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "a token of the kind `{Self}` does not open `{A}`",
    label = "a token of another kind is needed here",
    note = "the tokens that open an API are in the module of its client, such as `ParcelsKey` beside `Client`",
    note = "if it does open the API, say so: `impl keyfit::auth::Opens<{A}> for {Self} {{}}`"
)]
pub trait Opens<A>: TokenKind {}
