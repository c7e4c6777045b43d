//! Pages for a seller's people, rendered here: nothing from elsewhere, one layout. All work without script; the one script
//! there is lets files be dropped anywhere on the page of imports.

pub mod carrier_pages;
mod cookies;
pub mod door_pages;
pub mod front;
mod guard;
pub mod import_pages;
pub mod invitation_pages;
pub mod number_pages;
pub mod settings_pages;
pub mod shipment_pages;
mod words;

pub use guard::guard;

use super::problem::Problem;
use crate::app::App;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder};
use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use guard::Visitor;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// The style of every page, as it stands between its tags.
const STYLE: &str =
    concat!(include_str!("../../../templates/style.css"), include_str!("../../../templates/pages/pages.css"));

/// The one script, as it stands between its tags.
const SCRIPT: &str = include_str!("../../../templates/pages/drop.js");

/// What a page may load and do: the one style and the one script that have these digests, and forms to ourselves.
static CONTENT_SECURITY_POLICY: LazyLock<String> = LazyLock::new(|| {
    let [style, script] = [STYLE, SCRIPT].map(|text| STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
});

/// What surrounds every page.
struct Frame {
    title: String,
    /// `None` where nobody is signed in.
    visitor: Option<Visitor>,
    /// What the forms of this page carry.
    csrf: String,
}

impl Frame {
    /// Around a page for somebody who is signed in.
    fn of(app: &App, visitor: &Visitor, title: impl Into<String>) -> Self {
        let csrf = app.secrets.form_token(&visitor.token);
        Self { title: title.into(), visitor: Some(visitor.clone()), csrf }
    }

    /// Around a page for anybody, whose forms are bound to a cookie; the page gives it its title.
    fn open(app: &App, cookie: &str) -> Self {
        Self { title: String::new(), visitor: None, csrf: app.secrets.form_token(cookie) }
    }

    #[allow(clippy::unused_self, reason = "the template asks its frame")]
    fn style(&self) -> &'static str {
        STYLE
    }

    #[allow(clippy::unused_self, reason = "the template asks its frame")]
    fn script(&self) -> &'static str {
        SCRIPT
    }

    /// Whether a page refreshes itself, for work that goes on.
    fn refreshes(&self) -> bool {
        self.title.ends_with('…')
    }
}

#[derive(Template)]
#[template(path = "pages/problem.html")]
struct ProblemPage<'a> {
    frame: Frame,
    problem: &'a Problem,
    request_id: Option<String>,
}

/// A problem as a page.
fn problem_page(request: &HttpRequest, problem: &Problem) -> HttpResponse {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let visitor = request.extensions().get::<Visitor>().cloned();
    let app = guard::app_of(request).ok();
    let csrf = app.zip(visitor.as_ref()).map(|(app, visitor)| app.secrets.form_token(&visitor.token));
    let frame = Frame { title: problem.title.clone(), visitor, csrf: csrf.unwrap_or_default() };
    let request_id = request.extensions().get::<super::answer::RequestId>().map(|id| id.0.clone());
    page(status, &ProblemPage { frame, problem, request_id })
        .unwrap_or_else(|unrendered| actix_web::ResponseError::error_response(&unrendered))
}

fn page(status: StatusCode, template: &impl Template) -> Result<HttpResponse, Problem> {
    Ok(finish(&mut HttpResponse::build(status), render(template)?))
}

fn render(template: &impl Template) -> Result<String, Problem> {
    template.render().map_err(|error| {
        tracing::error!(%error, "a page could not be made");
        Problem::internal()
    })
}

/// With the headers that every page has. The referrer goes to ourselves alone: without one, browsers would not say where
/// a form comes from.
fn finish(response: &mut HttpResponseBuilder, html: String) -> HttpResponse {
    response
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .insert_header(("X-Robots-Tag", "noindex, nofollow"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY.as_str()))
        .content_type("text/html; charset=utf-8")
        .body(html)
}

/// Sends the browser on to a page of ours.
fn see_other(path: &str) -> HttpResponse {
    sent_on(&mut HttpResponse::SeeOther(), path)
}

fn sent_on(response: &mut HttpResponseBuilder, path: &str) -> HttpResponse {
    response
        .insert_header((header::LOCATION, path))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .finish()
}
