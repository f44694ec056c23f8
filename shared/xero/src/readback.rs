//! Looking in Xero for what was sent without a clear answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use payments::budget::CallBudget;
use payments::grant::{Grants, Pairs};
use payments::upload::{Placed, Stamp, XeroAllocation};
use payments::{Money, OrganisationId, XeroCreditId, XeroInvoiceId};
use rust_decimal::Decimal;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::bills::ACCPAY;
use crate::bundle::{ACCPAYCREDIT, RECEIVE_PREPAYMENT, StampedKind};
use crate::client::{Client, SCOPE_BANK_TRANSACTIONS, SCOPE_INVOICES};
use crate::decimals;
use crate::error::ReadError;
use crate::list::ListName;
use crate::pages::{List, if_modified_since};
use crate::unreadable::Unreadable;
use crate::wire::{object, required_text, schema, text};
use crate::write_results::{WireElement, WireInvoiceOf, lines, placed, stamp_of};

/// How much earlier than the moment asked for Xero is asked: its clock and ours may differ.
pub const SKEW_MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// Something in Xero that bears a stamp of ours.
#[derive(Clone, Eq, PartialEq)]
pub struct Stamped {
    /// Its ids: the proof.
    pub placed: Placed,
    /// Whether it was deleted or voided since. It was there all the same.
    pub deleted: bool,
    /// How much, in the currency of the invoice, which a payment does not state itself; `None` if
    /// that cannot be read.
    pub amount: Option<Decimal>,
    /// The invoice that a payment is on; none for prepayments and bills, or if that cannot be read.
    pub invoice: Option<XeroInvoiceId>,
}

/// N9: no amounts.
impl fmt::Debug for Stamped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stamped")
            .field("placed", &self.placed)
            .field("deleted", &self.deleted)
            .finish_non_exhaustive()
    }
}

/// What a whole read has shown. A stamp that was asked for and is not in it is not in Xero, as far as
/// one read can prove it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    started_at: Timestamp,
    by_stamp: BTreeMap<Stamp, Vec<Stamped>>,
    /// Rows that are there and cannot be read.
    unclear: Vec<Unclear>,
}

/// A row that cannot be read.
#[derive(Clone, Eq, PartialEq)]
struct Unclear {
    /// Those of the wanted stamps that its text holds.
    stamps: BTreeSet<Stamp>,
    /// Whether the member is missing in which a stamp would stand.
    hides_stamps: bool,
    /// What it amounts to, if that can be read.
    amount: Option<Decimal>,
}

/// N9: no amounts.
impl fmt::Debug for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unclear").field("stamps", &self.stamps).finish_non_exhaustive()
    }
}

/// An allocation whose fate is not known. It bears no stamp in Xero: what is applied of the note to the bill, of the
/// same amount, and is no other row's, is taken for it. Should another hand have made it, the money stands there
/// all the same (AMB-27).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AllocationSought {
    /// What the ledger knows it by.
    pub stamp: Stamp,
    /// The credit note.
    pub note: XeroCreditId,
    /// The bill.
    pub bill: XeroInvoiceId,
    /// How much.
    pub amount: Money,
    /// The allocations of the note that are proven to be others.
    pub others: BTreeSet<Uuid>,
}

impl Found {
    fn nothing(started_at: Timestamp) -> Self {
        Self { started_at, by_stamp: BTreeMap::new(), unclear: Vec::new() }
    }

