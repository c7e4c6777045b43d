//! Random tokens, their digests, and sealing under the instance's secret key; sellers' keys, passwords and signatures.

mod passwords;
mod sessions;
mod signing;
mod status_tokens;
mod vault;

pub use passwords::{hash_password, is_password, nobody_s_password};
pub use sessions::fresh_token;
pub use signing::{fresh_signing_pair, key_name, sign, verified};
pub use status_tokens::{StatusTokens, seller_in_token, seller_in_tokens, status_token_key};
pub use vault::Vault;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;

/// The machine gave no random bytes, or what was sealed cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("the system gave no random bytes")]
    NoRandom,
    #[error("a secret could not be opened: it was sealed under another PARCELTRAIL_SECRET_KEY")]
    OtherKey,
    #[error("PARCELTRAIL_SECRET_KEY must be 32 bytes in base64url; make one with `openssl rand -base64 32`")]
    BadKey,
    #[error("a token could not be signed")]
    Signature,
    #[error("a password could not be hashed")]
    Password,
}

/// The instance's secret key: seals what must be given again, such as a status link's token.
#[derive(Clone)]
pub struct Secrets {
    cipher: XChaCha20Poly1305,
    finder: [u8; KEY_BYTES],
}

impl Secrets {
    /// Reads a key of 32 bytes in base64, standard or URL-safe.
    ///
    /// # Errors
    ///
    /// [`SecretError::BadKey`].
    pub fn from_text(text: &str) -> Result<Self, SecretError> {
        let bare: String = text.trim().trim_end_matches('=').replace('+', "-").replace('/', "_");
        let bytes = URL_SAFE_NO_PAD.decode(bare).map_err(|_unreadable| SecretError::BadKey)?;
        let key: [u8; KEY_BYTES] = bytes.try_into().map_err(|_length| SecretError::BadKey)?;
        Ok(Self { cipher: cipher_of(key), finder: vault::keyed_hash(&key, &[b"find"]) })
    }

    /// A fresh key, as text.
    pub fn fresh_key() -> Result<String, SecretError> {
        random::<KEY_BYTES>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Seals a text for a purpose; it opens for that purpose alone.
    pub fn seal(&self, purpose: &[u8], text: &str) -> Result<Vec<u8>, SecretError> {
        self.seal_bytes(purpose, text.as_bytes())
    }

    pub fn open(&self, purpose: &[u8], sealed: &[u8]) -> Result<String, SecretError> {
        String::from_utf8(self.open_bytes(purpose, sealed)?).map_err(|_not_text| SecretError::OtherKey)
    }

    /// Seals bytes for a purpose.
    pub fn seal_bytes(&self, purpose: &[u8], bytes: &[u8]) -> Result<Vec<u8>, SecretError> {
        seal_bytes(&self.cipher, purpose, bytes)
    }

    pub fn open_bytes(&self, purpose: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SecretError> {
        open_bytes(&self.cipher, purpose, sealed)
    }
}

fn cipher_of(key: [u8; KEY_BYTES]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(key))
}

/// A random nonce, then what was sealed.
fn seal_bytes(cipher: &XChaCha20Poly1305, purpose: &[u8], bytes: &[u8]) -> Result<Vec<u8>, SecretError> {
    let nonce = random::<NONCE_BYTES>()?;
    let payload = Payload { msg: bytes, aad: purpose };
    let sealed = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_sealing| SecretError::OtherKey)?;
    Ok([nonce.as_slice(), sealed.as_slice()].concat())
}

fn open_bytes(cipher: &XChaCha20Poly1305, purpose: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SecretError> {
    let (nonce, body) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(SecretError::OtherKey)?;
    let payload = Payload { msg: body, aad: purpose };
    cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_opening| SecretError::OtherKey)
}

/// So many random bytes; salts and tokens are made of them.
pub fn random<const N: usize>() -> Result<[u8; N], SecretError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_source| SecretError::NoRandom)?;
    Ok(bytes)
}

/// SHA-256: right for what has 128 random bits or more.
pub fn digest(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}

const KEY_PREFIX: &str = "pt_live_";
const CHECKSUM_DIGITS: usize = 8;

/// A fresh API key: `pt_live_`, 256 random bits in base64url, and a CRC-32, so that a mistyped key is told from a
/// revoked one without asking the database.
pub fn fresh_api_key() -> Result<String, SecretError> {
    let body = URL_SAFE_NO_PAD.encode(random::<KEY_BYTES>()?);
    Ok(format!("{KEY_PREFIX}{body}{}", checksum(&body)))
}

/// Whether the text has the form of an API key, checksum included.
pub fn looks_like_api_key(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(KEY_PREFIX) else { return false };
    let Some((body, check)) = rest.len().checked_sub(CHECKSUM_DIGITS).and_then(|at| rest.split_at_checked(at)) else {
        return false;
    };
    checksum(body) == check
}

/// The first characters, by which people tell keys apart.
pub fn api_key_prefix(key: &str) -> String {
    key.chars().take(KEY_PREFIX.len() + 6).collect()
}

fn checksum(body: &str) -> String {
    let mut crc = flate2::Crc::new();
    crc.update(body.as_bytes());
    format!("{:08x}", crc.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_key_is_told_from_a_real_one() {
        let key = fresh_api_key().unwrap();
        assert!(looks_like_api_key(&key), "{key}");
        for wrong in
            [key.replace("live", "test"), format!("{key}0"), key.to_lowercase(), String::new(), "pt_live_".into()]
        {
            assert!(!looks_like_api_key(&wrong) || wrong == key, "{wrong}");
        }
    }

    #[test]
    fn a_secret_opens_for_its_purpose_and_key_alone() {
        let secrets = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
        let other = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
        let sealed = secrets.seal(b"order 1", "token").unwrap();
        assert_eq!(secrets.open(b"order 1", &sealed).unwrap(), "token");
        assert!(secrets.open(b"order 2", &sealed).is_err());
        assert!(other.open(b"order 1", &sealed).is_err());
        assert!(Secrets::from_text("short").is_err());
    }
}
