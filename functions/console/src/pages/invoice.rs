//! An invoice with its payments in order, the balance after each, and its history (ST-12, ST-14).
//! `payments::explanations` makes the sentences; here they are only shown.

use std::sync::Arc;

use askama::Template;
use payments::explanations::{
    Agreement, InvoiceContext, InvoiceView, Link, NEEDS_LOGIN, PaymentLine, RemovedLine, State,
    XeroLinks,
};
use payments::{
    AppliedCredit, CreditKind, Discrepancy, InvoiceNumber, Money, Settled, StoredInvoice, restore,
};
use serde_json::{Value, json};
use table::{ActivityRow, DiscrepancySubject, HistoryPage, discrepancy_name};

use super::activity::{number_of, unreadable};
use super::integrations::TO_BE_JUDGED_AGAIN;
use super::{Page, PageError, Stage, discrepancies, filled, payment_actions};
use crate::order::Order;
use crate::view::{Button, Frame};

/// Payments that are shown, the last ones.
const SHOWN_MAX: usize = 100;
/// Discrepancies that the first lines name; all of them stand in a table below.
const BANNER_MAX: usize = 3;

struct Line {
    date: String,
    amount: String,
    balance: String,
    how: String,
    state: String,
    is_held: bool,
    counts: bool,
    why: Button,
    orders: Vec<Button>,
    link: Option<Link>,
}

struct Gone {
    date: String,
    amount: String,
    payment: String,
    at: String,
    why: String,
    restore: Option<Button>,
}

struct Finding {
    kind: String,
    at: String,
    back: Option<String>,
    detail: String,
    /// Who accepted it, when and why.
    accepted: Option<String>,
    accept: Option<Button>,
    /// Its own page.
    details: Button,
}

/// A row of the history.
pub(super) struct Event {
    pub(super) at: String,
    pub(super) action: String,
    pub(super) about: String,
    pub(super) why: String,
    pub(super) who: String,
}

