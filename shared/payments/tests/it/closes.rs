//! The daily close: which days have one, what reconciles, and what holds for any log (SP-13 to SP-15, AMB-24).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use payments::close::{
    Calendar, CauseClass, Close, CloseCause, CloseStatus, DayFacts, InvoicePosition, Item, Judge,
    close, happened_at,
};
use payments::events::{Entry, EntryInvoice, EntryPayment};
use payments::upload::UploadState;
use payments::{
    Action, DiscrepancyKind, Logged, Money, OrganisationId, PaymentStatus, Settings, XeroPaymentId,
};
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

/// A Tuesday. Its close is at 18:00 in Sydney, which is 07:00 in UTC.
const DAY: &str = "2026-03-10";

fn settings() -> Settings {
    let organisation = OrganisationId::new(Uuid::from_u128(1));
    let mut settings = Settings::new(organisation, TimeZone::get("Australia/Sydney").unwrap());
    settings.close.holidays = ["2026-03-12".parse().unwrap()].into();
    settings
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn aud(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2), "AUD".parse().unwrap()).unwrap()
}

/// A row of the log about a payment of 50.00 that names invoice 10234, and no other.
fn row(instant: &str, logged: impl Into<Logged>, payment: &str) -> Entry {
    let logged = logged.into();
    let organisation = OrganisationId::new(Uuid::from_u128(1));
    Entry {
        id: format!("{organisation}/2026-03-10#{instant}#{payment}#1-0"),
        organisation,
        at: at(instant),
        logged,
        rule: None,
        cause: None,
        event_at: None,
        reason: None,
        by: None,
        why: None,
        invoice: Some(EntryInvoice {
            number: "10234".parse().unwrap(),
            xero: None,
            position: Some(position(0, &[])),
        }),
        payment: EntryPayment {
            id: Some(payment.parse().unwrap()),
            amount: Some(aud(5_000)),
            status: Some(PaymentStatus::Confirmed),
            invoices: matches!(logged, Logged::Upload(_)).then_some(1),
            ..EntryPayment::default()
        },
        discrepancy: None,
        contact: None,
        customer: None,
        order: None,
        blocked: None,
        adjustment: None,
        notice: None,
        owner: None,
        close: None,
        seal: None,
        report: None,
        night: None,
        until: None,
    }
}

fn position(left: i64, open: &[DiscrepancyKind]) -> InvoicePosition {
    InvoicePosition {
        total: aud(5_000),
        left: aud(left),
        due_on: Some(day("2026-03-20")),
        in_xero: true,
        open: open.iter().copied().collect(),
    }
}

fn in_xero(mut row: Entry) -> Entry {
    row.payment.xero = Some(XeroPaymentId::new(Uuid::from_u128(7)));
    row
}

fn status(mut row: Entry, status: PaymentStatus) -> Entry {
    row.payment.status = Some(status);
    row
}

fn open(mut row: Entry, left: i64, kinds: &[DiscrepancyKind]) -> Entry {
    if let Some(invoice) = &mut row.invoice {
        invoice.position = Some(position(left, kinds));
    }
    row
}

fn on_no_invoice(mut row: Entry) -> Entry {
    row.invoice = None;
    row.payment.invoices = Some(0);
    row
}

fn facts(rows: &[Entry]) -> DayFacts {
    let mut facts = DayFacts::default();
    for row in rows {
        facts.take(row);
    }
    facts
}

fn judge<'a>(settings: &'a Settings, on: &str) -> Judge<'a> {
    Judge::of(settings, day(on), Calendar::of(settings).closes_at(day(on)))
}

fn closed(rows: &[Entry], on: &str) -> (Close, Vec<Item>) {
    let settings = settings();
    close(&facts(rows), &judge(&settings, on))
}

/// Status and causes of the one row of a day.
fn one(rows: &[Entry], on: &str) -> (CloseStatus, Vec<CloseCause>) {
    let (_, items) = closed(rows, on);
    assert_eq!(items.len(), 1, "{items:#?}");
    (items[0].status, items[0].causes.iter().copied().collect())
}

