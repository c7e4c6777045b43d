//! Codes, days and times as people read them on the pages.

use jiff::civil::{Date, DateTime, Time};
use serde_json::Value;

/// A verdict's code as people say it; a code that is new here is told by its own words.
pub fn verdict(code: &str) -> String {
    match code {
        "late_open" => "Late".to_owned(),
        "undecided" => "Not decided yet".to_owned(),
        other => plain(other),
    }
}

/// `out_for_delivery` as `Out for delivery`.
pub fn plain(code: &str) -> String {
    let mut letters = code.chars().map(|c| if c == '_' { ' ' } else { c });
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A role's code as people say it.
pub fn role(code: &str) -> String {
    plain(code.strip_prefix("seller-").unwrap_or(code))
}

/// The colour of a verdict.
pub fn mood(code: &str) -> &'static str {
    match code {
        "on_time" => "good",
        "late_open" | "delivered_late" | "suspected_lost" | "lost" => "bad",
        "delayed" | "stalled" => "warn",
        _ => "calm",
    }
}

/// `17 Sep 2026`, of an ISO date; any other text as it is.
pub fn day(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), |date: Date| date.strftime("%-d %b %Y").to_string())
}

/// `17 Sep 2026, 10:04`; midnight is what a date without a time was read as, and is told as the date alone.
pub fn moment(local: DateTime) -> String {
    let told = if local.time() == Time::midnight() { "%-d %b %Y" } else { "%-d %b %Y, %H:%M" };
    local.strftime(told).to_string()
}

/// The moment of a `{"local","offset","utc"}`, as the clock at the place showed it.
pub fn moment_of(time: Option<&Value>) -> Option<String> {
    let local: DateTime = time?.get("local")?.as_str()?.parse().ok()?;
    Some(moment(local))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn codes_and_times_read_as_words() {
        assert_eq!(plain("out_for_delivery"), "Out for delivery");
        assert_eq!(plain(""), "");
        assert_eq!(role("seller-clerk"), "Clerk");
        assert_eq!(verdict("late_open"), "Late");
        assert_eq!(verdict("suspected_lost"), "Suspected lost");
        assert_eq!(day("2026-09-07"), "7 Sep 2026");
        assert_eq!(day("soon"), "soon");
        let time = json!({"local": "2026-09-17T10:04:00", "offset": null, "utc": null});
        assert_eq!(moment_of(Some(&time)).as_deref(), Some("17 Sep 2026, 10:04"));
        let day_alone = json!({"local": "2026-09-17T00:00:00", "offset": null, "utc": null});
        assert_eq!(moment_of(Some(&day_alone)).as_deref(), Some("17 Sep 2026"));
        assert_eq!(moment_of(Some(&Value::Null)), None);
    }
}
