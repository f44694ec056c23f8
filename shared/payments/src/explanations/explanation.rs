//! Everything there is to say about one payment.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::comparison::{Compared, compare};
use super::facts::{Facts, ParkedReport};
use super::forecast::{Outlook, QueuePosition};
use super::links::{Link, XeroLinks};
use super::parts::PartLine;
use super::state::{Kept, Off, State, Turn};
use crate::discrepancy::Discrepancy;
use crate::ids::{InvoiceNumber, PaymentId};
use crate::settings::Settings;
use crate::upload::Hold;

/// The inputs of an explanation other than the facts.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The organisation's settings.
    pub settings: &'a Settings,
    /// Now.
    pub now: Timestamp,
    /// Makes links into the organisation's books.
    pub links: &'a XeroLinks,
    /// Where the payment stands, if it waits for a night and that is known.
    pub place: Option<QueuePosition>,
    /// Whether the upload of this night is finished.
    pub night_over: bool,
}

/// Where the decisions about a payment are written down.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct History {
    /// The invoices in whose activity to look.
    pub invoices: BTreeSet<InvoiceNumber>,
    /// The payment itself, by our name for it.
    pub payment: Option<PaymentId>,
}

/// Why a payment is where it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explanation {
    /// Its one state.
    pub state: State,
    /// The rules that say so.
    pub rules: Vec<&'static str>,
    /// What the state means, as a sentence.
    pub sentence: &'static str,
    /// The particulars of this payment, each a sentence. For pages, never for logs: they hold amounts.
    pub details: Vec<String>,
    /// The values that were compared.
    pub compared: Vec<Compared>,
    /// What would change it, the most likely first.
    pub cures: Vec<String>,
    /// The parts it goes up in, each with its state (AMB-26).
    pub parts: Vec<PartLine>,
    /// What does not agree about it and is still open.
    pub discrepancies: Vec<Discrepancy>,
    /// A report about it that could not be processed.
    pub parked: Option<ParkedReport>,
    /// Where to look in Xero. They need a login there ([`super::NEEDS_LOGIN`]).
    pub links: Vec<Link>,
    /// Where to look here.
    pub history: History,
}

/// Explains a payment; `None` only if nothing at all is stored about it.
pub fn explain(facts: &Facts, context: &Context<'_>) -> Option<Explanation> {
    let state = State::of(facts, context.settings)?;
    let words = state.words();
    let is_gone = matches!(state, State::Protected(Kept::DeletedAfterUpload | Kept::TakenBack));
    let parts = facts.upload.as_ref().map(|upload| PartLine::all(upload, is_gone, context.links));
    Some(Explanation {
        state,
        rules: words.rules.to_vec(),
        sentence: words.says,
        details: details(facts, state),
        compared: compare(facts),
        cures: cures(facts, state, context),
        parts: parts.unwrap_or_default(),
        discrepancies: facts.discrepancies().map(|(_, found)| found.clone()).collect(),
        parked: facts.parked.clone(),
        links: links(facts, context.links),
        history: history(facts),
    })
}

