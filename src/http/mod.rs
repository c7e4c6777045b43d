//! The doors: every route in one table, and the specification from the same table.
//!
//! A handler opens, hands on to a flow and words the answer; it decides nothing.

mod accept;
mod admin;
mod answer;
mod api_keys;
mod auth;
mod batch;
mod carriers;
mod changes;
mod client;
mod conditions;
mod exports;
mod fields;
mod idempotency;
mod imports;
mod look_up;
mod merge_patch;
pub mod meters;
mod numbers;
mod operation;
mod orders;
mod pages;
mod paging;
mod privacy;
mod problem;
mod report_query;
mod reports;
mod settings;
mod shipments;
mod shops;
mod specification;
mod status;
mod throttle;
mod tokens;
mod uploads;
mod users;

use crate::app::App;
use crate::domain::role::Role;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::guard::{self, Guard};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::{HttpResponse, web};
use auth::Access;
use idempotency::{Door, KeyHeader, Repeats};
use pages::{
    carrier_pages, door_pages, front, import_pages, invitation_pages, number_pages, settings_pages, shipment_pages,
};
use problem::Problem;
use specification::{AccessInSpec, CommonResponses, PageItems, SecuritySchemes};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use utoipa::OpenApi as _;
use utoipa::openapi::path::HttpMethod;

const VIEWER: Access = Access::Seller(Role::SellerViewer);
const CLERK: Access = Access::Seller(Role::SellerClerk);
const MANAGER: Access = Access::Seller(Role::SellerManager);
const ANY: Access = Access::AnyKey;
const REPORTS: Access = Access::Reports;
const ADMIN: Access = Access::Admin;
const PUBLIC: Access = Access::Public;
const OPEN_PAGE: Access = Access::OpenPage;
const PAGE: Access = Access::Page(Role::SellerViewer);
const CLERK_PAGE: Access = Access::Page(Role::SellerClerk);
const MANAGER_PAGE: Access = Access::Page(Role::SellerManager);

/// How large a body a route takes, and whether it heeds an `Idempotency-Key`.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    pub repeats: Repeats,
    /// The largest body, in bytes; a file that is uploaded has its own setting.
    pub body_bytes: usize,
}

const SMALL: Manner = Manner { repeats: Repeats::CarriedOut, body_bytes: 16 << 10 };
/// Where a route says nothing.
const USUAL: Manner = Manner { repeats: Repeats::CarriedOut, body_bytes: 1 << 20 };
/// Sent again under the same `Idempotency-Key`, it is answered again and not done again. Never on a route that answers a
/// secret.
const ONCE: Manner = Manner { repeats: Repeats::AnsweredOnce { most_bytes: 1 << 20 }, body_bytes: 1 << 20 };
const ONCE_LARGE: Manner = Manner { repeats: Repeats::AnsweredOnce { most_bytes: 8 << 20 }, body_bytes: 8 << 20 };
/// The body is a file, which is read as it streams in.
const FILE: Manner = USUAL;
const ONCE_FILE: Manner = Manner { repeats: Repeats::FileAnsweredOnce, ..USUAL };

/// One route: where it is, who may use it, in what manner, and who answers.
pub struct Route {
    pub method: Method,
    pub path: String,
    pub access: Access,
    pub manner: Manner,
    handler: fn() -> actix_web::Route,
}

/// Every route. Method and path stand at the handler, so that they are told once; who may use it stands here, and a
/// route without it does not compile. Its manner may stand behind the handler. Pages are no part of the specification.
macro_rules! routes {
    (
        api { $($access:ident $room:ident $handler:ident $($manner:ident)?;)* }
        pages { $($page_access:ident $page_room:ident $page:ident $($page_manner:ident)?;)* }
    ) => {
        /// Every route, in the order of the table.
        pub fn routes() -> Vec<Route> {
            vec![
                $(route!($access $room $handler $($manner)?),)*
                $(route!($page_access $page_room $page $($page_manner)?),)*
            ]
        }

        #[derive(utoipa::OpenApi)]
        #[openapi(
            info(
                title = "parceltrail",
                description = "Orders and tracking numbers in, one honest status out, delays found and explained.",
                license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
            ),
            servers((url = "/", description = "The server that serves this document.")),
            paths($($room::$handler),*),
            components(schemas(
                problem::Problem,
                exports::Include,
                imports::Strictness,
                report_query::BasisWord,
                report_query::Rows,
                report_query::FormatWord,
            )),
            modifiers(&SecuritySchemes, &KeyHeader, &AccessInSpec, &CommonResponses, &PageItems),
        )]
        struct Spec;
    };
}

