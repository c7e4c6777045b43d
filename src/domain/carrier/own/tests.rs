//! What may be a seller's own carrier, and how it is recognised.

use super::*;

fn told(name: &str) -> Told {
    Told { name: name.to_owned(), ..Told::default() }
}

fn bobs() -> OwnCarrier {
    let aliases = vec!["BB Couriers".to_owned(), "Royal".to_owned()];
    let tracking_url = Some("https://bobs.example/t?n={n}".to_owned());
    OwnCarrier::define("bobs-bikes", Told { aliases, tracking_url, ..told("Bob's Bikes") }).unwrap()
}

#[test]
fn an_own_carrier_is_known_by_slug_name_and_alias_as_people_write_them() {
    let own = [bobs()];
    for (text, slug, service, known) in [
        ("bobs-bikes", "bobs-bikes", None, true),
        ("BOB’S  BIKES", "bobs-bikes", None, true),
        ("BobsBikes", "bobs-bikes", None, true),
        ("bb_couriers", "bobs-bikes", None, true),
        ("Bob's Bikes Express", "bobs-bikes", Some("express"), true),
        ("royal", "bobs-bikes", None, true),
        ("Royal Mail", "royal-mail", None, true),
        ("Royal Mail Tracked 24", "royal-mail", Some("tracked 24"), true),
        ("UPS", "ups", None, true),
        ("Bob's", "bobs", None, false),
        ("other", "other", None, false),
    ] {
        let read = recognise(text, &own).unwrap();
        assert_eq!((read.slug.as_str(), read.service.as_deref(), read.known), (slug, service, known), "{text}");
    }
    assert_eq!(recognise(" - ", &own), None);
    let elsewhere = recognise("Bob's Bikes", &[]).unwrap();
    assert_eq!((elsewhere.slug.as_str(), elsewhere.known), ("bobs-bikes", false), "to any other seller");
}

#[test]
fn a_slug_is_written_as_it_is_kept() {
    let on_file = |word: &str| OwnCarrierFault::OnFile(word.to_owned());
    let other = |told: &str, slug: &str| OwnCarrierFault::OtherSlug {
        told: told.to_owned(),
        slug: CarrierSlug::from_stored(slug.to_owned()),
    };
    for (slug, expected) in [
        ("bobs-bikes", None),
        ("顺风-速运", None),
        ("bike4u", None),
        ("Bobs-Bikes", Some(other("Bobs-Bikes", "bobs-bikes"))),
        ("bobs bikes", Some(other("bobs bikes", "bobs-bikes"))),
        ("bobs--bikes", Some(other("bobs--bikes", "bobs-bikes"))),
        ("-", Some(OwnCarrierFault::NoSlug("-".to_owned()))),
        ("", Some(OwnCarrierFault::NoSlug(String::new()))),
        ("ups", Some(on_file("ups"))),
        ("UPS", Some(on_file("UPS"))),
        ("dhl", Some(on_file("dhl"))),
        ("post-ad", Some(on_file("post-ad"))),
        ("other", Some(OwnCarrierFault::NamesNone("other".to_owned()))),
        ("ups-bikes", Some(OwnCarrierFault::ReadAsOnFile { told: "ups-bikes".to_owned(), name: "UPS".to_owned() })),
    ] {
        assert_eq!(OwnCarrier::define(slug, told("Somebody")).err(), expected, "{slug}");
    }
    assert_eq!(slug_for(" Bob's Bikes & Co. ").unwrap().as_str(), "bobs-bikes-co");
    assert_eq!(slug_for("Royal Mail"), Err(on_file("Royal Mail")));
    assert_eq!(slug_for("..."), Err(OwnCarrierFault::Name));
}

#[test]
fn a_definition_that_cannot_work_is_refused() {
    let with = |change: fn(&mut Told)| {
        let mut it = told("Bob's Bikes");
        change(&mut it);
        OwnCarrier::define("bobs-bikes", it).err()
    };
    let too_short = PatternFault::TooShort("digit*5".to_owned());
    for (what, fault, expected) in [
        ("nothing but a name", with(|_| ()), None),
        ("a blank name", with(|it| it.name = "  ".to_owned()), Some(OwnCarrierFault::Name)),
        ("a name of signs", with(|it| it.name = "***".to_owned()), Some(OwnCarrierFault::Name)),
        ("a long name", with(|it| it.name = "b".repeat(65)), Some(OwnCarrierFault::Name)),
        ("a name on file", with(|it| it.name = "FedEx".to_owned()), Some(OwnCarrierFault::OnFile("FedEx".to_owned()))),
        (
            "an alias on file",
            with(|it| it.aliases = vec!["Bob".to_owned(), "dhl".to_owned()]),
            Some(OwnCarrierFault::OnFile("dhl".to_owned())),
        ),
        (
            "a blank alias",
            with(|it| it.aliases = vec!["Bob".to_owned(), String::new()]),
            Some(OwnCarrierFault::Alias(1)),
        ),
        ("20 aliases", with(|it| it.aliases = vec!["Bob".to_owned(); 20]), None),
        ("21 aliases", with(|it| it.aliases = vec!["Bob".to_owned(); 21]), Some(OwnCarrierFault::TooManyAliases)),
        ("a country by name", with(|it| it.country = Some("Germany".to_owned())), None),
        (
            "no country",
            with(|it| it.country = Some("Narnia".to_owned())),
            Some(OwnCarrierFault::Country(UnknownCountry("Narnia".to_owned()))),
        ),
        (
            "no URL",
            with(|it| it.tracking_url = Some("bobs.example/{n}".to_owned())),
            Some(OwnCarrierFault::TrackingUrl(UrlFault::Scheme)),
        ),
        ("10 patterns", with(|it| it.patterns = vec!["=BB digit*6".to_owned(); 10]), None),
        (
            "11 patterns",
            with(|it| it.patterns = vec!["=BB digit*6".to_owned(); 11]),
            Some(OwnCarrierFault::TooManyPatterns),
        ),
        (
            "a short pattern",
            with(|it| it.patterns = vec!["=BB digit*6".to_owned(), "digit*5".to_owned()]),
            Some(OwnCarrierFault::Pattern(1, too_short)),
        ),
    ] {
        assert_eq!(fault, expected, "{what}");
    }
}

