//! An order that comes after its money: how far it is paid is derived, never reported.

use std::time::Instant;

use anyhow::Context as _;

use super::{
    Scene,
    business::Paid,
    money::{CURRENCY, amount},
    narrator::{Seen, Teller},
};

/// The order behind an invoice of 115.00, on which 80.00 are paid; then the rest is.
pub(super) async fn play(scene: &Scene<'_>, teller: &mut Teller) -> anyhow::Result<()> {
    let [_, invoice, _] = scene.numbers();
    let order = format!("O-{invoice}");
    teller.begin(
        &format!(
            "The order behind invoice {invoice} is reported, after its invoice and its money."
        ),
        &format!("partially paid: 80.00 of 115.00 {CURRENCY}, derived from what was there already"),
    );
    let sent = Instant::now();
    scene.business.send(&[scene.business.order(&order, invoice)]).await?;
    look_for(scene, teller, sent, &order, ("partially_paid", 80)).await?;

    teller.begin(
        &format!("The customer pays the rest of it, 35.00 {CURRENCY}."),
        "fully paid, so that the order system hears order.completed",
    );
    let paid = Paid {
        id: format!("P-{order}"),
        amount: amount(35),
        date: scene.today,
        entered_at: scene.now,
    };
    let sent = Instant::now();
    scene.business.send(&[scene.business.typed_in(&paid, invoice)]).await?;
    look_for(scene, teller, sent, &order, ("fully_paid", 115)).await
}

async fn look_for(
    scene: &Scene<'_>,
    teller: &mut Teller,
    event: Instant,
    order: &str,
    (status, received): (&str, i64),
) -> anyhow::Result<()> {
    teller
        .look(event, async || {
            let found = scene.look.order(order).await.context("the order")?;
            let expected = found
                .as_ref()
                .is_some_and(|found| found.status == status && found.received == amount(received));
            let said = found.map_or("no order".to_owned(), |found| found.describe());
            Ok(Seen::when(expected, said))
        })
        .await
}
