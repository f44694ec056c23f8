//! The page of what does not agree.

use console::roles::Role;
use payments::upload::OnContact;
use payments::{Discrepancy, DiscrepancyKey, DiscrepancyKind, XeroContactId};
use serde_json::{Value, json};
use table::ContactBecause;
use uuid::Uuid;

use crate::html::{assert_harmless, text};
use crate::samples::{aud, because, read, receipt, record, xero_payment};
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

/// An invoice of customer C-1 on which this much too much has come in, since so many minutes.
async fn overpaid(world: &World, number: &str, cents: i64, minutes: i64) {
    record(world, number, "Ada Ltd").await;
    let number = number.parse().unwrap();
    let mut stored = world.tables.invoice(organisation(), &number).await.unwrap();
    let total = stored.local.as_ref().unwrap().total;
    stored.customer = "C-1".parse().ok();
    let amount = total.plus(aud(cents)).unwrap();
    let allocation = payments::Allocation { invoice: number.clone(), amount };
    let paid = payments::Receipt {
        amount,
        allocations: vec![allocation],
        document: Some(payments::ReceiptDocument {
            number: "R-77".to_owned(),
            total: amount,
            parts: payments::TaxAndShipping { tax: Some(aud(900)), shipping: None },
        }),
        ..receipt(&format!("P-{number}"))
    };
    let change = payments::record_part(&stored, &paid, ago(minutes)).unwrap().unwrap();
    world.tables.write_invoice(&stored, &change, because(minutes)).await.unwrap();
    world.tables.store_receipt(None, &paid, &[], None, ago(minutes)).await.unwrap();
}

async fn work(world: &World, number: &str, work: payments::DiscrepancyWork) {
    let place = table::DiscrepancyPlace {
        organisation: organisation(),
        subject: table::DiscrepancySubject::Invoice(number.parse().unwrap()),
        key: DiscrepancyKey::of_invoice(DiscrepancyKind::Overpaid),
    };
    let said = payments::Attributed { by: Some("Ada"), why: "I have asked the customer" };
    let context = table::WorkContext { cause: "console", said, now: ago(5) };
    let done = world.tables.work_on_discrepancy(&place, context, |_, _| Ok(work.clone())).await;
    done.unwrap();
}

async fn list(world: &World, mut event: Value) -> String {
    event["page"] = "discrepancies".into();
    let html = world.page(Role::Operator, event).await;
    assert_harmless(&html);
    html
}

