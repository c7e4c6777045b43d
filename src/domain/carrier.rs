//! Carriers: their slugs, their names as people write them, and the pages on which they show a parcel.

pub mod own;

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;

/// A carrier's short name in keys and answers, such as `ups` or `dhl-parcel-de`.
///
/// Not every slug is on file: a seller's own courier has one too, made of the words that the seller wrote.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "ups")]
pub struct CarrierSlug(Cow<'static, str>);

impl CarrierSlug {
    /// The word that declares nothing: the seller's list of carriers had no fitting entry.
    pub const OTHER: &'static str = "other";

    /// A slug that was made by [`recognise`] before, as the store gives it back.
    pub fn from_stored(slug: String) -> Self {
        Self(Cow::Owned(slug))
    }

    pub(crate) fn on_file(slug: &'static str) -> Self {
        Self(Cow::Borrowed(slug))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CarrierSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for CarrierSlug {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// A carrier on file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carrier {
    pub slug: String,
    pub name: String,
    /// Where it is at home; none for carriers of several countries.
    pub country: Option<String>,
    /// The page that shows a parcel, `{n}` standing for its number; some carriers have only a form to fill in.
    pub tracking_url: Option<String>,
    pub aliases: Vec<String>,
    /// Names that tell a service along with the carrier.
    #[serde(default)]
    services: BTreeMap<String, String>,
    /// Carriers of the same house whose numbers this one uses as well.
    #[serde(default)]
    also: Vec<String>,
}

impl Carrier {
    /// The page that shows this parcel; none where the carrier has no such page, or only a form to fill in.
    pub fn url_for(&self, number: &str) -> Option<String> {
        filled_in(self.tracking_url.as_deref()?, number)
    }
}

/// The address with the number in the place of `{n}`; none where it has no such place.
fn filled_in(template: &str, number: &str) -> Option<String> {
    let (before, after) = template.split_once("{n}")?;
    let mut url = String::with_capacity(template.len() + number.len());
    url.push_str(before);
    percent_encode(number, &mut url);
    url.push_str(after);
    Some(url)
}

fn percent_encode(text: &str, into: &mut String) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            let nibbles = [byte >> 4, byte & 15].map(|it| HEX.get(usize::from(it)).copied().unwrap_or('0'));
            into.push('%');
            into.extend(nibbles);
        }
    }
}

/// What a seller's word for a carrier says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredCarrier {
    pub slug: CarrierSlug,
    /// What was written behind the carrier's name, lower case: `priority` of "USPS Priority".
    pub service: Option<String>,
    /// Whether the carrier is on file, or the seller's own.
    pub known: bool,
    family: &'static [String],
}

impl DeclaredCarrier {
    /// Whether a number of this carrier fits what was declared.
    ///
    /// Bare "DHL" is fitted by every DHL; a carrier also by those of its house whose numbers it uses.
    pub fn accepts(&self, slug: &str) -> bool {
        self.slug.as_str() == slug || self.family.iter().any(|it| it == slug)
    }

