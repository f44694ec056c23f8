//! Everything that is stored about one payment, and around one invoice, for explanations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use payments::explanations::{Facts, InvoiceContext, ParkedReport, RemovedRow, Subject};
use payments::upload::{Caps, Customer, Target};
use payments::{
    COPY_PREFIX, CustomerId, InvoiceNumber, OrganisationId, Origin, PaymentId, Settings,
    StoredInvoice, Tombstone, Version, XeroPaymentId,
};

use crate::attributes::{Item, Reader};
use crate::error::ReadError;
use crate::latest::{UnreadableRow, readable};
use crate::meter::Meter;
use crate::rows::{invoice_key, read_payment};
use crate::schema::{PARKED, PAYMENTS, TOMBSTONES};
use crate::tables::Tables;

/// Most invoices of one payment that are read with all that belongs to them. Of further ones only the
/// payment's own rows are read.
pub const WHOLE_INVOICES_MAX: usize = 20;
/// Most parked rows that are looked through for a payment, the newest first.
pub const PARKED_ROWS_MAX: i32 = 500;

/// Everything stored about a payment, and the effort of reading it.
#[derive(Clone, Debug)]
pub struct PaymentFacts {
    /// The stored facts.
    pub facts: Facts,
    /// Invoices of which only the payment's own row was read.
    pub not_whole: Vec<InvoiceNumber>,
    /// Rows that cannot be read: what is known is known without them.
    pub unreadable: Vec<UnreadableRow>,
    /// How many rows were read.
    pub read: u32,
}

/// Rows of which one that cannot be read hides no other.
#[derive(Default)]
struct Gaps(Vec<UnreadableRow>);

impl Gaps {
    /// The row as read, if it can be; a row that cannot is named by this.
    fn or<T>(
        &mut self,
        otherwise: T,
        key: &str,
        read: Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        match read {
            Err(error @ ReadError::Unreadable { .. }) => {
                self.0.push(UnreadableRow { key: key.to_owned(), problem: error.to_string() });
                Ok(otherwise)
            }
            read => read,
        }
    }
}

