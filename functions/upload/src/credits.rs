//! Credit invoices of the provider: the facts that they are judged by, and their allocations to bills (EX-15a to EX-18).

use std::collections::{BTreeMap, BTreeSet};

use payments::upload::{
    AllocationPlan, Bill, ContactStanding, CreditFacts, CreditStanding, DocumentForm, DueBill,
    Hold, Line, Part, PartState, Placed, Route, Stamp, Target, Upload, UploadDecision, UploadState,
    XeroAllocation, XeroCreditNote, applied_by_hand, credit_lines, judge_allocation, judge_credit,
    plan_allocations,
};
use payments::{DiscrepancyKey, DiscrepancyKind, PaymentId, XeroContactId};
use queue::Uploads;
use table::{ContactBecause, UPLOADS_PER_TRANSACTION_MAX, WriteError};
use xero::{AllocationSought, Found, ReadError, RefusalKind};

use crate::error::RunError;
use crate::evaluation_context::EvaluationContext;
use crate::run::{Move, Run, Stop, stored};

/// After so many refusals one after the other, of which each was planned on fresh figures, a person has to look.
const REFUSALS_MAX: usize = 3;

/// What credit invoices and their allocations are judged by.
#[derive(Debug, Default)]
pub(crate) struct CreditContext {
    /// The provider's invoices that credit invoices name, as they are stored.
    bills: BTreeMap<PaymentId, Upload>,
    notes: Vec<XeroCreditNote>,
    standings: BTreeMap<PaymentId, CreditStanding>,
    due: Vec<DueBill>,
    /// Why Xero's credit notes could not be read.
    unreadable: Option<String>,
}

/// What Xero shows of the provider's credit notes and bills.
#[derive(Debug, Default)]
struct Shown {
    notes: Vec<XeroCreditNote>,
    due: Vec<DueBill>,
}

