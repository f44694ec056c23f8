//! Which contact in Xero is which customer (EX-36): by identity first, then by one exact name, then by one exact e-mail
//! address, and never by a guess. An undecided match is an action with its candidates (EX-27).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::contact::ContactStanding;
use super::contact_directory::{Directory, blank_is_none, folded};
use super::contact_sync::{ActionKind, ContactSync, FoundBy};
use super::customer::{Customer, NO_CONTACT, record_contact};
use crate::ids::{CustomerId, XeroContactId};

/// Most candidates that an action lists.
pub const CANDIDATES_MAX: usize = 10;

/// Why a person is asked about a contact that was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Doubt {
    /// It has this name in Xero, which is another one.
    OtherName(String),
    /// It has become the contact of this customer as well, by a merge in Xero (EX-37).
    MergedInto(CustomerId),
}

/// What Xero's contacts say of a customer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ContactMatch {
    /// It has one contact.
    Linked {
        /// The contact that was found.
        asked: XeroContactId,
        /// That one, or the one that it was merged into.
        contact: XeroContactId,
        /// How it was found.
        found_by: FoundBy,
        /// What makes the link doubtful, if anything does.
        doubt: Option<Doubt>,
    },
    /// Its contact takes nothing.
    Unusable {
        /// The contact that was found.
        asked: XeroContactId,
        /// How it is.
        standing: ContactStanding,
        /// How it was found.
        found_by: FoundBy,
    },
    /// Which contact is the customer's, a person has to say.
    Unmatched {
        /// The kind of action.
        kind: ActionKind,
        /// The contacts that it may be.
        candidates: Vec<XeroContactId>,
        /// The problem to solve.
        why: String,
    },
    /// Its contact cannot be read, or was not asked for.
    Unknown,
}

/// What Xero's contacts say of each of these customers, who are all that the business has: of two with the same
/// name, none is linked with the one contact of that name.
pub fn match_customers<'c>(
    customers: &'c [Customer],
    directory: &Directory,
) -> Vec<(&'c Customer, ContactMatch)> {
    let ids: BTreeSet<&str> = customers.iter().map(|customer| customer.id.as_str()).collect();
    let mut identified: Vec<_> = customers.iter().map(|of| identified(of, directory)).collect();
    doubt_merges(customers, &mut identified);
    let owners: BTreeSet<XeroContactId> = identified.iter().filter_map(owned).collect();
    let guesses: Vec<Option<Similar>> = customers
        .iter()
        .zip(&identified)
        .map(|(customer, verdict)| verdict.is_none().then(|| similar(customer, directory)))
        .collect();
    let mut claims: BTreeMap<XeroContactId, u32> = BTreeMap::new();
    for similar in guesses.iter().flatten() {
        for contact in &similar.contacts {
            *claims.entry(*contact).or_default() += 1;
        }
    }
    let is_another_customers = |customer: &Customer, contact: &XeroContactId| {
        let number = directory.account_numbers.get(contact).map(String::as_str);
        owners.contains(contact)
            || claims.get(contact).is_some_and(|claims| *claims > 1)
            || number.is_some_and(|number| number != customer.id.as_str() && ids.contains(number))
    };
    let decided = customers.iter().zip(identified).zip(guesses);
    decided
        .map(|((customer, verdict), similar)| {
            let verdict = verdict.unwrap_or_else(|| {
                let similar = similar.unwrap_or_default();
                similar.verdict(directory, |contact| is_another_customers(customer, contact))
            });
            (customer, verdict)
        })
        .collect()
}

/// Doubts each link with a contact that is another customer's as well since a merge in Xero: the money of the one
/// would be spread over what the other owes. A person's word about it stands.
fn doubt_merges(customers: &[Customer], identified: &mut [Option<ContactMatch>]) {
    let first_of = |customer: &Customer| {
        customer.merged.as_ref().map(|merged| merged.from).or(customer.contact)
    };
    let mut holders: BTreeMap<XeroContactId, Vec<&Customer>> = BTreeMap::new();
    for (customer, verdict) in customers.iter().zip(&*identified) {
        if let Some(contact) = owned(verdict) {
            holders.entry(contact).or_default().push(customer);
        }
    }
    for (customer, verdict) in customers.iter().zip(identified) {
        let Some(ContactMatch::Linked { asked, contact, doubt: doubt @ None, .. }) = verdict else {
            continue;
        };
        let is_merged = asked != contact || customer.merged.is_some();
        if !is_merged || customer.sync.found_by == Some(FoundBy::Person) {
            continue;
        }
        let others = holders.get(contact).into_iter().flatten();
        let mut others = others.filter(|other| first_of(other) != first_of(customer));
        *doubt = others.next().map(|other| Doubt::MergedInto(other.id.clone()));
    }
}

/// The contact that a verdict of identity takes.
fn owned(verdict: &Option<ContactMatch>) -> Option<XeroContactId> {
    match verdict {
        Some(ContactMatch::Linked { contact, .. }) => Some(*contact),
        _ => None,
    }
}

