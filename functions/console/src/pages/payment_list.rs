//! Payments in a list, each with a button that explains it: those of an invoice, and those of an amount.

use std::sync::Arc;

use payments::InvoiceNumber;
use payments::explanations::{InvoiceView, PaymentLine, State, XeroLinks};
use serde_json::json;
use table::{AmountsFound, Candidate};

use super::{Page, PageError, Stage};
use crate::view::Button;

/// Payments of an invoice that are listed, the last ones; its own page shows more.
const SHOWN_MAX: usize = 50;
/// Payments of an amount that are listed: the state of each takes a few reads.
const STATES_MAX: usize = 20;

/// Payments in a list.
pub(super) struct Listed {
    pub(super) title: String,
    pub(super) lines: Vec<Line>,
    pub(super) left_out: Option<String>,
}

/// One of them.
pub(super) struct Line {
    pub(super) payment: Button,
    pub(super) amount: String,
    pub(super) date: String,
    pub(super) state: String,
    pub(super) invoice: Option<Button>,
}

/// The payments of an invoice with the state of each; none if nothing is stored under its number.
pub(super) async fn of_invoice(
    stage: &Stage<'_>,
    number: &InvoiceNumber,
    links: &XeroLinks,
) -> Result<Option<Listed>, PageError> {
    let stored = Arc::new(stage.tables.invoice(stage.organisation(), number).await?);
    stage.count(1);
    for rows in [stored.payments.len(), stored.held.len(), stored.discrepancies.len()] {
        stage.count(rows);
    }
    let (context, read) = stage.tables.context(&stored).await?;
    stage.count_read(read);
    let view = InvoiceView::of(&stored, &context, stage.settings, links, stage.now);
    let Some(view) = view else { return Ok(None) };
    let earlier = view.payments.len().saturating_sub(SHOWN_MAX);
    let removed = view.removed.len();
    let line = |line: &PaymentLine| {
        let ours = line.payment.as_ref().map(ToString::to_string);
        let name = ours.or(line.xero.map(|id| id.to_string())).unwrap_or_default();
        Line {
            payment: why(stage, &name),
            amount: line.amount.to_string(),
            date: line.date.to_string(),
            state: line.state.to_string(),
            invoice: None,
        }
    };
    let mut left_out = Vec::new();
    if earlier > 0 {
        left_out.push(format!("{earlier} earlier payments are not shown."));
    }
    if removed > 0 {
        left_out.push(format!("Removed: {removed}, see the invoice's own page."));
    }
    Ok(Some(Listed {
        title: format!("Payments of invoice {number}"),
        lines: view.payments.iter().skip(earlier).map(line).collect(),
        left_out: (!left_out.is_empty()).then(|| left_out.join(" ")),
    }))
}

/// The payments of an amount that were found, each with its one state, and how far was looked.
pub(super) async fn of_amount(
    stage: &Stage<'_>,
    amounts: &AmountsFound,
) -> Result<Listed, PageError> {
    let mut lines = Vec::new();
    for found in amounts.candidates.iter().take(STATES_MAX) {
        lines.push(candidate(stage, found).await?);
    }
    let mut left_out = amounts.searched.to_string();
    if amounts.candidates.len() > STATES_MAX {
        left_out.insert_str(0, "There are more: type the number of the invoice, or an id. ");
    }
    Ok(Listed { title: "Payments of that amount".to_owned(), lines, left_out: Some(left_out) })
}

async fn candidate(stage: &Stage<'_>, found: &Candidate) -> Result<Line, PageError> {
    let known = stage.tables.facts_of(stage.settings, &found.subject).await?;
    stage.count_read(known.read);
    let state = State::of(&known.facts, stage.settings);
    Ok(Line {
        payment: why(stage, &found.subject.to_string()),
        amount: found.amount.to_string(),
        date: found.date.map(|date| date.to_string()).unwrap_or_default(),
        state: state.map_or_else(|| found.seen.clone(), |state| state.to_string()),
        invoice: found.invoice.as_ref().map(|number| invoice(stage, number)),
    })
}

/// A button that leads to an invoice.
pub(super) fn invoice(stage: &Stage<'_>, number: &InvoiceNumber) -> Button {
    let label = format!("Invoice {number}");
    let more = json!({"invoice": number.as_str(), "clear": true});
    stage.buttons.page(&label, Page::Invoice, more)
}

fn why(stage: &Stage<'_>, name: &str) -> Button {
    stage.buttons.page(name, Page::Why, json!({"search": name, "clear": true}))
}
