//! Invoices with everything that belongs to them: read as one, written as one.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};
use payments::{
    Change, CustomerId, InvoiceNumber, OrganisationId, StoredInvoice, XeroInvoiceId, XeroPaymentId,
};

use crate::activity::Log;
use crate::attributes::{Item, Reader};
use crate::change_context::ChangeContext;
use crate::error::{ReadError, WriteError};
use crate::latest::readable;
use crate::rows;
use crate::schema::{
    ACTIVITY, BY_WAITS_FOR, BY_XERO_INVOICE_ID, BY_XERO_PAYMENT_ID, DISCREPANCIES, HELD_PAYMENTS,
    INVOICES, PAYMENTS, TOMBSTONES,
};
use crate::tables::{TRANSACTION_ROWS_MAX, Tables};

/// One of the rows of a transaction is the invoice itself.
const ROWS_PER_TRANSACTION_MAX: usize = TRANSACTION_ROWS_MAX - 1;

/// How many numbers are looked at that begin like one.
const ALIKE_MAX: i32 = 5;

impl Tables {
    /// The invoice itself, without its payments: enough to know whether it is settled.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn invoice_header(
        &self,
        organisation: OrganisationId,
        number: &InvoiceNumber,
    ) -> Result<StoredInvoice, ReadError> {
        let key = [("organisation", organisation.to_string()), ("number", number.to_string())];
        match self.one(INVOICES, &key).await? {
            Some(item) => rows::read_invoice(organisation, &item),
            None => Ok(StoredInvoice::unknown(organisation, number.clone())),
        }
    }

    /// The invoice with its payments, held payments and discrepancies.
    ///
    /// The invoice is read first: if anything is written in between, the revision read here is no
    /// longer the latest, and a write that relies on it is refused.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn invoice(
        &self,
        organisation: OrganisationId,
        number: &InvoiceNumber,
    ) -> Result<StoredInvoice, ReadError> {
        let mut invoice = self.invoice_header(organisation, number).await?;
        let key = rows::invoice_key(organisation, number);
        for item in self.partition(PAYMENTS, "invoice", &key).await? {
            invoice.payments.push(rows::read_payment(&item)?);
        }
        for item in self.partition(HELD_PAYMENTS, "invoice", &key).await? {
            invoice.held.push(rows::read_held(&item)?);
        }
        for item in self.partition(DISCREPANCIES, "invoice", &key).await? {
            invoice.discrepancies.push(rows::read_discrepancy(&item)?);
        }
        invoice.payments.sort_by(|a, b| a.id.cmp(&b.id));
        invoice.held.sort_by_key(|held| held.payment.id);
        invoice.discrepancies.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(invoice)
    }

    /// The local numbers under which a Xero invoice is kept: usually one, none if it is new, and
    /// another one if its number was changed in Xero. The index lags by a moment, which can only
    /// matter if the number is changed in the very moment of the first import; the next event or
    /// sweep of the invoice then finds it.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn numbers_of(
        &self,
        organisation: OrganisationId,
        invoice: XeroInvoiceId,
    ) -> Result<Vec<InvoiceNumber>, ReadError> {
        let answer = self
            .client()
            .query()
            .table_name(self.name(INVOICES))
            .index_name(BY_XERO_INVOICE_ID)
            .key_condition_expression("xero_invoice_id = :id")
            .expression_attribute_values(":id", AttributeValue::S(invoice.to_string()))
            .send()
            .await
            .map_err(|error| ReadError::unavailable(INVOICES, error))?;
        let mut numbers = Vec::new();
        for item in answer.items() {
            let row = Reader::new(INVOICES, item);
            if row.parsed::<OrganisationId>("organisation")? == organisation {
                numbers.push(row.parsed("number")?);
            }
        }
        Ok(numbers)
    }

    /// The numbers under which a Xero payment is linked with a payment here: one, unless it is just moving from
    /// one number to another. The index lags by a moment.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn numbers_of_payment(
        &self,
        organisation: OrganisationId,
        payment: XeroPaymentId,
    ) -> Result<Vec<InvoiceNumber>, ReadError> {
        let answer = self
            .client()
            .query()
            .table_name(self.name(PAYMENTS))
            .index_name(BY_XERO_PAYMENT_ID)
            .key_condition_expression("xero_payment_id = :id")
            .expression_attribute_values(":id", AttributeValue::S(payment.to_string()))
            .send()
            .await
            .map_err(|error| ReadError::unavailable(PAYMENTS, error))?;
        let mut numbers = Vec::new();
        for item in answer.items() {
            let row = Reader::new(PAYMENTS, item);
            if row.parsed::<OrganisationId>("organisation")? == organisation {
                numbers.push(row.parsed("invoice_number")?);
            }
        }
        Ok(numbers)
    }

    /// The numbers under which Xero has an invoice, and that are this number but for blanks at the end.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn numbers_but_for_blanks(
        &self,
        organisation: OrganisationId,
        number: &str,
    ) -> Result<Vec<InvoiceNumber>, ReadError> {
        let plain = number.trim();
        if plain.is_empty() {
            return Ok(Vec::new());
        }
        let text = |text: &str| AttributeValue::S(text.to_owned());
        // A blank sorts before every other character: these are the first behind the number itself.
        let answer = self
            .client()
            .query()
            .table_name(self.name(INVOICES))
            .key_condition_expression(
                "organisation = :organisation AND begins_with(#number, :number)",
            )
            .expression_attribute_names("#number", "number")
            .expression_attribute_values(":organisation", text(&organisation.to_string()))
            .expression_attribute_values(":number", text(plain))
            .limit(ALIKE_MAX)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(INVOICES, error))?;
        let mut alike = Vec::new();
        for item in answer.items() {
            let row = Reader::new(INVOICES, item);
            let other = row.text("number")?;
            if other.trim() == plain && other != number && row.has("xero_invoice_id") {
                alike.push(row.parsed("number")?);
            }
        }
        Ok(alike)
    }

    /// The Xero invoices that wait for an action about a customer, as of a moment ago (EX-28).
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn invoices_waiting_for(
        &self,
        organisation: OrganisationId,
        customer: &CustomerId,
    ) -> Result<Vec<XeroInvoiceId>, ReadError> {
        let key = rows::waits_for(organisation, customer);
        let mut pages = self
            .client()
            .query()
            .table_name(self.name(INVOICES))
            .index_name(BY_WAITS_FOR)
            .key_condition_expression("waits_for = :key")
            .expression_attribute_values(":key", AttributeValue::S(key))
            .into_paginator()
            .items()
            .send();
        let mut invoices = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| ReadError::unavailable(INVOICES, error))?;
            for number in
                readable([&item], "number", |row| Reader::new(INVOICES, row).parsed("number"))
            {
                match self.invoice_header(organisation, &number).await {
                    Ok(invoice) => invoices.extend(invoice.xero.map(|xero| xero.invoice)),
                    // The next full sweep names it, and finds what it waited for.
                    Err(ReadError::Unreadable { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(invoices)
    }

    /// Writes a change of an invoice: payments, held payments, tombstones, discrepancies and one
    /// activity row per decision, on condition that the invoice was not written since `before`
    /// was read.
    ///
    /// Rows that fit into one transaction are written in one. More rows take several, each row together with
    /// the activity rows that explain it, and each transaction on the condition of the one before; the first one already refuses
    /// older snapshots, and only the last one marks the invoice as settled. After a crash in
    /// between, the same snapshot finds what is done and does the rest.
    ///
    /// # Errors
    /// `Conflict` if the invoice was written in the meantime: read and decide again.
    /// `Unavailable`: read again before writing again.
    pub async fn write_invoice(
        &self,
        before: &StoredInvoice,
        change: &Change,
        because: ChangeContext,
    ) -> Result<(), WriteError> {
        self.write_invoice_and(before, change, Vec::new(), because).await
    }

    /// Writes a change of an invoice, and `beside` in its last transaction.
    pub(crate) async fn write_invoice_and(
        &self,
        before: &StoredInvoice,
        change: &Change,
        beside: Vec<TransactWriteItem>,
        because: ChangeContext,
    ) -> Result<(), WriteError> {
        let mut groups = self.groups(before, change, because)?;
        groups.push(beside);
        let batches = batches(groups);
        let last = batches.len().saturating_sub(1);
        for (position, mut rows) in batches.into_iter().enumerate() {
            let step = u64::try_from(position).unwrap_or(u64::MAX);
            let expected = before.revision.saturating_add(step);
            let invoice = if position == last {
                change.after.clone()
            } else {
                StoredInvoice {
                    settled: None,
                    // Without the link, a crash would leave nothing by which to find the rest.
                    xero: change.after.xero.clone().or_else(|| before.xero.clone()),
                    ..change.after.clone()
                }
            };
            let row = rows::invoice_row(&invoice, expected.saturating_add(1));
            rows.insert(0, self.replace(INVOICES, row, expected)?);
            self.commit(INVOICES, rows).await?;
        }
        Ok(())
    }

    /// Rows that have to be written together: a row, and the decisions that explain it.
    fn groups(
        &self,
        before: &StoredInvoice,
        change: &Change,
        because: ChangeContext,
    ) -> Result<Vec<Vec<TransactWriteItem>>, WriteError> {
        let after = &change.after;
        let known: BTreeMap<_, _> = before.payments.iter().map(|p| (&p.id, p)).collect();
        let kept: BTreeSet<_> = after.payments.iter().map(|payment| &payment.id).collect();
        let mut log = Log::new(before, change, because);
        let mut groups = Vec::new();

        for payment in &after.payments {
            if known.get(&payment.id) != Some(&payment) {
                let mut group = vec![self.put(PAYMENTS, rows::payment_row(after, payment))?];
                group.extend(self.log(log.about_payment(&payment.id))?);
                groups.push(group);
            }
        }
        for gone in before.payments.iter().filter(|payment| !kept.contains(&payment.id)) {
            let mut group =
                vec![self.delete(PAYMENTS, after, "payment_id", &gone.id.to_string())?];
            for tombstone in change.tombstones.iter().filter(|t| t.payment.id == gone.id) {
                group.push(self.put(TOMBSTONES, rows::tombstone_row(after, tombstone))?);
            }
            group.extend(self.log(log.about_payment(&gone.id))?);
            groups.push(group);
        }
        for held in after.held.iter().filter(|held| !before.held.contains(held)) {
            let mut group = vec![self.put(HELD_PAYMENTS, rows::held_row(after, held))?];
            group.extend(self.log(log.about_held(held.payment.id))?);
            groups.push(group);
        }
        for gone in &before.held {
            if !after.held.iter().any(|held| held.payment.id == gone.payment.id) {
                let id = gone.payment.id.to_string();
                let mut group = vec![self.delete(HELD_PAYMENTS, after, "xero_payment_id", &id)?];
                group.extend(self.log(log.about_held(gone.payment.id))?);
                groups.push(group);
            }
        }
        for found in after.discrepancies.iter().filter(|d| !before.discrepancies.contains(d)) {
            let mut group = vec![self.put(DISCREPANCIES, rows::discrepancy_row(after, found))?];
            group.extend(self.log(log.about_discrepancy(&found.key))?);
            groups.push(group);
        }
        groups.extend(self.log(log.rest())?.into_iter().map(|row| vec![row]));
        Ok(groups)
    }

    fn log(&self, items: Vec<Item>) -> Result<Vec<TransactWriteItem>, WriteError> {
        items.into_iter().map(|item| self.put(ACTIVITY, item)).collect()
    }

    fn delete(
        &self,
        table: &'static str,
        invoice: &StoredInvoice,
        sort: &str,
        id: &str,
    ) -> Result<TransactWriteItem, WriteError> {
        let key = rows::invoice_key(invoice.organisation, &invoice.number);
        let delete = Delete::builder()
            .table_name(self.name(table))
            .key("invoice", AttributeValue::S(key))
            .key(sort, AttributeValue::S(id.to_owned()))
            .build()
            .map_err(|error| WriteError::Malformed(Box::new(error)))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}

/// All rows but the invoice's own, in batches. A row and the decisions that explain it stay
/// together: what is decided again after a crash is only what has not been written.
fn batches(groups: Vec<Vec<TransactWriteItem>>) -> Vec<Vec<TransactWriteItem>> {
    let mut batches = vec![Vec::new()];
    for group in groups {
        let full = batches
            .last()
            .is_none_or(|batch: &Vec<_>| batch.len() + group.len() > ROWS_PER_TRANSACTION_MAX);
        if full {
            batches.push(Vec::new());
        }
        if let Some(batch) = batches.last_mut() {
            batch.extend(group);
        }
    }
    batches
}
