//! What changed in Xero since a moment, a page at a time.

use jiff::fmt::rfc2822;
use jiff::{Timestamp, Unit};
use payments::budget::CallBudget;
use payments::grant::{Grants, Pairs};
use payments::sweep::{OpenFigures, Refund, Seen, SweptList};
use payments::{InvoiceKind, OrganisationId, XeroInvoiceId, XeroPaymentId, XeroPaymentKind};
use reqwest::header::{DATE, HeaderMap};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::client::{Ask, Client, Meter, SCOPE_INVOICES, SCOPE_PAYMENTS};
use crate::error::{Outage, ReadError};
use crate::list::ListName;
use crate::pages::{List, PAGE_SIZES, if_modified_since, page, row_id};
use crate::refund::refund;
use crate::unreadable::Unreadable;
use crate::wire::{
    Member, object, optional_text, required_currency, required_instant, required_money,
    required_text, schema, text,
};

/// By change, the oldest first. A row that changes while the list is read moves to its end.
const BY_CHANGE: &str = "order=UpdatedDateUTC%20ASC&";

/// A page of what changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ChangedPage {
    /// The invoices that its rows name, each row for itself.
    pub seen: Vec<Seen>,
    /// The stamps of its rows, in their order: one for each of `seen`.
    pub stamps: Vec<Timestamp>,
    /// Money that went back to customers.
    pub refunds: Vec<Refund>,
    /// Rows that are about neither: payments of suppliers' documents, and refunds that name no contact.
    pub others: usize,
    /// Rows that cannot be read. They end nothing: each is named, and the others are above.
    pub unreadable: Vec<Unreadable>,
    /// From where to read on; `None` at the end of the list. What changed in that very second comes again.
    pub next: Option<Timestamp>,
    /// When the call was started and when it was answered, by our clock.
    pub started_at: Timestamp,
    /// See `started_at`.
    pub answered_at: Timestamp,
    /// What Xero's clock showed when it answered, if it says so (`Date`).
    pub xero_at: Option<Timestamp>,
}

/// The members that are read of a row of either list.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireChanged<'a> {
    #[serde(borrow)]
    r#type: Member<'a>,
    #[serde(borrow)]
    payment_type: Member<'a>,
    #[serde(borrow)]
    invoice_number: Member<'a>,
    #[serde(borrow)]
    invoice: Member<'a>,
    #[serde(borrow, rename = "UpdatedDateUTC")]
    updated_date_utc: Member<'a>,
}

#[derive(Deserialize)]
struct WireInvoiceOfPayment<'a> {
    #[serde(borrow, rename = "InvoiceID")]
    invoice_id: Member<'a>,
    #[serde(borrow, rename = "InvoiceNumber")]
    invoice_number: Member<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireFigures<'a> {
    #[serde(borrow)]
    r#type: Member<'a>,
    #[serde(borrow)]
    invoice_number: Member<'a>,
    #[serde(borrow)]
    currency_code: Member<'a>,
    #[serde(borrow)]
    amount_paid: Member<'a>,
    #[serde(borrow)]
    amount_credited: Member<'a>,
    #[serde(borrow, rename = "UpdatedDateUTC")]
    updated_date_utc: Member<'a>,
}

/// A row of a list: its stamp, and what it is about.
type Row = (Timestamp, RowSubject);

#[derive(Clone, Debug, Eq, PartialEq)]
enum RowSubject {
    Invoice(Seen),
    Refund(Refund),
    Other,
}

