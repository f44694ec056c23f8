//! What a person has to solve before anything about a customer goes on, the oldest first (EX-27, EX-28).

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use jiff::Timestamp;
use payments::explanations::{Link, NEEDS_LOGIN, XeroLinks};
use payments::upload::{Customer, Hold, Line, Upload};
use payments::{CustomerId, Money, XeroContactId};
use serde_json::json;

use super::{Page, PageError, Stage, filled};
use crate::order::Order;
use crate::view::{Button, Frame};

/// Actions that are read and shown.
const SHOWN_MAX: usize = 100;
/// Payments on hold that are looked through for those that wait for an action: they have no index by customer.
const HELD_MAX: usize = 1_000;
/// Invoices that are looked through for payments in Xero that wait, over all actions that are shown.
const INBOUND_MAX: usize = 600;

struct Action {
    customer: String,
    name: String,
    to_solve: String,
    since: String,
    held: String,
    inbound: String,
    link: Option<Link>,
    candidates: Vec<Candidate>,
    solve: Option<Button>,
}

/// A contact that may be the customer's (EX-38).
struct Candidate {
    name: String,
    link: Option<Link>,
    pick: Option<Button>,
}

#[derive(Template)]
#[template(path = "actions.html")]
struct Actions {
    frame: Frame,
    may_not: Option<String>,
    open: Option<Button>,
    typed: String,
    actions: Vec<Action>,
    contact: Option<Button>,
    settings: Vec<MissingSetting>,
    configure: Option<Button>,
    nameless: Vec<Nameless>,
    unreadable: Vec<String>,
    left_out: bool,
    needs_login: Option<&'static str>,
}

/// A payment that waits for something to be solved, and names no customer (EX-27).
struct Nameless {
    payment: String,
    to_solve: String,
    since: String,
    why: Button,
}

/// A setting that has to be made before what waits for it goes (EX-13, EX-19, EX-27): opened by that fact, and solved by
/// the setting.
struct MissingSetting {
    code: &'static str,
    to_solve: String,
    since: String,
    held: String,
}

/// How many payments wait for an action, and how much money they are.
#[derive(Default)]
struct Waiting {
    count: u32,
    sums: BTreeMap<&'static str, Money>,
}

impl Waiting {
    fn add(&mut self, amount: Money) {
        self.count = self.count.saturating_add(1);
        let currency = amount.currency();
        let sum = self.sums.entry(currency.code()).or_insert_with(|| Money::zero(currency));
        // No sum is too large that payments of one customer make.
        *sum = sum.plus(amount).unwrap_or(*sum);
    }

    fn words(&self) -> String {
        let sums: Vec<_> = self.sums.values().map(ToString::to_string).collect();
        if sums.is_empty() {
            self.count.to_string()
        } else {
            format!("{}: {}", self.count, sums.join(", "))
        }
    }
}

/// Rows that are held for want of a setting.
struct OfSetting {
    since: Timestamp,
    waiting: Waiting,
}

/// Payments that are held because of an action, by their customer.
struct Held {
    counts: BTreeMap<CustomerId, Waiting>,
    /// By the setting that is missing, and what has to be set.
    settings: BTreeMap<(Hold, String), OfSetting>,
    /// Those that name no customer: each is an action of its own.
    nameless: Vec<Nameless>,
    /// Whether there are payments on hold that were not looked at.
    more: bool,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let (tables, organisation) = (stage.tables, stage.organisation());
    let found = tables.open_actions(organisation, SHOWN_MAX).await?;
    stage.count(found.rows.len().saturating_add(found.unreadable.len()));
    let mut held = read_held(stage).await?;
    let nameless = held.as_mut().map(|held| std::mem::take(&mut held.nameless));
    let settings = held.as_mut().map(|held| std::mem::take(&mut held.settings));
    let inbound = inbound(stage, &found.rows).await?;
    let mut links = XeroLinks::default();
    if !found.rows.is_empty() {
        links = tables.xero_links(organisation).await?;
        stage.count(1);
    }
    let candidates: BTreeSet<_> =
        found.rows.iter().flat_map(|customer| customer.sync.candidates.iter().copied()).collect();
    let names = names(stage, &candidates.into_iter().collect::<Vec<_>>()).await?;
    let action = |(customer, inbound): (&Customer, &String)| Action {
        inbound: inbound.clone(),
        ..action(stage, customer, held.as_ref(), &names, &links)
    };
    let actions: Vec<_> = found.rows.iter().zip(&inbound).map(action).collect();
    let any_link = actions.iter().any(|action| action.link.is_some());
    let unreadable = found.unreadable.iter().map(|row| format!("{}: {}", row.key, row.problem));
    // Typed text that was not carried out is still there.
    let typed = stage.show.about.get("customer").cloned().filter(|_| stage.keep_why);
    filled(&Actions {
        frame: stage.frame(),
        may_not: stage.may_not(),
        open: stage.order(Order::OpenAction, json!({})),
        typed: typed.unwrap_or_default(),
        actions,
        contact: stage.order(Order::PickContact, json!({})),
        settings: settings.unwrap_or_default().into_iter().map(|of| setting(stage, of)).collect(),
        configure: configure(stage),
        nameless: nameless.unwrap_or_default(),
        unreadable: unreadable.collect(),
        left_out: found.more,
        needs_login: any_link.then_some(NEEDS_LOGIN),
    })
}

