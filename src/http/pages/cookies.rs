//! Cookies of the pages: one for who is signed in, one for forms that anybody may open.

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

impl Cookie {
    /// Over TLS the prefix makes browsers refuse a cookie of this name that another host, or no TLS, has set.
    fn name(self, is_https: bool) -> &'static str {
        match (self, is_https) {
            (Self::Session, true) => "__Host-parceltrail",
            (Self::Session, false) => "parceltrail",
            (Self::Form, true) => "__Host-parceltrail_form",
            (Self::Form, false) => "parceltrail_form",
        }
    }

    /// What the browser sent.
    pub fn of(self, request: &HttpRequest, is_https: bool) -> Option<String> {
        let told = request.headers().get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
        let mut pairs = told.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(name, _)| *name == self.name(is_https))?;
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Gives the browser a cookie; one of 0 seconds takes it away.
    pub fn set(self, response: &mut HttpResponseBuilder, value: &str, seconds: i64, is_https: bool) {
        let secure = if is_https { "; Secure" } else { "" };
        let name = self.name(is_https);
        let cookie = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        response.append_header((header::SET_COOKIE, cookie));
    }
}