impl<B: CallBudget, G: Grants + Pairs> Client<B, G> {
    /// Reads what changed since a moment, to the second, as far as one page goes. No status is asked for:
    /// what was deleted or voided is what nothing else would show (X-08).
    ///
    /// A list is walked by its stamps: the next page is what changed since the last stamp of this one, and
    /// never page 2, in which rows have moved up by the time it is read. Where that is no way on, because
    /// more changed in one second than a page holds, or the rows do not come in the order asked for, the
    /// rest is read as a whole, by pages whose rows are counted.
    ///
    /// # Errors
    /// Whenever the page is not known in full; see [`ReadError`]. That is never evidence that nothing changed.
    pub async fn changed_since(
        &self,
        organisation: OrganisationId,
        list: SweptList,
        since: Timestamp,
    ) -> Result<ChangedPage, ReadError> {
        let mut meter = self.meter();
        let (which, scope) = match list {
            SweptList::Invoices => (ListName::Invoices, SCOPE_INVOICES),
            SweptList::Payments => (ListName::Payments, SCOPE_PAYMENTS),
        };
        let since = whole_second(since);
        let list =
            List { which, query: BY_CHANGE, modified_since: Some(if_modified_since(since)), scope };
        let (answer, size) = self.first_page(organisation, &list, &mut meter).await?;
        let answered_at = self.http.now();
        let first = page(which, &answer.body)?;
        let mut rows = Vec::with_capacity(first.rows.len());
        let mut unreadable = Vec::new();
        for raw in &first.rows {
            let id = row_id(which, raw);
            match id.and_then(|id| row(which, id, raw)) {
                Ok(row) => rows.push(row),
                Err(error) => unreadable.push(Unreadable::of(which, id.ok(), raw, error)?),
            }
        }
        let is_all = first.pagination.is_none_or(|pagination| pagination.page_count <= 1);
        let next = if is_all { None } else { way_on(&rows, since) };
        if !is_all && next.is_none() {
            tracing::info!(
                xero.organisation_id = %organisation,
                list = which.name(),
                size,
                "a list cannot be walked by its stamps; it is read as a whole"
            );
            let read = |id, raw: &RawValue| row(which, id, raw).map(Some);
            let whole = self.whole_list(organisation, &list, read, &mut meter).await?;
            rows = whole.rows.into_values().collect();
            unreadable = whole.unreadable;
        }
        // A header that is ignored brings everything there is; what is older was not asked for.
        rows.retain(|(stamp, _)| *stamp >= since);
        let (mut seen, mut stamps, mut refunds, mut others) =
            (Vec::new(), Vec::new(), Vec::new(), 0);
        for (stamp, about) in rows {
            match about {
                RowSubject::Other => others += 1,
                RowSubject::Refund(refund) => refunds.push(refund),
                RowSubject::Invoice(invoice) => {
                    seen.push(invoice);
                    stamps.push(stamp);
                }
            }
        }
        Ok(ChangedPage {
            seen,
            stamps,
            refunds,
            others,
            unreadable,
            next,
            started_at: answer.started_at,
            answered_at,
            xero_at: date(&answer.headers),
        })
    }

    /// The first page of a list, as large as an answer may be.
    async fn first_page(
        &self,
        organisation: OrganisationId,
        list: &List<'_>,
        meter: &mut Meter,
    ) -> Result<(crate::http::HttpResponse, u32), ReadError> {
        for size in PAGE_SIZES {
            let mut url = self.url(&[list.which.name()]);
            url.set_query(Some(&format!("{}page=1&pageSize={size}", list.query)));
            let modified_since = list.modified_since.clone();
            let ask = Ask { url, modified_since, scope: list.scope };
            match self.ask(organisation, &ask, meter).await {
                Ok(answer) => return Ok((answer, size)),
                Err(ReadError::TooLong) => {}
                // Of a list, 404 says nothing about its rows (facts.md 3.5).
                Err(ReadError::NotFound) => return Err(Outage::Status(404).into()),
                Err(error) => return Err(error),
            }
        }
        Err(ReadError::TooLong)
    }
}

/// From where to read on after these rows, if reading from there brings others.
pub(crate) fn way_on<T>(rows: &[(Timestamp, T)], since: Timestamp) -> Option<Timestamp> {
    if !rows.is_sorted_by_key(|(stamp, _)| *stamp) {
        return None;
    }
    let last = rows.last().map(|(stamp, _)| whole_second(*stamp))?;
    (last > since).then_some(last)
}

/// Xero looks at whole seconds only, and the earlier one loses nothing.
pub(crate) fn whole_second(at: Timestamp) -> Timestamp {
    let floor = jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Floor);
    at.round(floor).unwrap_or(at)
}

