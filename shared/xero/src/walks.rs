//! Walks through lists of any length, a page at a time, that can be gone on with at any place.
//!
//! A list that is ordered by change is walked by its stamps: a row that changes while it is read moves to the
//! end, and is met there. Where stamps are no way on, because more rows have one second's stamp than a page
//! holds, or the order is another one, the rest is read by page numbers, from the last page to the first: rows
//! that leave make the others move towards the first page, which is still to be read.

use jiff::Timestamp;
use payments::budget::CallBudget;
use payments::grant::{Grants, Pairs};
use payments::sweep::{ListPosition, OpenFigures, PaymentChange};
use payments::{OrganisationId, XeroInvoiceId};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::changed_invoices::{open_figures, way_on, whole_second};
use crate::changed_payments::change;
use crate::client::{Ask, Client, SCOPE_INVOICES, SCOPE_PAYMENTS};
use crate::error::{Outage, ReadError};
use crate::list::ListName;
use crate::pages::{List, PAGE_SIZES, if_modified_since, page, row_id};
use crate::unreadable::Unreadable;

/// A page of a walk.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WalkedPage<R> {
    /// Its rows, in the list's order. None of them comes again, unless it changes.
    pub rows: Vec<R>,
    /// Rows that cannot be read. They end nothing: each is named, and the others are above. One may come again
    /// with the next page.
    pub unreadable: Vec<Unreadable>,
    /// Where the next page begins; `None` at the end of the list.
    pub next: Option<ListPosition>,
}

/// A list that is walked.
struct Walked {
    which: ListName,
    query: &'static str,
    scope: &'static str,
}

const OPEN_INVOICES: Walked = Walked {
    which: ListName::Invoices,
    // By status, which is an optimised filter: organisations with a hundred thousand documents refuse
    // others.
    query: "Statuses=AUTHORISED&order=UpdatedDateUTC%20ASC&",
    scope: SCOPE_INVOICES,
};

const PAYMENTS: Walked = Walked {
    which: ListName::Payments,
    // Without a status in the question, or deleted ones would not be seen.
    query: "order=UpdatedDateUTC%20ASC&",
    scope: SCOPE_PAYMENTS,
};

impl<B: CallBudget, G: Grants + Pairs> Client<B, G> {
    /// A page of the figures of all open sales invoices.
    ///
    /// # Errors
    /// Whenever the page is not known in full; see [`ReadError`].
    pub async fn open_invoices_page(
        &self,
        organisation: OrganisationId,
        at: ListPosition,
    ) -> Result<WalkedPage<OpenFigures>, ReadError> {
        let read = |id, raw: &RawValue| open_figures(id, raw);
        self.walked_page(organisation, &OPEN_INVOICES, at, read, |row| row.updated_at).await
    }

    /// The figures of the invoices with these ids, in any status, [`Config::ids_max`](crate::Config) in a call: of those
    /// that are sales invoices and that Xero shows.
    ///
    /// # Errors
    /// Whenever not all of them could be asked for; see [`ReadError`].
    pub async fn figures_of(
        &self,
        organisation: OrganisationId,
        ids: &[XeroInvoiceId],
    ) -> Result<(Vec<OpenFigures>, Vec<Unreadable>), ReadError> {
        let mut meter = self.meter();
        let (mut figures, mut unreadable) = (Vec::new(), Vec::new());
        for ids in ids.chunks(self.ids_max()) {
            let ids: Vec<_> = ids.iter().map(XeroInvoiceId::to_string).collect();
            let query = format!("IDs={}&", ids.join(","));
            let list = List {
                which: ListName::Invoices,
                query: &query,
                modified_since: None,
                scope: SCOPE_INVOICES,
            };
            let rows = self.whole_list(organisation, &list, open_figures, &mut meter).await?;
            figures.extend(rows.rows.into_values());
            unreadable.extend(rows.unreadable);
        }
        Ok((figures, unreadable))
    }

