//! The ledger of uploads: read by payment, by line and by night; written together with the caps, or
//! with the invoice on which a payment has arrived.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, Select, TransactWriteItem};
use payments::upload::{Caps, Line, Night, Upload};
use payments::{Change, InvoiceNumber, OrganisationId, PaymentId, StoredInvoice};

use crate::activity::{day, event};
use crate::attributes::{Item, Reader, Writer, instant};
use crate::change_context::ChangeContext;
use crate::error::{ReadError, WriteError};
use crate::latest::{UnreadableRow, sorted};
use crate::rows;
use crate::schema::{ACTIVITY, BY_LINE, BY_NIGHT, BY_TRANSACTION, UPLOADS};
use crate::tables::{TRANSACTION_ROWS_MAX, Tables};
use crate::upload_rows::{line_key, night_key, read_upload, upload_row};

/// Most uploads that are written as one: each takes its row and a row of the activity log.
pub const UPLOADS_PER_TRANSACTION_MAX: usize = TRANSACTION_ROWS_MAX / 2;
/// Most of them together with the caps, which take their row, and another one of the activity log
/// if uploading switches itself off.
pub const UPLOADS_WITH_CAPS_MAX: usize = UPLOADS_PER_TRANSACTION_MAX - 1;

/// Where a reading of a line goes on.
#[derive(Clone, Debug)]
pub struct Cursor(pub(crate) Item);

/// What stands next in a line.
#[derive(Clone, Debug)]
pub struct LinePage {
    /// The uploads.
    pub uploads: Vec<Upload>,
    /// Rows that cannot be read, by their payments' ids.
    pub unreadable: Vec<UnreadableRow>,
    /// Where to go on; `None` at the end of the line.
    pub next: Option<Cursor>,
}

/// Uploads that were asked for by their payments.
#[derive(Debug)]
pub struct FoundUploads {
    /// Those that can be read, in the order of their ids.
    pub uploads: Vec<Upload>,
    /// Those that cannot, by the ids of their payments.
    pub unreadable: Vec<UnreadableRow>,
}