/// Weekends and holidays have no close; the next one covers them (SP-13).
#[test]
fn an_instant_belongs_to_the_next_close() {
    let settings = settings();
    let calendar = Calendar::of(&settings);
    for (instant, expected) in [
        ("2026-03-10T06:59:59Z", "2026-03-10"),
        ("2026-03-10T07:00:00Z", "2026-03-10"),
        ("2026-03-10T07:00:01Z", "2026-03-11"),
        // Wednesday after the close: Thursday is a holiday.
        ("2026-03-11T07:00:01Z", "2026-03-13"),
        ("2026-03-12T03:00:00Z", "2026-03-13"),
        // Friday after the close, Saturday and Sunday.
        ("2026-03-13T07:00:01Z", "2026-03-16"),
        ("2026-03-14T03:00:00Z", "2026-03-16"),
        ("2026-03-15T03:00:00Z", "2026-03-16"),
    ] {
        assert_eq!(calendar.day_of(at(instant)), day(expected), "{instant}");
    }
    assert_eq!(calendar.last_closed(at("2026-03-12T20:00:00Z")), day("2026-03-11"));
    // Clocks go back on 5 April: the close stays at 18:00 by the clock.
    assert_eq!(calendar.closes_at(day("2026-04-03")), at("2026-04-03T07:00:00Z"));
    assert_eq!(calendar.closes_at(day("2026-04-06")), at("2026-04-06T08:00:00Z"));
}

proptest! {
    /// Each instant belongs to exactly one close, and closes follow each other without a gap.
    #[test]
    fn law_days_cover_all_time(seconds in 1_770_000_000_i64..1_800_000_000) {
        let settings = settings();
        let calendar = Calendar::of(&settings);
        let instant = Timestamp::from_second(seconds).unwrap();
        let day = calendar.day_of(instant);
        let before = calendar.previous(day);
        prop_assert!(calendar.is_business_day(day));
        prop_assert_eq!(calendar.next(before), day);
        prop_assert!(calendar.closes_at(before) < instant && instant <= calendar.closes_at(day));
    }
}

/// A payment that waits for its upload is in transit until its night is over, and no longer (AMB-24).
#[test]
fn what_waits_for_its_night_is_in_transit_and_late_only_after_it() {
    let waits = row("2026-03-10T03:00:00Z", UploadState::Waiting, "P-1");
    let (day, items) = closed(std::slice::from_ref(&waits), DAY);
    assert_eq!(items[0].status, CloseStatus::InTransit);
    assert_eq!(items[0].expected, Some("2026-03-10".parse().unwrap()));
    assert_eq!(day.sums[&("AUD", CloseStatus::InTransit)].count, 1);
    let late = one(std::slice::from_ref(&waits), "2026-03-11");
    assert_eq!(late, (CloseStatus::NotReconciled, vec![CloseCause::NightMissed]));
    // The night was full, and has left it for the next one.
    let mut carried = row("2026-03-10T11:00:00Z", UploadState::Waiting, "P-1");
    carried.night = Some("2026-03-10".parse().unwrap());
    let rows = [waits, carried];
    assert_eq!(one(&rows, "2026-03-11"), (CloseStatus::InTransit, vec![]));
    let late = one(&rows, "2026-03-13");
    assert_eq!(late, (CloseStatus::NotReconciled, vec![CloseCause::NightMissed]));
}

/// What another hand enters in Xero is expected there by the next close (SP-15).
#[test]
fn a_bank_transfer_is_expected_by_the_next_close() {
    let transfer = row("2026-03-10T03:00:00Z", Action::Recorded, "P-1");
    let rows = std::slice::from_ref(&transfer);
    assert_eq!(one(rows, DAY), (CloseStatus::InTransit, vec![]));
    let late = (CloseStatus::NotReconciled, vec![CloseCause::OtherMethod]);
    assert_eq!(one(rows, "2026-03-11"), late);
    assert_eq!(CloseCause::OtherMethod.class(), CauseClass::Unprocessed);
    let found = in_xero(row("2026-03-10T23:00:00Z", Action::Matched, "P-1"));
    assert_eq!(one(&[transfer, found], "2026-03-11"), (CloseStatus::Reconciled, vec![]));
}

