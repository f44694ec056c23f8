//! Which of the states a payment has, from what is stored about it: always exactly one.

use rust_decimal::Decimal;

use super::facts::{Facts, Row};
use super::state::{Failure, Kept, Off, Stage, State, Turn};
use crate::ids::PaymentId;
use crate::payment::{self, Payment, PaymentStatus};
use crate::reports::Receipt;
use crate::settings::Settings;
use crate::upload::{Hold, Route, Skip, Upload, UploadState, route, taken};

impl State {
    /// The state of a payment; `None` only if nothing at all is stored about it.
    pub fn of(facts: &Facts, settings: &Settings) -> Option<Self> {
        let upload = facts.upload.as_ref();
        let outbound = upload.map(|upload| of_upload(upload, facts, settings));
        if upload.is_some_and(has_begun) {
            let kept = facts.deleted_in_xero_after_upload();
            let taken_back = facts.is_taken_back();
            return outbound.map(|state| match state {
                Self::Uploaded | Self::PartlyUploaded { .. } if kept => {
                    Self::Protected(Kept::DeletedAfterUpload)
                }
                Self::Uploaded | Self::PartlyUploaded { .. } if taken_back => {
                    Self::Protected(Kept::TakenBack)
                }
                state => state,
            });
        }
        let rows = || facts.rows();
        // Of several parts, the one that is furthest from being in both systems speaks for the payment.
        let inbound = rows().map(|row| of_row(row, facts)).max_by_key(|state| concern(*state));
        let in_xero = rows().any(|row| row.payment.link.is_some())
            && !upload.is_some_and(|upload| has_a_rest(upload, facts));
        let leads = |state: &Self| !matches!(state, Self::Skipped(skip) if follows_inbound(*skip));
        inbound
            .filter(|_| in_xero)
            .or(outbound.filter(leads))
            .or(inbound)
            .or_else(|| facts.held().map(|(_, held)| Self::Held(held.reason)))
            .or_else(|| facts.tombstone().map(|_| Self::Removed))
            .or(outbound)
            .or_else(|| facts.receipt.as_ref().map(|receipt| of_receipt(receipt, facts, settings)))
            .or_else(|| facts.parked.as_ref().map(|_| Self::Failed(Failure::Parked)))
            .or_else(|| facts.waiting_for_approval().next().map(|_| Self::HeldForApproval))
            .or(facts.ignored.map(Self::Ignored))
    }
}

/// Whether something of it is, may be, or is about to be in Xero, so that the ledger speaks for it.
fn has_begun(upload: &Upload) -> bool {
    use UploadState::{
        Held, PartlyUploaded, Refused, Reserved, Sent, Skipped, Unknown, Uploaded, Waiting,
    };
    match upload.state {
        Reserved | Sent | Unknown | Uploaded | PartlyUploaded | Refused => true,
        Waiting | Held | Skipped => upload.may_be_in_xero(),
    }
}

/// Whether only a part of it was found in Xero, and the rest is still to go or to be decided about (A8.3, AMB-26).
fn has_a_rest(upload: &Upload, facts: &Facts) -> bool {
    let found = facts.rows().filter(|row| row.payment.link.is_some());
    let found: Decimal = found.map(|row| row.payment.amount.amount()).sum();
    matches!(upload.state, UploadState::Waiting | UploadState::Held)
        && found < upload.receipt.amount.amount()
}

/// Whether the mirror has the word about a payment that is skipped for this reason: Xero has it, had it,
/// or gets it from the bank.
fn follows_inbound(skip: Skip) -> bool {
    match skip {
        Skip::AlreadyInXero | Skip::RemovedInXero | Skip::MethodNotUploaded => true,
        Skip::NotApproved
        | Skip::Refunded
        | Skip::BeforeStartDate
        | Skip::OnStartDate
        | Skip::NotAppliedToInvoice
        | Skip::NoCustomer
        | Skip::TooManyParts
        | Skip::LineOnBill
        | Skip::NoLongerNeeded
        | Skip::DoNotSend => false,
    }
}