impl Tables {
    /// Everything that is stored about a payment. A payment that Xero names and that has a row here is read
    /// under our name for it, so that all its parts are seen.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn facts_of(
        &self,
        settings: &Settings,
        subject: &Subject,
    ) -> Result<PaymentFacts, ReadError> {
        let (organisation, mut meter) = (settings.organisation, Meter::default());
        let (mut numbers, mut gaps) = (BTreeSet::new(), Gaps::default());
        let mut facts = Facts::none(subject.clone());
        if let Some(id) = xero_id(subject) {
            let known = self.locations(organisation, id, &mut meter).await?;
            numbers.extend(known.invoices);
            if let Some(ours) = known.ours {
                facts.subject = Subject::Ours(ours);
            }
        }
        if let Subject::Ours(id) = &facts.subject {
            let key = id.as_str();
            facts.receipt = gaps.or(None, key, self.receipt(organisation, id).await)?;
            facts.upload = gaps.or(None, key, self.upload(organisation, id).await)?;
            meter.add(usize::from(facts.receipt.is_some()) + usize::from(facts.upload.is_some()));
            numbers.extend(named(&facts, settings));
        }
        let customer =
            facts.upload.as_ref().map(|upload| &upload.receipt).or(facts.receipt.as_ref());
        if let Some(customer) = customer.and_then(|receipt| receipt.customer.as_ref()) {
            let read = self.customer(organisation, customer).await;
            facts.customer = gaps.or(None, customer.as_str(), read)?;
        }
        let (caps, brake) = (self.caps(organisation).await?, self.brake(organisation).await?);
        meter.add(2 + usize::from(facts.customer.is_some()));
        (facts.caps, facts.brake) = (Some(caps), Some(brake));

        let not_whole: Vec<_> = numbers.iter().skip(WHOLE_INVOICES_MAX).cloned().collect();
        for number in numbers.iter().take(WHOLE_INVOICES_MAX) {
            let whole = self.whole(organisation, number, &mut meter).await.map(Some);
            let invoice = gaps.or(None, number.as_str(), whole)?;
            facts.removed.extend(self.removed_from(organisation, number, &mut meter).await?);
            facts.invoices.extend(invoice.map(Arc::new));
        }
        if let Subject::Ours(id) = &facts.subject {
            let rows = self.rows_on(organisation, &not_whole, id, &mut meter).await?;
            facts.invoices.extend(rows);
        }
        if let Some(ours) = self.upload_of_held(&facts, &mut meter).await? {
            // By its own name the upload speaks for it.
            let known = Box::pin(self.facts_of(settings, &Subject::Ours(ours))).await?;
            return Ok(PaymentFacts { read: known.read.saturating_add(meter.total()), ..known });
        }
        facts.removed.sort_by_key(|removed| removed.tombstone.removed_at);
        facts.parked = self.parked_about(organisation, &search_terms(&facts), &mut meter).await?;
        Ok(PaymentFacts { facts, not_whole, unreadable: gaps.0, read: meter.total() })
    }

    /// The rows around an invoice that say how its payments stand, and how many rows were read.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn context(
        &self,
        invoice: &StoredInvoice,
    ) -> Result<(InvoiceContext, u32), ReadError> {
        let (organisation, mut meter) = (invoice.organisation, Meter::default());
        let local = invoice.payments.iter().filter(|payment| payment.origin == Origin::Local);
        let ids: Vec<PaymentId> = local.map(|payment| payment.id.clone()).collect();
        let uploads = self.uploads(organisation, &ids).await?;
        let customers: BTreeSet<CustomerId> =
            uploads.iter().filter_map(|upload| upload.receipt.customer.clone()).collect();
        let customers: Vec<_> = customers.into_iter().collect();
        // One that cannot be read is not shown; its payments are.
        let each = self.each_customer(organisation, &customers).await?.into_iter();
        let customers: BTreeMap<CustomerId, Customer> =
            each.filter_map(|(id, known)| Some((id, known.ok()?))).collect();
        meter.add(uploads.len() + customers.len() + 2);
        let removed = self.removed_from(organisation, &invoice.number, &mut meter).await?;
        let caps: Caps = self.caps(organisation).await?;
        let context = InvoiceContext {
            removed,
            uploads: uploads
                .into_iter()
                .map(|upload| (upload.receipt.id.clone(), upload))
                .collect(),
            customers,
            caps: Some(caps),
            brake: Some(self.brake(organisation).await?),
        };
        Ok((context, meter.total()))
    }

    async fn whole(
        &self,
        organisation: OrganisationId,
        number: &InvoiceNumber,
        meter: &mut Meter,
    ) -> Result<StoredInvoice, ReadError> {
        let invoice = self.invoice(organisation, number).await?;
        meter.add(1 + invoice.payments.len() + invoice.held.len() + invoice.discrepancies.len());
        Ok(invoice)
    }

    /// The payments that were removed from an invoice, the latest last.
    async fn removed_from(
        &self,
        organisation: OrganisationId,
        number: &InvoiceNumber,
        meter: &mut Meter,
    ) -> Result<Vec<RemovedRow>, ReadError> {
        let key = invoice_key(organisation, number);
        let rows = self.partition(TOMBSTONES, "invoice", &key).await?;
        meter.add(rows.len());
        Ok(readable(&rows, "removed", |item| read_removed(number, item)))
    }

    /// A payment's own rows on many invoices, each as an invoice of which nothing else is known.
    async fn rows_on(
        &self,
        organisation: OrganisationId,
        numbers: &[InvoiceNumber],
        payment: &PaymentId,
        meter: &mut Meter,
    ) -> Result<Vec<Arc<StoredInvoice>>, ReadError> {
        let keys =
            numbers.iter().map(|number| (invoice_key(organisation, number), payment.to_string()));
        let rows = self.many(PAYMENTS, ["invoice", "payment_id"], keys, None).await?;
        meter.add(rows.len());
        let mut invoices = readable(&rows, "invoice", |item| {
            let number = Reader::new(PAYMENTS, item).parsed("invoice_number")?;
            let mut invoice = StoredInvoice::unknown(organisation, number);
            invoice.payments.push(read_payment(item)?);
            Ok(Arc::new(invoice))
        });
        invoices.sort_by(|a, b| a.number.cmp(&b.number));
        Ok(invoices)
    }

    /// The newest report among the last [`PARKED_ROWS_MAX`] whose text has one of these in it.
    async fn parked_about(
        &self,
        organisation: OrganisationId,
        search_terms: &[String],
        meter: &mut Meter,
    ) -> Result<Option<ParkedReport>, ReadError> {
        let answer = self
            .client()
            .query()
            .table_name(self.name(PARKED))
            .key_condition_expression("organisation = :organisation")
            .expression_attribute_values(
                ":organisation",
                AttributeValue::S(organisation.to_string()),
            )
            .scan_index_forward(false)
            .limit(PARKED_ROWS_MAX)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(PARKED, error))?;
        meter.add(answer.items().len());
        let about = |item: &&Item| match item.get("body") {
            Some(AttributeValue::S(body)) => {
                search_terms.iter().any(|needle| body.contains(needle))
            }
            _ => false,
        };
        let found = answer.items().iter().find(about).map(|item| Reader::new(PARKED, item));
        let Some(row) = found else { return Ok(None) };
        Ok(Some(ParkedReport {
            parked_at: row.text("parked_at")?.to_owned(),
            by: row.text("by")?.to_owned(),
            reason: row.text("reason")?.to_owned(),
            detail: row.text("detail")?.to_owned(),
        }))
    }
}

