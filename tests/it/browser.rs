//! A browser as far as the pages need one: it keeps cookies, fills in forms, and follows nothing by itself.

use crate::server::{Answer, Server, text};
use reqwest::Method;
use std::collections::BTreeMap;

/// One browser with its cookies.
pub(crate) struct Browser<'s> {
    server: &'s Server,
    pub(crate) cookies: BTreeMap<String, String>,
    /// What the forms of the page that was looked at last carry.
    pub(crate) csrf: String,
}

impl<'s> Browser<'s> {
    pub(crate) fn new(server: &'s Server) -> Self {
        Self { server, cookies: BTreeMap::new(), csrf: String::new() }
    }

    /// Somebody of a role who was invited by the holder of a manager's key, and joined.
    #[track_caller]
    pub(crate) fn joined(server: &'s Server, key: &str, (email, password): (&str, &str), role: &str) -> Self {
        let invited = server.post(key, "/v1/users", &serde_json::json!({"email": email, "role": role})).must_be(201);
        let mut browser = Self::new(server);
        let path = path_of(&text(&invited.json()["invitation_url"])).to_owned();
        browser.get(&path).must_be(200);
        let fields = [("name", "Ada Quill"), ("password", password), ("again", password)];
        assert_eq!(browser.post(&path, &fields).must_be(303).header("location"), "/shipments");
        browser
    }

    #[track_caller]
    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send(&Method::GET, path, &[], None)
    }

    /// Sends a form of the page that was looked at last.
    #[track_caller]
    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf.clone();
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
        self.send(&Method::POST, path, &[], Some(&fields))
    }

    /// Opens the form to sign in and sends it.
    #[track_caller]
    pub(crate) fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        self.get("/sign-in").must_be(200);
        self.post("/sign-in", &[("email", email), ("password", password), ("next", "")])
    }

    #[track_caller]
    pub(crate) fn send(
        &mut self,
        method: &Method,
        path: &str,
        headers: &[(&str, &str)],
        fields: Option<&[(&str, &str)]>,
    ) -> Answer {
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let mut headers = headers.to_vec();
        if !cookies.is_empty() {
            headers.push(("cookie", &cookies));
        }
        let body = fields.map(|fields| ("application/x-www-form-urlencoded", form(fields).into_bytes()));
        let answer = self.server.try_send(method, path, &headers, body).unwrap();
        self.keep(&answer);
        answer
    }

    fn keep(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all("set-cookie") {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let page = answer.text();
        if let Some((_, rest)) = page.split_once("name=\"csrf\" value=\"") {
            rest.split('"').next().unwrap().clone_into(&mut self.csrf);
        }
    }
}

/// `/invitations/...` of an address.
pub(crate) fn path_of(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap();
    rest.get(rest.find('/').unwrap()..).unwrap()
}

fn form(fields: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{}={}", escaped(name), escaped(value));
    fields.iter().map(pair).collect::<Vec<_>>().join("&")
}

pub(crate) fn escaped(text: &str) -> String {
    let byte =
        |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(byte).collect()
}
