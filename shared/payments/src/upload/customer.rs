//! The business's customers, as far as uploading needs them.

use jiff::Timestamp;

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
    /// Its contact in Xero, if that is known.
    pub contact: Option<XeroContactId>,
    /// What a person has to solve before anything about this customer goes on (EX-28).
    pub blocked: Option<String>,
    /// Since when.
    pub blocked_at: Option<Timestamp>,
}

/// What an action says that we open about a customer whose payment needs its contact in Xero (EX-27). A report
/// that names the contact solves it; any other action only a person solves.
pub const NO_CONTACT: &str = "the customer has no contact in Xero yet";

impl Customer {
    /// Whether the open action is ours, and the contact is what it waits for.
    pub fn waits_for_contact(&self) -> bool {
        self.blocked.as_deref() == Some(NO_CONTACT)
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
    let solved = known.waits_for_contact() && incoming.contact.is_some();
    let merged = Customer {
        blocked: known.blocked.clone().filter(|_| !solved),
        blocked_at: known.blocked_at.filter(|_| !solved),
        ..incoming.clone()
    };
    if merged == *known {
        return Ok(None);
    }
    if incoming.revision == known.revision {
        return Err(CustomerError { revision: incoming.revision });
    }
    Ok(Some(merged))
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
    let nobody = || Customer {
        organisation,
        id: id.clone(),
        revision: 0,
        name: None,
        contact: None,
        blocked: None,
        blocked_at: None,
    };
    Some(Customer {
        blocked: to_solve.map(str::to_owned),
        blocked_at: to_solve.map(|_| since.unwrap_or(now)),
        ..known.cloned().unwrap_or_else(nobody)
    })
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
        // Whoever says more of it does not make it younger: the oldest come first.
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
