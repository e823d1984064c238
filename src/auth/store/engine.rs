//! Records by name, and an engine that keeps them.

use std::fmt;
use std::time::Duration;

use futures_core::future::BoxFuture;

use crate::error::Error;

/// The purpose of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// By which a wrong encryption key is found when a store is opened.
    Check,
    Session,
    Token,
    Rotation,
}

/// The name of a record.
#[derive(Clone, Debug)]
pub(super) struct Key {
    kind: Kind,
    name: String,
}

/// A record as it is kept.
pub(super) struct Stored {
    pub(super) version: i64,
    /// `None` for a record that was leased and never written.
    pub(super) sealed: Option<Vec<u8>>,
    /// The time since it was written, by the clock of the engine.
    pub(super) age: Duration,
}

/// Keeps records. Its own clock alone says when a lease ends.
pub(super) trait Engine: fmt::Debug + Send + Sync + 'static {
    /// Reads a record.
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Stored>, Error>>;

    /// Replaces the record of this version, 0 where there is none, and returns the version that it has then; `None` where the record has
    /// another version, or a holder is given and another one has the lease.
    fn swap<'a>(
        &'a self,
        key: &'a Key,
        known: i64,
        holder: Option<&'a str>,
        sealed: &'a [u8],
    ) -> BoxFuture<'a, Result<Option<i64>, Error>>;

    /// Takes the lease, and returns the version of the record; `None` while another holder has it.
    fn lease<'a>(&'a self, key: &'a Key, holder: &'a str, time: Duration) -> BoxFuture<'a, Result<Option<i64>, Error>>;

    /// Prolongs the lease of this holder; `false` where another has it by now.
    fn renew<'a>(&'a self, key: &'a Key, holder: &'a str, time: Duration) -> BoxFuture<'a, Result<bool, Error>>;

    /// Ends the lease of this holder, where it still has it.
    fn release<'a>(&'a self, key: &'a Key, holder: &'a str) -> BoxFuture<'a, Result<(), Error>>;
}

impl Key {
    pub(super) fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Check => "check",
            Kind::Session => "session",
            Kind::Token => "token",
            Kind::Rotation => "rotation",
        }
    }

    /// The bytes to which the content of the record is bound.
    pub(super) fn binding(&self) -> String {
        format!("{}\0{}", self.kind(), self.name)
    }

    /// The error of a record that cannot be used.
    pub(super) fn failed(&self, doing: &str, why: impl fmt::Display) -> Error {
        Error::credential(format!("{self} cannot be {doing}: {why}"))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            Kind::Check => return f.write_str("the store"),
            Kind::Session => "session",
            Kind::Token => "access token",
            Kind::Rotation => "rotation",
        };
        write!(f, "the {what} `{}` in the store", self.name)
    }
}
