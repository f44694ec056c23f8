//! Walking a list of Xero's to its end, so that a row that is not there is known not to be there.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use payments::OrganisationId;
use payments::budget::CallBudget;
use payments::grant::{Grants, Pairs};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::client::{Ask, Client, Meter};
use crate::error::{Outage, ReadError};
use crate::list::ListName;
use crate::unreadable::Unreadable;
use crate::wire::{Member, object, schema};
use crate::write_results::id;

/// Most pages of a list that are read: far more than a night's payments, and 1,000 rows each.
pub const PAGES_MAX: u32 = 50;

const PAGES_TOO_MANY: u32 = PAGES_MAX + 1;

/// How many rows a page is asked to have: as many as Xero allows (facts.md 3.5), and fewer where they
/// are so long that a page exceeds [`crate::RESPONSE_BYTES_MAX`]. Xero may adjust the number; what
/// counts is the number of pages that it answers with.
pub(crate) const PAGE_SIZES: [u32; 3] = [1_000, 200, 50];

/// How often a list that changes while it is read is read from the beginning.
const WALKS_MAX: u32 = 3;

/// A list to be walked.
pub(crate) struct List<'a> {
    pub(crate) which: ListName,
    /// The query without the page, ending with `&` if there is any.
    pub(crate) query: &'a str,
    pub(crate) modified_since: Option<String>,
    pub(crate) scope: &'static str,
}

/// The rows of a list.
pub(crate) struct Rows<R> {
    /// When the first of the calls that read it was started.
    pub(crate) started_at: Timestamp,
    /// The parsed rows, by their ids.
    pub(crate) rows: BTreeMap<Uuid, R>,
    /// The rows that could not be read.
    pub(crate) unreadable: Vec<Unreadable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WirePage<'a> {
    #[serde(borrow, rename = "pagination")]
    pagination: Member<'a>,
    #[serde(borrow)]
    bank_transactions: Member<'a>,
    #[serde(borrow)]
    contacts: Member<'a>,
    #[serde(borrow)]
    credit_notes: Member<'a>,
    #[serde(borrow)]
    invoices: Member<'a>,
    #[serde(borrow)]
    overpayments: Member<'a>,
    #[serde(borrow)]
    payments: Member<'a>,
    #[serde(borrow)]
    prepayments: Member<'a>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WirePagination {
    pub(crate) page: u32,
    pub(crate) page_count: u32,
    pub(crate) item_count: usize,
}

#[derive(Deserialize)]
struct WireRow<'a> {
    #[serde(borrow, rename = "BankTransactionID")]
    bank_transaction_id: Member<'a>,
    #[serde(borrow, rename = "ContactID")]
    contact_id: Member<'a>,
    #[serde(borrow, rename = "CreditNoteID")]
    credit_note_id: Member<'a>,
    #[serde(borrow, rename = "InvoiceID")]
    invoice_id: Member<'a>,
    #[serde(borrow, rename = "OverpaymentID")]
    overpayment_id: Member<'a>,
    #[serde(borrow, rename = "PaymentID")]
    payment_id: Member<'a>,
    #[serde(borrow, rename = "PrepaymentID")]
    prepayment_id: Member<'a>,
}

/// One page, not read yet.
pub(crate) struct Page<'a> {
    pub(crate) rows: Vec<&'a RawValue>,
    /// `None` if Xero says nothing about pages, which is believed of an empty list only.
    pub(crate) pagination: Option<WirePagination>,
}

/// How a walk ended.
enum Walk<R> {
    Whole(Rows<R>),
    Shifted,
    PageTooLong,
}

impl<B: CallBudget, G: Grants + Pairs> Client<B, G> {
    /// Reads a whole list: all its pages, or an error. `read` makes something of a row, or nothing; a row that
    /// it cannot read is listed as that, and ends nothing.
    ///
    /// Rows may change their places while the pages are read, so that one of them is never seen.
    /// Whether that has happened shows in the numbers: a walk is whole only if it saw as many
    /// different rows as Xero says that there are. A list of what was modified since some time only
    /// grows, because a row that changes goes to its end; the number that the last page names is
    /// then the one that counts. Any other list must have kept its number from the first page to
    /// the last. A walk that is not whole is made again, [`WALKS_MAX`] times in all.
    pub(crate) async fn whole_list<R>(
        &self,
        organisation: OrganisationId,
        list: &List<'_>,
        read: impl Fn(Uuid, &RawValue) -> Result<Option<R>, ReadError>,
        meter: &mut Meter,
    ) -> Result<Rows<R>, ReadError> {
        let mut sizes = PAGE_SIZES.into_iter();
        let mut size = sizes.next().ok_or(ReadError::TooLong)?;
        let mut walks = 0;
        while walks < WALKS_MAX {
            match self.walk(organisation, list, size, &read, meter).await? {
                Walk::Whole(rows) => return Ok(rows),
                Walk::Shifted => walks += 1,
                Walk::PageTooLong => size = sizes.next().ok_or(ReadError::TooLong)?,
            }
        }
        Err(Outage::Shifting.into())
    }

