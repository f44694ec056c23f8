//! The law itself, from the text of A8.3: what people entered in Xero, what was reported, and what of ours stands in
//! Xero. It knows nothing of how the product decides.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

/// How many days apart two payments may lie and still be one (`same_money_days`), both ends in.
const DAYS: i32 = 3;

/// Whose: the organisation, and the customer in it.
pub type Whose = (usize, usize);

/// Money that a person has entered in Xero.
#[derive(Clone, Debug)]
pub struct Entered {
    pub id: Uuid,
    pub whose: Whose,
    /// The invoice; none for money in advance.
    pub on: Option<usize>,
    pub cents: i64,
    pub day: Date,
    pub deleted: bool,
}

/// What of a payment belongs to which invoice; none for what names none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Portion {
    pub on: Option<usize>,
    pub cents: i64,
}

/// How far the money has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    Pending,
    Confirmed,
    Failed,
    Refunded,
}

/// A payment as it was reported last.
#[derive(Clone, Debug)]
pub struct Reported {
    pub id: String,
    pub whose: Whose,
    pub portions: Vec<Portion>,
    pub day: Date,
    pub entered_at: Timestamp,
    pub revision: u64,
    pub status: Status,
    pub transaction: String,
    pub method: &'static str,
    /// Whether a person has said that it shall not go, or not now.
    pub kept_back: bool,
    /// What a person has said it is not the same as.
    pub apart_from: BTreeSet<Uuid>,
    /// Payments of the business's own that a person has said it is not the same as.
    pub apart_from_own: BTreeSet<String>,
    /// What of it a person was shown as standing in Xero for certain, when saying that the rest is another payment.
    pub there: Vec<Uuid>,
    /// What a person has said it is the same as.
    pub same_as: Option<BTreeSet<Uuid>>,
}

impl Reported {
    pub fn cents(&self) -> i64 {
        self.portions.iter().map(|portion| portion.cents).sum()
    }
}

/// Money that we have put into Xero.
#[derive(Clone, Debug)]
pub struct Ours {
    pub id: Uuid,
    pub report: String,
    pub whose: Whose,
    pub on: Option<usize>,
    pub cents: i64,
    pub day: Date,
    pub deleted: bool,
}

/// Both sides.
#[derive(Clone, Debug, Default)]
pub struct Books {
    pub entered: Vec<Entered>,
    pub reported: Vec<Reported>,
    pub ours: Vec<Ours>,
}

fn days_apart(a: Date, b: Date) -> i32 {
    (a - b).get_days().abs()
}

impl Books {
    pub fn report(&self, whose: Whose, id: &str) -> &Reported {
        let found = self.reported.iter().find(|one| one.whose.0 == whose.0 && one.id == id);
        found.unwrap_or_else(|| panic!("no report of {id} of {whose:?}"))
    }

    fn of<'b>(&'b self, report: &'b Reported) -> impl Iterator<Item = &'b Ours> {
        self.ours.iter().filter(|ours| ours.whose == report.whose && ours.report == report.id)
    }

    /// The reports, by position, of which nothing is in Xero that a person would find there.
    pub fn missing(&self) -> Vec<usize> {
        let is_missing = |report: &Reported| {
            let open = self.open(report, self.ours.iter());
            let found =
                |portion: &Portion| !self.ways(report, *portion, &BTreeSet::new()).is_empty();
            report.status == Status::Confirmed && !open.is_empty() && !open.iter().any(found)
        };
        (0..self.reported.len()).filter(|n| is_missing(&self.reported[*n])).collect()
    }

    /// What of it a person has seen in Xero and is still there.
    fn standing<'b>(&'b self, report: &'b Reported) -> impl Iterator<Item = &'b Entered> {
        let shown = |one: &&Entered| report.there.contains(&one.id) && !one.deleted;
        self.entered.iter().filter(shown)
    }

