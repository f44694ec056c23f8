//! What becomes of payments that have a past, and what holds for every plan (A2.1).

use std::collections::{BTreeMap, BTreeSet};

use payments::upload::{
    Books, Certainty, Customer, Hold, OpenInvoice, PARTS_MAX, PartState, Planner, SURE_AFTER, Skip,
    Target, Upload, UploadDecision, UploadSettings, UploadStart, UploadState, WriteOutcome, admit,
    gate,
};
use payments::{
    InvoiceKind, InvoiceNumber, InvoiceStatus, Money, NumberPrefix, Receipt, XeroAccountId,
    XeroInvoiceId,
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::uploads::samples::{
    admitted, allocation, aud, cents, config, contact_id, date, instant, invoice_id, money, night,
    on, pay_now, placed, receipt, sent, settings,
};

fn open(n: u128, issued: &str, due: &str) -> OpenInvoice {
    OpenInvoice {
        id: invoice_id(n),
        number: format!("CM-{n}"),
        kind: InvoiceKind::Sales,
        status: InvoiceStatus::Authorised,
        contact: Some(contact_id(1)),
        issued_on: Some(date(issued)),
        due_on: None,
        due: money(due),
        payments: Vec::new(),
    }
}

fn customer() -> Customer {
    Customer {
        organisation: crate::uploads::samples::organisation(),
        id: "K-1".parse().unwrap(),
        revision: 1,
        name: None,
        contact: Some(contact_id(1)),
        blocked: None,
        blocked_at: None,
        merged: None,
        unusable_contact: None,
    }
}

fn plan(planner: &mut Planner<'_>, row: &Upload) -> Vec<(Target, Money)> {
    match planner.plan(row, Some(&customer())) {
        UploadDecision::Send(parts) => parts,
        other => panic!("{other:?}"),
    }
}

fn planner(invoices: Vec<OpenInvoice>, prefix: &NumberPrefix) -> Planner<'_> {
    Planner::new(invoices, &BTreeSet::new(), prefix, true)
}

fn refuse(row: &mut Upload, number: u32) {
    row.answer(number, WriteOutcome::Refused("no".into()), false, row.since).unwrap();
}

#[test]
fn what_was_refused_is_planned_anew_on_fresh_figures() {
    // FAULT-26: a person has paid the invoice meanwhile.
    let prefix = NumberPrefix::default();
    let mut row = sent(&receipt("P-1", "100.00"), &[(on(1, "1"), "60.00"), (on(2, "2"), "40.00")]);
    row.answer(1, WriteOutcome::Placed(placed(9)), false, row.since).unwrap();
    refuse(&mut row, 2);
    // The part that is there already counts in what is due on its invoice; it gets no second one.
    let fresh = vec![open(1, "2026-01-01", "500.00"), open(3, "2026-02-01", "30.00")];
    let parts = plan(&mut planner(fresh, &prefix), &row);
    let prepayment = Target::Prepayment { contact: contact_id(1) };
    assert_eq!(parts, [(on(3, "3"), money("30.00")), (prepayment, money("10.00"))]);
    row.replan(parts, row.since).unwrap();
    assert_eq!(row.state, UploadState::Reserved);
}

#[test]
fn a_refused_part_that_a_direct_post_named_is_tried_on_the_same_invoice() {
    let prefix = NumberPrefix::default();
    let mut named = pay_now("P-1", "1", "100.00");
    named.allocations = vec![allocation("1", "60.00"), allocation("2", "40.00")];
    let mut row = sent(&named, &[(on(1, "1"), "60.00"), (on(2, "2"), "40.00")]);
    row.answer(1, WriteOutcome::Placed(placed(9)), false, row.since).unwrap();
    refuse(&mut row, 2);
    let both = || vec![open(1, "2026-01-01", "500.00"), open(2, "2026-01-01", "40.00")];
    assert_eq!(plan(&mut planner(both(), &prefix), &row), [(on(2, "2"), money("40.00"))]);
    let mut less = both();
    less[1].due = money("39.99");
    let judged = planner(less, &prefix).plan(&row, None);
    assert!(matches!(judged, UploadDecision::Hold(Hold::ExceedsDue, _)), "{judged:?}");
    let judged = planner(vec![], &prefix).plan(&row, None);
    assert!(matches!(judged, UploadDecision::Hold(Hold::InvoiceNotOpen, _)), "{judged:?}");
}

