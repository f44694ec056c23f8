//! Why a payment is where it is: a person types an id, a number or an amount, and everything that is found is explained
//! (EX-23, ST-20, AMB-26). `payments::explanations` makes the sentences; here they are only shown.

use askama::Template;
use jiff::Timestamp;
use payments::explanations::{
    Compared, Context, Explanation, Kept, Link, NEEDS_LOGIN, Search, Side, State, Subject,
    XERO_SUPPORT, XeroLinks, explain,
};
use payments::sweep::SweepKind;
use payments::upload::{Night, NightState, Upload};
use payments::{DiscrepancyKey, DiscrepancyKind};
use serde_json::json;
use table::{DiscrepancySubject, Judged, PaymentFacts, discrepancy_name};

use super::payment_list::{self, Listed};
use super::{Page, PageError, Stage, discrepancies, filled, payment_actions};
use crate::view::{Button, Frame};

/// Payments that are explained in full. An id is that of one or two, and of an amount all are listed.
const EXPLAINED_MAX: usize = 5;
/// Invoices that are offered.
const INVOICES_MAX: usize = 20;
/// Invoices whose payments are listed: a number is that of one, or of another one with the prefix.
const LISTED_MAX: usize = 2;

struct ShownPayment {
    name: String,
    is_synced: bool,
    synced: String,
    /// Its state in words.
    words: String,
    state: String,
    rules: String,
    sentence: &'static str,
    facts: Vec<(&'static str, String)>,
    details: Vec<String>,
    compared: Vec<Row>,
    cures: Vec<String>,
    parts: Vec<Part>,
    links: Vec<Link>,
    invoices: Vec<Button>,
    orders: Vec<Button>,
    /// What does not agree about it, each with a page of its own.
    discrepancies: Vec<Button>,
    left_out: Option<String>,
}

struct Row {
    xero: String,
    ours: String,
    note: String,
}

struct Part {
    number: u32,
    says: String,
    link: Option<Link>,
}

#[derive(Template)]
#[template(path = "why.html")]
struct Why {
    frame: Frame,
    search: String,
    find: Button,
    may_not: Option<String>,
    nothing: Option<String>,
    payments: Vec<ShownPayment>,
    invoices: Vec<Button>,
    lists: Vec<Listed>,
    left_out: Option<String>,
    /// Goes on among older rows.
    older: Option<Button>,
    /// Why a payment that is in Xero may be missing here.
    absent: Option<String>,
    needs_login: &'static str,
    support: &'static str,
}

/// The result of a search, in the shape in which it is shown.
#[derive(Default)]
struct Shown {
    nothing: Option<String>,
    payments: Vec<ShownPayment>,
    invoices: Vec<Button>,
    lists: Vec<Listed>,
    left_out: Option<String>,
    /// Goes on among older rows.
    older: Option<Button>,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let search = Search::read(&stage.show.filter.search, &stage.settings.prefix);
    let shown =
        if search.typed.is_empty() { Shown::default() } else { find(stage, &search).await? };
    let absent = match search.typed.is_empty() || !shown.payments.is_empty() {
        true => None,
        false => Some(absence(stage).await?),
    };
    filled(&Why {
        frame: stage.frame(),
        search: search.typed,
        find: stage.buttons.page("Find", Page::Why, json!({})).primary(),
        may_not: stage.may_not().filter(|_| !shown.payments.is_empty()),
        nothing: shown.nothing,
        payments: shown.payments,
        invoices: shown.invoices,
        lists: shown.lists,
        left_out: shown.left_out,
        older: shown.older,
        absent,
        needs_login: NEEDS_LOGIN,
        support: XERO_SUPPORT,
    })
}

/// Why a payment that can be seen in Xero may not be here (CM-48).
async fn absence(stage: &Stage<'_>) -> Result<String, PageError> {
    let sweep = stage.tables.sweep(stage.organisation(), SweepKind::Changes).await?;
    stage.count(1);
    let read = stage.moment_or(sweep.last_success_at, "never");
    let since = match stage.trouble.is_disconnected {
        true => "it comes once Xero is connected again",
        false => "it comes with the next read; Sync now, under System, reads at once",
    };
    Ok(format!(
        "Is a payment in Xero and not here? Xero was last read {read}: what was recorded there since is not here yet, and \
         {since}. Only invoices in Xero whose number begins with {:?} are ours, and only those that the business has \
         reported have payments here. What was deleted in Xero stands under Removed on the invoice's page, where it \
         can be restored.",
        stage.settings.prefix.to_string()
    ))
}

async fn find(stage: &Stage<'_>, search: &Search) -> Result<Shown, PageError> {
    let (tables, organisation) = (stage.tables, stage.organisation());
    let before = Some(stage.show.filter.before.as_str()).filter(|before| !before.is_empty());
    let found = tables.find_before(organisation, search, (stage.now, before)).await?;
    stage.count_read(found.read);
    let links = tables.xero_links(organisation).await?;
    let night = tables.night(organisation, Night::of(stage.now, &stage.settings.zone)).await?;
    stage.count(2);
    let night_over = night.is_some_and(|report| report.state == NightState::Finished);
    let (mut payments, mut left_out) = (Vec::new(), Vec::new());
    for subject in found.payments.iter().take(EXPLAINED_MAX) {
        let known = stage.tables.facts_of(stage.settings, subject).await?;
        left_out.extend(known.unreadable.iter().map(unreadable));
        payments
            .extend(explanation_of(stage, search, (subject, &known), &links, night_over).await?);
    }
    let is_unread = !left_out.is_empty();
    if found.payments.len() > EXPLAINED_MAX {
        left_out
            .push(format!("Only {EXPLAINED_MAX} are explained here; type the id of another one."));
    }
    let amounts = found.amounts.as_ref();
    let mut lists = Vec::new();
    for number in found.invoices.iter().take(LISTED_MAX) {
        lists.extend(payment_list::of_invoice(stage, number, &links).await?);
    }
    if let Some(amounts) = amounts {
        lists.push(payment_list::of_amount(stage, amounts).await?);
    }
    let invoices = found.invoices.iter().take(INVOICES_MAX);
    Ok(Shown {
        // An index may show for a moment what is not there any more.
        nothing: (found.is_empty() || payments.is_empty() && found.invoices.is_empty())
            .then(|| search.nothing_found())
            .filter(|_| !is_unread)
            .filter(|_| amounts.is_none_or(|amounts| amounts.candidates.is_empty())),
        payments,
        invoices: invoices.map(|number| payment_list::invoice(stage, number)).collect(),
        lists,
        left_out: (!left_out.is_empty()).then(|| left_out.join(" ")),
        older: amounts.and_then(|amounts| amounts.searched.next.as_ref()).map(|next| {
            let more = json!({"search": search.typed, "before": next, "clear": true});
            stage.buttons.page("Search older", Page::Why, more)
        }),
    })
}

/// One payment, explained; none if nothing at all is stored about it.
async fn explanation_of(
    stage: &Stage<'_>,
    search: &Search,
    (subject, known): (&Subject, &PaymentFacts),
    links: &XeroLinks,
    night_over: bool,
) -> Result<Option<ShownPayment>, PageError> {
    stage.count_read(known.read);
    let upload = known.facts.upload.as_ref();
    let mut place = None;
    if let Some(upload) = upload {
        let (at, read) = stage.tables.place_in_line(upload).await?;
        stage.count_read(read);
        place = at;
    }
    let (settings, now) = (stage.settings, stage.now);
    let context = Context { settings, now, links, place, night_over };
    let Some(explained) = explain(&known.facts, &context) else { return Ok(None) };
    let more = json!({"search": search.typed});
    let xero: Vec<_> = known.facts.xero_payments().iter().map(ToString::to_string).collect();
    let names = (subject.to_string(), xero.join(", "), upload);
    let mut payment = shown_payment(stage, explained, names);
    payment.orders =
        upload.map(|upload| payment_actions::orders(stage, upload, &more)).unwrap_or_default();
    payment.discrepancies = open_about(stage, subject, known).await?;
    let not_whole: Vec<_> = known.not_whole.iter().map(ToString::to_string).collect();
    payment.left_out = (!not_whole.is_empty()).then(|| {
        let numbers = not_whole.join(", ");
        format!("Of invoices {numbers} only the payment's own part was looked at.")
    });
    Ok(Some(payment))
}

/// What does not agree about a payment, on its invoices and as a whole.
async fn open_about(
    stage: &Stage<'_>,
    subject: &Subject,
    known: &PaymentFacts,
) -> Result<Vec<Button>, PageError> {
    let mut open = Vec::new();
    let name = subject.to_string();
    let xero: Vec<_> = known.facts.xero_payments().iter().map(ToString::to_string).collect();
    for invoice in &known.facts.invoices {
        let on = DiscrepancySubject::Invoice(invoice.number.clone());
        let about = invoice
            .open_discrepancies()
            .filter(|found| found.key.subject == name || xero.contains(&found.key.subject));
        open.extend(about.map(|found| (found.key.clone(), discrepancy_name(&on, &found.key))));
    }
    if let Some(receipt) = &known.facts.receipt {
        let on = DiscrepancySubject::Payment(receipt.id.clone());
        let found = stage.tables.discrepancies_about(Judged::Payment(receipt)).await?;
        stage.count(found.len());
        let found = found.iter().filter(|found| found.is_open());
        open.extend(found.map(|found| (found.key.clone(), discrepancy_name(&on, &found.key))));
    }
    let button = |(key, name): &(DiscrepancyKey, String)| {
        discrepancies::details(stage, key.kind.code(), name)
    };
    Ok(open.iter().map(button).collect())
}

/// A row that cannot be read, named (AMB-30).
fn unreadable(row: &table::UnreadableRow) -> String {
    format!("The row {} is not shown here: {}.", row.key, row.problem)
}

fn shown_payment(
    stage: &Stage<'_>,
    explained: Explanation,
    (name, xero, upload): (String, String, Option<&Upload>),
) -> ShownPayment {
    let gone = explained.discrepancies.iter();
    let mut gone = gone.filter(|found| found.key.kind == DiscrepancyKind::UploadedDeletedInXero);
    let since: Option<Timestamp> = match explained.state {
        State::Protected(Kept::DeletedAfterUpload) => gone.next().map(|found| found.since()),
        State::Protected(Kept::TakenBack) => None,
        _ => upload.map(|upload| upload.since),
    };
    let mut facts: Vec<_> =
        since.map(|at| ("In this state since", stage.moment(at))).into_iter().collect();
    if !xero.is_empty() {
        facts.push(("PaymentID in Xero", xero));
    }
    let mut links = explained.links;
    // Each part has its own link.
    links.retain(|link| !explained.parts.iter().any(|part| part.link.as_ref() == Some(link)));
    let parts = explained.parts.into_iter().map(|part| Part {
        number: part.number,
        says: part.says(),
        link: part.link,
    });
    let numbers = explained.history.invoices.iter().take(INVOICES_MAX);
    ShownPayment {
        name,
        is_synced: explained.state.is_synced(),
        synced: synced(explained.state),
        words: explained.state.headline(),
        state: explained.state.to_string(),
        rules: explained.rules.join(", "),
        sentence: explained.sentence,
        facts,
        details: explained.details,
        compared: explained.compared.iter().map(row).collect(),
        cures: explained.cures,
        parts: parts.collect(),
        links,
        invoices: numbers.map(|number| payment_list::invoice(stage, number)).collect(),
        orders: Vec::new(),
        discrepancies: Vec::new(),
        left_out: None,
    }
}

/// What a receipt shows (EX-23): synced only if all parts are (AMB-26).
fn synced(state: State) -> String {
    match state {
        State::PartlyUploaded { placed, of } => format!("Partly synced {placed} of {of}"),
        _ if state.is_synced() => "Synced".to_owned(),
        _ => "Not synced".to_owned(),
    }
}

fn row(compared: &Compared) -> Row {
    let side =
        |side: &Option<Side>| side.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
    Row {
        xero: side(&compared.xero),
        ours: side(&compared.ours),
        note: compared.note.clone().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use payments::upload::Hold;

    use super::*;

    #[test]
    fn a_payment_is_synced_only_if_all_its_parts_are() {
        // EX-23, AMB-26
        assert_eq!(synced(State::PartlyUploaded { placed: 2, of: 4 }), "Partly synced 2 of 4");
        for state in [State::Uploaded, State::Applied, State::Adopted, State::Unchanged] {
            assert_eq!(synced(state), "Synced", "{state}");
        }
        for state in [State::Removed, State::Blocked(Hold::BlockedByAction)] {
            assert_eq!(synced(state), "Not synced", "{state}");
        }
    }
}
