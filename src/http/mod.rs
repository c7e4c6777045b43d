//! The doors: every route in one table, and the specification from the same table.
//!
//! A handler opens, hands on to a flow and words the answer; it decides nothing.

mod admin;
mod auth;
mod imports;
mod numbers;
mod operation;
mod orders;
mod pages;
mod paging;
mod problem;
mod reports;
mod settings;
mod shipments;
mod shops;
mod status;
mod users;

use crate::app::App;
use crate::domain::role::Role;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, web};
use auth::Access;
use pages::{door_pages, front, invitation_pages, settings_pages, shipment_pages};
use problem::Problem;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::OpenApi as _;
use utoipa::openapi::path::HttpMethod;

const VIEWER: Access = Access::Seller(Role::SellerViewer);
const CLERK: Access = Access::Seller(Role::SellerClerk);
const MANAGER: Access = Access::Seller(Role::SellerManager);
const REPORTS: Access = Access::Reports;
const ADMIN: Access = Access::Admin;
const PUBLIC: Access = Access::Public;
const OPEN_PAGE: Access = Access::OpenPage;
const PAGE: Access = Access::Page(Role::SellerViewer);
const MANAGER_PAGE: Access = Access::Page(Role::SellerManager);

/// One route: where it is, who may use it, and who answers.
pub struct Route {
    pub method: Method,
    pub path: String,
    pub access: Access,
    handler: fn() -> actix_web::Route,
}

/// Every route. Method and path stand at the handler, so that they are told once; who may use it stands here, and a
/// route without it does not compile.
macro_rules! routes {
    ($($access:ident $room:ident $handler:ident;)*) => {
        pastey::paste! {
            /// Every route, in the order of the table.
            pub fn routes() -> Vec<Route> {
                vec![$(Route {
                    method: method_of(&<$room::[<__path_ $handler>] as utoipa::Path>::methods()),
                    path: <$room::[<__path_ $handler>] as utoipa::Path>::path(),
                    access: $access,
                    handler: || web::route().to($room::$handler),
                }),*]
            }
        }

        #[derive(utoipa::OpenApi)]
        #[openapi(
            info(
                title = "parceltrail",
                description = "Orders and tracking numbers in, one honest status out, delays found and explained.",
                license(name = "MIT OR Apache-2.0"),
            ),
            paths($($room::$handler),*),
            components(schemas(problem::Problem)),
            modifiers(&Keys),
        )]
        struct Spec;
    };
}

routes! {
    CLERK   imports   create_import;
    VIEWER  imports   list_imports;
    VIEWER  imports   show_import;
    VIEWER  imports   list_import_rows;
    VIEWER  imports   repaired_file;
    CLERK   imports   cancel_import;
    CLERK   imports   commit_import;
    PUBLIC  imports   import_template;
    CLERK   orders    put_order;
    VIEWER  orders    list_orders;
    VIEWER  orders    show_order;
    CLERK   shipments put_shipment;
    VIEWER  shipments list_shipments;
    VIEWER  shipments show_shipment;
    VIEWER  shipments list_events;
    CLERK   shipments add_scans;
    VIEWER  numbers   check_numbers;
    VIEWER  numbers   list_carriers;
    REPORTS reports   report_delays;
    REPORTS reports   report_lanes;
    REPORTS reports   report_carriers;
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
    PUBLIC  status    show_status;
    PUBLIC  operation healthz;
    PUBLIC  operation readyz;
    PUBLIC  operation openapi_json;
    OPEN_PAGE    front            home;
    OPEN_PAGE    front            show_sign_in;
    OPEN_PAGE    front            sign_in;
    PAGE         front            sign_out;
    OPEN_PAGE    invitation_pages show_invitation;
    OPEN_PAGE    invitation_pages join;
    PAGE         shipment_pages   list_shipments;
    PAGE         shipment_pages   show_shipment;
    MANAGER_PAGE settings_pages   show_settings;
    MANAGER_PAGE settings_pages   save_settings;
    MANAGER_PAGE settings_pages   make_shop;
    MANAGER_PAGE settings_pages   save_shop_form;
    MANAGER_PAGE door_pages       make_key;
    MANAGER_PAGE door_pages       revoke_key;
    MANAGER_PAGE door_pages       invite_person;
    MANAGER_PAGE door_pages       remove_person;
}

