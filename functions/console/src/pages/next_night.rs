//! The night that comes next: its hour, what waits for it, and how much of that fits.

use payments::Money;
use payments::upload::{
    Caps, Line, NIGHTLY_MAX, NextUpload, Night, NightReport, NightState, Upload,
};

use super::{PageError, Stage};

/// Payments of the line that are read: a night's worth.
const READ_MAX: usize = 200;
/// Payments of the line that are counted.
const COUNTED_MAX: u32 = 700;

/// What the tables say of the coming night. What Xero says of each payment is only known by judging it.
pub(super) struct Upcoming {
    pub(super) caps: Caps,
    /// The report of tonight, if that has begun.
    pub(super) report: Option<NightReport>,
    /// The upload that comes next; none if uploading is not set up.
    pub(super) next: Option<NextUpload>,
    /// The first payments of the line, in their order.
    pub(super) waiting: Vec<Upload>,
    /// How many there are, and whether there are more.
    pub(super) count: (u32, bool),
    /// How many slots that night has left.
    pub(super) left: u32,
}

impl Upcoming {
    pub(super) async fn read(stage: &Stage<'_>) -> Result<Self, PageError> {
        let (tables, organisation, settings) = (stage.tables, stage.organisation(), stage.settings);
        let caps = tables.caps(organisation).await?;
        let report = tables.night(organisation, Night::of(stage.now, &settings.zone)).await?;
        stage.count(2);
        let page = tables.line_page(organisation, Line::Waiting, None, READ_MAX).await?;
        // One that cannot be read waits as well.
        let read = page.uploads.len().saturating_add(page.unreadable.len());
        stage.count(read);
        let (waiting, next) = (page.uploads, page.next);
        let mut count = (u32::try_from(read).unwrap_or(u32::MAX), false);
        if next.is_some() {
            count = tables.line_count_up_to(organisation, Line::Waiting, COUNTED_MAX).await?;
            stage.count_read(count.0);
        }
        let is_over = is_over(report.as_ref());
        let of = |upload| NextUpload::of(upload, &settings.zone, is_over, stage.now);
        let next = settings.upload.as_ref().map(of);
        let max = nightly_max(stage);
        let left = next.map_or(0, |next| next.left(&caps, max));
        Ok(Self { caps, report, next, waiting, count, left })
    }

    pub(super) fn is_over(&self) -> bool {
        is_over(self.report.as_ref())
    }

    /// How many go in that night, as far as the tables know, and their sum.
    pub(super) fn fitting(&self) -> (u32, String) {
        let fits = usize::try_from(self.left).unwrap_or(usize::MAX);
        let going = self.waiting.iter().take(fits);
        let count = u32::try_from(going.len()).unwrap_or(u32::MAX);
        (count, sums(going.map(|upload| upload.receipt.amount)))
    }
}

fn is_over(report: Option<&NightReport>) -> bool {
    report.is_some_and(|report| report.state == NightState::Finished)
}

/// Most payments of a night.
pub(super) fn nightly_max(stage: &Stage<'_>) -> u32 {
    let upload = stage.settings.upload.as_ref();
    upload.map_or(NIGHTLY_MAX, |upload| upload.nightly_max).min(NIGHTLY_MAX)
}

/// The sum of amounts, one for each currency.
pub(super) fn sums(amounts: impl IntoIterator<Item = Money>) -> String {
    let mut sums: Vec<Money> = Vec::new();
    for amount in amounts {
        let known = sums.iter_mut().find(|sum| sum.currency() == amount.currency());
        match known {
            // A sum beyond what money may be is left as it was: no such list exists.
            Some(sum) => *sum = sum.plus(amount).unwrap_or(*sum),
            None => sums.push(amount),
        }
    }
    sums.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
