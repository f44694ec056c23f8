//! Which invoices a payment is applied to (A2.1 steps 3 to 5). Pure: it is told what is open, and
//! remembers what it has given away.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::customer::Customer;
use super::gates::{Judgement, fits_xero};
use super::ledger::Upload;
use super::part::{PARTS_MAX, PartState, Target};
use super::route::{Hold, Route, Skip};
use crate::ids::{InvoiceNumber, XeroContactId, XeroInvoiceId};
use crate::invoice::{InvoiceKind, InvoiceStatus};
use crate::money::{Currency, Money};
use crate::number::NumberPrefix;

/// A sales invoice as Xero shows it now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenInvoice {
    /// Which.
    pub id: XeroInvoiceId,
    /// Its number in Xero.
    pub number: String,
    /// Sale, bill or other.
    pub kind: InvoiceKind,
    /// Its status.
    pub status: InvoiceStatus,
    /// Whose it is.
    pub contact: Option<XeroContactId>,
    /// Day of issue.
    pub issued_on: Option<Date>,
    /// Day on which it is due.
    pub due_on: Option<Date>,
    /// What is left to pay.
    pub due: Money,
}

impl OpenInvoice {
    fn is_open(&self) -> bool {
        self.kind == InvoiceKind::Sales
            && self.status == InvoiceStatus::Authorised
            && self.due.is_positive()
    }

    /// "Oldest": by invoice date, then due date, then number (AMB-16). Without a date it is the
    /// youngest.
    fn age(&self) -> (Date, Date, &str) {
        let or_last = |date: Option<Date>| date.unwrap_or(Date::MAX);
        (or_last(self.issued_on), or_last(self.due_on), &self.number)
    }
}

/// What the books say, read for this plan.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Books {
    /// The currency of the books.
    pub currency: Currency,
    /// Nothing dated on or before this day may be written: the later of both lock dates.
    pub locked_until: Option<Date>,
}

/// An invoice in Xero of which nothing is known but this: it is there, or may be, and cannot be read
/// (AMB-30).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnreadableInvoice {
    /// Which, if Xero has shown it.
    pub id: Option<XeroInvoiceId>,
    /// Its number, if that can be read, or is what was asked for.
    pub number: Option<String>,
    /// Whose it is, if that can be read, or is who was asked for.
    pub contact: Option<XeroContactId>,
    /// What is wrong, without an amount or a name.
    pub why: String,
}

impl UnreadableInvoice {
    fn hold(&self) -> Judgement {
        let which = match (&self.number, self.id) {
            (Some(number), Some(id)) => format!("invoice {number} ({id})"),
            (Some(number), None) => format!("invoice {number}"),
            (None, Some(id)) => format!("invoice {id}"),
            (None, None) => "an invoice without an id".to_owned(),
        };
        Judgement::Hold(Hold::InvoiceUnreadable, format!("{which} in Xero: {}", self.why))
    }
}

/// Plans payments one after the other; each sees what the ones before it have left.
#[derive(Debug)]
pub struct Planner<'a> {
    invoices: BTreeMap<XeroInvoiceId, OpenInvoice>,
    unreadable: Vec<UnreadableInvoice>,
    on_payment_plan: BTreeSet<XeroInvoiceId>,
    prefix: &'a NumberPrefix,
    prepayments: bool,
}

impl<'a> Planner<'a> {
    /// A planner that knows these invoices: the open ones of every contact concerned, and every
    /// invoice that a payment names. `on_payment_plan` says which local invoices are.
    pub fn new(
        invoices: impl IntoIterator<Item = OpenInvoice>,
        on_payment_plan: &BTreeSet<InvoiceNumber>,
        prefix: &'a NumberPrefix,
        prepayments: bool,
    ) -> Self {
        let invoices: BTreeMap<_, _> =
            invoices.into_iter().map(|invoice| (invoice.id, invoice)).collect();
        let planned = |invoice: &&OpenInvoice| {
            prefix.to_local(&invoice.number).is_ok_and(|number| on_payment_plan.contains(&number))
        };
        let on_payment_plan = invoices.values().filter(planned).map(|invoice| invoice.id).collect();
        Self { invoices, unreadable: Vec::new(), on_payment_plan, prefix, prepayments }
    }

    /// These could not be read: what rests on one of them is held, and nothing else.
    #[must_use]
    pub fn with_unreadable(self, unreadable: Vec<UnreadableInvoice>) -> Self {
        Self { unreadable, ..self }
    }

