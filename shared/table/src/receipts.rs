//! Payments as a whole, as the business's own system reports them.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, Put};
use jiff::Timestamp;
use payments::upload::{Channel, Upload};
use payments::{
    Allocation, Currency, Money, OrganisationId, PaymentId, PaymentStatus, Receipt,
    ReceiptDocument, TaxAndShipping, Warning,
};

use crate::attributes::{Item, Reader, Writer};
use crate::change_context::ChangeContext;
use crate::error::{ReadError, WriteError};
use crate::rows;
use crate::schema::RECEIPTS;
use crate::tables::{Tables, transact};

impl Tables {
    /// How the receipts were paid that come first in the order of their ids, of at most `max` that are
    /// looked at; and how many those were.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn receipt_methods(
        &self,
        organisation: OrganisationId,
        max: usize,
    ) -> Result<(BTreeSet<String>, usize), ReadError> {
        let key = organisation.to_string();
        let found = self.newest(RECEIPTS, None, ("organisation", &key), max).await?;
        let method = |row: &Item| match row.get("method") {
            Some(AttributeValue::S(method)) => Some(method.clone()),
            _ => None,
        };
        Ok((found.rows.iter().filter_map(method).collect(), found.rows.len()))
    }

    /// What the business's own system last reported of a payment.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn receipt(
        &self,
        organisation: OrganisationId,
        payment: &PaymentId,
    ) -> Result<Option<Receipt>, ReadError> {
        let key = [("organisation", organisation.to_string()), ("payment_id", payment.to_string())];
        let row = self.one(RECEIPTS, &key).await?;
        row.map(|item| read_receipt(organisation, Reader::new(RECEIPTS, &item), "revision"))
            .transpose()
    }

    /// What was last reported of an organisation's payments, in the order of their ids: those after one, at most
    /// `max`; and where to go on. A row that cannot be read is left out, and hides no other (AMB-30).
    ///
    /// # Errors
    /// `Unavailable`; `Unreadable` if it cannot be said where to go on.
    pub async fn receipts(
        &self,
        organisation: OrganisationId,
        after: Option<&PaymentId>,
        max: i32,
    ) -> Result<(Vec<Receipt>, Option<PaymentId>), ReadError> {
        let text = |text: String| AttributeValue::S(text);
        let key = after.map(|payment| {
            Item::from([
                ("organisation".to_owned(), text(organisation.to_string())),
                ("payment_id".to_owned(), text(payment.to_string())),
            ])
        });
        let page = self
            .client()
            .query()
            .table_name(self.name(RECEIPTS))
            .key_condition_expression("organisation = :organisation")
            .expression_attribute_values(":organisation", text(organisation.to_string()))
            .set_exclusive_start_key(key)
            .limit(max)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(RECEIPTS, error))?;
        let next = match page.last_evaluated_key() {
            None => None,
            Some(key) => Some(Reader::new(RECEIPTS, key).parsed("payment_id")?),
        };
        let read =
            |item: &Item| read_receipt(organisation, Reader::new(RECEIPTS, item), "revision").ok();
        Ok((page.items().iter().filter_map(read).collect(), next))
    }

    /// Stores what was reported of a payment, with the warnings it raises and with what becomes of
    /// its upload, if that changes, on condition that no other revision of either was stored
    /// since they were read.
    ///
    /// # Errors
    /// `Conflict`, `Unavailable`.
    pub async fn store_receipt(
        &self,
        known: Option<&Receipt>,
        receipt: &Receipt,
        warnings: &[Warning],
        upload: Option<(Option<&Upload>, &Upload)>,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let put = Put::builder()
            .table_name(self.name(RECEIPTS))
            .set_item(Some(receipt_row(receipt, now)));
        // The sender's own revision, which may be 0: absence is something else.
        let put = match known {
            None => put.condition_expression("attribute_not_exists(organisation)"),
            Some(known) => {
                put.condition_expression("revision = :read").expression_attribute_values(
                    ":read",
                    AttributeValue::N(known.revision.to_string()),
                )
            }
        };
        let mut rows = vec![transact(put)?];
        rows.extend(self.warning_rows(known, receipt, warnings, now)?);
        if let Some((before, after)) = upload {
            let because = ChangeContext { cause: "intake", event_at: None, now };
            rows.extend(self.upload_rows(before, after, because)?);
        }
        self.commit(RECEIPTS, rows).await
    }
}

