//! A call as it came in, and the shapes its body may have.

use axum::{
    body::Bytes,
    http::{HeaderMap, Method, Uri},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error as _};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{books::ContactChoice, faults::API_PATH, query::Query, reply::Reply};

/// A larger body is not read (facts.md 3.6).
pub(super) const BODY_BYTES_MAX: usize = 3_500_000;

/// A call of the Accounting API.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) raw_query: String,
    pub(super) query: Query,
    headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Call {
    pub(super) fn new(method: Method, uri: &Uri, headers: HeaderMap, body: Bytes) -> Self {
        let raw_query = uri.query().unwrap_or_default().to_owned();
        Self {
            method,
            path: uri.path().to_owned(),
            query: Query::parse(&raw_query),
            raw_query,
            headers,
            body,
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The path below `/api.xro/2.0`, in its parts.
    pub(super) fn segments(&self) -> Vec<&str> {
        let path = self.path.strip_prefix(API_PATH).unwrap_or(&self.path);
        path.split('/').filter(|segment| !segment.is_empty()).collect()
    }

    /// Whether the caller asked for JSON; Xero answers in XML otherwise (facts.md 4).
    pub(super) fn accepts_json(&self) -> bool {
        let accept = self.header("accept").unwrap_or_default();
        accept.contains("application/json") || accept.contains("text/json")
    }

    /// The body as JSON. Xero takes anything not said to be JSON for XML, and cannot read it.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Reply> {
        let kind = self.header("content-type").unwrap_or_default();
        if !kind.contains("json") {
            return Err(Reply::unreadable(
                "Data at the root level is invalid. Line 1, position 1.",
            ));
        }
        serde_json::from_slice(&self.body).map_err(|error| Reply::unreadable(&error.to_string()))
    }
}

/// A number, or a string with a number in it, with every digit it was written with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amount(pub(super) Decimal);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get().trim_matches('"');
        Decimal::from_str_exact(text)
            .or_else(|_| Decimal::from_scientific(text))
            .map(Self)
            .map_err(|_| D::Error::custom(format!("{text} is not a number")))
    }
}

/// A calendar date in any of the forms that Xero reads (facts.md 4.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Day(pub(super) Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bad = || D::Error::custom(format!("{text} is not a date"));
        if let Some(inner) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) {
            let millis = inner.split_once('+').map_or(inner, |(millis, _)| millis);
            let at = millis.parse().ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
            return at.map(|at| Self(at.to_zoned(TimeZone::UTC).date())).ok_or_else(bad);
        }
        let date = text.get(..10).unwrap_or(&text);
        date.parse().map(Self).map_err(|_| bad())
    }
}

/// A document named by its id or its number.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct InvoiceRef {
    #[serde(rename = "InvoiceID")]
    pub(super) id: Option<Uuid>,
    #[serde(rename = "InvoiceNumber")]
    pub(super) number: Option<String>,
}

/// An account named by its id or its code.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct AccountRef {
    #[serde(rename = "AccountID")]
    pub(super) id: Option<Uuid>,
    #[serde(rename = "Code")]
    pub(super) code: Option<String>,
}

/// A payment to record, as it is sent.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct PaymentIn {
    #[serde(rename = "Invoice")]
    pub(super) invoice: Option<InvoiceRef>,
    #[serde(rename = "InvoiceNumber")]
    pub(super) invoice_number: Option<String>,
    #[serde(rename = "Account")]
    pub(super) account: Option<AccountRef>,
    #[serde(rename = "Code")]
    pub(super) code: Option<String>,
    #[serde(rename = "Date")]
    pub(super) date: Option<Day>,
    #[serde(rename = "Amount")]
    pub(super) amount: Option<Amount>,
    #[serde(rename = "Reference")]
    pub(super) reference: Option<String>,
    #[serde(rename = "IsReconciled")]
    pub(super) reconciled: Option<bool>,
}

/// `{"Payments":[…]}`; the list is missing where a bare payment was sent.
#[derive(Deserialize)]
pub(super) struct PaymentsIn {
    #[serde(rename = "Payments")]
    pub(super) payments: Option<Vec<PaymentIn>>,
}

/// A batch payment to record, as it is sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchPaymentIn {
    pub(super) account: Option<AccountRef>,
    pub(super) date: Option<Day>,
    pub(super) reference: Option<String>,
    pub(super) payments: Option<Vec<PaymentIn>>,
}

/// `{"BatchPayments":[…]}`; the list is missing where a bare one was sent.
#[derive(Deserialize)]
pub(super) struct BatchPaymentsIn {
    #[serde(rename = "BatchPayments")]
    pub(super) batch_payments: Option<Vec<BatchPaymentIn>>,
}