struct Keys;

impl utoipa::Modify for Keys {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
        let told = "What a browser gets by signing in; over TLS its name starts with __Host-. It opens pages alone.";
        let session = ApiKey::Cookie(ApiKeyValue::with_description("parceltrail", told));
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An API key.")).build();
        if let Some(components) = openapi.components.as_mut() {
            components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
            components.add_security_scheme("session", SecurityScheme::ApiKey(session));
        }
    }
}

/// The specification of all routes.
pub fn specification() -> utoipa::openapi::OpenApi {
    Spec::openapi()
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

const JSON_BYTES: usize = 1 << 20;

/// Hangs every route of the table, and the docs page, into an application.
pub fn configure(config: &mut web::ServiceConfig, app: &Arc<App>) {
    config
        .app_data(web::Data::from(Arc::clone(app)))
        .app_data(
            web::JsonConfig::default().limit(JSON_BYTES).error_handler(|error, _| problem::of_json(&error).into()),
        )
        .app_data(web::FormConfig::default().error_handler(|_, _| Problem::bad_form().into()))
        .app_data(web::QueryConfig::default().error_handler(|error, _| bad_query(&error).into()))
        .app_data(web::PathConfig::default().error_handler(|_, _| Problem::not_found("object").into()));
    for (path, routes) in by_path() {
        let mut resource = web::resource(path);
        let allow = routes.iter().map(|route| route.method.as_str()).collect::<Vec<_>>().join(", ");
        for route in routes {
            let access = route.access;
            let guarded = (route.handler)()
                .method(route.method)
                .wrap(from_fn(move |request, next| auth::guard(access, request, next)));
            resource = resource.route(guarded);
        }
        config.service(resource.default_service(web::route().to(move || method_not_allowed(allow.clone()))));
    }
    config
        .service(utoipa_swagger_ui::SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", specification()))
        .service(web::redirect("/docs", "/docs/"))
        .default_service(web::route().to(HttpResponse::NotFound));
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

pub use problem::finish;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_door_stands_twice() {
        let mut doors: Vec<_> = routes().iter().map(|it| format!("{} {}", it.method, it.path)).collect();
        doors.sort();
        let count = doors.len();
        doors.dedup();
        assert_eq!(doors.len(), count);
    }

    #[test]
    fn what_is_open_to_anybody_is_named_here() {
        let of = |access| routes().into_iter().filter(move |it| it.access == access).map(|it| it.path);
        let open = ["/v1/import-templates/{kind}.csv", "/track/{token}", "/healthz", "/readyz", "/openapi.json"];
        assert_eq!(of(PUBLIC).collect::<Vec<_>>(), open);
        let pages = ["/", "/sign-in", "/sign-in", "/invitations/{token}", "/invitations/{token}"];
        assert_eq!(of(OPEN_PAGE).collect::<Vec<_>>(), pages);
    }

    #[test]
    fn no_operation_has_the_name_of_another() {
        let spec = serde_json::to_value(specification()).unwrap();
        let operations =
            spec["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
        let mut names: Vec<&str> = operations.filter_map(|it| it["operationId"].as_str()).collect();
        assert_eq!(names.len(), routes().len());
        names.sort_unstable();
        let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }

    #[test]
    fn every_guarded_route_says_so_in_the_specification() {
        let spec = serde_json::to_value(specification()).unwrap();
        for route in routes() {
            let operation = &spec["paths"][&route.path][route.method.as_str().to_lowercase()];
            assert!(operation.is_object(), "{} {}", route.method, route.path);
            let told =
                operation["security"].pointer("/0").and_then(|it| it.as_object()).and_then(|it| it.keys().next());
            let expected = match route.access {
                Access::Public | Access::OpenPage => None,
                Access::Seller(_) | Access::Admin | Access::Reports => Some("api_key"),
                Access::Page(_) => Some("session"),
            };
            assert_eq!(told.map(String::as_str), expected, "{} {}", route.method, route.path);
        }
    }
}
