//! The moves of the ledger, one by one.

use jiff::{SignedDuration, Timestamp};
use payments::upload::{
    Absence, CommandError, Hold, LedgerError, Line, PartState, PaymentCommand, SURE_AFTER,
    SendMode, Skip, Target, Totals, Upload, UploadState, WriteOutcome, admit, obey,
};
use payments::{PaymentStatus, Receipt};

use crate::uploads::samples::{
    admitted, contact_id, instant, money, night, on, pay_now, placed, receipt, reserved, sent,
};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn refused() -> WriteOutcome {
    WriteOutcome::Refused("Payment amount exceeds the amount outstanding".to_owned())
}

fn sent_at() -> Timestamp {
    instant("2026-03-10T11:00:01Z")
}

/// A hundred on one invoice, sent once.
fn hundred() -> Upload {
    sent(&receipt("P-1", "100.00"), &[(on(1, "1"), "100.00")])
}

/// Sixty on an invoice and forty as a prepayment, sent once.
fn sixty_and_forty() -> Upload {
    let prepayment = Target::Prepayment { contact: contact_id(1) };
    sent(&receipt("P-1", "100.00"), &[(on(1, "1"), "60.00"), (prepayment, "40.00")])
}

fn states(upload: &Upload) -> Vec<PartState> {
    upload.parts.iter().map(|part| part.state).collect()
}

#[test]
fn the_way_of_a_payment_that_goes_well() {
    // A7.4
    let row = admitted(&receipt("P-1", "100.00"));
    assert_eq!((row.state, row.line()), (UploadState::Waiting, Some(Line::Waiting)));
    let row = reserved(&receipt("P-1", "100.00"), &[(on(1, "1"), "100.00")]);
    assert_eq!((row.state, row.attempts), (UploadState::Reserved, 1));
    let mut row = hundred();
    assert_eq!((row.state, row.may_be_in_xero()), (UploadState::Sent, true));
    row.answer(1, WriteOutcome::Placed(placed(7)), false, sent_at()).unwrap();
    assert_eq!((row.state, row.line()), (UploadState::Uploaded, None));
    assert_eq!((row.parts[0].placed, row.progress()), (Some(placed(7)), (1, 1)));
}

#[test]
fn pay_now_waits_in_a_line_of_its_own() {
    // EX-01
    let row = admitted(&pay_now("P-1", "1", "100.00"));
    assert_eq!((row.state, row.line()), (UploadState::Waiting, Some(Line::Direct)));
}

#[test]
fn a_refusal_of_the_first_and_only_call_is_believed_and_frees_the_slot() {
    let mut row = hundred();
    row.answer(1, refused(), false, sent_at()).unwrap();
    assert_eq!(row.state, UploadState::Refused);
    assert!(row.why.contains("exceeds the amount outstanding"), "{}", row.why);
    let freed = row.free_slot().unwrap();
    assert_eq!(freed.sending, SendMode::Nightly(night("2026-03-10")));
    assert!(freed.slot && !freed.attempt, "it was an attempt (AMB-11)");
    assert_eq!(row.free_slot(), None, "once");
}

#[test]
fn a_refusal_after_a_repeated_call_is_not_believed() {
    // FAULT-25: it may be the echo of a call that went through.
    let mut row = hundred();
    row.answer(1, refused(), true, sent_at()).unwrap();
    assert_eq!((row.state, row.free_slot()), (UploadState::Unknown, None));
    // Nor is one that comes after it was unknown what became of the first call.
    let mut row = hundred();
    row.answer(1, WriteOutcome::Unclear, false, sent_at()).unwrap();
    row.answer(1, refused(), false, sent_at()).unwrap();
    assert_eq!(row.state, UploadState::Unknown);
    let mut row = hundred();
    row.resume(sent_at());
    row.answer(1, WriteOutcome::TurnedAway, false, sent_at()).unwrap();
    assert_eq!(row.state, UploadState::Unknown);
}

