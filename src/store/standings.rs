//! Standings: the projection of events that is kept for reading, and which of them is due to be judged again.

use super::bulk;
use super::schema::standings;
use super::types::{At, Json};
use super::{PlatformTables, SellerTables, StoreError};
use crate::domain::event_time::EventTime;
use crate::domain::ids::{SellerId, ShipmentId};
use crate::domain::milestone::SubStatus;
use crate::domain::standing::Standing;
use diesel::prelude::*;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A shipment's standing as it is stored.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = standings, primary_key(seller_id, shipment_id), treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct StandingRow {
    pub seller_id: SellerId,
    pub shipment_id: ShipmentId,
    pub milestone: String,
    pub sub_status: Option<String>,
    pub verdict: String,
    /// What the dates alone say.
    pub timeliness: String,
    pub cause: Option<String>,
    pub is_open: bool,
    pub delivered_on: Option<String>,
    pub first_attempt_on: Option<String>,
    pub ending: Option<String>,
    /// `{"progress":{..},"verdict":{..}}` in full.
    pub detail: Json,
    pub judged_at: At,
    pub reconsider_at: Option<At>,
}

impl StandingRow {
    pub fn of(seller: SellerId, shipment: ShipmentId, standing: &Standing) -> Self {
        let (progress, verdict) = (&standing.progress, &standing.verdict);
        Self {
            seller_id: seller,
            shipment_id: shipment,
            milestone: progress.milestone.code().to_owned(),
            sub_status: Some(progress.sub_status.code().to_owned()),
            verdict: verdict.verdict.code().to_owned(),
            timeliness: verdict.timeliness.code().to_owned(),
            cause: verdict.cause.map(|cause| cause.code().to_owned()),
            is_open: standing.is_open(),
            delivered_on: standing.arrival.delivered_on.map(|day| day.to_string()),
            first_attempt_on: standing.arrival.first_attempt_on.map(|day| day.to_string()),
            ending: standing.ending.map(|ending| ending.code().to_owned()),
            detail: Json(json!({"progress": progress, "verdict": verdict})),
            judged_at: At(standing.judged_at),
            reconsider_at: verdict.reconsider_at.map(At),
        }
    }

    /// The first proof that the carrier had the parcel.
    pub fn first_scan(&self) -> Option<EventTime> {
        first_scan_in(&self.detail)
    }

    /// When the parcel came to its end; `None` while more is expected of it.
    pub fn ended(&self) -> Option<EventTime> {
        let ends = self.sub_status.as_deref().and_then(|code| code.parse().ok()).is_some_and(SubStatus::ends);
        ends.then(|| time_in(&self.detail, "/progress/since")).flatten()
    }

    /// Whether both say the same, whenever they were judged.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        Self { judged_at: other.judged_at, ..self.clone() } == *other
    }
}

/// The first scan in a standing that is stored in full.
pub fn first_scan_in(detail: &Json) -> Option<EventTime> {
    time_in(detail, "/progress/first_scan")
}

fn time_in(detail: &Json, pointer: &str) -> Option<EventTime> {
    let time = detail.0.pointer(pointer)?;
    let text = |field| time.get(field).and_then(Value::as_str);
    EventTime::from_texts(text("local")?, text("offset"))
}

impl SellerTables<'_> {
    pub fn standing(&mut self, shipment: ShipmentId) -> Result<Option<StandingRow>, StoreError> {
        let mine =
            standings::table.filter(standings::seller_id.eq(self.seller)).filter(standings::shipment_id.eq(shipment));
        Ok(mine.select(StandingRow::as_select()).get_result(self.connection).optional()?)
    }

    pub fn insert_standing(&mut self, row: &StandingRow) -> Result<(), StoreError> {
        self.insert_standings(std::slice::from_ref(row))
    }

    pub fn insert_standings(&mut self, rows: &[StandingRow]) -> Result<(), StoreError> {
        Ok(bulk::insert_standings(self.connection, rows)?)
    }

    pub fn update_standing(&mut self, row: &StandingRow) -> Result<(), StoreError> {
        let mine = standings::table
            .filter(standings::seller_id.eq(self.seller))
            .filter(standings::shipment_id.eq(row.shipment_id));
        diesel::update(mine).set(row).execute(self.connection)?;
        Ok(())
    }
}

impl PlatformTables<'_> {
    /// Shipments, of any seller, whose verdict may change by the clock by now. Judging twice does no harm, so none is
    /// claimed.
    pub fn due_standings(&mut self, now: Timestamp, limit: i64) -> Result<Vec<(SellerId, ShipmentId)>, StoreError> {
        let due = standings::table
            .filter(standings::reconsider_at.le(At(now)))
            .order(standings::reconsider_at)
            .limit(limit)
            .select((standings::seller_id, standings::shipment_id));
        Ok(due.load(self.connection)?)
    }
}
