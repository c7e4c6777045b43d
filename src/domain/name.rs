//! Names that people give: to themselves, to keys, shops and sellers.

/// The text without blanks around it; `None` where nothing is left, more than `longest` characters are, or some of them are
/// control characters.
pub fn plain(text: &str, longest: usize) -> Option<&str> {
    let bare = text.trim();
    let fits = (1..=longest).contains(&bare.chars().count()) && !bare.chars().any(char::is_control);
    fits.then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        for (what, text, expected) in [
            ("blanks around it", "  Ada Quill ", Some("Ada Quill")),
            ("as long as it may be", "äöüäöüäöü1", Some("äöüäöüäöü1")),
            ("one too many", "äöüäöüäöü12", None),
            ("nothing", " \t ", None),
            ("a line end in it", "Ada\nQ", None),
        ] {
            assert_eq!(plain(text, 10), expected, "{what}");
        }
    }
}
