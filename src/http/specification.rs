//! What the specification says of every route alike, so that no handler has to: credentials, who may use it, limits.

use super::{routes, throttle};
use actix_web::http::Method;

/// By what somebody comes in.
pub struct Keys;

impl utoipa::Modify for Keys {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
        let told = "What a browser gets by signing in; over TLS its name starts with __Host-. It opens pages alone.";
        let session = ApiKey::Cookie(ApiKeyValue::with_description("parceltrail", told));
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key, or an access token."))
            .build();
        if let Some(components) = openapi.components.as_mut() {
            components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
            components.add_security_scheme("session", SecurityScheme::ApiKey(session));
        }
    }
}

/// Says at each operation who may use it, in the words of the table.
pub struct Doors;

impl utoipa::Modify for Doors {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        for route in routes() {
            let item = openapi.paths.paths.get_mut(&route.path);
            if let Some(operation) = item.and_then(|item| operation_mut(item, &route.method)) {
                let access = utoipa::openapi::extensions::ExtensionsBuilder::new().add("x-access", route.access.code());
                operation.extensions.get_or_insert_default().merge(access.build());
            }
        }
    }
}

/// What every route may answer that is counted, so that no handler has to say it.
pub struct Limited;

impl utoipa::Modify for Limited {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder};
        let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let too_often = || ResponseBuilder::new().description("Too often; wait as long as Retry-After says.");
        let told = too_often().content("application/problem+json", problem).build();
        let shown = too_often().content("text/html", ContentBuilder::new().build()).build();
        for (path, item) in &mut openapi.paths.paths {
            let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                if !throttle::UNCOUNTED.contains(&path.as_str()) {
                    let is_page = operation.tags.iter().flatten().any(|tag| tag == "Pages");
                    let answer = if is_page { &shown } else { &told };
                    operation.responses.responses.insert("429".to_owned(), answer.clone().into());
                }
            }
        }
    }
}

fn operation_mut<'o>(
    item: &'o mut utoipa::openapi::PathItem,
    method: &Method,
) -> Option<&'o mut utoipa::openapi::path::Operation> {
    match method.as_str() {
        "GET" => item.get.as_mut(),
        "POST" => item.post.as_mut(),
        "PATCH" => item.patch.as_mut(),
        "PUT" => item.put.as_mut(),
        "DELETE" => item.delete.as_mut(),
        _ => None,
    }
}
