//! The work that waits for a person, from every place where such work is kept, the most urgent first. Home shows
//! the first of it, and the page *Needs you* all of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use payments::upload::{Line, UNKNOWN_MAX, Upload, UploadState};
use payments::{DiscrepancyKind, RESOLVE_WITHIN};
use serde_json::json;
use table::{DiscrepancySubject, OpenDiscrepancy, REPORT_DIFFERS};

use super::next_night::sums;
use super::{Page, PageError, Stage};
use crate::times::span;
use crate::view::Button;

/// Discrepancies that are read, the oldest.
const DISCREPANCIES_MAX: usize = 100;
/// Payments of a line that are read, and rejected messages.
const ROWS_MAX: usize = 50;
/// Places that are named in one line of work.
const NAMED_MAX: usize = 3;

/// A matter that waits for a person.
pub(super) struct Task {
    /// Until when it should be done.
    by: Timestamp,
    /// Until when, or since when, in words.
    pub(super) when: String,
    pub(super) is_late: bool,
    /// The state in a few words.
    pub(super) what: String,
    /// Which, and why.
    pub(super) detail: String,
    /// The money it is about.
    pub(super) sum: String,
    /// Who works on it.
    pub(super) owner: String,
    /// Where it is done.
    pub(super) open: Button,
}

/// All of it, and what of it the rest of Home shows as well.
pub(super) struct Work {
    pub(super) tasks: Vec<Task>,
    pub(super) refused: u32,
    pub(super) unconfirmed: u32,
    pub(super) held: Vec<Upload>,
    /// Whether there is more than was read.
    pub(super) is_more: bool,
}

impl Work {
    /// Reads every place where work waits, no more rows of each than are said above.
    pub(super) async fn read(stage: &Stage<'_>) -> Result<Self, PageError> {
        let mut work = Self {
            tasks: Vec::new(),
            refused: 0,
            unconfirmed: 0,
            held: Vec::new(),
            is_more: false,
        };
        work.of_everything(stage);
        work.discrepancies(stage).await?;
        work.uploads(stage).await?;
        work.actions(stage).await?;
        work.rejected(stage).await?;
        work.reports(stage).await?;
        work.tasks.sort_by_key(|task| task.by);
        Ok(work)
    }

    /// What stands in the way of the whole organisation is due at once.
    fn of_everything(&mut self, stage: &Stage<'_>) {
        let trouble = &stage.trouble;
        let mut at_once = |what: &str, detail: String, open: (&str, Page)| {
            let open = stage.buttons.page(open.0, open.1, json!({"clear": true}));
            self.tasks.push(Task {
                by: Timestamp::MIN,
                when: "now".to_owned(),
                is_late: true,
                what: what.to_owned(),
                detail,
                sum: String::new(),
                owner: String::new(),
                open,
            });
        };
        if trouble.is_disconnected {
            let detail = "Nothing is read from Xero or sent to it.".to_owned();
            at_once("Xero is disconnected.", detail, ("See why", Page::Integrations));
        }
        if trouble.uploads_off {
            let detail = "No payment that waits for a night goes.".to_owned();
            at_once("Uploads are off.", detail, ("See why", Page::Limits));
        }
        if let Some((payments, invoices)) = trouble.mass_change {
            let what =
                format!("{payments} payments were changed or deleted in Xero within an hour.");
            let detail = format!("On {invoices} invoices. They are left here as they were.");
            at_once(&what, detail, ("Review", Page::Integrations));
        }
    }

    async fn discrepancies(&mut self, stage: &Stage<'_>) -> Result<(), PageError> {
        let (tables, organisation) = (stage.tables, stage.organisation());
        let found = tables.list_open_discrepancies(organisation, DISCREPANCIES_MAX).await?;
        stage.count(found.rows.len().saturating_add(found.unreadable.len()));
        self.is_more |= found.more;
        let mut by_kind = BTreeMap::<DiscrepancyKind, Vec<&OpenDiscrepancy>>::new();
        for open in &found.rows {
            by_kind.entry(open.found.key.kind).or_default().push(open);
        }
        let tasks = by_kind.into_iter().filter_map(|(kind, open)| of_kind(stage, kind, &open));
        self.tasks.extend(tasks);
        Ok(())
    }

