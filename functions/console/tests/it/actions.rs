//! What a person has to solve before anything about a customer goes on.

use console::roles::Role;
use payments::XeroContactId;
use payments::connection::{ConnectionStatus, Facts, HealthIssue};
use payments::upload::{ActionKind, ContactRecord, ContactSync, Customer, Hold, XeroContact};
use serde_json::{Value, json};
use table::StoredContact;
use uuid::Uuid;

use crate::html::{assert_harmless, text};
use crate::samples::{CODE, receipt, store, waiting};
use crate::world::{ORGANISATION, World, ago, command, now, ordered_for, organisation, well};

pub fn customer(id: &str, to_solve: &str, hours: i64) -> Customer {
    Customer {
        organisation: organisation(),
        id: id.parse().unwrap(),
        revision: 1,
        name: Some(format!("{id} Ltd")),
        contact: None,
        blocked: Some(to_solve.to_owned()),
        blocked_at: Some(ago(hours * 60)),
        merged: None,
        unusable_contact: None,
        email: None,
        sync: Default::default(),
    }
}

pub async fn open(world: &World, customer: &Customer) {
    world.tables.store_customer(None, customer, Some(("Ada", "x")), now()).await.unwrap();
}

async fn held(world: &World, payment: &str, customer: &str, hold: Hold) {
    let mut upload = waiting(payment);
    upload.receipt.customer = Some(customer.parse().unwrap());
    upload.put_on_hold(hold, "waits", None, ago(100));
    store(world, &upload).await;
}

async fn actions(world: &World, role: Role) -> String {
    let html = world.page(role, json!({"page": "actions"})).await;
    assert_harmless(&html);
    html
}

/// A customer with its payments, of which two wait for its action.
async fn busy() -> World {
    let world = well().await;
    open(&world, &customer("C-2", "who pays for it?", 2)).await;
    let contact = Some(XeroContactId::new(Uuid::from_u128(7)));
    open(&world, &Customer { contact, ..customer("C-1", "two contacts of this name", 30) }).await;
    let free = Customer { blocked: None, blocked_at: None, ..customer("C-3", "", 1) };
    open(&world, &free).await;
    for (payment, customer, hold) in [
        ("P-1", "C-1", Hold::BlockedByAction),
        ("P-2", "C-1", Hold::BlockedByAction),
        ("P-3", "C-1", Hold::HeldByPerson),
    ] {
        held(&world, payment, customer, hold).await;
    }
    world
}

#[tokio::test]
async fn open_actions_stand_there_the_oldest_first_with_what_waits_for_them() {
    // EX-27, EX-28
    let world = busy().await;
    let said = text(&actions(&world, Role::Viewer).await);
    for words in [
        "C-1 C-1 Ltd two contacts of this name 2026-11-24 16:30 AEDT (1 day 6 h ago) 2: ",
        "C-2 C-2 Ltd who pays for it? 2026-11-25 20:30 AEDT (2 h 0 min ago) 0",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.find("C-1 Ltd") < said.find("C-2 Ltd"), "{said}");
    assert!(!said.contains("C-3"), "only those about whom an action is open: {said}");
    assert_eq!(receipt("P-1").customer.unwrap().as_str(), "C-1");

    let said = text(&actions(&well().await, Role::Viewer).await);
    assert!(said.contains("No action is open."), "{said}");
}

#[tokio::test]
async fn the_page_of_integrations_says_how_many_are_open_and_leads_there() {
    // EX-27
    let html = busy().await.look("integrations").await;
    let said = text(&html);
    assert!(said.contains("Open actions 2, the oldest since 2026-11-24 16:30 AEDT"), "{said}");
    assert!(said.contains("Who waits for an action"), "{said}");
    let said = text(&well().await.look("integrations").await);
    assert!(said.contains("Open actions none") && !said.contains("Who waits"), "{said}");
}

#[tokio::test]
async fn a_customer_leads_to_its_contact_in_xero_while_connected_and_a_login_is_said_to_be_needed()
{
    // EX-22, EX-26
    let world = busy().await;
    let html = actions(&world, Role::Viewer).await;
    let contact = Uuid::from_u128(7);
    assert!(
        html.contains(&format!("shortcode={CODE}&#38;redirecturl=/Contacts/View/{contact}")),
        "{html}"
    );
    assert_eq!(html.matches("/Contacts/View/").count(), 1, "the other one's contact is not known");
    assert!(text(&html).contains("need a login of one's own"), "{html}");

    let judged = (ConnectionStatus::Disconnected, vec![HealthIssue::Refused]);
    let (facts, code) = (Facts::default(), Some(CODE));
    world
        .tables
        .store_connection(organisation(), &judged, &facts, code, false, now())
        .await
        .unwrap();
    let html = actions(&world, Role::Viewer).await;
    assert!(!html.contains("/Contacts/View/") && !html.contains("login of one's own"), "{html}");
    assert!(text(&html).contains("C-1 Ltd"), "{html}");
}

