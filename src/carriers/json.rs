//! Fields of JSON that may be missing, null, empty, or a number where a text was promised.

use crate::domain::event_time::EventTime;
use serde_json::Value;

/// The field as text: trimmed, without control characters, at most `most` characters long.
///
/// Missing, `null`, `""` and the text `null` are all `None`, and a number is written out, since sources mix them.
pub(crate) fn text(object: &Value, field: &str, most: usize) -> Option<String> {
    let text = match object.get(field)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let text: String = text.trim().chars().filter(|c| !c.is_control()).take(most).collect();
    (!text.is_empty() && text != "null").then_some(text)
}

/// A local time and, in a field of its own, its offset, where there is one. Finer than a microsecond is cut off, since
/// no store of ours keeps more.
pub(crate) fn time(object: &Value, local: &str, offset: &str) -> Option<EventTime> {
    let read = EventTime::from_texts(&text(object, local, 40)?, text(object, offset, 6).as_deref())?;
    let nanos = read.local.subsec_nanosecond();
    let local = read.local.with().subsec_nanosecond(nanos - nanos % 1000).build().ok()?;
    Some(EventTime { local, ..read })
}

/// The field's elements; none where it is missing or no list.
pub(crate) fn list<'a>(object: &'a Value, field: &str) -> &'a [Value] {
    object.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_time_is_cut_to_the_microsecond_and_may_have_no_offset() {
        for (at, offset, expected) in [
            ("2026-09-17T10:04:00.331986369", json!("+02:00"), Some("2026-09-17T10:04:00.331986")),
            ("2026-09-17T10:04:00", json!(null), Some("2026-09-17T10:04:00")),
            ("2026-09-17 10:04", json!(""), Some("2026-09-17T10:04:00")),
            ("2026-09-17T10:04:00", json!("Mars"), None),
            ("17.09.2026", json!(null), None),
        ] {
            let read = time(&json!({"at": at, "offset": offset}), "at", "offset");
            assert_eq!(read.map(|it| it.local_text()).as_deref(), expected, "{at} {offset}");
        }
    }

    #[test]
    fn what_is_missing_is_none_whatever_its_form() {
        for (value, expected) in [
            (json!("Leipzig"), Some("Leipzig")),
            (json!("  Leip\u{0}zig, DE\n"), Some("Leipzig, D")),
            (json!(1234), Some("1234")),
            (json!("null"), None),
            (json!(" "), None),
            (json!(null), None),
            (json!({"a": 1}), None),
        ] {
            assert_eq!(text(&json!({ "place": value }), "place", 10).as_deref(), expected, "{value}");
        }
        assert_eq!(text(&json!({}), "place", 10), None);
        assert_eq!(text(&json!("no object"), "place", 10), None);
    }
}
