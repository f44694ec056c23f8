//! Reading many invoices in few calls.

use std::collections::BTreeSet;

use payments::budget::{CallBudget, Purpose};
use payments::grant::{Grants, Pairs};
use payments::{OrganisationId, Snapshot, XeroInvoiceId};

use crate::client::{Client, Meter};
use crate::error::{Outage, ReadError};
use crate::invoice::{self, Reading};

/// After how many calls in a row without an answer the rest is left for later. One may be chance
/// or the fault of its invoices, two are an outage, and each may take as long as a call may take.
const SILENCES_MAX: u32 = 2;

/// After how many useless answers in a row (500, or not readable) the rest is left for later. They
/// come at once, and halving [`crate::IDS_MAX_LIMIT`] ids down to the one invoice that causes
/// them takes seven calls.
const ERRORS_MAX: u32 = 8;

/// What became of the invoices that were asked for. Each is in exactly one of the two lists.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Invoices {
    /// Those that were read.
    pub found: Vec<Snapshot>,
    /// Those that were not, and why. Nothing is known about them.
    pub failed: Vec<(XeroInvoiceId, ReadError)>,
}

impl<B: CallBudget, G: Grants + Pairs> Client<B, G> {
    /// Reads invoices with their payments, [`Config::ids_max`](crate::Config) in a call.
    ///
    /// A list that Xero refuses as such is halved: 404 is its answer to a query that is too long
    /// (XeroAPI/Xero-OpenAPI#534), so it says nothing about any invoice. An invoice that is
    /// missing from a list, or whose payments do not add up there, is read alone. Once a call
    /// limit is used up or Xero does not let us in, no further call is made, and what is left
    /// fails with the same reason.
    pub async fn invoices(&self, organisation: OrganisationId, ids: &[XeroInvoiceId]) -> Invoices {
        self.walk_invoices(organisation, ids, self.meter()).await
    }

    /// The same, for another purpose than the client's own.
    pub async fn invoices_for(
        &self,
        purpose: Purpose,
        organisation: OrganisationId,
        ids: &[XeroInvoiceId],
    ) -> Invoices {
        self.walk_invoices(organisation, ids, self.meter_for(purpose)).await
    }

    async fn walk_invoices(
        &self,
        organisation: OrganisationId,
        ids: &[XeroInvoiceId],
        mut meter: Meter,
    ) -> Invoices {
        let distinct: Vec<XeroInvoiceId> =
            ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let mut walk = Walk {
            packs: distinct.chunks(self.ids_max()).rev().map(<[_]>::to_vec).collect(),
            read: Invoices::default(),
            stopped: None,
            silences: 0,
            errors: 0,
        };
        while let Some(pack) = walk.packs.pop() {
            match (walk.stopped, pack.as_slice()) {
                (Some(error), _) => walk.fail(&pack, error),
                (None, &[id]) => {
                    let outcome = self.one_invoice(organisation, id, &mut meter).await;
                    walk.note(outcome.as_ref().err());
                    match outcome {
                        Ok(snapshot) => walk.read.found.push(snapshot),
                        Err(error) => walk.fail(&pack, error),
                    }
                }
                (None, ids) => match self.several(organisation, ids, &mut meter).await {
                    Ok(outcomes) => {
                        walk.note(None);
                        walk.sort(outcomes);
                    }
                    Err(error) => {
                        walk.note(Some(&error));
                        walk.halve(pack, error);
                    }
                },
            }
            walk.stopped = walk.stopped.or(meter.limits.exhausted());
        }
        tracing::debug!(
            xero.organisation_id = %organisation,
            asked = distinct.len(),
            found = walk.read.found.len(),
            failed = walk.read.failed.len(),
            calls = meter.calls,
            "read invoices"
        );
        walk.read
    }

    /// Reads a list. Invoices that were not asked for are passed over without a trace.
    async fn several(
        &self,
        organisation: OrganisationId,
        ids: &[XeroInvoiceId],
        meter: &mut Meter,
    ) -> Result<Vec<(XeroInvoiceId, Listed)>, ReadError> {
        let answer = self.list(organisation, ids, meter).await?;
        let invoices = invoice::invoices_by_id(&answer.body).ok_or(Outage::Unreadable)?;
        let outcome = |id| match invoices.get(id) {
            None => Listed::Unclear,
            Some(raw) => match raw.read(organisation, *id, answer.started_at) {
                Ok(Reading::Whole(snapshot)) => Listed::Read(Box::new(snapshot)),
                Ok(Reading::Thin(_)) => Listed::Unclear,
                Err(error) => Listed::Unusable(error),
            },
        };
        Ok(ids.iter().map(|id| (*id, outcome(id))).collect())
    }
}

/// What a list says about an invoice that was asked for.
enum Listed {
    Read(Box<Snapshot>),
    /// Missing, twice, or without all its payments: it has to be read alone.
    Unclear,
    Unusable(ReadError),
}

/// A walk over packs of ids.
struct Walk {
    /// The packs still to be read; the next one is the last.
    packs: Vec<Vec<XeroInvoiceId>>,
    read: Invoices,
    /// Why no further call is made.
    stopped: Option<ReadError>,
    silences: u32,
    errors: u32,
}

impl Walk {
    fn fail(&mut self, ids: &[XeroInvoiceId], error: ReadError) {
        self.read.failed.extend(ids.iter().map(|id| (*id, error)));
    }

    fn sort(&mut self, outcomes: Vec<(XeroInvoiceId, Listed)>) {
        for (id, outcome) in outcomes {
            match outcome {
                Listed::Read(snapshot) => self.read.found.push(*snapshot),
                Listed::Unclear => self.packs.push(vec![id]),
                Listed::Unusable(error) => self.read.failed.push((id, error)),
            }
        }
    }

    /// Tries a refused list again in two halves if that may help, or fails it as a whole.
    fn halve(&mut self, pack: Vec<XeroInvoiceId>, error: ReadError) {
        let may_help = match error {
            ReadError::NotFound | ReadError::TooLong => true,
            ReadError::Invalid { status } => matches!(status, 400 | 413 | 414 | 431),
            _ => is_useless_answer(&error),
        };
        if !may_help || self.stopped.is_some() {
            return self.fail(&pack, error);
        }
        let (first, second) = pack.split_at(pack.len().div_ceil(2));
        self.packs.push(second.to_vec());
        self.packs.push(first.to_vec());
    }

    /// Decides after each call whether another one makes sense.
    fn note(&mut self, error: Option<&ReadError>) {
        let Some(error) = error else {
            (self.silences, self.errors) = (0, 0);
            return;
        };
        let stop = match error {
            ReadError::NotAuthorised(_) | ReadError::Limited { .. } => true,
            error if is_useless_answer(error) => {
                self.errors += 1;
                self.errors >= ERRORS_MAX
            }
            ReadError::Unavailable { .. } => {
                self.silences += 1;
                self.silences >= SILENCES_MAX
            }
            _ => false,
        };
        if stop {
            self.stopped = Some(*error);
        }
    }
}

/// Whether a call came back at once with nothing, which one odd invoice may be the cause of.
fn is_useless_answer(error: &ReadError) -> bool {
    matches!(error, ReadError::Unavailable { cause: Outage::Status(500) | Outage::Unreadable, .. })
}