#[tokio::test]
async fn who_solves_it_is_passed_on_and_a_viewer_has_no_button() {
    // EX-28, ST-22
    let world = busy().await;
    let viewer = actions(&world, Role::Viewer).await;
    assert!(!viewer.contains("&#34;order&#34;") && viewer.contains("OperatorPolicy"), "{viewer}");
    let html = actions(&world, Role::Operator).await;
    for id in ["C-1", "C-2"] {
        assert_eq!(
            html.matches(&format!("aria-label=\"Mark as solved: {id}\"")).count(),
            1,
            "{html}"
        );
    }
    assert!(html.contains("the next run may post it to Xero."), "{html}");

    world.answers(Ok(answer("C-1", false, true)));
    let event = json!({"page": "actions", "order": "solve", "customer": "C-1"});
    let said = text(&world.press(Role::Operator, event).await);
    assert!(said.contains("✔ Done. Everything that waited for C-1 goes on"), "{said}");
    let wish = json!({"organisation": ORGANISATION, "customer": "C-1"});
    assert_eq!(world.asked(), [command("solve", wish)]);
    // The upload writes it down, unless nothing changed by it.
    assert!(ordered(&world).await.is_empty());
    world.answers(Ok(answer("C-1", false, false)));
    let event = json!({"page": "actions", "order": "solve", "customer": "C-1"});
    let said = text(&world.press(Role::Operator, event).await);
    assert!(said.contains("nothing changed"), "{said}");
    assert_eq!(ordered(&world).await, [["solve", "done", "C-1", "Ada"]]);
}

#[tokio::test]
async fn an_action_is_opened_about_the_customer_that_is_typed() {
    // EX-27, EX-28
    let world = busy().await;
    let press = async |typed: &str, event: Value| {
        let mut event = event;
        event["page"] = json!("actions");
        event["organisation"] = json!(ORGANISATION);
        let typed = json!({"pm_by": "Ada", "pm_why": "no such address", "pm_customer": typed});
        event["widgetContext"] = json!({"forms": {"all": typed}});
        world.page(Role::Operator, event).await
    };
    world.answers(Ok(answer("C-9", true, true)));
    let html = press("C-9", json!({"order": "open_action"})).await;
    assert!(text(&html).contains("Everything about C-9 waits until it is solved."), "{html}");
    let wish = json!({"organisation": ORGANISATION, "customer": "C-9"});
    assert_eq!(world.asked(), [ordered_for("open_action", wish, "no such address")]);
    assert!(html.contains("name=\"pm_customer\" value=\"\""), "{html}");

    // Only a customer who is named is blocked, and an order that failed can be pressed again.
    let html = press("", json!({"order": "open_action"})).await;
    assert!(text(&html).contains("please say which customer"), "{html}");
    assert!(world.asked().is_empty());
    let html = press("C-9", json!({"order": "open_action"})).await;
    assert!(html.contains("name=\"pm_customer\" value=\"C-9\""), "{html}");
    assert_eq!(ordered(&world).await, [["open_action", "failed", "C-9", "Ada"]]);
    world.asked();

    // A typed id does not change whose action is solved.
    press("C-9", json!({"order": "solve", "customer": "C-1"})).await;
    assert_eq!(world.asked()[0]["command"]["solve"]["customer"], "C-1");
}

#[tokio::test]
async fn an_action_that_cannot_be_read_is_named_and_hides_no_other() {
    // EX-27
    let world = busy().await;
    let key = [("organisation", ORGANISATION), ("customer", "C-1")];
    world.set_row("customers", &key, "revision", "canary").await;
    let upload = [("organisation", ORGANISATION), ("payment_id", "P-3")];
    world.set_row("uploads", &upload, "revision", "canary").await;

    let said = text(&actions(&world, Role::Viewer).await);
    assert!(said.contains("cannot be read: C-1: "), "{said}");
    assert!(said.contains("C-2 Ltd who pays for it?") && said.contains("not known"), "{said}");
    assert!(!said.contains("canary"), "{said}");
}

fn answer(customer: &str, blocked: bool, changed: bool) -> Value {
    json!({"customer": customer, "blocked": blocked, "changed": changed,
        "was_blocked": !blocked && changed, "reported": true, "recorded": changed})
}

/// What this function has written down.
async fn ordered(world: &World) -> Vec<[String; 4]> {
    let rows = world.rows("activity").await;
    let rows = rows.into_iter().filter(|row| row["action"] == "ordered");
    rows.map(|row| ["order", "result", "what", "by"].map(|name| row[name].clone())).collect()
}

#[tokio::test]
async fn a_payment_that_waits_and_names_no_customer_is_an_action_of_its_own() {
    // EX-27, EX-28
    let world = well().await;
    let mut upload = waiting("P-7");
    upload.receipt.customer = None;
    let why =
        "the payment names no customer: it is reported with its customer, or with its invoices";
    upload.put_on_hold(Hold::BlockedByAction, why, None, ago(100));
    store(&world, &upload).await;
    let said = text(&actions(&world, Role::Viewer).await);
    assert!(said.contains("P-7") && said.contains("with its customer"), "{said}");
    assert!(!said.contains("No action is open"), "{said}");
    let tiles = text(&world.look("integrations").await);
    assert!(tiles.contains("Open actions 1,"), "{tiles}");
}

