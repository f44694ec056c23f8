//! `/Accounts`, which can only be read.

use jiff::Timestamp;
use uuid::Uuid;

use super::{lists, request::Call};
use crate::{books::Account, query::Filter, reply::Reply, wire::AccountListed, world::World};

/// `GET /Accounts`, archived ones included; it has no pages.
pub(super) fn list(
    world: &mut World,
    organisation: Uuid,
    call: &Call,
    now: Timestamp,
) -> Result<Reply, Reply> {
    call.query.refuse(&["order"])?;
    let filter = Filter::parse(call.query.value("where"), &["Code", "Status", "Type"])?;
    let books = lists::organisation(world, organisation)?;
    let admitted = |account: &&Account| {
        filter.admits(|name| match name {
            "Code" => account.code.clone().unwrap_or_default().into(),
            "Status" => account.status().into(),
            _ => account.kind.as_str().into(),
        })
    };
    let found = books.accounts.iter().filter(admitted);
    let items: Vec<_> = found.map(|account| AccountListed::new(books, account)).collect();
    Ok(lists::reply(world, "Accounts", items, None, now))
}

/// `GET /Accounts/{id}`.
pub(super) fn show(
    world: &mut World,
    organisation: Uuid,
    id: &str,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let books = lists::organisation(world, organisation)?;
    let id = Uuid::parse_str(id).map_err(|_| Reply::not_found())?;
    let account = books.account(id).ok_or_else(Reply::not_found)?;
    let item = AccountListed::new(books, account);
    Ok(lists::reply(world, "Accounts", vec![item], None, now))
}
