//! The controls: what a person would do in Xero's own screens, and what only a simulator can do.
//!
//! The methods here are for a test in the same process; `http` offers the same to everybody else.

mod bank_transactions;
mod batch_payments;
mod credits;
mod guide;
mod http;
mod setup;
mod time;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    Simulator,
    books::{
        ContactChoice, Invoice, InvoiceDraft, InvoiceEdit, InvoiceStatus, Line, NewInvoice,
        NewOrganisation, NewPayment, Organisation, Payment, PaymentDraft,
    },
    faults::Fault,
    meter::Meter,
    options::{Client, Limits, Oddities},
    webhooks::{self, Delivery, WebhookSettings, WebhookStatus},
    world::World,
};

pub(crate) use http::router;

/// The organisations' books.
impl Simulator {
    /// Opens an organisation, or changes name, dates and accounts of the one that has this id.
    ///
    /// # Errors
    ///
    /// When an account appears twice.
    pub fn add_organisation(&self, wanted: NewOrganisation) -> anyhow::Result<Uuid> {
        self.with(|world, now| {
            let World { books, ids, changed, oddities, .. } = world;
            let accounts: BTreeSet<Uuid> =
                wanted.accounts.iter().map(|account| account.id).collect();
            anyhow::ensure!(accounts.len() == wanted.accounts.len(), "an account appears twice");
            *changed = true;
            if let Some(id) = wanted.id
                && let Some(known) = books.organisations.get_mut(&id)
            {
                known.rename(wanted);
                return Ok(id);
            }
            let mut organisation = Organisation::new(wanted, ids, now);
            organisation.equal_stamps = oddities.equal_stamps;
            let id = organisation.id;
            books.organisations.insert(id, organisation);
            Ok(id)
        })
    }

    /// Puts an authorised invoice or bill into the books.
    ///
    /// # Errors
    ///
    /// When Xero would refuse it, or the organisation does not exist.
    pub fn add_invoice(&self, wanted: NewInvoice) -> anyhow::Result<Uuid> {
        let contact = ContactChoice::Named(wanted.contact_name.clone());
        self.put_invoice(contact, wanted)
    }

    /// Puts an authorised invoice or bill of a known contact into the books; its `contact_name` is
    /// not looked at.
    ///
    /// # Errors
    ///
    /// When Xero would refuse it, or the organisation does not exist or has no such contact.
    pub fn add_invoice_to(&self, contact: Uuid, wanted: NewInvoice) -> anyhow::Result<Uuid> {
        self.put_invoice(ContactChoice::Known(contact), wanted)
    }

    fn put_invoice(&self, contact: ContactChoice, wanted: NewInvoice) -> anyhow::Result<Uuid> {
        self.with(|world, now| {
            let line = Line {
                id: world.ids.uuid(),
                description: "Goods and services".to_owned(),
                quantity: Decimal::ONE,
                unit_amount: wanted.total,
                amount: wanted.total,
                tax: Decimal::ZERO,
                account_code: "200".to_owned(),
                tax_type: None,
            };
            let draft = InvoiceDraft {
                kind: wanted.kind,
                number: Some(wanted.number),
                contact,
                reference: String::new(),
                currency: Some(wanted.currency),
                date: wanted.date,
                due_date: Some(wanted.due_date),
                line_amounts: "NoTax".to_owned(),
                lines: vec![line],
                status: InvoiceStatus::Authorised,
            };
            let books = world.books.organisation(wanted.organisation)?;
            let change = books.add_invoice(draft, &mut world.ids, now)?;
            world.record(wanted.organisation, change);
            Ok(change.invoice)
        })
    }

    /// Records a payment against an invoice, into the bank account.
    ///
    /// # Errors
    ///
    /// When Xero would refuse it, or the invoice does not exist.
    pub fn add_payment(&self, invoice: Uuid, wanted: NewPayment) -> anyhow::Result<Uuid> {
        self.with(|world, now| {
            let books = world.books.of_invoice(invoice)?;
            let account = books.bank_account().context("the organisation has no bank account")?.id;
            let draft = PaymentDraft {
                invoice,
                account,
                date: wanted.date,
                amount: wanted.amount,
                reference: wanted.reference,
                reconciled: false,
            };
            let organisation = books.id;
            let (id, change) = books.add_payment(draft, &mut world.ids, now)?;
            world.record(organisation, change);
            Ok(id)
        })
    }

