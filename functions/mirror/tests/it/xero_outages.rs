//! What becomes of the work when Xero cannot be read (V18, FAULT-18, A7.3).

use std::time::Duration;

use harness::Do;
use harness::dynamodb::having;
use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use queue::{Cause, InvoiceChange, InvoiceChanges, Message};

use crate::world::{
    World, advance, another_organisation, at, events, events_of, invoice, now, organisation, paid,
    paper, record, sent_back,
};
use crate::xero::Reply;

/// A world with one copy, whose Xero answers like this from now on.
async fn broken(reply: Reply) -> World {
    let world = World::with_invoice(vec![paid(1, 2, 100)]).await;
    world.changed(&[1]).await;
    world.xero.forget_calls();
    world.xero.always(reply);
    world
}

async fn parked(world: &World) -> Vec<(String, String)> {
    let rows = world.rows("parked").await;
    rows.iter().map(|row| (row["reason"].clone(), row["detail"].clone())).collect()
}

#[tokio::test]
async fn v18_trouble_at_xero_goes_back_to_the_queue_and_counts_as_one_failure() {
    let html = "<html><body>Maintenance</body></html>";
    let half = r#"{"Status":"OK","Invoices":[{"Type":"ACCREC","InvoiceID":"00"#;
    for (status, body) in [(500, ""), (502, html), (503, html), (200, half), (200, html)] {
        let world = broken(Reply::status(status, body)).await;
        let again = world.deliver(&[record("m-1", events(&[1], Some(at(-3))))]).await;
        assert!(again.is_empty(), "the record has done its work: {again:?}");
        let [(change, not_before, delay)] = sent_back(&world.line)[..] else { panic!("{status}") };
        assert_eq!((change.id, change.event_at), (invoice(1), Some(at(-3))));
        assert_eq!((change.failures, change.stale_reads), (1, 0));
        assert_eq!((not_before, delay), (Some(at(5)), Duration::from_secs(5)));
        assert!(parked(&world).await.is_empty());
        assert_eq!(world.stored(1).await.payments.len(), 1);
    }
}

#[tokio::test]
async fn v18_an_answer_that_does_not_come_in_time_goes_back_to_the_queue() {
    let mut world = broken(Reply { hangs: true, ..Reply::default() }).await;
    world.patience = Duration::from_millis(50);
    assert!(world.deliver(&[record("m-1", events(&[1], None))]).await.is_empty());
    let [(change, ..)] = sent_back(&world.line)[..] else { panic!() };
    assert_eq!(change.failures, 1);
    assert_eq!(world.stored(1).await.payments.len(), 1);
}

#[tokio::test]
async fn v18_not_found_is_never_empty_and_is_parked_after_a_quarter_of_an_hour() {
    let world = broken(Reply::status(404, "")).await;
    let start = now();
    let rounds = world.drain(vec![record("m-1", events(&[1], Some(at(-3))))]).await;
    assert_eq!(rounds, 8);
    let waited = now().duration_since(start).as_secs();
    assert!((600..1200).contains(&waited), "{waited} s");
    assert_eq!(parked(&world).await[0].0, "Validation");
    assert_eq!(world.stored(1).await.payments.len(), 1);
}

#[tokio::test]
async fn v18_when_xero_recovers_the_work_that_went_back_is_done() {
    // N3
    let world = broken(Reply::status(503, "")).await;
    world.deliver(&[record("m-1", events(&[1], Some(at(-3))))]).await;
    let mut emptied = paper(1, vec![]);
    emptied.updated_at = at(1);
    world.xero.put(organisation(), invoice(1), emptied);
    world.xero.heal();
    let back = world.line.recorded.take().remove(0);
    advance(Duration::from_secs(6));
    assert!(world.deliver(&[record("m-2", back)]).await.is_empty());
    assert!(world.stored(1).await.payments.is_empty());
}

#[tokio::test]
async fn v18_refused_credentials_stop_further_calls_and_are_waited_for() {
    // 401, 403; A7.3: shown as Authentication, mended by a person.
    for (status, calls) in [(401, 2), (403, 1)] {
        let world = broken(Reply::status(status, "")).await;
        let many: Vec<u32> = (1..=100).collect();
        assert!(world.deliver(&[record("m-1", events(&many, Some(at(-3))))]).await.is_empty());
        assert_eq!(world.xero.calls().len(), calls, "{status}: the door was tried again");
        let back = sent_back(&world.line);
        assert_eq!(back.len(), 100);
        for (change, not_before, delay) in back {
            assert_eq!(change.failures, 1);
            assert_eq!((not_before, delay), (Some(at(900)), Duration::from_secs(900)));
        }
    }
}

