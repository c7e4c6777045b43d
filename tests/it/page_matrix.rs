//! Every page with every identity of another seller, asked as nobody and in each role. The pages come from
//! the table of routes, so a new one without an entry here fails.

use crate::browser::Browser;
use crate::matrix::{CARRIER, EMAIL, NUMBER, ORDER, Victim, state, victim};
use crate::server::{Database, Server};
use parceltrail::PageRoute;
use reqwest::Method;

on_both!(no_page_shows_a_byte_of_another_seller);

const PASSWORD: &str = "correct horse battery";
const ROLES: [&str; 3] = ["seller-viewer", "seller-clerk", "seller-manager"];

/// Where a page is asked for, and with what fields.
type Ask = (String, Vec<(&'static str, String)>);

/// How a page is tried; `None` for one that nobody has thought of.
#[allow(clippy::match_same_arms, reason = "one line a page, in the order of the pages")]
fn asks(method: &str, path: &str, it: &Victim) -> Option<Vec<Ask>> {
    let at = |id: &str| path.replace("{id}", id).replace("{token}", id);
    let bare = |path: String| Some(vec![(path, Vec::new())]);
    match (method, path) {
        ("GET", "/imports") => bare(path.to_owned()),
        // A file that is sent without the form's token is nobody's.
        ("POST", "/imports") => bare(path.to_owned()),
        ("GET", "/imports/{id}" | "/imports/{id}/repaired.csv")
        | ("POST", "/imports/{id}/commit" | "/imports/{id}/cancel" | "/imports/{id}/undo") => bare(at(&it.import)),
        ("GET", "/" | "/sign-in" | "/settings") | ("POST", "/sign-in") => bare(path.to_owned()),
        ("GET", "/invitations/{token}") => bare(at(&it.user)),
        ("POST", "/invitations/{token}") => {
            let fields = [("name", "Ben"), ("password", PASSWORD), ("again", PASSWORD)];
            Some(vec![(at(&it.user), fields.map(|(name, value)| (name, value.to_owned())).to_vec())])
        }
        ("GET", "/shipments") => Some(
            [ORDER, NUMBER, EMAIL, ""].map(|q| (format!("/shipments?q={}", crate::browser::escaped(q)), vec![])).into(),
        ),
        ("GET", "/shipments/{id}") => bare(at(&it.shipment)),
        ("POST", "/shipments/{id}/number") => {
            let fields = vec![("tracking_number", crate::parcels::ups(77)), ("carrier", "UPS".to_owned())];
            Some(vec![(at(&it.shipment), fields)])
        }
        ("POST", "/settings/keys/{id}/revoke") => bare(at(&it.api_key)),
        ("POST", "/settings/people/{id}/remove") => bare(at(&it.user)),
        ("POST", "/settings/shops/{id}") => {
            let fields = vec![("name", "taken over".to_owned()), ("contact_days", "1".to_owned())];
            Some(vec![(at(&it.shop), fields)])
        }
        ("POST", "/settings/carriers/{slug}/remove") => bare(path.replace("{slug}", CARRIER)),
        ("POST", "/settings" | "/settings/keys" | "/settings/people" | "/settings/shops" | "/settings/carriers") => {
            bare(path.to_owned())
        }
        ("POST", "/sign-out") => Some(Vec::new()),
        _ => None,
    }
}

fn no_page_shows_a_byte_of_another_seller(database: Database) {
    let server = Server::start(database);
    let it = victim(&server);
    let before = state(&server, &it);
    let own = server.seller("Lantern & Loom", "Europe/Berlin").key;
    let mut people =
        ROLES.map(|role| (role, Browser::joined(&server, &own, (&format!("{role}@example.com"), PASSWORD), role)));
    let mut faults = Vec::new();
    for PageRoute { method, path, access } in parceltrail::pages() {
        let Some(asks) = asks(&method, &path, &it) else {
            faults.push(format!("{method} {path}: a new page has no entry in this matrix"));
            continue;
        };
        let method: Method = method.parse().unwrap();
        for (at, fields) in asks {
            if access != "page for anybody" {
                let form: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let sent = (method == Method::POST).then_some(form.as_slice());
                let answer = Browser::new(&server).send(&method, &at, &[], sent);
                if answer.status != 303 || !answer.header("location").starts_with("/sign-in") {
                    faults.push(format!("{method} {at} as nobody: {}", answer.status));
                }
            }
            for (role, browser) in &mut people {
                faults.extend(tried(browser, &it, (role, access), (&method, &path, &at), &fields));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert_eq!(state(&server, &it), before, "something of the other seller was changed");
}

/// What is wrong with the answer to one ask.
fn tried(
    browser: &mut Browser<'_>,
    it: &Victim,
    (role, access): (&str, &str),
    (method, path, at): (&Method, &str, &str),
    fields: &[(&'static str, String)],
) -> Vec<String> {
    browser.get("/shipments").must_be(200);
    let csrf = browser.csrf.clone();
    let form: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (*name, value.as_str())).chain([("csrf", csrf.as_str())]).collect();
    let answer = browser.send(method, at, &[], (*method == Method::POST).then_some(form.as_slice()));
    let name = format!("{method} {at} as {role}");
    let mut faults = Vec::new();
    let refused = match access {
        "page for seller-manager" => role != "seller-manager",
        "page from seller-clerk on" => role == "seller-viewer",
        _ => false,
    };
    let open = access == "page for anybody";
    if refused && answer.status != 403 {
        faults.push(format!("{name}: {} instead of 403", answer.status));
    }
    let names_object = path.contains("{id}") || path.contains("{slug}");
    if !refused && !open && names_object && answer.status != 404 {
        faults.push(format!("{name}: {} instead of 404", answer.status));
    }
    if answer.status >= 500 {
        faults.push(format!("{name}: {} {}", answer.status, answer.text()));
    }
    let sent = form.iter().fold(at.to_owned(), |sent, (_, value)| sent + value);
    let seen = answer.text();
    let leaked = it.canaries.iter().filter(|canary| seen.contains(canary.as_str()) && !sent.contains(canary.as_str()));
    faults.extend(leaked.map(|canary| format!("{name}: tells {canary}")));
    faults
}
