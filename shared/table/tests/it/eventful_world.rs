//! The rows that the questions of the README are asked about: an invoice, orders, nights and more, with a bit of everything.

use std::collections::BTreeSet;

use payments::budget::{CallBudget as _, Purpose, Word};
use payments::close::{
    CloseSubject, DayFacts, Judge, PaymentMovement, PaymentRecord, Register, SubjectFacts, close,
};
use payments::grant::{GrantEnd, Grants as _};
use payments::seal::{Checksum, Contents, Seal};
use payments::sweep::{Certificate, Latency, SyncKind, SyncRun, SyncState, Trigger};
use payments::upload::{
    Caps, CreditTerms, Customer, DocumentForm, Hold, MergedContact, NightReport, Placed, SendMode,
    Totals, UploadState, WriteOutcome,
};
use payments::{
    Components, Discrepancy, DiscrepancyChange, DiscrepancyKey, DiscrepancyKind, Order,
};

use table::{Recount, StoredReport};

use crate::samples::{aud, now, organisation, settings, snapshot, xero_payment};
use crate::sweeps;
use crate::upload_samples::{self, night};
use crate::world::World;

/// The contact of a refund, and of the customers.
pub(crate) const CONTACT: &str = "430fa14a-f945-44d3-9f97-5df5e28441b8";

/// A refund of a contact's credit was seen.
async fn refunded(world: &World) {
    let key = DiscrepancyKey::about(DiscrepancyKind::RefundInXero, "R-1");
    let because = table::ContactBecause { cause: "manual", rule: "CM-50", now: now() };
    let opened = world.tables.open_contact_discrepancy(
        organisation(),
        CONTACT.parse().unwrap(),
        &key,
        "0.50 AUD of 2026-10-05 went back",
        because,
    );
    assert!(opened.await.unwrap());
}

/// A person accepts what was found about the contact.
pub(crate) async fn accept(world: &World) {
    let accept = payments::DiscrepancyWork::End { ending: payments::Ending::Accepted, seen: None };
    work(world, accept).await;
}

/// A person works on what was found about the contact.
pub(crate) async fn work(world: &World, work: payments::DiscrepancyWork) {
    let place = table::DiscrepancyPlace {
        organisation: organisation(),
        subject: table::DiscrepancySubject::Contact(CONTACT.parse().unwrap()),
        key: DiscrepancyKey::about(DiscrepancyKind::RefundInXero, "R-1"),
    };
    let said = payments::Attributed { by: Some("Ada"), why: "it was agreed" };
    let context = table::WorkContext { cause: "console", said, now: now() };
    let done = world.tables.work_on_discrepancy(&place, context, |_, _| Ok(work.clone())).await;
    done.unwrap();
}

/// The tax of an order is another one in Xero.
pub(crate) async fn charge_wrong_tax(world: &World) {
    let zero = aud(0);
    let order = Order {
        organisation: organisation(),
        id: "O-1".parse().unwrap(),
        revision: 1,
        customer: None,
        placed_at: now(),
        completed_at: None,
        components: Components {
            goods: aud(1_000),
            tax: aud(100),
            shipping: zero,
            discount: zero,
            total: aud(1_100),
        },
        invoices: BTreeSet::new(),
        payments: BTreeSet::new(),
        cancelled: false,
    };
    let key = DiscrepancyKey::about(DiscrepancyKind::ComponentDiffers, "tax");
    let detail = "tax: 1.00 in the order, 2.00 in Xero".to_owned();
    let changes = [DiscrepancyChange { known: None, now: Discrepancy::found(key, detail, now()) }];
    let because = table::ContactBecause { cause: "manual", rule: "SP-10", now: now() };
    let judged = table::Judged::Order(&order);
    world.tables.write_discrepancies_about(judged, &changes, because).await.unwrap();
}

