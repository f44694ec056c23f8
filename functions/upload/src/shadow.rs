//! The evening of an organisation in shadow: its day is reported, and nothing is sent or changed (CM-03, CM-30).

use std::collections::{BTreeMap, BTreeSet};

use commands::reply::{Disposition, NightPlan};
use host::telemetry;
use jiff::Timestamp;
use jiff::civil::Time;
use payments::shadow::{
    LeftAlone, LocalEntry, ShadowNight, ShadowReport, books_entries, compare_entries,
};
use payments::upload::{Night, Skip, UploadSettings};
use payments::{PaymentId, PaymentStatus, Receipt, Settings, XeroPaymentId};
use queue::{Changes, Uploads};
use table::ReadError;

use crate::error::RunError;
use crate::night::Outcome;
use crate::{Failed, HandleError, Uploader, uploading};

/// Most payments that wait, and are judged for a report.
const JUDGED_MAX: usize = 5_000;
/// Receipts that are read at a time.
const RECEIPTS: i32 = 500;

/// When an organisation's evening begins: of one that uploads, or is in shadow.
pub(crate) fn due_at(settings: &Settings) -> Option<Time> {
    let usual = settings.shadow.map(|_| UploadSettings::DUE_AT);
    match settings.shadow {
        Some(_) => settings.upload.as_ref().map(|upload| upload.due_at).or(usual),
        None => uploading(settings).map(|upload| upload.due_at),
    }
}

impl<Q: Uploads, C: Changes> Uploader<Q, C> {
    /// Makes the report of a moment. Nothing is written, not even the report.
    ///
    /// # Errors
    /// What could not be read.
    pub async fn shadow_report(
        &self,
        settings: &Settings,
        at: Timestamp,
        deadline: Timestamp,
    ) -> Result<ShadowReport, HandleError> {
        let report = Box::pin(self.report_of_shadow(settings, at, deadline)).await;
        report.map_err(|error| HandleError::Run(telemetry::chain(&error)))
    }

    async fn report_of_shadow(
        &self,
        settings: &Settings,
        at: Timestamp,
        deadline: Timestamp,
    ) -> Result<ShadowReport, RunError> {
        let settings = &settings.clone().deciding();
        let (organisation, now) = (settings.organisation, self.clock.now());
        let observations = self.tables.shadow_observations(organisation).await?;
        let plan = match uploading(settings) {
            None => None,
            Some(of) => {
                let run = self.run(settings, of, Night::of(at, &settings.zone), deadline);
                Some(Box::pin(run.preview(at.max(now), JUDGED_MAX)).await?)
            }
        };
        let local = self.local_entries(settings, plan.as_ref(), now).await?;
        let books = books_entries(&observations, &BTreeSet::new());
        let copied = self.copied(settings, compare_entries(local.clone(), books).1).await?;
        let books = books_entries(&observations, &copied);
        let day = settings.day_of(at);
        let night = plan.as_ref().map(of_plan).unwrap_or_default();
        Ok(ShadowReport::of(settings, &observations, (local, books), night, (day, now)))
    }

    /// What the business has reported, and which of it has to be in Xero by now.
    async fn local_entries(
        &self,
        settings: &Settings,
        plan: Option<&NightPlan>,
        now: Timestamp,
    ) -> Result<Vec<LocalEntry>, RunError> {
        let found = plan.map(in_xero).unwrap_or_default();
        let today = settings.today(now);
        let (mut entries, mut after) = (Vec::new(), None);
        loop {
            let (receipts, next) =
                self.tables.receipts(settings.organisation, after.as_ref(), RECEIPTS).await?;
            for receipt in receipts.iter().filter(|receipt| receipt.status.counts()) {
                let is_due = receipt.status == PaymentStatus::Confirmed
                    && receipt.date <= today
                    && !found.contains(&receipt.id);
                entries.extend(entries_of(receipt, is_due));
            }
            if next.is_none() {
                return Ok(entries);
            }
            after = next;
        }
    }

