//! Many rows at once: on PostgreSQL a column an array and one statement for all, on SQLite prepared statements of a few rows
//! each. `COPY` cannot be had: PostgreSQL refuses it where row-level security binds the role.

use super::AnyConnection;
use super::contacts::ContactRow;
use super::events::LinkRow;
use super::import_rows::StoredRow;
use super::orders::{Line, Order};
use super::outbox::ChangeRow;
use super::schema::{
    import_rows, legs, order_contacts, order_lines, orders, outbox, promise_changes, shipments, standings, trackers,
    tracking_events,
};
use super::shipments::{LegRow, PromiseRow, Shipment};
use super::standings::StandingRow;
use super::trackers::Tracker;
use super::types::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Array;

/// So many rows go into one statement on SQLite: what a statement costs is shared, and the statement is compiled once, since
/// their number is fixed.
const ROWS_A_STATEMENT: usize = 20;

/// `INSERT INTO table (columns) SELECT * FROM UNNEST($1, $2, ...)`
fn statement(table: &str, columns: &[&str]) -> String {
    let parameters: Vec<String> = (1..=columns.len()).map(|number| format!("${number}")).collect();
    format!("INSERT INTO {table} ({}) SELECT * FROM UNNEST({})", columns.join(", "), parameters.join(", "))
}

/// Makes a function that inserts all rows of a slice; the columns are the fields of the row, of the same names.
macro_rules! inserts {
    ($($name:ident: $row:ty as $table:ident ($($column:ident: $sql:ty),+ $(,)?);)+) => {$(
        pub(super) fn $name(connection: &mut AnyConnection, rows: &[$row]) -> QueryResult<()> {
            if rows.is_empty() {
                return Ok(());
            }
            match connection {
                AnyConnection::Sqlite(sqlite) => {
                    let (together, rest) = rows.as_chunks::<ROWS_A_STATEMENT>();
                    for rows in together {
                        diesel::insert_into($table::table).values(rows).execute(sqlite)?;
                    }
                    for row in rest {
                        diesel::insert_into($table::table).values(row).execute(sqlite)?;
                    }
                }
                AnyConnection::Postgres(postgres) => {
                    let columns = [$(stringify!($column)),+];
                    let query = diesel::sql_query(statement(stringify!($table), &columns)).into_boxed::<Pg>();
                    $(
                        let column: Vec<_> = rows.iter().map(|row| &row.$column).collect();
                        let query = query.bind::<Array<$sql>, _>(column);
                    )+
                    query.execute(postgres)?;
                }
            }
            Ok(())
        }
    )+};
}

type Maybe<T> = sql::Nullable<T>;

