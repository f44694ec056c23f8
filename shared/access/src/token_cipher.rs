//! How tokens are encrypted, and with which key: AES-256-GCM, with keys that are derived from the texts of one secret. What
//! a text stands for (which grant, which of its pairs) is proven with it, so that it opens in no other row.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use host::grants::{pair_in, text_of, token_keys};
use host::secrets::SecretError;
use payments::GrantId;
use payments::grant::Pair;
use secrecy::{ExposeSecret as _, SecretString};
use table::EncryptedPair;

/// The version of the form that is written.
const VERSION: u64 = 1;
/// Keys of this system, and of no other, come of the texts.
const SALT: &[u8] = b"paymirror/grants/tokens";
const KEY_BYTES: usize = 32;
/// A name is no secret: it shows which key it is, and nothing of it.
const NAME_BYTES: usize = 8;

/// Encrypts with the newest key, and decrypts with each.
pub(crate) struct TokenCipher(Vec<DataKey>);

struct DataKey {
    name: String,
    key: RandomizedNonceKey,
}

/// Why a row does not give its pair.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CipherError {
    /// The secret holds no such key, or none at all.
    #[error(
        "the tokens of grant {grant} are encrypted with the key {key}, which is not in the secret: put it back into older_token_keys"
    )]
    UnknownKey {
        /// Whose.
        grant: GrantId,
        /// The key's name.
        key: String,
    },
    /// It was altered, or belongs into another row.
    #[error(
        "the tokens in the row of grant {grant} are not those that were written there: a user has to authorise again"
    )]
    Refused {
        /// Whose row.
        grant: GrantId,
    },
    /// The secret is not what it should be, or encryption itself failed.
    #[error("the tokens of grants cannot be encrypted")]
    NoKey,
}

impl TokenCipher {
    /// With the keys of this secret.
    pub(crate) fn new(secret: &SecretString) -> Result<Self, SecretError> {
        let texts = token_keys(secret)?;
        let keys = texts.iter().map(DataKey::of).collect::<Result<_, _>>();
        keys.map(Self).map_err(|Unspecified| SecretError::Shape {
            field: "token_key",
            expected: "a text of which a key can be made",
        })
    }

    pub(crate) fn encrypted(
        &self,
        grant: GrantId,
        pair: &Pair,
    ) -> Result<EncryptedPair, CipherError> {
        let key = self.0.first().ok_or(CipherError::NoKey)?;
        let mut text = text_of(pair).expose_secret().as_bytes().to_vec();
        let stands_for = stands_for(VERSION, grant, pair.generation, &key.name);
        let nonce = key.key.seal_in_place_append_tag(Aad::from(stands_for), &mut text);
        let nonce = nonce.map_err(|Unspecified| CipherError::NoKey)?;
        Ok(EncryptedPair {
            version: VERSION,
            generation: pair.generation,
            key: key.name.clone(),
            nonce: BASE64.encode(nonce.as_ref()),
            text: BASE64.encode(&text),
            is_only_copy: false,
        })
    }

    pub(crate) fn decrypted(
        &self,
        grant: GrantId,
        row: &EncryptedPair,
    ) -> Result<Pair, CipherError> {
        let key = self.0.iter().find(|key| key.name == row.key);
        let key = key.ok_or_else(|| CipherError::UnknownKey { grant, key: row.key.clone() })?;
        let refused = || CipherError::Refused { grant };
        let nonce = BASE64.decode(&row.nonce).map_err(|_| refused())?;
        let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|Unspecified| refused())?;
        let stands_for = stands_for(row.version, grant, row.generation, &row.key);
        let mut text = BASE64.decode(&row.text).map_err(|_| refused())?;
        let length = key.key.open_in_place(nonce, Aad::from(stands_for), &mut text);
        let length = length.map_err(|Unspecified| refused())?.len();
        text.truncate(length);
        let text = SecretString::from(String::from_utf8(text).map_err(|_| refused())?);
        pair_in(&text).map_err(|_| refused())
    }
}

impl DataKey {
    fn of(text: &SecretString) -> Result<Self, Unspecified> {
        let root = Salt::new(HKDF_SHA256, SALT).extract(text.expose_secret().as_bytes());
        let mut key = [0; KEY_BYTES];
        root.expand(&[b"key".as_slice()], Length(KEY_BYTES))?.fill(&mut key)?;
        let mut name = [0; NAME_BYTES];
        root.expand(&[b"name".as_slice()], Length(NAME_BYTES))?.fill(&mut name)?;
        let name = name.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { name, key: RandomizedNonceKey::new(&AES_256_GCM, &key)? })
    }
}

/// What is proven together with the text.
fn stands_for(version: u64, grant: GrantId, generation: u64, key: &str) -> Vec<u8> {
    format!("grants/tokens\nversion {version}\ngrant {grant}\ngeneration {generation}\nkey {key}")
        .into_bytes()
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}
