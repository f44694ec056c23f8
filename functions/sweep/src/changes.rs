//! What changed: since the last time, between two moments, or of one invoice.

use jiff::Timestamp;
use payments::InvoiceKind;
use payments::sweep::{Progress, Seen, SyncRun, Trigger, begun_at};
use queue::{Cause, Changes};
use xero::ChangedPage;

use crate::error::RunError;
use crate::run::{Queued, Run, Stop, Work};

impl<C: Changes> Run<'_, C> {
    /// Everything that changed since the cursor, or since an unfinished read was left. Each page is on the
    /// queue before it is stored that it is; at the end the cursor moves to where the read began.
    pub(crate) async fn changes(&self, work: &mut Work) -> Result<Option<Stop>, RunError> {
        let cause = cause(&work.run);
        let mut queued = Queued::new();
        let mut progress = work.state.next_read(self.now());
        loop {
            let page = match self.page(progress, &mut work.run).await? {
                Ok(page) => page,
                Err(stop) => return Ok(Some(stop)),
            };
            let begun = begun_at(page.started_at, page.answered_at, page.xero_at);
            let begun = *progress.begun_at.get_or_insert(begun);
            self.refunds(&page.refunds, &mut work.run).await?;
            self.queue(cause, page.seen, &mut queued, &mut work.run).await?;
            self.name_unreadable(page.unreadable, &mut queued, &mut work.run).await?;
            match progress.after_page(page.next) {
                Some(next) => progress = next,
                None => {
                    work.state.read_whole(begun);
                    return Ok(None);
                }
            }
            work.state.reached(progress);
            self.store(work).await?;
        }
    }

    /// Everything that changed between two moments. Moves no cursor: a person looks at something again.
    pub(crate) async fn window(
        &self,
        from: Timestamp,
        to: Timestamp,
        work: &mut Work,
    ) -> Result<Option<Stop>, RunError> {
        let mut queued = Queued::new();
        let mut progress = Some(Progress::from(from));
        while let Some(at) = progress {
            let page = match self.page(at, &mut work.run).await? {
                Ok(page) => page,
                Err(stop) => {
                    work.run.subject =
                        Some(format!("{from} to {to}; {} up to {}", at.list, at.reached));
                    return Ok(Some(stop));
                }
            };
            let next = page.next.filter(|next| *next <= to);
            self.refunds(&page.refunds, &mut work.run).await?;
            let within = page.seen.into_iter().zip(page.stamps);
            let within = within.filter(|(_, stamp)| *stamp <= to).map(|(seen, _)| seen);
            self.queue(Cause::Manual, within.collect(), &mut queued, &mut work.run).await?;
            self.name_unreadable(page.unreadable, &mut queued, &mut work.run).await?;
            progress = at.after_page(next);
        }
        Ok(None)
    }

    /// One invoice, with or without our prefix in front of its number.
    pub(crate) async fn invoice(
        &self,
        number: &str,
        work: &mut Work,
    ) -> Result<Option<Stop>, RunError> {
        if self.is_over() {
            return Ok(Some(Stop::OutOfTime));
        }
        let prefix = self.settings.prefix.to_string();
        let with_prefix =
            if number.starts_with(&prefix) { number.to_owned() } else { prefix + number };
        let numbers = [number.to_owned(), with_prefix.clone()];
        let read = self.xero.invoices_numbered(self.organisation(), &numbers).await;
        let found = match self.counted(read, &mut work.run)? {
            Ok(found) => found,
            Err(stop) => return Ok(Some(stop)),
        };
        work.run.count("rows", found.invoices.len());
        if found.invoices.is_empty() {
            let unreadable = found.unreadable.first().map(|invoice| invoice.why.clone());
            work.run.problem = Some(match unreadable {
                Some(why) => why,
                None => self.no_invoice(number, &with_prefix).await?,
            });
        }
        let seen = found.invoices.into_iter().map(|invoice| Seen {
            invoice: invoice.id,
            kind: invoice.kind,
            number: Some(invoice.number),
            updated_at: None,
        });
        // The mirror reads it in full, and parks it with what is wrong.
        let unreadable = found.unreadable.into_iter().filter_map(|invoice| {
            Some(Seen {
                invoice: invoice.id?,
                kind: InvoiceKind::Sales,
                number: invoice.number,
                updated_at: None,
            })
        });
        self.queue(
            Cause::Manual,
            seen.chain(unreadable).collect(),
            &mut Queued::new(),
            &mut work.run,
        )
        .await?;
        Ok(None)
    }

    /// The answer to a person who asked for a number that Xero does not have: numbers are compared exactly, and
    /// a blank at the end of one cannot be seen.
    async fn no_invoice(&self, number: &str, with_prefix: &str) -> Result<String, RunError> {
        let mut says = format!(
            "Xero has no invoice of this number; asked for exactly {with_prefix:?} and {number:?}, blanks included"
        );
        let prefix = self.settings.prefix.to_string();
        let local = number.strip_prefix(&prefix).unwrap_or(number);
        for other in self.tables.numbers_but_for_blanks(self.organisation(), local).await? {
            let there = self.settings.prefix.to_xero(&other);
            says.push_str(&format!(
                ". Xero has {there:?}, which differs by a blank: correct the number in Xero"
            ));
        }
        Ok(says)
    }

    async fn page(
        &self,
        at: Progress,
        run: &mut SyncRun,
    ) -> Result<Result<ChangedPage, Stop>, RunError> {
        if self.is_over() {
            return Ok(Err(Stop::OutOfTime));
        }
        let read = self.xero.changed_since(self.organisation(), at.list, at.reached).await;
        let page = self.counted(read, run)?;
        if let Ok(page) = &page {
            let read = page.seen.len().saturating_add(page.refunds.len());
            let read = read.saturating_add(page.others);
            run.count("rows", read.saturating_add(page.unreadable.len()));
            run.count("no_invoice", page.others);
        }
        Ok(page)
    }
}

/// What a message says of its cause.
pub(crate) fn cause(run: &SyncRun) -> Cause {
    match run.trigger {
        Trigger::Schedule | Trigger::Queue => Cause::Sweep,
        Trigger::Manual => Cause::Manual,
    }
}
