//! Sorting a batch of messages into work. Pure.

use std::collections::{BTreeMap, BTreeSet};

use aws_lambda_events::sqs::SqsMessage;
use jiff::{SignedDuration, Timestamp};
use payments::{OrganisationId, XeroInvoiceId};
use queue::{Cause, InvoiceChange, InvoiceChanges, Message};

/// Most invoices of one organisation that one invocation reads: 25 packed calls, well inside of Xero's
/// minute and of the function's time. The rest goes back to the queue without having lost anything.
pub(crate) const INVOICES_PER_RUN_MAX: usize = 1000;

/// Changes that have waited for longer come before all others. SP-09 promises five minutes.
const LONG: SignedDuration = SignedDuration::from_mins(2);

/// One invoice to bring up to date, and the records that ask for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Job {
    pub(crate) change: InvoiceChange,
    pub(crate) cause: Cause,
    /// The records, and when each of them was accepted.
    pub(crate) records: BTreeMap<usize, Timestamp>,
}

impl Job {
    /// When we took responsibility for it.
    pub(crate) fn accepted_at(&self) -> Timestamp {
        self.records.values().min().copied().unwrap_or_default()
    }
}

/// The invoices of one organisation, each once, however many messages name it.
pub(crate) type Jobs = BTreeMap<XeroInvoiceId, Job>;

/// A sweep's messages, by their positions in the batch, and when each was accepted.
pub(crate) type Swept = BTreeMap<usize, Timestamp>;

/// What a batch asks for. Records are counted by their position in the batch.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// Per organisation: the invoices to read.
    pub(crate) jobs: BTreeMap<OrganisationId, Jobs>,
    /// Per organisation: which of the messages are a sweep's, and when each was accepted. Last Sync waits for them.
    pub(crate) swept: BTreeMap<OrganisationId, Swept>,
    /// Messages that came before their time, or that are too much for one run: to be sent on.
    pub(crate) postponed: Vec<(usize, InvoiceChanges)>,
    /// Messages about other things than invoices.
    pub(crate) other: Vec<(usize, Message)>,
    /// Records that are no messages of ours, and what is wrong with them.
    pub(crate) unreadable: Vec<(usize, String)>,
}

/// Sorts a batch.
pub(crate) fn sort(records: &[SqsMessage], now: Timestamp) -> Work {
    let mut work = Work::default();
    for (position, record) in records.iter().enumerate() {
        match Message::from_json(record.body.as_deref().unwrap_or_default()) {
            Err(error) => work.unreadable.push((position, error.to_string())),
            Ok(Message::Invoices(changes)) => {
                let early = changes.not_before.is_some_and(|not_before| not_before > now);
                if early || work.is_too_much(&changes) {
                    work.postponed.push((position, changes));
                } else {
                    work.take(position, &changes);
                }
            }
            Ok(message) => work.other.push((position, message)),
        }
    }
    work
}

impl Work {
    /// Whether its organisation has enough to do without it. The first message is always taken, however
    /// much it asks for; and events of an invoice that is read anyway cost nothing.
    fn is_too_much(&self, changes: &InvoiceChanges) -> bool {
        let Some(jobs) = self.jobs.get(&changes.organisation) else { return false };
        let ids: BTreeSet<_> = changes.invoices.iter().map(|change| change.id).collect();
        let more = ids.iter().filter(|id| !jobs.contains_key(id)).count();
        more > 0 && jobs.len().saturating_add(more) > INVOICES_PER_RUN_MAX
    }

    fn take(&mut self, position: usize, changes: &InvoiceChanges) {
        if matches!(changes.cause, Cause::Sweep | Cause::Manual) {
            let swept = self.swept.entry(changes.organisation).or_default();
            swept.insert(position, changes.accepted_at);
        }
        let jobs = self.jobs.entry(changes.organisation).or_default();
        for change in &changes.invoices {
            let job = jobs.entry(change.id).or_insert_with(|| Job {
                change: *change,
                cause: changes.cause,
                records: BTreeMap::new(),
            });
            job.change.absorb(change);
            // A job of the sweep may wait, until a message with another cause asks for the invoice.
            if job.cause == Cause::Sweep {
                job.cause = changes.cause;
            }
            job.records.insert(position, changes.accepted_at);
        }
    }
}

