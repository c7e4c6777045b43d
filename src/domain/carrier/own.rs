//! Carriers that a seller defined: their names, the page of a parcel, and what their numbers look like.

use super::{CarrierSlug, DeclaredCarrier, MOST_WORDS, by_slug, filled_in, recognise as on_file, words_of};
use crate::domain::country::{CountryCode, UnknownCountry};
use crate::domain::name;
use crate::domain::tracking_number::{self, NumberPattern, PatternFault};

pub const MOST_ALIASES: usize = 20;
pub const MOST_PATTERNS: usize = 10;
const LONGEST_NAME: usize = 64;
const LONGEST_URL: usize = 500;

/// A carrier of one seller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCarrier {
    pub slug: CarrierSlug,
    pub name: String,
    pub aliases: Vec<String>,
    pub country: Option<String>,
    /// The page that shows a parcel, `{n}` standing for its number.
    pub tracking_url: Option<String>,
    pub patterns: Vec<NumberPattern>,
    /// Slug, name and aliases with their words run together.
    names: Vec<String>,
}

/// A carrier as its seller tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    pub name: String,
    pub aliases: Vec<String>,
    /// A code or a name.
    pub country: Option<String>,
    pub tracking_url: Option<String>,
    pub patterns: Vec<String>,
}

/// Why a carrier cannot be defined so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OwnCarrierFault {
    #[error("`{0}` is no slug: letters and digits, with single dashes between words, as in bobs-bikes.")]
    NoSlug(String),
    #[error("`{told}` is no slug; write `{slug}`.")]
    OtherSlug { told: String, slug: CarrierSlug },
    #[error("`{0}` is on file already.")]
    OnFile(String),
    #[error("`{told}` is read as {name}, which is on file already.")]
    ReadAsOnFile { told: String, name: String },
    #[error("`{0}` names no carrier; choose another word.")]
    NamesNone(String),
    #[error("A carrier's name has 1 to {LONGEST_NAME} characters, some of them letters or digits.")]
    Name,
    #[error("An alias has 1 to {LONGEST_NAME} characters, some of them letters or digits.")]
    Alias(usize),
    #[error("A carrier has at most {MOST_ALIASES} aliases.")]
    TooManyAliases,
    #[error("A carrier has at most {MOST_PATTERNS} patterns.")]
    TooManyPatterns,
    #[error(transparent)]
    Country(#[from] UnknownCountry),
    #[error(transparent)]
    TrackingUrl(#[from] UrlFault),
    #[error("{1}")]
    Pattern(usize, PatternFault),
}

/// Why an address is no template for a carrier's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    #[error("A tracking URL has at most {LONGEST_URL} characters.")]
    TooLong,
    #[error("A tracking URL starts with https:// or http://.")]
    Scheme,
    #[error("A tracking URL names a host behind https://, such as track.example.com, without a user or password.")]
    Host,
    #[error("A tracking URL holds {{n}} once, behind the host, where the number stands.")]
    Number,
    #[error("A tracking URL holds no blanks, quotation marks, backslashes or angle brackets; write %20 for a blank.")]
    Character,
}

impl OwnCarrier {
    /// Defines a carrier under a slug.
    ///
    /// No name may be read as that of a carrier on file, not even with a service behind it: "UPS Bikes" is UPS.
    ///
    /// # Errors
    ///
    /// [`OwnCarrierFault`], whose sentence says what to write instead.
    pub fn define(slug: &str, told: Told) -> Result<Self, OwnCarrierFault> {
        let slug = proper_slug(slug)?;
        let name = free_name(&told.name)?.ok_or(OwnCarrierFault::Name)?;
        if told.aliases.len() > MOST_ALIASES {
            return Err(OwnCarrierFault::TooManyAliases);
        }
        let alias = |(at, it): (usize, &String)| free_name(it)?.ok_or(OwnCarrierFault::Alias(at));
        let aliases = told.aliases.iter().enumerate().map(alias).collect::<Result<_, _>>()?;
        let country = told.country.as_deref().map(CountryCode::recognise).transpose()?;
        if let Some(url) = &told.tracking_url {
            check_url(url)?;
        }
        if told.patterns.len() > MOST_PATTERNS {
            return Err(OwnCarrierFault::TooManyPatterns);
        }
        let pattern =
            |(at, it): (usize, &String)| NumberPattern::parse(it).map_err(|fault| OwnCarrierFault::Pattern(at, fault));
        let patterns = told.patterns.iter().enumerate().map(pattern).collect::<Result<_, _>>()?;
        let country = country.map(String::from);
        Ok(Self { names: Vec::new(), slug, name, aliases, country, tracking_url: told.tracking_url, patterns }.named())
    }

    /// A carrier that was defined before, as the store gives it back.
    pub fn from_stored(slug: String, kept: Told) -> Self {
        let Told { name, aliases, country, tracking_url, patterns } = kept;
        let patterns = patterns.iter().filter_map(|it| NumberPattern::parse(it).ok()).collect();
        let slug = CarrierSlug::from_stored(slug);
        Self { names: Vec::new(), slug, name, aliases, country, tracking_url, patterns }.named()
    }

    fn named(mut self) -> Self {
        let written = [self.slug.as_str(), &self.name].into_iter().chain(self.aliases.iter().map(String::as_str));
        self.names = written.map(key).collect();
        self
    }

    /// The first of its patterns that this number has, and which one it is.
    pub fn fitting(&self, number: &str) -> Option<(usize, &NumberPattern)> {
        self.patterns.iter().enumerate().find(|(_, it)| it.fits(number))
    }

