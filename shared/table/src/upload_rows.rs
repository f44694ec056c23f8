//! How uploads look as rows. A row holds the payment as it was reported in the same attributes as
//! `receipts` does, and what became of it on its way to Xero. Of a provider's invoice it also has
//! the fees.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use payments::upload::{
    AppliedPart, Bill, Certain, Counterpart, CreditLine, CreditTerms, DocumentForm, Fee,
    GivenCommand, Line, Night, Part, PartState, PaymentCommand, Placed, Suspicion, Target, Upload,
    UploadState,
};
use payments::{Currency, OrganisationId};

use crate::attributes::{Item, Reader, Writer};
use crate::error::ReadError;
use crate::receipts::{read_receipt, receipt_attributes};
use crate::schema::UPLOADS;

/// The partition of the index `by_line`.
pub(crate) fn line_key(organisation: OrganisationId, line: Line) -> String {
    format!("{organisation}/{line}")
}

/// The partition of the index `by_night`.
pub(crate) fn night_key(organisation: OrganisationId, night: Night) -> String {
    format!("{organisation}/{night}")
}

pub(crate) fn upload_row(upload: &Upload, revision: u64) -> Item {
    let organisation = upload.receipt.organisation;
    let parts = upload.parts.iter().map(|part| AttributeValue::M(part_row(part))).collect();
    let row = bill_attributes(
        receipt_attributes(Writer::default(), &upload.receipt),
        upload.bill.as_ref(),
    );
    let row = credited(row, upload);
    meanwhile(counterparts(row, upload), upload)
        .number("receipt_revision", upload.receipt.revision)
        .number("revision", revision)
        .text("state", upload.state)
        .text("reason", &upload.reason)
        .text("why", &upload.why)
        .instant("since", upload.since)
        .text_if("night", upload.night)
        .instant_if("reserved_at", upload.reserved_at)
        .number("attempts", upload.attempts)
        .flag("included", upload.included)
        .flag("replanned", upload.replanned)
        .value("parts", AttributeValue::L(parts))
        // A payment that is all in Xero stands in no line, so that its index stays as small as the backlog.
        .text_if("line", upload.line().map(|line| line_key(organisation, line)))
        .text("due_order", upload.order())
        .text_if("night_of", upload.night.map(|night| night_key(organisation, night)))
        .finish()
}

pub(crate) fn read_upload(item: &Item) -> Result<Upload, ReadError> {
    let row = Reader::new(UPLOADS, item);
    let receipt = read_receipt(row.parsed("organisation")?, row, "receipt_revision")?;
    let currency = receipt.amount.currency();
    Ok(Upload {
        receipt,
        bill: read_bill(row, currency)?,
        credited: read_credited(row, currency)?,
        revision: row.number("revision")?,
        state: row.code("state", UploadState::from_code)?,
        reason: row.text("reason")?.to_owned(),
        why: row.text("why")?.to_owned(),
        since: row.parsed("since")?,
        night: row.parsed_if("night")?,
        reserved_at: row.parsed_if("reserved_at")?,
        attempts: row.number("attempts")?,
        included: row.flag("included")?,
        replanned: row.flag("replanned")?,
        parts: row
            .maps("parts")?
            .into_iter()
            .map(|part| read_part(part, currency))
            .collect::<Result<_, _>>()?,
        suspicion: read_suspicion(row, currency)?,
        apart_from: read_counterparts(row, "apart_from")?,
        same_as: read_counterparts(row, "same_as")?,
        reported_since: match row.map("reported_since")? {
            Some(newest) => Some(Box::new((
                read_receipt(row.parsed("organisation")?, newest, "revision")?,
                read_bill(newest, newest.parsed("currency")?)?,
            ))),
            None => None,
        },
        ordered_since: match row.text_if("ordered_since")? {
            Some(_) => Some(GivenCommand {
                order: row.code("ordered_since", PaymentCommand::from_code)?,
                said: row.text("ordered_since_by")?.to_owned(),
            }),
            None => None,
        },
    })
}

/// What a payment may be the same as, and what a person has said it is, or is not.
fn counterparts(row: Writer, upload: &Upload) -> Writer {
    let texts = |with: &BTreeSet<Counterpart>| {
        AttributeValue::L(with.iter().map(|with| AttributeValue::S(with.to_string())).collect())
    };
    let row = match &upload.suspicion {
        Some(suspicion) => row
            .value("possible_duplicates", texts(&suspicion.with))
            .text_if("possible_duplicates_contact_id", suspicion.contact)
            .value(
                "found_in_xero",
                AttributeValue::L(suspicion.certain.iter().map(found_row).collect()),
            ),
        None => row,
    };
    let said = [("apart_from", &upload.apart_from), ("same_as", &upload.same_as)];
    said.into_iter()
        .filter(|(_, with)| !with.is_empty())
        .fold(row, |row, (name, with)| row.value(name, texts(with)))
}

