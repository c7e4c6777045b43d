//! The status words that sellers and their systems write.

use super::cells::Cells;
use super::excel::Sort;
use crate::domain::milestone::SubStatus;
use crate::domain::order::OrderState;

/// What a known word says of an order and of a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) order: OrderState,
    /// `None` for words about an order that say nothing of a parcel, such as `paid`.
    pub(super) parcel: Option<SubStatus>,
}

/// Each parcel word with its other spellings, as [`folded`] leaves them.
const PARCEL_WORDS: &[(SubStatus, &[&str])] = &[
    (SubStatus::NotFound, &["pending"]),
    (
        SubStatus::LabelCreated,
        &[
            "label created",
            "label printed",
            "label purchased",
            "info received",
            "pre transit",
            "manifested",
            "announced",
        ],
    ),
    (
        SubStatus::AwaitingHandover,
        &["ready to ship", "awaiting pickup", "packed", "awaiting collection", "awaiting handover"],
    ),
    (
        SubStatus::Accepted,
        &["accepted", "picked up", "collected by carrier", "handed to carrier", "received by carrier"],
    ),
    (
        SubStatus::Moving,
        &[
            "in transit",
            "transit",
            "shipped",
            "dispatched",
            "sent",
            "on the way",
            "on its way",
            "moving",
            "fulfilled",
            "underway",
            "shipping",
            "versandt",
            "versendet",
            "expédié",
            "en cours de livraison",
            "enviado",
            "spedito",
            "verzonden",
            "dikirim",
        ],
    ),
    (SubStatus::CustomsProcessing, &["customs", "in customs", "customs clearance", "customs processing"]),
    (SubStatus::CustomsHold, &["held by customs", "customs hold"]),
    (SubStatus::OnVehicle, &["out for delivery", "with courier", "on vehicle for delivery"]),
    (
        SubStatus::AttemptFailed,
        &["attempted", "attempted delivery", "delivery attempted", "failed attempt", "attempt fail", "delivery failed"],
    ),
    (
        SubStatus::ReadyForPickup,
        &[
            "available for pickup",
            "available for pick up",
            "ready for pickup",
            "ready for collection",
            "at pickup point",
        ],
    ),
    (SubStatus::OtherException, &["exception", "alert", "failure", "error"]),
    (SubStatus::Delayed, &["delayed", "delay"]),
    (SubStatus::Held, &["held", "on hold at carrier"]),
    (SubStatus::Refused, &["refused", "rejected by recipient"]),
    (SubStatus::Damaged, &["damaged"]),
    (
        SubStatus::DeliveredToRecipient,
        &[
            "delivered",
            "delivery complete",
            "delivered to recipient",
            "zugestellt",
            "livré",
            "entregado",
            "consegnato",
            "bezorgd",
            "selesai",
        ],
    ),
    (SubStatus::Collected, &["collected", "collected by customer"]),
    (SubStatus::Returning, &["returning", "return to sender", "returning to sender", "being returned", "rts"]),
    (SubStatus::ReturnedToSender, &["returned", "returned to sender"]),
    (SubStatus::Lost, &["lost", "missing", "lost in transit"]),
    (
        SubStatus::Cancelled,
        &[
            "cancelled",
            "canceled",
            "void",
            "voided",
            "storniert",
            "annulé",
            "cancelado",
            "annullato",
            "geannuleerd",
            "batal",
        ],
    ),
    (SubStatus::Expired, &["expired"]),
];

const ORDER_WORDS: &[&str] = &[
    "open",
    "new",
    "paid",
    "unpaid",
    "authorized",
    "processing",
    "on hold",
    "unfulfilled",
    "unshipped",
    "awaiting shipment",
    "awaiting fulfillment",
    "awaiting payment",
    "partially shipped",
    "partially fulfilled",
    "partial",
    "complete",
    "completed",
    "closed",
    "archived",
    "refunded",
    "partially refunded",
    "created",
    "confirmed",
    "acknowledged",
    "success",
    "to ship",
    "awaiting collection by courier",
    "en attente",
    "en attente de paiement",
    "paiement accepté",
    "en cours de préparation",
    "in bearbeitung",
    "bezahlt",
    "en proceso",
    "in lavorazione",
];

fn folded(word: &str) -> String {
    let words = word.to_lowercase().replace(['_', '-', '.'], " ");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a word means, where it is known: one of the form, of the contract's sub-statuses, or an alias.
pub(super) fn word(text: &str) -> Option<Word> {
    let folded_text = folded(text);
    let alias = || PARCEL_WORDS.iter().find(|(_, words)| words.contains(&folded_text.as_str())).map(|(it, _)| *it);
    if let Some(parcel) = text.parse::<SubStatus>().ok().or_else(alias) {
        let order = if parcel == SubStatus::Cancelled { OrderState::Cancelled } else { OrderState::Open };
        return Some(Word { order, parcel: Some(parcel) });
    }
    ORDER_WORDS.contains(&folded_text.as_str()).then_some(Word { order: OrderState::Open, parcel: None })
}

impl Cells<'_> {
    /// The status as written, and its meaning. A word that is not known is a warning: real files have them.
    pub(super) fn status(&mut self) -> Option<(String, Option<Word>)> {
        let text = self.take("status", Sort::Prose)?;
        let text: String = text.chars().take(super::cells::ORDER_NUMBER_CHARS).collect();
        self.note("status", text.clone());
        let word = word(&text);
        if word.is_none() {
            let detail = format!(
                "`{text}` is no status that we know, so it moves nothing. Known are pending, label_created, accepted, in_transit, \
                 out_for_delivery, attempted, available_for_pickup, exception, delivered, returning, returned, lost, cancelled."
            );
            self.warn("status", "unknown_status", detail);
        }
        Some((text, word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_known_as_people_write_it() {
        for (text, parcel) in [
            ("in_transit", Some(SubStatus::Moving)),
            ("In-Transit", Some(SubStatus::Moving)),
            ("Shipped", Some(SubStatus::Moving)),
            ("canceled", Some(SubStatus::Cancelled)),
            ("exception.customs_hold", Some(SubStatus::CustomsHold)),
            ("Returned to sender", Some(SubStatus::ReturnedToSender)),
        ] {
            assert_eq!(word(text).and_then(|it| it.parcel), parcel, "{text}");
        }
        assert_eq!(word("paid"), Some(Word { order: OrderState::Open, parcel: None }));
        assert_eq!(word("Cancelled").map(|it| it.order), Some(OrderState::Cancelled));
        assert_eq!(word("teleported"), None);
    }

    #[test]
    fn no_word_stands_twice() {
        let all = PARCEL_WORDS.iter().flat_map(|(_, words)| words.iter()).chain(ORDER_WORDS);
        let mut words: Vec<&str> = all.copied().collect();
        let before = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), before);
        assert!(words.iter().all(|it| folded(it) == **it));
    }
}
