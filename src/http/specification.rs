//! What the specification says of every route alike, so that no handler has to: credentials, who may use it, and the
//! responses that follow from access, body and rate limits.

use super::auth::Access;
use super::{Route, routes, throttle};
use actix_web::http::Method;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::ArrayItems;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, PathItem, Ref, RefOr, ResponseBuilder, Schema};

const API_KEY: &str = "api_key";

/// The credentials that the API accepts.
pub struct SecuritySchemes;

impl utoipa::Modify for SecuritySchemes {
    fn modify(&self, openapi: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key, or an access token."))
            .build();
        openapi.components.get_or_insert_default().add_security_scheme(API_KEY, SecurityScheme::Http(scheme));
    }
}

/// Writes at each operation who may use it, from the table of routes.
pub struct AccessInSpec;

impl utoipa::Modify for AccessInSpec {
    fn modify(&self, openapi: &mut OpenApi) {
        for_each_route(openapi, |route, operation| {
            let access = ExtensionsBuilder::new().add("x-access", route.access.code());
            operation.extensions.get_or_insert_default().merge(access.build());
            let needs_key = route.access != Access::Public;
            let key = needs_key.then(|| SecurityRequirement::new(API_KEY, Vec::<String>::new()));
            operation.security = Some(key.into_iter().collect());
        });
    }
}

/// Adds the responses that follow from the table of routes. What a handler says of a status itself is kept.
pub struct CommonResponses;

impl utoipa::Modify for CommonResponses {
    fn modify(&self, openapi: &mut OpenApi) {
        for_each_route(openapi, |route, operation| {
            if route.access != Access::Public {
                add_problem(operation, "401", "No valid key.");
            }
            if let Some(reason) = route.access.refusal() {
                add_problem(operation, "403", reason);
            }
            if operation.request_body.is_some() {
                add_problem(operation, "400", "The body is not JSON.");
                add_problem(operation, "413", "The body is too large.");
                add_problem(operation, "415", "The body is not sent as JSON.");
            }
            if !throttle::UNCOUNTED.contains(&route.path.as_str()) {
                add_problem(operation, "429", "Too many requests. Wait for as long as `Retry-After` says.");
            }
        });
    }
}

/// Names the items of each list: utoipa writes the schema of `T` into that of `Page<T>`, so clients that are generated from
/// the document would have each type twice.
pub struct PageItems;

impl utoipa::Modify for PageItems {
    fn modify(&self, openapi: &mut OpenApi) {
        let Some(components) = &mut openapi.components else { return };
        let named: Vec<String> = components.schemas.keys().cloned().collect();
        for item in &named {
            let page = components.schemas.get_mut(&format!("Page_{item}"));
            if let Some(RefOr::T(Schema::Object(page))) = page
                && let Some(RefOr::T(Schema::Array(data))) = page.properties.get_mut("data")
            {
                data.items = ArrayItems::RefOrSchema(Box::new(Ref::from_schema_name(item).into()));
            }
        }
    }
}

/// Calls `change` for every operation of the document with its line in the table of routes.
fn for_each_route(openapi: &mut OpenApi, change: impl Fn(&Route, &mut Operation)) {
    for route in routes() {
        let item = openapi.paths.paths.get_mut(&route.path);
        if let Some(operation) = item.and_then(|item| operation_mut(item, &route.method)) {
            change(&route, operation);
        }
    }
}

fn add_problem(operation: &mut Operation, status: &str, description: &str) {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response = || ResponseBuilder::new().description(description).content("application/problem+json", problem);
    operation.responses.responses.entry(status.to_owned()).or_insert_with(|| response().build().into());
}

fn operation_mut<'o>(item: &'o mut PathItem, method: &Method) -> Option<&'o mut Operation> {
    match method.as_str() {
        "GET" => item.get.as_mut(),
        "POST" => item.post.as_mut(),
        "PATCH" => item.patch.as_mut(),
        "PUT" => item.put.as_mut(),
        "DELETE" => item.delete.as_mut(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
