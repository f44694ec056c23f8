//! Things that go wrong on purpose.

mod apply;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::limits::LimitProblem;

pub(crate) use apply::{Manner, Outcome, carry_out, postponement, rate_limited};

/// The Accounting API lives under this path; a fault's path may leave it out.
pub(crate) const API_PATH: &str = "/api.xro/2.0";

/// A rule: which calls, how many of them, and what happens to them.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The method, or any when left out.
    #[serde(default)]
    pub method: Option<String>,
    /// What the path begins with: `/Payments`, `/api.xro/2.0/Payments` or `/connect/token`.
    #[serde(default)]
    pub path: String,
    /// How many matching calls are let through before it begins.
    #[serde(default)]
    pub after: u32,
    /// How many calls it hits; until it is cleared when left out.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens.
    pub effect: Effect,
}

impl Fault {
    /// `effect` on every call of `method` whose path begins with `path`.
    #[must_use]
    pub fn on(method: &str, path: &str, effect: Effect) -> Self {
        Self {
            method: Some(method.to_owned()),
            path: path.to_owned(),
            after: 0,
            times: None,
            effect,
        }
    }

    /// Only `times` times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Only after `after` matching calls were let through.
    #[must_use]
    pub fn after(self, after: u32) -> Self {
        Self { after, ..self }
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        let short = path.strip_prefix(API_PATH).unwrap_or(path);
        let method_fits =
            self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
        // An effect that would do nothing to a call is not spent on it either.
        let is_read = method.eq_ignore_ascii_case("GET");
        let effect_fits = match self.effect {
            Effect::StaleRead | Effect::LeaveOut { .. } => is_read,
            Effect::AppliedLater { .. } | Effect::OnlyFirst { .. } => !is_read,
            _ => true,
        };
        method_fits
            && (path.starts_with(&self.path) || short.starts_with(&self.path))
            && effect_fits
    }
}

/// What happens to a call.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// This answer, and nothing is done.
    Status {
        /// Its status.
        status: u16,
        /// Its headers.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// Its body.
        #[serde(default)]
        body: String,
    },
    /// It is done, but this is the answer.
    DoneButStatus {
        /// Its status.
        status: u16,
        /// Its headers.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// Its body.
        #[serde(default)]
        body: String,
    },
    /// It is done this much later, also when the caller no longer waits for the answer.
    Delay {
        /// How much later.
        millis: u64,
    },
    /// It is done at once and answered this much later.
    LateAnswer {
        /// How much later.
        millis: u64,
    },
    /// Nothing is done and the connection is closed.
    Cut,
    /// Nothing is done and no answer ever comes.
    Hang,
    /// It is done and the connection is closed without an answer.
    LostAnswer,
    /// It is done and the connection is closed in the middle of the answer.
    CutMidAnswer,
    /// It is done; the answer is whole for HTTP, but its JSON stops half-way.
    TruncatedJson,
    /// Nothing is done; the answer is a web page with this status, 200 or 503 in practice.
    HtmlPage {
        /// Its status.
        status: u16,
    },
    /// A write whose connection is closed without an answer. Nothing is done now: it is checked
    /// and done when the clock has passed its call by so much, and dated then.
    AppliedLater {
        /// How much later, by the simulator's clock.
        millis: u64,
    },
    /// Of the elements of a batch only the first ones are looked at; the others are reported with
    /// neither an identifier nor errors, and are not booked. A list of payments or of bank
    /// transactions only.
    OnlyFirst {
        /// How many.
        count: usize,
    },
    /// A read shows every invoice and bank transaction, with its payments, as before its last
    /// change.
    StaleRead,
    /// A list leaves this invoice out; a list of payments, the payments on it.
    LeaveOut {
        /// Which.
        invoice: Uuid,
    },
    /// A 429 that the limits did not ask for.
    RateLimit {
        /// The limit it names.
        problem: LimitProblem,
        /// `Retry-After` in seconds; none when left out.
        #[serde(default)]
        retry_after: Option<i64>,
    },
}

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<Fault>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.rules.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(crate) fn rules(&self) -> &[Fault] {
        &self.rules
    }

    /// What happens to this call, in the order of the rules; each of them counts it.
    pub(crate) fn take(&mut self, method: &str, path: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        for rule in &mut self.rules {
            if !rule.matches(method, path) {
                continue;
            }
            if rule.after > 0 {
                rule.after -= 1;
                continue;
            }
            if let Some(times) = &mut rule.times {
                *times = times.saturating_sub(1);
            }
            effects.push(rule.effect.clone());
        }
        self.rules.retain(|rule| rule.times != Some(0));
        effects
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_counts_only_what_it_matches() {
        let mut faults = Faults::default();
        faults.add(Fault::on("PUT", "/Payments", Effect::Cut).times(2).after(1));

        let mut take = |method: &str, path: &str| faults.take(method, path).len();

        assert_eq!(take("GET", "/api.xro/2.0/Payments"), 0);
        assert_eq!(take("PUT", "/api.xro/2.0/Payments"), 0, "the first is let through");
        assert_eq!(take("PUT", "/api.xro/2.0/Payments"), 1);
        assert_eq!(take("put", "/api.xro/2.0/Payments/x"), 1);
        assert_eq!(take("PUT", "/api.xro/2.0/Payments"), 0, "spent");
    }

    #[test]
    fn stale_reads_are_not_spent_by_writes() {
        let mut faults = Faults::default();
        let any = Fault { method: None, ..Fault::on("", "", Effect::StaleRead) };
        faults.add(any.times(1));

        assert!(faults.take("PUT", "/api.xro/2.0/Payments").is_empty());
        assert_eq!(faults.take("GET", "/api.xro/2.0/Invoices"), [Effect::StaleRead]);
    }

    #[test]
    fn late_writes_are_not_spent_by_reads() {
        let mut faults = Faults::default();
        let late = Effect::AppliedLater { millis: 5 };
        let any = Fault { method: None, ..Fault::on("", "", late.clone()) };
        faults.add(any.times(1));

        assert!(faults.take("GET", "/api.xro/2.0/Payments").is_empty());
        assert_eq!(faults.take("PUT", "/api.xro/2.0/Payments"), [late]);
    }

    #[test]
    fn effects_are_read_from_json() {
        let effect = |json: &str| serde_json::from_str::<Effect>(json).ok();

        assert_eq!(effect(r#"{"kind":"delay","millis":5}"#), Some(Effect::Delay { millis: 5 }));
        let rate_limit = Effect::RateLimit { problem: LimitProblem::AppMinute, retry_after: None };
        assert_eq!(effect(r#"{"kind":"rate_limit","problem":"appminute"}"#), Some(rate_limit));
        assert_eq!(
            effect(r#"{"kind":"status","status":503}"#),
            Some(Effect::Status { status: 503, headers: Vec::new(), body: String::new() })
        );
        assert_eq!(effect(r#"{"kind":"delay","millis":5,"more":1}"#), None);
    }
}