/// A payment that stays pending is unprocessed after two closes (SP-15).
#[test]
fn a_pending_payment_is_unprocessed_after_two_closes() {
    let pending =
        status(row("2026-03-10T03:00:00Z", Action::Recorded, "P-1"), PaymentStatus::Pending);
    let again =
        status(row("2026-03-13T03:00:00Z", Action::Recorded, "P-1"), PaymentStatus::Pending);
    let rows = [pending, again];
    assert_eq!(one(&rows, "2026-03-11"), (CloseStatus::InTransit, vec![]));
    let late = (CloseStatus::NotReconciled, vec![CloseCause::PendingTooLong]);
    // Thursday has no close.
    assert_eq!(one(&rows, "2026-03-13"), late);
}

/// A failed payment is followed as long as no other has taken its place; on no invoice, until a person accepts it
/// (SP-12, AMB-31).
#[test]
fn a_failed_payment_is_followed_until_another_pays() {
    let failed = |row| status(row, PaymentStatus::Failed);
    let alone = open(
        failed(row("2026-03-10T03:00:00Z", Action::Recorded, "P-1")),
        5_000,
        &[DiscrepancyKind::FailedPayment],
    );
    let wrong = (CloseStatus::NotReconciled, vec![CloseCause::FailedPayment]);
    assert_eq!(one(std::slice::from_ref(&alone), DAY), wrong);
    let other = in_xero(row("2026-03-10T04:00:00Z", Action::Imported, "P-2"));
    assert_eq!(one(&[alone, other], DAY), (CloseStatus::Reconciled, vec![]));
    let free = on_no_invoice(failed(row("2026-03-10T03:00:00Z", Action::Recorded, "P-3")));
    assert_eq!(one(&[free], DAY), wrong);
}

/// An invoice with an open discrepancy does not reconcile, and neither do its payments (SP-14, ST-11, A7.1).
#[test]
fn an_open_discrepancy_keeps_an_invoice_from_reconciling() {
    let mut causes = BTreeSet::new();
    for (kind, cause) in [
        (DiscrepancyKind::Overpaid, CloseCause::Overpayment),
        (DiscrepancyKind::Underpaid, CloseCause::PartPayment),
        (DiscrepancyKind::MissingPayment, CloseCause::MissingPayment),
        (DiscrepancyKind::TotalDiffers, CloseCause::Mismatch),
        (DiscrepancyKind::ContactDiffers, CloseCause::Mismatch),
        (DiscrepancyKind::PossibleDuplicate, CloseCause::Duplicate),
    ] {
        let row = open(in_xero(row("2026-03-10T03:00:00Z", Action::Imported, "P-1")), 0, &[kind]);
        assert_eq!(one(&[row], DAY), (CloseStatus::NotReconciled, vec![cause]), "{kind}");
        causes.insert(cause);
    }
    let rows = [open(
        in_xero(row("2026-03-10T03:00:00Z", Action::Imported, "P-1")),
        0,
        &[DiscrepancyKind::Overpaid],
    )];
    let (day, _) = closed(&rows, DAY);
    assert_eq!(day.sums.keys().collect::<Vec<_>>(), [&("AUD", CloseStatus::NotReconciled)]);
}

