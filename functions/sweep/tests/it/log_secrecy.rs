//! N9: what is written about a sweep holds ids and counts, and never a secret, a name, a reference or an
//! amount.

use harness::log_capture;
use rust_decimal::Decimal;
use serde_json::json;
use xero_simulator::{Effect, Fault, NewInvoice, NewPayment};

use crate::world::{HALF_AN_HOUR, World, march};

#[tokio::test]
async fn no_line_and_no_error_names_a_person_an_amount_or_a_secret() {
    log_capture::start();
    let world = World::new().await;
    world.local("1").await;
    let wanted = NewInvoice {
        organisation: world.tenant,
        number: "CM-1".to_owned(),
        contact_name: "Canary Ltd".to_owned(),
        total: Decimal::new(47_110_26, 2),
        currency: "AUD".to_owned(),
        date: march(1),
        due_date: march(1),
        kind: xero_simulator::InvoiceKind::Accrec,
    };
    let invoice = world.simulator.add_invoice(wanted).unwrap();
    let amount = Decimal::new(47_110_26, 2);
    let payment = NewPayment { date: march(1), amount, reference: "Canary".to_owned() };
    world.simulator.add_payment(invoice, payment).unwrap();
    let echo = "{\"Message\":\"Canary Ltd owes 47110.26\"}";
    let mut answers = Vec::new();
    for status in [200, 400, 401, 403, 404, 429, 500, 503] {
        for full in [false, true] {
            let effect = Effect::Status { status, headers: Vec::new(), body: echo.to_owned() };
            if status != 200 {
                world.simulator.inject(Fault::on("GET", "/Invoices", effect).times(2));
            }
            let event = json!({"scheduled_time": world.now(), "full": full});
            answers.push(format!("{:?}", world.invoke(event).await));
            world.simulator.clear_faults();
            world.clock.advance(HALF_AN_HOUR);
        }
    }
    let wish = json!({"organisation": world.tenant, "by": "Canary", "why": "47110.26 is missing"});
    answers.push(format!("{:?}", world.invoke(json!({"sync_now": wish})).await));
    answers.push(format!("{:?}", world.invoke(json!({"sync_now": "Canary"})).await));
    let report = json!({
        "type": "payment", "organisation": world.tenant, "id": "P-1", "reference": "Canary 47110",
    });
    let id = world.queues.put("intake-dlq", &report.to_string()).await;
    let (by, why) = ("Canary", "47110.26 is missing");
    for event in [
        json!({"redrive": {"queue": "intake", "preview": true, "by": by, "why": why}}),
        json!({"discard": {"queue": "intake", "message": id, "by": by, "why": why}}),
        json!({"replay": {"organisation": world.tenant, "by": by, "why": why}}),
        json!({"redrive": {"queue": "intake", "by": by, "why": why}}),
    ] {
        answers.push(format!("{:?}", world.invoke(event).await));
    }
    log_capture::assert_redacted(
        &log_capture::take(),
        &answers,
        &["a dead letter discarded", "sweep done"],
    );
}