#[test]
fn two_late_reads_apart_prove_that_it_is_not_there() {
    // FAULT-24
    let mut row = hundred();
    let early = sent_at() + SURE_AFTER - SECOND;
    let first = sent_at() + SURE_AFTER;
    assert_eq!(row.look_at(), Some(first));
    assert_eq!(row.absent(1, early, early), Ok(Absence::TooEarly));
    assert_eq!(row.absent(1, first, first), Ok(Absence::LookAgain));
    assert_eq!(row.look_at(), Some(first + SECOND * 60));
    let soon = first + SECOND * 59;
    assert_eq!(row.absent(1, soon, soon), Ok(Absence::TooEarly));
    let second = first + SECOND * 60;
    assert_eq!(row.absent(1, second, second), Ok(Absence::NotThere));
    // The same part, the same stamp, the same slot; another key.
    assert_eq!((row.state, row.attempts, row.look_at()), (UploadState::Reserved, 1, None));
    let stamp = row.parts[0].stamp.clone();
    row.send(&[1], "key 2", second).unwrap();
    assert_eq!((row.parts[0].tries, row.parts[0].absences), (2, 0));
    assert_eq!(row.parts[0].stamp, stamp);
    // From now on even an unrepeated refusal needs the reads.
    row.answer(1, refused(), false, second).unwrap();
    assert_eq!(row.state, UploadState::Unknown);
    let (third, fourth) = (second + SURE_AFTER, second + SURE_AFTER + SECOND * 60);
    row.absent(1, third, third).unwrap();
    assert_eq!(row.absent(1, fourth, fourth), Ok(Absence::NotThere));
    assert_eq!(row.state, UploadState::Refused);
}

#[test]
fn it_turns_up_after_all() {
    // U15: the answer was lost, the stamp is found.
    let mut row = hundred();
    row.answer(1, WriteOutcome::Unclear, true, sent_at()).unwrap();
    row.absent(1, sent_at() + SURE_AFTER, sent_at()).unwrap();
    row.answer(1, WriteOutcome::Placed(placed(7)), true, sent_at()).unwrap();
    assert_eq!(row.state, UploadState::Uploaded);
    assert!(row.send(&[1], "key 2", sent_at()).is_err());
    assert!(row.absent(1, sent_at() + SURE_AFTER, sent_at()).is_err());
}

