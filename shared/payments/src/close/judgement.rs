//! What reconciles, what is in transit, and what does not reconcile (SP-14, AMB-24).

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::calendar::Calendar;
use super::cause::CloseCause;
use super::facts::{
    CloseSubject, DayFacts, PaymentMovement, PaymentRecord, Register, SubjectFacts, UploadFact,
};
use crate::discrepancy::{DiscrepancyKey, DiscrepancyKind};
use crate::money::Money;
use crate::payment::PaymentStatus;
use crate::reason::codes;
use crate::settings::Settings;
use crate::upload::{Night, Skip, UploadSettings, UploadState};

/// How many closes a payment may be pending at. At one more it is unprocessed (SP-15).
pub const PENDING_CLOSES_MAX: usize = 2;

codes! {
    /// How an invoice or a payment stands at the close of a day, from best to worst.
    CloseStatus {
        /// The money failed or was given back, and both sides agree that it is not here.
        NoMoney = "no_money",
        /// An invoice on which no money has come, and that is not overdue.
        Open = "open",
        /// Both sides have the same.
        Reconciled = "reconciled",
        /// On its way, and not late (AMB-24).
        InTransit = "in_transit",
        /// It does not agree, and a person has to look.
        NotReconciled = "not_reconciled",
    }
}

/// How a payment stands at a close.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JudgedPayment {
    /// The money that is meant.
    pub amount: Money,
    /// How it stands.
    pub status: CloseStatus,
    /// Why it does not reconcile.
    pub cause: Option<CloseCause>,
    /// When it is expected, if it is in transit: the night of its upload, or the day on which another hand should have
    /// entered it.
    pub expected: Option<Date>,
    /// Whether its money is part of the day's sums.
    pub is_counted: bool,
}

impl JudgedPayment {
    fn new(amount: Money, status: CloseStatus) -> Self {
        Self { amount, status, cause: None, expected: None, is_counted: true }
    }

    fn wrong(amount: Money, cause: CloseCause) -> Self {
        Self { cause: Some(cause), ..Self::new(amount, CloseStatus::NotReconciled) }
    }

    fn expected(amount: Money, expected: Option<Date>) -> Self {
        Self { expected, ..Self::new(amount, CloseStatus::InTransit) }
    }
}

/// Judges the facts of one day, as they were at its close.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    settings: &'a Settings,
    calendar: Calendar<'a>,
    day: Date,
    closes_at: Timestamp,
    /// When the night's upload is due.
    due_at: Time,
}

impl<'a> Judge<'a> {
    /// For the close of a business day, which is at that moment.
    pub fn of(settings: &'a Settings, day: Date, closes_at: Timestamp) -> Self {
        let due_at = settings.upload.as_ref().map(|upload| upload.due_at);
        let due_at = due_at.unwrap_or(UploadSettings::DUE_AT);
        Self { settings, calendar: Calendar::of(settings), day, closes_at, due_at }
    }

    /// The same, where the night's upload was due at another time.
    #[must_use]
    pub const fn with_due_at(self, due_at: Time) -> Self {
        Self { due_at, ..self }
    }

    /// The business day.
    pub const fn day(&self) -> Date {
        self.day
    }

    /// How a payment stands; `None` if it was taken off its invoice, or nothing is known of its money.
    pub(super) fn payment(
        &self,
        (subject, name): (&CloseSubject, &str),
        facts: &PaymentMovement,
        around: &SubjectFacts,
        day: &DayFacts,
    ) -> Option<JudgedPayment> {
        let upload = newer(facts.upload.as_ref(), day.upload(name));
        let record = match (&facts.record, upload) {
            (Some(record), _) => record.clone(),
            (None, Some(upload)) => recorded_by(upload),
            (None, None) => return None,
        };
        if record.value.gone {
            return None;
        }
        if let CloseSubject::Payment(payment) = subject
            && day.names_invoices_since(payment, &record.key)
        {
            return None;
        }
        let mut judged = match record.value.status {
            PaymentStatus::Failed => failed(&record, around),
            PaymentStatus::Refunded if is_on_one_side(&record, around) => {
                JudgedPayment::wrong(record.value.amount, CloseCause::Refund)
            }
            PaymentStatus::Refunded => {
                JudgedPayment::new(record.value.amount, CloseStatus::NoMoney)
            }
            PaymentStatus::Pending => self.pending(&record, facts.pending_since),
            PaymentStatus::Confirmed => self.confirmed(&record, upload),
        };
        if judged.status == CloseStatus::Reconciled && matches!(subject, CloseSubject::Invoice(_)) {
            // What does not agree about the payment as a whole is true of each part of it.
            let cause = day.about_payment(name).and_then(|whole| causes(whole).pop_first());
            if let Some(cause) = cause {
                judged = JudgedPayment::wrong(judged.amount, cause);
            }
        }
        judged.is_counted = facts.reported || matches!(subject, CloseSubject::Payment(_));
        Some(judged)
    }

    fn pending(&self, record: &Register<PaymentRecord>, since: Option<Timestamp>) -> JudgedPayment {
        let amount = record.value.amount;
        let mut last = self.calendar.day_of(since.unwrap_or(record.at));
        for _ in 0..PENDING_CLOSES_MAX {
            last = self.calendar.next(last);
        }
        if self.day >= last {
            return JudgedPayment::wrong(amount, CloseCause::PendingTooLong);
        }
        JudgedPayment::expected(amount, None)
    }