/// One line of the table.
macro_rules! route {
    ($access:ident $room:ident $handler:ident $($manner:ident)?) => {
        pastey::paste! {
            Route {
                method: method_of(&<$room::[<__path_ $handler>] as utoipa::Path>::methods()),
                path: <$room::[<__path_ $handler>] as utoipa::Path>::path(),
                access: $access,
                manner: [$($manner,)? USUAL][0],
                handler: || web::route().to($room::$handler),
            }
        }
    };
}

routes! {
    api {
        CLERK   imports   create_import ONCE_FILE;
        VIEWER  imports   list_imports;
        VIEWER  imports   show_import;
        VIEWER  imports   list_import_rows;
        VIEWER  imports   repaired_file;
        CLERK   imports   cancel_import SMALL;
        CLERK   imports   commit_import SMALL;
        CLERK   imports   undo_import SMALL;
        PUBLIC  imports   import_template;
        PUBLIC  imports   list_presets;
        VIEWER  exports   export_tracking;
        CLERK   orders    put_order ONCE;
        VIEWER  orders    list_orders;
        CLERK   orders    put_orders ONCE_LARGE;
        VIEWER  orders    show_order;
        CLERK   orders    patch_order;
        VIEWER  orders    show_order_by_number;
        CLERK   orders    patch_order_by_number;
        CLERK   orders    cancel_order;
        CLERK   shipments put_shipment ONCE;
        VIEWER  shipments list_shipments;
        CLERK   shipments put_shipments ONCE_LARGE;
        VIEWER  shipments show_shipment;
        CLERK   shipments patch_shipment;
        CLERK   shipments cancel_shipment;
        CLERK   shipments refresh_shipment;
        VIEWER  shipments list_events;
        CLERK   shipments add_scans ONCE_LARGE;
        CLERK   shipments put_scans ONCE_LARGE;
        VIEWER  numbers   check_numbers;
        VIEWER  carriers  list_carriers;
        VIEWER  carriers  show_carrier;
        MANAGER carriers  put_carrier;
        MANAGER carriers  remove_carrier;
        REPORTS reports   report_delays;
        REPORTS reports   report_lanes;
        REPORTS reports   report_carriers;
        REPORTS reports   report_lost;
        REPORTS reports   report_dispatch;
        REPORTS reports   report_numbers;
        ANY     tokens    create_token;
        PUBLIC  tokens    key_set;
        MANAGER api_keys  create_api_key;
        MANAGER api_keys  list_api_keys;
        MANAGER api_keys  revoke_api_key;
        VIEWER  changes   list_changes;
        MANAGER users     invite_user;
        MANAGER users     list_users;
        MANAGER users     remove_user;
        VIEWER  shops     list_shops;
        MANAGER shops     create_shop;
        MANAGER shops     change_shop;
        MANAGER settings  show_settings;
        MANAGER settings  change_settings;
        ADMIN   admin     list_sellers;
        ADMIN   admin     read_audit;
        ADMIN   admin     list_shared_numbers;
        MANAGER privacy   erase_person;
        MANAGER privacy   export_person;
        PUBLIC  status    show_status;
        PUBLIC  look_up   look_up_status;
        PUBLIC  operation healthz;
        PUBLIC  operation readyz;
        PUBLIC  operation openapi_json;
    }
    pages {
        OPEN_PAGE    front            home;
        OPEN_PAGE    front            show_sign_in;
        OPEN_PAGE    front            sign_in;
        PAGE         front            sign_out;
        OPEN_PAGE    invitation_pages show_invitation;
        OPEN_PAGE    invitation_pages join;
        PAGE         shipment_pages   list_shipments;
        PAGE         shipment_pages   show_shipment;
        PAGE         import_pages     list_imports;
        CLERK_PAGE   import_pages     upload_import FILE;
        PAGE         import_pages     show_import;
        PAGE         import_pages     repaired_import;
        CLERK_PAGE   import_pages     commit_import;
        CLERK_PAGE   import_pages     cancel_import;
        CLERK_PAGE   import_pages     undo_import;
        MANAGER_PAGE number_pages     correct_number;
        MANAGER_PAGE settings_pages   show_settings;
        MANAGER_PAGE settings_pages   save_settings;
        MANAGER_PAGE settings_pages   make_shop;
        MANAGER_PAGE settings_pages   save_shop_form;
        MANAGER_PAGE door_pages       make_key;
        MANAGER_PAGE door_pages       revoke_key;
        MANAGER_PAGE door_pages       invite_person;
        MANAGER_PAGE door_pages       remove_person;
        MANAGER_PAGE carrier_pages    add_carrier;
        MANAGER_PAGE carrier_pages    remove_carrier;
    }
}

