//! Whole explanations, as a page shows them.

use payments::explanations::{Context, Explanation, Facts, QueuePosition, XeroLinks, explain};
use payments::mass_change::Brake;
use payments::upload::{Caps, Customer, Placed, WriteOutcome};
use payments::{StoredInvoice, Verdict, XeroPayment, XeroPaymentKind, mirror};

use crate::explaining::samples::{
    admitted, bpay, on, ours, removed, sent, settings, uploading, xero,
};
use crate::worlds::{aud, known_invoice, noon, snapshot, xero_id};

fn explained_at(facts: &Facts, place: Option<QueuePosition>) -> Explanation {
    let (settings, links) = (settings(), XeroLinks::new(None, true));
    let context =
        Context { settings: &settings, now: noon(10), links: &links, place, night_over: false };
    explain(facts, &context).unwrap()
}

fn explained(facts: &Facts) -> Explanation {
    explained_at(facts, None)
}

fn compared(facts: &Facts) -> Vec<String> {
    explained(facts).compared.iter().map(ToString::to_string).collect()
}

fn payment(n: u8, date: &str, cents: i64) -> XeroPayment {
    XeroPayment {
        id: xero_id(n),
        date: date.parse().unwrap(),
        amount: aud(cents),
        reference: None,
        kind: XeroPaymentKind::Received,
        deleted: false,
    }
}