    /// False for "other", which a number can never contradict.
    pub fn declares(&self) -> bool {
        self.slug.as_str() != CarrierSlug::OTHER
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Register {
    #[serde(rename = "version")]
    _version: String,
    families: Vec<Family>,
    carriers: Vec<Carrier>,
}

/// A word that several carriers of one house share.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    aliases: Vec<String>,
    /// What the bare word is taken for until a number says otherwise.
    slug: String,
    members: Vec<String>,
}

#[derive(Clone, Copy)]
struct Named {
    slug: &'static str,
    service: Option<&'static str>,
    family: &'static [String],
}

const DATA: &str = include_str!("data/carriers.json");

/// Longer names are cut before they are read, so that a cell of a megabyte costs nothing.
const LONGEST_NAME: usize = 200;

/// No name on file has more words.
const MOST_WORDS: usize = 8;

/// A seller's own carrier is known by this much of its name.
const LONGEST_SLUG: usize = 64;

static REGISTER: LazyLock<Register> = LazyLock::new(|| serde_json::from_str(DATA).unwrap_or_default());

static BY_SLUG: LazyLock<HashMap<&'static str, &'static Carrier>> =
    LazyLock::new(|| REGISTER.carriers.iter().map(|it| (it.slug.as_str(), it)).collect());

/// Every name on file with its words run together, so that "Royal Mail" and "royalmail" are one.
static BY_NAME: LazyLock<HashMap<String, Named>> = LazyLock::new(|| {
    let mut names = HashMap::new();
    for carrier in &REGISTER.carriers {
        let named = Named { slug: &carrier.slug, service: None, family: &carrier.also };
        let written = [&carrier.slug, &carrier.name].into_iter().chain(&carrier.aliases);
        // As written besides, which spares the well-written ones the folding.
        names.extend(written.flat_map(|name| [(words_of(name).concat(), named), (name.clone(), named)]));
        let services = carrier.services.iter();
        names.extend(services.map(|(name, of)| (words_of(name).concat(), Named { service: Some(of), ..named })));
    }
    for family in &REGISTER.families {
        let named = Named { slug: &family.slug, service: None, family: &family.members };
        names.extend(family.aliases.iter().map(|name| (words_of(name).concat(), named)));
    }
    for word in ["other", "others", "unknown", "none", "na", "andere", "autre", "otro", "altro"] {
        names.insert(word.to_owned(), Named { slug: CarrierSlug::OTHER, service: None, family: &[] });
    }
    names
});

/// All carriers on file, by slug.
pub fn all() -> &'static [Carrier] {
    &REGISTER.carriers
}

/// The carrier of this exact slug.
pub fn by_slug(slug: &str) -> Option<&'static Carrier> {
    BY_SLUG.get(slug).copied()
}

/// Reads a carrier as people write it; `None` where nothing is written.
///
/// Case, spaces, dots, `_` and trade mark signs do not count. Words behind a known name are its service, so
/// "USPS Priority" is `usps` with service `priority`; an unknown name becomes a slug of its own.
pub fn recognise(text: &str) -> Option<DeclaredCarrier> {
    if let Some(named) = BY_NAME.get(text) {
        return Some(declared(*named, None));
    }
    let words = words_of(text);
    for known_words in (1..=words.len().min(MOST_WORDS)).rev() {
        let (name, rest) = words.split_at(known_words);
        if let Some(named) = BY_NAME.get(&name.concat()) {
            // "Other Courier" is somebody's name, not the word that declares nothing.
            if named.slug == CarrierSlug::OTHER && !rest.is_empty() {
                continue;
            }
            return Some(declared(*named, (!rest.is_empty()).then(|| rest.join(" "))));
        }
    }
    let slug: String = words.join("-").chars().take(LONGEST_SLUG).collect();
    let slug = slug.trim_end_matches('-').to_owned();
    (!slug.is_empty()).then(|| DeclaredCarrier {
        slug: CarrierSlug::from_stored(slug),
        service: None,
        known: false,
        family: &[],
    })
}

fn declared(named: Named, rest: Option<String>) -> DeclaredCarrier {
    let service = match (named.service, rest) {
        (Some(of_name), Some(rest)) => Some(format!("{of_name} {rest}")),
        (of_name, rest) => rest.or(of_name.map(str::to_owned)),
    };
    let known = named.slug != CarrierSlug::OTHER;
    DeclaredCarrier { slug: CarrierSlug::on_file(named.slug), service, known, family: named.family }
}

