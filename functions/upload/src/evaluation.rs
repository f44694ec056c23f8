//! Gathers the facts about payments that wait, and asks for the decision about each.

use std::collections::{BTreeMap, BTreeSet};

use payments::upload::{
    Books, ContactStanding, Customer, DocumentForm, Hold, MoneyInXero, OpenInvoice, Planner, Route,
    Skip, Upload, UploadDecision, gate, judge_bill, on_merchant_contact,
};
use payments::{CustomerId, InvoiceNumber, XeroContactId};
use queue::Uploads;
use table::NamedParts;

use crate::credits::CreditContext;
use crate::error::RunError;
use crate::evaluation_context::{Customers, EvaluationContext, FoundContact, customer_of};
use crate::run::Run;

/// The decisions about payments.
pub(crate) struct Judged {
    /// One for each payment, in their order.
    pub(crate) judgements: Vec<UploadDecision>,
    /// What Xero says of their customers' contacts. To be stored before the payments are.
    pub(crate) contacts: Vec<FoundContact>,
}

impl<Q: Uploads> Run<'_, Q> {
    /// Judges payments, the oldest first; each sees what the ones before it have taken.
    pub(crate) async fn judge(
        &self,
        rows: &[Upload],
        known: &EvaluationContext,
    ) -> Result<Judged, RunError> {
        let books = self.books(known).await?;
        let mut customers = self.customers(rows).await?;
        let named = self.named_parts(rows).await?;
        let merchant = self.merchant(known, rows).await?;
        let credits = self.credit_context(rows, merchant.as_ref()).await?;
        let documents = (merchant.as_ref(), &credits);
        let gates = |customers: &Customers| -> Vec<_> {
            let gate = |row| self.gate(row, (customers, documents), &named, books);
            rows.iter().map(gate).collect()
        };
        let passed = passed(rows, &gates(&customers));
        let mut contacts = self.follow_contacts(known, &passed, &mut customers).await?;
        let gates = gates(&customers);
        let passed = self::passed(rows, &gates);
        let mut planner = self.planner(passed.clone(), &customers.known).await?;
        let (unusable, found) =
            self.on_unusable_contacts(known, &passed, &planner, &mut customers).await?;
        contacts.extend(found);
        let mut claims = Vec::with_capacity(passed.len());
        for row in passed {
            let linked = |number: &InvoiceNumber| {
                let linked = named.linked.get(&(number.clone(), row.receipt.id.clone())).copied();
                // The mirror may not have seen yet that it was deleted.
                linked.filter(|id| !self.known_money.borrow().deleted.contains(&id.uuid()))
            };
            let customer = customer_of(row, &customers.known);
            claims.push(planner.claim(row, customer, linked, self.twins(row).await?));
        }
        let mut standings = Box::pin(self.standings(claims, planner.money())).await?;
        let judgements = rows.iter().zip(gates).map(|(row, gate)| match gate {
            Ok(_) => match standings.remove(&row.receipt.id) {
                Some(MoneyInXero::Certain(certain)) => UploadDecision::Found(certain),
                Some(MoneyInXero::Possible(suspicion)) => UploadDecision::Suspect(suspicion),
                Some(MoneyInXero::Absent) | None => match unusable.get(&row.receipt.id) {
                    Some(held) => held.clone(),
                    None => planner.plan(row, customer_of(row, &customers.known)),
                },
            },
            Err(judgement) => judgement,
        });
        let judgements = self.on_chart(known, rows, judgements.collect()).await?;
        Ok(Judged { judgements, contacts })
    }

    /// Holds what would be booked on accounts that cannot be used, before anything is sent: each would be refused, one
    /// after the other (XC-15). Nothing is read if nothing is to be sent.
    async fn on_chart(
        &self,
        known: &EvaluationContext,
        rows: &[Upload],
        judgements: Vec<UploadDecision>,
    ) -> Result<Vec<UploadDecision>, RunError> {
        let is_sent = |judged: &UploadDecision| matches!(judged, UploadDecision::Send(parts) if !parts.is_empty());
        if !judgements.iter().any(is_sent) {
            return Ok(judgements);
        }
        let books = self.books(known).await?;
        let chart = self.chart().await?;
        let judged = rows.iter().zip(judgements);
        Ok(judged.map(|(row, of)| chart.checked(row, of, books, self.uploading)).collect())
    }

    /// Whether a payment may be planned.
    fn gate(
        &self,
        row: &Upload,
        (customers, (merchant, credits)): (&Customers, (Option<&ContactStanding>, &CreditContext)),
        named: &NamedParts,
        books: &Books,
    ) -> Result<Route, UploadDecision> {
        if let Some(bill) = &row.bill {
            // Nothing is left to be planned, by any judgement.
            let judged = match bill.form {
                DocumentForm::Bill => judge_bill(row, books, self.settings, self.uploading),
                _ => self.judge_credit(row, bill, books, credits),
            };
            return Err(on_merchant_contact(judged, merchant));
        }
        let why = row.receipt.customer.as_ref().and_then(|of| customers.unreadable.get(of));
        let why = why.or_else(|| named.unreadable.get(&row.receipt.id));
        if let Some(why) = why {
            return Err(UploadDecision::Hold(Hold::CannotBeSent, why.clone()));
        }
        if named.gone.contains(&row.receipt.id) && !row.included && !row.may_be_in_xero() {
            let why = "the payment in Xero that was the same was deleted there";
            return Err(UploadDecision::Skip(Skip::RemovedInXero, why.to_owned()));
        }
        let customer = customer_of(row, &customers.known);
        gate(row, customer, books, self.settings, self.uploading)
    }

    async fn books<'k>(&self, known: &'k EvaluationContext) -> Result<&'k Books, RunError> {
        if let Some(books) = known.books.get() {
            return Ok(books);
        }
        let organisation = self.xero.organisation(self.organisation()).await?;
        let books = Books {
            currency: organisation.base_currency,
            locked_until: organisation.locked_until(),
        };
        Ok(known.books.get_or_init(|| books))
    }

    /// Reads the customers of these payments, and notes why any of them cannot be read.
    async fn customers(&self, rows: &[Upload]) -> Result<Customers, RunError> {
        let ids: BTreeSet<_> = rows.iter().filter_map(|row| row.receipt.customer.clone()).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let mut customers = Customers::default();
        for (id, known) in self.tables.each_customer(self.organisation(), &ids).await? {
            match known {
                Ok(customer) => drop(customers.known.insert(id, customer)),
                Err(error) => {
                    let why = format!("the row of customer {id} cannot be read: {error}");
                    customers.unreadable.insert(id, why);
                }
            }
        }
        Ok(customers)
    }

    /// What the mirror has found of payments on the invoices that they name.
    async fn named_parts(&self, rows: &[Upload]) -> Result<NamedParts, RunError> {
        let named: Vec<_> = rows
            .iter()
            .flat_map(|row| {
                let parts = row.receipt.allocations.iter();
                parts.map(|part| (part.invoice.clone(), row.receipt.id.clone()))
            })
            .collect();
        Ok(self.tables.named_parts(self.organisation(), &named).await?)
    }

    /// A planner that knows every invoice that these payments can go to.
    async fn planner(
        &self,
        rows: Vec<&Upload>,
        customers: &BTreeMap<CustomerId, Customer>,
    ) -> Result<Planner<'_>, RunError> {
        let open = |row: &&&Upload| row.to_place().is_ok_and(|left| left.is_positive());
        let mut contacts: BTreeSet<XeroContactId> = BTreeSet::new();
        let mut numbers: BTreeSet<String> = BTreeSet::new();
        for row in rows.iter().filter(open) {
            for part in &row.receipt.allocations {
                numbers.insert(self.settings.prefix.to_xero(&part.invoice));
            }
            let nightly = row.route().is_ok_and(Route::is_nightly);
            contacts.extend(
                customer_of(row, customers).and_then(|known| known.contact).filter(|_| nightly),
            );
        }
        let mut invoices = Vec::new();
        let mut unreadable = Vec::new();
        let contacts: Vec<_> = contacts.into_iter().collect();
        let numbers: Vec<_> = numbers.into_iter().collect();
        if !contacts.is_empty() {
            let read = self.xero.open_invoices_of(self.organisation(), &contacts).await?;
            invoices.extend(read.invoices);
            unreadable.extend(read.unreadable);
        }
        if !numbers.is_empty() {
            let read = self.xero.invoices_numbered(self.organisation(), &numbers).await?;
            invoices.extend(read.invoices);
            unreadable.extend(read.unreadable);
        }
        let on_payment_plan = self.on_payment_plan(&invoices).await?;
        let prepayments = self.uploading.prepayment_account.is_some();
        let planner = Planner::new(invoices, &on_payment_plan, &self.settings.prefix, prepayments);
        Ok(planner.with_unreadable(unreadable))
    }

    async fn on_payment_plan(
        &self,
        invoices: &[OpenInvoice],
    ) -> Result<BTreeSet<InvoiceNumber>, RunError> {
        let local = invoices.iter().filter_map(|i| self.settings.prefix.to_local(&i.number).ok());
        let numbers: Vec<_> = local.collect();
        Ok(self.tables.on_payment_plan(self.organisation(), &numbers).await?)
    }
}

/// The payments that may be planned.
fn passed<'r>(rows: &'r [Upload], gates: &[Result<Route, UploadDecision>]) -> Vec<&'r Upload> {
    rows.iter().zip(gates).filter(|(_, gate)| gate.is_ok()).map(|(row, _)| row).collect()
}
