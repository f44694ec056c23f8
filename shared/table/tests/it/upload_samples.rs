//! Samples of what uploading keeps: valid ones, and any valid ones.

use std::collections::BTreeMap;

use payments::upload::{
    ActionKind, AppliedPart, Bill, Caps, Certain, ContactSync, Counterpart, CreditLine,
    CreditTerms, Customer, Disabled, DocumentForm, Fee, Forecast, FoundBy, GivenCommand,
    MergedContact, Night, NightReport, NightState, Part, PartState, PaymentCommand, Placed,
    ProviderInvoice, Reservation, Suspicion, Target, Totals, Upload, UploadState, admit,
    admit_bill,
};
use payments::{PaymentId, Receipt, XeroContactId, XeroCreditId, XeroInvoiceId, XeroPaymentId};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

use crate::samples::{
    arb_customer_id, arb_date, arb_instant, arb_money_in, arb_organisation, arb_receipt, arb_stamp,
    arb_text, arb_uuid, now, organisation, receipt,
};

pub fn night() -> Night {
    "2026-10-05".parse().unwrap()
}

/// A BPAY payment that waits for a night.
pub fn waiting(id: &str) -> Upload {
    admitted(&receipt(id))
}

/// What intake makes of a payment.
pub fn admitted(receipt: &Receipt) -> Upload {
    *admit(None, receipt, now()).upload.unwrap()
}

pub fn contact() -> XeroContactId {
    XeroContactId::new(Uuid::from_u128(7))
}

/// An invoice of the provider, of the amount and date of a payment, with one fee.
pub fn provider_invoice(id: &str) -> Upload {
    let Receipt { amount, date, .. } = receipt("P-1");
    let kind = "processing".parse().unwrap();
    let invoice = ProviderInvoice {
        organisation: organisation(),
        id: PaymentId::of_provider_invoice(id).unwrap(),
        revision: 1,
        total: amount,
        date,
        bill: Bill {
            number: "PI 2026-03".to_owned(),
            due_on: Some("2026-03-24".parse().unwrap()),
            fees: vec![Fee { kind, description: None, amount }],
            form: DocumentForm::Bill,
        },
    };
    *admit_bill(None, &invoice, now()).unwrap().upload.unwrap()
}

/// It with a slot of the night, as a prepayment.
pub fn reserved(upload: &Upload) -> Upload {
    let parts = vec![(Target::Prepayment { contact: contact() }, upload.receipt.amount)];
    let mut upload = upload.clone();
    upload.reserve(night(), parts, now()).unwrap();
    upload
}

/// It as it is read after it was written once more.
pub fn stored(upload: &Upload) -> Upload {
    Upload { revision: upload.revision + 1, ..upload.clone() }
}

pub fn customer(id: &str) -> Customer {
    Customer {
        organisation: organisation(),
        id: id.parse().unwrap(),
        revision: 1,
        name: Some("Ada Ltd".to_owned()),
        contact: Some(contact()),
        blocked: None,
        blocked_at: None,
        merged: None,
        unusable_contact: None,
        email: None,
        sync: Default::default(),
    }
}

pub fn arb_night() -> impl Strategy<Value = Night> {
    arb_date().prop_map(|date| date.to_string().parse().unwrap())
}

fn arb_target() -> impl Strategy<Value = Target> {
    prop_oneof![
        (arb_uuid(), arb_text())
            .prop_map(|(id, number)| Target::Invoice { id: XeroInvoiceId::new(id), number }),
        arb_uuid().prop_map(|id| Target::Prepayment { contact: XeroContactId::new(id) }),
        arb_uuid().prop_map(|id| Target::Bill { contact: XeroContactId::new(id) }),
        arb_uuid().prop_map(|id| Target::CreditNote { contact: XeroContactId::new(id) }),
        (arb_uuid(), arb_uuid()).prop_map(|(note, bill)| Target::Allocation {
            note: XeroCreditId::new(note),
            bill: XeroInvoiceId::new(bill),
        }),
    ]
}

fn arb_placed() -> impl Strategy<Value = Placed> {
    prop_oneof![
        arb_uuid().prop_map(|id| Placed::Payment(XeroPaymentId::new(id))),
        arb_uuid().prop_map(|id| Placed::Bill(XeroInvoiceId::new(id))),
        arb_uuid().prop_map(|id| Placed::CreditNote(XeroCreditId::new(id))),
        arb_uuid().prop_map(Placed::Allocation),
        (arb_uuid(), option::of(arb_uuid())).prop_map(|(transaction, prepayment)| {
            Placed::Prepayment { transaction, prepayment }
        }),
    ]
}

