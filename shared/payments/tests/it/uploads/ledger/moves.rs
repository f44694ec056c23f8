//! Laws of the ledger under any sequence of moves, legal and illegal, and any answers.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use payments::Money;
use payments::upload::{
    Hold, Line, Night, Part, PartState, PaymentCommand, ReleasedSlot, SURE_AFTER, SendMode, Skip,
    Stamp, Target, Upload, UploadState, WriteOutcome, admit, obey,
};
use proptest::prelude::*;

use crate::uploads::samples::{
    admitted, aud, cents, config, contact_id, instant, night, on, pay_now, placed, receipt,
};

/// Which parts a plan has.
#[derive(Clone, Copy, Debug)]
enum Plan {
    /// All that is left, on one invoice.
    One,
    /// All that is left, in three parts, the last a prepayment.
    Three,
    /// Nothing.
    Nothing,
    /// A cent too much.
    TooMuch,
    /// A cent too little.
    TooLittle,
}

/// A move that is tried.
#[derive(Clone, Debug)]
enum Move {
    Later(i64),
    Reserve { nights: u32, plan: Plan },
    Replan(Plan),
    Send { all: bool, number: u32 },
    WriteOutcome { number: u32, answer: WriteOutcome, again: bool },
    Absent { number: u32, ago: i64 },
    InDoubt { number: u32 },
    TakeBack,
    PickUp,
    FreeSlot,
    PlanLater,
    LeaveRefused,
    Hold(Hold),
    Skip(Skip),
    ReleaseHold,
    Order(PaymentCommand),
    Report(Option<u32>),
}

fn arb_plan() -> impl Strategy<Value = Plan> {
    prop_oneof![
        5 => Just(Plan::One), 5 => Just(Plan::Three), 2 => Just(Plan::Nothing),
        1 => Just(Plan::TooMuch), 1 => Just(Plan::TooLittle),
    ]
}

fn arb_move() -> impl Strategy<Value = Move> {
    let number = || 1_u32..5;
    let answer = prop_oneof![
        3 => (0_u128..9).prop_map(|n| WriteOutcome::Placed(placed(n))),
        3 => Just(WriteOutcome::Refused("Xero said no".to_owned())),
        2 => Just(WriteOutcome::TurnedAway),
        3 => Just(WriteOutcome::Unclear),
    ];
    let order = prop::sample::select(PaymentCommand::ALL);
    prop_oneof![
        8 => prop_oneof![0_i64..100, 800_i64..1000].prop_map(Move::Later),
        8 => (0_u32..2, arb_plan()).prop_map(|(nights, plan)| Move::Reserve { nights, plan }),
        3 => arb_plan().prop_map(Move::Replan),
        10 => (prop::bool::weighted(0.7), number()).prop_map(|(all, number)| Move::Send { all, number }),
        10 => (number(), answer, prop::bool::weighted(0.3))
            .prop_map(|(number, answer, again)| Move::WriteOutcome { number, answer, again }),
        10 => (number(), prop_oneof![4 => Just(0_i64), 1 => 0_i64..300])
            .prop_map(|(number, ago)| Move::Absent { number, ago }),
        1 => number().prop_map(|number| Move::InDoubt { number }),
        2 => Just(Move::TakeBack),
        3 => Just(Move::PickUp),
        3 => Just(Move::FreeSlot),
        1 => Just(Move::PlanLater),
        2 => Just(Move::LeaveRefused),
        1 => prop::sample::select(Hold::ALL).prop_map(Move::Hold),
        1 => prop::sample::select(Skip::ALL).prop_map(Move::Skip),
        2 => Just(Move::ReleaseHold),
        2 => order.prop_map(Move::Order),
        1 => prop::option::of(5_000_u32..12_000).prop_map(Move::Report),
    ]
}

/// What a witness has written down of a part.
#[derive(Clone, Debug, Default)]
struct Witness {
    /// When it was last sent.
    sent_at: Option<Timestamp>,
    /// Reads since then that were late enough, and far enough apart.
    absences: Vec<Timestamp>,
    /// Whether all that is known of it is that it was sent once.
    clean: bool,
}

