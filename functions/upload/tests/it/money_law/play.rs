//! Each deed, carried out on the stage and noted in the books of the law.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use payments::upload::{Counterpart, Upload};
use serde_json::json;
use uuid::Uuid;
use xero_simulator::{CreditKind, Effect, Fault, NewCredit, NewPayment, Simulator};

use super::oracle::{Entered, Portion, Reported, Status, Whose};
use super::stage::{Stage, decimal};
use super::story::{CENTS, CUSTOMERS, Deed, Entry, INVOICES, Place, Step, Way, Word};
use crate::world::{evening, march};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The position of one that is there.
fn one_of(count: usize, any: usize) -> Option<usize> {
    any.checked_rem(count)
}

/// What a person wants to enter in Xero.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    whose: Whose,
    place: Place,
    cents: i64,
    day: Date,
}

impl Stage {
    /// The most recent ten in the evening.
    pub fn last_evening(&self) -> Timestamp {
        let mut at = evening();
        while at + DAY <= self.world.now() {
            at += DAY;
        }
        at
    }

    pub async fn play(&mut self, step: &Step) -> Result<(), String> {
        self.world.clock.advance(SignedDuration::from_secs(61));
        let about = step.about % (2 * CUSTOMERS);
        let whose = (about % 2, about / 2);
        match &step.deed {
            Deed::Report { .. } | Deed::Again { .. } | Deed::ReportEntered { .. } => {
                self.play_new(whose, &step.deed).await;
            }
            Deed::Change { .. } | Deed::Ends { .. } | Deed::Refund { .. } => {
                self.play_other(whose, &step.deed).await;
            }
            Deed::Enter { .. }
            | Deed::EnterReported { .. }
            | Deed::EnterMissing { .. }
            | Deed::Edit { .. }
            | Deed::Delete { .. }
            | Deed::DeleteOurs { .. } => self.play_in_xero(whose, &step.deed),
            Deed::Order { report, word } => {
                if let Some(position) = self.pick(whose, *report) {
                    self.say(position, *word).await;
                }
            }
            Deed::Mirror => self.mirror().await,
            Deed::Night => self.night().await,
            Deed::NightUnanswered { done } => {
                for path in ["/Payments", "/BankTransactions"] {
                    self.no_answer(path, *done, 3);
                }
                self.night().await;
                self.world.simulator.clear_faults();
            }
            Deed::NightMeanwhile { report, days } => {
                self.night_meanwhile(whose, *report, *days).await;
            }
            Deed::Tasks => drop(self.world.work_off_tasks().await),
            Deed::Minutes(minutes) => {
                self.world.clock.advance(SignedDuration::from_mins(*minutes));
            }
            Deed::NoAnswer { prepayments, done, times } => {
                let path = if *prepayments { "/BankTransactions" } else { "/Payments" };
                self.no_answer(path, *done, *times);
            }
        }
        self.look()
    }

    fn no_answer(&self, path: &str, done: bool, times: u32) {
        let effect = if done { Effect::LostAnswer } else { Effect::Cut };
        self.world.simulator.inject(Fault::on("PUT", path, effect).times(times));
    }

    pub async fn night(&self) {
        let at = self.last_evening();
        // It may fail as a whole when Xero does not answer; then it is tried again.
        let _ = self.world.invoke(json!({"scheduled_time": at})).await;
    }

    fn pick(&self, whose: Whose, any: usize) -> Option<usize> {
        let its: Vec<usize> = (0..self.books.reported.len())
            .filter(|position| self.books.reported[*position].whose == whose)
            .collect();
        one_of(its.len(), any).map(|position| its[position])
    }

    fn pick_entered(&self, whose: Whose, any: usize) -> Option<usize> {
        let its: Vec<usize> = (0..self.books.entered.len())
            .filter(|position| self.books.entered[*position].whose == whose)
            .filter(|position| !self.books.entered[*position].deleted)
            .collect();
        one_of(its.len(), any).map(|position| its[position])
    }