fn details(facts: &Facts, state: State) -> Vec<String> {
    let mut details = Vec::new();
    let mut say = |text: String| {
        if !text.is_empty() && !details.contains(&text) {
            details.push(text);
        }
    };
    match state {
        State::Waiting(_)
        | State::Planned(_)
        | State::Uploaded
        | State::PartlyUploaded { .. }
        | State::Skipped(_)
        | State::Failed(_) => {
            say(facts.upload.as_ref().map(|upload| upload.why.clone()).unwrap_or_default());
        }
        State::Blocked(hold) => {
            let action = facts.customer.as_ref().and_then(|customer| customer.blocked.as_ref());
            let stored = facts.upload.as_ref().map(|upload| upload.why.clone());
            match (hold, action) {
                (Hold::BlockedByAction, Some(action)) => say(format!("to be solved: {action}")),
                _ => say(stored.unwrap_or_default()),
            }
        }
        State::Disabled(Off::AttemptsUsedUp) => {
            let disabled = facts.caps.as_ref().and_then(|caps| caps.disabled.as_ref());
            say(disabled
                .map(|off| format!("off since {}: {}", off.at, off.why))
                .unwrap_or_default());
        }
        State::Removed => {
            if let Some(removed) = facts.tombstone() {
                let (at, why) = (removed.tombstone.removed_at, &removed.tombstone.why);
                say(format!("removed from invoice {} at {at}: {why}", removed.invoice));
            }
        }
        State::Held(_) => {
            say(facts
                .held()
                .map(|(_, held)| format!("since {}", held.held_at))
                .unwrap_or_default());
        }
        State::Applied
        | State::Adopted
        | State::Unchanged
        | State::HeldForApproval
        | State::Protected(_)
        | State::Ignored(_)
        | State::Disabled(Off::NotSetUp | Off::BySettings) => {}
    }
    let gone = facts.is_taken_back() || facts.deleted_in_xero_after_upload();
    for row in facts.rows().filter(|row| row.payment.link.is_some() && !gone) {
        let (payment, number) = (row.payment, &row.invoice.number);
        if !payment.status.counts() {
            say(format!(
                "on invoice {number}, {} of it is {} by the business's own word and stands in Xero all the \
                 same: it does not count in the balance here and is not sent again (A8.3); refund it in Xero \
                 too, or delete it there",
                payment.amount, payment.status
            ));
        }
    }
    for (invoice, found) in facts.discrepancies() {
        let accepted = found.acceptance().map(|accepted| {
            format!("; accepted by {} at {}: {}", accepted.by, accepted.at, accepted.why)
        });
        let accepted = accepted.unwrap_or_default();
        say(format!(
            "{} on invoice {}: {}{accepted}",
            found.key.kind, invoice.number, found.detail
        ));
    }
    if let Some(parked) = &facts.parked {
        say(format!("parked by {} as {}: {}", parked.by, parked.reason, parked.detail));
    }
    details
}

fn cures(facts: &Facts, state: State, context: &Context<'_>) -> Vec<String> {
    let mut cures = Vec::new();
    if state == State::Waiting(Turn::Night)
        && let (Some(place), Some(caps)) = (context.place, &facts.caps)
        && let Some(outlook) =
            Outlook::of(place, caps, context.settings, context.night_over, context.now)
    {
        cures.push(outlook.to_string());
    }
    if let (State::Held(_), Some((_, held))) = (state, facts.held())
        && let Some(day) = held.until
    {
        cures.push(format!(
            "On {day} it is let in by itself, by the read or the sweep of that day."
        ));
    }
    cures.push(state.words().remedy.to_owned());
    let waiting = facts.waiting_for_approval().map(ToString::to_string).collect::<Vec<_>>();
    if !waiting.is_empty() && state != State::HeldForApproval {
        let numbers = waiting.join(", ");
        cures.push(format!(
            "What Xero shows of invoice {numbers} now waits: an operator approves the mass change."
        ));
    }
    cures
}

fn links(facts: &Facts, links: &XeroLinks) -> Vec<Link> {
    let mut found: Vec<Link> =
        facts.xero_payments().into_iter().map(|id| links.payment(id)).collect();
    for invoice in &facts.invoices {
        found.extend(invoice.xero.as_ref().map(|xero| links.invoice(xero.invoice, &xero.number)));
    }
    let parts = facts.upload.iter().flat_map(|upload| PartLine::all(upload, false, links));
    found.extend(parts.filter_map(|part| part.link));
    let contact = facts.customer.as_ref().and_then(|customer| customer.contact);
    found.extend(contact.and_then(|contact| links.contact(contact)));
    let mut seen = BTreeSet::new();
    found.retain(|link| seen.insert(link.url.clone()));
    found
}

fn history(facts: &Facts) -> History {
    let invoices = facts.invoices.iter().map(|invoice| invoice.number.clone());
    let removed = facts.removed.iter().map(|removed| removed.invoice.clone());
    let row = facts.rows().next().map(|row| row.payment.id.clone());
    let ours = match &facts.subject {
        super::Subject::Ours(id) => Some(id.clone()),
        super::Subject::Xero(_) => None,
    };
    let gone = facts.tombstone().map(|removed| removed.tombstone.payment.id.clone());
    History { invoices: invoices.chain(removed).collect(), payment: ours.or(row).or(gone) }
}
