//! Which invoices a payment is applied to (A2.1 steps 3 to 5). Pure: the caller passes what is
//! open, and the planner remembers what it has given away.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::customer::Customer;
use super::duplicate::{Claim, NamedPortion, XeroMoney, XeroMoneyKind};
use super::eligibility::{UploadDecision, fits_xero};
use super::ledger::Upload;
use super::part::{PARTS_MAX, PartState, Target};
use super::route::{Hold, Route, Skip};
use super::stamp::Stamp;
use crate::ids::{InvoiceNumber, PaymentId, XeroContactId, XeroInvoiceId, XeroPaymentId};
use crate::invoice::{InvoiceKind, InvoiceStatus, XeroPayment};
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
    /// The amount left to pay.
    pub due: Money,
    /// The payments on it.
    pub payments: Vec<XeroPayment>,
}

impl OpenInvoice {
    fn is_open(&self) -> bool {
        self.kind == InvoiceKind::Sales
            && self.status == InvoiceStatus::Authorised
            && self.due.is_positive()
    }

    fn is_authorised(&self) -> bool {
        self.status == InvoiceStatus::Authorised
    }

    /// "Oldest": by invoice date, then due date, then number (AMB-16). Without a date it is the
    /// youngest.
    fn age(&self) -> (Date, Date, &str) {
        let or_last = |date: Option<Date>| date.unwrap_or(Date::MAX);
        (or_last(self.issued_on), or_last(self.due_on), &self.number)
    }
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
    /// The fault, without an amount or a name.
    pub why: String,
}

impl UnreadableInvoice {
    fn hold(&self) -> UploadDecision {
        let which = match (&self.number, self.id) {
            (Some(number), Some(id)) => format!("invoice {number} ({id})"),
            (Some(number), None) => format!("invoice {number}"),
            (None, Some(id)) => format!("invoice {id}"),
            (None, None) => "an invoice without an id".to_owned(),
        };
        UploadDecision::Hold(Hold::InvoiceUnreadable, format!("{which} in Xero: {}", self.why))
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
    ) -> Result<(), UploadDecision> {
        self.unreadable.iter().find(|invoice| is_it(invoice)).map_or(Ok(()), |it| Err(it.hold()))
    }

    /// Plans what is left of a payment that has passed the gates. Named invoices first; then, for
    /// BPAY, an exact amount, the oldest first, and the rest as a prepayment (EX-03 to EX-08).
    pub fn plan(&mut self, upload: &Upload, customer: Option<&Customer>) -> UploadDecision {
        let Ok(mut left) = upload.to_place() else {
            return UploadDecision::Hold(
                Hold::CurrencyMismatch,
                "its parts are in another currency".into(),
            );
        };
        let mut parts = Vec::new();
        if left.is_positive() && Self::is_named_by_receipt(upload) {
            match self.named(upload) {
                Ok(named) => parts = named,
                Err(judgement) => return judgement,
            }
            left = parts.iter().fold(left, |left, (_, amount)| left.minus(*amount).unwrap_or(left));
        }
        if left.is_positive() {
            let rest = match upload.route() {
                Err(skip) => Err(UploadDecision::Skip(skip, "it goes no way".into())),
                Ok(Route::Bpay) => self.spread(upload, customer, left, &parts),
                Ok(_) => Err(UploadDecision::Hold(
                    Hold::PartlyAllocated,
                    format!("it names invoices for all but {left}"),
                )),
            };
            match rest {
                Ok(rest) => parts.extend(rest),
                Err(judgement) => return judgement,
            }
        } else if left.amount().is_sign_negative() && !left.amount().is_zero() {
            let why = "it names invoices for more than is left of it".to_owned();
            return UploadDecision::Hold(Hold::PartlyAllocated, why);
        }
        if upload.parts.len().saturating_add(parts.len()) > PARTS_MAX {
            let why = format!("it would take more than {PARTS_MAX} parts");
            return UploadDecision::Skip(Skip::TooManyParts, why);
        }
        if let Err(judgement) = fits_xero(parts.iter().map(|(_, amount)| *amount)) {
            return judgement;
        }
        self.take(&parts);
        UploadDecision::Send(parts)
    }