#[tokio::test]
async fn v18_refused_credentials_are_parked_after_a_day_with_their_class() {
    let world = broken(Reply::status(403, "")).await;
    let start = now();
    world.drain(vec![record("m-1", events(&[1], Some(at(-3))))]).await;
    let hours = now().duration_since(start).as_hours();
    assert!((23..=26).contains(&hours), "{hours} h");
    assert_eq!(parked(&world).await[0].0, "Authentication");
}

#[tokio::test]
async fn a_limit_of_twenty_hours_is_waited_out_and_never_counts_as_a_failure() {
    // FAULT-18, A7.3: day limit.
    let twenty_hours = 20 * 3_600;
    let reply = Reply::status(429, "")
        .with("Retry-After", twenty_hours)
        .with("X-Rate-Limit-Problem", "day");
    let world = broken(reply).await;
    let many: Vec<u32> = (1..=90).collect();

    assert!(world.deliver(&[record("m-1", events(&many, Some(at(-3))))]).await.is_empty());

    // Then one call was made, and everything waits for its time in the queue
    assert_eq!(world.xero.calls().len(), 1, "knocked again");
    let back = sent_back(&world.line);
    assert_eq!(back.len(), 90);
    for (change, not_before, delay) in &back {
        assert_eq!((change.failures, change.stale_reads), (0, 0));
        assert_eq!((*not_before, *delay), (Some(at(twenty_hours)), Duration::from_secs(900)));
    }

    // And when SQS brings it early it is sent on without a call to Xero
    let message = world.line.recorded.take().remove(0);
    advance(Duration::from_secs(901));
    assert!(world.deliver(&[record("m-2", message.clone())]).await.is_empty());
    assert_eq!(world.xero.calls().len(), 1);
    assert_eq!(world.line.recorded.sent(), [message]);
    assert_eq!(sent_back(&world.line)[0].2, Duration::from_secs(900));

    // And when the time has come it is done
    world.xero.heal();
    world.line.recorded.take();
    world.drain(vec![record("m-3", events(&[1], Some(at(-3))))]).await;
    assert!(parked(&world).await.is_empty());
}

#[tokio::test]
async fn an_event_that_arrives_while_a_limit_is_waited_for_does_not_knock_again() {
    // FAULT-18: no call before Retry-After.
    let world = broken(Reply::status(429, "").with("Retry-After", 100)).await;
    let mirror = world.mirror();
    let deliver = async |id| {
        let records = [record(id, events(&[1], Some(at(-3))))];
        let deadline = crate::world::at_most_two_minutes();
        assert!(world.deliver_to(&mirror, &records, deadline).await.is_empty());
    };
    deliver("m-1").await;
    world.line.recorded.take();
    world.xero.heal();

    advance(Duration::from_secs(40));
    deliver("m-2").await;

    assert_eq!(world.xero.calls().len(), 1);
    let [(change, not_before, _)] = sent_back(&world.line)[..] else { panic!() };
    assert_eq!((change.failures, not_before), (0, Some(at(100))));

    advance(Duration::from_secs(60));
    deliver("m-3").await;
    assert_eq!(world.xero.calls().len(), 2);
}

#[tokio::test]
async fn no_limit_however_often_it_is_met_ends_in_parking() {
    for problem in ["minute", "day", "concurrent", "appminute"] {
        let world = broken(Reply::status(429, "").with("X-Rate-Limit-Problem", problem)).await;
        let mut message = events(&[1], Some(at(-3)));
        for _ in 0..150 {
            assert!(world.deliver(&[record("m", message)]).await.is_empty());
            let [(change, not_before, _)] = sent_back(&world.line)[..] else { panic!() };
            assert_eq!(change.failures, 0, "{problem}");
            let pause = not_before.unwrap().duration_since(now()).as_secs();
            // A day's limit does not come back in seconds, even if Xero does not say when.
            let bounds = match problem {
                "day" => 900..=3_600,
                "concurrent" => 1..=5,
                _ => 5..=60,
            };
            assert!(bounds.contains(&pause), "{problem}: {pause} s");
            advance(Duration::from_secs(u64::try_from(pause).unwrap()));
            message = world.line.recorded.take().remove(0);
        }
        assert!(parked(&world).await.is_empty());
    }
}

#[tokio::test]
async fn a_limit_that_is_used_up_by_an_answer_stops_the_next_call() {
    // N7, X-09: the last call that was allowed says so.
    let world = World::new().await;
    let many: Vec<u32> = (1..=90).collect();
    for n in &many {
        world.xero.put(organisation(), invoice(*n), paper(*n, vec![]));
    }
    world.xero.script(|seen, books| {
        let reply = crate::xero::usual(seen, books);
        Some(reply.with("X-MinLimit-Remaining", 0))
    });
    assert!(world.deliver(&[record("m-1", events(&many, Some(at(-3))))]).await.is_empty());
    assert_eq!(world.xero.calls().len(), 1);
    let back = sent_back(&world.line);
    assert_eq!(back.len(), 50);
    assert!(
        back.iter()
            .all(|(change, not_before, _)| { change.failures == 0 && *not_before == Some(at(60)) })
    );
}

