//! The accounts in Xero on which payments are booked: looked at before anything is sent (XC-15, XC-18).

use jiff::SignedDuration;
use payments::XeroAccountId;
use serde_json::Value;
use uuid::Uuid;
use xero_simulator::{AccountKind, CreatedKind, Effect, Fault, Invoice, NewAccount};

use crate::samples::bpay;
use crate::world::{World, evening, march};

fn puts(world: &World) -> usize {
    let calls = world.xero.take_calls();
    calls.iter().filter(|call| call.starts_with("PUT")).count()
}

fn bank(world: &World) -> Uuid {
    let books = world.simulator.organisation(world.tenant).unwrap();
    books.accounts.iter().find(|account| account.is_bank()).unwrap().id
}

/// Another bank account, in this currency.
fn another(world: &World, code: &str, currency: Option<&str>) -> Uuid {
    let wanted = NewAccount {
        code: Some(code.to_owned()),
        name: format!("Bank {code}"),
        kind: AccountKind::Bank,
        payments_enabled: false,
        currency: currency.map(str::to_owned),
    };
    world.simulator.add_account(world.tenant, wanted).unwrap()
}

async fn next_night(world: &World, days: i64) -> Value {
    let later = SignedDuration::from_hours(24 * days);
    world.clock.set(evening() + later);
    world.night(evening() + later).await
}

#[tokio::test]
async fn an_archived_account_is_one_message_and_one_held_night_and_no_refusals() {
    // XC-15
    let world = World::new().await;
    world.provider(&["processing"]).await;
    world.bpay_payments(60).await;
    world.provider_invoice("F-1", &[("processing", 12_00)]).await;
    world.simulator.archive_account(world.tenant, bank(&world)).unwrap();
    puts(&world);

    let night = world.night(evening()).await;

    assert_eq!(puts(&world), 1, "the provider's invoice goes, and nothing else is tried");
    assert_eq!(world.state("provider-invoice-F-1").await, "uploaded");
    assert_eq!(night["report"]["uploaded"], 1, "{night}");
    for n in 1..=60 {
        let row = world.row(&format!("P-{n:04}")).await;
        assert_eq!((row.state.code(), row.reason.as_str()), ("held", "ACCOUNT_UNUSABLE"));
        assert!(row.why.contains("090") && row.why.contains("archived"), "{}", row.why);
    }
    let caps = world.tables.caps(world.organisation()).await.unwrap();
    assert_eq!(caps.attempts(world.now()), 0, "nothing was tried");
    let messages = world.rows("messages").await;
    let messages: Vec<_> =
        messages.iter().filter(|row| row["kind"] == "ACCOUNT_UNUSABLE").collect();
    let [messages] = messages[..] else { panic!("{messages:?}") };
    assert!(
        messages["why"].contains("60 on hold") && messages["why"].contains("upload_account_id"),
        "{messages:?}"
    );

    // Mended: they go with the next run, and the message goes.
    let new = another(&world, "091", None);
    world.change(|uploading| uploading.account = XeroAccountId::new(new)).await;
    let night = next_night(&world, 1).await;
    assert_eq!(night["report"]["uploaded"], 60, "{night}");
    let messages = world.rows("messages").await;
    assert!(messages.iter().all(|row| row["kind"] != "ACCOUNT_UNUSABLE"), "{messages:?}");
    world.check().await;
}

#[tokio::test]
async fn an_account_that_takes_no_payments_or_is_unknown_is_named() {
    // XC-13, XC-15
    let world = World::new().await;
    world.bpay_payments(1).await;
    let books = world.simulator.organisation(world.tenant).unwrap();
    let revenue = books.accounts.iter().find(|account| !account.is_bank()).unwrap().id;
    let cases = [(revenue, "does not take payments"), (Uuid::from_u128(9), "is not in Xero")];
    for (days, (account, words)) in (0..).zip(cases) {
        world.change(|uploading| uploading.account = XeroAccountId::new(account)).await;
        next_night(&world, days).await;
        let row = world.row("P-0001").await;
        assert_eq!((row.state.code(), row.reason.as_str()), ("held", "ACCOUNT_UNUSABLE"));
        assert!(row.why.contains(words), "{}", row.why);
    }
    assert_eq!(world.in_xero().len(), 0);
}

