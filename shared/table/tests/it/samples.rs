//! Samples: valid ones, and any valid ones.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use payments::upload::{Channel, Stamp};
use payments::{
    Acceptance, Allocation, AppliedCredit, Case, ClockStep, Contact, CreditKind, Currency,
    CustomerId, Discrepancy, DiscrepancyCause, DiscrepancyKey, DiscrepancyKind, Ending, Figures,
    Held, HeldPayment, InvoiceKind, InvoiceNumber, InvoiceStatus, Kind, LocalInvoice, Money,
    MovedAway, OrganisationId, Origin, Owner, Payment, PaymentId, PaymentStatus, Protection,
    Receipt, ReceiptDocument, Reopened, Settings, Settled, Snapshot, State, StoredInvoice,
    TaxAndShipping, Terms, Version, XeroCreditId, XeroFacts, XeroInvoiceId, XeroPayment,
    XeroPaymentId, XeroPaymentKind,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use table::ChangeContext;
use uuid::Uuid;

pub fn organisation() -> OrganisationId {
    "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap()
}

pub fn number() -> InvoiceNumber {
    "10234".parse().unwrap()
}

pub fn invoice_id() -> XeroInvoiceId {
    "3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10".parse().unwrap()
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn now() -> Timestamp {
    at("2026-10-05T03:41:25.123456Z")
}

pub fn because() -> ChangeContext {
    ChangeContext { cause: "webhook", event_at: Some(at("2026-10-05T03:41:22.518Z")), now: now() }
}

pub fn settings() -> Settings {
    harness::settings(organisation())
}

/// So many cents of Australian dollars.
pub fn aud(cents: i64) -> Money {
    Money::new(rust_decimal::Decimal::new(cents, 2), "AUD".parse().unwrap()).unwrap()
}

pub fn xero_payment(id: u32, cents: i64) -> XeroPayment {
    XeroPayment {
        id: XeroPaymentId::new(Uuid::from_u128(u128::from(id))),
        date: date(2026, 3, 2),
        amount: aud(cents),
        reference: Some(format!("DD {id}")),
        kind: XeroPaymentKind::Received,
        deleted: false,
    }
}

/// A complete read of the invoice, which Xero says was updated at that minute of the hour.
pub fn snapshot(minute: i64, payments: Vec<XeroPayment>) -> Snapshot {
    let paid = Money::sum("AUD".parse().unwrap(), payments.iter().map(|p| p.amount)).unwrap();
    let updated_at = at("2026-10-05T03:00:00Z") + jiff::SignedDuration::from_mins(minute);
    Snapshot {
        allocations: Vec::new(),
        organisation: organisation(),
        invoice: invoice_id(),
        kind: InvoiceKind::Sales,
        number: "CM-10234".to_owned(),
        status: InvoiceStatus::Authorised,
        contact_name: Some("Ada Ltd".to_owned()),
        issued_on: Some(date(2026, 2, 1)),
        due_on: Some(date(2026, 12, 1)),
        figures: Figures {
            total: aud(100_000_000),
            paid,
            credited: aud(0),
            due: aud(100_000_000).minus(paid).unwrap(),
        },
        payments,
        updated_at,
        fetched_at: updated_at + jiff::SignedDuration::from_secs(2),
    }
}

pub fn local_invoice(number: InvoiceNumber) -> LocalInvoice {
    LocalInvoice {
        number,
        total: aud(100_000_000),
        issued_on: date(2026, 2, 1),
        due_on: date(2026, 12, 1),
        terms: None,
        contact: Contact { company: Some("Ada Ltd".to_owned()), person: None },
        payment_plan: false,
        revision: 1,
        components: Default::default(),
    }
}

/// A BPAY payment that names no invoice.
pub fn receipt(id: &str) -> Receipt {
    Receipt {
        organisation: organisation(),
        id: id.parse().unwrap(),
        revision: 1,
        amount: aud(100),
        date: date(2026, 3, 2),
        reference: None,
        method: "bpay".to_owned(),
        channel: None,
        customer: Some("C-1".parse().unwrap()),
        transaction_id: format!("T-{id}"),
        status: PaymentStatus::Confirmed,
        approved: false,
        settled: false,
        journaled: false,
        allocations: Vec::new(),
        entered_at: at("2026-03-02T01:00:00Z"),
        document: None,
    }
}

/// The warning that a payment names no invoice.
pub fn unlinked(receipt: &Receipt) -> payments::Warning {
    payments::Warning {
        kind: payments::WarningKind::Unlinked,
        payment: receipt.id.clone(),
        why: "the payment names no invoice".to_owned(),
    }
}

/// Any instant of these decades, to the microsecond.
pub fn arb_instant() -> impl Strategy<Value = Timestamp> {
    (0..4_102_444_800_000_000_i64).prop_map(|us| Timestamp::from_microsecond(us).unwrap())
}

pub fn arb_date() -> impl Strategy<Value = Date> {
    (1990..2100_i16, 1..=12_i8, 1..=28_i8).prop_map(|(year, month, day)| date(year, month, day))
}

/// Currencies with 0, 2, 3 and 4 decimals.
pub fn arb_currency() -> impl Strategy<Value = Currency> {
    select(vec!["JPY", "AUD", "KWD", "CLF"]).prop_map(|code| code.parse().unwrap())
}

pub fn arb_money_in(currency: Currency) -> impl Strategy<Value = Money> {
    let decimals = currency.decimals();
    let max = 1_000_000_000 * 10_i64.pow(decimals);
    prop_oneof![Just(0), Just(1), Just(max), Just(-max), -max..max].prop_map(move |minor| {
        Money::new(rust_decimal::Decimal::new(minor, decimals), currency).unwrap()
    })
}

pub fn arb_money() -> impl Strategy<Value = Money> {
    arb_currency().prop_flat_map(arb_money_in)
}

/// Anything a person may have typed, nothing at all included.
pub fn arb_text() -> impl Strategy<Value = String> {
    prop_oneof!["(?s).{0,60}", "[a-zäöü'\"#/ ]{0,20}", Just(String::new())]
}

fn arb_id_text() -> impl Strategy<Value = String> {
    prop_oneof!["[!-~]{1,100}", "[a-z#/é木]{1,30}", "[0-9]{5}"]
}

pub fn arb_payment_id() -> impl Strategy<Value = PaymentId> {
    arb_id_text().prop_map(|text| text.parse().unwrap())
}

pub fn arb_number() -> impl Strategy<Value = InvoiceNumber> {
    arb_id_text().prop_map(|text| text.parse().unwrap())
}

pub fn arb_stamp() -> impl Strategy<Value = Stamp> {
    "PM-[0-9A-HJKMNP-TV-Z]{12}-[0-9A-HJKMNP-TV-Z]{5}".prop_map(|text| text.parse().unwrap())
}

pub fn arb_customer_id() -> impl Strategy<Value = CustomerId> {
    arb_id_text().prop_map(|text| text.parse().unwrap())
}

pub fn arb_uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

pub fn arb_organisation() -> impl Strategy<Value = OrganisationId> {
    arb_uuid().prop_map(OrganisationId::new)
}

fn arb_version() -> impl Strategy<Value = Version> {
    (arb_instant(), arb_instant())
        .prop_map(|(updated_at, fetched_at)| Version { updated_at, fetched_at })
}

pub fn arb_payment() -> BoxedStrategy<Payment> {
    let codes = (
        select(Origin::ALL),
        select(Kind::ALL),
        select(PaymentStatus::ALL),
        select(State::ALL),
        option::of(select(Protection::ALL)),
    );
    let money = (arb_money(), option::of(arb_money()), arb_date(), any::<u64>());
    let texts = (arb_payment_id(), option::of(arb_text()), arb_text(), arb_text());
    let flags = (any::<bool>(), any::<bool>());
    let match_ = (
        option::of(arb_uuid()),
        option::of(arb_instant()),
        option::of(arb_text()),
        option::of(arb_stamp()),
    );
    (codes, money, texts, flags, match_, arb_instant())
        .prop_map(|(codes, money, texts, flags, match_, created_at)| Payment {
            id: texts.0,
            amount: money.0,
            date: money.2,
            reference: texts.1,
            origin: codes.0,
            kind: codes.1,
            status: codes.2,
            method: texts.2,
            transaction_id: texts.3,
            journaled: flags.0,
            multi_invoice: flags.1,
            link: match_.0.map(XeroPaymentId::new),
            stamp: match_.3,
            first_match_at: match_.1,
            note: match_.2,
            created_at,
            balance_after: money.1,
            state: codes.3,
            protection: codes.4,
            revision: money.3,
        })
        .boxed()
}

// On the heap, as the others that are large: an invoice of all of them at once is too much for a thread's stack.
fn arb_held() -> BoxedStrategy<HeldPayment> {
    let payment = (arb_uuid(), arb_date(), arb_money(), option::of(arb_text()));
    let hold = (select(Held::ALL), option::of(arb_date()), arb_instant());
    (payment, hold)
        .prop_map(|((id, date, amount, reference), (reason, until, held_at))| {
            let (id, kind) = (XeroPaymentId::new(id), XeroPaymentKind::Received);
            let payment = XeroPayment { id, date, amount, reference, kind, deleted: false };
            HeldPayment { payment, reason, until, held_at }
        })
        .boxed()
}

fn arb_discrepancy() -> BoxedStrategy<Discrepancy> {
    let subject = prop_oneof![Just(String::new()), arb_id_text()];
    let key = (select(DiscrepancyKind::ALL), subject);
    let reopened = (arb_instant(), any::<u32>()).prop_map(|(at, count)| Reopened { at, count });
    let accepted = (arb_instant(), arb_text(), arb_text(), arb_text(), select(Ending::ALL))
        .prop_map(|(at, by, why, facts, ending)| Acceptance { at, by, why, facts, ending });
    let times = (arb_instant(), option::of(reopened), option::of(arb_instant()));
    let people = (option::of(accepted), arb_case());
    (key, arb_text(), times, people)
        .prop_map(|((kind, subject), detail, times, (accepted, case))| {
            let (detected_at, reopened, resolved_at) = times;
            Discrepancy {
                key: DiscrepancyKey { kind, subject },
                detail,
                detected_at,
                reopened,
                resolved_at,
                accepted,
                case,
            }
        })
        .boxed()
}

fn arb_case() -> impl Strategy<Value = Case> {
    let owner = (arb_text(), arb_instant()).prop_map(|(name, since)| Owner { name, since });
    let (cause, step) = (select(DiscrepancyCause::ALL), select(ClockStep::ALL));
    let counts = (any::<u32>(), any::<u64>());
    (option::of(owner), option::of(cause), option::of(step), counts).prop_map(
        |(owner, cause, step, (notices, writes))| Case { owner, cause, step, notices, writes },
    )
}

fn arb_terms() -> impl Strategy<Value = Terms> {
    prop_oneof![
        any::<u16>().prop_map(Terms::DaysAfterIssue),
        any::<u16>().prop_map(Terms::DaysAfterMonthEnd),
        any::<u8>().prop_map(Terms::DayOfFollowingMonth),
    ]
}

fn arb_local(number: InvoiceNumber) -> BoxedStrategy<LocalInvoice> {
    let contact = (option::of(arb_text()), option::of(arb_text()));
    let days = (arb_date(), arb_date(), option::of(arb_terms()));
    let amounts =
        arb_currency().prop_flat_map(|currency| (arb_money_in(currency), arb_parts(currency)));
    (amounts, days, contact, (any::<bool>(), any::<u64>()))
        .prop_map(move |(amounts, (issued_on, due_on, terms), (company, person), rest)| {
            LocalInvoice {
                number: number.clone(),
                total: amounts.0,
                issued_on,
                due_on,
                terms,
                contact: Contact { company, person },
                payment_plan: rest.0,
                revision: rest.1,
                components: amounts.1,
            }
        })
        .boxed()
}

fn arb_parts(currency: Currency) -> impl Strategy<Value = TaxAndShipping> {
    let part = || option::of(arb_money_in(currency));
    (part(), part()).prop_map(|(tax, shipping)| TaxAndShipping { tax, shipping })
}

fn arb_xero() -> BoxedStrategy<XeroFacts> {
    let figures = arb_currency().prop_flat_map(|currency| vec(arb_money_in(currency), 4));
    let texts = (arb_text(), option::of(arb_text()), option::of(arb_date()));
    let applied =
        (arb_uuid(), select(CreditKind::ALL), option::of(arb_text()), option::of(arb_date()));
    let ids = (arb_uuid(), vec(applied, 0..3));
    (ids, select(InvoiceStatus::ALL), texts, figures, arb_version())
        .prop_map(
            |((invoice, applied), status, (number, contact_name, due_on), figures, version)| {
                XeroFacts {
                    allocations: applied
                        .into_iter()
                        .map(|(credit, kind, number, date)| AppliedCredit {
                            kind,
                            credit: XeroCreditId::new(credit),
                            number,
                            amount: figures[0],
                            date,
                        })
                        .collect(),
                    invoice: XeroInvoiceId::new(invoice),
                    number,
                    status,
                    contact_name,
                    due_on,
                    figures: Figures {
                        total: figures[0],
                        paid: figures[1],
                        credited: figures[2],
                        due: figures[3],
                    },
                    version,
                }
            },
        )
        .boxed()
}

/// Any invoice with what belongs to it, in the order in which it is read.
pub fn arb_stored_invoice() -> BoxedStrategy<StoredInvoice> {
    let facts = arb_number().prop_flat_map(|number| {
        (Just(number.clone()), option::of(arb_local(number)), option::of(arb_xero()))
    });
    let moved = option::of((arb_uuid(), arb_version()).prop_map(|(invoice, version)| MovedAway {
        invoice: XeroInvoiceId::new(invoice),
        version,
    }));
    let settled = option::of(
        (arb_text(), option::of(arb_date()))
            .prop_map(|(fingerprint, review_on)| Settled { fingerprint, review_on }),
    );
    let parts = (vec(arb_payment(), 0..6), vec(arb_held(), 0..3), vec(arb_discrepancy(), 0..4));
    (arb_organisation(), facts, moved, settled, parts)
        .prop_map(|(organisation, (number, local, xero), moved_away, settled, parts)| {
            StoredInvoice {
                customer: None,
                held_back: false,
                blocked: false,
                strangers: std::collections::BTreeSet::new(),
                organisation,
                number,
                revision: 0,
                reported_at: None,
                local,
                xero,
                moved_away,
                settled,
                payments: unique(parts.0, |payment| payment.id.clone()),
                held: unique(parts.1, |held| held.payment.id),
                discrepancies: unique(parts.2, |discrepancy| discrepancy.key.clone()),
            }
        })
        .boxed()
}

fn unique<T, K: Ord>(items: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let by_key: BTreeMap<K, T> = items.into_iter().map(|item| (key(&item), item)).collect();
    by_key.into_values().collect()
}

pub fn arb_receipt() -> BoxedStrategy<Receipt> {
    let allocations = arb_currency().prop_flat_map(|currency| {
        let parts = btree_map(arb_number(), arb_money_in(currency), 0..4);
        let document = (arb_id_text(), arb_money_in(currency), arb_parts(currency));
        let document =
            document.prop_map(|(number, total, parts)| ReceiptDocument { number, total, parts });
        (arb_money_in(currency), parts, option::of(document))
    });
    // The id of the transaction is the key of an index, and never empty.
    let texts = (option::of(arb_text()), arb_text(), arb_id_text());
    let from = (option::of(select(Channel::ALL)), option::of(arb_customer_id()));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let rest = (select(PaymentStatus::ALL), flags, arb_instant(), any::<u64>());
    ((arb_organisation(), arb_payment_id()), allocations, arb_date(), (texts, from), rest)
        .prop_map(|((organisation, id), (amount, parts, document), date, (texts, from), rest)| {
            Receipt {
                organisation,
                id,
                revision: rest.3,
                amount,
                date,
                reference: texts.0,
                method: texts.1,
                channel: from.0,
                customer: from.1,
                transaction_id: texts.2,
                status: rest.0,
                approved: rest.1.0,
                settled: rest.1.1,
                journaled: rest.1.2,
                allocations: parts
                    .into_iter()
                    .map(|(invoice, amount)| Allocation { invoice, amount })
                    .collect(),
                entered_at: rest.2,
                document,
            }
        })
        .boxed()
}
