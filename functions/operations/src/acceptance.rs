//! A person says that something which does not agree may stay as it is (AMB-31).

use commands::{Accept, Attribution, Kind};
use payments::{Attributed, DiscrepancyKey, DiscrepancyWork, Ending};
use table::{DiscrepancyPlace, DiscrepancySubject, WorkContext, WorkFailure};

use crate::error::tables;
use crate::{ExecutionError, Operations};

impl<C, U, Q, B> Operations<C, U, Q, B> {
    /// Closes a discrepancy on a person's word. Returns its key.
    pub(crate) async fn accept(
        &self,
        command: &Accept,
        attribution: &Attribution,
    ) -> Result<String, ExecutionError> {
        let wrong = |what: &str| ExecutionError::Field(Kind::Accept, what.to_owned());
        let key = DiscrepancyKey::parse(&command.discrepancy).ok_or_else(|| {
            wrong("`discrepancy` is no key as the table `discrepancies` has it: `KIND#subject`")
        })?;
        let subject = subject(command).ok_or_else(|| {
            wrong("it takes one of `invoice`, `contact`, `order_id` and `payment`")
        })?;
        let place = DiscrepancyPlace { organisation: command.organisation, subject, key };
        let work = DiscrepancyWork::End { ending: Ending::Accepted, seen: command.seen.clone() };
        let said = Attributed { by: Some(attribution.by()), why: attribution.reason() };
        let context = WorkContext { cause: "console", said, now: self.clock.now() };
        let done = self.tables.work_on_discrepancy(&place, context, |_, _| Ok(work.clone())).await;
        match done {
            Ok(_) => Ok(place.key.to_string()),
            Err(WorkFailure::Refused(why)) => Err(ExecutionError::Accept(why)),
            Err(error) => Err(tables(&error)),
        }
    }
}

/// What the discrepancy stands on, if exactly one thing is named.
fn subject(command: &Accept) -> Option<DiscrepancySubject> {
    let Accept { invoice, contact, order_id, payment, .. } = command;
    let mut named = [
        invoice.clone().map(DiscrepancySubject::Invoice),
        contact.map(DiscrepancySubject::Contact),
        order_id.clone().map(DiscrepancySubject::Order),
        payment.clone().map(DiscrepancySubject::Payment),
    ]
    .into_iter()
    .flatten();
    named.next().filter(|_| named.next().is_none())
}
