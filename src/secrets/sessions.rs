//! Tokens of sessions, invitations and forms, and what people are found by over all sellers.

use super::vault::keyed_hash;
use super::{KEY_BYTES, SecretError, Secrets, random};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

/// 256 random bits in base64url.
///
/// # Errors
///
/// [`SecretError::NoRandom`].
pub fn fresh_token() -> Result<String, SecretError> {
    Ok(URL_SAFE_NO_PAD.encode(random::<KEY_BYTES>()?))
}

impl Secrets {
    /// What a text of a kind is found by where its seller is not known yet: equal texts have equal hashes, and nobody
    /// without the instance's key can try texts out.
    pub fn find_by(&self, kind: &str, text: &str) -> Vec<u8> {
        keyed_hash(&self.finder, &[kind.as_bytes(), &[0], text.as_bytes()]).to_vec()
    }

    /// What a form must carry that was given to the holder of a cookie: another site can neither read nor guess it.
    pub fn form_token(&self, cookie: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.find_by("form", cookie))
    }

    /// Whether a form carries that token, in a time that tells nothing of where it differs.
    pub fn is_form_token(&self, cookie: &str, told: &str) -> bool {
        told.as_bytes().ct_eq(self.form_token(cookie).as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_belongs_to_one_cookie_and_one_instance() {
        let [ours, theirs] = [(); 2].map(|()| Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap());
        let (cookie, other) = (fresh_token().unwrap(), fresh_token().unwrap());
        for (what, told, holds) in [
            ("its own", ours.form_token(&cookie), true),
            ("another cookie's", ours.form_token(&other), false),
            ("another instance's", theirs.form_token(&cookie), false),
            ("the cookie itself", cookie.clone(), false),
            ("none", String::new(), false),
        ] {
            assert_eq!(ours.is_form_token(&cookie, &told), holds, "{what}");
        }
        assert_ne!(ours.find_by("e-mail", "ada"), ours.find_by("form", "ada"));
    }
}
