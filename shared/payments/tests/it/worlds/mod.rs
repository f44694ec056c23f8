//! Small worlds in which things collide: few days, few amounts, few ids, so that equal payments,
//! ties and chance matches are the rule and not the exception.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use payments::upload::{Stamp, Target, admit};
use payments::{
    Change, Contact, Currency, Figures, InvoiceKind, InvoiceStatus, Kind, LocalInvoice, Money,
    NOTE_IMPORTED, NOTE_MATCHED, OrganisationId, Origin, Payment, PaymentStatus, Protection,
    Receipt, Settings, Snapshot, State, StoredInvoice, Verdict, XeroInvoiceId, XeroPayment,
    XeroPaymentId, XeroPaymentKind, mirror,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use uuid::Uuid;

/// The stored invoice, the snapshot of Xero, the settings and the time.
#[derive(Clone, Debug)]
pub struct World {
    pub stored: StoredInvoice,
    pub snapshot: Snapshot,
    pub settings: Settings,
    pub now: Timestamp,
}

impl World {
    pub fn verdict(&self) -> Verdict {
        mirror(&self.stored, &self.snapshot, &self.settings, self.now)
    }

    pub fn change(&self) -> Option<Change> {
        changed(self.verdict())
    }
}

pub fn changed(verdict: Verdict) -> Option<Change> {
    match verdict {
        Verdict::Changed(change) => Some(*change),
        _ => None,
    }
}

/// The stored invoice once a verdict has been carried out.
pub fn after(stored: &StoredInvoice, verdict: Verdict) -> StoredInvoice {
    changed(verdict).map_or_else(|| stored.clone(), |change| change.after)
}

/// Noon of that day of March 2026, UTC.
pub fn noon(day: i64) -> Timestamp {
    let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    start + ((day - 1) * 24).hours()
}

pub fn aud(cents: i64) -> Money {
    let currency: Currency = "AUD".parse().unwrap();
    Money::parse(&format!("{}.{:02}", cents / 100, cents % 100), currency).unwrap()
}

pub fn xero_id(n: u8) -> XeroPaymentId {
    XeroPaymentId::new(Uuid::from_u128(u128::from(n)))
}

pub fn sum_of(amounts: impl Iterator<Item = Money>) -> Money {
    Money::sum("AUD".parse().unwrap(), amounts).unwrap()
}

pub fn settings(forward_days: Option<u16>, zone: &str) -> Settings {
    Settings {
        forward_days,
        mass_change_max: None,
        ..Settings::new(OrganisationId::new(Uuid::from_u128(1)), TimeZone::get(zone).unwrap())
    }
}

pub fn arb_settings() -> impl Strategy<Value = Settings> {
    let zones = prop_oneof![Just("Pacific/Auckland"), Just("UTC"), Just("America/Los_Angeles")];
    (prop_oneof![Just(None), Just(Some(0)), Just(Some(7))], zones)
        .prop_map(|(days, zone)| settings(days, zone))
}

/// Mostly three days that have passed, sometimes one ahead.
fn arb_date() -> impl Strategy<Value = Date> {
    prop_oneof![
        6 => (2_i8..=4).prop_map(|day| date(2026, 3, day)),
        1 => (16_i8..=18).prop_map(|day| date(2026, 3, day)),
        1 => Just(date(2026, 6, 30)),
    ]
}

fn arb_amount() -> impl Strategy<Value = Money> {
    prop_oneof![3 => Just(10_00), 2 => Just(20_00), 1 => Just(10_01)].prop_map(aud)
}

fn arb_reference() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        3 => Just(None),
        3 => Just(Some("DD".to_owned())),
        3 => Just(Some("INV".to_owned())),
        // What we upload bears a stamp; people copy it, also onto other invoices.
        2 => (1_u8..=6).prop_map(|n| Some(format!("BPAY {}", stamp(n, 100)))),
        1 => (1_u8..=6).prop_map(|n| Some(format!("BPAY {}", stamp(n, 101)))),
    ]
}

