//! Customers with their contacts in Xero, and with the credit that they have left there.

use console::roles::Role;
use jiff::civil::date;
use payments::upload::{ContactRecord, ContactSync, Customer, FoundBy, XeroContact};
use payments::{ContactCredit, CreditBalance, CreditKind, XeroContactId, XeroCreditId};
use serde_json::json;
use table::StoredContact;
use uuid::Uuid;

use crate::actions::{customer, open};
use crate::html::{assert_harmless, text};
use crate::samples::aud;
use crate::world::{ago, organisation, well};

#[tokio::test]
async fn customers_stand_with_their_contacts_and_those_of_xero_that_are_not_known() {
    // EX-21, EX-22, CC-06
    let world = well().await;
    let (known, unknown) = (Uuid::from_u128(8), Uuid::from_u128(9));
    let record = |id: Uuid, name: &str| ContactRecord {
        contact: XeroContact {
            id: XeroContactId::new(id),
            name: Some(name.to_owned()),
            is_active: true,
            merged_into: None,
        },
        account_number: Some("X-7".to_owned()),
        email: None,
        is_customer: true,
        is_supplier: false,
    };
    let stored = [
        StoredContact {
            record: record(known, "Known"),
            is_unknown: false,
            credit: Default::default(),
        },
        StoredContact {
            record: record(unknown, "Stranger Pty"),
            is_unknown: true,
            credit: Default::default(),
        },
    ];
    world.tables.store_contacts(organisation(), &stored).await.unwrap();
    let sync = ContactSync {
        found_by: Some(FoundBy::AccountNumber),
        synced_at: Some(ago(30)),
        ..ContactSync::default()
    };
    let linked = Customer {
        contact: Some(XeroContactId::new(known)),
        blocked: None,
        blocked_at: None,
        sync,
        ..customer("C-5", "", 1)
    };
    open(&world, &linked).await;
    let html = world.page(Role::Viewer, json!({"page": "customers"})).await;
    assert_harmless(&html);
    let said = text(&html);
    assert!(said.contains("C-5 C-5 Ltd by its account number 2026-11-25 22:00 AEDT"), "{said}");
    assert!(said.contains("Stranger Pty X-7") && !said.contains("Known"), "{said}");
    assert!(html.contains(&format!("/Contacts/View/{known}")), "EX-22: {html}");
    let one = world.page(Role::Viewer, json!({"page": "customers", "search": "C-9"})).await;
    assert!(text(&one).contains("No customer of the business is here."), "{one}");
}

#[tokio::test]
async fn st_25_the_credit_that_a_customer_has_left_stands_next_to_what_it_owes() {
    let world = well().await;
    let contact = XeroContactId::new(Uuid::from_u128(8));
    let left = |n: u128, kind, cents: i64| CreditBalance {
        kind,
        id: XeroCreditId::new(Uuid::from_u128(n)),
        number: (kind == CreditKind::CreditNote).then(|| "CN-7".to_owned()),
        date: date(2026, 11, 2),
        remaining: aud(cents),
    };
    let credit = ContactCredit::of([
        left(70, CreditKind::CreditNote, 30_00),
        left(71, CreditKind::Overpayment, 12_50),
    ]);
    let record = ContactRecord {
        contact: XeroContact {
            id: contact,
            name: Some("Known".to_owned()),
            is_active: true,
            merged_into: None,
        },
        account_number: Some("C-5".to_owned()),
        email: None,
        is_customer: true,
        is_supplier: false,
    };
    let stored = StoredContact { record, is_unknown: false, credit };
    world.tables.store_contacts(organisation(), &[stored]).await.unwrap();
    let known = Customer {
        contact: Some(contact),
        blocked: None,
        blocked_at: None,
        ..customer("C-5", "", 1)
    };
    open(&world, &known).await;
    let all = text(&world.page(Role::Viewer, json!({"page": "customers"})).await);
    assert!(all.contains("42.50 AUD"), "{all}");
    let html = world.page(Role::Viewer, json!({"page": "customers", "search": "C-5"})).await;
    assert_harmless(&html);
    let said = text(&html);
    assert!(
        said.contains("Owes nothing. Credit left in Xero: 42.50 AUD, as read never."),
        "{said}"
    );
    assert!(said.contains("credit note CN-7 2026-11-02 30.00 AUD"), "{said}");
    assert!(html.contains("ViewCreditNote.aspx"), "links to each: {html}");
    let html = world.page(Role::Viewer, json!({"page": "balances"})).await;
    assert_harmless(&html);
    assert!(text(&html).contains("Known C-5 42.50 AUD 2"), "{}", text(&html));
    assert!(html.contains("Known,C-5,overpayment,,2026-11-02,AUD,12.50"), "{html}");
}