    async fn report_new(&mut self, whose: Whose, way: Way, cents: i64, day: Date, status: Status) {
        let count = self.books.reported.iter().filter(|one| one.whose.0 == whose.0).count() + 1;
        let id = format!("P-{count}");
        let invoice = |n: usize| Some(n % INVOICES);
        let portions = match way {
            Way::Card(n) | Way::Named(n) | Way::Cheque(n) => {
                vec![Portion { on: invoice(n), cents }]
            }
            Way::OverTwo(n) => vec![
                Portion { on: invoice(n), cents: 50_00 },
                Portion { on: invoice(n + 1), cents },
            ],
            Way::Unnamed => vec![Portion { on: None, cents }],
        };
        let method = match way {
            Way::Card(_) => "card",
            Way::Cheque(_) => "cheque",
            _ => "bpay",
        };
        let minutes = i64::try_from(count).unwrap();
        let report = Reported {
            whose,
            portions,
            day,
            entered_at: evening() - DAY + SignedDuration::from_mins(minutes),
            revision: 1,
            status,
            transaction: format!("T-{}-{count}", whose.0),
            method,
            kept_back: false,
            apart_from: BTreeSet::new(),
            apart_from_own: BTreeSet::new(),
            there: Vec::new(),
            same_as: None,
            id,
        };
        self.report(&report).await;
        self.books.reported.push(report);
    }

    async fn play_new(&mut self, whose: Whose, deed: &Deed) {
        match deed {
            Deed::Report { way, cents, day, pending } => {
                let status = if *pending { Status::Pending } else { Status::Confirmed };
                self.report_new(whose, *way, CENTS[*cents], march(*day), status).await;
            }
            Deed::Again { report, twin } => {
                let Some(position) = self.pick(whose, *report) else { return };
                let known = self.books.reported[position].clone();
                let of = self.books.reported.iter().filter(|one| one.whose.0 == whose.0);
                let count = of.count() + 1;
                let transaction = match twin {
                    true => known.transaction.clone(),
                    false => format!("T-{}-{count}", whose.0),
                };
                let again = Reported {
                    id: format!("P-{count}"),
                    entered_at: evening() - DAY + SignedDuration::from_mins(count as i64),
                    revision: 1,
                    transaction,
                    kept_back: false,
                    apart_from: BTreeSet::new(),
                    apart_from_own: BTreeSet::new(),
                    there: Vec::new(),
                    same_as: None,
                    ..known
                };
                self.report(&again).await;
                self.books.reported.push(again);
            }
            Deed::ReportEntered { entry, way, days } => {
                let Some(position) = self.pick_entered(whose, *entry) else { return };
                let entered = self.books.entered[position].clone();
                let way = match (way, entered.on) {
                    (Way::Card(_), Some(n)) => Way::Card(n),
                    (Way::Named(_), Some(n)) => Way::Named(n),
                    (Way::Cheque(_), Some(n)) => Way::Cheque(n),
                    (way, _) => *way,
                };
                let day = entered.day.saturating_add(i32::from(*days).days());
                self.report_new(whose, way, entered.cents, day, Status::Confirmed).await;
            }
            _ => {}
        }
    }

    /// A payment is reported otherwise.
    async fn play_other(&mut self, whose: Whose, deed: &Deed) {
        let (Deed::Change { report, .. } | Deed::Ends { report, .. } | Deed::Refund { report }) =
            deed
        else {
            return;
        };
        let Some(position) = self.pick(whose, *report) else { return };
        let mut after = self.books.reported[position].clone();
        after.revision += 1;
        match (deed, after.status) {
            // A payment in Xero keeps amount and day; later reports change neither.
            (Deed::Change { .. }, Status::Confirmed) if self.books.is_all_ours(&after) => {
                let changed = Reported { day: after.day.saturating_add(1.days()), ..after.clone() };
                self.report(&changed).await;
                self.books.reported[position] = after;
                return;
            }
            (Deed::Change { cents, days, .. }, Status::Pending | Status::Confirmed) => {
                after.portions.last_mut().unwrap().cents = CENTS[*cents];
                after.day = after.day.saturating_add(i32::from(*days).days());
            }
            (Deed::Ends { failed: true, .. }, Status::Pending) => after.status = Status::Failed,
            (Deed::Ends { failed: false, .. }, Status::Pending) => after.status = Status::Confirmed,
            (Deed::Refund { .. }, Status::Confirmed) => after.status = Status::Refunded,
            _ => return,
        }
        self.report(&after).await;
        self.books.reported[position] = after;
    }

