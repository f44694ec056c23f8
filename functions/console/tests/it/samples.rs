//! An invoice with a bit of everything, and payments on their way to Xero.

use jiff::SignedDuration;
use jiff::civil::date;
use payments::upload::{
    Customer, Placed, Target, Upload, UploadSettings, UploadStart, WriteOutcome, admit,
};
use payments::{
    AppliedCredit, Contact, CreditKind, Figures, InvoiceKind, InvoiceNumber, InvoiceStatus,
    LocalInvoice, Money, PaymentStatus, Receipt, Settings, Snapshot, Verdict, XeroContactId,
    XeroCreditId, XeroInvoiceId, XeroPayment, XeroPaymentId, XeroPaymentKind, mirror,
    record_invoice,
};
use table::ChangeContext;
use uuid::Uuid;

use crate::world::{World, ago, now, organisation};

/// Whose short code is part of every link.
pub const CODE: &str = "!mBdtL";

pub fn because(minutes: i64) -> ChangeContext {
    ChangeContext { cause: "webhook", event_at: None, now: ago(minutes) }
}

/// So many cents of Australian dollars.
pub fn aud(cents: i64) -> Money {
    Money::new(rust_decimal::Decimal::new(cents, 2), "AUD".parse().unwrap()).unwrap()
}

pub fn xero(n: u128) -> XeroPaymentId {
    XeroPaymentId::new(Uuid::from_u128(n))
}

pub fn settings() -> Settings {
    let account = "00000000-0000-0000-0000-000000000007".parse().unwrap();
    let start = UploadStart::Day(date(2026, 1, 1));
    Settings {
        upload: Some(UploadSettings { enabled: true, ..UploadSettings::new(start, account) }),
        ..harness::settings(organisation())
    }
}

pub fn xero_payment(n: u128, cents: i64) -> XeroPayment {
    XeroPayment {
        id: xero(n),
        date: date(2026, 11, 2),
        amount: aud(cents),
        reference: Some(format!("DD {n}")),
        kind: XeroPaymentKind::Received,
        deleted: false,
    }
}

/// The business's own system reports an invoice of 100.00, due on 20 November.
pub async fn record(world: &World, number: &str, contact: &str) {
    let number: InvoiceNumber = number.parse().unwrap();
    let before = world.tables.invoice(organisation(), &number).await.unwrap();
    let local = LocalInvoice {
        number,
        total: aud(10_000),
        issued_on: date(2026, 11, 1),
        due_on: date(2026, 11, 20),
        terms: None,
        contact: Contact { company: Some(contact.to_owned()), person: None },
        payment_plan: false,
        revision: 1,
        components: Default::default(),
    };
    let change = record_invoice(&before, &local, ago(600)).unwrap().unwrap();
    world.tables.write_invoice(&before, &change, because(600)).await.unwrap();
}

/// Xero is read, and shows these payments and so much of credit.
pub async fn read(world: &World, number: &str, at: i64, payments: Vec<XeroPayment>, credited: i64) {
    let invoice = Uuid::from_u128(number.parse().unwrap());
    let paid = Money::sum("AUD".parse().unwrap(), payments.iter().map(|one| one.amount)).unwrap();
    let due = aud(10_000 - credited).minus(paid).unwrap();
    let updated_at = ago(at) - SignedDuration::from_secs(2);
    let snapshot = Snapshot {
        allocations: (credited > 0).then(|| applied(credited)).into_iter().collect(),
        organisation: organisation(),
        invoice: XeroInvoiceId::new(invoice),
        kind: InvoiceKind::Sales,
        number: format!("CM-{number}"),
        status: InvoiceStatus::Authorised,
        contact_name: Some("Ada Ltd".to_owned()),
        issued_on: Some(date(2026, 11, 1)),
        due_on: Some(date(2026, 11, 20)),
        figures: Figures { total: aud(10_000), paid, credited: aud(credited), due },
        payments,
        updated_at,
        fetched_at: ago(at),
    };
    let number = number.parse().unwrap();
    let before = world.tables.invoice(organisation(), &number).await.unwrap();
    let verdict = mirror(&before, &snapshot, &settings(), ago(at));
    let Verdict::Changed(change) = verdict else { panic!("{verdict:?}") };
    world.tables.write_invoice(&before, &change, because(at)).await.unwrap();
}

