//! The story of the demo, step by step over HTTP, and what must have come of it.

use super::DemoError;
use super::parcels::{self, Parcel};
use crate::app::{App, system_now};
use crate::cli::say;
use jiff::SignedDuration;
use reqwest::Client;
use serde_json::Value;
use std::time::{Duration, Instant};

/// What the demo signs in with.
pub struct Keys {
    pub seller: String,
    pub admin: String,
    /// Who signs in to the pages: e-mail address and password.
    pub person: (String, String),
}

/// Longer than the story takes even on a slow machine.
const PATIENCE: Duration = Duration::from_mins(3);

struct Visitor<'a> {
    client: Client,
    base: String,
    keys: &'a Keys,
}

/// Tells the story; the answer is what to look at.
pub async fn tell(app: &App, keys: &Keys, parcels: &[Parcel]) -> Result<String, DemoError> {
    let client = Client::builder().timeout(Duration::from_secs(30)).build()?;
    let visitor = Visitor { client, base: app.public_url(), keys };
    visitor.upload("orders", parcels::orders_csv(parcels), parcels.len()).await?;
    visitor.upload("tracking", parcels::tracking_csv(parcels), parcels.len()).await?;
    visitor.follow(app, parcels).await?;
    visitor.report(parcels.len()).await?;
    visitor.endings(parcels).await
}

