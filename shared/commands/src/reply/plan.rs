//! The plan of a night, as a page shows it.

use payments::{OrganisationId, PaymentId};
use serde::{Deserialize, Serialize};

/// The plans of the next night.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct PlanReply {
    /// One for each organisation that uploads.
    pub previews: Vec<NightPlan>,
    /// Never: it is a look.
    pub recorded: bool,
}

/// The plan of the next night of an organisation.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct NightPlan {
    /// Which organisation.
    pub organisation: OrganisationId,
    /// Which night.
    pub night: String,
    /// How many would go.
    pub would_go: u32,
    /// How many would wait for a later night.
    pub would_wait: u32,
    /// Slots left in the night.
    pub slots_left: u32,
    /// Attempts in the last 30 days.
    pub attempts: u32,
    /// Why nothing goes in nights, if uploading is off.
    pub disabled: Option<String>,
    /// Those that were judged, in the order of their turn.
    pub payments: Vec<PlannedPayment>,
}

/// One payment of a plan.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PlannedPayment {
    /// Its id.
    pub payment: PaymentId,
    /// How much.
    pub amount: String,
    /// Of which day.
    pub date: String,
    /// The code of its route.
    #[serde(default)]
    pub route: Option<String>,
    /// What the night would do with it.
    pub would: Disposition,
    /// The code of why it would be held or skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The codes of the orders that would change something about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<String>,
    /// What would be made of it in Xero.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
}

/// What a night would do with a payment.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// Send it.
    Go,
    /// Leave it to a later night.
    Wait,
    /// Hold it.
    Hold,
    /// Skip it.
    Skip,
}
