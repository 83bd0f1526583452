//! base64 inside texts and attribute values, read leniently: whoever copies it out repairs it.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A character that carries bits.
pub(super) fn is_digit(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'+' || b == b'/'
}

/// Decodes; what is not in the alphabet is left out, and so is a last character that cannot hold a byte.
pub(super) fn decode(text: &[u8]) -> Vec<u8> {
    let mut kept: Vec<u8> = text.iter().copied().filter(|b| is_digit(*b)).collect();
    kept.truncate(kept.len() - usize::from(kept.len() % 4 == 1));
    LENIENT.decode(&kept).unwrap_or_default()
}
