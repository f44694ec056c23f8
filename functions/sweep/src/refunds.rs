//! Money that went back in Xero: a discrepancy on the contact until it is repeated here (CM-50, AMB-38).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use payments::sweep::{Refund, RefundStep, SyncRun};
use payments::{Discrepancy, XeroContactId};
use queue::Changes;
use table::ContactBecause;

use crate::changes::cause;
use crate::error::RunError;
use crate::run::Run;

/// The discrepancies of the contacts that were looked up, each contact once.
pub(crate) type OpenDiscrepancies = BTreeMap<XeroContactId, Vec<Discrepancy>>;

impl<C: Changes> Run<'_, C> {
    /// Opens and closes the discrepancies of refunds that were seen.
    pub(crate) async fn refunds(
        &self,
        refunds: &[Refund],
        run: &mut SyncRun,
    ) -> Result<(), RunError> {
        let mut known = OpenDiscrepancies::new();
        for refund in refunds {
            let standing = self.refund_facts(refund, &mut known).await?.cloned();
            let because =
                ContactBecause { cause: cause(run).code(), rule: "CM-50", now: self.now() };
            let (organisation, contact) = (self.organisation(), refund.contact);
            let written = match (refund.step(standing.as_ref()), &standing) {
                (RefundStep::Open, _) => {
                    let (key, detail) = (refund.key(), refund.detail());
                    let opened = self.tables.open_contact_discrepancy(
                        organisation,
                        contact,
                        &key,
                        &detail,
                        because,
                    );
                    opened.await?
                }
                (RefundStep::Close, Some(open)) => {
                    self.tables
                        .close_contact_discrepancy(organisation, contact, open, because)
                        .await?
                }
                _ => false,
            };
            if written {
                run.count("refunds", 1);
                // A contact may have two of them in one page.
                known.remove(&contact);
            }
        }
        Ok(())
    }

    /// The discrepancy of a refund, if it has one.
    pub(crate) async fn refund_facts<'a>(
        &self,
        refund: &Refund,
        known: &'a mut OpenDiscrepancies,
    ) -> Result<Option<&'a Discrepancy>, RunError> {
        if let Entry::Vacant(unread) = known.entry(refund.contact) {
            let rows =
                self.tables.contact_discrepancies(self.organisation(), refund.contact).await?;
            unread.insert(rows);
        }
        let key = refund.key();
        Ok(known[&refund.contact].iter().find(|standing| standing.key == key))
    }
}