/// A certain match: the contact that the customer has, or the one with its account number.
fn identified(customer: &Customer, directory: &Directory) -> Option<ContactMatch> {
    if let Some(asked) = customer.contact {
        let found_by = customer.sync.found_by.unwrap_or(FoundBy::Report);
        return Some(match directory.contacts.standing(asked) {
            None => match customer.unusable_contact {
                // It was asked for by its id, and nothing is new about it.
                Some(dead) if dead == asked => ContactMatch::Unusable {
                    asked,
                    standing: ContactStanding::Unusable {
                        contact: asked,
                        why: format!("Xero has no contact {asked}"),
                    },
                    found_by,
                },
                _ => ContactMatch::Unknown,
            },
            Some(standing) => of_standing(customer, directory, asked, standing, found_by),
        });
    }
    let all = directory.by_account_number.get(customer.id.as_str())?;
    let mut ends: BTreeMap<XeroContactId, XeroContactId> = BTreeMap::new();
    for asked in all {
        if let Some(ContactStanding::Active(end)) = directory.contacts.standing(*asked) {
            ends.entry(end).or_insert(*asked);
        }
    }
    match (ends.len(), ends.iter().next(), all.first()) {
        (0, _, Some(archived)) => {
            let standing = directory.contacts.standing(*archived)?;
            Some(of_standing(customer, directory, *archived, standing, FoundBy::AccountNumber))
        }
        (1, Some((end, asked)), _) => {
            let standing = ContactStanding::Active(*end);
            Some(of_standing(customer, directory, *asked, standing, FoundBy::AccountNumber))
        }
        _ => {
            let similar =
                Similar { contacts: ends.into_keys().collect(), by: FoundBy::AccountNumber };
            Some(similar.several(directory))
        }
    }
}

fn of_standing(
    customer: &Customer,
    directory: &Directory,
    asked: XeroContactId,
    standing: ContactStanding,
    found_by: FoundBy,
) -> ContactMatch {
    match standing {
        ContactStanding::Active(contact) => {
            let name = directory.names.get(&contact);
            let ours = blank_is_none(customer.name.as_deref());
            // An account number may be used for something else in Xero: with another name it is a doubt.
            let differs = |name: &&String| {
                found_by == FoundBy::AccountNumber
                    && ours.is_some_and(|ours| folded(ours) != folded(name))
            };
            let doubt = name.filter(differs).cloned().map(Doubt::OtherName);
            ContactMatch::Linked { asked, contact, found_by, doubt }
        }
        ContactStanding::Unusable { .. } => ContactMatch::Unusable { asked, standing, found_by },
        ContactStanding::Unreadable(_) => ContactMatch::Unknown,
    }
}

/// The contacts in use that have what a customer has.
#[derive(Debug)]
struct Similar {
    contacts: Vec<XeroContactId>,
    by: FoundBy,
}

impl Default for Similar {
    fn default() -> Self {
        Self { contacts: Vec::new(), by: FoundBy::Email }
    }
}

fn similar(customer: &Customer, directory: &Directory) -> Similar {
    let named = blank_is_none(customer.name.as_deref());
    let named = named.and_then(|name| directory.by_name.get(&folded(name)));
    if let Some(contacts) = named {
        return Similar { contacts: contacts.clone(), by: FoundBy::Name };
    }
    let email = blank_is_none(customer.email.as_deref());
    let addressed = email.and_then(|email| directory.by_email.get(&folded(email)));
    Similar { contacts: addressed.cloned().unwrap_or_default(), by: FoundBy::Email }
}

impl Similar {
    fn verdict(
        self,
        directory: &Directory,
        is_another_customers: impl Fn(&XeroContactId) -> bool,
    ) -> ContactMatch {
        match self.contacts[..] {
            [] => ContactMatch::Unmatched {
                kind: ActionKind::NoContact,
                candidates: Vec::new(),
                why: NO_CONTACT.to_owned(),
            },
            [contact] if is_another_customers(&contact) => ContactMatch::Unmatched {
                kind: ActionKind::SeveralContacts,
                candidates: vec![contact],
                why: format!(
                    "the only contact in Xero with its {} may be another customer's: {}; pick it, or another one",
                    self.what(),
                    directory.named(contact)
                ),
            },
            [contact] => {
                ContactMatch::Linked { asked: contact, contact, found_by: self.by, doubt: None }
            }
            _ => self.several(directory),
        }
    }

    fn several(self, directory: &Directory) -> ContactMatch {
        let count = self.contacts.len();
        let what = self.what();
        let candidates: Vec<_> = self.contacts.into_iter().take(CANDIDATES_MAX).collect();
        let named: Vec<_> = candidates.iter().map(|contact| directory.named(*contact)).collect();
        let why =
            format!("{count} contacts in Xero have its {what}: {}; pick one", named.join(", "));
        ContactMatch::Unmatched { kind: ActionKind::SeveralContacts, candidates, why }
    }