    /// Whether the names that it bears now decide. BPAY that was refused on the invoices it names goes to
    /// others.
    pub(super) fn is_named_by_receipt(upload: &Upload) -> bool {
        let refused = || upload.parts.iter().any(|part| part.state == PartState::Refused);
        upload.route() != Ok(Route::Bpay) || !refused()
    }

    /// The parts that the payment itself names (EX-01, EX-10), but for those that stand already.
    fn named(&self, upload: &Upload) -> Result<Vec<(Target, Money)>, UploadDecision> {
        let standing = own_targets(upload);
        let named = upload.receipt.allocations.iter().map(|part| {
            let number = self.prefix.to_xero(&part.invoice);
            (part, self.numbered(&number), number)
        });
        let stands = |found: &Result<&OpenInvoice, UploadDecision>| {
            found.as_ref().is_ok_and(|invoice| standing.contains(&invoice.id))
        };
        named
            .filter(|(_, found, _)| !stands(found))
            .map(|(part, found, number)| {
                let invoice = found?;
                self.fits(invoice, part.amount)?;
                if upload.route() == Ok(Route::Bpay) && self.on_payment_plan.contains(&invoice.id) {
                    let why = format!("invoice {number} is on a payment plan, not open to BPAY");
                    return Err(UploadDecision::Hold(Hold::InvoiceNotOpen, why));
                }
                Ok((target(invoice), part.amount))
            })
            .collect()
    }

    /// The sales invoice of this number. Of several, as a deleted draft leaves its number free, only an
    /// authorised one counts (AMB-33).
    pub(super) fn numbered(&self, number: &str) -> Result<&OpenInvoice, UploadDecision> {
        self.must_be_readable(|invoice| invoice.number.as_deref() == Some(number))?;
        let sales =
            |invoice: &&OpenInvoice| invoice.kind == InvoiceKind::Sales && invoice.number == number;
        let all: Vec<_> = self.invoices.values().filter(sales).collect();
        let authorised: Vec<_> = all.iter().filter(|invoice| invoice.is_authorised()).collect();
        let hold = |why| Err(UploadDecision::Hold(Hold::InvoiceNotOpen, why));
        match (authorised.as_slice(), all.as_slice()) {
            ([only], _) => Ok(only),
            ([], []) => hold(format!(
                "Xero has no invoice {number:?}, with exactly these characters between the quotes"
            )),
            // Why it is not open is said where its status is looked at.
            ([], [only]) => Ok(only),
            (_, all) => {
                let each = all.iter().map(|i| format!("{} is {}", i.id, i.status));
                let each = each.collect::<Vec<_>>().join(", ");
                hold(format!(
                    "Xero has {} invoices of number {number}, and not exactly one of them is open: {each}",
                    all.len()
                ))
            }
        }
    }

    /// Whose the invoices are that a payment names, as far as they are known.
    pub fn contacts_named(&self, upload: &Upload) -> BTreeSet<XeroContactId> {
        let numbers =
            upload.receipt.allocations.iter().map(|part| self.prefix.to_xero(&part.invoice));
        numbers.filter_map(|number| self.numbered(&number).ok()?.contact).collect()
    }

