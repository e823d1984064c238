//! The tokens of one client under test: the content of its wallet, and its rotation.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::subject::{Part, Wallet};
use crate::contract::{Carrier, Contract, Credential};
use crate::credential::carrier;
use crate::credential::secret::{Redactor, Secret};

/// A wallet, with a generator for its tokens.
pub(super) struct Tokens {
    pub(super) wallet: Wallet,
    /// The form of the first credential.
    mould: Mould,
    minted: AtomicUsize,
    redactor: Redactor,
}

/// The form of the tokens of one kind for one client.
struct Mould {
    prefix: String,
    carrier: Carrier,
    lane: usize,
    /// The index of the kind in the contract: two kinds never share a token.
    kind: usize,
}

impl Tokens {
    /// Creates a wallet with a credential of each of these kinds: the first ones with which clients of the API are connected, or an
    /// alternative of an operation.
    pub(super) fn new(contract: &Contract, kinds: &[&Credential], lane: usize, redactor: &Redactor) -> Self {
        let mould = |kind: Option<&Credential>| Mould {
            prefix: kind.map_or_else(String::new, |kind| kind.prefix.clone()),
            carrier: kind.map_or(Carrier::Header, |kind| kind.carrier().clone()),
            lane,
            kind: kind.and_then(|kind| contract.credentials.iter().position(|one| one.kind == kind.kind)).unwrap_or(0),
        };
        let part = |kind: &&Credential| Part {
            kind: kind.kind.clone(),
            carrier: kind.carrier().clone(),
            secret: mould(Some(kind)).token(0),
        };
        let parts: Vec<Part> = kinds.iter().map(part).collect();
        let first = mould(kinds.first().copied());
        let usual: Vec<&str> = contract.client_credential().map(|kind| kind.kind.as_str()).into_iter().collect();
        let is_usual = kinds.iter().map(|kind| kind.kind.as_str()).eq(usual);
        let wallet = Wallet::new(first.token(0), parts, is_usual);
        let tokens = Self { wallet, mould: first, minted: AtomicUsize::new(0), redactor: redactor.clone() };
        tokens.wallet.parts().iter().for_each(|part| tokens.learn(&part.carrier, &part.secret));
        tokens
    }

    /// Returns the token in the wallet.
    pub(super) fn current(&self) -> Secret {
        self.wallet.current()
    }

    /// Puts a new token into the wallet, without a notification to the client.
    pub(super) fn rotate(&self) -> Secret {
        let number = self.minted.fetch_add(1, Ordering::Relaxed) + 1;
        let next = self.mould.token(number);
        self.learn(&self.mould.carrier, &next);
        self.wallet.replace(next.clone());
        next
    }

    fn learn(&self, carrier: &Carrier, token: &Secret) {
        for secret in carrier::secrets(carrier, token.reveal()) {
            self.redactor.learn(&Secret::new(secret));
        }
    }
}

impl Mould {
    fn token(&self, number: usize) -> Secret {
        let Self { prefix, carrier, lane, kind } = self;
        let user = if *carrier == Carrier::Basic { "canary:" } else { "" };
        Secret::new(format!("{user}{prefix}canary{lane}canary{number:04}canary{kind}canary0"))
    }
}