    /// The payments that were copied from Xero before the shadow began, among those that only Xero seems to have.
    async fn copied(
        &self,
        settings: &Settings,
        differences: Vec<payments::shadow::EntryDifference>,
    ) -> Result<BTreeSet<XeroPaymentId>, RunError> {
        let only_in_xero = differences.into_iter().filter(|one| one.payment.is_none());
        let numbers: BTreeSet<_> = only_in_xero.filter_map(|one| one.number).collect();
        let mut copied = BTreeSet::new();
        for number in numbers {
            let stored = self.tables.invoice(settings.organisation, &number).await?;
            let copies = stored.payments.iter().filter(|payment| payment.id.is_copy());
            copied.extend(copies.filter_map(|payment| payment.link));
        }
        Ok(copied)
    }

    /// Reports the day of an organisation in shadow.
    pub(crate) async fn shadow_night(
        &self,
        settings: &Settings,
        scheduled_at: Timestamp,
        deadline: Timestamp,
    ) -> Result<Outcome, Failed> {
        let made = Box::pin(self.store_report(settings, scheduled_at, deadline)).await;
        made.map(|()| Outcome::InShadow).map_err(|error| {
            let chain = telemetry::chain(&error);
            tracing::error!(
                xero.tenant_id = %settings.organisation,
                error = chain,
                "the report of a day in shadow could not be made; the hourly look makes up for it"
            );
            Failed { why: chain, goes_on: error.is_xeros() }
        })
    }

    async fn store_report(
        &self,
        settings: &Settings,
        scheduled_at: Timestamp,
        deadline: Timestamp,
    ) -> Result<(), RunError> {
        let report = self.report_of_shadow(settings, scheduled_at, deadline).await?;
        tracing::info!(
            xero.tenant_id = %settings.organisation,
            shadow.invoices = report.invoices,
            shadow.agreeing = report.agreeing,
            shadow.differences = report.differences_in_all(),
            "a day in shadow is reported"
        );
        Ok(self.tables.store_shadow_report(&report, self.clock.now()).await?)
    }

    /// The evening whose day is not reported, if there is one.
    pub(crate) async fn shadow_due(
        &self,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, ReadError> {
        let Some(due_at) = due_at(settings) else { return Ok(None) };
        let due = Night::of(now, &settings.zone).due(due_at, &settings.zone);
        let Some(due) = due.filter(|due| *due <= now) else { return Ok(None) };
        let last = self.tables.shadow_reports(settings.organisation, 1).await?;
        let is_reported = last.first().is_some_and(|last| last.day >= settings.day_of(due));
        Ok((!is_reported).then_some(due))
    }
}

/// The parts of a payment on invoices, or the payment as a whole if it names none.
fn entries_of(receipt: &Receipt, is_due: bool) -> Vec<LocalEntry> {
    let entry = |number, amount| LocalEntry {
        number,
        payment: receipt.id.clone(),
        amount,
        day: receipt.date,
        is_due,
    };
    match receipt.allocations.as_slice() {
        [] => vec![entry(None, receipt.amount)],
        parts => parts.iter().map(|part| entry(Some(part.invoice.clone()), part.amount)).collect(),
    }
}

/// The payments whose money the plan has found in Xero, on an invoice or as a prepayment.
fn in_xero(plan: &NightPlan) -> BTreeSet<PaymentId> {
    let code = Some(Skip::AlreadyInXero.code());
    let found = plan.payments.iter().filter(|planned| planned.reason.as_deref() == code);
    found.map(|planned| planned.payment.clone()).collect()
}

/// What the night's upload would have done.
fn of_plan(plan: &NightPlan) -> ShadowNight {
    let mut would: BTreeMap<String, u32> = BTreeMap::new();
    let mut left = Vec::new();
    for planned in &plan.payments {
        let code = match planned.would {
            Disposition::Go => "upload_go",
            Disposition::Wait => "upload_wait",
            Disposition::Hold => "upload_hold",
            Disposition::Skip => "upload_skip",
        };
        let count = would.entry(code.to_owned()).or_default();
        *count = count.saturating_add(1);
        let stays = matches!(planned.would, Disposition::Hold | Disposition::Skip);
        if let (true, Some(reason), Some(why)) = (stays, &planned.reason, &planned.why) {
            left.push(LeftAlone {
                payment: Some(planned.payment.clone()),
                xero: None,
                reason: reason.clone(),
                why: why.clone(),
            });
        }
    }
    ShadowNight { would, left }
}