impl Tables {
    /// The upload of one payment.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn upload(
        &self,
        organisation: OrganisationId,
        payment: &PaymentId,
    ) -> Result<Option<Upload>, ReadError> {
        let key = [("organisation", organisation.to_string()), ("payment_id", payment.to_string())];
        self.one(UPLOADS, &key).await?.as_ref().map(read_upload).transpose()
    }

    /// The uploads of many payments, in the order of their ids, read consistently. Those that are not there are left
    /// out, and so are those that cannot be read, which the log names.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn uploads(
        &self,
        organisation: OrganisationId,
        payments: &[PaymentId],
    ) -> Result<Vec<Upload>, ReadError> {
        let found = self.found_uploads(organisation, payments).await?;
        for row in &found.unreadable {
            tracing::warn!(payment.id = row.key, problem = row.problem, "an upload cannot be read");
        }
        Ok(found.uploads)
    }

    /// The same, with those that cannot be read, each for itself (AMB-30).
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn found_uploads(
        &self,
        organisation: OrganisationId,
        payments: &[PaymentId],
    ) -> Result<FoundUploads, ReadError> {
        let rows = self.upload_items(organisation, payments).await?;
        let (mut uploads, unreadable) = sorted(&rows, "payment_id", read_upload);
        uploads.sort_by(|a, b| a.receipt.id.cmp(&b.receipt.id));
        Ok(FoundUploads { uploads, unreadable })
    }

    /// The same, for whom all of them decide together.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn every_upload(
        &self,
        organisation: OrganisationId,
        payments: &[PaymentId],
    ) -> Result<Vec<Upload>, ReadError> {
        let rows = self.upload_items(organisation, payments).await?;
        rows.iter().map(read_upload).collect()
    }

    async fn upload_items(
        &self,
        organisation: OrganisationId,
        payments: &[PaymentId],
    ) -> Result<Vec<Item>, ReadError> {
        let keys = payments.iter().map(|id| (organisation.to_string(), id.to_string()));
        self.many(UPLOADS, ["organisation", "payment_id"], keys, None).await
    }

    /// The payments of an organisation that bear this id of a transaction, as of a moment ago.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn with_transaction(
        &self,
        organisation: OrganisationId,
        transaction: &str,
    ) -> Result<Vec<PaymentId>, ReadError> {
        let mut pages = self
            .client()
            .query()
            .table_name(self.name(UPLOADS))
            .index_name(BY_TRANSACTION)
            .key_condition_expression("transaction_id = :transaction")
            .expression_attribute_values(":transaction", text(transaction.to_owned()))
            .into_paginator()
            .send();
        let mut payments = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ReadError::unavailable(UPLOADS, error))?;
            for item in page.items() {
                let row = Reader::new(UPLOADS, item);
                if row.parsed::<OrganisationId>("organisation")? == organisation {
                    payments.push(row.parsed("payment_id")?);
                }
            }
        }
        Ok(payments)
    }

    /// The next uploads of [`Tables::line_page`], without those that cannot be read.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn line(
        &self,
        organisation: OrganisationId,
        line: Line,
        after: Option<Cursor>,
        max: usize,
    ) -> Result<(Vec<Upload>, Option<Cursor>), ReadError> {
        let page = self.line_page(organisation, line, after, max).await?;
        Ok((page.uploads, page.next))
    }

    /// The next uploads that stand in a line, the oldest payment first, and where to go on; no more
    /// rows are read than are asked for. A row that cannot be read is named, and hides no other (AMB-30).
    ///
    /// A line lags by a moment: what left it just now may still be among the answers, as it was, and
    /// a write that relies on it is a `Conflict`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn line_page(
        &self,
        organisation: OrganisationId,
        line: Line,
        after: Option<Cursor>,
        max: usize,
    ) -> Result<LinePage, ReadError> {
        let (mut uploads, mut unreadable) = (Vec::new(), Vec::new());
        let mut left = max;
        let mut after = after.map(|cursor| cursor.0);
        while left > 0 {
            let answer = self
                .client()
                .query()
                .table_name(self.name(UPLOADS))
                .index_name(BY_LINE)
                .key_condition_expression("line = :line")
                .expression_attribute_values(":line", text(line_key(organisation, line)))
                .set_exclusive_start_key(after.take())
                .limit(i32::try_from(left).unwrap_or(i32::MAX))
                .send()
                .await
                .map_err(|error| ReadError::unavailable(UPLOADS, error))?;
            for item in answer.items() {
                match read_upload(item) {
                    Ok(upload) => uploads.push(upload),
                    Err(error) => unreadable.push(UnreadableRow::of(item, "payment_id", &error)),
                }
            }
            left = left.saturating_sub(answer.items().len());
            // A page also ends where it is full of bytes.
            after = answer.last_evaluated_key;
            if after.is_none() {
                break;
            }
        }
        Ok(LinePage { uploads, unreadable, next: after.map(Cursor) })
    }

    /// How many stand in a line, as of a moment ago.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn line_count(
        &self,
        organisation: OrganisationId,
        line: Line,
    ) -> Result<u32, ReadError> {
        let mut pages = self
            .client()
            .query()
            .table_name(self.name(UPLOADS))
            .index_name(BY_LINE)
            .key_condition_expression("line = :line")
            .expression_attribute_values(":line", text(line_key(organisation, line)))
            .select(Select::Count)
            .into_paginator()
            .send();
        let mut count: u32 = 0;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ReadError::unavailable(UPLOADS, error))?;
            count = count.saturating_add(u32::try_from(page.count).unwrap_or(0));
        }
        Ok(count)
    }

    /// How many stand in a line, counted up to `max`, and whether there are more; as of a moment ago.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn line_count_up_to(
        &self,
        organisation: OrganisationId,
        line: Line,
        max: u32,
    ) -> Result<(u32, bool), ReadError> {
        let line = line_key(organisation, line);
        self.counted_up_to(UPLOADS, BY_LINE, ("line", &line), max).await
    }

    /// The uploads that a night has dealt with last, in the order of their payments' ids, as of a
    /// moment ago. Those that cannot be read are left out: their lines name them.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn uploads_of_night(
        &self,
        organisation: OrganisationId,
        night: Night,
    ) -> Result<Vec<Upload>, ReadError> {
        let mut pages = self
            .client()
            .query()
            .table_name(self.name(UPLOADS))
            .index_name(BY_NIGHT)
            .key_condition_expression("night_of = :night")
            .expression_attribute_values(":night", text(night_key(organisation, night)))
            .into_paginator()
            .send();
        let mut uploads = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ReadError::unavailable(UPLOADS, error))?;
            uploads.extend(page.items().iter().filter_map(|item| read_upload(item).ok()));
        }
        Ok(uploads)
    }

    /// Writes uploads, and the caps if they change, in one transaction: each on condition that it
    /// still is what `before` was when it was read, or not there if there is no `before`; with an
    /// activity row for each upload whose state or reason changes. The revision in `after` is still
    /// that of the row it replaces; the row that is written has one more.
    ///
    /// # Errors
    /// `Conflict` if anything of it was written in the meantime: nothing is written; read and decide
    /// again. `Unavailable`: read again before writing again. `Malformed` for more uploads than one
    /// transaction holds ([`UPLOADS_PER_TRANSACTION_MAX`], [`UPLOADS_WITH_CAPS_MAX`]), and for what
    /// is no change of one row each.
    pub async fn write_uploads(
        &self,
        moves: &[(Option<&Upload>, &Upload)],
        caps: Option<(&Caps, &Caps)>,
        because: ChangeContext,
    ) -> Result<(), WriteError> {
        let max = if caps.is_some() { UPLOADS_WITH_CAPS_MAX } else { UPLOADS_PER_TRANSACTION_MAX };
        if moves.len() > max {
            // Several transactions would let half of it happen.
            return Err(WriteError::Malformed("more uploads than one transaction holds".into()));
        }
        if !each_its_own(moves) {
            return Err(WriteError::Malformed("an upload is written twice in one step".into()));
        }
        let mut rows = Vec::new();
        for (before, after) in moves {
            rows.extend(self.upload_rows(*before, after, because)?);
        }
        if let Some((before, after)) = caps {
            rows.extend(self.caps_rows(before, after, because)?);
        }
        if rows.is_empty() {
            return Ok(());
        }
        self.commit(UPLOADS, rows).await
    }

    /// Writes a change of an invoice, as [`Tables::write_invoice`] does, and with it the upload that
    /// it is the proof of: a part is never known to be in Xero without standing on its invoice. If
    /// the change takes several transactions, the upload is part of the last one.
    ///
    /// # Errors
    /// `Conflict` if either was written in the meantime: read and decide again. `Unavailable`: read
    /// again before writing again.
    pub async fn link_upload(
        &self,
        before: &StoredInvoice,
        change: &Change,
        upload: (&Upload, &Upload),
        because: ChangeContext,
    ) -> Result<(), WriteError> {
        let number = upload.1.only_target().map(|_| &before.number);
        let rows = self.upload_rows_about(Some(upload.0), upload.1, number, because)?;
        self.write_invoice_and(before, change, rows, because).await
    }

    /// Writes a change of an invoice, as [`Tables::write_invoice`] does, and with it what it means for the
    /// uploads of its payments (A8.3): in one step, so that no run sends what is found in Xero.
    ///
    /// # Errors
    /// `Conflict` if any of it was written in the meantime: read and decide again. `Unavailable`: read again
    /// before writing again.
    pub async fn write_invoice_with_uploads(
        &self,
        before: &StoredInvoice,
        change: &Change,
        uploads: &[(Upload, Upload)],
        because: ChangeContext,
    ) -> Result<(), WriteError> {
        let mut rows = Vec::new();
        for (was, is) in uploads {
            rows.extend(self.upload_rows(Some(was), is, because)?);
        }
        self.write_invoice_and(before, change, rows, because).await
    }

    /// The row of an upload, and that of the activity log if its state or reason changes, or a person ordered it.
    pub(crate) fn upload_rows(
        &self,
        before: Option<&Upload>,
        after: &Upload,
        because: ChangeContext,
    ) -> Result<Vec<TransactWriteItem>, WriteError> {
        self.upload_rows_about(before, after, None, because)
    }

    /// The same, where it is known about which invoice it is, and it is one.
    fn upload_rows_about(
        &self,
        before: Option<&Upload>,
        after: &Upload,
        invoice: Option<&InvoiceNumber>,
        because: ChangeContext,
    ) -> Result<Vec<TransactWriteItem>, WriteError> {
        if before.is_some_and(|before| name(before) != name(after)) {
            return Err(WriteError::Malformed("an upload becomes another one".into()));
        }
        let read = before.map_or(0, |before| before.revision);
        let row = upload_row(after, read.saturating_add(1));
        let mut rows = vec![self.replace(UPLOADS, row, read)?];
        // An order that was carried out is logged with who gave it and why, although it changes no code: another person
        // may have given the same order a moment before.
        let ordered = because.cause == ORDERED;
        if ordered || before.is_none_or(|b| (b.state, &b.reason) != (after.state, &after.reason)) {
            let invoice = invoice.or_else(|| after.only_invoice());
            let row = activity_row(after, read.saturating_add(1), invoice, because);
            rows.push(self.put(ACTIVITY, row)?);
        }
        Ok(rows)
    }
}

