//! Prepayments of ours that were deleted in Xero: its bank transactions with the status DELETED.

use jiff::Timestamp;
use payments::OrganisationId;
use payments::budget::CallBudget;
use payments::grant::{Grants, Pairs};
use payments::upload::DeletedPrepayment;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::bundle::{RECEIVE_PREPAYMENT, StampedKind};
use crate::client::{Client, SCOPE_BANK_TRANSACTIONS};
use crate::decimals::decimal;
use crate::error::ReadError;
use crate::list::ListName;
use crate::pages::{List, if_modified_since};
use crate::readback::SKEW_MARGIN;
use crate::unreadable::Unreadable;
use crate::wire::{Member, object, optional_text, required_day, required_text, schema, text};
use crate::write_results::{WireElement, stamp_of};

/// The condition is one of equalities. That few rows fit it keeps this one call, however much is booked.
const DELETED: &str = "where=Type%3D%3D%22RECEIVE-PREPAYMENT%22%20AND%20Status%3D%3D%22DELETED%22&\
                       order=UpdatedDateUTC%20ASC&";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireTransaction<'a> {
    #[serde(borrow)]
    status: Member<'a>,
    #[serde(borrow)]
    r#type: Member<'a>,
    #[serde(borrow)]
    date: Member<'a>,
    #[serde(borrow)]
    total: Member<'a>,
    #[serde(borrow)]
    currency_code: Member<'a>,
    #[serde(borrow)]
    contact: Member<'a>,
}

#[derive(Deserialize)]
struct WireContact<'a> {
    #[serde(borrow, rename = "ContactID")]
    contact_id: Member<'a>,
}

/// The prepayments found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeletedPrepayments {
    /// When the read began: the next one begins from there.
    pub started_at: Timestamp,
    /// Those that bear a stamp of ours.
    pub found: Vec<DeletedPrepayment>,
    /// Rows that cannot be read. They hide no other (AMB-30).
    pub unreadable: Vec<Unreadable>,
}

impl<B: CallBudget, G: Grants + Pairs> Client<B, G> {
    /// Reads which prepayments of ours were deleted since a moment.
    ///
    /// # Errors
    /// Whenever not every page could be read in full; see [`ReadError`].
    pub async fn deleted_prepayments(
        &self,
        organisation: OrganisationId,
        since: Timestamp,
    ) -> Result<DeletedPrepayments, ReadError> {
        let since = since.saturating_sub(SKEW_MARGIN).unwrap_or(since);
        let list = List {
            which: ListName::BankTransactions,
            query: DELETED,
            modified_since: Some(if_modified_since(since)),
            scope: SCOPE_BANK_TRANSACTIONS,
        };
        let mut meter = self.meter();
        let rows = self.whole_list(organisation, &list, |_, raw| row(raw), &mut meter).await?;
        let found = rows.rows.into_values().collect();
        Ok(DeletedPrepayments { started_at: rows.started_at, found, unreadable: rows.unreadable })
    }
}

/// A condition that is ignored brings everything there is.
fn row(raw: &RawValue) -> Result<Option<DeletedPrepayment>, ReadError> {
    let wire: WireTransaction<'_> = object(raw).ok_or(schema("BankTransactions"))?;
    let is_deleted = required_text(wire.status, "Status")? == "DELETED";
    if !is_deleted || required_text(wire.r#type, "Type")? != RECEIVE_PREPAYMENT {
        return Ok(None);
    }
    let element: WireElement<'_> = object(raw).ok_or(schema("BankTransactions"))?;
    let Some(stamp) = stamp_of(StampedKind::Prepayments, &element) else { return Ok(None) };
    let contact: WireContact<'_> = wire.contact.and_then(object).ok_or(schema("Contact"))?;
    let contact = text(contact.contact_id).and_then(|id| id.parse().ok());
    Ok(Some(DeletedPrepayment {
        stamp,
        contact: contact.ok_or(schema("Contact.ContactID"))?,
        amount: wire.total.and_then(decimal).ok_or(schema("Total"))?,
        currency: optional_text(wire.currency_code, "CurrencyCode")?,
        date: required_day(wire.date, "Date")?,
    }))
}
