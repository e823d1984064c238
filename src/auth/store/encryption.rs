//! Records at rest: encrypted, and bound to their names.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::engine::Key as Name;
use crate::auth::SecretSource;
use crate::error::Error;

/// The length of a key, and of what names one, in bytes.
const KEY: usize = 32;
const ID: usize = 4;
const NONCE: usize = 12;
/// The first byte of what is written.
const FORMAT: u8 = 1;
/// The length of what stands before the encrypted text: the format, the id of the key, the nonce, which no two texts share.
pub(super) const HEAD: usize = 1 + ID + NONCE;

/// Keys that records are encrypted with (AES-256-GCM): the first encrypts, the others decrypt.
///
/// A key is 32 random bytes in base64: `openssl rand -base64 32`. To replace one without an outage, give the new key to every process
/// [beside](Self::with_older) the old one, then put it first everywhere, and take the old one away once each record was written anew.
pub struct EncryptionKeys(Vec<Key>);

struct Key {
    id: [u8; ID],
    cipher: RandomizedNonceKey,
}

impl EncryptionKeys {
    /// A key from a source of secrets.
    ///
    /// # Errors
    /// Returns an error if the source fails, or gives what is not 32 bytes in base64.
    pub async fn from_source(source: impl SecretSource) -> Result<Self, Error> {
        Ok(Self(vec![Key::of(&source.read().await?)?]))
    }

    /// Another key, which decrypts what it has encrypted: an older one, or the next one.
    ///
    /// # Errors
    /// Returns an error if [`from_source`](Self::from_source) would.
    pub async fn with_older(mut self, source: impl SecretSource) -> Result<Self, Error> {
        self.0.push(Key::of(&source.read().await?)?);
        Ok(self)
    }

    /// Encrypts the content of a record.
    pub(super) fn seal(&self, record: &Name, text: &[u8]) -> Result<Vec<u8>, Error> {
        let [first, ..] = &self.0[..] else { return Err(Error::credential("there is no encryption key")) };
        let mut text = text.to_vec();
        let nonce = first
            .cipher
            .seal_in_place_append_tag(Aad::from(record.binding()), &mut text)
            .map_err(|_| Error::credential(format!("{record} cannot be encrypted")))?;
        let mut sealed = vec![FORMAT];
        sealed.extend(first.id);
        sealed.extend(nonce.as_ref());
        sealed.append(&mut text);
        Ok(sealed)
    }

    /// Decrypts the content of a record.
    pub(super) fn open(&self, record: &Name, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let refuse = |why: &str| Error::credential(format!("{record} {why}"));
        let (head, text) = sealed.split_at_checked(HEAD).ok_or_else(|| refuse("is cut off"))?;
        if head[0] != FORMAT {
            return Err(refuse("was written by a newer version of keyfit"));
        }
        let id = &head[1..=ID];
        let key = self.0.iter().find(|key| key.id == id).ok_or_else(|| {
            let id = u32::from_be_bytes([id[0], id[1], id[2], id[3]]);
            refuse(&format!("is encrypted with a key that is not here, whose id is {id:08x}: add it as an older one"))
        })?;
        let nonce: [u8; NONCE] = head[1 + ID..].try_into().map_err(|_| refuse("is cut off"))?;
        let mut text = Zeroizing::new(text.to_vec());
        let changed = |_| refuse("was changed, or holds the content of another record");
        let length = key
            .cipher
            .open_in_place(Nonce::from(&nonce), Aad::from(record.binding()), &mut text)
            .map_err(changed)?
            .len();
        text.truncate(length);
        Ok(text)
    }

    /// Returns whether the first key has encrypted this.
    pub(super) fn is_current(&self, sealed: &[u8]) -> bool {
        self.0.first().is_some_and(|key| sealed.get(1..=ID) == Some(&key.id))
    }
}

impl Key {
    fn of(secret: &SecretString) -> Result<Self, Error> {
        let refuse =
            || Error::configuration("an encryption key is 32 bytes in base64: `openssl rand -base64 32`".to_owned());
        let bytes = STANDARD.decode(secret.expose_secret().trim()).map(Zeroizing::new).map_err(|_| refuse())?;
        if bytes.len() != KEY {
            return Err(refuse());
        }
        let digest = Sha256::new_with_prefix(b"keyfit encryption key ").chain_update(&*bytes).finalize();
        let mut id = [0; ID];
        id.copy_from_slice(&digest[..ID]);
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| refuse())?;
        Ok(Self { id, cipher })
    }
}

impl fmt::Debug for EncryptionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptionKeys").field("keys", &self.0.len()).finish_non_exhaustive()
    }
}
