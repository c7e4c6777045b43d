//! The doors: every route in one table, and the specification from the same table.
//!
//! A handler opens, hands on to a flow and words the answer; it decides nothing.

mod admin;
mod answer;
mod auth;
mod client;
mod imports;
pub mod meters;
mod numbers;
mod operation;
mod orders;
mod paging;
mod problem;
mod reports;
mod shipments;
mod status;
mod throttle;

use crate::app::App;
use crate::domain::role::Role;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::{HttpResponse, web};
use auth::Access;
use problem::Problem;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::OpenApi as _;
use utoipa::openapi::path::HttpMethod;

const VIEWER: Access = Access::Seller(Role::SellerViewer);
const CLERK: Access = Access::Seller(Role::SellerClerk);
const REPORTS: Access = Access::Reports;
const ADMIN: Access = Access::Admin;
const PUBLIC: Access = Access::Public;

/// How large a body may be, in bytes. A route that says nothing takes `USUAL`.
const SMALL: usize = 16 << 10;
const USUAL: usize = 1 << 20;
const LARGE: usize = 8 << 20;

/// One route: where it is, who may use it, and who answers.
pub struct Route {
    pub method: Method,
    pub path: String,
    pub access: Access,
    /// The largest body, in bytes; a file that is uploaded has its own setting.
    pub body_bytes: usize,
    handler: fn() -> actix_web::Route,
}

/// Every route. Method and path stand at the handler, so that they are told once; who may use it stands here, and a
/// route without it does not compile. How large a body it takes may stand behind the handler.
macro_rules! routes {
    ($($access:ident $room:ident $handler:ident $($body:ident)?;)*) => {
        pastey::paste! {
            /// Every route, in the order of the table.
            pub fn routes() -> Vec<Route> {
                vec![$(Route {
                    method: method_of(&<$room::[<__path_ $handler>] as utoipa::Path>::methods()),
                    path: <$room::[<__path_ $handler>] as utoipa::Path>::path(),
                    access: $access,
                    body_bytes: [$($body,)? USUAL][0],
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
            modifiers(&Keys, &Limited),
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
    CLERK   imports   cancel_import SMALL;
    CLERK   imports   commit_import SMALL;
    PUBLIC  imports   import_template;
    CLERK   orders    put_order;
    VIEWER  orders    list_orders;
    VIEWER  orders    show_order;
    CLERK   shipments put_shipment;
    VIEWER  shipments list_shipments;
    VIEWER  shipments show_shipment;
    VIEWER  shipments list_events;
    CLERK   shipments add_scans LARGE;
    VIEWER  numbers   check_numbers;
    VIEWER  numbers   list_carriers;
    REPORTS reports   report_delays;
    REPORTS reports   report_lanes;
    REPORTS reports   report_carriers;
    ADMIN   admin     list_sellers;
    PUBLIC  status    show_status;
    PUBLIC  operation healthz;
    PUBLIC  operation readyz;
    PUBLIC  operation openapi_json;
}

struct Keys;

impl utoipa::Modify for Keys {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An API key.")).build();
        if let Some(components) = openapi.components.as_mut() {
            components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
        }
    }
}

/// What every route may answer that is counted, so that no handler has to say it.
struct Limited;

impl utoipa::Modify for Limited {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder};
        let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let too_often = ResponseBuilder::new().description("Too often; wait as long as Retry-After says.");
        let too_often = too_often.content("application/problem+json", problem).build();
        for (path, item) in &mut openapi.paths.paths {
            let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                if !throttle::UNCOUNTED.contains(&path.as_str()) {
                    operation.responses.responses.insert("429".to_owned(), too_often.clone().into());
                }
            }
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

/// Hangs every route of the table, and the docs page, into an application.
pub fn configure(config: &mut web::ServiceConfig, app: &Arc<App>) {
    config
        .app_data(web::Data::from(Arc::clone(app)))
        .app_data(web::QueryConfig::default().error_handler(|error, _| bad_query(&error).into()))
        .app_data(web::PathConfig::default().error_handler(|_, _| Problem::not_found("object").into()));
    for (path, routes) in by_path() {
        let body_bytes = routes.iter().map(|route| route.body_bytes).max().unwrap_or(USUAL);
        let mut resource = web::resource(path).app_data(json(body_bytes)).app_data(web::PayloadConfig::new(body_bytes));
        let allow = routes.iter().map(|route| route.method.as_str()).collect::<Vec<_>>().join(", ");
        for route in routes {
            let access = route.access;
            let guarded = (route.handler)()
                .method(route.method)
                .wrap(from_fn(move |request, next| auth::guard(access, request, next)));
            resource = resource.route(guarded);
        }
        let wrong_method = web::route().to(move || method_not_allowed(allow.clone()));
        config.service(resource.default_service(wrong_method.wrap(from_fn(counted))));
    }
    config
        .service(utoipa_swagger_ui::SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", specification()))
        .service(web::redirect("/docs", "/docs/"))
        .service(web::redirect("/", "/docs/"))
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
        let open: Vec<_> = routes().into_iter().filter(|it| it.access == Access::Public).map(|it| it.path).collect();
        let expected = ["/v1/import-templates/{kind}.csv", "/track/{token}", "/healthz", "/readyz", "/openapi.json"];
        assert_eq!(open, expected);
    }

    #[test]
    fn every_guarded_route_says_so_in_the_specification() {
        let spec = serde_json::to_value(specification()).unwrap();
        for route in routes() {
            let operation = &spec["paths"][&route.path][route.method.as_str().to_lowercase()];
            assert!(operation.is_object(), "{} {}", route.method, route.path);
            assert_eq!(
                operation["security"].is_array(),
                route.access != Access::Public,
                "{} {}",
                route.method,
                route.path
            );
        }
    }
}