    async fn uploads(&mut self, stage: &Stage<'_>) -> Result<(), PageError> {
        let mut refused = self.line(stage, Line::Refused).await?;
        refused.extend(self.line(stage, Line::PartlyUploaded).await?);
        self.refused = count(&refused);
        self.tasks.extend(payments(stage, "Xero refused", &refused, upload_reason));
        let unknown = self.line(stage, Line::Unknown).await?;
        self.unconfirmed = count(&unknown);
        // Until then the payment is looked for in Xero by itself.
        let is_old = |upload: &Upload| stage.now.duration_since(upload.since) > UNKNOWN_MAX;
        let old: Vec<_> = unknown.into_iter().filter(is_old).collect();
        self.tasks.extend(payments(stage, "Xero has not confirmed", &old, upload_reason));
        self.held = self.line(stage, Line::Held).await?;
        self.tasks.extend(payments(stage, "On hold:", &self.held, |upload| upload.why.clone()));
        Ok(())
    }

    async fn line(&mut self, stage: &Stage<'_>, line: Line) -> Result<Vec<Upload>, PageError> {
        let (tables, organisation) = (stage.tables, stage.organisation());
        let page = tables.line_page(organisation, line, None, ROWS_MAX).await?;
        stage.count(page.uploads.len().saturating_add(page.unreadable.len()));
        self.is_more |= page.next.is_some();
        Ok(page.uploads)
    }

    async fn actions(&mut self, stage: &Stage<'_>) -> Result<(), PageError> {
        let found = stage.tables.open_actions(stage.organisation(), ROWS_MAX).await?;
        stage.count(found.rows.len().saturating_add(found.unreadable.len()));
        self.is_more |= found.more;
        let Some(first) = found.rows.first() else { return Ok(()) };
        let since = first.blocked_at.unwrap_or(stage.now);
        let name = |customer: &payments::upload::Customer| {
            customer.name.clone().unwrap_or_else(|| customer.id.to_string())
        };
        let names = named(found.rows.iter().map(name));
        let why = first.blocked.clone().unwrap_or_default();
        self.tasks.push(Task {
            detail: format!("{names}: {why}"),
            ..task(
                stage,
                since,
                format!("Customers that wait for an answer: {}.", found.rows.len()),
                ("Open", Page::Actions),
            )
        });
        Ok(())
    }

    async fn rejected(&mut self, stage: &Stage<'_>) -> Result<(), PageError> {
        let found = stage.tables.newest_parked(Some(stage.organisation()), ROWS_MAX).await?;
        stage.count(found.rows.len());
        self.is_more |= found.more;
        let Some(oldest) = found.rows.last() else { return Ok(()) };
        let at = oldest.parked_at.split('#').next().and_then(|at| at.parse().ok());
        let newest = found.rows.first();
        self.tasks.push(Task {
            detail: newest.map(|row| format!("{}: {}", row.reason, row.detail)).unwrap_or_default(),
            ..task(
                stage,
                at.unwrap_or(stage.now),
                format!("Messages that could not be processed: {}.", found.rows.len()),
                ("Open", Page::Parked),
            )
        });
        Ok(())
    }
}

impl Work {
    /// Reports that are other ones when they are counted again from the log (SP-33).
    async fn reports(&mut self, stage: &Stage<'_>) -> Result<(), PageError> {
        let found = stage.tables.messages_of(stage.organisation(), REPORT_DIFFERS).await?;
        stage.count(found.newest.len());
        for message in found.newest {
            let since = message.raised_at.parse().unwrap_or(stage.now);
            let what = format!("The report {} does not agree with the log.", message.subject);
            let open = ("Open", Page::Reports);
            self.tasks.push(Task { detail: message.why, ..task(stage, since, what, open) });
        }
        Ok(())
    }
}

/// Work that is due as a discrepancy is, 48 hours after it began (SP-18).
fn task(stage: &Stage<'_>, since: Timestamp, what: String, open: (&str, Page)) -> Task {
    let by = since.saturating_add(RESOLVE_WITHIN).unwrap_or(since);
    let left = by.duration_since(stage.now);
    let (when, is_late) = match left.is_positive() {
        true => (format!("{} left", span(left)), false),
        false => (format!("{} late", span(left.abs())), true),
    };
    Task {
        by,
        when,
        is_late,
        open: stage.buttons.page(open.0, open.1, json!({"clear": true})).about(what.clone()),
        what,
        detail: String::new(),
        sum: String::new(),
        owner: String::new(),
    }
}