#[tokio::test]
async fn only_what_needs_an_account_for_prepayments_waits_for_it() {
    // XC-15
    let world = World::new().await;
    world.bpay_payments(2).await;
    world.pay(bpay("P-9", "K-1", 500_00, march(1))).await;
    world.change(|uploading| uploading.prepayment_account = Some("999".to_owned())).await;
    world.night(evening()).await;
    assert_eq!(world.state("P-0001").await, "uploaded");
    assert_eq!(world.state("P-0002").await, "uploaded");
    let row = world.row("P-9").await;
    assert_eq!((row.state.code(), row.reason.as_str()), ("held", "ACCOUNT_UNUSABLE"));
    assert!(row.why.contains("999"), "{}", row.why);
}

#[tokio::test]
async fn a_payment_in_another_currency_goes_to_the_account_of_its_currency() {
    // XC-18
    let world = World::new().await;
    let contact = world.customer("K").await;
    world.invoice_of(contact, "INV-USD", (rust_decimal::Decimal::new(100_00, 2), "USD"), march(1));
    let mut receipt = bpay("P-1", "K", 100_00, march(1)).receipt(world.organisation());
    receipt.amount = payments::Money::new(receipt.amount.amount(), "USD".parse().unwrap()).unwrap();
    world.report(receipt).await;

    // No account is set for it.
    world.night(evening()).await;
    let row = world.row("P-1").await;
    assert_eq!((row.state.code(), row.reason.as_str()), ("held", "CURRENCY_MISMATCH"));
    assert!(row.why.contains("currency_accounts") && row.why.contains("USD"), "{}", row.why);

    // One of another currency.
    let usd = "USD".parse().unwrap();
    let aud = XeroAccountId::new(another(&world, "092", None));
    world.change(|uploading| _ = uploading.currency_accounts.insert(usd, aud)).await;
    next_night(&world, 1).await;
    let row = world.row("P-1").await;
    assert_eq!((row.state.code(), row.reason.as_str()), ("held", "ACCOUNT_UNUSABLE"));
    assert!(row.why.contains("is in AUD, and the payment in USD"), "{}", row.why);
    assert_eq!(world.in_xero().len(), 0);

    let dollars = another(&world, "093", Some("USD"));
    let account = XeroAccountId::new(dollars);
    world.change(|uploading| _ = uploading.currency_accounts.insert(usd, account)).await;
    next_night(&world, 2).await;
    assert_eq!(world.state("P-1").await, "uploaded");
    let books = world.simulator.organisation(world.tenant).unwrap();
    let payment = books.payments.values().next().unwrap();
    assert_eq!(payment.account, dollars);
}

/// The bills that calls have created, in their order.
fn bills(world: &World) -> Vec<Invoice> {
    let created = world.simulator.meter(world.tenant).created;
    let bills = created.iter().filter(|created| created.kind == CreatedKind::Bill);
    bills.map(|bill| world.simulator.invoice(bill.id).unwrap()).collect()
}

/// Every kind of fee has this tax type.
async fn taxed(world: &World, tax: &str) {
    let set = |uploading: &mut payments::upload::UploadSettings| {
        uploading.fee_accounts.values_mut().for_each(|fee| fee.tax = Some(tax.to_owned()));
    };
    world.change(set).await;
}

#[tokio::test]
async fn another_code_in_xero_is_followed_by_the_id_of_the_account() {
    // XC-14
    let world = World::new().await;
    world.provider(&["processing"]).await;
    let books = world.simulator.organisation(world.tenant).unwrap();
    let sales = books.accounts.iter().find(|account| !account.is_bank()).unwrap().id;
    let id = Some(XeroAccountId::new(sales));
    world
        .change(|uploading| {
            uploading.fee_accounts.values_mut().for_each(|fee| fee.id = id);
            uploading.prepayment_account = Some("200".to_owned());
            uploading.prepayment_account_id = id;
        })
        .await;
    world.simulator.recode_account(world.tenant, sales, "299").unwrap();
    world.provider_invoice("F-1", &[("processing", 12_00)]).await;
    world.bpay_payments(1).await;
    world.pay(bpay("P-9", "K-1", 500_00, march(1))).await;

    world.night(evening()).await;

    assert_eq!(world.state("provider-invoice-F-1").await, "uploaded");
    assert_eq!(bills(&world)[0].lines[0].account_code, "299");
    assert_eq!(world.state("P-9").await, "uploaded");
    let books = world.simulator.organisation(world.tenant).unwrap();
    let prepayment = books.bank_transactions.values().next().unwrap();
    assert_eq!(prepayment.lines[0].account_code, "299");
}

