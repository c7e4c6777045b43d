//! Numbers that were probably meant: zeros put back in front, and digits for the letters that look like them.
//!
//! Only numbers whose check passes are offered, so that a repair is more than a guess.

use super::detect::{self, Match};
use super::habits::Habits;
use super::{Repair, RepairCode, placeholder};
use crate::domain::carrier::CarrierSlug;

/// A spreadsheet drops all zeros in front; no format on file begins with more of them.
pub(super) const MOST_ZEROS: usize = 2;

/// With more lookalikes than this only all of them at once are tried, to keep the tries few.
const MOST_LOOKALIKES: usize = 6;

/// Which letters may be slips.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    /// All: with them the number has no known shape.
    Anywhere,
    /// Those between digits only: the shape allows letters, and one in ten would pass by chance.
    AmidDigits,
}

/// The number with its leading zeros back, as few as will do, where `wanted` takes the format it then has.
pub(super) fn with_zeros(number: &str, wanted: impl Fn(&Match, &str) -> bool) -> Vec<Repair> {
    if !number.bytes().all(|it| it.is_ascii_digit()) {
        return Vec::new();
    }
    let mut padded = (1..=MOST_ZEROS).map(|zeros| format!("{}{number}", "0".repeat(zeros)));
    padded.find_map(|it| repair(it, RepairCode::LostLeadingZero, &wanted)).into_iter().collect()
}

/// The number with `O`, `I` and `L` read as the digits they look like; as few of them as make a check pass.
pub(super) fn with_digits(number: &str, letters: Letters, wanted: impl Fn(&Match, &str) -> bool) -> Vec<Repair> {
    let places: Vec<usize> = (0..number.len()).filter(|at| is_doubtful(number.as_bytes(), *at, letters)).collect();
    if places.is_empty() {
        return Vec::new();
    }
    let all = if places.len() > MOST_LOOKALIKES { places.len() } else { 1 };
    for count in all..=places.len() {
        let choices = 1_u32..(1 << places.len().min(MOST_LOOKALIKES));
        let choices = choices.filter(|it| usize::try_from(it.count_ones()).is_ok_and(|it| it == count));
        let replaced = if all > 1 { vec![replaced(number, &places)] } else { chosen(number, &places, choices) };
        let found: Vec<_> =
            replaced.into_iter().filter_map(|it| repair(it, RepairCode::LookalikeLetter, &wanted)).collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

fn is_doubtful(number: &[u8], at: usize, letters: Letters) -> bool {
    let like_digit = |at: usize| number.get(at).is_none_or(|it| it.is_ascii_digit() || lookalike(*it).is_some());
    let amid_digits = at.checked_sub(1).is_none_or(like_digit) && like_digit(at + 1);
    number.get(at).is_some_and(|it| lookalike(*it).is_some()) && (amid_digits || letters == Letters::Anywhere)
}

fn chosen(number: &str, places: &[usize], choices: impl Iterator<Item = u32>) -> Vec<String> {
    let picked = |choice: u32| places.iter().enumerate().filter(move |(at, _)| choice >> at & 1 == 1).map(|it| *it.1);
    choices.map(|choice| replaced(number, &picked(choice).collect::<Vec<_>>())).collect()
}

fn replaced(number: &str, places: &[usize]) -> String {
    let digit = |(at, symbol): (usize, char)| {
        let look = u8::try_from(symbol).ok().and_then(lookalike).filter(|_| places.contains(&at));
        look.unwrap_or(symbol)
    };
    number.chars().enumerate().map(digit).collect()
}

fn lookalike(letter: u8) -> Option<char> {
    match letter {
        b'O' => Some('0'),
        b'I' | b'L' => Some('1'),
        _ => None,
    }
}

/// The numbers in the seller's own series that become right by one slip taken back.
pub(super) enum Slips {
    None,
    One(Repair),
    /// So many that none can be told from the others.
    Several(usize),
}

/// Takes back one changed digit, or two neighbours that were swapped, wherever that leads into the seller's own series.
pub(super) fn one_slip_away(number: &str, wrong: &Match, habits: &Habits) -> Slips {
    let fits = |it: &Match, number: &str| it.format.id == wrong.format.id && habits.is_in_range(it, number);
    let swapped = swaps(number).filter_map(|it| repair(it, RepairCode::SwappedNeighbours, &fits));
    let changed = changes(number).filter_map(|it| repair(it, RepairCode::ChangedDigit, &fits));
    let mut found: Vec<Repair> = swapped.chain(changed).collect();
    match (found.pop(), found.len()) {
        (None, _) => Slips::None,
        (Some(only), 0) => Slips::One(only),
        (Some(_), others) => Slips::Several(others + 1),
    }
}

fn swaps(number: &str) -> impl Iterator<Item = String> {
    (1..number.len()).filter_map(|at| {
        let mut bytes = number.as_bytes().to_vec();
        let [a, b] = bytes.get_mut(at - 1..=at)? else { return None };
        std::mem::swap(a, b);
        (a != b).then(|| String::from_utf8(bytes).ok())?
    })
}

fn changes(number: &str) -> impl Iterator<Item = String> {
    let digits = number.bytes().enumerate().filter(|(_, it)| it.is_ascii_digit());
    digits.flat_map(move |(at, was)| {
        (b'0'..=b'9').filter(move |it| *it != was).filter_map(move |it| {
            let mut bytes = number.as_bytes().to_vec();
            *bytes.get_mut(at)? = it;
            String::from_utf8(bytes).ok()
        })
    })
}

fn repair(number: String, code: RepairCode, wanted: &impl Fn(&Match, &str) -> bool) -> Option<Repair> {
    if placeholder::is_made_up(number.as_bytes()) {
        return None;
    }
    let found = detect::matches(&number);
    let carrier = found.iter().find(|it| it.passed() && wanted(it, &number))?.carrier?;
    let detail = match code {
        RepairCode::LostLeadingZero => {
            "With the zeros back that a spreadsheet took from the front the check digit is right."
        }
        RepairCode::LookalikeLetter => "With digits for the letters that look like them the check digit is right.",
        RepairCode::ChangedDigit => "One digit differs from it, and it is the only such number in your own series.",
        RepairCode::SwappedNeighbours => {
            "Two neighbours are swapped against it, and it is the only such number in your own series."
        }
    };
    Some(Repair { number, carrier: CarrierSlug::on_file(carrier), code, detail: detail.to_owned() })
}