    /// A page of the payments that changed, to the second, deleted ones included.
    ///
    /// # Errors
    /// Whenever the page is not known in full; see [`ReadError`].
    pub async fn payments_page(
        &self,
        organisation: OrganisationId,
        at: ListPosition,
    ) -> Result<WalkedPage<PaymentChange>, ReadError> {
        self.walked_page(organisation, &PAYMENTS, at, change, |row| row.updated_at).await
    }

    async fn walked_page<R>(
        &self,
        organisation: OrganisationId,
        list: &Walked,
        at: ListPosition,
        read: impl Fn(Uuid, &RawValue) -> Result<Option<R>, ReadError>,
        stamp: impl Fn(&R) -> Timestamp,
    ) -> Result<WalkedPage<R>, ReadError> {
        let since = whole_second(at.since);
        let mut meter = self.meter();
        for size in PAGE_SIZES {
            let number = at.rest.map_or(1, |rest| rest.div_ceil(size).max(1));
            let mut url = self.url(&[list.which.name()]);
            url.set_query(Some(&format!("{}page={number}&pageSize={size}", list.query)));
            let modified_since = (since > Timestamp::UNIX_EPOCH).then(|| if_modified_since(since));
            let ask = Ask { url, modified_since, scope: list.scope };
            let answer = match self.ask(organisation, &ask, &mut meter).await {
                Ok(answer) => answer,
                Err(ReadError::TooLong) => continue,
                // Of a list, 404 says nothing about its rows (facts.md 3.5).
                Err(ReadError::NotFound) => return Err(Outage::Status(404).into()),
                Err(error) => return Err(error),
            };
            let found = page(list.which, &answer.body)?;
            if found.pagination.is_some_and(|pagination| pagination.page != number) {
                return Err(Outage::Unreadable.into());
            }
            let (mut rows, mut stamps) = (Vec::with_capacity(found.rows.len()), Vec::new());
            let mut unreadable = Vec::new();
            for raw in &found.rows {
                let id = row_id(list.which, raw);
                match id.and_then(|id| read(id, raw)) {
                    Ok(row) => {
                        stamps.extend(row.as_ref().map(&stamp));
                        rows.extend(row);
                    }
                    Err(error) => {
                        unreadable.push(Unreadable::of(list.which, id.ok(), raw, error)?);
                    }
                }
            }
            // A header that is ignored brings everything there is; what is older was not asked for.
            rows.retain(|row| stamp(row) >= since);
            if at.rest.is_some() {
                let rest = number.saturating_sub(1).saturating_mul(size);
                let next = (rest > 0).then_some(ListPosition { since, rest: Some(rest) });
                return Ok(WalkedPage { rows, unreadable, next });
            }
            let Some(pagination) = found.pagination.filter(|pages| pages.page_count > 1) else {
                return Ok(WalkedPage { rows, unreadable, next: None });
            };
            let stamped: Vec<_> = stamps.iter().map(|stamp| (*stamp, ())).collect();
            return Ok(match way_on(&stamped, since) {
                // What changed in the last second comes again with the next page.
                Some(next) => {
                    rows.retain(|row| stamp(row) < next);
                    WalkedPage {
                        rows,
                        unreadable,
                        next: Some(ListPosition { since: next, rest: None }),
                    }
                }
                None => {
                    let rest = u32::try_from(pagination.item_count).unwrap_or(u32::MAX);
                    tracing::info!(
                        xero.organisation_id = %organisation,
                        list = list.which.name(),
                        rest,
                        "a list cannot be walked by its stamps; the rest is read from its end"
                    );
                    // All of it is still to be read, from its end.
                    let next = Some(ListPosition { since, rest: Some(rest) });
                    WalkedPage { rows: Vec::new(), unreadable: Vec::new(), next }
                }
            });
        }
        Err(ReadError::TooLong)
    }
}
