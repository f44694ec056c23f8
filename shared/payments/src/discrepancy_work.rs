//! What a person, or the clock, does with a discrepancy (SP-19, SP-23, SP-36). Pure: the discrepancy changes, and
//! what happened comes out as a row for the log.

use jiff::Timestamp;

use crate::adjustment::{Adjustment, AdjustmentError};
use crate::case::ClockStep;
use crate::case::{DiscrepancyCause, Ending, Owner};
use crate::decision::Action;
use crate::discrepancy::{Acceptance, Discrepancy};
use crate::notice::CustomerNotice;
use crate::stored::StoredInvoice;

/// The work to do on a discrepancy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DiscrepancyWork {
    /// From now on it is this person's.
    Assign {
        /// Who is to work on it.
        owner: String,
    },
    /// A person has found something out.
    Note {
        /// What it comes from, if that is known now.
        cause: Option<DiscrepancyCause>,
    },
    /// A person ends it.
    End {
        /// As accepted, or as dealt with.
        ending: Ending,
        /// What the person has read of it.
        seen: Option<String>,
    },
    /// A record is to be adjusted by the side that owns it.
    Adjust(Adjustment),
    /// A notice to the customer was drafted.
    Notify(CustomerNotice),
    /// The clock has come to a step.
    Remind(ClockStep),
}

/// Who does it, and why. The clock has no name.
#[derive(Clone, Copy, Debug)]
pub struct Attributed<'a> {
    /// The person.
    pub by: Option<&'a str>,
    /// The reason, in the person's words.
    pub why: &'a str,
}

/// The work done, for the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WorkDone {
    /// What kind of thing.
    pub action: Action,
    /// The rule that says so.
    pub rule: &'static str,
    /// A code: the step of the clock, the cause.
    pub reason: Option<&'static str>,
    /// Who did it, if a person did.
    pub by: Option<String>,
    /// In a sentence.
    pub why: String,
    /// The work itself.
    pub work: DiscrepancyWork,
}

/// Why a discrepancy cannot be accepted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AcceptError {
    /// Nothing of that kind and subject does not agree.
    #[error("there is no such discrepancy, or it is over: the facts agree again")]
    NotThere,
    /// A person has accepted it before, and its facts are the same.
    #[error("it was accepted before, by {by} at {at}, and its facts have not changed since")]
    Accepted {
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// The figures have changed since the person looked.
    #[error("its facts have changed: it says now {now:?}; look at it again")]
    Changed {
        /// The figures now.
        now: String,
    },
}