struct World {
    row: Upload,
    now: Timestamp,
    witnesses: BTreeMap<Stamp, Witness>,
    reserves: u32,
    freed: Vec<ReleasedSlot>,
}

impl World {
    fn new(direct: bool) -> Self {
        let paid = if direct { pay_now("P-1", "1", "100.00") } else { receipt("P-1", "100.00") };
        let now = instant("2026-03-10T11:00:00Z");
        let (row, witnesses) = (admitted(&paid), BTreeMap::new());
        Self { row, now, witnesses, reserves: 0, freed: Vec::new() }
    }

    fn parts(&self, plan: Plan) -> Vec<(Target, Money)> {
        let Ok(left) = self.row.to_place() else { return Vec::new() };
        let (first, third) = (self.row.parts.len(), left.minus(cents(3)).ok());
        let target = |n: usize| {
            let n = u128::try_from(first + n).unwrap();
            on(n, &n.to_string())
        };
        match (plan, third) {
            (Plan::One, _) => vec![(target(0), left)],
            (Plan::Three, Some(rest)) => {
                let prepayment = Target::Prepayment { contact: contact_id(1) };
                vec![(target(0), cents(1)), (target(1), rest), (prepayment, cents(2))]
            }
            (Plan::Nothing | Plan::Three, _) => Vec::new(),
            (Plan::TooMuch, _) => vec![(target(0), left.plus(cents(1)).unwrap())],
            (Plan::TooLittle, _) => {
                left.minus(cents(1)).map(|l| (target(0), l)).into_iter().collect()
            }
        }
    }

    fn night(nights: u32) -> Night {
        night("2026-03-10").plus(nights)
    }

    /// Plays a move. An illegal one changes nothing.
    fn play(&mut self, step: &Move) -> Result<(), TestCaseError> {
        let (before, freed) = (self.row.clone(), self.freed.len());
        let done = self.attempt(step, &before);
        prop_assert!(done || self.row == before, "an illegal move has changed something");
        self.parts_move_legally(&before, step)?;
        self.frees_once(&before, freed)?;
        self.is_sound()
    }

    /// Tries a move; the answer says whether it was legal.
    fn attempt(&mut self, step: &Move, before: &Upload) -> bool {
        let now = self.now;
        let idle = matches!(before.state, UploadState::Waiting | UploadState::Held);
        match step {
            Move::Later(seconds) => {
                self.now += SignedDuration::from_secs(*seconds);
                true
            }
            Move::Reserve { nights, plan } => {
                let parts = self.parts(*plan);
                let done = self.row.reserve(Self::night(*nights), parts, now).is_ok();
                self.reserves += u32::from(done);
                done
            }
            Move::Replan(plan) => {
                let parts = self.parts(*plan);
                self.row.replan(parts, now).is_ok()
            }
            Move::Send { all, number } => {
                let planned: Vec<_> = self.row.planned().map(|part| part.number).collect();
                let numbers = if *all { planned } else { vec![*number] };
                let done = self.row.send(&numbers, &format!("key {now}"), now).is_ok();
                if done {
                    self.witness_sending(before, &numbers);
                }
                done
            }
            Move::WriteOutcome { number, answer, again } => {
                self.row.answer(*number, answer.clone(), *again, now).is_ok()
            }
            Move::Absent { number, ago } => {
                let looked_at = now - SignedDuration::from_secs(*ago);
                let done = self.row.absent(*number, looked_at, now).is_ok();
                if done {
                    self.witness_absence(before, *number, looked_at);
                }
                done
            }
            Move::InDoubt { number } => self.row.in_doubt(*number, now).is_ok(),
            Move::TakeBack => {
                let done = self.row.take_back(Hold::CannotBeSent, "why", Self::night(0), now);
                self.freed.extend(done.iter().copied().flatten());
                done.is_ok()
            }
            Move::PickUp => {
                let freed = self.row.resume(now);
                self.freed.extend(freed);
                true
            }
            Move::FreeSlot => {
                let freed = self.row.free_slot();
                self.freed.extend(freed);
                true
            }
            Move::PlanLater => {
                let done = self.row.plan_later(now);
                self.freed.extend(done.iter().copied().flatten());
                done.is_ok()
            }
            Move::LeaveRefused => {
                self.row.settle_refusal(Some("no better plan"));
                true
            }
            // A night judges only what waits or is held.
            Move::Hold(hold) if idle => {
                self.row.put_on_hold(*hold, "why", None, now);
                true
            }
            Move::Skip(skip) if idle => {
                self.row.skip(*skip, "why", None, now);
                true
            }
            Move::Hold(_) | Move::Skip(_) => false,
            Move::ReleaseHold => self.row.release_hold(now).is_ok(),
            Move::Order(order) => match obey(&self.row, *order, "Ana", "why", now) {
                Ok(after) => {
                    self.row = after.unwrap_or_else(|| before.clone());
                    true
                }
                Err(_) => false,
            },
            Move::Report(amount) => {
                self.report(*amount, before);
                true
            }
        }
    }