    const fn what(&self) -> &'static str {
        match self.by {
            FoundBy::AccountNumber => "id as their account number",
            FoundBy::Name => "name",
            FoundBy::Report | FoundBy::Email | FoundBy::Person => "e-mail address",
        }
    }
}

/// What a verdict changes about a customer: `None` if all of it is known. An action that a person has opened stays, and
/// what a person has decided about the contact is not asked for again.
pub fn record_verdict(
    known: &Customer,
    verdict: &ContactMatch,
    now: Timestamp,
) -> Option<Customer> {
    let after = match verdict {
        ContactMatch::Linked { asked, contact, found_by, doubt } => {
            linked(known, (*asked, *contact), *found_by, doubt.as_ref(), now)
        }
        ContactMatch::Unusable { asked, standing, found_by } => {
            let mut found = known.clone();
            found.contact = Some(*asked);
            found.sync.found_by.get_or_insert(*found_by);
            let found = without_doubt(found);
            record_contact(&found, *asked, standing, now).unwrap_or(found)
        }
        ContactMatch::Unmatched { kind, candidates, why } => {
            let is_settled = known.sync.found_by == Some(FoundBy::Person);
            if is_settled {
                known.clone()
            } else {
                open(known.clone(), *kind, candidates, why, now)
            }
        }
        ContactMatch::Unknown => return None,
    };
    if after == *known && !known.sync.is_due && known.sync.synced_at.is_some() {
        return None;
    }
    let sync = ContactSync { synced_at: Some(now), is_due: false, ..after.sync };
    Some(Customer { sync, ..after })
}

fn linked(
    known: &Customer,
    (asked, contact): (XeroContactId, XeroContactId),
    found_by: FoundBy,
    doubt: Option<&Doubt>,
    now: Timestamp,
) -> Customer {
    let mut after = known.clone();
    if known.contact == Some(asked) {
        let standing = ContactStanding::Active(contact);
        after = record_contact(known, asked, &standing, now).unwrap_or(after);
    } else {
        after.contact = Some(contact);
    }
    if known.contact.is_none() || after.sync.found_by.is_none() {
        after.sync.found_by = Some(found_by);
    }
    let (kind, why) = match doubt {
        None => return without_doubt(after),
        Some(Doubt::OtherName(name)) => {
            let ours = known.name.as_deref().unwrap_or_default();
            let why = format!(
                "the contact in Xero with its id as account number has another name: {name:?} ({contact}), and {ours:?} here; \
                 say that it is the same, pick another one, or correct the name"
            );
            (ActionKind::NameDiffers, why)
        }
        Some(Doubt::MergedInto(other)) => {
            let why = format!(
                "its contact was merged in Xero into that of customer {other} ({contact}); say that this is right, or pick \
                 another one"
            );
            (ActionKind::MergedAway, why)
        }
    };
    open(after, kind, &[contact], &why, now)
}

/// The same customer, without an action that the sync opened.
fn without_doubt(customer: Customer) -> Customer {
    if customer.action().is_some_and(ActionKind::is_of_sync) {
        customer.without_action()
    } else {
        customer
    }
}

/// Opens an action, unless a person's is open; one of the sync that says something else is as old as it was.
fn open(
    customer: Customer,
    kind: ActionKind,
    candidates: &[XeroContactId],
    why: &str,
    now: Timestamp,
) -> Customer {
    if customer.action().is_some_and(|open| !open.is_of_sync()) {
        return customer;
    }
    let blocked_at = customer.blocked_at.filter(|_| customer.blocked.is_some()).or(Some(now));
    let sync = ContactSync { action: Some(kind), candidates: candidates.to_vec(), ..customer.sync };
    Customer { blocked: Some(why.to_owned()), blocked_at, sync, ..customer }
}

/// A person has picked the contact that is the customer's (EX-38): it stands until the business names another one than
/// now. `None` if it is so already.
pub fn record_pick(known: &Customer, contact: XeroContactId) -> Option<Customer> {
    let picked = known.clone().settled_by_person().without_action();
    let after = Customer { contact: Some(contact), merged: None, ..picked };
    (after != *known).then_some(after)
}

impl Customer {
    /// A person has said that what the sync asks is settled: the contact stands as it is, also if there is none.
    #[must_use]
    pub(super) fn settled_by_person(self) -> Self {
        let passed_over = self.named_by_business();
        let sync = ContactSync { found_by: Some(FoundBy::Person), passed_over, ..self.sync };
        Self { sync, ..self }
    }

    /// The contact that the business names, as far as that is known.
    fn named_by_business(&self) -> Option<XeroContactId> {
        match self.sync.found_by {
            None | Some(FoundBy::Report) => {
                self.merged.as_ref().map(|merged| merged.from).or(self.contact)
            }
            Some(FoundBy::Person) => self.sync.passed_over,
            Some(FoundBy::AccountNumber | FoundBy::Name | FoundBy::Email) => None,
        }
    }
}

#[cfg(test)]
mod tests;
