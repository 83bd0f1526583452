//! The keys: who may read what is held, and what numbers are hashed under.
//!
//! | File | What | Who has it |
//! |---|---|---|
//! | `store.pub` | age X25519 recipient; every mail's own key is sealed to it | all |
//! | `store.key` | its identity, mode 0600 | courier and reviewers |
//! | `hash.key` | 32 random bytes as 64 hexadecimal digits, not readable by all | all |
//!
//! `store.pub` and `store.key` are what Debian's `age-keygen` writes, too. From `hash.key` one key for each purpose is
//! derived, so that a hash of one kind says nothing about another. A file of that name in systemd's `$CREDENTIALS_DIRECTORY`
//! (systemd.exec(5), `LoadCredential=`) goes before the one in the folder. Without `hash.key` the hashes of protected persons are
//! worthless and no protected person is recognised: it belongs in the backup, apart from the store.

use super::StoreError;
use super::hex;
use age::secrecy::ExposeSecret;
use age::x25519::{Identity, Recipient};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use zeroize::Zeroizing;

const PUBLIC: &str = "store.pub";
const PRIVATE: &str = "store.key";
const HASH: &str = "hash.key";

/// Which keys a process takes from the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// `store.pub` and `hash.key`: can seal and compare, cannot read what is held. The milter.
    Seal,
    /// Also `store.key`: can open. Courier and reviewers.
    Open,
}

/// Keys that this process has.
pub struct Keys {
    recipient: Recipient,
    identity: Option<Identity>,
    hash: Zeroizing<[u8; 32]>,
}

/// What a keyed hash is for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// A number, for protected persons and for "where has it gone?".
    Person,
    /// A mail, for recognising a retry.
    Hold,
    /// One recipient of a mail.
    Recipient,
    /// A redacted copy.
    Copy,
    /// A sender, for the limit on notices.
    Sender,
    /// A mail address, for whose number is whose.
    Owner,
    /// What held mail is found by: sender, unit, recipient, domain, attachment.
    Mark,
    /// A name that somebody could not sign in with.
    SignIn,
    /// The end of the audit chain.
    Head,
    /// Nothing: tells a wrong `hash.key` from the right one.
    Check,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Purpose::Person => b"cpr-milter 1 person",
            Purpose::Hold => b"cpr-milter 1 hold",
            Purpose::Recipient => b"cpr-milter 1 recipient",
            Purpose::Copy => b"cpr-milter 1 copy",
            Purpose::Sender => b"cpr-milter 1 sender",
            Purpose::Owner => b"cpr-milter 1 owner",
            Purpose::Mark => b"cpr-milter 1 mark",
            Purpose::SignIn => b"cpr-milter 1 sign in",
            Purpose::Head => b"cpr-milter 1 audit head",
            Purpose::Check => b"cpr-milter 1 check",
        }
    }
}

impl Keys {
    /// Makes the folder, if it is not there, and its keys: `store.pub`, `store.key`, `hash.key`. A complete set that is there
    /// stays as it is.
    ///
    /// # Errors
    /// Which file could not be made, and what to do. A folder with only some of the keys is refused: a new public key
    /// beside held mail under a lost one would hide the loss.
    pub fn create(dir: &Path) -> Result<(), StoreError> {
        let files = [PUBLIC, PRIVATE, HASH];
        let there = files.iter().filter(|name| dir.join(name).exists()).count();
        if there == files.len() {
            return Keys::load(dir, Access::Open).map(|_| ());
        }
        if there > 0 {
            return Err(fault(
                dir,
                "has only some of the keys",
                "put the missing ones back from the backup, or point `keys:` at an empty folder",
            ));
        }
        make_folder(dir)?;
        let identity = Identity::generate();
        let mut hash = Zeroizing::new([0_u8; 32]);
        random(&mut hash[..])?;
        let hash_line = Zeroizing::new(format!("{}\n", hex(&hash[..])));
        let identity_line = Zeroizing::new(format!("{}\n", identity.to_string().expose_secret()));
        write_new(&dir.join(HASH), 0o640, hash_line.as_bytes())?;
        write_new(&dir.join(PRIVATE), 0o600, identity_line.as_bytes())?;
        // Last: who sees the public key can rely on the others being there.
        write_new(
            &dir.join(PUBLIC),
            0o644,
            format!("{}\n", identity.to_public()).as_bytes(),
        )?;
        sync_folder(dir)
    }

    /// Reads the keys that `access` needs.
    ///
    /// # Errors
    /// Missing, readable by others, or garbled: in one sentence, with the remedy.
    pub fn load(dir: &Path, access: Access) -> Result<Keys, StoreError> {
        let (path, forbidden) = place(dir, PUBLIC, 0o022);
        let recipient = Recipient::from_str(key_line(&read_key(&path, forbidden)?)).map_err(|_| {
            let remedy = "put it back from the backup, or print it again with `age-keygen -y store.key`";
            fault(&path, "holds no age recipient (`age1…`)", remedy)
        })?;
        let (path, forbidden) = place(dir, HASH, 0o027);
        let hash = unhex(key_line(&read_key(&path, forbidden)?)).ok_or_else(|| {
            let remedy = "put it back from the backup; a new one would recognise no protected person";
            fault(&path, "does not hold 64 hexadecimal digits", remedy)
        })?;
        let identity = match access {
            Access::Seal => None,
            Access::Open => Some(load_identity(dir, &recipient)?),
        };
        Ok(Keys {
            recipient,
            identity,
            hash,
        })
    }

