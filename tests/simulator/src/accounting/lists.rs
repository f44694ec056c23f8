//! What the endpoints share: the books they read and the envelope they answer in.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use super::request::Call;
use crate::{
    books::Organisation,
    query::{Page, modified_since},
    reply::Reply,
    wire::{Envelope, Pagination},
    world::World,
};

/// The books of the organisation; the door has already made sure that they exist.
pub(super) fn organisation(world: &World, id: Uuid) -> Result<&Organisation, Reply> {
    world.books.organisations.get(&id).ok_or_else(Reply::not_found)
}

/// The instant of an `If-Modified-Since` that Xero would obey.
pub(super) fn since(call: &Call) -> Option<Timestamp> {
    call.header("if-modified-since").and_then(modified_since)
}

/// The page that was asked for, or everything.
pub(super) fn paged<T>(page: Option<Page>, found: Vec<T>) -> (Vec<T>, Option<Pagination>) {
    match page {
        Some(page) => {
            let (found, pagination) = page.cut(found);
            (found, Some(pagination))
        }
        None => (found, None),
    }
}

/// Items in their envelope.
pub(super) fn reply<T: Serialize>(
    world: &mut World,
    name: &'static str,
    items: Vec<T>,
    pagination: Option<Pagination>,
    now: Timestamp,
) -> Reply {
    Reply::envelope(&Envelope { id: world.noise.uuid(), at: now, pagination, name, items })
}

/// An item of a list whose items have different shapes.
pub(super) fn raw(item: &impl Serialize) -> Result<Box<RawValue>, Reply> {
    to_raw_value(item).map_err(|error| Reply::text(500, &error.to_string()))
}