fn arb_part(currency: payments::Currency) -> impl Strategy<Value = Part> {
    let what = (any::<u32>(), arb_target(), arb_money_in(currency), arb_stamp());
    let sent =
        (select(PartState::ALL), any::<u32>(), option::of(arb_text()), option::of(arb_instant()));
    let known =
        (any::<u32>(), option::of(arb_instant()), option::of(arb_text()), option::of(arb_placed()));
    (what, sent, known).prop_map(|(what, sent, known)| Part {
        number: what.0,
        target: what.1,
        amount: what.2,
        stamp: what.3,
        state: sent.0,
        tries: sent.1,
        key: sent.2,
        sent_at: sent.3,
        absences: known.0,
        looked_at: known.1,
        refusal: known.2,
        placed: known.3,
    })
}

fn arb_fees(currency: payments::Currency) -> impl Strategy<Value = Vec<Fee>> {
    let fee = ("[a-z][a-z0-9_]{0,39}", option::of(arb_text()), arb_money_in(currency)).prop_map(
        |(kind, description, amount)| Fee { kind: kind.parse().unwrap(), description, amount },
    );
    vec(fee, 0..4)
}

fn arb_id() -> impl Strategy<Value = PaymentId> {
    "[A-Z]-[0-9]{1,5}".prop_map(|id| id.parse().unwrap())
}

fn arb_form(currency: payments::Currency) -> impl Strategy<Value = DocumentForm> {
    let applied = (arb_id(), arb_money_in(currency))
        .prop_map(|(invoice, amount)| AppliedPart { invoice, amount });
    let terms = (vec(applied, 0..3), any::<u32>(), any::<bool>())
        .prop_map(|(applied, allocations, used_up)| CreditTerms { applied, allocations, used_up });
    prop_oneof![
        Just(DocumentForm::Bill),
        terms.prop_map(DocumentForm::CreditNote),
        (arb_id(), arb_text()).prop_map(|(credit, bill)| DocumentForm::Allocation { credit, bill }),
    ]
}

fn arb_bill(currency: payments::Currency) -> impl Strategy<Value = Bill> {
    let what = (arb_text(), option::of(arb_date()), arb_fees(currency), arb_form(currency));
    what.prop_map(|(number, due_on, fees, form)| Bill { number, due_on, fees, form }).boxed()
}

fn arb_credit_line(currency: payments::Currency) -> impl Strategy<Value = CreditLine> {
    (arb_id(), arb_money_in(currency), arb_fees(currency))
        .prop_map(|(credit, amount, fees)| CreditLine { credit, amount, fees })
}

fn arb_counterpart() -> impl Strategy<Value = Counterpart> {
    prop_oneof![
        arb_uuid().prop_map(Counterpart::Xero),
        "[A-Z]-[0-9]{1,5}".prop_map(|id| Counterpart::Local(id.parse().unwrap())),
    ]
}

fn arb_suspicion(currency: payments::Currency) -> impl Strategy<Value = Suspicion> {
    let certain = (arb_uuid(), arb_text(), arb_money_in(currency), arb_uuid()).prop_map(
        |(invoice, number, amount, payment)| Certain {
            invoice: XeroInvoiceId::new(invoice),
            number,
            amount,
            payment: XeroPaymentId::new(payment),
        },
    );
    let with = btree_set(arb_counterpart(), 0..3);
    (vec(certain, 0..3), with, option::of(arb_uuid())).prop_map(|(certain, with, contact)| {
        Suspicion { certain, with, contact: contact.map(XeroContactId::new), why: String::new() }
    })
}

/// Any upload that has not been written yet.
pub fn arb_upload() -> impl Strategy<Value = Upload> {
    let receipt = arb_receipt().prop_flat_map(|receipt| {
        let currency = receipt.amount.currency();
        let newest = arb_receipt().prop_flat_map(|newest| {
            let bill = option::of(arb_bill(newest.amount.currency()));
            (Just(newest), bill)
        });
        let organisation = receipt.organisation;
        let newest = newest.prop_map(move |(newest, bill)| {
            Box::new((payments::Receipt { organisation, ..newest }, bill))
        });
        // Such a tree is too large for a thread's stack.
        let newest = newest.boxed();
        (
            Just(receipt),
            option::of(arb_bill(currency)),
            vec(arb_part(currency), 0..4),
            (
                option::of(arb_suspicion(currency)),
                option::of(newest),
                vec(arb_credit_line(currency), 0..2).boxed(),
            ),
        )
    });
    let receipt = receipt.boxed();
    let given = (select(PaymentCommand::ALL), arb_text())
        .prop_map(|(order, said)| GivenCommand { order, said });
    let counterparts = || btree_set(arb_counterpart(), 0..3);
    let said = (counterparts(), option::of(given), counterparts());
    let state = (select(UploadState::ALL), arb_text(), arb_text(), arb_instant());
    let slot = (option::of(arb_night()), option::of(arb_instant()), any::<u32>());
    (receipt, state, slot, (any::<bool>(), any::<bool>()), said).prop_map(
        |((receipt, bill, parts, newest), state, slot, flags, said)| Upload {
            receipt,
            bill,
            credited: newest.2,
            revision: 0,
            state: state.0,
            reason: state.1,
            why: state.2.clone(),
            since: state.3,
            night: slot.0,
            reserved_at: slot.1,
            attempts: slot.2,
            included: flags.0,
            replanned: flags.1,
            parts,
            // Its sentence is the row's own.
            suspicion: newest.0.map(|suspicion| Suspicion { why: state.2.clone(), ..suspicion }),
            apart_from: said.0,
            same_as: said.2,
            reported_since: newest.1,
            ordered_since: said.1,
        },
    )
}

