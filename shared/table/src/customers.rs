//! The business's customers, and what blocks them.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Put};
use jiff::Timestamp;
use payments::upload::{ActionKind, ContactSync, Customer, FoundBy, MergedContact};
use payments::{CustomerId, Occurrence, OrganisationId, XeroContactId};

use crate::activity::day;
use crate::attributes::{Item, Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::latest::{Listed, Newest};
use crate::schema::{ACTIVITY, CUSTOMERS, OPEN_ACTIONS, UNSYNCED};
use crate::tables::{Tables, transact};

/// Open actions are counted so far.
pub const ACTIONS_COUNTED_MAX: usize = 100;

/// The actions that are open.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct OpenActions {
    /// How many.
    pub count: u32,
    /// Whether there are more than were counted.
    pub more: bool,
    /// When the oldest of them was opened.
    pub oldest: Option<Timestamp>,
}

impl Tables {
    /// The stored row of a customer.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn customer(
        &self,
        organisation: OrganisationId,
        customer: &CustomerId,
    ) -> Result<Option<Customer>, ReadError> {
        let key = [("organisation", organisation.to_string()), ("customer", customer.to_string())];
        self.one(CUSTOMERS, &key).await?.as_ref().map(read_customer).transpose()
    }

    /// The stored rows of many customers, read consistently. Those that are not there are left out.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn customers(
        &self,
        organisation: OrganisationId,
        customers: &[CustomerId],
    ) -> Result<BTreeMap<CustomerId, Customer>, ReadError> {
        let each = self.each_customer(organisation, customers).await?;
        each.into_iter().map(|(id, known)| Ok((id, known?))).collect()
    }

    /// The same, each for itself: a row that cannot be read hides no other customer (AMB-30).
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn each_customer(
        &self,
        organisation: OrganisationId,
        customers: &[CustomerId],
    ) -> Result<BTreeMap<CustomerId, Result<Customer, ReadError>>, ReadError> {
        let keys = customers.iter().map(|id| (organisation.to_string(), id.to_string()));
        let rows = self.many(CUSTOMERS, ["organisation", "customer"], keys, None).await?;
        let of = |item: &Item| {
            Some((item.get("customer")?.as_s().ok()?.parse().ok()?, read_customer(item)))
        };
        Ok(rows.iter().filter_map(of).collect())
    }

    /// The customers about which an action is open, the oldest action first, at most `max`; as of a moment ago
    /// (EX-27).
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn open_actions(
        &self,
        organisation: OrganisationId,
        max: usize,
    ) -> Result<Listed<Customer>, ReadError> {
        Ok(self.action_rows(organisation, max).await?.read_each("customer", read_customer))
    }

    /// Every customer of the organisation, each for itself, with the keys of those that cannot be read; read
    /// consistently.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn all_customers(
        &self,
        organisation: OrganisationId,
    ) -> Result<(Vec<Customer>, usize), ReadError> {
        let rows = self.partition(CUSTOMERS, "organisation", &organisation.to_string()).await?;
        let all = rows.len();
        let read: Vec<_> = rows.iter().filter_map(|item| read_customer(item).ok()).collect();
        let unreadable = all.saturating_sub(read.len());
        Ok((read, unreadable))
    }

    /// Customers in the order of their ids, from the one after this on, at most `max`; as of a moment ago.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn customers_after(
        &self,
        organisation: OrganisationId,
        after: Option<&str>,
        max: usize,
    ) -> Result<Listed<Customer>, ReadError> {
        let mut query = self
            .client()
            .query()
            .table_name(self.name(CUSTOMERS))
            .key_condition_expression("organisation = :whose AND customer > :after")
            .expression_attribute_values(":whose", AttributeValue::S(organisation.to_string()))
            .limit(i32::try_from(max.saturating_add(1)).unwrap_or(i32::MAX));
        // No id is shorter than one character, and none begins with a blank.
        query = query
            .expression_attribute_values(":after", AttributeValue::S(after.unwrap_or(" ").into()));
        let answer =
            query.send().await.map_err(|error| ReadError::unavailable(CUSTOMERS, error))?;
        let mut rows = answer.items.unwrap_or_default();
        let more = rows.len() > max;
        rows.truncate(max);
        Ok(Newest { rows, more }.read_each("customer", read_customer))
    }

    /// Whether any customer is to be compared with Xero's contacts: new, or reported otherwise.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn has_unsynced_customers(
        &self,
        organisation: OrganisationId,
    ) -> Result<bool, ReadError> {
        let whose = organisation.to_string();
        let found = self.oldest(CUSTOMERS, Some(UNSYNCED), ("organisation", &whose), 1).await?;
        Ok(!found.rows.is_empty())
    }

    /// Counts an organisation's open actions, up to [`ACTIONS_COUNTED_MAX`]; as of a moment ago.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn count_open_actions(
        &self,
        organisation: OrganisationId,
    ) -> Result<OpenActions, ReadError> {
        let found = self.action_rows(organisation, ACTIONS_COUNTED_MAX).await?;
        // A row of which not even the time can be read is one that is open all the same.
        let since = |item| Reader::new(CUSTOMERS, item).parsed("blocked_at").ok();
        Ok(OpenActions {
            count: u32::try_from(found.rows.len()).unwrap_or(u32::MAX),
            more: found.more,
            oldest: found.rows.first().and_then(since),
        })
    }

    async fn action_rows(
        &self,
        organisation: OrganisationId,
        max: usize,
    ) -> Result<Newest<Item>, ReadError> {
        let whose = organisation.to_string();
        self.oldest(CUSTOMERS, Some(OPEN_ACTIONS), ("organisation", &whose), max).await
    }

    /// Stores a customer on condition that what was `known` still stands: the same version, and the
    /// same block. A block that comes or goes is a row of the activity log, with who says so and why.
    ///
    /// # Errors
    /// `Conflict`, `Unavailable`.
    pub async fn store_customer(
        &self,
        known: Option<&Customer>,
        after: &Customer,
        said: Option<(&str, &str)>,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let put = Put::builder()
            .table_name(self.name(CUSTOMERS))
            .set_item(Some(customer_row(after, now)));
        let put = match known {
            None => put.condition_expression("attribute_not_exists(organisation)"),
            Some(known) => still(put, known),
        };
        let mut rows = vec![transact(put)?];
        if known.and_then(|known| known.blocked.as_ref()) != after.blocked.as_ref() {
            rows.push(self.put(ACTIVITY, activity_row(known, after, said, now))?);
        }
        if let (Some(found_by), Some(contact)) = (after.sync.found_by, after.contact)
            && known
                .is_none_or(|known| known.contact != after.contact && known.merged == after.merged)
        {
            rows.push(self.put(ACTIVITY, found_row(after, found_by, contact, said, now))?);
        }
        if let Some(merged) = &after.merged
            && known.and_then(|known| known.merged.as_ref()) != Some(merged)
        {
            rows.push(self.put(ACTIVITY, merge_row(known, after, merged, now))?);
        }
        self.commit(CUSTOMERS, rows).await
    }
}