    fn must_be_readable(
        &self,
        is_it: impl Fn(&UnreadableInvoice) -> bool,
    ) -> Result<(), Judgement> {
        self.unreadable.iter().find(|invoice| is_it(invoice)).map_or(Ok(()), |it| Err(it.hold()))
    }

    /// Plans what is left of a payment that has passed the gates. Named invoices first; then, for
    /// BPAY, an exact amount, the oldest first, and the rest as a prepayment (EX-03 to EX-08).
    pub fn plan(&mut self, upload: &Upload, customer: Option<&Customer>) -> Judgement {
        let Ok(mut left) = upload.unplaced() else {
            return Judgement::Hold(
                Hold::CurrencyMismatch,
                "its parts are in another currency".into(),
            );
        };
        let mut parts = Vec::new();
        if Self::is_named_by_receipt(upload) {
            match self.named(upload) {
                Ok(named) => parts = named,
                Err(judgement) => return judgement,
            }
            left = parts.iter().fold(left, |left, (_, amount)| left.minus(*amount).unwrap_or(left));
        }
        if left.is_positive() {
            let rest = match upload.route() {
                Err(skip) => Err(Judgement::Skip(skip, "it goes no way".into())),
                Ok(Route::Bpay) => self.spread(upload, customer, left, &parts),
                Ok(_) if Self::is_named_by_receipt(upload) => Err(Judgement::Hold(
                    Hold::PartlyAllocated,
                    format!("it names invoices for all but {left}"),
                )),
                Ok(_) => self.named_again(upload),
            };
            match rest {
                Ok(rest) => parts.extend(rest),
                Err(judgement) => return judgement,
            }
        }
        if upload.parts.len().saturating_add(parts.len()) > PARTS_MAX {
            let why = format!("it would take more than {PARTS_MAX} parts");
            return Judgement::Skip(Skip::TooManyParts, why);
        }
        if let Err(judgement) = fits_xero(parts.iter().map(|(_, amount)| *amount)) {
            return judgement;
        }
        // What it sends again as it was is taken as well: Xero does not show it yet.
        let again = upload.planned().map(|part| (part.target.clone(), part.amount));
        self.take(again.collect::<Vec<_>>().iter().chain(&parts));
        Judgement::Send(parts)
    }

    /// Whether the names that it bears now decide. Those of a direct post do as long as nothing of it
    /// stands: it may have been reported anew since it was refused. BPAY that was refused on the invoices
    /// it names goes to others.
    fn is_named_by_receipt(upload: &Upload) -> bool {
        let refused = || upload.parts.iter().all(|part| part.state == PartState::Refused);
        upload.parts.is_empty() || (upload.route() != Ok(Route::Bpay) && refused())
    }

    /// The parts that the payment itself names (EX-01, EX-10).
    fn named(&self, upload: &Upload) -> Result<Vec<(Target, Money)>, Judgement> {
        let allocations = &upload.receipt.allocations;
        allocations
            .iter()
            .map(|part| {
                let number = self.prefix.to_xero(&part.invoice);
                self.must_be_readable(|invoice| invoice.number.as_deref() == Some(&number))?;
                let found = self
                    .invoices
                    .values()
                    .find(|invoice| invoice.kind == InvoiceKind::Sales && invoice.number == number);
                let invoice = found.ok_or_else(|| {
                    let why = format!("Xero has no invoice {number}");
                    Judgement::Hold(Hold::InvoiceNotOpen, why)
                })?;
                self.fits(invoice, part.amount)?;
                if upload.route() == Ok(Route::Bpay) && self.on_payment_plan.contains(&invoice.id) {
                    let why = format!("invoice {number} is on a payment plan, not open to BPAY");
                    return Err(Judgement::Hold(Hold::InvoiceNotOpen, why));
                }
                Ok((target(invoice), part.amount))
            })
            .collect()
    }

    /// Named parts that were refused, once more: what was in their way may be gone.
    fn named_again(&self, upload: &Upload) -> Result<Vec<(Target, Money)>, Judgement> {
        let standing = |id: &XeroInvoiceId| {
            upload.parts.iter().any(|part| {
                part.state != PartState::Refused
                    && matches!(&part.target, Target::Invoice { id: other, .. } if other == id)
            })
        };
        let mut parts = BTreeMap::new();
        for part in &upload.parts {
            let Target::Invoice { id, .. } = &part.target else { continue };
            if part.state == PartState::Refused && !standing(id) {
                parts.insert(*id, (part.target.clone(), part.amount));
            }
        }
        for (id, (_, amount)) in &parts {
            self.must_be_readable(|invoice| invoice.id == Some(*id))?;
            let invoice = self.invoices.get(id).ok_or_else(|| {
                Judgement::Hold(Hold::InvoiceNotOpen, "Xero no longer shows its invoice".into())
            })?;
            self.fits(invoice, *amount)?;
        }
        Ok(parts.into_values().collect())
    }