#[tokio::test]
async fn an_invoice_that_xero_describes_strangely_is_parked_and_its_neighbours_are_done() {
    // FAULT-18: unknown shape; nothing is ever dropped, in a form that can be sent again.
    let world = World::new().await;
    for n in 1..=3 {
        world.record_invoice(n).await;
        world.xero.put(organisation(), invoice(n), paper(n, vec![paid(n, 2, 100)]));
    }
    world.xero.put(
        organisation(),
        invoice(2),
        crate::xero::Paper { status: "PERHAPS", ..paper(2, vec![]) },
    );
    let again = world.deliver(&[record("m-1", events(&[1, 2, 3], Some(at(-3))))]).await;
    assert!(again.is_empty());
    assert_eq!(world.stored(1).await.payments.len(), 1);
    assert_eq!(world.stored(3).await.payments.len(), 1);
    let rows = world.rows("parked").await;
    let wanted = [
        ("reason", "Schema"),
        ("by", "mirror"),
        ("organisation", rows[0]["organisation"].as_str()),
    ];
    assert_eq!(having(&rows, &wanted).len(), 1, "{rows:#?}");
    assert_eq!(Message::from_json(&rows[0]["body"]).unwrap(), events(&[2], Some(at(-3))));
}

#[tokio::test]
async fn an_outage_is_not_asked_again_for_every_forty_invoices() {
    // FAULT-21: one organisation that does not answer must not use up everybody's time.
    let mut world = broken(Reply { hangs: true, ..Reply::default() }).await;
    world.patience = Duration::from_millis(50);
    let many: Vec<u32> = (1..=400).collect();
    assert!(world.deliver(&[record("m-1", events(&many, None))]).await.is_empty());
    let calls = world.xero.calls().len();
    assert!(calls <= 3, "{calls} calls");
    assert_eq!(sent_back(&world.line).len(), 400);
}

#[tokio::test]
async fn one_organisation_that_fails_does_not_hold_up_another_one() {
    // Isolation, N8, FAULT-21
    let failing = another_organisation();
    let tenant = failing.to_string();
    for reply in [Reply::status(403, ""), Reply::status(429, ""), Reply::status(500, "")] {
        let world = World::with_invoice(vec![paid(1, 2, 100)]).await;
        world.set_up(failing, |_| {}).await;
        let tenant = tenant.clone();
        world
            .xero
            .script(move |seen, _| (crate::xero::tenant(seen) == tenant).then(|| reply.clone()));
        let records = [
            record("m-1", events_of(failing, &[1], Some(at(-3)))),
            record("m-2", events(&[1], Some(at(-3)))),
        ];
        assert!(world.deliver(&records).await.is_empty());
        assert_eq!(world.stored(1).await.payments.len(), 1);
        let [Message::Invoices(back)] = &world.line.recorded.sent()[..] else { panic!() };
        assert_eq!(back.organisation, failing);
        let elsewhere = world.tables.invoice(failing, &crate::world::number(1)).await.unwrap();
        assert_eq!(elsewhere.revision, 0);
    }
}

#[tokio::test]
async fn a_quiet_organisation_does_not_wait_for_a_noisy_one() {
    // FAULT-21: one event behind ten thousand of another organisation.
    let world = World::with_invoice(vec![paid(1, 2, 100)]).await;
    // Noisy and before us, in the queue and in the order of ids.
    let noisy: OrganisationId = "00000000-0000-0000-0000-000000000001".parse().unwrap();
    world.set_up(noisy, |_| {}).await;
    let many: Vec<u32> = (1..=10_000).collect();
    let mut records: Vec<_> = many
        .chunks(200)
        .zip(1..)
        .map(|(chunk, n)| record(&format!("m-{n}"), events_of(noisy, chunk, Some(at(-3)))))
        .collect();
    records.push(record("quiet", events(&[1], Some(at(-3)))));

    assert!(world.deliver(&records).await.is_empty());

    assert_eq!(world.stored(1).await.payments.len(), 1);
    let calls = world.xero.calls();
    let before =
        calls.iter().take_while(|call| crate::xero::tenant(call) == noisy.to_string()).count();
    println!("{before} of {} calls were made before that of the quiet one", calls.len() - 1);
    assert!(calls.len() > 20 && before <= 1, "{before} of {}", calls.len());
    // Invoices that are too many for one run wait in the queue, and none is lost.
    assert_eq!(sent_back(&world.line).len(), 10_000, "none of the noisy one's is readable here");
}

