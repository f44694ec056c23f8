//! What an operator orders about discrepancies, one or several at once (SP-19, SP-24, SP-36).

use jiff::Timestamp;
use payments::{
    Adjustment, Attributed, DiscrepancyCause, DiscrepancyKey, DiscrepancyWork, Ending, Money,
    OrganisationId, WorkError,
};
use table::{
    DiscrepancyPlace, DiscrepancySubject, Tables, WorkContext, WorkFailure, discrepancy_name,
};

use crate::draft::{DraftError, draft_notice};

/// Discrepancies that one command may name.
pub const BULK_MAX: usize = 100;

/// The work to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CommandVerb {
    /// It is the operator's own, or another person's.
    Assign {
        /// Whose it is from now on.
        owner: String,
    },
    /// The reason of the command is the note.
    Note {
        /// What it comes from.
        cause: Option<DiscrepancyCause>,
    },
    /// It may stay as it is, or was dealt with.
    End {
        /// Which of the two.
        ending: Ending,
        /// What the operator has read of it.
        seen: Option<String>,
    },
    /// The business's own system is asked to adjust a record.
    Adjust(Adjustment),
    /// A notice to the customer is drafted.
    Notify,
}

/// A command about some discrepancies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DiscrepancyCommand {
    /// Whose books.
    pub organisation: OrganisationId,
    /// Which discrepancies: what each stands on, and its key.
    pub places: Vec<(DiscrepancySubject, DiscrepancyKey)>,
    /// The work to do.
    pub verb: CommandVerb,
}

/// One that the command could not be carried out on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefusedDiscrepancy {
    /// What it stands on, and its key.
    pub place: String,
    /// Why not.
    pub why: String,
}

/// What became of a command.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CommandResult {
    /// Discrepancies on which it was carried out.
    pub done: Vec<String>,
    /// The others, each with its reason. They keep none of the rest from being done.
    pub refused: Vec<RefusedDiscrepancy>,
}

/// Why a command was not begun, or not brought to its end.
#[derive(Debug, thiserror::Error)]
pub enum DiscrepancyCommandError {
    /// Nothing is named, or too much.
    #[error("name 1 to {BULK_MAX} discrepancies")]
    Count,
    /// The tables do not answer. What was done before stays done.
    #[error("the tables do not answer; {done} of the discrepancies are done")]
    Tables {
        /// How many were.
        done: usize,
        /// What they said.
        #[source]
        source: WorkFailure,
    },
}

/// An amount that a person has typed.
///
/// # Errors
/// Says what is wrong with it.
pub fn typed_amount(amount: &str, currency: &str) -> Result<Money, String> {
    let currency = currency.trim().parse().map_err(|_| "`currency` is no currency".to_owned())?;
    Money::parse(amount.trim(), currency).map_err(|error| format!("`amount`: {error}"))
}

/// Carries out a command on each of the discrepancies that it names.
///
/// # Errors
/// [`DiscrepancyCommandError`].
pub async fn carry_out(
    tables: &Tables,
    command: &DiscrepancyCommand,
    (by, why): (&str, &str),
    now: Timestamp,
) -> Result<CommandResult, DiscrepancyCommandError> {
    if command.places.is_empty() || command.places.len() > BULK_MAX {
        return Err(DiscrepancyCommandError::Count);
    }
    let context = WorkContext { cause: "console", said: Attributed { by: Some(by), why }, now };
    let mut result = CommandResult::default();
    for named in &command.places {
        let (subject, key) = named.clone();
        let place = DiscrepancyPlace { organisation: command.organisation, subject, key };
        let failure = match one(tables, &place, &command.verb, context).await {
            Ok(()) => {
                result.done.push(discrepancy_name(&named.0, &named.1));
                continue;
            }
            Err(DraftError::Work(WorkFailure::Refused(why))) => why.to_string(),
            Err(DraftError::Work(source)) => {
                return Err(DiscrepancyCommandError::Tables { done: result.done.len(), source });
            }
            Err(error) => host::telemetry::chain(&error),
        };
        result
            .refused
            .push(RefusedDiscrepancy { place: discrepancy_name(&named.0, &named.1), why: failure });
    }
    Ok(result)
}

async fn one(
    tables: &Tables,
    place: &DiscrepancyPlace,
    verb: &CommandVerb,
    context: WorkContext<'_>,
) -> Result<(), DraftError> {
    let work = match verb.clone() {
        CommandVerb::Assign { owner } => DiscrepancyWork::Assign { owner },
        CommandVerb::Note { cause } => DiscrepancyWork::Note { cause },
        CommandVerb::End { ending, seen } => DiscrepancyWork::End { ending, seen },
        CommandVerb::Adjust(adjustment) => DiscrepancyWork::Adjust(adjustment),
        CommandVerb::Notify => {
            let settings = tables.notice_settings(place.organisation).await;
            let settings = settings.map_err(WorkFailure::from)?.unwrap_or_default();
            return draft_notice(tables, place, &settings, context).await;
        }
    };
    let decide = |_: &_, _: Option<&_>| Ok::<_, WorkError>(work.clone());
    tables.work_on_discrepancy(place, context, decide).await?;
    Ok(())
}
