//! Carriers that a seller defined.

use super::schema::seller_carriers;
use super::types::{At, Json};
use super::{SellerTables, StoreError};
use crate::domain::carrier::own::{OwnCarrier, Told};
use crate::domain::ids::SellerId;
use diesel::prelude::*;
use serde_json::json;

/// A carrier of a seller, as it is kept.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = seller_carriers, primary_key(seller_id, slug), treat_none_as_null = true)]
pub struct SellerCarrier {
    pub seller_id: SellerId,
    pub slug: String,
    pub name: String,
    /// A list of texts, as are `patterns`.
    pub aliases: Json,
    pub country: Option<String>,
    pub tracking_url: Option<String>,
    pub patterns: Json,
    pub created_at: At,
    pub updated_at: At,
    pub version: i64,
}

impl SellerCarrier {
    /// A carrier at its first version.
    pub fn new(seller_id: SellerId, carrier: &OwnCarrier, now: At) -> Self {
        let patterns: Vec<&str> = carrier.patterns.iter().map(|it| it.as_str()).collect();
        Self {
            seller_id,
            slug: carrier.slug.to_string(),
            name: carrier.name.clone(),
            aliases: Json(json!(carrier.aliases)),
            country: carrier.country.clone(),
            tracking_url: carrier.tracking_url.clone(),
            patterns: Json(json!(patterns)),
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    pub fn carrier(&self) -> OwnCarrier {
        let kept = Told {
            name: self.name.clone(),
            aliases: texts(&self.aliases),
            country: self.country.clone(),
            tracking_url: self.tracking_url.clone(),
            patterns: texts(&self.patterns),
        };
        OwnCarrier::from_stored(self.slug.clone(), kept)
    }
}

fn texts(list: &Json) -> Vec<String> {
    serde_json::from_value(list.0.clone()).unwrap_or_default()
}

impl SellerTables<'_> {
    /// This seller's own carriers, ready to be used, by slug. Ask once for a request or an import.
    pub fn own_carriers(&mut self) -> Result<Vec<OwnCarrier>, StoreError> {
        Ok(self.seller_carriers()?.iter().map(SellerCarrier::carrier).collect())
    }

    pub fn seller_carriers(&mut self) -> Result<Vec<SellerCarrier>, StoreError> {
        let mine = seller_carriers::table.filter(seller_carriers::seller_id.eq(self.seller));
        Ok(mine.order(seller_carriers::slug).select(SellerCarrier::as_select()).load(self.connection)?)
    }

    pub fn insert_carrier(&mut self, carrier: &SellerCarrier) -> Result<(), StoreError> {
        diesel::insert_into(seller_carriers::table).values(carrier).execute(self.connection)?;
        Ok(())
    }

    pub fn update_carrier(&mut self, carrier: &SellerCarrier) -> Result<(), StoreError> {
        let mine = seller_carriers::table
            .filter(seller_carriers::seller_id.eq(self.seller))
            .filter(seller_carriers::slug.eq(&carrier.slug));
        diesel::update(mine).set(carrier).execute(self.connection)?;
        Ok(())
    }

    /// Whether there was one to delete.
    pub fn delete_carrier(&mut self, slug: &str) -> Result<bool, StoreError> {
        let mine = seller_carriers::table
            .filter(seller_carriers::seller_id.eq(self.seller))
            .filter(seller_carriers::slug.eq(slug));
        Ok(diesel::delete(mine).execute(self.connection)? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::on_both::{a_seller, on_both};
    use jiff::Timestamp;

    #[test]
    fn a_seller_s_carriers_are_kept_as_defined_and_are_its_own() {
        on_both(|store| {
            let now: Timestamp = "2026-09-17T10:04:00.123456Z".parse().unwrap();
            let (mine, other) = (a_seller(store, now), a_seller(store, now));
            let told = Told {
                name: "Bob's 🚲".to_owned(),
                aliases: vec!["BB".to_owned(), "Б Б".to_owned()],
                country: Some("GB".to_owned()),
                tracking_url: Some("https://bobs.example/?n={n}".to_owned()),
                patterns: vec!["=BB digit*6-8".to_owned()],
            };
            let bobs = OwnCarrier::define("bobs-bikes", told).unwrap();
            let mut row = SellerCarrier::new(mine, &bobs, At(now));
            store.seller(mine).write(|tables| tables.insert_carrier(&row)).unwrap();
            assert_eq!(store.seller(mine).read(|tables| tables.own_carriers()).unwrap(), [bobs]);
            assert_eq!(store.seller(other).read(|tables| tables.own_carriers()).unwrap(), []);

            // The other's carrier of the same slug is another carrier.
            let theirs =
                OwnCarrier::define("bobs-bikes", Told { name: "Theirs".to_owned(), ..Told::default() }).unwrap();
            let of_other = SellerCarrier::new(other, &theirs, At(now));
            store.seller(other).write(|tables| tables.insert_carrier(&of_other)).unwrap();
            (row.country, row.version) = (None, 2);
            store.seller(mine).write(|tables| tables.update_carrier(&row)).unwrap();
            assert_eq!(store.seller(mine).read(|tables| tables.seller_carriers()).unwrap(), [row]);
            for (time, deleted) in [("first", true), ("again", false)] {
                let done = store.seller(mine).write(|tables| tables.delete_carrier("bobs-bikes")).unwrap();
                assert_eq!(done, deleted, "{time}");
            }
            assert_eq!(store.seller(other).read(|tables| tables.seller_carriers()).unwrap(), [of_other]);
        });
    }
}