    /// A new report: what may be in Xero stays as it was sent, and raises a warning.
    fn report(&mut self, amount: Option<u32>, before: &Upload) {
        let mut newer = before.receipt.clone();
        newer.revision += 1;
        newer.amount = amount.map_or(newer.amount, cents);
        let admission = admit(Some(before), &newer, self.now);
        self.row = *admission.upload.unwrap();
        let differs = newer.amount != before.receipt.amount;
        assert_eq!(admission.warning.is_some(), before.may_be_in_xero() && differs);
    }

    fn witness_sending(&mut self, before: &Upload, numbers: &[u32]) {
        for part in before.parts.iter().filter(|part| numbers.contains(&part.number)) {
            let witness =
                Witness { sent_at: Some(self.now), absences: Vec::new(), clean: part.tries == 0 };
            self.witnesses.insert(part.stamp.clone(), witness);
        }
    }

    fn witness_absence(&mut self, before: &Upload, number: u32, looked_at: Timestamp) {
        let Some(part) = before.parts.iter().find(|part| part.number == number) else { return };
        let witness = self.witnesses.get_mut(&part.stamp).unwrap();
        let late = looked_at.duration_since(witness.sent_at.unwrap()) >= SURE_AFTER;
        let minute = SignedDuration::from_mins(1);
        let apart =
            witness.absences.last().is_none_or(|last| looked_at.duration_since(*last) >= minute);
        if late && apart {
            witness.absences.push(looked_at);
        }
    }

    /// N5: a part that was sent is planned again only if it is proven not to be there.
    fn parts_move_legally(&mut self, before: &Upload, step: &Move) -> Result<(), TestCaseError> {
        for old in &before.parts {
            let Some(new) = self.row.parts.iter().find(|part| part.stamp == old.stamp) else {
                prop_assert_eq!(old.tries, 0, "a part that was sent was forgotten");
                continue;
            };
            prop_assert_eq!((new.number, new.amount), (old.number, old.amount));
            let witness = self.witnesses.entry(old.stamp.clone()).or_default();
            let proven = witness.absences.len() >= 2;
            // The only call, and its only answer.
            let first = matches!(step, Move::WriteOutcome { again: false, .. })
                && old.state == PartState::Sent;
            let turned_away = first
                && witness.clean
                && matches!(step, Move::WriteOutcome { answer: WriteOutcome::TurnedAway, .. });
            let refused =
                matches!(step, Move::WriteOutcome { answer: WriteOutcome::Refused(_), .. });
            prop_assert!(new.tries >= old.tries || turned_away, "tries went down");
            let unsure = |part: &Part| matches!(part.state, PartState::Sent | PartState::Unknown);
            match (old.state, new.state) {
                (was, is) if was == is => {}
                (PartState::Planned, PartState::Sent) => prop_assert_eq!(new.tries, old.tries + 1),
                (PartState::Planned, PartState::Refused) => {
                    prop_assert!(proven && matches!(step, Move::TakeBack));
                }
                (_, PartState::Planned) => prop_assert!(unsure(old) && (proven || turned_away)),
                (_, PartState::Refused) => {
                    prop_assert!(unsure(old) && (proven || (first && refused && witness.clean)));
                    prop_assert!(new.refusal.is_some());
                }
                // A part that is proven absent may be planned otherwise.
                (PartState::Planned, PartState::Withdrawn) => prop_assert!(old.tries > 0),
                (_, PartState::Unknown) => prop_assert!(unsure(old)),
                (_, PartState::Done) => prop_assert!(unsure(old) && new.placed.is_some()),
                other => prop_assert!(false, "{other:?}"),
            }
        }
        Ok(())
    }

