//! What came of stopping everything after a leak.

use jiff::Timestamp;
use payments::{GrantId, OrganisationId};
use serde::{Deserialize, Serialize};

/// Tokens that are useless now, and who is concerned.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct ContainmentReply {
    /// Grants whose tokens Xero has taken back.
    pub revoked: usize,
    /// Grants whose tokens may still work. The command is to be given again.
    pub at_risk: Vec<GrantAtRisk>,
    /// Who is concerned.
    pub organisations: Vec<ConcernedOrganisation>,
    /// The text for Xero.
    pub message: String,
    /// Whether the activity log has a row with who ordered it, and why.
    pub recorded: bool,
}

/// A grant that was not taken back.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct GrantAtRisk {
    /// Which.
    pub grant: GrantId,
    /// Why.
    pub why: String,
}

/// An organisation that is concerned by a leak.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ConcernedOrganisation {
    /// Which.
    pub organisation: OrganisationId,
    /// Its name here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was last connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_until: Option<Timestamp>,
    /// When its uploads stopped, if they were on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploads_until: Option<Timestamp>,
}