/// What Xero's clock showed, to the second.
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(DATE)?.to_str().ok()?;
    rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

fn row(which: ListName, id: Uuid, raw: &RawValue) -> Result<Row, ReadError> {
    let wire: WireChanged<'_> = object(raw).ok_or(schema(which.name()))?;
    let stamp = required_instant(wire.updated_date_utc, "UpdatedDateUTC")?;
    let seen = match which {
        ListName::Payments => of_payment(id, &wire, raw)?,
        ListName::Invoices
        | ListName::BankTransactions
        | ListName::Contacts
        | ListName::CreditNotes
        | ListName::Overpayments
        | ListName::Prepayments => RowSubject::Invoice(Seen {
            invoice: XeroInvoiceId::new(id),
            kind: match required_text(wire.r#type, "Type")?.as_str() {
                "ACCREC" => InvoiceKind::Sales,
                "ACCPAY" => InvoiceKind::Bill,
                _ => InvoiceKind::Other,
            },
            number: Some(optional_text(wire.invoice_number, "InvoiceNumber")?.unwrap_or_default()),
            updated_at: Some(stamp),
        }),
    };
    Ok((stamp, seen))
}

/// The invoice of a payment. The refund of an overpayment has an id there, too, which is not that of an
/// invoice, so that the type decides (calcinai/xero-php#889).
fn of_payment(id: Uuid, wire: &WireChanged<'_>, raw: &RawValue) -> Result<RowSubject, ReadError> {
    let kind = match optional_text(wire.payment_type, "PaymentType")? {
        None => XeroPaymentKind::Received,
        Some(code) => XeroPaymentKind::from_code(&code).unwrap_or(XeroPaymentKind::Other),
    };
    if kind.is_refund() {
        let refund = refund(XeroPaymentId::new(id), kind, raw)?;
        return Ok(refund.map_or(RowSubject::Other, RowSubject::Refund));
    }
    if kind != XeroPaymentKind::Received {
        return Ok(RowSubject::Other);
    }
    let of: WireInvoiceOfPayment<'_> =
        wire.invoice.and_then(object).ok_or(schema("Payment.Invoice"))?;
    let id = text(of.invoice_id).and_then(|id| id.parse().ok());
    Ok(RowSubject::Invoice(Seen {
        invoice: id.ok_or(schema("Payment.Invoice.InvoiceID"))?,
        kind: InvoiceKind::Sales,
        number: optional_text(of.invoice_number, "Payment.Invoice.InvoiceNumber")?,
        updated_at: None,
    }))
}

