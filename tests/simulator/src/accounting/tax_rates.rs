//! `/TaxRates`, which can only be read.

use jiff::Timestamp;
use uuid::Uuid;

use super::{lists, request::Call};
use crate::{query::Filter, reply::Reply, wire::TaxRateListed, world::World};

/// `GET /TaxRates`, archived ones included; it has no pages.
pub(super) fn list(
    world: &mut World,
    organisation: Uuid,
    call: &Call,
    now: Timestamp,
) -> Result<Reply, Reply> {
    call.query.refuse(&["order"])?;
    let filter = Filter::parse(call.query.value("where"), &["Status", "TaxType"])?;
    let books = lists::organisation(world, organisation)?;
    let admitted = books.tax_rates.iter().filter(|rate| {
        filter.admits(|name| match name {
            "Status" => rate.status().into(),
            _ => rate.tax_type.clone().into(),
        })
    });
    let items: Vec<_> = admitted.map(TaxRateListed::from).collect();
    Ok(lists::reply(world, "TaxRates", items, None, now))
}
