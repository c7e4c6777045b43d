//! Check digits: the character that a number must end in, worked out from those before it.

use serde::Deserialize;

/// How a format works out its check character; its parameters stand in the data file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub(super) enum Rule {
    /// The weighted sum (and `add`) is filled up to the next ten. Letters, which only UPS has in such a number, count
    /// as their ASCII code less 3, modulo 10; products of two digits are not folded.
    ///
    /// Source: GS1 General Specifications 7.9 for 3,1 from the right; UPS for 1,2 from the left.
    WeightedMod10 {
        weights: Vec<u32>,
        from: Side,
        #[serde(default)]
        add: u32,
    },
    /// The sum weighted from the left, modulo 11, then modulo 10: a remainder of 10 is written 0. Source: `FedEx`.
    WeightedMod11 { weights: Vec<u32> },
    /// Every second digit from the right doubled, products folded. Source: ISO/IEC 7812-1, annex B.
    Luhn,
    /// The body read as one number, modulo 7: never 7, 8 or 9. Source: IATA air waybill rule, as DHL uses it.
    Mod7,
    /// Weights 8 6 4 2 3 5 9 7, modulo 11, taken from 11; 10 is written 0 and 11 is written 5. Source: UPU S10.
    S10,
    /// ISO/IEC 7064 MOD 37,36 over digits and letters, as DPD uses it.
    Mod37_36,
}

/// The end from which weights are dealt out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Side {
    Left,
    Right,
}

impl Rule {
    /// The check character of `prefix` and `body` read as one; `prefix` are digits that count but are not printed.
    ///
    /// None where the body has characters that the rule does not know.
    pub(super) fn expected(&self, prefix: &[u8], body: &[u8]) -> Option<u8> {
        let value = match self {
            Self::WeightedMod10 { weights, from, add } => {
                let values = prefix.iter().chain(body).map(|it| folded_value(*it));
                let sum = match from {
                    Side::Left => weighted(values, weights),
                    Side::Right => weighted(values.rev(), weights),
                };
                (10 - (sum? + add) % 10) % 10
            }
            Self::WeightedMod11 { weights } => weighted(digits(prefix, body), weights)? % 11 % 10,
            Self::Luhn => (10 - luhn_sum(digits(prefix, body).rev())? % 10) % 10,
            Self::Mod7 => digits(prefix, body).try_fold(0, |rest, digit| Some((rest * 10 + digit?) % 7))?,
            Self::S10 => match 11 - weighted(digits(prefix, body), &[8, 6, 4, 2, 3, 5, 9, 7])? % 11 {
                10 => 0,
                11 => 5,
                check => check,
            },
            Self::Mod37_36 => mod_37_36(prefix.iter().chain(body))?,
        };
        symbol(value)
    }

    /// The rule in a few words.
    pub(super) fn in_words(&self) -> String {
        let dealt = |weights: &[u32]| weights.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        match self {
            Self::WeightedMod10 { weights, from, add } => {
                let side = match from {
                    Side::Left => "left",
                    Side::Right => "right",
                };
                let plus = if *add > 0 { format!(", plus {add}") } else { String::new() };
                format!("weights {} from the {side}{plus}, modulo 10", dealt(weights))
            }
            Self::WeightedMod11 { weights } => format!("weights {} from the left, modulo 11", dealt(weights)),
            Self::Luhn => "Luhn, modulo 10".to_owned(),
            Self::Mod7 => "modulo 7".to_owned(),
            Self::S10 => "UPU S10, modulo 11".to_owned(),
            Self::Mod37_36 => "ISO 7064 MOD 37,36".to_owned(),
        }
    }

    /// Whether the parameters make sense; a rule without weights would let everything pass.
    pub(super) fn is_sound(&self) -> bool {
        match self {
            Self::WeightedMod10 { weights, .. } | Self::WeightedMod11 { weights } => {
                !weights.is_empty() && weights.iter().all(|it| (1..=9).contains(it))
            }
            Self::Luhn | Self::Mod7 | Self::S10 | Self::Mod37_36 => true,
        }
    }
}

fn digits<'a>(prefix: &'a [u8], body: &'a [u8]) -> impl DoubleEndedIterator<Item = Option<u32>> + 'a {
    prefix.iter().chain(body).map(|it| char::from(*it).to_digit(10))
}