/// The money that does not reconcile is added up by cause: payments with their amounts, invoices with what is left of them or
/// was paid too much (SP-14, SP-15).
#[test]
fn what_does_not_reconcile_has_a_sum_by_cause() {
    let of = |number: &str, mut row: Entry| {
        if let Some(invoice) = &mut row.invoice {
            invoice.number = number.parse().unwrap();
        }
        row
    };
    let imported = |payment: &str| in_xero(row("2026-03-10T03:00:00Z", Action::Imported, payment));
    let transfer = |payment: &str| row("2026-03-09T03:00:00Z", Action::Recorded, payment);
    let rows = [
        of("1", open(imported("P-1"), -700, &[DiscrepancyKind::Overpaid])),
        of("2", open(imported("P-2"), -50, &[DiscrepancyKind::Overpaid])),
        of("3", open(imported("P-3"), 1_200, &[DiscrepancyKind::Underpaid])),
        of("4", open(imported("P-4"), 0, &[DiscrepancyKind::ContactDiffers])),
        of("5", transfer("P-5")),
        of("6", transfer("P-6")),
    ];
    let (day, _) = closed(&rows, DAY);
    let sums: BTreeMap<CloseCause, (u64, Option<Money>)> =
        day.cause_sums.iter().map(|((_, cause), sum)| (*cause, (sum.count, sum.money))).collect();
    let expected = [
        (CloseCause::OtherMethod, (2, Some(aud(10_000)))),
        (CloseCause::Overpayment, (2, Some(aud(750)))),
        (CloseCause::PartPayment, (1, Some(aud(1_200)))),
    ];
    assert_eq!(sums, expected.into());
    assert_eq!(day.causes[&CloseCause::Mismatch], 1, "a name has no amount");
}

/// Each payment that does not reconcile is work for a person: held, refused, given back on one side (SP-14, SP-15).
#[test]
fn each_payment_that_does_not_reconcile_is_found() {
    let up = |state: UploadState, reason: &str| {
        let mut up = row("2026-03-10T03:00:00Z", state, "P-1");
        up.reason = Some(reason.to_owned());
        up
    };
    let refunded = status(
        in_xero(row("2026-03-10T03:00:00Z", Action::Recorded, "P-1")),
        PaymentStatus::Refunded,
    );
    for (row, cause, is_found) in [
        (up(UploadState::Held, "BLOCKED_BY_ACTION"), CloseCause::Held, true),
        // That is a discrepancy of its own.
        (up(UploadState::Held, "POSSIBLE_DUPLICATE"), CloseCause::Held, false),
        (up(UploadState::Refused, "refused"), CloseCause::Refused, true),
        (up(UploadState::PartlyUploaded, "refused"), CloseCause::Refused, true),
        (refunded, CloseCause::Refund, true),
    ] {
        let (_, items) = closed(&[row], DAY);
        assert_eq!(items[0].causes, [cause].into(), "{:?}", items[0]);
        let found = items[0].findings(day(DAY));
        assert_eq!(found.len(), usize::from(is_found), "{cause}: {found:?}");
    }
}

/// Money that was given back here and stands in Xero still does not reconcile on that day, and then as long as its
/// discrepancy is open (AMB-31, AMB-32).
#[test]
fn a_refund_on_one_side_is_followed_until_both_agree() {
    let recorded = |instant: &str, kinds: &[DiscrepancyKind]| {
        let row = in_xero(row(instant, Action::Recorded, "P-1"));
        open(status(row, PaymentStatus::Refunded), 5_000, kinds)
    };
    let rows = [recorded("2026-03-10T03:00:00Z", &[])];
    let wrong = (CloseStatus::NotReconciled, vec![CloseCause::Refund]);
    assert_eq!(one(&rows, DAY), wrong);
    let (_, items) = closed(&rows, DAY);
    for (open_kinds, expected) in
        [(&[DiscrepancyKind::Unprocessed][..], wrong), (&[], (CloseStatus::Open, vec![]))]
    {
        let mut carried = DayFacts::default();
        let mut facts = items[0].facts.clone();
        for movement in facts.payments.values_mut() {
            // As a close reads what the one before has left.
            movement.record.as_mut().unwrap().key.clear();
        }
        facts.position.as_mut().unwrap().value.open = open_kinds.iter().copied().collect();
        carried.carry(items[0].subject.clone(), facts);
        let settings = settings();
        let (_, rows) = close(&carried, &judge(&settings, "2026-03-11"));
        let found = (rows[0].status, rows[0].causes.iter().copied().collect::<Vec<_>>());
        assert_eq!(found, expected);
    }
}

