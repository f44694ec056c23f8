//! One discrepancy: its figures and its clock, its evidence, its history, and what a person can do about it (SP-19, SP-22,
//! SP-23, SP-24, SP-36, AMB-31).

use std::sync::Arc;

use askama::Template;
use payments::{AdjustedRecord, Discrepancy, DiscrepancyCause, NoticeKind, StoredInvoice};
use serde_json::{Value, json};
use table::{DiscrepancyPlace, DiscrepancySubject, discrepancy_name, named_discrepancy};

use super::evidence::{Evidence, gather};
use super::{Page, PageError, Stage, discrepancies, filled, invoice};
use crate::order::Order;
use crate::view::{Button, Frame};

struct Shown {
    name: String,
    is_late: bool,
    facts: Vec<(&'static str, String)>,
    /// What it stands on, and the payment that it is about.
    looks: Vec<Button>,
    /// Buttons that need nothing but who and why.
    plain: Vec<Button>,
    assign: Option<Button>,
    note: Option<Button>,
    adjust: Option<Button>,
    causes: Vec<&'static str>,
    records: Vec<&'static str>,
    evidence: Vec<Evidence>,
    events: Vec<invoice::Event>,
    older: Option<Button>,
}

#[derive(Template)]
#[template(path = "one_discrepancy.html")]
struct OneDiscrepancy {
    frame: Frame,
    back: Button,
    may_not: Option<String>,
    nothing: Option<String>,
    shown: Option<Shown>,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let typed = &stage.show.filter.place;
    let shown = match named_discrepancy(typed) {
        Some((subject, key)) => {
            let organisation = stage.organisation();
            read(stage, &DiscrepancyPlace { organisation, subject, key }).await?
        }
        None => None,
    };
    filled(&OneDiscrepancy {
        frame: stage.frame(),
        back: stage.buttons.page("All discrepancies", Page::Discrepancies, json!({"clear": true})),
        may_not: stage.may_not().filter(|_| shown.is_some()),
        nothing: shown.is_none().then(|| format!("There is no discrepancy {typed}.")),
        shown,
    })
}

async fn read(stage: &Stage<'_>, place: &DiscrepancyPlace) -> Result<Option<Shown>, PageError> {
    let Some((found, invoice)) = stage.tables.discrepancy(place).await? else { return Ok(None) };
    stage.count(1);
    let invoice = invoice.map(Arc::new);
    let context = match &invoice {
        Some(stored) => {
            stage.count(stored.payments.len() + stored.held.len() + stored.discrepancies.len());
            let (context, read) = stage.tables.context(stored).await?;
            stage.count_read(read);
            Some(context)
        }
        None => None,
    };
    let known = invoice.as_deref().zip(context.as_ref());
    let evidence = gather(stage, place, &found, known).await?;
    let before = Some(stage.show.filter.before.as_str()).filter(|before| !before.is_empty());
    let history = stage.tables.history_of(place, before).await?;
    stage.count_read(history.read);
    let name = discrepancy_name(&place.subject, &place.key);
    let older = history.before.as_ref().map(|before| {
        let more = json!({"place": name, "before": before, "clear": true});
        stage.buttons.page("Older", Page::Discrepancies, more)
    });
    let (on, look, which) = discrepancies::place_of(stage, &place.subject, &found);
    let about = payment_of(&found, invoice.as_deref()).map(|payment| {
        let which = json!({"search": payment, "clear": true});
        stage.buttons.page("Why", Page::Why, which).about(payment)
    });
    let here = json!({"discrepancies": [name], "place": name});
    let order =
        |order: Order| stage.order_about(order, &name, here.clone()).filter(|_| found.is_open());
    Ok(Some(Shown {
        is_late: found.is_late(stage.now),
        facts: facts(stage, &found, on, invoice.as_deref()),
        looks: look.into_iter().chain(about).collect(),
        plain: plain(stage, place, &found, &name, which),
        assign: order(Order::AssignDiscrepancies),
        // A note may be added to what is over.
        note: stage.order_about(Order::NoteDiscrepancies, &name, here.clone()),
        adjust: order(Order::AdjustRecord),
        causes: DiscrepancyCause::ALL.iter().map(|cause| cause.code()).collect(),
        records: AdjustedRecord::ALL.iter().map(|record| record.code()).collect(),
        evidence,
        events: history.entries.iter().map(|entry| invoice::event(stage, entry)).collect(),
        older,
        name,
    }))
}

/// The payment of its invoice that a discrepancy is about.
fn payment_of<'a>(found: &'a Discrepancy, invoice: Option<&StoredInvoice>) -> Option<&'a str> {
    let subject = found.key.subject.as_str();
    let is_there = invoice?.payments.iter().any(|payment| payment.id.as_str() == subject);
    is_there.then_some(subject)
}

/// Take, accept, close, and draft a notice, where each is possible.
fn plain(
    stage: &Stage<'_>,
    place: &DiscrepancyPlace,
    found: &Discrepancy,
    name: &str,
    mut which: Value,
) -> Vec<Button> {
    which["place"] = json!(name);
    let here = json!({"discrepancies": [name], "place": name});
    let order = |order: Order, more: Value| {
        stage.order_about(order, name, more).filter(|_| found.is_open())
    };
    let mut close = here.clone();
    close["seen"] = json!(discrepancies::seen(found));
    let has_notice = NoticeKind::of(found.key.kind).is_some()
        && matches!(place.subject, DiscrepancySubject::Invoice(_));
    [
        order(Order::TakeDiscrepancies, here.clone()),
        discrepancies::accept(stage, found, name, which),
        order(Order::CloseDiscrepancies, close),
        order(Order::DraftNotice, here).filter(|_| has_notice),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn facts(
    stage: &Stage<'_>,
    found: &Discrepancy,
    on: String,
    invoice: Option<&StoredInvoice>,
) -> Vec<(&'static str, String)> {
    let owner = found
        .case
        .owner
        .as_ref()
        .map(|owner| format!("{}, since {}", owner.name, stage.moment(owner.since)));
    let ended = found.acceptance().map(|ended| {
        format!("{} by {} {}: {}", ended.ending, ended.by, stage.moment(ended.at), ended.why)
    });
    let back = found
        .reopened
        .map(|reopened| format!("{}, {} times in all", stage.moment(reopened.at), reopened.count));
    let resolved =
        found.resolved_at.map(|at| format!("the facts agree since {}", stage.moment(at)));
    let customer = invoice.and_then(|stored| stored.customer.as_ref());
    let all = [
        ("Kind", Some(found.key.kind.to_string())),
        ("Where", Some(on)),
        ("Figures", Some(found.detail.clone())),
        ("Customer", customer.map(ToString::to_string)),
        ("Owner", Some(owner.unwrap_or_else(|| "no owner".to_owned()))),
        ("Cause", found.case.cause.map(|cause| cause.to_string())),
        ("First found", Some(stage.moment(found.detected_at))),
        ("Came back", back),
        ("To be resolved by", found.is_open().then(|| stage.moment(found.due_at()))),
        ("Last step of its clock", found.case.step.map(|step| step.to_string())),
        ("Notices drafted", Some(found.case.notices.to_string())),
        ("Ended", ended.or(resolved)),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