#[tokio::test]
async fn an_answer_with_another_organisations_invoice_leaves_no_trace() {
    // FAULT-10, N8: Xero answers with an invoice that was not asked for.
    let world = World::with_invoice(vec![paid(1, 2, 100)]).await;
    world.xero.script(|seen, books| {
        let foreign = paper(2, vec![paid(2, 2, 100)]).json(&invoice(2).to_string());
        let reply = crate::xero::usual(seen, books);
        let body = String::from_utf8(reply.body).unwrap();
        let body = body.replace("\"Invoices\":[", &format!("\"Invoices\":[{foreign},"));
        Some(Reply::status(reply.status, body))
    });
    world.changed(&[1]).await;
    assert_eq!(world.stored(1).await.payments.len(), 1);
    assert_eq!(world.stored(2).await.revision, 0);
}

#[tokio::test]
async fn every_call_carries_the_tenant_of_its_work() {
    // N8
    let world = World::new().await;
    world.set_up(another_organisation(), |_| {}).await;
    let records = [
        record("m-1", events_of(another_organisation(), &[1, 2], None)),
        record("m-2", events(&[3, 4], None)),
    ];
    world.xero.always(Reply::status(503, ""));
    world.deliver(&records).await;
    for call in world.xero.calls() {
        let own: Vec<String> = match crate::xero::tenant(&call) == organisation().to_string() {
            true => [3, 4].iter().map(|n| invoice(*n).to_string()).collect(),
            false => [1, 2].iter().map(|n| invoice(*n).to_string()).collect(),
        };
        assert!(call.ids().iter().all(|id| own.iter().any(|own| own == id)), "{call:?}");
    }
}

/// The same work, as the sweep asks for it.
fn swept(invoices: &[u32]) -> Message {
    let Message::Invoices(changes) = events(invoices, None) else { panic!() };
    Message::Invoices(InvoiceChanges { cause: Cause::Sweep, ..changes })
}

#[tokio::test]
async fn when_the_day_is_used_up_live_events_flow_and_the_rest_goes_on_by_itself() {
    // FAULT-23: a day of ten calls, of which two are kept for live events.
    let world = World::new().await;
    world.set_up(organisation(), |settings| settings.calls_per_day = 10).await;
    let many: Vec<u32> = (1..=400).collect();
    for n in &many {
        world.xero.put(organisation(), invoice(*n), paper(*n, vec![]));
    }

    assert!(world.deliver(&[record("m-1", swept(&many))]).await.is_empty());
    assert_eq!(world.xero.calls().len(), 8);
    let back = sent_back(&world.line);
    assert_eq!(back.len(), 80);
    let waits = |(change, not_before, _): &(InvoiceChange, Option<Timestamp>, Duration)| {
        change.failures == 0
            && not_before.is_some_and(|at| at > now() + SignedDuration::from_hours(23))
    };
    assert!(back.iter().all(waits), "{:?}", back[0]);

    for _ in 0..2 {
        assert!(world.deliver(&[record("m-2", events(&[1], Some(at(-3))))]).await.is_empty());
    }
    assert_eq!(world.xero.calls().len(), 10, "the reserve");
    assert_eq!(sent_back(&world.line).len(), 80);
    assert!(world.deliver(&[record("m-3", events(&[1], Some(at(-3))))]).await.is_empty());
    assert_eq!((world.xero.calls().len(), sent_back(&world.line).len()), (10, 81), "used up");

    // A day later, what waits goes by itself.
    advance(Duration::from_secs(26 * 3_600));
    let later = world.line.recorded.take();
    world.drain(later.into_iter().map(|message| record("m-4", message)).collect()).await;
    assert_eq!(world.xero.calls().len(), 13);
    assert!(sent_back(&world.line).is_empty() && parked(&world).await.is_empty());
}

#[tokio::test]
async fn when_the_count_of_calls_cannot_be_kept_nothing_is_called_and_nothing_is_lost() {
    // FAULT-22: fails closed toward Xero, and no try is used up.
    let world = World::with_invoice(vec![paid(1, 2, 100)]).await;
    world.proxy.plan(|call| match call.operation.as_str() {
        "PutItem budgets" => Do::Refuse("InternalServerError"),
        _ => Do::Pass,
    });
    assert!(world.deliver(&[record("m-1", events(&[1], Some(at(-3))))]).await.is_empty());
    assert!(world.xero.calls().is_empty());
    let [(change, not_before, _)] = sent_back(&world.line)[..] else { panic!() };
    assert_eq!((change.failures, not_before), (0, Some(at(30))));
}