#[test]
fn a_direct_post_that_was_refused_and_reported_anew_goes_where_the_new_report_says() {
    let prefix = NumberPrefix::default();
    let mut row = sent(&pay_now("P-1", "1", "100.00"), &[(on(1, "1"), "100.00")]);
    refuse(&mut row, 1);
    let corrected = Receipt { revision: 2, ..pay_now("P-1", "2", "90.00") };
    let mut row = *admit(Some(&row), &corrected, row.since).upload.unwrap();
    let fresh = vec![open(1, "2026-01-01", "500.00"), open(2, "2026-01-01", "500.00")];
    let parts = plan(&mut planner(fresh, &prefix), &row);
    assert_eq!(parts, [(on(2, "2"), money("90.00"))]);
    row.reserve(night("2026-03-11"), parts, row.since).unwrap();
    assert_eq!(row.parts.iter().map(|part| part.number).collect::<Vec<_>>(), [1, 2]);
    assert_ne!(row.parts[0].stamp, row.parts[1].stamp);
}

/// A hundred that was sent in vain on invoice 1, and waits for the next night.
fn in_vain() -> Upload {
    let mut row = sent(&receipt("P-1", "100.00"), &[(on(1, "1"), "100.00")]);
    let mut at = row.parts[0].sent_at.unwrap();
    for _ in 0..2 {
        at += SURE_AFTER;
        row.absent(1, at, at).unwrap();
    }
    row.resume(at);
    assert_eq!((row.state, row.parts[0].state), (UploadState::Waiting, PartState::Planned));
    row
}

#[test]
fn what_is_sent_again_as_it_was_leaves_nothing_of_its_invoice_to_others() {
    // A2.1: its part is not in Xero yet, so that Xero still shows the invoice as open.
    let prefix = NumberPrefix::default();
    let mut planner = planner(vec![open(1, "2026-01-01", "100.00")], &prefix);
    assert_eq!(plan(&mut planner, &in_vain()), [(on(1, "1"), money("100.00"))]);
    let next = plan(&mut planner, &admitted(&receipt("P-2", "100.00")));
    assert_eq!(next, [(Target::Prepayment { contact: contact_id(1) }, money("100.00"))]);
}

pub fn uploading(start: &str) -> UploadSettings {
    let start: UploadStart = start.parse().unwrap();
    UploadSettings::new(start, XeroAccountId::new(Uuid::from_u128(7)))
}

#[test]
fn what_is_proven_absent_passes_every_gate_again() {
    // AMB-28: nothing of it is in Xero, so that it is like a payment that was never sent.
    let books = Books { currency: aud(), locked_until: None };
    let later = UploadSettings { when: Certainty::Settled, ..uploading("2026-06-01") };
    let judge = |row: &Upload, books: &Books, uploading: &UploadSettings| {
        gate(row, Some(&customer()), books, &settings(), uploading).map_err(|no| match no {
            UploadDecision::Hold(hold, _) => hold.code(),
            UploadDecision::Skip(skip, _) => skip.code(),
            _ => "goes",
        })
    };
    let usual = uploading("2026-01-01");
    assert!(judge(&in_vain(), &books, &usual).is_ok());
    assert_eq!(judge(&in_vain(), &books, &later), Err(Skip::NotApproved.code()));
    let locked = Books { locked_until: Some(date("2026-03-10")), ..books };
    assert_eq!(judge(&in_vain(), &locked, &usual), Err(Hold::LockedPeriod.code()));
}

#[test]
fn more_parts_than_one_upload_may_have_are_not_made() {
    let prefix = NumberPrefix::default();
    let invoices = |count| (1..=count).map(|n| open(n, "2026-01-01", "1.00")).collect::<Vec<_>>();
    let many = u128::try_from(PARTS_MAX).unwrap();
    let row = admitted(&receipt("P-1", "201.00"));
    let judged = planner(invoices(many), &prefix).plan(&row, Some(&customer()));
    assert!(matches!(judged, UploadDecision::Skip(Skip::TooManyParts, _)), "{judged:?}");
    let row = admitted(&receipt("P-1", "200.00"));
    assert_eq!(plan(&mut planner(invoices(many), &prefix), &row).len(), PARTS_MAX);
}

