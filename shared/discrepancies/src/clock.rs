//! A look at the clocks of an organisation's open discrepancies (SP-18, SP-19): who hears at 24, 40 and 48 hours, and which
//! customers get a notice.

use host::telemetry;
use jiff::Timestamp;
use payments::{
    Attributed, ClockStep, Discrepancy, DiscrepancyWork, NoticeKind, OrganisationId, WorkError,
};
use table::{
    DiscrepancyPlace, DiscrepancySubject, ReadError, Tables, WorkContext, WorkFailure, WriteError,
};

use crate::draft::{DraftError, draft_notice};

/// Open discrepancies of an organisation that one look reads.
const READ_MAX: usize = 10_000;
/// Discrepancies that one look writes about; the next one goes on.
const WRITTEN_MAX: usize = 1_000;

/// What a look has shown and done.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Watched {
    /// Discrepancies that are open.
    pub open: usize,
    /// Those that have been open for more than 48 hours.
    pub late: usize,
    /// Steps that were announced.
    pub announced: usize,
    /// Notices that were drafted.
    pub drafted: usize,
}

/// Looks at the clock of each open discrepancy. A step is announced once, however often and however late the look comes;
/// of several that have passed, the last one is.
///
/// # Errors
/// `Unavailable`, `Unreadable`: the next look goes on.
pub async fn watch(
    tables: &Tables,
    organisation: OrganisationId,
    now: Timestamp,
) -> Result<Watched, WorkFailure> {
    let open = tables.list_open_discrepancies(organisation, READ_MAX).await?;
    let mut watched = Watched { open: open.rows.len(), ..Watched::default() };
    let late = |found: &Discrepancy| found.is_late(now);
    watched.late = open.rows.iter().filter(|open| late(&open.found)).count();
    let settings = match open.rows.is_empty() {
        true => None,
        false => tables.notice_settings(organisation).await?.filter(|settings| settings.automatic),
    };
    for open in &open.rows {
        if watched.announced.saturating_add(watched.drafted) >= WRITTEN_MAX {
            tracing::warn!(
                xero.tenant_id = %organisation,
                written = WRITTEN_MAX,
                "more discrepancies have come to a step than one look writes; the next one goes on"
            );
            break;
        }
        let place = DiscrepancyPlace {
            organisation,
            subject: open.place.clone(),
            key: open.found.key.clone(),
        };
        if ClockStep::due(now, &open.found).is_some() {
            watched.announced += usize::from(remind(tables, &place, now).await?);
        }
        let is_on_invoice = matches!(open.place, DiscrepancySubject::Invoice(_));
        let has_notice = NoticeKind::of(open.found.key.kind).is_some() && is_on_invoice;
        if let Some(settings) = settings.as_ref().filter(|_| has_notice)
            && needs_notice(&open.found)
        {
            let said = Attributed { by: None, why: "the customer is asked" };
            let context = WorkContext { cause: "schedule", said, now };
            match draft_notice(tables, &place, settings, context).await {
                Ok(()) => watched.drafted += 1,
                Err(DraftError::Work(WorkFailure::Refused(_)) | DraftError::NoNotice) => {}
                Err(DraftError::Work(error)) => one_failed(organisation, &place, error)?,
                Err(error @ DraftError::Words(_)) => tracing::error!(
                    xero.tenant_id = %organisation,
                    error = telemetry::chain(&error),
                    "a notice could not be drafted"
                ),
            }
        }
    }
    Ok(watched)
}

/// Whether no notice was drafted since it is open: one for each time that it came.
fn needs_notice(found: &Discrepancy) -> bool {
    let times = found.reopened.map_or(0, |reopened| reopened.count).saturating_add(1);
    found.case.notices < times
}

/// Announces the step that the clock has come to; whether it was news.
async fn remind(
    tables: &Tables,
    place: &DiscrepancyPlace,
    now: Timestamp,
) -> Result<bool, WorkFailure> {
    let said = Attributed { by: None, why: "" };
    let context = WorkContext { cause: "schedule", said, now };
    let step = |found: &Discrepancy, _: Option<&_>| {
        ClockStep::due(now, found).map(DiscrepancyWork::Remind).ok_or(WorkError::Announced)
    };
    match tables.work_on_discrepancy(place, context, step).await {
        Ok(_) => Ok(true),
        // It is over, or another look was faster.
        Err(WorkFailure::Refused(_)) => Ok(false),
        Err(error) => one_failed(place.organisation, place, error).map(|()| false),
    }
}

/// One that cannot be read keeps no other waiting; tables that do not answer end the look.
fn one_failed(
    organisation: OrganisationId,
    place: &DiscrepancyPlace,
    error: WorkFailure,
) -> Result<(), WorkFailure> {
    let is_its_own = matches!(
        error,
        WorkFailure::Read(ReadError::Unreadable { .. }) | WorkFailure::Write(WriteError::Conflict)
    );
    if !is_its_own {
        return Err(error);
    }
    tracing::error!(
        xero.tenant_id = %organisation,
        discrepancy.kind = place.key.kind.code(),
        error = telemetry::chain(&error),
        "a discrepancy could not be brought up to date; the next look tries again"
    );
    Ok(())
}
