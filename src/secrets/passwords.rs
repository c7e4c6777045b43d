//! Passwords: argon2id, so that a stolen database gives none away soon.

use super::SecretError;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};

/// Memory in KiB, rounds and lanes.
///
/// Source: OWASP Password Storage Cheat Sheet, the first of its equal choices: 19 MiB, 2, 1.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);

fn argon2id() -> Result<Argon2<'static>, SecretError> {
    let (memory, rounds, lanes) = COST;
    let params = Params::new(memory, rounds, lanes, None).map_err(|_params| SecretError::Password)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a password with a fresh salt. Slow, and 19 MiB of memory, on purpose.
///
/// # Errors
///
/// [`SecretError::Password`].
pub fn hash_password(password: &str) -> Result<String, SecretError> {
    let hash = argon2id()?.hash_password(password.as_bytes()).map_err(|_hashing| SecretError::Password)?;
    Ok(hash.to_string())
}

/// Whether the password is the one of the hash. As slow for a wrong one as for the right one.
pub fn is_password(password: &str, hash: &str) -> bool {
    let Ok(stored) = PasswordHash::new(hash) else { return false };
    argon2id().is_ok_and(|argon2| argon2.verify_password(password.as_bytes(), &stored).is_ok())
}

/// A hash of no password that anybody knows: checking against it takes as long as against a real one.
pub fn nobody_s_password() -> &'static str {
    static HASH: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    HASH.get_or_init(|| {
        let unknown = super::Secrets::fresh_key().unwrap_or_default();
        hash_password(&unknown).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_alone() {
        let hash = hash_password("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(is_password("correct horse", &hash));
        for (what, password, hash) in [
            ("another password", "correct horsf", hash.as_str()),
            ("no password", "", &hash),
            ("no hash", "correct horse", ""),
            ("nobody's", "correct horse", nobody_s_password()),
        ] {
            assert!(!is_password(password, hash), "{what}");
        }
        assert_ne!(hash, hash_password("correct horse").unwrap(), "a salt each");
    }
}
