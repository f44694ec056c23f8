//! The vectors of rules A1.2 and A2.2: the state that an operator sees of each payment of them.

use payments::explanations::{Facts, State, Subject};
use payments::upload::{Customer, Disabled, Hold, Placed, Skip, Upload, WriteOutcome, taken};
use payments::{Ignored, NumberPrefix, PaymentStatus, Receipt, StoredInvoice, Tombstone, Verdict};
use scenarios::mirror;

use crate::explaining::samples::{
    admitted, bpay, on, pay_now, removed, reserved, sent, settings, state_of, uploading,
};
use crate::worlds::{noon, xero_id};

/// Vector, scenario and how many of its steps (all, if nothing is said), which payment, and its state then. `x1` is a payment in Xero; anything
/// else is one of the business's own, or a copy.
const INBOUND: &[(&str, &str, &str, &str)] = &[
    ("V1 CM-07", "v01-a-xero-payment-is-copied", "x1", "applied"),
    ("V1 CM-34", "v01-a-xero-payment-is-copied", "copy of x1", "applied"),
    ("V2 CM-32", "v02-the-same-event-again", "x1", "applied"),
    ("V3 CM-33", "v03-a-hand-entered-payment-is-adopted", "a", "adopted"),
    ("V3 CM-33", "v03-a-hand-entered-payment-is-adopted", "x1", "adopted"),
    ("V4 CM-37", "v04-deleted-in-xero", "x1", "removed"),
    ("V5 CM-27", "v05-journaled-and-deleted-in-xero", "x1", "protected (journaled)"),
    ("V6 CM-09", "v06-an-edit-in-xero", "x1", "removed"),
    ("V6 CM-34", "v06-an-edit-in-xero", "x2", "applied"),
    ("V7 AMB-03", "v07-journaled-and-edited-in-xero", "x1", "protected (journaled)"),
    ("V7 AMB-03", "v07-journaled-and-edited-in-xero", "x2", "applied"),
    ("V8 AMB-02", "v08-part-of-a-payment-over-several-invoices", "x1", "held (MULTI_INVOICE)"),
    ("V8 CM-28", "v08-part-of-a-payment-over-several-invoices", "a", "protected (multi_invoice)"),
    ("V9 CM-39", "v09-manual-and-one-day-apart", "a", "protected (manual)"),
    ("V9 CM-45", "v09-manual-and-one-day-apart", "x1", "applied"),
    ("V11 CM-31", "v11-the-whole-collection-is-compared", "b", "adopted"),
    ("V11 CM-31", "v11-the-whole-collection-is-compared", "x3", "applied"),
    ("CM-32", "cm-32-a-payment-id-comes-back 2", "x2", "unchanged"),
    ("CM-32", "cm-32-a-payment-id-comes-back", "x1", "applied"),
    ("CM-35", "cm-35-once-manual-and-deleted-in-xero", "x1", "removed"),
    ("V13 CM-40", "v13-dated-in-the-future 1", "x1", "applied"),
    ("V13 CM-40 CM-48", "v13-dated-in-the-future 2", "x2", "held (FUTURE_DATED)"),
    ("V13 AMB-20", "v13-dated-in-the-future 3", "x2", "applied"),
    ("V15 CM-22", "v15-a-credit-note-is-no-payment", "x1", "applied"),
    ("V19", "v19-an-old-read-comes-late 3", "x1", "applied"),
    ("V20 AMB-05", "v20-our-own-upload-comes-back", "x9", "uploaded"),
    ("V21 AMB-08", "v21-an-upload-is-deleted-in-xero", "x9", "protected (deleted_after_upload)"),
];

/// Plays a scenario, or its first steps; the invoice, and what was removed from it.
fn played(name: &str) -> (StoredInvoice, Vec<Tombstone>) {
    let (name, steps) = name.split_once(' ').unwrap_or((name, "99"));
    let path = mirror::folder().join(format!("{name}.json"));
    let scenario = mirror::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut world = mirror::world::World::given(&scenario.given);
    let (mut after, mut tombstones) = (None, Vec::new());
    for step in scenario.steps.iter().take(steps.parse().unwrap()) {
        let played = world.play(step);
        if let Verdict::Changed(change) = played.verdict {
            tombstones.extend(change.tombstones);
        }
        after = Some(played.after);
    }
    (after.unwrap(), tombstones)
}