/// The words of a name, lower case: letters and digits, with dots and apostrophes left out ("U.S." is one word).
fn words_of(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let marks =
        |c: &char| !matches!(c, '®' | '™' | '©' | '.' | '\'' | '’' | '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{ad}');
    for c in text.chars().take(LONGEST_NAME).filter(marks).nfkc().flat_map(char::to_lowercase) {
        match words.last_mut() {
            Some(word) if c.is_alphanumeric() => word.push(c),
            _ => words.push(String::new()),
        }
    }
    words.retain(|it| !it.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_carrier_is_known_as_people_write_it() {
        for (text, slug, service) in [
            ("USPS Priority", "usps", Some("priority")),
            ("U.S. Postal Service", "usps", None),
            ("UPS®", "ups", None),
            ("ups.", "ups", None),
            ("\u{a0}United\u{a0}Parcel Service ", "ups", None),
            ("ＦｅｄＥｘ Ground", "fedex", Some("ground")),
            ("fed_ex", "fedex", None),
            ("dhl_ecommerce", "dhl-ecommerce", None),
            ("DHL Express", "dhl-express", None),
            ("DHL Paket", "dhl-parcel-de", None),
            ("DHL", "dhl-express", None),
            ("DeutschePost", "deutsche-post", None),
            ("RoyalMail", "royal-mail", None),
            ("Royal Mail Tracked 24", "royal-mail", Some("tracked 24")),
            ("China EMS", "china-post", Some("ems")),
            ("china_ems", "china-post", Some("ems")),
            ("Österreichische Post", "austrian-post", None),
            ("J&T Express", "jt-express", None),
            ("4PX", "4px", None),
        ] {
            let read = recognise(text).unwrap();
            assert_eq!((read.slug.as_str(), read.service.as_deref(), read.known), (slug, service, true), "{text}");
        }
    }

    #[test]
    fn an_unknown_name_becomes_a_slug_of_its_own() {
        for (text, slug) in [
            ("Bob's Bikes & Co.", "bobs-bikes-co"),
            ("Other Courier", "other-courier"),
            ("顺丰 速运", "顺丰-速运"),
            ("a--b__c", "a-b-c"),
        ] {
            let read = recognise(text).unwrap();
            assert_eq!((read.slug.as_str(), read.known), (slug, false), "{text}");
            assert_eq!(recognise(slug).unwrap(), read, "{text}: its slug reads as itself");
        }
        assert_eq!(recognise(&"long name ".repeat(1000)).unwrap().slug.as_str().chars().count(), LONGEST_SLUG);
    }

    #[test]
    fn other_and_blank_declare_nothing() {
        assert!(!recognise(" Other ").unwrap().declares());
        assert_eq!(recognise("  \u{a0}"), None);
        assert_eq!(recognise("---"), None);
    }

    #[test]
    fn bare_dhl_is_fitted_by_every_dhl_and_a_full_name_by_its_own_only() {
        let bare = recognise("DHL").unwrap();
        assert!(["dhl-express", "dhl-ecommerce", "dhl-parcel-de"].iter().all(|it| bare.accepts(it)));
        assert!(!bare.accepts("ups"));
        assert!(!recognise("DHL Express").unwrap().accepts("dhl-ecommerce"));
    }

    #[test]
    fn the_page_of_a_parcel_holds_its_number_encoded() {
        let ups = by_slug("ups").unwrap();
        assert_eq!(ups.url_for("1Z9").as_deref(), Some("https://www.ups.com/track?tracknum=1Z9"));
        assert!(ups.url_for("a b&é").unwrap().ends_with("=a%20b%26%C3%A9"));
        assert_eq!(by_slug("india-post").unwrap().url_for("1Z9"), None, "its page has a form to fill in");
    }

    #[test]
    fn the_data_file_loads_and_no_name_stands_for_two_carriers() {
        let register: Register = serde_json::from_str(DATA).unwrap();
        let mut owners: HashMap<String, &str> = HashMap::new();
        let slugs: BTreeSet<_> = register.carriers.iter().map(|it| it.slug.as_str()).collect();
        assert_eq!(slugs.len(), register.carriers.len());
        for carrier in &register.carriers {
            let names =
                [&carrier.slug, &carrier.name].into_iter().chain(&carrier.aliases).chain(carrier.services.keys());
            for name in names {
                let owner = owners.insert(words_of(name).concat(), &carrier.slug);
                assert!(owner.is_none_or(|it| it == carrier.slug), "{name} is also {owner:?}");
            }
            assert!(carrier.also.iter().all(|it| slugs.contains(it.as_str())), "{}", carrier.slug);
            assert_eq!(recognise(&carrier.slug).unwrap().slug.as_str(), carrier.slug);
        }
        for family in &register.families {
            assert!(family.members.iter().chain([&family.slug]).all(|it| slugs.contains(it.as_str())));
            assert!(family.aliases.iter().all(|it| !owners.contains_key(&words_of(it).concat())));
        }
    }
}