fn arb_invoice(n: u128) -> impl Strategy<Value = OpenInvoice> {
    let day = 1_i8..4;
    let status = prop::sample::select(
        &[
            InvoiceStatus::Authorised,
            InvoiceStatus::Authorised,
            InvoiceStatus::Authorised,
            InvoiceStatus::Paid,
            InvoiceStatus::Draft,
        ][..],
    );
    (prop::option::weighted(0.9, day), 0_u32..6, status, 1_u128..3).prop_map(
        move |(day, due, status, contact)| OpenInvoice {
            issued_on: day.map(|day| jiff::civil::date(2026, 1, day)),
            due: cents(due * 10_00),
            status,
            contact: Some(contact_id(contact)),
            ..open(n, "2026-01-01", "0.00")
        },
    )
}

/// BPAY, or a direct post that names one invoice.
fn arb_receipt(n: usize) -> impl Strategy<Value = Receipt> {
    let named = prop::option::weighted(0.3, (1_u128..7, 1_u32..8));
    (1_u32..16, named, any::<bool>()).prop_map(move |(tens, named, bpay)| {
        let id = format!("P-{n}");
        let amount = cents(tens * 10_00).amount().to_string();
        match named {
            None => receipt(&id, &amount),
            Some((invoice, part)) if bpay => {
                let part = cents(part.min(tens) * 10_00).amount().to_string();
                Receipt {
                    allocations: vec![allocation(&invoice.to_string(), &part)],
                    ..receipt(&id, &amount)
                }
            }
            Some((invoice, _)) => pay_now(&id, &invoice.to_string(), &amount),
        }
    })
}

proptest! {
    #![proptest_config(config())]

    /// EX-04 to EX-08: every plan adds up, takes no more than is due, uses the oldest first, and keeps
    /// BPAY away from payment plans; together, all plans of a night take no more than is due.
    #[test]
    fn law_plans_add_up_and_take_no_more_than_is_due(
        invoices in (1_u128..7).map(|n| arb_invoice(n).boxed()).collect::<Vec<_>>(),
        receipts in (0_usize..5).map(|n| arb_receipt(n).boxed()).collect::<Vec<_>>(),
        on_plan in prop::collection::btree_set(1_u8..7, 0..2),
        prepayments in any::<bool>(),
    ) {
        let prefix = NumberPrefix::default();
        let on_plan: BTreeSet<InvoiceNumber> =
            on_plan.into_iter().map(|n| n.to_string().parse().unwrap()).collect();
        let mut left: BTreeMap<XeroInvoiceId, OpenInvoice> =
            invoices.iter().map(|invoice| (invoice.id, invoice.clone())).collect();
        let mut planner = Planner::new(invoices, &on_plan, &prefix, prepayments);
        for receipt in receipts {
            let mut row = admitted(&receipt);
            let bpay = receipt.method == "bpay";
            let before = left.clone();
            let parts = match planner.plan(&row, Some(&customer())) {
                UploadDecision::Send(parts) => parts,
                UploadDecision::Hold(hold, why) => {
                    prop_assert!(bpay || hold != Hold::NoPrepaymentAccount, "{why}");
                    prop_assert!(hold != Hold::NoPrepaymentAccount || !prepayments);
                    prop_assert!(!bpay || hold != Hold::PartlyAllocated);
                    continue;
                }
                UploadDecision::Skip(skip, _) => {
                    prop_assert!(false, "{skip}");
                    continue;
                }
                UploadDecision::Found(_) | UploadDecision::Suspect(_) => {
                    prop_assert!(false, "a plan asks for no money in Xero");
                    continue;
                }
            };
            let sum = Money::sum(aud(), parts.iter().map(|(_, amount)| *amount)).unwrap();
            prop_assert_eq!(sum, receipt.amount);
            let mut ids = BTreeSet::new();
            for (target, amount) in &parts {
                prop_assert!(amount.is_positive());
                let Target::Invoice { id, number } = target else {
                    prop_assert!(bpay && prepayments);
                    continue;
                };
                prop_assert!(ids.insert(*id), "one part on an invoice");
                let invoice = left.get_mut(id).unwrap();
                prop_assert_eq!(invoice.status, InvoiceStatus::Authorised);
                let plan = on_plan.contains(&prefix.to_local(number).unwrap());
                prop_assert!(!bpay || !plan, "EX-08");
                invoice.due = invoice.due.minus(*amount).unwrap();
                prop_assert!(invoice.due.amount().is_sign_positive() || invoice.due.amount().is_zero());
            }
            if bpay && receipt.allocations.is_empty() {
                oldest_first(&before, &parts, receipt.amount, &on_plan)?;
            }
            row.reserve(night("2026-03-10"), parts, instant("2026-03-10T11:00:00Z")).unwrap();
        }
    }
}

