//! Credit invoices of the provider: what they become, and what of them is applied to which bill (EX-15a to EX-18).

use std::collections::BTreeMap;

use payments::upload::{
    AllocationPlan, AppliedPart, Bill, Books, CreditFacts, CreditStanding, CreditTerms,
    DocumentForm, DueBill, Fee, FeeAccount, Hold, Line, Placed, ProviderInvoice, Skip, Target,
    Upload, UploadDecision, UploadSettings, UploadStart, UploadState, WriteOutcome, XeroAllocation,
    XeroCreditNote, admit_bill, credit_lines, judge_allocation, judge_bill, judge_credit,
    plan_allocations,
};
use payments::{Money, PaymentId, XeroAccountId, XeroCreditId};
use uuid::Uuid;

use crate::uploads::samples::{
    aud, contact_id, date, instant, invoice_id, money, night, organisation, settings,
};

const START: &str = "2026-03-10";

fn now() -> jiff::Timestamp {
    instant("2026-03-20T01:00:00Z")
}

fn uploading() -> UploadSettings {
    let account = XeroAccountId::new(Uuid::from_u128(7));
    let mut uploading = UploadSettings::new(UploadStart::Day(date(START)), account);
    uploading.merchant_contact = Some(contact_id(9));
    let account = FeeAccount { code: "404".to_owned(), id: None, tax: None };
    let kinds = ["processing", "terminal_rent"];
    uploading.fee_accounts = kinds.map(|kind| (kind.parse().unwrap(), account.clone())).into();
    uploading
}

fn books() -> Books {
    Books { currency: aud(), locked_until: None }
}

fn fee(kind: &str, amount: &str) -> Fee {
    Fee { kind: kind.parse().unwrap(), description: None, amount: money(amount) }
}

fn bill_id(id: &str) -> PaymentId {
    PaymentId::of_provider_invoice(id).unwrap()
}

fn credit_id(id: &str) -> PaymentId {
    PaymentId::of_provider_credit(id).unwrap()
}

fn document(id: PaymentId, day: &str, fees: Vec<Fee>, form: DocumentForm) -> ProviderInvoice {
    ProviderInvoice {
        organisation: organisation(),
        revision: 1,
        total: Money::sum(aud(), fees.iter().map(|fee| fee.amount)).unwrap(),
        date: date(day),
        bill: Bill { number: format!("N {id}"), due_on: None, fees, form },
        id,
    }
}

fn bill(id: &str, day: &str, fees: Vec<Fee>) -> Upload {
    let invoice = document(bill_id(id), day, fees, DocumentForm::Bill);
    *admit_bill(None, &invoice, now()).unwrap().upload.unwrap()
}

/// `applied` are pairs such as `("F-1", "8.00")`.
fn credit_invoice(
    id: &str,
    day: &str,
    fees: Vec<Fee>,
    applied: &[(&str, &str)],
) -> ProviderInvoice {
    let part = |(invoice, amount): &(&str, &str)| AppliedPart {
        invoice: bill_id(invoice),
        amount: money(amount),
    };
    let terms =
        CreditTerms { applied: applied.iter().map(part).collect(), ..CreditTerms::default() };
    document(credit_id(id), day, fees, DocumentForm::CreditNote(terms))
}

fn credit(id: &str, day: &str, amount: &str, applied: &[(&str, &str)]) -> Upload {
    let invoice = credit_invoice(id, day, vec![fee("processing", amount)], applied);
    *admit_bill(None, &invoice, now()).unwrap().upload.unwrap()
}

/// Xero takes all of it.
fn put_into_xero(mut row: Upload, target: Target, placed: Placed) -> Upload {
    let whole = row.whole().unwrap();
    row.reserve(night("2026-03-20"), vec![(target, whole)], now()).unwrap();
    row.send(&[1], "key", now()).unwrap();
    row.answer(1, WriteOutcome::Placed(placed), false, now()).unwrap();
    assert_eq!(row.state, UploadState::Uploaded);
    row
}

fn bill_in_xero(id: &str, n: u128) -> (PaymentId, Upload) {
    let row = bill(id, "2026-03-15", vec![fee("processing", "30.00")]);
    let row =
        put_into_xero(row, Target::Bill { contact: contact_id(9) }, Placed::Bill(invoice_id(n)));
    (row.receipt.id.clone(), row)
}

fn note_id(n: u128) -> XeroCreditId {
    XeroCreditId::new(Uuid::from_u128(n))
}