    fn enter(&mut self, wanted: Wanted) {
        let in_xero = self.in_xero(wanted.whose);
        let simulator = &self.world.simulator;
        let Some(entered) = enter_in_xero(simulator, in_xero.contact, &in_xero.invoices, wanted)
        else {
            return;
        };
        if let Some(on) = entered.on {
            let invoice = self.in_xero(wanted.whose).invoices[on];
            self.changed(self.tenant(wanted.whose), &[invoice]);
        }
        self.books.entered.push(entered);
    }

    /// What a person enters for a payment.
    fn wanted(&self, position: usize, how: Entry, days: i8) -> Vec<Wanted> {
        let report = &self.books.reported[position];
        let day = report.day.saturating_add(i32::from(days).days());
        let one = |place, cents| Wanted { whose: report.whose, place, cents, day };
        let on = |portion: &Portion, n: usize| {
            one(Place::Invoice(portion.on.unwrap_or(n % INVOICES)), portion.cents)
        };
        match how {
            Entry::AsReported(n) => report.portions.iter().map(|part| on(part, n)).collect(),
            Entry::FirstPart => report.portions.iter().take(1).map(|part| on(part, 0)).collect(),
            Entry::Elsewhere(n) => vec![one(Place::Invoice(n % INVOICES), report.cents())],
            Entry::InPieces(n) => {
                let rest = report.cents() - 50_00;
                let cents = [50_00, rest].into_iter().filter(|cents| *cents > 0);
                cents.enumerate().map(|(k, c)| one(Place::Invoice((n + k) % INVOICES), c)).collect()
            }
            Entry::InAdvance => vec![one(Place::Prepayment, report.cents())],
        }
    }

    fn play_in_xero(&mut self, whose: Whose, deed: &Deed) {
        match deed {
            Deed::Enter { place, cents, day } => {
                self.enter(Wanted { whose, place: *place, cents: CENTS[*cents], day: march(*day) });
            }
            Deed::EnterReported { report, how, days } => {
                let Some(position) = self.pick(whose, *report) else { return };
                for wanted in self.wanted(position, *how, *days) {
                    self.enter(wanted);
                }
            }
            Deed::EnterMissing { report } => {
                let missing = self.books.missing();
                let Some(n) = one_of(missing.len(), *report) else { return };
                for wanted in self.wanted(missing[n], Entry::AsReported(0), 0) {
                    self.enter(wanted);
                }
            }
            Deed::Edit { entry, cents, days } => {
                let Some(position) = self.pick_entered(whose, *entry) else { return };
                let before = self.books.entered[position].clone();
                let Some(on) = before.on else { return };
                self.delete(position);
                self.enter(Wanted {
                    whose,
                    place: Place::Invoice(on),
                    cents: cents.map_or(before.cents, |n| CENTS[n]),
                    day: before.day.saturating_add(i32::from(*days).days()),
                });
            }
            Deed::Delete { entry } => {
                if let Some(position) = self.pick_entered(whose, *entry) {
                    self.delete(position);
                }
            }
            Deed::DeleteOurs { ours } => {
                let its: Vec<usize> = (0..self.books.ours.len())
                    .filter(|position| self.books.ours[*position].whose == whose)
                    .filter(|position| !self.books.ours[*position].deleted)
                    .filter(|position| self.books.ours[*position].on.is_some())
                    .collect();
                let Some(position) = one_of(its.len(), *ours).map(|position| its[position]) else {
                    return;
                };
                let (id, on) =
                    (self.books.ours[position].id, self.books.ours[position].on.unwrap());
                self.world.simulator.delete_payment(id).unwrap();
                self.books.ours[position].deleted = true;
                self.changed(self.tenant(whose), &[self.in_xero(whose).invoices[on]]);
            }
            _ => {}
        }
    }

    pub fn delete(&mut self, position: usize) {
        let entered = &self.books.entered[position];
        match entered.on {
            Some(on) => {
                self.world.simulator.delete_payment(entered.id).unwrap();
                let invoice = self.in_xero(entered.whose).invoices[on];
                self.changed(self.tenant(entered.whose), &[invoice]);
            }
            None => self.world.simulator.void_credit(entered.id).unwrap(),
        }
        self.books.entered[position].deleted = true;
    }