fn subject(name: &str) -> Subject {
    let is_xero = name.strip_prefix('x').is_some_and(|rest| rest.parse::<u8>().is_ok());
    if is_xero {
        Subject::Xero(mirror::world::xero_payment_id(name))
    } else {
        Subject::Ours(mirror::world::payment_id(name))
    }
}

#[test]
fn every_inbound_vector_has_its_one_state() {
    // A1.2, A7.4
    let mut wrong = Vec::new();
    for (rules, name, about, expected) in INBOUND {
        let (invoice, tombstones) = played(name);
        let mut facts = on(&invoice, subject(about));
        facts.removed = removed(&invoice, &tombstones);
        let state = state_of(&facts);
        if state != *expected {
            wrong.push(format!("{rules} {name}: {about} is {state}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn an_invoice_of_another_prefix_is_ignored_with_its_reason() {
    // V14, CM-05
    let prefix = NumberPrefix::default();
    for (number, reason) in [
        ("INV-9", "ignored (not_cm_prefix)"),
        ("cm-9", "ignored (not_cm_prefix)"),
        ("CM-", "ignored (empty_number)"),
    ] {
        let ignored: Ignored = prefix.to_local(number).unwrap_err();
        let facts = Facts { ignored: Some(ignored), ..Facts::none(subject("x1")) };
        assert_eq!(state_of(&facts), reason, "{number}");
    }
}

#[test]
fn a_report_that_could_not_be_processed_is_failed_only_if_nothing_else_is_known() {
    // V18, CM-43
    let parked = payments::explanations::ParkedReport {
        parked_at: "2026-03-02T00:00:00.000000Z#m-1".to_owned(),
        by: "mirror".to_owned(),
        reason: "stale_read".to_owned(),
        detail: "read older than its event".to_owned(),
    };
    let mut facts = Facts { parked: Some(parked), ..Facts::none(subject("x1")) };
    assert_eq!(state_of(&facts), "failed (parked)");
    let (invoice, _) = played("v01-a-xero-payment-is-copied");
    facts.invoices = vec![std::sync::Arc::new(invoice)];
    assert_eq!(state_of(&facts), "applied");
}

/// The parts of 40.00 that Xero has taken, and those that it has refused.
fn answered(receipt: &Receipt, cents: &[i64], refused: &[u32]) -> Upload {
    let mut upload = sent(receipt, cents);
    let parts: Vec<_> = upload.parts.iter().map(|part| part.number).collect();
    for number in parts {
        let answer = if refused.contains(&number) {
            WriteOutcome::Refused("Payment amount exceeds the amount outstanding".to_owned())
        } else {
            WriteOutcome::Placed(Placed::Payment(xero_id(u8::try_from(number).unwrap())))
        };
        upload.answer(number, answer, false, noon(2)).unwrap();
    }
    upload
}

fn skipped(skip: Skip) -> Upload {
    let mut upload = admitted(&bpay("P-1"));
    upload.skip(skip, "why", None, noon(3));
    upload
}

#[test]
fn every_outbound_vector_has_its_one_state() {
    // A2.2, A7.4
    let declined = Receipt { status: PaymentStatus::Failed, approved: false, ..pay_now("P-1") };
    assert_eq!(taken(&declined), None);
    let direct_debit = Receipt { method: "direct_debit".to_owned(), ..bpay("P-1") };
    let batch = Receipt { method: "batch_debit".to_owned(), ..bpay("P-1") };
    let mut unmapped = admitted(&bpay("P-1"));
    unmapped.put_on_hold(Hold::AccountUnmapped, "chargeback has no account", None, noon(3));
    let mut unknown = sent(&bpay("P-1"), &[40_00]);
    unknown.answer(1, WriteOutcome::Unclear, false, noon(2)).unwrap();
    let vectors: Vec<(&str, Upload, &str)> = vec![
        ("U1 EX-01, before", admitted(&pay_now("P-1")), "waiting (at_once)"),
        ("U1 EX-01", answered(&pay_now("P-1"), &[40_00], &[]), "uploaded"),
        ("U2 EX-02", admitted(&declined), "skipped (not_approved)"),
        ("U3 EX-03", admitted(&bpay("P-1")), "waiting (night)"),
        ("U5 EX-06", answered(&bpay("P-1"), &[10_00, 15_00, 15_00], &[]), "uploaded"),
        (
            "AMB-26",
            answered(&bpay("P-1"), &[10_00, 10_00, 10_00, 10_00], &[2, 4]),
            "partly uploaded 2 of 4",
        ),
        ("U9 EX-09", admitted(&direct_debit), "skipped (not_applied_to_invoice)"),
        ("U10 EX-11", admitted(&batch), "skipped (no_customer)"),
        ("U11 EX-31", reserved(&bpay("P-1"), &[40_00]), "planned (reserved)"),
        ("U13 EX-33", skipped(Skip::BeforeStartDate), "skipped (before_start_date)"),
        ("U15 X-12", unknown, "planned (unknown)"),
        ("U17", sent(&bpay("P-1"), &[40_00]), "planned (sent)"),
        ("U18 EX-19", unmapped, "blocked (ACCOUNT_UNMAPPED)"),
        ("X-17", answered(&bpay("P-1"), &[40_00], &[1]), "failed (refused_by_xero)"),
    ];
    for (rules, upload, expected) in vectors {
        assert_eq!(state_of(&uploading(upload)), expected, "{rules}");
    }
}

#[test]
fn while_an_action_is_open_everything_of_its_customer_is_blocked() {
    // U14, EX-28, AMB-15
    let customer = Customer {
        organisation: settings().organisation,
        id: "K-1".parse().unwrap(),
        revision: 1,
        name: None,
        contact: None,
        blocked: Some("two contacts in Xero".to_owned()),
        blocked_at: Some(noon(1)),
        merged: None,
        unusable_contact: None,
    };
    for receipt in [bpay("P-1"), pay_now("P-1")] {
        let mut facts = uploading(admitted(&receipt));
        facts.customer = Some(customer.clone());
        assert_eq!(state_of(&facts), "blocked (BLOCKED_BY_ACTION)");
        facts.customer = Some(Customer { blocked: None, ..customer.clone() });
        assert!(state_of(&facts).starts_with("waiting"));
    }
}

#[test]
fn attempt_4001_disables_the_nights_and_not_what_is_posted_at_once() {
    // U12, EX-32, AMB-13
    let off = Disabled { at: noon(1), why: "more than 4000 attempts in 30 days".to_owned() };
    let mut caps = payments::upload::Caps::unused(settings().organisation);
    caps.disabled = Some(off);
    let with = |receipt| Facts { caps: Some(caps.clone()), ..uploading(admitted(&receipt)) };
    assert_eq!(state_of(&with(bpay("P-1"))), "disabled (attempts_used_up)");
    assert_eq!(state_of(&with(pay_now("P-1"))), "waiting (at_once)");
}

#[test]
fn uploading_that_is_not_set_up_or_switched_off_is_told_as_such() {
    // A2.1: the gates
    let facts = uploading(admitted(&bpay("P-1")));
    let mut settings = settings();
    let state = |settings: &payments::Settings| State::of(&facts, settings).unwrap().to_string();
    settings.upload.as_mut().unwrap().enabled = false;
    assert_eq!(state(&settings), "disabled (by_settings)");
    settings.upload = None;
    assert_eq!(state(&settings), "disabled (not_set_up)");
}

#[test]
fn what_the_mirror_has_found_in_xero_is_told_by_the_mirror() {
    // A bank transfer that is never uploaded, and was matched in Xero: it is in both systems (CM-33).
    let (invoice, _) = played("v03-a-hand-entered-payment-is-adopted");
    for upload in [skipped(Skip::MethodNotUploaded), skipped(Skip::BeforeStartDate)] {
        let mut facts = on(&invoice, subject("a"));
        facts.upload = Some(upload);
        assert_eq!(state_of(&facts), "adopted");
    }
    // A payment that is in no other way in Xero has the state of its upload, unless Xero gets it
    // from the bank.
    let (invoice, _) = played("v09-manual-and-one-day-apart");
    let mut facts = on(&invoice, subject("a"));
    facts.upload = Some(skipped(Skip::BeforeStartDate));
    assert_eq!(state_of(&facts), "skipped (before_start_date)");
    facts.upload = Some(skipped(Skip::MethodNotUploaded));
    assert_eq!(state_of(&facts), "protected (manual)");
}

#[test]
fn an_upload_that_was_deleted_in_xero_is_not_told_as_uploaded() {
    // AMB-08, EX-23
    let (invoice, _) = played("v21-an-upload-is-deleted-in-xero");
    let id = invoice.payments[0].id.clone();
    let mut facts = on(&invoice, Subject::Ours(id));
    facts.upload = Some(answered(&bpay("P-1"), &[40_00], &[]));
    let state = State::of(&facts, &settings()).unwrap();
    assert_eq!(state.to_string(), "protected (deleted_after_upload)");
    assert!(!state.is_synced());
}
