//! Masks what must not get into the log: keys, tokens, passwords, addresses of people. Every line passes here.
//!
//! One walk over the line, without looking back further than the word at hand. What is masked stays recognisable by
//! what stands before it.

use std::io::{self, Write};

const MASK: &str = "***";
const E_MAIL: &str = "<e-mail>";

/// What follows one of these is a secret, up to the end of the word.
const BEFORE_SECRETS: [&str; 5] = ["/track/", "/invitations/", "/sessions/", "/password-resets/", "whsec_"];
const SCHEMES: [&str; 2] = ["bearer ", "basic "];
/// The value of one of these is a secret: `token=..`, `"token":".."`, `token: ..`.
const SECRET_NAMES: [&str; 11] = [
    "password",
    "secret",
    "token",
    "session",
    "invitation",
    "api_key",
    "cookie",
    "set-cookie",
    "authorization",
    "signature",
    "code_verifier",
];
/// The value of one of these is a run of digits, with blanks and the like between.
const NAMES_OF_DIGITS: [&str; 4] = ["phone", "telephone", "card", "card_number"];
/// Words of our own: `pt_live_..` and their like.
const OWN_PREFIX: &str = "pt_";
const SHORTEST_TOKEN: usize = 8;

/// The line with all secrets masked.
pub fn masked(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let (mut rest, mut within_word) = (line, false);
    while let Some(letter) = rest.chars().next() {
        let found = if letter == '@' { e_mail(&mut out, rest) } else { secret(rest, within_word) };
        if let Some((shown, mask, after)) = found {
            out.push_str(shown);
            out.push_str(mask);
            (rest, within_word) = (after, false);
            continue;
        }
        out.push(letter);
        within_word = letter.is_alphanumeric();
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
    }
    out
}

/// What is shown of a secret, the mask, and what stands behind it.
type Found<'a> = Option<(&'a str, &'static str, &'a str)>;

/// A secret that begins here.
fn secret(rest: &str, within_word: bool) -> Found<'_> {
    if let Some(found) = BEFORE_SECRETS.iter().find_map(|prefix| behind(rest, prefix.len(), rest.starts_with(prefix))) {
        return Some(found);
    }
    if within_word {
        return None;
    }
    own_token(rest).or_else(|| json_web_token(rest)).or_else(|| credentials(rest)).or_else(|| named(rest))
}

/// The word behind the first `at` bytes, where there is one.
fn behind(rest: &str, at: usize, is_secret: bool) -> Found<'_> {
    if !is_secret {
        return None;
    }
    let (shown, secret) = rest.split_at_checked(at)?;
    let after = secret.trim_start_matches(is_of_token);
    (after.len() < secret.len()).then_some((shown, MASK, after))
}

fn is_of_token(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '~' | '+' | '=' | '%')
}

/// `pt_live_..`
fn own_token(rest: &str) -> Found<'_> {
    let kind = rest.strip_prefix(OWN_PREFIX)?;
    let token = kind.trim_start_matches(|letter: char| letter.is_ascii_lowercase()).strip_prefix('_')?;
    let after = token.trim_start_matches(is_of_token);
    let is_long = token.len() - after.len() >= SHORTEST_TOKEN;
    is_long.then_some(()).and_then(|()| behind(rest, rest.len() - token.len(), true))
}

/// `eyJ..` with dots: header, claims and signature.
fn json_web_token(rest: &str) -> Found<'_> {
    let token = rest.strip_prefix("eyJ")?;
    let after = token.trim_start_matches(is_of_token);
    let length = token.len() - after.len();
    let is_whole = token.get(..length)?.matches('.').count() >= 2;
    is_whole.then_some(("eyJ", MASK, after))
}

/// `Bearer ..`
fn credentials(rest: &str) -> Found<'_> {
    let scheme = SCHEMES.iter().find(|scheme| begins_with(rest, scheme))?;
    let (shown, secret) = rest.split_at_checked(scheme.len())?;
    let after = secret.trim_start_matches(|letter: char| is_of_token(letter) || letter == '/');
    (secret.len() - after.len() >= SHORTEST_TOKEN).then_some((shown, MASK, after))
}

/// `name=value`, `name: value` or `"name":"value"`.
fn named(rest: &str) -> Found<'_> {
    let name = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-')))?;
    let (name, behind) = rest.split_at_checked(name)?;
    let is = |names: &[&str]| names.iter().any(|it| it.eq_ignore_ascii_case(name));
    let value = behind.trim_start_matches(['"', '\\']);
    let value = value.strip_prefix(['=', ':'])?;
    // A value in quotes ends with them; one without ends with the word.
    let unquoted = value.trim_start_matches([' ', '"', '\\']);
    let is_quoted = value.get(..value.len() - unquoted.len())?.contains('"');
    let after = if is(&NAMES_OF_DIGITS) {
        unquoted.trim_start_matches(|letter: char| letter.is_ascii_digit() || " +()-./".contains(letter))
    } else if is(&SECRET_NAMES) && is_quoted {
        unquoted.trim_start_matches(|letter| !matches!(letter, '"' | '\\'))
    } else if is(&SECRET_NAMES) {
        unquoted.trim_start_matches(|letter| !matches!(letter, ' ' | '"' | '&' | ',' | '}' | ')' | '\n'))
    } else {
        return None;
    };
    let secret = unquoted.get(..unquoted.len() - after.len())?.trim_end();
    let after = unquoted.get(secret.len()..)?;
    (!secret.is_empty()).then(|| (rest.get(..rest.len() - unquoted.len()).unwrap_or_default(), MASK, after))
}