    fn confirmed(
        &self,
        record: &Register<PaymentRecord>,
        upload: Option<&Register<UploadFact>>,
    ) -> JudgedPayment {
        let amount = record.value.amount;
        if let Some(until) = record.value.held_until {
            return JudgedPayment::expected(amount, Some(until));
        }
        if record.value.in_xero {
            return JudgedPayment::new(amount, CloseStatus::Reconciled);
        }
        let Some(upload) = upload else { return self.by_another_hand(record) };
        match upload.value.state {
            UploadState::Uploaded => JudgedPayment::new(amount, CloseStatus::Reconciled),
            UploadState::Waiting
            | UploadState::Reserved
            | UploadState::Sent
            | UploadState::Unknown => self.by_night(amount, upload),
            UploadState::Held => JudgedPayment::wrong(amount, CloseCause::Held),
            UploadState::PartlyUploaded | UploadState::Refused => {
                JudgedPayment::wrong(amount, CloseCause::Refused)
            }
            UploadState::Skipped if upload.value.reason == Skip::AlreadyInXero.code() => {
                JudgedPayment::new(amount, CloseStatus::Reconciled)
            }
            UploadState::Skipped => self.by_another_hand(record),
        }
    }

    /// It goes up by itself, and is late once its night is over (AMB-24).
    fn by_night(&self, amount: Money, upload: &Register<UploadFact>) -> JudgedPayment {
        let expected = self.expected_night(upload);
        if Night::of(self.closes_at, &self.settings.zone) > expected {
            return JudgedPayment::wrong(amount, CloseCause::NightMissed);
        }
        JudgedPayment::expected(amount, Some(expected.date()))
    }

    fn expected_night(&self, upload: &Register<UploadFact>) -> Night {
        if let Some(night) = upload.value.night {
            // A night has dealt with it, and has left it for the next one.
            let is_left = upload.value.state == UploadState::Waiting;
            return Night::from(night).plus(u32::from(is_left));
        }
        let night = Night::of(upload.at, &self.settings.zone);
        let is_over =
            night.due(self.due_at, &self.settings.zone).is_some_and(|due| due < upload.at);
        night.plus(u32::from(is_over))
    }

    /// The bank or a bookkeeper enters it in Xero: it is expected there by the next close.
    fn by_another_hand(&self, record: &Register<PaymentRecord>) -> JudgedPayment {
        let amount = record.value.amount;
        let expected = self.calendar.next(self.calendar.day_of(record.at));
        if self.day >= expected {
            return JudgedPayment::wrong(amount, CloseCause::OtherMethod);
        }
        JudgedPayment::expected(amount, Some(expected))
    }
}

/// Differences of an invoice as a whole, or about a contact or payment that has discrepancies of its own.
pub(super) fn causes(facts: &SubjectFacts) -> BTreeSet<CloseCause> {
    let on_invoice = facts.position.iter().flat_map(|position| &position.value.open).copied();
    let apart = facts.found.iter().filter(|(_, found)| found.value).map(|(key, _)| key.kind);
    // A payment itself says that it has failed.
    let apart = apart.filter(|kind| *kind != DiscrepancyKind::FailedPayment);
    on_invoice.chain(apart).filter_map(CloseCause::of).collect()
}

fn failed(record: &Register<PaymentRecord>, around: &SubjectFacts) -> JudgedPayment {
    let is_failed = |key: &&DiscrepancyKey| key.kind == DiscrepancyKind::FailedPayment;
    let found = around.found.iter().find(|(key, _)| is_failed(key)).map(|(_, found)| found.value);
    let is_followed = match (&around.position, found) {
        (Some(position), _) => position.value.open.contains(&DiscrepancyKind::FailedPayment),
        // On no invoice, no other payment takes its place: until a person accepts it (AMB-31).
        (None, Some(is_open)) => is_open,
        // After its day it is followed on the customer's contact.
        (None, None) => !record.key.is_empty(),
    };
    let amount = record.value.amount;
    match is_followed {
        true => JudgedPayment::wrong(amount, CloseCause::FailedPayment),
        false => JudgedPayment::new(amount, CloseStatus::NoMoney),
    }
}

/// Whether money that was given back here stands in Xero still. After the day of that, its discrepancy says so: until Xero no
/// longer has the payment, or a person accepts it (AMB-31).
fn is_on_one_side(record: &Register<PaymentRecord>, around: &SubjectFacts) -> bool {
    let is_new = !record.key.is_empty();
    let unprocessed = DiscrepancyKind::Unprocessed;
    let on_invoice = around.position.iter().flat_map(|position| &position.value.open);
    let apart = around.found.iter().filter(|(_, found)| found.value).map(|(key, _)| &key.kind);
    let is_open = || on_invoice.chain(apart).any(|kind| *kind == unprocessed);
    record.value.in_xero && (is_new || is_open())
}

fn newer<'a, T>(
    one: Option<&'a Register<T>>,
    other: Option<&'a Register<T>>,
) -> Option<&'a Register<T>> {
    match (one, other) {
        (Some(one), Some(other)) if other.key > one.key => Some(other),
        (one, other) => one.or(other),
    }
}

/// The money of a payment of which only the upload has rows among the facts.
fn recorded_by(upload: &Register<UploadFact>) -> Register<PaymentRecord> {
    let UploadFact { amount, status, state, .. } = upload.value;
    let in_xero = state == UploadState::Uploaded;
    let record = PaymentRecord { amount, status, in_xero, gone: false, held_until: None };
    Register { key: upload.key.clone(), at: upload.at, value: record }
}
