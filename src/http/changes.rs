//! The feed of changes.

use super::auth::Caller;
use super::paging;
use super::problem::Problem;
use crate::app::{self, App};
use crate::flows::list_changes::{self, Asked, Told};
use actix_web::web::{Data, Json, Query};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// From where on, and of what.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChangesQuery {
    /// The `next_cursor` that you were given last; from the beginning where absent.
    after: Option<String>,
    /// With commas between: `order.created`, `shipment.milestone_changed`, `shipment.verdict_changed`,
    /// `shipment.promise_changed`, `shipment.number_corrected`, `shipment.number_doubted`,
    /// `import.completed`. All where absent.
    types: Option<String>,
    /// How many at most; 50 unless said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// Something changed. Read the thing itself for how it is now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ChangeOut {
    id: Uuid,
    /// There may be more types one day.
    #[serde(rename = "type")]
    #[schema(example = "shipment.verdict_changed")]
    kind: String,
    /// The order, shipment or import that changed.
    subject_id: Uuid,
    #[schema(value_type = String, format = DateTime)]
    created_at: jiff::Timestamp,
    /// What changed, without names, addresses or other contacts.
    data: Value,
}

/// A part of the feed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ChangesOut {
    data: Vec<ChangeOut>,
    /// Send it as `after` next time, also where `data` is empty.
    next_cursor: String,
    /// Whether more is there already; ask again at once.
    has_more: bool,
}

/// What changed, oldest first
///
/// Keep `next_cursor` and send it as `after`: whoever goes on from there misses nothing and is told nothing twice, even
/// while others write. The order is that in which the changes were committed; `created_at` may be a little out of order.
#[utoipa::path(
    get, path = "/v1/changes", tag = "Changes", params(ChangesQuery),
    responses(
        (status = 200, description = "A part of the feed.", body = ChangesOut),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Changes after this cursor were deleted by age.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn list_changes(
    app: Data<App>,
    caller: Caller,
    query: Query<ChangesQuery>,
) -> Result<Json<ChangesOut>, Problem> {
    let (app, seller, query) = (app.into_inner(), caller.seller()?, query.into_inner());
    let asked = Asked { after: query.after, types: query.types, limit: paging::limit(query.limit)? };
    let feed = app::read(&app, move |app| list_changes::list_changes(&app.store, seller, &asked)).await;
    let feed = feed.ok_or_else(Problem::internal)??;
    let data = feed.changes.into_iter().map(shown).collect();
    Ok(Json(ChangesOut { data, next_cursor: feed.next_cursor, has_more: feed.has_more }))
}

fn shown(told: Told) -> ChangeOut {
    ChangeOut {
        id: told.id.0,
        kind: told.kind,
        subject_id: told.subject_id.0,
        created_at: told.created_at.0,
        data: told.body.0,
    }
}
