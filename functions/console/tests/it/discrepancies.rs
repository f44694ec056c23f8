//! The page of what does not agree.

use console::roles::Role;
use payments::upload::OnContact;
use payments::{Discrepancy, DiscrepancyKey, DiscrepancyKind, XeroContactId};
use serde_json::json;
use table::ContactBecause;
use uuid::Uuid;

use crate::html::{assert_harmless, text};
use crate::samples::{read, record, xero_payment};
use crate::world::{ORGANISATION, World, ago, command, now, organisation};

async fn page(world: &World, role: Role) -> String {
    let html = world.page(role, json!({"page": "discrepancies"})).await;
    assert_harmless(&html);
    html
}

async fn raise(world: &World, contact: XeroContactId, key: DiscrepancyKey, detail: &str) {
    let found = OnContact { contact, key, detail: detail.to_owned() };
    let because = ContactBecause { cause: "upload", rule: "A8.3", now: ago(60) };
    world.tables.raise_contact_discrepancy(organisation(), &found, None, because).await.unwrap();
}

#[tokio::test]
async fn amb_31_what_stands_on_a_contact_is_listed_and_accepted() {
    // A8.3, CM-50, SP-36
    let world = World::new().await;
    assert!(text(&page(&world, Role::Viewer).await).contains("Everything agrees"));
    for number in ["10301", "10302"] {
        record(&world, number, "Another Name").await;
        read(&world, number, 60, vec![xero_payment(8, 1_000)], 0).await;
    }
    let contact = XeroContactId::new(Uuid::from_u128(7));
    let about = |subject| DiscrepancyKey::about(DiscrepancyKind::PossibleDuplicate, subject);
    raise(&world, contact, about("P-1"), "70.00 AUD is reported as P-1; the two may be one").await;
    let refund = DiscrepancyKey::about(DiscrepancyKind::RefundInXero, Uuid::from_u128(8));
    raise(&world, contact, refund.clone(), "12.00 AUD went back; repeat it locally").await;

    let viewer = page(&world, Role::Viewer).await;
    let said = text(&viewer);
    for words in
        ["POSSIBLE_DUPLICATE", "P-1; the two may be one", "REFUND_IN_XERO", "invoice 10301"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.contains(&format!("contact {contact}")), "{said}");
    assert!(!viewer.contains("&#34;order&#34;:&#34;accept&#34;"), "{viewer}");
    let html = page(&world, Role::Operator).await;
    assert!(html.contains("&#34;order&#34;:&#34;accept&#34;"), "{html}");

    let key = about("P-1").to_string();
    world.answers(Ok(json!({"accepted": key, "recorded": true})));
    let event = json!({"page": "discrepancies", "order": "accept", "contact": contact.to_string(),
        "discrepancy": key, "seen": "70.00 AUD is reported as P-1; the two may be one"});
    let said = text(&world.press(Role::Operator, event).await);
    assert!(said.contains("Done. POSSIBLE_DUPLICATE#P-1 is accepted"), "{said}");
    let wish = json!({"organisation": ORGANISATION, "contact": contact.to_string(), "discrepancy": key,
        "seen": "70.00 AUD is reported as P-1; the two may be one"});
    assert_eq!(world.asked(), [command("accept", wish)]);

    let known = world.tables.contact_discrepancies(organisation(), contact).await.unwrap();
    let said = payments::Attributed { by: Some("Ada"), why: "they are two" };
    let context = table::WorkContext { cause: "console", said, now: now() };
    for found in known {
        let place = table::DiscrepancyPlace {
            organisation: organisation(),
            subject: table::DiscrepancySubject::Contact(contact),
            key: found.key,
        };
        let accept =
            payments::DiscrepancyWork::End { ending: payments::Ending::Accepted, seen: None };
        let done = world.tables.work_on_discrepancy(&place, context, |_, _| Ok(accept.clone()));
        done.await.unwrap();
    }
    let known = world.tables.contact_discrepancies(organisation(), contact).await.unwrap();
    assert!(!known.iter().any(Discrepancy::is_open));
    let said = text(&page(&world, Role::Viewer).await);
    assert!(!said.contains("POSSIBLE_DUPLICATE") && said.contains("invoice 10301"), "{said}");
}
