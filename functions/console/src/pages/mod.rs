//! The pages. Each reads its rows, no more of them than it says, makes of them what is to be shown, without
//! asking anybody anything, and hands that to its template.

mod actions;
mod activity;
mod balances;
pub(crate) mod choose;
mod closes;
mod configure;
mod contact_credits;
mod customers;
mod dead_letters;
mod discrepancies;
mod discrepancy_page;
pub(crate) mod dispatch;
mod evidence;
mod feeds;
mod home;
mod integrations;
mod invoice;
mod limits;
mod messages;
mod needs_you;
mod next_night;
pub(crate) mod notices;
mod one_close;
mod one_discrepancy;
mod one_order;
mod orders;
mod parked;
mod payment_actions;
mod payment_list;
mod reports;
mod shadow;
mod sync_log;
mod tonight;
mod trouble;
mod why;
mod work;

use std::cell::Cell;

use archive::Archive;
use askama::Template;
use commands::Reply;
use jiff::{SignedDuration, Timestamp};
use payments::connection::AccessMode;
use payments::{OrganisationId, Settings};
use serde_json::Value;
use table::{Newest, OrganisationRow, ReadError, Tables};

pub(crate) use self::trouble::Trouble;
use crate::event::Show;
use crate::order::Order;
pub use crate::page::{Page, Place};
use crate::roles::Role;
use crate::times;
use crate::view::{Button, Buttons, Frame, Notice};

/// Why a page cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    /// A table does not answer, or holds a row that cannot be read.
    #[error("the tables could not be read")]
    Read(#[from] ReadError),
    /// No link could be made to a file.
    #[error("a file could not be linked to")]
    Archive(#[source] archive::ArchiveError),
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
    /// What stands in the way of the whole organisation.
    pub(crate) trouble: Trouble,
    /// Whether what was typed as a reason is to stay there: its order was not carried out.
    pub(crate) keep_why: bool,
    /// The replies to a look.
    pub(crate) replies: Vec<Reply>,
    /// How often the stack looks for what has changed in Xero.
    pub(crate) sweep_every: SignedDuration,
    /// How Xero lets us in.
    pub(crate) mode: AccessMode,
    /// Where reports are kept, if the stack has a bucket for them.
    pub(crate) archive: Option<&'a Archive>,
    pub(crate) now: Timestamp,
    pub(crate) rows_read: Cell<usize>,
}

impl Stage<'_> {
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

    /// The notice in place of the buttons for a role that may not press them.
    fn may_not(&self) -> Option<String> {
        (!self.buttons.role.may(Role::Operator)).then(|| {
            format!(
                "You can look here, and change nothing. To make changes, open the dashboard whose name ends in -{}; the \
                 stack's {} permits its use.",
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
            organisation: self.row.title(),
            role: self.buttons.role,
            nav: self.buttons.nav(self.show.page),
            notices: self.notices.clone(),
            trouble: self.trouble.sentences.clone(),
            footer: format!(
                "As of {} {}; {rows} read.",
                times::clock(self.now, zone),
                self.now.to_zoned(zone.clone()).strftime("%Z")
            ),
        }
    }
}

/// Fills a template.
fn filled(page: &impl Template) -> Result<String, PageError> {
    Ok(page.render()?)
}
