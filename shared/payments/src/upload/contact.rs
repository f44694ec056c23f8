//! Contacts in Xero as they are now (EX-37): one that was merged into another is followed, and an archived one is
//! named to a person before money is sent to it.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::XeroContactId;

/// Most merges that are followed from one contact: a chain that is longer, or a circle, is for a person.
const MERGES_MAX: usize = 10;

/// A contact as Xero shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct XeroContact {
    /// Which.
    pub id: XeroContactId,
    /// Its name, as far as it has one.
    pub name: Option<String>,
    /// Whether its status is ACTIVE: documents and payments can be written for it.
    pub is_active: bool,
    /// The contact that it was merged into, if it was.
    pub merged_into: Option<XeroContactId>,
}

/// What a contact is good for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ContactStanding {
    /// It, or the contact that it was merged into, takes documents.
    Active(XeroContactId),
    /// It takes none: a person has to solve that.
    Unusable {
        /// The contact at the end of the merges.
        contact: XeroContactId,
        /// Why. For tables, never for logs: it names the contact.
        why: String,
    },
    /// It cannot be read.
    Unreadable(String),
}

/// The contacts that were read in Xero.
#[derive(Clone, Debug, Default)]
pub struct XeroContacts {
    contacts: BTreeMap<XeroContactId, XeroContact>,
    unreadable: BTreeMap<XeroContactId, String>,
    missing: BTreeSet<XeroContactId>,
}

impl XeroContacts {
    /// Takes up an answer to the question for these contacts. One that is neither among those read nor among
    /// those that cannot be read is not in Xero.
    pub fn take(
        &mut self,
        asked: impl IntoIterator<Item = XeroContactId>,
        read: impl IntoIterator<Item = XeroContact>,
        unreadable: impl IntoIterator<Item = (XeroContactId, String)>,
    ) {
        self.contacts.extend(read.into_iter().map(|contact| (contact.id, contact)));
        self.unreadable.extend(unreadable);
        let known =
            |id: &XeroContactId| self.contacts.contains_key(id) || self.unreadable.contains_key(id);
        let missing: Vec<_> = asked.into_iter().filter(|id| !known(id)).collect();
        self.missing.extend(missing);
    }

    /// Those of these contacts, and of the contacts that they were merged into, that have not been asked for.
    pub fn not_asked(&self, wanted: &BTreeSet<XeroContactId>) -> Vec<XeroContactId> {
        let ends: BTreeSet<_> = wanted.iter().map(|id| self.end(*id)).collect();
        let asked = |id: &XeroContactId| {
            self.contacts.contains_key(id)
                || self.unreadable.contains_key(id)
                || self.missing.contains(id)
        };
        ends.into_iter().filter(|id| !asked(id)).collect()
    }

    /// What a contact is good for; `None` if it was not asked for.
    pub fn standing(&self, id: XeroContactId) -> Option<ContactStanding> {
        let end = self.end(id);
        if let Some(why) = self.unreadable.get(&end) {
            return Some(ContactStanding::Unreadable(format!("contact {end} in Xero: {why}")));
        }
        if self.missing.contains(&end) {
            let why = format!("Xero has no contact {end}");
            return Some(ContactStanding::Unusable { contact: end, why });
        }
        let contact = self.contacts.get(&end)?;
        if contact.is_active {
            return Some(ContactStanding::Active(end));
        }
        let name = contact.name.as_deref().unwrap_or("without a name");
        let why = format!("the contact {name:?} ({end}) is archived in Xero");
        Some(ContactStanding::Unusable { contact: end, why })
    }

    /// The contact at the end of the merges, as far as they are known.
    fn end(&self, id: XeroContactId) -> XeroContactId {
        let mut end = id;
        for _ in 0..MERGES_MAX {
            match self.contacts.get(&end).and_then(|contact| contact.merged_into) {
                Some(next) if next != end => end = next,
                _ => break,
            }
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> XeroContactId {
        XeroContactId::new(Uuid::from_u128(n))
    }

    fn contact(n: u128, is_active: bool, merged_into: Option<u128>) -> XeroContact {
        XeroContact {
            id: id(n),
            name: Some(format!("Contact {n}")),
            is_active,
            merged_into: merged_into.map(id),
        }
    }

    #[test]
    fn ex_37_merges_are_followed_to_their_end() {
        let mut known = XeroContacts::default();
        let wanted = BTreeSet::from([id(1), id(4)]);
        assert_eq!(known.not_asked(&wanted), [id(1), id(4)]);
        known.take([id(1), id(4)], [contact(1, false, Some(2)), contact(4, true, None)], []);
        assert_eq!((known.not_asked(&wanted), known.standing(id(1))), (vec![id(2)], None));
        known.take([id(2)], [contact(2, false, Some(3))], []);
        known.take([id(3)], [contact(3, true, None)], []);
        assert_eq!(known.not_asked(&wanted), []);
        assert_eq!(known.standing(id(1)), Some(ContactStanding::Active(id(3))));
        assert_eq!(known.standing(id(4)), Some(ContactStanding::Active(id(4))));
    }

    #[test]
    fn ex_37_an_archived_contact_is_named_and_so_is_one_that_is_not_there() {
        let mut known = XeroContacts::default();
        let unreadable = [(id(3), "`ContactStatus` is missing".to_owned())];
        known.take([id(1), id(2), id(3)], [contact(1, false, None)], unreadable);
        let Some(ContactStanding::Unusable { why, .. }) = known.standing(id(1)) else { panic!() };
        assert!(why.contains("\"Contact 1\"") && why.contains(&id(1).to_string()), "{why}");
        let Some(ContactStanding::Unusable { why, .. }) = known.standing(id(2)) else { panic!() };
        assert!(why.starts_with("Xero has no contact"), "{why}");
        assert!(matches!(known.standing(id(3)), Some(ContactStanding::Unreadable(_))));
    }

    #[test]
    fn ex_37_merges_in_a_circle_end() {
        let mut known = XeroContacts::default();
        known.take([id(1)], [contact(1, false, Some(2)), contact(2, false, Some(1))], []);
        assert_eq!(known.not_asked(&BTreeSet::from([id(1)])), []);
        assert!(matches!(known.standing(id(1)), Some(ContactStanding::Unusable { .. })));
    }
}
