//! A payment with any stored facts has exactly one state, with a rule, a sentence and a remedy.

use std::sync::Arc;

use payments::explanations::{
    Agreement, Context, Facts, InvoiceContext, InvoiceView, ParkedReport, State, Subject,
    XeroLinks, explain,
};
use payments::upload::{
    Caps, Customer, Disabled, Hold, Part, PartState, Placed, Skip, Target, Upload, UploadState,
};
use payments::{Discrepancy, DiscrepancyKey, DiscrepancyKind, Ignored, Tombstone};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::explaining::samples::{
    admitted, bpay, copy, on, ours, pay_now, removed, settings, xero,
};
use crate::worlds::{self, arb_plain_world, arb_world, aud, noon};

fn arb_part() -> impl Strategy<Value = (PartState, u32, i64)> {
    (select(PartState::ALL), 0_u32..3, select(vec![10_00_i64, 20_00, 40_00]))
}

/// Any row of the ledger, also such as no move leads to.
fn arb_upload() -> impl Strategy<Value = Upload> {
    let reasons: Vec<String> = Skip::ALL
        .iter()
        .map(|skip| skip.code())
        .chain(Hold::ALL.iter().map(|hold| hold.code()))
        .chain(["", "reported", "nonsense"])
        .map(str::to_owned)
        .collect();
    let state = (select(UploadState::ALL), select(reasons), any::<bool>());
    (state, vec(arb_part(), 0..4)).prop_map(|((state, reason, at_once), parts)| {
        let receipt = if at_once { pay_now("local-1") } else { bpay("local-1") };
        let mut upload = admitted(&receipt);
        (upload.state, upload.reason) = (state, reason);
        upload.parts = (1_u32..).zip(parts).map(|(number, part)| part_of(number, part)).collect();
        upload
    })
}

fn part_of(number: u32, (state, tries, cents): (PartState, u32, i64)) -> Part {
    let id = payments::XeroInvoiceId::new(uuid::Uuid::from_u128(100));
    Part {
        number,
        target: Target::Invoice { id, number: "CM-10234".to_owned() },
        amount: aud(cents),
        stamp: worlds::stamp(1, 100),
        state,
        tries,
        key: None,
        sent_at: None,
        absences: 0,
        looked_at: None,
        refusal: None,
        placed: (state == PartState::Done).then(|| Placed::Payment(worlds::xero_id(1))),
    }
}

fn arb_customer() -> impl Strategy<Value = Customer> {
    any::<bool>().prop_map(|blocked| Customer {
        organisation: settings().organisation,
        id: "K-1".parse().unwrap(),
        revision: 1,
        name: None,
        contact: None,
        blocked: blocked.then(|| "two contacts".to_owned()),
        blocked_at: blocked.then(|| noon(1)),
        merged: None,
        unusable_contact: None,
    })
}

fn arb_caps() -> impl Strategy<Value = Caps> {
    any::<bool>().prop_map(|off| Caps {
        disabled: off.then(|| Disabled { at: noon(1), why: "too many".to_owned() }),
        ..Caps::unused(settings().organisation)
    })
}

fn arb_subject() -> impl Strategy<Value = Subject> {
    prop_oneof![
        3 => (1_u8..=6).prop_map(|n| ours(&format!("local-{n}"))),
        1 => (1_u8..=7).prop_map(|n| Subject::Ours(copy(n))),
        3 => (1_u8..=7).prop_map(xero),
    ]
}

fn parked() -> ParkedReport {
    ParkedReport {
        parked_at: "2026-03-02T00:00:00.000000Z#m-1".to_owned(),
        by: "mirror".to_owned(),
        reason: "stale_read".to_owned(),
        detail: "read older than its event".to_owned(),
    }
}

/// Anything that may be stored, each piece with or without the others.
fn arb_facts() -> impl Strategy<Value = Facts> {
    let context = (option::of(arb_upload()), option::of(arb_customer()), option::of(arb_caps()));
    let rest = (any::<bool>(), option::of(select(Ignored::ALL)), any::<bool>(), any::<bool>());
    (arb_subject(), option::of(arb_world()), context, rest).prop_map(
        |(subject, world, (upload, customer, caps), (is_parked, ignored, waits, deleted))| {
            let mut facts = Facts::none(subject);
            if let Some(world) = world {
                let change = world.change();
                let mut invoice = change.as_ref().map_or(world.stored, |c| c.after.clone());
                if deleted {
                    let kind = DiscrepancyKind::UploadedDeletedInXero;
                    let key = DiscrepancyKey::about(kind, &facts.subject);
                    invoice.discrepancies.retain(|known| known.key != key);
                    let gone = Discrepancy::found(key, "gone".to_owned(), noon(3));
                    invoice.discrepancies.push(gone);
                }
                let gone: Vec<Tombstone> = change.map(|c| c.tombstones).unwrap_or_default();
                facts.removed = removed(&invoice, &gone);
                if waits {
                    let mut brake = payments::mass_change::Brake::off(settings().organisation);
                    brake.waiting.insert(invoice.number.clone(), 3);
                    facts.brake = Some(brake);
                }
                facts.invoices = vec![Arc::new(invoice)];
            }
            facts.receipt = upload.as_ref().map(|upload| upload.receipt.clone());
            facts.upload = upload;
            (facts.customer, facts.caps, facts.ignored) = (customer, caps, ignored);
            facts.parked = is_parked.then(parked);
            facts
        },
    )
}

