//! Who may come in by which door. Each route names its [`Access`] in the table of routes; there is no default.

use super::answer::RequestId;
use super::pages;
use super::problem::Problem;
use super::throttle;
use crate::app::{self, App};
use crate::domain::actor::Actor;
use crate::domain::ids::SellerId;
use crate::domain::role::Role;
use crate::flows::sign_in::{self, Principal};
use crate::limits::turns::Turn;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use std::future::{Ready, ready};
use std::time::Duration;

/// A request waits so long for those of its seller that came before it.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a key.
    Public,
    /// Keys of a seller, from this role on.
    Seller(Role),
    /// Admins alone.
    Admin,
    /// Any key of a seller, over that seller; admins, over all.
    Reports,
    /// Whoever has a key at all.
    AnyKey,
    /// A page for any browser; what it sends must come from our own form.
    OpenPage,
    /// A page for a seller's people who are signed in, from this role on. Keys open none.
    Page(Role),
}

impl Access {
    /// The word of the specification.
    pub fn code(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Seller(role) => role.code(),
            Self::Admin => "admin",
            Self::Reports => "seller-viewer or admin",
            Self::AnyKey => "any key",
            Self::OpenPage => "page for anybody",
            Self::Page(Role::SellerViewer) => "page from seller-viewer on",
            Self::Page(Role::SellerClerk) => "page from seller-clerk on",
            Self::Page(_) => "page for seller-manager",
        }
    }

    /// Pages are for browsers, and no part of the specification.
    pub fn is_page(self) -> bool {
        matches!(self, Self::OpenPage | Self::Page(_))
    }

    /// Why a valid key may be refused, in the words of the specification; `None` where the access alone refuses no key.
    pub fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Public | Self::Reports | Self::AnyKey | Self::OpenPage | Self::Page(_) => None,
            Self::Seller(Role::SellerViewer) => Some("An admin's key."),
            Self::Seller(Role::SellerClerk) => Some("This key may not write."),
            Self::Seller(_) => Some("Not a manager's key."),
            Self::Admin => Some("Not an admin's key."),
        }
    }

    fn admits(self, role: Role) -> bool {
        match self {
            Self::Public | Self::Reports | Self::AnyKey => true,
            Self::Seller(needed) => role != Role::Admin && role >= needed,
            Self::Admin => role == Role::Admin,
            Self::OpenPage | Self::Page(_) => false,
        }
    }
}

/// Lets a request through, or answers 401 or 403.
///
/// # Errors
///
/// The [`Problem`] of who may not come in.
pub async fn guard(
    access: Access,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match access {
        Access::OpenPage => return pages::guard(None, request, next).await,
        Access::Page(needed) => return pages::guard(Some(needed), request, next).await,
        Access::Public | Access::Seller(_) | Access::Admin | Access::Reports | Access::AnyKey => {}
    }
    let admitted = throttle::charged(request.request(), admit(access, &request).await);
    // A refusal is an answer, not an error: an error would pass by what gives answers their request ids.
    if let Err(refusal) = admitted {
        let refused = actix_web::ResponseError::error_response(&refusal);
        return Ok(request.into_response(refused));
    }
    let turn = match turn_of(request.request()).await {
        Ok(turn) => turn,
        Err(refusal) => return Ok(request.into_response(actix_web::ResponseError::error_response(&refusal))),
    };
    let answered = next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    drop(turn);
    answered
}

/// One of the seller's turns to be worked on. An upload takes none: its body may come in slowly, and how many of them wait is
/// bounded by itself.
async fn turn_of(request: &HttpRequest) -> Result<Option<Turn>, Problem> {
    let seller = request.extensions().get::<Principal>().and_then(|principal| principal.seller_id);
    let is_upload = request.method() == Method::POST && request.path() == "/v1/imports";
    let Some(seller) = seller.filter(|_| !is_upload) else { return Ok(None) };
    let app = app_of(request)?;
    app.requests.take(seller.0, LONGEST_WAIT).await.map(Some).ok_or_else(|| {
        let detail = "Sixteen requests of yours are under way, and none ended for a while. Send fewer at once.";
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests_at_once", detail);
        Problem { retry_after_s: Some(5), ..problem }
    })
}

async fn admit(access: Access, request: &ServiceRequest) -> Result<(), Problem> {
    if access == Access::Public {
        return Ok(());
    }
    let principal = principal_of(request.request()).await?;
    if !access.admits(principal.role) {
        let detail = format!("A key of the role {} may not do this.", principal.role.code());
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail));
    }
    request.extensions_mut().insert(principal);
    Ok(())
}

async fn principal_of(request: &HttpRequest) -> Result<Principal, Problem> {
    let refused = || {
        let detail = "Send `Authorization: Bearer` with an API key or an access token. This one is missing, mistyped, revoked or \
             run out.";
        Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    };
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, token) = header.and_then(|it| it.split_once(' ')).ok_or_else(refused)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refused());
    }
    let app = app_of(request)?.into_inner();
    let token = token.trim().to_owned();
    let found = app::read(&app, move |app| sign_in::sign_in(&app.store, &app.issuer(), &token, app.now()))
        .await
        .ok_or_else(Problem::internal)?;
    found?.ok_or_else(refused)
}

pub fn app_of(request: &HttpRequest) -> Result<web::Data<App>, Problem> {
    request.app_data::<web::Data<App>>().cloned().ok_or_else(Problem::internal)
}

/// Who asks, for a handler behind a guarded door, and in which request.
#[derive(Debug, Clone)]
pub struct Caller(pub Principal, Option<String>);

impl Caller {
    /// The caller's seller; a door that admits sellers alone never sees another.
    pub fn seller(&self) -> Result<SellerId, Problem> {
        self.0.seller_id.ok_or_else(Problem::internal)
    }

    /// As the audit log writes it down.
    pub fn actor(&self) -> Actor {
        Actor { id: self.0.id, request_id: self.1.clone() }
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        let request_id = extensions.get::<RequestId>().map(|id| id.0.clone());
        ready(extensions.get::<Principal>().map(|it| Self(*it, request_id)).ok_or_else(Problem::internal))
    }
}