#[tokio::test]
async fn sp_19_sp_36_what_is_open_is_listed_by_deadline_owner_kind_and_customer_with_sums() {
    // SP-18: 48 hours sharp are in time.
    let world = World::new().await;
    overpaid(&world, "10401", 8_000, 48 * 60 + 1).await;
    overpaid(&world, "10402", 500, 48 * 60).await;
    overpaid(&world, "10403", 70, 60).await;
    record(&world, "10404", "Another Name").await;
    read(&world, "10404", 30, vec![xero_payment(8, 1_000)], 0).await;
    work(&world, "10402", payments::DiscrepancyWork::Assign { owner: "Bea".to_owned() }).await;

    let said = text(&list(&world, json!({})).await);
    for words in [
        "OVERPAID 3 ▲ 1 2 85.70 AUD",
        "OVERPAID invoice 10401 C-1 no owner 80.00 AUD",
        "OVERPAID invoice 10402 C-1 Bea 5.00 AUD",
        "discrepancy,kind,customer,owner,amount,currency,open_since,due_at,in_breach,cause,figures",
        "10401/OVERPAID#,OVERPAID,C-1,,80.00,AUD,",
        "10402/OVERPAID#,OVERPAID,C-1,Bea,5.00,AUD,",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    for (event, expected) in [
        (json!({"only": "breached"}), &["10401"][..]),
        (json!({"only": "soon"}), &["10401", "10402"]),
        (json!({"only": "unowned"}), &["10401", "10403", "10404"]),
        (json!({"whose": "Bea"}), &["10402"]),
        (json!({"kind": "CONTACT_DIFFERS"}), &["10404"]),
        (json!({"search": "c-1"}), &["10401", "10402", "10403"]),
        (json!({"search": "nothing of that"}), &[]),
    ] {
        let said = text(&list(&world, event.clone()).await);
        for number in ["10401", "10402", "10403", "10404"] {
            let is_there = said.contains(&format!("invoice {number}"));
            assert_eq!(is_there, expected.contains(&number), "{event}: {number}");
        }
    }
    for (sort, first, second) in [
        ("", "10401", "10402"),
        ("owner", "10403", "10402"),
        ("kind", "10404", "10401"),
        ("cause", "10401", "10402"),
        ("customer", "10404", "10401"),
        ("amount", "10402", "10403"),
    ] {
        let said = text(&list(&world, json!({"sort": sort})).await);
        let [first, second] =
            [first, second].map(|number| said.find(&format!("invoice {number}")).unwrap());
        assert!(first < second, "{sort}: {said}");
    }
}

/// Sums are by kind, or by what the list is sorted by, each currency for itself (SP-14).
#[tokio::test]
async fn sp_14_what_is_open_is_added_up_by_kind_owner_cause_or_customer() {
    let world = World::new().await;
    overpaid(&world, "10401", 8_000, 48 * 60 + 1).await;
    overpaid(&world, "10402", 500, 60).await;
    record(&world, "10404", "Another Name").await;
    read(&world, "10404", 30, vec![xero_payment(8, 1_000)], 0).await;
    work(&world, "10402", payments::DiscrepancyWork::Assign { owner: "Bea".to_owned() }).await;
    let cause = Some(payments::DiscrepancyCause::BankFee);
    work(&world, "10401", payments::DiscrepancyWork::Note { cause }).await;
    for (sort, lines) in [
        ("", &["Kind Open In breach", "CONTACT_DIFFERS 1 0 1 –", "OVERPAID 2 ▲ 1 1 85.00 AUD"][..]),
        (
            "owner",
            &[
                "Owner Open In breach",
                "Bea 1 0 0 5.00 AUD",
                "no owner 1 0 1 –",
                "no owner 2 ▲ 1 2 170.00 AUD",
            ],
        ),
        (
            "cause",
            &[
                "Cause Open In breach",
                "bank_fee 1 ▲ 1 1 80.00 AUD",
                "not known yet 2 0 1 95.00 AUD",
            ],
        ),
        ("customer", &["Customer Open In breach", "C-1 2 ▲ 1 1 85.00 AUD", "not known 1 0 1 –"]),
    ] {
        let said = text(&list(&world, json!({"sort": sort})).await);
        for line in lines {
            assert!(said.contains(line), "{sort}: {line}: {said}");
        }
    }
}

/// The pages of an invoice, an order and a payment lead to what does not agree about them, and it leads back (SP-22).
#[tokio::test]
async fn sp_22_what_does_not_agree_is_one_step_from_its_invoice_and_its_payment() {
    let world = World::new().await;
    overpaid(&world, "10401", 8_000, 90).await;
    let leads = |html: &str, label: &str, to: &str| {
        let place = format!("&#34;place&#34;:&#34;{to}&#34;");
        html.contains(&place) && html.contains(&format!("aria-label=\"{label}: {to}\""))
    };
    let html = world.page(Role::Viewer, json!({"page": "invoice", "invoice": "10401"})).await;
    assert!(leads(&html, "Details", "10401/OVERPAID#"), "{html}");
    let failed = payments::Receipt {
        status: payments::PaymentStatus::Failed,
        revision: 2,
        amount: aud(10_000),
        allocations: vec![payments::Allocation {
            invoice: "10401".parse().unwrap(),
            amount: aud(10_000),
        }],
        ..receipt("P-2")
    };
    let stored = world.tables.invoice(organisation(), &"10401".parse().unwrap()).await.unwrap();
    let change = payments::record_part(&stored, &failed, ago(20)).unwrap();
    world.tables.write_invoice(&stored, &change.unwrap(), because(20)).await.unwrap();
    world.tables.store_receipt(None, &failed, &[], None, ago(20)).await.unwrap();
    let html = world.page(Role::Viewer, json!({"page": "why", "search": "P-2"})).await;
    let stored = world.tables.invoice(organisation(), &"10401".parse().unwrap()).await.unwrap();
    for found in stored.open_discrepancies().filter(|found| found.key.subject == "P-2") {
        let name = format!("10401/{}", found.key);
        assert!(leads(&html, found.key.kind.code(), &name), "{name}: {html}");
        let html = list(&world, json!({"place": name})).await;
        assert!(html.contains("aria-label=\"Why: P-2\""), "{html}");
        assert!(html.contains("aria-label=\"Invoice: 10401\""), "{html}");
    }
}

#[tokio::test]
async fn sp_36_several_are_taken_or_assigned_at_once() {
    let world = World::new().await;
    for number in ["10401", "10402"] {
        overpaid(&world, number, 500, 60).await;
    }
    let html = list(&world, json!({})).await;
    assert!(html.contains(">Take all 2 below</button>"), "{html}");
    let names = json!(["10401/OVERPAID#", "10402/OVERPAID#"]);
    world.answers(Ok(json!({"done": ["10401/OVERPAID#"], "recorded": true,
        "refused": [{"discrepancy": "10402/OVERPAID#", "why": "it is Bea's already"}]})));
    let event = json!({"page": "discrepancies", "order": "assign_discrepancies",
        "discrepancies": names, "organisation": ORGANISATION, "widgetContext": {"forms": {"all":
        {"pm_by": "Ada", "pm_why": "a payment is missing", "pm_owner": "Bea"}}}});
    let said = text(&world.page(Role::Operator, event).await);
    let words = "Done. 10401/OVERPAID#. Not done: 10402/OVERPAID#: it is Bea's already";
    assert!(said.contains(words), "{said}");
    let wish = json!({"organisation": ORGANISATION, "discrepancies": names, "owner": "Bea"});
    assert_eq!(world.asked(), [command("assign_discrepancies", wish)]);
    // Of those with a box, the ticked ones.
    assert!(html.contains("name=\"pm_tick_1\" aria-label=\"10402/OVERPAID#\""), "{html}");
    assert!(html.contains(">Take the ticked ones</button>"), "{html}");
    let ticked = async |boxes: Value| {
        let mut all = json!({"pm_by": "Ada", "pm_why": "a payment is missing"});
        all.as_object_mut().unwrap().extend(boxes.as_object().unwrap().clone());
        let event = json!({"page": "discrepancies", "order": "take_discrepancies", "ticked": true,
            "discrepancies": names, "organisation": ORGANISATION,
            "widgetContext": {"forms": {"all": all}}});
        text(&world.page(Role::Operator, event).await)
    };
    let done = json!({"done": ["10402/OVERPAID#"], "refused": [], "recorded": true});
    world.answers(Ok(done));
    let said = ticked(json!({"pm_tick_0": false, "pm_tick_1": true})).await;
    assert!(said.contains("Done. 10402/OVERPAID#"), "{said}");
    let wish = json!({"organisation": ORGANISATION, "discrepancies": ["10402/OVERPAID#"]});
    assert_eq!(world.asked(), [command("take_discrepancies", wish)]);
    let said = ticked(json!({"pm_tick_0": false, "pm_tick_1": false})).await;
    assert!(world.asked().is_empty() && said.contains("nothing was done"), "{said}");
    // A viewer orders nothing, and has no boxes.
    assert!(!page(&world, Role::Viewer).await.contains("pm_tick_"));
    let event =
        json!({"page": "discrepancies", "order": "take_discrepancies", "discrepancies": names});
    let said = text(&world.press(Role::Viewer, event).await);
    assert!(world.asked().is_empty() && said.contains("operator"), "{said}");
}

#[tokio::test]
async fn sp_22_a_discrepancy_has_its_evidence_and_its_history() {
    // SP-23, SP-26: the notice and the customer's answer are among it.
    let world = World::new().await;
    overpaid(&world, "10401", 8_000, 90).await;
    read(&world, "10401", 80, vec![xero_payment(8, 1_000)], 0).await;
    let notice = payments::CustomerNotice {
        id: "10401#OVERPAID##1".to_owned(),
        kind: payments::NoticeKind::Overpaid,
        customer: Some("C-1".parse().unwrap()),
        subject: "Invoice 10401: too much".to_owned(),
        text: "Please choose.".to_owned(),
    };
    work(&world, "10401", payments::DiscrepancyWork::Notify(notice)).await;
    let cause = Some(payments::DiscrepancyCause::EnteredTwice);
    work(&world, "10401", payments::DiscrepancyWork::Note { cause }).await;
    let known = world.tables.notice(organisation(), "10401#OVERPAID##1").await.unwrap().unwrap();
    let report = payments::NoticeReport {
        organisation: organisation(),
        id: known.notice.id.clone(),
        revision: 1,
        sent_at: Some(ago(4)),
        answered_at: Some(ago(3)),
        answer: Some("please pay it back".to_owned()),
        satisfied: Some(true),
    };
    let after = known.after(&report).unwrap().unwrap();
    world.tables.store_notice_report(&known, &after, ago(2)).await.unwrap();
    let why = "payment P-10401 comes twice";
    let raised = world.tables.raise_message(organisation(), "TEST", "P-10401", why, ago(1));
    raised.await.unwrap();

    let said = text(&list(&world, json!({"place": "10401/OVERPAID#"})).await);
    for words in [
        "Invoice record invoice 10401",
        "Xero invoice 10401",
        "Payment record payment P-10401",
        "Xero payment xero-",
        "Gateway or bank payment P-10401",
        "Receipt payment P-10401",
        "R-77:",
        "Message TEST",
        "payment P-10401 comes twice",
        "Notice to the customer notice 10401#OVERPAID##1",
        "please pay it back; the customer is satisfied",
        "Cause entered_twice",
        "notice_drafted (SP-23)",
        "discrepancy_noted (SP-36)",
        "discrepancy_raised",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    for nothing in ["10499/OVERPAID#", "10401", "10401/TIE_OUT#"] {
        let said = text(&list(&world, json!({"place": nothing})).await);
        assert!(said.contains(&format!("There is no discrepancy {nothing}.")), "{said}");
    }
}

#[tokio::test]
async fn sp_36_sp_24_each_button_of_a_discrepancy_gives_its_command() {
    // SP-23, AMB-31
    let world = World::new().await;
    overpaid(&world, "10401", 8_000, 90).await;
    let html = list(&world, json!({"place": "10401/OVERPAID#"})).await;
    let names = json!(["10401/OVERPAID#"]);
    for (order, typed, fields) in [
        ("take_discrepancies", json!({}), json!({})),
        ("note_discrepancies", json!({"pm_cause": "bank_fee"}), json!({"cause": "bank_fee"})),
        ("close_discrepancies", json!({}), json!({})),
        ("draft_notice", json!({}), json!({})),
        (
            "adjust_record",
            json!({"pm_record": "payment_amount", "pm_payment": "P-10401", "pm_amount": "75.00",
                "pm_currency": "AUD", "pm_to_invoice": ""}),
            json!({"record": "payment_amount", "payment": "P-10401", "amount": "75.00",
                "currency": "AUD"}),
        ),
    ] {
        assert!(html.contains(&format!("&#34;order&#34;:&#34;{order}&#34;")), "{order}: {html}");
        world.answers(Ok(json!({"done": names, "refused": [], "recorded": true})));
        let mut all = json!({"pm_by": "Ada", "pm_why": "a payment is missing"});
        all.as_object_mut().unwrap().extend(typed.as_object().unwrap().clone());
        let event = json!({"page": "discrepancies", "order": order, "discrepancies": names,
            "place": "10401/OVERPAID#", "organisation": ORGANISATION,
            "widgetContext": {"forms": {"all": all}}});
        let said = text(&world.page(Role::Operator, event).await);
        assert!(said.contains("Done. 10401/OVERPAID#") && said.contains("Evidence"), "{said}");
        let mut wish = json!({"organisation": ORGANISATION, "discrepancies": names});
        wish.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(world.asked(), [command(order, wish)]);
    }
    assert!(html.contains("&#34;order&#34;:&#34;accept&#34;"), "{html}");
    let viewer = json!({"page": "discrepancies", "place": "10401/OVERPAID#"});
    let viewer = world.page(Role::Viewer, viewer).await;
    assert!(!viewer.contains("&#34;order&#34;:") && viewer.contains("Evidence"), "{viewer}");
}

#[tokio::test]
async fn amb_31_what_stands_on_an_order_or_a_payment_is_accepted_from_its_page() {
    let world = World::new().await;
    let paid = receipt("P-1");
    let key = DiscrepancyKey::about(DiscrepancyKind::CustomerDiffers, "order O-1");
    let found = Discrepancy::found(key.clone(), "paid by C-2".to_owned(), ago(60));
    let change = payments::DiscrepancyChange { known: None, now: found };
    let reason = ContactBecause { cause: "reconcile", rule: "SP-37", now: ago(60) };
    let about = table::Judged::Payment(&paid);
    world.tables.write_discrepancies_about(about, &[change], reason).await.unwrap();
    let html = list(&world, json!({"place": format!("payment:P-1/{key}")})).await;
    let said = text(&html);
    assert!(said.contains("Where payment P-1") && said.contains("paid by C-2"), "{said}");
    assert!(html.contains("&#34;order&#34;:&#34;accept&#34;"), "{html}");
    world.answers(Ok(json!({"accepted": key.to_string(), "recorded": true})));
    let event = json!({"page": "discrepancies", "order": "accept", "payment": "P-1",
        "discrepancy": key.to_string(), "seen": "paid by C-2"});
    world.press(Role::Operator, event).await;
    let wish = json!({"organisation": ORGANISATION, "payment": "P-1", "seen": "paid by C-2",
        "discrepancy": key.to_string()});
    assert_eq!(world.asked(), [command("accept", wish)]);
}
