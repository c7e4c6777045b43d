//! The front door of the pages: where to go first, signing in and signing out.

use super::cookies::Cookie;
use super::guard::{Visitor, visitor_of};
use super::{Frame, finish, render, see_other, sent_on};
use crate::app::{self, App};
use crate::domain::order::email_key;
use crate::flows::people::session::{self, Attempt, Opened, SESSION};
use crate::http::answer::RequestId;
use crate::http::client::ClientAddress;
use crate::http::problem::Problem;
use crate::limits::Limit;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Query};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use std::sync::Arc;

/// Where people go who did not want to go anywhere else.
const HOME: &str = "/shipments";
/// So long a form may stay open before it is sent.
const FORM_SECONDS: i64 = 24 * 3600;

#[derive(Template)]
#[template(path = "pages/sign_in.html")]
struct SignInPage<'a> {
    frame: Frame,
    email: &'a str,
    next: &'a str,
    fault: Option<&'a str>,
}

/// To the shipments, or to where one signs in
#[utoipa::path(get, path = "/")]
pub async fn home(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let visitor = visitor_of(&app.into_inner(), &request).await?;
    Ok(see_other(if visitor.is_some() { HOME } else { "/sign-in" }))
}

/// Where to go after signing in.
#[derive(Debug, Deserialize)]
pub struct SignInQuery {
    /// A path on this server; anything else is left out.
    next: Option<String>,
}

/// The form to sign in
#[utoipa::path(get, path = "/sign-in")]
pub async fn show_sign_in(
    app: Data<App>,
    request: HttpRequest,
    query: Query<SignInQuery>,
) -> Result<HttpResponse, Problem> {
    let app = app.into_inner();
    let next = local(query.next.as_deref());
    if visitor_of(&app, &request).await?.is_some() {
        return Ok(see_other(next));
    }
    sign_in_form(&app, &request, StatusCode::OK, ("", next, None))
}

/// What the form to sign in sends.
#[derive(Deserialize)]
pub struct SignInForm {
    email: String,
    password: String,
    next: Option<String>,
}

/// Sign in: the browser gets a new session
#[utoipa::path(post, path = "/sign-in")]
pub async fn sign_in(
    app: Data<App>,
    request: HttpRequest,
    client: ClientAddress,
    told: Form<SignInForm>,
) -> Result<HttpResponse, Problem> {
    let (app, told) = (app.into_inner(), told.into_inner());
    app.limits.check(Limit::SignIn, (email_key(&told.email), client.key()))?;
    let attempt = Attempt {
        email: told.email.clone(),
        password: told.password,
        before: Cookie::Session.of(&request),
        request_id: request_id(&request),
    };
    let opened = app::hashing(&app, move |app| session::sign_in(&app.store, &attempt, app.now())).await;
    let next = local(told.next.as_deref());
    if let Some(opened) = opened.ok_or_else(Problem::internal)?? {
        return Ok(welcome(&request, &opened, next));
    }
    let fault = "E-mail address or password is wrong. Look at both, and try again.";
    sign_in_form(&app, &request, StatusCode::UNPROCESSABLE_ENTITY, (&told.email, next, Some(fault)))
}

/// Sign out: the session ends
#[utoipa::path(post, path = "/sign-out")]
pub async fn sign_out(app: Data<App>, request: HttpRequest, visitor: Visitor) -> Result<HttpResponse, Problem> {
    let app = app.into_inner();
    let ended = app::in_background(&app, move |app| session::end(&app.store, &visitor.token)).await;
    ended.ok_or_else(Problem::internal)??;
    let mut response = HttpResponse::SeeOther();
    Cookie::Session.set(&request, &mut response, "", 0);
    Ok(sent_on(&mut response, "/sign-in"))
}

fn sign_in_form(
    app: &Arc<App>,
    request: &HttpRequest,
    status: StatusCode,
    (email, next, fault): (&str, &str, Option<&str>),
) -> Result<HttpResponse, Problem> {
    open_form(app, request, status, |frame| {
        render(&SignInPage { frame: Frame { title: "Sign in".to_owned(), ..frame }, email, next, fault })
    })
}

/// A form for anybody, bound to a cookie that the browser has or gets.
pub(super) fn open_form(
    app: &Arc<App>,
    request: &HttpRequest,
    status: StatusCode,
    render: impl FnOnce(Frame) -> Result<String, Problem>,
) -> Result<HttpResponse, Problem> {
    let cookie = match Cookie::Form.of(request) {
        Some(cookie) => cookie,
        None => session::fresh_form_cookie()?,
    };
    let html = render(Frame::open(app, &cookie))?;
    let mut response = HttpResponse::build(status);
    Cookie::Form.set(request, &mut response, &cookie, FORM_SECONDS);
    Ok(finish(&mut response, html))
}

/// Gives the browser its session, and takes the form's cookie back.
pub(super) fn welcome(request: &HttpRequest, opened: &Opened, next: &str) -> HttpResponse {
    let mut response = HttpResponse::SeeOther();
    Cookie::Session.set(request, &mut response, &opened.token, SESSION.as_secs());
    Cookie::Form.set(request, &mut response, "", 0);
    sent_on(&mut response, next)
}

pub(super) fn request_id(request: &HttpRequest) -> Option<String> {
    request.extensions().get::<RequestId>().map(|id| id.0.clone())
}

/// A path on this server, else home. Browsers read `//host` and `/\host` as another server, and leave out tabs and line
/// ends before they read.
fn local(next: Option<&str>) -> &str {
    let is_plain = |path: &&str| path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_local = |path: &&str| path.starts_with('/') && !path.starts_with("//");
    next.filter(is_plain).filter(is_local).unwrap_or(HOME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_nobody_is_sent_to_another_server() {
        for (what, next, expected) in [
            ("nowhere", None, HOME),
            ("a page", Some("/settings"), "/settings"),
            ("a page with a query", Some("/shipments?q=LL-1001&open=yes"), "/shipments?q=LL-1001&open=yes"),
            ("an address", Some("https://evil.example/"), HOME),
            ("an address without a scheme", Some("//evil.example/"), HOME),
            ("one with a backslash", Some("/\\evil.example/"), HOME),
            ("one behind a tab", Some("/\t/evil.example/"), HOME),
            ("one behind a line end", Some("/\n/evil.example"), HOME),
            ("a script", Some("javascript:alert(1)"), HOME),
            ("a bare name", Some("evil.example"), HOME),
            ("nothing", Some(""), HOME),
        ] {
            assert_eq!(local(next), expected, "{what}");
        }
    }
}
