//! A notice to a customer is drafted: from the stored facts, in the business's words, handed over as an event (SP-23).

use host::telemetry;
use payments::{CustomerNotice, DiscrepancyWork, WorkError, next_notice_id, notice_facts};
use table::{DiscrepancyPlace, NoticeSettings, Tables, WorkContext, WorkFailure};

use crate::words::{WordsError, draft};

/// Why no notice was drafted.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// What does not agree is nothing that a customer can change, or the invoice is not known here.
    #[error("there is no notice for this kind of discrepancy, or its invoice is not reported yet")]
    NoNotice,
    /// The words of this crate do not fit the facts.
    #[error("the words of the notice cannot be filled in")]
    Words(#[from] WordsError),
    /// It could not be written.
    #[error(transparent)]
    Work(#[from] WorkFailure),
}

/// Drafts a notice about a discrepancy, and gives it to the business's own system as an event.
///
/// # Errors
/// [`DraftError`]; nothing is drafted then.
pub async fn draft_notice(
    tables: &Tables,
    place: &DiscrepancyPlace,
    settings: &NoticeSettings,
    context: WorkContext<'_>,
) -> Result<(), DraftError> {
    // What stands in the way is kept until the answer: the tables know of no words.
    let problem = std::cell::RefCell::new(None);
    let fails = |why| {
        problem.replace(Some(why));
        WorkError::NotOpen
    };
    let done = tables.work_on_discrepancy(place, context, |found, invoice| {
        let (Some(invoice), true) = (invoice, found.is_open()) else {
            return Err(WorkError::NotOpen);
        };
        let (kind, mut facts) =
            notice_facts(invoice, found).ok_or_else(|| fails(DraftError::NoNotice))?;
        facts.extend(settings.business.clone().map(|name| ("business", name)));
        let (filled, wrong) = draft(kind, &settings.words, &facts)
            .map_err(|error| fails(DraftError::Words(error)))?;
        if let Some(wrong) = wrong {
            tracing::error!(
                xero.tenant_id = %place.organisation,
                notice.kind = kind.code(),
                error = telemetry::chain(&wrong),
                "an organisation's own words for a notice cannot be filled in; the notice has the usual words"
            );
        }
        Ok(DiscrepancyWork::Notify(CustomerNotice {
            id: next_notice_id(&invoice.number, found),
            kind,
            customer: invoice.customer.clone(),
            subject: filled.subject,
            text: filled.text,
        }))
    });
    let done = done.await;
    match (done, problem.take()) {
        (Ok(_), _) => Ok(()),
        (Err(_), Some(problem)) => Err(problem),
        (Err(error), None) => Err(error.into()),
    }
}
