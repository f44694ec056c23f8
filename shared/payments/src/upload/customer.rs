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

/// Two different reports of a customer carry the same revision.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("revision {revision} was already used for other content")]
pub struct CustomerError {
    /// The revision.
    pub revision: u64,
}

/// What a report of a customer changes; `None` if this version or a newer one is known. A block
/// stays: only a person takes it away.
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
    let merged = Customer {
        blocked: known.blocked.clone(),
        blocked_at: known.blocked_at,
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
}