/// An invoice with a bit of everything, among others that no answer may contain.
pub(crate) async fn eventful() -> World {
    let world = World::with_local_invoice().await;
    let mut future = xero_payment(3, 300);
    future.date = jiff::civil::date(2027, 1, 1);
    world.apply(&snapshot(1, vec![xero_payment(1, 100), xero_payment(2, 200)])).await.unwrap();
    world.apply(&snapshot(2, vec![xero_payment(2, 200), future])).await.unwrap();
    refunded(&world).await;

    let other: payments::InvoiceNumber = "20001".parse().unwrap();
    world.record(&other).await;
    let mut elsewhere = snapshot(1, vec![xero_payment(9, 900)]);
    elsewhere.number = "CM-20001".to_owned();
    elsewhere.invoice = payments::XeroInvoiceId::new(uuid::Uuid::from_u128(2));
    crate::world::apply_to(
        &world.tables,
        &elsewhere,
        &other,
        &settings(),
        crate::samples::because(),
    )
    .await
    .unwrap();
    keep(&world).await;
    upload(&world).await;
    authorise(&world).await;
    sweep(&world).await;
    certify(&world).await;
    close_a_day(&world).await;
    report_a_shadow(&world).await;
    seal_a_day(&world).await;
    refuse(&world).await;
    world.tables.heard(organisation(), now()).await.unwrap();
    let facts = payments::connection::Facts::default();
    let judged = payments::connection::judge(&facts, now());
    world
        .tables
        .store_connection(organisation(), &judged, &facts, None, false, now())
        .await
        .unwrap();
    let losses = [("30001".parse().unwrap(), 2)].into();
    let since = world.tables.ask_for_changes(organisation(), &losses, 1, now()).await.unwrap();
    assert_eq!(since, Some(now()));
    world
}

/// A grant for the organisation, and another one that died and is of an organisation elsewhere.
async fn authorise(world: &World) {
    for (n, dies) in [(1, false), (2, true)] {
        let grant = crate::grants::authorised(n);
        let before = world.tables.grant(grant.id).await.unwrap();
        let stored = world.tables.store_grant(&before, grant, now()).await.unwrap();
        if dies {
            let dead = stored.ended(GrantEnd::InvalidGrant, now());
            world.tables.store_grant(&stored, dead, now()).await.unwrap();
        }
    }
}

/// A viewer has tried what only operators may do.
async fn refuse(world: &World) {
    let ordered = table::Ordered {
        organisation: Some(organisation()),
        order: "sync_now",
        subject: None,
        result: "refused",
        detail: "takes the role operator",
        rule: Some("ST-22"),
        role: "viewer",
        by: "Ada",
        why: "to see",
        request_id: "r-1",
    };
    // Long after all else, so that nothing else happens to be counted.
    world.tables.record_order(&ordered, now()).await.unwrap();
}

/// Three runs, of which the second failed and the third repaired something; and a batch of the mirror.
async fn sweep(world: &World) {
    let tables = &world.tables;
    let first = sweeps::run(0, SyncState::Finished);
    let failed = sweeps::failed_run(1800, "Timeout");
    let last = sweeps::failed_run(3600, "Limit");
    let mut state = sweeps::sweep();
    state.end(SyncState::Finished, Trigger::Schedule, None, true, now());
    let state = tables.store_sweep(&state, &[&first, &failed]).await.unwrap();
    tables.store_sweep(&state, &[&last]).await.unwrap();
    let began = last.started_at + jiff::SignedDuration::from_mins(30);
    let mut mirrored = SyncRun::begun(organisation(), SyncKind::Mirror, Trigger::Queue, 1, began);
    mirrored.latency = Latency::of([2, 4].map(jiff::SignedDuration::from_secs));
    tables.record_run(&mirrored.over(began)).await.unwrap();
    let number: payments::InvoiceNumber = "30001".parse().unwrap();
    world.record(&number).await;
    let mut found = snapshot(1, vec![xero_payment(7, 700)]);
    found.number = "CM-30001".to_owned();
    found.invoice = payments::XeroInvoiceId::new(uuid::Uuid::from_u128(3));
    let because = table::ChangeContext { cause: "sweep", ..crate::samples::because() };
    crate::world::apply_to(tables, &found, &number, &settings(), because).await.unwrap();
}