    /// The money of a payment that is to be placed, as it is compared with the money that Xero holds (A8.3).
    /// `linked` says which payment in Xero the mirror has linked it with on an invoice that it names.
    pub fn claim(
        &self,
        upload: &Upload,
        customer: Option<&Customer>,
        linked: impl Fn(&InvoiceNumber) -> Option<XeroPaymentId>,
        twins: Vec<PaymentId>,
    ) -> Claim {
        let receipt = &upload.receipt;
        let standing = own_targets(upload);
        let mut named = Vec::new();
        if Self::is_named_by_receipt(upload) {
            for part in &receipt.allocations {
                let number = self.prefix.to_xero(&part.invoice);
                let found = self.numbered(&number).ok();
                let Some(found) = found.filter(|found| !standing.contains(&found.id)) else {
                    continue;
                };
                named.push(NamedPortion {
                    invoice: found.id,
                    number,
                    amount: part.amount,
                    linked: linked(&part.invoice),
                });
            }
        }
        let currency = receipt.amount.currency();
        let sum = Money::sum(currency, named.iter().map(|portion| portion.amount));
        let rest = upload.to_place().ok().and_then(|left| left.minus(sum.ok()?).ok());
        let contact = customer.and_then(|customer| customer.contact);
        let spread = upload.route() == Ok(Route::Bpay);
        Claim {
            payment: receipt.id.clone(),
            date: receipt.date,
            entered_at: receipt.entered_at,
            unnamed: contact.zip(rest.filter(|rest| spread && rest.is_positive())),
            named,
            twins,
            apart_from: upload.apart_from.clone(),
            same_as: upload.same_as.clone(),
        }
    }

    /// The payments on the invoices that it knows, without those that our own uploads have put there.
    pub fn money(&self) -> impl Iterator<Item = XeroMoney> {
        self.invoices.values().filter(|invoice| invoice.kind == InvoiceKind::Sales).flat_map(
            |invoice| {
                let by_hand = invoice.payments.iter().filter(|payment| {
                    let stamp = payment.reference.as_deref().and_then(Stamp::find_in);
                    payment.counts() && !stamp.is_some_and(|stamp| stamp.is_for(invoice.id))
                });
                by_hand.map(|payment| XeroMoney {
                    id: payment.id.uuid(),
                    kind: XeroMoneyKind::Payment,
                    invoice: Some((invoice.id, invoice.number.clone())),
                    contact: invoice.contact,
                    amount: payment.amount,
                    date: payment.date,
                    owner: None,
                })
            },
        )
    }

    fn fits(&self, invoice: &OpenInvoice, amount: Money) -> Result<(), UploadDecision> {
        let number = &invoice.number;
        if invoice.due.currency() != amount.currency() {
            let why = format!("invoice {number} is in {}", invoice.due.currency());
            return Err(UploadDecision::Hold(Hold::CurrencyMismatch, why));
        }
        if invoice.status != InvoiceStatus::Authorised {
            let why = format!("in Xero, invoice {number} is {}", invoice.status);
            return Err(UploadDecision::Hold(Hold::InvoiceNotOpen, why));
        }
        if amount.amount() > invoice.due.amount() {
            let why = format!("{amount} is more than the {} due on invoice {number}", invoice.due);
            return Err(UploadDecision::Hold(Hold::ExceedsDue, why));
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
    ) -> Result<Vec<(Target, Money)>, UploadDecision> {
        let Some(contact) = customer.and_then(|customer| customer.contact) else {
            let why = "its customer has no contact in Xero yet";
            return Err(UploadDecision::Hold(Hold::BlockedByAction, why.into()));
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
                return Err(UploadDecision::Hold(Hold::NoPrepaymentAccount, why));
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
        let mut taken = own_targets(upload);
        taken.extend(named.iter().filter_map(|(target, _)| invoice_of(target)));
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

/// The invoices on which something of a payment is, or may be.
fn own_targets(upload: &Upload) -> BTreeSet<XeroInvoiceId> {
    let standing =
        upload.parts.iter().filter(|part| part.state.stands() && part.state != PartState::Planned);
    standing.filter_map(|part| invoice_of(&part.target)).collect()
}

fn invoice_of(target: &Target) -> Option<XeroInvoiceId> {
    match target {
        Target::Invoice { id, .. } => Some(*id),
        Target::Prepayment { .. }
        | Target::Bill { .. }
        | Target::CreditNote { .. }
        | Target::Allocation { .. } => None,
    }
}

fn target(invoice: &OpenInvoice) -> Target {
    Target::Invoice { id: invoice.id, number: invoice.number.clone() }
}
