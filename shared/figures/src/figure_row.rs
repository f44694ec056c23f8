//! A figure as a row of the sheet of figures.

use crate::measure::{Share, Times};
use crate::sheet::Cell;

pub(crate) const FIGURES: [&str; 13] = [
    "figure",
    "rule",
    "title",
    "numerator",
    "denominator",
    "value",
    "target",
    "met",
    "p50_ms",
    "p95_ms",
    "max_ms",
    "breaches",
    "apart",
];

/// A row of the figures.
pub(crate) struct Measured {
    pub(crate) code: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) title: &'static str,
    pub(crate) share: Share,
    pub(crate) target: &'static str,
    pub(crate) met: Option<bool>,
    pub(crate) p50: Option<u64>,
    pub(crate) p95: Option<u64>,
    pub(crate) max: Option<u64>,
    pub(crate) breaches: Option<u64>,
    pub(crate) apart: String,
}

impl Measured {
    pub(crate) fn of(
        code: &'static str,
        rule: &'static str,
        title: &'static str,
        share: Share,
        target: &'static str,
    ) -> Self {
        Self {
            code,
            rule,
            title,
            share,
            target,
            met: None,
            p50: None,
            p95: None,
            max: None,
            breaches: None,
            apart: String::new(),
        }
    }

    pub(crate) fn timed(self, times: &Times) -> Self {
        let share = self.share;
        Self {
            met: share.reaches(100),
            p50: times.percentile(50),
            p95: times.percentile(95),
            max: times.max(),
            breaches: (share.denominator > 0).then(|| share.denominator - share.numerator),
            ..self
        }
    }

    pub(crate) fn row(self) -> Vec<Cell> {
        vec![
            self.code.into(),
            self.rule.into(),
            self.title.into(),
            self.share.numerator.into(),
            self.share.denominator.into(),
            self.share.to_string().into(),
            self.target.into(),
            self.met.map_or_else(|| Cell::from("n/a"), Cell::flag),
            Cell::count(self.p50),
            Cell::count(self.p95),
            Cell::count(self.max),
            Cell::count(self.breaches),
            self.apart.into(),
        ]
    }
}