    /// A word by which another carrier of the seller is known as well.
    pub fn shared_name(&self, other: &Self) -> Option<&str> {
        let at = self.names.iter().position(|it| other.names.contains(it))?;
        match at {
            0 => Some(self.slug.as_str()),
            1 => Some(&self.name),
            alias => self.aliases.get(alias - 2).map(String::as_str),
        }
    }

    fn declared(&self, service: Option<String>) -> DeclaredCarrier {
        DeclaredCarrier { slug: self.slug.clone(), service, known: true, family: &[] }
    }
}

/// Reads a carrier as people write it, a seller's own before one on file.
///
/// A name on file wins over an own name that is only the beginning of what is written: of somebody whose courier is
/// "Royal", "Royal Mail" is still Royal Mail.
pub fn recognise(text: &str, own: &[OwnCarrier]) -> Option<DeclaredCarrier> {
    if own.is_empty() {
        return on_file(text);
    }
    let words = words_of(text);
    let named = |words: &[String]| {
        let key = words.concat();
        own.iter().find(|it| it.names.contains(&key))
    };
    if let Some(carrier) = named(&words) {
        return Some(carrier.declared(None));
    }
    let other = on_file(text)?;
    if other.known || !other.declares() {
        return Some(other);
    }
    let with_service = (1..words.len().min(MOST_WORDS)).rev().find_map(|known_words| {
        let (name, service) = words.split_at(known_words);
        named(name).map(|carrier| carrier.declared(Some(service.join(" "))))
    });
    Some(with_service.unwrap_or(other))
}

/// The seller's own carrier of this exact slug.
pub fn find<'o>(slug: &str, own: &'o [OwnCarrier]) -> Option<&'o OwnCarrier> {
    own.iter().find(|it| it.slug.as_str() == slug)
}

/// The name of the carrier of this slug; none where it is neither the seller's own nor on file.
pub fn name_of<'o>(slug: &str, own: &'o [OwnCarrier]) -> Option<&'o str> {
    find(slug, own).map(|it| it.name.as_str()).or_else(|| by_slug(slug).map(|it| it.name.as_str()))
}

/// The page of a parcel at the carrier of this slug; none where there is no such page, or no such carrier.
pub fn page_of(slug: &str, number: &str, own: &[OwnCarrier]) -> Option<String> {
    match find(slug, own) {
        Some(carrier) => filled_in(carrier.tracking_url.as_deref()?, number),
        None => by_slug(slug)?.url_for(number),
    }
}

/// The slug that a carrier of this name has.
///
/// # Errors
///
/// [`OwnCarrierFault`] where the name is none, or not free.
pub fn slug_for(name: &str) -> Result<CarrierSlug, OwnCarrierFault> {
    free_name(name)?.and_then(|it| on_file(&it)).map(|it| it.slug).ok_or(OwnCarrierFault::Name)
}

fn key(name: &str) -> String {
    words_of(name).concat()
}

fn proper_slug(told: &str) -> Result<CarrierSlug, OwnCarrierFault> {
    free(told)?;
    let read = on_file(told).ok_or_else(|| OwnCarrierFault::NoSlug(told.to_owned()))?;
    if read.slug.as_str() == told {
        return Ok(read.slug);
    }
    Err(OwnCarrierFault::OtherSlug { told: told.to_owned(), slug: read.slug })
}

/// The name without blanks around it; none where it is none.
fn free_name(told: &str) -> Result<Option<String>, OwnCarrierFault> {
    let Some(name) = name::plain(told, LONGEST_NAME).filter(|it| !key(it).is_empty()) else { return Ok(None) };
    free(name)?;
    Ok(Some(name.to_owned()))
}

/// Whether a word names no carrier so far.
fn free(told: &str) -> Result<(), OwnCarrierFault> {
    let Some(read) = on_file(told) else { return Ok(()) };
    let told = told.to_owned();
    if !read.declares() {
        return Err(OwnCarrierFault::NamesNone(told));
    }
    if tracking_number::is_postal_operator(read.slug.as_str()) && !read.known {
        return Err(OwnCarrierFault::OnFile(told));
    }
    match by_slug(read.slug.as_str()).filter(|_| read.known) {
        None => Ok(()),
        Some(_) if read.service.is_none() => Err(OwnCarrierFault::OnFile(told)),
        Some(carrier) => Err(OwnCarrierFault::ReadAsOnFile { told, name: carrier.name.clone() }),
    }
}

/// Sees that an address can be a link with the number in it.
fn check_url(url: &str) -> Result<(), UrlFault> {
    if url.chars().nth(LONGEST_URL).is_some() {
        return Err(UrlFault::TooLong);
    }
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '`' | '\\' | '<' | '>');
    if url.contains(odd) {
        return Err(UrlFault::Character);
    }
    let (scheme, rest) = url.split_once("://").ok_or(UrlFault::Scheme)?;
    if !["https", "http"].iter().any(|it| scheme.eq_ignore_ascii_case(it)) {
        return Err(UrlFault::Scheme);
    }
    let (authority, behind) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if !is_host(authority) {
        return Err(UrlFault::Host);
    }
    let braces = behind.matches(['{', '}']).count();
    if braces == 2 && behind.contains("{n}") { Ok(()) } else { Err(UrlFault::Number) }
}

/// Whether it is a host's name or address, perhaps with a port.
fn is_host(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    let is_label = |it: &str| it.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_')) && !it.is_empty();
    let address = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let is_named = host.strip_suffix('.').unwrap_or(host).split('.').all(is_label);
    port.is_none_or(is_port) && address.map_or(is_named, |it| it.parse::<std::net::Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests;