/// The id in Xero that a subject has, or that its copy was made of.
fn xero_id(subject: &Subject) -> Option<XeroPaymentId> {
    match subject {
        Subject::Xero(id) => Some(*id),
        // Behind the UUID there may be the number of another attempt.
        Subject::Ours(id) => id.as_str().strip_prefix(COPY_PREFIX)?.get(..36)?.parse().ok(),
    }
}

/// The invoices that a payment names, and those that it went up to.
fn named(facts: &Facts, settings: &Settings) -> Vec<InvoiceNumber> {
    let allocations = facts.receipt.iter().flat_map(|receipt| &receipt.allocations);
    let mut named: Vec<_> = allocations.map(|part| part.invoice.clone()).collect();
    for part in facts.upload.iter().flat_map(|upload| &upload.parts) {
        if let Target::Invoice { number, .. } = &part.target {
            named.extend(settings.prefix.to_local(number).ok());
        }
    }
    named
}

/// By what a parked report is known to be about a payment: its id as JSON writes it, Xero's ids of it and
/// of its invoices.
fn search_terms(facts: &Facts) -> Vec<String> {
    let ours = match &facts.subject {
        Subject::Ours(id) => Some(serde_json::Value::from(id.as_str()).to_string()),
        Subject::Xero(_) => None,
    };
    let xero = facts.xero_payments().into_iter().map(|id| id.to_string());
    let invoices = facts.invoices.iter().filter_map(|invoice| invoice.xero.as_ref());
    let invoices = invoices.map(|xero| xero.invoice.to_string());
    ours.into_iter().chain(xero).chain(invoices).collect()
}

fn read_removed(number: &InvoiceNumber, item: &Item) -> Result<RemovedRow, ReadError> {
    let row = Reader::new(TOMBSTONES, item);
    let updated_at = row.parsed_if("snapshot_updated_at")?;
    let fetched_at = row.parsed_if("snapshot_fetched_at")?;
    let snapshot = updated_at.zip(fetched_at);
    Ok(RemovedRow {
        invoice: number.clone(),
        tombstone: Tombstone {
            payment: read_payment(item)?,
            removed_at: row.parsed("removed_at")?,
            removed_by: match row.text("removed_by")? {
                "mirror" => "mirror",
                "intake" => "intake",
                _ => "another part of this system",
            },
            why: row.text("why")?.to_owned(),
            snapshot: snapshot.map(|(updated_at, fetched_at)| Version { updated_at, fetched_at }),
        },
    })
}