fn of_upload(upload: &Upload, facts: &Facts, settings: &Settings) -> State {
    let (placed, of) = upload.progress();
    if upload.state == UploadState::Uploaded && placed == of {
        return State::Uploaded;
    }
    if placed > 0 || matches!(upload.state, UploadState::Uploaded | UploadState::PartlyUploaded) {
        return State::PartlyUploaded { placed, of };
    }
    match upload.state {
        UploadState::Waiting => match upload.route() {
            Ok(route) => waiting(route, facts, settings),
            Err(skip) => State::Skipped(skip),
        },
        UploadState::Held => match upload.hold() {
            Some(Hold::HeldByPerson) => State::Blocked(Hold::HeldByPerson),
            Some(_) if is_blocked(facts) => State::Blocked(Hold::BlockedByAction),
            Some(hold) => State::Blocked(hold),
            None => State::Failed(Failure::RowUnreadable),
        },
        UploadState::Skipped => Skip::from_code(&upload.reason)
            .map_or(State::Failed(Failure::RowUnreadable), State::Skipped),
        UploadState::Reserved => State::Planned(Stage::Reserved),
        UploadState::Sent => State::Planned(Stage::Sent),
        UploadState::Unknown => State::Planned(Stage::Unknown),
        UploadState::Refused => State::Failed(Failure::RefusedByXero),
        UploadState::Uploaded | UploadState::PartlyUploaded => State::PartlyUploaded { placed, of },
    }
}

/// A reported payment that has no row in the ledger.
fn of_receipt(receipt: &Receipt, facts: &Facts, settings: &Settings) -> State {
    match (route(receipt), taken(receipt), receipt.status) {
        (Err(skip), _, _) => State::Skipped(skip),
        (Ok(_), None, PaymentStatus::Refunded) => State::Skipped(Skip::Refunded),
        (Ok(_), None, _) => State::Skipped(Skip::NotApproved),
        (Ok(route), Some(_), _) => waiting(route, facts, settings),
    }
}

/// One that waits for nothing but its turn, as far as its own row says.
fn waiting(route: Route, facts: &Facts, settings: &Settings) -> State {
    if is_blocked(facts) {
        return State::Blocked(Hold::BlockedByAction);
    }
    let nightly = route.is_nightly();
    let used_up = facts.caps.as_ref().is_some_and(|caps| caps.disabled.is_some());
    match &settings.upload {
        None => State::Disabled(Off::NotSetUp),
        Some(_) if settings.disconnected_at.is_some() => State::Disabled(Off::Disconnected),
        Some(uploading) if !uploading.enabled => State::Disabled(Off::BySettings),
        // A payment that is posted at once goes on even then (AMB-13).
        Some(_) if nightly && used_up => State::Disabled(Off::AttemptsUsedUp),
        Some(_) => State::Waiting(if nightly { Turn::Night } else { Turn::AtOnce }),
    }
}

/// While an action about the customer is open, everything about it waits (EX-28).
fn is_blocked(facts: &Facts) -> bool {
    facts.customer.as_ref().is_some_and(|customer| customer.blocked.is_some())
}

fn of_row(row: Row<'_>, facts: &Facts) -> State {
    let payment = row.payment;
    if payment.status == PaymentStatus::Failed && payment.link.is_none() {
        return State::Failed(Failure::MoneyNotTaken);
    }
    match payment.state {
        payment::State::Applied if is_of_another(payment) => State::Unchanged,
        payment::State::Applied => State::Applied,
        payment::State::Adopted => State::Adopted,
        payment::State::Protected => {
            State::Protected(payment.protection.map_or(Kept::Manual, Kept::from))
        }
        payment::State::Uploaded if facts.deleted_in_xero_after_upload() => {
            State::Protected(Kept::DeletedAfterUpload)
        }
        payment::State::Uploaded if facts.is_taken_back() => State::Protected(Kept::TakenBack),
        payment::State::Uploaded => State::Uploaded,
    }
}

/// Whether the copy was made of another Xero payment than the one that it is linked with now (CM-32).
fn is_of_another(payment: &Payment) -> bool {
    payment.link.is_some_and(|link| {
        let own = PaymentId::of_copy(link, 0);
        payment.id.is_copy() && !payment.id.as_str().starts_with(own.as_str())
    })
}

/// How much a person should hear of it, the least first.
fn concern(state: State) -> u8 {
    match state {
        State::Uploaded => 0,
        State::Applied => 1,
        State::Adopted => 2,
        State::Unchanged => 3,
        State::Protected(Kept::Journaled) => 4,
        State::Protected(Kept::MultiInvoice) => 5,
        State::Protected(Kept::Manual) => 6,
        State::Protected(Kept::DeletedAfterUpload | Kept::TakenBack) => 7,
        _ => 8,
    }
}