fn read_counterparts(
    row: Reader<'_>,
    name: &'static str,
) -> Result<BTreeSet<Counterpart>, ReadError> {
    if !row.has(name) {
        return Ok(BTreeSet::new());
    }
    Ok(row.list_of(name)?.into_iter().collect())
}

fn found_row(found: &Certain) -> AttributeValue {
    let row = Writer::default()
        .text("xero_invoice_id", found.invoice)
        .text("xero_number", &found.number)
        .text("xero_payment_id", found.payment)
        .number("amount", found.amount.amount());
    AttributeValue::M(row.finish())
}

fn read_suspicion(row: Reader<'_>, currency: Currency) -> Result<Option<Suspicion>, ReadError> {
    if !row.has("possible_duplicates") {
        return Ok(None);
    }
    let found = |found: Reader<'_>| {
        Ok(Certain {
            invoice: found.parsed("xero_invoice_id")?,
            number: found.text("xero_number")?.to_owned(),
            amount: found.money("amount", currency)?,
            payment: found.parsed("xero_payment_id")?,
        })
    };
    Ok(Some(Suspicion {
        certain: row
            .maps("found_in_xero")?
            .into_iter()
            .map(found)
            .collect::<Result<_, ReadError>>()?,
        with: row.list_of("possible_duplicates")?.into_iter().collect(),
        contact: row.parsed_if("possible_duplicates_contact_id")?,
        why: row.text("why")?.to_owned(),
    }))
}

/// What came while it was on its way to Xero: a report, an order.
fn meanwhile(row: Writer, upload: &Upload) -> Writer {
    let row = match upload.reported_since.as_deref() {
        Some((receipt, bill)) => {
            let newest =
                receipt_attributes(Writer::default(), receipt).number("revision", receipt.revision);
            let newest = bill_attributes(newest, bill.as_ref());
            row.value("reported_since", AttributeValue::M(newest.finish()))
        }
        None => row,
    };
    match &upload.ordered_since {
        Some(given) => row.text("ordered_since", given.order).text("ordered_since_by", &given.said),
        None => row,
    }
}

fn bill_attributes(row: Writer, bill: Option<&Bill>) -> Writer {
    let Some(bill) = bill else { return row };
    let row = row
        .text("bill_number", &bill.number)
        .text_if("bill_due_on", bill.due_on)
        .value("fees", fee_list(&bill.fees));
    match &bill.form {
        DocumentForm::Bill => row,
        DocumentForm::CreditNote(terms) => {
            let applied = terms.applied.iter().map(applied_row).collect();
            row.value("applied", AttributeValue::L(applied))
                .number("allocations_begun", terms.allocations)
                .flag("used_up", terms.used_up)
        }
        DocumentForm::Allocation { credit, bill } => {
            row.text("credit_id", credit).text("credit_bill_number", bill)
        }
    }
}

fn fee_list(fees: &[Fee]) -> AttributeValue {
    let fee = |fee: &Fee| {
        let row = Writer::default()
            .text("kind", &fee.kind)
            .text_if("description", fee.description.as_deref())
            .number("amount", fee.amount.amount());
        AttributeValue::M(row.finish())
    };
    AttributeValue::L(fees.iter().map(fee).collect())
}

fn read_fees(row: Reader<'_>, currency: Currency) -> Result<Vec<Fee>, ReadError> {
    let fee = |fee: Reader<'_>| {
        Ok(Fee {
            kind: fee.parsed("kind")?,
            description: fee.text_if("description")?.map(str::to_owned),
            amount: fee.money("amount", currency)?,
        })
    };
    row.maps("fees")?.into_iter().map(fee).collect()
}

fn applied_row(part: &AppliedPart) -> AttributeValue {
    let row =
        Writer::default().text("invoice", &part.invoice).number("amount", part.amount.amount());
    AttributeValue::M(row.finish())
}

/// The credit invoices that are lines of a bill (EX-15b).
fn credited(row: Writer, upload: &Upload) -> Writer {
    if upload.credited.is_empty() {
        return row;
    }
    let line = |line: &CreditLine| {
        let row = Writer::default()
            .text("credit_id", &line.credit)
            .number("amount", line.amount.amount())
            .value("fees", fee_list(&line.fees));
        AttributeValue::M(row.finish())
    };
    row.value("credited", AttributeValue::L(upload.credited.iter().map(line).collect()))
}

fn read_credited(row: Reader<'_>, currency: Currency) -> Result<Vec<CreditLine>, ReadError> {
    if !row.has("credited") {
        return Ok(Vec::new());
    }
    let line = |line: Reader<'_>| {
        Ok(CreditLine {
            credit: line.parsed("credit_id")?,
            amount: line.money("amount", currency)?,
            fees: read_fees(line, currency)?,
        })
    };
    row.maps("credited")?.into_iter().map(line).collect()
}