    /// When the first call of the read was started: evidence counts from then.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Everything that bears this stamp, deleted things included. Only for stamps that were asked
    /// for: nothing else was looked at.
    pub fn of(&self, stamp: &Stamp) -> &[Stamped] {
        self.by_stamp.get(stamp).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a row that cannot be read may be what bears this stamp: that it was not found then proves
    /// nothing. A row whose text does not hold the stamp belongs to another part, and stands in the way of none.
    pub fn is_in_doubt(&self, stamp: &Stamp, amount: Decimal) -> bool {
        self.unclear.iter().any(|row| {
            row.stamps.contains(stamp)
                || (row.hides_stamps && row.amount.is_none_or(|of_row| of_row == amount))
        })
    }
}

impl<B: CallBudget, G: Grants + Pairs> Client<B, G> {
    /// Looks for allocations in their credit notes: one call for each. A note that cannot be read leaves its
    /// allocations in doubt.
    ///
    /// # Errors
    /// Whenever Xero could not be asked; see [`ReadError`].
    pub async fn found_allocations(
        &self,
        organisation: OrganisationId,
        sought: &[AllocationSought],
    ) -> Result<Found, ReadError> {
        let mut found = Found::nothing(self.http.now());
        for one in sought {
            let note = match self.credit_note(organisation, one.note).await {
                Ok(note) => note,
                Err(ReadError::Schema { .. }) => {
                    let stamps = BTreeSet::from([one.stamp.clone()]);
                    found.unclear.push(Unclear { stamps, hides_stamps: false, amount: None });
                    continue;
                }
                Err(error) => return Err(error),
            };
            let same = |shown: &&XeroAllocation| {
                shown.bill == one.bill
                    && shown.amount == one.amount
                    && !one.others.contains(&shown.id)
            };
            let shown = note.iter().flat_map(|note| &note.allocations).find(same);
            if let Some(shown) = shown {
                let stamped = Stamped {
                    placed: Placed::Allocation(shown.id),
                    deleted: false,
                    amount: Some(shown.amount.amount()),
                    invoice: Some(shown.bill),
                };
                found.by_stamp.entry(one.stamp.clone()).or_default().push(stamped);
            }
        }
        Ok(found)
    }

