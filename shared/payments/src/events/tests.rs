use super::*;
use crate::activity_kind::Logged;
use crate::decision::Action;
use crate::money::Money;
use crate::payment::Origin;
use crate::upload::UploadState;

fn entry(logged: impl Into<Logged>) -> Entry {
    let aud = "AUD".parse().unwrap();
    Entry {
        id: "o/2026-11-23#2026-11-23T01:00:00.000000Z#10234#7-0".to_owned(),
        organisation: "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap(),
        at: "2026-11-23T01:00:00Z".parse().unwrap(),
        logged: logged.into(),
        rule: Some("CM-34".to_owned()),
        cause: Some("webhook".to_owned()),
        event_at: None,
        reason: None,
        by: None,
        why: Some("46.00 AUD of 2026-11-23".to_owned()),
        invoice: Some(EntryInvoice {
            number: "10234".parse().unwrap(),
            xero: None,
            position: None,
        }),
        payment: EntryPayment {
            id: Some("P-1".parse().unwrap()),
            xero: Some("3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10".parse().unwrap()),
            amount: Some(Money::parse("46", aud).unwrap()),
            date: Some("2026-11-23".parse().unwrap()),
            origin: Some(Origin::Xero),
            method: Some("xero".to_owned()),
            transaction_id: Some("T-1".to_owned()),
            ..EntryPayment::default()
        },
        discrepancy: None,
        owner: None,
        adjustment: None,
        notice: None,
        contact: None,
        customer: None,
        report: None,
        blocked: None,
        close: None,
        seal: None,
        order: None,
        night: None,
        until: None,
    }
}

fn json(entry: &Entry) -> serde_json::Value {
    let announcement = announce(entry).unwrap().unwrap();
    serde_json::to_value(&announcement.detail).unwrap()
}

#[test]
fn every_kind_is_the_announcement_of_something() {
    let rows = Logged::all().flat_map(|logged| [(logged, false), (logged, true)]);
    let mut kinds: Vec<_> =
        rows.filter_map(|(logged, is_bill)| Kind::of(logged, is_bill)).collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds, Kind::ALL);
}

/// An amount is text with the decimals of its currency: no reader makes a float of it (CM-13).
#[test]
fn amounts_are_text_with_the_decimals_of_their_currency() {
    let mut yen = entry(Action::Imported);
    assert_eq!(json(&yen)["payment"]["amount"], "46.00");
    yen.payment.amount = Some(Money::parse("1200", "JPY".parse().unwrap()).unwrap());
    let yen = json(&yen);
    assert_eq!(
        (&yen["payment"]["amount"], &yen["payment"]["currency"]),
        (&"1200".into(), &"JPY".into())
    );
}

/// What the provider invoices is no payment of anybody (EX-12).
#[test]
fn an_invoice_of_the_provider_is_never_announced_as_a_payment() {
    for state in UploadState::ALL {
        let mut bill = entry(*state);
        bill.payment.id = Some("provider-invoice-PI-7".parse().unwrap());
        bill.reason = Some("ACCOUNT_UNMAPPED".to_owned());
        let Some(announcement) = announce(&bill).unwrap() else { continue };
        assert!(announcement.kind.code().starts_with("provider_invoice."), "{state}");
        let detail = json(&bill);
        assert_eq!(detail["provider_invoice"]["id"], "PI-7");
        assert!(detail.get("payment").is_none(), "{detail}");
    }
}

#[test]
fn a_row_that_lacks_what_its_announcement_says_is_not_announced() {
    let missing = |change: fn(&mut Entry)| {
        let mut entry = entry(Action::Imported);
        change(&mut entry);
        announce(&entry).unwrap_err().attribute
    };
    assert_eq!(missing(|entry| entry.invoice = None), "invoice_number");
    assert_eq!(missing(|entry| entry.payment.id = None), "payment_id");
    assert_eq!(missing(|entry| entry.payment.xero = None), "xero_payment_id");
    assert_eq!(missing(|entry| entry.payment.amount = None), "amount");
    assert_eq!(missing(|entry| entry.payment.origin = None), "origin");
    assert_eq!(announce(&entry(UploadState::Skipped)).unwrap_err().attribute, "reason");
    let mut found = entry(Action::DiscrepancyRaised);
    found.discrepancy = None;
    assert_eq!(announce(&found).unwrap_err().attribute, "discrepancy");
}

#[test]
fn a_discrepancy_of_a_contact_names_the_contact_in_the_place_of_an_invoice() {
    // CM-50, AMB-38
    let contact = "430fa14a-f945-44d3-9f97-5df5e28441b8";
    let mut refund = entry(Action::DiscrepancyRaised);
    refund.discrepancy = Some(EntryDiscrepancy {
        kind: crate::DiscrepancyKind::RefundInXero,
        subject: "3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10".to_owned(),
        detected_at: refund.at,
        reopened_at: None,
        reopened_count: None,
        due_at: refund.at,
    });
    refund.contact = Some(contact.parse().unwrap());
    assert!(json(&refund).get("contact").is_none(), "the invoice says whose it is");
    refund.invoice = None;
    let detail = json(&refund);
    assert_eq!(detail["contact"]["xero_contact_id"], contact);
    assert!(detail.get("invoice").is_none());
    refund.contact = None;
    // SP-10, SP-11: an order, or a payment as a whole.
    let payment = json(&refund);
    assert_eq!(payment["payment"]["id"], refund.payment.id.as_ref().unwrap().as_str());
    let order = EntryOrder {
        id: "O-1".parse().unwrap(),
        progress: None,
        status: None,
        components: Vec::new(),
        receipts: Vec::new(),
        reported: None,
    };
    let detail = json(&Entry { order: Some(order), ..refund.clone() });
    assert_eq!(detail["order"], serde_json::json!({"id": "O-1"}));
    assert!(detail.get("payment").is_none());
    refund.payment = EntryPayment::default();
    assert_eq!(announce(&refund).unwrap_err().attribute, "invoice_number");
}

#[test]
fn the_digest_of_all_organisations_has_room_for_all_of_them() {
    // CC-20, CC-22
    let mut digest = entry(Action::Deleted);
    digest.logged = crate::Occurrence::MorningDigest.into();
    digest.reason = Some("look".to_owned());
    digest.why = Some("x".repeat(400_000));
    let length = |entry: &Entry| json(entry)["why"].as_str().unwrap().chars().count();
    assert_eq!(length(&digest), TEXT_CHARS_MAX);
    digest.organisation = crate::joint_digest::ALL_ORGANISATIONS;
    assert_eq!(length(&digest), crate::joint_digest::JOINT_CHARS_MAX);
}

#[test]
fn a_long_text_is_cut_and_an_empty_one_is_left_out() {
    let mut long = entry(Action::Deleted);
    long.why = Some("€".repeat(400_000));
    long.cause = Some(String::new());
    let detail = json(&long);
    assert_eq!(detail["why"].as_str().unwrap().chars().count(), TEXT_CHARS_MAX);
    assert!(detail.get("cause").is_none());
}
