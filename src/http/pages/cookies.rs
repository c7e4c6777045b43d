//! Cookies of the pages: one for who is signed in, one for forms that anybody may open.

use crate::http::client;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponseBuilder};

/// What a cookie is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// The token of a session.
    Session,
    /// What a form is bound to before anybody has signed in.
    Form,
}

/// Whether the browser came over TLS, as far as a trusted proxy or our own public address tells.
fn came_by_tls(request: &HttpRequest) -> bool {
    client::of(request).is_ok_and(|client| client.by_tls)
}

impl Cookie {
    /// Over TLS the prefix makes browsers refuse a cookie of this name that another host, or no TLS, has set.
    fn name(self, by_tls: bool) -> &'static str {
        match (self, by_tls) {
            (Self::Session, true) => "__Host-parceltrail",
            (Self::Session, false) => "parceltrail",
            (Self::Form, true) => "__Host-parceltrail_form",
            (Self::Form, false) => "parceltrail_form",
        }
    }

    /// What the browser sent.
    pub fn of(self, request: &HttpRequest) -> Option<String> {
        let wanted = self.name(came_by_tls(request));
        let told = request.headers().get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
        let mut pairs = told.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(name, _)| *name == wanted)?;
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Gives the browser a cookie; one of 0 seconds takes it away.
    pub fn set(self, request: &HttpRequest, response: &mut HttpResponseBuilder, value: &str, seconds: i64) {
        let by_tls = came_by_tls(request);
        let (name, secure) = (self.name(by_tls), if by_tls { "; Secure" } else { "" });
        let cookie = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        response.append_header((header::SET_COOKIE, cookie));
    }
}
