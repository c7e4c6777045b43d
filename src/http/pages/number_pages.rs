//! The form on a shipment's page that corrects what it goes under. For managers.

use super::guard::Visitor;
use super::shipment_pages::{Note, read_id, shipment_page};
use super::{page, see_other};
use crate::app::{self, App};
use crate::domain::edit::Edit;
use crate::domain::ids::{SellerId, ShipmentId};
use crate::domain::shipment::{NumberEdit, ShipmentEdit};
use crate::flows::list_shipments::ShipmentDetail;
use crate::flows::take_in::edit::{self, Expected};
use crate::flows::take_in::{Outcome, Taken};
use crate::http::fields::text;
use crate::http::problem::Problem;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path};
use serde::Deserialize;
use std::sync::Arc;

/// The right number and carrier of a shipment.
#[derive(Clone, Deserialize)]
pub struct NumberForm {
    pub(super) tracking_number: String,
    /// Blank where the number tells it.
    pub(super) carrier: String,
}

impl NumberForm {
    /// What stands in the fields before anybody has typed.
    pub(super) fn of(detail: &ShipmentDetail) -> Self {
        let shipment = &detail.view.shipment;
        let declared = shipment.declared_carrier.as_deref();
        Self {
            tracking_number: shipment.typed_number.clone(),
            carrier: declared.and(detail.carrier_name.clone()).unwrap_or_default(),
        }
    }

    fn edit(&self) -> Result<ShipmentEdit, Problem> {
        let word = self.carrier.trim();
        let number = NumberEdit {
            typed: Some(text("/tracking_number", &self.tracking_number, 200)?),
            carrier: if word.is_empty() { Edit::Clear } else { Edit::Set(word.to_owned()) },
        };
        Ok(ShipmentEdit { number, ..ShipmentEdit::default() })
    }
}

/// Correct the number that a shipment goes under, or its carrier
#[utoipa::path(post, path = "/shipments/{id}/number")]
pub async fn correct_number(
    app: Data<App>,
    visitor: Visitor,
    id: Path<String>,
    told: Form<NumberForm>,
) -> Result<HttpResponse, Problem> {
    let (app, id, told) = (app.into_inner(), read_id(&id)?, told.into_inner());
    match correct(&app, visitor.seller, id, told.edit()).await {
        Ok(taken) => {
            let done = if taken.outcome == Outcome::Unchanged { "nothing" } else { "number" };
            Ok(see_other(&format!("/shipments/{id}?done={done}")))
        }
        Err(problem) if problem.status == 422 || problem.status == 409 => {
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            let note = Note { done: None, fault: Some(problem.detail) };
            let mut shown = shipment_page(&app, &visitor, id, note).await?;
            shown.form = told;
            page(status, &shown)
        }
        Err(problem) => Err(problem),
    }
}

async fn correct(
    app: &Arc<App>,
    seller: SellerId,
    id: ShipmentId,
    edit: Result<ShipmentEdit, Problem>,
) -> Result<Taken, Problem> {
    let edit = edit?;
    let edited =
        app::in_background(app, move |app| edit::edit_shipment(&app.sender(seller, None), id, &edit, &Expected::Any));
    Ok(edited.await.ok_or_else(Problem::internal)??)
}