/// Why nothing was done.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WorkError {
    /// The discrepancy cannot be ended like this.
    #[error(transparent)]
    End(#[from] AcceptError),
    /// The adjustment cannot be ordered.
    #[error(transparent)]
    Adjust(#[from] AdjustmentError),
    /// Nothing of it is open.
    #[error("there is no such discrepancy, or it is not open any more")]
    NotOpen,
    /// It is this person's.
    #[error("it is {0}'s already")]
    Owned(String),
    /// The step was announced.
    #[error("that step was announced before")]
    Announced,
}

impl Discrepancy {
    /// Does some work on it. `invoice` is the one that it stands on.
    ///
    /// # Errors
    /// [`WorkError`]; nothing has changed then.
    pub fn work(
        &mut self,
        work: DiscrepancyWork,
        invoice: Option<&StoredInvoice>,
        said: Attributed<'_>,
        now: Timestamp,
    ) -> Result<WorkDone, WorkError> {
        // A note may be added to what is over, and nothing else.
        let is_open = self.is_open() || matches!(work, DiscrepancyWork::Note { .. });
        let ends = matches!(work, DiscrepancyWork::End { .. });
        if !is_open && !ends {
            return Err(WorkError::NotOpen);
        }
        let why = said.why;
        let (action, rule, reason, why) = match &work {
            DiscrepancyWork::Assign { owner } => self.assign(owner, why, now)?,
            DiscrepancyWork::Note { cause } => {
                self.case.cause = cause.or(self.case.cause);
                (
                    Action::DiscrepancyNoted,
                    "SP-36",
                    cause.map(DiscrepancyCause::code),
                    why.to_owned(),
                )
            }
            DiscrepancyWork::End { ending, seen } => {
                self.end(*ending, seen.as_deref(), said, now)?;
                let action = match ending {
                    Ending::Accepted => Action::DiscrepancyAccepted,
                    Ending::Closed => Action::DiscrepancyClosed,
                };
                (action, "AMB-31", None, format!("{}; {ending}: {why}", self.sentence()))
            }
            DiscrepancyWork::Adjust(adjustment) => {
                adjustment.check(invoice)?;
                let what = format!("{adjustment}; {why}");
                (Action::AdjustmentRequested, "SP-24", Some(adjustment.record.code()), what)
            }
            DiscrepancyWork::Notify(notice) => {
                self.case.notices = self.case.notices.saturating_add(1);
                let what = format!("notice {} is drafted: {}", notice.id, notice.subject);
                (Action::NoticeDrafted, "SP-23", Some(notice.kind.code()), what)
            }
            DiscrepancyWork::Remind(step) => self.remind(*step)?,
        };
        self.case.writes = self.case.writes.saturating_add(1);
        let by = said.by.map(str::to_owned);
        Ok(WorkDone { action, rule, reason, by, why, work })
    }

    fn assign(&mut self, owner: &str, why: &str, now: Timestamp) -> Result<Said, WorkError> {
        if self.case.owner.as_ref().is_some_and(|known| known.name == owner) {
            return Err(WorkError::Owned(owner.to_owned()));
        }
        let before = self.case.owner.replace(Owner { name: owner.to_owned(), since: now });
        let before = before.map(|before| format!(" in the place of {}", before.name));
        let what = format!("{owner} works on it{}; {why}", before.unwrap_or_default());
        Ok((Action::DiscrepancyAssigned, "SP-19", None, what))
    }

    fn remind(&mut self, step: ClockStep) -> Result<Said, WorkError> {
        if self.case.step >= Some(step) {
            return Err(WorkError::Announced);
        }
        self.case.step = Some(step);
        let owner = self.case.owner.as_ref();
        let owner = owner.map_or("it has no owner", |owner| owner.name.as_str());
        let (action, what) = match step {
            ClockStep::Day => (Action::DiscrepancyReminded, "open for 24 hours, 24 are left"),
            ClockStep::Late => (Action::DiscrepancyReminded, "open for 40 hours, 8 are left"),
            ClockStep::Breach => (Action::DiscrepancyBreached, "open for more than 48 hours"),
        };
        let what = format!("{}; {what}; owner: {owner}", self.sentence());
        Ok((action, "SP-19", Some(step.code()), what))
    }

    pub(crate) fn end(
        &mut self,
        ending: Ending,
        seen: Option<&str>,
        said: Attributed<'_>,
        now: Timestamp,
    ) -> Result<(), AcceptError> {
        if !self.stands() {
            return Err(AcceptError::NotThere);
        }
        if let Some(Acceptance { by, at, .. }) = self.acceptance() {
            return Err(AcceptError::Accepted { by: by.clone(), at: *at });
        }
        if seen.is_some_and(|seen| seen != self.detail) {
            return Err(AcceptError::Changed { now: self.detail.clone() });
        }
        self.accepted = Some(Acceptance {
            at: now,
            by: said.by.unwrap_or_default().to_owned(),
            why: said.why.to_owned(),
            facts: self.detail.clone(),
            ending,
        });
        Ok(())
    }
}

/// The log's words about the work: the action, its rule, a code and a sentence.
type Said = (Action, &'static str, Option<&'static str>, String);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adjustment::AdjustedRecord;
    use crate::discrepancy::{DiscrepancyKey, DiscrepancyKind};

    const ADA: Attributed<'static> = Attributed { by: Some("Ada"), why: "asked the bank" };

    fn now() -> Timestamp {
        "2026-11-23T01:00:00Z".parse().unwrap()
    }

    fn found() -> Discrepancy {
        let key = DiscrepancyKey::of_invoice(DiscrepancyKind::Overpaid);
        Discrepancy::found(key, "80.00 AUD too much".to_owned(), now())
    }

    fn end(ending: Ending) -> DiscrepancyWork {
        DiscrepancyWork::End { ending, seen: None }
    }

    #[test]
    fn a_person_takes_a_discrepancy_and_another_one_is_given_it() {
        // SP-19, SP-36
        let mut found = found();
        let take = DiscrepancyWork::Assign { owner: "Ada".to_owned() };
        let done = found.work(take.clone(), None, ADA, now()).unwrap();
        assert_eq!((done.action, done.rule), (Action::DiscrepancyAssigned, "SP-19"));
        assert_eq!(done.why, "Ada works on it; asked the bank");
        let again = found.work(take, None, ADA, now()).unwrap_err();
        assert_eq!(again, WorkError::Owned("Ada".to_owned()));
        let given = DiscrepancyWork::Assign { owner: "Bea".to_owned() };
        let done = found.work(given, None, ADA, now()).unwrap();
        assert_eq!(done.why, "Bea works on it in the place of Ada; asked the bank");
        assert_eq!((done.by.as_deref(), found.case.writes), (Some("Ada"), 2));
    }

    #[test]
    fn what_was_accepted_or_closed_is_open_again_only_when_its_facts_change() {
        // AMB-31, SP-36
        for (ending, action) in [
            (Ending::Accepted, Action::DiscrepancyAccepted),
            (Ending::Closed, Action::DiscrepancyClosed),
        ] {
            let mut found = found();
            let take = DiscrepancyWork::Assign { owner: "Ada".to_owned() };
            found.work(take.clone(), None, ADA, now()).unwrap();
            let done = found.work(end(ending), None, ADA, now()).unwrap();
            assert_eq!(done.action, action);
            assert!(!found.is_open() && found.stands());
            assert_eq!(found.work(take, None, ADA, now()), Err(WorkError::NotOpen));
            assert!(found.work(end(ending), None, ADA, now()).is_err());
            found.work(DiscrepancyWork::Note { cause: None }, None, ADA, now()).unwrap();
            assert_eq!(found.found_again("80.00 AUD too much", now()), None);
            let back = found.found_again("81.00 AUD too much", now()).unwrap();
            assert!(back.is_open());
            assert_eq!(back.reopened.map(|reopened| reopened.count), Some(1));
            assert_eq!(back.case.owner.map(|owner| owner.name).as_deref(), Some("Ada"));
        }
    }

    #[test]
    fn an_adjustment_names_what_it_needs_and_nothing_else() {
        // SP-24
        let amount = crate::Money::parse("12.00", "AUD".parse().unwrap()).ok();
        let adjustment =
            |record| Adjustment { record, amount: None, payment: None, to_invoice: None };
        let mut found = found();
        let mut order = |adjustment| {
            let work = DiscrepancyWork::Adjust(adjustment);
            found.work(work, None, ADA, now()).map_err(|error| error.to_string())
        };
        let shipping = Adjustment { amount, ..adjustment(AdjustedRecord::Shipping) };
        let done = order(shipping).unwrap();
        assert_eq!((done.action, done.reason), (Action::AdjustmentRequested, Some("shipping")));
        assert_eq!(done.why, "shipping: 12.00 AUD; asked the bank");
        let tax = order(adjustment(AdjustedRecord::Tax)).unwrap_err();
        assert_eq!(tax, "to adjust `tax`, say `amount`");
        let payment = "P-1".parse().ok();
        let moved = Adjustment { payment, ..adjustment(AdjustedRecord::Allocation) };
        assert_eq!(order(moved.clone()).unwrap_err(), "to adjust `allocation`, say `to_invoice`");
        let total = Adjustment { record: AdjustedRecord::InvoiceTotal, amount, ..moved };
        assert_eq!(order(total).unwrap_err(), "`payment` means nothing for `invoice_total`");
    }
}
