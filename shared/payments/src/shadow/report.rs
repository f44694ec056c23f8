//! The report of a day in shadow.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::comparison::{BooksEntry, EntryDifference, LocalEntry, compare_entries};
use super::observation::ShadowObservation;
use crate::decision::Action;
use crate::ids::{OrganisationId, PaymentId, XeroPaymentId};
use crate::settings::Settings;

/// Most differences, and most of what is left alone, that a report lists. All are counted.
pub const LISTED_MAX: usize = 200;

/// Something that would be left alone, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeftAlone {
    /// The business's payment, if it is one.
    pub payment: Option<PaymentId>,
    /// Xero's payment, if it is one.
    pub xero: Option<XeroPaymentId>,
    /// The rule's or the hold's code.
    pub reason: String,
    /// In a sentence.
    pub why: String,
}

/// What the night's upload would have done.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ShadowNight {
    /// How many payments would have gone, waited, been held, been skipped.
    pub would: BTreeMap<String, u32>,
    /// What would have stayed, and why.
    pub left: Vec<LeftAlone>,
}

/// What a day in shadow has shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ShadowReport {
    /// Whose.
    pub organisation: OrganisationId,
    /// The day in the organisation's time zone.
    pub day: Date,
    /// When it was made.
    pub made_at: Timestamp,
    /// How many invoices in Xero were compared.
    pub invoices: u32,
    /// How many entries are the same on both sides.
    pub agreeing: u32,
    /// What would have been done on this day, by its code: `mirror_imported`, `upload_go`, ….
    pub would: BTreeMap<String, u32>,
    /// How many entries differ, by the code of the kind.
    pub differing: BTreeMap<String, u32>,
    /// The first of them.
    pub differences: Vec<EntryDifference>,
    /// How many would be left alone, by the reason's code.
    pub left_alone: BTreeMap<String, u32>,
    /// The first of them.
    pub left: Vec<LeftAlone>,
}

fn count(counts: &mut BTreeMap<String, u32>, code: impl Into<String>) {
    let count = counts.entry(code.into()).or_default();
    *count = count.saturating_add(1);
}

/// The codes under which the mirror's steps are counted.
fn code_of(action: Action) -> String {
    format!("mirror_{action}")
}

/// What Xero shows on these invoices, without what was copied from there before the shadow began.
pub fn books_entries(
    observations: &[ShadowObservation],
    copied: &BTreeSet<XeroPaymentId>,
) -> Vec<BooksEntry> {
    let entries = observations.iter().flat_map(|observation| {
        observation.payments.iter().map(|payment| BooksEntry {
            number: observation.number.clone(),
            xero: payment.id,
            amount: payment.amount,
            day: payment.day,
            is_gone: payment.gone_at.is_some(),
        })
    });
    entries.filter(|entry| !copied.contains(&entry.xero)).collect()
}

impl ShadowReport {
    /// Puts a report together.
    pub fn of(
        settings: &Settings,
        observations: &[ShadowObservation],
        (local, books): (Vec<LocalEntry>, Vec<BooksEntry>),
        night: ShadowNight,
        (day, made_at): (Date, Timestamp),
    ) -> Self {
        let (mut would, mut left_alone) = (night.would, BTreeMap::new());
        let mut left = night.left;
        let steps = observations.iter().flat_map(|observation| &observation.steps);
        for step in steps {
            if settings.day_of(step.since) == day {
                count(&mut would, code_of(step.action));
            }
            if step.action == Action::Held {
                left.push(LeftAlone {
                    payment: step.payment.clone(),
                    xero: step.xero,
                    reason: step.rule.clone(),
                    why: step.why.clone(),
                });
            }
        }
        for one in &left {
            count(&mut left_alone, one.reason.clone());
        }
        left.truncate(LISTED_MAX);
        let (agreeing, mut differences) = compare_entries(local, books);
        let mut differing = BTreeMap::new();
        for difference in &differences {
            count(&mut differing, difference.kind.code());
        }
        differences.truncate(LISTED_MAX);
        Self {
            organisation: settings.organisation,
            day,
            made_at,
            invoices: u32::try_from(observations.len()).unwrap_or(u32::MAX),
            agreeing,
            would,
            differing,
            differences,
            left_alone,
            left,
        }
    }

    /// How many entries differ.
    pub fn differences_in_all(&self) -> u32 {
        self.differing.values().fold(0, |sum: u32, count| sum.saturating_add(*count))
    }
}
