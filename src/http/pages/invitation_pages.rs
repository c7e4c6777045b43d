//! Taking an invitation: a name, a password, and the person is in.

use super::front::{open_form, request_id, welcome};
use super::{Frame, render, words};
use crate::app::{self, App};
use crate::domain::person::PersonFault;
use crate::flows::people::join::{self, JoinError, Newcomer, Welcome};
use crate::http::problem::Problem;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "pages/invitation.html")]
struct InvitationPage<'a> {
    frame: Frame,
    welcome: &'a Welcome,
    token: &'a str,
    name: &'a str,
    fault: Option<PersonFault>,
}

impl InvitationPage<'_> {
    /// What is wrong with the name, as opposed to the password.
    fn name_fault(&self) -> Option<PersonFault> {
        self.fault.filter(|fault| *fault == PersonFault::Name)
    }

    fn password_fault(&self) -> Option<PersonFault> {
        self.fault.filter(|fault| *fault != PersonFault::Name)
    }
}

/// What an invitation asks to, with the form to take it
#[utoipa::path(get, path = "/invitations/{token}")]
pub async fn show_invitation(
    app: Data<App>,
    token: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (app, token) = (app.into_inner(), token.into_inner());
    let welcome = find(&app, &token).await?;
    let name = welcome.person.name.clone().unwrap_or_default();
    form(&app, &request, &token, (&welcome, &name, None))
}

/// What the form of an invitation sends.
#[derive(Deserialize)]
pub struct JoinForm {
    name: String,
    /// At least 12 characters.
    password: String,
    /// The same again.
    again: String,
}

/// Take an invitation; the person is signed in then
#[utoipa::path(post, path = "/invitations/{token}")]
pub async fn join(
    app: Data<App>,
    token: Path<String>,
    request: HttpRequest,
    told: Form<JoinForm>,
) -> Result<HttpResponse, Problem> {
    let (app, token, told) = (app.into_inner(), token.into_inner(), told.into_inner());
    let (name, asked) = (told.name.clone(), token.clone());
    let newcomer =
        Newcomer { name: told.name, password: told.password, again: told.again, request_id: request_id(&request) };
    let joined = app::hashing(&app, move |app| join::join(&app.store, &asked, &newcomer, app.now())).await;
    match joined.ok_or_else(Problem::internal)? {
        Ok(opened) => Ok(welcome(&request, &opened, "/shipments")),
        Err(JoinError::Person(fault)) => form(&app, &request, &token, (&find(&app, &token).await?, &name, Some(fault))),
        Err(error) => Err(error.into()),
    }
}

async fn find(app: &Arc<App>, token: &str) -> Result<Welcome, Problem> {
    let token = token.to_owned();
    let found = app::read(app, move |app| join::show_invitation(&app.store, &token, app.now())).await;
    Ok(found.ok_or_else(Problem::internal)??)
}

fn form(
    app: &Arc<App>,
    request: &HttpRequest,
    token: &str,
    (welcome, name, fault): (&Welcome, &str, Option<PersonFault>),
) -> Result<HttpResponse, Problem> {
    let status = if fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    open_form(app, request, status, |frame| {
        let frame = Frame { title: format!("Join {}", welcome.seller_name), ..frame };
        render(&InvitationPage { frame, welcome, token, name, fault })
    })
}
