//! FAULT-20: a week without webhooks, and one sweep.

use std::time::Instant;

use jiff::SignedDuration;
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;
use xero_simulator::NewPayment;

use crate::world::World;

const INVOICES: usize = 600;
/// Payments recorded. None of them is gone again before anybody has looked: that would be nothing to repair.
const NEW: usize = 1_100;
const DELETED: usize = 600;
const EDITED: usize = 650;
/// A payment that is edited counts twice: Xero deletes it and records another one.
const CHANGES: usize = NEW + DELETED + 2 * EDITED;
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The repairs: payments that the mirror added and payments that it removed, each of them one row of the
/// activity log with cause `sweep`.
#[tokio::test]
async fn a_week_of_three_thousand_changes_without_webhooks_is_repaired_by_one_sweep() {
    // CM-43: after an outage of any length everything arrives.
    assert_eq!(CHANGES, 3_000);
    let began = Instant::now();
    let world = World::new().await;
    let (invoices, mut payments) = books(&world).await;
    let (set_up, caps) = (began.elapsed(), world.simulator.limits());
    assert_eq!(caps, xero_simulator::Limits::default(), "60 a minute, 5 at once, 5,000 a day");

    // The time before the week is certified.
    let certify = async || {
        let event = json!({"scheduled_time": world.now(), "certify": true});
        world.invoke(event).await.unwrap();
        let rows = world.rows("certificates").await;
        rows.into_iter().max_by_key(|row| row["day"].clone()).unwrap()
    };
    assert_eq!(certify().await["state"], "complete");

    // The week. No webhook announces anything.
    let step = SignedDuration::from_secs(WEEK.as_secs() / i64::try_from(CHANGES).unwrap());
    let mut known = payments.drain(..DELETED + EDITED);
    for n in 0..NEW {
        world.pay(invoices[(n * 7) % INVOICES], 1_00 + i64::try_from(n % 90).unwrap());
        world.clock.advance(step);
        if n < DELETED {
            world.simulator.delete_payment(known.next().unwrap()).unwrap();
            world.clock.advance(step);
        }
        if n < EDITED {
            edit(&world, known.next().unwrap());
            world.clock.advance(step * 2);
        }
    }
    drop(known);
    world.clock.advance(SignedDuration::from_mins(30));
    assert!(!payments.is_empty(), "some are left as they were");
    let stale = world.mirrored().await;
    let wrong = stale.symmetric_difference(&world.in_xero()).count();
    assert_eq!(wrong, CHANGES, "the mirror knows nothing of it");

    let swept_at = world.now();
    world.simulator.reset_meters();
    let answer = world.sweep().await;
    let messages = world.work_off().await;

    assert_eq!(answer["outcome"], "finished", "{answer}");
    assert_eq!(world.mirrored().await, world.in_xero(), "mirror and Xero are the same");
    let decided = world.decided("sweep", swept_at).await;
    let repaired = decided["imported"] + decided["deleted"];
    assert_eq!(repaired, CHANGES, "{decided:?}");
    assert_eq!((decided["imported"], decided["deleted"]), (NEW + EDITED, DELETED + EDITED));
    assert_eq!(world.rows("parked").await.len(), 0);
    let meter = world.simulator.meter(world.tenant);
    assert_eq!(meter.rejected, 0, "no cap was breached");
    assert!(meter.calls_in_a_minute_max <= 60, "{meter:?}");
    assert!(meter.in_flight_max <= 5, "{meter:?}");
    assert!(meter.calls <= 5_000, "{meter:?}");
    println!(
        "{CHANGES} changes in a week without webhooks ({NEW} payments new, {DELETED} deleted, {EDITED} edited): \
         repaired {repaired} by one sweep of {} calls and {messages} messages; Xero's meter: {} calls, at most \
         {} in a minute and {} at once, {} rejected, {} KB; {:.0?} to set up, {:.0?} in all",
        answer["run"]["calls"],
        meter.calls,
        meter.calls_in_a_minute_max,
        meter.in_flight_max,
        meter.rejected,
        meter.bytes_sent / 1024,
        set_up,
        began.elapsed(),
    );

    // Nothing is left for the next one, and for the night.
    world.clock.advance(SignedDuration::from_mins(30));
    let certificate = certify().await;
    assert_eq!(certificate["state"], "complete", "{certificate:#?}");
    assert_eq!(certificate["repaired"], format!("#{CHANGES}"));
    println!(
        "the certificate: {}, {} applied, {} repaired by sweep, {} missing",
        certificate["state"],
        certificate["applied"],
        certificate["repaired"],
        certificate["missing"]
    );
    assert_eq!(world.sweep().await["run"]["counts"].get("queued"), None);
    let full = json!({"scheduled_time": world.now(), "full": true});
    let full = world.invoke(full).await.unwrap();
    assert_eq!(full["sweeps"][0]["run"]["counts"].get("queued"), None, "{full}");
}

fn edit(world: &World, payment: Uuid) {
    let old = world.simulator.payment(payment).unwrap();
    let amount = old.amount + Decimal::ONE;
    let new = NewPayment { date: old.date, amount, reference: String::new() };
    world.simulator.edit_payment(payment, new).unwrap();
}

/// Invoices on both sides with three payments each, which the mirror has.
async fn books(world: &World) -> (Vec<Uuid>, Vec<Uuid>) {
    let (mut invoices, mut payments) = (Vec::new(), Vec::new());
    for n in 0..INVOICES {
        let invoice = world.both(&(10_000 + n).to_string()).await;
        invoices.push(invoice);
        payments.extend([11_00, 22_00, 33_00].map(|cents| world.pay(invoice, cents)));
        world.clock.advance(SignedDuration::from_secs(1));
    }
    world.sweep().await;
    world.work_off().await;
    assert_eq!(world.mirrored().await, world.in_xero());
    // Beyond the overlap.
    world.clock.advance(SignedDuration::from_mins(30));
    (invoices, payments)
}
