//! The business's customers, as far as uploading needs them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::contact::ContactStanding;
use super::contact_sync::{ActionKind, ContactSync, FoundBy};
use crate::ids::{CustomerId, OrganisationId, XeroContactId};

/// A customer of the business.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Customer {
    /// Whose customer.
    pub organisation: OrganisationId,
    /// The business's own id.
    pub id: CustomerId,
    /// Counts the sender's versions, from 1; 0 for a customer of whom only a block is known.
    pub revision: u64,
    /// Its name.
    pub name: Option<String>,
    /// Its e-mail address.
    pub email: Option<String>,
    /// Its contact in Xero, if that is known: the one that the business names, the one that was found (EX-36), or the
    /// one that this was merged into.
    pub contact: Option<XeroContactId>,
    /// The merge by which it got another contact than the business names, if there was one (EX-37).
    pub merged: Option<MergedContact>,
    /// What a person has to solve before anything about this customer goes on (EX-28).
    pub blocked: Option<String>,
    /// Since when.
    pub blocked_at: Option<Timestamp>,
    /// The contact for which the action is open, if it is ours: it takes nothing in Xero (EX-37).
    pub unusable_contact: Option<XeroContactId>,
    /// What the customer sync knows of it (EX-21, EX-36).
    pub sync: ContactSync,
}

/// A contact that was merged into another one in Xero.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MergedContact {
    /// The contact that the business names.
    pub from: XeroContactId,
    /// Further contacts that were the customer's between that one and the present one.
    pub between: BTreeSet<XeroContactId>,
    /// When the last merge was noticed.
    pub at: Timestamp,
}

/// What an action says that we open about a customer whose payment needs its contact in Xero (EX-27). A report
/// that names the contact solves it; any other action only a person solves.
pub const NO_CONTACT: &str = "the customer has no contact in Xero yet";

impl Customer {
    /// The contacts that were merged into its present one. What does not agree may stand on any of them.
    pub fn former_contacts(&self) -> impl Iterator<Item = XeroContactId> {
        let merged = self.merged.iter();
        merged.flat_map(|merged| merged.between.iter().copied().chain([merged.from]))
    }

    /// What kind of action is open about it, if one is (EX-27).
    pub fn action(&self) -> Option<ActionKind> {
        let blocked = self.blocked.as_deref()?;
        Some(match self.sync.action {
            _ if self.unusable_contact.is_some() => ActionKind::ContactUnusable,
            Some(kind) => kind,
            None if blocked == NO_CONTACT => ActionKind::NoContact,
            None => ActionKind::Other,
        })
    }

    /// Whether the open action is ours, and the contact is what it waits for.
    pub fn waits_for_contact(&self) -> bool {
        self.action().is_some_and(ActionKind::waits_for_contact)
    }

    /// The same customer without an action.
    #[must_use]
    pub(super) fn without_action(self) -> Self {
        let sync = ContactSync { action: None, candidates: Vec::new(), ..self.sync };
        Self { blocked: None, blocked_at: None, unusable_contact: None, sync, ..self }
    }

    /// Whether the business names the same contact, or none, as when another one was found for the customer or picked:
    /// then that one stands (EX-36).
    fn keeps_contact(&self, named: Option<XeroContactId>) -> bool {
        match self.sync.found_by {
            Some(FoundBy::AccountNumber | FoundBy::Name | FoundBy::Email) => named.is_none(),
            Some(FoundBy::Person) => named == self.sync.passed_over,
            Some(FoundBy::Report) | None => false,
        }
    }
}

/// Two different reports of a customer carry the same revision.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("revision {revision} was already used for other content")]
pub struct CustomerError {
    /// The revision.
    pub revision: u64,
}

