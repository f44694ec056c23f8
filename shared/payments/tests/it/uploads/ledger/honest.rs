//! A Xero that keeps its word (assumption A1), over a line that loses answers and calls.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use payments::Money;
use payments::upload::{
    Absence, PartState, SURE_AFTER, Stamp, Target, Upload, UploadState, WriteOutcome,
};
use proptest::prelude::*;

use crate::uploads::samples::{
    admitted, aud, config, contact_id, instant, money, night, on, placed, receipt,
};

/// What becomes of one call.
#[derive(Clone, Copy, Debug)]
struct Fate {
    /// Whether Xero gets it, and is willing.
    reaches: bool,
    refuses: bool,
    /// After how many seconds it shows.
    works_for: i64,
    /// Whether we hear what Xero says.
    heard: bool,
    /// Whether the same bytes are sent again with the same key, and what of that is heard.
    again: Option<Again>,
    /// Whether the run dies before it writes the answer down.
    dies: bool,
    /// Whether a limit turns the call away at the door.
    limited: bool,
}

/// What Xero says to the same bytes.
#[derive(Clone, Copy, Debug)]
enum Again {
    /// What it said before.
    Remembered,
    /// A mistake that it remembers under the key, or a refusal since the first call went through.
    Refused,
    TurnedAway,
    Silence,
}

fn arb_fate() -> impl Strategy<Value = Fate> {
    let again = prop::sample::select(
        &[Again::Remembered, Again::Refused, Again::TurnedAway, Again::Silence][..],
    );
    let call = (any::<bool>(), prop::bool::weighted(0.3), 0_i64..15 * 60);
    let ends = (prop::bool::weighted(0.2), prop::bool::weighted(0.1));
    (call, any::<bool>(), prop::option::of(again), ends).prop_map(
        |((reaches, refuses, works_for), heard, again, (dies, limited))| {
            let reaches = reaches && !limited;
            Fate { reaches, refuses, works_for, heard, again, dies, limited }
        },
    )
}

/// Xero's books: each payment that was created, and since when it shows.
#[derive(Default)]
struct Books(Vec<(Stamp, Money, Timestamp)>);

impl Books {
    fn sum(&self) -> Money {
        Money::sum(aud(), self.0.iter().map(|(_, amount, _)| *amount)).unwrap()
    }

    fn shows(&self, stamp: &Stamp, at: Timestamp) -> bool {
        self.0.iter().any(|(found, _, since)| found == stamp && *since <= at)
    }
}

/// One call with one part, from before it is stored until its answer is.
fn call(row: &mut Upload, number: u32, books: &mut Books, fate: Fate, now: Timestamp) {
    row.send(&[number], &format!("key {now}"), now).unwrap();
    let part = row.parts.iter().find(|part| part.number == number).unwrap().clone();
    let created = fate.reaches && !fate.refuses;
    if created {
        let since = now + SignedDuration::from_secs(fate.works_for);
        books.0.push((part.stamp, part.amount, since));
    }
    let (no, yes) = (WriteOutcome::Refused("no".to_owned()), WriteOutcome::Placed(placed(9)));
    let truth = if created { yes } else { no.clone() };
    let (answer, again) = match (fate.reaches && fate.heard, fate.again) {
        _ if fate.limited => (WriteOutcome::TurnedAway, false),
        (true, _) => (truth, false),
        (false, None) => (WriteOutcome::Unclear, false),
        (false, Some(Again::Silence)) => (WriteOutcome::Unclear, true),
        (false, Some(Again::TurnedAway)) => (WriteOutcome::TurnedAway, true),
        // To a call that it never got, Xero says no now.
        (false, Some(Again::Refused)) => (no, true),
        (false, Some(Again::Remembered)) => (truth, true),
    };
    if fate.dies {
        row.resume(now);
    } else {
        row.answer(number, answer, again, now).unwrap();
    }
}

fn look(row: &mut Upload, books: &Books, now: Timestamp) {
    for part in row.parts.clone() {
        if !matches!(part.state, PartState::Sent | PartState::Unknown) {
            continue;
        }
        if books.shows(&part.stamp, now) {
            row.answer(part.number, WriteOutcome::Placed(placed(9)), true, now).unwrap();
        } else {
            let absence = row.absent(part.number, now, now).unwrap();
            assert!(absence != Absence::NotThere || books.0.iter().all(|(s, ..)| *s != part.stamp));
        }
    }
}

proptest! {
    #![proptest_config(config())]

    /// N5: at every moment Xero holds each part at most once, and never more than the payment; once
    /// all is known, the ledger says exactly what Xero holds.
    #[test]
    fn law_xero_never_holds_more_than_the_payment(
        fates in prop::collection::vec(arb_fate(), 40),
        pauses in prop::collection::vec(1_i64..20 * 60, 80),
        prepaid in any::<bool>(),
    ) {
        let target = if prepaid { Target::Prepayment { contact: contact_id(1) } } else { on(2, "2") };
        let mut row = admitted(&receipt("P-1", "100.00"));
        let mut now = instant("2026-03-10T11:00:00Z");
        let mut books = Books::default();
        let mut fates = fates.into_iter();
        let mut tonight = night("2026-03-10");
        let parts = vec![(on(1, "1"), money("60.00")), (target, money("40.00"))];
        row.reserve(tonight, parts, now).unwrap();
        for (round, pause) in pauses.into_iter().enumerate() {
            if round % 20 == 19 {
                tonight = tonight.plus(1);
                row.resume(now);
                if row.state == UploadState::Waiting {
                    let missing = row.unallocated().unwrap();
                    // A refused part goes elsewhere; a part sent in vain goes again as it is.
                    let rest = missing.is_positive().then(|| (on(4, "4"), missing));
                    let again = row.planned().map(|part| (part.target.clone(), part.amount));
                    let parts = again.chain(rest).collect();
                    row.reserve(tonight, parts, now).unwrap();
                }
            }
            let planned: Vec<_> = row.planned().map(|part| part.number).collect();
            for number in planned {
                if row.planned().any(|part| part.number == number) && row.state != UploadState::Waiting {
                    let Some(fate) = fates.next() else { break };
                    call(&mut row, number, &mut books, fate, now);
                }
            }
            if row.state == UploadState::Refused && !row.replanned {
                row.replan(vec![(on(3, "3"), money("100.00"))], now).unwrap();
            }
            now += SignedDuration::from_secs(pause);
            look(&mut row, &books, now);

            let mut times = BTreeMap::<&Stamp, u32>::new();
            for (stamp, ..) in &books.0 {
                *times.entry(stamp).or_default() += 1;
            }
            prop_assert!(times.values().all(|times| *times == 1), "{times:?}");
            prop_assert!(books.sum().amount() <= money("100.00").amount());
        }
        for _ in 0..3 {
            now += SURE_AFTER;
            look(&mut row, &books, now);
        }
        let done: Vec<_> = row.parts.iter().filter(|part| part.state == PartState::Done).collect();
        prop_assert_eq!(done.len(), books.0.len(), "{:?}", row.state);
        prop_assert_eq!(row.state == UploadState::Uploaded, books.sum() == money("100.00"));
    }
}