fn note(total: &str, applied: &[(u128, u128, &str)]) -> XeroCreditNote {
    let allocation = |(id, bill, amount): &(u128, u128, &str)| XeroAllocation {
        id: Uuid::from_u128(*id),
        bill: invoice_id(*bill),
        amount: money(amount),
    };
    let allocations: Vec<_> = applied.iter().map(allocation).collect();
    let gone = Money::sum(aud(), allocations.iter().map(|one| one.amount)).unwrap();
    XeroCreditNote {
        id: note_id(50),
        number: "N".to_owned(),
        contact: contact_id(9),
        date: date("2026-03-12"),
        total: money(total),
        remaining: money(total).minus(gone).unwrap(),
        counts: true,
        allocations,
    }
}

/// A credit invoice of 12 March in Xero, of which so much is applied there.
fn standing(upload: Upload, note: XeroCreditNote) -> CreditStanding {
    let upload = match upload.state {
        UploadState::Uploaded => upload,
        _ => put_into_xero(
            upload,
            Target::CreditNote { contact: contact_id(9) },
            Placed::CreditNote(note.id),
        ),
    };
    CreditStanding { upload, note, allocations: Vec::new(), is_pending: false }
}

fn due(n: u128, day: &str, amount: &str) -> DueBill {
    DueBill {
        id: invoice_id(n),
        number: format!("F-{n}"),
        issued_on: date(day),
        due: money(amount),
    }
}

fn plan(
    standing: &CreditStanding,
    bills: &[(PaymentId, Upload)],
    due: Vec<DueBill>,
) -> AllocationPlan {
    let bills: BTreeMap<_, _> = bills.iter().cloned().collect();
    let mut plans = plan_allocations(std::slice::from_ref(standing), &bills, due, now());
    plans.remove(&standing.upload.receipt.id).unwrap()
}

/// `20.00 on F-1`.
fn wanted(plan: &AllocationPlan) -> Vec<String> {
    plan.wanted
        .iter()
        .map(|(bill, amount)| {
            let number = bill.number.split(' ').next().unwrap();
            format!("{:.2} on {number}", amount.amount())
        })
        .collect()
}

fn judged(upload: &Upload, bills: &[&Upload], notes: &[XeroCreditNote]) -> UploadDecision {
    let bills: BTreeMap<_, _> =
        bills.iter().map(|bill| (bill.receipt.id.clone(), (*bill).clone())).collect();
    let terms = upload.bill.as_ref().unwrap().credit_terms().unwrap();
    let facts = CreditFacts { bills: &bills, notes };
    judge_credit(upload, terms, facts, &books(), (&settings(), &uploading()))
}

#[test]
fn a_credit_invoice_after_the_start_date_is_a_credit_note_applied_to_its_bill() {
    // EX-15a, EX-16
    let row = credit("C-1", "2026-03-12", "20.00", &[("F-1", "20.00")]);
    assert_eq!((row.state, row.line()), (UploadState::Waiting, Some(Line::Direct)));
    let note_of = vec![(Target::CreditNote { contact: contact_id(9) }, money("20.00"))];
    assert_eq!(judged(&row, &[], &[]), UploadDecision::Send(note_of));

    let standing = standing(row, note("20.00", &[]));
    assert_eq!(standing.upload.line(), Some(Line::Credit));
    let first = plan(&standing, &[bill_in_xero("F-1", 1)], vec![due(1, "2026-03-15", "30.00")]);
    assert_eq!(wanted(&first), ["20.00 on F-1"]);
    assert!(!first.is_used_up && first.by_hand.is_empty());
}

#[test]
fn one_of_the_very_day_of_the_start_waits_for_a_person() {
    // AMB-14
    let mut row = credit("C-1", START, "20.00", &[]);
    assert!(matches!(judged(&row, &[], &[]), UploadDecision::Skip(Skip::OnStartDate, _)));
    row.included = true;
    assert!(matches!(judged(&row, &[], &[]), UploadDecision::Send(_)));
}

