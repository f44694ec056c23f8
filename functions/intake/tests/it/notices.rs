//! SP-26: the fate of a notice to a customer comes back from the business's own system.

use payments::{
    Attributed, CustomerNotice, DiscrepancyKey, DiscrepancyKind, DiscrepancyWork, NoticeKind,
};
use serde_json::{Value, json};
use table::{DiscrepancyPlace, DiscrepancySubject, WorkContext};

use crate::messages::{ORGANISATION, invoice, payment, with};
use crate::world::{World, assert_same};

const NOTICE: &str = "10234#OVERPAID##1";

/// An invoice that is overpaid, and a notice about it.
async fn noticed() -> World {
    let world = World::new().await;
    world.take(&invoice("10234", 1, "110.00")).await;
    world.take(&payment("P-1", 1, "150.00", &[("10234", "150.00")])).await;
    let place = DiscrepancyPlace {
        organisation: world.settings.organisation,
        subject: DiscrepancySubject::Invoice("10234".parse().unwrap()),
        key: DiscrepancyKey::of_invoice(DiscrepancyKind::Overpaid),
    };
    let notice = CustomerNotice {
        id: NOTICE.to_owned(),
        kind: NoticeKind::Overpaid,
        customer: None,
        subject: "40.00 AUD too much".to_owned(),
        text: "Please choose.".to_owned(),
    };
    let said = Attributed { by: None, why: "the customer is asked" };
    let context =
        WorkContext { cause: "schedule", said, now: "2026-03-09T02:00:00Z".parse().unwrap() };
    let draft = DiscrepancyWork::Notify(notice);
    let done = world.tables.work_on_discrepancy(&place, context, |_, _| Ok(draft.clone())).await;
    done.unwrap();
    world
}

fn report(revision: u64, more: &[(&str, Value)]) -> Value {
    let message = json!({"version": 1, "type": "notice", "organisation": ORGANISATION,
        "notice": NOTICE, "revision": revision, "sent_at": "2026-03-09T03:00:00Z"});
    more.iter()
        .fold(message, |message, (name, value)| with(message, &format!("/{name}"), value.clone()))
}

#[tokio::test]
async fn sp_26_sent_answered_and_satisfied_are_stored_and_stand_in_the_history() {
    let world = noticed().await;
    let answered = [("answered_at", json!("2026-03-10T03:00:00Z")), ("answer", json!("refund"))];
    let satisfied = [answered.as_slice(), &[("satisfied", json!(true))]].concat();
    for (message, state) in [
        (report(1, &[]), "sent"),
        (report(2, &answered), "answered"),
        (report(3, &satisfied), "satisfied"),
        // Late, and a revision that is known.
        (report(1, &[]), "satisfied"),
    ] {
        world.take(&message).await;
        let rows = world.rows("notices").await;
        assert_eq!((rows.len(), rows[0]["state"].as_str()), (1, state));
    }
    let rows = world.rows("notices").await;
    assert_eq!(rows[0]["answer"], "refund");
    assert_eq!(rows[0]["sent_at"], "2026-03-09T03:00:00.000000Z");
    let log = world.rows("activity").await;
    let mut history: Vec<_> = log.iter().filter(|row| row["action"] == "notice_reported").collect();
    history.sort_by_key(|row| row["at"].clone());
    let states: Vec<_> = history.iter().map(|row| row["reason"].as_str()).collect();
    assert_eq!(states, ["sent", "answered", "satisfied"]);
    assert!(history.iter().all(|row| row["invoice"].ends_with("/10234")), "{history:?}");
    assert!(world.parked().await.is_empty());
    let before = world.dump().await;
    world.take(&report(3, &satisfied)).await;
    assert_same(&world.dump().await, &before, "the same again");
}

#[tokio::test]
async fn sp_26_a_notice_that_was_never_drafted_and_a_contradiction_are_parked() {
    let world = noticed().await;
    world.take(&report(1, &[])).await;
    let other = report(1, &[("sent_at", json!("2026-03-11T03:00:00Z"))]);
    let unknown = with(report(1, &[]), "/notice", "10234#OVERPAID##7");
    assert!(world.deliver(&[other, unknown]).await.is_empty());
    let mut parked = world.parked().await;
    parked.sort();
    assert_eq!(parked, ["revision_reused", "unknown_notice"]);
}