/// The organisations of a batch in the order in which they are worked on. One with little to do comes first: none waits
/// for a noisy neighbour. But where the app's calls are used up all the time, so that much is sent back, one with more to
/// do would be last again and again: whose oldest change has waited for long comes before all others.
pub(crate) fn in_order(
    jobs: &BTreeMap<OrganisationId, Jobs>,
    now: Timestamp,
) -> Vec<(&OrganisationId, &Jobs)> {
    let mut organisations: Vec<_> = jobs.iter().collect();
    organisations.sort_by_key(|(_, jobs)| {
        let oldest = jobs.values().map(Job::accepted_at).min();
        let has_waited = oldest.is_some_and(|at| now.duration_since(at) > LONG);
        (!has_waited, jobs.len())
    });
    organisations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_work_comes_first_and_work_that_has_waited_long_before_it() {
        // SP-09
        let now: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let mut jobs = BTreeMap::new();
        for (organisation, count, seconds) in [(1, 3, 0), (2, 1, 0), (3, 9, 121), (4, 2, 119)] {
            let job = |id: u128| {
                let change =
                    InvoiceChange::new(XeroInvoiceId::new(uuid::Uuid::from_u128(id)), None);
                let accepted_at = now - jiff::SignedDuration::from_secs(seconds);
                (
                    change.id,
                    Job { change, cause: Cause::Webhook, records: [(0, accepted_at)].into() },
                )
            };
            let organisation = OrganisationId::new(uuid::Uuid::from_u128(organisation));
            jobs.insert(organisation, (0..count).map(job).collect::<Jobs>());
        }
        let order = in_order(&jobs, now);
        let lengths: Vec<_> = order.iter().map(|(_, jobs)| jobs.len()).collect();
        assert_eq!(lengths, [9, 1, 2, 3]);
    }

    fn record(body: String) -> SqsMessage {
        let mut record = SqsMessage::default();
        record.body = Some(body);
        record
    }

    fn changes(ids: std::ops::Range<u128>) -> InvoiceChanges {
        InvoiceChanges {
            organisation: "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap(),
            cause: Cause::Webhook,
            accepted_at: "2026-10-05T03:41:25Z".parse().unwrap(),
            not_before: None,
            invoices: ids
                .map(|id| InvoiceChange::new(XeroInvoiceId::new(uuid::Uuid::from_u128(id)), None))
                .collect(),
        }
    }

    fn now() -> Timestamp {
        "2026-10-05T03:41:26Z".parse().unwrap()
    }

    fn json(changes: InvoiceChanges) -> SqsMessage {
        record(Message::Invoices(changes).to_json().unwrap())
    }

    #[test]
    fn an_invoice_named_by_many_messages_is_one_job_that_remembers_all_of_them() {
        // FAULT-11: one fetch per invoice per batch.
        let work = sort(&[json(changes(0..3)), json(changes(1..4)), json(changes(2..3))], now());
        let jobs = work.jobs.values().next().unwrap();
        assert_eq!(jobs.len(), 4);
        let third = &jobs[&XeroInvoiceId::new(uuid::Uuid::from_u128(2))];
        assert!(third.records.keys().eq(&[0, 1, 2]));
    }

    #[test]
    fn parked_work_is_sent_on_until_its_time_has_come() {
        let parked = InvoiceChanges {
            not_before: Some("2026-10-05T04:00:00Z".parse().unwrap()),
            ..changes(0..1)
        };
        let work = sort(&[json(parked)], now());
        assert!(work.jobs.is_empty());
        assert_eq!(work.postponed.len(), 1);
    }

    #[test]
    fn no_run_takes_more_than_it_can_do() {
        let batch: Vec<_> = (0..8).map(|n| json(changes(n * 200..(n + 1) * 200))).collect();
        let work = sort(&batch, now());
        let taken: usize = work.jobs.values().map(BTreeMap::len).sum();
        assert_eq!((taken, work.postponed.len()), (INVOICES_PER_RUN_MAX, 3));
    }

    #[test]
    fn an_organisation_with_too_much_to_do_takes_nothing_from_another_one() {
        // FAULT-21
        let mut batch: Vec<_> = (0..8).map(|n| json(changes(n * 200..(n + 1) * 200))).collect();
        let quiet = "00000000-0000-0000-0000-000000000001".parse().unwrap();
        batch.push(json(InvoiceChanges { organisation: quiet, ..changes(0..1) }));
        let work = sort(&batch, now());
        assert_eq!((work.jobs[&quiet].len(), work.postponed.len()), (1, 3));
    }

    #[test]
    fn what_the_sweep_has_found_is_urgent_once_an_event_names_it() {
        let swept = InvoiceChanges { cause: Cause::Sweep, ..changes(0..2) };
        for batch in
            [[json(swept.clone()), json(changes(1..2))], [json(changes(1..2)), json(swept)]]
        {
            let work = sort(&batch, now());
            let causes: Vec<_> =
                work.jobs.values().flat_map(BTreeMap::values).map(|job| job.cause).collect();
            assert_eq!(causes, [Cause::Sweep, Cause::Webhook]);
        }
    }

    #[test]
    fn events_of_an_invoice_that_is_read_anyway_are_not_too_much() {
        // FAULT-04
        let batch: Vec<_> = (0..50).map(|_| json(changes(0..200))).collect();
        let work = sort(&batch, now());
        assert_eq!((work.jobs.len(), work.postponed.len()), (1, 0));
    }

    #[test]
    fn parked_work_takes_no_room() {
        let parked = InvoiceChanges {
            not_before: Some("2026-10-05T04:00:00Z".parse().unwrap()),
            ..changes(0..200)
        };
        let mut batch: Vec<_> = (0..20).map(|_| json(parked.clone())).collect();
        batch.push(json(changes(0..200)));
        let work = sort(&batch, now());
        assert_eq!((work.jobs.len(), work.postponed.len()), (1, 20));
    }

    #[test]
    fn a_record_that_is_no_message_of_ours_says_what_is_wrong() {
        let work = sort(&[record("<xml/>".to_owned()), record(String::new())], now());
        assert_eq!(work.unreadable.len(), 2);
    }
}