#[test]
fn a_credit_invoice_before_the_start_date_becomes_a_line_of_its_bill() {
    // EX-15b
    let fees = vec![fee("processing", "5.00"), fee("terminal_rent", "7.00")];
    let applied = [("F-0", "3.00"), ("F-1", "6.00")];
    let invoice = credit_invoice("C-1", "2026-03-01", fees, &applied);
    let row = *admit_bill(None, &invoice, now()).unwrap().upload.unwrap();
    let mut first = bill("F-1", "2026-03-15", vec![fee("processing", "30.00")]);

    assert!(matches!(judged(&row, &[&first], &[]), UploadDecision::Hold(Hold::WaitsForBill, _)));
    first.credited = credit_lines(&first, [&row], (&settings(), &uploading()));
    // Behind the 3.00 of F-0: what is left of the first fee, and a part of the second.
    let lines: Vec<_> = first.document_lines().map(|fee| fee.amount).collect();
    assert_eq!(lines, [money("30.00"), money("-2.00"), money("-4.00")]);
    let parts = vec![(Target::Bill { contact: contact_id(9) }, money("24.00"))];
    assert_eq!(
        judge_bill(&first, &books(), &settings(), &uploading()),
        UploadDecision::Send(parts)
    );

    let carried =
        put_into_xero(first, Target::Bill { contact: contact_id(9) }, Placed::Bill(invoice_id(1)));
    let older = {
        let mut older = bill("F-0", "2026-03-01", vec![fee("processing", "30.00")]);
        older.skip(Skip::BeforeStartDate, "too old", None, now());
        older
    };
    let UploadDecision::Skip(Skip::LineOnBill, why) = judged(&row, &[&carried, &older], &[]) else {
        panic!("it is a line by now");
    };
    assert!(why.contains("6.00 AUD on provider-invoice-F-1"), "{why}");
    // Where no bill carries it, it stays out, as the invoices of that time do.
    let alone = credit("C-2", "2026-03-01", "5.00", &[]);
    assert!(matches!(judged(&alone, &[], &[]), UploadDecision::Skip(Skip::BeforeStartDate, _)));
}

#[test]
fn a_line_that_comes_too_late_or_leaves_nothing_to_pay_is_for_a_person() {
    // EX-15b
    let row = credit("C-1", "2026-03-01", "8.00", &[("F-1", "8.00")]);
    let (_, sent) = bill_in_xero("F-1", 1);
    assert!(
        credit_lines(&sent, [&row], (&settings(), &uploading())).is_empty(),
        "it is in Xero as it was sent"
    );
    assert!(matches!(judged(&row, &[&sent], &[]), UploadDecision::Hold(Hold::BillInXero, _)));

    let mut small = bill("F-1", "2026-03-15", vec![fee("processing", "8.00")]);
    small.credited = credit_lines(&small, [&row], (&settings(), &uploading()));
    let decision = judge_bill(&small, &books(), &settings(), &uploading());
    assert!(matches!(decision, UploadDecision::Hold(Hold::CreditExceedsBill, _)), "{decision:?}");
}

#[test]
fn credits_and_debits_of_an_invoice_are_lines_of_its_bill() {
    // EX-15c, EX-15d
    let fees =
        vec![fee("processing", "30.00"), fee("processing", "-4.00"), fee("terminal_rent", "1.50")];
    let row = bill("F-1", "2026-03-15", fees);
    let parts = vec![(Target::Bill { contact: contact_id(9) }, money("27.50"))];
    assert_eq!(judge_bill(&row, &books(), &settings(), &uploading()), UploadDecision::Send(parts));
}

#[test]
fn what_is_left_goes_to_the_next_bill_and_then_to_the_one_after() {
    // EX-16, EX-17
    let next = vec![
        due(3, "2026-03-17", "30.00"),
        due(2, "2026-03-15", "30.00"),
        due(1, "2026-03-11", "30.00"),
    ];
    let whole = standing(credit("C-1", "2026-03-12", "50.00", &[]), note("50.00", &[]));
    let first = plan(&whole, &[], next.clone());
    assert_eq!(wanted(&first), ["30.00 on F-2", "20.00 on F-3"], "not to the one issued before it");

    // What the provider has applied goes first, and is kept for a bill that is not there yet.
    let applied = [("F-9", "25.00"), ("F-3", "5.00")];
    let some = standing(credit("C-1", "2026-03-12", "50.00", &applied), note("50.00", &[]));
    let third = bill_in_xero("F-3", 3);
    let stamp = &third.1.parts[0].stamp;
    let stamped = |mut due: DueBill| {
        if due.id == invoice_id(3) {
            due.number = format!("F-3 {stamp}");
        }
        due
    };
    let next: Vec<_> = next.into_iter().map(stamped).collect();
    let planned = plan(&some, std::slice::from_ref(&third), next.clone());
    assert_eq!(wanted(&planned), ["5.00 on F-3", "20.00 on F-2"]);
    // The bill is there, and not proven yet: nothing of the remainder goes to it.
    let mut unproven = third.clone();
    unproven.1.parts[0].placed = None;
    assert_eq!(wanted(&plan(&some, &[unproven], next)), ["20.00 on F-2"]);
    let none = plan(&some, &[bill_in_xero("F-3", 3)], Vec::new());
    assert!(wanted(&none).is_empty() && !none.is_used_up);
}

