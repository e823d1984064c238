//! Compares the scopes of a token with those that a program needs: a missing one is an error, an unneeded one a warning.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::error::{Error, Operation};

/// The scopes of a token, as its API grants them. Names that this version does not know are kept.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Scopes {
    /// Each scope holds for every resource. `admin` covers all others.
    Flat(BTreeSet<String>),
    /// Actions by resource; a resource that is absent is denied. No map grants the management of keys.
    Resources(BTreeMap<String, BTreeSet<String>>),
}

/// One thing that a token may do: a scope, on one resource or on all of them.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Right {
    /// The scope: `read`, `parcels.write`.
    pub scope: String,
    /// The resource it is for: `accounts`. Granted: `None` is every resource. Needed: `None` is a scope that is not
    /// divided by resource, which only a flat grant has.
    pub resource: Option<String>,
}

/// The rights that a program needs, declared or taken from the operations that it calls.
///
/// ```
/// use keyfit::auth::{Needs, Scopes};
///
/// let granted = Scopes::flat(["read", "write"]);
/// let excess = Needs::none().on("accounts", "read").check(&granted)?;
/// assert_eq!(excess.to_string(), "write");
///
/// let error = Needs::none().on("accounts", "delete").check(&granted).unwrap_err();
/// assert!(error.to_string().contains("delete on accounts"));
/// # Ok::<(), keyfit::Error>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Needs(BTreeSet<Right>);

/// The rights of a token that a program does not need. Ideally empty.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Excess(BTreeSet<Right>);

const ADMIN: &str = "admin";

impl Scopes {
    /// Makes scopes that hold for every resource.
    pub fn flat<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Self {
        Self::Flat(scopes.into_iter().map(Into::into).collect())
    }

    /// Makes scopes from the actions of each resource.
    pub fn by_resource<R: Into<String>, S: Into<String>>(
        resources: impl IntoIterator<Item = (R, impl IntoIterator<Item = S>)>,
    ) -> Self {
        let resources = resources.into_iter();
        Self::Resources(
            resources.map(|(name, scopes)| (name.into(), scopes.into_iter().map(Into::into).collect())).collect(),
        )
    }

    /// Returns every right, one by one.
    pub fn rights(&self) -> BTreeSet<Right> {
        match self {
            Self::Flat(scopes) => scopes.iter().map(|scope| Right::everywhere(scope)).collect(),
            Self::Resources(resources) => resources
                .iter()
                .flat_map(|(resource, scopes)| scopes.iter().map(|scope| Right::on(resource, scope)))
                .collect(),
        }
    }

    /// Returns whether a token with these scopes has a right. `write` does not imply `read`; `admin` implies everything where it
    /// is granted.
    pub fn cover(&self, need: &Right) -> bool {
        let among = |scopes: &BTreeSet<String>| scopes.contains(&need.scope) || scopes.contains(ADMIN);
        match (self, &need.resource) {
            (Self::Flat(scopes), _) => among(scopes),
            // `admin` is needed to manage keys, which is not part of any resource.
            (Self::Resources(_), Some(_)) if need.scope == ADMIN => false,
            (Self::Resources(resources), Some(resource)) => resources.get(resource).is_some_and(among),
            (Self::Resources(_), None) => false,
        }
    }
}

impl Right {
    fn everywhere(scope: &str) -> Self {
        Self { scope: scope.to_owned(), resource: None }
    }

    fn on(resource: &str, scope: &str) -> Self {
        Self { scope: scope.to_owned(), resource: Some(resource.to_owned()) }
    }

    /// Returns whether this right, once granted, is the needed one by name.
    fn serves(&self, need: &Self) -> bool {
        self.scope == need.scope && (self.resource.is_none() || self.resource == need.resource)
    }
}

impl Needs {
    /// Makes an empty set of needs.
    pub fn none() -> Self {
        Self::default()
    }

    /// Returns the union of the needs of the operations.
    pub fn of(operations: &[&Operation]) -> Self {
        let rights = operations.iter().flat_map(|operation| {
            operation
                .scopes
                .iter()
                .map(|scope| Right { scope: (*scope).to_owned(), resource: operation.resource.map(ToOwned::to_owned) })
        });
        Self(rights.collect())
    }

    /// Adds a scope that is not divided by resource.
    #[must_use]
    pub fn and(mut self, scope: &str) -> Self {
        self.0.insert(Right::everywhere(scope));
        self
    }

    /// Adds a scope on one resource.
    #[must_use]
    pub fn on(mut self, resource: &str, scope: &str) -> Self {
        self.0.insert(Right::on(resource, scope));
        self
    }

    /// Compares the needs with the scopes of a token. Rights beyond the needs are returned, and logged as one warning.
    ///
    /// # Errors
    /// Returns an error if the token lacks rights; the message names all of them.
    pub fn check(&self, granted: &Scopes) -> Result<Excess, Error> {
        let lacking = self.0.iter().filter(|need| !granted.cover(need)).cloned().collect();
        let lacking = Excess(lacking);
        if !lacking.is_empty() {
            return Err(Error::credential(format!(
                "the token lacks what this program needs: {lacking}; make one that has it"
            )));
        }
        let needs_all = self.0.iter().any(|need| need.scope == ADMIN);
        let beyond = |right: &Right| !needs_all && !self.0.iter().any(|need| right.serves(need));
        let excess = Excess(granted.rights().into_iter().filter(beyond).collect());
        if !excess.is_empty() {
            tracing::warn!(target: "keyfit::auth", %excess, "the token may do more than this program needs");
        }
        Ok(excess)
    }
}

impl Excess {
    /// Returns whether the token has the needed rights and no others.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the rights that are not needed.
    pub fn rights(&self) -> impl Iterator<Item = &Right> {
        self.0.iter()
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Text from a server must not break a line of a log.
        write!(f, "{}", self.scope.escape_debug())?;
        self.resource.as_ref().map_or(Ok(()), |resource| write!(f, " on {}", resource.escape_debug()))
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, right)| {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{right}")
        })
    }
}

#[cfg(test)]
#[path = "grants_tests.rs"]
mod tests;
