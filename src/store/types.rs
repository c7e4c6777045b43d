//! Three SQL types of our own, each the best native storage on both databases, and the Rust types that ride on them.

use crate::domain::ids::{
    AuditId, ClaimId, EventId, ImportId, InvitationId, OrderId, OutboxId, PrincipalId, SellerId, ShipmentId, ShopId,
    TrackerId,
};
use crate::store::connection::MultiBackend;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, HasSqlType, Text};
use diesel::sqlite::Sqlite;
use jiff::Timestamp;
use std::io::Write;
use uuid::Uuid;

/// The SQL types, for `table!` and for binds of raw SQL.
pub mod sql {
    pub use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};

    /// `uuid` | 16 bytes.
    #[derive(Debug, Clone, Copy, Default, diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
    #[diesel(postgres_type(oid = 2950, array_oid = 2951), sqlite_type(name = "Binary"))]
    pub struct Id;

    /// `timestamptz` | microseconds since 1970.
    #[derive(Debug, Clone, Copy, Default, diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
    #[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Long"))]
    pub struct Instant;

    /// `jsonb` | JSON text.
    #[derive(Debug, Clone, Copy, Default, diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
    #[diesel(postgres_type(oid = 3802, array_oid = 3807), sqlite_type(name = "Text"))]
    pub struct Document;
}

use sql::{Document, Id, Instant};

/// An instant as the databases keep it: to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = Instant)]
pub struct At(pub Timestamp);

/// A document as the databases keep it.
#[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Document)]
pub struct Json(pub serde_json::Value);

impl Json {
    /// The document as both databases can keep it: a `jsonb` holds no NUL, so U+FFFD takes its place in texts and names.
    pub fn storable(document: serde_json::Value) -> Self {
        Self(if holds_nul(&document) { without_nul(document) } else { document })
    }

    fn text(&self) -> String {
        if holds_nul(&self.0) { without_nul(self.0.clone()).to_string() } else { self.0.to_string() }
    }
}

fn holds_nul(document: &serde_json::Value) -> bool {
    use serde_json::Value;
    match document {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn without_nul(document: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    let clean = |text: String| text.replace('\0', "\u{fffd}");
    match document {
        Value::String(text) => Value::String(clean(text)),
        Value::Array(items) => items.into_iter().map(without_nul).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (clean(name), without_nul(value))).collect(),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
    }
}

impl From<At> for Timestamp {
    fn from(at: At) -> Self {
        at.0
    }
}

type MultiValue<'a> = <MultiBackend as Backend>::RawValue<'a>;
type MultiLookup = dyn std::any::Any;
type MultiMetadata = <MultiBackend as diesel::sql_types::TypeMetadata>::TypeMetadata;

/// Lets a Rust type that both databases know be used through the connection that may be either.
macro_rules! ride_on {
    ($($sql:ident => $($rust:ty),+;)*) => {$(
        impl HasSqlType<$sql> for MultiBackend {
            fn metadata(lookup: &mut MultiLookup) -> MultiMetadata {
                MultiBackend::lookup_sql_type::<$sql>(lookup)
            }
        }
        $(
            impl FromSql<$sql, MultiBackend> for $rust {
                fn from_sql(value: MultiValue<'_>) -> deserialize::Result<Self> {
                    value.from_sql::<Self, $sql>()
                }
            }
            impl ToSql<$sql, MultiBackend> for $rust {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                    out.set_value(($sql, self));
                    Ok(IsNull::No)
                }
            }
        )+
    )*};
}

ride_on! {
    Id => SellerId, ShopId, PrincipalId, OrderId, ShipmentId, TrackerId, EventId, ImportId, OutboxId, ClaimId, AuditId,
        InvitationId;
    Instant => At;
    Document => Json;
}

macro_rules! ids {
    ($($proxy:ident $id:ident),*) => {$(
        #[derive(AsExpression, FromSqlRow)]
        #[diesel(foreign_derive)]
        #[diesel(sql_type = Id)]
        #[allow(dead_code, reason = "only its derived implementations are wanted")]
        struct $proxy($id);

        impl FromSql<Id, Pg> for $id {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                Ok($id(Uuid::from_slice(value.as_bytes())?))
            }
        }
        impl FromSql<Id, Sqlite> for $id {
            fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
                Ok($id(Uuid::from_slice(&bytes)?))
            }
        }
        impl ToSql<Id, Pg> for $id {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                out.write_all(self.0.as_bytes())?;
                Ok(IsNull::No)
            }
        }
        impl ToSql<Id, Sqlite> for $id {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                out.set_value(self.0.as_bytes().as_slice());
                Ok(IsNull::No)
            }
        }
    )*};
}

ids! {
    SellerIdProxy SellerId, ShopIdProxy ShopId, PrincipalIdProxy PrincipalId, OrderIdProxy OrderId, ShipmentIdProxy ShipmentId,
    TrackerIdProxy TrackerId, EventIdProxy EventId, ImportIdProxy ImportId, OutboxIdProxy OutboxId,
    ClaimIdProxy ClaimId, AuditIdProxy AuditId, InvitationIdProxy InvitationId
}

/// PostgreSQL counts from the year 2000.
const MICROSECONDS_FROM_1970_TO_2000: i64 = 946_684_800_000_000;

impl FromSql<Instant, Pg> for At {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let since_2000 = <i64 as FromSql<BigInt, Pg>>::from_sql(value)?;
        let micros = since_2000.saturating_add(MICROSECONDS_FROM_1970_TO_2000);
        Ok(Self(Timestamp::from_microsecond(micros)?))
    }
}

impl ToSql<Instant, Pg> for At {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let since_2000 = self.0.as_microsecond().saturating_sub(MICROSECONDS_FROM_1970_TO_2000);
        out.write_all(&since_2000.to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<Instant, Sqlite> for At {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(Timestamp::from_microsecond(<i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?)?))
    }
}

impl ToSql<Instant, Sqlite> for At {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_microsecond());
        Ok(IsNull::No)
    }
}

/// The first byte of a `jsonb` on the wire.
const JSONB_VERSION: u8 = 1;

impl FromSql<Document, Pg> for Json {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes().split_first() {
            Some((&JSONB_VERSION, text)) => Ok(Self(serde_json::from_slice(text)?)),
            _ => Err("unknown version of jsonb".into()),
        }
    }
}

impl ToSql<Document, Pg> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[JSONB_VERSION])?;
        out.write_all(self.text().as_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<Document, Sqlite> for Json {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}

impl ToSql<Document, Sqlite> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.text());
        Ok(IsNull::No)
    }
}
