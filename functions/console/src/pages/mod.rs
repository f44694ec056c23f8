//! The pages. Each reads its rows, no more of them than it says, makes of them what is to be shown, without
//! asking anybody anything, and hands that to its template.

mod actions;
mod activity;
mod choose;
mod configure;
mod customers;
mod dead_letters;
mod discrepancies;
mod feeds;
mod integrations;
mod invoice;
mod limits;
mod messages;
mod notices;
mod one_order;
mod orders;
mod parked;
mod payment_actions;
mod payment_list;
mod sync_log;
mod tonight;
mod why;

use std::cell::Cell;
use std::fmt;

use askama::Template;
use commands::Reply;
use jiff::{SignedDuration, Timestamp};
use payments::{OrganisationId, Settings};
use serde_json::Value;
use table::{Newest, OrganisationRow, ReadError, Tables};

pub(crate) use self::choose::choose;
pub(crate) use self::notices::{describe, nobody, refused, tell};
use crate::event::Show;
use crate::order::Order;
use crate::roles::Role;
use crate::times;
use crate::view::{Button, Buttons, Frame, Notice, Sign};

/// A page. A widget's parameter `page` says which it shows.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Page {
    /// How each connection is (CC-01).
    #[default]
    Integrations,
    /// The used part of each limit.
    Limits,
    /// The payments that go to Xero tonight, and those that do not (EX-31).
    Tonight,
    /// Why a payment is where it is (EX-23).
    Why,
    /// An invoice with its payments and balances (ST-12).
    Invoice,
    /// Orders, and how each stands in money (SP-07, SP-10).
    Orders,
    /// All actions, each with its rule (EX-24).
    Activity,
    /// What each run did (CC-09).
    SyncLog,
    /// What a person has to solve before anything about a customer goes on (EX-27).
    Actions,
    /// Customers with their contacts in Xero (EX-21, EX-22).
    Customers,
    /// What does not agree, on invoices and contacts (SP-36, AMB-31).
    Discrepancies,
    /// What operators should know (EX-29).
    Messages,
    /// What could not be processed.
    Parked,
    /// What failed so often that its queue has given it up.
    DeadLetters,
    /// The settings of an organisation's connections (CC-11).
    Configure,
}

impl Page {
    /// Every page, in the order in which they are offered.
    pub const ALL: [Self; 15] = [
        Self::Integrations,
        Self::Limits,
        Self::Tonight,
        Self::Why,
        Self::Invoice,
        Self::Orders,
        Self::Activity,
        Self::SyncLog,
        Self::Actions,
        Self::Customers,
        Self::Discrepancies,
        Self::Messages,
        Self::Parked,
        Self::DeadLetters,
        Self::Configure,
    ];