fn receipt_row(receipt: &Receipt, now: Timestamp) -> Item {
    receipt_attributes(Writer::default(), receipt)
        .number("revision", receipt.revision)
        .instant("recorded_at", now)
        .finish()
}

/// Everything that was reported but its revision, which is not everywhere the row's own.
pub(crate) fn receipt_attributes(row: Writer, receipt: &Receipt) -> Writer {
    let parts = receipt
        .allocations
        .iter()
        .map(|part| {
            let row = Writer::default().text("invoice_number", &part.invoice);
            AttributeValue::M(row.number("amount", part.amount.amount()).finish())
        })
        .collect();
    let row = row.text("organisation", receipt.organisation).text("payment_id", &receipt.id);
    let row = rows::with_amount(row, receipt.amount);
    let row = match &receipt.document {
        Some(document) => row
            .text("document_number", &document.number)
            .number("document_total", document.total.amount())
            .number_if("document_tax", document.parts.tax.map(Money::amount))
            .number_if("document_shipping", document.parts.shipping.map(Money::amount)),
        None => row,
    };
    row.text("date", receipt.date)
        .text_if("reference", receipt.reference.as_deref())
        .text("method", &receipt.method)
        .text_if("channel", receipt.channel)
        .text_if("customer", receipt.customer.as_ref())
        .text("transaction_id", &receipt.transaction_id)
        .text("status", receipt.status)
        .flag("approved", receipt.approved)
        .flag("settled", receipt.settled)
        .flag("journaled", receipt.journaled)
        .value("allocations", AttributeValue::L(parts))
        .instant("entered_at", receipt.entered_at)
}

pub(crate) fn read_receipt(
    organisation: OrganisationId,
    row: Reader<'_>,
    revision: &str,
) -> Result<Receipt, ReadError> {
    let currency = row.parsed("currency")?;
    let channel = match row.text_if("channel")? {
        Some(_) => Some(row.code("channel", Channel::from_code)?),
        None => None,
    };
    Ok(Receipt {
        organisation,
        id: row.parsed("payment_id")?,
        revision: row.number(revision)?,
        amount: row.money("amount", currency)?,
        date: row.parsed("date")?,
        reference: row.text_if("reference")?.map(str::to_owned),
        method: row.text("method")?.to_owned(),
        channel,
        customer: row.parsed_if("customer")?,
        transaction_id: row.text("transaction_id")?.to_owned(),
        status: row.code("status", PaymentStatus::from_code)?,
        approved: row.flag("approved")?,
        settled: row.flag("settled")?,
        journaled: row.flag("journaled")?,
        allocations: row
            .maps("allocations")?
            .into_iter()
            .map(|part| read_allocation(part, currency))
            .collect::<Result<_, _>>()?,
        entered_at: row.parsed("entered_at")?,
        document: read_document(row, currency)?,
    })
}

fn read_document(
    row: Reader<'_>,
    currency: Currency,
) -> Result<Option<ReceiptDocument>, ReadError> {
    let Some(number) = row.text_if("document_number")? else { return Ok(None) };
    Ok(Some(ReceiptDocument {
        number: number.to_owned(),
        total: row.money("document_total", currency)?,
        parts: TaxAndShipping {
            tax: row.money_if("document_tax", currency)?,
            shipping: row.money_if("document_shipping", currency)?,
        },
    }))
}

fn read_allocation(part: Reader<'_>, currency: Currency) -> Result<Allocation, ReadError> {
    Ok(Allocation {
        invoice: part.parsed("invoice_number")?,
        amount: part.money("amount", currency)?,
    })
}