impl<Q: Uploads> Run<'_, Q> {
    /// The rows with the credit invoices that become lines of their bills, by all of these rows (EX-15b).
    pub(crate) fn with_credit_lines(&self, mut rows: Vec<Upload>) -> Vec<Upload> {
        let is_credit = |row: &&Upload| row.route() == Ok(Route::ProviderCredit);
        let credits: Vec<Upload> = rows.iter().filter(is_credit).cloned().collect();
        for row in rows.iter_mut().filter(|row| row.route() == Ok(Route::ProviderInvoice)) {
            row.credited = credit_lines(row, &credits, (self.settings, self.uploading));
        }
        rows
    }

    /// Reads what these rows are judged by, as far as there are credits among them.
    pub(crate) async fn credit_context(
        &self,
        rows: &[Upload],
        merchant: Option<&ContactStanding>,
    ) -> Result<CreditContext, RunError> {
        let credits = rows.iter().filter(|row| row.route() == Ok(Route::ProviderCredit));
        let credits: Vec<&Upload> = credits.collect();
        let waiting: Vec<&Upload> =
            rows.iter().filter(|row| row.route() == Ok(Route::CreditAllocation)).collect();
        if credits.is_empty() && waiting.is_empty() {
            return Ok(CreditContext::default());
        }
        let bills = self.named_bills(credits.iter().copied()).await?;
        let of_waiting: BTreeSet<PaymentId> =
            waiting.iter().filter_map(|row| credit_of(row).cloned()).collect();
        let placed = self.uploads_named(&Vec::from_iter(of_waiting)).await?;
        let shown = match self.shown(&placed, merchant, !waiting.is_empty()).await {
            Ok(shown) => shown,
            // A limit is everybody's; of anything else the credits alone wait (AMB-30).
            Err(
                error @ RunError::Xero(ReadError::Limited { .. } | ReadError::Unavailable { .. }),
            ) => {
                return Err(error);
            }
            Err(RunError::Xero(error)) => {
                let why = format!("the provider's credit notes cannot be read in Xero: {error}");
                return Ok(CreditContext { bills, unreadable: Some(why), ..Default::default() });
            }
            Err(error) => return Err(error),
        };
        let standings = self.standings_of(placed, &shown.notes).await?;
        Ok(CreditContext { bills, notes: shown.notes, standings, due: shown.due, unreadable: None })
    }

    /// Judges a credit invoice, or an allocation that waits.
    pub(crate) fn judge_credit(
        &self,
        row: &Upload,
        bill: &Bill,
        books: &payments::upload::Books,
        context: &CreditContext,
    ) -> UploadDecision {
        if let Some(why) = &context.unreadable {
            return UploadDecision::Hold(Hold::CannotBeSent, why.clone());
        }
        match &bill.form {
            DocumentForm::CreditNote(terms) => {
                let facts = CreditFacts { bills: &context.bills, notes: &context.notes };
                judge_credit(row, terms, facts, books, (self.settings, self.uploading))
            }
            DocumentForm::Allocation { credit, .. } => {
                // The last one that was to be sent; of a row that was never reserved again, its only one.
                let standing = context.standings.get(credit);
                match (row.parts.last(), standing) {
                    (Some(part), _) => {
                        let on = (&part.target, part.amount);
                        judge_allocation(row, on, standing, &context.due)
                    }
                    (None, Some(known)) => {
                        let target = target_of(row, known, &context.due);
                        judge_allocation(row, (&target, row.receipt.amount), standing, &context.due)
                    }
                    (None, None) => UploadDecision::Skip(
                        payments::upload::Skip::NoLongerNeeded,
                        "the credit note is not in Xero any more".to_owned(),
                    ),
                }
            }
            DocumentForm::Bill => UploadDecision::Send(Vec::new()),
        }
    }

    /// Applies what is left of credit notes to bills: what the provider has said first, the remainder to the next bill.
    /// Nothing is asked of Xero while nothing is left of any.
    pub(crate) async fn allocate_credits(&self) -> Result<Option<Stop>, RunError> {
        let credits = self.open_credits().await?;
        if credits.is_empty() {
            return Ok(None);
        }
        if self.is_over() {
            return Ok(Some(Stop::OutOfTime));
        }
        let bills = self.named_bills(credits.iter()).await?;
        let merchant = self.merchant(&EvaluationContext::default(), &credits).await?;
        let shown = self.shown(&credits, merchant.as_ref(), true).await?;
        let standings = self.standings_of(credits, &shown.notes).await?;
        let standings: Vec<CreditStanding> = standings.into_values().collect();
        let plans = plan_allocations(&standings, &bills, shown.due, self.now());
        let mut rows = Vec::new();
        for standing in &standings {
            let Some(plan) = plans.get(&standing.upload.receipt.id) else { continue };
            let open = self.flag_by_hand(standing, plan, &shown.notes).await?;
            rows.extend(self.begin_allocations(standing, plan, open).await?);
        }
        if rows.is_empty() {
            return Ok(None);
        }
        Box::pin(self.send_all(rows)).await
    }

    /// The credit invoices of which something is left in Xero. The index lags by a moment: those that this run has
    /// put there are asked for by their names.
    async fn open_credits(&self) -> Result<Vec<Upload>, RunError> {
        let mut credits: BTreeMap<PaymentId, Upload> = BTreeMap::new();
        for row in self.whole_line(Line::Credit).await? {
            credits.insert(row.receipt.id.clone(), row);
        }
        let became = self.became.borrow().clone();
        let written: Vec<_> = became
            .into_iter()
            .filter(|(id, state)| id.is_provider_credit() && *state == UploadState::Uploaded)
            .map(|(id, _)| id)
            .collect();
        for row in self.uploads_named(&written).await? {
            credits.insert(row.receipt.id.clone(), row);
        }
        Ok(credits.into_values().filter(|row| row.line() == Some(Line::Credit)).collect())
    }

    async fn uploads_named(&self, ids: &[PaymentId]) -> Result<Vec<Upload>, RunError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.tables.uploads(self.organisation(), ids).await?)
    }

    /// The provider's invoices that these credit invoices name.
    async fn named_bills<'u>(
        &self,
        credits: impl Iterator<Item = &'u Upload>,
    ) -> Result<BTreeMap<PaymentId, Upload>, RunError> {
        let terms = credits.filter_map(|row| row.bill.as_ref().and_then(Bill::credit_terms));
        let named: BTreeSet<PaymentId> =
            terms.flat_map(|terms| &terms.applied).map(|part| part.invoice.clone()).collect();
        let rows = self.uploads_named(&Vec::from_iter(named)).await?;
        Ok(rows.into_iter().map(|row| (row.receipt.id.clone(), row)).collect())
    }

    /// Reads the credit notes of the provider's contact, and of those that these credits were made for; with `due` the
    /// bills of ours on which something is due.
    async fn shown(
        &self,
        credits: &[Upload],
        merchant: Option<&ContactStanding>,
        due: bool,
    ) -> Result<Shown, RunError> {
        let of_parts = credits.iter().flat_map(|row| &row.parts);
        let mut contacts: BTreeSet<XeroContactId> = of_parts
            .filter_map(|part| match part.target {
                Target::CreditNote { contact } => Some(contact),
                _ => None,
            })
            .collect();
        match merchant {
            Some(ContactStanding::Active(contact)) => drop(contacts.insert(*contact)),
            _ => contacts.extend(self.uploading.merchant_contact),
        }
        let read = self.xero.credit_notes_of(self.organisation(), &contacts).await?;
        for row in &read.unreadable {
            let id = row.id.map_or_else(|| "unknown".to_owned(), |id| id.to_string());
            let why = format!("a credit note in Xero: {} cannot be read", row.field);
            self.message("SCHEMA", &id, &why).await?;
        }
        let mut shown = Shown { notes: read.notes, due: Vec::new() };
        if due {
            let contacts = Vec::from_iter(contacts);
            let open = self.xero.open_invoices_of(self.organisation(), &contacts).await?;
            let ours = open.invoices.into_iter().filter_map(|invoice| {
                let is_ours = invoice.kind == payments::InvoiceKind::Bill
                    && Stamp::find_in(&invoice.number).is_some();
                let issued_on = invoice.issued_on.filter(|_| is_ours)?;
                Some(DueBill {
                    id: invoice.id,
                    number: invoice.number,
                    issued_on,
                    due: invoice.due,
                })
            });
            shown.due = ours.collect();
        }
        Ok(shown)
    }

    /// What is known of these credit invoices, of which each is a note in Xero. One whose note is not shown is left out:
    /// a stale read may not have it yet.
    async fn standings_of(
        &self,
        credits: Vec<Upload>,
        notes: &[XeroCreditNote],
    ) -> Result<BTreeMap<PaymentId, CreditStanding>, RunError> {
        let begun: Vec<PaymentId> = credits.iter().flat_map(Upload::begun_allocations).collect();
        let rows = self.uploads_named(&begun).await?;
        let mut standings = BTreeMap::new();
        for upload in credits {
            let Some(note) =
                upload.placed_note().and_then(|id| notes.iter().find(|note| note.id == id))
            else {
                continue;
            };
            let names = upload.begun_allocations();
            let of_row = |id: &PaymentId| rows.iter().find(|row| row.receipt.id == *id).cloned();
            let allocations: Vec<Upload> = names.iter().filter_map(of_row).collect();
            let may_pass = |refusal: &str| RefusalKind::of(refusal).is_moved_ground();
            let refused = allocations
                .iter()
                .rev()
                .take_while(|row| row.state == UploadState::Refused)
                .count();
            let is_pending = allocations.len() < names.len()
                || refused >= REFUSALS_MAX
                || !allocations.iter().all(|row| row.is_settled_allocation(may_pass));
            let id = upload.receipt.id.clone();
            let standing = CreditStanding { upload, note: note.clone(), allocations, is_pending };
            standings.insert(id, standing);
        }
        Ok(standings)
    }

    /// Flags what a person has applied by hand (EX-18), and what of ours was taken back; closes what is over. Whether
    /// anything is open afterwards.
    async fn flag_by_hand(
        &self,
        standing: &CreditStanding,
        plan: &AllocationPlan,
        notes: &[XeroCreditNote],
    ) -> Result<bool, RunError> {
        let (organisation, contact) = (self.organisation(), standing.note.contact);
        let because = ContactBecause { cause: "upload", rule: "EX-18", now: self.now() };
        for allocation in &plan.by_hand {
            let key = applied_by_hand(allocation);
            let detail = by_hand_in_words(standing, allocation);
            self.tables
                .open_contact_discrepancy(organisation, contact, &key, &detail, because)
                .await?;
        }
        for row in &plan.deleted {
            let key = DiscrepancyKey::about(DiscrepancyKind::UploadedDeletedInXero, row);
            let detail = format!(
                "allocation {row} of credit note {} was made, and was taken back in Xero. It is not made again",
                standing.note.number
            );
            self.tables
                .open_contact_discrepancy(organisation, contact, &key, &detail, because)
                .await?;
        }
        let mut is_open = false;
        for known in self.tables.contact_discrepancies(organisation, contact).await? {
            if known.key.kind != DiscrepancyKind::CreditAppliedByHand || !known.is_open() {
                continue;
            }
            let stands = notes
                .iter()
                .flat_map(|note| &note.allocations)
                .any(|one| applied_by_hand(one) == known.key);
            if stands {
                is_open |= plan.by_hand.iter().any(|one| applied_by_hand(one) == known.key);
            } else {
                self.tables
                    .close_contact_discrepancy(organisation, contact, &known, because)
                    .await?;
            }
        }
        Ok(is_open)
    }

    /// Writes the rows of the allocations that are planned, with the credit invoice in one step, so that no other run
    /// begins the same.
    async fn begin_allocations(
        &self,
        standing: &CreditStanding,
        plan: &AllocationPlan,
        is_open: bool,
    ) -> Result<Vec<Upload>, RunError> {
        let now = self.now();
        let today = self.settings.day_of(now);
        let mut credit = standing.upload.clone();
        let mut rows = Vec::new();
        for (bill, amount) in plan.wanted.iter().take(UPLOADS_PER_TRANSACTION_MAX - 1) {
            let Some((after, mut row)) = credit.begin_allocation(bill, *amount, (today, now))
            else {
                break;
            };
            let target = Target::Allocation { note: standing.note.id, bill: bill.id };
            row.reserve(self.night, vec![(target, *amount)], now)?;
            credit = after;
            rows.push(row);
        }
        if let Some(terms) = credit.bill.as_mut().and_then(Bill::credit_terms_mut) {
            terms.used_up = plan.is_used_up && !is_open;
        }
        if credit == standing.upload {
            return Ok(Vec::new());
        }
        let new: Vec<(Option<&Upload>, &Upload)> =
            std::iter::once((Some(&standing.upload), &credit))
                .chain(rows.iter().map(|row| (None, row)))
                .collect();
        match self.store(&new, None).await {
            Ok(()) => Ok(rows.into_iter().map(stored).collect()),
            // Another run is at this credit.
            Err(WriteError::Conflict) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// Credit invoices whose bills have carried them in this run: they are done (EX-15b).
    pub(crate) async fn follow_credit_lines(&self, judged: &[Upload]) -> Result<(), RunError> {
        let waits = |row: &&Upload| {
            row.hold() == Some(Hold::WaitsForBill) || row.state == UploadState::Waiting
        };
        let ids: Vec<_> = judged
            .iter()
            .filter(|row| row.route() == Ok(Route::ProviderCredit))
            .map(|row| row.receipt.id.clone())
            .collect();
        let rows = self.uploads_named(&ids).await?;
        let rows: Vec<Upload> = rows.iter().filter(waits).cloned().collect();
        let bills = self.named_bills(rows.iter()).await?;
        let mut moves = Vec::new();
        for row in rows {
            let carried = |bill: &Upload| {
                bill.state == UploadState::Uploaded
                    && bill.credited.iter().any(|line| line.credit == row.receipt.id)
            };
            if !bills.values().any(carried) {
                continue;
            }
            let Some(terms) = row.bill.as_ref().and_then(Bill::credit_terms) else { continue };
            let facts = CreditFacts { bills: &bills, notes: &[] };
            let books = payments::upload::Books {
                currency: row.receipt.amount.currency(),
                locked_until: None,
            };
            let judged = judge_credit(&row, terms, facts, &books, (self.settings, self.uploading));
            if let UploadDecision::Skip(skip, why) = judged {
                let mut moved = Move::of(row);
                moved.after.skip(skip, why, Some(self.night), self.now());
                moves.push(moved);
            }
        }
        self.write(moves).await?;
        Ok(())
    }

    /// Looks for allocations whose fate is not known, in their credit notes.
    pub(crate) async fn find_allocations(
        &self,
        rows: &[Upload],
        open: impl Fn(&Part) -> bool,
    ) -> Result<Found, RunError> {
        let mut sought = Vec::new();
        for row in rows {
            let Some(credit) = credit_of(row) else { continue };
            let others = self.other_allocations(credit, row).await?;
            for part in row.parts.iter().filter(|part| open(part)) {
                let Target::Allocation { note, bill } = part.target else { continue };
                let (stamp, amount) = (part.stamp.clone(), part.amount);
                sought.push(AllocationSought { stamp, note, bill, amount, others: others.clone() });
            }
        }
        Ok(self.xero.found_allocations(self.organisation(), &sought).await?)
    }

    /// Xero's ids of the other allocations of this credit invoice that are ours.
    async fn other_allocations(
        &self,
        credit: &PaymentId,
        row: &Upload,
    ) -> Result<BTreeSet<uuid::Uuid>, RunError> {
        let credit = self.tables.upload(self.organisation(), credit).await?;
        let mut ids = credit.map(|credit| credit.begun_allocations()).unwrap_or_default();
        ids.retain(|id| *id != row.receipt.id);
        let rows = self.uploads_named(&ids).await?;
        let placed = rows.iter().flat_map(|row| &row.parts).filter_map(|part| match part.placed {
            Some(Placed::Allocation(id)) if part.state == PartState::Done => Some(id),
            _ => None,
        });
        Ok(placed.collect())
    }
}

/// The credit invoice of an allocation.
fn credit_of(row: &Upload) -> Option<&PaymentId> {
    match row.bill.as_ref().map(|bill| &bill.form) {
        Some(DocumentForm::Allocation { credit, .. }) => Some(credit),
        _ => None,
    }
}

/// What an allocation is made on, of which no part was kept: a run ended before it was sent.
fn target_of(row: &Upload, standing: &CreditStanding, due: &[DueBill]) -> Target {
    let number = match row.bill.as_ref().map(|bill| &bill.form) {
        Some(DocumentForm::Allocation { bill, .. }) => bill.as_str(),
        _ => "",
    };
    let bill = due.iter().find(|bill| bill.number == number).map(|bill| bill.id);
    let none = payments::XeroInvoiceId::new(uuid::Uuid::nil());
    Target::Allocation { note: standing.note.id, bill: bill.unwrap_or(none) }
}

fn by_hand_in_words(standing: &CreditStanding, allocation: &XeroAllocation) -> String {
    format!(
        "{} of credit note {} ({}) was applied by hand in Xero, to bill {}. Credit notes of the provider are applied by \
         themselves, and this part is not applied again. Leave it and accept this, or take it back in Xero",
        allocation.amount, standing.note.number, standing.upload.receipt.id, allocation.bill
    )
}