/// Version, contact and block together say all that a row holds, so that it needs no count of its writes.
fn still(put: PutBuilder, known: &Customer) -> PutBuilder {
    let revision = AttributeValue::N(known.revision.to_string());
    let mut put = put.expression_attribute_values(":revision", revision);
    let mut condition = "revision = :revision".to_owned();
    for (name, read) in [
        ("xero_contact_id", known.contact.map(|contact| contact.to_string())),
        ("merged_at", known.merged.as_ref().map(|merged| instant(merged.at))),
        ("blocked", known.blocked.clone()),
        ("blocked_at", known.blocked_at.map(instant)),
        ("unusable_contact_id", known.unusable_contact.map(|contact| contact.to_string())),
        ("last_synced_at", known.sync.synced_at.map(instant)),
        ("found_by", known.sync.found_by.map(|by| by.to_string())),
    ] {
        match read {
            None => condition.push_str(&format!(" AND attribute_not_exists({name})")),
            Some(read) => {
                condition.push_str(&format!(" AND {name} = :{name}"));
                put = put.expression_attribute_values(format!(":{name}"), AttributeValue::S(read));
            }
        }
    }
    put.condition_expression(condition)
}

fn customer_row(customer: &Customer, now: Timestamp) -> Item {
    let between = customer.merged.iter().flat_map(|merged| &merged.between);
    let between: Vec<_> = between.map(|id| AttributeValue::S(id.to_string())).collect();
    let candidates = customer.sync.candidates.iter();
    let candidates: Vec<_> = candidates.map(|id| AttributeValue::S(id.to_string())).collect();
    let mut row = Writer::default();
    for (name, ids) in
        [("merged_between_contact_ids", between), ("candidate_contact_ids", candidates)]
    {
        if !ids.is_empty() {
            row = row.value(name, AttributeValue::L(ids));
        }
    }
    let row = row;
    row.text("organisation", customer.organisation)
        .text("customer", &customer.id)
        .number("revision", customer.revision)
        .text_if("name", customer.name.as_deref())
        .text_if("xero_contact_id", customer.contact)
        .text_if("merged_from_contact_id", customer.merged.as_ref().map(|merged| merged.from))
        .instant_if("merged_at", customer.merged.as_ref().map(|merged| merged.at))
        .text_if("blocked", customer.blocked.as_deref())
        // The list of open actions has those rows that have this, so that none may lack it.
        .instant_if("blocked_at", customer.blocked.as_ref().and(customer.blocked_at.or(Some(now))))
        .text_if("unusable_contact_id", customer.unusable_contact)
        .text_if("email", customer.email.as_deref())
        .text_if("found_by", customer.sync.found_by)
        .text_if("passed_over_contact_id", customer.sync.passed_over)
        .text_if("action", customer.sync.action)
        .instant_if("last_synced_at", customer.sync.synced_at)
        // The customers that the sync looks at are those that have this.
        .instant_if("unsynced_since", customer.sync.is_due.then_some(now))
        .instant("recorded_at", now)
        .finish()
}

