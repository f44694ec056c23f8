//! Whether a webhook request comes from Xero. Only a body that passed may be read.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

use crate::envelope::{Delivery, EnvelopeError};

/// The header that carries the signature. Xero writes it in lower case; the receiver must look
/// it up in any case, and must pass no signature at all when it stands there twice.
pub const SIGNATURE_HEADER: &str = "x-xero-signature";

/// Why a body was not accepted. Both are answered 401; nothing else is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignatureError {
    /// There was no signature.
    #[error("the request carries no signature")]
    Missing,
    /// The signature was not made over these bytes with one of our keys.
    #[error("the signature does not belong to this body")]
    Wrong,
}

/// The webhook keys that are in force. Xero documents no overlap when a key is replaced, so that
/// the old and the new one must both be accepted for a while; the old one is then taken off the
/// list.
#[derive(Clone)]
pub struct WebhookKeys {
    keys: Vec<SecretString>,
}

impl WebhookKeys {
    /// Takes the keys as Xero's portal shows them. A blank one is dropped: a MAC with an empty
    /// key can be made by anybody, and an empty setting must not open the door.
    pub fn new(keys: Vec<SecretString>) -> Self {
        let keys = keys.into_iter().filter(|key| !key.expose_secret().trim().is_empty()).collect();
        Self { keys }
    }

    /// Whether no key is left, in which case everything is refused.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Accepts a body whose signature was made with one of the keys.
    ///
    /// `body` must be the bytes exactly as they were received: Xero's irregular spaces do not
    /// survive parsing (XeroAPI/xero-node#563). The key is used as text although it looks like
    /// base64. The two signatures are compared as text, not decoded: two bits of the last digit
    /// carry nothing, so a lenient decoder would accept an altered one, and Xero's own probes
    /// alter single characters (calcinai/xero-php#351).
    ///
    /// Every key is tried whether or not an earlier one fits, and the comparison does not depend
    /// on where two signatures differ, so that time reveals nothing.
    ///
    /// # Errors
    /// `Missing` without a signature, `Wrong` when no key made it.
    pub fn verify<'b>(
        &self,
        body: &'b [u8],
        signature: Option<&str>,
    ) -> Result<Verified<'b>, SignatureError> {
        let given = signature.ok_or(SignatureError::Missing)?.as_bytes();
        let fits = self.keys.iter().fold(Choice::from(0), |fits, key| {
            fits | expected(key, body).map_or(Choice::from(0), |text| text.as_bytes().ct_eq(given))
        });
        if bool::from(fits) { Ok(Verified(body)) } else { Err(SignatureError::Wrong) }
    }
}

impl fmt::Debug for WebhookKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookKeys({} redacted)", self.keys.len())
    }
}

/// The 44 characters that this key gives for this body. HMAC takes keys of any length, so `None`
/// does not occur; it then simply fits nothing.
fn expected(key: &SecretString, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes()).ok()?;
    mac.update(body);
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

/// A body that Xero has signed. Nothing but [`WebhookKeys::verify`] makes one.
#[derive(Clone, Copy)]
pub struct Verified<'b>(&'b [u8]);

impl Verified<'_> {
    /// Reads the events.
    ///
    /// # Errors
    /// When the body as a whole is no webhook delivery. It is signed nevertheless: such a body is
    /// kept for a person and answered 200, or Xero would switch the webhook off.
    pub fn delivery(&self) -> Result<Delivery, EnvelopeError> {
        Delivery::read(self.0)
    }

    /// The bytes, for keeping what could not be read.
    pub fn body(&self) -> &[u8] {
        self.0
    }
}

impl fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verified({} bytes)", self.0.len())
    }
}
