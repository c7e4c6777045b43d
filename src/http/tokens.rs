//! Access tokens: a key in, a token for some minutes out; and the keys that signed, for whoever checks for themselves.

use super::auth::Caller;
use super::problem::Problem;
use crate::app::{self, App};
use crate::domain::access_token::Scope;
use crate::flows::access_tokens::{self, AccessToken, Holder, TokenRequest};
use crate::flows::sign_in::Credential;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// What token is wanted; `{}` for one that holds 15 minutes and may do all that the key may.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenIn {
    #[schema(minimum = 1, maximum = 900)]
    expires_in_s: Option<i64>,
    /// A token never reaches further than its key.
    scopes: Option<Vec<Scope>>,
}

/// A token.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TokenOut {
    /// Send it as `Authorization: Bearer`.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    #[schema(value_type = String, format = DateTime)]
    expires_at: jiff::Timestamp,
}

/// Exchange an API key for an access token
///
/// A JWT, signed with `EdDSA`, for 15 minutes at most. Revoking the key ends its tokens with the next request.
#[utoipa::path(
    post, path = "/v1/tokens", tag = "Sign in", request_body = TokenIn,
    responses(
        (status = 201, description = "The token.", body = TokenOut),
        (status = 403, description = "A token instead of a key.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not as documented.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn create_token(app: Data<App>, caller: Caller, told: Json<TokenIn>) -> Result<HttpResponse, Problem> {
    if caller.0.came_with != Credential::ApiKey {
        let detail = "A token gives no other token; send the API key.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail));
    }
    let holder = Holder { key: caller.0.id, role: caller.0.role };
    let asked = TokenRequest { seconds: told.expires_in_s, scopes: told.into_inner().scopes };
    let app = app.into_inner();
    let issued = app::in_background(&app, move |app| {
        access_tokens::issue(&app.store, (&app.secrets, &app.issuer()), holder, &asked, app.now())
    });
    let AccessToken { token, expires_at } = issued.await.ok_or_else(Problem::internal)??;
    let out = TokenOut { access_token: token, token_type: "Bearer", expires_at };
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(out))
}

/// The public keys.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct KeySet {
    keys: Vec<PublicKey>,
}

/// One public key, RFC 8037.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PublicKey {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    kid: String,
    x: String,
}

/// The public keys of access tokens
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "Sign in",
    responses((status = 200, description = "A JSON Web Key Set, RFC 7517.", body = KeySet)),
)]
pub async fn key_set(app: Data<App>) -> Result<HttpResponse, Problem> {
    let keys = app::read(&app.into_inner(), |app| access_tokens::published(&app.store, app.now())).await;
    let keys = keys.ok_or_else(Problem::internal)??.into_iter().map(|key| PublicKey {
        kty: "OKP",
        crv: "Ed25519",
        alg: "EdDSA",
        usage: "sig",
        kid: key.kid,
        x: URL_SAFE_NO_PAD.encode(key.public_key),
    });
    let set = KeySet { keys: keys.collect() };
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(set))
}