#[tokio::test]
async fn a_tax_rate_that_xero_has_archived_is_named_and_everything_else_goes() {
    // XC-17
    let world = World::new().await;
    world.provider(&["processing"]).await;
    taxed(&world, "OUTPUT").await;
    world.bpay_payments(2).await;
    for n in 1..=3 {
        world.provider_invoice(&format!("F-{n}"), &[("processing", 12_00)]).await;
    }
    world.simulator.archive_tax_rate(world.tenant, "OUTPUT").unwrap();
    world.night(evening()).await;
    for n in 1..=3 {
        let row = world.row(&format!("provider-invoice-F-{n}")).await;
        assert_eq!((row.state.code(), row.reason.as_str()), ("held", "TAX_UNUSABLE"));
        assert!(row.why.contains("OUTPUT (GST on Income) is archived"), "{}", row.why);
    }
    assert_eq!(world.state("P-0002").await, "uploaded");
    assert!(bills(&world).is_empty(), "nothing is refused one after the other");
    let messages = world.rows("messages").await;
    let messages: Vec<_> = messages.iter().filter(|row| row["kind"] == "TAX_UNUSABLE").collect();
    let [once] = messages[..] else { panic!("{messages:?}") };
    assert!(once["why"].contains("3 on hold"), "{once:?}");

    taxed(&world, "EXEMPTOUTPUT").await;
    next_night(&world, 1).await;
    let bills = bills(&world);
    assert_eq!(bills.len(), 3);
    for line in bills.iter().flat_map(|bill| &bill.lines) {
        assert_eq!(line.tax_type.as_deref(), Some("EXEMPTOUTPUT"));
        assert!(line.tax.is_zero(), "no line has an amount of tax of its own");
    }
}

#[tokio::test]
async fn a_bill_with_another_total_is_no_proof_and_a_discrepancy_until_it_agrees() {
    // XC-17
    let world = World::new().await;
    let contact = payments::XeroContactId::new(world.provider(&["processing"]).await);
    world.provider_invoice("F-1", &[("processing", 12_00)]).await;
    world.simulator.inject(Fault::on("PUT", "/Invoices", Effect::LostAnswer).times(9));
    world.night(evening()).await;
    world.simulator.clear_faults();
    let bill = bills(&world)[0].id;
    let amount = |cents| rust_decimal::Decimal::new(cents, 2);
    world.simulator.reprice_invoice(bill, amount(12_01)).unwrap();
    let open = || async {
        let known =
            world.tables.contact_discrepancies(world.organisation(), contact).await.unwrap();
        known.into_iter().filter(|known| known.is_open()).collect::<Vec<_>>()
    };
    for days in 1..=2 {
        next_night(&world, days).await;
        assert_eq!(world.state("provider-invoice-F-1").await, "unknown");
        let [known] = &open().await[..] else { panic!() };
        assert!(known.detail.contains("12.01") && known.detail.contains("12.00"), "{known:?}");
    }
    assert_eq!(bills(&world).len(), 1, "it is not sent again");

    world.simulator.reprice_invoice(bill, amount(12_00)).unwrap();
    next_night(&world, 3).await;
    assert_eq!(world.state("provider-invoice-F-1").await, "uploaded");
    assert!(open().await.is_empty());
}

#[tokio::test]
async fn bills_are_made_as_far_approved_as_the_organisation_has_chosen() {
    // XC-23
    use payments::upload::BillStatus;
    let world = World::new().await;
    world.provider(&["processing"]).await;
    for (days, status) in (0..).zip(BillStatus::ALL) {
        world.change(|uploading| uploading.bill_status = *status).await;
        let id = format!("F-{days}");
        world.provider_invoice(&id, &[("processing", 12_00)]).await;
        next_night(&world, days).await;
        assert_eq!(world.state(&format!("provider-invoice-{id}")).await, "uploaded", "{status}");
        let bill = bills(&world).pop().unwrap();
        assert_eq!(bill.status.as_str(), status.code());
    }
    assert_eq!(bills(&world).len(), 3, "each of them once");
}
