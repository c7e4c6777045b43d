//! The nine milestones and thirty-six sub-statuses, each with who must act, whose fault it is unless better is known,
//! and what the customer reads.
//!
//! Codes and ranks are part of the contract; a sub-status is written `in_transit.customs_processing`.

use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Where a parcel stands, in order of rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Milestone {
    Pending,
    InfoReceived,
    InTransit,
    OutForDelivery,
    FailedAttempt,
    AvailableForPickup,
    Exception,
    Returned,
    Delivered,
}

impl Milestone {
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::InfoReceived,
        Self::InTransit,
        Self::OutForDelivery,
        Self::FailedAttempt,
        Self::AvailableForPickup,
        Self::Exception,
        Self::Returned,
        Self::Delivered,
    ];

    /// The word of the contract.
    pub fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InfoReceived => "info_received",
            Self::InTransit => "in_transit",
            Self::OutForDelivery => "out_for_delivery",
            Self::FailedAttempt => "failed_attempt",
            Self::AvailableForPickup => "available_for_pickup",
            Self::Exception => "exception",
            Self::Returned => "returned",
            Self::Delivered => "delivered",
        }
    }

    /// Whether the carrier holds, held or has handed over the parcel itself, not only its data.
    pub fn carrier_had_parcel(self) -> bool {
        self > Self::InfoReceived
    }
}

impl fmt::Display for Milestone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Milestone {
    type Err = UnknownCode;
    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|it| it.code() == text).ok_or(UnknownCode)
    }
}

impl Serialize for Milestone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// The text is no code of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such code")]
pub struct UnknownCode;

/// Who must do something before the parcel moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    None,
    Seller,
    Buyer,
}

/// Whose fault a sub-status is, unless something better is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    None,
    Unknown,
    Carrier,
    Seller,
    Buyer,
    Customs,
}

struct Facts {
    code: &'static str,
    milestone: Milestone,
    act: Actor,
    fault: Fault,
    carrier_scan: bool,
    ends: bool,
    sentence: &'static str,
}

macro_rules! sub_statuses {
    ($($name:ident $code:literal $milestone:ident, $act:ident acts, $fault:ident fault, $scan:ident, $ends:ident, $sentence:literal;)*) => {
        /// The finer word under a milestone.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum SubStatus { $($name),* }

        impl SubStatus {
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            const fn facts(self) -> Facts {
                match self {
                    $(Self::$name => Facts {
                        code: $code,
                        milestone: Milestone::$milestone,
                        act: Actor::$act,
                        fault: Fault::$fault,
                        carrier_scan: sub_statuses!(@$scan),
                        ends: sub_statuses!(@$ends),
                        sentence: $sentence,
                    }),*
                }
            }
        }
    };
    (@scanned) => { true };
    (@unscanned) => { false };
    (@ends) => { true };
    (@goes_on) => { false };
}

