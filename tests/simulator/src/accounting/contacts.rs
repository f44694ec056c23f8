//! `/Contacts`, which can only be read.

use std::collections::BTreeSet;

use jiff::Timestamp;
use uuid::Uuid;

use super::{lists, request::Call};
use crate::{
    books::{Contact, InvoiceKind, Organisation},
    query::{Filter, Place},
    reply::Reply,
    wire::ContactListed,
    world::World,
};

/// `GET /Contacts`; archived ones only when they are asked for (facts.md 4.7).
pub(super) fn list(
    world: &mut World,
    organisation: Uuid,
    call: &Call,
    now: Timestamp,
) -> Result<Reply, Reply> {
    call.query.refuse(&["searchTerm"])?;
    let filter = Filter::parse(call.query.value("where"), &["Name", "ContactStatus"])?;
    let ids = call.query.ids("IDs")?;
    let archived_too = call.query.switch("includeArchived", false);
    let order = call.query.order()?;
    let since = lists::since(call);
    let books = lists::organisation(world, organisation)?;
    let mut found: Vec<_> = books
        .contacts
        .iter()
        .filter(|contact| archived_too || !contact.archived)
        .filter(|contact| ids.as_ref().is_none_or(|ids| ids.contains(&contact.id)))
        .filter(|contact| since.is_none_or(|since| contact.updated >= since))
        .filter(|contact| {
            filter.admits(|name| match name {
                "Name" => contact.name.as_str().into(),
                _ => contact.status().into(),
            })
        })
        .collect();
    order.sort(&mut found, |contact| Place {
        updated: contact.updated,
        date: None,
        serial: contact.serial,
    });
    let (found, pagination) = lists::paged(call.query.page(), found);
    let roles = Roles::of(books);
    let items: Vec<_> = found.into_iter().map(|contact| roles.listed(contact)).collect();
    Ok(lists::reply(world, "Contacts", items, pagination, now))
}

/// Who has bills, and who has sales invoices.
struct Roles {
    suppliers: BTreeSet<Uuid>,
    customers: BTreeSet<Uuid>,
}

impl Roles {
    fn of(books: &Organisation) -> Self {
        let (mut suppliers, mut customers) = (BTreeSet::new(), BTreeSet::new());
        for invoice in books.invoices.values() {
            match invoice.kind {
                InvoiceKind::Accrec => customers.insert(invoice.contact),
                InvoiceKind::Accpay => suppliers.insert(invoice.contact),
            };
        }
        Self { suppliers, customers }
    }

    fn listed(&self, contact: &Contact) -> ContactListed {
        let is = |those: &BTreeSet<Uuid>| those.contains(&contact.id);
        ContactListed::new(contact, is(&self.suppliers), is(&self.customers))
    }
}

/// `GET /Contacts/{id}`, also of an archived one.
pub(super) fn show(
    world: &mut World,
    organisation: Uuid,
    id: &str,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let books = lists::organisation(world, organisation)?;
    let id = Uuid::parse_str(id).map_err(|_| Reply::not_found())?;
    let contact = books.contact(id).ok_or_else(Reply::not_found)?;
    let item = Roles::of(books).listed(contact);
    Ok(lists::reply(world, "Contacts", vec![item], None, now))
}
