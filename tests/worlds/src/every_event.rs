//! Everything that is decided happens once, through the domain and the tables themselves.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use payments::close::{CloseStatus, DayFacts, Judge, close};
use payments::connection::{AccessMode, ConnectionStatus, Facts, HealthIssue};
use payments::digest::Morning;
use payments::failures::Failures;
use payments::grant::{Dead, Grant, GrantEnd, Grants as _};
use payments::seal::{Checksum, Contents, Seal};
use payments::upload::{
    Caps, Customer, Disabled, Hold, Placed, Skip, Target, Upload, UploadState, WriteOutcome, admit,
    link,
};
use payments::{
    Attributed, Change, Components, Contact, DiscrepancyKey, DiscrepancyKind, DiscrepancyWork,
    Figures, InvoiceKind, InvoiceStatus, LocalInvoice, Money, Order, OrderFacts, PaymentStatus,
    Receipt, ReceiptDocument, Settings, Snapshot, StoredInvoice, TaxAndShipping, Verdict,
    WarningKind, XeroContactId, XeroInvoiceId, XeroPayment, XeroPaymentId, XeroPaymentKind, accept,
    mirror, order_documents, record_invoice, restore, standing,
};
use table::{
    ChangeContext, ContactBecause, DiscrepancyPlace, DiscrepancySubject, Recount, StoredReport,
    WorkContext,
};
use uuid::Uuid;

use crate::announce::{World, now, organisation};

fn because() -> ChangeContext {
    let event_at = Some("2026-11-23T00:59:58.5Z".parse().unwrap());
    ChangeContext { cause: "webhook", event_at, now: now() }
}

fn aud(text: &str) -> Money {
    Money::parse(text, "AUD".parse().unwrap()).unwrap()
}

pub fn xero_id(id: u128) -> XeroPaymentId {
    XeroPaymentId::new(Uuid::from_u128(id))
}

fn settings() -> Settings {
    Settings {
        forward_days: Some(7),
        ..Settings::new(organisation(), jiff::tz::TimeZone::get("Australia/Sydney").unwrap())
    }
}

fn xero_payment(id: u128, amount: &str, date: &str) -> XeroPayment {
    XeroPayment {
        id: xero_id(id),
        date: date.parse().unwrap(),
        amount: aud(amount),
        reference: None,
        kind: XeroPaymentKind::Received,
        deleted: false,
    }
}

pub fn xero_invoice() -> XeroInvoiceId {
    XeroInvoiceId::new(Uuid::from_u128(0xa1))
}

/// A complete read of the invoice in that minute.
fn snapshot(number: &str, minute: i64, payments: Vec<XeroPayment>) -> Snapshot {
    let paid = Money::sum("AUD".parse().unwrap(), payments.iter().map(|p| p.amount)).unwrap();
    let updated_at: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
    let updated_at = updated_at + jiff::SignedDuration::from_mins(minute);
    Snapshot {
        allocations: Vec::new(),
        organisation: organisation(),
        invoice: xero_invoice(),
        kind: InvoiceKind::Sales,
        number: number.to_owned(),
        status: InvoiceStatus::Authorised,
        contact_name: Some("Ada Ltd".to_owned()),
        issued_on: Some("2026-11-01".parse().unwrap()),
        due_on: Some("2027-02-01".parse().unwrap()),
        figures: Figures {
            total: aud("1000.00"),
            paid,
            credited: aud("0.00"),
            due: aud("1000.00").minus(paid).unwrap(),
        },
        payments,
        updated_at,
        fetched_at: updated_at + jiff::SignedDuration::from_secs(2),
    }
}

fn receipt(id: &str, amount: &str) -> Receipt {
    Receipt {
        organisation: organisation(),
        id: id.parse().unwrap(),
        revision: 1,
        amount: aud(amount),
        date: "2026-11-20".parse().unwrap(),
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
        entered_at: now(),
        document: None,
    }
}

/// Everything that can be announced, done in the tables.
pub struct Everything<'a>(pub &'a World);

