//! A seller's own key: it seals what names people, and finds it again by keyed hash.

use super::{KEY_BYTES, SecretError, Secrets, cipher_of, open_bytes, random, seal_bytes};
use chacha20poly1305::XChaCha20Poly1305;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const HASH_BYTES: usize = 8;

/// One seller's key, opened. Whoever loses it has lost what it sealed.
#[derive(Clone)]
pub struct Vault {
    cipher: XChaCha20Poly1305,
    finder: [u8; KEY_BYTES],
}

impl Secrets {
    /// A fresh key for a seller, wrapped under the instance's secret key.
    ///
    /// # Errors
    ///
    /// [`SecretError::NoRandom`].
    pub fn fresh_vault(&self, seller: &[u8]) -> Result<Vec<u8>, SecretError> {
        seal_bytes(&self.cipher, &purpose_of(seller), &random::<KEY_BYTES>()?)
    }

    /// Opens a seller's wrapped key.
    ///
    /// # Errors
    ///
    /// [`SecretError::OtherKey`] where it is another seller's, or was wrapped under another secret key.
    pub fn open_vault(&self, seller: &[u8], wrapped: &[u8]) -> Result<Vault, SecretError> {
        let bytes = open_bytes(&self.cipher, &purpose_of(seller), wrapped)?;
        let key: [u8; KEY_BYTES] = bytes.try_into().map_err(|_length| SecretError::OtherKey)?;
        Ok(Vault { cipher: cipher_of(key), finder: keyed_hash(&key, &[b"find"]) })
    }
}

fn purpose_of(seller: &[u8]) -> Vec<u8> {
    [b"seller key".as_slice(), seller].concat()
}

impl Vault {
    /// Seals bytes for a purpose; they open for that purpose alone, so a sealed value cannot be moved to another row.
    pub fn seal(&self, purpose: &[u8], bytes: &[u8]) -> Result<Vec<u8>, SecretError> {
        seal_bytes(&self.cipher, purpose, bytes)
    }

    pub fn open(&self, purpose: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SecretError> {
        open_bytes(&self.cipher, purpose, sealed)
    }

    /// What a text of a kind is found by: equal texts of one seller have equal hashes, and nobody without the key can
    /// try texts out. 64 bits are enough to tell a seller's texts apart, and keep the index small, of which every order
    /// writes a page anywhere.
    pub fn find_by(&self, kind: &str, text: &str) -> Vec<u8> {
        keyed_hash(&self.finder, &[kind.as_bytes(), &[0], text.as_bytes()]).iter().take(HASH_BYTES).copied().collect()
    }
}

/// HMAC-SHA-256 over the parts, one after the other. The key is padded to a block, as HMAC itself does.
pub(super) fn keyed_hash(key: &[u8; KEY_BYTES], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(padded, byte)| *padded = *byte);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_seller_has_a_key_of_its_own() {
        let secrets = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
        let [ours, theirs] =
            [b"a", b"b"].map(|seller| secrets.open_vault(seller, &secrets.fresh_vault(seller).unwrap()).unwrap());
        let sealed = ours.seal(b"order 1", b"Ada").unwrap();
        assert_eq!(ours.open(b"order 1", &sealed).unwrap(), b"Ada");
        assert!(ours.open(b"order 2", &sealed).is_err(), "another row's");
        assert!(theirs.open(b"order 1", &sealed).is_err(), "another seller's");
        assert!(secrets.open_vault(b"b", &secrets.fresh_vault(b"a").unwrap()).is_err(), "another seller's key");
        assert_eq!(ours.find_by("email", "ada@example.com"), ours.find_by("email", "ada@example.com"));
        assert_ne!(ours.find_by("email", "ada@example.com"), ours.find_by("phone", "ada@example.com"));
        assert_ne!(ours.find_by("email", "ada@example.com"), theirs.find_by("email", "ada@example.com"));
    }
}
