//! Counting what was shipped and never came.

use crate::domain::report::Rate;
use crate::domain::verdict::{Ending, VerdictKind};

/// What the count of losses needs to know of one shipment, as of the report's moment.
#[derive(Debug, Clone, Copy)]
pub struct Fate {
    /// By the seller's word, or by a scan of the carrier.
    pub is_shipped: bool,
    pub is_delivered: bool,
    pub ending: Option<Ending>,
    /// `None` where the stored word cannot be read.
    pub verdict: Option<VerdictKind>,
}

impl Fate {
    /// Whether somebody has to look into it.
    pub fn is_lost_or_suspected(self) -> bool {
        matches!(self.verdict, Some(VerdictKind::SuspectedLost | VerdictKind::Lost))
    }
}

/// Counts over a set of shipments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LossTally {
    /// Not cancelled, and shipped by the seller's word or scanned by the carrier.
    pub shipped: u64,
    /// Of the shipped: not delivered, whether lost, sent back or on the way.
    pub never_delivered: u64,
    /// Of the never delivered; those that are lost are not among them.
    pub suspected_lost: u64,
    /// Of the never delivered.
    pub lost: u64,
    open: u64,
}

impl LossTally {
    pub fn add(&mut self, fate: Fate) {
        if !fate.is_shipped || fate.ending == Some(Ending::Cancelled) {
            return;
        }
        self.shipped += 1;
        if fate.is_delivered {
            return;
        }
        self.never_delivered += 1;
        match fate.verdict {
            Some(VerdictKind::SuspectedLost) => self.suspected_lost += 1,
            Some(VerdictKind::Lost) => self.lost += 1,
            Some(
                VerdictKind::Undecided
                | VerdictKind::OnTime
                | VerdictKind::Delayed
                | VerdictKind::LateOpen
                | VerdictKind::DeliveredLate
                | VerdictKind::Stalled
                | VerdictKind::Found,
            )
            | None => {}
        }
        self.open += u64::from(fate.ending.is_none() && fate.verdict != Some(VerdictKind::Lost));
    }

    /// The lost among the shipped; what is open may yet be lost.
    pub fn lost_rate(&self) -> Rate {
        Rate::of(self.lost, self.shipped, self.open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_counted_among_what_was_shipped() {
        let on_the_way =
            Fate { is_shipped: true, is_delivered: false, ending: None, verdict: Some(VerdictKind::Undecided) };
        let lost = Fate { verdict: Some(VerdictKind::Lost), ..on_the_way };
        let delivered = Fate { is_delivered: true, ending: Some(Ending::Delivered), ..on_the_way };
        let counts = |fate: Fate| {
            let mut tally = LossTally::default();
            tally.add(fate);
            let rate = tally.lost_rate();
            (tally.shipped, tally.never_delivered, tally.suspected_lost, tally.lost, rate.undecided)
        };
        for (what, fate, expected) in [
            ("on the way", on_the_way, (1, 1, 0, 0, 1)),
            ("stalled", Fate { verdict: Some(VerdictKind::Stalled), ..on_the_way }, (1, 1, 0, 0, 1)),
            ("suspected", Fate { verdict: Some(VerdictKind::SuspectedLost), ..on_the_way }, (1, 1, 1, 0, 1)),
            ("lost by silence", lost, (1, 1, 0, 1, 0)),
            ("lost by word", Fate { ending: Some(Ending::Lost), ..lost }, (1, 1, 0, 1, 0)),
            ("delivered", delivered, (1, 0, 0, 0, 0)),
            ("came back after its delivery", Fate { verdict: Some(VerdictKind::OnTime), ..delivered }, (1, 0, 0, 0, 0)),
            ("sent back", Fate { ending: Some(Ending::Returned), ..on_the_way }, (1, 1, 0, 0, 0)),
            ("cancelled", Fate { ending: Some(Ending::Cancelled), ..on_the_way }, (0, 0, 0, 0, 0)),
            ("not shipped yet", Fate { is_shipped: false, ..on_the_way }, (0, 0, 0, 0, 0)),
        ] {
            assert_eq!(counts(fate), expected, "{what}");
        }
    }
}
