//! The second factor: time-based codes (RFC 6238) of six digits, thirty seconds, SHA-1: what every authenticator app knows.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::fmt::Write as _;

/// Seconds of a step.
const STEP: i64 = 30;
/// Bytes of a secret: as many as SHA-1 gives (RFC 4226 §4, R6).
const BYTES: usize = 20;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A new secret; `None` when the system gives no random numbers.
pub fn fresh() -> Option<[u8; BYTES]> {
    let mut secret = [0_u8; BYTES];
    getrandom::fill(&mut secret).ok()?;
    Some(secret)
}

/// The code of the step that a moment is in.
pub fn code(secret: &[u8], unix: i64) -> String {
    at_step(secret, unix.div_euclid(STEP))
}

/// RFC 4226 §5.3.
fn at_step(secret: &[u8], step: i64) -> String {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else {
        return String::new();
    };
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash.last().copied().unwrap_or(0) & 0xf);
    let four = hash.iter().skip(offset).take(4);
    let number = four.fold(0_u32, |n, byte| n << 8 | u32::from(*byte)) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// The step whose code this is: the present one, or one on either side, for clocks that differ (RFC 6238 §5.2).
pub fn step_of(secret: &[u8], typed: &str, unix: i64) -> Option<i64> {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let now = unix.div_euclid(STEP);
    // All three are compared, whichever fits.
    let steps = [now, now - 1, now + 1];
    let fits = steps.map(|step| same(at_step(secret, step).as_bytes(), typed.as_bytes()));
    steps
        .into_iter()
        .zip(fits)
        .find(|(_, fits)| *fits)
        .map(|(step, _)| step)
}

fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// The secret as people type it into an app (RFC 4648 §6, without padding).
pub fn base32(secret: &[u8]) -> String {
    let mut out = String::new();
    let (mut bits, mut have) = (0_u32, 0);
    for byte in secret {
        bits = bits << 8 | u32::from(*byte);
        have += 8;
        while have >= 5 {
            have -= 5;
            let index = (bits >> have) & 31;
            out.extend(BASE32.get(index as usize).map(|b| char::from(*b)));
        }
    }
    if have > 0 {
        let index = (bits << (5 - have)) & 31;
        out.extend(BASE32.get(index as usize).map(|b| char::from(*b)));
    }
    out
}

/// The address that apps read from a picture or take over by a tap.
pub fn address(name: &str, secret: &[u8]) -> String {
    let name = name.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
            // Writing to a String cannot fail.
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
        out
    });
    format!(
        "otpauth://totp/cpr-milter:{name}?secret={}&issuer=cpr-milter",
        base32(secret)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, SHA-1, the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = b"12345678901234567890";
        for (unix, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(secret, unix), expected, "{unix}");
        }
    }

    #[test]
    fn clocks_may_differ_by_a_step_and_no_more() {
        let secret = b"12345678901234567890";
        let code = code(secret, 3000);
        for (unix, fits) in [
            (3000, true),
            (3029, true),
            (3030, true),
            (2970, true),
            (3060, false),
            (2969, false),
        ] {
            assert_eq!(step_of(secret, &code, unix).is_some(), fits, "{unix}");
        }
        assert_eq!(
            step_of(secret, &format!(" {} {} ", &code[..3], &code[3..]), 3000),
            Some(100)
        );
        assert_eq!(step_of(secret, "", 3000), None);
    }

    /// RFC 4648 §10.
    #[test]
    fn secrets_are_typed_in_base32() {
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI");
        assert_eq!(base32(b"fooba"), "MZXW6YTB");
        assert!(address("Bo Bé", b"foobar").starts_with("otpauth://totp/cpr-milter:Bo%20B%C3%A9?secret=MZXW6YTBOI&"));
    }
}