#[test]
fn what_a_person_has_applied_is_noticed_and_never_applied_again() {
    // EX-18, AMB-27
    let bills = [bill_in_xero("F-1", 1)];
    let applied = [("F-1", "20.00")];
    for (by_hand, expected) in [("20.00", None), ("15.00", Some("5.00 on F-1"))] {
        let note = note("20.00", &[(77, 1, by_hand)]);
        let standing = standing(credit("C-1", "2026-03-12", "20.00", &applied), note);
        let plan = plan(&standing, &bills, vec![due(1, "2026-03-15", "15.00")]);
        assert_eq!(plan.by_hand.len(), 1);
        assert_eq!(wanted(&plan), expected.into_iter().collect::<Vec<_>>());
        assert_eq!(plan.is_used_up, expected.is_none());
    }
    // On another bill: there is less left for the one that the provider has named.
    let standing = standing(
        credit("C-1", "2026-03-12", "20.00", &applied),
        note("20.00", &[(77, 5, "18.00")]),
    );
    let plan = plan(&standing, &bills, vec![due(1, "2026-03-15", "30.00")]);
    assert_eq!(wanted(&plan), ["2.00 on F-1"]);
}

/// The standing after its first allocation was proven, with this id.
fn allocated(standing: &CreditStanding, id: u128) -> CreditStanding {
    let bill = due(1, "2026-03-15", "30.00");
    let today = date("2026-03-20");
    let (credit, row) =
        standing.upload.begin_allocation(&bill, money("20.00"), (today, now())).unwrap();
    assert_eq!(row.receipt.id.as_str(), "provider-allocation-C-1-1");
    assert_eq!(credit.begun_allocations(), std::slice::from_ref(&row.receipt.id));
    let target = Target::Allocation { note: standing.note.id, bill: bill.id };
    let row = put_into_xero(row, target, Placed::Allocation(Uuid::from_u128(id)));
    assert!(row.is_settled_allocation(|_| false));
    CreditStanding { upload: credit, allocations: vec![row], ..standing.clone() }
}

#[test]
fn a_stale_read_of_the_note_applies_nothing_twice() {
    // N5: the read does not show what was proven a moment ago.
    let bills = [bill_in_xero("F-1", 1)];
    let fresh =
        standing(credit("C-1", "2026-03-12", "50.00", &[("F-1", "20.00")]), note("50.00", &[]));
    let done = allocated(&fresh, 88);
    let figures = vec![due(1, "2026-03-15", "30.00"), due(2, "2026-03-16", "90.00")];
    let stale = plan(&done, &bills, figures.clone());
    assert_eq!(wanted(&stale), ["30.00 on F-2"], "nothing on F-1, and no more than is left");
    assert!(stale.by_hand.is_empty() && stale.deleted.is_empty());

    let shown = CreditStanding { note: note("50.00", &[(88, 1, "20.00")]), ..done.clone() };
    let planned = plan(&shown, &bills, figures.clone());
    assert_eq!(
        (wanted(&planned), planned.by_hand.len()),
        (wanted(&stale), 0),
        "ours is not by hand"
    );

    // Long after: a person has taken it back, and it is not applied again.
    let bills: BTreeMap<_, _> = bills.into_iter().collect();
    let later = now() + jiff::SignedDuration::from_hours(1);
    let plans = plan_allocations(std::slice::from_ref(&done), &bills, figures, later);
    let plan = &plans[&done.upload.receipt.id];
    assert_eq!(wanted(plan), ["30.00 on F-2"]);
    assert_eq!(plan.deleted, [done.allocations[0].receipt.id.clone()]);
}

#[test]
fn while_one_allocation_is_not_settled_nothing_more_is_planned() {
    let bills = [bill_in_xero("F-1", 1)];
    let mut standing = standing(
        credit("C-1", "2026-03-12", "50.00", &[("F-1", "20.00")]),
        note("50.00", &[(7, 1, "1.00")]),
    );
    standing.is_pending = true;
    let plan = plan(&standing, &bills, vec![due(1, "2026-03-15", "30.00")]);
    assert!(wanted(&plan).is_empty() && plan.by_hand.is_empty() && !plan.is_used_up, "{plan:?}");
}

#[test]
fn two_credits_share_what_is_due() {
    let older = standing(credit("C-1", "2026-03-12", "20.00", &[]), note("20.00", &[]));
    let younger = standing(credit("C-2", "2026-03-13", "20.00", &[]), note("20.00", &[]));
    let due = vec![due(1, "2026-03-15", "30.00")];
    let plans = plan_allocations(&[younger, older], &BTreeMap::new(), due, now());
    assert_eq!(wanted(&plans[&credit_id("C-1")]), ["20.00 on F-1"]);
    assert_eq!(wanted(&plans[&credit_id("C-2")]), ["10.00 on F-1"]);
}