/// One payment is accounted for, another one is not.
/// A day on which nothing is left to reconcile but one failed payment.
async fn close_a_day(world: &World) {
    let day = "2026-10-05".parse().unwrap();
    let mut facts = DayFacts::default();
    let record = PaymentRecord {
        amount: crate::samples::aud(5_000),
        status: payments::PaymentStatus::Failed,
        in_xero: false,
        gone: false,
        held_until: None,
    };
    let record = Register { key: "first".to_owned(), at: now(), value: record };
    let payment =
        PaymentMovement { record: Some(record), reported: true, ..PaymentMovement::default() };
    let about =
        SubjectFacts { payments: [("P-1".to_owned(), payment)].into(), ..SubjectFacts::default() };
    facts.carry(CloseSubject::Payment("P-1".parse().unwrap()), about);
    let settings = settings();
    let (of_day, items) = close(&facts, &Judge::of(&settings, day, now()));
    let tables = &world.tables;
    let window = (now(), now(), None);
    let stored =
        tables.store_close(organisation(), None, window, (&of_day, items.iter().cloned()), now());
    assert!(stored.await.unwrap());
}

/// A day in shadow, with one payment that only Xero has.
async fn report_a_shadow(world: &World) {
    let report = payments::shadow::ShadowReport {
        organisation: organisation(),
        day: "2026-10-05".parse().unwrap(),
        made_at: now(),
        invoices: 1,
        agreeing: 2,
        would: [("mirror_imported".to_owned(), 1)].into(),
        differing: [("missing_here".to_owned(), 1)].into(),
        differences: vec![payments::shadow::EntryDifference {
            kind: payments::shadow::EntryDifferenceKind::MissingHere,
            number: Some("10234".parse().unwrap()),
            payment: None,
            xero: Some(xero_payment(1, 100).id),
            why: "Xero has it; the business does not".to_owned(),
        }],
        left_alone: Default::default(),
        left: Vec::new(),
    };
    world.tables.store_shadow_report(&report, now()).await.unwrap();
    let read = world.tables.shadow_reports(organisation(), 3).await.unwrap();
    assert_eq!(read, [report]);
}

/// A day without rows, and a report; their own rows of the log are of a later day than the questions.
async fn seal_a_day(world: &World) {
    let day = "2026-10-05".parse().unwrap();
    let seal = Seal::new(organisation(), day, None, Contents::default());
    let later = now() + jiff::SignedDuration::from_hours(72);
    world.tables.store_seal(&seal, later).await.unwrap();
    let checksum = Checksum::of_bytes(b"a report");
    let mut report = StoredReport {
        organisation: organisation(),
        period: "weekly-2026-11-16-2026-11-22".to_owned(),
        format: 1,
        checksum,
        sealed_day: day,
        seal: seal.checksum,
        basis: "{}".to_owned(),
        files: vec!["report.json".to_owned()],
        headline: "reconciled n/a".to_owned(),
        made_at: later,
        by: None,
        recount: None,
    };
    world.tables.store_report(&report).await.unwrap();
    let difference = Some("the log gives other: payments".to_owned());
    report.recount = Some(Recount { at: later, checksum, difference });
    world.tables.store_recount(&report).await.unwrap();
    // Its message is in no question.
    world.tables.end_message(organisation(), table::REPORT_DIFFERS, &report.period).await.unwrap();
}

