//! What a person orders about discrepancies, one or several at once (SP-19, SP-24, SP-36).

use discrepancies::{DiscrepancyOrder, OrderVerb, carry_out, place, typed_amount};
use payments::{
    AdjustedRecord, Adjustment, DiscrepancyCause, Ending, InvoiceNumber, OrganisationId, PaymentId,
};
use queue::Changes;
use serde::Deserialize;

use crate::answer::{RefusedAnswer, WorkAnswer};
use crate::event::{Asked, EventError, said, says};
use crate::orders::tables;
use crate::wanted::Said;
use crate::{HandleError, Sweeper};

/// The order as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WireWork {
    organisation: OrganisationId,
    /// Each as `10234/OVERPAID#`.
    discrepancies: Vec<String>,
    /// `take`, `assign`, `note`, `accept`, `close`, `adjust` or `notify`.
    order: String,
    owner: Option<String>,
    cause: Option<String>,
    seen: Option<String>,
    record: Option<String>,
    amount: Option<String>,
    currency: Option<String>,
    payment: Option<String>,
    to_invoice: Option<String>,
    by: String,
    why: String,
}

impl WireWork {
    pub(crate) fn asked(self) -> Result<Asked, EventError> {
        let said = said(&self.by, &self.why)?;
        let places = self.discrepancies.iter().map(|text| place(text));
        let places: Option<Vec<_>> = places.collect();
        let places = places.ok_or_else(|| {
            says("each of `discrepancies` is written as `10234/OVERPAID#`, `contact:ID/…`, `order:ID/…` or `payment:ID/…`")
        })?;
        let verb = self.verb(&said)?;
        let order = DiscrepancyOrder { organisation: self.organisation, places, verb };
        Ok(Asked::Work { order: Box::new(order), said })
    }

    fn verb(&self, said: &Said) -> Result<OrderVerb, EventError> {
        let end = |ending| OrderVerb::End { ending, seen: self.seen.clone() };
        Ok(match self.order.as_str() {
            "take" => OrderVerb::Assign { owner: said.by.clone() },
            "assign" => {
                let owner = self.owner.as_deref().ok_or_else(|| says("say the `owner`"))?;
                let owner = commands::text::validate("owner", owner).map_err(EventError)?;
                OrderVerb::Assign { owner }
            }
            "note" => OrderVerb::Note {
                cause: read(self.cause.as_deref(), "cause", DiscrepancyCause::from_code)?,
            },
            "accept" => end(Ending::Accepted),
            "close" => end(Ending::Closed),
            "adjust" => OrderVerb::Adjust(self.adjustment()?),
            "notify" => OrderVerb::Notify,
            _ => {
                return Err(says("`order` is take, assign, note, accept, close, adjust or notify"));
            }
        })
    }

    fn adjustment(&self) -> Result<Adjustment, EventError> {
        let record = read(self.record.as_deref(), "record", AdjustedRecord::from_code)?;
        let amount = match (&self.amount, &self.currency) {
            (None, None) => None,
            (Some(amount), Some(currency)) => {
                Some(typed_amount(amount, currency).map_err(EventError)?)
            }
            _ => return Err(says("`amount` and `currency` go together")),
        };
        let payment = |text: &str| text.trim().parse::<PaymentId>().ok();
        let number = |text: &str| text.trim().parse::<InvoiceNumber>().ok();
        Ok(Adjustment {
            record: record.ok_or_else(|| says("say the `record` to adjust"))?,
            amount,
            payment: read(self.payment.as_deref(), "payment", payment)?,
            to_invoice: read(self.to_invoice.as_deref(), "to_invoice", number)?,
        })
    }
}

/// Reads a field that may be left out. The error names it, and does not quote its value.
fn read<T>(
    text: Option<&str>,
    name: &str,
    from: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, EventError> {
    let Some(text) = text else { return Ok(None) };
    from(text).map(Some).ok_or_else(|| says(&format!("`{name}` is none that we know")))
}

impl<C: Changes, Q> Sweeper<C, Q> {
    /// Carries out an order on each discrepancy that it names.
    pub(crate) async fn work_on_discrepancies(
        &self,
        order: &DiscrepancyOrder,
        said: &Said,
    ) -> Result<WorkAnswer, HandleError> {
        let words = (said.by.as_str(), said.why.as_str());
        let result = carry_out(&self.tables, order, words, self.clock.now()).await;
        let result = result.map_err(|error| tables(&error))?;
        let refused = result.refused.into_iter();
        Ok(WorkAnswer {
            done: result.done,
            refused: refused
                .map(|refused| RefusedAnswer { discrepancy: refused.place, why: refused.why })
                .collect(),
        })
    }
}
