//! The reply to each command, as types with JSON on both sides. Counts and lists that a reply of another version does not have
//! are empty. Codes and counts; names and amounts only where a page has to
//! show them.

mod account_list;
mod containment;
mod dead_letters;
mod log_verification;
mod plan;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use payments::{CustomerId, GrantId, OrganisationId, PaymentId};
use serde::{Deserialize, Serialize};

pub use account_list::{AccountListReply, AccountOption, AccountReply, TaxType, UseOfAccount};
pub use containment::{ConcernedOrganisation, ContainmentReply, GrantAtRisk};
pub use dead_letters::{
    DeadLetterSummary, DeadLettersReply, DeadLettersReport, DiscardReply, DiscardedLetter,
};
pub use log_verification::{LogFault, LogVerification, LogVerificationReply};
pub use plan::{Disposition, NightPlan, PlanReply, PlannedPayment};

/// What a run over each organisation has done; after a sign-up, with the health of the connection.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct SyncReply {
    /// One for each run.
    pub sweeps: Vec<OrganisationSweep>,
    /// The health of the connections, if it was evaluated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<ConnectionHealth>,
    /// Whether the activity log has a row with who ordered it, and why.
    pub recorded: bool,
}

/// The sweep of one organisation.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct OrganisationSweep {
    /// Which organisation.
    pub organisation: OrganisationId,
    /// How it ended.
    pub outcome: SweepOutcome,
    /// Why it did not come to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The run that was made; or the one that is under way, or was last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunSummary>,
}

/// How a sweep ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SweepOutcome {
    /// It has come to its end.
    Finished,
    /// It has stopped in good order, and goes on with the next one.
    Stopped,
    /// It has failed.
    Failed,
    /// Its process has ended in the middle.
    Interrupted,
    /// It is under way.
    Running,
    /// Another run is under way.
    AnotherRunIsAtIt,
    /// One was ordered a moment ago, and counts.
    AskedAMomentAgo,
    /// The schedule came twice.
    AlreadyDone,
    /// It was not begun.
    NotNow,
}

/// A run in short; the table `sync_runs` has it in full.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RunSummary {
    /// Its id.
    pub run: String,
    /// The code of its kind.
    pub kind: String,
    /// The code of its state.
    pub state: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Counts by name.
    pub counts: BTreeMap<String, u32>,
    /// Errors by class.
    pub errors: BTreeMap<String, u32>,
    /// Calls of Xero's API.
    pub calls: u32,
}

impl OrganisationSweep {
    /// How many invoices were put on the queue to be read again.
    pub fn queued(&self) -> u32 {
        self.run.as_ref().and_then(|run| run.counts.get("queued").copied()).unwrap_or(0)
    }
}

/// The health of the connection of one organisation.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ConnectionHealth {
    /// Which organisation.
    pub organisation: OrganisationId,
    /// The status in words.
    pub status: String,
    /// Everything that is wrong.
    pub troubles: Vec<ConnectionIssue>,
}

/// A problem of a connection, and its remedy.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ConnectionIssue {
    /// Its code.
    pub what: String,
    /// Its class.
    pub class: String,
    /// Why, in words.
    pub why: String,
    /// The remedy.
    #[serde(rename = "cure")]
    pub remedy: String,
}

/// An organisation in shadow, or one that has left it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct ShadowReply {
    /// The result in words.
    pub done: String,
    /// The readiness list (CM-02).
    pub points: Vec<ReadinessPoint>,
    /// How many payments differ, by the code of the kind.
    pub differing: BTreeMap<String, u32>,
    /// The first of them, in words.
    pub differences: Vec<String>,
    /// How many days in a row have to show no difference.
    pub quiet_days: u32,
    /// Whether the activity log has a row with who ordered it, and why.
    pub recorded: bool,
}

/// A point of the readiness list.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ReadinessPoint {
    /// Its code.
    pub code: String,
    /// What is asked.
    pub asks: String,
    /// What is wrong; none if it is passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A mass change that goes through.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ApprovalReply {
    /// How many invoices waited for it; they are on the queue.
    pub approved: usize,
    /// Whether the activity log has a row with who ordered it, and why.
    pub recorded: bool,
}

/// Uploading that is on.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct UploadsReply {
    /// The result in words.
    pub done: String,
    /// Whether the activity log has a row with who ordered it, and why: not if it was on already.
    pub recorded: bool,
}

/// Settings that are another than before.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct ConfigurationReply {
    /// Each with its name, and its text before and after.
    pub changed: Vec<ChangedSetting>,
    /// Whether the activity log has a row with who ordered it, and why: not if all was so already.
    pub recorded: bool,
}

/// A setting that is another than before.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct ChangedSetting {
    /// Its name.
    pub setting: String,
    /// Its text before; empty for the default.
    pub before: String,
    /// Its text now.
    pub after: String,
}

/// A payment after an order about it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PaymentReply {
    /// Its id.
    pub payment: PaymentId,
    /// The code of its state.
    pub state: String,
    /// The code of its reason.
    pub reason: String,
    /// The reason in words.
    pub why: String,
    /// Whether the activity log has a row with who ordered it, and why: not if it was so already, with the same words.
    pub recorded: bool,
}

/// A customer after an action was opened or solved.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct CustomerReply {
    /// Its id.
    pub customer: CustomerId,
    /// Whether everything about it waits.
    pub blocked: bool,
    /// Whether it was not so already, with the same words.
    pub changed: bool,
    /// Whether everything about it waited before.
    pub was_blocked: bool,
    /// Whether the business has ever reported it.
    pub reported: bool,
    /// Whether the activity log has a row with who ordered it, and why.
    pub recorded: bool,
}