#[tokio::test]
async fn a_candidate_is_picked_on_the_page_and_what_waits_has_its_sum() {
    // EX-38: each kind of action has its own solution on its page.
    let world = busy().await;
    let ids: Vec<_> = [8, 9].map(|n| XeroContactId::new(Uuid::from_u128(n))).into();
    let contact = |id: XeroContactId, name: &str| StoredContact {
        record: ContactRecord {
            contact: XeroContact {
                id,
                name: Some(name.to_owned()),
                is_active: true,
                merged_into: None,
            },
            account_number: None,
            email: None,
            is_customer: true,
            is_supplier: false,
        },
        is_unknown: false,
        credit: Default::default(),
    };
    let stored = [contact(ids[0], "Twin"), contact(ids[1], "TWIN")];
    world.tables.store_contacts(organisation(), &stored).await.unwrap();
    let sync = ContactSync {
        action: Some(ActionKind::SeveralContacts),
        candidates: ids.clone(),
        ..ContactSync::default()
    };
    open(&world, &Customer { sync, ..customer("C-4", "2 contacts have its name", 1) }).await;
    let viewer = actions(&world, Role::Viewer).await;
    assert!(text(&viewer).contains("TWIN") && !viewer.contains("pick_contact"), "{viewer}");
    assert!(text(&viewer).contains("2: "), "the sum of what waits for C-1: {}", text(&viewer));
    let html = actions(&world, Role::Operator).await;
    assert_eq!(html.matches("aria-label=\"This contact: TWIN for C-4\"").count(), 1, "{html}");
    world.answers(Ok(answer("C-4", false, true)));
    let wish =
        json!({"organisation": ORGANISATION, "customer": "C-4", "contact": ids[1].to_string()});
    let event = json!({"page": "actions", "order": "pick_contact", "customer": "C-4",
        "contact": ids[1].to_string()});
    let said = text(&world.press(Role::Operator, event).await);
    assert!(said.contains("✔ Done. That contact is C-4's from now on."), "{said}");
    assert_eq!(world.asked(), [command("pick_contact", wish)]);
}

#[tokio::test]
async fn ex_27_a_setting_that_is_missing_is_an_action_with_what_waits_for_it() {
    // EX-13, EX-19: opened by the fact that something waits, and gone with it.
    let world = well().await;
    for (id, hold, why) in [
        ("F-1", Hold::MerchantContactMissing, "set merchant_contact_id"),
        ("F-2", Hold::AccountUnmapped, "no account for chargeback"),
        ("F-3", Hold::AccountUnmapped, "no account for chargeback"),
    ] {
        let mut upload = waiting(id);
        upload.put_on_hold(hold, why, None, ago(100));
        store(&world, &upload).await;
    }
    let viewer = actions(&world, Role::Viewer).await;
    let said = text(&viewer);
    assert!(said.contains("ACCOUNT_UNMAPPED no account for chargeback"), "{said}");
    assert!(said.contains("MERCHANT_CONTACT_MISSING set merchant_contact_id"), "{said}");
    assert!(said.contains("ago) 2: ") && said.contains("ago) 1: "), "their sums: {said}");
    assert!(!said.contains("No action is open") && !viewer.contains("\"configure\""), "{said}");
    let admin = actions(&world, Role::Admin).await;
    assert!(admin.contains("configure"), "the way to the settings: {admin}");
    let tiles = text(&world.look("integrations").await);
    assert!(tiles.contains("Open actions 2,"), "{tiles}");
}

#[tokio::test]
async fn amb_15_what_waits_in_xero_for_an_action_is_counted_with_its_sum() {
    let world = busy().await;
    for (number, cents) in [("10401", "#40.50"), ("10402", "#9.50")] {
        let waits_for = format!("{ORGANISATION}/C-1");
        let row = [
            ("organisation", ORGANISATION),
            ("number", number),
            ("waits_for", &waits_for),
            ("revision", "#1"),
        ];
        world.put("invoices", &row).await;
        let invoice = format!("{ORGANISATION}/{number}");
        let id = Uuid::new_v5(&Uuid::nil(), number.as_bytes()).to_string();
        let held_at = table::instant(ago(50));
        let row = [
            ("invoice", invoice.as_str()),
            ("xero_payment_id", id.as_str()),
            ("amount", cents),
            ("currency", "AUD"),
            ("date", "2026-11-20"),
            ("reason", "BLOCKED_BY_ACTION"),
            ("held_at", held_at.as_str()),
        ];
        world.put("held_payments", &row).await;
    }
    let said = text(&actions(&world, Role::Viewer).await);
    assert!(said.contains("2: 50.00 AUD"), "{said}");
}

#[tokio::test]
async fn ex_34_what_is_wrong_inside_xero_leads_to_its_support() {
    let world = busy().await;
    for event in [json!({"page": "integrations"}), json!({"page": "why", "search": "P-1"})] {
        let html = world.page(Role::Viewer, event).await;
        assert_harmless(&html);
        assert!(html.contains("href=\"https://central.xero.com/\""), "{html}");
    }
}
