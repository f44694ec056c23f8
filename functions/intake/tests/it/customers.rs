//! Customers of the business.

use payments::XeroContactId;
use payments::upload::{ContactStanding, Customer, record_contact};

use crate::messages::{bpay, customer, with};
use crate::world::{World, assert_same, now};

const CONTACT: &str = "c71e2d5a-9f04-4b6a-9a41-0c7e5b8d2f10";
const NAME: &str = "Harbour Ferries Pty Ltd";

impl World {
    async fn customer(&self, id: &str) -> Option<Customer> {
        self.tables.customer(self.settings.organisation, &id.parse().unwrap()).await.unwrap()
    }

    /// What a person does who has to solve something first (EX-28).
    async fn block(&self, id: &str) {
        let known = self.customer(id).await;
        let unknown = Customer {
            organisation: self.settings.organisation,
            id: id.parse().unwrap(),
            revision: 0,
            name: None,
            contact: None,
            blocked: None,
            blocked_at: None,
            merged: None,
            unusable_contact: None,
        };
        let blocked = Customer {
            blocked: Some("two contacts".to_owned()),
            blocked_at: Some(now()),
            ..known.clone().unwrap_or(unknown)
        };
        let said = Some(("ada", "which of them is it?"));
        self.tables.store_customer(known.as_ref(), &blocked, said, now()).await.unwrap();
    }
}

#[tokio::test]
async fn a_customer_is_kept_as_it_was_reported_last() {
    let world = World::new().await;
    world.take(&customer("C-1", 1, NAME, None)).await;
    let known = world.customer("C-1").await.unwrap();
    assert_eq!((known.name.as_deref(), known.contact), (Some(NAME), None));
    world.take(&customer("C-1", 3, NAME, Some(CONTACT))).await;
    let before = world.dump().await;
    for (revision, name, contact) in [(2, "Harbour", None), (3, NAME, Some(CONTACT))] {
        world.take(&customer("C-1", revision, name, contact)).await;
        assert_same(&world.dump().await, &before, "too late, or the same again");
    }
    let known = world.customer("C-1").await.unwrap();
    assert_eq!((known.revision, known.contact), (3, Some(CONTACT.parse().unwrap())));
    // A message says how a thing is as a whole; a blank name counts as none.
    world.take(&customer("C-1", 4, " ", None)).await;
    let known = world.customer("C-1").await.unwrap();
    assert_eq!((known.name, known.contact), (None, None));
    assert!(world.parked().await.is_empty());
}

#[tokio::test]
async fn other_content_under_the_same_revision_is_parked() {
    let world = World::new().await;
    world.take(&customer("C-1", 1, NAME, Some(CONTACT))).await;
    world.take(&customer("C-1", 1, "Harbour", Some(CONTACT))).await;
    let rows = world.rows("parked").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["reason"], "revision_reused");
    assert_eq!(rows[0]["detail"], "revision 1 was already used for other content");
    assert_eq!(world.customer("C-1").await.unwrap().name.as_deref(), Some(NAME));
}

#[tokio::test]
async fn a_block_survives_every_report() {
    // EX-28: only a person takes it away.
    let world = World::new().await;
    world.take(&customer("C-1", 1, NAME, None)).await;
    // C-2 is known only by its block.
    for id in ["C-1", "C-2"] {
        world.block(id).await;
        for revision in [2, 3] {
            world.take(&customer(id, revision, "Harbour", Some(CONTACT))).await;
        }
        world.take(&customer(id, 3, "Harbour", Some(CONTACT))).await;
        let known = world.customer(id).await.unwrap();
        assert_eq!((known.revision, known.contact.is_some()), (3, true));
        assert_eq!(known.blocked.as_deref(), Some("two contacts"));
        assert_eq!(known.blocked_at, Some(now()));
    }
    assert!(world.parked().await.is_empty());
}

