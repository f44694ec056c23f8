//! The content of a report: its figures, and for each of them the list that it is counted from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use payments::balance::{Age, Balance};
use payments::close::{CloseStatus, CloseSubject, Judge, JudgedPayment, standing_payments};
use payments::{CustomerId, Money, OrganisationId, PaymentStatus, Settings};

use crate::basis::Basis;
use crate::episode::{DiscrepancyEnd, Episode, cause, millis};
use crate::facts::{PaymentProfile, PeriodFacts};
use crate::figure_row::{FIGURES, Measured};
use crate::measure::{Share, Times};
use crate::orders::{OrderCheck, checks};
use crate::sheet::Sheet;

/// The longest that something may take to be seen here (SP-09).
pub const SEEN_WITHIN_MS: u64 = 300_000;
/// The longest that a discrepancy may take (SP-18).
pub const RESOLVED_WITHIN_MS: u64 = 172_800_000;
/// Sales invoices that Xero is meant for in a month (EX-30).
pub const INVOICES_ADVISED: u64 = 1_000;
/// From so many percent of that on, a message says so.
pub const ADVICE_PERCENT: u64 = 80;

/// A payment of the log with how it stands at the end of the period.
#[derive(Clone, Debug)]
pub(crate) struct PaymentLine<'a> {
    pub(crate) subject: &'a CloseSubject,
    pub(crate) name: &'a str,
    pub(crate) profile: &'a PaymentProfile,
    pub(crate) money: PaymentStatus,
    pub(crate) judged: JudgedPayment,
    pub(crate) customer: Option<&'a CustomerId>,
}

impl PaymentLine<'_> {
    /// Whether it is among those that have to reconcile: its money is here, and it is not on its way (SP-17).
    pub(crate) fn is_due(&self) -> bool {
        let is_final =
            matches!(self.judged.status, CloseStatus::Reconciled | CloseStatus::NotReconciled);
        self.money == PaymentStatus::Confirmed && is_final
    }
}

/// Everything that a report shows, in the order in which it shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Statement {
    /// Rows of the log that were counted.
    pub rows: u64,
    /// The figures, and the lists behind them.
    pub sheets: Vec<Sheet>,
}

/// What all sheets are made from.
pub(crate) struct Counted<'a> {
    pub(crate) facts: &'a PeriodFacts,
    pub(crate) settings: &'a Settings,
    /// The last day of the period.
    pub(crate) day: Date,
    /// Payments that came in the period.
    pub(crate) payments: Vec<PaymentLine<'a>>,
    /// Payments of any time that are not finished.
    pub(crate) unfinished: Vec<PaymentLine<'a>>,
    /// Payments of any time whose money was given back in the period.
    pub(crate) refunds: Vec<PaymentLine<'a>>,
    pub(crate) orders: Vec<OrderCheck<'a>>,
}

impl PeriodFacts {
    /// The figures and lists of the period, whose last day by the organisation's calendar is this one. Pure: the same rows and
    /// settings give the same.
    pub fn statement(&self, organisation: OrganisationId, basis: &Basis, day: Date) -> Statement {
        let settings = basis.settings(organisation);
        let judge = Judge::of(&settings, day, self.until).with_due_at(basis.due_at);
        let counted = Counted::of(self, &settings, day, &judge);
        Statement { rows: self.rows, sheets: counted.sheets() }
    }
}

impl<'a> Counted<'a> {
    fn of(facts: &'a PeriodFacts, settings: &'a Settings, day: Date, judge: &'a Judge<'a>) -> Self {
        let (mut payments, mut unfinished, mut refunds) = (Vec::new(), Vec::new(), Vec::new());
        for standing in standing_payments(&facts.close, judge) {
            let Some(profile) = facts.payments.get(standing.name) else { continue };
            let record = standing.facts.record.as_ref().map(|record| record.value.status);
            let upload = standing.facts.upload.as_ref().map(|upload| upload.value.status);
            let on_invoice = match standing.subject {
                CloseSubject::Invoice(number) => facts.customers.get(number),
                _ => None,
            };
            let line = PaymentLine {
                subject: standing.subject,
                name: standing.name,
                profile,
                money: record.or(upload).unwrap_or(PaymentStatus::Confirmed),
                judged: standing.judged,
                customer: on_invoice.or(profile.customer.as_ref()),
            };
            if !line.judged.is_counted {
                continue;
            }
            if profile.refunded_at.is_some_and(|at| facts.covers(at)) {
                refunds.push(line.clone());
            }
            if matches!(line.judged.status, CloseStatus::InTransit | CloseStatus::NotReconciled) {
                unfinished.push(line.clone());
            }
            if facts.covers(profile.first_at) {
                payments.push(line);
            }
        }
        Self { facts, settings, day, payments, unfinished, refunds, orders: checks(facts) }
    }

