//! How every story ends: everything works again, a person answers every question, and then the money is right.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use payments::OrganisationId;
use payments::upload::{Hold, Skip, UploadState};

use super::oracle::Status;
use super::stage::{Stage, number};
use super::story::{INVOICES, Word};

/// In how many days a person has answered everything.
const DAYS_MAX: usize = 8;

impl Stage {
    /// The next night, with what it leaves for later and what the mirror sees of it.
    async fn next_night(&mut self) -> Result<(), String> {
        let next = self.last_evening() + SignedDuration::from_hours(24);
        self.world.clock.set(next);
        self.sweep().await;
        self.look()?;
        self.night().await;
        self.look()?;
        self.world.work_off_tasks().await;
        self.look()
    }

    /// The payments about which a person is asked.
    async fn questions(&self) -> Vec<usize> {
        let mut questions = Vec::new();
        for (position, report) in self.books.reported.iter().enumerate() {
            if self.row(report).await.hold() == Some(Hold::PossibleDuplicate) {
                questions.push(position);
            }
        }
        questions
    }

    /// Nights, until every question is answered.
    async fn settle(&mut self, answers: &mut impl Iterator<Item = bool>) -> Result<(), String> {
        let mut quiet = 0;
        for _ in 0..DAYS_MAX {
            self.next_night().await?;
            let questions = self.questions().await;
            quiet = if questions.is_empty() { quiet + 1 } else { 0 };
            for position in questions {
                let word = if answers.next().unwrap_or_default() { Word::Same } else { Word::Two };
                if !self.say(position, word).await {
                    let report = &self.books.reported[position];
                    return Err(format!("the question about {report:#?} has no possible answer"));
                }
            }
            if quiet == 2 {
                return Ok(());
            }
        }
        Err("questions never end".to_owned())
    }

    /// A person deletes in Xero some of what was called the same as a report that does not go for it; whether
    /// anything was.
    async fn delete_said_same(&mut self, answers: &mut impl Iterator<Item = bool>) -> bool {
        let mut doomed = BTreeSet::new();
        for report in &self.books.reported {
            if self.row(report).await.reason == Skip::AlreadyInXero.code() {
                doomed.extend(self.books.said_same(report).map(|one| one.id));
            }
        }
        doomed.retain(|_| answers.next().unwrap_or_default());
        for position in 0..self.books.entered.len() {
            if doomed.contains(&self.books.entered[position].id) {
                self.delete(position);
            }
        }
        !doomed.is_empty()
    }

    pub async fn end(&mut self, answers: &[bool]) -> Result<(), String> {
        self.world.simulator.clear_faults();
        self.world.work_off_tasks().await;
        self.look()?;
        let mut answers = answers.iter().copied().cycle();
        self.settle(&mut answers).await?;
        if self.delete_said_same(&mut answers).await {
            self.settle(&mut answers).await?;
        }
        self.sweep().await;
        let parked = self.world.rows("parked").await;
        if !parked.is_empty() {
            return Err(format!("{parked:#?}"));
        }
        self.is_nothing_lost().await?;
        self.is_mirrored().await
    }

    /// Each report is in Xero once, by our hand or another, or does not go for a reason.
    async fn is_nothing_lost(&self) -> Result<(), String> {
        let mut there = Vec::new();
        for report in &self.books.reported {
            let row = self.row(report).await;
            let books = || format!("{row:#?} in {:#?}", self.books);
            let already = row.reason == Skip::AlreadyInXero.code();
            let by_person = [Hold::HeldByPerson.code(), Skip::DoNotSend.code()];
            match (row.state, report.status) {
                (UploadState::Uploaded, _) => there.push(report),
                // A person's word need not be so by the law, and counts as long as what it names stands.
                (_, Status::Confirmed) if already && self.books.said_same_stands(report) => {}
                (_, Status::Confirmed) if already => there.push(report),
                (_, Status::Pending | Status::Failed | Status::Refunded) => {}
                _ if report.method == "cheque" => {}
                _ if by_person.contains(&row.reason.as_str()) && report.kept_back => {}
                // Another payment has paid the invoice off.
                (UploadState::Held, _)
                    if [Hold::ExceedsDue, Hold::InvoiceNotOpen]
                        .iter()
                        .any(|hold| hold.code() == row.reason) => {}
                (UploadState::Refused | UploadState::PartlyUploaded, _) => {}
                (UploadState::Skipped, _) if row.reason == Skip::RemovedInXero.code() => {}
                _ => return Err(format!("it is neither in Xero nor explained: {}", books())),
            }
        }
        if !self.books.are_there(&there) {
            return Err(format!("{there:#?} are not all in Xero: {:#?}", self.books));
        }
        Ok(())
    }

    /// Every payment on an invoice in Xero is known here once, and nothing else is linked.
    async fn is_mirrored(&self) -> Result<(), String> {
        for (organisation, customers) in self.customers.iter().enumerate() {
            for (customer, in_xero) in customers.iter().enumerate() {
                for n in 0..INVOICES {
                    let id = OrganisationId::new(self.tenants[organisation]);
                    let number = number(customer, n).parse().unwrap();
                    let stored = self.world.tables.invoice(id, &number).await.unwrap();
                    let links = stored.payments.iter().filter_map(|payment| payment.link);
                    let held = stored.held.iter().map(|held| held.payment.id);
                    let mut known: Vec<_> = links.chain(held).map(|id| id.uuid()).collect();
                    known.sort_unstable();
                    let invoice = self.world.simulator.invoice(in_xero.invoices[n]).unwrap();
                    let mut there = invoice.payments;
                    there.sort_unstable();
                    // What a person has deleted of ours stays here with its link, and is flagged.
                    let gone: BTreeSet<_> = self.books.ours.iter().map(|ours| ours.id).collect();
                    known.retain(|id| there.contains(id) || !gone.contains(id));
                    if known != there {
                        return Err(format!(
                            "invoice {number} of organisation {organisation} is not as in Xero: {stored:#?} \
                             but {there:#?} in {:#?}",
                            self.books
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}