async fn certify(world: &World) {
    let change = |id, amount: i64| payments::sweep::PaymentChange {
        id: payments::XeroPaymentId::new(uuid::Uuid::from_u128(id)),
        invoice: None,
        number: Some("CM-30001".to_owned()),
        kind: payments::XeroPaymentKind::Received,
        refund: None,
        deleted: false,
        amount: rust_decimal::Decimal::new(amount, 2),
        date: xero_payment(7, 700).date,
        updated_at: now(),
    };
    let later = now() + jiff::SignedDuration::from_hours(1);
    let mut certificate = Certificate::begun(&settings(), now(), later);
    let stored = world.tables.invoice(organisation(), &"30001".parse().unwrap()).await.unwrap();
    for change in [change(7, 700), change(8, 800)] {
        certificate.take(&change, Some(&stored), &settings());
    }
    certificate.repaired =
        world.tables.repaired_between(organisation(), now(), later).await.unwrap();
    world.tables.store_certificate(&certificate).await.unwrap();
}

/// A night that put one payment into Xero, does not know of another one, and has two left; one of
/// them has a blocked customer. An invoice of the provider waits for an account.
async fn upload(world: &World) {
    let tables = &world.tables;
    let because = crate::samples::because();
    let waiting = ["P-3", "P-2"].map(upload_samples::waiting);
    let mut held = upload_samples::waiting("P-1");
    held.put_on_hold(Hold::BlockedByAction, "an action is open: call", Some(night()), now());
    let sent = ["P-4", "P-5"].map(|id| {
        let mut upload = upload_samples::reserved(&upload_samples::waiting(id));
        upload.send(&[1], "key", now()).unwrap();
        upload
    });
    let [mut done, mut unknown] = sent;
    let id = uuid::Uuid::from_u128(8);
    let placed = Placed::Prepayment { transaction: id, prepayment: None };
    done.answer(1, WriteOutcome::Placed(placed), false, now()).unwrap();
    unknown.answer(1, WriteOutcome::Unclear, false, now()).unwrap();
    let mut unmapped = upload_samples::provider_invoice("F-1");
    unmapped.put_on_hold(Hold::AccountUnmapped, "no account is set", None, now());
    let mut credit = upload_samples::provider_invoice("C-1");
    credit.state = UploadState::Uploaded;
    let terms = CreditTerms { applied: Vec::new(), allocations: 0, used_up: false };
    credit.bill.as_mut().unwrap().form = DocumentForm::CreditNote(terms);
    let all = [&waiting[0], &waiting[1], &held, &done, &unknown, &unmapped, &credit];
    let caps = Caps::unused(organisation());
    let after = caps.reserve(2, SendMode::Nightly(night()), 200, now()).caps.unwrap();
    let new = all.map(|upload| (None, upload));
    tables.write_uploads(&new, Some((&caps, &after)), because).await.unwrap();
    let pass = tables.budgets().enter(organisation(), Purpose::Live, now()).await.unwrap();
    tables.budgets().leave(pass, Word { bytes: 909, ..Word::default() }, now()).await;
    let begun = NightReport::begun(organisation(), night(), now(), now());
    let totals = Totals::of([&held, &done, &unknown]);
    tables.store_night(&NightReport { totals, carried: 2, ..begun }).await.unwrap();
    let from = payments::XeroContactId::new(uuid::Uuid::from_u128(17));
    let merged = Some(MergedContact { from, between: BTreeSet::new(), at: now() });
    let free = Customer { merged, ..upload_samples::customer("C-2") };
    let blocked = Some("call".to_owned());
    let blocked = Customer { blocked, blocked_at: Some(now()), ..upload_samples::customer("C-1") };
    for customer in [free, blocked] {
        let said = Some(("Ada", "call"));
        tables.store_customer(None, &customer, said, now()).await.unwrap();
    }
}

async fn keep(world: &World) {
    for (organisation, id) in [(Some(organisation()), "m-1"), (None, "m-2")] {
        let parked = table::Parked {
            organisation,
            id,
            by: "mirror",
            reason: "stale_read",
            detail: "read older than its event",
            body: b"{}",
            received_at: now(),
        };
        world.tables.park(&parked).await.unwrap();
    }
    let receipt = crate::samples::receipt("R-1");
    let warnings = [crate::samples::unlinked(&receipt)];
    world.tables.store_receipt(None, &receipt, &warnings, None, now()).await.unwrap();
}
