//! People of a seller who sign in to the pages.

use super::auth::Caller;
use super::problem::Problem;
use crate::app::{self, App};
use crate::domain::person::Person;
use crate::domain::role::Role;
use crate::flows::people::invite::{self, Invitee};
use crate::flows::people::{Invitation, User};
use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A person to be asked in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserIn {
    #[schema(example = "ada@example.com")]
    email: String,
    /// The person may choose another when joining.
    name: Option<String>,
    #[schema(example = "seller-clerk")]
    role: String,
}

/// A person who is in, was in, or was asked in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UserOut {
    id: Uuid,
    state: UserState,
    email: String,
    name: Option<String>,
    role: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Of an invitation: so long its link works.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Timestamp>,
    /// The link to join by: only in the answer to the invitation, and never again.
    invitation_url: Option<String>,
}

/// How far a person has come.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    Invited,
    Active,
    Disabled,
}

/// Everybody of a seller.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Users {
    data: Vec<UserOut>,
    next_cursor: Option<String>,
}

impl From<User> for UserOut {
    fn from(user: User) -> Self {
        let Person { name, email } = user.person;
        Self {
            id: user.id.0,
            state: if user.disabled_at.is_some() { UserState::Disabled } else { UserState::Active },
            email,
            name,
            role: user.role,
            created_at: user.created_at.0,
            expires_at: None,
            disabled_at: user.disabled_at.map(|at| at.0),
            invitation_url: None,
        }
    }
}

impl From<Invitation> for UserOut {
    fn from(invitation: Invitation) -> Self {
        let Person { name, email } = invitation.person;
        Self {
            id: invitation.id.0,
            state: UserState::Invited,
            email,
            name,
            role: invitation.role,
            created_at: invitation.created_at.0,
            expires_at: Some(invitation.expires_at.0),
            disabled_at: None,
            invitation_url: None,
        }
    }
}

/// Ask a person in
///
/// No e-mail goes out: pass `invitation_url` on yourself. It works for seven days and once. A later invitation of the same
/// address takes the place of an earlier one.
#[utoipa::path(
    post, path = "/v1/users", tag = "Settings", request_body = UserIn,
    responses(
        (status = 201, description = "The invitation, with its link.", body = UserOut),
        (status = 409, description = "That person is in already.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not as documented.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn invite_user(app: Data<App>, caller: Caller, told: Json<UserIn>) -> Result<HttpResponse, Problem> {
    let (app, seller, told) = (app.into_inner(), caller.seller()?, told.into_inner());
    let role: Role = told.role.parse().map_err(|_unknown| Problem::from(invite::InviteError::Role))?;
    let person = Invitee { email: told.email, name: told.name, role };
    let invited =
        app::in_background(&app, move |app| invite::invite(&app.store, seller, &caller.actor(), &person, app.now()));
    let invited = invited.await.ok_or_else(Problem::internal)??;
    let invitation_url = Some(app.invitation_url(&invited.token));
    Ok(HttpResponse::Created().json(UserOut { invitation_url, ..invited.invitation.into() }))
}

/// Everybody: people who are or were in, then invitations that can still be taken
#[utoipa::path(
    get, path = "/v1/users", tag = "Settings",
    responses(
        (status = 200, description = "The people.", body = Users),
    ),
)]
pub async fn list_users(app: Data<App>, caller: Caller) -> Result<Json<Users>, Problem> {
    let (app, seller) = (app.into_inner(), caller.seller()?);
    let people = app::read(&app, move |app| invite::list_people(&app.store, seller, app.now())).await;
    let people = people.ok_or_else(Problem::internal)??;
    let data = people.users.into_iter().map(UserOut::from).chain(people.invitations.into_iter().map(UserOut::from));
    Ok(Json(Users { data: data.collect(), next_cursor: None }))
}

/// Shut a person out, which ends the sessions, or take an invitation back
///
/// The last manager may go too: keys of the API remain.
#[utoipa::path(
    delete, path = "/v1/users/{id}", tag = "Settings", params(("id" = Uuid, Path)),
    responses(
        (status = 204, description = "Done."),
        (status = 404, description = "Nobody of this id, or no more.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn remove_user(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let (app, seller, id) = (app.into_inner(), caller.seller()?, *id);
    let removed =
        app::in_background(&app, move |app| invite::remove(&app.store, seller, &caller.actor(), id, app.now()));
    let removed = removed.await.ok_or_else(Problem::internal)??;
    if removed { Ok(HttpResponse::NoContent().finish()) } else { Err(Problem::not_found("person")) }
}