    fn fits(&self, invoice: &OpenInvoice, amount: Money) -> Result<(), Judgement> {
        let number = &invoice.number;
        if invoice.due.currency() != amount.currency() {
            let why = format!("invoice {number} is in {}", invoice.due.currency());
            return Err(Judgement::Hold(Hold::CurrencyMismatch, why));
        }
        if invoice.status != InvoiceStatus::Authorised {
            let why = format!("in Xero, invoice {number} is {}", invoice.status);
            return Err(Judgement::Hold(Hold::InvoiceNotOpen, why));
        }
        if amount.amount() > invoice.due.amount() {
            let why = format!("{amount} is more than the {} due on invoice {number}", invoice.due);
            return Err(Judgement::Hold(Hold::ExceedsDue, why));
        }
        Ok(())
    }

    /// An exact amount; else the oldest first; else a prepayment.
    fn spread(
        &self,
        upload: &Upload,
        customer: Option<&Customer>,
        amount: Money,
        named: &[(Target, Money)],
    ) -> Result<Vec<(Target, Money)>, Judgement> {
        let Some(contact) = customer.and_then(|customer| customer.contact) else {
            let why = "its customer has no contact in Xero yet";
            return Err(Judgement::Hold(Hold::BlockedByAction, why.into()));
        };
        self.must_be_readable(|invoice| invoice.contact == Some(contact))?;
        let candidates = self.candidates(contact, amount.currency(), upload, named);
        let exact = candidates.iter().find(|invoice| invoice.due == amount);
        if let Some(invoice) = exact.filter(|_| named.is_empty()) {
            return Ok(vec![(target(invoice), amount)]);
        }
        let mut left = amount;
        let mut parts = Vec::new();
        for invoice in candidates {
            if !left.is_positive() {
                break;
            }
            let part = if left.amount() < invoice.due.amount() { left } else { invoice.due };
            left = left.minus(part).unwrap_or(left);
            parts.push((target(invoice), part));
        }
        if left.is_positive() {
            if !self.prepayments {
                let why = format!("{left} of it would become a prepayment");
                return Err(Judgement::Hold(Hold::NoPrepaymentAccount, why));
            }
            parts.push((Target::Prepayment { contact }, left));
        }
        Ok(parts)
    }

    /// The contact's open invoices, the oldest first, without those on a payment plan (EX-08), and
    /// without those on which a part of this payment already is: one payment, one part on an invoice.
    fn candidates(
        &self,
        contact: XeroContactId,
        currency: Currency,
        upload: &Upload,
        named: &[(Target, Money)],
    ) -> Vec<&OpenInvoice> {
        let own = upload.parts.iter().filter(|part| part.state != PartState::Refused);
        let own = own.map(|part| &part.target).chain(named.iter().map(|(target, _)| target));
        let taken: BTreeSet<_> = own
            .filter_map(|target| match target {
                Target::Invoice { id, .. } => Some(*id),
                Target::Prepayment { .. } | Target::Bill { .. } => None,
            })
            .collect();
        let mut candidates: Vec<_> = self
            .invoices
            .values()
            .filter(|invoice| invoice.contact == Some(contact))
            .filter(|invoice| invoice.is_open() && invoice.due.currency() == currency)
            .filter(|invoice| !self.on_payment_plan.contains(&invoice.id))
            .filter(|invoice| !taken.contains(&invoice.id))
            .collect();
        candidates.sort_by(|a, b| a.age().cmp(&b.age()));
        candidates
    }

    fn take<'p>(&mut self, parts: impl IntoIterator<Item = &'p (Target, Money)>) {
        for (target, amount) in parts {
            let Target::Invoice { id, .. } = target else { continue };
            if let Some(invoice) = self.invoices.get_mut(id) {
                invoice.due = invoice.due.minus(*amount).unwrap_or(invoice.due);
            }
        }
    }
}

fn target(invoice: &OpenInvoice) -> Target {
    Target::Invoice { id: invoice.id, number: invoice.number.clone() }
}