/// A part that a night has placed on an invoice is counted with its payment, and once (SP-14).
#[test]
fn a_payment_that_a_night_has_spread_is_counted_once() {
    let free = on_no_invoice(row("2026-03-10T03:00:00Z", Action::Recorded, "P-1"));
    let up = on_no_invoice(row("2026-03-10T04:00:00Z", UploadState::Uploaded, "P-1"));
    let part = in_xero(row("2026-03-10T04:00:00Z", Action::Uploaded, "P-1"));
    let (day, items) = closed(&[free, up, part], DAY);
    assert_eq!(items.len(), 2);
    assert_eq!(day.sums[&("AUD", CloseStatus::Reconciled)].count, 1);
    assert_eq!(day.sums[&("AUD", CloseStatus::Reconciled)].money, Some(aud(5_000)));
}

/// A payment that names its invoice later leaves the list of those on none (SP-11).
#[test]
fn a_payment_that_names_its_invoice_later_is_counted_there() {
    let free = on_no_invoice(row("2026-03-10T03:00:00Z", Action::Recorded, "P-1"));
    let named = in_xero(row("2026-03-10T05:00:00Z", Action::Recorded, "P-1"));
    assert_eq!(one(&[free, named], DAY), (CloseStatus::Reconciled, vec![]));
}

/// Money counts when it came at its source; a due date that has passed, when that was found out (SP-13).
#[test]
fn money_happens_at_its_source_and_a_decision_when_it_is_made() {
    let (at_source, here) = (at("2026-03-09T03:00:00Z"), at("2026-03-10T03:00:00Z"));
    for (action, expected) in [
        (Action::Recorded, at_source),
        (Action::Imported, at_source),
        (Action::DiscrepancyRaised, here),
        (Action::Adopted, here),
    ] {
        let mut row = row("2026-03-10T03:00:00Z", action, "P-1");
        row.event_at = Some(at_source);
        assert_eq!(happened_at(&row), expected, "{action}");
        // A clock elsewhere may be ahead.
        row.event_at = Some(at("2026-03-10T04:00:00Z"));
        assert_eq!(happened_at(&row), here);
    }
}

prop_compose! {
    fn arb_row()(
        second in 0_u32..40,
        payment in 0_u32..6,
        invoice in 0_u32..4,
        what in 0_usize..9,
        money in 0_usize..4,
        cents in 1_i64..9_000,
        link in any::<bool>(),
        kind in prop::option::of(0..DiscrepancyKind::ALL.len()),
    ) -> Entry {
        let logged: Logged = match what {
            0 => Action::Recorded.into(),
            1 => Action::Imported.into(),
            2 => Action::Deleted.into(),
            3 => Action::Matched.into(),
            4 => Action::Uploaded.into(),
            5 => UploadState::Waiting.into(),
            6 => UploadState::Held.into(),
            7 => UploadState::Uploaded.into(),
            _ => UploadState::Skipped.into(),
        };
        let mut row = row(&format!("2026-03-10T03:00:{second:02}Z"), logged, &format!("P-{payment}"));
        // No two rows of the log have the same key.
        row.id = format!("{}{invoice}{what}{money}{cents}{link}{kind:?}", row.id);
        row.payment.amount = Some(aud(cents));
        row.payment.status = PaymentStatus::ALL.get(money).copied();
        row.payment.xero = link.then(|| XeroPaymentId::new(Uuid::from_u128(u128::from(payment))));
        match (&mut row.invoice, invoice) {
            (on, 0) => *on = None,
            (Some(on), number) => {
                on.number = format!("1000{number}").parse().unwrap();
                let open: Vec<_> = kind.map(|kind| DiscrepancyKind::ALL[kind]).into_iter().collect();
                on.position = Some(position(cents, &open));
            }
            (None, _) => {}
        }
        if row.invoice.is_none() {
            row.payment.invoices = Some(0);
        }
        row
    }
}

