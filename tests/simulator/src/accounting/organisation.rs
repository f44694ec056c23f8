//! `/Organisation`.

use jiff::Timestamp;
use uuid::Uuid;

use super::lists;
use crate::{reply::Reply, wire::OrganisationOut, world::World};

pub(super) fn show(world: &mut World, organisation: Uuid, now: Timestamp) -> Result<Reply, Reply> {
    let found = lists::organisation(world, organisation)?;
    let items = vec![OrganisationOut::from(found)];
    Ok(lists::reply(world, "Organisations", items, None, now))
}
