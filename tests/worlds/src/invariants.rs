//! The promises that must hold at every moment, as Xero's books and the tables show it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use payments::PaymentId;
use payments::upload::{PartState, Placed, Stamp, Target, Upload};
use rust_decimal::Decimal;
use uuid::Uuid;
use xero_simulator::CreatedKind;

use crate::upload::World;

impl World {
    /// Everything that the API has created and that stands: amount by stamp. Fails if a stamp stands
    /// twice (N5).
    pub fn in_xero(&self) -> BTreeMap<Stamp, Decimal> {
        let mut amounts = BTreeMap::new();
        for created in self.simulator.meter(self.tenant).created {
            let (amount, texts) = match created.kind {
                CreatedKind::Payment => {
                    let payment = self.simulator.payment(created.id).unwrap();
                    (payment.amount, vec![payment.reference])
                }
                CreatedKind::Bill => {
                    let bill = self.simulator.invoice(created.id).unwrap();
                    (bill.total, vec![bill.number])
                }
                CreatedKind::CreditNote => {
                    let note = self.simulator.credit(created.id).unwrap();
                    (note.total, vec![note.number])
                }
                // It bears no stamp: see `allocations`.
                CreatedKind::Allocation => continue,
                CreatedKind::BankTransaction => {
                    let transaction = self.simulator.bank_transaction(created.id).unwrap();
                    let lines = transaction.lines.iter().map(|line| line.description.clone());
                    let mut texts: Vec<String> = lines.collect();
                    texts.push(transaction.reference.clone());
                    (transaction.total, texts)
                }
            };
            let stamp = texts.iter().find_map(|text| Stamp::find_in(text)).unwrap();
            let before = amounts.insert(stamp.clone(), amount);
            assert!(before.is_none(), "{stamp} stands twice in Xero");
        }
        amounts
    }

    /// The allocations that calls have made and that stand, by their ids: the credit note, the bill, and the amount.
    pub fn allocations(&self) -> BTreeMap<Uuid, (Uuid, Uuid, Decimal)> {
        let created = self.simulator.meter(self.tenant).created;
        let ours = created.iter().filter(|created| created.kind == CreatedKind::Allocation);
        let ours: Vec<Uuid> = ours.map(|created| created.id).collect();
        let notes = self.simulator.organisation(self.tenant).unwrap().credit_documents;
        let all = notes.values().flat_map(|note| {
            note.allocations.iter().map(|one| (one.id, (note.id, one.invoice, one.amount)))
        });
        all.filter(|(id, _)| ours.contains(id)).collect()
    }

    /// Checks the promises that hold at every moment: Xero holds no more of a payment than it is (N5),
    /// no more payments of a night or of 20 hours than allowed (N6), and every row has one state with a
    /// reason (A7.4).
    pub async fn check(&self) {
        let in_xero = self.in_xero();
        let allocations = self.allocations();
        let ledger = self.ledger().await;
        let mut sources = 0;
        for row in &ledger {
            let parts = row.parts.iter().filter_map(|part| in_xero.get(&part.stamp));
            let sum: Decimal = parts.copied().sum();
            assert!(sum <= row.receipt.amount.amount(), "{}: {sum} in Xero", row.receipt.id);
            assert!(!row.reason.is_empty() && !row.why.is_empty(), "{}", row.receipt.id);
            sources += usize::from(sum > Decimal::ZERO);
            for part in row.parts.iter().filter(|part| part.state == PartState::Done) {
                if let (Target::Allocation { note, bill }, Some(Placed::Allocation(id))) =
                    (&part.target, part.placed)
                {
                    let expected = (note.uuid(), bill.uuid(), part.amount.amount());
                    assert!(allocations.get(&id).is_none_or(|found| *found == expected));
                    continue;
                }
                assert_eq!(in_xero.get(&part.stamp), Some(&part.amount.amount()));
            }
        }
        let stamps = ledger.iter().flat_map(|row| &row.parts).map(|part| &part.stamp);
        let known: std::collections::BTreeSet<_> = stamps.collect();
        assert!(in_xero.keys().all(|stamp| known.contains(stamp)), "Xero has what no row knows");
        assert!(sources <= ledger.len());
        let lately = self.nightly_sources_within(SignedDuration::from_hours(20), &ledger);
        assert!(lately <= 200, "{lately} payments within 20 hours");
    }

    /// The most nightly payments of which something was created within any such stretch of time.
    fn nightly_sources_within(&self, length: SignedDuration, ledger: &[Upload]) -> usize {
        let created = self.simulator.meter(self.tenant).created;
        let mut first: BTreeMap<PaymentId, Timestamp> = BTreeMap::new();
        for created in &created {
            let row = ledger.iter().find(|row| {
                let nightly = row.route().is_ok_and(payments::upload::Route::is_nightly);
                let stamp = Stamp::find_in(&created.reference);
                nightly && stamp.is_some_and(|stamp| row.stamped(&stamp).is_some())
            });
            if let Some(row) = row {
                let at = first.entry(row.receipt.id.clone()).or_insert(created.at);
                *at = (*at).min(created.at);
            }
        }
        let times: Vec<_> = first.into_values().collect();
        let within = |start: Timestamp| {
            times.iter().filter(|at| **at >= start && at.duration_since(start) < length).count()
        };
        times.iter().map(|start| within(*start)).max().unwrap_or(0)
    }
}