#[test]
fn an_allocation_that_waits_is_judged_afresh() {
    // AMB-28
    let fresh = standing(credit("C-1", "2026-03-12", "50.00", &[]), note("50.00", &[]));
    let bill = due(1, "2026-03-15", "30.00");
    let target = Target::Allocation { note: fresh.note.id, bill: bill.id };
    let (_, row) =
        fresh.upload.begin_allocation(&bill, money("20.00"), (date("2026-03-20"), now())).unwrap();
    let judge = |standing: Option<&CreditStanding>, due: &[DueBill]| {
        judge_allocation(&row, (&target, money("20.00")), standing, due)
    };
    let goes = UploadDecision::Send(vec![(target.clone(), money("20.00"))]);
    assert_eq!(judge(Some(&fresh), std::slice::from_ref(&bill)), goes);
    let with = |applied: &[(u128, u128, &str)]| CreditStanding {
        note: note("50.00", applied),
        ..fresh.clone()
    };
    let is = |decision: UploadDecision, skip: Skip| matches!(decision, UploadDecision::Skip(why, _) if why == skip);
    assert!(
        is(
            judge(Some(&with(&[(7, 1, "20.00")])), std::slice::from_ref(&bill)),
            Skip::AlreadyInXero
        ),
        "by hand"
    );
    assert!(
        is(
            judge(Some(&with(&[(7, 2, "40.00")])), std::slice::from_ref(&bill)),
            Skip::NoLongerNeeded
        ),
        "too little left"
    );
    assert!(is(judge(Some(&fresh), &[]), Skip::NoLongerNeeded), "nothing due");
    assert!(is(judge(None, &[bill]), Skip::NoLongerNeeded), "no note");
}

#[test]
fn a_credit_note_that_a_person_has_entered_is_not_entered_again() {
    // AMB-27
    let mut row = credit("C-1", "2026-03-12", "20.00", &[]);
    let by_hand = |number: &str, day: &str| XeroCreditNote {
        number: number.to_owned(),
        date: date(day),
        ..note("20.00", &[])
    };
    let same = by_hand("N provider-credit-C-1", "2026-01-01");
    assert!(matches!(judged(&row, &[], &[same]), UploadDecision::Skip(Skip::AlreadyInXero, _)));
    let near = by_hand("other", "2026-03-15");
    let UploadDecision::Suspect(suspicion) = judged(&row, &[], std::slice::from_ref(&near)) else {
        panic!("it may be the same");
    };
    assert_eq!(suspicion.contact, Some(contact_id(9)));
    for other in [
        by_hand("other", "2026-03-16"),
        by_hand("N PM-7F3K2Q9XW4ZT-9QK2M", "2026-03-12"),
        XeroCreditNote { total: money("20.01"), ..near.clone() },
        XeroCreditNote { counts: false, ..near.clone() },
    ] {
        assert!(matches!(judged(&row, &[], &[other]), UploadDecision::Send(_)));
    }
    row.apart_from.extend(suspicion.with);
    assert!(matches!(judged(&row, &[], &[near]), UploadDecision::Send(_)), "said to be two");
}

#[test]
fn the_provider_may_apply_more_of_a_credit_that_is_in_xero() {
    // EX-17: the row keeps what was sent, and follows what is applied.
    let standing = standing(credit("C-1", "2026-03-12", "20.00", &[]), note("20.00", &[]));
    let mut used = standing.upload;
    used.bill.as_mut().unwrap().credit_terms_mut().unwrap().used_up = true;
    assert_eq!(used.line(), None, "no run asks for it");
    let mut report =
        credit_invoice("C-1", "2026-03-12", vec![fee("processing", "20.00")], &[("F-7", "20.00")]);
    report.revision = 2;

    let admitted = admit_bill(Some(&used), &report, now()).unwrap();

    assert_eq!(admitted.warning, None, "nothing that was sent is other");
    let after = admitted.upload.unwrap();
    let terms = after.bill.as_ref().unwrap().credit_terms().unwrap();
    assert_eq!(
        (after.state, after.line(), terms.applied.len()),
        (UploadState::Uploaded, Some(Line::Credit), 1)
    );
    report.revision = 3;
    report.total = money("21.00");
    assert!(admit_bill(Some(&after), &report, now()).unwrap().warning.is_some());
}