/// Rows, and the same rows in another order, some of them twice.
fn arb_twice() -> impl Strategy<Value = (Vec<Entry>, Vec<Entry>)> {
    prop::collection::vec(arb_row(), 1..40).prop_flat_map(|rows| {
        let mut more = rows.clone();
        more.extend(rows.iter().take(5).cloned());
        (Just(rows), Just(more).prop_shuffle())
    })
}

proptest! {
    /// SP-13: the order in which the log is read, and reading some of it twice, change nothing.
    #[test]
    fn law_order_changes_nothing((rows, shuffled) in arb_twice(), days in 0_i64..9) {
        let on = day(DAY).checked_add(jiff::Span::new().days(days)).unwrap().to_string();
        prop_assert_eq!(closed(&rows, &on), closed(&shuffled, &on));
    }

    /// SP-14: the sums of the day are those of its rows, each payment of a row is counted once, and statuses add up to the whole.
    #[test]
    fn law_sums_add_up(rows in prop::collection::vec(arb_row(), 1..40)) {
        let (day, items) = closed(&rows, DAY);
        let mut recount: BTreeMap<_, (u64, i64)> = BTreeMap::new();
        let cents = |money: Money| i64::try_from(money.amount().mantissa()).unwrap();
        for item in &items {
            for (key, sum) in &item.sums {
                let known = recount.entry(*key).or_default();
                known.0 += sum.count;
                known.1 += cents(sum.money.unwrap());
            }
        }
        let said: BTreeMap<_, _> = day.sums.iter()
            .map(|(key, sum)| (*key, (sum.count, cents(sum.money.unwrap())))).collect();
        prop_assert_eq!(&said, &recount);
        prop_assert_eq!(day.subjects.values().sum::<u64>(), items.len() as u64);
        // A payment that does not reconcile or is in transit is listed, with what it is.
        for item in &items {
            let open = |status| matches!(status, CloseStatus::InTransit | CloseStatus::NotReconciled);
            let counted = item.listed.values().filter(|judged| judged.is_counted).count() as u64;
            let in_sums: u64 = item.sums.iter().filter(|((_, status), _)| open(*status)).map(|(_, sum)| sum.count).sum();
            prop_assert_eq!(counted, in_sums);
            prop_assert!(item.causes.is_empty() || item.status == CloseStatus::NotReconciled);
        }
        // No payment is counted twice on one invoice.
        let named: BTreeSet<_> = rows.iter().map(|row| {
            (row.invoice.as_ref().map(|on| on.number.clone()), row.payment.id.clone())
        }).collect();
        prop_assert!(day.sums.values().map(|sum| sum.count).sum::<u64>() <= named.len() as u64);
    }

    /// Unfinished payments go on to the next close, and are judged there as if their rows had been read again.
    #[test]
    fn law_unfinished_goes_on(rows in prop::collection::vec(arb_row(), 1..30)) {
        let settings = settings();
        let (_, items) = closed(&rows, DAY);
        let mut carried = DayFacts::default();
        for item in items.iter().filter(|item| item.is_unfinished()) {
            carried.carry(item.subject.clone(), item.facts.clone());
        }
        let next = judge(&settings, "2026-03-11");
        let (_, from_carried) = close(&carried, &next);
        let (_, from_rows) = close(&facts(&rows), &next);
        let by_subject = |items: &[Item]| -> BTreeMap<_, _> {
            items.iter().map(|item| (item.subject.clone(), item.listed.clone())).collect()
        };
        let (carried, all) = (by_subject(&from_carried), by_subject(&from_rows));
        for (subject, listed) in carried {
            for (payment, judged) in listed {
                prop_assert_eq!(all.get(&subject).and_then(|of| of.get(&payment)), Some(&judged));
            }
        }
    }
}