    /// Episodes that were opened, were open, ended or were due in the period.
    pub(crate) fn episodes(&self) -> impl Iterator<Item = EpisodeLine<'a>> + '_ {
        let facts = self.facts;
        facts.episodes.iter().filter_map(move |(about, key, episode)| {
            let ended_before = episode.ended.as_ref().is_some_and(|ended| ended.at < facts.from);
            (!ended_before || facts.covers(episode.due_at)).then_some(EpisodeLine {
                about,
                key,
                episode,
            })
        })
    }

    /// When an episode ended, if that was in the period.
    pub(crate) fn ended(&self, episode: &Episode) -> Option<Timestamp> {
        episode.ended.as_ref().map(|ended| ended.at).filter(|at| self.facts.covers(*at))
    }

    fn sheets(&self) -> Vec<Sheet> {
        let lists = self.lists();
        let mut sheets = vec![self.figures()];
        sheets.extend(lists);
        sheets
    }

    fn figures(&self) -> Sheet {
        let mut rows = vec![self.tracking_accuracy(), self.sync_time(), self.reconciliation()];
        rows.extend(self.resolution());
        rows.extend([
            self.satisfaction(),
            self.report_accuracy(),
            self.audits(),
            self.hands_free(),
        ]);
        rows.extend(self.xero_volume().into_iter().map(|(month, invoices)| {
            let share = Share { numerator: invoices, denominator: INVOICES_ADVISED };
            let met = invoices * 100 < INVOICES_ADVISED * ADVICE_PERCENT;
            Measured {
                met: Some(met),
                apart: format!("{month}: new invoices in Xero against its advice"),
                ..Measured::of(
                    "xero_volume",
                    "EX-30",
                    "Invoices in Xero this month",
                    share,
                    "below 80 %",
                )
            }
        }));
        let rows = rows.into_iter().map(Measured::row).collect();
        Sheet { name: "figures", title: "Figures", columns: &FIGURES, rows }
    }

    fn tracking_accuracy(&self) -> Measured {
        let mut share = Share::default();
        let (mut settling, mut unknown) = (0u64, 0u64);
        for check in &self.orders {
            match check.verdict {
                "settling" => settling += 1,
                "unknown" => unknown += 1,
                verdict => share.count(verdict == "right"),
            }
        }
        Measured {
            met: share.reaches(100),
            apart: format!("{settling} settling, {unknown} without what they name"),
            ..Measured::of(
                "tracking_accuracy",
                "SP-08",
                "Orders with the right payment status",
                share,
                "100 %",
            )
        }
    }

    fn sync_time(&self) -> Measured {
        let times = self.facts.sightings.iter().map(|seen| millis(seen.event_at, seen.seen_at));
        let times = Times::of(times);
        Measured::timed(
            Measured::of(
                "status_sync_time",
                "SP-09",
                "Changes seen within 5 minutes",
                times.within(SEEN_WITHIN_MS),
                "all",
            ),
            &times,
        )
    }

    fn reconciliation(&self) -> Measured {
        let mut share = Share::default();
        let (mut transit, mut no_money) = (0u64, 0u64);
        for line in &self.payments {
            transit += u64::from(line.judged.status == CloseStatus::InTransit);
            no_money += u64::from(line.judged.status == CloseStatus::NoMoney);
            if line.is_due() {
                share.count(line.judged.status == CloseStatus::Reconciled);
            }
        }
        Measured {
            met: share.reaches(100),
            apart: format!("{transit} in transit, {no_money} without money"),
            ..Measured::of("reconciliation_success", "SP-17", "Payments reconciled", share, "100 %")
        }
    }

    fn resolution(&self) -> [Measured; 2] {
        let mut rate = Share::default();
        let (mut times, mut accepted, mut accepted_due) = (Vec::new(), 0u64, 0u64);
        for EpisodeLine { episode, .. } in self.episodes() {
            let by_person = episode
                .ended
                .as_ref()
                .is_some_and(|ended| ended.outcome != DiscrepancyEnd::Resolved);
            if self.ended(episode).is_some() {
                times.push(episode.age(self.facts.until));
                accepted += u64::from(by_person);
            }
            if self.facts.covers(episode.due_at) {
                rate.count(episode.is_in_time());
                accepted_due += u64::from(by_person && episode.is_in_time());
            }
        }
        let times = Times::of(times);
        let time = Measured::of(
            "resolution_time",
            "SP-18",
            "Discrepancies resolved within 48 hours of being found",
            times.within(RESOLVED_WITHIN_MS),
            "all",
        );
        [
            Measured {
                apart: format!("{accepted} by a person's word"),
                ..Measured::timed(time, &times)
            },
            Measured {
                met: rate.reaches(100),
                apart: format!("{accepted_due} by a person's word"),
                ..Measured::of(
                    "resolution_rate",
                    "SP-25",
                    "Discrepancies due in the period, resolved in time",
                    rate,
                    "100 %",
                )
            },
        ]
    }