    /// Its name in a widget's parameters and in logs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Integrations => "integrations",
            Self::Limits => "limits",
            Self::Tonight => "tonight",
            Self::Why => "why",
            Self::Invoice => "invoice",
            Self::Orders => "orders",
            Self::Activity => "activity",
            Self::SyncLog => "sync_log",
            Self::Actions => "actions",
            Self::Customers => "customers",
            Self::Discrepancies => "discrepancies",
            Self::Messages => "messages",
            Self::Parked => "parked",
            Self::DeadLetters => "dead_letters",
            Self::Configure => "configure",
        }
    }

    /// The page of this name.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.code() == code)
    }

    /// Its title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Integrations => "Integrations",
            Self::Limits => "Limits",
            Self::Tonight => "Tonight",
            Self::Why => "Why",
            Self::Invoice => "Invoice",
            Self::Orders => "Orders",
            Self::Activity => "Activity",
            Self::SyncLog => "Sync log",
            Self::Actions => "Actions",
            Self::Customers => "Customers",
            Self::Discrepancies => "Discrepancies",
            Self::Messages => "Messages",
            Self::Parked => "Parked",
            Self::DeadLetters => "Dead letters",
            Self::Configure => "Configure",
        }
    }

    /// What it answers.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Integrations => "how each connection is, what is wrong, and what to do",
            Self::Limits => {
                "what is used of the nightly 200, of the 4,000 in 30 days, and of the calls to Xero"
            }
            Self::Tonight => "what goes to Xero tonight, what waits for which night, what is held",
            Self::Why => "why a payment is where it is, and what would change it; by `search`",
            Self::Invoice => "an invoice with its payments, balances and history; by `invoice`",
            Self::Orders => {
                "how orders stand, with sums; one with its invoices, receipts and money; by `order_id`, `kind`, `sort`"
            }
            Self::Activity => "what was done, by which rule; by `day`, `invoice`, `word`",
            Self::SyncLog => "what each run did; by `kind`, or `only` `errors`",
            Self::Discrepancies => {
                "what does not agree, on invoices, orders and payments; accept it"
            }
            Self::Actions => "which customers wait until a person has solved something",
            Self::Customers => {
                "customers with their contacts in Xero, and those in Xero that are not known; by `search`"
            }
            Self::Messages => "what operators should know",
            Self::Parked => "what could not be processed, and how to do it again",
            Self::DeadLetters => "messages that failed too often: look, send again, discard",
            Self::Configure => "the settings of an organisation",
        }
    }

    /// The least role that may see it (ST-22).
    pub const fn least_role(self) -> Role {
        match self {
            Self::Configure => Role::Admin,
            _ => Role::Viewer,
        }
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Why a page cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    /// A table does not answer, or holds a row that cannot be read.
    #[error("the tables could not be read")]
    Read(#[from] ReadError),
    /// The template could not be filled.
    #[error("the page could not be made")]
    Template(#[from] askama::Error),
    /// It takes longer than Lambda waits.
    #[error("it takes too long")]
    TooLate,
    /// A fault of the program.
    #[error("the program has a fault")]
    Panicked,
}

/// Everything that a page is made with, except its rows.
pub(crate) struct Stage<'a> {
    pub(crate) tables: &'a Tables,
    pub(crate) row: &'a OrganisationRow,
    pub(crate) settings: &'a Settings,
    pub(crate) show: &'a Show,
    pub(crate) buttons: &'a Buttons,
    pub(crate) notices: Vec<Notice>,
    /// Whether what was typed as a reason is to stay there: its order was not carried out.
    pub(crate) keep_why: bool,
    /// The replies to a look.
    pub(crate) replies: Vec<Reply>,
    /// How often the stack looks for what has changed in Xero.
    pub(crate) sweep_every: SignedDuration,
    pub(crate) now: Timestamp,
    pub(crate) rows_read: Cell<usize>,
}

impl Stage<'_> {
    /// Shows a page.
    pub(crate) async fn html(&self) -> Result<String, PageError> {
        match self.show.page {
            Page::Integrations => integrations::show(self).await,
            Page::Limits => limits::show(self).await,
            Page::Tonight => tonight::show(self).await,
            Page::Why => why::show(self).await,
            Page::Invoice => invoice::show(self).await,
            Page::Orders => orders::show(self).await,
            Page::Activity => activity::show(self).await,
            Page::SyncLog => sync_log::show(self).await,
            Page::Actions => actions::show(self).await,
            Page::Customers => customers::show(self).await,
            Page::Discrepancies => discrepancies::show(self).await,
            Page::Messages => messages::show(self).await,
            Page::Parked => parked::show(self).await,
            Page::DeadLetters => dead_letters::show(self),
            Page::Configure => configure::show(self),
        }
    }

    fn organisation(&self) -> OrganisationId {
        self.row.organisation
    }

    /// Counts rows that were read.
    fn count(&self, rows: usize) {
        self.rows_read.set(self.rows_read.get().saturating_add(rows));
    }

    /// Counts rows that the tables have counted.
    fn count_read(&self, rows: u32) {
        self.count(usize::try_from(rows).unwrap_or(usize::MAX));
    }

    /// Counts the rows of a list.
    fn counted<T>(&self, found: Newest<T>) -> Newest<T> {
        self.count(found.rows.len());
        found
    }

    fn moment(&self, at: Timestamp) -> String {
        times::moment(at, &self.settings.zone, self.now)
    }

    fn moment_or(&self, at: Option<Timestamp>, otherwise: &str) -> String {
        times::moment_or(at, otherwise, &self.settings.zone, self.now)
    }

    /// A moment as the tables have it, by the organisation's clock; as it is, if it cannot be read.
    fn clock(&self, text: &str) -> String {
        text.parse().map_or_else(|_| text.to_owned(), |at| times::clock(at, &self.settings.zone))
    }

    /// A button for an order, if the role may give it.
    fn order(&self, order: Order, more: Value) -> Option<Button> {
        self.buttons.order(order, self.show.page, more)
    }

    /// The same button where there are several of its label: said aloud, it says what it is about.
    fn order_about(&self, order: Order, what: &str, more: Value) -> Option<Button> {
        self.order(order, more).map(|button| button.about(what))
    }

    /// The fields that go with orders, for those who may give any.
    fn sign(&self) -> Option<Sign> {
        let may_order = self.buttons.role.may(Role::Operator);
        may_order.then(|| Sign::of(&self.show.said, self.keep_why))
    }

    /// The notice in place of the buttons for a role that may not press them.
    fn may_not(&self) -> Option<String> {
        (!self.buttons.role.may(Role::Operator)).then(|| {
            format!(
                "Buttons that do something are on the dashboard of operators, whose function is the one \
                 that ends in -{}; the stack's {} permits its use.",
                Role::Operator.function(),
                Role::Operator.policy()
            )
        })
    }

    /// What stands around the page. To be asked for after the rows are read.
    fn frame(&self) -> Frame {
        let rows = match self.rows_read.get() {
            1 => "1 row".to_owned(),
            rows => format!("{rows} rows"),
        };
        let zone = &self.settings.zone;
        Frame {
            dark: self.show.dark,
            title: self.show.page.title(),
            organisation: name_of(self.row),
            role: self.buttons.role,
            nav: self.buttons.nav(self.show.page),
            notices: self.notices.clone(),
            footer: format!(
                "As of {} {}; {rows} read.",
                times::clock(self.now, zone),
                self.now.to_zoned(zone.clone()).strftime("%Z")
            ),
        }
    }
}

/// The name of an organisation, or its id if it has none.
pub(crate) fn name_of(row: &OrganisationRow) -> String {
    row.name.clone().unwrap_or_else(|| row.organisation.to_string())
}

/// Fills a template.
fn filled(page: &impl Template) -> Result<String, PageError> {
    Ok(page.render()?)
}
