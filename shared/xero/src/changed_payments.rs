//! The payments that changed since a moment, for the certificate that all of them are accounted for.

use payments::sweep::PaymentChange;
use payments::{XeroPaymentId, XeroPaymentKind};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::decimals;
use crate::error::ReadError;
use crate::refund::refund;
use crate::wire::{Member, object, optional_text, required_day, required_instant, schema, text};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WirePaymentChange<'a> {
    #[serde(borrow)]
    date: Member<'a>,
    #[serde(borrow)]
    amount: Member<'a>,
    #[serde(borrow)]
    status: Member<'a>,
    #[serde(borrow)]
    payment_type: Member<'a>,
    #[serde(borrow)]
    invoice: Member<'a>,
    #[serde(borrow, rename = "UpdatedDateUTC")]
    updated_date_utc: Member<'a>,
}

#[derive(Deserialize)]
struct WireInvoice<'a> {
    #[serde(borrow, rename = "InvoiceID")]
    invoice_id: Member<'a>,
    #[serde(borrow, rename = "InvoiceNumber")]
    invoice_number: Member<'a>,
}

/// What a row of `GET /Payments` says.
pub(crate) fn change(id: Uuid, raw: &RawValue) -> Result<Option<PaymentChange>, ReadError> {
    let wire: WirePaymentChange<'_> = object(raw).ok_or(schema("Payment"))?;
    let kind = match optional_text(wire.payment_type, "PaymentType")? {
        None => XeroPaymentKind::Received,
        Some(code) => XeroPaymentKind::from_code(&code).unwrap_or(XeroPaymentKind::Other),
    };
    let refund = if kind.is_refund() { refund(XeroPaymentId::new(id), kind, raw)? } else { None };
    let invoice: Option<WireInvoice<'_>> = wire.invoice.and_then(object);
    let (mut of, mut number) = (None, None);
    // The refund of an overpayment has an id there, too, which is not that of an invoice.
    if kind == XeroPaymentKind::Received {
        let invoice = invoice.ok_or(schema("Payment.Invoice"))?;
        let id = text(invoice.invoice_id).and_then(|id| id.parse().ok());
        of = Some(id.ok_or(schema("Payment.Invoice.InvoiceID"))?);
        number = optional_text(invoice.invoice_number, "Payment.Invoice.InvoiceNumber")?;
    }
    Ok(Some(PaymentChange {
        id: XeroPaymentId::new(id),
        invoice: of,
        number,
        kind,
        refund,
        deleted: optional_text(wire.status, "Status")?.as_deref() == Some("DELETED"),
        amount: wire.amount.and_then(decimals::decimal).ok_or(schema("Amount"))?,
        date: required_day(wire.date, "Date")?,
        updated_at: required_instant(wire.updated_date_utc, "UpdatedDateUTC")?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_with_what_it_is_on_and_exactly() {
        let read = |status: &str, kind: &str| {
            let json = format!(
                r#"{{"Date":"/Date(1772409600000+0000)/","Amount":100.10,"Status":"{status}","PaymentType":"{kind}",
                "UpdatedDateUTC":"/Date(1790000000000+0000)/",
                "Invoice":{{"InvoiceID":"3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10","InvoiceNumber":"CM-7"}}}}"#
            );
            let raw: &RawValue = serde_json::from_str(&json).unwrap();
            change(Uuid::nil(), raw).unwrap().unwrap()
        };
        let paid = read("AUTHORISED", "ACCRECPAYMENT");
        assert_eq!((paid.number.as_deref(), paid.deleted), (Some("CM-7"), false));
        assert_eq!(
            (paid.amount.to_string(), paid.date.to_string()),
            ("100.10".into(), "2026-03-02".into())
        );
        assert!(read("DELETED", "ACCRECPAYMENT").deleted);
        let refund = read("AUTHORISED", "AROVERPAYMENTPAYMENT");
        assert_eq!((refund.invoice, refund.number), (None, None));
    }
}
