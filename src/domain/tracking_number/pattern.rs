//! The little language in which the data file writes shapes: what each place of a number may hold.

use super::formats::LONGEST;

pub(super) const SYMBOLS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
pub(super) const DIGITS: u64 = (1 << 10) - 1;
const ALNUM: u64 = (1 << 36) - 1;

/// A pattern whose parts may vary in length makes no more shapes than this.
const MOST_SHAPES: usize = 100;

/// The place of a character in a set; none but digits and capitals is in any.
pub(super) fn bit(symbol: u8) -> u64 {
    match symbol {
        b'0'..=b'9' => 1 << (symbol - b'0'),
        b'A'..=b'Z' => 1 << (symbol - b'A' + 10),
        _ => 0,
    }
}

/// The sets of a pattern, place by place; several where a part may be repeated a varying number of times (`*7-9`).
pub(super) fn compiled(pattern: &str) -> Option<Vec<Vec<u64>>> {
    let mut shapes = vec![Vec::new()];
    for part in pattern.split_whitespace() {
        if let Some(text) = part.strip_prefix('=') {
            let places: Vec<u64> = text.bytes().map(bit).collect();
            if places.contains(&0) {
                return None;
            }
            for shape in &mut shapes {
                shape.extend(&places);
            }
            continue;
        }
        let (class, times) = part.split_once('*').unwrap_or((part, "1"));
        let set = class_set(class)?;
        let (least, most) = times.split_once('-').unwrap_or((times, times));
        let times = least.parse::<usize>().ok()?..=most.parse::<usize>().ok().filter(|it| *it <= LONGEST)?;
        let longer = |shape: &Vec<u64>, times: usize| {
            let mut longer = shape.clone();
            longer.resize(shape.len() + times, set);
            longer
        };
        shapes = shapes.iter().flat_map(|it| times.clone().map(move |times| longer(it, times))).collect();
        if shapes.len() > MOST_SHAPES {
            return None;
        }
    }
    (!shapes.is_empty()).then_some(shapes)
}

fn class_set(class: &str) -> Option<u64> {
    match class {
        "digit" => return Some(DIGITS),
        "letter" => return Some(ALNUM & !DIGITS),
        "alnum" => return Some(ALNUM),
        _ => {}
    }
    let mut symbols = class.strip_prefix('[')?.strip_suffix(']')?.bytes().peekable();
    let mut set = 0;
    while let Some(first) = symbols.next() {
        let last = symbols.next_if_eq(&b'-').and_then(|_| symbols.next()).unwrap_or(first);
        set |= (first..=last).map(bit).fold(0, |set, it| set | it);
    }
    (set != 0).then_some(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_says_what_each_place_may_hold() {
        let shapes = compiled("=1Z [A-C9] digit*1-2").unwrap();
        let fits = |number: &[u8]| {
            shapes.iter().any(|it| it.len() == number.len() && it.iter().zip(number).all(|(set, c)| set & bit(*c) != 0))
        };
        assert!(fits(b"1ZB0") && fits(b"1Z900"));
        assert!(!fits(b"1ZD0") && !fits(b"1ZB") && !fits(b"1ZB000") && !fits(b"1zB0"));
    }

    #[test]
    fn a_pattern_that_varies_without_end_is_refused_soon() {
        assert_eq!(compiled("digit*1-10 digit*1-10").map(|it| it.len()), Some(100));
        assert_eq!(compiled(&"alnum*1-40 ".repeat(18)), None);
    }
}