sub_statuses! {
    NotFound "pending.not_found" Pending, None acts, Unknown fault, unscanned, goes_on,
        "We know the tracking number; the carrier does not show it yet.";
    InvalidNumber "pending.invalid_number" Pending, Seller acts, Seller fault, unscanned, goes_on,
        "The tracking number does not look right, and the seller has been told.";
    LabelCreated "info_received.label_created" InfoReceived, None acts, None fault, unscanned, goes_on,
        "The seller has announced your parcel to the carrier.";
    AwaitingHandover "info_received.awaiting_handover" InfoReceived, Seller acts, Seller fault, unscanned, goes_on,
        "Your parcel is packed and waits for the carrier.";
    Accepted "in_transit.accepted" InTransit, None acts, None fault, scanned, goes_on,
        "The carrier has taken over your parcel.";
    Moving "in_transit.moving" InTransit, None acts, None fault, scanned, goes_on,
        "Your parcel is on the way.";
    FacilityScan "in_transit.facility_scan" InTransit, None acts, None fault, scanned, goes_on,
        "Your parcel went through a sorting centre.";
    DepartedOriginCountry "in_transit.departed_origin_country" InTransit, None acts, None fault, scanned, goes_on,
        "Your parcel has left its country of origin.";
    ArrivedDestinationCountry "in_transit.arrived_destination_country" InTransit, None acts, None fault, scanned, goes_on,
        "Your parcel has reached your country.";
    CustomsProcessing "in_transit.customs_processing" InTransit, None acts, Customs fault, scanned, goes_on,
        "Customs is looking at your parcel.";
    CustomsReleased "in_transit.customs_released" InTransit, None acts, None fault, scanned, goes_on,
        "Customs has let your parcel through.";
    HandedOver "in_transit.handed_over" InTransit, None acts, None fault, scanned, goes_on,
        "The local carrier has taken over your parcel.";
    Rerouted "in_transit.rerouted" InTransit, None acts, None fault, scanned, goes_on,
        "Your parcel is being sent on, or its delivery was changed.";
    OnVehicle "out_for_delivery.on_vehicle" OutForDelivery, None acts, None fault, scanned, goes_on,
        "Your parcel is on the delivery vehicle.";
    Scheduled "out_for_delivery.scheduled" OutForDelivery, None acts, None fault, scanned, goes_on,
        "A time for the delivery has been agreed.";
    RecipientUnavailable "failed_attempt.recipient_unavailable" FailedAttempt, Buyer acts, Buyer fault, scanned, goes_on,
        "The carrier came, but nobody could take the parcel.";
    AttemptAddressProblem "failed_attempt.address_problem" FailedAttempt, Buyer acts, Buyer fault, scanned, goes_on,
        "The carrier came, but could not deliver at this address.";
    AttemptFailed "failed_attempt.other" FailedAttempt, Buyer acts, Carrier fault, scanned, goes_on,
        "The carrier came without success and will come again.";
    ReadyForPickup "available_for_pickup.ready" AvailableForPickup, Buyer acts, None fault, scanned, goes_on,
        "Your parcel waits for you at the pickup point.";
    Delayed "exception.delayed" Exception, None acts, Carrier fault, scanned, goes_on,
        "The carrier says that your parcel is delayed.";
    CustomsHold "exception.customs_hold" Exception, Buyer acts, Customs fault, scanned, goes_on,
        "Customs keeps your parcel; papers or a payment may be missing.";
    Held "exception.held" Exception, None acts, Carrier fault, scanned, goes_on,
        "The carrier keeps your parcel back for now.";
    AddressProblem "exception.address_problem" Exception, Seller acts, Seller fault, scanned, goes_on,
        "The address has to be put right before the parcel can be delivered.";
    Refused "exception.refused" Exception, None acts, Buyer fault, scanned, goes_on,
        "The parcel was not accepted at the door.";
    Damaged "exception.damaged" Exception, Seller acts, Carrier fault, scanned, goes_on,
        "The carrier reports damage, and the seller is looking into it.";
    Lost "exception.lost" Exception, Seller acts, Carrier fault, scanned, goes_on,
        "The carrier does not find the parcel, and the seller is looking into it.";
    Unclaimed "exception.unclaimed" Exception, Buyer acts, Buyer fault, scanned, goes_on,
        "Nobody collected the parcel in time.";
    Destroyed "exception.destroyed" Exception, Seller acts, Carrier fault, scanned, ends,
        "The carrier has disposed of the parcel.";
    Cancelled "exception.cancelled" Exception, Seller acts, Seller fault, unscanned, ends,
        "This shipment was cancelled.";
    Expired "exception.expired" Exception, Seller acts, Unknown fault, unscanned, goes_on,
        "Nothing has been heard of the parcel for a long time.";
    OtherException "exception.other" Exception, Seller acts, Carrier fault, scanned, goes_on,
        "Something went wrong with the parcel.";
    Returning "returned.returning" Returned, None acts, Unknown fault, scanned, goes_on,
        "The parcel is going back to the seller.";
    ReturnedToSender "returned.returned" Returned, Seller acts, Unknown fault, scanned, ends,
        "The seller has the parcel back.";
    DeliveredToRecipient "delivered.to_recipient" Delivered, None acts, None fault, scanned, ends,
        "Your parcel has been delivered.";
    DeliveredToNeighbour "delivered.to_neighbour_or_safe_place" Delivered, None acts, None fault, scanned, ends,
        "Your parcel is with a neighbour or in a safe place.";
    Collected "delivered.collected" Delivered, None acts, None fault, scanned, ends,
        "Your parcel has been collected.";
}

impl SubStatus {
    /// The word of the contract, with its milestone in front.
    pub fn code(self) -> &'static str {
        self.facts().code
    }

    pub fn milestone(self) -> Milestone {
        self.facts().milestone
    }

    pub fn actor(self) -> Actor {
        self.facts().act
    }

    pub fn fault(self) -> Fault {
        self.facts().fault
    }

    /// Whether it proves that the carrier had the parcel in hand; the dispatch and tracking rates count on it.
    pub fn is_carrier_scan(self) -> bool {
        self.facts().carrier_scan
    }

    /// Whether nothing more is expected; such a state is left only by a return, a withdrawal or an admin.
    pub fn ends(self) -> bool {
        self.facts().ends
    }

    /// What the customer reads.
    pub fn sentence(self) -> &'static str {
        self.facts().sentence
    }
}

impl fmt::Display for SubStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for SubStatus {
    type Err = UnknownCode;
    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL.iter().copied().find(|it| it.code() == text).ok_or(UnknownCode)
    }
}

impl Serialize for SubStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_thirty_six_and_each_is_found_by_its_code() {
        assert_eq!(SubStatus::ALL.len(), 36);
        for &sub_status in SubStatus::ALL {
            assert_eq!(sub_status.code().parse(), Ok(sub_status));
            assert!(sub_status.code().starts_with(sub_status.milestone().code()), "{sub_status}");
        }
    }

    #[test]
    fn what_carrier_has_not_seen_is_no_carrier_scan() {
        for &sub_status in SubStatus::ALL {
            let unseen = !sub_status.milestone().carrier_had_parcel()
                || matches!(sub_status, SubStatus::Cancelled | SubStatus::Expired);
            assert_eq!(sub_status.is_carrier_scan(), !unseen, "{sub_status}");
        }
    }
}
