//! `/Organisation`.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::lists;
use crate::{reply::Reply, wire::OrganisationOut, world::World};

pub(super) fn show(world: &mut World, organisation: Uuid, now: Timestamp) -> Result<Reply, Reply> {
    let found = lists::organisation(world, organisation)?;
    let items = vec![OrganisationOut::from(found)];
    Ok(lists::reply(world, "Organisations", items, None, now))
}

/// The actions of the specification's example (getOrganisationActions).
const ACTIONS: [&str; 13] = [
    "CreateApprovedInvoice",
    "CreateDraftPurchaseOrder",
    "CreateApprovedBill",
    "AttachFilesIntoInvoice",
    "UseMulticurrency",
    "CreateDraftInvoice",
    "CreateRepeatingInvoice",
    "CreateRepeatingBill",
    "CreateSentQuote",
    "CreateInvoicePayment",
    "CreateApprovedPurchaseOrder",
    "CreateDraftQuote",
    "CreateDraftBill",
];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ActionOut {
    name: &'static str,
    status: &'static str,
}

/// `/Organisation/Actions`.
pub(super) fn actions(
    world: &mut World,
    organisation: Uuid,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let found = lists::organisation(world, organisation)?;
    let status = |name: &str| {
        if found.forbidden_actions.contains(name) { "NOT-ALLOWED" } else { "ALLOWED" }
    };
    let items = ACTIONS.map(|name| ActionOut { name, status: status(name) }).into();
    Ok(lists::reply::<ActionOut>(world, "Actions", items, None, now))
}