inserts! {
    insert_orders: Order as orders (
        seller_id: sql::Id, id: sql::Id, shop_id: sql::Id, order_number: sql::Text, order_ref: Maybe<sql::Text>,
        state: sql::Text, ordered_local: Maybe<sql::Text>, ordered_offset: Maybe<sql::Text>, currency: Maybe<sql::Text>,
        country: Maybe<sql::Text>, region: Maybe<sql::Text>, postal_code: Maybe<sql::Text>,
        origin_country: Maybe<sql::Text>, origin_region: Maybe<sql::Text>, origin_postal_code: Maybe<sql::Text>,
        deliver_from_on: Maybe<sql::Text>, shipping_method: Maybe<sql::Text>,
        shipping_charged_minor: Maybe<sql::BigInt>, channel: Maybe<sql::Text>, dispatch_by_at: Maybe<sql::Instant>,
        deliver_by_on: Maybe<sql::Text>, token_hash: sql::Binary, token_sealed: sql::Binary,
        contact_erased_at: Maybe<sql::Instant>, created_at: sql::Instant, updated_at: sql::Instant, version: sql::BigInt,
    );
    insert_lines: Line as order_lines (
        seller_id: sql::Id, order_id: sql::Id, line_key: sql::Text, line_no: sql::Integer, line_id: Maybe<sql::Text>,
        sku: Maybe<sql::Text>, item_name: Maybe<sql::Text>, quantity: sql::BigInt,
        unit_price_minor: Maybe<sql::BigInt>, declared_value_minor: Maybe<sql::BigInt>, hs_code: Maybe<sql::Text>,
        origin_country: Maybe<sql::Text>, weight_g: Maybe<sql::BigInt>, ship_by_local: Maybe<sql::Text>,
        ship_by_offset: Maybe<sql::Text>, deliver_by_on: Maybe<sql::Text>, seller_ref: Maybe<sql::Text>,
    );
    insert_contacts: ContactRow as order_contacts (
        seller_id: sql::Id, order_id: sql::Id, sealed: sql::Binary, email_hash: Maybe<sql::Binary>,
        phone_hash: Maybe<sql::Binary>,
    );
    insert_changes: ChangeRow as outbox (
        seller_id: sql::Id, seq: sql::BigInt, id: sql::Id, kind: sql::Text, subject_id: sql::Id, body: sql::Document,
        created_at: sql::Instant,
    );
    insert_import_rows: StoredRow as import_rows (
        seller_id: sql::Id, import_id: sql::Id, line: sql::BigInt, outcome: sql::Text, order_id: Maybe<sql::Id>,
        shipment_id: Maybe<sql::Id>, sealed: sql::Binary,
    );
    insert_trackers: Tracker as trackers (
        seller_id: sql::Id, id: sql::Id, carrier: sql::Text, number: sql::Text, generation: sql::Integer,
        created_at: sql::Instant, last_event_at: Maybe<sql::Instant>, last_checked_at: Maybe<sql::Instant>,
        next_check_at: Maybe<sql::Instant>, failed_checks: sql::Integer, claimed_until: Maybe<sql::Instant>,
        details_erased_at: Maybe<sql::Instant>,
    );
    insert_shipments: Shipment as shipments (
        seller_id: sql::Id, id: sql::Id, order_id: sql::Id, state: sql::Text, carrier: Maybe<sql::Text>,
        service: Maybe<sql::Text>, tracking_number: sql::Text, typed_number: sql::Text, suspicious: sql::Bool,
        parcel_ref: Maybe<sql::Text>, shipped_local: Maybe<sql::Text>, shipped_offset: Maybe<sql::Text>,
        shipped_on: Maybe<sql::Text>, origin_country: Maybe<sql::Text>, origin_region: Maybe<sql::Text>,
        origin_postal_code: Maybe<sql::Text>, own_deliver_by_on: Maybe<sql::Text>, delivery_claim: Maybe<sql::Text>,
        deliver_by_on: Maybe<sql::Text>, promise_source: Maybe<sql::Text>, created_at: sql::Instant,
        updated_at: sql::Instant, version: sql::BigInt, number_validity: Maybe<sql::Text>,
        number_code: Maybe<sql::Text>, formats_version: Maybe<sql::Text>, declared_carrier: Maybe<sql::Text>,
    );
    insert_legs: LegRow as legs (
        seller_id: sql::Id, shipment_id: sql::Id, leg_no: sql::Integer, tracker_id: sql::Id,
    );
    insert_events: LinkRow as tracking_events (
        seller_id: sql::Id, tracker_id: sql::Id, dedupe_key: sql::Text, id: sql::Id, occurred_local: sql::Text,
        occurred_offset: Maybe<sql::Text>, sort_at: sql::Instant, heard_at: sql::Instant, sub_status: Maybe<sql::Text>,
        raw_code: sql::Text, source: sql::Text, chain_no: sql::BigInt, chain_hash: sql::Binary,
    );
    insert_standings: StandingRow as standings (
        seller_id: sql::Id, shipment_id: sql::Id, milestone: sql::Text, sub_status: Maybe<sql::Text>, verdict: sql::Text,
        timeliness: sql::Text, cause: Maybe<sql::Text>, is_open: sql::Bool, delivered_on: Maybe<sql::Text>,
        first_attempt_on: Maybe<sql::Text>, ending: Maybe<sql::Text>, detail: sql::Document, judged_at: sql::Instant,
        reconsider_at: Maybe<sql::Instant>,
    );
    insert_promises: PromiseRow as promise_changes (
        seller_id: sql::Id, shipment_id: sql::Id, changed_at: sql::Instant, deliver_by_on: Maybe<sql::Text>,
        source: Maybe<sql::Text>,
    );
}
