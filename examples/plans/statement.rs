//! What can be read from the text of a statement alone.

/// Tables with a number of rows that grows with the number of parcels.
const GROWING: [&str; 20] = [
    "audit_log",
    "event_details",
    "event_withdrawals",
    "idempotency_keys",
    "import_chunks",
    "import_row_names",
    "import_rows",
    "import_runs",
    "imports",
    "legs",
    "number_corrections",
    "number_doubts",
    "order_contacts",
    "order_lines",
    "orders",
    "outbox",
    "promise_changes",
    "shipments",
    "standings",
    "trackers",
];

/// `tracking_events` among them; the list above is of all others.
pub fn grows(table: &str) -> bool {
    table == "tracking_events" || GROWING.contains(&table)
}

/// Whether a statement is known to find nothing, as diesel writes a condition on an empty list: no row is read.
pub fn is_empty(statement: &str) -> bool {
    statement.contains("(1=0)")
}

/// Lists of values are of any length; one of two stands for all.
pub fn with_short_lists(statement: &str) -> String {
    let mut short = String::with_capacity(statement.len());
    let mut rest = statement;
    while let Some(at) = rest.find(" IN (?") {
        let (before, list) = rest.split_at(at);
        let end = list.find(')').unwrap_or(list.len() - 1);
        let is_list = list[" IN (".len()..end].chars().all(|c| matches!(c, '?' | ',' | ' '));
        short.push_str(before);
        short.push_str(if is_list { " IN (?, ?)" } else { &list[..=end] });
        rest = &list[end + 1..];
    }
    short.push_str(rest);
    short
}

/// The words of a statement: names, keywords and signs, without quotes.
pub fn words(statement: &str) -> Vec<&str> {
    let is_apart = |c: char| c.is_whitespace() || matches!(c, '`' | '"' | '(' | ')' | ',' | '.');
    statement.split(is_apart).filter(|word| !word.is_empty()).collect()
}

/// The table behind a name that a plan gives: itself, or what the statement calls so.
pub fn table_of<'s>(statement: &'s str, name: &'s str) -> &'s str {
    if grows(name) {
        return name;
    }
    let words = words(statement);
    let named = |at: usize| words.get(at).copied();
    for (at, table) in words.iter().enumerate().filter(|(_, word)| grows(word)) {
        let alias = if named(at + 1) == Some("AS") { named(at + 2) } else { named(at + 1) };
        if alias == Some(name) {
            return table;
        }
    }
    name
}

/// Whether the statement ends after some rows, whatever there is.
pub fn is_limited(statement: &str) -> bool {
    statement.contains(" LIMIT ") || statement.to_ascii_lowercase().starts_with("select max(")
}

/// Columns that a statement compares with values beside `seller_id`.
pub fn compared(statement: &str) -> Vec<String> {
    let Some((_, conditions)) = statement.split_once(" WHERE ") else { return Vec::new() };
    let conditions = conditions.split(" ORDER BY ").next().unwrap_or_default();
    let words = words(conditions);
    let signs = ["=", "<", ">", "<=", ">=", "<>", "!=", "IN", "IS", "LIKE"];
    let is_value =
        |word: &str| word.starts_with(['?', '$', '\'']) || word == "NULL" || word == "NOT" || word == "SELECT";
    let pairs = words.windows(3).filter(|three| signs.contains(&three[1]) && is_value(three[2]));
    pairs.map(|three| three[0].to_owned()).filter(|column| column != "seller_id").collect()
}