impl Visitor<'_> {
    async fn get(&self, path: &str, key: &str) -> Result<Value, DemoError> {
        let answer = self.client.get(format!("{}{path}", self.base)).bearer_auth(key).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Uploads a sheet that has one bad row, and waits until it is worked off.
    async fn upload(&self, kind: &str, sheet: String, good: usize) -> Result<(), DemoError> {
        let url = format!("{}/v1/imports?kind={kind}", self.base);
        let request = self.client.post(url).bearer_auth(&self.keys.seller).header("content-type", "text/csv");
        let mut import: Value = request.body(sheet).send().await?.error_for_status()?.json().await?;
        let began = Instant::now();
        while matches!(text(&import, "/state"), "received" | "running") && began.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(50)).await;
            import = self.get(&format!("/v1/imports/{}", text(&import, "/id")), &self.keys.seller).await?;
        }
        let (accepted, rejected) = (number(&import, "/rows_accepted"), number(&import, "/rows_rejected"));
        held(
            &format!("{kind}: {accepted} rows taken, {rejected} rejected"),
            accepted == as_u64(good) && rejected == 1,
        )?;
        let rows = format!("/v1/imports/{}/rows?outcome=rejected", text(&import, "/id"));
        let rows = self.get(&rows, &self.keys.seller).await?;
        for error in rows.pointer("/data/0/errors").and_then(Value::as_array).into_iter().flatten() {
            say(&format!("     line {}: {}", number(&rows, "/data/0/line"), text(error, "/detail")))?;
        }
        Ok(())
    }

    /// Waits until every parcel has come to what its journey leads to.
    async fn follow(&self, app: &App, parcels: &[Parcel]) -> Result<(), DemoError> {
        say(&"\nThe carriers are asked, and the days pass:")?;
        let (began, mut shown) = (Instant::now(), None);
        loop {
            let page = self.get("/v1/shipments?limit=200", &self.keys.seller).await?;
            let shipments = page.pointer("/data").and_then(Value::as_array).cloned().unwrap_or_default();
            let missing: Vec<String> = parcels.iter().filter_map(|parcel| parcel.missing_in(&shipments)).collect();
            let caught_up = system_now().duration_since(app.now()) < SignedDuration::from_secs(2);
            if missing.is_empty() && caught_up {
                return shipments.iter().rev().try_for_each(|it| say(&line(it))).map_err(DemoError::from);
            }
            if began.elapsed() > PATIENCE {
                return Err(DemoError::Step(missing.join("; ")));
            }
            let today = jiff::tz::TimeZone::UTC.to_datetime(app.now()).date();
            if shown.replace(today) != Some(today) && today.day() % 4 == 0 {
                say(&format!("     {today}: {} of {} parcels have come to an end", ended(&shipments), parcels.len()))?;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    async fn report(&self, parcels: usize) -> Result<(), DemoError> {
        let report = self.get("/v1/reports/delays?group_by=carrier", &self.keys.seller).await?;
        let count = |name: &str| number(&report, &format!("/totals/{name}"));
        let sentence = format!(
            "the report counts {} shipments: {} on time, {} late, {} late and still open, {} returned",
            count("shipments"),
            count("on_time"),
            count("late"),
            count("late_open"),
            count("returned"),
        );
        say(&"")?;
        let told = [count("shipments"), count("on_time"), count("late"), count("late_open"), count("returned")];
        held(&sentence, told == [as_u64(parcels), 4, 2, 1, 1])?;
        let all = self.get("/v1/reports/delays?group_by=seller", &self.keys.admin).await?;
        held("an admin sees the same over all sellers", all.pointer("/totals") == report.pointer("/totals"))
    }

    /// Opens every status page as a customer would, and sums up what there is to see.
    async fn endings(&self, parcels: &[Parcel]) -> Result<String, DemoError> {
        let orders = self.get("/v1/orders?limit=200", &self.keys.seller).await?;
        let mut ending = format!("\nLook around:\n  API documentation  {}/docs/\n", self.base);
        for parcel in parcels {
            let mut found = orders.pointer("/data").and_then(Value::as_array).into_iter().flatten();
            let order = found.find(|order| text(order, "/order_number") == parcel.order_number);
            let link = order.map(|order| text(order, "/status_url")).unwrap_or_default();
            let page = self.client.get(link).header("accept", "text/html").send().await?.text().await?;
            if !page.contains(parcel.order_number) || !page.contains(&parcel.number) {
                return Err(DemoError::Step(format!("the status page of {} shows its parcel", parcel.order_number)));
            }
            ending.push_str(&[parcel.order_number, parcel.verdict, link].join("  "));
            ending.push('\n');
        }
        let (base, seller, admin) = (&self.base, &self.keys.seller, &self.keys.admin);
        let (email, password) = &self.keys.person;
        let keys = format!(
            "\nSign in to the seller's pages, for this demo alone:\n  {base}/sign-in\n  {email}  {password}\n\n\
             Keys, for this demo alone:\n  seller  {seller}\n  admin   {admin}\n\nTry:\n  \
             curl -H 'Authorization: Bearer {seller}' '{base}/v1/reports/delays?group_by=carrier'\n  \
             curl -H 'Authorization: Bearer {seller}' '{base}/v1/shipments?verdict=late_open'\n  \
             curl -H 'Authorization: Bearer {admin}' '{base}/v1/reports/lanes?format=csv'"
        );
        Ok(ending + &keys)
    }
}

impl Parcel {
    /// What is still missing until the parcel stands as its journey ends; `None` where it does.
    fn missing_in(&self, shipments: &[Value]) -> Option<String> {
        let shipment = shipments.iter().find(|it| text(it, "/order_number") == self.order_number);
        let Some(shipment) = shipment else { return Some(format!("{} has a shipment", self.order_number)) };
        let (milestone, verdict) = (text(shipment, "/milestone"), text(shipment, "/verdict/verdict"));
        let cause = shipment.pointer("/verdict/cause").and_then(Value::as_str);
        let stands = milestone == self.milestone && verdict == self.verdict && cause == self.cause;
        (!stands).then(|| {
            let Self { order_number, milestone: wanted, verdict: judged, .. } = self;
            format!("{order_number} ends {wanted} / {judged} (it is {milestone} / {verdict}, {cause:?})")
        })
    }
}

fn held(step: &str, holds: bool) -> Result<(), DemoError> {
    if !holds {
        return Err(DemoError::Step(step.to_owned()));
    }
    Ok(say(&format!("  ok {step}"))?)
}

fn line(shipment: &Value) -> String {
    format!(
        "  ok {}  {:<14} {:<10} {:<14} {}",
        text(shipment, "/order_number"),
        text(shipment, "/carrier"),
        text(shipment, "/milestone"),
        text(shipment, "/verdict/verdict"),
        text(shipment, "/verdict/reason"),
    )
}

fn ended(shipments: &[Value]) -> usize {
    shipments.iter().filter(|it| it.pointer("/open") == Some(&Value::Bool(false))).count()
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