/// The specification of the API: of all routes that are no pages.
pub fn specification() -> utoipa::openapi::OpenApi {
    Spec::openapi()
}

/// A page: where it is, and who may open it.
pub struct PageRoute {
    /// `GET` or `POST`.
    pub method: String,
    /// With its parameters in braces, such as `/shipments/{id}`.
    pub path: String,
    /// The code of its access, such as `page for seller-manager`.
    pub access: &'static str,
}

/// Every page, in the order of the table.
pub fn pages() -> Vec<PageRoute> {
    let pages = routes().into_iter().filter(|route| route.access.is_page());
    pages
        .map(|route| PageRoute { method: route.method.to_string(), path: route.path, access: route.access.code() })
        .collect()
}

fn method_of(methods: &[HttpMethod]) -> Method {
    match methods.first() {
        Some(HttpMethod::Post) => Method::POST,
        Some(HttpMethod::Put) => Method::PUT,
        Some(HttpMethod::Patch) => Method::PATCH,
        Some(HttpMethod::Delete) => Method::DELETE,
        Some(HttpMethod::Head) => Method::HEAD,
        Some(HttpMethod::Options) => Method::OPTIONS,
        Some(HttpMethod::Trace) => Method::TRACE,
        Some(HttpMethod::Get) | None => Method::GET,
    }
}

/// Hangs every route of the table, and the docs page, into an application.
pub fn configure(config: &mut web::ServiceConfig, app: &Arc<App>) {
    config
        .app_data(web::Data::from(Arc::clone(app)))
        .app_data(web::FormConfig::default().error_handler(|_, _| Problem::bad_form().into()))
        .app_data(web::QueryConfig::default().error_handler(|error, _| bad_query(&error).into()))
        .app_data(web::PathConfig::default().error_handler(|_, _| Problem::not_found("object").into()));
    for (path, routes) in by_path() {
        let body_bytes = routes.iter().map(|route| route.manner.body_bytes).max().unwrap_or(USUAL.body_bytes);
        let mut resource =
            web::resource(path.as_str()).app_data(json(body_bytes)).app_data(web::PayloadConfig::new(body_bytes));
        let methods =
            routes.iter().map(|route| if route.method == Method::GET { "GET, HEAD" } else { route.method.as_str() });
        let allow = methods.collect::<Vec<_>>().join(", ");
        for route in routes {
            let access = route.access;
            let opened = heeding_keys(route);
            resource = resource.route(opened.wrap(from_fn(move |request, next| auth::guard(access, request, next))));
        }
        let wrong_method = web::route().to(move || method_not_allowed(allow.clone()));
        config.service(resource.default_service(wrong_method.wrap(from_fn(counted))));
    }
    config
        .service(utoipa_swagger_ui::SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", specification()))
        .service(web::redirect("/docs", "/docs/"))
        .default_service(web::route().to(HttpResponse::NotFound).wrap(from_fn(counted)));
}

/// Where nothing is behind the door, knocking counts all the same.
async fn counted(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    auth::guard(PUBLIC, request, next).await
}

fn json(body_bytes: usize) -> web::JsonConfig {
    web::JsonConfig::default().limit(body_bytes).error_handler(|error, _| problem::of_json(&error).into())
}

/// The handler behind its memory of keys, where the route has one.
fn heeding_keys(route: Route) -> actix_web::Route {
    let named = format!("{} {}", route.method, route.path);
    let handler = (route.handler)().guard(answering(route.method));
    if route.manner.repeats == Repeats::CarriedOut {
        return handler;
    }
    let door = Rc::new(Door { repeats: route.manner.repeats, route: named });
    handler.wrap(from_fn(move |request, next| idempotency::answer_once(Rc::clone(&door), request, next)))
}

/// What is answered to GET is answered to HEAD too, without its body.
fn answering(method: Method) -> impl Guard {
    guard::fn_guard(move |request| {
        let asked = &request.head().method;
        *asked == method || (method == Method::GET && *asked == Method::HEAD)
    })
}

fn by_path() -> BTreeMap<String, Vec<Route>> {
    let mut by_path: BTreeMap<String, Vec<Route>> = BTreeMap::new();
    for route in routes() {
        by_path.entry(route.path.clone()).or_default().push(route);
    }
    by_path
}

async fn method_not_allowed(allow: String) -> HttpResponse {
    HttpResponse::MethodNotAllowed().insert_header((actix_web::http::header::ALLOW, allow)).finish()
}

fn bad_query(error: &actix_web::error::QueryPayloadError) -> Problem {
    Problem::bad_parameter("query", format!("A query parameter is unknown or cannot be read: {error}."))
}

pub use answer::finish;

#[cfg(test)]
mod tests;