    /// Looks for stamps in everything that was created or changed since a moment. Deleted things are
    /// found too: no status is asked for.
    ///
    /// A payment that bears a stamp but stands on another invoice than the stamp was made for is not
    /// ours: a person has copied the reference. Those of prepayments and bills are not checked, since
    /// contacts are merged.
    ///
    /// # Errors
    /// Whenever not every page could be read in full; see [`ReadError`]. That is never evidence of
    /// anything.
    pub async fn stamped_since(
        &self,
        organisation: OrganisationId,
        kind: StampedKind,
        since: Timestamp,
        wanted: &BTreeSet<Stamp>,
    ) -> Result<Found, ReadError> {
        let mut meter = self.meter();
        if wanted.is_empty() {
            return Ok(Found::nothing(self.http.now()));
        }
        let (which, scope) = match kind {
            StampedKind::Payments => (ListName::Payments, "accounting.payments.read"),
            StampedKind::Prepayments => (ListName::BankTransactions, SCOPE_BANK_TRANSACTIONS),
            StampedKind::Bills => (ListName::Invoices, SCOPE_INVOICES),
            StampedKind::CreditNotes => (ListName::CreditNotes, SCOPE_INVOICES),
            // See `found_allocations`: nothing of them is found by a stamp, and this read shows none.
            StampedKind::Allocations => return Ok(Found::nothing(self.http.now())),
        };
        let query = match kind {
            StampedKind::CreditNotes => {
                "where=Type%3D%3D%22ACCPAYCREDIT%22&order=UpdatedDateUTC%20ASC&"
            }
            StampedKind::Payments | StampedKind::Prepayments | StampedKind::Allocations => {
                "order=UpdatedDateUTC%20ASC&"
            }
            // An equality on an indexed field, which Xero calls optimised: sales are many.
            StampedKind::Bills => "where=Type%3D%3D%22ACCPAY%22&order=UpdatedDateUTC%20ASC&",
        };
        let list = List { which, query, modified_since: Some(modified_since(since)), scope };
        let read = |id, raw: &RawValue| row(kind, id, raw, wanted);
        let rows = self.whole_list(organisation, &list, read, &mut meter).await?;
        let mut by_stamp: BTreeMap<Stamp, Vec<Stamped>> = BTreeMap::new();
        for (stamp, stamped) in rows.rows.into_values() {
            by_stamp.entry(stamp).or_default().push(stamped);
        }
        let unclear: Vec<_> = rows.unreadable.iter().map(|row| unclear(row, wanted)).collect();
        tracing::debug!(
            xero.organisation_id = %organisation,
            wanted = wanted.len(),
            found = by_stamp.len(),
            unreadable = unclear.len(),
            calls = meter.calls,
            "looked for stamps"
        );
        Ok(Found { started_at: rows.started_at, by_stamp, unclear })
    }
}

fn unclear(row: &Unreadable, wanted: &BTreeSet<Stamp>) -> Unclear {
    let body: Option<&RawValue> = serde_json::from_str(&row.body).ok();
    let element = body.and_then(object::<WireElement<'_>>);
    let amount = element.and_then(|element| decimals::decimal(element.total?));
    let stamps = wanted.iter().filter(|stamp| row.body.contains(stamp.as_str())).cloned();
    Unclear { stamps: stamps.collect(), hides_stamps: row.field == "LineItems", amount }
}

fn modified_since(since: Timestamp) -> String {
    if_modified_since(since.saturating_sub(SKEW_MARGIN).unwrap_or(since))
}

/// Reads a row if it bears a stamp that is wanted. What could be ours and cannot be read is an error.
fn row(
    kind: StampedKind,
    own: Uuid,
    raw: &RawValue,
    wanted: &BTreeSet<Stamp>,
) -> Result<Option<(Stamp, Stamped)>, ReadError> {
    let element: WireElement<'_> = object(raw).ok_or(schema(kind.code()))?;
    if element.reference.is_some() && text(element.reference).is_none() {
        return Err(schema("Reference"));
    }
    if kind == StampedKind::Bills {
        if required_text(element.r#type, "Type")? != ACCPAY {
            return Ok(None);
        }
        if element.invoice_number.is_some() && text(element.invoice_number).is_none() {
            return Err(schema("InvoiceNumber"));
        }
    }
    if kind == StampedKind::CreditNotes {
        if required_text(element.r#type, "Type")? != ACCPAYCREDIT {
            return Ok(None);
        }
        if element.credit_note_number.is_some() && text(element.credit_note_number).is_none() {
            return Err(schema("CreditNoteNumber"));
        }
    }
    if kind == StampedKind::Prepayments {
        if required_text(element.r#type, "Type")? != RECEIVE_PREPAYMENT {
            return Ok(None);
        }
        let has_lines = lines(&element).is_some_and(|lines| !lines.is_empty());
        // Xero may not keep the reference of a prepayment; then the stamp stands in its line.
        if !has_lines && stamp_of(kind, &element).is_none() {
            return Err(schema("LineItems"));
        }
    }
    let Some(stamp) = stamp_of(kind, &element).filter(|stamp| wanted.contains(stamp)) else {
        return Ok(None);
    };
    let invoice = match kind {
        StampedKind::Payments => element
            .invoice
            .and_then(object::<WireInvoiceOf<'_>>)
            .and_then(|of| text(of.invoice_id)?.parse().ok()),
        StampedKind::Prepayments
        | StampedKind::Bills
        | StampedKind::CreditNotes
        | StampedKind::Allocations => None,
    };
    if invoice.is_some_and(|invoice: XeroInvoiceId| !stamp.is_for(invoice)) {
        return Ok(None);
    }
    let deleted = match required_text(element.status, "Status")?.as_str() {
        "AUTHORISED" => false,
        // A bill that was paid meanwhile, or was not approved as we asked for, is there all the same.
        "PAID" | "DRAFT" | "SUBMITTED"
            if matches!(kind, StampedKind::Bills | StampedKind::CreditNotes) =>
        {
            false
        }
        "DELETED" | "VOIDED" => true,
        _ => return Err(schema("Status")),
    };
    let amount = match kind {
        StampedKind::Payments | StampedKind::Allocations => element.amount,
        StampedKind::Prepayments | StampedKind::Bills | StampedKind::CreditNotes => element.total,
    };
    let amount = amount.and_then(decimals::decimal);
    Ok(Some((stamp, Stamped { placed: placed(kind, own, &element), deleted, amount, invoice })))
}