    /// What a person has said it is the same as, and is still there.
    pub fn said_same<'b>(&'b self, report: &'b Reported) -> impl Iterator<Item = &'b Entered> {
        let said = |id: &Uuid| report.same_as.as_ref().is_some_and(|same| same.contains(id));
        self.entered.iter().filter(move |one| said(&one.id) && !one.deleted)
    }

    /// Whether a person has said what it is the same as, and all of that is still there.
    pub fn said_same_stands(&self, report: &Reported) -> bool {
        let said = report.same_as.as_ref();
        said.is_some_and(|same| self.said_same(report).count() == same.len())
    }

    /// Whether we have put all of it into Xero.
    pub fn is_all_ours(&self, report: &Reported) -> bool {
        self.of(report).map(|ours| ours.cents).sum::<i64>() >= report.cents()
    }

    /// What of a report is neither put into Xero by us nor known to stand there. What a person has deleted of ours
    /// counts as there: it is never sent again by itself.
    fn open<'o>(&self, report: &Reported, ours: impl Iterator<Item = &'o Ours>) -> Vec<Portion> {
        let mut open = report.portions.clone();
        let its = ours.filter(|one| one.whose == report.whose && one.report == report.id);
        let by_us = its.map(|one| (one.on, one.cents));
        let by_hand = self.standing(report).map(|one| (one.on, one.cents));
        for (on, cents) in by_us.chain(by_hand) {
            // What names no invoice is spread over several.
            let its = open.iter().position(|portion| portion.on.is_none() || portion.on == on);
            if let Some(position) = its {
                open[position].cents -= cents;
            }
        }
        open.retain(|portion| portion.cents > 0);
        open
    }

    /// The ways in which money that was entered can be this portion: each is what it takes.
    fn ways(&self, report: &Reported, portion: Portion, taken: &BTreeSet<Uuid>) -> Vec<Vec<Uuid>> {
        let free: Vec<&Entered> = self
            .entered
            .iter()
            .filter(|one| !one.deleted && one.whose == report.whose && !taken.contains(&one.id))
            .filter(|one| days_apart(one.day, report.day) <= DAYS)
            .filter(|one| !report.apart_from.contains(&one.id))
            .collect();
        let fits = |one: &&&Entered| portion.on.is_none() || one.on == portion.on;
        let equal = free.iter().filter(fits).filter(|one| one.cents == portion.cents);
        let mut ways: Vec<Vec<Uuid>> = equal.map(|one| vec![one.id]).collect();
        if portion.on.is_none() {
            // Several of one day that add up.
            let days: BTreeSet<Date> = free.iter().map(|one| one.day).collect();
            for day in days {
                let of_day: Vec<_> =
                    free.iter().filter(|one| one.day == day && one.on.is_some()).collect();
                for choice in 0_u32..1 << of_day.len().min(10) {
                    let chosen = of_day.iter().enumerate().filter(|(n, _)| choice & (1 << n) != 0);
                    let chosen: Vec<_> = chosen.map(|(_, one)| one).collect();
                    let sum: i64 = chosen.iter().map(|one| one.cents).sum();
                    if chosen.len() > 1 && sum == portion.cents {
                        ways.push(chosen.iter().map(|one| one.id).collect());
                    }
                }
            }
        }
        ways
    }

    /// Whether this report matches nothing, in at least one way of pairing the others. `before` is what of ours
    /// stood in Xero before it was sent.
    fn can_be_unmatched(&self, report: &Reported, before: &[Ours]) -> bool {
        let mut taken: BTreeSet<Uuid> = report.there.iter().copied().collect();
        let mut others = Vec::new();
        let rivals = self.reported.iter().filter(|one| {
            one.whose == report.whose && one.id != report.id && one.status != Status::Failed
        });
        for rival in rivals {
            taken.extend(&rival.there);
            taken.extend(self.said_same(rival).map(|one| one.id));
            // When some of that is deleted, it is judged afresh, and may be something else.
            if !self.said_same_stands(rival) {
                // What a person has put in the place of ours is the same payment.
                let live = self.ours.iter().filter(|one| !one.deleted);
                let open = self.open(rival, live).into_iter();
                others.extend(open.map(|portion| (rival, portion)));
            }
        }
        let open = self.open(report, before.iter());
        self.leaves_alone(report, &open, &others, &mut taken)
    }

    fn leaves_alone(
        &self,
        report: &Reported,
        open: &[Portion],
        others: &[(&Reported, Portion)],
        taken: &mut BTreeSet<Uuid>,
    ) -> bool {
        if open.iter().all(|portion| self.ways(report, *portion, taken).is_empty()) {
            return true;
        }
        let Some(((other, portion), others)) = others.split_first() else { return false };
        for way in self.ways(other, *portion, taken) {
            taken.extend(&way);
            if self.leaves_alone(report, open, others, taken) {
                return true;
            }
            taken.retain(|id| !way.contains(id));
        }
        self.leaves_alone(report, open, others, taken)
    }

    /// The law, at the moment at which we have put money into Xero: `new` is what came since `before`.
    pub fn judge(&self, before: &[Ours], new: &[Ours]) -> Result<(), String> {
        let reports: BTreeSet<_> = new.iter().map(|one| (one.whose, one.report.clone())).collect();
        for (whose, id) in reports {
            let report = self.report(whose, &id);
            let wrong = |what: &str| Err(format!("{what}\n{id} of {whose:?} in {self:#?}"));
            if report.status != Status::Confirmed {
                return wrong("its money was not taken, or was given back");
            }
            if report.kept_back {
                return wrong("a person has said that it shall not go");
            }
            let sum: i64 = self.of(report).map(|ours| ours.cents).sum();
            let there: i64 = self.standing(report).map(|one| one.cents).sum();
            if sum + there > report.cents() {
                return wrong("Xero holds more of it than it is");
            }
            let new = || new.iter().filter(|one| one.whose == whose && one.report == id);
            if new().any(|one| one.day != report.day) {
                return wrong("it stands there with another day");
            }
            let named = |one: &Ours| {
                report.portions.iter().any(|portion| portion.on.is_none() || portion.on == one.on)
            };
            if !new().all(named) {
                return wrong("it stands on an invoice that it does not name");
            }
            if self.said_same(report).any(|one| days_apart(one.day, report.day) <= DAYS) {
                return wrong("a person has said that what stands there is the same");
            }
            if !self.can_be_unmatched(report, before) {
                return wrong("a person had entered this money, or what may be it");
            }
            let is_twin = |other: &&Reported| {
                other.whose.0 == whose.0
                    && other.id != id
                    && other.transaction == report.transaction
                    && other.method == report.method
                    && other.cents() == report.cents()
                    && !report.apart_from_own.contains(&other.id)
                    && !other.apart_from_own.contains(&id)
            };
            if self.reported.iter().filter(is_twin).any(|twin| self.of(twin).next().is_some()) {
                return wrong("it was reported twice, and went twice");
            }
        }
        Ok(())
    }

    /// Whether each of these reports, of which we have not put all into Xero, stands there by another hand, one to
    /// one.
    pub fn are_there(&self, reports: &[&Reported]) -> bool {
        let mut missing = Vec::new();
        for report in reports {
            let open = self.open(report, self.ours.iter());
            missing.extend(open.into_iter().map(|portion| (*report, portion)));
        }
        let mut taken = BTreeSet::new();
        for report in &self.reported {
            taken.extend(&report.there);
        }
        self.find_all(&missing, &mut taken)
    }

    fn find_all(&self, missing: &[(&Reported, Portion)], taken: &mut BTreeSet<Uuid>) -> bool {
        let Some(((report, portion), others)) = missing.split_first() else { return true };
        for way in self.ways(report, *portion, taken) {
            taken.extend(&way);
            if self.find_all(others, taken) {
                return true;
            }
            taken.retain(|id| !way.contains(id));
        }
        false
    }
}
