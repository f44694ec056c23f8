//! Many rows at once, by their keys.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, PutRequest, WriteRequest};
use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, TryStreamExt as _};
use payments::{InvoiceNumber, OrganisationId, PaymentId, XeroPaymentId};

use crate::attributes::{Item, Reader};
use crate::error::{ReadError, WriteError};
use crate::rows::invoice_key;
use crate::schema::{INVOICES, PAYMENTS};
use crate::tables::Tables;

/// DynamoDB takes so many keys in one request.
const KEYS_MAX: usize = 100;
/// Such requests that are under way at once.
const READS_AT_ONCE: usize = 8;
/// DynamoDB writes so many rows in one request.
const WRITES_MAX: usize = 25;
/// Such writes that are under way at once.
const WRITES_AT_ONCE: usize = 8;
/// How often keys are asked for that DynamoDB has left out. An answer ends at 16 MB, which 100 rows
/// hardly reach, so that what is left out is throttled.
const ROUNDS_MAX: u32 = 7;
/// The wait before the second round, doubled before each one after it: 3.15 seconds in all.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// What became of payments on the invoices that they name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NamedParts {
    /// The payment in Xero that a part of them is linked to.
    pub linked: BTreeMap<(InvoiceNumber, PaymentId), XeroPaymentId>,
    /// A part of them is not there any more: it went with its original in Xero (CM-35). Intake has
    /// written it before it let the payment into the ledger.
    pub gone: BTreeSet<PaymentId>,
    /// Those of which a part cannot be read, with what is wrong.
    pub unreadable: BTreeMap<PaymentId, String>,
}

impl Tables {
    /// Which of these invoices are paid off by a payment plan (EX-08), read consistently.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn on_payment_plan(
        &self,
        organisation: OrganisationId,
        numbers: &[InvoiceNumber],
    ) -> Result<BTreeSet<InvoiceNumber>, ReadError> {
        let keys = numbers.iter().map(|number| (organisation.to_string(), number.to_string()));
        let wanted = ["number", "payment_plan"];
        let rows = self.many(INVOICES, ["organisation", "number"], keys, Some(wanted)).await?;
        let mut found = BTreeSet::new();
        for item in &rows {
            let row = Reader::new(INVOICES, item);
            // An unreadable flag is no reason to take the money of a plan, nor to stop the others.
            if row.flag("payment_plan").unwrap_or(true) {
                found.extend(row.parsed::<InvoiceNumber>("number"));
            }
        }
        Ok(found)
    }

    /// The state of these payments on their invoices. Read consistently.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn named_parts(
        &self,
        organisation: OrganisationId,
        parts: &[(InvoiceNumber, PaymentId)],
    ) -> Result<NamedParts, ReadError> {
        let key = |(number, payment): &(InvoiceNumber, PaymentId)| {
            (invoice_key(organisation, number), payment.to_string())
        };
        let names = ["invoice", "payment_id"];
        let rows = self.many(PAYMENTS, names, parts.iter().map(key), None).await?;
        let (mut known, mut unreadable) = (BTreeMap::new(), BTreeMap::new());
        for item in &rows {
            let row = Reader::new(PAYMENTS, item);
            let key = (row.text("invoice")?.to_owned(), row.text("payment_id")?.to_owned());
            match row.parsed_if("xero_payment_id") {
                Ok(linked) => drop(known.insert(key, linked)),
                Err(error) => drop(unreadable.insert(key, error.to_string())),
            }
        }
        let mut found = NamedParts::default();
        for (part, why) in parts.iter().filter_map(|part| Some((part, unreadable.get(&key(part))?)))
        {
            found.unreadable.insert(part.1.clone(), why.clone());
        }
        for part in parts {
            match known.get(&key(part)) {
                Some(Some(linked)) => drop(found.linked.insert(part.clone(), *linked)),
                Some(None) => {}
                None => drop(found.gone.insert(part.1.clone())),
            }
        }
        Ok(found)
    }

    /// The rows with these keys that are there, in any order, read consistently; only the `wanted`
    /// attributes, if they are named.
    pub(crate) async fn many(
        &self,
        table: &'static str,
        names: [&str; 2],
        keys: impl IntoIterator<Item = (String, String)>,
        wanted: Option<[&str; 2]>,
    ) -> Result<Vec<Item>, ReadError> {
        // DynamoDB refuses a request that names a key twice.
        let keys: BTreeSet<_> = keys.into_iter().collect();
        let keys: Vec<Item> = keys
            .into_iter()
            .map(|(partition, sort)| {
                let [first, second] = names.map(str::to_owned);
                HashMap::from([
                    (first, AttributeValue::S(partition)),
                    (second, AttributeValue::S(sort)),
                ])
            })
            .collect();
        let chunks = keys.chunks(KEYS_MAX).map(<[Item]>::to_vec);
        let found: Vec<Vec<Item>> = futures_util::stream::iter(chunks)
            .map(|chunk| self.chunk(table, chunk, wanted))
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn chunk(
        &self,
        table: &'static str,
        mut keys: Vec<Item>,
        wanted: Option<[&str; 2]>,
    ) -> Result<Vec<Item>, ReadError> {
        let mut found = Vec::new();
        for round in 0..ROUNDS_MAX {
            if let Some(before) = round.checked_sub(1) {
                tokio::time::sleep(FIRST_WAIT.saturating_mul(1 << before)).await;
            }
            let request = asking_for(keys, wanted)
                .map_err(|source| ReadError::Unavailable { table, source: Box::new(source) })?;
            let answer = self
                .client()
                .batch_get_item()
                .request_items(self.name(table), request)
                .send()
                .await
                .map_err(|error| ReadError::unavailable(table, error))?;
            found.extend(answer.responses.into_iter().flatten().flat_map(|(_, rows)| rows));
            let left_out = answer.unprocessed_keys.into_iter().flatten();
            keys = left_out.flat_map(|(_, left_out)| left_out.keys).collect();
            if keys.is_empty() {
                return Ok(found);
            }
        }
        let source = "some rows were left out again and again".into();
        Err(ReadError::Unavailable { table, source })
    }
}

