//! Credit notes that the API writes: of customers and of suppliers, as drafts or approved.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    ContactChoice, CreditDocument, CreditKind, InvoiceDraft, Line, Organisation, Refusal,
    rules::TEXT_LENGTH_MAX,
};
use crate::random::Random;

/// How far a credit note has come on its way into the books.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CreditNoteStage {
    /// Not yet in the books.
    Draft,
    /// Waits for approval.
    Submitted,
    /// A draft that was thrown away.
    Deleted,
    /// In the books: its status follows from what of it is left.
    #[default]
    #[serde(rename = "AUTHORISED")]
    Approved,
}

impl CreditNoteStage {
    /// Xero's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Submitted => "SUBMITTED",
            Self::Deleted => "DELETED",
            Self::Approved => "AUTHORISED",
        }
    }
}

/// A credit note whose fields were read but not yet accepted.
#[derive(Clone, Debug)]
pub(crate) struct CreditNoteDraft {
    pub(crate) of_supplier: bool,
    /// `None` lets the organisation count on.
    pub(crate) number: Option<String>,
    pub(crate) reference: String,
    pub(crate) contact: ContactChoice,
    pub(crate) currency: Option<String>,
    pub(crate) date: Date,
    pub(crate) line_amounts: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) stage: CreditNoteStage,
}

/// A supplier's credit note to record, approved, as a person would in Xero.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewSupplierCredit {
    /// `CreditNoteNumber`, which need not be unique.
    pub number: String,
    /// Its date.
    pub date: Date,
    /// How much. A string in JSON.
    pub amount: Decimal,
}

impl NewSupplierCredit {
    pub(crate) fn draft(self, contact: Uuid, ids: &mut Random) -> CreditNoteDraft {
        let line = Line {
            id: ids.uuid(),
            description: "Given back".to_owned(),
            quantity: Decimal::ONE,
            unit_amount: self.amount,
            amount: self.amount,
            tax: Decimal::ZERO,
            account_code: "200".to_owned(),
            tax_type: None,
        };
        CreditNoteDraft {
            of_supplier: true,
            number: Some(self.number),
            reference: String::new(),
            contact: ContactChoice::Known(contact),
            currency: None,
            date: self.date,
            line_amounts: "NoTax".to_owned(),
            lines: vec![line],
            stage: CreditNoteStage::Approved,
        }
    }
}

impl Organisation {
    /// Puts a credit note into the books.
    pub(crate) fn add_credit_note_of(
        &mut self,
        draft: CreditNoteDraft,
        ids: &mut Random,
        now: Timestamp,
    ) -> Result<Uuid, Refusal> {
        let objections = self.objections_to_credit_note(&draft);
        if !objections.is_empty() {
            return Err(Refusal(objections));
        }
        let (contact, _) = self.take_contact(draft.contact, ids, now);
        let at = self.tick(now);
        let (id, serial) = (ids.uuid(), self.next_serial());
        let (tax, total) = InvoiceDraft::totals(&draft.line_amounts, &draft.lines);
        self.put_credit(CreditDocument {
            id,
            kind: CreditKind::CreditNote,
            number: draft.number.unwrap_or_else(|| format!("CN-{serial:04}")),
            contact,
            reference: draft.reference,
            currency: draft.currency.unwrap_or_else(|| self.currency.clone()),
            date: draft.date,
            tax,
            total,
            of_supplier: draft.of_supplier,
            stage: draft.stage,
            line_amounts: draft.line_amounts,
            lines: draft.lines,
            voided: false,
            bank_transaction: None,
            allocations: Vec::new(),
            refunds: Vec::new(),
            updated: at,
            serial,
        });
        Ok(id)
    }

    fn objections_to_credit_note(&self, draft: &CreditNoteDraft) -> Vec<String> {
        let mut objections = Vec::new();
        objections.extend(self.contact_objection(&draft.contact));
        if draft.lines.is_empty() {
            objections.push("One or more line items must be specified".to_owned());
        }
        if InvoiceDraft::totals(&draft.line_amounts, &draft.lines).1 < Decimal::ZERO {
            objections.push(
                "The total for this document must be greater than or equal to zero".to_owned(),
            );
        }
        if let Some(number) = &draft.number {
            if number.chars().count() > TEXT_LENGTH_MAX {
                objections.push("Credit Note # cannot be longer than 255 characters".to_owned());
            }
            let taken = self.credit_documents.values().any(|known| {
                known.kind == CreditKind::CreditNote
                    && !known.of_supplier
                    && known.number == *number
            });
            // Numbers of suppliers' credit notes are not theirs alone (facts.md 4.6).
            if taken && !draft.of_supplier {
                objections.push("Credit Note # must be unique.".to_owned());
            }
        }
        if draft.stage == CreditNoteStage::Approved {
            let lines = draft.lines.iter();
            objections.extend(lines.filter_map(|line| self.line_objection(line)));
        }
        objections.extend(self.lock_objection(draft.date));
        objections
    }

    /// Approves a draft, throws it away, or voids what is approved.
    pub(crate) fn set_credit_note_status(
        &mut self,
        id: Uuid,
        status: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        use CreditNoteStage::{Approved, Deleted, Draft, Submitted};
        let document = self.credit(id)?;
        let stage = match (document.stage, status) {
            (Draft | Submitted, "DRAFT") => Draft,
            (Draft | Submitted, "SUBMITTED") => Submitted,
            (Draft | Submitted, "AUTHORISED") => Approved,
            (Draft | Submitted, "DELETED") => Deleted,
            (Approved, "VOIDED") => return self.void_credit(id, now),
            _ => {
                return Err(Refusal::because("Credit note not of valid status for modification"));
            }
        };
        let at = self.tick(now);
        self.change_credit(id, at, |document| document.stage = stage)
    }
}