#[test]
fn a_tracking_url_is_a_link_with_one_place_for_the_number() {
    let long = format!("https://t.example/{{n}}/{}", "x".repeat(480));
    for (url, expected) in [
        ("https://track.example.com/{n}", Ok(())),
        ("http://track.example.com:8443/?a=b&n={n}#top", Ok(())),
        ("HTTPS://bücher.example/{n}", Ok(())),
        ("https://[2001:db8::1]/{n}", Ok(())),
        ("https://localhost/#{n}", Ok(())),
        ("track.example.com/{n}", Err(UrlFault::Scheme)),
        ("javascript://x/{n}", Err(UrlFault::Scheme)),
        ("javascript:alert({n})", Err(UrlFault::Scheme)),
        ("ftp://t.example/{n}", Err(UrlFault::Scheme)),
        ("https:///{n}", Err(UrlFault::Host)),
        ("https://?n={n}", Err(UrlFault::Host)),
        ("https://{n}.example.com/", Err(UrlFault::Host)),
        ("https://bob@t.example/{n}", Err(UrlFault::Host)),
        ("https://bob:secret@t.example/{n}", Err(UrlFault::Host)),
        ("https://t.example:port/{n}", Err(UrlFault::Host)),
        ("https://t..example/{n}", Err(UrlFault::Host)),
        ("https://[bob]/{n}", Err(UrlFault::Host)),
        ("https://t.example/", Err(UrlFault::Number)),
        ("https://t.example/{n}/{n}", Err(UrlFault::Number)),
        ("https://t.example/{number}", Err(UrlFault::Number)),
        ("https://t.example/{n}?a={b}", Err(UrlFault::Number)),
        ("https://t.example/ {n}", Err(UrlFault::Character)),
        ("https://t.example\\@evil.example/{n}", Err(UrlFault::Character)),
        ("https://t.example/\"{n}", Err(UrlFault::Character)),
        (&long, Err(UrlFault::TooLong)),
    ] {
        assert_eq!(check_url(url), expected, "{url}");
    }
}

#[test]
fn a_name_that_two_own_carriers_share_is_told() {
    let bobs = bobs();
    for (slug, it, shared) in [
        ("bobs-vans", told("Bob's Vans"), None),
        ("bobsbikes", told("Somebody"), Some("bobsbikes")),
        ("vans", told("BOBS BIKES"), Some("BOBS BIKES")),
        ("vans", Told { aliases: vec!["V".to_owned(), "bb couriers".to_owned()], ..told("Vans") }, Some("bb couriers")),
    ] {
        let other = OwnCarrier::define(slug, it).unwrap();
        assert_eq!(other.shared_name(&bobs), shared, "{slug}");
    }
}

#[test]
fn name_and_page_are_the_seller_s_own_before_those_on_file() {
    let own = [bobs()];
    assert_eq!(name_of("bobs-bikes", &own), Some("Bob's Bikes"));
    assert_eq!(name_of("ups", &own), Some("UPS"));
    assert_eq!(name_of("bobs-bikes", &[]), None);
    assert_eq!(page_of("bobs-bikes", "BB 1", &own).as_deref(), Some("https://bobs.example/t?n=BB%201"));
    assert_eq!(page_of("ups", "1Z9", &own).as_deref(), Some("https://www.ups.com/track?tracknum=1Z9"));
    assert_eq!(page_of("bobs-bikes", "BB1", &[]), None);
}

#[test]
fn what_was_stored_comes_back_as_it_was_defined() {
    let told = Told {
        aliases: vec!["BB".to_owned()],
        country: Some("GB".to_owned()),
        tracking_url: Some("https://bobs.example/{n}".to_owned()),
        patterns: vec!["=BB digit*6".to_owned()],
        ..told("Bob's Bikes")
    };
    let defined = OwnCarrier::define("bobs-bikes", told.clone()).unwrap();
    assert_eq!(OwnCarrier::from_stored("bobs-bikes".to_owned(), told.clone()), defined);
    let unreadable = Told { patterns: vec!["=BB digit*6".to_owned(), "gone*3".to_owned()], ..told };
    assert_eq!(
        OwnCarrier::from_stored("bobs-bikes".to_owned(), unreadable),
        defined,
        "what cannot be read is left out"
    );
}
