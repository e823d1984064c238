//! The issued grants: codes, refresh tokens, and the access tokens that they led to.

use std::collections::{BTreeSet, HashMap};

use super::registered_client::RegisteredClient;

/// All grants since the mock was started.
#[derive(Clone, Debug, Default)]
pub(super) struct Grants {
    codes: HashMap<String, AuthorizationCode>,
    refresh: HashMap<String, RefreshToken>,
    devices: HashMap<String, DeviceAuthorization>,
    /// The access tokens of each token family. A family belongs to one consent of a user.
    families: Vec<Vec<String>>,
    issued: u64,
    /// The signatures of JWTs that were valid.
    signatures: BTreeSet<Vec<u8>>,
}

/// An authorization code.
#[derive(Clone, Debug)]
pub(super) struct AuthorizationCode {
    pub(super) client: &'static str,
    pub(super) redirect_uri: String,
    /// The challenge, and whether its method is S256; `None` if it was not required.
    pub(super) challenge: Option<(String, bool)>,
    pub(super) scopes: BTreeSet<String>,
    pub(super) family: usize,
    pub(super) is_used: bool,
}

/// A pending device authorization.
#[derive(Clone, Debug)]
pub(super) struct DeviceAuthorization {
    pub(super) client: &'static str,
    pub(super) scopes: BTreeSet<String>,
    /// The number of polls for tokens.
    pub(super) asked: usize,
}

/// A refresh token.
#[derive(Clone, Debug)]
pub(super) struct RefreshToken {
    pub(super) client: &'static str,
    pub(super) scopes: BTreeSet<String>,
    pub(super) family: usize,
    pub(super) state: RefreshState,
}

/// The state of a refresh token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RefreshState {
    /// Valid.
    Live,
    /// Replaced by another one.
    Rotated,
    /// Its family was revoked.
    Revoked,
}

impl Grants {
    /// Returns a number that no other secret of this server has.
    pub(super) fn number(&mut self) -> u64 {
        self.issued += 1;
        self.issued
    }

    /// Creates a new family.
    pub(super) fn new_family(&mut self) -> usize {
        self.families.push(Vec::new());
        self.families.len() - 1
    }

    pub(super) fn add_signature(&mut self, signature: &[u8]) {
        self.signatures.insert(signature.to_vec());
    }

    pub(super) fn has_seen(&self, signature: &[u8]) -> bool {
        self.signatures.contains(signature)
    }

    pub(super) fn put_code(&mut self, text: String, code: AuthorizationCode) {
        self.codes.insert(text, code);
    }

    pub(super) fn code(&self, text: &str) -> Option<AuthorizationCode> {
        self.codes.get(text).cloned()
    }

    /// Marks a code as used; returns whether it was unused.
    pub(super) fn mark_used(&mut self, text: &str) -> bool {
        self.codes.get_mut(text).is_some_and(|code| !std::mem::replace(&mut code.is_used, true))
    }

    pub(super) fn put_device(&mut self, text: String, client: &RegisteredClient, scopes: BTreeSet<String>) {
        self.devices.insert(text, DeviceAuthorization { client: client.id, scopes, asked: 0 });
    }

    /// Counts a poll with a device code, and returns its device.
    pub(super) fn poll_device(&mut self, text: &str) -> Option<DeviceAuthorization> {
        let device = self.devices.get_mut(text)?;
        device.asked += 1;
        Some(device.clone())
    }

    pub(super) fn put_refresh(
        &mut self,
        text: String,
        client: &RegisteredClient,
        scopes: BTreeSet<String>,
        family: usize,
    ) {
        self.refresh.insert(text, RefreshToken { client: client.id, scopes, family, state: RefreshState::Live });
    }

    pub(super) fn refresh(&self, text: &str) -> Option<RefreshToken> {
        self.refresh.get(text).cloned()
    }

    pub(super) fn rotate(&mut self, text: &str) {
        if let Some(refresh) = self.refresh.get_mut(text) {
            refresh.state = RefreshState::Rotated;
        }
    }

    /// Records the family of an access token.
    pub(super) fn put_access(&mut self, family: usize, access: String) {
        if let Some(family) = self.families.get_mut(family) {
            family.push(access);
        }
    }

    /// Revokes all refresh tokens of a family. Returns its access tokens.
    pub(super) fn revoke(&mut self, family: usize) -> Vec<String> {
        for refresh in self.refresh.values_mut().filter(|refresh| refresh.family == family) {
            refresh.state = RefreshState::Revoked;
        }
        self.families.get_mut(family).map(std::mem::take).unwrap_or_default()
    }
}