/// The stamp of local payment `n` as an upload on that invoice.
pub fn stamp(n: u8, invoice: u128) -> Stamp {
    let receipt = Receipt {
        organisation: OrganisationId::new(Uuid::from_u128(1)),
        id: format!("local-{n}").parse().unwrap(),
        revision: 1,
        amount: aud(10_00),
        date: date(2026, 3, 2),
        reference: None,
        method: "bpay".to_owned(),
        channel: None,
        customer: None,
        transaction_id: format!("bank-{n}"),
        status: PaymentStatus::Confirmed,
        approved: true,
        settled: true,
        journaled: false,
        allocations: Vec::new(),
        entered_at: noon(1),
        document: None,
    };
    let mut upload = admit(None, &receipt, noon(1)).upload.unwrap();
    let id = XeroInvoiceId::new(Uuid::from_u128(invoice));
    let target = Target::Invoice { id, number: "CM-10234".to_owned() };
    upload.reserve("2026-03-01".parse().unwrap(), vec![(target, aud(10_00))], noon(1)).unwrap();
    upload.parts[0].stamp.clone()
}

fn arb_xero_kind() -> impl Strategy<Value = XeroPaymentKind> {
    prop_oneof![
        12 => Just(XeroPaymentKind::Received),
        1 => Just(XeroPaymentKind::CreditRefund),
        1 => Just(XeroPaymentKind::Other),
    ]
}

/// Payments as Xero shows them: up to six, each id once.
pub fn arb_xero_payments() -> impl Strategy<Value = Vec<XeroPayment>> {
    let one =
        (arb_date(), arb_amount(), arb_reference(), arb_xero_kind(), prop::bool::weighted(0.1));
    btree_map(1_u8..=7, one, 0..=6).prop_map(|payments| {
        let one = |(n, (date, amount, reference, kind, deleted))| XeroPayment {
            id: xero_id(n),
            date,
            amount,
            reference,
            kind,
            deleted,
        };
        payments.into_iter().map(one).collect()
    })
}

/// A read of `CM-10234` that ties out, of a version that counts in days.
pub fn snapshot(payments: Vec<XeroPayment>, updated: i64, fetched: i64) -> Snapshot {
    let paid = sum_of(payments.iter().filter(|p| p.counts()).map(|p| p.amount));
    let total = aud(60_00);
    Snapshot {
        allocations: Vec::new(),
        organisation: OrganisationId::new(Uuid::from_u128(1)),
        invoice: XeroInvoiceId::new(Uuid::from_u128(100)),
        kind: InvoiceKind::Sales,
        number: "CM-10234".to_owned(),
        status: InvoiceStatus::Authorised,
        contact_name: Some("Ana Lee".to_owned()),
        issued_on: None,
        due_on: Some(date(2026, 3, 9)),
        figures: Figures { total, paid, credited: aud(0), due: total.minus(paid).unwrap() },
        payments,
        updated_at: noon(updated),
        fetched_at: noon(fetched),
    }
}

/// Any read: incomplete ones, other numbers, other invoices and dead ones among them.
fn arb_snapshot() -> impl Strategy<Value = Snapshot> {
    let odd = (
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
    );
    (arb_xero_payments(), 1_i64..=4, 1_i64..=4, odd, 0_i64..=1).prop_map(
        |(payments, updated, fetched, (incomplete, renamed, other, dead), credit)| {
            let mut snapshot = snapshot(payments, updated, fetched);
            let figures = &mut snapshot.figures;
            figures.credited = aud(credit * 5_00);
            if incomplete {
                figures.paid = figures.paid.plus(aud(5_00)).unwrap();
            }
            if renamed {
                snapshot.number = "CM-10235".to_owned();
            }
            if other {
                snapshot.invoice = XeroInvoiceId::new(Uuid::from_u128(101));
            }
            if dead {
                snapshot.status = InvoiceStatus::Voided;
            }
            snapshot
        },
    )
}