    /// Takes a payment back.
    ///
    /// # Errors
    ///
    /// When it does not exist or is deleted already.
    pub fn delete_payment(&self, payment: Uuid) -> anyhow::Result<()> {
        self.with(|world, now| {
            let books = world.books.of_payment(payment)?;
            let organisation = books.id;
            let change = books.delete_payment(payment, now)?;
            world.record_if(organisation, change);
            Ok(())
        })
    }

    /// Takes a payment back without a new stamp on its invoice, and without announcing it: only the payment
    /// itself shows it.
    ///
    /// # Errors
    ///
    /// When it does not exist or is deleted already.
    pub fn delete_payment_quietly(&self, payment: Uuid) -> anyhow::Result<()> {
        self.with(|world, now| {
            let books = world.books.of_payment(payment)?;
            books.delete_payment_quietly(payment, now)?;
            world.changed = true;
            Ok(())
        })
    }

    /// "Edits" a payment in the only way that Xero has: deletes it and records another one.
    ///
    /// # Errors
    ///
    /// When it does not exist or is deleted already, or Xero would refuse the new one. The old one
    /// stays deleted in that case, as it would for a person who does this by hand.
    pub fn edit_payment(&self, payment: Uuid, wanted: NewPayment) -> anyhow::Result<Uuid> {
        let invoice = self.payment(payment).context("there is no such payment")?.invoice;
        self.delete_payment(payment)?;
        self.add_payment(invoice, wanted)
    }

    /// Matches a payment to a bank line, or unmatches it; its invoice does not change.
    ///
    /// # Errors
    ///
    /// When it does not exist.
    pub fn reconcile_payment(&self, payment: Uuid, reconciled: bool) -> anyhow::Result<()> {
        self.with(|world, now| {
            let books = world.books.of_payment(payment)?;
            books.set_reconciled(payment, reconciled, now)?;
            world.changed = true;
            Ok(())
        })
    }

    /// Writes a credit note and applies all of it to the invoice.
    ///
    /// # Errors
    ///
    /// When less than `amount` is due, or the invoice does not exist.
    pub fn add_credit_note(&self, invoice: Uuid, amount: Decimal) -> anyhow::Result<Uuid> {
        self.with(|world, now| {
            let books = world.books.of_invoice(invoice)?;
            let organisation = books.id;
            let (id, change) = books.add_credit_note(invoice, amount, &mut world.ids, now)?;
            world.record(organisation, change);
            world.record_credit_note(organisation, id, change.at);
            Ok(id)
        })
    }

    /// Voids an invoice.
    ///
    /// # Errors
    ///
    /// When money is applied to it, or it does not exist.
    pub fn void_invoice(&self, invoice: Uuid) -> anyhow::Result<()> {
        self.with(|world, now| {
            let books = world.books.of_invoice(invoice)?;
            let organisation = books.id;
            let edit =
                InvoiceEdit { status: Some(InvoiceStatus::Voided), ..InvoiceEdit::default() };
            let change = books.edit_invoice(invoice, edit, now)?;
            world.record(organisation, change);
            Ok(())
        })
    }

    /// Gives an invoice, or a bill, one line of this amount in place of its lines.
    ///
    /// # Errors
    ///
    /// When money is applied to it, or it does not exist.
    pub fn reprice_invoice(&self, invoice: Uuid, amount: Decimal) -> anyhow::Result<()> {
        self.with(|world, now| {
            let books = world.books.of_invoice(invoice)?;
            let organisation = books.id;
            let mut lines =
                books.invoices.get(&invoice).map_or_else(Vec::new, |of| of.lines.clone());
            lines.truncate(1);
            for line in &mut lines {
                (line.unit_amount, line.amount) = (amount, amount);
            }
            let edit = InvoiceEdit { lines: Some(lines), ..InvoiceEdit::default() };
            let change = books.edit_invoice(invoice, edit, now)?;
            world.record(organisation, change);
            Ok(())
        })
    }

