//! The invoices that the payment provider issues to the business for its fees: one bill each in Xero, of
//! the one contact that stands for the provider (EX-12, EX-13).
//!
//! They go by the same ledger as payments, because the same must never happen to them: to be there twice,
//! or to be missing. They are no payments: no customer, no invoice of the business, no slot and no attempt
//! are concerned, and the mirror never sees them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::bill::{Bill, Fee, FeeKind};
use super::books::Books;
use super::contact::ContactStanding;
use super::eligibility::{UploadDecision, fits_books, fits_xero};
use super::ledger::Upload;
use super::part::Target;
use super::route::{Hold, Skip};
use super::settings::{UploadSettings, UploadStart};
use super::stamp::{REFERENCE_CHARS_MAX, Stamp, stamped};
use crate::ids::{OrganisationId, PaymentId};
use crate::money::{Money, MoneyError};
use crate::payment::PaymentStatus;
use crate::reports::Receipt;
use crate::settings::Settings;

/// Most fees on one invoice: each is a line in Xero, far more than a provider has kinds of.
pub const FEES_MAX: usize = 200;
/// Why an invoice waits until a setting says whose bill it is, for its row and for the message (EX-13).
pub const NO_MERCHANT_CONTACT: &str = "Validation: no contact stands for the payment provider; set \
    merchant_contact_id to its ContactID in Xero";
/// What stands for the method of payment where rows of the ledger show one.
const METHOD: &str = "provider_invoice";
/// The same of a credit invoice.
const METHOD_OF_CREDIT: &str = "provider_credit";

/// An invoice of the provider, as the business's own system reports it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProviderInvoice {
    /// Whose books.
    pub organisation: OrganisationId,
    /// Its name in the ledger, from [`PaymentId::of_provider_invoice`].
    pub id: PaymentId,
    /// Counts the sender's versions of it, from 1.
    pub revision: u64,
    /// The whole, taxes included: what the fees add up to.
    pub total: Money,
    /// The day of issue.
    pub date: Date,
    /// What only a bill has.
    pub bill: Bill,
}

impl ProviderInvoice {
    /// What the fees add up to.
    ///
    /// # Errors
    /// Two currencies, or an absurd amount.
    pub fn sum_of_fees(&self) -> Result<Money, MoneyError> {
        Money::sum(self.total.currency(), self.bill.fees.iter().map(|fee| fee.amount))
    }

    fn method(&self) -> &'static str {
        if self.bill.credit_terms().is_some() { METHOD_OF_CREDIT } else { METHOD }
    }

    /// What a row of the ledger has of it in the place of a payment. It names no invoice and no customer,
    /// so that nothing takes it for one.
    pub(crate) fn receipt(&self, now: Timestamp) -> Receipt {
        Receipt {
            organisation: self.organisation,
            id: self.id.clone(),
            revision: self.revision,
            amount: self.total,
            date: self.date,
            reference: None,
            method: self.method().to_owned(),
            channel: None,
            customer: None,
            transaction_id: self.bill.number.clone(),
            status: PaymentStatus::Confirmed,
            approved: false,
            settled: false,
            journaled: false,
            allocations: Vec::new(),
            entered_at: now,
            document: None,
        }
    }
}

impl Upload {
    /// The lines that a document of the provider has in Xero, those of credits included (EX-15b).
    pub fn document_lines(&self) -> impl Iterator<Item = &Fee> {
        let own = self.bill.iter().flat_map(|bill| &bill.fees);
        own.chain(self.credited.iter().flat_map(|credit| &credit.fees))
    }

    /// The kinds of its fees that the business has not named an account for (EX-19).
    pub fn unmapped<'b>(&'b self, settings: &UploadSettings) -> BTreeSet<&'b FeeKind> {
        let kinds = self.document_lines().map(|fee| &fee.kind);
        kinds.filter(|kind| !settings.fee_accounts.contains_key(*kind)).collect()
    }
}

impl Bill {
    /// The `InvoiceNumber` in Xero: the provider's number, and the stamp. A bill has no `Reference` there,
    /// and its number need not be its own (facts.md 4.2).
    pub fn number_in_xero(&self, stamp: &Stamp) -> String {
        stamped(&self.number, stamp, REFERENCE_CHARS_MAX)
    }
}

