//! Signatures of access tokens: `EdDSA` over Ed25519, each key with a name of its own.

use super::SecretError;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A fresh pair of keys.
pub struct SigningPair {
    /// 32 bytes.
    pub public: Vec<u8>,
    /// PKCS #8. Keep it sealed.
    pub private: Vec<u8>,
}

/// What our tokens call themselves in their header: RFC 9068.
const TYPE: &str = "at+jwt";

/// # Errors
///
/// [`SecretError::NoRandom`].
pub fn fresh_signing_pair() -> Result<SigningPair, SecretError> {
    let pair = Ed25519KeyPair::generate().map_err(|_unspecified| SecretError::NoRandom)?;
    let private = pair.to_pkcs8v1().map_err(|_unspecified| SecretError::NoRandom)?;
    Ok(SigningPair { public: pair.public_key().as_ref().to_vec(), private: private.as_ref().to_vec() })
}

fn header(kid: &str) -> Header {
    Header { typ: Some(TYPE.to_owned()), kid: Some(kid.to_owned()), ..Header::new(Algorithm::EdDSA) }
}

/// Signs claims as a token.
///
/// # Errors
///
/// [`SecretError::Signature`] where the key is no key.
pub fn sign(kid: &str, private: &[u8], claims: &impl Serialize) -> Result<String, SecretError> {
    let key = EncodingKey::from_ed_der(private);
    jsonwebtoken::encode(&header(kid), claims, &key).map_err(|_signing| SecretError::Signature)
}

/// The name of the key that a token says it is signed with; nothing is proved by it. `None` of what is no token.
pub fn key_name(token: &str) -> Option<String> {
    if token.len() > LONGEST {
        return None;
    }
    jsonwebtoken::decode_header(token).ok()?.kid
}

/// Our tokens are some 500 characters long.
const LONGEST: usize = 2048;

/// The claims of a token that this key signed; `None` of any other.
///
/// The header must be to the letter the one that we write, so no other algorithm, type, or key that a header may name
/// comes into question. Times, issuer and audience are for the caller to judge.
pub fn verified<T: DeserializeOwned + Clone>(kid: &str, public: &[u8], token: &str) -> Option<T> {
    let ours = serde_json::to_vec(&header(kid)).ok()?;
    if token.split('.').next()? != URL_SAFE_NO_PAD.encode(ours) {
        return None;
    }
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_aud) = (false, false);
    jsonwebtoken::decode::<T>(token, &DecodingKey::from_ed_der(public), &validation).ok().map(|told| told.claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_token_is_believed_under_its_own_key_and_header_alone() {
        let [ours, theirs] = [(); 2].map(|()| fresh_signing_pair().unwrap());
        let claims = json!({"sub": "1"});
        let token = sign("k1", &ours.private, &claims).unwrap();
        assert_eq!(key_name(&token).as_deref(), Some("k1"));
        assert_eq!(verified::<Value>("k1", &ours.public, &token), Some(claims.clone()));
        let other_type = Header { typ: Some("JWT".to_owned()), ..header("k1") };
        let key = EncodingKey::from_ed_der(&ours.private);
        for (what, public, token) in [
            ("another key", &theirs.public, token.clone()),
            ("another name", &ours.public, sign("k2", &ours.private, &claims).unwrap()),
            ("another type", &ours.public, jsonwebtoken::encode(&other_type, &claims, &key).unwrap()),
            ("no signature", &ours.public, token.rsplit_once('.').unwrap().0.to_owned() + "."),
            ("no token", &ours.public, "a.b.c".to_owned()),
            ("nothing", &ours.public, String::new()),
        ] {
            assert_eq!(verified::<Value>("k1", public, &token), None, "{what}");
        }
    }

    #[test]
    fn ten_thousand_tokens_with_flipped_bits_are_all_refused() {
        let pair = fresh_signing_pair().unwrap();
        let token = sign("k1", &pair.private, &json!({"sub": "1", "scope": "read write manage"})).unwrap();
        let bits = token.len() * 8;
        let mut refused = 0;
        let mut state = 7_usize;
        while refused < 10_000 {
            let mut bytes = token.clone().into_bytes();
            // Each bit once, and then pairs of bits by a linear congruential generator.
            let mut flip = |bit: usize| bytes[bit / 8] ^= 1 << (bit % 8);
            flip(refused % bits);
            if refused >= bits {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let other = (state >> 33) % bits;
                flip(if other == refused % bits { (other + 1) % bits } else { other });
            }
            if let Ok(flipped) = std::str::from_utf8(&bytes) {
                assert_eq!(verified::<Value>("k1", &pair.public, flipped), None, "{flipped}");
            }
            refused += 1;
        }
    }
}
