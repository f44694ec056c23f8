//! The functions end in the middle of their work.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;

use crate::world::World;

const INVOICES: usize = 12;

/// Killed after so many milliseconds of a burst: before, within and after the batch.
const MOMENTS_MS: [u64; 5] = [0, 20, 60, 150, 400];

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_a_burst_nothing_is_lost_and_nothing_doubled() -> Result<()> {
    // N1, N3, FAULT-07
    let mut world = World::quick().await?;
    world.xero()?.set_limits(xero_simulator::Limits::NONE);
    let mut invoices = Vec::new();
    for number in 0..INVOICES {
        invoices.push(world.invoice(&format!("{}", 3000 + number)).await?);
    }
    world.settled().await?;

    for moment in MOMENTS_MS {
        for invoice in &invoices {
            world.pay(*invoice, "7.00")?;
            world.pay(*invoice, "7.00")?;
        }
        world.xero()?.flush_webhooks().await;
        tokio::time::sleep(Duration::from_millis(moment)).await;
        world.stack.kill_functions().await;
        world.stack.start_functions().await?;
        world.forget_calls().await?;
        world.settled().await?;

        for (position, invoice) in invoices.iter().enumerate() {
            let number = format!("{}", 3000 + position);
            let books: BTreeSet<_> = world
                .xero()?
                .invoice(*invoice)
                .unwrap()
                .payments
                .iter()
                .map(ToString::to_string)
                .collect();
            let rows = world.links(&number).await?;
            assert_eq!(rows.len(), books.len(), "killed after {moment} ms");
            assert_eq!(rows.into_iter().collect::<BTreeSet<_>>(), books);
        }
    }
    for queue in ["changes-dlq", "intake-dlq"] {
        assert_eq!(world.stack.depth(queue).await?.total(), 0, "{queue}");
    }
    world.stack.stop().await;
    Ok(())
}