/// Whether anything is stored about the payment itself, or about why nothing can be.
fn is_known(facts: &Facts) -> bool {
    facts.rows().next().is_some()
        || facts.held().is_some()
        || facts.tombstone().is_some()
        || facts.receipt.is_some()
        || facts.upload.is_some()
        || facts.parked.is_some()
        || facts.waiting_for_approval().next().is_some()
        || facts.ignored.is_some()
}

proptest! {
    /// A7.4: total, and one.
    #[test]
    fn law_every_payment_has_exactly_one_state_whatever_is_stored(facts in arb_facts()) {
        let settings = settings();
        let state = State::of(&facts, &settings);
        prop_assert_eq!(state.is_some(), is_known(&facts));
        let links = XeroLinks::new(Some("!mBdtL"), true);
        let context = Context {
            settings: &settings,
            now: noon(10),
            links: &links,
            place: None,
            night_over: false,
        };
        let explained = explain(&facts, &context);
        prop_assert_eq!(explained.as_ref().map(|explained| explained.state), state);
        if let Some(explained) = explained {
            prop_assert!(!explained.rules.is_empty() && !explained.sentence.is_empty());
            prop_assert!(explained.cures.iter().all(|remedy| !remedy.is_empty()));
            prop_assert!(!explained.cures.is_empty());
        }
    }

    /// AMB-26: synced only when all parts are.
    #[test]
    fn law_uploaded_is_said_only_of_what_is_all_in_xero(upload in arb_upload()) {
        let facts = crate::explaining::samples::uploading(upload);
        let (placed, of) = facts.upload.as_ref().unwrap().progress();
        match State::of(&facts, &settings()).unwrap() {
            State::Uploaded => prop_assert_eq!(placed, of),
            state => {
                prop_assert!(!state.is_synced());
                if let State::PartlyUploaded { placed: shown, of: shown_of } = state {
                    prop_assert_eq!((shown, shown_of), (placed, of));
                }
            }
        }
    }

    /// A7.4: it does not matter by which of its ids a payment is asked for.
    #[test]
    fn law_a_payment_has_the_same_state_by_either_id(world in arb_world()) {
        let invoice = world.change().map_or(world.stored, |change| change.after);
        for payment in invoice.payments.iter().filter(|payment| payment.link.is_some()) {
            let by_ours = on(&invoice, Subject::Ours(payment.id.clone()));
            let by_xero = on(&invoice, Subject::Xero(payment.link.unwrap()));
            let state = |facts: &Facts| State::of(facts, &settings());
            prop_assert_eq!(state(&by_ours), state(&by_xero));
        }
    }

    /// Nothing that Xero shows and nothing that was here is without a state after the mirror has run.
    #[test]
    fn law_no_payment_falls_out_of_sight(world in arb_plain_world()) {
        let change = world.change();
        let after = change.as_ref().map_or(&world.stored, |change| &change.after);
        let gone = change.as_ref().map_or(&[][..], |change| &change.tombstones);
        let shown = world.snapshot.counted_payments().into_iter().map(|p| Subject::Xero(p.id));
        let were = world.stored.payments.iter().map(|p| Subject::Ours(p.id.clone()));
        for subject in shown.chain(were) {
            let mut facts = on(after, subject);
            facts.removed = removed(after, gone);
            prop_assert!(State::of(&facts, &settings()).is_some(), "{:?}", facts.subject);
        }
    }

    /// ST-04, ST-09: what does not lead to Xero's figure is shown, and never without something that is
    /// followed.
    #[test]
    fn law_the_balances_lead_to_what_xero_says_or_the_difference_is_told(world in arb_world()) {
        let invoice = world.change().map_or(world.stored, |change| change.after);
        let figures = invoice.xero.as_ref().map(|xero| xero.figures);
        let adds_up = figures.is_none_or(|figures| {
            let parts = [figures.paid, figures.credited, figures.due];
            worlds::sum_of(parts.into_iter()) == figures.total
        });
        let links = XeroLinks::default();
        let context = InvoiceContext::default();
        let view =
            InvoiceView::of(&Arc::new(invoice.clone()), &context, &settings(), &links, noon(10));
        let Some(view) = view else { return Ok(()) };
        prop_assert_eq!(view.payments.len(), invoice.payments.len() + invoice.held.len());
        prop_assert!(view.payments.is_sorted_by_key(|line| line.date));
        let left = view.payments.last().map_or(view.to_pay, |line| line.balance_after);
        match view.agreement {
            Agreement::Agrees => prop_assert_eq!(left, view.due),
            Agreement::Differs { ours, xero, by } => {
                prop_assert_eq!((Some(ours), Some(xero)), (left, view.due));
                prop_assert_eq!(xero.plus(by).unwrap(), ours);
                let followed = !view.discrepancies.is_empty() || invoice.local.is_none();
                // Xero may contradict itself; then the difference is reported all the same.
                prop_assert!(followed || invoice.settled.is_none() || !adds_up, "{:#?}", view);
            }
            Agreement::CannotSay(_) => {
                prop_assert!(invoice.xero.as_ref().is_none_or(|xero| xero.status.is_dead()));
            }
        }
    }
}
