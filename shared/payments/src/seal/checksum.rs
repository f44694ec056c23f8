//! A SHA-256 checksum, written as 64 hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// A SHA-256 checksum.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Checksum([u8; 32]);

/// A text that is no checksum.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("is not 64 hexadecimal digits")]
pub struct NoChecksum;

impl Checksum {
    /// The checksum of what was fed to this hasher.
    pub fn of(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }

    /// The checksum of some bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// Feeds texts to a checksum, each with its length: no two lists of texts feed it the same bytes.
pub(super) fn feed(hasher: &mut Sha256, texts: &[&str]) {
    for text in texts {
        hasher.update(format!("{}:{text}", text.len()));
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Checksum {
    type Err = NoChecksum;

    fn from_str(text: &str) -> Result<Self, NoChecksum> {
        let mut bytes = [0; 32];
        // Capitals would be a second way to write the same.
        let is_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
        if text.len() != 64 || !text.bytes().all(is_hex) {
            return Err(NoChecksum);
        }
        for (position, byte) in bytes.iter_mut().enumerate() {
            let digits = text.get(2 * position..2 * position + 2).ok_or(NoChecksum)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| NoChecksum)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_read_back_and_nothing_else_is_one() {
        let checksum = Checksum::of(Sha256::new());
        let text = checksum.to_string();
        assert_eq!(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(text.parse(), Ok(checksum));
        let (long, capitals) = (format!("{text}0"), text.to_uppercase());
        let wide = format!("{}é", &text[..62]);
        for wrong in ["", &text[..63], &long, &capitals, &wide] {
            assert_eq!(wrong.parse::<Checksum>(), Err(NoChecksum), "{wrong}");
        }
    }
}