impl Tables {
    /// Writes rows, over any that were there before, as many in a request as DynamoDB takes. Some may be written when it
    /// fails.
    ///
    /// # Errors
    /// `Unavailable`.
    pub(crate) async fn put_rows(
        &self,
        table: &'static str,
        rows: Vec<Item>,
    ) -> Result<(), WriteError> {
        let mut puts = Vec::with_capacity(rows.len());
        for row in rows {
            let put = PutRequest::builder().set_item(Some(row)).build();
            let put = put.map_err(|error| WriteError::Malformed(Box::new(error)))?;
            puts.push(WriteRequest::builder().put_request(put).build());
        }
        let chunks: Vec<_> = puts.chunks(WRITES_MAX).map(<[WriteRequest]>::to_vec).collect();
        for at_once in chunks.chunks(WRITES_AT_ONCE) {
            let writes = at_once.iter().map(|chunk| self.put_chunk(table, chunk.clone()));
            try_join_all(writes).await?;
        }
        Ok(())
    }

    async fn put_chunk(
        &self,
        table: &'static str,
        mut puts: Vec<WriteRequest>,
    ) -> Result<(), WriteError> {
        for round in 0..ROUNDS_MAX {
            if let Some(before) = round.checked_sub(1) {
                tokio::time::sleep(FIRST_WAIT.saturating_mul(1 << before)).await;
            }
            let request = self.client().batch_write_item().request_items(self.name(table), puts);
            let answer =
                request.send().await.map_err(|error| WriteError::unavailable(table, error))?;
            puts =
                answer.unprocessed_items.into_iter().flatten().flat_map(|(_, left)| left).collect();
            if puts.is_empty() {
                return Ok(());
            }
        }
        let source = "some rows were left out again and again".into();
        Err(WriteError::Unavailable { table, source })
    }
}

fn asking_for(
    keys: Vec<Item>,
    wanted: Option<[&str; 2]>,
) -> Result<KeysAndAttributes, aws_sdk_dynamodb::error::BuildError> {
    let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
    match wanted {
        None => request,
        // Under other names, because DynamoDB reserves words such as `number`.
        Some([first, second]) => request
            .projection_expression("#first, #second")
            .expression_attribute_names("#first", first)
            .expression_attribute_names("#second", second),
    }
    .build()
}