#[tokio::test]
async fn ex_37_a_report_of_the_merged_contact_keeps_the_merge_and_another_contact_solves_the_action()
 {
    let world = World::new().await;
    world.take(&customer("C-1", 1, NAME, Some(CONTACT))).await;
    let xero = |text: &str| text.parse::<XeroContactId>().unwrap();
    let [into, other] =
        ["00000000-0000-0000-0000-000000000002", "00000000-0000-0000-0000-000000000003"];
    // A night finds that it was merged, and that the other one is archived.
    for standing in [
        ContactStanding::Active(xero(into)),
        ContactStanding::Unusable { contact: xero(into), why: "it is archived".to_owned() },
    ] {
        let known = world.customer("C-1").await.unwrap();
        let asked = known.contact.unwrap();
        let after = record_contact(&known, asked, &standing, now()).unwrap();
        world.tables.store_customer(Some(&known), &after, None, now()).await.unwrap();
    }

    // The same report again, and a newer one that names the same contact.
    for revision in [1, 2] {
        world.take(&customer("C-1", revision, NAME, Some(CONTACT))).await;
        let known = world.customer("C-1").await.unwrap();
        assert_eq!((known.revision, known.contact), (revision, Some(xero(into))));
        assert_eq!(known.merged.map(|merged| merged.from), Some(xero(CONTACT)));
        assert_eq!(known.unusable_contact, Some(xero(into)), "the action stands");
    }
    assert!(world.parked().await.is_empty(), "it is no other content");

    world.take(&customer("C-1", 3, NAME, Some(other))).await;
    let known = world.customer("C-1").await.unwrap();
    assert_eq!((known.contact, known.merged), (Some(xero(other)), None));
    assert_eq!((known.blocked, known.unusable_contact), (None, None));
}

#[tokio::test]
async fn a_customer_of_an_organisation_that_is_not_set_up_is_kept() {
    // CM-47
    let world = World::new().await;
    let other = "11111111-2222-4333-8444-555555555555";
    world.take(&with(customer("C-1", 1, NAME, None), "/organisation", other)).await;
    assert_eq!(world.parked().await, ["other_tenant"]);
    assert!(world.rows("customers").await.is_empty());
}

#[tokio::test]
async fn reports_of_one_customer_that_are_handled_at_once_end_with_the_latest() {
    let world = World::new().await;
    let at = |revision| customer("C-1", revision, &format!("name {revision}"), None);
    let [first, second, third] = [at(1), at(2), at(3)];
    let paid = bpay("P-1", 1, "60.00");
    tokio::join!(world.take(&third), world.take(&first), world.take(&paid), world.take(&second));
    let known = world.customer("C-1").await.unwrap();
    assert_eq!((known.revision, known.name.as_deref()), (3, Some("name 3")));
    assert!(world.parked().await.is_empty());
}

#[tokio::test]
async fn the_contact_solves_the_action_that_waits_for_it() {
    // EX-27, EX-28: and nothing else does but a person.
    let world = World::new().await;
    world.take(&customer("C-1", 1, NAME, None)).await;
    let known = world.customer("C-1").await.unwrap();
    let whose = (known.organisation, &known.id);
    let to_solve = Some(payments::upload::NO_CONTACT);
    let open = payments::upload::record_action(Some(&known), whose, to_solve, now()).unwrap();
    world.tables.store_customer(Some(&known), &open, None, now()).await.unwrap();
    world.take(&customer("C-1", 2, "Harbour", None)).await;
    assert!(world.customer("C-1").await.unwrap().blocked.is_some());
    world.take(&customer("C-1", 3, "Harbour", Some(CONTACT))).await;
    let known = world.customer("C-1").await.unwrap();
    assert_eq!((known.blocked, known.blocked_at), (None, None));
    let open = world.tables.open_actions(world.settings.organisation, 9).await.unwrap();
    assert!(open.rows.is_empty(), "{open:?}");
}

#[tokio::test]
async fn an_invoice_is_kept_with_the_customer_who_owes_it() {
    // AMB-15
    let world = World::new().await;
    world.take(&with(crate::messages::invoice("10234", 1, "60.00"), "/customer", "C-1")).await;
    let stored = world.invoice("10234").await;
    assert_eq!(stored.customer.map(|id| id.to_string()).as_deref(), Some("C-1"));
    world.take(&crate::messages::invoice("10234", 2, "60.00")).await;
    assert_eq!(
        world.invoice("10234").await.customer,
        None,
        "a message says how a thing is as a whole"
    );
}
