use uuid::Uuid;

use super::*;
use crate::upload::contact::XeroContact;
use crate::upload::contact_directory::ContactRecord;
use crate::upload::{record_action, record_customer};

fn id(n: u128) -> XeroContactId {
    XeroContactId::new(Uuid::from_u128(n))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn customer(id: &str, name: &str) -> Customer {
    Customer {
        organisation: "00000000-0000-0000-0000-000000000001".parse().unwrap(),
        id: id.parse().unwrap(),
        revision: 1,
        name: Some(name.to_owned()),
        email: None,
        contact: None,
        merged: None,
        blocked: None,
        blocked_at: None,
        unusable_contact: None,
        sync: ContactSync { is_due: true, ..ContactSync::default() },
    }
}

fn contact(n: u128, name: &str) -> ContactRecord {
    ContactRecord {
        contact: XeroContact {
            id: id(n),
            name: Some(name.to_owned()),
            is_active: true,
            merged_into: None,
        },
        account_number: None,
        email: None,
        is_customer: true,
        is_supplier: false,
    }
}

fn numbered(n: u128, name: &str, number: &str) -> ContactRecord {
    ContactRecord { account_number: Some(number.to_owned()), ..contact(n, name) }
}

fn gone(mut record: ContactRecord, merged_into: Option<u128>) -> ContactRecord {
    record.contact.is_active = false;
    record.contact.merged_into = merged_into.map(id);
    record
}

/// What becomes of the first of these customers.
fn first(customers: &[Customer], contacts: &[ContactRecord]) -> Customer {
    let directory = Directory::new(contacts, None);
    let verdicts = match_customers(customers, &directory);
    record_verdict(&customers[0], &verdicts[0].1, at(9)).unwrap_or_else(|| customers[0].clone())
}

fn link(customer: &Customer) -> (Option<XeroContactId>, Option<FoundBy>, Option<ActionKind>) {
    (customer.contact, customer.sync.found_by, customer.action())
}

#[test]
fn ex_36_a_customer_is_found_by_account_number_then_name_then_email() {
    let ana = Customer { email: Some("Ana@Example.com".to_owned()), ..customer("K-1", "Ana  Lee") };
    let contacts = [
        numbered(1, "ana lee", "K-1"),
        contact(2, "ANA LEE"),
        ContactRecord { email: Some("ana@example.COM ".to_owned()), ..contact(3, "A. Lee") },
    ];
    let found = |from: usize| first(std::slice::from_ref(&ana), &contacts[from..]);
    assert_eq!(link(&found(0)), (Some(id(1)), Some(FoundBy::AccountNumber), None));
    assert_eq!(link(&found(1)), (Some(id(2)), Some(FoundBy::Name), None));
    assert_eq!(link(&found(2)), (Some(id(3)), Some(FoundBy::Email), None));
    let synced = found(0);
    assert_eq!((synced.sync.synced_at, synced.sync.is_due), (Some(at(9)), false));
    // All of it is known from then on.
    let directory = Directory::new(&contacts, None);
    let verdict = &match_customers(std::slice::from_ref(&synced), &directory)[0].1;
    assert_eq!(record_verdict(&synced, verdict, at(10)), None);
}

#[test]
fn ex_36_the_contact_that_the_business_names_comes_first_and_no_name_is_compared() {
    let named = Customer { contact: Some(id(2)), ..customer("K-1", "Ana") };
    let contacts = [numbered(1, "Ana", "K-1"), contact(2, "Other Pty")];
    assert_eq!(link(&first(&[named], &contacts)), (Some(id(2)), Some(FoundBy::Report), None));
}

#[test]
fn ex_36_several_and_none_are_actions_with_their_candidates() {
    let ana = customer("K-1", "Ana");
    let none = first(std::slice::from_ref(&ana), &[contact(1, "Ben")]);
    assert_eq!(link(&none), (None, None, Some(ActionKind::NoContact)));
    let several = first(std::slice::from_ref(&ana), &[contact(1, "Ana"), contact(2, "ana ")]);
    assert_eq!(link(&several), (None, None, Some(ActionKind::SeveralContacts)));
    assert_eq!(several.sync.candidates, [id(1), id(2)]);
    assert!(several.blocked.unwrap().contains(&id(2).to_string()));
    let numbers = [numbered(1, "Ana", "K-1"), numbered(2, "Ana", "K-1")];
    let several = first(std::slice::from_ref(&ana), &numbers);
    assert_eq!(several.action(), Some(ActionKind::SeveralContacts));
    // The merchant contact is no customer's, and an archived name is no candidate.
    let directory =
        Directory::new(&[contact(1, "Ana"), gone(contact(2, "Ana"), None)], Some(id(1)));
    let all = [ana];
    let verdict = &match_customers(&all, &directory)[0].1;
    assert!(matches!(verdict, ContactMatch::Unmatched { kind: ActionKind::NoContact, .. }));
}

#[test]
fn ex_36_a_contact_that_may_be_another_customers_is_no_match() {
    let pair = [customer("K-1", "Ana"), customer("K-2", "ANA")];
    // Two customers of one name, one contact of that name.
    let alone = first(&pair, &[contact(1, "Ana")]);
    assert_eq!(link(&alone), (None, None, Some(ActionKind::SeveralContacts)));
    assert_eq!(alone.sync.candidates, [id(1)]);
    // It has the other one's account number.
    let numbered = first(&pair, &[numbered(1, "Ana", "K-2")]);
    assert_eq!(link(&numbered), (None, None, Some(ActionKind::SeveralContacts)));
    // The other one was linked with it before.
    let linked = Customer { contact: Some(id(1)), ..customer("K-2", "Other") };
    let second = first(&[customer("K-1", "Ana"), linked], &[contact(1, "Ana")]);
    assert_eq!(link(&second), (None, None, Some(ActionKind::SeveralContacts)));
}

#[test]
fn ex_37_merges_are_followed_and_archived_contacts_named() {
    let known = Customer { contact: Some(id(1)), ..customer("K-1", "Ana") };
    let merged = [gone(contact(1, "Ana"), Some(2)), contact(2, "Ana B")];
    let followed = first(std::slice::from_ref(&known), &merged);
    assert_eq!(link(&followed), (Some(id(2)), Some(FoundBy::Report), None));
    assert_eq!(followed.merged.map(|merged| merged.from), Some(id(1)));
    let archived = first(&[known], &[gone(contact(1, "Ana"), None)]);
    assert_eq!(archived.action(), Some(ActionKind::ContactUnusable));
    assert!(archived.blocked.as_deref().unwrap().contains("\"Ana\""));
    // By account number as well, and an active one of the name is no substitute.
    let contacts = [gone(numbered(1, "Ana", "K-1"), None), contact(2, "Ana")];
    let archived = first(&[customer("K-1", "Ana")], &contacts);
    assert_eq!(link(&archived).2, Some(ActionKind::ContactUnusable));
    // Restored in Xero: the action is solved by that.
    let restored = first(&[archived], &[numbered(1, "Ana", "K-1")]);
    assert_eq!(link(&restored), (Some(id(1)), Some(FoundBy::AccountNumber), None));
}

#[test]
fn ex_38_another_name_behind_the_account_number_is_a_doubt_until_the_names_agree_or_a_person_says()
{
    let contacts = [numbered(1, "Ben Co", "K-1")];
    let doubtful = first(&[customer("K-1", "Ana")], &contacts);
    assert_eq!(
        link(&doubtful),
        (Some(id(1)), Some(FoundBy::AccountNumber), Some(ActionKind::NameDiffers))
    );
    let renamed = first(std::slice::from_ref(&doubtful), &[numbered(1, "ana", "K-1")]);
    assert_eq!(renamed.action(), None);
    let whose = (doubtful.organisation, &doubtful.id);
    let said = record_action(Some(&doubtful), whose, None, at(10)).unwrap();
    assert_eq!(link(&said), (Some(id(1)), Some(FoundBy::Person), None));
    assert_eq!(first(&[said], &contacts).action(), None, "a person's word stands");
}

#[test]
fn ex_37_a_merge_into_another_customers_contact_is_asked_about_until_a_person_or_the_business_says()
{
    let named = |id_: &str, n: u128| Customer { contact: Some(id(n)), ..customer(id_, id_) };
    let contacts = [gone(contact(1, "Ana"), Some(2)), contact(2, "Ben")];
    let doubtful = first(&[named("K-1", 1), named("K-2", 2)], &contacts);
    let expected = (Some(id(2)), Some(FoundBy::Report), Some(ActionKind::MergedAway));
    assert_eq!(link(&doubtful), expected);
    assert!(doubtful.blocked.as_ref().unwrap().contains("customer K-2"));
    // The other one had it before; and what was compared once stays a doubt.
    assert_eq!(first(&[named("K-2", 2), doubtful.clone()], &contacts).action(), None);
    assert_eq!(link(&first(&[doubtful.clone(), named("K-2", 2)], &contacts)), expected);
    // Two customers that had one contact before the merge have one after it, and a merge that concerns one is followed.
    assert_eq!(first(&[named("K-1", 1), named("K-2", 1)], &contacts).action(), None);
    assert_eq!(first(&[named("K-1", 1), named("K-2", 3)], &contacts).action(), None);
    // A report of the contact that was merged says nothing new; another contact, or a person, solves it.
    let report = |n: u128| Customer { revision: 2, ..named("K-1", n) };
    let same = record_customer(Some(&doubtful), &report(1)).unwrap().unwrap();
    assert_eq!(same.action(), Some(ActionKind::MergedAway));
    let other = record_customer(Some(&doubtful), &report(3)).unwrap().unwrap();
    assert_eq!((other.contact, other.action()), (Some(id(3)), None));
    let whose = (doubtful.organisation, &doubtful.id);
    let said = record_action(Some(&doubtful), whose, None, at(10)).unwrap();
    assert_eq!(first(&[said, named("K-2", 2)], &contacts).action(), None);
}

#[test]
fn ex_28_a_report_that_says_nothing_of_the_contact_solves_no_doubt_about_it() {
    let doubtful = first(&[customer("K-1", "Ana")], &[numbered(1, "Ben Co", "K-1")]);
    let newer = Customer { revision: 2, email: Some("a@b.c".into()), ..customer("K-1", "Ana") };
    let after = record_customer(Some(&doubtful), &newer).unwrap().unwrap();
    assert_eq!(after.action(), Some(ActionKind::NameDiffers));
    assert!(after.sync.is_due, "compared again, and solved by that if the names agree");
}

#[test]
fn ex_38_a_contact_that_a_person_has_picked_stands_until_the_business_names_another_one() {
    let named = Customer { contact: Some(id(1)), ..customer("K-1", "Ana") };
    let archived = first(&[named], &[gone(contact(1, "Ana"), None), contact(2, "Ana Lee")]);
    let picked = record_pick(&archived, id(2)).unwrap();
    assert_eq!(link(&picked), (Some(id(2)), Some(FoundBy::Person), None));
    assert_eq!(record_pick(&picked, id(2)), None);
    let report = |contact: u128| Customer {
        revision: 2,
        contact: Some(id(contact)),
        ..customer("K-1", "Ana Lee")
    };
    let same = record_customer(Some(&picked), &report(1)).unwrap().unwrap();
    assert_eq!(link(&same).0, Some(id(2)), "the business names the one that was passed over");
    let other = record_customer(Some(&picked), &report(3)).unwrap().unwrap();
    assert_eq!((link(&other).0, link(&other).1), (Some(id(3)), None));
}

#[test]
fn ex_36_a_person_who_says_that_there_is_none_is_not_asked_again() {
    let none = first(&[customer("K-1", "Ana")], &[]);
    let said = record_action(Some(&none), (none.organisation, &none.id), None, at(10)).unwrap();
    assert_eq!(link(&first(std::slice::from_ref(&said), &[])), (None, Some(FoundBy::Person), None));
    // A contact that comes and has its account number is certain.
    let came = first(&[said], &[numbered(1, "Ana", "K-1")]);
    assert_eq!(link(&came).0, Some(id(1)));
}

#[test]
fn ex_36_an_action_of_a_person_stays_and_the_contact_is_found_all_the_same() {
    let blocked = Customer {
        blocked: Some("disputes an invoice".to_owned()),
        blocked_at: Some(at(1)),
        ..customer("K-1", "Ana")
    };
    let found = first(std::slice::from_ref(&blocked), &[contact(1, "Ana")]);
    assert_eq!(link(&found), (Some(id(1)), Some(FoundBy::Name), Some(ActionKind::Other)));
    let unmatched = first(std::slice::from_ref(&blocked), &[]);
    assert_eq!((unmatched.blocked, unmatched.blocked_at), (blocked.blocked, blocked.blocked_at));
}

#[test]
fn ex_36_a_report_without_a_contact_keeps_the_one_that_was_found() {
    let found = first(&[customer("K-1", "Ana")], &[contact(1, "Ana")]);
    let report = |contact| Customer { revision: 2, contact, ..customer("K-1", "Ana Lee") };
    let kept = record_customer(Some(&found), &report(None)).unwrap().unwrap();
    assert_eq!((link(&kept).0, link(&kept).1), (Some(id(1)), Some(FoundBy::Name)));
    assert!(kept.sync.is_due, "its name is another one");
    let named = record_customer(Some(&found), &report(Some(id(2)))).unwrap().unwrap();
    assert_eq!((link(&named).0, link(&named).1), (Some(id(2)), None));
    // The same report again changes nothing.
    assert_eq!(record_customer(Some(&found), &customer("K-1", "Ana")), Ok(None));
}

#[test]
fn ex_36_what_is_not_known_is_not_decided() {
    let named = Customer { contact: Some(id(7)), ..customer("K-1", "Ana") };
    let mut directory = Directory::new(&[contact(1, "Ana")], None);
    assert_eq!(directory.unknown(&BTreeSet::from([id(7)])), [id(7)]);
    let all = [named];
    assert_eq!(match_customers(&all, &directory)[0].1, ContactMatch::Unknown);
    directory.take(&[id(7)], [], []);
    let verdict = &match_customers(&all, &directory)[0].1;
    let after = record_verdict(&all[0], verdict, at(9)).unwrap();
    assert_eq!(after.action(), Some(ActionKind::ContactUnusable));
    assert!(after.blocked.unwrap().starts_with("Xero has no contact"));
}