    /// A night between whose plan and whose sending a person enters what was reported.
    async fn night_meanwhile(&mut self, whose: Whose, report: usize, days: i8) {
        let Some(position) = self.pick(whose, report) else { return };
        let wanted = self.wanted(position, Entry::AsReported(0), days);
        let in_xero = self.in_xero(whose);
        let (contact, invoices) = (in_xero.contact, in_xero.invoices.clone());
        let simulator = self.world.simulator.clone();
        let entered: Arc<Mutex<Option<Vec<Entered>>>> = Arc::default();
        let noted = Arc::clone(&entered);
        // The plan reads invoices; the look before sending comes after it.
        self.world.xero.spoil(move |path, body| {
            let mut noted = noted.lock().unwrap();
            if path.contains("/Invoices") && noted.is_none() {
                let enter = |one: &Wanted| enter_in_xero(&simulator, contact, &invoices, *one);
                *noted = Some(wanted.iter().filter_map(enter).collect());
            }
            body
        });
        self.night().await;
        self.world.xero.spoil(|_, body| body);
        for one in entered.lock().unwrap().take().unwrap_or_default() {
            if let Some(on) = one.on {
                self.changed(self.tenant(whose), &[self.in_xero(whose).invoices[on]]);
            }
            self.books.entered.push(one);
        }
    }

    /// A person says something of a payment, which may be impossible.
    pub async fn say(&mut self, position: usize, word: Word) -> bool {
        let report = self.books.reported[position].clone();
        let shown = self.row(&report).await;
        let code = match word {
            Word::Hold => "hold",
            Word::Release => "release",
            Word::DoNotSend => "do_not_send",
            Word::Same => "same_payment",
            Word::Two => "two_payments",
        };
        if self.order(&report, code).await.is_err() {
            return false;
        }
        let report = &mut self.books.reported[position];
        match word {
            Word::Hold | Word::DoNotSend => report.kept_back = true,
            Word::Release => report.kept_back = false,
            Word::Same => {
                let with = shown_with(&shown).chain(shown_there(&shown));
                report.same_as = Some(with.collect());
            }
            Word::Two => {
                report.apart_from.extend(shown_with(&shown));
                let apart = &report.apart_from;
                report.same_as = report.same_as.take().map(|same| &same - apart);
                report.there.extend(shown_there(&shown));
                let own = shown.suspicion.iter().flat_map(|shown| &shown.with);
                report.apart_from_own.extend(own.filter_map(|with| match with {
                    Counterpart::Local(id) => Some(id.to_string()),
                    Counterpart::Xero(_) => None,
                }));
            }
        }
        true
    }
}

/// What of Xero a person is shown as possibly the same.
fn shown_with(row: &Upload) -> impl Iterator<Item = Uuid> {
    let with = row.suspicion.iter().flat_map(|shown| &shown.with);
    with.filter_map(|with| match with {
        Counterpart::Xero(id) => Some(*id),
        Counterpart::Local(_) => None,
    })
}

/// What a person is shown as standing there for certain.
fn shown_there(row: &Upload) -> impl Iterator<Item = Uuid> {
    let there = row.suspicion.iter().flat_map(|shown| &shown.certain);
    there.map(|certain| certain.payment.uuid())
}

/// Enters money in Xero, unless Xero refuses it.
fn enter_in_xero(
    simulator: &Simulator,
    contact: Uuid,
    invoices: &[Uuid],
    wanted: Wanted,
) -> Option<Entered> {
    let (amount, date) = (decimal(wanted.cents), wanted.day);
    let reference = "by hand".to_owned();
    let credit = |kind| {
        let reference = reference.clone();
        simulator.add_credit(contact, NewCredit { kind, amount, date, reference }).ok()
    };
    let (id, on) = match wanted.place {
        Place::Invoice(on) => {
            let payment = NewPayment { date, amount, reference: reference.clone() };
            (simulator.add_payment(invoices[on], payment).ok()?, Some(on))
        }
        Place::Prepayment => (credit(CreditKind::Prepayment)?, None),
        Place::Overpayment => (credit(CreditKind::Overpayment)?, None),
    };
    let Wanted { whose, cents, day, .. } = wanted;
    Some(Entered { id, whose, on, cents, day, deleted: false })
}
