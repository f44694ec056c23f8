//! Money received that was deleted in Xero: payments on sales invoices, and voided prepayments and overpayments of
//! contacts.

use std::collections::BTreeSet;

use jiff::Timestamp;
use payments::OrganisationId;
use payments::budget::CallBudget;
use payments::grant::{Grants, Pairs};
use payments::upload::XeroMoneyKind;
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::client::{Client, SCOPE_PAYMENTS};
use crate::error::ReadError;
use crate::list::ListName;
use crate::pages::{List, if_modified_since};
use crate::unreadable::Unreadable;
use crate::wire::{Member, object, required_text, schema};

/// The condition is one of equalities (facts.md 3.5), so that few rows fit it, however much was changed.
const DELETED_PAYMENTS: &str = "where=Status%3D%3D%22DELETED%22&order=UpdatedDateUTC%20ASC&";
/// Few of these change in a day, and either status says that one does not stand any more.
const CHANGED_CREDITS: &str = "order=UpdatedDateUTC%20ASC&";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireMoney<'a> {
    #[serde(borrow)]
    status: Member<'a>,
}

/// The money found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeletedMoney {
    /// Xero's ids of what does not stand any more.
    pub ids: BTreeSet<Uuid>,
    /// Those of the ids asked for whose rows cannot be read. They hide no other (AMB-30).
    pub unreadable: Vec<Unreadable>,
}

impl<B: CallBudget, G: Grants + Pairs> Client<B, G> {
    /// Reads which of this money, of one kind, was deleted since a moment. One call, unless more than 1,000 were.
    ///
    /// # Errors
    /// Whenever not every page could be read in full; see [`ReadError`]. That is never evidence that something was
    /// deleted, nor that nothing was.
    pub async fn deleted_money(
        &self,
        organisation: OrganisationId,
        kind: XeroMoneyKind,
        since: Timestamp,
        asked: &BTreeSet<Uuid>,
    ) -> Result<DeletedMoney, ReadError> {
        let (which, query) = match kind {
            XeroMoneyKind::Payment => (ListName::Payments, DELETED_PAYMENTS),
            XeroMoneyKind::Prepayment => (ListName::Prepayments, CHANGED_CREDITS),
            XeroMoneyKind::Overpayment => (ListName::Overpayments, CHANGED_CREDITS),
        };
        let modified_since = Some(if_modified_since(since));
        let list = List { which, query, modified_since, scope: SCOPE_PAYMENTS };
        let read = |id, raw: &RawValue| match asked.contains(&id) {
            true => Ok(is_deleted(which, raw)?.then_some(())),
            false => Ok(None),
        };
        let mut meter = self.meter();
        let mut rows = self.whole_list(organisation, &list, read, &mut meter).await?;
        rows.unreadable.retain(|row| row.id.is_some_and(|id| asked.contains(&id)));
        Ok(DeletedMoney { ids: rows.rows.into_keys().collect(), unreadable: rows.unreadable })
    }
}

fn is_deleted(which: ListName, raw: &RawValue) -> Result<bool, ReadError> {
    let wire: WireMoney<'_> = object(raw).ok_or(schema(which.name()))?;
    let status = required_text(wire.status, "Status")?;
    Ok(matches!(status.as_str(), "DELETED" | "VOIDED"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<bool, ReadError> {
        is_deleted(ListName::Payments, serde_json::from_str(json).unwrap())
    }

    #[test]
    fn only_a_status_says_that_money_does_not_stand_any_more() {
        // X-06
        for (status, deleted) in
            [("DELETED", true), ("VOIDED", true), ("AUTHORISED", false), ("PAID", false)]
        {
            assert_eq!(read(&format!(r#"{{"Status":"{status}"}}"#)), Ok(deleted), "{status}");
        }
        for strange in ["{}", r#"{"Status":7}"#] {
            let error = read(strange).unwrap_err();
            assert!(matches!(error, ReadError::Schema { field: "Status" }), "{error}");
        }
    }
}
