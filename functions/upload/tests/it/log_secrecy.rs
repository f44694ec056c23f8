//! N9: what is written about a night holds ids and counts, and never a secret, a name, a reference or an
//! amount.

use harness::log_capture;
use jiff::SignedDuration;
use serde_json::json;
use xero_simulator::{Effect, Fault};

use crate::samples::bpay;
use crate::world::{World, evening, march};

#[tokio::test]
async fn no_line_and_no_error_names_a_person_an_amount_or_a_secret() {
    log_capture::start();
    let world = World::new().await;
    let contact = world.simulator.add_contact(world.tenant, "Canary Ltd").unwrap();
    world.customer("K").await;
    world.invoice(contact, "CM-1", 4_711_091_526, march(1));
    let echo = "{\"Message\":\"Canary Ltd owes 47110915.26\"}";
    let mut answers = Vec::new();
    for (night, status) in [200, 400, 401, 403, 404, 429, 500, 503].into_iter().enumerate() {
        let mut paid = bpay(&format!("P-{night}"), "K", 4_711_091_526, march(1));
        paid.customer = Some("K".to_owned());
        world.pay(paid).await;
        for path in ["/Payments", "/BankTransactions", "/Invoices"] {
            let effect = Effect::Status { status, headers: Vec::new(), body: echo.to_owned() };
            if status != 200 {
                world.simulator.inject(Fault::on("PUT", path, effect.clone()).times(3));
                world.simulator.inject(Fault::on("GET", path, effect).times(1));
            }
        }
        let at = evening() + SignedDuration::from_hours(24 * i64::try_from(night).unwrap());
        world.clock.set(world.now().max(at));
        answers.push(format!("{:?}", world.invoke(json!({"scheduled_time": at})).await));
        world.work_off_tasks().await;
    }
    let nonsense = json!({"scheduled_time": "Canary", "why": "47110915.26"});
    answers.push(format!("{:?}", world.invoke(nonsense).await));
    log_capture::assert_redacted(&log_capture::take(), &answers, &["upload done"]);
}
