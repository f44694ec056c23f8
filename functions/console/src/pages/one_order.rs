//! One order with its components, invoices, receipts and money side by side (SP-10, SP-11, SP-37).

use payments::{
    Discrepancy, Money, OrderFacts, OrderId, OrderStanding, Receipt, StoredInvoice, compare,
    standing,
};
use serde_json::json;
use table::{DiscrepancySubject, Judged, StoredOrder, discrepancy_name};

use super::{Page, PageError, Stage, discrepancies};
use crate::view::Button;

/// What stands in the place of a figure that a document does not say.
const NOT_SAID: &str = "–";

/// A component, and its value in each document.
pub(super) struct Component {
    pub(super) name: String,
    pub(super) order: String,
    pub(super) invoices: String,
    pub(super) receipts: String,
    pub(super) money: String,
    pub(super) differs: bool,
}

/// An invoice that the order names.
pub(super) struct InvoiceLine {
    pub(super) number: String,
    pub(super) customer: String,
    pub(super) total: String,
    pub(super) tax: String,
    pub(super) shipping: String,
    pub(super) in_xero: String,
    pub(super) look: Button,
}

/// A payment that the order names, or that is on one of its invoices.
pub(super) struct PaymentLine {
    pub(super) id: String,
    pub(super) date: String,
    pub(super) amount: String,
    pub(super) method: String,
    pub(super) status: String,
    pub(super) customer: String,
    pub(super) receipt: String,
    pub(super) look: Button,
}

/// What does not agree, about the order or one of its payments.
pub(super) struct Finding {
    pub(super) kind: String,
    pub(super) about: String,
    pub(super) due: String,
    pub(super) is_late: bool,
    pub(super) detail: String,
    pub(super) details: Button,
}

/// An order, as the page shows it.
pub(super) struct OneOrder {
    pub(super) id: String,
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) problem: Option<String>,
    pub(super) components: Vec<Component>,
    pub(super) invoices: Vec<InvoiceLine>,
    pub(super) payments: Vec<PaymentLine>,
    pub(super) findings: Vec<Finding>,
    pub(super) siblings: Vec<Button>,
}

pub(super) async fn read(stage: &Stage<'_>, id: &OrderId) -> Result<Option<OneOrder>, PageError> {
    let tables = stage.tables;
    let Some(stored) = tables.order(stage.organisation(), id).await? else { return Ok(None) };
    let facts = tables.order_facts(&stored).await?;
    let mut open = Vec::new();
    let of_order = tables.discrepancies_about(Judged::Order(&stored.order)).await?;
    open.extend(findings(stage, &of_order, DiscrepancySubject::Order(id.clone())));
    for receipt in &facts.receipts {
        let of_payment = tables.discrepancies_about(Judged::Payment(receipt)).await?;
        open.extend(findings(stage, &of_payment, DiscrepancySubject::Payment(receipt.id.clone())));
    }
    for invoice in &facts.invoices {
        let on = DiscrepancySubject::Invoice(invoice.number.clone());
        open.extend(findings(stage, &invoice.discrepancies, on));
    }
    let invoices = facts.invoices.iter().map(|invoice| 1 + invoice.payments.len()).sum::<usize>();
    stage.count(1 + facts.receipts.len() + facts.siblings.len() + invoices + open.len());
    Ok(Some(shown(stage, &stored, &facts, open)))
}

fn findings<'a>(
    stage: &'a Stage<'_>,
    all: &'a [Discrepancy],
    on: DiscrepancySubject,
) -> impl Iterator<Item = Finding> + 'a {
    all.iter().filter(|found| found.is_open()).map(move |found| Finding {
        kind: found.key.kind.to_string(),
        about: match &on {
            DiscrepancySubject::Order(id) => format!("order {id}"),
            DiscrepancySubject::Payment(id) => format!("payment {id}"),
            DiscrepancySubject::Invoice(number) => format!("invoice {number}"),
            DiscrepancySubject::Contact(contact) => format!("contact {contact}"),
        },
        details: discrepancies::details(stage, "Details", &discrepancy_name(&on, &found.key)),
        due: stage.moment(found.due_at()),
        is_late: found.due_at() < stage.now,
        detail: found.detail.clone(),
    })
}

