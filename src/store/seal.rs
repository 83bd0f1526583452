//! Sealing: each mail has two age key pairs of its own, one for its content (original, copies) and one for its record
//! (envelope, facts, places, reasons), since the content goes after two weeks and the record after the findings' time.
//!
//! Their private halves are sealed to `store.pub` and kept in the table `message_key`; deleting a row, with
//! `secure_delete` on, makes all that was sealed under it noise. All of it is plain age, so that Debian's `age` opens
//! a mail without us: `age -d -i store.key IDENTITY > mail.key; age -d -i mail.key ORIGINAL`, where IDENTITY is
//! `SELECT writefile('IDENTITY', identity) FROM message_key WHERE part = 'content' …` and ORIGINAL likewise from `sealed`.

use super::keys::Keys;
use super::{IncidentId, StoreError};
use age::secrecy::ExposeSecret;
use age::x25519::{Identity, Recipient};
use std::str::FromStr;
use zeroize::Zeroizing;

/// A new key pair of one mail, its private half sealed already.
pub(super) struct Fresh {
    /// Seals.
    pub public: Recipient,
    /// The private half, sealed to the store's key.
    pub identity: Vec<u8>,
}

/// Makes a key pair for one part of one mail.
pub(super) fn fresh(keys: &Keys) -> Result<Fresh, StoreError> {
    let identity = Identity::generate();
    let sealed = seal(keys.recipient(), identity.to_string().expose_secret().as_bytes())?;
    Ok(Fresh {
        public: identity.to_public(),
        identity: sealed,
    })
}

/// Seals bytes.
pub(super) fn seal(to: &Recipient, clear: &[u8]) -> Result<Vec<u8>, StoreError> {
    age::encrypt(to, clear)
        .map_err(|error| StoreError::Unusable(format!("the mail could not be encrypted: {error}; nothing was stored")))
}

/// Reads a stored public key.
pub(super) fn public(text: &str) -> Result<Recipient, StoreError> {
    Recipient::from_str(text).map_err(|_| garbled())
}

/// Opens the private half of a mail's key. `None` was shredded.
pub(super) fn identity(keys: &Keys, id: &IncidentId, sealed: Option<Vec<u8>>) -> Result<Identity, StoreError> {
    let own = keys.identity()?;
    let sealed = sealed.ok_or_else(|| StoreError::Shredded(id.clone()))?;
    let clear = Zeroizing::new(age::decrypt(own, &sealed).map_err(|_| wrong_key(id))?);
    let text = std::str::from_utf8(&clear).map_err(|_| garbled())?;
    Identity::from_str(text).map_err(|_| garbled())
}

/// Opens sealed bytes.
pub(super) fn open(with: &Identity, id: &IncidentId, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
    age::decrypt(with, sealed).map_err(|_| {
        StoreError::Unusable(format!(
            "what is stored of {id} is damaged and cannot be opened; restore it from a backup"
        ))
    })
}

fn wrong_key(id: &IncidentId) -> StoreError {
    StoreError::Unusable(format!(
        "store.key does not open {id}: it was held under another key; put that store.key back from the backup"
    ))
}

fn garbled() -> StoreError {
    StoreError::Unusable("a mail key in the store is damaged; restore the store from a backup".to_owned())
}
