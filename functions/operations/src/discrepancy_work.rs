//! Work of people on discrepancies, one or several at once (SP-19, SP-23, SP-24, SP-36).

use commands::reply::{DiscrepanciesReply, RefusedItem};
use commands::{AdjustRecord, Attribution, Command, Kind, Reply, RequestError};
use discrepancies::{
    CommandVerb, DiscrepancyCommand, DiscrepancyCommandError, carry_out, typed_amount,
};
use payments::{AdjustedRecord, Adjustment, DiscrepancyCause, Ending, OrganisationId};
use table::named_discrepancy;

use crate::error::tables;
use crate::{ExecutionError, Operations};

impl<C, U, Q, B> Operations<C, U, Q, B> {
    /// Carries out a command on each discrepancy that it names.
    pub(crate) async fn work_on_discrepancies(
        &self,
        command: &Command,
        by: &Attribution,
    ) -> Result<Reply, ExecutionError> {
        let (of, names, verb): (fn(DiscrepanciesReply) -> Reply, _, _) = match command {
            Command::TakeDiscrepancies(on) => {
                let verb = CommandVerb::Assign { owner: by.by().to_owned() };
                (Reply::TakeDiscrepancies, (on.organisation, &on.discrepancies), verb)
            }
            Command::AssignDiscrepancies(on) => {
                let owner = commands::text::validate("owner", &on.owner);
                let owner = owner.map_err(|what| wrong(command.kind(), &what))?;
                let verb = CommandVerb::Assign { owner };
                (Reply::AssignDiscrepancies, (on.organisation, &on.discrepancies), verb)
            }
            Command::NoteDiscrepancies(on) => {
                let cause = on.cause.as_deref().map(|cause| {
                    let known = DiscrepancyCause::from_code(cause);
                    known.ok_or_else(|| wrong(command.kind(), "`cause` is none that is known here"))
                });
                let verb = CommandVerb::Note { cause: cause.transpose()? };
                (Reply::NoteDiscrepancies, (on.organisation, &on.discrepancies), verb)
            }
            Command::CloseDiscrepancies(on) => {
                let verb = CommandVerb::End { ending: Ending::Closed, seen: on.seen.clone() };
                (Reply::CloseDiscrepancies, (on.organisation, &on.discrepancies), verb)
            }
            Command::AdjustRecord(on) => {
                let verb = CommandVerb::Adjust(adjustment(on)?);
                (Reply::AdjustRecord, (on.organisation, &on.discrepancies), verb)
            }
            Command::DraftNotice(on) => {
                (Reply::DraftNotice, (on.organisation, &on.discrepancies), CommandVerb::Notify)
            }
            _ => return Err(RequestError::Unattributed.into()),
        };
        self.each(command.kind(), names, verb, by).await.map(of)
    }

    async fn each(
        &self,
        kind: Kind,
        (organisation, names): (OrganisationId, &Vec<String>),
        verb: CommandVerb,
        by: &Attribution,
    ) -> Result<DiscrepanciesReply, ExecutionError> {
        let places: Option<Vec<_>> = names.iter().map(|name| named_discrepancy(name)).collect();
        let places = places.ok_or_else(|| {
            wrong(
                kind,
                "each of `discrepancies` is written as `10234/OVERPAID#`, `contact:ID/…`, `order:ID/…` or `payment:ID/…`",
            )
        })?;
        let order = DiscrepancyCommand { organisation, places, verb };
        let words = (by.by(), by.reason());
        let result = carry_out(&self.tables, &order, words, self.clock.now()).await;
        let result = result.map_err(|error| match error {
            DiscrepancyCommandError::Count => wrong(kind, &error.to_string()),
            DiscrepancyCommandError::Tables { .. } => tables(&error),
        })?;
        let recorded = !result.done.is_empty();
        let refused = result.refused.into_iter();
        let refused = refused
            .map(|refused| RefusedItem { discrepancy: refused.place, why: refused.why })
            .collect();
        Ok(DiscrepanciesReply { done: result.done, refused, recorded })
    }
}

fn wrong(kind: Kind, what: &str) -> ExecutionError {
    ExecutionError::Field(kind, what.to_owned())
}

fn adjustment(on: &AdjustRecord) -> Result<Adjustment, ExecutionError> {
    let wrong = |what: &str| wrong(Kind::AdjustRecord, what);
    let record = AdjustedRecord::from_code(&on.record)
        .ok_or_else(|| wrong("`record` is none that is known here"))?;
    let amount = match (&on.amount, &on.currency) {
        (None, None) => None,
        (Some(amount), Some(currency)) => {
            Some(typed_amount(amount, currency).map_err(|what| wrong(&what))?)
        }
        _ => return Err(wrong("`amount` and `currency` go together")),
    };
    Ok(Adjustment {
        record,
        amount,
        payment: on.payment.clone(),
        to_invoice: on.to_invoice.clone(),
    })
}