/// What kind of local payment, with its link if it has one.
fn arb_local(n: u8) -> impl Strategy<Value = Payment> {
    let kind = prop_oneof![
        3 => Just((Origin::Local, Kind::Manual, false)),
        3 => Just((Origin::Xero, Kind::Imported, true)),
        1 => Just((Origin::Xero, Kind::Imported, false)),
        1 => Just((Origin::Local, Kind::Imported, true)),
        1 => Just((Origin::Local, Kind::Uploaded, true)),
        1 => Just((Origin::Local, Kind::Uploaded, false)),
    ];
    let status = prop_oneof![
        4 => Just(PaymentStatus::Confirmed),
        1 => Just(PaymentStatus::Pending),
        1 => Just(PaymentStatus::Failed),
        1 => Just(PaymentStatus::Refunded),
    ];
    let flags = (prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    (kind, arb_date(), arb_amount(), arb_reference(), status, flags, 1_i64..=2).prop_map(
        move |((origin, kind, linked), date, amount, reference, status, flags, entered)| {
            let copied = origin == Origin::Xero;
            let manual = kind == Kind::Manual;
            let (journaled, multi_invoice) = flags;
            let protection = match (journaled, multi_invoice, manual) {
                (true, _, _) => Some(Protection::Journaled),
                (_, true, _) if kind != Kind::Uploaded => Some(Protection::MultiInvoice),
                (_, _, true) => Some(Protection::Manual),
                _ => None,
            };
            let state = match (protection, kind, origin) {
                (Some(_), _, _) => State::Protected,
                (None, Kind::Uploaded, _) => State::Uploaded,
                (None, _, Origin::Xero) => State::Applied,
                (None, _, Origin::Local) => State::Adopted,
            };
            Payment {
                id: format!("local-{n}").parse().unwrap(),
                amount,
                date,
                reference,
                origin,
                kind,
                status: if manual { status } else { PaymentStatus::Confirmed },
                method: "any".to_owned(),
                transaction_id: format!("bank-{n}"),
                journaled,
                multi_invoice,
                link: linked.then(|| xero_id(n)),
                stamp: (kind == Kind::Uploaded && entered == 1).then(|| stamp(n, 100)),
                first_match_at: (kind == Kind::Imported).then(|| noon(entered)),
                note: match (kind, origin) {
                    (Kind::Imported, Origin::Xero) => Some(NOTE_IMPORTED.to_owned()),
                    (Kind::Imported, Origin::Local) => Some(NOTE_MATCHED.to_owned()),
                    _ => None,
                },
                created_at: noon(entered),
                balance_after: None,
                state,
                protection,
                revision: u64::from(!copied),
            }
        },
    )
}

pub fn local_invoice() -> LocalInvoice {
    LocalInvoice {
        number: "10234".parse().unwrap(),
        total: aud(60_00),
        issued_on: date(2026, 2, 1),
        due_on: date(2026, 3, 9),
        terms: None,
        contact: Contact { company: None, person: Some("Ana Lee".to_owned()) },
        payment_plan: false,
        revision: 1,
        components: Default::default(),
    }
}

/// The invoice before anything has come from Xero.
pub fn known_invoice(payments: Vec<Payment>) -> StoredInvoice {
    let organisation = OrganisationId::new(Uuid::from_u128(1));
    let mut stored = StoredInvoice::unknown(organisation, "10234".parse().unwrap());
    stored.local = Some(local_invoice());
    stored.payments = payments;
    stored
}

/// Local payments of every kind: up to six.
pub fn arb_stored() -> impl Strategy<Value = StoredInvoice> {
    let payments = (1_u8..=6).map(|n| prop::option::weighted(0.5, arb_local(n)).boxed());
    (payments.collect::<Vec<_>>(), prop::bool::weighted(0.9)).prop_map(|(payments, known)| {
        let mut stored = known_invoice(payments.into_iter().flatten().collect());
        stored.local = stored.local.filter(|_| known);
        stored
    })
}

/// A world with a past: what is stored has already seen up to two reads, and some of the payments
/// have been journaled since.
pub fn arb_world() -> impl Strategy<Value = World> {
    let past = vec(arb_snapshot(), 0..=2);
    let journaled = vec(prop::bool::weighted(0.1), 12);
    (arb_stored(), past, journaled, arb_snapshot(), arb_settings()).prop_map(
        |(mut stored, past, journaled, snapshot, settings)| {
            for (day, earlier) in past.iter().enumerate() {
                let day = i64::try_from(day).unwrap();
                let verdict = mirror(&stored, earlier, &settings, noon(6 + day));
                stored = after(&stored, verdict);
            }
            let journaled_now = stored.payments.iter_mut().zip(journaled).filter(|(_, yes)| *yes);
            for (payment, _) in journaled_now {
                payment.journaled = true;
                payment.state = State::Protected;
                payment.protection = Some(Protection::Journaled);
                stored.settled = None;
            }
            World { stored, snapshot, settings, now: noon(10) }
        },
    )
}

/// A world without a doubt: the read is complete and fresh, of the known invoice.
pub fn arb_plain_world() -> impl Strategy<Value = World> {
    (arb_stored(), arb_xero_payments(), arb_settings()).prop_map(
        |(mut stored, payments, settings)| {
            stored.local = Some(local_invoice());
            World { stored, snapshot: snapshot(payments, 5, 5), settings, now: noon(10) }
        },
    )
}

/// Up to five versions of the invoice, the oldest first. Some follow from a mere second read.
///
/// A payment keeps its date through all of them: one that moved out of the days that are let in
/// would rightly stay if it had been copied before.
pub fn arb_history() -> impl Strategy<Value = Vec<Snapshot>> {
    let version = (arb_xero_payments(), prop::bool::weighted(0.3));
    let renamed = prop::option::weighted(0.3, 1_i64..=5);
    (vec(version, 1..=5), vec(arb_date(), 7), renamed).prop_map(|(versions, dates, renamed)| {
        let mut updated = 1;
        let mut snapshots: Vec<Snapshot> = Vec::new();
        for (day, (mut payments, same_update)) in (1..).zip(versions) {
            for payment in &mut payments {
                let known = (1..).zip(&dates).find(|(n, _)| xero_id(*n) == payment.id);
                let (n, date) = known.unwrap();
                payment.date = *date;
                // Xero's payments are never changed, so that one is ours from the first read on, or never.
                let text = payment.reference.take();
                payment.reference = match n {
                    3 => Some(format!("BPAY {}", stamp(n, 100))),
                    _ => text.filter(|text| Stamp::find_in(text).is_none()),
                };
            }
            // One version does not go back to what it showed before.
            let seen = snapshots.iter().any(|earlier| earlier.payments == payments);
            updated = if same_update && !seen { updated } else { day };
            let mut version = snapshot(payments, updated, day);
            if renamed == Some(day) {
                version.number = "INV-7".to_owned();
            }
            snapshots.push(version);
        }
        snapshots
    })
}

/// Which of several things come, in which order: every one once, some again.
pub fn arb_deliveries(count: usize) -> impl Strategy<Value = Vec<usize>> {
    vec(0..count, 0..=4).prop_flat_map(move |again| {
        Just((0..count).chain(again).collect::<Vec<_>>()).prop_shuffle()
    })
}

/// A little generator, so that a failing order can be repeated from its seed.
pub struct Lottery(pub u64);

impl Lottery {
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let drawn = usize::try_from(self.0 >> 33).unwrap() % (last + 1);
            items.swap(last, drawn);
        }
    }
}
