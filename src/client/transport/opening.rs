//! What a call is opened with: of the alternatives that its operation names, one that the client holds whole; nothing where it may
//! be called without; and no request at all where it takes others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::auth::{Held, KindCredential, TokenCheck};
use crate::error::{Api, Error, Operation};

/// The credentials of a client, in the order in which they were given.
pub(super) struct Keys {
    keys: Vec<Key>,
    /// The schemes that a client certificate satisfies, and whether the client has one.
    certificate: (&'static [&'static str], bool),
}

/// A credential of a client.
pub(super) struct Key {
    pub(super) credential: KindCredential,
    /// Whether no operation names its kind: it is one of another API that opens this one, and stands for any single scheme.
    is_foreign: bool,
    /// The token that was last checked, by its place in the row; none at first.
    checked: AtomicU64,
}

impl Keys {
    /// # Errors
    /// Returns an error if two credentials are of one kind: which one is meant is not known.
    pub(super) fn new(api: &Api, credentials: &[KindCredential], has_certificate: bool) -> Result<Self, Error> {
        for (index, credential) in credentials.iter().enumerate() {
            if credentials[..index].iter().any(|earlier| earlier.name() == credential.name()) {
                let text = format!("two credentials are of the kind `{}`: give one of them", credential.name());
                return Err(Error::configuration(text));
            }
        }
        let is_named = |kind: &str| {
            let mut names =
                api.operations.iter().filter_map(|operation| operation.security).flatten().copied().flatten();
            names.any(|name| *name == kind)
        };
        let key = |credential: &KindCredential| Key {
            credential: credential.clone(),
            is_foreign: !is_named(credential.name()),
            checked: AtomicU64::new(u64::MAX),
        };
        let keys = credentials.iter().map(key).collect();
        Ok(Self { keys, certificate: (api.client_certificates, has_certificate) })
    }

    /// What a call of the operation carries. Of the alternatives that the client holds whole it is the one with the most schemes,
    /// and among equals the document's first; where nothing is said, the credential that was given first.
    ///
    /// # Errors
    /// Returns an error if the client holds no alternative, with their names.
    pub(super) fn choose(&self, operation: &Operation) -> Result<impl Iterator<Item = &Key>, Error> {
        let chosen = |first: Option<_>, names: &'static [&'static str]| first.into_iter().chain(self.keys_of(names));
        let Some(alternatives) = operation.security else { return Ok(chosen(self.keys.first(), &[])) };
        let mut best: Option<&&[&str]> = None;
        // From the last one, so that the first of the largest ones is left; smaller ones need no look.
        for names in alternatives.iter().rev() {
            if best.is_none_or(|best| names.len() >= best.len()) && self.holds(names) {
                best = Some(names);
            }
        }
        match best {
            Some(names) => Ok(chosen(None, names)),
            None if alternatives.is_empty() => Ok(chosen(None, &[])),
            None => Err(self.unopened(alternatives)),
        }
    }

    /// Whether the client has each scheme of an alternative, and a request can carry them at once.
    fn holds(&self, names: &[&str]) -> bool {
        let is_held = |name: &&str| self.key(name, names.len()).is_some() || self.has_certificate_for(name);
        names.iter().all(is_held) && !self.collides(names)
    }

    /// Whether two schemes of an alternative are carried in one place.
    fn collides(&self, names: &[&str]) -> bool {
        let carriers = || self.keys_of(names).map(|key| key.credential.carrier()).enumerate();
        names.len() > 1
            && carriers().any(|(index, one)| carriers().any(|(other, two)| index < other && one.collides_with(two)))
    }

    fn keys_of(&self, names: &[&str]) -> impl Iterator<Item = &Key> {
        names.iter().filter_map(move |name| self.key(name, names.len()))
    }

    /// The credential for a scheme of an alternative of so many.
    fn key(&self, name: &str, schemes: usize) -> Option<&Key> {
        let own = self.keys.iter().find(|key| key.credential.name() == name);
        let is_certificate = || self.certificate.0.contains(&name);
        own.or_else(|| self.keys.iter().find(|key| key.is_foreign && schemes == 1 && !is_certificate()))
    }

    fn has_certificate_for(&self, name: &str) -> bool {
        let (schemes, has_certificate) = self.certificate;
        has_certificate && schemes.contains(&name)
    }

    fn unopened(&self, alternatives: &[&[&str]]) -> Error {
        let is_certificate = |name: &str| self.certificate.0.contains(&name);
        let scheme = |name: &&str| {
            let what = if is_certificate(name) { ", a client certificate (`Config::client_certificate`)" } else { "" };
            format!("`{name}`{what}")
        };
        let alternative = |names: &&[&str]| {
            let together = names.iter().map(scheme).collect::<Vec<_>>().join(" with ");
            let why = if self.collides(names) {
                " (both have one place in a request, so that it cannot be sent)"
            } else {
                ""
            };
            format!("{together}{why}")
        };
        let needed: Vec<String> = alternatives.iter().map(alternative).collect();
        let mut held: Vec<String> = self.keys.iter().map(|key| format!("`{}`", key.credential.name())).collect();
        held.extend(self.certificate.1.then(|| "a client certificate".to_owned()));
        let held = if held.is_empty() { "no credential".to_owned() } else { held.join(" and ") };
        Error::credential(format!("it takes {}, and this client holds {held}", needed.join(", or ")))
    }
}

impl Key {
    /// The token, if it may be sent. Each new one is looked at once.
    pub(super) fn checked(&self, held: Held, check: Option<&Arc<dyn TokenCheck>>) -> Result<Held, Error> {
        if let Some(check) = check
            && self.checked.load(Ordering::Relaxed) != held.generation()
        {
            check.check_token(held.token())?;
            self.checked.store(held.generation(), Ordering::Relaxed);
        }
        Ok(held)
    }
}
