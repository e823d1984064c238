//! Tokens at rest: encrypted, and bound to the session that they are of.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::auth::SecretSource;
use crate::error::Error;

/// The length of a key, and of what names one, in bytes.
const KEY: usize = 32;
const ID: usize = 4;
const NONCE: usize = 12;
/// The first byte of what is written.
const FORMAT: u8 = 1;

/// Keys that tokens are encrypted with (AES-256-GCM): the newest encrypts, older ones still decrypt.
///
/// A key is 32 random bytes in base64: `openssl rand -base64 32`. To replace one, add the new key in front, wait until every process
/// has both, and take the old one away once each session was refreshed.
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

    /// An older key, which decrypts what it has encrypted.
    ///
    /// # Errors
    /// Returns an error if [`from_source`](Self::from_source) would.
    pub async fn with_older(mut self, source: impl SecretSource) -> Result<Self, Error> {
        self.0.push(Key::of(&source.read().await?)?);
        Ok(self)
    }

    /// A text for the session of this name.
    pub(super) fn seal(&self, session: &str, text: &[u8]) -> Result<Vec<u8>, Error> {
        let failed = |_| Error::credential("the tokens of a session cannot be encrypted".to_owned());
        let [newest, ..] = &self.0[..] else { return Err(Error::credential("there is no key".to_owned())) };
        let mut text = text.to_vec();
        let nonce = newest.cipher.seal_in_place_append_tag(Aad::from(session), &mut text).map_err(failed)?;
        let mut sealed = vec![FORMAT];
        sealed.extend(newest.id);
        sealed.extend(nonce.as_ref());
        sealed.append(&mut text);
        Ok(sealed)
    }

    /// The text of a session of this name.
    pub(super) fn open(&self, session: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let refuse = |why: &str| Error::credential(format!("the stored tokens of the session `{session}` {why}"));
        let (head, text) = sealed.split_at_checked(1 + ID + NONCE).ok_or_else(|| refuse("are cut off"))?;
        if head[0] != FORMAT {
            return Err(refuse("were written by a newer version of keyfit"));
        }
        let id = &head[1..=ID];
        let key = self.0.iter().find(|key| key.id == id).ok_or_else(|| {
            let id = u32::from_be_bytes([id[0], id[1], id[2], id[3]]);
            refuse(&format!("are encrypted with a key that is not here, whose id is {id:08x}: add it as an older one"))
        })?;
        let nonce: [u8; NONCE] = head[1 + ID..].try_into().map_err(|_| refuse("are cut off"))?;
        let mut text = Zeroizing::new(text.to_vec());
        let changed = |_| refuse("were changed, or are those of another session");
        let length =
            key.cipher.open_in_place(Nonce::from(&nonce), Aad::from(session), &mut text).map_err(changed)?.len();
        text.truncate(length);
        Ok(text)
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