/// The names of these contacts, as the last sync has read them.
async fn names(
    stage: &Stage<'_>,
    contacts: &[XeroContactId],
) -> Result<BTreeMap<XeroContactId, String>, PageError> {
    if contacts.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = stage.tables.contacts(stage.organisation(), contacts).await?;
    stage.count(found.len());
    Ok(found
        .into_iter()
        .filter_map(|(id, stored)| Some((id, stored.record.contact.name?)))
        .collect())
}

/// What waits in Xero for each of these actions, and its sum (AMB-15).
async fn inbound(stage: &Stage<'_>, actions: &[Customer]) -> Result<Vec<String>, PageError> {
    let mut left = INBOUND_MAX;
    let mut all = Vec::with_capacity(actions.len());
    for customer in actions {
        let held = stage.tables.inbound_holds(stage.organisation(), &customer.id, left).await?;
        left = left.saturating_sub(held.invoices);
        stage.count(held.invoices.saturating_add(held.payments.len()));
        let mut waiting = Waiting::default();
        held.payments.iter().for_each(|held| waiting.add(held.payment.amount));
        let words = waiting.words();
        all.push(if held.more { format!("at least {words}") } else { words });
    }
    Ok(all)
}

fn setting(
    stage: &Stage<'_>,
    ((hold, to_solve), of): ((Hold, String), OfSetting),
) -> MissingSetting {
    MissingSetting {
        code: hold.code(),
        to_solve,
        since: stage.moment(of.since),
        held: of.waiting.words(),
    }
}

/// The way to the settings, for those who may see them.
fn configure(stage: &Stage<'_>) -> Option<Button> {
    let may = stage.buttons.role.may(Page::Configure.least_role());
    may.then(|| stage.buttons.page("Settings", Page::Configure, json!({})))
}

/// None if a payment among them cannot be read: the actions are shown all the same.
async fn read_held(stage: &Stage<'_>) -> Result<Option<Held>, PageError> {
    let page = stage.tables.line_page(stage.organisation(), Line::Held, None, HELD_MAX).await?;
    stage.count(page.uploads.len());
    let is_whole = page.unreadable.is_empty();
    Ok(is_whole.then(|| Held::of(stage, page.uploads, page.next.is_some())))
}

impl Held {
    fn of(stage: &Stage<'_>, uploads: Vec<Upload>, more: bool) -> Self {
        let (mut counts, mut nameless) = (BTreeMap::<_, Waiting>::new(), Vec::new());
        let mut settings: BTreeMap<(Hold, String), OfSetting> = BTreeMap::new();
        for held in &uploads {
            let Some(hold) = held.hold().filter(|hold| hold.wants_setting()) else { continue };
            let new = || OfSetting { since: held.since, waiting: Waiting::default() };
            let of = settings.entry((hold, held.why.clone())).or_insert_with(new);
            of.since = of.since.min(held.since);
            of.waiting.add(held.receipt.amount);
        }
        let waits = |upload: &Upload| upload.hold() == Some(Hold::BlockedByAction);
        for held in uploads.into_iter().filter(waits) {
            if let Some(customer) = held.receipt.customer {
                counts.entry(customer).or_default().add(held.receipt.amount);
            } else if nameless.len() < SHOWN_MAX {
                let id = held.receipt.id.as_str();
                nameless.push(Nameless {
                    payment: id.to_owned(),
                    to_solve: held.why.clone(),
                    since: stage.moment(held.since),
                    why: stage.buttons.page("Why", Page::Why, json!({ "search": id })).about(id),
                });
            }
        }
        Self { counts, settings, nameless, more }
    }

    fn words(&self, customer: &CustomerId) -> String {
        let waiting = self.counts.get(customer).map_or_else(|| "0".to_owned(), Waiting::words);
        if self.more { format!("at least {waiting}") } else { waiting }
    }
}

fn action(
    stage: &Stage<'_>,
    customer: &Customer,
    held: Option<&Held>,
    names: &BTreeMap<XeroContactId, String>,
    links: &XeroLinks,
) -> Action {
    let id = customer.id.as_str();
    let candidate = |contact: &XeroContactId| {
        let named = names.get(contact).cloned().unwrap_or_else(|| contact.to_string());
        let order = json!({ "customer": id, "contact": contact.to_string() });
        Candidate {
            pick: stage.order_about(Order::PickContact, &format!("{named} for {id}"), order),
            name: named,
            link: links.contact(*contact),
        }
    };
    Action {
        customer: id.to_owned(),
        name: customer.name.clone().unwrap_or_default(),
        to_solve: customer.blocked.clone().unwrap_or_default(),
        since: stage.moment_or(customer.blocked_at, "unknown"),
        held: held.map_or_else(|| "not known".to_owned(), |held| held.words(&customer.id)),
        inbound: String::new(),
        link: customer.contact.and_then(|contact| links.contact(contact)),
        candidates: customer.sync.candidates.iter().map(candidate).collect(),
        solve: stage.order_about(Order::Solve, id, json!({ "customer": id })),
    }
}
