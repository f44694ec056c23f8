//! Money received that stands in Xero: payments on sales invoices, prepayments and overpayments of contacts.
//! Before our own upload sends a payment it asks whether another hand has entered it (rules A8.3).

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use payments::budget::CallBudget;
use payments::grant::{Grants, Pairs};
use payments::upload::{Stamp, XeroMoney, XeroMoneyKind};
use payments::{Currency, OrganisationId, XeroContactId, XeroPaymentKind};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::bundle::StampedKind;
use crate::client::{Client, SCOPE_PAYMENTS};
use crate::error::ReadError;
use crate::list::ListName;
use crate::pages::{List, if_modified_since};
use crate::readback::SKEW_MARGIN;
use crate::wire::{
    Member, object, optional_text, required_day, required_money, required_text, text,
};
use crate::write_results::{WireElement, stamp_of};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireReceipt<'a> {
    #[serde(borrow)]
    status: Member<'a>,
    #[serde(borrow)]
    payment_type: Member<'a>,
    #[serde(borrow)]
    r#type: Member<'a>,
    #[serde(borrow)]
    date: Member<'a>,
    #[serde(borrow)]
    amount: Member<'a>,
    #[serde(borrow)]
    total: Member<'a>,
    #[serde(borrow)]
    currency_code: Member<'a>,
    #[serde(borrow)]
    contact: Member<'a>,
    #[serde(borrow)]
    invoice: Member<'a>,
}

#[derive(Deserialize)]
struct WireInvoice<'a> {
    #[serde(borrow, rename = "InvoiceID")]
    invoice_id: Member<'a>,
    #[serde(borrow, rename = "InvoiceNumber")]
    invoice_number: Member<'a>,
    #[serde(borrow, rename = "CurrencyCode")]
    currency_code: Member<'a>,
    #[serde(borrow, rename = "Contact")]
    contact: Member<'a>,
}

#[derive(Deserialize)]
struct WireContact<'a> {
    #[serde(borrow, rename = "ContactID")]
    contact_id: Member<'a>,
}

/// Which money is asked for.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedBetween {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// Only what changed since then; everything if left out.
    pub changed_since: Option<Timestamp>,
    /// The currency of the books: a payment whose invoice Xero shows without a currency is in it.
    pub base: Currency,
}

/// The receipts found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MoneyReceived {
    /// What another hand has entered.
    pub money: Vec<XeroMoney>,
    /// What bears a stamp of ours, with the contact whose it is now: contacts are merged (EX-37).
    pub ours: BTreeMap<Stamp, XeroContactId>,
}

/// A row of a list.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Received {
    Theirs(XeroMoney),
    Ours(Stamp, Option<XeroContactId>),
}

impl<B: CallBudget, G: Grants + Pairs> Client<B, G> {
    /// Reads the money of one kind that is dated between two days and stands. What bears a stamp of ours is
    /// named apart: another hand has not entered it. A row that cannot be read equals no payment, and is left
    /// out as well.
    ///
    /// # Errors
    /// Whenever not every page could be read in full; see [`ReadError`].
    pub async fn money_received(
        &self,
        organisation: OrganisationId,
        kind: XeroMoneyKind,
        asked: ReceivedBetween,
    ) -> Result<MoneyReceived, ReadError> {
        let which = match kind {
            XeroMoneyKind::Payment => ListName::Payments,
            XeroMoneyKind::Prepayment => ListName::Prepayments,
            XeroMoneyKind::Overpayment => ListName::Overpayments,
        };
        // Ranges of dates are among what Xero calls optimised (facts.md 3.5).
        let query = format!(
            "where=Date%3E%3D{}%20AND%20Date%3C%3D{}&order=UpdatedDateUTC%20ASC&",
            date_time(asked.from),
            date_time(asked.to)
        );
        let since = asked.changed_since;
        let modified_since = since
            .map(|since| if_modified_since(since.saturating_sub(SKEW_MARGIN).unwrap_or(since)));
        let list = List { which, query: &query, modified_since, scope: SCOPE_PAYMENTS };
        let mut meter = self.meter();
        let read = |id, raw: &RawValue| Ok(received(kind, id, raw, asked.base));
        let rows = self.whole_list(organisation, &list, read, &mut meter).await?;
        let mut found = MoneyReceived::default();
        for row in rows.rows.into_values() {
            match row {
                // A condition that is ignored brings everything there is.
                Received::Theirs(money) if money.date < asked.from || money.date > asked.to => {}
                Received::Theirs(money) => found.money.push(money),
                Received::Ours(stamp, contact) => {
                    found.ours.extend(contact.map(|contact| (stamp, contact)));
                }
            }
        }
        Ok(found)
    }
}

fn date_time(day: Date) -> String {
    format!("DateTime({}%2C{}%2C{})", day.year(), day.month(), day.day())
}