fn shown(
    stage: &Stage<'_>,
    stored: &StoredOrder,
    facts: &OrderFacts,
    findings: Vec<Finding>,
) -> OneOrder {
    let order = &stored.order;
    let judged = standing(order, facts)
        .and_then(|standing| Ok((standing, compare(order, facts, &standing)?)));
    let (now, compared, problem) = match judged {
        Ok((standing, compared)) => (Some(standing), compared, None),
        Err(error) => (None, Vec::new(), Some(format!("Its money cannot be added up: {error}"))),
    };
    let said =
        |value: Option<Money>| value.map_or_else(|| NOT_SAID.to_owned(), |value| value.to_string());
    let components = compared.iter().map(|values| Component {
        name: values.component.to_string(),
        order: values.order.to_string(),
        invoices: said(values.invoices),
        receipts: said(values.receipts),
        money: said(values.money),
        differs: values.differs,
    });
    let others = facts.siblings.iter().map(|other| {
        let which = json!({"order_id": other.id.as_str(), "clear": true});
        stage.buttons.page(other.id.as_str(), Page::Orders, which)
    });
    OneOrder {
        id: order.id.to_string(),
        facts: facts_of(stage, stored, now),
        problem,
        components: components.collect(),
        invoices: facts.invoices.iter().map(|invoice| invoice_line(stage, invoice)).collect(),
        payments: facts.receipts.iter().map(|receipt| payment_line(stage, receipt)).collect(),
        findings,
        siblings: others.collect(),
    }
}

/// How it stands by the facts as they are now.
fn facts_of(
    stage: &Stage<'_>,
    stored: &StoredOrder,
    standing: Option<OrderStanding>,
) -> Vec<(&'static str, String)> {
    let order = &stored.order;
    let mut facts = vec![
        (
            "Customer",
            order.customer.as_ref().map_or_else(|| NOT_SAID.to_owned(), ToString::to_string),
        ),
        ("Placed", stage.moment(order.placed_at)),
        ("Completed", stage.moment_or(order.completed_at, "not yet")),
    ];
    if order.cancelled {
        facts.push(("Cancelled", "yes: nothing is to be paid any more".to_owned()));
    }
    if let Some(standing) = standing {
        let left =
            standing.left(order).map_or_else(|_| NOT_SAID.to_owned(), |left| left.to_string());
        let status = standing.status.map_or("nothing has come yet", |status| status.code());
        facts.extend([
            ("Progress", standing.progress.to_string()),
            ("Status", status.to_owned()),
            ("Received and kept", standing.received.to_string()),
            ("Given back", standing.refunded.to_string()),
            ("On its way", standing.pending.to_string()),
            ("Left to pay", left),
        ]);
        if standing.other_currency {
            let text = "money in another currency came for it, and is in none of these figures";
            facts.push(("Other currency", text.to_owned()));
        }
    }
    facts
}

fn invoice_line(stage: &Stage<'_>, invoice: &StoredInvoice) -> InvoiceLine {
    let number = invoice.number.to_string();
    let local = invoice.local.as_ref();
    let said =
        |value: Option<Money>| value.map_or_else(|| NOT_SAID.to_owned(), |value| value.to_string());
    let which = json!({"invoice": number, "clear": true});
    InvoiceLine {
        customer: invoice.customer.as_ref().map(ToString::to_string).unwrap_or_default(),
        total: local.map_or_else(|| "not reported yet".to_owned(), |local| local.total.to_string()),
        tax: said(local.and_then(|local| local.components.tax)),
        shipping: said(local.and_then(|local| local.components.shipping)),
        in_xero: match &invoice.xero {
            Some(xero) => format!("{}, {} due", xero.status, xero.figures.due),
            None => "not there".to_owned(),
        },
        look: stage.buttons.page("Invoice", Page::Invoice, which).about(number.clone()),
        number,
    }
}

fn payment_line(stage: &Stage<'_>, receipt: &Receipt) -> PaymentLine {
    let id = receipt.id.to_string();
    let which = json!({"search": id, "clear": true});
    let document = receipt.document.as_ref().map(|document| {
        let mut text = format!("{}: {}", document.number, document.total);
        for (name, part) in [("tax", document.parts.tax), ("shipping", document.parts.shipping)] {
            if let Some(part) = part {
                text.push_str(&format!(", {name} {part}"));
            }
        }
        text
    });
    PaymentLine {
        date: receipt.date.to_string(),
        amount: receipt.amount.to_string(),
        method: receipt.method.clone(),
        status: receipt.status.to_string(),
        customer: receipt.customer.as_ref().map(ToString::to_string).unwrap_or_default(),
        receipt: document.unwrap_or_else(|| NOT_SAID.to_owned()),
        look: stage.buttons.page("Why", Page::Why, which).about(id.clone()),
        id,
    }
}