/// A digit as it is; a letter by UPS's rule: A is 2, H is 9, I is 0, J is 1 and so on.
fn folded_value(symbol: u8) -> Option<u32> {
    match symbol {
        b'0'..=b'9' => Some(u32::from(symbol - b'0')),
        b'A'..=b'Z' => Some(u32::from(symbol - 3) % 10),
        _ => None,
    }
}

fn weighted(values: impl Iterator<Item = Option<u32>>, weights: &[u32]) -> Option<u32> {
    let mut products = values.zip(weights.iter().cycle());
    products.try_fold(0, |sum, (value, weight)| Some(sum + value? * weight))
}

fn luhn_sum(from_right: impl Iterator<Item = Option<u32>>) -> Option<u32> {
    from_right.zip([2, 1].iter().cycle()).try_fold(0, |sum, (value, weight)| {
        let product = value? * weight;
        Some(sum + product / 10 + product % 10)
    })
}

fn mod_37_36<'a>(mut symbols: impl Iterator<Item = &'a u8>) -> Option<u32> {
    let product = symbols.try_fold(36, |product, symbol| {
        let sum = (product + char::from(*symbol).to_digit(36)?) % 36;
        Some(if sum == 0 { 36 } else { sum } * 2 % 37)
    })?;
    Some((37 - product) % 36)
}

fn symbol(value: u32) -> Option<u8> {
    match u8::try_from(value).ok()? {
        digit @ 0..=9 => Some(b'0' + digit),
        letter @ 10..=35 => Some(b'A' + letter - 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mod10(weights: &[u32], from: Side, add: u32) -> Rule {
        Rule::WeightedMod10 { weights: weights.to_vec(), from, add }
    }

    #[test]
    fn each_rule_gives_the_digit_worked_out_by_hand() {
        for (what, rule, body, check) in [
            ("GS1: 3*1+2*1 is 5, 5 up to ten", mod10(&[3, 1], Side::Right, 0), "0101", '4'),
            ("a full ten leaves 0", mod10(&[3, 1], Side::Right, 0), "19", '2'),
            ("from the left 1*1+2*2+3*1 is 8", mod10(&[1, 2], Side::Left, 0), "123", '2'),
            ("A is 2 and B is 3: 2*1+3*2 is 8", mod10(&[1, 2], Side::Left, 0), "AB", '2'),
            ("one is added to 3 before the ten", mod10(&[3, 1], Side::Left, 1), "1", '6'),
            ("3*1+1*2+7*3 is 26, 4 above two elevens", Rule::WeightedMod11 { weights: vec![3, 1, 7] }, "123", '4'),
            ("7 doubled is 14, folded 5", Rule::Luhn, "7", '5'),
            ("23 is three sevens and 2", Rule::Mod7, "23", '2'),
            ("nothing but zeros leaves 11, written 5", Rule::S10, "00000000", '5'),
            ("a seven at the end: 49 is 5 above four elevens", Rule::S10, "00000007", '6'),
        ] {
            assert_eq!(rule.expected(b"", body.as_bytes()).map(char::from), Some(check), "{what}");
        }
    }

    #[test]
    fn each_rule_is_told_in_a_few_words() {
        assert_eq!(mod10(&[3, 1], Side::Right, 0).in_words(), "weights 3 1 from the right, modulo 10");
        assert_eq!(mod10(&[1, 2], Side::Left, 1).in_words(), "weights 1 2 from the left, plus 1, modulo 10");
        assert_eq!(Rule::WeightedMod11 { weights: vec![3, 1, 7] }.in_words(), "weights 3 1 7 from the left, modulo 11");
    }

    #[test]
    fn unprinted_digits_count_as_if_they_were_printed() {
        let gs1 = mod10(&[3, 1], Side::Right, 0);
        assert_eq!(gs1.expected(b"91", b"1234"), gs1.expected(b"", b"911234"));
    }

    #[test]
    fn mod_37_36_catches_every_single_slip() {
        let body = *b"0534A8123";
        let right = Rule::Mod37_36.expected(b"", &body).unwrap();
        for place in 0..body.len() {
            for other in b'0'..=b'9' {
                let mut slip = body;
                slip[place] = other;
                assert_eq!(Rule::Mod37_36.expected(b"", &slip) == Some(right), slip == body);
            }
        }
    }

    #[test]
    fn a_character_that_the_rule_does_not_know_gives_no_digit() {
        assert_eq!(Rule::Mod7.expected(b"", b"12A"), None);
        assert_eq!(Rule::S10.expected(b"", b"1234567X"), None);
        assert_eq!(mod10(&[1, 2], Side::Left, 0).expected(b"", b"1-2"), None);
    }
}