fn received(kind: XeroMoneyKind, id: Uuid, raw: &RawValue, base: Currency) -> Option<Received> {
    let wire: WireReceipt<'_> = object(raw)?;
    let stands = match required_text(wire.status, "Status").ok()?.as_str() {
        "AUTHORISED" => true,
        // An applied prepayment or overpayment is the same money still.
        "PAID" => kind != XeroMoneyKind::Payment,
        _ => false,
    };
    let is_received = match kind {
        XeroMoneyKind::Payment => {
            let code = optional_text(wire.payment_type, "PaymentType").ok()?;
            code.is_none_or(|code| code == XeroPaymentKind::Received.code())
        }
        XeroMoneyKind::Prepayment | XeroMoneyKind::Overpayment => {
            required_text(wire.r#type, "Type").ok()?.starts_with("RECEIVE-")
        }
    };
    let element: WireElement<'_> = object(raw)?;
    let of_stamp = match kind {
        XeroMoneyKind::Payment => StampedKind::Payments,
        // The stamp of ours stands in the line: a prepayment does not keep its reference (facts.md 4.5).
        XeroMoneyKind::Prepayment | XeroMoneyKind::Overpayment => StampedKind::Prepayments,
    };
    let is_ours = stamp_of(of_stamp, &element);
    if !stands || !is_received {
        return None;
    }
    let date = required_day(wire.date, "Date").ok()?;
    if kind != XeroMoneyKind::Payment {
        if let Some(stamp) = is_ours {
            return Some(Received::Ours(stamp, contact(wire.contact)));
        }
        let currency = currency(wire.currency_code).unwrap_or(base);
        let amount = required_money(wire.total, currency, "Total").ok()?;
        return Some(Received::Theirs(XeroMoney {
            id,
            kind,
            invoice: None,
            contact: contact(wire.contact),
            amount,
            date,
            owner: None,
        }));
    }
    let of: WireInvoice<'_> = object(wire.invoice?)?;
    let invoice = text(of.invoice_id)?.parse().ok()?;
    // The same reference on another invoice is no sign of ours.
    if let Some(stamp) = is_ours.filter(|stamp| stamp.is_for(invoice)) {
        return Some(Received::Ours(stamp, contact(of.contact)));
    }
    let amount =
        required_money(wire.amount, currency(of.currency_code).unwrap_or(base), "Amount").ok()?;
    let number = optional_text(of.invoice_number, "InvoiceNumber").ok()?.unwrap_or_default();
    let contact = contact(of.contact);
    Some(Received::Theirs(XeroMoney {
        id,
        kind,
        invoice: Some((invoice, number)),
        contact,
        amount,
        date,
        owner: None,
    }))
}

fn currency(member: Member<'_>) -> Option<Currency> {
    text(member)?.parse().ok()
}

fn contact(member: Member<'_>) -> Option<XeroContactId> {
    let wire: WireContact<'_> = object(member?)?;
    text(wire.contact_id)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVOICE: &str = "3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10";

    fn payment(members: &str) -> Option<Received> {
        let json = format!(
            r#"{{"Date":"/Date(1772409600000+0000)/","Amount":50.00,"PaymentType":"ACCRECPAYMENT","Status":"AUTHORISED",
            "Invoice":{{"InvoiceID":"{INVOICE}","InvoiceNumber":"CM-7","CurrencyCode":"NZD",
            "Contact":{{"ContactID":"00000000-0000-0000-0000-000000000009"}}}}{members}}}"#
        );
        let raw: &RawValue = serde_json::from_str(&json).unwrap();
        received(XeroMoneyKind::Payment, Uuid::from_u128(1), raw, "AUD".parse().unwrap())
    }

    #[test]
    fn a_payment_is_read_with_its_invoice_contact_and_currency() {
        // AMB-27
        let Some(Received::Theirs(read)) = payment("") else { panic!() };
        assert_eq!(read.amount.to_string(), "50.00 NZD");
        assert_eq!(read.invoice.unwrap().1, "CM-7");
        assert!(read.contact.is_some() && read.date == jiff::civil::date(2026, 3, 2));
    }

    #[test]
    fn our_own_payment_is_not_another_hands() {
        let [stamp, elsewhere]: [Stamp; 2] =
            ["PM-BFZ0JBZ3TY4E-PNMW8", "PM-BFZ0JBZ3TY4E-JV5FJ"].map(|text| text.parse().unwrap());
        assert!(stamp.is_for(INVOICE) && !elsewhere.is_for(INVOICE));
        let ours = payment(&format!(r#","Reference":"{stamp}""#));
        let contact = "00000000-0000-0000-0000-000000000009".parse().unwrap();
        assert_eq!(ours, Some(Received::Ours(stamp, Some(contact))));
        let theirs = payment(&format!(r#","Reference":"{elsewhere}""#));
        assert!(matches!(theirs, Some(Received::Theirs(_))));
    }
}
