//! The lists behind the figures, and what people look for in them: money, discrepancies, refunds, adjustments, trends, ageing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use payments::Money;
use payments::close::CloseStatus;

use crate::episode::millis;
use crate::period::{PeriodKind, ReportPeriod};
use crate::sheet::{Cell, Sheet};
use crate::statement::{Counted, PaymentLine, SEEN_WITHIN_MS};

const PAYMENTS: [&str; 12] = [
    "received_at",
    "about",
    "payment",
    "date",
    "method",
    "customer",
    "amount",
    "currency",
    "money",
    "status",
    "cause",
    "expected",
];
const SUMS: [&str; 5] = ["currency", "money", "status", "payments", "amount"];
const DISCREPANCIES: [&str; 18] = [
    "about",
    "kind",
    "subject",
    "cause",
    "customer",
    "owner",
    "detected_at",
    "opened_at",
    "due_at",
    "times_returned",
    "ended_at",
    "outcome",
    "by",
    "why",
    "age_ms",
    "opened_in_period",
    "ended_in_period",
    "in_time",
];
const ADJUSTMENTS: [&str; 9] =
    ["at", "about", "record", "amount", "currency", "payment", "to_invoice", "by", "why"];
const TRENDS: [&str; 8] =
    ["by", "value", "currency", "payments", "reconciled", "in_transit", "not_reconciled", "amount"];
const CAUSES: [&str; 5] = ["cause", "opened", "ended", "late", "open_at_end"];
const WEEKS: [&str; 7] =
    ["week", "payments", "reconciled", "in_transit", "not_reconciled", "opened", "ended"];
const AGEING: [&str; 5] = ["customer", "currency", "age", "invoices", "left"];
const ORDERS: [&str; 6] =
    ["order", "progress", "status", "progress_by_facts", "status_by_facts", "verdict"];
const SYNC_TIMES: [&str; 6] = ["payment", "cause", "event_at", "seen_at", "took_ms", "breach"];
const ANSWERS: [&str; 3] = ["notice", "at", "state"];
const RECOUNTS: [&str; 3] = ["report", "at", "outcome"];
const HANDWORK: [&str; 2] = ["payment", "method"];

/// Payments added up.
#[derive(Default)]
struct Tallied {
    payments: u64,
    reconciled: u64,
    in_transit: u64,
    not_reconciled: u64,
    amount: Option<Option<Money>>,
}

impl Tallied {
    fn count(&mut self, line: &PaymentLine<'_>) {
        self.payments += 1;
        match line.judged.status {
            CloseStatus::Reconciled => self.reconciled += 1,
            CloseStatus::InTransit => self.in_transit += 1,
            CloseStatus::NotReconciled => self.not_reconciled += 1,
            CloseStatus::NoMoney | CloseStatus::Open => {}
        }
        let amount = line.judged.amount;
        self.amount = Some(match self.amount {
            None => Some(amount),
            Some(sum) => sum.and_then(|sum| sum.plus(amount).ok()),
        });
    }

    fn counts(&self) -> [Cell; 4] {
        [self.payments, self.reconciled, self.in_transit, self.not_reconciled].map(Cell::from)
    }

    fn amount(&self) -> Cell {
        self.amount.flatten().map_or(Cell::Empty, Cell::Amount)
    }
}