/// A contact named by its id or its name.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ContactRef {
    #[serde(rename = "ContactID")]
    pub(super) id: Option<Uuid>,
    #[serde(rename = "Name")]
    pub(super) name: Option<String>,
}

impl ContactRef {
    pub(super) fn choice(self) -> ContactChoice {
        match (self.id, self.name) {
            (Some(id), _) => ContactChoice::Known(id),
            (None, Some(name)) => ContactChoice::Named(name),
            (None, None) => ContactChoice::Missing,
        }
    }
}

/// A line of a document, as it is sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LineIn {
    #[serde(rename = "LineItemID")]
    pub(super) id: Option<Uuid>,
    pub(super) description: Option<String>,
    pub(super) quantity: Option<Amount>,
    pub(super) unit_amount: Option<Amount>,
    pub(super) line_amount: Option<Amount>,
    pub(super) tax_amount: Option<Amount>,
    pub(super) account_code: Option<String>,
    pub(super) tax_type: Option<String>,
}

/// An invoice to create or change, as it is sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct InvoiceIn {
    #[serde(rename = "InvoiceID")]
    pub(super) id: Option<Uuid>,
    #[serde(rename = "Type")]
    pub(super) kind: Option<String>,
    pub(super) invoice_number: Option<String>,
    pub(super) contact: Option<ContactRef>,
    pub(super) reference: Option<String>,
    pub(super) currency_code: Option<String>,
    pub(super) date: Option<Day>,
    pub(super) due_date: Option<Day>,
    pub(super) line_amount_types: Option<String>,
    pub(super) line_items: Option<Vec<LineIn>>,
    pub(super) status: Option<String>,
}

/// `{"Invoices":[…]}`; the list is missing where a bare invoice was sent.
#[derive(Deserialize)]
pub(super) struct InvoicesIn {
    #[serde(rename = "Invoices")]
    pub(super) invoices: Option<Vec<InvoiceIn>>,
}

/// A credit note to create or change, as it is sent. Allocations and payments in it are not read: each has a call of
/// its own.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreditNoteIn {
    #[serde(rename = "CreditNoteID")]
    pub(super) id: Option<Uuid>,
    #[serde(rename = "Type")]
    pub(super) kind: Option<String>,
    pub(super) credit_note_number: Option<String>,
    pub(super) contact: Option<ContactRef>,
    pub(super) reference: Option<String>,
    pub(super) currency_code: Option<String>,
    pub(super) date: Option<Day>,
    pub(super) line_amount_types: Option<String>,
    pub(super) line_items: Option<Vec<LineIn>>,
    pub(super) status: Option<String>,
}

/// `{"CreditNotes":[…]}`; the list is missing where a bare one was sent.
#[derive(Deserialize)]
pub(super) struct CreditNotesIn {
    #[serde(rename = "CreditNotes")]
    pub(super) credit_notes: Option<Vec<CreditNoteIn>>,
}

/// An allocation to make, as it is sent. Other names of the amount are not read.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AllocationIn {
    pub(super) invoice: Option<InvoiceRef>,
    pub(super) amount: Option<Amount>,
    pub(super) date: Option<Day>,
}

/// `{"Allocations":[…]}`; the list is missing where a bare one was sent.
#[derive(Deserialize)]
pub(super) struct AllocationsIn {
    #[serde(rename = "Allocations")]
    pub(super) allocations: Option<Vec<AllocationIn>>,
}

/// A bank transaction to record, as it is sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BankTransactionIn {
    #[serde(rename = "BankTransactionID")]
    pub(super) id: Option<Uuid>,
    #[serde(rename = "Type")]
    pub(super) kind: Option<String>,
    pub(super) contact: Option<ContactRef>,
    pub(super) bank_account: Option<AccountRef>,
    pub(super) date: Option<Day>,
    pub(super) reference: Option<String>,
    pub(super) currency_code: Option<String>,
    pub(super) status: Option<String>,
    pub(super) line_amount_types: Option<String>,
    pub(super) line_items: Option<Vec<LineIn>>,
    #[serde(rename = "IsReconciled")]
    pub(super) reconciled: Option<bool>,
}

/// `{"BankTransactions":[…]}`; the list is missing where a bare one was sent.
#[derive(Deserialize)]
pub(super) struct BankTransactionsIn {
    #[serde(rename = "BankTransactions")]
    pub(super) bank_transactions: Option<Vec<BankTransactionIn>>,
}
