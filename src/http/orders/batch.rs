//! Many orders at once.

use super::told::OrderIn;
use crate::app::{self, App};
use crate::flows::take_in::batch::{self as flow, OrderItem};
use crate::http::auth::Caller;
use crate::http::batch::{self, BatchOut};
use crate::http::fields;
use crate::http::problem::Problem;
use actix_web::web::{Data, Json};
use serde::Deserialize;
use serde_json::Value;

/// Orders, each for itself.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrdersIn {
    /// 1 to 500, with 5,000 lines in all.
    #[schema(value_type = Vec<OrderIn>, min_items = 1, max_items = 500)]
    orders: Vec<Value>,
}

/// All writes of a seller wait while a batch is written.
const MOST_LINES: usize = 5_000;

/// Put many orders, each for itself: a bad one does not stop the rest
#[utoipa::path(
    post, path = "/v1/orders/batch", tag = "Orders", request_body = OrdersIn,
    responses(
        (status = 200, description = "What became of each.", body = BatchOut),
        (status = 422, description = "Not as documented: no item was taken in.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn put_orders(app: Data<App>, caller: Caller, told: Json<OrdersIn>) -> Result<Json<BatchOut>, Problem> {
    let (app, seller) = (app.into_inner(), caller.seller()?);
    let mut lines = 0;
    let (orders, read) = batch::read("orders", told.into_inner().orders, |item| {
        let order = item_of(item)?;
        let with_it = lines + order.rows.len();
        if with_it > MOST_LINES {
            return Err(too_many_lines());
        }
        lines = with_it;
        Ok((order, Vec::new()))
    })?;
    let put = app::in_background(&app, move |app| flow::put_orders(&app.sender(seller, None), &orders));
    Ok(Json(read.answer(put.await.ok_or_else(Problem::internal)??, |(id, outcome)| (id.0, outcome, Vec::new()))))
}

fn item_of(item: Value) -> Result<OrderItem, Problem> {
    let told: OrderIn = fields::object(item)?;
    Ok(OrderItem { shop: told.shop.clone(), rows: told.rows()? })
}

fn too_many_lines() -> Problem {
    let detail =
        format!("The orders of a batch have {MOST_LINES} lines in all at most. Send this one in another batch.");
    Problem::invalid("/lines", "bad_count", detail)
}
