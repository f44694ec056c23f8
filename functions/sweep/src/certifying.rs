//! The completeness certificate: whether every change of a payment in Xero is accounted for here.

use std::collections::BTreeMap;

use host::telemetry;
use jiff::Timestamp;
use payments::sweep::{
    Accounted, Certificate, CertificateState, FIRST_LOOK_BACK, OVERLAP, PaymentChange,
};
use payments::{InvoiceNumber, StoredInvoice, XeroInvoiceId, XeroPaymentId};
use queue::{Cause, Changes};

use crate::error::RunError;
use crate::run::{Queued, Run, Stop, Work};

/// Invoices that a message names.
const NAMED_MAX: usize = 10;

impl<C: Changes> Run<'_, C> {
    /// Asks Xero for what changed since the last certificate, and the tables for what became of it. What is
    /// missing is listed, told, and put on the queue. It fails openly: a certificate that could not be made
    /// is stored as that.
    pub(crate) async fn certify(&self, work: &mut Work) -> Result<Option<Stop>, RunError> {
        let now = self.now();
        let first = now.saturating_sub(FIRST_LOOK_BACK).unwrap_or(now);
        let last = self.tables.last_certificate(self.organisation()).await?;
        let (from, checked_at) =
            last.map_or((first, first), |last| (last.next_from, last.checked_at));
        let from = from.saturating_sub(OVERLAP).unwrap_or(from).max(first);
        let mut certificate = Certificate::begun(self.settings, from, now);
        let checked = self.check(&mut certificate, checked_at, work).await;
        let problem = match &checked {
            Ok(None) => None,
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
        let read = self.xero.payments_changed_since(self.organisation(), certificate.from).await;
        let (changes, unreadable) = match self.counted(read, &mut work.run)? {
            Ok(read) => read,
            Err(stop) => return Ok(Some(stop)),
        };
        let mut known: BTreeMap<InvoiceNumber, StoredInvoice> = BTreeMap::new();
        for change in &changes {
            if self.is_over() {
                return Ok(Some(Stop::OutOfTime));
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
        let mut queued = Queued::new();
        for row in self.name_unreadable(unreadable, &mut queued, &mut work.run).await? {
            certificate.take_unreadable(row.id.map(XeroPaymentId::new), row.invoice, row.number);
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