/// The cause of what a person has ordered.
const ORDERED: &str = "console";

fn text(value: String) -> AttributeValue {
    AttributeValue::S(value)
}

fn name(upload: &Upload) -> (OrganisationId, &PaymentId) {
    (upload.receipt.organisation, &upload.receipt.id)
}

fn each_its_own(moves: &[(Option<&Upload>, &Upload)]) -> bool {
    let names: BTreeSet<_> = moves.iter().map(|(_, after)| name(after)).collect();
    names.len() == moves.len()
}

fn activity_row(
    upload: &Upload,
    revision: u64,
    invoice: Option<&InvoiceNumber>,
    because: ChangeContext,
) -> Item {
    let (organisation, receipt) = (upload.receipt.organisation, &upload.receipt);
    // No other row of the log begins with this word and ends with a bare number.
    let at = format!("{}#upload#{}#{revision}", instant(because.now), receipt.id);
    let row = Writer::default()
        .text("day", day(organisation, because.now))
        .text("at", at)
        .text("organisation", organisation)
        .text("cause", because.cause)
        .logged(upload.state)
        .text("rule", "A7.4")
        .text("reason", &upload.reason)
        .text("payment_id", &receipt.id)
        .text("why", &upload.why)
        .text_if("night", upload.night);
    // As in the rows of the mirror, so that it is part of the invoice's history.
    let row = match invoice {
        Some(number) => row
            .text("invoice", rows::invoice_key(organisation, number))
            .text("invoice_number", number)
            .text_if("xero_invoice_id", upload.only_target()),
        None => row,
    };
    let (in_xero, parts) = upload.progress();
    let row = row.number("parts_in_xero", in_xero).number("parts", parts);
    // Every payment event is logged with transaction id, amount, method and time (SP-04).
    rows::with_amount(event(row, because), receipt.amount)
        .text("method", &receipt.method)
        .text("transaction_id", &receipt.transaction_id)
        .text("date", receipt.date)
        .text("status", receipt.status)
        .number("invoices_named", receipt.allocations.len())
        .finish()
}