/// Judges a provider's invoice. It needs nothing of Xero but the books themselves.
pub fn judge_bill(
    upload: &Upload,
    books: &Books,
    settings: &Settings,
    uploading: &UploadSettings,
) -> UploadDecision {
    if let Err(judgement) = after_start(upload, settings, uploading.start) {
        return judgement;
    }
    let Some(contact) = uploading.merchant_contact else {
        return UploadDecision::Hold(Hold::MerchantContactMissing, NO_MERCHANT_CONTACT.to_owned());
    };
    if let Err(judgement) = can_be_booked(upload, books, uploading) {
        return judgement;
    }
    if upload.whole().is_ok_and(|whole| !whole.is_positive()) {
        return UploadDecision::Hold(Hold::CreditExceedsBill, why_nothing_left(upload));
    }
    match upload.to_place() {
        Ok(left) if left.is_positive() => {
            UploadDecision::Send(vec![(Target::Bill { contact }, left)])
        }
        Ok(_) => UploadDecision::Send(Vec::new()),
        Err(_) => {
            let why = "its parts are in another currency".to_owned();
            UploadDecision::Hold(Hold::CurrencyMismatch, why)
        }
    }
}

/// Whether the lines of a document have accounts, and fit into the books.
pub(super) fn can_be_booked(
    upload: &Upload,
    books: &Books,
    uploading: &UploadSettings,
) -> Result<(), UploadDecision> {
    let unmapped = upload.unmapped(uploading);
    if !unmapped.is_empty() {
        return Err(UploadDecision::Hold(Hold::AccountUnmapped, why_unmapped(&unmapped)));
    }
    let fees = upload.document_lines().map(|fee| fee.amount);
    fits_books(&upload.receipt, books).and_then(|()| fits_xero(fees))
}

fn why_nothing_left(upload: &Upload) -> String {
    let credits: Vec<_> =
        upload.credited.iter().map(|line| format!("{} of {}", line.amount, line.credit)).collect();
    format!(
        "it is {}, and credits issued before the start date take off {}: nothing would be left to pay. Enter both in \
         Xero by hand, and order do_not_send",
        upload.receipt.amount,
        credits.join(", ")
    )
}

/// The same on the merchant contact as Xero shows it (EX-37): one that was merged is followed, and one that takes
/// nothing keeps the invoice back.
pub fn on_merchant_contact(
    judgement: UploadDecision,
    standing: Option<&ContactStanding>,
) -> UploadDecision {
    let (UploadDecision::Send(parts), Some(standing)) = (&judgement, standing) else {
        return judgement;
    };
    match standing {
        ContactStanding::Active(contact) => {
            let contact = *contact;
            let here = |target: &Target| match target {
                Target::Bill { .. } => Target::Bill { contact },
                Target::CreditNote { .. } => Target::CreditNote { contact },
                other => other.clone(),
            };
            UploadDecision::Send(parts.iter().map(|(on, left)| (here(on), *left)).collect())
        }
        ContactStanding::Unusable { why, .. } => {
            let why = format!("{why}; restore it in Xero, or set another merchant_contact_id");
            UploadDecision::Hold(Hold::MerchantContactMissing, why)
        }
        ContactStanding::Unreadable(why) => UploadDecision::Hold(Hold::CannotBeSent, why.clone()),
    }
}

/// Why kinds of fees without an account keep an invoice back, for its row and for messages (EX-19).
pub fn why_unmapped(kinds: &BTreeSet<&FeeKind>) -> String {
    let names: Vec<_> = kinds.iter().map(ToString::to_string).collect();
    let noun = if names.len() == 1 { "fee kind" } else { "fee kinds" };
    format!(
        "Validation: no account is set for the {noun} {}; ask the accountant where to book it, and add it to \
         fee_accounts",
        names.join(", ")
    )
}

/// Only what was issued after the start date goes up (EX-14). Of the moment of issue nothing is known, so
/// that the very day is a matter for a person even if the start is a moment (AMB-14).
pub(super) fn after_start(
    upload: &Upload,
    settings: &Settings,
    start: UploadStart,
) -> Result<(), UploadDecision> {
    let date = upload.receipt.date;
    let day = match start {
        UploadStart::Moment(moment) => settings.day_of(moment),
        UploadStart::Day(day) => day,
    };
    if date < day {
        let why = format!("issued {date}; provider invoices are uploaded from {start} on");
        return Err(UploadDecision::Skip(Skip::BeforeStartDate, why));
    }
    if date == day && !upload.included {
        let why = format!("issued {date}, the start date itself; release it to include it");
        return Err(UploadDecision::Skip(Skip::OnStartDate, why));
    }
    Ok(())
}