/// The invoice once Xero has shown these payments.
fn read(payments: Vec<XeroPayment>) -> StoredInvoice {
    let stored = known_invoice(Vec::new());
    match mirror(&stored, &snapshot(payments, 3, 3), &settings(), noon(3)) {
        Verdict::Changed(change) => change.after,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_manual_payment_is_compared_with_the_nearest_of_its_amount() {
    // CM-45, CM-48, V9
    let mut invoice = read(vec![payment(1, "2026-03-04", 46_00), payment(2, "2026-03-03", 5_00)]);
    let mut manual = invoice.payments[0].clone();
    manual.id = "P-1".parse().unwrap();
    (manual.link, manual.date) = (None, "2026-03-02".parse().unwrap());
    manual.amount = aud(46_00);
    (manual.state, manual.protection) =
        (payments::State::Protected, Some(payments::Protection::Manual));
    invoice.payments.push(manual);
    assert_eq!(
        compared(&on(&invoice, ours("P-1"))),
        ["Xero 46.00 AUD of 2026-03-04 on CM-10234; ours 46.00 AUD of 2026-03-02 on 10234 \
             (amount and date have to be equal)"]
    );
    let last = invoice.payments.last_mut().unwrap();
    last.amount = aud(45_00);
    assert_eq!(
        compared(&on(&invoice, ours("P-1"))),
        ["Xero none; ours 45.00 AUD of 2026-03-02 on 10234 (no payment of that amount on the \
             invoice in Xero)"]
    );
}

#[test]
fn a_payment_dated_too_far_ahead_says_on_which_day_it_is_let_in() {
    // CM-40, CM-48, AMB-20
    let invoice = read(vec![payment(1, "2026-06-30", 46_00)]);
    let explained = explained(&on(&invoice, xero(1)));
    assert_eq!(
        explained.compared[0].to_string(),
        "Xero 46.00 AUD of 2026-06-30 on CM-10234; ours none (let in from 2026-06-23 on)"
    );
    assert!(explained.cures[0].starts_with("On 2026-06-23 it is let in by itself"));
    assert_eq!(explained.rules, ["CM-40", "AMB-20"]);
    assert!(explained.history.invoices.contains(&invoice.number));
}

#[test]
fn a_payment_that_waits_says_its_place_and_its_night() {
    // EX-31, AMB-06
    let mut facts = uploading(admitted(&bpay("P-1")));
    facts.caps = Some(Caps::unused(settings().organisation));
    let explained = explained_at(&facts, Some(QueuePosition::At(231)));
    assert_eq!(explained.cures[0], "place 231 in line: night of 11 March 2026");
    assert_eq!(explained.details, ["waits for a night with a free slot"]);
}

#[test]
fn a_partly_uploaded_payment_lists_each_part_with_its_state() {
    // AMB-26, EX-23
    let mut upload = sent(&bpay("P-1"), &[10_00, 30_00]);
    let refusal = "Payment amount exceeds the amount outstanding".to_owned();
    upload.answer(1, WriteOutcome::Placed(Placed::Payment(xero_id(1))), false, noon(3)).unwrap();
    upload.answer(2, WriteOutcome::Refused(refusal), false, noon(3)).unwrap();
    let explained = explained(&uploading(upload));
    assert_eq!(explained.state.to_string(), "partly uploaded 1 of 2");
    let parts: Vec<_> = explained.parts.iter().map(|part| part.says()).collect();
    assert_eq!(
        parts,
        [
            "10.00 AUD on invoice CM-10234: in Xero",
            "30.00 AUD on invoice CM-10235: refused by Xero: Payment amount exceeds the amount \
             outstanding"
        ]
    );
    assert_eq!(
        explained.compared[0].to_string(),
        "Xero 10.00 AUD of 2026-03-02; ours 40.00 AUD of 2026-03-02 (1 of 2 parts)"
    );
    // The payment itself, and the invoice of the part that was refused.
    assert_eq!(explained.links.len(), 2);
}

#[test]
fn a_blocked_payment_says_what_is_to_be_solved_and_leads_to_the_contact() {
    // EX-22, EX-27, EX-28
    let contact = payments::XeroContactId::new(uuid::Uuid::from_u128(5));
    let mut facts = uploading(admitted(&bpay("P-1")));
    facts.customer = Some(Customer {
        organisation: settings().organisation,
        id: "K-1".parse().unwrap(),
        revision: 1,
        name: None,
        contact: Some(contact),
        blocked: Some("two contacts in Xero".to_owned()),
        blocked_at: Some(noon(1)),
        merged: None,
        unusable_contact: None,
        email: None,
        sync: Default::default(),
    });
    let explained = explained(&facts);
    assert_eq!(explained.details, ["to be solved: two contacts in Xero"]);
    let link = &explained.links[0].url;
    assert_eq!(link, "https://go.xero.com/Contacts/View/00000000-0000-0000-0000-000000000005");
}

#[test]
fn a_removed_payment_says_when_by_what_and_why() {
    // CM-23, CM-37
    let before = read(vec![payment(1, "2026-03-02", 46_00)]);
    let gone = snapshot(Vec::new(), 5, 5);
    let Verdict::Changed(change) = mirror(&before, &gone, &settings(), noon(5)) else { panic!() };
    let mut facts = on(&change.after, xero(1));
    facts.removed = removed(&change.after, &change.tombstones);
    let explained = explained(&facts);
    assert_eq!(explained.state.to_string(), "removed");
    assert_eq!(
        explained.details,
        ["removed from invoice 10234 at 2026-03-05T12:00:00Z: no longer among the invoice's \
             payments in Xero"]
    );
    assert_eq!(
        explained.compared[0].to_string(),
        "Xero none; ours 46.00 AUD of 2026-03-02 on 10234 (removed by mirror)"
    );
    assert_eq!(explained.history.payment, Some(crate::explaining::samples::copy(1)));
}

#[test]
fn a_mass_change_that_waits_is_told_beside_the_state() {
    // CM-37: the copy is what it is, and what Xero shows now waits.
    let invoice = read(vec![payment(1, "2026-03-02", 46_00)]);
    let mut brake = Brake::off(invoice.organisation);
    brake.waiting.insert(invoice.number.clone(), 120);
    let facts = Facts { brake: Some(brake), ..on(&invoice, xero(1)) };
    let explained_one = explained(&facts);
    assert_eq!(explained_one.state.to_string(), "applied");
    assert!(explained_one.cures.last().unwrap().contains("an operator approves the mass change"));
    // Of a payment that is not here, that is why.
    let unknown = Facts { subject: xero(7), ..facts };
    assert_eq!(explained(&unknown).state.to_string(), "held (MASS_CHANGE)");
}
