//! The values that were compared: what Xero shows of a payment, and what stands here.

use std::fmt;

use jiff::civil::Date;

use super::facts::{Facts, Row};
use crate::discrepancy::DiscrepancyKind;
use crate::money::Money;
use crate::payment::HeldPayment;
use crate::reason::Held;
use crate::stored::StoredInvoice;
use crate::upload::{PartState, Upload};

/// A payment on one side.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Side {
    /// How much.
    pub amount: Money,
    /// Of which day.
    pub date: Date,
    /// On what: an invoice's number as that side writes it.
    pub on: Option<String>,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.amount, self.date)?;
        self.on.as_ref().map_or(Ok(()), |on| write!(f, " on {on}"))
    }
}

/// The two sides of one payment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Compared {
    /// What Xero shows, as of the last read; none if it shows none, or what differs stands in the note.
    pub xero: Option<Side>,
    /// What stands here.
    pub ours: Option<Side>,
    /// A sentence to add to the two sides.
    pub note: Option<String>,
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.xero {
            Some(xero) => write!(f, "Xero {xero}; ")?,
            None => f.write_str("Xero none; ")?,
        }
        match &self.ours {
            Some(ours) => write!(f, "ours {ours}")?,
            None => f.write_str("ours none")?,
        }
        self.note.as_ref().map_or(Ok(()), |note| write!(f, " ({note})"))
    }
}

/// Everything that there is to compare about a payment.
pub(super) fn compare(facts: &Facts) -> Vec<Compared> {
    let mut compared: Vec<_> = facts.rows().map(|row| of_row(row, facts)).collect();
    compared.extend(facts.held().map(|(invoice, held)| of_held(invoice, held)));
    if compared.is_empty()
        && let Some(removed) = facts.tombstone()
    {
        let payment = &removed.tombstone.payment;
        let on = Some(removed.invoice.to_string());
        compared.push(Compared {
            xero: None,
            ours: Some(Side { amount: payment.amount, date: payment.date, on }),
            note: Some(format!("removed by {}", removed.tombstone.removed_by)),
        });
    }
    if let Some(upload) = &facts.upload {
        let is_gone = facts.deleted_in_xero_after_upload() || facts.is_taken_back();
        compared.push(of_upload(upload, is_gone));
    } else if compared.is_empty()
        && let Some(receipt) = &facts.receipt
    {
        let ours = Some(Side { amount: receipt.amount, date: receipt.date, on: None });
        compared.push(Compared { xero: None, ours, note: None });
    }
    compared
}

fn of_row(row: Row<'_>, facts: &Facts) -> Compared {
    let (invoice, payment) = (row.invoice, row.payment);
    let side = |on| Side { amount: payment.amount, date: payment.date, on };
    let ours = Some(side(Some(invoice.number.to_string())));
    let differs = facts.discrepancies().find(|(on, found)| {
        on.number == invoice.number
            && matches!(
                found.key.kind,
                DiscrepancyKind::JournaledChanged
                    | DiscrepancyKind::JournaledDeleted
                    | DiscrepancyKind::TieOut
                    | DiscrepancyKind::UploadedDeletedInXero
            )
    });
    if let Some((_, found)) = differs {
        return Compared { xero: None, ours, note: Some(found.detail.clone()) };
    }
    if payment.link.is_some() {
        // A linked payment that raises no discrepancy is equal, to the cent and to the day (CM-12, CM-13).
        return Compared { xero: Some(side(xero_number(invoice))), ours, note: None };
    }
    let nearest = nearest(row);
    let note = match (&nearest, invoice.xero.is_some()) {
        (Some(_), _) => "amount and date have to be equal",
        (None, true) => "no payment of that amount on the invoice in Xero",
        (None, false) => "the invoice was not read from Xero yet",
    };
    Compared { xero: nearest, ours, note: Some(note.to_owned()) }
}

/// The payment of the same amount that Xero has on the invoice, the nearest by its date (V9).
fn nearest(row: Row<'_>) -> Option<Side> {
    let mine = row.payment;
    let copies = row.invoice.payments.iter().filter(|other| other.link.is_some());
    let copies = copies.map(|other| (other.amount, other.date));
    let held = row.invoice.held.iter().map(|held| (held.payment.amount, held.payment.date));
    let same = copies.chain(held).filter(|(amount, _)| *amount == mine.amount);
    let nearest = same
        .min_by_key(|(_, date)| (mine.date.duration_until(*date).as_hours().unsigned_abs(), *date));
    nearest.map(|(amount, date)| Side { amount, date, on: xero_number(row.invoice) })
}

fn of_held(invoice: &StoredInvoice, held: &HeldPayment) -> Compared {
    let xero = &held.payment;
    let on = xero_number(invoice);
    let part = match held.reason {
        Held::MultiInvoice => invoice.payments.iter().find(|ours| {
            ours.multi_invoice && ours.amount == xero.amount && ours.date == xero.date
        }),
        Held::FutureDated | Held::BlockedByAction | Held::UploadUnderWay => None,
    };
    Compared {
        xero: Some(Side { amount: xero.amount, date: xero.date, on }),
        ours: part.map(|ours| Side {
            amount: ours.amount,
            date: ours.date,
            on: Some(format!("{}, part of {}", invoice.number, ours.id)),
        }),
        note: held.until.map(|day| format!("let in from {day} on")),
    }
}

/// What of the whole is in Xero.
fn of_upload(upload: &Upload, is_gone: bool) -> Compared {
    let receipt = &upload.receipt;
    let done = upload.parts.iter().filter(|part| part.state == PartState::Done);
    let sum = Money::sum(receipt.amount.currency(), done.map(|part| part.amount)).ok();
    let (placed, of) = upload.progress();
    let side = |amount| Side { amount, date: receipt.date, on: None };
    Compared {
        xero: sum.filter(|_| placed > 0 && !is_gone).map(side),
        ours: Some(side(receipt.amount)),
        note: match (is_gone, of) {
            (true, _) => Some("was in Xero, and was deleted there".to_owned()),
            (false, 0) => None,
            (false, of) => Some(format!("{placed} of {of} parts")),
        },
    }
}

fn xero_number(invoice: &StoredInvoice) -> Option<String> {
    invoice.xero.as_ref().map(|xero| xero.number.clone())
}
