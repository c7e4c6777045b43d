//! Tokens of status links.

use super::{SecretError, random};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

const SELLER_BYTES: usize = 8;
const BATCH_BYTES: usize = 4;
const HASH_BYTES: usize = 16;

/// Tokens that are made together. They share four random bytes, by which they lie side by side in the index that finds
/// them: a million tokens anywhere at all would have the database write a page for each.
#[derive(Debug)]
pub struct StatusTokens {
    shared: Vec<u8>,
}

impl StatusTokens {
    /// # Errors
    ///
    /// [`SecretError::NoRandom`].
    pub fn of_seller(seller: &[u8]) -> Result<Self, SecretError> {
        let batch = random::<BATCH_BYTES>()?;
        Ok(Self { shared: seller_in_tokens(seller).into_iter().chain(batch).collect() })
    }

    /// A token for one order: 8 bytes that name the seller, 4 of the batch, then 128 random bits of its own, in base64url.
    ///
    /// # Errors
    ///
    /// [`SecretError::NoRandom`].
    pub fn fresh(&self) -> Result<String, SecretError> {
        Ok(URL_SAFE_NO_PAD.encode([self.shared.as_slice(), random::<16>()?.as_slice()].concat()))
    }
}

/// How tokens name a seller.
pub fn seller_in_tokens(seller: &[u8]) -> Vec<u8> {
    Sha256::digest(seller).iter().take(SELLER_BYTES).copied().collect()
}

/// The name of the seller in a token; fewer bytes of what is no token.
pub fn seller_in_token(token: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token).unwrap_or_default().into_iter().take(SELLER_BYTES).collect()
}

/// What a token is found by among its seller's: the part of its batch, then 128 bits of the SHA-256 of all of it. Of what is no token, there
/// is no order.
pub fn status_token_key(token: &str) -> Vec<u8> {
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    let batch = bytes.iter().skip(SELLER_BYTES).take(BATCH_BYTES).copied();
    batch.chain(Sha256::digest(token).iter().take(HASH_BYTES).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_a_batch_differ_and_lie_side_by_side() {
        let (one, other) = (StatusTokens::of_seller(b"seller").unwrap(), StatusTokens::of_seller(b"seller").unwrap());
        let (first, second, third) = (one.fresh().unwrap(), one.fresh().unwrap(), other.fresh().unwrap());
        let [first_key, second_key, third_key] = [&first, &second, &third].map(|token| status_token_key(token));
        assert_ne!(first, second);
        assert_ne!(first_key, second_key);
        assert_eq!(first_key.first_chunk::<BATCH_BYTES>(), second_key.first_chunk::<BATCH_BYTES>());
        assert_ne!(first_key.first_chunk::<BATCH_BYTES>(), third_key.first_chunk::<BATCH_BYTES>());
        assert_eq!(first_key.len(), BATCH_BYTES + HASH_BYTES);
    }

    #[test]
    fn a_token_names_its_seller() {
        let token = StatusTokens::of_seller(b"seller").unwrap().fresh().unwrap();
        assert_eq!(seller_in_token(&token), seller_in_tokens(b"seller"));
        assert_ne!(seller_in_token(&token), seller_in_tokens(b"another"));
        assert!(seller_in_token("%").is_empty());
    }

    #[test]
    fn each_bit_of_a_token_counts() {
        let token = StatusTokens::of_seller(b"seller").unwrap().fresh().unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        assert_eq!(bytes.len(), 28, "8 of the seller, 4 of the batch, 16 of its own");
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(status_token_key(&URL_SAFE_NO_PAD.encode(other)), status_token_key(&token));
        }
        for no_token in ["", "x", "%", "a token that is none", &token.to_lowercase()] {
            assert_ne!(status_token_key(no_token), status_token_key(&token));
        }
    }
}
