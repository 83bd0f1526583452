//! What the browser holds: a secret made by chance, of which the store keeps the hash; and the token in our forms, made
//! from it, which another site cannot know.

use super::Desk;
use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt::Write as _;

/// Bytes of chance in a secret.
const BYTES: usize = 32;

/// A new secret, as hexadecimal digits; `None` when the system gives no random numbers.
pub(super) fn fresh() -> Option<String> {
    let mut bytes = [0_u8; BYTES];
    getrandom::fill(&mut bytes).ok()?;
    Some(hex(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn mac(secret: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(b"cpr-milter console form");
    Some(mac)
}

/// The token of forms shown to this browser.
pub(super) fn token(secret: &str) -> String {
    mac(secret).map_or_else(String::new, |mac| hex(&mac.finalize().into_bytes()))
}

/// Whether a form was ours, compared without telling how much of it was right.
pub(super) fn is_token(secret: &str, token: &str) -> bool {
    let pairs = token.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    match (bytes, mac(secret)) {
        (Some(bytes), Some(mac)) => mac.verify_slice(&bytes).is_ok(),
        _ => false,
    }
}

/// The session's cookie. Over TLS its name binds it to this host alone (RFC 6265bis §4.1.3).
pub(super) fn name(desk: &Desk) -> &'static str {
    if desk.is_https() { "__Host-desk" } else { "desk" }
}

/// The secret that came with a request, if it is one.
pub(super) fn secret(desk: &Desk, headers: &HeaderMap) -> Option<String> {
    let value = value(headers, name(desk))?;
    let sound = value.len() == 2 * BYTES && value.bytes().all(|b| b.is_ascii_hexdigit());
    sound.then(|| value.to_owned())
}

/// The value of a cookie.
pub(super) fn value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// The line that gives the browser a secret. `Lax`: a link in a mail to a page that only shows must find its reader signed
/// in, and forms are guarded by their token.
pub(super) fn set(desk: &Desk, secret: &str) -> String {
    let secure = if desk.is_https() { "; Secure" } else { "" };
    format!("{}={secret}; Path=/; HttpOnly; SameSite=Lax{secure}", name(desk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_belongs_to_one_secret() {
        let (one, other) = (fresh().expect("chance"), fresh().expect("chance"));
        assert_ne!(one, other);
        assert!(is_token(&one, &token(&one)));
        for wrong in [
            token(&other),
            String::new(),
            "zz".to_owned(),
            token(&one)[..62].to_owned(),
        ] {
            assert!(!is_token(&one, &wrong), "{wrong}");
        }
    }
}