    async fn walk<R>(
        &self,
        organisation: OrganisationId,
        list: &List<'_>,
        size: u32,
        read: &impl Fn(Uuid, &RawValue) -> Result<Option<R>, ReadError>,
        meter: &mut Meter,
    ) -> Result<Walk<R>, ReadError> {
        let (mut started_at, mut rows) = (None, BTreeMap::new());
        let (mut seen, mut counts) = (BTreeSet::new(), BTreeSet::new());
        let (mut unreadable, mut without_id) = (BTreeMap::new(), Vec::new());
        for number in 1..=PAGES_MAX {
            if let Some(error) = meter.limits.exhausted() {
                return Err(error);
            }
            let mut url = self.url(&[list.which.name()]);
            url.set_query(Some(&format!("{}page={number}&pageSize={size}", list.query)));
            let modified_since = list.modified_since.clone();
            let ask = Ask { url, modified_since, scope: list.scope };
            let answer = match self.ask(organisation, &ask, meter).await {
                Ok(answer) => answer,
                Err(ReadError::TooLong) => return Ok(Walk::PageTooLong),
                // Of a list, 404 says that the query was too long (facts.md 3.5).
                Err(ReadError::NotFound) => return Err(Outage::Status(404).into()),
                Err(error) => return Err(error),
            };
            let page = page(list.which, &answer.body)?;
            let started_at = *started_at.get_or_insert(answer.started_at);
            for raw in page.rows {
                let id = match row_id(list.which, raw) {
                    Ok(id) => id,
                    Err(error) => {
                        without_id.push(Unreadable::of(list.which, None, raw, error)?);
                        continue;
                    }
                };
                seen.insert(id);
                // A row that is seen again was changed in between: the later look counts.
                rows.remove(&id);
                unreadable.remove(&id);
                match read(id, raw) {
                    Ok(Some(row)) => drop(rows.insert(id, row)),
                    Ok(None) => {}
                    Err(error) => {
                        unreadable.insert(id, Unreadable::of(list.which, Some(id), raw, error)?);
                    }
                }
            }
            let is_whole = match page.pagination {
                // Only a list that is empty from the beginning need not say how long it is.
                None => number == 1,
                Some(WirePagination { page, .. }) if page != number => {
                    return Err(Outage::Unreadable.into());
                }
                Some(WirePagination { page_count: PAGES_TOO_MANY.., .. }) => {
                    return Err(ReadError::TooLong);
                }
                Some(WirePagination { page_count, item_count, .. }) => {
                    counts.insert(item_count);
                    if number < page_count {
                        continue;
                    }
                    let only_grows = list.modified_since.is_some();
                    let seen = seen.len().saturating_add(without_id.len());
                    item_count == seen && (only_grows || counts.len() == 1)
                }
            };
            let unreadable = unreadable.into_values().chain(without_id).collect();
            let rows = Rows { started_at, rows, unreadable };
            return Ok(if is_whole { Walk::Whole(rows) } else { Walk::Shifted });
        }
        Err(ReadError::TooLong)
    }
}

/// Xero's own format of `If-Modified-Since`: UTC, whole seconds, no zone. With anything else the header may be
/// ignored.
pub(crate) fn if_modified_since(at: Timestamp) -> String {
    TimeZone::UTC.to_datetime(at).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

pub(crate) fn page(which: ListName, body: &[u8]) -> Result<Page<'_>, ReadError> {
    let whole: &RawValue = serde_json::from_slice(body).map_err(|_| Outage::Unreadable)?;
    let wire: WirePage<'_> = object(whole).ok_or(Outage::Unreadable)?;
    let list = match which {
        ListName::BankTransactions => wire.bank_transactions,
        ListName::Contacts => wire.contacts,
        ListName::CreditNotes => wire.credit_notes,
        ListName::Invoices => wire.invoices,
        ListName::Overpayments => wire.overpayments,
        ListName::Payments => wire.payments,
        ListName::Prepayments => wire.prepayments,
    };
    let rows: Vec<&RawValue> = serde_json::from_str(list.ok_or(Outage::Unreadable)?.get())
        .map_err(|_| Outage::Unreadable)?;
    let pagination = match wire.pagination {
        Some(raw) => Some(object(raw).ok_or(schema("pagination"))?),
        None if rows.is_empty() => None,
        None => return Err(schema("pagination")),
    };
    Ok(Page { rows, pagination })
}

pub(crate) fn row_id(which: ListName, raw: &RawValue) -> Result<Uuid, ReadError> {
    let row: WireRow<'_> = object(raw).ok_or(schema(which.name()))?;
    let member = match which {
        ListName::BankTransactions => row.bank_transaction_id,
        ListName::Contacts => row.contact_id,
        ListName::CreditNotes => row.credit_note_id,
        ListName::Invoices => row.invoice_id,
        ListName::Overpayments => row.overpayment_id,
        ListName::Payments => row.payment_id,
        ListName::Prepayments => row.prepayment_id,
    };
    id(member).ok().flatten().ok_or(schema(which.id_name()))
}
