//! The tokens of one client under test: what is in its wallet, and how it changes.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::subject::Wallet;
use crate::carrier;
use crate::contract::{Carrier, Credential};
use crate::secret::{Redactor, Secret};

/// A wallet, and a mint for what goes into it.
pub(super) struct Tokens {
    pub(super) wallet: Wallet,
    prefix: String,
    carrier: Carrier,
    lane: usize,
    minted: AtomicUsize,
    redactor: Redactor,
}

impl Tokens {
    /// A wallet with a first token, of the kind that clients of the API send.
    pub(super) fn new(kind: Option<&Credential>, lane: usize, redactor: &Redactor) -> Self {
        let prefix = kind.map_or_else(String::new, |kind| kind.prefix.clone());
        let carrier = kind.map_or(Carrier::Header, |kind| kind.carrier().clone());
        let first = token(&prefix, &carrier, lane, 0);
        let tokens = Self {
            wallet: Wallet::new(first.clone()),
            prefix,
            carrier,
            lane,
            minted: AtomicUsize::new(0),
            redactor: redactor.clone(),
        };
        tokens.learn(&first);
        tokens
    }

    /// The token in the wallet.
    pub(super) fn current(&self) -> Secret {
        self.wallet.current()
    }

    /// Puts a new token into the wallet. The client is not told.
    pub(super) fn rotate(&self) -> Secret {
        let number = self.minted.fetch_add(1, Ordering::Relaxed) + 1;
        let next = token(&self.prefix, &self.carrier, self.lane, number);
        self.learn(&next);
        self.wallet.replace(next.clone());
        next
    }

    fn learn(&self, token: &Secret) {
        for secret in carrier::secrets(&self.carrier, token.reveal()) {
            self.redactor.learn(&Secret::new(secret));
        }
    }
}

fn token(prefix: &str, carrier: &Carrier, lane: usize, number: usize) -> Secret {
    let user = if *carrier == Carrier::Basic { "canary:" } else { "" };
    Secret::new(format!("{user}{prefix}canary{lane}canary{number:04}canary0canary0"))
}
