//! Who may open which page, and whose form is whose.
//!
//! A form carries a token that is derived from the browser's cookie: the session's, or, before anybody has signed in, one
//! that was set with the form. It is checked here for every page, so that no page can forget it.

use super::cookies::Cookie;
use super::{problem_page, see_other};
use crate::app::{self, App};
use crate::domain::ids::SellerId;
use crate::domain::role::Role;
use crate::flows::people::session::{self, SignedIn};
use crate::flows::sign_in::{Credential, Principal};
use crate::http::problem::Problem;
use crate::http::throttle;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data, Query};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use futures_util::stream;
use serde::Deserialize;
use std::future::{Ready, ready};
use std::sync::Arc;

/// Who looks at a page.
#[derive(Clone)]
pub struct Visitor {
    pub name: String,
    pub seller_name: String,
    pub seller: SellerId,
    pub role: Role,
    pub user: crate::domain::ids::PrincipalId,
    /// The session's token: forms are bound to it.
    pub token: String,
}

impl Visitor {
    pub fn is_clerk(&self) -> bool {
        self.role >= Role::SellerClerk
    }

    pub fn is_manager(&self) -> bool {
        self.role == Role::SellerManager
    }
}

impl FromRequest for Visitor {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or_else(Problem::internal))
    }
}

/// Lets a browser through to a page: anybody where `needed` is `None`, else a person from this role on. What goes wrong
/// behind it is shown as a page too.
///
/// # Errors
///
/// None of its own.
pub async fn guard(
    needed: Option<Role>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let counted = throttle::charged(request.request(), Ok(())).map_err(Refusal::from);
    let admitted = match counted {
        Ok(()) => admit(needed, &mut request).await,
        Err(refusal) => Err(refusal),
    };
    if let Err(refusal) = admitted {
        let refused = refusal.answer(request.request());
        return Ok(request.into_response(refused));
    }
    let (request, response) = next.call(request).await?.map_into_boxed_body().into_parts();
    let problem = response.extensions().get::<Problem>().cloned();
    let response = match problem {
        Some(problem) => problem_page(&request, &problem),
        None => response,
    };
    Ok(ServiceResponse::new(request, response))
}

/// Why somebody does not come in.
enum Refusal {
    /// Nobody is signed in.
    SignIn,
    Problem(Problem),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl Refusal {
    fn answer(self, request: &HttpRequest) -> HttpResponse {
        match self {
            Self::Problem(problem) => problem_page(request, &problem),
            Self::SignIn => see_other(&sign_in_address(request)),
        }
    }
}

/// Where to sign in, and where to go then: what was a form cannot be come back to.
fn sign_in_address(request: &HttpRequest) -> String {
    let wanted = request.uri().path_and_query().map_or("/", |it| it.as_str());
    if request.method() != Method::GET || wanted == "/" {
        return "/sign-in".to_owned();
    }
    let escaped = wanted.bytes().map(|byte| {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~');
        if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    });
    format!("/sign-in?next={}", escaped.collect::<String>())
}

async fn admit(needed: Option<Role>, request: &mut ServiceRequest) -> Result<(), Refusal> {
    let app = app_of(request.request())?;
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if writes {
        refuse_other_sites(request.request(), &app)?;
    }
    let cookie = match needed {
        None => Cookie::Form.of(request.request()),
        Some(needed) => Some(admit_person(&app, request, needed).await?),
    };
    if writes {
        check_form(&app, request, cookie.as_deref()).await?;
    }
    Ok(())
}

async fn admit_person(app: &Arc<App>, request: &ServiceRequest, needed: Role) -> Result<String, Refusal> {
    let visitor = visitor_of(app, request.request()).await?.ok_or(Refusal::SignIn)?;
    let (role, token) = (visitor.role, visitor.token.clone());
    let principal =
        Principal { id: visitor.user, seller_id: Some(visitor.seller), role, came_with: Credential::Session };
    request.extensions_mut().insert(principal);
    request.extensions_mut().insert(visitor);
    if role < needed {
        let detail = "This page is for managers. Ask one of them, or have your role changed.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail).into());
    }
    Ok(token)
}

/// Who is signed in, by the browser's cookie; `None` where nobody is, or no more.
pub async fn visitor_of(app: &Arc<App>, request: &HttpRequest) -> Result<Option<Visitor>, Problem> {
    let Some(token) = Cookie::Session.of(request) else { return Ok(None) };
    let asked = token.clone();
    let found = app::read(app, move |app| session::find(&app.store, &asked, app.now())).await;
    let Some(signed_in) = found.ok_or_else(Problem::internal)?? else { return Ok(None) };
    if signed_in.is_due {
        let (seller, token) = (signed_in.seller, token.clone());
        let noted = app::in_background(app, move |app| session::note_seen(&app.store, seller, &token, app.now()));
        noted.await.ok_or_else(Problem::internal)??;
    }
    let SignedIn { user, seller, role, name, seller_name, is_due: _ } = signed_in;
    Ok(Some(Visitor { name, seller_name, seller, role, user, token }))
}

pub fn app_of(request: &HttpRequest) -> Result<Arc<App>, Problem> {
    request.app_data::<Data<App>>().map(|app| Arc::clone(app)).ok_or_else(Problem::internal)
}

fn forged() -> Problem {
    let detail = "This form was not sent from a page of ours, or it is from before you signed in. Open the page again.";
    Problem::new(StatusCode::FORBIDDEN, "form_refused", detail)
}

/// What the browser itself says of where a form came from. One that says nothing is judged by the form's token.
fn refuse_other_sites(request: &HttpRequest, app: &App) -> Result<(), Problem> {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = header("sec-fetch-site") {
        return if matches!(site, "same-origin" | "none") { Ok(()) } else { Err(forged()) };
    }
    let Some(origin) = header("origin") else { return Ok(()) };
    let public = app.public_url();
    let asked = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let named = origin.split_once("://").map_or("", |(_, host)| host);
    let is_ours = origin == public.trim_end_matches('/') || (!named.is_empty() && named == asked);
    if is_ours { Ok(()) } else { Err(forged()) }
}

#[derive(Deserialize)]
struct Sent {
    #[serde(default)]
    csrf: String,
}

/// Reads the form, and puts it back for the page.
async fn check_form(app: &App, request: &mut ServiceRequest, cookie: Option<&str>) -> Result<(), Problem> {
    // A file is not read here: its form says who sends it in its address.
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    if media_type.starts_with("multipart/form-data") {
        let sent = Query::<Sent>::from_query(request.query_string()).ok();
        let is_ours = sent.is_some_and(|sent| cookie.is_some_and(|it| app.secrets.is_form_token(it, &sent.csrf)));
        return if is_ours { Ok(()) } else { Err(forged()) };
    }
    let body = request.extract::<Bytes>().await.map_err(|_too_large_or_broken| forged())?;
    let sent = std::str::from_utf8(&body).ok().and_then(|text| Query::<Sent>::from_query(text).ok());
    let is_ours = sent.is_some_and(|sent| cookie.is_some_and(|cookie| app.secrets.is_form_token(cookie, &sent.csrf)));
    request.set_payload(Payload::Stream { payload: Box::pin(stream::once(ready(Ok(body)))) });
    if is_ours { Ok(()) } else { Err(forged()) }
}
