//! The content of each event, from its row of the log.

use super::Incomplete;
use super::event_type::{ContentReason, ContentSubject, Kind};
use super::log_entry::{Entry, EntryComponent, EntryPayment};
use super::subject::{
    Adjustment, Close, ComponentFigures, Contact, Customer, Discrepancy, Figures, Invoice, Notice,
    Order, Payment, ProviderInvoice, Report, Seal, Subject, text,
};
use crate::ids::PROVIDER_INVOICE_PREFIX;
use crate::order::OrderStatus;
use crate::payment::Origin;

/// Reads an entry for one kind, and knows what is missing.
pub(super) struct Teller<'a> {
    pub(super) kind: Kind,
    pub(super) entry: &'a Entry,
}

impl Teller<'_> {
    pub(super) fn about(&self) -> Result<Subject, Incomplete> {
        let (entry, content) = (self.entry, self.kind.content());
        let reason = self.reason(content.reason)?;
        let subject = match content.subject {
            ContentSubject::Organisation => Subject::default(),
            ContentSubject::Invoice => {
                Subject { invoice: Some(self.invoice()?), ..Subject::default() }
            }
            ContentSubject::PaymentOnBothSides => {
                self.needs("xero_payment_id", entry.payment.xero)?;
                self.payment_on_invoice()?
            }
            ContentSubject::PaymentOnInvoice => self.payment_on_invoice()?,
            ContentSubject::HeldPayment => {
                self.needs("xero_payment_id", entry.payment.xero)?;
                Subject {
                    until: entry.until,
                    invoice: Some(self.invoice()?),
                    payment: Some(self.payment(Some(Origin::Xero))?),
                    ..Subject::default()
                }
            }
            ContentSubject::OwnPayment => {
                self.needs("payment_id", entry.payment.id.as_ref())?;
                let payment = Some(self.payment(Some(Origin::Local))?);
                Subject { night: entry.night, payment, ..Subject::default() }
            }
            ContentSubject::ProviderInvoice => {
                let provider_invoice = Some(self.provider_invoice()?);
                Subject { provider_invoice, ..Subject::default() }
            }
            ContentSubject::Discrepancy => self.on_a_discrepancy()?,
            ContentSubject::Adjustment => {
                Subject { adjustment: Some(self.adjustment()?), ..self.on_a_discrepancy()? }
            }
            ContentSubject::Notice => {
                Subject { notice: Some(self.notice()?), ..self.on_a_discrepancy()? }
            }
            ContentSubject::Customer => {
                Subject { customer: Some(self.customer()?), ..Subject::default() }
            }
            ContentSubject::Order => Subject {
                customer: entry.customer.is_some().then(|| self.customer()).transpose()?,
                order: Some(self.order()?),
                ..Subject::default()
            },
            ContentSubject::Close => Subject { close: Some(self.close()?), ..Subject::default() },
            ContentSubject::Report => {
                Subject { report: Some(self.report()?), ..Subject::default() }
            }
            ContentSubject::Seal => Subject { seal: Some(self.seal()?), ..Subject::default() },
        };
        Ok(Subject { reason, ..subject })
    }

    fn payment_on_invoice(&self) -> Result<Subject, Incomplete> {
        self.needs("payment_id", self.entry.payment.id.as_ref())?;
        let payment = Some(self.payment(self.entry.payment.origin)?);
        Ok(Subject { invoice: Some(self.invoice()?), payment, ..Subject::default() })
    }

    /// The one thing that a discrepancy stands on: an invoice, a contact, an order or a payment as a whole.
    fn discrepancy_place(&self) -> Result<Subject, Incomplete> {
        let entry = self.entry;
        if entry.invoice.is_some() {
            return Ok(Subject { invoice: Some(self.invoice()?), ..Subject::default() });
        }
        if let Some(xero_contact_id) = entry.contact {
            let contact = Some(Contact { xero_contact_id });
            return Ok(Subject { contact, ..Subject::default() });
        }
        if let Some(order) = &entry.order {
            let order = Order {
                id: order.id.clone(),
                progress: None,
                status: None,
                received: None,
                components: Vec::new(),
                receipts: Vec::new(),
            };
            return Ok(Subject { order: Some(order), ..Subject::default() });
        }
        if entry.payment.id.is_some() {
            let payment = Some(self.payment(Some(Origin::Local))?);
            return Ok(Subject { payment, ..Subject::default() });
        }
        Err(Incomplete { kind: self.kind, attribute: "invoice_number" })
    }

    /// A discrepancy, and the thing that it stands on.
    fn on_a_discrepancy(&self) -> Result<Subject, Incomplete> {
        Ok(Subject { discrepancy: Some(self.discrepancy()?), ..self.discrepancy_place()? })
    }

    fn adjustment(&self) -> Result<Adjustment, Incomplete> {
        let wanted = self.needs("adjusts", self.entry.adjustment.as_ref())?;
        Ok(Adjustment {
            record: wanted.record.code(),
            money: wanted.amount.map(Figures::of),
            payment: wanted.payment.clone(),
            to_invoice: wanted.to_invoice.clone(),
        })
    }

    fn notice(&self) -> Result<Notice, Incomplete> {
        let draft = self.needs("notice", self.entry.notice.as_ref())?;
        Ok(Notice {
            id: draft.id.clone(),
            kind: draft.kind.code(),
            steps: draft.kind.steps(),
            customer: draft.customer.clone(),
            subject: draft.subject.clone(),
            text: draft.text.clone(),
        })
    }

    fn needs<T>(&self, attribute: &'static str, value: Option<T>) -> Result<T, Incomplete> {
        value.ok_or(Incomplete { kind: self.kind, attribute })
    }

    fn reason(&self, presence: ContentReason) -> Result<Option<String>, Incomplete> {
        let reason = text(self.entry.reason.as_deref());
        match presence {
            ContentReason::Absent => Ok(None),
            ContentReason::Optional => Ok(reason),
            ContentReason::Required => self.needs("reason", reason).map(Some),
        }
    }

    fn invoice(&self) -> Result<Invoice, Incomplete> {
        let invoice = self.needs("invoice_number", self.entry.invoice.as_ref())?;
        Ok(Invoice { number: invoice.number.clone(), xero_invoice_id: invoice.xero })
    }

    fn payment(&self, origin: Option<Origin>) -> Result<Payment, Incomplete> {
        let EntryPayment { id, xero, amount, date, method, transaction_id, .. } =
            &self.entry.payment;
        Ok(Payment {
            id: id.clone(),
            xero_payment_id: *xero,
            money: Figures::of(self.needs("amount", *amount)?),
            date: self.needs("date", *date)?,
            origin: self.needs("origin", origin)?.code(),
            method: self.needs("method", text(method.as_deref()))?,
            transaction_id: self.needs("transaction_id", text(transaction_id.as_deref()))?,
        })
    }

    fn provider_invoice(&self) -> Result<ProviderInvoice, Incomplete> {
        let EntryPayment { id, amount, date, transaction_id, .. } = &self.entry.payment;
        let id = id.as_ref().and_then(|id| id.as_str().strip_prefix(PROVIDER_INVOICE_PREFIX));
        Ok(ProviderInvoice {
            id: self.needs("payment_id", id)?.to_owned(),
            number: self.needs("transaction_id", text(transaction_id.as_deref()))?,
            money: Figures::of(self.needs("amount", *amount)?),
            issued_on: self.needs("date", *date)?,
        })
    }

    fn discrepancy(&self) -> Result<Discrepancy, Incomplete> {
        let found = self.needs("discrepancy", self.entry.discrepancy.as_ref())?;
        Ok(Discrepancy {
            kind: found.kind.code(),
            about: text(Some(&found.subject)),
            detected_at: found.detected_at,
            reopened_at: found.reopened_at,
            reopened_count: found.reopened_count,
            due_at: found.due_at,
            owner: text(self.entry.owner.as_deref()),
        })
    }

    fn order(&self) -> Result<Order, Incomplete> {
        let order = self.needs("order", self.entry.order.as_ref())?;
        Ok(Order {
            id: order.id.clone(),
            progress: Some(self.needs("progress", order.progress)?.code()),
            status: order.status.map(OrderStatus::code),
            received: Some(Figures::of(self.needs("amount", self.entry.payment.amount)?)),
            components: order.components.iter().map(component).collect(),
            receipts: order.receipts.clone(),
        })
    }

    fn close(&self) -> Result<Close, Incomplete> {
        let close = self.needs("close", self.entry.close)?;
        Ok(Close {
            day: close.day,
            revision: close.revision,
            reconciled: close.reconciled,
            in_transit: close.in_transit,
            not_reconciled: close.not_reconciled,
        })
    }

    fn seal(&self) -> Result<Seal, Incomplete> {
        let seal = self.needs("seal", self.entry.seal)?;
        Ok(Seal {
            day: seal.day,
            checksum: seal.checksum.to_string(),
            previous: seal.previous.map(|previous| previous.to_string()),
            rows: seal.rows,
            late: seal.late,
        })
    }

    fn report(&self) -> Result<Report, Incomplete> {
        let report = self.needs("report", self.entry.report.clone())?;
        Ok(Report { period: report.period, checksum: report.checksum.to_string() })
    }

    fn customer(&self) -> Result<Customer, Incomplete> {
        Ok(Customer {
            id: self.needs("customer", self.entry.customer.clone())?,
            blocked: text(self.entry.blocked.as_deref()),
        })
    }
}

fn component(of: &EntryComponent) -> ComponentFigures {
    ComponentFigures {
        component: of.component.code(),
        order: Figures::of(of.order),
        invoices: of.invoices.map(Figures::of),
        receipts: of.receipts.map(Figures::of),
    }
}