fn read_customer(item: &Item) -> Result<Customer, ReadError> {
    let row = Reader::new(CUSTOMERS, item);
    let merged = match row.parsed_if("merged_from_contact_id")? {
        Some(from) => {
            let name = "merged_between_contact_ids";
            let between = if row.has(name) { row.list_of(name)? } else { Vec::new() };
            let between = between.into_iter().collect();
            Some(MergedContact { from, between, at: row.parsed("merged_at")? })
        }
        None => None,
    };
    Ok(Customer {
        organisation: row.parsed("organisation")?,
        id: row.parsed("customer")?,
        revision: row.number("revision")?,
        name: row.text_if("name")?.map(str::to_owned),
        contact: row.parsed_if("xero_contact_id")?,
        blocked: row.text_if("blocked")?.map(str::to_owned),
        blocked_at: row.parsed_if("blocked_at")?,
        merged,
        unusable_contact: row.parsed_if("unusable_contact_id")?,
        email: row.text_if("email")?.map(str::to_owned),
        sync: read_sync(&row)?,
    })
}

fn read_sync(row: &Reader<'_>) -> Result<ContactSync, ReadError> {
    let candidates = "candidate_contact_ids";
    Ok(ContactSync {
        found_by: coded(row, "found_by", FoundBy::from_code)?,
        passed_over: row.parsed_if("passed_over_contact_id")?,
        action: coded(row, "action", ActionKind::from_code)?,
        candidates: if row.has(candidates) { row.list_of(candidates)? } else { Vec::new() },
        synced_at: row.parsed_if("last_synced_at")?,
        is_due: row.has("unsynced_since"),
    })
}

fn coded<T>(
    row: &Reader<'_>,
    name: &str,
    from_code: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, ReadError> {
    row.has(name).then(|| row.code(name, from_code)).transpose()
}

fn activity_row(
    known: Option<&Customer>,
    after: &Customer,
    said: Option<(&str, &str)>,
    now: Timestamp,
) -> Item {
    let was = known.and_then(|known| known.blocked.as_deref());
    let action = if after.blocked.is_some() {
        Occurrence::CustomerBlocked
    } else {
        Occurrence::CustomerUnblocked
    };
    about(after, action, now)
        .text("rule", "EX-28")
        .text_if("blocked", after.blocked.as_deref().or(was))
        .text_if("by", said.map(|(by, _)| by))
        .text_if("why", said.map(|(_, why)| why))
        .finish()
}

/// The beginning of a row of the activity log about a customer.
fn about(after: &Customer, action: Occurrence, now: Timestamp) -> Writer {
    Writer::default()
        .text("day", day(after.organisation, now))
        .text("at", format!("{}#customer#{}#{}-{action}", instant(now), after.id, after.revision))
        .text("organisation", after.organisation)
        .logged(action)
        .text("customer", &after.id)
}

/// A contact that was found for a customer, or picked by a person (EX-36).
fn found_row(
    after: &Customer,
    found_by: FoundBy,
    contact: XeroContactId,
    said: Option<(&str, &str)>,
    now: Timestamp,
) -> Item {
    let how = match found_by {
        FoundBy::Report => "the business names it",
        FoundBy::AccountNumber => "its account number is the customer's id",
        FoundBy::Name => "it is the only contact in use with the customer's name",
        FoundBy::Email => "it is the only contact in use with the customer's e-mail address",
        FoundBy::Person => "a person has picked it",
    };
    let row = about(after, Occurrence::ContactFound, now)
        .text("rule", "EX-36")
        .text("xero_contact_id", contact)
        .text_if("by", said.map(|(by, _)| by));
    match said {
        Some((_, why)) => row.text("why", format!("{how}: {why}")),
        None => row.text("why", how),
    }
    .finish()
}

/// A merge in Xero that is followed: from which contact to which (EX-37).
fn merge_row(
    known: Option<&Customer>,
    after: &Customer,
    merged: &MergedContact,
    now: Timestamp,
) -> Item {
    let action = Occurrence::ContactFollowed;
    let from = known.and_then(|known| known.contact).unwrap_or(merged.from);
    let into = after.contact.map(|contact| contact.to_string()).unwrap_or_default();
    about(after, action, now)
        .text("rule", "EX-37")
        .text_if("xero_contact_id", after.contact)
        .text("why", format!("in Xero, contact {from} was merged into {into}"))
        .finish()
}
