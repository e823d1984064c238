//! API keys that an API manages itself: the operations that create, list, change, and revoke them, the places of their members, and the
//! probes about them.

use keyfit_openapi::Operation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Citation, Probe};

/// How keys are managed through the API. The mock does it, and probes mint what they need and revoke it afterwards.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KeyManagement {
    /// The kind of token that a key is, one of the credentials. It is minted with another one of its kind.
    pub kind: String,
    /// The operation that mints a key.
    pub mint: String,
    /// The operation that lists keys.
    pub list: String,
    /// The operation that replaces the scopes of a key.
    pub update: String,
    /// The operation that revokes a key.
    pub revoke: String,
    /// The operation that describes the key that calls it.
    pub introspect: String,
    /// The path parameter of `update` and `revoke` that holds the id of a key.
    pub id_parameter: String,
    /// Where the members of a key stand.
    pub members: KeyMembers,
    /// Where this is said.
    pub source: Citation,
}

/// Where the members of a key stand, each as a JSON pointer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KeyMembers {
    /// The id, in answers of all operations but introspection.
    pub id: String,
    /// The key itself, in the answer that mints it.
    pub key: String,
    /// What the key is for, in the request that mints it.
    pub name: Option<String>,
    /// The scopes, in requests and answers.
    pub scopes: String,
    /// Calls a window, in the request that mints it.
    pub limit: Option<String>,
    /// When it ends, as a timestamp of RFC 3339, in the request that mints it.
    pub end: Option<String>,
    /// The array of keys, in the answer that lists them.
    pub list: String,
    /// The id, in the answer of introspection.
    pub own_id: String,
    /// The scopes, in the answer of introspection.
    pub own_scopes: String,
    /// Calls a window, in the answer of introspection.
    pub own_limit: Option<String>,
    /// Calls that are left, in the answer of introspection.
    pub own_remaining: Option<String>,
    /// The end of the window, in the answer of introspection. Its unit is that of the reset header.
    pub own_reset: Option<String>,
}

/// What is sent to try a key. It is minted first and revoked last, and the request before that one is judged.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyProbe {
    /// A call with a key that was minted with the scopes of the call, as a list.
    Call,
    /// A call with a key that was minted with the scopes of the call, for its resource alone.
    CallByResource,
    /// A call with a key that was minted with other scopes.
    CallOutsideScope,
    /// The call after the only one that a key was minted for.
    CallOverLimit,
    /// A call with a key that was minted with an end in the past.
    CallAfterEnd,
    /// Introspection of a key that was minted with a list of scopes.
    Introspect,
    /// Introspection of a key that was minted with scopes by resource.
    IntrospectByResource,
    /// The list of keys, after one was minted.
    List,
    /// An update of a key to the scopes that it has.
    Update,
    /// A call with a key whose scopes covered it until they were replaced.
    CallAfterNarrowing,
    /// A call with a key whose scopes did not cover it until they were replaced.
    CallAfterWidening,
    /// A call with a key that was served until it was revoked.
    CallAfterRevocation,
    /// A key revoked twice at the same instant.
    RevokeAtOnce,
    /// A key revoked for the second time.
    RevokeAgain,
    /// A key minted with a scope that nobody knows.
    UnknownScope,
    /// A key minted with scopes for a resource that nobody knows.
    UnknownResource,
    /// A key minted with a key of the test environment.
    MintInTest,
}

/// What an answer says of the key that was minted.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum KeyCheck {
    /// Its scopes, in the form in which they were sent; their order says nothing.
    Scopes,
    /// Its id, somewhere.
    Listed,
    /// It begins as keys of the test environment do.
    OfTest,
}

impl KeyManagement {
    /// Returns its operations, each with its name in a contract.
    pub fn operations(&self) -> [(&'static str, &str); 5] {
        [
            ("mint", &self.mint),
            ("list", &self.list),
            ("update", &self.update),
            ("revoke", &self.revoke),
            ("introspect", &self.introspect),
        ]
    }

    /// Returns whether an operation is one of them.
    pub(crate) fn names(&self, operation: &str) -> bool {
        self.operations().iter().any(|(_, known)| *known == operation)
    }

    /// Returns whether an operation takes the id of an existing key.
    pub fn has_subject(&self, operation: &str) -> bool {
        [&self.update, &self.revoke].into_iter().any(|known| known == operation)
    }

    /// Returns whether this probe creates, lists, changes, or revokes a key.
    pub(crate) fn concern(&self, probe: &Probe, operation: &Operation) -> bool {
        let manages = [&self.mint, &self.list, &self.update, &self.revoke].into_iter().any(|id| *id == operation.id);
        manages || matches!(probe, Probe::Key(_))
    }
}

impl KeyMembers {
    /// Returns all pointers that are set.
    pub fn pointers(&self) -> impl Iterator<Item = &String> {
        let always = [&self.id, &self.key, &self.scopes, &self.list, &self.own_id, &self.own_scopes];
        let given = [&self.name, &self.limit, &self.end, &self.own_limit, &self.own_remaining, &self.own_reset];
        always.into_iter().chain(given.into_iter().flatten())
    }
}

impl KeyProbe {
    /// Returns the operation whose answer is judged; `None` for a call, which may be any operation with scopes and a resource.
    pub fn operation(self, keys: &KeyManagement) -> Option<&str> {
        match self {
            Self::Introspect | Self::IntrospectByResource => Some(&keys.introspect),
            Self::List => Some(&keys.list),
            Self::Update => Some(&keys.update),
            Self::RevokeAgain | Self::RevokeAtOnce => Some(&keys.revoke),
            Self::UnknownScope | Self::UnknownResource | Self::MintInTest => Some(&keys.mint),
            Self::Call
            | Self::CallByResource
            | Self::CallOutsideScope
            | Self::CallOverLimit
            | Self::CallAfterEnd
            | Self::CallAfterNarrowing
            | Self::CallAfterWidening
            | Self::CallAfterRevocation => None,
        }
    }
}
