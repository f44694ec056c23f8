//! Everything we keep about one invoice. It is read, judged and written as one.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::discrepancy::{Discrepancy, DiscrepancyKey};
use crate::ids::{
    CustomerId, InvoiceNumber, OrganisationId, PaymentId, XeroInvoiceId, XeroPaymentId,
};
use crate::invoice::{LocalInvoice, Version, XeroFacts};
use crate::payment::{HeldPayment, Payment};

/// One invoice with its payments. A part that is not known yet is absent: a payment may be heard of
/// before its invoice, and a Xero invoice before the local one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredInvoice {
    /// Whose books.
    pub organisation: OrganisationId,
    /// The local number.
    pub number: InvoiceNumber,
    /// Counts the writes; 0 if nothing has been written. A write that has not seen the latest
    /// revision is refused.
    pub revision: u64,
    /// The business's own view.
    pub local: Option<LocalInvoice>,
    /// Whose customer owes it, if the business's own system says so.
    pub customer: Option<CustomerId>,
    /// Whether it was held back when it was judged last, because an action about its customer was open.
    pub held_back: bool,
    /// Whether such an action is open now; not part of its rows, but asked before it is judged (AMB-15).
    pub blocked: bool,
    /// Xero payments that bear a stamp like ours, and belong to no upload that is on its way; not part of its rows
    /// either, but asked before it is judged.
    pub strangers: BTreeSet<XeroPaymentId>,
    /// When the business's own system reported it first; `None` of what earlier versions took in (AMB-39).
    pub reported_at: Option<Timestamp>,
    /// Xero's view, as last read.
    pub xero: Option<XeroFacts>,
    /// The invoice that bore this number in Xero and bears another one now.
    pub moved_away: Option<MovedAway>,
    /// Set when local facts and the last snapshot have been brought together; see [`Settled`].
    pub settled: Option<Settled>,
    /// The local payments, hand-entered and copied, in the order of their ids.
    pub payments: Vec<Payment>,
    /// Xero payments without a copy, in the order of their ids.
    pub held: Vec<HeldPayment>,
    /// Discrepancies, open and resolved, in the order of their keys.
    pub discrepancies: Vec<Discrepancy>,
}

/// Remembers that a Xero invoice has left this number, so that a late read from before does not
/// bring its payments back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MovedAway {
    /// Which invoice.
    pub invoice: XeroInvoiceId,
    /// How new the read was that showed it under another number.
    pub version: Version,
}

/// Says for which input the invoice's rows are the answer, so that the same input again needs
/// neither a decision nor a write.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settled {
    /// Digest of the snapshot and of the settings that mattered.
    pub fingerprint: String,
    /// The first day on which the same input would be judged otherwise.
    pub review_on: Option<Date>,
}

impl Settled {
    /// The settings, in short ([`crate::Settings::judging`]), under which an invoice with this fingerprint was
    /// judged; `None` if it is of an earlier version, which did not say so.
    pub fn judging(fingerprint: &str) -> Option<&str> {
        crate::fingerprint::judging(fingerprint)
    }
}

impl StoredInvoice {
    /// An invoice of which nothing is known.
    pub fn unknown(organisation: OrganisationId, number: InvoiceNumber) -> Self {
        Self {
            organisation,
            number,
            revision: 0,
            local: None,
            customer: None,
            held_back: false,
            blocked: false,
            strangers: BTreeSet::new(),
            reported_at: None,
            xero: None,
            moved_away: None,
            settled: None,
            payments: Vec::new(),
            held: Vec::new(),
            discrepancies: Vec::new(),
        }
    }

    /// The payment with this id.
    pub fn payment(&self, id: &PaymentId) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.id == *id)
    }

    /// The payment linked to this Xero payment.
    pub fn linked(&self, xero: XeroPaymentId) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.link == Some(xero))
    }

    /// The discrepancy with this key, open or resolved.
    pub fn discrepancy(&self, key: &DiscrepancyKey) -> Option<&Discrepancy> {
        self.discrepancies.iter().find(|discrepancy| discrepancy.key == *key)
    }

    /// The discrepancies that are open.
    pub fn open_discrepancies(&self) -> impl Iterator<Item = &Discrepancy> {
        self.discrepancies.iter().filter(|discrepancy| discrepancy.is_open())
    }

    /// The discrepancies whose facts disagree, accepted ones included.
    pub fn standing_discrepancies(&self) -> impl Iterator<Item = &Discrepancy> {
        self.discrepancies.iter().filter(|discrepancy| discrepancy.stands())
    }

    pub(crate) fn sort(&mut self) {
        self.payments.sort_by(|a, b| a.id.cmp(&b.id));
        self.held.sort_by_key(|held| held.payment.id);
        self.discrepancies.sort_by(|a, b| a.key.cmp(&b.key));
    }
}