pub(crate) fn open_figures(id: Uuid, raw: &RawValue) -> Result<Option<OpenFigures>, ReadError> {
    let wire: WireFigures<'_> = object(raw).ok_or(schema("Invoice"))?;
    if required_text(wire.r#type, "Type")? != InvoiceKind::Sales.code() {
        return Ok(None);
    }
    let currency = required_currency(wire.currency_code, "CurrencyCode")?;
    Ok(Some(OpenFigures {
        invoice: XeroInvoiceId::new(id),
        number: optional_text(wire.invoice_number, "InvoiceNumber")?.unwrap_or_default(),
        paid: required_money(wire.amount_paid, currency, "AmountPaid")?,
        credited: required_money(wire.amount_credited, currency, "AmountCredited")?,
        updated_at: required_instant(wire.updated_date_utc, "UpdatedDateUTC")?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn xeros_clock_is_read_from_the_header_that_every_answer_has() {
        let mut headers = HeaderMap::new();
        assert_eq!(date(&headers), None);
        headers.insert(DATE, "Mon, 05 Oct 2026 03:41:25 GMT".parse().unwrap());
        assert_eq!(date(&headers), Some(at("2026-10-05T03:41:25Z")));
        headers.insert(DATE, "soon".parse().unwrap());
        assert_eq!(date(&headers), None);
    }

    #[test]
    fn a_list_is_walked_on_from_the_second_of_its_last_row() {
        let rows = |stamps: &[&str]| {
            stamps.iter().map(|s| (at(s), RowSubject::Other)).collect::<Vec<Row>>()
        };
        let since = at("2026-10-05T03:00:00Z");
        let sorted = rows(&["2026-10-05T03:00:00.5Z", "2026-10-05T03:00:02.9Z"]);
        assert_eq!(way_on(&sorted, since), Some(at("2026-10-05T03:00:02Z")));
        // All within a second, or not in order: that would be no way on.
        assert_eq!(way_on(&rows(&["2026-10-05T03:00:00.5Z"]), since), None);
        assert_eq!(way_on(&rows(&["2026-10-05T03:00:03Z", "2026-10-05T03:00:02Z"]), since), None);
        assert_eq!(way_on::<RowSubject>(&[], since), None);
    }

    #[test]
    fn what_a_payment_is_on_depends_on_its_type() {
        let read = |json: &str| {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            row(ListName::Payments, Uuid::nil(), raw)
        };
        let of = |kind: &str| {
            read(&format!(
                r#"{{"UpdatedDateUTC":"/Date(1790000000000+0000)/"{kind},"Invoice":{{"InvoiceID":"3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10","InvoiceNumber":"CM-7"}}}}"#
            ))
        };
        for kind in ["", r#","PaymentType":"ACCRECPAYMENT""#] {
            let (_, RowSubject::Invoice(seen)) = of(kind).unwrap() else { panic!("{kind}") };
            assert_eq!((seen.number.as_deref(), seen.updated_at), (Some("CM-7"), None));
        }
        for kind in ["ACCPAYPAYMENT", "APCREDITPAYMENT", "NEWPAYMENT"] {
            let (_, about) = of(&format!(r#","PaymentType":"{kind}""#)).unwrap();
            assert_eq!(about, RowSubject::Other, "{kind}");
        }
        let without = read(r#"{"UpdatedDateUTC":"/Date(1790000000000+0000)/"}"#);
        assert_eq!(without, Err(ReadError::Schema { field: "Payment.Invoice" }));
    }

    #[test]
    fn a_refund_is_read_from_wherever_its_document_stands() {
        // AMB-38
        let document = |id: &str| {
            format!(
                r#"{{"{id}":"249f15fa-f2a7-4acc-8769-0984103f2225","InvoiceNumber":"CN-0005","CurrencyCode":"NZD",
                "Contact":{{"ContactID":"430fa14a-f945-44d3-9f97-5df5e28441b8"}}}}"#
            )
        };
        let read = |kind: &str, more: &str| {
            let json = format!(
                r#"{{"PaymentType":"{kind}","Status":"AUTHORISED","Amount":2.00,
                "Date":"/Date(1552521600000+0000)/","UpdatedDateUTC":"/Date(1551812346173+0000)/"{more}}}"#
            );
            let raw: &RawValue = serde_json::from_str(&json).unwrap();
            row(ListName::Payments, Uuid::nil(), raw).unwrap().1
        };
        for (kind, nested, id) in [
            ("ARCREDITPAYMENT", "CreditNote", "CreditNoteID"),
            ("ARPREPAYMENTPAYMENT", "Prepayment", "PrepaymentID"),
            ("AROVERPAYMENTPAYMENT", "Overpayment", "OverpaymentID"),
        ] {
            let in_place = format!(r#","Invoice":{}"#, document("InvoiceID"));
            let by_name = format!(r#","{nested}":{}"#, document(id));
            let both = format!(
                r#","Invoice":{{"InvoiceID":"249f15fa-f2a7-4acc-8769-0984103f2225"}}{by_name}"#
            );
            for more in [in_place, by_name, both] {
                let RowSubject::Refund(refund) = read(kind, &more) else { panic!("{kind}{more}") };
                let contact = "430fa14a-f945-44d3-9f97-5df5e28441b8".parse().unwrap();
                assert_eq!((refund.contact, refund.deleted), (contact, false));
                let detail = refund.detail();
                assert!(detail.starts_with("2.00 NZD of 2019-03-14 went back, of a"), "{detail}");
            }
            assert_eq!(read(kind, ""), RowSubject::Other, "no contact is named");
        }
    }
}
