//! The tokens of one client under test: what is in its wallet, and how it changes.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::subject::Wallet;
use crate::secret::{Redactor, Secret};

/// A wallet, and a mint for what goes into it.
pub(super) struct Tokens {
    pub(super) wallet: Wallet,
    prefix: String,
    lane: usize,
    minted: AtomicUsize,
    redactor: Redactor,
}

impl Tokens {
    /// A wallet with a first token. Prefix: how tokens of the API begin.
    pub(super) fn new(prefix: &str, lane: usize, redactor: &Redactor) -> Self {
        let first = token(prefix, lane, 0);
        redactor.learn(&first);
        Self {
            wallet: Wallet::new(first),
            prefix: prefix.to_owned(),
            lane,
            minted: AtomicUsize::new(0),
            redactor: redactor.clone(),
        }
    }

    /// The token in the wallet.
    pub(super) fn current(&self) -> Secret {
        self.wallet.current()
    }

    /// Puts a new token into the wallet. The client is not told.
    pub(super) fn rotate(&self) -> Secret {
        let number = self.minted.fetch_add(1, Ordering::Relaxed) + 1;
        let next = token(&self.prefix, self.lane, number);
        self.redactor.learn(&next);
        self.wallet.replace(next.clone());
        next
    }
}

fn token(prefix: &str, lane: usize, number: usize) -> Secret {
    Secret::new(format!("{prefix}canary{lane}canary{number:04}canary0canary0"))
}
