//! Passwords: Argon2id with OWASP's first setting (19 MiB, two passes), kept as PHC strings.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

/// Fewer characters are guessed.
pub const SHORTEST: usize = 12;
/// More is no password, and hashing it would keep us busy.
const LONGEST: usize = 256;

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// See [`SHORTEST`].
    #[error(
        "a password has at least 12 characters and at most 256; four words that do not belong together are a good one"
    )]
    Length,
    /// Hashing failed.
    #[error("the password could not be hashed: the system gives no random numbers")]
    Failed,
}

fn argon() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

/// Hashes a new password.
///
/// # Errors
/// It is too short or too long.
pub fn hash(password: &str) -> Result<String, Unfit> {
    if !(SHORTEST..=LONGEST).contains(&password.chars().count()) {
        return Err(Unfit::Length);
    }
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|_| Unfit::Failed)?;
    let salt = SaltString::encode_b64(&bytes).map_err(|_| Unfit::Failed)?;
    let hashed = argon().hash_password(password.as_bytes(), &salt);
    Ok(hashed.map_err(|_| Unfit::Failed)?.to_string())
}

/// Whether it is the password of this hash. Without a hash (no such account) as much is computed, so that the time does
/// not tell the two apart.
pub fn verify(password: &str, hash: Option<&str>) -> bool {
    if password.chars().count() > LONGEST {
        return false;
    }
    let parsed = hash.and_then(|hash| PasswordHash::new(hash).ok());
    match parsed {
        Some(parsed) => argon().verify_password(password.as_bytes(), &parsed).is_ok(),
        None => {
            let mut out = [0_u8; 32];
            let _ = argon().hash_password_into(password.as_bytes(), b"no such account!", &mut out);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other() {
        let kept = hash("fire ord uden sammenhæng").expect("fit");
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(verify("fire ord uden sammenhæng", Some(&kept)));
        assert!(!verify("fire ord uden sammenhang", Some(&kept)));
        assert!(!verify("fire ord uden sammenhæng", None));
        assert!(!verify("fire ord uden sammenhæng", Some("nonsense")));
        assert_ne!(kept, hash("fire ord uden sammenhæng").expect("fit"), "salted");
        assert_eq!(hash("kort"), Err(Unfit::Length));
        assert_eq!(hash(&"x".repeat(300)), Err(Unfit::Length));
    }
}