impl Counted<'_> {
    pub(crate) fn lists(&self) -> Vec<Sheet> {
        let said = |name,
                    title,
                    columns: &'static [&'static str],
                    all: &BTreeMap<String, crate::facts::Said>| {
            let of_period = all.iter().filter(|(_, said)| self.facts.covers(said.at));
            let rows = of_period.map(|(name, said)| {
                vec![name.clone().into(), Cell::Moment(said.at), said.code.clone().into()]
            });
            Sheet { name, title, columns, rows: rows.collect() }
        };
        vec![
            self.sums(),
            self.weeks(),
            self.causes(),
            self.trends(),
            self.ageing_sheet(),
            payment_sheet(
                "unfinished",
                "Payments that are not finished at the end, of any time",
                &self.unfinished,
            ),
            self.discrepancies(),
            payment_sheet("refunds", "Money given back in the period", &self.refunds),
            self.adjustments(),
            self.order_sheet(),
            said(
                "answers",
                "What customers were asked, and have answered",
                &ANSWERS,
                &self.facts.notices,
            ),
            said(
                "recounts",
                "Reports of the period, and their recounts",
                &RECOUNTS,
                &self.facts.recounts,
            ),
            said("audits", "Audits of the period", &RECOUNTS, &self.facts.audits),
            self.handwork(),
            payment_sheet("payments", "Payments that came in the period", &self.payments),
            self.sync_times(),
        ]
    }

    fn sums(&self) -> Sheet {
        let mut sums: BTreeMap<_, Tallied> = BTreeMap::new();
        for line in &self.payments {
            let key = (
                line.judged.amount.currency().code(),
                line.money.code(),
                line.judged.status.code(),
            );
            sums.entry(key).or_default().count(line);
        }
        let rows = sums.iter().map(|((currency, money, status), sum)| {
            vec![
                (*currency).into(),
                (*money).into(),
                (*status).into(),
                sum.payments.into(),
                sum.amount(),
            ]
        });
        Sheet { name: "sums", title: "Volumes", columns: &SUMS, rows: rows.collect() }
    }

    fn weeks(&self) -> Sheet {
        let week = |at| ReportPeriod::around(PeriodKind::Weekly, self.settings.day_of(at)).first;
        let mut weeks: BTreeMap<Date, (Tallied, u64, u64)> = BTreeMap::new();
        for line in &self.payments {
            weeks.entry(week(line.profile.first_at)).or_default().0.count(line);
        }
        for line in self.episodes() {
            if self.facts.covers(line.episode.opened_at) {
                weeks.entry(week(line.episode.opened_at)).or_default().1 += 1;
            }
            if let Some(ended) = self.ended(line.episode) {
                weeks.entry(week(ended)).or_default().2 += 1;
            }
        }
        let rows = weeks.iter().map(|(week, (sum, opened, ended))| {
            let mut row = vec![Cell::Day(*week)];
            row.extend(sum.counts());
            row.extend([(*opened).into(), (*ended).into()]);
            row
        });
        Sheet { name: "weeks", title: "Week by week", columns: &WEEKS, rows: rows.collect() }
    }

    fn causes(&self) -> Sheet {
        let mut causes: BTreeMap<&str, [u64; 4]> = BTreeMap::new();
        for line in self.episodes() {
            let [opened, ended, late, open] = causes.entry(line.cause()).or_default();
            *opened += u64::from(self.facts.covers(line.episode.opened_at));
            let end = self.ended(line.episode);
            *ended += u64::from(end.is_some());
            let is_over = line.episode.due_at < self.facts.until;
            *late += u64::from(is_over && !line.episode.is_in_time());
            *open += u64::from(line.episode.ended.is_none());
        }
        let rows = causes.into_iter().map(|(cause, counts)| {
            let mut row = vec![Cell::from(cause)];
            row.extend(counts.map(Cell::from));
            row
        });
        Sheet {
            name: "causes",
            title: "Discrepancies by cause",
            columns: &CAUSES,
            rows: rows.collect(),
        }
    }

    fn trends(&self) -> Sheet {
        let mut trends: BTreeMap<(&str, String, &str), Tallied> = BTreeMap::new();
        for line in &self.payments {
            let currency = line.judged.amount.currency().code();
            let customer = line.customer.map(ToString::to_string).unwrap_or_default();
            for (by, value) in [("customer", customer), ("method", line.profile.method.clone())] {
                trends.entry((by, value, currency)).or_default().count(line);
            }
        }
        let rows = trends.iter().map(|((by, value, currency), sum)| {
            let mut row = vec![(*by).into(), value.clone().into(), (*currency).into()];
            row.extend(sum.counts());
            row.push(sum.amount());
            row
        });
        Sheet {
            name: "trends",
            title: "By customer and by method",
            columns: &TRENDS,
            rows: rows.collect(),
        }
    }

    fn ageing_sheet(&self) -> Sheet {
        let ages = self.ageing();
        let rows = ages.into_iter().map(|((customer, currency, age), (count, sum))| {
            vec![
                customer.into(),
                currency.into(),
                age.code().into(),
                count.into(),
                sum.map_or(Cell::Empty, Cell::Amount),
            ]
        });
        Sheet {
            name: "ageing",
            title: "Open invoices by age at the end",
            columns: &AGEING,
            rows: rows.collect(),
        }
    }

    fn discrepancies(&self) -> Sheet {
        let rows = self.episodes().map(|line| {
            let episode = line.episode;
            let ended = episode.ended.as_ref();
            let in_time = match (ended, episode.due_at < self.facts.until) {
                (None, false) => Cell::Empty,
                _ => Cell::flag(episode.is_in_time()),
            };
            vec![
                line.about.into(),
                line.key.kind.code().into(),
                line.key.subject.clone().into(),
                line.cause().into(),
                Cell::text(episode.customer.as_ref()),
                Cell::text(episode.owner.as_ref()),
                Cell::Moment(episode.detected_at),
                Cell::Moment(episode.opened_at),
                Cell::Moment(episode.due_at),
                u64::from(episode.returned).into(),
                Cell::moment(ended.map(|ended| ended.at)),
                ended.map_or("open", |ended| ended.outcome.code()).into(),
                Cell::text(ended.and_then(|ended| ended.by.as_ref())),
                Cell::text(ended.and_then(|ended| ended.why.as_ref())),
                episode.age(self.facts.until).into(),
                Cell::flag(self.facts.covers(episode.opened_at)),
                Cell::flag(self.ended(episode).is_some()),
                in_time,
            ]
        });
        let title = "Discrepancies that were open in the period";
        Sheet { name: "discrepancies", title, columns: &DISCREPANCIES, rows: rows.collect() }
    }

    fn adjustments(&self) -> Sheet {
        let rows = self.facts.adjustments.iter().map(|ordered| {
            let adjustment = &ordered.adjustment;
            vec![
                Cell::Moment(ordered.at),
                ordered.about.clone().into(),
                adjustment.record.code().into(),
                adjustment.amount.map_or(Cell::Empty, Cell::Amount),
                Cell::text(adjustment.amount.map(|amount| amount.currency())),
                Cell::text(adjustment.payment.as_ref()),
                Cell::text(adjustment.to_invoice.as_ref()),
                Cell::text(ordered.by.as_ref()),
                Cell::text(ordered.why.as_ref()),
            ]
        });
        let title = "Adjustments that people have ordered";
        Sheet { name: "adjustments", title, columns: &ADJUSTMENTS, rows: rows.collect() }
    }

    fn order_sheet(&self) -> Sheet {
        let rows = self.orders.iter().map(|check| {
            let ((progress, status), (progress_due, status_due)) = (check.stored, check.derived);
            vec![
                check.id.to_string().into(),
                Cell::text(progress),
                Cell::text(status),
                Cell::text(progress_due),
                Cell::text(status_due),
                check.verdict.into(),
            ]
        });
        let title = "Orders with a payment event in the period";
        Sheet { name: "orders", title, columns: &ORDERS, rows: rows.collect() }
    }

    fn handwork(&self) -> Sheet {
        let touched = self.payments.iter().filter(|line| line.profile.by_person);
        let touched: BTreeSet<_> = touched.map(|line| (line.name, &line.profile.method)).collect();
        let rows =
            touched.into_iter().map(|(name, method)| vec![name.into(), method.clone().into()]);
        let title = "Payments that a person had to touch";
        Sheet { name: "handwork", title, columns: &HANDWORK, rows: rows.collect() }
    }

    fn sync_times(&self) -> Sheet {
        let rows = self.facts.sightings.iter().map(|seen| {
            let took = millis(seen.event_at, seen.seen_at);
            vec![
                seen.payment.clone().into(),
                seen.cause.clone().into(),
                Cell::Moment(seen.event_at),
                Cell::Moment(seen.seen_at),
                took.into(),
                Cell::flag(took > SEEN_WITHIN_MS),
            ]
        });
        let title = "How long each change took to be seen here";
        Sheet { name: "sync_times", title, columns: &SYNC_TIMES, rows: rows.collect() }
    }
}

fn payment_sheet(name: &'static str, title: &'static str, lines: &[PaymentLine<'_>]) -> Sheet {
    let rows = lines.iter().map(|line| {
        vec![
            Cell::Moment(line.profile.first_at),
            line.subject.to_string().into(),
            line.name.into(),
            Cell::day(line.profile.date),
            line.profile.method.clone().into(),
            Cell::text(line.customer),
            line.judged.amount.into(),
            line.judged.amount.currency().code().into(),
            line.money.code().into(),
            line.judged.status.code().into(),
            Cell::text(line.judged.cause),
            Cell::day(line.judged.expected),
        ]
    });
    Sheet { name, title, columns: &PAYMENTS, rows: rows.collect() }
}