/// The discrepancies of a kind.
fn of_kind(stage: &Stage<'_>, kind: DiscrepancyKind, open: &[&OpenDiscrepancy]) -> Option<Task> {
    let first = open.iter().map(|open| &open.found).min_by_key(|found| found.due_at())?;
    let owners: Vec<_> = open.iter().filter_map(|open| open.found.case.owner.as_ref()).collect();
    let places = named(open.iter().map(|open| place(&open.place)));
    let detail = match open {
        [_] => format!("{places}: {}", first.detail),
        _ => places,
    };
    Some(Task {
        detail,
        owner: owners.first().map_or_else(String::new, |owner| owner.name.clone()),
        ..task(stage, first.since(), phrase(kind, open.len()), ("Open", Page::Discrepancies))
    })
}

fn place(place: &DiscrepancySubject) -> String {
    match place {
        DiscrepancySubject::Invoice(number) => format!("invoice {number}"),
        DiscrepancySubject::Contact(_) => "a contact in Xero".to_owned(),
        DiscrepancySubject::Order(order) => format!("order {order}"),
        DiscrepancySubject::Payment(payment) => format!("payment {payment}"),
    }
}

/// Payments of a line as one line of work; none if there are none.
fn payments(
    stage: &Stage<'_>,
    what: &str,
    uploads: &[Upload],
    why: impl Fn(&Upload) -> String,
) -> Option<Task> {
    let since = uploads.iter().map(|upload| upload.since).min()?;
    let names = named(uploads.iter().map(|upload| upload.receipt.id.to_string()));
    let reason = uploads.first().map(why).unwrap_or_default();
    let noun = if uploads.len() == 1 { "payment" } else { "payments" };
    Some(Task {
        detail: format!("{names}: {reason}"),
        sum: sums(uploads.iter().map(|upload| upload.receipt.amount)),
        ..task(stage, since, format!("{what} {} {noun}.", uploads.len()), ("Open", Page::Tonight))
    })
}

/// What Xero said of it, or what is stored of it.
fn upload_reason(upload: &Upload) -> String {
    let refusal = upload.parts.iter().find_map(|part| part.refusal.clone());
    match (upload.state, refusal) {
        (UploadState::Refused | UploadState::PartlyUploaded, Some(said)) => said,
        _ => upload.why.clone(),
    }
}

fn count(uploads: &[Upload]) -> u32 {
    u32::try_from(uploads.len()).unwrap_or(u32::MAX)
}

/// The first names, and how many more there are.
fn named(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.collect();
    let first = names.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED_MAX) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// A kind of discrepancy in words that say what happened.
fn phrase(kind: DiscrepancyKind, count: usize) -> String {
    let says = match kind {
        DiscrepancyKind::UploadedDeletedInXero => "Payments deleted in Xero after their upload",
        DiscrepancyKind::JournaledDeleted => "Journaled payments deleted in Xero",
        DiscrepancyKind::JournaledChanged => "Journaled payments changed in Xero",
        DiscrepancyKind::Overpaid => "Overpaid invoices",
        DiscrepancyKind::Underpaid => "Overdue invoices, paid in part",
        DiscrepancyKind::MissingPayment => "Overdue invoices without a payment",
        DiscrepancyKind::TotalDiffers => "Totals that differ between Xero and the business",
        DiscrepancyKind::ContactDiffers => "Contacts that differ between Xero and the business",
        DiscrepancyKind::FailedPayment => "Failed payments",
        DiscrepancyKind::PossibleDuplicate => "Payments that may be doubles",
        DiscrepancyKind::RefundInXero => "Refunds that stand in Xero only",
        DiscrepancyKind::Unlinked => "Payments that name no invoice",
        DiscrepancyKind::UnknownInvoice => "Invoices in Xero that the business does not know",
        DiscrepancyKind::NotInXero => "Invoices of the business that are not in Xero",
        DiscrepancyKind::ComponentDiffers => "Orders whose figures differ from their documents",
        DiscrepancyKind::CustomerDiffers => "Payments or orders of another customer",
        DiscrepancyKind::CreditAppliedByHand => "Credits of the provider applied by hand",
        DiscrepancyKind::CurrencyDiffers => "Currencies that differ between Xero and the business",
        DiscrepancyKind::MultiInvoiceHeld => "Payments in Xero held for a part of another payment",
        DiscrepancyKind::TieOut => "Sums that do not add up with Xero",
        DiscrepancyKind::Unprocessed => "Payments that have not come to their end",
    };
    format!("{says}: {count}.")
}