/// Only a document of the provider has fees. One without the attributes of a credit is a bill, as all were once.
fn read_bill(row: Reader<'_>, currency: Currency) -> Result<Option<Bill>, ReadError> {
    if !row.has("fees") {
        return Ok(None);
    }
    Ok(Some(Bill {
        number: row.text("bill_number")?.to_owned(),
        due_on: row.parsed_if("bill_due_on")?,
        fees: read_fees(row, currency)?,
        form: read_form(row, currency)?,
    }))
}

fn read_form(row: Reader<'_>, currency: Currency) -> Result<DocumentForm, ReadError> {
    if let Some(credit) = row.parsed_if("credit_id")? {
        return Ok(DocumentForm::Allocation {
            credit,
            bill: row.text("credit_bill_number")?.to_owned(),
        });
    }
    if !row.has("applied") {
        return Ok(DocumentForm::Bill);
    }
    let part = |part: Reader<'_>| {
        Ok(AppliedPart {
            invoice: part.parsed("invoice")?,
            amount: part.money("amount", currency)?,
        })
    };
    Ok(DocumentForm::CreditNote(CreditTerms {
        applied: row.maps("applied")?.into_iter().map(part).collect::<Result<_, ReadError>>()?,
        allocations: row.number("allocations_begun")?,
        used_up: row.flag("used_up")?,
    }))
}

/// A part, in the currency of the payment.
fn part_row(part: &Part) -> Item {
    let row = Writer::default().number("number", part.number);
    let row = match &part.target {
        Target::Invoice { id, number } => {
            row.text("xero_invoice_id", id).text("xero_number", number)
        }
        Target::Prepayment { contact } => row.text("xero_contact_id", contact),
        Target::Bill { contact } => row.text("merchant_contact_id", contact),
        Target::CreditNote { contact } => row.text("credit_contact_id", contact),
        Target::Allocation { note, bill } => {
            row.text("credit_note_id", note).text("allocated_bill_id", bill)
        }
    };
    let row = match part.placed {
        None => row,
        Some(Placed::Payment(payment)) => row.text("xero_payment_id", payment),
        Some(Placed::Bill(bill)) => row.text("xero_bill_id", bill),
        Some(Placed::CreditNote(note)) => row.text("xero_credit_note_id", note),
        Some(Placed::Allocation(id)) => row.text("xero_allocation_id", id),
        Some(Placed::Prepayment { transaction, prepayment }) => {
            row.text("bank_transaction_id", transaction).text_if("prepayment_id", prepayment)
        }
    };
    row.number("amount", part.amount.amount())
        .text("stamp", &part.stamp)
        .text("state", part.state)
        .number("tries", part.tries)
        .text_if("key", part.key.as_deref())
        .instant_if("sent_at", part.sent_at)
        .number("absences", part.absences)
        .instant_if("looked_at", part.looked_at)
        .text_if("refusal", part.refusal.as_deref())
        .finish()
}

fn read_target(row: Reader<'_>) -> Result<Target, ReadError> {
    if let Some(id) = row.parsed_if("xero_invoice_id")? {
        return Ok(Target::Invoice { id, number: row.text("xero_number")?.to_owned() });
    }
    if let Some(contact) = row.parsed_if("merchant_contact_id")? {
        return Ok(Target::Bill { contact });
    }
    if let Some(contact) = row.parsed_if("credit_contact_id")? {
        return Ok(Target::CreditNote { contact });
    }
    if let Some(note) = row.parsed_if("credit_note_id")? {
        return Ok(Target::Allocation { note, bill: row.parsed("allocated_bill_id")? });
    }
    Ok(Target::Prepayment { contact: row.parsed("xero_contact_id")? })
}

fn read_part(row: Reader<'_>, currency: Currency) -> Result<Part, ReadError> {
    let target = read_target(row)?;
    let payment = row.parsed_if("xero_payment_id")?.map(Placed::Payment);
    let own = payment.or(row.parsed_if("xero_bill_id")?.map(Placed::Bill));
    let own = own.or(row.parsed_if("xero_credit_note_id")?.map(Placed::CreditNote));
    let own = own.or(row.parsed_if("xero_allocation_id")?.map(Placed::Allocation));
    let placed = match (own, row.parsed_if("bank_transaction_id")?) {
        (None, Some(transaction)) => {
            Some(Placed::Prepayment { transaction, prepayment: row.parsed_if("prepayment_id")? })
        }
        (own, _) => own,
    };
    Ok(Part {
        number: row.number("number")?,
        target,
        amount: row.money("amount", currency)?,
        stamp: row.parsed("stamp")?,
        state: row.code("state", PartState::from_code)?,
        tries: row.number("tries")?,
        key: row.text_if("key")?.map(str::to_owned),
        sent_at: row.parsed_if("sent_at")?,
        absences: row.number("absences")?,
        looked_at: row.parsed_if("looked_at")?,
        refusal: row.text_if("refusal")?.map(str::to_owned),
        placed,
    })
}
