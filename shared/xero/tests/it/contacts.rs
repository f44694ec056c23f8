//! Contacts by their ids (EX-37).

use payments::XeroContactId;
use payments::upload::XeroContact;
use xero::{FoundContacts, Outage, ReadError};

use crate::xero::{Reply, Seen, Xero, books, organisation};

fn contact(number: u32) -> XeroContactId {
    format!("50000000-0000-4000-8000-{number:012}").parse().unwrap()
}

/// A contact as `getContacts` shows one.
fn row(number: u32, members: &str) -> String {
    let id = contact(number);
    format!(
        r#"{{"ContactID":"{id}",{members},"Name":"Barney {number}","EmailAddress":"","BankAccountDetails":"","Addresses":[],"Phones":[],"UpdatedDateUTC":"\/Date(1541176290160+0000)\/","ContactGroups":[],"ContactPersons":[],"HasAttachments":false,"HasValidationErrors":false}}"#
    )
}

async fn asking(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Xero {
    Xero::start(books(0), move |seen| (!seen.is_token()).then(|| answer(seen))).await
}

async fn read(xero: &Xero, contacts: &[XeroContactId]) -> Result<FoundContacts, ReadError> {
    xero.client().contacts(organisation(), contacts).await
}

#[tokio::test]
async fn ex_37_fifty_contacts_are_read_in_a_call_with_the_archived_ones() {
    let rows = [
        row(1, r#""ContactStatus":"ACTIVE""#),
        row(2, &format!(r#""ContactStatus":"ARCHIVED","MergedToContactID":"{}""#, contact(1))),
        row(3, r#""ContactStatus":"GDPRREQUEST""#),
        row(4, r#""ContactStatus":null"#),
        row(99, r#""ContactStatus":"ACTIVE""#),
    ];
    let xero = asking(move |seen| {
        let is_first = seen.value("IDs").contains(&contact(1).to_string());
        Reply::page(seen, "Contacts", if is_first { &rows } else { &[] }, 100)
    })
    .await;
    let wanted: Vec<_> = (1..=51).chain(1..=3).map(contact).collect();
    let found = read(&xero, &wanted).await.unwrap();
    let known = |number: u32, is_active, merged: Option<u32>| XeroContact {
        id: contact(number),
        name: Some(format!("Barney {number}")),
        is_active,
        merged_into: merged.map(contact),
    };
    let expected = [known(1, true, None), known(2, false, Some(1)), known(3, false, None)];
    assert_eq!(found.contacts, expected, "the 99th was not asked for");
    let [(odd, why)] = found.unreadable.as_slice() else { panic!("{found:?}") };
    assert_eq!(*odd, contact(4));
    assert!(why.contains("ContactStatus"), "{why}");

    let calls = xero.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].path, "/api.xro/2.0/Contacts");
    assert_eq!(calls[0].value("IDs").split(',').count(), 50);
    assert_eq!(calls[0].value("includeArchived"), "true");
    assert!(calls[0].query.len() < 2_000, "{}", calls[0].query);
}

#[tokio::test]
async fn ex_37_a_question_that_xero_refuses_is_halved_and_an_outage_is_one() {
    // AMB-30
    let xero = asking(|seen| {
        let ids = seen.value("IDs");
        if ids.contains(&contact(3).to_string()) {
            return Reply::status(400, "{}");
        }
        let asked: Vec<String> = (1..=4)
            .filter(|number| ids.contains(&contact(*number).to_string()))
            .map(|number| row(number, r#""ContactStatus":"ACTIVE""#))
            .collect();
        Reply::page(seen, "Contacts", &asked, 100)
    })
    .await;
    let wanted: Vec<_> = (1..=4).map(contact).collect();
    let found = read(&xero, &wanted).await.unwrap();
    let ids: Vec<_> = found.contacts.iter().map(|contact| contact.id).collect();
    assert_eq!(ids, [contact(1), contact(2), contact(4)]);
    assert_eq!(found.unreadable[0].0, contact(3));

    let xero = asking(|_| Reply::status(500, "")).await;
    let failed = read(&xero, &wanted).await.unwrap_err();
    assert!(matches!(failed, ReadError::Unavailable { cause: Outage::Status(500), .. }));
}