/// EX-04 to EX-07, written a second time, in another way than in the planner.
fn oldest_first(
    before: &BTreeMap<XeroInvoiceId, OpenInvoice>,
    parts: &[(Target, Money)],
    amount: Money,
    on_plan: &BTreeSet<InvoiceNumber>,
) -> Result<(), TestCaseError> {
    let prefix = NumberPrefix::default();
    let mut open: Vec<&OpenInvoice> = before
        .values()
        .filter(|i| i.contact == Some(contact_id(1)) && i.status == InvoiceStatus::Authorised)
        .filter(|i| i.due.is_positive() && !on_plan.contains(&prefix.to_local(&i.number).unwrap()))
        .collect();
    open.sort_by_key(|i| (i.issued_on.is_none(), i.issued_on, i.number.clone()));
    let exact = open.iter().find(|invoice| invoice.due == amount);
    let name =
        |invoice: &OpenInvoice| Target::Invoice { id: invoice.id, number: invoice.number.clone() };
    if let Some(exact) = exact {
        prop_assert_eq!(parts, &[(name(exact), amount)]);
        return Ok(());
    }
    let invoices: Vec<_> =
        parts.iter().filter(|(t, _)| matches!(t, Target::Invoice { .. })).collect();
    for (position, (target, part)) in invoices.iter().enumerate() {
        prop_assert_eq!(target, &name(open[position]));
        let last = position + 1 == parts.len();
        prop_assert!(last || *part == open[position].due, "all of it, but for the last");
    }
    let prepaid = invoices.len() < parts.len();
    prop_assert!(!prepaid || invoices.len() == open.len(), "nothing is open any more");
    Ok(())
}

#[test]
fn amb_33_of_several_invoices_of_one_number_only_the_authorised_one_counts() {
    let prefix = NumberPrefix::default();
    let row = admitted(&pay_now("P-1", "1", "100.00"));
    let of = |n: u128, status| OpenInvoice {
        number: "CM-1".to_owned(),
        status,
        ..open(n, "2026-01-01", "500.00")
    };
    use InvoiceStatus::{Authorised, Deleted, Paid, Voided};
    // With either id sorted first.
    for (dead, alive) in [(1, 2), (2, 1)] {
        for status in [Deleted, Voided, Paid] {
            let both = vec![of(dead, status), of(alive, Authorised)];
            let parts = plan(&mut planner(both, &prefix), &row);
            let Target::Invoice { id, .. } = parts[0].0 else { panic!("{parts:?}") };
            assert_eq!(id, invoice_id(alive));
        }
    }
    for both in [[Authorised, Authorised], [Deleted, Voided]] {
        let invoices = vec![of(1, both[0]), of(2, both[1])];
        let judged = planner(invoices, &prefix).plan(&row, None);
        let UploadDecision::Hold(Hold::InvoiceNotOpen, why) = judged else { panic!("{judged:?}") };
        for n in [1, 2] {
            assert!(why.contains(&invoice_id(n).to_string()), "all are named: {why}");
        }
    }
    // A number is compared with its blanks, and they are made visible.
    let blank = OpenInvoice { number: "CM-1 ".to_owned(), ..open(1, "2026-01-01", "500.00") };
    let judged = planner(vec![blank], &prefix).plan(&row, None);
    let UploadDecision::Hold(Hold::InvoiceNotOpen, why) = judged else { panic!("{judged:?}") };
    assert!(why.contains("\"CM-1\""), "{why}");
}
