//! Edits: what a change says of a value that need not be there.

use serde::{Deserialize, Deserializer};

/// Keep a value, clear it, or set it.
///
/// Read from JSON as a merge patch tells it (RFC 7396): what is absent is kept, `null` clears. The field needs
/// `#[serde(default)]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Edit<T> {
    #[default]
    Keep,
    Clear,
    Set(T),
}

impl<T> Edit<T> {
    /// What is stored, after the edit.
    pub fn apply(self, stored: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *stored = None,
            Self::Set(value) => *stored = Some(value),
        }
    }

    /// Reads the value that is set further.
    ///
    /// # Errors
    ///
    /// That of `read`.
    pub fn try_map<U, E>(self, read: impl FnOnce(T) -> Result<U, E>) -> Result<Edit<U>, E> {
        Ok(match self {
            Self::Keep => Edit::Keep,
            Self::Clear => Edit::Clear,
            Self::Set(value) => Edit::Set(read(value)?),
        })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Edit<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Patch {
        #[serde(default)]
        name: Edit<String>,
    }

    #[test]
    fn absent_keeps_null_clears_and_a_value_sets() {
        for (what, body, expected) in [
            ("absent", "{}", Some("Ada")),
            ("null", r#"{"name": null}"#, None),
            ("another value", r#"{"name": "Ben"}"#, Some("Ben")),
            ("a blank text is a text", r#"{"name": ""}"#, Some("")),
        ] {
            let mut stored = Some("Ada".to_owned());
            serde_json::from_str::<Patch>(body).unwrap().name.apply(&mut stored);
            assert_eq!(stored.as_deref(), expected, "{what}");
        }
    }
}
