//! The forms of the settings page for whatever opens doors: API keys and people. For managers.

use super::guard::Visitor;
use super::settings_pages::back;
use super::{Frame, page};
use crate::app::{self, App};
use crate::domain::ids::PrincipalId;
use crate::domain::role::Role;
use crate::flows::manage_keys::{self, NewKey};
use crate::flows::people::invite::{self, Invitee};
use crate::http::auth::Caller;
use crate::http::problem::Problem;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path};
use askama::Template;
use serde::Deserialize;
use uuid::Uuid;

#[derive(Template)]
#[template(path = "pages/shown_once.html")]
struct ShownOnce {
    frame: Frame,
    heading: &'static str,
    value: String,
    advice: String,
}

/// A key to be made.
#[derive(Deserialize)]
pub struct KeyForm {
    name: String,
    role: String,
}

/// Make an API key; the page shows it once
#[utoipa::path(post, path = "/settings/keys")]
pub async fn make_key(
    app: Data<App>,
    visitor: Visitor,
    caller: Caller,
    told: Form<KeyForm>,
) -> Result<HttpResponse, Problem> {
    let (app, told, seller) = (app.into_inner(), told.into_inner(), visitor.seller);
    let key = NewKey { name: told.name, role: role(&told.role)?, expires_at: None };
    let made = app::in_background(&app, move |app| {
        manage_keys::create_key(&app.store, seller, &caller.actor(), &key, app.now())
    });
    match made.await.ok_or_else(Problem::internal)? {
        Err(error) => back(&app, &visitor, Err(error.into())).await,
        Ok((key, value)) => {
            let advice =
                format!("The key {} is shown now and never again. Put it where your program finds it.", key.name);
            let frame = Frame::of(&app, &visitor, "Settings");
            page(StatusCode::CREATED, &ShownOnce { frame, heading: "Your new API key", value, advice })
        }
    }
}

/// Revoke an API key
#[utoipa::path(post, path = "/settings/keys/{id}/revoke")]
pub async fn revoke_key(
    app: Data<App>,
    visitor: Visitor,
    caller: Caller,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (app, seller, id) = (app.into_inner(), visitor.seller, PrincipalId(*id));
    let revoked = app::in_background(&app, move |app| {
        manage_keys::revoke_key(&app.store, seller, &caller.actor(), id, app.now())
    });
    let revoked = revoked.await.ok_or_else(Problem::internal)??;
    back(&app, &visitor, revoked.then_some("key").ok_or_else(|| Problem::not_found("key"))).await
}

/// A person to be asked in.
#[derive(Deserialize)]
pub struct InviteForm {
    email: String,
    role: String,
}

/// Ask a person in; the page shows the link once
#[utoipa::path(post, path = "/settings/people")]
pub async fn invite_person(
    app: Data<App>,
    visitor: Visitor,
    caller: Caller,
    told: Form<InviteForm>,
) -> Result<HttpResponse, Problem> {
    let (app, told, seller) = (app.into_inner(), told.into_inner(), visitor.seller);
    let person = Invitee { email: told.email, name: None, role: role(&told.role)? };
    let invited =
        app::in_background(&app, move |app| invite::invite(&app.store, seller, &caller.actor(), &person, app.now()));
    match invited.await.ok_or_else(Problem::internal)? {
        Err(error) => back(&app, &visitor, Err(error.into())).await,
        Ok(invited) => {
            let value = app.invitation_url(&invited.token);
            let advice = format!(
                "Send this link to {}. No e-mail goes out by itself. It works for seven days and once, and is shown now \
                 and never again.",
                invited.invitation.person.email
            );
            let frame = Frame::of(&app, &visitor, "Settings");
            page(StatusCode::CREATED, &ShownOnce { frame, heading: "The invitation", value, advice })
        }
    }
}

/// Shut a person out, or take an invitation back
#[utoipa::path(post, path = "/settings/people/{id}/remove")]
pub async fn remove_person(
    app: Data<App>,
    visitor: Visitor,
    caller: Caller,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (app, seller, id) = (app.into_inner(), visitor.seller, *id);
    let removed =
        app::in_background(&app, move |app| invite::remove(&app.store, seller, &caller.actor(), id, app.now()));
    let removed = removed.await.ok_or_else(Problem::internal)??;
    back(&app, &visitor, removed.then_some("person").ok_or_else(|| Problem::not_found("person"))).await
}

fn role(code: &str) -> Result<Role, Problem> {
    code.parse().map_err(|_unknown| Problem::invalid("/role", "unknown_role", "Choose one of the roles."))
}