#[test]
fn partly_uploaded_says_how_many_of_how_many_parts() {
    // AMB-26
    let mut row = sixty_and_forty();
    row.answer(1, WriteOutcome::Placed(placed(7)), false, sent_at()).unwrap();
    assert_eq!((row.state, row.progress()), (UploadState::Sent, (1, 2)));
    row.answer(2, refused(), false, sent_at()).unwrap();
    assert_eq!((row.state, row.progress()), (UploadState::PartlyUploaded, (1, 2)));
    assert!(row.why.starts_with("partly in Xero: 1 of 2 parts; Xero says: Payment"), "{}", row.why);
    assert_eq!(row.free_slot(), None, "something of it is there");

    // Planned again, in other parts: the refused one is replaced.
    let parts = vec![(on(2, "2"), money("15.00")), (on(3, "3"), money("25.00"))];
    row.replan(parts, sent_at()).unwrap();
    assert_eq!((row.state, row.progress()), (UploadState::Reserved, (1, 3)));
    assert_eq!(row.parts.iter().map(|part| part.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    row.send(&[3, 4], "key 2", sent_at()).unwrap();
    row.answer(3, refused(), false, sent_at()).unwrap();
    row.answer(4, WriteOutcome::Placed(placed(8)), false, sent_at()).unwrap();
    assert_eq!((row.state, row.progress()), (UploadState::PartlyUploaded, (2, 3)));
    // Once a night.
    assert!(row.replan(vec![(on(4, "4"), money("15.00"))], sent_at()).is_err());
}

#[test]
fn the_rest_that_was_refused_is_tried_again_when_a_person_says_so() {
    let mut row = sixty_and_forty();
    row.answer(1, WriteOutcome::Placed(placed(7)), false, sent_at()).unwrap();
    row.answer(2, refused(), false, sent_at()).unwrap();
    for order in [PaymentCommand::Hold, PaymentCommand::DoNotSend] {
        let error = obey(&row, order, "Ana", "why not", sent_at()).unwrap_err();
        assert!(matches!(error, CommandError::TooLate { .. }), "{error}");
    }
    let mut row = obey(&row, PaymentCommand::Release, "Ana", "the account is open", sent_at())
        .unwrap()
        .unwrap();
    assert_eq!((row.state, row.line()), (UploadState::Waiting, Some(Line::Waiting)));
    assert_eq!(row.unallocated().unwrap(), money("40.00"));
    assert!(
        row.clone()
            .reserve(night("2026-03-11"), vec![(on(2, "2"), money("100.00"))], sent_at())
            .is_err()
    );
    row.reserve(night("2026-03-11"), vec![(on(2, "2"), money("40.00"))], sent_at()).unwrap();
    assert_eq!((row.state, row.progress()), (UploadState::Reserved, (1, 2)));
}

#[test]
fn parts_that_do_not_add_up_are_refused() {
    let waiting = admitted(&receipt("P-1", "100.00"));
    let tonight = night("2026-03-10");
    for amounts in [&["99.99"][..], &["100.01"], &["60.00", "40.01"], &[], &["100.00", "0.00"]] {
        let parts = amounts.iter().map(|amount| (on(1, "1"), money(amount))).collect();
        let error = waiting.clone().reserve(tonight, parts, sent_at());
        assert_eq!(error, Err(LedgerError::Sum), "{amounts:?}");
    }
    let parts =
        vec![(on(1, "1"), payments::Money::parse("100.00", "NZD".parse().unwrap()).unwrap())];
    assert!(matches!(
        waiting.clone().reserve(tonight, parts, sent_at()),
        Err(LedgerError::Money(_))
    ));
}

#[test]
fn a_row_that_was_never_sent_gives_slot_and_attempt_back() {
    let mut row = reserved(&receipt("P-1", "100.00"), &[(on(1, "1"), "100.00")]);
    let freed = row.resume(sent_at()).unwrap();
    assert!(freed.slot && freed.attempt);
    assert_eq!((row.state, row.attempts, row.parts.len()), (UploadState::Waiting, 0, 0));
    assert_eq!(row.resume(sent_at()), None);

    let mut direct = reserved(&pay_now("P-1", "1", "100.00"), &[(on(1, "1"), "100.00")]);
    assert_eq!(direct.resume(sent_at()).unwrap().sending, SendMode::Direct);
}

#[test]
fn a_call_that_was_turned_away_counts_for_nothing() {
    let mut row = hundred();
    row.answer(1, WriteOutcome::TurnedAway, false, sent_at()).unwrap();
    assert_eq!((row.state, row.parts[0].tries), (UploadState::Reserved, 0));
    assert!(!row.may_be_in_xero());
    // But not if it was repeated, for the first call may have gone through.
    let mut row = hundred();
    row.answer(1, WriteOutcome::TurnedAway, true, sent_at()).unwrap();
    assert_eq!(row.state, UploadState::Unknown);
}

/// A hundred that was sent on invoice 1, and is proven not to be in Xero.
fn absent() -> Upload {
    let mut row = hundred();
    assert_eq!(row.resume(sent_at()), None);
    assert_eq!(row.state, UploadState::Unknown, "a run that died leaves it unknown");
    for late in [SURE_AFTER, SURE_AFTER + SECOND * 60] {
        row.absent(1, sent_at() + late, sent_at() + late).unwrap();
    }
    row
}

#[test]
fn proven_absence_gives_the_slot_back_and_counts_the_next_sending_again() {
    // AMB-28, AMB-29
    let mut row = absent();
    let later = sent_at() + SURE_AFTER * 2;
    let freed = row.resume(later).unwrap();
    assert!(freed.slot && !freed.attempt, "it was sent, and nothing of it is in Xero");
    assert_eq!((row.state, row.may_be_in_xero()), (UploadState::Waiting, false));
    assert!(row.send(&[1], "key 2", later).is_err(), "it has no slot");
    row.reserve(night("2026-03-11"), vec![(on(1, "1"), money("100.00"))], later).unwrap();
    assert_eq!((row.parts.len(), row.attempts), (1, 2), "the same part with its stamp");
    row.send(&[1], "key 2", later).unwrap();
}

#[test]
fn what_is_absent_and_planned_otherwise_keeps_its_number() {
    // AMB-28
    let mut row = absent();
    row.resume(sent_at());
    row.reserve(night("2026-03-11"), vec![(on(2, "2"), money("100.00"))], sent_at()).unwrap();
    assert_eq!(states(&row), [PartState::Withdrawn, PartState::Planned]);
    assert_ne!(row.parts[0].stamp, row.parts[1].stamp);
    assert_eq!(row.unallocated().unwrap(), money("0.00"));
}

#[test]
fn what_was_reported_meanwhile_counts_once_it_is_proven_absent() {
    // AMB-28, EX-02, EX-35
    let at = sent_at();
    let report = |status, amount: &str| Receipt { revision: 2, status, ..receipt("P-1", amount) };
    let judged = |newest: Receipt| {
        let mut row = *admit(Some(&hundred()), &newest, at).upload.unwrap();
        assert_eq!((row.state, row.receipt.amount), (UploadState::Sent, money("100.00")));
        row.resume(at);
        for late in [SURE_AFTER, SURE_AFTER + SECOND * 60] {
            row.absent(1, at + late, at + late).unwrap();
        }
        row.resume(at + SURE_AFTER * 2);
        row
    };
    let refunded = judged(report(PaymentStatus::Refunded, "100.00"));
    assert_eq!((refunded.state, refunded.reason.as_str()), (UploadState::Skipped, "refunded"));
    let failed = judged(report(PaymentStatus::Failed, "100.00"));
    assert_eq!((failed.state, failed.reason.as_str()), (UploadState::Skipped, "not_approved"));
    let less = judged(report(PaymentStatus::Confirmed, "90.00"));
    assert_eq!((less.state, less.to_place().unwrap()), (UploadState::Waiting, money("90.00")));
}

#[test]
fn an_order_on_what_is_on_its_way_counts_once_it_is_proven_absent() {
    // A8.3
    let at = sent_at();
    for (order, state) in [
        (PaymentCommand::Hold, UploadState::Held),
        (PaymentCommand::DoNotSend, UploadState::Skipped),
    ] {
        let mut row = obey(&hundred(), order, "Ana", "disputed", at).unwrap().unwrap();
        assert_eq!(row.state, UploadState::Sent, "it cannot be called back");
        row.resume(at);
        for late in [SURE_AFTER, SURE_AFTER + SECOND * 60] {
            row.absent(1, at + late, at + late).unwrap();
        }
        row.resume(at + SURE_AFTER * 2);
        assert_eq!((row.state, row.why.as_str()), (state, "Ana: disputed"));
    }
}

#[test]
fn only_a_row_in_hand_is_sent() {
    let mut row =
        reserved(&receipt("P-1", "100.00"), &[(on(1, "1"), "60.00"), (on(2, "2"), "40.00")]);
    let before = row.clone();
    for numbers in [&[1, 9][..], &[1, 1], &[0]] {
        assert!(row.send(numbers, "key", sent_at()).is_err());
        assert_eq!(row, before, "nothing of it was changed");
    }
    row.put_on_hold(Hold::BlockedByAction, "an action", None, sent_at());
    assert!(row.send(&[1], "key", sent_at()).is_err());
    assert!(row.answer(1, WriteOutcome::Unclear, false, sent_at()).is_err(), "it was not sent");
    assert!(row.absent(1, sent_at(), sent_at()).is_err());
    assert_eq!(states(&row), [PartState::Planned, PartState::Planned]);
}

#[test]
fn a_refused_row_whose_slot_is_gone_is_not_planned_anew() {
    let mut row = hundred();
    row.answer(1, refused(), false, sent_at()).unwrap();
    row.free_slot().unwrap();
    assert!(row.replan(vec![(on(2, "2"), money("100.00"))], sent_at()).is_err());
}

#[test]
fn a_person_holds_releases_and_forbids_what_has_not_gone() {
    let at = sent_at();
    let row = admitted(&receipt("P-1", "100.00"));
    let held = obey(&row, PaymentCommand::Hold, "Ana", "disputed", at).unwrap().unwrap();
    assert_eq!((held.hold(), held.why.as_str()), (Some(Hold::HeldByPerson), "Ana: disputed"));
    assert_eq!(
        obey(&held, PaymentCommand::Hold, "Ana", "disputed", at),
        Ok(None),
        "it is so already"
    );
    assert!(held.clone().release_hold(at).is_err(), "only a person releases it");
    let released = obey(&held, PaymentCommand::Release, "Ben", "solved", at).unwrap().unwrap();
    assert_eq!(released.state, UploadState::Waiting);
    assert!(released.why.ends_with("released by Ben: solved"), "{}", released.why);
    let never = obey(&released, PaymentCommand::DoNotSend, "Ana", "cash", at).unwrap().unwrap();
    assert_eq!(
        (never.state, never.reason.as_str()),
        (UploadState::Skipped, Skip::DoNotSend.code())
    );
    for row in [hundred(), reserved(&receipt("P-1", "1.00"), &[(on(1, "1"), "1.00")])] {
        assert!(obey(&row, PaymentCommand::Release, "Ana", "late", at).is_err(), "{}", row.state);
        for order in [PaymentCommand::SamePayment, PaymentCommand::TwoPayments] {
            let refused = obey(&row, order, "Ana", "late", at);
            assert!(matches!(refused, Err(CommandError::NoSuspicion { .. })), "{order}");
        }
    }
}

#[test]
fn a_report_is_taken_in_by_the_state_of_the_row() {
    // AMB-08: a payment that may be in Xero is never queued again by a report.
    let at = sent_at();
    let newer = payments::Receipt { revision: 2, amount: money("90.00"), ..receipt("P-1", "1.00") };
    let known = receipt("P-1", "100.00");
    let taken_in = |row: &Upload| {
        let admission = admit(Some(row), &newer, at);
        let after = admission.upload.unwrap();
        let (state, amount) = (after.state, after.receipt.amount.to_string());
        assert_eq!(after.receipt.revision, 2);
        let again = admit(Some(&after), &newer, at);
        assert_eq!((again.upload, again.warning), (None, None), "the same report warns once");
        (state, amount, admission.warning.is_some())
    };
    let anew = |warns: bool| (UploadState::Waiting, "90.00 AUD".to_owned(), warns);
    let kept = |state| (state, "100.00 AUD".to_owned(), true);

    let waiting = admitted(&known);
    assert_eq!(taken_in(&waiting), anew(false));
    assert_eq!(taken_in(&reserved(&known, &[(on(1, "1"), "100.00")])), anew(false));
    assert_eq!(taken_in(&hundred()), kept(UploadState::Sent));
    let mut row = hundred();
    row.answer(1, WriteOutcome::Unclear, false, at).unwrap();
    assert_eq!(taken_in(&row), kept(UploadState::Unknown));
    row.answer(1, WriteOutcome::Placed(placed(7)), true, at).unwrap();
    assert_eq!(taken_in(&row), kept(UploadState::Uploaded));
    let mut row = sixty_and_forty();
    row.answer(1, WriteOutcome::Placed(placed(7)), false, at).unwrap();
    row.answer(2, refused(), false, at).unwrap();
    assert_eq!(taken_in(&row), kept(UploadState::PartlyUploaded));
    let mut row = hundred();
    row.answer(1, refused(), false, at).unwrap();
    assert_eq!(taken_in(&row), anew(false));

    let mut row = waiting.clone();
    row.put_on_hold(Hold::ExceedsDue, "too much", None, at);
    assert_eq!(taken_in(&row), anew(false));
    row.skip(Skip::NotAppliedToInvoice, "names none", None, at);
    assert_eq!(taken_in(&row), anew(false));
    // What a person has decided stays decided.
    let held = obey(&waiting, PaymentCommand::Hold, "Ana", "disputed", at).unwrap().unwrap();
    assert_eq!(taken_in(&held), (UploadState::Held, "90.00 AUD".to_owned(), false));
    let never = obey(&waiting, PaymentCommand::DoNotSend, "Ana", "cash", at).unwrap().unwrap();
    assert_eq!(taken_in(&never), (UploadState::Skipped, "90.00 AUD".to_owned(), false));
}

#[test]
fn a_report_after_the_upload_warns_of_what_it_contradicts() {
    let at = sent_at();
    let sent = receipt("P-1", "100.00");
    let warns = |change: &dyn Fn(&mut payments::Receipt)| {
        let mut newer = payments::Receipt { revision: 2, ..sent.clone() };
        change(&mut newer);
        admit(Some(&hundred()), &newer, at).warning.map(|warning| warning.why)
    };
    assert_eq!(warns(&|_| {}), None);
    assert_eq!(warns(&|r| r.settled = true), None);
    assert_eq!(warns(&|r| r.journaled = true), None);
    for (words, warning) in [
        ("its amount", warns(&|r| r.amount = money("99.00"))),
        ("its date", warns(&|r| r.date = crate::uploads::samples::date("2026-03-11"))),
        ("given back", warns(&|r| r.status = PaymentStatus::Refunded)),
        ("its invoices", warns(&|r| r.allocations = pay_now("P", "5", "100.00").allocations)),
    ] {
        assert!(warning.unwrap().contains(words), "{words}");
    }
}

#[test]
fn money_that_was_not_taken_does_not_wait() {
    // EX-02, EX-35, AMB-18
    let with = |status, approved| {
        let row = admitted(&payments::Receipt { status, approved, ..receipt("P-1", "1.00") });
        (row.state, row.reason)
    };
    let skipped = |skip: Skip| (UploadState::Skipped, skip.code().to_owned());
    assert_eq!(with(PaymentStatus::Pending, true).0, UploadState::Waiting);
    assert_eq!(with(PaymentStatus::Confirmed, false).0, UploadState::Waiting);
    assert_eq!(with(PaymentStatus::Pending, false), skipped(Skip::NotApproved));
    assert_eq!(with(PaymentStatus::Failed, true), skipped(Skip::NotApproved));
    assert_eq!(with(PaymentStatus::Refunded, true), skipped(Skip::Refunded));
}

#[test]
fn a_nights_totals_count_every_row_once() {
    let mut held = admitted(&receipt("P-2", "1.00"));
    held.put_on_hold(Hold::LockedPeriod, "locked", None, sent_at());
    let skipped =
        admitted(&payments::Receipt { method: "batch_debit".into(), ..receipt("P-3", "5000.00") });
    let mut refused_row = hundred();
    refused_row.answer(1, refused(), false, sent_at()).unwrap();
    let totals = Totals::of(&[hundred(), refused_row, held, skipped]);
    assert_eq!(totals.sent(), 2);
    assert_eq!(totals.in_state(UploadState::Held), 1);
    let reasons: Vec<_> =
        totals.by_reason.iter().map(|(reason, n)| (reason.as_str(), *n)).collect();
    assert_eq!(reasons, [("LOCKED_PERIOD", 1), ("no_customer", 1)]);
}