impl Everything<'_> {
    pub async fn happens(&self) {
        self.an_invoice_and_its_payments().await;
        self.uploads().await;
        self.provider_invoices().await;
        self.the_rest().await;
        self.a_refund().await;
        self.a_discrepancy_at_work().await;
        self.morning().await;
        self.an_order().await;
        self.closes().await;
        self.seals().await;
        self.reports().await;
    }

    /// A report is stored, and is another one when it is counted again.
    async fn reports(&self) {
        let checksum = Checksum::of_bytes(b"a report");
        let mut report = StoredReport {
            organisation: organisation(),
            period: "weekly-2026-11-16-2026-11-22".to_owned(),
            format: 1,
            checksum,
            sealed_day: "2026-11-22".parse().unwrap(),
            seal: checksum,
            basis: "{}".to_owned(),
            files: vec!["report.json".to_owned()],
            headline: "reconciled n/a".to_owned(),
            made_at: now(),
            by: None,
            recount: None,
        };
        self.0.tables.store_report(&report).await.unwrap();
        let difference = Some("the log gives other: payments".to_owned());
        report.recount =
            Some(Recount { at: now(), checksum: Checksum::of_bytes(b"another"), difference });
        self.0.tables.store_recount(&report).await.unwrap();
    }

    /// Two days of the log are sealed.
    async fn seals(&self) {
        let mut previous = None;
        for day in ["2026-11-21", "2026-11-22"] {
            let day = day.parse().unwrap();
            let seal = Seal::new(organisation(), day, previous, Contents::default());
            self.0.tables.store_seal(&seal, now()).await.unwrap();
            previous = Some(seal.checksum);
        }
    }

    /// A day is closed, and closed again with another outcome.
    async fn closes(&self) {
        let (settings, tables) = (harness::settings(organisation()), &self.0.tables);
        let day = "2026-11-23".parse().unwrap();
        let (mut day_close, items) = close(&DayFacts::default(), &Judge::of(&settings, day, now()));
        for revision in [1, 2] {
            day_close.subjects.insert(CloseStatus::Open, revision);
            let known = tables.closed_day(organisation(), day).await.unwrap();
            let window = (now(), now(), None);
            let of_day = (&day_close, items.iter().cloned());
            let is_news = tables.store_close(organisation(), known.as_ref(), window, of_day, now());
            assert!(is_news.await.unwrap());
        }
    }

    /// An order that is paid in two parts.
    async fn an_order(&self) {
        let total = aud("100.00");
        let zero = Money::zero(total.currency());
        let order = Order {
            organisation: organisation(),
            id: "O-1".parse().unwrap(),
            revision: 1,
            customer: Some("C-1".parse().unwrap()),
            placed_at: now(),
            completed_at: None,
            components: Components {
                goods: total,
                tax: zero,
                shipping: zero,
                discount: zero,
                total,
            },
            invoices: [].into(),
            payments: ["O-1-1", "O-1-2"].map(|id| id.parse().unwrap()).into(),
            cancelled: false,
        };
        let tables = &self.0.tables;
        tables.store_order(None, &order, now()).await.unwrap();
        let mut facts = OrderFacts::default();
        for payment in ["O-1-1", "O-1-2"] {
            // What the customer was given says a tax that the order does not have (SP-10).
            let document = ReceiptDocument {
                number: format!("R-{payment}"),
                total: zero,
                parts: TaxAndShipping { tax: Some(total), shipping: None },
            };
            facts.receipts.push(Receipt { document: Some(document), ..receipt(payment, "50.00") });
            let stored = tables.order(organisation(), &order.id).await.unwrap().unwrap();
            let standing = standing(&order, &facts).unwrap();
            let documents = order_documents(&order, &facts, &standing).unwrap();
            tables.store_standing(&stored, standing, &documents, now()).await.unwrap();
        }
    }

    /// A discrepancy about a contact and about no invoice (AMB-38).
    async fn a_refund(&self) {
        let key = DiscrepancyKey::about(DiscrepancyKind::RefundInXero, xero_id(0xb1));
        let contact = XeroContactId::new(Uuid::from_u128(0xc1));
        let because = ContactBecause { cause: "sweep", rule: "CM-50", now: now() };
        let (tables, detail) = (&self.0.tables, "12.00 AUD of 2026-11-20 went back");
        let opened =
            tables.open_contact_discrepancy(organisation(), contact, &key, detail, because);
        assert!(opened.await.unwrap());
        let known = tables.contact_discrepancies(organisation(), contact).await.unwrap();
        let closed = tables.close_contact_discrepancy(organisation(), contact, &known[0], because);
        assert!(closed.await.unwrap());
    }

    /// An invoice that is overpaid, and all that people and the clock do about it (SP-19, SP-23, SP-24, SP-36).
    async fn a_discrepancy_at_work(&self) {
        let number: payments::InvoiceNumber = "10300".parse().unwrap();
        let tables = &self.0.tables;
        let local = LocalInvoice {
            number: number.clone(),
            total: aud("100.00"),
            issued_on: "2026-11-01".parse().unwrap(),
            due_on: "2027-02-01".parse().unwrap(),
            terms: None,
            contact: Contact { company: Some("Ada Ltd".to_owned()), person: None },
            payment_plan: false,
            components: payments::TaxAndShipping::default(),
            revision: 1,
        };
        let stored = tables.invoice(organisation(), &number).await.unwrap();
        let change = record_invoice(&stored, &local, now()).unwrap().unwrap();
        self.write(&stored, &change).await;
        let allocation = payments::Allocation { invoice: number.clone(), amount: aud("120.00") };
        let paid = Receipt { allocations: vec![allocation], ..receipt("P-9", "120.00") };
        let stored = tables.invoice(organisation(), &number).await.unwrap();
        let change = payments::record_part(&stored, &paid, now()).unwrap().unwrap();
        self.write(&stored, &change).await;
        let place = DiscrepancyPlace {
            organisation: organisation(),
            subject: DiscrepancySubject::Invoice(number.clone()),
            key: DiscrepancyKey::of_invoice(DiscrepancyKind::Overpaid),
        };
        let said = Attributed { by: Some("Ada"), why: "I look into it" };
        let context = WorkContext { cause: "console", said, now: now() };
        let notice = payments::CustomerNotice {
            id: "10300#OVERPAID##1".to_owned(),
            kind: payments::NoticeKind::Overpaid,
            customer: Some("C-1".parse().unwrap()),
            subject: "20.00 AUD too much".to_owned(),
            text: "Please choose.".to_owned(),
        };
        let adjustment = payments::Adjustment {
            record: payments::AdjustedRecord::Shipping,
            amount: Some(aud("20.00")),
            payment: None,
            to_invoice: None,
        };
        for work in [
            DiscrepancyWork::Assign { owner: "Ada".to_owned() },
            DiscrepancyWork::Note { cause: Some(payments::DiscrepancyCause::EnteredTwice) },
            DiscrepancyWork::Remind(payments::ClockStep::Day),
            DiscrepancyWork::Remind(payments::ClockStep::Breach),
            DiscrepancyWork::Adjust(adjustment),
            DiscrepancyWork::Notify(notice),
            DiscrepancyWork::End { ending: payments::Ending::Closed, seen: None },
        ] {
            let done = tables.work_on_discrepancy(&place, context, |_, _| Ok(work.clone())).await;
            done.unwrap();
        }
        let known = tables.notice(organisation(), "10300#OVERPAID##1").await.unwrap().unwrap();
        let report = payments::NoticeReport {
            organisation: organisation(),
            id: known.notice.id.clone(),
            revision: 1,
            sent_at: Some(now()),
            answered_at: None,
            answer: None,
            satisfied: None,
        };
        let after = known.after(&report).unwrap().unwrap();
        tables.store_notice_report(&known, &after, now()).await.unwrap();
    }

    async fn morning(&self) {
        let settings = settings();
        let morning = Morning {
            day: "2026-11-23".parse().unwrap(),
            zone: &settings.zone,
            mode: AccessMode::CustomConnection,
            status: ConnectionStatus::Active,
            troubles: &[],
            silent_since: None,
            last_success_at: Some(now()),
            certificate: None,
            close: &payments::morning_close::MorningClose::default(),
            night: None,
            open: 0,
            oldest_open: None,
            late: 0,
            without_owner: 0,
            actions: 0,
            more_actions: false,
            oldest_action: None,
            held: &[],
            parked_reports: 0,
            failures: &Failures::default(),
        };
        self.0.tables.log_digest(organisation(), &morning, now()).await.unwrap();
    }

    async fn stored(&self) -> StoredInvoice {
        self.0.tables.invoice(organisation(), &"10234".parse().unwrap()).await.unwrap()
    }

    async fn write(&self, before: &StoredInvoice, change: &Change) {
        self.0.tables.write_invoice(before, change, because()).await.unwrap();
    }

    async fn read(&self, snapshot: &Snapshot) {
        let stored = self.stored().await;
        match mirror(&stored, snapshot, &settings(), now()) {
            Verdict::Changed(change) => self.write(&stored, &change).await,
            other => panic!("{other:?}"),
        }
    }

    async fn record(&self, receipt: &Receipt) {
        let stored = self.stored().await;
        let change = payments::record_part(&stored, receipt, now()).unwrap().unwrap();
        self.write(&stored, &change).await;
    }

    async fn an_invoice_and_its_payments(&self) {
        let local = LocalInvoice {
            number: "10234".parse().unwrap(),
            total: aud("1000.00"),
            issued_on: "2026-11-01".parse().unwrap(),
            due_on: "2027-02-01".parse().unwrap(),
            terms: None,
            contact: Contact { company: Some("Ada Ltd".to_owned()), person: None },
            payment_plan: false,
            revision: 1,
            components: Default::default(),
        };
        let stored = self.stored().await;
        let change = record_invoice(&stored, &local, now()).unwrap().unwrap();
        self.write(&stored, &change).await;
        let on_it = |id, amount: &str| Receipt {
            allocations: vec![payments::Allocation {
                invoice: "10234".parse().unwrap(),
                amount: aud(amount),
            }],
            ..receipt(id, amount)
        };
        self.record(&on_it("P-1", "60.00")).await;
        // Imported, adopted, held; and one that looks like the hand-entered one, which is a discrepancy.
        let first = xero_payment(1, "46.00", "2026-11-19");
        let same = xero_payment(2, "60.00", "2026-11-20");
        let ahead = xero_payment(3, "5.00", "2027-01-20");
        self.read(&snapshot("CM-10234", 1, vec![first.clone(), same.clone(), ahead.clone()])).await;
        // The one is altered, the other's contact differs: updated, released, opened.
        let altered = XeroPayment { amount: aud("47.00"), ..first };
        let mut read = snapshot("CM-10234", 2, vec![altered.clone(), same.clone()]);
        read.contact_name = Some("Somebody Else".to_owned());
        self.read(&read).await;
        // A person accepts that: closed. It differs otherwise: opened again.
        let stored = self.stored().await;
        let differs = DiscrepancyKey::of_invoice(DiscrepancyKind::ContactDiffers);
        let said = ("Ada", "they write it both ways");
        let change = accept(&stored, &differs, None, said, now()).unwrap();
        self.write(&stored, &change).await;
        let mut read = snapshot("CM-10234", 2, vec![altered.clone(), same.clone()]);
        read.contact_name = Some("Another One".to_owned());
        read.fetched_at += jiff::SignedDuration::from_secs(1);
        self.read(&read).await;
        // It agrees again, and another id in Xero is the same payment: closed, matched.
        let same = xero_payment(4, "60.00", "2026-11-20");
        self.read(&snapshot("CM-10234", 3, vec![altered, same.clone()])).await;
        // It is gone, and a person wants it back.
        self.read(&snapshot("CM-10234", 4, vec![same])).await;
        let was = payments::PaymentId::of_copy(xero_id(1), 0);
        let number = "10234".parse().unwrap();
        let removed = self.0.tables.removed_payment(organisation(), &number, &was).await.unwrap();
        let stored = self.stored().await;
        let change = restore(&stored, &removed.unwrap(), "Ada", "it was money").unwrap();
        self.write(&stored, &change).await;
        // It bears another number.
        self.read(&snapshot("CM-20001", 5, Vec::new())).await;
    }

    async fn uploads(&self) {
        // Proven on its invoice.
        let waiting = *admit(None, &receipt("P-2", "20.00"), now()).upload.unwrap();
        self.0.tables.write_uploads(&[(None, &waiting)], None, because()).await.unwrap();
        let waiting = Upload { revision: 1, ..waiting };
        let mut sent = waiting.clone();
        let target = Target::Invoice { id: xero_invoice(), number: "CM-10234".to_owned() };
        let amount = sent.receipt.amount;
        sent.reserve("2026-11-23".parse().unwrap(), vec![(target, amount)], now()).unwrap();
        sent.send(&[1], "key", now()).unwrap();
        let placed = WriteOutcome::Placed(Placed::Payment(xero_id(42)));
        sent.answer(1, placed, false, now()).unwrap();
        let stored = self.stored().await;
        let change = link(&stored, &sent, &sent.parts[0], now()).unwrap();
        let moved = (&waiting, &sent);
        self.0.tables.link_upload(&stored, &change, moved, because()).await.unwrap();
        self.in_every_state("P-3", |id| *admit(None, &receipt(id, "20.00"), now()).upload.unwrap())
            .await;
        // A report that names no invoice.
        let unlinked = receipt("P-4", "7.00");
        let warning = payments::Warning {
            kind: WarningKind::Unlinked,
            payment: unlinked.id.clone(),
            why: "the payment names no invoice".to_owned(),
        };
        self.0.tables.store_receipt(None, &unlinked, &[warning], None, now()).await.unwrap();
    }

    async fn provider_invoices(&self) {
        self.in_every_state("provider-invoice-PI-7", |id| {
            *admit(None, &receipt(id, "113.25"), now()).upload.unwrap()
        })
        .await;
    }

    /// The row of one upload, in one state after the other.
    async fn in_every_state(&self, id: &str, new: impl Fn(&str) -> Upload) {
        for (state, number) in UploadState::ALL.iter().zip(0..) {
            let mut upload = new(&format!("{id}{number}"));
            upload.state = *state;
            upload.reason = match state {
                UploadState::Held => Hold::LockedPeriod.code(),
                UploadState::Skipped => Skip::NotApproved.code(),
                _ => "",
            }
            .to_owned();
            upload.why = format!("it is {state}");
            self.0.tables.write_uploads(&[(None, &upload)], None, because()).await.unwrap();
        }
    }

    async fn the_rest(&self) {
        let tables = &self.0.tables;
        let unused = Caps::unused(organisation());
        let disabled = Some(Disabled { at: now(), why: "4,001 attempts in 30 days".to_owned() });
        let off = Caps { disabled, ..unused.clone() };
        tables.write_uploads(&[], Some((&unused, &off)), because()).await.unwrap();
        let off = Caps { revision: 1, ..off };
        let on = Caps { disabled: None, ..off.clone() };
        tables.write_caps(&off, &on, "Ada", "we know why", because()).await.unwrap();

        let wanted = BTreeMap::from([("10234".parse().unwrap(), 101)]);
        tables.ask_for_changes(organisation(), &wanted, 100, now()).await.unwrap().unwrap();
        tables.approve_changes(organisation(), "Ada", "it is meant", now()).await.unwrap();

        let known = Customer {
            organisation: organisation(),
            id: "C-1".parse().unwrap(),
            revision: 1,
            name: Some("Ada Ltd".to_owned()),
            contact: None,
            blocked: None,
            blocked_at: None,
            merged: None,
            unusable_contact: None,
            email: None,
            sync: Default::default(),
        };
        let said = Some(("Ada", "two contacts in Xero"));
        let blocked = Customer {
            blocked: Some("which contact?".to_owned()),
            blocked_at: Some(now()),
            ..known.clone()
        };
        tables.store_customer(None, &blocked, said, now()).await.unwrap();
        tables.store_customer(Some(&blocked), &known, said, now()).await.unwrap();

        let id = "0f6a7c6e-1a4e-4e8e-9a64-5b1b5a4c7d21".parse().unwrap();
        let mut grant = Grant::new(id);
        grant.organisations.insert(organisation());
        let grant = tables.store_grant(&Grant::new(id), grant, now()).await.unwrap();
        let dead = Some(Dead { at: now(), why: GrantEnd::ALL[0] });
        let lost =
            tables.store_grant(&grant, Grant { dead, ..grant.clone() }, now()).await.unwrap();
        let back = Grant { dead: None, ..lost.clone() };
        tables.store_grant(&lost, back, now()).await.unwrap();

        let facts = Facts::default();
        for troubles in [vec![], vec![HealthIssue::Parked], vec![HealthIssue::Refused]] {
            let judged = (ConnectionStatus::Error, troubles);
            let looked =
                tables.store_connection(organisation(), &judged, &facts, None, false, now());
            looked.await.unwrap();
        }
        let row = self.0.client.put_item().table_name("organisations");
        let id = AttributeValue::S(organisation().to_string());
        row.item("organisation", id).send().await.unwrap();
        assert!(tables.disconnect(organisation(), ("Ada", "they leave"), now()).await.unwrap());
    }
}