/// An e-mail address around this `@`: what came before it is taken out of `out` again.
fn e_mail<'a>(out: &mut String, rest: &'a str) -> Found<'a> {
    let domain = rest.strip_prefix('@')?;
    let is_of_domain = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '.');
    let after = domain.trim_start_matches(is_of_domain);
    let is_domain = domain.get(..domain.len() - after.len())?.trim_end_matches('.').contains('.');
    let before = out.trim_end_matches(|letter: char| letter.is_alphanumeric() || "!#$%'*+-_.~".contains(letter)).len();
    if !is_domain || before == out.len() {
        return None;
    }
    out.truncate(before);
    Some(("", E_MAIL, after))
}

fn begins_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Writes lines on with their secrets masked. The log hands over whole lines.
pub struct Masking<W>(pub W);

impl<W: Write> Write for Masking<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(masked(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_the_rest_stays() {
        for (line, expected) in [
            ("key pt_live_abcDEF123456-_xyz was used", "key pt_live_*** was used"),
            ("(pt_live_abcDEF123456)", "(pt_live_***)"),
            ("pt_session_0123456789abcdef", "pt_session_***"),
            ("port pt_live is no key", "port pt_live is no key"),
            ("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2ln-_ end", "eyJ*** end"),
            ("eyJ alone", "eyJ alone"),
            ("Authorization: Bearer abcdef0123456789", "Authorization: *** abcdef0123456789"),
            ("sent Bearer abcdef0123456789, so", "sent Bearer ***, so"),
            ("the bearer of news", "the bearer of news"),
            ("Basic dXNlcjpwYXNzd29yZA== end", "Basic *** end"),
            ("GET /track/AbC-123_x?x=1", "GET /track/***?x=1"),
            ("https://t.example/track/AbC", "https://t.example/track/***"),
            ("route=/track/{token} status=200", "route=/track/{token} status=200"),
            ("POST /v1/invitations/Zz9/accept", "POST /v1/invitations/***/accept"),
            ("secret whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD=", "secret whsec_***"),
            ("token=abc&x=1", "token=***&x=1"),
            ("password: hunter2 wrong", "password: *** wrong"),
            (r#"{"password":"hunter 2","n":1}"#, r#"{"password":"***","n":1}"#),
            (r#"{"body":"{\"token\":\"abc\",\"n\":1}"}"#, r#"{"body":"{\"token\":\"***\",\"n\":1}"}"#),
            ("the token was wrong", "the token was wrong"),
            ("Cookie: session=abc; lang=de", "Cookie: *** lang=de"),
            ("session=abc123 ended", "session=*** ended"),
            ("mail to ada.quill+x@example.co.uk failed", "mail to <e-mail> failed"),
            (r#""email":"ada@example.com","#, r#""email":"<e-mail>","#),
            ("<ada@example.com>", "<<e-mail>>"),
            ("user@localhost and @home", "user@localhost and @home"),
            ("phone=+49 (30) 1234-567 status=200", "phone=*** status=200"),
            (r#""phone":"0049 30 1234","n":1"#, r#""phone":"***","n":1"#),
            ("card=4111 1111 1111 1111, paid", "card=***, paid"),
            (
                "number 1Z999AA10123456784 and 420123459400100000000000000000",
                "number 1Z999AA10123456784 and 420123459400100000000000000000",
            ),
            ("Größe café ✓", "Größe café ✓"),
            ("", ""),
        ] {
            assert_eq!(masked(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_masked_stays_masked_and_json_stays_json() {
        let line = r#"{"fields":{"message":"pt_live_0123456789abcdef for ada@example.com","token":"x y"},"n":1}"#;
        let once = masked(line);
        assert_eq!(masked(&once), once);
        let read: serde_json::Value = serde_json::from_str(&once).unwrap();
        assert_eq!(read["fields"]["message"], "pt_live_*** for <e-mail>");
        assert_eq!(read["fields"]["token"], "***");
    }

    #[test]
    fn a_long_line_of_beginnings_is_walked_once() {
        for part in ["eyJ", "pt_live_", "a@", "token=", "/track/", "phone=1 "] {
            let line = part.repeat(20_000);
            assert!(!masked(&line).is_empty(), "{part}");
        }
    }

    #[test]
    fn the_writer_masks_each_line() {
        let mut out = Vec::new();
        writeln!(Masking(&mut out), "by ada@example.com").unwrap();
        assert!(!String::from_utf8(out).unwrap().contains("ada@"));
    }

    proptest::proptest! {
        #[test]
        fn no_key_gets_through(before in "\\PC{0,20}", key in "[A-Za-z0-9_-]{40,60}", after in "\\PC{0,20}") {
            let line = format!("{before} pt_live_{key} {after}");
            proptest::prop_assert!(!masked(&line).contains(&key));
        }
    }
}
