//! The payments in Xero that the business reported: looked up in the simulator's books,
//! not in what we say of them.

use std::collections::{BTreeMap, BTreeSet};

use payments::upload::Stamp;
use rust_decimal::Decimal;
use uuid::Uuid;
use xero_simulator::{Meter, Simulator};

use crate::simulator::SAMPLE_ORGANISATION;

/// Our uploads among the payments and prepayments in Xero.
#[derive(Debug, Default)]
pub(super) struct Uploaded {
    /// What the payer wrote, and what there is in Xero with it, by kind.
    pub(super) by_payer: BTreeMap<String, Vec<Uuid>>,
    /// References that are there more than once, or that bear no stamp of ours.
    pub(super) wrong: BTreeSet<String>,
}

impl Uploaded {
    /// What there is now of those whose payers' references begin with `mark`.
    pub(super) fn of(xero: &Simulator, mark: &str) -> Self {
        let mut uploaded = Self::default();
        for (reference, ids) in xero.live_references(SAMPLE_ORGANISATION) {
            let Some(payer) = reference.split(' ').find(|word| word.starts_with(mark)) else {
                continue;
            };
            if ids.len() != 1 || Stamp::find_in(&reference).is_none() {
                uploaded.wrong.insert(reference.clone());
            }
            uploaded.by_payer.entry(payer.to_owned()).or_default().extend(ids);
        }
        uploaded
    }

    /// How many of the business's payments are there.
    pub(super) fn payments(&self) -> usize {
        self.by_payer.len()
    }

    /// Whether exactly these are there, and nothing twice.
    pub(super) fn is_exactly(&self, payers: &[String]) -> bool {
        self.wrong.is_empty() && self.by_payer.keys().eq(payers)
    }

    /// How much of it is prepayments.
    pub(super) fn prepaid(&self, xero: &Simulator) -> Decimal {
        let ids = self.by_payer.values().flatten();
        ids.filter_map(|id| xero.bank_transaction(*id)).map(|prepaid| prepaid.total).sum()
    }
}

/// The calls of Xero's API since `before`, in words.
pub(super) fn calls_since(before: &Meter, after: &Meter) -> String {
    let calls = after.calls.saturating_sub(before.calls);
    let routes = after.by_route.iter().filter_map(|(route, count)| {
        let count = count.saturating_sub(before.calls_of(route));
        (count > 0).then(|| format!("{count} {route}"))
    });
    let routes: Vec<_> = routes.collect();
    if routes.is_empty() {
        return "no call of Xero's API".to_owned();
    }
    format!("{calls} calls of Xero's API ({})", routes.join(", "))
}