/// What a report of a customer changes; `None` if this version or a newer one is known. A block
/// stays: only a person takes it away, or the contact for which it waits.
///
/// # Errors
/// `CustomerError`: it contradicts an earlier report.
pub fn record_customer(
    known: Option<&Customer>,
    incoming: &Customer,
) -> Result<Option<Customer>, CustomerError> {
    let Some(known) = known else { return Ok(Some(incoming.clone())) };
    if incoming.revision < known.revision {
        return Ok(None);
    }
    // The business names the contact that it knows; where that was merged, the merge stands (EX-37).
    let keeps = known.keeps_contact(incoming.contact);
    let followed =
        known.merged.clone().filter(|merged| keeps || incoming.contact == Some(merged.from));
    let stays = keeps || followed.is_some();
    let contact = if stays { known.contact } else { incoming.contact };
    let points_elsewhere =
        known.unusable_contact.is_some_and(|dead| contact.is_some_and(|contact| contact != dead));
    let has_moved = points_elsewhere && contact != known.contact;
    // The business says which contact it is. The one that was merged away says nothing new.
    let is_named = incoming.contact.is_some() && followed.is_none();
    let solved = has_moved || (known.waits_for_contact() && is_named);
    let found_by = known.sync.found_by.filter(|_| stays);
    let passed_over = known.sync.passed_over.filter(|_| stays);
    let merged = Customer {
        contact,
        merged: followed,
        blocked: known.blocked.clone(),
        blocked_at: known.blocked_at,
        unusable_contact: known.unusable_contact,
        sync: ContactSync { found_by, passed_over, ..known.sync.clone() },
        ..incoming.clone()
    };
    let merged = if solved { merged.without_action() } else { merged };
    if merged == *known {
        return Ok(None);
    }
    if incoming.revision == known.revision {
        return Err(CustomerError { revision: incoming.revision });
    }
    let sync = ContactSync { is_due: known.sync.is_due || incoming.sync.is_due, ..merged.sync };
    Ok(Some(Customer { sync, ..merged }))
}

/// What a person's word about a customer changes (EX-27, EX-28): with `to_solve`, an action is open and says what
/// a person has to solve, without it there is none any more. `None` if it is so already. An action that says
/// something else from now on is as old as it was.
pub fn record_action(
    known: Option<&Customer>,
    (organisation, id): (OrganisationId, &CustomerId),
    to_solve: Option<&str>,
    now: Timestamp,
) -> Option<Customer> {
    let blocked = known.and_then(|known| known.blocked.as_deref());
    if blocked == to_solve {
        return None;
    }
    let since = known.and_then(|known| known.blocked_at).filter(|_| blocked.is_some());
    let unreported = || Customer {
        organisation,
        id: id.clone(),
        revision: 0,
        name: None,
        email: None,
        contact: None,
        merged: None,
        blocked: None,
        blocked_at: None,
        unusable_contact: None,
        sync: ContactSync::default(),
    };
    let mut after = known.cloned().unwrap_or_else(unreported);
    if to_solve.is_none() && after.action().is_some_and(ActionKind::is_of_sync) {
        // A person's word stands: the sync opens no such action again by itself (EX-36).
        after = after.settled_by_person();
    }
    Some(Customer {
        blocked: to_solve.map(str::to_owned),
        blocked_at: to_solve.map(|_| since.unwrap_or(now)),
        ..after.without_action()
    })
}

/// What solves an action about a contact that takes nothing.
const USE_ANOTHER: &str = "restore it in Xero, or report the customer with another contact";