    /// A slot is given back once, and only by a row of which nothing can be in Xero.
    fn frees_once(&self, before: &Upload, known: usize) -> Result<(), TestCaseError> {
        if let Some(last) = self.freed.get(known) {
            prop_assert_eq!(before.reserved_at, Some(last.reserved_at));
            prop_assert!(self.row.reserved_at.is_none() && !self.row.may_be_in_xero());
            prop_assert!(
                !last.attempt || self.row.parts.is_empty(),
                "what was sent was an attempt"
            );
            let direct = !self.row.route().unwrap().is_nightly();
            prop_assert_eq!(last.sending == SendMode::Direct, direct);
        }
        prop_assert!(self.freed.len() <= usize::try_from(self.reserves).unwrap());
        let given_back = self.freed.iter().filter(|freed| freed.attempt).count();
        let attempts = self.reserves - u32::try_from(given_back).unwrap();
        prop_assert_eq!(self.row.attempts, attempts, "AMB-11");
        Ok(())
    }

    fn is_sound(&self) -> Result<(), TestCaseError> {
        let row = &self.row;
        let sum = |admits: &dyn Fn(PartState) -> bool| {
            let parts = row.parts.iter().filter(|part| admits(part.state));
            Money::sum(aud(), parts.map(|part| part.amount)).unwrap()
        };
        let standing = sum(&PartState::stands);
        let done = sum(&|state| state == PartState::Done);
        // A later report may say less than is in Xero already.
        let most = row.receipt.amount.amount().max(done.amount());
        prop_assert!(standing.amount() <= most, "more than the payment");
        let covered = done.is_positive() && done.amount() >= row.receipt.amount.amount();
        prop_assert_eq!(row.state == UploadState::Uploaded, covered, "AMB-26");
        let stamps: BTreeSet<_> = row.parts.iter().map(|part| &part.stamp).collect();
        let numbers: BTreeSet<_> = row.parts.iter().map(|part| part.number).collect();
        prop_assert!(stamps.len() == row.parts.len() && numbers.len() == row.parts.len());

        // A7.4: exactly one state, with a reason.
        prop_assert!(!row.reason.is_empty() && !row.why.is_empty());
        let any = |state| row.parts.iter().any(|part| part.state == state);
        prop_assert_eq!(row.state == UploadState::Sent, any(PartState::Sent));
        let unknown = any(PartState::Unknown) && !any(PartState::Sent);
        prop_assert_eq!(row.state == UploadState::Unknown, unknown);
        prop_assert_eq!(row.look_at().is_some(), any(PartState::Sent) || any(PartState::Unknown));
        // A refused row is in a run's hands until it was weighed.
        let line = match row.state {
            UploadState::Uploaded => None,
            UploadState::Refused | UploadState::PartlyUploaded if !row.replanned => {
                Some(Line::Reserved)
            }
            UploadState::Waiting if !row.route().unwrap().is_nightly() => Some(Line::Direct),
            UploadState::Skipped if row.is_said_same() => Some(Line::Same),
            state => Line::from_code(state.code()),
        };
        prop_assert_eq!(row.line(), line);
        let (done, all) = row.progress();
        prop_assert!(done <= all && all <= row.parts.len());
        prop_assert_eq!(row.state == UploadState::Uploaded, done > 0 && done == all && covered);
        Ok(())
    }
}

proptest! {
    #![proptest_config(config())]

    /// N5, A7.4, AMB-26: for all moves, in any order, with any answers.
    #[test]
    fn law_no_sequence_of_moves_can_send_twice(
        direct in any::<bool>(),
        moves in prop::collection::vec(arb_move(), 1..80),
    ) {
        let mut world = World::new(direct);
        for step in &moves {
            world.play(step)?;
        }
    }
}