    /// The public key of the store.
    pub(super) fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// The private key of the store.
    pub(super) fn identity(&self) -> Result<&Identity, StoreError> {
        self.identity.as_ref().ok_or(StoreError::Sealed)
    }

    /// Keyed hash of the parts, each with its length in front of it.
    pub(super) fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let key = Zeroizing::new(hmac(&self.hash[..], |mac| mac.update(purpose.label())));
        hmac(&key[..], |mac| {
            for part in parts {
                mac.update(&(part.len() as u64).to_be_bytes());
                mac.update(part);
            }
        })
    }
}

fn hmac(key: &[u8], fill: impl FnOnce(&mut Hmac<Sha256>)) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    fill(&mut mac);
    mac.finalize().into_bytes().into()
}

/// Random bytes from the kernel.
pub(super) fn random(bytes: &mut [u8]) -> Result<(), StoreError> {
    getrandom::fill(bytes).map_err(|error| {
        StoreError::Unusable(format!(
            "the system gives no random numbers: {error}; nothing was stored"
        ))
    })
}

/// The key file, and the mode bits that it must not have. systemd opens a credential to the service's user alone, by an
/// access list whose mask shows as a mode for the group.
fn place(dir: &Path, name: &str, forbidden: u32) -> (PathBuf, u32) {
    let credential = std::env::var_os("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(name));
    match credential.filter(|path| path.exists()) {
        Some(path) => (path, 0o007),
        None => (dir.join(name), forbidden),
    }
}

fn load_identity(dir: &Path, recipient: &Recipient) -> Result<Identity, StoreError> {
    let (path, forbidden) = place(dir, PRIVATE, 0o077);
    let path = &path;
    let identity = Identity::from_str(key_line(&read_key(path, forbidden)?)).map_err(|_| {
        let remedy = "put it back from the backup; without it held mail cannot be read";
        fault(path, "holds no age identity (`AGE-SECRET-KEY-1…`)", remedy)
    })?;
    if identity.to_public().to_string() != recipient.to_string() {
        let remedy = "put the pair that belongs together into the folder";
        return Err(fault(path, "does not belong to store.pub", remedy));
    }
    Ok(identity)
}

/// Reads a key file whose mode must have none of the `forbidden` bits, owned by root or by us: another owner could swap it.
fn read_key(path: &Path, forbidden: u32) -> Result<Zeroizing<String>, StoreError> {
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => fault(
            path,
            "is missing",
            "make the keys once with `cpr-milter keys init`, or put them back from the backup",
        ),
        ErrorKind::PermissionDenied => fault(
            path,
            "may not be read by this user",
            "run as the user who may (see the unit file), or correct owner and group",
        ),
        _ => fault(path, "cannot be read", "look at the file and the disk under it"),
    };
    let meta = std::fs::metadata(path).map_err(unreadable)?;
    if meta.mode() & forbidden != 0 {
        let remedy = format!(
            "`chmod {:04o}` it, and think about who may have copied it",
            meta.mode() & 0o777 & !forbidden
        );
        return Err(fault(path, "may be read or changed by others", &remedy));
    }
    let us = rustix::process::geteuid().as_raw();
    if meta.uid() != us && meta.uid() != 0 {
        return Err(fault(
            path,
            "belongs to another user",
            "`chown` it to root or to the user that runs cpr-milter",
        ));
    }
    if meta.len() > 4096 {
        return Err(fault(path, "is too large for a key", "put it back from the backup"));
    }
    let bytes = Zeroizing::new(std::fs::read(path).map_err(unreadable)?);
    // Not UTF-8 is garbled, which the caller says in its own words.
    Ok(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()))
}

/// The first line that is no comment: `age-keygen` writes comments in front.
fn key_line(text: &str) -> &str {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .unwrap_or("")
}

fn unhex(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut out = Zeroizing::new([0_u8; 32]);
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(*pair.first()?).to_digit(16)?;
        let low = char::from(*pair.get(1)?).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(out)
}

fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), StoreError> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
    written.map_err(|error| {
        let remedy = "make the folder writable for this user (root, usually), remove what is half there, run it again";
        fault(path, &format!("could not be written ({})", error.kind()), remedy)
    })
}

/// The folder itself only: its path is made up by whoever lays out the system, and a typing mistake in it is no new folder.
fn make_folder(dir: &Path) -> Result<(), StoreError> {
    match std::fs::create_dir(dir) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => {
            let remedy = "make the folder that it is to stand in, as a user who may, and run it again";
            Err(fault(dir, &format!("could not be made ({})", error.kind()), remedy))
        }
    }
}

fn sync_folder(dir: &Path) -> Result<(), StoreError> {
    let synced = std::fs::File::open(dir).and_then(|folder| folder.sync_all());
    synced.map_err(|_| {
        fault(
            dir,
            "could not be synced to the disk",
            "look at the disk, then run it again",
        )
    })
}

fn fault(path: &Path, what: &str, remedy: &str) -> StoreError {
    StoreError::Key {
        path: path.to_owned(),
        what: what.to_owned(),
        remedy: remedy.to_owned(),
    }
}