/// What Xero says of a contact changes for a customer (EX-37): `None` if it is so already. `asked` is the customer's
/// own contact, or the contact of an invoice that a payment of the customer names. A merged contact is followed. For
/// one that takes nothing an action is opened, unless one is open; ours is solved when the contact takes documents
/// again.
pub fn record_contact(
    known: &Customer,
    asked: XeroContactId,
    standing: &ContactStanding,
    now: Timestamp,
) -> Option<Customer> {
    let end = match standing {
        ContactStanding::Active(end) | ContactStanding::Unusable { contact: end, .. } => *end,
        ContactStanding::Unreadable(_) => return None,
    };
    let mut after = known.clone();
    if known.contact == Some(asked) && end != asked {
        let merged = match &known.merged {
            None => MergedContact { from: asked, between: BTreeSet::new(), at: now },
            Some(before) => {
                let mut between = before.between.clone();
                between.insert(asked);
                MergedContact { between, at: now, ..before.clone() }
            }
        };
        after.contact = Some(end);
        after.merged = Some(merged);
    }
    match standing {
        ContactStanding::Active(_) if known.unusable_contact == Some(asked) => {
            (after.blocked, after.blocked_at, after.unusable_contact) = (None, None, None);
        }
        ContactStanding::Unusable { why, .. }
            if known.blocked.is_none() || known.unusable_contact == Some(asked) =>
        {
            after.blocked = Some(format!("{why}; {USE_ANOTHER}"));
            after.blocked_at = known.blocked_at.or(Some(now));
            after.unusable_contact = Some(end);
        }
        _ => {}
    }
    (after != *known).then_some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(revision: u64, name: &str) -> Customer {
        Customer {
            organisation: "00000000-0000-0000-0000-000000000001".parse().unwrap(),
            id: "K-1".parse().unwrap(),
            revision,
            name: Some(name.to_owned()),
            contact: None,
            blocked: None,
            blocked_at: None,
            merged: None,
            unusable_contact: None,
            email: None,
            sync: ContactSync::default(),
        }
    }

    #[test]
    fn the_newest_report_of_a_customer_counts() {
        let first = reported(1, "Ana");
        assert_eq!(record_customer(None, &first), Ok(Some(first.clone())));
        assert_eq!(record_customer(Some(&first), &first), Ok(None));
        let second = reported(2, "Ana Lee");
        assert_eq!(record_customer(Some(&first), &second), Ok(Some(second.clone())));
        assert_eq!(record_customer(Some(&second), &first), Ok(None));
        let other = record_customer(Some(&first), &reported(1, "Ben"));
        assert_eq!(other, Err(CustomerError { revision: 1 }));
    }

    #[test]
    fn a_report_does_not_take_a_block_away() {
        // EX-28: that is a person's decision.
        let blocked = Customer {
            blocked: Some("two contacts".to_owned()),
            blocked_at: Some(Timestamp::UNIX_EPOCH),
            ..reported(1, "Ana")
        };
        let merged = record_customer(Some(&blocked), &reported(2, "Ana Lee")).unwrap().unwrap();
        assert_eq!(
            merged,
            Customer {
                blocked: blocked.blocked.clone(),
                blocked_at: blocked.blocked_at,
                ..reported(2, "Ana Lee")
            }
        );
        // Of a customer who was blocked before any report, only the block is known.
        let only_block = Customer { name: None, revision: 0, ..blocked.clone() };
        assert_eq!(
            record_customer(Some(&only_block), &reported(1, "Ana")),
            Ok(Some(blocked.clone()))
        );
        assert_eq!(record_customer(Some(&blocked), &reported(1, "Ana")), Ok(None));
    }

    #[test]
    fn an_action_that_waits_for_a_contact_is_solved_by_it_and_by_nothing_else() {
        // EX-27, EX-28
        let blocked = Customer {
            blocked: Some(NO_CONTACT.to_owned()),
            blocked_at: Some(Timestamp::UNIX_EPOCH),
            ..reported(1, "Ana")
        };
        let renamed = record_customer(Some(&blocked), &reported(2, "Ana Lee")).unwrap().unwrap();
        assert!(renamed.waits_for_contact());
        let contact = "00000000-0000-0000-0000-000000000007".parse().ok();
        let linked = Customer { contact, ..reported(3, "Ana Lee") };
        assert_eq!(record_customer(Some(&renamed), &linked), Ok(Some(linked.clone())));
        let by_person = Customer { blocked: Some("two contacts".to_owned()), ..renamed };
        let merged = record_customer(Some(&by_person), &linked).unwrap().unwrap();
        assert_eq!(merged.blocked.as_deref(), Some("two contacts"));
    }

    fn contact(n: u128) -> XeroContactId {
        XeroContactId::new(uuid::Uuid::from_u128(n))
    }

    fn archived(n: u128) -> ContactStanding {
        ContactStanding::Unusable { contact: contact(n), why: format!("{n} is archived") }
    }

    #[test]
    fn ex_37_a_merge_is_followed_and_no_report_of_the_old_contact_undoes_it() {
        let known = Customer { contact: Some(contact(1)), ..reported(1, "Ana") };
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(
            record_contact(&known, contact(1), &ContactStanding::Active(contact(1)), now),
            None
        );
        let followed =
            record_contact(&known, contact(1), &ContactStanding::Active(contact(2)), now).unwrap();
        assert_eq!(followed.contact, Some(contact(2)));
        let from = contact(1);
        assert_eq!(
            followed.merged,
            Some(MergedContact { from, between: BTreeSet::new(), at: now })
        );
        // Merged again: the business still names the first one.
        let again =
            record_contact(&followed, contact(2), &ContactStanding::Active(contact(3)), now)
                .unwrap();
        assert_eq!(again.merged.as_ref().map(|merged| merged.from), Some(contact(1)));
        let former: Vec<_> = again.former_contacts().collect();
        assert_eq!(former, [contact(2), contact(1)], "what does not agree may stand on either");
        assert_eq!(record_customer(Some(&again), &known), Ok(None), "the same report comes again");
        let newer = Customer { contact: Some(contact(1)), ..reported(2, "Ana") };
        let merged = record_customer(Some(&again), &newer).unwrap().unwrap();
        assert_eq!((merged.contact, merged.merged), (Some(contact(3)), again.merged.clone()));
        let other = Customer { contact: Some(contact(9)), ..reported(2, "Ana") };
        let moved = record_customer(Some(&again), &other).unwrap().unwrap();
        assert_eq!((moved.contact, moved.merged), (Some(contact(9)), None));
    }

    #[test]
    fn ex_37_our_action_for_an_archived_contact_ends_with_it_and_a_persons_does_not() {
        let known = Customer { contact: Some(contact(1)), ..reported(1, "Ana") };
        let now = Timestamp::UNIX_EPOCH;
        let open = record_contact(&known, contact(1), &archived(1), now).unwrap();
        assert_eq!(open.blocked.as_deref(), Some(format!("1 is archived; {USE_ANOTHER}").as_str()));
        assert_eq!(record_contact(&open, contact(1), &archived(1), now), None);
        let active = ContactStanding::Active(contact(1));
        assert_eq!(record_contact(&open, contact(1), &active, now), Some(known.clone()));
        let same = Customer { contact: Some(contact(1)), ..reported(2, "Ana") };
        let still = record_customer(Some(&open), &same).unwrap().unwrap();
        assert_eq!(still.unusable_contact, Some(contact(1)));
        let other = Customer { contact: Some(contact(9)), ..reported(2, "Ana") };
        assert_eq!(record_customer(Some(&open), &other), Ok(Some(other.clone())));
        // A person says more of it: it is the person's from then on.
        let whose = (known.organisation, &known.id);
        let reworded = record_action(Some(&open), whose, Some("ask Ana"), now).unwrap();
        assert_eq!(record_contact(&reworded, contact(1), &active, now), None);
        assert_eq!(record_contact(&reworded, contact(1), &archived(1), now), None);
    }

    #[test]
    fn an_action_is_opened_reworded_and_solved_once() {
        // EX-27, EX-28
        let known = reported(1, "Ana");
        let whose = (known.organisation, &known.id);
        let [first, later] = [Timestamp::UNIX_EPOCH, Timestamp::MAX];
        let act =
            |known: &Customer, to_solve, now| record_action(Some(known), whose, to_solve, now);
        let open = act(&known, Some("two contacts"), first).unwrap();
        let expected = Customer {
            blocked: Some("two contacts".to_owned()),
            blocked_at: Some(first),
            ..known.clone()
        };
        assert_eq!(open, expected);
        assert_eq!(act(&open, Some("two contacts"), later), None);
        // A fuller wording does not make it younger: the oldest come first.
        let reworded = act(&open, Some("three contacts"), later).unwrap();
        assert_eq!(reworded.blocked.as_deref(), Some("three contacts"));
        assert_eq!(reworded.blocked_at, Some(first));
        assert_eq!(act(&reworded, None, later), Some(known.clone()));
        assert_eq!(act(&known, None, later), None);
    }

    #[test]
    fn an_action_about_nobody_known_blocks_whatever_comes_and_solving_makes_nobody() {
        let known = reported(0, "");
        let whose = (known.organisation, &known.id);
        let open = record_action(None, whose, Some("who is this?"), Timestamp::MIN).unwrap();
        assert_eq!((open.revision, open.name, open.id), (0, None, known.id.clone()));
        assert_eq!(record_action(None, whose, None, Timestamp::MIN), None);
    }
}