fn applied(cents: i64) -> AppliedCredit {
    AppliedCredit {
        kind: CreditKind::Prepayment,
        credit: XeroCreditId::new(Uuid::from_u128(500)),
        number: Some("INV-0005".to_owned()),
        amount: aud(cents),
        date: Some(date(2026, 11, 15)),
    }
}

/// A BPAY payment that names no invoice.
pub fn receipt(id: &str) -> Receipt {
    Receipt {
        organisation: organisation(),
        id: id.parse().unwrap(),
        revision: 1,
        amount: aud(400),
        date: date(2026, 11, 3),
        reference: None,
        method: "bpay".to_owned(),
        channel: None,
        customer: Some("C-1".parse().unwrap()),
        transaction_id: format!("T-{id}"),
        status: PaymentStatus::Confirmed,
        approved: true,
        settled: false,
        journaled: false,
        allocations: Vec::new(),
        entered_at: ago(500),
        document: None,
    }
}

pub fn waiting(id: &str) -> Upload {
    *admit(None, &receipt(id), ago(400)).upload.unwrap()
}

pub async fn store(world: &World, upload: &Upload) {
    world.tables.write_uploads(&[(None, upload)], None, because(300)).await.unwrap();
}

/// It with four parts, of which two are in Xero and two were refused.
pub fn partly(upload: &Upload) -> Upload {
    let contact = XeroContactId::new(Uuid::from_u128(7));
    let invoice = |n: u128| Target::Invoice {
        id: XeroInvoiceId::new(Uuid::from_u128(n)),
        number: format!("CM-{n}"),
    };
    let targets = [invoice(1), invoice(2), invoice(3), Target::Prepayment { contact }];
    let parts = targets.into_iter().map(|target| (target, aud(100))).collect();
    let mut upload = upload.clone();
    upload.reserve("2026-11-24".parse().unwrap(), parts, ago(300)).unwrap();
    upload.send(&[1, 2, 3, 4], "key", ago(290)).unwrap();
    for n in [1, 2] {
        let placed = Placed::Payment(xero(90 + u128::from(n)));
        upload.answer(n, WriteOutcome::Placed(placed), false, ago(280)).unwrap();
    }
    for n in [3, 4] {
        let refused = WriteOutcome::Refused("the invoice is paid".to_owned());
        upload.answer(n, refused, false, ago(280)).unwrap();
    }
    upload
}

pub async fn blocked(world: &World, id: &str, why: &str) {
    let customer = Customer {
        organisation: organisation(),
        id: id.parse().unwrap(),
        revision: 0,
        name: Some("Ada Ltd".to_owned()),
        contact: Some(XeroContactId::new(Uuid::from_u128(7))),
        blocked: Some(why.to_owned()),
        blocked_at: Some(ago(200)),
        merged: None,
        unusable_contact: None,
    };
    world.tables.store_customer(None, &customer, Some(("Ada", "x")), now()).await.unwrap();
}

/// Uploading is set up, and the connection was checked.
pub async fn world() -> World {
    let world = crate::world::well().await;
    world.tables.store_settings(&settings()).await.unwrap();
    world
}

/// Invoice 10234: 30.00 were removed, 20.00 are here, 10.00 are held for a day to come, 5.00 are credited.
pub async fn eventful() -> World {
    let world = world().await;
    fill(&world).await;
    world
}

/// The same in tables that are there.
pub async fn fill(world: &World) {
    world.tables.store_settings(&settings()).await.unwrap();
    record(world, "10234", "Ada Ltd").await;
    read(world, "10234", 120, vec![xero_payment(1, 3_000), xero_payment(2, 2_000)], 0).await;
    let mut future = xero_payment(3, 1_000);
    future.date = date(2027, 6, 1);
    read(world, "10234", 60, vec![xero_payment(2, 2_000), future], 500).await;
}