/// Parked work that is on its queue again, or would be.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct ReplayReply {
    /// Which and how many.
    pub replay: ReplayReport,
    /// Whether the activity log has a row with who ordered it, and why: one for each that was taken out.
    pub recorded: bool,
}

/// Parked work by what became of it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct ReplayReport {
    /// Whether this was only a look.
    pub preview: bool,
    /// How many are on the queue again, or would be.
    pub replayed: usize,
    /// How many stay: they would be parked again, or cannot be done again from here.
    pub left: usize,
    /// How many there was no time for. Ask again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_reached: usize,
    /// The same by reason.
    pub reasons: BTreeMap<String, usize>,
    /// The first of them.
    pub first: Vec<ParkedItem>,
}

/// A row of the table `parked`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ParkedItem {
    /// Its key.
    pub parked_at: String,
    /// The code of the reason.
    pub reason: String,
    /// The reason in words.
    pub detail: String,
    /// Whether it can be done again.
    pub can_be_replayed: bool,
    /// Only if it is asked for by its `parked_at`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub only_if_named: bool,
}

/// A discrepancy that may stay as it is.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct AcceptanceReply {
    /// Its key.
    pub accepted: String,
    /// Whether the activity log has a row with who ordered it, and why.
    pub recorded: bool,
}

/// Business days that were closed, or could not be.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct CloseReply {
    /// One for each day, the oldest first.
    pub closes: Vec<CloseOutcome>,
    /// Whether the activity log has a row with who ordered it, and why.
    pub recorded: bool,
}

/// What became of the close of one day.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct CloseOutcome {
    /// Whose day.
    pub organisation: OrganisationId,
    /// The business day.
    pub day: Date,
    /// `closed`, `reopened`, `unchanged` or `failed`.
    pub outcome: String,
    /// Counts how often it was closed with another outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What became of a command about discrepancies.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct DiscrepanciesReply {
    /// Those on which it was carried out, each as `10234/OVERPAID#`.
    pub done: Vec<String>,
    /// The others. They keep none of the rest from being done.
    pub refused: Vec<RefusedItem>,
    /// Whether the activity log has a row with who ordered it, and why: one for each that is done.
    pub recorded: bool,
}

/// A discrepancy on which a command was not carried out.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RefusedItem {
    /// Which, as `10234/OVERPAID#`.
    pub discrepancy: String,
    /// Why not, in words.
    pub why: String,
}

/// A payment that is back.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RestorationReply {
    /// Its id.
    pub restored: PaymentId,
    /// Whether the activity log has a row with who ordered it, and why.
    pub recorded: bool,
}

/// Decisions that were announced again, or would be.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct RepublicationReply {
    /// Which and how many.
    pub announce_again: Republication,
    /// Whether the activity log has a row with who ordered it, and why.
    pub recorded: bool,
}

/// Decisions that were announced again, or would be. Keys, codes and counts only.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Republication {
    /// Whether this was only a look.
    pub preview: bool,
    /// Rows that were read.
    pub rows: usize,
    /// Events that are on the bus again, or would be.
    pub announced: usize,
    /// The same by name.
    pub events: BTreeMap<String, usize>,
    /// Rows that announce nothing, by what they say was done.
    pub not_announced: BTreeMap<String, usize>,
    /// Rows that cannot be read.
    pub unreadable: usize,
    /// The keys of the first of them.
    pub unreadable_rows: Vec<String>,
    /// Events that the bus will never take: the ids of the first of them.
    pub refused: Vec<String>,
    /// Events that the bus did not take this time.
    pub failed: usize,
    /// Why that is not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Whether all of these hours is done.
    pub complete: bool,
    /// If it is not: the same command with this goes on behind what is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A report that is on its way: the one who has ordered it does not wait for it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ReportReply {
    /// The name of its period.
    pub report: String,
    /// Whether the activity log has a row with who ordered it, and why.
    pub recorded: bool,
}

/// Names that are saved.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct NamesReply {
    /// Whether the activity log has a row with who ordered it, and why.
    pub recorded: bool,
}

/// The address at which a user lets us in.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct AuthorisationReply {
    /// Which.
    pub authorise: Authorisation,
    /// Whether the activity log has a row with who ordered it, and why.
    pub recorded: bool,
}

/// The address at which a user lets us in.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Authorisation {
    /// The address, for the user's browser.
    pub url: String,
    /// The grant that comes of it.
    pub grant: GrantId,
    /// Until when the user has to be back.
    pub until: Timestamp,
}

/// The grant of a user.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct GrantReply {
    /// Which.
    pub connect: GrantedOrganisations,
    /// Whether the activity log has a row with who ordered it, and why: one for each organisation.
    pub recorded: bool,
}

/// What came of disconnecting an organisation.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct DisconnectionReply {
    /// The organisation, and how far it is.
    pub disconnect: Disconnection,
    /// Whether the activity log has a row with who ordered it, and why.
    pub recorded: bool,
}

/// How far an organisation is disconnected.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Disconnection {
    /// The organisation.
    pub organisation: OrganisationId,
    /// `disconnected`; or `disconnecting` while Xero has not confirmed it.
    pub state: String,
    /// Why Xero has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The organisations of a grant.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct GrantedOrganisations {
    /// The grant.
    pub grant: GrantId,
    /// The organisations that the user has chosen and that are mirrored or set up here.
    pub signed_up: Vec<OrganisationId>,
    /// The others: `sign_up` is what they need next.
    pub may_be_signed_up: Vec<OrganisationId>,
}

const fn is_zero(count: &usize) -> bool {
    *count == 0
}

const fn is_false(flag: &bool) -> bool {
    !*flag
}
