//! People of a seller: what their name, e-mail address and password must be.

use crate::domain::name;
use crate::domain::order::email_key;
use serde::{Deserialize, Serialize};

/// What a person is called and reached by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// `None` until the person has come and told it.
    pub name: Option<String>,
    /// As it was written.
    pub email: String,
}

/// What is wrong with what a person, or somebody on a person's behalf, wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PersonFault {
    #[error("Write a name of 1 to 100 characters.")]
    Name,
    #[error("Write an e-mail address such as ada@example.com.")]
    Email,
    #[error("A password needs at least {SHORTEST_PASSWORD} characters. A few words in a row are easy to remember.")]
    ShortPassword,
    #[error("A password may have at most {LONGEST_PASSWORD} characters.")]
    LongPassword,
    #[error("The two passwords are not the same.")]
    OtherPassword,
}

const LONGEST_NAME: usize = 100;
/// Source: RFC 5321, 4.5.3.1.3, less the brackets.
const LONGEST_EMAIL: usize = 254;
pub const SHORTEST_PASSWORD: usize = 12;
/// Longer ones would only cost us time.
pub const LONGEST_PASSWORD: usize = 200;

/// A name without blanks around it.
///
/// # Errors
///
/// [`PersonFault::Name`] where nothing or too much is left.
pub fn name(text: &str) -> Result<String, PersonFault> {
    name::plain(text, LONGEST_NAME).map(str::to_owned).ok_or(PersonFault::Name)
}

/// An e-mail address as it was written, without blanks around it; whether it leads anywhere is not asked.
///
/// # Errors
///
/// [`PersonFault::Email`] where it has not one `@` between two parts.
pub fn email(text: &str) -> Result<String, PersonFault> {
    let email = text.trim();
    let parts: Vec<&str> = email.split('@').collect();
    let whole = matches!(parts.as_slice(), [local, domain] if !local.is_empty() && !domain.is_empty());
    let plain = !email.chars().any(|c| c.is_whitespace() || c.is_control());
    let fits = whole && plain && email.len() <= LONGEST_EMAIL && email_key(email).is_some();
    if fits { Ok(email.to_owned()) } else { Err(PersonFault::Email) }
}

/// Whether a new password is long enough; what it is made of is left to the person.
///
/// Source: NIST SP 800-63B-4, 3.1.1.2: length counts, rules of composition do not.
///
/// # Errors
///
/// [`PersonFault::ShortPassword`] or [`PersonFault::LongPassword`].
pub fn check_password(password: &str) -> Result<(), PersonFault> {
    match password.chars().count() {
        ..SHORTEST_PASSWORD => Err(PersonFault::ShortPassword),
        SHORTEST_PASSWORD..=LONGEST_PASSWORD => Ok(()),
        _ => Err(PersonFault::LongPassword),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_two_parts() {
        for (what, text, expected) in [
            ("plain", " ada@example.com ", Ok("ada@example.com")),
            ("capitals stay", "Ada@Example.com", Ok("Ada@Example.com")),
            ("no at", "ada.example.com", Err(PersonFault::Email)),
            ("two", "a@b@c", Err(PersonFault::Email)),
            ("nobody", "@example.com", Err(PersonFault::Email)),
            ("nowhere", "ada@", Err(PersonFault::Email)),
            ("a blank within", "ada quill@example.com", Err(PersonFault::Email)),
        ] {
            assert_eq!(email(text).as_deref(), expected.as_ref().map(|it| *it), "{what}");
        }
        assert_eq!(email(&format!("{}@example.com", "a".repeat(250))), Err(PersonFault::Email));
    }

    #[test]
    fn a_password_is_judged_by_its_characters_and_not_its_bytes() {
        for (what, password, expected) in [
            ("eleven", "a".repeat(11), Err(PersonFault::ShortPassword)),
            ("eleven that are many bytes", "ü".repeat(11), Err(PersonFault::ShortPassword)),
            ("twelve", "a".repeat(12), Ok(())),
            ("two hundred", "ü".repeat(200), Ok(())),
            ("one more", "a".repeat(201), Err(PersonFault::LongPassword)),
        ] {
            assert_eq!(check_password(&password), expected, "{what}");
        }
    }

    #[test]
    fn a_name_is_what_is_left_without_blanks() {
        assert_eq!(name("  Ada Quill "), Ok("Ada Quill".to_owned()));
        assert_eq!(name("   "), Err(PersonFault::Name));
        assert_eq!(name("Ada\nQuill"), Err(PersonFault::Name));
        assert_eq!(name(&"a".repeat(101)), Err(PersonFault::Name));
    }
}
