//! The completeness certificate: whether every change of a payment in Xero is accounted for here.

use std::collections::{BTreeMap, BTreeSet};

use host::telemetry;
use jiff::Timestamp;
use payments::sweep::{
    Accounted, Certificate, CertificateState, FIRST_LOOK_BACK, ListPosition, OVERLAP,
    PaymentChange, Refund, SweepKind, SyncRun,
};
use payments::{InvoiceNumber, StoredInvoice, XeroInvoiceId, XeroPaymentId};
use queue::{Cause, Changes};

use crate::error::RunError;
use crate::refunds::OpenDiscrepancies;
use crate::run::{Queued, Run, Stop, Work};

/// Invoices that a message names.
const NAMED_MAX: usize = 10;

impl<C: Changes> Run<'_, C> {
    /// Asks Xero for the changes since the last certificate, and the tables for what became of them. Missing
    /// payments are listed, reported in a message, and put on the queue. It fails openly: a certificate that
    /// could not be made is stored as that.
    pub(crate) async fn certify(&self, work: &mut Work) -> Result<Option<Stop>, RunError> {
        let now = self.now();
        let first = now.saturating_sub(FIRST_LOOK_BACK).unwrap_or(now);
        let last = self.tables.last_certificate(self.organisation()).await?;
        let (from, checked_at) =
            last.map_or((first, first), |last| (last.next_from, last.checked_at));
        let from = from.saturating_sub(OVERLAP).unwrap_or(from).max(first);
        let mut certificate = Certificate::begun(self.settings, from, now);
        let checked = self.check(&mut certificate, checked_at, work).await;
        // The part checked before the time was over is certified; the next run goes on from there.
        let goes_on = certificate.until > certificate.from;
        let problem = match &checked {
            Ok(None) => None,
            Ok(Some(_)) if goes_on => None,
            Ok(Some(Stop::OutOfTime)) => Some("the time of the run was over".to_owned()),
            Ok(Some(Stop::Limited(_))) => Some("Xero's call limit is used up".to_owned()),
            Err(error) => Some(telemetry::chain(error)),
        };
        if problem.is_some() {
            certificate.state = CertificateState::Failed;
            certificate.problem = problem;
        }
        certificate.calls = work.run.calls;
        for accounted in Accounted::ALL {
            let count = usize::try_from(certificate.count(*accounted)).unwrap_or(usize::MAX);
            work.run.count(accounted.code(), count);
        }
        let count = usize::try_from(certificate.repaired).unwrap_or(usize::MAX);
        work.run.count("repaired", count);
        if certificate.state != CertificateState::Complete {
            self.tell(&certificate).await?;
        }
        self.tables.store_certificate(&certificate).await?;
        checked
    }

    async fn check(
        &self,
        certificate: &mut Certificate,
        checked_at: Timestamp,
        work: &mut Work,
    ) -> Result<Option<Stop>, RunError> {
        if self.is_over() {
            return Ok(Some(Stop::OutOfTime));
        }
        let until = certificate.until;
        let mut place = Some(ListPosition::from(certificate.from));
        // An unreadable row has no stamp, and may come again with the next page.
        let mut named = BTreeSet::new();
        let mut queued = Queued::new();
        while let Some(at) = place {
            // Up to here all are accounted for, if this is where the run has to end.
            certificate.until = at.since.min(until);
            if self.is_over() {
                return Ok(Some(Stop::OutOfTime));
            }
            let read = self.xero.payments_page(self.organisation(), at).await;
            let page = match self.counted(read, &mut work.run)? {
                Ok(page) => page,
                Err(stop) => return Ok(Some(stop)),
            };
            certificate.until = until;
            self.account_for(&page.rows, certificate, &mut work.run).await?;
            let ours = self.name_unreadable(page.unreadable, &mut queued, &mut work.run).await?;
            for row in ours.into_iter().filter(|row| row.id.is_none_or(|id| named.insert(id))) {
                let payment = row.id.map(XeroPaymentId::new);
                certificate.take_unreadable(payment, row.invoice, row.number);
            }
            place = page.next.filter(|next| next.since <= until);
        }
        certificate.until = until;
        let open = self.tables.sweep(self.organisation(), SweepKind::Open).await?;
        let awaiting = open.awaiting;
        certificate.unsettled_compared_at = open.last_success_at;
        certificate.all_compared_since = open.rotation.and_then(|all| all.compared_since);
        if awaiting > 0 {
            // Their payments, if there are any, are none that Xero shows (AMB-39).
            certificate.reasons.insert("local_invoices_not_in_xero".to_owned(), awaiting);
        }
        let now = certificate.checked_at;
        certificate.repaired =
            self.tables.repaired_between(self.organisation(), checked_at, now).await?;
        let missing: Vec<XeroInvoiceId> =
            certificate.missing.iter().filter_map(|missing| missing.invoice).collect();
        let missing: Queued = missing.into_iter().map(|invoice| (invoice, None)).collect();
        self.send(Cause::Sweep, missing, &mut queued, &mut work.run).await?;
        Ok(None)
    }

    /// Accounts for a page of changes.
    async fn account_for(
        &self,
        changes: &[PaymentChange],
        certificate: &mut Certificate,
        run: &mut SyncRun,
    ) -> Result<(), RunError> {
        let mut known: BTreeMap<InvoiceNumber, StoredInvoice> = BTreeMap::new();
        let mut known_refunds = OpenDiscrepancies::new();
        for change in changes {
            if change.kind.is_refund() {
                let known = match &change.refund {
                    Some(refund) => self.refund_facts(refund, &mut known_refunds).await?,
                    None => None,
                };
                certificate.take_refund(change, known);
                continue;
            }
            let number = self.number_of(change).await?;
            if let Some(number) = &number
                && !known.contains_key(number)
            {
                let stored = self.tables.invoice(self.organisation(), number).await?;
                known.insert(number.clone(), stored);
            }
            let stored = number.as_ref().and_then(|number| known.get(number));
            certificate.take(change, stored, self.settings);
        }
        // What no discrepancy says yet is said now, as a missing payment's invoice is read again.
        let refunds: Vec<Refund> =
            changes.iter().filter_map(|change| change.refund.clone()).collect();
        self.refunds(&refunds, run).await
    }

    /// Where the payment's invoice is stored: under the number that it bears, or under an earlier one.
    async fn number_of(&self, change: &PaymentChange) -> Result<Option<InvoiceNumber>, RunError> {
        let bears = change.number.as_deref().map(|number| self.settings.prefix.to_local(number));
        if let Some(Ok(number)) = bears {
            return Ok(Some(number));
        }
        let Some(invoice) = change.invoice else { return Ok(None) };
        let numbers = self.tables.numbers_of(self.organisation(), invoice).await?;
        Ok(numbers.into_iter().next())
    }

    async fn tell(&self, certificate: &Certificate) -> Result<(), RunError> {
        let why = match &certificate.problem {
            Some(problem) => format!("the certificate could not be made: {problem}"),
            None => {
                let mut numbers: Vec<_> =
                    certificate.missing.iter().filter_map(|m| m.number.as_deref()).collect();
                numbers.sort_unstable();
                numbers.dedup();
                numbers.truncate(NAMED_MAX);
                format!(
                    "{} changes of payments in Xero are not accounted for here, on {} and perhaps others; \
                     their invoices are read again. The table `certificates` lists them",
                    certificate.count(Accounted::Missing),
                    numbers.join(", "),
                )
            }
        };
        let (organisation, day) = (self.organisation(), certificate.day.to_string());
        let kind = "NOT_CERTIFIED";
        self.tables.raise_message(organisation, kind, &day, &why, self.now()).await?;
        Ok(())
    }
}