pub fn arb_caps() -> impl Strategy<Value = Caps> {
    let made = (arb_instant(), option::of(arb_night()), any::<u32>(), any::<u32>())
        .prop_map(|(at, night, slots, attempts)| Reservation { at, night, slots, attempts });
    let disabled =
        option::of((arb_instant(), arb_text()).prop_map(|(at, why)| Disabled { at, why }));
    (arb_organisation(), vec(made, 0..5), disabled, any::<u8>()).prop_map(
        |(organisation, reservations, disabled, warned)| Caps {
            organisation,
            revision: 0,
            reservations,
            disabled,
            warned,
        },
    )
}

pub fn arb_night_report() -> impl Strategy<Value = NightReport> {
    let forecast = (any::<u32>(), arb_night(), option::of(arb_night()), any::<u32>(), any::<u32>())
        .prop_map(|(nights_to_clear, clears_in, trips_in, attempts, pace)| Forecast {
            nights_to_clear,
            clears_in,
            trips_in,
            attempts,
            never_trips_per_night: pace,
        });
    let states = btree_map(select(UploadState::ALL), any::<u32>(), 0..9);
    let totals = (states, btree_map("[a-zA-Z_]{1,20}", any::<u32>(), 0..4)).prop_map(
        |(states, by_reason)| Totals {
            by_state: states.into_iter().map(|(state, n)| (state.code(), n)).collect(),
            by_reason: BTreeMap::from_iter(by_reason),
        },
    );
    let times =
        (arb_instant(), arb_instant(), option::of(arb_instant()), option::of(arb_instant()));
    let which = (arb_organisation(), arb_night(), select(NightState::ALL));
    let counts = (any::<u32>(), any::<u32>(), any::<u32>());
    (which, times, counts, totals, option::of(forecast), option::of(arb_text())).prop_map(
        |(which, times, counts, totals, forecast, stopped)| NightReport {
            organisation: which.0,
            night: which.1,
            revision: 0,
            state: which.2,
            scheduled_at: times.0,
            started_at: times.1,
            finished_at: times.2,
            lease_until: times.3,
            rounds: counts.0,
            calls: counts.1,
            totals,
            carried: counts.2,
            forecast,
            stopped,
        },
    )
}

pub fn arb_customer() -> impl Strategy<Value = Customer> {
    // What blocks it has a time, and nothing else has.
    let texts = (option::of(arb_text()), option::of((arb_text(), arb_instant())));
    let which = (arb_organisation(), arb_customer_id(), any::<u64>());
    let between = btree_set(arb_uuid().prop_map(XeroContactId::new), 0..3);
    let merged = option::of((arb_uuid(), between, arb_instant()));
    let contacts = (option::of(arb_uuid()), merged, option::of(arb_uuid()));
    let codes = (option::of(select(FoundBy::ALL)), option::of(select(ActionKind::ALL)));
    let others = (option::of(arb_uuid()), vec(arb_uuid(), 0..3));
    let sync = (codes, others, option::of(arb_instant()), any::<bool>(), option::of(arb_text()));
    let all = (which, texts, contacts, sync);
    all.prop_map(|(which, texts, (contact, merged, unusable), sync)| Customer {
        organisation: which.0,
        id: which.1,
        revision: which.2,
        name: texts.0,
        contact: contact.map(XeroContactId::new),
        blocked: texts.1.as_ref().map(|(blocked, _)| blocked.clone()),
        blocked_at: texts.1.map(|(_, at)| at),
        merged: merged.map(|(from, between, at)| MergedContact {
            from: XeroContactId::new(from),
            between,
            at,
        }),
        unusable_contact: unusable.map(XeroContactId::new),
        email: sync.4,
        sync: ContactSync {
            found_by: sync.0.0,
            passed_over: sync.1.0.map(XeroContactId::new),
            action: sync.0.1,
            candidates: sync.1.1.into_iter().map(XeroContactId::new).collect(),
            synced_at: sync.2,
            is_due: sync.3,
        },
    })
}