    fn satisfaction(&self) -> Measured {
        let (mut share, mut asked) = (Share::default(), 0u64);
        for said in self.facts.notices.values().filter(|said| self.facts.covers(said.at)) {
            asked += 1;
            match said.code.as_str() {
                "satisfied" => share.count(true),
                "not_satisfied" => share.count(false),
                _ => {}
            }
        }
        Measured {
            met: share.reaches(95),
            apart: format!("{asked} asked"),
            ..Measured::of(
                "satisfaction",
                "SP-26",
                "Customers satisfied with the resolution",
                share,
                "95 %",
            )
        }
    }

    fn report_accuracy(&self) -> Measured {
        let (mut share, mut not_recounted) = (Share::default(), 0u64);
        for said in self.facts.recounts.values().filter(|said| self.facts.covers(said.at)) {
            match said.code.as_str() {
                "same" => share.count(true),
                "differs" => share.count(false),
                _ => not_recounted += 1,
            }
        }
        Measured {
            met: share.reaches(100),
            apart: format!("{not_recounted} not recounted"),
            ..Measured::of(
                "report_accuracy",
                "SP-33",
                "Reports whose recount is equal",
                share,
                "100 %",
            )
        }
    }

    fn audits(&self) -> Measured {
        let mut share = Share::default();
        for said in self.facts.audits.values().filter(|said| self.facts.covers(said.at)) {
            share.count(said.code == "passed");
        }
        Measured {
            met: share.reaches(100),
            ..Measured::of("audit_success", "SP-34", "Audits passed", share, "100 %")
        }
    }

    fn hands_free(&self) -> Measured {
        let mut share = Share::default();
        for line in &self.payments {
            share.count(!line.profile.by_person);
        }
        Measured::of("hands_free", "ST-23", "Payments that no person had to touch", share, "")
    }

    /// Invoices by the month in which they were first seen in Xero, for each month of the period up to its end (EX-30).
    pub(crate) fn xero_volume(&self) -> BTreeMap<String, u64> {
        let month = |day: Date| format!("{}-{:02}", day.year(), day.month());
        let first = self.settings.day_of(self.facts.from).first_of_month();
        let mut months = BTreeMap::new();
        let mut day = first;
        while day <= self.day {
            months.insert(month(day), 0);
            day = day.last_of_month().tomorrow().unwrap_or(Date::MAX);
            if day == Date::MAX {
                break;
            }
        }
        for since in self.facts.in_xero_since.values() {
            if let Some(count) = months.get_mut(&month(self.settings.day_of(*since))) {
                *count += 1;
            }
        }
        months
    }

    /// Open balances by customer, currency and age on the last day (ST-24).
    pub(crate) fn ageing(&self) -> BTreeMap<(String, &'static str, Age), (u64, Option<Money>)> {
        let mut ages = BTreeMap::new();
        for (subject, about) in self.facts.close.subjects() {
            let (CloseSubject::Invoice(number), Some(position)) = (subject, &about.position) else {
                continue;
            };
            let left = position.value.left;
            if !left.is_positive() && !left.is_negative() {
                continue;
            }
            let age = Age::of(&Balance { left, due_on: position.value.due_on }, self.day);
            let customer = self.facts.customers.get(number).map(ToString::to_string);
            let key = (customer.unwrap_or_default(), left.currency().code(), age);
            let (count, sum) = ages.entry(key).or_insert((0, Some(Money::zero(left.currency()))));
            *count += 1;
            *sum = sum.and_then(|sum: Money| sum.plus(left).ok());
        }
        ages
    }
}

/// A discrepancy of the period.
pub(crate) struct EpisodeLine<'a> {
    pub(crate) about: &'a str,
    pub(crate) key: &'a payments::DiscrepancyKey,
    pub(crate) episode: &'a Episode,
}

impl EpisodeLine<'_> {
    pub(crate) fn cause(&self) -> &'static str {
        cause(self.key)
    }
}