/// The page of an invoice that is there.
struct Shown {
    number: String,
    xero_number: String,
    overdue: Option<String>,
    open: Option<String>,
    agrees: bool,
    agreement: String,
    /// What does not agree all the same, and until when it is to be resolved.
    disagrees: Option<String>,
    facts: Vec<(&'static str, String)>,
    remarks: Vec<payments::explanations::Remark>,
    lines: Vec<Line>,
    left_out: Option<String>,
    gone: Vec<Gone>,
    findings: Vec<Finding>,
    accepted: Vec<Finding>,
    link: Option<Link>,
    events: Vec<Event>,
    unreadable: Vec<String>,
    is_older: bool,
    newest: Button,
    older: Option<Button>,
}

#[derive(Template)]
#[template(path = "invoice.html")]
struct Invoice {
    frame: Frame,
    typed: String,
    show: Button,
    nothing: Option<String>,
    may_not: Option<String>,
    invoice: Option<Shown>,
    needs_login: &'static str,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let typed = &stage.show.filter.invoice;
    let (mut invoice, mut nothing) = (None, None);
    match number_of(typed, stage) {
        None => {}
        Some(Err(())) => nothing = Some("That is no number of an invoice.".to_owned()),
        Some(Ok(number)) => {
            invoice = read(stage, &number).await?;
            if invoice.is_none() {
                nothing = Some(format!("Nothing is stored under the number {number}."));
            }
        }
    }
    let any = invoice.is_some();
    filled(&Invoice {
        frame: stage.frame(),
        typed: typed.clone(),
        show: stage.buttons.page("Show", Page::Invoice, json!({})),
        nothing,
        may_not: stage.may_not().filter(|_| any),
        invoice,
        needs_login: NEEDS_LOGIN,
    })
}

async fn read(stage: &Stage<'_>, number: &InvoiceNumber) -> Result<Option<Shown>, PageError> {
    let (tables, organisation) = (stage.tables, stage.organisation());
    let stored = Arc::new(tables.invoice(organisation, number).await?);
    stage.count(1);
    for rows in [stored.payments.len(), stored.held.len(), stored.discrepancies.len()] {
        stage.count(rows);
    }
    let (context, read) = tables.context(&stored).await?;
    stage.count_read(read);
    let links: XeroLinks = tables.xero_links(organisation).await?;
    stage.count(1);
    let view = InvoiceView::of(&stored, &context, stage.settings, &links, stage.now);
    let Some(view) = view else { return Ok(None) };
    let before = Some(stage.show.filter.before.as_str()).filter(|before| !before.is_empty());
    let history = tables.history(organisation, number, before).await?;
    stage.count_read(history.read);
    Ok(Some(shown(stage, view, &stored, &context, &history)))
}

fn shown(
    stage: &Stage<'_>,
    view: InvoiceView,
    stored: &StoredInvoice,
    context: &InvoiceContext,
    history: &HistoryPage,
) -> Shown {
    let number = view.number.to_string();
    let here = json!({ "invoice": number });
    let earlier = view.payments.len().saturating_sub(SHOWN_MAX);
    let lines = view.payments.iter().skip(earlier);
    let overdue = view.overdue.map(|overdue| {
        format!("Overdue: {} have been due for {} days.", overdue.due, overdue.days)
    });
    let open = view.due.filter(|due| due.is_positive() && overdue.is_none());
    let older = |before: &String| {
        let more = json!({"invoice": number, "before": before, "clear": true});
        stage.buttons.page("Older", Page::Invoice, more)
    };
    let newest = json!({"invoice": number, "clear": true});
    let mut facts = facts(stage, &view);
    // AMB-35: what of it can change is judged again with the next sync.
    let waits = stored.settled.as_ref().filter(|settled| settled.review_on.is_some());
    let judging = waits.and_then(|settled| Settled::judging(&settled.fingerprint));
    if judging.is_some_and(|judging| judging != stage.settings.judging()) {
        facts.push(("Settings", TO_BE_JUDGED_AGAIN.to_owned()));
    }
    Shown {
        overdue,
        open: open.map(|due| format!("Open: {due}.")),
        agrees: matches!(view.agreement, Agreement::Agrees),
        agreement: agreement(view.agreement),
        disagrees: disagreements(stage, &view.discrepancies),
        facts,
        lines: lines.map(|line| payment(stage, line, context, &here)).collect(),
        left_out: (earlier > 0).then(|| format!("{earlier} earlier payments are not shown.")),
        gone: view.removed.iter().map(|gone| removed(stage, gone, stored, context)).collect(),
        findings: view.discrepancies.iter().map(|d| finding(stage, stored, d)).collect(),
        accepted: view.accepted.iter().map(|d| finding(stage, stored, d)).collect(),
        events: history.entries.iter().map(|entry| event(stage, entry)).collect(),
        unreadable: history.entries.iter().filter_map(unreadable).collect(),
        is_older: !stage.show.filter.before.is_empty(),
        newest: stage.buttons.page("Newest", Page::Invoice, newest),
        older: history.before.as_ref().map(older),
        remarks: view.remarks,
        link: view.link,
        xero_number: view.xero_number,
        number,
    }
}

/// The open discrepancies in a sentence each: what, the figures, until when.
fn disagreements(stage: &Stage<'_>, open: &[Discrepancy]) -> Option<String> {
    let one = |found: &Discrepancy| {
        let by = stage.moment(found.due_at());
        format!(
            "{}: {}. To be resolved by {by}.",
            found.key.kind,
            found.detail.trim_end_matches('.')
        )
    };
    let first: Vec<_> = open.iter().take(BANNER_MAX).map(one).collect();
    let more = match open.len().saturating_sub(BANNER_MAX) {
        0 => String::new(),
        more => format!(" And {more} more below."),
    };
    (!first.is_empty()).then(|| format!("{}{more}", first.join(" ")))
}

fn agreement(agreement: Agreement) -> String {
    match agreement {
        Agreement::Agrees => "The payments lead to what Xero says is due.".to_owned(),
        Agreement::Differs { ours, xero, by } => format!(
            "By the payments here {ours} are due, and in Xero {xero}: the difference is {by}."
        ),
        Agreement::CannotSay(why) => format!("Not compared with Xero: {why}."),
    }
}

fn facts(stage: &Stage<'_>, view: &InvoiceView) -> Vec<(&'static str, String)> {
    let money = |money: Option<Money>| money.map(|money| money.to_string());
    let contact = view.contact.as_ref();
    let contact = contact.and_then(|contact| contact.company.clone().or(contact.person.clone()));
    let all = [
        ("Owed by", contact),
        ("Owed by, in Xero", view.xero_contact.clone()),
        ("Status in Xero", view.status.map(|status| status.to_string())),
        ("Total in Xero", money(view.total)),
        ("Total here", money(view.local_total)),
        ("Paid, by Xero", money(view.paid)),
        ("Credited in Xero", money(view.credited)),
        ("To be paid, before any payment", money(view.to_pay)),
        ("Due", money(view.due)),
        ("Due on", view.due_on.map(|day| day.to_string())),
        ("Last read from Xero", view.last_read_at.map(|at| stage.moment(at))),
        ("Last changed in Xero", view.xero_updated_at.map(|at| stage.moment(at))),
    ];
    let facts = all.into_iter().filter_map(|(name, value)| Some((name, value?)));
    facts.chain(view.allocations.iter().map(applied)).collect()
}

/// An allocation in Xero that is no payment, with its source (AMB-34).
fn applied(allocation: &AppliedCredit) -> (&'static str, String) {
    let name = match allocation.kind {
        CreditKind::CreditNote => "Credit note applied in Xero",
        CreditKind::Prepayment => "Prepayment applied in Xero",
        CreditKind::Overpayment => "Overpayment applied in Xero",
    };
    let of = allocation.date.map(|date| format!(" of {date}")).unwrap_or_default();
    let number = allocation.number.as_ref().map(|number| format!(", {number}")).unwrap_or_default();
    (name, format!("{}{of}{number}", allocation.amount))
}

fn payment(stage: &Stage<'_>, line: &PaymentLine, context: &InvoiceContext, here: &Value) -> Line {
    let ours = line.payment.as_ref();
    let name = ours.map(ToString::to_string).or(line.xero.map(|id| id.to_string()));
    let name = name.unwrap_or_default();
    let upload = ours.and_then(|id| context.uploads.get(id));
    let how: Vec<&str> =
        [Some(line.method.as_str()), line.reference.as_deref()].into_iter().flatten().collect();
    let search = json!({"search": name, "clear": true});
    Line {
        date: line.date.to_string(),
        amount: line.amount.to_string(),
        balance: line.balance_after.map(|left| left.to_string()).unwrap_or_default(),
        how: how.join(", "),
        state: line.state.to_string(),
        is_held: matches!(line.state, State::Held(_) | State::HeldForApproval),
        counts: line.counts,
        why: stage.buttons.page(&format!("Why {name}"), Page::Why, search),
        orders: upload
            .map(|upload| payment_actions::orders(stage, upload, here))
            .unwrap_or_default(),
        link: line.link.clone(),
    }
}

fn removed(
    stage: &Stage<'_>,
    gone: &RemovedLine,
    stored: &StoredInvoice,
    context: &InvoiceContext,
) -> Gone {
    let is_this = |row: &&payments::explanations::RemovedRow| {
        row.tombstone.payment.id == gone.payment && row.tombstone.removed_at == gone.removed_at
    };
    let was = context.removed.iter().find(is_this);
    // The function that carries it out asks the same.
    let may = was.is_some_and(|row| restore(stored, &row.tombstone.payment, "", "").is_ok());
    let which = json!({"invoice": stored.number.as_str(), "payment": gone.payment.as_str()});
    Gone {
        date: gone.date.to_string(),
        amount: gone.amount.to_string(),
        payment: gone.payment.to_string(),
        at: stage.moment(gone.removed_at),
        why: format!("{}: {}", gone.removed_by, gone.why),
        restore: stage.order_about(Order::Restore, gone.payment.as_str(), which).filter(|_| may),
    }
}

fn finding(stage: &Stage<'_>, stored: &StoredInvoice, found: &Discrepancy) -> Finding {
    let which = json!({"invoice": stored.number.as_str()});
    let on = DiscrepancySubject::Invoice(stored.number.clone());
    Finding {
        kind: found.key.kind.to_string(),
        at: stage.moment(found.detected_at),
        back: found.reopened.map(|reopened| {
            let at = stage.moment(reopened.at);
            format!("came back {at}, {} times in all", reopened.count)
        }),
        detail: found.detail.clone(),
        accepted: found.acceptance().map(|accepted| {
            format!("{} by {}: {}", stage.moment(accepted.at), accepted.by, accepted.why)
        }),
        accept: discrepancies::accept(stage, found, &found.key.to_string(), which),
        details: discrepancies::details(stage, "Details", &discrepancy_name(&on, &found.key)),
    }
}

pub(super) fn event(stage: &Stage<'_>, entry: &ActivityRow) -> Event {
    let text =
        |texts: [Option<String>; 3]| texts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let rule = entry.rule.as_ref().map(|rule| format!(" ({rule})")).unwrap_or_default();
    Event {
        at: stage.clock(&entry.at),
        action: format!("{}{rule}", entry.action),
        about: text([entry.payment_id.clone(), entry.amount.clone(), entry.date.clone()]),
        why: text([entry.reason.clone(), entry.why.clone(), None]),
        who: text([entry.by.clone(), entry.cause.clone(), None]),
    }
}
