//! A notice to a customer about what does not agree with a payment (SP-23): which kinds have one, what it rests on, and
//! what came back (SP-26). The words are a business's own; a template makes them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::discrepancy::{Discrepancy, DiscrepancyKey, DiscrepancyKind};
use crate::ids::{CustomerId, InvoiceNumber, OrganisationId};
use crate::invoice_amounts::figures_of;
use crate::reason::codes;
use crate::reports::Refusal;
use crate::stored::StoredInvoice;

codes! {
    /// What the customer is asked to do.
    NoticeKind {
        /// A payment failed: pay again.
        FailedPayment = "failed_payment",
        /// Nothing has come in: pay.
        MissingPayment = "missing_payment",
        /// Too much has come in: choose between a refund and a credit.
        Overpaid = "overpaid",
        /// A part has come in: pay the rest.
        Underpaid = "underpaid",
    }
}

impl NoticeKind {
    /// The notice for a kind of discrepancy; none for what a customer can do nothing about.
    pub fn of(kind: DiscrepancyKind) -> Option<Self> {
        Some(match kind {
            DiscrepancyKind::FailedPayment => Self::FailedPayment,
            DiscrepancyKind::MissingPayment => Self::MissingPayment,
            DiscrepancyKind::Overpaid => Self::Overpaid,
            DiscrepancyKind::Underpaid => Self::Underpaid,
            _ => return None,
        })
    }

    /// The steps that are open to the customer, for a system that offers them as buttons.
    pub const fn steps(self) -> &'static [&'static str] {
        match self {
            Self::FailedPayment => &["pay_again"],
            Self::MissingPayment => &["pay"],
            Self::Overpaid => &["refund", "keep_as_credit"],
            Self::Underpaid => &["pay_the_rest"],
        }
    }
}

/// A draft, as it is handed to the business's own system.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CustomerNotice {
    /// Names it for ever: what is reported of it later bears the same.
    pub id: String,
    /// What the customer is asked to do.
    pub kind: NoticeKind,
    /// For whom, if the business's own system has said so.
    pub customer: Option<CustomerId>,
    /// The first line of the words.
    pub subject: String,
    /// The rest of them.
    pub text: String,
}

/// A notice that was drafted, and what the business's own system has reported of it (SP-26).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredNotice {
    /// Whose books.
    pub organisation: OrganisationId,
    /// The invoice that it is about.
    pub invoice: InvoiceNumber,
    /// The discrepancy that it is about.
    pub discrepancy: DiscrepancyKey,
    /// The draft.
    pub notice: CustomerNotice,
    /// When it was drafted.
    pub drafted_at: Timestamp,
    /// What was reported last; none before.
    pub report: Option<NoticeReport>,
}

/// What the business's own system says became of a notice. A later report holds all that an earlier one said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NoticeReport {
    /// Whose books.
    pub organisation: OrganisationId,
    /// Which notice.
    pub id: String,
    /// The sender's version of the report.
    pub revision: u64,
    /// When it went to the customer.
    pub sent_at: Option<Timestamp>,
    /// When the customer answered.
    pub answered_at: Option<Timestamp>,
    /// What the customer chose or wrote.
    pub answer: Option<String>,
    /// Whether the customer is satisfied with how it was resolved; none if the customer has not said (SP-26).
    pub satisfied: Option<bool>,
}

/// What the words of a notice can name, ready to be read: amounts have their currency, days are ISO.
pub type NoticeFacts = BTreeMap<&'static str, String>;

/// What a notice about that discrepancy rests on; none if its kind has no notice.
pub fn notice_facts(
    invoice: &StoredInvoice,
    found: &Discrepancy,
) -> Option<(NoticeKind, NoticeFacts)> {
    let kind = NoticeKind::of(found.key.kind)?;
    let local = invoice.local.as_ref()?;
    let figures = figures_of(invoice, &found.key);
    let mut facts = NoticeFacts::from([
        ("invoice", invoice.number.to_string()),
        ("total", local.total.to_string()),
        ("due_on", local.due_on.to_string()),
        ("name", local.contact.name().unwrap_or_default().to_owned()),
    ]);
    facts.extend(figures.received.map(|received| ("received", received.to_string())));
    facts.extend(figures.at_stake.map(|amount| ("amount", amount.to_string())));
    let payment = invoice.payments.iter().find(|known| known.id.as_str() == found.key.subject);
    if let Some(payment) = payment {
        facts.insert("paid_on", payment.date.to_string());
        facts.insert("method", payment.method.clone());
    }
    Some((kind, facts))
}

/// The id of the next notice about a discrepancy of an invoice.
pub fn next_notice_id(number: &InvoiceNumber, found: &Discrepancy) -> String {
    format!("{number}#{}#{}", found.key, found.case.notices.saturating_add(1))
}

impl StoredNotice {
    /// The same after a report; none if the report is no news.
    ///
    /// # Errors
    /// `RevisionReused`.
    pub fn after(&self, report: &NoticeReport) -> Result<Option<Self>, Refusal> {
        match &self.report {
            Some(known) if known.revision > report.revision || known == report => Ok(None),
            Some(known) if known.revision == report.revision => {
                Err(Refusal::RevisionReused { revision: report.revision })
            }
            _ => Ok(Some(Self { report: Some(report.clone()), ..self.clone() })),
        }
    }
}

impl NoticeReport {
    /// What it says, in a word: the last thing that happened.
    pub fn state(&self) -> &'static str {
        match self {
            Self { satisfied: Some(true), .. } => "satisfied",
            Self { satisfied: Some(false), .. } => "not_satisfied",
            Self { answered_at: Some(_), .. } => "answered",
            Self { sent_at: Some(_), .. } => "sent",
            _ => "not_sent",
        }
    }
}