    /// Updates an invoice without any change to its payments.
    ///
    /// # Errors
    ///
    /// When it does not exist.
    pub fn touch_invoice(&self, invoice: Uuid) -> anyhow::Result<()> {
        self.with(|world, now| {
            let books = world.books.of_invoice(invoice)?;
            let organisation = books.id;
            let change = books.touch_invoice(invoice, now)?;
            world.record(organisation, change);
            Ok(())
        })
    }

    /// An organisation as it is now, with all its books.
    #[must_use]
    pub fn organisation(&self, id: Uuid) -> Option<Organisation> {
        self.with(|world, _| world.books.organisations.get(&id).cloned())
    }

    /// The organisations there are.
    #[must_use]
    pub fn organisations(&self) -> Vec<Uuid> {
        self.with(|world, _| world.books.organisations.keys().copied().collect())
    }

    /// An invoice as it is now.
    #[must_use]
    pub fn invoice(&self, id: Uuid) -> Option<Invoice> {
        self.with(|world, _| world.books.of_invoice(id).ok()?.invoices.get(&id).cloned())
    }

    /// A payment as it is now.
    #[must_use]
    pub fn payment(&self, id: Uuid) -> Option<Payment> {
        self.with(|world, _| world.books.of_payment(id).ok()?.payments.get(&id).cloned())
    }
}

/// Apps, limits, faults and meters.
impl Simulator {
    /// Registers an app, in place of one with the same id.
    pub fn add_client(&self, client: Client) {
        self.with(|world, _| {
            world.clients.retain(|known| known.id != client.id);
            world.clients.push(client);
        });
    }

    /// Makes every token expire now.
    pub fn revoke_tokens(&self) {
        self.with(|world, now| world.tokens.revoke_all(now));
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.with(|world, _| world.gate.limits)
    }

    /// Changes the limits; calls already counted stay counted.
    pub fn set_limits(&self, limits: Limits) {
        self.with(|world, _| world.gate.limits = limits);
    }

    /// Changes what Xero does now and then; what is stamped already keeps its stamp.
    pub fn set_oddities(&self, oddities: Oddities) {
        self.with(|world, _| world.set_oddities(oddities));
    }

    /// Adds a fault to those in force.
    pub fn inject(&self, fault: Fault) {
        self.with(|world, _| world.faults.add(fault));
    }

    /// Takes all faults away.
    pub fn clear_faults(&self) {
        self.with(|world, _| world.faults.clear());
    }

    /// The faults in force, with what is left of their counts.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.with(|world, _| world.faults.rules().to_vec())
    }

    /// The measurements of one organisation.
    #[must_use]
    pub fn meter(&self, organisation: Uuid) -> Meter {
        self.with(|world, _| world.meters.of(organisation))
    }

    /// The measurements of every organisation that was called.
    #[must_use]
    pub fn meters(&self) -> BTreeMap<Uuid, Meter> {
        self.with(|world, _| world.meters.all())
    }

    /// Starts to measure afresh.
    pub fn reset_meters(&self) {
        self.with(|world, _| world.meters.reset());
    }
}

/// The webhook.
impl Simulator {
    /// Replaces the settings of the webhook, which also enables one that was disabled.
    pub fn set_webhook(&self, settings: WebhookSettings) {
        self.with(|world, now| {
            world.outbox.set_up(settings, now);
            world.changed = true;
        });
    }

    /// How the webhook is set up.
    #[must_use]
    pub fn webhook(&self) -> (WebhookSettings, WebhookStatus) {
        self.with(|world, _| (world.outbox.settings.clone(), world.outbox.status))
    }

    /// Every attempt at a delivery since the start, oldest first.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.with(|world, _| world.outbox.log())
    }

    /// Events that were announced but not delivered yet.
    #[must_use]
    pub fn undelivered(&self) -> usize {
        self.with(|world, _| world.outbox.undelivered())
    }

    /// Delivers what waits, without waiting for a window to close or a retry to be due, and says
    /// how it went. Stops at the first delivery that fails; what was delivered without being asked
    /// for is only in [`deliveries`](Self::deliveries).
    pub async fn flush_webhooks(&self) -> Vec<Delivery> {
        webhooks::deliver(self, true).await
    }
}
